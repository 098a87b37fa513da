//! Minimisation: what no granted scope covers is cut out of a JSON answer.
//!
//! A [`MaskPlan`] is compiled once from a contract, a [`Mask`] once for a set of granted scopes; applying it
//! is one pass over the body. What is wholly open is copied byte for byte (numbers keep their digits, strings
//! their escapes), what is closed is skipped without being decoded, and only what a path leads through is read.
//!
//! The rules, where a path and a body do not fit:
//! - a path opens everything below it;
//! - the elements of an array are reached by `[*]` alone, the members of an object by their name or by `*`;
//! - an object or array that a path leads through stays, empty when nothing in it is open;
//! - a scalar, or an array without `[*]`, that stands where a path wants to go further down is cut;
//!   `null` passes there, for it shows nothing;
//! - an element that is cut leaves `null` in its place, so that the others keep theirs;
//! - of a name that is written twice in an object, each is filtered alike.

use std::fmt;

use octroi_domain::{
    api::{Contract, ErrorBodies, FieldPath, Step},
    scope::{Scope, ScopeSet},
};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A body that nests deeper than this is not read (RFC 8259, section 9, lets a reader set such a limit).
const DEEPEST: usize = 128;

/// What an error body may show beside [`ErrorBodies::Pass`]: members of RFC 9457, of RFC 6749 section 5.2, and of
/// the usual `errors` list.
const DESCRIBING: [&str; 11] =
    ["errors", "error", "error_description", "message", "code", "type", "title", "status", "detail", "instance", "request_id"];

/// The body cannot be read as its contract says: it must not be let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the body nests deeper than {DEEPEST} levels")]
    TooDeep,
    /// Not one JSON text (RFC 8259). The position alone is kept: a message could quote the body.
    #[error("the body is not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error("the body is not an object or an array as its contract says")]
    Shape,
}

/// The masks of one contract, for any set of granted scopes.
#[derive(Debug, Clone)]
pub struct MaskPlan {
    masked: bool,
    opens: Vec<(Scope, Vec<FieldPath>)>,
    always: Vec<FieldPath>,
    errors: Option<Mask>,
}

impl MaskPlan {
    #[must_use]
    pub fn compile(contract: &Contract) -> Self {
        let masked = contract.is_masked();
        let described = masked && contract.errors == ErrorBodies::Described;
        Self {
            masked,
            opens: contract.opens.iter().map(|(scope, paths)| (scope.clone(), paths.clone())).collect(),
            always: contract.always.clone(),
            errors: described.then(Mask::describing),
        }
    }

    /// Does the contract cut anything at all? If not, bodies need not be read.
    #[must_use]
    pub const fn is_masked(&self) -> bool {
        self.masked
    }

    /// The mask for these scopes: what each of them opens, and what is always open. Scopes of which none opens
    /// the operation get a mask that shows nothing. Without masking, the mask is the identity.
    #[must_use]
    pub fn mask_for(&self, granted: &ScopeSet) -> Mask {
        if !self.masked {
            return Mask { root: Node::Open };
        }
        let mut root = Walk::default();
        let mut opened = false;
        for (_, paths) in self.opens.iter().filter(|(scope, _)| granted.contains(scope)) {
            opened = true;
            paths.iter().for_each(|path| root.insert(path.steps()));
        }
        if opened {
            self.always.iter().for_each(|path| root.insert(path.steps()));
        }
        Mask { root: Node::Walk(root) }
    }

    /// The mask of answers that are not 2xx; none: they pass whole.
    #[must_use]
    pub const fn error_mask(&self) -> Option<&Mask> {
        self.errors.as_ref()
    }
}

/// The fields that are open in one answer: immutable, to be shared in an `Arc`.
#[derive(Debug, Clone)]
pub struct Mask {
    root: Node,
}

impl Mask {
    fn describing() -> Self {
        let mut root = Walk::default();
        for name in DESCRIBING {
            root.insert(&[Step::Member(name.to_owned())]);
        }
        Self { root: Node::Walk(root) }
    }

    /// Appends to `out` what of `body` is open, and returns how many members and elements were cut
    /// (one that is cut whole counts once).
    ///
    /// # Errors
    /// When the body is not one JSON text in UTF-8 without byte order mark, nests deeper than 128 levels, or is
    /// not an object or an array as the mask wants. `out` is then as it was.
    pub fn apply(&self, body: &[u8], out: &mut Vec<u8>) -> Result<u32, Unreadable> {
        let text = std::str::from_utf8(body).map_err(|_| Unreadable::NotUtf8)?;
        if nests_too_deep(body) {
            return Err(Unreadable::TooDeep);
        }
        let length = out.len();
        // A mask mostly removes: the body's length is room enough but for escapes in names.
        out.reserve(body.len());
        let result = self.filter(text, out);
        if result.is_err() {
            out.truncate(length);
        }
        result
    }

    fn filter(&self, text: &str, out: &mut Vec<u8>) -> Result<u32, Unreadable> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let mut pass = Pass { out, active: Vec::with_capacity(16), cut: 0 };
        let kept = match &self.root {
            Node::Open => Copy(&mut pass).deserialize(&mut reader).map(|()| true),
            Node::Walk(walk) => {
                pass.active.push(walk);
                Through { pass: &mut pass, from: 0, to: 1, root: true }.deserialize(&mut reader)
            }
        };
        let kept = kept.and_then(|kept| reader.end().map(|()| kept));
        match kept {
            Ok(true) => Ok(pass.cut),
            Ok(false) => Err(Unreadable::Shape),
            Err(error) => Err(Unreadable::NotJson { line: error.line(), column: error.column() }),
        }
    }
}

/// A place in a document: everything below it is open, or the paths go on.
#[derive(Debug, Clone)]
enum Node {
    Open,
    Walk(Walk),
}

/// Where the paths go on from one place.
#[derive(Debug, Clone, Default)]
struct Walk {
    /// Sorted by name.
    members: Vec<(Box<str>, Node)>,
    every: Option<Box<Node>>,
}

impl Walk {
    fn insert(&mut self, steps: &[Step]) {
        let Some((first, rest)) = steps.split_first() else { return };
        let node = match first {
            Step::Every => self.every.get_or_insert_with(|| Box::new(Node::Walk(Self::default()))).as_mut(),
            Step::Member(name) => {
                let at = match self.members.binary_search_by(|(known, _)| known.as_ref().cmp(name)) {
                    Ok(at) => at,
                    Err(at) => {
                        self.members.insert(at, (name.as_str().into(), Node::Walk(Self::default())));
                        at
                    }
                };
                match self.members.get_mut(at) {
                    Some((_, node)) => node,
                    None => return,
                }
            }
        };
        match node {
            Node::Open => {}
            _ if rest.is_empty() => *node = Node::Open,
            Node::Walk(walk) => walk.insert(rest),
        }
    }

    fn member(&self, name: &str) -> Option<&Node> {
        let at = self.members.binary_search_by(|(known, _)| known.as_ref().cmp(name)).ok()?;
        self.members.get(at).map(|(_, node)| node)
    }

    const fn is_empty(&self) -> bool {
        self.members.is_empty() && self.every.is_none()
    }
}

/// What becomes of one member or element.
enum Fate {
    Open,
    Cut,
    /// Paths go on: they are `active[from..to]`.
    Through {
        from: usize,
        to: usize,
    },
}

/// One pass over one body.
struct Pass<'m, 'o> {
    out: &'o mut Vec<u8>,
    /// The paths that are alive, as a stack: those of the place being read are a range of it. Named members and
    /// wildcards are followed side by side, so that a trie is never multiplied out.
    active: Vec<&'m Walk>,
    cut: u32,
}

impl<'m> Pass<'m, '_> {
    /// Follows the alive paths `from..to` by one step: `next` gives where a step leads from one of them.
    fn fate(&mut self, from: usize, to: usize, next: impl Fn(&'m Walk) -> [Option<&'m Node>; 2]) -> Fate {
        let begin = self.active.len();
        for at in from..to {
            let Some(walk) = self.active.get(at).copied() else { break };
            for node in next(walk).into_iter().flatten() {
                match node {
                    Node::Open => {
                        self.active.truncate(begin);
                        return Fate::Open;
                    }
                    Node::Walk(walk) => self.active.push(walk),
                }
            }
        }
        if self.active.len() == begin { Fate::Cut } else { Fate::Through { from: begin, to: self.active.len() } }
    }

    fn count_cut(&mut self) {
        self.cut = self.cut.saturating_add(1);
    }
}

/// Copies a value as it is written.
struct Copy<'c, 'm, 'o>(&'c mut Pass<'m, 'o>);
impl<'de> DeserializeSeed<'de> for Copy<'_, '_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        let raw = <&RawValue as serde::Deserialize>::deserialize(reader)?;
        self.0.out.extend_from_slice(raw.get().as_bytes());
        Ok(())
    }
}

/// Reads the name of a member, writes it, and says what becomes of the member.
struct Name<'c, 'm, 'o> {
    pass: &'c mut Pass<'m, 'o>,
    from: usize,
    to: usize,
}
impl Name<'_, '_, '_> {
    fn fate(self, name: &str) -> Fate {
        self.pass.fate(self.from, self.to, |walk| [walk.member(name), walk.every.as_deref()])
    }
}
impl<'de> DeserializeSeed<'de> for Name<'_, '_, '_> {
    type Value = Fate;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Fate, D::Error> {
        reader.deserialize_str(self)
    }
}
impl<'de> Visitor<'de> for Name<'_, '_, '_> {
    type Value = Fate;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }
    /// A name that is borrowed from the text had no escape: it is written as it stands.
    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Fate, E> {
        self.pass.out.push(b'"');
        self.pass.out.extend_from_slice(name.as_bytes());
        self.pass.out.extend_from_slice(b"\":");
        Ok(self.fate(name))
    }
    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Fate, E> {
        serde_json::to_writer(&mut *self.pass.out, name).map_err(E::custom)?;
        self.pass.out.push(b':');
        Ok(self.fate(name))
    }
}

/// Reads a value that paths lead through; says whether anything was written.
struct Through<'c, 'm, 'o> {
    pass: &'c mut Pass<'m, 'o>,
    from: usize,
    to: usize,
    root: bool,
}
impl<'m, 'o> Through<'_, 'm, 'o> {
    /// Reads one value below this one by `next`, which reads a value with the seed that it is given.
    fn below(&mut self, fate: &Fate) -> Below<'_, 'm, 'o> {
        match *fate {
            Fate::Open => Below::Open(Copy(self.pass)),
            Fate::Cut => Below::Cut,
            Fate::Through { from, to } => Below::Through(Through { pass: self.pass, from, to, root: false }),
        }
    }
}

/// The seed of a value whose fate is known; says whether anything was written.
enum Below<'c, 'm, 'o> {
    Open(Copy<'c, 'm, 'o>),
    Cut,
    Through(Through<'c, 'm, 'o>),
}
impl<'de> DeserializeSeed<'de> for Below<'_, '_, '_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<bool, D::Error> {
        match self {
            Self::Open(copy) => copy.deserialize(reader).map(|()| true),
            Self::Cut => <IgnoredAny as serde::Deserialize>::deserialize(reader).map(|_| false),
            Self::Through(through) => through.deserialize(reader),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Through<'_, '_, '_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<bool, D::Error> {
        reader.deserialize_any(self)
    }
}
impl<'de> Visitor<'de> for Through<'_, '_, '_> {
    type Value = bool;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<bool, A::Error> {
        self.pass.out.push(b'{');
        let mut first = true;
        loop {
            let before = self.pass.out.len();
            if !first {
                self.pass.out.push(b',');
            }
            let Some(fate) = members.next_key_seed(Name { pass: self.pass, from: self.from, to: self.to })? else {
                self.pass.out.truncate(before);
                break;
            };
            if members.next_value_seed(self.below(&fate))? {
                first = false;
            } else {
                self.pass.out.truncate(before);
                self.pass.count_cut();
            }
            self.pass.active.truncate(self.to);
        }
        self.pass.out.push(b'}');
        Ok(true)
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<bool, A::Error> {
        let fate = self.pass.fate(self.from, self.to, |walk| [walk.every.as_deref(), None]);
        if matches!(fate, Fate::Cut) {
            // Only a mask that opens nothing at all fits an array whose elements no path reaches.
            let nothing_is_open = self.root && self.pass.active.iter().all(|walk| walk.is_empty());
            while elements.next_element::<IgnoredAny>()?.is_some() {
                if nothing_is_open {
                    self.pass.count_cut();
                }
            }
            if nothing_is_open {
                self.pass.out.extend_from_slice(b"[]");
            }
            return Ok(nothing_is_open);
        }
        self.pass.out.push(b'[');
        let mut first = true;
        loop {
            let before = self.pass.out.len();
            if !first {
                self.pass.out.push(b',');
            }
            match elements.next_element_seed(self.below(&fate))? {
                None => {
                    self.pass.out.truncate(before);
                    break;
                }
                Some(true) => {}
                Some(false) => {
                    self.pass.out.extend_from_slice(b"null");
                    self.pass.count_cut();
                }
            }
            first = false;
        }
        self.pass.active.truncate(self.to);
        self.pass.out.push(b']');
        Ok(true)
    }
    fn visit_unit<E>(self) -> Result<bool, E> {
        if !self.root {
            self.pass.out.extend_from_slice(b"null");
        }
        Ok(!self.root)
    }
    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }
}

/// Does the text nest deeper than [`DEEPEST`]? The parser counts only the levels that it walks, not those that it
/// copies or skips.
fn nests_too_deep(body: &[u8]) -> bool {
    // As many openings as levels are needed: counting them is cheap, and settles it for all but large bodies.
    if body.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= DEEPEST {
        return false;
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in body {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
