//! The repository's own rules, as `ARCHITECTURE.md` states them.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Beyond this a file holds more than one noun.
const MOST_LINES: usize = 800;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What the crates of `host/` depend on when they are built, by folder.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let host = root().join("host");
    let folders = fs::read_dir(host).unwrap().map(|entry| entry.unwrap().path());
    folders
        .filter_map(|folder| {
            let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).ok()?.parse().unwrap();
            let mut names = BTreeSet::new();
            collect(&manifest, &mut names);
            Some((folder.file_name()?.to_string_lossy().into_owned(), names))
        })
        .collect()
}

/// `[dependencies]` and `[build-dependencies]`, of every target.
fn collect(table: &toml::Table, names: &mut BTreeSet<String>) {
    for (key, value) in table {
        let Some(inner) = value.as_table() else { continue };
        match key.as_str() {
            "dependencies" | "build-dependencies" => names.extend(inner.keys().cloned()),
            "target" => inner.values().filter_map(|target| target.as_table()).for_each(|target| collect(target, names)),
            _ => {}
        }
    }
}

/// The crates that depend on one of these.
fn users_of(wanted: &[&str]) -> Vec<String> {
    let all = dependencies();
    assert!(all.len() >= 7, "{:?}", all.keys());
    let uses = |names: &BTreeSet<String>| wanted.iter().any(|name| names.contains(*name));
    all.into_iter().filter(|(_, names)| uses(names)).map(|(folder, _)| folder).collect()
}

/// Rust files below a folder, with their text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap_or_default();
            if name != "target" && name != "node_modules" {
                found.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

#[test]
fn only_the_sandbox_names_wasmtime() {
    assert_eq!(users_of(&["wasmtime", "wasmtime-wasi"]), ["sandbox"]);
}

#[test]
fn only_one_crate_connects_to_watched_servers() {
    assert_eq!(users_of(&["clickhouse"]), ["clickhouse"]);
    // The server does speak HTTP: to endpoints, issuers and collectors, each from a file that says so.
    assert_eq!(users_of(&["reqwest"]), ["server"]);
}

#[test]
fn only_the_store_speaks_sql_to_a_database_of_ours() {
    assert_eq!(users_of(&["sqlx"]), ["store"]);
}

#[test]
fn the_sandbox_knows_neither_clickhouse_nor_http() {
    let known = &dependencies()["sandbox"];
    let strange = ["chm-clickhouse", "clickhouse", "reqwest", "hyper", "hyper-util", "poem", "url"];
    assert!(strange.iter().all(|name| !known.contains(*name)), "{known:?}");
}

#[test]
fn access_and_manifest_are_pure() {
    for folder in ["access", "manifest"] {
        let known = &dependencies()[folder];
        let active = ["tokio", "futures", "reqwest", "nix", "libc", "tempfile", "tracing"];
        assert!(active.iter().all(|name| !known.contains(*name)), "{folder}: {known:?}");
        for (path, text) in sources(&root().join("host").join(folder).join("src")) {
            for reach in
                ["std::fs", "std::net", "std::env", "std::process", "SystemTime::now", "Instant::now", "async fn"]
            {
                assert!(!text.contains(reach), "{} has {reach}", path.display());
            }
        }
    }
}

#[test]
fn unsafe_code_is_in_the_launcher_only() {
    // Put together here, so that this file does not find itself.
    let (block, function) = (["unsafe", "{"].join(" "), ["unsafe", "fn"].join(" "));
    let allow = ["allow(", "unsafe_code"].concat();
    for folder in ["host", "sdk", "plugins", "tests"] {
        for (path, text) in sources(&root().join(folder)) {
            if !path.ends_with("host/embedded/src/launcher.rs") {
                let found = [&block, &function, &allow].into_iter().find(|word| text.contains(word.as_str()));
                assert_eq!(found, None, "{}", path.display());
            }
        }
    }
}

#[test]
fn a_file_is_about_one_thing() {
    const VAGUE: [&str; 6] = ["utils", "util", "common", "helpers", "manager", "misc"];
    for folder in ["host", "sdk", "plugins", "tests"] {
        for (path, text) in sources(&root().join(folder)) {
            let lines = text.lines().count();
            assert!(lines <= MOST_LINES, "{} has {lines} lines", path.display());
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            assert!(!VAGUE.contains(&name.as_ref()), "{} says nothing by its name", path.display());
        }
    }
}

#[test]
fn every_test_that_the_architecture_names_exists() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let all: String = ["host", "sdk", "plugins", "tests"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .map(|(_, text)| text)
        .collect();
    let words = page.split('`').skip(1).step_by(2);
    // Names of tests are sentences: small words, joined.
    let is_sentence = |word: &str| {
        word.matches('_').count() >= 3 && word.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    let tests: Vec<&str> = words.filter(|word| is_sentence(word)).collect();
    assert!(tests.len() > 30, "{tests:?}");
    for test in tests {
        assert!(all.contains(&format!("fn {test}(")), "ARCHITECTURE.md names `{test}`, which is no test");
    }
}

/// The cells of the rows below `| Setting |`, without their back quotes.
fn rows_on_settings(page: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let inner = line.trim_matches('|').split('|');
        inner.map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>()
    };
    let table =
        page.lines().skip_while(|line| !line.starts_with("| Setting |")).take_while(|line| line.starts_with('|'));
    let mut rows: Vec<_> = table.map(cells).collect();
    if rows.len() > 2 { rows.split_off(2) } else { Vec::new() }
}

#[test]
fn a_plugins_page_tells_its_settings_as_its_manifest_does() {
    let reference = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let mut pages = 0;
    for entry in fs::read_dir(root().join("plugins")).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(manifest) = fs::read_to_string(folder.join("plugin.toml")) else { continue };
        let manifest: toml::Table = manifest.parse().unwrap();
        let id = manifest["id"].as_str().unwrap();
        assert_eq!(folder.file_name().unwrap().to_string_lossy(), id, "a plugin's folder has its name");
        let page =
            fs::read_to_string(folder.join("README.md")).unwrap_or_else(|error| panic!("{id}/README.md: {error}"));
        assert!(page.starts_with(&format!("# {id}\n")), "{id}/README.md has another title");
        let none = toml::Table::new();
        let settings = manifest.get("settings").map_or(&none, |settings| settings.as_table().unwrap());
        let rows = rows_on_settings(&page);
        // What is set elsewhere than among the plugin's settings is named with its table.
        let rows: Vec<_> = rows.iter().filter(|row| !row[0].contains(['.', '['])).collect();
        let told: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(told, settings.keys().map(String::as_str).collect(), "{id}/README.md and {id}/plugin.toml");
        for row in rows {
            let (setting, default) = (&row[0], &row[row.len() - 2]);
            if let Some(value) = settings[setting].get("default") {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                assert_eq!(*default, value, "the default of {setting} in {id}/README.md");
            }
            let set_by =
                reference.lines().find(|line| line.ends_with(&format!("| Sets `plugins.{id}.settings.{setting}`. |")));
            let variable = set_by.and_then(|line| line.split('`').nth(1)).unwrap_or_default();
            let told = if row.len() == 4 { row[1].as_str() } else { "" };
            assert_eq!(told, variable, "the variable of {setting} in {id}/README.md");
        }
        pages += usize::from(!settings.is_empty());
    }
    assert!(pages >= 5, "{pages} pages");
}
