//! Public statistics.

use octroi_app::statistics::Statistics;

use crate::call::{Answer, Call, Reply};

/// Read the statistics of the platform
///
/// Totals of requests, decisions, permits and calls; at most a minute old.
#[utoipa::path(get, path = "/api/v1/statistics", tag = "public", responses((status = 200, body = Statistics)))]
pub async fn read(call: Call) -> Answer {
    Reply::ok(call.app().statistics(&call.context()).await?.as_ref())
}
