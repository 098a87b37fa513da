//! From columns to the domain's words and back.

use std::{fmt::Display, str::FromStr};

use octroi_domain::{canonical::Sha256Hash, stage::Stage};
use sea_orm::{
    ColumnTrait,
    sea_query::{Expr, ExprTrait},
};
use serde::{
    Serialize,
    de::{DeserializeOwned, IntoDeserializer},
};
use serde_json::Value;

use crate::{
    StoreError,
    error::{At, Cause},
};

/// One row that is being read: what an error names.
pub(crate) struct Row<'a> {
    pub(crate) table: &'static str,
    pub(crate) key: &'a (dyn Display + Sync),
}

impl<'a> Row<'a> {
    pub(crate) const fn new(table: &'static str, key: &'a (dyn Display + Sync)) -> Self {
        Self { table, key }
    }

    pub(crate) fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column, row: self.key.to_string() }
    }

    pub(crate) fn parse<T: FromStr>(&self, column: &'static str, text: &str) -> Result<T, StoreError> {
        text.parse().map_err(|_| self.corrupt(column))
    }

    pub(crate) fn parse_option<T: FromStr>(&self, column: &'static str, text: Option<&str>) -> Result<Option<T>, StoreError> {
        text.map(|text| self.parse(column, text)).transpose()
    }

    /// One word of a closed set, as serde spells it.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &'static str, text: &str) -> Result<T, StoreError> {
        let deserializer: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
        T::deserialize(deserializer).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str, text: &str) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &'static str, number: i64) -> Result<T, StoreError> {
        T::try_from(number).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn bytes32(&self, column: &'static str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
        bytes.try_into().map_err(|_| self.corrupt(column))
    }

    pub(crate) fn hash(&self, column: &'static str, bytes: &[u8]) -> Result<Sha256Hash, StoreError> {
        self.bytes32(column, bytes).map(Sha256Hash)
    }

    pub(crate) fn stage(&self, text: &str) -> Result<Stage, StoreError> {
        self.parse("stage", text)
    }
}

/// The word of a value of a closed set, as serde spells it.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// JSON text for a column.
///
/// # Errors
/// [`StoreError::Other`] when the value has no JSON form.
pub(crate) fn json<T: Serialize>(table: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Other { table, cause: Cause::said("the value has no JSON form") })
}

/// Unsigned numbers are stored in signed columns; what does not fit is kept at the largest.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A compare-and-set that touched no row was stale.
pub(crate) fn touched(result: Result<u64, sea_orm::DbErr>, table: &'static str) -> Result<(), StoreError> {
    if result.at(table)? == 0 { Err(StoreError::stale(table)) } else { Ok(()) }
}

/// How many values go into one list of a statement.
pub(crate) const CHUNK: usize = 500;

/// `(at, id)` below the cursor: the rows after it in a list that goes from new to old.
pub(crate) fn before<C: ColumnTrait>(at: C, id: C, after: (i64, impl Into<sea_orm::Value>)) -> Expr {
    let after = Expr::tuple([Expr::val(after.0), Expr::val(after.1)]);
    ExprTrait::lt(Expr::tuple([at.into_expr(), id.into_expr()]), after)
}
