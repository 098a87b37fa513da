//! Organisations as their members and the operator see them: what a directory says, who is a member and by what proof, e-mail domains.

use std::{future::Future, pin::Pin, sync::Arc};

use octroi_domain::{
    Id, Moment, Number,
    access_request::AccessRequest,
    directory::{Facts, Source, Standing},
    email_domain::EmailDomain,
    joining::{DomainState, JoiningState, KnownDomain, MemberInvitation, Profile},
    organization::{Organization, RegistryId, Siret},
    policy::{Action, Forbidden, Subject},
    text::Text,
    user::{LinkLevel, Membership, User},
};
use octroi_store::{JoiningFilter, Page, Reader, Tx};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    joining::JoiningView,
    view::{OrganizationView, PersonView},
};

/// Members that are shown to each other, at most.
const MEMBERS: usize = 200;
/// Hours after which the directory is asked again.
const FRESH_HOURS: i64 = 24;
/// Organisations that one round of the daily refresh asks about.
const ROUND: u64 = 10;
/// Questions to the directory that one person may cause in a quarter of an hour.
const QUESTIONS: i64 = 30;

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Option<Facts>, DirectoryFault>> + Send + 'a>>;

/// A public directory of organisations; the binary implements it.
pub trait DirectoryPort: Send + Sync {
    /// What it says of one establishment; none: it knows no such number.
    fn find<'a>(&'a self, siret: &'a Siret) -> Answer<'a>;
    fn source(&self) -> Source;
}

/// The directory did not say anything that can be used. The text is for operators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DirectoryFault(pub String);

/// What is known of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StandingView {
    /// `unverified` (nobody could say), `unknown` (the directory knows no such number), `active` or `closed`.
    pub state: String,
    pub facts: Option<FactsView>,
}

/// What a directory says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FactsView {
    pub label: String,
    /// INSEE's code, and what it means.
    pub legal_category: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub legal_category_words: Option<Text>,
    /// INSEE's code: `84.11Z`.
    pub activity: Option<String>,
    pub address: Option<String>,
    /// INSEE's code of the commune.
    pub commune: Option<String>,
    pub workforce_from: Option<u32>,
    pub workforce_to: Option<u32>,
    pub is_public: bool,
    /// `recherche_entreprises` or `api_entreprise`.
    pub source: String,
    pub fetched_at: String,
}

impl From<&Standing> for StandingView {
    fn from(standing: &Standing) -> Self {
        let facts = match standing {
            Standing::Known { facts, source, fetched_at } => Some(FactsView {
                label: facts.label.clone(),
                legal_category: facts.legal_category.clone(),
                legal_category_words: facts.legal_category_words(),
                activity: facts.activity.clone(),
                address: facts.address.clone(),
                commune: facts.commune.clone(),
                workforce_from: facts.workforce.map(|workforce| workforce.from),
                workforce_to: facts.workforce.and_then(|workforce| workforce.to),
                is_public: facts.is_public,
                source: source.as_str().to_owned(),
                fetched_at: fetched_at.to_string(),
            }),
            _ => None,
        };
        Self { state: standing.as_str().to_owned(), facts }
    }
}

/// A person's link to an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnLink {
    #[serde(flatten)]
    pub organization: OrganizationView,
    /// `unverified`, `verified` or `certified`.
    pub level: String,
    /// What the level rests on: `domain`, `sponsor`, `moderation`, …
    pub proof: String,
    /// Works for it without being of it.
    pub is_external: bool,
    pub since: String,
    pub standing: StandingView,
}

/// Where a person belongs, and where they asked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnOrganizations {
    pub links: Vec<OwnLink>,
    /// What waits, and what was refused.
    pub wishes: Vec<JoiningView>,
}

/// What is found under a number, for somebody who may want to join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FoundOrganization {
    /// SIRET, or number of another register.
    pub number: String,
    /// None: nobody knows its name.
    pub name: Option<String>,
    pub standing: StandingView,
    /// Is a directory set at all?
    pub directory: bool,
    /// The person's level, when they are a member.
    pub level: Option<String>,
}

/// An organisation as its members see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberOrganization {
    pub link: OwnLink,
    /// May the person confirm who waits, and invite?
    pub may_vouch: bool,
    /// Empty unless the person's own link is sure.
    pub members: Vec<LinkedMember>,
    pub more_members: bool,
    pub waiting: Vec<JoiningView>,
    pub invitations: Vec<MemberInvitationView>,
}

/// A member, as other members and the operator see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LinkedMember {
    #[serde(flatten)]
    pub person: PersonView,
    pub level: String,
    pub proof: String,
    pub is_external: bool,
    pub since: String,
}

/// An invitation of a member, without its word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberInvitationView {
    pub id: String,
    pub email: String,
    /// `open`, `accepted`, `withdrawn` or `expired`.
    pub state: String,
    pub expires_at: String,
}
impl MemberInvitationView {
    pub(crate) fn new(invitation: &MemberInvitation, now: Moment) -> Self {
        Self {
            id: invitation.id.to_string(),
            email: invitation.email.clone(),
            state: invitation.state(now).as_str().to_owned(),
            expires_at: invitation.expires_at.to_string(),
        }
    }
}

/// What the operator knows and sets of an organisation, beside its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrganizationProfile {
    pub standing: StandingView,
    /// Is a directory set at all?
    pub directory: bool,
    /// As the operator wrote it.
    pub official_contact: Option<String>,
    /// The one in force: the operator's, else the directory's.
    pub contact: Option<String>,
    pub domains: Vec<DomainView>,
    pub members: Vec<LinkedMember>,
}

/// A domain, and what it is to the organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DomainView {
    /// As the DNS has it.
    pub domain: String,
    /// As people read it.
    pub shown: String,
    /// `verified`, `official_contact`, `external`, `not_verified_yet` or `refused`.
    pub state: String,
    pub since: String,
}
impl From<&KnownDomain> for DomainView {
    fn from(known: &KnownDomain) -> Self {
        Self {
            domain: known.domain.to_string(),
            shown: known.domain.unicode(),
            state: known.state.as_str().to_owned(),
            since: known.set_at.to_string(),
        }
    }
}

fn own_link(link: &Membership, organization: &Organization, profile: &Profile) -> OwnLink {
    OwnLink {
        organization: organization.into(),
        level: link.level.as_str().to_owned(),
        proof: link.proof.as_str().to_owned(),
        is_external: link.external,
        since: link.created_at.to_string(),
        standing: (&profile.standing).into(),
    }
}

async fn members(reader: &Reader, links: &[Membership]) -> Result<Vec<LinkedMember>, Error> {
    let shown: Vec<&Membership> = links.iter().take(MEMBERS).collect();
    let users = reader.users_by_ids(&shown.iter().map(|link| link.user).collect::<Vec<_>>()).await?;
    let member = |link: &Membership| {
        let user = users.iter().find(|user| user.id == link.user)?;
        Some(LinkedMember {
            person: user.into(),
            level: link.level.as_str().to_owned(),
            proof: link.proof.as_str().to_owned(),
            is_external: link.external,
            since: link.created_at.to_string(),
        })
    };
    Ok(shown.into_iter().filter_map(member).collect())
}

/// The link of a person who may vouch for others; for somebody who is no member the organisation is not there.
pub(crate) async fn voucher(reader: &Reader, context: &Context, organization: Id<Organization>) -> Result<Membership, Error> {
    context.require(Action::VouchForMember, &Subject::Organization(organization))?;
    let link = reader.membership(context.person()?.user, organization).await?.ok_or(Error::NotFound)?;
    if link.may_vouch() { Ok(link) } else { Err(Error::Forbidden(Forbidden::NotAMember)) }
}

impl App {
    /// Says which directory is asked; once, at the start. Without one, numbers are kept unverified.
    pub fn attach_directory(&self, directory: Arc<dyn DirectoryPort>) {
        let _ = self.inner.directory.set(directory);
    }

    /// Is a directory set?
    #[must_use]
    pub fn has_directory(&self) -> bool {
        self.inner.directory.get().is_some()
    }

    /// Asks the directory. `Unverified` when none is set, it does not answer, or the body is not of France.
    async fn ask(&self, number: &RegistryId, now: Moment) -> Standing {
        let (Some(directory), Some(siret)) = (self.inner.directory.get(), number.siret()) else { return Standing::Unverified };
        match directory.find(siret).await {
            Ok(Some(facts)) => Standing::Known { facts, source: directory.source(), fetched_at: now },
            Ok(None) => Standing::Unknown { asked_at: now },
            Err(error) => {
                tracing::warn!(%error, %siret, "the directory of organisations did not answer");
                Standing::Unverified
            }
        }
    }

    /// What is known of a number: as it was kept, when that is of today, else as the directory says now. `actor` is whose question it is:
    /// each may cause so many.
    pub(crate) async fn standing(&self, actor: &str, number: &RegistryId, kept: Option<&Profile>, now: Moment) -> Result<Standing, Error> {
        let fresh = now.plus_seconds(-FRESH_HOURS * 3_600);
        if let Some(Standing::Known { fetched_at, .. }) = kept.map(|profile| &profile.standing)
            && *fetched_at > fresh
        {
            return Ok(kept.map_or(Standing::Unverified, |profile| profile.standing.clone()));
        }
        if self.has_directory() && number.siret().is_some() {
            let key = format!("directory:{actor}");
            if self.inner.store.login_attempt(&key, now, 900).await? > QUESTIONS {
                return Err(Error::TooManyAttempts { retry_after: 900 });
            }
        }
        // What a directory said before is worth more than its silence.
        Ok(match (self.ask(number, now).await, kept) {
            (Standing::Unverified, Some(profile)) => profile.standing.clone(),
            (found, _) => found,
        })
    }

    /// Keeps what the directory said of an organisation.
    pub(crate) async fn keep_standing(&self, tx: &mut Tx, organization: &Organization, found: &Standing, now: Moment) -> Result<(), Error> {
        let before = tx.profile(organization.id).await?.standing;
        match found {
            Standing::Known { facts, source, fetched_at } if before.facts() != Some(facts) || *fetched_at == now => {
                tx.profile_facts(organization.id, facts, *source, *fetched_at).await?;
            }
            Standing::Unknown { asked_at } => tx.profile_asked(organization.id, false, *asked_at).await?,
            _ => {}
        }
        if before.as_str() != found.as_str() && !matches!(found, Standing::Unverified) {
            let details = json!({ "standing": found.as_str() });
            tx.record(now, "system", "organization.standing_changed", &format!("organization:{}", organization.id), details);
        }
        Ok(())
    }

    /// Asks the directory again about the organisations that it was not asked about for a day; returns how many.
    pub async fn refresh_directory(&self, now: Moment) -> Result<usize, Error> {
        if !self.has_directory() {
            return Ok(0);
        }
        let due = self.inner.store.read().profiles_due(now.plus_seconds(-FRESH_HOURS * 3_600), ROUND).await?;
        for organization in &due {
            let found = self.ask(&organization.siret, now).await;
            let mut tx = self.inner.store.write().await?;
            match found {
                // Silence: asked again tomorrow, and what was known stays.
                Standing::Unverified => tx.profile_asked(organization.id, true, now).await?,
                found => self.keep_standing(&mut tx, organization, &found, now).await?,
            }
            tx.commit().await?;
        }
        Ok(due.len())
    }

    /// What is found under a number, for a person who may want to join it.
    pub async fn find_organization(&self, context: &Context, number: &RegistryId) -> Result<FoundOrganization, Error> {
        context.require(Action::JoinOrganization, &Subject::Platform)?;
        let person = context.person()?;
        let reader = self.inner.store.read();
        let organization = reader.organization_by_siret(number).await?;
        let kept = match &organization {
            Some(organization) => Some(reader.profile(organization.id).await?),
            None => None,
        };
        let standing = self.standing(&context.principal.actor(), number, kept.as_ref(), context.now).await?;
        let level = organization.as_ref().and_then(|organization| {
            person.memberships.iter().find(|(held, _)| *held == organization.id).map(|(_, level)| level.as_str().to_owned())
        });
        let label = standing.facts().map(|facts| facts.label.clone());
        Ok(FoundOrganization {
            number: number.to_string(),
            name: label.or_else(|| organization.map(|organization| organization.name)),
            standing: (&standing).into(),
            directory: self.has_directory(),
            level,
        })
    }

    /// Where one belongs, and where one asked to.
    pub async fn my_organizations(&self, context: &Context) -> Result<OwnOrganizations, Error> {
        context.require(Action::ReadSelf, &Subject::Platform)?;
        let person = context.person()?;
        let reader = self.inner.store.read();
        let held = reader.memberships_of_user(person.user).await?;
        let organizations = reader.organizations_by_ids(&held.iter().map(|link| link.organization).collect::<Vec<_>>()).await?;
        let mut links = Vec::with_capacity(held.len());
        for link in &held {
            let Some(organization) = organizations.iter().find(|organization| organization.id == link.organization) else { continue };
            links.push(own_link(link, organization, &reader.profile(organization.id).await?));
        }
        links.sort_by_cached_key(|link| octroi_domain::fold::folded(&link.organization.name));
        let filter = JoiningFilter {
            user: Some(person.user),
            states: vec![JoiningState::Pending, JoiningState::Refused],
            ..JoiningFilter::default()
        };
        let found = reader.joining_list(&filter, Page::first(50)).await?.items;
        Ok(OwnOrganizations { links, wishes: crate::joining::views(&reader, &found).await? })
    }

    /// An organisation that one belongs to. Colleagues are shown to those alone whose own link is sure.
    pub async fn member_organization(&self, context: &Context, id: Id<Organization>) -> Result<MemberOrganization, Error> {
        context.require(Action::ReadOrganization, &Subject::Organization(id))?;
        let person = context.person()?;
        let reader = self.inner.store.read();
        let organization = reader.organization_by_id(id).await?.ok_or(Error::NotFound)?;
        let link = reader.membership(person.user, id).await?.ok_or(Error::NotFound)?;
        let sure = link.level >= LinkLevel::Verified;
        let links = if sure { reader.memberships_of_organization(id).await? } else { Vec::new() };
        let (mut waiting, mut invitations) = (Vec::new(), Vec::new());
        if link.may_vouch() {
            let filter = JoiningFilter { organization: Some(id), states: vec![JoiningState::Pending], ..JoiningFilter::default() };
            let found = reader.joining_list(&filter, Page::first(50)).await?.items;
            waiting = crate::joining::views(&reader, &found).await?;
            invitations = reader.member_invitations(id).await?;
        }
        let profile = reader.profile(id).await?;
        Ok(MemberOrganization {
            may_vouch: link.may_vouch(),
            link: own_link(&link, &organization, &profile),
            members: members(&reader, &links).await?,
            more_members: links.len() > MEMBERS,
            waiting,
            invitations: invitations.iter().map(|invitation| MemberInvitationView::new(invitation, context.now)).collect(),
        })
    }

    /// Ends one's own link. Applications and permits stay the organisation's.
    pub async fn leave_organization(&self, context: &Context, id: Id<Organization>) -> Result<Done<OrganizationView>, Error> {
        context.require(Action::LeaveOrganization, &Subject::Organization(id))?;
        let user = context.person()?.user;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let organization = tx.organization_by_id(id).await?.ok_or(Error::NotFound)?;
        if !tx.membership_remove(user, id).await? {
            return Err(Error::NotFound);
        }
        // A wish that was looked at afterwards has nothing to look at any more.
        crate::joining::withdraw_open(&mut tx, user, id, context.now).await?;
        tx.record(context.now, &context.principal.actor(), "membership.left", &format!("user:{user}"), json!({ "organization": id }));
        self.finish(context, tx, 200, OrganizationView::from(&organization)).await
    }

    /// What the operator sets of an organisation.
    pub async fn organization_profile(&self, context: &Context, id: Id<Organization>) -> Result<OrganizationProfile, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let reader = self.inner.store.read();
        reader.organization_by_id(id).await?.ok_or(Error::NotFound)?;
        let profile = reader.profile(id).await?;
        let links = reader.memberships_of_organization(id).await?;
        Ok(OrganizationProfile {
            standing: (&profile.standing).into(),
            directory: self.has_directory(),
            contact: profile.contact().map(str::to_owned),
            official_contact: profile.official_contact.clone(),
            domains: reader.domains_of(id).await?.iter().map(Into::into).collect(),
            members: members(&reader, &links).await?,
        })
    }

    /// Says what a domain is to an organisation; none forgets it.
    pub async fn set_domain(
        &self,
        context: &Context,
        id: Id<Organization>,
        domain: &str,
        state: Option<DomainState>,
    ) -> Result<Done<()>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let domain = checked_domain(domain, state)?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        tx.organization_by_id(id).await?.ok_or(Error::NotFound)?;
        put_domain(&mut tx, context, id, &domain, state).await?;
        self.grant_waiting(&mut tx, context, id, &domain).await?;
        self.finish(context, tx, 200, ()).await
    }

    /// Sets the address that stands for the organisation; none: the directory's, if it has one.
    pub async fn set_official_contact(&self, context: &Context, id: Id<Organization>, email: Option<&str>) -> Result<Done<()>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let email = email.map(str::trim).filter(|email| !email.is_empty()).map(str::to_lowercase);
        if email.as_deref().is_some_and(|email| EmailDomain::of(email).is_err()) {
            return Err(Error::field(
                "/official_contact",
                "invalid",
                "Écrivez une adresse électronique, par exemple mairie@exemple.fr.",
                "Write an e-mail address, for example mayor@example.org.",
            ));
        }
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        tx.organization_by_id(id).await?.ok_or(Error::NotFound)?;
        tx.profile_contact(id, email.as_deref()).await?;
        let details = json!({ "set": email.is_some() });
        tx.record(context.now, &context.principal.actor(), "organization.contact_set", &format!("organization:{id}"), details);
        self.finish(context, tx, 200, ()).await
    }

    /// Asks the directory about one organisation now.
    pub async fn refresh_organization(&self, context: &Context, id: Id<Organization>) -> Result<StandingView, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let organization = self.inner.store.read().organization_by_id(id).await?.ok_or(Error::NotFound)?;
        let silent = || {
            Error::conflict(
                "directory_silent",
                "L’annuaire n’a pas répondu, ou n’est pas réglé : réessayez plus tard.",
                "The directory did not answer, or is not set: try again later.",
            )
        };
        let found = self.ask(&organization.siret, context.now).await;
        if found == Standing::Unverified {
            return Err(silent());
        }
        let mut tx = self.inner.store.write().await?;
        self.keep_standing(&mut tx, &organization, &found, context.now).await?;
        tx.commit().await?;
        Ok((&found).into())
    }

    /// Is the organisation of a request closed? Then nothing new is asked for it. No request: no.
    pub(crate) async fn organization_closed(&self, request: Number<AccessRequest>) -> Result<bool, Error> {
        let reader = self.inner.store.read();
        let Some(request) = reader.access_request_by_number(request).await? else { return Ok(false) };
        Ok(reader.profile(request.header().organization).await?.standing.is_closed())
    }
}

/// A domain that may have that state: a free one is nobody's.
pub(crate) fn checked_domain(domain: &str, state: Option<DomainState>) -> Result<EmailDomain, Error> {
    let domain: EmailDomain = domain.trim().trim_start_matches('@').parse().map_err(|_| {
        Error::field(
            "/domain",
            "invalid",
            "Écrivez un nom de domaine, par exemple exemple.fr.",
            "Write a domain name, for example example.org.",
        )
    })?;
    let theirs = !matches!(state, None | Some(DomainState::Refused));
    if theirs && domain.is_free() {
        return Err(Error::field(
            "/domain",
            "free_domain",
            "N’importe qui peut ouvrir un compte sous ce domaine : il ne peut prouver une appartenance.",
            "Anybody can open an account under this domain: it cannot prove a membership.",
        ));
    }
    if theirs && domain.imitates_government() {
        return Err(Error::field(
            "/domain",
            "look_alike_domain",
            "Ce domaine imite gouv.fr : il ne peut prouver une appartenance.",
            "This domain imitates gouv.fr: it cannot prove a membership.",
        ));
    }
    Ok(domain)
}

/// Writes what a domain is, and its entry.
pub(crate) async fn put_domain(
    tx: &mut Tx,
    context: &Context,
    id: Id<Organization>,
    domain: &EmailDomain,
    state: Option<DomainState>,
) -> Result<(), Error> {
    tx.domain_put(id, domain, state, context.now).await?;
    let details = json!({ "domain": domain, "state": state });
    tx.record(context.now, &context.principal.actor(), "organization.domain_set", &format!("organization:{id}"), details);
    Ok(())
}

/// The members who are told of what concerns the organisation: sure of it, and of it.
pub(crate) async fn told_members(reader: &Reader, id: Id<Organization>, but: Id<User>) -> Result<Vec<User>, Error> {
    let links = reader.memberships_of_organization(id).await?;
    let ids: Vec<Id<User>> = links.iter().filter(|link| link.may_vouch() && link.user != but).map(|link| link.user).take(100).collect();
    Ok(reader.users_by_ids(&ids).await?)
}
