//! From the schemas of an OpenAPI document to one JSON Schema 2020-12 that stands alone.
//!
//! Schemas of OpenAPI 3.0 are a dialect (`nullable`, `exclusiveMinimum: true`); those of 3.1 are JSON Schema. What says
//! nothing about validity (descriptions, examples, defaults) is left behind; every reference is brought along, once.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

use super::{OpenApiError, Version, misshapen, shortened, target};

/// More schemas than this behind one operation are refused.
const MOST_DEFINITIONS: usize = 2_000;
/// Schemas nested deeper than this are refused.
const DEEPEST: usize = 64;

/// Brings schemas of one document over, and whatever they refer to.
pub(super) struct Bringer<'d> {
    document: &'d Value,
    version: Version,
    /// Reference as written → number of its definition.
    known: BTreeMap<String, usize>,
    waiting: VecDeque<(String, usize)>,
}

impl<'d> Bringer<'d> {
    pub(super) fn new(document: &'d Value) -> Result<Self, OpenApiError> {
        let version = super::version(document)?;
        Ok(Self { document, version, known: BTreeMap::new(), waiting: VecDeque::new() })
    }

    /// The schema in JSON Schema 2020-12; its references point to the definitions that [`Self::definitions`] returns.
    pub(super) fn bring(&mut self, schema: &Value) -> Result<Value, OpenApiError> {
        self.schema(schema, 0)
    }

    /// What the schemas brought so far refer to, at any remove: the value of `$defs` of the root.
    pub(super) fn definitions(&mut self) -> Result<Map<String, Value>, OpenApiError> {
        let mut definitions = Map::new();
        while let Some((reference, number)) = self.waiting.pop_front() {
            let schema = target(self.document, &reference)?;
            definitions.insert(number.to_string(), self.schema(schema, 0)?);
        }
        Ok(definitions)
    }

    fn schema(&mut self, schema: &Value, depth: usize) -> Result<Value, OpenApiError> {
        if depth > DEEPEST {
            return Err(OpenApiError::TooMany { what: "levels of schemas", limit: DEEPEST });
        }
        let members = match schema {
            Value::Bool(all) => return Ok(Value::Bool(*all)),
            Value::Object(members) => members,
            _ => return Err(misshapen("a schema", "an object")),
        };
        let mut out = Map::new();
        for (keyword, value) in members {
            if let Some(value) = self.keyword(keyword, value, depth)? {
                out.insert(keyword.clone(), value);
            }
        }
        if self.version == Version::V3_0 {
            exclusive(members, &mut out, "exclusiveMinimum", "minimum");
            exclusive(members, &mut out, "exclusiveMaximum", "maximum");
            if members.get("nullable") == Some(&Value::Bool(true)) {
                return Ok(json!({ "anyOf": [Value::Object(out), { "type": "null" }] }));
            }
        }
        Ok(Value::Object(out))
    }

    fn keyword(&mut self, keyword: &str, value: &Value, depth: usize) -> Result<Option<Value>, OpenApiError> {
        let depth = depth + 1;
        Ok(Some(match keyword {
            "$ref" => Value::String(self.reference(value.as_str().ok_or_else(|| misshapen("$ref", "a text"))?)?),
            "$dynamicRef" | "$recursiveRef" => {
                return Err(OpenApiError::Unsupported { place: keyword.to_owned(), what: "a reference that is not `$ref`" });
            }
            "properties" | "patternProperties" | "dependentSchemas" => {
                let mut out = Map::new();
                for (name, schema) in value.as_object().ok_or_else(|| misshapen(keyword, "an object"))? {
                    out.insert(name.clone(), self.schema(schema, depth)?);
                }
                Value::Object(out)
            }
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => {
                let schemas = value.as_array().ok_or_else(|| misshapen(keyword, "a list"))?;
                Value::Array(schemas.iter().map(|schema| self.schema(schema, depth)).collect::<Result<_, _>>()?)
            }
            "items"
            | "additionalProperties"
            | "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "propertyNames"
            | "unevaluatedItems"
            | "unevaluatedProperties" => self.schema(value, depth)?,
            "exclusiveMinimum" | "exclusiveMaximum" if value.is_boolean() => return Ok(None),
            "type" | "enum" | "const" | "required" | "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf"
            | "minLength" | "maxLength" | "pattern" | "format" | "minItems" | "maxItems" | "uniqueItems" | "minContains"
            | "maxContains" | "minProperties" | "maxProperties" | "dependentRequired" => value.clone(),
            _ => return Ok(None),
        }))
    }

    fn reference(&mut self, reference: &str) -> Result<String, OpenApiError> {
        let number = match self.known.get(reference) {
            Some(number) => *number,
            None => {
                let number = self.known.len();
                if number >= MOST_DEFINITIONS {
                    return Err(OpenApiError::TooMany { what: "schemas behind one operation", limit: MOST_DEFINITIONS });
                }
                target(self.document, reference)?;
                self.known.insert(reference.to_owned(), number);
                self.waiting.push_back((reference.to_owned(), number));
                number
            }
        };
        Ok(format!("#/$defs/{number}"))
    }
}

/// `exclusiveMinimum: true` beside `minimum: 1` becomes `exclusiveMinimum: 1`.
fn exclusive(members: &Map<String, Value>, out: &mut Map<String, Value>, keyword: &str, bound: &str) {
    if members.get(keyword) == Some(&Value::Bool(true))
        && let Some(value) = out.remove(bound)
    {
        out.insert(keyword.to_owned(), value);
    }
}

/// What the text of a parameter is to be read as before its schema judges it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Text,
    /// A number, `true` or `false`.
    Scalar,
    List(Box<Self>),
    Record(BTreeMap<String, Self>),
}

impl Kind {
    /// Reads it off a schema; a schema that allows text, or says nothing, is text.
    pub(super) fn of(document: &Value, schema: &Value) -> Result<Self, OpenApiError> {
        Self::find(document, schema, 0).map(|kind| kind.unwrap_or(Self::Text))
    }

    fn find(document: &Value, schema: &Value, depth: usize) -> Result<Option<Self>, OpenApiError> {
        if depth > 8 {
            return Ok(None);
        }
        let schema = super::follow(document, schema)?;
        let below = |schema: &Value| Self::find(document, schema, depth + 1).map(|kind| kind.unwrap_or(Self::Text));
        let kinds: Vec<&str> = match schema.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect(),
            _ if schema.get("properties").is_some() => vec!["object"],
            _ if schema.get("items").is_some() => vec!["array"],
            _ => Vec::new(),
        };
        match kinds.as_slice() {
            kinds if kinds.contains(&"string") => return Ok(Some(Self::Text)),
            ["integer" | "number" | "boolean", ..] => return Ok(Some(Self::Scalar)),
            ["array", ..] => {
                let element = schema.get("items").map(below).transpose()?.unwrap_or(Self::Text);
                return Ok(Some(Self::List(Box::new(element))));
            }
            ["object", ..] => {
                let members = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
                let members = members.map(|(name, member)| Ok((name.clone(), below(member)?)));
                return Ok(Some(Self::Record(members.collect::<Result<_, OpenApiError>>()?)));
            }
            _ => {}
        }
        let mut found = None;
        for list in ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|member| schema.get(member)?.as_array()) {
            for part in list.iter().take(64) {
                match Self::find(document, part, depth + 1)? {
                    Some(Self::Text) => return Ok(Some(Self::Text)),
                    other => found = found.or(other),
                }
            }
        }
        if found.is_none()
            && let Some(Value::Number(_) | Value::Bool(_)) = schema.get("const").or_else(|| schema.get("enum")?.as_array()?.first())
        {
            found = Some(Self::Scalar);
        }
        Ok(found)
    }

    /// Reads one text. What does not fit stays text, for the schema to refuse.
    pub(super) fn read(&self, text: &str) -> Value {
        match self {
            Self::Scalar => match text {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                // `Number` reads as JSON does, but would also take the spaces around.
                _ if text.contains(char::is_whitespace) => Value::from(text),
                _ => serde_json::from_str::<serde_json::Number>(text).map_or_else(|_| Value::from(text), Value::Number),
            },
            Self::List(element) => Value::Array(vec![element.read(text)]),
            _ => Value::from(text),
        }
    }
}

/// A name as it may be said back: bounded.
pub(super) fn said(name: &str) -> String {
    shortened(name)
}
