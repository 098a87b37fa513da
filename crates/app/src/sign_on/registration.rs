//! Clients that register themselves (RFC 7591), and change their registration (RFC 7592).

use octroi_domain::{
    Moment,
    sign_on::{Client, ClientId},
};
use octroi_oauth::{
    client_metadata::{ClientMetadata, MetadataError, SubjectType},
    secret::{self, PlainSecret, SecretKind, same_digest},
};
use serde_json::{Value, json};

use super::{
    Known, Refusal, SCOPES, SignOnError,
    clients::{ClientTerms, make},
    digest, stored,
};
use crate::{context::App, error::Error};

fn refused(error: &MetadataError) -> SignOnError {
    Refusal::new(400, error.code(), error.to_string()).into()
}

/// A client does not give itself the scopes of an API: those are the operator's to give. What it is left with is in the
/// answer (RFC 7591 section 3.2.1: the server may replace what was asked for).
fn keep_to(metadata: &mut ClientMetadata, granted: &[&str]) {
    if let Some(scope) = &metadata.scope {
        let may = |scope: &&str| SCOPES.contains(scope) || granted.contains(scope);
        let kept = scope.split(' ').filter(may).collect::<Vec<_>>().join(" ");
        // Where nothing is left there is no such member (RFC 6749 section 3.3: a scope has at least one word): what every client may ask for.
        metadata.scope = (!kept.is_empty()).then_some(kept);
    }
}

/// Is a client that changes itself still what an operator let go without asking people? It may replace its keys, and what it says of itself
/// besides its name; it may not send people's data elsewhere, nor more of it, nor ask less of them.
fn is_what_was_trusted(before: &ClientMetadata, after: &ClientMetadata) -> bool {
    let known = after.redirect_uris.iter().all(|uri| before.redirect_uris.contains(uri));
    let no_more = match (&before.scope, &after.scope) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(before), Some(after)) => after.split(' ').all(|scope| before.split(' ').any(|held| held == scope)),
    };
    let as_strict = (!before.require_pkce || after.require_pkce)
        && (before.token_endpoint_auth_method == after.token_endpoint_auth_method)
        && before.default_acr_values == after.default_acr_values
        && before.application_type == after.application_type;
    known && no_more && as_strict && before.client_name == after.client_name && before.sector() == after.sector()
}

/// One answer for a token that is missing, unknown, out of date or used up.
#[must_use]
pub fn unauthorized() -> SignOnError {
    Refusal::new(401, "invalid_token", "registering needs an access token that an operator made, in date and not used up").into()
}

impl App {
    /// Registers a client for the holder of an initial access token.
    ///
    /// # Errors
    /// RFC 7591 section 3.2.2; 401 `invalid_token`.
    pub async fn register_client(&self, token: Option<&str>, metadata: Value, now: Moment) -> Result<Value, SignOnError> {
        let token = token.filter(|token| secret::recognise(token) == Some(SecretKind::InitialAccessToken)).ok_or_else(unauthorized)?;
        let mut tx = self.inner.store.write().await?;
        // A registration that is refused does not use it up: the transaction is dropped with it.
        let access = tx.initial_access_use(&digest(token), now).await?.ok_or_else(unauthorized)?;
        tx.rollback().await?;
        let mut metadata = self.read_metadata(metadata).map_err(|error| refused(&error))?;
        keep_to(&mut metadata, &[]);
        self.check_sector(&metadata).await.map_err(|error| refused(&error))?;
        self.make_keys_for(&metadata, now).await?;
        let terms = ClientTerms { organization: access.organization, ..ClientTerms::default() };
        let (mut client, client_secret) = make(&metadata, terms, now)?;
        let registration = PlainSecret::generate(SecretKind::RegistrationToken)?;
        client.registration = Some(stored(&registration));
        let mut tx = self.inner.store.write().await?;
        tx.initial_access_use(&digest(token), now).await?.ok_or_else(unauthorized)?;
        tx.client_insert(&client).await?;
        let details = json!({ "name": metadata.client_name, "initial_access": access.id });
        tx.record(now, &format!("initial_access:{}", access.id), "client.registered", &format!("client:{}", client.id), details);
        tx.commit().await?;
        self.registered(&client, &metadata, client_secret.as_ref(), registration.show())
    }

    /// The client that a registration token belongs to.
    async fn of_registration(&self, token: Option<&str>, id: &str) -> Result<Client, SignOnError> {
        let token = token.filter(|token| secret::recognise(token) == Some(SecretKind::RegistrationToken)).ok_or_else(unauthorized)?;
        let id: ClientId = id.parse().map_err(|_| unauthorized())?;
        let client = self.inner.store.read().client_by_id(&id).await?.filter(Client::is_active).ok_or_else(unauthorized)?;
        let own = client.registration.is_some_and(|held| same_digest(held.bytes(), &digest(token)));
        if own { Ok(client) } else { Err(unauthorized()) }
    }

    /// What a client registered, as it is now.
    ///
    /// # Errors
    /// 401 `invalid_token`.
    pub async fn read_registration(&self, token: Option<&str>, id: &str) -> Result<Value, SignOnError> {
        let client = self.of_registration(token, id).await?;
        let known = Known::of(client)?;
        self.registered(&known.client, &known.metadata, None, token.unwrap_or_default())
    }

    /// Replaces what a client registered, whole (RFC 7592 section 2.2).
    ///
    /// # Errors
    /// RFC 7591 section 3.2.2; 401 `invalid_token`.
    pub async fn change_registration(&self, token: Option<&str>, id: &str, mut metadata: Value, now: Moment) -> Result<Value, SignOnError> {
        let held = self.of_registration(token, id).await?;
        if let Some(members) = metadata.as_object_mut() {
            if members.remove("client_id").is_none_or(|named| named != id) {
                return Err(Refusal::request("client_id has to be the one of the registration").into());
            }
            let secret = members.remove("client_secret");
            let same = |secret: &Value| {
                let shown = secret.as_str().map(digest);
                shown.zip(held.secret).is_some_and(|(shown, held)| same_digest(&shown, held.bytes()))
            };
            if secret.is_some_and(|secret| !same(&secret)) {
                return Err(Refusal::new(400, "invalid_client_metadata", "a client does not choose its secret").into());
            }
        }
        let mut metadata = self.read_metadata(metadata).map_err(|error| refused(&error))?;
        let before = Known::of(held.clone())?.metadata;
        keep_to(&mut metadata, &before.scope.as_deref().unwrap_or_default().split(' ').collect::<Vec<_>>());
        let first_party = held.first_party && is_what_was_trusted(&before, &metadata);
        self.check_sector(&metadata).await.map_err(|error| refused(&error))?;
        self.make_keys_for(&metadata, now).await?;
        let has_secret = metadata.token_endpoint_auth_method.has_secret();
        let new_secret = if has_secret && held.secret.is_none() { Some(PlainSecret::generate(SecretKind::SignOnSecret)?) } else { None };
        let secret = if has_secret { new_secret.as_ref().map(stored).or(held.secret) } else { None };
        let text = serde_json::to_string(&metadata).map_err(|error| Error::Internal(error.to_string()))?;
        let lost_trust = held.first_party && !first_party;
        let client = Client { metadata: text, secret, first_party, updated_at: now, version: held.version.saturating_add(1), ..held };
        let mut tx = self.inner.store.write().await?;
        tx.client_save(&client).await?;
        let subject = format!("client:{}", client.id);
        tx.record(now, &subject, "client.changed", &subject, json!({ "version": client.version, "no_longer_first_party": lost_trust }));
        tx.commit().await?;
        self.registered(&client, &metadata, new_secret.as_ref(), token.unwrap_or_default())
    }

    /// Ends a registration, and all that the client holds.
    ///
    /// # Errors
    /// 401 `invalid_token`.
    pub async fn delete_registration(&self, token: Option<&str>, id: &str, now: Moment) -> Result<(), SignOnError> {
        let client = self.of_registration(token, id).await?;
        let mut tx = self.inner.store.write().await?;
        tx.client_delete(&client.id).await?;
        let subject = format!("client:{}", client.id);
        tx.record(now, &subject, "client.deleted", &subject, json!({}));
        tx.commit().await?;
        Ok(())
    }

    /// The answer of RFC 7591 section 3.2.1. A client's secret is in it once; `registration` is the token that was just shown to us, or made.
    fn registered(
        &self,
        client: &Client,
        metadata: &ClientMetadata,
        client_secret: Option<&PlainSecret>,
        registration: &str,
    ) -> Result<Value, SignOnError> {
        let mut answer = serde_json::to_value(metadata).map_err(|error| Error::Internal(error.to_string()))?;
        if let Some(members) = answer.as_object_mut() {
            members.insert("client_id".to_owned(), json!(client.id));
            members.insert("client_id_issued_at".to_owned(), json!(client.created_at.seconds()));
            members.insert("registration_client_uri".to_owned(), json!(format!("{}/oauth/register/{}", self.issuer(), client.id)));
            if let Some(secret) = client_secret {
                members.insert("client_secret".to_owned(), json!(secret.show()));
                members.insert("client_secret_expires_at".to_owned(), json!(0));
            }
            members.insert("registration_access_token".to_owned(), json!(registration));
        }
        Ok(answer)
    }

    /// Does the file that names a sector list every address (OpenID Connect Registration section 5)?
    pub(super) async fn check_sector(&self, metadata: &ClientMetadata) -> Result<(), MetadataError> {
        let Some(address) = metadata.sector_identifier_uri.as_deref().filter(|_| metadata.subject_type == SubjectType::Pairwise) else {
            return Ok(());
        };
        let bad = |why: &str| MetadataError { field: "sector_identifier_uri".to_owned(), why: why.to_owned() };
        let port = self.outgoing().ok_or_else(|| bad("it cannot be fetched from here"))?;
        let body = port.get(address).await.map_err(|_| bad("it cannot be fetched"))?;
        let listed: Vec<String> = serde_json::from_slice(&body).map_err(|_| bad("it is not a JSON list of addresses"))?;
        if metadata.redirect_uris.iter().all(|uri| listed.iter().any(|listed| listed == uri.as_str())) {
            Ok(())
        } else {
            Err(bad("it does not list every redirect URI"))
        }
    }
}
