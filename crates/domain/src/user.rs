//! People, where they belong, and the roles they hold.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Id, Moment, Slug, api::ApiName, organization::Organization, text::Language};

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: Id<User>,
    /// Lower-case; unique.
    pub email: String,
    pub given_name: String,
    pub family_name: String,
    pub language: Language,
    pub created_at: Moment,
    /// When the person proved that mail to the address reaches them; none: never, or not since it changed.
    #[serde(default)]
    pub email_verified_at: Option<Moment>,
}
impl User {
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }
}

/// How sure we are that the person belongs to the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkLevel {
    Unverified,
    Verified,
    Certified,
}

impl LinkLevel {
    pub const ALL: [Self; 3] = [Self::Unverified, Self::Verified, Self::Certified];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Verified => "verified",
            Self::Certified => "certified",
        }
    }
}

/// What the level of a link rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkProof {
    /// The operator wrote it down.
    Recorded,
    /// The operator accepted a request to join.
    Moderation,
    /// A verified e-mail address under a domain that is known to be the organisation's.
    Domain,
    /// The verified e-mail address is the organisation's official one.
    OfficialContact,
    /// The verified e-mail address has the domain of the organisation's official one.
    OfficialContactDomain,
    /// The code that was sent to the organisation's official address.
    OfficialContactCode,
    /// A member vouched.
    Sponsor,
    /// A member invited this address.
    Invitation,
    /// The person's own identity provider says so.
    IdentityProvider,
    /// Nothing: no proof exists for such an organisation, or none was looked for.
    Nothing,
}
impl LinkProof {
    pub const ALL: [Self; 10] = [
        Self::Recorded,
        Self::Moderation,
        Self::Domain,
        Self::OfficialContact,
        Self::OfficialContactDomain,
        Self::OfficialContactCode,
        Self::Sponsor,
        Self::Invitation,
        Self::IdentityProvider,
        Self::Nothing,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Moderation => "moderation",
            Self::Domain => "domain",
            Self::OfficialContact => "official_contact",
            Self::OfficialContactDomain => "official_contact_domain",
            Self::OfficialContactCode => "official_contact_code",
            Self::Sponsor => "sponsor",
            Self::Invitation => "invitation",
            Self::IdentityProvider => "identity_provider",
            Self::Nothing => "nothing",
        }
    }
}

/// The link between a person and an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub user: Id<User>,
    pub organization: Id<Organization>,
    pub level: LinkLevel,
    /// Works for the organisation without being of it: a contractor.
    pub external: bool,
    pub created_at: Moment,
    pub proof: LinkProof,
    pub proved_at: Moment,
    /// Who vouched, invited or decided; none: nobody had to.
    pub proved_by: Option<Id<User>>,
}
impl Membership {
    /// A link that begins, from the inside, proved by nobody in person.
    #[must_use]
    pub const fn new(user: Id<User>, organization: Id<Organization>, level: LinkLevel, proof: LinkProof, at: Moment) -> Self {
        Self { user, organization, level, external: false, created_at: at, proof, proved_at: at, proved_by: None }
    }

    /// May this member vouch for others, and invite them? Whoever is sure, and of the organisation.
    #[must_use]
    pub fn may_vouch(&self) -> bool {
        self.level >= LinkLevel::Verified && !self.external
    }
}

/// What a person may be asked to do beyond applying, which needs no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Applies for an organisation. Every member may; the role is listed so that it can be shown.
    Applicant,
    /// Decides on requests.
    Reviewer,
    /// Reads requests and permits.
    Observer,
    /// Receives the notifications of a definition: a switch beside another role.
    Subscriber,
    /// Decides on requests, and gives roles in the same perimeter.
    Manager,
    /// Reads requests and permits, and uses the management API for the perimeter.
    Developer,
    /// Runs APIs: subscribers, traces, suspension.
    ApiAdministrator,
    /// Runs the platform.
    Operator,
}
impl Role {
    pub const ALL: [Self; 8] = [
        Self::Applicant,
        Self::Reviewer,
        Self::Observer,
        Self::Subscriber,
        Self::Manager,
        Self::Developer,
        Self::ApiAdministrator,
        Self::Operator,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applicant => "applicant",
            Self::Reviewer => "reviewer",
            Self::Observer => "observer",
            Self::Subscriber => "subscriber",
            Self::Manager => "manager",
            Self::Developer => "developer",
            Self::ApiAdministrator => "api_administrator",
            Self::Operator => "operator",
        }
    }

    /// May this role read requests and permits of its perimeter?
    #[must_use]
    pub const fn reads_requests(self) -> bool {
        matches!(self, Self::Reviewer | Self::Observer | Self::Manager | Self::Developer)
    }

    /// May this role decide on requests of its perimeter?
    #[must_use]
    pub const fn decides(self) -> bool {
        matches!(self, Self::Reviewer | Self::Manager)
    }
}
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
/// The text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role")]
pub struct RoleError(String);
impl FromStr for Role {
    type Err = RoleError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| RoleError(text.chars().take(40).collect()))
    }
}

/// Where a role holds: for one definition, one API, a whole provider, or the platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Perimeter {
    Definition(Slug),
    Api(ApiName),
    Provider(Slug),
    Platform,
}
impl Perimeter {
    #[must_use]
    pub fn covers_definition(&self, definition: &Slug, provider: &Slug) -> bool {
        match self {
            Self::Definition(held) => held == definition,
            Self::Provider(held) => held == provider,
            Self::Api(_) | Self::Platform => false,
        }
    }

    #[must_use]
    pub fn covers_api(&self, api: &ApiName) -> bool {
        match self {
            Self::Api(held) => held == api,
            Self::Provider(held) => *held == api.provider,
            Self::Definition(_) | Self::Platform => false,
        }
    }
}
impl fmt::Display for Perimeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definition(slug) => write!(f, "definition:{slug}"),
            Self::Api(name) => write!(f, "api:{name}"),
            Self::Provider(slug) => write!(f, "provider:{slug}"),
            Self::Platform => f.write_str("platform"),
        }
    }
}
/// The text names no perimeter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a perimeter: `definition:<slug>`, `api:<provider>/<api>`, `provider:<slug>` or `platform`")]
pub struct PerimeterError(String);
impl FromStr for Perimeter {
    type Err = PerimeterError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || PerimeterError(text.chars().take(80).collect());
        match text.split_once(':') {
            None if text == "platform" => Ok(Self::Platform),
            Some(("definition", slug)) => slug.parse().map(Self::Definition).map_err(|_| error()),
            Some(("provider", slug)) => slug.parse().map(Self::Provider).map_err(|_| error()),
            Some(("api", name)) => name.parse().map(Self::Api).map_err(|_| error()),
            _ => Err(error()),
        }
    }
}

/// A role, and where it holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoleGrant {
    pub role: Role,
    pub perimeter: Perimeter,
}
