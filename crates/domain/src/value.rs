//! Identifiers and instants: small values that everything else is made of.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// The identifier of a `T`: an `Id<User>` is not an `Id<Organization>`, and the compiler knows.
pub struct Id<T>(Uuid, PhantomData<fn() -> T>);

impl<T> Id<T> {
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> hash::Hash for Id<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
impl<T> FromStr for Id<T> {
    type Err = uuid::Error;
    /// Only the hyphenated lower-case form is an id: one thing, one spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uuid = Uuid::try_parse(text)?;
        if uuid.hyphenated().to_string() == text { Ok(Self::from_uuid(uuid)) } else { Uuid::try_parse("").map(Self::from_uuid) }
    }
}
impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(Self::from_uuid)
    }
}

/// What carries a public number: `D12` is a request, `H12` a permit.
pub trait Numbered {
    /// The letter that stands before the number.
    const PREFIX: char;
}

/// The public number of a `T`, shown with its letter, counted from 1 in the order of creation.
pub struct Number<T>(i64, PhantomData<fn() -> T>);

impl<T> Number<T> {
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number, PhantomData)
    }

    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}
impl<T> Clone for Number<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Number<T> {}
impl<T> PartialEq for Number<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Number<T> {}
impl<T> PartialOrd for Number<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Number<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> hash::Hash for Number<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<T: Numbered> fmt::Debug for Number<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", T::PREFIX, self.0)
    }
}
impl<T: Numbered> fmt::Display for Number<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", T::PREFIX, self.0)
    }
}

/// The text is not a number of this kind (`D12`, `H7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a letter {0} followed by a number, for example {0}12")]
pub struct ParseNumberError(char);

impl<T: Numbered> FromStr for Number<T> {
    type Err = ParseNumberError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = ParseNumberError(T::PREFIX);
        let digits = text.strip_prefix(T::PREFIX).ok_or(error)?;
        let canonical = !digits.is_empty() && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if !canonical {
            return Err(error);
        }
        digits.parse().map(Self::new).map_err(|_| error)
    }
}
impl<T: Numbered> Serialize for Number<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, T: Numbered> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// An instant, in microseconds since 1970-01-01T00:00:00Z; written as RFC 3339 in UTC.
///
/// Stored as an integer on both engines, so that what is read back is what was written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(i64);

impl Moment {
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, as JWT claims want them (RFC 7519 `NumericDate`).
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// The same day and hour `months` later, in UTC; the last day of a shorter month.
    #[must_use]
    pub fn plus_months(self, months: u16) -> Self {
        let later = jiff::Timestamp::from_microsecond(self.0).ok().and_then(|now| {
            let span = jiff::Span::new().try_months(i64::from(months)).ok()?;
            now.to_zoned(jiff::tz::TimeZone::UTC).checked_add(span).ok()
        });
        later.map_or(self, |zoned| Self(zoned.timestamp().as_microsecond()))
    }
}

impl Moment {
    /// The beginning of the month in UTC, `months` later (or earlier); the moment itself out of the calendar's range.
    #[must_use]
    pub fn month_start(self, months: i16) -> Self {
        let start = jiff::Timestamp::from_microsecond(self.0).ok().and_then(|now| {
            let span = jiff::Span::new().try_months(i64::from(months)).ok()?;
            let first = now.to_zoned(jiff::tz::TimeZone::UTC).date().first_of_month().checked_add(span).ok()?;
            first.to_zoned(jiff::tz::TimeZone::UTC).ok()
        });
        start.map_or(self, |zoned| Self(zoned.timestamp().as_microsecond()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp:.6}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}
impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Moment {
    type Err = jiff::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(|timestamp| Self(timestamp.as_microsecond()))
    }
}
impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A short name that can stand in a URL: lower-case letters, digits, `-` and `_`, 1 to 64 long,
/// beginning with a letter or a digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Slug(String);

/// The text cannot be a [`Slug`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name: use 1 to 64 lower-case letters, digits, `-` or `_`")]
pub struct SlugError(String);

impl Slug {
    /// # Errors
    /// When the text has another character, is empty, or is longer than 64.
    pub fn new(text: impl Into<String>) -> Result<Self, SlugError> {
        let text = text.into();
        let good = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
            && !text.starts_with(['-', '_']);
        if good { Ok(Self(text)) } else { Err(SlugError(text.chars().take(80).collect())) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl FromStr for Slug {
    type Err = SlugError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}
impl<'de> Deserialize<'de> for Slug {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;
    impl Numbered for Thing {
        const PREFIX: char = 'D';
    }

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!("D12".parse::<Number<Thing>>().map(Number::get), Ok(12));
        for bad in ["12", "d12", "D", "D0", "D012", "D-1", "D+1", "D1 ", "H12", "D99999999999999999999"] {
            assert!(bad.parse::<Number<Thing>>().is_err(), "{bad}");
        }
    }

    #[test]
    fn months_begin_on_their_first_day() {
        let now: Moment = "2026-01-31T23:59:59.5Z".parse().unwrap();
        for (months, expected) in
            [(0, "2026-01-01T00:00:00Z"), (1, "2026-02-01T00:00:00Z"), (-1, "2025-12-01T00:00:00Z"), (-11, "2025-02-01T00:00:00Z")]
        {
            assert_eq!(now.month_start(months), expected.parse().unwrap(), "{months}");
        }
    }

    #[test]
    fn a_moment_reads_back_as_it_was_written() {
        let moment = Moment::from_micros(1_700_000_000_123_456);
        assert_eq!(moment.to_string(), "2023-11-14T22:13:20.123456Z");
        assert_eq!(moment.to_string().parse::<Moment>().ok(), Some(moment));
        assert_eq!(Moment::from_micros(0).to_string(), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn an_id_has_one_spelling() {
        let text = "0192f0c1-2222-7333-8444-555566667777";
        assert!(text.parse::<Id<Thing>>().is_ok());
        for bad in [text.to_uppercase(), text.replace('-', ""), format!("{{{text}}}")] {
            assert!(bad.parse::<Id<Thing>>().is_err(), "{bad}");
        }
    }
}
