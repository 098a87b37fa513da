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

/// A register of companies outside France, or above the States.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Register {
    /// The country's own register of companies or public bodies.
    National,
    /// The number of value-added tax.
    Vat,
    /// Legal entity identifier (ISO 17442).
    Lei,
}
impl Register {
    pub const ALL: [Self; 3] = [Self::National, Self::Vat, Self::Lei];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::National => "national",
            Self::Vat => "vat",
            Self::Lei => "lei",
        }
    }
}

/// The number of a body outside France: `BE:national:0203201340`. Nobody checked that it exists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForeignNumber(String);

impl ForeignNumber {
    /// Spaces, dots and dashes of the number do not count, nor do small letters.
    ///
    /// # Errors
    /// When the country is not two letters (or is France, whose bodies have a SIRET), or the number cannot be one of the register.
    pub fn new(country: &str, register: Register, number: &str) -> Result<Self, RegistryIdError> {
        let error = || RegistryIdError(number.chars().take(40).collect());
        let country = country.trim().to_ascii_uppercase();
        if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) || country == "FR" {
            return Err(error());
        }
        let number: String =
            number.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '/' | '\u{a0}')).collect::<String>().to_ascii_uppercase();
        let plain = (3..=30).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric());
        let good = plain && number.bytes().any(|b| b.is_ascii_digit()) && (register != Register::Lei || is_lei(&number));
        if good { Ok(Self(format!("{country}:{}:{number}", register.as_str()))) } else { Err(error()) }
    }
}

/// 20 letters and digits whose two last are a check (ISO 7064, MOD 97-10).
fn is_lei(number: &str) -> bool {
    let digit = |rest: u32, c: char| match c.to_digit(36) {
        Some(value) if value > 9 => (rest * 100 + value) % 97,
        Some(value) => (rest * 10 + value) % 97,
        None => 0,
    };
    number.len() == 20 && number.chars().fold(0, digit) == 1
}

/// What a body is known by: a SIRET, or the number of another register. Its text is the SIRET itself, or `country:register:number`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegistryId {
    Siret(Siret),
    Foreign(ForeignNumber),
}

/// The text is the number of no register.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a SIRET nor a number such as `BE:national:0203201340`")]
pub struct RegistryIdError(String);

impl RegistryId {
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Siret(siret) => siret.as_str(),
            Self::Foreign(ForeignNumber(text)) => text,
        }
    }

    /// None for a body outside France.
    #[must_use]
    pub const fn siret(&self) -> Option<&Siret> {
        match self {
            Self::Siret(siret) => Some(siret),
            Self::Foreign(_) => None,
        }
    }
}
impl From<Siret> for RegistryId {
    fn from(siret: Siret) -> Self {
        Self::Siret(siret)
    }
}
impl FromStr for RegistryId {
    type Err = RegistryIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(siret) = text.parse::<Siret>() {
            return Ok(Self::Siret(siret));
        }
        let error = || RegistryIdError(text.chars().take(40).collect());
        let mut parts = text.splitn(3, ':');
        let (Some(country), Some(register), Some(number)) = (parts.next(), parts.next(), parts.next()) else { return Err(error()) };
        let register = Register::ALL.into_iter().find(|known| known.as_str() == register).ok_or_else(error)?;
        ForeignNumber::new(country, register, number).map(Self::Foreign)
    }
}
impl fmt::Display for RegistryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl Serialize for RegistryId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for RegistryId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A body or company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    pub id: Id<Organization>,
    /// Its SIRET; for a body outside France, the number of its register.
    pub siret: RegistryId,
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

    #[test]
    fn bodies_outside_france_have_the_number_of_a_register() {
        for (text, written) in [
            ("13002526500013", "13002526500013"),
            ("BE:national:0203201340", "BE:national:0203201340"),
            ("be:vat:BE 0203.201.340", "BE:vat:BE0203201340"),
            ("DE:lei:529900T8BM49AURSDO55", "DE:lei:529900T8BM49AURSDO55"),
        ] {
            let id: RegistryId = text.parse().unwrap();
            assert_eq!((id.as_str(), id.siret().is_some()), (written, written.len() == 14 && !written.contains(':')));
            assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{written}\""));
        }
        for bad in [
            "13002526500014",
            "FR:national:130025265",
            "BEL:national:0203201340",
            "BE:crossroads:0203201340",
            "BE:national:",
            "BE:national:ABC",
            "BE:national:<0203201340>",
            "DE:lei:529900T8BM49AURSDO54",
            "DE:lei:1",
            "",
            "::",
        ] {
            assert!(bad.parse::<RegistryId>().is_err(), "{bad}");
        }
    }
}
