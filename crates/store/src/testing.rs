//! Each test of the store runs on a fresh SQLite file and, when `TEST_PG` names a server where
//! databases may be created, on a fresh PostgreSQL database that is dropped afterwards.

use std::{env, path::PathBuf};

use octroi_domain::{
    Id, Moment, Number, Slug,
    access_request::{AccessRequest, Approval, Header, Kind, StateRecord},
    api::{ApiDocument, ApiName},
    application::{Application, ApplicationState, Subscription, SubscriptionState},
    catalogue::Provider,
    definition::{Answers, Definition},
    event::Event,
    organization::Organization,
    permit::Permit,
    scope::ScopeSet,
    stage::Stage,
    text::Language,
    user::User,
};
use sea_orm::{ConnectionTrait, Database};
use serde_json::json;
use uuid::Uuid;

use crate::{Store, Tx};

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

/// A little town: two organisations, two people, one provider with a definition and an API.
pub(crate) struct Town {
    pub(crate) hall: Organization,
    pub(crate) other: Organization,
    pub(crate) applicant: User,
    pub(crate) reviewer: User,
    pub(crate) definition: Slug,
    pub(crate) api: ApiName,
}

impl Town {
    pub(crate) async fn found(store: &Store) -> Self {
        let town = Self {
            hall: organization("21750001600019", "Ville de Paris"),
            other: organization("13002526500013", "DINUM"),
            applicant: user("Ada@Ville.example", "Ada", "Lovelace"),
            reviewer: user("rex@dinum.example", "Rex", "Viewer"),
            definition: "canteen".parse().unwrap(),
            api: "dinum/family".parse().unwrap(),
        };
        let mut tx = store.write().await.unwrap();
        for organization in [&town.hall, &town.other] {
            tx.organization_insert(organization).await.unwrap();
        }
        for user in [&town.applicant, &town.reviewer] {
            tx.user_insert(user, Some("$argon2id$…")).await.unwrap();
        }
        tx.provider_put(&provider(), at(1)).await.unwrap();
        tx.definition_put(&definition("Canteen"), at(1)).await.unwrap();
        tx.api_put(&document("Family"), at(1)).await.unwrap();
        tx.commit().await.unwrap();
        town
    }

    pub(crate) fn header(&self, id: Number<AccessRequest>) -> Header {
        Header {
            id,
            kind: Kind::Initial,
            definition: self.definition.clone(),
            definition_version: 1,
            form: "free".parse().unwrap(),
            stage: None,
            applicant: self.applicant.id,
            organization: self.hall.id,
            created_at: at(10),
            updated_at: at(10),
            version: 1,
            answers: Answers::trusted([("title".to_owned(), json!("Cantine 100 %"))].into()),
        }
    }

    /// A new request in the state that `record` says, last changed at second `second`.
    pub(crate) async fn request(&self, store: &Store, second: i64, record: StateRecord) -> AccessRequest {
        let mut tx = store.write().await.unwrap();
        let id = tx.access_request_next().await.unwrap();
        let header = Header { updated_at: at(second), ..self.header(id) };
        let request = AccessRequest::from_parts(header, record);
        tx.access_request_insert(&request, "Cantine 100 %").await.unwrap();
        tell(&mut tx, &Event::RequestCreated { request: id });
        tx.commit().await.unwrap();
        request
    }

    /// Approves a new request, as the application does: request, permit and ledger in one transaction.
    pub(crate) async fn permit(&self, store: &Store, expires_at: Option<Moment>) -> Permit {
        let submitted = StateRecord::Submitted { at: at(20), scopes: scopes("family_quotient"), modality: None };
        let request = self.request(store, 20, submitted).await;
        let AccessRequest::Submitted(submitted) = request else { unreachable!() };
        let mut tx = store.write().await.unwrap();
        let permit = tx.permit_next().await.unwrap();
        let approval = Approval { permit, by: self.reviewer.id, at: at(30), read: 1, read_content: None, expires_at, message: None };
        let (approved, active, event) = submitted.approve(approval).unwrap();
        let permit = Permit::Active(active);
        tx.permit_insert(&permit, "Cantine 100 %").await.unwrap();
        tx.access_request_save(&AccessRequest::Approved(approved), 1, "Cantine 100 %").await.unwrap();
        tell(&mut tx, &Event::RequestApproved { request: permit.grant().request, permit: permit.grant().id });
        tell(&mut tx, &event);
        tx.commit().await.unwrap();
        permit
    }

    pub(crate) async fn application(&self, store: &Store, stage: Stage) -> Application {
        let application = Application {
            id: Id::from_uuid(Uuid::now_v7()),
            name: "Cantine".into(),
            stage,
            organization: self.hall.id,
            created_by: self.applicant.id,
            created_at: at(40),
            management: false,
            state: ApplicationState::Active,
            suspended_by: None,
        };
        let mut tx = store.write().await.unwrap();
        tx.application_insert(&application).await.unwrap();
        tx.commit().await.unwrap();
        application
    }

    pub(crate) fn subscription(&self, application: &Application, permit: Option<&Permit>, second: i64) -> Subscription {
        Subscription {
            id: Id::from_uuid(Uuid::now_v7()),
            application: application.id,
            api: self.api.clone(),
            permit: permit.map(|permit| permit.grant().id),
            plan: "free".parse().unwrap(),
            terms_accepted: Some(2),
            state: SubscriptionState::Active,
            stopped_by: None,
            created_at: at(second),
        }
    }
}

pub(crate) fn tell(tx: &mut Tx, event: &Event) {
    tx.record(at(30), "user:x", event.action(), &event.subject(), event.details());
}

pub(crate) fn at(second: i64) -> Moment {
    Moment::from_micros(1_700_000_000_000_000).plus_seconds(second)
}

pub(crate) fn scopes(text: &str) -> ScopeSet {
    text.split(' ').map(|scope| scope.parse().unwrap()).collect()
}

pub(crate) fn organization(siret: &str, name: &str) -> Organization {
    Organization { id: Id::from_uuid(Uuid::now_v7()), siret: siret.parse().unwrap(), name: name.into(), created_at: at(0) }
}

pub(crate) fn user(email: &str, given_name: &str, family_name: &str) -> User {
    User {
        id: Id::from_uuid(Uuid::now_v7()),
        email: email.to_lowercase(),
        given_name: given_name.into(),
        family_name: family_name.into(),
        language: Language::En,
        created_at: at(0),
        email_verified_at: None,
    }
}

pub(crate) fn provider() -> Provider {
    let text = json!({"fr": "DINUM", "en": "DINUM"});
    serde_json::from_value(json!({"slug": "dinum", "name": text, "siret": "13002526500013"})).unwrap()
}

pub(crate) fn definition(name: &str) -> Definition {
    let text = json!({"fr": name, "en": name});
    let content = json!({"slug": "canteen", "provider": "dinum", "name": text, "description": text, "apis": ["dinum/family"], "blocks": [], "forms": []});
    serde_json::from_value(content).unwrap()
}

pub(crate) fn document(name: &str) -> ApiDocument {
    let text = json!({"fr": name, "en": name});
    let content = json!({
        "api": {
            "slug": "family", "provider": "dinum", "name": text, "description": text, "mount": "/dinum/family", "visibility": "public",
            "access": {"mode": "open"}, "plans": [{"id": "free", "name": text}], "backends": {}, "contracts": []
        },
        "openapi": {"openapi": "3.1.0"}, "mocks": []
    });
    serde_json::from_value(content).unwrap()
}
