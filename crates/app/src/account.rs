//! One's own account: names, address, password, sessions, and its end.

use octroi_domain::{
    Id, Moment,
    account::{self, PROOF_MINUTES, ProofKind},
    authentication::{Method, Session},
    user::{Perimeter, Role, User},
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    accounts::{both, named, used, verified, wrong_address},
    context::{App, Context},
    error::Error,
    mails::accounts as mails,
    proofs::address_changed,
    sessions::{SignedIn, Step, Visitor, guess_keys, guessed},
};

/// One's account, as its pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    pub email: String,
    pub email_verified: bool,
    pub given_name: String,
    pub family_name: String,
    pub has_password: bool,
    pub passkeys: Vec<PasskeyView>,
    pub totp: bool,
    pub recovery_codes_left: u64,
    pub sessions: usize,
    /// A role demands two factors.
    pub second_factor_required: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyView {
    pub id: String,
    pub name: String,
    pub created_at: String,
    pub last_used_at: Option<String>,
}

/// One session of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionView {
    pub id: String,
    pub opened_at: String,
    pub last_seen_at: String,
    pub address: String,
    pub agent: String,
    /// `password`, `passkey`, …
    #[schema(value_type = Vec<String>)]
    pub methods: Vec<Method>,
    /// The one that asks.
    pub current: bool,
}

impl App {
    pub async fn account(&self, context: &Context) -> Result<AccountView, Error> {
        let user = self.own(context).await?;
        let reader = self.inner.store.read();
        let factors = self.factors_of(user.id).await?;
        let shown = |at: Moment| at.to_string();
        let passkeys = reader.passkeys_of_user(user.id).await?.into_iter().map(|passkey| PasskeyView {
            id: passkey.id.to_string(),
            name: passkey.name,
            created_at: shown(passkey.created_at),
            last_used_at: passkey.last_used_at.map(shown),
        });
        Ok(AccountView {
            passkeys: passkeys.collect(),
            email_verified: user.email_verified_at.is_some(),
            has_password: reader.user_password(user.id).await?.is_some(),
            totp: factors.totp,
            recovery_codes_left: reader.recovery_codes_left(user.id).await?,
            sessions: reader.sessions_of_user(user.id, context.now).await?.len(),
            second_factor_required: self.settings().second_factor.binds(&Self::person(&reader, user.id).await?),
            email: user.email,
            given_name: user.given_name,
            family_name: user.family_name,
        })
    }

    /// Asked before a page that changes what one comes in with is shown, so that nothing is typed in vain.
    pub fn recently(&self, context: &Context) -> Result<(), Error> {
        context.recent()
    }

    pub async fn rename_account(&self, context: &Context, given_name: &str, family_name: &str) -> Result<(), Error> {
        let (given_name, family_name) = named(given_name, family_name)?;
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        if (&given_name, &family_name) == (&user.given_name, &user.family_name) {
            return Ok(());
        }
        let before = user.full_name();
        let user = User { given_name, family_name, ..user };
        tx.user_save(&user).await?;
        // Which names is not written: the ledger never forgets.
        let subject = format!("user:{}", user.id);
        tx.record(context.now, &subject, "user.renamed", &subject, json!({}));
        let about = format!("{before} → {}", user.full_name());
        tx.enqueue_mail(context.now, &mails::changed(&user, mails::Change::Names, Some(&about), &self.settings().public_url)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Asks for another address, or for proof of the one that is there: a code goes to it.
    pub async fn ask_address(&self, context: &Context, email: &str, visitor: Visitor<'_>) -> Result<(), Error> {
        let user = self.own(context).await?;
        context.recent()?;
        self.strong_enough(context, user.id).await?;
        let email = account::address(email).ok_or_else(|| wrong_address("/email"))?;
        if email == user.email && user.email_verified_at.is_some() {
            return Err(Error::field(
                "/email",
                "same",
                "C’est déjà votre adresse, et elle est vérifiée.",
                "This is your address already, and it is verified.",
            ));
        }
        self.mail_turn(ProofKind::Address, &email, visitor, context.now).await?;
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        let holder = tx.user_by_email(&email).await?;
        // Another person's address is told to its owner alone: the page is the same.
        let free = holder.as_ref().is_none_or(|holder| holder.id == user.id);
        let fresh = self.fresh(ProofKind::Address, &email, Some(user.id), free, visitor, context.now)?;
        let mail = match holder.filter(|holder| holder.id != user.id) {
            Some(holder) => mails::sign_up_known(&holder, "", &self.settings().public_url),
            None => mails::address_code(&user, &email, &fresh.code, &self.settings().public_url),
        };
        self.wait_for(&mut tx, &fresh.proof, Some(mail), context.now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The code that went to the address is right: it is the account's from now on.
    pub async fn confirm_address(&self, context: &Context, code: &str, visitor: Visitor<'_>) -> Result<(), Error> {
        let user = self.own(context).await?;
        context.recent()?;
        let (proof, keys) = self.tried(ProofKind::Address, code, visitor, context.now).await?;
        if proof.user != Some(user.id) {
            return Err(Error::NotFound);
        }
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        // Of those who come at once with the same code one is the first.
        tx.proof_use(proof.id).await.map_err(used)?;
        guessed(&mut tx, &keys).await?;
        if proof.email == user.email {
            verified(&mut tx, user, context.now).await?;
            tx.commit().await?;
            return Ok(());
        }
        let changed = User { email: proof.email.clone(), email_verified_at: Some(context.now), ..user.clone() };
        tx.user_save(&changed).await.map_err(|error| {
            if error.is_duplicate() {
                Error::conflict("already_exists", "Un compte a déjà cette adresse.", "An account already has this address.")
            } else {
                error.into()
            }
        })?;
        // What was sent to the old address opens nothing any more.
        tx.proof_delete_of_user(user.id).await?;
        address_changed(&mut tx, &changed, context.now).await?;
        let subject = format!("user:{}", user.id);
        tx.record(context.now, &subject, "user.email_changed", &subject, json!({}));
        for (told, change) in [(&user, mails::Change::AddressLeft), (&changed, mails::Change::Address)] {
            tx.enqueue_mail(context.now, &mails::changed(told, change, Some(&proof.email), &self.settings().public_url)).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// A new password; every other session ends.
    pub async fn change_password(&self, context: &Context, password: String) -> Result<(), Error> {
        let user = self.own(context).await?;
        context.recent()?;
        self.strong_enough(context, user.id).await?;
        both(Ok(()), crate::password::strong(&password, &[&user.given_name, &user.family_name, &user.email], "/password"))?;
        let hash = self.password_hash(password).await?;
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        tx.user_set_password(user.id, &hash).await?;
        tx.proof_delete_of_user(user.id).await?;
        let ended = self.end_sessions(&mut tx, user.id, context.session.as_ref().map(|session| session.id), context.now).await?;
        let subject = format!("user:{}", user.id);
        tx.record(context.now, &subject, "user.password_changed", &subject, json!({ "sessions_ended": ended }));
        tx.enqueue_mail(context.now, &mails::changed(&user, mails::Change::Password, None, &self.settings().public_url)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// One's sessions, the last used first.
    pub async fn list_sessions(&self, context: &Context) -> Result<Vec<SessionView>, Error> {
        let user = self.own(context).await?;
        let current = context.session.as_ref().map(|session| session.id);
        let all = self.inner.store.read().sessions_of_user(user.id, context.now).await?;
        let view = |session: Session| SessionView {
            current: Some(session.id) == current,
            id: session.id.to_string(),
            opened_at: session.created_at.to_string(),
            last_seen_at: session.last_seen_at.to_string(),
            methods: session.authentication.methods,
            address: session.address,
            agent: session.agent,
        };
        Ok(all.into_iter().map(view).collect())
    }

    /// Ends one of one's sessions; its cookie is worth nothing from now on.
    pub async fn end_session(&self, context: &Context, id: Id<Session>) -> Result<(), Error> {
        context.recent()?;
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        if !tx.sessions_of_user(user.id, context.now).await?.iter().any(|session| session.id == id) {
            return Err(Error::NotFound);
        }
        self.leave_clients(&mut tx, id, context.now).await?;
        tx.session_delete_by_id(id).await?;
        let subject = format!("user:{}", user.id);
        tx.record(context.now, &subject, "session.revoked", &subject, json!({ "session": id }));
        tx.commit().await?;
        Ok(())
    }

    /// Ends all of one's sessions but this one, and forgets the browsers that are known.
    pub async fn end_other_sessions(&self, context: &Context, visitor: Visitor<'_>) -> Result<u64, Error> {
        context.recent()?;
        let kept = context.session.as_ref().ok_or(Error::SignIn)?.id;
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        let ended = self.end_sessions(&mut tx, user.id, Some(kept), context.now).await?;
        tx.browser_delete_of_user(user.id).await?;
        if let Some(browser) = visitor.digest() {
            tx.browser_put(user.id, &browser, context.now).await?;
        }
        let subject = format!("user:{}", user.id);
        tx.record(context.now, &subject, "session.others_revoked", &subject, json!({ "ended": ended }));
        tx.commit().await?;
        Ok(ended)
    }

    /// Proves once more who is there, by password. The session goes on under a new cookie.
    pub async fn again_by_password(&self, context: &Context, password: &str, visitor: Visitor<'_>) -> Result<SignedIn, Error> {
        let user = self.own(context).await?;
        let reader = self.inner.store.read();
        let keys = guess_keys(&reader, "password", &user.email, Some(user.id), visitor).await?;
        self.guess(&keys, context.now).await?;
        let stored = reader.user_password(user.id).await?;
        if password.len() > crate::password::MAX_BYTES || !self.password_verdict(password.to_owned(), stored).await?.good {
            return Err(Error::WrongPassword);
        }
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        guessed(&mut tx, &keys).await?;
        let signed_in = self.step_up(&mut tx, context, &user, Method::Password).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Proves once more who is there, by the code of a mail that was asked for as for a sign-in.
    pub async fn again_by_mail(&self, context: &Context, code: &str, visitor: Visitor<'_>) -> Result<SignedIn, Error> {
        let user = self.own(context).await?;
        let (proof, keys) = self.tried(ProofKind::SignIn, code, visitor, context.now).await?;
        if proof.user != Some(user.id) {
            return Err(Error::NotFound);
        }
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        tx.proof_use(proof.id).await.map_err(used)?;
        guessed(&mut tx, &keys).await?;
        let user = verified(&mut tx, user, context.now).await?;
        let signed_in = self.step_up(&mut tx, context, &user, Method::Mail).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Ends an account. Requests, permits and the ledger keep its id, which is nobody's name; all that is personal goes.
    pub async fn delete_account(&self, context: &Context, typed: &str) -> Result<(), Error> {
        context.recent()?;
        self.strong_enough(context, context.person()?.user).await?;
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        if typed.trim().to_lowercase() != user.email {
            return Err(Error::field(
                "/email",
                "other",
                "Ce n’est pas l’adresse de ce compte : écrivez-la pour confirmer.",
                "This is not the address of this account: write it to confirm.",
            ));
        }
        let operators = tx.role_holders(Role::Operator, &[Perimeter::Platform]).await?;
        if operators.len() == 1 && operators.iter().any(|operator| operator.id == user.id) {
            return Err(Error::conflict(
                "last_operator",
                "Vous êtes la dernière personne qui exploite la plateforme : donnez d’abord ce rôle à une autre.",
                "You are the last person who runs the platform: give the role to somebody else first.",
            ));
        }
        let erased = User {
            email: format!("{}@deleted.invalid", user.id),
            given_name: "Compte".to_owned(),
            family_name: "supprimé".to_owned(),
            email_verified_at: None,
            ..user.clone()
        };
        self.leave_all_clients(&mut tx, user.id, context.now).await?;
        tx.user_erase(&erased, context.now).await?;
        let subject = format!("user:{}", user.id);
        tx.record(context.now, &subject, "user.deleted", &subject, json!({}));
        tx.enqueue_mail(context.now, &mails::changed(&user, mails::Change::Deleted, None, &self.settings().public_url)).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// How long a code or a link lives, for pages that say it.
#[must_use]
pub const fn proof_minutes() -> i64 {
    PROOF_MINUTES
}

impl Step {
    /// The session, when it is open.
    #[must_use]
    pub fn signed_in(self) -> Option<SignedIn> {
        match self {
            Self::In(signed_in) => Some(*signed_in),
            Self::SecondFactor => None,
        }
    }
}
