//! Many traces as one parameter of one statement.
//!
//! Calls come in few kinds: what traces of one batch have in common (who called what, with which
//! outcome) is written once, with the calls that share it in a list. Both engines unfold it.

use std::{borrow::Cow, collections::HashMap, net::IpAddr};

use octroi_domain::{Id, Number, api::ApiName, stage::Stage, trace::Trace};
use uuid::Uuid;

use crate::row::{plain, signed};

pub(super) const SQLITE: &str = "\
WITH kind AS MATERIALIZED (SELECT value->>0 AS stage, value->>1 AS api, value->>2 AS provider, value->>3 AS operation, \
value->>4 AS status, value->>5 AS refusal, unhex(value->>6) AS application_id, unhex(value->>7) AS organization_id, \
value->>8 AS permit_id, unhex(value->>9) AS subscription_id, value->>10 AS address, value->11 AS calls FROM json_each(?1)) \
INSERT INTO trace (id, at, stage, request_id, api, provider, operation, status, refusal, duration_us, upstream_us, request_bytes, \
response_bytes, application_id, organization_id, permit_id, subscription_id, masked_fields, address) \
SELECT unhex(call.value->>0), call.value->>1, kind.stage, call.value->>2, kind.api, kind.provider, kind.operation, kind.status, \
kind.refusal, call.value->>3, call.value->>4, call.value->>5, call.value->>6, kind.application_id, kind.organization_id, \
kind.permit_id, kind.subscription_id, call.value->>7, kind.address FROM kind CROSS JOIN json_each(kind.calls) AS call";

pub(super) const POSTGRES: &str = "\
INSERT INTO trace (id, at, stage, request_id, api, provider, operation, status, refusal, duration_us, upstream_us, request_bytes, \
response_bytes, application_id, organization_id, permit_id, subscription_id, masked_fields, address) \
SELECT (call->>0)::uuid, (call->>1)::bigint, kind->>0, call->>2, kind->>1, kind->>2, kind->>3, (kind->>4)::bigint, \
kind->>5, (call->>3)::bigint, (call->>4)::bigint, (call->>5)::bigint, (call->>6)::bigint, (kind->>6)::uuid, (kind->>7)::uuid, \
(kind->>8)::bigint, (kind->>9)::uuid, (call->>7)::bigint, kind->>10 \
FROM jsonb_array_elements(CAST($1 AS jsonb)) AS kind CROSS JOIN LATERAL jsonb_array_elements(kind->11) AS call";

/// What the traces of one kind have in common.
#[derive(PartialEq, Eq, Hash)]
struct Kind<'a> {
    stage: Stage,
    api: Option<&'a ApiName>,
    operation: Option<&'a str>,
    status: u16,
    refusal: Option<&'a str>,
    application: Option<Uuid>,
    organization: Option<Uuid>,
    permit: Option<i64>,
    subscription: Option<Uuid>,
    address: Option<IpAddr>,
}
impl<'a> Kind<'a> {
    fn of(trace: &'a Trace) -> Self {
        Self {
            stage: trace.stage,
            api: trace.api.as_ref(),
            operation: trace.operation.as_deref(),
            status: trace.status,
            refusal: trace.refusal.as_deref(),
            application: trace.application.map(Id::uuid),
            organization: trace.organization.map(Id::uuid),
            permit: trace.permit.map(Number::get),
            subscription: trace.subscription.map(Id::uuid),
            address: trace.address,
        }
    }

    /// The columns of the kind, as the beginning of an array: without its end.
    fn open(&self, text: &mut Vec<u8>) -> serde_json::Result<()> {
        let hex = |id: Option<Uuid>| id.map(|id| id.simple().to_string());
        let columns = (
            self.stage.as_str(),
            self.api.map(ToString::to_string),
            self.api.map(|api| api.provider.as_str()),
            self.operation.map(plain_text),
            self.status,
            self.refusal.map(plain_text),
            hex(self.application),
            hex(self.organization),
            self.permit,
            hex(self.subscription),
            self.address.map(|address| address.to_string()),
        );
        serde_json::to_writer(&mut *text, &columns)?;
        text.pop();
        Ok(())
    }
}

fn plain_text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(plain(text)) } else { Cow::Borrowed(text) }
}

/// Keys that are as random as one of `Uuid::now_v7`, in the order in which they are asked for.
struct Keys(u128);
impl Keys {
    fn new() -> Self {
        Self(Uuid::now_v7().as_u128())
    }

    /// Counts in the random part (the low 62 bits), so that version and variant stay.
    fn next(&mut self) -> Uuid {
        const COUNTED: u128 = (1 << 62) - 1;
        self.0 = (self.0 & !COUNTED) | (self.0.wrapping_add(1) & COUNTED);
        Uuid::from_u128(self.0)
    }
}

/// The traces, by kind.
///
/// # Errors
/// Never for these types; it is serde's to say.
pub(super) fn json(traces: &[Trace]) -> serde_json::Result<String> {
    let mut places: HashMap<Kind<'_>, usize> = HashMap::new();
    let mut kinds: Vec<Vec<u8>> = Vec::new();
    let mut keys = Keys::new();
    let mut hex = [0; 32];
    for trace in traces {
        let kind = Kind::of(trace);
        let place = places.get(&kind).copied().unwrap_or(kinds.len());
        if place == kinds.len() {
            let mut text = Vec::with_capacity(256);
            kind.open(&mut text)?;
            text.extend_from_slice(b",[");
            kinds.push(text);
            places.insert(kind, place);
        } else if let Some(text) = kinds.get_mut(place) {
            text.push(b',');
        }
        let Some(text) = kinds.get_mut(place) else { continue };
        let call = (
            &*keys.next().simple().encode_lower(&mut hex),
            trace.at.micros(),
            plain_text(&trace.request_id),
            signed(trace.duration_us),
            signed(trace.upstream_us),
            signed(trace.request_bytes),
            signed(trace.response_bytes),
            trace.masked_fields,
        );
        serde_json::to_writer(text, &call)?;
    }
    let mut whole = vec![b'['];
    for (place, kind) in kinds.iter().enumerate() {
        if place > 0 {
            whole.push(b',');
        }
        whole.extend_from_slice(kind);
        whole.extend_from_slice(b"]]");
    }
    whole.push(b']');
    String::from_utf8(whole).map_err(<serde_json::Error as serde::ser::Error>::custom)
}
