//! Request bodies are read whole, up to a limit, before anything looks at them.

use poem::{Endpoint, Middleware, Request, Result};

/// Middleware: a longer body is answered with 413, whether its length was announced or not.
pub struct BodyLimit {
    bytes: usize,
}

impl BodyLimit {
    /// Most bytes of a body.
    pub fn new(bytes: usize) -> Self {
        Self { bytes }
    }
}

impl<E: Endpoint> Middleware<E> for BodyLimit {
    type Output = Limited<E>;

    fn transform(&self, inner: E) -> Limited<E> {
        Limited { bytes: self.bytes, inner }
    }
}

/// An endpoint behind the limit.
pub struct Limited<E> {
    bytes: usize,
    inner: E,
}

impl<E: Endpoint> Endpoint for Limited<E> {
    type Output = E::Output;

    async fn call(&self, mut request: Request) -> Result<E::Output> {
        let body = request.take_body().into_bytes_limit(self.bytes).await?;
        request.set_body(body);
        self.inner.call(request).await
    }
}
