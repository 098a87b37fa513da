//! What the gateway must know of one stage, read in one instant.

use std::{collections::HashMap, sync::Arc};

use octroi_domain::{
    Id, Moment, Number,
    api::{ApiDocument, ApiName},
    application::{Subscription, SubscriptionState},
    feed::{GatewayState, KnownApplication, KnownCredential, KnownPermit, KnownSubscription, PublishedApi},
    quota::DayUse,
    stage::Stage,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait,
    sea_query::{Alias, Expr, ExprTrait, OnConflict, Query},
};
use uuid::Uuid;

use crate::{
    Reader, Store, StoreError, StoredKey,
    application::{self, subscription_table},
    credential,
    error::{At, Cause},
    organization, permit,
    row::Row,
};

const VERSION: &str = "gateway_version";
const DAY_USE: &str = "day_use";

mod version {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "gateway_version")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub version: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod day_use {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "day_use")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub subscription_id: Uuid,
        pub day: i64,
        pub used: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// The state of one stage, and its keys as they are stored: whoever sealed them opens them.
#[derive(Debug, Clone)]
pub struct GatewayRows {
    /// Its `keys` are empty.
    pub state: GatewayState,
    pub keys: Vec<StoredKey>,
}

/// Gives the parsed document of a version to a caller that has it already.
pub type Known<'a> = &'a (dyn Fn(&ApiName, i64) -> Option<Arc<ApiDocument>> + Send + Sync);

#[derive(FromQueryResult)]
struct ApplicationLine {
    id: Uuid,
    name: String,
    state: String,
    organization_id: Uuid,
    organization_name: String,
    siret: String,
}

#[derive(FromQueryResult)]
struct SubscriptionLine {
    id: Uuid,
    application_id: Uuid,
    api: String,
    permit_id: Option<i64>,
    plan: String,
    terms_accepted: Option<i64>,
    state: String,
    permit_status: Option<String>,
    permit_scopes: Option<String>,
    permit_expires_at: Option<i64>,
}

/// The next version, in the transaction that changed something.
pub(crate) async fn bump(db: &impl ConnectionTrait) -> Result<i64, StoreError> {
    let column = Alias::new("version");
    let statement =
        Query::update().table(Alias::new(VERSION)).value(column.clone(), Expr::col(column.clone()).add(1)).returning_col(column).to_owned();
    let row = db.query_one(&statement).await.at(VERSION)?;
    let row = row.ok_or(StoreError::Other { table: VERSION, cause: Cause::said("the version is not there") })?;
    row.try_get_by_index::<i64>(0).at(VERSION)
}

impl Store {
    /// Everything that the gateway needs of `stage`, read in one instant. Documents for which `known`
    /// has an answer are not read again; tokens that have expired at `now` are left out. Of the
    /// subscriptions of an application to an API: the one in use, else the last one that was revoked.
    ///
    /// # Errors
    /// [`StoreError`]: then the caller keeps what it has.
    pub async fn gateway_state(&self, stage: Stage, now: Moment, known: Known<'_>) -> Result<GatewayRows, StoreError> {
        let reader = self.frozen().await?;
        let state = GatewayState {
            stage,
            version: reader.gateway_version().await?,
            apis: reader.published(known).await?,
            applications: reader.known_applications(stage).await?,
            credentials: reader.known_credentials(stage).await?,
            subscriptions: reader.known_subscriptions(stage).await?,
            revoked_tokens: reader.revoked_tokens(stage, now).await?,
            keys: Vec::new(),
        };
        Ok(GatewayRows { state, keys: reader.signing_key_list(Some(stage)).await? })
    }

    /// Notes how much of their day subscriptions have used; what is stored never goes back.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn day_use_put(&self, uses: &[(Id<Subscription>, DayUse)]) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        // One row each, in one order, so that two nodes never wait for each other in a circle.
        let mut latest: HashMap<Id<Subscription>, DayUse> = HashMap::with_capacity(uses.len());
        for (id, day_use) in uses {
            let held = latest.entry(*id).or_default();
            if (day_use.day, day_use.used) > (held.day, held.used) {
                *held = *day_use;
            }
        }
        let mut rows: Vec<_> = latest.into_iter().collect();
        rows.sort_unstable_by_key(|(id, _)| *id);
        let tx = self.write().await?;
        for some in rows.chunks(crate::row::CHUNK) {
            let models = some.iter().map(|(id, day_use)| {
                let model = day_use::Model { subscription_id: id.uuid(), day: i64::from(day_use.day), used: i64::from(day_use.used) };
                model.into_active_model()
            });
            day_use::Entity::insert_many(models).on_conflict(keep_the_most()).exec_without_returning(&tx.db()).await.at(DAY_USE)?;
        }
        tx.commit().await.map(|_| ())
    }
}

/// The later day wins; on the same day, the greater use. Both engines read this text alike.
fn keep_the_most() -> OnConflict {
    const USED: &str = "CASE WHEN excluded.day > day_use.day THEN excluded.used WHEN excluded.day < day_use.day THEN day_use.used \
                        WHEN excluded.used > day_use.used THEN excluded.used ELSE day_use.used END";
    const DAY: &str = "CASE WHEN excluded.day > day_use.day THEN excluded.day ELSE day_use.day END";
    OnConflict::column(day_use::Column::SubscriptionId)
        .value(day_use::Column::Used, Expr::cust(USED))
        .value(day_use::Column::Day, Expr::cust(DAY))
        .to_owned()
}

impl Reader {
    /// The version of what the gateway must know: another one means that something changed.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn gateway_version(&self) -> Result<i64, StoreError> {
        let found = version::Entity::find_by_id(1).one(&self.db()).await.at(VERSION)?;
        found.map(|model| model.version).ok_or(StoreError::Corrupt { table: VERSION, column: "id", row: "1".to_owned() })
    }

    /// How much of a day subscriptions have used; those that never called are left out.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn day_uses(&self, subscriptions: &[Id<Subscription>]) -> Result<HashMap<Id<Subscription>, DayUse>, StoreError> {
        let mut found = HashMap::with_capacity(subscriptions.len());
        for some in subscriptions.chunks(crate::row::CHUNK) {
            let query = day_use::Entity::find().filter(day_use::Column::SubscriptionId.is_in(some.iter().map(|id| id.uuid())));
            for row in query.all(&self.db()).await.at(DAY_USE)? {
                found.insert(Id::from_uuid(row.subscription_id), used(&row)?);
            }
        }
        Ok(found)
    }

    async fn published(&self, known: Known<'_>) -> Result<Vec<PublishedApi>, StoreError> {
        let mut apis = Vec::new();
        for index in self.api_index().await?.into_iter().filter(|index| !index.withdrawn) {
            let document = match known(&index.name, index.version) {
                Some(document) => Some(document),
                None => self.api_content(&index.name, index.version).await?.map(|stored| stored.document),
            };
            if let Some(document) = document {
                apis.push(PublishedApi { name: index.name, version: index.version, document });
            }
        }
        Ok(apis)
    }

    async fn known_applications(&self, stage: Stage) -> Result<Vec<KnownApplication>, StoreError> {
        use application::table::{Column, Entity, Relation};
        let lines = Entity::find()
            .select_only()
            .columns([Column::Id, Column::Name, Column::State, Column::OrganizationId])
            .column_as(organization::table::Column::Name, "organization_name")
            .column(organization::table::Column::Siret)
            .join(JoinType::InnerJoin, Relation::Organization.def())
            .filter(Column::Stage.eq(stage.as_str()))
            .order_by_asc(Column::Id)
            .into_model::<ApplicationLine>()
            .all(&self.db())
            .await
            .at("application")?;
        let known = |line: ApplicationLine| {
            let row = Row::new("application", &line.id);
            let (state, siret) = (row.word("state", &line.state)?, row.parse("siret", &line.siret)?);
            Ok(KnownApplication {
                id: Id::from_uuid(line.id),
                name: line.name,
                state,
                organization: Id::from_uuid(line.organization_id),
                organization_name: line.organization_name,
                siret,
            })
        };
        lines.into_iter().map(known).collect()
    }

    async fn known_credentials(&self, stage: Stage) -> Result<Vec<KnownCredential>, StoreError> {
        use credential::table::{Column, Entity, Relation};
        let rows = Entity::find()
            .join(JoinType::InnerJoin, Relation::Application.def())
            .filter(application::table::Column::Stage.eq(stage.as_str()))
            .order_by_asc(Column::Id)
            .all(&self.db())
            .await
            .at("credential")?;
        let known = |model| {
            let credential = credential::credential(model)?;
            Ok(KnownCredential {
                id: credential.id,
                application: credential.application,
                kind: credential.kind,
                digest: credential.digest,
                revoked: credential.revoked_at.is_some(),
            })
        };
        rows.into_iter().map(known).collect()
    }

    async fn known_subscriptions(&self, stage: Stage) -> Result<Vec<KnownSubscription>, StoreError> {
        use subscription_table::{Column, Entity, Relation};
        let lines = Entity::find()
            .select_only()
            .columns([Column::Id, Column::ApplicationId, Column::Api, Column::PermitId, Column::Plan, Column::TermsAccepted, Column::State])
            .column_as(permit::table::Column::Status, "permit_status")
            .column_as(permit::table::Column::Scopes, "permit_scopes")
            .column_as(permit::table::Column::ExpiresAt, "permit_expires_at")
            .join(JoinType::InnerJoin, Relation::Application.def())
            .join(JoinType::LeftJoin, Relation::Permit.def())
            .filter(application::table::Column::Stage.eq(stage.as_str()))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Id)
            .into_model::<SubscriptionLine>()
            .all(&self.db())
            .await
            .at("subscription")?;
        let used: HashMap<Uuid, DayUse> = day_use::Entity::find()
            .all(&self.db())
            .await
            .at(DAY_USE)?
            .iter()
            .map(|row| Ok((row.subscription_id, used(row)?)))
            .collect::<Result<_, StoreError>>()?;
        let mut places: HashMap<(Uuid, String), usize> = HashMap::with_capacity(lines.len());
        let mut known: Vec<KnownSubscription> = Vec::with_capacity(lines.len());
        for line in lines {
            let key = (line.application_id, line.api.clone());
            let subscription = line.known(&used)?;
            match places.get(&key).and_then(|place| known.get_mut(*place)) {
                Some(held) if held.state == SubscriptionState::Revoked => *held = subscription,
                Some(_) => {}
                None => {
                    places.insert(key, known.len());
                    known.push(subscription);
                }
            }
        }
        Ok(known)
    }

    async fn revoked_tokens(&self, stage: Stage, now: Moment) -> Result<Vec<String>, StoreError> {
        use credential::revoked_token::{Column, Entity};
        let query = Entity::find()
            .select_only()
            .column(Column::Jti)
            .filter(Column::Stage.eq(stage.as_str()))
            .filter(Column::ExpiresAt.gt(now.micros()));
        query.into_tuple().all(&self.db()).await.at("revoked_token")
    }
}

fn used(model: &day_use::Model) -> Result<DayUse, StoreError> {
    let row = Row::new(DAY_USE, &model.subscription_id);
    Ok(DayUse { day: row.number("day", model.day)?, used: row.number("used", model.used)? })
}

impl SubscriptionLine {
    fn known(self, used: &HashMap<Uuid, DayUse>) -> Result<KnownSubscription, StoreError> {
        let row = Row::new("subscription", &self.id);
        let permit = match (self.permit_id, self.permit_status, self.permit_scopes) {
            (Some(id), Some(status), Some(scopes)) => {
                let row = Row::new(permit::TABLE, &id);
                Some(KnownPermit {
                    id: Number::new(id),
                    scopes: row.json("scopes", &scopes)?,
                    status: permit::status(&row, &status)?,
                    expires_at: self.permit_expires_at.map(Moment::from_micros),
                })
            }
            (None, ..) => None,
            _ => return Err(row.corrupt("permit_id")),
        };
        Ok(KnownSubscription {
            id: Id::from_uuid(self.id),
            application: Id::from_uuid(self.application_id),
            api: row.parse("api", &self.api)?,
            plan: row.parse("plan", &self.plan)?,
            terms_accepted: self.terms_accepted.map(|terms| row.number("terms_accepted", terms)).transpose()?,
            state: row.word("state", &self.state)?,
            permit,
            used: used.get(&self.id).copied().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests;
