//! Case files: the answers that a sandbox gives, chosen by their parameters.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use octroi_domain::{
    api::{Api, MockCase, OperationName},
    catalogue::{CaseFile, CaseFolder},
};
use serde::de::IgnoredAny;

use super::{
    fault::{Fault, Source},
    yaml,
};

/// The most case files of one API.
const MAX_CASES: usize = 10_000;

/// Reads every case file of an API, ordered by folder and name.
/// `known` tells whether the OpenAPI document has an operation.
pub(super) fn read(api_file: &Source, api: &Api, known: impl Fn(&OperationName) -> bool, faults: &mut Vec<Fault>) -> Vec<MockCase> {
    let Some(cases) = &api.cases else { return Vec::new() };
    let folder = api_file.path.parent().unwrap_or(Path::new("")).join(&cases.path);
    let names = match sorted(&folder) {
        Ok(entries) => entries.into_iter().filter(|entry| entry.is_dir()).collect::<Vec<_>>(),
        Err(error) => {
            let message = format!("the folder of cases `{}` cannot be read ({error})", cases.path);
            faults.push(api_file.fault_at(
                &[cases.path.as_str(), "cases"],
                message,
                "write the path of a folder, relative to this file or absolute",
            ));
            return Vec::new();
        }
    };
    let (map, at) = match operations(api_file, cases, &folder) {
        Ok(found) => found,
        Err(fault) => {
            faults.push(fault);
            return Vec::new();
        }
    };
    let present: BTreeSet<String> = names.iter().map(|path| name_of(path)).collect();
    for (name, operation) in &map {
        if !known(operation) {
            let message = format!("the folder of cases `{name}` answers `{operation}`, which the OpenAPI document does not have");
            faults.push(at.fault_at(&[name], message, "write the method and the path as the OpenAPI document does"));
        }
        if !present.contains(name) {
            let message = format!("there is no folder of cases `{name}` in `{}`", cases.path);
            faults.push(at.fault_at(&[name], message, "remove the line, or add the folder"));
        }
    }
    let mut found = Vec::new();
    for path in names {
        let name = name_of(&path);
        match map.get(&name) {
            Some(operation) => read_folder(&path, &name, operation, &mut found, faults),
            None => faults.push(Fault::new(
                &path,
                format!("no operation is named for the folder of cases `{name}`"),
                format!("add `{name}: METHOD /path` under `cases.operations`, or a line of the table in README.md"),
            )),
        }
    }
    found
}

fn read_folder(folder: &Path, name: &str, operation: &OperationName, found: &mut Vec<MockCase>, faults: &mut Vec<Fault>) {
    let files = match sorted(folder) {
        Ok(files) => files,
        Err(error) => return faults.push(Fault::new(folder, format!("cannot be read ({error})"), "check that it is readable")),
    };
    for file in files.into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")) {
        if found.len() >= MAX_CASES {
            return faults.push(Fault::new(folder, format!("there are more than {MAX_CASES} case files"), "remove some"));
        }
        match read_case(&file) {
            Ok(case) => found.push(MockCase {
                operation: operation.clone(),
                source: format!("{name}/{}", name_of(&file)),
                params: case.params,
                status: case.status,
                payload: case.payload,
            }),
            Err(fault) => faults.push(fault),
        }
    }
}

fn read_case(file: &Path) -> Result<CaseFile, Fault> {
    let source = yaml::load(file, yaml::MAX_FILE)?;
    let case: CaseFile = yaml::parse(&source)?;
    if !(200..=599).contains(&case.status) {
        return Err(source.fault_at(
            &["status"],
            format!("the status {} is not that of an answer", case.status),
            "write a number from 200 to 599",
        ));
    }
    let may_be_empty = matches!(case.status, 204 | 205 | 304);
    if may_be_empty && case.payload.is_empty() {
        return Ok(case);
    }
    match serde_json::from_str::<IgnoredAny>(&case.payload) {
        Ok(_) => Ok(case),
        Err(error) => {
            let mut fault =
                source.fault_at(&["payload"], format!("the payload is not JSON ({error})"), "write JSON text under `payload: |-`");
            // In a block scalar the text begins on the next line, so that its lines can be counted on.
            let block =
                source.text.lines().find_map(|line| line.trim_start().strip_prefix("payload:")).is_some_and(|rest| rest.contains('|'));
            if block && let (Some(line), Ok(inner)) = (fault.line, u64::try_from(error.line())) {
                fault.line = Some(line + inner);
                fault.column = None;
            }
            Err(fault)
        }
    }
}

/// Folder → operation: as `api.yaml` says, otherwise as the table of `README.md` does, in the folder or above it.
fn operations(api_file: &Source, cases: &CaseFolder, folder: &Path) -> Result<(BTreeMap<String, OperationName>, Source), Fault> {
    if !cases.operations.is_empty() {
        return Ok((cases.operations.clone(), api_file.clone()));
    }
    let readme = [Some(folder), folder.parent()].into_iter().flatten().map(|place| place.join("README.md")).find(|path| path.is_file());
    let Some(readme) = readme else {
        return Err(api_file.fault_at(
            &["cases"],
            "`cases.operations` is left out, and there is no `README.md` in the folder or above it",
            "write `operations: { folder: METHOD /path }`",
        ));
    };
    let source = yaml::load(&readme, yaml::MAX_FILE)?;
    let map: BTreeMap<String, OperationName> = source.text.lines().filter_map(table_row).collect();
    if map.is_empty() {
        return Err(Fault::new(&readme, "has no table that maps folders to operations", "write lines such as | `folder` | `GET /path` |"));
    }
    Ok((map, source))
}

/// One line of a Markdown table whose second cell is an operation.
fn table_row(line: &str) -> Option<(String, OperationName)> {
    let mut cells = line.trim().strip_prefix('|')?.split('|').map(|cell| cell.trim().trim_matches('`'));
    let folder = cells.next().filter(|name| !name.is_empty())?;
    let operation = cells.next()?.parse().ok()?;
    Some((folder.to_owned(), operation))
}

/// The entries of a folder in the order of their names; hidden ones are left aside.
pub(super) fn sorted(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| !name_of(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
