//! A client that authenticates with a signed assertion (RFC 7521 section 4.2, RFC 7523 section 3): `private_key_jwt`.

use serde::Deserialize;

use crate::foreign::{self, Algorithm, JwkSet};

/// What `client_assertion_type` has to say.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// An assertion lives at most this many seconds: its `jti` is remembered for that long.
pub const LONGEST_LIFE: i64 = 3_600;
/// Seconds that its maker's clock may be ahead.
const AHEAD: i64 = 30;

/// `aud` is a text or a list of texts (RFC 7519 section 4.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Clone, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    jti: String,
    nbf: Option<i64>,
    iat: Option<i64>,
}

/// Whom an assertion may be meant for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub client_id: &'a str,
    pub issuer: &'a str,
    /// Addresses that count as well; FAPI 2.0 (section 5.3.2.1) and the update of RFC 7523 leave none: another server
    /// could have made the client name them.
    pub addresses: &'a [&'a str],
    /// Seconds since the epoch.
    pub now: i64,
}

/// Why an assertion is refused; outside it is `invalid_client`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    #[error("client_assertion: {0}")]
    Algorithm(String),
    #[error("the assertion is not a JWT with iss, sub, aud, exp and jti")]
    Malformed,
    #[error("the assertion is not signed with a registered key of the client")]
    Signature,
    #[error("iss and sub of the assertion have to be the client_id")]
    Subject,
    #[error("aud of the assertion has to be the issuer of this server")]
    Audience,
    #[error("the assertion is out of date, not yet good, or lives too long")]
    Time,
}

/// An assertion that is right, to be accepted once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    pub jti: String,
    /// Seconds since the epoch.
    pub expires: i64,
}

/// The client that an assertion claims to be from, unproven.
#[must_use]
pub fn claimed(assertion: &str) -> Option<String> {
    foreign::unproven::<Claims>(assertion).ok().map(|claims| claims.sub)
}

/// Is a `typ` that of an assertion? Nothing that was signed for another purpose is one (RFC 8725 section 3.11).
fn is_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "client-authentication+jwt")
}

/// Checks an assertion against the client's keys.
///
/// # Errors
/// [`AssertionError`]
pub fn check(assertion: &str, keys: &JwkSet, allowed: &[Algorithm], expected: Expected<'_>) -> Result<Assertion, AssertionError> {
    if let Some(why) = foreign::unaccepted(assertion, allowed) {
        return Err(AssertionError::Algorithm(why));
    }
    let typ = foreign::header(assertion).map_err(|_| AssertionError::Malformed)?.typ;
    if typ.as_deref().is_some_and(|typ| !is_type(typ)) {
        return Err(AssertionError::Malformed);
    }
    let claims: Claims = foreign::verify(assertion, keys, allowed).map_err(|error| match error {
        crate::jwt::TokenError::Malformed => AssertionError::Malformed,
        _ => AssertionError::Signature,
    })?;
    if claims.iss != expected.client_id || claims.sub != expected.client_id {
        return Err(AssertionError::Subject);
    }
    let meant = |aud: &String| aud == expected.issuer || expected.addresses.contains(&aud.as_str());
    let for_us = match &claims.aud {
        Audience::One(aud) => meant(aud),
        // A list of one means one; of several, others could use it too.
        Audience::Several(list) => !expected.addresses.is_empty() && list.len() == 1 && list.iter().all(meant),
    };
    if !for_us {
        return Err(AssertionError::Audience);
    }
    let latest = expected.now.saturating_add(AHEAD);
    let early = claims.nbf.is_some_and(|nbf| nbf > latest) || claims.iat.is_some_and(|iat| iat > latest);
    if claims.exp <= expected.now || claims.exp > expected.now.saturating_add(LONGEST_LIFE) || early {
        return Err(AssertionError::Time);
    }
    if claims.jti.is_empty() || claims.jti.len() > 256 {
        return Err(AssertionError::Malformed);
    }
    Ok(Assertion { jti: claims.jti, expires: claims.exp })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    use crate::{
        foreign::ASYMMETRIC,
        jwt::{SigningAlgorithm, SigningKeyPair},
    };

    const EXPECTED: Expected<'static> =
        Expected { client_id: "c", issuer: "https://op", addresses: &["https://op/oauth/token"], now: 1_000 };

    fn claims() -> Value {
        json!({"iss": "c", "sub": "c", "aud": "https://op", "exp": 1_060, "iat": 1_000, "jti": "1"})
    }

    #[test]
    fn an_assertion_is_for_one_server_and_a_short_time() {
        let key = SigningKeyPair::from_pkcs8("k", &SigningKeyPair::generate(SigningAlgorithm::Es256).unwrap()).unwrap();
        let keys: JwkSet = serde_json::from_value(json!({ "keys": [key.jwk()] })).unwrap();
        let read = |name: &str, value: Value, expected: Expected<'_>| {
            let mut claims = claims();
            claims[name] = value;
            check(&key.sign("JWT", &claims).unwrap(), &keys, &ASYMMETRIC, expected).map(|assertion| assertion.expires)
        };
        let strict = Expected { addresses: &[], ..EXPECTED };
        assert_eq!(read("aud", json!("https://op"), strict), Ok(1_060));
        assert_eq!(read("aud", json!("https://op/oauth/token"), EXPECTED), Ok(1_060));
        assert_eq!(read("aud", json!(["https://op/oauth/token"]), EXPECTED), Ok(1_060));
        for aud in [json!("https://op/oauth/token"), json!(["https://op"]), json!("https://op/"), json!("https://op/oauth/par")] {
            assert_eq!(read("aud", aud.clone(), strict), Err(AssertionError::Audience), "{aud}");
        }
        assert_eq!(read("aud", json!(["https://op", "https://other"]), EXPECTED), Err(AssertionError::Audience));
        assert_eq!(read("iss", json!("d"), EXPECTED), Err(AssertionError::Subject));
        assert_eq!(read("sub", json!("d"), EXPECTED), Err(AssertionError::Subject));
        assert_eq!(read("sub", Value::Null, EXPECTED), Err(AssertionError::Malformed));
        assert_eq!(read("jti", Value::Null, EXPECTED), Err(AssertionError::Malformed));
        assert_eq!(read("exp", json!(1_000), EXPECTED), Err(AssertionError::Time));
        assert_eq!(read("exp", json!(10_000), EXPECTED), Err(AssertionError::Time));
        // FAPI 2.0: eight seconds ahead are accepted, sixty are not.
        assert_eq!(read("nbf", json!(1_008), EXPECTED), Ok(1_060));
        assert_eq!(read("nbf", json!(1_060), EXPECTED), Err(AssertionError::Time));
        assert_eq!(read("iat", json!(1_060), EXPECTED), Err(AssertionError::Time));
        let stranger = SigningKeyPair::from_pkcs8("k", &SigningKeyPair::generate(SigningAlgorithm::Es256).unwrap()).unwrap();
        let forged = stranger.sign("JWT", &claims()).unwrap();
        assert_eq!(check(&forged, &keys, &ASYMMETRIC, EXPECTED), Err(AssertionError::Signature));
        assert_eq!(claimed(&forged).as_deref(), Some("c"));
    }
}
