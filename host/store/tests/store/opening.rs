//! Opening a store, sharing it, losing it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use chm_store::{Store, StoreUrl};

use crate::postgres::{Database, PASSWORD};
use crate::{Place, entry, key};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_file_and_its_folder_are_the_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("new").join("chm");
    let store = Store::open(&StoreUrl::sqlite(own.join("state.db"))).await.unwrap();
    store.append(&entry("write")).await.unwrap();
    assert_eq!(mode(&own), 0o700);
    let files: Vec<_> = fs::read_dir(&own).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() > 1, "the file and its journal: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_file_that_is_there_keeps_what_is_in_it() {
    for place in Place::both().await {
        place.store.insert_key(&key("k1"), &entry("key.mint")).await.unwrap();
        place.store.close().await;
        let again = Store::open(&place.url).await.unwrap();
        assert!(again.key("k1").await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_hosts_start_at_once_on_one_new_store() {
    let folder = tempfile::tempdir().unwrap();
    let database = tokio::task::spawn_blocking(Database::create).await.unwrap();
    for url in [StoreUrl::sqlite(folder.path().join("state.db")), database.url().parse().unwrap()] {
        let hosts = (0..12).map(|number| {
            let url = url.clone();
            tokio::spawn(async move {
                let store = Store::open(&url).await?;
                store.insert_key(&key(&format!("k{number}")), &entry("key.mint")).await
            })
        });
        for host in hosts.collect::<Vec<_>>() {
            host.await.unwrap().unwrap();
        }
        assert_eq!(Store::open(&url).await.unwrap().keys(100, None).await.unwrap().items.len(), 12);
    }
}

#[tokio::test]
async fn a_host_works_with_tables_that_a_newer_one_has_added_to() {
    for place in Place::both().await {
        let newer = "INSERT INTO chm_migrations (version, description, success, checksum, execution_time) \
                     VALUES (9999, 'later', TRUE, '', 1)";
        place.run(newer).await.unwrap();
        place.run("ALTER TABLE chm_keys ADD COLUMN later TEXT").await.unwrap();
        let older = Store::open(&place.url).await.unwrap();
        older.insert_key(&key("k1"), &entry("key.mint")).await.unwrap();
        assert!(older.key("k1").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_database_may_be_shared_with_another_program() {
    let database = tokio::task::spawn_blocking(Database::create).await.unwrap();
    database.try_run("CREATE TABLE _sqlx_migrations (version TEXT); CREATE TABLE keys (id INT)").unwrap();
    Store::open(&database.url().parse().unwrap()).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_opened_is_named_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "not a folder").unwrap();
    fs::write(folder.path().join("other.db"), "not a database, but longer than the header of one: ".repeat(20))
        .unwrap();
    let database = tokio::task::spawn_blocking(Database::create).await.unwrap();
    let port = database.url().rsplit_once(':').unwrap().1.split('/').next().unwrap().to_owned();
    for (url, named) in [
        (format!("sqlite:{}/file/state.db", folder.path().display()), "cannot be created"),
        (format!("sqlite:{}/other.db", folder.path().display()), "not a database"),
        (format!("postgres://chm:{PASSWORD}@127.0.0.1:{port}/absent"), "\"absent\" does not exist"),
        (format!("postgres://eve:{PASSWORD}@127.0.0.1:{port}/postgres"), "authentication failed"),
        (format!("postgres://chm:{PASSWORD}@127.0.0.1:1/postgres"), "127.0.0.1:1/postgres cannot be opened"),
    ] {
        let error = Store::open(&url.parse().unwrap()).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(named), "{shown}");
        assert!(!shown.contains(PASSWORD), "{shown}");
    }
    let store = Store::open(&database.url().parse().unwrap()).await.unwrap();
    assert!(!format!("{store:?}").contains(PASSWORD));
}

#[tokio::test]
async fn a_store_that_is_lost_says_so_and_is_found_again() {
    let place = Place::postgres().await;
    let database = place.database.as_ref().unwrap();
    place.store.insert_key(&key("k1"), &entry("key.mint")).await.unwrap();
    database.cut();
    let began = Instant::now();
    for _ in 0..3 {
        place.store.key("k1").await.unwrap_err();
        place.store.append(&entry("write")).await.unwrap_err();
    }
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    database.mend();
    assert!(place.store.key("k1").await.unwrap().is_some());
    place.store.ping().await.unwrap();
}
