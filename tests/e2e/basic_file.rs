//! An auth provider that is not written in Rust: `plugins/auth-basic-file`, made by its own tools as its page says.

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::harness::{
    Host, HostBuilder, PluginFolder, Visit, changed_javascript_plugin, eventually, javascript_plugin, run,
};

const SOURCE: &str = "plugins/auth-basic-file";
const ID: &str = "auth-basic-file";
/// Written by `htpasswd -nbB` of Apache 2.4, cost 5.
const ANN: (&str, &str, &str) =
    ("ann", "correct horse", "$2y$05$N/CTt6Cbjg8C2Zl4xh8bjuFN4a5iq142er4eA2vtFnOAm9ImZq0oy");
const BOB: (&str, &str) = ("bob", "pässwörd: with a colon");

fn plugin() -> &'static [u8] {
    static MADE: LazyLock<Vec<u8>> = LazyLock::new(|| javascript_plugin(SOURCE));
    &MADE
}

/// The operator's side: the plugin, the right to use its secret, and its settings.
fn host(plugin: &[u8], settings: &str) -> HostBuilder {
    Host::with_bundled()
        .plugins(PluginFolder::bundled().with_file("auth-basic-file.wasm", plugin))
        .env("CHM_AUTH_PROVIDER", ID)
        // Time enough for a bcrypt without optimisation, on a machine that is busy.
        .config(&format!("[plugins.{ID}.limits]\ncpu_ms = 10000\nwall_ms = 30000"))
        .config(&format!("[plugins.{ID}.grants]\nsecrets = [\"users\"]\n[plugins.{ID}.settings]\n{settings}"))
}

/// Two people and their roles.
fn people() -> String {
    let hash = bcrypt::hash(BOB.1, 4).expect("a hash");
    let users = format!("# who may enter\n{}:{}\n{}:{hash}", ANN.0, ANN.2, BOB.0);
    format!("roles = [\"ann=sre\", \"ann=dev\", \"bob=dev\"]\nusers = '''\n{users}\n'''\n")
}

fn basic(credentials: impl AsRef<[u8]>) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

fn with(what: &str, authorization: impl AsRef<[u8]>) -> Visit {
    Visit::new(what).header("authorization", authorization)
}

fn visits() -> Vec<Visit> {
    let pair = |user: &str, password: &str| basic(format!("{user}:{password}"));
    let ann = || json!({"subject": "ann", "roles": ["sre", "dev"]});
    let right = || pair(ANN.0, ANN.1);
    vec![
        with("the right password, of Apache's htpasswd", right()).enters_as(ann()),
        with("the scheme in other letters", right().replace("Basic", "bASIC")).enters_as(ann()),
        with("a password of UTF-8 with a colon", pair(BOB.0, BOB.1))
            .enters_as(json!({"subject": "bob", "roles": ["dev"]})),
        Visit::new("no header"),
        with("an empty header", ""),
        with("the scheme alone", "Basic"),
        with("a wrong password", pair("ann", "wrong horse")),
        with("no password", pair("ann", "")),
        with("the beginning of the password", pair("ann", "correct")),
        with("the password and more", pair("ann", "correct horse.")),
        with("the password in other letters", pair("ann", "Correct horse")),
        with("somebody else's password", pair("bob", ANN.1)),
        with("a password of the file", pair("ann", ANN.2)),
        with("somebody unknown", pair("eve", ANN.1)),
        with("the user in other letters", pair("Ann", ANN.1)),
        with("nobody", pair("", ANN.1)),
        with("a comment as a user", pair("# who may enter", "")),
        with("no colon", basic("ann")),
        with("what is no base64", "Basic ann:correct horse"),
        with("base64 of the other alphabet", "Basic YW5uOmNvcnJlY3QgaG9yc2U_"),
        with("a header that is not UTF-8", b"Basic \xff\xfe"),
        with("credentials that are not UTF-8", basic(b"bob:p\xe4ssw\xf6rd: with a colon")),
        with("a control character", pair("ann\0", ANN.1)),
        with("a password longer than any", pair("ann", &"x".repeat(1000))),
        with("a header longer than any", pair("ann", &"x".repeat(20_000))),
        with("another scheme", right().replace("Basic", "Bearer")),
        with("the header twice", right()).header("authorization", right()),
        with("the header twice, first wrong", pair("ann", "wrong")).header("authorization", right()),
        Visit::new("another header").header("proxy-authorization", right()),
        Visit::new("a cookie").cookie("authorization", right()),
    ]
}

#[test]
fn an_auth_provider_in_javascript_signs_people_in_by_their_passwords() {
    run(async {
        let host = host(plugin(), &people()).unhurried().start().await;
        for visit in visits() {
            visit.to(&host, ID).await;
        }
        let all = host.stderr() + &host.stdout();
        assert!(!all.contains("trap") && !all.contains("the auth provider failed"), "{all}");
    });
}

#[test]
fn roles_of_a_javascript_provider_open_what_the_matrix_says() {
    run(async {
        let host = host(plugin(), &people()).unhurried().env("CHM_FEATURE_QUERIES_ACCESS", "role:sre").start().await;
        for ((user, password), status) in [((ANN.0, ANN.1), 200), (BOB, 403), ((ANN.0, "wrong"), 401)] {
            let visit = with(user, basic(format!("{user}:{password}")));
            let answer = visit.ask(&host, "/api/v1/tables/running-queries").await;
            assert_eq!(answer.status, status, "{user}: {answer}");
        }
    });
}

/// A provider that tells the log all it gets to see.
fn curious() -> Vec<u8> {
    changed_javascript_plugin(SOURCE, |code| {
        let told = code
            .replace("authenticate() {", "authenticate(head) { write('info', `sees ${JSON.stringify(head)}`);")
            .replace(
                "const found = basic('users');",
                "const found = basic('users'); write('info', `hears ${JSON.stringify(found)}`);",
            );
        assert!(told.contains("sees $") && told.contains("hears $"), "{told}");
        told
    })
}

#[test]
fn a_password_is_neither_in_the_plugin_nor_in_the_log() {
    run(async {
        let host = host(&curious(), &people()).unhurried().env("CHM_LOG_LEVEL", "debug").start().await;
        let (right, wrong) = (basic("ann:correct horse"), basic("ann:wrong horse"));
        for authorization in [&right, &wrong] {
            with("somebody", authorization).ask(&host, "/api/v1/hosts").await;
        }
        host.logged("hears").await;
        host.logged("wrong user or password").await;
        let log = host.stderr() + &host.stdout();
        let encoded = |authorization: &str| authorization.trim_start_matches("Basic ").to_owned();
        for canary in
            ["correct horse".to_owned(), "wrong horse".to_owned(), encoded(&right), encoded(&wrong), ANN.2.to_owned()]
        {
            assert!(!log.contains(&canary), "{canary} is in the log:\n{log}");
        }
        assert!(log.contains("/api/v1/hosts") && log.contains("sees "), "{log}");
    });
}

#[test]
fn guessing_passwords_is_slowed_down() {
    run(async {
        let host = host(plugin(), &people()).env("CHM_FAILED_SIGN_INS_PER_MIN", "5").start().await;
        let mut statuses = Vec::new();
        for guess in 0..20 {
            let answer = with("a guess", basic(format!("ann:guess {guess}"))).ask(&host, "/api/v1/hosts").await;
            statuses.push(answer.status);
        }
        assert_eq!(statuses.first(), Some(&401));
        assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
        assert!(statuses.iter().filter(|&&status| status == 401).count() <= 8, "{statuses:?}");
        // Also who guesses right is not heard then.
        let answer = with("the right one", basic("ann:correct horse")).ask(&host, "/api/v1/hosts").await;
        assert_eq!(answer.status, 429, "{answer}");
    });
}

#[test]
fn a_password_counts_as_soon_as_the_file_has_it() {
    run(async {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("users");
        let write = |password: &str| {
            let hash = bcrypt::hash(password, 4).expect("a hash");
            // As `htpasswd` and careful operators do it: never half a file.
            let fresh = path.with_extension("new");
            std::fs::write(&fresh, format!("ann:{hash}\n")).expect("a file");
            std::fs::rename(fresh, &path).expect("a file");
        };
        write("before");
        let users = format!("users = {{ file = '{}' }}\n", path.display());
        let host = host(plugin(), &users).unhurried().start().await;
        let enters = async |password: &str| {
            with(password, basic(format!("ann:{password}"))).ask(&host, "/api/v1/hosts").await.status == 200
        };
        assert!(enters("before").await && !enters("after").await);
        write("after");
        eventually("the new password counts", Duration::from_secs(20), async || enters("after").await).await;
        assert!(!enters("before").await);
        std::fs::remove_file(&path).expect("removed");
        eventually("no file, no entry", Duration::from_secs(20), async || !enters("after").await).await;
    });
}

#[test]
fn a_mistake_in_the_roles_refuses_the_plugin_and_nobody_enters() {
    run(async {
        let settings = format!("roles = [\"ann\"]\nusers = '{}:{}'\n", ANN.0, ANN.2);
        let host = host(plugin(), &settings).start().await;
        host.logged("the setting `roles` has `ann`; expected `user=role`").await;
        with("the right password", basic("ann:correct horse")).to(&host, ID).await;
    });
}

#[test]
fn without_the_grant_or_a_usable_file_nobody_enters() {
    run(async {
        let ungranted = Host::with_bundled()
            .plugins(PluginFolder::bundled().with_file("auth-basic-file.wasm", plugin()))
            .env("CHM_AUTH_PROVIDER", ID)
            .config(&format!("[plugins.{ID}.settings]\nusers = '{}:{}'\n", ANN.0, ANN.2));
        for builder in [ungranted, host(plugin(), ""), host(plugin(), "users = 'ann:correct horse'\n")] {
            let host = builder.start().await;
            with("the right password", basic("ann:correct horse")).to(&host, ID).await;
        }
    });
}
