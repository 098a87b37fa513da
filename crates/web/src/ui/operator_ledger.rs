//! The ledger: browsed by what, who and to what, and verified.

use octroi_app::ledger::{EntryView, LedgerQuery, VerificationView};
use serde_json::Value;

use super::{
    kit::{Alert, ButtonLink, Cell, Column, Field, Filters, Link, PostButton, Progress, Table, Tag, Tone},
    operator::{OperatorPage, Place, ROWS, Section, pages},
    page::{Page, PageAnswer, PageCall},
    words::Words,
};

/// `GET /operator/ledger`
pub async fn show(call: PageCall) -> PageAnswer {
    let (subject, actor, action) = (call.query.some("subject"), call.query.some("actor"), call.query.some("action"));
    let narrowed = subject.is_some() || actor.is_some() || action.is_some();
    let query = LedgerQuery { subject, actor, action };
    let after = call.query.text("cursor").parse::<i64>().ok().filter(|seq| *seq > 0);
    let found = call.app().list_ledger(&call.context(), query, after, ROWS).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Ledger, w.of("operator-ledger"), Vec::new());
    page.actions.push(ButtonLink::new("/operator/ledger/verifications", w.of("ledger-verify-title")).secondary());
    page.filters = Some(filters(&call, narrowed));
    page.sections = vec![Section::of_table(entries(w, &found.items))];
    page.pages = pages(&call, found.next.as_deref());
    call.render(&page)
}

/// `GET /operator/ledger/verifications`
pub async fn verifications(call: PageCall) -> PageAnswer {
    let found = call.app().list_verifications(&call.context()).await?;
    let w = call.words;
    let way = vec![Link::new("/operator/ledger", w.of("operator-ledger"))];
    let mut page = OperatorPage::new(&call, Place::Ledger, w.of("ledger-verify-title"), way);
    page.sections = vec![verification(&call, &page, &found)];
    call.render(&page)
}

fn filters(call: &PageCall, narrowed: bool) -> Filters {
    let w = call.words;
    Filters {
        label: w.of("ledger-search").into(),
        action: "/operator/ledger".to_owned(),
        fields: vec![
            Field::line("subject", w.of("ledger-subject"), call.query.text("subject")).hint(w.of("ledger-subject-hint")),
            Field::line("actor", w.of("ledger-actor"), call.query.text("actor")).hint(w.of("ledger-actor-hint")),
            Field::line("action", w.of("ledger-action"), call.query.text("action")).hint(w.of("ledger-action-hint")),
        ],
        submit: w.of("review-submit").into(),
        reset: narrowed.then(|| Link::new("/operator/ledger", w.of("review-reset"))),
        found: String::new(),
    }
}

/// The same list, narrowed to what stands here.
fn narrow(name: &str, value: &str, shown: &str) -> Cell {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    Cell::link(format!("/operator/ledger?{query}"), shown)
}

/// The facts of an entry, a line each.
fn facts(details: &Value) -> Cell {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let text = |value: &Value| match value.as_array() {
        Some(items) => items.iter().map(word).collect::<Vec<_>>().join(", "),
        None => word(value),
    };
    let facts = details.as_object().into_iter().flatten().filter(|(name, value)| *name != "event" && !value.is_null());
    Cell::Items(facts.map(|(name, value)| short(&format!("{name}: {}", text(value)))).collect())
}

fn entries(w: Words, entries: &[EntryView]) -> Table {
    let row = |entry: &EntryView| {
        vec![
            Cell::text(w.number(entry.seq)),
            Cell::When(w.when(&entry.at)),
            narrow("action", &entry.action, &entry.action),
            narrow("subject", &entry.subject, &entry.subject),
            narrow("actor", &entry.actor, entry.actor_name.as_ref().unwrap_or(&entry.actor)),
            facts(&entry.details),
        ]
    };
    Table {
        caption: w.of("operator-ledger").into(),
        columns: vec![
            Column::text(w.of("ledger-number")),
            Column::text(w.of("ledger-at")),
            Column::text(w.of("ledger-action")),
            Column::text(w.of("ledger-subject")),
            Column::text(w.of("ledger-actor")),
            Column::text(w.of("ledger-details")),
        ],
        rows: entries.iter().map(row).collect(),
        empty: w.of("ledger-none").into(),
    }
}

/// As far as a list shows it: messages are long.
fn short(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn verification(call: &PageCall, page: &OperatorPage, found: &[VerificationView]) -> Section {
    let w = call.words;
    let running = found.iter().find(|verification| verification.state == "running");
    let row = |verification: &VerificationView| {
        let tone = match verification.state.as_str() {
            "sound" => Tone::Good,
            "broken" | "failed" => Tone::Bad,
            "running" => Tone::Info,
            _ => Tone::Warning,
        };
        let read = w.of("ledger-entries-of").with("entries", verification.entries).with("total", verification.total);
        let said = match (&verification.fault, verification.fault_seq) {
            (Some(fault), Some(seq)) => w.of("ledger-fault").with("entry", seq).with("fault", fault.clone()).to_string(),
            (Some(fault), None) => fault.clone(),
            _ => verification.head.clone().unwrap_or_default(),
        };
        vec![
            Cell::When(w.when(&verification.started_at)),
            Cell::Tag(Tag::new(tone, w.one_of("verification", &verification.state))),
            Cell::text(read),
            Cell::Code(said),
        ]
    };
    let mut section = Section {
        text: w.of("ledger-verify-text").into(),
        table: Some(Table {
            caption: w.of("ledger-verifications").into(),
            columns: [w.of("ledger-started"), w.of("health-state"), w.of("ledger-read"), w.of("ledger-outcome")].map(Column::text).into(),
            rows: found.iter().map(row).collect(),
            empty: w.of("ledger-never-verified").into(),
        }),
        ..Section::default()
    };
    if let Some(running) = running {
        let percent = running.entries.saturating_mul(100).checked_div(running.total).unwrap_or(0).clamp(0, 99);
        section.progress = Some(Progress {
            id: "verification".to_owned(),
            label: w.of("ledger-verifying").into(),
            percent: u8::try_from(percent).unwrap_or(0),
        });
        section.refresh = Some(Link::new(call.here_with(&[]), w.of("ledger-refresh")));
    }
    let words = if running.is_some() { w.of("ledger-verify-running") } else { w.of("ledger-verify") };
    section.buttons.push(PostButton::new("/operator/ledger/verify", words, page.shell.guard()));
    section
}

/// `POST /operator/ledger/verify`
pub async fn verify(call: PageCall) -> PageAnswer {
    call.app().verify_ledger(&call.context()).await?;
    Ok(Page::to("/operator/ledger/verifications").flash("ledger-verifying", ""))
}

/// The latest verification, as the overview tells it.
pub fn latest(w: Words, found: &[VerificationView]) -> Option<Alert> {
    let broken = found.first().filter(|verification| verification.state == "broken")?;
    let text = broken.fault.clone().unwrap_or_default();
    Some(Alert::new(Tone::Bad, w.of("ledger-broken"), text).link("/operator/ledger/verifications", w.of("ledger-verify-title")))
}
