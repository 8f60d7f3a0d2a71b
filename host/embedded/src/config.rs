//! The engine's `config.xml` and `users.xml`.

use std::collections::BTreeSet;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::options::{EngineOptions, EngineProgram, EngineUser, LogTable, Profile};

/// The administrator's name.
pub(crate) const ADMINISTRATOR: &str = "platform";

const CONFIG: &str = include_str!("../templates/config.xml");
const USERS: &str = include_str!("../templates/users.xml");
/// Settings in which the library, being `clickhouse-local`, differs from a server.
const AS_A_SERVER: &str = "<mutations_sync>0</mutations_sync><implicit_select>0</implicit_select>\
    <allow_introspection_functions>0</allow_introspection_functions>";
/// The library runs its start-up statements as `default` without a password. It may do nothing else,
/// and no client can be it: the engine does not listen on the address it is bound to.
const START_USER: &str = "    <default><password></password><networks><ip>::1</ip></networks>\
    <profile>default</profile><quota>default</quota>\
    <grants><query>GRANT SYSTEM LISTEN, SYSTEM FLUSH LOGS ON *.*</query></grants></default>";

/// A user the engine cannot be given.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// The name becomes an XML element.
    #[error("engine user {0:?}: expected letters, digits and `_`, beginning with a letter")]
    Name(String),
    /// Two users of one name, or one of the two that always exist.
    #[error("engine user {0:?} exists already; choose another name")]
    Taken(String),
}

pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Fills `{{name}}` places, each value once: text that a value brings is never a place itself.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        if let Some((_, value)) = values.iter().find(|(key, _)| *key == name) {
            filled.push_str(value);
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// `config.xml` for an engine in `directory` (absolute). Port 0 lets the system choose.
pub(crate) fn config_xml(options: &EngineOptions, directory: &Path, http_port: u16) -> String {
    let tables: BTreeSet<LogTable> = options.log_tables.iter().copied().collect();
    let log_tables: Vec<String> = tables.into_iter().map(log_table).collect();
    let remote_servers = options
        .remote_servers
        .as_deref()
        .map(|xml| format!("  <remote_servers>{xml}</remote_servers>"))
        .unwrap_or_default();
    let native_port = options.native_port.map(|port| format!("  <tcp_port>{port}</tcp_port>")).unwrap_or_default();
    fill(
        CONFIG,
        &[
            ("native_port", &native_port),
            ("directory", &escape(&directory.to_string_lossy())),
            ("http_port", &http_port.to_string()),
            ("memory_bytes", &options.memory_bytes.to_string()),
            ("log_tables", &log_tables.join("\n")),
            ("remote_servers", &remote_servers),
        ],
    )
}

fn log_table(table: LogTable) -> String {
    let name = table.name();
    let period =
        if table.is_sampled() { "<collect_interval_milliseconds>5000</collect_interval_milliseconds>" } else { "" };
    format!(
        "  <{name}><database>system</database><table>{name}</table>\
         <partition_by>toYYYYMM(event_date)</partition_by><ttl>event_date + INTERVAL 7 DAY DELETE</ttl>\
         <flush_interval_milliseconds>2000</flush_interval_milliseconds>{period}</{name}>"
    )
}

/// `users.xml` with the administrator and the further users; passwords only as SHA-256.
pub(crate) fn users_xml(options: &EngineOptions, password: &str) -> Result<String, UserError> {
    let mut names = BTreeSet::from(["default", ADMINISTRATOR]);
    let mut elements = vec![user_element(&EngineUser {
        name: ADMINISTRATOR.to_owned(),
        password: password.to_owned(),
        profile: Profile::Default,
        grants: Vec::new(),
    })];
    for user in &options.users {
        let mut characters = user.name.chars();
        let starts = characters.next().is_some_and(|c| c.is_ascii_alphabetic());
        if !starts || !characters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(UserError::Name(user.name.clone()));
        }
        if !names.insert(&user.name) {
            return Err(UserError::Taken(user.name.clone()));
        }
        elements.push(user_element(user));
    }
    let (default_settings, start_user) = match options.program {
        EngineProgram::Library { .. } => (AS_A_SERVER, START_USER),
        // A server needs neither, and an older one would not know all of these names.
        EngineProgram::Server { .. } => ("", ""),
    };
    Ok(fill(
        USERS,
        &[("default_settings", default_settings), ("start_user", start_user), ("users", &elements.join("\n"))],
    ))
}

fn user_element(user: &EngineUser) -> String {
    let queries: String = user.grants.iter().map(|grant| format!("<query>{}</query>", escape(grant))).collect();
    let grants = if queries.is_empty() { String::new() } else { format!("<grants>{queries}</grants>") };
    format!(
        "    <{name}><password_sha256_hex>{digest}</password_sha256_hex><networks><ip>127.0.0.1</ip></networks>\
         <profile>{profile}</profile><quota>default</quota>{grants}</{name}>",
        name = user.name,
        digest = hex::encode(Sha256::digest(user.password.as_bytes())),
        profile = user.profile.name(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Place;

    fn options() -> EngineOptions {
        EngineOptions::new(
            EngineProgram::Library { launcher: "launcher".into(), library: "library".into() },
            Place::Temporary,
        )
    }

    fn with_users(users: Vec<EngineUser>) -> EngineOptions {
        EngineOptions { users, ..options() }
    }

    fn user(name: &str, grants: &[&str]) -> EngineUser {
        EngineUser {
            name: name.to_owned(),
            password: "secret".to_owned(),
            profile: Profile::ReadOnly1,
            grants: grants.iter().map(|&grant| grant.to_owned()).collect(),
        }
    }

    #[test]
    fn every_place_of_the_templates_is_filled() {
        let config = config_xml(&options(), Path::new("/engine"), 0);
        let users = users_xml(&with_users(vec![]), "secret").unwrap();
        assert!(!config.contains("{{") && !users.contains("{{"));
        assert!(config.contains("<http_port>0</http_port>"));
        assert!(config.contains("<path>/engine/data/</path>"));
    }

    #[test]
    fn a_server_binary_gets_no_user_without_a_password() {
        let mut options = options();
        options.program = EngineProgram::Server { launcher: "launcher".into(), binary: "clickhouse".into() };
        let users = users_xml(&options, "secret").unwrap();
        assert!(!users.contains("<password></password>") && !users.contains("implicit_select"));
        assert!(config_xml(&options, Path::new("/engine"), 4321).contains("<http_port>4321</http_port>"));
    }

    #[test]
    fn only_the_wanted_logs_exist_and_each_once() {
        let mut options = options();
        options.log_tables = vec![LogTable::TextLog, LogTable::QueryLog, LogTable::TextLog];
        let config = config_xml(&options, Path::new("/engine"), 0);
        assert_eq!(config.matches("<text_log>").count(), 1);
        assert_eq!(config.matches("<query_log>").count(), 1);
        assert!(!config.contains("<metric_log>"));
    }

    #[test]
    fn a_directory_or_grant_cannot_add_xml() {
        let config = config_xml(&options(), Path::new("/a<b>&{{memory_bytes}}"), 0);
        assert!(config.contains("<path>/a&lt;b&gt;&amp;{{memory_bytes}}/data/</path>"));
        let users = users_xml(&with_users(vec![user("reader", &["GRANT SELECT ON a.* </query><x>"])]), "p").unwrap();
        assert!(users.contains("<query>GRANT SELECT ON a.* &lt;/query&gt;&lt;x&gt;</query>"));
    }

    #[test]
    fn passwords_are_written_as_digests_only() {
        let users = users_xml(&with_users(vec![user("reader", &[])]), "administrators-password").unwrap();
        assert!(!users.contains("secret") && !users.contains("administrators-password"));
        // SHA-256 of "secret".
        assert!(users.contains("2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"));
        assert!(users.contains("<profile>readonly1</profile>"));
        assert!(!format!("{:?}", user("reader", &[])).contains("secret"));
    }

    #[test]
    fn odd_or_taken_user_names_are_refused() {
        for name in ["", "1a", "a b", "a>", "ünsal", "_a"] {
            let error = users_xml(&with_users(vec![user(name, &[])]), "p").unwrap_err();
            assert_eq!(error, UserError::Name(name.to_owned()));
        }
        for name in ["default", "platform", "twice"] {
            let error = users_xml(&with_users(vec![user("twice", &[]), user(name, &[])]), "p").unwrap_err();
            assert_eq!(error, UserError::Taken(name.to_owned()));
        }
    }
}
