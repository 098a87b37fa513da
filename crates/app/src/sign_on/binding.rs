//! What a token is bound to: the key of a DPoP proof (RFC 9449), the client's certificate (RFC 8705 section 3). And the
//! nonces that proofs carry.

use octroi_domain::{Moment, sign_on::GRACE_SECONDS};
use octroi_oauth::{
    dpop,
    foreign::{ASYMMETRIC, Algorithm, FAPI},
    id_token::{self, Confirmation},
};

use super::{Known, Presented, Refusal, SignOnError, once};
use crate::context::App;

/// Seconds between two nonces; each is good for twice as long.
const NONCE_SECONDS: i64 = 300;

/// What was shown beside a token request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Binding {
    /// The thumbprint of the key of the proof.
    pub jkt: Option<String>,
    /// The thumbprint of the certificate, for clients that want their tokens bound to it.
    pub x5t: Option<String>,
}
impl Binding {
    pub fn confirmation(&self) -> Option<Confirmation> {
        let bound = self.jkt.is_some() || self.x5t.is_some();
        bound.then(|| Confirmation { jkt: self.jkt.clone(), x5t_s256: self.x5t.clone() })
    }

    /// What a public client's refresh token is bound to (RFC 9449 section 5, RFC 8705 section 4).
    pub fn holder(&self) -> Option<String> {
        self.jkt.clone().or_else(|| self.x5t.as_ref().map(|x5t| format!("x5t#S256:{x5t}")))
    }
}

impl App {
    /// What the tokens of this request are to be bound to.
    ///
    /// # Errors
    /// A bad proof; what the client has to show is not there.
    pub(super) async fn binding(&self, known: &Known, presented: Presented<'_>) -> Result<Binding, SignOnError> {
        let jkt = self.proof(known.is_strict(), None, presented).await?;
        if known.metadata.dpop_bound_access_tokens && jkt.is_none() {
            return Err(Refusal::proof("this client has to send a DPoP proof").into());
        }
        let x5t = match (known.metadata.tls_client_certificate_bound_access_tokens, presented.certificate) {
            (false, _) => None,
            (true, Some(certificate)) => Some(certificate.thumbprint()),
            (true, None) => return Err(Refusal::request("this client has to show its certificate: its tokens are bound to it").into()),
        };
        Ok(Binding { jkt, x5t })
    }

    /// The thumbprint of the key that a request proves to hold (RFC 9449); none when it shows no proof.
    pub(super) async fn proof(&self, strict: bool, token: Option<&str>, presented: Presented<'_>) -> Result<Option<String>, SignOnError> {
        let Some(proof) = presented.dpop else { return Ok(None) };
        let now = presented.now;
        let target = dpop::Target { method: presented.method, address: presented.address, access_token: token, now: now.seconds() };
        let allowed: &[Algorithm] = if strict { &FAPI } else { &ASYMMETRIC };
        let proof = dpop::check(proof, target, allowed).map_err(|error| Refusal::proof(error.to_string()))?;
        match &proof.nonce {
            Some(nonce) if self.is_nonce(nonce, now) => {}
            None if !self.sign_on_settings().dpop_nonces => {}
            _ => return Err(Refusal::new(400, "use_dpop_nonce", "the DPoP proof has to carry the nonce of the header DPoP-Nonce").into()),
        }
        let expires = Moment::from_micros(0).plus_seconds(proof.expires.saturating_add(60));
        if !self.see_once(&once("dpop", &proof.jkt, &proof.jti), expires).await? {
            return Err(Refusal::proof("the DPoP proof was used before: its jti counts once").into());
        }
        Ok(Some(proof.jkt))
    }

    /// The nonce that the next proof has to carry: the same on every node, with nothing kept.
    #[must_use]
    pub fn dpop_nonce(&self, now: Moment) -> String {
        self.nonce_of(now.seconds().div_euclid(NONCE_SECONDS))
    }

    fn nonce_of(&self, period: i64) -> String {
        id_token::pairwise(self.inner.master_key.bytes(), "dpop nonce", &period.to_string())
    }

    fn is_nonce(&self, nonce: &str, now: Moment) -> bool {
        let period = now.seconds().div_euclid(NONCE_SECONDS);
        // Another node's clock may be a little ahead.
        let ahead = now.plus_seconds(GRACE_SECONDS).seconds().div_euclid(NONCE_SECONDS);
        [period, period - 1, ahead].into_iter().any(|period| self.nonce_of(period) == nonce)
    }
}
