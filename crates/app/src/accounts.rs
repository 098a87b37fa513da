//! Opening an account, and signing in or coming back by mail. No answer tells whether an address has an account.

use octroi_domain::{
    Id, Moment,
    account::{self, CODE_DIGITS, CODE_TRIES, Curve, MAILS, OF_ADDRESS, PROOF_MINUTES, Proof, ProofKind, RESEND_SECONDS},
    authentication::{Authentication, Method},
    mail::Mail,
    text::Language,
    user::User,
};
use octroi_oauth::secret;
use octroi_store::{Reader, Tx};
use serde_json::json;
use uuid::Uuid;

use crate::{
    context::App,
    error::Error,
    mails::accounts as mails,
    sessions::{SignedIn, Step, Visitor, guess_keys, guessed, own_key},
};

/// Minutes to finish a sign-up after the address was proven.
const FINISH_MINUTES: i64 = 60;

/// What a browser waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub email: String,
    pub kind: ProofKind,
    /// Seconds until another mail may be asked for; 0: now.
    pub resend_in: i64,
    /// The address was proven: what is left is to finish.
    pub proven: bool,
}

/// A link that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub email: String,
    /// In the browser that asked for it.
    pub same_browser: bool,
}

/// Who signs up.
#[derive(Debug, Clone)]
pub struct NewAccount {
    pub given_name: String,
    pub family_name: String,
    pub password: String,
    pub language: Language,
}

pub(crate) fn wrong_address(pointer: &str) -> Error {
    Error::field(
        pointer,
        "invalid",
        "Écrivez une adresse électronique, par exemple nom@exemple.fr.",
        "Write an e-mail address, for example name@example.org.",
    )
}

fn wrong_code() -> Error {
    Error::field(
        "/code",
        "wrong_code",
        "Ce code n’est pas le bon, a servi ou a expiré : vérifiez le dernier message reçu, ou demandez-en un autre.",
        "This code is wrong, was used or is out of date: check the last message that you received, or ask for another one.",
    )
}

/// Bound to the browser's word, which is nowhere here: who reads the database cannot try all codes.
fn code_digest(kind: ProofKind, browser: &str, code: &str) -> [u8; 32] {
    secret::digest(&format!("{} {browser} {code}", kind.as_str()))
}

/// # Errors
/// `Invalid`, with what to mend.
pub(crate) fn named(given_name: &str, family_name: &str) -> Result<(String, String), Error> {
    let read = |text: &str, pointer: &str| {
        account::typed_name(text).ok_or_else(|| {
            Error::field(
                pointer,
                "invalid",
                "Donnez un nom de 1 à 120 caractères : des lettres, des espaces, des apostrophes et des traits d’union.",
                "Give a name of 1 to 120 characters: letters, spaces, apostrophes and hyphens.",
            )
        })
    };
    match (read(given_name, "/given_name"), read(family_name, "/family_name")) {
        (Ok(given), Ok(family)) => Ok((given, family)),
        (Err(Error::Invalid(mut both)), Err(Error::Invalid(second))) => {
            both.extend(second);
            Err(Error::Invalid(both))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// A new proof, with the code and the link's word that go into the mail and nowhere else.
pub(crate) struct Fresh {
    pub proof: Proof,
    pub code: String,
    pub link: String,
}

impl App {
    /// Counts a mail that will be sent, and looks that the last one is not a moment ago. The same whoever has the address; a browser that its
    /// owner signed in with before has a count of its own, so that nobody else can use up the mails that let them in.
    pub(crate) async fn mail_turn(&self, kind: ProofKind, email: &str, visitor: Visitor<'_>, now: Moment) -> Result<(), Error> {
        let (_, browser) = visitor.known()?;
        let reader = self.inner.store.read();
        if let Some(last) = reader.proof_of_browser(&browser, kind, now).await?
            && last.email == email
            && let Some(wait) = resend_in(&last, now)
        {
            return Err(Error::TooManyAttempts { retry_after: u32::try_from(wait).unwrap_or(1) });
        }
        if matches!(kind, ProofKind::SignIn | ProofKind::Reset) {
            let owner = reader.user_by_email(email).await?.map(|user| user.id);
            if let Some(own) = own_key(&reader, "mail", owner, visitor).await? {
                return self.guess(&[(own, MAILS)], now).await;
            }
        }
        let keys = [(format!("mail:{email}"), MAILS), (format!("mails:{}", visitor.address), OF_ADDRESS)];
        self.guess(&keys, now).await
    }

    /// A proof to wait for. Without `good`, nothing can prove it: the page is the same.
    pub(crate) fn fresh(
        &self,
        kind: ProofKind,
        email: &str,
        user: Option<Id<User>>,
        good: bool,
        visitor: Visitor<'_>,
        now: Moment,
    ) -> Result<Fresh, Error> {
        let (word, browser) = visitor.known()?;
        let (code, link) = (secret::random_digits(CODE_DIGITS)?, secret::random_word()?);
        let proof = Proof {
            id: Id::from_uuid(Uuid::now_v7()),
            kind,
            browser,
            user,
            email: email.to_owned(),
            code: good.then(|| code_digest(kind, word, &code)),
            link: (good && matches!(kind, ProofKind::SignIn | ProofKind::Reset)).then(|| secret::digest(&link)),
            methods: Vec::new(),
            tries: 0,
            created_at: now,
            expires_at: now.plus_seconds(PROOF_MINUTES * 60),
            proven_at: None,
        };
        Ok(Fresh { proof, code, link })
    }

    pub(crate) async fn wait_for(&self, tx: &mut Tx, proof: &Proof, mail: Option<Mail>, now: Moment) -> Result<(), Error> {
        // Two clicks at once are one.
        let twin = || Error::TooManyAttempts { retry_after: u32::try_from(RESEND_SECONDS).unwrap_or(30) };
        tx.proof_put(proof).await.map_err(|error| if error.is_duplicate() { twin() } else { error.into() })?;
        if let Some(mail) = mail {
            tx.enqueue_mail(now, &mail).await?;
        }
        Ok(())
    }

    /// Begins a sign-up: a code goes to the address. Where it has an account, a mail that says so goes there instead.
    pub async fn sign_up(&self, email: &str, return_to: &str, visitor: Visitor<'_>, language: Language, now: Moment) -> Result<(), Error> {
        let email = account::address(email).ok_or_else(|| wrong_address("/email"))?;
        self.mail_turn(ProofKind::SignUp, &email, visitor, now).await?;
        let mut tx = self.inner.store.write().await?;
        let known = tx.user_by_email(&email).await?;
        let fresh = self.fresh(ProofKind::SignUp, &email, None, known.is_none(), visitor, now)?;
        let mail = match &known {
            Some(user) => mails::sign_up_known(user, return_to, &self.settings().public_url),
            None => mails::sign_up_code(&email, &fresh.code, language, return_to, &self.settings().public_url),
        };
        self.wait_for(&mut tx, &fresh.proof, Some(mail), now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What this browser waits for.
    pub async fn waiting(&self, kind: ProofKind, visitor: Visitor<'_>, now: Moment) -> Result<Option<Waiting>, Error> {
        let Some(browser) = visitor.digest() else { return Ok(None) };
        let found = self.inner.store.read().proof_of_browser(&browser, kind, now).await?;
        Ok(found.map(|proof| Waiting {
            resend_in: resend_in(&proof, now).unwrap_or(0),
            proven: proof.proven_at.is_some(),
            email: proof.email,
            kind,
        }))
    }

    /// The proof that this code proves, and what the try was counted under: every one is, apart and at once.
    pub(crate) async fn tried(
        &self,
        kind: ProofKind,
        code: &str,
        visitor: Visitor<'_>,
        now: Moment,
    ) -> Result<(Proof, Vec<(String, Curve)>), Error> {
        let (word, browser) = visitor.known()?;
        let reader = self.inner.store.read();
        let found = reader.proof_of_browser(&browser, kind, now).await?.ok_or_else(wrong_code)?;
        // A new proof begins a new count of its own: this one goes on over all of them.
        let keys = guess_keys(&reader, "code", &found.email, found.user, visitor).await?;
        self.guess(&keys, now).await?;
        if !found.is_open(now) || !self.inner.store.proof_try(found.id, CODE_TRIES).await? {
            return Err(wrong_code());
        }
        let given = code_digest(kind, word, &account::digits(code));
        match found.code {
            Some(stored) if secret::same_digest(&stored, &given) => Ok((found, keys)),
            _ => Err(wrong_code()),
        }
    }

    /// Proves the address of a sign-up.
    pub async fn prove_sign_up(&self, code: &str, visitor: Visitor<'_>, now: Moment) -> Result<(), Error> {
        let (proof, keys) = self.tried(ProofKind::SignUp, code, visitor, now).await?;
        let mut tx = self.inner.store.write().await?;
        guessed(&mut tx, &keys).await?;
        tx.proof_proven(proof.id, now, now.plus_seconds(FINISH_MINUTES * 60)).await.map_err(used)?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes the account whose address this browser has proven, and signs in.
    pub async fn finish_sign_up(&self, new: NewAccount, visitor: Visitor<'_>, now: Moment) -> Result<SignedIn, Error> {
        let (_, browser) = visitor.known()?;
        let found = self.inner.store.read().proof_of_browser(&browser, ProofKind::SignUp, now).await?;
        let proof = found.filter(|proof| proof.proven_at.is_some()).ok_or(Error::NotFound)?;
        let names = named(&new.given_name, &new.family_name);
        let (given, family) = (new.given_name.as_str(), new.family_name.as_str());
        let strong = crate::password::strong(&new.password, &[given, family, &proof.email], "/password");
        let (given_name, family_name) = both(names, strong)?;
        let hash = self.password_hash(new.password).await?;
        let user = User {
            id: Id::from_uuid(Uuid::new_v4()),
            email: proof.email.clone(),
            given_name,
            family_name,
            language: new.language,
            created_at: now,
            email_verified_at: proof.proven_at,
        };
        let mut tx = self.inner.store.write().await?;
        tx.proof_use(proof.id).await.map_err(used)?;
        tx.user_insert(&user, Some(&hash)).await.map_err(|error| {
            if error.is_duplicate() {
                Error::conflict(
                    "already_exists",
                    "Un compte a été ouvert entre-temps pour cette adresse : connectez-vous.",
                    "An account was opened for this address in the meantime: sign in.",
                )
            } else {
                error.into()
            }
        })?;
        let subject = format!("user:{}", user.id);
        tx.record(now, &subject, "user.signed_up", &subject, json!({}));
        let authentication = Authentication::new(Method::Mail, now).and(Method::Password, now);
        let signed_in = self.open_session(&mut tx, &user, authentication, visitor, now).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Sends a link and a code to sign in with, where the address has an account.
    pub async fn ask_sign_in_mail(&self, email: &str, return_to: &str, visitor: Visitor<'_>, now: Moment) -> Result<(), Error> {
        let email = account::address(email).ok_or_else(|| wrong_address("/email"))?;
        self.mail_turn(ProofKind::SignIn, &email, visitor, now).await?;
        let mut tx = self.inner.store.write().await?;
        let user = tx.user_by_email(&email).await?;
        let fresh = self.fresh(ProofKind::SignIn, &email, user.as_ref().map(|user| user.id), user.is_some(), visitor, now)?;
        // Written for nobody too, so that the time says little.
        let nobody = nobody(&email, now);
        let mail = mails::sign_in(user.as_ref().unwrap_or(&nobody), &fresh.code, &fresh.link, return_to, &self.settings().public_url);
        self.wait_for(&mut tx, &fresh.proof, user.is_some().then_some(mail), now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Signs in by the code of a mail.
    pub async fn sign_in_code(&self, code: &str, visitor: Visitor<'_>, now: Moment) -> Result<Step, Error> {
        let (proof, keys) = self.tried(ProofKind::SignIn, code, visitor, now).await?;
        self.mailed(proof, &keys, visitor, now).await
    }

    /// Whom the link of a mail is for. Looking at it uses nothing up: programs that check links do.
    pub async fn open_link(&self, kind: ProofKind, word: &str, visitor: Visitor<'_>, now: Moment) -> Result<Opened, Error> {
        let proof = linked(&self.inner.store.read(), kind, word, now).await?;
        let same_browser = visitor.digest().is_some_and(|browser| secret::same_digest(&browser, &proof.browser));
        Ok(Opened { email: proof.email, same_browser })
    }

    /// Signs in by the link of a mail.
    pub async fn sign_in_link(&self, word: &str, visitor: Visitor<'_>, now: Moment) -> Result<Step, Error> {
        let proof = linked(&self.inner.store.read(), ProofKind::SignIn, word, now).await?;
        self.mailed(proof, &[], visitor, now).await
    }

    async fn mailed(&self, proof: Proof, keys: &[(String, Curve)], visitor: Visitor<'_>, now: Moment) -> Result<Step, Error> {
        let mut tx = self.inner.store.write().await?;
        let id = proof.user.ok_or_else(wrong_code)?;
        let user = tx.user_lock(id).await?.filter(|user| user.email == proof.email).ok_or_else(wrong_code)?;
        tx.proof_use(proof.id).await.map_err(used)?;
        self.forget_unproven(&mut tx, &user, now).await?;
        let user = verified(&mut tx, user, now).await?;
        tx.commit().await?;
        self.enter(&user, Authentication::new(Method::Mail, now), visitor, now, keys, None).await
    }

    /// Sends a link to choose a new password, where the address has an account.
    pub async fn ask_reset(&self, email: &str, return_to: &str, visitor: Visitor<'_>, now: Moment) -> Result<(), Error> {
        let email = account::address(email).ok_or_else(|| wrong_address("/email"))?;
        self.mail_turn(ProofKind::Reset, &email, visitor, now).await?;
        let mut tx = self.inner.store.write().await?;
        let user = tx.user_by_email(&email).await?;
        let fresh = self.fresh(ProofKind::Reset, &email, user.as_ref().map(|user| user.id), user.is_some(), visitor, now)?;
        let nobody = nobody(&email, now);
        let mail = mails::reset(user.as_ref().unwrap_or(&nobody), &fresh.link, return_to, &self.settings().public_url);
        self.wait_for(&mut tx, &fresh.proof, user.is_some().then_some(mail), now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Chooses a new password by the link of a mail. Every session ends; second factors stay.
    pub async fn reset(&self, word: &str, password: String, now: Moment) -> Result<(), Error> {
        let proof = linked(&self.inner.store.read(), ProofKind::Reset, word, now).await?;
        let id = proof.user.ok_or(Error::NotFound)?;
        let user = self.inner.store.read().user_by_id(id).await?.filter(|user| user.email == proof.email).ok_or(Error::NotFound)?;
        crate::password::strong(&password, &[&user.given_name, &user.family_name, &user.email], "/password")?;
        let hash = self.password_hash(password).await?;
        let mut tx = self.inner.store.write().await?;
        let user = tx.user_lock(id).await?.filter(|now| now.email == proof.email).ok_or(Error::NotFound)?;
        tx.proof_use(proof.id).await.map_err(|_| Error::NotFound)?;
        self.forget_unproven(&mut tx, &user, now).await?;
        let user = verified(&mut tx, user, now).await?;
        tx.user_set_password(user.id, &hash).await?;
        tx.proof_delete_of_user(user.id).await?;
        // Whoever held the old password may have signed in to clients with it.
        self.leave_all_clients(&mut tx, user.id, now).await?;
        let ended = self.end_sessions(&mut tx, user.id, None, now).await?;
        tx.throttle_reset(&format!("password:{}", user.email)).await?;
        let subject = format!("user:{}", user.id);
        tx.record(now, &subject, "user.password_reset", &subject, json!({ "sessions_ended": ended }));
        tx.enqueue_mail(now, &mails::changed(&user, mails::Change::PasswordReset, None, &self.settings().public_url)).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Seconds until another mail may be asked for.
fn resend_in(proof: &Proof, now: Moment) -> Option<i64> {
    let next = proof.created_at.plus_seconds(RESEND_SECONDS);
    (proof.proven_at.is_none() && now < next).then(|| (next.micros() - now.micros()).div_euclid(1_000_000) + 1)
}

pub(crate) fn used(error: octroi_store::StoreError) -> Error {
    if error.is_stale() { wrong_code() } else { error.into() }
}

async fn linked(reader: &Reader, kind: ProofKind, word: &str, now: Moment) -> Result<Proof, Error> {
    if word.len() > 100 {
        return Err(Error::NotFound);
    }
    reader.proof_by_link(&secret::digest(word), now).await?.filter(|proof| proof.kind == kind).ok_or(Error::NotFound)
}

/// Mail to the address reaches this person: it was just proven.
pub(crate) async fn verified(tx: &mut Tx, user: User, now: Moment) -> Result<User, Error> {
    if user.email_verified_at.is_some() {
        return Ok(user);
    }
    let user = User { email_verified_at: Some(now), ..user };
    tx.user_save(&user).await?;
    let subject = format!("user:{}", user.id);
    tx.record(now, &subject, "user.email_verified", &subject, json!({}));
    Ok(user)
}

fn nobody(email: &str, now: Moment) -> User {
    User {
        id: Id::from_uuid(Uuid::nil()),
        email: email.to_owned(),
        given_name: String::new(),
        family_name: String::new(),
        language: Language::Fr,
        created_at: now,
        email_verified_at: None,
    }
}

/// Both outcomes, or all that has to be mended.
pub(crate) fn both<T>(one: Result<T, Error>, other: Result<(), Error>) -> Result<T, Error> {
    match (one, other) {
        (Ok(one), Ok(())) => Ok(one),
        (Err(Error::Invalid(mut all)), Err(Error::Invalid(more))) => {
            all.extend(more);
            Err(Error::Invalid(all))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}
