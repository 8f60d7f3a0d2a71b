//! The process in which the engine runs: the host's own program, executed again.
//!
//! `libchdb.so` exports `clickhouse-local` as a function, and its `SYSTEM START LISTEN HTTP` opens
//! the server's own HTTP handler. Two query files are given: the start-up statements, and the read
//! end of a pipe. Reading the pipe blocks without a query in `system.processes`; what is written to
//! it before it is closed runs at the end.
//!
//! A process of its own because the library takes over signals, limits and threads, and because the
//! confinement must hold the engine and not the host.
//!
//! It stops on SIGTERM, SIGINT and when its standard input ends. The last is how it never outlives its
//! parent: the kernel closes the pipe however the parent died. (`PR_SET_PDEATHSIG` would follow the
//! parent *thread*, and thread pools end threads at will.)

use std::env;
use std::ffi::{CStr, CString, NulError, OsString, c_char, c_int, c_void};
use std::fs::{self, File, TryLockError};
use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// First argument of the host's program that means "be the launcher": `<program> engine-launcher …`.
pub const LAUNCHER_COMMAND: &str = "engine-launcher";

/// Written by the engine once it listens.
pub(crate) const PORT_FILE: &str = "run/http_port";
/// Written before the engine starts: how far the kernel enforces the confinement.
pub(crate) const CONFINEMENT_FILE: &str = "run/confinement";
const STOPPED_FILE: &str = "run/stopped";
const LOCK_FILE: &str = "run/engine.lock";
const START_FILE: &str = "run/start.sql";
pub(crate) const WRITABLE: [&str; 3] = ["data", "log", "run"];

/// How long an orderly stop may take. MergeTree data survives a hard one; what can be lost are the
/// last seconds of log tables.
const STOP_LIMIT: Duration = Duration::from_secs(3);
/// An engine whose parent was killed needs up to [`STOP_LIMIT`] to leave the directory to the next.
const LOCK_LIMIT: Duration = Duration::from_secs(8);
const POLL: Duration = Duration::from_millis(20);

const START_SQL: &str = "SYSTEM START LISTEN HTTP;\n\
    SELECT getServerPort('http_port') INTO OUTFILE 'run/http_port' TRUNCATE FORMAT TSV;\n";
const START_NATIVE_SQL: &str = "SYSTEM START LISTEN TCP;\n";
const STOP_SQL: &[u8] = b"SYSTEM FLUSH LOGS;\nSELECT 1 INTO OUTFILE 'run/stopped' TRUNCATE FORMAT TSV;\n";

type RunFn = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;
type ErrorFn = unsafe extern "C" fn(*mut c_void) -> *const c_char;
type SignalsFn = unsafe extern "C" fn(c_int);

#[derive(Debug, thiserror::Error)]
enum LauncherError {
    #[error(
        "usage: {LAUNCHER_COMMAND} [--server] [--http=PORT] [--native=PORT] [--connect] PROGRAM DIRECTORY (started by the host, not by hand)"
    )]
    Usage,
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("another engine still uses this directory")]
    InUse,
    #[error("the library cannot be used: {0}")]
    Library(#[from] libloading::Error),
    #[error("a path holds a zero byte: {0}")]
    ZeroByte(#[from] NulError),
    #[cfg(target_os = "linux")]
    #[error("the engine could not be confined: {0}")]
    Confinement(#[from] landlock::RulesetError),
}

fn io(what: &str) -> impl FnOnce(io::Error) -> LauncherError + use<'_> {
    move |source| LauncherError::Io { what: what.to_owned(), source }
}

#[derive(Debug, PartialEq, Eq)]
struct Arguments {
    /// The library, or with `is_server` a `clickhouse` binary.
    program: PathBuf,
    directory: PathBuf,
    is_server: bool,
    network: Network,
}

/// What of the network the engine may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Network {
    /// It listens there for HTTP; 0 lets the system choose.
    http_port: u16,
    /// It listens there for ClickHouse's native protocol.
    native_port: Option<u16>,
    /// It may open connections.
    connect: bool,
}

impl Network {
    fn confine(self, program: Option<&Path>) -> Result<(), LauncherError> {
        let listen: Vec<u16> = [self.http_port].into_iter().chain(self.native_port).collect();
        confine(program, self.connect, &listen)
    }
}

impl Arguments {
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, LauncherError> {
        let mut paths = Vec::new();
        let (mut is_server, mut network) = (false, Network::default());
        let port = |text: &str| text.parse().map_err(|_| LauncherError::Usage);
        for argument in arguments {
            match argument.to_str() {
                Some("--connect") => network.connect = true,
                Some("--server") => is_server = true,
                Some(option) if option.starts_with("--http=") => {
                    network.http_port = port(option.trim_start_matches("--http="))?;
                }
                Some(option) if option.starts_with("--native=") => {
                    network.native_port = Some(port(option.trim_start_matches("--native="))?);
                }
                _ => paths.push(PathBuf::from(argument)),
            }
        }
        let [program, directory] = <[PathBuf; 2]>::try_from(paths).map_err(|_| LauncherError::Usage)?;
        Ok(Arguments { program, directory, is_server, network })
    }
}

/// Becomes the engine: what the host's `main` calls when its first argument is
/// [`LAUNCHER_COMMAND`], with the arguments after it, before it starts any thread or runtime.
///
/// Leaves with 0 after an orderly stop, 1 when the engine failed, 2 when it could not be started; the
/// reason is on standard error.
pub fn run_engine(arguments: impl IntoIterator<Item = OsString>) -> ! {
    let code = launch(arguments).unwrap_or_else(|error| {
        eprintln!("launcher: {error}");
        2
    });
    leave(code)
}

/// Ends the process without running the library's static destructors, which wait for its threads.
#[allow(unsafe_code)]
fn leave(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions; nothing of this process is used after it.
    unsafe { libc::_exit(code) }
}

fn launch(arguments: impl IntoIterator<Item = OsString>) -> Result<i32, LauncherError> {
    let arguments = Arguments::parse(arguments)?;
    let program = fs::canonicalize(&arguments.program).map_err(io(&arguments.program.to_string_lossy()))?;
    env::set_current_dir(&arguments.directory).map_err(io(&arguments.directory.to_string_lossy()))?;
    let lifeline = take_standard_input().map_err(io("standard input"))?;
    be_modest();
    let _lock = lock()?;
    if arguments.is_server {
        run_server(&program, lifeline, arguments.network)
    } else {
        run_library(&program, lifeline, arguments.network)
    }
}

/// Keeps the parent's pipe for us alone: `clickhouse-local` reads tables from standard input.
fn take_standard_input() -> io::Result<File> {
    let lifeline = io::stdin().as_fd().try_clone_to_owned()?;
    nix::unistd::dup2_stdin(File::open("/dev/null")?)?;
    Ok(File::from(lifeline))
}

/// A crash leaves no core file of half a gigabyte, and a machine out of memory ends the engine before
/// the host. Neither is worth refusing to start.
#[allow(unsafe_code)]
fn be_modest() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads a valid `rlimit`, and lowering a limit is always allowed.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) };
    let _ = fs::write("/proc/self/oom_score_adj", "500");
}

fn lock() -> Result<File, LauncherError> {
    let file = File::create(LOCK_FILE).map_err(io(LOCK_FILE))?;
    let deadline = Instant::now() + LOCK_LIMIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(POLL),
            Err(TryLockError::WouldBlock) => return Err(LauncherError::InUse),
            Err(TryLockError::Error(source)) => return Err(io(LOCK_FILE)(source)),
        }
    }
}

/// A receiver that hears of the first reason to stop.
fn stop_requests(mut lifeline: File) -> Result<Receiver<()>, LauncherError> {
    let (sender, receiver) = mpsc::channel();
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT])
        .map_err(io("signals"))?;
    let from_signal = sender.clone();
    thread::spawn(move || {
        for _ in signals.forever() {
            let _ = from_signal.send(());
        }
    });
    thread::spawn(move || {
        let mut ignored = [0; 64];
        // Interrupted reads are no end; any other error means that the parent cannot be heard.
        while match lifeline.read(&mut ignored) {
            Ok(read) => read > 0,
            Err(error) => error.kind() == io::ErrorKind::Interrupted,
        } {}
        let _ = sender.send(());
    });
    Ok(receiver)
}

#[cfg(target_os = "linux")]
fn confine(program: Option<&Path>, connect: bool, listen: &[u16]) -> Result<(), LauncherError> {
    use landlock::RulesetStatus;
    let status =
        crate::confinement::confine(&crate::confinement::Allowed { writable: &WRITABLE, program, connect, listen })?;
    let word = match status {
        RulesetStatus::FullyEnforced => "full",
        RulesetStatus::PartiallyEnforced => "partial",
        RulesetStatus::NotEnforced => "none",
    };
    fs::write(CONFINEMENT_FILE, word).map_err(io(CONFINEMENT_FILE))
}

#[cfg(not(target_os = "linux"))]
fn confine(_: Option<&Path>, _: bool, _: &[u16]) -> Result<(), LauncherError> {
    fs::write(CONFINEMENT_FILE, "none").map_err(io(CONFINEMENT_FILE))
}

#[allow(unsafe_code)]
fn run_library(path: &Path, lifeline: File, network: Network) -> Result<i32, LauncherError> {
    let native = network.native_port.map(|_| START_NATIVE_SQL).unwrap_or_default();
    fs::write(START_FILE, format!("{native}{START_SQL}")).map_err(io(START_FILE))?;
    // Loaded before the confinement, which does not know where this system keeps the C library.
    // SAFETY: loading runs the library's initialisers. It is the archive whose digest `library`
    // verified (or a file the operator named), and no other thread of this process exists yet.
    let library = unsafe { libloading::Library::new(path) }?;
    // SAFETY: the signatures are those of chdb.h for these names, in the pinned version.
    let (run, error, set_signals) = unsafe {
        (
            library.get::<RunFn>(b"chdb_query_cmdline\0")?,
            library.get::<ErrorFn>(b"chdb_result_error\0")?,
            library.get::<SignalsFn>(b"chdb_set_signal_handlers_enabled\0")?,
        )
    };
    network.confine(None)?;

    let (pipe, commands) = io::pipe().map_err(io("pipe"))?;
    let stop = stop_requests(lifeline)?;
    thread::spawn(move || {
        if stop.recv().is_ok() {
            stop_library(commands);
        }
    });

    let arguments = [
        "clickhouse-local".to_owned(),
        "--config-file=config.xml".to_owned(),
        "--path=data".to_owned(),
        // The level in config.xml is ignored; without this the log is at trace level.
        "--log-level=warning".to_owned(),
        format!("--queries-file={START_FILE}"),
        format!("--queries-file=/dev/fd/{}", pipe.as_raw_fd()),
    ]
    .into_iter()
    .map(CString::new)
    .collect::<Result<Vec<_>, _>>()?;
    let mut pointers: Vec<*mut c_char> = arguments.iter().map(|argument| argument.as_ptr().cast_mut()).collect();
    let count = c_int::try_from(pointers.len()).unwrap_or(c_int::MAX);
    pointers.push(std::ptr::null_mut());

    // SAFETY: takes an int and only stores it; our handlers for SIGTERM and SIGINT stay in place.
    unsafe { set_signals(0) };
    // SAFETY: `pointers` is a null-terminated argv of `count` NUL-terminated strings, which (with
    // `arguments`) lives past the call.
    let result = unsafe { run(count, pointers.as_mut_ptr()) };
    if result.is_null() {
        return Ok(1);
    }
    // SAFETY: `result` came from the call above, is not null and was not freed.
    let message = unsafe { error(result) };
    if message.is_null() {
        return Ok(0);
    }
    // SAFETY: a non-null message is a NUL-terminated string owned by `result`, which is never freed.
    let message = unsafe { CStr::from_ptr(message) };
    eprintln!("engine: {}", message.to_string_lossy());
    Ok(1)
}

/// Flushes the logs and leaves as soon as that is done: the engine's own full stop takes up to ten
/// seconds more and saves nothing that the disk does not have.
fn stop_library(mut commands: PipeWriter) -> ! {
    let _ = fs::remove_file(STOPPED_FILE);
    let deadline = Instant::now() + STOP_LIMIT;
    let written = commands.write_all(STOP_SQL);
    drop(commands);
    while written.is_ok() && Instant::now() < deadline {
        if fs::metadata(STOPPED_FILE).is_ok_and(|metadata| metadata.len() > 0) {
            break;
        }
        thread::sleep(POLL);
    }
    leave(0)
}

/// Runs a `clickhouse` binary as a server and passes every reason to stop on to it.
#[allow(unsafe_code)]
fn run_server(binary: &Path, lifeline: File, network: Network) -> Result<i32, LauncherError> {
    let mut command = Command::new(binary);
    command
        .args(["server", "--config-file=config.xml"])
        .env_clear()
        // Else it forks once more, and its own watchdog is what we would stop.
        .env("CLICKHOUSE_WATCHDOG_ENABLE", "0")
        .stdin(Stdio::null());
    let program = binary.to_owned();
    // SAFETY: this process has one thread so far, so the child may allocate between fork and exec.
    // Confined there and not here, because `/proc/self` must be the server's.
    unsafe {
        command.pre_exec(move || {
            follow_parent()?;
            network.confine(Some(&program)).map_err(io::Error::other)
        });
    }
    let mut server = command.spawn().map_err(io(&String::from_utf8_lossy(binary.as_os_str().as_bytes())))?;
    let stop = stop_requests(lifeline)?;
    loop {
        if let Some(status) = server.try_wait().map_err(io("server"))? {
            return Ok(status.code().unwrap_or(1));
        }
        match stop.recv_timeout(POLL * 5) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(stop_server(&mut server)),
        }
    }
}

/// Should the launcher be killed, the server goes too. The signal follows the parent *thread*: here the
/// launcher's main one, which lives exactly as long as the launcher.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn follow_parent() -> io::Result<()> {
    // SAFETY: this option takes a signal number and touches no memory.
    match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(not(target_os = "linux"))]
fn follow_parent() -> io::Result<()> {
    Ok(())
}

fn stop_server(server: &mut Child) -> i32 {
    if let Ok(id) = i32::try_from(server.id()) {
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    }
    let deadline = Instant::now() + STOP_LIMIT + Duration::from_secs(1);
    while Instant::now() < deadline {
        if let Ok(Some(_)) = server.try_wait() {
            return 0;
        }
        thread::sleep(POLL);
    }
    let _ = server.kill();
    let _ = server.wait();
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_two_paths_and_known_options() {
        let parse = |words: &[&str]| Arguments::parse(words.iter().map(OsString::from));
        let parsed = parse(&["--connect", "lib.so", "dir", "--server", "--http=8123", "--native=9000"]).unwrap();
        let expected = Arguments {
            program: "lib.so".into(),
            directory: "dir".into(),
            is_server: true,
            network: Network { http_port: 8123, native_port: Some(9000), connect: true },
        };
        assert_eq!(parsed, expected);
        for wrong in [&["lib.so"][..], &["a", "b", "c"], &["a", "b", "--http=x"], &[]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
