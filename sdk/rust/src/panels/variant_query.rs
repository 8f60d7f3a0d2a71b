//! A statement for some servers.

use super::{Requirement, VariantQuery};

impl VariantQuery {
    /// A statement for every server, until a method says otherwise.
    #[must_use]
    pub fn new(sql: impl Into<String>) -> Self {
        Self { since: None, needs: Vec::new(), sql: sql.into() }
    }

    /// Only for servers of this version (`24.1`) and newer.
    #[must_use]
    pub fn since(mut self, version: &str) -> Self {
        self.since = Some(version.into());
        self
    }

    /// Only for servers that have this.
    #[must_use]
    pub fn needs(mut self, requirement: impl Into<Requirement>) -> Self {
        self.needs.push(requirement.into());
        self
    }
}
