//! Joining an organisation: which proof gives which link. One table, read from the top; the first rule that holds decides.

use serde::{Deserialize, Serialize};

use crate::{
    Id, Moment,
    credential::SecretDigest,
    directory::{Facts, Standing},
    email_domain::EmailDomain,
    invitation::InvitationState,
    organization::Organization,
    text::Text,
    user::{LinkLevel, LinkProof, User},
};

/// What is known of a domain, for one organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainState {
    /// Theirs: who has an address there is of the organisation.
    Verified,
    /// Theirs, by the address that an official register gives.
    OfficialContact,
    /// Of those who work for them: contractors.
    External,
    /// Somebody said so, and nobody looked yet.
    NotVerifiedYet,
    /// Not theirs.
    Refused,
}
impl DomainState {
    pub const ALL: [Self; 5] = [Self::Verified, Self::OfficialContact, Self::External, Self::NotVerifiedYet, Self::Refused];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::OfficialContact => "official_contact",
            Self::External => "external",
            Self::NotVerifiedYet => "not_verified_yet",
            Self::Refused => "refused",
        }
    }
}

/// A domain that something is known of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDomain {
    pub domain: EmailDomain,
    pub state: DomainState,
    pub set_at: Moment,
}

/// Who wants to join what.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    /// The person's address, and whether they proved that it is theirs.
    pub email: &'a str,
    pub email_verified: bool,
    pub standing: &'a Standing,
    /// A directory was asked and knows numbers; without one an unknown number cannot be told from a good one.
    pub domains: &'a [KnownDomain],
    /// By the operator, or by an official register.
    pub official_contact: Option<&'a str>,
    /// The person's own identity provider says that they belong there.
    pub asserted: bool,
    /// Are there members who may vouch?
    pub has_sponsors: bool,
    /// The person read that a free address is unusual there, and goes on.
    pub confirmed: bool,
}

/// Why the operator is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModerationReason {
    /// Nothing is known of the domain of the address.
    DomainUnknown,
    /// Somebody said that the domain is theirs.
    DomainToVerify,
    /// No directory could say what the organisation is.
    OrganizationUnverified,
    /// A free address, in a company that surely has its own.
    FreeAddress,
}
impl ModerationReason {
    pub const ALL: [Self; 4] = [Self::DomainUnknown, Self::DomainToVerify, Self::OrganizationUnverified, Self::FreeAddress];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DomainUnknown => "domain_unknown",
            Self::DomainToVerify => "domain_to_verify",
            Self::OrganizationUnverified => "organization_unverified",
            Self::FreeAddress => "free_address",
        }
    }
}

/// Why nobody is asked, and nothing done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinRefusal {
    AddressNotVerified,
    AddressUnusable,
    Closed,
    UnknownNumber,
    DomainRefused,
    LookAlike,
    /// An address of the State, in an organisation that is not public.
    GovernmentAddress,
    /// A free address, in a public service.
    FreeAddress,
}
impl JoinRefusal {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AddressNotVerified => "address_not_verified",
            Self::AddressUnusable => "address_unusable",
            Self::Closed => "organization_closed",
            Self::UnknownNumber => "organization_unknown",
            Self::DomainRefused => "domain_refused",
            Self::LookAlike => "look_alike_domain",
            Self::GovernmentAddress => "government_address",
            Self::FreeAddress => "free_address",
        }
    }

    /// What happened, and what to do next.
    #[must_use]
    pub fn text(self) -> Text {
        let (fr, en) = match self {
            Self::AddressNotVerified => (
                "Votre adresse électronique n’est pas vérifiée : vérifiez-la, puis recommencez.",
                "Your e-mail address is not verified: verify it, then try again.",
            ),
            Self::AddressUnusable => (
                "Votre adresse électronique a une forme qui ne permet pas de rejoindre une organisation : changez-la dans votre compte.",
                "Your e-mail address has a form that cannot join an organisation: change it in your account.",
            ),
            Self::Closed => (
                "Cet établissement est fermé : donnez le SIRET de celui qui lui a succédé.",
                "This establishment is closed: give the SIRET of its successor.",
            ),
            Self::UnknownNumber => (
                "L’annuaire des entreprises ne connaît pas ce SIRET : vérifiez-le.",
                "The directory of organisations does not know this SIRET: check it.",
            ),
            Self::DomainRefused => (
                "Les adresses de ce domaine ne sont pas acceptées pour cette organisation : utilisez l’adresse qu’elle vous a donnée.",
                "Addresses under this domain are not accepted for this organisation: use the address that it gave you.",
            ),
            Self::LookAlike => (
                "Le domaine de votre adresse ressemble à celui d’une autre organisation : utilisez l’adresse que votre organisation vous a donnée.",
                "The domain of your address looks like another organisation’s: use the address that your organisation gave you.",
            ),
            Self::GovernmentAddress => (
                "Une adresse en gouv.fr ne permet pas de rejoindre une organisation privée : vérifiez le SIRET de votre service.",
                "An address under gouv.fr cannot join a private organisation: check the SIRET of your office.",
            ),
            Self::FreeAddress => (
                "Un service public se rejoint avec son adresse professionnelle : changez d’adresse dans votre compte, ou faites-vous inviter par un membre.",
                "A public service is joined with its own address: change the address of your account, or have a member invite you.",
            ),
        };
        Text::new(fr, en)
    }
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Linked {
        level: LinkLevel,
        proof: LinkProof,
        external: bool,
    },
    /// Linked without proof; the operator looks at it afterwards.
    LinkedUnderReview(ModerationReason),
    /// The person says once more that they mean it.
    NeedsConfirmation,
    /// Linked by the code that the official contact receives.
    NeedsCode,
    /// A member vouches, else the operator decides.
    NeedsSponsor(ModerationReason),
    /// Nothing until the operator decides.
    Moderation(ModerationReason),
    Refused(JoinRefusal),
}

const fn linked(level: LinkLevel, proof: LinkProof) -> Outcome {
    Outcome::Linked { level, proof, external: false }
}

/// A case with what its address is.
struct Seen<'a> {
    case: &'a Case<'a>,
    domain: EmailDomain,
    free: bool,
}

impl Seen<'_> {
    fn facts(&self, is: impl Fn(&Facts) -> bool) -> bool {
        self.case.standing.facts().is_some_and(is)
    }
    fn domain_is(&self, state: DomainState) -> bool {
        self.case.domains.iter().any(|known| known.domain == self.domain && known.state == state)
    }
    fn imitates(&self) -> bool {
        let theirs = |known: &&KnownDomain| matches!(known.state, DomainState::Verified | DomainState::OfficialContact);
        let official = self.official_domain();
        let mut theirs = self.case.domains.iter().filter(theirs).map(|known| &known.domain).chain(&official);
        !self.domain_is(DomainState::External) && (self.domain.imitates_government() || theirs.any(|real| self.domain.imitates(real)))
    }
    fn official_domain(&self) -> Option<EmailDomain> {
        self.case.official_contact.and_then(|contact| EmailDomain::of(contact).ok())
    }
    fn is_official_contact(&self) -> bool {
        self.case.official_contact.is_some_and(|contact| contact.trim().eq_ignore_ascii_case(self.case.email.trim()))
    }
    /// Communes and schools are small, and have a contact that the State publishes.
    fn has_contact_to_ask(&self) -> bool {
        self.case.official_contact.is_some() && (!self.free || self.facts(|facts| facts.is_commune() || facts.is_school()))
    }
}

/// One rule: its name, when it holds, and what it gives.
struct Rule {
    name: &'static str,
    holds: fn(&Seen<'_>) -> bool,
    gives: Outcome,
}

const fn rule(name: &'static str, holds: fn(&Seen<'_>) -> bool, gives: Outcome) -> Rule {
    Rule { name, holds, gives }
}

use JoinRefusal as No;
use LinkLevel::{Certified, Unverified, Verified};
use ModerationReason as Why;
use Outcome::{LinkedUnderReview, Moderation, NeedsCode, NeedsConfirmation, NeedsSponsor, Refused};

#[rustfmt::skip]
const RULES: &[Rule] = &[
    rule("closed",                       |c| c.case.standing.is_closed(),                                     Refused(No::Closed)),
    rule("unknown number",               |c| matches!(c.case.standing, Standing::Unknown { .. }),             Refused(No::UnknownNumber)),
    rule("asserted",                     |c| c.case.asserted,                                                 linked(Certified, LinkProof::IdentityProvider)),
    rule("domain refused",               |c| c.domain_is(DomainState::Refused),                               Refused(No::DomainRefused)),
    rule("look-alike",                   |c| c.imitates(),                                                    Refused(No::LookAlike)),
    rule("domain verified",              |c| !c.free && c.domain_is(DomainState::Verified),                   linked(Verified, LinkProof::Domain)),
    rule("domain of official contact",   |c| !c.free && c.domain_is(DomainState::OfficialContact),            linked(Verified, LinkProof::Domain)),
    rule("domain of contractors",        |c| !c.free && c.domain_is(DomainState::External),                   Outcome::Linked { level: Verified, proof: LinkProof::Domain, external: true }),
    rule("official contact",             |c| c.is_official_contact(),                                         linked(Verified, LinkProof::OfficialContact)),
    rule("same domain as contact",       |c| !c.free && c.official_domain().as_ref() == Some(&c.domain),      linked(Verified, LinkProof::OfficialContactDomain)),
    rule("the State's, not public",      |c| c.domain.is_government() && c.facts(|f| !f.is_public),           Refused(No::GovernmentAddress)),
    rule("ask the official contact",     |c| c.has_contact_to_ask(),                                          NeedsCode),
    rule("free, public service",         |c| c.free && c.facts(|f| f.is_public && !f.is_commune()),           Refused(No::FreeAddress)),
    rule("sole trader",                  |c| c.facts(Facts::is_sole_trader),                                  linked(Unverified, LinkProof::Nothing)),
    rule("free, small association",      |c| c.free && c.facts(Facts::is_small_association),                  linked(Unverified, LinkProof::Nothing)),
    rule("free, large, not confirmed",   |c| c.free && !c.case.confirmed && c.facts(Facts::is_large),         NeedsConfirmation),
    rule("domain to verify",             |c| c.domain_is(DomainState::NotVerifiedYet),                        LinkedUnderReview(Why::DomainToVerify)),
    rule("free, members can vouch",      |c| c.free && c.case.has_sponsors,                                   NeedsSponsor(Why::FreeAddress)),
    rule("members can vouch",            |c| c.case.has_sponsors,                                             NeedsSponsor(Why::DomainUnknown)),
    rule("nobody could say what it is",  |c| c.case.standing.facts().is_none(),                               LinkedUnderReview(Why::OrganizationUnverified)),
    rule("free",                         |c| c.free,                                                          Moderation(Why::FreeAddress)),
    rule("anything else",                |_| true,                                                            Moderation(Why::DomainUnknown)),
];

/// What comes of a wish to join: the first rule that holds, and its name.
#[must_use]
pub fn decide(case: &Case<'_>) -> (Outcome, &'static str) {
    if !case.email_verified {
        return (Refused(No::AddressNotVerified), "address not verified");
    }
    let Ok(domain) = EmailDomain::of(case.email) else { return (Refused(No::AddressUnusable), "address unusable") };
    let seen = Seen { case, free: domain.is_free(), domain };
    let found = RULES.iter().find(|rule| (rule.holds)(&seen));
    found.map_or((Moderation(Why::DomainUnknown), "none"), |rule| (rule.gives, rule.name))
}

/// Minutes that a code to the official contact is good for.
pub const CODE_MINUTES: i64 = 60;
/// Codes that are looked at for one request to join, right or wrong, in one hour.
pub const CODE_TRIES: i64 = 5;
/// Days that an invitation to an organisation can be accepted.
pub const INVITATION_DAYS: i64 = 15;

/// How a request to join went, or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoiningState {
    Pending,
    Accepted,
    Refused,
    /// By the person.
    Cancelled,
}
impl JoiningState {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Accepted, Self::Refused, Self::Cancelled];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How the person may come in, beside the operator's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The code that the official contact receives.
    Code,
    /// A member vouches.
    Sponsor,
    /// The operator alone.
    Operator,
}

/// A wish to join that was not granted at once, or that is looked at afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    pub id: Id<Joining>,
    pub user: Id<User>,
    pub organization: Id<Organization>,
    /// The address that was judged: who changes it later begins anew.
    pub email: String,
    pub reason: ModerationReason,
    pub way: Way,
    /// Is the person kept out until it is decided?
    pub blocking: bool,
    pub state: JoiningState,
    /// What the person wrote to the operator.
    pub note: String,
    /// What the operator answered.
    pub answer: String,
    /// Refused, but the person may mend it and ask again.
    pub may_reopen: bool,
    pub created_at: Moment,
    pub updated_at: Moment,
    pub decided_by: Option<Id<User>>,
}

/// An invitation to an organisation: good once, for one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberInvitation {
    pub id: Id<MemberInvitation>,
    pub organization: Id<Organization>,
    /// In lower case.
    pub email: String,
    /// Of the word that the link in the mail ends with.
    pub digest: SecretDigest,
    pub invited_by: Id<User>,
    pub created_at: Moment,
    pub expires_at: Moment,
    /// When it was accepted or withdrawn.
    pub ended_at: Option<Moment>,
    pub accepted_by: Option<Id<User>>,
}
impl MemberInvitation {
    #[must_use]
    pub fn state(&self, now: Moment) -> InvitationState {
        match (self.ended_at, self.accepted_by) {
            (_, Some(_)) => InvitationState::Accepted,
            (Some(_), None) => InvitationState::Withdrawn,
            (None, None) if self.expires_at <= now => InvitationState::Expired,
            (None, None) => InvitationState::Open,
        }
    }
}

/// What is known of an organisation: by the directory, and by the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub standing: Standing,
    /// As the operator wrote it; it wins over the directory's.
    pub official_contact: Option<String>,
}
impl Profile {
    /// The address that stands for the organisation.
    #[must_use]
    pub fn contact(&self) -> Option<&str> {
        self.official_contact.as_deref().or_else(|| self.standing.facts().and_then(|facts| facts.official_contact.as_deref()))
    }
}

#[cfg(test)]
mod tests;
