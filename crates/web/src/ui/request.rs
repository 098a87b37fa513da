//! One request, for those who apply: where it stands, what is next, what happened, messages.

use askama::Template;
use axum::http::StatusCode;
use octroi_app::{Error, messages::MessagesView, request_forms::RequestForm, view::PermitStop};
use octroi_domain::{Number, access_request::AccessRequest, policy::Action};

use super::{
    conversation::{self, Late},
    errors,
    kit::{self, Alert, ButtonLink, Cell, ErrorSummary, Facts, Field, Link, Pages, PostButton, Tag, Timeline, Tone},
    page::{Page, PageAnswer, PageCall, Shell},
    permit,
    request_form::onward,
    review,
    words::Words,
};

/// Happenings and messages on the page of the request.
const HAPPENINGS: usize = 20;
const LATEST: usize = 5;
/// Messages of a page of their own.
const MESSAGES: usize = 10;

type Id = Number<AccessRequest>;

#[derive(Template)]
#[template(path = "request.html")]
struct RequestPage {
    shell: Shell,
    next: Alert,
    ways: Vec<ButtonLink>,
    facts: Facts,
    timeline: Timeline,
    messages: Option<Messages>,
    actions: Vec<Link>,
}

/// The conversation, as far as the page shows it.
struct Messages {
    shown: Timeline,
    earlier: Option<Link>,
    later: Option<Link>,
    write: Option<Write>,
}

struct Write {
    action: String,
    text: Field,
}

#[derive(Template)]
#[template(path = "request_messages.html")]
struct MessagesPage {
    shell: Shell,
    summary: Option<ErrorSummary>,
    late: Option<Late>,
    messages: Messages,
    pages: Option<Pages>,
}

#[derive(Template)]
#[template(path = "request_archive.html")]
struct ArchivePage {
    shell: Shell,
    archive: PostButton,
    back: Link,
}

#[derive(Template)]
#[template(path = "request_transfer.html")]
struct TransferPage {
    shell: Shell,
    summary: Option<ErrorSummary>,
    action: String,
    email: Field,
    back: Link,
}

/// The tag of a state.
pub fn state(w: Words, state: &str) -> Tag {
    let tone = match state {
        "submitted" => Tone::Info,
        "changes_requested" => Tone::Warning,
        "approved" => Tone::Good,
        "refused" => Tone::Bad,
        _ => Tone::Neutral,
    };
    Tag::new(tone, w.one_of("request-state", state))
}

fn back(call: &PageCall, id: &str) -> Vec<Link> {
    let w = call.words;
    vec![
        Link::new("/dashboard", w.of("menu-dashboard")),
        Link::new(format!("/access-requests/{id}"), w.of("request-title").with("id", id.to_owned())),
    ]
}

/// What the reader has to know and do now.
fn next(w: Words, form: &RequestForm) -> (Alert, Vec<ButtonLink>) {
    let request = &form.request;
    let provider = w.text(&form.provider);
    let mine = form.may(Action::EditRequest);
    let message = request.message.clone().unwrap_or_default();
    let (tone, title) = match request.state.as_str() {
        "draft" if mine => (Tone::Info, w.of("request-next-draft-mine")),
        "changes_requested" if mine => (Tone::Warning, w.of("request-next-changes-mine").with("provider", provider)),
        "changes_requested" => (Tone::Warning, w.of("request-next-changes").with("who", request.applicant.name.clone())),
        "submitted" if form.reads => (Tone::Info, w.of("request-next-to-review")),
        "submitted" => (Tone::Info, w.of("request-next-submitted").with("provider", provider)),
        "approved" => (Tone::Good, w.of("request-next-approved").with("permit", request.permit.clone().unwrap_or_default())),
        "refused" => (Tone::Bad, w.of("request-next-refused").with("provider", provider)),
        "archived" => (Tone::Neutral, w.of("request-next-archived").with("id", request.id.clone())),
        _ => (Tone::Info, w.of("request-next-draft").with("who", request.applicant.name.clone())),
    };
    let mut ways = Vec::new();
    if mine {
        ways.push(ButtonLink::new(onward(form), w.of("request-go-on")));
    }
    if let Some(permit) = &request.permit {
        ways.push(ButtonLink::new(format!("/permits/{permit}"), w.of("request-see-permit").with("permit", permit.clone())));
    }
    let alert = match &form.stop {
        Some(stop) => stopped(w, stop),
        None => Alert::new(tone, title, message),
    };
    // What ended is asked for anew; what was replaced has a successor.
    if let Some(stop) = form.stop.as_ref().filter(|stop| !form.reads && matches!(stop.state.as_str(), "revoked" | "expired")) {
        ways.push(ButtonLink::new(format!("/start/{}", stop.definition), w.of("permit-ask-again")));
    }
    if form.reads {
        ways.push(ButtonLink::new(format!("/access-requests/{}/review", request.id), w.of("request-review")));
    }
    ways.push(ButtonLink::new(format!("/access-requests/{}/summary", request.id), w.of("request-answers")).secondary());
    (alert, ways)
}

/// The permit that the request led to opens nothing any more, or for now.
fn stopped(w: Words, stop: &PermitStop) -> Alert {
    let tone = match stop.state.as_str() {
        "superseded" => Tone::Info,
        "suspended" => Tone::Warning,
        _ => Tone::Bad,
    };
    let text = match (&stop.reason, stop.state.as_str()) {
        (Some(reason), _) => reason.clone(),
        (None, "expired") => w.of("permit-is-expired-text").into(),
        (None, _) => String::new(),
    };
    let alert = Alert::new(tone, permit::stopped(w, stop), text);
    match &stop.superseded_by {
        Some(by) => alert.link(format!("/permits/{by}"), by),
        None => alert,
    }
}

fn facts(w: Words, form: &RequestForm) -> Facts {
    let request = &form.request;
    let facts = Facts::default()
        .with(w.of("request-state"), Cell::Tag(state(w, &request.state)))
        .text(w.of("request-definition"), w.text(&form.definition.name))
        .text(w.of("request-form"), w.text(&form.form.name))
        .text(
            w.of("request-organization"),
            w.of("organization-siret")
                .with("name", request.organization.name.clone())
                .with("siret", review::spaced(&request.organization.siret)),
        )
        .text(w.of("request-applicant"), request.applicant.name.clone());
    let facts = match &request.stage {
        Some(stage) => facts.text(w.of("request-stage"), w.one_of("stage", stage)),
        None => facts,
    };
    let facts = match &request.of {
        Some(of) => facts.with(w.one_of("request-of", &request.kind), Cell::link(format!("/permits/{of}"), of)),
        None => facts,
    };
    facts
        .with(w.of("request-created"), Cell::When(w.when(&request.created_at)))
        .with(w.of("request-updated"), Cell::When(w.when(&request.updated_at)))
}

fn conversation(w: Words, id: &str, held: &MessagesView, most: usize, skip: usize, text: &str, error: String) -> Messages {
    let shown = conversation::messages(w, held, most, skip);
    let path = |skip: usize| format!("/access-requests/{id}/messages?skip={skip}");
    Messages {
        shown,
        earlier: (held.items.len() > skip + most).then(|| Link::new(path(skip + most), w.of("messages-earlier"))),
        later: (skip > 0).then(|| Link::new(path(skip.saturating_sub(most)), w.of("messages-later"))),
        write: (held.may_write && skip == 0)
            .then(|| Write { action: format!("/access-requests/{id}/messages"), text: conversation::field(w, text, error) }),
    }
}

/// Reads the messages; whoever they wait for has then seen them.
async fn read_messages(call: &PageCall, id: Id) -> Result<MessagesView, Error> {
    let held = call.app().list_messages(&call.context(), id).await?;
    if held.unread > 0 {
        call.app().see_messages(&call.context(), id).await?;
    }
    Ok(held)
}

/// `GET /access-requests/{id}`
pub async fn show(call: PageCall) -> PageAnswer {
    let id: Id = call.id("id")?;
    let form = call.app().request_form(&call.context(), id).await?;
    let entries = call.app().timeline(&call.context(), id).await?;
    let held = read_messages(&call, id).await?;
    let w = call.words;
    let number = &form.request.id;
    let (next, ways) = next(w, &form);
    let talks = held.may_write || !held.items.is_empty();
    let link = |way: &str, text| Link::new(format!("/access-requests/{number}/{way}"), text);
    let actions = [
        form.may(Action::TransferRequest).then(|| link("transfer", w.of("request-transfer"))),
        form.may(Action::ArchiveRequest).then(|| link("archive", w.of("request-archive"))),
    ];
    let title = form.answers.text("title").map_or_else(|| w.text(&form.definition.name), str::to_owned);
    let page = RequestPage {
        next,
        ways,
        facts: facts(w, &form),
        timeline: conversation::timeline(w, &entries, HAPPENINGS),
        messages: talks.then(|| conversation(w, number, &held, LATEST, 0, "", String::new())),
        actions: actions.into_iter().flatten().collect(),
        shell: call
            .shell(w.of("request-headline").with("id", number.clone()).with("title", title))
            .under(vec![Link::new("/dashboard", w.of("menu-dashboard"))]),
    };
    call.render(&page)
}

fn messages_page(
    call: &PageCall,
    id: &str,
    held: &MessagesView,
    skip: usize,
    errors: &[kit::FieldError],
    late: Option<Late>,
) -> PageAnswer {
    let w = call.words;
    let error = errors.first().map(|error| error.message.clone()).unwrap_or_default();
    let messages = conversation(w, id, held, MESSAGES, skip, call.form.get("text").unwrap_or_default(), error);
    let pages = Pages { label: w.of("messages-pages").into(), first: messages.later.clone(), next: messages.earlier.clone() };
    let page = MessagesPage {
        summary: errors::summary(call, errors),
        pages: (pages.first.is_some() || pages.next.is_some()).then_some(pages),
        late,
        messages,
        shell: call.shell(w.of("messages-title").with("id", id.to_owned())).under(back(call, id)),
    };
    call.render(&page)
}

/// `GET /access-requests/{id}/messages`
pub async fn messages(call: PageCall) -> PageAnswer {
    let id: Id = call.id("id")?;
    let held = read_messages(&call, id).await?;
    let skip = call.query.text("skip").parse().unwrap_or(0);
    messages_page(&call, &id.to_string(), &held, std::cmp::min(skip, held.items.len()), &[], None)
}

/// `POST /access-requests/{id}/messages`
pub async fn send(call: PageCall) -> PageAnswer {
    let id: Id = call.id("id")?;
    let text = call.form.get("text").unwrap_or_default().to_owned();
    match call.app().send_message(&call.once(), id, text).await {
        Ok(_) => Ok(Page::to(format!("/access-requests/{id}#messages")).flash("message-sent", &id.to_string())),
        Err(Error::Invalid(errors)) => {
            let held = call.app().list_messages(&call.context(), id).await?;
            let errors = errors::fields(&call, &errors);
            Ok(messages_page(&call, &id.to_string(), &held, 0, &errors, None)?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        // The request was closed while it was written, or there are too many.
        Err(Error::Conflict { text, .. }) => {
            let held = call.app().list_messages(&call.context(), id).await?;
            let happened = call.app().timeline(&call.context(), id).await?;
            let w = call.words;
            let late = Late {
                alert: Alert::new(Tone::Bad, w.of("message-not-sent"), w.text(&text))
                    .link(format!("/access-requests/{id}"), w.of("form-see-request")),
                happened: conversation::timeline(w, &happened, 1),
                kept: if held.may_write { None } else { conversation::kept(w, call.form.get("text").unwrap_or_default()) },
            };
            Ok(messages_page(&call, &id.to_string(), &held, 0, &[], Some(late))?.status(StatusCode::CONFLICT))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /access-requests/{id}/archive`
pub async fn ask_archive(call: PageCall) -> PageAnswer {
    let id: Id = call.id("id")?;
    let form = call.app().request_form(&call.context(), id).await?;
    let (w, number) = (call.words, &form.request.id);
    if !form.may(Action::ArchiveRequest) {
        return Ok(Page::to(format!("/access-requests/{number}")));
    }
    let shell = call.shell(w.of("archive-title").with("id", number.clone())).under(back(&call, number));
    let archive = PostButton::new(format!("/access-requests/{number}/archive"), w.of("archive-do"), shell.guard()).danger();
    call.render(&ArchivePage { shell, archive, back: Link::new(format!("/access-requests/{number}"), w.of("form-cancel")) })
}

/// `POST /access-requests/{id}/archive`
pub async fn archive(call: PageCall) -> PageAnswer {
    let id: Id = call.id("id")?;
    call.app().archive_request(&call.once(), id).await?;
    Ok(Page::to(format!("/access-requests/{id}")).flash("request-archived", &id.to_string()))
}

fn transfer_page(call: &PageCall, id: &str, errors: &[kit::FieldError]) -> PageAnswer {
    let w = call.words;
    let email = call.form.get("email").unwrap_or_default();
    let error = errors.first().map(|error| error.message.clone()).unwrap_or_default();
    call.render(&TransferPage {
        summary: errors::summary(call, errors),
        action: format!("/access-requests/{id}/transfer"),
        email: Field::line("email", w.of("transfer-email"), email).kind("email", "off").hint(w.of("transfer-hint")).required().error(error),
        back: Link::new(format!("/access-requests/{id}"), w.of("form-cancel")),
        shell: call.shell(w.of("transfer-title").with("id", id.to_owned())).under(back(call, id)),
    })
}

/// `GET /access-requests/{id}/transfer`
pub async fn ask_transfer(call: PageCall) -> PageAnswer {
    let id: Id = call.id("id")?;
    let form = call.app().request_form(&call.context(), id).await?;
    if !form.may(Action::TransferRequest) {
        return Ok(Page::to(format!("/access-requests/{id}")));
    }
    transfer_page(&call, &form.request.id, &[])
}

/// `POST /access-requests/{id}/transfer`
pub async fn transfer(call: PageCall) -> PageAnswer {
    let id: Id = call.id("id")?;
    match call.app().transfer_request(&call.once(), id, call.form.text("email")).await {
        Ok(_) => Ok(Page::to(format!("/access-requests/{id}")).flash("request-transferred", &id.to_string())),
        Err(Error::Invalid(errors)) => {
            let errors = errors::fields(&call, &errors);
            Ok(transfer_page(&call, &id.to_string(), &errors)?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(error) => Err(error.into()),
    }
}
