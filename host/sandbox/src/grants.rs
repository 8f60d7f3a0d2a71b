//! What the operator lets a plugin do.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::inspect::Interface;

/// The operator's grants for one plugin, as `[plugins.<id>.grants]` has them. Nothing is granted by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// Guarded reads.
    pub clickhouse: Option<ClickhouseGrant>,
    /// Control statements. Present and empty: the plugin is loaded, and each of its statements is refused.
    pub control: Option<BTreeSet<ControlStatement>>,
    /// Names of endpoints.
    pub http: BTreeSet<String>,
    /// Names of secret settings.
    pub secrets: BTreeSet<String>,
    /// Names of issuers.
    pub jwt: BTreeSet<String>,
    /// Bytes of the plugin's own store; 0: none.
    #[serde(rename = "kv")]
    pub kv_bytes: usize,
}

/// A grant to read ClickHouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClickhouseGrant {
    /// Which hosts.
    pub hosts: HostScope,
    /// Most rows one read returns.
    pub max_rows: u32,
    /// Most bytes one read returns.
    pub max_bytes: u64,
}

/// Which ClickHouse hosts; written `"all"`, or as a list of host ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostScope {
    /// Every configured host.
    All,
    /// The hosts with these ids.
    Only(BTreeSet<u32>),
}

impl HostScope {
    /// Whether `host` is among them.
    #[must_use]
    pub fn contains(&self, host: u32) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(&host),
        }
    }
}

const ALL: &str = "all";

impl Serialize for HostScope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str(ALL),
            Self::Only(ids) => ids.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for HostScope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Word(String),
            Ids(BTreeSet<u32>),
        }
        match Written::deserialize(deserializer)? {
            Written::Word(word) if word == ALL => Ok(Self::All),
            Written::Word(_) => Err(serde::de::Error::custom("expected \"all\" or a list of host ids")),
            Written::Ids(ids) => Ok(Self::Only(ids)),
        }
    }
}

/// A statement of the `control` interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlStatement {
    /// `kill-query`.
    KillQuery,
    /// `optimize-table`.
    OptimizeTable,
}

impl ControlStatement {
    /// The word used in configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KillQuery => "kill-query",
            Self::OptimizeTable => "optimize-table",
        }
    }
}

impl Grants {
    /// Whether the plugin may have a statement run.
    #[must_use]
    pub fn allows_statement(&self, statement: ControlStatement) -> bool {
        self.control.as_ref().is_some_and(|granted| granted.contains(&statement))
    }

    /// That a statement was not granted, with the configuration line that grants it.
    #[must_use]
    pub fn statement_refusal(&self, plugin: &str, statement: ControlStatement) -> String {
        let line = self.line_for_statement(plugin, statement);
        format!("control `{}` was not granted to the plugin `{plugin}`; to grant it: {line}", statement.as_str())
    }

    /// The configuration line that grants a statement to `plugin`, beside those it has.
    fn line_for_statement(&self, plugin: &str, statement: ControlStatement) -> String {
        let mut statements = self.control.clone().unwrap_or_default();
        statements.insert(statement);
        let words: Vec<String> = statements.iter().map(|statement| format!("\"{}\"", statement.as_str())).collect();
        format!("[plugins.{plugin}.grants] control = [{}]", words.join(", "))
    }

    /// Whether the interface exists for the guest at all. Each call checks its argument again.
    #[must_use]
    pub fn allows(&self, interface: Interface) -> bool {
        match interface {
            Interface::Types | Interface::Config | Interface::Clock | Interface::Random | Interface::Log => true,
            Interface::Clickhouse => self.clickhouse.is_some(),
            Interface::Control => self.control.is_some(),
            Interface::Http => !self.http.is_empty(),
            Interface::Secrets => !self.secrets.is_empty(),
            Interface::Jwt => !self.jwt.is_empty(),
            Interface::Kv => self.kv_bytes > 0,
        }
    }
}

/// In a few words, for people: `clickhouse (all hosts), http (alerts)`.
impl fmt::Display for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        let mut words = Vec::new();
        match self.clickhouse.as_ref().map(|grant| &grant.hosts) {
            Some(HostScope::All) => words.push("clickhouse (all hosts)".to_owned()),
            Some(HostScope::Only(ids)) => {
                let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
                words.push(format!("clickhouse (hosts {})", ids.join(", ")));
            }
            None => {}
        }
        if let Some(granted) = &self.control {
            let statements: Vec<&str> = granted.iter().map(|statement| statement.as_str()).collect();
            let statements = if statements.is_empty() { "no statement".to_owned() } else { statements.join(", ") };
            words.push(format!("control ({statements})"));
        }
        for (interface, granted) in [("http", &self.http), ("secrets", &self.secrets), ("jwt", &self.jwt)] {
            if !granted.is_empty() {
                words.push(format!("{interface} ({})", names(granted)));
            }
        }
        if self.kv_bytes > 0 {
            words.push(format!("kv ({} bytes)", self.kv_bytes));
        }
        if words.is_empty() { f.write_str("none") } else { f.write_str(&words.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_a_statement_keeps_the_statements_that_are_granted() {
        let mut grants = Grants::default();
        assert!(!grants.allows(Interface::Control));
        let line = grants.line_for_statement("p", ControlStatement::KillQuery);
        assert_eq!(line, "[plugins.p.grants] control = [\"kill-query\"]");
        grants.control = Some(BTreeSet::new());
        assert!(grants.allows(Interface::Control) && !grants.allows_statement(ControlStatement::KillQuery));
        grants.control = Some([ControlStatement::KillQuery].into());
        assert!(grants.allows_statement(ControlStatement::KillQuery));
        let line = grants.line_for_statement("p", ControlStatement::OptimizeTable);
        assert_eq!(line, "[plugins.p.grants] control = [\"kill-query\", \"optimize-table\"]");
    }
}
