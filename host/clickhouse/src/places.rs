//! The places of one server: how many queries run at once, how many of them for one caller, and who waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::config::Limits;
use crate::error::ReadError;
use crate::place::Place;

/// Whose queries count together; equal names are one caller. The name is shown to nobody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Holder(Arc<str>);

impl Holder {
    /// By a name that no other caller has.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }
}

/// A caller's right to one place of a server: to one query at a time. Given back when the last copy of it is dropped; a query
/// that runs holds one.
#[derive(Debug, Clone)]
pub struct Claim {
    _held: Option<Arc<Held>>,
    /// How long the query may wait for its place yet.
    patience: Duration,
}

#[derive(Debug)]
struct Held {
    _turn: OwnedSemaphorePermit,
    _presence: Presence,
}

/// The places of one server.
///
/// A query first has a claim, of its caller's share, and then a place. Whoever has no claim waits beside the queue for places, so that
/// other callers pass: slow readers keep their places for long, and one caller with many of them must not keep everybody else out.
pub(crate) struct Places {
    limits: Limits,
    all: Arc<Semaphore>,
    waiting: AtomicUsize,
    callers: Callers,
}

/// Those that hold or wait for claims: nothing is remembered of others.
type Callers = Arc<Mutex<HashMap<Holder, One>>>;

#[derive(Debug)]
struct One {
    turns: Arc<Semaphore>,
    /// Claims, and requests that wait for one.
    present: usize,
}

impl Places {
    pub(crate) fn new(limits: Limits) -> Self {
        let all = Arc::new(Semaphore::new(limits.concurrent.max(1)));
        Self { limits, all, waiting: AtomicUsize::new(0), callers: Arc::default() }
    }

    /// A claim, if there is one without waiting. What the host asks for itself, `None`, is nobody's share.
    pub(crate) fn try_claim(&self, holder: Option<&Holder>) -> Option<Claim> {
        let Some(holder) = holder else { return Some(self.claim_of(None, Duration::ZERO)) };
        let (presence, turns) = self.enter(holder)?;
        let turn = turns.try_acquire_owned().ok()?;
        Some(self.claim_of(Some((turn, presence)), Duration::ZERO))
    }

    /// A claim, after those of the same caller that came before.
    pub(crate) async fn claim(&self, holder: Option<&Holder>) -> Result<Claim, ReadError> {
        let Some(holder) = holder else { return Ok(self.claim_of(None, Duration::ZERO)) };
        let began = Instant::now();
        let full = ReadError::ShareFull { share: self.share(), concurrent: self.limits.concurrent };
        let (presence, turns) = self.enter(holder).ok_or_else(|| full.clone())?;
        match tokio::time::timeout(self.limits.wait, turns.acquire_owned()).await {
            Ok(Ok(turn)) => Ok(self.claim_of(Some((turn, presence)), began.elapsed())),
            _ => Err(full),
        }
    }

    /// A place for the query of a claim. Few wait, and not for long: a slow server must not gather callers.
    pub(crate) async fn place(&self, claim: &Claim) -> Result<Place, ReadError> {
        let busy = ReadError::Busy { concurrent: self.limits.concurrent };
        if let Ok(place) = Arc::clone(&self.all).try_acquire_owned() {
            return Ok(Place::of(place, claim.clone()));
        }
        let _waiter = Waiter::join(&self.waiting, self.limits.waiting).ok_or_else(|| busy.clone())?;
        match tokio::time::timeout(claim.patience, Arc::clone(&self.all).acquire_owned()).await {
            Ok(Ok(place)) => Ok(Place::of(place, claim.clone())),
            _ => Err(busy),
        }
    }

    fn claim_of(&self, held: Option<(OwnedSemaphorePermit, Presence)>, waited: Duration) -> Claim {
        let held = held.map(|(turn, presence)| Arc::new(Held { _turn: turn, _presence: presence }));
        Claim { _held: held, patience: self.limits.wait.saturating_sub(waited) }
    }

    fn share(&self) -> usize {
        self.limits.share.clamp(1, self.limits.concurrent.max(1))
    }

    /// As many of one caller's requests may be here as hold a place or wait for one; of the waiting too it has a share.
    fn most_present(&self) -> usize {
        self.share() + self.limits.waiting * self.share() / self.limits.concurrent.max(1)
    }

    fn enter(&self, holder: &Holder) -> Option<(Presence, Arc<Semaphore>)> {
        let mut callers = locked(&self.callers);
        let one = callers
            .entry(holder.clone())
            .or_insert_with(|| One { turns: Arc::new(Semaphore::new(self.share())), present: 0 });
        if one.present >= self.most_present() {
            return None;
        }
        one.present += 1;
        Some((Presence { callers: self.callers.clone(), holder: holder.clone() }, one.turns.clone()))
    }
}

/// One of a caller's requests. With the last of them the caller is forgotten.
#[derive(Debug)]
struct Presence {
    callers: Callers,
    holder: Holder,
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut callers = locked(&self.callers);
        if let Some(one) = callers.get_mut(&self.holder) {
            one.present -= 1;
            if one.present == 0 {
                callers.remove(&self.holder);
            }
        }
    }
}

/// What is behind the lock is whole at every moment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts queries that wait, also when they give up.
struct Waiter<'a>(&'a AtomicUsize);

impl<'a> Waiter<'a> {
    fn join(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let joined = waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < most).then_some(n + 1));
        joined.is_ok().then_some(Self(waiting))
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than any test runs.
    const LONG: Duration = Duration::from_secs(3600);

    fn places(concurrent: usize, share: usize, wait: Duration) -> Places {
        Places::new(Limits { concurrent, share, waiting: 4, wait, ..Limits::default() })
    }

    fn who(name: &str) -> Option<Holder> {
        Some(Holder::new(name))
    }

    async fn take(places: &Places, name: &str) -> Result<Place, ReadError> {
        let claim = places.claim(who(name).as_ref()).await?;
        places.place(&claim).await
    }

    #[tokio::test]
    async fn a_caller_at_his_share_waits_and_the_others_pass() {
        let places = &places(4, 2, Duration::from_millis(1));
        let (one, _two) = (take(places, "a").await.unwrap(), take(places, "a").await.unwrap());
        assert!(places.try_claim(who("a").as_ref()).is_none());
        let Err(error) = take(places, "a").await else { panic!("a third place") };
        assert_eq!(error, ReadError::ShareFull { share: 2, concurrent: 4 });
        let text = error.to_string();
        assert!(text.contains("all 2 ") && text.contains("of 4") && text.contains("try again"), "{text}");

        let _other = take(places, "b").await.unwrap();
        let _hosts_own = places.place(&places.claim(None).await.unwrap()).await.unwrap();
        let Err(error) = take(places, "c").await else { panic!("a fifth place") };
        assert_eq!(error, ReadError::Busy { concurrent: 4 });
        drop(one);
        take(places, "a").await.unwrap();
    }

    #[tokio::test]
    async fn who_waits_for_his_share_has_it_when_he_leaves_elsewhere() {
        let places = Arc::new(places(2, 1, LONG));
        let first = take(&places, "a").await.unwrap();
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { take(&places, "a").await.is_ok() }
        });
        drop(take(&places, "b").await.unwrap());
        drop(first);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn one_caller_has_a_share_of_the_waiting_too() {
        let places = Arc::new(places(2, 1, LONG));
        let first = take(&places, "a").await.unwrap();
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let places = places.clone();
                tokio::spawn(async move { take(&places, "a").await.map(drop) })
            })
            .collect();
        // Of the queue of four two are for one caller; the one too many is told at once.
        let (ended, _, rest) = futures::future::select_all(waiting).await;
        assert_eq!(ended.unwrap().unwrap_err(), ReadError::ShareFull { share: 1, concurrent: 2 });
        drop(first);
        for one in rest {
            one.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn a_claim_is_held_until_its_last_query_has_ended() {
        let places = &places(2, 1, LONG);
        let claim = places.claim(who("a").as_ref()).await.unwrap();
        let place = places.place(&claim).await.unwrap();
        drop(claim);
        assert!(places.try_claim(who("a").as_ref()).is_none());
        drop(place);
        assert!(places.try_claim(who("a").as_ref()).is_some());
    }

    #[tokio::test]
    async fn nothing_is_remembered_of_those_who_left() {
        let places = &places(2, 1, Duration::from_millis(1));
        for number in 0..100 {
            let name = number.to_string();
            let _place = take(places, &name).await.unwrap();
            assert!(take(places, &name).await.is_err());
            assert!(places.try_claim(who(&name).as_ref()).is_none());
        }
        assert!(locked(&places.callers).is_empty());
    }

    #[test]
    fn a_share_is_at_least_one_place_and_at_most_all() {
        for (concurrent, share, is) in [(10, 5, 5), (1, 0, 1), (10, 0, 1), (2, 9, 2), (0, 0, 1)] {
            assert_eq!(places(concurrent, share, LONG).share(), is, "{share} of {concurrent}");
        }
    }
}
