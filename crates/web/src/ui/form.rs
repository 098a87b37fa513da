//! What a page's form sent: pairs in order, bounded.

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;

use crate::{body, problem::Problem};

/// Bytes of a form.
pub const MAX_FORM: usize = 400_000;
/// Fields of a form.
const MAX_FIELDS: usize = 2_000;

/// Names and values as they were typed, with `\n` for every line end. Nothing is trimmed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded` (WHATWG URL, section 5).
    ///
    /// # Errors
    /// 413, 408, 400; 415 for another type.
    pub async fn read(body: Body, headers: &HeaderMap) -> Result<(Self, Bytes), Problem> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let bytes = body::read(body, headers, MAX_FORM).await?;
        if !bytes.is_empty() && !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Cette page attend un formulaire.",
                "This page expects a form.",
            ));
        }
        Ok((Self::parse(&bytes)?, bytes))
    }

    /// # Errors
    /// 413 when there are too many fields.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let mut fields = Vec::new();
        for (name, value) in form_urlencoded::parse(bytes) {
            if fields.len() >= MAX_FIELDS {
                return Err(Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "too_many_fields",
                    "Ce formulaire a trop de champs.",
                    "This form has too many fields.",
                ));
            }
            fields.push((name.into_owned(), value.replace("\r\n", "\n").replace('\r', "\n")));
        }
        Ok(Self(fields))
    }

    /// The first value of a name, as typed.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The same, without spaces around; empty when it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default().trim()
    }

    /// The same, or none when there is nothing in it.
    #[must_use]
    pub fn some(&self, name: &str) -> Option<String> {
        let text = self.text(name);
        (!text.is_empty()).then(|| text.to_owned())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Everything, in order; not what guards the form.
    /// The same, with one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter(|(name, _)| !matches!(name.as_str(), "_csrf" | "_once")).map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_as_it_was_typed() {
        let form = Form::parse("_csrf=x&a=%20b%0D%0Ac+&a=2&e=".as_bytes()).unwrap();
        assert_eq!((form.get("a"), form.text("a"), form.some("e"), form.has("e")), (Some(" b\nc "), "b\nc", None, true));
        assert_eq!(form.all("a").collect::<Vec<_>>(), [" b\nc ", "2"]);
        assert_eq!(form.pairs().count(), 3);
        assert_eq!(Form::parse("a&".repeat(2_001).as_bytes()).unwrap_err().code, "too_many_fields");
    }
}
