//! The two that are measured: Octroi, the real program with its database on the disk, and npm's oidc-provider.

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};

use super::{
    super::{
        octroi::{PASSWORD, is_ready, rest, set_up, settings, sign_in},
        process::{Process, find, free_ports, output},
    },
    Run,
    load::{Connection, encode},
};
use crate::Result;

/// Where a code goes: nobody listens there.
pub const CLIENT: &str = "http://127.0.0.1:9/cb";

/// A provider that runs, with a client of each kind.
pub struct Side {
    pub name: &'static str,
    pub version: String,
    pub process: Process,
    pub port: u16,
    pub token: &'static str,
    pub introspect: &'static str,
    /// The request for a code.
    pub authorize: String,
    /// What signs the person in.
    pub credentials: String,
    /// `Authorization` of a client that acts in its own name, of one that looks into its token, and of one that people use.
    pub machine: String,
    pub looking: String,
    pub site: String,
}

impl Side {
    /// A token of the client itself.
    ///
    /// # Errors
    /// When it is refused.
    pub fn machine_token(&self, authorization: &str) -> Result<String> {
        let reply = Connection::to(self.port).ask("POST", self.token, authorization, "grant_type=client_credentials&scope=read")?;
        text(&reply.json()?, "access_token")
    }

    /// A browser that is signed in.
    ///
    /// # Errors
    /// When the sign-in is refused.
    pub fn browser(&self) -> Result<Connection> {
        let mut browser = Connection::to(self.port);
        browser.authorize(&self.authorize, CLIENT, &self.credentials)?;
        Ok(browser)
    }
}

pub fn text(answer: &Value, member: &str) -> Result<String> {
    answer.get(member).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("the answer has no `{member}`: {answer}").into())
}

fn basic(id: &str, secret: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let pair = format!("{id}:{secret}");
    let mut encoded = String::new();
    for three in pair.as_bytes().chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let six = usize::try_from((bits >> (18 - 6 * place)) & 63).unwrap_or(0);
            encoded.push(if place > three.len() { '=' } else { ALPHABET.get(six).copied().map_or('=', char::from) });
        }
    }
    format!("Authorization: Basic {encoded}\r\n")
}

fn asked(path: &str, client: &str) -> String {
    format!("{path}?response_type=code&client_id={client}&redirect_uri={}&scope=openid%20email&state=bench&nonce=bench", encode(CLIENT))
}

/// Octroi, pinned to the core of what is measured.
///
/// # Errors
/// When it is not built, or a step is refused.
pub fn octroi(run: &Run) -> Result<Side> {
    let binary = &run.bench.options.binary;
    if !binary.is_file() {
        return Err(format!("{} is not there: cargo build --release", binary.display()).into());
    }
    let &[portal, gateway, sandbox, admin] = free_ports(4)?.as_slice() else { return Err("no free ports".into()) };
    let config = run.bench.run.join("octroi.toml");
    fs::write(&config, settings(&run.bench.run, [portal, gateway, sandbox, admin]))?;
    set_up(&run.bench, &config, 9)?;
    let config = config.to_str().ok_or("the folder of the workspace has a name that is not UTF-8")?;
    let mut process = Process::start(&run.bench.run, "octroi", &run.bench.proxy_core(), binary, &["serve", "--config", config])?;
    process.wait_until("become ready", || is_ready(admin))?;
    let operator = sign_in(portal, "operator@bench.example")?;
    let create = |metadata: Value| -> Result<(String, String)> {
        let body = json!({ "metadata": metadata, "first_party": true });
        let made = rest(portal, &operator, "POST", "/api/v1/clients", Some(&body))?;
        Ok((text(&made, "client_id")?, text(&made, "client_secret")?))
    };
    let machine = create(json!({ "client_name": "machine", "redirect_uris": [], "grant_types": ["client_credentials"], "scope": "read" }))?;
    let site = create(json!({
        "client_name": "site", "redirect_uris": [CLIENT], "grant_types": ["authorization_code", "refresh_token"],
        "id_token_signed_response_alg": "ES256",
    }))?;
    let person = json!({
        "email": "person@bench.example", "given_name": "Camille", "family_name": "Martin", "password": PASSWORD,
        "organization": "90000000100017", "roles": [],
    });
    rest(portal, &operator, "POST", "/api/v1/organizations", Some(&json!({ "siret": "90000000100017", "name": "Town" })))?;
    rest(portal, &operator, "POST", "/api/v1/users", Some(&person))?;
    Ok(Side {
        name: "Octroi",
        version: output(binary, &["--version"]).trim().trim_start_matches("octroi ").to_owned(),
        process,
        port: portal,
        token: "/oauth/token",
        introspect: "/oauth/introspect",
        authorize: asked("/oauth/authorize", &site.0),
        credentials: format!("email={}&password={}", encode("person@bench.example"), encode(PASSWORD)),
        machine: basic(&machine.0, &machine.1),
        looking: basic(&machine.0, &machine.1),
        site: basic(&site.0, &site.1),
    })
}

fn peer_folder(run: &Run) -> PathBuf {
    run.bench.root.join("xtask/bench/peers/oidc-provider")
}

/// Fetches the peer from npm, in the versions of its lock file.
///
/// # Errors
/// When npm is not there, or fails.
pub fn install(run: &Run) -> Result<()> {
    let status = Command::new("npm").args(["ci", "--ignore-scripts", "--prefix"]).arg(peer_folder(run)).status()?;
    if status.success() { Ok(()) } else { Err("npm could not install the peer".into()) }
}

/// The peer, pinned to the same core.
///
/// # Errors
/// When it is not installed, or does not start.
pub fn peer(run: &Run) -> Result<Side> {
    const SECRET: &str = "a-secret-for-the-bench-alone-and-nothing-else";
    let folder = peer_folder(run);
    let package = fs::read_to_string(folder.join("node_modules/oidc-provider/package.json"));
    let package = package.map_err(|_| "npm's oidc-provider is not installed: `cargo xtask bench identity --install`")?;
    let node = find("node").ok_or("node is not installed")?;
    let script = folder.join("server.mjs");
    let script = script.to_str().ok_or("the folder of the workspace has a name that is not UTF-8")?;
    let port = free_ports(1)?.pop().ok_or("no free port")?;
    let mut process =
        Process::start(&run.bench.run, "oidc-provider", &run.bench.proxy_core(), &node, &[script, &port.to_string(), SECRET])?;
    process.wait_for_port(port)?;
    let version = text(&serde_json::from_str(&package)?, "version")?;
    Ok(Side {
        name: "oidc-provider",
        version: format!("{version} on Node.js {}", output(&node, &["--version"]).trim()),
        process,
        port,
        token: "/token",
        introspect: "/token/introspection",
        authorize: asked("/auth", "site"),
        credentials: format!("email={}&password={SECRET}", encode("person@bench.example")),
        machine: basic("machine", SECRET),
        looking: basic("opaque", SECRET),
        site: basic("site", SECRET),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_basic() {
        assert_eq!(basic("a", "b"), "Authorization: Basic YTpi\r\n");
        assert_eq!(basic("ab", "c"), "Authorization: Basic YWI6Yw==\r\n");
        assert_eq!(basic("ab", "cd"), "Authorization: Basic YWI6Y2Q=\r\n");
    }
}
