//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// The public half of a key that we sign with: ECDSA P-256, RSA or Ed25519.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    #[serde(rename = "use")]
    pub usage: String,
    pub kid: String,
    #[serde(flatten)]
    pub key: PublicKey,
}

/// What differs between kinds of keys. Numbers are base64url without padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
pub enum PublicKey {
    #[serde(rename = "EC")]
    Ec { alg: String, crv: String, x: String, y: String },
    #[serde(rename = "RSA")]
    Rsa { alg: String, n: String, e: String },
    #[serde(rename = "OKP")]
    Okp { alg: String, crv: String, x: String },
}

impl Jwk {
    fn new(kid: &str, key: PublicKey) -> Self {
        Self { usage: "sig".into(), kid: kid.into(), key }
    }

    /// For ES256, from an uncompressed point (`04 || x || y`, 65 bytes); `None` for any other shape.
    #[must_use]
    pub fn p256(kid: &str, point: &[u8]) -> Option<Self> {
        let coordinates = point.strip_prefix(&[4_u8])?;
        if coordinates.len() != 64 {
            return None;
        }
        let (x, y) = coordinates.split_at_checked(32)?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        Some(Self::new(kid, PublicKey::Ec { alg: "ES256".into(), crv: "P-256".into(), x, y }))
    }

    /// For RS256, from modulus and exponent, big-endian without leading zeros.
    #[must_use]
    pub fn rsa(kid: &str, modulus: &[u8], exponent: &[u8]) -> Self {
        let (n, e) = (URL_SAFE_NO_PAD.encode(modulus), URL_SAFE_NO_PAD.encode(exponent));
        Self::new(kid, PublicKey::Rsa { alg: "RS256".into(), n, e })
    }

    /// For EdDSA, from the 32 bytes of the public key.
    #[must_use]
    pub fn ed25519(kid: &str, key: &[u8]) -> Self {
        Self::new(kid, PublicKey::Okp { alg: "EdDSA".into(), crv: "Ed25519".into(), x: URL_SAFE_NO_PAD.encode(key) })
    }

    /// The algorithm that it verifies (RFC 7518 section 3.1).
    #[must_use]
    pub fn alg(&self) -> &str {
        match &self.key {
            PublicKey::Ec { alg, .. } | PublicKey::Rsa { alg, .. } | PublicKey::Okp { alg, .. } => alg,
        }
    }
}

/// A JWK Set (RFC 7517 section 5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JwkSet {
    pub keys: Vec<Jwk>,
}
