//! Proof Key for Code Exchange (RFC 7636), S256 alone: `plain` protects nobody.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::secret::same_digest;

/// A code challenge: the SHA-256 of what its maker keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge([u8; 32]);
impl Challenge {
    /// `None` for anything but 32 bytes in base64url without padding (section 4.2).
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Was it made from this verifier: 43 to 128 unreserved characters (section 4.1)?
    #[must_use]
    pub fn is_of(&self, verifier: &str) -> bool {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
            return false;
        }
        <[u8; 32]>::try_from(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref()).is_ok_and(|made| same_digest(&made, &self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn the_example_of_the_rfc() {
        let challenge = Challenge::read("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(challenge.is_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.is_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
        assert_eq!(Challenge::read(&challenge.text()), Some(challenge));
    }

    #[test]
    fn odd_shapes_are_none() {
        for text in ["", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", "E9Mel", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"] {
            assert_eq!(Challenge::read(text), None, "{text}");
        }
        let challenge = Challenge([0; 32]);
        for verifier in ["", &"a".repeat(42), &"a".repeat(129), &format!("{}é", "a".repeat(43))] {
            assert!(!challenge.is_of(verifier));
        }
    }
}
