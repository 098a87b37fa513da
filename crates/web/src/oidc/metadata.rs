//! `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`: what the server offers
//! (OpenID Connect Discovery section 3, RFC 8414), and nothing that it does not.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use octroi_app::sign_on::{
    SCOPES, claim_names,
    settings::{Certificates, SignOnSettings},
};
use octroi_domain::authentication::Acr;
use octroi_oauth::{authorization_request::Prompt, foreign, jwt::SigningAlgorithm};
use serde_json::{Value, json};

use super::{form::open, json as answer};
use crate::dispatch::OpenCall;

/// The ways a client proves who it is (RFC 6749 section 2.3.1, RFC 7523, RFC 8705).
fn proofs(settings: &SignOnSettings) -> Vec<&'static str> {
    let by_certificate = match settings.certificates {
        Certificates::Off => None,
        Certificates::Verified => Some("tls_client_auth"),
        Certificates::Any => Some("self_signed_tls_client_auth"),
    };
    ["client_secret_basic", "client_secret_post", "private_key_jwt"].into_iter().chain(by_certificate).collect()
}

/// Addresses of clients that show a certificate (RFC 8705 section 5).
const WITH_CERTIFICATE: [(&str, &str); 5] = [
    ("token_endpoint", "/oauth/token"),
    ("revocation_endpoint", "/oauth/revoke"),
    ("introspection_endpoint", "/oauth/introspect"),
    ("pushed_authorization_request_endpoint", "/oauth/par"),
    ("userinfo_endpoint", "/oauth/userinfo"),
];

fn metadata(issuer: &str, settings: &SignOnSettings) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    let signs: Vec<&str> = SigningAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
    let reads = foreign::names();
    let claims: Vec<&str> =
        ["sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid", "nonce"].into_iter().chain(claim_names()).collect();
    let proofs = proofs(settings);
    let methods: Vec<&str> = proofs.iter().copied().chain(["none"]).collect();
    let mut members = json!({
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
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": signs,
        "userinfo_signing_alg_values_supported": signs,
        "introspection_signing_alg_values_supported": signs,
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": reads,
        "introspection_endpoint_auth_methods_supported": proofs,
        "introspection_endpoint_auth_signing_alg_values_supported": reads,
        "revocation_endpoint_auth_methods_supported": methods,
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
    });
    let Some(found) = members.as_object_mut() else { return members };
    found.insert("tls_client_certificate_bound_access_tokens".to_owned(), json!(settings.certificates != Certificates::Off));
    found.insert("protected_resources".to_owned(), json!([issuer]));
    if let Some(address) = &settings.certificate_url {
        let aliases = WITH_CERTIFICATE.map(|(name, path)| (name.to_owned(), json!(format!("{address}{path}"))));
        found.insert("mtls_endpoint_aliases".to_owned(), Value::Object(aliases.into_iter().collect()));
    }
    members
}

/// `GET /.well-known/oauth-protected-resource`: what the portal itself wants of a token, at userinfo (RFC 9728 section 2).
pub async fn resource(call: OpenCall) -> Response {
    let (issuer, settings) = (&call.shared.public_url, call.shared.web.app.sign_on_settings());
    let reads = foreign::names();
    cached(&json!({
        "resource": issuer,
        "authorization_servers": [issuer],
        "scopes_supported": SCOPES,
        "bearer_methods_supported": ["header", "body"],
        "dpop_signing_alg_values_supported": reads,
        "tls_client_certificate_bound_access_tokens": settings.certificates != Certificates::Off,
        "resource_documentation": format!("{issuer}/api/docs"),
    }))
}

pub async fn show(call: OpenCall) -> Response {
    cached(&metadata(&call.shared.public_url, call.shared.web.app.sign_on_settings()))
}

fn cached(value: &Value) -> Response {
    let mut response = open(answer(value));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_a_route() {
        let Value::Object(members) = metadata("https://p.example", &SignOnSettings::default()) else { panic!("not an object") };
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
