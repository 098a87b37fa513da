//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 section 6.2).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// The public half of an ECDSA P-256 key, for signatures with ES256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    pub crv: String,
    #[serde(rename = "use")]
    pub usage: String,
    pub alg: String,
    pub kid: String,
    pub x: String,
    pub y: String,
}
impl Jwk {
    /// From an uncompressed point (`04 || x || y`, 65 bytes); `None` for any other shape.
    #[must_use]
    pub fn p256(kid: &str, point: &[u8]) -> Option<Self> {
        let coordinates = point.strip_prefix(&[4_u8])?;
        if coordinates.len() != 64 {
            return None;
        }
        let (x, y) = coordinates.split_at_checked(32)?;
        Some(Self {
            kty: "EC".into(),
            crv: "P-256".into(),
            usage: "sig".into(),
            alg: "ES256".into(),
            kid: kid.into(),
            x: URL_SAFE_NO_PAD.encode(x),
            y: URL_SAFE_NO_PAD.encode(y),
        })
    }
}

/// A JWK Set (RFC 7517 section 5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JwkSet {
    pub keys: Vec<Jwk>,
}
