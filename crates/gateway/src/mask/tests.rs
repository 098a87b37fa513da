use std::collections::BTreeMap;

use octroi_domain::api::OperationName;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn contract(opens: &[(&str, &[&str])], always: &[&str], errors: ErrorBodies) -> Contract {
    let paths = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<FieldPath>>();
    Contract {
        operations: vec![OperationName { method: "GET".into(), template: "/".into() }],
        scopes: ScopeSet::empty(),
        opens: opens.iter().map(|(scope, texts)| (Scope::new(*scope).unwrap(), paths(texts))).collect::<BTreeMap<_, _>>(),
        always: paths(always),
        errors,
    }
}
fn scopes(text: &str) -> ScopeSet {
    text.split_whitespace().map(|word| Scope::new(word).unwrap()).collect()
}
fn mask(paths: &[&str]) -> Mask {
    MaskPlan::compile(&contract(&[("s", paths)], &[], ErrorBodies::Described)).mask_for(&scopes("s"))
}
fn apply(mask: &Mask, body: &[u8]) -> Result<(String, u32), Unreadable> {
    let mut out = b"kept:".to_vec();
    let result = mask.apply(body, &mut out);
    let text = String::from_utf8(out).unwrap();
    let text = text.strip_prefix("kept:").expect("what stood there stays").to_owned();
    assert!(result.is_ok() || text.is_empty(), "an unreadable body leaves nothing: {text}");
    result.map(|cut| (text, cut))
}
#[track_caller]
fn check(paths: &[&str], body: &str, expected: &str, cut: u32) {
    assert_eq!(apply(&mask(paths), body.as_bytes()), Ok((expected.to_owned(), cut)));
}
#[track_caller]
fn check_unreadable(body: &[u8], expected: Unreadable) {
    assert_eq!(apply(&mask(&["a"]), body), Err(expected));
}

#[test]
fn what_is_open_is_copied_and_the_rest_is_cut() {
    check(&["a"], r#"{"a":1,"b":2,"c":{"d":3}}"#, r#"{"a":1}"#, 2);
    check(&["a.b"], r#" { "a" : { "b" : [ 1 , 2 ], "c":1 } , "z":0 } "#, r#"{"a":{"b":[ 1 , 2 ]}}"#, 2);
    check(&["a", "c"], r#"{"b":1,"c":2,"d":3,"a":4}"#, r#"{"c":2,"a":4}"#, 2);
    // A path opens everything below it, whichever of two comes first.
    check(&["a.b", "a"], r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":1,"c":2}}"#, 0);
    check(&["a", "a.b"], r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":1,"c":2}}"#, 0);
}

#[test]
fn numbers_and_texts_keep_their_spelling() {
    let body = r#"{"a":[1e400,-0,1.10,12345678901234567890123,"\u00e9\/\ud800"],"n":"É"}"#;
    check(&["a", "n"], body, body, 0);
    check(&["*"], body, body, 0);
}

#[test]
fn arrays_are_entered_by_a_wildcard_alone() {
    check(&["a[*].n"], r#"{"a":[{"n":1,"p":2},{"p":3},{}]}"#, r#"{"a":[{"n":1},{},{}]}"#, 2);
    check(&["a.n"], r#"{"a":[{"n":1}],"b":1}"#, "{}", 2);
    check(&["[*].n"], r#"[{"n":1,"p":2}]"#, r#"[{"n":1}]"#, 1);
    check(&["[*]"], "[1,[2]]", "[1,[2]]", 0);
    check(&["a[*][*].n"], r#"{"a":[[{"n":1}],[],[{"m":1}]]}"#, r#"{"a":[[{"n":1}],[],[{}]]}"#, 1);
    // Elements keep their place.
    check(&["a[*].n"], r#"{"a":[1,{"n":2},null,[3]]}"#, r#"{"a":[null,{"n":2},null,null]}"#, 2);
}

#[test]
fn a_wildcard_and_a_name_add_up() {
    check(&["*.n", "x.p"], r#"{"x":{"n":1,"p":2,"q":3},"y":{"n":1,"p":2}}"#, r#"{"x":{"n":1,"p":2},"y":{"n":1}}"#, 2);
    check(&["*.n", "x"], r#"{"x":{"q":3},"y":{"q":3}}"#, r#"{"x":{"q":3},"y":{}}"#, 1);
    check(
        &["*.*.a", "x.*.b", "x.y.c"],
        r#"{"x":{"y":{"a":1,"b":2,"c":3,"d":4},"z":{"a":1,"b":2,"c":3}},"w":{"y":{"a":1,"b":2,"c":3}}}"#,
        r#"{"x":{"y":{"a":1,"b":2,"c":3},"z":{"a":1,"b":2}},"w":{"y":{"a":1}}}"#,
        4,
    );
}

#[test]
fn a_body_that_does_not_fit_shows_nothing() {
    check(&["a.b"], r#"{"a":5}"#, "{}", 1);
    check(&["a.b"], r#"{"a":"text"}"#, "{}", 1);
    check(&["a.b"], r#"{"a":null}"#, r#"{"a":null}"#, 0);
    check(&["a.b"], r#"{"a":{"c":1}}"#, r#"{"a":{}}"#, 1);
    check(&["a.b"], "{}", "{}", 0);
}

#[test]
fn names_are_compared_after_their_escapes() {
    check(&["nom"], r#"{"n\u006fm":1,"nom ":2,"NOM":3}"#, r#"{"nom":1}"#, 2);
    check(&["['a\"b']"], r#"{"a\"b":1,"a\u0022b":2,"b":3}"#, r#"{"a\"b":1,"a\"b":2}"#, 1);
    check(&["a"], r#"{"a":1,"a":2,"b":3,"b":4}"#, r#"{"a":1,"a":2}"#, 2);
}

#[test]
fn what_cannot_be_read_is_not_let_through() {
    let not_json = |line, column| Unreadable::NotJson { line, column };
    check_unreadable(b"", not_json(1, 0));
    check_unreadable(b"\xef\xbb\xbf{\"a\":1}", not_json(1, 1));
    check_unreadable(b"{\"a\":\"\xff\"}", Unreadable::NotUtf8);
    check_unreadable(b"{\"a\":1} {\"a\":2}", not_json(1, 9));
    check_unreadable(b"{\"a\":1", not_json(1, 6));
    check_unreadable(b"{\"a\":1,}", not_json(1, 8));
    check_unreadable(b"{\"b\":01}", not_json(1, 7));
    check_unreadable(b"{\"b\":NaN}", not_json(1, 6));
    check_unreadable(b"{\"b\":tru}", not_json(1, 9));
    check_unreadable(b"{\"\\ud800\":1}", not_json(1, 9));
    for scalar in ["1", "\"a\"", "true", "null", "[1]", "-1", "1.5"] {
        check_unreadable(scalar.as_bytes(), Unreadable::Shape);
    }
}

#[test]
fn depth_is_bounded_where_nothing_is_read_too() {
    let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    assert!(apply(&mask(&["a"]), nested(127).as_bytes()).is_ok());
    check_unreadable(nested(128).as_bytes(), Unreadable::TooDeep);
    check_unreadable(nested(100_000).replace("\"a\"", "\"b\"").as_bytes(), Unreadable::TooDeep);
    let wide = format!("{{\"a\":[{}1]}}", "[],{},".repeat(200));
    check(&["a"], &wide, &wide, 0);
    let quoted = format!("{{\"a\":\"{}\\\"[\"}}", "[{".repeat(200));
    check(&["a"], &quoted, &quoted, 0);
}

#[test]
fn each_scope_opens_its_fields() {
    let plan = MaskPlan::compile(&contract(&[("x", &["data.x"]), ("y", &["data.y"]), ("none", &[])], &["links"], ErrorBodies::Described));
    let body = br#"{"data":{"x":1,"y":2,"z":3},"links":{},"meta":{}}"#;
    let show = |granted: &str| apply(&plan.mask_for(&scopes(granted)), body).map(|(text, _)| text);
    assert_eq!(show("x"), Ok(r#"{"data":{"x":1},"links":{}}"#.into()));
    assert_eq!(show("x y other"), Ok(r#"{"data":{"x":1,"y":2},"links":{}}"#.into()));
    assert_eq!(show("none"), Ok(r#"{"links":{}}"#.into()));
    assert_eq!(show("other"), Ok("{}".into()), "no scope of the operation: not even what is always open");
    assert_eq!(show(""), Ok("{}".into()));
    let closed = plan.mask_for(&ScopeSet::empty());
    assert_eq!(apply(&closed, b"[1,{\"a\":2}]"), Ok(("[]".into(), 2)));
}

#[test]
fn error_bodies_show_what_describes_the_error() {
    let opens: &[(&str, &[&str])] = &[("x", &["data"])];
    let described = MaskPlan::compile(&contract(opens, &["meta"], ErrorBodies::Described));
    let body = br#"{"errors":[{"code":"1","meta":{"a":1}}],"status":404,"data":{"nom":"X"},"meta":{},"trace":"at line 1"}"#;
    let shown = described.error_mask().map(|mask| apply(mask, body));
    assert_eq!(shown, Some(Ok((r#"{"errors":[{"code":"1","meta":{"a":1}}],"status":404}"#.into(), 3))));
    assert!(MaskPlan::compile(&contract(opens, &[], ErrorBodies::Pass)).error_mask().is_none());
    let unmasked = MaskPlan::compile(&contract(&[], &[], ErrorBodies::Described));
    assert!(unmasked.error_mask().is_none() && !unmasked.is_masked());
    assert_eq!(apply(&unmasked.mask_for(&ScopeSet::empty()), b" [1, 2] "), Ok(("[1, 2]".into(), 0)));
}

/// The rules, told again over values: what of `value` these paths open; nothing when it is cut.
fn model(value: &Value, paths: &[&[Step]]) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    let after = |wanted: Option<&str>| -> Vec<&[Step]> {
        let fits = |step: &Step| {
            matches!((step, wanted), (Step::Every, _)) || matches!((step, wanted), (Step::Member(name), Some(wanted)) if name == wanted)
        };
        paths.iter().filter_map(|path| path.split_first()).filter(|(first, _)| fits(first)).map(|(_, rest)| rest).collect()
    };
    match value {
        Value::Null => Some(Value::Null),
        Value::Object(members) => {
            let kept = members.iter().filter_map(|(name, member)| {
                let after = after(Some(name));
                if after.is_empty() { None } else { Some((name.clone(), model(member, &after)?)) }
            });
            Some(Value::Object(kept.collect()))
        }
        Value::Array(elements) => {
            let after = after(None);
            if after.is_empty() {
                return None;
            }
            Some(Value::Array(elements.iter().map(|element| model(element, &after).unwrap_or(Value::Null)).collect()))
        }
        _ => None,
    }
}
/// Does `part` hold nothing that `whole` does not? Cut elements are null.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| is_part(part, whole)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| part.is_null() || is_part(part, whole))
        }
        _ => part == whole,
    }
}
fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(leaves).sum(),
        Value::Array(elements) => elements.iter().map(leaves).sum(),
        Value::Null => 0,
        _ => 1,
    }
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![Just("a".to_owned()), Just("b".to_owned()), Just("c\"é\n".to_owned()), "[a-c]{1,2}"]
}
fn any_document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from)
    ];
    let value = leaf.prop_recursive(5, 48, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(any_name(), inner, 0..5).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    value.prop_filter("an object", Value::is_object)
}
fn any_path() -> impl Strategy<Value = FieldPath> {
    let step = prop_oneof![3 => any_name().prop_map(Step::Member), 1 => Just(Step::Every)];
    proptest::collection::vec(step, 1..5).prop_map(|steps| {
        let text: String = steps
            .iter()
            .map(|step| match step {
                Step::Every => "[*]".to_owned(),
                Step::Member(name) => format!("['{name}']"),
            })
            .collect();
        text.parse().unwrap()
    })
}
fn mask_of(paths: &[FieldPath]) -> Mask {
    let mut contract = contract(&[("s", &[])], &[], ErrorBodies::Described);
    contract.opens.insert(Scope::new("s").unwrap(), paths.to_vec());
    MaskPlan::compile(&contract).mask_for(&scopes("s"))
}

proptest! {
    #[test]
    fn a_mask_does_what_the_rules_say(document in any_document(), paths in proptest::collection::vec(any_path(), 0..6), pretty: bool) {
        let body = if pretty { serde_json::to_vec_pretty(&document) } else { serde_json::to_vec(&document) }.unwrap();
        let (text, cut) = apply(&mask_of(&paths), &body).unwrap();
        let shown: Value = serde_json::from_str(&text).unwrap();
        let whole: Value = serde_json::from_slice(&body).unwrap();
        let steps: Vec<&[Step]> = paths.iter().map(FieldPath::steps).collect();
        prop_assert_eq!(Some(shown.clone()), model(&whole, &steps));
        prop_assert!(is_part(&shown, &whole));
        prop_assert_eq!(cut == 0, shown == whole);
    }

    #[test]
    fn an_open_mask_is_the_identity_and_a_closed_one_shows_no_leaf(document in any_document()) {
        let body = serde_json::to_vec(&document).unwrap();
        let (text, cut) = apply(&mask(&["*"]), &body).unwrap();
        prop_assert_eq!(text.as_bytes(), body.as_slice());
        prop_assert_eq!(cut, 0);
        let (text, _) = apply(&mask(&[]), &body).unwrap();
        prop_assert_eq!(text, "{}");
        let (text, _) = apply(&mask(&["*.*.*.*.*.*.*.*.x"]), &body).unwrap();
        prop_assert_eq!(leaves(&serde_json::from_str(&text).unwrap()), 0);
    }

    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>, text in "[\\[\\]{}\",:a0nul\\\\ ]{0,40}") {
        for mask in [mask(&["a", "*.a[*]"]), mask(&[])] {
            let _ = apply(&mask, &body);
            let read = apply(&mask, text.as_bytes()).is_ok();
            prop_assert!(!read || serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "what was let through is JSON");
        }
    }
}

/// Run with `cargo test --release -p octroi-gateway --lib mask -- --ignored --nocapture`.
#[test]
#[ignore = "a measure, not a check"]
fn masking_one_kilobyte() {
    let person = |name: &str| serde_json::json!({ "nom_naissance": name, "nom_usage": null, "prenoms": "JEANNE STEPHANIE", "date_naissance": "1987-06-27", "sexe": "F" });
    let body = serde_json::to_vec(&serde_json::json!({
        "data": {
            "quotient_familial": { "fournisseur": "MSA", "valeur": 150, "annee": 2023, "mois": 5, "annee_calcul": 2024, "mois_calcul": 12 },
            "allocataires": [person("ROUX"), person("ROUX")],
            "enfants": [person("ROUX"), person("MARTIN"), person("LEROUGE")],
            "adresse": { "destinataire": "Madame ROUX Jeanne", "numero_libelle_voie": "1 PLACE DE L'HÔTEL DE VILLE", "code_postal_ville": "51000 CHÂLONS-EN-CHAMPAGNE", "pays": "FRANCE" }
        },
        "links": {}, "meta": {}
    }))
    .unwrap();
    let wide = mask(&["data.quotient_familial", "links", "meta"]);
    let fine = mask(&[
        "data.quotient_familial.valeur",
        "data.enfants[*].date_naissance",
        "data.allocataires[*].nom_naissance",
        "data.adresse.pays",
        "links",
    ]);
    for (name, mask) in [("one object of three", wide), ("fields of list elements", fine)] {
        let rounds = 200_000_u32;
        let mut out = Vec::with_capacity(body.len());
        let mut best = std::time::Duration::MAX;
        for _ in 0..5 {
            let start = std::time::Instant::now();
            for _ in 0..rounds {
                out.clear();
                mask.apply(std::hint::black_box(&body), &mut out).unwrap();
                std::hint::black_box(&out);
            }
            best = best.min(start.elapsed() / rounds);
        }
        eprintln!("{name}: {} bytes in, {} out, {:.2} µs", body.len(), out.len(), best.as_secs_f64() * 1e6);
    }
}
