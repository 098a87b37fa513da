//! What we say of a person to a client: ID tokens (OpenID Connect Core section 2), logout tokens (Back-Channel Logout
//! section 2.4), access tokens for people (RFC 9068), and the person's own answer that comes back as a hint.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::jwt::SigningAlgorithm;

pub const ID_TOKEN: &str = "JWT";
pub const LOGOUT_TOKEN: &str = "logout+jwt";
pub const INTROSPECTION: &str = "token-introspection+jwt";
/// The event that a logout token tells (Back-Channel Logout section 2.4).
pub const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Claims of an ID token. Times are seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdTokenClaims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub exp: i64,
    pub iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// What the client asked for beyond these.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// Claims of a logout token: never a nonce.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogoutTokenClaims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub iat: i64,
    pub exp: i64,
    pub jti: String,
    pub sid: String,
    pub events: Value,
}

/// Whose key a token is bound to (RFC 7800): by DPoP (RFC 9449 section 6) or by a certificate (RFC 8705 section 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Confirmation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    #[serde(default, rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
}

/// Claims of an access token of a person's grant, or of a client of the sign-on itself (RFC 9068 section 2.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrantTokenClaims {
    pub iss: String,
    pub sub: String,
    /// One audience, or a list of several.
    pub aud: Value,
    pub client_id: String,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// The grant that it belongs to: it ends with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub octroi_grant: Option<String>,
}
impl GrantTokenClaims {
    /// Is it meant for this audience?
    #[must_use]
    pub fn is_for(&self, audience: &str) -> bool {
        match &self.aud {
            Value::String(one) => one == audience,
            Value::Array(several) => several.iter().any(|one| one == audience),
            _ => false,
        }
    }
}

/// The left half of a token's hash (OpenID Connect Core section 3.1.3.6): with the hash of the signature's algorithm,
/// which is SHA-512 for Ed25519.
#[must_use]
pub fn left_half(algorithm: SigningAlgorithm, token: &str) -> String {
    let hash = match algorithm {
        SigningAlgorithm::Es256 | SigningAlgorithm::Rs256 => digest::digest(&digest::SHA256, token.as_bytes()),
        SigningAlgorithm::EdDsa => digest::digest(&digest::SHA512, token.as_bytes()),
    };
    let half = hash.as_ref().len() / 2;
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..half).unwrap_or_default())
}

/// A subject that only one sector knows (OpenID Connect Core section 8.1): the same person has another elsewhere, and
/// without the salt nobody can tell which belongs to which.
#[must_use]
pub fn pairwise(salt: &[u8], sector: &str, subject: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, salt);
    URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, format!("{sector}\n{subject}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// OpenID Connect Core, appendix A.3.
    #[test]
    fn the_hash_of_the_standard() {
        assert_eq!(left_half(SigningAlgorithm::Rs256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(left_half(SigningAlgorithm::EdDsa, "x").len(), 43);
    }

    #[test]
    fn claims_that_are_not_there_are_not_written() {
        let claims = IdTokenClaims {
            iss: "i".into(),
            sub: "s".into(),
            aud: "a".into(),
            exp: 2,
            iat: 1,
            auth_time: None,
            nonce: None,
            acr: None,
            amr: Vec::new(),
            sid: None,
            at_hash: None,
            others: Map::from_iter([("email".to_owned(), json!("a@b"))]),
        };
        assert_eq!(serde_json::to_value(&claims).unwrap(), json!({"iss": "i", "sub": "s", "aud": "a", "exp": 2, "iat": 1, "email": "a@b"}));
    }

    #[test]
    fn sectors_know_different_subjects() {
        assert_eq!(pairwise(b"salt", "a.example", "u"), pairwise(b"salt", "a.example", "u"));
        assert_ne!(pairwise(b"salt", "a.example", "u"), pairwise(b"salt", "b.example", "u"));
        assert_ne!(pairwise(b"salt", "a.example", "u"), pairwise(b"other", "a.example", "u"));
    }
}
