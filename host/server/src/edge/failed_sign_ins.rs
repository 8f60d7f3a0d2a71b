//! Guessing at credentials, slowed down.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use poem::Response;

use super::client_address::ClientAddress;
use super::rate_limits::seconds;
use crate::api::Problem;

/// What was last tried from a network, so that a program with one outdated key, asking again and again, is no attack.
const REMEMBERED: usize = 8;
/// However much was tried, a network is free again after this.
const LONGEST: Duration = Duration::from_secs(15 * 60);
const MINUTE: Duration = Duration::from_secs(60);
/// Networks kept before those that have nothing against them are forgotten.
const SWEEP_ABOVE: usize = 4096;
/// Beyond this many networks within their minute, the newest are not remembered: guessing from so many addresses needs no limit per
/// address to be seen.
const MOST: usize = 200_000;

/// Most right credentials in a generation, and how long it lasts.
const MOST_RIGHT: usize = 25_000;
const GENERATION: Duration = LONGEST;

/// Which of the host's locks was tried. They are counted apart: a proxy's address must not be shut out of signing people in because
/// somebody behind it tries out API keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lock {
    /// API keys, and the fixed tokens for operators, the agent and cron.
    Keys,
    /// The auth providers.
    Providers,
}

/// Counts wrong credentials per network (IPv6: per /64), as a debt: each costs its share of a minute, and who owes a whole minute
/// waits. What is tried in parallel, before anybody looked, is owed too.
#[derive(Debug)]
pub struct FailedSignIns {
    share: Duration,
    hasher: RandomState,
    debts: Mutex<Debts>,
    right: Mutex<Right>,
}

/// Credentials that were right lately, in two generations, so that forgetting costs nothing.
#[derive(Debug)]
struct Right {
    recent: HashSet<u64>,
    before: HashSet<u64>,
    since: Instant,
}

/// Everybody's debts. Those that are paid are swept out whenever twice as many were added as the last sweep left.
#[derive(Debug)]
struct Debts {
    owed: HashMap<(Lock, IpAddr), Debt>,
    sweep_at: usize,
}

#[derive(Debug)]
struct Debt {
    /// When everything is paid.
    until: Instant,
    recent: [u64; REMEMBERED],
    next: usize,
}

/// The network has tried too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many failed sign-ins from this address: try again in {} s", self.retry_after())]
pub struct TooManyFailures {
    wait: Duration,
}

impl TooManyFailures {
    /// Whole seconds to wait, at least one.
    #[must_use]
    pub fn retry_after(&self) -> u64 {
        seconds(self.wait).max(1)
    }

    /// The 429.
    #[must_use]
    pub fn into_response(self) -> Response {
        Problem::rate_limited(&self.to_string(), self.retry_after())
    }
}

impl FailedSignIns {
    /// So many different wrong credentials a minute.
    #[must_use]
    pub fn new(per_minute: NonZeroU32) -> Self {
        Self {
            share: MINUTE / per_minute.get(),
            hasher: RandomState::new(),
            debts: Mutex::new(Debts { owed: HashMap::new(), sweep_at: SWEEP_ABOVE }),
            right: Mutex::new(Right { recent: HashSet::new(), before: HashSet::new(), since: Instant::now() }),
        }
    }

    /// Whether exactly this was right lately. Then it is no guess, whatever else comes from its network: people behind one proxy
    /// may share an address with somebody who guesses.
    #[must_use]
    pub fn was_right(&self, credential: &[u8]) -> bool {
        let hash = self.hasher.hash_one(credential);
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.recent.contains(&hash) || right.before.contains(&hash)
    }

    /// Notes that `credential` is right; only a keyed hash of it is kept.
    pub fn record_right(&self, credential: &[u8]) {
        let hash = self.hasher.hash_one(credential);
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.recent.len() >= MOST_RIGHT || right.since.elapsed() >= GENERATION {
            right.before = std::mem::take(&mut right.recent);
            right.since = Instant::now();
        }
        right.recent.insert(hash);
    }

    /// Whether this network may try. To be asked before a credential is looked at.
    ///
    /// # Errors
    /// When it tried too often.
    pub fn check(&self, lock: Lock, address: ClientAddress) -> Result<(), TooManyFailures> {
        self.check_at(lock, address, Instant::now())
    }

    /// Notes that `credential` was presented and is wrong. The same one again costs nothing; only a keyed hash of it is kept.
    pub fn record(&self, lock: Lock, address: ClientAddress, credential: &[u8]) {
        self.record_at(lock, address, credential, Instant::now());
    }

    fn debts(&self) -> MutexGuard<'_, Debts> {
        self.debts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_at(&self, lock: Lock, address: ClientAddress, now: Instant) -> Result<(), TooManyFailures> {
        let debts = self.debts();
        let owed = match debts.owed.get(&(lock, address.network())) {
            Some(debt) => debt.until.saturating_duration_since(now),
            None => return Ok(()),
        };
        // There must be room for one more.
        let wait = (owed + self.share).saturating_sub(MINUTE);
        if wait.is_zero() { Ok(()) } else { Err(TooManyFailures { wait }) }
    }

    fn record_at(&self, lock: Lock, address: ClientAddress, credential: &[u8], now: Instant) {
        // Zero is an empty place.
        let hash = self.hasher.hash_one(credential) | 1;
        let mut debts = self.debts();
        if debts.owed.len() >= debts.sweep_at {
            debts.owed.retain(|_, debt| debt.until > now);
            debts.sweep_at = (2 * debts.owed.len()).clamp(SWEEP_ABOVE, MOST);
        }
        let key = (lock, address.network());
        if debts.owed.len() >= MOST && !debts.owed.contains_key(&key) {
            return;
        }
        let debt = debts.owed.entry(key).or_insert_with(|| Debt { until: now, recent: [0; REMEMBERED], next: 0 });
        if debt.recent.contains(&hash) {
            return;
        }
        if let Some(place) = debt.recent.get_mut(debt.next) {
            *place = hash;
        }
        debt.next = (debt.next + 1) % REMEMBERED;
        debt.until = (debt.until.max(now) + self.share).min(now + LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "192.0.2.1";

    fn address(text: &str) -> ClientAddress {
        ClientAddress(text.parse().unwrap())
    }

    fn failures() -> FailedSignIns {
        FailedSignIns::new(NonZeroU32::new(6).unwrap())
    }

    #[test]
    fn after_a_minutes_worth_of_guesses_one_more_each_share_of_it() {
        let (failures, now) = (failures(), Instant::now());
        let check = |after: u64| failures.check_at(Lock::Keys, address(HERE), now + Duration::from_secs(after));
        for guess in 0_u8..6 {
            assert_eq!(check(0), Ok(()), "{guess}");
            failures.record_at(Lock::Keys, address(HERE), &[guess], now);
        }
        let refused = check(0).unwrap_err();
        assert_eq!(refused.retry_after(), 10);
        assert!(check(9).is_err());
        assert_eq!(check(10), Ok(()));
        failures.record_at(Lock::Keys, address(HERE), b"another", now + Duration::from_secs(10));
        assert!(check(11).is_err());
        assert_eq!(failures.check_at(Lock::Providers, address(HERE), now), Ok(()), "another lock");
        assert_eq!(failures.check_at(Lock::Keys, address("192.0.2.2"), now), Ok(()), "another address");
    }

    #[test]
    fn one_outdated_key_is_no_attack() {
        let (failures, now) = (failures(), Instant::now());
        for _ in 0..1000 {
            failures.record_at(Lock::Keys, address(HERE), b"outdated", now);
        }
        assert_eq!(failures.check_at(Lock::Keys, address(HERE), now), Ok(()));
    }

    #[test]
    fn what_is_tried_at_once_is_owed_but_not_for_ever() {
        let (failures, now) = (failures(), Instant::now());
        for guess in 0_u32..1000 {
            failures.record_at(Lock::Keys, address(HERE), &guess.to_le_bytes(), now);
        }
        let check = |after: Duration| failures.check_at(Lock::Keys, address(HERE), now + after);
        assert!(check(Duration::from_secs(600)).is_err());
        assert_eq!(check(LONGEST), Ok(()));
    }

    #[test]
    fn what_was_right_is_remembered_and_not_without_end() {
        let failures = failures();
        failures.record_right(b"ann");
        assert!(failures.was_right(b"ann") && !failures.was_right(b"eve"));
        for index in 0..3 * MOST_RIGHT {
            failures.record_right(&index.to_be_bytes());
        }
        assert!(!failures.was_right(b"ann"));
        let right = failures.right.lock().unwrap();
        assert!(right.recent.len() + right.before.len() <= 2 * MOST_RIGHT);
    }

    #[test]
    fn memory_is_bounded() {
        let (failures, now) = (failures(), Instant::now());
        let mut later = now;
        for index in 0..50_000_u32 {
            later += Duration::from_millis(10);
            let address = ClientAddress(IpAddr::from(index.to_be_bytes()));
            failures.record_at(Lock::Keys, address, b"x", later);
            // One share is ten seconds: a thousand of them are within it.
            assert!(failures.debts().owed.len() <= SWEEP_ABOVE);
        }
    }
}
