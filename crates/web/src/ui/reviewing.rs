//! One request as those who decide see it, and the decision.

use askama::Template;
use axum::http::StatusCode;
use octroi_app::{
    Error,
    access_requests::ApproveInput,
    query::RequestSort,
    review::{ReviewField, ReviewView},
    timeline::TimelineEntry,
    view::{PermitLine, RequestLine},
};
use octroi_domain::{
    Number,
    access_request::{AccessRequest, State},
    comparison::{self, Detail, Piece},
    definition::{FieldKind, MessageTemplate, MessageUse, Needed},
    scope::{OfferedScope, ScopeRule, ScopeSet},
};
use serde_json::Value;

use super::{
    answers,
    conversation::{self, Late},
    errors,
    kit::{
        self, Alert, ButtonLink, Cell, Check, Column, Control, Difference, DifferencePart, Disclosure, ErrorSummary, Facts, Field, Hidden,
        Link, Table, Tag, Timeline, Tone,
    },
    moderation, organizations,
    page::{Page, PageAnswer, PageCall, Shell},
    review::{self, Choices},
    words::Words,
};
use crate::problem::Failure;

/// The latest things that happened, as many as are shown: the page of the request has all of them.
const HAPPENINGS: usize = 10;

#[derive(Template)]
#[template(path = "review.html")]
struct ReviewPage {
    shell: Shell,
    late: Option<Late>,
    alerts: Vec<Alert>,
    state: Tag,
    facts: Facts,
    organization: Facts,
    others: Vec<Table>,
    messages: Option<Timeline>,
    timeline: Timeline,
    blocks: Vec<Block>,
    scope_rules: Vec<String>,
    decision: Option<Decision>,
    /// The page of the request itself: timeline and messages.
    request: Link,
    next: Option<ButtonLink>,
    list: ButtonLink,
}

struct Block {
    title: String,
    fields: Vec<Question>,
}

/// A question, what it asks for, the answer, and how that differs.
struct Question {
    label: String,
    rule: String,
    answer: Cell,
    differences: Vec<Shown>,
    /// What was not asked for, where something can be chosen.
    more: Option<Disclosure>,
}

/// A difference under its title.
struct Shown {
    title: String,
    text: Option<Difference>,
    lists: Facts,
}

struct Decision {
    action: String,
    /// Where a prepared text is put into the message: the answer is read from there on.
    inserted: String,
    summary: Option<ErrorSummary>,
    hidden: Vec<Hidden>,
    choice: Field,
    message: Field,
    template: Option<Field>,
    consequence: String,
}

/// What the form of the decision holds: nothing of it is lost.
#[derive(Default)]
struct Typed {
    decision: String,
    message: String,
    template: String,
    errors: Vec<kit::FieldError>,
    late: Option<TooLate>,
}

/// Why nothing was decided although the form is good.
enum TooLate {
    /// The request changed while it was read: another decision, or another version.
    Changed,
    Said(String),
}

fn id(call: &PageCall) -> Result<Number<AccessRequest>, Failure> {
    call.id("id")
}

/// `GET /access-requests/{id}/review`
pub async fn show(call: PageCall) -> PageAnswer {
    page(&call, Typed::default()).await
}

/// `POST /access-requests/{id}/review`: the decision, or a prepared text put into the message.
pub async fn decide(call: PageCall) -> PageAnswer {
    let id = id(&call)?;
    let mut typed = Typed {
        decision: call.form.text("decision").to_owned(),
        message: call.form.get("message").unwrap_or_default().to_owned(),
        template: call.form.text("template").to_owned(),
        ..Typed::default()
    };
    if call.form.has("insert") {
        let view = call.app().review_request(&call.context(), id).await?;
        if let Some(template) = view.messages.iter().find(|template| template.id.as_str() == typed.template) {
            insert(&call, &mut typed, template);
        }
        return page(&call, typed).await;
    }
    if !["approve", "request_changes", "refuse"].contains(&typed.decision.as_str()) {
        typed.errors.push(kit::FieldError { name: "decision".to_owned(), message: call.words.of("decision-missing").into() });
        return Ok(page(&call, typed).await?.status(StatusCode::UNPROCESSABLE_ENTITY));
    }
    match send(&call, id, &typed).await {
        Ok(flash) => {
            let next = call.form.text("next");
            let after = next.parse::<Number<AccessRequest>>().map(|next| format!("?next={next}")).unwrap_or_default();
            Ok(Page::to(format!("/access-requests/{id}/review{after}")).flash(flash, &id.to_string()))
        }
        Err(Error::Invalid(found)) => {
            typed.errors = errors::fields(&call, &found);
            Ok(page(&call, typed).await?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(Error::Stale { .. } | Error::Conflict { code: "wrong_state", .. }) => {
            typed.late = Some(TooLate::Changed);
            Ok(page(&call, typed).await?.status(StatusCode::CONFLICT))
        }
        Err(Error::Conflict { text, .. }) => {
            typed.late = Some(TooLate::Said(call.words.text(&text)));
            Ok(page(&call, typed).await?.status(StatusCode::CONFLICT))
        }
        Err(error) => Err(error.into()),
    }
}

/// Puts a prepared text below what was typed, and chooses the decision that it is for.
fn insert(call: &PageCall, typed: &mut Typed, template: &MessageTemplate) {
    let text = call.words.text(&template.text);
    let before = typed.message.trim_end();
    typed.message = if before.is_empty() { text } else { format!("{before}\n\n{text}") };
    if typed.decision.is_empty() {
        word(template.used).unwrap_or_default().clone_into(&mut typed.decision);
    }
}

/// The decision that a prepared text is for.
const fn word(used: MessageUse) -> Option<&'static str> {
    match used {
        MessageUse::RequestChanges => Some("request_changes"),
        MessageUse::Refuse => Some("refuse"),
        MessageUse::Approve => Some("approve"),
        MessageUse::Suspend | MessageUse::Revoke => None,
    }
}

/// Makes one of the three decisions; answers what the next page says of it.
async fn send(call: &PageCall, id: Number<AccessRequest>, typed: &Typed) -> Result<&'static str, Error> {
    let (app, context) = (call.app(), call.once());
    // What the page showed is what is decided on; 0 is no version.
    let version = call.form.text("version").parse().unwrap_or(0);
    match typed.decision.as_str() {
        "approve" => {
            let message = (!typed.message.trim().is_empty()).then(|| typed.message.clone());
            let content_hash = call.form.text("content_hash").parse().ok();
            if content_hash.is_none() {
                return Err(Error::Stale { current: 0 });
            }
            app.approve_request(&context, id, ApproveInput { version, content_hash, message }).await?;
            Ok("review-approved")
        }
        "request_changes" => app.request_changes(&context, id, Some(version), typed.message.clone()).await.map(|_| "review-changes-asked"),
        _ => app.refuse_request(&context, id, Some(version), typed.message.clone()).await.map(|_| "review-refused"),
    }
}

async fn page(call: &PageCall, typed: Typed) -> PageAnswer {
    let id = id(call)?;
    let view = call.app().review_request(&call.context(), id).await?;
    let next = next(call, id).await?;
    let waiting = waiting(call).await?;
    let happened = call.app().timeline(&call.context(), id).await?;
    // Where the definition has no messages there are none to show.
    let held = call.app().list_messages(&call.context(), id).await.ok().filter(|held| !held.items.is_empty());
    let w = call.words;
    let decides = view.request.state == State::Submitted.as_str() && view.standing.may_decide;
    let title = w.of("review-one-title").with("id", view.request.id.clone()).with("title", view.title.clone());
    let page = ReviewPage {
        late: typed.late.as_ref().map(|why| late(w, &view, &happened, why, &typed.message)),
        alerts: alerts(w, &view),
        state: review::request_tag(w, &view.request.state),
        facts: facts(w, &view),
        organization: organization(w, &view),
        others: others(w, &view),
        timeline: conversation::timeline(w, &happened, HAPPENINGS),
        messages: held.map(|held| conversation::messages(w, &held, HAPPENINGS, 0)),
        blocks: blocks(w, &view),
        scope_rules: view.scope_rules.iter().map(|rule| scope_rule(w, &view.scopes, rule)).collect(),
        decision: decides.then(|| decision(call, &view, typed, next.as_deref())),
        request: Link::new(format!("/access-requests/{id}"), w.of("review-to-request")),
        next: next.map(|next| {
            let words = if decides { w.of("review-skip-to") } else { w.of("review-next") };
            let button = ButtonLink::new(format!("/access-requests/{next}/review"), words.with("id", next));
            if decides { button.secondary() } else { button }
        }),
        list: ButtonLink::new("/review", w.of("review-back-to-list").with("count", waiting)).secondary(),
        shell: call.shell(title).under(vec![Link::new("/review", w.of("review-title"))]),
    };
    call.render(&page)
}

/// How many requests wait for a decision, of all the definitions that one reads.
async fn waiting(call: &PageCall) -> Result<u64, Failure> {
    let filter = Choices::default().filter(&call.app().reviewed_definitions(&call.context()).await?);
    let counts = call.app().count_requests_by_state(&call.context(), filter).await?;
    Ok(counts.states.iter().find(|found| found.state == State::Submitted.as_str()).map_or(0, |found| found.count))
}

/// The request that follows in the reviewer's list of what waits; the one that a decision named, if it did.
async fn next(call: &PageCall, id: Number<AccessRequest>) -> Result<Option<String>, Failure> {
    let named = [call.query.text("next"), call.form.text("next")].into_iter().find_map(|text| text.parse::<Number<AccessRequest>>().ok());
    if let Some(named) = named {
        return Ok(Some(named.to_string()));
    }
    let choices = Choices { state: Some(State::Submitted), ..Choices::of(call) };
    let mine = call.app().reviewed_definitions(&call.context()).await?;
    let mut filter = choices.filter(&mine);
    // The order by change would bring back what was just decided.
    if filter.sort == RequestSort::Changed {
        filter.sort = RequestSort::Submitted;
    }
    Ok(call.app().next_request(&call.context(), filter, id).await?.filter(|next| *next != id.to_string()))
}

fn late(w: Words, view: &ReviewView, happened: &[TimelineEntry], why: &TooLate, message: &str) -> Late {
    let waits = view.request.state == State::Submitted.as_str();
    let alert = match why {
        TooLate::Said(text) => Alert::new(Tone::Bad, w.of("review-not-decided"), text.clone()),
        TooLate::Changed if waits => Alert::new(Tone::Bad, w.of("review-stale"), w.of("review-stale-text")),
        TooLate::Changed => Alert::new(Tone::Bad, w.of("review-late"), w.of("review-late-text")),
    };
    Late {
        alert: alert.link(format!("/access-requests/{}", view.request.id), w.of("review-to-request")),
        happened: conversation::timeline(w, happened, 1),
        kept: if waits { None } else { conversation::kept(w, message) },
    }
}

fn alerts(w: Words, view: &ReviewView) -> Vec<Alert> {
    let mut alerts = Vec::new();
    if view.standing.conflict_of_interest {
        alerts.push(Alert::new(Tone::Warning, w.of("review-conflict"), w.of("review-conflict-text")));
    } else if !view.standing.may_decide {
        alerts.push(Alert::new(Tone::Info, w.of("review-read-only"), w.of("review-read-only-text")));
    }
    if let Some(message) = &view.request.message {
        alerts.push(Alert::new(Tone::Info, w.of("review-last-message"), message.clone()));
    }
    if let Some(permit) = &view.request.permit {
        let alert = Alert::new(Tone::Good, w.of("review-granted-permit").with("id", permit.clone()), String::new());
        alerts.push(alert.link(format!("/permits/{permit}"), w.of("review-to-permit").with("id", permit.clone())));
    }
    if view.link.as_ref().is_none_or(|link| link.level == "unverified") {
        alerts.push(Alert::new(Tone::Warning, w.of("review-link-unsure"), w.of("review-link-unsure-text")));
    }
    alerts
}

fn facts(w: Words, view: &ReviewView) -> Facts {
    let mut facts = Facts::default()
        .with(w.of("review-definition"), Cell::link(format!("/start/{}", view.request.definition), w.text(&view.definition_name)))
        .text(
            w.of("review-form"),
            view.vendor.as_ref().map_or_else(
                || w.text(&view.form_name),
                |vendor| w.of("review-form-of-vendor").with("form", w.text(&view.form_name)).with("vendor", vendor.clone()).into(),
            ),
        )
        .text(w.of("review-kind"), w.one_of("review-kind", &view.request.kind));
    if let Some(stage) = &view.request.stage {
        facts = facts.text(w.of("review-stage"), w.one_of("stage", stage));
    }
    if let Some(of) = &view.request.of {
        facts = facts.with(w.of("review-of-permit"), Cell::link(format!("/permits/{of}"), of));
    }
    facts
        .with(w.of("review-created"), Cell::When(w.when(&view.request.created_at)))
        .with(w.of("review-changed"), Cell::When(w.when(&view.request.updated_at)))
        .text(
            w.of("review-validity"),
            match view.validity_months {
                Some(months) => w.of("review-validity-months").with("count", months),
                None => w.of("review-no-end"),
            },
        )
}

fn organization(w: Words, view: &ReviewView) -> Facts {
    let (tone, level) = match &view.link {
        None => (Tone::Bad, "none"),
        Some(link) if link.level == "unverified" => (Tone::Warning, link.level.as_str()),
        Some(link) => (Tone::Good, link.level.as_str()),
    };
    let facts = Facts::default()
        .text(w.of("review-organization"), &view.request.organization.name)
        .text(w.of("review-applicant"), &view.request.applicant.name)
        .with(w.of("review-email"), Cell::link(format!("mailto:{}", view.request.applicant.email), &view.request.applicant.email))
        .with(w.of("review-link"), Cell::Tag(Tag::new(tone, w.one_of("review-link-level", level))));
    let facts = match &view.link {
        Some(link) => moderation::link_facts(w, facts.with(w.of("review-link-since"), Cell::When(w.when(&link.since))), link),
        None => facts,
    };
    organizations::standing_facts(w, facts, &view.request.organization.siret, &view.organization_standing)
}

fn others(w: Words, view: &ReviewView) -> Vec<Table> {
    let request = |line: &RequestLine| {
        vec![
            Cell::link(format!("/access-requests/{}/review", line.id), format!("{} · {}", line.id, line.title)),
            Cell::Tag(review::request_tag(w, &line.state)),
            Cell::text(w.date(&line.updated_at)),
        ]
    };
    let permit = |line: &PermitLine| {
        vec![
            Cell::link(format!("/permits/{}", line.id), format!("{} · {}", line.id, line.title)),
            Cell::Tag(review::permit_tag(w, &line.state)),
            Cell::text(w.date(&line.granted_at)),
        ]
    };
    let columns = |first: String, last: String| vec![Column::text(first), Column::text(w.of("review-state")), Column::text(last)];
    vec![
        Table {
            caption: w.of("review-other-requests").into(),
            columns: columns(w.of("review-request").into(), w.of("review-changed").into()),
            rows: view.other_requests.iter().map(request).collect(),
            empty: w.of("review-other-requests-none").into(),
        },
        Table {
            caption: w.of("review-other-permits").into(),
            columns: columns(w.of("review-permit").into(), w.of("review-granted").into()),
            rows: view.other_permits.iter().map(permit).collect(),
            empty: w.of("review-other-permits-none").into(),
        },
    ]
}

fn blocks(w: Words, view: &ReviewView) -> Vec<Block> {
    let block = |block: &octroi_app::review::ReviewBlock| Block {
        title: w.text(&block.title),
        fields: block.fields.iter().filter(|field| !is_moot(view, field)).map(|field| question(w, view, field)).collect(),
    };
    view.blocks.iter().map(block).collect()
}

/// Unanswered because another answer does not ask for it.
fn is_moot(view: &ReviewView, field: &ReviewField) -> bool {
    let answer = |id: &str| view.blocks.iter().flat_map(|block| &block.fields).find(|held| held.asked.field.id == id)?.answer.as_ref();
    field.answer.is_none() && field.since_form.is_none() && field.since_permit.is_none() && field.asked.field.needed.is_moot(answer)
}

fn question(w: Words, view: &ReviewView, field: &ReviewField) -> Question {
    let answer = field.answer.as_ref();
    let mut differences = Vec::new();
    if let Some(found) = &field.since_form {
        differences.push(shown(w, view, field, found, w.of("review-since-form").into()));
    }
    if let (Some(found), Some(permit)) = (&field.since_permit, &view.compared_with) {
        differences.push(shown(w, view, field, found, w.of("review-since-permit").with("id", permit.clone()).into()));
    }
    Question {
        label: w.text(&field.asked.field.label),
        rule: rule(w, view, field),
        answer: answer.map_or_else(|| Cell::text(w.of("answer-none")), |value| answers::cell(w, &view.definition, &field.asked, value)),
        differences,
        more: not_chosen(w, view, field),
    }
}

/// What the definition asks of the answer, in words.
fn rule(w: Words, view: &ReviewView, field: &ReviewField) -> String {
    let asked = &field.asked;
    let mut said: Vec<String> = asked.field.help.iter().map(|help| w.text(help)).collect();
    said.push(match &asked.field.kind {
        FieldKind::Integer { minimum, maximum } => w.of("review-rule-integer").with("minimum", *minimum).with("maximum", *maximum).into(),
        kind => w.one_of("review-rule", kind_word(kind)).into(),
    });
    said.push(match &asked.field.needed {
        Needed::Always => w.of("review-rule-always").into(),
        Needed::Never => w.of("review-rule-never").into(),
        Needed::Above { field: other, limit } => {
            w.of("review-rule-above").with("field", label(w, view, other)).with("limit", *limit).into()
        }
    });
    if asked.locked {
        said.push(w.of("review-rule-locked").into());
    }
    if asked.hidden {
        said.push(w.of("review-rule-hidden").into());
    }
    said.join(" ")
}

fn label(w: Words, view: &ReviewView, id: &str) -> String {
    let mut fields = view.blocks.iter().flat_map(|block| &block.fields);
    fields.find(|field| field.asked.field.id == id).map_or_else(|| id.to_owned(), |field| w.text(&field.asked.field.label))
}

const fn kind_word(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "text",
        FieldKind::LongText => "long-text",
        FieldKind::Email => "email",
        FieldKind::Phone => "phone",
        FieldKind::Date => "date",
        FieldKind::Url => "url",
        FieldKind::Siret => "siret",
        FieldKind::Integer { .. } => "integer",
        FieldKind::Boolean => "boolean",
        FieldKind::Agreement => "agreement",
        FieldKind::Choice { .. } => "choice",
        FieldKind::Choices { .. } => "choices",
        FieldKind::Level { .. } => "level",
        FieldKind::Contact { .. } => "contact",
        FieldKind::Certification => "certification",
        FieldKind::Documents => "documents",
        FieldKind::Scopes { .. } => "scopes",
    }
}

/// The scopes that were left out, for who wonders whether they were needed.
fn not_chosen(w: Words, view: &ReviewView, field: &ReviewField) -> Option<Disclosure> {
    let FieldKind::Scopes { offered } = &field.asked.field.kind else { return None };
    let chosen: Vec<&str> = field.answer.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let left: Vec<String> = offered
        .iter()
        .filter(|scope| !chosen.contains(&scope.as_str()))
        .map(|scope| answers::scope(w, &view.definition, scope.as_str()))
        .collect();
    let summary = w.of("review-not-chosen").with("count", left.len());
    (!left.is_empty()).then(|| Disclosure { summary: summary.into(), body: Cell::Items(left).to_string() })
}

/// A rule on scopes, by their names.
fn scope_rule(w: Words, offered: &[OfferedScope], rule: &ScopeRule) -> String {
    let name = |scope: &octroi_domain::scope::Scope| {
        let found = offered.iter().find(|offer| offer.value == *scope);
        found.map_or_else(|| scope.to_string(), |offer| w.of("review-quoted").with("text", w.text(&offer.name)).into())
    };
    let names = |scopes: &ScopeSet| scopes.iter().map(name).collect::<Vec<_>>().join(", ");
    match rule {
        ScopeRule::OneOf { scopes } => w.of("review-scopes-one-of").with("scopes", names(scopes)),
        ScopeRule::Exclusive { scope, with } => w.of("review-scopes-exclusive").with("scope", name(scope)).with("others", names(with)),
        ScopeRule::Incompatible { left, right } => w.of("review-scopes-incompatible").with("left", names(left)).with("right", names(right)),
        ScopeRule::Alone { scope } => w.of("review-scopes-alone").with("scope", name(scope)),
        ScopeRule::Requires { scope, needs } => w.of("review-scopes-requires").with("scope", name(scope)).with("needs", names(needs)),
    }
    .into()
}

/// A difference: a text word by word, anything else as what was and what is.
fn shown(w: Words, view: &ReviewView, field: &ReviewField, found: &comparison::Difference, title: String) -> Shown {
    let cell = |value: Option<&Value>| {
        value.map_or_else(|| Cell::text(w.of("answer-none")), |value| answers::cell(w, &view.definition, &field.asked, value))
    };
    let part = |items: &[Value]| answers::cell(w, &view.definition, &field.asked, &Value::Array(items.to_vec()));
    let mut shown = Shown { title, text: None, lists: Facts::default() };
    match &found.detail {
        Detail::Text { pieces } => shown.text = Some(difference(w, pieces)),
        Detail::Items { added, removed, .. } => {
            for (name, items) in [(w.of("review-added"), added), (w.of("review-removed"), removed)] {
                if !items.is_empty() {
                    shown.lists = std::mem::take(&mut shown.lists).with(name, part(items));
                }
            }
        }
        Detail::Whole | Detail::Members { .. } => {
            shown.lists = Facts::default()
                .with(w.of("review-before"), cell(found.before.as_ref()))
                .with(w.of("review-after"), cell(found.after.as_ref()));
        }
    }
    shown
}

fn difference(w: Words, pieces: &[Piece]) -> Difference {
    let part = |piece: &Piece| match piece {
        Piece::Kept(text) => DifferencePart::Same(text.clone()),
        Piece::Removed(text) => DifferencePart::Removed(text.clone()),
        Piece::Added(text) => DifferencePart::Added(text.clone()),
    };
    Difference {
        before_word: w.of("review-removed").into(),
        after_word: w.of("review-added").into(),
        parts: pieces.iter().map(part).collect(),
    }
}

fn decision(call: &PageCall, view: &ReviewView, typed: Typed, next: Option<&str>) -> Decision {
    let w = call.words;
    let error = |name: &str| typed.errors.iter().find(|error| error.name == name).map(|error| error.message.clone()).unwrap_or_default();
    let check = |value: &str, label: String, hint: String| Check {
        value: value.to_owned(),
        label,
        hint,
        checked: typed.decision == value,
        ..Check::default()
    };
    let checks = vec![
        check("approve", w.of("decision-approve").into(), w.of("decision-approve-hint").into()),
        check("request_changes", w.of("decision-request-changes").into(), w.of("decision-request-changes-hint").into()),
        check("refuse", w.of("decision-refuse").into(), w.of("decision-refuse-hint").into()),
    ];
    let option = |template: &MessageTemplate| {
        let used = word(template.used)?;
        Some((template.id.to_string(), format!("{} · {}", w.one_of("decision-word", used), w.text(&template.name))))
    };
    let options: Vec<(String, String)> = view.messages.iter().filter_map(option).collect();
    let hidden = |name: &str, value: String| Hidden { name: name.to_owned(), value };
    Decision {
        action: format!("/access-requests/{}/review", view.request.id),
        inserted: format!("/access-requests/{}/review#decision", view.request.id),
        summary: errors::summary(call, &typed.errors),
        hidden: vec![
            hidden("version", view.request.version.to_string()),
            hidden("content_hash", view.request.content_hash.clone()),
            hidden("next", next.unwrap_or_default().to_owned()),
        ],
        choice: Field::new("decision", w.of("decision"), Control::Radios { options: checks }).required().error(error("decision")),
        message: Field::new("message", w.of("decision-message"), Control::Area { value: typed.message.clone(), rows: 8 })
            .hint(w.of("decision-message-hint"))
            .error(error("message")),
        template: (!options.is_empty()).then(|| Field::select("template", w.of("decision-template"), options, typed.template.clone())),
        consequence: match &view.request.of {
            Some(of) if view.request.kind == "amendment" => w.of("decision-consequence-amendment").with("id", of.clone()).into(),
            _ => w.of("decision-consequence").into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use octroi_domain::text::Language;

    use super::*;

    #[test]
    fn rules_on_scopes_are_told_by_names() {
        let w = Words::new(Language::En);
        let offered: Vec<OfferedScope> = serde_json::from_value(serde_json::json!([
            { "value": "a", "name": { "fr": "Un", "en": "One" }, "group": { "fr": "G", "en": "G" } },
            { "value": "b", "name": { "fr": "Deux", "en": "Two" }, "group": { "fr": "G", "en": "G" } }
        ]))
        .unwrap();
        for rule in [
            serde_json::json!({ "rule": "one_of", "scopes": ["a", "b"] }),
            serde_json::json!({ "rule": "exclusive", "scope": "a", "with": ["b"] }),
            serde_json::json!({ "rule": "incompatible", "left": ["a"], "right": ["b"] }),
            serde_json::json!({ "rule": "alone", "scope": "a" }),
            serde_json::json!({ "rule": "requires", "scope": "a", "needs": ["b"] }),
        ] {
            let rule: ScopeRule = serde_json::from_value(rule).unwrap();
            let told = scope_rule(w, &offered, &rule);
            assert!(told.contains("One") && !told.contains("review-scopes"), "{told}");
        }
    }
}
