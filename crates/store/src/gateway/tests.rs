use octroi_domain::{
    application::{Application, ApplicationState},
    credential::{Credential, CredentialKind, SecretDigest},
    feed::{KeyPurpose, PermitStatus},
};

use super::*;
use crate::testing::{Town, at, document, each, scopes, tell};

async fn state(store: &Store, stage: Stage) -> GatewayRows {
    store.gateway_state(stage, at(100), &|_, _| None).await.unwrap()
}

fn credential(application: &Application, byte: u8, revoked: bool) -> Credential {
    Credential {
        id: Id::from_uuid(Uuid::now_v7()),
        application: application.id,
        kind: CredentialKind::ApiKey,
        hint: "octk".into(),
        digest: SecretDigest::from_bytes([byte; 32]),
        created_at: at(60),
        last_used_at: None,
        revoked_at: revoked.then(|| at(61)),
    }
}

fn key(kid: &str, stage: Stage) -> StoredKey {
    StoredKey {
        kid: kid.into(),
        stage,
        purpose: KeyPurpose::Assertion,
        sealed: vec![0, 255],
        public: vec![4],
        created_at: at(1),
        retired_at: None,
    }
}

#[test]
fn a_stage_is_told_everything_of_its_own_and_nothing_of_the_other() {
    each(async |store| {
        let town = Town::found(&store).await;
        let permit = town.permit(&store, Some(at(900))).await;
        let application = town.application(&store, Stage::Production).await;
        let other = town.application(&store, Stage::Sandbox).await;
        let revoked = Subscription { state: SubscriptionState::Revoked, ..town.subscription(&application, Some(&permit), 70) };
        let older = Subscription { state: SubscriptionState::Revoked, ..town.subscription(&application, None, 50) };
        let live = town.subscription(&application, Some(&permit), 60);
        let mut tx = store.write().await.unwrap();
        for subscription in [&older, &revoked] {
            tx.subscription_insert(subscription).await.unwrap();
        }
        tx.credential_insert(&credential(&application, 1, false)).await.unwrap();
        tx.credential_insert(&credential(&application, 2, true)).await.unwrap();
        tx.credential_insert(&credential(&other, 3, false)).await.unwrap();
        for (kid, stage) in [("p", Stage::Production), ("s", Stage::Sandbox)] {
            tx.signing_key_insert(&key(kid, stage)).await.unwrap();
            tx.revoked_token_insert(kid, stage, at(200)).await.unwrap();
            tx.revoked_token_insert(kid, stage, at(200)).await.unwrap();
            tx.revoked_token_insert(&format!("{kid}-old"), stage, at(100)).await.unwrap();
        }
        tx.gateway_changed();
        assert_eq!(tx.commit().await.unwrap(), Some(2));

        let GatewayRows { state: production, keys } = state(&store, Stage::Production).await;
        assert_eq!((production.version, production.stage), (2, Stage::Production));
        assert_eq!(production.apis.iter().map(|api| (*api.document).clone()).collect::<Vec<_>>(), [document("Family")]);
        assert_eq!(keys, [key("p", Stage::Production)]);
        assert_eq!(production.revoked_tokens, ["p"]);
        let mut known: Vec<(u8, bool)> = production.credentials.iter().map(|known| (known.digest.bytes()[0], known.revoked)).collect();
        known.sort_unstable();
        assert_eq!(known, [(1, false), (2, true)]);
        let [application_known] = production.applications.as_slice() else { panic!("{production:?}") };
        assert_eq!((application_known.state, application_known.organization_name.as_str()), (ApplicationState::Active, "Ville de Paris"));
        // Nothing live: the last one that was revoked.
        assert_eq!(production.subscriptions.iter().map(|known| known.id).collect::<Vec<_>>(), [revoked.id]);

        let mut tx = store.write().await.unwrap();
        tx.subscription_insert(&live).await.unwrap();
        tx.commit().await.unwrap();
        store.day_use_put(&[(live.id, DayUse { day: 3, used: 7 })]).await.unwrap();
        let GatewayRows { state: production, .. } = state(&store, Stage::Production).await;
        let [subscription] = production.subscriptions.as_slice() else { panic!("{production:?}") };
        assert_eq!((subscription.id, subscription.used), (live.id, DayUse { day: 3, used: 7 }));
        let permit_known = subscription.permit.clone().unwrap();
        assert_eq!(
            (permit_known.id, permit_known.status, permit_known.scopes, permit_known.expires_at),
            (permit.grant().id, PermitStatus::Active, scopes("family_quotient"), Some(at(900)))
        );
        let GatewayRows { state: sandbox, keys } = state(&store, Stage::Sandbox).await;
        assert_eq!((sandbox.subscriptions.len(), sandbox.credentials.len(), sandbox.applications.len(), keys.len()), (0, 1, 1, 1));
    });
}

#[test]
fn a_revoked_permit_and_a_withdrawn_api_are_told() {
    each(async |store| {
        let town = Town::found(&store).await;
        let permit = town.permit(&store, None).await;
        let application = town.application(&store, Stage::Sandbox).await;
        let subscription = town.subscription(&application, Some(&permit), 60);
        let (ended, event) = permit.open().unwrap().revoke(town.reviewer.id, at(70), "end".into());
        let mut tx = store.write().await.unwrap();
        tx.subscription_insert(&subscription).await.unwrap();
        tx.permit_save(&octroi_domain::permit::Permit::Ended(ended), PermitStatus::Active).await.unwrap();
        tell(&mut tx, &event);
        tx.api_withdraw(&town.api).await.unwrap();
        tx.gateway_changed();
        tx.commit().await.unwrap();
        let rows = state(&store, Stage::Sandbox).await.state;
        assert!(rows.apis.is_empty());
        assert_eq!(rows.subscriptions.first().unwrap().permit.as_ref().unwrap().status, PermitStatus::Revoked);
    });
}

#[test]
fn a_document_that_is_known_is_not_read_again() {
    each(async |store| {
        Town::found(&store).await;
        let held = Arc::new(document("Held by the caller"));
        let rows = store.gateway_state(Stage::Sandbox, at(0), &|_, version| (version == 1).then(|| Arc::clone(&held))).await.unwrap();
        assert!(Arc::ptr_eq(&rows.state.apis.first().unwrap().document, &held));
    });
}

#[test]
fn the_version_moves_with_the_change_or_not_at_all() {
    each(async |store| {
        let mut tx = store.write().await.unwrap();
        tx.gateway_changed();
        drop(tx);
        assert_eq!(store.write().await.unwrap().commit().await.unwrap(), None);
        assert_eq!(store.read().gateway_version().await.unwrap(), 1);
        for expected in [2, 3] {
            let mut tx = store.write().await.unwrap();
            tx.gateway_changed();
            assert_eq!(tx.commit().await.unwrap(), Some(expected));
        }
        assert_eq!(store.read().gateway_version().await.unwrap(), 3);
    });
}

#[test]
fn the_use_of_a_day_never_goes_back() {
    each(async |store| {
        let town = Town::found(&store).await;
        let application = town.application(&store, Stage::Production).await;
        let subscription = town.subscription(&application, None, 60);
        let mut tx = store.write().await.unwrap();
        tx.subscription_insert(&subscription).await.unwrap();
        tx.commit().await.unwrap();
        store.day_use_put(&[]).await.unwrap();
        for ((day, used), (kept_day, kept)) in
            [((5, 10), (5, 10)), ((5, 3), (5, 10)), ((4, 99), (5, 10)), ((5, 11), (5, 11)), ((6, 1), (6, 1)), ((5, 50), (6, 1))]
        {
            let twice = [(subscription.id, DayUse { day, used }), (subscription.id, DayUse { day: 0, used: 0 })];
            store.day_use_put(&twice).await.unwrap();
            let known = state(&store, Stage::Production).await.state.subscriptions.remove(0);
            assert_eq!(known.used, DayUse { day: kept_day, used: kept }, "{day} {used}");
        }
    });
}

#[test]
fn keys_are_retired_and_forgotten() {
    each(async |store| {
        let mut tx = store.write().await.unwrap();
        tx.signing_key_insert(&key("a", Stage::Production)).await.unwrap();
        tx.signing_key_insert(&StoredKey { created_at: at(2), ..key("b", Stage::Production) }).await.unwrap();
        assert!(tx.signing_key_retire("a", at(10)).await.unwrap());
        assert!(!tx.signing_key_retire("a", at(11)).await.unwrap());
        assert_eq!(tx.signing_key_delete(at(10)).await.unwrap(), 0);
        let kids: Vec<_> = tx.signing_key_list(None).await.unwrap().into_iter().map(|key| (key.kid, key.retired_at)).collect();
        assert_eq!(kids, [("b".into(), None), ("a".into(), Some(at(10)))]);
        assert_eq!(tx.signing_key_delete(at(11)).await.unwrap(), 1);
        tx.revoked_token_insert("jti", Stage::Sandbox, at(20)).await.unwrap();
        assert!(tx.revoked_token_is("jti", Stage::Sandbox).await.unwrap());
        assert!(!tx.revoked_token_is("jti", Stage::Production).await.unwrap());
        assert_eq!(tx.revoked_token_purge(at(20)).await.unwrap(), 1);
        tx.commit().await.unwrap();
    });
}
