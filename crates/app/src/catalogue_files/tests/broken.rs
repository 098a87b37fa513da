//! One broken folder for each kind of fault.

use std::fs;

use super::{super::read, API, FILES, now, put, small};

/// Breaks one file of the small catalogue by a replacement; the first fault must be of this file, line and text.
#[track_caller]
fn check(file: &str, from: &str, to: &str, line: Option<u64>, message: &str) {
    check_at(file, from, to, file, line, message);
}

#[track_caller]
fn check_at(file: &str, from: &str, to: &str, faulty: &str, line: Option<u64>, message: &str) {
    let dir = small();
    let text = FILES.iter().find(|(path, _)| *path == file).unwrap().1;
    assert!(text.contains(from), "{from}");
    put(dir.path(), file, &text.replacen(from, to, 1));
    let faults = read(dir.path(), now()).unwrap_err();
    let all = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let found = faults.iter().find(|fault| fault.message.contains(message)).unwrap_or_else(|| panic!("{all}"));
    assert_eq!(found.file.strip_prefix(dir.path()).unwrap().to_str(), Some(faulty), "{all}");
    assert_eq!(found.line, line, "{all}");
    assert!(!found.mend.is_empty(), "{all}");
}

const A: &str = "ville/bourses/api.yaml";
const O: &str = "ville/bourses/openapi.yaml";
const C: &str = "ville/bourses/mocks/bourse/200.yaml";
const D: &str = "ville/aides/definition.yaml";
const F: &str = "ville/aides/forms/libre.yaml";
const P: &str = "ville/provider.yaml";

#[test]
fn the_small_catalogue_is_good() {
    let catalogue = read(small().path(), now()).unwrap();
    assert_eq!((catalogue.providers.len(), catalogue.apis.len(), catalogue.definitions.len()), (1, 1, 1));
    assert_eq!(catalogue.apis[0].mocks.len(), 1);
    assert_eq!(catalogue.apis[0].mocks[0].source, "bourse/200.yaml");
    assert_eq!(catalogue.definitions[0].forms.len(), 1);
}

#[test]
fn types_and_keys() {
    check(A, "visibility: public", "visibility: open", Some(6), "unknown variant `open`");
    check(A, "visibility: public", "visible: public", Some(6), "unknown field `visible`");
    check(A, "mount: /ville/bourses/v1\n", "", Some(21), "missing field `mount`");
    check(A, "slug: bourses", "slug: Bourses !", Some(1), "is not a name");
    check(A, "GET /bourse]", "get /bourse]", Some(23), "is not an operation");
    check(A, "[data.montant]", "[data..montant]", Some(25), "is not a field path");
    check(P, "21750001600019", "21750001600018", Some(3), "is not a SIRET");
    check(P, "slug: ville", "slug: ville\nslug: encore", Some(2), "duplicate");
    check(P, "slug: ville", "slug: [ville", Some(1), "expected string");
    check(P, "slug: ville", "slug: ville\nmail_from: Ville", Some(2), "is not a sender");
    check(D, "kind: basic_information", "kind: basics", Some(7), "unknown variant `basics`");
    check(F, "default: true", "default: yes", Some(3), "bool");
    check(C, "status: 200", "status: 99", Some(2), "the status 99 is not that of an answer");
    check(C, "\"montant\": 12", "\"montant\": twelve", Some(5), "the payload is not JSON");
}

#[test]
fn one_api() {
    for bad in ["ville/bourses", "/ville", "/Ville/bourses", "/ville//bourses", "/ville/../bourses", "/ville/bourses/"] {
        check(A, "mount: /ville/bourses/v1", &format!("mount: {bad}"), Some(5), "is not a path of two segments or more");
    }
    check(A, "mount: /ville", "mount: /oauth", Some(5), "keeps for itself");
    check(A, "name: { fr: Bourses, en: Grants }", "name: { fr: Bourses, en: '' }", Some(3), "`name` is empty in one language");
    check(A, "plans:\n  - id: standard\n    name: { fr: Standard, en: Standard }", "plans: []", Some(10), "there is no plan");
    let twice = "  - id: standard\n    name: { fr: Autre, en: Other }\nbackends:";
    check(A, "backends:", twice, Some(11), "the plan `standard` is there twice");
    check(A, "    mocks: true", "    mocks: true\n    upstream: https://a.example", Some(14), "both an upstream and mocks");
    check(A, "    mocks: true", "    timeout_ms: 5", Some(14), "neither an upstream nor mocks");
    check(A, "    mocks: true", "    mocks: true\n    timeout_ms: 0", Some(14), "a timeout of the stage `sandbox`");
    for (url, why) in [
        ("ftp://a.example", "neither http:// nor https://"),
        ("https://u:p@a.example", "holds credentials"),
        ("https://a.example/x?y=1", "has a query"),
        ("https://a.example:99999", "a port that is not one"),
        ("https:///x", "has no host"),
        ("https://a.example/../x", "`..` segment"),
        ("'https://a example'", "a character that a URL cannot have"),
    ] {
        check(A, "https://api.ville.example/bourses", url, Some(16), why);
    }
    check(A, "contracts:", "allowed_networks: [10.0.0.0/8, 10.0.0.0/33]\ncontracts:", Some(22), "`10.0.0.0/33` is not a network");
    check(A, "contracts:", "assertion_header: 'X: y'\ncontracts:", Some(22), "is not the name of a header");
    check(A, "contracts:", "credentials: []\ncontracts:", Some(22), "no credential is accepted");
    check(A, "contracts:", "terms: { version: 0, text: { fr: a, en: b } }\ncontracts:", Some(22), "the terms have no version");
    check(A, "contracts:", "theme: weather\ncontracts:", Some(22), "unknown variant `weather`");
    check(A, "contracts:", "audience: { fr: Tous, en: '' }\ncontracts:", Some(22), "`audience` is empty in one language");
    check(A, "contracts:", "legal_basis: { text: { fr: '', en: Law } }\ncontracts:", Some(22), "`legal_basis` is empty in one language");
    let link = "legal_basis: { text: { fr: Loi, en: Law }, url: 'javascript:alert(1)' }\ncontracts:";
    check(A, "contracts:", link, Some(22), "`javascript:alert(1)` is not the address of a page");
}

#[test]
fn contracts_and_masks() {
    check(A, "[GET /bourse]", "[GET /bourse, GET /autre]", Some(23), "`GET /autre` is not in the OpenAPI document");
    check(A, "[GET /bourse]", "[GET /bourse, GET /bourse]", Some(21), "`GET /bourse` is named twice");
    check(A, "[GET /bourse]", "[]", Some(22), "names no operation");
    check(A, "[data.montant]", "[data.montants]", Some(25), "leads to nothing in the answer of `GET /bourse`: there is no `montants`");
    check(A, "'data.enfants[*].nom'", "data.enfants.nom", Some(26), "there is no `nom`");
    check(A, "always: [meta]", "always: [metas]", Some(27), "`always` opens `$.metas`");
    check(A, "[data.montant]", "[]", Some(25), "the scope `montant` opens no field");
    check(A, "    always", "    scopes: [montant]\n    always", Some(21), "has both `scopes` and `opens`");
    check(
        A,
        "    opens:\n      montant: [data.montant]\n      enfants: ['data.enfants[*].nom']\n",
        "",
        Some(21),
        "has `always` and no `opens`",
    );
    check(A, "mode: permit\n  definitions: [aides]", "mode: open", Some(25), "which only a permit gives");
    check(O, "openapi: 3.0.3", "openapi: 2.0.0", Some(1), "not an OpenAPI document of version 3.0 or 3.1");
    check(
        O,
        "meta: { type: object }",
        "meta: { $ref: '#/components/schemas/Meta' }",
        Some(19),
        "`#/components/schemas/Meta` leads to nothing",
    );
    check(O, "meta: { type: object }", "meta: { $ref: other.yaml }", Some(19), "`other.yaml` leads to nothing");
    check(O, "meta: { type: object }", "meta: { type: object", Some(19), "unclosed bracket");
}

#[test]
fn names_meet() {
    check(A, "provider: ville", "provider: autre", Some(2), "the provider `autre` is not in the catalogue");
    check(A, "definitions: [aides]", "definitions: [aide]", Some(9), "the definition `aide` is not in the catalogue");
    check(A, "definitions: [aides]", "definitions: []", Some(9), "no definition opens this API");
    check(D, "apis: [ville/bourses]", "apis: [ville/autre]", Some(5), "the API `ville/autre` is not in the catalogue");
    check_at(D, "apis: [ville/bourses]", "apis: [ville/autre]", A, Some(9), "the definition `aides` does not list this API");
    check_at(D, "value: montant", "value: total", A, Some(25), "the scope `montant` is offered by none");
    check(D, "value: montant", "value: total", Some(10), "the scope `total` opens nothing");
    check_at(A, "mode: permit\n  definitions: [aides]", "mode: approval", D, Some(5), "is not opened by permits of this definition");
    check(D, "blocks:", "forms: [{ slug: a, name: { fr: a, en: a } }]\nblocks:", Some(6), "forms are written in files of their own");
    check(D, "  - kind: scopes\n", "", Some(8), "the block `scopes` and the list `scopes` go together");
    check(F, "title: Bourses", "titel: Bourses", Some(5), "prefill/titel is not a field");
    check(F, "prefill:", "scopes: [autre]\nprefill:", Some(4), "the scope `autre` is not offered");
}

#[test]
fn cases_and_folders() {
    check(A, "    bourse: GET /bourse", "    bourse: GET /autre", Some(21), "answers `GET /autre`");
    check(A, "    bourse: GET /bourse", "    bourse: GET /bourse\n    autre: GET /bourse", Some(22), "there is no folder of cases `autre`");
    check(A, "path: mocks", "path: absent", Some(19), "the folder of cases `absent` cannot be read");
    check(A, "\n  operations:\n    bourse: GET /bourse", "", Some(18), "there is no `README.md`");
    check_at(
        A,
        "  path: mocks",
        "  path: ../bourses",
        "ville/bourses/../bourses/mocks",
        None,
        "no operation is named for the folder of cases `mocks`",
    );
    check_at(A, "cases:", "openapi: absent.json\ncases:", "ville/bourses/absent.json", None, "cannot be opened");
}

#[test]
fn two_of_one_name() {
    let dir = small();
    put(dir.path(), "ville/copie/provider.yaml", super::PROVIDER);
    put(dir.path(), "ville/copie/definition.yaml", super::DEFINITION);
    put(dir.path(), "ville/copie/forms/libre.yaml", super::FORM);
    put(dir.path(), "ville/copie/openapi.yaml", super::OPENAPI);
    put(dir.path(), "ville/copie/mocks/bourse/200.yaml", super::CASE);
    put(dir.path(), "ville/copie/api.yaml", &API.replace("/v1", "/v1/b"));
    let faults = read(dir.path(), now()).unwrap_err();
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    for expected in ["the provider `ville` is also in", "the API `ville/bourses` is also in", "the definition `aides` is also in"] {
        assert!(messages.iter().any(|message| message.starts_with(expected)), "{messages:?}");
    }
    assert!(messages.contains(&"the mount `/ville/bourses/v1/b` overlaps `/ville/bourses/v1` of ville/bourses"), "{messages:?}");
}

#[test]
fn every_fault_is_told_and_a_missing_file_is_not_told_twice() {
    let dir = small();
    put(dir.path(), "ville/provider.yaml", "slug: ville\n");
    put(
        dir.path(),
        "ville/bourses/api.yaml",
        &API.replace("plans:\n  - id: standard\n    name: { fr: Standard, en: Standard }", "plans: []"),
    );
    put(dir.path(), "ville/autre/api.yml", "");
    let faults = read(dir.path(), now()).unwrap_err();
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(messages, ["would not be read under this name", "there is no plan", "missing field `name`"]);
    let text = faults[1].to_string();
    assert!(
        text.ends_with(
            "ville/bourses/api.yaml:10:1: there is no plan. Mend: write at least one; the first is given when none is asked for"
        ),
        "{text}"
    );
}

#[test]
fn folders_that_are_no_catalogue() {
    let dir = tempfile::tempdir().unwrap();
    assert!(read(dir.path(), now()).unwrap_err()[0].message.contains("holds no provider"));
    assert!(read(&dir.path().join("absent"), now()).unwrap_err()[0].message.contains("cannot be read"));
    put(dir.path(), "1/2/3/4/5/6/7/8/9/provider.yaml", super::PROVIDER);
    assert!(read(dir.path(), now()).unwrap_err()[0].message.contains("folders deep"));
}

#[cfg(unix)]
#[test]
fn a_folder_that_holds_itself_ends() {
    let dir = small();
    std::os::unix::fs::symlink(dir.path(), dir.path().join("ville/self")).unwrap();
    let faults = read(dir.path(), now()).unwrap_err();
    assert!(faults.iter().any(|fault| fault.message.contains("folders deep") || fault.message.contains("is also in")), "{faults:?}");
    fs::remove_file(dir.path().join("ville/self")).unwrap();
}
