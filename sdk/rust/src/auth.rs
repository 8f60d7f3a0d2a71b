//! Role: signs people in.

use crate::bindings::auth_provider::exports::chm::plugin::auth_provider as wire;
pub use crate::bindings::imports::chm::plugin::types::{Claim, Principal};
pub use wire::{Cookie, Description, Header, RequestHead, Verdict};

use crate::{Failure, panic_hook};

/// Decides who sends a request.
///
/// The host shows only the headers and cookies that `plugin.toml` names. Whatever goes wrong here (a panic, a timeout, an
/// error) leaves the request unauthenticated.
pub trait AuthProvider {
    /// What this provider is, for operators, who choose it by the plugin's id. Called once, when the plugin is loaded.
    fn describe() -> Description;

    /// Looks at one request.
    ///
    /// # Errors
    /// A [`Failure`] means that this provider could not decide; the request is then not authenticated. Wrong credentials
    /// are no failure but [`Verdict::Rejected`].
    fn authenticate(head: RequestHead) -> Result<Verdict, Failure>;
}

impl<T: AuthProvider> wire::Guest for T {
    fn describe() -> Description {
        panic_hook::install();
        T::describe()
    }

    fn authenticate(head: RequestHead) -> Result<Verdict, Failure> {
        panic_hook::install();
        T::authenticate(head)
    }
}

impl Description {
    /// One sentence for operators.
    #[must_use]
    pub fn new(summary: &str) -> Self {
        Self { summary: summary.into() }
    }
}

impl RequestHead {
    /// A head without headers or cookies, for tests.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.into(), path: path.into(), headers: Vec::new(), cookies: Vec::new() }
    }

    /// Adds a header, for tests.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(Header { name: name.to_ascii_lowercase(), value: value.into() });
        self
    }

    /// Adds a cookie, for tests.
    #[must_use]
    pub fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.push(Cookie { name: name.into(), value: value.into() });
        self
    }

    /// The value of a header, in any spelling of its name. An empty value counts as absent: proxies send empty headers
    /// for people who have no such attribute.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The value of a cookie; an empty value counts as absent.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies
            .iter()
            .find(|cookie| cookie.name == name)
            .map(|cookie| cookie.value.as_str())
            .filter(|value| !value.is_empty())
    }
}

impl Principal {
    /// Someone known only by a stable identifier, which must not be empty.
    #[must_use]
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            name: None,
            email: None,
            avatar_url: None,
            roles: Vec::new(),
            custom: Vec::new(),
        }
    }

    /// Adds a group or role, unless it is there already. Upper and lower case are different.
    pub fn add_role(&mut self, role: &str) {
        if !self.roles.iter().any(|known| known == role) {
            self.roles.push(role.into());
        }
    }

    /// Sets a further claim; a later value of the same name wins.
    pub fn set_claim(&mut self, name: &str, value: &str) {
        match self.custom.iter_mut().find(|claim| claim.name == name) {
            Some(claim) => claim.value = value.into(),
            None => self.custom.push(Claim { name: name.into(), value: value.into() }),
        }
    }

    /// The value of a further claim.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.custom.iter().find(|claim| claim.name == name).map(|claim| claim.value.as_str())
    }
}
