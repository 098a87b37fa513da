//! The manual says what the program does: what can be listed is compared.
#![expect(clippy::unwrap_used, reason = "a test: what is not there fails it")]

use std::path::Path;

use octroi_gateway::Reason;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)).unwrap()
}

#[test]
fn consumers_are_told_every_refusal() {
    let manual = read("docs/consumer.md");
    let told = |reason: &&Reason| {
        let (status, code) = (format!("| {} |", reason.status()), format!("`{}`", reason.code()));
        manual.lines().any(|line| line.starts_with(&status) && line.contains(&code))
    };
    let missing: Vec<_> = Reason::ALL.iter().filter(|reason| !told(reason)).map(|reason| (reason.status(), reason.code())).collect();
    assert!(!Reason::ALL.is_empty() && missing.is_empty(), "{missing:?}");
}

#[test]
fn operators_are_told_every_setting() {
    let manual = read("docs/operator.md");
    let source = read("crates/octroi/src/config.rs");
    let fields: Vec<&str> = source
        .lines()
        .filter(|line| !line.contains("fn "))
        .filter_map(|line| line.strip_prefix("    pub ")?.split_once(':'))
        .map(|(name, _)| name)
        .collect();
    let missing: Vec<_> =
        fields.iter().filter(|name| !manual.contains(&format!("`{name}`")) && !manual.contains(&format!(".{name}`"))).collect();
    assert!(fields.len() > 10 && missing.is_empty(), "{missing:?}");
}
