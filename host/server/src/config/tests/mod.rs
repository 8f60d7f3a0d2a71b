//! The configuration as a whole: what tests share.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

mod loading;
mod peerdb;
mod refusals;
mod servers;
mod sign_in;
mod tables;

fn environment(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

fn load(pairs: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    Config::load(&LoadOptions::default(), environment(pairs))
}

/// A configuration file in a folder of its own, gone when dropped.
pub(super) struct File {
    folder: PathBuf,
    pub path: PathBuf,
}

impl File {
    pub(super) fn new(name: &str, text: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("chm-config-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        Self { folder, path }
    }

    fn load(&self, pairs: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
        Config::load(&LoadOptions { file: Some(self.path.clone()), ..LoadOptions::default() }, environment(pairs))
    }

    fn problems(&self) -> Vec<String> {
        let error = self.load(&[]).unwrap_err();
        error
            .problems
            .iter()
            .map(|problem| problem.to_string().replace(&self.path.display().to_string(), "F"))
            .collect()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn problems(pairs: &[(&str, &str)]) -> Vec<String> {
    load(pairs).unwrap_err().problems.iter().map(ToString::to_string).collect()
}

fn origin(loaded: &Loaded, path: &str) -> String {
    loaded.origin(path).map(ToString::to_string).unwrap_or_else(|| "nothing".to_owned())
}

const TOML: &str = r#"
listen = "127.0.0.1:4000"
[clickhouse]
hosts = [{ url = "http://a:8123", user = "u", password = "p" }, { url = "https://b:8443", name = "B" }]
[auth]
provider = "trusted"
[features.tables]
access = "authenticated"
[features.MCP]
enabled = false
[plugins.auth-trusted.settings]
auth_secret = "s3cret"
allow_insecure = false
allowed_groups = ["sre", "ops"]
[plugins.my-plugin.grants]
http = ["chat"]
kv = 65536
clickhouse = { hosts = [0, 1] }
[plugins.my-plugin.limits]
memory_mib = 32
[endpoints.chat]
url = "https://chat.example/hook/tok3n"
headers = { Authorization = "Bearer tok3n" }
[issuers.sso]
issuer = "https://sso.example"
audiences = ["chm"]
"#;

const YAML: &str = r#"
listen: 127.0.0.1:4000
clickhouse:
  hosts:
    - url: http://a:8123
      user: u
      password: p
    - url: https://b:8443
      name: B
auth:
  provider: trusted
  api_key_secret:
features:
  tables: { access: authenticated }
  MCP:
    enabled: no
plugins:
  auth-trusted:
    settings:
      auth_secret: s3cret
      allow_insecure: false
      allowed_groups: [sre, ops]
  my-plugin:
    grants:
      http: [chat]
      kv: 65536
      clickhouse: { hosts: [0, 1] }
    limits:
      memory_mib: 32
endpoints:
  chat:
    url: https://chat.example/hook/tok3n
    headers: { Authorization: Bearer tok3n }
issuers:
  sso:
    issuer: https://sso.example
    audiences: [chm]
"#;
