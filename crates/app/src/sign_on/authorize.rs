//! The authorisation endpoint (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2), and requests that are pushed
//! to it first (RFC 9126).

use octroi_domain::{
    Moment,
    organization::Siret,
    sign_on::{Client, ClientId, INTERACTION_SECONDS, Interaction, PUSHED_SECONDS},
};
use octroi_oauth::{
    authorization_request::{AuthorizationRequest, AuthorizeCode, AuthorizeError, PUSHED},
    client_metadata::{AuthMethod, GrantType},
    id_token::{ID_TOKEN, IdTokenClaims},
    parameters::Parameters,
    secret,
};
use serde::{Deserialize, Serialize};

use super::{Back, Known, Presented, Refusal, SCOPES, SignOnError, Step, digest};
use crate::{
    context::{App, Context},
    error::Error,
};

/// A request that its client may make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub request: AuthorizationRequest,
    pub redirect_uri: String,
    pub state: Option<String>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Somebody has to be asked something: at `/oauth/authorize/{word}`.
    Ask {
        word: String,
    },
    Back(Back),
}

/// Where a refusal goes.
enum Wrong {
    /// The client or the address is not known: a page of ours, never a redirect.
    Here(Refusal),
    Back(Box<Asked>, AuthorizeError),
    Failed(SignOnError),
}
impl From<SignOnError> for Wrong {
    fn from(error: SignOnError) -> Self {
        Self::Failed(error)
    }
}
impl From<octroi_store::StoreError> for Wrong {
    fn from(error: octroi_store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}
impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

impl App {
    /// Takes a request. When the person who is signed in need not be asked anything, the answer goes back at once.
    ///
    /// # Errors
    /// A refusal that is shown here: the client is unknown, or the address is not one that it registered.
    pub async fn authorize(&self, parameters: &Parameters, context: &Context) -> Result<Begun, SignOnError> {
        let now = context.now;
        let (client, asked, pushed) = match self.read_authorization(parameters, now).await {
            Ok(read) => read,
            Err(Wrong::Here(refusal)) => return Err(refusal.into()),
            Err(Wrong::Failed(error)) => return Err(error),
            Err(Wrong::Back(asked, error)) => return Ok(Begun::Back(self.denied(&asked, error.code, &error.description))),
        };
        let word = self.keep_request(&client.id, &asked, pushed, INTERACTION_SECONDS, "", now).await?;
        match self.interaction(&word, context).await? {
            Step::Back(back) => Ok(Begun::Back(back)),
            _ => Ok(Begun::Ask { word }),
        }
    }

    /// Keeps a request under a random word.
    async fn keep_request(
        &self,
        client: &ClientId,
        asked: &Asked,
        pushed: Option<[u8; 32]>,
        seconds: i64,
        prefix: &str,
        now: Moment,
    ) -> Result<String, SignOnError> {
        let word = secret::random_word()?;
        let interaction = Interaction {
            client: client.clone(),
            request: serde_json::to_string(asked).map_err(|error| Error::Internal(error.to_string()))?,
            pushed,
            choices: "{}".to_owned(),
            created_at: now,
            expires_at: now.plus_seconds(seconds),
        };
        let mut tx = self.inner.store.write().await?;
        tx.interaction_insert(&digest(&format!("{prefix}{word}")), &interaction).await?;
        tx.commit().await?;
        Ok(word)
    }

    async fn read_authorization(&self, parameters: &Parameters, now: Moment) -> Result<(Client, Asked, Option<[u8; 32]>), Wrong> {
        let here = |description: &str| Wrong::Here(Refusal::request(description));
        let id = parameters.get("client_id").ok_or_else(|| here("client_id is missing"))?;
        let client = match id.parse::<ClientId>() {
            Ok(id) => self.inner.store.read().client_by_id(&id).await?.filter(Client::is_active),
            Err(_) => None,
        };
        let unknown = || Wrong::Here(Refusal::new(400, "invalid_client", "no client is registered under this client_id"));
        let known = Known::of(client.ok_or_else(unknown)?)?;
        if let Some(uri) = parameters.get("request_uri").filter(|uri| uri.starts_with(PUSHED)) {
            let digest = digest(uri);
            let pushed = self.inner.store.read().interaction(&digest, now).await?.filter(|pushed| pushed.client == known.client.id);
            let pushed = pushed.ok_or_else(|| {
                Wrong::Here(Refusal::new(400, "invalid_request_uri", "the pushed request is out of date, used, or of another client"))
            })?;
            let asked = serde_json::from_str(&pushed.request).map_err(|error| Error::Internal(error.to_string()))?;
            return Ok((known.client, asked, Some(digest)));
        }
        let asked = self.check_request(&known, parameters, now).await?;
        if known.is_strict() {
            let error = AuthorizeError::new(AuthorizeCode::InvalidRequest, "this client has to push its requests first (RFC 9126)");
            return Err(Wrong::Back(Box::new(asked), error));
        }
        Ok((known.client, asked, None))
    }

    /// The address first: it decides where anything else that is wrong is told.
    async fn check_request(&self, known: &Known, parameters: &Parameters, now: Moment) -> Result<Asked, Wrong> {
        let here = |description: &str| Wrong::Here(Refusal::request(description));
        let redirect_uri = parameters.get("redirect_uri").ok_or_else(|| here("redirect_uri is missing"))?;
        if !known.metadata.is_answered_at(redirect_uri) {
            return Err(here("redirect_uri is not one that the client registered, character by character"));
        }
        let state = parameters.owned("state");
        let mut asked = Asked { request: AuthorizationRequest::nothing(parameters), redirect_uri: redirect_uri.to_owned(), state };
        match AuthorizationRequest::read(parameters) {
            Ok(request) => asked.request = request,
            Err(error) => return Err(Wrong::Back(Box::new(asked), error)),
        }
        match self.check_asked(known, &asked.request, now).await {
            Ok(scopes) => {
                asked.request.scopes = scopes;
                Ok(asked)
            }
            Err(Ok(error)) => Err(Wrong::Back(Box::new(asked), error)),
            Err(Err(error)) => Err(Wrong::Failed(error)),
        }
    }

    /// May this client ask for this? The scopes that mean something here; else what to tell the client, or a failure of ours.
    async fn check_asked(
        &self,
        known: &Known,
        request: &AuthorizationRequest,
        now: Moment,
    ) -> Result<Vec<String>, Result<AuthorizeError, SignOnError>> {
        use AuthorizeCode as C;
        let no = |code, why: &str| Err(Ok(AuthorizeError::new(code, why)));
        if !known.metadata.grant_types.contains(&GrantType::AuthorizationCode) {
            return no(C::UnauthorizedClient, "this client did not register the grant type authorization_code");
        }
        let public = known.metadata.token_endpoint_auth_method == AuthMethod::None;
        if request.code_challenge.is_none() && (public || known.metadata.require_pkce || known.is_strict()) {
            return no(C::InvalidRequest, "code_challenge is missing: this client has to use PKCE (RFC 7636) with S256");
        }
        if request.siret_hint.as_ref().is_some_and(|siret| siret.parse::<Siret>().is_err()) {
            return no(C::InvalidRequest, "siret_hint is not a SIRET: 14 digits");
        }
        for resource in &request.resources {
            let good = resource == self.issuer() || self.inner.store.read().is_served(resource).await.map_err(|error| Err(error.into()))?;
            if !good {
                return no(C::InvalidTarget, "no API is registered under this resource");
            }
        }
        if let Some(hint) = &request.id_token_hint {
            let hinted = self.hinted(hint, now).await.map_err(Err)?;
            if hinted.is_none_or(|claims| claims.aud != known.client.id.as_str()) {
                return no(C::InvalidRequest, "id_token_hint is not an ID token of this client");
            }
        }
        // What nobody knows here is left aside (OpenID Connect Core section 3.1.2.1); what is known and not for this client is refused.
        let mut scopes = Vec::new();
        let asked = if request.scopes.is_empty() { known.default_scopes() } else { request.scopes.clone() };
        for scope in &asked {
            if known.may_ask(scope) {
                scopes.push(scope.clone());
            } else if SCOPES.contains(&scope.as_str()) {
                return Err(Ok(AuthorizeError::new(C::InvalidScope, format!("the scope `{scope}` is not for this client"))));
            }
        }
        // An answer says at least one (RFC 6749 section 3.3).
        if scopes.is_empty() {
            return no(C::InvalidScope, "nothing is left of the scope: ask for `openid`, at least");
        }
        Ok(scopes)
    }

    /// The claims of an ID token of ours that comes back, in date or not.
    pub(super) async fn hinted(&self, hint: &str, now: Moment) -> Result<Option<IdTokenClaims>, SignOnError> {
        let claims: Option<IdTokenClaims> = self.our_claims(hint, ID_TOKEN, now).await?;
        Ok(claims.filter(|claims| claims.iss == self.issuer()))
    }

    /// Takes a request from its client beforehand (RFC 9126): its address, and the seconds that it is good for.
    ///
    /// # Errors
    /// The refusal, told to the client itself.
    pub async fn push_request(&self, presented: Presented<'_>) -> Result<(String, i64), SignOnError> {
        let known = self.authenticate(presented).await?;
        if presented.parameters.has("request_uri") {
            return Err(Refusal::request("request_uri has no place in a pushed request").into());
        }
        let proven = self.proof(known.is_strict(), None, presented).await?;
        let mut asked = match self.check_request(&known, presented.parameters, presented.now).await {
            Ok(asked) => asked,
            Err(Wrong::Here(refusal)) => return Err(refusal.into()),
            Err(Wrong::Back(_, error)) => return Err(Refusal::from(error).into()),
            Err(Wrong::Failed(error)) => return Err(error),
        };
        match (&asked.request.dpop_jkt, proven) {
            (Some(said), Some(proven)) if *said != proven => {
                return Err(Refusal::proof("dpop_jkt is not the thumbprint of the key of the proof").into());
            }
            (_, Some(proven)) => asked.request.dpop_jkt = Some(proven),
            (_, None) => {}
        }
        let word = self.keep_request(&known.client.id, &asked, None, PUSHED_SECONDS, PUSHED, presented.now).await?;
        Ok((format!("{PUSHED}{word}"), PUSHED_SECONDS))
    }
}
