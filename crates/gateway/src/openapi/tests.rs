use http::HeaderMap;
use serde_json::json;

use super::*;

fn document(version: &str) -> Value {
    json!({
        "openapi": version,
        "paths": {
            "x-note": 1,
            "/v1/things/{id}": {
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string", "pattern": "^[a-z]+$" } }],
                "get": {
                    "parameters": [
                        { "$ref": "#/components/parameters/Page" },
                        { "name": "prenoms[]", "in": "query", "required": true, "schema": { "type": "array", "maxItems": 2, "items": { "type": "string" } } },
                        { "name": "born", "in": "query", "schema": { "type": "string", "format": "date" } },
                        { "name": "ids", "in": "query", "explode": false, "schema": { "type": "array", "items": { "type": "integer" } } },
                        { "name": "f", "in": "query", "style": "deepObject", "schema": { "type": "object", "properties": { "n": { "type": "integer" } }, "additionalProperties": false } },
                        { "name": "X-Count", "in": "header", "schema": { "type": "integer" } },
                        { "name": "Accept", "in": "header", "required": true, "schema": {} },
                        { "name": "session", "in": "cookie", "required": true, "schema": {} }
                    ],
                    "responses": {
                        "404": { "description": "", "content": { "application/json": { "example": { "wrong": true } } } },
                        "201": { "$ref": "#/components/responses/Thing" },
                        "default": { "description": "" }
                    }
                },
                "post": {
                    "requestBody": { "required": true, "content": {
                        "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } },
                        "application/x-www-form-urlencoded": { "schema": { "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" }, "l": { "type": "array", "items": { "type": "string" } } } } }
                    } },
                    "responses": { "204": { "description": "" } }
                }
            },
            "/v1/files/{name}.json": { "get": { "responses": { "200": { "description": "", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } } } } }
        },
        "components": {
            "parameters": { "Page": { "name": "page", "in": "query", "schema": { "type": "integer", "minimum": 0, "exclusiveMinimum": true } } },
            "responses": { "Thing": { "description": "", "content": { "application/json": { "examples": { "one": { "$ref": "#/components/examples/One" } } } } } },
            "examples": { "One": { "value": { "name": "one" } } },
            "schemas": { "Thing": {
                "type": "object", "required": ["name"], "additionalProperties": false,
                "properties": {
                    "name": { "type": "string", "maxLength": 5, "example": "chose" },
                    "nullable": { "type": "boolean" },
                    "maybe": { "type": "string", "nullable": true, "enum": ["x", "y"] },
                    "parts": { "type": "array", "items": { "$ref": "#/components/schemas/Thing" } }
                }
            } }
        }
    })
}
fn named(document: &Value, name: &str) -> Operation {
    operations(document).unwrap().into_iter().find(|operation| operation.name.to_string() == name).unwrap()
}
fn said(result: Result<(), Vec<Violation>>) -> Vec<String> {
    result.err().unwrap_or_default().into_iter().map(|v| format!("{} {}: {}", v.place, v.name_or_pointer, v.message)).collect()
}
#[track_caller]
fn check_get(id: &str, query: &str, header: Option<&str>, expected: &[&str]) {
    let document = document("3.0.3");
    let validator = Validator::build(&document, &named(&document, "GET /v1/things/{id}")).unwrap();
    let mut headers = HeaderMap::new();
    if let Some(value) = header {
        headers.append("x-count", value.parse().unwrap());
    }
    assert_eq!(said(validator.validate(&[("id".into(), id.into())], Some(query), &headers, None)), expected);
}
#[track_caller]
fn check_post(media: &str, body: &str, expected: &[&str]) {
    let document = document("3.0.3");
    let validator = Validator::build(&document, &named(&document, "POST /v1/things/{id}")).unwrap();
    let body = (!media.is_empty()).then_some((media, body.as_bytes()));
    assert_eq!(said(validator.validate(&[("id".into(), "a".into())], None, &HeaderMap::new(), body)), expected);
}

#[test]
fn operations_are_read() {
    let document = document("3.1.0");
    let found = operations(&document).unwrap();
    let names: Vec<String> = found.iter().map(|operation| operation.name.to_string()).collect();
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(sorted, ["GET /v1/files/{name}.json", "GET /v1/things/{id}", "POST /v1/things/{id}"]);
    let get = named(&document, "GET /v1/things/{id}");
    assert_eq!(get.parameters.len(), 7, "neither Accept nor the cookie: {:?}", get.parameters);
    assert_eq!(get.segments.len(), 3);
    let file = named(&document, "GET /v1/files/{name}.json");
    let parameter = Segment::Parameter { prefix: String::new(), name: "name".into(), suffix: ".json".into() };
    assert_eq!(file.segments.last(), Some(&parameter));
}

#[test]
fn examples_are_shown_or_made_up() {
    let document = document("3.0.0");
    let example = |name: &str| named(&document, name).example.map(|example| (example.status, example.content_type, example.body));
    assert_eq!(example("GET /v1/things/{id}"), Some((201, "application/json".into(), r#"{"name":"one"}"#.into())));
    assert_eq!(example("POST /v1/things/{id}"), Some((204, String::new(), String::new())));
    let (status, _, body) = example("GET /v1/files/{name}.json").unwrap();
    let made: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &made["name"], &made["nullable"], &made["maybe"]), (200, &json!("chose"), &json!(true), &json!("x")));
    assert_eq!(made["parts"][0]["name"], json!("chose"), "a schema that holds itself is made up a few levels deep");
}

#[test]
fn parameters_are_judged() {
    let good = "prenoms[]=A&prenoms[]=B&page=1&born=1987-06-27&ids=1,2&f[n]=3";
    check_get("abc", good, Some("4"), &[]);
    check_get("abc", "prenoms=A&prenoms=B", None, &[]);
    check_get("ab1", good, None, &["path id: the value does not match \"^[a-z]+$\""]);
    check_get("a", "", None, &["query prenoms[]: this parameter is required"]);
    check_get("a", "prenoms=A&x=1&y", None, &["query x: this parameter is not known", "query y: this parameter is not known"]);
    check_get("a", "prenoms=A&page=1&page=2", None, &["query page: this parameter is given more than once"]);
    check_get("a", "prenoms=A&page=0", None, &["query page: the value is less than or equal to the minimum of 0"]);
    check_get("a", "prenoms=A&page=01", None, &["query page: the value is not of type \"integer\""]);
    check_get("a", "prenoms=A&born=1987-02-30", None, &["query born: the value is not a \"date\""]);
    check_get("a", "prenoms=A&ids=1,b", None, &["query ids/1: the value is not of type \"integer\""]);
    check_get("a", "prenoms=A&f[n]=x", None, &["query f/n: the value is not of type \"integer\""]);
    check_get("a", "prenoms=A&prenoms=B&prenoms=C", None, &["query prenoms[]: the value has more than 2 items"]);
    check_get("a", "prenoms=A", Some("many"), &["header X-Count: the value is not of type \"integer\""]);
}

#[test]
fn bodies_are_judged() {
    check_post("application/json", r#"{"name":"one","maybe":null,"parts":[{"name":"two"}]}"#, &[]);
    check_post("application/json; charset=utf-8", r#"{"name":"one","nullable":true}"#, &[]);
    check_post("", "", &["body : a body is required"]);
    check_post("application/json", "", &["body : a body is required"]);
    check_post("text/plain", "x", &["body : the content type must be one of: application/json, application/x-www-form-urlencoded"]);
    check_post("application/json", r#"{"name":"secret"}"#, &["body /name: the value is longer than 5 characters"]);
    check_post(
        "application/json",
        r#"{"parts":[{"name":1}]}"#,
        &["body /parts/0/name: the value is not of type \"string\"", "body : \"name\" is a required property"],
    );
    check_post(
        "application/json",
        r#"{"name":"a","maybe":"z"}"#,
        &["body /maybe: the value is not valid under any of the schemas listed in the 'anyOf' keyword"],
    );
    check_post(
        "application/json",
        r#"{"name":"a","name":"b"}"#,
        &["body : this is not JSON, or a name is written twice in it (line 1, column 23)"],
    );
    check_post("application/x-www-form-urlencoded", "n=1&l=a&l=b", &[]);
    check_post("application/x-www-form-urlencoded", "n=x", &["body /n: the value is not of type \"integer\""]);
}

#[test]
fn an_operation_without_body_takes_none() {
    let document = document("3.0.3");
    let validator = Validator::build(&document, &named(&document, "GET /v1/files/{name}.json")).unwrap();
    let path = [("name".to_owned(), "a".to_owned())];
    let judged = validator.validate(&path, None, &HeaderMap::new(), Some(("application/json", b"{}")));
    assert_eq!(said(judged), ["body : this operation takes no body"]);
    assert_eq!(validator.validate(&path, Some(""), &HeaderMap::new(), Some(("", b""))), Ok(()));
}

#[test]
fn version_3_1_is_json_schema() {
    let document = json!({ "openapi": "3.1.0", "paths": { "/": { "get": { "parameters": [
        { "name": "n", "in": "query", "schema": { "type": ["integer", "null"], "exclusiveMinimum": 1 } },
        { "name": "b", "in": "query", "schema": { "oneOf": [{ "const": true }, { "type": "number" }] } }
    ], "responses": {} } } } });
    let validator = Validator::build(&document, &named(&document, "GET /")).unwrap();
    let judge = |query: &str| said(validator.validate(&[], Some(query), &HeaderMap::new(), None));
    assert!(judge("n=2&b=1.5").is_empty());
    assert_eq!(judge("n=1"), ["query n: the value is less than or equal to the minimum of 1"]);
}

#[test]
fn a_bad_document_is_refused_with_its_place() {
    let with = |path: Value| json!({ "openapi": "3.0.0", "paths": path });
    let refused = |document: &Value| operations(document).map(|found| found.len()).map_err(|error| error.to_string());
    assert_eq!(refused(&json!({ "swagger": "2.0" })), Err(OpenApiError::Version.to_string()));
    assert_eq!(refused(&with(json!([]))), Err("/paths: expected an object".into()));
    assert_eq!(
        refused(&with(json!({ "/a": { "$ref": "other.yaml#/a" } }))),
        Err("the reference `other.yaml#/a` leads out of the document: only `#/…` is followed".into())
    );
    assert_eq!(refused(&with(json!({ "/a": { "$ref": "#/paths/~1b" } }))), Err("the reference `#/paths/~1b` leads nowhere".into()));
    assert_eq!(refused(&with(json!({ "/a": { "$ref": "#/paths/~1a" } }))), Err("the reference `#/paths/~1a` leads to itself".into()));
    for template in ["a", "/{a", "/a}", "/{}", "/{a}{b}", "/{a{b}}"] {
        assert!(refused(&with(json!({ template: { "get": {} } }))).is_err(), "{template}");
    }
    assert!(refused(&with(json!({ "/a": { "get": { "parameters": [{ "name": "x", "in": "body" }] } } }))).is_err());
}

#[test]
fn a_bad_schema_is_refused_when_it_is_built() {
    let build = |schema: Value| {
        let parameter = json!({ "name": "x", "in": "query", "schema": schema });
        let document = json!({ "openapi": "3.0.0", "paths": { "/": { "get": { "parameters": [parameter] } } } });
        Validator::build(&document, &named(&document, "GET /")).map(|_| ()).map_err(|error| error.to_string())
    };
    assert!(build(json!({ "type": "string", "pattern": "(" })).is_err());
    assert!(build(json!({ "type": "nothing" })).is_err());
    assert!(build(json!({ "$ref": "https://example.org/schema.json" })).is_err());
    assert!(build(json!({ "$ref": "#/components/schemas/Gone" })).is_err());
    let mut deep = json!({});
    for _ in 0..100 {
        deep = json!({ "not": deep });
    }
    assert_eq!(build(deep), Err("more than 64 levels of schemas".into()));
}

#[test]
fn a_greedy_pattern_and_references_that_double_take_no_time() {
    let mut schemas = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({ "$ref": format!("#/components/schemas/S{}", level + 1) });
        schemas.insert(format!("S{level}"), json!({ "type": "object", "properties": { "a": next, "b": next } }));
    }
    schemas.insert("S40".into(), json!({ "type": "integer" }));
    let document = json!({ "openapi": "3.0.0", "components": { "schemas": schemas }, "paths": { "/": { "post": {
        "parameters": [{ "name": "p", "in": "query", "schema": { "type": "string", "pattern": "^(?=(a+)+$)(a+)+$" } }],
        "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/S0" } } } },
        "responses": { "200": { "description": "", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/S0" } } } } }
    } } } });
    let start = std::time::Instant::now();
    let validator = Validator::build(&document, &named(&document, "POST /")).unwrap();
    let query = format!("p={}!", "a".repeat(2_000));
    let judged = validator.validate(&[], Some(&query), &HeaderMap::new(), Some(("application/json", br#"{"a":{"b":1}}"#)));
    let said = said(judged);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
}
