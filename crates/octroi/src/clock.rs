//! The one place that asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use octroi_domain::Moment;

/// The wall clock.
#[must_use]
pub fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
