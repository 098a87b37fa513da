//! The example data: a few weeks of a platform's life, lived through its own operations.

use std::collections::BTreeMap;

use octroi_app::{
    App, Context, Error,
    access_requests::{ApproveInput, NewRequest},
    applications::NewApplication,
    permits::PermitMove,
    subscriptions::NewSubscription,
};
use octroi_domain::{
    Id, Moment, Number, Slug, access_request::AccessRequest, application::Application, credential::CredentialKind,
    definition::field::RETENTION_WITHOUT_JUSTIFICATION, permit::Permit, stage::Stage,
};
use serde_json::{Value, json};

use super::{
    file::{Client, DemoFile},
    people::{self, People, Someone},
    stories::{self, Story},
    traces, visitors,
};

const PARTICULIER: &str = "api-particulier";
const IMPOT: &str = "api-impot-particulier";

pub(super) fn impossible(what: impl std::fmt::Display) -> Error {
    Error::Internal(format!("demo: {what}"))
}

/// How far a request of the example goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Draft,
    Submitted,
    ChangesRequested,
    Resubmitted,
    Refused,
    Archived,
    Approved,
    Suspended,
    Revoked,
    Amended,
}

const FATES: [Fate; 12] = [
    Fate::Draft,
    Fate::Submitted,
    Fate::Approved,
    Fate::ChangesRequested,
    Fate::Submitted,
    Fate::Refused,
    Fate::Approved,
    Fate::Archived,
    Fate::Resubmitted,
    Fate::Suspended,
    Fate::Revoked,
    Fate::Amended,
];

/// Writes everything; returns what `demo.json` says.
pub async fn seed(app: &App, now: Moment) -> Result<DemoFile, Error> {
    let people = people::create(app, now.plus_days(-30)).await?;
    let permit = granted(app, &people.applicant, &people.reviewer, PARTICULIER, &stories::CANTEEN, now.plus_days(-21)).await?;
    let tax = granted(app, &people.applicant, &people.tax_reviewer, IMPOT, &stories::TAX, now.plus_days(-20)).await?;
    requests(app, &people, now).await?;
    let clients = clients(app, &people, permit, tax, now.plus_days(-14)).await?;
    traces::write(app, &clients, &people, permit, now).await?;
    let test_key = visitors::key(app, &people, now.plus_days(-12)).await?;
    Ok(DemoFile { accounts: people.accounts, clients, test_key: Some(test_key), ..DemoFile::default() })
}

/// A complete request, submitted.
async fn submitted(app: &App, by: &Someone, definition: &str, story: &Story, at: Moment) -> Result<(Number<AccessRequest>, u32), Error> {
    let id = drafted(app, by, definition, story, at, true).await?;
    let view = app.submit_request(&by.at(at.plus_seconds(900)), id, None).await?.value().ok_or_else(|| impossible("submit"))?;
    Ok((id, view.version))
}

async fn drafted(
    app: &App,
    by: &Someone,
    definition: &str,
    story: &Story,
    at: Moment,
    complete: bool,
) -> Result<Number<AccessRequest>, Error> {
    let slug: Slug = definition.parse().map_err(impossible)?;
    let context = by.at(at);
    let input = NewRequest { definition: slug.clone(), form: story.form.parse().map_err(impossible)?, organization: by.organization };
    let view = app.create_request(&context, input).await?.value().ok_or_else(|| impossible("draft"))?;
    let id = view.id.parse().map_err(impossible)?;
    if complete {
        let shown = app.read_definition(&context, &slug).await?;
        let form = shown.forms.iter().find(|shown| shown.slug == story.form).ok_or_else(|| impossible("form"))?;
        let open = |name: &str| form.fields.iter().any(|field| field.field.id == name && !field.locked && !field.hidden);
        let mut answers: BTreeMap<String, Value> =
            form.example.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
        answers.extend(told(story));
        let contacts = answers.iter_mut().filter(|(name, _)| name.starts_with("contact_"));
        for ((_, answer), (given, family, job)) in contacts.zip(stories::CONTACTS.iter().cycle().skip(story.title.len())) {
            let email = format!("{given}.{family}@contacts.example").to_lowercase();
            *answer = json!({ "family_name": family, "given_name": given, "email": email, "phone": "+33123456789", "job": job });
        }
        answers.retain(|name, _| open(name));
        app.edit_request(&by.at(at.plus_seconds(600)), id, None, answers).await?;
    }
    Ok(id)
}

/// The answers that are the story's own.
fn told(story: &Story) -> BTreeMap<String, Value> {
    let mut answers: BTreeMap<String, Value> = [
        ("title", json!(story.title)),
        ("description", json!(story.description)),
        ("purpose", json!(story.purpose)),
        ("recipients", json!(story.recipients)),
        ("legal_basis", json!(story.legal_basis)),
        ("retention_months", json!(story.months)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if i64::from(story.months) > RETENTION_WITHOUT_JUSTIFICATION {
        let why = "Le dossier suit l’enfant de son entrée en maternelle à la fin de l’école élémentaire.";
        answers.insert("retention_justification".to_owned(), json!(why));
    }
    if let Some((title, url)) = story.document {
        answers.insert("documents".to_owned(), json!([{ "title": title, "url": url }]));
    }
    if !story.scopes.is_empty() {
        answers.insert("scopes".to_owned(), json!(story.scopes));
    }
    answers
}

/// A request that was approved; the number of its permit.
async fn granted(
    app: &App,
    by: &Someone,
    reviewer: &Someone,
    definition: &str,
    story: &Story,
    at: Moment,
) -> Result<Number<Permit>, Error> {
    let (id, version) = submitted(app, by, definition, story, at).await?;
    approve(app, reviewer, id, version, at.plus_days(2)).await
}

pub(super) async fn approve(
    app: &App,
    reviewer: &Someone,
    id: Number<AccessRequest>,
    version: u32,
    at: Moment,
) -> Result<Number<Permit>, Error> {
    let input = ApproveInput { version, content_hash: None, message: None };
    let view = app.approve_request(&reviewer.at(at), id, input).await?.value().ok_or_else(|| impossible("approve"))?;
    view.permit.parse().map_err(impossible)
}

/// A few dozen requests, in every state.
async fn requests(app: &App, people: &People, now: Moment) -> Result<(), Error> {
    let (agency, _) = submitted(app, &people.agency, PARTICULIER, &stories::TRAVEL, now.plus_days(-18)).await?;
    let refusal = "Une agence de voyages n’a pas de base légale pour obtenir ces données.".to_owned();
    app.refuse_request(&people.reviewer.at(now.plus_days(-16)), agency, None, refusal).await?;
    let applicants: [(&Someone, &[Story]); 4] = [
        (&people.applicant, &stories::TOWN),
        (&people.ministry, &stories::MINISTRY),
        (&people.stranger, &stories::TOWN),
        (&people.vendor, &stories::VENDOR),
    ];
    for round in 0..9_usize {
        for (who, (by, told)) in applicants.into_iter().enumerate() {
            let place = round * applicants.len() + who;
            let fate = FATES.get(place % FATES.len()).copied().unwrap_or(Fate::Draft);
            let Some(story) = told.get((round + round / 3 + who) % told.len()) else { continue };
            let at = now.plus_days(-15).plus_seconds(i64::try_from(place).unwrap_or(0) * 29_000);
            live(app, people, Life { by, story, fate, at, round }).await?;
        }
    }
    Ok(())
}

/// What becomes of a request of the example.
struct Life<'a> {
    by: &'a Someone,
    story: &'a Story,
    fate: Fate,
    at: Moment,
    round: usize,
}

/// One of a few texts, in turn.
fn one_of(texts: &[&str], round: usize) -> String {
    texts.get(round % texts.len().max(1)).copied().unwrap_or_default().to_owned()
}

async fn live(app: &App, people: &People, life: Life<'_>) -> Result<(), Error> {
    let Life { by, story, fate, at, round } = life;
    let reviewer = |hours: i64| people.reviewer.at(at.plus_seconds(hours * 3_600));
    if matches!(fate, Fate::Draft | Fate::Archived) {
        let id = drafted(app, by, PARTICULIER, story, at, fate == Fate::Archived).await?;
        if fate == Fate::Archived {
            app.archive_request(&by.at(at.plus_seconds(7_200)), id).await?;
        }
        return Ok(());
    }
    let (id, version) = submitted(app, by, PARTICULIER, story, at).await?;
    match fate {
        Fate::ChangesRequested | Fate::Resubmitted => {
            app.request_changes(&reviewer(4), id, None, one_of(&stories::CHANGES, round)).await?;
            if fate == Fate::Resubmitted {
                app.submit_request(&by.at(at.plus_seconds(6 * 3_600)), id, None).await?;
            }
        }
        Fate::Refused => {
            app.refuse_request(&reviewer(5), id, None, one_of(&stories::REFUSALS, round)).await?;
        }
        Fate::Approved | Fate::Suspended | Fate::Revoked | Fate::Amended => {
            let permit = approve(app, &people.reviewer, id, version, at.plus_seconds(3 * 3_600)).await?;
            after(app, by, permit, fate, round, &reviewer(7)).await?;
        }
        Fate::Draft | Fate::Archived | Fate::Submitted => {}
    }
    Ok(())
}

async fn after(app: &App, by: &Someone, permit: Number<Permit>, fate: Fate, round: usize, reviewer: &Context) -> Result<(), Error> {
    match fate {
        Fate::Suspended => {
            app.move_permit(reviewer, permit, PermitMove::Suspend { reason: one_of(&stories::SUSPENSIONS, round) }).await?;
        }
        Fate::Revoked => {
            app.move_permit(reviewer, permit, PermitMove::Revoke { reason: one_of(&stories::REVOCATIONS, round) }).await?;
        }
        Fate::Amended => {
            app.follow_permit(&by.at(reviewer.now), permit, false).await?;
        }
        _ => {}
    }
    Ok(())
}

/// Applications with everything they need to call.
async fn clients(app: &App, people: &People, permit: Number<Permit>, tax: Number<Permit>, at: Moment) -> Result<Vec<Client>, Error> {
    let mut clients = Vec::new();
    for stage in [Stage::Sandbox, Stage::Production] {
        let restricted: &[(&str, Option<Number<Permit>>)] = match stage {
            Stage::Sandbox => &[("dinum/api-particulier", Some(permit)), ("dgfip/impot-particulier", Some(tax))],
            Stage::Production => &[("dinum/api-particulier", Some(permit))],
        };
        clients.push(client(app, &people.applicant, "Portail famille de Rivebelle", stage, restricted, at).await?);
        let open = [("dila/legifrance", None), ("cassation/judilibre", None)];
        clients.push(client(app, &people.vendor, "Veille juridique du Clocher", stage, &open, at).await?);
    }
    Ok(clients)
}

async fn client(
    app: &App,
    by: &Someone,
    name: &str,
    stage: Stage,
    apis: &[(&str, Option<Number<Permit>>)],
    at: Moment,
) -> Result<Client, Error> {
    let context = by.at(at);
    let new = NewApplication { name: name.to_owned(), stage, organization: by.organization, management: false };
    let view = app.create_application(&context, new).await?.value().ok_or_else(|| impossible("application"))?;
    let id: Id<Application> = view.id.parse().map_err(impossible)?;
    for (api, permit) in apis {
        let new = NewSubscription { api: api.parse().map_err(impossible)?, permit: *permit, plan: None, accept_terms: true };
        app.subscribe(&context, id, new).await?;
    }
    let mut secrets = Vec::new();
    for kind in [CredentialKind::ClientSecret, CredentialKind::ApiKey] {
        secrets.push(
            app.create_credential(&context, id, kind).await?.value().ok_or_else(|| impossible("credential"))?.secret.unwrap_or_default(),
        );
    }
    let mut secrets = secrets.into_iter();
    Ok(Client {
        name: name.to_owned(),
        stage: stage.to_string(),
        client_id: view.client_id,
        client_secret: secrets.next().unwrap_or_default(),
        api_key: secrets.next().unwrap_or_default(),
        apis: apis.iter().map(|(api, _)| (*api).to_owned()).collect(),
    })
}
