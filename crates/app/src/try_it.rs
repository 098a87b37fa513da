//! Trying an API in the sandbox from its page, with a key that everybody may know.
//!
//! Only a documented operation of a public API can be called, and only the sandbox. What is typed is
//! checked and written safely into the call; the gateway then treats it like any other.

use std::{collections::BTreeMap, fmt::Write, future::Future, pin::Pin, sync::Arc};

use octroi_domain::{
    api::{AcceptedCredential, ApiDocument, ApiName, MockCase, Visibility},
    definition::FieldError,
    stage::Stage,
    text::{Language, Text},
};
use serde_json::{Map, Value, json};

use crate::{
    context::{App, Context},
    error::Error,
    reference::{self, Kind, OperationDetail, ParameterView},
};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Calls that one address may make in one window.
const CALLS_PER_ADDRESS: i64 = 30;
const WINDOW_SECONDS: i64 = 60;
/// Characters of one value.
const MAX_VALUE: usize = 500;
/// Values of one parameter.
const MAX_VALUES: usize = 20;
/// Bytes of the body that is sent.
const MAX_BODY: usize = 20_000;
/// Characters of an answer that a page shows.
const MAX_SHOWN: usize = 16_000;
/// Test cases that are listed.
const MAX_SAMPLES: usize = 100;
/// The header that stands for the parameters of an operation that takes the person from elsewhere.
const MOCK_PARAMS: &str = "Octroi-Mock-Params";
/// The parameter of the State's APIs that names the organisation that the data is for.
const RECIPIENT: &str = "recipient";
/// The name of the field that holds the body.
pub const BODY_FIELD: &str = "body";

/// How the portal reaches the sandbox gateway; the binary implements it.
pub trait SandboxPort: Send + Sync {
    /// Sends one call and reads its answer, both bounded in time and size.
    fn call(&self, call: SandboxCall) -> Boxed<'_, Result<SandboxAnswer, SandboxFault>>;
}

/// A call to the sandbox gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxCall {
    pub method: String,
    /// Path and query, as they stand in the request line.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
}

/// What the gateway answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub took_ms: u64,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SandboxFault {
    #[error("the sandbox gateway could not be reached")]
    Unreachable,
    #[error("the sandbox gateway did not answer in time")]
    TooSlow,
    #[error("the answer is too large to be shown")]
    TooLarge,
}

/// What trying needs: the way to the gateway, its public address, and the test key.
pub struct TryOut {
    pub port: Arc<dyn SandboxPort>,
    pub sandbox_url: String,
    /// A key of the sandbox that everybody may know; none: calls are written down, not made.
    pub key: Option<String>,
}

/// Can the API be tried?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryState {
    Ready,
    /// There is no test key: the call is written down for one's own.
    NoKey,
    /// The API is not open in the sandbox.
    NotInSandbox,
    /// The API takes no API key.
    TokensOnly,
}

/// The form of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TryForm {
    pub operation: OperationDetail,
    pub state: TryState,
    pub fields: Vec<TryField>,
    /// The content type of the body that the operation takes; none: it takes none.
    pub body_type: Option<String>,
    /// The body to begin with.
    pub body: String,
    /// Test cases of the sandbox, by their place.
    pub samples: Vec<Sample>,
    /// The case that the values come from.
    pub sample: Option<usize>,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TryField {
    /// `path.id`, `query.names[]`, `header.Octroi-Mock-Params`.
    pub name: String,
    pub parameter: ParameterView,
    /// One value on each line.
    pub value: String,
}
/// A test case: the answer that its values choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub place: usize,
    pub name: String,
    pub status: u16,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// `GET https://…`.
    pub request: String,
    /// The same call, to be pasted into a terminal.
    pub curl: String,
    /// None: there is no test key, so the call was not made.
    pub answer: Option<Result<TriedAnswer, SandboxFault>>,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// The refusal of the gateway itself (`Octroi-Error`); none: the API answered.
    pub refusal: Option<String>,
    /// JSON is laid out; anything else stands as it came.
    pub body: String,
    /// The body goes on.
    pub cut: bool,
    pub took_ms: u64,
}

impl App {
    /// Opens the sandbox to visitors. What was offered first stays.
    pub fn offer_try_out(&self, offered: TryOut) {
        let _ = self.inner.try_out.set(offered);
    }

    /// The form of one operation, with the values of a test case: the one that was chosen, else the first that succeeds.
    pub async fn read_try_form(&self, context: &Context, name: &ApiName, key: &str, sample: Option<usize>) -> Result<TryForm, Error> {
        let stored = self.visible_api(context, name).await?;
        self.form(&stored.document, key, sample)
    }

    /// Makes one call with the values that were typed, by the name of their field.
    pub async fn try_call(
        &self,
        context: &Context,
        name: &ApiName,
        key: &str,
        values: &BTreeMap<String, String>,
        address: &str,
    ) -> Result<Tried, Error> {
        let stored = self.visible_api(context, name).await?;
        let form = self.form(&stored.document, key, None)?;
        let Some(offered) = self.inner.try_out.get().filter(|_| form.state != TryState::NotInSandbox) else {
            return Err(Error::conflict(
                "not_open_on_sandbox",
                "Cette API n’est pas ouverte dans le bac à sable.",
                "This API is not open in the sandbox.",
            ));
        };
        let call = written(&form, &stored.document.api.mount, values)?;
        let url = format!("{}{}", offered.sandbox_url, call.target);
        let request = format!("{} {url}", call.method);
        let key = offered.key.as_ref().filter(|_| form.state == TryState::Ready);
        let curl = curl(&call, &url, form.state, key.map(String::as_str), context.language);
        let Some(key) = key else { return Ok(Tried { request, curl, answer: None }) };
        if self.inner.store.login_attempt(&format!("try:{address}"), context.now, WINDOW_SECONDS).await? > CALLS_PER_ADDRESS {
            return Err(Error::TooManyAttempts { retry_after: u32::try_from(WINDOW_SECONDS).unwrap_or(60) });
        }
        let mut call = call;
        call.headers.push(("X-Api-Key".to_owned(), key.clone()));
        let language = if context.language == Language::Fr { "fr" } else { "en" };
        call.headers.push(("Accept-Language".to_owned(), language.to_owned()));
        let answer = offered.port.call(call).await.map(shown);
        Ok(Tried { request, curl, answer: Some(answer) })
    }

    fn form(&self, document: &ApiDocument, key: &str, sample: Option<usize>) -> Result<TryForm, Error> {
        // A private API is its subscribers' matter: there is no public key for it.
        if document.api.visibility == Visibility::Public { self.filled_form(document, key, sample) } else { Err(Error::NotFound) }
    }

    /// The form of an operation of any API, with the values of a test case.
    pub(crate) fn filled_form(&self, document: &ApiDocument, key: &str, sample: Option<usize>) -> Result<TryForm, Error> {
        let (line, contract, name) = reference::find(document, key).ok_or(Error::NotFound)?;
        let state = if document.api.backends.of(Stage::Sandbox).is_none() {
            TryState::NotInSandbox
        } else if !document.api.credentials.contains(&AcceptedCredential::ApiKey) {
            TryState::TokensOnly
        } else if self.inner.try_out.get().is_some_and(|offered| offered.key.is_some()) {
            TryState::Ready
        } else {
            TryState::NoKey
        };
        let cases: Vec<&MockCase> = document.mocks.iter().filter(|case| case.operation == *name).take(MAX_SAMPLES).collect();
        let operation = reference::detail(&document.openapi, line, contract, name);
        let chosen = sample.filter(|place| *place < cases.len());
        let chosen = chosen.or_else(|| cases.iter().position(|case| (200..300).contains(&case.status)));
        let mut form = TryForm {
            fields: fields(&operation, &cases),
            body_type: operation.body.as_ref().map(|body| body.content_type.clone()),
            body: String::new(),
            samples: cases.iter().enumerate().map(|(place, case)| Sample { place, name: title(case), status: case.status }).collect(),
            sample: chosen,
            operation,
            state,
        };
        if let Some(case) = chosen.and_then(|place| cases.get(place)) {
            fill(&mut form, case);
        }
        Ok(form)
    }
}

/// `family/200-two-children.yaml` → `two children`.
fn title(case: &MockCase) -> String {
    let file = case.source.rsplit('/').next().unwrap_or_default();
    let stem = file.strip_suffix(".yaml").unwrap_or(file);
    let text = stem.strip_prefix(&format!("{}-", case.status)).unwrap_or(stem);
    text.replace(['-', '_'], " ")
}

/// `names[]` and `names` are one name.
fn plain(name: &str) -> &str {
    name.strip_suffix("[]").unwrap_or(name)
}

/// What can be typed: the parameters of the document, those of the path that it does not describe, and
/// the stand-in for a person who comes from elsewhere.
fn fields(operation: &OperationDetail, cases: &[&MockCase]) -> Vec<TryField> {
    let mut parameters: Vec<ParameterView> = operation.parameters.iter().filter(|parameter| may_send(parameter)).cloned().collect();
    for name in placeholders(&operation.line.path) {
        if !parameters.iter().any(|known| known.location == "path" && known.name == name) {
            parameters.push(parameter(name, "path"));
        }
    }
    let known = |name: &str| parameters.iter().any(|parameter| plain(&parameter.name) == plain(name));
    let elsewhere = operation.body.is_none() && cases.iter().any(|case| case.params.keys().any(|name| !known(name)));
    if elsewhere {
        parameters.push(parameter(MOCK_PARAMS, "header"));
    }
    let field = |parameter: ParameterView| TryField {
        name: format!("{}.{}", parameter.location, parameter.name),
        value: parameter.example.clone().unwrap_or_default(),
        parameter,
    };
    parameters.into_iter().map(field).collect()
}

fn parameter(name: &str, location: &str) -> ParameterView {
    ParameterView {
        name: name.to_owned(),
        location: location.to_owned(),
        required: location == "path",
        kind: Kind { kind: "string".to_owned(), ..Kind::default() },
        description: String::new(),
        values: Vec::new(),
        example: None,
    }
}

/// Headers that the call itself carries are not the visitor's to write.
fn may_send(parameter: &ParameterView) -> bool {
    if parameter.location != "header" {
        return true;
    }
    const TAKEN: [&str; 13] = [
        "accept-language",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "keyid",
        "te",
        "transfer-encoding",
        "upgrade",
        "x-api-key",
    ];
    let name = parameter.name.to_ascii_lowercase();
    let token = !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let reserved = ["proxy-", "x-forwarded", "octroi-"].iter().any(|start| name.starts_with(start));
    token && !reserved && !TAKEN.contains(&name.as_str())
}

fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name))
}

/// Writes the values of a test case into the form.
fn fill(form: &mut TryForm, case: &MockCase) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut rest = Map::new();
    for (name, value) in &case.params {
        let field =
            form.fields.iter_mut().find(|field| field.parameter.location != "header" && plain(&field.parameter.name) == plain(name));
        match (field, value) {
            (Some(field), Value::Array(values)) => field.value = values.iter().map(text).collect::<Vec<_>>().join("\n"),
            (Some(field), value) => field.value = text(value),
            (None, value) => {
                rest.insert(name.clone(), value.clone());
            }
        }
    }
    if form.body_type.is_some() {
        form.body = format!("{:#}", Value::Object(rest));
    } else if let Some(field) = form.fields.iter_mut().find(|field| field.parameter.name == MOCK_PARAMS) {
        field.value = json!(case.params).to_string();
    }
}

/// Puts words in the place of a test case's values: production has no test person. Who the data is for is the caller's
/// own organisation. Says whether there is something to fill in.
pub(crate) fn for_production(form: &mut TryForm, siret: &str, language: Language) -> bool {
    let word = if language == Language::Fr { "A_REMPLACER" } else { "TO_REPLACE" };
    let stand_in = |name: &str| format!("{word}_{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), ""));
    let mut found = false;
    form.fields.retain(|field| field.parameter.name != MOCK_PARAMS);
    for field in &mut form.fields {
        let parameter = &field.parameter;
        if parameter.name.eq_ignore_ascii_case(RECIPIENT) {
            siret.clone_into(&mut field.value);
        } else if parameter.required || !field.value.is_empty() {
            field.value = stand_in(&parameter.name);
            found = true;
        }
    }
    if let Ok(mut body) = serde_json::from_str::<Value>(&form.body) {
        found |= emptied(&mut body, "", siret, &stand_in);
        form.body = format!("{body:#}");
    }
    found
}

/// The same for a JSON body: each value that is neither a list nor an object.
fn emptied(value: &mut Value, name: &str, siret: &str, stand_in: &impl Fn(&str) -> String) -> bool {
    match value {
        Value::Object(members) => members.iter_mut().fold(false, |found, (name, value)| emptied(value, name, siret, stand_in) | found),
        Value::Array(values) => {
            values.truncate(1);
            values.iter_mut().fold(false, |found, value| emptied(value, name, siret, stand_in) | found)
        }
        value if name.eq_ignore_ascii_case(RECIPIENT) => {
            *value = siret.into();
            false
        }
        value => {
            *value = stand_in(name).into();
            true
        }
    }
}

/// The call that the values make.
pub(crate) fn written(form: &TryForm, mount: &str, values: &BTreeMap<String, String>) -> Result<SandboxCall, Error> {
    let mut faults = Vec::new();
    let mut path = form.operation.line.path.clone();
    let mut query = String::new();
    let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
    for field in &form.fields {
        let typed = values.get(&field.name).map_or("", String::as_str);
        let name = &field.parameter.name;
        match field.parameter.location.as_str() {
            "path" => match segment(typed.trim()) {
                Ok(segment) => path = path.replace(&format!("{{{name}}}"), &segment),
                Err(why) => faults.push(fault(&field.name, why)),
            },
            "query" => match lines(typed, field.parameter.kind.list) {
                Ok(values) => {
                    for value in values {
                        query.push(if query.is_empty() { '?' } else { '&' });
                        query.push_str(&encoded(name));
                        query.push('=');
                        query.push_str(&encoded(value));
                    }
                }
                Err(why) => faults.push(fault(&field.name, why)),
            },
            _ => match header_value(typed.trim()) {
                Ok("") => {}
                Ok(value) => headers.push((name.clone(), value.to_owned())),
                Err(why) => faults.push(fault(&field.name, why)),
            },
        }
    }
    let mut body = None;
    if let Some(kind) = &form.body_type {
        let typed = values.get(BODY_FIELD).map_or("", |text| text.trim());
        if typed.len() > MAX_BODY {
            faults.push(fault(BODY_FIELD, Why::Long));
        } else if kind.contains("json") && !typed.is_empty() && serde_json::from_str::<serde::de::IgnoredAny>(typed).is_err() {
            faults.push(fault(BODY_FIELD, Why::NotJson));
        }
        headers.push(("Content-Type".to_owned(), kind.clone()));
        body = Some(typed.to_owned());
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    Ok(SandboxCall { method: form.operation.line.method.clone(), target: format!("{mount}{path}{query}"), headers, body })
}

/// Why a value cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Missing,
    Long,
    Separates,
    Unprintable,
    Many,
    NotJson,
}

fn fault(field: &str, why: Why) -> FieldError {
    let (code, fr, en) = match why {
        Why::Missing => ("missing", "Donnez une valeur : elle est dans l’adresse.", "Give a value: it is in the address."),
        Why::Long => ("too_long", "C’est trop long.", "This is too long."),
        Why::Separates => (
            "invalid",
            "Cette valeur est dans l’adresse : sans barre oblique ni pour cent, et autre que . ou ..",
            "This value is in the address: without slash or percent sign, and other than . or ..",
        ),
        Why::Unprintable => ("invalid", "Des caractères ne peuvent pas être envoyés ici.", "Some characters cannot be sent here."),
        Why::Many => ("too_many", "Il y a trop de valeurs.", "There are too many values."),
        Why::NotJson => ("malformed_json", "Ce n’est pas du JSON.", "This is not JSON."),
    };
    FieldError { pointer: format!("/{field}"), code: code.to_owned(), message: Text::new(fr, en) }
}

fn segment(value: &str) -> Result<String, Why> {
    match value {
        "" => Err(Why::Missing),
        "." | ".." => Err(Why::Separates),
        value if value.chars().count() > MAX_VALUE => Err(Why::Long),
        value if value.contains(['/', '\\', '%']) => Err(Why::Separates),
        value if value.chars().any(char::is_control) => Err(Why::Unprintable),
        value => Ok(encoded(value)),
    }
}

/// The values that were typed, one on each line.
fn lines(typed: &str, repeated: bool) -> Result<Vec<&str>, Why> {
    let values: Vec<&str> = typed.lines().map(str::trim).filter(|value| !value.is_empty()).collect();
    if values.len() > if repeated { MAX_VALUES } else { 1 } {
        return Err(Why::Many);
    }
    match values.iter().find_map(|value| {
        (value.chars().count() > MAX_VALUE).then_some(Why::Long).or_else(|| value.chars().any(char::is_control).then_some(Why::Unprintable))
    }) {
        Some(why) => Err(why),
        None => Ok(values),
    }
}

fn header_value(typed: &str) -> Result<&str, Why> {
    if typed.len() > MAX_VALUE * 4 {
        Err(Why::Long)
    } else if typed.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
        Ok(typed)
    } else {
        Err(Why::Unprintable)
    }
}

/// Percent-encoding of all but the unreserved characters (RFC 3986 section 2.3).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The call for a terminal, quoted for a POSIX shell.
fn curl(call: &SandboxCall, url: &str, state: TryState, key: Option<&str>, language: Language) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let mut curl = String::from("curl -i");
    if call.method != "GET" {
        let _ = write!(curl, " -X {}", call.method);
    }
    let _ = write!(curl, " {}", quoted(url));
    let own = if language == Language::Fr { ("VOTRE_CLE", "VOTRE_JETON") } else { ("YOUR_KEY", "YOUR_TOKEN") };
    let credential = match (state, key) {
        (TryState::TokensOnly, _) => format!("Authorization: Bearer {}", own.1),
        (_, Some(key)) => format!("X-Api-Key: {key}"),
        (_, None) => format!("X-Api-Key: {}", own.0),
    };
    let _ = write!(curl, " \\\n  -H {}", quoted(&credential));
    for (name, value) in &call.headers {
        let _ = write!(curl, " \\\n  -H {}", quoted(&format!("{name}: {value}")));
    }
    if let Some(body) = call.body.as_deref().filter(|body| !body.is_empty()) {
        let _ = write!(curl, " \\\n  --data-raw {}", quoted(body));
    }
    curl
}

fn shown(answer: SandboxAnswer) -> TriedAnswer {
    let header = |wanted: &str| answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.clone());
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
    let whole = if json { laid_out(&text) } else { text };
    let body: String = whole.chars().take(MAX_SHOWN).collect();
    TriedAnswer {
        status: answer.status,
        refusal: header("octroi-error"),
        cut: body.len() < whole.len(),
        body,
        took_ms: answer.took_ms,
        headers: answer.headers,
    }
}

/// JSON on as many lines as it has members and elements: its order and its numbers stay as they were written.
fn laid_out(json: &str) -> String {
    let mut laid_out = String::with_capacity(json.len() * 2);
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut characters = json.chars().peekable();
    while let Some(character) = characters.next() {
        // More is not shown, and deep lists would be mostly spaces.
        if laid_out.len() > MAX_SHOWN * 4 {
            break;
        }
        if quoted {
            laid_out.push(character);
            (quoted, escaped) = (escaped || character != '"', !escaped && character == '\\');
            continue;
        }
        match character {
            '"' => {
                quoted = true;
                laid_out.push(character);
            }
            '{' | '[' => {
                laid_out.push(character);
                while characters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                match characters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => laid_out.push(end),
                    None => {
                        depth += 1;
                        line(&mut laid_out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut laid_out, depth);
                laid_out.push(character);
            }
            ',' => {
                laid_out.push(character);
                line(&mut laid_out, depth);
            }
            ':' => laid_out.push_str(": "),
            space if space.is_ascii_whitespace() => {}
            other => laid_out.push(other),
        }
    }
    laid_out
}

#[cfg(test)]
mod tests;
