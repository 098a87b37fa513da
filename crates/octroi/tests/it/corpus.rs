//! The staged cases of a real API, through the sandbox gateway. Skipped, aloud, where the folder is absent.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use crate::harness::{Answer, Caller, Demo, Engine, call, corpus_folder};

struct Case {
    name: String,
    operation: String,
    params: Value,
    status: u16,
    payload: Value,
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Folder → path of its operation, from the table of the README.
fn operations(folder: &Path) -> BTreeMap<String, String> {
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let row = |line: &str| {
        let mut cells = line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).skip(1);
        let (name, operation) = (cells.next()?, cells.next()?);
        operation.strip_prefix("GET ").map(|path| (name, path.to_owned()))
    };
    readme.lines().filter_map(row).collect()
}

fn cases(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, operation) in operations(folder) {
        for file in fs::read_dir(folder.join("payloads").join(&name)).unwrap() {
            let path = file.unwrap().path();
            let case = yaml(&path);
            cases.push(Case {
                name: format!("{name}/{}", path.file_name().unwrap().to_string_lossy()),
                operation: operation.clone(),
                params: case["params"].clone(),
                status: u16::try_from(case["status"].as_u64().unwrap()).unwrap(),
                payload: serde_json::from_str(case["payload"].as_str().unwrap()).unwrap(),
            });
        }
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // This reader takes `04` for a number with a fraction.
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string()),
        other => other.to_string(),
    }
}

/// Asks a case as its API's users do: a query, or the header for the cases that FranceConnect identifies.
async fn ask(gateway: &str, key: &str, case: &Case) -> Answer {
    let mut url = reqwest::Url::parse(&format!("{gateway}/dinum/api-particulier{}", case.operation)).unwrap();
    let by_header = case.name.contains("_with_france_connect/");
    if !by_header {
        for (name, value) in case.params.as_object().into_iter().flatten() {
            match value {
                Value::Array(items) => items.iter().for_each(|item| {
                    url.query_pairs_mut().append_pair(&format!("{name}[]"), &text(item));
                }),
                other => {
                    url.query_pairs_mut().append_pair(name, &text(other));
                }
            }
        }
    }
    let params = if case.params.is_null() { "{}".to_owned() } else { case.params.to_string().replace(".0", "") };
    let mut headers = vec![("X-Api-Key", key)];
    if by_header {
        headers.push(("Octroi-Mock-Params", params.as_str()));
    }
    loop {
        let answer = call(url.as_str(), &headers).await;
        if answer.header("octroi-error") != Some("rate_exceeded") {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The shipped catalogue, with the real OpenAPI document and cases in the place of its own.
fn catalogue(corpus: &Path, folder: &Path) -> PathBuf {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    copy(&shipped, folder);
    let api = folder.join("dinum/api-particulier/api.yaml");
    let written = fs::read_to_string(&api).unwrap();
    let (before, after) = written.split_once("\ncases:\n").unwrap();
    let rest: String = after.lines().skip_while(|line| line.starts_with(' ')).flat_map(|line| [line, "\n"]).collect();
    let mounted = format!("{before}\nopenapi: {corpus}/openapi.yaml\ncases:\n  path: {corpus}/payloads\n{rest}", corpus = corpus.display());
    fs::write(&api, mounted).unwrap();
    let definition = folder.join("dinum/api-particulier/definition.yaml");
    let offered: String = fs::read_to_string(&definition)
        .unwrap()
        .lines()
        .filter(|line| !line.trim_start().starts_with("deprecated_since:"))
        .flat_map(|line| [line, "\n"])
        .collect();
    fs::write(&definition, offered).unwrap();
    folder.to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

async fn key(applicant: &Caller, reviewer: &Caller, scopes: &[String]) -> String {
    let (request, _) = applicant.submitted("api-particulier", "libre", json!({ "scopes": scopes })).await;
    let permit = reviewer.approve(&request).await;
    let application = applicant.post("/applications", json!({ "name": "cases", "stage": "sandbox" })).await.ok(201);
    let id = application["id"].as_str().unwrap();
    let subscription = json!({ "api": "dinum/api-particulier", "permit": permit, "plan": "large", "accept_terms": true });
    applicant.post(&format!("/applications/{id}/subscriptions"), subscription).await.ok(201);
    let key = applicant.post(&format!("/applications/{id}/credentials"), json!({ "kind": "api_key" })).await.ok(201);
    key["secret"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_staged_case_answers_through_the_gate() {
    let Some(corpus) = corpus_folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start_with(Engine::Sqlite, Some(&catalogue(&corpus, &folder.path().join("catalogue"))));
    let (applicant, reviewer) = (demo.sign_in("applicant").await, demo.sign_in("reviewer").await);
    let definition = applicant.get("/definitions/api-particulier").await.ok(200);
    let all: Vec<String> =
        definition["scopes"].as_array().unwrap().iter().map(|scope| scope["value"].as_str().unwrap().to_owned()).collect();
    let gateway = demo.gateway("sandbox");

    // A permit for all scopes: each case as it was staged.
    let every = key(&applicant, &reviewer, &all).await;
    let cases = cases(&corpus);
    assert_eq!(cases.len(), 237);
    let mut wrong = Vec::new();
    for case in &cases {
        let answer = ask(gateway, &every, case).await;
        if (answer.status.as_u16(), answer.json()) != (case.status, case.payload.clone()) {
            wrong.push(format!(
                "{}: {} for {}: {}",
                case.name,
                answer.status,
                case.params,
                answer.text.chars().take(200).collect::<String>()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));

    // One scope at a time: what is shown is a part of the case, and the parts together are the whole.
    let scopes: BTreeMap<String, Vec<String>> = serde_saphyr::from_str(&fs::read_to_string(corpus.join("scopes.yaml")).unwrap()).unwrap();
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    for scope in scopes.values().flatten() {
        if !keys.contains_key(scope) {
            keys.insert(scope.clone(), key(&applicant, &reviewer, std::slice::from_ref(scope)).await);
        }
    }
    for (folder, opening) in &scopes {
        for case in cases.iter().filter(|case| case.status == 200 && case.name.starts_with(&format!("{folder}/"))).take(2) {
            let mut seen: Vec<(String, Value)> = Vec::new();
            for scope in opening {
                let shown = ask(gateway, &keys[scope], case).await.ok(200);
                assert!(is_part(&shown, &case.payload), "{scope} on {}: {shown}", case.name);
                assert!(leaves(&shown["data"]) > 0, "{scope} opens nothing of {}", case.name);
                if opening.len() > 1 {
                    assert!(leaves(&shown["data"]) < leaves(&case.payload["data"]), "{scope} opens everything of {}", case.name);
                }
                seen.push((scope.clone(), shown["data"].clone()));
            }
            let (together, one) = (overlay(&seen), &case.payload["data"]);
            eprintln!("{}: {} of {} leaves by {} scope(s)", case.name, leaves(&together), leaves(one), opening.len());
        }
    }
}

/// Is every leaf of `part` at the same place in `whole`?
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|found| is_part(value, found)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(one, other)| is_part(one, other))
        }
        (part, whole) => part == whole,
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(leaves).sum(),
        Value::Array(items) => items.iter().map(leaves).sum(),
        _ => 1,
    }
}

fn overlay(seen: &[(String, Value)]) -> Value {
    fn onto(base: &mut Value, more: &Value) {
        match (base, more) {
            (Value::Object(base), Value::Object(more)) => {
                more.iter().for_each(|(name, value)| onto(base.entry(name.clone()).or_insert(Value::Null), value))
            }
            (Value::Array(base), Value::Array(more)) if base.len() == more.len() => {
                base.iter_mut().zip(more).for_each(|(one, other)| onto(one, other))
            }
            (base, more) => *base = more.clone(),
        }
    }
    let mut all = Value::Null;
    seen.iter().for_each(|(_, value)| onto(&mut all, value));
    all
}
