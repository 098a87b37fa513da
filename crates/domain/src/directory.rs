//! What a public directory of organisations says of one.

use serde::{Deserialize, Serialize};

use crate::{Moment, text::Text};

/// Where facts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The public API "Recherche d'entreprises".
    RechercheEntreprises,
    /// Sirene, by API Entreprise.
    ApiEntreprise,
}
impl Source {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RechercheEntreprises => "recherche_entreprises",
            Self::ApiEntreprise => "api_entreprise",
        }
    }
}

/// People at work, as INSEE counts them: a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workforce {
    pub from: u32,
    /// None: no upper end.
    pub to: Option<u32>,
}
impl Workforce {
    /// The band of a code of INSEE's (`tranche d'effectif`): none where it says that nothing is known.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        let (from, to) = match code {
            "00" => (0, Some(0)),
            "01" => (1, Some(2)),
            "02" => (3, Some(5)),
            "03" => (6, Some(9)),
            "11" => (10, Some(19)),
            "12" => (20, Some(49)),
            "21" => (50, Some(99)),
            "22" => (100, Some(199)),
            "31" => (200, Some(249)),
            "32" => (250, Some(499)),
            "41" => (500, Some(999)),
            "42" => (1_000, Some(1_999)),
            "51" => (2_000, Some(4_999)),
            "52" => (5_000, Some(9_999)),
            "53" => (10_000, None),
            _ => return None,
        };
        Some(Self { from, to })
    }
}

/// What a directory says of one establishment, on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub label: String,
    /// INSEE's code of legal categories, four digits.
    pub legal_category: Option<String>,
    /// INSEE's code of activities: `84.11Z`.
    pub activity: Option<String>,
    pub address: Option<String>,
    /// INSEE's code of the commune.
    pub commune: Option<String>,
    /// Closed establishments ask for nothing.
    pub active: bool,
    pub workforce: Option<Workforce>,
    /// A public service, as the directory says, or by its legal category.
    pub is_public: bool,
    /// The e-mail address that an official register gives.
    pub official_contact: Option<String>,
}

/// Staff from which a free address is not taken lightly.
const LARGE: u32 = 50;
/// Staff up to which an association or a civil company has nobody to ask.
const SMALL: u32 = 19;

impl Facts {
    fn category(&self) -> &str {
        self.legal_category.as_deref().unwrap_or_default()
    }

    /// Is that legal category one of public services? State, territorial authorities, public establishments, industrial or not.
    #[must_use]
    pub fn public_category(code: &str) -> bool {
        ["71", "72", "73", "74", "41"].iter().any(|start| code.starts_with(start)) || code == "3110" || code == "3210"
    }

    #[must_use]
    pub fn is_commune(&self) -> bool {
        self.category() == "7210"
    }

    /// Nursery to secondary schools that are public establishments.
    #[must_use]
    pub fn is_school(&self) -> bool {
        self.is_public
            && self.activity.as_deref().is_some_and(|activity| ["85.10", "85.20", "85.31", "85.32"].iter().any(|a| activity.starts_with(a)))
    }

    /// One person and nobody else: their own company, with nobody at work.
    #[must_use]
    pub fn is_sole_trader(&self) -> bool {
        let alone = self.workforce.is_none_or(|workforce| workforce.from == 0);
        self.category().starts_with('1') || (alone && matches!(self.category(), "5498" | "5720"))
    }

    /// A small association, civil company or farm.
    #[must_use]
    pub fn is_small_association(&self) -> bool {
        let kinds = ["92", "65", "63"];
        let small = self.workforce.is_none_or(|workforce| workforce.to.is_some_and(|to| to <= SMALL));
        !self.is_public && small && kinds.iter().any(|start| self.category().starts_with(start))
    }

    #[must_use]
    pub fn is_large(&self) -> bool {
        self.workforce.is_some_and(|workforce| workforce.from >= LARGE)
    }

    /// What the legal category is, in words.
    #[must_use]
    pub fn legal_category_words(&self) -> Option<Text> {
        let (fr, en) = match self.category() {
            "" => return None,
            "7210" => ("Commune", "Municipality"),
            "7220" => ("Département", "Department"),
            "7230" => ("Région", "Region"),
            code if code.starts_with("71") => ("Administration de l’État", "State administration"),
            code if code.starts_with("72") => ("Collectivité territoriale", "Local authority"),
            code if code.starts_with("73") => ("Établissement public administratif", "Public establishment"),
            code if code.starts_with("74") => ("Autre personne morale de droit public", "Other public-law body"),
            code if code.starts_with("41") => {
                ("Établissement public industriel ou commercial", "Industrial or commercial public establishment")
            }
            code if code.starts_with('1') => ("Entrepreneur individuel", "Sole trader"),
            code if code.starts_with('2') => ("Groupement sans personnalité morale", "Group without legal personality"),
            code if code.starts_with('3') => ("Personne morale de droit étranger", "Body under foreign law"),
            code if code.starts_with('5') => ("Société commerciale", "Company"),
            code if code.starts_with('6') => ("Autre personne morale immatriculée", "Other registered body"),
            code if code.starts_with('8') => ("Organisme privé spécialisé", "Specialised private body"),
            code if code.starts_with("92") => ("Association", "Association"),
            code if code.starts_with('9') => ("Groupement de droit privé", "Private-law group"),
            _ => ("Autre catégorie juridique", "Other legal category"),
        };
        Some(Text::new(fr, en))
    }
}

/// What is known of an organisation, and how far it is to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody could say: no directory is set, it did not answer, or the body is outside France.
    Unverified,
    /// The directory answered, and knows no such number.
    Unknown {
        asked_at: Moment,
    },
    Known {
        facts: Facts,
        source: Source,
        fetched_at: Moment,
    },
}
impl Standing {
    #[must_use]
    pub const fn facts(&self) -> Option<&Facts> {
        match self {
            Self::Known { facts, .. } => Some(facts),
            _ => None,
        }
    }

    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.facts().is_some_and(|facts| !facts.active)
    }

    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Unknown { .. } => "unknown",
            Self::Known { facts, .. } if facts.active => "active",
            Self::Known { .. } => "closed",
        }
    }
}

#[cfg(test)]
pub(crate) fn sample(category: &str, activity: &str, workforce: &str) -> Facts {
    Facts {
        label: "Sample".into(),
        legal_category: Some(category.into()),
        activity: Some(activity.into()),
        address: None,
        commune: None,
        active: true,
        workforce: Workforce::of_code(workforce),
        is_public: Facts::public_category(category),
        official_contact: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_organisations_are_told_apart() {
        // category, activity, workforce; public, commune, school, sole trader, small association, large
        for (category, activity, workforce, kinds) in [
            ("7210", "84.11Z", "21", [true, true, false, false, false, true]),
            ("7120", "84.11Z", "42", [true, false, false, false, false, true]),
            ("7331", "85.31Z", "12", [true, false, true, false, false, false]),
            ("4110", "35.11Z", "53", [true, false, false, false, false, true]),
            ("1000", "62.01Z", "NN", [false, false, false, true, false, false]),
            ("5720", "62.01Z", "00", [false, false, false, true, false, false]),
            ("5720", "62.01Z", "12", [false, false, false, false, false, false]),
            ("5710", "62.01Z", "32", [false, false, false, false, false, true]),
            ("9220", "94.99Z", "01", [false, false, false, false, true, false]),
            ("9220", "94.99Z", "22", [false, false, false, false, false, true]),
            ("6540", "68.20B", "NN", [false, false, false, false, true, false]),
        ] {
            let facts = sample(category, activity, workforce);
            let found = [
                facts.is_public,
                facts.is_commune(),
                facts.is_school(),
                facts.is_sole_trader(),
                facts.is_small_association(),
                facts.is_large(),
            ];
            assert_eq!(found, kinds, "{category} {activity} {workforce}");
            assert!(facts.legal_category_words().is_some());
        }
    }
}
