//! Every route, on one page: method, path, the action that it is for, and its handler.
//!
//! A route cannot be written without an action, and the policy denies an action that nobody is
//! given: forgetting a rule closes the door.

use std::sync::Arc;

use axum::{
    Router,
    extract::{RawPathParams, Request},
    http::Method,
    middleware,
    routing::any,
};
use octroi_domain::policy::Action;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    api::{access_requests, applications, catalogue, credentials, dev, ledger, people, permits, session, subscriptions, traces},
    dispatch::{self, Handler, open, plain, with_body, with_optional_body, with_query},
    oidc::{introspect, jwks, metadata, revoke, token},
    openapi,
    state::{Shared, WebState},
    ui::home,
};

/// One route.
#[derive(Clone)]
pub struct Route {
    pub method: Method,
    /// With `{name}` for what varies.
    pub path: &'static str,
    pub action: Action,
    pub(crate) handler: Handler,
    /// Does the resource have a version that `If-Match` can name?
    pub(crate) versioned: bool,
}
impl Route {
    fn versioned(self) -> Self {
        Self { versioned: true, ..self }
    }
}

const fn route(method: Method, path: &'static str, action: Action, handler: Handler) -> Route {
    Route { method, path, action, handler, versioned: false }
}
const fn get(path: &'static str, action: Action, handler: Handler) -> Route {
    route(Method::GET, path, action, handler)
}
const fn post(path: &'static str, action: Action, handler: Handler) -> Route {
    route(Method::POST, path, action, handler)
}
const fn put(path: &'static str, action: Action, handler: Handler) -> Route {
    route(Method::PUT, path, action, handler)
}
const fn patch(path: &'static str, action: Action, handler: Handler) -> Route {
    route(Method::PATCH, path, action, handler)
}
const fn delete(path: &'static str, action: Action, handler: Handler) -> Route {
    route(Method::DELETE, path, action, handler)
}

/// Every route there is.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    use Action as A;
    vec![
        // Pages.
        get("/", A::ReadPublic, open(home::show)),
        get("/api/docs", A::ReadPublic, open(openapi::reader)),
        get("/api/docs/", A::ReadPublic, open(openapi::reader_file)),
        get("/api/docs/{file}", A::ReadPublic, open(openapi::reader_file)),
        // OAuth 2. The aliases are those of PISTE and of api-auth.
        post("/oauth/token", A::UseOAuthEndpoint, open(token::issue)),
        post("/api/oauth/token", A::UseOAuthEndpoint, open(token::issue)),
        post("/token", A::UseOAuthEndpoint, open(token::issue)),
        post("/oauth/introspect", A::UseOAuthEndpoint, open(introspect::answer)),
        post("/oauth/token/introspection", A::UseOAuthEndpoint, open(introspect::answer)),
        post("/oauth/revoke", A::UseOAuthEndpoint, open(revoke::revoke)),
        get("/oauth/jwks", A::ReadPublic, open(jwks::show)),
        get("/.well-known/oauth-authorization-server", A::ReadPublic, open(metadata::show)),
        // Who one is.
        post("/api/v1/session", A::SignIn, with_body(session::sign_in)),
        delete("/api/v1/session", A::SignOut, plain(session::sign_out)),
        get("/api/v1/me", A::ReadSelf, plain(session::me)),
        // The catalogue.
        get("/api/v1/apis", A::ReadPublic, with_query(catalogue::list_apis)),
        get("/api/v1/apis/{provider}/{api}", A::ReadPublic, plain(catalogue::read_api)),
        get("/api/v1/apis/{provider}/{api}/openapi", A::ReadPublic, plain(catalogue::read_api_document)),
        get("/api/v1/definitions", A::ReadPublic, with_query(catalogue::list_definitions)),
        get("/api/v1/definitions/{slug}", A::ReadPublic, plain(catalogue::read_definition)),
        // Requests.
        post("/api/v1/access-requests", A::CreateRequest, with_body(access_requests::create)),
        get("/api/v1/access-requests", A::ListRequests, with_query(access_requests::list)),
        get("/api/v1/access-requests/{id}", A::ReadRequest, plain(access_requests::read)),
        patch("/api/v1/access-requests/{id}", A::EditRequest, with_body(access_requests::edit)).versioned(),
        post("/api/v1/access-requests/{id}/submit", A::SubmitRequest, with_optional_body(access_requests::submit)).versioned(),
        post("/api/v1/access-requests/{id}/request-changes", A::RequestChanges, with_body(access_requests::request_changes)),
        post("/api/v1/access-requests/{id}/refuse", A::RefuseRequest, with_body(access_requests::refuse)),
        post("/api/v1/access-requests/{id}/approve", A::ApproveRequest, with_body(access_requests::approve)).versioned(),
        post("/api/v1/access-requests/{id}/archive", A::ArchiveRequest, plain(access_requests::archive)),
        post("/api/v1/access-requests/{id}/transfer", A::TransferRequest, with_body(access_requests::transfer)),
        // Permits.
        get("/api/v1/permits", A::ListPermits, with_query(permits::list)),
        get("/api/v1/permits/{id}", A::ReadPermit, plain(permits::read)),
        post("/api/v1/permits/{id}/revoke", A::RevokePermit, with_body(permits::revoke)),
        post("/api/v1/permits/{id}/suspend", A::SuspendPermit, with_body(permits::suspend)),
        post("/api/v1/permits/{id}/resume", A::ResumePermit, plain(permits::resume)),
        post("/api/v1/permits/{id}/amend", A::AmendPermit, plain(permits::amend)),
        post("/api/v1/permits/{id}/next-stage", A::AmendPermit, plain(permits::next_stage)),
        // Applications, subscriptions, credentials.
        post("/api/v1/applications", A::CreateApplication, with_body(applications::create)),
        get("/api/v1/applications", A::ListApplications, with_query(applications::list)),
        get("/api/v1/applications/{id}", A::ReadApplication, plain(applications::read)),
        post("/api/v1/applications/{id}/suspend", A::SuspendApplication, plain(applications::suspend)),
        post("/api/v1/applications/{id}/resume", A::SuspendApplication, plain(applications::resume)),
        post("/api/v1/applications/{id}/subscriptions", A::Subscribe, with_body(subscriptions::create)),
        post("/api/v1/applications/{id}/credentials", A::CreateCredential, with_body(credentials::create)),
        post("/api/v1/apis/{provider}/{api}/subscribers", A::DecideSubscription, with_body(subscriptions::enrol)),
        delete("/api/v1/credentials/{id}", A::RevokeCredential, plain(credentials::revoke)),
        get("/api/v1/subscriptions", A::ReadSubscription, with_query(subscriptions::list)),
        post("/api/v1/subscriptions/{id}/activate", A::DecideSubscription, plain(subscriptions::activate)),
        post("/api/v1/subscriptions/{id}/suspend", A::DecideSubscription, plain(subscriptions::suspend)),
        post("/api/v1/subscriptions/{id}/revoke", A::EndSubscription, plain(subscriptions::revoke)),
        post("/api/v1/subscriptions/{id}/accept-terms", A::Subscribe, plain(subscriptions::accept_terms)),
        // Calls and evidence.
        get("/api/v1/traces", A::ReadTraces, with_query(traces::list)),
        get("/api/v1/traces/statistics", A::ReadTraces, with_query(traces::statistics)),
        post("/api/v1/traces/anonymise", A::AnonymiseTraces, with_body(traces::anonymise)),
        get("/api/v1/ledger", A::ReadLedger, with_query(ledger::list)),
        // The platform.
        post("/api/v1/organizations", A::ManagePlatform, with_body(people::create_organization)),
        get("/api/v1/organizations", A::ManagePlatform, with_query(people::list_organizations)),
        post("/api/v1/users", A::ManagePlatform, with_body(people::create_user)),
        get("/api/v1/users", A::ManagePlatform, with_query(people::list_users)),
        put("/api/v1/users/{id}/roles", A::ManageRoles, with_body(people::grant_role)),
        delete("/api/v1/users/{id}/roles", A::ManageRoles, with_body(people::withdraw_role)),
        get("/api/v1/dev/mailbox", A::ReadDevMailbox, with_query(dev::mailbox)),
        get("/api/v1/openapi.json", A::ReadPublic, open(openapi::show)),
    ]
}

/// The whole portal, ready to be served, with a [`Peer`](crate::Peer) in the extensions of each request.
pub fn router(state: WebState) -> Router {
    let shared = Arc::new(Shared::new(state));
    let all = routes();
    let mut paths: Vec<&'static str> = all.iter().map(|route| route.path).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut router = Router::new();
    for path in paths {
        let here: Arc<[Route]> = all.iter().filter(|route| route.path == path).cloned().collect();
        let shared = Arc::clone(&shared);
        let handler = move |params: Result<RawPathParams, axum::extract::rejection::RawPathParamsRejection>, request: Request| {
            dispatch::dispatch(Arc::clone(&shared), Arc::clone(&here), params.ok(), request)
        };
        router = router.route(path, any(handler));
    }
    router
        .fallback(dispatch::unknown_route)
        .layer(CatchPanicLayer::custom(|_| dispatch::panicked()))
        .layer(middleware::from_fn(move |request, next| dispatch::around(Arc::clone(&shared), request, next)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_route_stands_once_and_reads_do_not_change() {
        let mut seen = BTreeSet::new();
        for route in routes() {
            assert!(seen.insert((route.path, route.method.to_string())), "{} {} stands twice", route.method, route.path);
            assert_eq!(
                matches!(route.handler, Handler::Rest(_)),
                route.path.starts_with("/api/v1/") && route.path != "/api/v1/openapi.json",
                "{}",
                route.path
            );
            let reads = matches!(
                route.action,
                Action::ReadPublic
                    | Action::ReadSelf
                    | Action::ListRequests
                    | Action::ReadRequest
                    | Action::ListPermits
                    | Action::ReadPermit
                    | Action::ListApplications
                    | Action::ReadApplication
                    | Action::ReadSubscription
                    | Action::ReadTraces
                    | Action::ReadLedger
                    | Action::ReadDevMailbox
            );
            if reads {
                assert_eq!(route.method, Method::GET, "{}", route.path);
            }
        }
    }

    #[test]
    fn every_action_has_a_route() {
        let routed: BTreeSet<Action> = routes().iter().map(|route| route.action).collect();
        let all = Action::GENERAL.iter().chain(&Action::ON_REQUEST).chain(&Action::ON_PERMIT).chain(&Action::ON_APPLICATION);
        // A private API is shown or hidden by the routes of the catalogue.
        let missing: Vec<&Action> = all.filter(|action| !routed.contains(action) && **action != Action::ReadApi).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
