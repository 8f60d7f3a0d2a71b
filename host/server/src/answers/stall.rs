//! Readers who have stopped reading.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// As long as ClickHouse waits for those who read its answers (`http_send_timeout`): it gives up queries of such readers itself then.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// A stream that ends when its reader has taken nothing for a while, though there was something.
///
/// Nobody asks for the next rows while the last ones cannot be sent, so that no deadline of the query is noticed: a connection that is
/// open and never read would keep its query, and its place among those of the server, for ever.
pub(super) struct Attended<S> {
    state: Arc<Mutex<State<S>>>,
    _watch: AbortOnDropHandle<()>,
}

struct State<S> {
    /// Nothing when it was given up.
    rows: Option<Pin<Box<S>>>,
    /// Since when the reader has had all that came. Nothing while more is waited for.
    idle: Option<Instant>,
}

impl<S> Attended<S> {
    /// Must be called in a runtime.
    pub fn new(rows: S, limit: Duration) -> Self
    where
        S: Send + 'static,
    {
        let state = Arc::new(Mutex::new(State { rows: Some(Box::pin(rows)), idle: Some(Instant::now()) }));
        let watch = tokio::spawn(watch(Arc::downgrade(&state), limit));
        Self { state, _watch: AbortOnDropHandle::new(watch) }
    }
}

impl<S, T> Stream for Attended<S>
where
    S: Stream<Item = io::Result<T>>,
{
    type Item = io::Result<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = locked(&self.state);
        let Some(rows) = &mut state.rows else {
            return Poll::Ready(Some(Err(io::Error::other("the reader had stopped reading"))));
        };
        let next = rows.as_mut().poll_next(cx);
        state.idle = next.is_ready().then(Instant::now);
        next
    }
}

/// Drops the stream when it is idle for too long.
async fn watch<S>(state: Weak<Mutex<State<S>>>, limit: Duration) {
    let mut end = Instant::now() + limit;
    loop {
        tokio::time::sleep_until(end).await;
        let Some(state) = state.upgrade() else { return };
        let mut state = locked(&state);
        end = state.idle.unwrap_or_else(Instant::now) + limit;
        if end <= Instant::now() {
            let rows = state.rows.take();
            drop(state);
            drop(rows);
            tracing::info!(seconds = limit.as_secs(), "a reader took nothing for too long; its query is given up");
            return;
        }
    }
}

/// What is behind the lock is whole at every moment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::*;

    fn attended(limit: Duration) -> (UnboundedSender<io::Result<u8>>, impl Stream<Item = io::Result<u8>>) {
        let (sender, mut receiver) = unbounded_channel();
        let rows = futures::stream::poll_fn(move |cx| receiver.poll_recv(cx));
        (sender, Attended::new(rows, limit))
    }

    #[tokio::test]
    async fn who_reads_nothing_more_loses_the_rest_and_never_takes_it_for_whole() {
        for already in 0..3 {
            let (sender, mut rows) = attended(Duration::from_millis(1));
            (0..9).for_each(|row| sender.send(Ok(row)).unwrap());
            for row in 0..already {
                assert_eq!(rows.next().await.unwrap().unwrap(), row);
            }
            sender.closed().await;
            assert!(rows.next().await.unwrap().is_err(), "{already}");
        }
    }

    #[tokio::test]
    async fn who_waits_for_rows_is_waited_with() {
        let (sender, mut rows) = attended(Duration::from_millis(1));
        let mut next = rows.next();
        assert!(futures::poll!(&mut next).is_pending());
        tokio::time::sleep(Duration::from_millis(50)).await;
        sender.send(Ok(1)).unwrap();
        assert_eq!(next.await.unwrap().unwrap(), 1);
        drop(rows);
        sender.closed().await;
    }
}
