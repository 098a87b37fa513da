//! Answers as people read them: scopes by their names, contacts and documents in full.

use octroi_domain::definition::{AskedField, Definition, FieldKind, Step};
use serde_json::Value;

use super::{
    kit::{Cell, Facts, Link},
    review,
    words::Words,
};

/// One block and its answers.
pub struct Section {
    pub title: String,
    pub facts: Facts,
}

/// The answers of these blocks; a field without one says so.
pub fn sections<'a>(w: Words, definition: &Definition, steps: &[Step], answer: impl Fn(&str) -> Option<&'a Value>) -> Vec<Section> {
    let section = |step: &Step| {
        let asked = |asked: &&AskedField| answer(&asked.field.id).is_some() || !asked.field.needed.is_moot(&answer);
        let fact = |asked: &AskedField| {
            let cell = answer(&asked.field.id).map_or_else(|| Cell::text(w.of("answer-none")), |value| cell(w, definition, asked, value));
            (w.text(&asked.field.label), cell)
        };
        Section { title: w.text(&step.title), facts: Facts { facts: step.fields.iter().filter(asked).map(fact).collect() } }
    };
    steps.iter().map(section).collect()
}

/// One answer.
pub fn cell(w: Words, definition: &Definition, asked: &AskedField, value: &Value) -> Cell {
    let words = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let member = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match &asked.field.kind {
        FieldKind::LongText => Cell::Typed(words(value)),
        FieldKind::Url => link(words(value), words(value)),
        FieldKind::Siret => Cell::text(review::spaced(&words(value))),
        FieldKind::Date => Cell::text(w.date(&words(value))),
        FieldKind::Integer { .. } | FieldKind::Level { .. } => {
            Cell::text(value.as_i64().map_or_else(|| words(value), |number| w.number(number)))
        }
        FieldKind::Boolean | FieldKind::Agreement => {
            Cell::text(if value.as_bool() == Some(true) { w.of("answer-yes") } else { w.of("answer-no") })
        }
        FieldKind::Choice { options } => Cell::text(named(w, options, &words(value))),
        FieldKind::Choices { options } => Cell::Items(items(value).iter().map(|item| named(w, options, &words(item))).collect()),
        FieldKind::Scopes { .. } => Cell::Items(items(value).iter().map(|item| scope(w, definition, &words(item))).collect()),
        FieldKind::Contact { .. } => {
            let name = [member(value, "given_name"), member(value, "family_name")].join(" ");
            let lines = [name.trim().to_owned(), member(value, "job"), member(value, "email"), member(value, "phone")];
            Cell::Items(lines.into_iter().filter(|line| !line.is_empty()).collect())
        }
        FieldKind::Certification => {
            let date = |name: &str| w.date(&member(value, name));
            Cell::Items(vec![
                member(value, "authority"),
                w.of("answer-from-until").with("from", date("from")).with("until", date("until")).into(),
            ])
        }
        FieldKind::Documents => {
            let document = |item: &Value| (member(item, "title"), member(item, "url"));
            let documents: Vec<(String, String)> = items(value).iter().map(document).collect();
            if documents.iter().all(|(_, url)| web_address(url)) {
                Cell::Links(documents.into_iter().map(|(title, url)| Link::new(url, title)).collect())
            } else {
                Cell::Items(documents.into_iter().map(|(title, url)| format!("{title} {url}")).collect())
            }
        }
        FieldKind::Text | FieldKind::Email | FieldKind::Phone => Cell::text(words(value)),
    }
}

/// A scope by its name, and its word for programs.
pub fn scope(w: Words, definition: &Definition, value: &str) -> String {
    let offered = definition.scopes.iter().find(|offered| offered.value.as_str() == value);
    offered.map_or_else(|| value.to_owned(), |offered| format!("{} ({value})", w.text(&offered.name)))
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub fn named(w: Words, options: &[octroi_domain::definition::Choice], value: &str) -> String {
    options.iter().find(|option| option.value == value).map_or_else(|| value.to_owned(), |option| w.text(&option.name))
}

/// Only an address of the web becomes a link, whatever was stored: `javascript:` never does.
fn web_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

fn link(url: String, text: String) -> Cell {
    if web_address(&url) { Cell::link(url, text) } else { Cell::text(text) }
}

#[cfg(test)]
mod tests {
    use octroi_domain::{definition::field::Field, text::Language};
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(kind: serde_json::Value, value: serde_json::Value, expected: Cell) {
        let text = json!({"fr": "D", "en": "D"});
        let definition: Definition = serde_json::from_value(json!({
            "slug": "d", "provider": "p", "name": text, "description": text, "apis": [], "blocks": [],
            "scopes": [{"value": "a", "name": {"fr": "Nom", "en": "Name"}, "group": text}]
        }))
        .unwrap();
        let mut field = json!({"id": "f", "label": text});
        field.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
        let field: Field = serde_json::from_value(field).unwrap();
        let asked = AskedField { block: "b".into(), field, locked: false, hidden: false, prefill: None };
        assert_eq!(cell(Words::new(Language::En), &definition, &asked, &value), expected);
    }

    #[test]
    fn answers_are_read_by_people() {
        check(json!({"type": "text"}), json!("<b>"), Cell::text("<b>"));
        check(json!({"type": "long_text"}), json!("a\nb"), Cell::Typed("a\nb".into()));
        check(json!({"type": "url"}), json!("https://a.fr/x"), Cell::link("https://a.fr/x", "https://a.fr/x"));
        check(json!({"type": "url"}), json!("javascript:alert(1)"), Cell::text("javascript:alert(1)"));
        check(json!({"type": "date"}), json!("2026-02-03"), Cell::text("3 February 2026"));
        check(json!({"type": "integer", "minimum": 0, "maximum": 9999}), json!(1200), Cell::text("1,200"));
        check(json!({"type": "agreement"}), json!(true), Cell::text("Yes"));
        check(json!({"type": "scopes", "offered": ["a"]}), json!(["a", "gone"]), Cell::Items(vec!["Name (a)".into(), "gone".into()]));
        check(
            json!({"type": "contact", "contact": "dpo"}),
            json!({"given_name": "Ada", "email": "a@b.fr"}),
            Cell::Items(vec!["Ada".into(), "a@b.fr".into()]),
        );
        check(
            json!({"type": "documents"}),
            json!([{"title": "T", "url": "https://a.fr"}]),
            Cell::Links(vec![Link::new("https://a.fr", "T")]),
        );
        check(json!({"type": "documents"}), json!([{"title": "T", "url": "javascript:x"}]), Cell::Items(vec!["T javascript:x".into()]));
    }
}
