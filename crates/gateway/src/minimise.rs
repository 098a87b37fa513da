//! Removes from an answer what no granted scope covers.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::{
    admit::Admitted,
    answer::{Outcoming, finish, ours},
    call::Call,
    denied::{Denied, Reason},
    forward::Incoming,
    mask::Mask,
};

/// Fields that speak of the body as it was, which would tell what was removed.
const OF_THE_BODY: [HeaderName; 8] = [
    header::CONTENT_LENGTH,
    header::ETAG,
    header::LAST_MODIFIED,
    header::ACCEPT_RANGES,
    header::CONTENT_RANGE,
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

fn forget_body(headers: &mut HeaderMap) {
    for name in &OF_THE_BODY {
        headers.remove(name);
    }
    headers.remove("content-md5");
    headers.remove("want-digest");
}

/// The mask for an answer of this status; none: it passes whole.
fn mask_of<'a>(status: StatusCode, mask: &'a Arc<Mask>, admitted: &'a Admitted) -> Option<&'a Mask> {
    if status.is_success() {
        return Some(mask);
    }
    let contract = admitted.operation().and_then(|operation| admitted.api().contracts.get(operation.contract));
    match contract.and_then(|contract| contract.mask.as_ref()) {
        Some(plan) => plan.error_mask(),
        // Never: there is a mask. Closed rather than open.
        None => Some(mask),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(media) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let media = media.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json")
        || media.get(media.len().saturating_sub(5)..).is_some_and(|end| end.eq_ignore_ascii_case("+json"))
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_ENCODING).iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Answers what of the upstream's answer may be shown.
pub(crate) async fn upstream_answer(
    status: StatusCode,
    mut headers: HeaderMap,
    is_head: bool,
    incoming: Box<Incoming>,
    mask: &Arc<Mask>,
    admitted: &Admitted,
    call: Box<Call>,
) -> Result<Response<Outcoming>, (Denied, Box<Call>)> {
    let Some(mask) = mask_of(status, mask, admitted) else {
        return Ok(finish(status, headers, call, |call| Outcoming::stream(incoming, call)));
    };
    let bodiless = is_head || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    if bodiless || status.is_redirection() {
        forget_body(&mut headers);
        // The body of a redirect says nothing that its Location does not.
        return Ok(ours(status, headers, Bytes::new(), call));
    }
    if incoming.is_end() {
        forget_body(&mut headers);
        return Ok(ours(status, headers, Bytes::new(), call));
    }
    if is_encoded(&headers) || !is_json(&headers) {
        return Err((Reason::AnswerNotMaskable.into(), call));
    }
    match incoming.collect(call.connection.worker.gateway.settings.max_masked_body).await {
        Ok(body) => answer(status, headers, &body, mask, call),
        Err(reason) => Err((reason.into(), call)),
    }
}

/// Answers what of a whole body may be shown; an empty one passes.
fn answer(
    status: StatusCode,
    mut headers: HeaderMap,
    body: &[u8],
    mask: &Mask,
    mut call: Box<Call>,
) -> Result<Response<Outcoming>, (Denied, Box<Call>)> {
    let mut shown = Vec::new();
    if !body.is_empty() {
        match mask.apply(body, &mut shown) {
            Ok(removed) => call.masked_fields = removed,
            Err(error) => {
                tracing::warn!(%error, request_id = call.request_id_text(), "an answer cannot be minimised");
                return Err((Reason::AnswerNotMaskable.into(), call));
            }
        }
    }
    forget_body(&mut headers);
    headers.remove(header::CONTENT_ENCODING);
    Ok(ours(status, headers, shown, call))
}

/// Answers what of a mocked answer may be shown.
pub(crate) fn mocked(
    status: StatusCode,
    content_type: &str,
    body: Bytes,
    is_head: bool,
    admitted: &Admitted,
    call: Box<Call>,
) -> Result<Response<Outcoming>, (Denied, Box<Call>)> {
    let mut headers = HeaderMap::new();
    if let Some(value) = Some(content_type).filter(|text| !text.is_empty()).and_then(|text| HeaderValue::from_str(text).ok()) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    let mask = admitted.mask().and_then(|mask| mask_of(status, mask, admitted));
    match mask {
        _ if is_head || body.is_empty() => Ok(ours(status, headers, Bytes::new(), call)),
        None => Ok(ours(status, headers, body, call)),
        Some(_) if !is_json(&headers) => Err((Reason::AnswerNotMaskable.into(), call)),
        Some(mask) => answer(status, headers, &body, mask, call),
    }
}
