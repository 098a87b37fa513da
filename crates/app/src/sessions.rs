//! Sign-in, sessions, and who stands behind a credential of the REST API.

use octroi_domain::{
    Id, Moment,
    account::{Curve, GUESSES, OF_ADDRESS, PROOF_MINUTES, Proof, ProofKind},
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
use octroi_store::{Reader, Tx};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    context::{App, Context},
    error::Error,
    password::MAX_BYTES,
    view::{OrganizationView, PersonView},
};

/// A session ends this long after it began, whatever happens.
pub const SESSION_HOURS: i64 = 12;
/// A session ends when it was not used for this long.
pub const IDLE_MINUTES: i64 = 60;

/// Who one is, and what one holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MeView {
    /// None for an application.
    pub user: Option<PersonView>,
    /// Did the person prove that mail to the address reaches them?
    pub email_verified: bool,
    /// None for a person.
    pub application: Option<String>,
    pub organizations: Vec<MembershipView>,
    pub roles: Vec<RoleView>,
    /// The roles are held back until the session is opened with two factors.
    pub second_factor_required: bool,
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

/// How far a sign-in came.
pub enum Step {
    In(Box<SignedIn>),
    /// The first factor was good; the second is waited for in this browser.
    SecondFactor,
}

/// A session found by its cookie.
pub struct Found {
    pub principal: Principal,
    pub session: Session,
    /// Its roles are held back until a second factor is shown.
    pub second_factor_required: bool,
}

/// The browser that somebody signs in with.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// The network address.
    pub address: &'a str,
    /// What it says of itself (`User-Agent`).
    pub agent: &'a str,
    /// The word that it was given to be known by; none: it has none yet.
    pub browser: Option<&'a str>,
}
impl Visitor<'_> {
    /// Under which the browser is kept: the word itself is nowhere.
    pub(crate) fn digest(&self) -> Option<[u8; 32]> {
        self.browser.map(secret::digest)
    }

    /// # Errors
    /// When the browser was given no word: the face gives one before anything is waited for.
    pub(crate) fn known(&self) -> Result<(&str, [u8; 32]), Error> {
        self.browser.map(|word| (word, secret::digest(word))).ok_or_else(|| Error::Internal("a browser without a word".to_owned()))
    }
}

/// What a form or a program sends back with each change that a session makes: made from the session's
/// cookie, which another site cannot read, and of no use for anything else.
#[must_use]
pub fn csrf_token(session: &str) -> String {
    Sha256Hash(secret::digest(&format!("csrf {session}"))).to_string()
}

impl App {
    /// Signs in by password. The same answer, after the same time, for an unknown account and a wrong password. `code` is that of a second
    /// factor, where a program sends both at once.
    pub async fn sign_in(&self, email: &str, password: &str, code: Option<&str>, visitor: Visitor<'_>, now: Moment) -> Result<Step, Error> {
        let email = email.trim().to_lowercase();
        if password.len() > MAX_BYTES || email.len() > 254 {
            return Err(Error::WrongPassword);
        }
        let reader = self.inner.store.read();
        let user = reader.user_by_email(&email).await?;
        let keys = guess_keys(&reader, "password", &email, user.as_ref().map(|user| user.id), visitor).await?;
        // Counted before the password is looked at, and committed apart: parallel tries do not pass.
        self.guess(&keys, now).await?;
        let stored = match &user {
            Some(user) => reader.user_password(user.id).await?,
            None => None,
        };
        let verdict = self.password_verdict(password.to_owned(), stored.clone()).await?;
        let Some(user) = user.filter(|_| verdict.good) else { return Err(Error::WrongPassword) };
        if let Some(renewed) = &verdict.renewed {
            let mut tx = self.inner.store.write().await?;
            // Unless another was chosen while this one was looked at.
            tx.user_rehash_password(user.id, stored.as_deref().unwrap_or_default(), renewed).await?;
            tx.commit().await?;
        }
        let mut authentication = Authentication::new(Method::Password, now);
        if let Some(code) = code {
            authentication = authentication.and(self.second_factor(&user, code, visitor, now).await?, now);
        }
        self.enter(&user, authentication, visitor, now, &keys, verdict.renewed.as_deref().or(stored.as_deref())).await
    }

    /// Counts a guess for each key.
    pub(crate) async fn guess(&self, keys: &[(String, Curve)], now: Moment) -> Result<(), Error> {
        match self.inner.store.throttle_take(keys, now).await? {
            Ok(()) => Ok(()),
            Err(wait) => Err(Error::TooManyAttempts { retry_after: u32::try_from(wait).unwrap_or(u32::MAX) }),
        }
    }

    /// The first factor was good: opens a session, or waits for the second in this browser. `keys` are those that were counted, `hash` is of
    /// the password that was right: one that was changed meanwhile opens nothing.
    pub(crate) async fn enter(
        &self,
        user: &User,
        authentication: Authentication,
        visitor: Visitor<'_>,
        now: Moment,
        keys: &[(String, Curve)],
        hash: Option<&str>,
    ) -> Result<Step, Error> {
        let mut tx = self.inner.store.write().await?;
        let user = &tx.user_lock(user.id).await?.filter(|now| now.email == user.email).ok_or(Error::SignIn)?;
        if hash.is_some() && tx.user_password(user.id).await?.as_deref() != hash {
            return Err(Error::WrongPassword);
        }
        guessed(&mut tx, keys).await?;
        if !authentication.is_multi_factor() && self.asks_second_factor(&tx, user).await? {
            let Some(browser) = visitor.digest() else {
                tx.commit().await?;
                return Err(Error::SecondFactor);
            };
            let waiting = Proof {
                id: Id::from_uuid(Uuid::now_v7()),
                kind: ProofKind::SecondFactor,
                browser,
                user: Some(user.id),
                email: user.email.clone(),
                code: None,
                link: None,
                methods: authentication.methods,
                tries: 0,
                created_at: authentication.at,
                expires_at: now.plus_seconds(PROOF_MINUTES * 60),
                proven_at: None,
            };
            tx.proof_put(&waiting).await?;
            tx.commit().await?;
            return Ok(Step::SecondFactor);
        }
        let signed_in = self.open_session(&mut tx, user, authentication, visitor, now).await?;
        tx.commit().await?;
        Ok(Step::In(Box::new(signed_in)))
    }

    /// Is a second factor waited for before a session opens? When the person set up an application for codes, and when a role demands two
    /// factors and there is one. A passkey beside a password is another way in, not a lock.
    async fn asks_second_factor(&self, reader: &Reader, user: &User) -> Result<bool, Error> {
        if reader.totp_of_user(user.id).await?.is_some_and(|totp| totp.confirmed_at.is_some()) {
            return Ok(true);
        }
        let person = Self::person(reader, user.id).await?;
        Ok(self.settings().second_factor.binds(&person) && !reader.passkeys_of_user(user.id).await?.is_empty())
    }

    /// Opens a session, in the transaction of what proved who is there.
    pub(crate) async fn open_session(
        &self,
        tx: &mut Tx,
        user: &User,
        authentication: Authentication,
        visitor: Visitor<'_>,
        now: Moment,
    ) -> Result<SignedIn, Error> {
        // Their account may have been deleted, or changed hands, since they proved who they are.
        let user = &tx.user_lock(user.id).await?.filter(|now| now.email == user.email).ok_or(Error::SignIn)?;
        let session = Session {
            id: Id::from_uuid(Uuid::new_v4()),
            user: user.id,
            authentication,
            created_at: now,
            last_seen_at: now,
            expires_at: now.plus_seconds(IDLE_MINUTES * 60),
            address: visitor.address.chars().take(60).collect(),
            agent: visitor.agent.chars().filter(|c| !c.is_control()).take(200).collect(),
        };
        let details = json!({ "methods": session.authentication.methods });
        tx.record(now, &format!("user:{}", user.id), "session.opened", &format!("user:{}", user.id), details);
        if let Some(browser) = visitor.digest() {
            tx.browser_put(user.id, &browser, now).await?;
        }
        self.note_upstream(tx, &session, visitor, now).await?;
        self.keep(tx, user, &session).await
    }

    /// One more proof for a session that is open: it goes on under a new cookie, and the old one is worth nothing.
    pub(crate) async fn step_up(&self, tx: &mut Tx, context: &Context, user: &User, method: Method) -> Result<SignedIn, Error> {
        let held = context.session.as_ref().ok_or(Error::SignIn)?;
        let session = Session { authentication: held.authentication.and(method, context.now), last_seen_at: context.now, ..held.clone() };
        if !tx.session_delete_by_id(held.id).await? {
            return Err(Error::SignIn);
        }
        let actor = context.principal.actor();
        tx.record(context.now, &actor, "session.stepped_up", &actor, json!({ "methods": session.authentication.methods }));
        self.keep(tx, user, &session).await
    }

    async fn keep(&self, tx: &mut Tx, user: &User, session: &Session) -> Result<SignedIn, Error> {
        let token = secret::random_word()?;
        tx.session_insert(&secret::digest(&token), session).await?;
        let (person, required) = self.held_back(Self::person(tx, user.id).await?, &session.authentication);
        let me = self.me_of(tx, user, &person, required).await?;
        Ok(SignedIn { csrf_token: csrf_token(&token), session: token, me })
    }

    /// Without its roles, where they demand two factors and the session has one: who holds it is anybody until then.
    fn held_back(&self, person: Person, authentication: &Authentication) -> (Person, bool) {
        let required = self.settings().second_factor.binds(&person) && !authentication.is_multi_factor();
        if required { (Person { roles: Vec::new(), ..person }, true) } else { (person, false) }
    }

    /// Ends the session that this cookie stands for.
    pub async fn sign_out(&self, context: &Context, session: &str) -> Result<(), Error> {
        context.require(Action::SignOut, &Subject::Platform)?;
        let mut tx = self.inner.store.write().await?;
        if tx.session_delete(&secret::digest(session)).await? {
            let actor = context.principal.actor();
            tx.record(context.now, &actor, "session.closed", &actor, json!({}));
            if let Some(held) = &context.session {
                tx.upstream_session_delete(held.id).await?;
                self.leave_clients(&mut tx, held.id, context.now).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Ends the sessions of a person, but for the one that is kept, and what they gave to clients; how many there were.
    pub(crate) async fn end_sessions(&self, tx: &mut Tx, user: Id<User>, kept: Option<Id<Session>>, now: Moment) -> Result<u64, Error> {
        for session in tx.sessions_of_user(user, now).await? {
            if Some(session.id) != kept {
                self.leave_clients(tx, session.id, now).await?;
            }
        }
        Ok(match kept {
            Some(kept) => tx.session_delete_others(user, kept).await?,
            None => tx.session_delete_of_user(user).await?,
        })
    }

    /// The language that a signed-in person reads and is written to in; mails follow it. For anybody else it
    /// is the browser's business alone.
    pub async fn choose_language(&self, context: &Context, language: Language) -> Result<(), Error> {
        context.require(Action::ChooseLanguage, &Subject::Platform)?;
        let Principal::Person(person) = &context.principal else { return Ok(()) };
        let mut tx = self.inner.store.write().await?;
        let Some(user) = tx.user_lock(person.user).await?.filter(|user| user.language != language) else { return Ok(()) };
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
        let (person, second_factor_required) = self.held_back(person, &session.authentication);
        Ok(Some(Found { principal: Principal::Person(person), session, second_factor_required }))
    }

    async fn touch(&self, digest: [u8; 32], now: Moment, expires: Moment) -> Result<(), Error> {
        let mut tx = self.inner.store.write().await?;
        tx.session_touch(&digest, now, expires).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(crate) async fn person(reader: &Reader, user: Id<User>) -> Result<Person, Error> {
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

    /// Who asks. `second_factor_required`: as the session was found.
    pub async fn me(&self, context: &Context, second_factor_required: bool) -> Result<MeView, Error> {
        context.require(Action::ReadSelf, &Subject::Platform)?;
        let reader = self.inner.store.read();
        match &context.principal {
            Principal::Anonymous => Err(Error::SignIn),
            Principal::Person(person) => {
                let user = reader.user_by_id(person.user).await?.ok_or(Error::SignIn)?;
                self.me_of(&reader, &user, person, second_factor_required).await
            }
            Principal::Application(machine) => {
                let organization = reader.organization_by_id(machine.organization).await?;
                let organizations = organization.iter().map(|organization| membership(organization, "certified")).collect();
                Ok(MeView {
                    user: None,
                    email_verified: false,
                    application: Some(machine.application.to_string()),
                    organizations,
                    roles: Vec::new(),
                    second_factor_required: false,
                })
            }
        }
    }

    async fn me_of(&self, reader: &Reader, user: &User, person: &Person, second_factor_required: bool) -> Result<MeView, Error> {
        let Person { memberships, roles, .. } = person;
        let ids: Vec<_> = memberships.iter().map(|(organization, _)| *organization).collect();
        let organizations = reader.organizations_by_ids(&ids).await?;
        let level = |organization: &Organization| {
            use octroi_domain::user::LinkLevel;
            match memberships.iter().find(|(held, _)| *held == organization.id).map(|(_, level)| *level) {
                Some(LinkLevel::Certified) => "certified",
                Some(LinkLevel::Verified) => "verified",
                Some(LinkLevel::Unverified) | None => "unverified",
            }
        };
        Ok(MeView {
            user: Some(user.into()),
            email_verified: user.email_verified_at.is_some(),
            application: None,
            organizations: organizations.iter().map(|organization| membership(organization, level(organization))).collect(),
            roles: roles.iter().map(|grant| RoleView { role: grant.role.to_string(), perimeter: grant.perimeter.to_string() }).collect(),
            second_factor_required,
        })
    }
}

fn membership(organization: &Organization, level: &str) -> MembershipView {
    MembershipView { organization: organization.into(), level: level.to_owned() }
}

/// What a guess is counted under: a password, a code of a mail, or a second factor. A browser that the person signed in with before has a count
/// of its own, so that nobody else can keep its owner out; any other shares one for the account, and one for the network address.
pub(crate) async fn guess_keys(
    reader: &Reader,
    what: &str,
    email: &str,
    user: Option<Id<User>>,
    visitor: Visitor<'_>,
) -> Result<Vec<(String, Curve)>, Error> {
    Ok(match own_key(reader, what, user, visitor).await? {
        Some(own) => vec![(own, GUESSES)],
        None => vec![(format!("{what}:{email}"), GUESSES), (format!("address:{}", visitor.address), OF_ADDRESS)],
    })
}

/// What something is counted under for a browser that the person signed in with before; none for any other.
pub(crate) async fn own_key(reader: &Reader, what: &str, user: Option<Id<User>>, visitor: Visitor<'_>) -> Result<Option<String>, Error> {
    let Some(browser) = visitor.digest() else { return Ok(None) };
    // Asked for nobody too, so that the time says nothing.
    let id = user.unwrap_or_else(|| Id::from_uuid(Uuid::nil()));
    let known = reader.browser_is_known(id, &browser).await?;
    Ok(known.then(|| format!("{what}:{id}:{}", Sha256Hash(browser))))
}

/// A guess was right: those before it are forgotten. Many people may share an address, so there one guess alone is given back.
pub(crate) async fn guessed(tx: &mut Tx, keys: &[(String, Curve)]) -> Result<(), Error> {
    for (key, _) in keys {
        if key.starts_with("address:") { tx.throttle_give_back(key).await? } else { tx.throttle_reset(key).await? }
    }
    Ok(())
}
