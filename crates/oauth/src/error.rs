//! Errors of the OAuth endpoints, in the form of their RFC (RFC 6749 section 5.2).

use serde::Serialize;

/// Why the token, introspection or revocation endpoint refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// One sentence for an unknown client, a wrong secret and a revoked one.
    #[error(
        "the client could not be authenticated: check client_id and client_secret (those of an application are not the same in the sandbox as in production)"
    )]
    InvalidClient,
    #[error("this grant type is not offered: use client_credentials")]
    UnsupportedGrantType,
    #[error("the scope `{0}` is not granted to this client")]
    InvalidScope(String),
    #[error("this client may not ask for a token")]
    UnauthorizedClient,
    #[error("the service cannot answer now; try again shortly")]
    TemporarilyUnavailable,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_description: String,
}

impl OAuthError {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope(_) => "invalid_scope",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::InvalidClient => 401,
            Self::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }

    /// The JSON body.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        serde_json::to_vec(&Body { error: self.code(), error_description: self.to_string() }).unwrap_or_default()
    }
}
