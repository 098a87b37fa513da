//! What differs between two sets of answers, for a reviewer: field by field, and inside a text word by word.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

/// Above this many cells the words of two texts are not aligned: one replaces the other. A text of a
/// form has at most 10,000 characters, so what people write stays far below.
const MAX_CELLS: usize = 4_000_000;

/// A field whose answer is not the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub field: String,
    /// None: it was not answered.
    pub before: Option<Value>,
    /// None: it is answered no more.
    pub after: Option<Value>,
    pub detail: Detail,
}

/// How an answer differs, as finely as its kind lets tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Detail {
    /// One value instead of another, or of none.
    Whole,
    /// A text: its pieces in order.
    Text { pieces: Vec<Piece> },
    /// A list (scopes, choices, documents): what came and what left, whatever the order.
    Items { added: Vec<Value>, removed: Vec<Value>, kept: Vec<Value> },
    /// An object (a contact): the members that differ.
    Members { members: Vec<Difference> },
}

/// A run of words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "text", rename_all = "snake_case")]
pub enum Piece {
    Kept(String),
    Removed(String),
    Added(String),
}

/// Every field whose answer differs, by name. Line endings that only a form changed do not count.
#[must_use]
pub fn compare(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Vec<Difference> {
    members(before.iter().map(|(name, value)| (name.as_str(), value)), after.iter().map(|(name, value)| (name.as_str(), value)))
}

/// The answers that are not what `given` proposed; a field that it says nothing of is left out.
#[must_use]
pub fn compare_with_prefill(given: &BTreeMap<String, Value>, answers: &BTreeMap<String, Value>) -> Vec<Difference> {
    let asked: BTreeMap<String, Value> =
        answers.iter().filter(|(name, _)| given.contains_key(*name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    compare(given, &asked)
}

fn members<'a>(before: impl Iterator<Item = (&'a str, &'a Value)>, after: impl Iterator<Item = (&'a str, &'a Value)>) -> Vec<Difference> {
    let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) = (before.collect(), after.collect());
    let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    names.into_iter().filter_map(|name| differ(name, before.get(name).copied(), after.get(name).copied())).collect()
}

fn differ(field: &str, before: Option<&Value>, after: Option<&Value>) -> Option<Difference> {
    let detail = match (before, after) {
        (Some(Value::String(old)), Some(Value::String(new))) => {
            let (old, new) = (lines(old), lines(new));
            if old == new {
                return None;
            }
            Detail::Text { pieces: pieces(&old, &new) }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            let detail = items(old, new);
            if matches!(&detail, Detail::Items { added, removed, .. } if added.is_empty() && removed.is_empty()) {
                return None;
            }
            detail
        }
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let members =
                members(old.iter().map(|(name, value)| (name.as_str(), value)), new.iter().map(|(name, value)| (name.as_str(), value)));
            if members.is_empty() {
                return None;
            }
            Detail::Members { members }
        }
        (old, new) if old == new => return None,
        _ => Detail::Whole,
    };
    Some(Difference { field: field.to_owned(), before: before.cloned(), after: after.cloned(), detail })
}

fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn items(before: &[Value], after: &[Value]) -> Detail {
    let left_of = |one: &[Value], other: &[Value]| one.iter().filter(|value| !other.contains(value)).cloned().collect();
    let kept = after.iter().filter(|value| before.contains(value)).cloned().collect();
    Detail::Items { added: left_of(after, before), removed: left_of(before, after), kept }
}

/// The words of a text, each with the white space that follows it: put together, they are the text.
fn words(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let spaces = rest.get(word..).and_then(|tail| tail.find(|c: char| !c.is_whitespace())).map_or(rest.len(), |place| word + place);
        let (one, more) = rest.split_at_checked(spaces.max(1)).unwrap_or((rest, ""));
        found.push(one);
        rest = more;
    }
    found
}

/// Aligns two texts by their longest common run of words.
fn pieces(before: &str, after: &str) -> Vec<Piece> {
    let (old, new) = (words(before), words(after));
    let same = |(one, other): &(&&str, &&str)| one == other;
    let head = old.iter().zip(&new).take_while(same).count();
    let tail = old.iter().skip(head).rev().zip(new.iter().skip(head).rev()).take_while(same).count();
    let middle = |all: &[&str]| -> Vec<String> {
        all.iter().take(all.len().saturating_sub(tail)).skip(head).map(|word| (*word).to_owned()).collect()
    };
    let (left, right) = (middle(&old), middle(&new));
    let mut out = Vec::new();
    old.iter().take(head).for_each(|word| push(&mut out, Piece::Kept, word));
    if left.len().saturating_mul(right.len()) > MAX_CELLS {
        left.iter().for_each(|word| push(&mut out, Piece::Removed, word));
        right.iter().for_each(|word| push(&mut out, Piece::Added, word));
    } else {
        align(&left, &right, &mut out);
    }
    old.iter().skip(old.len().saturating_sub(tail)).for_each(|word| push(&mut out, Piece::Kept, word));
    out
}

/// The longest common subsequence (Wagner and Fischer), walked from the start.
fn align(left: &[String], right: &[String], out: &mut Vec<Piece>) {
    let width = right.len() + 1;
    let mut longest = vec![0_u16; (left.len() + 1) * width];
    let at = |table: &[u16], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, one) in left.iter().enumerate().rev() {
        for (j, other) in right.iter().enumerate().rev() {
            let best = if one == other {
                at(&longest, i + 1, j + 1).saturating_add(1)
            } else {
                at(&longest, i + 1, j).max(at(&longest, i, j + 1))
            };
            if let Some(cell) = longest.get_mut(i * width + j) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    loop {
        match (left.get(i), right.get(j)) {
            (Some(one), Some(other)) if one == other => {
                push(out, Piece::Kept, one);
                (i, j) = (i + 1, j + 1);
            }
            (Some(one), other) if other.is_none() || at(&longest, i + 1, j) >= at(&longest, i, j + 1) => {
                push(out, Piece::Removed, one);
                i += 1;
            }
            (_, Some(other)) => {
                push(out, Piece::Added, other);
                j += 1;
            }
            _ => return,
        }
    }
}

/// Adds a word to the last piece, or begins one.
fn push(out: &mut Vec<Piece>, kind: fn(String) -> Piece, word: &str) {
    match (out.last_mut(), kind(String::new())) {
        (Some(Piece::Kept(text)), Piece::Kept(_))
        | (Some(Piece::Removed(text)), Piece::Removed(_))
        | (Some(Piece::Added(text)), Piece::Added(_)) => text.push_str(word),
        _ => out.push(kind(word.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn answers(value: Value) -> BTreeMap<String, Value> {
        serde_json::from_value(value).unwrap_or_default()
    }

    #[track_caller]
    fn check(before: &str, after: &str, expected: &[Piece]) {
        assert_eq!(pieces(before, after), expected, "{before:?} {after:?}");
    }

    #[test]
    fn a_text_is_compared_word_by_word() {
        let (kept, removed, added) =
            (|t: &str| Piece::Kept(t.into()), |t: &str| Piece::Removed(t.into()), |t: &str| Piece::Added(t.into()));
        check("", "new", &[added("new")]);
        check("old", "", &[removed("old")]);
        check("one two three", "one three", &[kept("one "), removed("two "), kept("three")]);
        check("a b c", "a x c", &[kept("a "), removed("b "), added("x "), kept("c")]);
        check("a b c d e", "b x d e f", &[removed("a "), kept("b "), removed("c "), added("x "), kept("d "), removed("e"), added("e f")]);
        check("  é\n\nü", "  é\n\nö", &[kept("  é\n\n"), removed("ü"), added("ö")]);
    }

    #[test]
    fn each_kind_of_answer_is_compared_in_its_own_way() {
        let before = answers(json!({
            "title": "Cantine", "scopes": ["a", "b"], "months": 12, "gone": true, "text": "x\r\ny",
            "contact": { "name": "Ada", "email": "a@x" },
        }));
        let after = answers(json!({
            "title": "Cantine scolaire", "scopes": ["c", "a"], "months": 24, "new": 1, "text": "x\ny",
            "contact": { "name": "Ada", "email": "b@x" },
        }));
        let found = compare(&before, &after);
        let names: Vec<&str> = found.iter().map(|difference| difference.field.as_str()).collect();
        assert_eq!(names, ["contact", "gone", "months", "new", "scopes", "title"]);
        let detail = |name: &str| found.iter().find(|difference| difference.field == name).map(|difference| difference.detail.clone());
        assert_eq!(detail("scopes"), Some(Detail::Items { added: vec![json!("c")], removed: vec![json!("b")], kept: vec![json!("a")] }));
        assert!(matches!(detail("contact"), Some(Detail::Members { members }) if members.len() == 1));
        assert!(matches!(
            (detail("months"), detail("new"), detail("gone")),
            (Some(Detail::Whole), Some(Detail::Whole), Some(Detail::Whole))
        ));
        assert_eq!(compare(&before, &before), []);
        assert_eq!(compare(&answers(json!({"s": ["a", "b"]})), &answers(json!({"s": ["b", "a"]}))), []);
    }

    #[test]
    fn only_what_the_form_proposed_is_compared_with_it() {
        let given = answers(json!({ "purpose": "Tarifs", "title": "Cantine" }));
        let found = compare_with_prefill(&given, &answers(json!({ "purpose": "Autre", "title": "Cantine", "own": "x" })));
        assert_eq!(found.iter().map(|difference| difference.field.as_str()).collect::<Vec<_>>(), ["purpose"]);
        // What was proposed and taken out differs too.
        assert_eq!(compare_with_prefill(&given, &answers(json!({ "title": "Cantine" }))).len(), 1);
    }

    #[test]
    fn texts_too_long_to_align_replace_each_other() {
        let long = |word: &str| format!("{word} ").repeat(5_000);
        assert_eq!(pieces(&long("a"), &long("b")), [Piece::Removed(long("a")), Piece::Added(long("b"))]);
    }

    proptest! {
        #[test]
        fn the_pieces_are_both_texts(before in "[ab \n]{0,40}", after in "[ab é\n]{0,40}") {
            let found = pieces(&before, &after);
            let side = |skip: fn(&Piece) -> bool| -> String {
                found.iter().filter(|piece| !skip(piece)).map(|piece| match piece { Piece::Kept(t) | Piece::Removed(t) | Piece::Added(t) => t.as_str() }).collect()
            };
            prop_assert_eq!(side(|piece| matches!(piece, Piece::Added(_))), before);
            prop_assert_eq!(side(|piece| matches!(piece, Piece::Removed(_))), after);
        }
    }
}
