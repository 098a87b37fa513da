//! Rules of the pages that no compiler checks: every word is there in both languages and used, and
//! markup stays in the components.
#![expect(clippy::unwrap_used, reason = "a test: what is not there fails it")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &Path, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// Key → its variables, of one language.
fn words(language: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for (name, text) in files(&root().join("locales").join(language), ".ftl") {
        let mut key = String::new();
        for line in text.lines() {
            if let Some((found, _)) = line.split_once(" =").filter(|(found, _)| found.starts_with(|c: char| c.is_ascii_lowercase())) {
                found.clone_into(&mut key);
                assert!(all.insert(key.clone(), BTreeSet::new()).is_none(), "{name}: {key} stands twice");
            }
            let variables =
                line.split('$').skip(1).map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
            if !key.is_empty() && !line.starts_with('#') {
                all.get_mut(&key).unwrap().extend(variables);
            }
        }
    }
    all
}

/// What stands in quotes after `opening`, anywhere in the pages and their functions.
fn asked(opening: &str) -> BTreeSet<String> {
    let mut sources = files(&root().join("crates/web/src"), ".rs");
    sources.extend(files(&root().join("pages"), ".html"));
    let mut found = BTreeSet::new();
    for (_, text) in sources {
        let text = text.replace(['\n', ' '], "");
        let places = text.split(opening).skip(1).filter_map(|rest| rest.split('"').next().map(str::to_owned));
        found.extend(places);
    }
    found
}

#[test]
fn every_word_is_there_in_both_languages_with_the_same_variables() {
    let (french, english) = (words("fr"), words("en"));
    assert!(french.len() > 50);
    let differ: Vec<&String> = french.keys().chain(english.keys()).filter(|key| french.get(*key) != english.get(*key)).collect();
    assert!(differ.is_empty(), "not the same in both languages: {differ:?}");
}

#[test]
fn no_word_is_missing_and_none_is_unused() {
    let all = words("fr");
    let both = |method: &str| ["w", "words", "self"].map(|of| format!("{of}.{method}(\"")).iter().flat_map(|call| asked(call)).collect();
    let (keys, mut families): (BTreeSet<String>, BTreeSet<String>) = (both("of"), both("one_of"));
    families.extend(asked(".flash(\"").into_iter().map(|_| "flash".to_owned()));
    let missing: Vec<&String> = keys.iter().filter(|key| !all.contains_key(*key)).collect();
    assert!(missing.is_empty(), "asked for and not in locales/: {missing:?}");
    let flashes = asked(".flash(\"");
    let without: Vec<&String> = flashes.iter().filter(|key| !all.contains_key(&format!("flash-{key}"))).collect();
    assert!(without.is_empty(), "said after a redirect and not in locales/: {without:?}");
    let empty: Vec<&String> = families.iter().filter(|family| !all.keys().any(|key| key.starts_with(&format!("{family}-")))).collect();
    assert!(empty.is_empty(), "families without a word: {empty:?}");
    let used = |key: &String| keys.contains(key) || families.iter().any(|family| key.starts_with(&format!("{family}-")));
    let unused: Vec<&String> = all.keys().filter(|key| !used(key)).collect();
    assert!(unused.is_empty(), "in locales/ and used nowhere: {unused:?}");
}

#[test]
fn markup_stays_in_the_components() {
    for (name, text) in files(&root().join("pages"), ".html") {
        if name.contains("/components/") || name.ends_with("/base.html") {
            continue;
        }
        for forbidden in [" class=", " style=", "<script", "<style", "onclick"] {
            assert!(!text.contains(forbidden), "{name} has `{forbidden}`: that is for pages/components/");
        }
        let whole = text.starts_with("{% extends \"base.html\" %}");
        assert_eq!(text.matches("<h1").count(), usize::from(whole), "{name}: one h1 in a page, none in a part");
    }
}
