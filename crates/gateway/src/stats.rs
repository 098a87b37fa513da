//! Counters for the operator: kept by each thread for itself, added up when they are asked for.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use octroi_domain::{stage::Stage, trace::Trace};

use crate::denied::Reason;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// What a gateway has counted since it started.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)+
            /// Refusals by code, those that happened.
            pub refusals: Vec<(&'static str, u64)>,
        }
        /// The counters of one thread.
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)+
            refusals: Vec<AtomicU64>,
        }
        impl Default for Counters {
            fn default() -> Self {
                Self { $($name: AtomicU64::new(0),)+ refusals: Reason::ALL.iter().map(|_| AtomicU64::new(0)).collect() }
            }
        }
        impl Counters {
            pub(crate) fn add_to(&self, stats: &mut Stats) {
                $(stats.$name += self.$name.load(Relaxed);)+
                for (reason, count) in Reason::ALL.iter().zip(&self.refusals) {
                    let count = count.load(Relaxed);
                    if count > 0 {
                        match stats.refusals.iter_mut().find(|(code, _)| *code == reason.code()) {
                            Some((_, sum)) => *sum += count,
                            None => stats.refusals.push((reason.code(), count)),
                        }
                    }
                }
            }
        }
    };
}

counters! {
    /// Calls that ended.
    calls,
    /// Of which the gateway refused.
    refused,
    answered_2xx,
    answered_3xx,
    answered_4xx,
    answered_5xx,
    /// Clients that left before the answer.
    abandoned,
    request_bytes,
    response_bytes,
    masked_fields,
    /// Sum of the durations of calls, microseconds.
    duration_us,
    /// Of which waiting for upstreams, microseconds.
    upstream_us,
    tokens_issued,
    connections_opened,
    connections_closed,
    upstream_connections,
}

impl Counters {
    pub(crate) fn count(&self, trace: &Trace, refusal: Option<Reason>) {
        let bump = |counter: &AtomicU64, by: u64| counter.fetch_add(by, Relaxed);
        bump(&self.calls, 1);
        bump(
            match trace.status {
                499 => &self.abandoned,
                ..=299 => &self.answered_2xx,
                300..=399 => &self.answered_3xx,
                400..=498 => &self.answered_4xx,
                _ => &self.answered_5xx,
            },
            1,
        );
        bump(&self.request_bytes, trace.request_bytes);
        bump(&self.response_bytes, trace.response_bytes);
        bump(&self.masked_fields, u64::from(trace.masked_fields));
        bump(&self.duration_us, trace.duration_us);
        bump(&self.upstream_us, trace.upstream_us);
        if let Some(reason) = refusal {
            bump(&self.refused, 1);
            if let Some(counter) = self.refusals.get(reason as usize) {
                bump(counter, 1);
            }
        }
    }
}

impl Stats {
    /// Writes the counters in the text format of Prometheus (version 0.0.4).
    pub fn prometheus(&self, stage: Stage, text: &mut String) {
        use std::fmt::Write;
        let counters = [
            ("octroi_calls_total", self.calls),
            ("octroi_calls_refused_total", self.refused),
            ("octroi_calls_abandoned_total", self.abandoned),
            ("octroi_request_bytes_total", self.request_bytes),
            ("octroi_response_bytes_total", self.response_bytes),
            ("octroi_masked_fields_total", self.masked_fields),
            ("octroi_call_duration_microseconds_total", self.duration_us),
            ("octroi_upstream_duration_microseconds_total", self.upstream_us),
            ("octroi_tokens_issued_total", self.tokens_issued),
            ("octroi_connections_opened_total", self.connections_opened),
            ("octroi_connections_closed_total", self.connections_closed),
            ("octroi_upstream_connections_total", self.upstream_connections),
        ];
        // Writing into a String does not fail.
        for (name, value) in counters {
            let _ = writeln!(text, "{name}{{stage=\"{stage}\"}} {value}");
        }
        for (class, value) in
            [("2xx", self.answered_2xx), ("3xx", self.answered_3xx), ("4xx", self.answered_4xx), ("5xx", self.answered_5xx)]
        {
            let _ = writeln!(text, "octroi_answers_total{{stage=\"{stage}\",class=\"{class}\"}} {value}");
        }
        for (code, value) in &self.refusals {
            let _ = writeln!(text, "octroi_refusals_total{{stage=\"{stage}\",code=\"{code}\"}} {value}");
        }
    }
}
