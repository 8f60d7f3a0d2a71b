//! Makes a plugin's component of a compiled module.

use chm_manifest::{Manifest, Role, embed};
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
    match disagreement(&plugin.manifest, &inspection) {
        Some(said) => Err(BuildError::Disagreement { id: id.clone(), said }),
        None => Ok((bytes, inspection)),
    }
}

/// In what a manifest and its component do not fit together.
fn disagreement(manifest: &Manifest, inspection: &Inspection) -> Option<String> {
    let signs_in = inspection.roles.contains(&Role::AuthProvider);
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
    match (signs_in, manifest.auth.is_some()) {
        (true, false) => Some(
            "it is an auth provider, but its manifest has no `[auth]` section, so it would see no header; add one (it may be empty)".to_owned(),
        ),
        (false, true) => Some("its manifest has an `[auth]` section, but it is no auth provider; leave the section out".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_that_does_not_fit_its_manifest_is_refused() {
        let text = "id = \"ab\"\nversion = \"0.1.0\"\napi = \"0.1\"\nsummary = \"S.\"\n";
        let plain = Manifest::parse(text).unwrap();
        let auth = Manifest::parse(&format!("{text}[auth]\n")).unwrap();
        let newer = Manifest::parse(&text.replace("\"0.1\"", "\"0.2\"")).unwrap();
        let with = |roles: &[Role]| Inspection {
            manifest: plain.clone(),
            roles: roles.to_vec(),
            api: vec![chm_manifest::ApiVersion::CURRENT],
            imports: vec![],
            exports: vec![],
            wasi: false,
            size: 0,
        };
        let cases = [
            (&plain, vec![], Some("exports no role")),
            (&plain, vec![Role::AuthProvider], Some("no `[auth]` section")),
            (&auth, vec![Role::Panels], Some("is no auth provider")),
            (&newer, vec![Role::Panels], Some("chm:plugin 0.1")),
            (&auth, vec![Role::AuthProvider, Role::Panels], None),
            (&plain, vec![Role::Toolset], None),
        ];
        for (manifest, roles, word) in cases {
            match (disagreement(manifest, &with(&roles)), word) {
                (None, None) => {}
                (Some(said), Some(word)) => assert!(said.contains(word), "{said}"),
                other => panic!("{other:?} for {roles:?}"),
            }
        }
    }
}
