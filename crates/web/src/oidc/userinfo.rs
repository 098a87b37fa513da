//! `GET` and `POST /oauth/userinfo`: of whom an access token is (OpenID Connect Core section 5.3, RFC 6750, RFC 9449).

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use octroi_app::sign_on::{Refusal, SignOnError, inspect::Scheme};
use octroi_oauth::foreign;

use super::form::{Sent, open, refusal, told};
use crate::dispatch::OpenCall;

/// `GET /oauth/userinfo`
pub async fn get(call: OpenCall) -> Response {
    let query = call.query.clone();
    match Sent::read(call, "GET").await {
        // RFC 9700 section 4.3.2: not in the address, where it stays in histories and logs.
        Ok(sent) if query.is_some_and(|query| query.contains("access_token=")) => challenge(
            &sent,
            Scheme::Bearer,
            &refusal(400, "invalid_request", "an access token has no place in the address: send it by the header Authorization"),
        ),
        // RFC 6750 section 2.2.
        Ok(sent) if sent.parameters.has("access_token") => {
            challenge(&sent, Scheme::Bearer, &refusal(400, "invalid_request", "an access token in a body goes with POST"))
        }
        Ok(sent) => answer(&sent).await,
        Err(response) => response,
    }
}

/// `POST /oauth/userinfo`
pub async fn post(call: OpenCall) -> Response {
    match Sent::read(call, "POST").await {
        Ok(sent) => answer(&sent).await,
        Err(response) => response,
    }
}

async fn answer(sent: &Sent) -> Response {
    let header = sent.authorization.as_deref().map(|header| header.split_once(' ').unwrap_or((header, "")));
    let (scheme, token) = match (header, sent.parameters.get("access_token")) {
        (None, None) => return nobody(sent),
        (Some(_), Some(_)) => return challenge(sent, Scheme::Bearer, &refusal(400, "invalid_request", "show the access token once")),
        (None, Some(token)) => (Scheme::Bearer, token),
        (Some((scheme, token)), None) if scheme.eq_ignore_ascii_case("bearer") => (Scheme::Bearer, token.trim()),
        (Some((scheme, token)), None) if scheme.eq_ignore_ascii_case("dpop") => (Scheme::Dpop, token.trim()),
        // What nobody offered is as good as nothing (RFC 6750 section 3.1).
        (Some(_), None) => return nobody(sent),
    };
    match sent.shared.web.app.userinfo(scheme, token, sent.presented()).await {
        Ok(answer) => sent.noted(told(answer, "application/jwt"), ""),
        Err(SignOnError::Refused(refusal)) => challenge(sent, scheme, &refusal),
        Err(failed) => sent.answer(failed),
    }
}

/// Nothing was shown: nothing is said to be wrong with it (RFC 6750 section 3.1).
fn nobody(sent: &Sent) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    for scheme in ["Bearer realm=\"octroi\"".to_owned(), format!("DPoP {}", algorithms())] {
        if let Ok(value) = HeaderValue::try_from(format!("{scheme}, {}", described(sent))) {
            response.headers_mut().append(header::WWW_AUTHENTICATE, value);
        }
    }
    sent.noted(open(response), "")
}

/// Where it is written what this address wants (RFC 9728 section 5.1).
fn described(sent: &Sent) -> String {
    format!("resource_metadata=\"{}/.well-known/oauth-protected-resource\"", sent.shared.public_url)
}

/// What proofs may be signed with (RFC 9449 section 7.1).
fn algorithms() -> String {
    format!("algs=\"{}\"", foreign::names().join(" "))
}

/// What is wrong, in the terms of the scheme by which the token was shown.
fn challenge(sent: &Sent, shown: Scheme, refusal: &Refusal) -> Response {
    let mut response = super::form::refused(refusal, false);
    let (code, described) = (refusal.code, described(sent));
    let proof = shown == Scheme::Dpop || matches!(code, "invalid_dpop_proof" | "use_dpop_nonce");
    let (scheme, more) = if proof { ("DPoP", format!(", {}", algorithms())) } else { ("Bearer", String::new()) };
    let scope = if code == "insufficient_scope" { ", scope=\"openid\"" } else { "" };
    let text =
        format!("{scheme} realm=\"octroi\", error=\"{code}\", error_description=\"{}\"{scope}{more}, {described}", refusal.description);
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    sent.noted(response, code)
}
