//! How often somebody may try to be a client. A wrong try is counted for the client and for the address; who waits is told
//! nothing, not even that the secret was right. From an address that the client has come from before, its own tries count
//! alone: a stranger elsewhere cannot shut it out.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use octroi_domain::{
    Moment,
    account::{Curve, GUESSES, OF_ADDRESS},
    canonical::Sha256Hash,
};

use super::{Presented, Refusal, SignOnError, authenticate::claimed, digest, once};
use crate::{context::App, error::Error};

/// Of one client, over all the addresses that it was never seen at.
const OF_CLIENT: Curve = Curve { free: 30, first_seconds: 300, most_seconds: 3_600, forget_seconds: 3_600 };
/// What another node counted is seen after this time at most.
const FRESH: Duration = Duration::from_secs(3);
/// An address is known to be a client's for so long.
const KNOWN_DAYS: i64 = 90;
/// Kept in memory at once.
const MOST: usize = 10_000;

/// What was last read of the counters.
#[derive(Default)]
pub(crate) struct Doors {
    read: Mutex<HashMap<String, (Instant, Moment)>>,
    known: Mutex<HashSet<[u8; 32]>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where somebody tries to be a client.
pub struct Door {
    /// Which client, at which address.
    place: [u8; 32],
    known: bool,
    keys: Vec<(String, Curve)>,
}

fn too_many(wait: i64) -> SignOnError {
    let refusal = Refusal::new(429, "temporarily_unavailable", "too many wrong tries to authenticate: wait, as Retry-After says");
    Refusal { retry_after: Some(u32::try_from(wait).unwrap_or(u32::MAX)), ..refusal }.into()
}

impl App {
    /// Where this request tries to be a client; none when it shows nothing that could be guessed.
    ///
    /// # Errors
    /// 429 when there were too many wrong tries; a failure of the store.
    pub async fn door(&self, presented: Presented<'_>) -> Result<Option<Door>, SignOnError> {
        let parameters = presented.parameters;
        let shows = presented.authorization.is_some()
            || parameters.has("client_secret")
            || parameters.has("client_assertion")
            || presented.certificate.is_some();
        if !shows {
            return Ok(None);
        }
        let name = claimed(&presented).unwrap_or_default();
        let place = once("client_at", &Sha256Hash(digest(&name)).to_string(), presented.peer);
        let known = self.is_known_place(&place).await?;
        let (client, at) = (Sha256Hash(digest(&name)), Sha256Hash(place));
        let mut keys = vec![(format!("client_at:{at}"), GUESSES)];
        if !known {
            keys.push((format!("client:{client}"), OF_CLIENT));
            keys.push((format!("client_address:{}", presented.peer), OF_ADDRESS));
        }
        let waits = self.next_try(&keys).await?;
        if presented.now < waits {
            return Err(too_many((waits.micros() - presented.now.micros()).div_euclid(1_000_000) + 1));
        }
        Ok(Some(Door { place, known, keys }))
    }

    async fn is_known_place(&self, place: &[u8; 32]) -> Result<bool, Error> {
        if held(&self.inner.sign_on.doors.known).contains(place) {
            return Ok(true);
        }
        Ok(self.inner.store.read().was_seen(place).await?)
    }

    /// Before when nobody may try.
    async fn next_try(&self, keys: &[(String, Curve)]) -> Result<Moment, Error> {
        let mut latest = Moment::from_micros(0);
        let mut unread = Vec::new();
        {
            let read = held(&self.inner.sign_on.doors.read);
            for (key, _) in keys {
                match read.get(key).filter(|(at, _)| at.elapsed() < FRESH) {
                    Some((_, next)) => latest = latest.max(*next),
                    None => unread.push(key.clone()),
                }
            }
        }
        if unread.is_empty() {
            return Ok(latest);
        }
        let found = self.inner.store.read().throttle_next(&unread).await?;
        let mut read = held(&self.inner.sign_on.doors.read);
        if read.len() >= MOST {
            read.clear();
        }
        for key in unread {
            let next = found.iter().find(|(known, _)| *known == key).map_or(Moment::from_micros(0), |(_, next)| *next);
            latest = latest.max(next);
            read.insert(key, (Instant::now(), next));
        }
        Ok(latest)
    }

    /// It was not that client: counted, apart from anything else.
    ///
    /// # Errors
    /// 429 for the first try too many.
    pub async fn was_wrong(&self, door: Option<Door>, now: Moment) -> Result<(), SignOnError> {
        let Some(door) = door else { return Ok(()) };
        let taken = self.inner.store.throttle_take(&door.keys, now).await?;
        let mut read = held(&self.inner.sign_on.doors.read);
        for (key, _) in &door.keys {
            read.remove(key);
        }
        taken.map_err(too_many)
    }

    /// It was that client: its address is known from now on.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn was_right(&self, door: Option<Door>, now: Moment) -> Result<(), SignOnError> {
        let Some(door) = door else { return Ok(()) };
        if !door.known {
            let mut tx = self.inner.store.write().await?;
            tx.see(&door.place, now.plus_days(KNOWN_DAYS)).await?;
            for (key, _) in door.keys.iter().take(1) {
                tx.throttle_reset(key).await?;
            }
            tx.commit().await?;
        }
        let mut known = held(&self.inner.sign_on.doors.known);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(door.place);
        Ok(())
    }
}
