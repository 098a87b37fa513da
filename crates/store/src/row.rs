//! From columns to the domain's words and back.

use std::{fmt::Display, str::FromStr};

use octroi_domain::{canonical::Sha256Hash, fold, stage::Stage};
use sea_orm::{
    ColumnTrait, Condition,
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

/// PostgreSQL refuses a zero character in a text, which SQLite would keep: neither is given one.
pub(crate) fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// JSON text for a column. It holds no zero character, for JSON escapes it.
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

/// Each word of what was typed must begin a word of the folded text. Digits typed apart are one number: a SIRET.
pub(crate) fn beginnings<C: ColumnTrait>(column: C, text: &str) -> Condition {
    let mut words = fold::words(text);
    if words.iter().all(|word| word.bytes().all(|b| b.is_ascii_digit())) && !words.is_empty() {
        words = vec![words.concat()];
    }
    // What is folded holds letters, digits and spaces alone, nothing that LIKE reads otherwise.
    words
        .into_iter()
        .take(8)
        .fold(Condition::all(), |condition, word| condition.add(column.like(format!("% {}%", word.chars().take(100).collect::<String>()))))
}

#[cfg(test)]
mod tests {
    use crate::{
        Page, RequestFilter, TraceFilter, TraceVisible, Visible,
        testing::{Town, at, each},
    };

    /// A zero character, which a client can always send, is an answer like any other on both engines.
    #[test]
    fn a_zero_character_breaks_nothing() {
        each(async |store| {
            let town = Town::found(&store).await;
            let reader = store.read();
            assert_eq!(reader.user_by_email("a\0da@ville.example").await.unwrap(), None);
            assert_eq!(store.login_attempt("a\0da", at(0), 60).await.unwrap(), 1);
            assert_eq!(reader.login_attempts("a\0da", at(0), 60).await.unwrap(), 1);
            let filter = RequestFilter { text: Some("x\0y".into()), ..RequestFilter::within(Visible::All) };
            assert_eq!(store.access_request_list(&filter, Page::first(1)).await.unwrap().items, []);
            let filter = TraceFilter { request_id: Some("\0".into()), ..TraceFilter::within(TraceVisible::All) };
            assert_eq!(reader.trace_count(&filter).await.unwrap(), 0);
            let mut tx = store.write().await.unwrap();
            let id = tx.access_request_next().await.unwrap();
            let mut header = town.header(id);
            header.answers = octroi_domain::definition::Answers::trusted([("x".to_owned(), serde_json::json!("a\0b"))].into());
            let request =
                octroi_domain::access_request::AccessRequest::from_parts(header, octroi_domain::access_request::StateRecord::Draft);
            tx.access_request_insert(&request, "a\0b").await.unwrap();
            crate::testing::tell(&mut tx, &octroi_domain::event::Event::RequestCreated { request: id });
            tx.record(at(0), "user:\0", "x", "y\0", serde_json::json!({"z\0": "\0"}));
            tx.commit().await.unwrap();
            assert_eq!(reader.access_request_by_number(id).await.unwrap(), Some(request));
            assert!(matches!(store.verify_ledger(|_| ()).await.unwrap(), crate::Verdict::Sound(_)));
        });
    }
}
