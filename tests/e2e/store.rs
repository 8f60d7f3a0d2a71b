//! Where the host keeps its own state.

use std::os::unix::fs::PermissionsExt;

use crate::harness::{Host, command, run};
use crate::postgres::PASSWORD;

#[test]
fn a_store_that_cannot_be_opened_stops_the_start_and_is_named_without_its_password() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        for (url, named) in [
            (format!("sqlite:{}/file/state.db", folder.path().display()), "cannot be created"),
            (format!("postgres://chm:{PASSWORD}@127.0.0.1:1/chm"), "postgres://127.0.0.1:1/chm cannot be opened"),
            (format!("mysql://chm:{PASSWORD}@127.0.0.1/chm"), "CHM_STORE_URL"),
            (format!("postgres://chm:{PASSWORD}@127.0.0.1:x/chm"), "CHM_STORE_URL"),
        ] {
            let started = Host::with_bundled().watches_nothing().env("CHM_STORE_URL", &url).try_start().await;
            let Err(ended) = started else { panic!("{url}: it started") };
            assert!(!ended.status.success());
            assert!(ended.stderr.contains(named), "{named}: {}", ended.stderr);
            assert!(!ended.stderr.contains(PASSWORD), "{}", ended.stderr);
        }
    });
}

#[test]
fn the_users_state_folder_is_where_the_store_is_when_nobody_says() {
    let folder = tempfile::tempdir().unwrap();
    let made = command(&["keys", "mint"])
        .env("XDG_STATE_HOME", folder.path())
        .env("CHM_API_KEY_SECRET", "a-secret-that-signs-keys")
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let file = folder.path().join("chm-host/state.db");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_the_store_is_reached_with_is_not_shown() {
    let checked = command(&["config", "check"])
        .env("CHM_STORE_URL", format!("postgres://chm:{PASSWORD}@db.example/chm"))
        .output()
        .unwrap();
    let shown = format!("{}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    assert!(shown.contains("store.url") && !shown.contains(PASSWORD), "{shown}");
}
