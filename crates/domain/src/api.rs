//! What a provider publishes: an API, its contract, its masks, its plans, who may call it.

use std::{collections::BTreeMap, fmt, num::NonZeroU32, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::{
    Slug,
    catalogue::CaseFolder,
    scope::{Scope, ScopeSet},
    stage::Stage,
    text::Text,
};

/// `provider/api`: the name of an API across the platform, for example `dinum/api-particulier`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiName {
    pub provider: Slug,
    pub api: Slug,
}
impl fmt::Display for ApiName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.api)
    }
}
/// The text is not `provider/api`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of an API: write `provider/api`")]
pub struct ApiNameError(String);
impl FromStr for ApiName {
    type Err = ApiNameError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ApiNameError(text.chars().take(130).collect());
        let (provider, api) = text.split_once('/').ok_or_else(error)?;
        Ok(Self { provider: Slug::new(provider).map_err(|_| error())?, api: Slug::new(api).map_err(|_| error())? })
    }
}
impl Serialize for ApiName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for ApiName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Is the API listed in the catalogue for everybody, or known to its subscribers alone?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    Public,
    Private,
}

/// What it takes to be subscribed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Access {
    /// Accept the terms: subscribed at once.
    Open,
    /// The API's administrator approves or enrols each subscriber.
    Approval,
    /// A permit of one of these definitions, in force.
    Permit { definitions: Vec<Slug> },
}

impl Access {
    /// The mode alone: `open`, `approval` or `permit`.
    #[must_use]
    pub const fn mode(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approval => "approval",
            Self::Permit { .. } => "permit",
        }
    }
}

/// What an API is about: the closed list that the catalogue is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    FamilyAndSocial,
    Tax,
    Education,
    Work,
    Health,
    Justice,
    Identity,
    Business,
    Housing,
    Transport,
    Environment,
    Administration,
}
impl Theme {
    pub const ALL: [Self; 12] = [
        Self::FamilyAndSocial,
        Self::Tax,
        Self::Education,
        Self::Work,
        Self::Health,
        Self::Justice,
        Self::Identity,
        Self::Business,
        Self::Housing,
        Self::Transport,
        Self::Environment,
        Self::Administration,
    ];

    /// As `api.yaml` and the addresses of pages write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FamilyAndSocial => "family_and_social",
            Self::Tax => "tax",
            Self::Education => "education",
            Self::Work => "work",
            Self::Health => "health",
            Self::Justice => "justice",
            Self::Identity => "identity",
            Self::Business => "business",
            Self::Housing => "housing",
            Self::Transport => "transport",
            Self::Environment => "environment",
            Self::Administration => "administration",
        }
    }
}

/// The law that lets the data be given, as the provider says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalBasis {
    pub text: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Terms of use that a subscriber must have accepted, in the version in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub version: u32,
    pub text: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// How much a subscriber may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub id: Slug,
    pub name: Text,
    /// Calls in any one second; none: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_second: Option<NonZeroU32>,
    /// Calls in one civil day of the platform's time zone; none: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_per_day: Option<NonZeroU32>,
}

/// Where the answers of one stage come from. A stage without any is not open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// Base URL (`http` or `https`): the path below the mount is appended to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// Answer from the examples of the OpenAPI document and from the case files.
    #[serde(default, skip_serializing_if = "is_false")]
    pub mocks: bool,
    /// Time to establish a connection, milliseconds.
    #[serde(default = "Backend::default_connect_timeout")]
    pub connect_timeout_ms: u32,
    /// Time for the whole call, milliseconds.
    #[serde(default = "Backend::default_timeout")]
    pub timeout_ms: u32,
}
impl Backend {
    const fn default_connect_timeout() -> u32 {
        5_000
    }
    const fn default_timeout() -> u32 {
        30_000
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !value
}
const fn yes() -> bool {
    true
}

/// The two stages of an API.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backends {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Backend>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production: Option<Backend>,
}
impl Backends {
    #[must_use]
    pub const fn of(&self, stage: Stage) -> Option<&Backend> {
        match stage {
            Stage::Sandbox => self.sandbox.as_ref(),
            Stage::Production => self.production.as_ref(),
        }
    }
}

/// What an answer that is not 2xx may show when the operation has a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBodies {
    /// Only members that describe an error (`errors`, RFC 9457 members, …); the default.
    #[default]
    Described,
    /// Everything: the provider states that its error bodies hold no personal data.
    Pass,
}

/// The contract of one or more operations: which scopes open them, and which fields each opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// `METHOD /template` as in the OpenAPI document, for example `GET /v3/things/{id}`.
    pub operations: Vec<OperationName>,
    /// Without a mask: any one of these scopes opens the operation. Empty: no scope is needed.
    #[serde(default, skip_serializing_if = "ScopeSet::is_empty")]
    pub scopes: ScopeSet,
    /// With a mask: each scope opens these fields, and any one of the scopes opens the operation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub opens: BTreeMap<Scope, Vec<FieldPath>>,
    /// Fields shown to everyone whom the operation is open to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<FieldPath>,
    #[serde(default)]
    pub errors: ErrorBodies,
}
impl Contract {
    /// Does an answer go through the mask, rather than pass whole?
    #[must_use]
    pub fn is_masked(&self) -> bool {
        !self.opens.is_empty()
    }

    /// The scopes of which any one opens the operation.
    #[must_use]
    pub fn opening_scopes(&self) -> ScopeSet {
        if self.is_masked() { self.opens.keys().cloned().collect() } else { self.scopes.clone() }
    }
}

/// `METHOD /template`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationName {
    pub method: String,
    pub template: String,
}
/// The text is not `METHOD /template`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an operation: write a method and a path, for example `GET /v1/things/{{id}}`")]
pub struct OperationNameError(String);
impl fmt::Display for OperationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}
impl FromStr for OperationName {
    type Err = OperationNameError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let error = || OperationNameError(text.chars().take(200).collect());
        let (method, template) = text.split_once(' ').ok_or_else(error)?;
        if !METHODS.contains(&method) || !template.starts_with('/') || template.contains([' ', '?', '#']) {
            return Err(error());
        }
        Ok(Self { method: method.to_owned(), template: template.to_owned() })
    }
}
impl Serialize for OperationName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for OperationName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// One step into a JSON document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The member of this name.
    Member(String),
    /// Every member of an object, or every element of an array.
    Every,
}

/// A JSON path with wildcards, a subset of RFC 9535: `$.data.children[*].name`.
/// The leading `$.` may be left out; `[*]` and `.*` are every element or member; `['a.b']` quotes a
/// member whose name has a dot. The path opens everything below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<Step>);
/// The text is not such a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is not a field path ({why}): write for example `data.children[*].name`")]
pub struct FieldPathError {
    path: String,
    why: &'static str,
}
impl FieldPath {
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Does the path open what stands at `place`? It opens everything below it, so a shorter one does.
    #[must_use]
    pub fn opens(&self, place: &[Step]) -> bool {
        place.len() >= self.0.len() && self.meets(place)
    }

    /// Does the path open something below `place`, and not all of it?
    #[must_use]
    pub fn opens_below(&self, place: &[Step]) -> bool {
        place.len() < self.0.len() && self.meets(place)
    }

    fn meets(&self, place: &[Step]) -> bool {
        self.0.iter().zip(place).all(|(mine, theirs)| *mine == Step::Every || mine == theirs)
    }
}
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in &self.0 {
            match step {
                Step::Every => f.write_str("[*]")?,
                Step::Member(name) if name.contains(['.', '[', ']', '\'', '*', '$']) => {
                    write!(f, "['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))?;
                }
                Step::Member(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}
impl FromStr for FieldPath {
    type Err = FieldPathError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |why| FieldPathError { path: text.chars().take(300).collect(), why };
        let mut steps = Vec::new();
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        let mut first = rest.len() == text.len();
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix("[*]") {
                steps.push(Step::Every);
                rest = inner;
            } else if let Some(inner) = rest.strip_prefix("['") {
                let (name, after) = quoted(inner).ok_or_else(|| error("an opened quote is not closed"))?;
                steps.push(Step::Member(name));
                rest = after;
            } else {
                let inner = match rest.strip_prefix('.') {
                    Some(inner) => inner,
                    None if first => rest,
                    None => return Err(error("expected `.` or `[`")),
                };
                let end = inner.find(['.', '[']).unwrap_or(inner.len());
                let (name, after) = inner.split_at(end);
                match name {
                    "" => return Err(error("a member has no name")),
                    "*" => steps.push(Step::Every),
                    _ if name.contains(['*', ']', '\'']) => return Err(error("a member's name needs quotes: ['…']")),
                    _ => steps.push(Step::Member(name.to_owned())),
                }
                rest = after;
            }
            first = false;
        }
        if steps.is_empty() {
            return Err(error("it names nothing; list the members that are open"));
        }
        if steps.len() > 32 {
            return Err(error("more than 32 steps"));
        }
        Ok(Self(steps))
    }
}
/// Reads up to the closing `']`, honouring `\'` and `\\`.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => name.push(characters.next()?.1),
            '\'' => return text.get(index..)?.strip_prefix("']").map(|after| (name, after)),
            other => name.push(other),
        }
    }
    None
}
impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for FieldPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Which kinds of credential an API accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcceptedCredential {
    /// An OAuth access token.
    AccessToken,
    ApiKey,
}

/// An API as its provider writes it: `api.yaml` of its catalogue folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    pub slug: Slug,
    pub provider: Slug,
    pub name: Text,
    pub description: Text,
    /// Path on the gateway, `/provider/api…`, without a trailing slash.
    pub mount: String,
    /// Where the catalogue shows it; none: under no theme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<Theme>,
    /// Who may have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<LegalBasis>,
    pub visibility: Visibility,
    pub access: Access,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// Which credentials it accepts; both when left out.
    #[serde(default = "Api::every_credential")]
    pub credentials: Vec<AcceptedCredential>,
    /// The first plan is the one given when none is asked for.
    pub plans: Vec<Plan>,
    pub backends: Backends,
    /// Check each call against the OpenAPI document before it is forwarded.
    #[serde(default, skip_serializing_if = "is_false")]
    pub validate_requests: bool,
    /// Add our signed assertion to what the upstream receives.
    #[serde(default = "yes")]
    pub assertion: bool,
    /// Name of the header that carries the assertion.
    #[serde(default = "Api::default_assertion_header")]
    pub assertion_header: String,
    /// Only these networks may call, as CIDR (`192.0.2.0/24`); empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_networks: Vec<String>,
    /// The contract of each operation. An operation of the OpenAPI document that no entry names is refused.
    pub contracts: Vec<Contract>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support: Option<String>,
    /// The OpenAPI document: a path relative to the folder (`openapi.yaml`), or absolute.
    #[serde(default = "Api::default_openapi")]
    pub openapi: String,
    /// The case files that the sandbox answers from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<CaseFolder>,
}
impl Api {
    fn default_openapi() -> String {
        "openapi.yaml".to_owned()
    }

    #[must_use]
    pub fn full_name(&self) -> ApiName {
        ApiName { provider: self.provider.clone(), api: self.slug.clone() }
    }

    /// A restricted API is one that a permit or an approval guards: its traces are never lost.
    #[must_use]
    pub const fn is_restricted(&self) -> bool {
        !matches!(self.access, Access::Open)
    }

    #[must_use]
    pub fn plan(&self, id: &Slug) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.id == *id)
    }

    #[must_use]
    pub fn default_plan(&self) -> Option<&Plan> {
        self.plans.first()
    }

    fn every_credential() -> Vec<AcceptedCredential> {
        vec![AcceptedCredential::AccessToken, AcceptedCredential::ApiKey]
    }

    fn default_assertion_header() -> String {
        "X-JWT-Assertion".to_owned()
    }
}

/// One mocked answer: the parameters that choose it, and what it answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MockCase {
    pub operation: OperationName,
    /// Where it was read: `folder/file.yaml`.
    pub source: String,
    /// Parameter name → value: scalars, lists of scalars.
    pub params: BTreeMap<String, Value>,
    pub status: u16,
    /// The body, kept as the text that was written.
    pub payload: String,
}

/// Everything that publishing an API brings: one immutable version of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiDocument {
    pub api: Api,
    /// The OpenAPI document (3.0 or 3.1) as JSON.
    pub openapi: Value,
    pub mocks: Vec<MockCase>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_paths_read_and_write() {
        let steps = |text: &str| text.parse::<FieldPath>().map(|path| path.to_string()).map_err(|error| error.why);
        assert_eq!(steps("data.enfants[*].nom"), Ok("$.data.enfants[*].nom".into()));
        assert_eq!(steps("$.data.*.nom"), Ok("$.data[*].nom".into()));
        assert_eq!(steps("$['a.b']['c\\'d'].e"), Ok("$['a.b']['c\\'d'].e".into()));
        assert_eq!(steps("[*].a"), Ok("$[*].a".into()));
        for bad in ["", "$", "a..b", "a.", "a[0]", "a['b", "a*", "$data"] {
            assert!(steps(bad).is_err() || bad == "$data", "{bad}");
        }
    }

    #[test]
    fn a_path_opens_what_is_below_it() {
        let path = |text: &str| text.parse::<FieldPath>().unwrap();
        for (mask, place, opens, below) in [
            ("data.name", "data.name", true, false),
            ("data", "data.name", true, false),
            ("data.name", "data", false, true),
            ("data.children[*].name", "data.children[*].name", true, false),
            ("data.children[*].name", "data.children", false, true),
            ("data[*]", "data.name", true, false),
            ("data.name", "data.age", false, false),
            ("data.name", "other", false, false),
        ] {
            let (mask, place) = (path(mask), path(place));
            assert_eq!((mask.opens(place.steps()), mask.opens_below(place.steps())), (opens, below), "{mask} {place}");
        }
    }

    #[test]
    fn themes_are_written_as_they_are_read() {
        for theme in Theme::ALL {
            assert_eq!(serde_json::to_value(theme).unwrap(), theme.as_str());
        }
    }

    #[test]
    fn operation_names_are_strict() {
        assert!("GET /v3/x/{id}".parse::<OperationName>().is_ok());
        for bad in ["get /x", "GET x", "GET", "TRACE /x", "GET /x?y", "GET  /x"] {
            assert!(bad.parse::<OperationName>().is_err(), "{bad}");
        }
    }
}
