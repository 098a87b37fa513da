use serde_json::json;

use super::*;
use crate::definition::{Answers, Form};

fn definition() -> Definition {
    let text = |text: &str| json!({"fr": text, "en": text});
    let scope = |value: &str, included: bool| json!({"value": value, "name": text(value), "group": text("g"), "included": included});
    serde_json::from_value(json!({
        "slug": "d", "provider": "p", "name": text("D"), "description": text("D"), "apis": [], "stages": ["sandbox", "production"],
        "modalities": [{"value": "one", "name": text("One")}, {"value": "two", "name": text("Two")}],
        "scopes": [scope("openid", true), scope("b", false), scope("a", false)],
        "blocks": [
            {"kind": "basic_information"}, {"kind": "modalities"}, {"kind": "personal_data"}, {"kind": "scopes"},
            {"kind": "contacts", "contacts": ["technical", "dpo"]},
            {"kind": "volumes", "calls_per_minute": [50, 200], "stage": "production"},
            {"kind": "security_certification"}, {"kind": "documents"},
            {"kind": "custom", "id": "own", "title": text("Own"), "fields": [
                {"id": "siret", "label": text("s"), "type": "siret"}, {"id": "yes", "label": text("y"), "type": "boolean"},
                {"id": "agreed", "label": text("a"), "type": "agreement"}
            ]}
        ],
        "forms": [
            {"slug": "free", "name": text("Free")},
            {"slug": "fixed", "name": text("Fixed"), "prefill": {"modality": "one", "purpose": "P"}, "locked": ["modalities", "purpose"],
             "hidden": ["documents", "retention_justification"]}
        ]
    }))
    .unwrap()
}

fn form<'a>(definition: &'a Definition, slug: &str) -> &'a Form {
    definition.form(&slug.parse().unwrap()).unwrap()
}

fn typed(pairs: &[(&str, &str)]) -> Typed {
    Typed::new(pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

/// The answers read from the whole free form where something was typed, and the controls that are at fault.
#[track_caller]
fn check(pairs: &[(&str, &str)], expected: serde_json::Value, faults: &[&str]) {
    let definition = definition();
    let fields = definition.asked(form(&definition, "free"), None);
    let filled = definition.read(&fields, &typed(pairs));
    // The scope that is always included is read with anything.
    let said = |name: &str| name != "scopes" || pairs.iter().any(|(typed, _)| *typed == "scopes");
    let read: Map<String, Value> = filled.answers.into_iter().filter(|(name, value)| !value.is_null() && said(name)).collect();
    assert_eq!(
        (Value::Object(read), filled.errors.iter().map(|error| control(&error.pointer)).collect::<Vec<_>>()),
        (expected, faults.iter().map(|name| (*name).to_owned()).collect())
    );
}

#[test]
fn steps_follow_the_blocks_of_the_stage() {
    let definition = definition();
    let names = |slug: &str, stage| -> Vec<(String, bool)> {
        definition.steps(form(&definition, slug), stage).into_iter().map(|step| (step.block.clone(), step.is_fixed())).collect()
    };
    let free: Vec<String> = names("free", Some(Stage::Sandbox)).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        free,
        ["basic_information", "modalities", "personal_data", "scopes", "contacts", "security_certification", "documents", "own"]
    );
    let fixed = names("fixed", Some(Stage::Production));
    assert!(fixed.contains(&("modalities".into(), true)) && fixed.contains(&("personal_data".into(), false)), "{fixed:?}");
    assert!(fixed.contains(&("volumes".into(), false)) && !fixed.iter().any(|(name, _)| name == "documents"), "{fixed:?}");
    let steps = definition.steps(form(&definition, "fixed"), None);
    let personal = steps.iter().find(|step| step.block == "personal_data").unwrap();
    assert!(personal.fields.iter().all(|asked| asked.field.id != "retention_justification"), "a hidden field is not asked");
}

#[test]
fn texts_become_answers_of_their_kind() {
    check(&[("title", "  Canteen ")], json!({"title": "Canteen"}), &[]);
    check(&[("title", "   "), ("description", " \r\n ")], json!({}), &[]);
    check(&[("description", "a\r\nb\n")], json!({"description": "a\nb\n"}), &[]);
    check(&[("retention_months", " 1 200 ")], json!({"retention_months": 1200}), &[]);
    check(&[("retention_months", "a year")], json!({}), &["retention_months"]);
    check(&[("retention_months", "99999999999999999999")], json!({}), &["retention_months"]);
    check(&[("calls_per_minute", "200")], json!({"calls_per_minute": 200}), &[]);
    check(&[("calls_per_minute", "201")], json!({}), &["calls_per_minute"]);
    check(&[("siret", "130 025 265 00013")], json!({"siret": "13002526500013"}), &[]);
    check(&[("siret", "1300252650001")], json!({}), &["siret"]);
    check(&[("yes", "false"), ("agreed", "true")], json!({"yes": false, "agreed": true}), &[]);
    check(&[("yes", "perhaps"), ("agreed", "false")], json!({}), &["yes"]);
    check(&[("modality", "two")], json!({"modality": "two"}), &[]);
    check(&[("modality", "three"), ("nothing", "x")], json!({}), &["modality"]);
    check(&[("title", "a\u{202e}b")], json!({}), &["title"]);
}

#[test]
fn scopes_come_in_their_order_with_those_always_included() {
    check(&[("scopes", "a"), ("scopes", "b"), ("scopes", "a")], json!({"scopes": ["b", "a", "openid"]}), &[]);
    check(&[("scopes", "")], json!({"scopes": ["openid"]}), &[]);
    check(&[("scopes", "zzz"), ("scopes", "a")], json!({}), &["scopes.1"]);
}

#[test]
fn a_contact_may_be_half_written() {
    check(&[("contact_dpo.family_name", "Durand"), ("contact_dpo.email", "")], json!({"contact_dpo": {"family_name": "Durand"}}), &[]);
    check(
        &[("contact_dpo.email", "x"), ("contact_technical.job", "y")],
        json!({"contact_technical": {"job": "y"}}),
        &["contact_dpo.email"],
    );
    check(&[("security_certification.until", "2026-02-30")], json!({}), &["security_certification.until"]);
    let definition = definition();
    let form = form(&definition, "free");
    let half = BTreeMap::from([("contact_dpo".to_owned(), json!({"family_name": "Durand"}))]);
    let answers = definition.accept(form, None, &Answers::default(), &half).unwrap();
    let missing = definition.missing(form, None, &answers, Moment::from_micros(0));
    assert!(missing.iter().any(|error| error.pointer == "/contact_dpo/email" && error.code == "required"), "{missing:?}");
    let contacts = definition.steps(form, None).into_iter().find(|step| step.block == "contacts").unwrap();
    assert_eq!(missing.iter().filter(|error| contacts.owns(error)).count(), 5, "four members of one contact, and the other contact");
}

#[test]
fn rows_of_documents_keep_their_place() {
    let rows = [
        ("documents.0.title", ""),
        ("documents.0.url", ""),
        ("documents.1.title", "One"),
        ("documents.1.url", "not an address"),
        ("documents.2.title", "Two"),
    ];
    check(&rows, json!({}), &["documents.1.url"]);
    check(rows.get(4..).unwrap(), json!({"documents": [{"title": "Two"}]}), &[]);
    let mut typed = typed(&rows);
    assert_eq!(typed.rows("documents"), 3);
    typed.remove_row("documents", 1);
    assert_eq!((typed.rows("documents"), typed.get("documents.1.title"), typed.get("documents.1.url")), (2, "Two", ""));
    typed.add_row("documents");
    assert_eq!(typed.rows("documents"), 3);
    for _ in 0..10 {
        typed.add_row("documents");
    }
    assert_eq!(typed.rows("documents"), MAX_DOCUMENTS);
    typed.remove_row("documents", 99);
    assert_eq!(typed.rows("documents"), MAX_DOCUMENTS);
    assert_eq!(Typed::new(vec![("documents.999999.title".into(), "x".into())]).rows("documents"), 0);
}

#[test]
fn what_the_form_fixes_is_not_read() {
    let definition = definition();
    let fields = definition.asked(form(&definition, "fixed"), None);
    let filled = definition.read(&fields, &typed(&[("modality", "two"), ("purpose", "Q"), ("documents.0.title", "x"), ("title", "T")]));
    assert!(filled.errors.is_empty());
    assert!(
        !filled.answers.contains_key("modality") && !filled.answers.contains_key("purpose") && !filled.answers.contains_key("documents")
    );
    assert_eq!(filled.answers.get("title"), Some(&json!("T")));
}

#[test]
fn answers_are_read_back_as_they_were_spelled() {
    let definition = definition();
    for slug in ["free", "fixed"] {
        let form = form(&definition, slug);
        let example = definition.example(form, None, Moment::from_micros(0)).unwrap();
        let fields = definition.asked(form, None);
        let filled = definition.read(&fields, &Typed::of(&example, &fields));
        assert_eq!(filled.errors, []);
        for (name, value) in filled.answers.iter().filter(|(_, value)| !value.is_null()) {
            let expected = example.get(name).unwrap();
            let same = if name == "scopes" {
                let sorted = |value: &Value| value.as_array().unwrap().iter().map(ToString::to_string).collect::<BTreeSet<_>>();
                sorted(value) == sorted(expected)
            } else {
                value == expected
            };
            assert!(same, "{name}: {value} instead of {expected}");
        }
    }
}
