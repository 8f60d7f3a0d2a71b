//! A running engine: started, supervised and stopped.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStdin, Command};

use crate::config::{ADMINISTRATOR, UserError};
use crate::directory::{self, Directory, at};
use crate::last_words::last_words;
use crate::launcher::{CONFINEMENT_FILE, LAUNCHER_COMMAND, PORT_FILE};
use crate::options::{EngineOptions, EngineProgram};
use crate::statement::{Connection, StatementError};

const ASYNCHRONOUS_METRICS: &str = include_str!("../templates/asynchronous_metrics.sql");
/// What the launcher says, and the library before it opens its own log.
const LAUNCHER_LOG: &str = "log/launcher.log";
const ERROR_LOG: &str = "log/server.err.log";
/// The launcher gives itself 3 s; more than this means that it hangs.
const STOP_LIMIT: Duration = Duration::from_secs(6);
/// A killed process is gone in milliseconds; this bounds the wait on a machine out of breath.
const KILL_LIMIT: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(10);

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A file of its directory could not be read or written.
    #[error("the engine's directory, {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another host runs an engine on the same directory.
    #[error("{0} is in use by another chm-host: stop that one, or choose another data directory")]
    InUse(PathBuf),
    /// A user that cannot be written.
    #[error(transparent)]
    User(#[from] UserError),
    /// The system gave no random bytes for the password.
    #[error("no random bytes for the engine's password: {0}")]
    Random(getrandom::Error),
    /// The launcher program could not be executed.
    #[error("the engine's launcher {program} could not be started: {source}")]
    Spawn {
        /// The program of the options.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It ended before it answered.
    #[error("the engine ended before it answered ({status}); its last lines:\n{log}")]
    Exited {
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// It ran, and ended without being told to by this process.
    #[error("the engine ended by itself ({status}); its last lines:\n{log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// It did not answer in time and was stopped.
    #[error("the engine did not answer within {limit:?} and was stopped; its last lines:\n{log}")]
    Slow {
        /// `start_limit` of the options.
        limit: Duration,
        /// The end of its log.
        log: String,
    },
    /// It answers, but a statement of the start failed.
    #[error("the engine answers but could not be prepared: {0}")]
    Statement(#[from] StatementError),
}

/// How far the kernel enforces that the engine stays in its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// Everything asked for.
    Full,
    /// An older kernel: files, but for instance not connections.
    Partial,
    /// No Landlock here: the engine can read what its user can.
    None,
}

impl fmt::Display for Confinement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Confinement::Full => "confined to its own directory",
            Confinement::Partial => "confined as far as this kernel can",
            Confinement::None => "not confined: this system has no Landlock",
        })
    }
}

/// A ClickHouse of our own on a loopback port, with the right to do anything in it.
///
/// Dropped, it stops: at once when its place is temporary (which is removed too), in order but
/// without being waited for otherwise. [`stop`](Engine::stop) is the orderly way.
pub struct Engine {
    connection: Connection,
    version: String,
    confinement: Confinement,
    options: EngineOptions,
    child: Child,
    /// The engine stops when this closes, however this process ends.
    lifeline: Option<ChildStdin>,
    /// Where the words of this process begin in a log that keeps those of its predecessors.
    log_start: u64,
    /// Held while this process has the directory.
    _lock: File,
    // Last: the folder goes when nothing uses it any more.
    directory: Directory,
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("connection", &self.connection)
            .field("version", &self.version)
            .field("confinement", &self.confinement)
            .field("directory", &self.directory.path())
            .field("process", &self.child.id())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts an engine and returns when it answers: after about half a second.
    ///
    /// Data of an earlier engine in the same place is there again, also after a crash. Users and
    /// configuration are written anew, and the administrator's password is a new one each time.
    ///
    /// # Errors
    /// See [`EngineError`]. No process is left behind.
    pub async fn start(options: EngineOptions) -> Result<Engine, EngineError> {
        let directory = Directory::open(&options.place)?;
        let lock = directory.lock()?;
        let password = directory::random_password()?;
        let port = directory.prepare(&options, &password, None)?;
        let log = directory.path().join(LAUNCHER_LOG);
        let log = File::create(&log).map_err(at(&log))?;
        let mut child = spawn(&options, directory.path(), port, log)?;
        let lifeline = child.stdin.take();
        let mut engine = Engine {
            connection: Connection {
                address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                user: ADMINISTRATOR.to_owned(),
                password,
            },
            version: String::new(),
            confinement: Confinement::None,
            options,
            child,
            lifeline,
            log_start: 0,
            _lock: lock,
            directory,
        };
        engine.become_ready().await?;
        Ok(engine)
    }

    /// Starts it again where it was: the same port, password and data, so that whoever has its address need not
    /// know. What is left of the process before is killed first.
    ///
    /// # Errors
    /// See [`EngineError`]; that somebody else has taken the port meanwhile is among them. It can be tried again.
    pub async fn restart(&mut self) -> Result<(), EngineError> {
        // Fails when there is nothing to kill, as is usual.
        let _ = self.child.kill().await;
        self.directory.prepare(&self.options, &self.connection.password, Some(self.connection.address.port()))?;
        let path = self.log_path();
        let log = File::options().append(true).create(true).open(&path).map_err(at(&path))?;
        self.log_start = log.metadata().map_err(at(&path))?.len();
        self.child = spawn(&self.options, self.directory.path(), self.connection.address.port(), log)?;
        self.lifeline = self.child.stdin.take();
        self.become_ready().await
    }

    async fn become_ready(&mut self) -> Result<(), EngineError> {
        self.wait_until_it_answers(self.options.start_limit).await?;
        self.confinement = self.read_confinement();
        self.prepare_tables().await?;
        tracing::info!(
            url = self.url(),
            version = self.version,
            confinement = %self.confinement,
            "embedded ClickHouse started"
        );
        Ok(())
    }

    async fn wait_until_it_answers(&mut self, limit: Duration) -> Result<(), EngineError> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().map_err(at(self.directory.path()))? {
                return Err(EngineError::Exited { status, log: self.log_tail() });
            }
            if let Some(port) = self.listens_on() {
                self.connection.address.set_port(port);
                if let Ok(version) = self.connection.run("SELECT version()").await {
                    self.version = version.trim().to_owned();
                    return Ok(());
                }
            }
            if Instant::now() > deadline {
                let _ = self.child.start_kill();
                return Err(EngineError::Slow { limit, log: self.log_tail() });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The library tells once it listens: what answers on a port before that is not our engine.
    fn listens_on(&self) -> Option<u16> {
        if matches!(self.options.program, EngineProgram::Server { .. }) {
            return Some(self.connection.address.port());
        }
        // The line is complete only with its newline.
        let text = fs::read_to_string(self.directory.path().join(PORT_FILE)).ok()?;
        text.strip_suffix('\n')?.parse().ok()
    }

    fn read_confinement(&self) -> Confinement {
        match fs::read_to_string(self.directory.path().join(CONFINEMENT_FILE)).as_deref() {
            Ok("full") => Confinement::Full,
            Ok("partial") => Confinement::Partial,
            _ => Confinement::None,
        }
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join(LAUNCHER_LOG)
    }

    /// ClickHouse's own log of errors. For people to look into: it holds statements, with whatever secret is in
    /// them, and so is never copied into a log of ours.
    pub(crate) fn error_log(&self) -> PathBuf {
        self.directory.path().join(ERROR_LOG)
    }

    fn log_tail(&self) -> String {
        last_words(&self.log_path(), self.log_start)
    }

    async fn prepare_tables(&self) -> Result<(), StatementError> {
        let own = "SELECT count() FROM system.tables WHERE database = 'system' \
                   AND name = 'asynchronous_metrics' AND engine != 'View'";
        if self.connection.run(own).await?.trim() == "0" {
            self.connection.run(ASYNCHRONOUS_METRICS).await?;
        }
        // Log tables appear at their first flush; until then a query on them is an error.
        self.connection.run("SYSTEM FLUSH LOGS").await?;
        Ok(())
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.connection.address)
    }

    /// The administrator, who may do anything.
    pub fn user(&self) -> &str {
        &self.connection.user
    }

    /// The administrator's password, made for this start.
    pub fn password(&self) -> &str {
        &self.connection.password
    }

    /// As ClickHouse tells it, for instance `26.7.2.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How far the kernel keeps the engine in its directory.
    pub fn confinement(&self) -> Confinement {
        self.confinement
    }

    /// For statements as the administrator.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The folder of its configuration, data and logs.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Process id of the launcher, which also leads the engine's process group.
    pub fn process_id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns when the engine's process has ended by itself, which it never should.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        // `Child::wait` closes the child's standard input first; ours was taken out at the start.
        self.child.wait().await
    }

    /// As [`ended`](Self::ended), with its last words.
    pub(crate) async fn end(&mut self) -> EngineError {
        match self.ended().await {
            Ok(status) => EngineError::Ended { status, log: self.log_tail() },
            Err(source) => EngineError::Io { path: self.directory.path().to_owned(), source },
        }
    }

    /// Stops in order: logs are flushed, and the process has ended when this returns. Takes well
    /// under a second as a rule, 6 s at most.
    pub async fn stop(mut self) {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // Not reaped yet, so the number is still this process.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        self.lifeline = None;
        match tokio::time::timeout(STOP_LIMIT, self.child.wait()).await {
            Ok(Ok(status)) => tracing::info!(%status, "embedded ClickHouse stopped"),
            Ok(Err(error)) => tracing::warn!(%error, "embedded ClickHouse: its end is unknown"),
            Err(_) => {
                tracing::warn!("embedded ClickHouse did not stop in time and is killed");
                let _ = self.child.kill().await;
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.lifeline = None;
        if self.directory.is_kept() {
            return;
        }
        let _ = self.child.start_kill();
        let deadline = Instant::now() + KILL_LIMIT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(POLL);
        }
    }
}

/// Port 0 stands for one that the library chooses.
fn spawn(options: &EngineOptions, directory: &Path, port: u16, log: File) -> Result<Child, EngineError> {
    let (launcher, program, server) = match &options.program {
        EngineProgram::Library { launcher, library } => (launcher, library, false),
        EngineProgram::Server { launcher, binary } => (launcher, binary, true),
    };
    let mut command = Command::new(launcher);
    command.arg(LAUNCHER_COMMAND).arg(format!("--http={port}"));
    if server {
        command.arg("--server");
    }
    if options.connect {
        command.arg("--connect");
    }
    if let Some(port) = options.native_port {
        command.arg(format!("--native={port}"));
    }
    command
        .arg(program)
        .arg(directory)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        // Ctrl-C in a terminal goes to the whole group; the host decides when its engine stops.
        .process_group(0)
        .spawn()
        .map_err(|source| EngineError::Spawn { program: launcher.clone(), source })
}
