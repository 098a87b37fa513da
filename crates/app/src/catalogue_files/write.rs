//! From a [`Catalogue`] to files: `octroi export`. What is written reads back as the same catalogue.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path, PathBuf},
};

use octroi_domain::{
    api::{Api, ApiDocument, MockCase, OperationName},
    catalogue::{CaseFolder, Catalogue},
    definition::Definition,
};
use serde::Serialize;
use serde_json::Value;

use super::{
    cases::sorted,
    yaml::{self, YamlError},
};

/// Lists what an export wrote, so that the next one can take it away.
const MARKER: &str = ".octroi-export";

/// Why an export was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{} is neither empty nor a former export: give another folder", .0.display())]
    NotEmpty(PathBuf),
    #[error("{} cannot be written: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Yaml(#[from] YamlError),
    #[error("the OpenAPI document of {0} cannot be written as JSON")]
    Json(String, #[source] serde_json::Error),
}

/// Writes a catalogue into `dir`, which is made when it is not there. The files of a former export
/// are replaced; anything else found there is left alone.
///
/// # Errors
/// When `dir` holds something else than a former export, or a file cannot be written.
pub fn write(dir: &Path, catalogue: &Catalogue) -> Result<(), WriteError> {
    let files = files(catalogue)?;
    fs::create_dir_all(dir).map_err(at(dir))?;
    clear(dir)?;
    // The list comes first: whatever is written after it can be taken away again.
    let list: String = files.keys().map(|path| format!("{}\n", path.display())).collect();
    fs::write(dir.join(MARKER), list).map_err(at(&dir.join(MARKER)))?;
    for (relative, text) in &files {
        let path = dir.join(relative);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        fs::write(&path, text).map_err(at(&path))?;
    }
    Ok(())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> WriteError + use<> {
    let path = path.to_owned();
    |source| WriteError::Io { path, source }
}

/// Takes away the files of the former export, and the folders that they leave empty.
fn clear(dir: &Path) -> Result<(), WriteError> {
    let marker = dir.join(MARKER);
    let Ok(list) = fs::read_to_string(&marker) else {
        let empty = sorted(dir).map_err(at(dir))?.is_empty();
        return if empty { Ok(()) } else { Err(WriteError::NotEmpty(dir.to_owned())) };
    };
    for relative in list.lines().map(Path::new).filter(|path| is_below(path)) {
        let path = dir.join(relative);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&path)(error)),
            _ => {}
        }
        // A folder that still holds something stays: the error says no more than that.
        for parent in relative.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
            if fs::remove_dir(dir.join(parent)).is_err() {
                break;
            }
        }
    }
    Ok(())
}

/// Is it a relative path that stays below where it starts?
fn is_below(path: &Path) -> bool {
    let mut components = path.components().peekable();
    components.peek().is_some() && components.all(|component| matches!(component, Component::Normal(_)))
}

fn files(catalogue: &Catalogue) -> Result<BTreeMap<PathBuf, String>, WriteError> {
    let mut files = BTreeMap::new();
    for provider in &catalogue.providers {
        let path = Path::new(provider.slug.as_str()).join("provider.yaml");
        let text = yaml::print(&path, provider)?;
        files.insert(path, text);
    }
    for document in &catalogue.apis {
        api(document, &mut files)?;
    }
    for definition in &catalogue.definitions {
        let folder = Path::new(definition.provider.as_str()).join(definition.slug.as_str());
        for form in &definition.forms {
            let path = folder.join("forms").join(format!("{}.yaml", form.slug));
            let text = yaml::print(&path, form)?;
            files.insert(path, text);
        }
        let path = folder.join("definition.yaml");
        let alone = Definition { forms: Vec::new(), ..definition.clone() };
        let text = yaml::print(&path, &alone)?;
        files.insert(path, text);
    }
    Ok(files)
}

#[derive(Serialize)]
struct WrittenCase<'a> {
    params: &'a BTreeMap<String, Value>,
    status: u16,
    payload: &'a str,
}

fn api(document: &ApiDocument, files: &mut BTreeMap<PathBuf, String>) -> Result<(), WriteError> {
    let name = document.api.full_name();
    let folder = Path::new(document.api.provider.as_str()).join(document.api.slug.as_str());
    // A document or cases from elsewhere become files of this folder.
    let openapi = if is_below(Path::new(&document.api.openapi)) { document.api.openapi.clone() } else { "openapi.yaml".to_owned() };
    let cases = cases(document);
    for case in &document.mocks {
        let Some(cases) = &cases else { break };
        let path = folder.join(&cases.path).join(source_of(case));
        let text = yaml::print(&path, &WrittenCase { params: &case.params, status: case.status, payload: &case.payload })?;
        files.insert(path, text);
    }
    let path = folder.join(&openapi);
    let json = path.extension().is_some_and(|extension| extension == "json");
    let text = if json {
        serde_json::to_string_pretty(&document.openapi).map_err(|error| WriteError::Json(name.to_string(), error))?
    } else {
        yaml::print(&path, &document.openapi)?
    };
    files.insert(path, text);
    let path = folder.join("api.yaml");
    let text = yaml::print(&path, &Api { openapi, cases, ..document.api.clone() })?;
    files.insert(path, text);
    Ok(())
}

/// Where the cases go, and which folder answers which operation.
fn cases(document: &ApiDocument) -> Option<CaseFolder> {
    if document.mocks.is_empty() {
        return None;
    }
    let mut cases = document.api.cases.clone().unwrap_or(CaseFolder { path: String::new(), operations: BTreeMap::new() });
    if !is_below(Path::new(&cases.path)) {
        "mocks".clone_into(&mut cases.path);
    }
    // A folder without a case would not be there to be read back; one that has cases must be named.
    let folder = |case: &MockCase| Some((source_of(case).parent()?.to_str()?.to_owned(), case.operation.clone()));
    cases.operations = document.mocks.iter().filter_map(folder).collect::<BTreeMap<String, OperationName>>();
    Some(cases)
}

/// `folder/file.yaml` as it was read; a name made of the operation's words when it is not of that form.
fn source_of(case: &MockCase) -> PathBuf {
    let path = Path::new(&case.source);
    if is_below(path)
        && path.components().count() == 2
        && path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
    {
        return path.to_owned();
    }
    let word = |text: &str| text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect::<String>();
    Path::new(&word(&case.operation.to_string())).join(format!("{}.yaml", word(&case.source)))
}
