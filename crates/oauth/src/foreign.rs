//! JWTs that others signed (RFC 7515, RFC 8725): client assertions, DPoP proofs, ID tokens that come back as hints.
//! The algorithm is one that the caller allows, the key one that the caller knows; what a header says about
//! keys (`jku`, `x5u`, `x5c`) is never followed.

pub use jsonwebtoken::{
    Algorithm,
    jwk::{Jwk, JwkSet},
};
use jsonwebtoken::{DecodingKey, Validation};
use serde::de::DeserializeOwned;

use crate::jwt::{MAX_TOKEN, TokenError};

/// What clients may sign with: no shared secret can stand for a public key, and `none` is no member.
pub const ASYMMETRIC: [Algorithm; 9] = [
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::EdDSA,
];
/// What FAPI 2.0 (section 5.4.1) leaves of them.
pub const FAPI: [Algorithm; 3] = [Algorithm::ES256, Algorithm::PS256, Algorithm::EdDSA];

/// The header, unproven.
///
/// # Errors
/// `Malformed` for anything but three parts with a header of RFC 7515, or with extensions that must be understood (`crit`).
pub fn header(token: &str) -> Result<jsonwebtoken::Header, TokenError> {
    if token.len() > MAX_TOKEN || token.split('.').count() != 3 {
        return Err(TokenError::Malformed);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
    if header.crit.is_some() || header.extras.inner().contains_key("b64") {
        return Err(TokenError::Malformed);
    }
    Ok(header)
}

/// The claims, unproven: to find out whose keys to check them with.
///
/// # Errors
/// `Malformed`
pub fn unproven<T: DeserializeOwned>(token: &str) -> Result<T, TokenError> {
    header(token)?;
    jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| TokenError::Malformed)
}

/// The claims of a token that one of `keys` signed. Times, issuer and audience are the caller's to check.
///
/// # Errors
/// [`TokenError`]
pub fn verify<T: DeserializeOwned>(token: &str, keys: &JwkSet, allowed: &[Algorithm]) -> Result<T, TokenError> {
    let header = header(token)?;
    if !allowed.contains(&header.alg) {
        return Err(TokenError::Malformed);
    }
    let fits = |key: &&Jwk| {
        let named = header.kid.as_ref().is_none_or(|kid| key.common.key_id.as_ref().is_none_or(|known| known == kid));
        let meant = key.common.key_algorithm.is_none_or(|alg| alg == header.alg.into());
        named && meant
    };
    let mut outcome = Err(TokenError::UnknownKey);
    // RFC 7515, appendix D: several keys may fit; without a `kid` each is tried.
    for key in keys.keys.iter().filter(fits).take(20) {
        match with_key(token, key, header.alg) {
            Ok(claims) => return Ok(claims),
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

/// The claims of a token that this very key signed.
///
/// # Errors
/// [`TokenError`]
pub fn with_key<T: DeserializeOwned>(token: &str, key: &Jwk, algorithm: Algorithm) -> Result<T, TokenError> {
    let key = DecodingKey::from_jwk(key).map_err(|_| TokenError::UnknownKey)?;
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let read = jsonwebtoken::decode(token, &key, &validation).map_err(|error| match error.kind() {
        jsonwebtoken::errors::ErrorKind::Json(_) => TokenError::Malformed,
        _ => TokenError::BadSignature,
    })?;
    Ok(read.claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::{SigningAlgorithm, SigningKeyPair};
    use serde_json::{Value, json};

    fn pair(kid: &str, algorithm: SigningAlgorithm) -> (SigningKeyPair, Jwk) {
        let pair = SigningKeyPair::of(algorithm, kid, &SigningKeyPair::generate(algorithm).unwrap()).unwrap();
        let jwk = serde_json::from_value(serde_json::to_value(pair.jwk().unwrap()).unwrap()).unwrap();
        (pair, jwk)
    }

    #[test]
    fn the_key_that_signed_is_found() {
        let (one, first) = pair("one", SigningAlgorithm::Es256);
        let (two, second) = pair("two", SigningAlgorithm::EdDsa);
        let (stranger, _) = pair("one", SigningAlgorithm::Es256);
        let keys = JwkSet { keys: vec![first, second] };
        for signer in [&one, &two] {
            assert_eq!(verify(&signer.sign("JWT", &json!({"a": 1})).unwrap(), &keys, &ASYMMETRIC), Ok(json!({"a": 1})));
        }
        let forged = stranger.sign("JWT", &json!({})).unwrap();
        assert_eq!(verify::<Value>(&forged, &keys, &ASYMMETRIC), Err(TokenError::BadSignature));
        let token = two.sign("JWT", &json!({})).unwrap();
        assert_eq!(verify::<Value>(&token, &keys, &[Algorithm::ES256]), Err(TokenError::Malformed));
    }

    #[test]
    fn a_public_key_is_no_shared_secret() {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
        let (_, jwk) = pair("k", SigningAlgorithm::Es256);
        let keys = JwkSet { keys: vec![jwk] };
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "HS256", "kid": "k"}),
            json!({"alg": "ES256", "kid": "k", "crit": ["exp"], "exp": 1}),
            json!({"alg": "ES256", "kid": "k", "b64": false}),
            json!({"alg": "ES256", "kid": "k", "jku": "http://127.0.0.1:1/"}),
            json!({"kid": "k"}),
            json!([]),
        ] {
            let token = format!("{}.{}.{}", B64.encode(header.to_string()), B64.encode("{}"), B64.encode([0; 64]));
            assert!(verify::<Value>(&token, &keys, &ASYMMETRIC).is_err(), "{header}");
        }
        for token in ["", ".", "..", "...", "a.b.c.d.e"] {
            assert!(verify::<Value>(token, &keys, &ASYMMETRIC).is_err(), "{token}");
        }
    }
}
