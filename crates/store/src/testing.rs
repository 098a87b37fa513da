//! Each test of the store runs on a fresh SQLite file and, when `TEST_PG` names a server where
//! databases may be created, on a fresh PostgreSQL database that is dropped afterwards.

use std::{env, path::PathBuf};

use sea_orm::{ConnectionTrait, Database};
use uuid::Uuid;

use crate::Store;

/// Runs `test` on a migrated, empty database of each engine.
pub(crate) fn each<F>(test: F)
where
    F: AsyncFn(Store) + Copy,
{
    on_sqlite(async |store, _| test(store).await);
    let Ok(server) = env::var("TEST_PG") else { return };
    let runtime = runtime();
    let name = format!("octroi_test_{}", Uuid::new_v4().simple());
    let run = |sql: String| {
        let server = server.clone();
        runtime.block_on(async move {
            Database::connect(server).await.unwrap().execute_unprepared(&sql).await.unwrap();
        });
    };
    run(format!("CREATE DATABASE {name}"));
    let (base, _) = server.rsplit_once('/').unwrap();
    let url = format!("{base}/{name}");
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(async {
            let store = Store::open(&url).await.unwrap();
            store.migrate().await.unwrap();
            test(store.clone()).await;
            store.close().await.unwrap();
        });
    }));
    run(format!("DROP DATABASE {name} WITH (FORCE)"));
    if let Err(panic) = outcome {
        eprintln!("the engine was PostgreSQL");
        std::panic::resume_unwind(panic);
    }
}

/// Runs `test` on a fresh SQLite file, whose path it is given.
pub(crate) fn on_sqlite(test: impl AsyncFn(Store, PathBuf)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("octroi.db");
    runtime().block_on(async {
        let store = Store::open(&format!("sqlite://{}", path.display())).await.unwrap();
        store.migrate().await.unwrap();
        test(store.clone(), path.clone()).await;
        store.close().await.unwrap();
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
