//! The path and the query of a request, read strictly.

use octroi_app::query::{Cursor, Page};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, IntoDeserializer},
};
use serde_json::{Map, Value};
use utoipa::IntoParams;

use crate::{body, problem::Problem};

/// Parameters of one query, at most.
const MAX_PARAMETERS: usize = 50;
/// Rows of a page when nothing is asked.
const DEFAULT_LIMIT: u32 = 50;

/// Refuses a path that two programs could read in two ways: empty or dot segments, backslashes,
/// semicolons, and escapes of characters that need none or that separate.
///
/// # Errors
/// 400 `ambiguous_path`.
pub fn check_path(path: &str) -> Result<(), Problem> {
    let segments_good = path.starts_with('/') && !path.contains("//") && !path.split('/').any(|segment| segment == "." || segment == "..");
    let bytes_good = path.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b';'));
    let escapes_good = path.match_indices('%').all(|(place, _)| {
        let code = path.get(place + 1..place + 3).filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
        code.and_then(|pair| u8::from_str_radix(pair, 16).ok()).is_some_and(|byte| {
            let separates = matches!(byte, b'/' | b'\\' | b';' | b'%' | b'?' | b'#');
            let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
            !separates && !plain && !byte.is_ascii_control()
        })
    });
    if segments_good && bytes_good && escapes_good {
        Ok(())
    } else {
        Err(Problem::bad_request(
            "ambiguous_path",
            "Le chemin n’est pas sous sa forme canonique.",
            "The path is not in its canonical form.",
        ))
    }
}

/// Reads a query into the parameters that a list knows.
///
/// # Errors
/// 400 when it is malformed or a parameter is repeated; 422 naming an unknown or unreadable parameter.
pub fn parse<T: DeserializeOwned>(query: Option<&str>) -> Result<T, Problem> {
    body::typed(members(query)?)
}

/// The same for a list, whose page is read apart.
///
/// # Errors
/// As [`parse`].
pub fn parse_paged<T: DeserializeOwned>(query: Option<&str>) -> Result<(T, Page), Problem> {
    let mut rest = members(query)?;
    let own = ["limit", "cursor"].iter().filter_map(|name| rest.remove_entry(*name)).collect();
    let paging: Paging = body::typed(own)?;
    Ok((body::typed(rest)?, page(paging.limit, paging.cursor)))
}

fn members(query: Option<&str>) -> Result<Map<String, Value>, Problem> {
    let mut members = Map::new();
    let malformed = || Problem::bad_request("malformed_query", "La requête d’URL est mal formée.", "The query is malformed.");
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name).ok_or_else(malformed)?, decode(value).ok_or_else(malformed)?);
        if members.len() >= MAX_PARAMETERS {
            return Err(malformed());
        }
        if members.insert(name.clone(), Value::String(value)).is_some() {
            let name: String = name.chars().take(80).collect();
            return Err(Problem::bad_request(
                "repeated_parameter",
                format!("Le paramètre {name} est répété."),
                format!("The parameter {name} is repeated."),
            ));
        }
    }
    Ok(members)
}

/// Percent-decoding, without guesses: a broken escape or a text that is not UTF-8 is none.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (char::from(rest.next()?).to_digit(16)?, char::from(rest.next()?).to_digit(16)?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// A number of rows, 1 to 100.
#[derive(Debug, Clone, Copy)]
pub struct Limit(pub u32);
impl Default for Limit {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}
impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && (1..=100).contains(number));
        number.map(Self).ok_or_else(|| de::Error::custom("expected a number from 1 to 100"))
    }
}

/// Which page of a list: what every list takes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before, in the same order.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Reads a text by its `FromStr`.
pub fn from_text<'de, D: Deserializer<'de>, T: std::str::FromStr<Err: std::fmt::Display>>(deserializer: D) -> Result<Option<T>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(de::Error::custom)
}

/// Reads several words of a closed set, separated by commas; at most twenty.
pub fn several<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.split(',').count() > 20 {
        return Err(de::Error::custom("expected at most twenty, separated by commas"));
    }
    text.split(',').map(|word| T::deserialize(word.into_deserializer())).collect()
}

/// Which page of a list.
pub const fn page(limit: Limit, cursor: Option<Cursor>) -> Page {
    Page::new(cursor, limit.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        for good in ["/", "/api/v1/permits/H1", "/api/docs/", "/caf%C3%A9", "/a%20b", "/api/v1/apis/dinum/api-particulier"] {
            assert!(check_path(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "api",
            "//",
            "/api//v1",
            "/api/../v1",
            "/api/./v1",
            "/..",
            "/a%2fb",
            "/a%2Fb",
            "/%2e%2e/",
            "/a%5cb",
            "/a\\b",
            "/a;b",
            "/a%00",
            "/a%",
            "/a%4",
            "/a%zz",
            "/%61pi",
            "/a%252f",
            "/a%0d%0a",
        ] {
            assert_eq!(check_path(bad).map_err(|problem| problem.code), Err("ambiguous_path"), "{bad}");
        }
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[serde(default)]
        limit: Limit,
        #[serde(default, deserialize_with = "from_text")]
        cursor: Option<Cursor>,
        q: Option<String>,
    }

    /// The limit, or the instant of the cursor.
    #[track_caller]
    fn check(query: &str, expected: Result<(u32, Option<&str>), (u16, &str)>) {
        let read = parse::<Asked>(Some(query));
        let read = match &read {
            Ok(asked) => {
                Ok((asked.cursor.map_or(asked.limit.0, |cursor| u32::try_from(cursor.at().micros()).unwrap()), asked.q.as_deref()))
            }
            Err(problem) => Err((problem.status.as_u16(), problem.errors.first().map_or(problem.code, |error| error.pointer.as_str()))),
        };
        assert_eq!(read, expected, "{query}");
    }

    #[test]
    fn queries() {
        check("", Ok((50, None)));
        check("limit=1&q=a%20b+c%C3%A9", Ok((1, Some("a b cé"))));
        check("limit=100", Ok((100, None)));
        check("cursor=5.a", Ok((5, None)));
        for bad in ["0", "101", "-1", "+5", "", "x", "1e1"] {
            check(&format!("limit={bad}"), Err((422, "/limit")));
        }
        check("cursor=x", Err((422, "/cursor")));
        check("cursor=", Err((422, "/cursor")));
        check("colour=red", Err((422, "/colour")));
        check("q=%00", Err((422, "/q")));
        check("q=a&q=a", Err((400, "repeated_parameter")));
        check("q=%", Err((400, "malformed_query")));
        check("q=%ff", Err((400, "malformed_query")));
        check("q=%+1", Err((400, "malformed_query")));
    }
}
