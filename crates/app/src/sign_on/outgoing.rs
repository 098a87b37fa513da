//! What the sign-on asks of its clients over the network: their keys, and to end what a person ended.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use octroi_oauth::foreign::{self, JwkSet};

use super::Known;
use crate::context::App;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keys that were fetched are good for so long.
const FRESH: Duration = Duration::from_secs(600);
/// Between two times that a client has its keys fetched again, whatever it shows.
const AGAIN: Duration = Duration::from_secs(5);
/// Sets of keys kept at once.
const MOST: usize = 1_000;

/// Keys that were fetched from an address.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    at: Instant,
    /// When what was kept last did not do.
    again: Option<Instant>,
    /// None: they could not be had.
    keys: Option<JwkSet>,
}

/// A call to a provider that people sign in through.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub address: &'a str,
    /// Posted, when there is one.
    pub form: Option<&'a str>,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `Accept`.
    pub accept: &'a str,
}

/// What it answered, whatever the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    pub content_type: String,
    pub body: Vec<u8>,
}

/// Reaches the addresses that clients registered; the binary implements it: only https, or this machine; no
/// redirects; bounded in time and size.
pub trait OutgoingPort: Send + Sync {
    /// The body of a 200.
    fn get<'a>(&'a self, address: &'a str) -> Boxed<'a, Result<Vec<u8>, String>>;
    /// Posts a form; the status of the answer.
    fn post_form<'a>(&'a self, address: &'a str, form: String) -> Boxed<'a, Result<u16, String>>;
    /// Does this address name a place by its number that is never called? What a name leads to is known when it is called.
    fn refuses(&self, address: &str) -> bool {
        let _ = address;
        false
    }
    /// Asks a provider; the answer is bounded like the others.
    fn ask<'a>(&'a self, ask: Ask<'a>) -> Boxed<'a, Result<Answered, String>> {
        let _ = ask;
        Box::pin(async { Err("providers cannot be asked here".to_owned()) })
    }
}

impl App {
    pub(crate) fn outgoing(&self) -> Option<Arc<dyn OutgoingPort>> {
        self.inner.sign_on.fetch.get().cloned()
    }

    /// The keys of a client: those it registered, or those at its address. `again`: what is kept did not do.
    pub(super) async fn client_keys(&self, known: &Known, again: bool) -> Option<JwkSet> {
        if let Some(keys) = &known.metadata.jwks {
            return Some(keys.clone());
        }
        self.keys_at(known.metadata.jwks_uri.as_deref()?, again).await
    }

    /// The keys at an address, fetched or kept. `again`: what is kept did not do; still not more often than every five seconds.
    pub(crate) async fn keys_at(&self, address: &str, again: bool) -> Option<JwkSet> {
        let kept = self.inner.sign_on.fetched.lock().unwrap_or_else(PoisonError::into_inner).get(address).cloned();
        let before = kept.as_ref().and_then(|kept| kept.again);
        let is_good = |kept: &Fetched| match (&kept.keys, again) {
            (Some(_), false) => kept.at.elapsed() < FRESH,
            // A client that replaces its keys is believed at once, and then not again for a while.
            (Some(_), true) => kept.again.is_some_and(|at| at.elapsed() < AGAIN),
            // That they cannot be had is kept too: whoever names the client must not make us ask for them at will.
            (None, _) => kept.at.elapsed() < AGAIN,
        };
        if let Some(kept) = kept.filter(is_good) {
            return kept.keys;
        }
        let keys: Option<JwkSet> = match self.outgoing()?.get(address).await {
            Ok(body) => foreign::key_set(&body),
            Err(error) => {
                tracing::warn!(address, error, "keys cannot be fetched");
                None
            }
        };
        let mut fetched = self.inner.sign_on.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if fetched.len() >= MOST {
            fetched.clear();
        }
        let now = Instant::now();
        fetched.insert(address.to_owned(), Fetched { at: now, again: if again { Some(now) } else { before }, keys: keys.clone() });
        keys
    }
}
