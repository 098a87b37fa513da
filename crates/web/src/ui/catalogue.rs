//! `/apis`: the catalogue, with its search and facets.

use askama::Template;
use octroi_app::showcase::{ApiCard, CatalogueSearch, CatalogueView, Facet};
use octroi_domain::api::Theme;

use super::{
    kit::{Field, Filters, Link, Options, Tag, Tile, Tiles, Tone},
    page::{PageAnswer, PageCall, Shell},
    words::Words,
};

#[derive(Template)]
#[template(path = "catalogue.html")]
struct CataloguePage {
    shell: Shell,
    filters: Filters,
    tiles: Tiles,
}

/// How an access mode is shown: the more it takes, the louder.
pub fn access_tag(w: Words, access: &str) -> Tag {
    let tone = match access {
        "open" => Tone::Good,
        "approval" => Tone::Info,
        _ => Tone::Warning,
    };
    Tag::new(tone, w.one_of("api-access", access))
}

/// `GET /apis`
pub async fn show(call: PageCall) -> PageAnswer {
    let w = call.words;
    // A value that is none of ours narrows nothing.
    let search = CatalogueSearch {
        words: call.query.text("q").to_owned(),
        provider: call.query.text("provider").parse().ok(),
        theme: Theme::ALL.into_iter().find(|theme| theme.as_str() == call.query.text("theme")),
        access: call.query.some("access").filter(|access| ["open", "approval", "permit"].contains(&access.as_str())),
    };
    let found = call.app().search_catalogue(&call.context(), &search).await?;
    let page = CataloguePage {
        filters: filters(w, &search, &found),
        tiles: Tiles { tiles: found.apis.iter().map(|api| tile(w, api)).collect() },
        shell: call.shell(w.of("catalogue-title")).under(vec![Link::new("/", w.of("menu-home"))]),
    };
    call.render(&page)
}

fn filters(w: Words, search: &CatalogueSearch, found: &CatalogueView) -> Filters {
    let select = |name: &str, label: String, facets: &[Facet], words: &dyn Fn(&Facet) -> String| {
        let all = (String::new(), w.of("catalogue-all").to_string());
        let option = |facet: &Facet| (facet.value.clone(), format!("{} ({})", words(facet), w.number(facet.count as u64)));
        let options: Options = std::iter::once(all).chain(facets.iter().map(option)).collect();
        let chosen = facets.iter().find(|facet| facet.chosen).map(|facet| facet.value.clone());
        Field::select(name, label, options, chosen.unwrap_or_default())
    };
    let provider = |facet: &Facet| facet.name.as_ref().map_or_else(|| facet.value.clone(), |name| w.text(name));
    let narrowed = *search != CatalogueSearch::default();
    Filters {
        label: w.of("catalogue-search").into(),
        action: "/apis".to_owned(),
        fields: vec![
            Field::line("q", w.of("catalogue-words"), &search.words).kind("search", "off"),
            select("provider", w.of("catalogue-provider").into(), &found.providers, &provider),
            select("theme", w.of("catalogue-theme").into(), &found.themes, &|facet| w.one_of("api-theme", &facet.value).into()),
            select("access", w.of("catalogue-access").into(), &found.access_modes, &|facet| w.one_of("api-access", &facet.value).into()),
        ],
        submit: w.of("catalogue-submit").into(),
        reset: narrowed.then(|| Link::new("/apis", w.of("catalogue-reset"))),
        found: w.of("catalogue-found").with("count", found.apis.len()).with("total", found.total).into(),
    }
}

fn tile(w: Words, api: &ApiCard) -> Tile {
    let mut tags = vec![access_tag(w, &api.access)];
    tags.extend(api.theme.as_ref().map(|theme| Tag::new(Tone::Neutral, w.one_of("api-theme", theme))));
    Tile {
        link: Link::new(format!("/apis/{}", api.name), w.text(&api.title)),
        text: w.text(&api.description),
        tags,
        note: w.of("catalogue-note").with("provider", w.text(&api.provider_name)).with("count", api.operations).into(),
        level: 2,
    }
}
