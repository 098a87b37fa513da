//! `/apis/{provider}/{api}/try`: a call to the sandbox from a form.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::StatusCode;
use octroi_app::{
    Error,
    reference::{OperationLine, ParameterView},
    try_it::{BODY_FIELD, SandboxFault, Tried, TriedAnswer, TryField, TryForm, TryState},
};
use octroi_domain::{api::ApiName, definition::FieldError};

use super::{
    api_page::{kind_words, named, tabs, way},
    errors,
    kit::{Alert, Cell, Code, Column, Control, ErrorSummary, Facts, Field, Filters, Hidden, Link, Prose, Table, Tabs, Tone},
    page::{PageAnswer, PageCall, Shell},
    words::Words,
};

#[derive(Template)]
#[template(path = "api_try.html")]
struct TryPage {
    shell: Shell,
    tabs: Tabs,
    choose: Filters,
    notice: Option<Alert>,
    summary: Option<ErrorSummary>,
    result: Option<TriedView>,
    samples: Vec<Link>,
    action: String,
    operation: Hidden,
    fields: Vec<Field>,
    submit: String,
    /// The page of the operation.
    reference: Link,
}

/// What came of the call.
struct TriedView {
    title: Alert,
    facts: Option<Facts>,
    body: Option<Code>,
    cut: bool,
    headers: Option<Table>,
    curl: Code,
}

/// `GET /apis/{provider}/{api}/try?operation=&sample=`
pub async fn show(call: PageCall) -> PageAnswer {
    let sample = call.query.text("sample").parse().ok();
    page(&call, call.query.text("operation"), sample, None, Vec::new()).await
}

/// `POST /apis/{provider}/{api}/try`
pub async fn send(call: PageCall) -> PageAnswer {
    let name = named(&call)?;
    let key = call.form.text("operation");
    let values: BTreeMap<String, String> = call.form.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    match call.app().try_call(&call.context(), &name, key, &values, &call.address).await {
        Ok(tried) => page(&call, key, None, Some(tried), Vec::new()).await,
        Err(Error::Invalid(faults)) => Ok(page(&call, key, None, None, faults).await?.status(StatusCode::UNPROCESSABLE_ENTITY)),
        Err(error) => Err(error.into()),
    }
}

async fn page(call: &PageCall, key: &str, sample: Option<usize>, tried: Option<Tried>, faults: Vec<FieldError>) -> PageAnswer {
    let name = named(call)?;
    let context = call.context();
    let reference = call.app().read_reference(&context, &name).await?;
    let key = if key.is_empty() { reference.operations.first().map_or("", |line| line.key.as_str()) } else { key };
    let form = call.app().read_try_form(&context, &name, key, sample).await?;
    let w = call.words;
    let title = w.text(&reference.title);
    let wrong = errors::fields(call, &faults);
    let typed = |name: &str| call.form.get(name).map(str::to_owned);
    let error = |name: &str| wrong.iter().find(|error| error.name == name).map(|error| error.message.clone()).unwrap_or_default();
    let mut fields: Vec<Field> = form.fields.iter().map(|field| shown(w, field, typed(&field.name), error(&field.name))).collect();
    if let Some(kind) = &form.body_type {
        let body = typed(BODY_FIELD).unwrap_or_else(|| form.body.clone());
        fields.push(Field::area(BODY_FIELD, w.of("try-body").and("type", kind), body).error(error(BODY_FIELD)));
    }
    let page = TryPage {
        tabs: tabs(w, &name, true, 2),
        choose: choose(w, &name, &reference.operations, key),
        notice: notice(w, form.state),
        summary: errors::summary(call, &wrong),
        result: tried.map(|tried| result(w, tried)),
        samples: samples(w, &name, &form),
        action: format!("/apis/{name}/try"),
        operation: Hidden { name: "operation".to_owned(), value: key.to_owned() },
        fields,
        submit: if form.state == TryState::Ready { w.of("try-send") } else { w.of("try-write") }.into(),
        reference: Link::new(format!("/apis/{name}/reference?operation={key}"), w.of("try-reference")),
        shell: call.shell(w.of("try-title").and("api", &title)).under(way(w, &name, &title)),
    };
    call.render(&page)
}

/// Which operation: a form by itself, so that it works without a script.
fn choose(w: Words, name: &ApiName, operations: &[OperationLine], key: &str) -> Filters {
    let option = |line: &OperationLine| {
        let called = format!("{} {}", line.method, line.path);
        let words = if line.summary.is_empty() { called } else { format!("{} · {called}", line.summary) };
        (line.key.clone(), words)
    };
    Filters {
        label: w.of("try-choose").into(),
        action: format!("/apis/{name}/try"),
        fields: vec![Field::select("operation", w.of("try-operation"), operations.iter().map(option).collect(), key)],
        submit: w.of("try-choose").into(),
        reset: None,
        found: String::new(),
    }
}

fn notice(w: Words, state: TryState) -> Option<Alert> {
    match state {
        TryState::Ready => None,
        TryState::NoKey => Some(Alert::new(Tone::Info, w.of("try-no-key"), w.of("try-no-key-text"))),
        TryState::NotInSandbox => Some(Alert::new(Tone::Warning, w.of("try-not-in-sandbox"), w.of("try-not-in-sandbox-text"))),
        TryState::TokensOnly => Some(Alert::new(Tone::Info, w.of("try-tokens-only"), w.of("try-no-key-text"))),
    }
}

fn samples(w: Words, name: &ApiName, form: &TryForm) -> Vec<Link> {
    let link = |sample: &octroi_app::try_it::Sample| {
        let words = w.of("try-sample").and("name", &sample.name).with("status", sample.status.to_string());
        let chosen = form.sample == Some(sample.place);
        let words = if chosen { w.of("try-sample-chosen").with("sample", words.to_string()) } else { words };
        Link::new(format!("/apis/{name}/try?operation={}&sample={}", form.operation.line.key, sample.place), words)
    };
    form.samples.iter().map(link).collect()
}

fn shown(w: Words, field: &TryField, typed: Option<String>, error: String) -> Field {
    let parameter: &ParameterView = &field.parameter;
    let value = typed.unwrap_or_else(|| field.value.clone());
    let place = w.one_of("parameter-in", &parameter.location);
    let mut hint = format!("{place}, {}. {}", kind_words(w, &parameter.kind), Prose::new(&parameter.description).plain());
    if parameter.kind.list {
        hint = format!("{hint} {}", w.of("try-one-per-line"));
    }
    if parameter.name == "Octroi-Mock-Params" {
        hint = w.of("try-mock-params").into();
    }
    let question = if parameter.kind.list || parameter.name == "Octroi-Mock-Params" {
        Field::new(&field.name, &parameter.name, Control::Area { value, rows: 3 })
    } else if parameter.values.is_empty() {
        Field::line(&field.name, &parameter.name, value)
    } else {
        let none = (String::new(), w.of("try-none").to_string());
        let values = parameter.values.iter().map(|value| (value.clone(), value.clone()));
        Field::select(&field.name, &parameter.name, std::iter::once(none).chain(values).collect(), value)
    };
    let question = question.hint(hint.trim()).error(error);
    if parameter.required { question.required() } else { question.optional(w.of("optional")) }
}

fn result(w: Words, tried: Tried) -> TriedView {
    let code = |label: String, code: String| Code { label, code, copy: w.of("copy").into(), copied: w.of("copied").into() };
    let curl = code(w.of("try-curl").into(), tried.curl);
    let alone = |title: Alert, curl: Code| TriedView { title, facts: None, body: None, cut: false, headers: None, curl };
    match tried.answer {
        None => alone(Alert::new(Tone::Info, w.of("try-written"), w.of("try-written-text")), curl),
        Some(Err(fault)) => {
            let why = match fault {
                SandboxFault::Unreachable => w.of("try-unreachable"),
                SandboxFault::TooSlow => w.of("try-too-slow"),
                SandboxFault::TooLarge => w.of("try-too-large"),
            };
            alone(Alert::new(Tone::Warning, w.of("try-no-answer"), why), curl)
        }
        Some(Ok(answer)) => TriedView {
            title: outcome(w, &answer),
            facts: Some(
                Facts::default()
                    .with(w.of("try-request"), Cell::Code(tried.request))
                    .with(w.of("reference-status"), Cell::Code(answer.status.to_string()))
                    .text(w.of("try-took"), w.of("try-milliseconds").with("count", answer.took_ms)),
            ),
            body: (!answer.body.is_empty()).then(|| code(w.of("try-answer").into(), answer.body.clone())),
            cut: answer.cut,
            headers: Some(headers(w, &answer)),
            curl,
        },
    }
}

fn outcome(w: Words, answer: &TriedAnswer) -> Alert {
    let status = answer.status.to_string();
    match (&answer.refusal, answer.status) {
        (Some(code), _) => Alert::new(Tone::Warning, w.of("try-refused").and("code", code), w.of("try-refused-text")),
        (None, 200..=299) => Alert::new(Tone::Good, w.of("try-found").and("status", &status), w.of("try-found-text")),
        (None, _) => Alert::new(Tone::Info, w.of("try-other").and("status", &status), w.of("try-other-text")),
    }
}

fn headers(w: Words, answer: &TriedAnswer) -> Table {
    let row = |(name, value): &(String, String)| vec![Cell::Code(name.clone()), Cell::Code(value.chars().take(300).collect())];
    Table {
        caption: w.of("try-headers").into(),
        columns: vec![Column::text(w.of("reference-name")), Column::text(w.of("try-value"))],
        rows: answer.headers.iter().take(40).map(row).collect(),
        empty: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use octroi_app::reference::Kind;
    use octroi_domain::text::Language;

    use super::*;

    #[test]
    fn what_was_typed_stays_and_a_refusal_is_told_from_an_answer() {
        let w = Words::new(Language::Fr);
        let parameter = ParameterView {
            name: "sexe".into(),
            location: "query".into(),
            required: true,
            kind: Kind { kind: "string".into(), ..Kind::default() },
            description: String::new(),
            values: vec!["F".into(), "M".into()],
            example: None,
        };
        let field = TryField { name: "query.sexe".into(), parameter, value: "F".into() };
        let question = shown(w, &field, Some("M".into()), "faux".into());
        let Control::Select { options, value } = &question.control else { panic!("{question:?}") };
        assert_eq!((value.as_str(), options.len(), question.error.as_str()), ("M", 3, "faux"));
        let answer = |status, refusal: Option<&str>| TriedAnswer {
            status,
            headers: Vec::new(),
            refusal: refusal.map(str::to_owned),
            body: String::new(),
            cut: false,
            took_ms: 1,
        };
        assert_eq!(outcome(w, &answer(200, None)).tone, Tone::Good);
        assert_eq!(outcome(w, &answer(404, None)).tone, Tone::Info);
        assert_eq!(outcome(w, &answer(404, Some("unknown_route"))).tone, Tone::Warning);
    }
}
