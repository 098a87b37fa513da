//! Words shown to people, in the two languages of the interface.

use serde::{Deserialize, Serialize};

/// The languages of the interface; French is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    Fr,
    En,
}

/// A text in French and in English. Data written by providers must have both.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    pub fr: String,
    pub en: String,
}

impl Text {
    #[must_use]
    pub fn new(fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self { fr: fr.into(), en: en.into() }
    }

    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Fr => &self.fr,
            Language::En => &self.en,
        }
    }

    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.fr.trim().is_empty() || self.en.trim().is_empty()
    }
}

/// Is it one line that reads as it is written? Controls and characters of format (Unicode categories Cc
/// and Cf: line breaks, marks that turn the direction of writing, invisible signs) can make a name look
/// like another one.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    const FORMAT: [(char, char); 19] = [
        ('\u{ad}', '\u{ad}'),
        ('\u{600}', '\u{605}'),
        ('\u{61c}', '\u{61c}'),
        ('\u{6dd}', '\u{6dd}'),
        ('\u{70f}', '\u{70f}'),
        ('\u{890}', '\u{891}'),
        ('\u{8e2}', '\u{8e2}'),
        ('\u{180e}', '\u{180e}'),
        ('\u{200b}', '\u{200f}'),
        ('\u{2028}', '\u{202e}'),
        ('\u{2060}', '\u{206f}'),
        ('\u{feff}', '\u{feff}'),
        ('\u{fff9}', '\u{fffb}'),
        ('\u{110bd}', '\u{110bd}'),
        ('\u{110cd}', '\u{110cd}'),
        ('\u{13430}', '\u{1343f}'),
        ('\u{1bca0}', '\u{1bca3}'),
        ('\u{1d173}', '\u{1d17a}'),
        ('\u{e0001}', '\u{e007f}'),
    ];
    !text.chars().any(|c| c.is_control() || FORMAT.iter().any(|(first, last)| (*first..=*last).contains(&c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_line_reads_as_it_is_written() {
        for good in ["", "Cantine de Rivebelle", "L'école « Prévert » – n° 2", "日本語 ع 🏫"] {
            assert!(is_plain(good), "{good}");
        }
        for bad in ["a\nb", "a\0", "a\u{202e}b", "a\u{2066}b", "a\u{200d}", "\u{feff}a", "a\u{2028}", "a\u{ad}b", "a\u{e0041}"] {
            assert!(!is_plain(bad), "{bad:?}");
        }
    }
}
