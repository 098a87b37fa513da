//! Joining an organisation: proofs, codes, sponsors. Which proof gives which link: `domain::joining`.

use octroi_domain::{
    Id, Moment,
    directory::Standing,
    email_domain::EmailDomain,
    joining::{Case, DomainState, JoinRefusal, Joining, JoiningState, ModerationReason, Outcome, Profile, Way, decide},
    organization::{Organization, RegistryId},
    policy::{Action, Subject},
    user::{LinkLevel, LinkProof, Membership, Perimeter, Role, User},
};
use octroi_store::{JoiningFilter, Page, Reader, Tx};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    mails::joining::{self as mails, Told},
    organizations::told_members,
    view::{OrganizationView, PersonView},
};

/// Wishes that one person may send in an hour.
const WISHES: i64 = 20;
const HOUR: i64 = 3_600;
/// Wishes that one word on a domain grants; those beyond are granted as their people ask again.
const GRANTED_AT_ONCE: u32 = 200;
/// Longest note to the operator, characters.
const NOTE: usize = 2_000;

/// What somebody says to join.
#[derive(Debug, Clone)]
pub struct JoinInput {
    pub number: RegistryId,
    /// Asked for where no directory gives a name.
    pub name: Option<String>,
    /// Goes on with a free address, after having been told.
    pub confirmed: bool,
    pub note: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JoinedView {
    /// `linked`, `pending` or `needs_confirmation`.
    pub outcome: String,
    pub organization: Option<String>,
    /// The wish that waits.
    pub joining: Option<String>,
    /// When linked.
    pub level: Option<String>,
}

/// A wish to join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JoiningView {
    pub id: String,
    pub person: PersonView,
    pub organization: OrganizationView,
    /// The address that was judged.
    pub email: String,
    /// `domain_unknown`, `domain_to_verify`, `organization_unverified` or `free_address`.
    pub reason: String,
    /// `code`, `sponsor` or `operator`: how it may be granted, beside the operator's decision.
    pub way: String,
    /// Is the person kept out until it is decided?
    pub blocking: bool,
    /// `pending`, `accepted`, `refused` or `cancelled`.
    pub state: String,
    pub note: String,
    pub answer: String,
    pub may_reopen: bool,
    pub created_at: String,
    pub updated_at: String,
}

fn view(joining: &Joining, person: &User, organization: &Organization) -> JoiningView {
    JoiningView {
        id: joining.id.to_string(),
        person: person.into(),
        organization: organization.into(),
        email: joining.email.clone(),
        reason: joining.reason.as_str().to_owned(),
        way: match joining.way {
            Way::Code => "code",
            Way::Sponsor => "sponsor",
            Way::Operator => "operator",
        }
        .to_owned(),
        blocking: joining.blocking,
        state: joining.state.as_str().to_owned(),
        note: joining.note.clone(),
        answer: joining.answer.clone(),
        may_reopen: joining.may_reopen,
        created_at: joining.created_at.to_string(),
        updated_at: joining.updated_at.to_string(),
    }
}

pub(crate) async fn views(reader: &Reader, found: &[Joining]) -> Result<Vec<JoiningView>, Error> {
    let people = reader.users_by_ids(&found.iter().map(|joining| joining.user).collect::<Vec<_>>()).await?;
    let organizations = reader.organizations_by_ids(&found.iter().map(|joining| joining.organization).collect::<Vec<_>>()).await?;
    let one = |joining: &Joining| {
        let person = people.iter().find(|person| person.id == joining.user)?;
        let organization = organizations.iter().find(|organization| organization.id == joining.organization)?;
        Some(view(joining, person, organization))
    };
    Ok(found.iter().filter_map(one).collect())
}

pub(crate) async fn one_view(reader: &Reader, joining: &Joining) -> Result<JoiningView, Error> {
    views(reader, std::slice::from_ref(joining)).await?.pop().ok_or(Error::NotFound)
}

/// Writes a link, its entry, and tells the members; the person's open wish is granted by it.
pub(crate) async fn link(app: &App, tx: &mut Tx, actor: &str, link: &Membership) -> Result<(), Error> {
    tx.user_lock(link.user).await?.ok_or(Error::NotFound)?;
    let before = tx.membership(link.user, link.organization).await?;
    tx.membership_put(link).await?;
    let details = json!({
        "organization": link.organization, "level": link.level, "proof": link.proof, "external": link.external,
        "by": link.proved_by.map(|by| by.to_string()),
    });
    let action = if before.is_some() { "membership.proved" } else { "membership.created" };
    tx.record(link.proved_at, actor, action, &format!("user:{}", link.user), details);
    let user = tx.user_by_id(link.user).await?.ok_or(Error::NotFound)?;
    let organization = tx.organization_by_id(link.organization).await?.ok_or(Error::NotFound)?;
    // Who was a member already is no news.
    if before.is_none_or(|before| before.level < LinkLevel::Verified) && link.level >= LinkLevel::Verified {
        for member in told_members(tx, link.organization, link.user).await? {
            let mail = mails::told(Told::Joined, &member, &user, &organization, app.settings());
            tx.enqueue_mail(link.proved_at, &mail).await?;
        }
    }
    Ok(())
}

/// The person's open wish to join an organisation.
pub(crate) async fn open_wish(reader: &Reader, user: Id<User>, organization: Id<Organization>) -> Result<Option<Joining>, Error> {
    let filter = JoiningFilter { user: Some(user), organization: Some(organization), states: vec![JoiningState::Pending] };
    Ok(reader.joining_list(&filter, Page::first(1)).await?.items.pop())
}

/// Ends the person's open wish, if there is one.
pub(crate) async fn withdraw_open(tx: &mut Tx, user: Id<User>, organization: Id<Organization>, now: Moment) -> Result<(), Error> {
    if let Some(joining) = open_wish(tx, user, organization).await? {
        let ended = Joining { state: JoiningState::Cancelled, updated_at: now, ..joining };
        save(tx, &ended, JoiningState::Pending).await?;
        tx.record(now, &format!("user:{user}"), "joining.cancelled", &format!("joining:{}", ended.id), json!({}));
    }
    Ok(())
}

/// Saves a wish that moved, unless it moved otherwise meanwhile.
pub(crate) async fn save(tx: &mut Tx, joining: &Joining, was: JoiningState) -> Result<(), Error> {
    tx.joining_save(joining, was).await.map_err(|error| if error.is_stale() { decided_already() } else { error.into() })
}

pub(crate) fn decided_already() -> Error {
    Error::conflict("wrong_state", "Cette demande de rattachement a déjà été traitée.", "This request to join has been dealt with already.")
}

/// Grants an open wish: the link, and the end of the wish.
pub(crate) async fn grant(app: &App, tx: &mut Tx, actor: &str, joining: Joining, held: Membership) -> Result<Joining, Error> {
    let granted = Joining { state: JoiningState::Accepted, updated_at: held.proved_at, decided_by: held.proved_by, ..joining };
    save(tx, &granted, JoiningState::Pending).await?;
    tx.record(held.proved_at, actor, "joining.accepted", &format!("joining:{}", granted.id), json!({ "proof": held.proof }));
    // The day on which somebody became a member does not change by a better proof.
    let since = tx.membership(held.user, held.organization).await?.map_or(held.created_at, |before| before.created_at);
    link(app, tx, actor, &Membership { created_at: since, ..held }).await?;
    Ok(granted)
}

fn too_long(note: &str) -> Result<String, Error> {
    let note = note.trim();
    if note.chars().count() <= NOTE {
        return Ok(note.to_owned());
    }
    Err(Error::field("/note", "too_long", "Écrivez au plus 2 000 caractères.", "Write at most 2,000 characters."))
}

impl App {
    /// Counts something that a person does, and refuses what is too much of it.
    pub(crate) async fn budget(&self, key: String, now: Moment, most: i64) -> Result<(), Error> {
        if self.inner.store.login_attempt(&key, now, HOUR).await? > most {
            return Err(Error::TooManyAttempts { retry_after: u32::try_from(HOUR).unwrap_or(3_600) });
        }
        Ok(())
    }

    /// The organisation of a number, made when it is not there, with what the directory says.
    pub(crate) async fn ensure_organization(
        &self,
        tx: &mut Tx,
        actor: &str,
        number: &RegistryId,
        found: (&Standing, Option<&str>),
        now: Moment,
    ) -> Result<Organization, Error> {
        let (standing, name) = found;
        let organization = match tx.organization_by_siret(number).await? {
            Some(organization) => organization,
            None => {
                let given = name.map(str::trim).filter(|name| !name.is_empty());
                let name = standing.facts().map(|facts| facts.label.as_str()).or(given).unwrap_or_default();
                if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
                    return Err(Error::field(
                        "/name",
                        "invalid",
                        "Donnez le nom de l’organisation, de 1 à 200 caractères.",
                        "Give the organisation’s name, of 1 to 200 characters.",
                    ));
                }
                crate::people::add_organization(tx, actor, now, number.clone(), name).await?
            }
        };
        self.keep_standing(tx, &organization, standing, now).await?;
        Ok(organization)
    }

    /// Joins, or asks to.
    pub async fn join_organization(&self, context: &Context, input: JoinInput) -> Result<Done<JoinedView>, Error> {
        context.require(Action::JoinOrganization, &Subject::Platform)?;
        let person = context.person()?.user;
        let note = too_long(&input.note)?;
        self.budget(format!("join:{person}"), context.now, WISHES).await?;
        let reader = self.inner.store.read();
        let known = reader.organization_by_siret(&input.number).await?;
        let kept = match &known {
            Some(organization) => Some(reader.profile(organization.id).await?),
            None => None,
        };
        let standing = self.standing(&context.principal.actor(), &input.number, kept.as_ref(), context.now).await?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let user = tx.user_by_id(person).await?.ok_or(Error::SignIn)?;
        let outcome = judge(&tx, &user, known.as_ref(), (&standing, kept.as_ref()), input.confirmed).await?;
        match outcome {
            Outcome::Refused(why) => return Err(refused(why)),
            Outcome::NeedsConfirmation => {
                let view = JoinedView { outcome: "needs_confirmation".to_owned(), organization: None, joining: None, level: None };
                return Ok(Done::Now { status: 200, value: view });
            }
            _ => {}
        }
        let actor = context.principal.actor();
        let found = (&standing, input.name.as_deref());
        let organization = self.ensure_organization(&mut tx, &actor, &input.number, found, context.now).await?;
        let held = tx.membership(person, organization.id).await?;
        if held.as_ref().is_some_and(|held| held.level >= LinkLevel::Verified) {
            return Err(Error::conflict(
                "already_member",
                "Vous êtes déjà membre de cette organisation.",
                "You are a member of this organisation already.",
            ));
        }
        let view = self.carry_out(&mut tx, context, (&user, &organization), outcome, note).await?;
        let status = if view.outcome == "linked" { 201 } else { 202 };
        self.finish(context, tx, status, view).await
    }

    /// Does what the table says.
    async fn carry_out(
        &self,
        tx: &mut Tx,
        context: &Context,
        (user, organization): (&User, &Organization),
        outcome: Outcome,
        note: String,
    ) -> Result<JoinedView, Error> {
        if let Outcome::Linked { level, proof, external } = outcome {
            let held = Membership { external, ..Membership::new(user.id, organization.id, level, proof, context.now) };
            return self.linked(tx, context, user, held).await;
        }
        let (reason, way, blocking) = asked(outcome, user)?;
        if way != Way::Code {
            not_refused_before(tx, user.id, organization.id).await?;
        }
        let joining = Joining {
            id: Id::from_uuid(Uuid::now_v7()),
            user: user.id,
            organization: organization.id,
            email: user.email.clone(),
            reason,
            way,
            blocking,
            state: JoiningState::Pending,
            note,
            answer: String::new(),
            may_reopen: false,
            created_at: context.now,
            updated_at: context.now,
            decided_by: None,
        };
        tx.joining_insert(&joining).await.map_err(|error| {
            if error.is_duplicate() {
                Error::conflict(
                    "join_pending",
                    "Vous avez déjà demandé à rejoindre cette organisation : suivez votre demande.",
                    "You asked to join this organisation already: follow your request.",
                )
            } else {
                error.into()
            }
        })?;
        let details = json!({ "organization": organization.id, "reason": reason, "way": way, "blocking": blocking });
        tx.record(context.now, &context.principal.actor(), "joining.asked", &format!("joining:{}", joining.id), details);
        let mut level = None;
        if !blocking && tx.membership(user.id, organization.id).await?.is_none() {
            let held = Membership::new(user.id, organization.id, LinkLevel::Unverified, LinkProof::Nothing, context.now);
            link(self, tx, &context.principal.actor(), &held).await?;
            level = Some(held.level.as_str().to_owned());
        }
        if way == Way::Operator {
            self.tell_operators(tx, &joining, (user, organization)).await?;
        }
        Ok(JoinedView {
            outcome: if level.is_some() { "linked" } else { "pending" }.to_owned(),
            organization: Some(organization.id.to_string()),
            joining: Some(joining.id.to_string()),
            level,
        })
    }

    /// A proof was enough.
    async fn linked(&self, tx: &mut Tx, context: &Context, user: &User, held: Membership) -> Result<JoinedView, Error> {
        let organization = held.organization;
        let before = tx.membership(user.id, organization).await?;
        if let Some(before) = before.as_ref().filter(|before| before.level >= held.level) {
            return Err(Error::conflict(
                "already_member",
                format!("Vous êtes déjà membre de cette organisation, et rien de plus n’est prouvé ({}).", before.level.as_str()),
                format!("You are a member of this organisation already, and nothing more is proved ({}).", before.level.as_str()),
            ));
        }
        if held.proof == LinkProof::OfficialContactDomain
            && let Ok(domain) = EmailDomain::of(&user.email)
        {
            crate::organizations::put_domain(tx, context, organization, &domain, Some(DomainState::OfficialContact)).await?;
        }
        let held = Membership { created_at: before.map_or(held.created_at, |before| before.created_at), ..held };
        match open_wish(tx, user.id, organization).await? {
            Some(joining) => {
                grant(self, tx, &context.principal.actor(), joining, held.clone()).await?;
            }
            None => link(self, tx, &context.principal.actor(), &held).await?,
        }
        Ok(JoinedView {
            outcome: "linked".to_owned(),
            organization: Some(organization.to_string()),
            joining: None,
            level: Some(held.level.as_str().to_owned()),
        })
    }

    /// One's own wish; anybody else's is not there.
    pub async fn read_joining(&self, context: &Context, id: Id<Joining>) -> Result<JoiningView, Error> {
        let reader = self.inner.store.read();
        let joining = own(&reader, context, id).await?;
        one_view(&reader, &joining).await
    }

    /// Takes a wish back.
    pub async fn cancel_joining(&self, context: &Context, id: Id<Joining>) -> Result<Done<JoiningView>, Error> {
        self.move_own(context, id, JoiningState::Pending, "joining.cancelled", |joining| {
            Ok(Joining { state: JoiningState::Cancelled, ..joining })
        })
        .await
    }

    /// Asks again with another note, where the refusal allows it. The table is read anew, with the address of today: who changed it
    /// for one that proves enough is linked at once.
    pub async fn reopen_joining(&self, context: &Context, id: Id<Joining>, note: &str) -> Result<Done<JoiningView>, Error> {
        let note = too_long(note)?;
        let person = context.person()?.user;
        self.budget(format!("join:{person}"), context.now, WISHES).await?;
        let reader = self.inner.store.read();
        let organization = own(&reader, context, id).await?.organization;
        let organization = reader.organization_by_id(organization).await?.ok_or(Error::NotFound)?;
        let kept = reader.profile(organization.id).await?;
        let actor = context.principal.actor();
        let standing = self.standing(&actor, &organization.siret, Some(&kept), context.now).await?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let refused_before = own(&tx, context, id).await?;
        if refused_before.state != JoiningState::Refused || !refused_before.may_reopen {
            return Err(decided_already());
        }
        let user = tx.user_by_id(person).await?.ok_or(Error::SignIn)?;
        // Who was refused confirmed what there was to confirm.
        let outcome = judge(&tx, &user, Some(&organization), (&standing, Some(&kept)), true).await?;
        if let Outcome::Refused(why) = outcome {
            return Err(refused(why));
        }
        let (reason, way) = match outcome {
            Outcome::Linked { .. } => (refused_before.reason, refused_before.way),
            _ => asked(outcome, &user).map(|(reason, way, _)| (reason, way))?,
        };
        let email = user.email.clone();
        let after = Joining { reason, way, blocking: true, state: JoiningState::Pending, email, note, may_reopen: false, ..refused_before };
        let after = Joining { decided_by: None, updated_at: context.now, ..after };
        save(&mut tx, &after, JoiningState::Refused).await?;
        tx.record(context.now, &actor, "joining.reopened", &format!("joining:{id}"), json!({}));
        if let Outcome::Linked { level, proof, external } = outcome {
            let held = Membership { external, ..Membership::new(person, organization.id, level, proof, context.now) };
            self.linked(&mut tx, context, &user, held).await?;
        } else {
            self.tell_operators(&mut tx, &after, (&user, &organization)).await?;
        }
        let after = own(&tx, context, id).await?;
        let view = one_view(&tx, &after).await?;
        self.finish(context, tx, 200, view).await
    }

    /// Tells those who decide that a wish waits for them.
    async fn tell_operators(&self, tx: &mut Tx, joining: &Joining, (user, organization): (&User, &Organization)) -> Result<(), Error> {
        for operator in tx.role_holders(Role::Operator, &[Perimeter::Platform]).await? {
            let mail = mails::told(Told::Operator(joining.id), &operator, user, organization, self.settings());
            tx.enqueue_mail(joining.updated_at, &mail).await?;
        }
        Ok(())
    }

    /// Grants what waits under a domain that is the organisation's from now on: the table is read anew for each.
    pub(crate) async fn grant_waiting(
        &self,
        tx: &mut Tx,
        context: &Context,
        id: Id<Organization>,
        domain: &EmailDomain,
    ) -> Result<(), Error> {
        let filter = JoiningFilter { organization: Some(id), states: vec![JoiningState::Pending], ..JoiningFilter::default() };
        let waiting = tx.joining_list(&filter, Page::first(GRANTED_AT_ONCE)).await?.items;
        let organization = tx.organization_by_id(id).await?.ok_or(Error::NotFound)?;
        let kept = tx.profile(id).await?;
        for joining in waiting.into_iter().filter(|joining| EmailDomain::of(&joining.email).is_ok_and(|of| of == *domain)) {
            let Ok(user) = same_address(tx, &joining).await else { continue };
            let outcome = judge(tx, &user, Some(&organization), (&kept.standing, Some(&kept)), false).await?;
            let Outcome::Linked { level, proof, external } = outcome else { continue };
            let held = Membership { external, ..Membership::new(user.id, id, level, proof, context.now) };
            let granted = grant(self, tx, &context.principal.actor(), joining, held).await?;
            tx.enqueue_mail(context.now, &mails::decided(&granted, true, &user, &organization, self.settings())).await?;
        }
        Ok(())
    }

    async fn move_own(
        &self,
        context: &Context,
        id: Id<Joining>,
        from: JoiningState,
        action: &str,
        moved: impl FnOnce(Joining) -> Result<Joining, Error>,
    ) -> Result<Done<JoiningView>, Error> {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let joining = own(&tx, context, id).await?;
        if joining.state != from {
            return Err(decided_already());
        }
        let after = Joining { updated_at: context.now, ..moved(joining)? };
        save(&mut tx, &after, from).await?;
        tx.record(context.now, &context.principal.actor(), action, &format!("joining:{id}"), json!({}));
        let view = one_view(&tx, &after).await?;
        self.finish(context, tx, 200, view).await
    }
}

/// Why a wish waits, who may grant it, and whether it keeps the person out meanwhile.
fn asked(outcome: Outcome, user: &User) -> Result<(ModerationReason, Way, bool), Error> {
    let free = EmailDomain::of(&user.email).is_ok_and(|domain| domain.is_free());
    match outcome {
        Outcome::LinkedUnderReview(reason) => Ok((reason, Way::Operator, false)),
        Outcome::NeedsCode if free => Ok((ModerationReason::FreeAddress, Way::Code, true)),
        Outcome::NeedsCode => Ok((ModerationReason::DomainUnknown, Way::Code, true)),
        Outcome::NeedsSponsor(reason) => Ok((reason, Way::Sponsor, true)),
        Outcome::Moderation(reason) => Ok((reason, Way::Operator, true)),
        Outcome::Linked { .. } | Outcome::NeedsConfirmation | Outcome::Refused(_) => Err(Error::Internal("judged before".to_owned())),
    }
}

/// What the table says of a person and a number.
pub(crate) async fn judge(
    reader: &Reader,
    user: &User,
    organization: Option<&Organization>,
    (standing, profile): (&Standing, Option<&Profile>),
    confirmed: bool,
) -> Result<Outcome, Error> {
    let (domains, has_sponsors) = match organization {
        Some(organization) => {
            let links = reader.memberships_of_organization(organization.id).await?;
            (reader.domains_of(organization.id).await?, links.iter().any(|link| link.may_vouch() && link.user != user.id))
        }
        None => (Vec::new(), false),
    };
    let facts_contact = standing.facts().and_then(|facts| facts.official_contact.as_deref());
    let case = Case {
        email: &user.email,
        email_verified: user.email_verified_at.is_some(),
        standing,
        domains: &domains,
        official_contact: profile.and_then(|profile| profile.official_contact.as_deref()).or(facts_contact),
        asserted: false,
        has_sponsors,
        confirmed,
    };
    let (outcome, rule) = decide(&case);
    tracing::debug!(rule, "a wish to join was judged");
    Ok(outcome)
}

pub(crate) fn refused(why: JoinRefusal) -> Error {
    Error::Conflict { code: why.code(), text: why.text() }
}

/// Who was refused does not ask again, unless they were told to mend it.
async fn not_refused_before(reader: &Reader, user: Id<User>, organization: Id<Organization>) -> Result<(), Error> {
    let filter = JoiningFilter { user: Some(user), organization: Some(organization), states: vec![JoiningState::Refused] };
    match reader.joining_list(&filter, Page::first(1)).await?.items.pop() {
        Some(before) if before.may_reopen => Err(Error::conflict(
            "join_to_mend",
            "Votre demande précédente a été refusée et peut être corrigée : rouvrez-la.",
            "Your earlier request was refused and can be mended: open it again.",
        )),
        Some(_) => Err(Error::conflict(
            "join_refused",
            "Votre demande de rejoindre cette organisation a été refusée : faites-vous inviter par un membre.",
            "Your request to join this organisation was refused: have a member invite you.",
        )),
        None => Ok(()),
    }
}

/// A person's own wish.
pub(crate) async fn own(reader: &Reader, context: &Context, id: Id<Joining>) -> Result<Joining, Error> {
    context.require(Action::JoinOrganization, &Subject::Platform)?;
    let person = context.person()?;
    reader.joining_by_id(id).await?.filter(|joining| joining.user == person.user).ok_or(Error::NotFound)
}

pub(crate) fn pending(joining: Joining, way: Option<Way>) -> Result<Joining, Error> {
    let good = joining.state == JoiningState::Pending && way.is_none_or(|way| way == joining.way);
    if good { Ok(joining) } else { Err(decided_already()) }
}

/// The person, if they still have the address that was judged.
pub(crate) async fn same_address(reader: &Reader, joining: &Joining) -> Result<User, Error> {
    let user = reader.user_by_id(joining.user).await?.ok_or(Error::NotFound)?;
    if user.email.eq_ignore_ascii_case(&joining.email) {
        return Ok(user);
    }
    Err(Error::conflict(
        "address_changed",
        "L’adresse électronique du compte a changé depuis : il faut demander à nouveau le rattachement.",
        "The account’s e-mail address has changed since: the link must be asked for again.",
    ))
}

/// A domain that the operator refused for an organisation is refused whoever vouches for the person.
pub(crate) async fn not_refused_domain(reader: &Reader, organization: Id<Organization>, email: &str) -> Result<(), Error> {
    let Ok(domain) = EmailDomain::of(email) else { return Ok(()) };
    let known = reader.domains_of(organization).await?;
    let is_refused = known.iter().any(|known| known.domain == domain && known.state == DomainState::Refused);
    if is_refused { Err(refused(JoinRefusal::DomainRefused)) } else { Ok(()) }
}

pub(crate) async fn not_closed(reader: &Reader, organization: Id<Organization>) -> Result<(), Error> {
    if reader.profile(organization).await?.standing.is_closed() { Err(refused(JoinRefusal::Closed)) } else { Ok(()) }
}
