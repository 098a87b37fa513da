//! Passkeys (WebAuthn level 3): the challenge is bound to the browser that asked for it and is worth one answer; its state never leaves the server.

use octroi_domain::{
    Id,
    account::{Curve, MOST_NAME, MOST_PASSKEYS, OF_ADDRESS, Passkey},
    authentication::{Authentication, Method},
    user::User,
};
use octroi_store::Ceremony;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{
        AuthenticationResult, DiscoverableAuthentication, DiscoverableKey, Passkey as Key, PasskeyAuthentication, PasskeyRegistration,
        PublicKeyCredential, RegisterPublicKeyCredential,
    },
};

use crate::{
    context::{App, Context},
    error::Error,
    mails::accounts as mails,
    sessions::{SignedIn, Step, Visitor, guess_keys, guessed},
};

/// Seconds that a challenge lives.
const CHALLENGE_SECONDS: i64 = 300;
/// Bytes of a browser's answer.
const MAX_ANSWER: usize = 20_000;

const ADD: &str = "add";
const SIGN_IN: &str = "sign_in";
const SECOND: &str = "second_factor";

/// Verifies passkeys for the public address; none where its host is a bare address, which passkeys cannot be bound to.
pub(crate) fn verifier(public_url: &str) -> Option<Webauthn> {
    let url = Url::parse(public_url).ok()?;
    let host = url.domain()?;
    WebauthnBuilder::new(host, &url).and_then(|builder| builder.rp_name("Octroi").build()).ok()
}

fn refused() -> Error {
    Error::field(
        "/passkey",
        "wrong_passkey",
        "La clé d’accès n’a pas été reconnue : recommencez, ou prenez un autre moyen.",
        "The passkey was not recognised: try again, or take another way.",
    )
}

fn text(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string()))
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Internal(error.to_string()))
}

fn answer<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    if text.len() > MAX_ANSWER {
        return Err(refused());
    }
    serde_json::from_str(text).map_err(|_| refused())
}

impl App {
    fn passkey_verifier(&self) -> Result<&Webauthn, Error> {
        self.inner.passkeys.as_ref().ok_or_else(|| {
            Error::conflict(
                "no_passkeys",
                "Cette plateforme n’a pas de nom auquel lier une clé d’accès : prenez un autre moyen.",
                "This platform has no name that a passkey can be bound to: take another way.",
            )
        })
    }

    /// Can passkeys be used here?
    #[must_use]
    pub fn has_passkeys(&self) -> bool {
        self.inner.passkeys.is_some()
    }

    async fn challenge(
        &self,
        purpose: &'static str,
        user: Option<Id<User>>,
        state: String,
        context: &Context,
        visitor: Visitor<'_>,
    ) -> Result<(), Error> {
        let (_, browser) = visitor.known()?;
        let mut tx = self.inner.store.write().await?;
        let expires_at = context.now.plus_seconds(CHALLENGE_SECONDS);
        tx.ceremony_put(&Ceremony { browser, purpose, user, state, expires_at }).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The challenge that this browser was given, once.
    async fn challenged(&self, purpose: &'static str, context: &Context, visitor: Visitor<'_>) -> Result<Ceremony, Error> {
        let (_, browser) = visitor.known()?;
        let mut tx = self.inner.store.write().await?;
        let found = tx.ceremony_take(&browser, purpose, context.now).await?;
        tx.commit().await?;
        found.ok_or_else(refused)
    }

    /// The options of `navigator.credentials.create`, to add a passkey to one's account.
    pub async fn begin_passkey(&self, context: &Context, visitor: Visitor<'_>) -> Result<Value, Error> {
        let user = self.own(context).await?;
        context.recent()?;
        self.strong_enough(context, user.id).await?;
        let held = self.inner.store.read().passkeys_of_user(user.id).await?;
        if held.len() >= MOST_PASSKEYS {
            return Err(Error::conflict(
                "too_many_passkeys",
                "Vous avez déjà vingt clés d’accès : retirez-en une.",
                "You have twenty passkeys already: remove one.",
            ));
        }
        let known = held.iter().map(|passkey| passkey.credential.clone()).collect();
        let (options, state) = self
            .passkey_verifier()?
            .start_passkey_registration(user.id.uuid(), &user.email, &user.full_name(), Some(known))
            .map_err(|error| Error::Internal(error.to_string()))?;
        self.challenge(ADD, Some(user.id), text(&state)?, context, visitor).await?;
        let mut options = serde_json::to_value(&options).map_err(|error| Error::Internal(error.to_string()))?;
        // A passkey that its holder can find without saying who they are, wherever the authenticator keeps such ones.
        if let Some(selection) = options.pointer_mut("/publicKey/authenticatorSelection").and_then(Value::as_object_mut) {
            selection.insert("residentKey".to_owned(), json!("preferred"));
            selection.insert("requireResidentKey".to_owned(), json!(false));
        }
        Ok(options)
    }

    /// Keeps the passkey that the browser made.
    pub async fn add_passkey(&self, context: &Context, name: &str, made: &str, visitor: Visitor<'_>) -> Result<(), Error> {
        let user = self.own(context).await?;
        context.recent()?;
        self.strong_enough(context, user.id).await?;
        let name = passkey_name(name)?;
        let challenge = self.challenged(ADD, context, visitor).await?;
        if challenge.user != Some(user.id) {
            return Err(refused());
        }
        let made: RegisterPublicKeyCredential = answer(made)?;
        let state: PasskeyRegistration = read(&challenge.state)?;
        let key = self.passkey_verifier()?.finish_passkey_registration(&made, &state).map_err(|_| refused())?;
        let passkey = Passkey {
            id: Id::from_uuid(Uuid::now_v7()),
            user: user.id,
            credential: key.cred_id().to_vec(),
            name,
            data: text(&key)?,
            created_at: context.now,
            last_used_at: None,
        };
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        tx.passkey_insert(&passkey).await.map_err(|error| if error.is_duplicate() { refused() } else { error.into() })?;
        let subject = format!("user:{}", user.id);
        tx.record(context.now, &subject, "user.passkey_added", &subject, json!({ "passkey": passkey.id }));
        tx.enqueue_mail(context.now, &mails::changed(&user, mails::Change::PasskeyAdded, Some(&passkey.name), &self.settings().public_url))
            .await?;
        tx.commit().await?;
        Ok(())
    }

    pub async fn rename_passkey(&self, context: &Context, id: Id<Passkey>, name: &str) -> Result<(), Error> {
        let name = passkey_name(name)?;
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        if !tx.passkey_rename(user.id, id, &name).await? {
            return Err(Error::NotFound);
        }
        let subject = format!("user:{}", user.id);
        tx.record(context.now, &subject, "user.passkey_renamed", &subject, json!({ "passkey": id }));
        tx.commit().await?;
        Ok(())
    }

    pub async fn delete_passkey(&self, context: &Context, id: Id<Passkey>) -> Result<(), Error> {
        let user = self.own(context).await?;
        context.recent()?;
        self.strong_enough(context, user.id).await?;
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        let named = tx.passkeys_of_user(user.id).await?.into_iter().find(|passkey| passkey.id == id).ok_or(Error::NotFound)?;
        if !tx.passkey_delete(user.id, id).await? {
            return Err(Error::NotFound);
        }
        let subject = format!("user:{}", user.id);
        tx.record(context.now, &subject, "user.passkey_removed", &subject, json!({ "passkey": id }));
        tx.enqueue_mail(context.now, &mails::changed(&user, mails::Change::PasskeyRemoved, Some(&named.name), &self.settings().public_url))
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The options of `navigator.credentials.get`. To sign in they name no key, so they tell nothing of any account; for a second factor, and for
    /// who is signed in, they name that person's.
    pub async fn ask_passkey(&self, context: &Context, visitor: Visitor<'_>) -> Result<Value, Error> {
        let verifier = self.passkey_verifier()?;
        let internal = |error: &dyn std::error::Error| Error::Internal(error.to_string());
        let user = match context.principal.person() {
            Some(person) => Some(person.user),
            None => self.half_signed_in(visitor, context.now).await.ok().map(|(_, user)| user.id),
        };
        let (mut options, purpose, state) = if let Some(user) = user {
            let held = self.inner.store.read().passkeys_of_user(user).await?;
            let keys = held.iter().map(|passkey| read::<Key>(&passkey.data)).collect::<Result<Vec<_>, _>>()?;
            let (options, state) = verifier.start_passkey_authentication(&keys).map_err(|_| refused())?;
            (serde_json::to_value(&options).map_err(|error| internal(&error))?, SECOND, text(&state)?)
        } else {
            self.guess(&[(format!("passkeys:{}", visitor.address), OF_ADDRESS)], context.now).await?;
            let (options, state) = verifier.start_discoverable_authentication().map_err(|error| internal(&error))?;
            (serde_json::to_value(&options).map_err(|error| internal(&error))?, SIGN_IN, text(&state)?)
        };
        self.challenge(purpose, user, state, context, visitor).await?;
        // A button asks for it: no list under a field.
        if let Some(options) = options.as_object_mut() {
            options.remove("mediation");
        }
        Ok(options)
    }

    /// Signs in with a passkey alone: it verified its holder, so it is two factors.
    pub async fn sign_in_passkey(&self, context: &Context, shown: &str, visitor: Visitor<'_>) -> Result<Step, Error> {
        let challenge = self.challenged(SIGN_IN, context, visitor).await?;
        let shown: PublicKeyCredential = answer(shown)?;
        let verifier = self.passkey_verifier()?;
        let (user, credential) = verifier.identify_discoverable_authentication(&shown).map_err(|_| refused())?;
        let held = self.inner.store.read().passkey_by_credential(credential).await?;
        let held = held.filter(|passkey| passkey.user.uuid() == user).ok_or_else(refused)?;
        let key: Key = read(&held.data)?;
        let state: DiscoverableAuthentication = read(&challenge.state)?;
        let known = DiscoverableKey::from(&key);
        let result = verifier.finish_discoverable_authentication_v2(&shown, state, &known).map_err(|_| refused())?;
        let user = self.passkey_used(held, key, &result, &[], context).await?;
        self.enter(&user, Authentication::new(Method::Passkey, context.now), visitor, context.now, &[], None).await
    }

    /// Ends a sign-in with a passkey as its second factor; or shows it once more, for who is signed in. Either way the session has a new cookie.
    pub async fn show_passkey(&self, context: &Context, shown: &str, visitor: Visitor<'_>) -> Result<SignedIn, Error> {
        let challenge = self.challenged(SECOND, context, visitor).await?;
        let half = match context.principal.person() {
            Some(_) => None,
            None => Some(self.half_signed_in(visitor, context.now).await?),
        };
        let asked = context.principal.person().map(|person| person.user).or_else(|| half.as_ref().map(|(_, user)| user.id));
        if challenge.user.is_none() || challenge.user != asked {
            return Err(refused());
        }
        let keys = match asked {
            Some(asked) => {
                let reader = self.inner.store.read();
                let user = reader.user_by_id(asked).await?.ok_or(Error::SignIn)?;
                guess_keys(&reader, "second_factor", &user.email, Some(asked), visitor).await?
            }
            None => Vec::new(),
        };
        self.guess(&keys, context.now).await?;
        let shown: PublicKeyCredential = answer(shown)?;
        let state: PasskeyAuthentication = read(&challenge.state)?;
        let result = self.passkey_verifier()?.finish_passkey_authentication(&shown, &state).map_err(|_| refused())?;
        let held = self.inner.store.read().passkey_by_credential(result.cred_id()).await?;
        let held = held.filter(|passkey| Some(passkey.user) == asked).ok_or_else(refused)?;
        let key: Key = read(&held.data)?;
        let user = self.passkey_used(held, key, &result, &keys, context).await?;
        match half {
            Some((proof, _)) => self.whole(proof, &user, Method::Passkey, visitor, context.now).await,
            None => {
                let mut tx = self.inner.store.write().await?;
                let signed_in = self.step_up(&mut tx, context, &user, Method::Passkey).await?;
                tx.commit().await?;
                Ok(signed_in)
            }
        }
    }

    /// Keeps the counter of a passkey that was shown; whose it is.
    async fn passkey_used(
        &self,
        held: Passkey,
        mut key: Key,
        result: &AuthenticationResult,
        keys: &[(String, Curve)],
        context: &Context,
    ) -> Result<User, Error> {
        key.update_credential(result);
        let mut tx = self.inner.store.write().await?;
        tx.passkey_used(held.id, &text(&key)?, context.now)
            .await
            .map_err(|error| if error.is_stale() { refused() } else { error.into() })?;
        guessed(&mut tx, keys).await?;
        let user = tx.user_by_id(held.user).await?.ok_or_else(refused)?;
        tx.commit().await?;
        Ok(user)
    }
}

fn passkey_name(name: &str) -> Result<String, Error> {
    let kept = octroi_domain::account::name(name).filter(|name| name.chars().count() <= MOST_NAME);
    kept.ok_or_else(|| {
        Error::field(
            "/name",
            "invalid",
            format!("Donnez-lui un nom de 1 à {MOST_NAME} caractères, par exemple « téléphone »."),
            format!("Give it a name of 1 to {MOST_NAME} characters, for example “phone”."),
        )
    })
}
