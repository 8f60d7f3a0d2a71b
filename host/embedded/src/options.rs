//! What the caller of [`Engine::start`](crate::Engine::start) decides.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// ClickHouse's code, and the program that starts it.
#[derive(Debug, Clone)]
pub enum EngineProgram {
    /// `libchdb.so`, loaded by the launcher.
    Library {
        /// The program that calls [`run_engine`](crate::run_engine) when its first argument is
        /// [`LAUNCHER_COMMAND`](crate::LAUNCHER_COMMAND): the host itself.
        launcher: PathBuf,
        /// From [`library::obtain`](crate::library::obtain).
        library: PathBuf,
    },
    /// A `clickhouse` binary of this machine, run as a server by the launcher.
    Server {
        /// As above.
        launcher: PathBuf,
        /// From [`ServerBinary::find`](crate::ServerBinary::find).
        binary: PathBuf,
    },
}

/// Where the engine keeps its data.
#[derive(Debug, Clone)]
pub enum Place {
    /// A folder of its own, made when missing and kept.
    Persistent(PathBuf),
    /// A new folder that is removed with the engine.
    Temporary,
}

/// Settings profile of a user, as operators write them in `users.xml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// No restriction.
    Default,
    /// `readonly=1`: reads only, and no setting may be given, not even a harmless one.
    ReadOnly1,
    /// `readonly=2`: reads only, settings may be given.
    ReadOnly2,
}

impl Profile {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Profile::Default => "default",
            Profile::ReadOnly1 => "readonly1",
            Profile::ReadOnly2 => "readonly2",
        }
    }
}

/// A further user, for tests of what such a user may do.
#[derive(Clone)]
pub struct EngineUser {
    /// Letters, digits and `_`; not `default` nor `platform`.
    pub name: String,
    /// In the clear; only its SHA-256 is written.
    pub password: String,
    /// Settings profile.
    pub profile: Profile,
    /// Whole `GRANT …` statements without the user, as in `GRANT SELECT ON demo.*`. None means all rights.
    pub grants: Vec<String>,
}

impl fmt::Debug for EngineUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EngineUser")
            .field("name", &self.name)
            .field("password", &"[hidden]")
            .field("profile", &self.profile)
            .field("grants", &self.grants)
            .finish()
    }
}

/// A `system.*_log` table. Each costs a thread and idle work, so only the wanted ones exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // Named as the tables are.
pub enum LogTable {
    QueryLog,
    QueryThreadLog,
    QueryViewsLog,
    PartLog,
    MetricLog,
    TextLog,
    SessionLog,
    ErrorLog,
    CrashLog,
    ProcessorsProfileLog,
    QueryMetricLog,
    AsynchronousInsertLog,
    AsynchronousMetricLog,
    BackupLog,
}

impl LogTable {
    /// What `up` starts with: enough for every bundled panel, 2 % of a core when idle.
    pub const LEAN: [LogTable; 4] = [LogTable::QueryLog, LogTable::PartLog, LogTable::MetricLog, LogTable::ErrorLog];

    pub(crate) fn name(self) -> &'static str {
        match self {
            LogTable::QueryLog => "query_log",
            LogTable::QueryThreadLog => "query_thread_log",
            LogTable::QueryViewsLog => "query_views_log",
            LogTable::PartLog => "part_log",
            LogTable::MetricLog => "metric_log",
            LogTable::TextLog => "text_log",
            LogTable::SessionLog => "session_log",
            LogTable::ErrorLog => "error_log",
            LogTable::CrashLog => "crash_log",
            LogTable::ProcessorsProfileLog => "processors_profile_log",
            LogTable::QueryMetricLog => "query_metric_log",
            LogTable::AsynchronousInsertLog => "asynchronous_insert_log",
            LogTable::AsynchronousMetricLog => "asynchronous_metric_log",
            LogTable::BackupLog => "backup_log",
        }
    }

    /// Logs of samples rather than of events: they also need a period.
    pub(crate) fn is_sampled(self) -> bool {
        matches!(self, LogTable::MetricLog | LogTable::ErrorLog)
    }
}

/// Everything [`Engine::start`](crate::Engine::start) needs.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// What to run.
    pub program: EngineProgram,
    /// Where its data is.
    pub place: Place,
    /// Users beside the administrator.
    pub users: Vec<EngineUser>,
    /// Log tables to keep.
    pub log_tables: Vec<LogTable>,
    /// Inside of `<remote_servers>`, as XML; taken as it is.
    pub remote_servers: Option<String>,
    /// A loopback port for ClickHouse's native protocol, in which the servers of a cluster talk to each other. None, and it is spoken on
    /// no port.
    pub native_port: Option<u16>,
    /// Whether the engine may open TCP connections. Off, the kernel refuses what `url()`, `remote()`
    /// and `s3()` try. Needed for `remote_servers` that name another server.
    pub connect: bool,
    /// ClickHouse's `max_server_memory_usage`, in bytes.
    pub memory_bytes: u64,
    /// How long a start may take before it is given up.
    pub start_limit: Duration,
}

impl EngineOptions {
    /// A lean engine: no further users, the [`LogTable::LEAN`] logs, 2 GB at most, no connections out.
    pub fn new(program: EngineProgram, place: Place) -> Self {
        EngineOptions {
            program,
            place,
            users: Vec::new(),
            log_tables: LogTable::LEAN.to_vec(),
            remote_servers: None,
            native_port: None,
            connect: false,
            memory_bytes: 2_000_000_000,
            start_limit: Duration::from_secs(60),
        }
    }
}
