//! Help for trying the product out; there only with the example data.

use octroi_app::{Error, jobs::MailView, view::List};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::call::{Answer, Call, Reply};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Mails to this address only.
    to: Option<String>,
}

/// Read the mails that the demo has sent, the latest first
#[utoipa::path(get, path = "/api/v1/dev/mailbox", tag = "demo", params(Filter), responses((status = 200, body = List<MailView>)))]
pub async fn mailbox(call: Call, input: Filter) -> Answer {
    if !call.app().settings().demo {
        return Err(Error::NotFound.into());
    }
    let items = call.app().mailbox(input.to.as_deref(), call.now).await?;
    Reply::ok(&List { items, next: None })
}
