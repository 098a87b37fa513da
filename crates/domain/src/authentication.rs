//! How somebody proved who they are, and how far that can be relied on.

use serde::{Deserialize, Serialize};

use crate::{Id, Moment, user::LinkLevel, user::User};

/// One proof of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Password,
    /// A passkey that verified its holder.
    Passkey,
    /// A security key that proves only that it is there.
    SecurityKey,
    Totp,
    RecoveryCode,
    /// A link or a code that was sent by mail.
    Mail,
    /// Another identity provider said so.
    Upstream,
    /// Another identity provider said so, and that it saw two factors.
    UpstreamMfa,
}
impl Method {
    pub const ALL: [Self; 8] =
        [Self::Password, Self::Passkey, Self::SecurityKey, Self::Totp, Self::RecoveryCode, Self::Mail, Self::Upstream, Self::UpstreamMfa];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Passkey => "passkey",
            Self::SecurityKey => "security_key",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Mail => "mail",
            Self::Upstream => "upstream",
            Self::UpstreamMfa => "upstream_mfa",
        }
    }

    /// The words of RFC 8176 for it.
    #[must_use]
    pub const fn amr(self) -> &'static [&'static str] {
        match self {
            Self::Password => &["pwd"],
            Self::Passkey => &["pop", "user"],
            Self::SecurityKey => &["pop"],
            Self::Totp | Self::RecoveryCode => &["otp"],
            // Not in RFC 8176; ProConnect's word.
            Self::Mail => &["mail"],
            Self::Upstream | Self::UpstreamMfa => &[],
        }
    }

    /// Does it prove a thing that one has, beside one that one knows? A mail does not: the mailbox often opens with
    /// the same password (CNIL, délibération 2025-019).
    const fn is_second(self) -> bool {
        matches!(self, Self::Totp | Self::RecoveryCode | Self::SecurityKey)
    }

    const fn is_first(self) -> bool {
        matches!(self, Self::Password | Self::Mail | Self::Upstream)
    }
}

/// The proofs of one sign-in, and when the last was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    pub at: Moment,
    pub methods: Vec<Method>,
}
impl Authentication {
    #[must_use]
    pub fn new(method: Method, at: Moment) -> Self {
        Self { at, methods: vec![method] }
    }

    /// With one more proof.
    #[must_use]
    pub fn and(&self, method: Method, at: Moment) -> Self {
        let mut methods = self.methods.clone();
        if !methods.contains(&method) {
            methods.push(method);
        }
        Self { at, methods }
    }

    /// Two factors of different kinds: a passkey that verified its holder is both at once.
    #[must_use]
    pub fn is_multi_factor(&self) -> bool {
        let has = |wanted: fn(Method) -> bool| self.methods.iter().any(|method| wanted(*method));
        has(|method| matches!(method, Method::Passkey | Method::UpstreamMfa)) || (has(Method::is_first) && has(Method::is_second))
    }

    /// The claim `amr` (RFC 8176).
    #[must_use]
    pub fn amr(&self) -> Vec<&'static str> {
        let mut words: Vec<&str> = Vec::new();
        for word in self.methods.iter().flat_map(|method| method.amr()) {
            if !words.contains(word) {
                words.push(word);
            }
        }
        if self.is_multi_factor() {
            words.push("mfa");
        }
        words
    }

    /// Was it at most this many seconds ago?
    #[must_use]
    pub fn is_recent(&self, seconds: i64, now: Moment) -> bool {
        now <= self.at.plus_seconds(seconds)
    }
}

/// How far a sign-in can be relied on, in ProConnect's words: 0, an organisation that nobody checked; 1, one that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Acr {
    #[serde(rename = "eidas0")]
    Eidas0,
    #[serde(rename = "eidas0-mfa")]
    Eidas0Mfa,
    #[serde(rename = "eidas1")]
    Eidas1,
    #[serde(rename = "eidas1-mfa")]
    Eidas1Mfa,
}
impl Acr {
    pub const ALL: [Self; 4] = [Self::Eidas0, Self::Eidas0Mfa, Self::Eidas1, Self::Eidas1Mfa];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eidas0 => "eidas0",
            Self::Eidas0Mfa => "eidas0-mfa",
            Self::Eidas1 => "eidas1",
            Self::Eidas1Mfa => "eidas1-mfa",
        }
    }

    /// None for a word that is none of them.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|acr| acr.as_str() == text)
    }

    /// What a sign-in for an organisation amounts to; without one, nobody vouches for anything.
    #[must_use]
    pub fn of(authentication: &Authentication, link: Option<LinkLevel>) -> Self {
        match (link.is_some_and(|level| level >= LinkLevel::Verified), authentication.is_multi_factor()) {
            (false, false) => Self::Eidas0,
            (false, true) => Self::Eidas0Mfa,
            (true, false) => Self::Eidas1,
            (true, true) => Self::Eidas1Mfa,
        }
    }

    /// Does this sign-in do where `wanted` is asked for? More than asked does, of either kind.
    #[must_use]
    pub const fn satisfies(self, wanted: Self) -> bool {
        (self.is_multi_factor() || !wanted.is_multi_factor()) && (self.is_checked() || !wanted.is_checked())
    }

    #[must_use]
    pub const fn is_multi_factor(self) -> bool {
        matches!(self, Self::Eidas0Mfa | Self::Eidas1Mfa)
    }

    const fn is_checked(self) -> bool {
        matches!(self, Self::Eidas1 | Self::Eidas1Mfa)
    }
}

/// A browser that is signed in. Its cookie is nowhere; `id` may be shown, and is the `sid` of OpenID Connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: Id<Session>,
    pub user: Id<User>,
    pub authentication: Authentication,
    pub created_at: Moment,
    pub last_seen_at: Moment,
    pub expires_at: Moment,
    /// Where it was opened from: the network address, and what the browser says of itself, cut.
    pub address: String,
    pub agent: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_factors_are_of_two_kinds() {
        let now = Moment::from_micros(0);
        for (methods, both) in [
            (&[Method::Password][..], false),
            (&[Method::Password, Method::Mail], false),
            (&[Method::Totp], false),
            (&[Method::Password, Method::Totp], true),
            (&[Method::Mail, Method::SecurityKey], true),
            (&[Method::Totp, Method::SecurityKey], false),
            (&[Method::Passkey], true),
            (&[Method::Upstream], false),
            (&[Method::Upstream, Method::Totp], true),
            (&[Method::UpstreamMfa], true),
        ] {
            let made = Authentication { at: now, methods: methods.to_vec() };
            assert_eq!(made.is_multi_factor(), both, "{methods:?}");
            assert_eq!(made.amr().contains(&"mfa"), both, "{methods:?}");
        }
        let made = Authentication::new(Method::Password, now).and(Method::Totp, now).and(Method::RecoveryCode, now);
        assert_eq!(made.amr(), ["pwd", "otp", "mfa"]);
    }

    #[test]
    fn more_than_asked_does() {
        for (held, wanted, does) in [
            (Acr::Eidas1, Acr::Eidas1, true),
            (Acr::Eidas1Mfa, Acr::Eidas1, true),
            (Acr::Eidas1Mfa, Acr::Eidas0, true),
            (Acr::Eidas1, Acr::Eidas1Mfa, false),
            (Acr::Eidas0Mfa, Acr::Eidas1, false),
            (Acr::Eidas1, Acr::Eidas0Mfa, false),
        ] {
            assert_eq!(held.satisfies(wanted), does, "{held:?} {wanted:?}");
        }
        let signed_in = Authentication::new(Method::Passkey, Moment::from_micros(0));
        assert_eq!(Acr::of(&signed_in, Some(LinkLevel::Certified)), Acr::Eidas1Mfa);
        assert_eq!(Acr::of(&signed_in, Some(LinkLevel::Unverified)), Acr::Eidas0Mfa);
        assert_eq!(Acr::of(&signed_in, None).as_str(), "eidas0-mfa");
        assert_eq!(Acr::read("eidas1-mfa"), Some(Acr::Eidas1Mfa));
    }
}
