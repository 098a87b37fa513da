//! One request for a page, ready for its function; and what the function answers.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use askama::Template;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use octroi_app::{
    App, Context, Error, Idempotency,
    sessions::{MeView, Visitor},
};
use octroi_domain::{Moment, canonical::Sha256Hash, policy::Principal};

use super::{
    form::Form,
    kit::{Alert, Breadcrumb, Guard, Link, Tone},
    words::{Phrase, Words},
};
use crate::{
    headers::{self, CSP_PAGE},
    principal::{self, Session},
    problem::{Facts, Failure},
    query,
    state::Shared,
};

/// What a page answers, or why it does not: an error becomes a page with a way on.
pub type PageAnswer = Result<Page, Failure>;

const FLASH: &str = "octroi_flash";
pub const LANGUAGE: &str = "octroi_lang";

/// A request for a page.
#[derive(Clone)]
pub struct PageCall {
    pub shared: Arc<Shared>,
    pub facts: Facts,
    pub principal: Principal,
    pub session: Option<Session>,
    /// Who is signed in.
    pub me: Option<MeView>,
    pub now: Moment,
    pub words: Words,
    /// The client's network address.
    pub address: String,
    /// What its browser says of itself.
    pub agent: String,
    /// The word that this browser is known by; and whether it has just been made.
    pub browser: (String, bool),
    /// What the braces of the route matched.
    pub params: Vec<(String, String)>,
    /// The query of the address; parameters that a page does not know are not looked at.
    pub query: Form,
    /// What was sent; empty for a GET.
    pub form: Form,
    /// The query as it came, without `?`.
    pub raw_query: String,
    /// Cookies that pages remember choices in.
    pub cookies: Vec<(String, String)>,
    /// Does it answer a form?
    pub posted: bool,
    /// Does the browser come from a page of ours (`Sec-Fetch-Site`)? False when it does not say.
    pub from_here: bool,
    /// The digest of what was sent.
    pub sent: [u8; 32],
    /// What the last page said of what was done.
    pub flash: Option<(String, String)>,
}

impl PageCall {
    pub fn app(&self) -> &App {
        &self.shared.web.app
    }

    /// Where somebody signs in from.
    pub fn visitor(&self) -> Visitor<'_> {
        Visitor {
            address: &self.address,
            agent: &self.agent,
            browser: Some(&self.browser.0).filter(|word| !word.is_empty()).map(String::as_str),
        }
    }

    /// Who asks, for an operation.
    pub fn context(&self) -> Context {
        let mut context = Context::new(self.principal.clone(), self.now);
        context.language = self.words.language();
        context.session = self.session.as_ref().map(|session| session.held.clone());
        context
    }

    /// Are the person's roles held back until a second factor is shown?
    pub fn lacks_second_factor(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.second_factor_required)
    }

    /// Finds out the name and the organisations of who is signed in.
    pub async fn greet(&mut self) {
        if self.session.is_some() {
            self.me = self.app().me(&self.context(), self.lacks_second_factor()).await.ok();
        }
    }

    /// The same, for something that a second click on the same form must not do again: creations.
    pub fn once(&self) -> Context {
        let mut context = self.context();
        let once = self.form.get("_once").unwrap_or_default();
        if !once.is_empty() {
            let parts = [self.principal.actor().as_str(), &self.facts.path, once].join("\n");
            let key = Sha256Hash::of(&[parts.as_bytes(), &self.sent[..]].concat()).0;
            context.idempotency = Some(Idempotency { key, request: self.sent });
        }
        context
    }

    /// What a brace of the route matched.
    ///
    /// # Errors
    /// 404 when it cannot be an id: no such thing exists.
    pub fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, Failure> {
        let text = self.params.iter().find(|(found, _)| found == name).map(|(_, text)| text.as_str());
        text.and_then(|text| text.parse().ok()).ok_or_else(|| Error::NotFound.into())
    }

    /// The cursor of the query; one that is not ours is the first page.
    pub fn page(&self, limit: u32) -> octroi_app::query::Page {
        octroi_app::query::Page::new(self.query.some("cursor").and_then(|text| text.parse().ok()), limit)
    }

    /// This page with other parameters: those of the query, without `cursor` and those named here, then these.
    pub fn here_with(&self, changes: &[(&str, &str)]) -> String {
        let kept = self
            .query
            .pairs()
            .filter(|(name, value)| *name != "cursor" && !value.is_empty() && !changes.iter().any(|(changed, _)| changed == name));
        let all = kept.chain(changes.iter().copied().filter(|(_, value)| !value.is_empty()));
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        if text.is_empty() { self.facts.path.clone() } else { format!("{}?{text}", self.facts.path) }
    }

    /// What a page remembered of an earlier visit (see [`Page::remember`]).
    pub fn remembered(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The frame of the page: its title, and all that stands around its content.
    pub fn shell(&self, title: impl Into<String>) -> Shell {
        let csrf = self.session.as_ref().map(|session| principal::csrf_token(&session.cookie)).unwrap_or_default();
        let roles: BTreeSet<String> = self.me.iter().flat_map(|me| me.roles.iter().map(|role| role.role.clone())).collect();
        let flash = self
            .flash
            .as_ref()
            .map(|(key, about)| Alert::new(Tone::Good, self.words.one_of("flash", key).with("about", about.clone()), String::new()));
        let back = if self.raw_query.is_empty() { self.facts.path.clone() } else { format!("{}?{}", self.facts.path, self.raw_query) };
        Shell {
            w: self.words,
            title: title.into(),
            site: Arc::clone(&self.shared),
            name: self.me.as_ref().and_then(|me| me.user.as_ref()).map(|user| user.name.clone()),
            menu: menu(self.words, &roles, self.me.is_some(), &self.facts.path, self.shared.web.app.settings().demo),
            breadcrumb: None,
            flash,
            csrf,
            back: (!self.posted).then_some(back),
            request_id: self.facts.request_id.clone(),
            guards: 0.into(),
        }
    }

    /// Renders a page.
    ///
    /// # Errors
    /// When the template does not render.
    pub fn render(&self, template: &impl Template) -> PageAnswer {
        let html = template.render().map_err(|error| Error::Internal(format!("a page does not render: {error}")))?;
        let mut page = Page::html(html, self.words);
        if self.flash.is_some() {
            page = page.cookie(&format!("{FLASH}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"));
        }
        Ok(page)
    }
}

/// One entry of the menu.
pub struct MenuEntry {
    pub link: Link,
    pub current: bool,
}

fn menu(w: Words, roles: &BTreeSet<String>, signed_in: bool, path: &str, demo: bool) -> Vec<MenuEntry> {
    let has = |names: &[&str]| names.iter().any(|name| roles.contains(*name));
    let entries: [(bool, &str, Phrase); 11] = [
        (signed_in, "/dashboard", w.of("menu-dashboard")),
        (has(&["reviewer", "observer", "manager"]), "/review", w.of("menu-review")),
        (has(&["api_administrator"]), "/admin/apis", w.of("menu-my-apis")),
        (has(&["manager"]), "/manage/roles", w.of("menu-manage")),
        (signed_in, "/applications", w.of("menu-applications")),
        (signed_in, "/organizations", w.of("menu-organizations")),
        (has(&["operator"]), "/operator", w.of("menu-operator")),
        (true, "/apis", w.of("menu-catalogue")),
        (true, "/register", w.of("menu-register")),
        (true, "/statistics", w.of("menu-statistics")),
        (demo, "/dev/mailbox", w.of("menu-mailbox")),
    ];
    let within = |start: &str| path == start || path.strip_prefix(start).is_some_and(|rest| rest.starts_with('/'));
    entries
        .into_iter()
        .filter(|(shown, ..)| *shown)
        .map(|(_, href, text)| MenuEntry { link: Link::new(href, text), current: within(href) })
        .collect()
}

/// What stands around the content of every page. A page's struct has it as its field `shell`, and its
/// template begins with `{% extends "base.html" %}`.
pub struct Shell {
    pub w: Words,
    pub title: String,
    site: Arc<Shared>,
    /// Of the person who is signed in.
    pub name: Option<String>,
    pub menu: Vec<MenuEntry>,
    pub breadcrumb: Option<Breadcrumb>,
    pub flash: Option<Alert>,
    csrf: String,
    /// This page, to come back to; none when it answers a form: going back there would lose what was typed.
    pub back: Option<String>,
    pub request_id: String,
    guards: AtomicU32,
}

impl Shell {
    /// What every form that changes something carries; each call makes a new one.
    pub fn guard(&self) -> Guard {
        let number = self.guards.fetch_add(1, Ordering::Relaxed);
        Guard { csrf: self.csrf.clone(), once: format!("{}-{number}", self.request_id) }
    }

    /// The way down to this page, without the page itself.
    #[must_use]
    pub fn under(self, links: Vec<Link>) -> Self {
        let breadcrumb = Breadcrumb { label: self.w.of("breadcrumb").into(), links, here: self.title.clone() };
        Self { breadcrumb: Some(breadcrumb), ..self }
    }

    pub fn site_name(&self) -> &str {
        &self.site.web.site.name
    }
    pub fn logo(&self) -> Option<String> {
        self.site.assets.logo()
    }
    pub fn style(&self) -> String {
        self.site.assets.path("portal.css")
    }
    pub fn theme(&self) -> String {
        self.site.assets.path("theme.css")
    }
    pub fn script(&self) -> String {
        self.site.assets.path("portal.js")
    }
    pub fn icon(&self) -> String {
        self.site.assets.path("icon.svg")
    }
    pub fn demo(&self) -> bool {
        self.site.web.app.settings().demo
    }
    pub const fn other_language(&self) -> &'static str {
        match self.w.language() {
            octroi_domain::text::Language::Fr => "en",
            octroi_domain::text::Language::En => "fr",
        }
    }
}

/// A page, a redirect, or a file.
#[derive(Debug)]
pub struct Page {
    status: StatusCode,
    body: Body,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Page {
    fn html(html: String, words: Words) -> Self {
        let headers = vec![
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_LANGUAGE, HeaderValue::from_static(words.code())),
            (header::VARY, HeaderValue::from_static("Accept-Language, Cookie")),
            (header::CONTENT_SECURITY_POLICY, CSP_PAGE),
            // With `no-referrer` a browser says `Origin: null` when it sends a form.
            (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        ];
        Self { status: StatusCode::OK, body: Body::from(html), headers }
    }

    /// To another page, which is then read (RFC 9110 section 15.4.4).
    pub fn to(path: impl AsRef<str>) -> Self {
        let location = HeaderValue::from_str(path.as_ref()).unwrap_or_else(|_| HeaderValue::from_static("/"));
        Self { status: StatusCode::SEE_OTHER, body: Body::empty(), headers: vec![(header::LOCATION, location)] }
    }

    /// Nothing but a status.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, body: Body::empty(), headers: Vec::new() }
    }

    /// Data for a script of ours.
    pub fn data(value: &serde_json::Value) -> Self {
        let headers = vec![
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        Self { status: StatusCode::OK, body: Body::from(value.to_string()), headers }
    }

    /// A file to keep.
    pub fn file(content_type: &'static str, name: &str, content: impl Into<Body>) -> Self {
        let safe: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')).collect();
        let mut headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{safe}\"")) {
            headers.push((header::CONTENT_DISPOSITION, value));
        }
        Self { status: StatusCode::OK, body: content.into(), headers }
    }

    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The next page says so: the word `flash-{key}`, with `$about` in it (letters, digits, `-`).
    #[must_use]
    pub fn flash(self, key: &'static str, about: &str) -> Self {
        let about: String = about.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(60).collect();
        self.cookie(&format!("{FLASH}={key}.{about}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"))
    }

    /// Remembers a choice of the person for a year. Not for anything secret. `value` is taken as far as a cookie can hold it.
    #[must_use]
    pub fn remember(self, name: &'static str, value: &str) -> Self {
        let value: String = value.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, ';' | ',' | '"' | '\\')).take(500).collect();
        self.cookie(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"))
    }

    pub(super) fn cookie(self, text: &str) -> Self {
        match HeaderValue::from_str(text) {
            Ok(value) => self.with(header::SET_COOKIE, value),
            Err(_) => self,
        }
    }

    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn respond(self) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            if name == header::SET_COOKIE {
                response.headers_mut().append(name, value);
            } else {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The language of a page: the one that was chosen, else the one that the browser prefers, else French.
pub fn words(header_map: &axum::http::HeaderMap, cookies: &[(String, String)]) -> Words {
    use octroi_domain::text::Language;
    let chosen = cookies.iter().find(|(name, _)| name == LANGUAGE).and_then(|(_, value)| match value.as_str() {
        "fr" => Some(Language::Fr),
        "en" => Some(Language::En),
        _ => None,
    });
    Words::new(chosen.unwrap_or_else(|| headers::page_language(header_map)))
}

/// What the last page wanted to be said, from its cookie.
pub fn flash(cookies: &[(String, String)]) -> Option<(String, String)> {
    let (_, text) = cookies.iter().find(|(name, _)| name == FLASH)?;
    let (key, about) = text.split_once('.')?;
    let plain = |text: &str| text.len() <= 60 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (!key.is_empty() && plain(key) && plain(about)).then(|| (key.to_owned(), about.to_owned()))
}

/// A path of ours to come back to; anything else is none. Never another site (CWE-601).
pub fn local(path: &str) -> Option<&str> {
    let plain = path.split(['?', '#']).next().unwrap_or_default();
    let good = path.len() <= 2_000
        && path.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>'))
        && query::check_path(plain).is_ok();
    good.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_gone_back_to() {
        for good in ["/", "/permits/H1", "/apis?q=a%20b&theme=x"] {
            assert_eq!(local(good), Some(good));
        }
        for bad in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "javascript:x", "/a/../b", "/<script>"] {
            assert_eq!(local(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_flash_is_a_key_and_a_plain_word() {
        let of = |value: &str| flash(&[(FLASH.to_owned(), value.to_owned())]);
        assert_eq!(of("submitted.D12"), Some(("submitted".into(), "D12".into())));
        for bad in ["", "x", ".a", "a.<b>", "a b.c"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
