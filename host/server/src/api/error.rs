//! Errors as clients see them. Each has a stable word, a safe message, and a status that follows from the word.

use chm_clickhouse::{ErrorKind, ReadError};
use chm_sandbox::CallError;
use chm_sandbox::bindings::types::Failure;
use poem::http::{StatusCode, header};
use poem::{IntoResponse, PathPattern, Response};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object};
use serde_json::{Value, json};

use super::envelope::{ErrorBody, ErrorEnvelope, Metadata};
use super::misread;
use crate::plugins::{BadParameter, Unknown};

/// Every failed answer of an operation, by status.
#[derive(Debug, ApiResponse)]
pub enum Problem {
    /// The input is wrong; the message names the field.
    #[oai(status = 400)]
    BadRequest(Json<Box<ErrorEnvelope>>),
    /// ClickHouse, or the operator's grants, do not permit it.
    #[oai(status = 403)]
    Forbidden(Json<Box<ErrorEnvelope>>),
    /// No such thing; near names are listed. Or the feature is disabled (`FEATURE_DISABLED`).
    #[oai(status = 404)]
    NotFound(Json<Box<ErrorEnvelope>>),
    /// Something else would be hit than what was confirmed; nothing has happened.
    #[oai(status = 409)]
    Changed(Json<Box<ErrorEnvelope>>),
    /// The request's body did not arrive in time.
    #[oai(status = 408)]
    TooSlow(Json<Box<ErrorEnvelope>>),
    /// The request's body is too large.
    #[oai(status = 413)]
    TooLarge(Json<Box<ErrorEnvelope>>),
    /// The request's body is not JSON.
    #[oai(status = 415)]
    MediaType(Json<Box<ErrorEnvelope>>),
    /// The host does not answer to this name.
    #[oai(status = 421)]
    Misdirected(Json<Box<ErrorEnvelope>>),
    /// It is to be confirmed first; nothing has happened.
    #[oai(status = 428)]
    Unconfirmed(Json<Box<ErrorEnvelope>>),
    /// Too many requests; `Retry-After` says when to come back.
    #[oai(status = 429)]
    RateLimited(Json<Box<ErrorEnvelope>>),
    /// ClickHouse could not run the query.
    #[oai(status = 500)]
    Failed(Json<Box<ErrorEnvelope>>),
    /// A plugin failed. The host and every other plugin go on.
    #[oai(status = 502)]
    PluginFailed(Json<Box<ErrorEnvelope>>),
    /// ClickHouse or the plugin cannot be reached, or is busy.
    #[oai(status = 503)]
    Unavailable(
        Json<Box<ErrorEnvelope>>,
        /// Seconds after which it is worth asking again, where that is known.
        #[oai(header = "Retry-After")]
        Option<u64>,
    ),
    /// It took too long.
    #[oai(status = 504)]
    Timeout(Json<Box<ErrorEnvelope>>),
}

/// The error catalogue: every word that `error.type` may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// 400: the input is wrong.
    Validation,
    /// 403: not permitted.
    Permission,
    /// 404: no such panel, chart, tool, table.
    NotFound,
    /// 404: no such column.
    ColumnNotFound,
    /// 403: a write from another site's page.
    CrossSite,
    /// 408: the body did not arrive in time.
    TooSlow,
    /// 409: something else would be hit than what was confirmed.
    Changed,
    /// 413: the body is too large.
    TooLarge,
    /// 415: the body is not JSON.
    MediaType,
    /// 421: the host does not answer to this name.
    Misdirected,
    /// 428: a change is to be confirmed first.
    Unconfirmed,
    /// 429: too many requests.
    RateLimited,
    /// 500: ClickHouse's error.
    Query,
    /// 502: a plugin failed.
    Plugin,
    /// 502: what a plugin asked failed.
    Upstream,
    /// 503: cannot be reached.
    Network,
    /// 503: TLS failed.
    Tls,
    /// 503: all places are taken.
    Busy,
    /// 504: took too long.
    Timeout,
}

impl Word {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Validation,
        Self::Permission,
        Self::NotFound,
        Self::ColumnNotFound,
        Self::CrossSite,
        Self::TooSlow,
        Self::Changed,
        Self::TooLarge,
        Self::MediaType,
        Self::Misdirected,
        Self::Unconfirmed,
        Self::RateLimited,
        Self::Query,
        Self::Plugin,
        Self::Upstream,
        Self::Network,
        Self::Tls,
        Self::Busy,
        Self::Timeout,
    ];

    /// As clients see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "validation_error",
            Self::Permission => "permission_error",
            Self::NotFound => "table_not_found",
            Self::ColumnNotFound => "column_not_found",
            Self::CrossSite => "cross_site",
            Self::TooSlow => "too_slow",
            Self::Changed => "changed",
            Self::TooLarge => "too_large",
            Self::MediaType => "unsupported_media_type",
            Self::Misdirected => "misdirected_request",
            Self::Unconfirmed => "confirmation_required",
            Self::RateLimited => "rate_limited",
            Self::Query => "query_error",
            Self::Plugin => "plugin_error",
            Self::Upstream => "upstream_error",
            Self::Network => "network_error",
            Self::Tls => "ssl_error",
            Self::Busy => "busy",
            Self::Timeout => "timeout_error",
        }
    }
}

impl Problem {
    /// An error without details.
    #[must_use]
    pub fn new(word: Word, message: impl Into<String>) -> Self {
        Self::with(word, message, None)
    }

    /// The input is wrong.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::with(Word::Validation, message, Some(json!({"field": field})))
    }

    /// An error with details.
    #[must_use]
    pub fn with(word: Word, message: impl Into<String>, details: Option<Value>) -> Self {
        // Places among the queries of a server come free as soon as one of them ends.
        let retry_after_sec = (word == Word::Busy).then_some(1);
        let body = Json(Box::new(ErrorEnvelope {
            success: false,
            metadata: Metadata::default(),
            error: ErrorBody { kind: word.as_str().to_owned(), message: message.into(), details, retry_after_sec },
        }));
        match word {
            Word::Validation => Self::BadRequest(body),
            Word::Permission | Word::CrossSite => Self::Forbidden(body),
            Word::NotFound | Word::ColumnNotFound => Self::NotFound(body),
            Word::TooSlow => Self::TooSlow(body),
            Word::Changed => Self::Changed(body),
            Word::TooLarge => Self::TooLarge(body),
            Word::MediaType => Self::MediaType(body),
            Word::Misdirected => Self::Misdirected(body),
            Word::Unconfirmed => Self::Unconfirmed(body),
            Word::RateLimited => Self::RateLimited(body),
            Word::Query => Self::Failed(body),
            Word::Plugin | Word::Upstream => Self::PluginFailed(body),
            Word::Network | Word::Tls | Word::Busy => Self::Unavailable(body, retry_after_sec),
            Word::Timeout => Self::Timeout(body),
        }
    }

    fn body(&self) -> &ErrorEnvelope {
        match self {
            Self::BadRequest(body)
            | Self::Forbidden(body)
            | Self::NotFound(body)
            | Self::TooSlow(body)
            | Self::TooLarge(body)
            | Self::MediaType(body)
            | Self::Misdirected(body)
            | Self::RateLimited(body)
            | Self::Failed(body)
            | Self::PluginFailed(body)
            | Self::Unavailable(body, _)
            | Self::Changed(body)
            | Self::Unconfirmed(body)
            | Self::Timeout(body) => body,
        }
    }

    /// What it says, for answers about several things.
    #[must_use]
    pub fn into_body(self) -> ErrorBody {
        self.body().error.clone()
    }

    /// In words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.body().error.message
    }

    /// Nothing is served at this path.
    #[must_use]
    pub fn no_such_path() -> Self {
        Self::new(Word::NotFound, "there is nothing at this path; /docs lists what there is")
    }

    /// Too many requests: to be repeated after so many seconds (contract §2.4).
    #[must_use]
    pub fn rate_limited(message: &str, seconds: u64) -> Response {
        let mut problem = Self::new(Word::RateLimited, message);
        if let Self::RateLimited(body) = &mut problem {
            body.0.error.retry_after_sec = Some(seconds);
        }
        let mut response = problem.into_response();
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        response
    }

    /// No panel, chart or tool of that name.
    #[must_use]
    pub fn unknown(what: &str, list: &str, unknown: &Unknown, visible: Vec<&str>) -> Self {
        let near = if unknown.near.is_empty() {
            String::new()
        } else {
            format!("; did you mean {}?", unknown.near.join(", "))
        };
        let message = format!("there is no {what} `{}`{near}", unknown.name);
        Self::with(Word::NotFound, message, Some(json!({"near": unknown.near, list: visible.join(", ")})))
    }
}

impl From<BadParameter> for Problem {
    fn from(bad: BadParameter) -> Self {
        Self::invalid(&bad.name, bad.to_string())
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let word = match error.kind() {
            ErrorKind::Validation => Word::Validation,
            ErrorKind::Permission => Word::Permission,
            ErrorKind::TableNotFound => Word::NotFound,
            ErrorKind::ColumnNotFound => Word::ColumnNotFound,
            ErrorKind::Timeout => Word::Timeout,
            ErrorKind::Network => Word::Network,
            ErrorKind::Ssl => Word::Tls,
            ErrorKind::Busy => Word::Busy,
            _ => Word::Query,
        };
        Self::with(word, error.to_string(), error.code().map(|code| json!({"clickhouseCode": code})))
    }
}

/// A plugin's failure: its own words where they are meant for the client, a general message otherwise.
pub fn plugin_problem(plugin: &str, error: &CallError) -> Problem {
    let details = Some(json!({"plugin": plugin, "kind": error.kind()}));
    match error {
        CallError::Failure(Failure::InvalidInput(text)) => Problem::with(Word::Validation, text, details),
        CallError::Failure(Failure::NotFound(text)) => Problem::with(Word::NotFound, text, details),
        CallError::Failure(Failure::Denied(text)) => Problem::with(Word::Permission, text, details),
        CallError::Failure(Failure::Unavailable(text)) => Problem::with(Word::Network, text, details),
        CallError::Failure(Failure::Upstream(text)) => Problem::with(Word::Upstream, text, details),
        CallError::Failure(Failure::Timeout(text)) => Problem::with(Word::Timeout, text, details),
        CallError::Busy { .. } => Problem::with(Word::Busy, format!("plugin {plugin} is {error}"), details),
        _ => {
            tracing::warn!(plugin, %error, "plugin call failed");
            let message = format!("plugin {plugin} failed; the host's log has the cause under this request's id");
            Problem::with(Word::Plugin, message, details)
        }
    }
}

/// The guard's 401: `{"error":"Authentication required"}`.
#[derive(Debug, Object)]
pub struct GuardError {
    /// In words.
    pub error: String,
}

/// The gate's 401, 403 and 404.
#[derive(Debug, Object)]
pub struct GateError {
    /// What the matrix said.
    pub error: GateErrorBody,
}

/// What the matrix said.
#[derive(Debug, Object)]
pub struct GateErrorBody {
    /// `FEATURE_DISABLED`, `AUTHENTICATION_REQUIRED`, `ROLE_REQUIRED` or `SCOPE_REQUIRED`.
    pub code: String,
    /// In words.
    pub message: String,
}

/// Turns what poem itself refuses (no route, method, parameter, body) into the envelope.
pub async fn enveloped(error: poem::Error) -> Response {
    if error.is_from_response() {
        return error.into_response();
    }
    let status = error.status();
    let route = error.data::<PathPattern>().cloned();
    let problem = if let Some(bad) = error.downcast_ref::<poem_openapi::error::ParseParamError>() {
        Problem::invalid(bad.name, format!("parameter `{}`: {}", bad.name, misread::reworded(&bad.reason)))
    } else if let Some(bad) = error.downcast_ref::<poem_openapi::error::ParseRequestPayloadError>() {
        Problem::invalid("body", format!("the request's body: {}", misread::reworded(&bad.reason)))
    } else {
        match status {
            StatusCode::NOT_FOUND => Problem::no_such_path(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(Word::MediaType, error.to_string()),
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Word::TooLarge, "the request's body is too large"),
            _ if status.is_client_error() => Problem::new(Word::Validation, error.to_string()),
            _ => {
                tracing::error!(%error, "unexpected error");
                Problem::new(Word::Query, "an unexpected error; the host's log has the cause under this request's id")
            }
        }
    };
    let mut response = problem.into_response();
    // 405 and 415 keep their status; the rest follow from the word.
    if status.is_client_error() {
        response.set_status(status);
    }
    // The router's pattern names the route in the log and in the metrics.
    if let Some(route) = route {
        response.set_data(route);
    }
    response
}
