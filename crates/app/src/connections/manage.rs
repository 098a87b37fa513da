//! Connections, as the operator sets them up; and the links that wait for a decision.

use octroi_domain::{
    Id, Slug,
    connection::{ClientAuth, Connection, LinkPolicy, LinkRequest, Purpose},
    definition::FieldError,
    policy::{Action, Subject},
    text::{Text, is_plain},
};
use octroi_oauth::{jwk::Jwk, jwt::SigningKeyPair, relying_party};
use octroi_store::{Reader, StoredConnection};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::provider::seal_context;
use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    mails::accounts as mails,
    view::List,
};

/// Levels and scopes of one connection.
const MOST_WORDS: usize = 30;

/// A connection, as the operator wants it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionInput {
    /// Shown on the button, in both languages.
    #[schema(value_type = Object)]
    pub name: Text,
    /// Byte for byte what the provider's discovery document says.
    pub issuer: String,
    pub client_id: String,
    /// Written, never read: none leaves the one that is there.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// `secret_basic`, `secret_post` or `private_key_jwt`.
    #[serde(default)]
    #[schema(value_type = String)]
    pub client_auth: ClientAuth,
    /// `openid` is added where it is missing.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// One of these levels must be reached; none: whatever the provider does.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// `never`, `verified_email`, `confirm_by_password` or `admin`.
    #[serde(default)]
    #[schema(value_type = String)]
    pub link_policy: LinkPolicy,
    /// Two factors that the provider saw count as two here.
    #[serde(default)]
    pub trusts_mfa: bool,
    /// A SIRET that the provider asserts links the person to that organisation, certified.
    #[serde(default)]
    pub trusts_organizations: bool,
    /// Addresses count as verified where the provider does not say (`email_verified`).
    #[serde(default)]
    pub trusts_email: bool,
    /// Facts that are not signed are refused.
    #[serde(default)]
    pub signed_userinfo: bool,
    /// `"portal"`, or `{"product": {…}}`.
    #[serde(default = "portal")]
    #[schema(value_type = Object)]
    pub purpose: Purpose,
    #[serde(default = "yes")]
    pub active: bool,
}

const fn portal() -> Purpose {
    Purpose::Portal
}
const fn yes() -> bool {
    true
}

/// A connection. Its secret is nowhere in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConnectionView {
    /// The same as `slug`.
    pub id: String,
    pub slug: String,
    #[schema(value_type = Object)]
    pub name: Text,
    pub issuer: String,
    pub client_id: String,
    #[schema(value_type = String)]
    pub client_auth: ClientAuth,
    /// There is a secret; which one is not told.
    pub has_secret: bool,
    pub scopes: Vec<String>,
    pub acr_values: Vec<String>,
    #[schema(value_type = String)]
    pub link_policy: LinkPolicy,
    pub trusts_mfa: bool,
    pub trusts_organizations: bool,
    pub trusts_email: bool,
    pub signed_userinfo: bool,
    #[schema(value_type = Object)]
    pub purpose: Value,
    pub active: bool,
    /// To be registered at the provider.
    pub redirect_uri: String,
    pub post_logout_redirect_uri: String,
    pub backchannel_logout_uri: String,
    /// Where our public key is, for `private_key_jwt`.
    pub jwks_uri: Option<String>,
    /// People who come in by this provider.
    pub identities: u64,
    /// Links that wait for a decision.
    pub link_requests: u64,
    pub created_at: String,
    pub updated_at: String,
    pub version: u32,
}

/// A link that waits for the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LinkRequestView {
    pub id: String,
    pub connection: String,
    pub issuer: String,
    pub subject: String,
    pub user: crate::view::PersonView,
    pub created_at: String,
}

fn wrong(all: &mut Vec<FieldError>, pointer: &str, code: &str, fr: &str, en: &str) {
    all.push(FieldError { pointer: pointer.to_owned(), code: code.to_owned(), message: Text::new(fr, en) });
}

fn words_are_good(words: &[String]) -> bool {
    let good = |word: &String| (1..=200).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\'));
    words.len() <= MOST_WORDS && words.iter().all(good)
}

/// What cannot be a connection, member by member.
fn check(input: &ConnectionInput, has_secret: bool) -> Result<(), Error> {
    let mut all = Vec::new();
    let named = |text: &str| (1..=60).contains(&text.trim().chars().count()) && is_plain(text);
    if !named(&input.name.fr) || !named(&input.name.en) {
        wrong(
            &mut all,
            "/name",
            "invalid",
            "Donnez un nom de 1 à 60 caractères dans chaque langue.",
            "Give a name of 1 to 60 characters in each language.",
        );
    }
    if !relying_party::is_issuer(&input.issuer) {
        wrong(
            &mut all,
            "/issuer",
            "invalid",
            "L’adresse du fournisseur commence par https:// (http:// sur cette machine seule), sans paramètres.",
            "The provider’s address begins with https:// (http:// on this machine alone), without parameters.",
        );
    }
    if !(1..=500).contains(&input.client_id.len()) || !input.client_id.bytes().all(|b| (0x20..=0x7e).contains(&b)) {
        wrong(
            &mut all,
            "/client_id",
            "invalid",
            "Donnez l’identifiant reçu du fournisseur.",
            "Give the identifier that the provider gave you.",
        );
    }
    let secret = input.client_secret.as_deref();
    if secret.is_some_and(|secret| !(8..=500).contains(&secret.len()) || secret.chars().any(char::is_control)) {
        wrong(&mut all, "/client_secret", "invalid", "Un secret a de 8 à 500 caractères.", "A secret has 8 to 500 characters.");
    } else if input.client_auth.needs_secret() && secret.is_none() && !has_secret {
        wrong(
            &mut all,
            "/client_secret",
            "missing",
            "Donnez le secret reçu du fournisseur.",
            "Give the secret that the provider gave you.",
        );
    }
    if !words_are_good(&input.scopes) {
        wrong(&mut all, "/scopes", "invalid", "Au plus 30 mots, sans espace.", "At most 30 words, without spaces.");
    }
    if !words_are_good(&input.acr_values) {
        wrong(&mut all, "/acr_values", "invalid", "Au plus 30 mots, sans espace.", "At most 30 words, without spaces.");
    }
    if let Purpose::Product(product) = &input.purpose
        && let Err(Error::Invalid(found)) = crate::hand_off::settings::check(product)
    {
        all.extend(found.into_iter().map(|error| FieldError { pointer: format!("/purpose{}", error.pointer), ..error }));
    }
    if all.is_empty() { Ok(()) } else { Err(Error::Invalid(all)) }
}

impl App {
    fn connection_of(&self, slug: Slug, input: ConnectionInput, before: Option<&Connection>, now: octroi_domain::Moment) -> Connection {
        let mut scopes = input.scopes;
        if !scopes.iter().any(|scope| scope == "openid") {
            scopes.insert(0, "openid".to_owned());
        }
        Connection {
            slug,
            name: Text::new(input.name.fr.trim(), input.name.en.trim()),
            issuer: input.issuer,
            client_id: input.client_id,
            client_auth: input.client_auth,
            scopes,
            acr_values: input.acr_values,
            link_policy: input.link_policy,
            trusts_mfa: input.trusts_mfa,
            trusts_organizations: input.trusts_organizations,
            trusts_email: input.trusts_email,
            signed_userinfo: input.signed_userinfo,
            purpose: input.purpose,
            active: input.active,
            created_at: before.map_or(now, |before| before.created_at),
            updated_at: now,
            version: before.map_or(1, |before| before.version.saturating_add(1)),
        }
    }

    /// With the secret that is given sealed, and a key of our own where one is needed.
    fn stored_of(
        &self,
        connection: Connection,
        secret: Option<&str>,
        before: Option<&StoredConnection>,
    ) -> Result<StoredConnection, Error> {
        let internal = |error: &dyn std::error::Error| Error::Internal(error.to_string());
        let seal = |what: &str, plain: &[u8]| {
            self.inner.master_key.seal(&seal_context(what, &connection.slug), plain).map_err(|error| internal(&error))
        };
        let needs_secret = connection.client_auth.needs_secret();
        let sealed = match secret.filter(|_| needs_secret) {
            Some(secret) => Some(seal("secret", secret.as_bytes())?),
            None => before.and_then(|before| before.secret.clone()).filter(|_| needs_secret),
        };
        let key = match before.and_then(|before| before.key.clone()) {
            None if !needs_secret => Some(seal("key", &SigningKeyPair::generate_pkcs8().map_err(|error| internal(&error))?)?),
            held => held,
        };
        Ok(StoredConnection { connection, secret: sealed, key })
    }

    async fn connection_view(&self, reader: &Reader, stored: &StoredConnection) -> Result<ConnectionView, Error> {
        let connection = &stored.connection;
        let at = |end: &str| format!("{}/auth/{}/{end}", self.issuer(), connection.slug);
        Ok(ConnectionView {
            id: connection.slug.to_string(),
            slug: connection.slug.to_string(),
            name: connection.name.clone(),
            issuer: connection.issuer.clone(),
            client_id: connection.client_id.clone(),
            client_auth: connection.client_auth,
            has_secret: stored.secret.is_some(),
            scopes: connection.scopes.clone(),
            acr_values: connection.acr_values.clone(),
            link_policy: connection.link_policy,
            trusts_mfa: connection.trusts_mfa,
            trusts_organizations: connection.trusts_organizations,
            trusts_email: connection.trusts_email,
            signed_userinfo: connection.signed_userinfo,
            purpose: serde_json::to_value(&connection.purpose).map_err(|error| Error::Internal(error.to_string()))?,
            active: connection.active,
            redirect_uri: at("callback"),
            post_logout_redirect_uri: at("logged-out"),
            backchannel_logout_uri: at("backchannel-logout"),
            jwks_uri: stored.key.is_some().then(|| at("jwks")),
            identities: reader.identity_count(&connection.issuer).await?,
            link_requests: u64::try_from(reader.link_requests_open(&connection.slug).await?.len()).unwrap_or(u64::MAX),
            created_at: connection.created_at.to_string(),
            updated_at: connection.updated_at.to_string(),
            version: connection.version,
        })
    }

    /// Sets a connection up.
    ///
    /// # Errors
    /// The members to mend; a conflict when the name is taken.
    pub async fn create_connection(&self, context: &Context, slug: &str, input: ConnectionInput) -> Result<Done<ConnectionView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        context.recent()?;
        let slug = Slug::new(slug).map_err(|_| {
            Error::field(
                "/slug",
                "invalid",
                "Lettres minuscules, chiffres et tirets, 64 au plus.",
                "Lower-case letters, digits and dashes, 64 at most.",
            )
        })?;
        check(&input, false)?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let secret = input.client_secret.clone();
        let stored = self.stored_of(self.connection_of(slug.clone(), input, None, context.now), secret.as_deref(), None)?;
        tx.connection_insert(&stored).await.map_err(|error| {
            if error.is_duplicate() {
                Error::conflict("already_exists", "Une connexion porte déjà ce nom.", "A connection has this name already.")
            } else {
                error.into()
            }
        })?;
        let details = json!({ "issuer": stored.connection.issuer, "link_policy": stored.connection.link_policy });
        tx.record(context.now, &context.principal.actor(), "connection.created", &format!("connection:{slug}"), details);
        let view = self.connection_view(&tx, &stored).await?;
        self.finish(context, tx, 201, view).await
    }

    /// # Errors
    /// When the policy refuses.
    pub async fn list_connections(&self, context: &Context) -> Result<List<ConnectionView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let reader = self.inner.store.read();
        let mut items = Vec::new();
        for stored in reader.connection_list().await? {
            items.push(self.connection_view(&reader, &stored).await?);
        }
        Ok(List { items, next: None })
    }

    /// # Errors
    /// [`Error::NotFound`]
    pub async fn read_connection(&self, context: &Context, slug: &Slug) -> Result<ConnectionView, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let reader = self.inner.store.read();
        let stored = reader.connection(slug).await?.ok_or(Error::NotFound)?;
        self.connection_view(&reader, &stored).await
    }

    /// Changes a connection, whole. No secret leaves the one that is there, unless the provider is another one: what one was given is
    /// not shown to the next.
    ///
    /// # Errors
    /// The members to mend; [`Error::Stale`] when it changed since `expected` was read.
    pub async fn update_connection(
        &self,
        context: &Context,
        slug: &Slug,
        expected: Option<u32>,
        input: ConnectionInput,
    ) -> Result<Done<ConnectionView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        context.recent()?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let mut before = tx.connection(slug).await?.ok_or(Error::NotFound)?;
        let current = before.connection.version;
        if expected.is_some_and(|expected| expected != current) {
            return Err(Error::Stale { current });
        }
        if before.connection.issuer != input.issuer {
            (before.secret, before.key) = (None, None);
        }
        check(&input, before.secret.is_some())?;
        let secret = input.client_secret.clone();
        let changed = self.connection_of(slug.clone(), input, Some(&before.connection), context.now);
        let stored = self.stored_of(changed, secret.as_deref(), Some(&before))?;
        tx.connection_save(&stored).await.map_err(|error| if error.is_stale() { Error::Stale { current } } else { error.into() })?;
        let connection = &stored.connection;
        let details = json!({
            "version": connection.version, "issuer": connection.issuer, "link_policy": connection.link_policy, "active": connection.active,
            "trusts_mfa": connection.trusts_mfa, "trusts_organizations": connection.trusts_organizations,
            "trusts_email": connection.trusts_email, "secret_replaced": secret.is_some(),
        });
        tx.record(context.now, &context.principal.actor(), "connection.changed", &format!("connection:{slug}"), details);
        let view = self.connection_view(&tx, &stored).await?;
        self.finish(context, tx, 200, view).await
    }

    /// Takes a connection away. The ways in of people stay, for another connection to the same provider.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn delete_connection(&self, context: &Context, slug: &Slug) -> Result<(), Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        context.recent()?;
        let mut tx = self.inner.store.write().await?;
        if !tx.connection_delete(slug).await? {
            return Err(Error::NotFound);
        }
        tx.record(context.now, &context.principal.actor(), "connection.deleted", &format!("connection:{slug}"), json!({}));
        tx.commit().await?;
        Ok(())
    }

    /// The links that wait for a decision, the oldest first.
    ///
    /// # Errors
    /// When the policy refuses.
    pub async fn list_link_requests(&self, context: &Context, slug: &Slug) -> Result<List<LinkRequestView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let reader = self.inner.store.read();
        reader.connection(slug).await?.ok_or(Error::NotFound)?;
        let mut items = Vec::new();
        for request in reader.link_requests_open(slug).await? {
            let Some(user) = reader.user_by_id(request.user).await? else { continue };
            items.push(LinkRequestView {
                id: request.id.to_string(),
                connection: request.connection.to_string(),
                issuer: request.issuer,
                subject: request.subject,
                user: (&user).into(),
                created_at: request.created_at.to_string(),
            });
        }
        Ok(List { items, next: None })
    }

    /// Links what waits, or says no for good.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a conflict when it was decided before.
    pub async fn decide_link_request(&self, context: &Context, id: Id<LinkRequest>, accepted: bool) -> Result<(), Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        context.recent()?;
        let mut tx = self.inner.store.write().await?;
        let request = tx.link_request(id).await?.ok_or(Error::NotFound)?;
        let (user, stored) = (tx.user_by_id(request.user).await?, tx.connection(&request.connection).await?);
        let (user, stored) = user.zip(stored).ok_or(Error::NotFound)?;
        if !tx.link_request_decide(id, accepted, context.now).await? {
            return Err(Error::conflict("decided", "Cette demande a déjà reçu une décision.", "This was decided already."));
        }
        let details = json!({ "request": id, "connection": request.connection, "accepted": accepted });
        tx.record(context.now, &context.principal.actor(), "link.decided", &format!("user:{}", user.id), details);
        if accepted {
            self.link_subject(&mut tx, &user, "operator", &stored.connection, (&request.issuer, &request.subject), context.now).await?;
        } else {
            let name = stored.connection.name.in_language(user.language);
            let mail = mails::changed(&user, mails::Change::IdentityDeclined, Some(name), &self.settings().public_url);
            tx.enqueue_mail(context.now, &mail).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Our public key at a provider.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none.
    pub async fn connection_jwks(&self, slug: &Slug) -> Result<Vec<Jwk>, Error> {
        let stored = self.inner.store.read().connection(slug).await?.filter(|stored| stored.key.is_some()).ok_or(Error::NotFound)?;
        Ok(self.connection_key(&stored)?.jwk().into_iter().collect())
    }
}
