//! Organisations.

use octroi_domain::{
    Id, Moment, fold,
    organization::{Organization, RegistryId},
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, Order, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Cursor, Listing, Page, Reader, StoreError, Tx,
    error::At,
    row::{CHUNK, Row, before, beginnings, plain},
};

pub(crate) const TABLE: &str = "organization";

pub(crate) mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "organization")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub siret: String,
        pub name: String,
        pub created_at: i64,
        pub search: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

fn organization(model: Model) -> Result<Organization, StoreError> {
    let siret: RegistryId = Row::new(TABLE, &model.id).parse("siret", &model.siret)?;
    Ok(Organization { id: Id::from_uuid(model.id), siret, name: model.name, created_at: Moment::from_micros(model.created_at) })
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn organization_by_id(&self, id: Id<Organization>) -> Result<Option<Organization>, StoreError> {
        Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)?.map(organization).transpose()
    }

    /// Those of `ids` that exist, in no order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn organizations_by_ids(&self, ids: &[Id<Organization>]) -> Result<Vec<Organization>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(CHUNK) {
            let rows = Entity::find().filter(Column::Id.is_in(some.iter().map(|id| id.uuid()))).all(&self.db()).await.at(TABLE)?;
            for row in rows {
                found.push(organization(row)?);
            }
        }
        Ok(found)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn organization_by_siret(&self, siret: &RegistryId) -> Result<Option<Organization>, StoreError> {
        Entity::find().filter(Column::Siret.eq(siret.as_str())).one(&self.db()).await.at(TABLE)?.map(organization).transpose()
    }

    /// Newest first; those whose name or SIRET has each word of `text` at the beginning of a word.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn organization_list(&self, text: Option<&str>, page: Page) -> Result<Listing<Organization>, StoreError> {
        let mut query = Entity::find().filter(beginnings(Column::Search, text.unwrap_or_default()));
        if let Some(after) = page.after {
            query = query.filter(before(Column::CreatedAt, Column::Id, (after.at, after.uuid())));
        }
        let rows = query
            .order_by(Column::CreatedAt, Order::Desc)
            .order_by(Column::Id, Order::Desc)
            .limit(page.fetch())
            .all(&self.db())
            .await
            .at(TABLE)?;
        page.cut(rows, |row: &Model| Cursor::of_uuid(row.created_at, row.id), organization)
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Duplicate`] when the SIRET is there already.
    pub async fn organization_insert(&mut self, organization: &Organization) -> Result<(), StoreError> {
        let model = Model {
            id: organization.id.uuid(),
            siret: organization.siret.to_string(),
            name: plain(&organization.name),
            created_at: organization.created_at.micros(),
            search: fold::folded(&format!("{} {}", organization.name, organization.siret)),
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE)?;
        self.profile_begin(organization).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{each, organization};

    #[test]
    fn organizations_are_kept_and_unique() {
        each(async |store| {
            let one = organization("13002526500013", "DINUM");
            let two = organization("21750001600019", "Paris");
            let mut tx = store.write().await.unwrap();
            tx.organization_insert(&one).await.unwrap();
            tx.organization_insert(&two).await.unwrap();
            tx.commit().await.unwrap();

            let mut tx = store.write().await.unwrap();
            let again = organization("13002526500013", "Another");
            assert!(tx.organization_insert(&again).await.unwrap_err().is_duplicate());
            drop(tx);

            let reader = store.read();
            assert_eq!(reader.organization_by_id(one.id).await.unwrap(), Some(one.clone()));
            assert_eq!(reader.organization_by_siret(&two.siret).await.unwrap(), Some(two.clone()));
            assert_eq!(reader.organization_by_id(again.id).await.unwrap(), None);
            assert_eq!(reader.organizations_by_ids(&[one.id, two.id, again.id]).await.unwrap().len(), 2);
            // The instants are equal, so the order is that of the keys.
            let first = reader.organization_list(None, Page::first(1)).await.unwrap();
            assert_eq!(first.items, [two]);
            let rest = reader.organization_list(None, Page::new(first.next, 1)).await.unwrap();
            assert_eq!((rest.items, rest.next), (vec![one], None));
        });
    }

    #[test]
    fn organizations_are_found_by_their_words() {
        each(async |store| {
            let mut tx = store.write().await.unwrap();
            for (siret, name) in [("13002526500013", "Direction du numérique"), ("21750001600019", "L’Haÿ-les-Roses, 100 % ville")] {
                tx.organization_insert(&organization(siret, name)).await.unwrap();
            }
            tx.commit().await.unwrap();
            let reader = store.read();
            for (text, found) in [
                ("", 2),
                ("NUMERIQUE dir", 1),
                ("hay roses", 1),
                ("umerique", 0),
                ("217 500 016 00019", 1),
                ("130025", 1),
                ("%", 2),
                ("100 ville", 1),
                ("nothing", 0),
            ] {
                assert_eq!(reader.organization_list(Some(text), Page::first(9)).await.unwrap().items.len(), found, "{text}");
            }
        });
    }

    #[test]
    fn a_transaction_that_is_dropped_never_happened() {
        each(async |store| {
            let one = organization("13002526500013", "DINUM");
            let mut tx = store.write().await.unwrap();
            tx.organization_insert(&one).await.unwrap();
            assert!(tx.organization_by_id(one.id).await.unwrap().is_some());
            drop(tx);
            assert_eq!(store.read().organization_by_id(one.id).await.unwrap(), None);
        });
    }
}
