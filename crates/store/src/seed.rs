//! Many made-up requests and permits at once, as if they had come one by one: for measuring.

use octroi_domain::{Moment, Slug, access_request::AccessRequest, event::Event, permit::Permit};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryTrait, Statement};

use crate::{
    Page, Reader, RequestFilter, Store, StoreError, Tx, Visible, access_request, counter, error::At, ledger, lists::Rows, permit,
    row::CHUNK,
};

/// A request with everything that happened to it.
#[derive(Debug)]
pub struct Seeded {
    pub request: AccessRequest,
    /// What lists show.
    pub title: String,
    pub provider: Slug,
    pub submitted_at: Option<Moment>,
    pub decided_at: Option<Moment>,
    /// What it led to.
    pub permit: Option<Permit>,
    /// When, who, what; in order of time.
    pub events: Vec<(Moment, String, Event)>,
}

impl Tx {
    /// Takes as many numbers at once: the first of the requests, and the first of the permits.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn seed_numbers(&mut self, requests: i64, permits: i64) -> Result<(i64, i64), StoreError> {
        let mut first = [0, 0];
        for (first, (name, count)) in first.iter_mut().zip([(access_request::TABLE, requests), (permit::TABLE, permits)]) {
            *first = counter::get(&self.db(), name).await? + 1;
            counter::set(&self.db(), name, *first + count - 1).await?;
        }
        let [request, permit] = first;
        Ok((request, permit))
    }

    /// # Errors
    /// [`StoreError::Conflict`] when what a request points at is not there.
    pub async fn seed(&mut self, seeded: Vec<Seeded>) -> Result<(), StoreError> {
        let (mut requests, mut permits) = (Vec::with_capacity(seeded.len()), Vec::new());
        for one in &seeded {
            let mut row = access_request::model(&one.request, &one.title, one.provider.to_string())?;
            row.submitted_at = one.submitted_at.map(Moment::micros);
            row.decided_at = one.decided_at.map(Moment::micros);
            requests.push(row.into_active_model());
            self.wrote(one.request.header().id);
            if let Some(held) = &one.permit {
                permits.push(permit::model(held, &one.title, one.provider.to_string())?.into_active_model());
                self.wrote(held.grant().id);
            }
        }
        for rows in requests.chunks(CHUNK) {
            access_request::table::Entity::insert_many(rows.to_vec()).exec_without_returning(&self.db()).await.at(access_request::TABLE)?;
        }
        for rows in permits.chunks(CHUNK) {
            permit::table::Entity::insert_many(rows.to_vec()).exec_without_returning(&self.db()).await.at(permit::TABLE)?;
        }
        for (at, actor, event) in seeded.into_iter().flat_map(|one| one.events) {
            self.record(at, &actor, event.action(), &event.subject(), event.details());
        }
        Ok(())
    }
}

impl Store {
    /// How the database answers what a list of requests asks of it: for each statement its name and its plan, as the engine
    /// writes it, having run it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn list_plans(&self) -> Result<Vec<(&'static str, String)>, StoreError> {
        let reader = self.read();
        let (head, _) = reader.ledger_head().await?;
        let page = self.access_request_list(&RequestFilter::within(Visible::All), Page::first(50)).await?;
        let numbers: Vec<i64> = page.items.iter().map(|line| line.id.get()).collect();
        let engine = reader.db().get_database_backend();
        let statements = [
            ("the last entry of the ledger", ledger::head_query().build(engine)),
            ("what the last ten entries are about", ledger::subjects_query(head - 10, head).build(engine)),
            ("lines that changed", access_request::found_query(Rows::Numbers(numbers.get(..1).unwrap_or_default())).build(engine)),
            ("the rows of a page", access_request::page_query(&numbers).build(engine)),
        ];
        let mut plans = Vec::new();
        for (name, statement) in statements {
            plans.push((name, explain(&reader, statement).await?));
        }
        Ok(plans)
    }
}

async fn explain(reader: &Reader, statement: Statement) -> Result<String, StoreError> {
    let db = reader.db();
    let (words, column) = match statement.db_backend {
        DbBackend::Sqlite => ("EXPLAIN QUERY PLAN", 3),
        _ => ("EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF, TIMING OFF)", 0),
    };
    let statement = Statement { sql: format!("{words} {}", statement.sql), ..statement };
    let rows = db.query_all_raw(statement).await.at("plan")?;
    let lines: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get_by_index::<String>(column)).collect();
    Ok(lines.at("plan")?.join("\n"))
}
