//! Reads that are the same run once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chm_clickhouse::{Claim, GuardedQuery, Holder, ReadError, ReadOptions};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use super::ask::Part;
use super::gather::{HELD_BYTES, Origin, Patience, Running, Taken, Whole, gather};
use super::shelf::Shelf;
use crate::app::App;

/// Memory for answers that are kept, in bytes.
const ROOM: usize = 16 << 20;

/// What the operator decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharingOptions {
    /// Whether identical reads at the same time run once.
    pub coalesce: bool,
    /// Whether answers are kept.
    pub cache: bool,
}

/// Reads that run now, and answers that are kept.
#[derive(Debug)]
pub struct Sharing {
    options: SharingOptions,
    running: Mutex<HashMap<Arc<Key>, Entry>>,
    shelf: Mutex<Shelf<Arc<Key>, Arc<Whole>>>,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    run: WeakShared<Run>,
}

type Run = BoxFuture<'static, Result<Outcome, ReadError>>;

/// What all who wait for a run are told.
#[derive(Debug, Clone)]
enum Outcome {
    Whole(Arc<Whole>),
    /// It is too large to be shared: it goes on for the caller who began it, and the others run their own.
    Running(Arc<Mutex<Option<Box<Running>>>>, Option<Holder>),
}

/// All that the rows depend on.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    host: usize,
    query: GuardedQuery,
    /// Without what only names the read.
    options: ReadOptions,
    reversed: bool,
}

impl Key {
    fn of(part: &Part, reversed: bool) -> Self {
        let options = ReadOptions { query_id: None, log_comment: None, ..part.options.clone() };
        Self { host: part.host.config().id, query: part.query.clone(), options, reversed }
    }

    /// How much memory it takes, in bytes, roughly. Values come from callers, who may make each request's another and long.
    fn size(&self) -> usize {
        /// Beside the text of each parameter.
        const PARAMETER: usize = 128;
        let values = self.options.parameters.iter().map(|(name, value)| PARAMETER + name.len() + value.len());
        self.query.sql().len() + values.sum::<usize>() + self.query.parameters().len() * PARAMETER
    }
}

impl Sharing {
    /// Nothing runs, nothing is kept.
    #[must_use]
    pub fn new(options: SharingOptions) -> Self {
        Self { options, running: Mutex::default(), shelf: Mutex::new(Shelf::new(ROOM)) }
    }

    fn kept(&self, key: &Arc<Key>, age: Duration) -> Option<Arc<Whole>> {
        self.options.cache.then(|| locked(&self.shelf).get(key, age)).flatten()
    }

    fn keep(&self, key: &Arc<Key>, whole: &Arc<Whole>) {
        if self.options.cache && whole.size() <= HELD_BYTES {
            locked(&self.shelf).put(key.clone(), whole.clone(), whole.size() + key.size());
        }
    }
}

/// The result of a part that is not older than `age`: kept, shared with others who wait for the same, or read now. With an age of zero
/// it is read now, for this caller alone.
pub(super) async fn take(
    app: &Arc<App>,
    part: Part,
    origin: &Origin,
    reversed: bool,
    age: Duration,
) -> Result<Taken, ReadError> {
    let sharing = &app.sharing;
    let alone = async |part: Part, patience| {
        let claim = part.host.claim(origin.holder()).await?;
        gather(app, claim, part, origin, reversed, patience).await
    };
    if age.is_zero() {
        return alone(part, Patience::Short).await;
    }
    if sharing.options == (SharingOptions { coalesce: false, cache: false }) {
        return alone(part, Patience::Long).await;
    }
    let key = Arc::new(Key::of(&part, reversed));
    let mut claim = None;
    let run = loop {
        if let Some(whole) = sharing.kept(&key, age) {
            return Ok(Taken::Whole(whole));
        }
        if !sharing.options.coalesce {
            let taken = alone(part, Patience::Long).await?;
            if let Taken::Whole(whole) = &taken {
                sharing.keep(&key, whole);
            }
            return Ok(taken);
        }
        match join(app, &key, &part, origin, claim) {
            Some(run) => break run,
            // Meanwhile somebody else may read, or have read, the same.
            None => claim = Some(part.host.claim(origin.holder()).await?),
        }
    };
    match run.await? {
        Outcome::Whole(whole) => Ok(Taken::Whole(whole)),
        Outcome::Running(slot, holder) => {
            let mine = if holder.as_ref() == origin.holder() { locked(&slot).take() } else { None };
            // With the last who looks goes what nobody took, and its place.
            drop(slot);
            match mine {
                Some(running) => Ok(Taken::Running(running)),
                None => alone(part, Patience::Short).await,
            }
        }
    }
}

/// The run of this key: the one under way, or a new one; none when the caller has no place left for it, and no claim to one. It goes on
/// for as long as anybody holds it, and is dropped, its query cancelled, with the last.
///
/// A run is of the share of the caller who began it, alone: those who join it make the server do nothing more. It has its claim before
/// others can join, so nobody ever waits for somebody else's share; and it passes a large result on to nobody else, so nobody's share is
/// held by somebody else's slow reading.
fn join(app: &Arc<App>, key: &Arc<Key>, part: &Part, origin: &Origin, claim: Option<Claim>) -> Option<Shared<Run>> {
    let mut running = locked(&app.sharing.running);
    if let Some(run) = running.get(key).and_then(|entry| entry.run.upgrade()) {
        return Some(run);
    }
    let claim = claim.or_else(|| part.host.try_claim(origin.holder()))?;
    // Numbers tell a run that ends from the one that has taken its place.
    let number = running.get(key).map_or(0, |entry| entry.number + 1);
    let leaving = Leaving { app: app.clone(), key: key.clone(), number };
    let (part, origin) = (part.clone(), origin.clone());
    let run: Run = Box::pin(async move {
        let Leaving { app, key, .. } = &leaving;
        Ok(match gather(app, claim, part, &origin, key.reversed, Patience::Long).await? {
            Taken::Whole(whole) => {
                app.sharing.keep(key, &whole);
                Outcome::Whole(whole)
            }
            Taken::Running(running) => Outcome::Running(Arc::new(Mutex::new(Some(running))), origin.holder().cloned()),
        })
    });
    let run = run.shared();
    if let Some(weak) = run.downgrade() {
        running.insert(key.clone(), Entry { number, run: weak });
    }
    Some(run)
}

/// Takes a run off the list when it ends, or is dropped.
struct Leaving {
    app: Arc<App>,
    key: Arc<Key>,
    number: u64,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut running = locked(&self.app.sharing.running);
        if running.get(&self.key).is_some_and(|entry| entry.number == self.number) {
            running.remove(&self.key);
        }
    }
}

/// What is behind these locks is whole at every moment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_answer_takes_the_room_of_the_values_it_was_asked_with() {
        let query = GuardedQuery::check("SELECT {a:String}").unwrap();
        let options = ReadOptions { parameters: vec![("a".into(), "x".repeat(60_000))], ..ReadOptions::default() };
        let sharing = Sharing::new(SharingOptions { coalesce: true, cache: true });
        let whole = Arc::new(Whole::new(bytes::Bytes::new(), bytes::Bytes::new(), 0, false));
        let key = |host| Arc::new(Key { host, query: query.clone(), options: options.clone(), reversed: false });
        for host in 0..1000 {
            sharing.keep(&key(host), &whole);
        }
        let shelf = locked(&sharing.shelf);
        let kept = (0..1000).filter(|host| shelf.get(&key(*host), Duration::from_secs(60)).is_some()).count();
        assert!((1..=ROOM / 60_000).contains(&kept), "{kept}");
    }
}
