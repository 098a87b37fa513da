use super::*;
use crate::testing::{Town, at, definition, document, each, provider};

#[test]
fn a_version_is_made_only_of_what_differs() {
    each(async |store| {
        Town::found(&store).await;
        let slug: Slug = "canteen".parse().unwrap();
        let mut tx = store.write().await.unwrap();
        assert!(!tx.provider_put(&provider(), at(2)).await.unwrap());
        assert!(tx.provider_put(&Provider { website: Some("https://x.example".into()), ..provider() }, at(2)).await.unwrap());
        assert_eq!(tx.definition_put(&definition("Canteen"), at(2)).await.unwrap(), Put { version: 1, changed: false });
        assert_eq!(tx.definition_put(&definition("New"), at(2)).await.unwrap(), Put { version: 2, changed: true });
        assert_eq!(tx.definition_put(&definition("Canteen"), at(3)).await.unwrap(), Put { version: 3, changed: true });
        tx.commit().await.unwrap();
        let reader = store.read();
        let name = |stored: Option<StoredDefinition>| stored.map(|stored| (stored.version, stored.definition.name.en.clone()));
        for _ in 0..2 {
            assert_eq!(name(reader.definition_current(&slug).await.unwrap()), Some((3, "Canteen".into())));
            assert_eq!(name(reader.definition_version(&slug, 2).await.unwrap()), Some((2, "New".into())));
            assert_eq!(name(reader.definition_version(&slug, 4).await.unwrap()), None);
        }
        let versions = reader.definition_versions(&slug).await.unwrap();
        let told: Vec<(i64, Moment)> = versions.iter().map(|index| (index.version, index.created_at)).collect();
        assert_eq!(told, [(3, at(3)), (2, at(2)), (1, at(1))]);
        let mut tx = store.write().await.unwrap();
        assert!(tx.definition_retire(&slug).await.unwrap());
        assert!(!tx.definition_retire(&slug).await.unwrap());
        tx.commit().await.unwrap();
        assert!(reader.definition_current(&slug).await.unwrap().unwrap().retired);
        assert!(reader.definition_list().await.unwrap().first().unwrap().retired);
        assert!(reader.catalogue().await.unwrap().definitions.is_empty());
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.definition_put(&definition("Canteen"), at(4)).await.unwrap(), Put { version: 3, changed: true });
        tx.commit().await.unwrap();
        assert_eq!(reader.catalogue().await.unwrap().definitions, [definition("Canteen")]);
    });
}

#[test]
fn apis_are_versioned_and_mounted_once() {
    each(async |store| {
        let town = Town::found(&store).await;
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.api_put(&document("Family"), at(2)).await.unwrap(), Put { version: 1, changed: false });
        assert_eq!(tx.api_put(&document("Families"), at(2)).await.unwrap(), Put { version: 2, changed: true });
        tx.commit().await.unwrap();
        let reader = store.read();
        assert_eq!(reader.api_current(&town.api).await.unwrap().unwrap().document.api.name.en, "Families");
        assert_eq!(*reader.api_version(&town.api, 1).await.unwrap().unwrap().document, document("Family"));
        let versions = reader.api_versions(&town.api).await.unwrap();
        assert_eq!(versions.iter().map(|index| index.version).collect::<Vec<_>>(), [2, 1]);
        let mut squatter = document("Other");
        squatter.api.slug = "other".parse().unwrap();
        let mut tx = store.write().await.unwrap();
        assert!(tx.api_put(&squatter, at(3)).await.unwrap_err().is_duplicate());
        drop(tx);
        let mut tx = store.write().await.unwrap();
        assert!(tx.api_withdraw(&town.api).await.unwrap());
        assert!(!tx.api_withdraw(&town.api).await.unwrap());
        tx.commit().await.unwrap();
        assert!(reader.api_list().await.unwrap().first().unwrap().withdrawn);
        assert!(reader.catalogue().await.unwrap().apis.is_empty());
        let mut orphan = document("Orphan");
        orphan.api.provider = "nobody".parse().unwrap();
        orphan.api.mount = "/nobody/family".into();
        let mut tx = store.write().await.unwrap();
        assert!(matches!(tx.api_put(&orphan, at(3)).await, Err(StoreError::Conflict { why: Why::Reference, .. })));
    });
}

#[test]
fn what_was_rolled_back_is_not_remembered() {
    each(async |store| {
        let town = Town::found(&store).await;
        let mut tx = store.write().await.unwrap();
        tx.api_put(&document("Rolled back"), at(2)).await.unwrap();
        assert_eq!(tx.api_current(&town.api).await.unwrap().unwrap().document.api.name.en, "Rolled back");
        drop(tx);
        let mut tx = store.write().await.unwrap();
        tx.api_put(&document("Kept"), at(2)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.read().api_version(&town.api, 2).await.unwrap().unwrap().document.api.name.en, "Kept");
    });
}

#[test]
fn a_large_document_is_kept_whole() {
    each(async |store| {
        let town = Town::found(&store).await;
        let mut large = document("Large");
        large.openapi = serde_json::json!({"x": "é".repeat(3_000_000), "n": [1.5, -0.0, 1e300, u64::MAX]});
        let mut tx = store.write().await.unwrap();
        tx.api_put(&large, at(2)).await.unwrap();
        assert!(!tx.api_put(&large, at(2)).await.unwrap().changed);
        tx.commit().await.unwrap();
        assert_eq!(*store.read().api_current(&town.api).await.unwrap().unwrap().document, large);
    });
}
