//! `demo.json`: what a program needs to try the demo. It holds secrets, so its owner alone may read it.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DemoFile {
    pub portal: String,
    pub gateway_production: String,
    pub gateway_sandbox: String,
    pub upstream: String,
    pub admin: String,
    pub accounts: Vec<Account>,
    pub clients: Vec<Client>,
    /// The public key that the pages try APIs with, in the sandbox.
    #[serde(default)]
    pub test_key: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub role: String,
    pub email: String,
    pub password: String,
    pub organization: String,
    pub siret: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    pub name: String,
    pub stage: String,
    pub client_id: String,
    pub client_secret: String,
    pub api_key: String,
    pub apis: Vec<String>,
}

pub fn read(path: &Path) -> io::Result<DemoFile> {
    serde_json::from_slice(&std::fs::read(path)?).map_err(io::Error::from)
}

/// Written aside and renamed, so that nobody reads half of it.
pub fn write(path: &Path, file: &DemoFile) -> io::Result<()> {
    let aside = path.with_extension("json.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options.open(&aside)?;
    written.write_all(serde_json::to_string_pretty(file)?.as_bytes())?;
    written.write_all(b"\n")?;
    written.sync_all()?;
    std::fs::rename(aside, path)
}
