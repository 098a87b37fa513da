//! JSON bodies, read strictly: one object, no member twice, bounded in size and depth, and nothing
//! that the operation does not know.

use std::{collections::HashSet, fmt, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_path_to_error::Segment;

use crate::{headers, problem::Problem};

/// Bytes of a body of the REST API.
pub const MAX_BODY: usize = 1_000_000;
/// Objects and arrays within each other.
const MAX_DEPTH: usize = 64;
/// A body that takes longer than this to arrive is given up.
const MAX_TIME: Duration = Duration::from_secs(30);

/// Reads a body whole.
///
/// # Errors
/// 413 when it is longer than `limit` bytes, 408 when it is too slow, 400 when it breaks off.
pub async fn read(body: Body, headers: &HeaderMap, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("Le corps dépasse {limit} octets."),
            format!("The body is longer than {limit} bytes."),
        )
    };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        discard(body).await;
        return Err(too_large());
    }
    match tokio::time::timeout(MAX_TIME, collect(body, limit)).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => Err(too_large()),
        Ok(Err(_)) => {
            Err(Problem::bad_request("incomplete_body", "Le corps n’est pas arrivé en entier.", "The body did not arrive whole."))
        }
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "Le corps a mis trop de temps à arriver.",
            "The body took too long to arrive.",
        )),
    }
}

/// The whole body; `None` when it is longer than `limit`.
async fn collect(mut body: Body, limit: usize) -> Result<Option<Bytes>, axum::Error> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if read.len() + data.len() > limit {
            discard(body).await;
            return Ok(None);
        }
        read.extend_from_slice(&data);
    }
    Ok(Some(read.freeze()))
}

/// Reads on for a moment and keeps nothing, so that a client that writes before it reads gets its answer.
async fn discard(mut body: Body) {
    const MOST: usize = 16_000_000;
    let reading = async {
        let mut left = MOST;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    // Whoever goes on after that has its connection closed.
    let _ = tokio::time::timeout(Duration::from_secs(2), reading).await;
}

/// Reads a body into what an operation takes.
///
/// # Errors
/// 415 for another content type, 400 for malformed JSON, 422 naming the member for anything else.
pub fn parse<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Problem> {
    check_content_type(headers)?;
    typed(object(bytes)?)
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let unsupported = || {
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_content_type",
            "Envoyez du JSON : Content-Type: application/json, sans Content-Encoding.",
            "Send JSON: Content-Type: application/json, without Content-Encoding.",
        )
    };
    let encoding = headers::once(headers, &header::CONTENT_ENCODING)?;
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(unsupported());
    }
    let text = headers::once(headers, &header::CONTENT_TYPE)?.ok_or_else(unsupported)?;
    let mut parts = text.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let utf8 =
        parts.all(|part| part.is_empty() || part.eq_ignore_ascii_case("charset=utf-8") || part.eq_ignore_ascii_case("charset=\"utf-8\""));
    if json && utf8 { Ok(()) } else { Err(unsupported()) }
}

/// One JSON object, and nothing before or after it.
///
/// # Errors
/// 400 for anything else, and for a member that is there twice.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let malformed = |fr: String, en: String| Problem::bad_request("malformed_json", fr, en);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    match value {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(malformed("Un objet JSON est attendu.".into(), "A JSON object is expected.".into())),
        Err(error) => {
            Err(malformed(format!("Le corps n’est pas du JSON admis : {error}."), format!("The body is not acceptable JSON: {error}.")))
        }
    }
}

/// Builds a `Value`, refusing what `serde_json` lets pass: a member twice, and more than [`MAX_DEPTH`].
struct Strict {
    depth: usize,
}
impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}
impl Strict {
    fn deeper<E: Error>(&self) -> Result<usize, E> {
        if self.depth >= MAX_DEPTH { Err(E::custom(format!("deeper than {MAX_DEPTH} levels"))) } else { Ok(self.depth + 1) }
    }
}
impl<'de> Visitor<'de> for Strict {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut read = Vec::new();
        while let Some(item) = items.next_element_seed(Self { depth })? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let (mut read, mut names) = (Map::new(), HashSet::new());
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("the member `{}` is there twice", shortened(&name))));
            }
            let value = members.next_value_seed(Self { depth })?;
            read.insert(name, value);
        }
        Ok(Value::Object(read))
    }
}

/// Reads the members into a type that knows them all.
///
/// # Errors
/// 422 naming the first member that is unknown, missing, or not as it must be.
pub fn typed<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, Problem> {
    let value = Value::Object(members);
    if let Some(pointer) = find_nul(&value, &mut String::new()) {
        return Err(Problem::field(pointer, "invalid", "le caractère U+0000 n’est pas admis", "the character U+0000 is not accepted"));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut pointer = String::new();
        for segment in error.path() {
            match segment {
                Segment::Seq { index } => push(&mut pointer, &index.to_string()),
                Segment::Map { key } => push(&mut pointer, key),
                Segment::Enum { variant } => push(&mut pointer, variant),
                Segment::Unknown => {}
            }
        }
        named(pointer, &error.into_inner().to_string())
    })
}

/// Says in both languages what serde found.
fn named(mut pointer: String, message: &str) -> Problem {
    let quoted = message.split('`').nth(1).unwrap_or_default();
    if message.starts_with("unknown field") {
        if !pointer.ends_with(&format!("/{}", escaped(quoted))) {
            push(&mut pointer, quoted);
        }
        Problem::field(pointer, "unknown_field", "membre inconnu", "unknown member")
    } else if message.starts_with("missing field") {
        push(&mut pointer, quoted);
        Problem::field(pointer, "required", "membre obligatoire", "this member is required")
    } else {
        let message = shortened(message);
        Problem::field(pointer, "invalid", format!("valeur non admise : {message}"), message)
    }
}

fn push(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&escaped(&shortened(name)));
}

/// RFC 6901 section 3.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

/// Where a text or a name holds U+0000, which no database column takes.
fn find_nul(value: &Value, place: &mut String) -> Option<String> {
    let inside = |name: &str, value: &Value, place: &mut String| {
        let length = place.len();
        push(place, name);
        let found = if name.contains('\0') { Some(place.replace('\0', "\u{fffd}")) } else { find_nul(value, place) };
        place.truncate(length);
        found
    };
    match value {
        Value::String(text) => text.contains('\0').then(|| place.clone()),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| inside(&index.to_string(), item, place)),
        Value::Object(members) => members.iter().find_map(|(name, value)| inside(name, value, place)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        role: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        name: String,
        #[serde(default)]
        list: Vec<Inner>,
        #[serde(default)]
        answers: BTreeMap<String, Value>,
    }

    fn read(content_type: &str, bytes: &[u8]) -> Result<Input, (u16, &'static str, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        parse(&headers, bytes).map_err(|problem| {
            let first = problem.errors.first();
            (problem.status.as_u16(), problem.code, first.map(|error| format!("{} {}", error.pointer, error.code)).unwrap_or_default())
        })
    }

    #[track_caller]
    fn check(body: impl AsRef<[u8]>, status: u16, code: &'static str, field: &str) {
        assert_eq!(read("application/json", body.as_ref()), Err((status, code, field.to_owned())));
    }

    #[test]
    fn good_bodies() {
        let nested = format!(r#"{{"name":"n","answers":{{"a":{}{}}}}}"#, "[".repeat(62), "]".repeat(62));
        for body in [r#"{"name":"é\ud83d\ude00","list":[{"role":3}],"answers":{"a":1.5,"b":[null,true,-2]}}"#, nested.as_str()] {
            assert!(read("application/json", body.as_bytes()).is_ok(), "{body}");
        }
        for content_type in ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"] {
            assert!(read(content_type, br#"{"name":"n"}"#).is_ok(), "{content_type}");
        }
    }

    #[test]
    fn malformed_bodies() {
        let deep = format!(r#"{{"name":"n","answers":{{"a":{}{}}}}}"#, "[".repeat(63), "]".repeat(63));
        let bomb = "[".repeat(200_000);
        for body in [
            &b"\xef\xbb\xbf{\"name\":\"n\"}"[..],
            b"{\"name\":\"n\"} x",
            b"{\"name\":\"n\"}{}",
            b"[]",
            b"\"text\"",
            b"null",
            b"",
            b"{",
            b"{'name':1}",
            b"{\"name\":\"n\",}",
            b"{\"name\":\"a\",\"name\":\"b\"}",
            b"{\"name\":\"a\",\"na\\u006de\":\"b\"}",
            b"{\"name\":\"n\",\"answers\":{\"a\":{\"b\":1,\"b\":2}}}",
            b"{\"name\":\"n\",\"answers\":{\"a\":1e999}}",
            b"{\"name\":\"n\",\"answers\":{\"a\":NaN}}",
            b"{\"name\":\"\xff\"}",
            b"{\"name\":\"\\ud800\"}",
            deep.as_bytes(),
            bomb.as_bytes(),
        ] {
            check(body, 400, "malformed_json", "");
        }
    }

    #[test]
    fn members_to_mend_are_named() {
        check(r#"{"name":"n","nom":1}"#, 422, "invalid", "/nom unknown_field");
        check(r#"{"name":"n","a/b~":1}"#, 422, "invalid", "/a~1b~0 unknown_field");
        check(r#"{"name":"n","list":[{"role":1},{"role":1,"x":2}]}"#, 422, "invalid", "/list/1/x unknown_field");
        check("{}", 422, "invalid", "/name required");
        check(r#"{"name":"n","list":[{}]}"#, 422, "invalid", "/list/0/role required");
        check(r#"{"name":1}"#, 422, "invalid", "/name invalid");
        check(r#"{"name":null}"#, 422, "invalid", "/name invalid");
        check(r#"{"name":"n","list":[{"role":300}]}"#, 422, "invalid", "/list/0/role invalid");
        check(r#"{"name":"n","list":{}}"#, 422, "invalid", "/list invalid");
        check(r#"{"name":"a\u0000b"}"#, 422, "invalid", "/name invalid");
        check(r#"{"name":"n","answers":{"x":["\u0000"]}}"#, 422, "invalid", "/answers/x/0 invalid");
    }

    #[test]
    fn other_content_types() {
        for content_type in [
            "text/plain",
            "application/json; charset=latin-1",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "multipart/form-data",
        ] {
            assert_eq!(read(content_type, b"{}").unwrap_err().0, 415, "{content_type}");
        }
        assert_eq!(parse::<Input>(&HeaderMap::new(), b"{}").unwrap_err().status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let mut packed = HeaderMap::new();
        packed.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        packed.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(parse::<Input>(&packed, b"{}").unwrap_err().status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[tokio::test]
    async fn a_body_is_bounded() {
        let read = async |size: usize| super::read(Body::from(vec![b' '; size]), &HeaderMap::new(), 100).await.map(|bytes| bytes.len());
        assert_eq!(read(100).await.ok(), Some(100));
        assert_eq!(read(101).await.unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
