//! Requests of clients to the token, introspection and revocation endpoints:
//! RFC 6749 sections 2.3.1 and 4.4.2, RFC 7662 section 2.1, RFC 7009 section 2.1.

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};

use crate::error::OAuthError;

/// A longer body is refused unread.
pub const MAX_BODY: usize = 16_384;

/// A client that says who it is.
pub struct ClientAuthentication {
    pub client_id: String,
    secret: SecretString,
}
impl ClientAuthentication {
    /// The SHA-256 of the secret, to be compared with what is stored.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        crate::secret::digest(self.secret.expose_secret())
    }

    /// Does the secret have the shape and checksum of one of ours?
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        crate::secret::recognise(self.secret.expose_secret()).is_some()
    }
}

/// A form that a client posted, with its authentication taken out.
pub struct ClientRequest {
    pub client: ClientAuthentication,
    parameters: Vec<(String, String)>,
}

impl ClientRequest {
    /// Reads an `application/x-www-form-urlencoded` body and the `Authorization` header.
    ///
    /// # Errors
    /// `invalid_request` for another content type, a repeated parameter, or two ways of
    /// authenticating at once; `invalid_client` when the client does not authenticate.
    pub fn read(authorization: Option<&str>, content_type: Option<&str>, body: &[u8]) -> Result<Self, OAuthError> {
        let media_type = content_type.and_then(|value| value.split(';').next()).map(str::trim).unwrap_or_default();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(OAuthError::InvalidRequest("send the parameters as application/x-www-form-urlencoded"));
        }
        if body.len() > MAX_BODY {
            return Err(OAuthError::InvalidRequest("the body is too long"));
        }
        let body = std::str::from_utf8(body).map_err(|_| OAuthError::InvalidRequest("the body is not UTF-8"))?;
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body.as_bytes()) {
            if parameters.iter().any(|(before, _)| *before == name) {
                return Err(OAuthError::InvalidRequest("a parameter is repeated"));
            }
            // RFC 6749 section 3.2: a parameter without a value counts as left out.
            if !value.is_empty() {
                parameters.push((name.into_owned(), value.into_owned()));
            }
        }
        let mut take = |name: &str| {
            let place = parameters.iter().position(|(found, _)| found == name)?;
            Some(parameters.swap_remove(place).1)
        };
        let (id, secret) = (take("client_id"), take("client_secret"));
        let client = match (authorization, id, secret) {
            (Some(_), _, Some(_)) => return Err(OAuthError::InvalidRequest("authenticate the client once: by the header or in the body")),
            (Some(header), id, None) => {
                let client = basic(header).ok_or(OAuthError::InvalidClient)?;
                if id.is_some_and(|id| id != client.client_id) {
                    return Err(OAuthError::InvalidRequest("client_id differs from the authenticated client"));
                }
                client
            }
            (None, Some(client_id), Some(secret)) => ClientAuthentication { client_id, secret: secret.into() },
            (None, _, _) => return Err(OAuthError::InvalidClient),
        };
        Ok(Self { client, parameters })
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// HTTP Basic with form-encoded halves (RFC 6749 section 2.3.1, RFC 7617).
#[must_use]
pub fn basic(header: &str) -> Option<ClientAuthentication> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 2_048 {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some(ClientAuthentication { client_id: form_decode(id)?, secret: form_decode(secret)?.into() })
}

fn form_decode(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).or_else(|| text.is_empty().then(String::new))
}

/// What a client-credentials request asks for (RFC 6749 section 4.4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// The scopes that were asked for, `openid` left out (it is accepted and means nothing here, as
    /// on PISTE); none: all that the client is granted.
    pub scopes: Option<Vec<String>>,
}
impl ClientCredentials {
    /// # Errors
    /// `invalid_request` without a grant type or with a malformed scope; `unsupported_grant_type`
    /// for any but `client_credentials`.
    pub fn read(request: &ClientRequest) -> Result<Self, OAuthError> {
        match request.get("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(OAuthError::UnsupportedGrantType),
            None => return Err(OAuthError::InvalidRequest("grant_type is missing: use client_credentials")),
        }
        let Some(text) = request.get("scope") else { return Ok(Self { scopes: None }) };
        let visible = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let mut scopes: Vec<String> = Vec::new();
        for token in text.split(' ') {
            if token.is_empty() || token.len() > 128 || !token.bytes().all(visible) || scopes.len() > 500 {
                return Err(OAuthError::InvalidScope(token.chars().filter(|c| c.is_ascii_graphic()).take(60).collect()));
            }
            if !scopes.iter().any(|before| before == token) {
                scopes.push(token.to_owned());
            }
        }
        scopes.retain(|scope| scope != "openid");
        Ok(Self { scopes: (!scopes.is_empty()).then_some(scopes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded; charset=utf-8");

    fn read(authorization: Option<&str>, body: &str) -> Result<(String, Option<Vec<String>>), OAuthError> {
        let request = ClientRequest::read(authorization, FORM, body.as_bytes())?;
        ClientCredentials::read(&request).map(|asked| (request.client.client_id.clone(), asked.scopes))
    }

    #[test]
    fn both_ways_of_authenticating() {
        let expected = Ok(("a:b".to_owned(), None));
        assert_eq!(read(None, "grant_type=client_credentials&client_id=a%3Ab&client_secret=s&scope=openid"), expected);
        let header = format!("Basic {}", STANDARD.encode("a%3Ab:s%20s"));
        assert_eq!(read(Some(&header), "grant_type=client_credentials&scope="), expected);
        assert_eq!(read(Some(&header), "grant_type=client_credentials&client_id=a%3Ab"), expected);
    }

    #[test]
    fn confusion_is_refused() {
        let header = format!("Basic {}", STANDARD.encode("a:s"));
        for (authorization, body, code) in [
            (Some(header.as_str()), "grant_type=client_credentials&client_secret=s", "invalid_request"),
            (Some(header.as_str()), "grant_type=client_credentials&client_id=b", "invalid_request"),
            (Some("Basic !!!"), "grant_type=client_credentials", "invalid_client"),
            (Some("Bearer x"), "grant_type=client_credentials", "invalid_client"),
            (None, "grant_type=client_credentials&client_id=a", "invalid_client"),
            (None, "grant_type=password&client_id=a&client_secret=s", "unsupported_grant_type"),
            (None, "client_id=a&client_secret=s", "invalid_request"),
            (None, "grant_type=client_credentials&grant_type=x&client_id=a&client_secret=s", "invalid_request"),
            (None, "grant_type=client_credentials&client_id=a&client_secret=s&scope=a%09b", "invalid_scope"),
            (None, "grant_type=client_credentials&client_id=a&client_secret=s&scope=a++b", "invalid_scope"),
        ] {
            assert_eq!(read(authorization, body).map_err(|error| error.code()), Err(code), "{body}");
        }
        let json = ClientRequest::read(None, Some("application/json"), b"{}");
        assert_eq!(json.err().map(|error| error.code()), Some("invalid_request"));
    }

    #[test]
    fn scopes_are_exact_tokens() {
        let asked = read(None, "grant_type=client_credentials&client_id=a&client_secret=s&scope=openid+b+a+b").unwrap().1;
        assert_eq!(asked, Some(vec!["b".to_owned(), "a".to_owned()]));
    }
}
