//! The host a native test talks to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::rc::Rc;

use serde_json::Value;

use crate::bindings::imports::chm::plugin::control::ControlError;
use crate::host::clickhouse::{HostInfo, Query, QueryError, Rows};
use crate::host::http::{HttpError, Request, Response};
use crate::host::jwt::{JwtError, Place};
use crate::host::log::Level;

type Answer = Rc<dyn Fn(u32, &Query) -> Option<Result<Rows, QueryError>>>;
type Endpoint = Rc<dyn Fn(&Request) -> Result<Response, HttpError>>;

#[derive(Default)]
pub(super) struct State {
    pub(super) settings: BTreeMap<String, String>,
    pub(super) secrets: BTreeMap<String, Option<String>>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) users: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) hosts: Vec<HostInfo>,
    pub(super) answers: Vec<Answer>,
    pub(super) queries: Vec<(u32, Query)>,
    pub(super) endpoints: BTreeMap<String, Endpoint>,
    pub(super) requests: Vec<SentRequest>,
    pub(super) control: bool,
    pub(super) control_answer: Option<Result<u32, ControlError>>,
    pub(super) controls: Vec<String>,
    pub(super) issuers: BTreeMap<String, Issuer>,
    pub(super) sent: BTreeMap<(String, PlaceKey), Result<Option<String>, JwtError>>,
    pub(super) kv_bytes: Option<usize>,
    pub(super) kv: BTreeMap<String, Vec<u8>>,
    pub(super) now: f64,
    pub(super) random: u64,
    pub(super) lines: Vec<(Level, String)>,
}

/// One issuer: whether the operator configured it, and what its tokens are worth.
#[derive(Default)]
pub(super) struct Issuer {
    pub(super) configured: bool,
    pub(super) tokens: BTreeMap<String, Result<String, JwtError>>,
}

/// A place in the request, comparable: `bearer`, `header <lower-case name>` or `cookie <name>`.
pub(super) type PlaceKey = String;

pub(super) fn place_key(place: &Place) -> PlaceKey {
    match place {
        Place::Bearer => "bearer".to_owned(),
        Place::Header(name) => format!("header {}", name.to_ascii_lowercase()),
        Place::Cookie(name) => format!("cookie {name}"),
    }
}

impl State {
    pub(super) fn control_allowed(&self) -> Result<(), ControlError> {
        if self.control { Ok(()) } else { Err(ControlError::Denied("control was not granted".into())) }
    }

    /// How many a control statement hits: one, unless the test says otherwise.
    pub(super) fn control_answer(&self) -> Result<u32, ControlError> {
        self.control_answer.clone().unwrap_or(Ok(1))
    }
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

pub(super) fn with<T>(body: impl FnOnce(&mut State) -> T) -> T {
    STATE.with(|state| body(&mut state.borrow_mut()))
}

/// A request that the plugin sent.
#[derive(Debug, Clone, PartialEq)]
pub struct SentRequest {
    /// The endpoint's name.
    pub endpoint: String,
    /// What was sent to it.
    pub request: Request,
}

impl SentRequest {
    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.request.body).unwrap_or_default()
    }
}

/// The host of this thread's test. It grants what the test gives it, and nothing else.
///
/// ```
/// use chm_plugin::{host, testing::FakeHost};
///
/// let fake = FakeHost::new().setting("user_header", "x-user").secret("key", "s3cret");
/// assert_eq!(host::config::get("user_header").as_deref(), Some("x-user"));
/// assert_eq!(host::secrets::equals("key", "guess"), Ok(false));
/// host::log::warn("looked at it");
/// assert_eq!(fake.lines(), ["warn: looked at it"]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FakeHost {
    // Belongs to the thread that made it.
    thread: PhantomData<*const ()>,
}

impl Default for FakeHost {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeHost {
    /// A host that has granted nothing, in place of the one before it on this thread.
    #[must_use]
    pub fn new() -> Self {
        with(|state| *state = State::default());
        Self { thread: PhantomData }
    }

    fn change(self, change: impl FnOnce(&mut State)) -> Self {
        with(change);
        self
    }

    /// Gives a setting its value.
    pub fn setting(self, name: &str, value: &str) -> Self {
        self.change(|state| {
            state.settings.insert(name.into(), value.into());
        })
    }

    /// Grants a secret and gives it a value.
    pub fn secret(self, name: &str, value: &str) -> Self {
        self.change(|state| {
            state.secrets.insert(name.into(), Some(value.into()));
        })
    }

    /// Grants a secret that the operator has not set.
    pub fn unset_secret(self, name: &str) -> Self {
        self.change(|state| {
            state.secrets.insert(name.into(), None);
        })
    }

    /// A header of the request being authenticated, as `secrets::header_equals` compares it and `secrets::header_present` finds it.
    pub fn request_header(self, name: &str, value: &str) -> Self {
        self.change(|state| {
            state.headers.insert(name.to_ascii_lowercase(), value.into());
        })
    }

    /// Grants a secret that is a password file with this user in it. What the request sends is its `Authorization` header:
    /// `request_header("authorization", "Basic …")`.
    pub fn basic_user(self, name: &str, user: &str, password: &str) -> Self {
        self.change(|state| {
            state.secrets.entry(name.into()).or_insert_with(|| Some("a password file".into()));
            state.users.entry(name.into()).or_default().insert(user.into(), password.into());
        })
    }

    /// A ClickHouse that the plugin may read.
    pub fn clickhouse_host(self, id: u32, name: &str, version: &str) -> Self {
        let version = Some(version.to_owned());
        self.change(|state| state.hosts.push(HostInfo { id, name: name.into(), version }))
    }

    /// Answers every statement that contains `part` with these rows (an array of objects). Later answers come first.
    pub fn answer(self, part: &str, rows: Value) -> Self {
        let part = part.to_owned();
        self.answer_with(move |_, query| {
            query.sql.contains(&part).then(|| {
                let all = rows.as_array().map(Vec::as_slice).unwrap_or_default();
                let kept = &all[..all.len().min(query.max_rows as usize)];
                Ok(Rows {
                    json: Value::from(kept).to_string().into_bytes(),
                    count: u32::try_from(kept.len()).unwrap_or(u32::MAX),
                    truncated: kept.len() < all.len(),
                })
            })
        })
    }

    /// Answers every statement that contains `part` with an error.
    pub fn answer_error(self, part: &str, error: QueryError) -> Self {
        let part = part.to_owned();
        self.answer_with(move |_, query| query.sql.contains(&part).then(|| Err(error.clone())))
    }

    /// Answers statements by a function; `None` leaves a statement to the earlier answers.
    pub fn answer_with(self, answer: impl Fn(u32, &Query) -> Option<Result<Rows, QueryError>> + 'static) -> Self {
        self.change(|state| state.answers.push(Rc::new(answer)))
    }

    /// Grants an endpoint that answers by a function.
    pub fn endpoint(self, name: &str, answer: impl Fn(&Request) -> Result<Response, HttpError> + 'static) -> Self {
        self.change(|state| {
            state.endpoints.insert(name.into(), Rc::new(answer));
        })
    }

    /// Grants the control statements.
    pub fn control(self) -> Self {
        self.change(|state| state.control = true)
    }

    /// Grants the control statements, and ends each of them so: how many queries it stopped, or why it failed.
    pub fn control_answer(self, answer: Result<u32, ControlError>) -> Self {
        self.control().change(|state| state.control_answer = Some(answer))
    }

    /// Grants an issuer that the operator has configured; every token is foreign to it, until another call says otherwise.
    pub fn issuer(self, issuer: &str) -> Self {
        self.change(|state| state.issuers.entry(issuer.into()).or_default().configured = true)
    }

    /// Grants an issuer that the operator has not configured.
    pub fn unset_issuer(self, issuer: &str) -> Self {
        self.change(|state| state.issuers.entry(issuer.into()).or_default().configured = false)
    }

    /// Grants an issuer whose `token` carries these claims (a JSON object).
    pub fn token(self, issuer: &str, token: &str, claims: Value) -> Self {
        self.issuer(issuer).change(|state| {
            let tokens = &mut state.issuers.entry(issuer.into()).or_default().tokens;
            tokens.insert(token.into(), Ok(claims.to_string()));
        })
    }

    /// Grants an issuer to which `token` is worth this error.
    pub fn token_error(self, issuer: &str, token: &str, error: JwtError) -> Self {
        self.issuer(issuer).change(|state| {
            state.issuers.entry(issuer.into()).or_default().tokens.insert(token.into(), Err(error));
        })
    }

    /// Grants an issuer, and puts a token of it with these claims (a JSON object) into the request at `place`.
    pub fn sent_token(self, issuer: &str, place: Place, claims: Value) -> Self {
        self.issuer(issuer).change(|state| {
            state.sent.insert((issuer.into(), place_key(&place)), Ok(Some(claims.to_string())));
        })
    }

    /// Grants an issuer, and puts a token into the request at `place` that is worth this error to it.
    pub fn sent_token_error(self, issuer: &str, place: Place, error: JwtError) -> Self {
        self.issuer(issuer).change(|state| {
            state.sent.insert((issuer.into(), place_key(&place)), Err(error));
        })
    }

    /// Grants a store of so many bytes.
    pub fn kv(self, bytes: usize) -> Self {
        self.change(|state| state.kv_bytes = Some(bytes))
    }

    /// Sets the clock, in milliseconds since the Unix epoch. It stands still.
    pub fn now(self, milliseconds: f64) -> Self {
        self.change(|state| state.now = milliseconds)
    }

    /// The log so far, each line as `level: message`.
    #[must_use]
    pub fn lines(self) -> Vec<String> {
        let level = |level: &Level| match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        with(|state| state.lines.iter().map(|(l, message)| format!("{}: {message}", level(l))).collect())
    }

    /// The statements so far, each with the host it went to.
    #[must_use]
    pub fn queries(self) -> Vec<(u32, Query)> {
        with(|state| state.queries.clone())
    }

    /// The requests sent so far.
    #[must_use]
    pub fn requests(self) -> Vec<SentRequest> {
        with(|state| state.requests.clone())
    }

    /// The control statements so far, as `kill <host> <id>` and `optimize <host> <database>.<table>`.
    #[must_use]
    pub fn controls(self) -> Vec<String> {
        with(|state| state.controls.clone())
    }
}
