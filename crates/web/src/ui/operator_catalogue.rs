//! What is published, as the operator sees it: APIs and definitions, their versions, what the lint says.

use octroi_app::platform::{ApiStage, ApiState, DefinitionState, VersionView};
use octroi_domain::Slug;

use super::{
    kit::{Alert, Cell, Column, Facts, Link, Table, Tag, Tone},
    operator::{OperatorPage, Place, Section},
    page::{PageAnswer, PageCall},
    words::Words,
};

/// `GET /operator/apis`
pub async fn apis(call: PageCall) -> PageAnswer {
    let apis = call.app().list_api_states(&call.context()).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Apis, w.of("operator-apis"), Vec::new());
    let row = |api: &ApiState| {
        vec![
            if api.withdrawn { Cell::text(w.text(&api.title)) } else { Cell::link(format!("/apis/{}", api.name), w.text(&api.title)) },
            Cell::Code(api.name.clone()),
            Cell::Tags(vec![
                if api.withdrawn { Tag::new(Tone::Bad, w.of("published-withdrawn")) } else { Tag::new(Tone::Good, w.of("published-yes")) },
                Tag::new(Tone::Neutral, w.one_of("visibility", &api.visibility)),
                Tag::new(Tone::Neutral, w.one_of("api-access", &api.access)),
            ]),
            Cell::Items(api.stages.iter().map(|stage| stage_words(w, stage)).collect()),
            Cell::Items(api.versions.iter().take(5).map(|version| version_words(w, version)).collect()),
        ]
    };
    page.sections.push(Section::of_table(Table {
        caption: w.of("operator-apis").into(),
        columns: [
            w.of("published-name"),
            w.of("published-slug"),
            w.of("health-state"),
            w.of("published-stages"),
            w.of("published-versions"),
        ]
        .map(Column::text)
        .into(),
        rows: apis.iter().map(row).collect(),
        empty: w.of("published-none").into(),
    }));
    call.render(&page)
}

fn stage_words(w: Words, stage: &ApiStage) -> String {
    let name = w.one_of("stage", &stage.stage).to_string();
    match &stage.upstream {
        Some(upstream) => w.of("published-upstream").with("stage", name).with("upstream", upstream.clone()).into(),
        None => w.of("published-mocks").with("stage", name).into(),
    }
}

fn version_words(w: Words, version: &VersionView) -> String {
    w.of("published-version").with("version", version.version).with("date", w.date(&version.published_at)).into()
}

fn lint_tag(w: Words, definition: &DefinitionState) -> Tag {
    match definition.faults.len() {
        0 => Tag::new(Tone::Good, w.of("lint-good")),
        count => Tag::new(Tone::Bad, w.of("lint-faults").with("count", count)),
    }
}

fn offered_tag(w: Words, definition: &DefinitionState) -> Tag {
    if definition.retired {
        Tag::new(Tone::Bad, w.of("published-retired"))
    } else if definition.startable {
        Tag::new(Tone::Good, w.of("published-startable"))
    } else {
        Tag::new(Tone::Warning, w.of("published-not-startable"))
    }
}

/// `GET /operator/definitions`
pub async fn definitions(call: PageCall) -> PageAnswer {
    let definitions = call.app().list_definition_states(&call.context()).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Definitions, w.of("operator-definitions"), Vec::new());
    let row = |definition: &DefinitionState| {
        vec![
            Cell::link(format!("/operator/definitions/{}", definition.slug), w.text(&definition.name)),
            Cell::Code(definition.slug.clone()),
            Cell::text(&definition.provider),
            Cell::Tags(vec![offered_tag(w, definition), lint_tag(w, definition)]),
            Cell::text(w.of("published-version").with("version", definition.version).with("date", w.date(&definition.published_at))),
        ]
    };
    page.sections.push(Section::of_table(Table {
        caption: w.of("operator-definitions").into(),
        columns: [
            w.of("published-name"),
            w.of("published-slug"),
            w.of("published-provider"),
            w.of("health-state"),
            w.of("published-current"),
        ]
        .map(Column::text)
        .into(),
        rows: definitions.iter().map(row).collect(),
        empty: w.of("published-none").into(),
    }));
    call.render(&page)
}

/// `GET /operator/definitions/{slug}`
pub async fn definition(call: PageCall) -> PageAnswer {
    let slug: Slug = call.id("slug")?;
    let definition = call.app().read_definition_state(&call.context(), &slug).await?;
    let w = call.words;
    let way = vec![Link::new("/operator/definitions", w.of("operator-definitions"))];
    let mut page = OperatorPage::new(&call, Place::Definitions, w.text(&definition.name), way);
    for fault in &definition.faults {
        page.alerts.push(Alert::new(Tone::Bad, w.of("lint-fault"), fault.clone()));
    }
    let facts = Facts::default()
        .with(w.of("published-slug"), Cell::Code(definition.slug.clone()))
        .text(w.of("published-provider"), &definition.provider)
        .with(w.of("health-state"), Cell::Tags(vec![offered_tag(w, &definition), lint_tag(w, &definition)]))
        .with(
            w.of("operator-apis"),
            Cell::Links(definition.apis.iter().map(|api| Link::new(format!("/apis/{api}"), api.clone())).collect()),
        )
        .with(w.of("published-forms"), Cell::Items(definition.forms.clone()))
        .with(w.of("manage-roles"), Cell::link(format!("/manage/roles/{}", definition.slug), w.of("manage-roles-of")));
    let row = |version: &VersionView| {
        vec![Cell::text(w.number(version.version)), Cell::When(w.when(&version.published_at)), Cell::Code(version.hash.clone())]
    };
    let versions = Table {
        caption: w.of("published-versions").into(),
        columns: vec![Column::text(w.of("published-number")), Column::text(w.of("published-at")), Column::text(w.of("published-hash"))],
        rows: definition.versions.iter().map(row).collect(),
        empty: String::new(),
    };
    page.sections = vec![Section { facts: Some(facts), ..Section::default() }, Section::of_table(versions)];
    call.render(&page)
}
