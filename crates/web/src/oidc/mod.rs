//! The OAuth endpoints of the portal: one file per endpoint. Their answers and refusals have the
//! form of their RFC, not the form of our problems.

pub mod connections;
pub mod form;
pub mod introspect;
pub mod jwks;
pub mod metadata;
pub mod pushed;
pub mod register;
pub mod revoke;
pub mod token;
pub mod userinfo;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use octroi_domain::stage::Stage;
use octroi_oauth::{error::OAuthError, introspection::ActiveToken, jwk::JwkSet, token_request::ClientRequest};
use serde::Serialize;

/// What the portal asks of the gateways; the binary implements it over their handles, so that a token
/// is issued and judged by the same code on the portal and on each listener.
pub trait TokenPort: Send + Sync {
    /// Answers a token request (RFC 6749 section 4.4). `stage` none: the stage of the client's own application.
    fn token(&self, stage: Option<Stage>, authorization: Option<&str>, content_type: Option<&str>, body: &[u8]) -> TokenAnswer;
    /// What an access token says, and its stage; `None` when it is not active now, on either stage.
    fn introspect(&self, token: &str) -> Option<(ActiveToken, Stage)>;
    /// The public keys that access tokens of both stages are verified with.
    fn jwks(&self) -> JwkSet;
    /// The stage of the client, when it authenticates; `None` for an unknown, suspended or wrong one.
    fn client_authenticates(&self, request: &ClientRequest) -> Option<Stage>;
}

/// The answer of the token endpoint, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Reads an application's request and authenticates the application: who, with what parameters, on which stage.
async fn authenticated(sent: &form::Sent) -> Result<(ClientRequest, Stage), Response> {
    let app = &sent.shared.web.app;
    let door = app.door(sent.presented()).await.map_err(|error| sent.answer(error))?;
    let request = ClientRequest::read(sent.authorization.as_deref(), sent.content_type.as_deref(), &sent.body);
    let request = request.map_err(|error| refused(&error))?;
    match sent.shared.web.tokens.client_authenticates(&request) {
        Some(stage) => {
            app.was_right(door, sent.now).await.map_err(|error| sent.answer(error))?;
            Ok((request, stage))
        }
        None => {
            app.was_wrong(door, sent.now).await.map_err(|error| sent.answer(error))?;
            Err(refused(&OAuthError::InvalidClient))
        }
    }
}

fn json(value: &impl Serialize) -> Response {
    let mut response = Response::new(Body::from(serde_json::to_vec(value).unwrap_or_default()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A refusal in the form of RFC 6749 section 5.2.
fn refused(error: &OAuthError) -> Response {
    let mut response = Response::new(Body::from(error.body()));
    *response.status_mut() = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match error {
        OAuthError::InvalidClient => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"octroi\""));
        }
        OAuthError::TemporarilyUnavailable => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    response
}

/// The store cannot tell: logged here, and said in one word outside.
fn unavailable(request_id: &str, error: &octroi_app::Error) -> Response {
    tracing::error!(request_id, %error, "an OAuth endpoint could not answer");
    refused(&OAuthError::TemporarilyUnavailable)
}
