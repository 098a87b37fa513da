//! The other side of OpenID Connect: we are the client, somebody else is the provider (OpenID Connect Core 1.0, Discovery 1.0, RFC 9207,
//! RFC 9700). What goes to it, and whether what comes back can be believed.

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    client_assertion::{ASSERTION_TYPE, Audience},
    foreign::{self, Algorithm, Jwk, JwkSet},
    id_token::LOGOUT_EVENT,
    jwt::{KeyError, SigningKeyPair, TokenError},
    redirect_uri::{RedirectUri, is_loopback},
    secret::same_digest,
};

/// What a provider may sign with. No shared secret: it would have to be kept readable for as long as the provider is known, and whoever
/// reads it makes any token; and `none` is no member.
pub const ALGORITHMS: [Algorithm; 4] = [Algorithm::ES256, Algorithm::RS256, Algorithm::PS256, Algorithm::EdDSA];
/// Seconds that the provider's clock may differ.
const SKEW: i64 = 60;
/// Seconds that an assertion of ours is good for.
const ASSERTION_SECONDS: i64 = 60;
/// Seconds after which a token that says when it was made is too old to be the answer to a question just asked.
const OLDEST: i64 = 600;

/// Why a provider, or its answer, is not believed. For logs and operators: a person is told that it did not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    #[error("the issuer has to be an address that begins with https:// (http:// on this machine), without query or fragment")]
    Issuer,
    #[error("the provider's document is not one of OpenID Connect Discovery")]
    Document,
    #[error("the provider's document is of the issuer {0}")]
    OtherIssuer(String),
    #[error("the provider's document names an address that is neither https nor on this machine: {0}")]
    Address(&'static str),
    #[error("the answer of the token endpoint cannot be read, or holds no ID token")]
    TokenAnswer,
    #[error("the token is signed with an algorithm that is not accepted ({0})")]
    Algorithm(String),
    #[error("the token names no key (kid), and the provider has several that fit")]
    NoKid,
    #[error("the token is signed with a key that the provider does not publish")]
    UnknownKey,
    #[error("the signature of the token is wrong")]
    Signature,
    #[error("the token is no JWT, or `{0}` is missing or of the wrong kind")]
    Claim(&'static str),
    #[error("iss is not the provider's")]
    Iss,
    #[error("aud does not hold our client_id")]
    Aud,
    #[error("azp is not our client_id")]
    Azp,
    #[error("the token is out of date, or made in the future")]
    Time,
    #[error("the nonce is not the one that was sent")]
    Nonce,
    #[error("at_hash is not that of the access token")]
    AtHash,
    #[error("acr is none of those that were asked for")]
    Acr,
    #[error("sub of the userinfo is not that of the ID token")]
    OtherSubject,
    #[error("the userinfo is not signed")]
    Unsigned,
    #[error("no logout token: {0}")]
    LogoutToken(&'static str),
}

/// May this address be asked? Over TLS, or on this machine; nothing in it that could mislead.
#[must_use]
pub fn is_reachable(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let plain = address.len() <= 1_000 && address.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>'));
    let named = url.username().is_empty() && url.password().is_none() && url.has_host() && url.fragment().is_none();
    plain && named && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)))
}

/// Can this be an issuer (Discovery section 3)?
#[must_use]
pub fn is_issuer(issuer: &str) -> bool {
    is_reachable(issuer) && !issuer.contains(['?', '#'])
}

/// Where the document of a provider is (Discovery section 4.1).
#[must_use]
pub fn document_address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// What a provider says of itself (Discovery section 3).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Provider {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    #[serde(default)]
    pub userinfo_endpoint: Option<String>,
    pub jwks_uri: String,
    #[serde(default)]
    pub end_session_endpoint: Option<String>,
    /// Every answer names its issuer (RFC 9207 section 3).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    pub claims_parameter_supported: bool,
    #[serde(default)]
    pub code_challenge_methods_supported: Vec<String>,
}
impl Provider {
    /// # Errors
    /// [`Doubt`] when the document is not of this issuer, byte for byte, or names addresses that are not to be asked.
    pub fn read(body: &[u8], issuer: &str) -> Result<Self, Doubt> {
        let provider: Self = serde_json::from_slice(body).map_err(|_| Doubt::Document)?;
        if provider.issuer != issuer {
            return Err(Doubt::OtherIssuer(provider.issuer.chars().filter(|c| !c.is_control()).take(200).collect()));
        }
        for (name, address) in [
            ("authorization_endpoint", Some(&provider.authorization_endpoint)),
            ("token_endpoint", Some(&provider.token_endpoint)),
            ("userinfo_endpoint", provider.userinfo_endpoint.as_ref()),
            ("jwks_uri", Some(&provider.jwks_uri)),
            ("end_session_endpoint", provider.end_session_endpoint.as_ref()),
        ] {
            if address.is_some_and(|address| !is_reachable(address)) {
                return Err(Doubt::Address(name));
            }
        }
        Ok(provider)
    }
}

/// What we ask a provider, once.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub scopes: &'a [String],
    /// 43 random characters: ProConnect wants 32 or more.
    pub state: &'a str,
    /// The same.
    pub nonce: &'a str,
    /// Of which the challenge is made.
    pub verifier: &'a str,
    pub acr_values: &'a [String],
    /// Ask how the person was authenticated, which some providers say only then.
    pub wants_amr: bool,
    pub login_hint: Option<&'a str>,
}

/// Where the browser goes. Parameters that not every provider knows are sent where it needs them alone: ProConnect refuses any other.
#[must_use]
pub fn authorization_address(provider: &Provider, question: Question<'_>) -> String {
    let scope = question.scopes.join(" ");
    let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, question.verifier.as_bytes()).as_ref());
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", question.client_id),
        ("redirect_uri", question.redirect_uri),
        ("scope", &scope),
        ("state", question.state),
        ("nonce", question.nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let mut wanted = Map::new();
    if provider.claims_parameter_supported {
        if !question.acr_values.is_empty() {
            wanted.insert("acr".to_owned(), json!({ "essential": true, "values": question.acr_values }));
        }
        if question.wants_amr {
            wanted.insert("amr".to_owned(), Value::Null);
        }
    }
    let claims = json!({ "id_token": wanted }).to_string();
    let acr = question.acr_values.join(" ");
    if !wanted.is_empty() {
        parameters.push(("claims", &claims));
    } else if !acr.is_empty() {
        parameters.push(("acr_values", &acr));
    }
    if let Some(hint) = question.login_hint {
        parameters.push(("login_hint", hint));
    }
    RedirectUri::with_query(&provider.authorization_endpoint, &parameters)
}

/// How we say who we are at the token endpoint (Core section 9).
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    Basic(&'a str),
    Post(&'a str),
    /// Signed with this key; the word makes it good for one use.
    Key {
        key: &'a SigningKeyPair,
        word: &'a str,
        now: i64,
    },
}

/// What goes to the token endpoint: a form, and a header where the proof is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    pub form: String,
    pub authorization: Option<String>,
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Exchanges a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
///
/// # Errors
/// When the key cannot sign.
pub fn token_request(
    issuer: &str,
    client_id: &str,
    proof: Proof<'_>,
    (code, redirect_uri, verifier): (&str, &str, &str),
) -> Result<TokenRequest, KeyError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code");
    form.append_pair("code", code).append_pair("redirect_uri", redirect_uri).append_pair("code_verifier", verifier);
    let mut authorization = None;
    match proof {
        // RFC 6749 section 2.3.1: both are encoded as in a form before they are joined.
        Proof::Basic(secret) => {
            authorization = Some(format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret)))));
        }
        Proof::Post(secret) => {
            form.append_pair("client_id", client_id).append_pair("client_secret", secret);
        }
        Proof::Key { key, word, now } => {
            let claims = json!({
                "iss": client_id, "sub": client_id, "aud": issuer, "jti": word, "iat": now, "exp": now.saturating_add(ASSERTION_SECONDS),
            });
            form.append_pair("client_id", client_id).append_pair("client_assertion_type", ASSERTION_TYPE);
            form.append_pair("client_assertion", &key.sign("JWT", &claims)?);
        }
    }
    Ok(TokenRequest { form: form.finish(), authorization })
}

/// What the token endpoint answered (RFC 6749 section 5.1, Core section 3.1.3.3).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TokenAnswer {
    pub access_token: String,
    pub token_type: String,
    pub id_token: String,
}
impl TokenAnswer {
    /// # Errors
    /// [`Doubt::TokenAnswer`]
    pub fn read(body: &[u8]) -> Result<Self, Doubt> {
        let answer: Self = serde_json::from_slice(body).map_err(|_| Doubt::TokenAnswer)?;
        let header_safe = answer.access_token.len() <= 8_192 && answer.access_token.bytes().all(|b| b.is_ascii_graphic());
        if answer.token_type.eq_ignore_ascii_case("bearer") && header_safe { Ok(answer) } else { Err(Doubt::TokenAnswer) }
    }
}

/// What a token has to say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    /// Seconds since the epoch.
    pub now: i64,
}
impl Expected<'_> {
    fn addressed(&self, iss: &str, aud: &Audience, azp: Option<&str>) -> Result<(), Doubt> {
        if iss != self.issuer {
            return Err(Doubt::Iss);
        }
        let several = match aud {
            Audience::One(one) if one == self.client_id => false,
            Audience::Several(all) if all.iter().any(|one| one == self.client_id) => all.len() > 1,
            _ => return Err(Doubt::Aud),
        };
        // Core section 3.1.3.7, points 4 and 5: of several audiences one was the client.
        match azp {
            Some(azp) if azp != self.client_id => Err(Doubt::Azp),
            None if several => Err(Doubt::Azp),
            _ => Ok(()),
        }
    }

    const fn in_time(&self, exp: i64, iat: i64) -> Result<(), Doubt> {
        let late = exp <= self.now.saturating_sub(SKEW) || iat < self.now.saturating_sub(OLDEST);
        if late || iat > self.now.saturating_add(SKEW) { Err(Doubt::Time) } else { Ok(()) }
    }
}

/// The claims of a token of the provider. `UnknownKey` may end with fresher keys.
fn opened(token: &str, keys: &JwkSet) -> Result<Map<String, Value>, Doubt> {
    let header = foreign::header(token).map_err(|_| unsigned(token))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Doubt::Algorithm(format!("{:?}", header.alg)));
    }
    if header.kid.is_none() {
        // Core section 10.1: with several keys, the token has to say which.
        let meant = |key: &&Jwk| key.common.key_algorithm.is_none_or(|alg| alg == header.alg.into()) && is_of_kind(key, header.alg);
        if keys.keys.iter().filter(meant).count() > 1 {
            return Err(Doubt::NoKid);
        }
    }
    foreign::verify(token, keys, &ALGORITHMS).map_err(|error| match error {
        TokenError::Malformed => Doubt::Claim("claims"),
        TokenError::UnknownKey => Doubt::UnknownKey,
        _ => Doubt::Signature,
    })
}

/// Why a token has no header that can be read: most often because it says that it is not signed.
fn unsigned(token: &str) -> Doubt {
    let header = token.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let said = header.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    match said.as_ref().and_then(|header| header.get("alg")).and_then(Value::as_str) {
        Some(alg) => Doubt::Algorithm(alg.chars().filter(char::is_ascii_graphic).take(20).collect()),
        None => Doubt::Claim("header"),
    }
}

fn is_of_kind(key: &Jwk, algorithm: Algorithm) -> bool {
    use jsonwebtoken::jwk::AlgorithmParameters as P;
    match algorithm {
        Algorithm::RS256 | Algorithm::PS256 => matches!(key.algorithm, P::RSA(_)),
        Algorithm::ES256 => matches!(key.algorithm, P::EllipticCurve(_)),
        _ => matches!(key.algorithm, P::OctetKeyPair(_)),
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, Doubt> {
    claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or(Doubt::Claim(name))
}

/// A `NumericDate`: JSON numbers may have a fraction (RFC 7519 section 2).
fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<i64, Doubt> {
    let value = claims.get(name).ok_or(Doubt::Claim(name))?;
    value.as_i64().or_else(|| value.as_f64().map(|number| number as i64)).ok_or(Doubt::Claim(name))
}

fn audience(claims: &Map<String, Value>) -> Result<Audience, Doubt> {
    claims.get("aud").and_then(|aud| serde_json::from_value(aud.clone()).ok()).ok_or(Doubt::Claim("aud"))
}

/// A subject (Core section 2): at most 255 characters of ASCII.
fn subject(claims: &Map<String, Value>) -> Result<&str, Doubt> {
    text(claims, "sub")
        .ok()
        .filter(|sub| sub.len() <= 255 && sub.is_ascii() && !sub.bytes().any(|b| b.is_ascii_control()))
        .ok_or(Doubt::Claim("sub"))
}

/// What an ID token says, once it is believed.
#[derive(Debug, Clone, PartialEq)]
pub struct IdClaims {
    pub subject: String,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub auth_time: Option<i64>,
    pub sid: Option<String>,
    /// All of them.
    pub all: Map<String, Value>,
}

/// Checks an ID token (Core section 3.1.3.7).
///
/// # Errors
/// [`Doubt`]; `UnknownKey` may end with fresher keys.
pub fn id_token(
    token: &str,
    keys: &JwkSet,
    expected: Expected<'_>,
    (nonce, acr_values, access_token): (&str, &[String], &str),
) -> Result<IdClaims, Doubt> {
    let all = opened(token, keys)?;
    // What the provider signed for another purpose is no ID token (RFC 8725 section 3.11); most say `JWT`, or nothing.
    let typ = foreign::header(token).map_err(|_| Doubt::Claim("header"))?.typ.unwrap_or_default().to_ascii_lowercase();
    if typ.ends_with("+jwt") {
        return Err(Doubt::Claim("typ"));
    }
    expected.addressed(text(&all, "iss")?, &audience(&all)?, all.get("azp").and_then(Value::as_str))?;
    let subject = subject(&all)?.to_owned();
    expected.in_time(seconds(&all, "exp")?, seconds(&all, "iat")?)?;
    let held = |text: &str| crate::secret::digest(text);
    if !same_digest(&held(text(&all, "nonce").map_err(|_| Doubt::Nonce)?), &held(nonce)) {
        return Err(Doubt::Nonce);
    }
    if let Some(hash) = all.get("at_hash") {
        let algorithm = foreign::header(token).map_err(|_| Doubt::Claim("header"))?.alg;
        if hash.as_str() != Some(&left_half(algorithm, access_token)) {
            return Err(Doubt::AtHash);
        }
    }
    let acr = short(all.get("acr"));
    if !acr_values.is_empty() && !acr.as_ref().is_some_and(|acr| acr_values.contains(acr)) {
        return Err(Doubt::Acr);
    }
    let amr = all.get("amr").and_then(Value::as_array).map(|words| words.iter().take(20).filter_map(|word| short(Some(word))).collect());
    let auth_time = seconds(&all, "auth_time").ok();
    Ok(IdClaims { subject, acr, amr: amr.unwrap_or_default(), auth_time, sid: short(all.get("sid")), all })
}

fn short(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= 255).map(str::to_owned)
}

/// The left half of the hash of the access token, with the hash of the signature (Core section 3.1.3.6).
fn left_half(algorithm: Algorithm, token: &str) -> String {
    let hash = match algorithm {
        Algorithm::EdDSA => digest::digest(&digest::SHA512, token.as_bytes()),
        _ => digest::digest(&digest::SHA256, token.as_bytes()),
    };
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..hash.as_ref().len() / 2).unwrap_or_default())
}

/// Reads the userinfo (Core section 5.3): JSON, or a JWT that is checked like an ID token where it says more than the facts.
///
/// # Errors
/// [`Doubt`]; above all `OtherSubject` (section 5.3.2).
pub fn userinfo(
    (content_type, body): (&str, &[u8]),
    keys: &JwkSet,
    expected: Expected<'_>,
    (subject_expected, must_be_signed): (&str, bool),
) -> Result<Map<String, Value>, Doubt> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let claims = if kind == "application/jwt" {
        let token = std::str::from_utf8(body).map_err(|_| Doubt::Claim("userinfo"))?.trim();
        let claims = opened(token, keys)?;
        // Section 5.3.2: a signed answer should name both; where it does not, anybody's answer could be shown to us.
        expected.addressed(text(&claims, "iss")?, &audience(&claims)?, None)?;
        if claims.contains_key("exp") && seconds(&claims, "exp")? <= expected.now.saturating_sub(SKEW) {
            return Err(Doubt::Time);
        }
        claims
    } else if must_be_signed {
        return Err(Doubt::Unsigned);
    } else {
        serde_json::from_slice(body).map_err(|_| Doubt::Claim("userinfo"))?
    };
    if subject(&claims)? != subject_expected {
        return Err(Doubt::OtherSubject);
    }
    Ok(claims)
}

/// What a provider tells of a session that ended (Back-Channel Logout section 2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutClaims {
    pub subject: Option<String>,
    pub sid: Option<String>,
    pub jti: String,
    /// Seconds since the epoch.
    pub expires: i64,
}

/// Checks a logout token (section 2.6). Whether its `jti` was seen is the caller's to know.
///
/// # Errors
/// [`Doubt`]; `UnknownKey` may end with fresher keys.
pub fn logout_token(token: &str, keys: &JwkSet, expected: Expected<'_>) -> Result<LogoutClaims, Doubt> {
    let all = opened(token, keys)?;
    let typ = foreign::header(token).map_err(|_| Doubt::Claim("header"))?.typ;
    // Named since the final version; providers of before say `JWT` or nothing. An ID token has no events.
    if typ
        .as_deref()
        .is_some_and(|typ| !["logout+jwt", "application/logout+jwt", "JWT"].iter().any(|known| known.eq_ignore_ascii_case(typ)))
    {
        return Err(Doubt::LogoutToken("typ"));
    }
    expected.addressed(text(&all, "iss")?, &audience(&all)?, None)?;
    let expires = seconds(&all, "exp")?;
    expected.in_time(expires, seconds(&all, "iat")?)?;
    if all.contains_key("nonce") {
        return Err(Doubt::LogoutToken("it holds a nonce"));
    }
    if !all.get("events").and_then(|events| events.get(LOGOUT_EVENT)).is_some_and(Value::is_object) {
        return Err(Doubt::LogoutToken("it tells no logout"));
    }
    let (subject, sid) = (short(all.get("sub")), short(all.get("sid")));
    if subject.is_none() && sid.is_none() {
        return Err(Doubt::LogoutToken("it names neither a person nor a session"));
    }
    Ok(LogoutClaims { subject, sid, jti: short(all.get("jti")).ok_or(Doubt::Claim("jti"))?, expires })
}

/// Where the browser goes to end the provider's session too (RP-Initiated Logout section 2).
#[must_use]
pub fn logout_address(endpoint: &str, id_token: &str, state: &str, back: &str) -> String {
    RedirectUri::with_query(endpoint, &[("id_token_hint", id_token), ("state", state), ("post_logout_redirect_uri", back)])
}

/// Facts about a person, in the words of Core section 5.1, of ProConnect, and of the sign-ons that went before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Facts {
    /// Lower-case.
    pub email: Option<String>,
    /// None: nothing was said.
    pub email_verified: Option<bool>,
    pub given_name: String,
    pub family_name: String,
    pub organizations: Vec<OrganizationFacts>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrganizationFacts {
    pub id: String,
    pub siret: String,
    pub label: String,
    pub is_external: bool,
}

impl Facts {
    /// Of the userinfo; what it does not say is in the ID token. Bounded: at most 100 organisations.
    #[must_use]
    pub fn of(userinfo: &Map<String, Value>, id_token: &Map<String, Value>) -> Self {
        let found = |name: &str| userinfo.get(name).or_else(|| id_token.get(name));
        let line = |names: &[&str]| names.iter().find_map(|name| found(name).and_then(Value::as_str)).map(|text| cut(text, 100));
        // From one place: an address that the one says is not verified by what the other says.
        let source = if userinfo.contains_key("email") { userinfo } else { id_token };
        let email = source.get("email").and_then(Value::as_str).map(|text| text.trim().to_lowercase());
        let email = email.filter(|email| email.len() <= 254 && !email.chars().any(|c| c.is_control() || c.is_whitespace()));
        Self {
            email_verified: source.get("email_verified").and_then(truth),
            email,
            given_name: line(&["given_name"]).unwrap_or_default(),
            family_name: line(&["family_name", "usual_name"]).unwrap_or_default(),
            organizations: organizations(found),
        }
    }
}

fn organizations<'a>(found: impl Fn(&str) -> Option<&'a Value>) -> Vec<OrganizationFacts> {
    let mut all: Vec<OrganizationFacts> = match found("organizations").and_then(Value::as_array) {
        Some(list) => list.iter().take(100).filter_map(|one| organization(&|name| one.get(name))).collect(),
        None => Vec::new(),
    };
    all.extend(found("organization").filter(|one| one.is_object()).and_then(|one| organization(&|name| one.get(name))));
    all.extend(organization(&found));
    let mut seen = BTreeSet::new();
    all.retain(|one| seen.insert(one.siret.clone()));
    all
}

fn organization<'a>(member: &dyn Fn(&str) -> Option<&'a Value>) -> Option<OrganizationFacts> {
    let siret: String = member("siret")?.as_str()?.chars().filter(|c| !c.is_whitespace()).take(20).collect();
    let id = member("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)).unwrap_or_default();
    let label = ["label", "organization_label"].iter().find_map(|name| member(name).and_then(Value::as_str)).unwrap_or_default();
    Some(OrganizationFacts {
        id: if id.is_empty() || id.len() > 100 { siret.clone() } else { id },
        label: cut(label, 200),
        // One of those that went before wrote the word.
        is_external: member("is_external").and_then(truth).unwrap_or_default(),
        siret,
    })
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(said) => Some(*said),
        Value::String(word) if word == "true" => Some(true),
        Value::String(word) if word == "false" => Some(false),
        _ => None,
    }
}

fn cut(text: &str, longest: usize) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(longest).collect()
}

#[cfg(test)]
#[path = "relying_party/tests.rs"]
mod tests;
