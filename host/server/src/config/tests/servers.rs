//! The list of servers.

use super::*;

/// Address, user, password and name of each server.
fn servers(loaded: &Loaded) -> Vec<(String, &str, &str, Option<&str>)> {
    let hosts = &loaded.config.clickhouse.hosts;
    let all = hosts
        .iter()
        .map(|host| (host.url.to_string(), host.user.as_str(), host.password.expose(), host.name.as_deref()));
    all.collect()
}

#[test]
fn server_lists_are_positional_and_keep_their_empty_items() {
    let loaded = load(&[
        ("CLICKHOUSE_HOST", "http://a:1, http://b:2,http://c:3"),
        ("CLICKHOUSE_USER", "ann,,carl"),
        ("CLICKHOUSE_PASSWORD", ",pw2,"),
        ("CLICKHOUSE_NAME", "A,,C"),
    ]);
    assert_eq!(
        servers(&loaded.unwrap()),
        [
            ("http://a:1".to_owned(), "ann", "", Some("A")),
            ("http://b:2".to_owned(), "default", "pw2", None),
            ("http://c:3".to_owned(), "carl", "", Some("C")),
        ]
    );
}

#[test]
fn a_single_credential_is_for_all_servers() {
    let hosts = ("CLICKHOUSE_HOST", "http://a,http://b");
    let loaded = load(&[hosts, ("CLICKHOUSE_USER", "ann"), ("CLICKHOUSE_PASSWORD", "p1,p2")]).unwrap();
    assert_eq!(
        servers(&loaded),
        [("http://a".to_owned(), "ann", "p1", None), ("http://b".to_owned(), "ann", "p2", None)]
    );
    let loaded = load(&[hosts, ("CLICKHOUSE_USER", "ann,bob"), ("CLICKHOUSE_PASSWORD", "pw")]).unwrap();
    assert_eq!(
        servers(&loaded),
        [("http://a".to_owned(), "ann", "pw", None), ("http://b".to_owned(), "bob", "pw", None)]
    );
}

#[test]
fn server_lists_of_other_lengths_stop_the_start() {
    let hosts = ("CLICKHOUSE_HOST", "http://a,http://b,http://c");
    for (name, value, expected) in [
        ("CLICKHOUSE_USER", "u1,u2", "found 2 items, expected 1 or 3 comma-separated items"),
        (
            "CLICKHOUSE_PASSWORD",
            "hunter2,hunter2,,",
            "found 4 items, expected 1 or 3 comma-separated items, one per server; a password with a comma",
        ),
        ("CLICKHOUSE_NAME", "n", "found 1 items, expected 3 comma-separated items"),
    ] {
        let found = problems(&[hosts, (name, value)]);
        assert!(found.len() == 1 && found[0].contains(name) && found[0].contains(expected), "{found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
}

#[test]
fn credentials_of_the_file_never_go_to_addresses_of_the_environment() {
    let file = File::new("a.toml", TOML);
    let loaded = file.load(&[("CLICKHOUSE_HOST", "http://elsewhere,http://b")]).unwrap();
    assert_eq!(
        servers(&loaded),
        [("http://elsewhere".to_owned(), "default", "", None), ("http://b".to_owned(), "default", "", None)]
    );
    let loaded = file.load(&[("CLICKHOUSE_PASSWORD", "x,y")]).unwrap();
    assert_eq!(
        servers(&loaded),
        [("http://a:8123".to_owned(), "u", "x", None), ("https://b:8443".to_owned(), "default", "y", Some("B"))]
    );
}

#[test]
fn credentials_in_an_address_are_taken_out_of_it() {
    let loaded = load(&[("CLICKHOUSE_HOST", "https://ann:p%40%3a%20w@a:8443/base,http://b")]).unwrap();
    assert_eq!(
        servers(&loaded),
        [("https://a:8443/base".to_owned(), "ann", "p@: w", None), ("http://b".to_owned(), "default", "", None)]
    );
    assert_eq!(loaded.config.clickhouse.hosts[0].url.expose().as_str(), "https://a:8443/base");
    let found = problems(&[("CLICKHOUSE_HOST", "http://ann:pw@a"), ("CLICKHOUSE_USER", "bob")]);
    assert_eq!(found, ["`clickhouse.hosts[0].user` is given twice, in the address and apart: remove one"]);
}
