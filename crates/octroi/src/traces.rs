//! Traces come up from the gateways in batches, and are stored before anybody is told of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use octroi_app::App;
use octroi_domain::trace::Trace;
use octroi_gateway::trace::{TraceSink, TraceSource};
use tokio::sync::{mpsc, oneshot, watch};

/// Traces written in one transaction, at most.
const BATCH: usize = 4_000;
/// How long traces are gathered, unless somebody waits for them: a commit costs the same for one as for many.
const PACE: Duration = Duration::from_millis(100);
/// How long to look for the last traces once the gateways have ended.
const LAST: Duration = Duration::from_millis(100);
/// How long to wait before trying again when the store does not take a batch.
const RETRY: Duration = Duration::from_millis(500);

/// How many traces of a stage were stored.
#[derive(Default)]
pub struct Stored(AtomicU64);
impl Stored {
    fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Release);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Writes one stage's traces until the program stops and everything is written.
pub async fn write(app: App, mut source: TraceSource, stored: Arc<Stored>, mut stopping: watch::Receiver<bool>) {
    replay(&app, &source, &stored).await;
    loop {
        // Nothing is in hand while it sleeps, so that leaving it loses nothing.
        let batch = tokio::select! {
            batch = source.next_batch(BATCH, PACE) => batch,
            () = stopped(&mut stopping) => None,
        };
        // Once the gateways have ended, what is left is read until there is no more.
        let batch = match batch {
            None => {
                source.hurry();
                tokio::time::timeout(LAST, source.next_batch(BATCH, PACE)).await.unwrap_or_default()
            }
            some => some,
        };
        let Some(batch) = batch else { break };
        while let Err(error) = app.take_traces(&batch).await {
            tracing::error!(%error, traces = batch.len(), "traces wait: the store does not take them");
            if *stopping.borrow() {
                // The process must end: what the store did not take goes to the file, and is read at the next start.
                put_back(&source, &batch);
                while let Ok(Some(more)) = tokio::time::timeout(PACE * 2, source.next_batch(BATCH, PACE)).await {
                    put_back(&source, &more);
                }
                return;
            }
            tokio::time::sleep(RETRY).await;
        }
        stored.add(batch.len());
        replay(&app, &source, &stored).await;
    }
    replay(&app, &source, &stored).await;
}

/// Stores what had spilled to the file, in this run or an earlier one.
async fn replay(app: &App, source: &TraceSource, stored: &Stored) {
    match source.take_spilled() {
        Ok(None) => {}
        Ok(Some(spilled)) => {
            let count = spilled.traces.len();
            let mut taken = true;
            for batch in spilled.traces.chunks(BATCH) {
                taken &= app.take_traces(batch).await.is_ok();
            }
            if taken && spilled.done().is_ok() {
                stored.add(count);
                tracing::info!(traces = count, "spilled traces are stored");
            }
        }
        Err(error) => tracing::error!(%error, "spilled traces cannot be read"),
    }
}

/// Answers who waits for the traces so far.
pub async fn answer_flushes(mut waiting: mpsc::Receiver<oneshot::Sender<()>>, stages: Vec<(TraceSink, Arc<Stored>)>) {
    while let Some(done) = waiting.recv().await {
        let targets: Vec<u64> = stages.iter().map(|(sink, _)| sink.put_count()).collect();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(4);
        let behind = || stages.iter().zip(&targets).any(|((_, stored), target)| stored.count() < *target);
        while behind() && tokio::time::Instant::now() < deadline {
            stages.iter().for_each(|(sink, _)| sink.hurry());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // The one who waits may have left.
        let _ = done.send(());
    }
}

fn put_back(source: &TraceSource, batch: &[Trace]) {
    if let Err(error) = source.put_back(batch) {
        tracing::error!(%error, traces = batch.len(), "traces are lost: neither the store nor the file takes them");
    }
}

/// Waits until the program stops.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // The sender lives as long as the program: its end is a stop too.
    let _ = stopping.wait_for(|stop| *stop).await.map(|stop| *stop);
}
