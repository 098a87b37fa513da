//! The organisations that one belongs to, and the way into another.

use axum::http::StatusCode;
use octroi_app::{
    Done, Error,
    joining::{JoinInput, JoinedView, JoiningView},
    organizations::{FoundOrganization, LinkedMember, MemberInvitationView, OwnLink, StandingView},
};
use octroi_domain::{
    Id,
    joining::MemberInvitation,
    organization::{ForeignNumber, Organization, Register, RegistryId, Siret},
};

use super::{
    entering::Afterwards,
    errors,
    kit::{Alert, ButtonLink, Cell, Column, Control, Facts, Field, FieldError, Filters, Hidden, Link, PostButton, Table, Tag, Tone},
    operator::{FormView, OperatorPage, Section},
    page::{Page, PageAnswer, PageCall, Shell},
    review::spaced,
    words::Words,
};
use crate::problem::Failure;

/// Remembers the organisation that one acted for last.
pub const LAST: &str = "octroi_organization";

pub(super) fn error_of(errors: &[FieldError], name: &str) -> String {
    errors.iter().find(|error| error.name == name).map(|error| error.message.clone()).unwrap_or_default()
}

pub(super) fn level_tag(w: Words, level: &str) -> Cell {
    let tone = if level == "unverified" { Tone::Warning } else { Tone::Good };
    Cell::Tag(Tag::new(tone, w.one_of("review-link-level", level)))
}

fn standing_tag(w: Words, standing: &StandingView) -> Cell {
    let tone = match standing.state.as_str() {
        "active" => Tone::Good,
        "closed" | "unknown" => Tone::Bad,
        _ => Tone::Warning,
    };
    Cell::Tag(Tag::new(tone, w.one_of("standing", &standing.state)))
}

/// What is known of an organisation, under its number.
pub fn standing_facts(w: Words, facts: Facts, number: &str, standing: &StandingView) -> Facts {
    let mut facts = facts.text(w.of("organization-number"), number_words(w, number)).with(w.of("standing"), standing_tag(w, standing));
    let Some(found) = &standing.facts else { return facts };
    if let Some(words) = &found.legal_category_words {
        let code = found.legal_category.clone().unwrap_or_default();
        facts = facts.with(w.of("standing-category"), Cell::coded(Cell::text(w.text(words)), code));
    }
    if let Some(activity) = &found.activity {
        facts = facts.with(w.of("standing-activity"), Cell::Code(activity.clone()));
    }
    if let Some(address) = &found.address {
        facts = facts.text(w.of("standing-address"), address);
    }
    facts = match (found.workforce_from, found.workforce_to) {
        (Some(from), Some(to)) => facts.text(w.of("standing-workforce"), w.of("standing-workforce-band").with("from", from).with("to", to)),
        (Some(from), None) => facts.text(w.of("standing-workforce"), w.of("standing-workforce-more").with("from", from)),
        _ => facts,
    };
    let public = if found.is_public { w.of("standing-public-yes") } else { w.of("standing-public-no") };
    facts
        .text(w.of("standing-public"), public)
        .text(w.of("standing-source"), w.one_of("standing-source", &found.source).with("when", w.date(&found.fetched_at).to_string()))
}

/// A number as people read it, with its register.
pub(super) fn number_words(w: Words, number: &str) -> String {
    let mut parts = number.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(country), Some(register), Some(number)) => {
            w.one_of("abroad-number", register).with("country", country.to_owned()).with("number", number.to_owned()).into()
        }
        _ => w.of("siret-number").with("number", spaced(number)).into(),
    }
}

/// `GET /organizations`
pub async fn mine(call: PageCall) -> PageAnswer {
    let found = call.app().my_organizations(&call.context()).await?;
    let w = call.words;
    let last = call.remembered(LAST).unwrap_or_default().to_owned();
    let mut page = OperatorPage::bare(call.shell(w.of("organizations-title")), None);
    page.actions.push(ButtonLink::new("/organizations/join", w.of("organizations-join")));
    let row = |shell: &Shell, link: &OwnLink| {
        let id = &link.organization.id;
        let current = *id == last || found.links.len() == 1;
        let choose =
            PostButton::new(format!("/organizations/{id}/use"), w.of("organizations-use"), shell.guard()).about(&link.organization.name);
        vec![
            Cell::link(format!("/organizations/{id}"), &link.organization.name),
            Cell::text(number_words(w, &link.organization.siret)),
            level_tag(w, &link.level),
            standing_tag(w, &link.standing),
            if current { Cell::text(w.of("organizations-current")) } else { Cell::Actions(vec![choose]) },
        ]
    };
    let names =
        [w.of("review-organization"), w.of("organization-number"), w.of("review-link"), w.of("standing"), w.of("organizations-choice")];
    let table = Table {
        caption: w.of("organizations-title").into(),
        columns: names.map(Column::text).into(),
        rows: found.links.iter().map(|link| row(&page.shell, link)).collect(),
        empty: w.of("organizations-none").into(),
    };
    page.lead = w.of("organizations-text").into();
    page.sections.push(Section::of_table(table));
    if !found.wishes.is_empty() {
        page.sections.push(Section { title: w.of("wishes-title").into(), ..Section::of_table(wishes(w, &found.wishes, false)) });
    }
    call.render(&page)
}

/// For who belongs to no organisation: the way to one, or what waits for it already. `back` is where they go on afterwards.
pub(super) async fn none_yet(call: &PageCall, back: &str) -> Result<Alert, Failure> {
    let w = call.words;
    let wishes = call.app().my_organizations(&call.context()).await?.wishes;
    let afterwards = Afterwards::to(back);
    let see = |wish: &JoiningView| afterwards.path(&format!("/organizations/joining/{}", wish.id));
    if let Some(wish) = wishes.iter().find(|wish| wish.state == "pending") {
        let title = w.of("none-yet-waits").with("name", wish.organization.name.clone());
        return Ok(Alert::new(Tone::Info, title, w.of("none-yet-waits-text")).link(see(wish), w.of("none-yet-follow")));
    }
    if let Some(wish) = wishes.iter().find(|wish| wish.state == "refused" && wish.may_reopen) {
        let title = w.of("none-yet-refused").with("name", wish.organization.name.clone());
        return Ok(Alert::new(Tone::Warning, title, w.of("none-yet-refused-text")).link(see(wish), w.of("wish-reopen-title")));
    }
    let alert = Alert::new(Tone::Info, w.of("none-yet"), w.of("none-yet-text"));
    Ok(alert.link(afterwards.path("/organizations/join"), w.of("organizations-join")))
}

/// Wishes to join: those of one person, or those that somebody may vouch for.
pub(super) fn wishes(w: Words, wishes: &[JoiningView], of_others: bool) -> Table {
    let row = |wish: &JoiningView| {
        let path = format!("/organizations/joining/{}", wish.id);
        let first = if of_others {
            Cell::link(format!("{path}/confirm"), format!("{} · {}", wish.person.name, wish.email))
        } else {
            Cell::link(path, &wish.organization.name)
        };
        vec![first, Cell::Tag(wish_tag(w, &wish.state)), Cell::When(w.when(&wish.created_at))]
    };
    let first = if of_others { w.of("person-name") } else { w.of("review-organization") };
    Table {
        caption: w.of("wishes-title").into(),
        columns: [first, w.of("wish-state"), w.of("wish-since")].map(Column::text).into(),
        rows: wishes.iter().map(row).collect(),
        empty: w.of("wishes-none").into(),
    }
}

pub(super) fn wish_tag(w: Words, state: &str) -> Tag {
    let tone = match state {
        "pending" => Tone::Info,
        "accepted" => Tone::Good,
        "refused" => Tone::Bad,
        _ => Tone::Neutral,
    };
    Tag::new(tone, w.one_of("wish-state", state))
}

/// What was typed to find an organisation.
enum Typed {
    Nothing,
    Number(RegistryId),
    Wrong(&'static str),
}

/// Reads the number out of the query, or out of the form that came from it.
fn typed(call: &PageCall) -> Typed {
    let given = |name: &str| call.form.some(name).or_else(|| call.query.some(name)).unwrap_or_default();
    let number = given("number");
    if let Ok(found) = number.parse::<RegistryId>() {
        return Typed::Number(found);
    }
    if !given("country").is_empty() || !number.is_empty() {
        let register = Register::ALL.into_iter().find(|known| known.as_str() == given("register"));
        let found = ForeignNumber::new(&given("country"), register.unwrap_or(Register::National), &number);
        return found.map_or(Typed::Wrong("number"), |found| Typed::Number(RegistryId::Foreign(found)));
    }
    let asked = asked_siret(call);
    // As it stands on a letterhead: `SIRET : 217.500.016.00019`.
    let bare = asked.trim().trim_start_matches(|c: char| c.is_ascii_alphabetic() || " :°".contains(c)).trim_start();
    let siret: String = bare.chars().filter(|c| !c.is_whitespace() && !".-_/\u{200b}\u{2011}\u{2013}".contains(*c)).collect();
    match siret.parse::<Siret>() {
        Ok(siret) => Typed::Number(siret.into()),
        Err(_) if asked.trim().is_empty() => Typed::Nothing,
        Err(_) => Typed::Wrong("siret"),
    }
}

/// The number that was typed, or that whoever led here hinted at.
fn asked_siret(call: &PageCall) -> String {
    let given = |name: &str| call.form.some(name).or_else(|| call.query.some(name));
    given("siret").or_else(|| given("siret_hint")).unwrap_or_default()
}

/// What stands in the field of the search: as it was typed, or as it was found.
fn shown_siret(call: &PageCall) -> String {
    let found = call.form.some("number").and_then(|number| number.parse::<Siret>().ok());
    found.map_or_else(|| asked_siret(call), |siret| spaced(siret.as_str()))
}

/// `GET /organizations/join`
pub async fn find(call: PageCall) -> PageAnswer {
    join_page(&call, Vec::new(), None).await
}

fn search(call: &PageCall, abroad: bool, wrong: &[FieldError]) -> Filters {
    let w = call.words;
    let value = |name: &str| call.query.text(name).to_owned();
    let afterwards = Afterwards::here(call);
    let mut fields = if abroad {
        let registers =
            Register::ALL.iter().map(|known| (known.as_str().to_owned(), w.one_of("abroad-register", known.as_str()).to_string()));
        vec![
            Field::line("country", w.of("join-country"), value("country")).hint(w.of("join-country-hint")).required(),
            Field::select("register", w.of("join-register"), registers.collect(), value("register")),
            Field::line("number", w.of("join-number"), value("number")).required().error(error_of(wrong, "number")),
        ]
    } else {
        vec![
            Field::line("siret", w.of("review-siret"), shown_siret(call))
                .hint(w.of("join-siret-hint"))
                .required()
                .error(error_of(wrong, "siret")),
        ]
    };
    let other = if abroad {
        Link::new(afterwards.path("/organizations/join"), w.of("join-in-france"))
    } else {
        Link::new(afterwards.path_with("/organizations/join", &[("abroad", "1")]), w.of("join-abroad"))
    };
    fields.extend(afterwards.return_to.map(|value| Field::new("return_to", "", Control::Kept { value })));
    Filters {
        label: w.of("join-search").into(),
        action: "/organizations/join".into(),
        fields,
        submit: w.of("join-find").into(),
        reset: Some(other),
        found: String::new(),
    }
}

/// The search, and what was found; `refusal` is why joining did not happen.
async fn join_page(call: &PageCall, mut wrong: Vec<FieldError>, refusal: Option<(&str, String)>) -> PageAnswer {
    let w = call.words;
    let typed = typed(call);
    let mut page =
        OperatorPage::bare(call.shell(w.of("join-title")).under(vec![Link::new("/organizations", w.of("organizations-title"))]), None);
    let mut abroad = call.query.has("abroad") || call.query.has("country");
    let mut status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    match typed {
        Typed::Nothing => {
            page.lead = w.of("join-text").into();
            if call.query.get("siret").is_some() {
                wrong.push(FieldError { name: "siret".to_owned(), message: w.of("join-siret-missing").into() });
                status = StatusCode::UNPROCESSABLE_ENTITY;
            }
        }
        Typed::Wrong(name) => {
            let message = if name == "siret" { w.of("organization-siret-wrong") } else { w.of("join-number-wrong") };
            wrong.push(FieldError { name: name.to_owned(), message: message.into() });
            status = StatusCode::UNPROCESSABLE_ENTITY;
        }
        Typed::Number(number) => {
            abroad = number.siret().is_none();
            let found = call.app().find_organization(&call.context(), &number).await?;
            page.sections.extend(found_sections(call, &found, &wrong));
            if let Some(alert) = found_alert(w, &found) {
                page.alerts.push(alert);
            }
        }
    }
    if let Some((code, text)) = refusal {
        let alert = Alert::new(Tone::Bad, w.of("join-refused"), text).focused();
        page.alerts.insert(0, ways_on(w, code, alert));
        status = StatusCode::CONFLICT;
    }
    page.summary = errors::summary(call, &wrong);
    page.filters = Some(search(call, abroad, &wrong));
    Ok(call.render(&page)?.status(status))
}

/// What a refusal asks for is a click away.
fn ways_on(w: Words, code: &str, alert: Alert) -> Alert {
    match code {
        "join_pending" | "join_to_mend" => alert.link("/organizations", w.of("join-see-wishes")),
        "already_member" => alert.link("/organizations", w.of("organizations-title")),
        "free_address" | "domain_refused" | "look_alike_domain" | "address_unusable" | "address_not_verified" => {
            alert.link("/account/email", w.of("account-change-email"))
        }
        _ => alert,
    }
}

fn found_alert(w: Words, found: &FoundOrganization) -> Option<Alert> {
    match found.standing.state.as_str() {
        "closed" => Some(Alert::new(Tone::Bad, w.of("standing-closed"), w.of("join-closed-text"))),
        "unknown" => Some(Alert::new(Tone::Bad, w.of("standing-unknown"), w.of("join-unknown-text"))),
        "unverified" if !found.directory => Some(Alert::new(Tone::Warning, w.of("standing-unverified"), w.of("join-no-directory"))),
        "unverified" => Some(Alert::new(Tone::Warning, w.of("standing-unverified"), w.of("join-silent"))),
        _ => None,
    }
}

fn found_sections(call: &PageCall, found: &FoundOrganization, wrong: &[FieldError]) -> Vec<Section> {
    let w = call.words;
    let title = found.name.clone().unwrap_or_else(|| w.of("join-no-name").into());
    let facts = standing_facts(w, Facts::default(), &found.number, &found.standing);
    let facts = match &found.level {
        Some(level) => facts.with(w.of("join-already"), level_tag(w, level)),
        None => facts,
    };
    let mut sections = vec![Section { facts: Some(facts), ..Section::titled(title) }];
    let sure = found.level.as_deref().is_some_and(|level| level != "unverified");
    if sure || matches!(found.standing.state.as_str(), "closed" | "unknown") {
        return sections;
    }
    let mut fields = Vec::new();
    if found.name.is_none() {
        let name = Field::line("name", w.of("organization-name"), call.form.text("name")).hint(w.of("join-name-hint"));
        fields.push(name.required().error(error_of(wrong, "name")));
    }
    if call.form.has("ask_confirmation") {
        let confirmed = Control::Box { checked: call.form.has("confirmed") };
        fields.push(Field::new("confirmed", w.of("join-confirmed"), confirmed).required().error(error_of(wrong, "confirmed")));
    }
    let note = Field::area("note", w.of("join-note"), call.form.get("note").unwrap_or_default());
    fields.push(note.hint(w.of("join-note-hint")).optional(w.of("optional")).error(error_of(wrong, "note")));
    let afterwards = Afterwards::here(call);
    let mut hidden = vec![Hidden { name: "number".into(), value: found.number.clone() }];
    hidden.extend(afterwards.hidden());
    if call.form.has("ask_confirmation") {
        hidden.push(Hidden { name: "ask_confirmation".into(), value: "1".into() });
    }
    sections.push(Section {
        text: w.of("join-how").into(),
        form: Some(FormView {
            action: "/organizations/join".into(),
            hidden,
            fields,
            button: w.of("join-ask").into(),
            back: Some(Link::new(afterwards.return_to.as_deref().unwrap_or("/organizations"), w.of("cancel"))),
        }),
        ..Section::titled(w.of("join-this"))
    });
    sections
}

/// A member of the answer, given now or before.
pub(super) fn told(done: &Done<JoinedView>) -> JoinedView {
    let text = |body: &serde_json::Value, name: &str| body.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    match done {
        Done::Now { value, .. } => value.clone(),
        Done::Before { body, .. } => {
            let body = body.as_deref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or(serde_json::Value::Null);
            JoinedView {
                outcome: text(&body, "outcome").unwrap_or_default(),
                organization: text(&body, "organization"),
                joining: text(&body, "joining"),
                level: text(&body, "level"),
            }
        }
    }
}

/// `POST /organizations/join`
pub async fn join(call: PageCall) -> PageAnswer {
    let Typed::Number(number) = typed(&call) else { return join_page(&call, Vec::new(), None).await };
    let input = JoinInput {
        number,
        name: call.form.some("name"),
        confirmed: call.form.has("confirmed"),
        note: call.form.get("note").unwrap_or_default().to_owned(),
    };
    match call.app().join_organization(&call.once(), input).await {
        Ok(done) => {
            let (view, afterwards) = (told(&done), Afterwards::of(&call.form));
            match (view.outcome.as_str(), &view.organization, &view.joining) {
                ("linked", Some(organization), _) => {
                    let there = afterwards.return_to.unwrap_or_else(|| format!("/organizations/{organization}"));
                    Ok(Page::to(there).flash("organization-joined", ""))
                }
                (_, _, Some(joining)) => {
                    Ok(Page::to(afterwards.path(&format!("/organizations/joining/{joining}"))).flash("join-asked", ""))
                }
                _ => needs_confirmation(call).await,
            }
        }
        Err(Error::Invalid(found)) => join_page(&call, errors::fields(&call, &found), None).await,
        Err(Error::Conflict { code, text }) => {
            let text = call.words.text(&text);
            join_page(&call, Vec::new(), Some((code, text))).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The same page once more, with a box to tick.
async fn needs_confirmation(mut call: PageCall) -> PageAnswer {
    call.form = call.form.with("ask_confirmation", "1");
    let message = call.words.of("join-confirm-free").into();
    join_page(&call, vec![FieldError { name: "confirmed".to_owned(), message }], None).await
}

/// `GET /organizations/{id}`
pub async fn show(call: PageCall) -> PageAnswer {
    organization_page(&call, Vec::new()).await
}

async fn organization_page(call: &PageCall, wrong: Vec<FieldError>) -> PageAnswer {
    let id: Id<Organization> = call.id("id")?;
    let found = call.app().member_organization(&call.context(), id).await?;
    let w = call.words;
    let shell = call.shell(&found.link.organization.name).under(vec![Link::new("/organizations", w.of("organizations-title"))]);
    let mut page = OperatorPage::bare(shell, None);
    page.summary = errors::summary(call, &wrong);
    let facts = standing_facts(w, Facts::default(), &found.link.organization.siret, &found.link.standing)
        .with(w.of("link-mine"), level_tag(w, &found.link.level))
        .text(w.of("link-proof"), w.one_of("link-proof", &found.link.proof))
        .with(w.of("review-link-since"), Cell::When(w.when(&found.link.since)));
    let facts = if found.link.is_external { facts.text(w.of("link-external"), w.of("link-external-yes")) } else { facts };
    page.sections.push(Section { facts: Some(facts), ..Section::default() });
    page.actions.push(ButtonLink::new("/start", w.of("dashboard-start")));
    if found.link.level == "unverified" {
        let alert = Alert::new(Tone::Warning, w.of("link-unverified"), w.of("link-unverified-text"));
        page.alerts.push(match found.link.organization.siret.parse::<Siret>() {
            Ok(siret) => alert.link(format!("/organizations/join?siret={siret}"), w.of("link-prove")),
            Err(_) => alert,
        });
    } else {
        let text = if found.more_members { w.of("organization-more-members").into() } else { String::new() };
        page.sections.push(Section { text, ..Section::of_table(members(w, &found.members)) });
    }
    if found.may_vouch {
        if !found.waiting.is_empty() {
            page.sections.push(Section { title: w.of("wishes-waiting").into(), ..Section::of_table(wishes(w, &found.waiting, true)) });
        }
        let invite = FormView {
            action: format!("/organizations/{id}/invitations"),
            fields: vec![
                Field::line("email", w.of("review-email"), call.form.text("email"))
                    .kind("email", "off")
                    .hint(w.of("member-invite-hint"))
                    .required()
                    .error(error_of(&wrong, "email")),
            ],
            button: w.of("member-invite-send").into(),
            ..FormView::default()
        };
        page.sections.push(Section { form: Some(invite), ..Section::titled(w.of("member-invite-title")) });
        if !found.invitations.is_empty() {
            let table = invitations(w, &page.shell, id, &found.invitations);
            page.sections.push(Section::of_table(table));
        }
    }
    let leave = Link::new(format!("/organizations/{id}/leave"), w.of("leave-title").with("name", found.link.organization.name.clone()));
    page.sections.push(Section { refresh: Some(leave), ..Section::default() });
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(call.render(&page)?.status(status))
}

/// Members with the level and the proof of their links.
pub(super) fn members(w: Words, members: &[LinkedMember]) -> Table {
    let row = |member: &LinkedMember| {
        let proof = w.one_of("link-proof", &member.proof).to_string();
        let proof = if member.is_external { format!("{proof} · {}", w.of("link-external")) } else { proof };
        vec![
            Cell::text(&member.person.name),
            Cell::text(&member.person.email),
            level_tag(w, &member.level),
            Cell::text(proof),
            Cell::text(w.date(&member.since)),
        ]
    };
    let names = [w.of("person-name"), w.of("review-email"), w.of("review-link"), w.of("link-proof"), w.of("review-link-since")];
    Table {
        caption: w.of("organization-members").into(),
        columns: names.map(Column::text).into(),
        rows: members.iter().map(row).collect(),
        empty: w.of("organizations-no-member").into(),
    }
}

fn invitations(w: Words, shell: &Shell, id: Id<Organization>, invitations: &[MemberInvitationView]) -> Table {
    let row = |invitation: &MemberInvitationView| {
        let withdraw = PostButton::new(
            format!("/organizations/{id}/invitations/{}/withdraw", invitation.id),
            w.of("member-invite-withdraw"),
            shell.guard(),
        );
        let open = invitation.state == "open";
        vec![
            Cell::text(&invitation.email),
            Cell::text(w.one_of("member-invite-state", &invitation.state)),
            Cell::text(w.date(&invitation.expires_at)),
            if open { Cell::Actions(vec![withdraw.danger().about(&invitation.email)]) } else { Cell::text("") },
        ]
    };
    Table {
        caption: w.of("member-invite-list").into(),
        columns: [w.of("review-email"), w.of("wish-state"), w.of("member-invite-until"), w.of("review-actions")].map(Column::text).into(),
        rows: invitations.iter().map(row).collect(),
        empty: String::new(),
    }
}

/// `POST /organizations/{id}/use`: the one that forms propose from now on.
pub async fn choose(call: PageCall) -> PageAnswer {
    let id: Id<Organization> = call.id("id")?;
    call.app().member_organization(&call.context(), id).await?;
    Ok(Page::to("/organizations").remember(LAST, &id.to_string()).flash("organization-chosen", ""))
}

/// `GET /organizations/{id}/leave`
pub async fn ask_leave(call: PageCall) -> PageAnswer {
    let id: Id<Organization> = call.id("id")?;
    let found = call.app().member_organization(&call.context(), id).await?;
    let w = call.words;
    let name = found.link.organization.name;
    let way = vec![Link::new("/organizations", w.of("organizations-title")), Link::new(format!("/organizations/{id}"), &name)];
    let mut page = OperatorPage::bare(call.shell(w.of("leave-title").with("name", name.clone())).under(way), None);
    let leave = PostButton::new(format!("/organizations/{id}/leave"), w.of("leave"), page.shell.guard()).danger();
    page.sections.push(Section {
        text: w.of("leave-text").into(),
        buttons: vec![leave],
        refresh: Some(Link::new(format!("/organizations/{id}"), w.of("cancel"))),
        ..Section::default()
    });
    call.render(&page)
}

/// `POST /organizations/{id}/leave`
pub async fn leave(call: PageCall) -> PageAnswer {
    call.app().leave_organization(&call.once(), call.id("id")?).await?;
    Ok(Page::to("/organizations").flash("organization-left", ""))
}

/// `POST /organizations/{id}/invitations`
pub async fn invite(call: PageCall) -> PageAnswer {
    let id: Id<Organization> = call.id("id")?;
    match call.app().invite_member(&call.once(), id, call.form.text("email")).await {
        Ok(_) => Ok(Page::to(format!("/organizations/{id}")).flash("member-invited", "")),
        Err(Error::Invalid(found)) => organization_page(&call, errors::fields(&call, &found)).await,
        Err(error) => Err(error.into()),
    }
}

/// `POST /organizations/{id}/invitations/{invitation}/withdraw`
pub async fn withdraw(call: PageCall) -> PageAnswer {
    let (id, invitation): (Id<Organization>, Id<MemberInvitation>) = (call.id("id")?, call.id("invitation")?);
    call.app().withdraw_member_invitation(&call.once(), id, invitation).await?;
    Ok(Page::to(format!("/organizations/{id}")).flash("member-uninvited", ""))
}

/// `GET /users/join-organization`: an address of before, with `siret_hint`.
pub async fn former_join(call: PageCall) -> PageAnswer {
    let siret: String = call.query.text("siret_hint").chars().filter(char::is_ascii_digit).take(14).collect();
    let hint = [("siret", siret.as_str())];
    Ok(Page::to(Afterwards::of(&call.query).path_with("/organizations/join", if siret.is_empty() { &[] } else { &hint })))
}

/// `GET /manage-organizations`: an address of before.
pub async fn former_mine(_: PageCall) -> PageAnswer {
    Ok(Page::to("/organizations"))
}

/// `GET /users/personal-information`: an address of before.
pub async fn former_account(_: PageCall) -> PageAnswer {
    Ok(Page::to("/account"))
}

/// `GET /users/verify-email`: an address of before.
pub async fn former_verification(_: PageCall) -> PageAnswer {
    Ok(Page::to("/account/email"))
}
