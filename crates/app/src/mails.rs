//! The mails: what happened, and what to do. One template per mail and language, outside the code.

use askama::Template;
use octroi_domain::{
    Number,
    access_request::{AccessRequest, State},
    definition::Definition,
    event::Event,
    mail::Mail,
    permit::Permit,
    text::Language,
    user::User,
};

use crate::{access_requests::Loaded, context::Settings, view::PermitView};

/// A request moved: to its applicant.
#[derive(Template)]
#[template(path = "request.txt")]
struct RequestMail<'a> {
    french: bool,
    name: &'a str,
    id: &'a str,
    title: &'a str,
    definition: &'a str,
    /// `submitted`, `changes_requested`, `refused`, `archived` or `approved`.
    state: &'a str,
    message: Option<&'a str>,
    permit: Option<&'a str>,
    portal: &'a str,
}

/// A request waits: to each reviewer who switched notifications on.
#[derive(Template)]
#[template(path = "to_review.txt")]
struct ToReviewMail<'a> {
    french: bool,
    name: &'a str,
    id: &'a str,
    title: &'a str,
    definition: &'a str,
    organization: &'a str,
    siret: &'a str,
    portal: &'a str,
}

/// Something happened to a permit: to its applicant.
#[derive(Template)]
#[template(path = "permit.txt")]
struct PermitMail<'a> {
    french: bool,
    name: &'a str,
    id: &'a str,
    definition: &'a str,
    /// `suspended`, `active` (again), `revoked` or `expired`.
    state: &'a str,
    reason: Option<&'a str>,
    portal: &'a str,
}

/// Renders: the first line is the subject, the rest the text. A template that does not render would
/// stop the operation that it tells of, so a plain sentence stands in for it.
fn render(to: &str, template: &impl Template) -> Mail {
    let text = template.render().unwrap_or_else(|_| "Octroi\nVoir le portail. See the portal.".to_owned());
    let (subject, body) = text.split_once('\n').unwrap_or((&text, ""));
    // A subject is one line, whatever was typed into a title.
    let subject = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    Mail { to: to.to_owned(), subject, text: body.trim_start().to_owned() }
}

fn in_language(user: &User, definition: &Definition) -> (bool, String) {
    (user.language == Language::Fr, definition.name.in_language(user.language).to_owned())
}

fn request_mail(
    loaded: &Loaded,
    name: &str,
    after: &AccessRequest,
    permit: Option<Number<Permit>>,
    message: Option<&str>,
    settings: &Settings,
) -> Mail {
    let (french, definition) = in_language(&loaded.applicant, &loaded.definition);
    let header = after.header();
    let title = crate::access_requests::title(&header.answers, &loaded.definition);
    let permit = permit.map(|permit| permit.to_string());
    render(
        &loaded.applicant.email,
        &RequestMail {
            french,
            name,
            id: &header.id.to_string(),
            title: &title,
            definition: &definition,
            state: after.state().as_str(),
            message,
            permit: permit.as_deref(),
            portal: &settings.public_url,
        },
    )
}

/// To the applicant, when the request moved. Edits are not told.
pub(crate) fn moved(loaded: &Loaded, after: &AccessRequest, settings: &Settings) -> Vec<Mail> {
    let told =
        loaded.request.state() != after.state() && matches!(after.state(), State::Submitted | State::ChangesRequested | State::Refused);
    told.then(|| request_mail(loaded, &loaded.applicant.full_name(), after, None, after.message(), settings)).into_iter().collect()
}

/// To the applicant, when a permit was granted; and to the controller and the DPO that the answers name.
pub(crate) fn decided(
    loaded: &Loaded,
    after: &AccessRequest,
    permit: Option<Number<Permit>>,
    message: Option<&str>,
    settings: &Settings,
) -> Vec<Mail> {
    let mut mails = vec![request_mail(loaded, &loaded.applicant.full_name(), after, permit, message, settings)];
    for field in ["contact_controller", "contact_dpo"] {
        let Some(contact) = loaded.request.header().answers.get(field) else { continue };
        let email = contact.get("email").and_then(|email| email.as_str());
        if let Some(email) = email.filter(|email| !email.eq_ignore_ascii_case(&loaded.applicant.email))
            && !mails.iter().any(|mail| mail.to.eq_ignore_ascii_case(email))
        {
            let name =
                ["given_name", "family_name"].map(|part| contact.get(part).and_then(|name| name.as_str()).unwrap_or_default()).join(" ");
            mails.push(Mail { to: email.to_owned(), ..request_mail(loaded, &name, after, permit, message, settings) });
        }
    }
    mails
}

/// To one subscriber of the definition, when a request was submitted.
pub(crate) fn submitted(loaded: &Loaded, subscriber: &User, settings: &Settings) -> Mail {
    let (french, definition) = in_language(subscriber, &loaded.definition);
    let header = loaded.request.header();
    render(
        &subscriber.email,
        &ToReviewMail {
            french,
            name: &subscriber.full_name(),
            id: &header.id.to_string(),
            title: &crate::access_requests::title(&header.answers, &loaded.definition),
            definition: &definition,
            organization: &loaded.organization.name,
            siret: loaded.organization.siret.as_str(),
            portal: &settings.public_url,
        },
    )
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
    render(
        &view.applicant.email,
        &PermitMail {
            french,
            name: &view.applicant.name,
            id: &view.id,
            definition: &definition,
            state,
            reason: view.reason.as_deref(),
            portal: &settings.public_url,
        },
    )
}
