use std::{fs, path::PathBuf};

use octroi_domain::{api::Api, catalogue::CaseFile};

use super::*;

fn api() -> Api {
    serde_json::from_value(json!({
        "slug": "things", "provider": "town", "name": { "fr": "Choses", "en": "Things" }, "description": { "fr": "Choses", "en": "Things" },
        "mount": "/town/things", "visibility": "public", "access": { "mode": "open" }, "plans": [], "backends": {}, "contracts": []
    }))
    .unwrap()
}
fn case(operation: &str, source: &str, params: Value, status: u16, payload: &str) -> MockCase {
    MockCase {
        operation: operation.parse().unwrap(),
        source: source.into(),
        params: serde_json::from_value(params).unwrap(),
        status,
        payload: payload.into(),
    }
}
fn document(mocks: Vec<MockCase>) -> ApiDocument {
    let ok = json!({ "200": { "description": "", "content": { "application/json": { "example": { "shown": true } } } } });
    let openapi = json!({ "openapi": "3.0.0", "paths": {
        "/people": { "get": { "responses": ok }, "post": { "responses": ok } },
        "/people/{id}": { "get": { "responses": ok } },
        "/people/me": { "get": { "responses": ok } },
        "/people/{id}/photo": { "delete": {} }
    } });
    ApiDocument { api: api(), openapi, mocks }
}
fn cases() -> Vec<MockCase> {
    vec![
        case(
            "GET /people",
            "f/list.yaml",
            json!({ "prenoms": ["A", "B"], "annee": 1987, "code": "08480", "actif": true }),
            200,
            r#"{"n":1}"#,
        ),
        case("GET /people", "f/one.yaml", json!({ "prenoms": ["A"], "nomUsage": null, "vide": [] }), 404, r#"{"errors":[]}"#),
        case("GET /people", "f/b.yaml", json!({ "nom": "X" }), 200, r#"{"n":2}"#),
        case("GET /people", "f/a.yaml", json!({ "nom": ["X"] }), 200, r#"{"n":3}"#),
        case("GET /people/{id}", "g/1.yaml", json!({ "id": 7 }), 200, r#"{"id":7}"#),
        case("POST /people", "h/1.yaml", json!({ "who": { "name": "Z" }, "tags": ["x", "y"] }), 201, r#"{"z":1}"#),
        case("POST /people", "h/2.yaml", json!({}), 204, ""),
    ]
}
#[track_caller]
fn check(operation: &str, request: &MockRequest<'_>, expected: Result<&str, u16>) {
    let answer = Mocks::build(&document(cases())).unwrap().answer(&operation.parse().unwrap(), request);
    match expected {
        Ok(source) => assert_eq!(answer.source.as_deref(), Some(source), "{answer:?}"),
        Err(status) => assert_eq!((answer.source, answer.status), (None, status)),
    }
}
fn query(text: &str) -> MockRequest<'_> {
    MockRequest { query: Some(text), ..MockRequest::default() }
}

#[test]
fn parameters_choose_the_case() {
    let get = |text: &str, expected| check("GET /people", &query(text), expected);
    get("prenoms[]=A&prenoms[]=B&annee=1987&code=08480&actif=true", Ok("f/list.yaml"));
    get("actif=true&code=08480&prenoms%5B%5D=A&annee=1987&prenoms%5B%5D=B", Ok("f/list.yaml"));
    get("prenoms=A&prenoms=B&annee=1987&code=08480&actif=true", Ok("f/list.yaml"));
    get("prenoms[]=B&prenoms[]=A&annee=1987&code=08480&actif=true", Err(404));
    get("prenoms[]=A&prenoms[]=B&annee=1987&code=8480&actif=true", Err(404));
    get("prenoms[]=A&prenoms[]=B&annee=1987&code=08480", Err(404));
    get("prenoms[]=A", Ok("f/one.yaml"));
    get("prenoms[]=A&nom=X", Err(404));
    // A parameter that no case names takes no part in the choice.
    get("prenoms[]=A&recipient=13002526500013", Ok("f/one.yaml"));
    get("", Err(404));
}

#[test]
fn path_and_body_give_parameters_too() {
    let id = [("id".to_owned(), "7".to_owned())];
    check("GET /people/{id}", &MockRequest { path_params: &id, ..query("fields=all") }, Ok("g/1.yaml"));
    let body = |content_type, body: &'static str| MockRequest {
        content_type: Some(content_type),
        body: body.as_bytes(),
        ..MockRequest::default()
    };
    check(
        "POST /people",
        &body("application/json; charset=utf-8", r#"{"tags":["x","y"],"who":{"name":"Z"},"other":null}"#),
        Ok("h/1.yaml"),
    );
    check("POST /people", &body("application/x-www-form-urlencoded", "tags[]=x&tags[]=y&who[name]=Z"), Ok("h/1.yaml"));
    check("POST /people", &body("application/json", "not JSON"), Ok("h/2.yaml"));
    check("POST /people", &body("application/json", r#"{"tags":["x"]}"#), Err(404));
}

#[test]
fn a_header_stands_for_the_parameters() {
    let with = |text| MockRequest { mock_params: Some(text), ..query("nom=Y") };
    check("GET /people", &with(r#"{"nom":"X"}"#), Ok("f/a.yaml"));
    for bad in ["", "[]", "nom=X", "{"] {
        check("GET /people", &with(bad), Err(400));
    }
}

#[test]
fn of_two_cases_alike_the_first_name_answers() {
    check("GET /people", &query("nom=X"), Ok("f/a.yaml"));
    let mocks = Mocks::build(&document(cases())).unwrap();
    assert_eq!(mocks.shadowed(), [Shadowed { source: "f/b.yaml".into(), by: "f/a.yaml".into() }]);
}

#[test]
fn without_cases_the_example_answers() {
    let mocks = Mocks::build(&document(Vec::new())).unwrap();
    let answer = |name: &str| mocks.answer(&name.parse().unwrap(), &query("any=thing"));
    let shown = answer("GET /people");
    assert_eq!((shown.status, &*shown.content_type, &*shown.body), (200, "application/json", br#"{"shown":true}"#.as_slice()));
    assert_eq!(answer("DELETE /people/{id}/photo").status, 501);
    assert_eq!(answer("GET /nothing").status, 501);
}

#[test]
fn a_request_without_case_is_told_the_names_it_gave() {
    let mocks = Mocks::build(&document(cases())).unwrap();
    let answer = mocks.answer(&"GET /people".parse().unwrap(), &query("nom=Secret&autre=Caché"));
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let error = &body["errors"][0];
    assert_eq!((answer.status, &error["code"]), (404, &json!("mock_case_not_found")));
    assert_eq!(error["meta"], json!({ "received": ["autre", "nom"], "known": ["actif", "annee", "code", "nom", "prenoms"], "cases": 3 }));
    let text = error["detail"].as_str().unwrap();
    assert!(text.contains("GET /people") && text.contains("received: autre, nom.") && !body.to_string().contains("Secret"), "{text}");
}

#[test]
fn paths_lead_to_the_closest_operation() {
    let mocks = Mocks::build(&document(Vec::new())).unwrap();
    let route = |method: &str, path: &str| mocks.route(method, path).map(|(name, parameters)| (name.template.clone(), parameters));
    let id = |value: &str| vec![("id".to_owned(), value.to_owned())];
    assert_eq!(route("GET", "/people"), Some(("/people".into(), Vec::new())));
    assert_eq!(route("GET", "/people/me"), Some(("/people/me".into(), Vec::new())));
    assert_eq!(route("GET", "/people/a%20b"), Some(("/people/{id}".into(), id("a b"))));
    assert_eq!(route("DELETE", "/people/me/photo"), Some(("/people/{id}/photo".into(), id("me"))));
    for (method, path) in [("PUT", "/people"), ("GET", "/people/"), ("GET", "people"), ("GET", "/"), ("GET", "/people/a/b")] {
        assert_eq!(route(method, path), None, "{method} {path}");
    }
}

#[test]
fn a_case_that_cannot_answer_is_refused() {
    let refused = |status, payload| {
        Mocks::build(&document(vec![case("GET /people", "f/x.yaml", json!({}), status, payload)])).err().map(|error| error.to_string())
    };
    assert_eq!(refused(99, "{}"), Some("f/x.yaml: the status 99 is not one of 200 to 599".into()));
    assert_eq!(refused(100, "{}"), Some("f/x.yaml: the status 100 is not one of 200 to 599".into()));
    assert!(refused(200, "{\"a\":").is_some_and(|error| error.starts_with("f/x.yaml: the payload is not JSON")));
    assert_eq!(refused(204, " \n"), None);
}

/// The folder of staged cases, when it is there.
fn corpus() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/api-particulier");
    let folder = std::env::var_os("OCTROI_CORPUS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let found = folder.join("payloads").is_dir();
    if !found {
        eprintln!("skipped: no staged cases in {} (set OCTROI_CORPUS)", folder.display());
    }
    found.then_some(folder)
}
/// Rows of the table of its README: folder → operation.
fn folders(readme: &str) -> BTreeMap<String, OperationName> {
    let row = |line: &str| {
        let mut cells = line.split('|').skip(1).map(|cell| cell.trim().trim_matches('`'));
        Some((cells.next()?.to_owned(), cells.next()?.parse().ok()?))
    };
    readme.lines().filter_map(row).collect()
}
/// `name=value&name[]=value`, percent-encoded throughout.
fn as_query(params: &BTreeMap<String, Value>) -> String {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let pair = |name: &str, value: &Value| format!("{}={}", encoded(name), encoded(&as_text(value)));
    let pairs = params.iter().flat_map(|(name, value)| match value {
        Value::Array(values) => values.iter().map(|value| pair(&format!("{name}[]"), value)).collect(),
        value => vec![pair(name, value)],
    });
    pairs.chain(["recipient=13002526500013".to_owned()]).collect::<Vec<_>>().join("&")
}

#[test]
fn every_staged_case_is_chosen_by_its_own_parameters() {
    let Some(folder) = corpus() else { return };
    let operations = folders(&fs::read_to_string(folder.join("README.md")).unwrap());
    let openapi = serde_saphyr::from_str(&fs::read_to_string(folder.join("openapi.yaml")).unwrap()).unwrap();
    let mut mocks = Vec::new();
    for (name, operation) in &operations {
        for file in fs::read_dir(folder.join("payloads").join(name)).unwrap() {
            let path = file.unwrap().path();
            let read: CaseFile =
                serde_saphyr::from_str(&fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let source = format!("{name}/{}", path.file_name().unwrap().to_string_lossy());
            mocks.push(MockCase { operation: operation.clone(), source, params: read.params, status: read.status, payload: read.payload });
        }
    }
    assert_eq!((operations.len(), mocks.len()), (31, 237));
    let built = Mocks::build(&ApiDocument { api: api(), openapi, mocks: mocks.clone() }).unwrap();
    assert_eq!(built.shadowed(), []);
    for case in &mocks {
        let (method, path) = (&case.operation.method, &case.operation.template);
        assert_eq!(built.route(method, path).map(|(name, _)| name), Some(&case.operation));
        let (text, header) = (as_query(&case.params), serde_json::to_string(&case.params).unwrap());
        let by_header = MockRequest { mock_params: Some(&header), ..MockRequest::default() };
        let by_query = query(&text);
        let request = if path.ends_with("/france_connect") { by_header } else { by_query };
        let answer = built.answer(&case.operation, &request);
        assert_eq!((answer.source.as_deref(), answer.status), (Some(case.source.as_str()), case.status));
        let json = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
        assert_eq!(json(&answer.body), json(case.payload.as_bytes()), "{}", case.source);
    }
}

#[test]
fn operations_of_the_staged_document_have_examples() {
    let Some(folder) = corpus() else { return };
    let document: Value = serde_saphyr::from_str(&fs::read_to_string(folder.join("openapi.yaml")).unwrap()).unwrap();
    let operations = openapi::operations(&document).unwrap();
    assert_eq!(operations.len(), 35);
    for operation in &operations {
        let example = operation.example.as_ref().unwrap_or_else(|| panic!("{} shows nothing", operation.name));
        let shown: Value = serde_json::from_str(&example.body).unwrap();
        assert!(shown["data"].is_object(), "{}: {shown}", operation.name);
        openapi::Validator::build(&document, operation).unwrap();
    }
}
