//! When an engine is fetched, and when the one that is there does.

use std::cell::Cell;

use super::*;

/// An npm that "downloads" the given archive: a shell script run by `sh`, so that no freshly
/// written file is executed while another test thread forks.
fn npm_that(folder: &Path, script: &str) -> Vec<OsString> {
    let path = folder.join("npm.sh");
    fs::write(&path, script).unwrap();
    vec!["/bin/sh".into(), path.into()]
}

fn archive_with(name: &str, content: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    tar.append_data(&mut header, name, content).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

struct Fixture {
    folder: tempfile::TempDir,
    options: LibraryOptions,
}

impl Fixture {
    fn new(archive: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        fs::write(&source, archive).unwrap();
        // Arguments: pack <spec> --pack-destination <folder> ...
        let script =
            format!("echo fetched >> '{0}/calls'; cp '{1}' \"$4/a.tgz\"", folder.path().display(), source.display());
        let options = LibraryOptions {
            path: None,
            cache: Some(folder.path().join("cache")),
            npm: npm_that(folder.path(), &script),
            integrity: format!("sha512-{}", BASE64.encode(Sha512::digest(archive))),
        };
        Fixture { folder, options }
    }

    fn fetches(&self) -> usize {
        fs::read_to_string(self.folder.path().join("calls")).map_or(0, |text| text.lines().count())
    }
}

#[test]
fn a_library_is_fetched_once_and_then_found() {
    let fixture = Fixture::new(&archive_with(IN_ARCHIVE, b"library"));
    let steps = Cell::new(0);
    let count = |_: Progress| steps.set(steps.get() + 1);
    let path = obtain(&fixture.options, &count).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"library");
    assert!(steps.get() >= 3, "each phase reports");
    assert_eq!(obtain(&fixture.options, &|_| {}).unwrap(), path);
    assert_eq!(fixture.fetches(), 1);
    let mut left: Vec<_> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, [FILE_NAME, MARKER_NAME, "lock"]);
}

#[test]
fn many_at_once_fetch_once() {
    let fixture = Fixture::new(&archive_with(IN_ARCHIVE, b"library"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| obtain(&fixture.options, &|_| {}).unwrap());
        }
    });
    assert_eq!(fixture.fetches(), 1);
}

#[test]
fn an_archive_with_another_digest_is_refused_and_nothing_is_kept() {
    let mut fixture = Fixture::new(&archive_with(IN_ARCHIVE, b"library"));
    fixture.options.integrity = INTEGRITY.to_owned();
    let error = obtain(&fixture.options, &|_| {}).unwrap_err();
    assert!(matches!(error, LibraryError::Digest { .. }), "{error}");
    assert!(error.to_string().contains("CLICKHOUSE_HOST"), "{error}");
    let folder = fixture.folder.path().join("cache/engine").join(VERSION);
    assert!(!folder.join(FILE_NAME).exists());
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "only the lock");
}

#[test]
fn an_archive_without_the_library_is_refused() {
    let fixture = Fixture::new(&archive_with("package/deep/libchdb.so", b"library"));
    let error = obtain(&fixture.options, &|_| {}).unwrap_err();
    assert!(matches!(error, LibraryError::NotInArchive), "{error}");
}

#[test]
fn a_damaged_copy_is_fetched_again() {
    let fixture = Fixture::new(&archive_with(IN_ARCHIVE, b"library"));
    let path = obtain(&fixture.options, &|_| {}).unwrap();
    let damages: [&dyn Fn(); 4] = [
        &|| fs::write(&path, b"lib").unwrap(),
        &|| fs::write(&path, b"LIBRARY").unwrap(),
        &|| fs::remove_file(&path).unwrap(),
        &|| fs::write(path.with_file_name(MARKER_NAME), b"{").unwrap(),
    ];
    for (index, damage) in damages.iter().enumerate() {
        damage();
        obtain(&fixture.options, &|_| {}).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"library", "damage {index}");
        assert_eq!(fixture.fetches(), index + 2, "damage {index}");
    }
}

#[test]
fn a_copied_cache_is_accepted_by_its_digest() {
    let fixture = Fixture::new(&archive_with(IN_ARCHIVE, b"library"));
    let path = obtain(&fixture.options, &|_| {}).unwrap();
    fs::write(&path, b"library").unwrap();
    obtain(&fixture.options, &|_| {}).unwrap();
    assert_eq!(fixture.fetches(), 1);
}

#[test]
fn a_killed_fetch_is_cleaned_up() {
    let fixture = Fixture::new(&archive_with(IN_ARCHIVE, b"library"));
    let abandoned = fixture.folder.path().join("cache/engine").join(VERSION).join(".fetch-old");
    fs::create_dir_all(&abandoned).unwrap();
    fs::write(abandoned.join("half.tgz"), b"half").unwrap();
    obtain(&fixture.options, &|_| {}).unwrap();
    assert!(!abandoned.exists());
}

#[test]
fn failures_of_npm_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing: Vec<OsString> = vec![folder.path().join("no-npm").into()];
    let offline = npm_that(folder.path(), "echo 'npm error code ENOTFOUND' >&2; exit 1");
    for (npm, expected) in [(missing, "is not installed"), (offline, "could not reach its registry")] {
        let options = LibraryOptions { cache: Some(folder.path().join("cache")), npm, ..LibraryOptions::default() };
        let shown = obtain(&options, &|_| {}).unwrap_err().to_string();
        assert!(shown.contains(expected), "{shown}");
        assert!(shown.contains("CLICKHOUSE_HOST"), "{shown}");
    }
}

#[test]
fn a_given_path_is_used_as_it_is_or_named_in_the_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.so");
    let options = LibraryOptions { path: Some(path.clone()), ..LibraryOptions::default() };
    let error = obtain(&options, &|_| {}).unwrap_err().to_string();
    assert!(error.contains("mine.so"), "{error}");
    fs::write(&path, b"").unwrap();
    assert_eq!(obtain(&options, &|_| {}).unwrap(), path);
}
