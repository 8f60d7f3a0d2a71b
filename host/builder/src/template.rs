//! A new plugin's folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chm_manifest::{ApiVersion, MANIFEST_FILE, PluginId, Role};

/// Why no new plugin could be written.
#[derive(Debug, thiserror::Error)]
pub enum NewPluginError {
    /// There is something already.
    #[error("{folder} exists already; choose another id, or remove it", folder = .0.display())]
    Exists(PathBuf),
    /// A file could not be written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Writes the folder `<parent>/<id>` with a small plugin of this role, ready to be built and tested; returns the folder.
///
/// # Errors
/// [`NewPluginError`] when the folder exists or cannot be written.
pub fn new_plugin(parent: &Path, id: &PluginId, role: Role, sdk: &Path) -> Result<PathBuf, NewPluginError> {
    let folder = parent.join(id.as_str());
    if folder.exists() {
        return Err(NewPluginError::Exists(folder));
    }
    let (summary, code, manifest) = match role {
        Role::AuthProvider => (
            "Signs people in by a header of a proxy that knows a secret.",
            include_str!("../templates/auth-provider.rs.txt"),
            include_str!("../templates/auth-provider.toml.txt"),
        ),
        Role::Panels => ("Shows who runs queries.", include_str!("../templates/panels.rs.txt"), ""),
        Role::AlertSink => (
            "Sends alerts to an endpoint as JSON.",
            include_str!("../templates/alert-sink.rs.txt"),
            include_str!("../templates/alert-sink.toml.txt"),
        ),
        Role::Toolset => ("Counts words.", include_str!("../templates/toolset.rs.txt"), ""),
        Role::Actions => ("Stops a user's queries.", include_str!("../templates/actions.rs.txt"), ""),
    };
    let json = "serde_json = \"1\"\n";
    let more = match role {
        Role::AuthProvider => String::new(),
        // The crate that reads panel files lies beside the SDK.
        Role::Panels => {
            format!("\n[build-dependencies]\nchm-plugin-build = {}\n", dependency(&sdk.with_file_name("rust-build")))
        }
        Role::AlertSink | Role::Actions => json.to_owned(),
        Role::Toolset => format!("serde = {{ version = \"1\", features = [\"derive\"] }}\n{json}"),
    };
    let fill = |text: &str| {
        text.replace("{id}", id.as_str())
            .replace("{summary}", summary)
            .replace("{api}", &ApiVersion::CURRENT.to_string())
            .replace("{sdk}", &dependency(sdk))
            .replace("{more}", &more)
    };
    let mut files = vec![
        ("Cargo.toml", fill(include_str!("../templates/Cargo.toml.txt"))),
        (MANIFEST_FILE, fill(include_str!("../templates/plugin.toml.txt")) + manifest),
        ("src/lib.rs", fill(code)),
        (".gitignore", "/target/\n*.wasm\n".to_owned()),
    ];
    if role == Role::Panels {
        files.push(("build.rs", include_str!("../templates/panels-build.rs.txt").to_owned()));
        files
            .push(("panels/tables/users-running.toml", include_str!("../templates/users-running.toml.txt").to_owned()));
    }
    for (name, text) in files {
        let path = folder.join(name);
        let around = path.parent().unwrap_or(&folder);
        fs::create_dir_all(around).map_err(|source| NewPluginError::Io { path: around.to_owned(), source })?;
        fs::write(&path, text).map_err(|source| NewPluginError::Io { path, source })?;
    }
    Ok(folder)
}

/// The SDK as a value in `Cargo.toml`.
fn dependency(sdk: &Path) -> String {
    // JSON's strings are TOML's basic strings, quotes and backslashes included.
    format!("{{ path = {} }}", serde_json::Value::from(sdk.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_is_a_dependency_by_path_whatever_its_name() {
        assert_eq!(dependency(Path::new("/a \"b\"")), r#"{ path = "/a \"b\"" }"#);
    }

    #[test]
    fn nothing_that_exists_is_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let id: PluginId = "my-panels".parse().unwrap();
        let sdk = Path::new("/sdk");
        let folder = new_plugin(parent.path(), &id, Role::Panels, sdk).unwrap();
        fs::write(folder.join("src/lib.rs"), "mine").unwrap();
        assert!(matches!(new_plugin(parent.path(), &id, Role::Panels, sdk), Err(NewPluginError::Exists(_))));
        assert_eq!(fs::read_to_string(folder.join("src/lib.rs")).unwrap(), "mine");
    }
}
