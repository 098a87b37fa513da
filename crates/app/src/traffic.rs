//! Figures of calls: how many, how they ended, how long they took, who called most.

use std::collections::BTreeMap;

use octroi_domain::{
    Moment,
    calendar::Zone,
    policy::{Action, Subject},
    refusal::Reason,
    text::Text,
    traffic::Durations,
};
use octroi_store::{CallsOfApplication, HourOfCalls, Reader, TraceFilter};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    context::{App, Context},
    error::Error,
    traces::{TraceCountView, visible},
};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Up to this long, figures are by the hour.
const BY_HOUR: i64 = 2 * DAY;
/// The longest time that is answered for: more points would say less.
const LONGEST: i64 = 400 * DAY;
/// Consumers that are named.
const CONSUMERS: u32 = 20;

/// How many calls there were, and how they ended. Durations are of the calls that the upstream answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct FiguresView {
    pub calls: u64,
    /// Of which the gateway refused.
    pub refused: u64,
    /// Of which the upstream answered 4xx.
    pub client_errors: u64,
    /// Of which the upstream failed: 5xx, or no answer that could be passed on.
    pub server_errors: u64,
    /// The duration that half of the calls do not exceed, microseconds.
    pub p50_us: Option<u64>,
    /// The duration that 95 % of the calls do not exceed, microseconds.
    pub p95_us: Option<u64>,
}

/// The figures of one hour or one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PointView {
    /// When it begins.
    pub at: String,
    #[serde(flatten)]
    pub figures: FiguresView,
}

/// Calls that the gateway refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefusedView {
    pub code: String,
    pub calls: u64,
    /// What it means, and what to do.
    #[serde(flatten)]
    pub words: Option<RefusalWords>,
}

/// The words of a refusal of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefusalWords {
    #[schema(value_type = Object)]
    pub title: Text,
    #[schema(value_type = Object)]
    pub detail: Text,
}
impl RefusalWords {
    /// Those of a code; none for a code that this version does not know.
    #[must_use]
    pub fn find(code: &str) -> Option<Self> {
        use octroi_domain::text::Language::{En, Fr};
        let reason = Reason::find(code)?;
        Some(Self { title: Text::new(reason.title(Fr), reason.title(En)), detail: Text::new(reason.detail(Fr), reason.detail(En)) })
    }
}

/// What one application called; without a name: calls whose caller is not known, or not any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConsumerView {
    pub application: Option<String>,
    pub name: Option<String>,
    pub organization: Option<String>,
    pub calls: u64,
    /// Of which answered 4xx or 5xx.
    pub errors: u64,
}

/// Calls over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrafficView {
    pub from: String,
    pub to: String,
    /// `hour` or `day`: what each point covers.
    pub step: &'static str,
    pub total: FiguresView,
    /// Every hour or day from `from` to `to`, without calls or with.
    pub points: Vec<PointView>,
    /// By reason, the most frequent first.
    pub refused: Vec<RefusedView>,
    /// Who called an API most; empty but for who administers it.
    pub consumers: Vec<ConsumerView>,
}

/// Calls by hour, API and status, and what they add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StatisticsView {
    /// At most 10,000, the latest hour first.
    pub items: Vec<TraceCountView>,
    /// Always none: it is one answer.
    pub next: Option<String>,
    #[serde(flatten)]
    pub traffic: TrafficView,
}

/// Calls being added up.
#[derive(Default)]
struct Sum {
    calls: u64,
    refused: u64,
    client_errors: u64,
    server_errors: u64,
    answered: Durations,
}
impl Sum {
    fn add(&mut self, hour: &HourOfCalls) {
        let calls = hour.durations.calls();
        self.calls += calls;
        match &hour.refusal {
            Some(code) if Reason::find(code).is_some_and(Reason::is_of_upstream) => self.server_errors += calls,
            Some(_) => self.refused += calls,
            None => {
                match hour.status {
                    500.. => self.server_errors += calls,
                    400..500 => self.client_errors += calls,
                    _ => {}
                }
                self.answered.merge(&hour.durations);
            }
        }
    }

    fn figures(&self) -> FiguresView {
        let Self { calls, refused, client_errors, server_errors, answered } = self;
        let (p50_us, p95_us) = (answered.percentile(50), answered.percentile(95));
        FiguresView { calls: *calls, refused: *refused, client_errors: *client_errors, server_errors: *server_errors, p50_us, p95_us }
    }
}

/// Where each point begins, in seconds since the epoch.
fn starts(zone: &Zone, from: Moment, to: Moment) -> (&'static str, Vec<i64>) {
    let (from, to) = (from.seconds(), to.seconds());
    let by_hour = to - from <= BY_HOUR;
    let mut at = if by_hour { from.div_euclid(HOUR) * HOUR } else { zone.window(from).start };
    let mut all = Vec::new();
    while at < to {
        all.push(at);
        at = if by_hour { at + HOUR } else { zone.window(at).end.max(at + HOUR) };
    }
    (if by_hour { "hour" } else { "day" }, all)
}

fn traffic(hours: &[HourOfCalls], zone: &Zone, from: Moment, to: Moment) -> TrafficView {
    let (step, starts) = starts(zone, from, to);
    let mut points: BTreeMap<i64, Sum> = starts.into_iter().map(|start| (start, Sum::default())).collect();
    let (mut total, mut refused) = (Sum::default(), BTreeMap::<&str, u64>::new());
    for hour in hours {
        total.add(hour);
        // The first hour may begin before the first point does.
        let place = points.range(..=hour.hour.seconds()).next_back().or_else(|| points.iter().next()).map(|(start, _)| *start);
        if let Some(point) = place.and_then(|start| points.get_mut(&start)) {
            point.add(hour);
        }
        if let Some(code) = &hour.refusal {
            *refused.entry(code).or_default() += hour.durations.calls();
        }
    }
    let mut refused: Vec<RefusedView> =
        refused.into_iter().map(|(code, calls)| RefusedView { code: code.to_owned(), calls, words: RefusalWords::find(code) }).collect();
    refused.sort_by_key(|refused| std::cmp::Reverse(refused.calls));
    let at = |start: i64| Moment::from_micros(0).plus_seconds(start).to_string();
    TrafficView {
        from: from.to_string(),
        to: to.to_string(),
        step,
        total: total.figures(),
        points: points.into_iter().map(|(start, sum)| PointView { at: at(start), figures: sum.figures() }).collect(),
        refused,
        consumers: Vec::new(),
    }
}

/// Applications with their names; one that is gone keeps its calls.
async fn named(reader: &Reader, callers: Vec<CallsOfApplication>) -> Result<Vec<ConsumerView>, Error> {
    let ids: Vec<_> = callers.iter().filter_map(|caller| caller.application).collect();
    let applications = reader.applications_by_ids(&ids).await?;
    let owners: Vec<_> = applications.iter().map(|application| application.organization).collect();
    let organizations = reader.organizations_by_ids(&owners).await?;
    let view = |caller: CallsOfApplication| {
        let application = applications.iter().find(|application| Some(application.id) == caller.application);
        let owner = application.and_then(|application| organizations.iter().find(|owner| owner.id == application.organization));
        ConsumerView {
            application: caller.application.map(|id| id.to_string()),
            name: application.map(|application| application.name.clone()),
            organization: owner.map(|owner| owner.name.clone()),
            calls: caller.calls,
            errors: caller.errors,
        }
    };
    Ok(callers.into_iter().map(view).collect())
}

impl App {
    /// The figures of the calls that the principal may see and the filter names. Whole hours; without
    /// `from`, as long as traces are kept; without `to`, until now.
    pub async fn traffic(&self, context: &Context, filter: TraceFilter) -> Result<TrafficView, Error> {
        context.require(Action::ReadTraces, &Subject::Platform)?;
        self.inner.gateway.flush_traces().await;
        self.figures(context, self.bounded(context, filter)).await
    }

    /// The same, with the counts of each hour, API and status.
    pub async fn trace_statistics(&self, context: &Context, filter: TraceFilter) -> Result<StatisticsView, Error> {
        context.require(Action::ReadTraces, &Subject::Platform)?;
        self.inner.gateway.flush_traces().await;
        let filter = self.bounded(context, filter);
        let items = self.inner.store.read().trace_statistics(&filter).await?.into_iter().map(TraceCountView::from).collect();
        Ok(StatisticsView { items, next: None, traffic: self.figures(context, filter).await? })
    }

    fn bounded(&self, context: &Context, mut filter: TraceFilter) -> TraceFilter {
        filter.visible = visible(&context.principal);
        let to = filter.to.unwrap_or(context.now);
        let kept = i64::from(self.settings().trace_retention_days);
        let from = filter.from.unwrap_or_else(|| context.now.plus_days(-kept)).max(to.plus_seconds(-LONGEST));
        filter.from = Some(from);
        filter
    }

    async fn figures(&self, context: &Context, filter: TraceFilter) -> Result<TrafficView, Error> {
        let reader = self.inner.store.read();
        let hours = reader.calls_by_hour(&filter).await?;
        let (from, to) = (filter.from.unwrap_or(context.now), filter.to.unwrap_or(context.now));
        let mut view = traffic(&hours, &self.settings().time_zone, from, to);
        let api = Subject::Perimeter { api: filter.api.clone(), definition: None };
        if context.require(Action::AdministerApi, &api).is_ok() {
            view.consumers = named(&reader, reader.calls_by_application(&filter, CONSUMERS).await?).await?;
        }
        Ok(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(at: &str, status: u16, refusal: Option<&str>, durations: &[u64]) -> HourOfCalls {
        let mut held = Durations::default();
        durations.iter().for_each(|duration| held.add(*duration));
        HourOfCalls { hour: at.parse().unwrap(), status, refusal: refusal.map(str::to_owned), durations: held }
    }

    #[test]
    fn calls_are_told_apart_by_who_refused_them() {
        let hours = [
            hour("2026-11-20T10:00:00Z", 200, None, &[1_000, 1_000, 100_000]),
            hour("2026-11-20T10:00:00Z", 404, None, &[2_000]),
            hour("2026-11-20T11:00:00Z", 500, None, &[2_000]),
            hour("2026-11-20T11:00:00Z", 504, Some("upstream_timeout"), &[30_000_000]),
            hour("2026-11-20T11:00:00Z", 403, Some("scope_missing"), &[10, 10]),
        ];
        let (from, to) = ("2026-11-20T10:30:00Z".parse().unwrap(), "2026-11-20T12:10:00Z".parse().unwrap());
        let view = traffic(&hours, &Zone::UTC, from, to);
        assert_eq!((view.step, view.points.len()), ("hour", 3));
        let total = view.total;
        assert_eq!((total.calls, total.refused, total.client_errors, total.server_errors), (8, 2, 1, 2));
        assert!(total.p50_us.unwrap() <= 2_000 && total.p95_us.unwrap() > 70_000);
        let calls: Vec<u64> = view.points.iter().map(|point| point.figures.calls).collect();
        assert_eq!(calls, [4, 4, 0]);
        let codes: Vec<&str> = view.refused.iter().map(|refused| refused.code.as_str()).collect();
        assert_eq!(codes, ["scope_missing", "upstream_timeout"]);
        assert!(view.refused.iter().all(|refused| refused.words.is_some()));
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let paris = Zone::get("Europe/Paris").unwrap();
        let (from, to) = ("2026-10-23T12:00:00Z".parse().unwrap(), "2026-10-27T12:00:00Z".parse().unwrap());
        // 22:00 UTC is the next day, in summer; 23:00 in winter.
        let hours = [hour("2026-10-23T22:00:00Z", 200, None, &[1]), hour("2026-10-26T22:00:00Z", 200, None, &[1])];
        let view = traffic(&hours, &paris, from, to);
        let days: Vec<(&str, u64)> = view.points.iter().map(|point| (&point.at[..13], point.figures.calls)).collect();
        assert_eq!(days, [("2026-10-22T22", 0), ("2026-10-23T22", 1), ("2026-10-24T22", 0), ("2026-10-25T23", 1), ("2026-10-26T23", 0)]);
    }
}
