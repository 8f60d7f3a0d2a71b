//! What a component exports (its roles) and imports (its request for capabilities).

use chm_manifest::Role;
use serde::Serialize;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::LoadError;

/// The version of `chm:plugin` this host speaks.
pub const API_VERSION: &str = "0.1.0";

const PACKAGE: &str = "chm:plugin/";

/// A host interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "documented in wit/host.wit")]
pub enum Interface {
    Types,
    Clickhouse,
    Control,
    Http,
    Secrets,
    Jwt,
    Kv,
    Config,
    Clock,
    Random,
    Log,
}

impl Interface {
    const ALL: [Self; 11] = [
        Self::Types,
        Self::Clickhouse,
        Self::Control,
        Self::Http,
        Self::Secrets,
        Self::Jwt,
        Self::Kv,
        Self::Config,
        Self::Clock,
        Self::Random,
        Self::Log,
    ];

    /// Its name in the WIT.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Types => "types",
            Self::Clickhouse => "clickhouse",
            Self::Control => "control",
            Self::Http => "http",
            Self::Secrets => "secrets",
            Self::Jwt => "jwt",
            Self::Kv => "kv",
            Self::Config => "config",
            Self::Clock => "clock",
            Self::Random => "random",
            Self::Log => "log",
        }
    }

    /// What grants it, or these names of it, in a plugin's table of grants; absent for what is always granted.
    pub(crate) fn grant(self, names: &[&str]) -> Option<String> {
        Some(match self {
            Self::Clickhouse => "clickhouse = { hosts = \"all\" }".to_owned(),
            Self::Control => "control = [\"kill-query\"]".to_owned(),
            Self::Http | Self::Secrets | Self::Jwt => {
                let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
                format!("{} = [{}]", self.as_str(), names.join(", "))
            }
            Self::Kv => "kv = 65536".to_owned(),
            Self::Types | Self::Config | Self::Clock | Self::Random | Self::Log => return None,
        })
    }

    /// The configuration line that grants it, or these names of it, to `plugin`; absent for what is always granted.
    #[must_use]
    pub fn grant_line(self, plugin: &str, names: &[&str]) -> Option<String> {
        self.grant(names).map(|line| format!("[plugins.{plugin}.grants] {line}"))
    }
}

/// One import of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Import {
    /// One of ours.
    Host(Interface),
    /// WASI; served from an empty context.
    Wasi(String),
}

/// What a component exports and imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// In the order of [`Role::ALL`]; never empty.
    pub roles: Vec<Role>,
    /// In the component's order.
    pub imports: Vec<Import>,
}

impl Inspection {
    /// Reads a compiled component.
    ///
    /// # Errors
    /// When it imports what no host interface is, has no role, or was built for another version of the interface.
    pub(crate) fn of(engine: &Engine, component: &Component) -> Result<Self, LoadError> {
        let ty = component.component_type();
        let mut imports = Vec::new();
        for (name, _) in ty.imports(engine) {
            if name.starts_with("wasi:") {
                imports.push(Import::Wasi(name.to_owned()));
            } else {
                let interface = ours(name)?
                    .and_then(|short| Interface::ALL.into_iter().find(|known| known.as_str() == short))
                    .ok_or_else(|| LoadError::UnknownImport { import: name.to_owned() })?;
                imports.push(Import::Host(interface));
            }
        }
        let mut exported = Vec::new();
        for (name, _) in ty.exports(engine) {
            if let Some(short) = ours(name)? {
                exported.push(short.to_owned());
            }
        }
        let roles: Vec<Role> =
            Role::ALL.into_iter().filter(|role| exported.iter().any(|name| name == role.as_str())).collect();
        if roles.is_empty() {
            return Err(LoadError::NoRole);
        }
        Ok(Self { roles, imports })
    }

    /// Whether it needs the (empty) WASI context.
    #[must_use]
    pub fn uses_wasi(&self) -> bool {
        self.imports.iter().any(|import| matches!(import, Import::Wasi(_)))
    }
}

/// The interface's short name when it belongs to our package in a version this host speaks.
fn ours(name: &str) -> Result<Option<&str>, LoadError> {
    let Some(rest) = name.strip_prefix(PACKAGE) else { return Ok(None) };
    match rest.split_once('@') {
        Some((short, version)) if version == API_VERSION => Ok(Some(short)),
        Some((_, version)) => Err(LoadError::ApiVersion { found: version.to_owned() }),
        None => Err(LoadError::ApiVersion { found: "none".to_owned() }),
    }
}
