//! Accounts: addresses, proofs sent by mail, and how often somebody may guess.

pub mod password;

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{
    Id, Moment,
    policy::Person,
    user::{Role, User},
};

/// Minutes that a code or a link of a mail lives.
pub const PROOF_MINUTES: i64 = 30;
/// Digits of a code.
pub const CODE_DIGITS: usize = 8;
/// Wrong codes after which a proof is dead: another one has to be asked for.
pub const CODE_TRIES: i64 = 10;
/// Seconds before another mail is sent.
pub const RESEND_SECONDS: i64 = 30;
/// Seconds that a sign-in counts as recent, before a page that changes how one signs in.
pub const RECENT_SECONDS: i64 = 15 * 60;
/// Recovery codes made at once.
pub const RECOVERY_CODES: usize = 10;
/// Passkeys and security keys of one person.
pub const MOST_PASSKEYS: usize = 20;
/// Characters of a passkey's name.
pub const MOST_NAME: usize = 60;

/// What a mail proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofKind {
    /// The address of somebody who opens an account.
    SignUp,
    /// Who signs in, by a link or a code.
    SignIn,
    /// A first factor was good: the second is waited for.
    SecondFactor,
    /// Who forgot a password.
    Reset,
    /// The new address of an account, or the one that it has.
    Address,
}
impl ProofKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::SignIn => "sign_in",
            Self::SecondFactor => "second_factor",
            Self::Reset => "reset",
            Self::Address => "address",
        }
    }
}

/// Something asked for in one browser, and waited for. The code and the link's word are nowhere: only their digests are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub id: Id<Proof>,
    pub kind: ProofKind,
    /// The browser that asked.
    pub browser: [u8; 32],
    /// None when no account has the address, or when one has it already (sign-up): nothing can prove it then.
    pub user: Option<Id<User>>,
    pub email: String,
    pub code: Option<[u8; 32]>,
    pub link: Option<[u8; 32]>,
    /// The proofs of a first factor, for [`ProofKind::SecondFactor`].
    pub methods: Vec<crate::authentication::Method>,
    pub tries: i64,
    pub created_at: Moment,
    pub expires_at: Moment,
    /// When the address was proven, for a sign-up that goes on.
    pub proven_at: Option<Moment>,
}
impl Proof {
    /// May something still be proven by it?
    #[must_use]
    pub fn is_open(&self, now: Moment) -> bool {
        now < self.expires_at && self.tries < CODE_TRIES && self.proven_at.is_none()
    }
}

/// A passkey, or a security key, of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    pub id: Id<Passkey>,
    pub user: Id<User>,
    /// The authenticator's name for it.
    pub credential: Vec<u8>,
    pub name: String,
    /// What is needed to verify it, as the library writes it.
    pub data: String,
    pub created_at: Moment,
    pub last_used_at: Option<Moment>,
}

/// Who must have a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// Whoever holds a role that decides, runs or grants.
    #[default]
    Required,
    /// Who wants one.
    Optional,
}
impl SecondFactor {
    /// Must this person sign in with two factors?
    #[must_use]
    pub fn binds(self, person: &Person) -> bool {
        self == Self::Required && person.roles.iter().any(|grant| needs_second_factor(grant.role))
    }
}

const fn needs_second_factor(role: Role) -> bool {
    match role {
        Role::Reviewer | Role::Manager | Role::ApiAdministrator | Role::Operator => true,
        Role::Applicant | Role::Observer | Role::Subscriber | Role::Developer => false,
    }
}

/// How many guesses in a row are looked at before one has to wait, and for how long then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Curve {
    pub free: i64,
    pub first_seconds: i64,
    pub most_seconds: i64,
    /// One guess is forgotten each time so many seconds go by without any.
    pub forget_seconds: i64,
}
/// Of one account, one browser of it, or one code.
pub const GUESSES: Curve = Curve { free: 10, first_seconds: 60, most_seconds: 3_600, forget_seconds: 3_600 };
/// Of one network address, which many people may share.
pub const OF_ADDRESS: Curve = Curve { free: 100, first_seconds: 60, most_seconds: 900, forget_seconds: 36 };
/// Mails to one address.
pub const MAILS: Curve = Curve { free: 5, first_seconds: 300, most_seconds: 3_600, forget_seconds: 1_200 };
/// Days after which a browser that was not signed in with is a stranger again.
pub const BROWSER_DAYS: i64 = 365;
/// All guesses are forgotten when there was none for so long.
pub const FORGET_SECONDS: i64 = 24 * 3_600;

/// The guesses of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    pub count: i64,
    pub last_at: Moment,
    /// Not before.
    pub next_at: Moment,
}
impl Throttle {
    /// With one more guess; or how many seconds to wait.
    ///
    /// # Errors
    /// The seconds.
    pub fn take(known: Option<Self>, curve: Curve, now: Moment) -> Result<Self, i64> {
        // Of two at once the later one may be counted first: no time goes by between them.
        let now = known.map_or(now, |known| now.max(known.last_at));
        let known = known.filter(|known| now < known.last_at.plus_seconds(FORGET_SECONDS));
        if let Some(known) = known
            && now < known.next_at
        {
            return Err((known.next_at.micros() - now.micros()).div_euclid(1_000_000).max(0) + 1);
        }
        let left = |known: Self| {
            let quiet = (now.micros() - known.last_at.micros()).max(0) / 1_000_000;
            (known.count - quiet / curve.forget_seconds.max(1)).max(0)
        };
        let count = known.map_or(0, left).saturating_add(1);
        Ok(Self { count, last_at: now, next_at: now.plus_seconds(curve.delay(count)) })
    }
}
impl Curve {
    /// Seconds to wait after this many guesses.
    #[must_use]
    pub fn delay(self, count: i64) -> i64 {
        if count < self.free {
            return 0;
        }
        let doublings = u32::try_from((count - self.free).clamp(0, 30)).unwrap_or(30);
        self.first_seconds.saturating_mul(1_i64 << doublings).min(self.most_seconds)
    }
}

/// An address as we keep it: lower case, without spaces around; none when it cannot be one.
#[must_use]
pub fn address(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (local, domain) = text.split_once('@')?;
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let good_local = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b));
    let good = good_local && text.len() <= 254 && domain.contains('.') && domain.split('.').all(label);
    good.then_some(text)
}

/// A person's name as it is kept: without spaces around; none when it cannot be one.
#[must_use]
pub fn name(text: &str) -> Option<String> {
    let text = text.trim();
    let hidden =
        |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    (!text.is_empty() && text.chars().count() <= 120 && !text.chars().any(hidden)).then(|| text.to_owned())
}

/// A name as a person types their own: letters, with what holds the parts of a name together. It stands in mails to people who do not know
/// them, so it holds no address and no offer.
#[must_use]
pub fn typed_name(text: &str) -> Option<String> {
    let name: String = name(text)?.nfc().collect();
    let holds = |c: char| matches!(c, ' ' | '-' | '\'' | '’' | 'ʼ' | '·' | '‐' | '‑' | ',' | '.');
    let letters = name.chars().all(|c| c.is_alphabetic() || is_combining_mark(c) || holds(c)) && name.chars().any(char::is_alphabetic);
    // `J.-P.` and `J.P.` are initials; `evil.example` is an address.
    let parts: Vec<&str> = name.split('.').collect();
    let address = parts.windows(2).any(|pair| {
        let [before, after] = pair else { return false };
        before.chars().rev().take_while(|c| c.is_alphabetic()).count() > 1 && after.starts_with(char::is_alphabetic)
    });
    (letters && !address).then_some(name)
}

/// What somebody typed for a code: digits alone, whatever stands between them.
#[must_use]
pub fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_letters() {
        for good in [
            "Claire",
            "Jean-Baptiste",
            "O’Brien",
            "d'Artagnan",
            "J.-P.",
            "J.P. Martin",
            "Łukasz",
            "Nguyễn Văn",
            "प्रिया",
            "María José",
            "Zoe\u{308}",
            "St. John",
        ] {
            assert!(typed_name(good).is_some(), "{good}");
        }
        assert_eq!(typed_name(" Zoe\u{308} ").as_deref(), Some("Zoë"));
        for bad in [
            "",
            " ",
            "-",
            "123",
            "Ada 2",
            "<b>Ada</b>",
            "http://evil.example",
            "evil.example",
            "Gagnez sur www.evil.example",
            "a@b",
            "1000 €",
            "Ada\u{202e}",
            "Ada\nB",
            "=1+1",
            "Ada / Bob",
        ] {
            assert_eq!(typed_name(bad), None, "{bad}");
        }
    }

    /// The one that came second may be counted first.
    #[test]
    fn of_two_at_once_neither_waits() {
        let at = |seconds: i64| Moment::from_micros(seconds * 1_000_000);
        let first = Throttle::take(None, GUESSES, at(10)).unwrap();
        let second = Throttle::take(Some(first), GUESSES, at(9)).unwrap();
        assert_eq!((second.count, second.last_at), (2, at(10)));
    }

    #[test]
    fn ten_guesses_then_longer_and_longer() {
        let at = |seconds: i64| Moment::from_micros(seconds * 1_000_000);
        let mut known = None;
        for _ in 0..10 {
            known = Some(Throttle::take(known, GUESSES, at(0)).unwrap());
        }
        assert_eq!(Throttle::take(known, GUESSES, at(0)), Err(61));
        assert_eq!(Throttle::take(known, GUESSES, at(59)), Err(2));
        let mut now = 60;
        for wait in [120, 240, 480, 960, 1_920, 3_600, 3_600] {
            known = Some(Throttle::take(known, GUESSES, at(now)).unwrap());
            assert_eq!(known.unwrap().next_at, at(now + wait));
            now += wait;
        }
        // An address where people mistype now and then is never made to wait.
        let mut shared = None;
        for mistake in 0..1_000 {
            shared = Some(Throttle::take(shared, OF_ADDRESS, at(mistake * 36)).unwrap());
        }
        assert_eq!(shared.unwrap().count, 1);
        // A day without a guess, and it begins anew.
        let later = Throttle::take(known, GUESSES, at(now + FORGET_SECONDS)).unwrap();
        assert_eq!((later.count, later.next_at), (1, later.last_at));
    }

    #[test]
    fn addresses() {
        for (text, kept) in [
            (" Ada@Ville.Example ", Some("ada@ville.example")),
            ("o'neil+x@a-b.example.fr", Some("o'neil+x@a-b.example.fr")),
            ("a@localhost", None),
            ("a@x@gouv.fr", None),
            ("\"a b\"@x.fr", None),
            ("a@g\u{43e}uv.fr", None),
            ("a@-x.fr", None),
            ("a..b@x.fr", None),
            ("a@x.fr\r\nBcc: b@x.fr", None),
            ("@x.fr", None),
            ("a@", None),
        ] {
            assert_eq!(address(text).as_deref(), kept, "{text}");
        }
        assert_eq!(address(&format!("{}@x.fr", "a".repeat(65))), None);
        assert_eq!(digits(" 1234-5678 a"), "12345678");
        assert_eq!((name(" Zoé "), name("a\u{202e}b"), name(" ")), (Some("Zoé".to_owned()), None, None));
    }
}
