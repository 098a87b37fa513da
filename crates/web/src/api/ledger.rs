//! The ledger: what happened, in order.

use axum::http::StatusCode;
use octroi_app::{
    ledger::{EntryView, LedgerQuery, VerificationView},
    view::List,
};
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
    /// `user:<id>`, `application:<id>`, `system` or `operator-shell`.
    actor: Option<String>,
    /// For example `permit.granted`.
    action: Option<String>,
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
    let query = LedgerQuery { subject: input.subject, actor: input.actor, action: input.action };
    Reply::ok(&call.app().list_ledger(&call.context(), query, input.cursor, input.limit.0).await?)
}

/// Begin to verify the whole ledger
///
/// Answers at once; the list of verifications tells how far it is. While one is under way, it is that one that is answered.
#[utoipa::path(post, path = "/api/v1/ledger/verifications", tag = "ledger", responses((status = 202, body = VerificationView)))]
pub async fn verify(call: Call) -> Answer {
    Reply::json(StatusCode::ACCEPTED, &call.app().verify_ledger(&call.context()).await?)
}

/// List the latest verifications of the ledger
#[utoipa::path(get, path = "/api/v1/ledger/verifications", tag = "ledger", responses((status = 200, body = Vec<VerificationView>)))]
pub async fn verifications(call: Call) -> Answer {
    Reply::ok(&call.app().list_verifications(&call.context()).await?)
}
