use octroi_domain::{
    application::{ApplicationState, Stopper},
    credential::{Credential, CredentialKind, SecretDigest},
};
use uuid::Uuid;

use super::*;
use crate::testing::{Town, at, each};

#[test]
fn one_live_subscription_per_application_and_api() {
    each(async |store| {
        let town = Town::found(&store).await;
        let application = town.application(&store, Stage::Production).await;
        let permit = town.permit(&store, None).await;
        let next = town.permit(&store, None).await;
        let first = town.subscription(&application, Some(&permit), 50);
        let second = Subscription { id: Id::from_uuid(Uuid::now_v7()), created_at: at(51), ..first.clone() };
        let mut tx = store.write().await.unwrap();
        tx.subscription_insert(&first).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.write().await.unwrap();
        assert!(tx.subscription_insert(&second).await.unwrap_err().is_duplicate());
        drop(tx);
        let reader = store.read();
        assert_eq!(reader.subscription_of(application.id, &town.api).await.unwrap(), Some(first.clone()));
        let revoked = Subscription { state: SubscriptionState::Revoked, stopped_by: Some(Stopper::Provider), ..first.clone() };
        let mut tx = store.write().await.unwrap();
        assert!(tx.subscription_save(&revoked, SubscriptionState::Pending).await.unwrap_err().is_stale());
        tx.subscription_save(&revoked, SubscriptionState::Active).await.unwrap();
        tx.subscription_insert(&second).await.unwrap();
        assert_eq!(tx.subscriptions_move(permit.grant().id, next.grant().id).await.unwrap(), 1);
        tx.commit().await.unwrap();
        let moved = Subscription { permit: Some(next.grant().id), ..second.clone() };
        assert_eq!(reader.subscription_by_id(second.id).await.unwrap(), Some(moved.clone()));
        assert_eq!(reader.subscriptions_of_permit(permit.grant().id).await.unwrap(), std::slice::from_ref(&revoked));
        assert_eq!(reader.subscriptions_of_application(application.id).await.unwrap(), [moved, revoked]);
        let count = async |filter| reader.subscription_list(&filter, Page::first(9)).await.unwrap().items.len();
        let none = SubscriptionFilter::default;
        assert_eq!(count(none()).await, 2);
        assert_eq!(count(SubscriptionFilter { organization: Some(town.other.id), ..none() }).await, 0);
        assert_eq!(count(SubscriptionFilter { organization: Some(town.hall.id), stage: Some(Stage::Production), ..none() }).await, 2);
        assert_eq!(count(SubscriptionFilter { stage: Some(Stage::Sandbox), ..none() }).await, 0);
        assert_eq!(count(SubscriptionFilter { api: Some(town.api.clone()), states: vec![SubscriptionState::Active], ..none() }).await, 1);
    });
}

#[test]
fn applications_and_credentials() {
    each(async |store| {
        let town = Town::found(&store).await;
        let application = town.application(&store, Stage::Sandbox).await;
        let credential = Credential {
            id: Id::from_uuid(Uuid::now_v7()),
            application: application.id,
            kind: CredentialKind::ApiKey,
            hint: "octk_abc".into(),
            digest: SecretDigest::from_bytes([7; 32]),
            created_at: at(60),
            last_used_at: None,
            revoked_at: None,
        };
        let suspended = Application {
            state: ApplicationState::Suspended,
            suspended_by: Some(Stopper::Operator),
            name: "Other".into(),
            ..application.clone()
        };
        let mut tx = store.write().await.unwrap();
        tx.credential_insert(&credential).await.unwrap();
        tx.application_save(&suspended).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.write().await.unwrap();
        let twin = Credential { id: Id::from_uuid(Uuid::now_v7()), ..credential.clone() };
        assert!(tx.credential_insert(&twin).await.unwrap_err().is_duplicate());
        drop(tx);
        let reader = store.read();
        assert_eq!(reader.application_by_id(application.id).await.unwrap(), Some(suspended.clone()));
        assert_eq!(reader.applications_by_ids(&[application.id]).await.unwrap(), std::slice::from_ref(&suspended));
        assert_eq!(reader.application_list(Some(town.hall.id), Page::first(5)).await.unwrap().items, [suspended]);
        assert_eq!(reader.application_list(Some(town.other.id), Page::first(5)).await.unwrap().items, []);
        for (used, expected) in [(at(70), at(70)), (at(65), at(70)), (at(80), at(80))] {
            store.credential_touch(&[(credential.id, used), (Id::from_uuid(Uuid::now_v7()), used)]).await.unwrap();
            let found = reader.credential_by_digest(&credential.digest).await.unwrap().unwrap();
            assert_eq!(found.last_used_at, Some(expected));
        }
        let mut tx = store.write().await.unwrap();
        assert!(tx.credential_revoke(credential.id, at(90)).await.unwrap());
        assert!(!tx.credential_revoke(credential.id, at(91)).await.unwrap());
        tx.commit().await.unwrap();
        let found = reader.credentials_of_application(application.id).await.unwrap();
        assert_eq!(found, [Credential { last_used_at: Some(at(80)), revoked_at: Some(at(90)), ..credential }]);
    });
}
