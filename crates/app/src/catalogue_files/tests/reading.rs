//! Documents of any shape: what a value reads as, and the bounds.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{
        fault::Source,
        read, read_api,
        yaml::{self, MAX_FILE},
    },
    API, now, put, small,
};

fn source(text: &str) -> Source {
    Source { path: "x.yaml".into(), text: text.into() }
}

#[track_caller]
fn check(text: &str, expected: &Value) {
    assert_eq!(yaml::parse_any(&source(text)).unwrap(), *expected, "{text}");
}

#[test]
fn values_keep_what_was_written() {
    check("date: 2026-01-31\ntime: 12:30:45\nsemver: 1.2.3", &json!({ "date": "2026-01-31", "time": "12:30:45", "semver": "1.2.3" }));
    check("200: a\n'201': b\ntrue: c\n1.50: d", &json!({ "200": "a", "201": "b", "true": "c", "1.50": "d" }));
    check("[yes, no, on, off, y, NO]", &json!(["yes", "no", "on", "off", "y", "NO"]));
    check("[true, false, null, ~]", &json!([true, false, null, null]));
    check("[007, 08480, 1_000, 12]", &json!(["007", "08480", "1_000", 12]));
    check("[18446744073709551615, -9223372036854775808, 0.1, 1.0]", &json!([u64::MAX, i64::MIN, 0.1, 1.0]));
    check("a: &x { b: 1 }\nc: *x\nd: { <<: *x, e: 2 }", &json!({ "a": { "b": 1 }, "c": { "b": 1 }, "d": { "b": 1, "e": 2 } }));
    check("{\"a\": [1, \"2026-01-31\"]}", &json!({ "a": [1, "2026-01-31"] }));
    check("text: |\n  a\n  b\nfolded: >-\n  a\n  b", &json!({ "text": "a\nb\n", "folded": "a b" }));
}

#[test]
fn what_is_hostile_is_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 9].join(", ")));
    }
    let deep_flow = "[".repeat(5_000);
    let deep_block = (0..500).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>();
    let deep_json = format!("{{\"a\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    for text in [
        &bomb,
        &deep_flow,
        &deep_block,
        &deep_json,
        "a: 1\n---\nb: 2",
        "a: 1\na: 2",
        "a: !!python/object x",
        "a: .nan",
        "\u{0}",
        "a:\n\t- b",
    ] {
        assert!(yaml::parse_any(&source(text)).is_err(), "{}", text.chars().take(40).collect::<String>());
    }
    let fault = yaml::parse_any(&source("{\n  \"a\": x\n}")).unwrap_err();
    assert_eq!((fault.line, fault.message.as_str()), (Some(2), "expected value"));
}

#[test]
fn files_are_bounded_and_utf_8() {
    let dir = small();
    let long = usize::try_from(MAX_FILE).unwrap() + 1;
    put(dir.path(), "ville/bourses/api.yaml", &format!("# {}\n{API}", "x".repeat(long)));
    assert!(read(dir.path(), now()).unwrap_err()[0].message.contains("is longer than"));
    std::fs::write(dir.path().join("ville/bourses/api.yaml"), b"slug: \xff").unwrap();
    assert!(read(dir.path(), now()).unwrap_err()[0].message.contains("is not UTF-8"));
}

#[test]
fn one_api_reads_alone_with_the_table_of_a_readme() {
    let dir = small();
    let folder = dir.path().join("ville/bourses");
    put(&folder, "api.yaml", &API.replace("\n  operations:\n    bourse: GET /bourse", ""));
    put(&folder, "README.md", "# Cases\n\n| Folder | Operation | Files |\n|---|---|---|\n| `bourse` | `GET /bourse` | 1 |\n");
    let document = read_api(&folder).unwrap();
    assert_eq!(document.mocks.len(), 1);
    assert_eq!(document.mocks[0].operation.to_string(), "GET /bourse");
    assert!(read_api(Path::new("/absent")).is_err());
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9_.:eE+~ -]{0,12}".prop_map(Value::from),
        "(yes|no|on|off|null|true|~|=|<<|&a|\\*a|!b|# c|- d|\\? e|: f|---|\\.\\.\\.)[ \n]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z0-9 .:#~_-]{0,8}", inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_printed_reads_back(value in any_value()) {
        let text = yaml::print(Path::new("x"), &value).unwrap();
        let back: Value = yaml::parse(&source(&text)).map_err(|fault| TestCaseError::fail(format!("{fault}\n{text}")))?;
        prop_assert_eq!(back, value, "{}", text);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[\\PC\n\t]{0,200}") {
        let _ = yaml::parse_any(&source(&text));
        let _ = yaml::parse::<octroi_domain::api::Api>(&source(&text));
    }

    #[test]
    fn no_change_of_an_api_makes_the_lint_panic(at in 0_usize..API.len(), cut in 0_usize..20, put_in in "[\\PC\n]{0,6}") {
        let dir = small();
        let mut bytes = API.as_bytes().to_vec();
        bytes.splice(at..(at + cut).min(bytes.len()), put_in.bytes());
        std::fs::write(dir.path().join("ville/bourses/api.yaml"), bytes).unwrap();
        let _ = read(dir.path(), now());
    }
}
