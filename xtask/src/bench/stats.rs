//! What was measured, and its least, middle and greatest.

use std::collections::{BTreeMap, BTreeSet};

/// One turn of one target.
#[derive(Debug, Clone)]
pub struct Measure {
    pub requests_per_second: f64,
    /// Microseconds of CPU, user and system, per request.
    pub cpu_us: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Proportional set size under load.
    pub memory_mb: f64,
    /// Microseconds of CPU per request, by the name of the threads.
    pub threads: BTreeMap<String, f64>,
}

/// All turns of one target.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub measures: Vec<Measure>,
    /// Why it was not measured to the end.
    pub failure: Option<String>,
}

impl Row {
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, measures: Vec::new(), failure: None }
    }

    /// The spread of one quantity over the rounds; none when a round failed.
    pub fn spread(&self, quantity: impl Fn(&Measure) -> f64) -> Option<Spread> {
        if self.failure.is_some() { None } else { Spread::of(self.measures.iter().map(quantity)) }
    }

    /// CPU per request against another row's, round by round.
    #[must_use]
    pub fn ratio(&self, base: &Self) -> Option<Spread> {
        self.compare(base, |own, other| own / other)
    }

    /// CPU microseconds per request above another row's, round by round.
    #[must_use]
    pub fn above(&self, base: &Self) -> Option<Spread> {
        self.compare(base, |own, other| own - other)
    }

    /// Microseconds of CPU per request by the name of the threads, those that spend most first.
    #[must_use]
    pub fn threads(&self) -> Vec<(String, Spread)> {
        let names: BTreeSet<&String> = self.measures.iter().flat_map(|measure| measure.threads.keys()).collect();
        let spread = |name: &String| self.spread(|measure| measure.threads.get(name).copied().unwrap_or(0.0));
        let mut found: Vec<(String, Spread)> = names.into_iter().filter_map(|name| Some((name.clone(), spread(name)?))).collect();
        found.sort_by(|(_, one), (_, other)| other.median.total_cmp(&one.median));
        found
    }

    fn compare(&self, base: &Self, how: impl Fn(f64, f64) -> f64) -> Option<Spread> {
        if self.failure.is_some() || base.failure.is_some() || self.measures.len() != base.measures.len() {
            return None;
        }
        Spread::of(self.measures.iter().zip(&base.measures).map(|(own, other)| how(own.cpu_us, other.cpu_us)))
    }
}

/// Least, middle, greatest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

impl Spread {
    /// None of nothing, or of what is not a number.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let half = values.len() / 2;
        let upper = *values.get(half)?;
        let median = if values.len().is_multiple_of(2) { (values.get(half - 1)? + upper) / 2.0 } else { upper };
        Some(Self { min: *values.first()?, median, max: *values.last()? })
    }

    /// `min / median / max` with some decimals.
    #[must_use]
    pub fn show(&self, decimals: usize) -> String {
        let Self { min, median, max } = self;
        format!("{min:.decimals$} / {median:.decimals$} / {max:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[f64], expected: Option<(f64, f64, f64)>) {
        assert_eq!(Spread::of(values.iter().copied()).map(|spread| (spread.min, spread.median, spread.max)), expected);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        check(&[3.0, 1.0, 2.0], Some((1.0, 2.0, 3.0)));
        check(&[4.0, 1.0, 2.0, 3.0], Some((1.0, 2.5, 4.0)));
        check(&[7.0], Some((7.0, 7.0, 7.0)));
        check(&[], None);
        check(&[1.0, f64::NAN], None);
    }

    fn row(cpu: &[f64]) -> Row {
        let measures = cpu
            .iter()
            .map(|&cpu_us| Measure {
                requests_per_second: 1.0,
                cpu_us,
                p50_ms: 1.0,
                p99_ms: 1.0,
                memory_mb: 1.0,
                threads: BTreeMap::from([("few".to_owned(), 1.0), ("most".to_owned(), cpu_us)]),
            })
            .collect();
        Row { name: "row", measures, failure: None }
    }

    #[test]
    fn rows_are_compared_round_by_round() {
        let (slow, base) = (row(&[20.0, 60.0]), row(&[10.0, 40.0]));
        assert_eq!(slow.ratio(&base).unwrap().show(2), "1.50 / 1.75 / 2.00");
        assert_eq!(slow.above(&base).unwrap().show(0), "10 / 15 / 20");
        let threads: Vec<_> = slow.threads().into_iter().map(|(name, spread)| (name, spread.median)).collect();
        assert_eq!(threads, [("most".to_owned(), 40.0), ("few".to_owned(), 1.0)]);
        assert!(slow.ratio(&row(&[1.0])).is_none());
        assert!(Row { failure: Some("broke".into()), ..row(&[1.0, 1.0]) }.ratio(&base).is_none());
    }
}
