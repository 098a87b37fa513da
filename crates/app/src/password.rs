//! Passwords: Argon2id (RFC 9106), with the library's defaults (OWASP's first choice).

use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
pub use octroi_domain::account::password::{MAX_LENGTH, MIN_LENGTH};
use octroi_domain::{
    account::password::{About, Weakness, check, normal},
    text::Text,
};

/// More bytes than any password of [`MAX_LENGTH`] characters has: four for each character, three times over where the keyboard
/// takes letters apart (Unicode annex 15, section 9).
pub(crate) const MAX_BYTES: usize = MAX_LENGTH * 4 * 3;

use crate::{Error, context::App};

/// KiB that a hash from elsewhere may ask for.
const MOST_MEMORY: u32 = 256 * 1_024;

/// # Errors
/// When the system's random generator fails.
pub fn hash(password: &str) -> Result<String, Error> {
    let hash = Argon2::default().hash_password(normal(password).as_bytes()).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(hash.to_string())
}

fn matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(normal(password).as_bytes(), &hash).is_ok())
}

/// Was it made with other parameters than those of today?
fn is_outdated(hash: &str) -> bool {
    let today = Params::default();
    let Ok(hash) = PasswordHash::new(hash) else { return true };
    let same = Params::try_from(&hash)
        .is_ok_and(|params| params.m_cost() == today.m_cost() && params.t_cost() == today.t_cost() && params.p_cost() == today.p_cost());
    hash.algorithm != argon2::ARGON2ID_IDENT || !same
}

/// May a hash that another program made be kept here: can it be verified, and at what cost?
///
/// # Errors
/// What to do instead.
pub(crate) fn importable(hash: &str) -> Result<(), Text> {
    let read = PasswordHash::new(hash).ok().filter(|_| hash.len() <= 500);
    let known = read.filter(|hash| [argon2::ARGON2ID_IDENT, argon2::ARGON2I_IDENT, argon2::ARGON2D_IDENT].contains(&hash.algorithm));
    let Some(hash) = known.filter(|hash| hash.salt.is_some() && hash.hash.is_some()) else {
        return Err(Text::new(
            "Seules les empreintes Argon2 (« $argon2id$v=19$m=…,t=…,p=…$sel$empreinte ») sont vérifiées ici. Laissez ce champ vide pour les autres : ces comptes se lient par l’adresse vérifiée ou par l’exploitant.",
            "Only Argon2 hashes (“$argon2id$v=19$m=…,t=…,p=…$salt$hash”) are verified here. Leave the others out: those accounts are linked by the verified address or by the operator.",
        ));
    };
    let cheap =
        Params::try_from(&hash).is_ok_and(|params| params.m_cost() <= MOST_MEMORY && params.t_cost() <= 20 && params.p_cost() <= 16);
    if cheap {
        Ok(())
    } else {
        Err(Text::new(
            "Cette empreinte coûte trop à vérifier (au plus 256 Mio, 20 passes, 16 voies).",
            "This hash costs too much to verify (at most 256 MiB, 20 passes, 16 lanes).",
        ))
    }
}

/// What a stored password told.
pub(crate) struct Verdict {
    pub good: bool,
    /// A new hash to keep instead: the parameters changed since.
    pub renewed: Option<String>,
}

/// Refuses a password that somebody would guess.
///
/// # Errors
/// `Invalid`, with the reason.
pub(crate) fn strong(password: &str, person: &[&str], pointer: &str) -> Result<(), Error> {
    let Err(weakness) = check(password, About { person, platform: &["Octroi"] }) else { return Ok(()) };
    Err(match weakness {
        Weakness::TooShort | Weakness::TooLong => Error::field(
            pointer,
            "length",
            format!("Donnez un mot de passe de {MIN_LENGTH} à {MAX_LENGTH} caractères."),
            format!("Give a password of {MIN_LENGTH} to {MAX_LENGTH} characters."),
        ),
        Weakness::Common => Error::field(
            pointer,
            "common",
            "Ce mot de passe est de ceux que l’on essaie en premier : prenez plutôt quelques mots sans rapport entre eux.",
            "This password is among those that are tried first: take a few words that have nothing to do with each other.",
        ),
        Weakness::Own => Error::field(
            pointer,
            "own",
            "Ce mot de passe contient votre nom ou votre adresse : prenez-en un qui ne dit rien de vous.",
            "This password contains your name or address: take one that says nothing of you.",
        ),
        Weakness::Platform => Error::field(
            pointer,
            "platform",
            "Ce mot de passe contient le nom de la plateforme : prenez-en un autre.",
            "This password contains the platform’s name: take another one.",
        ),
    })
}

impl App {
    /// Verifies on the bounded pool; against a decoy when there is no hash, so that both take the same time.
    pub(crate) async fn password_verdict(&self, password: String, hash: Option<String>) -> Result<Verdict, Error> {
        let internal = |error: &dyn std::error::Error| Error::Internal(error.to_string());
        let _turn = self.inner.hashing.acquire().await.map_err(|error| internal(&error))?;
        let known = hash.is_some();
        let stored = hash.unwrap_or_else(|| self.inner.decoy_hash.clone());
        let work = move || {
            let good = matches(&password, &stored) && known;
            let renewed = if good && is_outdated(&stored) { self::hash(&password).ok() } else { None };
            Verdict { good, renewed }
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| internal(&error))
    }

    /// Hashes on the bounded pool.
    pub(crate) async fn password_hash(&self, password: String) -> Result<String, Error> {
        let internal = |error: &dyn std::error::Error| Error::Internal(error.to_string());
        let _turn = self.inner.hashing.acquire().await.map_err(|error| internal(&error))?;
        tokio::task::spawn_blocking(move || hash(&password)).await.map_err(|error| internal(&error))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let stored = hash("correct horse battery").unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(matches("correct horse battery", &stored));
        assert!(!matches("correct horse batterz", &stored));
        assert!(!matches("", &stored) && !matches("x", "not a hash"));
    }

    #[test]
    fn only_hashes_that_can_be_verified_are_taken_over() {
        assert!(importable(&hash("correct horse battery").unwrap()).is_ok());
        let bcrypt = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW";
        let dear = hash("correct horse battery").unwrap().replace("m=19456", "m=4000000");
        for bad in ["", "x", bcrypt, "$argon2id$v=19$m=19456,t=2,p=1", &dear, "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHQ$aGFzaGhhc2g"] {
            assert!(importable(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_hash_of_other_days_is_renewed() {
        let weak = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, Params::new(8 * 1024, 1, 1, None).unwrap());
        let old = weak.hash_password(b"correct horse battery").unwrap().to_string();
        assert!(matches("correct horse battery", &old) && is_outdated(&old));
        assert!(!is_outdated(&hash("correct horse battery").unwrap()));
        // However the keyboard composed its letters.
        assert!(matches("e\u{301}te\u{301} sans fin", &hash("été sans fin").unwrap()));
        // The longest that may be chosen may be typed, even with its letters taken apart.
        for letter in ["\u{3b9}\u{308}\u{301}", "\u{1100}\u{1161}\u{11a8}", "🦊"] {
            let apart = letter.repeat(MAX_LENGTH);
            assert!(apart.len() <= MAX_BYTES && normal(&apart).chars().count() == MAX_LENGTH, "{}", apart.len());
        }
    }
}
