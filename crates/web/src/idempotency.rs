//! `Idempotency-Key`: a request that is sent twice acts once.

use axum::http::{HeaderMap, HeaderName, Method};
use octroi_app::Idempotency;
use octroi_domain::{canonical::Sha256Hash, policy::Principal};

use crate::{headers, problem::Problem};

pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The digests that the store keeps, when the client sent a key.
///
/// The request's digest covers the key too: without it, nobody who reads the table could try out
/// what a body held.
///
/// # Errors
/// 400 when the key is repeated, empty, longer than 255, or not visible ASCII.
pub fn read(headers: &HeaderMap, principal: &Principal, method: &Method, path: &str, body: &[u8]) -> Result<Option<Idempotency>, Problem> {
    let Some(key) = headers::once(headers, &KEY)? else { return Ok(None) };
    if !(1..=255).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Problem::bad_request(
            "invalid_idempotency_key",
            "Idempotency-Key : de 1 à 255 caractères ASCII visibles.",
            "Idempotency-Key: 1 to 255 visible ASCII characters.",
        ));
    }
    let digest = |parts: &[&[u8]]| {
        // Each part with its length in front: no two lists of parts make one text.
        let mut text = Vec::new();
        for part in parts {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part);
        }
        Sha256Hash::of(&text).0
    };
    let (actor, method, path, key) = (principal.actor(), method.as_str().as_bytes(), path.as_bytes(), key.as_bytes());
    Ok(Some(Idempotency { key: digest(&[actor.as_bytes(), method, path, key]), request: digest(&[key, method, path, body]) }))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use octroi_domain::{Id, policy::Machine};
    use uuid::Uuid;

    use super::*;

    fn with(key: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(KEY, HeaderValue::from_str(key).unwrap());
        headers
    }

    #[test]
    fn who_what_and_which_make_the_key() {
        let machine = |n: u128| {
            Principal::Application(Machine {
                application: Id::from_uuid(Uuid::from_u128(n)),
                stage: octroi_domain::stage::Stage::Production,
                organization: Id::from_uuid(Uuid::nil()),
            })
        };
        let of = |principal: &Principal, method: Method, path: &str, key: &str, body: &str| {
            let read = read(&with(key), principal, &method, path, body.as_bytes()).unwrap().unwrap();
            (read.key, read.request)
        };
        let base = of(&machine(1), Method::POST, "/a", "k", "b");
        assert_eq!(base, of(&machine(1), Method::POST, "/a", "k", "b"));
        for (other, same_key) in [
            (of(&machine(2), Method::POST, "/a", "k", "b"), false),
            (of(&machine(1), Method::PUT, "/a", "k", "b"), false),
            (of(&machine(1), Method::POST, "/ak", "j", "b"), false),
            (of(&machine(1), Method::POST, "/a", "j", "b"), false),
            (of(&machine(1), Method::POST, "/a", "k", "c"), true),
        ] {
            assert_eq!(base.0 == other.0, same_key);
            assert_ne!(base, other);
        }
    }

    #[test]
    fn keys_are_bounded() {
        let read = |key: &str| read(&with(key), &Principal::Anonymous, &Method::POST, "/", b"").map_err(|problem| problem.code);
        for bad in ["", " ", "a b", &"k".repeat(256)] {
            assert_eq!(read(bad).err(), Some("invalid_idempotency_key"), "{bad:?}");
        }
        assert!(read(&"k".repeat(255)).is_ok_and(|read| read.is_some()));
    }
}
