//! JWTs that others signed (RFC 7515, RFC 8725): client assertions, DPoP proofs, ID tokens that come back as hints.
//! The algorithm is one that the caller allows, the key one that the caller knows; what a header says about
//! keys (`jku`, `x5u`, `x5c`) is never followed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
pub use jsonwebtoken::{
    Algorithm,
    jwk::{Jwk, JwkSet},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

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

/// The name that RFC 9864 gives to what RFC 8037 calls `EdDSA`, when the key is an Ed25519 one; ours always are.
const ED25519: &str = "Ed25519";

/// The algorithm of this name, by its old name or its new one.
#[must_use]
pub fn algorithm(name: &str) -> Option<Algorithm> {
    if name == ED25519 { Some(Algorithm::EdDSA) } else { name.parse().ok() }
}

/// What clients may sign with, by all the names that are understood.
#[must_use]
pub fn names() -> Vec<String> {
    ASYMMETRIC.iter().map(|algorithm| format!("{algorithm:?}")).chain([ED25519.to_owned()]).collect()
}

/// Why the algorithm in the header will not do, in words for the token's maker; none: it will, or none is named.
#[must_use]
pub fn unaccepted(token: &str, allowed: &[Algorithm]) -> Option<String> {
    let header: Value = decoded(token.split('.').next().filter(|part| part.len() <= MAX_TOKEN)).ok()?;
    let named = header.get("alg")?.as_str()?;
    if algorithm(named).is_some_and(|named| allowed.contains(&named)) {
        return None;
    }
    let named: String = named.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '_')).take(30).collect();
    Some(format!("the algorithm {named} is not accepted; sign with {}", listed(allowed)))
}

/// Algorithms in a sentence.
#[must_use]
pub fn listed(allowed: &[Algorithm]) -> String {
    let names: Vec<String> = allowed.iter().map(|algorithm| format!("{algorithm:?}")).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// Can what this key signs be accepted at all?
#[must_use]
pub fn is_usable(key: &Jwk, allowed: &[Algorithm]) -> bool {
    use jsonwebtoken::jwk::{AlgorithmParameters as Kind, EllipticCurve as Curve, PublicKeyUse};
    let could = |algorithm: Algorithm| match &key.algorithm {
        Kind::RSA(_) => format!("{algorithm:?}").starts_with(['R', 'P']),
        Kind::EllipticCurve(point) => {
            matches!((&point.curve, algorithm), (Curve::P256, Algorithm::ES256) | (Curve::P384, Algorithm::ES384))
        }
        Kind::OctetKeyPair(point) => point.curve == Curve::Ed25519 && algorithm == Algorithm::EdDSA,
        _ => false,
    };
    let signs = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
    signs && allowed.iter().any(|known| could(*known) && key.common.key_algorithm.is_none_or(|said| said == (*known).into()))
}

/// Says `EdDSA` for `Ed25519`, the one name that is read here.
fn with_old_name(members: &mut Value) {
    if let Some(alg) = members.get_mut("alg").filter(|alg| *alg == ED25519) {
        *alg = Value::from("EdDSA");
    }
}

/// One key; none when it is of a kind, or for an algorithm, that is not understood.
#[must_use]
pub fn key(mut members: Value) -> Option<Jwk> {
    with_old_name(&mut members);
    let key: Jwk = serde_json::from_value(members).ok()?;
    (key.common.key_algorithm != Some(jsonwebtoken::jwk::KeyAlgorithm::UNKNOWN_ALGORITHM)).then_some(key)
}

/// A set of keys. Those that are not understood are passed over (RFC 7517 section 5): one of a kind of tomorrow takes nothing
/// from the others.
#[must_use]
pub fn key_set(set: &[u8]) -> Option<JwkSet> {
    #[derive(Deserialize)]
    struct Published {
        keys: Vec<Value>,
    }
    let published: Published = serde_json::from_slice(set).ok()?;
    Some(JwkSet { keys: published.keys.into_iter().filter_map(key).collect() })
}

/// The keys of a client's metadata: the same; but a private half was meant to be kept, and says so.
///
/// # Errors
/// What is no set of public keys.
pub fn public_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<JwkSet>, D::Error> {
    #[derive(Deserialize)]
    struct Published {
        keys: Vec<Value>,
    }
    let Some(published) = Option::<Published>::deserialize(deserializer)? else { return Ok(None) };
    if published.keys.iter().any(has_private_half) {
        return Err(serde::de::Error::custom("a private key was sent: keep it, replace it, and send its public half"));
    }
    Ok(Some(JwkSet { keys: published.keys.into_iter().filter_map(key).collect() }))
}

/// Has this key members that only its owner may know (RFC 7518 section 6)?
#[must_use]
pub fn has_private_half(members: &Value) -> bool {
    ["d", "p", "q", "dp", "dq", "qi", "k", "oth"].iter().any(|member| members.get(member).is_some())
}

fn decoded<T: DeserializeOwned>(part: Option<&str>) -> Result<T, TokenError> {
    let bytes = part.and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).ok_or(TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

/// The header, unproven.
///
/// # Errors
/// `Malformed` for anything but three parts with a header of RFC 7515, or with extensions that must be understood (`crit`).
pub fn header(token: &str) -> Result<jsonwebtoken::Header, TokenError> {
    if token.len() > MAX_TOKEN || token.split('.').count() != 3 {
        return Err(TokenError::Malformed);
    }
    let mut members: Value = decoded(token.split('.').next())?;
    with_old_name(&mut members);
    let header: jsonwebtoken::Header = serde_json::from_value(members).map_err(|_| TokenError::Malformed)?;
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
    decoded(token.split('.').nth(1))
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
    if header(token)?.alg != algorithm {
        return Err(TokenError::Malformed);
    }
    let key = DecodingKey::from_jwk(key).map_err(|_| TokenError::UnknownKey)?;
    let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    match jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm) {
        Ok(true) => decoded(token.split('.').nth(1)),
        Ok(false) | Err(_) => Err(TokenError::BadSignature),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::{SigningAlgorithm, SigningKeyPair};
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
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

    /// RFC 9864: libraries of today say `Ed25519` where those of yesterday say `EdDSA`.
    #[test]
    fn ed25519_is_understood_by_both_its_names() {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
        let pkcs8 = SigningKeyPair::generate(SigningAlgorithm::EdDsa).unwrap();
        let signer = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(&pkcs8).unwrap();
        let pair = SigningKeyPair::of(SigningAlgorithm::EdDsa, "one", &pkcs8).unwrap();
        let mut published = serde_json::to_value(pair.jwk().unwrap()).unwrap();
        for name in ["Ed25519", "EdDSA"] {
            published["alg"] = json!(name);
            let keys = key_set(json!({ "keys": [published] }).to_string().as_bytes()).unwrap();
            for alg in ["Ed25519", "EdDSA"] {
                let signed = format!("{}.{}", B64.encode(json!({"alg": alg, "kid": "one"}).to_string()), B64.encode(r#"{"a":1}"#));
                let token = format!("{signed}.{}", B64.encode(signer.sign(signed.as_bytes())));
                assert_eq!(verify(&token, &keys, &ASYMMETRIC), Ok(json!({"a": 1})), "{name} {alg}");
                assert_eq!(verify::<Value>(&token, &keys, &[Algorithm::ES256]), Err(TokenError::Malformed), "{name} {alg}");
                let other = format!("{signed}.{}", B64.encode([0; 64]));
                assert_eq!(verify::<Value>(&other, &keys, &ASYMMETRIC), Err(TokenError::BadSignature), "{name} {alg}");
            }
        }
    }

    #[test]
    fn who_signs_with_something_else_is_told_so() {
        let token = |header: Value| format!("{}.e30.AAAA", B64.encode(header.to_string()));
        for (alg, words) in [
            ("RS256", "the algorithm RS256 is not accepted; sign with ES256, PS256 or EdDSA"),
            ("ES512", "the algorithm ES512 is not accepted; sign with ES256, PS256 or EdDSA"),
            ("a\"<b>", "the algorithm ab is not accepted; sign with ES256, PS256 or EdDSA"),
        ] {
            assert_eq!(unaccepted(&token(json!({ "alg": alg })), &FAPI).as_deref(), Some(words));
        }
        for alg in ["PS256", "Ed25519"] {
            assert_eq!(unaccepted(&token(json!({ "alg": alg })), &FAPI), None);
        }
        for nothing in ["", "x", &token(json!({})), &token(json!([])), &token(json!({ "alg": 7 }))] {
            assert_eq!(unaccepted(nothing, &FAPI), None);
        }
    }

    #[test]
    fn some_keys_can_never_do() {
        let (_, es256) = pair("k", SigningAlgorithm::Es256);
        let (_, rs256) = pair("k", SigningAlgorithm::Rs256);
        let (_, eddsa) = pair("k", SigningAlgorithm::EdDsa);
        assert!(is_usable(&es256, &FAPI) && is_usable(&eddsa, &FAPI) && is_usable(&rs256, &ASYMMETRIC));
        assert!(!is_usable(&rs256, &FAPI), "it is said to be for RS256");
        let any = Jwk { common: jsonwebtoken::jwk::CommonParameters { key_algorithm: None, ..rs256.common.clone() }, ..rs256 };
        assert!(is_usable(&any, &FAPI));
        for never in [
            json!({"kty": "EC", "crv": "P-521", "x": "AAAA", "y": "AAAA"}),
            json!({"kty": "RSA", "use": "enc", "n": "AAAA", "e": "AQAB"}),
            json!({"kty": "RSA", "alg": "RSA-OAEP", "n": "AAAA", "e": "AQAB"}),
        ] {
            assert!(!is_usable(&key(never.clone()).unwrap(), &ASYMMETRIC), "{never}");
        }
    }

    /// RFC 7517 section 5.
    #[test]
    fn keys_of_an_unknown_kind_are_passed_over() {
        let (one, jwk) = pair("one", SigningAlgorithm::Es256);
        let published = json!({"keys": [
            {"kty": "AKP", "alg": "ML-DSA-44", "kid": "one", "pub": "AAAA"},
            {"kty": "EC", "crv": "secp256k1", "kid": "one", "x": "AAAA", "y": "AAAA"},
            {"kty": "RSA", "alg": "RSA1_6", "kid": "one", "n": "AAAA", "e": "AQAB"},
            7,
            jwk,
        ]});
        let keys = key_set(published.to_string().as_bytes()).unwrap();
        assert_eq!(verify(&one.sign("JWT", &json!({"a": 1})).unwrap(), &keys, &ASYMMETRIC), Ok(json!({"a": 1})));
        for nothing in ["", "[]", "{}", r#"{"keys":{}}"#] {
            assert!(key_set(nothing.as_bytes()).is_none(), "{nothing}");
        }
    }
}
