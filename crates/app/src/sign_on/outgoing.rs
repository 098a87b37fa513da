//! What the sign-on asks of its clients over the network: their keys, and to end what a person ended.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use octroi_oauth::foreign::JwkSet;

use super::Known;
use crate::context::App;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keys that were fetched are good for so long.
const FRESH: Duration = Duration::from_secs(600);
/// Keys are not fetched again before this, whatever a client shows.
const AGAIN: Duration = Duration::from_secs(5);
/// Sets of keys kept at once.
const MOST: usize = 1_000;

/// Reaches the addresses that clients registered; the binary implements it: only https, or this machine; no
/// redirects; bounded in time and size.
pub trait OutgoingPort: Send + Sync {
    /// The body of a 200.
    fn get<'a>(&'a self, address: &'a str) -> Boxed<'a, Result<Vec<u8>, String>>;
    /// Posts a form; the status of the answer.
    fn post_form<'a>(&'a self, address: &'a str, form: String) -> Boxed<'a, Result<u16, String>>;
}

impl App {
    pub(super) fn outgoing(&self) -> Option<Arc<dyn OutgoingPort>> {
        self.inner.sign_on.fetch.get().cloned()
    }

    /// The keys of a client: those it registered, or those at its address. `again`: what is kept did not do.
    pub(super) async fn client_keys(&self, known: &Known, again: bool) -> Option<JwkSet> {
        if let Some(keys) = &known.metadata.jwks {
            return Some(keys.clone());
        }
        let address = known.metadata.jwks_uri.as_deref()?;
        let kept = self.inner.sign_on.fetched.lock().unwrap_or_else(PoisonError::into_inner).get(address).cloned();
        let good_for = if again { AGAIN } else { FRESH };
        // That they cannot be had is kept too: whoever names the client must not make us ask for them at will.
        let good_for = |keys: &Option<JwkSet>| if keys.is_some() { good_for } else { AGAIN };
        if let Some((_, keys)) = kept.filter(|(at, keys)| at.elapsed() < good_for(keys)) {
            return keys;
        }
        let keys: Option<JwkSet> = match self.outgoing()?.get(address).await {
            Ok(body) => serde_json::from_slice(&body).ok(),
            Err(error) => {
                tracing::warn!(client = %known.client.id, error, "the keys of a client cannot be fetched");
                None
            }
        };
        let mut fetched = self.inner.sign_on.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if fetched.len() >= MOST {
            fetched.clear();
        }
        fetched.insert(address.to_owned(), (Instant::now(), keys.clone()));
        keys
    }
}
