//! One answer of an operation, from the examples of its document, or made up from the schema.

use octroi_domain::api::OperationName;
use serde_json::{Map, Value};

use super::{OpenApiError, follow, is_json, misshapen, object};

/// Values that are made up from one schema hold no more than this many members and elements in all.
const MOST_VALUES: usize = 5_000;
/// And nest no deeper than this: schemas may refer to themselves.
const DEEPEST: usize = 12;

/// An answer as the document shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub status: u16,
    /// Empty when the answer has no body.
    pub content_type: String,
    pub body: String,
}

/// The example of the first 2xx answer, in the order of the codes: its `example`, else the first of its `examples`, else
/// one that is made up from its schema. None when the operation describes no such answer.
pub(super) fn of_operation(
    document: &Value,
    name: &OperationName,
    operation: &Map<String, Value>,
) -> Result<Option<Example>, OpenApiError> {
    let Some(responses) = operation.get("responses") else { return Ok(None) };
    let responses = responses.as_object().ok_or_else(|| misshapen(format!("{name}: responses"), "an object"))?;
    let good = responses.iter().filter_map(|(code, response)| match code.as_str() {
        "2XX" | "2xx" => Some((200, response)),
        code => code.parse::<u16>().ok().filter(|status| (200..300).contains(status)).map(|status| (status, response)),
    });
    let Some((status, response)) = good.min_by_key(|(status, _)| *status) else { return Ok(None) };
    let response = object(document, response, &format!("{name}: responses"))?;
    let Some(content) = response.get("content").and_then(Value::as_object) else {
        return Ok(Some(Example { status, content_type: String::new(), body: String::new() }));
    };
    let described = content.iter().find(|(media, _)| is_json(media)).or_else(|| content.iter().next());
    let Some((media, described)) = described else {
        return Ok(Some(Example { status, content_type: String::new(), body: String::new() }));
    };
    let value = of_media(document, described)?;
    let body = match value {
        Value::String(text) if !is_json(media) => text,
        value => value.to_string(),
    };
    Ok(Some(Example { status, content_type: media.clone(), body }))
}

fn of_media(document: &Value, described: &Value) -> Result<Value, OpenApiError> {
    if let Some(example) = described.get("example") {
        return Ok(example.clone());
    }
    let first = described.get("examples").and_then(Value::as_object).and_then(|examples| examples.values().next());
    if let Some(value) = first.map(|first| follow(document, first)).transpose()?.and_then(|first| first.get("value")) {
        return Ok(value.clone());
    }
    match described.get("schema") {
        None => Ok(Value::Null),
        Some(schema) => Maker { document, left: MOST_VALUES }.make(schema, 0),
    }
}

/// Makes values up from schemas, within bounds.
struct Maker<'d> {
    document: &'d Value,
    left: usize,
}

impl Maker<'_> {
    fn make(&mut self, schema: &Value, depth: usize) -> Result<Value, OpenApiError> {
        if depth >= DEEPEST || self.left == 0 {
            return Ok(Value::Null);
        }
        self.left -= 1;
        let schema = follow(self.document, schema)?;
        let listed = |member: &str| schema.get(member).and_then(Value::as_array).and_then(|values| values.first());
        let shown = schema.get("example").or_else(|| listed("examples")).or_else(|| schema.get("default"));
        if let Some(value) = shown.or_else(|| schema.get("const")).or_else(|| listed("enum")) {
            return Ok(value.clone());
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.merged(schema, parts, depth);
        }
        if let Some(choice) = listed("oneOf").or_else(|| listed("anyOf")) {
            return self.make(choice, depth + 1);
        }
        Ok(match kind(schema) {
            "object" => Value::Object(self.members(schema, depth)?),
            "array" => match schema.get("items") {
                Some(items) => Value::Array(vec![self.make(items, depth + 1)?]),
                None => Value::Array(Vec::new()),
            },
            "string" => Value::from(text(schema.get("format").and_then(Value::as_str))),
            "integer" => schema.get("minimum").filter(|least| least.is_i64()).cloned().unwrap_or(Value::from(0)),
            "number" => schema.get("minimum").filter(|least| least.is_number()).cloned().unwrap_or(Value::from(0)),
            "boolean" => Value::Bool(true),
            _ => Value::Null,
        })
    }

    /// The members of every part of an `allOf`; of parts that are no objects, the first.
    fn merged(&mut self, schema: &Value, parts: &[Value], depth: usize) -> Result<Value, OpenApiError> {
        let mut members = self.members(schema, depth)?;
        let mut other = None;
        for part in parts {
            match self.make(part, depth + 1)? {
                Value::Object(more) => members.extend(more),
                value => other = other.or(Some(value)),
            }
        }
        Ok(match other {
            Some(value) if members.is_empty() => value,
            _ => Value::Object(members),
        })
    }

    fn members(&mut self, schema: &Value, depth: usize) -> Result<Map<String, Value>, OpenApiError> {
        let mut members = Map::new();
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            members.insert(name.clone(), self.make(member, depth + 1)?);
        }
        Ok(members)
    }
}

/// The type of a schema, guessed from its other members when it has none.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null"),
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "null",
    }
}

fn text(format: Option<&str>) -> &'static str {
    match format {
        Some("date") => "2026-01-31",
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        Some("email") => "nom@exemple.fr",
        Some("uri" | "url") => "https://exemple.fr/",
        _ => "texte",
    }
}
