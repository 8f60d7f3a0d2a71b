//! What cargo says it built.

use std::path::PathBuf;

use serde::Deserialize;

/// One crate cargo finished.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Artifact {
    /// The package's folder.
    pub package: PathBuf,
    /// The target's name.
    pub name: String,
    /// Whether it was up to date.
    pub fresh: bool,
    /// The module, where it is one.
    pub module: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    #[serde(default)]
    fresh: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Artifact {
    /// Reads one line of cargo's messages; none for lines about other things.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let message: Message = serde_json::from_str(line).ok()?;
        if message.reason != "compiler-artifact" {
            return None;
        }
        Some(Self {
            package: message.manifest_path?.parent()?.to_owned(),
            name: message.target?.name,
            fresh: message.fresh,
            module: message.filenames.into_iter().find(|file| file.extension().is_some_and(|ending| ending == "wasm")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finished_crates_are_artifacts() {
        let line = r#"{"reason":"compiler-artifact","package_id":"x","manifest_path":"/p/Cargo.toml","target":{"kind":["cdylib"],"name":"p"},"filenames":["/t/p.wasm"],"fresh":true}"#;
        let module = Artifact { package: "/p".into(), name: "p".into(), fresh: true, module: Some("/t/p.wasm".into()) };
        assert_eq!(Artifact::parse(line), Some(module));
        assert_eq!(Artifact::parse(&line.replace("p.wasm", "p.rlib")).unwrap().module, None);
        for other in ["", "text", r#"{"reason":"build-finished","success":true}"#] {
            assert_eq!(Artifact::parse(other), None);
        }
    }
}
