//! Civil days of the platform's time zone: what a daily quota counts, and what figures are gathered by.

use jiff::{Timestamp, ToSpan, civil::date, tz::TimeZone};

use crate::{Moment, quota::Day};

/// A time zone of the IANA database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// The name is no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an IANA time zone, such as Europe/Paris")]
pub struct ZoneError;

/// A civil day, in seconds since the epoch. `end` is not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub day: Day,
    pub start: i64,
    pub end: i64,
}

impl Zone {
    pub const UTC: Self = Self(TimeZone::UTC);

    /// # Errors
    /// When the name is no time zone.
    pub fn get(name: &str) -> Result<Self, ZoneError> {
        TimeZone::get(name).map(Self).map_err(|_| ZoneError)
    }

    /// The civil day that holds this instant (seconds since the epoch).
    #[must_use]
    pub fn window(&self, seconds: i64) -> Window {
        self.find(seconds).unwrap_or_else(|| {
            // Out of the calendar's range: days of UTC.
            let day = seconds.div_euclid(86_400);
            Window { day: Day::try_from(day).unwrap_or(0), start: day * 86_400, end: (day + 1) * 86_400 }
        })
    }

    /// The civil day that holds this instant.
    #[must_use]
    pub fn day(&self, moment: Moment) -> Window {
        self.window(moment.seconds())
    }

    fn find(&self, seconds: i64) -> Option<Window> {
        let today = Timestamp::from_second(seconds).ok()?.to_zoned(self.0.clone());
        let start = today.start_of_day().ok()?;
        let end = today.date().checked_add(1.day()).ok()?.to_zoned(self.0.clone()).ok()?;
        let days = date(1970, 1, 1).until(today.date()).ok()?.get_days();
        Some(Window { day: Day::try_from(days).ok()?, start: start.timestamp().as_second(), end: end.timestamp().as_second() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_that_of_the_zone() {
        let paris = Zone::get("Europe/Paris").unwrap();
        let at = |text: &str| text.parse::<Moment>().unwrap();
        let day = |text: &str| paris.day(at(text)).day;
        assert_eq!(day("2026-07-01T21:59:59Z") + 1, day("2026-07-01T22:00:00Z"));
        // The day on which clocks go forward has 23 hours.
        let short = paris.day(at("2026-03-29T12:00:00Z"));
        assert_eq!(short.end - short.start, 23 * 3_600);
        assert_eq!(Zone::UTC.window(i64::MAX / 2).end % 86_400, 0);
        assert_eq!(Zone::get("Mars/Base"), Err(ZoneError));
    }
}
