//! Signing in and out, and who one is.

use axum::http::{StatusCode, header};
use octroi_app::{Error, sessions::MeView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    call::{Answer, Call, Reply},
    principal::session_cookie,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    #[schema(example = "applicant@mairie.example")]
    email: String,
    password: String,
    /// Of a second factor, where the account has one: the six digits that its application shows, or a recovery code.
    code: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct SignedInView {
    /// To be sent back in `X-CSRF-Token` with every change that the session makes.
    pub csrf_token: String,
    pub me: MeView,
}

/// Sign in
///
/// Opens a session: the answer sets the cookie and gives the CSRF token, once.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignIn, responses((status = 200, body = SignedInView), (status = 403, description = "A second factor is needed: send `code`"), (status = 429, description = "Too many attempts")))]
pub async fn sign_in(call: Call, input: SignIn) -> Answer {
    let step = call.app().sign_in(&input.email, &input.password, input.code.as_deref(), call.visitor(), call.now).await?;
    let signed_in = step.signed_in().ok_or(Error::SecondFactor)?;
    let cookie = session_cookie(&call.shared, Some(&signed_in.session))
        .ok_or_else(|| Error::Internal("a session that no cookie can hold".to_owned()))?;
    let reply = Reply::json(StatusCode::OK, &SignedInView { csrf_token: signed_in.csrf_token, me: signed_in.me })?;
    Ok(reply.with(header::SET_COOKIE, cookie))
}

/// Sign out
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub async fn sign_out(call: Call) -> Answer {
    let session = call.session.as_ref().ok_or(Error::SignIn)?;
    call.app().sign_out(&call.context(), &session.cookie).await?;
    let reply = Reply::no_content();
    Ok(match session_cookie(&call.shared, None) {
        Some(cookie) => reply.with(header::SET_COOKIE, cookie),
        None => reply,
    })
}

/// Who one is, where one belongs, and the roles one holds
#[utoipa::path(get, path = "/api/v1/me", tag = "session", responses((status = 200, body = MeView)))]
pub async fn me(call: Call) -> Answer {
    Reply::ok(&call.app().me(&call.context(), call.lacks_second_factor()).await?)
}
