//! Opening the database: what each engine needs so that an answered write survives.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection,
    sqlx::{self, Connection as _, SqliteConnection},
};

use crate::{StoreError, error::At};

/// Readers of the embedded database: enough for two cores, each costs a thread.
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;
/// How long a caller waits for a connection, the embedded database's only writer included.
pub(crate) const ACQUIRE: Duration = Duration::from_secs(10);

/// The connections of one database, and the lock that goes with them.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(crate) reader: DatabaseConnection,
    /// SQLite: the only connection that writes. PostgreSQL: the same pool as the reader.
    pub(crate) writer: DatabaseConnection,
    /// Held as long as the store lives; the system lets it go when the process ends, however it ends.
    pub(crate) lock: Option<File>,
}

/// Is this process the one that serves the database?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    Exclusive,
    Shared,
}

pub(crate) async fn connect(url: &str, ownership: Ownership) -> Result<Connections, StoreError> {
    if let Some(path) = url.strip_prefix("sqlite://") {
        sqlite(Path::new(path), ownership).await
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        postgres(url).await
    } else {
        Err(StoreError::Url("must begin with `sqlite://` or `postgres://`"))
    }
}

async fn sqlite(path: &Path, ownership: Ownership) -> Result<Connections, StoreError> {
    if path.as_os_str().is_empty() || path.to_string_lossy().contains('?') {
        return Err(StoreError::Url("must be `sqlite://` and the path of a file, without parameters"));
    }
    prepare_file(path)?;
    let lock = match ownership {
        Ownership::Exclusive => Some(lock(path)?),
        Ownership::Shared => None,
    };
    let options = |connections: u32, writes: bool, pragmas: &'static [(&'static str, &'static str)]| {
        let file = path.to_path_buf();
        let mut options = ConnectOptions::new("sqlite://octroi.db");
        options
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(ACQUIRE)
            .connect_timeout(ACQUIRE)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .sqlx_logging(false)
            .map_sqlx_sqlite_pool_opts(move |pool| pool.after_release(move |connection, _| Box::pin(is_clean(connection, writes))))
            .map_sqlx_sqlite_opts(move |sqlite| {
                let sqlite = sqlite.filename(&file).create_if_missing(true).busy_timeout(Duration::from_secs(5));
                pragmas.iter().fold(sqlite, |sqlite, (name, value)| sqlite.pragma(*name, *value))
            });
        options
    };
    // FULL: a commit returns when the journal is on the disk. secure_delete: what is deleted is overwritten.
    let writing = [("journal_mode", "WAL"), ("foreign_keys", "ON"), ("synchronous", "FULL"), ("secure_delete", "ON")].as_slice();
    let reading = [("query_only", "ON")].as_slice();
    let writer = Database::connect(options(1, true, writing)).await.at("sqlite")?;
    let reader = Database::connect(options(SQLITE_READERS, false, reading)).await.at("sqlite")?;
    Ok(Connections { reader, writer, lock })
}

/// May the connection be used again? SQLite ends a transaction by itself when the disk is full or fails;
/// the driver, which does not know, then opens its next one inside one that is never committed. A
/// connection that comes back inside a transaction is closed, and what was written there is undone.
/// One that only reads is not asked after each read: what the driver counts is enough.
async fn is_clean(connection: &mut SqliteConnection, writes: bool) -> Result<bool, sqlx::Error> {
    if !writes && !connection.is_in_transaction() {
        return Ok(true);
    }
    match sqlx::query("ROLLBACK").execute(&mut *connection).await {
        Err(sqlx::Error::Database(error)) => {
            // What the driver counts has to agree.
            Ok(!connection.is_in_transaction() && error.message().contains("no transaction is active"))
        }
        Ok(_) | Err(_) => Ok(false),
    }
}

async fn postgres(url: &str) -> Result<Connections, StoreError> {
    // The driver's own reading of the address panics on some malformed ones: ask it first.
    if url.parse::<sea_orm::sqlx::postgres::PgConnectOptions>().is_err() {
        return Err(StoreError::Url("is not of the form `postgres://user:password@host:port/database`"));
    }
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(POSTGRES_CONNECTIONS)
        .min_connections(1)
        .acquire_timeout(ACQUIRE)
        .connect_timeout(ACQUIRE)
        .test_before_acquire_if_idle_for(Duration::from_secs(10))
        .set_application_name("octroi")
        .statement_timeout(Duration::from_secs(30))
        .sqlx_logging(false);
    let pool = Database::connect(options).await.at("postgres")?;
    Ok(Connections { reader: pool.clone(), writer: pool, lock: None })
}

/// The folder, and the file readable by its owner alone: SQLite gives the journal the same rights.
fn prepare_file(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(StoreError::io)?;
    }
    private().open(path).map_err(StoreError::io)?;
    Ok(())
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = private().open(PathBuf::from(name)).map_err(StoreError::io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_path_buf() }),
        Err(TryLockError::Error(error)) => Err(StoreError::io(error)),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Store,
        testing::{on_sqlite, organization},
    };
    use sea_orm::{ConnectionTrait, DbBackend, Statement};

    #[test]
    fn one_process_serves_and_commands_go_beside_it() {
        on_sqlite(async |store, path| {
            let url = format!("sqlite://{}", path.display());
            let second = Store::open(&url).await;
            assert!(matches!(&second, Err(StoreError::Locked { path: named }) if *named == path), "{second:?}");
            let beside = Store::open_shared(&url).await.unwrap();
            let mut tx = beside.write().await.unwrap();
            tx.organization_insert(&organization("13002526500013", "DINUM")).await.unwrap();
            tx.commit().await.unwrap();
            assert!(store.read().organization_by_siret(&"13002526500013".parse().unwrap()).await.unwrap().is_some());
            beside.close().await.unwrap();
            store.close().await.unwrap();
            Store::open(&url).await.unwrap().close().await.unwrap();
        });
    }

    #[test]
    fn the_file_is_safe_and_private() {
        on_sqlite(async |store, path| {
            let pragma = async |db: &DatabaseConnection, name: &str| {
                let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {name}"))).await.unwrap().unwrap();
                row.try_get_by_index::<i64>(0).map_or_else(|_| row.try_get_by_index::<String>(0).unwrap(), |number| number.to_string())
            };
            for (name, expected) in
                [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1"), ("secure_delete", "1"), ("busy_timeout", "5000")]
            {
                assert_eq!(pragma(store.writer(), name).await, expected, "{name}");
            }
            assert!(store.read().db().execute_unprepared("DELETE FROM counter").await.is_err());
            #[cfg(unix)]
            for file in fs::read_dir(path.parent().unwrap()).unwrap() {
                let mode = std::os::unix::fs::PermissionsExt::mode(&file.as_ref().unwrap().metadata().unwrap().permissions());
                assert_eq!(mode & 0o077, 0, "{:?}", file.unwrap().path());
            }
        });
    }

    #[test]
    fn a_connection_left_inside_a_transaction_is_not_used_again() {
        on_sqlite(async |store, _| {
            // What a full disk leaves behind: a transaction that the driver does not count.
            store.writer().execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
            let mut tx = store.write().await.unwrap();
            tx.organization_insert(&organization("13002526500013", "DINUM")).await.unwrap();
            tx.commit().await.unwrap();
            assert!(store.read().organization_by_siret(&"13002526500013".parse().unwrap()).await.unwrap().is_some());
        });
    }

    #[test]
    fn an_address_that_cannot_be_used_is_said_so() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for url in ["", "mysql://x", "sqlite://", "sqlite:///tmp/x?mode=rwc", "postgres://[", "octroi.db"] {
            let outcome = runtime.block_on(Store::open(url));
            assert!(matches!(outcome, Err(StoreError::Url(_))), "{url}: {outcome:?}");
        }
        let gone = runtime.block_on(Store::open("postgres://x:secret@127.0.0.1:1/x"));
        let Err(error) = gone else { panic!("something listens on port 1") };
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert_eq!(error.to_string(), "the database does not answer");
    }
}
