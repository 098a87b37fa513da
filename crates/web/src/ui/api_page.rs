//! `/apis/{provider}/{api}`: what an API gives, who may have it and how; and its reference, operation by operation.

use askama::Template;
use octroi_app::{
    catalogue::ApiView,
    reference::{AnswerView, FieldRow, Kind, OperationDetail, OperationLine, ParameterView, ReferenceView, Shown},
    showcase::{ApiPage, OpeningDefinition, ScopeGroup, ScopeNames},
};
use octroi_domain::{
    Slug,
    api::{ApiName, LegalBasis, Plan, Terms},
    text::Text,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    catalogue::access_tag,
    kit::{ButtonLink, Cell, Code, Column, Disclosure, Facts, Link, Prose, Table, Tabs, Tag, Tone},
    page::{PageAnswer, PageCall, Shell},
    words::Words,
};
use crate::problem::Failure;

/// The API that the address names.
pub(super) fn named(call: &PageCall) -> Result<ApiName, Failure> {
    Ok(ApiName { provider: call.id("provider")?, api: call.id("api")? })
}

/// The pages of an API; one that is private is not tried from here.
pub(super) fn tabs(w: Words, name: &ApiName, tried: bool, current: usize) -> Tabs {
    let at = |path: &str, text: String| Link::new(format!("/apis/{name}{path}"), text);
    Tabs {
        label: w.of("api-tabs").into(),
        tabs: [at("", w.of("api-tab-about").into()), at("/reference", w.of("api-tab-reference").into())]
            .into_iter()
            .chain(tried.then(|| at("/try", w.of("api-tab-try").into())))
            .collect(),
        current,
    }
}

/// The way down to a page of an API.
pub(super) fn way(w: Words, name: &ApiName, title: &str) -> Vec<Link> {
    vec![Link::new("/", w.of("menu-home")), Link::new("/apis", w.of("menu-catalogue")), Link::new(format!("/apis/{name}"), title)]
}

#[derive(Template)]
#[template(path = "api.html")]
struct AboutPage {
    shell: Shell,
    tabs: Tabs,
    tags: Vec<Tag>,
    description: String,
    how: String,
    ways: Vec<ButtonLink>,
    facts: Facts,
    plans: Table,
    terms: String,
    terms_link: Option<Link>,
    opened_by: Vec<Opening>,
}

/// A definition whose permits open the API.
struct Opening {
    name: String,
    description: String,
    facts: Facts,
    groups: Vec<Disclosure>,
}

/// `GET /apis/{provider}/{api}`
pub async fn show(call: PageCall) -> PageAnswer {
    let name = named(&call)?;
    let page = call.app().read_api_page(&call.context(), &name).await?;
    let w = call.words;
    let api = &page.api;
    let terms: Option<Terms> = typed(api.terms.as_ref());
    let mut tags = vec![access_tag(w, &api.access)];
    tags.extend(api.theme.as_ref().map(|theme| Tag::new(Tone::Neutral, w.one_of("api-theme", theme))));
    if api.visibility == "private" {
        tags.push(Tag::new(Tone::Info, w.of("api-private")));
    }
    let web = &call.shared.web;
    let about = AboutPage {
        tabs: tabs(w, &name, api.visibility == "public", 0),
        tags,
        description: w.text(&api.description),
        how: w.one_of("api-how", &api.access).into(),
        ways: ways(w, &page),
        facts: facts(w, &page, &web.sandbox_url, &web.production_url),
        plans: plans(w, api),
        terms: terms.as_ref().map(|terms| w.text(&terms.text)).unwrap_or_default(),
        terms_link: terms.and_then(|terms| terms.url).map(|url| Link::new(url, w.of("api-terms-link"))),
        opened_by: page.opened_by.iter().map(|opening| shown(w, opening)).collect(),
        shell: call.shell(w.text(&api.title)).under(vec![Link::new("/", w.of("menu-home")), Link::new("/apis", w.of("menu-catalogue"))]),
    };
    call.render(&about)
}

/// A member that a view holds as JSON, in its type.
fn typed<T: DeserializeOwned>(value: Option<&Value>) -> Option<T> {
    value.and_then(|value| serde_json::from_value(value.clone()).ok())
}

/// What a visitor does next.
fn ways(w: Words, page: &ApiPage) -> Vec<ButtonLink> {
    let mut ways: Vec<ButtonLink> = Vec::new();
    if page.api.access == "permit" {
        for opening in page.opened_by.iter().filter(|opening| opening.startable) {
            let text = w.of("api-apply").with("name", w.text(&opening.name));
            ways.push(ButtonLink::new(format!("/start/{}", opening.slug), text));
        }
    } else {
        ways.push(ButtonLink::new(format!("/applications?api={}", page.api.name), w.of("api-subscribe")));
    }
    if page.api.visibility == "public" {
        ways.push(ButtonLink::new(format!("/apis/{}/try", page.api.name), w.of("api-tab-try")).secondary());
    }
    ways
}

fn facts(w: Words, page: &ApiPage, sandbox: &str, production: &str) -> Facts {
    let api = &page.api;
    let provider = w.text(&page.provider.name);
    let provider = match &page.provider.website {
        Some(website) => Cell::link(website, provider),
        None => Cell::Text(provider),
    };
    let mut facts = Facts::default().with(w.of("api-provider"), provider);
    if let Some(audience) = &api.audience {
        facts = facts.text(w.of("api-audience"), w.text(audience));
    }
    if let Some(basis) = typed::<LegalBasis>(api.legal_basis.as_ref()) {
        let text = w.text(&basis.text);
        facts = facts.with(w.of("api-legal-basis"), basis.url.map_or(Cell::Text(text.clone()), |url| Cell::link(url, text)));
    }
    let open = |stage: &str| api.stages.iter().any(|found| found == stage);
    for (stage, url) in [("sandbox", sandbox), ("production", production)].into_iter().filter(|(stage, _)| open(stage)) {
        facts = facts.with(w.one_of("stage", stage), Cell::Code(format!("{url}{}", api.mount)));
    }
    let credentials = api.credentials.iter().filter_map(Value::as_str).map(|kind| w.one_of("api-credential", kind).to_string());
    facts = facts.with(w.of("api-credentials"), Cell::Items(credentials.collect()));
    if let Some(support) = api.support.as_ref().or(page.provider.support.as_ref()) {
        facts = facts.text(w.of("api-support"), support);
    }
    let document = Cell::link(format!("/api/v1/apis/{}/openapi", api.name), w.of("api-document"));
    facts.with(w.of("api-contract"), document).text(w.of("api-version"), w.number(api.version))
}

fn plans(w: Words, api: &ApiView) -> Table {
    let limit = |limit: Option<std::num::NonZeroU32>| {
        Cell::text(limit.map_or_else(|| w.of("api-plan-unlimited").to_string(), |limit| w.number(limit.get())))
    };
    let plans = api.plans.iter().filter_map(|plan| typed::<Plan>(Some(plan)));
    Table {
        caption: w.of("api-plans-limits").into(),
        columns: vec![Column::text(w.of("api-plan")), Column::number(w.of("api-plan-rate")), Column::number(w.of("api-plan-quota"))],
        rows: plans.map(|plan| vec![Cell::text(w.text(&plan.name)), limit(plan.rate_per_second), limit(plan.quota_per_day)]).collect(),
        empty: w.of("api-plans-none").into(),
    }
}

fn shown(w: Words, opening: &OpeningDefinition) -> Opening {
    let validity = match opening.validity_months {
        Some(months) => w.of("api-validity-months").with("count", months),
        None => w.of("api-validity-open"),
    };
    let mut facts = Facts::default().text(w.of("api-validity"), validity);
    if !opening.stages.is_empty() {
        let stages = opening.stages.iter().map(|stage| w.one_of("stage", stage).to_string()).collect();
        facts = facts.with(w.of("api-stages-in-turn"), Cell::Items(stages));
    }
    let form = |form: &octroi_app::showcase::OpeningForm| match &form.vendor {
        Some(vendor) => w.of("api-form-vendor").with("name", w.text(&form.name)).and("vendor", vendor).to_string(),
        None => w.text(&form.name),
    };
    facts = facts.with(w.of("api-forms"), Cell::Items(opening.forms.iter().map(form).collect()));
    if let Some(url) = &opening.terms_url {
        facts = facts.with(w.of("api-definition-terms"), Cell::link(url, w.of("api-terms-link")));
    }
    Opening {
        name: w.text(&opening.name),
        description: w.text(&opening.description),
        facts,
        groups: opening.groups.iter().map(|group| scopes(w, group)).collect(),
    }
}

/// The scopes of a group, and what each opens.
fn scopes(w: Words, group: &ScopeGroup) -> Disclosure {
    let name = w.text(&group.name);
    let row = |scope: &octroi_app::showcase::ScopeLine| {
        let mut words = w.text(&scope.name);
        if let Some(description) = &scope.description {
            words = format!("{words}\n{}", w.text(description));
        }
        if scope.included {
            words = format!("{words}\n{}", w.of("api-scope-included"));
        }
        let fields = if scope.fields.is_empty() {
            Cell::text(w.of("api-scope-whole").with("count", scope.operations))
        } else {
            Cell::Items(scope.fields.clone())
        };
        vec![Cell::Typed(words), Cell::Code(scope.value.clone()), fields]
    };
    let table = Table {
        caption: w.of("api-scopes-of").and("group", &name).into(),
        columns: vec![Column::text(w.of("api-scope")), Column::text(w.of("api-scope-code")), Column::text(w.of("api-scope-opens"))],
        rows: group.scopes.iter().map(row).collect(),
        empty: String::new(),
    };
    Disclosure { summary: w.of("api-scope-group").and("group", &name).with("count", group.scopes.len()).into(), body: table.to_string() }
}

#[derive(Template)]
#[template(path = "api_reference.html")]
struct ReferencePage {
    shell: Shell,
    tabs: Tabs,
    description: Prose,
    document: Link,
    operations: Vec<Table>,
}

#[derive(Template)]
#[template(path = "api_operation.html")]
struct OperationPage {
    shell: Shell,
    tabs: Tabs,
    call: Code,
    deprecated: bool,
    description: Prose,
    scopes: usize,
    opened_by: Option<Disclosure>,
    masked: bool,
    parameters: Table,
    body: Option<Table>,
    answers: Table,
    /// The fields of what is found.
    fields: Vec<Table>,
    cut: bool,
    document: Link,
    ways: Vec<ButtonLink>,
}

/// `GET /apis/{provider}/{api}/reference`, and `?operation=` for one of its operations.
pub async fn reference(call: PageCall) -> PageAnswer {
    let name = named(&call)?;
    let reference = call.app().read_reference(&call.context(), &name).await?;
    let w = call.words;
    let title = w.text(&reference.title);
    let document = Link::new(format!("/api/v1/apis/{name}/openapi"), w.of("api-document"));
    if let Some(key) = call.query.some("operation") {
        let context = call.context();
        let operation = call.app().read_operation(&context, &name, &key).await?;
        let definitions = call.app().read_api(&context, &name).await?.definitions;
        let definitions: Vec<Slug> = definitions.iter().filter_map(|slug| slug.parse().ok()).collect();
        let names = call.app().scope_names(&context, &definitions).await?;
        return one(&call, &name, &reference, &operation, &names);
    }
    let page = ReferencePage {
        tabs: tabs(w, &name, reference.tried, 1),
        description: Prose::new(&reference.description),
        document,
        operations: operations(w, &reference, &name),
        shell: call.shell(w.of("reference-title").and("api", &title)).under(way(w, &name, &title)),
    };
    call.render(&page)
}

/// The operations, a table for each group, in the order in which groups come.
fn operations(w: Words, reference: &ReferenceView, name: &ApiName) -> Vec<Table> {
    let mut groups: Vec<(Option<&String>, Vec<&OperationLine>)> = Vec::new();
    for line in &reference.operations {
        match groups.iter_mut().find(|(group, _)| *group == line.group.as_ref()) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((line.group.as_ref(), vec![line])),
        }
    }
    let row = |line: &OperationLine| {
        let called = format!("{} {}", line.method, line.path);
        let title = if line.summary.is_empty() { called.clone() } else { line.summary.clone() };
        let scopes = if line.scopes == 0 { w.of("reference-no-scope").to_string() } else { w.number(line.scopes as u64) };
        let title = if line.deprecated { format!("{title} ({})", w.of("reference-deprecated")) } else { title };
        vec![Cell::link(format!("/apis/{name}/reference?operation={}", line.key), title), Cell::Code(called), Cell::text(scopes)]
    };
    let table = |(group, lines): (Option<&String>, Vec<&OperationLine>)| Table {
        caption: group.map_or_else(|| w.of("reference-operations").into(), |group| w.of("reference-group").and("group", group).into()),
        columns: vec![
            Column::text(w.of("reference-operation")),
            Column::text(w.of("reference-call")),
            Column::number(w.of("reference-scopes")),
        ],
        rows: lines.into_iter().map(row).collect(),
        empty: String::new(),
    };
    groups.into_iter().map(table).collect()
}

fn one(call: &PageCall, name: &ApiName, reference: &ReferenceView, operation: &OperationDetail, names: &ScopeNames) -> PageAnswer {
    let w = call.words;
    let line = &operation.line;
    let called = format!("{} {}{}", line.method, reference.mount, line.path);
    let named = |scope: &String| scope_words(w, names.values().find_map(|scopes| scopes.get(scope)), scope);
    let heading = if line.summary.is_empty() { called.clone() } else { line.summary.clone() };
    let mut way = way(w, name, &w.text(&reference.title));
    way.push(Link::new(format!("/apis/{name}/reference"), w.of("api-tab-reference")));
    let found = operation.answers.iter().filter(|answer| answer.status.starts_with('2') && !answer.fields.is_empty());
    let page = OperationPage {
        tabs: tabs(w, name, reference.tried, 1),
        call: Code { label: w.of("reference-call").into(), code: called, copy: w.of("copy").into(), copied: w.of("copied").into() },
        deprecated: line.deprecated,
        description: Prose::new(&operation.description),
        scopes: operation.opened_by.len(),
        opened_by: (!operation.opened_by.is_empty()).then(|| Disclosure {
            summary: w.of("reference-who-list").with("count", operation.opened_by.len()).into(),
            body: Cell::Items(operation.opened_by.iter().map(named).collect()).to_string(),
        }),
        masked: operation.masked,
        parameters: parameters(w, &operation.parameters),
        body: operation.body.as_ref().map(|body| {
            fields(w, w.of("reference-body").and("type", &body.content_type).into(), &body.fields, None, w.of("reference-body-free").into())
        }),
        answers: answers(w, &operation.answers),
        cut: found.clone().any(|answer| answer.cut),
        fields: found
            .map(|answer| {
                let caption = w.of("reference-fields").and("status", &answer.status).into();
                fields(w, caption, &answer.fields, operation.masked.then_some(&named), String::new())
            })
            .collect(),
        document: Link::new(format!("/api/v1/apis/{name}/openapi"), w.of("api-document")),
        ways: reference
            .tried
            .then(|| ButtonLink::new(format!("/apis/{name}/try?operation={}", line.key), w.of("reference-try")))
            .into_iter()
            .chain([ButtonLink::new(format!("/apis/{name}/reference"), w.of("reference-all")).secondary()])
            .collect(),
        shell: call.shell(heading).under(way),
    };
    call.render(&page)
}

/// `chaîne de caractères (date)`, `liste de nombres entiers`.
pub(super) fn kind_words(w: Words, kind: &Kind) -> String {
    let name = if kind.list { w.one_of("json-list", &kind.kind) } else { w.one_of("json-type", &kind.kind) };
    match &kind.format {
        Some(format) => format!("{name} ({format})"),
        None => name.to_string(),
    }
}

/// What a value means, and which values it may have.
fn meaning(w: Words, description: &str, values: &[String]) -> Cell {
    let listed = (!values.is_empty()).then(|| w.of("reference-values").with("values", values.join(", ")).to_string());
    let said = [Some(description.to_owned()).filter(|text| !text.is_empty()), listed];
    Cell::Prose(Prose::new(said.into_iter().flatten().collect::<Vec<_>>().join("\n")))
}

fn parameters(w: Words, parameters: &[ParameterView]) -> Table {
    let row = |parameter: &ParameterView| {
        let needed = if parameter.required { w.of("reference-required") } else { w.of("reference-optional") };
        vec![
            Cell::Code(parameter.name.clone()),
            Cell::text(w.one_of("parameter-in", &parameter.location)),
            Cell::text(format!("{}, {needed}", kind_words(w, &parameter.kind))),
            meaning(w, &parameter.description, &parameter.values),
        ]
    };
    Table {
        caption: w.of("reference-parameters").into(),
        columns: vec![
            Column::text(w.of("reference-name")),
            Column::text(w.of("reference-place")),
            Column::text(w.of("reference-type")),
            Column::text(w.of("reference-meaning")),
        ],
        rows: parameters.iter().map(row).collect(),
        empty: w.of("reference-no-parameter").into(),
    }
}

fn answers(w: Words, answers: &[AnswerView]) -> Table {
    let row = |answer: &AnswerView| {
        let body =
            if answer.content_type.is_empty() { Cell::text(w.of("reference-no-body")) } else { Cell::Code(answer.content_type.clone()) };
        vec![Cell::Code(answer.status.clone()), Cell::Prose(Prose::new(&answer.description)), body]
    };
    Table {
        caption: w.of("reference-answers").into(),
        columns: vec![
            Column::text(w.of("reference-status")),
            Column::text(w.of("reference-meaning")),
            Column::text(w.of("reference-content")),
        ],
        rows: answers.iter().map(row).collect(),
        empty: w.of("reference-no-answer").into(),
    }
}

/// `scope_words` of a code, where a mask says what opens a field.
type Named<'a> = Option<&'a dyn Fn(&String) -> String>;

fn fields(w: Words, caption: String, rows: &[FieldRow], named: Named<'_>, empty: String) -> Table {
    // Many documents say nothing about their fields.
    let told = rows.iter().any(|field| !field.description.is_empty() || !field.values.is_empty());
    let row = |field: &FieldRow| {
        let mut cells = vec![Cell::Code(field.path.clone()), Cell::text(kind_words(w, &field.kind))];
        if told {
            cells.push(meaning(w, &field.description, &field.values));
        }
        if let Some(named) = named {
            cells.push(match field.shown {
                Shown::Scopes => Cell::Items(field.scopes.iter().map(named).collect()),
                Shown::Always => Cell::text(w.of("shown-always")),
                Shown::Partly => Cell::text(w.of("shown-partly")),
                Shown::Never => Cell::text(w.of("shown-never")),
            });
        }
        cells
    };
    let columns = [
        Some(Column::text(w.of("reference-field"))),
        Some(Column::text(w.of("reference-type"))),
        told.then(|| Column::text(w.of("reference-meaning"))),
        named.map(|_| Column::text(w.of("reference-opened-by"))),
    ];
    Table { caption, columns: columns.into_iter().flatten().collect(), rows: rows.iter().map(row).collect(), empty }
}

/// `Quotient familial (cnaf_quotient_familial)`; the code alone where nobody named it.
pub(super) fn scope_words(w: Words, name: Option<&Text>, code: &str) -> String {
    name.map_or_else(|| code.to_owned(), |name| format!("{} ({code})", w.text(name)))
}
