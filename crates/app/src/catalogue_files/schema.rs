//! The OpenAPI document: is it one, and does a field path of a mask lead anywhere in the answers that it describes?

use octroi_domain::api::{FieldPath, OperationName, Step};
use serde_json::Value;

use super::fault::{Fault, Source};

/// How many schemas one path may pass through, so that no document can keep the lint busy.
const MAX_SCHEMAS: usize = 2_000;

/// How deep a document is searched for references; the reader refuses deeper ones.
const MAX_DEPTH: usize = 128;

/// Is this an OpenAPI document of version 3.0 or 3.1 whose references stay inside it and lead somewhere?
///
/// # Errors
/// Each fault, with its place in the document.
pub(super) fn check(source: &Source, document: &Value) -> Result<(), Vec<Fault>> {
    let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
    if !(version.starts_with("3.0") || version.starts_with("3.1")) || !document.get("paths").is_some_and(Value::is_object) {
        let message = "this is not an OpenAPI document of version 3.0 or 3.1 with `paths`";
        return Err(vec![source.fault_at(&["openapi", "swagger"], message, "convert it, for example `openapi: 3.0.3`")]);
    }
    let mut references = Vec::new();
    references_of(document, 0, &mut references);
    references.sort_unstable();
    references.dedup();
    let broken = |reference: &&str| target(document, reference).is_none();
    let fault = |reference| {
        let message = format!("the reference `{reference}` leads to nothing in the document");
        source.fault_at(&[reference], message, "write what it refers to into this document, and refer to it as `#/…`")
    };
    let faults: Vec<Fault> = references.into_iter().filter(broken).map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Every `$ref` of the document, examples and values apart.
fn references_of<'a>(value: &'a Value, depth: usize, found: &mut Vec<&'a str>) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                match (name.as_str(), inner) {
                    ("$ref", Value::String(reference)) => found.push(reference),
                    ("example" | "examples" | "default" | "enum" | "const", _) => {}
                    _ => references_of(inner, depth + 1, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references_of(item, depth + 1, found)),
        _ => {}
    }
}

/// The operation of an OpenAPI document, when it has it.
pub(crate) fn operation<'a>(document: &'a Value, name: &OperationName) -> Option<&'a Value> {
    let item = resolve(document, document.get("paths")?.get(&name.template)?)?;
    item.get(name.method.to_ascii_lowercase()).filter(|operation| operation.is_object())
}

/// Where a path stops, when it leads to nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DeadEnd {
    /// The step that leads nowhere.
    pub step: String,
    /// The members that are there instead.
    pub members: Vec<String>,
}

/// Follows `path` through the JSON schemas of the 2xx answers of `operation`.
/// What a schema leaves open is taken to be there; so is everything when no schema is given.
///
/// # Errors
/// The step at which no schema goes on.
pub(super) fn follow(document: &Value, operation: &Value, path: &FieldPath) -> Result<(), DeadEnd> {
    let mut places = Vec::new();
    for response in answers(operation).filter_map(|response| resolve(document, response)) {
        let contents = response.get("content").and_then(Value::as_object).into_iter().flatten();
        for (_, content) in contents.filter(|(kind, _)| is_json(kind)) {
            match content.get("schema") {
                Some(schema) => places.push(schema),
                None => return Ok(()),
            }
        }
    }
    if places.is_empty() {
        return Ok(());
    }
    for step in path.steps() {
        let Some(schemas) = expand(document, &places) else { return Ok(()) };
        let mut next = Vec::new();
        let mut members = Vec::new();
        for schema in &schemas {
            match enter(schema, step) {
                Entry::Open => return Ok(()),
                Entry::Into(found) => next.extend(found),
                Entry::Nothing => {}
            }
            members
                .extend(schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|properties| properties.keys().cloned()));
        }
        if next.is_empty() {
            members.sort();
            members.dedup();
            let step = match step {
                Step::Every => "[*]".to_owned(),
                Step::Member(name) => name.clone(),
            };
            return Err(DeadEnd { step, members });
        }
        places = next;
    }
    Ok(())
}

fn answers(operation: &Value) -> impl Iterator<Item = &Value> {
    let responses = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    responses.filter(|(status, _)| status.starts_with('2')).map(|(_, response)| response)
}

pub(crate) fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind == "application/json" || kind.ends_with("+json") || kind == "*/*" || kind == "application/*"
}

/// Follows local references (`#/…`); none when one leads nowhere or in circles.
pub(crate) fn resolve<'a>(document: &'a Value, mut value: &'a Value) -> Option<&'a Value> {
    for _ in 0..32 {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => value = target(document, reference)?,
            None => return Some(value),
        }
    }
    None
}

/// What a local reference names: a JSON pointer in a URL fragment, percent-encoded (RFC 6901 section 6).
fn target<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    if !pointer.contains('%') {
        return document.pointer(pointer);
    }
    let mut bytes = Vec::with_capacity(pointer.len());
    let mut parts = pointer.split('%');
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend(part.get(2..)?.bytes());
    }
    document.pointer(&String::from_utf8(bytes).ok()?)
}

/// Each schema with the alternatives it is made of; none when there are too many to tell.
fn expand<'a>(document: &'a Value, places: &[&'a Value]) -> Option<Vec<&'a Value>> {
    let mut waiting: Vec<&Value> = places.to_vec();
    let mut found: Vec<&Value> = Vec::new();
    while let Some(place) = waiting.pop() {
        if found.len() + waiting.len() > MAX_SCHEMAS {
            return None;
        }
        // A reference that cannot be followed says nothing about what is there.
        let schema = resolve(document, place)?;
        if found.iter().any(|known| std::ptr::eq(*known, schema)) {
            continue;
        }
        for word in ["allOf", "oneOf", "anyOf"] {
            waiting.extend(schema.get(word).and_then(Value::as_array).into_iter().flatten());
        }
        found.push(schema);
    }
    Some(found)
}

enum Entry<'a> {
    /// The schema says nothing about what is inside.
    Open,
    Into(Vec<&'a Value>),
    Nothing,
}

fn enter<'a>(schema: &'a Value, step: &Step) -> Entry<'a> {
    if schema.as_bool() == Some(true) {
        return Entry::Open;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let additional = schema.get("additionalProperties");
    let combined = ["allOf", "oneOf", "anyOf"].iter().any(|word| schema.get(word).is_some());
    match step {
        Step::Member(name) => {
            if let Some(found) = properties.and_then(|properties| properties.get(name)) {
                return Entry::Into(vec![found]);
            }
            match additional {
                Some(Value::Object(_)) => Entry::Into(additional.into_iter().collect()),
                Some(Value::Bool(true)) => Entry::Open,
                _ if schema.get("patternProperties").is_some() => Entry::Open,
                None if properties.is_none() && !combined && may_be(schema, "object") => Entry::Open,
                _ => Entry::Nothing,
            }
        }
        Step::Every => {
            let mut found: Vec<&Value> = schema.get("items").into_iter().collect();
            found.extend(schema.get("prefixItems").and_then(Value::as_array).into_iter().flatten());
            found.extend(properties.into_iter().flat_map(|properties| properties.values()));
            found.extend(additional.filter(|additional| additional.is_object()));
            let bare = found.is_empty() && !combined && (may_be(schema, "array") || may_be(schema, "object"));
            if bare || additional == Some(&Value::Bool(true)) { Entry::Open } else { Entry::Into(found) }
        }
    }
}

/// May a value of this schema be of `kind`? `type` is a name, a list of names (3.1), or left out.
fn may_be(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => name == kind,
        Some(Value::Array(names)) => names.iter().any(|name| name == kind),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(schema: &Value, path: &str, expected: Result<(), (&str, &[&str])>) {
        let document = json!({
            "paths": { "/x": { "get": { "responses": { "200": { "$ref": "#/components/responses/r" } } } } },
            "components": {
                "responses": { "r": { "content": { "application/json; charset=utf-8": { "schema": schema } } } },
                "schemas": {
                    "a": { "type": "object", "properties": { "x": { "type": "string" }, "again": { "$ref": "#/components/schemas/%61" } } },
                    "loop": { "$ref": "#/components/schemas/loop" },
                },
            },
        });
        let name = "GET /x".parse().unwrap();
        let found = follow(&document, operation(&document, &name).unwrap(), &path.parse().unwrap());
        let expected =
            expected.map_err(|(step, members)| DeadEnd { step: step.into(), members: members.iter().map(|m| (*m).to_owned()).collect() });
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn paths_follow_references_lists_and_alternatives() {
        let a = json!({ "$ref": "#/components/schemas/a" });
        let schema = json!({ "type": "object", "properties": {
            "one": a, "many": { "type": "array", "items": a },
            "either": { "oneOf": [a, { "type": "object", "properties": { "y": {} } }] },
            "map": { "type": "object", "additionalProperties": a },
            "free": { "type": "object" }, "number": { "type": ["integer", "null"] }, "lost": { "$ref": "#/components/schemas/loop" },
        } });
        for good in [
            "one.x",
            "one.again.again.x",
            "many[*].x",
            "either.y",
            "either.x",
            "map.any.x",
            "map[*].x",
            "free.any.thing",
            "lost.x",
            "number",
        ] {
            check(&schema, good, Ok(()));
        }
        check(&schema, "two", Err(("two", &["either", "free", "lost", "many", "map", "number", "one"])));
        check(&schema, "one.y", Err(("y", &["again", "x"])));
        check(&schema, "many.x", Err(("x", &[])));
        check(&schema, "either.z", Err(("z", &["again", "x", "y"])));
        check(&schema, "map.any.y", Err(("y", &["again", "x"])));
        check(&schema, "number.x", Err(("x", &[])));
        check(&schema, "one.x[*]", Err(("[*]", &[])));
        check(&json!({}), "any.thing", Ok(()));
    }
}
