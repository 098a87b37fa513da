//! Connections: other OpenID providers that people sign in through. Here we are the relying party.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Id, Moment, Slug, organization::Siret, text::Text, user::User};

/// Seconds that somebody has to come back from the provider.
pub const FLOW_SECONDS: i64 = 600;
/// Seconds that an answer of the provider waits for what confirms it: a password.
pub const PENDING_SECONDS: i64 = 600;

/// An OpenID provider that people are signed in through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Stands in addresses: `/auth/{slug}/login`.
    pub slug: Slug,
    /// Shown on the button.
    pub name: Text,
    /// Byte for byte what the provider's discovery document and tokens say.
    pub issuer: String,
    pub client_id: String,
    pub client_auth: ClientAuth,
    /// `openid` is among them.
    pub scopes: Vec<String>,
    /// One of them must be reached; none: whatever the provider does.
    #[serde(default)]
    pub acr_values: Vec<String>,
    pub link_policy: LinkPolicy,
    /// Does two factors that the provider saw (`amr` holds `mfa`, or the level ends in `-mfa`) count as two here?
    #[serde(default)]
    pub trusts_mfa: bool,
    /// Does a SIRET that the provider asserts link the person to that organisation, certified?
    #[serde(default)]
    pub trusts_organizations: bool,
    /// Does the provider give only addresses that it verified, without saying so (`email_verified`)?
    #[serde(default)]
    pub trusts_email: bool,
    /// Refuse facts about the person that the provider did not sign.
    #[serde(default)]
    pub signed_userinfo: bool,
    pub purpose: Purpose,
    pub active: bool,
    pub created_at: Moment,
    pub updated_at: Moment,
    pub version: u32,
}
impl Connection {
    /// Do people sign in to Octroi itself through it?
    #[must_use]
    pub const fn is_portal(&self) -> bool {
        matches!(self.purpose, Purpose::Portal)
    }

    #[must_use]
    pub const fn product(&self) -> Option<&Product> {
        match &self.purpose {
            Purpose::Portal => None,
            Purpose::Product(product) => Some(product),
        }
    }
}

/// How we prove to the provider who we are (OpenID Connect Core section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    #[default]
    SecretBasic,
    SecretPost,
    /// Signed with the key that is published at `/auth/{slug}/jwks`.
    PrivateKeyJwt,
}
impl ClientAuth {
    pub const ALL: [Self; 3] = [Self::SecretBasic, Self::SecretPost, Self::PrivateKeyJwt];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretBasic => "secret_basic",
            Self::SecretPost => "secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|auth| auth.as_str() == text)
    }

    #[must_use]
    pub const fn needs_secret(self) -> bool {
        !matches!(self, Self::PrivateKeyJwt)
    }
}

/// What may link a person whom the provider names to an account that was there before, found by its e-mail address. Both sides must
/// have verified the address, whatever the policy: who only says that an address is theirs gets nothing by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPolicy {
    /// Nothing: the account's owner links it from within.
    #[default]
    Never,
    VerifiedEmail,
    /// The password of the account.
    ConfirmByPassword,
    /// The operator's decision.
    Admin,
}
impl LinkPolicy {
    pub const ALL: [Self; 4] = [Self::Never, Self::VerifiedEmail, Self::ConfirmByPassword, Self::Admin];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::VerifiedEmail => "verified_email",
            Self::ConfirmByPassword => "confirm_by_password",
            Self::Admin => "admin",
        }
    }

    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }
}

/// What a connection is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// People sign in to Octroi itself.
    Portal,
    /// People are handed over to a product with its own front and API.
    Product(Box<Product>),
}

/// A product that relies on a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Where people are handed over: scheme, host and path, compared exactly. Over TLS, or on this machine.
    pub front: String,
    #[serde(default)]
    pub hand_off: HandOff,
    /// The operator knows what a secret in an address costs, and wants it.
    #[serde(default)]
    pub query_legacy_allowed: bool,
    #[serde(default)]
    pub organizations: OrganizationPolicy,
    #[serde(default)]
    pub details: crate::hand_off::ProductDetails,
}

/// How a product gets to know who came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOff {
    #[default]
    Session,
    Code,
    Fragment,
    QueryLegacy,
}
impl HandOff {
    pub const ALL: [Self; 4] = [Self::Session, Self::Code, Self::Fragment, Self::QueryLegacy];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Code => "code",
            Self::Fragment => "fragment",
            Self::QueryLegacy => "query_legacy",
        }
    }

    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

/// Which organisations a product takes people in for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationPolicy {
    #[default]
    Any,
    /// These alone. The value is the organisation that a person of the key works for, where the two differ: a ministry for its services.
    Listed(BTreeMap<String, Option<Siret>>),
}

/// What a provider said of a person, verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asserted {
    pub issuer: String,
    pub subject: String,
    /// Lower-case.
    pub email: Option<String>,
    pub email_verified: bool,
    pub given_name: String,
    pub family_name: String,
    pub organizations: Vec<AssertedOrganization>,
    pub amr: Vec<String>,
    pub acr: Option<String>,
    pub auth_time: Option<Moment>,
    pub id_token: String,
    pub sid: Option<String>,
}
impl Asserted {
    /// Did the provider see two factors?
    #[must_use]
    pub fn says_multi_factor(&self) -> bool {
        self.amr.iter().any(|word| word == "mfa") || self.acr.as_deref().is_some_and(|acr| acr.ends_with("-mfa"))
    }

    /// The address that may link or verify something.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }
}

/// An organisation that a provider says somebody belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertedOrganization {
    /// The provider's own number; the SIRET where it gives none.
    pub id: String,
    pub siret: Siret,
    pub label: String,
    pub is_external: bool,
}

/// Somebody who was sent to a provider and is to come back in the same browser, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    pub connection: Slug,
    pub state: String,
    pub nonce: String,
    /// Of PKCE (RFC 7636).
    pub verifier: String,
    /// Where they wanted to go: a path of ours.
    pub return_to: Option<String>,
    /// The person who links another way in to their account; none: who signs in.
    pub user: Option<Id<User>>,
    /// What the product's hand-off keeps until then, as JSON.
    pub extra: String,
    pub created_at: Moment,
    pub expires_at: Moment,
}

/// A way in: whom a provider's word stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub id: Id<Identity>,
    pub issuer: String,
    pub subject: String,
    pub user: Id<User>,
    /// The connection that it came by first.
    pub connection: Slug,
    pub created_at: Moment,
    pub last_used_at: Moment,
}

/// Somebody whom a provider named, and whom an account waits to be linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRequest {
    pub id: Id<LinkRequest>,
    pub connection: Slug,
    pub issuer: String,
    pub subject: String,
    /// The account that has the same verified address.
    pub user: Id<User>,
    pub created_at: Moment,
    pub decided_at: Option<Moment>,
    pub accepted: bool,
}

/// A session that was opened by a provider's word: what is needed to end both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamSession {
    pub session: Id<crate::authentication::Session>,
    pub connection: Slug,
    pub issuer: String,
    pub subject: String,
    /// The provider's own name of its session.
    pub sid: Option<String>,
    /// The ID token, sealed: the provider wants it back at the logout.
    pub sealed: Vec<u8>,
    pub created_at: Moment,
}

/// What becomes of somebody whom a provider names and no identity knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// A new account; is its address verified?
    NewAccount {
        verified: bool,
    },
    /// The account that is there is theirs.
    Link,
    /// It may be, once its password is typed.
    AskPassword,
    /// It may be, once the operator says so.
    AskOperator,
    Refused(Conflict),
}

/// Why nobody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// An account has this address, and the connection links none.
    AddressTaken,
    /// An account has this address, and one of the two sides did not verify it.
    NotVerified,
    /// The provider gave no address: no account can be made.
    NoAddress,
    /// It opens another account.
    LinkedElsewhere,
    /// Another person is signed in than the one who asked to link it.
    OtherPerson,
    /// The operator said no.
    Declined,
}

/// What is known of the account that has the address which the provider gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    pub verified: bool,
    pub has_password: bool,
    /// The same provider opens it already, for another subject: the provider gave the address to somebody else since, or the person another
    /// name. Its word alone cannot tell which.
    pub other_subject: bool,
}

/// The one rule of who gets which account. An address is a hint, never a proof of its own: it links when it was verified on both sides
/// and the policy says so.
#[must_use]
pub const fn arrival(policy: LinkPolicy, has_email: bool, email_verified: bool, holder: Option<Holder>) -> Arrival {
    let Some(holder) = holder else {
        return if has_email { Arrival::NewAccount { verified: email_verified } } else { Arrival::Refused(Conflict::NoAddress) };
    };
    if !email_verified || !holder.verified {
        return Arrival::Refused(match policy {
            LinkPolicy::Never => Conflict::AddressTaken,
            _ => Conflict::NotVerified,
        });
    }
    match policy {
        LinkPolicy::Never => Arrival::Refused(Conflict::AddressTaken),
        LinkPolicy::VerifiedEmail if !holder.other_subject => Arrival::Link,
        LinkPolicy::VerifiedEmail | LinkPolicy::ConfirmByPassword if holder.has_password => Arrival::AskPassword,
        LinkPolicy::VerifiedEmail | LinkPolicy::ConfirmByPassword => Arrival::Refused(Conflict::AddressTaken),
        LinkPolicy::Admin => Arrival::AskOperator,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_links_only_when_both_sides_verified_it_and_the_policy_says_so() {
        let held = |verified| Some(Holder { verified, has_password: true, other_subject: false });
        for (policy, both) in [
            (LinkPolicy::Never, Arrival::Refused(Conflict::AddressTaken)),
            (LinkPolicy::VerifiedEmail, Arrival::Link),
            (LinkPolicy::ConfirmByPassword, Arrival::AskPassword),
            (LinkPolicy::Admin, Arrival::AskOperator),
        ] {
            assert_eq!(arrival(policy, true, true, held(true)), both, "{policy:?}");
            for (theirs, ours) in [(true, false), (false, true), (false, false)] {
                let outcome = arrival(policy, true, theirs, held(ours));
                assert!(matches!(outcome, Arrival::Refused(_)), "{policy:?} {theirs} {ours}: {outcome:?}");
            }
            assert_eq!(arrival(policy, true, true, None), Arrival::NewAccount { verified: true });
            assert_eq!(arrival(policy, true, false, None), Arrival::NewAccount { verified: false });
            assert_eq!(arrival(policy, false, false, None), Arrival::Refused(Conflict::NoAddress));
        }
        let no_password = Some(Holder { verified: true, has_password: false, other_subject: false });
        assert_eq!(arrival(LinkPolicy::ConfirmByPassword, true, true, no_password), Arrival::Refused(Conflict::AddressTaken));
    }

    #[test]
    fn an_address_that_the_provider_gave_to_somebody_else_links_nothing_by_itself() {
        for (has_password, outcome) in [(true, Arrival::AskPassword), (false, Arrival::Refused(Conflict::AddressTaken))] {
            let holder = Some(Holder { verified: true, has_password, other_subject: true });
            assert_eq!(arrival(LinkPolicy::VerifiedEmail, true, true, holder), outcome);
        }
    }

    #[test]
    fn the_words_are_one() {
        for auth in ClientAuth::ALL {
            assert_eq!(serde_json::to_value(auth).unwrap(), auth.as_str());
        }
        for policy in LinkPolicy::ALL {
            assert_eq!(serde_json::to_value(policy).unwrap(), policy.as_str());
        }
        for mode in HandOff::ALL {
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
        }
    }
}
