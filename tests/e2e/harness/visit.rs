//! One way to ask for something guarded, and who the host takes the visitor for.

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::answer::Answer;
use super::host::Host;

/// A request with these headers, and who sends it.
pub struct Visit {
    what: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Present when the visitor gets in.
    principal: Option<Value>,
}

impl Visit {
    /// Without headers, by nobody.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), headers: Vec::new(), principal: None }
    }

    /// Adds a header, also one that is there already. Any bytes go, as proxies send them.
    pub fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a header's value");
        self.headers.push((HeaderName::from_static(name), value));
        self
    }

    /// Adds a bearer token.
    pub fn bearer(self, token: impl AsRef<str>) -> Self {
        self.header("authorization", format!("Bearer {}", token.as_ref()))
    }

    /// Adds a cookie.
    pub fn cookie(self, name: &str, value: impl AsRef<str>) -> Self {
        self.header("cookie", format!("{name}={}", value.as_ref()))
    }

    /// The visitor gets in, as this.
    pub fn enters_as(mut self, principal: Value) -> Self {
        self.principal = Some(principal);
        self
    }

    /// The visitor gets in, known by a subject only.
    pub fn enters(self, subject: &str) -> Self {
        self.enters_as(json!({"subject": subject}))
    }

    /// What it is called when a claim about it fails.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Visits, and claims the outcome.
    pub async fn to(&self, host: &Host, provider: &str) {
        let (hosts, me) = (self.ask(host, "/api/v1/hosts").await, self.ask(host, "/api/v1/auth/me").await);
        match &self.principal {
            Some(principal) => {
                assert_eq!(hosts.status, 200, "{}: {hosts}", self.what);
                let expected = json!({"authenticated": true, "provider": provider, "principal": principal});
                assert_eq!(me.json(), expected, "{}", self.what);
            }
            None => {
                for answer in [hosts, me] {
                    assert_eq!(answer.status, 401, "{}: {answer}", self.what);
                    assert_eq!(answer.json(), json!({"error": "Authentication required"}), "{}", self.what);
                }
            }
        }
    }

    /// Asks for one path.
    pub async fn ask(&self, host: &Host, path: &str) -> Answer {
        let mut request = host.request(Method::GET, path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Answer::of(request).await
    }
}
