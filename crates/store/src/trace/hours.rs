//! Calls gathered by the hour: written with the traces that they count, so that figures of many
//! calls read a few thousand rows however many calls there were.

use std::{collections::BTreeMap, fmt::Write as _, sync::LazyLock};

use octroi_domain::{
    Id, Moment,
    application::Application,
    trace::Trace,
    traffic::{CLASSES, Durations},
};
use sea_orm::{
    ConnectionTrait, DbBackend, Statement, StatementBuilder,
    sea_query::{Alias, Cond, Condition, Expr, ExprTrait, OnConflict, Order, Query, SelectStatement},
};
use uuid::Uuid;

use super::{TraceCount, TraceFilter, TraceVisible};
use crate::{
    Reader, StoreError,
    error::{At, Cause},
    row::{Row, plain},
    visible::texts,
};

const TABLE: &str = "call_hour";
const HOUR_US: i64 = 3_600_000_000;
/// Rows of one answer: a month of hours in as many outcomes as there can be.
const MOST: u64 = 20_000;
const STATISTICS: u64 = 10_000;
const KEY: [&str; 6] = ["api", "hour", "stage", "application_id", "status", "refusal"];

/// The beginning of the hour.
pub(super) const fn hour(at: Moment) -> i64 {
    at.micros().div_euclid(HOUR_US) * HOUR_US
}

fn class(place: usize) -> String {
    format!("d{place:02}")
}

/// The columns that are added up.
fn counts() -> impl Iterator<Item = String> {
    std::iter::once("calls".to_owned()).chain((0..CLASSES).map(class))
}

/// Calls of one hour with one outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourOfCalls {
    /// The beginning of the hour, in UTC.
    pub hour: Moment,
    pub status: u16,
    /// The code of the gateway's refusal; none when the upstream answered.
    pub refusal: Option<String>,
    pub durations: Durations,
}

/// What one application called; none: whoever is not known, or not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallsOfApplication {
    pub application: Option<Id<Application>>,
    pub calls: u64,
    /// Of which answered 4xx or 5xx, by the upstream or by the gateway.
    pub errors: u64,
    /// The beginning of the hour of its last call.
    pub last_hour: Moment,
}

/// One statement for a whole batch, given as JSON; its text never changes.
static SQLITE: LazyLock<String> = LazyLock::new(|| {
    let value = |place: usize| format!("value->>{place}");
    insert(&value, &|place| format!("unhex({})", value(place)), "json_each(?1) WHERE true")
});
static POSTGRES: LazyLock<String> = LazyLock::new(|| {
    let value = |place: usize| format!("(line->>{place})::bigint");
    let text = |place: usize| format!("line->>{place}");
    insert_of(&text, &value, &|place| format!("(line->>{place})::uuid"), "jsonb_array_elements(CAST($1 AS jsonb)) AS line")
});

fn insert(value: &dyn Fn(usize) -> String, id: &dyn Fn(usize) -> String, source: &str) -> String {
    insert_of(value, value, id, source)
}

fn insert_of(text: &dyn Fn(usize) -> String, number: &dyn Fn(usize) -> String, id: &dyn Fn(usize) -> String, source: &str) -> String {
    let mut names = format!("{}, organization_id", KEY.join(", "));
    let mut values = [text(0), number(1), text(2), id(3), number(4), text(5), id(6)].join(", ");
    let mut adding = Vec::new();
    for (place, name) in counts().enumerate() {
        let _ = write!(names, ", {name}");
        let _ = write!(values, ", {}", number(place + 7));
        adding.push(format!("{name} = {TABLE}.{name} + excluded.{name}"));
    }
    let (key, adding) = (KEY.join(", "), adding.join(", "));
    format!("INSERT INTO {TABLE} ({names}) SELECT {values} FROM {source} ON CONFLICT ({key}) DO UPDATE SET {adding}")
}

/// Adds the traces of a batch to their hours.
pub(super) async fn add(db: &impl ConnectionTrait, traces: &[Trace]) -> Result<(), StoreError> {
    // In the order of the key, so that two nodes never wait for each other in a circle.
    let mut hours: BTreeMap<_, (Option<Uuid>, Durations)> = BTreeMap::new();
    for trace in traces {
        let application = trace.application.map_or_else(Uuid::nil, Id::uuid);
        let refusal = trace.refusal.as_deref().unwrap_or_default();
        let key = (trace.api.as_ref(), hour(trace.at), trace.stage, application, trace.status, refusal);
        let (organization, durations) = hours.entry(key).or_default();
        *organization = trace.organization.map(Id::uuid);
        durations.add(trace.duration_us);
    }
    let mut rows = Vec::with_capacity(hours.len());
    for ((api, hour, stage, application, status, refusal), (organization, durations)) in hours {
        let mut row: Vec<serde_json::Value> = vec![
            api.map(ToString::to_string).unwrap_or_default().into(),
            hour.into(),
            stage.as_str().into(),
            application.simple().to_string().into(),
            status.into(),
            plain(refusal).into(),
            organization.map(|id| id.simple().to_string()).into(),
            durations.calls().into(),
        ];
        row.extend(durations.counts().iter().map(|count| (*count).into()));
        rows.push(row);
    }
    let rows = crate::row::json(TABLE, &rows)?;
    let (backend, sql) =
        if db.get_database_backend() == DbBackend::Sqlite { (DbBackend::Sqlite, &SQLITE) } else { (DbBackend::Postgres, &POSTGRES) };
    db.execute_raw(Statement::from_sql_and_values(backend, sql.as_str(), [rows.into()])).await.at(TABLE).map(|_| ())
}

fn column(name: &str) -> Expr {
    Expr::col((Alias::new(TABLE), Alias::new(name)))
}

/// The hours of a filter. What hours do not hold (a permit, a request id) finds nothing.
fn condition(filter: &TraceFilter) -> Condition {
    let visible = match &filter.visible {
        TraceVisible::All => Cond::all(),
        TraceVisible::Any { organizations, apis, providers } => {
            let owned = providers.iter().fold(Cond::any(), |owned, provider| owned.add(of_provider(provider.as_str())));
            // Each list is always there: an `any` of nothing would be true.
            let visible = Cond::any()
                .add(column("organization_id").is_in(organizations.iter().map(|id| id.uuid())))
                .add(column("api").is_in(texts(apis)));
            if providers.is_empty() { visible } else { visible.add(owned) }
        }
    };
    let class = filter.status_class.map(|class| i64::from(class) * 100);
    Cond::all()
        .add(visible)
        .add_option(filter.application.map(|id| column("application_id").eq(id.uuid())))
        .add_option(filter.organization.map(|id| column("organization_id").eq(id.uuid())))
        .add_option(filter.api.as_ref().map(|api| column("api").eq(api.to_string())))
        .add_option(filter.provider.as_ref().map(|provider| of_provider(provider.as_str())))
        .add_option(filter.stage.map(|stage| column("stage").eq(stage.as_str())))
        .add_option(class.map(|class| column("status").between(class, class + 99)))
        .add_option(filter.status.map(|status| column("status").eq(i64::from(status))))
        .add_option(filter.outcome.map(|outcome| outcome.condition(column("status"), &column("refusal"))))
        .add_option(filter.refusal.as_ref().map(|refusal| column("refusal").eq(plain(refusal))))
        .add_option(filter.from.map(|from| column("hour").gte(hour(from))))
        .add_option(filter.to.map(|to| column("hour").lt(to.micros())))
        .add_option((filter.permit.is_some() || filter.request_id.is_some()).then(|| Expr::cust("1 = 0")))
}

/// The name of an API begins with its provider's; `0` follows `/`.
fn of_provider(provider: &str) -> Condition {
    Cond::all().add(column("api").gte(format!("{provider}/"))).add(column("api").lt(format!("{provider}0")))
}

/// A sum that both engines give as a `bigint`.
fn sum(of: Expr) -> Expr {
    of.sum().cast_as(Alias::new("bigint"))
}

fn select(filter: &TraceFilter, key: &[&str]) -> SelectStatement {
    let mut query = Query::select();
    query.from(Alias::new(TABLE)).cond_where(condition(filter)).columns(key.iter().map(|name| Alias::new(*name)));
    query.group_by_columns(key.iter().map(|name| Alias::new(*name)));
    query
}

async fn tuples<T: sea_orm::TryGetableMany>(reader: &Reader, query: &impl StatementBuilder) -> Result<Vec<T>, StoreError> {
    let rows = reader.db().query_all(query).await.at(TABLE)?;
    rows.iter().map(|row| T::try_get_many_by_index(row).map_err(sea_orm::DbErr::from).at(TABLE)).collect()
}

impl Reader {
    /// Calls by hour, API and status: the latest hour first, at most 10,000 rows. Whole hours, from that of `from` on.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn trace_statistics(&self, filter: &TraceFilter) -> Result<Vec<TraceCount>, StoreError> {
        let mut query = select(filter, &["api", "status", "hour"]);
        query.expr(sum(column("calls")));
        query.order_by(Alias::new("hour"), Order::Desc).order_by(Alias::new("api"), Order::Asc).order_by(Alias::new("status"), Order::Asc);
        query.limit(STATISTICS);
        let rows: Vec<(String, i64, i64, i64)> = tuples(self, &query).await?;
        let count = |(api, status, hour, calls): (String, i64, i64, i64)| {
            let row = Row::new(TABLE, &hour);
            let api = (!api.is_empty()).then_some(api);
            let (status, calls) = (row.number("status", status)?, row.number("calls", calls)?);
            Ok(TraceCount { api: row.parse_option("api", api.as_deref())?, status, hour: Moment::from_micros(hour), calls })
        };
        rows.into_iter().map(count).collect()
    }

    /// Calls by hour and outcome, with how long they took: the latest hour first, at most 20,000 rows.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn calls_by_hour(&self, filter: &TraceFilter) -> Result<Vec<HourOfCalls>, StoreError> {
        let mut query = select(filter, &["hour", "status", "refusal"]);
        for place in 0..CLASSES {
            query.expr(sum(column(&class(place))));
        }
        query.order_by(Alias::new("hour"), Order::Desc).order_by(Alias::new("status"), Order::Asc).limit(MOST);
        let rows = self.db().query_all(&query).await.at(TABLE)?;
        let read = |found: &sea_orm::QueryResult| {
            let hour: i64 = found.try_get_by_index(0).at(TABLE)?;
            let row = Row::new(TABLE, &hour);
            let mut counts = [0; CLASSES];
            for (place, count) in counts.iter_mut().enumerate() {
                *count = row.number("calls", found.try_get_by_index(place + 3).at(TABLE)?)?;
            }
            let refusal: String = found.try_get_by_index(2).at(TABLE)?;
            Ok(HourOfCalls {
                hour: Moment::from_micros(hour),
                status: row.number("status", found.try_get_by_index(1).at(TABLE)?)?,
                refusal: (!refusal.is_empty()).then_some(refusal),
                durations: Durations::from_counts(counts),
            })
        };
        rows.iter().map(read).collect()
    }

    /// The beginning of the latest hour with such a call.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn calls_by_hour_latest(&self, filter: &TraceFilter) -> Result<Option<Moment>, StoreError> {
        let mut query = Query::select();
        query.from(Alias::new(TABLE)).cond_where(condition(filter)).expr(column("hour").max());
        let rows: Vec<(Option<i64>,)> = tuples(self, &query).await?;
        Ok(rows.first().and_then(|(hour,)| *hour).map(Moment::from_micros))
    }

    /// Who called most, the most first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn calls_by_application(&self, filter: &TraceFilter, limit: u32) -> Result<Vec<CallsOfApplication>, StoreError> {
        let mut query = select(filter, &["application_id"]);
        let failed = Expr::case(column("status").gte(400), column("calls")).finally(0);
        query.expr_as(sum(column("calls")), "total").expr(sum(failed.into())).expr(column("hour").max());
        query.order_by(Alias::new("total"), Order::Desc).order_by(Alias::new("application_id"), Order::Asc).limit(u64::from(limit));
        let rows: Vec<(Uuid, i64, i64, i64)> = tuples(self, &query).await?;
        let read = |(application, calls, errors, hour): (Uuid, i64, i64, i64)| {
            let row = Row::new(TABLE, &application);
            Ok(CallsOfApplication {
                application: (!application.is_nil()).then(|| Id::from_uuid(application)),
                calls: row.number("calls", calls)?,
                errors: row.number("calls", errors)?,
                last_hour: Moment::from_micros(hour),
            })
        };
        rows.into_iter().map(read).collect()
    }
}

/// Takes out who called, in the hours of the filter: at least what the traces of it lose, since an hour
/// is known whole or not at all. Whether there was any.
pub(super) async fn forget_callers(db: &impl ConnectionTrait, filter: &TraceFilter) -> Result<bool, StoreError> {
    if db.get_database_backend() == DbBackend::Postgres {
        // Calls that another node adds meanwhile wait for us.
        db.execute_unprepared("LOCK TABLE call_hour IN SHARE ROW EXCLUSIVE MODE").await.at(TABLE)?;
    }
    // A call with this permit or this request id is in some hour of the others.
    let wider = TraceFilter { permit: None, request_id: None, ..filter.clone() };
    let known = || condition(&wider).add(column("application_id").ne(Uuid::nil()));
    let rest = ["api", "hour", "stage", "status", "refusal"];
    let mut merged = Query::select();
    merged.from(Alias::new(TABLE)).cond_where(known()).columns(rest.map(Alias::new)).expr(Expr::val(Uuid::nil()));
    merged.group_by_columns(rest.map(Alias::new));
    let mut adding = OnConflict::columns(KEY.map(Alias::new));
    for name in counts() {
        merged.expr(sum(column(&name)));
        adding.value(Alias::new(&name), Expr::cust(format!("{TABLE}.{name} + excluded.{name}")));
    }
    let names = rest.into_iter().map(Alias::new).chain([Alias::new("application_id")]).chain(counts().map(Alias::new));
    let mut insert = Query::insert();
    insert.into_table(Alias::new(TABLE)).columns(names).on_conflict(adding);
    insert.select_from(merged).map_err(|_| StoreError::Other { table: TABLE, cause: Cause::said("columns and values differ") })?;
    db.execute(&insert).await.at(TABLE)?;
    let delete = Query::delete().from_table(Alias::new(TABLE)).cond_where(known()).to_owned();
    Ok(db.execute(&delete).await.at(TABLE)?.rows_affected() > 0)
}
