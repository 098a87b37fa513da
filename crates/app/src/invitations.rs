//! Invitations to an API, by mail, of somebody who may not have an account yet.

use octroi_domain::{
    Id, Slug,
    api::ApiName,
    application::Application,
    credential::SecretDigest,
    invitation::{Invitation, InvitationState, VALID_DAYS},
    mail::Sender,
    policy::{Action, Subject},
    text::{Language, Text},
};
use octroi_oauth::secret;
use octroi_store::{Page, Reader, StoredApi, SubscriptionFilter};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    accounts::wrong_address,
    context::{App, Begin, Context, Done},
    error::Error,
    mails,
    subscriptions::{Ready, by_hand, establish},
    view::{ApplicationView, List, SubscriptionView},
};

/// Invitations to one API that may be open at once: each is a mail that somebody receives.
const MOST_OPEN: usize = 200;

/// Whom to invite.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    pub email: String,
    /// None: the API's first.
    pub plan: Option<Slug>,
    /// Of the mail.
    pub language: Language,
}

/// An invitation, without its word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InvitationView {
    pub id: String,
    /// `provider/api`.
    pub api: String,
    pub email: String,
    pub plan: String,
    /// `open`, `accepted`, `withdrawn` or `expired`.
    pub state: String,
    pub created_at: String,
    pub expires_at: String,
    pub ended_at: Option<String>,
    pub subscription: Option<String>,
}
impl InvitationView {
    fn new(invitation: &Invitation, context: &Context) -> Self {
        Self {
            id: invitation.id.to_string(),
            api: invitation.api.to_string(),
            email: invitation.email.clone(),
            plan: invitation.plan.to_string(),
            state: invitation.state(context.now).as_str().to_owned(),
            created_at: invitation.created_at.to_string(),
            expires_at: invitation.expires_at.to_string(),
            ended_at: invitation.ended_at.map(|at| at.to_string()),
            subscription: invitation.subscription.map(|id| id.to_string()),
        }
    }
}

/// An invitation as who received it sees it, with what they may accept it for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReceivedView {
    /// `provider/api`.
    pub api: String,
    #[schema(value_type = Object)]
    pub title: Text,
    #[schema(value_type = Object)]
    pub description: Text,
    pub provider: String,
    #[schema(value_type = Option<Object>)]
    pub terms: Option<Text>,
    pub expires_at: String,
    /// Applications of the person's organisations, on stages that the API is open on and without a subscription to it.
    pub applications: Vec<ApplicationView>,
}

fn administers(context: &Context, api: &ApiName) -> Result<(), Error> {
    context.require(Action::AdministerApi, &Subject::Perimeter { api: Some(api.clone()), definition: None })
}

/// The word of a link; what cannot be one leads nowhere.
fn digest(word: &str) -> SecretDigest {
    SecretDigest::from_bytes(secret::digest(word))
}

/// The open invitation that the word belongs to, for the person whom it was sent to.
async fn received(reader: &Reader, context: &Context, word: &str) -> Result<(Invitation, StoredApi), Error> {
    let person = context.person()?;
    let invitation = reader.invitation_by_digest(&digest(word)).await?.ok_or(Error::NotFound)?;
    let user = reader.user_by_id(person.user).await?.ok_or(Error::NotFound)?;
    if !user.email.eq_ignore_ascii_case(&invitation.email) {
        return Err(Error::conflict(
            "other_address",
            "Cette invitation a été envoyée à une autre adresse électronique : connectez-vous avec le compte qui l’a reçue.",
            "This invitation was sent to another e-mail address: sign in with the account that received it.",
        ));
    }
    let stored = reader.api_current(&invitation.api).await?.filter(|stored| !stored.withdrawn).ok_or(Error::NotFound)?;
    if invitation.state(context.now) != InvitationState::Open {
        return Err(Error::conflict(
            "invitation_ended",
            "Cette invitation a déjà servi, a été retirée ou a expiré : demandez-en une autre à l’administrateur de l’API.",
            "This invitation was used, withdrawn or is out of date: ask the API's administrator for another one.",
        ));
    }
    Ok((invitation, stored))
}

impl App {
    /// Invites an address to subscribe to an API. The mail holds the only copy of the invitation's word.
    pub async fn invite(&self, context: &Context, api: &ApiName, input: NewInvitation) -> Result<Done<InvitationView>, Error> {
        administers(context, api)?;
        let person = context.person()?;
        let invalid = || wrong_address("/email");
        let email: Sender = input.email.trim().to_lowercase().parse().map_err(|_| invalid())?;
        let email = if email.name().is_none() { email.address().to_owned() } else { return Err(invalid()) };
        self.invitation_turn(person.user, &email, context.now).await?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let stored = tx.api_current(api).await?.filter(|stored| !stored.withdrawn).ok_or(Error::NotFound)?;
        by_hand(&stored.document.api, None)?;
        let plan = crate::subscriptions::chosen_plan(&stored.document.api, input.plan)?;
        let known = tx.invitation_list(api, Page::first(Page::MAX)).await?.items;
        let open = known.iter().filter(|known| known.state(context.now) == InvitationState::Open);
        if open.clone().any(|known| known.email == email) {
            return Err(Error::conflict(
                "already_invited",
                "Cette adresse a déjà une invitation en cours : retirez-la pour en envoyer une autre.",
                "This address has an open invitation: withdraw it to send another one.",
            ));
        }
        if open.count() >= MOST_OPEN {
            return Err(Error::conflict(
                "too_many_invitations",
                "Trop d’invitations sont en cours pour cette API : retirez-en.",
                "Too many invitations to this API are open: withdraw some.",
            ));
        }
        let word = secret::random_word()?;
        let invitation = Invitation {
            id: Id::from_uuid(Uuid::now_v7()),
            api: api.clone(),
            email,
            plan,
            digest: digest(&word),
            invited_by: person.user,
            created_at: context.now,
            expires_at: context.now.plus_days(VALID_DAYS),
            ended_at: None,
            subscription: None,
        };
        tx.invitation_insert(&invitation).await?;
        // The ledger never forgets, so it does not learn the address of somebody who may never come.
        let details = json!({ "api": api, "plan": invitation.plan, "expires_at": invitation.expires_at });
        tx.record(context.now, &context.principal.actor(), "invitation.sent", &format!("invitation:{}", invitation.id), details);
        let inviter = tx.user_by_id(person.user).await?.ok_or(Error::NotFound)?;
        let name = stored.document.api.name.in_language(input.language).to_owned();
        let mail = mails::invited(&invitation, &name, &inviter, &word, input.language, self.settings());
        mails::send(&mut tx, context.now, &api.provider, [mail]).await?;
        let view = InvitationView::new(&invitation, context);
        self.finish(context, tx, 201, view).await
    }

    /// The invitations to an API, the latest first.
    pub async fn list_invitations(&self, context: &Context, api: &ApiName, page: Page) -> Result<List<InvitationView>, Error> {
        administers(context, api)?;
        let listing = self.inner.store.read().invitation_list(api, page).await?;
        let next = listing.next.map(|cursor| cursor.to_string());
        Ok(List { next, items: listing.items.iter().map(|invitation| InvitationView::new(invitation, context)).collect() })
    }

    /// Takes back an invitation that nobody has accepted.
    pub async fn withdraw_invitation(&self, context: &Context, id: Id<Invitation>) -> Result<Done<InvitationView>, Error> {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let mut invitation = tx.invitation_by_id(id).await?.ok_or(Error::NotFound)?;
        administers(context, &invitation.api)?;
        let ended = || Error::conflict("wrong_state", "Cette invitation a déjà pris fin.", "This invitation has ended already.");
        if invitation.ended_at.is_some() {
            return Err(ended());
        }
        tx.invitation_end(id, context.now, None).await.map_err(|error| if error.is_stale() { ended() } else { error.into() })?;
        invitation.ended_at = Some(context.now);
        let subject = format!("invitation:{id}");
        tx.record(context.now, &context.principal.actor(), "invitation.withdrawn", &subject, json!({ "api": invitation.api }));
        let view = InvitationView::new(&invitation, context);
        self.finish(context, tx, 200, view).await
    }

    /// What the invitation of this word is for, for who received it.
    pub async fn read_invitation(&self, context: &Context, word: &str) -> Result<ReceivedView, Error> {
        context.require(Action::AcceptInvitation, &Subject::Platform)?;
        let reader = self.inner.store.read();
        let (invitation, stored) = received(&reader, context, word).await?;
        let api = &stored.document.api;
        let mut applications = Vec::new();
        for (organization, _) in &context.person()?.memberships {
            if context.require(Action::ListApplications, &Subject::Organization(*organization)).is_err() {
                continue;
            }
            for application in reader.application_list(Some(*organization), Page::first(100)).await?.items {
                let open = api.backends.of(application.stage).is_some();
                if open && reader.subscription_of(application.id, &invitation.api).await?.is_none() {
                    applications.push(crate::applications::view(&reader, &application).await?);
                }
            }
        }
        Ok(ReceivedView {
            api: invitation.api.to_string(),
            title: api.name.clone(),
            description: api.description.clone(),
            provider: api.provider.to_string(),
            terms: api.terms.as_ref().map(|terms| terms.text.clone()),
            expires_at: invitation.expires_at.to_string(),
            applications,
        })
    }

    /// Accepts an invitation, for an application of one's own: subscribed at once.
    pub async fn accept_invitation(
        &self,
        context: &Context,
        word: &str,
        application: Id<Application>,
        accept_terms: bool,
    ) -> Result<Done<SubscriptionView>, Error> {
        context.require(Action::AcceptInvitation, &Subject::Platform)?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let (invitation, stored) = received(&tx, context, word).await?;
        let unknown =
            || Error::field("/application", "unknown_application", "Cette application n’existe pas.", "There is no such application.");
        let application = tx.application_by_id(application).await?.ok_or_else(unknown)?;
        let subject = Subject::Application { organization: application.organization };
        context.require(Action::AcceptInvitation, &subject).map_err(|_| unknown())?;
        let api = &stored.document.api;
        by_hand(api, Some(&application))?;
        let terms_accepted = crate::subscriptions::accepted_terms(api, accept_terms)?;
        // A plan that has left the catalogue since is replaced by the first one.
        let plan = api.plan(&invitation.plan).map(|plan| plan.id.clone());
        let ready = Ready { application: &application, api, permit: None, plan, terms_accepted, by_provider: true };
        let subscription = establish(&mut tx, context, ready, "subscription.invited").await?;
        tx.invitation_end(invitation.id, context.now, Some(subscription.id)).await.map_err(|error| {
            if error.is_stale() {
                Error::conflict("invitation_ended", "Cette invitation a déjà servi.", "This invitation was used already.")
            } else {
                error.into()
            }
        })?;
        let details = json!({ "api": invitation.api, "subscription": subscription.id });
        let subject = format!("invitation:{}", invitation.id);
        tx.record(context.now, &context.principal.actor(), "invitation.accepted", &subject, details);
        self.finish(context, tx, 201, SubscriptionView::from(&subscription)).await
    }

    /// How many subscriptions to an API wait for its administrator; at most 100 are counted.
    pub(crate) async fn pending_subscriptions(&self, api: &ApiName) -> Result<usize, Error> {
        let states = vec![octroi_domain::application::SubscriptionState::Pending];
        let filter = SubscriptionFilter { api: Some(api.clone()), states, ..SubscriptionFilter::default() };
        Ok(self.inner.store.read().subscription_list(&filter, Page::first(100)).await?.items.len())
    }
}
