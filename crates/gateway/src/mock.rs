//! Sandbox answers: from case files, and from the examples of the OpenAPI document.
//!
//! A case is chosen by its parameters. Those of a request are what its path, its query and its body (a form, or the
//! members of a JSON object) give, together; `name[]=A&name[]=B` is the list `name: [A, B]`, and one value is the same as
//! a list of one. Scalars are compared as text (`1987` is `"1987"`, `08480` keeps its zero), lists in their order.
//! Parameters that no case of the operation names take no part in the choice, nor do `null`, empty texts and empty lists.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use octroi_domain::api::{ApiDocument, MockCase, OperationName};
use serde_json::{Value, json};

use crate::{
    openapi::{self, OpenApiError, Operation, Segment},
    query,
};

/// Parameter name → values, in their order.
type Parameters = BTreeMap<String, Vec<String>>;

/// JSON objects nested deeper than this are one value, as text.
const DEEPEST: usize = 8;

/// Why the mocks of an API cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    #[error(transparent)]
    OpenApi(#[from] OpenApiError),
    #[error("{case}: the status {status} is not one of 200 to 599")]
    Status { case: String, status: u16 },
    #[error("{case}: the payload is not JSON: {error}")]
    Payload { case: String, error: serde_json::Error },
}

/// The mocked answers of one API.
#[derive(Debug)]
pub struct Mocks {
    operations: HashMap<OperationName, Mocked>,
    /// The closest template first.
    templates: Vec<(OperationName, Vec<Segment>)>,
    shadowed: Vec<Shadowed>,
}

/// A case that is never chosen, because another of the same operation has the same parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadowed {
    pub source: String,
    pub by: String,
}

#[derive(Debug, Default)]
struct Mocked {
    cases: HashMap<Parameters, MockAnswer>,
    /// Every parameter that a case of the operation names.
    names: BTreeSet<String>,
    example: Option<MockAnswer>,
}

/// What chooses an answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct MockRequest<'a> {
    /// Name and value, decoded.
    pub path_params: &'a [(String, String)],
    /// As it was sent, without the `?`.
    pub query: Option<&'a str>,
    pub content_type: Option<&'a str>,
    pub body: &'a [u8],
    /// The header `Octroi-Mock-Params`: a JSON object that stands for all the parameters of the request.
    pub mock_params: Option<&'a str>,
}

/// A mocked answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockAnswer {
    pub status: u16,
    /// Empty when there is no body.
    pub content_type: Arc<str>,
    pub body: Bytes,
    /// The case file, `folder/file.yaml`; none for an example and for a refusal.
    pub source: Option<Arc<str>>,
}

impl Mocks {
    /// Reads the cases and the examples of one API.
    ///
    /// # Errors
    /// When its OpenAPI document cannot be read, or a case has a payload that is not JSON or an impossible status.
    pub fn build(document: &ApiDocument) -> Result<Self, MockError> {
        let mut operations: HashMap<OperationName, Mocked> = HashMap::new();
        let mut templates = Vec::new();
        for Operation { name, segments, example, .. } in openapi::operations(&document.openapi)? {
            let example = example.map(|example| MockAnswer {
                status: example.status,
                content_type: example.content_type.into(),
                body: example.body.into(),
                source: None,
            });
            operations.insert(name.clone(), Mocked { example, ..Mocked::default() });
            templates.push((name, segments));
        }
        templates.sort_by_cached_key(|(_, segments)| {
            segments.iter().map(|segment| matches!(segment, Segment::Parameter { .. })).collect::<Vec<_>>()
        });
        let mut cases: Vec<&MockCase> = document.mocks.iter().collect();
        cases.sort_by(|left, right| left.source.cmp(&right.source));
        let mut shadowed = Vec::new();
        for case in cases {
            let answer = answer_of(case)?;
            let mut parameters = Parameters::new();
            for (name, value) in &case.params {
                put(&mut parameters, name, value, 0);
            }
            let mocked = operations.entry(case.operation.clone()).or_default();
            mocked.names.extend(parameters.keys().cloned());
            if let Some(first) = mocked.cases.get(&parameters) {
                let by = first.source.as_deref().unwrap_or_default().to_owned();
                shadowed.push(Shadowed { source: case.source.clone(), by });
            } else {
                mocked.cases.insert(parameters, answer);
            }
        }
        Ok(Self { operations, templates, shadowed })
    }

    /// Cases that are never chosen: of two with the same parameters, the first by the name of its source answers.
    #[must_use]
    pub fn shadowed(&self) -> &[Shadowed] {
        &self.shadowed
    }

    /// The operation that a method and a path below the mount lead to, with the path's parameters decoded.
    #[must_use]
    pub fn route(&self, method: &str, path: &str) -> Option<(&OperationName, Vec<(String, String)>)> {
        let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        self.templates
            .iter()
            .filter(|(name, _)| name.method == method)
            .find_map(|(name, segments)| Some((name, captured(segments, &parts)?)))
    }

    /// The answer of an operation to a request: the case whose parameters are those of the request, or the example of an
    /// operation without cases, or a 404 that says which parameters were received.
    #[must_use]
    pub fn answer(&self, operation: &OperationName, request: &MockRequest<'_>) -> MockAnswer {
        let Some(mocked) = self.operations.get(operation) else {
            return refusal(501, "mock_not_described", "No mocked answer", "This operation is not in the OpenAPI document.", &json!({}));
        };
        if mocked.cases.is_empty() {
            return mocked.example.clone().unwrap_or_else(|| {
                let detail = "The OpenAPI document describes no successful answer of this operation, and it has no case files.";
                refusal(501, "mock_not_described", "No mocked answer", detail, &json!({}))
            });
        }
        let received = match request.mock_params {
            None => received(request),
            Some(text) => match serde_json::from_str::<Value>(text) {
                Ok(Value::Object(members)) => {
                    let mut parameters = Parameters::new();
                    members.iter().for_each(|(name, value)| put(&mut parameters, name, value, 0));
                    parameters
                }
                _ => {
                    let detail = "The header Octroi-Mock-Params must hold a JSON object: parameter name, value.";
                    return refusal(400, "mock_params_invalid", "Invalid Octroi-Mock-Params", detail, &json!({}));
                }
            },
        };
        let choosing: Parameters =
            received.iter().filter(|(name, _)| mocked.names.contains(*name)).map(|(name, values)| (name.clone(), values.clone())).collect();
        mocked.cases.get(&choosing).cloned().unwrap_or_else(|| case_not_found(operation, mocked, &received))
    }
}

fn answer_of(case: &MockCase) -> Result<MockAnswer, MockError> {
    if !(200..600).contains(&case.status) {
        return Err(MockError::Status { case: case.source.clone(), status: case.status });
    }
    let empty = case.payload.trim().is_empty();
    if !empty {
        serde_json::from_str::<serde::de::IgnoredAny>(&case.payload)
            .map_err(|error| MockError::Payload { case: case.source.clone(), error })?;
    }
    Ok(MockAnswer {
        status: case.status,
        content_type: if empty { "".into() } else { "application/json".into() },
        body: if empty { Bytes::new() } else { Bytes::from(case.payload.clone()) },
        source: Some(case.source.as_str().into()),
    })
}

/// The parameters of a request: of its path, its query and its body, in this order.
fn received(request: &MockRequest<'_>) -> Parameters {
    let mut parameters = Parameters::new();
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            parameters.entry(plain(name).to_owned()).or_default().push(canonical(value));
        }
    };
    for (name, value) in request.path_params {
        add(name, value.clone());
    }
    for (name, value) in query::pairs(request.query.unwrap_or_default()) {
        add(&name, value);
    }
    let media = request.content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media == "application/x-www-form-urlencoded" {
        for (name, value) in query::pairs(&String::from_utf8_lossy(request.body)) {
            add(&name, value);
        }
    } else if (media == "application/json" || media.ends_with("+json"))
        && let Ok(Value::Object(members)) = serde_json::from_slice(request.body)
    {
        members.iter().for_each(|(name, value)| put(&mut parameters, name, value, 0));
    }
    parameters
}

/// Adds a JSON value under a name: lists element by element, objects member by member as `name[member]`.
fn put(parameters: &mut Parameters, name: &str, value: &Value, depth: usize) {
    let name = plain(name);
    match value {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::Object(members) if depth < DEEPEST => {
            members.iter().for_each(|(member, value)| put(parameters, &format!("{name}[{member}]"), value, depth + 1));
        }
        Value::Array(values) => {
            for value in values {
                parameters.entry(name.to_owned()).or_default().push(as_text(value));
            }
        }
        scalar => parameters.entry(name.to_owned()).or_default().push(as_text(scalar)),
    }
}

fn as_text(value: &Value) -> String {
    canonical(match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// `04` in a case file (a day, a month) is the number 4 to one YAML reader and a text to another: both are
/// written 4 here. A longer code keeps its zeros.
fn canonical(text: String) -> String {
    match text.strip_prefix('0') {
        Some(digit) if digit.len() == 1 && digit.bytes().all(|byte| byte.is_ascii_digit()) => digit.to_owned(),
        _ => text,
    }
}

/// `prenoms[]` and `prenoms` are one name.
fn plain(name: &str) -> &str {
    name.strip_suffix("[]").unwrap_or(name)
}

fn captured(segments: &[Segment], parts: &[&str]) -> Option<Vec<(String, String)>> {
    if segments.len() != parts.len() {
        return None;
    }
    let mut parameters = Vec::new();
    for (segment, part) in segments.iter().zip(parts) {
        match segment {
            Segment::Literal(text) if text == part => {}
            Segment::Literal(_) => return None,
            Segment::Parameter { prefix, name, suffix } => {
                let value = part.strip_prefix(prefix.as_str())?.strip_suffix(suffix.as_str())?;
                if value.is_empty() {
                    return None;
                }
                parameters.push((name.clone(), query::decode(value, false)));
            }
        }
    }
    Some(parameters)
}

/// Says which parameters were received, by their names alone: their values may be anybody's.
fn case_not_found(operation: &OperationName, mocked: &Mocked, received: &Parameters) -> MockAnswer {
    const MOST_NAMES: usize = 50;
    let names: Vec<String> = received.keys().take(MOST_NAMES).map(|name| name.chars().take(100).collect()).collect();
    let list = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let detail = format!(
        "No case of the operation {operation} has exactly these parameters and values; received: {list}. \
         A case is chosen by all of its own parameters, and by no other. \
         The cases are listed with their parameters on the page of the API in the portal."
    );
    let known: Vec<&String> = mocked.names.iter().take(MOST_NAMES).collect();
    let meta = json!({ "received": names, "known": known, "cases": mocked.cases.len() });
    refusal(404, "mock_case_not_found", "No such test case", &detail, &meta)
}

/// The shape is that of the errors of the APIs that are mocked: a list `errors`, which a mask of errors lets through.
fn refusal(status: u16, code: &str, title: &str, detail: &str, meta: &Value) -> MockAnswer {
    let body = json!({ "errors": [{ "code": code, "title": title, "detail": detail, "source": null, "meta": meta }] });
    MockAnswer { status, content_type: "application/json".into(), body: body.to_string().into(), source: None }
}

#[cfg(test)]
mod tests;
