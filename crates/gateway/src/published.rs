//! One version of a published API, compiled for one stage: its routes, masks, backend and rules.

use std::{sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue, Method, Uri};
use octroi_domain::{
    api::{AcceptedCredential, Access, Api, ApiDocument, ApiName, Backend, OperationName, Plan},
    scope::ScopeSet,
    stage::Stage,
};

use crate::{
    mask::MaskPlan,
    mock::Mocks,
    openapi::{self, Validator},
    settings::Network,
};

/// The state cannot be compiled; the last good snapshot stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error("API {api}: {what}")]
    Api { api: ApiName, what: String },
    #[error("APIs {one} and {other} are both mounted at `{mount}`")]
    SameMount { one: ApiName, other: ApiName, mount: String },
    #[error("the signing key {kid} cannot be read: {error}")]
    Key { kid: String, error: octroi_oauth::jwt::KeyError },
    #[error("the state is of the stage {found}, this gateway serves {expected}")]
    Stage { expected: Stage, found: Stage },
}

/// Where the answers come from.
pub(crate) enum Source {
    Upstream(Upstream),
    Mocks(Mocks),
}

/// A parsed upstream base URL.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    pub tls: bool,
    pub host: String,
    pub port: u16,
    /// `Host` of forwarded requests.
    pub authority: HeaderValue,
    /// Path that stands before the path below the mount, without a trailing slash.
    pub base_path: String,
    /// The URL as written, to recognise it in a `Location`.
    pub base_url: String,
    /// Names the pool of connections: scheme, host and port.
    pub pool: Arc<str>,
    pub connect_timeout: Duration,
    pub timeout: Duration,
}
impl Upstream {
    fn read(url: &str, backend: &Backend) -> Result<Self, String> {
        let bad = |why: &str| format!("the upstream `{url}` {why}");
        let uri: Uri = url.parse().map_err(|_| bad("is not a URL"))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(bad("is neither http:// nor https://")),
        };
        let authority = uri.authority().ok_or_else(|| bad("names no host"))?;
        if uri.query().is_some() || url.contains('#') || authority.as_str().contains('@') {
            return Err(bad("may have a host, a port and a path, and nothing else"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        if host.is_empty() {
            return Err(bad("names no host"));
        }
        Ok(Self {
            tls,
            port,
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| bad("has a host that is not one"))?,
            base_path: uri.path().trim_end_matches('/').to_owned(),
            base_url: url.trim_end_matches('/').to_owned(),
            pool: format!("{}://{host}:{port}", if tls { "https" } else { "http" }).into(),
            host,
            connect_timeout: Duration::from_millis(u64::from(backend.connect_timeout_ms.max(1))),
            timeout: Duration::from_millis(u64::from(backend.timeout_ms.max(1))),
        })
    }
}

/// The contract of some operations.
pub(crate) struct Terms {
    /// Any one of these opens the operation; empty: none is needed.
    pub scopes: ScopeSet,
    pub mask: Option<MaskPlan>,
}

/// One operation that can be called.
pub(crate) struct Operation {
    pub name: OperationName,
    /// `METHOD /template`, for traces.
    pub text: Arc<str>,
    /// Index into [`Published::contracts`].
    pub contract: usize,
    pub validator: Option<Validator>,
}

/// The operations of one path template.
struct Route {
    methods: Vec<(Method, usize)>,
    allow: HeaderValue,
}

/// A path that was found, and what it can do with a method.
pub(crate) enum Found<'a> {
    Operation(usize, matchit::Params<'a, 'a>),
    /// The path exists with these methods.
    Methods(&'a HeaderValue),
    Nothing,
}

/// A compiled API.
pub(crate) struct Published {
    pub name: ApiName,
    pub version: i64,
    pub mount: String,
    pub restricted: bool,
    pub needs_permit: bool,
    pub terms_version: Option<u32>,
    credentials: Vec<AcceptedCredential>,
    pub networks: Vec<Network>,
    /// None: the API is not open on this stage.
    pub source: Option<Source>,
    pub assertion: Option<HeaderName>,
    pub contracts: Vec<Terms>,
    pub operations: Vec<Operation>,
    router: matchit::Router<Route>,
    plans: Vec<Plan>,
    /// Every scope that some operation asks for.
    pub scopes: ScopeSet,
}

impl Published {
    pub(crate) fn compile(document: &ApiDocument, version: i64, stage: Stage) -> Result<Self, BuildError> {
        let api = &document.api;
        let name = api.full_name();
        let fail = |what: String| BuildError::Api { api: name.clone(), what };
        let mount = mount_of(api).map_err(&fail)?;
        let source = match api.backends.of(stage) {
            Some(backend) if backend.mocks => Some(Source::Mocks(Mocks::build(document).map_err(|error| fail(error.to_string()))?)),
            Some(backend) => match &backend.upstream {
                Some(url) => Some(Source::Upstream(Upstream::read(url, backend).map_err(&fail)?)),
                None => None,
            },
            None => None,
        };
        let networks = api.allowed_networks.iter().map(|text| text.parse()).collect::<Result<_, _>>();
        let assertion = api.assertion.then(|| HeaderName::from_bytes(api.assertion_header.as_bytes())).transpose();
        let mut published = Self {
            version,
            mount,
            restricted: api.is_restricted(),
            needs_permit: matches!(api.access, Access::Permit { .. }),
            terms_version: api.terms.as_ref().map(|terms| terms.version),
            credentials: api.credentials.clone(),
            networks: networks.map_err(|error: crate::settings::NetworkError| fail(error.to_string()))?,
            source,
            assertion: assertion.map_err(|_| fail(format!("`{}` is not the name of a header", api.assertion_header)))?,
            contracts: Vec::new(),
            operations: Vec::new(),
            router: matchit::Router::new(),
            plans: api.plans.clone(),
            scopes: ScopeSet::empty(),
            name: name.clone(),
        };
        published.read_contracts(document).map_err(&fail)?;
        published.lay_routes().map_err(&fail)?;
        Ok(published)
    }

    fn read_contracts(&mut self, document: &ApiDocument) -> Result<(), String> {
        let described = if document.api.validate_requests {
            openapi::operations(&document.openapi).map_err(|error| error.to_string())?
        } else {
            Vec::new()
        };
        for contract in &document.api.contracts {
            let scopes = contract.opening_scopes();
            self.scopes = self.scopes.union(&scopes);
            let mask = contract.is_masked().then(|| MaskPlan::compile(contract));
            self.contracts.push(Terms { scopes, mask });
            for name in &contract.operations {
                let validator = if document.api.validate_requests {
                    let found = described.iter().find(|operation| operation.name == *name);
                    let found = found.ok_or_else(|| format!("`{name}` is not in its OpenAPI document, so calls cannot be checked"))?;
                    Some(Validator::build(&document.openapi, found).map_err(|error| format!("{name}: {error}"))?)
                } else {
                    None
                };
                if self.operations.iter().any(|operation| operation.name == *name) {
                    return Err(format!("`{name}` has more than one contract"));
                }
                self.operations.push(Operation {
                    name: name.clone(),
                    text: name.to_string().into(),
                    contract: self.contracts.len() - 1,
                    validator,
                });
            }
        }
        Ok(())
    }

    fn lay_routes(&mut self) -> Result<(), String> {
        let mut templates: Vec<(String, Vec<(Method, usize)>)> = Vec::new();
        for (index, operation) in self.operations.iter().enumerate() {
            let method = Method::from_bytes(operation.name.method.as_bytes()).map_err(|_| format!("`{}` has no method", operation.name))?;
            match templates.iter_mut().find(|(template, _)| *template == operation.name.template) {
                Some((_, methods)) => methods.push((method, index)),
                None => templates.push((operation.name.template.clone(), vec![(method, index)])),
            }
        }
        for (template, methods) in templates {
            let mut allow: Vec<&str> = methods.iter().map(|(method, _)| method.as_str()).collect();
            if allow.contains(&"GET") && !allow.contains(&"HEAD") {
                allow.push("HEAD");
            }
            let allow = HeaderValue::try_from(allow.join(", ")).map_err(|error| error.to_string())?;
            let conflict = |error: matchit::InsertError| format!("the path `{template}` cannot be told from another: {error}");
            self.router.insert(template.clone(), Route { methods, allow }).map_err(conflict)?;
        }
        Ok(())
    }

    /// The operation of this method and path (below the mount).
    pub(crate) fn find<'a>(&'a self, method: &Method, below: &'a str) -> Found<'a> {
        let Ok(found) = self.router.at(below) else { return Found::Nothing };
        let of = |method: &Method| found.value.methods.iter().find(|(known, _)| known == method).map(|(_, index)| *index);
        let index = of(method).or_else(|| (*method == Method::HEAD).then(|| of(&Method::GET)).flatten());
        match index {
            Some(index) => Found::Operation(index, found.params),
            None => Found::Methods(&found.value.allow),
        }
    }

    pub(crate) fn accepts(&self, kind: AcceptedCredential) -> bool {
        self.credentials.contains(&kind)
    }

    /// The plan of this id, else the API's default.
    pub(crate) fn plan(&self, id: &octroi_domain::Slug) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.id == *id).or_else(|| self.plans.first())
    }
}

/// The mount is a canonical path of one or more segments, without a trailing slash.
fn mount_of(api: &Api) -> Result<String, String> {
    let mount = &api.mount;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    let segments = mount.strip_prefix('/').unwrap_or_default().split('/');
    let good = mount.starts_with('/')
        && segments.into_iter().all(|segment| !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain));
    if good { Ok(mount.clone()) } else { Err(format!("`{mount}` cannot be a mount: write for example `/provider/api`")) }
}
