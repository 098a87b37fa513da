//! What the public statistics are made from: requests and permits from the lines in memory, calls from
//! their figures by the hour.

use std::collections::HashMap;

use octroi_domain::{Moment, Slug, access_request::State, api::ApiName, feed::PermitStatus};
use sea_orm::{
    ConnectionTrait,
    sea_query::{Alias, Expr, ExprTrait, Query},
};

use crate::{Reader, Store, StoreError, access_request::Facts, error::At, lists::Held, permit, row::Row};

const STATES: usize = State::ALL.len();
const CALLS: &str = "call_hour";
/// The day of an hour, since 1970 in UTC. Without placeholders: both engines read it alike.
const DAY: &str = "hour / 86400000000";

/// What happened in one month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Month {
    /// Requests that were opened in it, by their state now, in the order of [`State::ALL`].
    pub opened: [u64; STATES],
    /// Requests that were submitted for the first time.
    pub submitted: u64,
    pub approved: u64,
    pub refused: u64,
    /// From the first submission to the decision, microseconds, of what was decided in it; in no order.
    pub delays: Vec<i64>,
}

/// What there is of one definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfDefinition {
    pub definition: Slug,
    pub provider: Slug,
    /// In the order of [`State::ALL`].
    pub requests: [u64; STATES],
    pub permits_in_force: u64,
    /// As of a month, of what was decided in all the months.
    pub delays: Vec<i64>,
}

/// Everything that is counted at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// One for each month that was asked for.
    pub months: Vec<Month>,
    /// In the order of their names.
    pub definitions: Vec<OfDefinition>,
}

impl Store {
    /// Counts all requests and permits. Month *n* goes from `bounds[n]` to `bounds[n + 1]`, which is not in it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn tally(&self, bounds: &[Moment]) -> Result<Tally, StoreError> {
        self.catch_up().await?;
        Ok(tally(&self.lists().held(), bounds))
    }
}

fn tally(held: &Held, bounds: &[Moment]) -> Tally {
    let mut months = vec![Month::default(); bounds.len().saturating_sub(1)];
    let month = |at: i64| bounds.partition_point(|bound| bound.micros() <= at).checked_sub(1);
    let mut definitions: HashMap<u16, Counted> = HashMap::new();
    for (line, facts) in held.requests.iter() {
        let state = usize::from(line.state);
        if let Some(opened) = month(facts.created_at).and_then(|month| months.get_mut(month))
            && let Some(count) = opened.opened.get_mut(state)
        {
            *count += 1;
        }
        if let Some(submitted) = facts.submitted_at.and_then(month).and_then(|month| months.get_mut(month)) {
            submitted.submitted += 1;
        }
        let mut delay = None;
        if let Some(decided) = facts.decided_at.and_then(month).and_then(|month| months.get_mut(month)) {
            delay = delay_of(facts);
            if State::ALL.get(state) == Some(&State::Approved) {
                decided.approved += 1;
            } else {
                decided.refused += 1;
            }
            decided.delays.extend(delay);
        }
        let of = definitions.entry(line.definition).or_default();
        // A definition belongs to one provider; the last request says to which.
        of.provider = line.provider;
        if let Some(count) = of.requests.get_mut(state) {
            *count += 1;
        }
        of.delays.extend(delay);
    }
    let active = permit::STATUSES.iter().position(|status| *status == PermitStatus::Active);
    for (line, _) in held.permits.iter().filter(|(line, _)| Some(usize::from(line.state)) == active) {
        definitions.entry(line.definition).or_default().permits_in_force += 1;
    }
    Tally { months, definitions: named(held, definitions) }
}

/// What was counted of a definition, by the places of the names.
#[derive(Default)]
struct Counted {
    provider: u16,
    requests: [u64; STATES],
    permits_in_force: u64,
    delays: Vec<i64>,
}

/// With their names, and in the order of these.
fn named(held: &Held, mut counted: HashMap<u16, Counted>) -> Vec<OfDefinition> {
    let providers: HashMap<u32, &String> = held.shared.providers.iter().map(|(name, place)| (place, name)).collect();
    let mut definitions = Vec::new();
    for (name, place) in held.shared.definitions.iter() {
        let Some(of) = u16::try_from(place).ok().and_then(|place| counted.remove(&place)) else { continue };
        let provider = providers.get(&u32::from(of.provider)).and_then(|name| name.parse().ok());
        let (Ok(definition), Some(provider)) = (name.parse(), provider) else { continue };
        let Counted { requests, permits_in_force, delays, .. } = of;
        definitions.push(OfDefinition { definition, provider, requests, permits_in_force, delays });
    }
    definitions.sort_unstable_by(|one, other| one.definition.cmp(&other.definition));
    definitions
}

fn delay_of(facts: &Facts) -> Option<i64> {
    Some(Ord::max(facts.decided_at?.saturating_sub(facts.submitted_at?), 0))
}

impl Reader {
    /// How often an API was called each day (of UTC, since 1970), in both stages, from one day on; the days
    /// without a call left out, the first day first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn calls_by_day(&self, api: &ApiName, from_day: i64) -> Result<Vec<(i64, u64)>, StoreError> {
        let calls = Expr::col(Alias::new("calls")).sum().cast_as("bigint");
        let query = Query::select()
            .expr_as(Expr::cust(DAY), "day")
            .expr_as(calls, "calls")
            .from(Alias::new(CALLS))
            .and_where(Expr::col(Alias::new("api")).eq(api.to_string()))
            .and_where(Expr::col(Alias::new("hour")).gte(from_day.saturating_mul(86_400_000_000)))
            .add_group_by([Expr::cust(DAY)])
            .order_by_expr(Expr::cust(DAY), sea_orm::Order::Asc)
            .to_owned();
        let rows = self.db().query_all(&query).await.at(CALLS)?;
        let read = |row: &sea_orm::QueryResult| {
            let (day, calls): (i64, i64) = (row.try_get_by_index(0).at(CALLS)?, row.try_get_by_index(1).at(CALLS)?);
            Ok((day, Row::new(CALLS, &day).number("calls", calls)?))
        };
        rows.iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use octroi_domain::{access_request::StateRecord, stage::Stage, trace::Trace};

    use super::*;
    use crate::testing::{Town, at, each, scopes};

    #[test]
    fn months_and_definitions_are_counted() {
        each(async |store| {
            let town = Town::found(&store).await;
            assert_eq!(store.tally(&[at(0), at(15), at(40)]).await.unwrap().months, [Month::default(), Month::default()]);
            // Opened at 10; the second of the months sees the submissions and the decisions.
            town.request(&store, 10, StateRecord::Draft).await;
            let submitted = StateRecord::Submitted { at: at(20), scopes: scopes("a"), modality: None };
            town.request(&store, 20, submitted).await;
            town.permit(&store, None).await;
            let tally = store.tally(&[at(0), at(15), at(40)]).await.unwrap();
            let [first, second] = tally.months.as_slice() else { panic!("{tally:?}") };
            assert_eq!((first.opened, first.submitted, first.approved), ([1, 1, 0, 1, 0, 0], 0, 0));
            assert_eq!((second.opened, second.submitted, second.approved, second.refused), ([0; STATES], 2, 1, 0));
            assert_eq!(second.delays, [10_000_000]);
            let [of] = tally.definitions.as_slice() else { panic!("{tally:?}") };
            assert_eq!((of.definition.as_str(), of.provider.as_str(), of.permits_in_force), ("canteen", "dinum", 1));
            assert_eq!((of.requests, of.delays.as_slice()), ([1, 1, 0, 1, 0, 0], [10_000_000].as_slice()));
            // What was decided before the first month is no delay of these months.
            let later = store.tally(&[at(50), at(60)]).await.unwrap();
            assert_eq!((later.definitions[0].requests, later.definitions[0].delays.len()), ([1, 1, 0, 1, 0, 0], 0));
        });
    }

    #[test]
    fn calls_are_added_up_by_the_day() {
        each(async |store| {
            let town = Town::found(&store).await;
            let day = 86_400;
            let call = |second: i64, stage: Stage, api: Option<ApiName>| Trace {
                at: at(second),
                stage,
                request_id: "r".into(),
                api,
                operation: None,
                status: 200,
                refusal: None,
                duration_us: 1,
                upstream_us: 1,
                request_bytes: 1,
                response_bytes: 1,
                application: None,
                organization: None,
                permit: None,
                subscription: None,
                masked_fields: 0,
                address: None,
            };
            let today = at(0).seconds() / day;
            let api = Some(town.api.clone());
            store
                .trace_insert(&[
                    call(0, Stage::Production, api.clone()),
                    call(1, Stage::Sandbox, api.clone()),
                    call(-day, Stage::Production, api.clone()),
                    call(-3 * day, Stage::Production, api),
                    call(0, Stage::Production, None),
                ])
                .await
                .unwrap();
            let days = store.read().calls_by_day(&town.api, today - 2).await.unwrap();
            assert_eq!(days, [(today - 1, 1), (today, 2)]);
            assert_eq!(store.read().calls_by_day(&"dinum/other".parse().unwrap(), 0).await.unwrap(), []);
        });
    }
}
