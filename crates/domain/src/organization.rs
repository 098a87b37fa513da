//! Organisations, and their SIRET.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{Id, Moment};

/// A SIRET: 14 digits, checked by the Luhn sum (INSEE), with La Poste's exception: an establishment
/// of SIREN 356 000 000 may instead have digits that sum to a multiple of 5.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Siret(String);

/// The text is not a SIRET.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SIRET: 14 digits whose checksum is right")]
pub struct SiretError(String);

impl Siret {
    const LA_POSTE: &'static str = "356000000";

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first nine digits: the legal entity.
    #[must_use]
    pub fn siren(&self) -> &str {
        self.0.get(..9).unwrap_or(&self.0)
    }
}
impl FromStr for Siret {
    type Err = SiretError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || SiretError(text.chars().take(40).collect());
        if text.len() != 14 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(error());
        }
        let digits = || text.bytes().rev().map(|b| u32::from(b - b'0'));
        let luhn: u32 = digits()
            .enumerate()
            .map(|(place, digit)| match (place % 2, digit * 2) {
                (0, _) => digit,
                (_, double) if double > 9 => double - 9,
                (_, double) => double,
            })
            .sum();
        let la_poste = text.starts_with(Self::LA_POSTE) && digits().sum::<u32>() % 5 == 0;
        if luhn.is_multiple_of(10) || la_poste { Ok(Self(text.to_owned())) } else { Err(error()) }
    }
}
impl fmt::Display for Siret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for Siret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A body or company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    pub id: Id<Organization>,
    pub siret: Siret,
    pub name: String,
    pub created_at: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_and_la_poste() {
        for good in ["13002526500013", "21750001600019", "35600000000048", "35600000049837"] {
            assert!(good.parse::<Siret>().is_ok(), "{good}");
        }
        for bad in ["13002526500014", "1300252650001", "130025265000133", "1300252650001x", "", "３５６００００００"] {
            assert!(bad.parse::<Siret>().is_err(), "{bad}");
        }
        // Sums to a multiple of 5 but is not La Poste.
        assert!("13002526500010".parse::<Siret>().is_err());
    }
}
