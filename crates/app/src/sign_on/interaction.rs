//! Between a request and its answer: who signs in, as member of which organisation, and whether they agree. What comes
//! next is worked out anew each time from the request, the session and what was chosen, so that no step can be skipped.

use std::sync::Arc;

use octroi_domain::{
    Id, Moment,
    authentication::{Acr, Authentication, Session},
    organization::Organization,
    sign_on::{CODE_SECONDS, CodeFacts, Grant, GrantFacts},
    user::{LinkLevel, User},
};
use octroi_oauth::{
    authorization_request::{AuthorizeCode, Prompt, ResponseMode},
    client_metadata::AuthMethod,
    redirect_uri::RedirectUri,
    secret::{PlainSecret, SecretKind},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Known, Refusal, SignOnError,
    authorize::Asked,
    claims::{asked_one_by_one, needs_organization},
    digest, stored,
};
use crate::{
    context::{App, Context},
    error::Error,
};

/// An answer that goes back to the client through the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back {
    pub redirect_uri: String,
    pub mode: ResponseMode,
    pub parameters: Vec<(&'static str, String)>,
}
impl Back {
    /// The address with the answer in its query, or in its fragment.
    #[must_use]
    pub fn address(&self) -> String {
        let parameters: Vec<(&str, &str)> = self.parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        match self.mode {
            ResponseMode::Fragment => RedirectUri::with_fragment(&self.redirect_uri, &parameters),
            ResponseMode::Query | ResponseMode::FormPost => RedirectUri::with_query(&self.redirect_uri, &parameters),
        }
    }
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    pub client: String,
    pub name: String,
    pub email: String,
    /// The client expects somebody else.
    pub other_expected: bool,
    /// The client wants an account to be opened.
    pub create: bool,
}

/// The organisations to choose from; none: the person belongs to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationChoice {
    pub client: String,
    pub organizations: Vec<Organization>,
    /// The one that the client asked for, of which the person is no member.
    pub missing: Option<String>,
}

/// What a person is asked to agree to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentView {
    pub client: String,
    /// Where the answer goes: scheme and host, or the scheme of an application.
    pub goes_to: String,
    /// Who runs the client.
    pub owner: Option<Organization>,
    pub scopes: Vec<String>,
    /// Claims asked for beyond the scopes.
    pub claims: Vec<&'static str>,
    pub organization: Option<Organization>,
    pub name: String,
    pub email: String,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `again`: somebody is signed in, and has to prove it anew.
    SignIn {
        create: bool,
        again: bool,
        hint: Option<String>,
    },
    SecondFactor,
    Account(AccountView),
    Organization(OrganizationChoice),
    Consent(Box<ConsentView>),
    Back(Back),
}

/// How an agreement begins that is about one organisation.
pub(super) const ORGANIZATION: &str = "organization:";

/// What was chosen on the way, by whom: a session takes over nothing from another.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Choices {
    #[serde(default)]
    user: Option<Uuid>,
    #[serde(default)]
    account: bool,
    #[serde(default)]
    organization: Option<Uuid>,
    #[serde(default)]
    agreed: bool,
}

/// A request on its way, with all that its next step depends on.
pub(super) struct Open {
    pub known: Arc<Known>,
    pub asked: Asked,
    /// Under which the request was pushed before (RFC 9126).
    pushed: Option<[u8; 32]>,
    choices: Choices,
    begun_at: Moment,
    /// Under which it is kept; none: it came in just now.
    kept: Option<[u8; 32]>,
}

impl App {
    /// What comes next for somebody who is about to sign in to a client.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the request is unknown, out of date or answered.
    pub async fn interaction(&self, word: &str, context: &Context) -> Result<Step, SignOnError> {
        let open = self.open_interaction(word, context.now).await?;
        self.step(&open, context).await
    }

    /// The name of the client that a request is from, for the pages on the way; none when it is over.
    pub async fn asking_client(&self, word: &str, now: Moment) -> Option<String> {
        self.open_interaction(word, now).await.ok().map(|open| open.name())
    }

    async fn open_interaction(&self, word: &str, now: Moment) -> Result<Open, SignOnError> {
        if !word.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Error::NotFound.into());
        }
        let digest = digest(word);
        let reader = self.inner.store.read();
        let interaction = reader.interaction(&digest, now).await?.ok_or(Error::NotFound)?;
        let known = self.client_known(&interaction.client).await?.ok_or(Error::NotFound)?;
        let asked: Asked = serde_json::from_str(&interaction.request).map_err(|error| Error::Internal(error.to_string()))?;
        // The client may have given the address up meanwhile: whoever has it now is sent nothing.
        if !known.metadata.is_answered_at(&asked.redirect_uri) {
            return Err(Error::NotFound.into());
        }
        let choices = serde_json::from_str(&interaction.choices).unwrap_or_default();
        Ok(Open { known, asked, pushed: interaction.pushed, choices, begun_at: interaction.created_at, kept: Some(digest) })
    }

    pub(super) async fn step(&self, open: &Open, context: &Context) -> Result<Step, SignOnError> {
        let silent = open.asked.request.asks(Prompt::None);
        let step = self.next(open, context).await?;
        // With prompt=none nobody is asked anything (OpenID Connect Core section 3.1.2.6).
        let code = match (&step, silent) {
            (Step::Back(_), _) | (_, false) => return Ok(step),
            (Step::SignIn { .. } | Step::SecondFactor, true) => AuthorizeCode::LoginRequired,
            (Step::Account(view), true) if view.other_expected => AuthorizeCode::LoginRequired,
            (Step::Account(_), true) => AuthorizeCode::AccountSelectionRequired,
            (Step::Organization(_), true) => AuthorizeCode::InteractionRequired,
            // Whether the person belongs to the organisation that the client names is not told before they agree.
            (Step::Consent(_), true) if open.asked.request.siret_hint.is_some() => AuthorizeCode::InteractionRequired,
            (Step::Consent(_), true) => AuthorizeCode::ConsentRequired,
        };
        Ok(Step::Back(self.denied(&open.asked, code, "somebody has to be asked, and prompt=none forbids it")))
    }

    async fn next(&self, open: &Open, context: &Context) -> Result<Step, SignOnError> {
        let request = &open.asked.request;
        let hint = || request.login_hint.clone();
        let Some(session) = &context.session else {
            return Ok(Step::SignIn { create: request.asks(Prompt::Create), again: false, hint: hint() });
        };
        if !is_recent(open, &session.authentication) {
            return Ok(Step::SignIn { create: false, again: true, hint: hint() });
        }
        let reader = self.inner.store.read();
        let user = reader.user_by_id(session.user).await?.ok_or(Error::SignIn)?;
        let mut choices = open.choices(user.id);
        let other_expected = !self.is_expected(open, &user, context.now).await?;
        // Who was there before was not asked to open an account: they are asked now.
        let create = request.asks(Prompt::Create) && session.authentication.at < open.begun_at;
        if other_expected || ((create || request.asks(Prompt::SelectAccount)) && !choices.account) {
            return Ok(Step::Account(AccountView {
                client: open.name(),
                name: user.full_name(),
                email: user.email.clone(),
                other_expected,
                create,
            }));
        }
        let wanted = wanted_acr(open);
        if wanted.needs_second_factor() && !session.authentication.is_multi_factor() {
            return Ok(Step::SecondFactor);
        }
        if request.asks(Prompt::None) && request.siret_hint.is_none() && open.tells_of_one() {
            choices.organization = self.organization_before(&open.known, session).await?;
        }
        let memberships = &context.person()?.memberships;
        let organizations = if open.needs_organizations(&choices) {
            let ids: Vec<_> = memberships.iter().map(|(organization, _)| *organization).collect();
            reader.organizations_by_ids(&ids).await?
        } else {
            Vec::new()
        };
        let organization = match choose(open, &choices, &organizations) {
            Ok(organization) => organization,
            Err(choice) => return Ok(Step::Organization(choice)),
        };
        let Some(acr) = wanted.reached(&session.authentication, organization, memberships) else {
            let why = "none of the requested ACRs could be obtained";
            return Ok(Step::Back(self.denied(&open.asked, AuthorizeCode::UnmetAuthenticationRequirements, why)));
        };
        if self.has_to_agree(open, &user, &choices, organization).await? {
            return Ok(Step::Consent(Box::new(self.consent_view(open, &user, organization).await?)));
        }
        let organization = organization.map(|organization| organization.id);
        Ok(Step::Back(self.grant(open, &user, session, organization, acr, context.now).await?))
    }

    /// The organisation that the person last chose for this client in this session: where nobody can be asked, the client goes on with it.
    async fn organization_before(&self, known: &Known, session: &Session) -> Result<Option<Uuid>, SignOnError> {
        let given = self.inner.store.read().grants_of_session(session.id).await?;
        let last = given.into_iter().filter(|grant| grant.client == known.client.id).max_by_key(|grant| grant.created_at);
        Ok(last.and_then(|grant| grant.facts.organization).map(Id::uuid))
    }

    /// Is this the person that the client means by its hint?
    async fn is_expected(&self, open: &Open, user: &User, now: Moment) -> Result<bool, SignOnError> {
        let mine = self.subject(&open.known, user);
        if open.asked.request.claims.subject().is_some_and(|wanted| wanted != mine) {
            return Ok(false);
        }
        let Some(hint) = &open.asked.request.id_token_hint else { return Ok(true) };
        // Its shape and signature were checked when the request came in.
        let claims = self.hinted(hint, now).await?;
        Ok(claims.is_some_and(|claims| claims.sub == mine))
    }

    async fn has_to_agree(
        &self,
        open: &Open,
        user: &User,
        choices: &Choices,
        organization: Option<&Organization>,
    ) -> Result<bool, SignOnError> {
        if choices.agreed {
            return Ok(false);
        }
        if open.asked.request.asks(Prompt::Consent) {
            return Ok(true);
        }
        // Any program on the machine can say that it is this client, and take the answer (RFC 8252 section 8.6): somebody is asked.
        if open.known.metadata.token_endpoint_auth_method == AuthMethod::None && !open.asked.redirect_uri.starts_with("https://") {
            return Ok(true);
        }
        if open.known.client.first_party {
            return Ok(false);
        }
        let agreed = self.inner.store.read().consent(user.id, &open.known.client.id).await?;
        let organization = organization.map(|organization| organization.id);
        Ok(open.agreements(organization).iter().any(|wanted| !agreed.contains(wanted)))
    }

    async fn consent_view(&self, open: &Open, user: &User, organization: Option<&Organization>) -> Result<ConsentView, SignOnError> {
        let owner = match open.known.client.organization {
            Some(owner) => self.inner.store.read().organization_by_id(owner).await?,
            None => None,
        };
        let goes_to = RedirectUri::read(&open.asked.redirect_uri).ok().and_then(|uri| uri.origin());
        let scheme = || open.asked.redirect_uri.split(':').next().unwrap_or_default().to_owned();
        Ok(ConsentView {
            client: open.name(),
            goes_to: goes_to.unwrap_or_else(scheme),
            owner,
            scopes: open.asked.request.scopes.clone(),
            claims: asked_one_by_one(&open.known, &open.asked.request.claims),
            organization: organization.cloned(),
            name: user.full_name(),
            email: user.email.clone(),
            policy_uri: open.known.metadata.policy_uri.clone(),
            tos_uri: open.known.metadata.tos_uri.clone(),
        })
    }

    /// Keeps the grant, uses up the request, and answers with a code.
    async fn grant(
        &self,
        open: &Open,
        user: &User,
        session: &Session,
        organization: Option<Id<Organization>>,
        acr: Acr,
        now: Moment,
    ) -> Result<Back, SignOnError> {
        let request = &open.asked.request;
        let claims = serde_json::to_string(&request.claims).map_err(|error| Error::Internal(error.to_string()))?;
        // A code that is shown twice ends the tokens of the first: it is remembered as long as they live.
        let seconds = i64::from(open.known.client.access_token_seconds).max(CODE_SECONDS);
        let grant = Grant {
            id: Id::from_uuid(Uuid::new_v4()),
            client: open.known.client.id.clone(),
            user: user.id,
            session: session.id,
            facts: GrantFacts {
                organization,
                scopes: request.scopes.clone(),
                claims,
                subject: self.subject(&open.known, user),
                authenticated_at: session.authentication.at,
                acr,
                amr: session.authentication.amr().into_iter().map(str::to_owned).collect(),
                resources: request.resources.clone(),
            },
            created_at: now,
            expires_at: now.plus_seconds(seconds.saturating_add(CODE_SECONDS)),
            ended_at: None,
        };
        let facts = CodeFacts {
            redirect_uri: open.asked.redirect_uri.clone(),
            nonce: request.nonce.clone(),
            challenge: request.code_challenge.clone(),
            jkt: request.dpop_jkt.clone(),
        };
        let code = PlainSecret::generate(SecretKind::AuthorizationCode)?;
        let mut tx = self.inner.store.write().await?;
        // Who left a moment ago gives nothing any more.
        if tx.user_lock_in(user.id, session.id).await?.is_none() {
            return Err(Error::SignIn.into());
        }
        // Each is answered once.
        for one in open.pushed.iter().chain(&open.kept) {
            if !tx.interaction_delete(one).await? {
                return Err(Error::NotFound.into());
            }
        }
        tx.grant_insert(&grant).await?;
        tx.code_insert(stored(&code).bytes(), grant.id, &facts, now.plus_seconds(CODE_SECONDS)).await?;
        if !open.known.client.first_party {
            let mut agreed = tx.consent(user.id, &grant.client).await?;
            let before = agreed.len();
            agreed.extend(open.agreements(organization).into_iter().filter(|wanted| !agreed.contains(wanted)).collect::<Vec<_>>());
            if agreed.len() > before {
                tx.consent_put(user.id, &grant.client, &agreed, now).await?;
            }
        }
        let details = json!({ "grant": grant.id, "scopes": grant.facts.scopes, "organization": organization, "acr": acr });
        tx.record(now, &format!("user:{}", user.id), "grant.given", &format!("client:{}", grant.client), details);
        tx.commit().await?;
        Ok(self.answered(&open.asked, vec![("code", code.show().to_owned())]))
    }

    /// The person goes on as who they are.
    ///
    /// # Errors
    /// [`Error::NotFound`] as above; [`Error::SignIn`] when nobody is signed in.
    pub async fn keep_account(&self, word: &str, context: &Context) -> Result<(), SignOnError> {
        self.change_choices(word, context, |choices| choices.account = true).await
    }

    /// The person acts for this organisation, as far as this client is concerned.
    ///
    /// # Errors
    /// [`Error::NotFound`] for one that the person does not belong to, too.
    pub async fn choose_organization(&self, word: &str, organization: Id<Organization>, context: &Context) -> Result<(), SignOnError> {
        if !context.person()?.belongs(organization) {
            return Err(Error::NotFound.into());
        }
        self.change_choices(word, context, |choices| choices.organization = Some(organization.uuid())).await
    }

    /// The person agrees.
    ///
    /// # Errors
    /// As above.
    pub async fn agree(&self, word: &str, context: &Context) -> Result<(), SignOnError> {
        self.change_choices(word, context, |choices| choices.agreed = true).await
    }

    /// The person does not agree, or gives up: the client is told so.
    ///
    /// # Errors
    /// As above.
    pub async fn refuse_client(&self, word: &str, context: &Context) -> Result<Back, SignOnError> {
        let open = self.open_interaction(word, context.now).await?;
        let mut tx = self.inner.store.write().await?;
        if !tx.interaction_delete(&digest(word)).await? {
            return Err(Error::NotFound.into());
        }
        if let Some(pushed) = &open.pushed {
            tx.interaction_delete(pushed).await?;
        }
        let subject = format!("client:{}", open.known.client.id);
        tx.record(context.now, &context.principal.actor(), "grant.refused", &subject, json!({}));
        tx.commit().await?;
        Ok(self.denied(&open.asked, AuthorizeCode::AccessDenied, "the person did not agree"))
    }

    async fn change_choices(&self, word: &str, context: &Context, change: impl FnOnce(&mut Choices)) -> Result<(), SignOnError> {
        let user = context.person()?.user;
        let open = self.open_interaction(word, context.now).await?;
        let mut choices = open.choices(user);
        choices.user = Some(user.uuid());
        change(&mut choices);
        let text = serde_json::to_string(&choices).map_err(|error| Error::Internal(error.to_string()))?;
        let mut tx = self.inner.store.write().await?;
        tx.interaction_choose(&digest(word), &text).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A refusal that goes back to the client.
    pub(super) fn denied(&self, asked: &Asked, code: AuthorizeCode, why: &str) -> Back {
        self.answered(asked, vec![("error", code.as_str().to_owned()), ("error_description", why.to_owned())])
    }

    /// An answer with `state`, and with the issuer (RFC 9207).
    fn answered(&self, asked: &Asked, mut parameters: Vec<(&'static str, String)>) -> Back {
        parameters.extend(asked.state.clone().map(|state| ("state", state)));
        parameters.push(("iss", self.issuer().to_owned()));
        Back { redirect_uri: asked.redirect_uri.clone(), mode: asked.request.response_mode, parameters }
    }
}

impl Open {
    /// A request that just came in: nothing was chosen yet, and nothing is kept.
    pub(super) fn begun(known: Arc<Known>, asked: Asked, pushed: Option<[u8; 32]>, now: Moment) -> Self {
        Self { known, asked, pushed, choices: Choices::default(), begun_at: now, kept: None }
    }

    fn name(&self) -> String {
        let name = self.known.metadata.client_name.trim();
        if name.is_empty() { self.known.client.id.to_string() } else { name.to_owned() }
    }

    /// Is the client told of one organisation?
    fn tells_of_one(&self) -> bool {
        needs_organization(&self.asked.request.scopes, &self.asked.request.claims)
    }

    /// Does it matter which organisations the person belongs to?
    fn needs_organizations(&self, choices: &Choices) -> bool {
        self.tells_of_one() || choices.organization.is_some() || self.asked.request.asks(Prompt::SelectOrganization)
    }

    /// What this person chose; nothing of what another did.
    fn choices(&self, user: Id<User>) -> Choices {
        if self.choices.user == Some(user.uuid()) { self.choices.clone() } else { Choices::default() }
    }

    /// What has to be agreed to: scopes, claims asked for one by one, and the organisation that is told of: who agreed for one
    /// did not for another, which a client could else find out by naming it.
    fn agreements(&self, organization: Option<Id<Organization>>) -> Vec<String> {
        let claims = asked_one_by_one(&self.known, &self.asked.request.claims).into_iter().map(|claim| format!("claim:{claim}"));
        let organization = organization.map(|id| format!("{ORGANIZATION}{id}"));
        self.asked.request.scopes.iter().cloned().chain(claims).chain(organization).collect()
    }
}

/// Was the sign-in late enough for `prompt=login` and `max_age`?
fn is_recent(open: &Open, authentication: &Authentication) -> bool {
    let asked_at = open.begun_at;
    if open.asked.request.asks(Prompt::Login) && authentication.at < asked_at {
        return false;
    }
    let max_age = open.asked.request.max_age.or(open.known.metadata.default_max_age);
    max_age.is_none_or(|seconds| authentication.at.plus_seconds(i64::from(seconds)) >= asked_at)
}

/// Which sign-in the client wants.
struct Wanted {
    values: Vec<Acr>,
    /// Nothing else will do.
    essential: bool,
    /// What was registered for the client: a request travels through the browser, where anybody can ask for less.
    required: Vec<Acr>,
}

fn wanted_acr(open: &Open) -> Wanted {
    let request = &open.asked.request;
    let read = |listed: &[String]| listed.iter().filter_map(|value| Acr::read(value)).collect();
    let required: Vec<Acr> = read(&open.known.metadata.default_acr_values);
    let essential = request.claims.essential_acr();
    if !essential.is_empty() {
        return Wanted { values: essential.into_iter().filter_map(Acr::read).collect(), essential: true, required };
    }
    let values = if request.acr_values.is_empty() { required.clone() } else { read(&request.acr_values) };
    Wanted { values, essential: false, required }
}

impl Wanted {
    fn needs_second_factor(&self) -> bool {
        [&self.values, &self.required].into_iter().any(|listed| !listed.is_empty() && listed.iter().all(|value| value.is_multi_factor()))
    }

    /// What the sign-in amounts to, in the client's words when it has one that fits; none when nothing does that has to.
    fn reached(
        &self,
        authentication: &Authentication,
        organization: Option<&Organization>,
        memberships: &[(Id<Organization>, LinkLevel)],
    ) -> Option<Acr> {
        let link = match organization {
            Some(chosen) => memberships.iter().find(|(organization, _)| *organization == chosen.id).map(|(_, level)| *level),
            None => memberships.iter().map(|(_, level)| *level).max(),
        };
        let held = Acr::of(authentication, link);
        if !self.required.is_empty() && !self.required.iter().any(|required| held.satisfies(*required)) {
            return None;
        }
        if self.values.contains(&held) {
            return Some(held);
        }
        let fits = self.values.iter().copied().find(|wanted| held.satisfies(*wanted));
        if self.essential { fits } else { Some(fits.unwrap_or(held)) }
    }
}

/// The organisation of this grant, or the choice to be made.
fn choose<'a>(open: &Open, choices: &Choices, organizations: &'a [Organization]) -> Result<Option<&'a Organization>, OrganizationChoice> {
    let request = &open.asked.request;
    let chosen = organizations.iter().find(|organization| Some(organization.id.uuid()) == choices.organization);
    if chosen.is_some() {
        return Ok(chosen);
    }
    let asked = request.asks(Prompt::SelectOrganization);
    if !asked && !open.tells_of_one() {
        return Ok(None);
    }
    let hinted = request.siret_hint.as_ref().map(|siret| organizations.iter().find(|organization| organization.siret.as_str() == siret));
    match (hinted, organizations) {
        (Some(Some(hinted)), _) if !asked => Ok(Some(hinted)),
        (None, [only]) if !asked => Ok(Some(only)),
        _ => Err(OrganizationChoice {
            client: open.name(),
            organizations: organizations.to_vec(),
            missing: hinted.is_some_and(|hinted| hinted.is_none()).then(|| request.siret_hint.clone()).flatten(),
        }),
    }
}

/// A refusal that cannot go back to the client, as a page.
impl From<octroi_oauth::authorization_request::AuthorizeError> for Refusal {
    fn from(error: octroi_oauth::authorization_request::AuthorizeError) -> Self {
        Self::new(400, error.code.as_str(), error.description)
    }
}
