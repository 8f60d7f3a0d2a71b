//! An answer, read whole, that says what was asked when a claim about it fails.

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer of a host.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Method and path.
    pub what: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// Sends a request and reads all of its answer.
    pub async fn of(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.expect("a request");
        let what = format!("{} {}", request.method(), request.url());
        let answer = client.execute(request).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.unwrap_or_else(|error| panic!("{what}: its body: {error:?}")).to_vec();
        Self { what, status, headers, body }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{self}: no JSON: {error}"))
    }

    /// Claims a status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// A header's value; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// All headers of a name, as HTTP joins them.
    pub fn headers(&self, name: &str) -> String {
        let values = self.headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.collect::<Vec<_>>().join(", ")
    }

    /// The rows of the success envelope.
    #[track_caller]
    pub fn rows(&self) -> Vec<Value> {
        let body = self.json();
        assert_eq!(body["success"], true, "{self}");
        body["data"].as_array().unwrap_or_else(|| panic!("{self}: no rows")).clone()
    }

    /// Claims the error envelope with this word, and returns the message.
    #[track_caller]
    pub fn error(&self, status: u16, word: &str) -> String {
        assert_eq!(self.status, status, "{self}");
        let body = self.json();
        assert_eq!(body["success"], false, "{self}");
        assert_eq!(body["error"]["type"], word, "{self}");
        assert!(body["metadata"].is_object(), "{self}");
        let message = body["error"]["message"].as_str().unwrap_or_else(|| panic!("{self}: no message"));
        assert!(!message.is_empty(), "{self}");
        message.to_owned()
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text: String = self.text().chars().take(1500).collect();
        write!(f, "{} → {} {text}", self.what, self.status)
    }
}
