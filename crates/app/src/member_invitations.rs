//! Invitations to an organisation, by its members: bound to one address, good once.

use octroi_domain::{
    Id, Moment,
    credential::SecretDigest,
    email_domain::EmailDomain,
    invitation::InvitationState,
    joining::{INVITATION_DAYS, JoinRefusal, MemberInvitation},
    organization::Organization,
    policy::{Action, Subject},
    user::{LinkLevel, LinkProof, Membership, User},
};
use octroi_oauth::secret;
use octroi_store::Reader;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    accounts::wrong_address,
    context::{App, Begin, Context, Done},
    error::Error,
    joining::{grant, link, not_closed, not_refused_domain, open_wish, refused},
    mails::joining as mails,
    organizations::{MemberInvitationView, voucher},
    view::OrganizationView,
};

/// Invitations of one organisation that may be open at once.
const MOST_OPEN: usize = 50;
/// Invitations that one member may send in an hour.
const SENT: i64 = 30;
/// Invitations that one address may receive in an hour, whoever sends them.
const RECEIVED: i64 = 5;

/// An invitation to an organisation, as who received it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceivedInvitation {
    pub organization: OrganizationView,
    pub invited_by: String,
    pub expires_at: String,
}

fn ended() -> Error {
    Error::conflict(
        "invitation_ended",
        "Cette invitation a déjà servi, a été retirée ou a expiré : demandez-en une autre.",
        "This invitation was used, withdrawn or is out of date: ask for another one.",
    )
}

/// The open invitation that the word belongs to, for the person whom it was sent to; it dies with the inviter's right to invite.
async fn received(reader: &Reader, context: &Context, word: &str) -> Result<(MemberInvitation, User), Error> {
    context.require(Action::JoinOrganization, &Subject::Platform)?;
    let person = context.person()?;
    let digest = SecretDigest::from_bytes(secret::digest(word));
    let invitation = reader.member_invitation_by_digest(&digest).await?.ok_or(Error::NotFound)?;
    let user = reader.user_by_id(person.user).await?.ok_or(Error::SignIn)?;
    if !user.email.eq_ignore_ascii_case(&invitation.email) {
        return Err(Error::conflict(
            "other_address",
            "Cette invitation a été envoyée à une autre adresse électronique : connectez-vous avec le compte qui l’a reçue.",
            "This invitation was sent to another e-mail address: sign in with the account that received it.",
        ));
    }
    if user.email_verified_at.is_none() {
        return Err(refused(JoinRefusal::AddressNotVerified));
    }
    let inviter = reader.membership(invitation.invited_by, invitation.organization).await?;
    if invitation.state(context.now) != InvitationState::Open || !inviter.is_some_and(|held| held.may_vouch()) {
        return Err(ended());
    }
    Ok((invitation, user))
}

impl App {
    /// Counts an invitation, to an organisation or to an API: nobody fills a mailbox by inviting and withdrawing.
    pub(crate) async fn invitation_turn(&self, by: Id<User>, email: &str, now: Moment) -> Result<(), Error> {
        self.budget(format!("invite:{by}"), now, SENT).await?;
        self.budget(format!("invited:{email}"), now, RECEIVED).await
    }

    /// Invites an address to an organisation. The mail holds the only copy of the invitation's word.
    pub async fn invite_member(&self, context: &Context, id: Id<Organization>, email: &str) -> Result<Done<MemberInvitationView>, Error> {
        let email = email.trim().to_lowercase();
        if EmailDomain::of(&email).is_err() {
            return Err(wrong_address("/email"));
        }
        let by = context.person()?.user;
        // Who may not invite uses up nobody's count.
        voucher(&self.inner.store.read(), context, id).await?;
        self.invitation_turn(by, &email, context.now).await?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        voucher(&tx, context, id).await?;
        not_closed(&tx, id).await?;
        if not_refused_domain(&tx, id, &email).await.is_err() {
            return Err(Error::field(
                "/email",
                "domain_refused",
                "Les adresses de ce domaine ne sont pas acceptées pour cette organisation.",
                "Addresses under this domain are not accepted for this organisation.",
            ));
        }
        if let Some(user) = tx.user_by_email(&email).await?
            && tx.membership(user.id, id).await?.is_some_and(|held| held.level >= LinkLevel::Verified)
        {
            return Err(Error::field(
                "/email",
                "already_member",
                "Cette adresse est déjà celle d’un membre.",
                "This address is a member’s already.",
            ));
        }
        let organization = tx.organization_by_id(id).await?.ok_or(Error::NotFound)?;
        let known = tx.member_invitations(id).await?;
        let open: Vec<_> = known.iter().filter(|known| known.state(context.now) == InvitationState::Open).collect();
        if open.iter().any(|known| known.email == email) {
            return Err(Error::field(
                "/email",
                "already_invited",
                "Cette adresse a déjà une invitation en cours : retirez-la pour en envoyer une autre.",
                "This address has an open invitation: withdraw it to send another one.",
            ));
        }
        if open.len() >= MOST_OPEN {
            return Err(Error::conflict(
                "too_many_invitations",
                "Trop d’invitations sont en cours pour cette organisation : retirez-en.",
                "Too many invitations to this organisation are open: withdraw some.",
            ));
        }
        let word = secret::random_word()?;
        let invitation = MemberInvitation {
            id: Id::from_uuid(Uuid::now_v7()),
            organization: id,
            email,
            digest: SecretDigest::from_bytes(secret::digest(&word)),
            invited_by: by,
            created_at: context.now,
            expires_at: context.now.plus_days(INVITATION_DAYS),
            ended_at: None,
            accepted_by: None,
        };
        tx.member_invitation_insert(&invitation).await?;
        let inviter = tx.user_by_id(by).await?.ok_or(Error::SignIn)?;
        let mail = mails::invited(&invitation, &inviter, &organization, (&word, context.language), self.settings());
        tx.enqueue_mail(context.now, &mail).await?;
        // The ledger never forgets, so it does not learn the address of somebody who may never come.
        let details = json!({ "organization": id, "expires_at": invitation.expires_at });
        let subject = format!("member_invitation:{}", invitation.id);
        tx.record(context.now, &context.principal.actor(), "member_invitation.sent", &subject, details);
        self.finish(context, tx, 201, MemberInvitationView::new(&invitation, context.now)).await
    }

    /// Takes back an invitation that nobody has accepted.
    pub async fn withdraw_member_invitation(
        &self,
        context: &Context,
        organization: Id<Organization>,
        id: Id<MemberInvitation>,
    ) -> Result<Done<MemberInvitationView>, Error> {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        voucher(&tx, context, organization).await?;
        let found = tx.member_invitation_by_id(id).await?.filter(|found| found.organization == organization).ok_or(Error::NotFound)?;
        tx.member_invitation_end(id, context.now, None).await.map_err(|error| if error.is_stale() { ended() } else { error.into() })?;
        let subject = format!("member_invitation:{id}");
        tx.record(
            context.now,
            &context.principal.actor(),
            "member_invitation.withdrawn",
            &subject,
            json!({ "organization": organization }),
        );
        let view = MemberInvitationView::new(&MemberInvitation { ended_at: Some(context.now), ..found }, context.now);
        self.finish(context, tx, 200, view).await
    }

    /// What the invitation of this word is for, for who received it.
    pub async fn read_member_invitation(&self, context: &Context, word: &str) -> Result<ReceivedInvitation, Error> {
        let reader = self.inner.store.read();
        let (invitation, _) = received(&reader, context, word).await?;
        let organization = reader.organization_by_id(invitation.organization).await?.ok_or(Error::NotFound)?;
        let inviter = reader.user_by_id(invitation.invited_by).await?.ok_or(Error::NotFound)?;
        Ok(ReceivedInvitation {
            organization: (&organization).into(),
            invited_by: inviter.full_name(),
            expires_at: invitation.expires_at.to_string(),
        })
    }

    /// Accepts an invitation: linked at once.
    pub async fn accept_member_invitation(&self, context: &Context, word: &str) -> Result<Done<OrganizationView>, Error> {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let (invitation, user) = received(&tx, context, word).await?;
        not_closed(&tx, invitation.organization).await?;
        not_refused_domain(&tx, invitation.organization, &user.email).await?;
        let organization = tx.organization_by_id(invitation.organization).await?.ok_or(Error::NotFound)?;
        tx.member_invitation_end(invitation.id, context.now, Some(user.id))
            .await
            .map_err(|error| if error.is_stale() { ended() } else { error.into() })?;
        let subject = format!("member_invitation:{}", invitation.id);
        tx.record(
            context.now,
            &context.principal.actor(),
            "member_invitation.accepted",
            &subject,
            json!({ "organization": organization.id }),
        );
        let before = tx.membership(user.id, organization.id).await?;
        if before.is_none_or(|before| before.level < LinkLevel::Verified) {
            let held = Membership::new(user.id, organization.id, LinkLevel::Verified, LinkProof::Invitation, context.now);
            let held = Membership { proved_by: Some(invitation.invited_by), ..held };
            match open_wish(&tx, user.id, organization.id).await? {
                Some(joining) => drop(grant(self, &mut tx, &context.principal.actor(), joining, held).await?),
                None => link(self, &mut tx, &context.principal.actor(), &held).await?,
            }
        }
        self.finish(context, tx, 200, OrganizationView::from(&organization)).await
    }
}
