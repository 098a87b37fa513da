//! What the program tells its operator of itself: settings in force, gateways, disk.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use octroi_app::platform::{DiskHealth, GatewayHealth, HostPort, SettingView};
use octroi_domain::stage::Stage;
use octroi_gateway::{Handle, trace::TraceSink};

use crate::{
    config::{Accounts, Admin, Config, Database, Gateway, Gateways, Mail, Portal, Traces},
    directory::Directory,
    look::Look,
};

/// This process.
pub struct Host {
    settings: Vec<SettingView>,
    data: PathBuf,
    gateways: Arc<HashMap<Stage, Handle>>,
    sinks: Vec<(Stage, TraceSink)>,
}

impl Host {
    #[must_use]
    pub fn new(config: &Config, gateways: Arc<HashMap<Stage, Handle>>, sinks: Vec<(Stage, TraceSink)>) -> Self {
        Self { settings: settings(config), data: config.data.clone(), gateways, sinks }
    }
}

impl HostPort for Host {
    fn settings(&self) -> Vec<SettingView> {
        self.settings.clone()
    }

    fn gateways(&self) -> Vec<GatewayHealth> {
        let health = |stage: Stage| {
            let handle = self.gateways.get(&stage)?;
            let lost = self.sinks.iter().filter(|(found, _)| *found == stage).map(|(_, sink)| sink.counts().1).sum();
            Some(GatewayHealth {
                stage: stage.to_string(),
                ready: handle.is_ready(),
                version: handle.version(),
                view_age_ms: handle.view_age().map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
                traces_lost: lost,
            })
        };
        Stage::ALL.into_iter().filter_map(health).collect()
    }

    fn disk(&self) -> Option<DiskHealth> {
        let found = rustix::fs::statvfs(&self.data).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Some(DiskHealth { free_bytes: bytes(found.f_bavail), total_bytes: bytes(found.f_blocks) })
    }
}

/// Every setting with its value. Each struct is taken apart in full: a new setting does not compile
/// until it is decided here whether it is shown.
fn told(config: &Config) -> Vec<(String, String)> {
    let Config { data, portal, gateway, admin, database, traces, mail, accounts, directory, sign_on } = config;
    let Accounts { second_factor } = accounts;
    let Portal { listen, public_url, sandbox_test_key, look, trusted_proxies: portal_proxies } = portal;
    let Look { name, logo, accent, accent_dark, publisher, contact } = look;
    let Gateways { sandbox, production, token_lifetime, max_masked_bytes, max_view_age, time_zone, drain, trusted_proxies } = gateway;
    let Admin { listen: admin_listen } = admin;
    let Database { url } = database;
    let Traces { retention_days, buffer } = traces;
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut told = vec![
        ("data", data.display().to_string()),
        ("portal.listen", listen.to_string()),
        ("portal.public_url", public_url.clone()),
        ("portal.sandbox_test_key", text(sandbox_test_key)),
        ("portal.trusted_proxies", portal_proxies.join(", ")),
        ("portal.look.name", text(name)),
        ("portal.look.logo", path(logo)),
        ("portal.look.accent", text(accent)),
        ("portal.look.accent_dark", text(accent_dark)),
        ("portal.look.publisher", publisher.clone()),
        ("portal.look.contact", contact.clone()),
        ("gateway.token_lifetime", token_lifetime.to_string()),
        ("gateway.max_masked_bytes", max_masked_bytes.to_string()),
        ("gateway.max_view_age", max_view_age.to_string()),
        ("gateway.time_zone", time_zone.clone()),
        ("gateway.drain", drain.to_string()),
        ("gateway.trusted_proxies", trusted_proxies.join(", ")),
        ("admin.listen", admin_listen.to_string()),
        ("database.url", url.as_deref().map(without_password).unwrap_or_default()),
        ("traces.retention_days", retention_days.to_string()),
        ("traces.buffer", buffer.to_string()),
        ("accounts.second_factor", format!("{second_factor:?}").to_lowercase()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect::<Vec<_>>();
    for (stage, gateway) in [("sandbox", sandbox), ("production", production)] {
        let Gateway { listen, public_url, threads } = gateway;
        told.push((format!("gateway.{stage}.listen"), listen.to_string()));
        told.push((format!("gateway.{stage}.public_url"), public_url.clone()));
        told.push((format!("gateway.{stage}.threads"), threads.to_string()));
    }
    told.extend(mail_told(mail));
    told.extend(directory_told(directory));
    told.extend(sign_on.told());
    told.sort_unstable();
    told
}

/// The password of the mail server is in a file or in the environment: only the file's path is a setting.
fn mail_told(mail: &Mail) -> Vec<(String, String)> {
    let Mail { mode, host, port, tls, insecure, ca, username, password_file, from, timeout } = mail;
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    [
        ("mail.mode", format!("{mode:?}").to_lowercase()),
        ("mail.host", host.clone()),
        ("mail.port", port.map(|port| port.to_string()).unwrap_or_default()),
        ("mail.tls", format!("{tls:?}").to_lowercase()),
        ("mail.insecure", insecure.to_string()),
        ("mail.ca", path(ca)),
        ("mail.username", username.clone().unwrap_or_default()),
        ("mail.password_file", path(password_file)),
        ("mail.from", from.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("mail.timeout", timeout.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// The token is in a file or in the environment: only the file's path is a setting.
fn directory_told(directory: &Directory) -> Vec<(String, String)> {
    let Directory { mode, url, token_file, recipient, timeout } = directory;
    [
        ("directory.mode", mode.as_str().to_owned()),
        ("directory.url", url.clone().unwrap_or_default()),
        ("directory.token_file", token_file.as_ref().map(|path| path.display().to_string()).unwrap_or_default()),
        ("directory.recipient", recipient.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("directory.timeout", timeout.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn settings(config: &Config) -> Vec<SettingView> {
    let otherwise = told(&Config::default());
    let view = |(name, value): (String, String)| {
        let is_default = otherwise.contains(&(name.clone(), value.clone()));
        SettingView { name, value, is_default }
    };
    told(config).into_iter().map(view).collect()
}

/// The address of a database without what opens it: user, password and parameters stay out.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return String::new() };
    let rest = rest.split('?').next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').map_or((rest, String::new()), |(authority, path)| (authority, format!("/{path}")));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_told_without_what_opens_it() {
        for (url, told) in [
            ("postgres://octroi:s3cret@db.example:5432/octroi", "postgres://db.example:5432/octroi"),
            ("postgres://octroi:p@ss@db.example/octroi?sslmode=require&password=s3cret", "postgres://db.example/octroi"),
            ("postgres://db.example", "postgres://db.example"),
            ("sqlite:///var/lib/octroi.db", "sqlite:///var/lib/octroi.db"),
            ("s3cret", ""),
        ] {
            assert_eq!(without_password(url), told);
        }
    }

    #[test]
    fn settings_are_told_with_what_was_chosen() {
        let config = Config { traces: Traces { retention_days: 5, ..Traces::default() }, ..Config::default() };
        let found = settings(&config);
        let setting = |name: &str| found.iter().find(|setting| setting.name == name).unwrap().clone();
        assert_eq!(
            setting("traces.retention_days"),
            SettingView { name: "traces.retention_days".into(), value: "5".into(), is_default: false }
        );
        assert!(setting("traces.buffer").is_default);
    }
}
