//! A message to a person, before it is sent.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::definition::field::is_email;

/// A mail ready to leave. The adapter knows how; the outbox knows when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// One recipient per mail: nobody sees whom else it went to.
    pub to: String,
    /// The provider's own address; none: the platform's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Sender>,
    /// Where an answer goes; none: to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Sender>,
    /// One line.
    pub subject: String,
    /// One line that mail programs show after the subject; empty in mails written before there was one.
    #[serde(default)]
    pub preheader: String,
    pub text: String,
    /// The same as a page; empty in mails written before there was one, which leave as text alone.
    #[serde(default)]
    pub html: String,
}

/// Who writes, as it is shown: `contact@ville.example`, or `Ville <contact@ville.example>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    name: Option<String>,
    address: String,
}

/// The text is not the address of a sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a sender: write `contact@ville.example`, or `Ville <contact@ville.example>`")]
pub struct SenderError(String);

impl Sender {
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}
impl FromStr for Sender {
    type Err = SenderError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || SenderError(text.chars().take(80).collect());
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (Some(name.trim()), address),
            None => (None, text),
        };
        let said = |name: &str| {
            !name.is_empty() && name.chars().count() <= 100 && !name.chars().any(|c| c.is_control() || matches!(c, '<' | '>' | '"' | '\\'))
        };
        if is_email(address) && name.is_none_or(said) {
            Ok(Self { name: name.map(str::to_owned), address: address.to_owned() })
        } else {
            Err(error())
        }
    }
}
impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}
impl Serialize for Sender {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Sender {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        for good in ["a@ville.example", "Ville <a@ville.example>", "Direction, de l’été <a.b+c@x.ville.example>"] {
            assert_eq!(good.parse::<Sender>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "ville",
            "a@b",
            "<a@ville.example>",
            "Ville a@ville.example",
            "V\r\nBcc: x@y.example <a@ville.example>",
            "a@ville.example>",
        ] {
            assert!(bad.parse::<Sender>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mail_written_before_there_was_html_is_still_read() {
        let mail: Mail = serde_json::from_str(r#"{"to":"a@b.example","subject":"s","text":"t"}"#).unwrap();
        assert_eq!((mail.from, mail.preheader.as_str(), mail.html.as_str()), (None, "", ""));
    }
}
