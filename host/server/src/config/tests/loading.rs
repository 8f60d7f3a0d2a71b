//! What a right configuration comes to.

use chm_access::{Access, Feature, HIDDEN, Permission, Posture};
use chm_manifest::SettingValue;
use chm_sandbox::{ClickhouseGrant, Grants, HostScope};

use super::*;

#[test]
fn nothing_configured_is_a_whole_configuration() {
    let loaded = load(&[]).unwrap();
    let config = &loaded.config;
    assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
    assert_eq!((config.clickhouse.max_execution_time, config.clickhouse.pool_size), (60, 10));
    assert!(config.clickhouse.hosts.is_empty() && config.endpoints.is_empty() && config.plugin_dir.is_none());
    assert_eq!((config.posture(), config.auth.key_secrets().is_some()), (Posture::Open, false));
    assert_eq!(config.matrix(), chm_access::Matrix::default());
    assert_eq!(loaded.warnings, []);

    let grants = |plugin: &str| config.plugins.get(plugin).unwrap().grants.clone();
    assert!(grants("auth-trusted").secrets.contains("auth_secret"));
    assert!(grants("alert-webhook").http.contains("alerts"));
    let panels = crate::plugins::BUNDLED.into_iter().filter(|id| id.starts_with("panels-")).map(|id| (id, 10_000));
    for (plugin, max_rows) in panels.chain([("tools-clickhouse", 1000)]) {
        let clickhouse = Some(ClickhouseGrant { hosts: HostScope::All, max_rows, max_bytes: 16 << 20 });
        assert_eq!(grants(plugin), Grants { clickhouse, ..Grants::default() }, "{plugin} reads and does nothing else");
    }
}

#[test]
fn a_later_place_wins_and_is_named() {
    let file = File::new("chm.toml", "listen = \"127.0.0.1:1\"\n[clickhouse]\npool_size = 5\nmax_execution_time = 7\n");
    let options = LoadOptions {
        file: Some(file.path.clone()),
        listen: Some("127.0.0.1:3".parse().unwrap()),
        plugin_dir: Some("p".into()),
    };
    let loaded =
        Config::load(&options, environment(&[("CHM_LISTEN", "127.0.0.1:2"), ("CLICKHOUSE_POOL_SIZE", "6")])).unwrap();
    assert_eq!(loaded.config.listen.port(), 3);
    assert_eq!((loaded.config.clickhouse.pool_size, loaded.config.clickhouse.max_execution_time), (6, 7));
    let from_file = format!("file {}", file.path.display());
    for (path, expected) in [
        ("listen", "option --listen"),
        ("plugin_dir", "option --plugins"),
        ("clickhouse.pool_size", "environment variable CLICKHOUSE_POOL_SIZE"),
        ("clickhouse.max_execution_time", from_file.as_str()),
        ("clickhouse.ping_timeout_ms", "default"),
        ("plugins.auth-trusted.grants.secrets", "default"),
        ("guest_rustc", "nothing"),
    ] {
        assert_eq!(origin(&loaded, path), expected, "{path}");
    }
}

#[test]
fn the_file_is_named_by_the_option_or_else_by_the_variable() {
    let (one, two) = (File::new("1.toml", "[log]\nformat = \"json\"\n"), File::new("2.toml", ""));
    let named = one.path.display().to_string();
    assert_eq!(load(&[("CHM_CONFIG_FILE", &named)]).unwrap().config.log.format, LogFormat::Json);
    let loaded = two.load(&[("CHM_CONFIG_FILE", &named)]).unwrap();
    assert_eq!((loaded.config.log.format, loaded.file), (LogFormat::Pretty, Some(two.path.clone())));
    assert!(problems(&[("CHM_CONFIG_FILE", "/nowhere/chm.toml")])[0].starts_with("/nowhere/chm.toml: cannot be read"));
}

#[test]
fn toml_and_yaml_say_the_same() {
    let (toml, yaml) = (File::new("a.toml", TOML), File::new("a.yml", YAML));
    let (toml, yaml) = (toml.load(&[]).unwrap(), yaml.load(&[]).unwrap());
    assert_eq!(format!("{:?}", toml.config), format!("{:?}", yaml.config));

    let config = &toml.config;
    assert_eq!(config.auth.providers.to_string(), "trusted");
    assert_eq!(config.posture(), Posture::Closed);
    assert!(!config.matrix().rule(&Feature::Mcp.into()).enabled);
    assert_eq!(config.matrix().required(&Permission::read(Feature::Tables)), Access::Authenticated);
    let trusted = config.plugins.get("auth-trusted").unwrap();
    assert!(trusted.settings["auth_secret"] == SettingValue::from("s3cret"));
    assert!(trusted.settings["allow_insecure"] == SettingValue::Boolean(false));
    assert!(trusted.grants.secrets.contains("auth_secret"), "the default grant stays");
    let mine = config.plugins.get("my-plugin").unwrap();
    assert!(mine.enabled && mine.grants.kv_bytes == 65_536 && mine.limits.memory_mib == Some(32));
    assert_eq!(mine.grants.clickhouse.as_ref().unwrap().max_rows, 10_000);
    let chat = &config.endpoints["chat"];
    assert_eq!((chat.url.expose().path(), chat.timeout_ms), ("/hook/tok3n", 10_000));
    assert_eq!(chat.headers["authorization"].expose(), "Bearer tok3n");
    assert_eq!(config.issuers["sso"].algorithms, ["RS256", "ES256"]);
}

#[test]
fn neither_debug_nor_config_check_shows_a_secret() {
    let file = File::new("a.toml", &TOML.replace("http://a:8123", "http://a:8123/base"));
    let loaded =
        file.load(&[("CHM_API_KEY_SECRET", "k3ysecret-k3ysecret"), ("CLICKHOUSE_PASSWORD", "pw0rd,")]).unwrap();
    let rendered = loaded.render();
    for text in [&rendered, &format!("{loaded:?}"), &format!("{:#?}", loaded.config)] {
        for secret in ["s3cret", "tok3n", "k3ysecret", "pw0rd"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    for (key, value, from) in [
        ("auth.api_key_secret", HIDDEN, "# environment variable CHM_API_KEY_SECRET"),
        ("clickhouse.hosts[0].url", "http://a:8123/base", "# file "),
        ("clickhouse.hosts[0].password", HIDDEN, "# environment variable CLICKHOUSE_PASSWORD"),
        ("clickhouse.hosts[1].password", "\"\"", "# default"),
        ("clickhouse.hosts[1].user", "\"default\"", "# default"),
        ("endpoints.chat.url", "https://chat.example/<hidden>", "# file "),
        ("endpoints.chat.headers.authorization", HIDDEN, "# file "),
        ("endpoints.chat.timeout_ms", "10000", "# default"),
        ("plugins.auth-trusted.settings.auth_secret", HIDDEN, "# file "),
        ("plugins.auth-trusted.settings.allowed_groups", "[\"sre\", \"ops\"]", "# file "),
        ("plugins.auth-trusted.enabled", "true", "# default"),
        ("limits.row_cap", "10000", "# default"),
    ] {
        let line = rendered.lines().find(|line| line.split(' ').next() == Some(key)).unwrap_or_else(|| panic!("{key}"));
        assert!(line.contains(&format!("= {value} ")) && line.contains(from), "{line}");
    }
    assert_eq!(rendered, loaded.render());
}

#[test]
fn features_own_variables_win_over_the_lists() {
    let loaded = load(&[
        ("CHM_DISABLED_FEATURES", "agent, PEERDB ,auth-trusted"),
        ("CHM_AUTH_REQUIRED_FEATURES", "tables,mcp"),
        ("CHM_FEATURE_AGENT_ENABLED", "on"),
        ("CHM_FEATURE_MCP_ACCESS", "Guest"),
        ("CHM_FEATURE_AUTH_TRUSTED_ACCESS", "public"),
    ]);
    let loaded = loaded.unwrap();
    let matrix = loaded.config.matrix();
    assert!(matrix.rule(&Feature::Agent.into()).enabled && !matrix.rule(&Feature::Peerdb.into()).enabled);
    assert_eq!(matrix.rule(&Feature::Tables.into()).read, Access::Authenticated);
    assert_eq!(matrix.rule(&Feature::Mcp.into()).read, Access::Public);
    assert_eq!(origin(&loaded, "features.agent.enabled"), "environment variable CHM_FEATURE_AGENT_ENABLED");
    assert_eq!(origin(&loaded, "features.peerdb.enabled"), "environment variable CHM_DISABLED_FEATURES");
    let plugin = "auth-trusted".parse::<chm_access::PluginId>().unwrap().into();
    assert_eq!((matrix.rule(&plugin).enabled, matrix.rule(&plugin).read), (false, Access::Public));
}

#[test]
fn risky_but_valid_settings_are_warned_of() {
    for (pairs, security, expected) in [
        (vec![("CHM_LISTEN", "0.0.0.0:3000")], true, "whoever reaches it reads and writes"),
        (vec![("CHM_API_KEY_SECRET", "short")], true, "shorter than 16 bytes"),
        (vec![("CHM_PUBLIC_READ", "yes")], false, "has no effect"),
        (vec![("CLICKHOUSE_USER", "u")], false, "CLICKHOUSE_USER has no effect"),
        (vec![("CHM_CLERK_PUBLIC_READ", "true")], true, "CHM_CLERK_PUBLIC_READ means nothing here"),
    ] {
        let loaded = load(&pairs).unwrap();
        assert_eq!(loaded.warnings.len(), 1, "{pairs:?} {:?}", loaded.warnings);
        assert!(
            loaded.warnings[0].text.contains(expected) && loaded.warnings[0].security == security,
            "{:?}",
            loaded.warnings
        );
    }
    assert_eq!(
        load(&[("CHM_CLERK_PUBLIC_READ", "true"), ("CHM_AUTH_PROVIDER", "trusted")]).unwrap().config.posture(),
        Posture::Closed
    );
    assert_eq!(
        load(&[("CHM_LISTEN", "0.0.0.0:3000"), ("CHM_API_KEY_SECRET", "a-long-enough-secret")]).unwrap().warnings,
        []
    );
}

#[test]
fn variables_of_others_and_of_kubernetes_are_left_alone() {
    let loaded = load(&[
        ("PATH", "/bin"),
        ("CLICKHOUSE_PORT_8123_TCP", "tcp://10.0.0.1:8123"),
        ("CHM_SERVICE_HOST", "10.0.0.1"),
        ("CHM_SERVICE_PORT_HTTP", "3000"),
        ("CHM_PORT", "tcp://10.0.0.1:3000"),
        ("CHM_PORT_3000_TCP_ADDR", "10.0.0.1"),
    ]);
    assert_eq!(loaded.unwrap().warnings, []);
    assert_eq!(problems(&[("CHM_PORT", "3000")]).len(), 1);
}
