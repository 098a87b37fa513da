//! From a provider's word to a product: which account, for which organisation, and the hand-off itself.

use octroi_domain::{
    Id, Moment, Slug,
    account::{GUESSES, OF_ADDRESS},
    connection::{Asserted, Connection, HandOff, LinkPolicy, Product},
    hand_off::{
        AccountFacts, Dispute, DisputeReason, LOGIN_SECONDS, LegacyLink, LegacyMove, LegacyUser, LinkProof, Login, PENDING_SECONDS,
        Pending, ProductAccount, ProductOrganization, ProductRole, Waits, Wish, allowed, known, legacy_move,
    },
    organization::Siret,
};
use octroi_oauth::{parameters::Parameters, pkce::Challenge, secret};
use octroi_store::{StoredPending, Tx};
use serde_json::json;
use uuid::Uuid;

use super::{product_of, secrets, settings};
use crate::{context::App, error::Error, mails::hand_off as mails};

/// The longest `state` of a front.
const MOST_STATE: usize = 500;
const SEALED_FOR: &str = "hand-off pending";
pub(super) const SEALED_ID_TOKEN: &str = "hand-off id token";

/// How far somebody came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived {
    To(HandOver),
    /// Something has to be chosen or proven first, at this word. `pick`: by the front, at this address.
    Wait {
        word: String,
        pick: Option<String>,
    },
}

/// Where the browser goes, and what it keeps.
#[derive(Clone, PartialEq, Eq)]
pub struct HandOver {
    pub location: String,
    /// The value of the session's cookie.
    pub session: Option<String>,
    /// Does the address hold something that nobody else may read?
    pub secret: bool,
}
impl std::fmt::Debug for HandOver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HandOver").field("secret", &self.secret).finish_non_exhaustive()
    }
}

/// What somebody on the way is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// In the words of the connection.
    pub name: octroi_domain::text::Text,
    /// Of the front: where a form of ours may lead.
    pub origin: String,
    pub email: String,
    pub organizations: Vec<ProductOrganization>,
    pub waits: Waits,
}

/// One who is on the way, opened.
struct OnTheWay {
    connection: Connection,
    product: Product,
    pending: Pending,
    digest: [u8; 32],
    browser: [u8; 32],
}

/// Reads what a front wants of a login that it begins.
///
/// # Errors
/// `Invalid` when it is malformed, and when the product's mode needs a challenge that is not there.
pub fn wish_of(product: &Product, parameters: &Parameters) -> Result<Wish, Error> {
    let bad = |pointer: &str, en: &str| Error::field(pointer, "malformed", format!("{} mal formé.", pointer.trim_start_matches('/')), en);
    let challenge = parameters.owned("code_challenge");
    if challenge.as_deref().is_some_and(|text| Challenge::read(text).is_none())
        || parameters.get("code_challenge_method").is_some_and(|method| method != "S256")
    {
        return Err(bad("/code_challenge", "code_challenge is 43 characters of base64url, by S256."));
    }
    if product.hand_off == HandOff::Code && challenge.is_none() {
        return Err(secrets::no_challenge());
    }
    let state = parameters.owned("state");
    if state.as_deref().is_some_and(|state| state.len() > MOST_STATE || !state.bytes().all(|b| b.is_ascii_graphic())) {
        return Err(bad("/state", "state is at most 500 visible ASCII characters."));
    }
    let select = parameters.get("prompt") == Some("select_organization");
    Ok(Wish { challenge: challenge.filter(|_| product.hand_off == HandOff::Code), state, select })
}

impl App {
    /// A provider said who somebody is: they go on to the product, or are asked something first. `browser` is the word of the cookie that
    /// binds what follows to this browser.
    ///
    /// # Errors
    /// `Conflict`, explained, when the account is stopped or an account of before is in dispute.
    pub async fn arrive_at_product(
        &self,
        connection: &Connection,
        asserted: Asserted,
        wish: Wish,
        browser: &str,
        now: Moment,
    ) -> Result<Arrived, Error> {
        let product = connection.product().cloned().ok_or(Error::NotFound)?;
        settings::check(&product)?;
        let facts = AccountFacts {
            email_verified: asserted.verified_email().is_some(),
            email: asserted.email.unwrap_or_default(),
            given_name: asserted.given_name,
            family_name: asserted.family_name,
            organizations: allowed(&asserted.organizations, &product.organizations),
        };
        let pending = Pending {
            issuer: asserted.issuer,
            subject: asserted.subject,
            facts,
            id_token: asserted.id_token,
            sid: asserted.sid,
            wish,
            waits: Waits::Organization,
            apart: false,
        };
        let digest = secret::digest(browser);
        let way = OnTheWay { connection: connection.clone(), product, pending, digest: [0; 32], browser: digest };
        let mut tx = self.inner.store.write().await?;
        self.advance(&mut tx, way, None, None, now).await?.done(tx).await
    }

    /// What somebody on the way is asked; nobody else in another browser.
    ///
    /// # Errors
    /// `NotFound` when the word is unknown, used, too old, or of another browser or connection.
    pub async fn visit(&self, slug: &Slug, word: &str, browser: Option<&str>, now: Moment) -> Result<Visit, Error> {
        let way = self.on_the_way(slug, word, browser, now).await?;
        Ok(Visit {
            origin: settings::origin(&way.product)?,
            name: way.connection.name,
            email: way.pending.facts.email,
            organizations: way.pending.facts.organizations,
            waits: way.pending.waits,
        })
    }

    /// One of the organisations that the provider named, and no other.
    ///
    /// # Errors
    /// `NotFound` as above; `Invalid` when it is none of theirs: the choice can be made again.
    pub async fn pick_organization(
        &self,
        slug: &Slug,
        word: &str,
        browser: Option<&str>,
        siret: &str,
        now: Moment,
    ) -> Result<Arrived, Error> {
        let way = self.on_the_way(slug, word, browser, now).await?;
        let chosen = siret.parse::<Siret>().ok();
        let chosen = chosen.filter(|chosen| way.pending.facts.organizations.iter().any(|held| held.siret == *chosen));
        let chosen = chosen.filter(|_| way.pending.waits == Waits::Organization).ok_or_else(|| {
            Error::field(
                "/organization_siret",
                "not_yours",
                "Choisissez l’une des organisations proposées.",
                "Choose one of the organisations offered.",
            )
        })?;
        let mut tx = self.inner.store.write().await?;
        used(&mut tx, &way.digest).await?;
        self.advance(&mut tx, way, None, Some(chosen), now).await?.done(tx).await
    }

    /// The password of the account of before: it is theirs when it is right. Each try counts.
    ///
    /// # Errors
    /// `NotFound` as above; `WrongPassword`, `TooManyAttempts`; `Conflict` when it is of another organisation.
    pub async fn prove_legacy(
        &self,
        slug: &Slug,
        word: &str,
        browser: Option<&str>,
        password: &str,
        address: &str,
        now: Moment,
    ) -> Result<Arrived, Error> {
        let way = self.on_the_way(slug, word, browser, now).await?;
        let Waits::Password { legacy } = way.pending.waits else { return Err(Error::NotFound) };
        if password.len() > crate::password::MAX_LENGTH * 4 {
            return Err(Error::WrongPassword);
        }
        let keys = [(format!("legacy:{legacy}"), GUESSES), (format!("address:{address}"), OF_ADDRESS)];
        self.guess(&keys, now).await?;
        let stored = self.inner.store.read().legacy_user_password(legacy).await?;
        if !self.password_verdict(password.to_owned(), stored).await?.good {
            return Err(Error::WrongPassword);
        }
        let mut tx = self.inner.store.write().await?;
        crate::sessions::guessed(&mut tx, &keys).await?;
        used(&mut tx, &way.digest).await?;
        self.advance(&mut tx, way, Some(legacy), None, now).await?.done(tx).await
    }

    /// They want no account of before: they get one of their own.
    ///
    /// # Errors
    /// `NotFound` as above.
    pub async fn go_apart(&self, slug: &Slug, word: &str, browser: Option<&str>, now: Moment) -> Result<Arrived, Error> {
        let mut way = self.on_the_way(slug, word, browser, now).await?;
        if way.pending.waits == Waits::Organization {
            return Err(Error::NotFound);
        }
        way.pending.apart = true;
        let mut tx = self.inner.store.write().await?;
        used(&mut tx, &way.digest).await?;
        self.advance(&mut tx, way, None, None, now).await?.done(tx).await
    }

    async fn on_the_way(&self, slug: &Slug, word: &str, browser: Option<&str>, now: Moment) -> Result<OnTheWay, Error> {
        let browser = secret::digest(browser.ok_or(Error::NotFound)?);
        let digest = secret::digest(word);
        let reader = self.inner.store.read();
        let stored = reader.hand_off_pending(&digest, now).await?.ok_or(Error::NotFound)?;
        if stored.connection != *slug || !secret::same_digest(&stored.browser, &browser) {
            return Err(Error::NotFound);
        }
        let (connection, product) = product_of(&reader, slug).await?;
        let plain = self.inner.master_key.open(SEALED_FOR, &stored.sealed).map_err(|error| Error::Internal(error.to_string()))?;
        let pending = serde_json::from_slice(&plain).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(OnTheWay { connection, product, pending, digest, browser })
    }

    /// Waits for something in this browser.
    async fn wait(&self, tx: &mut Tx, way: &OnTheWay, waits: Waits, now: Moment) -> Result<Outcome, Error> {
        let pending = Pending { waits, ..way.pending.clone() };
        let plain = serde_json::to_vec(&pending).map_err(|error| Error::Internal(error.to_string()))?;
        let sealed = self.inner.master_key.seal(SEALED_FOR, &plain).map_err(|error| Error::Internal(error.to_string()))?;
        let word = secret::random_word()?;
        let stored = StoredPending {
            connection: way.connection.slug.clone(),
            browser: way.browser,
            sealed,
            expires_at: now.plus_seconds(PENDING_SECONDS),
        };
        tx.hand_off_pending_put(&secret::digest(&word), &stored).await?;
        let pick = if waits == Waits::Organization { settings::pick(&way.product)? } else { None };
        let pick = pick.map(|pick| secrets::with(&pick, &[("connection", way.connection.slug.as_str()), ("token", &word)], false));
        Ok(Outcome::Arrived(Arrived::Wait { word, pick }))
    }

    /// One step after another, until something has to be asked.
    async fn advance(
        &self,
        tx: &mut Tx,
        mut way: OnTheWay,
        proven: Option<Id<LegacyUser>>,
        chosen: Option<Siret>,
        now: Moment,
    ) -> Result<Outcome, Error> {
        if way.pending.facts.organizations.is_empty() {
            return Ok(Outcome::Arrived(Arrived::To(HandOver { location: settings::help(&way.product)?, session: None, secret: false })));
        }
        let slug = way.connection.slug.clone();
        let account = tx.product_account(&slug, &way.pending.issuer, &way.pending.subject).await?;
        if account.as_ref().is_some_and(|account| !account.active) {
            return Err(Error::conflict(
                "product_account_stopped",
                "Votre compte dans ce produit est suspendu : adressez-vous à qui l’administre.",
                "Your account in this product is stopped: ask whoever administers it.",
            ));
        }
        let mut linked = None;
        match self.legacy_step(tx, &mut way, account.is_some(), proven, now).await? {
            LegacyStep::None => {}
            LegacyStep::Linked(legacy) => linked = Some(legacy),
            LegacyStep::Wait(waits) => return self.wait(tx, &way, waits, now).await,
            LegacyStep::Conflict => return Ok(Outcome::Conflict),
        }
        let chosen = match chosen.or_else(|| decided(&way, account.as_ref(), linked.as_ref())) {
            Some(chosen) => chosen,
            None => {
                way.pending.apart = true;
                return self.wait(tx, &way, Waits::Organization, now).await;
            }
        };
        let account = self.account_of(tx, &way, account, linked, chosen, now).await?;
        let login = self.open_login(tx, &way, &account, now).await?;
        let over = secrets::hand_over(tx, &way.product, &login, &account, &way.pending.wish, way.browser, now).await?;
        self.inner.hand_offs.count(login.mode);
        if login.mode == HandOff::QueryLegacy {
            tracing::warn!(connection = %slug, "a token was handed over in an address (query_legacy): move this product to `code` or `session`");
        }
        Ok(Outcome::Arrived(Arrived::To(over)))
    }

    /// What becomes of an account of before that has the same address.
    async fn legacy_step(
        &self,
        tx: &mut Tx,
        way: &mut OnTheWay,
        has_account: bool,
        proven: Option<Id<LegacyUser>>,
        now: Moment,
    ) -> Result<LegacyStep, Error> {
        let slug = &way.connection.slug;
        let Pending { issuer, subject, facts, apart, .. } = &way.pending;
        if let Some(mine) = tx.legacy_user_of(slug, issuer, subject).await? {
            return Ok(if has_account { LegacyStep::None } else { LegacyStep::Linked(mine) });
        }
        let found = match proven {
            Some(legacy) => tx.legacy_user_by_id(legacy).await?,
            None if *apart || facts.email.is_empty() => None,
            None => tx.legacy_user_by_email(slug, &facts.email).await?,
        };
        let Some(legacy) = found else { return Ok(LegacyStep::None) };
        let known_as = known(&legacy.organization, &way.product.organizations);
        // Who typed its password is treated as who has its verified address.
        let policy = if proven.is_some() { LinkPolicy::VerifiedEmail } else { way.connection.link_policy };
        let judged = legacy_move(policy, facts.email_verified || proven.is_some(), &legacy, &facts.organizations, known_as.as_ref());
        match judged {
            LegacyMove::Apart => Ok(LegacyStep::None),
            LegacyMove::Link => {
                let proof = if proven.is_some() { LinkProof::Password } else { LinkProof::VerifiedEmail };
                let link = LegacyLink { issuer: issuer.clone(), subject: subject.clone(), at: now, proof };
                tx.legacy_user_link(legacy.id, &link).await?;
                let details = json!({ "connection": slug, "proof": proof.as_str(), "role": legacy.role });
                tx.record(now, "system", "legacy_user.linked", &format!("legacy_user:{}", legacy.id), details);
                tx.enqueue_mail(now, &mails::linked(&legacy, &way.connection.name, proof, &self.settings().public_url)).await?;
                Ok(LegacyStep::Linked(legacy))
            }
            // An account that is there already goes on; its owner asks the operator.
            _ if has_account => Ok(LegacyStep::None),
            LegacyMove::AskPassword => Ok(LegacyStep::Wait(Waits::Password { legacy: legacy.id })),
            LegacyMove::AskOperator => match self.dispute(tx, way, &legacy, DisputeReason::Policy, now).await? {
                true => Ok(LegacyStep::Wait(Waits::Operator { legacy: legacy.id })),
                false => Ok(LegacyStep::None),
            },
            LegacyMove::Conflict => match self.dispute(tx, way, &legacy, DisputeReason::Organization, now).await? {
                true => Ok(LegacyStep::Conflict),
                false => Ok(LegacyStep::None),
            },
        }
    }

    /// Asks the operator; false when they said no before.
    async fn dispute(&self, tx: &mut Tx, way: &OnTheWay, legacy: &LegacyUser, reason: DisputeReason, now: Moment) -> Result<bool, Error> {
        let Pending { issuer, subject, facts, .. } = &way.pending;
        if let Some(before) = tx.dispute_about(legacy.id, issuer, subject).await? {
            return Ok(before.decided_at.is_none());
        }
        let dispute = Dispute {
            id: Id::from_uuid(Uuid::now_v7()),
            connection: way.connection.slug.clone(),
            legacy: legacy.id,
            issuer: issuer.clone(),
            subject: subject.clone(),
            reason,
            organizations: facts.organizations.clone(),
            created_at: now,
            decided_at: None,
            accepted: false,
        };
        tx.dispute_put(&dispute).await?;
        let details = json!({ "connection": way.connection.slug, "reason": reason.as_str() });
        tx.record(now, "system", "legacy_user.disputed", &format!("legacy_user:{}", legacy.id), details);
        Ok(true)
    }

    /// The account, new or as the provider now tells it. What other logins were given ends where it says something else than before.
    async fn account_of(
        &self,
        tx: &mut Tx,
        way: &OnTheWay,
        held: Option<ProductAccount>,
        linked: Option<LegacyUser>,
        organization: Siret,
        now: Moment,
    ) -> Result<ProductAccount, Error> {
        let pending = &way.pending;
        let slug = &way.connection.slug;
        let Some(held) = held else {
            let account = ProductAccount {
                id: Id::from_uuid(Uuid::now_v7()),
                connection: slug.clone(),
                issuer: pending.issuer.clone(),
                subject: pending.subject.clone(),
                organization,
                role: linked.as_ref().map_or(ProductRole::User, |legacy| legacy.role),
                active: true,
                facts: pending.facts.clone(),
                created_at: now,
                last_login_at: now,
                version: 1,
            };
            tx.product_account_insert(&account).await?;
            let details = json!({ "connection": slug, "siret": account.organization, "role": account.role, "legacy_user": linked.map(|legacy| legacy.id) });
            tx.record(now, "system", "product_account.created", &format!("product_account:{}", account.id), details);
            return Ok(account);
        };
        let account = ProductAccount {
            organization,
            role: linked.map_or(held.role, |legacy| legacy.role),
            facts: pending.facts.clone(),
            last_login_at: now,
            version: held.version + 1,
            ..held.clone()
        };
        tx.product_account_save(&account).await?;
        if account.organization != held.organization || account.role != held.role {
            let ended = tx.hand_off_end_of_account(account.id, None, now).await?;
            let details = json!({ "connection": slug, "siret": account.organization, "role": account.role, "logins_ended": ended });
            tx.record(now, "system", "product_account.changed", &format!("product_account:{}", account.id), details);
        }
        Ok(account)
    }

    async fn open_login(&self, tx: &mut Tx, way: &OnTheWay, account: &ProductAccount, now: Moment) -> Result<Login, Error> {
        let sealed = self.inner.master_key.seal(SEALED_ID_TOKEN, way.pending.id_token.as_bytes());
        let mode = way.product.hand_off;
        // A token in an address lives as long as it was made for, and nothing else belongs to its login.
        let seconds = match mode {
            HandOff::Session | HandOff::Code => LOGIN_SECONDS,
            HandOff::Fragment | HandOff::QueryLegacy => i64::from(settings::token_seconds(&way.product)),
        };
        let login = Login {
            id: Id::from_uuid(Uuid::now_v7()),
            connection: way.connection.slug.clone(),
            account: account.id,
            mode,
            sid: way.pending.sid.clone(),
            sealed: sealed.map_err(|error| Error::Internal(error.to_string()))?,
            created_at: now,
            expires_at: now.plus_seconds(seconds),
            ended_at: None,
        };
        tx.hand_off_insert(&login).await?;
        let details = json!({ "connection": login.connection, "mode": mode.as_str(), "siret": account.organization });
        let subject = format!("product_account:{}", account.id);
        tx.record(now, &subject, "product_login.opened", &subject, details);
        Ok(login)
    }
}

/// The organisation that needs no asking: that of the account of before, the one of the last login, or the only one.
fn decided(way: &OnTheWay, account: Option<&ProductAccount>, linked: Option<&LegacyUser>) -> Option<Siret> {
    let offered = &way.pending.facts.organizations;
    let is_offered = |siret: &Siret| offered.iter().any(|organization| organization.siret == *siret);
    if let [only] = offered.as_slice() {
        return Some(only.siret.clone());
    }
    if way.pending.wish.select {
        return None;
    }
    let of_before = linked.and_then(|legacy| known(&legacy.organization, &way.product.organizations));
    of_before.or_else(|| account.map(|account| account.organization.clone())).filter(is_offered)
}

/// What a step led to. A conflict is told after it was written down.
enum Outcome {
    Arrived(Arrived),
    Conflict,
}
impl Outcome {
    async fn done(self, tx: Tx) -> Result<Arrived, Error> {
        tx.commit().await?;
        match self {
            Self::Arrived(arrived) => Ok(arrived),
            Self::Conflict => Err(Error::conflict(
                "legacy_organization_differs",
                "Un compte de ce produit porte déjà votre adresse, mais pour une autre organisation que celles que votre fournisseur d’identité indique. L’exploitant a été prévenu et décidera ; revenez ensuite.",
                "An account of this product has your address already, but for another organisation than those that your identity provider names. The operator has been told and will decide; come back afterwards.",
            )),
        }
    }
}

enum LegacyStep {
    None,
    Linked(LegacyUser),
    Wait(Waits),
    Conflict,
}

/// Uses the word up: of two that come at once, the second finds nothing.
async fn used(tx: &mut Tx, digest: &[u8; 32]) -> Result<(), Error> {
    tx.hand_off_pending_use(digest).await.map_err(|error| if error.is_stale() { Error::NotFound } else { error.into() })
}
