//! Registering a relying party, and changing what is registered: what the page does not ask for stays as it is.

use axum::http::StatusCode;
use octroi_app::{
    App, Done, Error,
    sign_on::{
        clients::{ClientTerms, ClientView},
        settings::Certificates,
    },
};
use octroi_domain::{authentication::Acr, sign_on::ClientId};
use octroi_oauth::jwt::SigningAlgorithm;
use serde_json::{Map, Value, json};

use super::{
    errors,
    kit::{Alert, Check, Control, Field, FieldError, Hidden, Link, Options, Tone},
    operator::{FormView, OperatorPage, Place, Section},
    operator_clients::{made, texts},
    page::{Page, PageAnswer, PageCall},
};

/// The ways of authenticating that the page offers; others are registered by the REST API.
const METHODS: [&str; 4] = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
/// Offered where a proxy hands on certificates that it verified.
const BY_CERTIFICATE: &str = "tls_client_auth";

/// Fields of the page, with the members that they stand for.
const MEMBERS: [(&str, &str); 12] = [
    ("name", "client_name"),
    ("redirects", "redirect_uris"),
    ("logouts", "post_logout_redirect_uris"),
    ("told", "backchannel_logout_uri"),
    ("method", "token_endpoint_auth_method"),
    ("keys", "jwks_uri"),
    ("certificate_name", "tls_client_auth_subject_dn"),
    ("acr", "default_acr_values"),
    ("algorithm", "id_token_signed_response_alg"),
    ("userinfo", "userinfo_signed_response_alg"),
    ("access", "access_token_seconds"),
    ("renewal", "refresh_token_seconds"),
];

/// What a field holds: what was typed, else what is registered.
struct Filled<'a> {
    call: &'a PageCall,
    held: Option<&'a ClientView>,
    wrong: &'a [FieldError],
}

impl Filled<'_> {
    fn text(&self, name: &str) -> String {
        if self.call.posted {
            return self.call.form.get(name).unwrap_or_default().to_owned();
        }
        let Some(held) = self.held else { return String::new() };
        let member = MEMBERS.iter().find(|(field, _)| *field == name).map_or(name, |(_, member)| member);
        match (name, held.metadata.get(member)) {
            ("access", _) => held.access_token_seconds.to_string(),
            ("renewal", _) => held.refresh_token_seconds.to_string(),
            (_, Some(Value::String(text))) => text.clone(),
            (_, Some(Value::Array(_))) => texts(held, member).join("\n"),
            _ => String::new(),
        }
    }

    fn ticked(&self, name: &str) -> bool {
        if self.call.posted {
            return self.call.form.has(name);
        }
        let Some(held) = self.held else { return false };
        match name {
            "refresh" => texts(held, "grant_types").iter().any(|grant| grant == "refresh_token"),
            "first_party" => held.first_party,
            "bound" => held.metadata.get("tls_client_certificate_bound_access_tokens").and_then(Value::as_bool).unwrap_or_default(),
            name => held.metadata.get(name).and_then(Value::as_bool).unwrap_or_default(),
        }
    }

    fn field(&self, field: Field) -> Field {
        let error = self.wrong.iter().find(|error| error.name == field.name).map(|error| error.message.clone());
        field.error(error.unwrap_or_default())
    }

    fn line(&self, name: &'static str, label: impl Into<String>) -> Field {
        self.field(Field::line(name, label, self.text(name)))
    }

    fn area(&self, name: &'static str, label: impl Into<String>) -> Field {
        self.field(Field::area(name, label, self.text(name)))
    }

    fn one_box(&self, name: &'static str, label: impl Into<String>) -> Field {
        Field::new(name, label, Control::Box { checked: self.ticked(name) })
    }

    fn who(&self) -> Vec<Field> {
        let w = self.call.words;
        let held = Some(self.text("method")).filter(|method| !method.is_empty());
        let chosen = held.unwrap_or_else(|| "client_secret_basic".to_owned());
        let method = |value: &str| Check {
            value: value.to_owned(),
            label: w.one_of("client-method", value).into(),
            checked: value == chosen,
            ..Check::default()
        };
        let offered = self.call.app().sign_on_settings().certificates;
        let by_certificate = (offered == Certificates::Verified).then_some(BY_CERTIFICATE);
        let methods = METHODS.into_iter().chain(by_certificate).map(method).collect();
        let mut fields = vec![
            self.line("name", w.of("client-name")).hint(w.of("client-name-hint")).required(),
            self.area("redirects", w.of("client-redirects")).hint(w.of("client-redirects-hint")).required(),
            self.area("logouts", w.of("client-logouts")).optional(w.of("optional")),
            self.line("told", w.of("client-told")).hint(w.of("client-told-hint")).optional(w.of("optional")),
            self.field(Field::new("method", w.of("client-method"), Control::Radios { options: methods })),
            self.line("keys", w.of("client-keys")).hint(w.of("client-keys-hint")).optional(w.of("optional")),
        ];
        if by_certificate.is_some() {
            let name = self.line("certificate_name", w.of("client-certificate-name"));
            fields.push(name.hint(w.of("client-certificate-name-hint")).optional(w.of("optional")));
        }
        if offered != Certificates::Off {
            fields.push(self.one_box("bound", w.of("client-bound")).hint(w.of("client-bound-hint")));
        }
        fields
    }

    fn how(&self) -> Vec<Field> {
        let w = self.call.words;
        let mut levels: Options = vec![(String::new(), w.of("client-acr-any").into())];
        // Several, by the REST API: kept as they are.
        let held = self.text("acr");
        levels.extend(held.contains('\n').then(|| (held.clone(), held.replace('\n', ", "))));
        levels.extend(Acr::ALL.map(|acr| (acr.as_str().to_owned(), w.one_of("client-acr", acr.as_str()).to_string())));
        let algorithms: Options = SigningAlgorithm::ALL.map(|known| (known.as_str().to_owned(), known.as_str().to_owned())).into();
        let mut forms: Options = vec![(String::new(), w.of("client-userinfo-plain").into())];
        let signed = |known: SigningAlgorithm| {
            (known.as_str().to_owned(), w.of("client-userinfo-signed").with("algorithm", known.as_str().to_owned()).into())
        };
        forms.extend(SigningAlgorithm::ALL.map(signed));
        vec![
            self.one_box("first_party", w.of("client-first-party")).hint(w.of("client-first-party-hint")),
            self.field(Field::select("acr", w.of("client-acr"), levels, held)),
            self.one_box("require_pkce", w.of("client-pkce")),
            self.one_box("refresh", w.of("client-refresh")),
            self.line("access", w.of("client-access")).kind("number", "off").hint(w.of("client-access-hint")).optional(w.of("optional")),
            self.line("renewal", w.of("client-renewal")).kind("number", "off").hint(w.of("client-renewal-hint")).optional(w.of("optional")),
            self.field(Field::select("algorithm", w.of("client-algorithm"), algorithms, self.text("algorithm")))
                .hint(w.of("client-algorithm-hint")),
            self.one_box("claims_in_id_token", w.of("client-claims")).hint(w.of("client-claims-hint")),
            self.field(Field::select("userinfo", w.of("client-userinfo"), forms, self.text("userinfo"))),
        ]
    }
}

fn form(call: &PageCall, held: Option<&ClientView>, wrong: &[FieldError], alert: Option<Alert>) -> PageAnswer {
    let w = call.words;
    let mut way = vec![Link::new("/operator/clients", w.of("clients-title"))];
    let (home, title, button) = match held {
        None => ("/operator/clients".to_owned(), w.of("client-new"), w.of("create")),
        Some(client) => (format!("/operator/clients/{}", client.id), w.of("client-change"), w.of("client-save")),
    };
    way.extend(held.map(|client| Link::new(&home, client.name())));
    let mut page = OperatorPage::new(call, Place::Clients, title, way);
    page.alerts.extend(alert);
    page.summary = errors::summary(call, wrong);
    let filled = Filled { call, held, wrong };
    let version = held.map(|client| Hidden { name: "version".to_owned(), value: client.version.to_string() });
    page.sections.push(Section {
        form: Some(FormView {
            action: call.facts.path.clone(),
            hidden: version.into_iter().collect(),
            fields: filled.who().into_iter().chain(filled.how()).collect(),
            button: button.into(),
            back: Some(Link::new(home, w.of("cancel"))),
        }),
        ..Section::default()
    });
    call.render(&page)
}

/// `GET /operator/clients/new`
pub async fn new(call: PageCall) -> PageAnswer {
    App::manage(&call.context())?;
    form(&call, None, &[], None)
}

/// `GET /operator/clients/{id}/edit`
pub async fn edit(call: PageCall) -> PageAnswer {
    let id: ClientId = call.id("id")?;
    let held = call.app().read_client(&call.context(), &id).await?;
    form(&call, Some(&held), &[], None)
}

/// What was typed, over what is registered and not asked for.
fn metadata(call: &PageCall, held: Option<&ClientView>) -> Value {
    let mut members: Map<String, Value> = held.and_then(|client| client.metadata.as_object().cloned()).unwrap_or_default();
    let lines = |name: &str| -> Vec<String> {
        call.form.text(name).lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let mut grants = held.map_or_else(|| vec!["authorization_code".to_owned()], |client| texts(client, "grant_types"));
    grants.retain(|grant| grant != "refresh_token");
    if call.form.has("refresh") {
        grants.push("refresh_token".to_owned());
    }
    members.insert("grant_types".to_owned(), json!(grants));
    for ours in ["require_pkce", "claims_in_id_token"] {
        members.insert(ours.to_owned(), json!(call.form.has(ours)));
    }
    let offered = call.app().sign_on_settings().certificates;
    if offered != Certificates::Off {
        members.insert("tls_client_certificate_bound_access_tokens".to_owned(), json!(call.form.has("bound")));
    }
    // What the page does not show stays; lifetimes are no metadata.
    let shown = |field: &str| match field {
        "access" | "renewal" => false,
        "certificate_name" => offered == Certificates::Verified,
        _ => true,
    };
    for (field, member) in MEMBERS.iter().filter(|(field, _)| shown(field)) {
        let typed = match *field {
            "redirects" | "logouts" => Some(json!(lines(field))),
            "acr" => Some(json!(lines(field))),
            // A way that the page does not offer, and that nobody changed.
            "method" if held.is_some() && call.form.text(field).is_empty() => continue,
            "name" | "method" => Some(json!(call.form.text(field))),
            // A name goes with its method, and with no other.
            "certificate_name" if call.form.text("method") != BY_CERTIFICATE => None,
            _ => call.form.some(field).map(Value::String),
        };
        match typed {
            Some(typed) => members.insert((*member).to_owned(), typed),
            None => members.remove(*member),
        };
    }
    Value::Object(members)
}

/// The seconds of a field; what is no number is out of every range.
fn seconds(call: &PageCall, name: &str) -> Option<u32> {
    call.form.some(name).map(|text| text.parse().unwrap_or(0))
}

fn terms(call: &PageCall, held: Option<&ClientView>) -> ClientTerms {
    ClientTerms {
        organization: held.and_then(|client| client.organization.as_ref()?.id.parse().ok()),
        first_party: call.form.has("first_party"),
        serves: held.and_then(|client| client.serves.clone()),
        access_token_seconds: seconds(call, "access"),
        refresh_token_seconds: seconds(call, "renewal"),
    }
}

/// What is wrong, at the field that asked for it.
fn at_fields(call: &PageCall, found: &[octroi_domain::definition::FieldError]) -> Vec<FieldError> {
    let w = call.words;
    let named = |error: FieldError| {
        let member = error.name.strip_prefix("metadata.").unwrap_or(&error.name);
        let member = member.split(['.', '/']).next().unwrap_or_default();
        let name = MEMBERS.iter().find(|(_, known)| *known == member).map_or("name", |(field, _)| field);
        let message =
            if name == "redirects" && call.form.text(name).is_empty() { w.of("client-redirects-none").into() } else { error.message };
        FieldError { name: name.to_owned(), message }
    };
    let mut wrong: Vec<FieldError> = errors::fields(call, found).into_iter().map(named).collect();
    if call.form.text("name").is_empty() {
        wrong.insert(0, FieldError { name: "name".to_owned(), message: w.of("client-name-none").into() });
    }
    wrong
}

/// A name is for people: the API does without one, the page does not.
fn nameless(call: &PageCall) -> Option<Error> {
    call.form.text("name").is_empty().then(|| Error::Invalid(Vec::new()))
}

/// `POST /operator/clients/new`
pub async fn create(call: PageCall) -> PageAnswer {
    let done = match nameless(&call) {
        None => call.app().create_client(&call.once(), metadata(&call, None), terms(&call, None)).await,
        Some(error) => Err(error),
    };
    match done {
        Ok(done) => made(&call, done),
        Err(Error::Invalid(found)) => Ok(form(&call, None, &at_fields(&call, &found), None)?.status(StatusCode::UNPROCESSABLE_ENTITY)),
        Err(error) => Err(error.into()),
    }
}

/// `POST /operator/clients/{id}/edit`
pub async fn change(call: PageCall) -> PageAnswer {
    let id: ClientId = call.id("id")?;
    let held = call.app().read_client(&call.context(), &id).await?;
    let (metadata, terms) = (metadata(&call, Some(&held)), terms(&call, Some(&held)));
    let done = match nameless(&call) {
        None => call.app().update_client(&call.once(), &id, call.form.text("version").parse().ok(), metadata, terms).await,
        Some(error) => Err(error),
    };
    match done {
        // It has to have a secret now, and had none.
        Ok(Done::Now { value, status }) if value.client_secret.is_some() => made(&call, Done::Now { value, status }),
        Ok(_) => Ok(Page::to(format!("/operator/clients/{id}")).flash("client-saved", "")),
        Err(Error::Invalid(found)) => {
            Ok(form(&call, Some(&held), &at_fields(&call, &found), None)?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(Error::Stale { .. }) => {
            let w = call.words;
            let alert = Alert::new(Tone::Warning, w.of("client-stale"), w.of("client-stale-text"));
            Ok(form(&call, Some(&held), &[], Some(alert))?.status(StatusCode::CONFLICT))
        }
        Err(error) => Err(error.into()),
    }
}
