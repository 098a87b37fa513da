//! Signed JWTs (RFC 7519, RFC 7515). What the gateway accepts was signed by ourselves with ES256 (RFC 7518
//! section 3.4): there is one algorithm, and a header that says another is refused. What relying parties get
//! may be signed with RS256 (section 3.3) or EdDSA (RFC 8037) too, as each client asks.

use std::collections::HashMap;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
        UnparsedPublicKey,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::jwk::Jwk;

/// A longer token is refused before anything in it is read.
pub const MAX_TOKEN: usize = 8_192;

/// The `typ` of an access token (RFC 9068 section 2.1).
pub const ACCESS_TOKEN: &str = "at+jwt";

/// How we sign (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}
impl SigningAlgorithm {
    pub const ALL: [Self; 3] = [Self::Es256, Self::Rs256, Self::EdDsa];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the key is not a PKCS#8 private key of its algorithm")]
    Rejected,
    #[error("the system could not make or use a key")]
    System,
}

/// Bits of a new RSA key: 128 bits of security, as long as a P-256 or Ed25519 key gives.
const RSA_BITS: KeySize = KeySize::Rsa3072;

enum Pair {
    Es256(EcdsaKeyPair),
    Rs256(Box<RsaKeyPair>),
    EdDsa(Ed25519KeyPair),
}

/// A key pair, parsed once: signing costs the signature alone.
pub struct SigningKeyPair {
    kid: String,
    pair: Pair,
    random: SystemRandom,
}
impl SigningKeyPair {
    /// An ES256 key.
    ///
    /// # Errors
    /// When the bytes are not a PKCS#8 ECDSA P-256 private key.
    pub fn from_pkcs8(kid: impl Into<String>, pkcs8: &[u8]) -> Result<Self, KeyError> {
        Self::of(SigningAlgorithm::Es256, kid, pkcs8)
    }

    /// # Errors
    /// When the bytes are not a PKCS#8 private key of this algorithm.
    pub fn of(algorithm: SigningAlgorithm, kid: impl Into<String>, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair = match algorithm {
            SigningAlgorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Pair::Es256),
            SigningAlgorithm::Rs256 => RsaKeyPair::from_pkcs8(pkcs8).map(|pair| Pair::Rs256(Box::new(pair))),
            SigningAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8(pkcs8).map(Pair::EdDsa),
        };
        Ok(Self { kid: kid.into(), pair: pair.map_err(|_| KeyError::Rejected)?, random: SystemRandom::new() })
    }

    /// A new private key for ES256, as PKCS#8.
    ///
    /// # Errors
    /// When the system's random generator fails.
    pub fn generate_pkcs8() -> Result<Vec<u8>, KeyError> {
        Self::generate(SigningAlgorithm::Es256)
    }

    /// A new private key, as PKCS#8. An RSA key takes up to some seconds.
    ///
    /// # Errors
    /// When the system's random generator fails.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        let document = match algorithm {
            SigningAlgorithm::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random),
            SigningAlgorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random),
            SigningAlgorithm::Rs256 => {
                let pair = RsaKeyPair::generate(RSA_BITS).map_err(|_| KeyError::System)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::System)?;
                return Ok(der.as_ref().to_vec());
            }
        };
        Ok(document.map_err(|_| KeyError::System)?.as_ref().to_vec())
    }

    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    #[must_use]
    pub const fn algorithm(&self) -> SigningAlgorithm {
        match self.pair {
            Pair::Es256(_) => SigningAlgorithm::Es256,
            Pair::Rs256(_) => SigningAlgorithm::Rs256,
            Pair::EdDsa(_) => SigningAlgorithm::EdDsa,
        }
    }

    /// The public half.
    #[must_use]
    pub fn jwk(&self) -> Option<Jwk> {
        match &self.pair {
            Pair::Es256(pair) => Jwk::p256(&self.kid, pair.public_key().as_ref()),
            Pair::Rs256(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                Some(Jwk::rsa(&self.kid, n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero()))
            }
            Pair::EdDsa(pair) => Some(Jwk::ed25519(&self.kid, pair.public_key().as_ref())),
        }
    }

    /// The compact form of a JWT with these claims; `typ` goes into its header.
    ///
    /// # Errors
    /// When the claims cannot be written as JSON, or the signature fails.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, KeyError> {
        let header = Header { typ: typ.to_owned(), alg: self.algorithm().as_str().to_owned(), kid: self.kid.clone() };
        let header = serde_json::to_vec(&header).map_err(|_| KeyError::System)?;
        let claims = serde_json::to_vec(claims).map_err(|_| KeyError::System)?;
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let message = token.as_bytes();
        let signature = match &self.pair {
            Pair::Es256(pair) => pair.sign(&self.random, message).map_err(|_| KeyError::System)?.as_ref().to_vec(),
            Pair::EdDsa(pair) => pair.try_sign(message).map_err(|_| KeyError::System)?.as_ref().to_vec(),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature).map_err(|_| KeyError::System)?;
                signature
            }
        };
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

/// Our own header, and nothing but: `jku`, `jwk`, `x5c`, `crit` and the like are unknown members,
/// and an unknown member is refused.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    typ: String,
    alg: String,
    kid: String,
}

/// Claims of an access token (RFC 9068 section 2.2), plus the stage it is bound to. Times are
/// integers: a token whose `exp` is a text, a fraction or absent does not parse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessTokenClaims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub client_id: String,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    pub scope: String,
    pub octroi_stage: String,
    /// The secret that it was obtained with: the token dies with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub octroi_credential: Option<String>,
}

/// Why a token is refused. Outside it is one answer; the difference is for tests and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("not a JWT of ours")]
    Malformed,
    #[error("signed with a key that is not known")]
    UnknownKey,
    #[error("the signature is wrong")]
    BadSignature,
    #[error("issued by another, or for another")]
    Misdirected,
    #[error("out of date")]
    Expired,
}

/// Checks tokens of one issuer, for one audience and stage.
pub struct Verifier {
    keys: HashMap<String, UnparsedPublicKey<Vec<u8>>>,
    issuer: String,
    audience: String,
    stage: String,
}
impl Verifier {
    #[must_use]
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a SigningKeyPair>, issuer: &str, audience: &str, stage: &str) -> Self {
        let es256 = |key: &SigningKeyPair| match &key.pair {
            Pair::Es256(pair) => {
                Some((key.kid.clone(), UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref().to_vec())))
            }
            Pair::Rs256(_) | Pair::EdDsa(_) => None,
        };
        let keys = keys.into_iter().filter_map(es256).collect();
        Self { keys, issuer: issuer.to_owned(), audience: audience.to_owned(), stage: stage.to_owned() }
    }

    /// Checks an access token at `now` (seconds since the epoch). No leeway: we issued it ourselves.
    ///
    /// # Errors
    /// For anything but a token that this platform signed for this audience and stage, in date.
    pub fn access_token(&self, token: &str, now: i64) -> Result<AccessTokenClaims, TokenError> {
        let claims: AccessTokenClaims = self.open(token, ACCESS_TOKEN)?;
        if claims.iss != self.issuer || claims.aud != self.audience || claims.octroi_stage != self.stage || claims.sub != claims.client_id {
            return Err(TokenError::Misdirected);
        }
        // Another node's clock may be a little ahead of ours.
        if claims.exp <= now || claims.iat > now.saturating_add(60) {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    fn open<T: DeserializeOwned>(&self, token: &str, typ: &str) -> Result<T, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(TokenError::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
        if header.alg != "ES256" || header.typ != typ {
            return Err(TokenError::Malformed);
        }
        let key = self.keys.get(&header.kid).ok_or(TokenError::UnknownKey)?;
        key.verify(message.as_bytes(), &decode(signature)?).map_err(|_| TokenError::BadSignature)?;
        serde_json::from_slice(&decode(claims)?).map_err(|_| TokenError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn key(kid: &str) -> SigningKeyPair {
        SigningKeyPair::from_pkcs8(kid, &SigningKeyPair::generate_pkcs8().unwrap()).unwrap()
    }
    fn claims() -> Value {
        json!({"iss": "https://o", "sub": "c", "aud": "sandbox", "client_id": "c", "exp": 100, "iat": 10, "jti": "j", "scope": "a b", "octroi_stage": "sandbox"})
    }
    fn verifier(key: &SigningKeyPair) -> Verifier {
        Verifier::new([key], "https://o", "sandbox", "sandbox")
    }
    fn with(name: &str, value: Value) -> Value {
        let mut changed = claims();
        changed[name] = value;
        changed
    }

    #[test]
    fn a_token_of_ours_is_accepted_in_its_time() {
        let key = key("k");
        let token = key.sign(ACCESS_TOKEN, &claims()).unwrap();
        assert_eq!(verifier(&key).access_token(&token, 99).map(|claims| claims.scope), Ok("a b".to_owned()));
        assert_eq!(verifier(&key).access_token(&token, 100), Err(TokenError::Expired));
    }

    #[test]
    fn claims_must_be_ours_and_typed() {
        let key = key("k");
        #[track_caller]
        fn check(key: &SigningKeyPair, claims: Value, expected: TokenError) {
            let token = key.sign(ACCESS_TOKEN, &claims).unwrap();
            assert_eq!(verifier(key).access_token(&token, 50), Err(expected), "{claims}");
        }
        for value in [json!("9999999999"), Value::Null, json!(1e10), json!([99]), json!(-1.5)] {
            check(&key, with("exp", value.clone()), TokenError::Malformed);
            check(&key, with("iat", value), TokenError::Malformed);
        }
        check(&key, with("aud", json!(["sandbox"])), TokenError::Malformed);
        check(&key, with("aud", json!("production")), TokenError::Misdirected);
        check(&key, with("iss", json!("https://other")), TokenError::Misdirected);
        check(&key, with("octroi_stage", json!("production")), TokenError::Misdirected);
        check(&key, with("sub", json!("other")), TokenError::Misdirected);
        check(&key, with("nbf", json!(0)), TokenError::Malformed);
        check(&key, with("iat", json!(1_000)), TokenError::Expired);
        let mut missing = claims();
        missing.as_object_mut().unwrap().remove("exp");
        check(&key, missing, TokenError::Malformed);
    }

    #[test]
    fn forged_headers_and_signatures_are_refused() {
        let (ours, other) = (key("k"), key("k"));
        let verifier = verifier(&ours);
        let good = ours.sign(ACCESS_TOKEN, &claims()).unwrap();
        let (message, signature) = good.rsplit_once('.').unwrap();
        let body = message.split_once('.').unwrap().1;
        let forged = |header: Value| format!("{}.{body}.{signature}", URL_SAFE_NO_PAD.encode(header.to_string()));
        for header in [
            json!({"typ": "at+jwt", "alg": "none", "kid": "k"}),
            json!({"typ": "at+jwt", "alg": "None", "kid": "k"}),
            json!({"typ": "at+jwt", "alg": "HS256", "kid": "k"}),
            json!({"typ": "JWT", "alg": "ES256", "kid": "k"}),
            json!({"typ": "at+jwt", "alg": "ES256"}),
            json!({"typ": "at+jwt", "alg": "ES256", "kid": "k", "crit": ["exp"]}),
            json!({"typ": "at+jwt", "alg": "ES256", "kid": "k", "jku": "http://x"}),
            json!({"typ": "at+jwt", "alg": "ES256", "kid": "../../dev/null"}),
        ] {
            assert!(verifier.access_token(&forged(header.clone()), 50).is_err(), "{header}");
        }
        assert_eq!(verifier.access_token(&other.sign(ACCESS_TOKEN, &claims()).unwrap(), 50), Err(TokenError::BadSignature));
        assert_eq!(verifier.access_token(&ours.sign("JWT", &claims()).unwrap(), 50), Err(TokenError::Malformed));
        let zero = URL_SAFE_NO_PAD.encode([0; 64]);
        for broken in [
            format!("{message}."),
            message.to_owned(),
            format!("{message}.{zero}"),
            format!("{good}="),
            format!(" {good}"),
            format!("{good}.x"),
            String::new(),
            ".".into(),
            "..".into(),
            "a".repeat(9_000),
        ] {
            assert!(verifier.access_token(&broken, 50).is_err(), "{broken}");
        }
        let duplicate = r#"{"typ":"at+jwt","typ":"at+jwt","alg":"ES256","kid":"k"}"#;
        assert!(verifier.access_token(&format!("{}.{body}.{signature}", URL_SAFE_NO_PAD.encode(duplicate)), 50).is_err());
    }

    #[test]
    fn another_library_reads_what_we_sign() {
        for algorithm in SigningAlgorithm::ALL {
            let key = SigningKeyPair::of(algorithm, "k", &SigningKeyPair::generate(algorithm).unwrap()).unwrap();
            let token = key.sign(ACCESS_TOKEN, &claims()).unwrap();
            let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(serde_json::to_value(key.jwk().unwrap()).unwrap()).unwrap();
            let mut validation = jsonwebtoken::Validation::new(algorithm.as_str().parse().unwrap());
            validation.validate_exp = false;
            validation.set_audience(&["sandbox"]);
            let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
            let read = jsonwebtoken::decode::<Value>(&token, &decoding, &validation).unwrap();
            assert_eq!(read.claims, claims());
            assert_eq!(read.header.typ.as_deref(), Some("at+jwt"));
            // None of them passes at the gateway but ES256.
            assert_eq!(verifier(&key).access_token(&token, 50).is_ok(), algorithm == SigningAlgorithm::Es256);
        }
    }
}
