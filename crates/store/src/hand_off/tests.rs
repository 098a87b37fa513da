use octroi_domain::hand_off::{AccountFacts, Dispute, DisputeReason, LegacyLink, LegacyUser, LinkProof, ProductOrganization, ProductRole};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::*;
use crate::{
    Page,
    testing::{at, each},
};

const CITY: &str = "21750001600019";

async fn catalogue(store: &crate::Store) -> Slug {
    let sql = "INSERT INTO connection (slug, issuer, settings, active, created_at, updated_at, version) \
               VALUES ('catalogue', 'https://op.example', '{}', true, 0, 0, 1)";
    store.writer().execute_unprepared(sql).await.unwrap();
    "catalogue".parse().unwrap()
}

fn account(connection: &Slug, id: u128, subject: &str) -> ProductAccount {
    let organizations = vec![ProductOrganization { siret: CITY.parse().unwrap(), label: "Ville".into(), is_external: false }];
    ProductAccount {
        id: Id::from_uuid(Uuid::from_u128(id)),
        connection: connection.clone(),
        issuer: "https://op.example".into(),
        subject: subject.into(),
        organization: CITY.parse().unwrap(),
        role: ProductRole::User,
        active: true,
        facts: AccountFacts { email: "ada@ville.example".into(), email_verified: true, organizations, ..AccountFacts::default() },
        created_at: at(1),
        last_login_at: at(1),
        version: 1,
    }
}

fn login_of(account: &ProductAccount, id: u128, sid: Option<&str>) -> Login {
    Login {
        id: Id::from_uuid(Uuid::from_u128(id)),
        connection: account.connection.clone(),
        account: account.id,
        mode: HandOff::Code,
        sid: sid.map(str::to_owned),
        sealed: vec![1, 2],
        created_at: at(2),
        expires_at: at(100),
        ended_at: None,
    }
}

#[test]
fn an_account_is_one_identity_of_one_product() {
    each(async |store| {
        let connection = catalogue(&store).await;
        let ada = account(&connection, 1, "ada");
        let mut tx = store.write().await.unwrap();
        tx.product_account_insert(&ada).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.write().await.unwrap();
        assert!(tx.product_account_insert(&account(&connection, 2, "ada")).await.unwrap_err().is_duplicate());
        drop(tx);
        let reader = store.read();
        assert_eq!(reader.product_account(&connection, "https://op.example", "ada").await.unwrap(), Some(ada.clone()));
        assert_eq!(reader.product_account(&connection, "https://other.example", "ada").await.unwrap(), None);
        let admin = ProductAccount { role: ProductRole::Admin, version: 2, ..ada.clone() };
        let mut tx = store.write().await.unwrap();
        tx.product_account_save(&admin).await.unwrap();
        assert!(tx.product_account_save(&admin).await.unwrap_err().is_stale());
        tx.commit().await.unwrap();
        assert_eq!(reader.product_account_by_id(ada.id).await.unwrap(), Some(admin.clone()));
        assert_eq!(reader.product_account_list(&connection, Page::first(10)).await.unwrap().items, [admin]);
    });
}

#[test]
fn what_a_login_was_given_ends_with_it() {
    each(async |store| {
        let connection = catalogue(&store).await;
        let ada = account(&connection, 1, "ada");
        let mut tx = store.write().await.unwrap();
        tx.product_account_insert(&ada).await.unwrap();
        let (one, two, three) = (login_of(&ada, 1, Some("s1")), login_of(&ada, 2, Some("s2")), login_of(&ada, 3, None));
        for login in [&one, &two, &three] {
            tx.hand_off_insert(login).await.unwrap();
        }
        let code = Token {
            login: one.id,
            kind: TokenKind::Code,
            challenge: Some("c".into()),
            browser: Some([7; 32]),
            created_at: at(2),
            expires_at: at(62),
            used_at: None,
        };
        tx.hand_off_token_insert(&[1; 32], &code).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.hand_off_token_lock(&[1; 32]).await.unwrap(), Some(code.clone()));
        tx.hand_off_token_used(&[1; 32], at(5)).await.unwrap();
        tx.hand_off_token_used(&[1; 32], at(9)).await.unwrap();
        tx.hand_off_token_extend(&[1; 32], at(70)).await.unwrap();
        let used = Token { used_at: Some(at(5)), expires_at: at(70), ..code };
        assert_eq!(tx.hand_off_token(&[1; 32]).await.unwrap(), Some(used));
        assert!(tx.hand_off_end(one.id, at(6)).await.unwrap());
        assert!(!tx.hand_off_end(one.id, at(7)).await.unwrap());
        assert_eq!(tx.hand_off_end_of_sid(&connection, "s2", at(7)).await.unwrap(), 1);
        assert_eq!(tx.hand_off_end_of_account(ada.id, Some("s2"), at(7)).await.unwrap(), 0);
        assert_eq!(tx.hand_offs_of_account(ada.id).await.unwrap(), [three]);
        assert_eq!(tx.hand_off_end_of_account(ada.id, None, at(7)).await.unwrap(), 1);
        assert_eq!(tx.hand_off_by_id(one.id).await.unwrap().unwrap().ended_at, Some(at(6)));
        let waiting = StoredPending { connection: connection.clone(), browser: [3; 32], sealed: vec![9], expires_at: at(60) };
        tx.hand_off_pending_put(&[2; 32], &waiting).await.unwrap();
        assert_eq!(tx.hand_off_pending(&[2; 32], at(59)).await.unwrap(), Some(waiting.clone()));
        assert_eq!(tx.hand_off_pending(&[2; 32], at(60)).await.unwrap(), None);
        tx.hand_off_pending_use(&[2; 32]).await.unwrap();
        assert!(tx.hand_off_pending_use(&[2; 32]).await.unwrap_err().is_stale());
        tx.hand_off_pending_put(&[2; 32], &waiting).await.unwrap();
        assert_eq!(tx.hand_off_purge(at(59)).await.unwrap(), 0);
        assert_eq!(tx.hand_off_purge(at(100)).await.unwrap(), 4);
        assert_eq!(tx.hand_off_token(&[1; 32]).await.unwrap(), None);
        tx.commit().await.unwrap();
    });
}

#[test]
fn an_account_of_before_becomes_somebodys_once() {
    each(async |store| {
        let connection = catalogue(&store).await;
        let old = LegacyUser {
            id: Id::from_uuid(Uuid::from_u128(1)),
            connection: connection.clone(),
            reference: Some("42".into()),
            email: "ada@ville.example".into(),
            organization: CITY.parse().unwrap(),
            role: ProductRole::Admin,
            has_password: true,
            created_at: at(1),
            link: None,
        };
        let mut tx = store.write().await.unwrap();
        tx.legacy_user_insert(&old, Some("$argon2id$…")).await.unwrap();
        let dispute = Dispute {
            id: Id::from_uuid(Uuid::from_u128(2)),
            connection: connection.clone(),
            legacy: old.id,
            issuer: "i".into(),
            subject: "s".into(),
            reason: DisputeReason::Organization,
            organizations: vec![],
            created_at: at(3),
            decided_at: None,
            accepted: false,
        };
        assert!(tx.dispute_put(&dispute).await.unwrap());
        assert!(!tx.dispute_put(&Dispute { id: Id::from_uuid(Uuid::from_u128(3)), ..dispute.clone() }).await.unwrap());
        assert_eq!(tx.dispute_list(&connection, Page::first(5)).await.unwrap().items, std::slice::from_ref(&dispute));
        tx.dispute_decide(dispute.id, true, at(4)).await.unwrap();
        assert!(tx.dispute_decide(dispute.id, false, at(4)).await.unwrap_err().is_stale());
        assert!(tx.dispute_list(&connection, Page::first(5)).await.unwrap().items.is_empty());
        assert_eq!(tx.legacy_user_password(old.id).await.unwrap().as_deref(), Some("$argon2id$…"));
        let link = LegacyLink { issuer: "i".into(), subject: "s".into(), at: at(5), proof: LinkProof::Operator };
        tx.legacy_user_link(old.id, &link).await.unwrap();
        assert!(tx.legacy_user_link(old.id, &link).await.unwrap_err().is_stale());
        tx.commit().await.unwrap();
        let reader = store.read();
        let linked = LegacyUser { has_password: false, link: Some(link), ..old.clone() };
        assert_eq!(reader.legacy_user_of(&connection, "i", "s").await.unwrap(), Some(linked.clone()));
        assert_eq!(reader.legacy_user_by_email(&connection, "ada@ville.example").await.unwrap(), Some(linked.clone()));
        assert_eq!(reader.legacy_user_list(&connection, Page::first(5)).await.unwrap().items, [linked]);
        let mut tx = store.write().await.unwrap();
        assert!(tx.legacy_user_delete(old.id).await.unwrap() && !tx.legacy_user_delete(old.id).await.unwrap());
        tx.commit().await.unwrap();
    });
}
