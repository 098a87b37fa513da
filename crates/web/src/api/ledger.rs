//! The ledger: what happened, in order.

use octroi_app::{ledger::EntryView, view::List};
use serde::{Deserialize, Deserializer, de};
use utoipa::IntoParams;

use crate::{
    call::{Answer, Call, Reply},
    query::Limit,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// `D12` or `H12`: for whoever may read it; anything else is the operator's.
    subject: Option<String>,
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default, deserialize_with = "seq")]
    #[param(value_type = Option<String>)]
    cursor: Option<i64>,
}

fn seq<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let seq: Option<i64> = text.parse().ok().filter(|seq: &i64| *seq > 0 && seq.to_string() == text);
    seq.map(Some).ok_or_else(|| de::Error::custom("not a cursor: use the one that the previous page gave"))
}

/// Read the ledger, the latest first
#[utoipa::path(get, path = "/api/v1/ledger", tag = "ledger", params(Filter), responses((status = 200, body = List<EntryView>)))]
pub async fn list(call: Call, input: Filter) -> Answer {
    Reply::ok(&call.app().list_ledger(&call.context(), input.subject, input.cursor, input.limit.0).await?)
}
