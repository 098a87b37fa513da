//! Public statistics: totals alone, of nobody in particular, at most a minute old.

use std::{collections::BTreeMap, sync::Arc};

use octroi_domain::{
    Moment,
    access_request::State,
    api::Visibility,
    policy::{Action, Subject},
    text::Text,
};
use octroi_store::{OfDefinition, Tally};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::{
    context::{App, Context},
    error::Error,
    view::StateCounts,
};

const MONTHS: i16 = 12;
const DAYS: i64 = 30;
/// Seconds for which statistics are answered again as they are.
const FRESH: i64 = 60;

/// The last statistics that were made. Who asks while they are made waits for them.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Option<(Moment, Arc<Statistics>)>>);

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Statistics {
    /// When they were made.
    pub at: String,
    /// All requests.
    pub requests: StateCounts,
    pub permits_in_force: u64,
    /// The last twelve months of UTC, the present one last.
    pub months: Vec<MonthStatistics>,
    /// Of what was decided in these months.
    pub decisions: Delays,
    /// By the name of the definition.
    pub definitions: Vec<GroupStatistics>,
    pub providers: Vec<GroupStatistics>,
    /// The last thirty days of UTC (`2026-11-22`), today last.
    pub call_days: Vec<String>,
    /// Calls of public APIs, the most called first.
    pub calls: Vec<ApiCalls>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MonthStatistics {
    /// `2026-11`.
    pub month: String,
    /// Requests that were opened in it, by their state now.
    pub opened: StateCounts,
    /// Requests that were submitted in it for the first time.
    pub submitted: u64,
    pub approved: u64,
    pub refused: u64,
    pub delays: Delays,
}

/// Hours from the first submission to the decision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct Delays {
    pub decided: u64,
    /// Half of the decisions took no longer. None when nothing was decided.
    pub median_hours: Option<f64>,
    /// Nine decisions of ten took no longer.
    pub p90_hours: Option<f64>,
}

/// A definition, or all definitions of a provider.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GroupStatistics {
    pub slug: String,
    #[schema(value_type = Object)]
    pub name: Text,
    pub provider: String,
    pub requests: StateCounts,
    pub permits_in_force: u64,
    /// Of what was decided in the last twelve months.
    pub delays: Delays,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApiCalls {
    /// `provider/api`.
    pub api: String,
    #[schema(value_type = Object)]
    pub name: Text,
    pub total: u64,
    /// One for each of `call_days`.
    pub days: Vec<u64>,
}

impl Delays {
    /// Of delays in microseconds, by the nearest rank.
    fn new(mut delays: Vec<i64>) -> Self {
        delays.sort_unstable();
        let rank = |percent: usize| delays.get((delays.len() * percent).div_ceil(100).saturating_sub(1)).map(|micros| hours(*micros));
        Self { decided: u64::try_from(delays.len()).unwrap_or(u64::MAX), median_hours: rank(50), p90_hours: rank(90) }
    }
}

/// To the nearest tenth of an hour.
fn hours(micros: i64) -> f64 {
    let tenths = micros.saturating_add(180_000_000).div_euclid(360_000_000);
    #[expect(clippy::cast_precision_loss, reason = "tenths of hours since 1970 are far below 2^52")]
    let hours = tenths as f64 / 10.0;
    hours
}

fn counts(counts: [u64; State::ALL.len()]) -> StateCounts {
    StateCounts::new(State::ALL.into_iter().zip(counts), State::as_str)
}

fn sum(groups: &[&OfDefinition]) -> [u64; State::ALL.len()] {
    groups.iter().fold([0; State::ALL.len()], |sum, group| {
        std::array::from_fn(|place| sum.get(place).copied().unwrap_or(0) + group.requests.get(place).copied().unwrap_or(0))
    })
}

fn group(slug: String, name: Text, provider: String, of: &[&OfDefinition]) -> GroupStatistics {
    GroupStatistics {
        slug,
        name,
        provider,
        requests: counts(sum(of)),
        permits_in_force: of.iter().map(|definition| definition.permits_in_force).sum(),
        delays: Delays::new(of.iter().flat_map(|definition| definition.delays.iter().copied()).collect()),
    }
}

impl App {
    /// # Errors
    /// When the store cannot answer.
    pub async fn statistics(&self, context: &Context) -> Result<Arc<Statistics>, Error> {
        context.require(Action::ReadPublic, &Subject::Platform)?;
        let mut kept = self.inner.statistics.0.lock().await;
        if let Some((at, statistics)) = kept.as_ref()
            && (*at..at.plus_seconds(FRESH)).contains(&context.now)
        {
            return Ok(Arc::clone(statistics));
        }
        let made = Arc::new(self.make_statistics(context.now).await?);
        *kept = Some((context.now, Arc::clone(&made)));
        Ok(made)
    }

    async fn make_statistics(&self, now: Moment) -> Result<Statistics, Error> {
        // From eleven months ago to the end of this one.
        let bounds: Vec<Moment> = (1 - MONTHS..=1).map(|months| now.month_start(months)).collect();
        let tally = self.inner.store.tally(&bounds).await?;
        let all: Vec<&OfDefinition> = tally.definitions.iter().collect();
        let whole = group(String::new(), Text::default(), String::new(), &all);
        let (definitions, providers) = self.groups(&tally).await?;
        let today = now.micros().div_euclid(86_400_000_000);
        let date = |day: i64| Moment::from_micros(day.saturating_mul(86_400_000_000)).to_string().chars().take(10).collect();
        let months = bounds.iter().zip(tally.months).map(|(start, month)| MonthStatistics {
            month: start.to_string().chars().take(7).collect(),
            opened: counts(month.opened),
            submitted: month.submitted,
            approved: month.approved,
            refused: month.refused,
            delays: Delays::new(month.delays),
        });
        Ok(Statistics {
            at: now.to_string(),
            requests: whole.requests,
            permits_in_force: whole.permits_in_force,
            months: months.collect(),
            decisions: whole.delays,
            definitions,
            providers,
            call_days: (today - DAYS + 1..=today).map(date).collect(),
            calls: self.calls(today - DAYS + 1, today).await?,
        })
    }

    /// By definition and by provider.
    async fn groups(&self, tally: &Tally) -> Result<(Vec<GroupStatistics>, Vec<GroupStatistics>), Error> {
        let reader = self.inner.store.read();
        let mut definitions = Vec::new();
        let mut by_provider: BTreeMap<&octroi_domain::Slug, Vec<&OfDefinition>> = BTreeMap::new();
        for of in &tally.definitions {
            let name = reader.definition_current(&of.definition).await?.map(|stored| stored.definition.name.clone());
            definitions.push(group(of.definition.to_string(), name.unwrap_or_default(), of.provider.to_string(), &[of]));
            by_provider.entry(&of.provider).or_default().push(of);
        }
        let mut providers = Vec::new();
        for (slug, of) in by_provider {
            let name = reader.provider_by_slug(slug).await?.map(|provider| provider.name);
            providers.push(group(slug.to_string(), name.unwrap_or_default(), slug.to_string(), &of));
        }
        Ok((definitions, providers))
    }

    async fn calls(&self, from: i64, today: i64) -> Result<Vec<ApiCalls>, Error> {
        let reader = self.inner.store.read();
        let mut calls = Vec::new();
        for stored in reader.api_list().await?.iter().filter(|stored| !stored.withdrawn) {
            let api = &stored.document.api;
            if api.visibility != Visibility::Public {
                continue;
            }
            let by_day: BTreeMap<i64, u64> = reader.calls_by_day(&stored.name, from).await?.into_iter().collect();
            let days: Vec<u64> = (from..=today).map(|day| by_day.get(&day).copied().unwrap_or(0)).collect();
            calls.push(ApiCalls { api: stored.name.to_string(), name: api.name.clone(), total: days.iter().sum(), days });
        }
        calls.sort_by(|one, other| other.total.cmp(&one.total).then_with(|| one.api.cmp(&other.api)));
        Ok(calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_by_the_nearest_rank() {
        let hour = 3_600_000_000;
        assert_eq!(Delays::new(Vec::new()), Delays { decided: 0, median_hours: None, p90_hours: None });
        assert_eq!(Delays::new(vec![hour * 3 / 2]), Delays { decided: 1, median_hours: Some(1.5), p90_hours: Some(1.5) });
        let minutes = |minutes: i64| Delays::new(vec![hour / 60 * minutes]).median_hours;
        assert_eq!((minutes(117), minutes(116)), (Some(2.0), Some(1.9)), "to the nearest tenth, neither always down");
        let ten: Vec<i64> = (1..=10).rev().map(|hours| hours * hour).collect();
        assert_eq!(Delays::new(ten), Delays { decided: 10, median_hours: Some(5.0), p90_hours: Some(9.0) });
    }
}
