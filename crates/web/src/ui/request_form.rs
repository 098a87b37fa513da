//! Filling a request in, step by step: `/access-requests/{id}/steps/{n}`.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use octroi_app::{Error, request_forms::RequestForm};
use octroi_domain::{
    Number,
    access_request::AccessRequest,
    definition::{AskedField, FieldKind, Step, Typed},
    policy::Action,
};

use super::{
    answers,
    controls::{Controls, Part},
    errors,
    kit::{self, Alert, Cell, Column, ErrorSummary, Hidden, Link, Stepper, Table, Tone},
    page::{Page, PageAnswer, PageCall, Shell},
    words::Words,
};
use crate::problem::Failure;

/// Tells the script which version the next save is written against.
const VERSION: HeaderName = HeaderName::from_static("x-version");

#[derive(Template)]
#[template(path = "request_step.html")]
struct StepPage {
    shell: Shell,
    stepper: Stepper,
    notice: Option<Alert>,
    /// What is stored and what was typed, where they differ.
    compare: Option<Table>,
    summary: Option<ErrorSummary>,
    hint: String,
    action: String,
    hidden: Vec<Hidden>,
    parts: Vec<Part>,
    first: bool,
}

/// A step as it is about to be shown.
struct Shown {
    typed: Typed,
    errors: Vec<kit::FieldError>,
    version: u32,
    notice: Option<Alert>,
    compare: Option<Table>,
}

type Id = Number<AccessRequest>;

pub(super) fn path(id: &str, step: usize) -> String {
    format!("/access-requests/{id}/steps/{}", step + 1)
}

/// Where somebody who goes on with a request is taken: to the first step that lacks something, else to the summary.
pub(super) fn onward(form: &RequestForm) -> String {
    let id = &form.request.id;
    let lacking = form.steps.iter().position(|step| !form.is_complete(step));
    lacking.map_or_else(|| format!("/access-requests/{id}/summary"), |step| path(id, step))
}

/// The steps of one request that its applicant has looked at, as a browser keeps them: `D12:5`, a bit for each.
pub(super) struct Looked(u64);

impl Looked {
    const COOKIE: &'static str = "octroi_looked";

    pub(super) fn of(call: &PageCall, id: &str) -> Self {
        let kept = call.remembered(Self::COOKIE).and_then(|text| text.split_once(':')).filter(|(found, _)| *found == id);
        Self(kept.and_then(|(_, steps)| steps.parse().ok()).unwrap_or(0))
    }

    fn at(self, step: usize) -> Self {
        Self(self.0 | Self::bit(step))
    }

    fn has(&self, step: usize) -> bool {
        self.0 & Self::bit(step) != 0
    }

    /// Beyond the last bit nothing is kept.
    fn bit(step: usize) -> u64 {
        u32::try_from(step).ok().and_then(|step| 1_u64.checked_shl(step)).unwrap_or(0)
    }
}

/// The stepper of a request; the summary is its last step.
pub(super) fn stepper(w: Words, form: &RequestForm, looked: &Looked, current: usize) -> Stepper {
    let id = &form.request.id;
    // What was sent once, or granted before, its applicant has read.
    let first_time = form.request.state == "draft" && form.request.kind == "initial";
    let step = |(place, step): (usize, &Step)| kit::Step {
        name: w.text(&step.title),
        href: Some(path(id, place)),
        done: form.is_complete(step),
        unread: first_time && place != current && !looked.has(place) && step.is_as_prefilled(&form.answers),
    };
    let mut steps: Vec<kit::Step> = form.steps.iter().enumerate().map(step).collect();
    let summary = Some(format!("/access-requests/{id}/summary"));
    steps.push(kit::Step { name: w.of("form-summary").into(), href: summary, done: false, unread: false });
    Stepper {
        label: w.of("form-steps").into(),
        position: w.of("form-position").with("step", current + 1).with("count", steps.len()).into(),
        done_word: w.of("form-step-done").into(),
        unread_word: w.of("form-step-unread").into(),
        steps,
        current,
    }
}

fn number(call: &PageCall) -> Result<usize, Failure> {
    let number: usize = call.id("n")?;
    number.checked_sub(1).ok_or_else(|| Error::NotFound.into())
}

/// `GET /access-requests/{id}/steps/{n}`
pub async fn show(call: PageCall) -> PageAnswer {
    let (id, place): (Id, usize) = (call.id("id")?, number(&call)?);
    let form = call.app().request_form(&call.context(), id).await?;
    let step = form.steps.get(place).ok_or(Error::NotFound)?;
    if !form.may(Action::EditRequest) {
        return Ok(Page::to(format!("/access-requests/{id}")));
    }
    let mut typed = Typed::of(&form.answers, &step.fields);
    if let Some((field, rows)) = call.query.text("rows").split_once('.').and_then(|(field, rows)| Some((field, rows.parse().ok()?))) {
        for _ in typed.rows(field)..std::cmp::min(rows, octroi_domain::definition::field::MAX_DOCUMENTS) {
            typed.add_row(field);
        }
    }
    // Who comes from the list of what is missing sees it at its place.
    let missing: Vec<_> = form.missing.iter().filter(|error| call.query.has("check") && step.owns(error)).cloned().collect();
    let errors = at_controls(errors::fields(&call, &missing), &step.fields);
    let notice = reviewer_said(call.words, &form);
    let version = form.request.version;
    let page = render(&call, &form, place, Shown { typed, errors, version, notice, compare: None }).await?;
    let looked = Looked::of(&call, &form.request.id);
    // A browser forgets the pages that it could go back to, and what was typed there, when a cookie changes.
    if looked.has(place) {
        return Ok(page);
    }
    Ok(page.remember(Looked::COOKIE, &format!("{}:{}", form.request.id, looked.at(place).0)))
}

/// `POST /access-requests/{id}/steps/{n}`: saves what is good in the step, and goes on when all of it is.
pub async fn fill(call: PageCall) -> PageAnswer {
    let (id, place): (Id, usize) = (call.id("id")?, number(&call)?);
    let form = call.app().request_form(&call.context(), id).await?;
    let step = form.steps.get(place).ok_or(Error::NotFound)?;
    let mut typed = Typed::new(call.form.pairs().map(|(name, text)| (name.to_owned(), text.to_owned())).collect());
    let again = pressed(&call, &mut typed, step).await?;
    let version = call.form.text("version").parse().unwrap_or(0);
    let autosave = call.form.has("_autosave");
    let context = if autosave { call.context() } else { call.once() };
    match call.app().fill_step(&context, id, place, version, &typed).await {
        Ok(filled) if autosave => Ok(saved(filled.version, filled.errors.is_empty())),
        Ok(filled) => {
            let form = call.app().request_form(&call.context(), id).await?;
            let mut errors = filled.errors;
            if errors.is_empty() && again.is_none() && call.form.text("then").is_empty() {
                errors.extend(form.missing.iter().filter(|error| step.holds_back(error)).cloned());
            }
            if errors.is_empty() {
                return Ok(after(&call, &form, place, again, &typed));
            }
            let errors = at_controls(errors::fields(&call, &errors), &step.fields);
            let shown = Shown { typed, errors, version: filled.version, notice: None, compare: None };
            Ok(render(&call, &form, place, shown).await?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(error) => refused(&call, id, place, typed, autosave, error).await,
    }
}

/// The answer to the script: nothing to show, and whether all of it was saved.
fn saved(version: u32, whole: bool) -> Page {
    let status = if whole { StatusCode::NO_CONTENT } else { StatusCode::UNPROCESSABLE_ENTITY };
    Page::empty(status).with(VERSION, HeaderValue::from(version))
}

/// What was typed is shown again beside what is there now.
async fn refused(call: &PageCall, id: Id, place: usize, typed: Typed, autosave: bool, error: Error) -> PageAnswer {
    let w = call.words;
    let text = match &error {
        Error::Stale { .. } => w.of("form-stale-text").to_string(),
        Error::Conflict { text, .. } => w.text(text),
        Error::Forbidden(why) => w.text(&why.text()),
        _ => return Err(error.into()),
    };
    let form = call.app().request_form(&call.context(), id).await?;
    let step = form.steps.get(place).ok_or(Error::NotFound)?;
    let compare = compare(w, &form, step, &typed);
    let closed = !form.may(Action::EditRequest);
    let stale = matches!(error, Error::Stale { .. }) && !closed;
    let text = if closed { w.of("form-closed").to_string() } else { text };
    if stale && compare.is_none() {
        // Somebody else, or another window, saved the very same.
        return Ok(if autosave { saved(form.request.version, true) } else { after(call, &form, place, None, &typed) });
    }
    let title = if stale { w.of("form-stale") } else { w.of("form-not-saved") };
    let notice = Alert::new(Tone::Warning, title, text).link(format!("/access-requests/{id}"), w.of("form-see-request"));
    let shown = Shown { typed, errors: Vec::new(), version: form.request.version, notice: Some(notice), compare };
    Ok(render(call, &form, place, shown).await?.status(StatusCode::CONFLICT))
}

fn compare(w: Words, form: &RequestForm, step: &Step, typed: &Typed) -> Option<Table> {
    let read = form.definition.read(&step.fields, typed);
    let shown = |asked: &AskedField, value: Option<&serde_json::Value>| match value {
        Some(value) if !value.is_null() => answers::cell(w, &form.definition, asked, value),
        _ => Cell::text(w.of("answer-none")),
    };
    let row = |asked: &AskedField| {
        let (stored, mine) = (form.answers.get(&asked.field.id), read.answers.get(&asked.field.id)?);
        let differs = stored.unwrap_or(&serde_json::Value::Null) != mine;
        differs.then(|| vec![Cell::text(w.text(&asked.field.label)), shown(asked, stored), shown(asked, Some(mine))])
    };
    let rows: Vec<Vec<Cell>> = step.fields.iter().filter_map(row).collect();
    (!rows.is_empty()).then(|| Table {
        caption: w.of("form-stale-table").into(),
        columns: vec![Column::text(w.of("form-question")), Column::text(w.of("form-stored")), Column::text(w.of("form-mine"))],
        rows,
        empty: String::new(),
    })
}

/// A button inside the step was pressed: the control to go back to.
async fn pressed(call: &PageCall, typed: &mut Typed, step: &Step) -> Result<Option<String>, Failure> {
    let mine = |id: &str, wanted: fn(&FieldKind) -> bool| step.fields.iter().any(|asked| asked.field.id == id && wanted(&asked.field.kind));
    if let Some(contact) = call.form.some("me").filter(|id| mine(id, |kind| matches!(kind, FieldKind::Contact { .. }))) {
        for (member, text) in call.app().own_contact(&call.context()).await? {
            typed.set(&format!("{contact}.{member}"), text);
        }
        return Ok(Some(format!("{contact}.phone")));
    }
    let documents = |kind: &FieldKind| matches!(kind, FieldKind::Documents);
    if let Some(field) = call.form.some("add").filter(|id| mine(id, documents)) {
        typed.add_row(&field);
        let last = typed.rows(&field).saturating_sub(1);
        return Ok(Some(format!("{field}.{last}.title")));
    }
    if let Some((field, row)) = call.form.text("remove").split_once('.').filter(|(id, _)| mine(id, documents)) {
        typed.remove_row(field, row.parse().unwrap_or(usize::MAX));
        return Ok(Some(format!("{field}.0.title")));
    }
    Ok(None)
}

/// Where a saved step leads.
fn after(call: &PageCall, form: &RequestForm, place: usize, again: Option<String>, typed: &Typed) -> Page {
    let id = &form.request.id;
    let summary = format!("/access-requests/{id}/summary");
    if let Some(control) = again {
        let field = control.split('.').next().unwrap_or_default();
        let anchor = kit::FieldError { name: control.clone(), message: String::new() }.href();
        let from = call.form.some("from").map(|from| format!("&from={from}")).filter(|from| from == "&from=summary").unwrap_or_default();
        return Page::to(format!("{}?rows={field}.{}{from}{anchor}", path(id, place), typed.rows(field)));
    }
    match call.form.text("then") {
        "back" if place > 0 => Page::to(path(id, place - 1)),
        "later" => Page::to(format!("/access-requests/{id}")).flash("draft-saved", id),
        _ if call.form.text("from") == "summary" || place + 1 >= form.steps.len() => Page::to(summary),
        _ => Page::to(path(id, place + 1)),
    }
}

/// Errors at the control that shows them: a contact as a whole at its first member, one box at its group.
fn at_controls(errors: Vec<kit::FieldError>, fields: &[AskedField]) -> Vec<kit::FieldError> {
    let place = |error: kit::FieldError| {
        let id = error.name.split('.').next().unwrap_or_default();
        let kind = fields.iter().find(|asked| asked.field.id == id).map(|asked| &asked.field.kind);
        let name = match kind {
            Some(FieldKind::Scopes { .. } | FieldKind::Choices { .. }) => id.to_owned(),
            Some(FieldKind::Contact { .. }) if error.name == id => format!("{id}.family_name"),
            Some(FieldKind::Certification) if error.name == id => format!("{id}.authority"),
            Some(FieldKind::Documents) if error.name == id => format!("{id}.0.title"),
            _ => error.name.clone(),
        };
        kit::FieldError { name, ..error }
    };
    errors.into_iter().map(place).collect()
}

/// The errors with the names of what they are about, for the list at the top.
fn named(w: Words, errors: &[kit::FieldError], fields: &[AskedField]) -> Vec<kit::FieldError> {
    let name = |error: &kit::FieldError| {
        let parts: Vec<&str> = error.name.split('.').collect();
        let asked = fields.iter().find(|asked| Some(&asked.field.id.as_str()) == parts.first());
        let label = asked.map_or_else(|| error.name.clone(), |asked| w.text(&asked.field.label));
        let member = match (asked.map(|asked| &asked.field.kind), parts.as_slice()) {
            (Some(FieldKind::Contact { .. }), [_, member]) => Some(w.one_of("contact", member)),
            (Some(FieldKind::Certification), [_, member]) => Some(w.one_of("certification", member)),
            (Some(FieldKind::Documents), [_, _, member]) => Some(w.one_of("document", member)),
            _ => None,
        };
        let about = member.map_or_else(
            || label.clone(),
            |member| w.of("missing-member").with("field", label.clone()).with("member", member.to_string()).into(),
        );
        kit::FieldError {
            name: error.name.clone(),
            message: w.of("missing-line").with("field", about).with("message", error.message.clone()).into(),
        }
    };
    errors.iter().map(name).collect()
}

/// Why the request came back, while it is being completed.
pub(super) fn reviewer_said(w: Words, form: &RequestForm) -> Option<Alert> {
    let message = form.request.message.as_deref().filter(|_| form.request.state == "changes_requested")?;
    Some(Alert::new(Tone::Warning, w.of("request-changes-asked").with("provider", w.text(&form.provider)), message))
}

async fn render(call: &PageCall, form: &RequestForm, place: usize, shown: Shown) -> PageAnswer {
    let w = call.words;
    let step = form.steps.get(place).ok_or(Error::NotFound)?;
    let opens = if step.fields.iter().any(|asked| matches!(asked.field.kind, FieldKind::Scopes { .. })) {
        opened(call, form).await
    } else {
        BTreeMap::new()
    };
    let controls = Controls {
        w,
        definition: &form.definition,
        typed: &shown.typed,
        errors: &shown.errors,
        answers: &form.answers,
        created_at: form.created_at,
        opens: &opens,
    };
    let id = &form.request.id;
    let mut hidden = vec![Hidden { name: "version".into(), value: shown.version.to_string() }];
    if call.query.text("from") == "summary" || call.form.text("from") == "summary" {
        hidden.push(Hidden { name: "from".into(), value: "summary".into() });
    }
    let title = w.of("form-title").with("step", w.text(&step.title)).with("id", id.clone());
    let page = StepPage {
        stepper: stepper(w, form, &Looked::of(call, id), place),
        notice: shown.notice,
        compare: shown.compare,
        summary: errors::summary(call, &named(w, &shown.errors, &step.fields)),
        hint: step.hint.as_ref().map(|hint| w.text(hint)).unwrap_or_default(),
        action: path(id, place),
        hidden,
        parts: controls.parts(&step.fields),
        first: place == 0,
        shell: call.shell(title).under(vec![
            Link::new("/dashboard", w.of("menu-dashboard")),
            Link::new(format!("/access-requests/{id}"), w.of("request-title").with("id", id.clone())),
        ]),
    };
    call.render(&page)
}

/// The fields of answers that each scope opens, over the APIs of the definition that one may see.
async fn opened(call: &PageCall, form: &RequestForm) -> BTreeMap<String, Vec<String>> {
    let mut opens: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for api in &form.definition.apis {
        let Ok(page) = call.app().read_api_page(&call.context(), api).await else { continue };
        let groups =
            page.opened_by.into_iter().filter(|opening| opening.slug == form.definition.slug.as_str()).flat_map(|opening| opening.groups);
        for scope in groups.flat_map(|group| group.scopes) {
            opens.entry(scope.value).or_default().extend(scope.fields);
        }
    }
    opens
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_stands_at_a_control_of_the_page() {
        let asked = |id: &str, kind: serde_json::Value| {
            let mut field = json!({"id": id, "label": {"fr": "x", "en": "x"}});
            field.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
            AskedField { block: "b".into(), field: serde_json::from_value(field).unwrap(), locked: false, hidden: false, prefill: None }
        };
        let fields = [
            asked("scopes", json!({"type": "scopes", "offered": []})),
            asked("contact_dpo", json!({"type": "contact", "contact": "dpo"})),
            asked("documents", json!({"type": "documents"})),
            asked("title", json!({"type": "text"})),
        ];
        for (pointed, shown) in [
            ("scopes.3", "scopes"),
            ("contact_dpo", "contact_dpo.family_name"),
            ("contact_dpo.email", "contact_dpo.email"),
            ("documents", "documents.0.title"),
            ("documents.1.url", "documents.1.url"),
            ("title", "title"),
            ("unknown", "unknown"),
        ] {
            let placed = at_controls(vec![kit::FieldError { name: pointed.into(), message: String::new() }], &fields);
            assert_eq!(placed.first().unwrap().name, shown);
        }
    }
}
