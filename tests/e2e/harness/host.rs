//! The program under test, as a process of its own with the environment that a claim gives it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver as Lines, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::answer::Answer;
use super::engine::engine;
use super::folder::PluginFolder;
use super::runtime::{client, eventually};

/// How long a host may take to its first line. Compiling plugins for the first time is in it.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Ends the host when its standard input does: a host never outlives the process that started it, however that ends.
const SUPERVISOR: &str = r#"
    exec 3<&0
    "$@" 3<&- </dev/null & host=$!
    echo "process $host"
    { read -r _ <&3; kill -TERM $host; } 2>/dev/null & watcher=$!
    wait $host; status=$?
    kill $watcher 2>/dev/null
    exit $status
"#;

/// A host to be.
pub struct HostBuilder {
    environment: BTreeMap<String, String>,
    config: String,
    plugins: PluginFolder,
    watches: Option<(String, String, String)>,
    unwatched: bool,
    command: &'static [&'static str],
}

impl HostBuilder {
    /// Sets a variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Lets claims ask, and fail to sign in, as often as they like.
    pub fn unhurried(self) -> Self {
        self.env("RATE_LIMIT_API_PER_MIN", "1000000").env("CHM_FAILED_SIGN_INS_PER_MIN", "1000000")
    }

    /// Adds lines to its configuration file.
    pub fn config(mut self, toml: &str) -> Self {
        self.config.push_str(toml);
        self.config.push('\n');
        self
    }

    /// Takes these plugins instead of the bundled ones.
    pub fn plugins(mut self, folder: PluginFolder) -> Self {
        self.plugins = folder;
        self
    }

    /// Takes one guest of these tests besides.
    pub fn guest(mut self, id: &str) -> Self {
        self.plugins = self.plugins.with_guest(id);
        self
    }

    /// Watches another server than the shared engine.
    pub fn watches(mut self, url: &str, (user, password): (&str, &str)) -> Self {
        self.watches = Some((url.to_owned(), user.to_owned(), password.to_owned()));
        self
    }

    /// Watches the shared engine as another user.
    pub async fn watches_as(self, user: (&str, &str)) -> Self {
        let url = engine().await.url();
        self.watches(&url, user)
    }

    /// Watches nothing.
    pub fn watches_nothing(mut self) -> Self {
        self.unwatched = true;
        self
    }

    /// Starts an engine of its own, with data in this folder: `up` and not `serve`.
    pub fn up(mut self, data: &std::path::Path) -> Self {
        self.command = &["up", "--no-demo"];
        self.watches_nothing().env("XDG_DATA_HOME", &data.to_string_lossy())
    }

    /// Starts it and waits until it listens.
    pub async fn start(self) -> Host {
        match self.try_start().await {
            Ok(host) => host,
            Err(ended) => panic!("the host did not start: {ended:?}"),
        }
    }

    /// Starts it; when it ends instead of listening, how.
    pub async fn try_start(mut self) -> Result<Host, Ended> {
        if !self.unwatched {
            let (url, user, password) = match self.watches.take() {
                Some(watched) => watched,
                None => {
                    let engine = engine().await;
                    let (user, password) = engine.administrator();
                    (engine.url(), user.to_owned(), password.to_owned())
                }
            };
            for (name, value) in
                [("CLICKHOUSE_HOST", url), ("CLICKHOUSE_USER", user), ("CLICKHOUSE_PASSWORD", password)]
            {
                self.environment.entry(name.to_owned()).or_insert(value);
            }
        }
        tokio::task::spawn_blocking(move || Host::spawn(self)).await.expect("a thread")
    }
}

/// How a host that should have listened ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub stderr: String,
}

/// A running host. Dropped, it is told to end, and killed when it does not.
pub struct Host {
    url: String,
    process: u32,
    supervisor: Child,
    _lifeline: Option<ChildStdin>,
    stderr: Arc<Mutex<String>>,
    stdout: Arc<Mutex<String>>,
    _plugins: PluginFolder,
    _config: tempfile::TempDir,
}

impl Host {
    /// A host with the bundled plugins that watches the shared engine.
    pub fn with_bundled() -> HostBuilder {
        HostBuilder {
            environment: BTreeMap::new(),
            config: String::new(),
            plugins: PluginFolder::bundled(),
            watches: None,
            unwatched: false,
            command: &["serve"],
        }
    }

    fn spawn(builder: HostBuilder) -> Result<Self, Ended> {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("chm.toml");
        std::fs::write(&config, &builder.config).expect("a file");
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SUPERVISOR, "sh", env!("CARGO_BIN_EXE_chm-host")])
            .args(builder.command)
            .args(["--listen", "127.0.0.1:0", "--plugins"])
            .arg(builder.plugins.path())
            .env_clear()
            .envs(cache_variables())
            .env("CHM_STORE_URL", format!("sqlite:{}", folder.path().join("state.db").display()))
            .envs(&builder.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !builder.config.is_empty() {
            command.arg("--config").arg(&config);
        }
        let mut supervisor = command.spawn().expect("a process");
        let stdout = Arc::<Mutex<String>>::default();
        let lines = follow(supervisor.stdout.take().expect("a pipe"), stdout.clone());
        let stderr = Arc::<Mutex<String>>::default();
        let errors = follow(supervisor.stderr.take().expect("a pipe"), stderr.clone());
        let lifeline = supervisor.stdin.take();
        let mut process = None;
        let deadline = Instant::now() + START_LIMIT;
        let url = loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(number) = line.strip_prefix("process ") {
                        process = number.parse().ok();
                    } else if let Some(url) = line.strip_prefix("listening on ") {
                        break url.to_owned();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = supervisor.wait().expect("a status");
                    // Read to its end before it is looked at.
                    while errors.recv().is_ok() {}
                    return Err(Ended { status, stderr: text(&stderr) });
                }
                Err(RecvTimeoutError::Timeout) => {
                    let _ = supervisor.kill();
                    panic!("the host did not listen within {START_LIMIT:?}:\n{}", text(&stderr));
                }
            }
        };
        Ok(Self {
            url,
            process: process.expect("the supervisor's first line"),
            supervisor,
            _lifeline: lifeline,
            stderr,
            stdout,
            _plugins: builder.plugins,
            _config: folder,
        })
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process id.
    pub fn process(&self) -> u32 {
        self.process
    }

    /// What it wrote to its log so far.
    pub fn stderr(&self) -> String {
        text(&self.stderr)
    }

    /// Waits until its log has this word in it.
    pub async fn logged(&self, word: &str) {
        let what = format!("`{word}` in the log");
        eventually(&what, Duration::from_secs(20), async || self.stderr().contains(word)).await;
    }

    /// What it wrote to its standard output so far.
    pub fn stdout(&self) -> String {
        text(&self.stdout)
    }

    /// Starts a request.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        client().request(method, format!("{}{path}", self.url))
    }

    /// Asks.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    /// Runs a statement through the console.
    pub async fn query(&self, sql: &str) -> Answer {
        self.post("/api/v1/explorer/query", &serde_json::json!({"sql": sql})).await
    }

    /// Sends a signal to the host itself.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(i32::try_from(self.process).expect("a process id")), signal);
    }

    /// Waits for its end; absent when it has not ended in time.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            match self.supervisor.try_wait() {
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = text(&self.stderr);
            let from = log.len().saturating_sub(6000);
            eprintln!("--- the log of the host at {}:\n{}", self.url, log.get(from..).unwrap_or(&log));
        }
        self.signal(Signal::SIGTERM);
        if self.wait(Duration::from_secs(3)).is_none() {
            self.signal(Signal::SIGKILL);
            self.wait(Duration::from_secs(3));
        }
    }
}

/// The host that claims share which need nothing of their own: bundled plugins, nobody signs in.
pub async fn shared() -> &'static Host {
    static SHARED: OnceCell<Host> = OnceCell::const_new();
    SHARED.get_or_init(|| Host::with_bundled().unhurried().start()).await
}

/// The program with other arguments, in an environment that holds nothing but the way to the caches.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chm-host"));
    command.args(arguments).env_clear().envs(cache_variables()).stdin(Stdio::null());
    command
}

/// Compiled code is kept in the user's cache.
fn cache_variables() -> impl Iterator<Item = (String, String)> {
    ["HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
}

fn text(kept: &Mutex<String>) -> String {
    kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Keeps what a stream says, and passes its lines on while somebody listens.
fn follow(stream: impl Read + Send + 'static, kept: Arc<Mutex<String>>) -> Lines<String> {
    let (sender, lines): (Sender<String>, _) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_str(&line);
            kept.push('\n');
            drop(kept);
            let _ = sender.send(line);
        }
    });
    lines
}
