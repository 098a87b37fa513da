//! Secrets that are handed out: recognisable by their prefix, checked by their last six
//! characters, stored as a SHA-256 only.
//!
//! `oct_live_key_<43 × base62><6 × base62 CRC-32>`: 256 random bits; the checksum lets a scanner
//! tell a real leak from a look-alike, and lets us refuse a mistyped one without a look-up.

use aws_lc_rs::{digest, rand};
use secrecy::{ExposeSecret, SecretString};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
/// How much of a secret is kept to recognise it by: the prefix and four random characters.
const HINT_RANDOM: usize = 4;

/// What a secret is for: each has a prefix of its own, so that one can never pass for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretKind {
    ProductionApiKey,
    SandboxApiKey,
    ProductionClientSecret,
    SandboxClientSecret,
    /// Authenticates a relying party of the sign-on.
    SignOnSecret,
    /// Changes the registration of one (RFC 7592).
    RegistrationToken,
    /// Registers new ones (RFC 7591 section 3).
    InitialAccessToken,
    RefreshToken,
    AuthorizationCode,
}
impl SecretKind {
    pub const ALL: [Self; 9] = [
        Self::ProductionApiKey,
        Self::SandboxApiKey,
        Self::ProductionClientSecret,
        Self::SandboxClientSecret,
        Self::SignOnSecret,
        Self::RegistrationToken,
        Self::InitialAccessToken,
        Self::RefreshToken,
        Self::AuthorizationCode,
    ];

    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::ProductionApiKey => "oct_live_key_",
            Self::SandboxApiKey => "oct_test_key_",
            Self::ProductionClientSecret => "oct_live_secret_",
            Self::SandboxClientSecret => "oct_test_secret_",
            Self::SignOnSecret => "oct_sso_secret_",
            Self::RegistrationToken => "oct_sso_reg_",
            Self::InitialAccessToken => "oct_sso_init_",
            Self::RefreshToken => "oct_sso_refresh_",
            Self::AuthorizationCode => "oct_sso_code_",
        }
    }
}

/// The system could not give random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random generator failed")]
pub struct RandomError;

/// A secret in clear. It exists once, in the answer that shows it: it cannot be printed by
/// accident, and is wiped when dropped.
pub struct PlainSecret {
    text: SecretString,
    hint: String,
    digest: [u8; 32],
}

impl PlainSecret {
    /// Draws a new secret.
    ///
    /// # Errors
    /// When the system's random generator fails.
    pub fn generate(kind: SecretKind) -> Result<Self, RandomError> {
        let mut text = String::with_capacity(70);
        text.push_str(kind.prefix());
        push_random(&mut text, RANDOM_LENGTH)?;
        let checksum = checksum(&text);
        text.push_str(&checksum);
        let hint = text.chars().take(kind.prefix().len() + HINT_RANDOM).collect();
        Ok(Self { digest: digest(&text), text: text.into(), hint })
    }

    /// Shows the secret, for the one answer that hands it out.
    #[must_use]
    pub fn show(&self) -> &str {
        self.text.expose_secret()
    }

    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }

    #[must_use]
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

/// SHA-256 of a secret: 256 random bits need no salt and no slow hash.
#[must_use]
pub fn digest(text: &str) -> [u8; 32] {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    bytes
}

/// What kind of secret this text is, when its shape and checksum are right.
#[must_use]
pub fn recognise(text: &str) -> Option<SecretKind> {
    let kind = SecretKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))?;
    let body = text.get(kind.prefix().len()..)?;
    let shaped = body.len() == RANDOM_LENGTH + CHECKSUM_LENGTH && body.bytes().all(|b| b.is_ascii_alphanumeric());
    let (head, tail) = text.split_at_checked(text.len().checked_sub(CHECKSUM_LENGTH)?)?;
    (shaped && checksum(head) == tail).then_some(kind)
}

/// So many random digits: a code that somebody types.
///
/// # Errors
/// When the system's random generator fails.
pub fn random_digits(count: usize) -> Result<String, RandomError> {
    random_of(b"0123456789", count)
}

/// So many random letters and digits that are not taken for one another, in lower case: what somebody writes down.
///
/// # Errors
/// When the system's random generator fails.
pub fn random_letters(count: usize) -> Result<String, RandomError> {
    random_of(b"abcdefghjkmnpqrstuvwxyz23456789", count)
}

fn random_of(alphabet: &[u8], count: usize) -> Result<String, RandomError> {
    // Bytes above the last whole round of the alphabet would make its beginning likelier.
    let size = u8::try_from(alphabet.len()).ok().filter(|size| *size > 0).ok_or(RandomError)?;
    let fair = u8::MAX - u8::MAX % size;
    let mut text = String::with_capacity(count);
    let mut bytes = [0_u8; 64];
    while text.len() < count {
        rand::fill(&mut bytes).map_err(|_| RandomError)?;
        let letters = bytes.iter().filter(|byte| **byte < fair).filter_map(|byte| alphabet.get(usize::from(*byte % size)));
        text.extend(letters.take(count - text.len()).map(|letter| char::from(*letter)));
    }
    Ok(text)
}

/// A random word of 43 base62 characters (256 bits): session ids, CSRF tokens, `jti`.
///
/// # Errors
/// When the system's random generator fails.
pub fn random_word() -> Result<String, RandomError> {
    let mut text = String::with_capacity(RANDOM_LENGTH);
    push_random(&mut text, RANDOM_LENGTH)?;
    Ok(text)
}

/// Compares two digests in constant time.
#[must_use]
pub fn same_digest(one: &[u8; 32], other: &[u8; 32]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

fn push_random(text: &mut String, mut wanted: usize) -> Result<(), RandomError> {
    let mut bytes = [0_u8; 64];
    while wanted > 0 {
        rand::fill(&mut bytes).map_err(|_| RandomError)?;
        // 248 is the largest multiple of 62 in a byte: what is above is drawn again, so no letter is likelier.
        for letter in bytes.iter().filter(|byte| **byte < 248).filter_map(|byte| ALPHABET.get(usize::from(*byte % 62))).take(wanted) {
            text.push(char::from(*letter));
            wanted -= 1;
        }
    }
    Ok(())
}

fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut letters = [b'0'; CHECKSUM_LENGTH];
    for letter in letters.iter_mut().rev() {
        if let Some(found) = ALPHABET.get((rest % 62) as usize) {
            *letter = *found;
        }
        rest /= 62;
    }
    letters.iter().map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_random_in_its_alphabet() {
        let (one, other) = (random_digits(8).unwrap(), random_digits(40).unwrap());
        assert!(one.len() == 8 && one.bytes().all(|b| b.is_ascii_digit()) && other.len() == 40);
        let letters = random_letters(400).unwrap();
        assert!(letters.len() == 400 && !letters.contains(['0', 'o', '1', 'l', 'i']), "{letters}");
        assert!("abcdefghjkmnpqrstuvwxyz23456789".chars().all(|c| letters.contains(c)), "{letters}");
    }

    #[test]
    fn a_secret_is_recognised_and_a_mistyped_one_is_not() {
        for kind in SecretKind::ALL {
            let secret = PlainSecret::generate(kind).unwrap();
            let text = secret.show();
            assert_eq!(recognise(text), Some(kind));
            assert_eq!(digest(text), secret.digest());
            assert!(text.starts_with(secret.hint()) && secret.hint().len() < 24);
            let mut broken = text.to_owned();
            let last = broken.pop().unwrap();
            broken.push(if last == 'a' { 'b' } else { 'a' });
            assert_eq!(recognise(&broken), None);
            assert_eq!(recognise(&text.to_uppercase()), None);
            assert_eq!(recognise(&format!("{text}0")), None);
        }
        assert_eq!(recognise("oct_live_key_é"), None);
        assert_eq!(recognise(""), None);
    }

    #[test]
    fn two_secrets_differ() {
        let words: std::collections::HashSet<_> = (0..100).map(|_| random_word().unwrap()).collect();
        assert_eq!(words.len(), 100);
        assert!(words.iter().all(|word| word.len() == 43));
    }
}
