//! The bundled plugin `auth-trusted`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use chm_builder::{BuildEnv, Builder};
use chm_manifest::Manifest;
use chm_sandbox::{Grants, Limits, Plugin, PluginSource, Sandbox};

use crate::request::Request;

/// Its component and its settings.
pub struct Trusted {
    /// The component.
    pub bytes: Vec<u8>,
    /// Values of its settings that are no secrets: the defaults.
    pub settings: BTreeMap<String, String>,
    manifest: Manifest,
}

impl Trusted {
    /// Builds it, unless what an earlier build left is still right.
    pub fn built() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository");
        let builder = Builder::new(BuildEnv::from_process()).with_target_dir(root.join("plugins/target/guests"));
        let built = builder.build(&root.join("plugins"), &root.join("target/plugins"), &|_| {});
        let built =
            built.expect("the bundled plugins").into_iter().find(|plugin| plugin.path.ends_with("auth-trusted.wasm"));
        let bytes = std::fs::read(built.expect("auth-trusted").path).expect("a component");
        let manifest = chm_manifest::extract(&bytes).expect("a manifest");
        let settings = manifest.settings.iter();
        let settings =
            settings.filter_map(|(name, setting)| Some((name.to_string(), setting.default_text()?))).collect();
        Self { bytes, settings, manifest }
    }

    /// Loads it under the limits that hold when the operator says nothing.
    pub async fn load(&self, sandbox: &Sandbox) -> Plugin {
        let source = PluginSource {
            bytes: &self.bytes,
            manifest: self.manifest.clone(),
            grants: Grants { secrets: BTreeSet::from(["auth_secret".to_owned()]), ..Grants::default() },
            settings: self.settings.clone(),
            limits: Limits::default(),
            pinned_sha256: None,
            probe_services: Arc::new(Request::from_the_proxy()),
        };
        Plugin::load(sandbox, source).await.expect("a plugin")
    }
}
