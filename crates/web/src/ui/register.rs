//! `/register`: who holds which permit, for everybody to read.

use askama::Template;
use octroi_app::{
    catalogue::DefinitionLine,
    register::{Register, RegisterEntry, RegisterFilter},
    showcase::{CatalogueSearch, Facet, ScopeNames},
};
use octroi_domain::Slug;

use super::{
    api_page::scope_words,
    kit::{Cell, Disclosure, Facts, Field, Filters, Link, Options, Pages},
    page::{PageAnswer, PageCall, Shell},
    review,
    words::Words,
};

/// Permits on a page: each may hold dozens of scopes.
const ROWS: u32 = 12;

#[derive(Template)]
#[template(path = "register.html")]
struct RegisterPage {
    shell: Shell,
    filters: Filters,
    entries: Vec<Entry>,
    pages: Pages,
    csv: Link,
    json: Link,
}

struct Entry {
    title: String,
    facts: Facts,
    scopes: Option<Disclosure>,
}

/// `GET /register`
pub async fn show(call: PageCall) -> PageAnswer {
    let w = call.words;
    let context = call.context();
    let slug = |name: &str| call.query.text(name).parse::<Slug>().ok();
    let (definition, provider) = (slug("definition"), slug("provider"));
    let filter = RegisterFilter {
        text: call.query.some("q"),
        definitions: definition.iter().cloned().collect(),
        providers: provider.iter().cloned().collect(),
    };
    let register = call.app().register(&context, filter, call.page(ROWS)).await?;
    let definitions = call.app().list_definitions(&context).await?;
    let catalogue = call.app().search_catalogue(&context, &CatalogueSearch::default()).await?;
    let mut held: Vec<Slug> = register.items.iter().filter_map(|entry| entry.definition.parse().ok()).collect();
    held.sort();
    held.dedup();
    let scopes = call.app().scope_names(&context, &held).await?;
    let query = [
        ("q", call.query.some("q")),
        ("definition", definition.map(|slug| slug.to_string())),
        ("provider", provider.map(|slug| slug.to_string())),
    ];
    let query: Vec<(&str, String)> = query.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect();
    let at = |path: &str| match form_urlencoded::Serializer::new(String::new()).extend_pairs(&query).finish() {
        text if text.is_empty() => path.to_owned(),
        text => format!("{path}?{text}"),
    };
    let page = RegisterPage {
        entries: register.items.iter().map(|entry| shown(w, entry, &definitions, &catalogue.providers, &scopes)).collect(),
        pages: Pages {
            label: w.of("register-pages").into(),
            first: call.query.has("cursor").then(|| Link::new(at("/register"), w.of("register-first"))),
            next: register.next.as_ref().map(|next| Link::new(call.here_with(&[("cursor", next)]), w.of("register-next"))),
        },
        csv: Link::new(at("/register.csv"), w.of("register-csv")),
        json: Link::new(at("/api/v1/register"), w.of("register-json")),
        filters: filters(&call, &register, &definitions, &catalogue.providers, !query.is_empty()),
        shell: call.shell(w.of("register-title")).under(vec![Link::new("/", w.of("menu-home"))]),
    };
    call.render(&page)
}

fn filters(call: &PageCall, register: &Register, definitions: &[DefinitionLine], providers: &[Facet], narrowed: bool) -> Filters {
    let w = call.words;
    let all = || (String::new(), w.of("catalogue-all").to_string());
    let definitions = definitions.iter().map(|definition| (definition.slug.clone(), w.text(&definition.name)));
    let definitions: Options = std::iter::once(all()).chain(definitions).collect();
    let providers: Options =
        std::iter::once(all()).chain(providers.iter().map(|facet| (facet.value.clone(), provider_name(w, facet)))).collect();
    Filters {
        label: w.of("register-search").into(),
        action: "/register".to_owned(),
        fields: vec![
            Field::line("q", w.of("register-words"), call.query.text("q")).kind("search", "off"),
            Field::select("definition", w.of("register-definition"), definitions, call.query.text("definition")),
            Field::select("provider", w.of("catalogue-provider"), providers, call.query.text("provider")),
        ],
        submit: w.of("catalogue-submit").into(),
        reset: narrowed.then(|| Link::new("/register", w.of("register-reset"))),
        found: w.of("register-found").with("count", register.total).into(),
    }
}

fn provider_name(w: Words, facet: &Facet) -> String {
    facet.name.as_ref().map_or_else(|| facet.value.clone(), |name| w.text(name))
}

fn shown(w: Words, entry: &RegisterEntry, definitions: &[DefinitionLine], providers: &[Facet], scopes: &ScopeNames) -> Entry {
    let named = scopes.get(&entry.definition);
    let definition = definitions.iter().find(|found| found.slug == entry.definition);
    let definition = definition.map_or_else(|| entry.definition.clone(), |found| w.text(&found.name));
    let provider = providers.iter().find(|facet| facet.value == entry.provider);
    let provider = provider.map_or_else(|| entry.provider.clone(), |facet| provider_name(w, facet));
    let mut facts = Facts::default()
        .text(
            w.of("register-organization"),
            format!("{} · {} {}", entry.organization, w.of("register-siret"), review::spaced(&entry.siret)),
        )
        .text(w.of("register-definition"), format!("{definition} · {provider}"));
    if let Some(purpose) = &entry.purpose {
        facts = facts.with(w.of("register-purpose"), Cell::Typed(purpose.clone()));
    }
    if let Some(basis) = &entry.legal_basis {
        facts = facts.with(w.of("register-legal-basis"), Cell::Typed(basis.clone()));
    }
    if let Some(url) = entry.legal_basis_url.as_ref().filter(|url| url.starts_with("https://") || url.starts_with("http://")) {
        facts = facts.with(w.of("register-legal-text"), Cell::link(url, url));
    }
    if let Some(stage) = &entry.stage {
        facts = facts.text(w.of("register-stage"), w.one_of("stage", stage));
    }
    facts = facts.with(w.of("register-granted"), Cell::Text(w.date(&entry.granted_at)));
    let until = entry.expires_at.as_ref().map_or_else(|| w.of("register-no-end").to_string(), |moment| w.date(moment));
    let scopes = (!entry.scopes.is_empty()).then(|| Disclosure {
        summary: w.of("register-scopes").with("count", entry.scopes.len()).into(),
        body: Cell::Items(entry.scopes.iter().map(|code| scope_words(w, named.and_then(|names| names.get(code)), code)).collect())
            .to_string(),
    });
    Entry { title: format!("{} · {}", entry.id, entry.title), facts: facts.text(w.of("register-until"), until), scopes }
}
