//! The catalogue that ships, and the staged cases of the real API Particulier where they are at hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use octroi_domain::{
    api::{ApiDocument, FieldPath, Step, Visibility},
    catalogue::Catalogue,
};
use serde_json::Value;

use super::{
    super::{fault::Source, read, read_api, yaml},
    now, put,
};

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue")
}

#[track_caller]
fn shipped() -> Catalogue {
    read(&folder(), now()).unwrap_or_else(|faults| panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

fn document<'a>(catalogue: &'a Catalogue, name: &str) -> &'a ApiDocument {
    catalogue.apis.iter().find(|document| document.api.full_name().to_string() == name).unwrap()
}

#[test]
fn the_shipped_catalogue_has_no_fault() {
    let catalogue = shipped();
    let names: Vec<String> = catalogue.apis.iter().map(|document| document.api.full_name().to_string()).collect();
    assert_eq!(
        names,
        ["cassation/judilibre", "dgfip/impot-particulier", "dila/legifrance", "dinum/annuaire-interne", "dinum/api-particulier"]
    );
    let definitions: Vec<(&str, usize)> =
        catalogue.definitions.iter().map(|definition| (definition.slug.as_str(), definition.scopes.len())).collect();
    assert_eq!(definitions, [("api-impot-particulier", 40), ("api-particulier", 57)]);
}

#[test]
fn each_public_api_says_what_it_is_about_for_whom_and_by_which_law() {
    for api in shipped().apis.iter().map(|document| &document.api).filter(|api| api.visibility == Visibility::Public) {
        assert!(api.theme.is_some() && api.audience.is_some() && api.legal_basis.is_some(), "{}", api.full_name());
    }
}

#[test]
fn each_operation_is_in_a_contract_and_each_masked_one_has_a_good_case() {
    for document in &shipped().apis {
        let name = document.api.full_name();
        let paths = document.openapi["paths"].as_object().unwrap();
        let described: BTreeSet<String> = paths
            .iter()
            .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase())))
            .collect();
        let contracts = &document.api.contracts;
        let open: BTreeSet<String> = contracts.iter().flat_map(|contract| contract.operations.iter().map(ToString::to_string)).collect();
        assert_eq!(described, open, "{name}");
        for operation in contracts.iter().filter(|contract| contract.is_masked()).flat_map(|contract| &contract.operations) {
            let statuses: BTreeSet<u16> =
                document.mocks.iter().filter(|case| case.operation == *operation).map(|case| case.status).collect();
            assert!(statuses.contains(&200) && statuses.contains(&404), "{name} {operation}");
        }
    }
}

/// Every leaf of every good case is opened by some scope, or shown to all.
#[test]
fn masks_forget_no_field() {
    for document in &shipped().apis {
        for contract in document.api.contracts.iter().filter(|contract| contract.is_masked()) {
            let open: Vec<&FieldPath> = contract.opens.values().flatten().chain(&contract.always).collect();
            for case in document.mocks.iter().filter(|case| case.status == 200 && contract.operations.contains(&case.operation)) {
                let body: Value = serde_json::from_str(&case.payload).unwrap();
                let mut leaves = Vec::new();
                leaves_of(&body, &mut Vec::new(), &mut leaves);
                for leaf in leaves {
                    let shown = open.iter().any(|path| covers(path.steps(), &leaf));
                    assert!(shown, "{} {}: {}", document.api.full_name(), case.source, leaf.join("/"));
                }
            }
        }
    }
}

fn leaves_of(value: &Value, at: &mut Vec<String>, leaves: &mut Vec<Vec<String>>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => return leaves.push(at.clone()),
    };
    for (name, value) in inner {
        at.push(name);
        leaves_of(value, at, leaves);
        at.pop();
    }
}

fn covers(steps: &[Step], leaf: &[String]) -> bool {
    steps.len() <= leaf.len()
        && steps.iter().zip(leaf).all(|(step, name)| match step {
            Step::Every => true,
            Step::Member(member) => member == name,
        })
}

/// Does the path lead to a value of the document?
fn finds(value: &Value, steps: &[Step]) -> bool {
    match steps.split_first() {
        None => true,
        Some((Step::Member(name), rest)) => value.get(name).is_some_and(|inner| finds(inner, rest)),
        Some((Step::Every, rest)) => match value {
            Value::Array(items) => items.iter().any(|item| finds(item, rest)),
            Value::Object(members) => members.values().any(|member| finds(member, rest)),
            _ => false,
        },
    }
}

/// The staged cases of the real API; none when they are not on this machine.
fn corpus() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/api-particulier");
    let folder = std::env::var_os("OCTROI_CORPUS").map_or_else(beside, PathBuf::from);
    if folder.join("openapi.yaml").is_file() {
        return Some(folder);
    }
    eprintln!("skipped: no staged cases in {} (set OCTROI_CORPUS)", folder.display());
    None
}

#[test]
fn the_staged_cases_mount_as_they_are() {
    let Some(corpus) = corpus() else { return };
    let dir = tempfile::tempdir().unwrap();
    let api = "slug: etalab
provider: dinum
name: { fr: Cas, en: Cases }
description: { fr: Cas, en: Cases }
mount: /dinum/staged
visibility: private
access: { mode: approval }
plans: [{ id: a, name: { fr: a, en: a } }]
backends: { sandbox: { mocks: true } }
openapi: CORPUS/openapi.yaml
cases: { path: CORPUS/payloads }
contracts:
  - operations: [GET /v3/dss/quotient_familial/identite]
";
    put(dir.path(), "api.yaml", &api.replace("CORPUS", corpus.to_str().unwrap()));
    let document = read_api(dir.path()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!(document.mocks.len(), 237);
    assert_eq!(document.mocks.iter().map(|case| &case.operation).collect::<BTreeSet<_>>().len(), 31);
    assert_eq!(document.openapi["paths"].as_object().unwrap().len(), 35);
    let responses = &document.openapi["paths"]["/v3/dss/quotient_familial/identite"]["get"]["responses"];
    assert!(responses["200"].is_object() && responses["404"].is_object());
}

/// The shipped definition offers every scope of the real API, and its masks open the real answers.
#[test]
fn masks_open_the_staged_answers() {
    let Some(corpus) = corpus() else { return };
    let text = std::fs::read_to_string(corpus.join("scopes.yaml")).unwrap();
    let scopes: BTreeMap<String, Vec<String>> = yaml::parse(&Source { path: "scopes.yaml".into(), text }).unwrap();
    let catalogue = shipped();
    let document = document(&catalogue, "dinum/api-particulier");
    let readme = std::fs::read_to_string(corpus.join("README.md")).unwrap();
    let definition = catalogue.definitions.iter().find(|definition| definition.slug.as_str() == "api-particulier").unwrap();
    for (folder, scopes) in &scopes {
        let line = readme.lines().find(|line| line.contains(&format!("`{folder}`"))).unwrap();
        let operation = line.split('`').nth(3).unwrap().parse().unwrap();
        let contract = document.api.contracts.iter().find(|contract| contract.operations.contains(&operation)).unwrap();
        let staged = std::fs::read_dir(corpus.join("payloads").join(folder)).unwrap().filter_map(|entry| {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let case: octroi_domain::catalogue::CaseFile = yaml::parse(&Source { path: folder.into(), text }).unwrap();
            (case.status == 200).then(|| serde_json::from_str::<Value>(&case.payload).unwrap())
        });
        let mut answers: Vec<Value> = staged.collect();
        if answers.is_empty() {
            // Some folders stage refusals alone: ours answer for the operations of the same contract.
            let own = document.mocks.iter().filter(|case| case.status == 200 && contract.operations.contains(&case.operation));
            answers.extend(own.map(|case| serde_json::from_str::<Value>(&case.payload).unwrap()));
        }
        for scope in scopes {
            assert!(definition.scopes.iter().any(|offer| offer.value.as_str() == scope), "{scope} is not offered");
            let paths = contract.opens.iter().find(|(name, _)| name.as_str() == scope).map(|(_, paths)| paths);
            let opens = paths.into_iter().flatten().any(|path| answers.iter().any(|answer| finds(answer, path.steps())));
            assert!(opens, "{folder}: {scope} opens nothing");
        }
        // What the real answers hold is opened by some scope, or is shown to all.
        for answer in &answers {
            let mut leaves = Vec::new();
            leaves_of(answer, &mut Vec::new(), &mut leaves);
            let open: Vec<&FieldPath> = contract.opens.values().flatten().chain(&contract.always).collect();
            for leaf in leaves {
                assert!(open.iter().any(|path| covers(path.steps(), &leaf)), "{folder}: {} is opened by nothing", leaf.join("/"));
            }
        }
    }
}

/// The examples of the manual of this folder are read as they stand.
#[test]
fn the_readme_shows_what_can_be_read() {
    #[derive(serde::Deserialize)]
    struct Contracts {
        contracts: Vec<octroi_domain::api::Contract>,
    }
    #[track_caller]
    fn check<T: serde::de::DeserializeOwned>(readme: &str, begins: &str) -> T {
        let block = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).find(|block| block.starts_with(begins));
        let text = block.unwrap_or_else(|| panic!("no example begins with {begins}")).to_owned();
        yaml::parse(&Source { path: "README.md".into(), text }).unwrap_or_else(|fault| panic!("{begins}: {fault}"))
    }
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    check::<octroi_domain::catalogue::Provider>(&readme, "slug: ville");
    check::<octroi_domain::api::Api>(&readme, "slug: staged");
    check::<octroi_domain::definition::Form>(&readme, "slug: canteen");
    check::<octroi_domain::catalogue::CaseFile>(&readme, "# mocks/family/");
    assert_eq!(check::<Contracts>(&readme, "contracts:").contracts.len(), 3);
}
