//! The operator's queue of wishes to join, and what the operator sets of an organisation.

use axum::http::StatusCode;
use octroi_app::{
    Error,
    joining::JoiningView,
    moderation::{ModerationView, Verdict},
    organizations::{DomainView, OrganizationProfile},
};
use octroi_domain::{
    Id,
    joining::{DomainState, Joining, JoiningState},
    organization::Organization,
    text::Language,
    user::LinkLevel,
};

use super::{
    errors,
    kit::{Alert, Cell, Column, Control, Facts, Field, FieldError, Filters, Hidden, Link, Options, PostButton, Table, Tag, Tone},
    operator::{FormView, OperatorPage, Place, ROWS, Section, pages},
    organizations::{error_of, members, number_words, standing_facts, wish_tag},
    page::{Page, PageAnswer, PageCall, Shell},
    words::Words,
};
use crate::problem::Failure;

/// Reasons that need not be written each time.
const TEMPLATES: [&str; 4] = ["address", "wrong_organization", "proof", "duplicate"];

/// `GET /operator/joining`
pub async fn queue(call: PageCall) -> PageAnswer {
    let chosen = call.query.get("state").unwrap_or("pending").to_owned();
    let state = JoiningState::ALL.into_iter().find(|state| state.as_str() == chosen);
    let found = call.app().list_joinings(&call.context(), state, call.page(ROWS)).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Joining, w.of("operator-joining"), Vec::new());
    let all = (String::new(), w.of("wish-state-all").to_string());
    let states = JoiningState::ALL.iter().map(|state| (state.as_str().to_owned(), w.one_of("wish-state", state.as_str()).to_string()));
    page.filters = Some(Filters {
        label: w.of("wish-search").into(),
        action: "/operator/joining".into(),
        fields: vec![Field::select("state", w.of("wish-state"), states.chain([all]).collect(), chosen)],
        submit: w.of("review-submit").into(),
        reset: None,
        found: String::new(),
    });
    page.sections.push(Section::of_table(table(w, &found.items)));
    page.pages = pages(&call, found.next.as_deref());
    call.render(&page)
}

fn table(w: Words, wishes: &[JoiningView]) -> Table {
    let row = |wish: &JoiningView| {
        vec![
            Cell::link(format!("/operator/joining/{}", wish.id), format!("{} · {}", wish.person.name, wish.email)),
            Cell::coded(Cell::text(&wish.organization.name), number_words(w, &wish.organization.siret)),
            Cell::text(w.one_of("wish-reason", &wish.reason)),
            Cell::Tag(wish_tag(w, &wish.state)),
            Cell::When(w.when(&wish.created_at)),
        ]
    };
    let names = [w.of("person-name"), w.of("review-organization"), w.of("wish-why"), w.of("wish-state"), w.of("wish-since")];
    Table {
        caption: w.of("operator-joining").into(),
        columns: names.map(Column::text).into(),
        rows: wishes.iter().map(row).collect(),
        empty: w.of("operator-joining-none").into(),
    }
}

/// `GET /operator/joining/{id}`
pub async fn show(call: PageCall) -> PageAnswer {
    decision_page(&call, Vec::new()).await
}

async fn decision_page(call: &PageCall, wrong: Vec<FieldError>) -> PageAnswer {
    let id: Id<Joining> = call.id("id")?;
    let found = call.app().moderate(&call.context(), id).await?;
    let w = call.words;
    let wish = &found.joining;
    let title = w.of("moderation-title").with("person", wish.person.name.clone()).with("name", wish.organization.name.clone());
    let mut page = OperatorPage::new(call, Place::Joining, title, vec![Link::new("/operator/joining", w.of("operator-joining"))]);
    page.summary = errors::summary(call, &wrong);
    if found.free_domain {
        page.alerts.push(Alert::new(Tone::Warning, w.of("moderation-free"), w.of("moderation-free-text")));
    }
    let mut facts = Facts::default()
        .with(w.of("wish-state"), Cell::Tag(wish_tag(w, &wish.state)))
        .text(w.of("wish-why"), w.one_of("wish-reason", &wish.reason))
        .with(w.of("person-name"), Cell::link(format!("/operator/people/{}", wish.person.id), &wish.person.name))
        .text(w.of("review-email"), &wish.email);
    if let Some(domain) = &found.domain {
        facts = facts.with(w.of("moderation-domain"), Cell::Code(domain.clone()));
    }
    if !wish.note.is_empty() {
        facts = facts.with(w.of("moderation-note"), Cell::Typed(wish.note.clone()));
    }
    if !wish.answer.is_empty() {
        facts = facts.with(w.of("wish-answer"), Cell::Typed(wish.answer.clone()));
    }
    page.sections.push(Section { facts: Some(facts), ..Section::default() });
    let link = Cell::link(format!("/operator/organizations/{}", wish.organization.id), &wish.organization.name);
    let facts = Facts::default().with(w.of("review-organization"), link);
    let facts = standing_facts(w, facts, &wish.organization.siret, &found.profile.standing)
        .text(w.of("contact-official"), found.profile.contact.clone().unwrap_or_else(|| w.of("contact-none").into()));
    page.sections.push(Section { facts: Some(facts), ..Section::titled(w.of("review-organization")) });
    if !found.profile.domains.is_empty() {
        let table = domains(w, None, &found.profile.domains);
        page.sections.push(Section::of_table(table));
    }
    page.sections.push(Section::of_table(members(w, &found.profile.members)));
    if !found.earlier.is_empty() {
        page.sections.push(Section { table: Some(table(w, &found.earlier)), ..Section::titled(w.of("moderation-earlier")) });
    }
    if found.may_decide {
        page.sections.push(accept_section(call, &found, &wrong));
        page.sections.push(refuse_section(call, id, &wrong));
    }
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(call.render(&page)?.status(status))
}

fn accept_section(call: &PageCall, found: &ModerationView, wrong: &[FieldError]) -> Section {
    let w = call.words;
    let text = |name: &str| call.form.get(name).unwrap_or_default().to_owned();
    let levels: Options = [LinkLevel::Verified, LinkLevel::Certified, LinkLevel::Unverified]
        .iter()
        .map(|level| (level.as_str().to_owned(), w.one_of("review-link-level", level.as_str()).to_string()))
        .collect();
    let kinds: Options = vec![("no".into(), w.of("moderation-internal").into()), ("yes".into(), w.of("moderation-external").into())];
    let mut fields = vec![
        Field::select("level", w.of("review-link"), levels, text("level")),
        Field::select("external", w.of("moderation-kind"), kinds, text("external")),
    ];
    if let (Some(domain), false) = (&found.domain, found.free_domain) {
        let allow = Control::Box { checked: call.form.has("allow_domain") };
        let label = w.of("moderation-allow-domain").with("domain", domain.clone());
        fields.push(Field::new("allow_domain", label, allow).error(error_of(wrong, "domain")));
    }
    Section {
        form: Some(FormView {
            action: format!("/operator/joining/{}", found.joining.id),
            hidden: vec![Hidden { name: "decision".into(), value: "accept".into() }],
            fields,
            button: w.of("moderation-accept").into(),
            ..FormView::default()
        }),
        ..Section::titled(w.of("moderation-accept-title"))
    }
}

fn refuse_section(call: &PageCall, id: Id<Joining>, wrong: &[FieldError]) -> Section {
    let w = call.words;
    let none = (String::new(), w.of("moderation-template-none").to_string());
    let templates = TEMPLATES.iter().map(|name| ((*name).to_owned(), w.one_of("moderation-template", name).to_string()));
    let message = call.form.get("message").unwrap_or_default().to_owned();
    Section {
        text: w.of("moderation-refuse-text").into(),
        form: Some(FormView {
            action: format!("/operator/joining/{id}"),
            hidden: vec![Hidden { name: "decision".into(), value: "refuse".into() }],
            fields: vec![
                Field::select(
                    "template",
                    w.of("moderation-template"),
                    std::iter::once(none).chain(templates).collect(),
                    call.form.text("template"),
                ),
                Field::area("message", w.of("moderation-message"), message)
                    .hint(w.of("moderation-message-hint"))
                    .error(error_of(wrong, "message")),
                Field::new("may_reopen", w.of("moderation-may-reopen"), Control::Box { checked: call.form.has("may_reopen") }),
            ],
            button: w.of("moderation-refuse").into(),
            ..FormView::default()
        }),
        ..Section::titled(w.of("moderation-refuse-title"))
    }
}

/// The words that the person reads: a prepared reason is theirs, not the operator's.
async fn in_their_language(call: &PageCall) -> Result<Words, Failure> {
    let found = call.app().moderate(&call.context(), call.id("id")?).await?;
    Ok(Words::new(if found.language == "en" { Language::En } else { Language::Fr }))
}

/// `POST /operator/joining/{id}`
pub async fn decide(call: PageCall) -> PageAnswer {
    let typed = call.form.get("message").unwrap_or_default().trim();
    let verdict = if call.form.text("decision") == "accept" {
        let level = LinkLevel::ALL.into_iter().find(|level| level.as_str() == call.form.text("level"));
        Verdict::Accept {
            level: level.unwrap_or(LinkLevel::Unverified),
            external: call.form.text("external") == "yes",
            allow_domain: call.form.has("allow_domain"),
            message: typed.to_owned(),
        }
    } else {
        let template = TEMPLATES.into_iter().find(|name| *name == call.form.text("template"));
        let prepared = match template {
            Some(name) => in_their_language(&call).await?.one_of("moderation-template", name).to_string(),
            None => String::new(),
        };
        let message = [prepared.as_str(), typed].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n");
        Verdict::Refuse { message, may_reopen: call.form.has("may_reopen") }
    };
    let flash = if matches!(verdict, Verdict::Accept { .. }) { "joining-accepted" } else { "joining-refused" };
    match call.app().decide_joining(&call.once(), call.id("id")?, verdict).await {
        Ok(_) => Ok(Page::to("/operator/joining").flash(flash, "")),
        Err(Error::Invalid(found)) => decision_page(&call, errors::fields(&call, &found)).await,
        Err(error) => Err(error.into()),
    }
}

/// The domains of an organisation; with a shell and an id, each can be forgotten.
fn domains(w: Words, forget: Option<(&Shell, Id<Organization>)>, domains: &[DomainView]) -> Table {
    let row = |domain: &DomainView| {
        let tone = match domain.state.as_str() {
            "verified" | "official_contact" => Tone::Good,
            "refused" => Tone::Bad,
            _ => Tone::Warning,
        };
        let name = if domain.shown == domain.domain {
            Cell::Code(domain.domain.clone())
        } else {
            Cell::coded(Cell::text(&domain.shown), &domain.domain)
        };
        let mut cells = vec![name, Cell::Tag(Tag::new(tone, w.one_of("domain-state", &domain.state))), Cell::text(w.date(&domain.since))];
        if let Some((shell, id)) = forget {
            let forget = PostButton::new(format!("/operator/organizations/{id}/domains"), w.of("domain-forget"), shell.guard());
            cells.push(Cell::Actions(vec![forget.danger().about(&domain.domain).hidden("domain", &domain.domain).hidden("forget", "1")]));
        }
        cells
    };
    let mut columns = vec![w.of("domain-name"), w.of("domain-state"), w.of("domain-since")];
    if forget.is_some() {
        columns.push(w.of("review-actions"));
    }
    Table {
        caption: w.of("domain-list").into(),
        columns: columns.into_iter().map(Column::text).collect(),
        rows: domains.iter().map(row).collect(),
        empty: w.of("domain-none").into(),
    }
}

/// What stands on the operator's page of an organisation, below its members.
pub fn profile_sections(
    call: &PageCall,
    shell: &Shell,
    (id, number): (Id<Organization>, &str),
    profile: &OrganizationProfile,
    wrong: &[FieldError],
) -> Vec<Section> {
    let w = call.words;
    let states: Options =
        DomainState::ALL.iter().map(|state| (state.as_str().to_owned(), w.one_of("domain-state", state.as_str()).to_string())).collect();
    let domain = FormView {
        action: format!("/operator/organizations/{id}/domains"),
        fields: vec![
            Field::line("domain", w.of("domain-name"), call.form.text("domain"))
                .hint(w.of("domain-hint"))
                .required()
                .error(error_of(wrong, "domain")),
            Field::select("state", w.of("domain-state"), states, call.form.text("state")),
        ],
        button: w.of("domain-set").into(),
        ..FormView::default()
    };
    let written = profile.official_contact.clone().unwrap_or_default();
    let contact = FormView {
        action: format!("/operator/organizations/{id}/contact"),
        fields: vec![
            Field::line("official_contact", w.of("contact-official"), call.form.get("official_contact").unwrap_or(&written))
                .kind("email", "off")
                .hint(w.of("contact-hint"))
                .optional(w.of("optional"))
                .error(error_of(wrong, "official_contact")),
        ],
        button: w.of("contact-set").into(),
        ..FormView::default()
    };
    let ask = PostButton::new(format!("/operator/organizations/{id}/refresh"), w.of("standing-refresh"), shell.guard());
    vec![
        Section {
            facts: Some(standing_facts(w, Facts::default(), number, &profile.standing)),
            buttons: if profile.directory { vec![ask] } else { Vec::new() },
            ..Section::titled(w.of("standing-title"))
        },
        Section {
            table: Some(domains(w, Some((shell, id)), &profile.domains)),
            form: Some(domain),
            ..Section::titled(w.of("domain-list"))
        },
        Section { form: Some(contact), ..Section::titled(w.of("contact-title")) },
    ]
}

/// `POST /operator/organizations/{id}/domains`
pub async fn set_domain(call: PageCall) -> PageAnswer {
    let id: Id<Organization> = call.id("id")?;
    let state = DomainState::ALL.into_iter().find(|state| state.as_str() == call.form.text("state"));
    let state = if call.form.has("forget") { None } else { Some(state.unwrap_or(DomainState::NotVerifiedYet)) };
    let done = call.app().set_domain(&call.once(), id, call.form.text("domain"), state).await;
    set(&call, id, done.map(drop), "domain-set").await
}

/// `POST /operator/organizations/{id}/contact`
pub async fn set_contact(call: PageCall) -> PageAnswer {
    let id: Id<Organization> = call.id("id")?;
    let done = call.app().set_official_contact(&call.once(), id, call.form.get("official_contact")).await;
    set(&call, id, done.map(drop), "contact-set").await
}

/// `POST /operator/organizations/{id}/refresh`
pub async fn refresh(call: PageCall) -> PageAnswer {
    let id: Id<Organization> = call.id("id")?;
    let done = call.app().refresh_organization(&call.context(), id).await;
    set(&call, id, done.map(drop), "standing-refreshed").await
}

async fn set(call: &PageCall, id: Id<Organization>, done: Result<(), Error>, flash: &'static str) -> PageAnswer {
    match done {
        Ok(()) => Ok(Page::to(format!("/operator/organizations/{id}")).flash(flash, "")),
        Err(Error::Invalid(found)) => {
            let wrong = errors::fields(call, &found);
            Ok(super::operator_people::organization_page(call, wrong).await?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(error) => Err(error.into()),
    }
}

/// The link of somebody as reviewers see it: proof, when, by whom.
pub fn link_facts(w: Words, facts: Facts, link: &octroi_app::review::LinkView) -> Facts {
    let mut facts =
        facts.text(w.of("link-proof"), w.one_of("link-proof", &link.proof)).with(w.of("link-proved"), Cell::When(w.when(&link.proved_at)));
    if let Some(by) = &link.proved_by {
        facts = facts.text(w.of("link-proved-by"), by);
    }
    if link.is_external {
        facts = facts.text(w.of("link-external"), w.of("link-external-yes"));
    }
    facts
}
