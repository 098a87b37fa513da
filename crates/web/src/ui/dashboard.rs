//! `/dashboard`: what waits for the reader first, then what is theirs; and the lists of both.

use askama::Template;
use octroi_app::{
    dashboard::{Dashboard, EXPIRES_SOON_DAYS, MessagesWaiting},
    query::{PermitFilter, RequestFilter},
    view::{ApplicationView, PermitLine, RequestLine},
};
use octroi_domain::{Id, organization::Organization, policy::Principal};

use super::{
    kit::{Alert, ButtonLink, Cell, Column, Field, Figure, Figures, Filters, Link, Pages, Table, Tag, Tone},
    organizations,
    page::{PageAnswer, PageCall, Shell},
    permit, request,
    words::Words,
};

const ROWS: u32 = 25;

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    shell: Shell,
    /// Nothing at all yet.
    welcome: Option<Alert>,
    waiting: Vec<Table>,
    nothing_waits: bool,
    review: Option<Review>,
    start: ButtonLink,
    /// None: a reviewer who applies for nothing.
    own: Option<Own>,
}

/// What is the reader's own.
struct Own {
    requests: Table,
    all_requests: Link,
    permits: Table,
    all_permits: Link,
    applications: Table,
}

struct Review {
    figures: Figures,
    oldest: Table,
    messages: Option<Table>,
}

#[derive(Template)]
#[template(path = "my_list.html")]
struct ListPage {
    shell: Shell,
    filters: Filters,
    table: Table,
    pages: Pages,
    more: Option<ButtonLink>,
}

fn requests(w: Words, caption: String, lines: &[RequestLine], empty: String) -> Table {
    let row = |line: &RequestLine| {
        vec![
            Cell::link(
                format!("/access-requests/{}", line.id),
                w.of("request-line").with("id", line.id.clone()).with("title", line.title.clone()),
            ),
            Cell::Tag(request::state(w, &line.state)),
            Cell::text(line.applicant.clone()),
            Cell::When(w.when(&line.updated_at)),
        ]
    };
    Table {
        caption,
        columns: vec![
            Column::text(w.of("request-column")),
            Column::text(w.of("request-state")),
            Column::text(w.of("request-applicant")),
            Column::text(w.of("request-updated")),
        ],
        rows: lines.iter().map(row).collect(),
        empty,
    }
}

fn permits(w: Words, caption: String, lines: &[PermitLine], empty: String) -> Table {
    let row = |line: &PermitLine| {
        vec![
            Cell::link(format!("/permits/{}", line.id), w.of("request-line").with("id", line.id.clone()).with("title", line.title.clone())),
            Cell::Tag(permit::state(w, &line.state)),
            Cell::text(line.organization.name.clone()),
            Cell::text(match (line.state.as_str(), &line.expires_at) {
                ("active" | "suspended", Some(end)) => w.date(end),
                ("active" | "suspended", None) => w.of("permit-no-end").into(),
                _ => line.stopped_at.as_ref().map(|at| w.date(at)).unwrap_or_default(),
            }),
        ]
    };
    Table {
        caption,
        columns: vec![
            Column::text(w.of("permit-column")),
            Column::text(w.of("request-state")),
            Column::text(w.of("request-organization")),
            Column::text(w.of("permit-until")),
        ],
        rows: lines.iter().map(row).collect(),
        empty,
    }
}

/// Permits whose calls are refused, with what can be done.
fn stopped(w: Words, lines: &[PermitLine]) -> Table {
    let row = |line: &PermitLine| {
        let at = line.stopped_at.as_ref().map_or_else(|| Cell::text(w.of("none")), |at| Cell::When(w.when(at)));
        let next = if line.state == "suspended" {
            Cell::link(format!("/permits/{}", line.id), w.of("permit-see-why").with("permit", line.id.clone()))
        } else {
            Cell::link(format!("/start/{}", line.definition), w.of("permit-ask-again"))
        };
        vec![
            Cell::link(format!("/permits/{}", line.id), w.of("request-line").with("id", line.id.clone()).with("title", line.title.clone())),
            Cell::Tag(permit::state(w, &line.state)),
            at,
            next,
        ]
    };
    Table {
        caption: w.of("waiting-stopped").into(),
        columns: vec![
            Column::text(w.of("permit-column")),
            Column::text(w.of("request-state")),
            Column::text(w.of("permit-since")),
            Column::text(w.of("permit-next")),
        ],
        rows: lines.iter().map(row).collect(),
        empty: String::new(),
    }
}

fn messages(w: Words, lines: &[MessagesWaiting]) -> Table {
    let row = |line: &MessagesWaiting| {
        vec![
            Cell::link(
                format!("/access-requests/{}#messages", line.request),
                w.of("request-line").with("id", line.request.clone()).with("title", line.title.clone()),
            ),
            Cell::text(line.organization.clone()),
            Cell::text(w.number(i64::try_from(line.messages).unwrap_or(i64::MAX))),
            Cell::When(w.when(&line.at)),
        ]
    };
    Table {
        caption: w.of("waiting-messages").into(),
        columns: vec![
            Column::text(w.of("request-column")),
            Column::text(w.of("request-organization")),
            Column::number(w.of("messages-count")),
            Column::text(w.of("messages-latest")),
        ],
        rows: lines.iter().map(row).collect(),
        empty: String::new(),
    }
}

fn applications(w: Words, lines: &[ApplicationView]) -> Table {
    let row = |line: &ApplicationView| {
        let good = line.state == "active";
        let state = if good { w.of("application-active") } else { w.of("application-stopped") };
        vec![
            Cell::link(format!("/applications/{}", line.id), line.name.clone()),
            Cell::text(w.one_of("stage", &line.stage)),
            Cell::Tag(Tag::new(if good { Tone::Good } else { Tone::Warning }, state)),
        ]
    };
    Table {
        caption: w.of("my-applications-list").into(),
        columns: vec![Column::text(w.of("application-column")), Column::text(w.of("request-stage")), Column::text(w.of("request-state"))],
        rows: lines.iter().map(row).collect(),
        empty: w.of("my-applications-none").into(),
    }
}

/// What waits, the most pressing first; nothing that is empty.
fn waiting(w: Words, dashboard: &Dashboard) -> Vec<Table> {
    let held = &dashboard.for_applicant;
    let none = String::new;
    let tables = [
        requests(w, w.of("waiting-changes").into(), &held.changes_requested, none()),
        messages(w, &held.messages),
        stopped(w, &held.stopped),
        permits(w, w.of("waiting-expiring").with("days", EXPIRES_SOON_DAYS).into(), &held.expiring, none()),
        requests(w, w.of("waiting-drafts").into(), &held.drafts, none()),
        permits(w, w.of("waiting-unused").into(), &held.unused, none()),
    ];
    tables.into_iter().filter(|table| !table.rows.is_empty()).collect()
}

fn review(w: Words, dashboard: &Dashboard) -> Option<Review> {
    let held = dashboard.for_reviewer.as_ref()?;
    let row = |line: &RequestLine| {
        let words = w.of("request-line").with("id", line.id.clone()).with("title", line.title.clone());
        let since = line.submitted_at.as_deref().unwrap_or(&line.updated_at);
        vec![
            Cell::link(format!("/access-requests/{}/review", line.id), words),
            Cell::text(line.organization.name.clone()),
            Cell::When(w.when(since)),
        ]
    };
    let submitted = i64::try_from(held.submitted).unwrap_or(i64::MAX);
    Some(Review {
        figures: Figures {
            figures: vec![Figure {
                value: w.number(submitted),
                name: w.of("review-waiting").with("count", submitted).into(),
                href: Some("/review".into()),
            }],
        },
        oldest: Table {
            caption: w.of("review-oldest").into(),
            columns: vec![
                Column::text(w.of("request-column")),
                Column::text(w.of("request-organization")),
                Column::text(w.of("review-since")),
            ],
            rows: held.oldest.iter().take(10).map(row).collect(),
            empty: w.of("review-none").into(),
        },
        messages: (!held.messages.is_empty()).then(|| messages(w, &held.messages)),
    })
}

/// `GET /dashboard`
pub async fn show(call: PageCall) -> PageAnswer {
    let w = call.words;
    let held = call.app().dashboard(&call.context()).await?;
    let waiting = waiting(w, &held);
    let review = review(w, &held);
    let roles = call.me.as_ref().is_some_and(|me| !me.roles.is_empty());
    let empty = held.requests.items.is_empty() && held.permits.items.is_empty();
    let alone = call.me.as_ref().is_some_and(|me| me.organizations.is_empty());
    let welcome = Alert::new(Tone::Info, w.of("dashboard-welcome"), w.of("dashboard-welcome-text"));
    let welcome = if alone && !roles { organizations::none_yet(&call, "/dashboard").await? } else { welcome };
    let start = ButtonLink::new("/start", w.of("dashboard-start"));
    let page = DashboardPage {
        welcome: ((empty || alone) && !roles).then_some(welcome),
        nothing_waits: waiting.is_empty() && review.is_none(),
        waiting,
        review,
        start: if alone { start.secondary() } else { start },
        own: (!(empty && roles)).then(|| Own {
            requests: requests(w, w.of("my-requests-latest").into(), &held.requests.items, w.of("my-requests-none").into()),
            all_requests: Link::new("/access-requests", w.of("my-requests-all")),
            permits: permits(w, w.of("my-permits-latest").into(), &held.permits.items, w.of("my-permits-none").into()),
            all_permits: Link::new("/permits", w.of("my-permits-all")),
            applications: applications(w, &held.applications.items),
        }),
        shell: call.shell(w.of("menu-dashboard")),
    };
    call.render(&page)
}

/// The organisations whose matters the person sees.
fn seen(call: &PageCall) -> Vec<Id<Organization>> {
    let Principal::Person(person) = &call.principal else { return Vec::new() };
    person.memberships.iter().map(|(id, _)| *id).filter(|id| person.is_verified_member(*id)).collect()
}

fn filters(call: &PageCall, label: String, fields: Vec<Field>) -> Filters {
    let w = call.words;
    let used = !call.raw_query.is_empty();
    Filters {
        label,
        action: call.facts.path.clone(),
        fields,
        submit: w.of("list-search").into(),
        reset: used.then(|| Link::new(call.facts.path.clone(), w.of("list-reset"))),
        found: String::new(),
    }
}

fn pages(call: &PageCall, next: Option<&str>) -> Pages {
    let w = call.words;
    Pages {
        label: w.of("list-pages").into(),
        first: call.query.has("cursor").then(|| Link::new(call.here_with(&[]), w.of("list-first"))),
        next: next.map(|next| Link::new(call.here_with(&[("cursor", next)]), w.of("list-next"))),
    }
}

fn states(w: Words, family: &'static str, names: &[&str]) -> Vec<(String, String)> {
    let any = (String::new(), w.of("list-any").into());
    let phrase = |name: &&str| {
        let words = if family == "permit-state" { w.one_of("permit-state", name) } else { w.one_of("request-state", name) };
        ((*name).to_owned(), words.into())
    };
    std::iter::once(any).chain(names.iter().map(phrase)).collect()
}

/// `GET /access-requests`: those of the person's organisations, or their own.
pub async fn my_requests(call: PageCall) -> PageAnswer {
    let w = call.words;
    let mut filter = RequestFilter { text: call.query.some("q"), organizations: seen(&call), ..RequestFilter::new() };
    let mine = call.query.text("who") == "me" || filter.organizations.is_empty();
    if let (Principal::Person(person), true) = (&call.principal, mine) {
        filter.applicant = Some(person.user);
        filter.organizations.clear();
    }
    let wanted = call.query.text("state").to_owned();
    filter.states.extend(octroi_domain::access_request::State::ALL.into_iter().filter(|state| state.as_str() == wanted));
    let found = call.app().list_requests(&call.context(), filter, call.page(ROWS)).await?;
    let names = octroi_domain::access_request::State::ALL.map(octroi_domain::access_request::State::as_str);
    let who = vec![("".to_owned(), w.of("list-organization").to_string()), ("me".to_owned(), w.of("list-me").to_string())];
    let fields = vec![
        Field::line("q", w.of("list-words"), call.query.text("q")).kind("search", "off"),
        Field::select("state", w.of("request-state"), states(w, "request-state", &names), wanted),
        Field::select("who", w.of("list-who"), who, call.query.text("who")),
    ];
    let page = ListPage {
        filters: filters(&call, w.of("my-requests").into(), fields),
        table: requests(w, w.of("my-requests-latest").into(), &found.items, w.of("my-requests-none").into()),
        pages: pages(&call, found.next.as_deref()),
        more: Some(ButtonLink::new("/start", w.of("dashboard-start"))),
        shell: call.shell(w.of("my-requests")).under(vec![Link::new("/dashboard", w.of("menu-dashboard"))]),
    };
    call.render(&page)
}

/// `GET /permits`: those of the person's organisations, or their own.
pub async fn my_permits(call: PageCall) -> PageAnswer {
    use octroi_domain::feed::PermitStatus::{Active, Expired, Revoked, Superseded, Suspended};
    let w = call.words;
    let mut filter = PermitFilter { text: call.query.some("q"), organizations: seen(&call), ..PermitFilter::new() };
    if let (Principal::Person(person), true) = (&call.principal, filter.organizations.is_empty()) {
        filter.applicant = Some(person.user);
    }
    let all = [Active, Suspended, Superseded, Revoked, Expired];
    let wanted = call.query.text("state").to_owned();
    filter.statuses.extend(all.into_iter().filter(|status| status.as_str() == wanted));
    let found = call.app().list_permits(&call.context(), filter, call.page(ROWS)).await?;
    let fields = vec![
        Field::line("q", w.of("list-words"), call.query.text("q")).kind("search", "off"),
        Field::select("state", w.of("request-state"), states(w, "permit-state", &all.map(|status| status.as_str())), wanted),
    ];
    let page = ListPage {
        filters: filters(&call, w.of("my-permits").into(), fields),
        table: permits(w, w.of("my-permits-latest").into(), &found.items, w.of("my-permits-none").into()),
        pages: pages(&call, found.next.as_deref()),
        more: None,
        shell: call.shell(w.of("my-permits")).under(vec![Link::new("/dashboard", w.of("menu-dashboard"))]),
    };
    call.render(&page)
}
