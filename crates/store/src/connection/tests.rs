use octroi_domain::{
    connection::{ClientAuth, LinkPolicy, Purpose},
    text::Text,
};
use uuid::Uuid;

use super::*;
use crate::testing::{Town, at, each};

fn slug(text: &str) -> Slug {
    Slug::new(text).unwrap()
}

fn proconnect() -> StoredConnection {
    let connection = Connection {
        slug: slug("proconnect"),
        name: Text::new("ProConnect", "ProConnect"),
        issuer: "https://fca.example/api/v2".into(),
        client_id: "octroi".into(),
        client_auth: ClientAuth::SecretPost,
        scopes: vec!["openid".into(), "email".into()],
        acr_values: Vec::new(),
        link_policy: LinkPolicy::VerifiedEmail,
        trusts_mfa: false,
        trusts_organizations: true,
        trusts_email: false,
        signed_userinfo: true,
        purpose: Purpose::Portal,
        active: true,
        created_at: at(1),
        updated_at: at(1),
        version: 1,
    };
    StoredConnection { connection, secret: Some(vec![1, 2]), key: None }
}

#[test]
fn a_connection_is_kept_changed_and_deleted() {
    each(async |store| {
        let first = proconnect();
        let mut tx = store.write().await.unwrap();
        tx.connection_insert(&first).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.write().await.unwrap();
        assert!(tx.connection_insert(&first).await.is_err());
        drop(tx);
        let changed = StoredConnection {
            connection: Connection { active: false, version: 2, updated_at: at(2), ..first.connection.clone() },
            secret: None,
            key: Some(vec![3]),
        };
        let mut tx = store.write().await.unwrap();
        tx.connection_save(&changed).await.unwrap();
        assert!(tx.connection_save(&changed).await.is_err());
        tx.commit().await.unwrap();
        assert_eq!(store.read().connection(&slug("proconnect")).await.unwrap(), Some(changed.clone()));
        assert_eq!(store.read().connection_list().await.unwrap(), vec![changed]);
        let mut tx = store.write().await.unwrap();
        assert!(tx.connection_delete(&slug("proconnect")).await.unwrap() && !tx.connection_delete(&slug("proconnect")).await.unwrap());
        tx.commit().await.unwrap();
    });
}

#[test]
fn a_flow_is_taken_once_and_in_time() {
    each(async |store| {
        let flow = Flow {
            connection: slug("proconnect"),
            state: "s".into(),
            nonce: "n".into(),
            verifier: "v".into(),
            return_to: Some("/requests".into()),
            user: None,
            extra: "{}".into(),
            created_at: at(1),
            expires_at: at(10),
        };
        let mut tx = store.write().await.unwrap();
        tx.connection_insert(&proconnect()).await.unwrap();
        for digest in [1, 2, 3] {
            tx.flow_insert(&[digest; 32], &flow).await.unwrap();
        }
        assert_eq!(tx.flow_take(&[1; 32], at(9)).await.unwrap(), Some(flow));
        assert_eq!(tx.flow_take(&[1; 32], at(9)).await.unwrap(), None);
        assert_eq!(tx.flow_take(&[2; 32], at(10)).await.unwrap(), None);
        assert_eq!(tx.connection_purge(at(10)).await.unwrap(), 1);
        tx.commit().await.unwrap();
    });
}

#[test]
fn a_subject_of_a_provider_stands_for_one_person() {
    each(async |store| {
        let town = Town::found(&store).await;
        let identity = Identity {
            id: Id::from_uuid(Uuid::now_v7()),
            issuer: "https://fca.example/api/v2".into(),
            subject: "42".into(),
            user: town.applicant.id,
            connection: slug("proconnect"),
            created_at: at(1),
            last_used_at: at(1),
        };
        let mut tx = store.write().await.unwrap();
        tx.identity_insert(&identity).await.unwrap();
        tx.identity_used(identity.id, at(5)).await.unwrap();
        tx.commit().await.unwrap();
        let used = Identity { last_used_at: at(5), ..identity.clone() };
        let reader = store.read();
        assert_eq!(reader.identity(&used.issuer, "42").await.unwrap(), Some(used.clone()));
        assert_eq!(reader.identity("https://other.example", "42").await.unwrap(), None);
        assert_eq!(reader.identities_of_user(town.applicant.id).await.unwrap(), vec![used.clone()]);
        assert_eq!(reader.identity_count(&used.issuer).await.unwrap(), 1);
        let mut tx = store.write().await.unwrap();
        let twin = Identity { id: Id::from_uuid(Uuid::now_v7()), ..identity.clone() };
        assert!(tx.identity_insert(&twin).await.is_err());
        drop(tx);
        let mut tx = store.write().await.unwrap();
        assert!(!tx.identity_delete(Id::from_uuid(Uuid::nil()), identity.id).await.unwrap());
        assert!(tx.identity_delete(town.applicant.id, identity.id).await.unwrap());
        tx.commit().await.unwrap();
    });
}

#[test]
fn what_waits_is_found_and_ends() {
    each(async |store| {
        let town = Town::found(&store).await;
        let mut tx = store.write().await.unwrap();
        tx.connection_insert(&proconnect()).await.unwrap();
        let pending = PendingLink { connection: slug("proconnect"), user: town.applicant.id, sealed: vec![7], expires_at: at(10) };
        tx.pending_link_put(&[1; 32], &pending).await.unwrap();
        tx.pending_link_put(&[1; 32], &pending).await.unwrap();
        assert_eq!(tx.pending_link(&[1; 32], at(9)).await.unwrap(), Some(pending));
        assert_eq!(tx.pending_link(&[1; 32], at(10)).await.unwrap(), None);
        assert!(tx.pending_link_delete(&[1; 32]).await.unwrap() && !tx.pending_link_delete(&[1; 32]).await.unwrap());
        let request = LinkRequest {
            id: Id::from_uuid(Uuid::now_v7()),
            connection: slug("proconnect"),
            issuer: "i".into(),
            subject: "s".into(),
            user: town.applicant.id,
            created_at: at(1),
            decided_at: None,
            accepted: false,
        };
        tx.link_request_insert(&request).await.unwrap();
        assert_eq!(tx.link_requests_open(&slug("proconnect")).await.unwrap(), vec![request.clone()]);
        assert!(tx.link_request_decide(request.id, true, at(3)).await.unwrap());
        assert!(!tx.link_request_decide(request.id, false, at(4)).await.unwrap());
        let decided = LinkRequest { decided_at: Some(at(3)), accepted: true, ..request };
        assert_eq!(tx.link_request_of("i", "s").await.unwrap(), Some(decided.clone()));
        assert_eq!(tx.link_request(decided.id).await.unwrap(), Some(decided));
        let session = UpstreamSession {
            session: Id::from_uuid(Uuid::now_v7()),
            connection: slug("proconnect"),
            issuer: "i".into(),
            subject: "s".into(),
            sid: Some("one".into()),
            sealed: vec![9],
            created_at: at(1),
        };
        tx.upstream_session_put(&session).await.unwrap();
        for (subject, sid, found) in [
            (Some("s"), None, 1),
            (None, Some("one"), 1),
            (Some("s"), Some("one"), 1),
            (Some("s"), Some("two"), 0),
            (Some("t"), None, 0),
            (None, None, 0),
        ] {
            assert_eq!(tx.upstream_sessions_of("i", subject, sid).await.unwrap().len(), found, "{subject:?} {sid:?}");
            assert_eq!(tx.upstream_sessions_of("j", subject, sid).await.unwrap().len(), 0, "{subject:?} {sid:?}");
        }
        assert_eq!(tx.upstream_session(session.session).await.unwrap(), Some(session.clone()));
        tx.upstream_session_delete(session.session).await.unwrap();
        assert_eq!(tx.upstream_session(session.session).await.unwrap(), None);
        tx.identities_erase_of_user(town.applicant.id).await.unwrap();
        assert_eq!(tx.link_request_of("i", "s").await.unwrap(), None);
        tx.commit().await.unwrap();
    });
}
