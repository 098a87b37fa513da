//! Handing people over to a product that has a front and an API of its own, once a provider has said who they are.

use serde::{Deserialize, Serialize};

use crate::{
    Id, Moment, Slug,
    connection::{AssertedOrganization, HandOff, LinkPolicy, OrganizationPolicy},
    organization::Siret,
};

/// Seconds that a code of a hand-off can be exchanged.
pub const CODE_SECONDS: i64 = 60;
/// Seconds that somebody has to choose an organisation, or to type the password of before.
pub const PENDING_SECONDS: i64 = 600;
/// Seconds that a login lasts, whatever happens.
pub const LOGIN_SECONDS: i64 = 12 * 3_600;
/// Seconds without use after which a session, or a refresh token, is over.
pub const IDLE_SECONDS: i64 = 3_600;
/// Seconds that a token is good for where nothing else is set, and the most that can be.
pub const TOKEN_SECONDS: u32 = 900;
pub const MOST_TOKEN_SECONDS: u32 = 3_600;
/// Organisations that are kept of what a provider says.
pub const MOST_ORGANIZATIONS: usize = 200;
/// Where a front waits for people, as the first product had it.
pub const HELP_PATH: &str = "/auth/datapass/create-organization";
pub const PICK_PATH: &str = "/auth/datapass/pick-organization";

/// What else a product sets of its hand-off.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProductDetails {
    /// Where people go who come for no organisation that the product knows; none: [`HELP_PATH`] of the front's origin.
    pub help: Option<String>,
    /// The front shows the choice of the organisation itself, at [`PICK_PATH`] of its origin or where `pick` says; else we do.
    pub front_picks: bool,
    pub pick: Option<String>,
    /// One parameter `user_info`, a JSON text, rather than four.
    pub user_info: bool,
    /// The code of the hand-off stands in the query, not in the fragment, of the front's address.
    pub code_in_query: bool,
    /// The front is of another site than we are: browsers keep our cookies from what it asks. A code is then bound to the front's verifier
    /// and origin alone, and nothing can be refreshed.
    pub other_site: bool,
    /// Seconds that a token is good for; none: [`TOKEN_SECONDS`].
    pub token_seconds: Option<u32>,
    /// Where the provider sends people after the logout; none: the front.
    pub after_logout: Option<String>,
}

/// What somebody may do in a product. Never taken from what a browser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ProductRole {
    #[default]
    User,
    Admin,
}
impl ProductRole {
    pub const ALL: [Self; 2] = [Self::User, Self::Admin];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Admin => "ADMIN",
        }
    }

    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// An organisation as the product knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductOrganization {
    pub siret: Siret,
    pub label: String,
    #[serde(default)]
    pub is_external: bool,
}

/// The organisation that a product knows for this one; none where it does not know it.
#[must_use]
pub fn known(siret: &Siret, policy: &OrganizationPolicy) -> Option<Siret> {
    match policy {
        OrganizationPolicy::Any => Some(siret.clone()),
        OrganizationPolicy::Listed(list) => list.get(siret.as_str()).map(|parent| parent.clone().unwrap_or_else(|| siret.clone())),
    }
}

/// Of the organisations that a provider asserts, those that the product knows, each once.
#[must_use]
pub fn allowed(asserted: &[AssertedOrganization], policy: &OrganizationPolicy) -> Vec<ProductOrganization> {
    let mut found: Vec<ProductOrganization> = Vec::new();
    for organization in asserted {
        let Some(siret) = known(&organization.siret, policy) else { continue };
        if found.len() < MOST_ORGANIZATIONS && !found.iter().any(|other| other.siret == siret) {
            // What stands for another keeps its own name out: it is not that one's.
            let label = if siret == organization.siret { organization.label.clone() } else { String::new() };
            found.push(ProductOrganization { siret, label, is_external: organization.is_external });
        }
    }
    found
}

/// Somebody as a product knows them: by the provider and its word for them, never by their address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductAccount {
    pub id: Id<ProductAccount>,
    pub connection: Slug,
    pub issuer: String,
    pub subject: String,
    pub organization: Siret,
    pub role: ProductRole,
    pub active: bool,
    pub facts: AccountFacts,
    pub created_at: Moment,
    pub last_login_at: Moment,
    pub version: u32,
}
/// What the provider said at the last login.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountFacts {
    pub email: String,
    pub email_verified: bool,
    pub given_name: String,
    pub family_name: String,
    pub organizations: Vec<ProductOrganization>,
}

/// An account with a password, of the days before. It is kept apart, and nobody's until it is linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyUser {
    pub id: Id<LegacyUser>,
    pub connection: Slug,
    /// The product's own name of it.
    pub reference: Option<String>,
    /// Lower-case.
    pub email: String,
    pub organization: Siret,
    pub role: ProductRole,
    pub has_password: bool,
    pub created_at: Moment,
    pub link: Option<LegacyLink>,
}
/// Whose it turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyLink {
    pub issuer: String,
    pub subject: String,
    pub at: Moment,
    pub proof: LinkProof,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkProof {
    Password,
    VerifiedEmail,
    Operator,
}
impl LinkProof {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::VerifiedEmail => "verified_email",
            Self::Operator => "operator",
        }
    }
}

/// What becomes of an account of before that has the address which the provider gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacyMove {
    /// It stays as it is; who comes gets an account of their own.
    Apart,
    Link,
    AskPassword,
    AskOperator,
    /// It is theirs by the policy, but of an organisation that the provider does not name: the operator decides.
    Conflict,
}

/// The one rule of who gets which account of before. `email_verified` is the provider's word; `organizations` those that they come for.
#[must_use]
pub fn legacy_move(
    policy: LinkPolicy,
    email_verified: bool,
    legacy: &LegacyUser,
    organizations: &[ProductOrganization],
    known_as: Option<&Siret>,
) -> LegacyMove {
    if !email_verified || legacy.link.is_some() {
        return LegacyMove::Apart;
    }
    let same = organizations.iter().any(|organization| Some(&organization.siret) == known_as);
    match policy {
        LinkPolicy::Never => LegacyMove::Apart,
        LinkPolicy::VerifiedEmail if same => LegacyMove::Link,
        LinkPolicy::VerifiedEmail => LegacyMove::Conflict,
        // Whether the organisations agree is said to who typed the password, and to nobody else.
        LinkPolicy::ConfirmByPassword if legacy.has_password => LegacyMove::AskPassword,
        LinkPolicy::ConfirmByPassword => LegacyMove::Apart,
        LinkPolicy::Admin => LegacyMove::AskOperator,
    }
}

/// Why the operator has to look at an account of before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeReason {
    /// The policy leaves it to them.
    Policy,
    /// It is of another organisation.
    Organization,
}
impl DisputeReason {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Organization => "organization",
        }
    }
}

/// Somebody who may be the owner of an account of before: the operator decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    pub id: Id<Dispute>,
    pub connection: Slug,
    pub legacy: Id<LegacyUser>,
    pub issuer: String,
    pub subject: String,
    pub reason: DisputeReason,
    /// Those that the provider names.
    pub organizations: Vec<ProductOrganization>,
    pub created_at: Moment,
    pub decided_at: Option<Moment>,
    pub accepted: bool,
}

/// What a front wants of a login that it begins. Nothing in it says who somebody is or what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Wish {
    /// The S256 challenge of a verifier that the front keeps.
    #[serde(default)]
    pub challenge: Option<String>,
    /// Given back as it came, so that the front knows the login for its own.
    #[serde(default)]
    pub state: Option<String>,
    /// Choose the organisation anew.
    #[serde(default)]
    pub select: bool,
}

/// What a login waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waits {
    /// One of the organisations.
    Organization,
    /// The password of this account of before.
    Password { legacy: Id<LegacyUser> },
    /// Knowing that the operator will decide about it.
    Operator { legacy: Id<LegacyUser> },
}

/// Somebody whom a provider named, on the way to a product: used once, in the browser that they came with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub issuer: String,
    pub subject: String,
    pub facts: AccountFacts,
    pub id_token: String,
    pub sid: Option<String>,
    pub wish: Wish,
    pub waits: Waits,
    /// They want no account of before.
    #[serde(default)]
    pub apart: bool,
}

/// A login of somebody to a product: what it was given ends with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub id: Id<Login>,
    pub connection: Slug,
    pub account: Id<ProductAccount>,
    pub mode: HandOff,
    pub sid: Option<String>,
    /// The ID token, sealed: the provider wants it back at the logout.
    pub sealed: Vec<u8>,
    pub created_at: Moment,
    pub expires_at: Moment,
    pub ended_at: Option<Moment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// In a cookie that no script reads.
    Session,
    /// Exchanged once, for what follows.
    Code,
    Access,
    /// In a cookie; replaced at each use.
    Refresh,
}
impl TokenKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Code => "code",
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// A secret of a login; the text itself is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub login: Id<Login>,
    pub kind: TokenKind,
    /// What a code is bound to: the S256 challenge, and the digest of the word in the browser's cookie.
    pub challenge: Option<String>,
    pub browser: Option<[u8; 32]>,
    pub created_at: Moment,
    pub expires_at: Moment,
    pub used_at: Option<Moment>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const MINISTRY: &str = "13002526500013";
    const CITY: &str = "21750001600019";

    fn asserted(siret: &str) -> AssertedOrganization {
        AssertedOrganization { id: siret.into(), siret: siret.parse().unwrap(), label: format!("of {siret}"), is_external: false }
    }

    fn legacy(siret: &str, has_password: bool) -> LegacyUser {
        LegacyUser {
            id: Id::from_uuid(uuid::Uuid::nil()),
            connection: "catalogue".parse().unwrap(),
            reference: None,
            email: "ada@ville.example".into(),
            organization: siret.parse().unwrap(),
            role: ProductRole::Admin,
            has_password,
            created_at: Moment::from_micros(0),
            link: None,
        }
    }

    #[test]
    fn only_organisations_that_the_product_knows_each_once() {
        let both = [asserted(MINISTRY), asserted(CITY), asserted(CITY)];
        assert_eq!(allowed(&both, &OrganizationPolicy::Any).len(), 2);
        let parent = BTreeMap::from([(CITY.to_owned(), Some(MINISTRY.parse().unwrap())), (MINISTRY.to_owned(), None)]);
        let found = allowed(&both, &OrganizationPolicy::Listed(parent));
        assert_eq!(found.iter().map(|found| found.siret.as_str()).collect::<Vec<_>>(), [MINISTRY]);
        assert!(allowed(&both, &OrganizationPolicy::Listed(BTreeMap::new())).is_empty());
    }

    #[test]
    fn an_account_of_before_is_linked_by_proof_alone() {
        let theirs = allowed(&[asserted(CITY)], &OrganizationPolicy::Any);
        let judge = |policy, verified, legacy: &LegacyUser| legacy_move(policy, verified, legacy, &theirs, Some(&legacy.organization));
        let (mine, other) = (legacy(CITY, true), legacy(MINISTRY, true));
        for policy in LinkPolicy::ALL {
            assert_eq!(judge(policy, false, &mine), LegacyMove::Apart, "an address that nobody verified: {policy:?}");
            let link = LegacyLink { issuer: "i".into(), subject: "s".into(), at: Moment::from_micros(0), proof: LinkProof::VerifiedEmail };
            let taken = LegacyUser { link: Some(link), ..mine.clone() };
            assert_eq!(judge(policy, true, &taken), LegacyMove::Apart, "it has its owner: {policy:?}");
        }
        assert_eq!(judge(LinkPolicy::Never, true, &mine), LegacyMove::Apart);
        assert_eq!(judge(LinkPolicy::VerifiedEmail, true, &mine), LegacyMove::Link);
        assert_eq!(judge(LinkPolicy::VerifiedEmail, true, &other), LegacyMove::Conflict);
        assert_eq!(judge(LinkPolicy::ConfirmByPassword, true, &other), LegacyMove::AskPassword);
        assert_eq!(judge(LinkPolicy::ConfirmByPassword, true, &legacy(CITY, false)), LegacyMove::Apart);
        assert_eq!(judge(LinkPolicy::Admin, true, &mine), LegacyMove::AskOperator);
    }

    #[test]
    fn the_words_are_one() {
        for role in ProductRole::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
            assert_eq!(ProductRole::read(role.as_str()), Some(role));
        }
        assert_eq!(ProductRole::read("admin"), None);
        for kind in [TokenKind::Session, TokenKind::Code, TokenKind::Access, TokenKind::Refresh] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for proof in [LinkProof::Password, LinkProof::VerifiedEmail, LinkProof::Operator] {
            assert_eq!(serde_json::to_value(proof).unwrap(), proof.as_str());
        }
        for reason in [DisputeReason::Policy, DisputeReason::Organization] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
