//! Relying parties, as the operator registers and runs them.

use octroi_domain::{
    Id,
    organization::Organization,
    policy::{Action, Subject},
    sign_on::{Client, ClientId, ClientState, InitialAccess},
};
use octroi_oauth::{
    client_metadata::{AuthMethod, ClientMetadata, MetadataError},
    redirect_uri::RedirectUriError,
    secret::{self, PlainSecret, SecretKind},
};
use octroi_store::{Page, Reader};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Known, settings::Certificates, stored};
use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    view::{List, OrganizationView},
};

/// Seconds that an access token and a refresh token live, unless the operator says otherwise.
pub const ACCESS_SECONDS: u32 = 3_600;
pub const REFRESH_SECONDS: u32 = 30 * 86_400;

/// What the operator decides about a client, beside what RFC 7591 says of it.
#[derive(Debug, Clone, Default)]
pub struct ClientTerms {
    pub organization: Option<Id<Organization>>,
    pub first_party: bool,
    pub serves: Option<String>,
    pub access_token_seconds: Option<u32>,
    pub refresh_token_seconds: Option<u32>,
}

/// A relying party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClientView {
    /// The same as `client_id`.
    pub id: String,
    pub client_id: String,
    /// Shown once, in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// RFC 7591, with the defaults filled in.
    #[schema(value_type = Object)]
    pub metadata: Value,
    pub organization: Option<OrganizationView>,
    /// People are not asked whether they agree.
    pub first_party: bool,
    /// The API that it serves (RFC 8707): it may look into tokens that are meant for it.
    pub serves: Option<String>,
    /// `active` or `suspended`.
    pub state: String,
    pub access_token_seconds: u32,
    pub refresh_token_seconds: u32,
    pub created_at: String,
    pub updated_at: String,
    pub version: u32,
}
impl ClientView {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.metadata.get("client_name").and_then(Value::as_str).filter(|name| !name.is_empty()).unwrap_or(&self.client_id)
    }
}

/// A word that lets a program register clients (RFC 7591 section 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InitialAccessView {
    pub id: String,
    pub label: String,
    /// Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    pub created_at: String,
    pub expires_at: String,
    pub uses_left: u32,
}
impl From<&InitialAccess> for InitialAccessView {
    fn from(access: &InitialAccess) -> Self {
        Self {
            id: access.id.to_string(),
            label: access.label.clone(),
            token: None,
            created_at: access.created_at.to_string(),
            expires_at: access.expires_at.to_string(),
            uses_left: access.uses_left,
        }
    }
}

pub(super) async fn view(reader: &Reader, client: &Client) -> Result<ClientView, Error> {
    let organization = match client.organization {
        Some(id) => reader.organization_by_id(id).await?,
        None => None,
    };
    Ok(ClientView {
        id: client.id.to_string(),
        client_id: client.id.to_string(),
        client_secret: None,
        metadata: serde_json::from_str(&client.metadata).map_err(|error| Error::Internal(error.to_string()))?,
        organization: organization.as_ref().map(OrganizationView::from),
        first_party: client.first_party,
        serves: client.serves.clone(),
        state: client.state.as_str().to_owned(),
        access_token_seconds: client.access_token_seconds,
        refresh_token_seconds: client.refresh_token_seconds,
        created_at: client.created_at.to_string(),
        updated_at: client.updated_at.to_string(),
        version: client.version,
    })
}

fn invalid(error: &MetadataError) -> Error {
    let pointer = if error.field.is_empty() {
        "/metadata".to_owned()
    } else {
        format!("/metadata/{}", error.field.replace('[', "/").replace(']', ""))
    };
    Error::field(pointer, error.code(), format!("Refusé : {}", french(&error.why)), format!("Refused: {}", error.why))
}

/// The addresses are what people mistype; what else is refused is said in the words of the standards, as programs read it.
fn french(why: &str) -> &str {
    let found = RedirectUriError::ALL.into_iter().find(|known| why.contains(&known.to_string()));
    match found {
        None => why,
        Some(RedirectUriError::Malformed) => {
            "ce n’est pas une adresse entière, en caractères simples, sans « /../ » et d’au plus 2 000 caractères"
        }
        Some(RedirectUriError::Fragment) => "l’adresse a une ancre (#…)",
        Some(RedirectUriError::UserInfo) => "l’adresse contient un identifiant ou un mot de passe",
        Some(RedirectUriError::Scheme) => {
            "l’adresse doit commencer par https:// ; http:// n’est que pour cette machine (127.0.0.1, [::1] ou localhost), et le schéma d’une application contient un point"
        }
    }
}

fn seconds(field: &str, asked: Option<u32>, default: u32, most: u32) -> Result<u32, Error> {
    let chosen = asked.unwrap_or(default);
    if (30..=most).contains(&chosen) {
        return Ok(chosen);
    }
    Err(Error::field(format!("/{field}"), "out_of_range", format!("De 30 à {most} secondes."), format!("From 30 to {most} seconds.")))
}

fn serves(text: Option<String>) -> Result<Option<String>, Error> {
    let bad = text.as_ref().is_some_and(|text| text.len() > 500 || !text.contains(':') || text.contains(['#', ' ']) || !text.is_ascii());
    if bad {
        return Err(Error::field("/serves", "invalid", "Une adresse absolue, sans fragment.", "An absolute address, without fragment."));
    }
    Ok(text)
}

/// A new client, and its secret where it has one.
pub(super) fn make(
    metadata: &ClientMetadata,
    terms: ClientTerms,
    now: octroi_domain::Moment,
) -> Result<(Client, Option<PlainSecret>), Error> {
    let secret = match metadata.token_endpoint_auth_method.has_secret() {
        true => Some(PlainSecret::generate(SecretKind::SignOnSecret)?),
        false => None,
    };
    let client = Client {
        id: ClientId::of(&secret::random_word()?).ok_or_else(|| Error::Internal("a random word is too short".to_owned()))?,
        metadata: serde_json::to_string(metadata).map_err(|error| Error::Internal(error.to_string()))?,
        secret: secret.as_ref().map(stored),
        registration: None,
        organization: terms.organization,
        first_party: terms.first_party,
        serves: serves(terms.serves)?,
        state: ClientState::Active,
        access_token_seconds: seconds("access_token_seconds", terms.access_token_seconds, ACCESS_SECONDS, 86_400)?,
        refresh_token_seconds: seconds("refresh_token_seconds", terms.refresh_token_seconds, REFRESH_SECONDS, 366 * 86_400)?,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    Ok((client, secret))
}

impl App {
    /// Reads metadata, and refuses what this server does not do: it says only what is true of it.
    pub(super) fn read_metadata(&self, value: Value) -> Result<ClientMetadata, MetadataError> {
        let metadata = ClientMetadata::read(value)?;
        let offered = self.sign_on_settings().certificates;
        let refused = |field: &str, why: &str| Err(MetadataError { field: field.to_owned(), why: why.to_owned() });
        if let Some(port) = self.outgoing()
            && let Some((field, _)) = metadata.called().into_iter().find(|(_, address)| port.refuses(address))
        {
            return refused(field, "this address is not one where clients may be: give one of the public internet, by its name");
        }
        match (metadata.token_endpoint_auth_method, offered) {
            (AuthMethod::TlsClientAuth, Certificates::Off | Certificates::Any)
            | (AuthMethod::SelfSignedTlsClientAuth, Certificates::Off | Certificates::Verified) => {
                refused("token_endpoint_auth_method", "not offered here: see token_endpoint_auth_methods_supported in the metadata")
            }
            _ if metadata.tls_client_certificate_bound_access_tokens && offered == Certificates::Off => {
                refused("tls_client_certificate_bound_access_tokens", "client certificates are not offered here: use DPoP")
            }
            _ => Ok(metadata),
        }
    }

    /// Registers a relying party; its secret is in this answer and in no other.
    ///
    /// # Errors
    /// The members to mend.
    pub async fn create_client(&self, context: &Context, metadata: Value, terms: ClientTerms) -> Result<Done<ClientView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let metadata = self.read_metadata(metadata).map_err(|error| invalid(&error))?;
        self.check_sector(&metadata).await.map_err(|error| invalid(&error))?;
        self.make_keys_for(&metadata, context.now).await?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        if let Some(organization) = terms.organization
            && tx.organization_by_id(organization).await?.is_none()
        {
            return Err(Error::field("/organization", "unknown", "Organisation inconnue.", "Unknown organisation."));
        }
        let (client, secret) = make(&metadata, terms, context.now)?;
        tx.client_insert(&client).await?;
        let details = json!({ "name": metadata.client_name, "organization": client.organization, "first_party": client.first_party });
        tx.record(context.now, &context.principal.actor(), "client.created", &format!("client:{}", client.id), details);
        let plain = view(&tx, &client).await?;
        let again = serde_json::to_string(&plain).map_err(|error| Error::Internal(error.to_string()))?;
        let shown = ClientView { client_secret: secret.map(|secret| secret.show().to_owned()), ..plain };
        self.finish_with(context, tx, 201, shown, again).await
    }

    /// # Errors
    /// When the policy refuses.
    pub async fn list_clients(&self, context: &Context, page: Page) -> Result<List<ClientView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let reader = self.inner.store.read();
        let listing = reader.client_list(None, page).await?;
        let mut items = Vec::with_capacity(listing.items.len());
        for client in &listing.items {
            items.push(view(&reader, client).await?);
        }
        Ok(List { items, next: listing.next.map(|cursor| cursor.to_string()) })
    }

    /// # Errors
    /// [`Error::NotFound`]
    pub async fn read_client(&self, context: &Context, id: &ClientId) -> Result<ClientView, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let reader = self.inner.store.read();
        let client = reader.client_by_id(id).await?.ok_or(Error::NotFound)?;
        view(&reader, &client).await
    }

    /// Changes what is registered, whole. A client that comes to need a secret gets one, shown in this answer.
    ///
    /// # Errors
    /// The members to mend; [`Error::Stale`] when it changed since `expected` was read.
    pub async fn update_client(
        &self,
        context: &Context,
        id: &ClientId,
        expected: Option<u32>,
        metadata: Value,
        terms: ClientTerms,
    ) -> Result<Done<ClientView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let metadata = self.read_metadata(metadata).map_err(|error| invalid(&error))?;
        self.check_sector(&metadata).await.map_err(|error| invalid(&error))?;
        self.make_keys_for(&metadata, context.now).await?;
        let (wanted, secret) = make(&metadata, terms, context.now)?;
        self.change_client(context, id, "client.changed", |held| {
            if expected.is_some_and(|expected| expected != held.version) {
                return Err(Error::Stale { current: held.version });
            }
            let had = Known::of(held.clone())?.metadata.token_endpoint_auth_method.has_secret();
            held.metadata.clone_from(&wanted.metadata);
            (held.organization, held.first_party) = (wanted.organization, wanted.first_party);
            held.serves.clone_from(&wanted.serves);
            (held.access_token_seconds, held.refresh_token_seconds) = (wanted.access_token_seconds, wanted.refresh_token_seconds);
            Ok(match (had, secret) {
                (true, Some(_)) => None,
                (_, secret) => {
                    held.secret = secret.as_ref().map(stored);
                    secret
                }
            })
        })
        .await
    }

    /// Suspends a client, or lets it go on: with it, every token that it holds.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a conflict when it is in this state already.
    pub async fn set_client_state(&self, context: &Context, id: &ClientId, state: ClientState) -> Result<Done<ClientView>, Error> {
        let action = match state {
            ClientState::Active => "client.resumed",
            ClientState::Suspended => "client.suspended",
        };
        self.change_client(context, id, action, |held| {
            if held.state == state {
                let (fr, en) = ("Le client est déjà dans cet état.", "The client is in this state already.");
                return Err(Error::conflict("wrong_state", fr, en));
            }
            held.state = state;
            Ok(None)
        })
        .await
    }

    /// Gives a client another secret; the old one is good for nothing from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a conflict when it authenticates otherwise.
    pub async fn replace_client_secret(&self, context: &Context, id: &ClientId) -> Result<Done<ClientView>, Error> {
        let secret = PlainSecret::generate(SecretKind::SignOnSecret)?;
        self.change_client(context, id, "client.secret_replaced", |held| {
            if held.secret.is_none() {
                let (fr, en) = ("Ce client n’a pas de secret.", "This client has no secret.");
                return Err(Error::conflict("no_secret", fr, en));
            }
            held.secret = Some(stored(&secret));
            Ok(Some(secret))
        })
        .await
    }

    async fn change_client(
        &self,
        context: &Context,
        id: &ClientId,
        action: &str,
        change: impl FnOnce(&mut Client) -> Result<Option<PlainSecret>, Error>,
    ) -> Result<Done<ClientView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let mut client = tx.client_by_id(id).await?.ok_or(Error::NotFound)?;
        let read = client.version;
        let secret = change(&mut client)?;
        client.version = client.version.saturating_add(1);
        client.updated_at = context.now;
        tx.client_save(&client).await.map_err(|error| if error.is_stale() { Error::Stale { current: read } } else { error.into() })?;
        tx.record(context.now, &context.principal.actor(), action, &format!("client:{id}"), json!({ "version": client.version }));
        let plain = view(&tx, &client).await?;
        let again = serde_json::to_string(&plain).map_err(|error| Error::Internal(error.to_string()))?;
        let shown = ClientView { client_secret: secret.map(|secret| secret.show().to_owned()), ..plain };
        self.finish_with(context, tx, 200, shown, again).await
    }

    /// Deletes a client with all that it holds.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn delete_client(&self, context: &Context, id: &ClientId) -> Result<(), Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let mut tx = self.inner.store.write().await?;
        if !tx.client_delete(id).await? {
            return Err(Error::NotFound);
        }
        tx.record(context.now, &context.principal.actor(), "client.deleted", &format!("client:{id}"), json!({}));
        tx.commit().await?;
        Ok(())
    }

    /// Makes a word that lets a program register clients.
    ///
    /// # Errors
    /// The members to mend.
    pub async fn create_initial_access(
        &self,
        context: &Context,
        label: &str,
        organization: Option<Id<Organization>>,
        uses: u32,
        days: u16,
    ) -> Result<Done<InitialAccessView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let label = label.trim();
        if label.is_empty() || label.chars().count() > 120 || !octroi_domain::text::is_plain(label) {
            return Err(Error::field("/label", "invalid", "De 1 à 120 caractères.", "From 1 to 120 characters."));
        }
        if !(1..=1_000).contains(&uses) {
            return Err(Error::field("/uses", "out_of_range", "De 1 à 1 000 usages.", "From 1 to 1,000 uses."));
        }
        if !(1..=365).contains(&days) {
            return Err(Error::field("/days", "out_of_range", "De 1 à 365 jours.", "From 1 to 365 days."));
        }
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let secret = PlainSecret::generate(SecretKind::InitialAccessToken)?;
        let access = InitialAccess {
            id: Id::from_uuid(Uuid::new_v4()),
            label: label.to_owned(),
            digest: stored(&secret),
            organization,
            created_at: context.now,
            expires_at: context.now.plus_days(i64::from(days)),
            uses_left: uses,
        };
        tx.initial_access_insert(&access).await?;
        let details = json!({ "label": label, "uses": uses, "expires_at": access.expires_at });
        tx.record(context.now, &context.principal.actor(), "initial_access.created", &format!("initial_access:{}", access.id), details);
        let plain = InitialAccessView::from(&access);
        let again = serde_json::to_string(&plain).map_err(|error| Error::Internal(error.to_string()))?;
        let shown = InitialAccessView { token: Some(secret.show().to_owned()), ..plain };
        self.finish_with(context, tx, 201, shown, again).await
    }

    /// # Errors
    /// When the policy refuses.
    pub async fn list_initial_access(&self, context: &Context) -> Result<List<InitialAccessView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let items = self.inner.store.read().initial_access_list().await?;
        Ok(List { items: items.iter().map(InitialAccessView::from).collect(), next: None })
    }

    /// # Errors
    /// [`Error::NotFound`]
    pub async fn delete_initial_access(&self, context: &Context, id: Id<InitialAccess>) -> Result<(), Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let mut tx = self.inner.store.write().await?;
        if !tx.initial_access_delete(id).await? {
            return Err(Error::NotFound);
        }
        tx.record(context.now, &context.principal.actor(), "initial_access.deleted", &format!("initial_access:{id}"), json!({}));
        tx.commit().await?;
        Ok(())
    }
}
