//! Only documented paths go further.

use std::sync::Arc;

use poem::http::Version;
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

use super::path_table::{PathTable, Spelling};
use crate::api::{Problem, Word};

/// Middleware: refuses every other spelling of a path before anybody is asked who they are. It does not depend on how the router
/// reads paths. The [`KnownPath`](super::KnownPath) goes into the request.
#[derive(Debug, Clone)]
pub struct ExactPaths {
    table: Arc<PathTable>,
}

impl ExactPaths {
    /// Lets the paths of this table through.
    #[must_use]
    pub fn new(table: Arc<PathTable>) -> Self {
        Self { table }
    }
}

impl<E: Endpoint> Middleware<E> for ExactPaths {
    type Output = ExactPathsEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        ExactPathsEndpoint { inner, table: self.table.clone() }
    }
}

/// What [`ExactPaths`] makes of an endpoint.
#[derive(Debug)]
pub struct ExactPathsEndpoint<E> {
    inner: E,
    table: Arc<PathTable>,
}

impl<E: Endpoint> Endpoint for ExactPathsEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let uri = request.uri();
        // HTTP/2 always names the authority; in HTTP/1 only requests to a forward proxy do, which this is not.
        let to_a_proxy = request.version() < Version::HTTP_2 && uri.authority().is_some();
        match self.table.find(uri.path()) {
            _ if to_a_proxy => {
                let message = "this is no forward proxy: the request line must have a path, not an address";
                Ok(Problem::new(Word::Validation, message).into_response())
            }
            Spelling::Documented(known) => {
                let known = known.clone();
                request.extensions_mut().insert(known);
                self.inner.call(request).await.map(IntoResponse::into_response)
            }
            Spelling::Unknown => Ok(Problem::no_such_path().into_response()),
            Spelling::Malformed => {
                let message = "the path is malformed: expected `/` and segments of plain or percent-encoded characters";
                Ok(Problem::new(Word::Validation, message).into_response())
            }
        }
    }
}
