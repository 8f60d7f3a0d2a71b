//! What values keys take, and how a value is read.

use std::str::FromStr;

use chm_access::{Access, Member, Scope};
use figment::value::Value;
use tracing_subscriber::EnvFilter;

use super::address;
use super::allowed_host::{AllowedHost, NoHost};
use super::network::{Network, NoNetwork};
use super::provider::Providers;
use super::store::{NoPlace, StorePlace};
use super::web_origin::{NoOrigin, WebOrigin};

/// The sort of value that a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `true` or `false`; also the contract's words (`1`, `yes`, `on`, …).
    Boolean,
    /// A whole number in these bounds, both included.
    Integer(i64, i64),
    /// A text that is not blank.
    Text,
    /// One of these words, in any case.
    Choice(&'static [&'static str]),
    /// `address:port`.
    Listen,
    /// An `http` or `https` address, credentials allowed.
    Url,
    /// An `http` or `https` address without user-info, that is a secret itself.
    SecretUrl,
    /// A store, or `none`.
    Store,
    /// A path of the file system.
    Path,
    /// A text that is never shown and not blank.
    Secret,
    /// A text that is never shown and may be empty.
    Password,
    /// A list of texts; in the environment divided by commas.
    Names,
    /// A list of these words.
    Choices(&'static [&'static str]),
    /// `"all"`, or a list of host ids.
    Hosts,
    /// 64 hexadecimal digits.
    Digest,
    /// Auth providers, in order.
    Providers,
    /// A list of `role:<name>` and subjects.
    Members,
    /// A list of scopes.
    Scopes,
    /// An access of the matrix.
    Access,
    /// A filter for log lines.
    LogFilter,
    /// The origin of web pages.
    Origin,
    /// A list of such origins.
    Origins,
    /// A list of hosts that may be asked for.
    HostNames,
    /// A list of addresses and networks.
    Networks,
    /// A setting of a plugin: what it may be, only the plugin's manifest knows.
    Setting,
}

/// A value does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// The value as far as it may be shown; nothing for secrets.
    pub found: Option<String>,
    /// What it should be.
    pub expected: String,
}

impl Kind {
    /// What values it takes, for messages and the reference.
    pub fn expected(self) -> String {
        match self {
            Self::Boolean => "a boolean: true, 1, yes, on or false, 0, no, off".to_owned(),
            Self::Integer(least, most) => format!("a whole number from {least} to {most}"),
            Self::Text => "a text that is not blank".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Listen => "an address and a port, for example 127.0.0.1:3000".to_owned(),
            Self::Url => "an http or https address, for example https://clickhouse:8443".to_owned(),
            Self::SecretUrl => "an http or https address without user-info (credentials go into `headers`)".to_owned(),
            Self::Store => NoPlace.to_string(),
            Self::Path => "a path".to_owned(),
            Self::Secret => "a secret text that is not blank".to_owned(),
            Self::Password => "a secret text".to_owned(),
            Self::Names => "a list of texts".to_owned(),
            Self::Choices(words) => format!("a list of {}", words.join(", ")),
            Self::Hosts => "\"all\" or a list of host ids, for example [0, 1]".to_owned(),
            Self::Digest => "64 hexadecimal digits".to_owned(),
            Self::Providers => super::provider::UnknownProvider.to_string(),
            Self::Members => "a list of `role:<name>` and subjects such as ann@example.org".to_owned(),
            Self::Scopes => "a list of scopes such as tables:read or *:write".to_owned(),
            Self::Access => "`public` (or `guest`), `authenticated`, or `role:<name>[,<name>…]`".to_owned(),
            Self::LogFilter => "a log filter, for example info or info,chm_host=debug".to_owned(),
            Self::Origin => NoOrigin.to_string(),
            Self::Origins => format!("a list; each item {NoOrigin}"),
            Self::HostNames => format!("a list; each item {NoHost}"),
            Self::Networks => format!("a list; each item {NoNetwork}"),
            Self::Setting => "a boolean, a whole number, a text, a list of texts or a table of texts".to_owned(),
        }
    }

    /// Whether values are never shown.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::Password | Self::Setting | Self::Store)
    }

    /// Reads the text of an environment variable or option into a value to be checked.
    pub fn read_text(self, text: &str) -> Value {
        let text = text.trim();
        match self {
            Self::Integer(..) => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
            Self::Names | Self::Choices(_) | Self::Members | Self::Scopes => list_of(text, |item| item.into()),
            Self::Origins | Self::HostNames | Self::Networks => list_of(text, |item| item.into()),
            Self::Hosts if text != "all" => {
                list_of(text, |item| item.parse::<i64>().map_or_else(|_| item.into(), Value::from))
            }
            _ => text.into(),
        }
    }

    /// Checks a value and brings it into the one form that the typed configuration reads.
    pub fn check(self, value: &Value) -> Result<Value, Misfit> {
        self.fit(value).ok_or_else(|| Misfit { found: self.shown(value), expected: self.expected() })
    }

    fn fit(self, value: &Value) -> Option<Value> {
        let text = value.as_str().map(str::trim);
        match self {
            Self::Boolean => value.to_bool().or_else(|| boolean(text?)).map(Value::from),
            Self::Integer(least, most) => {
                let number = integer(value)?;
                (least..=most).contains(&number).then(|| Value::from(number))
            }
            Self::Text | Self::Path | Self::Secret => filled(text).map(Value::from),
            Self::Password => value.as_str().map(Value::from),
            Self::Choice(words) => word_of(words, text?).map(Value::from),
            Self::Listen => text?.parse::<std::net::SocketAddr>().ok().map(|address| address.to_string().into()),
            Self::Url => address::parse(text?).map(|url| url.as_str().into()),
            Self::SecretUrl => {
                let url = address::parse(text?)?;
                (url.username().is_empty() && url.password().is_none()).then(|| url.as_str().into())
            }
            // Only checked here: the address is kept as it was given, with the password.
            Self::Store => text?.parse::<StorePlace>().ok().and(text).map(Value::from),
            Self::Names => items(value, |item| filled(item.as_str()).map(Value::from)),
            Self::Choices(words) => items(value, |item| word_of(words, item.as_str()?.trim()).map(Value::from)),
            Self::Hosts if text.is_some() => (text == Some("all")).then(|| "all".into()),
            Self::Hosts => items(value, |item| u32::try_from(integer(item)?).ok().map(Value::from)),
            Self::Digest => {
                let digest = text?.to_ascii_lowercase();
                let formed = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
                formed.then(|| digest.into())
            }
            Self::Providers => {
                // In a file, a list reads better than commas.
                let joined = match value.as_array() {
                    Some(words) => words.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?.join(","),
                    None => text?.to_owned(),
                };
                joined.parse::<Providers>().ok().map(|providers| providers.to_string().into())
            }
            Self::Members => items(value, |item| Some(item.as_str()?.parse::<Member>().ok()?.to_string().into())),
            Self::Scopes => items(value, |item| Some(item.as_str()?.parse::<Scope>().ok()?.to_string().into())),
            Self::Access => text?.parse::<Access>().ok().map(|access| access.to_string().into()),
            Self::LogFilter => {
                let filter = filled(text)?;
                EnvFilter::builder().parse(filter).ok().map(|_| filter.into())
            }
            Self::Origin => text_of::<WebOrigin>(value),
            Self::Origins => items(value, text_of::<WebOrigin>),
            Self::HostNames => items(value, text_of::<AllowedHost>),
            Self::Networks => items(value, text_of::<Network>),
            Self::Setting => setting(value),
        }
    }

    /// The value for a message: nothing of secrets, and nothing before an `@` or after a `?` of an address.
    fn shown(self, value: &Value) -> Option<String> {
        const LONGEST: usize = 60;
        if self.is_secret() {
            return None;
        }
        let text = match value {
            Value::String(_, text) => text.clone(),
            Value::Char(_, one) => one.to_string(),
            Value::Bool(_, flag) => flag.to_string(),
            Value::Num(_, number) => match (integer(value), number.to_f64()) {
                (Some(whole), _) => whole.to_string(),
                (None, Some(real)) => real.to_string(),
                (None, None) => "a very large number".to_owned(),
            },
            Value::Empty(..) => "nothing".to_owned(),
            Value::Dict(..) => return Some("a table".to_owned()),
            Value::Array(_, items) => {
                let shown = items.iter().map(|item| self.shown(item).unwrap_or_default()).collect::<Vec<_>>();
                return Some(format!("[{}]", shown.join(", ")));
            }
        };
        let text = match self {
            // What is no address at all may still be one with a password in it.
            Self::SecretUrl => return Some("an unfit address".to_owned()),
            Self::Url => {
                let after = text.rsplit_once('@').map_or(text.as_str(), |(_, after)| after);
                after.split(['?', '#']).next().unwrap_or_default().to_owned()
            }
            _ => text,
        };
        let mut short: String = text.chars().take(LONGEST).collect();
        if short.len() < text.len() {
            short.push('…');
        }
        Some(format!("`{}`", short.escape_debug()))
    }
}

/// The contract's words for yes and no (§0).
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// A text that is a `T`, in the form that `T` gives it.
fn text_of<T: FromStr + ToString>(value: &Value) -> Option<Value> {
    value.as_str()?.trim().parse::<T>().ok().map(|read| read.to_string().into())
}

fn integer(value: &Value) -> Option<i64> {
    let signed = value.to_i128();
    let unsigned = || value.to_u128().and_then(|number| i128::try_from(number).ok());
    i64::try_from(signed.or_else(unsigned)?).ok()
}

fn word_of(words: &[&'static str], text: &str) -> Option<&'static str> {
    words.iter().copied().find(|word| word.eq_ignore_ascii_case(text))
}

fn list_of(text: &str, read: impl Fn(&str) -> Value) -> Value {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(read).collect::<Vec<Value>>().into()
}

fn items(value: &Value, fit: impl Fn(&Value) -> Option<Value>) -> Option<Value> {
    value.as_array()?.iter().map(fit).collect::<Option<Vec<Value>>>().map(Value::from)
}

fn setting(value: &Value) -> Option<Value> {
    match value {
        Value::String(..) | Value::Bool(..) => Some(value.clone()),
        Value::Char(_, one) => Some(one.to_string().into()),
        Value::Num(..) => integer(value).map(Value::from),
        Value::Array(..) => items(value, |item| item.as_str().map(Value::from)),
        Value::Dict(_, table) => table.values().all(|item| item.as_str().is_some()).then(|| value.clone()),
        Value::Empty(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: i64) -> Value {
        Value::from(value)
    }

    #[test]
    fn fitting_values_take_their_one_form() {
        for (kind, given, expected) in [
            (Kind::Boolean, " YES ", Value::from(true)),
            (Kind::Boolean, "off", Value::from(false)),
            (Kind::Integer(1, 9), "7", number(7)),
            (Kind::Choice(&["json", "pretty"]), "JSON", "json".into()),
            (Kind::Access, "Guest", "public".into()),
            (Kind::Providers, "Proxy, TRUSTED", "proxy,trusted".into()),
            (Kind::Members, "ann, role:sre", vec!["ann", "role:sre"].into()),
            (Kind::Access, "role:sre", "role:sre".into()),
            (Kind::Listen, "[::1]:0", "[::1]:0".into()),
            (Kind::Names, "a, b,,c", vec!["a", "b", "c"].into()),
            (Kind::Hosts, "all", "all".into()),
            (Kind::Hosts, "0, 2", vec![0_u32, 2].into()),
            (Kind::LogFilter, "info,chm_host=debug", "info,chm_host=debug".into()),
        ] {
            assert_eq!(kind.check(&kind.read_text(given)), Ok(expected), "{kind:?} {given}");
        }
    }

    #[test]
    fn misfits_say_what_was_found_and_expected() {
        for (kind, given, found) in [
            (Kind::Boolean, "maybe", "`maybe`"),
            (Kind::Integer(1, 9), "0", "`0`"),
            (Kind::Integer(1, 9), "5.5", "`5.5`"),
            (Kind::Integer(1, 9), "99999999999999999999", "`99999999999999999999`"),
            (Kind::Listen, "localhost", "`localhost`"),
            (Kind::Url, "clickhouse:8123", "`clickhouse:8123`"),
            (Kind::Access, "private", "`private`"),
            (Kind::Choices(&["a"]), "a,b", "[`a`, `b`]"),
            (Kind::LogFilter, "info,=x=y=", "`info,=x=y=`"),
            (Kind::Digest, "abc", "`abc`"),
        ] {
            let misfit = kind.check(&kind.read_text(given)).unwrap_err();
            assert_eq!(misfit.found.as_deref(), Some(found), "{kind:?}");
            assert_eq!(misfit.expected, kind.expected());
        }
    }

    #[test]
    fn a_misfit_never_shows_a_secret() {
        for (kind, given) in [
            (Kind::Url, "htp://ann:hunter2@h"),
            (Kind::Url, "ann:hunter2@h:8123?password=hunter2"),
            (Kind::SecretUrl, "https://ann:hunter2@h"),
            (Kind::SecretUrl, "hooks.example/hunter2"),
            (Kind::Integer(0, 9), "1"),
        ] {
            let misfit = kind.check(&Value::from(given)).unwrap_err();
            assert!(!format!("{misfit:?}").contains("hunter2"), "{misfit:?}");
        }
        for kind in [Kind::Secret, Kind::Password, Kind::Setting] {
            assert_eq!(kind.check(&Value::from(1.5)).unwrap_err().found, None);
        }
    }
}
