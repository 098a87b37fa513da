//! The REST API's own description (OpenAPI 3.1), made from the code, and a reader for it.
//!
//! Each handler describes itself; what all operations share (who may, refusals, headers) is added
//! here from the table of routes, so that neither can forget the other.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use octroi_domain::policy::Action;
use utoipa::{
    OpenApi,
    openapi::{
        self, ContentBuilder, HttpMethod, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder,
        path::{Operation, ParameterBuilder, ParameterIn},
        schema::Type,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    api::{
        access_requests, account, applications, catalogue, clients, connected, connections, credentials, dev, invitations, ledger,
        messages, organizations, people, permits, platform, products, register, session, statistics, subscriptions, traces,
    },
    dispatch::OpenCall,
    headers::CSP_PAGE,
    problem::{Problem, ProblemBody, ProblemField},
    router::{Route, routes},
};

/// Where the description is served; it does not describe itself.
const DOCUMENT: &str = "/api/v1/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Octroi",
        description = "Apply for the right to use restricted data, decide on it, and follow its use.\n\nChanges take an `Idempotency-Key`. Lists are paged: give `next` back as `cursor`. Refusals are problems (RFC 9457) with a stable `code`."
    ),
    paths(
        session::sign_in,
        session::sign_out,
        session::me,
        account::rename,
        account::sessions,
        account::end,
        account::end_others,
        organizations::mine,
        organizations::find,
        organizations::join,
        organizations::list,
        organizations::read,
        organizations::cancel,
        organizations::reopen,
        organizations::send_code,
        organizations::enter_code,
        organizations::sponsor,
        organizations::vouch,
        organizations::moderation,
        organizations::accept,
        organizations::refuse,
        organizations::accept_invitation,
        organizations::members,
        organizations::leave,
        organizations::invite,
        organizations::withdraw,
        organizations::profile,
        organizations::set_domain,
        organizations::set_contact,
        organizations::refresh,
        catalogue::search,
        catalogue::list_apis,
        catalogue::read_api,
        catalogue::read_api_document,
        catalogue::list_definitions,
        catalogue::read_definition,
        register::list,
        statistics::read,
        access_requests::create,
        access_requests::list,
        access_requests::counts,
        access_requests::read,
        access_requests::review,
        access_requests::edit,
        access_requests::submit,
        access_requests::request_changes,
        access_requests::refuse,
        access_requests::approve,
        access_requests::archive,
        access_requests::transfer,
        messages::list,
        messages::send,
        messages::see,
        messages::timeline,
        permits::list,
        permits::counts,
        permits::read,
        permits::revoke,
        permits::suspend,
        permits::resume,
        permits::amend,
        permits::next_stage,
        applications::create,
        applications::list,
        applications::read,
        applications::suspend,
        applications::resume,
        applications::usage,
        clients::create,
        connected::list,
        connected::remove,
        clients::list,
        clients::read,
        clients::update,
        clients::remove,
        clients::suspend,
        clients::resume,
        clients::replace_secret,
        clients::create_initial_access,
        clients::list_initial_access,
        clients::remove_initial_access,
        products::list_accounts,
        products::read_account,
        products::change_account,
        products::end_logins,
        products::import,
        products::list_legacy,
        products::remove_legacy,
        products::link_legacy,
        products::disputes,
        products::decide,
        connections::create,
        connections::list,
        connections::read,
        connections::update,
        connections::remove,
        connections::link_requests,
        connections::decide,
        invitations::create,
        invitations::list,
        invitations::withdraw,
        invitations::accept,
        subscriptions::create,
        subscriptions::subscribers,
        subscriptions::enrol,
        subscriptions::list,
        subscriptions::activate,
        subscriptions::suspend,
        subscriptions::revoke,
        subscriptions::accept_terms,
        credentials::create,
        credentials::revoke,
        traces::list,
        traces::statistics,
        traces::anonymise,
        ledger::list,
        ledger::verify,
        ledger::verifications,
        people::create_organization,
        people::list_organizations,
        people::create_user,
        people::list_users,
        people::read_organization,
        people::read_user,
        people::link_organization,
        people::leave_organization,
        people::definition_roles,
        people::grant_role,
        people::withdraw_role,
        platform::outbox,
        platform::outbox_counts,
        platform::retry,
        platform::retry_failed,
        platform::definitions,
        platform::definition,
        platform::apis,
        platform::settings,
        platform::health,
        dev::mailbox,
    ),
    components(schemas(ProblemBody, ProblemField))
)]
struct Described;

/// The description, whole.
#[must_use]
pub fn document() -> openapi::OpenApi {
    let mut document = Described::openapi();
    let components = document.components.get_or_insert_default();
    let header_key = |name: &str, what: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, what)));
    for (name, scheme) in [
        (
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                "octroi_session",
                "Set by POST /session; `__Host-octroi` over HTTPS.",
            ))),
        ),
        ("csrf", header_key("X-CSRF-Token", "The `csrf_token` that POST /session gave; with every change that a session makes.")),
        ("api_key", header_key("X-Api-Key", "An API key of an application with management rights.")),
        (
            "bearer",
            SecurityScheme::Http(
                HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The same key, as a bearer token.")).build(),
            ),
        ),
    ] {
        components.add_security_scheme(name, scheme);
    }
    for route in routes() {
        if let Some(operation) = operation(&mut document, &route) {
            complete(operation, &route);
        }
    }
    document
}

/// The description, as JSON.
pub(crate) fn json() -> Vec<u8> {
    serde_json::to_vec(&document()).unwrap_or_default()
}

fn operation<'a>(document: &'a mut openapi::OpenApi, route: &Route) -> Option<&'a mut Operation> {
    let item = document.paths.paths.get_mut(route.path)?;
    match route.method.as_str() {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PUT" => item.put.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

/// Adds what the table of routes knows: who may ask, the headers, and the refusals.
fn complete(operation: &mut Operation, route: &Route) {
    let changes = route.method.as_str() != "GET";
    // Unique, because the method and the path are.
    let segments: Vec<&str> =
        route.path.split(['/', '{', '}', '-', '.']).filter(|segment| !matches!(*segment, "" | "api" | "v1")).collect();
    operation.operation_id = Some(format!("{}_{}", route.method.as_str().to_lowercase(), segments.join("_")));
    let none: [String; 0] = [];
    let need = |name: &str| SecurityRequirement::new(name, none.clone());
    let mut security = Vec::new();
    if !route.action.is_public() {
        security.push(if changes { need("session").add("csrf", none.clone()) } else { need("session") });
        if !route.action.needs_person() {
            security.extend([need("api_key"), need("bearer")]);
        }
    }
    operation.security = Some(security);
    let header = |name: &str, what: &str| {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(what))
            .schema(Some(text))
            .build()
    };
    let parameters = operation.parameters.get_or_insert_default();
    if changes && route.action != Action::SignIn {
        parameters.push(header("Idempotency-Key", "1 to 255 visible ASCII characters: sent twice, the request acts once.").into());
    }
    if route.versioned {
        parameters.push(header("If-Match", "The ETag that was read, `\"<version>\"`: 412 when another version is there.").into());
    }
    let mut refusals =
        vec![(400, "Malformed or ambiguous"), (422, "Members or parameters to mend: see `errors`"), (503, "The store cannot answer now")];
    if route.action.is_public() && route.action != Action::SignIn {
        refusals.push((401, "A credential was shown, and is not a good one"));
    } else {
        refusals.extend([(401, "No credential, or not a good one"), (403, "Known, and not allowed; the code says why")]);
    }
    if route.path.contains('{') {
        refusals.push((404, "It does not exist, or not for you"));
    }
    if changes {
        refusals.extend([
            (409, "Its state or version does not have this change"),
            (413, "Longer than 1 MB"),
            (415, "Not application/json"),
        ]);
    }
    if route.versioned {
        refusals.push((412, "`If-Match` names another version"));
    }
    let summary = operation.summary.clone().unwrap_or_default();
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description.clone_from(&summary);
        }
    }
    for (status, what) in refusals {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description(what).content("application/problem+json", content).build();
        operation.responses.responses.insert(status.to_string(), RefOr::T(response));
    }
}

/// `GET /api/v1/openapi.json`
pub(crate) async fn show(call: OpenCall) -> Response {
    let mut response = Response::new(Body::from(call.shared.openapi.clone()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// `GET /api/docs`: the reader lives one level below, where its relative links hold.
pub(crate) async fn reader(_call: OpenCall) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/api/docs/"));
    response
}

/// The files of the reader that a browser asks for; the others stay in the archive.
const READER_FILES: [&str; 8] = [
    "index.html",
    "index.css",
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-initializer.js",
    "favicon-16x16.png",
    "favicon-32x32.png",
];

/// `GET /api/docs/{file}`
pub(crate) async fn reader_file(call: OpenCall) -> Response {
    let asked = call.params.first().map_or("index.html", |(_, file)| file.as_str());
    let config = utoipa_swagger_ui::Config::from(DOCUMENT).validator_url("none").with_credentials(true);
    let file = READER_FILES.contains(&asked).then(|| utoipa_swagger_ui::serve(asked, Arc::new(config)).ok().flatten()).flatten();
    let Some(file) = file else { return Problem::not_found().respond(&call.facts) };
    let mut response = Response::new(Body::from(file.bytes.into_owned()));
    let headers = response.headers_mut();
    if let Ok(content_type) = HeaderValue::try_from(file.content_type) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, CSP_PAGE);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

/// Every operation that a document describes.
#[must_use]
pub fn operations(document: &openapi::OpenApi) -> Vec<(HttpMethod, String)> {
    let described = document.paths.paths.iter().flat_map(|(path, item)| {
        [
            (HttpMethod::Get, item.get.is_some()),
            (HttpMethod::Post, item.post.is_some()),
            (HttpMethod::Put, item.put.is_some()),
            (HttpMethod::Patch, item.patch.is_some()),
            (HttpMethod::Delete, item.delete.is_some()),
        ]
        .into_iter()
        .filter(|(_, there)| *there)
        .map(|(method, _)| (method, path.clone()))
    });
    described.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn exactly_the_routes_are_described() {
        let name = |method: &HttpMethod| match method {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
            HttpMethod::Put => "PUT",
            HttpMethod::Patch => "PATCH",
            HttpMethod::Delete => "DELETE",
            _ => "other",
        };
        let described: BTreeSet<String> = operations(&document()).iter().map(|(method, path)| format!("{} {path}", name(method))).collect();
        let served: BTreeSet<String> = routes()
            .iter()
            .filter(|route| route.path.starts_with("/api/v1/") && route.path != DOCUMENT)
            .map(|route| format!("{} {}", route.method, route.path))
            .collect();
        assert_eq!(described, served);
    }

    #[test]
    fn the_document_holds_together() {
        let text = String::from_utf8(json()).unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        // Each reference leads somewhere, and each operation is named once.
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
        }
        let mut ids = BTreeSet::new();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values().filter(|value| value.is_object()) {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()), "{id} names two operations");
                assert!(operation["responses"]["422"]["content"]["application/problem+json"].is_object(), "{id}");
            }
        }
    }

    #[test]
    fn the_reader_is_in_the_program() {
        for file in READER_FILES {
            let config = utoipa_swagger_ui::Config::from(DOCUMENT);
            assert!(utoipa_swagger_ui::serve(file, Arc::new(config)).unwrap().is_some(), "{file}");
        }
    }
}
