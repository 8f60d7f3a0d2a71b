//! The host interfaces, as a guest calls them: each checks the grant again, then asks [`Services`](crate::Services).

use std::time::{SystemTime, UNIX_EPOCH};

use wasmtime::component::{HasSelf, Linker};

use crate::bindings::{clickhouse, clock, config, control, http, jwt, kv, log, random, secrets, types};
use crate::grants::ControlStatement;
use crate::guest::{Guest, LOG_LINES};
use crate::inspect::Interface;

/// Longest log line, in bytes.
const LOG_LINE_BYTES: usize = 4096;

/// Most bytes of one call to `random`.
const RANDOM_BYTES: u32 = 1024;

/// Adds one interface to a linker. What is not added does not exist for the guest.
pub(crate) fn link(linker: &mut Linker<Guest>, interface: Interface) -> wasmtime::Result<()> {
    match interface {
        Interface::Types => types::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest),
        Interface::Clickhouse => clickhouse::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest),
        Interface::Control => control::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest),
        Interface::Http => http::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest),
        Interface::Secrets => secrets::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest),
        Interface::Jwt => jwt::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest),
        Interface::Kv => kv::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest),
        Interface::Config => config::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest),
        Interface::Clock => clock::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest),
        Interface::Random => random::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest),
        Interface::Log => log::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest),
    }
}

impl Guest {
    fn not_granted(&self, interface: Interface, name: &str) -> String {
        let grants = &self.shared.grants;
        let granted = match interface {
            Interface::Http => Some(&grants.http),
            Interface::Secrets => Some(&grants.secrets),
            Interface::Jwt => Some(&grants.jwt),
            _ => None,
        };
        // What is granted already stays in the line, or it would take that away.
        let names: Vec<&str> = granted.into_iter().flatten().map(String::as_str).chain([name]).collect();
        let line = interface.grant_line(&self.shared.id, &names).unwrap_or_default();
        format!("{} `{name}` was not granted to this plugin; to grant it: {line}", interface.as_str())
    }
}

impl types::Host for Guest {}

impl clickhouse::Host for Guest {
    async fn hosts(&mut self) -> Vec<clickhouse::HostInfo> {
        let Some(grant) = self.shared.grants.clickhouse.clone() else { return Vec::new() };
        let mut hosts = self.scope.services.clickhouse_hosts().await;
        hosts.retain(|host| grant.hosts.contains(host.id));
        hosts
    }

    async fn read(
        &mut self,
        host: u32,
        mut query: clickhouse::Query,
    ) -> Result<clickhouse::Rows, clickhouse::QueryError> {
        let grant =
            self.shared.grants.clickhouse.clone().filter(|grant| grant.hosts.contains(host)).ok_or_else(|| {
                clickhouse::QueryError::Denied(self.not_granted(Interface::Clickhouse, &format!("host {host}")))
            })?;
        query.max_rows = query.max_rows.min(grant.max_rows);
        self.scope.services.clickhouse_read(host, query, grant.max_bytes).await
    }
}

impl Guest {
    fn may_control(&self, statement: ControlStatement) -> Result<(), control::ControlError> {
        if self.shared.grants.allows_statement(statement) {
            return Ok(());
        }
        Err(control::ControlError::Denied(self.shared.grants.statement_refusal(&self.shared.id, statement)))
    }
}

impl control::Host for Guest {
    async fn kill_query(&mut self, host: u32, query_id: String) -> Result<u32, control::ControlError> {
        self.may_control(ControlStatement::KillQuery)?;
        self.scope.services.kill_query(host, query_id).await
    }

    async fn optimize_table(
        &mut self,
        host: u32,
        database: String,
        table: String,
    ) -> Result<(), control::ControlError> {
        self.may_control(ControlStatement::OptimizeTable)?;
        self.scope.services.optimize_table(host, database, table).await
    }
}

impl http::Host for Guest {
    async fn send(&mut self, endpoint: String, request: http::Request) -> Result<http::Response, http::HttpError> {
        if !self.shared.grants.http.contains(&endpoint) {
            return Err(http::HttpError::Denied(self.not_granted(Interface::Http, &endpoint)));
        }
        self.scope.services.http_send(endpoint, request).await
    }
}

impl Guest {
    fn may_use_secret(&self, name: &str) -> Result<(), secrets::SecretError> {
        if self.shared.grants.secrets.contains(name) {
            return Ok(());
        }
        Err(secrets::SecretError::Denied(self.not_granted(Interface::Secrets, name)))
    }
}

impl secrets::Host for Guest {
    fn is_set(&mut self, name: String) -> Result<bool, secrets::SecretError> {
        self.may_use_secret(&name)?;
        Ok(self.scope.services.secret_is_set(&name))
    }

    fn equals(&mut self, name: String, candidate: String) -> Result<bool, secrets::SecretError> {
        self.may_use_secret(&name)?;
        self.scope.services.secret_equals(&name, &candidate)
    }

    fn header_equals(&mut self, name: String, header: String) -> Result<bool, secrets::SecretError> {
        self.may_use_secret(&name)?;
        self.scope.services.secret_header_equals(&name, &header)
    }

    /// Needs no grant: it tells nothing of a secret, and what it may ask about is the manifest's to say.
    fn header_present(&mut self, header: String) -> bool {
        self.scope.services.header_present(&header)
    }

    async fn basic(&mut self, name: String) -> Result<secrets::BasicOutcome, secrets::SecretError> {
        self.may_use_secret(&name)?;
        self.scope.services.secret_basic(name).await
    }

    fn hmac_sha256(&mut self, name: String, message: Vec<u8>) -> Result<Vec<u8>, secrets::SecretError> {
        self.may_use_secret(&name)?;
        self.scope.services.secret_hmac_sha256(&name, &message)
    }
}

impl Guest {
    fn may_ask_issuer(&self, name: &str) -> Result<(), jwt::JwtError> {
        if self.shared.grants.jwt.contains(name) {
            return Ok(());
        }
        Err(jwt::JwtError::Denied(self.not_granted(Interface::Jwt, name)))
    }
}

impl jwt::Host for Guest {
    fn configured(&mut self, issuer: String) -> Result<bool, jwt::JwtError> {
        self.may_ask_issuer(&issuer)?;
        Ok(self.scope.services.jwt_configured(&issuer))
    }

    async fn verify(&mut self, issuer: String, token: String) -> Result<String, jwt::JwtError> {
        self.may_ask_issuer(&issuer)?;
        self.scope.services.jwt_verify(issuer, token).await
    }

    async fn verify_sent(&mut self, issuer: String, place: jwt::Place) -> Result<Option<String>, jwt::JwtError> {
        self.may_ask_issuer(&issuer)?;
        self.scope.services.jwt_verify_sent(issuer, place).await
    }
}

impl Guest {
    fn may_keep(&self) -> Result<usize, kv::KvError> {
        match self.shared.grants.kv_bytes {
            0 => Err(kv::KvError::Denied(self.not_granted(Interface::Kv, "store"))),
            bytes => Ok(bytes),
        }
    }
}

impl kv::Host for Guest {
    fn get(&mut self, key: String) -> Result<Option<Vec<u8>>, kv::KvError> {
        self.may_keep()?;
        Ok(self.shared.kv.get(&key))
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), kv::KvError> {
        let limit = self.may_keep()?;
        if self.shared.kv.set(key, value, limit) { Ok(()) } else { Err(kv::KvError::Full) }
    }

    fn delete(&mut self, key: String) -> Result<(), kv::KvError> {
        self.may_keep()?;
        self.shared.kv.delete(&key);
        Ok(())
    }
}

impl config::Host for Guest {
    fn get(&mut self, name: String) -> Option<String> {
        self.shared.settings.get(&name).cloned()
    }
}

impl clock::Host for Guest {
    fn now(&mut self) -> f64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| (since.as_secs_f64() * 1e3).floor())
    }
}

impl random::Host for Guest {
    fn bytes(&mut self, length: u32) -> Vec<u8> {
        let mut bytes = vec![0; length.min(RANDOM_BYTES) as usize];
        // Without entropy a guest must not go on with zeroes: it gets nothing and fails by itself.
        if getrandom::fill(&mut bytes).is_err() {
            bytes.clear();
        }
        bytes
    }
}

impl log::Host for Guest {
    fn write(&mut self, level: log::Level, message: String) {
        self.log_lines = self.log_lines.saturating_add(1);
        if self.log_lines > LOG_LINES {
            return;
        }
        let message = one_line(&message);
        let (plugin, request_id) = (&self.shared.id, &self.scope.request_id);
        match level {
            log::Level::Debug => tracing::debug!(target: "plugin", %plugin, %request_id, "{message}"),
            log::Level::Info => tracing::info!(target: "plugin", %plugin, %request_id, "{message}"),
            log::Level::Warn => tracing::warn!(target: "plugin", %plugin, %request_id, "{message}"),
            log::Level::Error => tracing::error!(target: "plugin", %plugin, %request_id, "{message}"),
        }
    }
}

/// A guest's text as one line of the log, at most `LOG_LINE_BYTES` of it: a line break of its own would begin a line that seems
/// to be the host's.
pub(crate) fn one_line(text: &str) -> String {
    let mut end = LOG_LINE_BYTES.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut line = String::with_capacity(end);
    for character in text[..end].trim_end().chars() {
        match character {
            '\t' => line.push(character),
            _ if character.is_control() => line.extend(character.escape_default()),
            _ => line.push(character),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_text_is_one_line_and_not_a_long_one() {
        assert_eq!(one_line("plain\ttext\n"), "plain\ttext");
        assert_eq!(
            one_line("one\r\n2026-01-01 ERROR chm_host: two\u{1b}[2J"),
            "one\\r\\n2026-01-01 ERROR chm_host: two\\u{1b}[2J"
        );
        let long = one_line(&"é".repeat(LOG_LINE_BYTES));
        assert_eq!(long.len(), LOG_LINE_BYTES);
        assert_eq!(one_line(&format!("a{}", "é".repeat(LOG_LINE_BYTES))).len(), LOG_LINE_BYTES - 1);
    }
}
