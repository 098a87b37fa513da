//! `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`: what the server offers
//! (OpenID Connect Discovery section 3, RFC 8414), and nothing that it does not.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use octroi_app::sign_on::{SCOPES, claim_names};
use octroi_domain::authentication::Acr;
use octroi_oauth::{
    authorization_request::Prompt,
    foreign::{ASYMMETRIC, Algorithm},
    jwt::SigningAlgorithm,
};
use serde_json::{Value, json};

use super::{form::open, json as answer};
use crate::dispatch::OpenCall;

/// The ways a client authenticates (RFC 6749 section 2.3.1, RFC 7523).
const METHODS: [&str; 4] = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
/// Those that prove who it is.
const PROOFS: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];

fn metadata(issuer: &str) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    let signs: Vec<&str> = SigningAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
    let reads: Vec<String> = ASYMMETRIC.iter().map(|algorithm: &Algorithm| format!("{algorithm:?}")).collect();
    let claims: Vec<&str> =
        ["sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid", "nonce"].into_iter().chain(claim_names()).collect();
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "jwks_uri": at("/oauth/jwks"),
        "registration_endpoint": at("/oauth/register"),
        "introspection_endpoint": at("/oauth/introspect"),
        "revocation_endpoint": at("/oauth/revoke"),
        "end_session_endpoint": at("/oauth/logout"),
        "pushed_authorization_request_endpoint": at("/oauth/par"),
        "service_documentation": at("/api/docs"),
        "scopes_supported": SCOPES,
        "claims_supported": claims,
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": signs,
        "userinfo_signing_alg_values_supported": signs,
        "introspection_signing_alg_values_supported": signs,
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": reads,
        "introspection_endpoint_auth_methods_supported": PROOFS,
        "introspection_endpoint_auth_signing_alg_values_supported": reads,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": reads,
        "dpop_signing_alg_values_supported": reads,
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": Acr::ALL.iter().map(|acr| acr.as_str()).collect::<Vec<_>>(),
        "prompt_values_supported": Prompt::ALL.iter().map(|prompt| prompt.as_str()).collect::<Vec<_>>(),
        "display_values_supported": ["page"],
        "ui_locales_supported": ["fr", "en"],
        "require_pushed_authorization_requests": false,
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
    })
}

pub async fn show(call: OpenCall) -> Response {
    let mut response = open(answer(&metadata(&call.shared.public_url)));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_a_route() {
        let Value::Object(members) = metadata("https://p.example") else { panic!("not an object") };
        let paths: Vec<&str> = crate::routes().iter().map(|route| route.path).collect();
        let mut named = 0;
        for (name, value) in members {
            if let Some(path) = value.as_str().and_then(|text| text.strip_prefix("https://p.example/")) {
                assert!(paths.contains(&format!("/{path}").as_str()), "{name}: {path}");
                named += 1;
            }
        }
        assert_eq!(named, 10);
    }
}
