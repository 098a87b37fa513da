//! `cargo xtask tidy`: what the pages at the root name in backticks, or link to, exists.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::Result;

const PAGES: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
/// Endings by which a name without a slash is a file of this repository.
const OURS: [&str; 2] = [".md", ".rs"];
/// First segments of media types, which look like paths.
const MEDIA: [&str; 4] = ["application", "text", "image", "multipart"];
/// What a running program makes.
const MADE: [&str; 2] = ["octroi-data", "target"];

/// Checks the pages.
///
/// # Errors
/// With a line for each name that leads nowhere.
pub fn run(root: &Path) -> Result<()> {
    let files = all_files(root)?;
    let mut wrong = Vec::new();
    let mut named = 0;
    for page in PAGES {
        let Ok(text) = fs::read_to_string(root.join(page)) else {
            wrong.push(format!("{page}: the page is not there"));
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            for path in paths(line) {
                named += 1;
                if !exists(root, &files, path) {
                    wrong.push(format!("{page}:{}: `{path}` is not there", number + 1));
                }
            }
        }
    }
    if wrong.is_empty() {
        println!("{named} paths named, all there");
        Ok(())
    } else {
        Err(wrong.join("\n").into())
    }
}

/// The paths that a line names: in backticks, or as the target of a link.
fn paths(line: &str) -> Vec<&str> {
    let quoted = line.split('`').skip(1).step_by(2).filter(|text| is_path(text));
    let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(|link| link.split('#').next().unwrap_or(link));
    quoted.chain(links.filter(|link| !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:"))).collect()
}

/// Does the text in backticks mean a file or a folder of this repository? `NNNN` stands for a number to choose.
fn is_path(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let first = text.split('/').next().unwrap_or_default();
    plain
        && !text.starts_with('/')
        && !text.contains("NNNN")
        && !MEDIA.contains(&first)
        && !MADE.contains(&first)
        && (text.contains('/') || OURS.iter().any(|ending| text.ends_with(ending)))
}

/// From the root, in the sources of the crate that it begins with, or as the end of any file's path.
fn exists(root: &Path, files: &[PathBuf], path: &str) -> bool {
    let path = path.trim_start_matches("./").trim_end_matches('/');
    let in_crate = path.split_once('/').map(|(name, rest)| root.join("crates").join(name).join("src").join(rest));
    root.join(path).exists()
        || root.join("crates").join(path).exists()
        || in_crate.is_some_and(|file| file.exists())
        || files.iter().any(|file| file.ends_with(path))
}

/// Every file of the repository, but for what git and cargo make.
fn all_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let hidden = entry.file_name().to_str().is_none_or(|name| matches!(name, ".git" | "node_modules") || MADE.contains(&name));
            if hidden {
                continue;
            }
            if entry.file_type()?.is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        assert_eq!(paths(line), expected);
    }

    #[test]
    fn paths_are_told_from_other_words() {
        check("see `crates/domain`, `policy.rs` and `./test`", &["crates/domain", "policy.rs", "./test"]);
        check(
            "`cargo xtask tidy`, `/api/v1`, `application/json`, `octroi-data/demo.json`, `app/<resource>.rs`, `migrations/mNNNN_what.rs`, `octroi.toml`",
            &[],
        );
        check("[the page](docs/a.md#part) and [out](https://a.example/b) and [here](#part)", &["docs/a.md"]);
    }

    fn house() -> tempfile::TempDir {
        let house = tempfile::tempdir().unwrap();
        fs::create_dir_all(house.path().join("crates/domain/src")).unwrap();
        fs::write(house.path().join("crates/domain/src/policy.rs"), "").unwrap();
        for page in PAGES {
            fs::write(house.path().join(page), "`crates/domain` `domain/policy.rs` `src/policy.rs` `policy.rs`").unwrap();
        }
        house
    }

    #[test]
    fn a_name_that_leads_nowhere_is_told_with_its_line() {
        let house = house();
        run(house.path()).unwrap();
        fs::write(house.path().join("README.md"), "fine\n`domain/gone.rs`\n").unwrap();
        fs::remove_file(house.path().join("CONTRIBUTING.md")).unwrap();
        let error = run(house.path()).unwrap_err().to_string();
        assert_eq!(error, "README.md:2: `domain/gone.rs` is not there\nCONTRIBUTING.md: the page is not there");
    }
}
