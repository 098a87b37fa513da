//! What can happen to a permit, each on a page that says what follows: suspend, resume, revoke.

use askama::Template;
use axum::http::StatusCode;
use octroi_app::{Error, permits::PermitMove, view::PermitView};
use octroi_domain::{
    Number,
    definition::{MessageTemplate, MessageUse},
    feed::PermitStatus,
    permit::Permit,
};

use super::{
    conversation::{self, Late},
    errors,
    kit::{self, Alert, Cell, ErrorSummary, Facts, Field, Link, Tone},
    page::{Page, PageAnswer, PageCall, Shell},
    review,
    words::Phrase,
};
use crate::problem::Failure;

#[derive(Template)]
#[template(path = "permit_move.html")]
struct MovePage {
    shell: Shell,
    late: Option<Late>,
    consequence: Alert,
    summary: Option<ErrorSummary>,
    facts: Facts,
    /// None where the permit's state does not allow it.
    form: Option<Form>,
    back: Link,
}

struct Form {
    action: String,
    /// None where nothing is to be said.
    reason: Option<Field>,
    template: Option<Field>,
    button: String,
}

/// What is about to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Suspend,
    Resume,
    Revoke,
}
impl Move {
    const fn path(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Revoke => "revoke",
        }
    }

    /// The prepared texts that go with it.
    const fn used(self) -> Option<MessageUse> {
        match self {
            Self::Suspend => Some(MessageUse::Suspend),
            Self::Revoke => Some(MessageUse::Revoke),
            Self::Resume => None,
        }
    }

    fn possible(self, state: &str) -> bool {
        match self {
            Self::Suspend => state == PermitStatus::Active.as_str(),
            Self::Resume => state == PermitStatus::Suspended.as_str(),
            Self::Revoke => [PermitStatus::Active, PermitStatus::Suspended].iter().any(|open| open.as_str() == state),
        }
    }
}

/// `GET /permits/{id}/suspend`
pub async fn ask_suspend(call: PageCall) -> PageAnswer {
    ask(&call, Move::Suspend, String::new(), Vec::new()).await
}
/// `GET /permits/{id}/resume`
pub async fn ask_resume(call: PageCall) -> PageAnswer {
    ask(&call, Move::Resume, String::new(), Vec::new()).await
}
/// `GET /permits/{id}/revoke`
pub async fn ask_revoke(call: PageCall) -> PageAnswer {
    ask(&call, Move::Revoke, String::new(), Vec::new()).await
}
/// `POST /permits/{id}/suspend`
pub async fn suspend(call: PageCall) -> PageAnswer {
    moved(&call, Move::Suspend).await
}
/// `POST /permits/{id}/resume`
pub async fn resume(call: PageCall) -> PageAnswer {
    moved(&call, Move::Resume).await
}
/// `POST /permits/{id}/revoke`
pub async fn revoke(call: PageCall) -> PageAnswer {
    moved(&call, Move::Revoke).await
}

async fn moved(call: &PageCall, what: Move) -> PageAnswer {
    let id: Number<Permit> = call.id("id")?;
    let reason = call.form.get("reason").unwrap_or_default().to_owned();
    if call.form.has("insert") {
        let messages = call.app().permit_messages(&call.context(), id).await?;
        let chosen = messages.iter().find(|message| message.id.as_str() == call.form.text("template"));
        let before = reason.trim_end();
        let text = chosen.map(|message| call.words.text(&message.text)).unwrap_or_default();
        let filled = if before.is_empty() { text } else { format!("{before}\n\n{text}") };
        return ask(call, what, filled, Vec::new()).await;
    }
    let (step, flash) = match what {
        Move::Suspend => (PermitMove::Suspend { reason: reason.clone() }, "permit-suspended"),
        Move::Resume => (PermitMove::Resume, "permit-resumed"),
        Move::Revoke => (PermitMove::Revoke { reason: reason.clone() }, "permit-revoked"),
    };
    match call.app().move_permit(&call.once(), id, step).await {
        Ok(_) => Ok(Page::to(format!("/permits/{id}")).flash(flash, &id.to_string())),
        Err(Error::Invalid(found)) => {
            Ok(ask(call, what, reason, errors::fields(call, &found)).await?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        // Somebody else was first, or it ended by itself.
        Err(Error::Conflict { .. }) => Ok(ask(call, what, reason, Vec::new()).await?.status(StatusCode::CONFLICT)),
        Err(error) => Err(error.into()),
    }
}

/// The page that asks once more, with all that was typed.
async fn ask(call: &PageCall, what: Move, reason: String, errors: Vec<kit::FieldError>) -> PageAnswer {
    let id: Number<Permit> = call.id("id")?;
    let permit = call.app().read_permit(&call.context(), id).await?;
    // Asked for all three: who may not decide is told so before anything is typed.
    let messages = call.app().permit_messages(&call.context(), id).await?;
    let w = call.words;
    let late = if call.posted && !call.form.has("insert") && !what.possible(&permit.state) {
        Some(late(call, &permit, &reason).await?)
    } else {
        None
    };
    let about = |phrase: Phrase| phrase.with("id", permit.id.clone()).to_string();
    let (title, consequence, button) = match what {
        Move::Suspend => (w.of("permit-suspend-title"), w.of("permit-suspend-consequence"), w.of("permit-suspend")),
        Move::Resume => (w.of("permit-resume-title"), w.of("permit-resume-consequence"), w.of("permit-resume")),
        Move::Revoke => (w.of("permit-revoke-title"), w.of("permit-revoke-consequence"), w.of("permit-revoke")),
    };
    let error = errors.iter().map(|error| error.message.clone()).next().unwrap_or_default();
    let field = || Field::area("reason", w.of("permit-reason"), reason).hint(w.of("permit-reason-hint")).required().error(error);
    let option = |message: &MessageTemplate| (message.id.to_string(), w.text(&message.name));
    let options: Vec<(String, String)> = messages.iter().filter(|message| Some(message.used) == what.used()).map(option).collect();
    let form = || Form {
        action: format!("/permits/{id}/{}", what.path()),
        reason: what.used().map(|_| field()),
        template: (!options.is_empty()).then(|| Field::select("template", w.of("decision-template"), options, call.form.text("template"))),
        button: button.into(),
    };
    let possible = what.possible(&permit.state);
    let consequence = if possible {
        Alert::new(if what == Move::Resume { Tone::Info } else { Tone::Warning }, about(consequence), String::new())
    } else {
        let state = w.of("permit-move-impossible-text").with("state", w.one_of("permit-state", &permit.state).to_string());
        Alert::new(Tone::Info, about(w.of("permit-move-impossible")), state).link(format!("/permits/{id}"), about(w.of("permit-move-see")))
    };
    let page = MovePage {
        late,
        consequence,
        summary: errors::summary(call, &errors),
        facts: facts(call, &permit),
        form: possible.then(form),
        back: Link::new(format!("/permits/{id}"), w.of("permit-move-back")),
        shell: call.shell(about(title)).under(vec![
            Link::new("/review/permits", w.of("review-permits-title")),
            Link::new(format!("/permits/{id}"), permit.id.clone()),
        ]),
    };
    call.render(&page)
}

/// What came before a move that is no longer possible.
async fn late(call: &PageCall, permit: &PermitView, reason: &str) -> Result<Late, Failure> {
    let w = call.words;
    let request = permit.request.parse().map_err(|_| Error::NotFound)?;
    let happened = call.app().timeline(&call.context(), request).await?;
    Ok(Late {
        alert: Alert::new(Tone::Bad, w.of("permit-move-late"), w.of("permit-move-late-text")),
        happened: conversation::timeline(w, &happened, 1),
        kept: conversation::kept(w, reason),
    })
}

fn facts(call: &PageCall, permit: &PermitView) -> Facts {
    let w = call.words;
    let title = permit.answers.get("title").and_then(serde_json::Value::as_str).unwrap_or_default();
    Facts::default()
        .with(w.of("review-permit"), Cell::link(format!("/permits/{}", permit.id), format!("{} · {title}", permit.id)))
        .with(w.of("review-state"), Cell::Tag(review::permit_tag(w, &permit.state)))
        .text(w.of("review-organization"), review::organization(&permit.organization.name, &permit.organization.siret))
        .text(w.of("review-applicant"), &permit.applicant.name)
        .text(w.of("review-granted"), w.date(&permit.granted_at))
}
