//! One call from its head to its last byte: what is known of it, for the answer's own headers and
//! for the trace, which is written when the call ends, however it ends.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use http::{HeaderValue, header, request::Parts};
use octroi_domain::{Moment, text::Language, trace::Trace};

use crate::{
    admit::{Standing, Times},
    denied::Reason,
    limits::monotonic_us,
    parse,
    published::Published,
    server::Connection,
    snapshot::App,
};

/// The status in the trace of a call whose client left before it was answered.
const CLIENT_LEFT: u16 = 499;

/// The instant, in microseconds since the epoch.
pub(crate) fn moment() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// A call in progress.
pub(crate) struct Call {
    pub connection: Arc<Connection>,
    pub started: Instant,
    pub times: Times,
    /// Visible ASCII.
    pub request_id: HeaderValue,
    /// For a refusal: what languages the caller reads.
    accept_language: Option<HeaderValue>,
    pub address: IpAddr,
    pub api: Option<Arc<Published>>,
    pub operation: Option<Arc<str>>,
    pub app: Option<Arc<App>>,
    pub standing: Option<Arc<Standing>>,
    pub status: u16,
    pub refusal: Option<Reason>,
    pub upstream_us: u64,
    pub request_bytes: u64,
    pub response_bytes: u64,
    pub masked_fields: u32,
}

impl Call {
    pub(crate) fn begin(connection: &Arc<Connection>, parts: &Parts) -> Box<Self> {
        let started = Instant::now();
        let now = moment();
        let times = Times { now, monotonic_us: monotonic_us(started), today: connection.worker.gateway.calendar.today(now.seconds()) };
        let watch = &connection.watch;
        watch.in_flight.fetch_add(1, Relaxed);
        Box::new(Self {
            started,
            times,
            request_id: parse::request_id(&parts.headers).cloned().unwrap_or_else(|| connection.worker.next_id(now)),
            accept_language: parts.headers.get(header::ACCEPT_LANGUAGE).cloned(),
            address: parse::client_address(connection.peer, &connection.worker.gateway.settings.trusted_proxies, &parts.headers),
            api: None,
            operation: None,
            app: None,
            standing: None,
            status: CLIENT_LEFT,
            refusal: None,
            upstream_us: 0,
            request_bytes: 0,
            response_bytes: 0,
            masked_fields: 0,
            connection: Arc::clone(connection),
        })
    }

    pub(crate) fn request_id_text(&self) -> &str {
        self.request_id.to_str().unwrap_or("-")
    }

    /// The language in which a refusal speaks.
    pub(crate) fn language(&self) -> Language {
        parse::language(self.accept_language.as_ref())
    }

    fn elapsed_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn trace(&mut self) -> Trace {
        let known = self.app.as_ref().map(|app| &app.known);
        let sub = self.standing.as_ref().map(|standing| &standing.sub);
        Trace {
            at: self.times.now,
            stage: self.connection.worker.gateway.settings.stage,
            request_id: self.request_id_text().to_owned(),
            api: self.api.as_ref().map(|api| api.name.clone()),
            operation: self.operation.as_deref().map(str::to_owned),
            status: self.status,
            refusal: self.refusal.map(|reason| reason.code().to_owned()),
            duration_us: self.elapsed_us(),
            upstream_us: self.upstream_us,
            request_bytes: self.request_bytes,
            response_bytes: self.response_bytes,
            application: known.map(|known| known.id),
            organization: known.map(|known| known.organization),
            permit: sub.and_then(|sub| sub.permit.as_ref()).map(|permit| permit.id),
            subscription: sub.map(|sub| sub.id),
            masked_fields: self.masked_fields,
            address: Some(self.address),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let trace = self.trace();
        self.connection.watch.in_flight.fetch_sub(1, Relaxed);
        self.connection.worker.stats.count(&trace, self.refusal);
        // A token or a key set is not a call of an API: it is counted, and leaves no trace.
        let own_endpoint = trace.api.is_none() && trace.operation.is_some();
        if !own_endpoint {
            self.connection.worker.gateway.traces.put(trace);
        }
    }
}
