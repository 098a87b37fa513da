//! Who a client is: by its secret, by an assertion that it signed, or by nothing but PKCE (RFC 6749 section 2.3, RFC 7523).

use std::{borrow::Cow, sync::Arc};

use octroi_domain::sign_on::ClientId;
use octroi_oauth::{
    client_assertion::{self, ASSERTION_TYPE, Expected},
    client_metadata::AuthMethod,
    foreign::{self, ASYMMETRIC, Algorithm, FAPI, JwkSet},
    secret::{self, same_digest},
};

use super::{Known, Presented, Refusal, SignOnError, once, settings::Certificates};
use crate::{context::App, error::Error};

/// How a request says who it is from.
enum Shown<'a> {
    /// Its digest.
    Secret([u8; 32]),
    Assertion(&'a str),
    Nothing,
}

/// The `client_id` that a request is from, unproven: the token endpoint tells by it whose business it is.
#[must_use]
pub(crate) fn claimed<'a>(presented: &Presented<'a>) -> Option<Cow<'a, str>> {
    let header = presented.basic.map(|client| client.client_id.as_str());
    let assertion = || presented.parameters.get("client_assertion").and_then(client_assertion::claimed);
    header.or_else(|| presented.parameters.get("client_id")).map(Cow::Borrowed).or_else(|| assertion().map(Cow::Owned))
}

impl App {
    /// Is the request from a relying party, rather than from an application?
    #[must_use]
    pub fn is_from_client(&self, presented: &Presented<'_>) -> bool {
        let assertion = presented.parameters.has("client_assertion");
        assertion || claimed(presented).is_some_and(|id| id.starts_with(ClientId::PREFIX))
    }

    /// Finds and proves the client that a request is from.
    pub(super) async fn authenticate(&self, presented: Presented<'_>) -> Result<Arc<Known>, SignOnError> {
        let door = self.door(presented).await?;
        match self.prove(presented).await {
            Ok(known) => {
                self.was_right(door.filter(|_| known.metadata.token_endpoint_auth_method != AuthMethod::None), presented.now).await?;
                Ok(known)
            }
            Err(SignOnError::Refused(refusal)) if refusal.code == "invalid_client" => {
                self.was_wrong(door, presented.now).await?;
                Err(refusal.into())
            }
            Err(error) => Err(error),
        }
    }

    async fn prove(&self, presented: Presented<'_>) -> Result<Arc<Known>, SignOnError> {
        let parameters = presented.parameters;
        let (mut id, shown) = shown(&presented)?;
        if id.is_none() {
            id = parameters.owned("client_id");
        }
        let unknown = || Refusal::client("the client could not be authenticated: check client_id, and how it authenticates");
        let id = id.ok_or_else(unknown)?;
        if parameters.get("client_id").is_some_and(|named| named != id) {
            let why = "client_id differs from the authenticated client";
            return Err(if matches!(shown, Shown::Assertion(_)) { Refusal::client(why) } else { Refusal::request(why) }.into());
        }
        let id: ClientId = id.parse().map_err(|_| unknown())?;
        let known = self.client_known(&id).await?.ok_or_else(unknown)?;
        let method = known.metadata.token_endpoint_auth_method;
        match (shown, method) {
            // By the header or in the body: what is proven is the same, and clients send it as their library does, whichever
            // they registered (RFC 6749 section 2.3.1 has a server take the header from anyone with a secret).
            (Shown::Secret(digest), AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost) => {
                check_secret(&known, &digest).ok_or_else(unknown)?;
            }
            (Shown::Assertion(assertion), AuthMethod::PrivateKeyJwt) => self.check_assertion(&known, assertion, presented).await?,
            (Shown::Nothing, AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTlsClientAuth) => {
                self.check_certificate(&known, presented).await?;
            }
            (Shown::Nothing, AuthMethod::None) => {}
            _ => return Err(unknown().into()),
        }
        Ok(known)
    }

    /// Mutual TLS (RFC 8705 section 2). The proxy in front saw the handshake: that the certificate's key is held, and, where
    /// it was told to, that an authority signed it.
    async fn check_certificate(&self, known: &Known, presented: Presented<'_>) -> Result<(), SignOnError> {
        let unknown = || Refusal::client("the client's certificate is missing, out of date, or not the registered one");
        let certificate = presented.certificate.filter(|found| found.is_in_date(presented.now.seconds())).ok_or_else(unknown)?;
        let offered = self.sign_on_settings().certificates;
        let good = match known.metadata.token_endpoint_auth_method {
            AuthMethod::TlsClientAuth => offered == Certificates::Verified && certificate.has_the_name_of(&known.metadata),
            AuthMethod::SelfSignedTlsClientAuth if offered == Certificates::Any => {
                let is_among = |keys: Option<JwkSet>| keys.is_some_and(|keys| certificate.is_among(&keys));
                // It may have a new one.
                is_among(self.client_keys(known, false).await)
                    || known.metadata.jwks_uri.is_some() && is_among(self.client_keys(known, true).await)
            }
            _ => false,
        };
        if good { Ok(()) } else { Err(unknown().into()) }
    }

    async fn check_assertion(&self, known: &Known, assertion: &str, presented: Presented<'_>) -> Result<(), SignOnError> {
        let refused = |why: &dyn std::fmt::Display| Refusal::client(why.to_string());
        let registered = known.metadata.token_endpoint_auth_signing_alg.as_deref().and_then(foreign::algorithm);
        let allowed: Vec<Algorithm> = match registered {
            Some(one) => vec![one],
            None if known.is_strict() => FAPI.to_vec(),
            None => ASYMMETRIC.to_vec(),
        };
        let (issuer, id) = (self.issuer(), known.client.id.as_str());
        let token_endpoint = format!("{issuer}/oauth/token");
        let with_slash = format!("{issuer}/");
        let addresses = [presented.address, token_endpoint.as_str(), with_slash.as_str()];
        let addresses: &[&str] = if known.is_strict() { &[] } else { &addresses };
        let expected = Expected { client_id: id, issuer, addresses, now: presented.now.seconds() };
        let check = |keys: &_| client_assertion::check(assertion, keys, &allowed, expected);
        let keys = self.client_keys(known, false).await.ok_or_else(|| Refusal::client("the keys of the client cannot be read"))?;
        let good = match check(&keys) {
            // It may have new keys.
            Err(client_assertion::AssertionError::Signature) if known.metadata.jwks_uri.is_some() => {
                let keys = self.client_keys(known, true).await.ok_or_else(|| Refusal::client("the keys of the client cannot be read"))?;
                check(&keys)
            }
            outcome => outcome,
        };
        let good = good.map_err(|error| refused(&error))?;
        let expires = octroi_domain::Moment::from_micros(0).plus_seconds(good.expires);
        if self.see_once(&once("assertion", id, &good.jti), expires).await? {
            Ok(())
        } else {
            Err(refused(&"the assertion was used before: its jti counts once").into())
        }
    }

    /// Notes that something was seen; false when it was seen before.
    pub(super) async fn see_once(&self, key: &[u8; 32], expires: octroi_domain::Moment) -> Result<bool, Error> {
        let mut tx = self.inner.store.write().await?;
        let first = tx.see(key, expires).await?;
        tx.commit().await?;
        Ok(first)
    }
}

fn check_secret(known: &Known, digest: &[u8; 32]) -> Option<()> {
    known.client.secret.filter(|held| same_digest(held.bytes(), digest)).map(drop)
}

/// One way of authenticating, or none; two at once are refused.
fn shown<'a>(presented: &Presented<'a>) -> Result<(Option<String>, Shown<'a>), Refusal> {
    let parameters = presented.parameters;
    let (secret, assertion) = (parameters.get("client_secret"), parameters.get("client_assertion"));
    let ways = [presented.authorization.is_some(), secret.is_some(), assertion.is_some()];
    if ways.iter().filter(|way| **way).count() > 1 {
        return Err(Refusal::request("authenticate the client once: by the header, by the body, or by an assertion"));
    }
    if presented.authorization.is_some() {
        let client = presented.basic.ok_or_else(|| Refusal::client("the header Authorization is not HTTP Basic"))?;
        return Ok((Some(client.client_id.clone()), Shown::Secret(client.digest())));
    }
    match (parameters.get("client_assertion_type"), assertion) {
        (None, None) => {}
        (Some(ASSERTION_TYPE), Some(assertion)) => {
            return match foreign::unaccepted(assertion, &ASYMMETRIC) {
                Some(why) => Err(Refusal::client(format!("client_assertion: {why}"))),
                None => Ok((client_assertion::claimed(assertion), Shown::Assertion(assertion))),
            };
        }
        _ => return Err(Refusal::client(format!("client_assertion goes with client_assertion_type={ASSERTION_TYPE}"))),
    }
    Ok((None, secret.map_or(Shown::Nothing, |secret| Shown::Secret(secret::digest(secret)))))
}
