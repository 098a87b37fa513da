//! What one API must satisfy before it is published, apart from the rest of the catalogue.

use std::{collections::BTreeMap, net::IpAddr};

use octroi_domain::{
    api::{Access, Api, ApiDocument, Backend, Contract, OperationName},
    stage::Stage,
    text::Text,
};
use serde_json::Value;

use super::{
    fault::{Fault, Source},
    schema,
};

/// The longest time that a stage may wait for its upstream, milliseconds.
const MAX_TIMEOUT_MS: u32 = 600_000;
/// First segments that the gateway keeps for itself.
const RESERVED: [&str; 3] = ["oauth", "api", "health"];

pub(super) fn lint(source: &Source, document: &ApiDocument, faults: &mut Vec<Fault>) {
    let api = &document.api;
    identity(source, api, faults);
    mount(source, &api.mount, faults);
    plans(source, api, faults);
    backends(source, api, faults);
    networks(source, api, faults);
    contracts(source, document, faults);
}

fn identity(source: &Source, api: &Api, faults: &mut Vec<Fault>) {
    for (key, text) in [("name", &api.name), ("description", &api.description)] {
        if text.is_blank() {
            faults.push(source.fault_at(&[key], format!("`{key}` is empty in one language"), "write it in French and in English"));
        }
    }
    for (key, text) in [("audience", api.audience.as_ref()), ("legal_basis", api.legal_basis.as_ref().map(|basis| &basis.text))] {
        if text.is_some_and(Text::is_blank) {
            faults.push(source.fault_at(
                &[key],
                format!("`{key}` is empty in one language"),
                "write it in French and in English, or leave it out",
            ));
        }
    }
    let links = [api.terms.as_ref().and_then(|terms| terms.url.as_ref()), api.legal_basis.as_ref().and_then(|basis| basis.url.as_ref())];
    for url in links.into_iter().flatten().filter(|url| !(url.starts_with("https://") || url.starts_with("http://"))) {
        faults.push(source.fault_at(&[url.as_str()], format!("`{url}` is not the address of a page"), "write it with `https://`"));
    }
    if let Some(terms) = &api.terms
        && (terms.version == 0 || terms.text.is_blank())
    {
        faults.push(source.fault_at(&["terms"], "the terms have no version or no text", "write `version: 1` and a text in both languages"));
    }
    if api.credentials.is_empty() {
        faults.push(source.fault_at(
            &["credentials"],
            "no credential is accepted",
            "write [access_token, api_key], one of them, or leave it out",
        ));
    }
    const TAKEN: [&str; 12] = [
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-request-id",
    ];
    let name = api.assertion_header.to_ascii_lowercase();
    if TAKEN.contains(&name.as_str()) || name.starts_with("x-forwarded") || name.starts_with("proxy-") {
        let message = format!("the header `{}` has another use", api.assertion_header);
        faults.push(source.fault_at(&["assertion_header"], message, "choose another name, for example X-JWT-Assertion"));
    }
    let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if api.assertion_header.is_empty() || api.assertion_header.len() > 64 || !api.assertion_header.bytes().all(token) {
        let message = format!("`{}` is not the name of a header", api.assertion_header);
        faults.push(source.fault_at(&["assertion_header"], message, "use letters, digits and `-`, for example X-JWT-Assertion"));
    }
}

fn mount(source: &Source, mount: &str, faults: &mut Vec<Fault>) {
    let segments: Vec<&str> = mount.split('/').skip(1).collect();
    let plain = |segment: &str| {
        !matches!(segment, "" | "." | "..") && segment.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
    };
    if !mount.starts_with('/')
        || segments.len() < 2
        || segments.len() > 16
        || mount.len() > 200
        || !segments.iter().all(|segment| plain(segment))
    {
        let message = format!("the mount `{mount}` is not a path of two segments or more");
        faults.push(source.fault_at(&["mount"], message, "write for example /provider/api/v1: lower-case letters, digits, `.`, `_`, `-`"));
    } else if segments.first().is_some_and(|first| RESERVED.contains(first) || first.starts_with('.')) {
        let message = format!("the mount `{mount}` begins with a path that the gateway keeps for itself");
        faults.push(source.fault_at(&["mount"], message, "begin with the name of the provider"));
    }
}

fn plans(source: &Source, api: &Api, faults: &mut Vec<Fault>) {
    if api.plans.is_empty() {
        faults.push(source.fault_at(&["plans"], "there is no plan", "write at least one; the first is given when none is asked for"));
    }
    for (index, plan) in api.plans.iter().enumerate() {
        if api.plans.iter().take(index).any(|before| before.id == plan.id) {
            faults.push(source.fault_at(
                &[plan.id.as_str()],
                format!("the plan `{}` is there twice", plan.id),
                "give each plan an id of its own",
            ));
        }
    }
}

fn backends(source: &Source, api: &Api, faults: &mut Vec<Fault>) {
    if Stage::ALL.iter().all(|stage| api.backends.of(*stage).is_none()) {
        faults.push(source.fault_at(
            &["backends"],
            "no stage is open",
            "write `sandbox: { mocks: true }`, or `production: { upstream: https://… }`",
        ));
    }
    for stage in Stage::ALL {
        let Some(backend) = api.backends.of(stage) else { continue };
        backend_faults(stage, backend)
            .into_iter()
            .for_each(|(message, mend)| faults.push(source.fault_at(&[stage.as_str()], message, mend)));
    }
}

fn backend_faults(stage: Stage, backend: &Backend) -> Vec<(String, &'static str)> {
    let mut faults = Vec::new();
    match (&backend.upstream, backend.mocks) {
        (Some(_), true) => faults.push((format!("the stage `{stage}` has both an upstream and mocks"), "keep one of them")),
        (None, false) => {
            faults.push((format!("the stage `{stage}` has neither an upstream nor mocks"), "write `upstream: https://…` or `mocks: true`"))
        }
        (Some(url), false) => {
            if let Some(why) = url_fault(url) {
                faults
                    .push((format!("the upstream `{url}` of the stage `{stage}` {why}"), "write for example https://api.example.fr/base"));
            }
        }
        (None, true) => {}
    }
    let good = |time: u32| (1..=MAX_TIMEOUT_MS).contains(&time);
    if !good(backend.connect_timeout_ms) || !good(backend.timeout_ms) {
        faults.push((format!("a timeout of the stage `{stage}` is out of bounds"), "write from 1 to 600000 milliseconds"));
    }
    faults
}

/// What is wrong with the base URL of an upstream.
fn url_fault(url: &str) -> Option<&'static str> {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return Some("is neither http:// nor https://");
    };
    if url.len() > 1_000 || url.chars().any(|c| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"' | '\\' | '`' | '{' | '}' | '|' | '^'))
    {
        return Some("has a character that a URL cannot have");
    }
    if url.contains(['?', '#']) {
        return Some("has a query or a fragment");
    }
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    if authority.contains('@') {
        return Some("holds credentials");
    }
    let host_and_port = match authority.strip_prefix('[') {
        Some(literal) => literal.split_once(']').filter(|(host, _)| host.parse::<std::net::Ipv6Addr>().is_ok()),
        None => Some(authority.find(':').map_or((authority, ""), |at| authority.split_at(at))),
    };
    let good_port =
        |port: &str| port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    match host_and_port {
        Some((host, port)) if !host.is_empty() && good_port(port) => {}
        _ => return Some("has no host, or a port that is not one"),
    }
    path.split('/').any(|segment| matches!(segment, "." | "..")).then_some("has a `.` or `..` segment")
}

fn networks(source: &Source, api: &Api, faults: &mut Vec<Fault>) {
    for network in &api.allowed_networks {
        let good = network.split_once('/').is_some_and(|(address, length)| match address.parse() {
            Ok(IpAddr::V4(_)) => length.parse::<u8>().is_ok_and(|length| length <= 32),
            Ok(IpAddr::V6(_)) => length.parse::<u8>().is_ok_and(|length| length <= 128),
            Err(_) => false,
        });
        if !good {
            faults.push(source.fault_at(
                &[network, "allowed_networks"],
                format!("`{network}` is not a network"),
                "write an address and a length, for example 192.0.2.0/24",
            ));
        }
    }
}

fn contracts(source: &Source, document: &ApiDocument, faults: &mut Vec<Fault>) {
    if document.api.contracts.is_empty() {
        faults.push(source.fault_at(
            &["contracts"],
            "there is no contract: every operation would be refused",
            "name the operations that are open",
        ));
    }
    let mut named: BTreeMap<&OperationName, usize> = BTreeMap::new();
    for (index, contract) in document.api.contracts.iter().enumerate() {
        if contract.operations.is_empty() {
            faults.push(source.fault_at(
                &["contracts"],
                format!("the contract number {} names no operation", index + 1),
                "name one, or remove it",
            ));
        }
        for operation in &contract.operations {
            let text = operation.to_string();
            if named.insert(operation, index).is_some() {
                faults.push(source.fault_at(&[&text], format!("the operation `{text}` is named twice"), "keep it in one contract"));
            }
            if schema::operation(&document.openapi, operation).is_none() {
                faults.push(source.fault_at(
                    &[&text],
                    format!("the operation `{text}` is not in the OpenAPI document"),
                    "write the method and the path as the OpenAPI document does",
                ));
            }
        }
        contract_shape(source, &document.api, index, contract, faults);
        mask(source, &document.openapi, contract, faults);
    }
}

fn contract_shape(source: &Source, api: &Api, index: usize, contract: &Contract, faults: &mut Vec<Fault>) {
    let at = contract.operations.first().map(ToString::to_string).unwrap_or_default();
    let number = index + 1;
    if contract.is_masked() && !contract.scopes.is_empty() {
        let message = format!("the contract number {number} has both `scopes` and `opens`");
        faults.push(source.fault_at(&[&at], message, "keep `opens` to minimise the answer, or `scopes` to pass it whole"));
    }
    if !contract.is_masked() && !contract.always.is_empty() {
        let message = format!("the contract number {number} has `always` and no `opens`: the answer would pass whole");
        faults.push(source.fault_at(&[&at], message, "write `opens`, or remove `always`"));
    }
    if !matches!(api.access, Access::Permit { .. })
        && let Some(scope) = contract.opening_scopes().iter().next()
    {
        let message = format!("the contract number {number} asks for the scope `{scope}`, which only a permit gives");
        faults.push(source.fault_at(
            &[scope.as_str()],
            message,
            "write `access: { mode: permit, definitions: […] }`, or remove the scopes",
        ));
    }
    for scope in contract.opens.iter().filter(|(_, paths)| paths.is_empty()).map(|(scope, _)| scope) {
        let message = format!("the scope `{scope}` opens no field");
        faults.push(source.fault_at(&[scope.as_str()], message, "list the fields that it opens, or remove it"));
    }
}

/// Every path must lead to a field of the answer of one of the operations at least.
fn mask(source: &Source, openapi: &Value, contract: &Contract, faults: &mut Vec<Fault>) {
    let operations: Vec<(&OperationName, &Value)> =
        contract.operations.iter().filter_map(|name| Some((name, schema::operation(openapi, name)?))).collect();
    let opened = contract.opens.iter().flat_map(|(scope, paths)| paths.iter().map(move |path| (Some(scope), path)));
    for (scope, path) in opened.chain(contract.always.iter().map(|path| (None, path))) {
        let mut dead_end = None;
        let leads = operations.iter().any(|(name, operation)| match schema::follow(openapi, operation, path) {
            Ok(()) => true,
            Err(end) => {
                dead_end.get_or_insert((name, end));
                false
            }
        });
        if leads {
            continue;
        }
        let Some((operation, end)) = dead_end else { continue };
        let whose = scope.map_or_else(|| "`always`".to_owned(), |scope| format!("the scope `{scope}`"));
        let message = format!("{whose} opens `{path}`, which leads to nothing in the answer of `{operation}`: there is no `{}`", end.step);
        let mend = if end.members.is_empty() {
            "stop the path above it; an array needs `[*]`".to_owned()
        } else {
            format!("write one of: {}", end.members.join(", "))
        };
        // The file may write the path in full or without its `$.`.
        let full = path.to_string();
        let short = full.strip_prefix("$.").unwrap_or(&full);
        let scope = scope.map_or("always", octroi_domain::scope::Scope::as_str);
        faults.push(source.fault_at(&[full.as_str(), short, scope], message, mend));
    }
}
