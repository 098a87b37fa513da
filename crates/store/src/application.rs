//! Applications and their subscriptions.

use octroi_domain::{
    Id, Moment, Number,
    api::ApiName,
    application::{Application, Subscription, SubscriptionState},
    organization::Organization,
    permit::Permit,
    stage::Stage,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, JoinType, Order, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait,
};

use crate::{
    Cursor, Listing, Page, Reader, StoreError, Tx,
    error::At,
    row::{CHUNK, Row, before, plain, touched, word},
};

const TABLE: &str = "application";
const SUBSCRIPTION: &str = "subscription";

pub(crate) mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "application")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub name: String,
        pub stage: String,
        pub organization_id: Uuid,
        pub created_by: Uuid,
        pub created_at: i64,
        pub management: bool,
        pub state: String,
        pub suspended_by: Option<String>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "crate::organization::table::Entity",
            from = "Column::OrganizationId",
            to = "crate::organization::table::Column::Id"
        )]
        Organization,
    }
    impl ActiveModelBehavior for ActiveModel {}
}
pub(crate) mod subscription_table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "subscription")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub application_id: Uuid,
        pub api: String,
        pub permit_id: Option<i64>,
        pub plan: String,
        pub terms_accepted: Option<i64>,
        pub state: String,
        pub created_at: i64,
        pub stopped_by: Option<String>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::table::Entity", from = "Column::ApplicationId", to = "super::table::Column::Id")]
        Application,
        #[sea_orm(belongs_to = "crate::permit::table::Entity", from = "Column::PermitId", to = "crate::permit::table::Column::Id")]
        Permit,
    }
    impl ActiveModelBehavior for ActiveModel {}
}
use subscription_table as subscription;
use table::{Column, Entity, Model};

/// Which subscriptions are wanted. What is empty asks for nothing in particular.
#[derive(Debug, Clone, Default)]
pub struct SubscriptionFilter {
    pub application: Option<Id<Application>>,
    /// Of the applications of this organisation.
    pub organization: Option<Id<Organization>>,
    pub api: Option<ApiName>,
    pub permit: Option<Number<Permit>>,
    pub states: Vec<SubscriptionState>,
    pub stage: Option<Stage>,
}
impl SubscriptionFilter {
    fn condition(&self) -> Condition {
        use subscription::Column as S;
        let mut condition = Condition::all();
        if let Some(application) = self.application {
            condition = condition.add(S::ApplicationId.eq(application.uuid()));
        }
        if let Some(organization) = self.organization {
            condition = condition.add(Column::OrganizationId.eq(organization.uuid()));
        }
        if let Some(api) = &self.api {
            condition = condition.add(S::Api.eq(api.to_string()));
        }
        if let Some(permit) = self.permit {
            condition = condition.add(S::PermitId.eq(permit.get()));
        }
        if !self.states.is_empty() {
            condition = condition.add(S::State.is_in(self.states.iter().map(|state| state.as_str())));
        }
        if let Some(stage) = self.stage {
            condition = condition.add(Column::Stage.eq(stage.as_str()));
        }
        condition
    }
}

fn application(model: Model) -> Result<Application, StoreError> {
    let row = Row::new(TABLE, &model.id);
    let (stage, state) = (row.stage(&model.stage)?, row.word("state", &model.state)?);
    let suspended_by = model.suspended_by.map(|by| row.word("suspended_by", &by)).transpose()?;
    Ok(Application {
        id: Id::from_uuid(model.id),
        name: model.name,
        stage,
        organization: Id::from_uuid(model.organization_id),
        created_by: Id::from_uuid(model.created_by),
        created_at: Moment::from_micros(model.created_at),
        management: model.management,
        state,
        suspended_by,
    })
}

pub(crate) fn subscription(model: &subscription::Model) -> Result<Subscription, StoreError> {
    let row = Row::new(SUBSCRIPTION, &model.id);
    Ok(Subscription {
        id: Id::from_uuid(model.id),
        application: Id::from_uuid(model.application_id),
        api: row.parse("api", &model.api)?,
        permit: model.permit_id.map(Number::new),
        plan: row.parse("plan", &model.plan)?,
        terms_accepted: model.terms_accepted.map(|version| row.number("terms_accepted", version)).transpose()?,
        state: row.word("state", &model.state)?,
        stopped_by: model.stopped_by.as_ref().map(|by| row.word("stopped_by", by)).transpose()?,
        created_at: Moment::from_micros(model.created_at),
    })
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn application_by_id(&self, id: Id<Application>) -> Result<Option<Application>, StoreError> {
        Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)?.map(application).transpose()
    }

    /// Those of `ids` that exist, in no order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn applications_by_ids(&self, ids: &[Id<Application>]) -> Result<Vec<Application>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(CHUNK) {
            let rows = Entity::find().filter(Column::Id.is_in(some.iter().map(|id| id.uuid()))).all(&self.db()).await.at(TABLE)?;
            for row in rows {
                found.push(application(row)?);
            }
        }
        Ok(found)
    }

    /// Of one organisation, or of all; newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn application_list(&self, organization: Option<Id<Organization>>, page: Page) -> Result<Listing<Application>, StoreError> {
        let mut query = Entity::find();
        if let Some(organization) = organization {
            query = query.filter(Column::OrganizationId.eq(organization.uuid()));
        }
        if let Some(after) = page.after {
            query = query.filter(before(Column::CreatedAt, Column::Id, (after.at, after.uuid())));
        }
        let query = query.order_by(Column::CreatedAt, Order::Desc).order_by(Column::Id, Order::Desc).limit(page.fetch());
        let rows = query.all(&self.db()).await.at(TABLE)?;
        page.cut(rows, |row: &Model| Cursor::of_uuid(row.created_at, row.id), application)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn subscription_by_id(&self, id: Id<Subscription>) -> Result<Option<Subscription>, StoreError> {
        subscription::Entity::find_by_id(id.uuid()).one(&self.db()).await.at(SUBSCRIPTION)?.as_ref().map(subscription).transpose()
    }

    /// The subscription of an application to an API that has not been revoked.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn subscription_of(&self, application: Id<Application>, api: &ApiName) -> Result<Option<Subscription>, StoreError> {
        let query = subscription::Entity::find()
            .filter(subscription::Column::ApplicationId.eq(application.uuid()))
            .filter(subscription::Column::Api.eq(api.to_string()))
            .filter(subscription::Column::State.ne(SubscriptionState::Revoked.as_str()));
        query.one(&self.db()).await.at(SUBSCRIPTION)?.as_ref().map(subscription).transpose()
    }

    /// Newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn subscription_list(&self, filter: &SubscriptionFilter, page: Page) -> Result<Listing<Subscription>, StoreError> {
        use subscription::{Column as S, Relation};
        let mut query = subscription::Entity::find().join(JoinType::InnerJoin, Relation::Application.def()).filter(filter.condition());
        if let Some(after) = page.after {
            query = query.filter(before(S::CreatedAt, S::Id, (after.at, after.uuid())));
        }
        let query = query.order_by(S::CreatedAt, Order::Desc).order_by(S::Id, Order::Desc).limit(page.fetch());
        let rows = query.all(&self.db()).await.at(SUBSCRIPTION)?;
        page.cut(rows, |row| Cursor::of_uuid(row.created_at, row.id), |row| subscription(&row))
    }

    /// Newest first, at most 1,000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn subscriptions_of_permit(&self, permit: Number<Permit>) -> Result<Vec<Subscription>, StoreError> {
        let filter = SubscriptionFilter { permit: Some(permit), ..SubscriptionFilter::default() };
        Ok(self.subscription_list(&filter, Page::first(Page::MAX)).await?.items)
    }

    /// Newest first, at most 1,000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn subscriptions_of_application(&self, application: Id<Application>) -> Result<Vec<Subscription>, StoreError> {
        let filter = SubscriptionFilter { application: Some(application), ..SubscriptionFilter::default() };
        Ok(self.subscription_list(&filter, Page::first(Page::MAX)).await?.items)
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError::Conflict`] when the organisation or the person is not there.
    pub async fn application_insert(&mut self, application: &Application) -> Result<(), StoreError> {
        let model = Model {
            id: application.id.uuid(),
            name: plain(&application.name),
            stage: application.stage.to_string(),
            organization_id: application.organization.uuid(),
            created_by: application.created_by.uuid(),
            created_at: application.created_at.micros(),
            management: application.management,
            state: word(&application.state),
            suspended_by: application.suspended_by.as_ref().map(word),
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// Name, right of management, state and who suspended it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is not there.
    pub async fn application_save(&mut self, application: &Application) -> Result<(), StoreError> {
        let change = table::ActiveModel {
            name: Set(plain(&application.name)),
            management: Set(application.management),
            state: Set(word(&application.state)),
            suspended_by: Set(application.suspended_by.as_ref().map(word)),
            ..Default::default()
        };
        let update = Entity::update_many().set(change).filter(Column::Id.eq(application.id.uuid()));
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// # Errors
    /// [`StoreError::Conflict`] when the application has a subscription to this API that is not revoked,
    /// or when what it points at is not there.
    pub async fn subscription_insert(&mut self, subscription: &Subscription) -> Result<(), StoreError> {
        let model = subscription::Model {
            id: subscription.id.uuid(),
            application_id: subscription.application.uuid(),
            api: subscription.api.to_string(),
            permit_id: subscription.permit.map(Number::get),
            plan: subscription.plan.to_string(),
            terms_accepted: subscription.terms_accepted.map(i64::from),
            state: subscription.state.as_str().to_owned(),
            created_at: subscription.created_at.micros(),
            stopped_by: subscription.stopped_by.as_ref().map(word),
        };
        subscription::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(SUBSCRIPTION).map(|_| ())
    }

    /// Permit, plan, terms, state and who stopped it, over the state that was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when another state is there.
    pub async fn subscription_save(&mut self, subscription: &Subscription, expected: SubscriptionState) -> Result<(), StoreError> {
        let change = subscription::ActiveModel {
            permit_id: Set(subscription.permit.map(Number::get)),
            plan: Set(subscription.plan.to_string()),
            terms_accepted: Set(subscription.terms_accepted.map(i64::from)),
            state: Set(subscription.state.as_str().to_owned()),
            stopped_by: Set(subscription.stopped_by.as_ref().map(word)),
            ..Default::default()
        };
        let update = subscription::Entity::update_many()
            .set(change)
            .filter(subscription::Column::Id.eq(subscription.id.uuid()))
            .filter(subscription::Column::State.eq(expected.as_str()));
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), SUBSCRIPTION)
    }

    /// Puts the subscriptions under one permit, unless they are revoked, under another; how many.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the new permit is not there.
    pub async fn subscriptions_move(&mut self, from: Number<Permit>, to: Number<Permit>) -> Result<u64, StoreError> {
        let change = subscription::ActiveModel { permit_id: Set(Some(to.get())), ..Default::default() };
        let update = subscription::Entity::update_many()
            .set(change)
            .filter(subscription::Column::PermitId.eq(from.get()))
            .filter(subscription::Column::State.ne(SubscriptionState::Revoked.as_str()));
        Ok(update.exec(&self.db()).await.at(SUBSCRIPTION)?.rows_affected)
    }
}

#[cfg(test)]
mod tests;
