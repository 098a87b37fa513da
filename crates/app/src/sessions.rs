//! Sign-in, sessions, and who stands behind a credential of the REST API.

use octroi_domain::{
    Id, Moment,
    application::ApplicationState,
    authentication::{Authentication, Method, Session},
    canonical::Sha256Hash,
    credential::{CredentialKind, SecretDigest},
    organization::Organization,
    policy::{Action, Machine, Person, Principal, Subject},
    text::Language,
    user::User,
};
use octroi_oauth::secret;
use octroi_store::Reader;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    context::{App, Context},
    error::Error,
    password::MAX_LENGTH,
    view::{OrganizationView, PersonView},
};

/// A session ends this long after it began, whatever happens.
pub const SESSION_HOURS: i64 = 12;
/// A session ends when it was not used for this long.
pub const IDLE_MINUTES: i64 = 60;
/// At most this many passwords are tried for one account in one window, right or wrong.
const ATTEMPTS_PER_ACCOUNT: i64 = 10;
/// The same for one network address, which many people may share.
const ATTEMPTS_PER_ADDRESS: i64 = 100;
const ATTEMPT_WINDOW_SECONDS: i64 = 900;

/// Who one is, and what one holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MeView {
    /// None for an application.
    pub user: Option<PersonView>,
    /// None for a person.
    pub application: Option<String>,
    pub organizations: Vec<MembershipView>,
    pub roles: Vec<RoleView>,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MembershipView {
    #[serde(flatten)]
    pub organization: OrganizationView,
    /// `unverified`, `verified` or `certified`.
    pub level: String,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RoleView {
    pub role: String,
    /// `definition:<slug>`, `api:<provider>/<api>`, `provider:<slug>` or `platform`.
    pub perimeter: String,
}

/// A session just opened: the cookie's value and the CSRF token, shown once.
pub struct SignedIn {
    pub session: String,
    pub csrf_token: String,
    pub me: MeView,
}

/// A session found by its cookie.
pub struct Found {
    pub principal: Principal,
    pub session: Session,
}

/// The browser that somebody signs in with.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// The network address.
    pub address: &'a str,
    /// What it says of itself (`User-Agent`).
    pub agent: &'a str,
}

/// What a form or a program sends back with each change that a session makes: made from the session's
/// cookie, which another site cannot read, and of no use for anything else.
#[must_use]
pub fn csrf_token(session: &str) -> String {
    Sha256Hash(secret::digest(&format!("csrf {session}"))).to_string()
}

impl App {
    /// Opens a session. The same answer, after the same time, for an unknown account and a wrong password.
    pub async fn sign_in(&self, email: &str, password: &str, visitor: Visitor<'_>, now: Moment) -> Result<SignedIn, Error> {
        let email = email.trim().to_lowercase();
        if password.len() > MAX_LENGTH * 4 || email.len() > 254 {
            return Err(Error::WrongPassword);
        }
        // Counted before the password is looked at, and committed apart: parallel tries do not pass.
        for (key, limit) in
            [(format!("account:{email}"), ATTEMPTS_PER_ACCOUNT), (format!("address:{}", visitor.address), ATTEMPTS_PER_ADDRESS)]
        {
            if self.inner.store.login_attempt(&key, now, ATTEMPT_WINDOW_SECONDS).await? > limit {
                return Err(Error::TooManyAttempts { retry_after: u32::try_from(ATTEMPT_WINDOW_SECONDS).unwrap_or(900) });
            }
        }
        let reader = self.inner.store.read();
        let user = reader.user_by_email(&email).await?;
        let stored = match &user {
            Some(user) => reader.user_password(user.id).await?,
            None => None,
        };
        let good = self.password_matches(password.to_owned(), stored).await?;
        let Some(user) = user.filter(|_| good) else { return Err(Error::WrongPassword) };
        let token = secret::random_word()?;
        let csrf_token = csrf_token(&token);
        let session = Session {
            id: Id::from_uuid(Uuid::new_v4()),
            user: user.id,
            authentication: Authentication::new(Method::Password, now),
            created_at: now,
            last_seen_at: now,
            expires_at: now.plus_seconds(IDLE_MINUTES * 60),
            address: visitor.address.chars().take(60).collect(),
            agent: visitor.agent.chars().filter(|c| !c.is_control()).take(200).collect(),
        };
        let mut tx = self.inner.store.write().await?;
        tx.session_insert(&secret::digest(&token), &session).await?;
        tx.login_attempt_reset(&format!("account:{email}")).await?;
        // Many people may share an address: who signs in rightly does not use it up.
        tx.login_attempt_give_back(&format!("address:{}", visitor.address)).await?;
        tx.record(now, &format!("user:{}", user.id), "session.opened", &format!("user:{}", user.id), json!({}));
        let me = self.me_of(&tx, &user).await?;
        tx.commit().await?;
        Ok(SignedIn { session: token, csrf_token, me })
    }

    /// Ends the session that this cookie stands for.
    pub async fn sign_out(&self, context: &Context, session: &str) -> Result<(), Error> {
        context.require(Action::SignOut, &Subject::Platform)?;
        let mut tx = self.inner.store.write().await?;
        if tx.session_delete(&secret::digest(session)).await? {
            let actor = context.principal.actor();
            tx.record(context.now, &actor, "session.closed", &actor, json!({}));
            if let Some(held) = &context.session {
                self.leave_clients(&mut tx, held.id, context.now).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// The language that a signed-in person reads and is written to in; mails follow it. For anybody else it
    /// is the browser's business alone.
    pub async fn choose_language(&self, context: &Context, language: Language) -> Result<(), Error> {
        context.require(Action::ChooseLanguage, &Subject::Platform)?;
        let Principal::Person(person) = &context.principal else { return Ok(()) };
        let mut tx = self.inner.store.write().await?;
        let Some(user) = tx.user_by_id(person.user).await?.filter(|user| user.language != language) else { return Ok(()) };
        tx.user_save(&User { language, ..user }).await?;
        let actor = context.principal.actor();
        tx.record(context.now, &actor, "user.language_chosen", &actor, json!({ "language": language }));
        tx.commit().await?;
        Ok(())
    }

    /// The person behind a session cookie; `None` when it is unknown or out of date.
    pub async fn session(&self, cookie: &str, now: Moment) -> Result<Option<Found>, Error> {
        let reader = self.inner.store.read();
        let digest = secret::digest(cookie);
        let Some(session) = reader.session_by_digest(&digest, now).await? else { return Ok(None) };
        // Touched once a minute at most: reading a page is not a write.
        if now > session.last_seen_at.plus_seconds(60) {
            let last = session.created_at.plus_seconds(SESSION_HOURS * 3_600);
            let expires = now.plus_seconds(IDLE_MINUTES * 60).min(last);
            // Reading goes on when the store cannot be written to, and does not wait for it.
            let app = self.clone();
            tokio::spawn(async move {
                if let Err(error) = app.touch(digest, now, expires).await {
                    tracing::warn!(%error, "a session was not touched");
                }
            });
        }
        let person = Self::person(&reader, session.user).await?;
        Ok(Some(Found { principal: Principal::Person(person), session }))
    }

    async fn touch(&self, digest: [u8; 32], now: Moment, expires: Moment) -> Result<(), Error> {
        let mut tx = self.inner.store.write().await?;
        tx.session_touch(&digest, now, expires).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn person(reader: &Reader, user: Id<User>) -> Result<Person, Error> {
        let memberships =
            reader.memberships_of_user(user).await?.into_iter().map(|membership| (membership.organization, membership.level)).collect();
        Ok(Person { user, memberships, roles: reader.roles_of_user(user).await? })
    }

    /// The application behind an API key, when it has management rights.
    ///
    /// # Errors
    /// `InvalidCredential` for an unknown, revoked or powerless key: one answer for all.
    pub async fn machine(&self, key: &str, now: Moment) -> Result<Principal, Error> {
        if secret::recognise(key).is_none() {
            return Err(Error::InvalidCredential);
        }
        let reader = self.inner.store.read();
        let digest = SecretDigest::from_bytes(secret::digest(key));
        let credential = reader
            .credential_by_digest(&digest)
            .await?
            .filter(|credential| credential.kind == CredentialKind::ApiKey && credential.revoked_at.is_none());
        let credential = credential.ok_or(Error::InvalidCredential)?;
        let application = reader.application_by_id(credential.application).await?.ok_or(Error::InvalidCredential)?;
        if !application.management || application.state != ApplicationState::Active {
            return Err(Error::InvalidCredential);
        }
        self.inner.store.credential_touch(&[(credential.id, now)]).await?;
        Ok(Principal::Application(Machine {
            application: application.id,
            stage: application.stage,
            organization: application.organization,
        }))
    }

    pub async fn me(&self, context: &Context) -> Result<MeView, Error> {
        context.require(Action::ReadSelf, &Subject::Platform)?;
        let reader = self.inner.store.read();
        match &context.principal {
            Principal::Anonymous => Err(Error::SignIn),
            Principal::Person(person) => {
                let user = reader.user_by_id(person.user).await?.ok_or(Error::SignIn)?;
                self.me_of(&reader, &user).await
            }
            Principal::Application(machine) => {
                let organization = reader.organization_by_id(machine.organization).await?;
                let organizations = organization.iter().map(|organization| membership(organization, "certified")).collect();
                Ok(MeView { user: None, application: Some(machine.application.to_string()), organizations, roles: Vec::new() })
            }
        }
    }

    async fn me_of(&self, reader: &Reader, user: &User) -> Result<MeView, Error> {
        let memberships = reader.memberships_of_user(user.id).await?;
        let ids: Vec<_> = memberships.iter().map(|membership| membership.organization).collect();
        let organizations = reader.organizations_by_ids(&ids).await?;
        let level = |organization: &Organization| {
            use octroi_domain::user::LinkLevel;
            match memberships.iter().find(|held| held.organization == organization.id).map(|held| held.level) {
                Some(LinkLevel::Certified) => "certified",
                Some(LinkLevel::Verified) => "verified",
                Some(LinkLevel::Unverified) | None => "unverified",
            }
        };
        let roles = reader.roles_of_user(user.id).await?;
        Ok(MeView {
            user: Some(user.into()),
            application: None,
            organizations: organizations.iter().map(|organization| membership(organization, level(organization))).collect(),
            roles: roles
                .into_iter()
                .map(|grant| RoleView { role: grant.role.to_string(), perimeter: grant.perimeter.to_string() })
                .collect(),
        })
    }
}

fn membership(organization: &Organization, level: &str) -> MembershipView {
    MembershipView { organization: organization.into(), level: level.to_owned() }
}

/// Was it proven that mails to this address reach the person? Told to relying parties as `email_verified`. Nothing
/// proves it as long as accounts are made by an operator alone.
pub(crate) const fn email_is_verified(_user: &User) -> bool {
    false
}
