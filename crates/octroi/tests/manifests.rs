//! The arrows of the architecture, read from the dependency graph that cargo resolves: what a crate
//! must not see, it cannot name.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is not there fails it")]

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
    process::Command,
};

use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}
#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}
#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}
#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dep>,
}
#[derive(Deserialize)]
struct Dep {
    pkg: String,
    dep_kinds: Vec<DepKind>,
}
#[derive(Deserialize)]
struct DepKind {
    /// None for a normal dependency, else `dev` or `build`.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Deny {
    bans: Bans,
}
#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}
#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    wrappers: BTreeSet<String>,
}

/// Crate → the crates that it depends on directly, with whether that is more than for its tests.
struct Graph {
    edges: BTreeMap<String, BTreeMap<String, bool>>,
    members: BTreeSet<String>,
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn run(program: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new(program).args(arguments).current_dir(workspace()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(output.stdout) } else { Err(format!("{program} {arguments:?}: {said}")) }
}

impl Graph {
    fn read() -> Self {
        let version = String::from_utf8(run("rustc", &["-vV"]).unwrap()).unwrap();
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        // Only this machine's platform: the packages of others need not have been downloaded.
        let arguments = ["metadata", "--format-version", "1", "--filter-platform", host];
        let offline = run(env!("CARGO"), &[&arguments[..], &["--offline"]].concat());
        // What only other crates of the workspace use may be missing when this one alone was built.
        let text = offline.or_else(|_| run(env!("CARGO"), &arguments)).unwrap();
        let metadata: Metadata = serde_json::from_slice(&text).unwrap();
        let names: BTreeMap<&str, &str> = metadata.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
        let mut edges: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
        for node in &metadata.resolve.nodes {
            let from = edges.entry(names[node.id.as_str()].to_owned()).or_default();
            for dep in &node.deps {
                let runs = dep.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"));
                *from.entry(names[dep.pkg.as_str()].to_owned()).or_default() |= runs;
            }
        }
        let members = metadata.workspace_members.iter().map(|id| names[id.as_str()].to_owned()).collect();
        Self { edges, members }
    }

    /// Everything that is compiled into `from`, tests aside.
    fn tree(&self, from: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut next = VecDeque::from([from]);
        while let Some(name) = next.pop_front() {
            for (found, runs) in &self.edges[name] {
                if *runs && seen.insert(found.as_str()) {
                    next.push_back(found);
                }
            }
        }
        seen
    }

    /// The workspace crates that `from` is built on directly.
    fn ours(&self, from: &str) -> Vec<&str> {
        self.edges[from].iter().filter(|(name, runs)| **runs && self.members.contains(*name)).map(|(name, _)| name.as_str()).collect()
    }

    #[track_caller]
    fn must_not_see(&self, from: &str, forbidden: &[&str]) {
        let tree = self.tree(from);
        let seen: Vec<_> = tree.iter().filter(|name| forbidden.iter().any(|word| matches(word, name))).collect();
        assert!(seen.is_empty(), "{from} must not see {seen:?}");
    }
}

/// `sqlx*` is every crate whose name begins so.
fn matches(word: &str, name: &str) -> bool {
    word.strip_suffix('*').map_or(word == name, |start| name.starts_with(start))
}

#[test]
fn our_crates_see_each_other_along_the_arrows_alone() {
    let graph = Graph::read();
    let arrows: [(&str, &[&str]); 7] = [
        ("octroi-domain", &[]),
        ("octroi-oauth", &[]),
        ("octroi-store", &["octroi-domain"]),
        ("octroi-app", &["octroi-domain", "octroi-oauth", "octroi-store"]),
        ("octroi-gateway", &["octroi-domain", "octroi-oauth"]),
        ("octroi-web", &["octroi-app", "octroi-domain", "octroi-oauth"]),
        ("octroi", &["octroi-app", "octroi-domain", "octroi-gateway", "octroi-oauth", "octroi-store", "octroi-web"]),
    ];
    for (from, expected) in arrows {
        assert_eq!(graph.ours(from), expected, "{from}");
    }
    let named: BTreeSet<String> = arrows.iter().map(|(name, _)| (*name).to_owned()).chain(["xtask".to_owned()]).collect();
    assert_eq!(graph.members, named, "a new crate has its arrows in this test");
}

#[test]
fn the_hot_path_has_no_sql_and_the_rules_have_no_io() {
    let graph = Graph::read();
    let sql = ["sea-*", "sqlx*", "libsqlite3-sys"];
    let faces = ["axum*", "askama*", "utoipa*", "tower-http"];
    let io = ["tokio*", "hyper*", "reqwest", "mio", "async-std"];
    let planes = ["octroi-store", "octroi-app", "octroi-web", "argon2"];
    graph.must_not_see("octroi-gateway", &[&sql[..], &faces, &planes].concat());
    graph.must_not_see("octroi-domain", &[&sql[..], &faces, &io, &["aws-lc-rs", "octroi*"]].concat());
    graph.must_not_see("octroi-oauth", &[&sql[..], &faces, &io, &["octroi*"]].concat());
    graph.must_not_see("octroi-store", &[&faces[..], &["hyper*", "reqwest", "octroi-oauth"]].concat());
    graph.must_not_see("octroi-app", &["axum*", "hyper*", "octroi-gateway"]);
    graph.must_not_see("octroi-web", &["octroi-gateway"]);
    graph.must_not_see("octroi", &["reqwest"]);
    // The names above are the names that the tree really has.
    for (from, word) in [
        ("octroi-store", "sqlx*"),
        ("octroi-store", "sea-*"),
        ("octroi-store", "libsqlite3-sys"),
        ("octroi-web", "axum*"),
        ("octroi-app", "askama*"),
        ("octroi-gateway", "hyper*"),
    ] {
        assert!(graph.tree(from).iter().any(|name| matches(word, name)), "{from} has no {word} any more: mend this test");
    }
}

#[test]
fn what_deny_toml_bans_is_used_by_its_wrappers_alone() {
    let graph = Graph::read();
    let deny: Deny = toml::from_str(&std::fs::read_to_string(workspace().join("deny.toml")).unwrap()).unwrap();
    assert!(deny.bans.deny.iter().any(|ban| ban.name == "sea-orm"), "the list is not the one we know");
    let mut wrong = Vec::new();
    for ban in &deny.bans.deny {
        let users = graph.edges.iter().filter(|(_, used)| used.contains_key(&ban.name)).map(|(user, _)| user);
        wrong.extend(users.filter(|user| !ban.wrappers.contains(*user)).map(|user| format!("{user} uses {}", ban.name)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_dependency_has_its_reason() {
    let manifest: toml::Table = toml::from_str(&std::fs::read_to_string(workspace().join("Cargo.toml")).unwrap()).unwrap();
    let reasons = std::fs::read_to_string(workspace().join("docs/decisions/0011-dependencies.md")).unwrap();
    let named = manifest["workspace"]["dependencies"].as_table().unwrap();
    let missing: Vec<_> = named.keys().filter(|name| !name.starts_with("octroi-") && !reasons.contains(&format!("`{name}`"))).collect();
    assert!(named.len() > 20 && missing.is_empty(), "say why in docs/decisions/0011-dependencies.md: {missing:?}");
}
