//! The catalogue in the database: applying files to it, and showing it.

use std::collections::BTreeMap;

use octroi_domain::{
    Moment, Slug,
    api::{Access, Api, ApiName, Visibility},
    application::SubscriptionState,
    catalogue::Catalogue,
    definition::{AskedField, Definition, Form},
    policy::{Action, Principal, Subject},
    scope::{OfferedScope, ScopeRule},
    stage::Stage,
    text::Text,
};
use octroi_store::{Reader, StoredApi, StoredDefinition, SubscriptionFilter};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    context::{App, Context},
    error::Error,
};

/// What applying a catalogue changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `provider`, `api` or `definition`.
    pub kind: &'static str,
    pub name: String,
    /// `new`, `changed`, `unchanged`, or `withdrawn` (in the database, no longer in the files).
    pub what: &'static str,
    /// The version in force afterwards.
    pub version: Option<i64>,
    /// Members that differ, for what changed: `plans`, `contracts`, …
    pub differs: Vec<String>,
}

/// A definition as an applicant sees it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DefinitionView {
    pub slug: String,
    pub version: i64,
    pub provider: String,
    #[schema(value_type = Object)]
    pub name: Text,
    #[schema(value_type = Object)]
    pub description: Text,
    /// The APIs that a permit opens, `provider/api`.
    pub apis: Vec<String>,
    /// Stages asked for one after the other; empty: one permit covers both.
    pub stages: Vec<String>,
    pub startable: bool,
    pub unique: bool,
    pub terms_url: Option<String>,
    pub validity_months: Option<u16>,
    #[schema(value_type = Object)]
    pub features: Value,
    #[schema(value_type = Vec<Object>)]
    pub blocks: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    pub scopes: Vec<OfferedScope>,
    #[schema(value_type = Vec<Object>)]
    pub scope_rules: Vec<ScopeRule>,
    #[schema(value_type = Vec<Object>)]
    pub modalities: Vec<Value>,
    pub forms: Vec<FormView>,
}

/// A form of a definition.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FormView {
    pub slug: String,
    #[schema(value_type = Object)]
    pub name: Text,
    pub introduction: Option<Value>,
    pub use_case: Option<String>,
    pub vendor: Option<String>,
    pub default: bool,
    pub startable: bool,
    #[schema(value_type = Vec<Object>)]
    pub fields: Vec<AskedField>,
    /// JSON Schema (2020-12) of complete answers, for the first stage.
    #[schema(value_type = Object)]
    pub schema: Value,
    /// A complete valid set of answers.
    #[schema(value_type = Object)]
    pub example: Value,
    /// The same for each later stage, where the definition has stages.
    #[schema(value_type = Object)]
    pub later_stages: BTreeMap<String, Value>,
}

/// A line of the list of definitions.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DefinitionLine {
    pub slug: String,
    pub version: i64,
    pub provider: String,
    #[schema(value_type = Object)]
    pub name: Text,
    #[schema(value_type = Object)]
    pub description: Text,
    pub apis: Vec<String>,
    pub forms: Vec<String>,
    pub startable: bool,
}

/// An API of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ApiView {
    /// `provider/api`.
    pub name: String,
    pub provider: String,
    pub version: i64,
    #[schema(value_type = Object)]
    pub title: Text,
    #[schema(value_type = Object)]
    pub description: Text,
    /// Path on the gateways.
    pub mount: String,
    /// `public` or `private`.
    pub visibility: String,
    /// One of the closed list of themes; none: under no theme.
    pub theme: Option<String>,
    /// Who may have it.
    #[schema(value_type = Option<Object>)]
    pub audience: Option<Text>,
    /// The law that lets the data be given: `{ text, url }`.
    pub legal_basis: Option<Value>,
    /// `open`, `approval` or `permit`.
    pub access: String,
    /// `access_token`, `api_key`.
    #[schema(value_type = Vec<String>)]
    pub credentials: Vec<Value>,
    /// Definitions of which a permit opens it.
    pub definitions: Vec<String>,
    pub terms: Option<Value>,
    #[schema(value_type = Vec<Object>)]
    pub plans: Vec<Value>,
    /// Stages that it is open on.
    pub stages: Vec<String>,
    pub operations: Vec<OperationView>,
    pub support: Option<String>,
}

/// What opens an operation, and what it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OperationView {
    /// `METHOD /template`.
    pub operation: String,
    /// Any one of these opens it; empty: none is needed.
    pub scopes: Vec<String>,
    /// Scope → fields that it opens; empty: the answer passes whole.
    pub opens: BTreeMap<String, Vec<String>>,
    pub always: Vec<String>,
}

impl App {
    /// Brings a catalogue into the database: new immutable versions of what changed, nothing for what did not.
    /// What is in the database and no longer in the files is withdrawn when `prune` is set.
    /// With `dry_run`, tells what it would do and changes nothing.
    pub async fn apply_catalogue(&self, catalogue: &Catalogue, prune: bool, dry_run: bool, now: Moment) -> Result<Vec<Change>, Error> {
        let mut tx = self.inner.store.write().await?;
        let before = tx.catalogue().await?;
        let mut changes = Vec::new();
        for provider in &catalogue.providers {
            let known = before.providers.iter().any(|held| held.slug == provider.slug);
            let changed = tx.provider_put(provider, now).await?;
            changes.push(Change {
                kind: "provider",
                name: provider.slug.to_string(),
                what: word(known, changed),
                version: None,
                differs: Vec::new(),
            });
        }
        for definition in &catalogue.definitions {
            let held = before.definitions.iter().find(|held| held.slug == definition.slug);
            if let Some(held) = held.filter(|held| held.provider != definition.provider) {
                let (slug, owner) = (&definition.slug, &held.provider);
                return Err(Error::conflict(
                    "definition_taken",
                    format!("La définition {slug} est celle du fournisseur {owner}."),
                    format!("The definition {slug} is the provider {owner}'s: choose another slug."),
                ));
            }
            let put = tx.definition_put(definition, now).await?;
            let differs = if put.changed { differs(held, definition) } else { Vec::new() };
            changes.push(Change {
                kind: "definition",
                name: definition.slug.to_string(),
                what: word(held.is_some(), put.changed),
                version: Some(put.version),
                differs,
            });
        }
        // What leaves first frees its mount for what comes.
        if prune {
            for held in before.apis.iter().filter(|held| !catalogue.apis.iter().any(|api| api.api.full_name() == held.api.full_name())) {
                tx.api_withdraw(&held.api.full_name()).await?;
                changes.push(Change {
                    kind: "api",
                    name: held.api.full_name().to_string(),
                    what: "withdrawn",
                    version: None,
                    differs: Vec::new(),
                });
            }
            for held in
                before.definitions.iter().filter(|held| !catalogue.definitions.iter().any(|definition| definition.slug == held.slug))
            {
                tx.definition_retire(&held.slug).await?;
                changes.push(Change {
                    kind: "definition",
                    name: held.slug.to_string(),
                    what: "withdrawn",
                    version: None,
                    differs: Vec::new(),
                });
            }
        }
        for document in &catalogue.apis {
            let name = document.api.full_name();
            let held = before.apis.iter().find(|held| held.api.full_name() == name);
            let put = tx.api_put(document, now).await.map_err(|error| {
                if error.is_duplicate() {
                    let mount = &document.api.mount;
                    Error::conflict(
                        "mount_taken",
                        format!("Le chemin {mount} est celui d’une autre API."),
                        format!("The mount {mount} is another API's."),
                    )
                } else {
                    error.into()
                }
            })?;
            let mut differing = if put.changed { differs(held.map(|held| &held.api), &document.api) } else { Vec::new() };
            if put.changed && held.is_some_and(|held| held.openapi != document.openapi) {
                differing.push("openapi document".to_owned());
            }
            if put.changed && held.is_some_and(|held| held.mocks != document.mocks) {
                differing.push("mock cases".to_owned());
            }
            changes.push(Change {
                kind: "api",
                name: name.to_string(),
                what: word(held.is_some(), put.changed),
                version: Some(put.version),
                differs: differing,
            });
        }
        if dry_run {
            return Ok(changes);
        }
        let moved: Vec<&Change> = changes.iter().filter(|change| change.what != "unchanged").collect();
        if !moved.is_empty() {
            for change in moved {
                let subject = format!("{}:{}", change.kind, change.name);
                tx.record(
                    now,
                    "operator-shell",
                    &format!("catalogue.{}", change.what),
                    &subject,
                    json!({ "version": change.version, "differs": change.differs }),
                );
            }
            tx.gateway_changed();
        }
        if let Some(version) = tx.commit().await? {
            self.inner.gateway.refresh(version).await;
        }
        Ok(changes)
    }

    /// Everything in force, to be written back as files.
    pub async fn export_catalogue(&self) -> Result<Catalogue, Error> {
        Ok(self.inner.store.read().catalogue().await?)
    }

    pub async fn list_definitions(&self, context: &Context) -> Result<Vec<DefinitionLine>, Error> {
        context.require(Action::ReadPublic, &Subject::Platform)?;
        let stored = self.inner.store.read().definition_list().await?;
        let line = |stored: &StoredDefinition| {
            let definition = &stored.definition;
            DefinitionLine {
                slug: stored.slug.to_string(),
                version: stored.version,
                provider: definition.provider.to_string(),
                name: definition.name.clone(),
                description: definition.description.clone(),
                apis: definition.apis.iter().map(ToString::to_string).collect(),
                forms: definition.forms.iter().map(|form| form.slug.to_string()).collect(),
                startable: definition.startable,
            }
        };
        Ok(stored.iter().filter(|stored| !stored.retired).map(line).collect())
    }

    pub async fn read_definition(&self, context: &Context, slug: &Slug) -> Result<DefinitionView, Error> {
        context.require(Action::ReadPublic, &Subject::Platform)?;
        let stored = self.inner.store.read().definition_current(slug).await?.filter(|stored| !stored.retired).ok_or(Error::NotFound)?;
        Ok(definition_view(&stored, context.now))
    }

    /// The public APIs, and the private ones that the principal runs or is subscribed to.
    pub async fn list_apis(&self, context: &Context) -> Result<Vec<ApiView>, Error> {
        let reader = self.inner.store.read();
        let mut shown = Vec::new();
        for stored in reader.api_list().await?.iter().filter(|stored| !stored.withdrawn) {
            if self.may_see(&reader, context, &stored.document.api).await? {
                shown.push(api_view(stored));
            }
        }
        Ok(shown)
    }

    pub async fn read_api(&self, context: &Context, name: &ApiName) -> Result<ApiView, Error> {
        self.visible_api(context, name).await.map(|stored| api_view(&stored))
    }

    /// The OpenAPI document of an API.
    pub async fn read_api_document(&self, context: &Context, name: &ApiName) -> Result<Value, Error> {
        self.visible_api(context, name).await.map(|stored| stored.document.openapi.clone())
    }

    pub(crate) async fn visible_api(&self, context: &Context, name: &ApiName) -> Result<StoredApi, Error> {
        let reader = self.inner.store.read();
        let stored = reader.api_current(name).await?.filter(|stored| !stored.withdrawn).ok_or(Error::NotFound)?;
        if self.may_see(&reader, context, &stored.document.api).await? { Ok(stored) } else { Err(Error::NotFound) }
    }

    pub(crate) async fn may_see(&self, reader: &Reader, context: &Context, api: &Api) -> Result<bool, Error> {
        if api.visibility == Visibility::Public {
            return Ok(true);
        }
        let name = api.full_name();
        let organizations = match &context.principal {
            Principal::Anonymous => Vec::new(),
            Principal::Application(machine) => vec![machine.organization],
            Principal::Person(person) => person.memberships.iter().map(|(id, _)| *id).collect(),
        };
        let held = [SubscriptionState::Pending, SubscriptionState::Active, SubscriptionState::Suspended];
        let mut subscribed = false;
        for organization in organizations {
            let filter = SubscriptionFilter {
                organization: Some(organization),
                api: Some(name.clone()),
                states: held.to_vec(),
                ..SubscriptionFilter::default()
            };
            subscribed |= !reader.subscription_list(&filter, octroi_store::Page::first(1)).await?.items.is_empty();
        }
        let subject = Subject::Api { name, visibility: api.visibility, subscribed };
        Ok(context.require(Action::ReadApi, &subject).is_ok())
    }
}

const fn word(known: bool, changed: bool) -> &'static str {
    match (known, changed) {
        (false, _) => "new",
        (true, true) => "changed",
        (true, false) => "unchanged",
    }
}

/// The members that differ between two values of one type.
fn differs<T: Serialize>(before: Option<&T>, after: &T) -> Vec<String> {
    let members = |value: &T| match serde_json::to_value(value) {
        Ok(Value::Object(members)) => members,
        _ => serde_json::Map::new(),
    };
    let Some(before) = before.map(members) else { return Vec::new() };
    let after = members(after);
    let mut names: Vec<String> =
        after.iter().filter(|(name, value)| before.get(*name) != Some(value)).map(|(name, _)| name.clone()).collect();
    names.extend(before.keys().filter(|name| !after.contains_key(*name)).cloned());
    names
}

fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

fn definition_view(stored: &StoredDefinition, now: Moment) -> DefinitionView {
    let definition = &stored.definition;
    let block = |block: &octroi_domain::definition::Block| {
        let mut shown = value(block);
        let fields: Vec<Value> =
            definition.fields(None).iter().filter(|(name, _)| *name == block.name()).map(|(_, field)| value(field)).collect();
        if let Some(members) = shown.as_object_mut() {
            members.insert("name".to_owned(), json!(block.name()));
            members.insert("fields".to_owned(), json!(fields));
        }
        shown
    };
    DefinitionView {
        slug: stored.slug.to_string(),
        version: stored.version,
        provider: definition.provider.to_string(),
        name: definition.name.clone(),
        description: definition.description.clone(),
        apis: definition.apis.iter().map(ToString::to_string).collect(),
        stages: definition.stages.iter().map(ToString::to_string).collect(),
        startable: definition.startable,
        unique: definition.unique,
        terms_url: definition.terms_url.clone(),
        validity_months: definition.validity_months,
        features: value(&definition.features),
        blocks: definition.blocks.iter().map(block).collect(),
        scopes: definition.scopes.clone(),
        scope_rules: definition.scope_rules.clone(),
        modalities: definition.modalities.iter().map(value).collect(),
        forms: definition.forms.iter().map(|form| form_view(definition, form, now)).collect(),
    }
}

fn form_view(definition: &Definition, form: &Form, now: Moment) -> FormView {
    let example = |stage: Option<Stage>| definition.example(form, stage, now).map_or(Value::Null, |answers| value(&answers));
    let first = definition.first_stage();
    let later = definition.stages.iter().skip(1).map(|stage| {
        let both = json!({ "schema": definition.schema(form, Some(*stage)), "example": example(Some(*stage)) });
        (stage.to_string(), both)
    });
    FormView {
        slug: form.slug.to_string(),
        name: form.name.clone(),
        introduction: form.introduction.as_ref().map(value),
        use_case: form.use_case.as_ref().map(ToString::to_string),
        vendor: form.vendor.as_ref().map(|vendor| vendor.name.clone()),
        default: form.default,
        startable: form.startable && definition.startable,
        fields: definition.asked(form, first),
        schema: definition.schema(form, first),
        example: example(first),
        later_stages: later.collect(),
    }
}

pub(crate) fn api_view(stored: &StoredApi) -> ApiView {
    let api = &stored.document.api;
    let operations = api.contracts.iter().flat_map(|contract| {
        contract.operations.iter().map(|operation| OperationView {
            operation: operation.to_string(),
            scopes: contract.opening_scopes().iter().map(ToString::to_string).collect(),
            opens: contract
                .opens
                .iter()
                .map(|(scope, paths)| (scope.to_string(), paths.iter().map(ToString::to_string).collect()))
                .collect(),
            always: contract.always.iter().map(ToString::to_string).collect(),
        })
    });
    let definitions = match &api.access {
        Access::Open | Access::Approval => Vec::new(),
        Access::Permit { definitions } => definitions.iter().map(ToString::to_string).collect(),
    };
    ApiView {
        name: stored.name.to_string(),
        provider: api.provider.to_string(),
        version: stored.version,
        title: api.name.clone(),
        description: api.description.clone(),
        mount: api.mount.clone(),
        visibility: match api.visibility {
            Visibility::Public => "public".to_owned(),
            Visibility::Private => "private".to_owned(),
        },
        theme: api.theme.map(|theme| theme.as_str().to_owned()),
        audience: api.audience.clone(),
        legal_basis: api.legal_basis.as_ref().map(value),
        access: api.access.mode().to_owned(),
        credentials: api.credentials.iter().map(value).collect(),
        definitions,
        terms: api.terms.as_ref().map(value),
        plans: api.plans.iter().map(value).collect(),
        stages: Stage::ALL.into_iter().filter(|stage| api.backends.of(*stage).is_some()).map(|stage| stage.to_string()).collect(),
        operations: operations.collect(),
        support: api.support.clone(),
    }
}
