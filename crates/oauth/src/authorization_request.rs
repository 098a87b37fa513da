//! What a client asks of the authorisation endpoint (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1,
//! RFC 7636, RFC 8707, RFC 9101, RFC 9126, RFC 9449 section 10).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    claims_request::ClaimsRequest,
    parameters::{Parameters, no_scope, tokens},
    pkce::Challenge,
};

/// What a request by reference begins with (RFC 9126 section 2.2).
pub const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";

/// What the person is to be asked (OpenID Connect Core section 3.1.2.1, Initiating User Registration 1.0, and
/// `select_organization`, which ProConnect Identité has).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    None,
    Login,
    Consent,
    SelectAccount,
    Create,
    SelectOrganization,
}
impl Prompt {
    pub const ALL: [Self; 6] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount, Self::Create, Self::SelectOrganization];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
            Self::Create => "create",
            Self::SelectOrganization => "select_organization",
        }
    }
}

/// How the answer travels (OAuth 2.0 Multiple Response Types, OAuth 2.0 Form Post Response Mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    #[default]
    Query,
    Fragment,
    FormPost,
}

/// Why a request is refused, in the words of the standards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizeCode {
    InvalidRequest,
    UnauthorizedClient,
    AccessDenied,
    UnsupportedResponseType,
    InvalidScope,
    InvalidTarget,
    ServerError,
    TemporarilyUnavailable,
    LoginRequired,
    InteractionRequired,
    ConsentRequired,
    AccountSelectionRequired,
    RequestNotSupported,
    RequestUriNotSupported,
    InvalidRequestUri,
    RegistrationNotSupported,
    UnmetAuthenticationRequirements,
}
impl AuthorizeCode {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::InteractionRequired => "interaction_required",
            Self::ConsentRequired => "consent_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{description}")]
pub struct AuthorizeError {
    pub code: AuthorizeCode,
    pub description: String,
}
impl AuthorizeError {
    #[must_use]
    pub fn new(code: AuthorizeCode, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }
}

fn invalid(description: impl Into<String>) -> AuthorizeError {
    AuthorizeError::new(AuthorizeCode::InvalidRequest, description)
}

/// A request that has its shape; whether the client may make it is another question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub scopes: Vec<String>,
    pub response_mode: ResponseMode,
    pub nonce: Option<String>,
    /// The text of the code challenge, S256.
    pub code_challenge: Option<String>,
    pub prompt: BTreeSet<Prompt>,
    /// Seconds.
    pub max_age: Option<u32>,
    pub login_hint: Option<String>,
    pub siret_hint: Option<String>,
    pub id_token_hint: Option<String>,
    pub acr_values: Vec<String>,
    pub claims: ClaimsRequest,
    pub resources: Vec<String>,
    pub ui_locales: Vec<String>,
    /// The thumbprint of the key that the code is bound to (RFC 9449 section 10).
    pub dpop_jkt: Option<String>,
}

impl AuthorizationRequest {
    /// One that asks for nothing: what is known of a request that cannot be read. How its answer travels can be.
    #[must_use]
    pub fn nothing(parameters: &Parameters) -> Self {
        Self {
            scopes: Vec::new(),
            response_mode: response_mode(parameters).unwrap_or_default(),
            nonce: None,
            code_challenge: None,
            prompt: BTreeSet::new(),
            max_age: None,
            login_hint: None,
            siret_hint: None,
            id_token_hint: None,
            acr_values: Vec::new(),
            claims: ClaimsRequest::default(),
            resources: Vec::new(),
            ui_locales: Vec::new(),
            dpop_jkt: None,
        }
    }

    /// Reads all but `client_id`, `redirect_uri` and `state`, which decide where an error goes.
    ///
    /// # Errors
    /// [`AuthorizeError`]
    pub fn read(parameters: &Parameters) -> Result<Self, AuthorizeError> {
        for (name, code) in [
            ("request", AuthorizeCode::RequestNotSupported),
            ("request_uri", AuthorizeCode::RequestUriNotSupported),
            ("registration", AuthorizeCode::RegistrationNotSupported),
        ] {
            if parameters.has(name) {
                return Err(AuthorizeError::new(code, format!("`{name}` is not offered here: push the request first (RFC 9126)")));
            }
        }
        match parameters.get("response_type") {
            Some("code") => {}
            Some(_) => return Err(AuthorizeError::new(AuthorizeCode::UnsupportedResponseType, "`code` alone is offered")),
            None => return Err(invalid("response_type is missing: use `code`")),
        }
        Ok(Self {
            scopes: scopes(parameters)?,
            response_mode: response_mode(parameters)?,
            nonce: bounded(parameters, "nonce", 1_000)?,
            code_challenge: challenge(parameters)?,
            prompt: prompts(parameters)?,
            max_age: max_age(parameters)?,
            login_hint: bounded(parameters, "login_hint", 254)?.or(bounded(parameters, "email_hint", 254)?),
            siret_hint: bounded(parameters, "siret_hint", 20)?,
            id_token_hint: bounded(parameters, "id_token_hint", crate::jwt::MAX_TOKEN)?,
            acr_values: list(parameters, "acr_values")?,
            claims: match parameters.get("claims") {
                None => ClaimsRequest::default(),
                Some(text) => {
                    ClaimsRequest::read(text).ok_or_else(|| invalid("claims is not the JSON of OpenID Connect Core, section 5.5"))?
                }
            },
            resources: resources(parameters)?,
            ui_locales: list(parameters, "ui_locales")?,
            dpop_jkt: thumbprint(parameters)?,
        })
    }

    #[must_use]
    pub fn is_openid(&self) -> bool {
        self.scopes.iter().any(|scope| scope == "openid")
    }

    #[must_use]
    pub fn asks(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }

    #[must_use]
    pub fn challenge(&self) -> Option<Challenge> {
        self.code_challenge.as_deref().and_then(Challenge::read)
    }
}

fn bounded(parameters: &Parameters, name: &str, most: usize) -> Result<Option<String>, AuthorizeError> {
    match parameters.get(name) {
        Some(text) if text.len() > most => Err(invalid(format!("{name} is longer than {most} bytes"))),
        text => Ok(text.map(str::to_owned)),
    }
}

fn response_mode(parameters: &Parameters) -> Result<ResponseMode, AuthorizeError> {
    match parameters.get("response_mode") {
        None | Some("query") => Ok(ResponseMode::Query),
        Some("fragment") => Ok(ResponseMode::Fragment),
        Some("form_post") => Ok(ResponseMode::FormPost),
        Some(_) => Err(invalid("response_mode is `query`, `fragment` or `form_post`")),
    }
}

/// The thumbprint of a key has the form of a code challenge: 43 characters of base64url.
fn thumbprint(parameters: &Parameters) -> Result<Option<String>, AuthorizeError> {
    match parameters.get("dpop_jkt") {
        Some(text) if Challenge::read(text).is_none() => Err(invalid("dpop_jkt is not the thumbprint of a key (RFC 9449, section 10)")),
        text => Ok(text.map(str::to_owned)),
    }
}

fn list(parameters: &Parameters, name: &str) -> Result<Vec<String>, AuthorizeError> {
    let Some(text) = parameters.get(name) else { return Ok(Vec::new()) };
    tokens(text, 20).map_err(|_| invalid(format!("{name} is at most 20 words, separated by one space")))
}

fn scopes(parameters: &Parameters) -> Result<Vec<String>, AuthorizeError> {
    let Some(text) = parameters.get("scope") else { return Ok(Vec::new()) };
    tokens(text, 100).map_err(|bad| AuthorizeError::new(AuthorizeCode::InvalidScope, no_scope(&bad)))
}

fn challenge(parameters: &Parameters) -> Result<Option<String>, AuthorizeError> {
    match (parameters.get("code_challenge"), parameters.get("code_challenge_method")) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(invalid("code_challenge_method without code_challenge")),
        (Some(text), Some("S256")) if Challenge::read(text).is_some() => Ok(Some(text.to_owned())),
        (Some(_), Some("S256")) => Err(invalid("code_challenge is not 43 characters of base64url (RFC 7636, section 4.2)")),
        (Some(_), _) => Err(invalid("code_challenge_method is S256: `plain` is refused")),
    }
}

fn prompts(parameters: &Parameters) -> Result<BTreeSet<Prompt>, AuthorizeError> {
    let words = list(parameters, "prompt")?;
    let known = |word: &String| Prompt::ALL.into_iter().find(|prompt| prompt.as_str() == word);
    let prompts: Option<BTreeSet<Prompt>> = words.iter().map(known).collect();
    let prompts = prompts.ok_or_else(|| invalid("prompt is none, login, consent, select_account, create or select_organization"))?;
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return Err(invalid("prompt=none stands alone"));
    }
    Ok(prompts)
}

fn max_age(parameters: &Parameters) -> Result<Option<u32>, AuthorizeError> {
    parameters.get("max_age").map(|text| text.parse().map_err(|_| invalid("max_age is a number of seconds"))).transpose()
}

/// RFC 8707 section 2: absolute, without fragment.
fn resources(parameters: &Parameters) -> Result<Vec<String>, AuthorizeError> {
    let target = |text: &str| {
        let absolute =
            text.len() <= 500 && !text.contains('#') && Url::parse(text).is_ok_and(|url| !url.cannot_be_a_base() || url.scheme() == "urn");
        if absolute {
            Ok(text.to_owned())
        } else {
            Err(AuthorizeError::new(AuthorizeCode::InvalidTarget, "resource is not an absolute address without fragment"))
        }
    };
    let found: Vec<String> = parameters.all("resource").map(target).collect::<Result<_, _>>()?;
    if found.len() > 10 { Err(AuthorizeError::new(AuthorizeCode::InvalidTarget, "at most ten resources")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<AuthorizationRequest, AuthorizeCode> {
        AuthorizationRequest::read(&Parameters::read(query.as_bytes()).unwrap()).map_err(|error| error.code)
    }

    #[test]
    fn a_whole_request() {
        let asked = read(
            "response_type=code&scope=openid+email&nonce=n&prompt=login+consent&max_age=10&acr_values=eidas1-mfa+eidas1&unknown=x\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&resource=https://a/&resource=https://b/",
        )
        .unwrap();
        assert!(asked.is_openid() && asked.asks(Prompt::Login) && asked.challenge().is_some());
        assert_eq!((asked.max_age, asked.resources.len(), asked.acr_values.len()), (Some(10), 2, 2));
        let kept = serde_json::to_string(&asked).unwrap();
        assert_eq!(serde_json::from_str::<AuthorizationRequest>(&kept).unwrap(), asked);
    }

    #[test]
    fn what_is_refused_and_how() {
        use AuthorizeCode as C;
        for (query, code) in [
            ("scope=openid", C::InvalidRequest),
            ("response_type=token", C::UnsupportedResponseType),
            ("response_type=code+id_token", C::UnsupportedResponseType),
            ("response_type=code&response_mode=pigeon", C::InvalidRequest),
            ("response_type=code&request=a.b.c", C::RequestNotSupported),
            ("response_type=code&request_uri=https://rp/x", C::RequestUriNotSupported),
            ("response_type=code&registration={}", C::RegistrationNotSupported),
            ("response_type=code&scope=a%09b", C::InvalidScope),
            ("response_type=code&prompt=none+login", C::InvalidRequest),
            ("response_type=code&prompt=maybe", C::InvalidRequest),
            ("response_type=code&max_age=-1", C::InvalidRequest),
            ("response_type=code&max_age=soon", C::InvalidRequest),
            ("response_type=code&code_challenge=abc&code_challenge_method=S256", C::InvalidRequest),
            ("response_type=code&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", C::InvalidRequest),
            (
                "response_type=code&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=plain",
                C::InvalidRequest,
            ),
            ("response_type=code&code_challenge_method=S256", C::InvalidRequest),
            ("response_type=code&claims=nothing", C::InvalidRequest),
            ("response_type=code&resource=here", C::InvalidTarget),
            ("response_type=code&resource=https://a/%23b", C::InvalidTarget),
        ] {
            assert_eq!(read(query), Err(code), "{query}");
        }
    }
}
