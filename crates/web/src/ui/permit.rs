//! A permit: what it covers, its receipt, and what can happen to it.

use askama::Template;
use octroi_app::{
    Error,
    ledger::LedgerQuery,
    permit_sheets::{PermitSheet, PermitUse},
    view::PermitStop,
};
use octroi_domain::{Number, permit::Permit, policy::Action};

use super::{
    answers::{self, Section},
    confirm::Confirm,
    kit::{Alert, ButtonLink, Cell, Column, Facts, Link, Table, Tag, Tone},
    page::{Page, PageAnswer, PageCall, Shell},
    review,
    start::created,
    words::Words,
};

type Id = Number<Permit>;

#[derive(Template)]
#[template(path = "permit.html")]
struct PermitPage {
    shell: Shell,
    notice: Option<Alert>,
    facts: Facts,
    scopes: Table,
    /// None: the reader is not of the organisation that holds it.
    uses: Option<Table>,
    ways: Vec<ButtonLink>,
    moves: Vec<Link>,
}

#[derive(Template)]
#[template(path = "permit_receipt.html")]
struct ReceiptPage {
    shell: Shell,
    facts: Facts,
    scopes: Table,
    evidence: Facts,
    sections: Vec<Section>,
}

/// The tag of a state.
pub fn state(w: Words, state: &str) -> Tag {
    let tone = match state {
        "active" => Tone::Good,
        "suspended" => Tone::Warning,
        "revoked" => Tone::Bad,
        _ => Tone::Neutral,
    };
    Tag::new(tone, w.one_of("permit-state", state))
}

/// Since when a permit opens nothing, and how it came to that.
pub fn stopped(w: Words, stop: &PermitStop) -> String {
    let by = stop.superseded_by.clone().unwrap_or_default();
    w.one_of("permit-stop", &stop.state).with("permit", stop.permit.clone()).with("by", by).with("date", w.date(&stop.at)).into()
}

/// Why the calls of a subscription are refused, where its permit is stopped.
pub fn refused(w: Words, stop: &PermitStop) -> Cell {
    let tone = if stop.for_good() { Tone::Bad } else { Tone::Warning };
    let mut lines = vec![Cell::Tag(Tag::new(tone, w.of("subscription-refused"))), Cell::text(stopped(w, stop))];
    lines.extend(stop.reason.clone().map(Cell::Typed));
    if !stop.for_good() {
        lines.push(Cell::text(w.of("permit-wait")));
    }
    Cell::Lines(lines)
}

fn facts(w: Words, sheet: &PermitSheet) -> Facts {
    let permit = &sheet.permit;
    let holder =
        w.of("organization-siret").with("name", permit.organization.name.clone()).with("siret", review::spaced(&permit.organization.siret));
    let stage = permit.stage.as_ref().map_or_else(|| w.of("permit-both-stages"), |stage| w.one_of("stage", stage));
    let until = permit.expires_at.as_ref().map_or_else(|| w.of("permit-no-end").into(), |end| w.date(end));
    let facts = Facts::default()
        .with(w.of("request-state"), Cell::Tag(state(w, &permit.state)))
        .text(w.of("permit-holder"), holder)
        .text(w.of("request-definition"), w.text(&sheet.definition.name))
        .text(w.of("permit-provider"), w.text(&sheet.provider))
        .text(w.of("request-stage"), stage)
        .text(w.of("permit-granted"), w.date(&permit.granted_at));
    // What has ended has its end, and no other one.
    let facts = match &permit.stopped_at {
        Some(at) => facts.text(w.one_of("permit-stopped", &permit.state), w.date(at)),
        None => facts,
    };
    let facts = match &permit.reason {
        Some(reason) => facts.with(w.of("permit-why"), Cell::Typed(reason.clone())),
        None => facts,
    };
    let facts = if matches!(permit.state.as_str(), "active" | "suspended") { facts.text(w.of("permit-until"), until) } else { facts };
    facts.with(w.of("permit-request"), Cell::link(format!("/access-requests/{}", permit.request), permit.request.clone()))
}

fn scopes(w: Words, sheet: &PermitSheet) -> Table {
    let row = |value: &String| {
        let offered = sheet.definition.scopes.iter().find(|offered| offered.value.as_str() == value);
        let name = offered.map_or_else(|| value.clone(), |offered| w.text(&offered.name));
        let group = offered.map(|offered| w.text(&offered.group)).unwrap_or_default();
        vec![Cell::text(name), Cell::text(group), Cell::Code(value.clone())]
    };
    Table {
        caption: w.of("permit-scopes").into(),
        columns: vec![Column::text(w.of("scope-name")), Column::text(w.of("scope-group")), Column::text(w.of("scope-word"))],
        rows: sheet.permit.scopes.iter().map(row).collect(),
        empty: w.of("permit-scopes-none").into(),
    }
}

fn uses(w: Words, sheet: &PermitSheet) -> Table {
    let row = |one: &PermitUse| {
        let name = one.title.as_ref().map_or_else(|| one.api.clone(), |title| w.text(title));
        // Nothing is called with a permit that is not in force.
        let state = if one.state == "active" && sheet.permit.stopped_at.is_some() {
            Cell::text(w.of("subscription-refused"))
        } else {
            Cell::text(w.one_of("permit-use", &one.state))
        };
        vec![
            if one.readable { Cell::link(format!("/applications/{}", one.application), &one.name) } else { Cell::text(&one.name) },
            Cell::text(w.one_of("stage", one.stage.as_str())),
            Cell::coded(Cell::text(name), &one.api),
            state,
        ]
    };
    let empty = if sheet.permit.stopped_at.is_none() { w.of("permit-uses-none") } else { w.of("permit-uses-none-stopped") };
    Table {
        caption: w.of("permit-uses").into(),
        columns: vec![
            Column::text(w.of("application-column")),
            Column::text(w.of("request-stage")),
            Column::text(w.of("permit-use-api")),
            Column::text(w.of("request-state")),
        ],
        rows: sheet.uses.iter().map(row).collect(),
        empty: empty.into(),
    }
}

fn notice(w: Words, sheet: &PermitSheet) -> Option<Alert> {
    let permit = &sheet.permit;
    let reason = permit.reason.clone().unwrap_or_default();
    let alert = match permit.state.as_str() {
        "suspended" => Alert::new(Tone::Warning, w.of("permit-is-suspended"), reason),
        "revoked" => Alert::new(Tone::Bad, w.of("permit-is-revoked"), reason),
        "expired" => Alert::new(Tone::Warning, w.of("permit-is-expired"), w.of("permit-is-expired-text")),
        "superseded" => {
            let by = permit.superseded_by.clone().unwrap_or_default();
            Alert::new(Tone::Info, w.of("permit-is-superseded"), "").link(format!("/permits/{by}"), by)
        }
        _ => {
            let open = sheet.open?.to_string();
            let link = w.of("request-title").with("id", open.clone());
            Alert::new(Tone::Info, w.of("permit-is-followed"), "").link(format!("/access-requests/{open}"), link)
        }
    };
    Some(alert)
}

/// The way down to the permit: from the list that it is in for the reader.
fn way(w: Words, sheet: &PermitSheet) -> Vec<Link> {
    if sheet.reads && !sheet.holds {
        vec![Link::new("/review/permits", w.of("review-permits-title"))]
    } else {
        vec![Link::new("/dashboard", w.of("menu-dashboard")), Link::new("/permits", w.of("my-permits"))]
    }
}

/// `GET /permits/{id}`
pub async fn show(call: PageCall) -> PageAnswer {
    let id: Id = call.id("id")?;
    let sheet = call.app().permit_sheet(&call.context(), id).await?;
    let w = call.words;
    let number = &sheet.permit.id;
    let shell = call.shell(w.of("permit-title").with("id", number.clone())).under(way(w, &sheet));
    let mut ways = Vec::new();
    if sheet.may(Action::AmendPermit) {
        ways.push(ButtonLink::new(subscribing(&sheet), w.of("permit-subscribe")));
    }
    // What ended is asked for anew; what was replaced has a successor.
    if sheet.holds && matches!(sheet.permit.state.as_str(), "revoked" | "expired") {
        ways.push(ButtonLink::new(format!("/start/{}", sheet.permit.definition), w.of("permit-ask-again")));
    }
    ways.push(ButtonLink::new(format!("/permits/{number}/receipt"), w.of("permit-receipt")).secondary());
    let follow = |way: &str, words: String| ButtonLink::new(format!("/permits/{number}/{way}"), words).secondary();
    let free = sheet.open.is_none();
    let next = sheet
        .next_stage
        .filter(|_| free)
        .map(|stage| follow("next-stage", w.of("permit-next-stage").with("stage", w.one_of("stage", stage.as_str()).to_string()).into()));
    let amend = (sheet.amendable && free).then(|| follow("amend", w.of("permit-amend").into()));
    let link = |action, way: &str, words: String| sheet.may(action).then(|| Link::new(format!("/permits/{number}/{way}"), words));
    let moves = [
        link(Action::SuspendPermit, "suspend", w.of("permit-suspend-title").with("id", number.clone()).into()),
        link(Action::ResumePermit, "resume", w.of("permit-resume-title").with("id", number.clone()).into()),
        link(Action::RevokePermit, "revoke", w.of("permit-revoke-title").with("id", number.clone()).into()),
    ];
    let page = PermitPage {
        notice: notice(w, &sheet),
        facts: facts(w, &sheet),
        scopes: scopes(w, &sheet),
        uses: (sheet.holds || !sheet.uses.is_empty()).then(|| uses(w, &sheet)),
        ways: ways.into_iter().chain(next).chain(amend).collect(),
        moves: moves.into_iter().flatten().collect(),
        shell,
    };
    call.render(&page)
}

/// `GET /permits/{id}/receipt`: what was granted, as evidence to keep or to print.
pub async fn receipt(call: PageCall) -> PageAnswer {
    let id: Id = call.id("id")?;
    let sheet = call.app().permit_sheet(&call.context(), id).await?;
    let granted = LedgerQuery { subject: Some(id.to_string()), actor: None, action: Some("permit.granted".to_owned()) };
    let entries = call.app().list_ledger(&call.context(), granted, None, 1).await?;
    let w = call.words;
    let permit = &sheet.permit;
    let mut evidence = Facts::default()
        .with(w.of("receipt-content"), Cell::Code(permit.content_hash.clone()))
        .text(w.of("receipt-version"), w.number(permit.definition_version));
    if let Some(entry) = entries.items.first() {
        evidence =
            evidence.text(w.of("receipt-entry"), w.number(entry.seq)).with(w.of("receipt-entry-hash"), Cell::Code(entry.hash.clone()));
    }
    let evidence = evidence.with(w.of("receipt-made"), Cell::When(w.when(&call.now.to_string())));
    let number = permit.id.clone();
    // The scopes stand above, by name.
    let steps: Vec<_> = sheet.steps.iter().filter(|step| step.block != "scopes").cloned().collect();
    let page = ReceiptPage {
        facts: facts(w, &sheet),
        scopes: scopes(w, &sheet),
        evidence,
        sections: answers::sections(w, &sheet.definition, &steps, |field| permit.answers.get(field)),
        shell: call.shell(w.of("receipt-title").with("id", number.clone())).under(
            way(w, &sheet)
                .into_iter()
                .chain([Link::new(format!("/permits/{number}"), w.of("permit-title").with("id", number.clone()))])
                .collect(),
        ),
    };
    call.render(&page)
}

/// Where an application is chosen to call under the permit, with all that is known already.
fn subscribing(sheet: &PermitSheet) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let [only] = sheet.opens.as_slice() {
        query.append_pair("api", &only.to_string());
    }
    let permit = &sheet.permit;
    query.append_pair("permit", &permit.id).append_pair("organization", &permit.organization.id);
    format!("/applications?{}", query.finish())
}

/// What is about to be asked for, before a request is made of it.
async fn ask_follow(call: PageCall, stage_change: bool) -> PageAnswer {
    let id: Id = call.id("id")?;
    let sheet = call.app().permit_sheet(&call.context(), id).await?;
    let here = format!("/permits/{id}");
    let next = sheet.next_stage.filter(|_| stage_change);
    // One is under way, or there is nothing to ask for: the page that says so.
    if let Some(open) = sheet.open.filter(|_| sheet.holds) {
        return Ok(Page::to(format!("/access-requests/{open}")));
    }
    if next.is_none() && (stage_change || !sheet.amendable) {
        return Ok(Page::to(here));
    }
    let w = call.words;
    let number = &sheet.permit.id;
    let (title, text, button) = match next {
        Some(stage) => {
            let stage = w.one_of("stage", stage.as_str()).to_string();
            (w.of("permit-next-stage").with("stage", stage), w.of("permit-next-stage-text"), w.of("permit-next-stage-begin"))
        }
        None => (w.of("permit-amend-title"), w.of("permit-amend-text"), w.of("permit-amend-begin")),
    };
    call.render(&Confirm {
        text: text.with("id", number.clone()).into(),
        facts: Some(facts(w, &sheet)),
        summary: None,
        action: format!("{here}/{}", if stage_change { "next-stage" } else { "amend" }),
        fields: Vec::new(),
        button: button.into(),
        danger: false,
        back: Link::new(&here, w.of("permit-move-back")),
        shell: call
            .shell(title.with("id", number.clone()))
            .under(way(w, &sheet).into_iter().chain([Link::new(&here, w.of("permit-title").with("id", number.clone()))]).collect()),
    })
}
/// `GET /permits/{id}/amend`
pub async fn ask_amend(call: PageCall) -> PageAnswer {
    ask_follow(call, false).await
}
/// `GET /permits/{id}/next-stage`
pub async fn ask_next_stage(call: PageCall) -> PageAnswer {
    ask_follow(call, true).await
}

async fn follow(call: PageCall, stage_change: bool) -> PageAnswer {
    let id: Id = call.id("id")?;
    match call.app().follow_permit(&call.once(), id, stage_change).await {
        Ok(done) => {
            let request = created(done)?;
            Ok(Page::to(format!("/access-requests/{request}")).flash("draft-created", &request))
        }
        // Somebody was faster: theirs is the one to go on with.
        Err(Error::Conflict { code: "already_requested", .. }) => ask_follow(call, stage_change).await,
        Err(error) => Err(error.into()),
    }
}
/// `POST /permits/{id}/amend`
pub async fn amend(call: PageCall) -> PageAnswer {
    follow(call, false).await
}
/// `POST /permits/{id}/next-stage`
pub async fn next_stage(call: PageCall) -> PageAnswer {
    follow(call, true).await
}
