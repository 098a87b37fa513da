//! `GET /.well-known/oauth-authorization-server`: what the server offers (RFC 8414), and nothing that it does not.

use axum::response::Response;
use serde::Serialize;

use super::json;
use crate::dispatch::OpenCall;

#[derive(Serialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    jwks_uri: String,
    service_documentation: String,
    /// Required by section 2, and empty: there is no authorization endpoint here.
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 2],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
}

/// The ways a client authenticates (RFC 6749 section 2.3.1).
const METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

fn metadata(issuer: &str) -> Metadata {
    let at = |path: &str| format!("{issuer}{path}");
    Metadata {
        issuer: issuer.to_owned(),
        token_endpoint: at("/oauth/token"),
        introspection_endpoint: at("/oauth/introspect"),
        revocation_endpoint: at("/oauth/revoke"),
        jwks_uri: at("/oauth/jwks"),
        service_documentation: at("/api/docs"),
        response_types_supported: [],
        grant_types_supported: ["client_credentials"],
        token_endpoint_auth_methods_supported: METHODS,
        introspection_endpoint_auth_methods_supported: METHODS,
        revocation_endpoint_auth_methods_supported: METHODS,
    }
}

pub async fn show(call: OpenCall) -> Response {
    json(&metadata(&call.shared.public_url))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_named_is_a_route() {
        let Ok(Value::Object(members)) = serde_json::to_value(metadata("https://p.example")) else { panic!("not an object") };
        let paths: Vec<&str> = crate::routes().iter().map(|route| route.path).collect();
        let mut named = 0;
        for (name, value) in members {
            if let Some(path) = value.as_str().and_then(|text| text.strip_prefix("https://p.example/")) {
                assert!(paths.contains(&format!("/{path}").as_str()), "{name}: {path}");
                named += 1;
            }
        }
        assert_eq!(named, 5);
    }
}
