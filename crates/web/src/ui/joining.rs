//! A wish to join as who sent it sees it, as a member who may vouch sees it, and invitations of members.

use axum::http::{StatusCode, header};
use octroi_app::{Error, joining::JoiningView};
use octroi_domain::{Id, joining::Joining};

use super::{
    entering::{Afterwards, too_many},
    errors,
    kit::{Alert, ButtonLink, Cell, Facts, Field, FieldError, Link, PostButton, Tone},
    operator::{FormView, OperatorPage, Section},
    organizations::{error_of, number_words, wish_tag},
    page::{Page, PageAnswer, PageCall},
    words::Words,
};
use crate::problem::Failure;

/// `GET /organizations/joining/{id}`
pub async fn show(call: PageCall) -> PageAnswer {
    wish_page(&call, Vec::new()).await
}

/// Has a code left for the official contact? What to do comes first: have it sent, or type it in.
async fn by_code(call: &PageCall, page: &mut OperatorPage, id: Id<Joining>, wrong: &[FieldError]) -> Result<(), Failure> {
    let w = call.words;
    let path = format!("/organizations/joining/{id}");
    let send = |label| PostButton {
        hidden: Afterwards::here(call).hidden(),
        ..PostButton::new(format!("{path}/send-code"), label, page.shell.guard())
    };
    if let Some(until) = call.app().join_code_until(&call.context(), id).await? {
        let again = send(w.of("wish-send-again"));
        page.lead = w.of("wish-code-out").with("until", w.date_time(&until.to_string()).to_string()).into();
        page.sections.push(code_section(call, &path, wrong));
        page.sections.push(Section { buttons: vec![again], ..Section::default() });
    } else {
        let first = send(w.of("wish-send-code")).primary();
        page.lead = w.of("wish-code-first").into();
        page.sections.push(Section { text: w.of("wish-code-text").into(), buttons: vec![first], ..Section::default() });
    }
    Ok(())
}

fn facts(w: Words, wish: &JoiningView) -> Facts {
    let mut facts = Facts::default()
        .with(w.of("wish-state"), Cell::Tag(wish_tag(w, &wish.state)))
        .text(w.of("review-organization"), &wish.organization.name)
        .text(w.of("organization-number"), number_words(w, &wish.organization.siret))
        .text(w.of("review-email"), &wish.email)
        .with(w.of("wish-since"), Cell::When(w.when(&wish.created_at)));
    if !wish.note.is_empty() {
        facts = facts.with(w.of("wish-note"), Cell::Typed(wish.note.clone()));
    }
    if !wish.answer.is_empty() {
        facts = facts.with(w.of("wish-answer"), Cell::Typed(wish.answer.clone()));
    }
    facts
}

async fn wish_page(call: &PageCall, wrong: Vec<FieldError>) -> PageAnswer {
    wish_page_with(call, wrong, None).await
}

async fn wish_page_with(call: &PageCall, wrong: Vec<FieldError>, alert: Option<Alert>) -> PageAnswer {
    let id: Id<Joining> = call.id("id")?;
    let wish = call.app().read_joining(&call.context(), id).await?;
    let w = call.words;
    let path = format!("/organizations/joining/{id}");
    let afterwards = Afterwards::here(call);
    let title = w.of("wish-title").with("name", wish.organization.name.clone());
    let way = vec![Link::new("/organizations", w.of("organizations-title"))];
    let mut page = OperatorPage::bare(call.shell(title).under(way), None);
    page.summary = errors::summary(call, &wrong);
    page.alerts.extend(alert);
    let about = Section { facts: Some(facts(w, &wish)), ..Section::default() };
    match wish.state.as_str() {
        "pending" => {
            page.alerts.push(Alert::new(Tone::Info, w.one_of("wish-way", &wish.way), w.one_of("wish-reason", &wish.reason)));
            if wish.way == "code" {
                by_code(call, &mut page, id, &wrong).await?;
            } else {
                page.lead = w.of("wish-next").into();
            }
            page.sections.push(sponsor_section(call, &path, &wrong));
            let cancel = PostButton::new(format!("{path}/cancel"), w.of("wish-cancel"), page.shell.guard()).danger();
            let cancel = PostButton { hidden: afterwards.hidden(), ..cancel };
            page.sections.push(Section { buttons: vec![cancel], ..Section::titled(w.of("wish-cancel-title")) });
        }
        "refused" if wish.may_reopen => {
            let note = Field::area("note", w.of("join-note"), call.form.get("note").unwrap_or(&wish.note)).error(error_of(&wrong, "note"));
            page.sections.push(Section {
                text: w.of("wish-reopen-text").into(),
                form: Some(FormView {
                    action: format!("{path}/reopen"),
                    fields: vec![note.hint(w.of("join-note-hint"))],
                    button: w.of("wish-reopen").into(),
                    hidden: afterwards.hidden(),
                    ..FormView::default()
                }),
                ..Section::titled(w.of("wish-reopen-title"))
            });
        }
        _ => {}
    }
    page.sections.push(about);
    page.actions.extend(afterwards.return_to.map(|back| ButtonLink::new(back, w.of("go-on-there")).secondary()));
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(call.render(&page)?.status(status))
}

fn code_section(call: &PageCall, path: &str, wrong: &[FieldError]) -> Section {
    let w = call.words;
    let code = Field::line("code", w.of("wish-code"), call.form.text("code")).kind("text", "one-time-code").hint(w.of("wish-code-hint"));
    Section {
        form: Some(FormView {
            action: format!("{path}/code"),
            fields: vec![code.required().error(error_of(wrong, "code"))],
            button: w.of("wish-code-enter").into(),
            hidden: Afterwards::here(call).hidden(),
            ..FormView::default()
        }),
        ..Section::titled(w.of("wish-code-title"))
    }
}

fn sponsor_section(call: &PageCall, path: &str, wrong: &[FieldError]) -> Section {
    let w = call.words;
    let email = Field::line("email", w.of("wish-sponsor-email"), call.form.text("email")).kind("email", "off");
    Section {
        text: w.of("wish-sponsor-text").into(),
        form: Some(FormView {
            action: format!("{path}/sponsor"),
            fields: vec![email.required().error(error_of(wrong, "email"))],
            button: w.of("wish-sponsor-ask").into(),
            hidden: Afterwards::here(call).hidden(),
            ..FormView::default()
        }),
        ..Section::titled(w.of("wish-sponsor-title"))
    }
}

/// What an operation on one's own wish came to.
async fn after<T: Send>(call: &PageCall, done: Result<T, Error>, flash: &'static str) -> PageAnswer {
    let id: Id<Joining> = call.id("id")?;
    match done {
        Ok(_) => Ok(Page::to(Afterwards::of(&call.form).path(&format!("/organizations/joining/{id}"))).flash(flash, "")),
        Err(Error::Invalid(found)) => wish_page(call, errors::fields(call, &found)).await,
        // The wish stays in sight, with its other ways.
        Err(Error::TooManyAttempts { retry_after }) => {
            let page = wish_page_with(call, Vec::new(), Some(too_many(call.words, retry_after))).await?;
            Ok(page.status(StatusCode::TOO_MANY_REQUESTS).with(header::RETRY_AFTER, retry_after.into()))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /organizations/joining/{id}/send-code`
pub async fn send_code(call: PageCall) -> PageAnswer {
    let done = call.app().send_join_code(&call.once(), call.id("id")?).await;
    after(&call, done, "join-code-sent").await
}

/// `POST /organizations/joining/{id}/code`
pub async fn enter_code(call: PageCall) -> PageAnswer {
    match call.app().enter_join_code(&call.context(), call.id("id")?, call.form.text("code")).await {
        Ok(octroi_app::Done::Now { value, .. }) => {
            let there = Afterwards::of(&call.form).return_to.unwrap_or_else(|| format!("/organizations/{}", value.organization.id));
            Ok(Page::to(there).flash("organization-joined", ""))
        }
        done => after(&call, done, "organization-joined").await,
    }
}

/// `POST /organizations/joining/{id}/sponsor`
pub async fn sponsor(call: PageCall) -> PageAnswer {
    let done = call.app().name_sponsor(&call.once(), call.id("id")?, call.form.text("email")).await;
    after(&call, done, "join-sponsor-asked").await
}

/// `POST /organizations/joining/{id}/cancel`
pub async fn cancel(call: PageCall) -> PageAnswer {
    let done = call.app().cancel_joining(&call.once(), call.id("id")?).await;
    after(&call, done, "join-cancelled").await
}

/// `POST /organizations/joining/{id}/reopen`
pub async fn reopen(call: PageCall) -> PageAnswer {
    let id: Id<Joining> = call.id("id")?;
    let done = call.app().reopen_joining(&call.once(), id, call.form.get("note").unwrap_or_default()).await;
    let granted = done.is_ok() && call.app().read_joining(&call.context(), id).await?.state == "accepted";
    after(&call, done, if granted { "organization-joined" } else { "join-asked" }).await
}

/// `GET /organizations/joining/{id}/confirm`
pub async fn ask_vouch(call: PageCall) -> PageAnswer {
    let id: Id<Joining> = call.id("id")?;
    let wish = call.app().read_wish(&call.context(), id).await?;
    let w = call.words;
    let title = w.of("vouch-title").with("person", wish.person.name.clone());
    let home = format!("/organizations/{}", wish.organization.id);
    let way = vec![Link::new("/organizations", w.of("organizations-title")), Link::new(&home, &wish.organization.name)];
    let mut page = OperatorPage::bare(call.shell(title).under(way), None);
    let facts = Facts::default()
        .text(w.of("person-name"), &wish.person.name)
        .text(w.of("review-email"), &wish.email)
        .text(w.of("review-organization"), &wish.organization.name)
        .with(w.of("wish-state"), Cell::Tag(wish_tag(w, &wish.state)))
        .with(w.of("wish-since"), Cell::When(w.when(&wish.created_at)));
    page.sections.push(Section { facts: Some(facts), ..Section::default() });
    if wish.state == "pending" {
        let button = PostButton::new(format!("/organizations/joining/{id}/confirm"), w.of("vouch"), page.shell.guard()).primary();
        page.sections.push(Section {
            text: w.of("vouch-text").into(),
            buttons: vec![button],
            refresh: Some(Link::new(home, w.of("cancel"))),
            ..Section::default()
        });
    }
    call.render(&page)
}

/// `POST /organizations/joining/{id}/confirm`
pub async fn vouch(call: PageCall) -> PageAnswer {
    let id: Id<Joining> = call.id("id")?;
    let wish = call.app().read_wish(&call.context(), id).await?;
    call.app().vouch(&call.once(), id).await?;
    Ok(Page::to(format!("/organizations/{}", wish.organization.id)).flash("member-confirmed", ""))
}

fn word(call: &PageCall) -> String {
    call.params.iter().find(|(name, _)| name == "word").map(|(_, word)| word.clone()).unwrap_or_default()
}

/// `GET /organizations/invitations/{word}`
pub async fn invitation(call: PageCall) -> PageAnswer {
    let word = word(&call);
    let found = match call.app().read_member_invitation(&call.context(), &word).await {
        Ok(found) => found,
        Err(Error::Conflict { code: "other_address", text }) => return somebody_else(&call, &text),
        Err(error) => return Err(error.into()),
    };
    let w = call.words;
    let mut page = OperatorPage::bare(call.shell(w.of("member-invitation-title").with("name", found.organization.name.clone())), None);
    let facts = Facts::default()
        .text(w.of("review-organization"), &found.organization.name)
        .text(w.of("organization-number"), number_words(w, &found.organization.siret))
        .text(w.of("member-invitation-by"), &found.invited_by)
        .with(w.of("member-invite-until"), Cell::When(w.when(&found.expires_at)));
    let accept = PostButton::new(format!("/organizations/invitations/{word}"), w.of("member-invitation-accept"), page.shell.guard());
    page.sections.push(Section { facts: Some(facts), buttons: vec![accept.primary()], ..Section::default() });
    call.render(&page)
}

/// It was sent to somebody else, whose address stays between them and who invited them.
fn somebody_else(call: &PageCall, text: &octroi_domain::text::Text) -> PageAnswer {
    let w = call.words;
    let mut page = OperatorPage::bare(call.shell(w.of("invitation-other")), None);
    let again =
        PostButton::new("/sign-out", w.of("invitation-sign-in"), page.shell.guard()).primary().hidden("return_to", &call.facts.path);
    page.sections.push(Section { text: w.text(text), buttons: vec![again], ..Section::default() });
    Ok(call.render(&page)?.status(StatusCode::CONFLICT))
}

/// `POST /organizations/invitations/{word}`
pub async fn accept(call: PageCall) -> PageAnswer {
    let word = word(&call);
    match call.app().read_member_invitation(&call.context(), &word).await {
        Ok(found) => {
            call.app().accept_member_invitation(&call.once(), &word).await?;
            Ok(Page::to(format!("/organizations/{}", found.organization.id)).flash("organization-joined", ""))
        }
        Err(Error::Conflict { code: "other_address", text }) => somebody_else(&call, &text),
        Err(error) => Err(Failure::from(error)),
    }
}
