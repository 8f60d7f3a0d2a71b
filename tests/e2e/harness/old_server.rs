//! Debian's ClickHouse 18.16.1: the oldest server that anybody still runs, and a real server besides.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use super::npm::finished;
use super::runtime::{PATIENCE, client};

/// Upstream's number of the package.
const VERSION: &str = "18.16.1";
const USER: (&str, &str) = ("watcher", "watcher-password");
/// A user whose profile has `readonly = 1`.
const STRICT_USER: (&str, &str) = ("strict", "strict-password");
const ATTEMPTS: u32 = 5;

/// Runs the server until its own input ends, which it does however the test program ends.
const SUPERVISE: &str = r#"
"$@" >"$DIR/console" 2>&1 &
server=$!
cat >/dev/null
kill -KILL "$server" 2>/dev/null
wait "$server" 2>/dev/null
rm -rf "$DIR"
"#;

const CONFIG: &str = "<yandex>
  <logger><level>warning</level><log>server.log</log><errorlog>server.err.log</errorlog></logger>
  <http_port>PORT</http_port><listen_host>127.0.0.1</listen_host>
  <path>./data/</path><tmp_path>./data/tmp/</tmp_path>
  <user_files_path>./data/user_files/</user_files_path><format_schema_path>./data/schemas/</format_schema_path>
  <users_config>users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
  <mark_cache_size>67108864</mark_cache_size><timezone>UTC</timezone>
  <remote_servers></remote_servers>
  <query_log><database>system</database><table>query_log</table><flush_interval_milliseconds>200</flush_interval_milliseconds></query_log>
  <part_log><database>system</database><table>part_log</table><flush_interval_milliseconds>200</flush_interval_milliseconds></part_log>
</yandex>";

const USERS: &str = "<yandex>
  <profiles><default><log_queries>1</log_queries></default><readonly><log_queries>1</log_queries><readonly>1</readonly></readonly></profiles>
  <users>ELEMENTS</users>
  <quotas><default></default></quotas>
</yandex>";

/// Statements that leave something to show, and whether they are to fail.
const STATEMENTS: &[(&str, bool)] = &[
    ("CREATE DATABASE e2e", false),
    ("CREATE TABLE e2e.kept (n UInt32, day Date, word String) ENGINE = MergeTree PARTITION BY day ORDER BY n", false),
    ("INSERT INTO e2e.kept SELECT number, today(), toString(number) FROM system.numbers LIMIT 1000", false),
    ("INSERT INTO e2e.kept SELECT number, today() - 1, toString(number) FROM system.numbers LIMIT 1000", false),
    ("OPTIMIZE TABLE e2e.kept", false),
    ("CREATE TABLE e2e.stuck (n UInt32, word String) ENGINE = MergeTree ORDER BY n", false),
    ("INSERT INTO e2e.stuck VALUES (1, 'no number')", false),
    // Never done: the text is no number.
    ("ALTER TABLE e2e.stuck UPDATE word = toString(toUInt32(word)) WHERE 1", false),
    ("SELECT a FROM e2e.kept", true),
    ("SELECT sleep(1.1)", false),
];

/// A running server. It ends with this process.
pub struct OldServer {
    url: String,
    _supervisor: Child,
    _input: ChildStdin,
}

impl OldServer {
    #[expect(clippy::zombie_processes, reason = "it ends when this program does, after the server")]
    fn start(root: &Path) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("chm-18-").tempdir().expect("a folder").keep();
        // It cannot choose a port by itself; between choosing one here and listening on it somebody else may take it.
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("an address").port();
        let element = |(name, password): (&str, &str), profile: &str| {
            format!(
                "<{name}><password>{password}</password><networks><ip>127.0.0.1</ip></networks>\
                 <profile>{profile}</profile><quota>default</quota></{name}>"
            )
        };
        let users = [element(USER, "default"), element(STRICT_USER, "readonly"), element(("default", ""), "default")];
        for (file, text) in [
            ("config.xml", CONFIG.replace("PORT", &port.to_string())),
            ("users.xml", USERS.replace("ELEMENTS", &users.concat())),
        ] {
            std::fs::File::create(folder.join(file)).and_then(|mut f| f.write_all(text.as_bytes())).expect("a file");
        }
        let libraries = ["usr/lib", "lib"].map(|lib| root.join(lib).join("x86_64-linux-gnu").display().to_string());
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISE, "sh"])
            .arg(root.join("usr/sbin/clickhouse-server"))
            .arg("--config-file=config.xml")
            .env("DIR", &folder)
            .env("LD_LIBRARY_PATH", libraries.join(":"))
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh");
        let input = supervisor.stdin.take().expect("a pipe");
        let deadline = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if Instant::now() > deadline {
                let console = std::fs::read_to_string(folder.join("console")).unwrap_or_default();
                eprintln!("ClickHouse {VERSION} does not listen: {console}");
                drop(input);
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { url: format!("http://127.0.0.1:{port}"), _supervisor: supervisor, _input: input })
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// A user without restrictions: name and password.
    pub fn user(&self) -> (&'static str, &'static str) {
        USER
    }

    /// A user whose profile has `readonly = 1`: name and password.
    pub fn strict_user(&self) -> (&'static str, &'static str) {
        STRICT_USER
    }

    /// Runs a statement past the host; ClickHouse's words when it refuses.
    pub async fn try_ask(&self, sql: &str) -> Result<String, String> {
        let request = client().post(&self.url).basic_auth(USER.0, Some(USER.1)).body(sql.to_owned());
        let answer = request.send().await.expect("an answer");
        let good = answer.status().is_success();
        let text = answer.text().await.expect("a text").trim_end().to_owned();
        if good { Ok(text) } else { Err(text) }
    }

    /// As [`try_ask`](Self::try_ask), of a statement that is not refused.
    pub async fn ask(&self, sql: &str) -> String {
        self.try_ask(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    async fn fill(&self) {
        assert_eq!(self.ask("SELECT version()").await, VERSION);
        for (sql, fails) in STATEMENTS {
            let outcome = self.try_ask(sql).await;
            assert_eq!(outcome.is_err(), *fails, "{sql}: {outcome:?}");
        }
        // Log tables appear when they are first written to; there is no statement that does it.
        let logs = "SELECT count() FROM system.tables WHERE database = 'system' AND name IN ('query_log', 'part_log')";
        let deadline = Instant::now() + PATIENCE;
        while self.ask(logs).await != "2" {
            assert!(Instant::now() < deadline, "no log tables within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The shared server, with data, parts and logs.
pub async fn old_server() -> &'static OldServer {
    static SERVER: OnceCell<OldServer> = OnceCell::const_new();
    SERVER
        .get_or_init(|| async {
            let start = || {
                let root = unpacked();
                (0..ATTEMPTS).find_map(|_| OldServer::start(&root)).expect("ClickHouse 18.16 does not start")
            };
            let server = tokio::task::spawn_blocking(start).await.expect("a thread");
            server.fill().await;
            server
        })
        .await
}

/// Debian's packages, unpacked into the user's cache; nothing is installed, and nobody has to be root.
fn unpacked() -> PathBuf {
    let cache = chm_embedded::xdg::cache().expect("HOME or XDG_CACHE_HOME");
    let kept = cache.join(format!("test-clickhouse-{VERSION}"));
    if kept.exists() {
        return kept;
    }
    std::fs::create_dir_all(&cache).expect("a folder");
    let fresh = tempfile::tempdir_in(&cache).expect("a folder");
    let archives = fresh.path().join("archives");
    std::fs::create_dir_all(archives.join("partial")).expect("a folder");
    let what = "fetching Debian 12's clickhouse-server, of which this claim needs a copy";
    let with = |name: &str, path: &Path| format!("-oDir::{name}={}", path.display());
    let fetch = |lists: Option<&Path>| {
        let mut command = Command::new("apt-get");
        command.args(["-qq", "-y", "--no-install-recommends", "--download-only", "-oDebug::NoLocking=1"]);
        command.arg(with("Cache::archives", &archives)).args(lists.map(|lists| with("State::Lists", lists)));
        command.args(["install", "--reinstall", "clickhouse-server"]).stdin(Stdio::null());
        command
    };
    if !fetch(None).output().is_ok_and(|output| output.status.success()) {
        // The system's own lists are old or not there, and only root may renew those.
        let lists = fresh.path().join("lists");
        std::fs::create_dir_all(lists.join("partial")).expect("a folder");
        let mut update = Command::new("apt-get");
        update.args(["-qq", "-oDebug::NoLocking=1"]).arg(with("State::Lists", &lists)).arg("update");
        finished(what, update.stdin(Stdio::null()));
        finished(what, &mut fetch(Some(&lists)));
    }
    let root = fresh.path().join("root");
    std::fs::create_dir_all(&root).expect("a folder");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&archives).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            finished("dpkg-deb", Command::new("dpkg-deb").arg("-x").arg(&path).arg(&root));
            names.push(path.file_name().expect("a name").to_string_lossy().into_owned());
        }
    }
    let wanted = format!("clickhouse-server_{VERSION}");
    assert!(names.iter().any(|name| name.starts_with(&wanted)), "expected {wanted}, fetched: {}", names.join(" "));
    // Another process may have been first, with the same.
    let _ = std::fs::rename(&root, &kept);
    kept
}
