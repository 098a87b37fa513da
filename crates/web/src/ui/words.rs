//! The words of the pages, from `locales/` (Fluent), and dates and numbers as each language writes them.

use std::{collections::HashMap, fmt, sync::LazyLock};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use octroi_domain::text::{Language, Text};
use rust_embed::RustEmbed;
use unic_langid::LanguageIdentifier;

#[derive(RustEmbed)]
#[folder = "../../locales"]
struct Files;

type Bundle = FluentBundle<FluentResource>;

/// Both languages, read once. A file that is not Fluent is a broken build: the tests read every one.
static BUNDLES: LazyLock<HashMap<Language, Bundle>> =
    LazyLock::new(|| [Language::Fr, Language::En].map(|language| (language, bundle(language))).into());
/// Where people read their clocks. Times are stored in UTC.
static ZONE: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC));
/// Thin, and never broken over two lines.
const THIN_SPACE: char = '\u{202f}';

const fn code(language: Language) -> &'static str {
    match language {
        Language::Fr => "fr",
        Language::En => "en",
    }
}

fn bundle(language: Language) -> Bundle {
    let tag: LanguageIdentifier = code(language).parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // The isolation marks of mixed scripts would end up in titles and in what is copied.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(match language {
        Language::Fr => |value, _| integer(value, Language::Fr),
        Language::En => |value, _| integer(value, Language::En),
    }));
    for name in Files::iter().filter(|name| name.starts_with(code(language))) {
        let Some(file) = Files::get(&name) else { continue };
        let resource = FluentResource::try_new(String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_else(|(good, errors)| {
            tracing::error!(%name, ?errors, "a file of words has lines that are not Fluent");
            good
        });
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(%name, ?errors, "a word stands in two files");
        }
    }
    bundle
}

fn integer(value: &FluentValue<'_>, language: Language) -> Option<String> {
    let FluentValue::Number(number) = value else { return None };
    // Counts only: what is not whole is written by the page (`Words::decimal`).
    (number.value.fract() == 0.0).then(|| grouped(&format!("{:.0}", number.value), language))
}

/// `1234567` → `1 234 567` or `1,234,567`.
fn grouped(digits: &str, language: Language) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let separator = match language {
        Language::Fr => THIN_SPACE,
        Language::En => ',',
    };
    let mut text = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// The words of one language: what every page and component is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    language: Language,
}

impl Words {
    #[must_use]
    pub const fn new(language: Language) -> Self {
        Self { language }
    }

    #[must_use]
    pub const fn language(self) -> Language {
        self.language
    }

    /// The value of `lang` attributes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        code(self.language)
    }

    /// A word or a sentence: write the key out, so that the test finds it.
    #[must_use]
    pub const fn of(self, key: &'static str) -> Phrase {
        Phrase { words: self, key: Key::Whole(key), arguments: Vec::new() }
    }

    /// A word of a family: the key is `{family}-{member}`. `member` comes from a closed list (a state, a role, …).
    #[must_use]
    pub fn one_of(self, family: &'static str, member: &str) -> Phrase {
        Phrase { words: self, key: Key::Member(family, member.to_owned()), arguments: Vec::new() }
    }

    /// A text of the catalogue, which is written in both languages.
    #[must_use]
    pub fn text(self, text: &Text) -> String {
        text.in_language(self.language).to_owned()
    }

    #[must_use]
    pub fn number(self, value: impl TryInto<i64>) -> String {
        grouped(&value.try_into().unwrap_or(i64::MAX).to_string(), self.language)
    }

    /// With one decimal.
    #[must_use]
    pub fn decimal(self, value: f64) -> String {
        let text = format!("{value:.1}");
        let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
        let mark = match self.language {
            Language::Fr => ',',
            Language::En => '.',
        };
        format!("{}{mark}{part}", grouped(whole, self.language))
    }

    /// `22 novembre 2026` of an RFC 3339 moment or date. What is neither stays as it is.
    #[must_use]
    pub fn date(self, moment: &str) -> String {
        self.civil(moment).map_or_else(|| moment.to_owned(), |(date, _)| self.long(date))
    }

    /// `22 novembre 2026 à 14:05` of an RFC 3339 moment, in the civil time of Paris.
    #[must_use]
    pub fn date_time(self, moment: &str) -> String {
        match self.civil(moment) {
            Some((date, Some(time))) => self.of("date-at-time").with("date", self.long(date)).with("time", time).to_string(),
            Some((date, None)) => self.long(date),
            None => moment.to_owned(),
        }
    }

    /// The month of `2026-11`: `novembre 2026`.
    #[must_use]
    pub fn month(self, month: &str) -> String {
        let Some(date) = format!("{month}-01").parse::<Date>().ok() else { return month.to_owned() };
        format!("{} {}", self.one_of("month", &date.month().to_string()), date.year())
    }

    fn long(self, date: Date) -> String {
        format!("{} {} {}", date.day(), self.one_of("month", &date.month().to_string()), date.year())
    }

    fn civil(self, moment: &str) -> Option<(Date, Option<String>)> {
        if let Ok(instant) = moment.parse::<Timestamp>() {
            let here = instant.to_zoned(ZONE.clone());
            return Some((here.date(), Some(format!("{:02}:{:02}", here.hour(), here.minute()))));
        }
        moment.parse::<Date>().ok().map(|date| (date, None))
    }

    /// `22 nov. 2026 à 14:05`: as lists and tables have it.
    fn short(self, moment: &str) -> String {
        let Some((date, time)) = self.civil(moment) else { return moment.to_owned() };
        let day = format!("{} {} {}", date.day(), self.one_of("month-short", &date.month().to_string()), date.year());
        match time {
            Some(time) => self.of("date-at-time").with("date", day).with("time", time).to_string(),
            None => day,
        }
    }

    /// `22 nov. 14:05`, or without the time `22 nov.`: beside a chart, where the year is known.
    #[must_use]
    pub fn tick(self, moment: &str, with_time: bool) -> String {
        let Some((date, time)) = self.civil(moment) else { return moment.to_owned() };
        let day = format!("{} {}", date.day(), self.one_of("month-short", &date.month().to_string()));
        time.filter(|_| with_time).map_or_else(|| day.clone(), |time| format!("{day} {time}"))
    }

    /// A moment as a `<time>` element.
    #[must_use]
    pub fn when(self, moment: &str) -> super::kit::When {
        super::kit::When { moment: moment.to_owned(), text: self.short(moment) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Whole(&'static str),
    Member(&'static str, String),
}

/// A sentence with its variables; displays itself. It is text: a template escapes it.
#[derive(Debug, Clone)]
pub struct Phrase {
    words: Words,
    key: Key,
    arguments: Vec<(&'static str, FluentValue<'static>)>,
}

impl Phrase {
    /// Gives a variable its value: a text, or a number (which chooses the plural).
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<FluentValue<'static>>) -> Self {
        self.arguments.push((name, value.into()));
        self
    }

    /// The same, for a value that a template holds by reference.
    #[must_use]
    pub fn and(self, name: &'static str, value: &str) -> Self {
        self.with(name, value.to_owned())
    }
}
impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bundle = BUNDLES.get(&self.words.language);
        let (key, otherwise) = match &self.key {
            Key::Whole(key) => ((*key).to_owned(), *key),
            Key::Member(family, member) => (format!("{family}-{member}"), member.as_str()),
        };
        let Some((bundle, pattern)) = bundle.and_then(|bundle| Some((bundle, bundle.get_message(&key)?.value()?))) else {
            tracing::error!(%key, "a word is missing");
            return f.write_str(otherwise);
        };
        let arguments: FluentArgs<'_> = self.arguments.iter().map(|(name, value)| (*name, value.clone())).collect();
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&arguments), &mut errors);
        if !errors.is_empty() {
            tracing::error!(%key, ?errors, "a sentence lacks a variable");
        }
        f.write_str(&text)
    }
}
impl From<Phrase> for String {
    fn from(phrase: Phrase) -> Self {
        phrase.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FR: Words = Words::new(Language::Fr);
    const EN: Words = Words::new(Language::En);

    #[test]
    fn numbers_and_dates_by_language() {
        assert_eq!(
            (FR.number(1_234_567), EN.number(1_234_567), FR.number(-12)),
            ("1\u{202f}234\u{202f}567".into(), "1,234,567".into(), "-12".into())
        );
        assert_eq!((FR.decimal(1234.56), EN.decimal(1234.56)), ("1\u{202f}234,6".into(), "1,234.6".into()));
        assert_eq!(FR.date("2026-11-22T23:30:00Z"), "23 novembre 2026", "civil time of Paris");
        assert_eq!(EN.date_time("2026-07-01T10:05:00Z"), "1 July 2026 at 12:05");
        assert_eq!(
            (FR.date("2026-02-03"), FR.date("soon"), EN.month("2026-08")),
            ("3 février 2026".into(), "soon".into(), "August 2026".into())
        );
    }
}
