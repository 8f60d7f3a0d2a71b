//! No request waits for ever.

use std::time::Duration;

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

use crate::api::{Problem, Word};

/// Middleware: answers 504 when the head of an answer is not there in time. What is dropped then cancels its query. An answer that
/// has begun to stream is bounded by its query's own limits.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Duration);

impl<E: Endpoint> Middleware<E> for Deadline {
    type Output = DeadlineEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        DeadlineEndpoint { inner, limit: self.0 }
    }
}

/// What [`Deadline`] makes of an endpoint.
#[derive(Debug)]
pub struct DeadlineEndpoint<E> {
    inner: E,
    limit: Duration,
}

impl<E: Endpoint> Endpoint for DeadlineEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        match tokio::time::timeout(self.limit, self.inner.call(request)).await {
            Ok(answer) => answer.map(IntoResponse::into_response),
            Err(_) => {
                let message = "the request took longer than `limits.request_timeout_ms`; it is cancelled";
                Ok(Problem::new(Word::Timeout, message).into_response())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use poem::{EndpointExt, handler};

    use super::*;

    #[handler]
    async fn never() {
        std::future::pending::<()>().await;
    }

    #[tokio::test]
    async fn what_never_answers_is_cancelled() {
        let endpoint = never.with(Deadline(Duration::from_millis(1)));
        let answer = endpoint.call(Request::default()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 504);
    }
}
