//! An invitation to an API, as who received it sees it: for which application it is accepted.

use askama::Template;
use axum::http::StatusCode;
use octroi_app::{Error, invitations::ReceivedView, view::ApplicationView};
use octroi_domain::definition::FieldError;

use super::{
    errors,
    kit::{Alert, Cell, Check, Control, ErrorSummary, Facts, Field, Link, PostButton, Tone, Typed},
    page::{Page, PageAnswer, PageCall, Shell},
};
use crate::problem::Failure;

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage {
    shell: Shell,
    summary: Option<ErrorSummary>,
    facts: Facts,
    terms: Option<Typed>,
    /// There is no application that it could be accepted for.
    missing: Option<Alert>,
    action: String,
    fields: Vec<Field>,
}

#[derive(Template)]
#[template(path = "invitation_other.html")]
struct OtherPage {
    shell: Shell,
    text: String,
    again: PostButton,
    back: Link,
}

/// The word of the link.
fn word(call: &PageCall) -> String {
    call.params.iter().find(|(name, _)| name == "word").map(|(_, word)| word.clone()).unwrap_or_default()
}

/// `GET /invitations/{word}`
pub async fn show(call: PageCall) -> PageAnswer {
    match page(&call, &[]).await {
        Err(Failure::Operation(Error::Conflict { code: "other_address", .. })) => somebody_else(&call),
        answer => answer,
    }
}

/// It was sent to somebody else, whose address stays between them and who invited them.
fn somebody_else(call: &PageCall) -> PageAnswer {
    let w = call.words;
    let shell = call.shell(w.of("invitation-other"));
    let me = call.me.as_ref().and_then(|me| me.user.as_ref()).map(|user| user.email.clone()).unwrap_or_default();
    let again = PostButton::new("/sign-out", w.of("invitation-sign-in"), shell.guard()).primary().hidden("return_to", &call.facts.path);
    let page = OtherPage {
        text: w.of("invitation-other-text").and("email", &me).to_string(),
        again,
        back: Link::new("/dashboard", w.of("menu-dashboard")),
        shell,
    };
    Ok(call.render(&page)?.status(StatusCode::CONFLICT))
}

async fn page(call: &PageCall, faults: &[FieldError]) -> PageAnswer {
    let word = word(call);
    let ReceivedView { api, title, description, terms, expires_at, applications, .. } =
        call.app().read_invitation(&call.context(), &word).await?;
    let w = call.words;
    let wrong = errors::fields(call, faults);
    let error = |name: &str| wrong.iter().find(|error| error.name == name).map(|error| error.message.clone()).unwrap_or_default();
    let chosen = call.form.get("application").unwrap_or_else(|| applications.first().map_or("", |application| &application.id)).to_owned();
    let option = |application: &ApplicationView| Check {
        value: application.id.clone(),
        label: application.name.clone(),
        hint: format!("{} · {}", application.organization.name, w.one_of("stage", &application.stage)),
        checked: application.id == chosen,
        locked: false,
    };
    let mut fields = Vec::new();
    if !applications.is_empty() {
        let options = applications.iter().map(option).collect();
        fields.push(
            Field::new("application", w.of("invitation-application"), Control::Radios { options }).error(error("application")).required(),
        );
        if terms.is_some() {
            let accepted = Control::Box { checked: call.form.has("accept_terms") };
            let field = Field::new("accept_terms", w.of("subscription-accept-terms"), accepted);
            fields.push(field.error(error("accept_terms")).required());
        }
    }
    call.render(&InvitationPage {
        summary: errors::summary(call, &wrong),
        facts: Facts::default()
            .text(w.of("subscription-api"), w.text(&title))
            .with(w.of("invitation-code"), Cell::Code(api))
            .text(w.of("invitation-about"), w.text(&description))
            .with(w.of("invitation-until"), Cell::When(w.when(&expires_at))),
        terms: terms.map(|terms| Typed { text: w.text(&terms) }),
        missing: applications.is_empty().then(|| {
            Alert::new(Tone::Info, w.of("invitation-no-application"), w.of("invitation-no-application-text"))
                .link("/applications/new", w.of("application-new"))
        }),
        action: format!("/invitations/{word}"),
        fields,
        shell: call.shell(w.of("invitation-title").with("api", w.text(&title))),
    })
}

/// `POST /invitations/{word}`
pub async fn accept(call: PageCall) -> PageAnswer {
    let word = word(&call);
    let Ok(application) = call.form.text("application").parse() else {
        return Ok(page(&call, &[]).await?.status(StatusCode::UNPROCESSABLE_ENTITY));
    };
    match call.app().accept_invitation(&call.once(), &word, application, call.form.has("accept_terms")).await {
        Ok(_) => Ok(Page::to(format!("/applications/{application}")).flash("subscription-made", "")),
        Err(Error::Invalid(faults)) => Ok(page(&call, &faults).await?.status(StatusCode::UNPROCESSABLE_ENTITY)),
        Err(error) => Err(error.into()),
    }
}
