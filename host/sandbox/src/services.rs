//! What a guest reaches beyond its sandbox; implemented by the server.

use std::sync::Arc;

use async_trait::async_trait;

use crate::bindings::{clickhouse, control, http, jwt, secrets, types};

/// The host's side of the capabilities, made for one call: it knows the caller and applies the caller's rights.
///
/// The sandbox has already checked the operator's grants (host ids, endpoint and secret names) when one of these is called.
#[async_trait]
pub trait Services: Send + Sync {
    /// All configured hosts; the sandbox leaves out the ones not granted.
    async fn clickhouse_hosts(&self) -> Vec<clickhouse::HostInfo>;

    /// A guarded read. `query.max_rows` is already within the grant; `max_bytes` comes from it.
    async fn clickhouse_read(
        &self,
        host: u32,
        query: clickhouse::Query,
        max_bytes: u64,
    ) -> Result<clickhouse::Rows, clickhouse::QueryError>;

    /// Stops a query by id; how many ran under it.
    async fn kill_query(&self, host: u32, query_id: String) -> Result<u32, control::ControlError>;

    /// Starts an unscheduled merge.
    async fn optimize_table(&self, host: u32, database: String, table: String) -> Result<(), control::ControlError>;

    /// Sends to a named endpoint.
    async fn http_send(&self, endpoint: String, request: http::Request) -> Result<http::Response, http::HttpError>;

    /// Whether the operator configured an issuer of that name.
    fn jwt_configured(&self, issuer: &str) -> bool;

    /// Verifies a token against a named issuer; the claims as JSON.
    async fn jwt_verify(&self, issuer: String, token: String) -> Result<String, jwt::JwtError>;

    /// Verifies the token that the request being authenticated carries at `place`; absent when there is none.
    async fn jwt_verify_sent(&self, issuer: String, place: jwt::Place) -> Result<Option<String>, jwt::JwtError>;

    /// Whether the secret has a value.
    fn secret_is_set(&self, name: &str) -> bool;

    /// Compares in constant time.
    fn secret_equals(&self, name: &str, candidate: &str) -> Result<bool, secrets::SecretError>;

    /// Compares a header of the request being authenticated.
    fn secret_header_equals(&self, name: &str, header: &str) -> Result<bool, secrets::SecretError>;

    /// Whether the request being authenticated carries a header that the manifest names, and it is not empty.
    fn header_present(&self, header: &str) -> bool;

    /// Checks the request's `Basic` credentials against the password file that is the secret's value.
    async fn secret_basic(&self, name: String) -> Result<secrets::BasicOutcome, secrets::SecretError>;

    /// HMAC-SHA-256 with the secret as key.
    fn secret_hmac_sha256(&self, name: &str, message: &[u8]) -> Result<Vec<u8>, secrets::SecretError>;
}

/// On whose behalf a call runs, and what it can reach.
#[derive(Clone)]
pub struct CallScope {
    /// As in `X-Request-ID` and the log.
    pub request_id: String,
    /// The authenticated caller, if any.
    pub principal: Option<types::Principal>,
    /// Capabilities with the caller's rights.
    pub services: Arc<dyn Services>,
}

impl CallScope {
    /// As the guest sees it.
    pub(crate) fn caller(&self) -> types::Caller {
        types::Caller { request_id: self.request_id.clone(), principal: self.principal.clone() }
    }
}
