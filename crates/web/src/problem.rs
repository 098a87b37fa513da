//! Problems (RFC 9457): how every refusal of the REST API is written.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use octroi_app::Error;
use octroi_domain::{
    definition::FieldError,
    text::{Language, Text},
};
use serde::Serialize;
use utoipa::ToSchema;

/// The body of a refusal, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:octroi:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:octroi:problem:not_found")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What happened and what to do, in French when `Accept-Language` prefers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Stable: programs look at this.
    pub code: String,
    /// The same as the header `X-Request-Id`; it is in our logs.
    pub request_id: String,
    /// The path that was asked for.
    pub instance: String,
    /// The members to mend.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
}

/// One member to mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProblemField {
    /// JSON pointer (RFC 6901) into the body; for a query parameter, `/` and its name.
    #[schema(example = "/answers/scopes")]
    pub pointer: String,
    #[schema(example = "unknown_field")]
    pub code: String,
    pub message: String,
}

/// A refusal before it is written: both languages are still there. It goes along with the answer, so that
/// who reads HTML is shown a page instead.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub detail: Option<Text>,
    pub errors: Vec<FieldError>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// Where the request came in: what a problem says of it.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub request_id: String,
    pub path: String,
    pub language: Language,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self { status, code, detail: Some(Text::new(fr, en)), errors: Vec::new(), headers: Vec::new() }
    }

    pub fn bad_request(code: &'static str, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, fr, en)
    }

    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Rien ici, ou rien que vous puissiez voir.",
            "Nothing here, or nothing that you may see.",
        )
    }

    pub fn internal() -> Self {
        Self { detail: None, ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "", "") }
    }

    pub fn csrf() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "csrf",
            "Renvoyez le csrf_token de la session dans l’en-tête X-CSRF-Token, depuis l’adresse publique du portail.",
            "Send the session's csrf_token back in the header X-CSRF-Token, from the portal's public address.",
        )
    }

    /// Members or parameters to mend.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "Des champs sont à corriger : voir errors.",
            "Some members must be mended: see errors.",
        );
        Self { errors, ..problem }
    }

    /// One member or parameter to mend.
    pub fn field(pointer: impl Into<String>, code: &str, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { pointer: pointer.into(), code: code.to_owned(), message: Text::new(fr, en) }])
    }

    pub fn with(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn unauthorized(code: &'static str, fr: &str, en: &str) -> Self {
        // RFC 9110 section 11.6.1: a 401 says how to authenticate.
        Self::new(StatusCode::UNAUTHORIZED, code, fr, en)
            .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"octroi\""))
    }

    /// What an operation answered, as a problem. An internal error is logged here, and said nowhere else.
    pub fn from_error(error: Error, facts: &Facts) -> Self {
        match error {
            Error::SignIn => Self::unauthorized(
                "sign_in_required",
                "Connectez-vous (POST /api/v1/session), ou présentez une clé de gestion.",
                "Sign in (POST /api/v1/session), or show a management key.",
            ),
            Error::InvalidCredential => Self::unauthorized(
                "invalid_credential",
                "Cette clé n’est pas acceptée ici : vérifiez-la, et que son application a les droits de gestion.",
                "This key is not accepted here: check it, and that its application has management rights.",
            ),
            Error::WrongPassword => Self::unauthorized(
                "wrong_password",
                "L’adresse électronique ou le mot de passe est faux.",
                "The e-mail address or the password is wrong.",
            ),
            Error::SignInAgain => Self::new(
                StatusCode::FORBIDDEN,
                "recent_sign_in_required",
                "Votre connexion date de plus de quinze minutes : reconnectez-vous, puis recommencez.",
                "You signed in more than fifteen minutes ago: sign in again, then try again.",
            ),
            Error::SecondFactor => Self::new(
                StatusCode::FORBIDDEN,
                "second_factor_required",
                "Un second facteur est demandé : envoyez `code` à la connexion, ou mettez-en un en place sur la page /account/second-factor.",
                "A second factor is asked for: send `code` when signing in, or set one up on the page /account/second-factor.",
            ),
            Error::Forbidden(why) => Self { detail: Some(why.text()), ..Self::new(StatusCode::FORBIDDEN, why.code(), "", "") },
            Error::NotFound => Self::not_found(),
            Error::Conflict { code, text } => Self { detail: Some(text), ..Self::new(StatusCode::CONFLICT, code, "", "") },
            Error::Stale { current } => Self::new(
                StatusCode::CONFLICT,
                "stale_version",
                format!("La version {current} est en place : relisez avant de recommencer."),
                format!("Version {current} is there: read again before trying again."),
            ),
            Error::Invalid(errors) => Self::invalid(errors),
            Error::IdempotencyMismatch => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "Cette Idempotency-Key a servi à une autre requête : prenez-en une nouvelle.",
                "This Idempotency-Key was used for another request: take a new one.",
            ),
            Error::TooManyAttempts { retry_after } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_attempts",
                format!("Trop d’essais : réessayez dans {retry_after} s."),
                format!("Too many attempts: try again in {retry_after} s."),
            )
            .with(header::RETRY_AFTER, HeaderValue::from(retry_after)),
            Error::Unavailable(cause) => {
                tracing::warn!(request_id = %facts.request_id, cause = %cause, "store unavailable");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "Le service ne peut pas répondre maintenant : réessayez dans un instant.",
                    "The service cannot answer now: try again in a moment.",
                )
                .with(header::RETRY_AFTER, HeaderValue::from(1_u32))
            }
            Error::Internal(cause) => {
                tracing::error!(request_id = %facts.request_id, cause = %cause, "internal error");
                Self::internal()
            }
        }
    }

    fn body(&self, facts: &Facts) -> ProblemBody {
        let say = |text: &Text| text.in_language(facts.language).to_owned();
        let field =
            |error: &FieldError| ProblemField { pointer: error.pointer.clone(), code: error.code.clone(), message: say(&error.message) };
        ProblemBody {
            kind: format!("urn:octroi:problem:{}", self.code),
            title: say(&title(self.status)),
            status: self.status.as_u16(),
            detail: self.detail.as_ref().map(say),
            code: self.code.to_owned(),
            request_id: facts.request_id.clone(),
            instance: facts.path.clone(),
            errors: self.errors.iter().map(field).collect(),
        }
    }

    pub fn respond(self, facts: &Facts) -> Response {
        let body = serde_json::to_vec(&self.body(facts)).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(match facts.language {
                Language::Fr => "fr",
                Language::En => "en",
            }),
        );
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}

fn title(status: StatusCode) -> Text {
    let (fr, en) = match status.as_u16() {
        400 => ("Requête mal formée", "Malformed request"),
        401 => ("Authentification requise", "Authentication required"),
        403 => ("Action refusée", "Not allowed"),
        404 => ("Introuvable", "Not found"),
        405 => ("Méthode non admise", "Method not allowed"),
        408 => ("Requête trop lente", "Request too slow"),
        409 => ("Conflit", "Conflict"),
        412 => ("Version périmée", "Stale version"),
        413 => ("Requête trop grande", "Request too large"),
        415 => ("Type de contenu non admis", "Unsupported content type"),
        422 => ("Champs à corriger", "Members to mend"),
        429 => ("Trop de requêtes", "Too many requests"),
        503 => ("Service indisponible", "Service unavailable"),
        _ => ("Erreur interne", "Internal error"),
    };
    Text::new(fr, en)
}

/// Why a handler did not answer: an operation refused, or the face did.
#[derive(Debug)]
pub(crate) enum Failure {
    Operation(Error),
    Face(Box<Problem>),
}
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Operation(error)
    }
}
impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Face(Box::new(problem))
    }
}
impl Failure {
    /// `conditional`: the request carried `If-Match`, so a stale version is a failed precondition
    /// (RFC 9110 section 13.1.1).
    pub fn into_problem(self, facts: &Facts, conditional: bool) -> Problem {
        let stale = matches!(self, Self::Operation(Error::Stale { .. }));
        let problem = match self {
            Self::Operation(error) => Problem::from_error(error, facts),
            Self::Face(problem) => *problem,
        };
        if stale && conditional { Problem { status: StatusCode::PRECONDITION_FAILED, ..problem } } else { problem }
    }
}

#[cfg(test)]
mod tests {
    use octroi_domain::policy::Forbidden;
    use serde_json::json;

    use super::*;

    fn facts(language: Language) -> Facts {
        Facts { request_id: "r-1".into(), path: "/api/v1/x".into(), language }
    }

    #[track_caller]
    fn check(error: Error, conditional: bool, status: u16, code: &str) -> Problem {
        let facts = facts(Language::En);
        let problem = Failure::from(error).into_problem(&facts, conditional);
        assert_eq!((problem.status.as_u16(), problem.code), (status, code));
        let french = problem.body(&Facts { language: Language::Fr, ..facts.clone() });
        assert_ne!(french.title, problem.body(&facts).title, "both languages are there");
        problem
    }

    #[test]
    fn every_error_has_its_status_and_code() {
        let authenticate = |problem: &Problem| problem.headers.iter().any(|(name, _)| *name == header::WWW_AUTHENTICATE);
        let retry = |problem: &Problem| problem.headers.iter().any(|(name, _)| *name == header::RETRY_AFTER);
        assert!(authenticate(&check(Error::SignIn, false, 401, "sign_in_required")));
        assert!(authenticate(&check(Error::InvalidCredential, false, 401, "invalid_credential")));
        assert!(authenticate(&check(Error::WrongPassword, false, 401, "wrong_password")));
        check(Error::Forbidden(Forbidden::ConflictOfInterest), false, 403, "conflict_of_interest");
        check(Error::NotFound, false, 404, "not_found");
        check(Error::Conflict { code: "wrong_state", text: Text::new("a", "b") }, false, 409, "wrong_state");
        check(Error::Stale { current: 3 }, false, 409, "stale_version");
        check(Error::Stale { current: 3 }, true, 412, "stale_version");
        check(Error::IdempotencyMismatch, true, 422, "idempotency_key_reused");
        assert!(retry(&check(Error::TooManyAttempts { retry_after: 900 }, false, 429, "too_many_attempts")));
        let internal = check(Error::Internal("secret cause".into()), false, 500, "internal");
        assert_eq!(internal.detail, None, "the cause is for the log alone");
    }

    #[test]
    fn a_problem_as_it_is_written() {
        let problem = Problem::field("/answers/scopes", "unknown_scope", "portée inconnue", "unknown scope");
        let written = serde_json::to_value(problem.body(&facts(Language::Fr))).unwrap();
        let expected = json!({
            "type": "urn:octroi:problem:invalid",
            "title": "Champs à corriger",
            "status": 422,
            "detail": "Des champs sont à corriger : voir errors.",
            "code": "invalid",
            "request_id": "r-1",
            "instance": "/api/v1/x",
            "errors": [{ "pointer": "/answers/scopes", "code": "unknown_scope", "message": "portée inconnue" }],
        });
        assert_eq!(written, expected);
    }
}
