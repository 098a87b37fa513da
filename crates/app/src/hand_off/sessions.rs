//! What a product does with what it was given: exchange a code, refresh, ask who somebody is, log out.

use octroi_domain::{
    Id, Moment, Slug,
    connection::{Connection, HandOff, Product},
    hand_off::{IDLE_SECONDS, Login, ProductAccount, ProductOrganization, ProductRole, Token, TokenKind},
    sign_on::GRACE_SECONDS,
};
use octroi_oauth::{pkce::Challenge, secret};
use octroi_store::{Reader, Tx};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{arrival::SEALED_ID_TOKEN, product_of, secrets, settings};
use crate::{
    context::App,
    error::Error,
    sign_on::{Refusal, SignOnError},
};

/// One sentence for a code that is unknown, used, out of date, or not shown by whom it was made for.
const BAD_CODE: &str = "the code is unknown, used or out of date, or code_verifier, the origin or the browser are not its own";
const BAD_REFRESH: &str = "there is no login to refresh: begin a new one";
/// A session is written to once a minute at most.
const TOUCH_SECONDS: i64 = 60;

/// Who somebody is to a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProductMe {
    /// The account: the same at each login, another in each product.
    pub sub: String,
    pub connection: String,
    pub email: String,
    pub email_verified: bool,
    pub given_name: String,
    pub family_name: String,
    /// `USER` or `ADMIN`.
    #[schema(value_type = String)]
    pub role: ProductRole,
    /// The one that they came for.
    pub organization_siret: String,
    #[schema(value_type = Vec<Object>)]
    pub organizations: Vec<ProductOrganization>,
    /// The product's own name of the account of before that turned out to be theirs.
    pub legacy_reference: Option<String>,
    pub logged_in_at: String,
    pub expires_at: String,
    /// For each change that a session makes; none for a token, which no other site can send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<String>,
}

/// A secret, as it was shown.
#[derive(Clone, Copy)]
pub enum Shown<'a> {
    Session(&'a str),
    Bearer(&'a str),
    /// Good for a logout alone: a front that was loaded anew holds nothing else.
    Refresh(&'a str),
}

/// What a code, or a refresh token, was exchanged for.
#[derive(Serialize)]
pub struct Exchanged {
    pub access_token: String,
    pub token_type: &'static str,
    pub expires_in: u32,
    #[serde(flatten)]
    pub me: ProductMe,
    /// The value of its cookie; none where it could not be sent back.
    #[serde(skip)]
    pub refresh: Option<String>,
    #[serde(skip)]
    pub other_site: bool,
}

/// A login that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedOut {
    pub connection: Connection,
    /// Back to the provider with it, at its logout; empty when none was kept.
    pub id_token: String,
    /// Where people go afterwards.
    pub after: String,
}

/// What a secret opens, as long as it does.
struct Held {
    digest: [u8; 32],
    token: Token,
    login: Login,
    account: ProductAccount,
    connection: Connection,
    product: Product,
}

impl App {
    /// Who shows this; none when it is unknown, out of date or ended, one answer for all.
    ///
    /// # Errors
    /// When the store cannot tell.
    pub async fn product_me(&self, shown: Shown<'_>, now: Moment) -> Result<Option<ProductMe>, Error> {
        let reader = self.inner.store.read();
        let Some(held) = held(&reader, shown, now).await? else { return Ok(None) };
        if held.token.kind == TokenKind::Session {
            let until = now.plus_seconds(IDLE_SECONDS).min(held.login.expires_at);
            if until > held.token.expires_at.plus_seconds(TOUCH_SECONDS) {
                let mut tx = self.inner.store.write().await?;
                tx.hand_off_token_extend(&held.digest, until).await?;
                tx.commit().await?;
            }
        }
        let csrf_token = match shown {
            Shown::Session(word) => Some(crate::sessions::csrf_token(word)),
            Shown::Bearer(_) => None,
            Shown::Refresh(_) => return Ok(None),
        };
        Ok(Some(ProductMe { csrf_token, ..me(&reader, &held).await? }))
    }

    /// Exchanges a code, once. Who shows it again ends what it gave. `browser` is the cookie's word, `origin` what the browser says of itself.
    ///
    /// # Errors
    /// The refusal of RFC 6749 section 5.2.
    pub async fn exchange_hand_off(
        &self,
        code: &str,
        verifier: &str,
        browser: impl Fn(&Slug) -> Option<String>,
        origin: Option<&str>,
        now: Moment,
    ) -> Result<Exchanged, SignOnError> {
        let refused = || SignOnError::from(Refusal::grant(BAD_CODE));
        let digest = secret::digest(code);
        let mut tx = self.inner.store.write().await?;
        let token = tx.hand_off_token_lock(&digest).await?.filter(|token| token.kind == TokenKind::Code).ok_or_else(refused)?;
        if token.used_at.is_some() {
            self.end_login(&mut tx, token.login, "code_shown_again", now).await?;
            tx.commit().await?;
            return Err(refused());
        }
        let held = opened(&tx, digest, token, now).await?.ok_or_else(refused)?;
        let from_front = origin.is_some_and(|origin| settings::origin(&held.product).is_ok_and(|front| front == origin));
        let proven = held.token.challenge.as_deref().and_then(Challenge::read).is_some_and(|challenge| challenge.is_of(verifier));
        let same_browser = match held.token.browser {
            None => true,
            Some(bound) => browser(&held.login.connection).is_some_and(|word| secret::same_digest(&secret::digest(&word), &bound)),
        };
        if !(from_front && proven && same_browser) {
            return Err(refused());
        }
        tx.hand_off_token_used(&digest, now).await?;
        let exchanged = self.given(&mut tx, &held, now).await?;
        tx.commit().await?;
        Ok(exchanged)
    }

    /// Takes a refresh token for the next one. One that was replaced a while ago is in two hands: the login ends.
    ///
    /// # Errors
    /// The refusal of RFC 6749 section 5.2.
    pub async fn refresh_hand_off(&self, word: &str, origin: Option<&str>, now: Moment) -> Result<Exchanged, SignOnError> {
        let refused = || SignOnError::from(Refusal::grant(BAD_REFRESH));
        let digest = secret::digest(word);
        let mut tx = self.inner.store.write().await?;
        let token = tx.hand_off_token_lock(&digest).await?.filter(|token| token.kind == TokenKind::Refresh).ok_or_else(refused)?;
        if token.used_at.is_some_and(|at| now > at.plus_seconds(GRACE_SECONDS)) {
            self.end_login(&mut tx, token.login, "refresh_shown_again", now).await?;
            tx.commit().await?;
            return Err(refused());
        }
        let held = opened(&tx, digest, token, now).await?.ok_or_else(refused)?;
        if !origin.is_some_and(|origin| settings::origin(&held.product).is_ok_and(|front| front == origin)) {
            return Err(refused());
        }
        tx.hand_off_token_used(&digest, now).await?;
        let exchanged = self.given(&mut tx, &held, now).await?;
        tx.commit().await?;
        Ok(exchanged)
    }

    async fn given(&self, tx: &mut Tx, held: &Held, now: Moment) -> Result<Exchanged, Error> {
        let seconds = settings::token_seconds(&held.product);
        let left = held.login.expires_at.seconds() - now.seconds();
        let seconds = seconds.min(u32::try_from(left).unwrap_or(0));
        let access_token = secrets::give(tx, held.login.id, TokenKind::Access, now, i64::from(seconds)).await?;
        let other_site = held.product.details.other_site;
        let refresh =
            if other_site { None } else { Some(secrets::give(tx, held.login.id, TokenKind::Refresh, now, IDLE_SECONDS.min(left)).await?) };
        let me = ProductMe { expires_at: now.plus_seconds(i64::from(seconds)).to_string(), ..me(tx, held).await? };
        Ok(Exchanged { access_token, token_type: "Bearer", expires_in: seconds, me, refresh, other_site })
    }

    /// Ends the login that a session, an access token or a refresh token belongs to; none when it had ended.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn log_out_of_product(&self, shown: Shown<'_>, now: Moment) -> Result<Option<LoggedOut>, Error> {
        let mut tx = self.inner.store.write().await?;
        let Some(held) = held(&tx, shown, now).await? else { return Ok(None) };
        self.end_login(&mut tx, held.login.id, "logout", now).await?;
        tx.commit().await?;
        let id_token = self.inner.master_key.open(SEALED_ID_TOKEN, &held.login.sealed).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let after = held.product.details.after_logout.clone().unwrap_or_else(|| held.product.front.clone());
        Ok(Some(LoggedOut { connection: held.connection, id_token: id_token.unwrap_or_default(), after }))
    }

    /// The provider said that a session of its own, or everything of a person, is over (Back-Channel Logout 1.0); how many logins ended.
    pub(crate) async fn end_product_logins(
        tx: &mut Tx,
        connection: &Connection,
        (subject, sid): (Option<&str>, Option<&str>),
        now: Moment,
    ) -> Result<usize, Error> {
        let ended = match (subject, sid) {
            (Some(subject), sid) => match tx.product_account(&connection.slug, &connection.issuer, subject).await? {
                Some(account) => tx.hand_off_end_of_account(account.id, sid, now).await?,
                None => 0,
            },
            (None, Some(sid)) => tx.hand_off_end_of_sid(&connection.slug, sid, now).await?,
            (None, None) => 0,
        };
        if ended > 0 {
            let details = json!({ "reason": "provider", "logins_ended": ended });
            tx.record(now, "system", "product_login.closed", &format!("connection:{}", connection.slug), details);
        }
        Ok(usize::try_from(ended).unwrap_or(usize::MAX))
    }

    async fn end_login(&self, tx: &mut Tx, login: Id<Login>, reason: &str, now: Moment) -> Result<(), Error> {
        if tx.hand_off_end(login, now).await?
            && let Some(login) = tx.hand_off_by_id(login).await?
        {
            let subject = format!("product_account:{}", login.account);
            tx.record(now, &subject, "product_login.closed", &subject, json!({ "connection": login.connection, "reason": reason }));
        }
        Ok(())
    }

    /// The active products whose front has this origin.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn products_of_origin(&self, origin: &str) -> Result<Vec<Connection>, Error> {
        let all = self.inner.store.read().connection_list().await?.into_iter().map(|stored| stored.connection);
        let its = |connection: &Connection| {
            connection.product().is_some_and(|product| settings::origin(product).is_ok_and(|front| front == origin))
        };
        Ok(all.filter(|connection| connection.active && its(connection)).collect())
    }
}

async fn held(reader: &Reader, shown: Shown<'_>, now: Moment) -> Result<Option<Held>, Error> {
    let (word, kind) = match shown {
        Shown::Session(word) => (word, TokenKind::Session),
        Shown::Bearer(word) => (word, TokenKind::Access),
        Shown::Refresh(word) => (word, TokenKind::Refresh),
    };
    let digest = secret::digest(word);
    match reader.hand_off_token(&digest).await? {
        Some(token) if token.kind == kind && token.used_at.is_none() => opened(reader, digest, token, now).await,
        _ => Ok(None),
    }
}

/// What a token opens at `now`: neither it nor its login is over, nobody stopped the account, the mode is still the product's.
async fn opened(reader: &Reader, digest: [u8; 32], token: Token, now: Moment) -> Result<Option<Held>, Error> {
    if now >= token.expires_at {
        return Ok(None);
    }
    let login = reader.hand_off_by_id(token.login).await?.filter(|login| login.ended_at.is_none() && now < login.expires_at);
    let Some(login) = login else { return Ok(None) };
    let Some(account) = reader.product_account_by_id(login.account).await?.filter(|account| account.active) else { return Ok(None) };
    let (connection, product) = match product_of(reader, &login.connection).await {
        Ok(found) => found,
        Err(Error::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let allowed = product.hand_off == login.mode && (login.mode != HandOff::QueryLegacy || product.query_legacy_allowed);
    Ok(allowed.then_some(Held { digest, token, login, account, connection, product }))
}

async fn me(reader: &Reader, held: &Held) -> Result<ProductMe, Error> {
    let account = &held.account;
    let legacy = reader.legacy_user_of(&account.connection, &account.issuer, &account.subject).await?;
    Ok(ProductMe {
        sub: account.id.to_string(),
        connection: account.connection.to_string(),
        email: account.facts.email.clone(),
        email_verified: account.facts.email_verified,
        given_name: account.facts.given_name.clone(),
        family_name: account.facts.family_name.clone(),
        role: account.role,
        organization_siret: account.organization.to_string(),
        organizations: account.facts.organizations.clone(),
        legacy_reference: legacy.and_then(|legacy| legacy.reference),
        logged_in_at: held.login.created_at.to_string(),
        expires_at: held.token.expires_at.to_string(),
        csrf_token: None,
    })
}
