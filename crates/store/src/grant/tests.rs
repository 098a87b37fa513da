use octroi_domain::{
    authentication::Acr,
    sign_on::{Client, ClientState, GrantFacts, Interaction, SignOnKey},
};
use uuid::Uuid;

use super::*;
use crate::{
    Page, Store,
    testing::{Town, at, each},
};

fn client(letter: char) -> Client {
    Client {
        id: ClientId::of(&letter.to_string().repeat(22)).unwrap(),
        metadata: "{}".into(),
        secret: None,
        registration: None,
        organization: None,
        first_party: false,
        serves: (letter == 'b').then(|| "https://api.example".to_owned()),
        state: ClientState::Active,
        access_token_seconds: 60,
        refresh_token_seconds: 600,
        created_at: at(1),
        updated_at: at(1),
        version: 1,
    }
}

async fn granted(store: &Store, town: &Town) -> Grant {
    let grant = Grant {
        id: Id::from_uuid(Uuid::new_v4()),
        client: client('a').id,
        user: town.applicant.id,
        session: Id::from_uuid(Uuid::from_u128(7)),
        facts: GrantFacts {
            organization: Some(town.hall.id),
            scopes: vec!["openid".into()],
            claims: "{}".into(),
            subject: "s".into(),
            authenticated_at: at(0),
            acr: Acr::Eidas1,
            amr: vec!["pwd".into()],
            resources: Vec::new(),
        },
        created_at: at(2),
        expires_at: at(1_000),
        ended_at: None,
    };
    let mut tx = store.write().await.unwrap();
    tx.client_insert(&client('a')).await.unwrap();
    tx.grant_insert(&grant).await.unwrap();
    tx.commit().await.unwrap();
    grant
}

#[test]
fn a_client_is_saved_against_its_version() {
    each(async |store| {
        let mut tx = store.write().await.unwrap();
        for letter in ['a', 'b'] {
            tx.client_insert(&client(letter)).await.unwrap();
        }
        let changed = Client { first_party: true, state: ClientState::Suspended, version: 2, ..client('a') };
        tx.client_save(&changed).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.read().client_by_id(&changed.id).await.unwrap(), Some(changed.clone()));
        let mut tx = store.write().await.unwrap();
        assert!(tx.client_save(&changed).await.unwrap_err().is_stale());
        drop(tx);
        let reader = store.read();
        assert!(reader.is_served("https://api.example").await.unwrap() && !reader.is_served("https://other.example").await.unwrap());
        let first = reader.client_list(None, Page::first(1)).await.unwrap();
        let second = reader.client_list(None, Page::new(first.next, 1)).await.unwrap();
        assert!(first.items.len() == 1 && second.items.len() == 1 && second.next.is_none() && first.items != second.items);
        let mut tx = store.write().await.unwrap();
        assert!(tx.client_delete(&changed.id).await.unwrap() && !tx.client_delete(&changed.id).await.unwrap());
        tx.commit().await.unwrap();
    });
}

#[test]
fn a_grant_carries_its_codes_and_tokens() {
    each(async |store| {
        let town = Town::found(&store).await;
        let grant = granted(&store, &town).await;
        let facts = CodeFacts { redirect_uri: "https://rp/cb".into(), nonce: None, challenge: None, jkt: None };
        let token = RefreshToken { grant: grant.id, jkt: Some("k".into()), created_at: at(3), expires_at: at(900), replaced_at: None };
        let mut tx = store.write().await.unwrap();
        tx.code_insert(&[1; 32], grant.id, &facts, at(60)).await.unwrap();
        tx.refresh_tokens_insert(&[([2; 32], token.clone())]).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.write().await.unwrap();
        let [(digest, code)] = &tx.codes_lock(&[[1; 32], [9; 32]]).await.unwrap()[..] else { panic!("one code") };
        assert_eq!(*digest, [1; 32]);
        assert_eq!((&code.grant, &code.facts, code.used_at), (&grant, &facts, None));
        assert_eq!(tx.refresh_tokens_lock(&[[1; 32], [2; 32]]).await.unwrap(), [([2; 32], token.clone(), grant.clone())]);
        tx.codes_used(&[[1; 32]], at(5)).await.unwrap();
        tx.refresh_tokens_replaced(&[grant.id], at(6)).await.unwrap();
        tx.refresh_tokens_replaced(&[grant.id], at(7)).await.unwrap();
        tx.commit().await.unwrap();
        let reader = store.read();
        assert_eq!(reader.refresh_token(&[2; 32]).await.unwrap().unwrap().replaced_at, Some(at(6)));
        assert_eq!(reader.grants_of_session(grant.session).await.unwrap(), std::slice::from_ref(&grant));
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.codes_lock(&[[1; 32]]).await.unwrap()[0].1.used_at, Some(at(5)));
        assert!(tx.grant_end(grant.id, at(8)).await.unwrap() && !tx.grant_end(grant.id, at(9)).await.unwrap());
        assert_eq!(tx.grants_of_user(grant.user).await.unwrap(), []);
        let mut ended = tx.refresh_tokens_lock(&[[2; 32]]).await.unwrap()[0].2.clone();
        assert_eq!(ended.ended_at, Some(at(8)));
        ended.expires_at = at(2_000);
        tx.grants_extend(std::slice::from_ref(&ended)).await.unwrap();
        assert_eq!(tx.refresh_tokens_lock(&[[2; 32]]).await.unwrap()[0].2, ended, "nothing else of it changed");
        assert_eq!(tx.grant_purge(at(1_500)).await.unwrap(), 0);
        assert_eq!(tx.grant_purge(at(2_000)).await.unwrap(), 1);
        assert_eq!(tx.codes_lock(&[[1; 32]]).await.unwrap(), [], "what belongs to it goes with it");
        tx.commit().await.unwrap();
    });
}

/// Somebody who made a great many of them does not keep the last ones.
#[test]
fn all_that_was_given_is_there_to_be_ended() {
    each(async |store| {
        let town = Town::found(&store).await;
        let first = granted(&store, &town).await;
        let mut tx = store.write().await.unwrap();
        for _ in 0..600 {
            let more = Grant { id: Id::from_uuid(uuid::Uuid::new_v4()), ..first.clone() };
            tx.grant_insert(&more).await.unwrap();
        }
        tx.commit().await.unwrap();
        let reader = store.read();
        assert_eq!(reader.grants_of_user(first.user).await.unwrap().len(), 601);
        assert_eq!(reader.grants_of_session(first.session).await.unwrap().len(), 601);
    });
}

#[test]
fn what_was_agreed_to_is_kept_as_it_was_last() {
    each(async |store| {
        let town = Town::found(&store).await;
        let grant = granted(&store, &town).await;
        let mut tx = store.write().await.unwrap();
        for scopes in [&["openid"][..], &["openid", "email"]] {
            let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
            tx.consent_put(grant.user, &grant.client, &scopes, at(1)).await.unwrap();
        }
        assert_eq!(tx.consent(grant.user, &grant.client).await.unwrap(), ["openid", "email"]);
        assert!(tx.consent_delete(grant.user, &grant.client).await.unwrap());
        assert_eq!(tx.consent(grant.user, &grant.client).await.unwrap(), Vec::<String>::new());
        tx.commit().await.unwrap();
    });
}

#[test]
fn what_counts_once_counts_once() {
    each(async |store| {
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut tx = store.write().await.unwrap();
                    let first = tx.see(&[9; 32], at(10)).await.unwrap();
                    tx.commit().await.unwrap();
                    first
                })
            })
            .collect();
        let mut first = 0;
        for task in tasks {
            first += usize::from(task.await.unwrap());
        }
        assert_eq!(first, 1);
        assert!(store.read().was_seen(&[9; 32]).await.unwrap());
        let interaction = Interaction {
            client: client('a').id,
            request: "{}".into(),
            pushed: Some([3; 32]),
            choices: "{}".into(),
            created_at: at(0),
            expires_at: at(100),
        };
        let key = SignOnKey { kid: "k".into(), algorithm: "ES256".into(), sealed: vec![1], created_at: at(0), retired_at: None };
        let mut tx = store.write().await.unwrap();
        tx.client_insert(&client('a')).await.unwrap();
        tx.interaction_insert(&[4; 32], &interaction).await.unwrap();
        tx.interaction_choose(&[4; 32], "{\"a\":1}").await.unwrap();
        let chosen = Interaction { choices: "{\"a\":1}".into(), ..interaction };
        assert_eq!(tx.interaction(&[4; 32], at(99)).await.unwrap(), Some(chosen));
        assert_eq!(tx.interaction(&[4; 32], at(100)).await.unwrap(), None);
        assert!(tx.interaction_delete(&[4; 32]).await.unwrap() && !tx.interaction_delete(&[4; 32]).await.unwrap());
        tx.sign_on_key_insert(&key).await.unwrap();
        assert_eq!(tx.sign_on_keys_retire(at(5)).await.unwrap(), 1);
        assert_eq!(tx.sign_on_keys().await.unwrap(), [SignOnKey { retired_at: Some(at(5)), ..key }]);
        assert_eq!((tx.seen_purge(at(10)).await.unwrap(), tx.sign_on_key_purge(at(6)).await.unwrap()), (1, 1));
        tx.commit().await.unwrap();
    });
}
