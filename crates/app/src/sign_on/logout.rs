//! The end of a session: asked for by a client (RP-Initiated Logout 1.0), and told to clients (Back-Channel Logout 1.0).

use octroi_domain::{
    Id, Moment,
    authentication::Session,
    sign_on::{Client, ClientId, LogoutNotice},
};
use octroi_oauth::{
    id_token::{self, LOGOUT_EVENT, LOGOUT_TOKEN, LogoutTokenClaims},
    parameters::Parameters,
    redirect_uri::RedirectUri,
    secret,
};
use octroi_store::Tx;
use serde_json::json;

use super::{Known, Refusal, SignOnError};
use crate::{
    context::{App, Context},
    error::Error,
};

/// Seconds that a logout token is good for (section 2.4: short).
const LOGOUT_TOKEN_SECONDS: i64 = 120;
/// What is sent at once.
const AT_ONCE: u32 = 20;

/// A logout that a client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutAsked {
    /// The client's name; none: nobody knows who asks.
    pub client: Option<String>,
    /// Is it beyond doubt that the client speaks of the person who is signed in?
    pub proven: bool,
    /// Where to go afterwards: registered, with `state`.
    pub then: Option<String>,
}

impl App {
    /// How a client knows a session: each by another name, so that two cannot find out that they have the same person.
    pub(super) fn sid(&self, client: &ClientId, session: Id<Session>) -> String {
        id_token::pairwise(self.pairwise_salt().as_bytes(), client.as_str(), &session.to_string())
    }

    /// Reads what a client asks of the end-session endpoint.
    ///
    /// # Errors
    /// A refusal to be shown, never a redirect: the hint is not ours, or the address is not registered.
    pub async fn read_logout(&self, parameters: &Parameters, context: &Context) -> Result<LogoutAsked, SignOnError> {
        let hint = match parameters.get("id_token_hint") {
            None => None,
            Some(hint) => {
                let claims = self.hinted(hint, context.now).await?;
                Some(claims.ok_or_else(|| Refusal::request("id_token_hint is not an ID token that we made"))?)
            }
        };
        let named = parameters.get("client_id");
        if let (Some(hint), Some(named)) = (&hint, named)
            && hint.aud != named
        {
            return Err(Refusal::request("id_token_hint was made for another client than client_id says").into());
        }
        let id = hint.as_ref().map(|hint| hint.aud.as_str()).or(named);
        let known = match id.map(str::parse::<ClientId>) {
            None => None,
            Some(Err(_)) => return Err(Refusal::request("no client is registered under this client_id").into()),
            Some(Ok(id)) => {
                let client = self.inner.store.read().client_by_id(&id).await?.filter(Client::is_active);
                Some(Known::of(client.ok_or_else(|| Refusal::request("no client is registered under this client_id"))?)?)
            }
        };
        let then = match (parameters.get("post_logout_redirect_uri"), &known) {
            // Whose address it is nobody knows: the session may end, and nobody is sent anywhere (section 3).
            (None, _) | (Some(_), None) => None,
            (Some(address), Some(known)) => {
                if !known.metadata.is_left_to(address) {
                    return Err(Refusal::request("post_logout_redirect_uri is not one that the client registered").into());
                }
                let state = parameters.get("state").map(|state| ("state", state));
                Some(match state {
                    Some(state) => RedirectUri::with_query(address, &[state]),
                    None => address.to_owned(),
                })
            }
        };
        let proven = match (&hint, &known, &context.session) {
            (Some(hint), Some(known), Some(session)) => match self.inner.store.read().user_by_id(session.user).await? {
                Some(user) => hint.sub == self.subject(known, &user),
                None => false,
            },
            _ => false,
        };
        let client =
            known.map(|known| if known.metadata.client_name.is_empty() { known.client.id.to_string() } else { known.metadata.client_name });
        Ok(LogoutAsked { client, proven, then })
    }

    /// Ends what was given in a session that ends, but for what outlives it (`offline_access`), and has each client told.
    pub(crate) async fn leave_clients(&self, tx: &mut Tx, session: Id<Session>, now: Moment) -> Result<(), Error> {
        let mut told: Vec<ClientId> = Vec::new();
        for grant in tx.grants_of_session(session).await? {
            if !grant.facts.is_offline() {
                tx.grant_end(grant.id, now).await?;
            }
            if told.contains(&grant.client) {
                continue;
            }
            let Some(client) = tx.client_by_id(&grant.client).await? else { continue };
            if Known::of(client)?.metadata.backchannel_logout_uri.is_some() {
                let notice = LogoutNotice { client: grant.client.clone(), subject: grant.facts.subject, session };
                tx.enqueue_logout(now, &notice).await?;
            }
            told.push(grant.client);
        }
        Ok(())
    }

    /// Ends everything that a person gave to clients, and has each told: the account ends, or its sessions do.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn leave_all_clients(&self, tx: &mut Tx, user: Id<octroi_domain::user::User>, now: Moment) -> Result<(), Error> {
        let mut sessions: Vec<Id<Session>> = Vec::new();
        for grant in tx.grants_of_user(user).await? {
            if !sessions.contains(&grant.session) {
                sessions.push(grant.session);
            }
        }
        for session in sessions {
            self.leave_clients(tx, session, now).await?;
        }
        for grant in tx.grants_of_user(user).await? {
            tx.grant_end(grant.id, now).await?;
        }
        Ok(())
    }

    /// Tells clients of sessions that ended; how many were told, or tried to be.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn deliver_logouts(&self, now: Moment) -> Result<usize, Error> {
        let Some(port) = self.outgoing() else { return Ok(0) };
        let due = self.inner.store.outbox_claim_logouts(now, AT_ONCE).await?;
        for (id, notice) in &due {
            let outcome = match self.logout_token(notice, now).await? {
                None => Ok(()),
                Some((address, token)) => match port.post_form(&address, format!("logout_token={token}")).await {
                    Ok(200..=299) => Ok(()),
                    // The client says that it cannot use it (section 2.8): once more would not help.
                    Ok(status @ 400..=499) => Err((true, format!("answered {status}"))),
                    Ok(status) => Err((false, format!("answered {status}"))),
                    Err(error) => Err((false, error)),
                },
            };
            let mut tx = self.inner.store.write().await?;
            match &outcome {
                Ok(()) => match tx.outbox_done(*id, now).await {
                    Err(error) if !error.is_stale() => return Err(error.into()),
                    _ => {}
                },
                Err((true, why)) => tx.outbox_refused(*id, now, why).await?,
                Err((false, why)) => tx.outbox_failed(*id, now, why).await?,
            }
            tx.commit().await?;
            if let Err((_, why)) = outcome {
                tracing::warn!(client = %notice.client, why, "a client was not told of a logout");
            }
        }
        Ok(due.len())
    }

    /// Where a client wants to be told, and the token that says so; none when it no longer wants to.
    async fn logout_token(&self, notice: &LogoutNotice, now: Moment) -> Result<Option<(String, String)>, Error> {
        let Some(client) = self.inner.store.read().client_by_id(&notice.client).await?.filter(Client::is_active) else { return Ok(None) };
        let known = Known::of(client)?;
        let Some(address) = known.metadata.backchannel_logout_uri else { return Ok(None) };
        let claims = LogoutTokenClaims {
            iss: self.issuer().to_owned(),
            sub: notice.subject.clone(),
            aud: notice.client.to_string(),
            iat: now.seconds(),
            exp: now.seconds().saturating_add(LOGOUT_TOKEN_SECONDS),
            jti: secret::random_word()?,
            sid: self.sid(&notice.client, notice.session),
            events: json!({ LOGOUT_EVENT: {} }),
        };
        let key = self.signer(known.metadata.id_token_signed_response_alg, now).await?;
        let token = key.sign(LOGOUT_TOKEN, &claims).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Some((address, token)))
    }
}
