//! The settings of the sign-on.

use octroi_app::sign_on::settings::{Certificates, SignOnSettings};
use octroi_domain::network::Network;
use serde::Deserialize;

use crate::{config::ConfigError, outgoing::Reach};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignOn {
    /// What the certificate of a client proves, which a proxy of `portal.trusted_proxies` hands on in `Client-Cert` (RFC 9440):
    /// `off`: nothing; `verified`: the names in it, because the proxy lets through what its authorities signed alone;
    /// `any`: its key alone, because the proxy lets any through.
    pub client_certificates: ClientCertificates,
    /// Where the proxy asks for certificates, when that is not `portal.public_url`.
    pub certificate_url: Option<String>,
    /// `required`: DPoP proofs carry a nonce of ours (RFC 9449 section 8).
    pub dpop_nonce: DpopNonce,
    /// Networks of our own, as CIDR, where clients of the sign-on may have their addresses too. Without it only those of the
    /// public internet are called.
    pub private_networks: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    #[default]
    Off,
    Verified,
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DpopNonce {
    #[default]
    Optional,
    Required,
}

/// Networks as they are written in the settings.
///
/// # Errors
/// The first that is none.
pub fn networks(name: &'static str, texts: &[String]) -> Result<Vec<Network>, ConfigError> {
    let read = |text: &String| text.parse().map_err(|error| ConfigError::Bad { name, why: format!("{error}") });
    texts.iter().map(read).collect()
}

impl SignOn {
    pub(crate) fn check(&self, proxies: &[String]) -> Result<(), ConfigError> {
        let bad = |name, why: &str| Err(ConfigError::Bad { name, why: why.to_owned() });
        networks("sign_on.private_networks", &self.private_networks)?;
        if self.client_certificates != ClientCertificates::Off && proxies.is_empty() {
            return bad("sign_on.client_certificates", "name the proxy that hands certificates on in portal.trusted_proxies");
        }
        let Some(url) = &self.certificate_url else { return Ok(()) };
        if self.client_certificates == ClientCertificates::Off {
            return bad("sign_on.certificate_url", "it goes with sign_on.client_certificates");
        }
        match url.strip_prefix("https://") {
            Some(name) if !name.is_empty() && !name.contains(['/', '?', '#', '@', ' ']) => Ok(()),
            _ => bad("sign_on.certificate_url", "write a scheme and a host, without a path: https://mtls.portal.example"),
        }
    }

    #[must_use]
    pub fn settings(&self) -> SignOnSettings {
        SignOnSettings {
            certificates: match self.client_certificates {
                ClientCertificates::Off => Certificates::Off,
                ClientCertificates::Verified => Certificates::Verified,
                ClientCertificates::Any => Certificates::Any,
            },
            certificate_url: self.certificate_url.clone(),
            dpop_nonces: self.dpop_nonce == DpopNonce::Required,
        }
    }

    /// Where clients are called.
    ///
    /// # Errors
    /// When a network is none.
    pub(crate) fn reach(&self, this_machine: bool) -> Result<Reach, ConfigError> {
        Ok(Reach { networks: networks("sign_on.private_networks", &self.private_networks)?, this_machine })
    }

    pub(crate) fn told(&self) -> Vec<(String, String)> {
        let Self { client_certificates, certificate_url, dpop_nonce, private_networks } = self;
        [
            ("sign_on.client_certificates", format!("{client_certificates:?}").to_lowercase()),
            ("sign_on.certificate_url", certificate_url.clone().unwrap_or_default()),
            ("sign_on.dpop_nonce", format!("{dpop_nonce:?}").to_lowercase()),
            ("sign_on.private_networks", private_networks.join(", ")),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}
