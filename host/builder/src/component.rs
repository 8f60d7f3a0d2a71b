//! Makes a plugin's component of a compiled module.

use chm_manifest::{Role, SettingKind, embed};
use wit_component::ComponentEncoder;

use crate::error::BuildError;
use crate::inspect::{Inspection, inspect};
use crate::plugin_folder::PluginFolder;

/// Makes a component, checks it against the manifest, and puts the manifest in.
pub(crate) fn componentize(module: &[u8], plugin: &PluginFolder) -> Result<(Vec<u8>, Inspection), BuildError> {
    let id = &plugin.manifest.id;
    // `{:#}` shows the whole chain of causes.
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| { encoder }.encode())
        .map_err(|error| BuildError::Component { id: id.clone(), said: format!("{error:#}") })?;
    let bytes =
        embed(&encoded, &plugin.manifest_text).map_err(|source| BuildError::Embed { id: id.clone(), source })?;
    let inspection = inspect(&bytes).map_err(|source| BuildError::Inspect { id: id.clone(), source })?;
    if inspection.wasi {
        let imports = inspection.imports.iter().filter(|name| name.starts_with("wasi:")).cloned().collect();
        return Err(BuildError::Wasi { id: id.clone(), imports });
    }
    match disagreement(&inspection) {
        Some(said) => Err(BuildError::Disagreement { id: id.clone(), said }),
        None => Ok((bytes, inspection)),
    }
}

/// In what a component and the manifest inside do not fit together, and what to do.
#[must_use]
pub fn disagreement(inspection: &Inspection) -> Option<String> {
    let manifest = &inspection.manifest;
    if inspection.roles.is_empty() {
        return Some(format!(
            "it exports no role; expected at least one of {} (does it call the SDK's export macro?)",
            Role::ALL.map(Role::as_str).join(", ")
        ));
    }
    if let Some(other) = inspection.api.iter().find(|version| **version != manifest.api) {
        return Some(format!(
            "its code uses chm:plugin {other}, but its manifest says `api = \"{}\"`; make them the same",
            manifest.api
        ));
    }
    match (inspection.roles.contains(&Role::AuthProvider), manifest.auth.is_some()) {
        (true, false) => {
            return Some(
                "it is an auth provider, but its manifest has no `[auth]` section, so it would see no header; add one (it may be empty)"
                    .to_owned(),
            );
        }
        (false, true) => {
            return Some(
                "its manifest has an `[auth]` section, but it is no auth provider; leave the section out".to_owned(),
            );
        }
        _ => {}
    }
    let has_secret = manifest.settings.values().any(|setting| setting.kind == SettingKind::Secret);
    // An operator grants these by name, and learns the names from the manifest.
    [
        ("http", "[endpoints.<name>]", manifest.endpoints.is_empty()),
        ("jwt", "[issuers.<name>]", manifest.issuers.is_empty()),
        ("secrets", "[settings.<name>] of `type = \"secret\"`", !has_secret),
    ]
    .into_iter()
    .find(|(interface, _, is_nameless)| *is_nameless && inspection.imports_interface(interface))
    .map(|(interface, table, _)| {
        format!(
            "it imports `{interface}`, but its manifest has no {table}; add one for each name it uses, with a `summary`"
        )
    })
}

#[cfg(test)]
mod tests {
    use chm_manifest::Manifest;

    use super::*;

    #[test]
    fn a_component_that_does_not_fit_its_manifest_is_refused() {
        let text = "id = \"ab\"\nversion = \"0.1.0\"\napi = \"0.1\"\nsummary = \"S.\"\n";
        let plain = Manifest::parse(text).unwrap();
        let auth = Manifest::parse(&format!("{text}[auth]\n")).unwrap();
        let names = "[endpoints.a]\n[issuers.b]\n[settings.c]\ntype = \"secret\"\n";
        let named = Manifest::parse(&format!("{text}{names}")).unwrap();
        let newer = Manifest::parse(&text.replace("\"0.1\"", "\"0.2\"")).unwrap();
        let inspection = |manifest: &Manifest, roles: &[Role], imports: &[&str]| Inspection {
            manifest: manifest.clone(),
            roles: roles.to_vec(),
            api: vec![chm_manifest::ApiVersion::CURRENT],
            imports: imports.iter().map(|interface| format!("chm:plugin/{interface}@0.1.0")).collect(),
            exports: vec![],
            wasi: false,
            size: 0,
        };
        let cases = [
            (&plain, vec![], &[][..], Some("exports no role")),
            (&plain, vec![Role::AuthProvider], &[], Some("no `[auth]` section")),
            (&auth, vec![Role::Panels], &[], Some("is no auth provider")),
            (&newer, vec![Role::Panels], &[], Some("chm:plugin 0.1")),
            (&auth, vec![Role::AuthProvider, Role::Panels], &[], None),
            (&plain, vec![Role::Toolset], &["clickhouse", "kv", "log"], None),
            (&plain, vec![Role::Toolset], &["http"], Some("no [endpoints.<name>]")),
            (&plain, vec![Role::Toolset], &["jwt"], Some("no [issuers.<name>]")),
            (&plain, vec![Role::Toolset], &["secrets"], Some("`type = \"secret\"`")),
            (&named, vec![Role::Toolset], &["http", "jwt", "secrets"], None),
        ];
        for (manifest, roles, imports, word) in cases {
            match (disagreement(&inspection(manifest, &roles, imports)), word) {
                (None, None) => {}
                (Some(said), Some(word)) => assert!(said.contains(word), "{said}"),
                other => panic!("{other:?} for {roles:?}, {imports:?}"),
            }
        }
    }
}
