//! Reading an OpenAPI document (3.0 and 3.1): its operations, what each takes, and one example of what it answers.
//!
//! The document is a provider's: it is read within bounds, references lead nowhere but into itself, and whatever
//! cannot be read is refused with the place where it stands.

use std::fmt;

use octroi_domain::api::OperationName;
use serde::Serialize;
use serde_json::{Map, Value};

mod example;
mod schema;
mod strict;
mod validate;

pub use example::Example;
pub use validate::{Validator, Violation};

/// More operations than this in one document are refused.
const MOST_OPERATIONS: usize = 5_000;
/// More parameters than this on one operation are refused.
const MOST_PARAMETERS: usize = 500;
/// References that lead to references are followed this far.
const LONGEST_CHAIN: usize = 16;

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenApiError {
    #[error("this is not an OpenAPI 3.0 or 3.1 document: its member `openapi` must say so")]
    Version,
    #[error("{place}: expected {expected}")]
    Shape { place: String, expected: &'static str },
    #[error("the reference `{0}` leads out of the document: only `#/…` is followed")]
    ForeignReference(String),
    #[error("the reference `{0}` leads nowhere")]
    MissingReference(String),
    #[error("the reference `{0}` leads to itself")]
    ReferenceLoop(String),
    #[error("more than {limit} {what}")]
    TooMany { what: &'static str, limit: usize },
    #[error("{place}: {what} is not supported")]
    Unsupported { place: String, what: &'static str },
    #[error("{operation}: the schema of its request cannot be used: {why}")]
    Schema { operation: String, why: String },
}
fn misshapen(place: impl Into<String>, expected: &'static str) -> OpenApiError {
    OpenApiError::Shape { place: place.into(), expected }
}

/// One operation of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub name: OperationName,
    /// The path template, segment by segment.
    pub segments: Vec<Segment>,
    /// Of its path and its own; those in cookies and the headers that OpenAPI describes elsewhere
    /// (`Accept`, `Content-Type`, `Authorization`) are left aside.
    pub parameters: Vec<Parameter>,
    pub body: Option<RequestBody>,
    /// What it answers when all goes well, from the examples of the document.
    pub example: Option<Example>,
}

/// One segment of a path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    Literal(String),
    /// `prefix{name}suffix`.
    Parameter {
        prefix: String,
        name: String,
        suffix: String,
    },
}

/// Where a parameter stands; also where a [`Violation`] was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Path,
    Query,
    Header,
    Body,
}
impl Place {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Body => "body",
        }
    }
}
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A parameter in the path, the query or a header.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub place: Place,
    pub required: bool,
    pub form: Form,
    /// As the document writes it: references are not followed.
    pub schema: Value,
}

/// How a parameter that is more than a scalar is written (OpenAPI 3.1, section 4.8.12.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Each element or member is a parameter of its own.
    Exploded,
    /// Elements are parted by this character.
    Delimited(char),
    /// `name[member]=value`.
    Deep,
    /// One JSON text.
    Json,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestBody {
    pub required: bool,
    /// Media range, lower case → schema.
    pub content: Vec<(String, Value)>,
}

/// Every operation of a document, in its order.
///
/// # Errors
/// When the document is not OpenAPI 3.0 or 3.1, is misshapen, refers to what is not in it, or is too large.
pub fn operations(document: &Value) -> Result<Vec<Operation>, OpenApiError> {
    const METHODS: [(&str, &str); 7] = [
        ("get", "GET"),
        ("head", "HEAD"),
        ("post", "POST"),
        ("put", "PUT"),
        ("patch", "PATCH"),
        ("delete", "DELETE"),
        ("options", "OPTIONS"),
    ];
    version(document)?;
    let empty = Map::new();
    let paths = match document.get("paths") {
        None => &empty,
        Some(paths) => paths.as_object().ok_or_else(|| misshapen("/paths", "an object"))?,
    };
    let mut found = Vec::new();
    for (template, item) in paths.iter().filter(|(template, _)| !template.starts_with("x-")) {
        let item = object(document, item, template)?;
        for (member, method) in METHODS {
            let Some(written) = item.get(member) else { continue };
            let name = OperationName { method: method.to_owned(), template: template.clone() };
            let written = written.as_object().ok_or_else(|| misshapen(name.to_string(), "an object"))?;
            found.push(operation(document, name, item, written)?);
            if found.len() > MOST_OPERATIONS {
                return Err(OpenApiError::TooMany { what: "operations", limit: MOST_OPERATIONS });
            }
        }
    }
    Ok(found)
}

/// Which of the two dialects of schemas a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// Schemas of its own kind: `nullable`, `exclusiveMinimum: true`.
    V3_0,
    /// JSON Schema 2020-12.
    V3_1,
}
fn version(document: &Value) -> Result<Version, OpenApiError> {
    match document.get("openapi").and_then(Value::as_str) {
        Some(text) if text.starts_with("3.0.") => Ok(Version::V3_0),
        Some(text) if text.starts_with("3.1.") => Ok(Version::V3_1),
        _ => Err(OpenApiError::Version),
    }
}

fn operation(
    document: &Value,
    name: OperationName,
    item: &Map<String, Value>,
    written: &Map<String, Value>,
) -> Result<Operation, OpenApiError> {
    let segments = segments(&name)?;
    let mut parameters: Vec<Parameter> = Vec::new();
    for list in [item.get("parameters"), written.get("parameters")].into_iter().flatten() {
        let list = list.as_array().ok_or_else(|| misshapen(format!("{name}: parameters"), "a list"))?;
        if list.len() > MOST_PARAMETERS {
            return Err(OpenApiError::TooMany { what: "parameters on one operation", limit: MOST_PARAMETERS });
        }
        for entry in list {
            if let Some(parameter) = parameter(document, &name, entry)? {
                // A parameter of the operation stands for the one of its path with the same name and place.
                parameters.retain(|known| (known.place, &known.name) != (parameter.place, &parameter.name));
                parameters.push(parameter);
            }
        }
    }
    let body = written.get("requestBody").map(|body| request_body(document, &name, body)).transpose()?;
    let example = example::of_operation(document, &name, written)?;
    Ok(Operation { name, segments, parameters, body, example })
}

fn segments(name: &OperationName) -> Result<Vec<Segment>, OpenApiError> {
    let wrong = || misshapen(name.to_string(), "a path that begins with `/` and has at most one `{name}` in each segment");
    let path = name.template.strip_prefix('/').ok_or_else(wrong)?;
    path.split('/')
        .map(|segment| match segment.split_once('{') {
            None if !segment.contains('}') => Ok(Segment::Literal(segment.to_owned())),
            None => Err(wrong()),
            Some((prefix, rest)) => match rest.split_once('}') {
                Some((name, suffix)) if !name.is_empty() && ![prefix, name, suffix].concat().contains(['{', '}']) => {
                    Ok(Segment::Parameter { prefix: prefix.to_owned(), name: name.to_owned(), suffix: suffix.to_owned() })
                }
                _ => Err(wrong()),
            },
        })
        .collect()
}

fn parameter(document: &Value, operation: &OperationName, written: &Value) -> Result<Option<Parameter>, OpenApiError> {
    let written = object(document, written, &operation.to_string())?;
    let text = |member: &'static str| written.get(member).and_then(Value::as_str);
    let name = text("name").ok_or_else(|| misshapen(format!("{operation}: parameters"), "a `name`"))?.to_owned();
    let place_text = format!("{operation}: parameter `{name}`");
    let place = match text("in") {
        Some("path") => Place::Path,
        Some("query") => Place::Query,
        Some("header") if ["accept", "content-type", "authorization"].contains(&name.to_ascii_lowercase().as_str()) => return Ok(None),
        Some("header") => Place::Header,
        Some("cookie") => return Ok(None),
        _ => return Err(misshapen(place_text, "`in`: path, query, header or cookie")),
    };
    let content = written.get("content").and_then(Value::as_object).and_then(|content| content.iter().next());
    let (form, schema) = match content {
        Some((media, described)) if is_json(media) => (Form::Json, described.get("schema")),
        Some(_) => return Err(OpenApiError::Unsupported { place: place_text, what: "a media type that is not JSON" }),
        None => (form(place, text("style"), written.get("explode").and_then(Value::as_bool), &place_text)?, written.get("schema")),
    };
    let required = place == Place::Path || written.get("required").and_then(Value::as_bool).unwrap_or(false);
    Ok(Some(Parameter { name, place, required, form, schema: schema.cloned().unwrap_or(Value::Bool(true)) }))
}

fn form(place: Place, style: Option<&str>, explode: Option<bool>, text: &str) -> Result<Form, OpenApiError> {
    let unsupported = Err(OpenApiError::Unsupported { place: text.to_owned(), what: "its `style`" });
    match (place, style) {
        (Place::Query, None | Some("form")) if explode.unwrap_or(true) => Ok(Form::Exploded),
        (Place::Query, Some("spaceDelimited" | "pipeDelimited")) if explode == Some(true) => Ok(Form::Exploded),
        (Place::Query, Some("spaceDelimited")) => Ok(Form::Delimited(' ')),
        (Place::Query, Some("pipeDelimited")) => Ok(Form::Delimited('|')),
        (Place::Query, Some("deepObject")) => Ok(Form::Deep),
        (Place::Query, None | Some("form")) | (_, None | Some("simple")) => Ok(Form::Delimited(',')),
        _ => unsupported,
    }
}

fn request_body(document: &Value, operation: &OperationName, written: &Value) -> Result<RequestBody, OpenApiError> {
    let place = format!("{operation}: requestBody");
    let written = object(document, written, &place)?;
    let content = written.get("content").and_then(Value::as_object).ok_or_else(|| misshapen(place, "`content`"))?;
    Ok(RequestBody {
        required: written.get("required").and_then(Value::as_bool).unwrap_or(false),
        content: content
            .iter()
            .map(|(media, described)| (essence(media), described.get("schema").cloned().unwrap_or(Value::Bool(true))))
            .collect(),
    })
}

/// `type/subtype` of a media type, lower case, without its parameters.
fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// `application/json`, and what RFC 6839 names with the suffix `+json`.
fn is_json(media: &str) -> bool {
    let essence = essence(media);
    essence == "application/json" || essence.ends_with("+json")
}

/// The object that `value` is, or refers to.
fn object<'d>(document: &'d Value, value: &'d Value, place: &str) -> Result<&'d Map<String, Value>, OpenApiError> {
    follow(document, value)?.as_object().ok_or_else(|| misshapen(place, "an object"))
}

/// Follows `$ref` until something else stands there.
fn follow<'d>(document: &'d Value, mut value: &'d Value) -> Result<&'d Value, OpenApiError> {
    for _ in 0..LONGEST_CHAIN {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return Ok(value) };
        value = target(document, reference)?;
    }
    Err(OpenApiError::ReferenceLoop(value.get("$ref").and_then(Value::as_str).unwrap_or_default().to_owned()))
}

/// What `#/a/b` points at (RFC 6901, section 6: the fragment is percent-encoded).
fn target<'d>(document: &'d Value, reference: &str) -> Result<&'d Value, OpenApiError> {
    let pointer = reference.strip_prefix('#').ok_or_else(|| OpenApiError::ForeignReference(shortened(reference)))?;
    document.pointer(&crate::query::decode(pointer, false)).ok_or_else(|| OpenApiError::MissingReference(shortened(reference)))
}
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests;
