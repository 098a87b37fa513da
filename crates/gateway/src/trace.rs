//! Traces leave through a bounded channel. When it is full they spill to a local file; when that
//! fails too they are kept in memory, and restricted calls are refused until it works again.

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use octroi_domain::trace::Trace;
use tokio::sync::{Notify, mpsc};

/// Traces kept in memory when they can go nowhere: the calls that were in flight when that began.
const MAX_RETAINED: usize = 16_384;
/// How often the reader looks, within its pace, whether much has come.
const LOOKS: u32 = 5;
/// Longest line of a spill file that is read back, bytes.
const MAX_LINE: usize = 16_384;

struct Spill {
    path: PathBuf,
    file: Option<File>,
    retained: VecDeque<Trace>,
}

struct Shared {
    spill: Mutex<Spill>,
    broken: AtomicBool,
    /// How many traces were handed in.
    put: AtomicU64,
    spilled: AtomicU64,
    lost: AtomicU64,
    /// Somebody waits for what was put.
    hurried: Notify,
}

/// Where the gateway's threads put traces.
#[derive(Clone)]
pub struct TraceSink {
    channel: mpsc::Sender<Trace>,
    shared: Arc<Shared>,
}

/// Where the control plane takes them from.
pub struct TraceSource {
    channel: mpsc::Receiver<Trace>,
    shared: Arc<Shared>,
}

/// A channel for `capacity` traces, with the file that they spill to when it is full.
#[must_use]
pub fn channel(capacity: usize, spill: PathBuf) -> (TraceSink, TraceSource) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    let shared = Arc::new(Shared {
        spill: Mutex::new(Spill { path: spill, file: None, retained: VecDeque::new() }),
        broken: AtomicBool::new(false),
        put: AtomicU64::new(0),
        spilled: AtomicU64::new(0),
        lost: AtomicU64::new(0),
        hurried: Notify::new(),
    });
    (TraceSink { channel: sender, shared: Arc::clone(&shared) }, TraceSource { channel: receiver, shared })
}

impl TraceSink {
    /// Hands a trace over; never waits, but for a write to the local file when the channel is full.
    pub fn put(&self, trace: Trace) {
        self.shared.put.fetch_add(1, Relaxed);
        if let Err(mpsc::error::TrySendError::Full(trace) | mpsc::error::TrySendError::Closed(trace)) = self.channel.try_send(trace) {
            self.spill(trace);
        }
    }

    /// How many traces were handed in since the start: a reader that has stored as many has stored all.
    #[must_use]
    pub fn put_count(&self) -> u64 {
        self.shared.put.load(Relaxed)
    }

    /// Has the reader look now rather than at its pace.
    pub fn hurry(&self) {
        self.shared.hurried.notify_one();
    }

    fn spill(&self, trace: Trace) {
        let mut spill = self.shared.spill.lock().unwrap_or_else(PoisonError::into_inner);
        spill.retained.push_back(trace);
        self.drain(&mut spill);
        if spill.retained.len() > MAX_RETAINED {
            spill.retained.pop_front();
            self.shared.lost.fetch_add(1, Relaxed);
        }
    }

    /// Writes what is retained; says whether all of it is out of memory.
    fn drain(&self, spill: &mut Spill) {
        while let Some(trace) = spill.retained.front() {
            if let Err(error) = append(&spill.path, &mut spill.file, trace) {
                spill.file = None;
                if !self.shared.broken.swap(true, Relaxed) {
                    tracing::error!(%error, path = %spill.path.display(), "traces can be neither handed over nor spilled: restricted calls are refused");
                }
                return;
            }
            spill.retained.pop_front();
            self.shared.spilled.fetch_add(1, Relaxed);
        }
        self.shared.broken.store(false, Relaxed);
    }

    /// Can the trace of a restricted call be kept? When it could not, this tries again.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        if !self.shared.broken.load(Relaxed) {
            return true;
        }
        let mut spill = self.shared.spill.lock().unwrap_or_else(PoisonError::into_inner);
        // What was retained goes to the channel first, when there is room again.
        while let Some(trace) = spill.retained.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(trace) | mpsc::error::TrySendError::Closed(trace)) = self.channel.try_send(trace) {
                spill.retained.push_front(trace);
                break;
            }
        }
        self.drain(&mut spill);
        !self.shared.broken.load(Relaxed)
    }

    /// How many traces went to the file, and how many found no place at all.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.shared.spilled.load(Relaxed), self.shared.lost.load(Relaxed))
    }
}

fn append(path: &Path, file: &mut Option<File>, trace: &Trace) -> io::Result<()> {
    let mut line = serde_json::to_vec(trace)?;
    line.push(b'\n');
    let file = match file {
        Some(file) => file,
        None => {
            let opened = file.insert(OpenOptions::new().create(true).append(true).open(path)?);
            // An earlier write may have ended in the middle of a line.
            opened.write_all(b"\n")?;
            opened
        }
    };
    file.write_all(&line)
}

/// Spilled traces that were read back; [`Spilled::done`] once they are stored.
pub struct Spilled {
    pub traces: Vec<Trace>,
    path: PathBuf,
}
impl Spilled {
    /// The traces are stored: their file goes.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn done(self) -> io::Result<()> {
        std::fs::remove_file(self.path)
    }
}

impl TraceSource {
    /// Has the next batch be what there is now.
    pub fn hurry(&self) {
        self.shared.hurried.notify_one();
    }

    /// The next traces, at most `max`: those of one `pace`, or as soon as half of `max` is there, or
    /// at once when [`TraceSink::hurry`] asks. No call wakes the reader, so that none pays for it.
    /// `None` once every sink is gone and all is read. Nothing is lost when this is dropped early.
    pub async fn next_batch(&mut self, max: usize, pace: Duration) -> Option<Vec<Trace>> {
        let mut batch = Vec::new();
        let look = (pace / LOOKS).max(Duration::from_millis(1));
        loop {
            for _ in 0..LOOKS {
                if self.channel.len() >= (max / 2).max(1) {
                    break;
                }
                tokio::select! {
                    () = tokio::time::sleep(look) => {}
                    () = self.shared.hurried.notified() => break,
                }
            }
            while batch.len() < max {
                match self.channel.try_recv() {
                    Ok(trace) => batch.push(trace),
                    Err(mpsc::error::TryRecvError::Empty) => break,
                    Err(mpsc::error::TryRecvError::Disconnected) => return (!batch.is_empty()).then_some(batch),
                }
            }
            if !batch.is_empty() {
                return Some(batch);
            }
        }
    }

    /// Keeps traces that the store did not take, for the next start.
    ///
    /// # Errors
    /// When they cannot be written; the error is the file's.
    pub fn put_back(&self, traces: &[Trace]) -> io::Result<()> {
        let mut spill = self.shared.spill.lock().unwrap_or_else(PoisonError::into_inner);
        let Spill { path, file, .. } = &mut *spill;
        traces.iter().try_for_each(|trace| append(path, file, trace))
    }

    /// What has spilled, now or in an earlier run; `None` when nothing has. Lines that cannot be read
    /// (a write that a power cut ended) are left out and reported in the log.
    ///
    /// # Errors
    /// When the file cannot be moved aside or read.
    pub fn take_spilled(&self) -> io::Result<Option<Spilled>> {
        let mut spill = self.shared.spill.lock().unwrap_or_else(PoisonError::into_inner);
        let aside = spill.path.with_extension("replay");
        if !aside.exists() {
            match std::fs::rename(&spill.path, &aside) {
                Ok(()) => spill.file = None,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        drop(spill);
        let mut traces = Vec::new();
        for line in BufReader::new(File::open(&aside)?).split(b'\n') {
            let line = line?;
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice(line.get(..line.len().min(MAX_LINE)).unwrap_or_default()) {
                Ok(trace) => traces.push(trace),
                Err(error) => tracing::warn!(%error, path = %aside.display(), "a spilled trace cannot be read"),
            }
        }
        Ok(Some(Spilled { traces, path: aside }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use octroi_domain::{Moment, stage::Stage};

    fn trace(id: &str) -> Trace {
        Trace {
            at: Moment::from_micros(1),
            stage: Stage::Sandbox,
            request_id: id.into(),
            api: None,
            operation: None,
            status: 404,
            refusal: Some("unknown_route".into()),
            duration_us: 1,
            upstream_us: 0,
            request_bytes: 0,
            response_bytes: 0,
            application: None,
            organization: None,
            permit: None,
            subscription: None,
            masked_fields: 0,
            address: None,
        }
    }
    fn folder() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("octroi-trace-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }
    fn ids(traces: &[Trace]) -> Vec<&str> {
        traces.iter().map(|trace| trace.request_id.as_str()).collect()
    }

    #[tokio::test]
    async fn a_full_channel_spills_and_nothing_is_lost() {
        let folder = folder();
        let (sink, mut source) = channel(2, folder.join("spill.jsonl"));
        for id in ["a", "b", "c", "d"] {
            sink.put(trace(id));
        }
        assert!(sink.is_writable());
        assert_eq!(ids(&source.next_batch(10, Duration::from_millis(1)).await.unwrap()), ["a", "b"]);
        let spilled = source.take_spilled().unwrap().unwrap();
        assert_eq!(ids(&spilled.traces), ["c", "d"]);
        // Until they are stored they are found again.
        assert_eq!(ids(&source.take_spilled().unwrap().unwrap().traces), ["c", "d"]);
        spilled.done().unwrap();
        assert!(source.take_spilled().unwrap().is_none());
        drop(sink);
        assert!(source.next_batch(10, Duration::from_millis(1)).await.is_none());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn when_nothing_takes_traces_it_says_so_until_it_works_again() {
        let folder = folder();
        let missing = folder.join("missing");
        let (sink, mut source) = channel(1, missing.join("spill.jsonl"));
        for id in ["a", "b", "c"] {
            sink.put(trace(id));
        }
        assert!(!sink.is_writable());
        std::fs::create_dir(&missing).unwrap();
        assert!(sink.is_writable());
        assert_eq!(ids(&source.next_batch(10, Duration::from_millis(1)).await.unwrap()), ["a"]);
        assert_eq!(ids(&source.take_spilled().unwrap().unwrap().traces), ["b", "c"]);
        assert_eq!(sink.counts(), (2, 0));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
