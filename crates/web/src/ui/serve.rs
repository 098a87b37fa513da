//! From a request to a page: language, session, guard, function; and an error to a page with a way on.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderMap, Method, header, request::Parts},
    response::Response,
};
use octroi_app::Error;
use octroi_domain::{canonical::Sha256Hash, policy::Action};

use super::{
    errors,
    form::Form,
    page::{self, PageAnswer, PageCall},
    second_factor, session, sign_on,
};
use crate::{
    dispatch::{admit, peer},
    principal,
    problem::{Facts, Failure, Problem},
    router::Route,
    state::Shared,
};

/// What a page's route holds.
pub type PageHandler = Arc<dyn Fn(PageCall) -> Pin<Box<dyn Future<Output = PageAnswer> + Send>> + Send + Sync>;

/// A page.
pub fn page<F: Future<Output = PageAnswer> + Send + 'static>(handler: fn(PageCall) -> F) -> crate::dispatch::Handler {
    crate::dispatch::Handler::Page(Arc::new(move |call| Box::pin(handler(call))))
}

/// Serves one page.
pub async fn serve(
    shared: Arc<Shared>,
    route: &Route,
    handler: &PageHandler,
    params: Vec<(String, String)>,
    parts: Parts,
    body: Body,
    facts: Facts,
) -> Response {
    let (mut call, unsure) = frame(&shared, params, &parts, facts).await;
    // Most of the answers there lead elsewhere at once, and show nobody's name.
    if route.path != sign_on::AUTHORIZE {
        call.greet().await;
    }
    let shown = call.clone();
    // What is waited for is bound to the browser that asked: it is given a word to be known by.
    let known_by = call.browser.1.then(|| principal::browser_cookie(&call.shared, &call.browser.0)).flatten();
    let known_by = known_by.filter(|_| matches!(route.action, Action::SignIn | Action::ManageAccount));
    // Nobody is told to sign in because the store does not answer.
    if let Some(failure) = unsure.filter(|_| !route.action.is_public()) {
        return errors::show(&shown, failure, &parts.headers);
    }
    match run(route, handler, call, &parts, body).await {
        Ok(page) => match known_by {
            Some(cookie) => page.with(header::SET_COOKIE, cookie).respond(),
            None => page.respond(),
        },
        Err(failure) => errors::show(&shown, failure, &parts.headers),
    }
}

/// Everything about the request but what was sent. When the store cannot tell who asks, nobody does, and
/// why is told beside.
async fn frame(shared: &Arc<Shared>, params: Vec<(String, String)>, parts: &Parts, facts: Facts) -> (PageCall, Option<Failure>) {
    let now = shared.now();
    let cookies = cookies(&parts.headers);
    let raw_query = parts.uri.query().unwrap_or_default();
    let mut call = PageCall {
        words: page::words(&parts.headers, &cookies),
        flash: page::flash(&cookies),
        shared: Arc::clone(shared),
        facts,
        principal: octroi_domain::policy::Principal::Anonymous,
        session: None,
        me: None,
        now,
        address: peer(parts),
        agent: crate::headers::agent(&parts.headers),
        browser: match principal::browser(shared, &parts.headers) {
            Some(word) => (word.to_owned(), false),
            // Without a word nothing can be waited for, which the operation says.
            None => (octroi_oauth::secret::random_word().unwrap_or_default(), true),
        },
        params,
        query: Form::parse(raw_query.as_bytes()).unwrap_or_default(),
        form: Form::default(),
        raw_query: raw_query.to_owned(),
        cookies,
        posted: parts.method == Method::POST,
        from_here: parts.headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin"),
        sent: [0; 32],
    };
    let unsure = match principal::reader(shared, &parts.headers, now).await {
        Ok(who) => {
            call.principal = who.principal;
            call.session = who.session;
            None
        }
        Err(failure) => Some(failure),
    };
    (call, unsure)
}

async fn run(route: &Route, handler: &PageHandler, mut call: PageCall, parts: &Parts, body: Body) -> PageAnswer {
    if route.method == Method::GET {
        if call.session.is_none() && !route.action.is_public() {
            return Ok(session::ask(&call));
        }
        admit(&call.principal, route.action)?;
        return guarded(route, handler, call).await;
    }
    principal::check_origin(&call.shared.origin, &parts.headers)?;
    let (form, bytes) = Form::read(body, &parts.headers).await?;
    call.form = form;
    call.sent = Sha256Hash::of(&bytes).0;
    // The session ended, or is another one than that of the form: nothing that was typed is lost.
    let mine = match &call.session {
        Some(session) => session.owns(call.form.get("_csrf").unwrap_or_default()),
        None => route.action.is_public(),
    };
    if !mine && route.action != Action::SignIn && route.action != Action::ChooseLanguage {
        return session::resume(&call).await;
    }
    admit(&call.principal, route.action)?;
    guarded(route, handler, call).await
}

/// Where a second factor is missing, or the last proof is too long ago, that comes first; and then this, with all that was sent.
async fn guarded(route: &Route, handler: &PageHandler, call: PageCall) -> PageAnswer {
    let held_back = call.lacks_second_factor();
    let own = matches!(route.action, Action::ManageAccount | Action::SignOut)
        || call.facts.path.starts_with("/account")
        || call.facts.path.starts_with("/sign-in");
    if held_back && !own && !route.action.is_public() {
        return second_factor::first(&call).await;
    }
    let kept = call.clone();
    match handler(call).await {
        Err(Failure::Operation(Error::SignInAgain)) => second_factor::again_first(&kept).await,
        Err(Failure::Operation(Error::SecondFactor)) => second_factor::first(&kept).await,
        answer => answer,
    }
}

fn cookies(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .take(50)
        .collect()
}

/// A problem outside any page, for who reads HTML.
pub async fn problem_page(shared: &Arc<Shared>, parts: &Parts, facts: Facts, problem: Problem) -> Response {
    let (mut call, _) = frame(shared, Vec::new(), parts, facts).await;
    call.greet().await;
    errors::show(&call, Failure::from(problem), &parts.headers)
}

/// Is the reader a browser that went to a page?
pub fn wants_page(parts: &Parts) -> bool {
    let path = parts.uri.path();
    let program = ["/api/", "/oauth/", "/.well-known/"].iter().any(|start| path.starts_with(start));
    let accepts = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    !program && accepts.contains("text/html")
}
