//! Somebody came back from a provider to sign in to Octroi itself: whose account is it?

use octroi_domain::{
    Id, Moment, Slug,
    account::GUESSES,
    authentication::{Authentication, Method, Session},
    connection::{self, Arrival, Asserted, Conflict, Connection, Flow, Holder, Identity, LinkRequest, PENDING_SECONDS, UpstreamSession},
    policy::Principal,
    user::{LinkLevel, LinkProof, Membership, User},
};
use octroi_oauth::secret;
use octroi_store::{PendingLink, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::{
    context::{App, Context},
    error::Error,
    mails::accounts as mails,
    password::MAX_BYTES,
    sessions::{Step, Visitor, guess_keys, guessed},
};

/// Organisations that one answer links somebody to.
const MOST_ORGANIZATIONS: usize = 10;

/// What becomes of somebody who came back.
pub enum Arrived {
    /// In, or to the second factor.
    Signed(Step),
    /// One more way into the account that is open.
    Linked,
    /// The password of the account that has the address is asked for.
    AskPassword,
    /// The operator is asked.
    Waiting,
    Refused(Conflict),
}

/// What waits in a browser for a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingView {
    pub connection: Connection,
    pub email: String,
}

/// What a provider's word opened, on its way from the answer to the session: a second factor may lie between.
#[derive(Serialize, Deserialize)]
struct Opening {
    issuer: String,
    subject: String,
    sid: Option<String>,
    id_token: String,
}

fn link_digest(browser: &str) -> [u8; 32] {
    secret::digest(&format!("link {browser}"))
}

fn opening_digest(browser: &str) -> [u8; 32] {
    secret::digest(&format!("opening {browser}"))
}

fn pending_context(user: Id<User>) -> String {
    format!("connection pending: {user}")
}

impl App {
    /// Signs somebody in by a provider's word, or links it to the account that is open.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn arrive(
        &self,
        context: &Context,
        visitor: Visitor<'_>,
        (connection, flow, asserted): (&Connection, &Flow, &Asserted),
    ) -> Result<Arrived, Error> {
        let reader = self.inner.store.read();
        let known = reader.identity(&asserted.issuer, &asserted.subject).await?;
        if let Some(wanted) = flow.user {
            return self.add_way_in(context, wanted, known, (connection, asserted)).await;
        }
        if let Some(identity) = known {
            let user = reader.user_by_id(identity.user).await?.ok_or_else(|| Error::Internal("an identity of nobody".to_owned()))?;
            let step = self.enter_upstream(&user, Some(identity.id), None, (connection, asserted), visitor, context.now).await?;
            return Ok(Arrived::Signed(step));
        }
        let user = match &asserted.email {
            Some(email) => reader.user_by_email(email).await?,
            None => None,
        };
        let holder = match &user {
            Some(user) => Some(Holder {
                verified: user.email_verified_at.is_some(),
                has_password: reader.user_password(user.id).await?.is_some(),
                other_subject: reader.identities_of_user(user.id).await?.iter().any(|held| held.issuer == asserted.issuer),
            }),
            None => None,
        };
        let outcome = connection::arrival(connection.link_policy, asserted.email.is_some(), asserted.email_verified, holder);
        match (outcome, user) {
            (Arrival::NewAccount { verified }, _) => self.new_account(context, visitor, verified, (connection, asserted)).await,
            (Arrival::Link, Some(user)) => {
                self.link_now(&user, "verified_email", (connection, asserted), context.now).await?;
                let step = self.enter_upstream(&user, None, None, (connection, asserted), visitor, context.now).await?;
                Ok(Arrived::Signed(step))
            }
            (Arrival::AskPassword, Some(user)) => self.wait_for_password(&user, visitor, (connection, asserted), context.now).await,
            (Arrival::AskOperator, Some(user)) => self.ask_operator(&user, (connection, asserted), context.now).await,
            (Arrival::Refused(why), _) => Ok(Arrived::Refused(why)),
            (Arrival::Link | Arrival::AskPassword | Arrival::AskOperator, None) => Ok(Arrived::Refused(Conflict::NoAddress)),
        }
    }

    /// Who is signed in links the provider's word to their account, in the session that they asked from.
    async fn add_way_in(
        &self,
        context: &Context,
        wanted: Id<User>,
        known: Option<Identity>,
        said: (&Connection, &Asserted),
    ) -> Result<Arrived, Error> {
        match &context.principal {
            Principal::Person(person) if person.user == wanted => {}
            _ => return Ok(Arrived::Refused(Conflict::OtherPerson)),
        }
        match known {
            Some(identity) if identity.user == wanted => return Ok(Arrived::Linked),
            Some(_) => return Ok(Arrived::Refused(Conflict::LinkedElsewhere)),
            None => {}
        }
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        self.link_identity(&mut tx, &user, "owner", said, context.now).await?;
        tx.commit().await?;
        self.link_organizations(user.id, said, context.now).await;
        Ok(Arrived::Linked)
    }

    async fn link_now(&self, user: &User, by: &str, said: (&Connection, &Asserted), now: Moment) -> Result<(), Error> {
        let mut tx = self.inner.store.write().await?;
        // The address was judged before: it has to be this account's still.
        let user = tx.user_lock(user.id).await?.filter(|now| now.email == user.email).ok_or(Error::SignIn)?;
        self.link_identity(&mut tx, &user, by, said, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// One more way in, in the transaction of what proved it: the person is told.
    pub(super) async fn link_identity(
        &self,
        tx: &mut Tx,
        user: &User,
        by: &str,
        (connection, asserted): (&Connection, &Asserted),
        now: Moment,
    ) -> Result<(), Error> {
        self.link_subject(tx, user, by, connection, (&asserted.issuer, &asserted.subject), now).await
    }

    pub(super) async fn link_subject(
        &self,
        tx: &mut Tx,
        user: &User,
        by: &str,
        connection: &Connection,
        (issuer, subject): (&str, &str),
        now: Moment,
    ) -> Result<(), Error> {
        let identity = Identity {
            id: Id::from_uuid(Uuid::now_v7()),
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            user: user.id,
            connection: connection.slug.clone(),
            created_at: now,
            last_used_at: now,
        };
        tx.identity_insert(&identity).await.map_err(|error| {
            if error.is_duplicate() {
                let (fr, en) = ("Cette identité ouvre déjà un compte.", "This identity opens an account already.");
                Error::conflict("already_linked", fr, en)
            } else {
                error.into()
            }
        })?;
        let name = connection.name.in_language(user.language);
        let about = format!("user:{}", user.id);
        let details = json!({ "identity": identity.id, "connection": connection.slug, "by": by });
        tx.record(now, &about, "user.identity_linked", &about, details);
        tx.enqueue_mail(now, &mails::changed(user, mails::Change::IdentityLinked, Some(name), &self.settings().public_url)).await?;
        Ok(())
    }

    async fn new_account(
        &self,
        context: &Context,
        visitor: Visitor<'_>,
        verified: bool,
        (connection, asserted): (&Connection, &Asserted),
    ) -> Result<Arrived, Error> {
        let Some(email) = asserted.email.clone() else { return Ok(Arrived::Refused(Conflict::NoAddress)) };
        // Some providers give no names: what stands before the @ is better than nothing, and can be changed.
        let local = email.split('@').next().unwrap_or_default();
        let named = |text: &str, otherwise: &str| octroi_domain::account::name(text).unwrap_or_else(|| otherwise.to_owned());
        let user = User {
            id: Id::from_uuid(Uuid::new_v4()),
            given_name: named(&asserted.given_name, local),
            family_name: named(&asserted.family_name, "—"),
            language: context.language,
            created_at: context.now,
            email_verified_at: verified.then_some(context.now),
            email,
        };
        let mut tx = self.inner.store.write().await?;
        match tx.user_insert(&user, None).await {
            Err(error) if error.is_duplicate() => return Ok(Arrived::Refused(Conflict::AddressTaken)),
            outcome => outcome?,
        }
        let about = format!("user:{}", user.id);
        tx.record(context.now, &about, "user.signed_up", &about, json!({ "connection": connection.slug, "email_verified": verified }));
        self.link_identity(&mut tx, &user, "new_account", (connection, asserted), context.now).await?;
        tx.commit().await?;
        let step = self.enter_upstream(&user, None, None, (connection, asserted), visitor, context.now).await?;
        Ok(Arrived::Signed(step))
    }

    async fn wait_for_password(
        &self,
        user: &User,
        visitor: Visitor<'_>,
        (connection, asserted): (&Connection, &Asserted),
        now: Moment,
    ) -> Result<Arrived, Error> {
        let (browser, _) = visitor.known()?;
        let pending = self.sealed(user, &connection.slug, asserted, now)?;
        let mut tx = self.inner.store.write().await?;
        tx.pending_link_put(&link_digest(browser), &pending).await?;
        tx.commit().await?;
        Ok(Arrived::AskPassword)
    }

    fn sealed(&self, user: &User, connection: &Slug, value: &impl Serialize, now: Moment) -> Result<PendingLink, Error> {
        let internal = |error: &dyn std::error::Error| Error::Internal(error.to_string());
        let plain = serde_json::to_vec(value).map_err(|error| internal(&error))?;
        let sealed = self.inner.master_key.seal(&pending_context(user.id), &plain).map_err(|error| internal(&error))?;
        Ok(PendingLink { connection: connection.clone(), user: user.id, sealed, expires_at: now.plus_seconds(PENDING_SECONDS) })
    }

    fn unsealed<T: serde::de::DeserializeOwned>(&self, pending: &PendingLink) -> Result<T, Error> {
        let internal = |error: &dyn std::error::Error| Error::Internal(error.to_string());
        let plain = self.inner.master_key.open(&pending_context(pending.user), &pending.sealed).map_err(|error| internal(&error))?;
        serde_json::from_slice(&plain).map_err(|error| internal(&error))
    }

    /// What waits in this browser for the account's password.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn waiting_link(&self, visitor: Visitor<'_>, now: Moment) -> Result<Option<PendingView>, Error> {
        let Some(browser) = visitor.browser else { return Ok(None) };
        let reader = self.inner.store.read();
        let Some(pending) = reader.pending_link(&link_digest(browser), now).await? else { return Ok(None) };
        let (stored, user) = (reader.connection(&pending.connection).await?, reader.user_by_id(pending.user).await?);
        Ok(stored.zip(user).map(|(stored, user)| PendingView { connection: stored.connection, email: user.email }))
    }

    /// The password of the account confirms the link; guesses count like those of a sign-in.
    ///
    /// # Errors
    /// `WrongPassword`, `TooManyAttempts`; `NotFound` when nothing waits any more.
    pub async fn confirm_link(&self, password: &str, visitor: Visitor<'_>, now: Moment) -> Result<Step, Error> {
        let (browser, _) = visitor.known()?;
        let reader = self.inner.store.read();
        let pending = reader.pending_link(&link_digest(browser), now).await?.ok_or(Error::NotFound)?;
        let user = reader.user_by_id(pending.user).await?.ok_or(Error::NotFound)?;
        let connection = reader.connection(&pending.connection).await?.filter(|stored| stored.connection.active);
        let connection = connection.ok_or(Error::NotFound)?.connection;
        if password.len() > MAX_BYTES {
            return Err(Error::WrongPassword);
        }
        // Its own count as well: who holds a provider's answer gets no more tries than its owner.
        let mut keys = guess_keys(&reader, "password", &user.email, Some(user.id), visitor).await?;
        keys.push((format!("link:{}", user.id), GUESSES));
        self.guess(&keys, now).await?;
        if !self.password_verdict(password.to_owned(), reader.user_password(user.id).await?).await?.good {
            return Err(Error::WrongPassword);
        }
        let asserted: Asserted = self.unsealed(&pending)?;
        let mut tx = self.inner.store.write().await?;
        if !tx.pending_link_delete(&link_digest(browser)).await? {
            return Err(Error::NotFound);
        }
        guessed(&mut tx, &keys).await?;
        let user = tx.user_lock(user.id).await?.ok_or(Error::NotFound)?;
        self.link_identity(&mut tx, &user, "password", (&connection, &asserted), now).await?;
        tx.commit().await?;
        self.enter_upstream(&user, None, Some(Method::Password), (&connection, &asserted), visitor, now).await
    }

    async fn ask_operator(&self, user: &User, (connection, asserted): (&Connection, &Asserted), now: Moment) -> Result<Arrived, Error> {
        let mut tx = self.inner.store.write().await?;
        match tx.link_request_of(&asserted.issuer, &asserted.subject).await? {
            Some(before) if before.decided_at.is_none() => return Ok(Arrived::Waiting),
            Some(before) if !before.accepted => return Ok(Arrived::Refused(Conflict::Declined)),
            // Accepted once, and unlinked since: asked anew.
            Some(before) => tx.link_request_delete(before.id).await?,
            None => {}
        }
        let request = LinkRequest {
            id: Id::from_uuid(Uuid::now_v7()),
            connection: connection.slug.clone(),
            issuer: asserted.issuer.clone(),
            subject: asserted.subject.clone(),
            user: user.id,
            created_at: now,
            decided_at: None,
            accepted: false,
        };
        tx.link_request_insert(&request).await?;
        let actor = format!("identity_provider:{}", connection.slug);
        tx.record(
            now,
            &actor,
            "link.requested",
            &format!("user:{}", user.id),
            json!({ "request": request.id, "connection": connection.slug }),
        );
        tx.commit().await?;
        Ok(Arrived::Waiting)
    }

    /// The organisations that a trusted provider names. That one is closed or unknown keeps nobody out.
    async fn link_organizations(&self, user: Id<User>, (connection, asserted): (&Connection, &Asserted), now: Moment) {
        if !connection.trusts_organizations {
            return;
        }
        for organization in asserted.organizations.iter().take(MOST_ORGANIZATIONS) {
            if let Err(error) = self.link_asserted(user, organization.siret.clone(), connection.slug.as_str(), now).await {
                tracing::info!(connection = %connection.slug, %user, %error, "an organisation that a provider names was not linked");
            }
        }
        if let Err(error) = self.refresh_organizations(user, (connection, asserted), now).await {
            tracing::warn!(connection = %connection.slug, %user, %error, "the organisations of a person were not refreshed");
        }
    }

    /// What the provider vouched for and no longer names is unproven: people change employers. Only where it is the one provider that
    /// vouches for them, and names any.
    async fn refresh_organizations(
        &self,
        user: Id<User>,
        (connection, asserted): (&Connection, &Asserted),
        now: Moment,
    ) -> Result<(), Error> {
        let mut tx = self.inner.store.write().await?;
        let others = tx.identities_of_user(user).await?.iter().any(|identity| identity.issuer != asserted.issuer);
        if others || asserted.organizations.is_empty() {
            return Ok(());
        }
        for held in tx.memberships_of_user(user).await?.into_iter().filter(|held| held.proof == LinkProof::IdentityProvider) {
            let organization = tx.organization_by_id(held.organization).await?;
            let siret = organization.as_ref().and_then(|organization| organization.siret.siret());
            if siret.is_none_or(|siret| asserted.organizations.iter().any(|named| &named.siret == siret)) {
                continue;
            }
            let (level, proof) = (LinkLevel::Unverified, LinkProof::Nothing);
            tx.membership_put(&Membership { level, proof, proved_at: now, proved_by: None, ..held.clone() }).await?;
            let details = json!({ "organization": held.organization, "level": level, "proof": proof });
            let actor = format!("identity_provider:{}", connection.slug);
            tx.record(now, &actor, "membership.proved", &format!("user:{user}"), details);
        }
        tx.commit().await?;
        Ok(())
    }

    /// Opens a session by a provider's word, or waits for the second factor that the account asks for.
    async fn enter_upstream(
        &self,
        user: &User,
        identity: Option<Id<Identity>>,
        also: Option<Method>,
        (connection, asserted): (&Connection, &Asserted),
        visitor: Visitor<'_>,
        now: Moment,
    ) -> Result<Step, Error> {
        self.link_organizations(user.id, (connection, asserted), now).await;
        let opening = Opening {
            issuer: asserted.issuer.clone(),
            subject: asserted.subject.clone(),
            sid: asserted.sid.clone(),
            id_token: asserted.id_token.clone(),
        };
        let mut tx = self.inner.store.write().await?;
        if let Some(browser) = visitor.browser {
            tx.pending_link_put(&opening_digest(browser), &self.sealed(user, &connection.slug, &opening, now)?).await?;
        }
        if let Some(identity) = identity {
            tx.identity_used(identity, now).await?;
        }
        tx.commit().await?;
        let both = connection.trusts_mfa && asserted.says_multi_factor();
        // The provider may have known the person for hours: it is its moment that counts.
        let at = asserted.auth_time.map_or(now, |at| at.min(now));
        let authentication = Authentication::new(if both { Method::UpstreamMfa } else { Method::Upstream }, at);
        let authentication = match also {
            Some(method) => authentication.and(method, now),
            None => authentication,
        };
        self.enter(user, authentication, visitor, now, &[], None).await
    }

    /// A session opens: was it by a provider's word? Then its end there is its end here.
    pub(crate) async fn note_upstream(&self, tx: &mut Tx, session: &Session, visitor: Visitor<'_>, now: Moment) -> Result<(), Error> {
        let upstream = |method: &Method| matches!(method, Method::Upstream | Method::UpstreamMfa);
        let Some(browser) = visitor.browser.filter(|_| session.authentication.methods.iter().any(upstream)) else { return Ok(()) };
        let digest = opening_digest(browser);
        let Some(pending) = tx.pending_link(&digest, now).await?.filter(|pending| pending.user == session.user) else { return Ok(()) };
        tx.pending_link_delete(&digest).await?;
        let opening: Opening = self.unsealed(&pending)?;
        let sealed = self.inner.master_key.seal(&format!("id_token: {}", session.id), opening.id_token.as_bytes());
        let upstream = UpstreamSession {
            session: session.id,
            connection: pending.connection,
            issuer: opening.issuer,
            subject: opening.subject,
            sid: opening.sid,
            sealed: sealed.map_err(|error| Error::Internal(error.to_string()))?,
            created_at: now,
        };
        Ok(tx.upstream_session_put(&upstream).await?)
    }

    /// Somebody proved the address of an account from without, whose address nobody had proven: whatever opened it before may be
    /// another's, who was there first and waited.
    pub(crate) async fn forget_unproven(&self, tx: &mut Tx, user: &User, now: Moment) -> Result<(), Error> {
        let before = tx.identities_of_user(user.id).await?;
        if user.email_verified_at.is_some() || before.is_empty() {
            return Ok(());
        }
        self.leave_all_clients(tx, user.id, now).await?;
        // Nor does the owner agree to the clients that somebody else agreed to.
        tx.consent_delete_of_user(user.id).await?;
        for identity in before {
            tx.identity_delete(user.id, identity.id).await?;
        }
        tx.factors_delete_of_user(user.id).await?;
        tx.user_forget_password(user.id).await?;
        tx.session_delete_of_user(user.id).await?;
        let about = format!("user:{}", user.id);
        tx.record(now, &about, "user.identity_unlinked", &about, json!({ "by": "address_proven" }));
        Ok(())
    }
}
