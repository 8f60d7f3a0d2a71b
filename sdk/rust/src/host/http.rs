//! Sends to an endpoint that the operator configured by name. Neither its address nor its credentials are visible here.

use serde::Serialize;

use super::imports;
use crate::Failure;
use crate::alerts::DeliveryFailure;
pub use crate::bindings::imports::chm::plugin::http::{Header, HttpError, Request, Response};

/// Starts a GET of exactly the endpoint's address.
#[must_use]
pub fn get() -> Request {
    request("GET")
}

/// Starts a POST to exactly the endpoint's address.
#[must_use]
pub fn post() -> Request {
    request("POST")
}

/// Starts a request with `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
#[must_use]
pub fn request(method: &str) -> Request {
    Request { method: method.into(), path: String::new(), query: Vec::new(), headers: Vec::new(), body: Vec::new() }
}

impl Request {
    /// Appended to the endpoint's own path.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.path = path.into();
        self
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push(Header { name: name.into(), value: value.into() });
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(Header { name: name.into(), value: value.into() });
        self
    }

    /// Sets the body and its `Content-Type`.
    ///
    /// # Errors
    /// [`HttpError::Invalid`] when the value has no form in JSON.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, HttpError> {
        self.body = serde_json::to_vec(body).map_err(|error| HttpError::Invalid(error.to_string()))?;
        Ok(self.header("content-type", "application/json"))
    }

    /// Sends it to a named endpoint.
    ///
    /// # Errors
    /// [`HttpError`]: not granted, malformed, too large an answer, no answer in time, or no connection. An answer of any
    /// status is no error.
    pub fn send(&self, endpoint: &str) -> Result<Response, HttpError> {
        imports::http::send(endpoint, self)
    }
}

impl Response {
    /// An answer with a status only, for tests.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header, for tests.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(Header { name: name.into(), value: value.into() });
        self
    }

    /// The value of a header, in any spelling of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
    }
}

/// For a request that the plugin made of its own: one that is malformed is its mistake.
impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Denied(reason) => Self::Denied(reason),
            HttpError::Invalid(reason) => Self::Internal(reason),
            HttpError::TooLarge => Self::upstream("the endpoint's answer is larger than its `max_response_bytes`"),
            HttpError::Timeout => Self::timeout("the endpoint did not answer in time"),
            HttpError::Unreachable(reason) => Self::unavailable(format!("the endpoint cannot be reached: {reason}")),
        }
    }
}

impl From<HttpError> for DeliveryFailure {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Timeout => Self::retry("the receiver did not answer in time"),
            HttpError::Unreachable(reason) => Self::retry(format!("the receiver cannot be reached: {reason}")),
            // It came through, and its answer would be too large again.
            HttpError::TooLarge => Self::permanent("the receiver's answer is larger than its `max_response_bytes`"),
            HttpError::Denied(reason) | HttpError::Invalid(reason) => Self::permanent(reason),
        }
    }
}
