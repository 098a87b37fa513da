//! Judging a request against its operation before it is forwarded.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Form, OpenApiError, Operation, Parameter, Place, essence, is_json,
    schema::{Bringer, Kind, said},
    strict,
};
use crate::query;

/// No more violations than this are told of one request.
const MOST_VIOLATIONS: usize = 20;
/// A pattern that needs more steps than this on one text does not match it.
const MOST_STEPS: usize = 20_000;

/// One way in which a request breaks its contract. What the caller sent is never quoted, but for the names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    pub place: Place,
    /// The name of a parameter, or a JSON Pointer (RFC 6901) into the body; for a parameter that is a list, both.
    pub name_or_pointer: String,
    /// English, without a full stop.
    pub message: String,
}
impl Violation {
    fn new(place: Place, name: &str, message: impl Into<String>) -> Self {
        Self { place, name_or_pointer: said(name), message: message.into() }
    }
}

/// What one operation takes, compiled.
#[derive(Debug)]
pub struct Validator {
    parameters: Vec<(Parameter, Kind)>,
    body: Option<Body>,
    /// Judges `{"path": {…}, "query": {…}, "header": {…}, "body": {"<number of the media range>": …}}`.
    schema: jsonschema::Validator,
}

#[derive(Debug)]
struct Body {
    required: bool,
    content: Vec<(String, Kind)>,
}

impl Validator {
    /// Compiles what `operation` takes; `document` is the one that it was read from.
    ///
    /// # Errors
    /// When a schema cannot be used: a reference that leads nowhere or out of the document, a bad pattern, too many schemas.
    pub fn build(document: &Value, operation: &Operation) -> Result<Self, OpenApiError> {
        let mut bringer = Bringer::new(document)?;
        let mut places: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        let mut parameters = Vec::new();
        for parameter in &operation.parameters {
            let schema = bringer.bring(&parameter.schema)?;
            places.entry(parameter.place.as_str()).or_default().insert(parameter.name.clone(), schema);
            parameters.push((parameter.clone(), Kind::of(document, &parameter.schema)?));
        }
        let mut body = None;
        if let Some(written) = &operation.body {
            let mut content = Vec::new();
            for (number, (media, schema)) in written.content.iter().enumerate() {
                places.entry(Place::Body.as_str()).or_default().insert(number.to_string(), bringer.bring(schema)?);
                content.push((media.clone(), Kind::of(document, schema)?));
            }
            body = Some(Body { required: written.required, content });
        }
        let definitions = bringer.definitions()?;
        let places: Map<String, Value> =
            places.into_iter().map(|(place, properties)| (place.to_owned(), json!({ "properties": properties }))).collect();
        let schema = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .with_pattern_options(jsonschema::PatternOptions::fancy_regex().backtrack_limit(MOST_STEPS))
            .build(&json!({ "properties": places, "$defs": definitions }))
            .map_err(|error| OpenApiError::Schema { operation: operation.name.to_string(), why: said(&error.to_string()) })?;
        Ok(Self { parameters, body, schema })
    }

    /// Judges one request: its path parameters and query (`name=value&…`, not decoded), its headers, and its body with
    /// its content type when it has one.
    ///
    /// # Errors
    /// The violations, at least one and at most twenty.
    pub fn validate(
        &self,
        path_params: &[(String, String)],
        query: Option<&str>,
        headers: &HeaderMap,
        body: Option<(&str, &[u8])>,
    ) -> Result<(), Vec<Violation>> {
        let mut request = Request::default();
        for (parameter, kind) in self.parameters.iter().filter(|(parameter, _)| parameter.place == Place::Path) {
            let texts = path_params.iter().filter(|(name, _)| *name == parameter.name).map(|(_, value)| value.clone()).collect();
            request.parameter(parameter, kind, texts);
        }
        for (parameter, kind) in self.parameters.iter().filter(|(parameter, _)| parameter.place == Place::Header) {
            request.header(parameter, kind, headers);
        }
        self.query(query.unwrap_or_default(), &mut request);
        self.body(body, &mut request);
        let Request { values, mut violations } = request;
        let values = Value::Object(values.into_iter().map(|(place, values)| (place.as_str().to_owned(), Value::Object(values))).collect());
        let judged = self.schema.iter_errors(&values).take(MOST_VIOLATIONS).map(|error| violation(&error));
        violations.extend(judged);
        violations.truncate(MOST_VIOLATIONS);
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    fn query(&self, text: &str, request: &mut Request) {
        let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in query::pairs(text) {
            given.entry(name).or_default().push(value);
        }
        for (parameter, kind) in self.parameters.iter().filter(|(parameter, _)| parameter.place == Place::Query) {
            match (kind, parameter.form) {
                (Kind::Record(members), Form::Exploded) => {
                    let found = members.iter().filter_map(|(name, kind)| Some((name.clone(), kind, given.remove(name)?)));
                    request.record(parameter, found.collect());
                }
                (Kind::Record(members), Form::Deep) => {
                    let prefix = format!("{}[", parameter.name);
                    let names: Vec<String> = given.keys().filter(|name| name.starts_with(&prefix)).cloned().collect();
                    let found = names.into_iter().filter_map(|name| {
                        let member = name.strip_prefix(&prefix)?.strip_suffix(']')?;
                        Some((member.to_owned(), members.get(member).unwrap_or(&Kind::Text), given.remove(&name)?))
                    });
                    request.record(parameter, found.collect());
                }
                (Kind::List(_), _) => {
                    let plain = parameter.name.strip_suffix("[]").unwrap_or(&parameter.name);
                    let mut texts = given.remove(&format!("{plain}[]")).unwrap_or_default();
                    texts.extend(given.remove(plain).unwrap_or_default());
                    request.parameter(parameter, kind, texts);
                }
                _ => {
                    let texts = given.remove(&parameter.name).unwrap_or_default();
                    request.parameter(parameter, kind, texts);
                }
            }
        }
        for name in given.keys().take(MOST_VIOLATIONS) {
            request.violations.push(Violation::new(Place::Query, name, "this parameter is not known"));
        }
    }

    fn body(&self, body: Option<(&str, &[u8])>, request: &mut Request) {
        let mut refuse = |message: String| request.violations.push(Violation::new(Place::Body, "", message));
        let (media, bytes) = match (body.filter(|(_, bytes)| !bytes.is_empty()), &self.body) {
            (None, Some(body)) if body.required => return refuse("a body is required".to_owned()),
            (None, _) => return,
            (Some(_), None) => return refuse("this operation takes no body".to_owned()),
            (Some(body), Some(_)) => body,
        };
        let Some(taken) = &self.body else { return };
        let media = essence(media);
        let Some((number, (_, kind))) = taken
            .content
            .iter()
            .enumerate()
            .filter(|(_, (range, _))| fits(range, &media))
            .max_by_key(|(_, (range, _))| range_weight(range))
        else {
            let ranges: Vec<&str> = taken.content.iter().map(|(range, _)| range.as_str()).collect();
            return refuse(format!("the content type must be one of: {}", ranges.join(", ")));
        };
        let value = if is_json(&media) {
            match strict::read(bytes) {
                Ok(value) => value,
                Err(error) => {
                    return refuse(format!(
                        "this is not JSON, or a name is written twice in it (line {}, column {})",
                        error.line(),
                        error.column()
                    ));
                }
            }
        } else if media == "application/x-www-form-urlencoded" {
            match std::str::from_utf8(bytes) {
                Ok(text) => form_body(text, kind),
                Err(_) => return refuse("a form is written in UTF-8".to_owned()),
            }
        } else {
            return;
        };
        request.values.entry(Place::Body).or_default().insert(number.to_string(), value);
    }
}

/// What was found of one request.
#[derive(Default)]
struct Request {
    values: BTreeMap<Place, Map<String, Value>>,
    violations: Vec<Violation>,
}

impl Request {
    fn header(&mut self, parameter: &Parameter, kind: &Kind, headers: &HeaderMap) {
        let mut texts = Vec::new();
        for value in headers.get_all(parameter.name.as_str()) {
            match value.to_str() {
                Ok(text) => texts.push(text.trim().to_owned()),
                Err(_) => {
                    return self.violations.push(Violation::new(
                        Place::Header,
                        &parameter.name,
                        "visible ASCII characters alone are allowed",
                    ));
                }
            }
        }
        self.parameter(parameter, kind, texts);
    }

    /// Takes a parameter given as these texts.
    fn parameter(&mut self, parameter: &Parameter, kind: &Kind, texts: Vec<String>) {
        let (Some(first), more) = (texts.first(), texts.len() > 1) else {
            return self.missing(parameter);
        };
        let value = match (kind, parameter.form) {
            (_, Form::Json) => match strict::read(first.as_bytes()) {
                Ok(value) => value,
                Err(_) => return self.violations.push(Violation::new(parameter.place, &parameter.name, "this is not JSON")),
            },
            (Kind::List(element), Form::Delimited(mark)) => {
                Value::Array(texts.iter().flat_map(|text| text.split(mark)).map(|text| element.read(text.trim())).collect())
            }
            (Kind::List(element), _) => Value::Array(texts.iter().map(|text| element.read(text)).collect()),
            (Kind::Record(members), Form::Delimited(mark)) => delimited_record(members, first, mark),
            _ => kind.read(first),
        };
        if more && !matches!(kind, Kind::List(_)) {
            return self.violations.push(Violation::new(parameter.place, &parameter.name, "this parameter is given more than once"));
        }
        self.values.entry(parameter.place).or_default().insert(parameter.name.clone(), value);
    }

    /// Takes a parameter whose members were found one by one.
    fn record(&mut self, parameter: &Parameter, found: Vec<(String, &Kind, Vec<String>)>) {
        if found.is_empty() {
            return self.missing(parameter);
        }
        let record = found.into_iter().map(|(name, kind, texts)| (name, several(kind, &texts))).collect();
        self.values.entry(parameter.place).or_default().insert(parameter.name.clone(), Value::Object(record));
    }

    fn missing(&mut self, parameter: &Parameter) {
        if parameter.required {
            self.violations.push(Violation::new(parameter.place, &parameter.name, "this parameter is required"));
        }
    }
}

/// Texts of one name: a list where one is wanted, or where there are several.
fn several(kind: &Kind, texts: &[String]) -> Value {
    match (kind, texts) {
        (Kind::List(element), _) => Value::Array(texts.iter().map(|text| element.read(text)).collect()),
        (_, [one]) => kind.read(one),
        _ => Value::Array(texts.iter().map(|text| kind.read(text)).collect()),
    }
}

/// `name,value,name,value` (RFC 6570 section 3.2.2, as OpenAPI's `explode: false` has it).
fn delimited_record(members: &BTreeMap<String, Kind>, text: &str, mark: char) -> Value {
    let mut record = Map::new();
    let mut parts = text.split(mark);
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        record.insert(name.to_owned(), members.get(name).unwrap_or(&Kind::Text).read(value));
    }
    Value::Object(record)
}

fn form_body(text: &str, kind: &Kind) -> Value {
    let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in query::pairs(text) {
        given.entry(name).or_default().push(value);
    }
    let empty = BTreeMap::new();
    let members = if let Kind::Record(members) = kind { members } else { &empty };
    let record = given.into_iter().map(|(name, texts)| {
        let value = several(members.get(&name).unwrap_or(&Kind::Text), &texts);
        (name, value)
    });
    Value::Object(record.collect())
}

/// Does a media type (its essence) fall in a range: `a/b`, `a/*`, `*/*`?
fn fits(range: &str, media: &str) -> bool {
    range == media || range == "*/*" || range.strip_suffix('*').is_some_and(|kind| kind.len() > 1 && media.starts_with(kind))
}
/// The closest range counts (RFC 9110, section 12.5.1).
fn range_weight(range: &str) -> u8 {
    match range {
        "*/*" => 0,
        _ if range.ends_with("/*") => 1,
        _ => 2,
    }
}

fn violation(error: &jsonschema::ValidationError<'_>) -> Violation {
    let pointer = error.instance_path().as_str();
    let mut steps = pointer.splitn(3, '/').skip(1);
    let (place, rest) = (steps.next().unwrap_or_default(), steps.next().unwrap_or_default());
    let message = error.masked_with("the value").to_string();
    let (first, below) = rest.split_once('/').map_or((rest, ""), |(first, _)| (first, rest.get(first.len()..).unwrap_or_default()));
    let place = match place {
        "path" => Place::Path,
        "query" => Place::Query,
        "header" => Place::Header,
        _ => return Violation { place: Place::Body, name_or_pointer: said(below), message: said(&message) },
    };
    let name = first.replace("~1", "/").replace("~0", "~");
    Violation { place, name_or_pointer: said(&format!("{name}{below}")), message: said(&message) }
}
