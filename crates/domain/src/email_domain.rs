//! The domain of an e-mail address: what it proves, and what it only looks like.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};
use unicode_security::confusable_detection::skeleton;

/// A domain as the DNS has it: ASCII, in small letters, at least two labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EmailDomain(String);

/// The address, or the domain, proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("not one local part, one `@` and one domain")]
    Shape,
    #[error("the part before `@` has characters that addresses of bodies do not have")]
    Local,
    #[error("the domain is none that the DNS can have")]
    Domain,
}

/// Where anybody opens an account. Subdomains do not count: they are somebody's.
const FREE: &[&str] = &[
    "9online.fr",
    "aim.com",
    "alice.fr",
    "aliceadsl.fr",
    "aol.com",
    "aol.fr",
    "bbox.fr",
    "cegetel.net",
    "club-internet.fr",
    "duck.com",
    "email.com",
    "ezweb.ne.jp",
    "fastmail.com",
    "fastmail.fm",
    "free.fr",
    "freesurf.fr",
    "gmail.com",
    "gmail.fr",
    "gmx.com",
    "gmx.de",
    "gmx.fr",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.be",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.fr",
    "icloud.com",
    "inbox.com",
    "ik.me",
    "laposte.net",
    "libero.it",
    "libertysurf.fr",
    "live.be",
    "live.com",
    "live.fr",
    "mac.com",
    "mail.com",
    "mail.ru",
    "mailo.com",
    "me.com",
    "mel.fr",
    "msn.com",
    "neuf.fr",
    "noos.fr",
    "numericable.fr",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "outlook.fr",
    "pm.me",
    "posteo.net",
    "proton.me",
    "protonmail.ch",
    "protonmail.com",
    "qq.com",
    "rocketmail.com",
    "sfr.fr",
    "skynet.be",
    "t-online.de",
    "tutanota.com",
    "tuta.io",
    "voila.fr",
    "wanadoo.fr",
    "web.de",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.es",
    "yahoo.fr",
    "yahoo.it",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "yopmail.com",
    "zoho.com",
];

/// Under it the State of France alone registers names.
const GOVERNMENT: [&str; 2] = ["gouv", "fr"];

impl EmailDomain {
    /// The domain of an address: `Ada+x@Ville.FR` has `ville.fr`.
    ///
    /// # Errors
    /// When the address could be read in two ways, or is none: two `@`, a quoted local part, an address of a machine.
    pub fn of(address: &str) -> Result<Self, AddressError> {
        let address = address.trim();
        let (local, domain) = address.split_once('@').ok_or(AddressError::Shape)?;
        if domain.contains('@') || address.len() > 254 {
            return Err(AddressError::Shape);
        }
        let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-.".contains(&b);
        let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
        if local.is_empty() || local.len() > 64 || !local.bytes().all(atext) || dots {
            return Err(AddressError::Local);
        }
        domain.parse()
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As people read it: `xn--…` in its own letters.
    #[must_use]
    pub fn unicode(&self) -> String {
        idna::domain_to_unicode(&self.0).0
    }

    /// May anybody have an address there?
    #[must_use]
    pub fn is_free(&self) -> bool {
        FREE.contains(&self.as_str())
    }

    /// Is it of the French State (`gouv.fr`, or below it)?
    #[must_use]
    pub fn is_government(&self) -> bool {
        self.is_or_below(&GOVERNMENT.join("."))
    }

    fn is_or_below(&self, other: &str) -> bool {
        self.0.strip_suffix(other).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The labels as an eye reads them: letters that look alike are one letter.
    fn skeletons(&self) -> Vec<String> {
        self.unicode().split('.').map(|label| skeleton(label).collect()).collect()
    }

    /// Does it pass for `other` without being it, or below it? So does one that has the same letters to the eye, and one that holds its
    /// labels before those of its true owner: `gouv.fr.evil.example`.
    #[must_use]
    pub fn imitates(&self, other: &Self) -> bool {
        !self.is_or_below(&other.0) && holds(&self.skeletons(), &other.skeletons())
    }

    /// Does it pass for the State's? A dash is taken for a dot: `impots-gouv.fr`.
    #[must_use]
    pub fn imitates_government(&self) -> bool {
        let eye = |label: &str| skeleton(label).collect::<String>();
        let wanted = GOVERNMENT.map(eye);
        let parts: Vec<String> = self.unicode().split(['.', '-']).map(eye).collect();
        !self.is_government() && (holds(&self.skeletons(), &wanted) || holds(&parts, &wanted))
    }
}

/// Soft hyphens, joiners, directions, variation selectors.
const fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn holds(labels: &[String], wanted: &[String]) -> bool {
    labels.windows(wanted.len()).any(|some| some == wanted)
}

impl FromStr for EmailDomain {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        // UTS 46 drops what nobody sees; here it hides something.
        if text.chars().any(is_unseen) {
            return Err(AddressError::Domain);
        }
        let ascii = idna::domain_to_ascii_strict(text.trim()).map_err(|_| AddressError::Domain)?;
        let labels: Vec<&str> = ascii.split('.').collect();
        let numeric = labels.last().is_none_or(|last| last.bytes().all(|b| b.is_ascii_digit()));
        let good = labels.len() >= 2 && ascii.len() <= 253 && !numeric && labels.iter().all(|label| !label.is_empty());
        if good { Ok(Self(ascii)) } else { Err(AddressError::Domain) }
    }
}
impl fmt::Display for EmailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for EmailDomain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_one_domain() {
        for (address, domain) in [
            ("ada@ville.fr", "ville.fr"),
            (" Ada+cantine@VILLE.Fr ", "ville.fr"),
            ("ada@ｖｉｌｌｅ.fr", "ville.fr"),
            ("ada@préfecture.fr", "xn--prfecture-c4a.fr"),
            ("ada@xn--prfecture-c4a.fr", "xn--prfecture-c4a.fr"),
            ("a!b@sub.ville.fr", "sub.ville.fr"),
        ] {
            assert_eq!(EmailDomain::of(address).map(|domain| domain.to_string()), Ok(domain.to_owned()), "{address}");
        }
        for (address, error) in [
            ("ada", AddressError::Shape),
            ("", AddressError::Shape),
            ("a@x@gouv.fr", AddressError::Shape),
            ("@gouv.fr", AddressError::Local),
            ("\"a@x\"@gouv.fr", AddressError::Shape),
            ("\"a b\"@gouv.fr", AddressError::Local),
            ("a..b@gouv.fr", AddressError::Local),
            (".a@gouv.fr", AddressError::Local),
            ("a b@gouv.fr", AddressError::Local),
            ("а@gouv.fr", AddressError::Local),
            ("a@gouv", AddressError::Domain),
            ("a@gouv.fr.", AddressError::Domain),
            ("a@.gouv.fr", AddressError::Domain),
            ("a@gouv..fr", AddressError::Domain),
            ("a@[127.0.0.1]", AddressError::Domain),
            ("a@127.0.0.1", AddressError::Domain),
            ("a@gouv.fr\u{200b}.evil", AddressError::Domain),
            ("a@gouv_fr.evil", AddressError::Domain),
            ("a@gouv.fr>", AddressError::Domain),
            ("a@xn--a.fr", AddressError::Domain),
        ] {
            assert_eq!(EmailDomain::of(address), Err(error), "{address}");
        }
    }

    #[test]
    fn what_passes_for_the_state_is_told_from_the_state() {
        let domain = |text: &str| text.parse::<EmailDomain>().unwrap();
        for real in ["gouv.fr", "culture.gouv.fr", "dsi.culture.gouv.fr", "GOUV.FR"] {
            assert!(domain(real).is_government() && !domain(real).imitates_government(), "{real}");
        }
        for other in ["ville.fr", "gouv.ci", "lagouvernance.fr", "gouv.org", "ac-lyon.fr", "gouvernement.fr"] {
            assert!(!domain(other).is_government() && !domain(other).imitates_government(), "{other}");
        }
        for fake in [
            "gouv.fr.evil.example",
            "culture.gouv.fr.evil",
            "gоuv.fr",
            "culture.gоuv.fr",
            "gouν.fr",
            "xn--guv-sed.fr",
            "impots-gouv.fr",
            "gouv-fr.com",
            "gouv.fr-impots.com",
        ] {
            assert!(!domain(fake).is_government() && domain(fake).imitates_government(), "{fake}: {:?}", domain(fake).skeletons());
        }
        let paris = domain("paris.fr");
        for fake in ["pаris.fr", "paris.fr.evil.example", "pariѕ.fr", "mail.pаris.fr"] {
            assert!(domain(fake).imitates(&paris), "{fake}");
        }
        for other in ["paris.fr", "mail.paris.fr", "paris.com", "ville-paris.fr", "parisfr.fr"] {
            assert!(!domain(other).imitates(&paris), "{other}");
        }
    }
}
