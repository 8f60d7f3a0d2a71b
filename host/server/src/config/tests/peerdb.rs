//! What PeerDB's variables come to.

use super::*;

const ADDRESS: (&str, &str) = ("PEERDB_API_URL", "http://peerdb:3000/api///");

fn wall(loaded: &Loaded) -> Option<u64> {
    loaded.config.plugins.get("panel-peerdb")?.limits.wall_ms
}

#[test]
fn the_variables_of_the_contract_set_the_endpoint_and_the_plugin_up() {
    let loaded = load(&[
        ADDRESS,
        ("PEERDB_PASSWORD", "hunter2 \n"),
        ("PEERDB_FETCH_TIMEOUT_MS", "2500"),
        ("PEERDB_CACHE_TTL_MS", "0"),
        ("PEERDB_CACHE_MAX_ENTRIES", "20"),
    ])
    .unwrap();
    let endpoint = &loaded.config.endpoints["peerdb"];
    assert!(endpoint.url.expose().as_str().starts_with("http://peerdb:3000/api"));
    // `:hunter2 `
    assert_eq!(endpoint.headers["authorization"].expose(), "Basic Omh1bnRlcjIg");
    assert_eq!(endpoint.timeout_ms, 2500);
    assert!(wall(&loaded).unwrap() > 2500 + 5000, "the plugin outlives its question");
    assert_eq!(loaded.warnings, []);
    let shown = loaded.render();
    assert!(!shown.contains("hunter2") && !shown.contains("Omh1"), "{shown}");
}

#[test]
fn an_address_alone_is_enough_and_nothing_is_there_without() {
    let loaded = load(&[ADDRESS]).unwrap();
    let endpoint = &loaded.config.endpoints["peerdb"];
    assert_eq!((endpoint.timeout_ms, endpoint.headers.len(), wall(&loaded)), (10_000, 0, Some(30_000)));
    let file = File::new("chm.toml", "[endpoints.peerdb]\nurl = \"http://p\"\ntimeout_ms = 100000\n");
    assert_eq!(wall(&file.load(&[]).unwrap()), Some(120_000));

    // What a copied file of variables still has stops nothing.
    let left = [("PEERDB_PASSWORD", "hunter2"), ("PEERDB_FETCH_TIMEOUT_MS", "10000"), ("PEERDB_CACHE_TTL_MS", "10000")];
    let loaded = load(&left).unwrap();
    assert!(!loaded.config.endpoints.contains_key("peerdb"));
    let said: Vec<&str> = loaded.warnings.iter().map(|warning| warning.text.as_str()).collect();
    let [password, timeout] = said.try_into().unwrap();
    assert!(password.starts_with("PEERDB_PASSWORD has no effect without PEERDB_API_URL"), "{password}");
    assert!(timeout.starts_with("PEERDB_FETCH_TIMEOUT_MS has no effect"), "{timeout}");
}

#[test]
fn what_is_wrong_is_named_and_no_password_is_shown() {
    for (pair, words) in [
        (("PEERDB_API_URL", "peerdb:3000"), &["PEERDB_API_URL", "http"][..]),
        (("PEERDB_API_URL", "http://u:hunter2@peerdb"), &["PEERDB_API_URL", "user-info", "headers"]),
        (("PEERDB_FETCH_TIMEOUT_MS", "0"), &["PEERDB_FETCH_TIMEOUT_MS", "from 1"]),
        (("PEERDB_FETCH_TIMEOUT_MS", "soon"), &["PEERDB_FETCH_TIMEOUT_MS", "whole number"]),
        (("PEERDB_CACHE_TTL_MS", "-1"), &["PEERDB_CACHE_TTL_MS", "cache_ttl_ms", "from 0"]),
        (("PEERDB_CACHE_MAX_ENTRIES", "many"), &["PEERDB_CACHE_MAX_ENTRIES", "whole number"]),
    ] {
        let mut pairs = vec![pair];
        if pair.0 != ADDRESS.0 {
            pairs.push(ADDRESS);
        }
        let [problem] = problems(&pairs).try_into().unwrap();
        assert!(words.iter().all(|word| problem.contains(word)) && !problem.contains("hunter2"), "{problem}");
    }
    let file =
        File::new("chm.toml", "[endpoints.peerdb]\nurl = \"http://p\"\nheaders = { Authorization = \"Bearer x\" }\n");
    let error = file.load(&[("PEERDB_PASSWORD", "hunter2")]).unwrap_err().to_string();
    assert!(error.contains("remove one of them") && !error.contains("hunter2"), "{error}");
}
