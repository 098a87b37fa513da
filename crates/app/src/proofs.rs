//! Proofs of a link that come after the wish: the code of the official contact, a sponsor, an identity provider.

use octroi_domain::{
    Id, Moment,
    directory::Standing,
    email_domain::EmailDomain,
    joining::{CODE_MINUTES, CODE_TRIES, JoinRefusal, Joining, Outcome, Way},
    organization::{Organization, RegistryId, Siret},
    user::{LinkLevel, LinkProof, Membership, User},
};
use octroi_oauth::secret;
use octroi_store::Tx;
use serde_json::json;

use crate::{
    accounts::wrong_address,
    context::{App, Begin, Context, Done},
    error::Error,
    joining::{
        JoiningView, grant, judge, link, not_closed, not_refused_domain, one_view, open_wish, own, pending, refused, same_address,
        withdraw_open,
    },
    mails::joining::{self as mails, Told},
    organizations::voucher,
};

/// Codes that one person has sent to one organisation in an hour: each is a mail that a town hall receives.
const CODES: i64 = 5;
/// And that everybody has sent to it.
const CODES_OF_ALL: i64 = 20;
/// Members that one person may ask to vouch in an hour.
const SPONSORS: i64 = 5;

impl App {
    /// Sends a new code to the organisation's official address; one before is good no more.
    pub async fn send_join_code(&self, context: &Context, id: Id<Joining>) -> Result<Done<JoiningView>, Error> {
        let joining = own(&self.inner.store.read(), context, id).await?;
        // One's own first: a stranger uses up theirs, and not everybody's.
        self.budget(format!("join-code-sent:{}:{}", joining.organization, joining.user), context.now, CODES).await?;
        self.budget(format!("join-code-sent:{}", joining.organization), context.now, CODES_OF_ALL).await?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let joining = pending(own(&tx, context, id).await?, Some(Way::Code))?;
        let user = same_address(&tx, &joining).await?;
        let organization = tx.organization_by_id(joining.organization).await?.ok_or(Error::NotFound)?;
        let profile = tx.profile(organization.id).await?;
        let contact = profile.contact().ok_or_else(|| {
            Error::conflict(
                "no_official_contact",
                "Cette organisation n’a plus de contact officiel : l’exploitant examinera votre demande.",
                "This organisation has no official contact any more: the operator will look at your request.",
            )
        })?;
        let code = secret::random_digits(10)?;
        tx.joining_set_code(id, &code_digest(id, &code), context.now.plus_seconds(CODE_MINUTES * 60)).await?;
        tx.enqueue_mail(context.now, &mails::code(contact, &spaced(&code), &user, &organization, self.settings())).await?;
        tx.record(context.now, &context.principal.actor(), "joining.code_sent", &format!("joining:{id}"), json!({}));
        let view = one_view(&tx, &joining).await?;
        self.finish(context, tx, 200, view).await
    }

    /// Until when the code that went to the official contact is good; none: no code is out.
    pub async fn join_code_until(&self, context: &Context, id: Id<Joining>) -> Result<Option<Moment>, Error> {
        let reader = self.inner.store.read();
        own(&reader, context, id).await?;
        Ok(reader.joining_code(id).await?.map(|(_, until)| until).filter(|until| *until > context.now))
    }

    /// The code that the official contact gave: linked when it is right. Each try counts, right or wrong.
    pub async fn enter_join_code(&self, context: &Context, id: Id<Joining>, code: &str) -> Result<Done<JoiningView>, Error> {
        pending(own(&self.inner.store.read(), context, id).await?, Some(Way::Code))?;
        self.budget(format!("join-code:{id}"), context.now, CODE_TRIES).await?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let joining = pending(own(&tx, context, id).await?, Some(Way::Code))?;
        same_address(&tx, &joining).await?;
        not_closed(&tx, joining.organization).await?;
        not_refused_domain(&tx, joining.organization, &joining.email).await?;
        let typed: String = code.chars().filter(char::is_ascii_digit).take(20).collect();
        let good = tx.joining_code(id).await?.filter(|(_, until)| *until > context.now);
        if !good.is_some_and(|(digest, _)| secret::same_digest(&digest, &code_digest(id, &typed))) {
            return Err(Error::field(
                "/code",
                "wrong_code",
                "Ce code n’est pas le bon, ou il a expiré : vérifiez-le, ou faites-en envoyer un autre.",
                "This code is wrong or out of date: check it, or have another one sent.",
            ));
        }
        let held = Membership::new(joining.user, joining.organization, LinkLevel::Verified, LinkProof::OfficialContactCode, context.now);
        let granted = grant(self, &mut tx, &context.principal.actor(), joining, held).await?;
        let view = one_view(&tx, &granted).await?;
        self.finish(context, tx, 200, view).await
    }

    /// Asks a member, named by their address, to vouch. The answer does not tell whether there is such a member.
    pub async fn name_sponsor(&self, context: &Context, id: Id<Joining>, email: &str) -> Result<Done<JoiningView>, Error> {
        let person = context.person()?.user;
        pending(own(&self.inner.store.read(), context, id).await?, None)?;
        let email = email.trim().to_lowercase();
        if EmailDomain::of(&email).is_err() {
            return Err(wrong_address("/email"));
        }
        self.budget(format!("join-sponsor:{person}"), context.now, SPONSORS).await?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let joining = pending(own(&tx, context, id).await?, None)?;
        let user = same_address(&tx, &joining).await?;
        let organization = tx.organization_by_id(joining.organization).await?.ok_or(Error::NotFound)?;
        if let Some(member) = tx.user_by_email(&email).await?
            && tx.membership(member.id, organization.id).await?.is_some_and(|held| held.may_vouch())
        {
            tx.enqueue_mail(context.now, &mails::told(Told::Sponsor(id), &member, &user, &organization, self.settings())).await?;
        }
        tx.record(context.now, &context.principal.actor(), "joining.sponsor_asked", &format!("joining:{id}"), json!({}));
        let view = one_view(&tx, &joining).await?;
        self.finish(context, tx, 200, view).await
    }

    /// A wish to join an organisation that one may vouch for.
    pub async fn read_wish(&self, context: &Context, id: Id<Joining>) -> Result<JoiningView, Error> {
        let reader = self.inner.store.read();
        let joining = reader.joining_by_id(id).await?.ok_or(Error::NotFound)?;
        voucher(&reader, context, joining.organization).await?;
        one_view(&reader, &joining).await
    }

    /// A member says that the person is of the organisation.
    pub async fn vouch(&self, context: &Context, id: Id<Joining>) -> Result<Done<JoiningView>, Error> {
        let by = context.person()?.user;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let joining = tx.joining_by_id(id).await?.ok_or(Error::NotFound)?;
        voucher(&tx, context, joining.organization).await?;
        let joining = pending(joining, None)?;
        let user = same_address(&tx, &joining).await?;
        not_closed(&tx, joining.organization).await?;
        not_refused_domain(&tx, joining.organization, &joining.email).await?;
        let held = Membership::new(joining.user, joining.organization, LinkLevel::Verified, LinkProof::Sponsor, context.now);
        let granted = grant(self, &mut tx, &context.principal.actor(), joining, Membership { proved_by: Some(by), ..held }).await?;
        let organization = tx.organization_by_id(granted.organization).await?.ok_or(Error::NotFound)?;
        tx.enqueue_mail(context.now, &mails::decided(&granted, true, &user, &organization, self.settings())).await?;
        let view = one_view(&tx, &granted).await?;
        self.finish(context, tx, 200, view).await
    }

    /// Links a person to the organisation that their own identity provider says they belong to: as sure as can be.
    /// Asked by whoever took them in; nothing here looks at who asks.
    ///
    /// # Errors
    /// A conflict with the reason when the establishment is closed or unknown.
    pub async fn link_asserted(&self, user: Id<User>, siret: Siret, provider: &str, now: Moment) -> Result<Id<Organization>, Error> {
        let number = RegistryId::from(siret);
        let reader = self.inner.store.read();
        let known = reader.organization_by_siret(&number).await?;
        let kept = match &known {
            Some(organization) => Some(reader.profile(organization.id).await?),
            None => None,
        };
        let standing = self.standing(&format!("user:{user}"), &number, kept.as_ref(), now).await?;
        if standing.is_closed() {
            return Err(refused(JoinRefusal::Closed));
        }
        if matches!(standing, Standing::Unknown { .. }) {
            return Err(refused(JoinRefusal::UnknownNumber));
        }
        let mut tx = self.inner.store.write().await?;
        let actor = format!("identity_provider:{provider}");
        // The provider gives a number and no name: without a directory the number stands for it.
        let organization = self.ensure_organization(&mut tx, &actor, &number, (&standing, Some(number.as_str())), now).await?;
        let before = tx.membership(user, organization.id).await?;
        if before.as_ref().is_none_or(|before| before.level < LinkLevel::Certified) {
            let held = Membership::new(user, organization.id, LinkLevel::Certified, LinkProof::IdentityProvider, now);
            match open_wish(&tx, user, organization.id).await? {
                Some(joining) => drop(grant(self, &mut tx, &actor, joining, held).await?),
                None => {
                    let since = before.map_or(now, |before| before.created_at);
                    link(self, &mut tx, &actor, &Membership { created_at: since, ..held }).await?;
                }
            }
        }
        tx.commit().await?;
        Ok(organization.id)
    }
}

/// To call in the transaction that changes a person's address: what the old one proved, the new one must prove again, and wishes that were
/// judged by it end.
///
/// # Errors
/// When the store cannot answer.
pub async fn address_changed(tx: &mut Tx, user: &User, now: Moment) -> Result<(), Error> {
    for held in tx.memberships_of_user(user.id).await? {
        withdraw_open(tx, user.id, held.organization, now).await?;
        let by_address =
            matches!(held.proof, LinkProof::Domain | LinkProof::OfficialContact | LinkProof::OfficialContactDomain | LinkProof::Invitation);
        if !by_address {
            continue;
        }
        let profile = tx.profile(held.organization).await?;
        let organization = tx.organization_by_id(held.organization).await?;
        let again = judge(tx, user, organization.as_ref(), (&profile.standing, Some(&profile)), true).await?;
        let (level, proof, external) = match again {
            Outcome::Linked { level, proof, external } => (level, proof, external),
            _ => (LinkLevel::Unverified, LinkProof::Nothing, held.external),
        };
        if (level, proof) == (held.level, held.proof) {
            continue;
        }
        tx.membership_put(&Membership { level, proof, external, proved_at: now, proved_by: None, ..held.clone() }).await?;
        let details = json!({ "organization": held.organization, "level": level, "proof": proof });
        tx.record(now, "system", "membership.proved", &format!("user:{}", user.id), details);
    }
    Ok(())
}

/// Of no use for another wish.
fn code_digest(id: Id<Joining>, code: &str) -> [u8; 32] {
    secret::digest(&format!("join {id} {code}"))
}

/// `0123 456 789`: easier to read out.
fn spaced(code: &str) -> String {
    let part = |from: usize, to: usize| code.get(from..to).unwrap_or_default();
    format!("{} {} {}", part(0, 4), part(4, 7), part(7, 10))
}
