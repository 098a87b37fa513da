//! From a request to its handler: method, who asks, whether they may ask at all, body, answer.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    body::Body,
    extract::{RawPathParams, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use octroi_app::{Error, query::Page};
use octroi_domain::{
    policy::{Action, Forbidden, Principal},
    text::Language,
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    body,
    call::{Answer, Call},
    headers, idempotency, principal,
    problem::{Facts, Failure, Problem},
    query,
    router::Route,
    state::{Peer, Shared},
    ui::serve::{self, PageHandler},
};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Rest = Arc<dyn Fn(Call, Input) -> Boxed<Answer> + Send + Sync>;
type Open = Arc<dyn Fn(OpenCall) -> Boxed<Response> + Send + Sync>;

/// How a route is served.
#[derive(Clone)]
pub enum Handler {
    /// Under `/api/v1`: JSON in and out, problems, sessions and keys.
    Rest(Rest),
    /// For people: HTML, the session cookie, forms.
    Page(PageHandler),
    /// Everything else speaks for itself: files, and the OAuth endpoints in the form of their RFC.
    Open(Open),
}

/// What a REST handler may read of the request.
pub struct Input {
    query: Option<String>,
    headers: HeaderMap,
    body: Bytes,
}

/// A request outside the REST API.
pub struct OpenCall {
    pub shared: Arc<Shared>,
    pub facts: Facts,
    pub query: Option<String>,
    pub headers: HeaderMap,
    pub params: Vec<(String, String)>,
    pub body: Body,
    /// The client's network address.
    pub peer: String,
}

/// The members of an operation that takes none.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Input {
    fn no_query(&self) -> Result<(), Problem> {
        query::parse::<Nothing>(self.query.as_deref()).map(drop)
    }

    fn body_or_default<B: DeserializeOwned + Default>(&self) -> Result<B, Problem> {
        if self.body.is_empty() { Ok(B::default()) } else { body::parse(&self.headers, &self.body) }
    }
}

/// A handler that takes nothing but the path.
pub fn plain<F: Future<Output = Answer> + Send + 'static>(handler: fn(Call) -> F) -> Handler {
    Handler::Rest(Arc::new(move |call, input| {
        Box::pin(async move {
            input.no_query()?;
            input.body_or_default::<Nothing>()?;
            handler(call).await
        })
    }))
}

/// A handler that takes query parameters.
pub fn with_query<Q, F>(handler: fn(Call, Q) -> F) -> Handler
where
    Q: DeserializeOwned + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    Handler::Rest(Arc::new(move |call, input| {
        Box::pin(async move {
            let parameters = query::parse(input.query.as_deref())?;
            handler(call, parameters).await
        })
    }))
}

/// A list: a handler that takes query parameters, and which page.
pub fn paged<Q, F>(handler: fn(Call, Q, Page) -> F) -> Handler
where
    Q: DeserializeOwned + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    Handler::Rest(Arc::new(move |call, input| {
        Box::pin(async move {
            let (parameters, page) = query::parse_paged(input.query.as_deref())?;
            handler(call, parameters, page).await
        })
    }))
}

/// A handler that takes a body.
pub fn with_body<B, F>(handler: fn(Call, B) -> F) -> Handler
where
    B: DeserializeOwned + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    Handler::Rest(Arc::new(move |call, input| {
        Box::pin(async move {
            input.no_query()?;
            let members = body::parse(&input.headers, &input.body)?;
            handler(call, members).await
        })
    }))
}

/// A handler whose body may be left out.
pub fn with_optional_body<B, F>(handler: fn(Call, B) -> F) -> Handler
where
    B: DeserializeOwned + Default + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    Handler::Rest(Arc::new(move |call, input| {
        Box::pin(async move {
            input.no_query()?;
            let members = input.body_or_default()?;
            handler(call, members).await
        })
    }))
}

/// A file, or an OAuth endpoint.
pub fn open<F: Future<Output = Response> + Send + 'static>(handler: fn(OpenCall) -> F) -> Handler {
    Handler::Open(Arc::new(move |call| Box::pin(handler(call))))
}

/// A panic was caught below: the marker that tells it from an answer.
#[derive(Clone, Copy)]
pub struct Panicked;

/// Around everything: the request id, the canonical path, panics, and the headers of every answer.
pub async fn around(shared: Arc<Shared>, request: Request, next: Next) -> Response {
    let facts = Facts {
        request_id: headers::request_id(request.headers()),
        path: request.uri().path().chars().take(500).collect(),
        language: headers::language(request.headers()),
    };
    let (mut parts, body) = request.into_parts();
    believe(&shared, &mut parts);
    let reader = serve::wants_page(&parts).then(|| parts.clone());
    let mut request = Request::from_parts(parts, body);
    let mut response = match query::check_path(request.uri().path()) {
        Err(problem) => problem.respond(&facts),
        Ok(()) => {
            request.extensions_mut().insert(facts.clone());
            next.run(request).await
        }
    };
    if response.extensions().get::<Panicked>().is_some() {
        tracing::error!(request_id = %facts.request_id, "a handler panicked");
        response = Problem::internal().respond(&facts);
    }
    // A person reads a page, wherever the refusal came from.
    if let Some(parts) = reader
        && let Some(problem) = response.extensions_mut().remove::<Problem>()
    {
        let (shared, facts) = (Arc::clone(&shared), facts.clone());
        // On its own: a fault that also breaks the page leaves the problem as it is.
        let page = tokio::spawn(async move { serve::problem_page(&shared, &parts, facts, problem).await });
        response = page.await.unwrap_or(response);
    }
    headers::secure(response.headers_mut(), &facts.request_id, shared.https);
    response
}

/// What only a proxy in front may say: who the caller is. From anybody else it is not there.
fn believe(shared: &Shared, parts: &mut Parts) {
    let proxies = &shared.web.proxies;
    match parts.extensions.get::<Peer>().map(|peer| peer.0) {
        Some(peer) if proxies.iter().any(|network| network.contains(peer)) => {
            let said = parts.headers.get_all("x-forwarded-for").iter().map(|value| value.to_str().unwrap_or_default());
            let caller = octroi_domain::network::client_address(peer, proxies, said);
            parts.extensions.insert(Peer(caller));
        }
        _ => {
            parts.headers.remove(&headers::CLIENT_CERT);
        }
    }
}

/// What a panic becomes until [`around`] writes it down.
pub fn panicked() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.extensions_mut().insert(Panicked);
    response
}

fn facts_of(parts: &Parts) -> Facts {
    let unknown = || Facts { request_id: String::new(), path: String::new(), language: Language::En };
    parts.extensions.get::<Facts>().cloned().unwrap_or_else(unknown)
}

/// No route at this path.
pub async fn unknown_route(request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let problem = Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_route",
        "Cette adresse n’existe pas ; voir /api/docs.",
        "There is nothing at this address; see /api/docs.",
    );
    problem.respond(&facts_of(&parts))
}

/// All routes of one path: picks the method.
pub async fn dispatch(shared: Arc<Shared>, routes: Arc<[Route]>, params: Option<RawPathParams>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let facts = facts_of(&parts);
    let wanted = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
    let Some(route) = routes.iter().find(|route| route.method == wanted) else {
        return wrong_method(&routes).respond(&facts);
    };
    let params = params.iter().flat_map(RawPathParams::iter).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    match &route.handler {
        Handler::Open(handler) => {
            let peer = peer(&parts);
            handler(OpenCall { shared, facts, query: parts.uri.query().map(str::to_owned), headers: parts.headers, params, body, peer })
                .await
        }
        Handler::Page(handler) => serve::serve(shared, route, handler, params, parts, body, facts).await,
        Handler::Rest(handler) => {
            let if_match = if_match(&parts.headers);
            let conditional = matches!(if_match, Ok(Some(_)));
            match rest(shared, route, handler, params, parts, body, if_match).await {
                Ok(response) => response,
                Err(failure) => failure.into_problem(&facts, conditional).respond(&facts),
            }
        }
    }
}

fn wrong_method(routes: &[Route]) -> Problem {
    let mut allowed: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    let allowed = allowed.join(", ");
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("Méthodes admises ici : {allowed}."),
        format!("Methods allowed here: {allowed}."),
    );
    match HeaderValue::from_str(&allowed) {
        Ok(value) => problem.with(header::ALLOW, value),
        Err(_) => problem,
    }
}

/// The version that `If-Match` names (RFC 9110 section 13.1.1); `*` names any. What is not one of
/// our tags matches nothing: 0, which no version is.
fn if_match(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let Some(text) = headers::once(headers, &header::IF_MATCH)? else { return Ok(None) };
    let text = text.trim();
    if text == "*" {
        return Ok(None);
    }
    let digits = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    Ok(Some(digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)))
}

async fn rest(
    shared: Arc<Shared>,
    route: &Route,
    handler: &Rest,
    params: Vec<(String, String)>,
    parts: Parts,
    body: Body,
    if_match: Result<Option<u32>, Problem>,
) -> Result<Response, Failure> {
    let now = shared.now();
    let changes = route.method != Method::GET;
    // Signing in looks at no cookie: whoever was there before does not matter.
    let who = principal::who(&shared, &parts.headers, now, route.action != Action::SignIn).await?;
    admit(&who.principal, route.action)?;
    let held_back = who.session.as_ref().is_some_and(|session| session.second_factor_required);
    if held_back && !route.action.is_public() && !matches!(route.action, Action::ReadSelf | Action::SignOut) {
        return Err(Error::SecondFactor.into());
    }
    if changes && (who.session.is_some() || route.action == Action::SignIn) {
        principal::check_csrf(&shared.origin, &parts.headers, who.session.as_ref())?;
    }
    let if_match = if_match?;
    if changes && if_match.is_some() && !route.versioned {
        return Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "no_version",
            "Cette ressource n’a pas de version : retirez If-Match.",
            "This resource has no version: leave If-Match out.",
        )
        .into());
    }
    let body = if changes { body::read(body, &parts.headers, body::MAX_BODY).await? } else { Bytes::new() };
    let idempotency =
        if changes { idempotency::read(&parts.headers, &who.principal, &route.method, parts.uri.path(), &body)? } else { None };
    let (address, agent) = (peer(&parts), headers::agent(&parts.headers));
    let browser = principal::browser(&shared, &parts.headers).map(str::to_owned);
    let call = Call {
        shared,
        principal: who.principal,
        session: who.session,
        now,
        language: headers::language(&parts.headers),
        idempotency,
        if_match,
        address,
        agent,
        browser,
        params,
    };
    let input = Input { query: parts.uri.query().map(str::to_owned), headers: parts.headers, body };
    Ok(handler(call, input).await?.respond())
}

/// The client's network address, as attempts are counted by it.
pub fn peer(parts: &Parts) -> String {
    parts.extensions.get::<Peer>().map_or_else(|| "unknown".to_owned(), |peer| peer.0.to_canonical().to_string())
}

/// What the policy answers for every subject: an unknown principal signs in first, and a key never
/// stands for a person. The operation asks the policy again, with its subject.
pub fn admit(principal: &Principal, action: Action) -> Result<(), Error> {
    match principal {
        _ if action.is_public() => Ok(()),
        Principal::Anonymous => Err(Error::SignIn),
        Principal::Application(_) if action.needs_person() => Err(Error::Forbidden(Forbidden::PersonRequired)),
        Principal::Application(_) | Principal::Person(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_if_match_names() {
        for (text, expected) in [
            ("\"3\"", Some(3)),
            ("*", None),
            (" \"12\" ", Some(12)),
            ("3", Some(0)),
            ("W/\"3\"", Some(0)),
            ("\"x\"", Some(0)),
            ("\"1\", \"2\"", Some(0)),
            ("\"\"", Some(0)),
            ("", Some(0)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, HeaderValue::from_str(text).unwrap());
            assert_eq!(if_match(&headers).unwrap(), expected, "{text}");
        }
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
    }
}
