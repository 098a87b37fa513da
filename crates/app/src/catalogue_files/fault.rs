//! What is wrong with a file of a catalogue, where, and how to mend it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// One fault of one file. `Display` writes `file:line:column: message. Mend: mend`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub file: PathBuf,
    /// From 1; none when the fault has no one place.
    pub line: Option<u64>,
    /// From 1.
    pub column: Option<u64>,
    pub message: String,
    pub mend: String,
}

impl Fault {
    pub(super) fn new(file: &Path, message: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, column: None, message: message.into(), mend: mend.into() }
    }
}
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        write!(f, ": {}. Mend: {}", self.message, self.mend)
    }
}
impl std::error::Error for Fault {}

/// A file that was read, kept so that a later fault can name its line.
#[derive(Debug, Clone, Default)]
pub(super) struct Source {
    pub path: PathBuf,
    pub text: String,
}

impl Source {
    /// A fault at the first place where one of `needles` stands as a word; without a line when none does.
    pub fn fault_at(&self, needles: &[&str], message: impl Into<String>, mend: impl Into<String>) -> Fault {
        let mut fault = Fault::new(&self.path, message, mend);
        if let Some((line, column)) = needles.iter().find_map(|needle| self.place_of(needle)) {
            fault.line = Some(line);
            fault.column = Some(column);
        }
        fault
    }

    /// Line and column, from 1, of the first whole-word occurrence outside comments.
    pub fn place_of(&self, needle: &str) -> Option<(u64, u64)> {
        let part_of_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '/');
        for (line, content) in (1_u64..).zip(self.text.lines()) {
            if content.trim_start().starts_with('#') {
                continue;
            }
            for (at, found) in content.match_indices(needle) {
                let before = content.get(..at).and_then(|text| text.chars().next_back());
                let after = content.get(at + found.len()..).and_then(|text| text.chars().next());
                if !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word) {
                    let column = content.get(..at).map_or(0, |text| text.chars().count());
                    return Some((line, u64::try_from(column).unwrap_or_default() + 1));
                }
            }
        }
        None
    }
}
