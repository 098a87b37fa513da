//! A request read over before it is submitted, and by whoever may read it: `/access-requests/{id}/summary`.

use askama::Template;
use axum::http::StatusCode;
use octroi_app::{Error, request_forms::RequestForm};
use octroi_domain::{Number, access_request::AccessRequest, definition::Step, policy::Action};

use super::{
    answers::{self, Section},
    kit::{Alert, Control, ErrorSummary, Field, Hidden, Link, Stepper, Tone},
    page::{Page, PageAnswer, PageCall, Shell},
    request_form::{Looked, path, reviewer_said, stepper},
    words::Words,
};

#[derive(Template)]
#[template(path = "request_summary.html")]
struct SummaryPage {
    shell: Shell,
    stepper: Option<Stepper>,
    notice: Option<Alert>,
    missing: Option<ErrorSummary>,
    sections: Vec<Edited>,
    /// What the form fixes.
    fixed: Vec<Section>,
    submit: Option<Submit>,
    held: Option<Held>,
}

/// Why there is no button to send it with, while it is being written, and where to go on.
struct Held {
    why: String,
    ways: Vec<Link>,
}

/// A section, and the way to change it.
struct Edited {
    section: Section,
    edit: Option<Link>,
}

struct Submit {
    action: String,
    version: Hidden,
    terms: Option<(Link, Field)>,
}

/// What is still missing, each line linked to its control.
fn missing(w: Words, form: &RequestForm) -> Option<ErrorSummary> {
    let line = |error: &octroi_domain::definition::FieldError| {
        let (place, step) = form.steps.iter().enumerate().find(|(_, step)| step.owns(error))?;
        let id = error.pointer.split('/').nth(1).unwrap_or_default();
        let asked = step.fields.iter().find(|asked| asked.field.id == id)?;
        let said = w.of("missing-line").with("field", w.text(&asked.field.label)).with("message", w.text(&error.message));
        Some(Link::new(format!("{}?check=1&from=summary", path(&form.request.id, place)), said))
    };
    let mut errors: Vec<Link> = form.missing.iter().filter_map(line).collect();
    errors.dedup();
    let title = w.of("missing-title").with("count", errors.len());
    (!errors.is_empty()).then(|| ErrorSummary { title: title.into(), errors })
}

fn held(w: Words, form: &RequestForm) -> Option<Held> {
    if !["draft", "changes_requested"].contains(&form.request.state.as_str()) || form.reads {
        return None;
    }
    if !form.may(Action::SubmitRequest) {
        return Some(Held { why: w.of("summary-held-other").with("who", form.request.applicant.name.clone()).into(), ways: Vec::new() });
    }
    let lacking = form.steps.iter().enumerate().filter(|(_, step)| !form.is_complete(step));
    let way = |(place, step): (usize, &Step)| Link::new(format!("{}?check=1", path(&form.request.id, place)), w.text(&step.title));
    let ways: Vec<Link> = lacking.map(way).collect();
    if ways.is_empty() {
        // What the form itself fixed no longer fits: another form is the only way on.
        let again = Link::new(format!("/start/{}", form.request.definition), w.of("summary-other-form"));
        return (!form.missing.is_empty()).then(|| Held { why: w.of("summary-held-form").into(), ways: vec![again] });
    }
    Some(Held { why: w.of("summary-held").with("count", ways.len()).into(), ways })
}

fn page(call: &PageCall, form: &RequestForm, notice: Option<Alert>, unticked: bool) -> PageAnswer {
    let w = call.words;
    let id = &form.request.id;
    let edits = form.may(Action::EditRequest);
    let shown = |steps| answers::sections(w, &form.definition, steps, |field| form.answers.get(field));
    let sections = shown(&form.steps).into_iter().enumerate().map(|(place, section)| {
        let words = w.of("summary-edit").with("step", section.title.clone());
        let edit = edits.then(|| Link::new(format!("{}?from=summary", path(id, place)), words));
        Edited { section, edit }
    });
    let lacking = if edits { missing(w, form) } else { None };
    let submit = (form.may(Action::SubmitRequest) && form.missing.is_empty()).then(|| Submit {
        action: format!("/access-requests/{id}/submit"),
        version: Hidden { name: "version".into(), value: form.request.version.to_string() },
        terms: form.definition.terms_url.as_ref().map(|url| {
            let error = if unticked { w.of("terms-needed").to_string() } else { String::new() };
            let accept = Field::new("terms", w.of("terms-accept"), Control::Box { checked: false }).required().error(error);
            (Link::new(url, w.of("terms-read")), accept)
        }),
    });
    let page = SummaryPage {
        stepper: edits.then(|| stepper(w, form, &Looked::of(call, id), form.steps.len())),
        notice,
        missing: lacking,
        sections: sections.collect(),
        fixed: shown(&form.fixed),
        held: if submit.is_some() { None } else { held(w, form) },
        submit,
        shell: call.shell(if edits { w.of("summary-title") } else { w.of("answers-title") }.with("id", id.clone())).under(vec![
            Link::new("/dashboard", w.of("menu-dashboard")),
            Link::new(format!("/access-requests/{id}"), w.of("request-title").with("id", id.clone())),
        ]),
    };
    call.render(&page)
}

/// `GET /access-requests/{id}/summary`
pub async fn show(call: PageCall) -> PageAnswer {
    let id: Number<AccessRequest> = call.id("id")?;
    let form = call.app().request_form(&call.context(), id).await?;
    let notice = if form.may(Action::EditRequest) { reviewer_said(call.words, &form) } else { None };
    page(&call, &form, notice, false)
}

/// `POST /access-requests/{id}/submit`
pub async fn submit(call: PageCall) -> PageAnswer {
    let id: Number<AccessRequest> = call.id("id")?;
    let form = call.app().request_form(&call.context(), id).await?;
    if form.may(Action::SubmitRequest) && form.definition.terms_url.is_some() && call.form.text("terms") != "true" {
        return Ok(page(&call, &form, None, true)?.status(StatusCode::UNPROCESSABLE_ENTITY));
    }
    let version = call.form.text("version").parse().unwrap_or(0);
    match call.app().submit_request(&call.once(), id, Some(version)).await {
        Ok(_) => Ok(Page::to(format!("/access-requests/{id}")).flash("request-submitted", &id.to_string())),
        Err(Error::Invalid(_)) => Ok(page(&call, &form, None, false)?.status(StatusCode::UNPROCESSABLE_ENTITY)),
        Err(Error::Stale { .. }) => {
            let notice = Alert::new(Tone::Warning, call.words.of("form-stale"), call.words.of("summary-stale-text"));
            Ok(page(&call, &form, Some(notice), false)?.status(StatusCode::CONFLICT))
        }
        Err(error) => Err(error.into()),
    }
}
