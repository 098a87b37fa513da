//! To a provider, and back from it: once, in the same browser, within ten minutes.

use octroi_domain::{
    Id, Moment, Slug,
    connection::{Asserted, AssertedOrganization, Connection, FLOW_SECONDS, Flow},
    user::User,
};
use octroi_oauth::{
    parameters::Parameters,
    relying_party::{self, Expected, Facts, IdClaims, Question, TokenAnswer},
    secret,
};
use octroi_store::StoredConnection;
use serde_json::{Map, Value};

use super::{ConnectionError, provider::word};
use crate::context::App;

/// Who goes, and what to remember of it.
#[derive(Debug, Clone, Default)]
pub struct Begin {
    /// A path of ours.
    pub return_to: Option<String>,
    pub login_hint: Option<String>,
    /// Who links a way in to their account; none: who signs in.
    pub user: Option<Id<User>>,
    /// What a product's hand-off keeps until they are back, as JSON.
    pub extra: String,
}

/// Somebody who is sent to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Where the browser goes.
    pub address: String,
    /// Names the cookie: not secret.
    pub state: String,
    /// What the cookie holds.
    pub word: String,
}

impl App {
    /// An active connection, for who wants to go through it.
    ///
    /// # Errors
    /// `NotFound`
    pub async fn active_connection(&self, slug: &Slug) -> Result<Connection, ConnectionError> {
        Ok(self.stored_connection(slug).await?.connection)
    }

    pub(super) async fn stored_connection(&self, slug: &Slug) -> Result<StoredConnection, ConnectionError> {
        let found = self.inner.store.read().connection(slug).await?;
        found.filter(|stored| stored.connection.active).ok_or(ConnectionError::NotFound)
    }

    /// The connections by which people sign in to Octroi itself.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn portal_connections(&self) -> Result<Vec<Connection>, crate::Error> {
        let all = self.inner.store.read().connection_list().await?;
        Ok(all.into_iter().map(|stored| stored.connection).filter(|connection| connection.active && connection.is_portal()).collect())
    }

    /// Where a provider sends people back to.
    #[must_use]
    pub fn connection_callback(&self, slug: &Slug) -> String {
        format!("{}/auth/{slug}/callback", self.issuer())
    }

    /// Sends somebody to the provider.
    ///
    /// # Errors
    /// [`ConnectionError`]
    pub async fn begin_login(&self, slug: &Slug, begin: Begin, now: Moment) -> Result<Begun, ConnectionError> {
        let connection = self.active_connection(slug).await?;
        let provider = self.provider(&connection.issuer).await?;
        let (state, nonce, verifier, word) =
            (secret::random_word()?, secret::random_word()?, secret::random_word()?, secret::random_word()?);
        let address = relying_party::authorization_address(
            &provider,
            Question {
                client_id: &connection.client_id,
                redirect_uri: &self.connection_callback(slug),
                scopes: &connection.scopes,
                state: &state,
                nonce: &nonce,
                verifier: &verifier,
                acr_values: &connection.acr_values,
                wants_amr: connection.trusts_mfa,
                login_hint: begin.login_hint.as_deref(),
            },
        );
        let flow = Flow {
            connection: slug.clone(),
            state: state.clone(),
            nonce,
            verifier,
            return_to: begin.return_to,
            user: begin.user,
            extra: begin.extra,
            created_at: now,
            expires_at: now.plus_seconds(FLOW_SECONDS),
        };
        let mut tx = self.inner.store.write().await?;
        tx.flow_insert(&secret::digest(&word), &flow).await?;
        tx.commit().await?;
        Ok(Begun { address, state, word })
    }

    /// Somebody comes back: what the provider says of them, checked. The flow is used up whatever comes of it.
    ///
    /// # Errors
    /// [`ConnectionError`]
    pub async fn finish_login(
        &self,
        slug: &Slug,
        parameters: &Parameters,
        cookie: Option<&str>,
        now: Moment,
    ) -> Result<(Connection, Flow, Asserted), ConnectionError> {
        let (state, cookie) = (parameters.get("state").ok_or(ConnectionError::Over)?, cookie.ok_or(ConnectionError::Over)?);
        let mut tx = self.inner.store.write().await?;
        let flow = tx.flow_take(&secret::digest(cookie), now).await?;
        tx.commit().await?;
        let same = |one: &str, other: &str| secret::same_digest(&secret::digest(one), &secret::digest(other));
        let flow = flow.filter(|flow| &flow.connection == slug && same(&flow.state, state)).ok_or(ConnectionError::Over)?;
        let stored = self.stored_connection(slug).await?;
        let provider = self.provider(&stored.connection.issuer).await?;
        // RFC 9207 section 2.4: before anything of the answer is used, errors too.
        match parameters.get("iss") {
            Some(iss) if iss != provider.issuer => return Err(ConnectionError::MixUp),
            None if provider.authorization_response_iss_parameter_supported => return Err(ConnectionError::MixUp),
            _ => {}
        }
        if let Some(error) = parameters.get("error") {
            return Err(ConnectionError::Denied(word(error)));
        }
        let code = parameters.get("code").filter(|code| !code.is_empty()).ok_or(ConnectionError::Over)?;
        let callback = self.connection_callback(slug);
        let answer = self.exchange_code(&stored, &provider, (code, &callback, &flow.verifier), now).await?;
        let expected = Expected { issuer: &provider.issuer, client_id: &stored.connection.client_id, now: now.seconds() };
        let wanted = (flow.nonce.as_str(), stored.connection.acr_values.as_slice(), answer.access_token.as_str());
        let said = self.with_keys(&provider, |keys| relying_party::id_token(&answer.id_token, keys, expected, wanted)).await?;
        let userinfo = self.asserted_facts(&stored, &provider, (&answer.access_token, &said.subject), now).await?;
        let asserted = asserted(&stored.connection, said, &userinfo, answer);
        Ok((stored.connection, flow, asserted))
    }
}

/// In our words. What is not well-formed was not said: an address that is none, a SIRET that is none.
fn asserted(connection: &Connection, said: IdClaims, userinfo: &Map<String, Value>, answer: TokenAnswer) -> Asserted {
    let facts = Facts::of(userinfo, &said.all);
    let organizations = facts.organizations.into_iter().filter_map(|one| {
        let siret = one.siret.parse().ok()?;
        Some(AssertedOrganization { id: one.id, siret, label: one.label, is_external: one.is_external })
    });
    let email = facts.email.as_deref().and_then(octroi_domain::account::address);
    Asserted {
        issuer: connection.issuer.clone(),
        subject: said.subject,
        email_verified: email.is_some() && facts.email_verified.unwrap_or(connection.trusts_email),
        email,
        given_name: facts.given_name,
        family_name: facts.family_name,
        organizations: organizations.collect(),
        amr: said.amr,
        acr: said.acr,
        auth_time: said.auth_time.map(|seconds| Moment::from_micros(seconds.saturating_mul(1_000_000))),
        id_token: answer.id_token,
        sid: said.sid,
    }
}

impl ConnectionError {
    /// For the log: what a person is not told.
    pub fn log(&self, slug: &Slug) {
        match self {
            Self::NotBelieved(doubt) => tracing::warn!(connection = %slug, %doubt, "the answer of a provider is not believed"),
            Self::MixUp | Self::Unreachable(_) => tracing::warn!(connection = %slug, error = %self, "a sign-in through a provider failed"),
            _ => tracing::info!(connection = %slug, error = %self, "a sign-in through a provider ended"),
        }
    }

    /// Has the provider to mend it, and not the person?
    #[must_use]
    pub const fn is_of_provider(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::NotBelieved(_))
    }
}
