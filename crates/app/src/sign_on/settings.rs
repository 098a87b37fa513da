//! What the operator settled for the sign-on as a whole.

use crate::context::App;

/// What the certificate of a client proves, where a proxy in front hands one on (RFC 9440).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Certificates {
    /// None is looked at.
    #[default]
    Off,
    /// The proxy lets through what its authorities signed: the names in it are true.
    Verified,
    /// The proxy lets any through: it proves its key alone, not its names.
    Any,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignOnSettings {
    pub certificates: Certificates,
    /// Where the proxy asks for certificates, when it is not the public address: without a slash at its end.
    pub certificate_url: Option<String>,
    /// DPoP proofs carry a nonce of ours (RFC 9449 section 8).
    pub dpop_nonces: bool,
}

impl App {
    /// Settles the sign-on, once, before anybody is served.
    pub fn settle_sign_on(&self, settings: SignOnSettings) {
        let _ = self.inner.sign_on.settings.set(settings);
    }

    #[must_use]
    pub fn sign_on_settings(&self) -> &SignOnSettings {
        self.inner.sign_on.settings.get_or_init(SignOnSettings::default)
    }
}
