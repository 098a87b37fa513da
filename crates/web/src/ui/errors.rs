//! Refusals as pages: what happened, what to do, and a way on.

use askama::Template;
use axum::{
    http::{HeaderMap, header},
    response::Response,
};
use octroi_domain::definition::FieldError;

use super::{
    kit::{self, Link},
    page::{PageCall, Shell, local},
    words::Words,
};
use crate::problem::{Failure, Problem};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    status: u16,
    detail: String,
    what_to_do: String,
    errors: Vec<String>,
    ways: Vec<Link>,
}

/// Writes a refusal as a page.
pub fn show(call: &PageCall, failure: Failure, headers: &HeaderMap) -> Response {
    let w = call.words;
    let problem = failure.into_problem(&call.facts, false);
    let status = problem.status.as_u16();
    let family = match status {
        400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 422 | 429 | 503 => status.to_string(),
        408 | 415 => "400".to_owned(),
        _ => "500".to_owned(),
    };
    let (detail, next) = match problem.code {
        // Said to programs in their words.
        "csrf" => (w.of("error-csrf").to_string(), w.of("error-next-csrf")),
        "unknown_route" => (w.of("error-nowhere").to_string(), w.one_of("error-next", &family)),
        "ambiguous_path" => (w.of("error-nowhere").to_string(), w.of("error-next-address")),
        "too_large" | "too_many_fields" => (w.of("error-too-large").to_string(), w.one_of("error-next", &family)),
        // What to do says it all.
        "invalid" | "sign_in_required" | "invalid_credential" | "stale_version" | "method_not_allowed" => {
            (String::new(), w.one_of("error-next", &family))
        }
        _ => (problem.detail.as_ref().map(|text| w.text(text)).unwrap_or_default(), w.one_of("error-next", &family)),
    };
    let back = headers
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix(call.shared.origin.as_str()))
        .and_then(local)
        .filter(|path| *path != call.facts.path);
    let mut ways: Vec<Link> = back.map(|path| Link::new(path, w.of("error-way-back"))).into_iter().collect();
    if call.me.is_some() {
        ways.push(Link::new("/dashboard", w.of("menu-dashboard")));
    }
    ways.push(Link::new("/apis", w.of("menu-catalogue")));
    ways.push(Link::new("/", w.of("menu-home")));
    let page = ErrorPage {
        shell: call.shell(w.one_of("error-title", &family)),
        status,
        detail,
        what_to_do: next.to_string(),
        errors: problem.errors.iter().map(|error| told(w, error)).collect(),
        ways,
    };
    let status = problem.status;
    match call.render(&page) {
        Ok(page) => problem.headers.into_iter().fold(page.status(status), |page, (name, value)| page.with(name, value)).respond(),
        Err(_) => Problem::internal().respond(&call.facts),
    }
}

/// An error that has no field beside it: what it is about goes before it.
fn told(w: Words, error: &FieldError) -> String {
    let name = error.pointer.rsplit('/').next().unwrap_or_default().to_owned();
    let message = if error.code == "unknown_field" { w.of("error-unknown").into() } else { w.text(&error.message) };
    w.of("missing-line").with("field", name).with("message", message).into()
}

/// The errors of an operation's members as those of a form's fields: the pointer's last part (or the
/// whole pointer without its first slash) is the field.
pub fn fields(call: &PageCall, errors: &[FieldError]) -> Vec<kit::FieldError> {
    let name = |pointer: &str| pointer.trim_start_matches('/').replace('/', ".");
    errors.iter().map(|error| kit::FieldError { name: name(&error.pointer), message: call.words.text(&error.message) }).collect()
}

/// The box at the top of a form that has errors.
pub fn summary(call: &PageCall, errors: &[kit::FieldError]) -> Option<kit::ErrorSummary> {
    let title = call.words.of("form-errors").with("count", errors.len());
    let link = |error: &kit::FieldError| Link::new(error.href(), &error.message);
    (!errors.is_empty()).then(|| kit::ErrorSummary { title: title.into(), errors: errors.iter().map(link).collect() })
}
