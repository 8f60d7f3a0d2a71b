//! The request that is authenticated, and what a plugin may ask the host about it.

use std::sync::Arc;

use async_trait::async_trait;
use chm_access::Secret;
use chm_sandbox::bindings::auth_provider::{Header, RequestHead};
use chm_sandbox::bindings::{clickhouse, control, http, jwt, secrets};
use chm_sandbox::{CallScope, Services};

/// Who the request is from.
pub const SUBJECT: &str = "ann";

const SECRET: &str = "a word that only the proxy knows";

/// A request as a proxy passes it on that has signed the person in.
pub struct Request {
    /// What the plugin sees.
    pub head: RequestHead,
    expected: Secret,
    /// The one header that only the host sees: its name in lower case, and its value.
    sealed: (&'static str, &'static str),
}

impl Request {
    /// With the proxy's secret, a name, an address and two groups.
    pub fn from_the_proxy() -> Self {
        let header = |name: &str, value: &str| Header { name: name.to_owned(), value: value.to_owned() };
        let head = RequestHead {
            method: "GET".to_owned(),
            path: "/api/v1/hosts".to_owned(),
            headers: vec![
                header("x-forwarded-user", SUBJECT),
                header("x-forwarded-email", "ann@example.org"),
                header("x-forwarded-preferred-username", "Ann Example"),
                header("x-forwarded-groups", "sre,on-call"),
            ],
            cookies: Vec::new(),
        };
        Self { head, expected: Secret::new(SECRET.to_owned()), sealed: ("x-chm-proxy-secret", SECRET) }
    }

    /// The scope of one call.
    pub fn scope(self: &Arc<Self>) -> CallScope {
        let services: Arc<dyn Services> = self.clone();
        CallScope { request_id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(), principal: None, services }
    }
}

/// Compares secrets as the server does; there is nothing else.
#[async_trait]
impl Services for Request {
    async fn clickhouse_hosts(&self) -> Vec<clickhouse::HostInfo> {
        Vec::new()
    }

    async fn clickhouse_read(
        &self,
        _host: u32,
        _query: clickhouse::Query,
        _max_bytes: u64,
    ) -> Result<clickhouse::Rows, clickhouse::QueryError> {
        Err(clickhouse::QueryError::Denied(String::new()))
    }

    async fn kill_query(&self, _host: u32, _query_id: String) -> Result<u32, control::ControlError> {
        Err(control::ControlError::Denied(String::new()))
    }

    async fn optimize_table(&self, _host: u32, _database: String, _table: String) -> Result<(), control::ControlError> {
        Err(control::ControlError::Denied(String::new()))
    }

    async fn http_send(&self, _endpoint: String, _request: http::Request) -> Result<http::Response, http::HttpError> {
        Err(http::HttpError::Denied(String::new()))
    }

    fn jwt_configured(&self, _issuer: &str) -> bool {
        false
    }

    async fn jwt_verify(&self, _issuer: String, _token: String) -> Result<String, jwt::JwtError> {
        Err(jwt::JwtError::Denied(String::new()))
    }

    async fn jwt_verify_sent(&self, _issuer: String, _place: jwt::Place) -> Result<Option<String>, jwt::JwtError> {
        Err(jwt::JwtError::Unset)
    }

    fn secret_is_set(&self, _name: &str) -> bool {
        true
    }

    fn secret_equals(&self, _name: &str, candidate: &str) -> Result<bool, secrets::SecretError> {
        Ok(self.expected.equals(candidate))
    }

    fn secret_header_equals(&self, _name: &str, header: &str) -> Result<bool, secrets::SecretError> {
        let sent = (header.to_ascii_lowercase() == self.sealed.0).then_some(self.sealed.1);
        Ok(self.expected.equals(sent.unwrap_or_default()) && sent.is_some())
    }

    fn header_present(&self, header: &str) -> bool {
        header.to_ascii_lowercase() == self.sealed.0
    }

    async fn secret_basic(&self, _name: String) -> Result<secrets::BasicOutcome, secrets::SecretError> {
        Err(secrets::SecretError::Unset)
    }

    fn secret_hmac_sha256(&self, _name: &str, _message: &[u8]) -> Result<Vec<u8>, secrets::SecretError> {
        Err(secrets::SecretError::Unset)
    }
}
