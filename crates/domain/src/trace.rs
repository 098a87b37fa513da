//! One record per call through the gateway, permitted or not.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    Id, Moment, Number,
    api::ApiName,
    application::{Application, Subscription},
    organization::Organization,
    permit::Permit,
    stage::Stage,
};

/// What is kept of a call. Never the raw path, the query, a header or a body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    pub at: Moment,
    pub stage: Stage,
    pub request_id: String,
    /// None when no API was found at that path.
    pub api: Option<ApiName>,
    /// The route template, for example `GET /v3/things/{id}`.
    pub operation: Option<String>,
    pub status: u16,
    /// The code of the gateway's refusal; none when the upstream answered.
    pub refusal: Option<String>,
    /// From the first byte of the head to the last byte of the answer, microseconds.
    pub duration_us: u64,
    /// Of which waiting for the upstream's head, microseconds.
    pub upstream_us: u64,
    pub request_bytes: u64,
    pub response_bytes: u64,
    pub application: Option<Id<Application>>,
    pub organization: Option<Id<Organization>>,
    pub permit: Option<Number<Permit>>,
    pub subscription: Option<Id<Subscription>>,
    /// How many fields the mask removed.
    pub masked_fields: u32,
    /// The caller's network address.
    pub address: Option<IpAddr>,
}
