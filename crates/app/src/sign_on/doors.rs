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

/// What was last read of the counters, by place.
#[derive(Default)]
pub(crate) struct Doors {
    read: Mutex<HashMap<[u8; 32], (Instant, Moment)>>,
    known: Mutex<HashSet<[u8; 32]>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where somebody tries to be a client.
pub struct Door {
    client: Sha256Hash,
    address: String,
    /// Which client, at which address.
    place: [u8; 32],
    /// Has the client been there before?
    known: bool,
    /// Is a secret shown, which somebody could try to guess from everywhere? A signature is not guessed, and the client's name is no secret:
    /// strangers' wrong ones are counted where they come from alone.
    guessed: bool,
}
impl Door {
    fn of(name: &str, address: &str, guessed: bool) -> Self {
        let client = Sha256Hash(digest(name));
        let place = once("client_at", &client.to_string(), address);
        Self { client, address: address.to_owned(), place, known: false, guessed }
    }

    /// What a wrong try is counted under: the client's own count first.
    fn keys(&self) -> Vec<(String, Curve)> {
        let mut keys = vec![(format!("client_at:{}", Sha256Hash(self.place)), GUESSES)];
        if !self.known {
            if self.guessed {
                keys.push((format!("client:{}", self.client), OF_CLIENT));
            }
            keys.push((format!("client_address:{}", self.address), OF_ADDRESS));
        }
        keys
    }
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
        let secret = presented.authorization.is_some() || parameters.has("client_secret");
        let mut door = Door::of(&claimed(&presented).unwrap_or_default(), presented.peer, secret);
        door.known = self.is_known_place(&door.place).await?;
        let waits = self.next_try(&door).await?;
        if presented.now < waits {
            return Err(too_many((waits.micros() - presented.now.micros()).div_euclid(1_000_000) + 1));
        }
        Ok(Some(door))
    }

    async fn is_known_place(&self, place: &[u8; 32]) -> Result<bool, Error> {
        if held(&self.inner.sign_on.doors.known).contains(place) {
            return Ok(true);
        }
        Ok(self.inner.store.read().was_seen(place).await?)
    }

    /// Before when nobody may try there.
    async fn next_try(&self, door: &Door) -> Result<Moment, Error> {
        if let Some((at, next)) = held(&self.inner.sign_on.doors.read).get(&door.place)
            && at.elapsed() < FRESH
        {
            return Ok(*next);
        }
        let at = Instant::now();
        let keys: Vec<String> = door.keys().into_iter().map(|(key, _)| key).collect();
        let found = self.inner.store.read().throttle_next(&keys).await?;
        let next = found.into_iter().map(|(_, next)| next).max().unwrap_or(Moment::from_micros(0));
        let mut read = held(&self.inner.sign_on.doors.read);
        if read.len() >= MOST {
            read.clear();
        }
        read.insert(door.place, (at, next));
        Ok(next)
    }

    /// It was not that client: counted, apart from anything else.
    ///
    /// # Errors
    /// 429 for the first try too many.
    pub async fn was_wrong(&self, door: Option<Door>, now: Moment) -> Result<(), SignOnError> {
        let Some(door) = door else { return Ok(()) };
        let taken = self.inner.store.throttle_take(&door.keys(), now).await?;
        held(&self.inner.sign_on.doors.read).remove(&door.place);
        taken.map_err(too_many)
    }

    /// It was that client: its address is known from now on.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn was_right(&self, door: Option<Door>, now: Moment) -> Result<(), SignOnError> {
        let Some(door) = door else { return Ok(()) };
        if door.known && held(&self.inner.sign_on.doors.known).contains(&door.place) {
            return Ok(());
        }
        if !door.known {
            let mut tx = self.inner.store.write().await?;
            tx.see(&door.place, now.plus_days(KNOWN_DAYS)).await?;
            for (key, _) in door.keys().iter().take(1) {
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
