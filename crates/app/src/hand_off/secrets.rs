//! What a login is given, and the addresses that people are sent to with it.

use octroi_domain::{
    Id, Moment,
    canonical::Sha256Hash,
    connection::{HandOff, Product},
    hand_off::{CODE_SECONDS, IDLE_SECONDS, Login, ProductAccount, Token, TokenKind, Wish},
};
use octroi_oauth::{redirect_uri::RedirectUri, secret};
use octroi_store::Tx;

use super::{HandOver, UserInfo, settings};
use crate::error::Error;

/// Makes a secret of a login; its digest is kept.
pub(super) async fn give(tx: &mut Tx, login: Id<Login>, kind: TokenKind, now: Moment, seconds: i64) -> Result<String, Error> {
    let word = match kind {
        // As long as the products of before keep room for: 64 hexadecimal digits.
        TokenKind::Access => Sha256Hash(secret::digest(&secret::random_word()?)).to_string(),
        _ => secret::random_word()?,
    };
    let token =
        Token { login, kind, challenge: None, browser: None, created_at: now, expires_at: now.plus_seconds(seconds), used_at: None };
    tx.hand_off_token_insert(&secret::digest(&word), &token).await?;
    Ok(word)
}

/// A code, bound to the front's verifier and, where its browser can show it, to the cookie.
async fn give_code(tx: &mut Tx, login: Id<Login>, challenge: &str, browser: Option<[u8; 32]>, now: Moment) -> Result<String, Error> {
    let word = secret::random_word()?;
    let token = Token {
        login,
        kind: TokenKind::Code,
        challenge: Some(challenge.to_owned()),
        browser,
        created_at: now,
        expires_at: now.plus_seconds(CODE_SECONDS),
        used_at: None,
    };
    tx.hand_off_token_insert(&secret::digest(&word), &token).await?;
    Ok(word)
}

/// Gives a login what its mode says: where the browser goes, and what it keeps.
pub(super) async fn hand_over(
    tx: &mut Tx,
    product: &Product,
    login: &Login,
    account: &ProductAccount,
    wish: &Wish,
    browser: [u8; 32],
    now: Moment,
) -> Result<HandOver, Error> {
    let state = wish.state.as_deref().map(|state| ("state", state));
    match login.mode {
        HandOff::Session => {
            let session = give(tx, login.id, TokenKind::Session, now, IDLE_SECONDS).await?;
            let location = with(&product.front, state.as_slice(), false);
            Ok(HandOver { location, session: Some(session), secret: false })
        }
        HandOff::Code => {
            let challenge = wish.challenge.as_deref().ok_or_else(no_challenge)?;
            let bound = (!product.details.other_site).then_some(browser);
            let code = give_code(tx, login.id, challenge, bound, now).await?;
            let mut pairs = vec![("code", code.as_str())];
            pairs.extend(state);
            Ok(HandOver { location: with(&product.front, &pairs, !product.details.code_in_query), session: None, secret: true })
        }
        HandOff::Fragment | HandOff::QueryLegacy => {
            let api_token = give(tx, login.id, TokenKind::Access, now, i64::from(settings::token_seconds(product))).await?;
            let info = UserInfo {
                organization_siret: account.organization.to_string(),
                email: account.facts.email.clone(),
                role: account.role,
                api_token,
            };
            let text = serde_json::to_string(&info).map_err(|error| Error::Internal(error.to_string()))?;
            let mut pairs = if product.details.user_info {
                vec![("user_info", text.as_str())]
            } else {
                vec![
                    ("organization_siret", info.organization_siret.as_str()),
                    ("email", &info.email),
                    ("role", info.role.as_str()),
                    ("api_token", &info.api_token),
                ]
            };
            pairs.extend(state);
            Ok(HandOver { location: with(&product.front, &pairs, login.mode == HandOff::Fragment), session: None, secret: true })
        }
    }
}

/// The address with these parameters, in the fragment or in the query.
pub(super) fn with(address: &str, pairs: &[(&str, &str)], fragment: bool) -> String {
    match (pairs, fragment) {
        ([], _) => address.to_owned(),
        (_, false) => RedirectUri::with_query(address, pairs),
        (_, true) => RedirectUri::with_query(address, pairs).replacen('?', "#", 1),
    }
}

pub(super) fn no_challenge() -> Error {
    Error::field(
        "/code_challenge",
        "missing",
        "Ce produit reçoit un code : son adresse de connexion demande code_challenge (S256).",
        "This product receives a code: its login address asks for code_challenge (S256).",
    )
}
