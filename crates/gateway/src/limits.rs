//! How many calls a subscription may make: so many in any one second, so many in a civil day.
//! Exact under parallel fire, without a lock: each limit is a compare-and-swap.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Instant,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use octroi_domain::{
    Id,
    api::Plan,
    application::Subscription,
    calendar::{Window, Zone, ZoneError},
    quota::{Day, DayUse},
};

use crate::denied::{Denied, Note, Reason};

/// Most calls per second that a ring can hold; a plan that allows more is held to this.
pub const MAX_RATE: u32 = 65_536;
const SECOND: u64 = 1_000_000;
const TIME: u64 = (1 << 48) - 1;

/// Microseconds since the process started, never 0.
#[must_use]
pub fn monotonic_us(now: Instant) -> u64 {
    static BASE: LazyLock<Instant> = LazyLock::new(Instant::now);
    let base = *BASE;
    u64::try_from(now.saturating_duration_since(base).as_micros()).unwrap_or(TIME).saturating_add(1)
}

/// At most N calls in *any* one second: the stamps of the last N calls, in a ring.
///
/// A call takes the slot of the Nth call before it, which must be a second old. Each slot holds the
/// lap it was written in (16 bits) and the time (48 bits), so that two calls cannot take it in the
/// same lap; whoever finds a slot taken before the head has moved helps the head on.
pub struct Ring {
    head: AtomicU64,
    slots: Box<[AtomicU64]>,
}
impl Ring {
    /// A ring for `rate` calls per second, at most [`MAX_RATE`].
    #[must_use]
    pub fn new(rate: u32) -> Self {
        let slots = (0..rate.clamp(1, MAX_RATE)).map(|_| AtomicU64::new(0)).collect();
        Self { head: AtomicU64::new(0), slots }
    }

    const fn limit(&self) -> u64 {
        self.slots.len() as u64
    }

    /// The slot of the `number`th call, and the lap that it is written in.
    fn place(&self, number: u64) -> (Option<&AtomicU64>, u64) {
        let limit = self.limit().max(1);
        let slot = usize::try_from(number % limit).ok().and_then(|place| self.slots.get(place));
        (slot, (number / limit + 1) & 0xffff)
    }

    /// Takes one call at `now` ([`monotonic_us`]).
    ///
    /// # Errors
    /// The microseconds to wait, when the second is full.
    pub fn take(&self, now: u64) -> Result<(), u64> {
        loop {
            let head = self.head.load(SeqCst);
            let (Some(slot), lap) = self.place(head) else { return Err(SECOND) };
            let found = slot.load(SeqCst);
            let (found_lap, stamp) = (found >> 48, found & TIME);
            if found_lap == lap && found != 0 {
                // Taken in this lap already, by a call that has not moved the head yet.
                let _ = self.head.compare_exchange(head, head.wrapping_add(1), SeqCst, SeqCst);
                continue;
            }
            if found != 0 && found_lap != (lap.wrapping_sub(1) & 0xffff) {
                continue;
            }
            let free_at = stamp.saturating_add(SECOND);
            if found != 0 && free_at > now {
                if self.head.load(SeqCst) != head {
                    continue;
                }
                return Err(free_at - now);
            }
            if slot.compare_exchange(found, lap << 48 | (now & TIME), SeqCst, SeqCst).is_ok() {
                let _ = self.head.compare_exchange(head, head.wrapping_add(1), SeqCst, SeqCst);
                return Ok(());
            }
        }
    }

    /// How many calls are left at `now`, and in how many microseconds there will be one more.
    #[must_use]
    pub fn left(&self, now: u64) -> (u64, u64) {
        let (head, limit) = (self.head.load(SeqCst), self.limit());
        let stamp = |back: u64| -> Option<u64> {
            let (slot, _) = self.place(head.checked_sub(back)?);
            slot.map(|slot| slot.load(SeqCst) & TIME)
        };
        let recent = |back: u64| stamp(back).is_some_and(|stamp| stamp != 0 && stamp.saturating_add(SECOND) > now);
        // Stamps grow along the ring: look for the oldest that is younger than a second.
        let (mut low, mut high) = (0, limit);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if recent(middle) { low = middle } else { high = middle - 1 }
        }
        let wait = stamp(low).filter(|_| low > 0).map_or(0, |stamp| stamp.saturating_add(SECOND).saturating_sub(now));
        (limit - low, wait)
    }

    /// The stamps of the last calls go on to a ring of another size.
    fn resized(&self, rate: u32) -> Self {
        let ring = Self::new(rate);
        let head = self.head.load(SeqCst);
        let count = ring.limit().min(self.limit()).min(head);
        for number in head - count..head {
            if let (Some(slot), _) = self.place(number) {
                let stamp = slot.load(SeqCst) & TIME;
                let next = ring.head.load(SeqCst);
                if let (Some(slot), lap) = ring.place(next) {
                    slot.store(lap << 48 | stamp, SeqCst);
                }
                ring.head.store(next + 1, SeqCst);
            }
        }
        ring
    }
}

/// The counters of one subscription; they outlive every snapshot.
pub struct Counter {
    day: AtomicU64,
    ring: Mutex<Option<Arc<Ring>>>,
}
impl Counter {
    /// The use of the latest day that had one.
    #[must_use]
    pub fn day_use(&self) -> DayUse {
        DayUse::unpack(self.day.load(SeqCst))
    }

    fn take_day(&self, today: Day, limit: u32) -> bool {
        let mut word = self.day.load(SeqCst);
        loop {
            let Some(next) = DayUse::unpack(word).take(today, limit) else { return false };
            match self.day.compare_exchange(word, next.pack(), SeqCst, SeqCst) {
                Ok(_) => return true,
                Err(found) => word = found,
            }
        }
    }

    /// Another node, or the last run, has counted further: its count wins.
    fn catch_up(&self, used: DayUse) {
        self.day.fetch_max(used.pack(), SeqCst);
    }

    fn ring(&self, rate: u32) -> Arc<Ring> {
        let mut held = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = rate.clamp(1, MAX_RATE);
        match held.as_ref() {
            Some(ring) if ring.limit() == u64::from(wanted) => Arc::clone(ring),
            other => {
                let ring = Arc::new(other.map_or_else(|| Ring::new(wanted), |ring| ring.resized(wanted)));
                *held = Some(Arc::clone(&ring));
                ring
            }
        }
    }
}

/// The counters of every subscription that a snapshot has named.
#[derive(Default)]
pub struct Registry(Mutex<HashMap<Id<Subscription>, Arc<Counter>>>);
impl Registry {
    /// The limits of a subscription under a plan. What was counted stays counted.
    #[must_use]
    pub fn limits(&self, subscription: Id<Subscription>, plan: Option<&Plan>, used: DayUse) -> Limits {
        let counter = {
            let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = || Arc::new(Counter { day: AtomicU64::new(0), ring: Mutex::new(None) });
            Arc::clone(counters.entry(subscription).or_insert_with(fresh))
        };
        counter.catch_up(used);
        let rate = plan.and_then(|plan| plan.rate_per_second).map(std::num::NonZeroU32::get);
        let quota = plan.and_then(|plan| plan.quota_per_day).map(std::num::NonZeroU32::get);
        Limits::new(counter, rate, quota)
    }

    /// What each subscription has used of its latest day.
    #[must_use]
    pub fn day_uses(&self) -> Vec<(Id<Subscription>, DayUse)> {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let uses = counters.iter().map(|(id, counter)| (*id, counter.day_use()));
        uses.filter(|(_, used)| used.used > 0).collect()
    }

    /// Forgets the subscriptions that no snapshot names any more.
    pub fn keep(&self, known: impl Fn(Id<Subscription>) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| known(*id));
    }
}

/// Which civil day it is. The window is worked out once a day.
pub struct Calendar {
    zone: Zone,
    window: ArcSwap<Window>,
}
impl Calendar {
    /// # Errors
    /// When the name is no time zone.
    pub fn new(zone: &str) -> Result<Self, ZoneError> {
        let zone = Zone::get(zone)?;
        Ok(Self { zone, window: ArcSwap::from_pointee(Window { day: 0, start: 0, end: 0 }) })
    }

    /// The day that holds this instant (seconds since the epoch).
    #[must_use]
    pub fn today(&self, now: i64) -> Window {
        let known = **self.window.load();
        if (known.start..known.end).contains(&now) {
            return known;
        }
        let found = self.zone.window(now);
        self.window.store(Arc::new(found));
        found
    }
}

/// The limits of one subscription, with what its headers say prepared.
pub struct Limits {
    counter: Arc<Counter>,
    rate: Option<(Arc<Ring>, HeaderValue)>,
    quota: Option<(u32, HeaderValue)>,
    policy: HeaderValue,
}
impl Limits {
    fn new(counter: Arc<Counter>, rate: Option<u32>, quota: Option<u32>) -> Self {
        let rate = rate.map(|rate| rate.clamp(1, MAX_RATE));
        let mut policy = String::new();
        if let Some(rate) = rate {
            policy.push_str(&format!("\"second\";q={rate};w=1"));
        }
        if let Some(quota) = quota {
            let comma = if policy.is_empty() { "" } else { ", " };
            policy.push_str(&format!("{comma}\"day\";q={quota};w=86400"));
        }
        Self {
            rate: rate.map(|rate| (counter.ring(rate), HeaderValue::from(rate))),
            quota: quota.map(|quota| (quota, HeaderValue::from(quota))),
            policy: HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("")),
            counter,
        }
    }

    /// Counts one call: first the second, then the day. A call that one of them refuses is counted
    /// by neither (the day is looked at first, so that the second is not spent for nothing).
    pub(crate) fn take(&self, now_us: u64, today: Window, now_s: i64) -> Result<(), Denied> {
        let exhausted = || {
            let wait = u64::try_from(today.end.saturating_sub(now_s)).unwrap_or(0).max(1);
            Denied::with(Reason::QuotaExceeded, Note::RetryAfter(wait))
        };
        if let Some((limit, _)) = &self.quota
            && self.counter.day_use().left(today.day, *limit) == 0
        {
            return Err(exhausted());
        }
        if let Some((ring, _)) = &self.rate {
            ring.take(now_us).map_err(|wait| Denied::with(Reason::RateExceeded, Note::RetryAfter(wait.div_ceil(SECOND).max(1))))?;
        }
        let limit = self.quota.as_ref().map_or(u32::MAX, |(limit, _)| *limit);
        if self.counter.take_day(today.day, limit) { Ok(()) } else { Err(exhausted()) }
    }

    /// Writes the `RateLimit` fields: the limit that is closest to its end, and all policies
    /// (draft-ietf-httpapi-ratelimit-headers-11, and the three fields that came before it).
    pub(crate) fn describe(&self, headers: &mut HeaderMap, now_us: u64, today: Window, now_s: i64) {
        const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
        const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
        const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
        const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
        const CURRENT: HeaderName = HeaderName::from_static("ratelimit");
        let second = self.rate.as_ref().map(|(ring, shown)| {
            let (left, wait) = ring.left(now_us);
            ("second", left, ring.limit(), shown, wait.div_ceil(SECOND))
        });
        let day = self.quota.as_ref().map(|(limit, shown)| {
            let left = u64::from(self.counter.day_use().left(today.day, *limit));
            ("day", left, u64::from(*limit), shown, u64::try_from(today.end.saturating_sub(now_s)).unwrap_or(0))
        });
        let closest = match (second, day) {
            // left_s / limit_s < left_d / limit_d, without a division.
            (Some(second), Some(day)) => Some(if second.1 * day.2 < day.1 * second.2 { second } else { day }),
            (one, other) => one.or(other),
        };
        let Some((name, left, _, shown, reset)) = closest else { return };
        headers.insert(LIMIT, shown.clone());
        headers.insert(REMAINING, HeaderValue::from(left));
        headers.insert(RESET, HeaderValue::from(reset));
        headers.insert(POLICY, self.policy.clone());
        if let Ok(current) = HeaderValue::from_maybe_shared(Bytes::from(format!("\"{name}\";r={left};t={reset}"))) {
            headers.insert(CURRENT, current);
        }
    }

    /// Is there any limit?
    #[must_use]
    pub const fn is_limited(&self) -> bool {
        self.rate.is_some() || self.quota.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, AtomicUsize};

    fn plan(rate: u32, quota: u32) -> Plan {
        serde_json::from_value(serde_json::json!({
            "id": "p", "name": {"fr": "p", "en": "p"}, "rate_per_second": (rate > 0).then_some(rate), "quota_per_day": (quota > 0).then_some(quota),
        }))
        .unwrap()
    }
    const TODAY: Window = Window { day: 10, start: 0, end: 1_000 };
    fn id() -> Id<Subscription> {
        Id::from_uuid(uuid::Uuid::from_u128(7))
    }

    #[test]
    fn any_second_holds_at_most_the_rate() {
        let ring = Ring::new(3);
        let taken: Vec<bool> = [1, 2, 500_000, 900_000, 1_000_000, 1_000_001, 1_000_002, 1_000_003, 1_500_000]
            .iter()
            .map(|now| ring.take(*now).is_ok())
            .collect();
        assert_eq!(taken, [true, true, true, false, false, true, true, false, true]);
        assert_eq!(ring.left(1_500_000), (0, 500_001));
        assert_eq!(ring.left(2_000_002), (2, 499_998));
        assert_eq!(ring.left(9_000_000), (3, 0));
        assert_eq!(Ring::new(0).limit(), 1);
    }

    #[test]
    fn laps_wrap() {
        let ring = Ring::new(1);
        for lap in 0..140_000_u64 {
            assert_eq!(ring.take(1 + lap * SECOND), Ok(()), "{lap}");
            assert!(ring.take(lap * SECOND + 2).is_err());
        }
    }

    #[test]
    fn parallel_fire_never_passes_more_than_the_rate() {
        let ring = Ring::new(100);
        let (passed, clock) = (AtomicU32::new(0), AtomicU64::new(1));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5_000 {
                        // 40,000 ticks of 20 µs: less than a second.
                        let now = clock.fetch_add(20, SeqCst);
                        passed.fetch_add(u32::from(ring.take(now).is_ok()), SeqCst);
                    }
                });
            }
        });
        assert_eq!(passed.load(SeqCst), 100);
    }

    #[test]
    fn windows_slide_under_parallel_fire() {
        let ring = Ring::new(50);
        let clock = AtomicU64::new(1);
        let stamps = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        let now = clock.fetch_add(100, SeqCst);
                        if ring.take(now).is_ok() {
                            stamps.lock().unwrap().push(now);
                        }
                    }
                });
            }
        });
        let mut stamps = stamps.into_inner().unwrap();
        stamps.sort_unstable();
        assert!(stamps.len() > 300);
        for (index, first) in stamps.iter().enumerate() {
            let inside = stamps[index..].iter().take_while(|stamp| **stamp < first + SECOND).count();
            assert!(inside <= 50, "{inside} calls in the second after {first}");
        }
    }

    #[test]
    fn a_day_lets_exactly_its_quota_through() {
        let registry = Registry::default();
        let limits = registry.limits(id(), Some(&plan(0, 1_000)), DayUse { day: 10, used: 400 });
        let passed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        passed.fetch_add(usize::from(limits.take(1, TODAY, 0).is_ok()), SeqCst);
                    }
                });
            }
        });
        assert_eq!(passed.load(SeqCst), 600);
        let tomorrow = Window { day: 11, start: 1_000, end: 2_000 };
        assert!(limits.take(1, tomorrow, 1_000).is_ok());
        assert_eq!(registry.day_uses(), [(id(), DayUse { day: 11, used: 1 })]);
    }

    #[test]
    fn a_refused_call_is_not_counted() {
        let registry = Registry::default();
        let limits = registry.limits(id(), Some(&plan(2, 3)), DayUse::default());
        let reason = |now| {
            limits
                .take(now, TODAY, 400)
                .map_err(|denied| (denied.reason, matches!(denied.note, Note::RetryAfter(600) | Note::RetryAfter(1))))
        };
        assert_eq!([reason(1), reason(2)], [Ok(()), Ok(())]);
        assert_eq!(reason(3), Err((Reason::RateExceeded, true)));
        assert_eq!(registry.day_uses()[0].1.used, 2);
        assert_eq!(reason(1_500_000), Ok(()));
        assert_eq!(reason(1_500_001), Err((Reason::QuotaExceeded, true)));
        assert_eq!(limits.rate.as_ref().unwrap().0.left(1_500_002).0, 1);
    }

    #[test]
    fn a_changed_plan_keeps_what_was_counted() {
        let registry = Registry::default();
        let limits = registry.limits(id(), Some(&plan(4, 10)), DayUse::default());
        for now in 1..=4 {
            limits.take(now, TODAY, 0).unwrap();
        }
        let wider = registry.limits(id(), Some(&plan(6, 5)), DayUse { day: 10, used: 1 });
        assert!(wider.take(5, TODAY, 0).is_ok());
        assert_eq!(wider.take(6, TODAY, 0).map_err(|denied| denied.reason), Err(Reason::QuotaExceeded));
        let narrower = registry.limits(id(), Some(&plan(2, 0)), DayUse::default());
        assert_eq!(narrower.take(7, TODAY, 0).map_err(|denied| denied.reason), Err(Reason::RateExceeded));
        registry.keep(|_| false);
        assert!(registry.day_uses().is_empty());
    }

    #[test]
    fn headers_tell_the_closest_limit() {
        let registry = Registry::default();
        let limits = registry.limits(id(), Some(&plan(10, 1_000)), DayUse { day: 10, used: 999 });
        let mut headers = HeaderMap::new();
        limits.describe(&mut headers, 5, TODAY, 400);
        let shown = |headers: &HeaderMap, name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        assert_eq!(shown(&headers, "ratelimit"), "\"day\";r=1;t=600");
        assert_eq!(shown(&headers, "ratelimit-policy"), "\"second\";q=10;w=1, \"day\";q=1000;w=86400");
        assert_eq!(
            [shown(&headers, "ratelimit-limit"), shown(&headers, "ratelimit-remaining"), shown(&headers, "ratelimit-reset")],
            ["1000", "1", "600"]
        );
        let none = Registry::default().limits(id(), None, DayUse::default());
        let mut headers = HeaderMap::new();
        none.describe(&mut headers, 5, TODAY, 400);
        assert!(headers.is_empty() && !none.is_limited());
    }

    #[test]
    fn days_follow_the_clocks_of_the_zone() {
        let calendar = Calendar::new("Europe/Paris").unwrap();
        let at = |text: &str| text.parse::<octroi_domain::Moment>().unwrap().seconds();
        // 29 March 2026 has 23 hours in Paris.
        let window = calendar.today(at("2026-03-29T12:00:00Z"));
        assert_eq!((window.start, window.end), (at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z")));
        assert_eq!(calendar.today(window.end).day, window.day + 1);
        assert_eq!(calendar.today(window.start - 1).day, window.day - 1);
        assert_eq!(calendar.today(at("1970-01-01T12:00:00Z")).day, 0);
        assert!(Calendar::new("Nowhere/None").is_err());
    }
}
