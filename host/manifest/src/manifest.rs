//! `plugin.toml`, read and checked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api_version::ApiVersion;
use crate::error::ManifestError;
use crate::header::is_header_name;
use crate::locate::{key_at, line_at, line_of};
use crate::plugin_id::PluginId;
use crate::setting::{Setting, SettingKind};
use crate::value::SettingValue;

/// The manifest's file name in a plugin's folder.
pub const MANIFEST_FILE: &str = "plugin.toml";

/// Longest manifest: 64 KiB.
pub const MAX_MANIFEST_BYTES: usize = 64 * 1024;

/// Most settings, endpoints, issuers, headers, cookies or authors, each.
pub const MAX_NAMES: usize = 64;

/// What a plugin says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// Its name, unique on a host.
    pub id: PluginId,
    /// Its own version.
    pub version: semver::Version,
    /// The interface version it was written for.
    pub api: ApiVersion,
    /// One sentence for operators.
    pub summary: String,
    /// SPDX expression.
    pub license: Option<String>,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// An `https://` or `http://` address.
    pub homepage: Option<String>,
    /// Present on auth providers, and only there.
    pub auth: Option<AuthSection>,
    /// Settings an operator may give, by name.
    pub settings: BTreeMap<String, Setting>,
    /// Endpoints it sends to, by name (granted as `http`).
    pub endpoints: BTreeMap<String, Named>,
    /// Token issuers it verifies against, by name (granted as `jwt`).
    pub issuers: BTreeMap<String, Named>,
}

/// What an auth provider sees of a request beyond the headers its settings name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthSection {
    /// Names of headers.
    pub headers: Vec<String>,
    /// Names of cookies.
    pub cookies: Vec<String>,
    /// Names of headers that the host compares or verifies and never shows.
    pub sealed_headers: Vec<String>,
    /// Names of cookies that the host verifies and never shows.
    pub sealed_cookies: Vec<String>,
}

/// Something an operator configures under this name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// One sentence for operators: what it is for.
    #[serde(default)]
    pub summary: String,
}

/// The document's shape, before its values are looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    id: String,
    version: String,
    api: String,
    summary: String,
    license: Option<String>,
    #[serde(default)]
    authors: Vec<String>,
    homepage: Option<String>,
    auth: Option<AuthSection>,
    #[serde(default)]
    settings: BTreeMap<String, SettingEntry>,
    #[serde(default)]
    endpoints: BTreeMap<String, Named>,
    #[serde(default)]
    issuers: BTreeMap<String, Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingEntry {
    #[serde(rename = "type")]
    kind: SettingKind,
    #[serde(default)]
    summary: String,
    default: Option<SettingValue>,
    #[serde(default)]
    sealed: bool,
}

impl Manifest {
    /// Reads and checks the text of a `plugin.toml`.
    ///
    /// # Errors
    /// [`ManifestError`] names the line and key, what was found, and what was expected.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLong { bytes: text.len() });
        }
        if let Err(error) = toml::de::DeTable::parse(text) {
            let line = error.span().map(|span| line_at(text, span.start));
            return Err(ManifestError::Syntax { line, message: error.message().to_owned() });
        }
        let document: Document = toml::from_str(text).map_err(|error| ManifestError::Shape {
            line: error.span().map(|span| line_at(text, span.start)),
            key: error.span().map(|span| key_at(text, &span)).unwrap_or_default(),
            message: error.message().to_owned(),
        })?;
        document.check().map_err(|Fault { key, message }| ManifestError::Value {
            line: line_of(text, &key),
            key,
            message,
        })
    }
}

/// A value that is not allowed, before its line is known.
struct Fault {
    key: String,
    message: String,
}

fn fault(key: impl Into<String>, message: impl ToString) -> Fault {
    Fault { key: key.into(), message: message.to_string() }
}

impl Document {
    fn check(self) -> Result<Manifest, Fault> {
        let id = self.id.parse().map_err(|error| fault("id", error))?;
        let version = semver::Version::parse(&self.version).map_err(|error| {
            fault("version", format!("`{}` is not a version ({error}); expected for example `0.1.0`", self.version))
        })?;
        let api = self.api.parse().map_err(|error| fault("api", error))?;
        check_sentence("summary", &self.summary, true)?;
        if let Some(homepage) = &self.homepage
            && !(homepage.starts_with("https://") || homepage.starts_with("http://"))
        {
            return Err(fault("homepage", format!("`{homepage}` is not a web address; expected `https://…`")));
        }
        check_count("authors", self.authors.len())?;
        if let Some(auth) = &self.auth {
            check_auth(auth)?;
        }
        check_count("settings", self.settings.len())?;
        let mut settings = BTreeMap::new();
        for (name, entry) in self.settings {
            let setting = check_setting(&name, entry, self.auth.is_some())?;
            settings.insert(name, setting);
        }
        for (table, names) in [("endpoints", &self.endpoints), ("issuers", &self.issuers)] {
            check_count(table, names.len())?;
            for (name, named) in names {
                let key = format!("{table}.{name}");
                check_name(&key, name)?;
                check_sentence(&format!("{key}.summary"), &named.summary, false)?;
            }
        }
        Ok(Manifest {
            id,
            version,
            api,
            summary: self.summary,
            license: self.license,
            authors: self.authors,
            homepage: self.homepage,
            auth: self.auth,
            settings,
            endpoints: self.endpoints,
            issuers: self.issuers,
        })
    }
}

fn check_auth(auth: &AuthSection) -> Result<(), Fault> {
    for (key, sealed, names) in
        [("auth.headers", false, &auth.headers), ("auth.sealed_headers", true, &auth.sealed_headers)]
    {
        check_count(key, names.len())?;
        for name in names {
            if !is_header_name(name) {
                return Err(fault(key, format!("`{name}` is not a header name; expected for example `x-extra`")));
            }
            if name.eq_ignore_ascii_case("cookie") {
                let cookies = if sealed { "auth.sealed_cookies" } else { "auth.cookies" };
                return Err(fault(
                    key,
                    format!("`cookie` holds every cookie; name the cookies you need in `{cookies}`"),
                ));
            }
        }
    }
    for (key, names) in [("auth.cookies", &auth.cookies), ("auth.sealed_cookies", &auth.sealed_cookies)] {
        check_count(key, names.len())?;
        // A cookie's name is a token, as a header's is (RFC 6265 §4.1.1).
        if let Some(name) = names.iter().find(|name| !is_header_name(name)) {
            return Err(fault(key, format!("`{name}` is not a cookie's name; expected for example `__session`")));
        }
    }
    let twice = |name: &str, plain: &str| {
        format!("`{name}` is in `{plain}` too; a sealed one is never shown, so leave it out there")
    };
    if let Some(name) =
        auth.sealed_headers.iter().find(|name| auth.headers.iter().any(|seen| seen.eq_ignore_ascii_case(name)))
    {
        return Err(fault("auth.sealed_headers", twice(name, "auth.headers")));
    }
    if let Some(name) = auth.sealed_cookies.iter().find(|name| auth.cookies.contains(name)) {
        return Err(fault("auth.sealed_cookies", twice(name, "auth.cookies")));
    }
    Ok(())
}

fn check_setting(name: &str, entry: SettingEntry, is_auth_provider: bool) -> Result<Setting, Fault> {
    let key = format!("settings.{name}");
    check_name(&key, name)?;
    if name.contains('-') {
        // Environment variables have no `-`: `a-b` and `a_b` would be one variable.
        return Err(fault(key, format!("a setting's name has no `-`; expected `{}`", name.replace('-', "_"))));
    }
    check_sentence(&format!("{key}.summary"), &entry.summary, false)?;
    let setting = Setting { kind: entry.kind, summary: entry.summary, default: entry.default, sealed: entry.sealed };
    if setting.sealed && setting.kind != SettingKind::Header {
        return Err(fault(format!("{key}.sealed"), "only a setting of type `header` can be sealed; leave it out"));
    }
    if setting.sealed && !is_auth_provider {
        return Err(fault(
            format!("{key}.sealed"),
            "only an auth provider sees headers at all; add an `[auth]` section or leave it out",
        ));
    }
    if let Some(default) = &setting.default {
        if setting.kind == SettingKind::Secret {
            return Err(fault(
                format!("{key}.default"),
                "a secret has no default; leave it out, the operator gives the value",
            ));
        }
        setting.check(default).map_err(|error| fault(format!("{key}.default"), error))?;
    }
    Ok(setting)
}

/// Names of settings, endpoints and issuers: they become parts of configuration keys and environment variables.
fn check_name(key: &str, name: &str) -> Result<(), Fault> {
    let formed = (1..=40).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    if formed {
        Ok(())
    } else {
        Err(fault(
            key,
            format!(
                "`{name}` is not a name; expected up to 40 lower-case letters, digits, `_` and `-`, beginning with a letter"
            ),
        ))
    }
}

fn check_sentence(key: &str, text: &str, required: bool) -> Result<(), Fault> {
    if required && text.trim().is_empty() {
        return Err(fault(key, "is empty; expected one sentence"));
    }
    if text.chars().count() > 300 || text.chars().any(char::is_control) {
        return Err(fault(key, "expected one line of at most 300 characters"));
    }
    Ok(())
}

fn check_count(key: &str, count: usize) -> Result<(), Fault> {
    if count > MAX_NAMES {
        Err(fault(key, format!("has {count} entries; expected at most {MAX_NAMES}")))
    } else {
        Ok(())
    }
}
