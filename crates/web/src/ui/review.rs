//! The reviewers' lists: requests and permits of the definitions that one reads by a role.

use askama::Template;
use octroi_app::{
    Error,
    people::ManagedDefinition,
    query::{PermitFilter, PermitSort, RequestFilter, RequestSort},
    view::{List, PermitLine, RequestLine, StateCounts},
};
use octroi_domain::{Slug, access_request::State, feed::PermitStatus, policy::Forbidden, user::Role};

use super::{
    form::Form,
    kit::{Cell, Column, Field, Filters, Link, Options, Pages, Table, Tabs, Tag, Tone},
    page::{PageAnswer, PageCall, Shell},
    words::{Phrase, Words},
};
use crate::problem::Failure;

/// Rows of one page.
const ROWS: u32 = 25;
/// Where the choices of the list of requests are remembered; what was searched for is not.
const REMEMBERED: &str = "octroi_review";
const STATES: [State; 6] = [State::Submitted, State::ChangesRequested, State::Approved, State::Refused, State::Draft, State::Archived];
const STATUSES: [PermitStatus; 5] =
    [PermitStatus::Active, PermitStatus::Suspended, PermitStatus::Superseded, PermitStatus::Revoked, PermitStatus::Expired];

#[derive(Template)]
#[template(path = "review_list.html")]
struct ReviewListPage {
    shell: Shell,
    /// The other list.
    other: Link,
    states: Tabs,
    filters: Filters,
    table: Table,
    pages: Pages,
}

/// What the list of requests was narrowed to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choices {
    /// None: every state.
    pub state: Option<State>,
    pub definition: Option<Slug>,
    pub sort: RequestSort,
    pub words: Option<String>,
}

impl Choices {
    /// Of the address; where it says nothing, of the last visit; else what waits, the longest first.
    pub fn of(call: &PageCall) -> Self {
        if call.query.has("state") {
            return Self::read(&call.query);
        }
        let kept = call.remembered(REMEMBERED).and_then(|text| Form::parse(text.as_bytes()).ok()).filter(|form| form.has("state"));
        let before = kept.map_or_else(
            || Self { state: Some(State::Submitted), sort: RequestSort::Submitted, ..Self::default() },
            |form| Self::read(&form),
        );
        Self { words: call.query.some("q"), ..before }
    }

    /// A value that is none of ours narrows nothing.
    fn read(form: &Form) -> Self {
        Self {
            state: STATES.into_iter().find(|state| state.as_str() == form.text("state")),
            definition: form.text("definition").parse().ok(),
            sort: form.text("sort").parse().unwrap_or_default(),
            words: form.some("q"),
        }
    }

    fn pairs(&self) -> [(&'static str, String); 3] {
        [
            ("state", self.state.map_or("all", State::as_str).to_owned()),
            ("definition", self.definition.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("sort", self.sort.as_str().to_owned()),
        ]
    }

    /// What a cookie keeps.
    fn kept(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.pairs()).finish()
    }

    fn href(&self) -> String {
        let words = self.words.iter().map(|words| ("q", words.clone()));
        format!("/review?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(self.pairs().into_iter().chain(words)).finish())
    }

    /// Within the definitions that one reads by a role: one's own requests stand elsewhere.
    pub fn filter(&self, mine: &[ManagedDefinition]) -> RequestFilter {
        let mut filter = RequestFilter::new();
        filter.states.extend(self.state);
        filter.definitions = within(mine, self.definition.as_ref());
        filter.text.clone_from(&self.words);
        filter.sort = self.sort;
        filter
    }
}

/// The definition that was chosen, if it is one's own; else all of one's own.
fn within(mine: &[ManagedDefinition], chosen: Option<&Slug>) -> Vec<Slug> {
    let all: Vec<Slug> = mine.iter().filter_map(|definition| definition.slug.parse().ok()).collect();
    chosen.filter(|chosen| all.contains(chosen)).map_or_else(|| all.clone(), |chosen| vec![chosen.clone()])
}

/// The definitions that one reads by a role.
///
/// # Errors
/// 403 when there is none.
pub async fn mine(call: &PageCall) -> Result<Vec<ManagedDefinition>, Failure> {
    let mine = call.app().reviewed_definitions(&call.context()).await?;
    if mine.is_empty() { Err(Error::Forbidden(Forbidden::RoleMissing).into()) } else { Ok(mine) }
}

pub fn request_tag(w: Words, state: &str) -> Tag {
    let tone = match state {
        "submitted" => Tone::Info,
        "changes_requested" => Tone::Warning,
        "approved" => Tone::Good,
        "refused" => Tone::Bad,
        _ => Tone::Neutral,
    };
    Tag::new(tone, w.one_of("request-state", state))
}

pub fn permit_tag(w: Words, state: &str) -> Tag {
    let tone = match state {
        "active" => Tone::Good,
        "suspended" => Tone::Warning,
        "revoked" => Tone::Bad,
        _ => Tone::Neutral,
    };
    Tag::new(tone, w.one_of("permit-state", state))
}

/// `Ville de Paris, 217 500 016 00019`.
pub fn organization(name: &str, siret: &str) -> String {
    format!("{name}, {}", spaced(siret))
}

/// A SIRET as it is written: the SIREN by threes, then the establishment.
pub fn spaced(siret: &str) -> String {
    let cuts = [0, 3, 6, 9, siret.len()];
    let parts = cuts.iter().zip(cuts.iter().skip(1)).filter_map(|(from, to)| siret.get(*from..*to));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\u{a0}")
}

fn name(w: Words, mine: &[ManagedDefinition], slug: &str) -> String {
    mine.iter().find(|definition| definition.slug == slug).map_or_else(|| slug.to_owned(), |definition| w.text(&definition.name))
}

fn definitions(w: Words, mine: &[ManagedDefinition], chosen: Option<&Slug>) -> Field {
    let all = (String::new(), w.of("review-all-definitions").to_string());
    let options: Options =
        std::iter::once(all).chain(mine.iter().map(|definition| (definition.slug.clone(), w.text(&definition.name)))).collect();
    Field::select("definition", w.of("review-definition"), options, chosen.map(ToString::to_string).unwrap_or_default())
}

/// One tab for each state, with its count; the first is all of them.
fn tabs(label: String, all: Link, counts: &StateCounts, current: Option<&str>, tab: impl Fn(&str, u64) -> Link, order: &[&str]) -> Tabs {
    let count = |state: &str| counts.states.iter().find(|found| found.state == state).map_or(0, |found| found.count);
    let tabs: Vec<Link> = order.iter().map(|state| tab(state, count(state))).chain([all]).collect();
    let place = current.and_then(|current| order.iter().position(|state| *state == current)).unwrap_or(order.len());
    Tabs { label, tabs, current: place }
}

fn next_page(call: &PageCall, here: &str, next: Option<&str>) -> Pages {
    let w = call.words;
    let cursor = |cursor: &str| {
        let text = form_urlencoded::Serializer::new(String::new()).append_pair("cursor", cursor).finish();
        Link::new(format!("{here}&{text}"), w.of("review-next-page"))
    };
    Pages {
        label: w.of("review-pages").into(),
        first: call.query.has("cursor").then(|| Link::new(here, w.of("review-first-page"))),
        next: next.map(cursor),
    }
}

/// `GET /review`
pub async fn requests(call: PageCall) -> PageAnswer {
    let mine = mine(&call).await?;
    let choices = Choices::of(&call);
    let (app, context) = (call.app(), call.context());
    let counts = app.count_requests_by_state(&context, choices.filter(&mine)).await?;
    let found = app.list_requests(&context, choices.filter(&mine), call.page(ROWS)).await?;
    let w = call.words;
    let tab = |state: &str, count: u64| {
        let there = Choices { state: STATES.into_iter().find(|found| found.as_str() == state), ..choices.clone() };
        Link::new(there.href(), format!("{} ({})", w.one_of("request-state", state), w.number(count)))
    };
    let all =
        Link::new(Choices { state: None, ..choices.clone() }.href(), format!("{} ({})", w.of("review-all-states"), w.number(counts.total)));
    let order: Vec<&str> = STATES.iter().map(|state| state.as_str()).collect();
    let page = ReviewListPage {
        other: Link::new("/review/permits", w.of("review-permits-title")),
        states: tabs(w.of("review-states").into(), all, &counts, choices.state.map(State::as_str), tab, &order),
        filters: request_filters(w, &choices, &mine),
        table: request_table(w, &choices, &mine, &found),
        pages: next_page(&call, &choices.href(), found.next.as_deref()),
        shell: call.shell(w.of("review-title")),
    };
    Ok(call.render(&page)?.remember(REMEMBERED, &choices.kept()))
}

fn request_filters(w: Words, choices: &Choices, mine: &[ManagedDefinition]) -> Filters {
    let sort = |sort: &RequestSort| (sort.as_str().to_owned(), w.one_of("review-sort", sort.as_str()).to_string());
    let state = |state: &State| (state.as_str().to_owned(), w.one_of("request-state", state.as_str()).to_string());
    let all = ("all".to_owned(), w.of("review-all-states").to_string());
    let narrowed = choices.words.is_some() || choices.definition.is_some();
    let whole = Choices { words: None, definition: None, ..choices.clone() };
    Filters {
        label: w.of("review-search").into(),
        action: "/review".to_owned(),
        fields: vec![
            Field::line("q", w.of("review-words"), choices.words.clone().unwrap_or_default())
                .kind("search", "off")
                .hint(w.of("review-words-hint")),
            Field::select(
                "state",
                w.of("review-state"),
                STATES.iter().map(state).chain([all]).collect(),
                choices.state.map_or("all", State::as_str),
            ),
            definitions(w, mine, choices.definition.as_ref()),
            Field::select(
                "sort",
                w.of("review-sort"),
                [RequestSort::Submitted, RequestSort::Changed, RequestSort::Created].iter().map(sort).collect(),
                choices.sort.as_str(),
            ),
        ],
        submit: w.of("review-submit").into(),
        reset: narrowed.then(|| Link::new(whole.href(), w.of("review-reset"))),
        found: String::new(),
    }
}

fn request_table(w: Words, choices: &Choices, mine: &[ManagedDefinition], found: &List<RequestLine>) -> Table {
    let words = choices.words.as_ref().map(|words| form_urlencoded::Serializer::new(String::new()).append_pair("q", words).finish());
    let row = |line: &RequestLine| {
        let href = format!("/access-requests/{}/review{}", line.id, words.as_ref().map(|words| format!("?{words}")).unwrap_or_default());
        vec![
            Cell::link(href, format!("{} · {}", line.id, line.title)),
            Cell::text(organization(&line.organization.name, &line.organization.siret)),
            Cell::text(&line.applicant),
            Cell::text(name(w, mine, &line.definition)),
            Cell::Tags(request_tags(w, line)),
            Cell::text(line.submitted_at.as_deref().map_or_else(|| w.of("review-not-submitted").into(), |at| w.date(at))),
            Cell::text(w.date(&line.updated_at)),
        ]
    };
    Table {
        caption: w.of("review-title").into(),
        columns: [
            w.of("review-request"),
            w.of("review-organization"),
            w.of("review-applicant"),
            w.of("review-definition"),
            w.of("review-state"),
            w.of("review-submitted"),
            w.of("review-changed"),
        ]
        .map(Column::text)
        .into(),
        rows: found.items.iter().map(row).collect(),
        empty: if choices.words.is_some() { w.of("review-empty-search") } else { w.of("review-empty") }.into(),
    }
}

/// Its state, and what kind of request it is when it is not a first one.
fn request_tags(w: Words, line: &RequestLine) -> Vec<Tag> {
    let mut tags = vec![request_tag(w, &line.state)];
    if line.kind != "initial" {
        tags.push(Tag::new(Tone::Neutral, w.one_of("review-kind", &line.kind)));
    }
    tags.extend(line.stage.as_ref().map(|stage| Tag::new(Tone::Neutral, w.one_of("stage", stage))));
    tags
}

/// `GET /review/permits`
pub async fn permits(call: PageCall) -> PageAnswer {
    let mine = mine(&call).await?;
    let chosen: Option<Slug> = call.query.text("definition").parse().ok();
    let status = match call.query.get("state") {
        None => Some(PermitStatus::Active),
        Some(text) => STATUSES.into_iter().find(|status| status.as_str() == text),
    };
    let sort: PermitSort = call.query.text("sort").parse().unwrap_or_default();
    let words = call.query.some("q");
    let filter = || {
        let mut filter = PermitFilter::new();
        filter.statuses.extend(status);
        filter.definitions = within(&mine, chosen.as_ref());
        filter.text.clone_from(&words);
        filter.sort = sort;
        filter
    };
    let (app, context) = (call.app(), call.context());
    let counts = app.count_permits_by_state(&context, filter()).await?;
    let found = app.list_permits(&context, filter(), call.page(ROWS)).await?;
    let w = call.words;
    let tab = |state: &str, count: u64| {
        Link::new(call.here_with(&[("state", state)]), format!("{} ({})", w.one_of("permit-state", state), w.number(count)))
    };
    let all = Link::new(call.here_with(&[("state", "all")]), format!("{} ({})", w.of("review-all-states"), w.number(counts.total)));
    let order: Vec<&str> = STATUSES.iter().map(|status| status.as_str()).collect();
    let here = call.here_with(&[("state", status.map_or("all", PermitStatus::as_str))]);
    let page = ReviewListPage {
        other: Link::new("/review", w.of("review-title")),
        states: tabs(w.of("review-states").into(), all, &counts, status.map(PermitStatus::as_str), tab, &order),
        filters: permit_filters(w, words.as_deref(), status, chosen.as_ref(), sort, &mine),
        table: permit_table(&call, &mine, &found),
        pages: next_page(&call, &here, found.next.as_deref()),
        shell: call.shell(w.of("review-permits-title")),
    };
    call.render(&page)
}

fn permit_filters(
    w: Words,
    words: Option<&str>,
    status: Option<PermitStatus>,
    chosen: Option<&Slug>,
    sort: PermitSort,
    mine: &[ManagedDefinition],
) -> Filters {
    let state = |status: &PermitStatus| (status.as_str().to_owned(), w.one_of("permit-state", status.as_str()).to_string());
    let all = ("all".to_owned(), w.of("review-all-states").to_string());
    let by = |sort: &PermitSort| (sort.as_str().to_owned(), w.one_of("review-permit-sort", sort.as_str()).to_string());
    Filters {
        label: w.of("review-permits-search").into(),
        action: "/review/permits".to_owned(),
        fields: vec![
            Field::line("q", w.of("review-words"), words.unwrap_or_default()).kind("search", "off").hint(w.of("review-permits-words-hint")),
            Field::select(
                "state",
                w.of("review-state"),
                STATUSES.iter().map(state).chain([all]).collect(),
                status.map_or("all", PermitStatus::as_str),
            ),
            definitions(w, mine, chosen),
            Field::select("sort", w.of("review-sort"), [PermitSort::Granted, PermitSort::Expires].iter().map(by).collect(), sort.as_str()),
        ],
        submit: w.of("review-submit").into(),
        reset: (words.is_some() || chosen.is_some()).then(|| Link::new("/review/permits", w.of("review-reset"))),
        found: String::new(),
    }
}

/// Does whoever reads decide on permits of this definition?
fn decides(call: &PageCall, line: &PermitLine) -> bool {
    let (Ok(definition), Ok(provider)) = (line.definition.parse(), line.provider.parse()) else { return false };
    call.principal.person().is_some_and(|person| person.for_definition(Role::decides, &definition, &provider))
}

/// What can be done with a permit, each on its page.
fn moves(w: Words, line: &PermitLine) -> Vec<Link> {
    let link = |path: &str, words: Phrase| Link::new(format!("/permits/{}/{path}", line.id), words.with("id", line.id.clone()));
    match line.state.as_str() {
        "active" => vec![link("suspend", w.of("permit-suspend-of")), link("revoke", w.of("permit-revoke-of"))],
        "suspended" => vec![link("resume", w.of("permit-resume-of")), link("revoke", w.of("permit-revoke-of"))],
        _ => Vec::new(),
    }
}

fn permit_table(call: &PageCall, mine: &[ManagedDefinition], found: &List<PermitLine>) -> Table {
    let w = call.words;
    let row = |line: &PermitLine| {
        vec![
            Cell::link(format!("/permits/{}", line.id), format!("{} · {}", line.id, line.title)),
            Cell::text(organization(&line.organization.name, &line.organization.siret)),
            Cell::text(name(w, mine, &line.definition)),
            Cell::Tag(permit_tag(w, &line.state)),
            Cell::text(w.date(&line.granted_at)),
            Cell::text(line.expires_at.as_ref().map_or_else(|| w.of("review-no-end").to_string(), |at| w.date(at))),
            Cell::Links(if decides(call, line) { moves(w, line) } else { Vec::new() }),
        ]
    };
    Table {
        caption: w.of("review-permits-title").into(),
        columns: [
            w.of("review-permit"),
            w.of("review-organization"),
            w.of("review-definition"),
            w.of("review-state"),
            w.of("review-granted"),
            w.of("review-expires"),
            w.of("review-actions"),
        ]
        .map(Column::text)
        .into(),
        rows: found.items.iter().map(row).collect(),
        empty: w.of("review-permits-empty").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_survive_a_cookie() {
        let choices =
            Choices { state: Some(State::ChangesRequested), definition: "canteen".parse().ok(), sort: RequestSort::Created, words: None };
        assert_eq!(Choices::read(&Form::parse(choices.kept().as_bytes()).unwrap()), choices);
        let all = Choices { state: None, ..choices };
        assert_eq!(Choices::read(&Form::parse(all.kept().as_bytes()).unwrap()), all);
        // What is none of ours narrows nothing.
        let odd = Form::parse(b"state=%3Cb%3E&definition=%20&sort=x&q=+").unwrap();
        assert_eq!(Choices::read(&odd), Choices::default());
        assert_eq!(
            Choices { words: Some("é&b".into()), ..Choices::default() }.href(),
            "/review?state=all&definition=&sort=changed&q=%C3%A9%26b"
        );
    }

    #[test]
    fn a_siret_is_written_by_groups() {
        assert_eq!(spaced("21750001600019"), "217\u{a0}500\u{a0}016\u{a0}00019");
        assert_eq!(spaced("123"), "123");
    }
}
