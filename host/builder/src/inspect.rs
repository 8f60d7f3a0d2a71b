//! Looks at a finished component without running it.

use chm_manifest::{ApiVersion, ExtractError, Manifest, Role, TooLarge, check_size, extract};
use serde::Serialize;
use wasmparser::{Parser, Payload};
use wit_component::{DecodedWasm, WitPrinter};

/// What a component says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its roles, found from its exports.
    pub roles: Vec<Role>,
    /// Versions of `chm:plugin` that its imports and exports name; usually one.
    pub api: Vec<ApiVersion>,
    /// Names of its imports, for example `chm:plugin/log@0.1.0`.
    pub imports: Vec<String>,
    /// Names of its exports.
    pub exports: Vec<String>,
    /// Whether it imports anything of WASI.
    pub wasi: bool,
    /// Its size in bytes.
    pub size: u64,
}

impl Inspection {
    /// Whether it imports an interface of `chm:plugin`, in any version.
    #[must_use]
    pub fn imports_interface(&self, interface: &str) -> bool {
        self.imports.iter().any(|name| of_plugin(name).is_some_and(|(found, _)| found == interface))
    }
}

/// Why a file cannot be inspected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// It is too large to be a plugin.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// It is no component with a manifest.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// It is not valid.
    #[error("the component is damaged: {0}")]
    Damaged(String),
}

/// Looks at a component: its manifest, roles, imports and exports. Nothing of it runs, and nothing of its code is checked.
///
/// # Errors
/// [`InspectError`] says what the file is instead.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, InspectError> {
    check_size(bytes.len() as u64)?;
    let manifest = extract(bytes)?;
    let (imports, exports) = names(bytes).map_err(|error| InspectError::Damaged(error.to_string()))?;
    let has = |role: &Role| {
        exports.iter().any(|name| of_plugin(name).is_some_and(|(interface, _)| interface == role.as_str()))
    };
    let roles = Role::ALL.into_iter().filter(has).collect();
    let mut api: Vec<ApiVersion> =
        imports.iter().chain(&exports).filter_map(|name| of_plugin(name)?.1.rsplit_once('.')?.0.parse().ok()).collect();
    api.sort_unstable();
    api.dedup();
    let wasi = imports.iter().any(|name| name.starts_with("wasi:"));
    Ok(Inspection { manifest, roles, api, imports, exports, wasi, size: bytes.len() as u64 })
}

/// The world of a component as WIT text: every interface and type it imports and exports.
///
/// # Errors
/// [`InspectError::Damaged`] when it is not a valid component.
pub fn wit_text(bytes: &[u8]) -> Result<String, InspectError> {
    check_size(bytes.len() as u64)?;
    let damaged = |said: String| InspectError::Damaged(said);
    // The decoder trusts what it reads; a validated component deserves that.
    wasmparser::validate(bytes).map_err(|error| damaged(error.to_string()))?;
    let decoded = wit_component::decode(bytes).map_err(|error| damaged(format!("{error:#}")))?;
    let package = match &decoded {
        DecodedWasm::WitPackage(_, package) => Some(*package),
        DecodedWasm::Component(resolve, world) => resolve.worlds.get(*world).and_then(|world| world.package),
    };
    let package = package.ok_or_else(|| damaged("its world belongs to no package".to_owned()))?;
    let resolve = decoded.resolve();
    let others: Vec<_> = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package).collect();
    let mut printer = WitPrinter::default();
    printer.print(resolve, package, &others).map_err(|error| damaged(format!("{error:#}")))?;
    Ok(printer.output.to_string())
}

/// Interface and version of `chm:plugin/<interface>@<version>`.
fn of_plugin(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("chm:plugin/")?.split_once('@')
}

/// Names of imports and exports at the top level; components and modules inside have their own, which are no one's business.
fn names(bytes: &[u8]) -> Result<(Vec<String>, Vec<String>), wasmparser::Error> {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_and_versions_are_read_from_names() {
        assert_eq!(of_plugin("chm:plugin/panels@0.1.0"), Some(("panels", "0.1.0")));
        assert_eq!(of_plugin("wasi:io/streams@0.2.0"), None);
    }

    #[test]
    fn what_is_no_component_is_refused() {
        assert!(matches!(inspect(b"x"), Err(InspectError::Extract(ExtractError::NotWasm))));
        assert!(matches!(wit_text(b"x"), Err(InspectError::Damaged(_))));
    }
}
