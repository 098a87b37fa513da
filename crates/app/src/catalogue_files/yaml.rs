//! YAML 1.2 and JSON, read within bounds: size, depth, nodes, anchors.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::fault::{Fault, Source};

/// The longest file of the catalogue, bytes.
pub(super) const MAX_FILE: u64 = 1024 * 1024;
/// The longest OpenAPI document, bytes.
pub(super) const MAX_OPENAPI: u64 = 5 * 1024 * 1024;

/// Reads a text file of at most `longest` bytes.
pub(super) fn load(path: &Path, longest: u64) -> Result<Source, Fault> {
    let fault = |message: String, mend: &str| Fault::new(path, message, mend);
    let file = fs::File::open(path).map_err(|error| fault(format!("cannot be opened ({error})"), "check that it is there and readable"))?;
    let mut bytes = Vec::new();
    file.take(longest + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| fault(format!("cannot be read ({error})"), "check that it is a readable file"))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > longest {
        return Err(fault(format!("is longer than {longest} bytes"), "split it, or take out what is not needed"));
    }
    let text = String::from_utf8(bytes).map_err(|error| fault(format!("is not UTF-8 ({error})"), "save it as UTF-8"))?;
    Ok(Source { path: path.to_owned(), text })
}

/// Booleans are `true` and `false` alone, and what looks like a code with leading zeros stays text,
/// so that a value without a type reads the same here as in JSON.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 1,
            max_depth: 64,
            max_nodes: 1_000_000,
            max_events: 3_000_000,
            max_aliases: 10_000,
            max_anchors: 10_000,
            max_merge_keys: 10_000,
            max_total_scalar_bytes: 16 * 1024 * 1024,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 200_000,
            max_replay_stack_depth: 16,
        },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// Parses one YAML file into `T`.
pub(super) fn parse<T: DeserializeOwned>(source: &Source) -> Result<T, Fault> {
    serde_saphyr::from_str_with_options(&source.text, options()).map_err(|error| from_yaml(&source.path, &error))
}

/// Parses a document of any shape: JSON when the file is named so or begins as an object does.
pub(super) fn parse_any(source: &Source) -> Result<Value, Fault> {
    let named_json = source.path.extension().is_some_and(|extension| extension == "json");
    if named_json || source.text.trim_start().starts_with('{') {
        return serde_json::from_str(&source.text).map_err(|error| {
            let mut fault = Fault::new(&source.path, plain(&error.to_string()), "mend the JSON here");
            fault.line = u64::try_from(error.line()).ok();
            fault.column = u64::try_from(error.column()).ok();
            fault
        });
    }
    parse(source)
}

fn from_yaml(path: &Path, error: &serde_saphyr::Error) -> Fault {
    let message = plain(&error.without_snippet().to_string());
    let (message, mend) = match message.split_once(", expected ") {
        Some((unknown, names)) if unknown.starts_with("unknown field") => {
            (unknown.to_owned(), format!("remove it, or write {}", names.replacen("one of ", "one of: ", 1)))
        }
        Some((unknown, names)) if unknown.starts_with("unknown variant") => {
            (unknown.to_owned(), format!("write {}", names.replacen("one of ", "one of: ", 1)))
        }
        _ if message.starts_with("missing field") => (message, "add it".to_owned()),
        _ => (message, "mend the file here; catalogue/README.md describes each key".to_owned()),
    };
    let mut fault = Fault::new(path, message, mend);
    if let Some(location) = error.location() {
        fault.line = Some(location.line());
        fault.column = Some(location.column());
    }
    fault
}

/// The message alone, on one line and bounded: the place is told apart from it.
fn plain(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let cut = [" at line ", " (at line ", " line "].iter().find_map(|word| first.find(word)).unwrap_or(first.len());
    let text = first.get(..cut).unwrap_or(first);
    let text = text.strip_prefix("error: ").unwrap_or(text).trim_end_matches(['.', ' ', ',', ':']);
    text.chars().take(400).collect()
}

/// Text that cannot be written as YAML.
#[derive(Debug, thiserror::Error)]
#[error("{0} cannot be written as YAML")]
pub struct YamlError(PathBuf, #[source] serde_saphyr::SerializeError);

/// Writes a value as YAML that [`parse`] reads back as the same value.
pub(super) fn print<T: Serialize>(path: &Path, value: &T) -> Result<String, YamlError> {
    serde_saphyr::to_string_with_options(value, serde_saphyr::ser_options! { quote_all: false, prefer_block_scalars: true })
        .map_err(|error| YamlError(path.to_owned(), error))
}
