//! The ClickHouse that all claims share, with data that every bundled panel can show something of.

use std::path::PathBuf;

use chm_embedded::{
    Engine, EngineError, EngineOptions, EngineProgram, EngineUser, LibraryOptions, LogTable, Place, Profile, library,
};
use tokio::sync::OnceCell;

/// A user whose profile has `readonly = 1`: name and password.
pub const STRICT: (&str, &str) = ("strict", "strict-password");
/// A user who may read `system.*` only: name and password.
pub const READER: (&str, &str) = ("reader", "reader-password");
/// A user who may read `system.*` but its query log, and sees the names of tables: name and password.
pub const LACKING: (&str, &str) = ("lacking", "lacking-password");
/// A user who may read one table of `system`: name and password.
pub const OUTSIDER: (&str, &str) = ("outsider", "outsider-password");
/// What the file in the engine's own folder says, which no answer may.
pub const CANARY_TEXT: &str = "canary-in-a-file";

/// Logs that panels show beside the usual ones. The text log is left out: it would be most of what the engine does.
const FURTHER_LOGS: [LogTable; 8] = [
    LogTable::AsynchronousInsertLog,
    LogTable::AsynchronousMetricLog,
    LogTable::BackupLog,
    LogTable::ProcessorsProfileLog,
    LogTable::QueryMetricLog,
    LogTable::QueryThreadLog,
    LogTable::QueryViewsLog,
    LogTable::SessionLog,
];

/// Statements that leave something to show, and whether they are to fail.
const STATEMENTS: &[(&str, bool)] = &[
    ("CREATE DATABASE e2e ENGINE = Atomic", false),
    ("CREATE TABLE e2e.kept (n UInt32, day Date, word String) ENGINE = MergeTree PARTITION BY day ORDER BY n", false),
    ("INSERT INTO e2e.kept SELECT number, today(), toString(number) FROM numbers(1000)", false),
    ("INSERT INTO e2e.kept SELECT number, today() - 1, toString(number) FROM numbers(1000)", false),
    ("OPTIMIZE TABLE e2e.kept FINAL", false),
    ("CREATE TABLE e2e.stuck (n UInt32, word String) ENGINE = MergeTree ORDER BY n", false),
    ("INSERT INTO e2e.stuck VALUES (1, 'no number')", false),
    // Never done: the text is no number.
    ("ALTER TABLE e2e.stuck UPDATE word = toString(toUInt32(word)) WHERE 1", false),
    ("CREATE MATERIALIZED VIEW e2e.seen ENGINE = MergeTree ORDER BY n AS SELECT n FROM e2e.kept", false),
    ("SELECT throwIf(number = 3, 'a query that fails') FROM numbers(10)", true),
    ("SELECT sleep(1.1)", false),
    ("SYSTEM FLUSH LOGS", false),
];

/// A running engine.
pub struct TestEngine {
    engine: Engine,
}

impl TestEngine {
    async fn start(place: Place, adjust: impl FnOnce(&mut EngineOptions)) -> Result<Self, EngineError> {
        let library = tokio::task::spawn_blocking(|| library::obtain(&LibraryOptions::default(), &|_| {}))
            .await
            .expect("a thread")
            .expect("the engine's library");
        let launcher = PathBuf::from(env!("CARGO_BIN_EXE_chm-host"));
        let mut options = EngineOptions::new(EngineProgram::Library { launcher, library }, place);
        // Hostile statements must be stopped before the kernel would stop them.
        options.connect = true;
        let lacking =
            ["GRANT SELECT ON system.*", "GRANT SHOW TABLES, SHOW COLUMNS ON *.*", "REVOKE SELECT ON system.query_log"];
        options.users = vec![
            user(STRICT, Profile::ReadOnly1, &[]),
            user(READER, Profile::Default, &["GRANT SELECT ON system.*"]),
            user(LACKING, Profile::Default, &lacking),
            user(OUTSIDER, Profile::Default, &["GRANT SELECT ON system.query_log"]),
        ];
        adjust(&mut options);
        Ok(Self { engine: Engine::start(options).await? })
    }

    /// One of a cluster, whose others speak to it on `port` as `peer`.
    pub(super) async fn of_cluster(
        servers: &str,
        port: u16,
        peer: (&str, &str),
        traveller: (&str, &str),
    ) -> Result<Self, EngineError> {
        Self::start(Place::Temporary, |options| {
            options.memory_bytes = 900_000_000;
            options.remote_servers = Some(servers.to_owned());
            options.native_port = Some(port);
            let system = "GRANT SELECT ON system.*";
            options.users.push(user(peer, Profile::Default, &[system]));
            options.users.push(user(traveller, Profile::Default, &[system, "GRANT READ ON REMOTE"]));
        })
        .await
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        self.engine.url()
    }

    /// The administrator: name and password.
    pub fn administrator(&self) -> (&str, &str) {
        (self.engine.user(), self.engine.password())
    }

    /// Runs a statement as the administrator, past the host.
    pub async fn ask(&self, sql: &str) -> String {
        let answer = self.engine.connection().run(sql).await;
        answer.unwrap_or_else(|error| panic!("{sql}: {error}")).trim_end().to_owned()
    }

    /// As [`ask`](Self::ask), with settings; returns ClickHouse's words when it refuses.
    pub async fn ask_with(&self, sql: &str, settings: &[(&str, &str)]) -> Result<String, String> {
        self.engine.connection().run_with(sql, settings).await.map_err(|error| error.to_string())
    }

    /// The folder that the engine may read.
    pub fn user_files(&self) -> PathBuf {
        self.engine.directory().join("data/user_files")
    }

    /// Stops it in order.
    pub async fn stop(self) {
        self.engine.stop().await;
    }

    async fn fill(&self) {
        for (sql, fails) in STATEMENTS {
            let outcome = self.engine.connection().run(sql).await;
            assert_eq!(outcome.is_err(), *fails, "{sql}: {outcome:?}");
        }
        std::fs::write(self.user_files().join("canary.txt"), CANARY_TEXT).expect("a file");
    }
}

fn user((name, password): (&str, &str), profile: Profile, grants: &[&str]) -> EngineUser {
    EngineUser {
        name: name.to_owned(),
        password: password.to_owned(),
        profile,
        grants: grants.iter().map(|&grant| grant.to_owned()).collect(),
    }
}

/// The shared engine. It ends with this process, and the next one removes its folder.
pub async fn engine() -> &'static TestEngine {
    static ENGINE: OnceCell<TestEngine> = OnceCell::const_new();
    ENGINE
        .get_or_init(|| async {
            let folders = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("e2e-engines");
            remove_left_ones(&folders);
            let folder = folders.join(std::process::id().to_string());
            let adjust = |options: &mut EngineOptions| options.log_tables.extend(FURTHER_LOGS);
            let engine = TestEngine::start(Place::Persistent(folder), adjust).await.expect("an engine");
            engine.fill().await;
            engine
        })
        .await
}

/// An engine of the claim's own, with little memory and no data.
pub async fn small_engine() -> TestEngine {
    TestEngine::start(Place::Temporary, |options| options.memory_bytes = 900_000_000).await.expect("an engine")
}

/// An engine of the claim's own that keeps no log tables.
pub async fn bare_engine() -> TestEngine {
    let adjust = |options: &mut EngineOptions| {
        options.memory_bytes = 900_000_000;
        options.log_tables = Vec::new();
    };
    TestEngine::start(Place::Temporary, adjust).await.expect("an engine")
}

/// Folders are named after the processes that made them.
fn remove_left_ones(folders: &std::path::Path) {
    for folder in std::fs::read_dir(folders).into_iter().flatten().flatten() {
        let process = folder.file_name().to_string_lossy().into_owned();
        if !std::path::Path::new("/proc").join(process).exists() {
            let _ = std::fs::remove_dir_all(folder.path());
        }
    }
}
