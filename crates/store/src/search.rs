//! What lists look through: one short line in memory for each request and each permit.
//!
//! A list of requests is asked for in too many ways for indexes of a database: any of five ways to be
//! seen, any filters together, words anywhere, three orders, and exact counts beside it. Going through
//! all lines in memory answers every one of them alike, on both engines: see `docs/performance.md`.
//! [`crate::lists`] keeps the lines up to date.

use std::{
    borrow::Borrow,
    collections::{BinaryHeap, HashMap},
    hash::Hash,
};

use memchr::memmem::Finder;
use octroi_domain::{Id, Number, Numbered, Slug, fold, organization::Organization, stage::Stage, user::User};
use uuid::Uuid;

use crate::Visible;

/// Words of one search, at most; the others are not looked at.
const WORDS: usize = 8;

/// One request or permit. `F` holds what only the one or the other has.
#[derive(Debug)]
pub(crate) struct Line<F> {
    pub(crate) number: i64,
    /// The place of the state, or of the status, in the list of all.
    pub(crate) state: usize,
    pub(crate) stage: Option<Stage>,
    pub(crate) definition: u32,
    pub(crate) provider: u32,
    pub(crate) organization: u32,
    pub(crate) applicant: u32,
    /// Folded.
    pub(crate) title: Box<str>,
    pub(crate) facts: F,
}

/// Lines in the order of their numbers.
#[derive(Debug)]
pub(crate) struct Lines<F>(Vec<Line<F>>);
impl<F> Default for Lines<F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
impl<F> Lines<F> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Line<F>> {
        self.0.iter()
    }

    pub(crate) fn get(&self, number: i64) -> Option<&Line<F>> {
        self.0.get(self.0.binary_search_by_key(&number, |line| line.number).ok()?)
    }

    /// Adds a line, or puts it in the place of the one that has its number.
    pub(crate) fn put(&mut self, line: Line<F>) {
        match self.0.binary_search_by_key(&line.number, |held| held.number) {
            Ok(place) => {
                if let Some(held) = self.0.get_mut(place) {
                    *held = line;
                }
            }
            Err(place) => self.0.insert(place, line),
        }
    }

    /// The first lines that are wanted, in the order of `rank`, of those that come after `after`.
    pub(crate) fn first(&self, count: usize, after: Option<Rank>, wanted: impl Fn(&Line<F>) -> bool, rank: impl Fn(&Line<F>) -> Rank) -> Vec<Rank> {
        let mut kept: BinaryHeap<Rank> = BinaryHeap::with_capacity(count + 1);
        // The newest are in front of most lists: beginning with them, the others are refused by one comparison.
        for line in self.0.iter().rev() {
            let place = rank(line);
            let in_time = after.is_none_or(|after| place > after) && (kept.len() < count || kept.peek().is_some_and(|last| place < *last));
            if in_time && wanted(line) {
                kept.push(place);
                if kept.len() > count {
                    kept.pop();
                }
            }
        }
        kept.into_sorted_vec()
    }

    /// How many are wanted, by the place of their state.
    pub(crate) fn counts<const STATES: usize>(&self, wanted: impl Fn(&Line<F>) -> bool) -> [u64; STATES] {
        let mut counts = [0; STATES];
        for line in self.0.iter().filter(|line| wanted(line)) {
            if let Some(count) = counts.get_mut(line.state) {
                *count += 1;
            }
        }
        counts
    }
}

/// Small numbers in place of names, with a folded text for each.
#[derive(Debug)]
pub(crate) struct Names<K> {
    places: HashMap<K, u32>,
    texts: Vec<Box<str>>,
}
impl<K> Default for Names<K> {
    fn default() -> Self {
        Self { places: HashMap::new(), texts: Vec::new() }
    }
}
impl<K: Hash + Eq> Names<K> {
    pub(crate) fn place<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
    {
        self.places.get(key).copied()
    }

    /// The place of a name, which is given one when it has none; and its text, which replaces the one that it had.
    pub(crate) fn put(&mut self, key: K, text: &str) -> u32 {
        let text = fold::folded(text).into_boxed_str();
        if let Some(place) = self.place(&key) {
            if let Some(held) = usize::try_from(place).ok().and_then(|place| self.texts.get_mut(place)) {
                *held = text;
            }
            return place;
        }
        let place = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text);
        self.places.insert(key, place);
        place
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, u32)> {
        self.places.iter().map(|(key, place)| (key, *place))
    }

    /// The same for a name whose text nobody searches.
    pub(crate) fn place_of(&mut self, key: K) -> u32 {
        self.place(&key).unwrap_or_else(|| self.put(key, ""))
    }

    fn places<'a, Q: Hash + Eq + ?Sized + 'a>(&self, keys: impl IntoIterator<Item = &'a Q>) -> Set
    where
        K: Borrow<Q>,
    {
        Set(keys.into_iter().filter_map(|key| self.place(key)).collect())
    }
}

/// The names that lines share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) definitions: Names<String>,
    pub(crate) providers: Names<String>,
    /// Name and SIRET.
    pub(crate) organizations: Names<Uuid>,
    /// Name and e-mail address.
    pub(crate) people: Names<Uuid>,
}

/// A few places.
#[derive(Debug)]
struct Set(Vec<u32>);
impl Set {
    fn has(&self, place: u32) -> bool {
        self.0.contains(&place)
    }
    /// An empty wish asks for nothing in particular.
    fn of_wish<T>(wish: &[T], found: Self) -> Option<Self> {
        (!wish.is_empty()).then_some(found)
    }
}

/// What requests and permits can both be asked by.
#[derive(Debug)]
pub(crate) struct Criteria<'a> {
    pub(crate) visible: &'a Visible,
    pub(crate) definitions: &'a [Slug],
    pub(crate) providers: &'a [Slug],
    pub(crate) organizations: &'a [Id<Organization>],
    pub(crate) applicant: Option<Id<User>>,
    pub(crate) stages: &'a [Stage],
    pub(crate) text: Option<&'a str>,
    /// Are names and addresses of people looked through too?
    pub(crate) people: bool,
}

#[derive(Debug)]
enum Seen {
    All,
    Any { definitions: Set, providers: Set, organizations: Set, applicant: Option<u32> },
}

/// [`Criteria`] as lines are compared with.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    seen: Seen,
    definitions: Option<Set>,
    providers: Option<Set>,
    organizations: Option<Set>,
    applicant: Option<Option<u32>>,
    stages: &'a [Stage],
    text: Option<Words>,
}

impl<'a> Wanted<'a> {
    pub(crate) fn new(criteria: &Criteria<'a>, shared: &Shared) -> Self {
        let slugs = |names: &Names<String>, slugs: &[Slug]| names.places(slugs.iter().map(Slug::as_str));
        let organizations = |ids: &[Id<Organization>]| Set(ids.iter().filter_map(|id| shared.organizations.place(&id.uuid())).collect());
        let person = |id: Id<User>| shared.people.place(&id.uuid());
        let seen = match criteria.visible {
            Visible::All => Seen::All,
            Visible::Any { definitions, providers, organizations: own, applicant } => Seen::Any {
                definitions: slugs(&shared.definitions, definitions),
                providers: slugs(&shared.providers, providers),
                organizations: organizations(own),
                applicant: applicant.and_then(person),
            },
        };
        let text = criteria.text.map(str::trim).filter(|text| !text.is_empty());
        Self {
            seen,
            definitions: Set::of_wish(criteria.definitions, slugs(&shared.definitions, criteria.definitions)),
            providers: Set::of_wish(criteria.providers, slugs(&shared.providers, criteria.providers)),
            organizations: Set::of_wish(criteria.organizations, organizations(criteria.organizations)),
            applicant: criteria.applicant.map(person),
            stages: criteria.stages,
            text: text.map(|text| Words::new(text, shared, criteria.people)),
        }
    }

    /// `is_named`: does the text name this very line by a number?
    pub(crate) fn has<F>(&self, line: &Line<F>, is_named: impl Fn() -> bool) -> bool {
        let seen = match &self.seen {
            Seen::All => true,
            Seen::Any { definitions, providers, organizations, applicant } => {
                definitions.has(line.definition)
                    || providers.has(line.provider)
                    || organizations.has(line.organization)
                    || *applicant == Some(line.applicant)
            }
        };
        let asked = |wish: &Option<Set>, place| wish.as_ref().is_none_or(|set| set.has(place));
        seen && asked(&self.definitions, line.definition)
            && asked(&self.providers, line.provider)
            && asked(&self.organizations, line.organization)
            && self.applicant.is_none_or(|applicant| applicant == Some(line.applicant))
            && (self.stages.is_empty() || line.stage.is_some_and(|stage| self.stages.contains(&stage)))
            && self.text.as_ref().is_none_or(|words| is_named() || words.are_in(line))
    }
}

/// The words of a search, and which of them the names that lines share have: a bit for each word.
#[derive(Debug)]
struct Words {
    finders: Vec<Finder<'static>>,
    all: u8,
    organizations: Vec<u8>,
    people: Option<Vec<u8>>,
}
impl Words {
    fn new(text: &str, shared: &Shared, people: bool) -> Self {
        let finders: Vec<_> = terms(text).iter().map(|word| Finder::new(&format!(" {word}")).into_owned()).collect();
        let all = finders.iter().fold(0, |bits: u8, _| bits << 1 | 1);
        let mut words = Self { finders, all, organizations: Vec::new(), people: None };
        words.organizations = shared.organizations.texts.iter().map(|text| words.found(text, 0)).collect();
        words.people = people.then(|| shared.people.texts.iter().map(|text| words.found(text, 0)).collect());
        words
    }

    /// `found` and the words that begin somewhere in a folded text.
    fn found(&self, text: &str, found: u8) -> u8 {
        let look = |bits: u8, (place, finder): (usize, &Finder<'_>)| {
            let bit = 1 << place;
            if bits & bit != 0 || finder.find(text.as_bytes()).is_some() { bits | bit } else { bits }
        };
        self.finders.iter().enumerate().fold(found, look)
    }

    /// A text without a single word is found nowhere.
    fn are_in<F>(&self, line: &Line<F>) -> bool {
        let bits = |held: &[u8], place: u32| usize::try_from(place).ok().and_then(|place| held.get(place)).copied().unwrap_or(0);
        let found = bits(&self.organizations, line.organization) | self.people.as_ref().map_or(0, |people| bits(people, line.applicant));
        self.all != 0 && (found == self.all || self.found(&line.title, found) == self.all)
    }
}

/// The folded words of a search. Groups of digits that make a SIREN or a SIRET together are one word.
fn terms(text: &str) -> Vec<String> {
    let words: Vec<String> = fold::words(text).into_iter().map(|word| word.chars().take(100).collect()).collect();
    let is_digits = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
    let mut terms = Vec::new();
    for group in words.chunk_by(|one, next| is_digits(one) == is_digits(next)) {
        let joined = group.concat();
        if group.first().is_some_and(is_digits) && (9..=14).contains(&joined.len()) {
            terms.push(joined);
        } else {
            terms.extend_from_slice(group);
        }
    }
    terms.truncate(WORDS);
    terms
}

/// The number that a text is, in small or capital letters: `d12`.
pub(crate) fn number<T: Numbered>(text: Option<&str>) -> Option<i64> {
    text?.trim().to_uppercase().parse::<Number<T>>().ok().map(Number::get)
}

/// Where a line stands in a list: the smaller is the earlier.
pub(crate) type Rank = (i64, i64);

/// The rank in a list that goes from late to early; of such a rank, the instant and the number again.
pub(crate) const fn late_first((at, number): Rank) -> Rank {
    (!at, !number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_digits_make_a_siret() {
        for (text, expected) in [
            ("217 500 016 00019", &["21750001600019"][..]),
            ("Lyon 216 901 231", &["lyon", "216901231"]),
            ("21690123100018 l’Haÿ", &["21690123100018", "l", "hay"]),
            ("75 101 Paris", &["75", "101", "paris"]),
            ("12 mai 2026", &["12", "mai", "2026"]),
            ("1 2 3 4 5 6 7 8", &["1", "2", "3", "4", "5", "6", "7", "8"]),
            ("% _ '", &[]),
        ] {
            assert_eq!(terms(text), expected, "{text}");
        }
        assert_eq!(terms(&"mot ".repeat(100)).len(), WORDS);
    }
}
