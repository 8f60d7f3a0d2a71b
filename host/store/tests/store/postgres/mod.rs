//! A real PostgreSQL for tests: one server per test program, one database per test, gone when the program ends.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What the server is protected with; shows up nowhere else, so that tests can look for it.
pub const PASSWORD: &str = "hunter2-of-postgres";

const READY: Duration = Duration::from_secs(240);
const ATTEMPTS: u32 = 5;

/// Runs the server until its own input ends, which it does however the test program ends.
const SUPERVISE: &str = r#"
"$@" >"$DIR/log" 2>&1 &
server=$!
cat >/dev/null
kill -INT "$server" 2>/dev/null
wait "$server"
rm -rf "$DIR"
"#;

/// A database of its own, on the server of this test program.
pub struct Database {
    server: &'static Server,
    name: String,
}

impl Database {
    /// Makes one.
    pub fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = Server::get();
        let name = format!("claim_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        server.run(&format!("CREATE DATABASE {name}"), "postgres");
        Self { server, name }
    }

    /// Its address, with the password.
    pub fn url(&self) -> String {
        format!("postgres://chm:{PASSWORD}@127.0.0.1:{}/{}", self.server.port, self.name)
    }

    /// Lets nobody in any more, and throws out who is there.
    pub fn cut(&self) {
        let Self { server, name } = self;
        server.run(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"), "postgres");
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        server.run(&end, "postgres");
    }

    /// Lets everybody in again.
    pub fn mend(&self) {
        self.server.run(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name), "postgres");
    }

    /// Runs a statement as the superuser; its error, if it has one.
    pub fn try_run(&self, statement: &str) -> Result<String, String> {
        self.server.try_run(statement, &self.name)
    }
}

struct Server {
    programs: PathBuf,
    port: u16,
    _supervisor: Child,
    _input: ChildStdin,
}

impl Server {
    fn get() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| {
            let programs = programs();
            // Between choosing a port and listening on it somebody else may take it.
            (0..ATTEMPTS).find_map(|_| Self::start(&programs)).expect("PostgreSQL does not start")
        })
    }

    #[expect(clippy::zombie_processes, reason = "it ends when this program does, after the server")]
    fn start(programs: &Path) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("chm-pg-").tempdir().unwrap().keep();
        let (data, password) = (folder.join("data"), folder.join("password"));
        fs::write(&password, PASSWORD).unwrap();
        if is_root() {
            let (user, group) = (id_of("-u"), id_of("-g"));
            [&folder, &password].into_iter().for_each(|path| chown(path, Some(user), Some(group)).unwrap());
        }
        let made = unprivileged(&programs.join("initdb"))
            .args(["--username=chm", "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"])
            .arg(format!("--pwfile={}", password.display()))
            .arg(format!("--pgdata={}", data.display()))
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let server = unprivileged(&programs.join("postgres"));
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISE, "sh"])
            .arg(server.get_program())
            .args(server.get_args())
            .arg(format!("-D{}", data.display()))
            .arg(format!("-p{port}"))
            .arg(format!("-k{}", folder.display()))
            .args(["-clisten_addresses=127.0.0.1", "-cfsync=off", "-cmax_connections=300"])
            .env("DIR", &folder)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let input = supervisor.stdin.take().unwrap();
        let began = Instant::now();
        loop {
            let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            if state.lines().nth(7).is_some_and(|word| word.trim() == "ready") {
                return Some(Self { programs: programs.to_owned(), port, _supervisor: supervisor, _input: input });
            }
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            if began.elapsed() > READY || log.contains("FATAL") {
                let _ = writeln!(std::io::stderr(), "PostgreSQL: {log}");
                drop(input);
                let _ = supervisor.wait();
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn run(&self, statement: &str, database: &str) -> String {
        self.try_run(statement, database).unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    fn try_run(&self, statement: &str, database: &str) -> Result<String, String> {
        let ran = Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "-hlocalhost"])
            .args(["-Uchm", &format!("-p{}", self.port), "-d", database, "-c", statement])
            .env("PGPASSWORD", PASSWORD)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if ran.status.success() { Ok(text(&ran.stdout)) } else { Err(text(&ran.stderr)) }
    }
}

/// Debian keeps the programs of each version in a folder of its own.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists());
    found.max().expect(
        "PostgreSQL is not installed, and this claim is about a real one: \
         `apt-get install --no-install-recommends postgresql` (it need not be running)",
    )
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0)
}

/// PostgreSQL refuses to run as root; its package brings a user for that.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn id_of(which: &str) -> u32 {
    let id = Command::new("id").args([which, "postgres"]).output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().parse().expect("there is no user `postgres`")
}
