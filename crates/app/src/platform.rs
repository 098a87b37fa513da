//! The platform as its operator sees it: mails that wait, what is published and since when, settings,
//! health, and what runs by itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use octroi_domain::{
    Moment, Slug,
    api::{Access, ApiName, Visibility},
    policy::{Action, Subject},
    stage::Stage,
    text::Text,
};
use octroi_store::{OutboxCounts, OutboxRow, OutboxState, Page, StoredApi, StoredDefinition, VersionIndex};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    view::List,
};

/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the program tells of itself; the binary implements it.
pub trait HostPort: Send + Sync {
    /// Every setting in force but secrets.
    fn settings(&self) -> Vec<SettingView>;
    fn gateways(&self) -> Vec<GatewayHealth>;
    /// None: it cannot be told.
    fn disk(&self) -> Option<DiskHealth>;
}

/// A setting in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SettingView {
    /// As in the file: `gateway.max_view_age`.
    pub name: String,
    pub value: String,
    /// Is it what it would be if nobody had set it?
    pub is_default: bool,
}

/// One gateway of this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GatewayHealth {
    /// `sandbox` or `production`.
    pub stage: String,
    /// Is its view fresh enough for restricted APIs?
    pub ready: bool,
    /// The version of its view; none before the first.
    pub version: Option<i64>,
    /// Milliseconds since the view was last known to be current.
    pub view_age_ms: Option<u64>,
    /// Traces that found no room in memory or on the disk since the start.
    pub traces_lost: u64,
}

/// The disk of the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DiskHealth {
    pub free_bytes: u64,
    pub total_bytes: u64,
}

/// How a job went the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobRun {
    at: Moment,
    took: Duration,
    /// What went wrong last, and when.
    failed: Option<(Moment, String)>,
}
/// The jobs of this process, by name.
pub(crate) type Jobs = std::sync::Mutex<BTreeMap<&'static str, JobRun>>;

/// A job that runs by itself on this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobView {
    pub name: String,
    pub last_run_at: String,
    pub took_ms: u64,
    pub last_error: Option<String>,
    pub last_error_at: Option<String>,
}

/// Is everything as it must be?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HealthView {
    /// Milliseconds that the database took to answer; none: it did not.
    pub database_ms: Option<u64>,
    /// The version of the state that gateways are to serve.
    pub state_version: Option<i64>,
    pub gateways: Vec<GatewayHealth>,
    pub outbox: Option<OutboxCountsView>,
    pub disk: Option<DiskHealth>,
    pub jobs: Vec<JobView>,
}

/// How many mails wait, failed and left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutboxCountsView {
    pub waiting: u64,
    pub failed: u64,
    pub done: u64,
    /// When the oldest that waits was written.
    pub oldest_waiting: Option<String>,
}
impl From<OutboxCounts> for OutboxCountsView {
    fn from(counts: OutboxCounts) -> Self {
        Self {
            waiting: counts.waiting,
            failed: counts.failed,
            done: counts.done,
            oldest_waiting: counts.oldest_waiting.map(|at| at.to_string()),
        }
    }
}

/// A mail of the outbox, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutboxLine {
    pub id: i64,
    /// `waiting`, `failed` or `done`.
    pub state: String,
    pub to: String,
    pub subject: String,
    pub created_at: String,
    pub attempts: u32,
    /// When it is tried next; for one that waits.
    pub next_attempt_at: Option<String>,
    pub last_error: Option<String>,
    pub ended_at: Option<String>,
}
impl From<OutboxRow> for OutboxLine {
    fn from(row: OutboxRow) -> Self {
        Self {
            id: row.id,
            state: row.state.as_str().to_owned(),
            to: row.to,
            subject: row.subject,
            created_at: row.created_at.to_string(),
            attempts: row.attempts,
            next_attempt_at: (row.state == OutboxState::Waiting).then(|| row.next_attempt_at.to_string()),
            last_error: row.last_error,
            ended_at: row.ended_at.map(|at| at.to_string()),
        }
    }
}

/// How many mails will be tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RetriedView {
    pub retried: u64,
}

/// A definition and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DefinitionState {
    pub slug: String,
    pub provider: String,
    #[schema(value_type = Object)]
    pub name: Text,
    pub version: i64,
    pub published_at: String,
    /// Offered no more; its permits go on.
    pub retired: bool,
    pub startable: bool,
    pub apis: Vec<String>,
    pub forms: Vec<String>,
    /// What the lint of this program finds wrong with it: nothing, unless it was published before a rule was added.
    pub faults: Vec<String>,
    /// The latest first; left out of lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<VersionView>,
}

/// An API and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApiState {
    /// `provider/api`.
    pub name: String,
    #[schema(value_type = Object)]
    pub title: Text,
    pub version: i64,
    pub published_at: String,
    /// Published no more.
    pub withdrawn: bool,
    /// `public` or `private`.
    pub visibility: String,
    /// `open`, `approval` or `permit`.
    pub access: String,
    pub mount: String,
    pub stages: Vec<ApiStage>,
    pub versions: Vec<VersionView>,
}

/// A stage that an API is open on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApiStage {
    pub stage: String,
    /// Where calls go; none: prepared answers.
    pub upstream: Option<String>,
}

/// A published version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VersionView {
    pub version: i64,
    pub published_at: String,
    /// SHA-256 of the content.
    pub hash: String,
}
impl From<VersionIndex> for VersionView {
    fn from(index: VersionIndex) -> Self {
        Self { version: index.version, published_at: index.created_at.to_string(), hash: index.hash.to_string() }
    }
}

impl App {
    /// Says who tells of the program; once, at the start. Commands and tests do without.
    pub fn attach_host(&self, host: Arc<dyn HostPort>) {
        let _ = self.inner.host.set(host);
    }

    /// Notes how a job went, for the operator.
    pub fn job_ran(&self, name: &'static str, at: Moment, took: Duration, error: Option<String>) {
        let mut jobs = self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let before = jobs.get(name).and_then(|run| run.failed.clone());
        jobs.insert(name, JobRun { at, took, failed: error.map(|error| (at, error)).or(before) });
    }

    /// May one run the platform? For a page that only shows a form.
    ///
    /// # Errors
    /// The policy's refusal.
    pub fn manage(context: &Context) -> Result<(), Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)
    }

    /// The mails of the outbox, the newest first.
    pub async fn list_outbox(&self, context: &Context, state: Option<OutboxState>, page: Page) -> Result<List<OutboxLine>, Error> {
        Self::manage(context)?;
        let listing = self.inner.store.read().outbox_list(state, page).await?;
        Ok(List { next: listing.next.map(|cursor| cursor.to_string()), items: listing.items.into_iter().map(OutboxLine::from).collect() })
    }

    pub async fn count_outbox(&self, context: &Context) -> Result<OutboxCountsView, Error> {
        Self::manage(context)?;
        Ok(self.inner.store.read().outbox_counts().await?.into())
    }

    /// Tries a mail again now.
    pub async fn retry_mail(&self, context: &Context, id: i64) -> Result<Done<OutboxLine>, Error> {
        Self::manage(context)?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        if tx.outbox_row(id).await?.is_none() {
            return Err(Error::NotFound);
        }
        tx.outbox_retry(id, context.now).await.map_err(|error| {
            if error.is_stale() {
                Error::conflict("already_sent", "Ce courriel est déjà parti.", "This mail has left already.")
            } else {
                error.into()
            }
        })?;
        tx.record(context.now, &context.principal.actor(), "mail.retried", &format!("mail:{id}"), json!({}));
        let row = tx.outbox_row(id).await?.ok_or(Error::NotFound)?;
        self.finish(context, tx, 200, row.into()).await
    }

    /// Tries every mail that failed again now.
    pub async fn retry_failed_mails(&self, context: &Context) -> Result<Done<RetriedView>, Error> {
        Self::manage(context)?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let retried = tx.outbox_retry_failed(context.now).await?;
        if retried > 0 {
            tx.record(context.now, &context.principal.actor(), "mail.retried", "mails", json!({ "count": retried }));
        }
        self.finish(context, tx, 200, RetriedView { retried }).await
    }

    /// Every definition, retired ones too, with what the lint says of it.
    pub async fn list_definition_states(&self, context: &Context) -> Result<Vec<DefinitionState>, Error> {
        Self::manage(context)?;
        let stored = self.inner.store.read().definition_list().await?;
        Ok(stored.iter().map(|stored| definition_state(stored, Vec::new(), context.now)).collect())
    }

    /// One definition, with its versions.
    pub async fn read_definition_state(&self, context: &Context, slug: &Slug) -> Result<DefinitionState, Error> {
        Self::manage(context)?;
        let reader = self.inner.store.read();
        let stored = reader.definition_current(slug).await?.ok_or(Error::NotFound)?;
        Ok(definition_state(&stored, reader.definition_versions(slug).await?, context.now))
    }

    /// Every API, private and withdrawn ones too, with its versions and stages.
    pub async fn list_api_states(&self, context: &Context) -> Result<Vec<ApiState>, Error> {
        Self::manage(context)?;
        let reader = self.inner.store.read();
        let mut states = Vec::new();
        for stored in reader.api_list().await? {
            states.push(api_state(&stored, reader.api_versions(&stored.name).await?));
        }
        Ok(states)
    }

    /// The settings in force, secrets left out.
    pub fn settings_in_force(&self, context: &Context) -> Result<Vec<SettingView>, Error> {
        Self::manage(context)?;
        Ok(self.inner.host.get().map(|host| host.settings()).unwrap_or_default())
    }

    /// How the platform is: told even when the database is not there.
    pub async fn health(&self, context: &Context) -> Result<HealthView, Error> {
        Self::manage(context)?;
        let begun = Instant::now();
        let answers = matches!(tokio::time::timeout(PATIENCE, self.inner.store.ping()).await, Ok(Ok(())));
        let database_ms = answers.then(|| u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
        let (state_version, outbox) = if answers {
            (Some(self.gateway_version().await?), Some(self.inner.store.read().outbox_counts().await?.into()))
        } else {
            (None, None)
        };
        let host = self.inner.host.get();
        Ok(HealthView {
            database_ms,
            state_version,
            gateways: host.map(|host| host.gateways()).unwrap_or_default(),
            outbox,
            disk: host.and_then(|host| host.disk()),
            jobs: self.job_views(),
        })
    }

    fn job_views(&self) -> Vec<JobView> {
        let jobs = self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let view = |(name, run): (&&'static str, &JobRun)| JobView {
            name: (*name).to_owned(),
            last_run_at: run.at.to_string(),
            took_ms: u64::try_from(run.took.as_millis()).unwrap_or(u64::MAX),
            last_error: run.failed.as_ref().map(|(_, error)| error.clone()),
            last_error_at: run.failed.as_ref().map(|(at, _)| at.to_string()),
        };
        jobs.iter().map(view).collect()
    }
}

fn definition_state(stored: &StoredDefinition, versions: Vec<VersionIndex>, now: Moment) -> DefinitionState {
    let definition = &stored.definition;
    DefinitionState {
        slug: stored.slug.to_string(),
        provider: definition.provider.to_string(),
        name: definition.name.clone(),
        version: stored.version,
        published_at: stored.created_at.to_string(),
        retired: stored.retired,
        startable: definition.startable,
        apis: definition.apis.iter().map(ApiName::to_string).collect(),
        forms: definition.forms.iter().map(|form| form.slug.to_string()).collect(),
        faults: definition.lint(now),
        versions: versions.into_iter().map(VersionView::from).collect(),
    }
}

fn api_state(stored: &StoredApi, versions: Vec<VersionIndex>) -> ApiState {
    let api = &stored.document.api;
    let stage = |stage: Stage| {
        let backend = api.backends.of(stage)?;
        Some(ApiStage { stage: stage.to_string(), upstream: backend.upstream.clone() })
    };
    ApiState {
        name: stored.name.to_string(),
        title: api.name.clone(),
        version: stored.version,
        published_at: stored.created_at.to_string(),
        withdrawn: stored.withdrawn,
        visibility: match api.visibility {
            Visibility::Public => "public",
            Visibility::Private => "private",
        }
        .to_owned(),
        access: match api.access {
            Access::Open => "open",
            Access::Approval => "approval",
            Access::Permit { .. } => "permit",
        }
        .to_owned(),
        mount: api.mount.clone(),
        stages: Stage::ALL.into_iter().filter_map(stage).collect(),
        versions: versions.into_iter().map(VersionView::from).collect(),
    }
}
