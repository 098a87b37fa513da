//! The public test key of the demo: an application of its own organisation, subscribed to every public API in
//! the sandbox, with permits for all scopes that may be held together.

use std::collections::BTreeMap;

use octroi_app::{
    App, Error, access_requests::NewRequest, applications::NewApplication, catalogue::DefinitionView, subscriptions::NewSubscription,
};
use octroi_domain::{
    Id, Moment, Number, Slug,
    application::Application,
    credential::CredentialKind,
    permit::Permit,
    scope::{self, ScopeFault, ScopeSet},
    stage::Stage,
};
use serde_json::{Value, json};

use super::{
    people::{People, Someone},
    seed::{approve, impossible},
};

/// The restricted APIs, each with the definition whose permit opens it.
const RESTRICTED: [(&str, &str); 2] = [("dinum/api-particulier", "api-particulier"), ("dgfip/impot-particulier", "api-impot-particulier")];
const OPEN: [&str; 2] = ["dila/legifrance", "cassation/judilibre"];

/// Makes the key.
pub async fn key(app: &App, people: &People, at: Moment) -> Result<String, Error> {
    let by = &people.visitors;
    let mut apis: Vec<(&str, Option<Number<Permit>>)> = OPEN.map(|api| (api, None)).to_vec();
    for (api, definition) in RESTRICTED {
        let reviewer = if definition == "api-particulier" { &people.reviewer } else { &people.tax_reviewer };
        apis.push((api, Some(permit(app, by, reviewer, definition, at).await?)));
    }
    let context = by.at(at.plus_days(3));
    let new = NewApplication {
        name: "Essai des API depuis leur page".to_owned(),
        stage: Stage::Sandbox,
        organization: by.organization,
        management: false,
    };
    let application = app.create_application(&context, new).await?.value().ok_or_else(|| impossible("application"))?;
    let id: Id<Application> = application.id.parse().map_err(impossible)?;
    for (api, permit) in apis {
        let new = NewSubscription { api: api.parse().map_err(impossible)?, permit, plan: None, accept_terms: true };
        app.subscribe(&context, id, new).await?;
    }
    let made = app.create_credential(&context, id, CredentialKind::ApiKey).await?.value();
    made.and_then(|credential| credential.secret).ok_or_else(|| impossible("credential"))
}

async fn permit(app: &App, by: &Someone, reviewer: &Someone, definition: &str, at: Moment) -> Result<Number<Permit>, Error> {
    let context = by.at(at);
    let slug: Slug = definition.parse().map_err(impossible)?;
    let input = NewRequest { definition: slug.clone(), form: "libre".parse().map_err(impossible)?, organization: by.organization };
    let id = app.create_request(&context, input).await?.value().ok_or_else(|| impossible("draft"))?.id.parse().map_err(impossible)?;
    let shown = app.read_definition(&context, &slug).await?;
    let form = shown.forms.iter().find(|form| form.slug == "libre").ok_or_else(|| impossible("form"))?;
    let mut answers: BTreeMap<String, Value> =
        form.example.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
    answers.insert("title".to_owned(), json!("Essai public des API dans le bac à sable"));
    answers.insert("scopes".to_owned(), json!(all_scopes(&shown, at)));
    app.edit_request(&context, id, None, answers).await?;
    let submitted = app.submit_request(&context, id, None).await?.value().ok_or_else(|| impossible("submit"))?;
    approve(app, reviewer, id, submitted.version, at.plus_days(2)).await
}

/// As many scopes as the rules let stand together, in the order of the definition.
fn all_scopes(definition: &DefinitionView, at: Moment) -> ScopeSet {
    let mut chosen = ScopeSet::empty();
    for offered in &definition.scopes {
        let mut with = chosen.clone();
        with.insert(offered.value.clone());
        let faults = scope::judge(&definition.scopes, &definition.scope_rules, &with, at);
        let shut = |fault: &ScopeFault| matches!(fault, ScopeFault::Exclusive(..) | ScopeFault::Alone(_) | ScopeFault::Deprecated(_));
        if !faults.iter().any(shut) {
            chosen = with;
        }
    }
    chosen
}
