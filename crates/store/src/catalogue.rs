//! What providers publish: definitions and APIs, in immutable versions.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, PoisonError, RwLock, atomic::AtomicU64},
};

use octroi_domain::{
    Moment, Slug,
    api::{ApiDocument, ApiName},
    canonical::Sha256Hash,
    catalogue::{Catalogue, Provider},
    definition::Definition,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use crate::{
    Reader, StoreError, Tx, Why,
    error::{At, Cause},
    row::{Row, json, touched},
};

const PROVIDER: &str = "provider";
const DEFINITION: &str = "definition";
const DEFINITION_VERSION: &str = "definition_version";
const API: &str = "api";
const API_VERSION: &str = "api_version";

mod provider {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "provider")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub slug: String,
        pub content: String,
        pub updated_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod definition_version {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "definition_version")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub slug: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i64,
        pub hash: Vec<u8>,
        pub content: String,
        pub created_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod definition {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "definition")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub slug: String,
        pub provider: String,
        pub version: i64,
        pub retired: bool,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
pub(crate) mod api_version {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "api_version")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i64,
        pub hash: Vec<u8>,
        pub content: String,
        pub created_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
pub(crate) mod api {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "api")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub provider: String,
        pub mount: String,
        pub version: i64,
        pub withdrawn: bool,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What became of a content that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Put {
    /// The version that is current now.
    pub version: i64,
    /// False when the same content was current already.
    pub changed: bool,
}

/// One version of a definition.
#[derive(Debug, Clone)]
pub struct StoredDefinition {
    pub slug: Slug,
    pub version: i64,
    /// Offered no more; its permits go on.
    pub retired: bool,
    pub created_at: Moment,
    pub hash: Sha256Hash,
    pub definition: Arc<Definition>,
}

/// One version of an API.
#[derive(Debug, Clone)]
pub struct StoredApi {
    pub name: ApiName,
    pub version: i64,
    /// Published no more.
    pub withdrawn: bool,
    pub created_at: Moment,
    pub hash: Sha256Hash,
    pub document: Arc<ApiDocument>,
}

/// A definition without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionIndex {
    pub slug: Slug,
    pub provider: Slug,
    pub version: i64,
    pub retired: bool,
}

/// An API without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiIndex {
    pub name: ApiName,
    pub mount: String,
    pub version: i64,
    pub withdrawn: bool,
}

/// One version of a definition or of an API, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionIndex {
    pub version: i64,
    pub created_at: Moment,
    pub hash: Sha256Hash,
}

/// Versions never change, so what was read once is kept.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    definitions: Kept<(Slug, i64), StoredDefinition>,
    apis: Kept<(ApiName, i64), StoredApi>,
    /// Transactions of this process that wrote a relying party.
    pub clients_changed: AtomicU64,
}

/// A small map between threads; emptied when it is full, which takes a catalogue of hundreds.
#[derive(Debug)]
struct Kept<K, V>(RwLock<HashMap<K, V>>);
impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}
impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    const MAX: usize = 512;

    fn get(&self, key: &K) -> Option<V> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
    fn put(&self, key: K, value: V) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= Self::MAX {
            map.clear();
        }
        map.insert(key, value);
    }
}

/// The text of a content and the hash of its canonical form.
fn sealed<T: Serialize>(table: &'static str, content: &T) -> Result<(String, Sha256Hash), StoreError> {
    let unreadable = |_| StoreError::Other { table, cause: Cause::said("the content has no JSON form") };
    let value = serde_json::to_value(content).map_err(unreadable)?;
    Ok((json(table, &value)?, Sha256Hash::of_value(&value)))
}

fn versions(rows: Vec<(i64, i64, Vec<u8>)>, table: &'static str) -> Result<Vec<VersionIndex>, StoreError> {
    let index = |(version, created_at, hash): (i64, i64, Vec<u8>)| {
        let hash = Row::new(table, &version).hash("hash", &hash)?;
        Ok(VersionIndex { version, created_at: Moment::from_micros(created_at), hash })
    };
    rows.into_iter().map(index).collect()
}

fn provider_of(model: &provider::Model) -> Result<Provider, StoreError> {
    Row::new(PROVIDER, &model.slug).json("content", &model.content)
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn provider_by_slug(&self, slug: &Slug) -> Result<Option<Provider>, StoreError> {
        let found = provider::Entity::find_by_id(slug.to_string()).one(&self.db()).await.at(PROVIDER)?;
        found.as_ref().map(provider_of).transpose()
    }

    /// By name.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn provider_list(&self) -> Result<Vec<Provider>, StoreError> {
        let rows = provider::Entity::find().order_by_asc(provider::Column::Slug).all(&self.db()).await.at(PROVIDER)?;
        rows.iter().map(provider_of).collect()
    }

    /// The current version of a definition, retired or not.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn definition_current(&self, slug: &Slug) -> Result<Option<StoredDefinition>, StoreError> {
        let Some(current) = definition::Entity::find_by_id(slug.to_string()).one(&self.db()).await.at(DEFINITION)? else {
            return Ok(None);
        };
        Ok(self.definition_content(slug, current.version).await?.map(|found| StoredDefinition { retired: current.retired, ..found }))
    }

    /// Any version of a definition.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn definition_version(&self, slug: &Slug, version: i64) -> Result<Option<StoredDefinition>, StoreError> {
        let current = definition::Entity::find_by_id(slug.to_string()).one(&self.db()).await.at(DEFINITION)?;
        let retired = current.is_some_and(|current| current.retired);
        Ok(self.definition_content(slug, version).await?.map(|found| StoredDefinition { retired, ..found }))
    }

    async fn definition_content(&self, slug: &Slug, version: i64) -> Result<Option<StoredDefinition>, StoreError> {
        let key = (slug.clone(), version);
        if let Some(found) = self.cache().definitions.get(&key) {
            return Ok(Some(found));
        }
        let query = definition_version::Entity::find_by_id((slug.to_string(), version));
        let Some(model) = query.one(&self.db()).await.at(DEFINITION_VERSION)? else { return Ok(None) };
        let place = format!("{slug} {version}");
        let row = Row::new(DEFINITION_VERSION, &place);
        let found = StoredDefinition {
            slug: slug.clone(),
            version,
            retired: false,
            created_at: Moment::from_micros(model.created_at),
            hash: row.hash("hash", &model.hash)?,
            definition: Arc::new(row.json("content", &model.content)?),
        };
        if self.may_cache() {
            self.cache().definitions.put(key, found.clone());
        }
        Ok(Some(found))
    }

    /// Every version of a definition, the latest first, at most 1,000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn definition_versions(&self, slug: &Slug) -> Result<Vec<VersionIndex>, StoreError> {
        use definition_version::{Column, Entity};
        let query = Entity::find().select_only().columns([Column::Version, Column::CreatedAt, Column::Hash]);
        let query = query.filter(Column::Slug.eq(slug.as_str())).order_by_desc(Column::Version).limit(1_000);
        versions(query.into_tuple().all(&self.db()).await.at(DEFINITION_VERSION)?, DEFINITION_VERSION)
    }

    /// Every version of an API, the latest first, at most 1,000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn api_versions(&self, name: &ApiName) -> Result<Vec<VersionIndex>, StoreError> {
        use api_version::{Column, Entity};
        let query = Entity::find().select_only().columns([Column::Version, Column::CreatedAt, Column::Hash]);
        let query = query.filter(Column::Name.eq(name.to_string())).order_by_desc(Column::Version).limit(1_000);
        versions(query.into_tuple().all(&self.db()).await.at(API_VERSION)?, API_VERSION)
    }

    /// The provider of a definition.
    pub(crate) async fn definition_provider(&self, slug: &Slug) -> Result<String, StoreError> {
        let found = definition::Entity::find_by_id(slug.to_string()).one(&self.db()).await.at(DEFINITION)?;
        found.map(|model| model.provider).ok_or(StoreError::Conflict { table: DEFINITION, why: Why::Reference })
    }

    /// Every definition in its current version, retired ones included, by name.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn definition_list(&self) -> Result<Vec<StoredDefinition>, StoreError> {
        let mut found = Vec::new();
        for index in self.definition_index().await? {
            if let Some(content) = self.definition_content(&index.slug, index.version).await? {
                found.push(StoredDefinition { retired: index.retired, ..content });
            }
        }
        Ok(found)
    }

    /// Every definition without its content, by name.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn definition_index(&self) -> Result<Vec<DefinitionIndex>, StoreError> {
        let rows = definition::Entity::find().order_by_asc(definition::Column::Slug).all(&self.db()).await.at(DEFINITION)?;
        let index = |model: definition::Model| {
            let row = Row::new(DEFINITION, &model.slug);
            let (slug, provider) = (row.parse("slug", &model.slug)?, row.parse("provider", &model.provider)?);
            Ok(DefinitionIndex { slug, provider, version: model.version, retired: model.retired })
        };
        rows.into_iter().map(index).collect()
    }

    /// The current version of an API, withdrawn or not.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn api_current(&self, name: &ApiName) -> Result<Option<StoredApi>, StoreError> {
        let Some(current) = api::Entity::find_by_id(name.to_string()).one(&self.db()).await.at(API)? else { return Ok(None) };
        Ok(self.api_content(name, current.version).await?.map(|found| StoredApi { withdrawn: current.withdrawn, ..found }))
    }

    /// Any version of an API.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn api_version(&self, name: &ApiName, version: i64) -> Result<Option<StoredApi>, StoreError> {
        let current = api::Entity::find_by_id(name.to_string()).one(&self.db()).await.at(API)?;
        let withdrawn = current.is_some_and(|current| current.withdrawn);
        Ok(self.api_content(name, version).await?.map(|found| StoredApi { withdrawn, ..found }))
    }

    pub(crate) async fn api_content(&self, name: &ApiName, version: i64) -> Result<Option<StoredApi>, StoreError> {
        let key = (name.clone(), version);
        if let Some(found) = self.cache().apis.get(&key) {
            return Ok(Some(found));
        }
        let query = api_version::Entity::find_by_id((name.to_string(), version));
        let Some(model) = query.one(&self.db()).await.at(API_VERSION)? else { return Ok(None) };
        let place = format!("{name} {version}");
        let row = Row::new(API_VERSION, &place);
        let found = StoredApi {
            name: name.clone(),
            version,
            withdrawn: false,
            created_at: Moment::from_micros(model.created_at),
            hash: row.hash("hash", &model.hash)?,
            document: Arc::new(row.json("content", &model.content)?),
        };
        if self.may_cache() {
            self.cache().apis.put(key, found.clone());
        }
        Ok(Some(found))
    }

    /// Every API in its current version, withdrawn ones included, by name.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn api_list(&self) -> Result<Vec<StoredApi>, StoreError> {
        let mut found = Vec::new();
        for index in self.api_index().await? {
            if let Some(content) = self.api_content(&index.name, index.version).await? {
                found.push(StoredApi { withdrawn: index.withdrawn, ..content });
            }
        }
        Ok(found)
    }

    /// Every API without its content, by name.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn api_index(&self) -> Result<Vec<ApiIndex>, StoreError> {
        let rows = api::Entity::find().order_by_asc(api::Column::Name).all(&self.db()).await.at(API)?;
        let index = |model: api::Model| {
            let name = Row::new(API, &model.name).parse("name", &model.name)?;
            Ok(ApiIndex { name, mount: model.mount, version: model.version, withdrawn: model.withdrawn })
        };
        rows.into_iter().map(index).collect()
    }

    /// Everything that is offered now, for export.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn catalogue(&self) -> Result<Catalogue, StoreError> {
        let apis = self.api_list().await?.into_iter().filter(|api| !api.withdrawn).map(|api| Arc::unwrap_or_clone(api.document));
        let definitions = self.definition_list().await?.into_iter().filter(|stored| !stored.retired);
        Ok(Catalogue {
            providers: self.provider_list().await?,
            apis: apis.collect(),
            definitions: definitions.map(|stored| Arc::unwrap_or_clone(stored.definition)).collect(),
        })
    }
}

impl Tx {
    /// Brings a provider in, or its new content; false when nothing changed.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn provider_put(&mut self, provider: &Provider, at: Moment) -> Result<bool, StoreError> {
        let content = json(PROVIDER, provider)?;
        let slug = provider.slug.to_string();
        let model = provider::Model { slug: slug.clone(), content: content.clone(), updated_at: at.micros() };
        match provider::Entity::find_by_id(slug.clone()).lock_exclusive().one(&self.db()).await.at(PROVIDER)? {
            Some(found) if found.content == content => Ok(false),
            Some(_) => {
                let change = provider::ActiveModel { content: Set(content), updated_at: Set(at.micros()), ..Default::default() };
                let update = provider::Entity::update_many().set(change).filter(provider::Column::Slug.eq(slug));
                touched(update.exec(&self.db()).await.map(|result| result.rows_affected), PROVIDER).map(|()| true)
            }
            None => {
                let insert = provider::Entity::insert(model.into_active_model());
                insert.exec_without_returning(&self.db()).await.at(PROVIDER).map(|_| true)
            }
        }
    }

    /// Makes this content the current version: a new one only when it differs. A retired definition is offered again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its provider is not there.
    pub async fn definition_put(&mut self, content: &Definition, at: Moment) -> Result<Put, StoreError> {
        let (text, hash) = sealed(DEFINITION_VERSION, content)?;
        let (slug, provider) = (content.slug.to_string(), content.provider.to_string());
        let current = definition::Entity::find_by_id(slug.clone()).lock_exclusive().one(&self.db()).await.at(DEFINITION)?;
        if let Some(current) = &current {
            let held = self.definition_content(&content.slug, current.version).await?;
            if held.is_some_and(|held| held.hash == hash) {
                if current.retired {
                    self.definition_set(&slug, &provider, current.version).await?;
                }
                return Ok(Put { version: current.version, changed: current.retired });
            }
        }
        let version = current.as_ref().map_or(1, |current| current.version.saturating_add(1));
        let model =
            definition_version::Model { slug: slug.clone(), version, hash: hash.0.to_vec(), content: text, created_at: at.micros() };
        let insert = definition_version::Entity::insert(model.into_active_model());
        insert.exec_without_returning(&self.db()).await.at(DEFINITION_VERSION)?;
        if current.is_some() {
            self.definition_set(&slug, &provider, version).await?;
        } else {
            let model = definition::Model { slug, provider, version, retired: false };
            definition::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(DEFINITION)?;
        }
        Ok(Put { version, changed: true })
    }

    async fn definition_set(&self, slug: &str, provider: &str, version: i64) -> Result<(), StoreError> {
        let change = definition::ActiveModel {
            version: Set(version),
            provider: Set(provider.to_owned()),
            retired: Set(false),
            ..Default::default()
        };
        let update = definition::Entity::update_many().set(change).filter(definition::Column::Slug.eq(slug));
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), DEFINITION)
    }

    /// Offers a definition no more; false when it was retired already or is not there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn definition_retire(&mut self, slug: &Slug) -> Result<bool, StoreError> {
        let change = definition::ActiveModel { retired: Set(true), ..Default::default() };
        let update = definition::Entity::update_many()
            .set(change)
            .filter(definition::Column::Slug.eq(slug.as_str()))
            .filter(definition::Column::Retired.eq(false));
        Ok(update.exec(&self.db()).await.at(DEFINITION)?.rows_affected > 0)
    }

    /// Makes this document the current version: a new one only when it differs. A withdrawn API is published again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the mount is another API's, or the provider is not there.
    pub async fn api_put(&mut self, document: &ApiDocument, at: Moment) -> Result<Put, StoreError> {
        let (text, hash) = sealed(API_VERSION, document)?;
        let name = document.api.full_name();
        let key = name.to_string();
        let current = api::Entity::find_by_id(key.clone()).lock_exclusive().one(&self.db()).await.at(API)?;
        if let Some(current) = &current {
            let held = api_version::Entity::find_by_id((key.clone(), current.version)).one(&self.db()).await.at(API_VERSION)?;
            if held.is_some_and(|held| held.hash == hash.0) {
                if current.withdrawn {
                    self.api_set(&key, &document.api.mount, current.version).await?;
                }
                return Ok(Put { version: current.version, changed: current.withdrawn });
            }
        }
        let version = current.as_ref().map_or(1, |current| current.version.saturating_add(1));
        let model = api_version::Model { name: key.clone(), version, hash: hash.0.to_vec(), content: text, created_at: at.micros() };
        api_version::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(API_VERSION)?;
        if current.is_some() {
            self.api_set(&key, &document.api.mount, version).await?;
        } else {
            let (provider, mount) = (name.provider.to_string(), document.api.mount.clone());
            let model = api::Model { name: key, provider, mount, version, withdrawn: false };
            api::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(API)?;
        }
        Ok(Put { version, changed: true })
    }

    async fn api_set(&self, name: &str, mount: &str, version: i64) -> Result<(), StoreError> {
        let change = api::ActiveModel { version: Set(version), mount: Set(mount.to_owned()), withdrawn: Set(false), ..Default::default() };
        let update = api::Entity::update_many().set(change).filter(api::Column::Name.eq(name));
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), API)
    }

    /// Publishes an API no more; false when it was withdrawn already or is not there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn api_withdraw(&mut self, name: &ApiName) -> Result<bool, StoreError> {
        let change = api::ActiveModel { withdrawn: Set(true), ..Default::default() };
        let update =
            api::Entity::update_many().set(change).filter(api::Column::Name.eq(name.to_string())).filter(api::Column::Withdrawn.eq(false));
        Ok(update.exec(&self.db()).await.at(API)?.rows_affected > 0)
    }
}

#[cfg(test)]
mod tests;
