//! Mails about the accounts that products had before.

use askama::Template;
use octroi_domain::{
    hand_off::{LegacyUser, LinkProof},
    mail::Mail,
    text::{Language, Text},
};

use super::compose::{Frame, compose};

/// An account of before was linked: to its address.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/legacy_linked.words\" %}{% else %}{% include \"en/legacy_linked.words\" %}{% endif %}",
    ext = "words"
)]
pub(super) struct LinkedWords<'a> {
    pub french: bool,
    pub product: &'a str,
    pub email: &'a str,
    /// `password`, `verified_email` or `operator`.
    pub proof: &'a str,
}

/// To the address of the account of before, whoever has it.
pub(crate) fn linked(legacy: &LegacyUser, product: &Text, proof: LinkProof, portal: &str) -> Mail {
    // Nobody knows in which language its owner reads: that of the country.
    let language = Language::Fr;
    let words = LinkedWords { french: true, product: product.in_language(language), email: &legacy.email, proof: proof.as_str() };
    compose(&words, &Frame { to: &legacy.email, language, quote: None, path: "/legal".to_owned(), portal })
}
