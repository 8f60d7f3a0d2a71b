//! How many requests a caller may send.

use std::collections::hash_map::RandomState;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chm_access::Caller;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use poem::http::HeaderMap;

use super::client_address::ClientAddress;
use super::one_caller::OneCaller;
use crate::config::RequestLimits;

/// After so many requests, buckets that are full again are forgotten: memory is bounded by the callers of a minute.
const SWEEP_EVERY: u32 = 8192;

type Limiter = RateLimiter<OneCaller, DashMapStateStore<OneCaller>, DefaultClock, StateInformationMiddleware>;

/// A token bucket per caller (contract §2.4 of the HTTP API): as many as a minute's may come at once, and they refill
/// continuously. A subject has one, wherever it comes from; without a subject an address has one.
#[derive(Debug)]
pub struct RateLimits {
    all: Limiter,
    all_per_minute: NonZeroU32,
    agent: Limiter,
    agent_per_minute: NonZeroU32,
    changes: Limiter,
    changes_per_minute: NonZeroU32,
    since_sweep: AtomicU32,
}

/// What is left of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    limit: NonZeroU32,
    remaining: u32,
    /// Until a request is possible; zero when one is now.
    pub wait: Duration,
}

impl Allowance {
    /// Whether this request was one too many.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        !self.wait.is_zero()
    }

    /// Whole seconds to wait, at least one.
    #[must_use]
    pub fn retry_after(&self) -> u64 {
        seconds(self.wait).max(1)
    }

    /// Sets `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds until the bucket is full).
    pub fn write(&self, headers: &mut HeaderMap) {
        let missing = self.limit.get().saturating_sub(self.remaining);
        let full = Duration::from_secs(60) * missing / self.limit.get();
        headers.insert("ratelimit-limit", self.limit.get().into());
        headers.insert("ratelimit-remaining", self.remaining.into());
        headers.insert("ratelimit-reset", seconds(full).into());
    }
}

/// Rounded up: who comes back then is served.
pub(super) fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn limiter(per_minute: NonZeroU32) -> Limiter {
    RateLimiter::dashmap_with_hasher(Quota::per_minute(per_minute), RandomState::new())
        .with_middleware::<StateInformationMiddleware>()
}

impl RateLimits {
    /// As configured.
    #[must_use]
    pub fn new(limits: &RequestLimits) -> Self {
        let (all_per_minute, agent_per_minute) = (limits.requests_per_minute, limits.agent_requests_per_minute);
        let changes_per_minute = limits.actions_per_minute;
        Self {
            all: limiter(all_per_minute),
            all_per_minute,
            agent: limiter(agent_per_minute),
            agent_per_minute,
            changes: limiter(changes_per_minute),
            changes_per_minute,
            since_sweep: AtomicU32::new(0),
        }
    }

    /// Takes a request out of the caller's bucket, and out of the one for the agent when `agent`.
    #[must_use]
    pub fn take(&self, caller: Option<&Caller>, address: ClientAddress, agent: bool) -> Allowance {
        let bucket = OneCaller::of(caller, address);
        if self.since_sweep.fetch_add(1, Ordering::Relaxed) >= SWEEP_EVERY {
            self.sweep();
        }
        if agent {
            let allowance = take(&self.agent, &bucket, self.agent_per_minute);
            if allowance.is_exceeded() {
                return allowance;
            }
        }
        take(&self.all, &bucket, self.all_per_minute)
    }

    /// Takes a change of a server out of the caller's bucket for those.
    #[must_use]
    pub fn take_change(&self, caller: &Caller, address: ClientAddress) -> Allowance {
        // Each comes in a request, which [`take`](Self::take) has counted: the sweep is its.
        take(&self.changes, &OneCaller::of(Some(caller), address), self.changes_per_minute)
    }

    /// Forgets the buckets that are full.
    pub fn sweep(&self) {
        self.since_sweep.store(0, Ordering::Relaxed);
        self.all.retain_recent();
        self.agent.retain_recent();
        self.changes.retain_recent();
        self.all.shrink_to_fit();
    }

    #[cfg(test)]
    fn buckets(&self) -> usize {
        self.all.len() + self.agent.len() + self.changes.len()
    }
}

fn take(limiter: &Limiter, bucket: &OneCaller, limit: NonZeroU32) -> Allowance {
    match limiter.check_key(bucket) {
        Ok(state) => Allowance { limit, remaining: state.remaining_burst_capacity(), wait: Duration::ZERO },
        Err(not_until) => {
            let wait = not_until.wait_time_from(DefaultClock::default().now()).max(Duration::from_millis(1));
            Allowance { limit, remaining: 0, wait }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn limits(all: u32, agent: u32) -> RateLimits {
        let mut limits = crate::edge::tests::limits();
        limits.requests_per_minute = NonZeroU32::new(all).unwrap();
        limits.agent_requests_per_minute = NonZeroU32::new(agent).unwrap();
        RateLimits::new(&limits)
    }

    fn address(text: &str) -> ClientAddress {
        ClientAddress(text.parse().unwrap())
    }

    #[test]
    fn an_address_has_a_bucket_and_the_networks_neighbours_share_it() {
        let limits = limits(3, 1);
        let first = limits.take(None, address("2001:db8::1"), false);
        assert_eq!((first.remaining, first.is_exceeded()), (2, false));
        assert!(!limits.take(None, address("2001:db8::2"), false).is_exceeded());
        assert!(!limits.take(None, address("2001:db8::ffff:3"), false).is_exceeded());
        let last = limits.take(None, address("2001:db8::4"), false);
        assert!(last.is_exceeded() && (1..=20).contains(&last.retry_after()), "{last:?}");
        assert!(!limits.take(None, address("2001:db8:0:1::1"), false).is_exceeded());
        let mut headers = HeaderMap::new();
        last.write(&mut headers);
        assert_eq!(headers["ratelimit-limit"], "3");
        assert_eq!(headers["ratelimit-remaining"], "0");
        assert_eq!(headers["ratelimit-reset"], "60");
    }

    #[test]
    fn the_agent_has_a_bucket_of_its_own() {
        let limits = limits(10, 1);
        assert!(!limits.take(None, address("192.0.2.1"), true).is_exceeded());
        assert!(limits.take(None, address("192.0.2.1"), true).is_exceeded());
        assert!(!limits.take(None, address("192.0.2.1"), false).is_exceeded());
    }

    #[test]
    fn memory_is_bounded_by_the_callers_of_a_minute() {
        let limits = limits(10_000_000, 1);
        for index in 0..50_000_u32 {
            let _ = limits.take(None, ClientAddress(IpAddr::from(index.to_be_bytes())), false);
        }
        assert!(limits.buckets() <= SWEEP_EVERY as usize + 1, "{}", limits.buckets());
    }
}
