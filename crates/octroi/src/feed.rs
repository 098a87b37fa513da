//! The feed between the two planes: changes go down as one snapshot, traces come up in batches.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use octroi_app::{App, Error, GatewayPort, MaskedSample};
use octroi_domain::{
    api::{ApiDocument, ApiName, OperationName},
    feed::GatewayState,
    scope::ScopeSet,
    stage::Stage,
};
use octroi_gateway::{Handle, mask::MaskPlan};
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::clock::now;

/// A lost notice costs at most this long; it is also how another node's change is seen.
const POLL: Duration = Duration::from_secs(1);
/// How long an answer waits for the gateway before it is given all the same.
const PATIENCE: Duration = Duration::from_secs(5);

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The end that the control plane holds.
pub struct Port {
    changed: Arc<Notify>,
    served: watch::Receiver<i64>,
    flush: mpsc::Sender<oneshot::Sender<()>>,
}

/// The end that the feed holds.
pub struct Ends {
    changed: Arc<Notify>,
    served: watch::Sender<i64>,
    /// Who waits for the traces so far to be written.
    pub flush: mpsc::Receiver<oneshot::Sender<()>>,
}

/// The two ends of the feed.
#[must_use]
pub fn channel() -> (Port, Ends) {
    let changed = Arc::new(Notify::new());
    let (served_tx, served) = watch::channel(-1);
    let (flush, flushes) = mpsc::channel(256);
    (Port { changed: changed.clone(), served, flush }, Ends { changed, served: served_tx, flush: flushes })
}

impl GatewayPort for Port {
    fn refresh(&self, version: i64) -> Boxed<'_, ()> {
        Box::pin(async move {
            self.changed.notify_one();
            let mut served = self.served.clone();
            let caught_up = tokio::time::timeout(PATIENCE, served.wait_for(|at| *at >= version)).await;
            if !matches!(caught_up, Ok(Ok(_))) {
                // The view ages from here on: restricted APIs are refused when it is too old.
                tracing::error!(version, "the gateway has not taken the change yet");
            }
        })
    }

    fn flush_traces(&self) -> Boxed<'_, ()> {
        Box::pin(async move {
            let (done, wait) = oneshot::channel();
            if self.flush.send(done).await.is_ok() {
                // The writer answers, or has ended; either way there is nothing more to wait for.
                let _ = tokio::time::timeout(PATIENCE, wait).await;
            }
        })
    }

    fn masked_sample(&self, document: &ApiDocument, operation: &OperationName, granted: &ScopeSet) -> Option<MaskedSample> {
        masked_sample(document, operation, granted)
    }
}

/// The sample is the first case file that succeeds, else the example of the OpenAPI document.
fn masked_sample(document: &ApiDocument, operation: &OperationName, granted: &ScopeSet) -> Option<MaskedSample> {
    let contract = document.api.contracts.iter().find(|contract| contract.operations.contains(operation))?;
    let cases = document.mocks.iter().filter(|case| case.operation == *operation && (200..300).contains(&case.status));
    let whole = match cases.min_by(|one, other| one.source.cmp(&other.source)) {
        Some(case) => case.payload.clone(),
        None => {
            let operations = octroi_gateway::openapi::operations(&document.openapi).ok()?;
            operations.into_iter().find(|found| found.name == *operation)?.example?.body
        }
    };
    let mut masked = Vec::with_capacity(whole.len());
    let removed = MaskPlan::compile(contract).mask_for(granted).apply(whole.as_bytes(), &mut masked).ok()?;
    Some(MaskedSample { whole, masked: String::from_utf8(masked).ok()?, removed })
}

/// Documents that are compiled already: only new versions are read.
#[derive(Default)]
struct Documents(Mutex<HashMap<(ApiName, i64), Arc<ApiDocument>>>);
impl Documents {
    fn known(&self, name: &ApiName, version: i64) -> Option<Arc<ApiDocument>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(name.clone(), version)).cloned()
    }

    fn keep(&self, state: &GatewayState) {
        let current = state.apis.iter().map(|api| ((api.name.clone(), api.version), api.document.clone())).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = current;
    }
}

/// Publishes each change to both gateways, until the program ends.
pub async fn publish_changes(app: App, handles: Arc<HashMap<Stage, Handle>>, ends_changed: Publisher) {
    let documents = Documents::default();
    let mut served = -1;
    loop {
        match publish(&app, &handles, &documents, served).await {
            Ok(version) => {
                served = version;
                ends_changed.served.send_replace(version);
                handles.values().for_each(Handle::confirm);
            }
            Err(error) => tracing::error!(%error, "the gateways keep their last good view"),
        }
        tokio::select! {
            () = ends_changed.changed.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// What [`publish_changes`] needs of the feed's end.
pub struct Publisher {
    changed: Arc<Notify>,
    served: watch::Sender<i64>,
}
impl Ends {
    /// Parts the end: one half publishes changes, the other hears who waits for traces.
    #[must_use]
    pub fn split(self) -> (Publisher, mpsc::Receiver<oneshot::Sender<()>>) {
        (Publisher { changed: self.changed, served: self.served }, self.flush)
    }
}

/// Brings every gateway to the committed version; returns it.
async fn publish(app: &App, handles: &HashMap<Stage, Handle>, documents: &Documents, served: i64) -> Result<i64, Error> {
    let version = app.gateway_version().await?;
    if version == served {
        return Ok(version);
    }
    let mut oldest = i64::MAX;
    for (stage, handle) in handles {
        let known = |name: &ApiName, version: i64| documents.known(name, version);
        let state = app.gateway_state(*stage, now(), &known).await?;
        handle.publish(&state).map_err(|error| Error::Internal(format!("{stage}: {error}")))?;
        documents.keep(&state);
        oldest = oldest.min(state.version);
    }
    Ok(oldest)
}

/// For commands: a server that runs beside them sees the change within a second.
pub struct NoGateway;
impl GatewayPort for NoGateway {
    fn refresh(&self, _version: i64) -> Boxed<'_, ()> {
        Box::pin(async {})
    }

    fn flush_traces(&self) -> Boxed<'_, ()> {
        Box::pin(async {})
    }

    fn masked_sample(&self, document: &ApiDocument, operation: &OperationName, granted: &ScopeSet) -> Option<MaskedSample> {
        masked_sample(document, operation, granted)
    }
}
