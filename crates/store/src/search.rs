//! What lists look through: one short line in memory for each request and each permit.
//!
//! A list of requests is asked for in too many ways for indexes of a database: any of five ways to be
//! seen, any filters together, words anywhere, three orders, and exact counts beside it. Going through
//! all lines in memory answers every one of them alike, on both engines: see `docs/performance.md`.
//! [`crate::lists`] keeps the lines up to date.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BinaryHeap, HashMap, hash_map},
    hash::Hash,
    ops::Bound,
};

use octroi_domain::{Id, Number, Numbered, Slug, fold, organization::Organization, stage::Stage, user::User};
use uuid::Uuid;

use crate::Visible;

/// Words of one search, at most; the others are not looked at.
const WORDS: usize = 8;

/// What every line is compared by: small, so that all of them are gone through quickly.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// The place of the state, or of the status, in the list of all.
    pub(crate) state: u8,
    pub(crate) stage: Option<Stage>,
    pub(crate) definition: u16,
    pub(crate) provider: u16,
    pub(crate) organization: u32,
    pub(crate) applicant: u32,
}

/// The lines of requests, or of permits. `F` holds what only the one or the other has. A line keeps its place.
#[derive(Debug)]
pub(crate) struct Lines<F> {
    lines: Vec<Line>,
    facts: Vec<F>,
    /// Folded.
    titles: Vec<Box<str>>,
    places: HashMap<i64, u32>,
    words: Dictionary,
}
impl<F> Default for Lines<F> {
    fn default() -> Self {
        Self { lines: Vec::new(), facts: Vec::new(), titles: Vec::new(), places: HashMap::new(), words: Dictionary::default() }
    }
}
impl<F> Lines<F> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Line, &F)> {
        self.lines.iter().zip(&self.facts)
    }

    pub(crate) fn get(&self, number: i64) -> Option<&F> {
        self.facts.get(usize_of(*self.places.get(&number)?))
    }

    /// Adds a line, or puts it in the place of the one that has its number.
    pub(crate) fn put(&mut self, number: i64, line: Line, facts: F, title: &str) {
        let title = fold::folded(title).into_boxed_str();
        let place = match self.places.entry(number) {
            hash_map::Entry::Occupied(held) => *held.get(),
            hash_map::Entry::Vacant(vacant) => {
                let place = *vacant.insert(u32_of(self.lines.len()));
                self.words.add(&title, place);
                self.lines.push(line);
                self.facts.push(facts);
                self.titles.push(title);
                return;
            }
        };
        let at = usize_of(place);
        let (Some(held), Some(held_facts), Some(held_title)) = (self.lines.get_mut(at), self.facts.get_mut(at), self.titles.get_mut(at))
        else {
            return;
        };
        (*held, *held_facts) = (line, facts);
        if *held_title != title {
            self.words.remove(held_title, place);
            self.words.add(&title, place);
            *held_title = title;
        }
    }

    /// The first lines that are asked for, in the order of `rank`, of those that come after `after`.
    pub(crate) fn first(
        &self,
        asked: &impl Asked<F>,
        shared: &Shared,
        rank: impl Fn(&F) -> Rank,
        after: Option<Rank>,
        count: usize,
    ) -> Vec<Rank> {
        let mut kept: BinaryHeap<Rank> = BinaryHeap::with_capacity(count + 1);
        self.each(asked, shared, |line, facts| {
            let place = rank(facts);
            let in_time = after.is_none_or(|after| place > after) && (kept.len() < count || kept.peek().is_some_and(|last| place < *last));
            if in_time && asked.has_state(line.state) {
                kept.push(place);
                if kept.len() > count {
                    kept.pop();
                }
            }
        });
        kept.into_sorted_vec()
    }

    /// How many are asked for, by the place of their state, whatever states are asked for.
    pub(crate) fn counts<const STATES: usize>(&self, asked: &impl Asked<F>, shared: &Shared) -> [u64; STATES] {
        let mut counts = [0; STATES];
        self.each(asked, shared, |line, _| {
            if let Some(count) = counts.get_mut(usize::from(line.state)) {
                *count += 1;
            }
        });
        counts
    }

    /// The lines that are asked for, in whatever state, the newest first: most lists begin with them.
    fn each(&self, asked: &impl Asked<F>, shared: &Shared, mut found: impl FnMut(&Line, &F)) {
        let criteria = asked.criteria();
        let wanted = Wanted::new(&criteria, shared);
        let text = criteria.text.map(str::trim).filter(|text| !text.is_empty());
        let words = text.map(|text| Words::new(text, &self.words, self.lines.len(), shared, criteria.people));
        for (place, (line, facts)) in self.lines.iter().zip(&self.facts).enumerate().rev() {
            let has_words = || words.as_ref().is_none_or(|words| words.are_in(place, line) || asked.is_named(facts));
            if wanted.has(line) && asked.has(facts) && has_words() {
                found(line, facts);
            }
        }
    }
}

/// What is asked of the lines with these facts.
pub(crate) trait Asked<F> {
    fn criteria(&self) -> Criteria<'_>;
    /// Beside the criteria: does the line have what only its kind can be asked by?
    fn has(&self, facts: &F) -> bool;
    /// Does the text name the line by a number?
    fn is_named(&self, facts: &F) -> bool;
    /// Is the state, by its place, one of those that are asked for?
    fn has_state(&self, state: u8) -> bool;
}

fn u32_of(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Word → the places of the texts that have it.
#[derive(Debug, Default)]
struct Dictionary(BTreeMap<Box<str>, Vec<u32>>);
impl Dictionary {
    fn add(&mut self, folded: &str, place: u32) {
        for word in folded.split_ascii_whitespace() {
            match self.0.get_mut(word) {
                // Places come in their order, but for texts that change.
                Some(places) => {
                    if let Err(at) = places.binary_search(&place) {
                        places.insert(at, place);
                    }
                }
                None => {
                    self.0.insert(word.into(), vec![place]);
                }
            }
        }
    }

    fn remove(&mut self, folded: &str, place: u32) {
        for word in folded.split_ascii_whitespace() {
            if let Some(places) = self.0.get_mut(word) {
                places.retain(|held| *held != place);
                if places.is_empty() {
                    self.0.remove(word);
                }
            }
        }
    }

    /// Of `count` texts, which of the words begin one of theirs: a bit for each word.
    fn look(&self, words: &[String], count: usize) -> Vec<u8> {
        let mut found = vec![0_u8; count];
        for (bit, word) in words.iter().enumerate() {
            let from = (Bound::Included(word.as_str()), Bound::Unbounded);
            for (_, places) in self.0.range::<str, _>(from).take_while(|(held, _)| held.starts_with(word.as_str())) {
                for place in places {
                    if let Some(bits) = found.get_mut(usize_of(*place)) {
                        *bits |= 1 << bit;
                    }
                }
            }
        }
        found
    }
}

/// Small numbers in place of names, and the words of a text for each.
#[derive(Debug)]
pub(crate) struct Names<K> {
    places: HashMap<K, u32>,
    texts: Vec<Box<str>>,
    words: Dictionary,
}
impl<K> Default for Names<K> {
    fn default() -> Self {
        Self { places: HashMap::new(), texts: Vec::new(), words: Dictionary::default() }
    }
}
impl<K: Hash + Eq> Names<K> {
    pub(crate) fn place<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
    {
        self.places.get(key).copied()
    }

    /// Gives a name a place if it has none, and the text, which replaces the one that it had.
    pub(crate) fn put(&mut self, key: K, text: &str) -> u32 {
        let text = fold::folded(text).into_boxed_str();
        let place = *self.places.entry(key).or_insert(u32_of(self.texts.len()));
        if let Some(held) = self.texts.get_mut(usize_of(place)) {
            self.words.remove(held, place);
            *held = text.clone();
        } else {
            self.texts.push(text.clone());
        }
        self.words.add(&text, place);
        place
    }

    /// The place of one of a few names, whose texts nobody searches. What does not fit any more has the last place.
    pub(crate) fn small_place(&mut self, key: K) -> u16 {
        let place = self.place(&key).unwrap_or_else(|| self.put(key, ""));
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, u32)> {
        self.places.iter().map(|(key, place)| (key, *place))
    }

    fn look(&self, words: &[String]) -> Vec<u8> {
        self.words.look(words, self.texts.len())
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
    fn has(&self, place: impl Into<u32>) -> bool {
        self.0.contains(&place.into())
    }
    fn slugs(names: &Names<String>, slugs: &[Slug]) -> Self {
        Self(slugs.iter().filter_map(|slug| names.place(slug.as_str())).collect())
    }
    fn organizations(names: &Names<Uuid>, ids: &[Id<Organization>]) -> Self {
        Self(ids.iter().filter_map(|id| names.place(&id.uuid())).collect())
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
struct Wanted<'a> {
    seen: Seen,
    definitions: Option<Set>,
    providers: Option<Set>,
    organizations: Option<Set>,
    applicant: Option<Option<u32>>,
    stages: &'a [Stage],
}

impl<'a> Wanted<'a> {
    fn new(criteria: &Criteria<'a>, shared: &Shared) -> Self {
        let person = |id: Id<User>| shared.people.place(&id.uuid());
        let seen = match criteria.visible {
            Visible::All => Seen::All,
            Visible::Any { definitions, providers, organizations, applicant } => Seen::Any {
                definitions: Set::slugs(&shared.definitions, definitions),
                providers: Set::slugs(&shared.providers, providers),
                organizations: Set::organizations(&shared.organizations, organizations),
                applicant: applicant.and_then(person),
            },
        };
        Self {
            seen,
            definitions: Set::of_wish(criteria.definitions, Set::slugs(&shared.definitions, criteria.definitions)),
            providers: Set::of_wish(criteria.providers, Set::slugs(&shared.providers, criteria.providers)),
            organizations: Set::of_wish(criteria.organizations, Set::organizations(&shared.organizations, criteria.organizations)),
            applicant: criteria.applicant.map(person),
            stages: criteria.stages,
        }
    }

    fn has(&self, line: &Line) -> bool {
        let seen = match &self.seen {
            Seen::All => true,
            Seen::Any { definitions, providers, organizations, applicant } => {
                definitions.has(line.definition)
                    || providers.has(line.provider)
                    || organizations.has(line.organization)
                    || *applicant == Some(line.applicant)
            }
        };
        seen && self.definitions.as_ref().is_none_or(|set| set.has(line.definition))
            && self.providers.as_ref().is_none_or(|set| set.has(line.provider))
            && self.organizations.as_ref().is_none_or(|set| set.has(line.organization))
            && self.applicant.is_none_or(|applicant| applicant == Some(line.applicant))
            && (self.stages.is_empty() || line.stage.is_some_and(|stage| self.stages.contains(&stage)))
    }
}

/// Which words of a search are in which text: in each byte a bit for each word.
#[derive(Debug)]
struct Words {
    all: u8,
    titles: Vec<u8>,
    organizations: Vec<u8>,
    people: Vec<u8>,
}
impl Words {
    fn new(text: &str, titles: &Dictionary, lines: usize, shared: &Shared, people: bool) -> Self {
        let terms = terms(text);
        Self {
            all: terms.iter().fold(0, |bits, _| bits << 1 | 1),
            titles: titles.look(&terms, lines),
            organizations: shared.organizations.look(&terms),
            people: if people { shared.people.look(&terms) } else { Vec::new() },
        }
    }

    /// A text without a single word is found nowhere.
    fn are_in(&self, place: usize, line: &Line) -> bool {
        let bits = |held: &[u8], place: usize| held.get(place).copied().unwrap_or(0);
        let found = bits(&self.titles, place)
            | bits(&self.organizations, usize_of(line.organization))
            | bits(&self.people, usize_of(line.applicant));
        self.all != 0 && found == self.all
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
