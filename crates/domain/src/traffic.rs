//! Figures of many calls: how long they took, without keeping each of them.

/// Upper bounds of the classes of durations, microseconds; one more class holds what is longer.
pub const BOUNDS_US: [u64; 21] = [
    1_000, 2_000, 3_000, 5_000, 7_000, 10_000, 15_000, 20_000, 30_000, 50_000, 70_000, 100_000, 150_000, 200_000, 300_000, 500_000,
    700_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000,
];

/// How many classes there are.
pub const CLASSES: usize = BOUNDS_US.len() + 1;

/// How many calls took how long, by classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Durations([u64; CLASSES]);

impl Durations {
    #[must_use]
    pub const fn from_counts(counts: [u64; CLASSES]) -> Self {
        Self(counts)
    }

    #[must_use]
    pub const fn counts(&self) -> &[u64; CLASSES] {
        &self.0
    }

    /// One more call of this duration, microseconds.
    pub fn add(&mut self, duration_us: u64) {
        let class = BOUNDS_US.partition_point(|bound| *bound < duration_us);
        if let Some(count) = self.0.get_mut(class) {
            *count += 1;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The duration that `percent` of the calls do not exceed, microseconds: exact to the class, and
    /// evenly spread within it. None without calls. What is longer than every bound is said as the last.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let wanted = (self.calls() * percent.min(100)).div_ceil(100).max(1);
        let (mut below, mut lower) = (0, 0);
        for (count, upper) in self.0.iter().zip(BOUNDS_US.into_iter().chain([*BOUNDS_US.last()?])) {
            if below + count >= wanted {
                return Some(lower + (upper - lower) * (wanted - below) / count);
            }
            below += count;
            lower = upper;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A percentile lies in the class of the true one.
        #[test]
        fn a_percentile_is_exact_to_its_class(mut durations in proptest::collection::vec(0_u64..12_000_000, 1..200), percent in 1_u64..=100) {
            let mut held = Durations::default();
            durations.iter().for_each(|duration| held.add(*duration));
            durations.sort_unstable();
            let rank = (durations.len() as u64 * percent).div_ceil(100) as usize;
            let exact = durations[rank - 1];
            let class = |duration: u64| BOUNDS_US.partition_point(|bound| *bound < duration);
            let found = held.percentile(percent).unwrap();
            prop_assert!(class(found) == class(exact) || class(exact) == CLASSES - 1, "{found} for {exact}");
        }
    }

    #[test]
    fn no_calls_have_no_percentile() {
        assert_eq!(Durations::default().percentile(50), None);
        let mut one = Durations::default();
        one.add(1);
        assert_eq!(one.percentile(50), Some(1_000));
        one.merge(&one.clone());
        assert_eq!((one.calls(), one.percentile(95)), (2, Some(1_000)));
    }
}
