//! Asks PeerDB.

use chm_plugin::host::http;
use serde_json::{Value, json};

use crate::cache;
use crate::calls::{self, Method};
use crate::secrets;
use crate::trouble::Trouble;

/// The endpoint's name in `plugin.toml`.
const ENDPOINT: &str = "peerdb";
/// Before every path.
const VERSION: &str = "v1/";

/// A question to PeerDB.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) method: Method,
    /// Below `/v1`, percent-encoded.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
}

impl Question {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::Get, path: path.into(), query: Vec::new(), body: None }
    }

    pub(crate) fn post(path: &str, body: Value) -> Self {
        Self { method: Method::Post, path: path.to_owned(), query: Vec::new(), body: Some(body) }
    }

    /// The answer, a JSON object without secrets: PeerDB's own, or what it said a moment ago.
    pub(crate) fn ask(&self) -> Result<Value, Trouble> {
        let call =
            calls::find(self.method, &self.path).ok_or_else(|| Trouble::NotListed(self.method, self.path.clone()))?;
        call.check(self.body.as_ref()).map_err(Trouble::Invalid)?;
        let slot = cache::slot(self.text());
        if let Some(answer) = slot.as_ref().and_then(cache::Slot::get) {
            return Ok(answer);
        }
        let answer = self.send()?;
        if let Some(slot) = slot {
            slot.put(&answer);
        }
        Ok(answer)
    }

    /// The same for equal questions, and for no others.
    fn text(&self) -> String {
        json!([self.method.as_str(), self.path, self.query, self.body]).to_string()
    }

    fn send(&self) -> Result<Value, Trouble> {
        let mut request = http::request(self.method.as_str()).path(&format!("{VERSION}{}", self.path));
        request = request.header("accept", "application/json");
        for (name, value) in &self.query {
            request = request.query(name, value);
        }
        if let Some(body) = &self.body {
            request = request.json(body).map_err(Trouble::of_exchange)?;
        }
        let response = request.send(ENDPOINT).map_err(Trouble::of_exchange)?;
        if response.status != 200 {
            return Err(Trouble::of_status(response.status, &response.body));
        }
        let mut answer = serde_json::from_slice::<Value>(&response.body).ok().filter(Value::is_object).ok_or_else(|| {
            Trouble::Upstream(
                "PeerDB answered with something else than a JSON object; the address of PeerDB's own web server ends in /api"
                    .to_owned(),
            )
        })?;
        secrets::hide(&mut answer);
        Ok(answer)
    }
}
