//! Connections on which nothing is asked.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::socket::Unfinished;

/// Knows since when a connection has had no request under way. A client that sends nothing, or a head byte by byte, or keeps a
/// connection for later, is all the same: it takes a place, in whatever protocol, and is let go.
#[derive(Debug, Clone)]
pub struct Quiet {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    under_way: usize,
    since: Instant,
}

impl Default for Quiet {
    fn default() -> Self {
        Self { state: Arc::new(Mutex::new(State { under_way: 0, since: Instant::now() })) }
    }
}

impl Quiet {
    /// A request is under way until the returned value is dropped.
    #[must_use]
    pub fn request(&self) -> UnderWay {
        self.with(|state| state.under_way += 1);
        UnderWay(self.clone())
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How long there has been no request; absent while one is under way.
    #[must_use]
    pub fn so_far(&self) -> Option<Duration> {
        self.with(|state| (state.under_way == 0).then(|| state.since.elapsed()))
    }

    /// Ends when there has been no request for so long.
    pub async fn lasted(&self, limit: Duration) {
        loop {
            let end = self.with(|state| (state.under_way == 0).then(|| state.since + limit));
            match end {
                Some(end) if end <= Instant::now() => return,
                Some(end) => tokio::time::sleep_until(end).await,
                None => tokio::time::sleep(limit).await,
            }
        }
    }
}

/// A request that is under way.
#[derive(Debug)]
pub struct UnderWay(Quiet);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.with(|state| {
            state.under_way = state.under_way.saturating_sub(1);
            state.since = Instant::now();
        });
    }
}

/// The body of an answer; the request is under way for as long as it is.
#[derive(Debug)]
pub struct Answering<B> {
    body: B,
    _under_way: UnderWay,
    /// Where only the end of the connection ends it.
    unfinished: Option<Unfinished>,
}

impl<B> Answering<B> {
    /// Ties them together.
    #[must_use]
    pub fn new(body: B, under_way: UnderWay, unfinished: Option<Unfinished>) -> Self {
        Self { body, _under_way: under_way, unfinished }
    }
}

impl<B: Body + Unpin> Body for Answering<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        match (&self.unfinished, &frame) {
            (Some(unfinished), Poll::Ready(Some(Err(_)))) => unfinished.fail(),
            (Some(unfinished), _) => unfinished.begin(),
            (None, _) => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_is_quiet_when_nothing_is_asked_for_the_whole_time() {
        let (quiet, limit) = (Quiet::default(), Duration::from_millis(50));
        let under_way = quiet.request();
        let other = quiet.clone();
        let ended = tokio::spawn(async move { other.lasted(limit).await });
        tokio::time::sleep(limit * 5).await;
        assert!(!ended.is_finished(), "a request is under way");
        let dropped = Instant::now();
        drop(under_way);
        ended.await.unwrap();
        assert!(dropped.elapsed() >= limit, "{:?}", dropped.elapsed());
    }
}
