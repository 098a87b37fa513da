//! From a folder to a [`Catalogue`]: every fault of every file is found, not only the first.

use std::path::{Path, PathBuf};

use octroi_domain::{
    Moment,
    api::{Api, ApiDocument},
    catalogue::{Catalogue, Provider},
    definition::{Definition, Form},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    cases::{self, name_of, sorted},
    fault::{Fault, Source},
    lint, schema, yaml,
};

/// How deep below the folder a file may stand.
const MAX_DEPTH: usize = 8;
/// How many entries a catalogue may have, case files apart.
const MAX_ENTRIES: usize = 50_000;

/// What was read, each with its file.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub providers: Vec<(Source, Provider)>,
    pub apis: Vec<(Source, ApiDocument)>,
    pub definitions: Vec<(Source, Definition, Vec<Source>)>,
    /// A file could not be read: what it names is not missing, only unknown.
    pub incomplete: bool,
}

/// Reads a catalogue and lints it. `now` tells which scopes are no longer offered.
///
/// # Errors
/// Every fault of every file, ordered by file and line.
pub fn read(dir: &Path, now: Moment) -> Result<Catalogue, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut gathered = Gathered::default();
    let mut left = MAX_ENTRIES;
    walk(dir, 0, &mut left, &mut gathered, &mut faults);
    gathered.incomplete = !faults.is_empty();
    if faults.is_empty() && gathered.providers.is_empty() && gathered.apis.is_empty() && gathered.definitions.is_empty() {
        faults.push(Fault::new(
            dir,
            "holds no provider, API or definition",
            "give the folder of a catalogue; catalogue/README.md describes one",
        ));
    }
    lint::lint(&gathered, now, &mut faults);
    if faults.is_empty() {
        Ok(Catalogue {
            providers: gathered.providers.into_iter().map(|(_, provider)| provider).collect(),
            apis: gathered.apis.into_iter().map(|(_, api)| api).collect(),
            definitions: gathered.definitions.into_iter().map(|(_, definition, _)| definition).collect(),
        })
    } else {
        faults.sort();
        faults.dedup();
        Err(faults)
    }
}

/// Reads the folder of one API, and lints what can be told without the rest of the catalogue.
///
/// # Errors
/// Every fault of `api.yaml`, of the OpenAPI document and of the case files.
pub fn read_api(dir: &Path) -> Result<ApiDocument, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut gathered = Gathered::default();
    api(&dir.join("api.yaml"), &mut gathered, &mut faults);
    for (source, document) in &gathered.apis {
        super::lint_api::lint(source, document, &mut faults);
    }
    match gathered.apis.pop() {
        Some((_, document)) if faults.is_empty() => Ok(document),
        _ => {
            faults.sort();
            Err(faults)
        }
    }
}

fn walk(dir: &Path, depth: usize, left: &mut usize, gathered: &mut Gathered, faults: &mut Vec<Fault>) {
    let entries = match sorted(dir) {
        Ok(entries) => entries,
        Err(error) => return faults.push(Fault::new(dir, format!("cannot be read ({error})"), "give a folder that is there and readable")),
    };
    let mut folders: Vec<PathBuf> = Vec::new();
    // Folders of cases hold answers, not parts of a catalogue.
    let mut answers: Vec<PathBuf> = Vec::new();
    for path in entries {
        *left = left.saturating_sub(1);
        if *left == 0 {
            return faults.push(Fault::new(dir, format!("the catalogue has more than {MAX_ENTRIES} entries"), "give a smaller folder"));
        }
        match name_of(&path).as_str() {
            _ if path.is_dir() => folders.push(path),
            "provider.yaml" => one::<Provider>(&path, faults, |source, provider| gathered.providers.push((source, provider))),
            "api.yaml" => answers.extend(api(&path, gathered, faults)),
            "definition.yaml" => definition(&path, gathered, faults),
            other @ ("provider.yml" | "api.yml" | "definition.yml" | "provider.json" | "api.json" | "definition.json") => {
                let stem = other.split('.').next().unwrap_or_default();
                faults.push(Fault::new(&path, "would not be read under this name", format!("name it `{stem}.yaml`")));
            }
            _ => {}
        }
    }
    for folder in folders.into_iter().filter(|folder| name_of(folder) != "forms" && !answers.contains(folder)) {
        if depth >= MAX_DEPTH {
            faults.push(Fault::new(&folder, format!("stands more than {MAX_DEPTH} folders deep"), "bring it nearer to the top"));
        } else {
            walk(&folder, depth + 1, left, gathered, faults);
        }
    }
}

fn one<T: DeserializeOwned>(path: &Path, faults: &mut Vec<Fault>, take: impl FnOnce(Source, T)) {
    match yaml::load(path, yaml::MAX_FILE).and_then(|source| yaml::parse(&source).map(|value| (source, value))) {
        Ok((source, value)) => take(source, value),
        Err(fault) => faults.push(fault),
    }
}

/// Reads `api.yaml`, its OpenAPI document and its cases; returns the folder of the cases.
fn api(path: &Path, gathered: &mut Gathered, faults: &mut Vec<Fault>) -> Option<PathBuf> {
    let mut read = None;
    one::<Api>(path, faults, |source, api| read = Some((source, api)));
    let (source, api) = read?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let answers = api.cases.as_ref().map(|cases| folder.join(&cases.path));
    match openapi(&folder.join(&api.openapi)) {
        Ok(openapi) => {
            let mocks = cases::read(&source, &api, |operation| schema::operation(&openapi, operation).is_some(), faults);
            gathered.apis.push((source, ApiDocument { api, openapi, mocks }));
        }
        Err(found) => faults.extend(found),
    }
    answers
}

fn openapi(path: &Path) -> Result<Value, Vec<Fault>> {
    let source = yaml::load(path, yaml::MAX_OPENAPI).map_err(|fault| vec![fault])?;
    let document = yaml::parse_any(&source).map_err(|fault| vec![fault])?;
    schema::check(&source, &document)?;
    Ok(document)
}

/// Reads `definition.yaml` and the forms beside it.
fn definition(path: &Path, gathered: &mut Gathered, faults: &mut Vec<Fault>) {
    let mut read = None;
    one::<Definition>(path, faults, |source, definition| read = Some((source, definition)));
    let Some((source, mut definition)) = read else { return };
    if !definition.forms.is_empty() {
        faults.push(source.fault_at(&["forms"], "forms are written in files of their own", "move each to `forms/<form>.yaml`"));
    }
    definition.forms.clear();
    let mut sources = Vec::new();
    let folder = path.parent().unwrap_or(Path::new("")).join("forms");
    for file in sorted(&folder).unwrap_or_default().into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "yaml"))
    {
        one::<Form>(&file, faults, |source, form| {
            definition.forms.push(form);
            sources.push(source);
        });
    }
    gathered.definitions.push((source, definition, sources));
}
