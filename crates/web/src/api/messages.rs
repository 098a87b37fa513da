//! What is written about a request, and what happened to it.

use octroi_app::{
    messages::{MessageView, MessagesView, SeenView},
    timeline::TimelineEntry,
};
use octroi_domain::{Number, access_request::AccessRequest};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    call::{Answer, Call, Reply},
    problem::Failure,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMessage)]
pub struct Send {
    /// 1 to 5,000 characters.
    text: String,
}

fn id(call: &Call) -> Result<Number<AccessRequest>, Failure> {
    call.id("id")
}

/// Read the messages of a request
///
/// Reading them marks nothing as seen.
#[utoipa::path(get, path = "/api/v1/access-requests/{id}/messages", tag = "access requests", params(("id" = String, Path, example = "D1")), responses((status = 200, body = MessagesView)))]
pub async fn list(call: Call) -> Answer {
    let id = id(&call)?;
    Reply::ok(&call.app().list_messages(&call.context(), id).await?)
}

/// Write to the other side of a request
///
/// The applicant writes to the reviewers, a reviewer to the applicant. The other side gets a mail, and its own messages count as seen.
#[utoipa::path(post, path = "/api/v1/access-requests/{id}/messages", tag = "access requests", params(("id" = String, Path, example = "D1")), request_body = Send, responses((status = 201, body = MessageView)))]
pub async fn send(call: Call, input: Send) -> Answer {
    let id = id(&call)?;
    Reply::done(call.app().send_message(&call.context(), id, input.text).await?)
}

/// Say that the other side's messages were seen
#[utoipa::path(post, path = "/api/v1/access-requests/{id}/messages/seen", tag = "access requests", params(("id" = String, Path, example = "D1")), responses((status = 200, body = SeenView)))]
pub async fn see(call: Call) -> Answer {
    let id = id(&call)?;
    Reply::done(call.app().see_messages(&call.context(), id).await?)
}

/// Read what happened to a request and its permit, the first thing first
#[utoipa::path(get, path = "/api/v1/access-requests/{id}/timeline", tag = "access requests", params(("id" = String, Path, example = "D1")), responses((status = 200, body = Vec<TimelineEntry>)))]
pub async fn timeline(call: Call) -> Answer {
    let id = id(&call)?;
    Reply::ok(&call.app().timeline(&call.context(), id).await?)
}
