//! What the host's user lets a request set.
//!
//! A user whose profile has `readonly = 1` accepts no setting at all, one with `readonly = 2` any but `readonly`, and constraints may
//! pin or bound single settings (all tried on 26.7). So the host asks once and sends only what is accepted. With it comes the version, as
//! a statement's parameters are sent differently to old servers.

use std::collections::HashMap;

use serde::Deserialize;

use crate::version::ServerVersion;

macro_rules! names {
    () => {
        "FROM system.settings WHERE name IN (\
         'readonly', 'max_execution_time', 'max_result_rows', 'result_overflow_mode', 'timeout_overflow_mode', \
         'output_format_tsv_crlf_end_of_line', 'limit', 'log_comment', 'session_timezone', 'skip_unavailable_shards', \
         'cancel_http_readonly_queries_on_client_close', 'output_format_json_quote_64bit_integers', \
         'http_write_exception_in_output_format')"
    };
}

/// Asks for every setting the host may send.
pub(crate) const PROBE: &str = concat!(
    "SELECT name, value, toString(ifNull(max, '')) AS max, toUInt8(readonly) AS pinned, version() AS version ",
    names!()
);
/// The same for servers whose settings have no bounds (before 20): it depends on `readonly` alone what may be sent.
pub(crate) const OLD_PROBE: &str =
    concat!("SELECT name, value, '' AS max, toUInt8(0) AS pinned, version() AS version ", names!());
/// From this release on, parameters may be sent in a form, as the client does. Earlier ones get literals.
const PARAMETERS_SINCE: (u32, u32) = (21, 1);

/// One row of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Setting {
    name: String,
    value: String,
    max: String,
    pinned: u8,
    #[serde(default)]
    version: String,
}

/// The answer: which settings this server knows, and whether they may be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Profile {
    settings: HashMap<String, Setting>,
    version: Option<ServerVersion>,
}

impl Profile {
    /// From the lines of the probe's answer, in JSONEachRow.
    pub(crate) fn from_rows<'a>(rows: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut settings = HashMap::new();
        for row in rows {
            let setting: Setting = serde_json::from_slice(row).ok()?;
            settings.insert(setting.name.clone(), setting);
        }
        let version = settings.values().find_map(|setting: &Setting| ServerVersion::parse(&setting.version));
        settings.contains_key("readonly").then_some(Self { settings, version })
    }

    /// As [`Profile::from_rows`], of an answer to [`OLD_PROBE`].
    pub(crate) fn from_old_rows<'a>(rows: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut profile = Self::from_rows(rows)?;
        let readonly = profile.readonly().map(str::to_owned);
        for setting in profile.settings.values_mut() {
            let pinned = match readonly.as_deref() {
                Some("0") => false,
                Some("2") => setting.name == "readonly",
                _ => true,
            };
            setting.pinned = u8::from(pinned);
        }
        Some(profile)
    }

    /// Only what is known without its settings: the user may not see them.
    pub(crate) fn of_version(version: Option<ServerVersion>) -> Self {
        Self { settings: HashMap::new(), version }
    }

    /// Whether the values of a statement's parameters may be sent beside it, and errors end as the client knows it. An unknown version is taken for a new one.
    pub(crate) fn takes_parameters(&self) -> bool {
        self.version.as_ref().is_none_or(|version| version.is_at_least(PARAMETERS_SINCE))
    }

    /// Whether a query ends when the host closes its connection.
    pub(crate) fn ends_with_the_connection(&self) -> bool {
        const CANCEL: &str = "cancel_http_readonly_queries_on_client_close";
        self.accepts(CANCEL) || self.value(CANCEL) == Some("1")
    }

    /// Whether `name` exists and may be set.
    pub(crate) fn accepts(&self, name: &str) -> bool {
        self.settings.get(name).is_some_and(|s| s.pinned == 0)
    }

    /// `wanted`, or the greatest value the profile allows.
    pub(crate) fn bounded(&self, name: &str, wanted: u64) -> u64 {
        let max = self.settings.get(name).and_then(|s| s.max.parse::<f64>().ok());
        match max {
            // A bound of a setting is far below 2^53, so the way over a float loses nothing.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Some(max) if max >= 1.0 => wanted.min(max as u64),
            _ => wanted,
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(|s| s.value.as_str())
    }

    /// The user's own `readonly`: 0, 1 or 2; nothing when it could not be asked.
    pub(crate) fn readonly(&self) -> Option<&str> {
        self.value("readonly")
    }

    /// Rows after which the server cuts results without a word although `wanted` are asked for, when the request cannot change that.
    pub(crate) fn silent_cut(&self, wanted: u64) -> Option<u64> {
        if self.accepts("max_result_rows") && self.accepts("result_overflow_mode") {
            let bound = self.bounded("max_result_rows", u64::MAX);
            return (bound <= wanted).then_some(bound);
        }
        let rows = self.value("max_result_rows").and_then(|v| v.parse().ok()).filter(|rows| *rows > 0)?;
        (!self.accepts("result_overflow_mode") && self.value("result_overflow_mode") == Some("break")).then_some(rows)
    }

    /// Whether an error after the first rows comes as a row `{"exception": …}`: the habit of 23.x, when it cannot be turned off.
    pub(crate) fn writes_exception_rows(&self) -> bool {
        self.value("http_write_exception_in_output_format") == Some("1")
            && !self.accepts("http_write_exception_in_output_format")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(rows: &[&str]) -> Profile {
        Profile::from_rows(rows.iter().map(|r| r.as_bytes())).unwrap()
    }

    #[test]
    fn a_readonly_profile_accepts_nothing_and_a_bound_is_kept() {
        let strict = profile(&[
            r#"{"name":"readonly","value":"1","max":"","pinned":1}"#,
            r#"{"name":"max_execution_time","value":"5","max":"","pinned":1}"#,
        ]);
        assert!(!strict.accepts("readonly") && !strict.accepts("max_execution_time") && !strict.accepts("limit"));
        let bounded = profile(&[
            r#"{"name":"readonly","value":"2","max":"","pinned":1}"#,
            r#"{"name":"max_execution_time","value":"60","max":"300","pinned":0}"#,
        ]);
        assert_eq!(bounded.bounded("max_execution_time", 1_000), 300);
        assert_eq!(bounded.bounded("max_result_rows", 1_000), 1_000);
    }

    #[test]
    fn on_an_old_server_readonly_alone_decides_what_is_sent() {
        let of = |readonly: &str| {
            let row = format!(r#"{{"name":"readonly","value":"{readonly}","max":"","pinned":0,"version":"18.16.1"}}"#);
            let other = r#"{"name":"max_execution_time","value":"0","max":"","pinned":0,"version":"18.16.1"}"#;
            Profile::from_old_rows([row.as_bytes(), other.as_bytes()].into_iter()).unwrap()
        };
        for (readonly, itself, other) in [("0", true, true), ("1", false, false), ("2", false, true)] {
            let profile = of(readonly);
            assert_eq!(
                (profile.accepts("readonly"), profile.accepts("max_execution_time")),
                (itself, other),
                "{readonly}"
            );
            assert!(!profile.takes_parameters() && !profile.ends_with_the_connection());
        }
        assert!(Profile::default().takes_parameters());
    }

    #[test]
    fn an_answer_without_readonly_is_unknown() {
        assert_eq!(Profile::from_rows(std::iter::empty()), None);
        assert_eq!(Profile::from_rows([b"<html>".as_slice()].into_iter()), None);
    }
}
