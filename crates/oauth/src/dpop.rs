//! Proof of possession at the application level: DPoP (RFC 9449).

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::ThumbprintHash;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::{
    foreign::{self, Algorithm, Jwk},
    jwt::MAX_TOKEN,
};

/// Seconds that a proof is accepted after it was made.
pub const LIFE: i64 = 60;
/// Seconds that its maker's clock may be ahead.
const AHEAD: i64 = 30;

/// Why a proof is refused: `invalid_dpop_proof`, whatever it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    #[error("the DPoP proof: {0}")]
    Algorithm(String),
    #[error("the DPoP proof is not a JWT of type dpop+jwt with a public key in its header")]
    Malformed,
    #[error("the DPoP proof is not signed with the key in its header")]
    Signature,
    #[error("the DPoP proof is for another method or address")]
    Target,
    #[error("the DPoP proof was made too long ago, or in the future")]
    Time,
    #[error("the DPoP proof is not for this access token")]
    Token,
}

/// What a proof says, once it is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of the key (RFC 7638).
    pub jkt: String,
    /// To be accepted once, until `expires`.
    pub jti: String,
    /// Seconds since the epoch.
    pub expires: i64,
    pub nonce: Option<String>,
}

/// What the proof has to be about.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub method: &'a str,
    /// The address as the client knows it, without query.
    pub address: &'a str,
    /// The access token that it goes with.
    pub access_token: Option<&'a str>,
    /// Seconds since the epoch.
    pub now: i64,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: i64,
    exp: Option<i64>,
    nbf: Option<i64>,
    ath: Option<String>,
    nonce: Option<String>,
}

/// Checks a proof (section 4.3). Whether its `jti` was seen before, and its nonce, are the caller's to check.
///
/// # Errors
/// [`DpopError`]
pub fn check(proof: &str, target: Target<'_>, allowed: &[Algorithm]) -> Result<Proof, DpopError> {
    if let Some(why) = foreign::unaccepted(proof, allowed) {
        return Err(DpopError::Algorithm(why));
    }
    let key = key(proof)?;
    let header = foreign::header(proof).map_err(|_| DpopError::Malformed)?;
    if header.typ.as_deref() != Some("dpop+jwt") || !allowed.contains(&header.alg) {
        return Err(DpopError::Malformed);
    }
    let claims: Claims = foreign::with_key(proof, &key, header.alg).map_err(|error| match error {
        crate::jwt::TokenError::BadSignature => DpopError::Signature,
        _ => DpopError::Malformed,
    })?;
    if claims.jti.is_empty() || claims.jti.len() > 256 {
        return Err(DpopError::Malformed);
    }
    if claims.htm != target.method || !same_address(&claims.htu, target.address) {
        return Err(DpopError::Target);
    }
    if claims.iat > target.now.saturating_add(AHEAD) || claims.iat < target.now.saturating_sub(LIFE) {
        return Err(DpopError::Time);
    }
    // Nobody has to say these; who does means them (RFC 7519 sections 4.1.4 and 4.1.5).
    let (past, future) = (target.now.saturating_sub(AHEAD), target.now.saturating_add(AHEAD));
    if claims.exp.is_some_and(|exp| exp <= past) || claims.nbf.is_some_and(|nbf| nbf > future) {
        return Err(DpopError::Time);
    }
    if let Some(token) = target.access_token
        && claims.ath.as_deref() != Some(ath(token).as_str())
    {
        return Err(DpopError::Token);
    }
    let jkt = thumbprint(&key).ok_or(DpopError::Malformed)?;
    Ok(Proof { jkt, jti: claims.jti, expires: claims.iat.saturating_add(LIFE), nonce: claims.nonce })
}

/// The thumbprint of a key (RFC 7638), SHA-256, base64url.
#[must_use]
pub fn thumbprint(key: &Jwk) -> Option<String> {
    key.thumbprint(ThumbprintHash::SHA256).ok()
}

/// The hash of an access token that a proof carries (section 4.2).
#[must_use]
pub fn ath(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()))
}

/// The key in the header. One with a private half was meant to be kept: whoever sends it has lost it.
fn key(proof: &str) -> Result<Jwk, DpopError> {
    if proof.len() > MAX_TOKEN {
        return Err(DpopError::Malformed);
    }
    let header = proof.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).ok_or(DpopError::Malformed)?;
    let header: Value = serde_json::from_slice(&header).map_err(|_| DpopError::Malformed)?;
    let key = header.get("jwk").filter(|key| key.is_object()).ok_or(DpopError::Malformed)?;
    if foreign::has_private_half(key) {
        return Err(DpopError::Malformed);
    }
    foreign::key(key.clone()).ok_or(DpopError::Malformed)
}

/// The same scheme, host, port and path, after the normalisation of RFC 3986 section 6.2; query and fragment say nothing.
fn same_address(said: &str, meant: &str) -> bool {
    let bare = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    match (bare(said), bare(meant)) {
        (Some(said), Some(meant)) => said == meant,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    use crate::{
        foreign::{ASYMMETRIC, FAPI},
        jwt::{SigningAlgorithm, SigningKeyPair},
    };

    struct Maker {
        key: EncodingKey,
        jwk: Jwk,
    }
    impl Maker {
        fn new() -> Self {
            let pkcs8 = SigningKeyPair::generate(SigningAlgorithm::Es256).unwrap();
            let jwk = SigningKeyPair::from_pkcs8("", &pkcs8).unwrap().jwk().unwrap();
            let jwk = serde_json::from_value(serde_json::to_value(jwk).unwrap()).unwrap();
            Self { key: EncodingKey::from_ec_der(&pkcs8), jwk }
        }
        fn sign(&self, typ: &str, claims: &Value) -> String {
            let header = Header { typ: Some(typ.into()), jwk: Some(self.jwk.clone()), ..Header::new(Algorithm::ES256) };
            jsonwebtoken::encode(&header, claims, &self.key).unwrap()
        }
    }
    fn claims() -> Value {
        json!({"jti": "1", "htm": "POST", "htu": "https://op.example/oauth/token", "iat": 1_000})
    }
    const TARGET: Target<'static> = Target { method: "POST", address: "https://op.example/oauth/token", access_token: None, now: 1_000 };
    fn with(name: &str, value: Value) -> Value {
        let mut changed = claims();
        changed[name] = value;
        changed
    }

    #[test]
    fn a_proof_proves_its_key() {
        let maker = Maker::new();
        let proof = check(&maker.sign("dpop+jwt", &claims()), TARGET, &ASYMMETRIC).unwrap();
        assert_eq!((Some(proof.jkt), proof.expires), (thumbprint(&maker.jwk), 1_060));
        let odd = with("htu", json!("HTTPS://OP.example:443/oauth/token?a=b#c"));
        assert!(check(&maker.sign("dpop+jwt", &odd), TARGET, &FAPI).is_ok());
        let token = with("ath", json!(ath("token")));
        let target = Target { access_token: Some("token"), ..TARGET };
        assert!(check(&maker.sign("dpop+jwt", &token), target, &FAPI).is_ok());
        assert_eq!(check(&maker.sign("dpop+jwt", &claims()), target, &FAPI), Err(DpopError::Token));
    }

    #[test]
    fn what_is_refused() {
        let maker = Maker::new();
        for (claims, error) in [
            (with("htm", json!("GET")), DpopError::Target),
            (with("htu", json!("https://op.example/oauth/userinfo")), DpopError::Target),
            (with("htu", json!("http://op.example/oauth/token")), DpopError::Target),
            (with("htu", json!("https://op.example/oauth/token/")), DpopError::Target),
            (with("iat", json!(1_031)), DpopError::Time),
            (with("iat", json!(939)), DpopError::Time),
            (with("iat", json!("1000")), DpopError::Malformed),
            (with("jti", json!("")), DpopError::Malformed),
            (with("jti", json!(null)), DpopError::Malformed),
            (with("jti", json!("x".repeat(300))), DpopError::Malformed),
        ] {
            assert_eq!(check(&maker.sign("dpop+jwt", &claims), TARGET, &FAPI), Err(error), "{claims}");
        }
        let good = maker.sign("dpop+jwt", &claims());
        assert_eq!(check(&maker.sign("JWT", &claims()), TARGET, &FAPI), Err(DpopError::Malformed));
        let other = DpopError::Algorithm("the algorithm ES256 is not accepted; sign with PS256".to_owned());
        assert_eq!(check(&good, TARGET, &[Algorithm::PS256]), Err(other));
        assert_eq!(check("", TARGET, &FAPI), Err(DpopError::Malformed));
        // Another's key in the header, and a header with a private key.
        let parts: Vec<&str> = good.split('.').collect();
        let swapped = |jwk: Value| {
            let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
            format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), parts[1], parts[2])
        };
        let other = serde_json::to_value(Maker::new().jwk).unwrap();
        assert_eq!(check(&swapped(other.clone()), TARGET, &FAPI), Err(DpopError::Signature));
        let mut private = other;
        private["d"] = json!("AAAA");
        assert_eq!(check(&swapped(private), TARGET, &FAPI), Err(DpopError::Malformed));
        assert_eq!(check(&swapped(json!({"kty": "oct", "k": "AAAA"})), TARGET, &FAPI), Err(DpopError::Malformed));
    }
}
