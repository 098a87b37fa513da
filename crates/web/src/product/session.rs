//! `/auth/me`, `/auth/exchange`, `/auth/refresh`, `/auth/logout`.

use axum::{http::header, response::Response};
use octroi_app::{
    Error,
    hand_off::{Exchanged, LoggedOut, Shown},
    sessions::csrf_token,
};
use octroi_domain::{Slug, connection::Connection};
use octroi_oauth::secret;
use serde::Deserialize;
use serde_json::json;

use super::{Asked, CSRF_TOKEN, Cookie, add_cookie, answer, answer_refusal, is_front, may_ask, shared_with};
use crate::{dispatch::OpenCall, headers::once, oidc::form::refusal};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    code: String,
    code_verifier: String,
}

/// `GET /auth/me`: who somebody is to a product, by its session's cookie or by an access token.
pub async fn me(call: OpenCall) -> Response {
    let asked = match Asked::read(call).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    match who(&asked).await {
        Ok(Some((connection, value))) => shared_with(answer(&value), &asked, Some(&connection)),
        Ok(None) => {
            // A front has to read that nobody is there.
            let front = front_of(&asked).await;
            shared_with(nobody(), &asked, front.as_ref())
        }
        Err(error) => asked.error(error),
    }
}

async fn who(asked: &Asked) -> Result<Option<(Connection, octroi_app::hand_off::ProductMe)>, Error> {
    let app = &asked.shared.web.app;
    let now = asked.shared.now();
    let (me, cookie) = match bearer(asked) {
        Some(Some(token)) => (app.product_me(Shown::Bearer(&token), now).await?, false),
        Some(None) => (None, false),
        None => match session(asked).await? {
            Some(session) => (app.product_me(Shown::Session(&session), now).await?, true),
            None => (None, true),
        },
    };
    let Some(me) = me else { return Ok(None) };
    let slug: Slug = me.connection.parse().map_err(|_| Error::NotFound)?;
    let connection = app.product_connection(&slug).await?;
    // A cookie speaks for who holds the browser: not to the scripts of another site.
    let heard = !cookie || may_ask(&asked.shared, &asked.headers, &connection);
    Ok(heard.then_some((connection, me)))
}

/// The token that is shown; inside, none when it cannot be one.
fn bearer(asked: &Asked) -> Option<Option<String>> {
    if !asked.headers.contains_key(header::AUTHORIZATION) {
        return None;
    }
    let text = once(&asked.headers, &header::AUTHORIZATION).ok().flatten();
    let token = text.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    Some(token.map(|(_, token)| token.trim().to_owned()).filter(|token| (1..=200).contains(&token.len())))
}

/// Which product is meant: the one that is named, else the one whose front asks, else the only one that a cookie is there of.
async fn meant(asked: &Asked, cookie: Cookie) -> Result<Option<(Slug, String)>, Error> {
    let mut held = cookie.all(&asked.shared, &asked.headers);
    let named = form_urlencoded::parse(asked.query.as_bytes()).find(|(name, _)| name == "connection").map(|(_, value)| value.into_owned());
    if let Some(named) = named {
        held.retain(|(slug, _)| slug.as_str() == named);
    } else if let Some(origin) = asked.origin().filter(|origin| *origin != asked.shared.origin) {
        let fronts = asked.shared.web.app.products_of_origin(origin).await?;
        held.retain(|(slug, _)| fronts.iter().any(|front| front.slug == *slug));
    }
    Ok(if held.len() == 1 { held.pop() } else { None })
}

async fn session(asked: &Asked) -> Result<Option<String>, Error> {
    Ok(meant(asked, Cookie::Session).await?.map(|(_, value)| value))
}

/// The product whose front asks, whoever is there.
async fn front_of(asked: &Asked) -> Option<Connection> {
    let origin = asked.origin()?;
    asked.shared.web.app.products_of_origin(origin).await.ok()?.into_iter().next()
}

fn nobody() -> Response {
    answer_refusal(&refusal(401, "invalid_token", "nobody is logged in here, or not any more"))
}

/// `POST /auth/exchange`: a code of a hand-off, once, with the verifier that its front keeps.
pub async fn exchange(call: OpenCall) -> Response {
    let asked = match Asked::read(call).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    let front = front_of(&asked).await;
    let members: Exchange = match asked.members() {
        Ok(members) => members,
        Err(refusal) => return shared_with(answer_refusal(&refusal), &asked, front.as_ref()),
    };
    let browser = |slug: &Slug| Cookie::Way.of(&asked.shared, &asked.headers, slug);
    let app = &asked.shared.web.app;
    match app.exchange_hand_off(&members.code, &members.code_verifier, browser, asked.origin(), asked.shared.now()).await {
        Ok(exchanged) => given(&asked, &exchanged, front.as_ref()),
        Err(error) => shared_with(asked.failed(error), &asked, front.as_ref()),
    }
}

/// `POST /auth/refresh`: the next access token, by the cookie.
pub async fn refresh(call: OpenCall) -> Response {
    let asked = match Asked::read(call).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    let front = front_of(&asked).await;
    let app = &asked.shared.web.app;
    let answered = match meant(&asked, Cookie::Refresh).await {
        Ok(Some((_, word))) => app.refresh_hand_off(&word, asked.origin(), asked.shared.now()).await,
        Ok(None) => return shared_with(nobody(), &asked, front.as_ref()),
        Err(error) => return asked.error(error),
    };
    match answered {
        Ok(exchanged) => given(&asked, &exchanged, front.as_ref()),
        Err(error) => shared_with(asked.failed(error), &asked, front.as_ref()),
    }
}

fn given(asked: &Asked, exchanged: &Exchanged, front: Option<&Connection>) -> Response {
    let mut response = answer(exchanged);
    if let (Some(refresh), Ok(slug)) = (&exchanged.refresh, exchanged.me.connection.parse::<Slug>()) {
        add_cookie(&mut response, &Cookie::Refresh.set(&asked.shared, &slug, Some(refresh)));
        add_cookie(&mut response, &Cookie::Way.set(&asked.shared, &slug, None));
    }
    shared_with(response, asked, front)
}

/// `POST /auth/logout`: by the session's cookie with its CSRF token, by an access token, or by the cookie of the refresh token from the
/// product's own front. Says where to go for the provider to end its session too.
pub async fn logout(call: OpenCall) -> Response {
    let asked = match Asked::read(call).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    let front = front_of(&asked).await;
    match end(&asked).await {
        Ok(Some(over)) => {
            let slug = over.connection.slug.clone();
            let provider = asked.shared.web.app.logout_at_provider(&over).await;
            let mut response = answer(&json!({ "logged_out": true, "logout_url": provider, "after": over.after }));
            for cookie in Cookie::ALL {
                add_cookie(&mut response, &cookie.set(&asked.shared, &slug, None));
            }
            shared_with(response, &asked, Some(&over.connection))
        }
        Ok(None) => shared_with(nobody(), &asked, front.as_ref()),
        Err(LogoutError::Csrf) => {
            let refused = refusal(403, "csrf", "send the csrf_token of /auth/me in X-CSRF-Token, from the product's own front");
            shared_with(answer_refusal(&refused), &asked, front.as_ref())
        }
        Err(LogoutError::Failed(error)) => asked.error(error),
    }
}

enum LogoutError {
    Csrf,
    Failed(Error),
}
impl From<Error> for LogoutError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

async fn end(asked: &Asked) -> Result<Option<LoggedOut>, LogoutError> {
    let (app, now) = (&asked.shared.web.app, asked.shared.now());
    if let Some(token) = bearer(asked) {
        return match token {
            Some(token) => Ok(app.log_out_of_product(Shown::Bearer(&token), now).await?),
            None => Ok(None),
        };
    }
    if let Some((slug, word)) = meant(asked, Cookie::Session).await? {
        let Ok(connection) = app.product_connection(&slug).await else { return Ok(None) };
        let sent = once(&asked.headers, &CSRF_TOKEN).ok().flatten().unwrap_or_default();
        let own = secret::same_digest(&secret::digest(sent), &secret::digest(&csrf_token(&word)));
        if !own || !may_ask(&asked.shared, &asked.headers, &connection) {
            return Err(LogoutError::Csrf);
        }
        return Ok(app.log_out_of_product(Shown::Session(&word), now).await?);
    }
    if let Some((slug, word)) = meant(asked, Cookie::Refresh).await? {
        let Ok(connection) = app.product_connection(&slug).await else { return Ok(None) };
        if !asked.origin().is_some_and(|origin| is_front(&connection, origin)) {
            return Err(LogoutError::Csrf);
        }
        return Ok(app.log_out_of_product(Shown::Refresh(&word), now).await?);
    }
    Ok(None)
}
