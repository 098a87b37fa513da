//! Certificates of clients (RFC 8705), as a proxy that ended TLS hands them on (RFC 9440). Whether their chain leads to an
//! authority is the proxy's to check: it saw the handshake.

use std::net::IpAddr;

use aws_lc_rs::digest;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, SubjectAlternativeName},
    prelude::FromDer,
    x509::X509Name,
};

use crate::{client_metadata::ClientMetadata, foreign::JwkSet};

/// A longer header is refused unread.
pub const MAX_HEADER: usize = 16_384;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("Client-Cert is not one certificate as RFC 9440 writes it: `:<base64>:`")]
    Malformed,
}

/// A name that a certificate has beside its subject (RFC 5280 section 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Dns(String),
    Uri(String),
    Email(String),
    Ip(IpAddr),
}

/// A client's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// None when it has a part that is no text.
    subject: Option<DistinguishedName>,
    names: Vec<Name>,
    /// Seconds since the epoch, both included.
    from: i64,
    until: i64,
}

impl Certificate {
    /// From the header `Client-Cert` (RFC 9440 section 2.2).
    ///
    /// # Errors
    /// [`CertificateError`]
    pub fn from_header(text: &str) -> Result<Self, CertificateError> {
        let bytes = text.trim().strip_prefix(':').and_then(|text| text.strip_suffix(':')).filter(|text| text.len() <= MAX_HEADER);
        let der = bytes.and_then(|text| STANDARD.decode(text).ok()).ok_or(CertificateError::Malformed)?;
        Self::from_der(der)
    }

    /// # Errors
    /// [`CertificateError`]
    pub fn from_der(der: Vec<u8>) -> Result<Self, CertificateError> {
        let (rest, read) = X509Certificate::from_der(&der).map_err(|_| CertificateError::Malformed)?;
        if !rest.is_empty() {
            return Err(CertificateError::Malformed);
        }
        let names = read.subject_alternative_name().map_err(|_| CertificateError::Malformed)?;
        let names = names.map(|extension| names_of(extension.value)).unwrap_or_default();
        let subject = DistinguishedName::of(read.subject());
        let (from, until) = (read.validity().not_before.timestamp(), read.validity().not_after.timestamp());
        Ok(Self { subject, names, from, until, der })
    }

    /// SHA-256 of the DER, base64url: what a token is bound by, `x5t#S256` (RFC 8705 section 3.1).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &self.der))
    }

    /// `now`: seconds since the epoch.
    #[must_use]
    pub const fn is_in_date(&self, now: i64) -> bool {
        self.from <= now && now <= self.until
    }

    /// Has it the one name that the client registered for `tls_client_auth` (RFC 8705 section 2.1.2)?
    #[must_use]
    pub fn has_the_name_of(&self, client: &ClientMetadata) -> bool {
        let has = |wanted: &dyn Fn(&Name) -> bool| self.names.iter().any(wanted);
        if let Some(registered) = &client.tls_client_auth_subject_dn {
            let wanted = DistinguishedName::read(registered);
            return wanted.is_some() && wanted == self.subject;
        }
        if let Some(wanted) = &client.tls_client_auth_san_dns {
            return has(&|name| matches!(name, Name::Dns(dns) if dns.eq_ignore_ascii_case(wanted)));
        }
        if let Some(wanted) = &client.tls_client_auth_san_uri {
            return has(&|name| matches!(name, Name::Uri(uri) if uri == wanted));
        }
        if let Some(wanted) = &client.tls_client_auth_san_email {
            return has(&|name| matches!(name, Name::Email(email) if email == wanted));
        }
        let wanted = client.tls_client_auth_san_ip.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
        wanted.is_some_and(|wanted| has(&|name| matches!(name, Name::Ip(ip) if *ip == wanted)))
    }

    /// Is it the first of the chain of one of these keys, for `self_signed_tls_client_auth` (RFC 8705 section 2.2.2)?
    #[must_use]
    pub fn is_among(&self, keys: &JwkSet) -> bool {
        let chains = keys.keys.iter().filter_map(|key| key.common.x509_chain.as_ref()?.first());
        chains.filter_map(|text| STANDARD.decode(text).ok()).any(|der| der == self.der)
    }
}

fn names_of(extension: &SubjectAlternativeName<'_>) -> Vec<Name> {
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(text) => Some(Name::Dns((*text).to_owned())),
        GeneralName::URI(text) => Some(Name::Uri((*text).to_owned())),
        GeneralName::RFC822Name(text) => Some(Name::Email((*text).to_owned())),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| Name::Ip(bytes.into())),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| Name::Ip(bytes.into())),
        },
        _ => None,
    };
    extension.general_names.iter().filter_map(name).collect()
}

/// A subject, the most specific part first, as RFC 4514 writes it; types by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistinguishedName(Vec<Vec<(String, String)>>);

/// The short names of types (RFC 4514 section 3, and those that public certificates have besides).
const TYPES: [(&str, &str); 16] = [
    ("CN", "2.5.4.3"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("TITLE", "2.5.4.12"),
    ("POSTALCODE", "2.5.4.17"),
    ("GIVENNAME", "2.5.4.42"),
    ("ORGANIZATIONIDENTIFIER", "2.5.4.97"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
    ("E", "1.2.840.113549.1.9.1"),
];

impl DistinguishedName {
    /// From the text of RFC 4514; spaces around `,`, `+` and `=` say nothing. None for anything else, and for values in hex.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = vec![Vec::new()];
        let mut rest = text;
        loop {
            let (kind, after) = rest.split_once('=')?;
            let (value, next) = value(after)?;
            parts.last_mut()?.push((type_of(kind.trim())?, value));
            match next {
                None => break,
                Some((',', after)) => {
                    parts.push(Vec::new());
                    rest = after;
                }
                Some((_, after)) => rest = after,
            }
        }
        parts.iter_mut().for_each(|part| part.sort());
        Some(Self(parts))
    }

    fn of(name: &X509Name<'_>) -> Option<Self> {
        let mut parts = Vec::new();
        for part in name.iter_rdn() {
            let read =
                |one: &x509_parser::x509::AttributeTypeAndValue<'_>| Some((one.attr_type().to_id_string(), one.as_str().ok()?.to_owned()));
            let mut part: Vec<(String, String)> = part.iter().map(read).collect::<Option<_>>()?;
            part.sort();
            parts.push(part);
        }
        parts.reverse();
        Some(Self(parts))
    }
}

fn type_of(name: &str) -> Option<String> {
    if let Some((_, number)) = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Some((*number).to_owned());
    }
    let number = name.contains('.') && name.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    number.then(|| name.to_owned())
}

/// A value up to the separator that is not escaped, without the spaces around it; the separator, and what follows.
fn value(text: &str) -> Option<(String, Option<(char, &str)>)> {
    let mut bytes: Vec<u8> = Vec::new();
    // Up to where spaces are meant.
    let mut kept = 0;
    let mut chars = text.char_indices();
    let mut next = None;
    if text.trim_start().starts_with('#') {
        return None;
    }
    while let Some((place, c)) = chars.next() {
        match c {
            ',' | '+' => {
                next = Some((c, text.get(place + 1..)?));
                break;
            }
            ' ' if bytes.is_empty() => {}
            ' ' => bytes.push(b' '),
            '"' | ';' | '<' | '>' => return None,
            '\\' => {
                let (_, escaped) = chars.next()?;
                match escaped.to_digit(16) {
                    Some(high) => {
                        let low = chars.next()?.1.to_digit(16)?;
                        bytes.push(u8::try_from(high * 16 + low).ok()?);
                    }
                    None if " \"#+,;<=>\\".contains(escaped) => bytes.push(u8::try_from(escaped).ok()?),
                    None => return None,
                }
                kept = bytes.len();
            }
            other => {
                bytes.extend(other.to_string().bytes());
                kept = bytes.len();
            }
        }
    }
    bytes.truncate(kept);
    let value = String::from_utf8(bytes).ok().filter(|value| !value.is_empty())?;
    Some((value, next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Of `CN=cantine.rivebelle.example,O=Ville de Rivebelle,C=FR`, self-signed, with names of every kind, good from 2025 to 2125.
    const ONE: &str = "MIICIzCCAcigAwIBAgIBATAKBggqhkjOPQQDAjBOMQswCQYDVQQGEwJGUjEbMBkGA1UECgwSVmlsbGUgZGUgUml2ZWJlbGxlMSIwIAYDVQQDDBljYW50aW5lLnJpdmViZWxsZS5leGFtcGxlMCAXDTI1MDEwMTAwMDAwMFoYDzIxMjUwMTAxMDAwMDAwWjBOMQswCQYDVQQGEwJGUjEbMBkGA1UECgwSVmlsbGUgZGUgUml2ZWJlbGxlMSIwIAYDVQQDDBljYW50aW5lLnJpdmViZWxsZS5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEP3GGr+UbLKljiFwLLYHXqbK9eaQd2UJHyBUfqlKCV8bV1lOwfux+7pZEva453qNpgGyNKiUQkXFNm8pYEUpjXqOBlDCBkTBbBgNVHREEVDBSghljYW50aW5lLnJpdmViZWxsZS5leGFtcGxlhhh1cm46ZnI6cml2ZWJlbGxlOmNhbnRpbmWHBMAAAgeBFWFwaUByaXZlYmVsbGUuZXhhbXBsZTATBgNVHSUEDDAKBggrBgEFBQcDAjAdBgNVHQ4EFgQUgm/MqGa8P4Cd8oet1j2y3t+sWu0wCgYIKoZIzj0EAwIDSQAwRgIhANNTUW5AYQXziSnKHG0OfdxTvheuZUAxt8TvOKi+GMigAiEA6vekDMYvo/6UYv61/efzXaJlzbEeWqNefCTb1Fdpdp0=";
    const OTHER: &str = "MIIB4jCCAYmgAwIBAgIBATAKBggqhkjOPQQDAjBMMQswCQYDVQQGEwJGUjEbMBkGA1UECgwSVmlsbGUgZGUgUml2ZWJlbGxlMSAwHgYDVQQDDBdvdGhlci5yaXZlYmVsbGUuZXhhbXBsZTAgFw0yNTAxMDEwMDAwMDBaGA8yMTI1MDEwMTAwMDAwMFowTDELMAkGA1UEBhMCRlIxGzAZBgNVBAoMElZpbGxlIGRlIFJpdmViZWxsZTEgMB4GA1UEAwwXb3RoZXIucml2ZWJlbGxlLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASRmNTOYJUUx8c73s/w1iksPAiY/9xWSrZ3b+E831JqMUYPiR5U8d+jzUi/dAWh6dfN3uUNRDZiyokO5c/2gODEo1owWDAiBgNVHREEGzAZghdvdGhlci5yaXZlYmVsbGUuZXhhbXBsZTATBgNVHSUEDDAKBggrBgEFBQcDAjAdBgNVHQ4EFgQUbaj1NAfTYmwX4ZZG7jE6pG0jdmIwCgYIKoZIzj0EAwIDRwAwRAIgfWIpfz5fVsVj4Mu13/g/yh4o1SNbeywlWQOAV2Fg1TQCIGHglUav/EeJ9nEwQK5WxwUXf5Kr4JUHmtQEl9qvDtfw";

    fn certificate(text: &str) -> Certificate {
        Certificate::from_header(&format!(":{text}:")).unwrap()
    }
    fn client(name: &str, value: &str) -> ClientMetadata {
        ClientMetadata::read(json!({
            "redirect_uris": ["https://rp.example/cb"], "token_endpoint_auth_method": "tls_client_auth", name: value,
        }))
        .unwrap()
    }

    #[test]
    fn the_registered_name_is_looked_for() {
        let (one, other) = (certificate(ONE), certificate(OTHER));
        for (name, value) in [
            ("tls_client_auth_subject_dn", "CN=cantine.rivebelle.example,O=Ville de Rivebelle,C=FR"),
            ("tls_client_auth_subject_dn", "cn = cantine.rivebelle.example, O=Ville\\20de Rivebelle , 2.5.4.6=FR"),
            ("tls_client_auth_san_dns", "Cantine.Rivebelle.example"),
            ("tls_client_auth_san_uri", "urn:fr:rivebelle:cantine"),
            ("tls_client_auth_san_ip", "192.0.2.7"),
            ("tls_client_auth_san_email", "api@rivebelle.example"),
        ] {
            let client = client(name, value);
            assert!(one.has_the_name_of(&client), "{name}={value}");
            assert!(!other.has_the_name_of(&client), "{name}={value}");
        }
        for (name, value) in [
            ("tls_client_auth_subject_dn", "CN=cantine.rivebelle.example"),
            ("tls_client_auth_subject_dn", "C=FR,O=Ville de Rivebelle,CN=cantine.rivebelle.example"),
            ("tls_client_auth_subject_dn", "CN=cantine.rivebelle.example+O=Ville de Rivebelle,C=FR"),
            ("tls_client_auth_subject_dn", "CN=CANTINE.rivebelle.example,O=Ville de Rivebelle,C=FR"),
            ("tls_client_auth_san_dns", "*.rivebelle.example"),
            ("tls_client_auth_san_dns", "rivebelle.example"),
            ("tls_client_auth_san_uri", "urn:fr:rivebelle"),
            ("tls_client_auth_san_ip", "192.0.2.8"),
            ("tls_client_auth_san_email", "API@rivebelle.example"),
        ] {
            assert!(!one.has_the_name_of(&client(name, value)), "{name}={value}");
        }
        assert!(one.is_in_date(1_790_000_000) && !one.is_in_date(1_700_000_000) && !one.is_in_date(5_000_000_000));
    }

    #[test]
    fn a_certificate_among_the_keys() {
        let key = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "x5c": [ONE]});
        let keys: JwkSet = serde_json::from_value(json!({ "keys": [key] })).unwrap();
        assert!(certificate(ONE).is_among(&keys));
        assert!(!certificate(OTHER).is_among(&keys));
        assert!(!certificate(ONE).is_among(&JwkSet { keys: Vec::new() }));
        assert_eq!(certificate(ONE).thumbprint().len(), 43);
        assert_ne!(certificate(ONE).thumbprint(), certificate(OTHER).thumbprint());
    }

    #[test]
    fn what_is_no_header() {
        let twice = format!(":{ONE}:, :{OTHER}:");
        let trailing = {
            let mut der = STANDARD.decode(ONE).unwrap();
            der.push(0);
            format!(":{}:", STANDARD.encode(der))
        };
        for bad in [
            "",
            ":",
            "::",
            ONE,
            ":AAAA:",
            ":not base64:",
            "-----BEGIN CERTIFICATE-----",
            &twice,
            &trailing,
            &format!(":{}:", "A".repeat(20_000)),
        ] {
            assert!(Certificate::from_header(bad).is_err(), "{bad:.40}");
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        let read = |text: &str| DistinguishedName::read(text).map(|name| name.0);
        let one = |kind: &str, value: &str| vec![(kind.to_owned(), value.to_owned())];
        assert_eq!(read("CN=a\\,b\\+c,DC=x"), Some(vec![one("2.5.4.3", "a,b+c"), one("0.9.2342.19200300.100.1.25", "x")]));
        assert_eq!(read("O=Caf\\C3\\A9\\ "), Some(vec![one("2.5.4.10", "Café ")]));
        assert_eq!(read("OU=b+CN=a"), read("CN=a + OU=b"));
        for bad in ["", "a", "CN=", "=a", "XX=a", "CN=a,", "CN=\\", "CN=\\zz", "CN=#0402", "CN=a;O=b", "CN=\"a\"", "CN=\\FF"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
