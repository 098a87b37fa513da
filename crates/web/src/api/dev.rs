//! Help for trying the product out; there only with the example data.

use octroi_app::{Error, mails::MailView, query::Cursor, view::List};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    call::{Answer, Call, Reply},
    query::{Limit, from_text, page},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Mails to this address only.
    to: Option<String>,
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Read the mails that the demo has sent, the latest first
#[utoipa::path(get, path = "/api/v1/dev/mailbox", tag = "demo", params(Filter), responses((status = 200, body = List<MailView>)))]
pub async fn mailbox(call: Call, input: Filter) -> Answer {
    if !call.app().settings().demo {
        return Err(Error::NotFound.into());
    }
    Reply::ok(&call.app().mailbox(input.to.as_deref(), page(input.limit, input.cursor), call.now).await?)
}
