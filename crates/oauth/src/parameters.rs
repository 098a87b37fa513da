//! The parameters of a request, from a query or a form (RFC 6749 sections 3.1 and 3.2): none twice, none without a value, few, short.

/// A longer query or body is refused unread.
pub const MAX_PARAMETERS: usize = 16_384;
/// More parameters than any standard has.
const MOST: usize = 60;
/// What RFC 8707 section 2 allows to be given several times.
const REPEATED: &str = "resource";

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    #[error("the request is too long")]
    TooLong,
    #[error("the request has too many parameters")]
    TooMany,
    #[error("a parameter is given twice")]
    Repeated,
    #[error("the request is not UTF-8")]
    NotUtf8,
}

/// Names and values, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters(Vec<(String, String)>);
impl Parameters {
    /// # Errors
    /// [`ParameterError`]
    pub fn read(encoded: &[u8]) -> Result<Self, ParameterError> {
        if encoded.len() > MAX_PARAMETERS {
            return Err(ParameterError::TooLong);
        }
        let encoded = std::str::from_utf8(encoded).map_err(|_| ParameterError::NotUtf8)?;
        let mut read: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(encoded.as_bytes()) {
            // What stands for bytes that are no text: two different values would become one.
            if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
                return Err(ParameterError::NotUtf8);
            }
            if name != REPEATED && read.iter().any(|(before, _)| *before == name) {
                return Err(ParameterError::Repeated);
            }
            if read.len() >= MOST {
                return Err(ParameterError::TooMany);
            }
            read.push((name.into_owned(), value.into_owned()));
        }
        // A parameter without a value counts as left out.
        read.retain(|(_, value)| !value.is_empty());
        Ok(Self(read))
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    #[must_use]
    pub fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Takes a value out.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(found, _)| found == name)?;
        Some(self.0.swap_remove(place).1)
    }
}

/// The tokens of a text that separates them by single spaces (RFC 6749 appendix A.4), each once, in their order.
///
/// # Errors
/// The first that is none, cut and cleaned.
pub fn tokens(text: &str, most: usize) -> Result<Vec<String>, String> {
    let visible = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let mut found: Vec<String> = Vec::new();
    for token in text.split(' ') {
        if token.is_empty() || token.len() > 128 || !token.bytes().all(visible) || found.len() >= most {
            // What an error_description may hold (RFC 6749 section 5.2).
            return Err(token.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\')).take(60).collect());
        }
        if !found.iter().any(|before| before == token) {
            found.push(token.to_owned());
        }
    }
    Ok(found)
}

/// What to say of a token that is none; an empty one stands between two spaces.
#[must_use]
pub fn no_scope(bad: &str) -> String {
    if bad.is_empty() {
        "scopes stand one space apart, and there is none before or after them".to_owned()
    } else {
        format!("`{bad}` is no scope")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_twice_but_resources() {
        let read = Parameters::read(b"a=1&b=&resource=x&resource=y").unwrap();
        assert_eq!((read.get("a"), read.get("b"), read.has("b")), (Some("1"), None, false));
        assert_eq!(read.all("resource").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(Parameters::read(b"a=1&a=1"), Err(ParameterError::Repeated));
        assert_eq!(Parameters::read(b"a=%FF"), Err(ParameterError::NotUtf8));
        assert_eq!(Parameters::read(b"%ff=a"), Err(ParameterError::NotUtf8));
        assert_eq!(Parameters::read(b"a=&a="), Err(ParameterError::Repeated));
        assert_eq!(Parameters::read(&[b'a'; 20_000]), Err(ParameterError::TooLong));
        assert_eq!(Parameters::read("resource=1&".repeat(70).as_bytes()), Err(ParameterError::TooMany));
    }

    #[test]
    fn tokens_are_exact() {
        assert_eq!(tokens("b a b", 10), Ok(vec!["b".to_owned(), "a".to_owned()]));
        for bad in ["", " a", "a  b", "a\tb", "é", "a\"b"] {
            assert!(tokens(bad, 10).is_err(), "{bad}");
        }
        assert!(tokens("a b c", 2).is_err());
    }
}
