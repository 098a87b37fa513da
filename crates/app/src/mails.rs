//! The mails: what happened, and what to do. The words are outside the code, one file for each mail and language.

pub(crate) mod accounts;
mod compose;
mod deliver;
pub(crate) mod hand_off;
pub(crate) mod joining;
mod samples;

use askama::Template;
use octroi_domain::{
    Moment, Number, Slug,
    access_request::{AccessRequest, State},
    definition::Definition,
    event::Event,
    invitation::{Invitation, VALID_DAYS},
    mail::Mail,
    permit::Permit,
    text::Language,
    user::User,
};
use octroi_store::Tx;

pub(crate) use self::compose::OneLine;
use self::compose::{Frame, compose};
pub use self::{
    deliver::{Delivery, MailPort, MailRefusal, MailView, Mailing, Outgoing},
    samples::{Sample, samples},
};
use crate::{access_requests::Loaded, context::Settings, error::Error, view::PermitView};

/// A request moved: to its applicant.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/request.words\" %}{% else %}{% include \"en/request.words\" %}{% endif %}",
    ext = "words"
)]
struct RequestWords<'a> {
    french: bool,
    name: &'a str,
    id: &'a str,
    title: &'a str,
    definition: &'a str,
    /// `submitted`, `changes_requested`, `refused` or `approved`.
    state: &'a str,
    permit: Option<&'a str>,
}

/// A permit was granted: to the controller and the data protection officer whom the answers name.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/contact.words\" %}{% else %}{% include \"en/contact.words\" %}{% endif %}",
    ext = "words"
)]
struct ContactWords<'a> {
    french: bool,
    name: &'a str,
    id: &'a str,
    title: &'a str,
    definition: &'a str,
    permit: &'a str,
    /// The data protection officer, else the controller.
    dpo: bool,
    organization: &'a str,
    siret: &'a str,
    applicant: &'a str,
    applicant_email: &'a str,
}

/// A request waits: to each reviewer who switched notifications on.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/to_review.words\" %}{% else %}{% include \"en/to_review.words\" %}{% endif %}",
    ext = "words"
)]
struct ToReviewWords<'a> {
    french: bool,
    name: &'a str,
    id: &'a str,
    title: &'a str,
    definition: &'a str,
    organization: &'a str,
    siret: &'a str,
}

/// Something happened to a permit: to its applicant.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/permit.words\" %}{% else %}{% include \"en/permit.words\" %}{% endif %}",
    ext = "words"
)]
struct PermitWords<'a> {
    french: bool,
    name: &'a str,
    id: &'a str,
    definition: &'a str,
    /// `suspended`, `active` (again), `revoked` or `expired`.
    state: &'a str,
}

/// Puts mails into the outbox, in the name of the provider that they speak for.
pub(crate) async fn send(tx: &mut Tx, now: Moment, provider: &Slug, mails: impl IntoIterator<Item = Mail>) -> Result<(), Error> {
    let mut mails = mails.into_iter().peekable();
    if mails.peek().is_none() {
        return Ok(());
    }
    let provider = tx.provider_by_slug(provider).await?;
    let from = provider.as_ref().and_then(|provider| provider.mail_from.clone());
    // A provider's `support` may also be the address of a page.
    let reply_to = provider.and_then(|provider| provider.support).and_then(|support| support.parse().ok());
    for mail in mails {
        tx.enqueue_mail(now, &Mail { from: from.clone(), reply_to: reply_to.clone(), ..mail }).await?;
    }
    Ok(())
}

fn in_language(user: &User, definition: &Definition) -> (bool, String) {
    (user.language == Language::Fr, definition.name.in_language(user.language).to_owned())
}

fn request_mail(
    loaded: &Loaded,
    after: &AccessRequest,
    permit: Option<Number<Permit>>,
    message: Option<&str>,
    settings: &Settings,
) -> Mail {
    let applicant = &loaded.applicant;
    let (french, definition) = in_language(applicant, &loaded.definition);
    let header = after.header();
    let (id, permit) = (header.id.to_string(), permit.map(|permit| permit.to_string()));
    let words = RequestWords {
        french,
        name: &applicant.full_name(),
        id: &id,
        title: &crate::access_requests::title(&header.answers, &loaded.definition),
        definition: &definition,
        state: after.state().as_str(),
        permit: permit.as_deref(),
    };
    let path = permit.as_ref().map_or_else(|| format!("/access-requests/{id}"), |permit| format!("/permits/{permit}"));
    compose(&words, &Frame { to: &applicant.email, language: applicant.language, quote: message, path, portal: &settings.public_url })
}

/// To the applicant, when the request moved. Edits are not told.
pub(crate) fn moved(loaded: &Loaded, after: &AccessRequest, settings: &Settings) -> Vec<Mail> {
    let told =
        loaded.request.state() != after.state() && matches!(after.state(), State::Submitted | State::ChangesRequested | State::Refused);
    told.then(|| request_mail(loaded, after, None, after.message(), settings)).into_iter().collect()
}

/// To the applicant, when a permit was granted; and to the controller and the DPO that the answers name.
pub(crate) fn decided(
    loaded: &Loaded,
    after: &AccessRequest,
    permit: Number<Permit>,
    message: Option<&str>,
    settings: &Settings,
) -> Vec<Mail> {
    let mut mails = vec![request_mail(loaded, after, Some(permit), message, settings)];
    for (field, dpo) in [("contact_controller", false), ("contact_dpo", true)] {
        let Some(contact) = loaded.request.header().answers.get(field) else { continue };
        let part = |name: &str| contact.get(name).and_then(|part| part.as_str()).unwrap_or_default();
        let email = part("email");
        // One mail for each address, even where one person is several.
        if !email.is_empty() && !mails.iter().any(|mail| mail.to.eq_ignore_ascii_case(email)) {
            let name = format!("{} {}", part("given_name"), part("family_name"));
            mails.push(contact_mail(loaded, (email, name.trim(), dpo), permit, settings));
        }
    }
    mails
}

fn contact_mail(loaded: &Loaded, (email, name, dpo): (&str, &str, bool), permit: Number<Permit>, settings: &Settings) -> Mail {
    let applicant = &loaded.applicant;
    let (french, definition) = in_language(applicant, &loaded.definition);
    let header = loaded.request.header();
    let words = ContactWords {
        french,
        name,
        id: &header.id.to_string(),
        title: &crate::access_requests::title(&header.answers, &loaded.definition),
        definition: &definition,
        permit: &permit.to_string(),
        dpo,
        organization: &loaded.organization.name,
        siret: loaded.organization.siret.as_str(),
        applicant: &applicant.full_name(),
        applicant_email: &applicant.email,
    };
    // They may have no account: the register is open to all.
    let path = format!("/register?q={permit}");
    compose(&words, &Frame { to: email, language: applicant.language, quote: None, path, portal: &settings.public_url })
}

/// To one subscriber of the definition, when a request was submitted.
pub(crate) fn submitted(loaded: &Loaded, subscriber: &User, settings: &Settings) -> Mail {
    let (french, definition) = in_language(subscriber, &loaded.definition);
    let header = loaded.request.header();
    let id = header.id.to_string();
    let words = ToReviewWords {
        french,
        name: &subscriber.full_name(),
        id: &id,
        title: &crate::access_requests::title(&header.answers, &loaded.definition),
        definition: &definition,
        organization: &loaded.organization.name,
        siret: loaded.organization.siret.as_str(),
    };
    let path = format!("/access-requests/{id}/review");
    compose(&words, &Frame { to: &subscriber.email, language: subscriber.language, quote: None, path, portal: &settings.public_url })
}

/// To the holder of a permit, when it was suspended, resumed, revoked or expired.
pub(crate) fn permit_moved(view: &PermitView, applicant: &User, definition: &Definition, event: &Event, settings: &Settings) -> Mail {
    let (french, definition) = in_language(applicant, definition);
    let state = match event {
        Event::PermitSuspended { .. } => "suspended",
        Event::PermitRevoked { .. } => "revoked",
        Event::PermitExpired { .. } => "expired",
        _ => "active",
    };
    let words = PermitWords { french, name: &view.applicant.name, id: &view.id, definition: &definition, state };
    let (quote, path) = (view.reason.as_deref(), format!("/permits/{}", view.id));
    compose(&words, &Frame { to: &view.applicant.email, language: applicant.language, quote, path, portal: &settings.public_url })
}

/// Somebody is invited to an API: to an address that may have no account.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/invitation.words\" %}{% else %}{% include \"en/invitation.words\" %}{% endif %}",
    ext = "words"
)]
struct InvitationWords<'a> {
    french: bool,
    /// The API's.
    name: &'a str,
    email: &'a str,
    inviter: &'a str,
    inviter_email: &'a str,
    days: i64,
}

/// To who is invited to an API. The link ends with the invitation's word, which is nowhere else.
pub(crate) fn invited(invitation: &Invitation, api: &str, inviter: &User, word: &str, language: Language, settings: &Settings) -> Mail {
    let words = InvitationWords {
        french: language == Language::Fr,
        name: api,
        email: &invitation.email,
        inviter: &inviter.full_name(),
        inviter_email: &inviter.email,
        days: VALID_DAYS,
    };
    compose(
        &words,
        &Frame { to: &invitation.email, language, quote: None, path: format!("/invitations/{word}"), portal: &settings.public_url },
    )
}

/// Somebody wrote on a request: to the other side. The text stays on the portal.
#[derive(Template)]
#[template(
    source = "{% if french %}{% include \"fr/message.words\" %}{% else %}{% include \"en/message.words\" %}{% endif %}",
    ext = "words"
)]
struct MessageWords<'a> {
    french: bool,
    name: &'a str,
    id: &'a str,
    title: &'a str,
    definition: &'a str,
    /// The provider, or the organisation that applies.
    from: &'a str,
    /// Is it to one of those who decide?
    reviewer: bool,
}

/// To the applicant, or to one subscriber of the definition, when the other side wrote.
pub(crate) fn message(loaded: &Loaded, to: &User, from: &str, reviewer: bool, settings: &Settings) -> Mail {
    let (french, definition) = in_language(to, &loaded.definition);
    let header = loaded.request.header();
    let id = header.id.to_string();
    let words = MessageWords {
        french,
        name: &to.full_name(),
        id: &id,
        title: &crate::access_requests::title(&header.answers, &loaded.definition),
        definition: &definition,
        from,
        reviewer,
    };
    let path = format!("/access-requests/{id}/messages");
    compose(&words, &Frame { to: &to.email, language: to.language, quote: None, path, portal: &settings.public_url })
}
