//! The next public number. A row of its own rather than an identity column: no number is lost when
//! a transaction is rolled back, and both engines count alike.

use sea_orm::{
    ConnectionTrait,
    sea_query::{Alias, Expr, ExprTrait, Query},
};

use crate::{
    StoreError,
    error::{At, Cause},
};

const TABLE: &str = "counter";

/// Takes the next number of `name`; other takers wait until the transaction ends.
pub(crate) async fn next(db: &impl ConnectionTrait, name: &'static str) -> Result<i64, StoreError> {
    let value = Alias::new("value");
    let statement = Query::update()
        .table(Alias::new(TABLE))
        .value(value.clone(), Expr::col(value.clone()).add(1))
        .and_where(Expr::col(Alias::new("name")).eq(name))
        .returning_col(value)
        .to_owned();
    let row = db.query_one(&statement).await.at(TABLE)?;
    let row = row.ok_or(StoreError::Other { table: TABLE, cause: Cause::said("the counter is not there") })?;
    row.try_get_by_index::<i64>(0).at(TABLE)
}

/// Set while anonymised traces may still be in the files.
pub(crate) const SCRUB: &str = "trace_scrub";

pub(crate) async fn get(db: &impl ConnectionTrait, name: &'static str) -> Result<i64, StoreError> {
    let statement =
        Query::select().column(Alias::new("value")).from(Alias::new(TABLE)).and_where(Expr::col(Alias::new("name")).eq(name)).to_owned();
    let row = db.query_one(&statement).await.at(TABLE)?;
    row.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0).at(TABLE))
}

pub(crate) async fn set(db: &impl ConnectionTrait, name: &'static str, value: i64) -> Result<(), StoreError> {
    let statement = Query::update()
        .table(Alias::new(TABLE))
        .value(Alias::new("value"), value)
        .and_where(Expr::col(Alias::new("name")).eq(name))
        .to_owned();
    db.execute(&statement).await.at(TABLE).map(|_| ())
}
