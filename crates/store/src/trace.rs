//! Traces of calls: written in batches, read by who called and by whose API it was, and made
//! anonymous for good.

use octroi_domain::{
    Id, Moment, Number, Slug, api::ApiName, application::Application, organization::Organization, permit::Permit, refusal::Reason,
    stage::Stage, trace::Trace,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Statement,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use crate::{
    Cursor, Listing, Page, Reader, Store, StoreError,
    error::{At, Cause},
    row::{Row, before, plain},
    visible::texts,
};

mod batch;
mod hours;

pub use hours::{CallsOfApplication, HourOfCalls};

const TABLE: &str = "trace";
/// Rows made anonymous in one transaction: other writers get their turn in between.
const ANONYMISED_AT_ONCE: u64 = 5_000;
/// The hour of a trace. Without placeholders: both engines read it alike.
const HOUR: &str = "at / 3600000000 * 3600000000";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "trace")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub at: i64,
        pub stage: String,
        pub request_id: Option<String>,
        pub api: Option<String>,
        pub provider: Option<String>,
        pub operation: Option<String>,
        pub status: i64,
        pub refusal: Option<String>,
        pub duration_us: i64,
        pub upstream_us: i64,
        pub request_bytes: i64,
        pub response_bytes: i64,
        pub application_id: Option<Uuid>,
        pub organization_id: Option<Uuid>,
        pub permit_id: Option<i64>,
        pub subscription_id: Option<Uuid>,
        pub masked_fields: i64,
        pub address: Option<String>,
        pub anonymised_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

/// Which traces the asker may see. `Any` is an *or*: with nothing in it, it shows nothing.
#[derive(Debug, Clone)]
pub enum TraceVisible {
    All,
    Any {
        /// Calls made by these organisations.
        organizations: Vec<Id<Organization>>,
        /// Calls to these APIs.
        apis: Vec<ApiName>,
        /// Calls to every API of these providers.
        providers: Vec<Slug>,
    },
}

/// How calls ended, in the terms of who looks for a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// 4xx or 5xx, from the gateway or from the upstream.
    Error,
    /// The upstream answered, and not with 5xx.
    UpstreamAnswered,
    /// The upstream could not be reached, was too slow, or gave nothing that could be passed on.
    UpstreamFailed,
}
impl CallOutcome {
    /// `refusal` is null or empty where the gateway refused nothing.
    fn condition(self, status: Expr, refusal: &Expr) -> Condition {
        let passed = || Condition::any().add(refusal.clone().is_null()).add(refusal.clone().eq(""));
        let of_upstream = Reason::ALL.iter().filter(|reason| reason.is_of_upstream()).map(|reason| reason.code());
        match self {
            Self::Error => Condition::all().add(status.gte(400)),
            Self::UpstreamAnswered => Condition::all().add(status.lt(500)).add(passed()),
            Self::UpstreamFailed => {
                Condition::any().add(refusal.clone().is_in(of_upstream)).add(Condition::all().add(status.gte(500)).add(passed()))
            }
        }
    }
}

/// Which traces are wanted, among those that the asker may see.
#[derive(Debug, Clone)]
pub struct TraceFilter {
    pub visible: TraceVisible,
    pub application: Option<Id<Application>>,
    pub organization: Option<Id<Organization>>,
    pub api: Option<ApiName>,
    pub provider: Option<Slug>,
    pub permit: Option<Number<Permit>>,
    pub stage: Option<Stage>,
    /// 2 for 200 to 299, and so on.
    pub status_class: Option<u8>,
    pub status: Option<u16>,
    pub outcome: Option<CallOutcome>,
    pub refusal: Option<String>,
    pub request_id: Option<String>,
    pub from: Option<Moment>,
    /// Up to this instant, which is not included.
    pub to: Option<Moment>,
}
impl TraceFilter {
    /// Everything that the asker may see.
    #[must_use]
    pub const fn within(visible: TraceVisible) -> Self {
        Self {
            visible,
            application: None,
            organization: None,
            api: None,
            provider: None,
            permit: None,
            stage: None,
            status_class: None,
            status: None,
            outcome: None,
            refusal: None,
            request_id: None,
            from: None,
            to: None,
        }
    }

    fn condition(&self) -> Condition {
        let visible = match &self.visible {
            TraceVisible::All => Condition::all(),
            // Each list is always there: an `any` of nothing would be true.
            TraceVisible::Any { organizations, apis, providers } => Condition::any()
                .add(Column::OrganizationId.is_in(organizations.iter().map(|id| id.uuid())))
                .add(Column::Api.is_in(texts(apis)))
                .add(Column::Provider.is_in(texts(providers))),
        };
        let class = self.status_class.map(|class| i64::from(class) * 100);
        Condition::all()
            .add(visible)
            .add_option(self.application.map(|id| Column::ApplicationId.eq(id.uuid())))
            .add_option(self.organization.map(|id| Column::OrganizationId.eq(id.uuid())))
            .add_option(self.api.as_ref().map(|api| Column::Api.eq(api.to_string())))
            // There is an index on the provider, and none on the API.
            .add_option(self.api.as_ref().map(|api| Column::Provider.eq(api.provider.as_str())))
            .add_option(self.provider.as_ref().map(|provider| Column::Provider.eq(provider.as_str())))
            .add_option(self.permit.map(|permit| Column::PermitId.eq(permit.get())))
            .add_option(self.stage.map(|stage| Column::Stage.eq(stage.as_str())))
            .add_option(class.map(|class| Column::Status.between(class, class + 99)))
            .add_option(self.status.map(|status| Column::Status.eq(i64::from(status))))
            .add_option(self.outcome.map(|outcome| outcome.condition(Column::Status.into_expr(), &Column::Refusal.into_expr())))
            .add_option(self.refusal.as_ref().map(|refusal| Column::Refusal.eq(plain(refusal))))
            .add_option(self.request_id.as_ref().map(|request| Column::RequestId.eq(plain(request))))
            .add_option(self.from.map(|from| Column::At.gte(from.micros())))
            .add_option(self.to.map(|to| Column::At.lt(to.micros())))
    }
}

/// A trace as it is kept. An anonymised one has lost who called and from where, its `request_id` is
/// empty, and its instant is that of its hour.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTrace {
    pub id: Uuid,
    pub trace: Trace,
    pub anonymised_at: Option<Moment>,
}

/// Calls of one hour to one API with one status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceCount {
    pub api: Option<ApiName>,
    pub status: u16,
    /// The beginning of the hour, in UTC.
    pub hour: Moment,
    pub calls: u64,
}

/// Which traces become anonymous.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "one value at a time, on its way to one call")]
pub enum Anonymise {
    /// Those of calls before this instant.
    Before(Moment),
    Matching(TraceFilter),
}

fn stored(model: Model) -> Result<StoredTrace, StoreError> {
    let row = Row::new(TABLE, &model.id);
    let trace = Trace {
        at: Moment::from_micros(model.at),
        stage: row.stage(&model.stage)?,
        api: row.parse_option("api", model.api.as_deref())?,
        status: row.number("status", model.status)?,
        duration_us: row.number("duration_us", model.duration_us)?,
        upstream_us: row.number("upstream_us", model.upstream_us)?,
        request_bytes: row.number("request_bytes", model.request_bytes)?,
        response_bytes: row.number("response_bytes", model.response_bytes)?,
        application: model.application_id.map(Id::from_uuid),
        organization: model.organization_id.map(Id::from_uuid),
        permit: model.permit_id.map(Number::new),
        subscription: model.subscription_id.map(Id::from_uuid),
        masked_fields: row.number("masked_fields", model.masked_fields)?,
        address: row.parse_option("address", model.address.as_deref())?,
        request_id: model.request_id.unwrap_or_default(),
        operation: model.operation,
        refusal: model.refusal,
    };
    Ok(StoredTrace { id: model.id, trace, anonymised_at: model.anonymised_at.map(Moment::from_micros) })
}

impl Reader {
    /// Newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn trace_list(&self, filter: &TraceFilter, page: Page) -> Result<Listing<StoredTrace>, StoreError> {
        let mut query = Entity::find().filter(filter.condition());
        if let Some(after) = page.after {
            query = query.filter(before(Column::At, Column::Id, (after.at, after.uuid())));
        }
        let query = query.order_by(Column::At, Order::Desc).order_by(Column::Id, Order::Desc).limit(page.fetch());
        let rows = query.all(&self.db()).await.at(TABLE)?;
        page.cut(rows, |row: &Model| Cursor::of_uuid(row.at, row.id), stored)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn trace_count(&self, filter: &TraceFilter) -> Result<u64, StoreError> {
        Entity::find().filter(filter.condition()).count(&self.db()).await.at(TABLE)
    }
}

impl Store {
    /// Writes traces, all or none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn trace_insert(&self, traces: &[Trace]) -> Result<(), StoreError> {
        if traces.is_empty() {
            return Ok(());
        }
        // Two statements whose texts never change: they are prepared once.
        let (backend, sql) = if self.is_sqlite() { (DbBackend::Sqlite, batch::SQLITE) } else { (DbBackend::Postgres, batch::POSTGRES) };
        let rows = batch::json(traces)
            .map_err(|_| StoreError::Other { table: TABLE, cause: Cause::said("a batch of traces has no JSON form") })?;
        let tx = self.write().await?;
        tx.db().execute_raw(Statement::from_sql_and_values(backend, sql, [rows.into()])).await.at(TABLE)?;
        hours::add(&tx.db(), traces).await?;
        tx.commit().await.map(|_| ())
    }

    /// Removes for good who called and from where, and the minutes of when: from the rows, the
    /// indexes and the journal. How many traces became anonymous now; those that were are left alone.
    ///
    /// A fault after the rows were written leaves a mark, and the next call finishes the work.
    ///
    /// # Errors
    /// [`StoreError`]: part of the traces may be anonymous already.
    pub async fn trace_anonymise(&self, what: &Anonymise, at: Moment) -> Result<u64, StoreError> {
        let filter = match what {
            Anonymise::Before(moment) => &TraceFilter { to: Some(*moment), ..TraceFilter::within(TraceVisible::All) },
            Anonymise::Matching(filter) => filter,
        };
        let condition = filter.condition();
        let tx = self.write().await?;
        if hours::forget_callers(&tx.db(), filter).await? {
            crate::counter::set(&tx.db(), crate::counter::SCRUB, 1).await?;
        }
        tx.commit().await?;
        let mut total = 0;
        loop {
            let tx = self.write().await?;
            let some = Entity::find()
                .select_only()
                .column(Column::At)
                .column(Column::Id)
                .filter(condition.clone())
                .filter(Column::AnonymisedAt.is_null())
                .order_by_asc(Column::At)
                .limit(ANONYMISED_AT_ONCE)
                .into_query();
            let rows = anonymise(&tx.db(), some, self.is_sqlite(), at).await?;
            if rows > 0 {
                crate::counter::set(&tx.db(), crate::counter::SCRUB, 1).await?;
            }
            tx.commit().await?;
            total += rows;
            if rows < ANONYMISED_AT_ONCE {
                break;
            }
        }
        self.scrub().await?;
        Ok(total)
    }

    /// Takes what was deleted out of the files. SQLite overwrites the cells that it frees, but leaves
    /// copies behind when it moves cells between pages: only a rewritten file is known to hold none.
    async fn scrub(&self) -> Result<(), StoreError> {
        let pending = crate::counter::get(&self.read().db(), crate::counter::SCRUB).await?;
        if pending == 0 {
            return Ok(());
        }
        if self.is_sqlite() {
            self.writer().execute_unprepared("VACUUM").await.at(TABLE)?;
            self.empty_journal().await?;
        } else {
            self.writer().execute_unprepared("VACUUM trace, call_hour").await.at(TABLE)?;
        }
        let tx = self.write().await?;
        crate::counter::set(&tx.db(), crate::counter::SCRUB, 0).await?;
        tx.commit().await.map(|_| ())
    }

    /// Moves the journal of SQLite into the file and cuts it to nothing, once no reader needs it.
    async fn empty_journal(&self) -> Result<(), StoreError> {
        for _ in 0..50 {
            let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
            let row = self.writer().query_one_raw(statement).await.at(TABLE)?;
            let busy = row.map(|row| row.try_get_by_index::<i32>(0)).transpose().at(TABLE)?;
            if busy == Some(0) {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Err(StoreError::Unavailable(Cause::said("readers keep the journal from being emptied")))
    }
}

/// The key of a trace tells the millisecond, so it is replaced too.
async fn anonymise(
    db: &impl ConnectionTrait,
    some: sea_orm::sea_query::SelectStatement,
    sqlite: bool,
    at: Moment,
) -> Result<u64, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::Id, Expr::cust(if sqlite { "randomblob(16)" } else { "gen_random_uuid()" }))
        .col_expr(Column::At, Expr::cust(HOUR))
        .col_expr(Column::AnonymisedAt, Expr::value(at.micros()))
        .col_expr(Column::RequestId, Expr::value(None::<String>))
        .col_expr(Column::ApplicationId, Expr::value(None::<Uuid>))
        .col_expr(Column::OrganizationId, Expr::value(None::<Uuid>))
        .col_expr(Column::SubscriptionId, Expr::value(None::<Uuid>))
        .col_expr(Column::PermitId, Expr::value(None::<i64>))
        .col_expr(Column::Address, Expr::value(None::<String>))
        .filter(ExprTrait::in_subquery(Expr::tuple([Column::At.into_expr(), Column::Id.into_expr()]), some));
    Ok(update.exec(db).await.at(TABLE)?.rows_affected)
}

#[cfg(test)]
mod tests;
