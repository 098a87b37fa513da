use super::*;

fn document() -> ApiDocument {
    let api = json!({
        "slug": "things", "provider": "town", "name": { "fr": "Choses", "en": "Things" }, "description": { "fr": "a", "en": "b" },
        "mount": "/town/things", "visibility": "public", "access": { "mode": "open" }, "plans": [],
        "backends": { "sandbox": { "mocks": true } },
        "contracts": [{ "operations": ["GET /v1/{id}/{part}", "POST /search", "GET /me"] }],
    });
    let openapi = json!({ "openapi": "3.0.3", "paths": {
        "/v1/{id}/{part}": { "get": { "parameters": [
            { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } },
            { "name": "names[]", "in": "query", "schema": { "type": "array", "items": { "type": "string" } } },
            { "name": "year", "in": "query", "schema": { "type": "integer" }, "example": 2026 },
            { "name": "Cache-Control", "in": "header" }, { "name": "Authorization", "in": "header" }, { "name": "Octroi-Mock-Params", "in": "header" },
        ] } },
        "/search": { "post": { "requestBody": { "content": { "application/json": { "schema": {} } } } } },
        "/me": { "get": {} },
    } });
    let case = |operation: &str, source: &str, params: Value, status: u16| MockCase {
        operation: operation.parse().unwrap(),
        source: source.into(),
        params: serde_json::from_value(params).unwrap(),
        status,
        payload: "{}".into(),
    };
    let mocks = vec![
        case("GET /v1/{id}/{part}", "thing/404-unknown.yaml", json!({ "id": "0", "part": "a" }), 404),
        case("GET /v1/{id}/{part}", "thing/200-two_names.yaml", json!({ "id": 12, "part": "a", "names": ["A", "B"] }), 200),
        case("POST /search", "search/200.yaml", json!({ "fond": "X" }), 200),
        case("GET /me", "me/200-person.yaml", json!({ "name": "É" }), 200),
    ];
    ApiDocument { api: serde_json::from_value(api).unwrap(), openapi, mocks }
}

/// The form of an operation, without the application around it.
fn form(key: &str) -> TryForm {
    let document = document();
    let (line, contract, name) = reference::find(&document, key).unwrap();
    let cases: Vec<&MockCase> = document.mocks.iter().filter(|case| case.operation == *name).collect();
    let operation = reference::detail(&document.openapi, line, contract, name);
    let mut form = TryForm {
        fields: fields(&operation, &cases),
        body_type: operation.body.as_ref().map(|body| body.content_type.clone()),
        body: String::new(),
        samples: Vec::new(),
        sample: None,
        operation,
        state: TryState::Ready,
    };
    fill(&mut form, cases.iter().find(|case| case.status == 200).unwrap());
    form
}

fn typed(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[track_caller]
fn faulty(key: &str, values: &[(&str, &str)]) -> Vec<(String, String)> {
    match written(&form(key), "/town/things", &typed(values)) {
        Err(Error::Invalid(faults)) => faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_case_fills_the_form() {
    let form = form("get-v1-id-part");
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|field| (field.name.as_str(), field.value.as_str())).collect();
    // The header that carries the credential, and the gateway's own, are not the visitor's.
    let expected = [("path.id", "12"), ("query.names[]", "A\nB"), ("query.year", "2026"), ("header.Cache-Control", ""), ("path.part", "a")];
    assert_eq!(fields, expected);
    assert_eq!(super::tests::form("post-search").body, "{\n  \"fond\": \"X\"\n}");
    assert_eq!(super::tests::form("get-me").fields[0].name, "header.Octroi-Mock-Params");
    assert_eq!(title(&document().mocks[1]), "two names");
    assert_eq!(title(&document().mocks[2]), "200");
}

#[test]
fn a_call_is_written_safely() {
    let values =
        typed(&[("path.id", "a b?#&é"), ("path.part", "x"), ("query.names[]", "A&B=C\r\n\nD"), ("query.year", ""), ("other", "z")]);
    let call = written(&form("get-v1-id-part"), "/town/things", &values).unwrap();
    assert_eq!(call.target, "/town/things/v1/a%20b%3F%23%26%C3%A9/x?names%5B%5D=A%26B%3DC&names%5B%5D=D");
    assert_eq!((call.method.as_str(), call.body), ("GET", None));
    assert_eq!(call.headers, [("Accept".to_owned(), "application/json".to_owned())]);
    let call = written(&form("post-search"), "/m", &typed(&[("body", " {\"a\":1} ")])).unwrap();
    assert_eq!((call.target.as_str(), call.body.as_deref()), ("/m/search", Some("{\"a\":1}")));
}

#[test]
fn what_cannot_be_sent_is_named() {
    let pair = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    for (id, code) in
        [("", "missing"), (" .. ", "invalid"), ("a/b", "invalid"), ("a%2fb", "invalid"), ("a\\b", "invalid"), ("a\0b", "invalid")]
    {
        assert_eq!(faulty("get-v1-id-part", &[("path.id", id), ("path.part", "a")]), [pair("/path.id", code)], "{id}");
    }
    let long = "a".repeat(MAX_VALUE + 1);
    let many = "a\n".repeat(MAX_VALUES + 1);
    let good = [("path.id", "1"), ("path.part", "a")];
    let with = |name: &'static str, value: &str| faulty("get-v1-id-part", &[good[0], good[1], (name, value)]);
    assert_eq!(with("query.year", &long), [pair("/query.year", "too_long")]);
    assert_eq!(with("query.year", "1\n2"), [pair("/query.year", "too_many")]);
    assert_eq!(with("query.names[]", &many), [pair("/query.names[]", "too_many")]);
    assert_eq!(with("header.Cache-Control", "a\r\nX-Api-Key: b"), [pair("/header.Cache-Control", "invalid")]);
    assert_eq!(faulty("post-search", &[("body", "{")]), [pair("/body", "malformed_json")]);
    assert_eq!(faulty("post-search", &[("body", &"1".repeat(MAX_BODY + 1))]), [pair("/body", "too_long")]);
}

#[test]
fn curl_is_quoted_for_a_shell() {
    let values = typed(&[("body", "{\"a\":\"l'eau $(rm)\"}")]);
    let call = written(&form("post-search"), "/m", &values).unwrap();
    let text = curl(&call, "http://s/m/search", TryState::Ready, Some("k"), Language::Fr);
    let expected = "curl -i -X POST 'http://s/m/search' \\\n  -H 'X-Api-Key: k' \\\n  -H 'Accept: application/json' \\\n  -H 'Content-Type: application/json' \\\n  --data-raw '{\"a\":\"l'\\''eau $(rm)\"}'";
    assert_eq!(text, expected);
    assert!(curl(&call, "u", TryState::NoKey, None, Language::Fr).contains("X-Api-Key: VOTRE_CLE"));
    assert!(curl(&call, "u", TryState::TokensOnly, None, Language::En).contains("Authorization: Bearer YOUR_TOKEN"));
}

#[test]
fn an_answer_is_laid_out_and_cut() {
    let answer = |body: Vec<u8>| shown(SandboxAnswer { status: 200, headers: vec![("Octroi-Error".into(), "x".into())], body, took_ms: 3 });
    let json = answer(b"{\"a\":[1]}".to_vec());
    assert_eq!((json.body.as_str(), json.refusal.as_deref(), json.cut), ("{\n  \"a\": [\n    1\n  ]\n}", Some("x"), false));
    let kept = answer(br#"{ "b":1.10, "a":{},"e":[ ], "t":"x, \"y\" {:}\\" , "n":12345678901234567890}"#.to_vec());
    let expected = "{\n  \"b\": 1.10,\n  \"a\": {},\n  \"e\": [],\n  \"t\": \"x, \\\"y\\\" {:}\\\\\",\n  \"n\": 12345678901234567890\n}";
    assert_eq!(kept.body, expected);
    let long = answer("é".repeat(MAX_SHOWN + 1).into_bytes());
    assert!(long.cut && long.body.chars().count() == MAX_SHOWN);
    assert_eq!(answer(vec![0xff]).body, "\u{fffd}");
}
