//! The end of a session at both ends: ours takes the provider's with it (RP-Initiated Logout 1.0), the provider's takes ours
//! (Back-Channel Logout 1.0).

use octroi_domain::{Moment, Slug};
use octroi_oauth::{
    relying_party::{self, Expected},
    secret,
};
use serde_json::json;

use super::ConnectionError;
use crate::{
    context::{App, Context},
    hand_off::LoggedOut,
};

/// A logout that a provider told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutTold {
    pub issuer: String,
    pub subject: Option<String>,
    pub sid: Option<String>,
    /// Sessions of ours that ended.
    pub ended: usize,
}

impl App {
    /// Where to send somebody who signs out, so that the provider's session ends too; none when it opened no session of ours, or wants
    /// nobody. To be asked before the session is gone.
    pub async fn upstream_logout(&self, context: &Context) -> Option<String> {
        let session = context.session.as_ref()?.id;
        let upstream = self.inner.store.read().upstream_session(session).await.ok()??;
        let connection = self.active_connection(&upstream.connection).await.ok()?;
        let provider = self.provider(&connection.issuer).await.ok()?;
        let endpoint = provider.end_session_endpoint.as_deref()?;
        let plain = self.inner.master_key.open(&format!("id_token: {session}"), &upstream.sealed).ok()?;
        let (id_token, state) = (String::from_utf8(plain).ok()?, secret::random_word().ok()?);
        let back = format!("{}/auth/{}/logged-out", self.issuer(), connection.slug);
        Some(relying_party::logout_address(endpoint, &id_token, &state, &back))
    }

    /// The same for somebody who logs out of a product.
    pub async fn logout_at_provider(&self, over: &LoggedOut) -> Option<String> {
        let provider = self.provider(&over.connection.issuer).await.ok()?;
        let endpoint = provider.end_session_endpoint.as_deref()?;
        let state = secret::random_word().ok()?;
        let back = format!("{}/auth/{}/logged-out", self.issuer(), over.connection.slug);
        (!over.id_token.is_empty()).then(|| relying_party::logout_address(endpoint, &over.id_token, &state, &back))
    }

    /// A provider tells that a session ended. Each token counts once.
    ///
    /// # Errors
    /// [`ConnectionError`]: for anything but a logout token of this provider, for us, in date, unseen.
    pub async fn backchannel_logout(&self, slug: &Slug, token: &str, now: Moment) -> Result<LogoutTold, ConnectionError> {
        let connection = self.active_connection(slug).await?;
        let provider = self.provider(&connection.issuer).await?;
        let expected = Expected { issuer: &provider.issuer, client_id: &connection.client_id, now: now.seconds() };
        let told = self.with_keys(&provider, |keys| relying_party::logout_token(token, keys, expected)).await?;
        let mut tx = self.inner.store.write().await?;
        let key = secret::digest(&format!("logout\n{}\n{}", provider.issuer, told.jti));
        let until = Moment::from_micros(0).plus_seconds(told.expires.saturating_add(120));
        if !tx.see(&key, until).await? {
            return Err(octroi_oauth::relying_party::Doubt::LogoutToken("it was used").into());
        }
        let found = tx.upstream_sessions_of(&provider.issuer, told.subject.as_deref(), told.sid.as_deref()).await?;
        let mut ended = 0;
        for upstream in &found {
            tx.upstream_session_delete(upstream.session).await?;
            self.leave_clients(&mut tx, upstream.session, now).await?;
            if tx.session_delete_by_id(upstream.session).await? {
                ended += 1;
            }
        }
        let actor = format!("identity_provider:{slug}");
        ended += Self::end_product_logins(&mut tx, &connection, (told.subject.as_deref(), told.sid.as_deref()), now).await?;
        tx.record(now, &actor, "session.closed_upstream", &format!("connection:{slug}"), json!({ "sessions": ended }));
        tx.commit().await?;
        Ok(LogoutTold { issuer: connection.issuer, subject: told.subject, sid: told.sid, ended })
    }
}
