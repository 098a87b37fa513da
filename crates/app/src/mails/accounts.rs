//! The mails of accounts: codes and links, and what changed. A code or a link is in its mail and nowhere else.

use askama::Template;
use octroi_domain::{account::PROOF_MINUTES, mail::Mail, text::Language, user::User};

use super::compose::{Frame, compose};

/// What changed in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Password,
    PasswordReset,
    PasskeyAdded,
    PasskeyRemoved,
    TotpAdded,
    TotpRemoved,
    RecoveryUsed,
    RecoveryRenewed,
    /// To the new address.
    Address,
    /// To the old one, which opens nothing any more.
    AddressLeft,
    Names,
    IdentityLinked,
    IdentityUnlinked,
    IdentityDeclined,
    Deleted,
}
impl Change {
    pub(super) const ALL: [Self; 15] = [
        Self::Password,
        Self::PasswordReset,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::TotpAdded,
        Self::TotpRemoved,
        Self::RecoveryUsed,
        Self::RecoveryRenewed,
        Self::Address,
        Self::AddressLeft,
        Self::Names,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
        Self::IdentityDeclined,
        Self::Deleted,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PasswordReset => "password_reset",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRemoved => "passkey_removed",
            Self::TotpAdded => "totp_added",
            Self::TotpRemoved => "totp_removed",
            Self::RecoveryUsed => "recovery_used",
            Self::RecoveryRenewed => "recovery_renewed",
            Self::Address => "address",
            Self::AddressLeft => "address_left",
            Self::Names => "names",
            Self::IdentityLinked => "identity_linked",
            Self::IdentityUnlinked => "identity_unlinked",
            Self::IdentityDeclined => "identity_declined",
            Self::Deleted => "deleted",
        }
    }

    /// Of its sample.
    pub(super) const fn sample(self) -> (&'static str, &'static str) {
        match self {
            Self::Password => ("account-password", ""),
            Self::PasswordReset => ("account-password-reset", ""),
            Self::PasskeyAdded => ("account-passkey-added", "Téléphone"),
            Self::PasskeyRemoved => ("account-passkey-removed", "Téléphone"),
            Self::TotpAdded => ("account-totp-added", ""),
            Self::TotpRemoved => ("account-totp-removed", ""),
            Self::RecoveryUsed => ("account-recovery-used", "7"),
            Self::RecoveryRenewed => ("account-recovery-renewed", ""),
            Self::Address => ("account-address", "amina@rivebelle.example"),
            Self::AddressLeft => ("account-address-left", "amina@rivebelle.example"),
            Self::Names => ("account-names", "Amina Benali → Amina Durand"),
            Self::IdentityLinked => ("account-identity-linked", "ProConnect"),
            Self::IdentityUnlinked => ("account-identity-unlinked", "ProConnect"),
            Self::IdentityDeclined => ("account-identity-declined", "ProConnect"),
            Self::Deleted => ("account-deleted", ""),
        }
    }
}

/// Somebody opens an account: the code that proves the address.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/sign_up_code.words\" %}{% else %}{% include \"en/sign_up_code.words\" %}{% endif %}",
    ext = "words"
)]
struct SignUpCodeWords<'a> {
    french: bool,
    code: &'a str,
    minutes: i64,
}

/// Somebody opens an account with an address that has one.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/sign_up_known.words\" %}{% else %}{% include \"en/sign_up_known.words\" %}{% endif %}",
    ext = "words"
)]
struct SignUpKnownWords<'a> {
    french: bool,
    name: &'a str,
}

/// A link and a code to sign in with.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/sign_in.words\" %}{% else %}{% include \"en/sign_in.words\" %}{% endif %}",
    ext = "words"
)]
struct SignInWords<'a> {
    french: bool,
    name: &'a str,
    code: &'a str,
    minutes: i64,
}

/// A link to choose a new password.
#[derive(Template)]
#[template(source = "{% if french %}{% include \"fr/reset.words\" %}{% else %}{% include \"en/reset.words\" %}{% endif %}", ext = "words")]
struct ResetWords<'a> {
    french: bool,
    name: &'a str,
    minutes: i64,
}

/// A code that proves the address of an account.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/address_code.words\" %}{% else %}{% include \"en/address_code.words\" %}{% endif %}",
    ext = "words"
)]
struct AddressCodeWords<'a> {
    french: bool,
    name: &'a str,
    email: &'a str,
    code: &'a str,
    minutes: i64,
}

/// Something of an account changed.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/account_changed.words\" %}{% else %}{% include \"en/account_changed.words\" %}{% endif %}",
    ext = "words"
)]
struct ChangedWords<'a> {
    french: bool,
    name: &'a str,
    what: &'a str,
    about: &'a str,
}

/// Four digits and four, as one reads them out.
fn grouped(code: &str) -> String {
    let middle = code.len() / 2;
    code.split_at_checked(middle).map_or_else(|| code.to_owned(), |(one, other)| format!("{one} {other}"))
}

fn frame<'a>(to: &'a str, language: Language, path: String, portal: &'a str) -> Frame<'a> {
    Frame { to, language, quote: None, path, portal }
}

/// `return_to` is a path of ours, or empty: here and below.
pub(crate) fn sign_up_code(email: &str, code: &str, language: Language, return_to: &str, portal: &str) -> Mail {
    let words = SignUpCodeWords { french: language == Language::Fr, code: &grouped(code), minutes: PROOF_MINUTES };
    compose(&words, &frame(email, language, and_back("/sign-up/code", return_to), portal))
}

pub(crate) fn sign_up_known(user: &User, return_to: &str, portal: &str) -> Mail {
    let words = SignUpKnownWords { french: user.language == Language::Fr, name: &user.full_name() };
    compose(&words, &frame(&user.email, user.language, and_back("/sign-in", return_to), portal))
}

pub(crate) fn sign_in(user: &User, code: &str, link: &str, return_to: &str, portal: &str) -> Mail {
    let words =
        SignInWords { french: user.language == Language::Fr, name: &user.full_name(), code: &grouped(code), minutes: PROOF_MINUTES };
    compose(&words, &frame(&user.email, user.language, and_back(&format!("/sign-in/link/{link}"), return_to), portal))
}

pub(crate) fn reset(user: &User, link: &str, return_to: &str, portal: &str) -> Mail {
    let words = ResetWords { french: user.language == Language::Fr, name: &user.full_name(), minutes: PROOF_MINUTES };
    compose(&words, &frame(&user.email, user.language, and_back(&format!("/reset-password/{link}"), return_to), portal))
}

pub(crate) fn address_code(user: &User, email: &str, code: &str, portal: &str) -> Mail {
    let words = AddressCodeWords {
        french: user.language == Language::Fr,
        name: &user.full_name(),
        email,
        code: &grouped(code),
        minutes: PROOF_MINUTES,
    };
    compose(&words, &frame(email, user.language, "/account/email/code".to_owned(), portal))
}

pub(crate) fn changed(user: &User, change: Change, about: Option<&str>, portal: &str) -> Mail {
    let words = ChangedWords {
        french: user.language == Language::Fr,
        name: &user.full_name(),
        what: change.as_str(),
        about: about.unwrap_or_default(),
    };
    // Who reads these two has no account under this address: the legal notices say whom to write to.
    let path = if matches!(change, Change::Deleted | Change::AddressLeft) { "/legal" } else { "/account" };
    compose(&words, &frame(&user.email, user.language, path.to_owned(), portal))
}

fn and_back(path: &str, return_to: &str) -> String {
    if return_to.is_empty() { path.to_owned() } else { format!("{path}?return_to={}", escaped(return_to)) }
}

/// As a value of a query.
fn escaped(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Each with sample data.
pub(super) fn samples(language: Language, portal: &str) -> Vec<(&'static str, Mail)> {
    let id = octroi_domain::Id::from_uuid(uuid::Uuid::nil());
    let user = User {
        id,
        email: "applicant@rivebelle.example".to_owned(),
        given_name: "Amina".to_owned(),
        family_name: "Benali".to_owned(),
        language,
        created_at: octroi_domain::Moment::from_micros(0),
        email_verified_at: None,
    };
    let mut all = vec![
        ("sign-up-code", sign_up_code(&user.email, "40718253", language, "", portal)),
        ("sign-up-known", sign_up_known(&user, "", portal)),
        ("sign-in", sign_in(&user, "40718253", "mot-du-lien", "/permits/H57", portal)),
        ("password-reset", reset(&user, "mot-du-lien", "", portal)),
        ("address-code", address_code(&user, "amina@rivebelle.example", "40718253", portal)),
    ];
    for change in Change::ALL {
        let (name, about) = change.sample();
        all.push((name, changed(&user, change, Some(about), portal)));
    }
    all
}
