//! Export: what is written reads back the same, and nothing else of the folder is touched.

use std::{fs, path::Path};

use octroi_domain::catalogue::Catalogue;

use super::{
    super::{WriteError, read, write},
    now, put, shipped, small,
};

#[track_caller]
fn check_same(left: &Catalogue, right: &Catalogue) {
    let mut right = right.clone();
    // Read in the order of the folders, which are named after the slugs.
    let order = |catalogue: &mut Catalogue| {
        catalogue.providers.sort_by(|a, b| a.slug.cmp(&b.slug));
        catalogue.apis.sort_by_key(|document| document.api.full_name());
        catalogue.definitions.sort_by(|a, b| a.slug.cmp(&b.slug));
        catalogue.definitions.iter_mut().for_each(|definition| definition.forms.sort_by(|a, b| a.slug.cmp(&b.slug)));
    };
    let mut left = left.clone();
    order(&mut left);
    order(&mut right);
    assert_eq!(left.providers, right.providers);
    assert_eq!(left.definitions, right.definitions);
    assert_eq!(left.apis.len(), right.apis.len());
    for (one, other) in left.apis.iter().zip(&right.apis) {
        assert_eq!(one.api, other.api);
        assert_eq!(one.mocks, other.mocks);
        assert_eq!(one.openapi, other.openapi);
    }
}

#[track_caller]
fn check(dir: &Path) {
    let catalogue = read(dir, now()).unwrap();
    let out = tempfile::tempdir().unwrap();
    write(out.path(), &catalogue).unwrap();
    let faults = |faults: Vec<super::super::Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    check_same(&catalogue, &read(out.path(), now()).map_err(faults).unwrap());
}

#[test]
fn what_is_written_reads_back() {
    check(small().path());
    check(&shipped::folder());
}

#[test]
fn an_export_replaces_a_former_one_and_spares_the_rest() {
    let mut catalogue = read(small().path(), now()).unwrap();
    let out = tempfile::tempdir().unwrap();
    write(out.path(), &catalogue).unwrap();
    put(out.path(), "ville/notes.txt", "kept");
    catalogue.definitions.clear();
    catalogue.apis[0].mocks.clear();
    write(out.path(), &catalogue).unwrap();
    assert!(!out.path().join("ville/aides").exists());
    assert!(!out.path().join("ville/bourses/mocks").exists());
    assert!(out.path().join("ville/bourses/api.yaml").exists());
    assert_eq!(fs::read_to_string(out.path().join("ville/notes.txt")).unwrap(), "kept");
}

#[test]
fn a_folder_of_something_else_is_refused() {
    let catalogue = read(small().path(), now()).unwrap();
    let out = tempfile::tempdir().unwrap();
    put(out.path(), "mine.txt", "mine");
    assert!(matches!(write(out.path(), &catalogue), Err(WriteError::NotEmpty(_))));
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1);
    // A list that names files elsewhere takes none of them away.
    let victim = tempfile::NamedTempFile::new().unwrap();
    put(out.path(), ".octroi-export", &format!("{}\n../mine.txt\nmine.txt/..\n", victim.path().display()));
    write(out.path(), &catalogue).unwrap();
    assert!(victim.path().exists());
    assert!(out.path().join("mine.txt").exists());
}

#[test]
fn a_document_from_elsewhere_becomes_a_file_of_the_folder() {
    let mut catalogue = read(small().path(), now()).unwrap();
    catalogue.apis[0].api.openapi = "/elsewhere/openapi.json".to_owned();
    catalogue.apis[0].mocks[0].source = "../../out.yaml".to_owned();
    let out = tempfile::tempdir().unwrap();
    write(out.path(), &catalogue).unwrap();
    let back = read(out.path(), now()).unwrap();
    assert_eq!(back.apis[0].mocks[0].source, "get__bourse/______out_yaml.yaml");
    assert!(out.path().join("ville/bourses/openapi.yaml").is_file());
    assert!(!out.path().parent().unwrap().join("out.yaml").exists());
}
