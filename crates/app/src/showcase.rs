//! The catalogue as a visitor sees it: search with facets, and everything that the page of an API says.

use std::collections::BTreeMap;

use octroi_domain::{
    Slug,
    api::{Access, Api, ApiName, FieldPath, Theme, Visibility},
    catalogue::Provider,
    definition::Definition,
    fold,
    policy::{Action, Subject},
    scope::Scope,
    text::Text,
};
use octroi_store::StoredApi;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    catalogue::{ApiView, api_view},
    context::{App, Context},
    error::Error,
};

/// What is looked for; what is left out does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogueSearch {
    /// Each word must begin a word of what the API, or a form that its permits are asked for with, says of itself;
    /// case and accents do not count.
    pub words: String,
    pub provider: Option<Slug>,
    pub theme: Option<Theme>,
    /// `open`, `approval` or `permit`.
    pub access: Option<String>,
}

/// The public APIs that were found, and what the search can be narrowed by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CatalogueView {
    pub apis: Vec<ApiCard>,
    /// Public APIs in all.
    pub total: usize,
    pub providers: Vec<Facet>,
    pub themes: Vec<Facet>,
    pub access_modes: Vec<Facet>,
}

/// A value of a facet. `count` is how many are found when it alone is chosen in its facet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Facet {
    pub value: String,
    /// The provider's name; none for themes and modes, whose words are the face's.
    #[schema(value_type = Option<Object>)]
    pub name: Option<Text>,
    pub count: usize,
    pub chosen: bool,
}

/// An API in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApiCard {
    /// `provider/api`.
    pub name: String,
    #[schema(value_type = Object)]
    pub title: Text,
    #[schema(value_type = Object)]
    pub description: Text,
    pub provider: String,
    #[schema(value_type = Object)]
    pub provider_name: Text,
    pub theme: Option<String>,
    /// `open`, `approval` or `permit`.
    pub access: String,
    pub stages: Vec<String>,
    pub operations: usize,
}

/// Definition → scope → its name.
pub type ScopeNames = BTreeMap<String, BTreeMap<String, Text>>;

/// Everything that the page of an API says.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ApiPage {
    pub api: ApiView,
    pub provider: ProviderView,
    /// The definitions whose permits open it.
    pub opened_by: Vec<OpeningDefinition>,
}

/// Who publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProviderView {
    pub slug: String,
    #[schema(value_type = Object)]
    pub name: Text,
    pub siret: String,
    pub website: Option<String>,
    pub support: Option<String>,
}

/// A definition, as the page of an API that it opens shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OpeningDefinition {
    pub slug: String,
    #[schema(value_type = Object)]
    pub name: Text,
    #[schema(value_type = Object)]
    pub description: Text,
    pub startable: bool,
    /// Stages asked for one after the other; empty: one permit covers both.
    pub stages: Vec<String>,
    pub validity_months: Option<u16>,
    pub terms_url: Option<String>,
    /// The forms that can be started: name and, where it is for the customers of one, the software vendor.
    pub forms: Vec<OpeningForm>,
    /// The scopes offered now that open something of this API, by group.
    pub groups: Vec<ScopeGroup>,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OpeningForm {
    pub slug: String,
    #[schema(value_type = Object)]
    pub name: Text,
    pub vendor: Option<String>,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScopeGroup {
    #[schema(value_type = Object)]
    pub name: Text,
    pub scopes: Vec<ScopeLine>,
}

/// A scope, and what it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScopeLine {
    pub value: String,
    #[schema(value_type = Object)]
    pub name: Text,
    #[schema(value_type = Option<Object>)]
    pub description: Option<Text>,
    /// Granted with every permit.
    pub included: bool,
    /// Fields of the answers, each once; empty: it opens whole answers.
    pub fields: Vec<String>,
    /// How many operations it opens.
    pub operations: usize,
}

impl App {
    /// Searches the public APIs. Private ones are not in the catalogue, whoever asks.
    pub async fn search_catalogue(&self, context: &Context, search: &CatalogueSearch) -> Result<CatalogueView, Error> {
        context.require(Action::ReadPublic, &Subject::Platform)?;
        let reader = self.inner.store.read();
        let providers: BTreeMap<Slug, Provider> =
            reader.provider_list().await?.into_iter().map(|provider| (provider.slug.clone(), provider)).collect();
        let mut shown = reader.api_list().await?;
        shown.retain(|stored| !stored.withdrawn && stored.document.api.visibility == Visibility::Public);
        let definitions = reader.definition_list().await?;
        let startable = definitions.iter().filter(|stored| !stored.retired).map(|stored| &*stored.definition).filter(|held| held.startable);
        let asked = startable.map(|definition| (definition.slug.clone(), words_of(definition))).collect();
        Ok(found(&shown, &providers, &asked, search))
    }

    /// The names of the scopes that definitions offer, those of now and those of before: definition → scope → name.
    pub async fn scope_names(&self, context: &Context, definitions: &[Slug]) -> Result<ScopeNames, Error> {
        context.require(Action::ReadPublic, &Subject::Platform)?;
        let reader = self.inner.store.read();
        let mut names = ScopeNames::new();
        for slug in definitions {
            if let Some(found) = reader.definition_current(slug).await? {
                let scopes = found.definition.scopes.iter().map(|scope| (scope.value.to_string(), scope.name.clone())).collect();
                names.insert(slug.to_string(), scopes);
            }
        }
        Ok(names)
    }

    /// Everything that the page of an API says.
    pub async fn read_api_page(&self, context: &Context, name: &ApiName) -> Result<ApiPage, Error> {
        let stored = self.visible_api(context, name).await?;
        let reader = self.inner.store.read();
        let api = &stored.document.api;
        let provider = reader.provider_by_slug(&api.provider).await?.ok_or(Error::NotFound)?;
        let mut opened_by = Vec::new();
        if let Access::Permit { definitions } = &api.access {
            for slug in definitions {
                if let Some(found) = reader.definition_current(slug).await?.filter(|found| !found.retired) {
                    opened_by.push(opening(&found.definition, api, context));
                }
            }
        }
        Ok(ApiPage { api: api_view(&stored), provider: provider_view(&provider), opened_by })
    }
}

fn provider_view(provider: &Provider) -> ProviderView {
    ProviderView {
        slug: provider.slug.to_string(),
        name: provider.name.clone(),
        siret: provider.siret.to_string(),
        website: provider.website.clone(),
        support: provider.support.clone(),
    }
}

/// Definition → what it and its forms are called: people look for what they do, not for the name of an API.
type Asked = BTreeMap<Slug, String>;

fn words_of(definition: &Definition) -> String {
    let forms: Vec<_> = definition.forms.iter().filter(|form| form.startable).collect();
    let named = forms.iter().flat_map(|form| std::iter::once(&form.name).chain(&form.introduction));
    let texts = [&definition.name, &definition.description].into_iter().chain(named).map(|text| format!("{} {}", text.fr, text.en));
    let cases = forms.iter().filter_map(|form| form.use_case.as_ref()).map(Slug::to_string);
    let vendors = forms.iter().filter_map(|form| form.vendor.as_ref()).map(|vendor| vendor.name.clone());
    texts.chain(cases).chain(vendors).collect::<Vec<_>>().join(" ")
}

/// What an API says of itself, and what its permits are asked for with, folded: where the words of a search are looked for.
fn text_of(api: &Api, provider: Option<&Provider>, asked: &Asked) -> String {
    let mut text = format!("{} {}", api.provider, api.slug);
    for part in [&api.name, &api.description].into_iter().chain(&api.audience).chain(provider.map(|provider| &provider.name)) {
        text.push_str(&format!(" {} {}", part.fr, part.en));
    }
    if let Access::Permit { definitions } = &api.access {
        for words in definitions.iter().filter_map(|slug| asked.get(slug)) {
            text.push_str(&format!(" {words}"));
        }
    }
    fold::folded(&text)
}

fn found(apis: &[StoredApi], providers: &BTreeMap<Slug, Provider>, asked: &Asked, search: &CatalogueSearch) -> CatalogueView {
    let words: Vec<String> = fold::words(&search.words.chars().take(200).collect::<String>()).into_iter().take(8).collect();
    // Which conditions each API meets: words, provider, theme, access.
    let meets = |stored: &StoredApi| {
        let api = &stored.document.api;
        let text = text_of(api, providers.get(&api.provider), asked);
        [
            words.iter().all(|word| text.contains(&format!(" {word}"))),
            search.provider.as_ref().is_none_or(|provider| *provider == api.provider),
            search.theme.is_none_or(|theme| api.theme == Some(theme)),
            search.access.as_deref().is_none_or(|access| api.access.mode() == access),
        ]
    };
    let judged: Vec<(&StoredApi, [bool; 4])> = apis.iter().map(|stored| (stored, meets(stored))).collect();
    // A facet counts what its own condition would let in, so that another of its values can be chosen instead.
    let facet = |own: usize, value_of: &dyn Fn(&Api) -> Option<String>, chosen: Option<&str>| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (stored, meets) in &judged {
            let counted = meets.iter().enumerate().all(|(place, good)| *good || place == own);
            if let Some(value) = value_of(&stored.document.api) {
                *counts.entry(value).or_default() += usize::from(counted);
            }
        }
        let facet = |(value, count): (String, usize)| Facet { chosen: chosen == Some(value.as_str()), name: None, count, value };
        counts.into_iter().map(facet).collect::<Vec<_>>()
    };
    let mut by_provider = facet(1, &|api| Some(api.provider.to_string()), search.provider.as_ref().map(Slug::as_str));
    for facet in &mut by_provider {
        facet.name = providers.iter().find(|(slug, _)| slug.as_str() == facet.value).map(|(_, provider)| provider.name.clone());
    }
    let mut cards: Vec<ApiCard> = judged
        .iter()
        .filter(|(_, meets)| meets.iter().all(|good| *good))
        .map(|(stored, _)| card(stored, providers.get(&stored.document.api.provider)))
        .collect();
    cards.sort_by_cached_key(|card| fold::folded(&card.title.fr));
    CatalogueView {
        apis: cards,
        total: apis.len(),
        providers: by_provider,
        themes: facet(2, &|api| api.theme.map(|theme| theme.as_str().to_owned()), search.theme.map(Theme::as_str)),
        access_modes: facet(3, &|api| Some(api.access.mode().to_owned()), search.access.as_deref()),
    }
}

fn card(stored: &StoredApi, provider: Option<&Provider>) -> ApiCard {
    let view = api_view(stored);
    ApiCard {
        provider_name: provider.map_or_else(|| Text::new(view.provider.as_str(), view.provider.as_str()), |provider| provider.name.clone()),
        operations: view.operations.len(),
        name: view.name,
        title: view.title,
        description: view.description,
        provider: view.provider,
        theme: view.theme,
        access: view.access,
        stages: view.stages,
    }
}

fn opening(definition: &Definition, api: &Api, context: &Context) -> OpeningDefinition {
    let mut groups: Vec<ScopeGroup> = Vec::new();
    for offered in &definition.scopes {
        let (fields, operations) = opened(api, &offered.value);
        if operations == 0 || offered.deprecated_since.is_some_and(|since| since <= context.now) {
            continue;
        }
        let line = ScopeLine {
            value: offered.value.to_string(),
            name: offered.name.clone(),
            description: offered.description.clone(),
            included: offered.included,
            fields,
            operations,
        };
        match groups.iter_mut().find(|group| group.name == offered.group) {
            Some(group) => group.scopes.push(line),
            None => groups.push(ScopeGroup { name: offered.group.clone(), scopes: vec![line] }),
        }
    }
    let startable = definition.forms.iter().filter(|form| form.startable && definition.startable);
    OpeningDefinition {
        slug: definition.slug.to_string(),
        name: definition.name.clone(),
        description: definition.description.clone(),
        startable: definition.startable,
        stages: definition.stages.iter().map(ToString::to_string).collect(),
        validity_months: definition.validity_months,
        terms_url: definition.terms_url.clone(),
        forms: startable
            .map(|form| OpeningForm {
                slug: form.slug.to_string(),
                name: form.name.clone(),
                vendor: form.vendor.as_ref().map(|vendor| vendor.name.clone()),
            })
            .collect(),
        groups,
    }
}

/// The fields that a scope opens in an API, and in how many operations.
fn opened(api: &Api, scope: &Scope) -> (Vec<String>, usize) {
    let mut fields: Vec<String> = Vec::new();
    let mut operations = 0;
    for contract in api.contracts.iter().filter(|contract| contract.opening_scopes().contains(scope)) {
        operations += contract.operations.len();
        for path in contract.opens.get(scope).into_iter().flatten().map(FieldPath::to_string) {
            let path = path.strip_prefix("$.").map(str::to_owned).unwrap_or(path);
            if !fields.contains(&path) {
                fields.push(path);
            }
        }
    }
    (fields, operations)
}

#[cfg(test)]
mod tests {
    use octroi_domain::{Moment, api::ApiDocument, canonical::Sha256Hash};
    use serde_json::json;

    use super::*;

    fn stored(provider: &str, slug: &str, title: &str, theme: Option<&str>, access: &str) -> StoredApi {
        let text = json!({ "fr": title, "en": title });
        let mut api = json!({
            "slug": slug, "provider": provider, "name": text, "description": text, "mount": format!("/{provider}/{slug}"),
            "visibility": "public", "access": { "mode": access }, "plans": [], "backends": {}, "contracts": [],
        });
        if let Some(theme) = theme {
            api["theme"] = json!(theme);
        }
        let api: Api = serde_json::from_value(api).unwrap();
        StoredApi {
            name: api.full_name(),
            version: 1,
            withdrawn: false,
            created_at: Moment::from_micros(0),
            hash: Sha256Hash([0; 32]),
            document: ApiDocument { api, openapi: json!({}), mocks: Vec::new() }.into(),
        }
    }

    fn all() -> Vec<StoredApi> {
        vec![
            stored("town", "trees", "Les arbres", Some("environment"), "open"),
            stored("town", "pupils", "Élèves et étudiants", Some("education"), "approval"),
            stored("state", "laws", "Œuvres du droit", None, "open"),
        ]
    }

    #[track_caller]
    fn check(search: &CatalogueSearch, expected: &[&str], facets: &str) {
        let view = found(&all(), &BTreeMap::new(), &Asked::new(), search);
        let names: Vec<&str> = view.apis.iter().map(|card| card.name.as_str()).collect();
        assert_eq!(names, expected, "{search:?}");
        let write = |facets: &[Facet]| {
            let write = |facet: &Facet| format!("{}{}={}", if facet.chosen { "*" } else { "" }, facet.value, facet.count);
            facets.iter().map(write).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(format!("{} / {} / {}", write(&view.providers), write(&view.themes), write(&view.access_modes)), facets);
        assert_eq!(view.total, 3);
    }

    #[test]
    fn facets_count_what_choosing_them_would_find() {
        let none = CatalogueSearch::default();
        check(&none, &["town/pupils", "town/trees", "state/laws"], "state=1 town=2 / education=1 environment=1 / approval=1 open=2");
        let town = CatalogueSearch { provider: Some(Slug::new("town").unwrap()), ..none.clone() };
        check(&town, &["town/pupils", "town/trees"], "state=1 *town=2 / education=1 environment=1 / approval=1 open=1");
        let open = CatalogueSearch { access: Some("open".into()), ..town };
        check(&open, &["town/trees"], "state=1 *town=1 / education=0 environment=1 / approval=1 *open=1");
        let theme = CatalogueSearch { theme: Some(Theme::Tax), ..none };
        check(&theme, &[], "state=0 town=0 / education=1 environment=1 / approval=0 open=0");
    }

    #[test]
    fn words_are_folded_and_all_must_be_found() {
        let search = |words: &str| CatalogueSearch { words: words.into(), ..CatalogueSearch::default() };
        let found = |words: &str| {
            let view = found(&all(), &BTreeMap::new(), &Asked::new(), &search(words));
            view.apis.iter().map(|card| card.name.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found("ELEVE etud"), "town/pupils");
        assert_eq!(found("oeuvre"), "state/laws");
        assert_eq!(found("town tree"), "town/trees");
        assert_eq!(found("rbres"), "");
        assert_eq!(found("élèves absents"), "");
    }
}
