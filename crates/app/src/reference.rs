//! The OpenAPI document of an API, made readable: operations, parameters, and for each answer a table
//! of its fields with the scopes that open each.
//!
//! Documents come from providers: everything read here is bounded.

use std::collections::BTreeSet;

use octroi_domain::{
    api::{Api, ApiDocument, ApiName, Contract, OperationName, Step, Visibility},
    fold,
    text::Text,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    catalogue_files::schema::{self, is_json, resolve},
    context::{App, Context},
    error::Error,
};

/// Rows of one table, at most: a page stays short, and the document has the rest.
const MAX_ROWS: usize = 100;
/// How deep a schema is followed.
const MAX_DEPTH: usize = 12;
/// How many schemas one table may pass through, so that no document can keep a page busy.
const MAX_SCHEMAS: usize = 2_000;
/// Characters of a text of the document.
const MAX_TEXT: usize = 2_000;
/// Values of an enumeration.
const MAX_VALUES: usize = 30;

/// What a document describes, operation by operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReferenceView {
    pub api: String,
    #[schema(value_type = Object)]
    pub title: Text,
    /// Can it be tried from its page? A private API is its subscribers' matter.
    pub tried: bool,
    /// Path on the gateways that the operations' paths stand below.
    pub mount: String,
    /// The provider's own version of the document.
    pub document_version: String,
    pub description: String,
    pub operations: Vec<OperationLine>,
}

/// One operation of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OperationLine {
    /// How its page is named: `get-v3-things-id`.
    pub key: String,
    pub method: String,
    /// Below the mount of the API.
    pub path: String,
    pub summary: String,
    /// The first tag of the document; none: in no group.
    pub group: Option<String>,
    pub deprecated: bool,
    /// How many scopes open it; 0: none is needed.
    pub scopes: usize,
}

/// One operation, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OperationDetail {
    #[serde(flatten)]
    pub line: OperationLine,
    pub description: String,
    pub parameters: Vec<ParameterView>,
    pub body: Option<BodyView>,
    pub answers: Vec<AnswerView>,
    /// Any one of them opens the operation; empty: none is needed.
    pub opened_by: Vec<String>,
    /// Answers go through the mask: what no granted scope opens is removed.
    pub masked: bool,
}

/// A parameter of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ParameterView {
    pub name: String,
    /// `path`, `query` or `header`.
    pub location: String,
    pub required: bool,
    #[serde(flatten)]
    pub kind: Kind,
    pub description: String,
    /// The values that it may have; empty: any.
    pub values: Vec<String>,
    /// A value to begin with, where the document gives one.
    pub example: Option<String>,
}

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Kind {
    /// `string`, `integer`, `number`, `boolean`, `object`, or `any` where the document says nothing; of a list, that of its elements.
    pub kind: String,
    /// `date`, `uuid`, …
    pub format: Option<String>,
    /// There may be several.
    pub list: bool,
}

/// The body of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BodyView {
    pub content_type: String,
    pub required: bool,
    pub fields: Vec<FieldRow>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnswerView {
    /// `200`, `4XX` or `default`.
    pub status: String,
    pub description: String,
    /// Empty: no body.
    pub content_type: String,
    pub fields: Vec<FieldRow>,
    /// The schema has more fields than are shown.
    pub cut: bool,
}

/// A field of a body or of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldRow {
    /// `data.children[].name`.
    pub path: String,
    pub name: String,
    /// 0 for a member of the whole.
    pub depth: usize,
    #[serde(flatten)]
    pub kind: Kind,
    pub required: bool,
    pub description: String,
    pub values: Vec<String>,
    pub shown: Shown,
    /// The scopes that open it, where `shown` is `scopes`.
    pub scopes: Vec<String>,
}

/// Who is shown a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Everyone whom the operation is open to.
    Always,
    /// Who holds one of the scopes.
    Scopes,
    /// It holds fields that are opened one by one.
    Partly,
    /// Nobody: no scope opens it.
    Never,
}

impl App {
    /// The operations that the document describes and the gateway lets through.
    pub async fn read_reference(&self, context: &Context, name: &ApiName) -> Result<ReferenceView, Error> {
        Ok(reference(&self.visible_api(context, name).await?.document))
    }

    /// One operation, by the key of its line.
    pub async fn read_operation(&self, context: &Context, name: &ApiName, key: &str) -> Result<OperationDetail, Error> {
        let stored = self.visible_api(context, name).await?;
        let (line, contract, operation) = find(&stored.document, key).ok_or(Error::NotFound)?;
        Ok(detail(&stored.document.openapi, line, contract, operation))
    }
}

/// The operations of the contracts, with their key.
pub(crate) fn lines(document: &ApiDocument) -> Vec<(OperationLine, &Contract, &OperationName)> {
    let mut taken = BTreeSet::new();
    let contracts = document.api.contracts.iter();
    let named = contracts.flat_map(|contract| contract.operations.iter().map(move |name| (contract, name)));
    let mut line = |contract: &Contract, name: &OperationName| {
        let described = schema::operation(&document.openapi, name);
        let text = |member: &str| described.and_then(|operation| operation.get(member)).and_then(Value::as_str);
        let mut key = key_of(name);
        while !taken.insert(key.clone()) {
            key.push_str("-2");
        }
        OperationLine {
            key,
            method: name.method.clone(),
            path: name.template.clone(),
            summary: short(text("summary").or_else(|| text("operationId")).unwrap_or_default()),
            group: described.and_then(|operation| operation.get("tags")?.get(0)?.as_str()).map(|tag| document_tag(&document.openapi, tag)),
            deprecated: described.is_some_and(|operation| operation.get("deprecated") == Some(&Value::Bool(true))),
            scopes: contract.opening_scopes().len(),
        }
    };
    named.map(|(contract, name)| (line(contract, name), contract, name)).collect()
}

pub(crate) fn find<'a>(document: &'a ApiDocument, key: &str) -> Option<(OperationLine, &'a Contract, &'a OperationName)> {
    lines(document).into_iter().find(|(line, ..)| line.key == key)
}

/// The description of a tag where it is short, else its name.
fn document_tag(openapi: &Value, tag: &str) -> String {
    let tags = openapi.get("tags").and_then(Value::as_array);
    let described = tags.into_iter().flatten().find(|found| found.get("name").and_then(Value::as_str) == Some(tag));
    let text = described.and_then(|found| found.get("description")).and_then(Value::as_str).filter(|text| text.chars().count() <= 80);
    short(text.unwrap_or(tag))
}

/// `GET /v3/things/{id}` → `get-v3-things-id`: letters and digits of the address, for a link.
fn key_of(name: &OperationName) -> String {
    let words = fold::words(&name.to_string().chars().take(200).collect::<String>());
    words.join("-")
}

fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

fn member_text(value: &Value, member: &str) -> String {
    short(value.get(member).and_then(Value::as_str).unwrap_or_default())
}

fn reference(document: &ApiDocument) -> ReferenceView {
    let info = document.openapi.get("info").unwrap_or(&Value::Null);
    let Api { name, mount, .. } = &document.api;
    ReferenceView {
        api: document.api.full_name().to_string(),
        title: name.clone(),
        tried: document.api.visibility == Visibility::Public,
        mount: mount.clone(),
        document_version: member_text(info, "version"),
        description: member_text(info, "description"),
        operations: lines(document).into_iter().map(|(line, ..)| line).collect(),
    }
}

pub(crate) fn detail(openapi: &Value, line: OperationLine, contract: &Contract, name: &OperationName) -> OperationDetail {
    let nothing = Value::Null;
    let operation = schema::operation(openapi, name).unwrap_or(&nothing);
    let body = operation.get("requestBody").and_then(|body| resolve(openapi, body));
    let body = body.and_then(|body| {
        let (content_type, content) = body.get("content")?.as_object()?.iter().next()?;
        let mut table = Table::new(openapi, None);
        table.add(content.get("schema"));
        let required = body.get("required") == Some(&Value::Bool(true));
        Some(BodyView { content_type: short(content_type), required, fields: table.rows })
    });
    let responses = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    let answers = responses.filter_map(|(status, response)| Some(answer(openapi, contract, status, resolve(openapi, response)?))).collect();
    OperationDetail {
        line,
        description: member_text(operation, "description"),
        parameters: parameters(openapi, name, operation),
        body,
        answers,
        opened_by: contract.opening_scopes().iter().map(ToString::to_string).collect(),
        masked: contract.is_masked(),
    }
}

/// Those of the operation, and those of its path that it does not write again.
fn parameters(openapi: &Value, name: &OperationName, operation: &Value) -> Vec<ParameterView> {
    let item = openapi.get("paths").and_then(|paths| paths.get(&name.template)).and_then(|item| resolve(openapi, item));
    let own = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let shared = item.and_then(|item| item.get("parameters")).and_then(Value::as_array).into_iter().flatten();
    let mut found: Vec<ParameterView> = Vec::new();
    for parameter in own.chain(shared).filter_map(|parameter| resolve(openapi, parameter)).take(100) {
        let (name, location) = (member_text(parameter, "name"), member_text(parameter, "in"));
        let known = found.iter().any(|known| known.name == name && known.location == location);
        if known || name.is_empty() || !matches!(location.as_str(), "path" | "query" | "header") {
            continue;
        }
        let schema = parameter.get("schema").and_then(|schema| resolve(openapi, schema)).unwrap_or(&Value::Null);
        let items = schema.get("items").and_then(|items| resolve(openapi, items));
        found.push(ParameterView {
            required: parameter.get("required") == Some(&Value::Bool(true)) || location == "path",
            kind: kind(openapi, schema),
            description: member_text(parameter, "description"),
            values: values(items.unwrap_or(schema)),
            example: parameter.get("example").or_else(|| schema.get("example")).map(|value| short(&text(value))),
            name,
            location,
        });
    }
    found
}

fn answer(openapi: &Value, contract: &Contract, status: &str, response: &Value) -> AnswerView {
    let contents = response.get("content").and_then(Value::as_object);
    let json = contents.and_then(|contents| contents.iter().find(|(kind, _)| is_json(kind)));
    let content = json.or_else(|| contents.and_then(|contents| contents.iter().next()));
    // Masks are for what was found: an answer that is not 2xx describes an error.
    let mask = (contract.is_masked() && status.starts_with('2')).then_some(contract);
    let mut table = Table::new(openapi, mask);
    if let Some((_, content)) = json {
        table.add(content.get("schema"));
    }
    AnswerView {
        status: short(status),
        description: member_text(response, "description"),
        content_type: content.map(|(kind, _)| short(kind)).unwrap_or_default(),
        fields: table.rows,
        cut: table.cut,
    }
}

/// The fields of a schema, one row each, from the outside in.
struct Table<'a> {
    openapi: &'a Value,
    mask: Option<&'a Contract>,
    rows: Vec<FieldRow>,
    /// Schemas that may still be looked at.
    left: usize,
    cut: bool,
}

impl<'a> Table<'a> {
    const fn new(openapi: &'a Value, mask: Option<&'a Contract>) -> Self {
        Self { openapi, mask, rows: Vec::new(), left: MAX_SCHEMAS, cut: false }
    }

    fn add(&mut self, schema: Option<&'a Value>) {
        if let Some(schema) = schema {
            self.below(schema, &mut Vec::new(), "", 0);
        }
    }

    /// Adds what stands below `place`, which `path` writes.
    fn below(&mut self, schema: &'a Value, place: &mut Vec<Step>, path: &str, depth: usize) {
        let Some(schema) = resolve(self.openapi, schema) else { return };
        if depth > MAX_DEPTH || self.left == 0 {
            self.cut = true;
            return;
        }
        self.left -= 1;
        for word in ["allOf", "oneOf", "anyOf"] {
            for part in schema.get(word).and_then(Value::as_array).into_iter().flatten() {
                self.below(part, place, path, depth + 1);
            }
        }
        if let Some(items) = schema.get("items") {
            place.push(Step::Every);
            self.below(items, place, &format!("{path}[]"), depth + 1);
            place.pop();
        }
        let required = schema.get("required").and_then(Value::as_array);
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let needed = required.is_some_and(|names| names.iter().any(|found| found == name));
            self.row(name, member, needed, place, path, depth);
        }
        if let Some(member @ Value::Object(_)) = schema.get("additionalProperties") {
            place.push(Step::Every);
            self.below(member, place, &format!("{path}.*"), depth + 1);
            place.pop();
        }
    }

    fn row(&mut self, name: &str, member: &'a Value, required: bool, place: &mut Vec<Step>, path: &str, depth: usize) {
        if self.rows.len() >= MAX_ROWS {
            self.cut = true;
            return;
        }
        let Some(schema) = resolve(self.openapi, member) else { return };
        let path = if path.is_empty() { short(name) } else { format!("{path}.{}", short(name)) };
        // The same field of two alternatives is one row.
        if self.rows.iter().any(|row| row.path == path) {
            return;
        }
        place.push(Step::Member(name.to_owned()));
        let (shown, scopes) = self.shown(place);
        self.rows.push(FieldRow {
            depth: path.matches(['.', '[']).count().min(MAX_DEPTH),
            name: short(name),
            kind: kind(self.openapi, schema),
            required,
            description: member_text(schema, "description"),
            values: values(schema),
            shown,
            scopes,
            path: path.clone(),
        });
        self.below(schema, place, &path, depth + 1);
        place.pop();
    }

    fn shown(&self, place: &[Step]) -> (Shown, Vec<String>) {
        let Some(mask) = self.mask else { return (Shown::Always, Vec::new()) };
        if mask.always.iter().any(|path| path.opens(place)) {
            return (Shown::Always, Vec::new());
        }
        let opening = mask.opens.iter().filter(|(_, paths)| paths.iter().any(|path| path.opens(place)));
        let scopes: Vec<String> = opening.map(|(scope, _)| scope.to_string()).collect();
        let mut all = mask.opens.values().flatten().chain(&mask.always);
        if !scopes.is_empty() {
            (Shown::Scopes, scopes)
        } else if all.any(|path| path.opens_below(place)) {
            (Shown::Partly, Vec::new())
        } else {
            (Shown::Never, Vec::new())
        }
    }
}

fn kind(openapi: &Value, schema: &Value) -> Kind {
    let items = schema.get("items").and_then(|items| resolve(openapi, items));
    let of = items.unwrap_or(schema);
    let name = match of.get("type") {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => of.get("properties").map(|_| "object"),
    };
    const KNOWN: [&str; 5] = ["string", "integer", "number", "boolean", "object"];
    Kind {
        kind: name.filter(|name| KNOWN.contains(name)).unwrap_or("any").to_owned(),
        format: of.get("format").and_then(Value::as_str).map(short),
        list: items.is_some(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn values(schema: &Value) -> Vec<String> {
    let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten().chain(schema.get("const"));
    listed.filter(|value| !value.is_null()).take(MAX_VALUES).map(|value| short(&text(value))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> ApiDocument {
        let api = json!({
            "slug": "things", "provider": "town", "name": { "fr": "Choses", "en": "Things" }, "description": { "fr": "a", "en": "b" },
            "mount": "/town/things", "visibility": "public", "access": { "mode": "open" }, "plans": [], "backends": {},
            "contracts": [
                {
                    "operations": ["GET /v1/{id}"],
                    "opens": { "names": ["data.children[*].name"], "home": ["data.home", "data.map[*]"] },
                    "always": ["meta"],
                },
                { "operations": ["POST /v1/a-b", "POST /v1/a/b"] },
            ],
        });
        let person = json!({ "type": "object", "properties": {
            "name": { "type": "string", "description": "Whose" }, "again": { "$ref": "#/components/schemas/person" },
        } });
        let schema = json!({ "allOf": [{ "type": "object", "required": ["meta"], "properties": {
            "meta": { "type": "object" }, "secret": { "type": "string" },
            "data": { "properties": {
                "children": { "type": "array", "items": { "$ref": "#/components/schemas/person" } },
                "home": { "properties": { "street": { "type": ["string", "null"], "enum": ["a", null, "b"] } } },
                "map": { "additionalProperties": { "properties": { "on": { "type": "string", "format": "date" } } } },
            } },
        } }] });
        let openapi = json!({
            "openapi": "3.0.3", "info": { "title": "T", "version": "7" }, "tags": [{ "name": "t", "description": "Things of the town" }],
            "paths": {
                "/v1/{id}": {
                    "parameters": [{ "name": "id", "in": "path", "schema": { "type": "string" } }, { "name": "c", "in": "cookie" }],
                    "get": {
                        "tags": ["t"], "summary": "One", "parameters": [{ "$ref": "#/components/parameters/q" }],
                        "responses": {
                            "200": { "description": "Found", "content": { "application/json": { "schema": schema } } },
                            "404": { "description": "Not found", "content": { "application/json": { "schema": { "properties": { "errors": {} } } } } },
                        },
                    },
                },
                "/v1/a-b": { "post": {
                    "requestBody": { "required": true, "content": { "application/json": { "schema": { "properties": { "n": { "type": "integer" } } } } } },
                    "responses": { "204": { "description": "Done" } },
                } },
                "/v1/a/b": { "post": { "operationId": "other", "responses": {} } },
            },
            "components": {
                "parameters": { "q": { "name": "q[]", "in": "query", "schema": { "type": "array", "items": { "type": "string", "enum": ["x"] } } } },
                "schemas": { "person": person },
            },
        });
        ApiDocument { api: serde_json::from_value(api).unwrap(), openapi, mocks: Vec::new() }
    }

    #[test]
    fn every_operation_has_a_key_of_its_own() {
        let view = reference(&document());
        let keys: Vec<(&str, &str)> = view.operations.iter().map(|line| (line.key.as_str(), line.summary.as_str())).collect();
        assert_eq!(keys, [("get-v1-id", "One"), ("post-v1-a-b", ""), ("post-v1-a-b-2", "other")]);
        assert_eq!(view.operations[0].group.as_deref(), Some("Things of the town"));
        assert_eq!((view.document_version.as_str(), view.operations[0].scopes), ("7", 2));
        assert!(find(&document(), "get-v1-other").is_none());
    }

    #[test]
    fn fields_say_which_scope_opens_them() {
        let document = document();
        let (line, contract, name) = find(&document, "get-v1-id").unwrap();
        let view = detail(&document.openapi, line, contract, name);
        let fields = &view.answers[0].fields;
        let row = |path: &str| {
            let row = fields.iter().find(|row| row.path == path).unwrap_or_else(|| panic!("{path}"));
            (row.shown, row.scopes.join(" "))
        };
        assert_eq!(row("meta"), (Shown::Always, String::new()));
        assert_eq!(row("secret"), (Shown::Never, String::new()));
        assert_eq!(row("data"), (Shown::Partly, String::new()));
        assert_eq!(row("data.children"), (Shown::Partly, String::new()));
        assert_eq!(row("data.children[].name"), (Shown::Scopes, "names".into()));
        assert_eq!(row("data.children[].again"), (Shown::Never, String::new()));
        assert_eq!(row("data.home"), (Shown::Scopes, "home".into()));
        assert_eq!(row("data.home.street"), (Shown::Scopes, "home".into()));
        assert_eq!(row("data.map.*.on"), (Shown::Scopes, "home".into()));
        // A schema that holds itself ends.
        assert!(view.answers[0].cut && fields.len() < MAX_ROWS);
        let street = fields.iter().find(|row| row.name == "street").unwrap();
        assert_eq!((street.kind.kind.as_str(), street.values.join(" "), street.depth), ("string", "a b".into(), 2));
        // What describes an error is not masked.
        assert_eq!((view.answers[1].status.as_str(), view.answers[1].fields[0].shown), ("404", Shown::Always));
    }

    #[test]
    fn a_document_that_branches_without_end_is_cut() {
        let mut document = document();
        let again = json!({ "$ref": "#/components/schemas/person" });
        document.openapi["components"]["schemas"]["person"] = json!({ "anyOf": vec![again; 50], "properties": { "name": {} } });
        let (line, contract, name) = find(&document, "get-v1-id").unwrap();
        assert!(detail(&document.openapi, line, contract, name).answers[0].cut);
    }

    #[test]
    fn parameters_of_the_path_count_and_cookies_do_not() {
        let document = document();
        let view = |key: &str| {
            let (line, contract, name) = find(&document, key).unwrap();
            detail(&document.openapi, line, contract, name)
        };
        let one = view("get-v1-id");
        let names: Vec<(&str, bool, bool, &str)> = one
            .parameters
            .iter()
            .map(|parameter| (parameter.name.as_str(), parameter.required, parameter.kind.list, parameter.kind.kind.as_str()))
            .collect();
        assert_eq!(names, [("q[]", false, true, "string"), ("id", true, false, "string")]);
        assert_eq!(one.parameters[0].values, ["x"]);
        let body = view("post-v1-a-b").body.unwrap();
        assert_eq!((body.required, body.fields[0].path.as_str(), body.fields[0].kind.kind.as_str()), (true, "n", "integer"));
        assert!(view("post-v1-a-b-2").body.is_none());
    }
}
