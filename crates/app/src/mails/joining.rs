//! Mails about who joins which organisation.

use askama::Template;
use octroi_domain::{
    Id,
    joining::{CODE_MINUTES, INVITATION_DAYS, Joining, MemberInvitation},
    mail::Mail,
    organization::Organization,
    text::Language,
    user::User,
};

use super::compose::{Frame, compose};
use crate::context::Settings;

/// Somebody joined, or asks to: to members, or to operators.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/join_told.words\" %}{% else %}{% include \"en/join_told.words\" %}{% endif %}",
    ext = "words"
)]
pub(super) struct ToldWords<'a> {
    pub french: bool,
    pub name: &'a str,
    /// `joined`, `sponsor` or `operator`.
    pub kind: &'a str,
    pub person: &'a str,
    pub email: &'a str,
    pub organization: &'a str,
    pub number: &'a str,
}

/// A code: to the organisation's official address, which may have no account.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/join_code.words\" %}{% else %}{% include \"en/join_code.words\" %}{% endif %}",
    ext = "words"
)]
pub(super) struct CodeWords<'a> {
    pub french: bool,
    pub person: &'a str,
    pub email: &'a str,
    pub organization: &'a str,
    pub number: &'a str,
    pub code: &'a str,
    pub minutes: i64,
}

/// It was decided: to who asked.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/join_decided.words\" %}{% else %}{% include \"en/join_decided.words\" %}{% endif %}",
    ext = "words"
)]
pub(super) struct DecidedWords<'a> {
    pub french: bool,
    pub name: &'a str,
    pub accepted: bool,
    pub may_reopen: bool,
    pub organization: &'a str,
    pub number: &'a str,
}

/// An invitation: to an address that may have no account.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/join_invitation.words\" %}{% else %}{% include \"en/join_invitation.words\" %}{% endif %}",
    ext = "words"
)]
pub(super) struct MemberInvitationWords<'a> {
    pub french: bool,
    pub person: &'a str,
    pub email: &'a str,
    pub organization: &'a str,
    pub number: &'a str,
    pub days: i64,
}

/// Whom somebody's joining is told to, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Told {
    /// A member: it is done.
    Joined,
    /// A member: they may vouch.
    Sponsor(Id<Joining>),
    /// An operator: they decide.
    Operator(Id<Joining>),
}

/// To one member or operator.
pub(crate) fn told(told: Told, to: &User, person: &User, organization: &Organization, settings: &Settings) -> Mail {
    let (kind, path) = match told {
        Told::Joined => ("joined", format!("/organizations/{}", organization.id)),
        Told::Sponsor(id) => ("sponsor", format!("/organizations/joining/{id}/confirm")),
        Told::Operator(id) => ("operator", format!("/operator/joining/{id}")),
    };
    let words = ToldWords {
        french: to.language == Language::Fr,
        name: &to.full_name(),
        kind,
        person: &person.full_name(),
        email: &person.email,
        organization: &organization.name,
        number: organization.siret.as_str(),
    };
    compose(&words, &Frame { to: &to.email, language: to.language, quote: None, path, portal: &settings.public_url })
}

/// To the official address. The code is nowhere else.
pub(crate) fn code(to: &str, code: &str, person: &User, organization: &Organization, settings: &Settings) -> Mail {
    // Nobody knows in which language a town hall reads: that of the country.
    let language = Language::Fr;
    let words = CodeWords {
        french: true,
        person: &person.full_name(),
        email: &person.email,
        organization: &organization.name,
        number: organization.siret.as_str(),
        code,
        minutes: CODE_MINUTES,
    };
    compose(&words, &Frame { to, language, quote: None, path: "/".to_owned(), portal: &settings.public_url })
}

/// To who asked, with what the operator wrote.
pub(crate) fn decided(joining: &Joining, accepted: bool, person: &User, organization: &Organization, settings: &Settings) -> Mail {
    let words = DecidedWords {
        french: person.language == Language::Fr,
        name: &person.full_name(),
        accepted,
        may_reopen: joining.may_reopen,
        organization: &organization.name,
        number: organization.siret.as_str(),
    };
    let path = if accepted { format!("/organizations/{}", organization.id) } else { format!("/organizations/joining/{}", joining.id) };
    let frame = Frame { to: &person.email, language: person.language, quote: Some(&joining.answer), path, portal: &settings.public_url };
    compose(&words, &frame)
}

/// To who is invited. The link ends with the invitation's word, which is nowhere else.
pub(crate) fn invited(
    invitation: &MemberInvitation,
    inviter: &User,
    organization: &Organization,
    (word, language): (&str, Language),
    settings: &Settings,
) -> Mail {
    let words = MemberInvitationWords {
        french: language == Language::Fr,
        person: &inviter.full_name(),
        email: &invitation.email,
        organization: &organization.name,
        number: organization.siret.as_str(),
        days: INVITATION_DAYS,
    };
    let path = format!("/organizations/invitations/{word}");
    compose(&words, &Frame { to: &invitation.email, language, quote: None, path, portal: &settings.public_url })
}
