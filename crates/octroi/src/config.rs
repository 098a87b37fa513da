//! Settings: one struct per section, each field with its default. A setting that is unknown or
//! wrong keeps the program from starting, and is named.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use octroi_domain::{account::SecondFactor, mail::Sender};
use octroi_oauth::secret::{self, SecretKind};
use serde::Deserialize;

use crate::{
    directory::Directory,
    look::Look,
    sign_on::{self, SignOn},
};

/// `octroi.toml`. Everything has a default; an empty file is a good one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of the embedded database, the master key and the spill file.
    pub data: PathBuf,
    pub portal: Portal,
    pub gateway: Gateways,
    pub admin: Admin,
    pub database: Database,
    pub traces: Traces,
    pub mail: Mail,
    pub accounts: Accounts,
    pub directory: Directory,
    pub sign_on: SignOn,
}
impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("octroi-data"),
            portal: Portal::default(),
            gateway: Gateways::default(),
            admin: Admin::default(),
            database: Database::default(),
            traces: Traces::default(),
            mail: Mail::default(),
            accounts: Accounts::default(),
            directory: Directory::default(),
            sign_on: SignOn::default(),
        }
    }
}

/// The portal, the REST API and the OAuth endpoints.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Portal {
    pub listen: SocketAddr,
    /// Where people and programs reach it: the issuer of tokens. Never taken from a request.
    pub public_url: String,
    /// An API key of the sandbox that visitors may try public APIs with. The pages show it to everybody.
    pub sandbox_test_key: Option<String>,
    pub look: Look,
    /// Proxies in front, as CIDR: their `X-Forwarded-For` and `Client-Cert` are believed, and nobody else's.
    pub trusted_proxies: Vec<String>,
}
impl Default for Portal {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            public_url: "http://localhost:3000".to_owned(),
            sandbox_test_key: None,
            look: Look::default(),
            trusted_proxies: Vec::new(),
        }
    }
}

/// The accounts of people.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accounts {
    /// `required`: reviewers, managers, API administrators and operators sign in with two factors, and their roles are held back until they do.
    /// `optional`: who wants to. The demo has it optional.
    pub second_factor: SecondFactor,
}

/// The two gateways, which share nothing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gateways {
    pub sandbox: Gateway,
    pub production: Gateway,
    /// Seconds that an access token lives.
    pub token_lifetime: u32,
    /// A masked answer above this many bytes is not let through.
    pub max_masked_bytes: usize,
    /// Seconds after which a view that was not confirmed serves restricted APIs no more.
    pub max_view_age: u32,
    /// The civil days of quotas: an IANA time zone.
    pub time_zone: String,
    /// Seconds given to calls in flight when stopping.
    pub drain: u32,
    /// Proxies in front whose `X-Forwarded-For` is believed, as CIDR.
    pub trusted_proxies: Vec<String>,
}
impl Default for Gateways {
    fn default() -> Self {
        let at = |port: u16| Gateway {
            listen: SocketAddr::from(([127, 0, 0, 1], port)),
            public_url: format!("http://localhost:{port}"),
            threads: 0,
        };
        Self {
            sandbox: at(8081),
            production: at(8080),
            token_lifetime: 3600,
            max_masked_bytes: 10 * 1024 * 1024,
            max_view_age: 30,
            time_zone: "Europe/Paris".to_owned(),
            drain: 10,
            trusted_proxies: Vec::new(),
        }
    }
}

/// One gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    pub listen: SocketAddr,
    /// Where callers reach it: the issuer of assertions, the audience of tokens.
    pub public_url: String,
    /// Threads; 0: one per core.
    #[serde(default)]
    pub threads: usize,
}

/// Health and metrics: keep it off the public network.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    pub listen: SocketAddr,
}
impl Default for Admin {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 9090)) }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://…`, or `sqlite:///path`; none: an embedded database in the data folder.
    /// The environment variable `OCTROI_DATABASE_URL` wins, so that a password need not be in the file.
    pub url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Traces {
    /// Days after which a trace is anonymised for good.
    pub retention_days: u16,
    /// Traces that may wait in memory before they spill to a file.
    pub buffer: usize,
}
impl Default for Traces {
    fn default() -> Self {
        Self { retention_days: 10, buffer: 16_384 }
    }
}

/// How mails leave.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    pub mode: MailMode,
    /// Name of the mail server, which its certificate must bear.
    pub host: String,
    /// None: 587 with STARTTLS, 465 with TLS, 25 without.
    pub port: Option<u16>,
    pub tls: MailTls,
    /// Allows `tls = "none"` to a server on another machine: mails and the password can then be read on the way.
    pub insecure: bool,
    /// A file of certificates (PEM) to trust besides the public authorities.
    pub ca: Option<PathBuf>,
    /// Who signs in to the server; none: nobody does.
    pub username: Option<String>,
    /// A file that holds the password. The environment variable `OCTROI_SMTP_PASSWORD` wins.
    pub password_file: Option<PathBuf>,
    /// Who mails come from: `Octroi <no-reply@octroi.example>`. A provider may have its own.
    pub from: Option<Sender>,
    /// Seconds that one mail may take.
    pub timeout: u32,
}
impl Default for Mail {
    fn default() -> Self {
        Self {
            mode: MailMode::Off,
            host: String::new(),
            port: None,
            tls: MailTls::Starttls,
            insecure: false,
            ca: None,
            username: None,
            password_file: None,
            from: None,
            timeout: 30,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailMode {
    /// Mails wait in the outbox.
    Off,
    Smtp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// From plain to TLS on the same connection, never without.
    Starttls,
    /// TLS from the first byte.
    Tls,
    None,
}

impl Mail {
    fn check(&self) -> Result<(), ConfigError> {
        let bad = |name, why: &str| Err(ConfigError::Bad { name, why: why.to_owned() });
        if self.mode == MailMode::Off {
            return Ok(());
        }
        if self.host.is_empty() || self.host.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '@')) {
            return bad("mail.host", "write the name of the mail server: smtp.example");
        }
        let here = self.host == "localhost" || self.host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        if self.tls == MailTls::None && !here && !self.insecure {
            return bad("mail.tls", "without TLS only to this machine, or with `insecure = true`");
        }
        if self.from.is_none() {
            return bad("mail.from", "say who mails come from: Octroi <no-reply@octroi.example>");
        }
        if !(1..=45).contains(&self.timeout) {
            return bad("mail.timeout", "from 1 to 45 seconds");
        }
        Ok(())
    }
}

/// Why the settings are refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path}: cannot be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path}: {message}")]
    Malformed { path: PathBuf, message: String },
    #[error("setting `{name}`: {why}")]
    Bad { name: &'static str, why: String },
}

impl Config {
    /// Reads a file and checks every setting.
    ///
    /// # Errors
    /// When it cannot be read, has an unknown setting, or a value that cannot be.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let mut config: Self =
            toml::from_str(&text).map_err(|error| ConfigError::Malformed { path: path.to_owned(), message: error.to_string() })?;
        if let Ok(url) = std::env::var("OCTROI_DATABASE_URL") {
            config.database.url = Some(url);
        }
        config.check()?;
        Ok(config)
    }

    /// # Errors
    /// The first setting whose value cannot be.
    pub fn check(&self) -> Result<(), ConfigError> {
        let bad = |name, why: &str| Err(ConfigError::Bad { name, why: why.to_owned() });
        for (name, url) in [
            ("portal.public_url", &self.portal.public_url),
            ("gateway.sandbox.public_url", &self.gateway.sandbox.public_url),
            ("gateway.production.public_url", &self.gateway.production.public_url),
        ] {
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            if rest.is_none_or(|rest| rest.is_empty() || rest.contains(['/', '?', '#', '@', ' '])) {
                return bad(name, "write a scheme and a host, without a path: https://portal.example");
            }
        }
        if self.portal.sandbox_test_key.as_deref().is_some_and(|key| secret::recognise(key) != Some(SecretKind::SandboxApiKey)) {
            return bad("portal.sandbox_test_key", "not an API key of the sandbox (oct_test_key_…)");
        }
        let listens = [self.portal.listen, self.gateway.sandbox.listen, self.gateway.production.listen, self.admin.listen];
        if listens.iter().enumerate().any(|(place, one)| one.port() != 0 && listens.iter().skip(place + 1).any(|other| one == other)) {
            return bad("portal.listen, gateway.*.listen, admin.listen", "two listeners have the same address");
        }
        if !(60..=86_400).contains(&self.gateway.token_lifetime) {
            return bad("gateway.token_lifetime", "from 60 to 86400 seconds");
        }
        if !(1_024..=1_073_741_824).contains(&self.gateway.max_masked_bytes) {
            return bad("gateway.max_masked_bytes", "from 1024 to 1073741824 bytes");
        }
        if !(2..=3_600).contains(&self.gateway.max_view_age) {
            return bad("gateway.max_view_age", "from 2 to 3600 seconds");
        }
        if self.gateway.drain > 600 {
            return bad("gateway.drain", "at most 600 seconds");
        }
        if octroi_domain::calendar::Zone::get(&self.gateway.time_zone).is_err() {
            return bad("gateway.time_zone", "not an IANA time zone, such as Europe/Paris");
        }
        if [self.gateway.sandbox.threads, self.gateway.production.threads].iter().any(|threads| *threads > 256) {
            return bad("gateway.*.threads", "at most 256");
        }
        if !(1..=3_650).contains(&self.traces.retention_days) {
            return bad("traces.retention_days", "from 1 to 3650 days");
        }
        if !(16..=10_000_000).contains(&self.traces.buffer) {
            return bad("traces.buffer", "from 16 to 10000000 traces");
        }
        self.mail.check()?;
        sign_on::networks("portal.trusted_proxies", &self.portal.trusted_proxies)?;
        self.sign_on.check(&self.portal.trusted_proxies)?;
        self.directory.check()?;
        match &self.database.url {
            Some(url) if !["postgres://", "postgresql://", "sqlite://"].iter().any(|scheme| url.starts_with(scheme)) => {
                bad("database.url", "write postgres://… or sqlite:///path")
            }
            _ => Ok(()),
        }
    }

    /// The database that is meant.
    ///
    /// # Errors
    /// When the data folder's path cannot be written in a URL.
    pub fn database_url(&self) -> Result<String, ConfigError> {
        if let Some(url) = &self.database.url {
            return Ok(url.clone());
        }
        let bad = |why: String| ConfigError::Bad { name: "data", why };
        let folder = std::path::absolute(&self.data).map_err(|error| bad(error.to_string()))?;
        let file = folder.join("octroi.db");
        let path =
            file.to_str().filter(|path| !path.contains(['?', '#', '%'])).ok_or_else(|| bad("use a path of plain characters".to_owned()))?;
        Ok(format!("sqlite://{path}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, named: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("octroi.toml");
        std::fs::write(&path, text).unwrap();
        let error = Config::read(&path).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }

    #[test]
    fn an_empty_file_is_a_good_one() {
        let config: Config = toml::from_str("").unwrap();
        config.check().unwrap();
        assert!(config.database_url().unwrap().ends_with("/octroi-data/octroi.db"));
    }

    #[test]
    fn a_bad_setting_is_named() {
        refused("colour = 1", "colour");
        refused("[portal]\nlisten = \"x\"", "listen");
        refused("[portal]\npublic_url = \"portal.example\"", "portal.public_url");
        refused("[portal]\npublic_url = \"https://portal.example/path\"", "portal.public_url");
        refused("[portal]\nsandbox_test_key = \"oct_live_key_x\"", "portal.sandbox_test_key");
        refused("[gateway]\ntoken_lifetime = 5", "gateway.token_lifetime");
        refused("[gateway]\ntime_zone = \"Mars/Base\"", "gateway.time_zone");
        refused("[traces]\nretention_days = 0", "traces.retention_days");
        refused("[database]\nurl = \"mysql://x\"", "database.url");
        refused("[mail]\nmode = \"sendmail\"", "mode");
        refused("[mail]\nfrom = \"Octroi\"", "is not a sender");
        refused("[mail]\nmode = \"smtp\"", "mail.host");
        refused("[mail]\nmode = \"smtp\"\nhost = \"smtp.example\"", "mail.from");
        refused("[mail]\nmode = \"smtp\"\nhost = \"smtp.example\"\nfrom = \"a@b.example\"\ntls = \"none\"", "mail.tls");
        refused("[mail]\nmode = \"smtp\"\nhost = \"127.0.0.1\"\nfrom = \"a@b.example\"\ntls = \"none\"\ntimeout = 60", "mail.timeout");
        refused("[directory]\nmode = \"api_entreprise\"", "directory.recipient");
        refused("[directory]\nurl = \"http://directory.example\"", "directory.url");
        refused("[admin]\nlisten = \"127.0.0.1:3000\"", "same address");
        refused("[portal]\ntrusted_proxies = [\"proxy.example\"]", "portal.trusted_proxies");
        refused("[sign_on]\nclient_certificates = \"verified\"", "portal.trusted_proxies");
        refused("[sign_on]\ncertificate_url = \"https://mtls.example\"", "sign_on.certificate_url");
        refused("[sign_on]\nprivate_networks = [\"10.0.0.0/99\"]", "sign_on.private_networks");
        refused("[portal", "octroi.toml");
    }
}
