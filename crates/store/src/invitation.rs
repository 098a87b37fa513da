//! Invitations to APIs.

use octroi_domain::{Id, Moment, api::ApiName, application::Subscription, credential::SecretDigest, invitation::Invitation};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, Order, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Cursor, Listing, Page, Reader, StoreError, Tx,
    error::At,
    row::{Row, before, plain, touched},
};

const TABLE: &str = "invitation";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "invitation")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub api: String,
        pub email: String,
        pub plan: String,
        pub digest: Vec<u8>,
        pub invited_by: Uuid,
        pub created_at: i64,
        pub expires_at: i64,
        pub ended_at: Option<i64>,
        pub subscription_id: Option<Uuid>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{ActiveModel, Column, Entity, Model};

fn invitation(model: Model) -> Result<Invitation, StoreError> {
    let row = Row::new(TABLE, &model.id);
    Ok(Invitation {
        api: row.parse("api", &model.api)?,
        plan: row.parse("plan", &model.plan)?,
        digest: SecretDigest::from_bytes(row.bytes32("digest", &model.digest)?),
        id: Id::from_uuid(model.id),
        email: model.email,
        invited_by: Id::from_uuid(model.invited_by),
        created_at: Moment::from_micros(model.created_at),
        expires_at: Moment::from_micros(model.expires_at),
        ended_at: model.ended_at.map(Moment::from_micros),
        subscription: model.subscription_id.map(Id::from_uuid),
    })
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn invitation_by_id(&self, id: Id<Invitation>) -> Result<Option<Invitation>, StoreError> {
        Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)?.map(invitation).transpose()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn invitation_by_digest(&self, digest: &SecretDigest) -> Result<Option<Invitation>, StoreError> {
        Entity::find().filter(Column::Digest.eq(digest.bytes().as_slice())).one(&self.db()).await.at(TABLE)?.map(invitation).transpose()
    }

    /// To one API, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn invitation_list(&self, api: &ApiName, page: Page) -> Result<Listing<Invitation>, StoreError> {
        let mut query = Entity::find().filter(Column::Api.eq(api.to_string()));
        if let Some(after) = page.after {
            query = query.filter(before(Column::CreatedAt, Column::Id, (after.at, after.uuid())));
        }
        let query = query.order_by(Column::CreatedAt, Order::Desc).order_by(Column::Id, Order::Desc).limit(page.fetch());
        let rows = query.all(&self.db()).await.at(TABLE)?;
        page.cut(rows, |row: &Model| Cursor::of_uuid(row.created_at, row.id), invitation)
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError::Conflict`] when the API or the person is not there.
    pub async fn invitation_insert(&mut self, invitation: &Invitation) -> Result<(), StoreError> {
        let model = Model {
            id: invitation.id.uuid(),
            api: invitation.api.to_string(),
            email: plain(&invitation.email),
            plan: invitation.plan.to_string(),
            digest: invitation.digest.bytes().to_vec(),
            invited_by: invitation.invited_by.uuid(),
            created_at: invitation.created_at.micros(),
            expires_at: invitation.expires_at.micros(),
            ended_at: invitation.ended_at.map(Moment::micros),
            subscription_id: invitation.subscription.map(Id::uuid),
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// Ends an invitation that is open, with what it led to.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it had ended: two that accept at once get one subscription.
    pub async fn invitation_end(
        &mut self,
        id: Id<Invitation>,
        at: Moment,
        subscription: Option<Id<Subscription>>,
    ) -> Result<(), StoreError> {
        let change =
            ActiveModel { ended_at: Set(Some(at.micros())), subscription_id: Set(subscription.map(Id::uuid)), ..Default::default() };
        let update = Entity::update_many().set(change).filter(Column::Id.eq(id.uuid())).filter(Column::EndedAt.is_null());
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }
}

#[cfg(test)]
mod tests {
    use octroi_domain::invitation::InvitationState;
    use uuid::Uuid;

    use super::*;
    use crate::testing::{Town, at, each};

    #[test]
    fn an_invitation_ends_once() {
        each(async |store| {
            let town = Town::found(&store).await;
            let invitation = |n: u8| Invitation {
                id: Id::from_uuid(Uuid::from_u128(u128::from(n))),
                api: town.api.clone(),
                email: "new@town.example".into(),
                plan: "free".parse().unwrap(),
                digest: SecretDigest::from_bytes([n; 32]),
                invited_by: town.reviewer.id,
                created_at: at(i64::from(n)),
                expires_at: at(100),
                ended_at: None,
                subscription: None,
            };
            let (first, second) = (invitation(1), invitation(2));
            let mut tx = store.write().await.unwrap();
            tx.invitation_insert(&first).await.unwrap();
            tx.invitation_insert(&second).await.unwrap();
            tx.invitation_end(first.id, at(50), None).await.unwrap();
            tx.commit().await.unwrap();
            let mut tx = store.write().await.unwrap();
            assert!(tx.invitation_end(first.id, at(51), None).await.unwrap_err().is_stale());
            drop(tx);
            let reader = store.read();
            let ended = Invitation { ended_at: Some(at(50)), ..first };
            assert_eq!(reader.invitation_by_id(ended.id).await.unwrap(), Some(ended.clone()));
            assert_eq!(reader.invitation_by_digest(&second.digest).await.unwrap(), Some(second.clone()));
            assert_eq!(reader.invitation_by_digest(&SecretDigest::from_bytes([9; 32])).await.unwrap(), None);
            assert_eq!(reader.invitation_list(&town.api, Page::first(5)).await.unwrap().items, [second.clone(), ended.clone()]);
            assert_eq!(reader.invitation_list(&"dinum/none".parse().unwrap(), Page::first(5)).await.unwrap().items, []);
            let states = [ended.state(at(60)), second.state(at(99)), second.state(at(100))];
            assert_eq!(states, [InvitationState::Withdrawn, InvitationState::Open, InvitationState::Expired]);
        });
    }
}
