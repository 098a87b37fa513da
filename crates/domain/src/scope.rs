//! Scopes: what a permit opens, one word each, and the rules that bind their choice.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{Moment, text::Text};

/// One scope, spelled as RFC 6749 section 3.3 allows (`scope-token`), 1 to 128 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Scope(String);

/// The text cannot be a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a scope is 1 to 128 visible ASCII characters without space, quote or backslash (RFC 6749, section 3.3)")]
pub struct ScopeError;

impl Scope {
    /// # Errors
    /// When the text is not an RFC 6749 `scope-token` of 1 to 128 characters.
    pub fn new(text: impl Into<String>) -> Result<Self, ScopeError> {
        let text = text.into();
        let visible = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if (1..=128).contains(&text.len()) && text.bytes().all(visible) { Ok(Self(text)) } else { Err(ScopeError) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl FromStr for Scope {
    type Err = ScopeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}
impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// A set of scopes, in order. The empty set grants nothing: it never means "all".
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeSet(BTreeSet<Scope>);

impl ScopeSet {
    #[must_use]
    pub const fn empty() -> Self {
        Self(BTreeSet::new())
    }

    #[must_use]
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    pub fn insert(&mut self, scope: Scope) {
        self.0.insert(scope);
    }

    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}
impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}
/// Space-separated, as in an OAuth answer (RFC 6749 section 3.3).
impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

/// A scope that a definition offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferedScope {
    pub value: Scope,
    pub name: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Heading under which it is shown.
    pub group: Text,
    /// Granted with every permit; it cannot be left out.
    #[serde(default)]
    pub included: bool,
    /// Offered no more to requests created from this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated_since: Option<Moment>,
}

/// A rule on the choice of scopes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum ScopeRule {
    /// At least one of these.
    OneOf { scopes: ScopeSet },
    /// `scope` may not be chosen with any of `with`.
    Exclusive { scope: Scope, with: ScopeSet },
    /// No scope of `left` may be chosen with a scope of `right`.
    Incompatible { left: ScopeSet, right: ScopeSet },
    /// When chosen, it is the only one (always-included scopes aside).
    Alone { scope: Scope },
    /// Choosing `scope` requires each of `needs`.
    Requires { scope: Scope, needs: ScopeSet },
}

/// How a choice of scopes breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeFault {
    #[error("`{0}` is not offered")]
    Unknown(Scope),
    #[error("`{0}` is no longer offered")]
    Deprecated(Scope),
    #[error("choose at least one of: {0}")]
    OneOf(ScopeSet),
    #[error("`{0}` cannot be chosen with `{1}`")]
    Exclusive(Scope, Scope),
    #[error("`{0}` must be the only scope")]
    Alone(Scope),
    #[error("`{0}` requires `{1}`")]
    Requires(Scope, Scope),
    #[error("`{0}` is always included and cannot be left out")]
    Included(Scope),
}

impl ScopeFault {
    /// The same sentence for people, in both languages.
    #[must_use]
    pub fn text(&self) -> Text {
        let (fr, en) = match self {
            Self::Unknown(scope) => (format!("« {scope} » n’est pas proposé."), format!("“{scope}” is not offered.")),
            Self::Deprecated(scope) => (format!("« {scope} » n’est plus proposé."), format!("“{scope}” is no longer offered.")),
            Self::OneOf(scopes) => {
                (format!("Choisissez au moins une donnée parmi : {scopes}."), format!("Choose at least one of: {scopes}."))
            }
            Self::Exclusive(one, other) => {
                (format!("« {one} » ne peut pas être choisi avec « {other} »."), format!("“{one}” cannot be chosen with “{other}”."))
            }
            Self::Alone(scope) => (format!("« {scope} » doit être la seule donnée choisie."), format!("“{scope}” must be the only scope.")),
            Self::Requires(scope, needed) => {
                (format!("« {scope} » demande aussi « {needed} »."), format!("“{scope}” also needs “{needed}”."))
            }
            Self::Included(scope) => {
                (format!("« {scope} » est toujours inclus."), format!("“{scope}” is always included and cannot be left out."))
            }
        };
        Text::new(fr, en)
    }
}

impl ScopeRule {
    /// Every scope that the rule names, for the lint.
    #[must_use]
    pub fn names(&self) -> Vec<&Scope> {
        match self {
            Self::OneOf { scopes } => scopes.iter().collect(),
            Self::Exclusive { scope, with } => with.iter().chain([scope]).collect(),
            Self::Incompatible { left, right } => left.iter().chain(right.iter()).collect(),
            Self::Alone { scope } => vec![scope],
            Self::Requires { scope, needs } => needs.iter().chain([scope]).collect(),
        }
    }

    fn faults(&self, chosen: &ScopeSet, included: &ScopeSet, faults: &mut Vec<ScopeFault>) {
        match self {
            Self::OneOf { scopes } => {
                if chosen.intersection(scopes).is_empty() {
                    faults.push(ScopeFault::OneOf(scopes.clone()));
                }
            }
            Self::Exclusive { scope, with } => {
                if chosen.contains(scope) {
                    faults.extend(
                        with.iter().filter(|other| chosen.contains(other)).map(|other| ScopeFault::Exclusive(scope.clone(), other.clone())),
                    );
                }
            }
            Self::Incompatible { left, right } => {
                for one in left.iter().filter(|one| chosen.contains(one)) {
                    faults.extend(
                        right.iter().filter(|other| chosen.contains(other)).map(|other| ScopeFault::Exclusive(one.clone(), other.clone())),
                    );
                }
            }
            Self::Alone { scope } => {
                let others = chosen.iter().any(|other| other != scope && !included.contains(other));
                if chosen.contains(scope) && others {
                    faults.push(ScopeFault::Alone(scope.clone()));
                }
            }
            Self::Requires { scope, needs } => {
                if chosen.contains(scope) {
                    faults.extend(
                        needs
                            .iter()
                            .filter(|needed| !chosen.contains(needed))
                            .map(|needed| ScopeFault::Requires(scope.clone(), needed.clone())),
                    );
                }
            }
        }
    }
}

/// Judges a choice against what is offered and its rules; every fault is returned.
/// `since` is when the request was created: a scope deprecated before it is refused.
#[must_use]
pub fn judge(offered: &[OfferedScope], rules: &[ScopeRule], chosen: &ScopeSet, since: Moment) -> Vec<ScopeFault> {
    let mut faults = Vec::new();
    let included: ScopeSet = offered.iter().filter(|scope| scope.included).map(|scope| scope.value.clone()).collect();
    for scope in chosen.iter() {
        match offered.iter().find(|offer| offer.value == *scope) {
            None => faults.push(ScopeFault::Unknown(scope.clone())),
            Some(offer) if offer.deprecated_since.is_some_and(|date| date <= since) => {
                faults.push(ScopeFault::Deprecated(scope.clone()));
            }
            Some(_) => {}
        }
    }
    faults.extend(included.iter().filter(|scope| !chosen.contains(scope)).map(|scope| ScopeFault::Included(scope.clone())));
    for rule in rules {
        rule.faults(chosen, &included, &mut faults);
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> ScopeSet {
        text.split_whitespace().filter_map(|word| Scope::new(word).ok()).collect()
    }
    fn one(text: &str) -> Scope {
        Scope(text.into())
    }
    fn offers() -> Vec<OfferedScope> {
        let offer = |value: &str| OfferedScope {
            value: one(value),
            name: Text::default(),
            description: None,
            group: Text::default(),
            included: value == "openid",
            deprecated_since: (value == "old").then(|| Moment::from_micros(100)),
        };
        ["y1", "y2", "y1_or_y2", "death", "ifi", "lep", "openid", "old", "address"].map(offer).to_vec()
    }
    fn rules() -> Vec<ScopeRule> {
        vec![
            ScopeRule::OneOf { scopes: set("y1 y2 y1_or_y2") },
            ScopeRule::Exclusive { scope: one("y1_or_y2"), with: set("y1 y2") },
            ScopeRule::Incompatible { left: set("y1_or_y2 death"), right: set("ifi lep") },
            ScopeRule::Requires { scope: one("address"), needs: set("y1") },
        ]
    }
    #[track_caller]
    fn check(chosen: &str, since: i64, expected: &[&str]) {
        let faults = judge(&offers(), &rules(), &set(chosen), Moment::from_micros(since));
        assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn rules_are_judged_each() {
        check("openid y1", 0, &[]);
        check("openid y1 y2 old", 0, &[]);
        check("openid y1 old", 100, &["`old` is no longer offered"]);
        check("openid", 0, &["choose at least one of: y1 y1_or_y2 y2"]);
        check("y1", 0, &["`openid` is always included and cannot be left out"]);
        check("openid y1_or_y2 y2", 0, &["`y1_or_y2` cannot be chosen with `y2`"]);
        check("openid y1 death ifi", 0, &["`death` cannot be chosen with `ifi`"]);
        check("openid y2 address", 0, &["`address` requires `y1`"]);
        check("openid y1 nothing", 0, &["`nothing` is not offered"]);
    }

    #[test]
    fn alone_leaves_included_scopes_aside() {
        let rules = [ScopeRule::Alone { scope: one("lep") }];
        let at = Moment::from_micros(0);
        assert!(judge(&offers(), &rules, &set("openid lep"), at).is_empty());
        assert_eq!(judge(&offers(), &rules, &set("openid lep y1"), at), [ScopeFault::Alone(one("lep"))]);
    }

    #[test]
    fn scope_tokens_follow_rfc_6749() {
        for bad in ["", "a b", "a\"b", "a\\b", "é", "a\tb", &"x".repeat(129)] {
            assert!(Scope::new(bad).is_err(), "{bad:?}");
        }
        assert!(Scope::new("resource.READ").is_ok());
    }
}
