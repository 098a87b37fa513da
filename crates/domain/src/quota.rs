//! The arithmetic of a daily quota: pure numbers, so that the counter can be one atomic word.

/// A civil day, counted from 1970-01-01 in the platform's time zone.
pub type Day = u32;

/// How much of a quota one day has used: packed in 64 bits, the day above the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayUse {
    pub day: Day,
    pub used: u32,
}

impl DayUse {
    #[must_use]
    pub const fn unpack(word: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of the word")]
        Self { day: (word >> 32) as u32, used: word as u32 }
    }

    #[must_use]
    pub const fn pack(self) -> u64 {
        ((self.day as u64) << 32) | self.used as u64
    }

    /// One more call on `today`, at most `limit` in a day; `None` when the day is used up.
    /// A clock that goes back does not give a day again.
    #[must_use]
    pub const fn take(self, today: Day, limit: u32) -> Option<Self> {
        let day = if today > self.day { today } else { self.day };
        let used = if day == self.day { self.used } else { 0 };
        if used >= limit { None } else { Some(Self { day, used: used + 1 }) }
    }

    /// What is left on `today`.
    #[must_use]
    pub const fn left(self, today: Day, limit: u32) -> u32 {
        if today > self.day { limit } else { limit.saturating_sub(self.used) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_day_lets_at_most_its_limit_through(limit in 0_u32..50, days in proptest::collection::vec(0_u32..5, 0..400)) {
            let mut state = DayUse::default();
            let mut passed = std::collections::BTreeMap::<u32, u32>::new();
            for today in days {
                if let Some(next) = state.take(today, limit) {
                    state = DayUse::unpack(next.pack());
                    *passed.entry(state.day).or_default() += 1;
                }
            }
            prop_assert!(passed.values().all(|count| *count <= limit));
        }
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let used = DayUse { day: 10, used: 3 };
        assert_eq!(used.take(9, 3), None);
        assert_eq!(used.take(11, 3), Some(DayUse { day: 11, used: 1 }));
        assert_eq!(used.left(9, 3), 0);
        assert_eq!(used.left(11, 3), 3);
    }
}
