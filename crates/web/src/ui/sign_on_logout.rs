//! The end of a session that a relying party asks for (OpenID Connect RP-Initiated Logout 1.0).

use askama::Template;
use axum::http::{HeaderValue, header};
use octroi_app::sign_on::{Refusal, SignOnError, logout::LogoutAsked};
use octroi_oauth::parameters::Parameters;

use super::{
    kit::Hidden,
    page::{Page, PageAnswer, PageCall, Shell},
    sign_on,
};
use crate::{oidc::pushed::LEAVING, principal::session_cookie};

#[derive(Template)]
#[template(path = "sign_on_logout.html")]
struct LogoutPage {
    shell: Shell,
    text: String,
    /// What was asked, to be asked again with the answer.
    hidden: Vec<Hidden>,
}

#[derive(Template)]
#[template(path = "sign_on_out.html")]
struct OutPage {
    shell: Shell,
}

/// `GET /oauth/logout`
pub async fn show(call: PageCall) -> PageAnswer {
    let waiting = call.remembered(LEAVING).filter(|_| call.raw_query.is_empty()).map(str::to_owned);
    let Some(posted) = waiting else { return shown(call, None).await };
    // It was for this once.
    let forget =
        format!("{LEAVING}=; Path=/oauth/logout; HttpOnly; SameSite=Lax; Max-Age=0{}", if call.shared.https { "; Secure" } else { "" });
    Ok(shown(call, Some(posted)).await?.cookie(&forget))
}

/// `posted`: what came in a form, not in the address.
async fn shown(call: PageCall, posted: Option<String>) -> PageAnswer {
    let (parameters, asked) = match read(&call, posted.as_deref().unwrap_or(&call.raw_query).as_bytes()).await {
        Ok(read) => read,
        Err(answer) => return answer,
    };
    if call.session.is_some() && !asked.proven {
        let w = call.words;
        let text = match &asked.client {
            Some(client) => w.of("sign-on-logout-by").with("client", client.clone()),
            None => w.of("sign-on-logout-text"),
        };
        return call.render(&LogoutPage {
            shell: call.shell(w.of("sign-on-logout-title")),
            text: text.into(),
            hidden: ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"]
                .into_iter()
                .filter_map(|name| parameters.owned(name).map(|value| Hidden { name: name.to_owned(), value }))
                .collect(),
        });
    }
    end(call, asked).await
}

/// `POST /oauth/logout/confirm`
pub async fn confirm(call: PageCall) -> PageAnswer {
    let pairs = call.form.pairs().filter(|(name, _)| *name != "choice");
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    match read(&call, body.as_bytes()).await {
        Ok((_, asked)) => end(call, asked).await,
        Err(answer) => answer,
    }
}

async fn read(call: &PageCall, encoded: &[u8]) -> Result<(Parameters, LogoutAsked), PageAnswer> {
    let refused = |refusal: &Refusal| sign_on::refused(call, refusal);
    let parameters = Parameters::read(encoded).map_err(|error| refused(&Refusal::new(400, "invalid_request", error.to_string())))?;
    match call.app().read_logout(&parameters, &call.context()).await {
        Ok(asked) => Ok((parameters, asked)),
        Err(SignOnError::Refused(refusal)) => Err(refused(&refusal)),
        Err(SignOnError::Failed(error)) => Err(Err(error.into())),
    }
}

/// Ends the session, and goes where the client wants.
async fn end(mut call: PageCall, asked: LogoutAsked) -> PageAnswer {
    if let Some(session) = &call.session {
        call.app().sign_out(&call.context(), &session.cookie).await?;
    }
    (call.session, call.me) = (None, None);
    let page = match asked.then {
        Some(address) if call.from_here || call.posted => sign_on::leave(&call, &address)?,
        Some(address) => Page::to(address),
        None => call.render(&OutPage { shell: call.shell(call.words.of("sign-on-out-title")) })?,
    };
    let cookie = session_cookie(&call.shared, None).unwrap_or_else(|| HeaderValue::from_static(""));
    Ok(page.with(header::SET_COOKIE, cookie))
}
