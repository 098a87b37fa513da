//! The token endpoint: OAuth 2 client credentials (RFC 6749 section 4.4), access tokens of RFC 9068.

use octroi_domain::{
    Moment,
    scope::{Scope, ScopeSet},
};
use octroi_oauth::{
    error::OAuthError,
    introspection::TokenResponse,
    jwt::{ACCESS_TOKEN, AccessTokenClaims},
    secret,
    token_request::{ClientCredentials, ClientRequest},
};

use crate::{
    identify::valid_claims,
    snapshot::{App, LastUse, Snapshot},
};

/// The answer of the token endpoint, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAnswer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub json: Vec<u8>,
    /// The client, when it was authenticated.
    pub client: Option<octroi_domain::Id<octroi_domain::application::Application>>,
}
impl TokenAnswer {
    fn new(status: u16, json: Vec<u8>) -> Self {
        let headers = [("content-type", "application/json"), ("cache-control", "no-store"), ("pragma", "no-cache")];
        Self { status, headers: headers.map(|(name, value)| (name, value.to_owned())).to_vec(), json, client: None }
    }

    /// A refusal in the form of RFC 6749 section 5.2.
    #[must_use]
    pub fn refusal(error: &OAuthError) -> Self {
        let mut answer = Self::new(error.status(), error.body());
        match error {
            OAuthError::InvalidClient => answer.headers.push(("www-authenticate", "Basic realm=\"octroi\"".to_owned())),
            OAuthError::TemporarilyUnavailable => answer.headers.push(("retry-after", "1".to_owned())),
            _ => {}
        }
        answer
    }
}

/// Answers a token request from what a snapshot knows.
#[must_use]
pub fn respond(snapshot: &Snapshot, now: Moment, authorization: Option<&str>, content_type: Option<&str>, body: &[u8]) -> TokenAnswer {
    let request = match ClientRequest::read(authorization, content_type, body) {
        Ok(request) => request,
        Err(error) => return TokenAnswer::refusal(&error),
    };
    let Some((app, used)) = authenticate(snapshot, &request) else { return TokenAnswer::refusal(&OAuthError::InvalidClient) };
    let mut answer = match grant(snapshot, now, app, used, &request) {
        Ok(response) => TokenAnswer::new(200, serde_json::to_vec(&response).unwrap_or_default()),
        Err(error) => TokenAnswer::refusal(&error),
    };
    answer.client = Some(app.known.id);
    answer
}

/// The active application that this client is. Every secret is compared, in constant time; an unknown
/// client costs the same digest.
pub(crate) fn authenticate<'a>(snapshot: &'a Snapshot, request: &ClientRequest) -> Option<(&'a App, &'a LastUse)> {
    let digest = request.client.digest();
    let app = request.client.client_id.parse().ok().and_then(|id| snapshot.applications.get(&id));
    let mut found = None;
    for (known, used) in app.into_iter().flat_map(|app| &app.secrets) {
        if secret::same_digest(known, &digest) {
            found = Some(&**used);
        }
    }
    Some((&**app.filter(|app| app.is_active())?, found?))
}

/// The scopes that a client holds now: those that its subscriptions in force open.
#[must_use]
pub(crate) fn granted(snapshot: &Snapshot, app: &App, now: Moment) -> ScopeSet {
    let subscriptions = snapshot.subscriptions_of(app.known.id);
    let in_force = subscriptions.filter(|(api, sub)| sub.is_in_force(now, api.needs_permit));
    in_force.fold(ScopeSet::empty(), |scopes, (_, sub)| scopes.union(&sub.scopes))
}

fn grant(snapshot: &Snapshot, now: Moment, app: &App, used: &LastUse, request: &ClientRequest) -> Result<TokenResponse, OAuthError> {
    let asked = ClientCredentials::read(request)?;
    let held = granted(snapshot, app, now);
    let scopes = match asked.scopes {
        None => held,
        Some(asked) => asked.iter().map(|text| held_scope(&held, text)).collect::<Result<_, _>>()?,
    };
    let key = snapshot.token_key.as_ref().ok_or(OAuthError::TemporarilyUnavailable)?;
    let client = app.known.id.to_string();
    let claims = AccessTokenClaims {
        iss: snapshot.issuer.clone(),
        sub: client.clone(),
        aud: snapshot.audience.clone(),
        client_id: client,
        iat: now.seconds(),
        exp: now.seconds().saturating_add(snapshot.token_lifetime_s),
        jti: secret::random_word().map_err(|_| OAuthError::TemporarilyUnavailable)?,
        scope: scopes.to_string(),
        octroi_stage: snapshot.stage.as_str().to_owned(),
        octroi_credential: Some(used.id.to_string()),
    };
    let access_token = key.sign(ACCESS_TOKEN, &claims).map_err(|_| OAuthError::TemporarilyUnavailable)?;
    used.mark(now.seconds());
    Ok(TokenResponse { access_token, token_type: "Bearer".to_owned(), expires_in: snapshot.token_lifetime_s, scope: claims.scope })
}

fn held_scope(held: &ScopeSet, text: &str) -> Result<Scope, OAuthError> {
    let scope = Scope::new(text).ok().filter(|scope| held.contains(scope));
    scope.ok_or_else(|| OAuthError::InvalidScope(text.chars().take(128).collect()))
}

/// The claims of a token that is active now (RFC 7662): valid, and of a client that is not suspended.
#[must_use]
pub fn introspect(snapshot: &Snapshot, now: Moment, token: &str) -> Option<AccessTokenClaims> {
    let mut claims = valid_claims(token, snapshot, now.seconds())?;
    let app = snapshot.applications.get(&claims.client_id.parse().ok()?)?;
    // What was revoked since the token was signed is not said to be held; a token of which nothing is left is not active.
    let held = granted(snapshot, app, now);
    let asked = !claims.scope.is_empty();
    claims.scope = claims.scope.split(' ').filter_map(|text| held_scope(&held, text).ok()).collect::<ScopeSet>().to_string();
    (app.is_active() && (!asked || !claims.scope.is_empty())).then_some(claims)
}
