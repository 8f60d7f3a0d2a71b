//! Law 11: generated artefacts are checked in, and these tests compare them with what the code makes.
//!
//! `openapi/chm.json`, which needs the bundled plugins, is compared in `tests/e2e/document.rs`.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;

/// Rewrites every artefact of this file.
const REWRITE: &str = "UPDATE_ARTEFACTS=1 cargo test -p chm-host --test artefacts";

#[test]
fn the_configuration_reference_is_what_the_host_understands() {
    compare("docs/configuration.md", &chm_host::config::reference_markdown());
}

#[test]
fn the_error_catalogue_is_what_the_host_answers() {
    compare("docs/errors.md", &chm_host::api::catalogue_markdown());
}

fn compare(file: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    if std::env::var_os("UPDATE_ARTEFACTS").is_some_and(|value| !value.is_empty()) {
        std::fs::write(&path, made).unwrap_or_else(|error| panic!("writing {file}: {error}"));
        return;
    }
    let kept =
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}; make it with\n    {REWRITE}"));
    if kept == made {
        return;
    }
    let mut lines = kept.lines().zip(made.lines()).enumerate();
    let place = lines.find(|(_, (kept, made))| kept != made).map_or_else(
        || "one ends before the other".to_owned(),
        |(index, (kept, made))| format!("line {}\n  checked in: {kept}\n  made:       {made}", index + 1),
    );
    panic!("{file} is not what the code makes: {place}\nread the difference, then rewrite it with\n    {REWRITE}");
}
