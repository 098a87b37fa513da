//! Second factors by code: those of an application (TOTP), and recovery codes.

use octroi_domain::{
    Id, Moment,
    account::{self, GUESSES, Proof, ProofKind, RECOVERY_CODES},
    authentication::{Authentication, Method},
    policy::{Action, Subject},
    user::User,
};
use octroi_oauth::{secret, totp};
use octroi_store::{Totp, Tx};
use serde_json::json;

use crate::{
    context::{App, Context},
    error::Error,
    mails::accounts as mails,
    sessions::{SignedIn, Visitor, guess_keys, guessed},
};

/// Letters of a recovery code: 79 bits.
const RECOVERY_LETTERS: usize = 16;

/// Which second factors a person can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Factors {
    pub totp: bool,
    pub passkey: bool,
    pub recovery: bool,
}
impl Factors {
    #[must_use]
    pub const fn any(self) -> bool {
        self.totp || self.passkey
    }
}

/// What an application for codes needs, shown until a first code was right.
#[derive(Clone)]
pub struct TotpSetup {
    /// Base 32, to be typed.
    pub secret: String,
    /// For a picture.
    pub uri: String,
}

fn wrong() -> Error {
    Error::field(
        "/code",
        "wrong_code",
        "Ce code n’est pas le bon, ou a déjà servi : attendez le suivant, ou prenez un code de secours.",
        "This code is wrong or was used already: wait for the next one, or take a recovery code.",
    )
}

/// Before the application is in place there are no recovery codes.
fn unlike() -> Error {
    Error::field(
        "/code",
        "wrong_code",
        "Ce code n’est pas le bon : attendez que l’application en montre un autre, et saisissez-le tel quel.",
        "This code is wrong: wait until the application shows another, and type it as it is.",
    )
}

fn seal_context(user: Id<User>) -> String {
    format!("totp:{user}")
}

fn recovery_digest(user: Id<User>, code: &str) -> [u8; 32] {
    secret::digest(&format!("recovery {user} {code}"))
}

/// Letters and digits alone, whatever stands between them.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).take(40).collect::<String>().to_ascii_lowercase()
}

impl App {
    /// The method that this code proves. Every try is counted, apart and at once; a code works once.
    pub(crate) async fn second_factor(&self, user: &User, code: &str, visitor: Visitor<'_>, now: Moment) -> Result<Method, Error> {
        // Whoever learnt the password cannot keep the owner out either.
        let keys = guess_keys(&self.inner.store.read(), "second_factor", &user.email, Some(user.id), visitor).await?;
        self.guess(&keys, now).await?;
        let mut tx = self.inner.store.write().await?;
        let code = plain(code);
        let method = if code.len() == 6 {
            let held = tx.totp_of_user(user.id).await?.filter(|held| held.confirmed_at.is_some()).ok_or_else(wrong)?;
            self.accept(&mut tx, &held, &code, now).await?;
            Method::Totp
        } else {
            if code.len() != RECOVERY_LETTERS || !tx.recovery_code_use(user.id, &recovery_digest(user.id, &code), now).await? {
                return Err(wrong());
            }
            let left = tx.recovery_codes_left(user.id).await?;
            let subject = format!("user:{}", user.id);
            tx.record(now, &subject, "user.recovery_code_used", &subject, json!({ "left": left }));
            tx.enqueue_mail(now, &mails::changed(user, mails::Change::RecoveryUsed, Some(&left.to_string()), &self.settings().public_url))
                .await?;
            Method::RecoveryCode
        };
        guessed(&mut tx, &keys).await?;
        tx.commit().await?;
        Ok(method)
    }

    async fn accept(&self, tx: &mut Tx, held: &Totp, code: &str, now: Moment) -> Result<(), Error> {
        let internal = |error: &dyn std::error::Error| Error::Internal(error.to_string());
        let seed = self.inner.master_key.open(&seal_context(held.user), &held.sealed).map_err(|error| internal(&error))?;
        let step = totp::step_of(&seed, code, now.micros().div_euclid(1_000_000), held.last_step).ok_or_else(wrong)?;
        if tx.totp_accept(held.user, step, now).await? { Ok(()) } else { Err(wrong()) }
    }

    pub(crate) async fn factors_of(&self, user: Id<User>) -> Result<Factors, Error> {
        let reader = self.inner.store.read();
        Ok(Factors {
            totp: reader.totp_of_user(user).await?.is_some_and(|held| held.confirmed_at.is_some()),
            passkey: self.inner.passkeys.is_some() && !reader.passkeys_of_user(user).await?.is_empty(),
            recovery: reader.recovery_codes_left(user).await? > 0,
        })
    }

    /// The sign-in that waits in this browser for its second factor.
    pub(crate) async fn half_signed_in(&self, visitor: Visitor<'_>, now: Moment) -> Result<(Proof, User), Error> {
        let browser = visitor.digest().ok_or(Error::SignIn)?;
        let reader = self.inner.store.read();
        let proof = reader.proof_of_browser(&browser, ProofKind::SecondFactor, now).await?.ok_or(Error::SignIn)?;
        let user = match proof.user {
            Some(user) => reader.user_by_id(user).await?,
            None => None,
        };
        Ok((proof, user.ok_or(Error::SignIn)?))
    }

    /// What can be shown as a second factor: by who is half signed in in this browser, or by who is signed in.
    pub async fn offered_factors(&self, context: &Context, visitor: Visitor<'_>) -> Result<Factors, Error> {
        let user = match context.principal.person() {
            Some(person) => person.user,
            None => self.half_signed_in(visitor, context.now).await?.1.id,
        };
        self.factors_of(user).await
    }

    /// Ends a sign-in with the code of a second factor; or, for who is signed in, makes the session one of two factors. Either way it has a new
    /// cookie.
    pub async fn show_second_factor(&self, context: &Context, code: &str, visitor: Visitor<'_>) -> Result<SignedIn, Error> {
        if let Some(person) = context.principal.person() {
            let user = self.inner.store.read().user_by_id(person.user).await?.ok_or(Error::SignIn)?;
            let method = self.second_factor(&user, code, visitor, context.now).await?;
            let mut tx = self.inner.store.write().await?;
            let signed_in = self.step_up(&mut tx, context, &user, method).await?;
            tx.commit().await?;
            return Ok(signed_in);
        }
        let (proof, user) = self.half_signed_in(visitor, context.now).await?;
        let method = self.second_factor(&user, code, visitor, context.now).await?;
        self.whole(proof, &user, method, visitor, context.now).await
    }

    /// The second factor was good.
    pub(crate) async fn whole(
        &self,
        proof: Proof,
        user: &User,
        method: Method,
        visitor: Visitor<'_>,
        now: Moment,
    ) -> Result<SignedIn, Error> {
        let mut tx = self.inner.store.write().await?;
        tx.proof_use(proof.id).await.map_err(|error| if error.is_stale() { Error::SignIn } else { error.into() })?;
        let authentication = Authentication { at: proof.created_at, methods: proof.methods }.and(method, now);
        let signed_in = self.open_session(&mut tx, user, authentication, visitor, now).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Begins to set up an application for codes; what was begun before and not confirmed is replaced.
    pub async fn begin_totp(&self, context: &Context) -> Result<TotpSetup, Error> {
        let user = self.own(context).await?;
        context.recent()?;
        let seed = totp::seed()?;
        let sealed = self.inner.master_key.seal(&seal_context(user.id), &seed).map_err(|error| Error::Internal(error.to_string()))?;
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        if tx.totp_of_user(user.id).await?.is_some_and(|held| held.confirmed_at.is_some()) {
            return Err(Error::conflict(
                "already_there",
                "Une application donne déjà vos codes : retirez-la d’abord.",
                "An application gives your codes already: remove it first.",
            ));
        }
        tx.totp_put(&Totp { user: user.id, sealed, last_step: 0, created_at: context.now, confirmed_at: None }).await?;
        tx.commit().await?;
        Ok(self.setup(&user, &seed))
    }

    fn setup(&self, user: &User, seed: &[u8]) -> TotpSetup {
        TotpSetup { secret: totp::base32(seed), uri: totp::uri("Octroi", &user.email, seed) }
    }

    /// The same once more, while no code was right yet.
    pub async fn totp_setup(&self, context: &Context) -> Result<Option<TotpSetup>, Error> {
        let user = self.own(context).await?;
        context.recent()?;
        let held = self.inner.store.read().totp_of_user(user.id).await?.filter(|held| held.confirmed_at.is_none());
        let Some(held) = held else { return Ok(None) };
        let seed = self.inner.master_key.open(&seal_context(user.id), &held.sealed).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Some(self.setup(&user, &seed)))
    }

    /// The first code is right: the application is a factor from now on. Recovery codes are made with it, and shown once; the session is one of
    /// two factors.
    pub async fn confirm_totp(&self, context: &Context, code: &str) -> Result<(Vec<String>, SignedIn), Error> {
        let user = self.own(context).await?;
        context.recent()?;
        let key = format!("totp_setup:{}", user.id);
        self.guess(&[(key.clone(), GUESSES)], context.now).await?;
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        let held = tx.totp_of_user(user.id).await?.filter(|held| held.confirmed_at.is_none()).ok_or(Error::NotFound)?;
        self.accept(&mut tx, &held, &account::digits(code), context.now).await.map_err(|error| match error {
            Error::Invalid(_) => unlike(),
            error => error,
        })?;
        let codes = new_recovery_codes(&mut tx, user.id).await?;
        let subject = format!("user:{}", user.id);
        tx.record(context.now, &subject, "user.totp_added", &subject, json!({}));
        tx.enqueue_mail(context.now, &mails::changed(&user, mails::Change::TotpAdded, None, &self.settings().public_url)).await?;
        tx.throttle_reset(&key).await?;
        let signed_in = self.step_up(&mut tx, context, &user, Method::Totp).await?;
        tx.commit().await?;
        Ok((codes, signed_in))
    }

    /// The application gives no codes any more; recovery codes go with it.
    pub async fn remove_totp(&self, context: &Context) -> Result<(), Error> {
        let user = self.own(context).await?;
        context.recent()?;
        self.strong_enough(context, user.id).await?;
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        if !tx.totp_delete(user.id).await? {
            return Err(Error::NotFound);
        }
        tx.recovery_codes_put(user.id, &[]).await?;
        let subject = format!("user:{}", user.id);
        tx.record(context.now, &subject, "user.totp_removed", &subject, json!({}));
        tx.enqueue_mail(context.now, &mails::changed(&user, mails::Change::TotpRemoved, None, &self.settings().public_url)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ten new recovery codes; those of before are worth nothing.
    pub async fn renew_recovery_codes(&self, context: &Context) -> Result<Vec<String>, Error> {
        let user = self.own(context).await?;
        context.recent()?;
        self.strong_enough(context, user.id).await?;
        if !self.factors_of(user.id).await?.totp {
            return Err(Error::conflict(
                "no_totp",
                "Les codes de secours vont avec une application : mettez-la d’abord en place.",
                "Recovery codes go with an application: set it up first.",
            ));
        }
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        let codes = new_recovery_codes(&mut tx, user.id).await?;
        let subject = format!("user:{}", user.id);
        tx.record(context.now, &subject, "user.recovery_codes_renewed", &subject, json!({}));
        tx.enqueue_mail(context.now, &mails::changed(&user, mails::Change::RecoveryRenewed, None, &self.settings().public_url)).await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Whoever has a second factor shows it before the account's locks are changed: a session of one factor could take them away otherwise.
    pub(crate) async fn strong_enough(&self, context: &Context, user: Id<User>) -> Result<(), Error> {
        let strong = context.session.as_ref().is_some_and(|session| session.authentication.is_multi_factor());
        if strong || !self.factors_of(user).await?.any() { Ok(()) } else { Err(Error::SecondFactor) }
    }

    /// Who asks, for what one does with one's own account.
    pub(crate) async fn own(&self, context: &Context) -> Result<User, Error> {
        context.require(Action::ManageAccount, &Subject::Platform)?;
        self.inner.store.read().user_by_id(context.person()?.user).await?.ok_or(Error::SignIn)
    }

    /// The same, as they are now, and nobody else changes their account until the transaction ends: it may have been changed or deleted, and
    /// the session ended, since the request came in.
    pub(crate) async fn own_in(&self, tx: &mut Tx, context: &Context) -> Result<User, Error> {
        context.require(Action::ManageAccount, &Subject::Platform)?;
        let (user, session) = (context.person()?.user, context.session.as_ref());
        let found = match session {
            Some(session) => tx.user_lock_in(user, session.id).await?,
            None => tx.user_lock(user).await?,
        };
        found.ok_or(Error::SignIn)
    }
}

/// Shown once, in groups of four.
async fn new_recovery_codes(tx: &mut Tx, user: Id<User>) -> Result<Vec<String>, Error> {
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        codes.push(secret::random_letters(RECOVERY_LETTERS)?);
    }
    let digests: Vec<[u8; 32]> = codes.iter().map(|code| recovery_digest(user, code)).collect();
    tx.recovery_codes_put(user, &digests).await?;
    let grouped = |code: &String| {
        let letters: Vec<char> = code.chars().collect();
        letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
    };
    Ok(codes.iter().map(grouped).collect())
}
