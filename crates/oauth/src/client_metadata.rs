//! What is known of a client (RFC 7591 section 2, OpenID Connect Registration section 2, RP-Initiated and
//! Back-Channel Logout, RFC 8705, RFC 9126, RFC 9449): read, completed with defaults, and checked as a whole.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::{
    certificate::DistinguishedName,
    foreign::{self, Jwk, JwkSet},
    jwt::SigningAlgorithm,
    redirect_uri::{RedirectUri, is_loopback},
};

/// Members of one list.
const MOST: usize = 50;
/// Characters of one text.
const LONGEST: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
    TlsClientAuth,
    SelfSignedTlsClientAuth,
    /// A public client: it has no secret, and has to use PKCE.
    None,
}
impl AuthMethod {
    #[must_use]
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    #[default]
    Web,
    Native,
}

/// Has each sector a `sub` of its own for a person (OpenID Connect Core section 8.1)?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    #[default]
    Public,
    Pairwise,
}

fn code() -> Vec<GrantType> {
    vec![GrantType::AuthorizationCode]
}
fn code_answer() -> Vec<String> {
    vec!["code".to_owned()]
}

/// A client's metadata, with the defaults filled in. Members that nobody knows are left out, as RFC 7591 section 2 allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientMetadata {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_name: String,
    #[serde(default)]
    pub redirect_uris: Vec<RedirectUri>,
    #[serde(default)]
    pub application_type: ApplicationType,
    #[serde(default)]
    pub token_endpoint_auth_method: AuthMethod,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<String>,
    #[serde(default = "code")]
    pub grant_types: Vec<GrantType>,
    #[serde(default = "code_answer")]
    pub response_types: Vec<String>,
    /// What it may ask for, separated by spaces; none: what every client may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    #[serde(default, deserialize_with = "foreign::public_keys", skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwkSet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    #[serde(default)]
    pub subject_type: SubjectType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    #[serde(default)]
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// None: userinfo is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<SigningAlgorithm>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u32>,
    #[serde(default)]
    pub require_auth_time: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    #[serde(default)]
    pub backchannel_logout_session_required: bool,
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    #[serde(default)]
    pub tls_client_certificate_bound_access_tokens: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_subject_dn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_dns: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_ip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_email: Option<String>,
    /// Ours: the code flow without PKCE is refused.
    #[serde(default)]
    pub require_pkce: bool,
    /// Ours: what the scopes give stands in the ID token too (OpenID Connect Core section 5.4 has it at userinfo), for clients
    /// that read nothing else.
    #[serde(default)]
    pub claims_in_id_token: bool,
}

/// Why metadata is refused (RFC 7591 section 3.2.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct MetadataError {
    /// The member's name; empty: the whole.
    pub field: String,
    pub why: String,
}
impl MetadataError {
    fn new(field: &str, why: impl Into<String>) -> Self {
        Self { field: field.to_owned(), why: why.into() }
    }

    /// The error code of RFC 7591.
    #[must_use]
    pub fn code(&self) -> &'static str {
        if self.field.starts_with("redirect_uris") { "invalid_redirect_uri" } else { "invalid_client_metadata" }
    }
}

/// Controls, and what turns or hides the text around it: people decide by the name that they see.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whose an address is: the origin of one of the web, else its scheme.
fn owner(uri: &RedirectUri) -> String {
    uri.origin().unwrap_or_else(|| uri.as_str().split(':').next().unwrap_or_default().to_owned())
}

impl ClientMetadata {
    /// From JSON.
    ///
    /// # Errors
    /// The first member that is wrong.
    pub fn read(value: Value) -> Result<Self, MetadataError> {
        let Value::Object(mut members) = value else { return Err(MetadataError::new("", "the metadata is not a JSON object")) };
        // A member that says nothing is left out (section 2 of RFC 7591 has no nulls).
        members.retain(|_, value| !value.is_null());
        // Word for word, so that the error names the very address.
        for (name, value) in &members {
            if name.ends_with("redirect_uris") {
                let addresses = value.as_array().ok_or_else(|| MetadataError::new(name, "it is a list of addresses"))?;
                for (place, address) in addresses.iter().enumerate() {
                    let place = format!("{name}[{place}]");
                    let text = address.as_str().ok_or_else(|| MetadataError::new(&place, "it is a text"))?;
                    RedirectUri::read(text).map_err(|error| MetadataError::new(&place, error.to_string()))?;
                }
            }
        }
        // What is answered goes with how it is asked for (section 2.1): without the code flow, nothing is.
        let flows = members.get("grant_types").and_then(Value::as_array);
        if flows.is_some_and(|flows| !flows.iter().any(|flow| flow == "authorization_code")) {
            members.entry("response_types").or_insert_with(|| Value::Array(Vec::new()));
        }
        let metadata: Self = serde_path_to_error::deserialize(Value::Object(members)).map_err(|error| {
            let field = error.path().to_string();
            MetadataError::new(if field == "." { "" } else { &field }, error.into_inner().to_string())
        })?;
        metadata.check()?;
        Ok(metadata)
    }

    /// Did the client register this address to be answered at?
    #[must_use]
    pub fn is_answered_at(&self, address: &str) -> bool {
        self.redirect_uris.iter().any(|registered| registered.is(address, self.application_type == ApplicationType::Native))
    }

    /// Did the client register this address to go to after a logout?
    #[must_use]
    pub fn is_left_to(&self, address: &str) -> bool {
        self.post_logout_redirect_uris.iter().any(|registered| registered.is(address, self.application_type == ApplicationType::Native))
    }

    /// Does every member fit the others?
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self) -> Result<(), MetadataError> {
        self.check_sizes()?;
        self.check_flows()?;
        self.check_keys()?;
        self.check_addresses()?;
        if self.response_types.iter().any(|kind| kind != "code") {
            return Err(MetadataError::new("response_types", "`code` alone is offered"));
        }
        if self.response_types.is_empty() && self.grant_types.contains(&GrantType::AuthorizationCode) {
            return Err(MetadataError::new("response_types", "the grant type authorization_code goes with `code`"));
        }
        // None at all, when the server left nothing of what was asked for.
        if let Some(scope) = self.scope.as_deref().filter(|scope| !scope.is_empty())
            && scope.split(' ').any(|token| token.is_empty() || !token.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)))
        {
            return Err(MetadataError::new("scope", "it is scope names, separated by one space"));
        }
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), MetadataError> {
        let name = self.client_name.chars().count();
        if name > 120 || self.client_name.chars().any(is_unseen) {
            return Err(MetadataError::new("client_name", "a name of at most 120 characters, without any that is not seen"));
        }
        let lists = [
            ("redirect_uris", self.redirect_uris.len()),
            ("post_logout_redirect_uris", self.post_logout_redirect_uris.len()),
            ("contacts", self.contacts.len()),
            ("default_acr_values", self.default_acr_values.len()),
            ("grant_types", self.grant_types.len()),
            ("jwks", self.jwks.as_ref().map_or(0, |set| set.keys.len())),
        ];
        if let Some((field, _)) = lists.into_iter().find(|(_, length)| *length > MOST) {
            return Err(MetadataError::new(field, format!("at most {MOST} entries")));
        }
        let texts = self.contacts.iter().chain(&self.default_acr_values).chain(&self.scope);
        let texts = texts.chain(self.certificate_names().into_iter().filter_map(|(_, name)| name.as_ref()));
        if texts.into_iter().any(|text| text.len() > LONGEST || text.chars().any(char::is_control)) {
            return Err(MetadataError::new("", format!("a text is longer than {LONGEST} characters, or has control characters")));
        }
        Ok(())
    }

    fn check_flows(&self) -> Result<(), MetadataError> {
        let code = self.grant_types.contains(&GrantType::AuthorizationCode);
        if code && self.redirect_uris.is_empty() {
            return Err(MetadataError::new("redirect_uris", "the code flow needs at least one address to come back to"));
        }
        if self.grant_types.is_empty() {
            return Err(MetadataError::new("grant_types", "at least one"));
        }
        if self.grant_types.contains(&GrantType::RefreshToken) && !code {
            return Err(MetadataError::new("grant_types", "refresh_token goes with authorization_code"));
        }
        if self.grant_types.contains(&GrantType::ClientCredentials) && self.token_endpoint_auth_method == AuthMethod::None {
            return Err(MetadataError::new("token_endpoint_auth_method", "a public client has no credentials of its own"));
        }
        // OpenID Connect Registration section 2, application_type.
        let web = self.application_type == ApplicationType::Web;
        let strange = |uri: &&RedirectUri| {
            Url::parse(uri.as_str())
                .is_ok_and(|url| if web { !matches!(url.scheme(), "https" | "http") } else { url.scheme() == "http" && !is_loopback(&url) })
        };
        if self.redirect_uris.iter().any(|uri| strange(&uri)) {
            return Err(MetadataError::new("redirect_uris", "a scheme of its own is for clients with application_type `native`"));
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), MetadataError> {
        if self.jwks.is_some() && self.jwks_uri.is_some() {
            return Err(MetadataError::new("jwks", "give jwks or jwks_uri, not both"));
        }
        let wanted = match self.token_endpoint_auth_method {
            AuthMethod::PrivateKeyJwt | AuthMethod::SelfSignedTlsClientAuth => self.jwks.is_none() && self.jwks_uri.is_none(),
            _ => false,
        };
        if wanted {
            return Err(MetadataError::new("jwks", "this way of authenticating needs the client's public keys: jwks or jwks_uri"));
        }
        let symmetric = |key: &Jwk| {
            use jsonwebtoken::jwk::AlgorithmParameters as Kind;
            !matches!(key.algorithm, Kind::EllipticCurve(_) | Kind::RSA(_) | Kind::OctetKeyPair(_))
        };
        if self.jwks.as_ref().is_some_and(|set| set.keys.is_empty() || set.keys.iter().any(symmetric)) {
            return Err(MetadataError::new("jwks", "public keys alone: RSA, EC or OKP; each for an algorithm that is known here"));
        }
        self.check_signing_keys()?;
        if let Some(alg) = &self.token_endpoint_auth_signing_alg
            && !foreign::algorithm(alg).is_some_and(|alg| foreign::ASYMMETRIC.contains(&alg))
        {
            let known = "one of ES256, ES384, RS256…RS512, PS256…PS512, EdDSA, Ed25519";
            return Err(MetadataError::new("token_endpoint_auth_signing_alg", known));
        }
        let named = self.certificate_names().into_iter().filter(|(_, name)| name.is_some()).count();
        if self.token_endpoint_auth_method == AuthMethod::TlsClientAuth && named != 1 {
            return Err(MetadataError::new("tls_client_auth_subject_dn", "tls_client_auth needs exactly one name of the certificate"));
        }
        if self.tls_client_auth_subject_dn.as_deref().is_some_and(|name| DistinguishedName::read(name).is_none()) {
            return Err(MetadataError::new("tls_client_auth_subject_dn", "a name as RFC 4514 writes it: CN=service.example,O=Ville,C=FR"));
        }
        if self.tls_client_auth_san_ip.as_deref().is_some_and(|text| text.parse::<std::net::IpAddr>().is_err()) {
            return Err(MetadataError::new("tls_client_auth_san_ip", "an address: 192.0.2.7, or 2001:db8::7"));
        }
        Ok(())
    }

    /// Keys that can never sign an assertion are refused here, where somebody reads it, rather than at the token endpoint.
    fn check_signing_keys(&self) -> Result<(), MetadataError> {
        let Some(set) = self.jwks.as_ref().filter(|_| self.token_endpoint_auth_method == AuthMethod::PrivateKeyJwt) else { return Ok(()) };
        let chosen = self.token_endpoint_auth_signing_alg.as_deref().and_then(foreign::algorithm).map(|one| vec![one]);
        let allowed = chosen.unwrap_or_else(|| foreign::ASYMMETRIC.to_vec());
        if set.keys.iter().any(|key| foreign::is_usable(key, &allowed)) {
            return Ok(());
        }
        Err(MetadataError::new("jwks", format!("no key of the set can sign an assertion: one for {} is needed", foreign::listed(&allowed))))
    }

    /// The names that a certificate may be known by (RFC 8705 section 2.1.2).
    const fn certificate_names(&self) -> [(&'static str, &Option<String>); 5] {
        [
            ("tls_client_auth_subject_dn", &self.tls_client_auth_subject_dn),
            ("tls_client_auth_san_dns", &self.tls_client_auth_san_dns),
            ("tls_client_auth_san_uri", &self.tls_client_auth_san_uri),
            ("tls_client_auth_san_ip", &self.tls_client_auth_san_ip),
            ("tls_client_auth_san_email", &self.tls_client_auth_san_email),
        ]
    }

    fn check_addresses(&self) -> Result<(), MetadataError> {
        let addresses = [
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
            ("jwks_uri", &self.jwks_uri),
            ("initiate_login_uri", &self.initiate_login_uri),
            ("sector_identifier_uri", &self.sector_identifier_uri),
            ("backchannel_logout_uri", &self.backchannel_logout_uri),
        ];
        for (field, address) in addresses {
            let Some(address) = address else { continue };
            let url = RedirectUri::read(address).ok().and_then(|_| Url::parse(address).ok());
            if !url.is_some_and(|url| matches!(url.scheme(), "https" | "http")) {
                return Err(MetadataError::new(
                    field,
                    "an address that begins with https:// (http:// for this machine alone), without fragment",
                ));
            }
        }
        let hosts: std::collections::BTreeSet<_> = self.redirect_uris.iter().map(owner).collect();
        if self.subject_type == SubjectType::Pairwise && self.sector_identifier_uri.is_none() && hosts.len() > 1 {
            return Err(MetadataError::new(
                "sector_identifier_uri",
                "pairwise subjects of several hosts need it (OpenID Connect Core 8.1)",
            ));
        }
        Ok(())
    }

    /// The addresses that we call ourselves, by member.
    #[must_use]
    pub fn called(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("jwks_uri", &self.jwks_uri),
            ("sector_identifier_uri", &self.sector_identifier_uri),
            ("backchannel_logout_uri", &self.backchannel_logout_uri),
        ];
        all.into_iter().filter_map(|(field, address)| Some((field, address.as_deref()?))).collect()
    }

    /// The host that pairwise subjects are made for (OpenID Connect Core section 8.1).
    #[must_use]
    pub fn sector(&self) -> Option<String> {
        let address = self.sector_identifier_uri.as_deref().or_else(|| self.redirect_uris.first().map(RedirectUri::as_str))?;
        let url = Url::parse(address).ok()?;
        // A scheme of an application's own has no host, and is one by itself.
        Some(url.host_str().filter(|host| !host.is_empty()).unwrap_or_else(|| url.scheme()).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(name: &str, value: Value) -> Value {
        let mut metadata = json!({"redirect_uris": ["https://rp.example/cb"]});
        metadata[name] = value;
        metadata
    }

    #[test]
    fn defaults_are_those_of_the_rfc() {
        let read = ClientMetadata::read(with("unknown_member", json!({"a": 1}))).unwrap();
        assert_eq!(read.token_endpoint_auth_method, AuthMethod::ClientSecretBasic);
        assert_eq!(read.grant_types, vec![GrantType::AuthorizationCode]);
        assert_eq!(read.id_token_signed_response_alg, SigningAlgorithm::Es256);
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(ClientMetadata::read(written).unwrap(), read);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        #[track_caller]
        fn check(metadata: Value, field: &str, code: &str) {
            let error = ClientMetadata::read(metadata.clone()).unwrap_err();
            assert_eq!((error.field.as_str(), error.code()), (field, code), "{metadata}: {error}");
        }
        check(json!({}), "redirect_uris", "invalid_redirect_uri");
        check(json!([]), "", "invalid_client_metadata");
        check(json!({"redirect_uris": "https://rp.example/cb"}), "redirect_uris", "invalid_redirect_uri");
        check(json!({"redirect_uris": ["https://rp.example/cb", "https://rp.example/cb#x"]}), "redirect_uris[1]", "invalid_redirect_uri");
        check(json!({"redirect_uris": ["fr.example.app:/cb"]}), "redirect_uris", "invalid_redirect_uri");
        check(with("grant_types", json!(["password"])), "grant_types[0]", "invalid_client_metadata");
        check(with("grant_types", json!(["implicit"])), "grant_types[0]", "invalid_client_metadata");
        check(with("response_types", json!(["code id_token"])), "response_types", "invalid_client_metadata");
        check(with("token_endpoint_auth_method", json!("private_key_jwt")), "jwks", "invalid_client_metadata");
        check(with("jwks", json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})), "jwks", "invalid_client_metadata");
        let signs = |jwk: Value, alg: &str| {
            json!({
                "redirect_uris": ["https://rp.example/cb"], "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [jwk]},
                "token_endpoint_auth_signing_alg": alg,
            })
        };
        check(signs(json!({"kty": "EC", "crv": "P-521", "x": "AAAA", "y": "AAAA"}), "ES256"), "jwks", "invalid_client_metadata");
        let rs256 = json!({"kty": "RSA", "alg": "RS256", "n": "AAAA", "e": "AQAB"});
        check(signs(rs256.clone(), "PS256"), "jwks", "invalid_client_metadata");
        assert!(ClientMetadata::read(signs(rs256, "RS256")).is_ok());
        check(with("jwks_uri", json!("file:///etc/passwd")), "jwks_uri", "invalid_client_metadata");
        check(with("logo_uri", json!("javascript:alert(1)")), "logo_uri", "invalid_client_metadata");
        check(with("scope", json!("a  b")), "scope", "invalid_client_metadata");
        check(with("id_token_signed_response_alg", json!("none")), "id_token_signed_response_alg", "invalid_client_metadata");
        check(with("client_name", json!("Impots\u{202e}rf.vuog")), "client_name", "invalid_client_metadata");
        check(with("client_name", json!("Can\u{200b}tine")), "client_name", "invalid_client_metadata");
        // An application that shares an address with another's site does not share its subjects.
        let two = json!({
            "application_type": "native", "subject_type": "pairwise", "redirect_uris": ["https://rp.example/cb", "fr.evil.app:/cb"],
        });
        check(two, "sector_identifier_uri", "invalid_client_metadata");
        check(with("client_name", json!("x".repeat(121))), "client_name", "invalid_client_metadata");
        check(with("default_max_age", json!("soon")), "default_max_age", "invalid_client_metadata");
    }

    #[test]
    fn native_clients_have_schemes_of_their_own() {
        let native = json!({"application_type": "native", "token_endpoint_auth_method": "none", "redirect_uris": ["fr.example.app:/cb", "http://127.0.0.1/cb"]});
        assert!(ClientMetadata::read(native).is_ok());
        let own = json!({"application_type": "native", "subject_type": "pairwise", "redirect_uris": ["fr.example.app:/cb"]});
        assert_eq!(ClientMetadata::read(own).unwrap().sector().as_deref(), Some("fr.example.app"), "never the subject of everybody");
    }
}
