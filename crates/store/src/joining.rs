//! Wishes to join organisations, their codes, and invitations of members.

use octroi_domain::{
    Id, Moment,
    credential::SecretDigest,
    joining::{Joining, JoiningState, MemberInvitation},
    organization::Organization,
    user::User,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, Order, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Cursor, Listing, Page, Reader, StoreError, Tx,
    error::At,
    row::{Row, before, plain, touched, word},
};

const TABLE: &str = "joining";
const INVITATION: &str = "member_invitation";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "joining")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub user_id: Uuid,
        pub organization_id: Uuid,
        pub email: String,
        pub reason: String,
        pub way: String,
        pub blocking: bool,
        pub state: String,
        pub note: String,
        pub answer: String,
        pub may_reopen: bool,
        pub created_at: i64,
        pub updated_at: i64,
        pub decided_by: Option<Uuid>,
        pub code_digest: Option<Vec<u8>>,
        pub code_expires_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod invitation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "member_invitation")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub organization_id: Uuid,
        pub email: String,
        pub digest: Vec<u8>,
        pub invited_by: Uuid,
        pub created_at: i64,
        pub expires_at: i64,
        pub ended_at: Option<i64>,
        pub accepted_by: Option<Uuid>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{ActiveModel, Column, Entity, Model};

fn joining(model: Model) -> Result<Joining, StoreError> {
    let row = Row::new(TABLE, &model.id);
    Ok(Joining {
        reason: row.word("reason", &model.reason)?,
        way: row.word("way", &model.way)?,
        state: row.word("state", &model.state)?,
        id: Id::from_uuid(model.id),
        user: Id::from_uuid(model.user_id),
        organization: Id::from_uuid(model.organization_id),
        email: model.email,
        blocking: model.blocking,
        note: model.note,
        answer: model.answer,
        may_reopen: model.may_reopen,
        created_at: Moment::from_micros(model.created_at),
        updated_at: Moment::from_micros(model.updated_at),
        decided_by: model.decided_by.map(Id::from_uuid),
    })
}

fn invited(model: invitation::Model) -> Result<MemberInvitation, StoreError> {
    let row = Row::new(INVITATION, &model.id);
    Ok(MemberInvitation {
        digest: SecretDigest::from_bytes(row.bytes32("digest", &model.digest)?),
        id: Id::from_uuid(model.id),
        organization: Id::from_uuid(model.organization_id),
        email: model.email,
        invited_by: Id::from_uuid(model.invited_by),
        created_at: Moment::from_micros(model.created_at),
        expires_at: Moment::from_micros(model.expires_at),
        ended_at: model.ended_at.map(Moment::from_micros),
        accepted_by: model.accepted_by.map(Id::from_uuid),
    })
}

/// Which wishes to join are listed; what is not said is not asked.
#[derive(Debug, Clone, Default)]
pub struct JoiningFilter {
    pub user: Option<Id<User>>,
    pub organization: Option<Id<Organization>>,
    pub states: Vec<JoiningState>,
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn joining_by_id(&self, id: Id<Joining>) -> Result<Option<Joining>, StoreError> {
        Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)?.map(joining).transpose()
    }

    /// Newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn joining_list(&self, filter: &JoiningFilter, page: Page) -> Result<Listing<Joining>, StoreError> {
        let mut query = Entity::find();
        if let Some(user) = filter.user {
            query = query.filter(Column::UserId.eq(user.uuid()));
        }
        if let Some(organization) = filter.organization {
            query = query.filter(Column::OrganizationId.eq(organization.uuid()));
        }
        if !filter.states.is_empty() {
            query = query.filter(Column::State.is_in(filter.states.iter().map(|state| state.as_str())));
        }
        if let Some(after) = page.after {
            query = query.filter(before(Column::CreatedAt, Column::Id, (after.at, after.uuid())));
        }
        let query = query.order_by(Column::CreatedAt, Order::Desc).order_by(Column::Id, Order::Desc).limit(page.fetch());
        let rows = query.all(&self.db()).await.at(TABLE)?;
        page.cut(rows, |row: &Model| Cursor::of_uuid(row.created_at, row.id), joining)
    }

    /// The digest of the code that was sent last, and until when it is good.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn joining_code(&self, id: Id<Joining>) -> Result<Option<([u8; 32], Moment)>, StoreError> {
        let Some(model) = Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)? else { return Ok(None) };
        let (Some(digest), Some(until)) = (&model.code_digest, model.code_expires_at) else { return Ok(None) };
        Ok(Some((Row::new(TABLE, &model.id).bytes32("code_digest", digest)?, Moment::from_micros(until))))
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn member_invitation_by_id(&self, id: Id<MemberInvitation>) -> Result<Option<MemberInvitation>, StoreError> {
        invitation::Entity::find_by_id(id.uuid()).one(&self.db()).await.at(INVITATION)?.map(invited).transpose()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn member_invitation_by_digest(&self, digest: &SecretDigest) -> Result<Option<MemberInvitation>, StoreError> {
        let query = invitation::Entity::find().filter(invitation::Column::Digest.eq(digest.bytes().as_slice()));
        query.one(&self.db()).await.at(INVITATION)?.map(invited).transpose()
    }

    /// To one organisation, newest first, at most 200.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn member_invitations(&self, organization: Id<Organization>) -> Result<Vec<MemberInvitation>, StoreError> {
        let query = invitation::Entity::find().filter(invitation::Column::OrganizationId.eq(organization.uuid()));
        let query = query.order_by(invitation::Column::CreatedAt, Order::Desc).order_by(invitation::Column::Id, Order::Desc).limit(200);
        query.all(&self.db()).await.at(INVITATION)?.into_iter().map(invited).collect()
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Duplicate`] when the person has an open wish to join the same organisation.
    pub async fn joining_insert(&mut self, joining: &Joining) -> Result<(), StoreError> {
        let model = Model {
            id: joining.id.uuid(),
            user_id: joining.user.uuid(),
            organization_id: joining.organization.uuid(),
            email: plain(&joining.email),
            reason: word(&joining.reason),
            way: word(&joining.way),
            blocking: joining.blocking,
            state: word(&joining.state),
            note: plain(&joining.note),
            answer: plain(&joining.answer),
            may_reopen: joining.may_reopen,
            created_at: joining.created_at.micros(),
            updated_at: joining.updated_at.micros(),
            decided_by: joining.decided_by.map(Id::uuid),
            code_digest: None,
            code_expires_at: None,
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// Saves what may change of it, if it is still in the state `was`. A code that was sent is forgotten.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it moved since.
    pub async fn joining_save(&mut self, joining: &Joining, was: JoiningState) -> Result<(), StoreError> {
        let model = ActiveModel {
            email: Set(plain(&joining.email)),
            reason: Set(word(&joining.reason)),
            way: Set(word(&joining.way)),
            blocking: Set(joining.blocking),
            state: Set(word(&joining.state)),
            note: Set(plain(&joining.note)),
            answer: Set(plain(&joining.answer)),
            may_reopen: Set(joining.may_reopen),
            updated_at: Set(joining.updated_at.micros()),
            decided_by: Set(joining.decided_by.map(Id::uuid)),
            code_digest: Set(None),
            code_expires_at: Set(None),
            ..Default::default()
        };
        let update = Entity::update_many().set(model).filter(Column::Id.eq(joining.id.uuid())).filter(Column::State.eq(word(&was)));
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// Keeps the digest of a code that was sent, in the place of one before.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the wish is no longer open.
    pub async fn joining_set_code(&mut self, id: Id<Joining>, digest: &[u8; 32], until: Moment) -> Result<(), StoreError> {
        let model =
            ActiveModel { code_digest: Set(Some(digest.to_vec())), code_expires_at: Set(Some(until.micros())), ..Default::default() };
        let pending = word(&JoiningState::Pending);
        let update = Entity::update_many().set(model).filter(Column::Id.eq(id.uuid())).filter(Column::State.eq(pending));
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// Ends the open wishes of a person, and takes their address and words out of all of them and invitations; that they were, and how they ended, stays.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn joining_erase_of_user(&mut self, user: Id<User>) -> Result<(), StoreError> {
        let db = self.db();
        let cancelled = ActiveModel { state: Set(word(&JoiningState::Cancelled)), ..Default::default() };
        let of_user = Entity::update_many().set(cancelled).filter(Column::UserId.eq(user.uuid()));
        of_user.filter(Column::State.eq(word(&JoiningState::Pending))).exec(&db).await.at(TABLE)?;
        let blank = ActiveModel { email: Set(String::new()), note: Set(String::new()), ..Default::default() };
        Entity::update_many().set(blank).filter(Column::UserId.eq(user.uuid())).exec(&db).await.at(TABLE)?;
        let blank = invitation::ActiveModel { email: Set(String::new()), ..Default::default() };
        let of_user = invitation::Column::AcceptedBy.eq(user.uuid());
        invitation::Entity::update_many().set(blank).filter(of_user).exec(&db).await.at(INVITATION).map(|_| ())
    }

    /// # Errors
    /// [`StoreError::Conflict`] when the organisation or the person is not there.
    pub async fn member_invitation_insert(&mut self, invitation: &MemberInvitation) -> Result<(), StoreError> {
        let model = invitation::Model {
            id: invitation.id.uuid(),
            organization_id: invitation.organization.uuid(),
            email: plain(&invitation.email),
            digest: invitation.digest.bytes().to_vec(),
            invited_by: invitation.invited_by.uuid(),
            created_at: invitation.created_at.micros(),
            expires_at: invitation.expires_at.micros(),
            ended_at: invitation.ended_at.map(Moment::micros),
            accepted_by: invitation.accepted_by.map(Id::uuid),
        };
        invitation::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(INVITATION).map(|_| ())
    }

    /// Ends an invitation that is open: accepted by somebody, or withdrawn.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it had ended: two that accept at once get one link.
    pub async fn member_invitation_end(
        &mut self,
        id: Id<MemberInvitation>,
        at: Moment,
        accepted_by: Option<Id<User>>,
    ) -> Result<(), StoreError> {
        let change =
            invitation::ActiveModel { ended_at: Set(Some(at.micros())), accepted_by: Set(accepted_by.map(Id::uuid)), ..Default::default() };
        let open = invitation::Entity::update_many()
            .set(change)
            .filter(invitation::Column::Id.eq(id.uuid()))
            .filter(invitation::Column::EndedAt.is_null());
        touched(open.exec(&self.db()).await.map(|result| result.rows_affected), INVITATION)
    }
}

#[cfg(test)]
mod tests {
    use octroi_domain::{
        invitation::InvitationState,
        joining::{ModerationReason, Way},
    };
    use uuid::Uuid;

    use super::*;
    use crate::testing::{Town, at, each};

    #[test]
    fn one_open_wish_for_one_person_and_organisation() {
        each(async |store| {
            let town = Town::found(&store).await;
            let wish = |n: u8| Joining {
                id: Id::from_uuid(Uuid::from_u128(u128::from(n))),
                user: town.applicant.id,
                organization: town.other.id,
                email: "ada@ville.example".into(),
                reason: ModerationReason::DomainUnknown,
                way: Way::Code,
                blocking: true,
                state: JoiningState::Pending,
                note: String::new(),
                answer: String::new(),
                may_reopen: false,
                created_at: at(i64::from(n)),
                updated_at: at(i64::from(n)),
                decided_by: None,
            };
            let first = wish(1);
            let mut tx = store.write().await.unwrap();
            tx.joining_insert(&first).await.unwrap();
            tx.joining_set_code(first.id, &[7; 32], at(60)).await.unwrap();
            tx.commit().await.unwrap();
            let mut tx = store.write().await.unwrap();
            assert!(tx.joining_insert(&wish(2)).await.unwrap_err().is_duplicate());
            drop(tx);
            let reader = store.read();
            assert_eq!(reader.joining_code(first.id).await.unwrap(), Some(([7; 32], at(60))));
            let refused = Joining { state: JoiningState::Refused, answer: "Non.".into(), decided_by: Some(town.reviewer.id), ..first };
            let mut tx = store.write().await.unwrap();
            tx.joining_save(&refused, JoiningState::Pending).await.unwrap();
            assert!(tx.joining_save(&refused, JoiningState::Pending).await.unwrap_err().is_stale());
            drop(tx);
            let mut tx = store.write().await.unwrap();
            tx.joining_save(&refused, JoiningState::Pending).await.unwrap();
            tx.joining_insert(&wish(2)).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(reader.joining_by_id(refused.id).await.unwrap(), Some(refused.clone()));
            assert_eq!(reader.joining_code(refused.id).await.unwrap(), None);
            let mut tx = store.write().await.unwrap();
            assert!(tx.joining_set_code(refused.id, &[7; 32], at(60)).await.unwrap_err().is_stale());
            drop(tx);
            let of = async |filter: JoiningFilter| reader.joining_list(&filter, Page::first(9)).await.unwrap().items.len();
            assert_eq!(of(JoiningFilter::default()).await, 2);
            assert_eq!(of(JoiningFilter { states: vec![JoiningState::Pending], ..JoiningFilter::default() }).await, 1);
            assert_eq!(of(JoiningFilter { user: Some(town.reviewer.id), ..JoiningFilter::default() }).await, 0);
            assert_eq!(of(JoiningFilter { organization: Some(town.other.id), ..JoiningFilter::default() }).await, 2);
        });
    }

    #[test]
    fn an_invitation_of_a_member_ends_once() {
        each(async |store| {
            let town = Town::found(&store).await;
            let open = MemberInvitation {
                id: Id::from_uuid(Uuid::from_u128(1)),
                organization: town.hall.id,
                email: "new@ville.example".into(),
                digest: SecretDigest::from_bytes([3; 32]),
                invited_by: town.applicant.id,
                created_at: at(1),
                expires_at: at(100),
                ended_at: None,
                accepted_by: None,
            };
            let mut tx = store.write().await.unwrap();
            tx.member_invitation_insert(&open).await.unwrap();
            tx.member_invitation_end(open.id, at(50), Some(town.reviewer.id)).await.unwrap();
            assert!(tx.member_invitation_end(open.id, at(51), None).await.unwrap_err().is_stale());
            drop(tx);
            let mut tx = store.write().await.unwrap();
            tx.member_invitation_insert(&open).await.unwrap();
            tx.commit().await.unwrap();
            let reader = store.read();
            assert_eq!(reader.member_invitation_by_digest(&open.digest).await.unwrap(), Some(open.clone()));
            assert_eq!(reader.member_invitations(town.hall.id).await.unwrap(), std::slice::from_ref(&open));
            assert_eq!([open.state(at(99)), open.state(at(100))], [InvitationState::Open, InvitationState::Expired]);
        });
    }
}
