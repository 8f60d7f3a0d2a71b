//! Claims about real engines. This program is the launcher too: it executes itself, as the host does.
//!
//! The first run on a machine fetches the library (178 MB) through npm.

// Without a harness clippy takes this for a program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::env;
use std::ffi::OsString;
use std::future::Future;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Command, ExitCode, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chm_embedded::{
    Confinement, Demo, Engine, EngineError, EngineOptions, EngineProgram, EngineUser, LAUNCHER_COMMAND, LibraryOptions,
    Place, Profile, Restarts, ServerBinary, library, run_engine,
};
use tokio::io::{AsyncBufReadExt, BufReader};

type Claim = fn() -> Pin<Box<dyn Future<Output = ()>>>;

/// Engines are a quarter of a gigabyte each.
const AT_ONCE: usize = 4;
/// Second life of this program: starts an engine in the given folder, tells its process and waits.
const HOLD_COMMAND: &str = "hold-an-engine";

macro_rules! claims {
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), || Box::pin($name()))),*] };
}

const CLAIMS: &[(&str, Claim)] = claims![
    it_starts_answers_and_stops,
    a_restart_keeps_the_rows,
    a_killed_parent_leaves_no_engine_and_no_damage,
    a_killed_engine_is_started_again_where_it_was,
    an_engine_that_ends_too_often_is_given_up_with_its_last_words,
    two_engines_run_at_once,
    a_second_engine_on_the_same_data_is_refused,
    the_kernel_refuses_files_and_connections,
    further_users_have_their_profile_and_grants,
    a_failing_start_tells_why,
    the_demo_leaves_something_of_everything,
    asynchronous_metrics_can_be_read,
    connections_are_possible_when_asked_for,
    a_server_program_lives_and_ends_with_its_launcher,
    a_clickhouse_on_the_path_is_a_server_too,
];

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let first = arguments.next();
    match first.as_deref().and_then(|first| first.to_str()) {
        Some(LAUNCHER_COMMAND) => run_engine(arguments),
        // With nothing after it the word is a filter.
        Some("server") if arguments.len() == 1 => stand_in(arguments),
        Some(HOLD_COMMAND) => hold(&PathBuf::from(arguments.next().expect("a folder"))),
        // What `cargo test -- <words>` and test runners pass on.
        Some("--list") => {
            for (name, _) in CLAIMS {
                println!("{name}: test");
            }
            ExitCode::SUCCESS
        }
        filter => run_claims(filter.filter(|word| !word.starts_with('-'))),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

fn run_claims(filter: Option<&str>) -> ExitCode {
    let wanted: Vec<_> = CLAIMS.iter().filter(|(name, _)| filter.is_none_or(|word| name.contains(word))).collect();
    if !wanted.is_empty() {
        library_path();
    }
    let started = Instant::now();
    let next = AtomicUsize::new(0);
    let failed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((name, claim)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = Instant::now();
                    let holds = std::panic::catch_unwind(|| runtime().block_on(claim())).is_ok();
                    failed.fetch_add(usize::from(!holds), Ordering::Relaxed);
                    let outcome = if holds { "ok" } else { "FAILED" };
                    println!("test {name} ... {outcome} ({:.1} s)", begun.elapsed().as_secs_f32());
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!("{} passed, {failed} failed in {:.1} s", wanted.len() - failed, started.elapsed().as_secs_f32());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn library_path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let started = Instant::now();
        let path = library::obtain(&LibraryOptions::default(), &|_| {}).expect("the library");
        println!("library ready in {:.1} s", started.elapsed().as_secs_f32());
        path
    })
}

fn options(place: Place) -> EngineOptions {
    let program = EngineProgram::Library {
        launcher: env::current_exe().expect("this program"),
        library: library_path().to_owned(),
    };
    EngineOptions::new(program, place)
}

async fn start(place: Place) -> Engine {
    Engine::start(options(place)).await.expect("an engine")
}

async fn ask(engine: &Engine, sql: &str) -> String {
    let answer = engine.connection().run(sql).await;
    answer.expect(sql).trim_end().to_owned()
}

/// Waits for a condition that the engine brings about in its own time.
async fn eventually(what: &str, limit: Duration, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition().await {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn lives(process: u32) -> bool {
    // A process that ended and was not waited for still has a folder, in state Z.
    std::fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|text| !text.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
}

async fn it_starts_answers_and_stops() {
    let started = Instant::now();
    let engine = start(Place::Temporary).await;
    let took = started.elapsed();
    assert_eq!(ask(&engine, "SELECT 1").await, "1");
    assert!(engine.version().starts_with("26."), "{}", engine.version());
    assert!(!format!("{engine:?}").contains(engine.password()));
    let process = engine.process_id().expect("a process");
    let folder = engine.directory().to_owned();
    let stopping = Instant::now();
    engine.stop().await;
    println!("start {took:?}, stop {:?}", stopping.elapsed());
    assert!(!lives(process) && !folder.exists());
}

async fn a_restart_keeps_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Persistent(folder.path().join("data"));
    let engine = start(place()).await;
    ask(&engine, "CREATE DATABASE kept ENGINE = Atomic").await;
    ask(&engine, "CREATE TABLE kept.rows (n UInt32) ENGINE = MergeTree ORDER BY n").await;
    ask(&engine, "INSERT INTO kept.rows SELECT number FROM numbers(1000)").await;
    let first_password = engine.password().to_owned();
    engine.stop().await;
    let engine = start(place()).await;
    assert_ne!(engine.password(), first_password);
    assert_eq!(ask(&engine, "SELECT count(), sum(n) FROM kept.rows").await, "1000\t499500");
    // The log tables persist too, and still take lines.
    let logged = "SELECT count() FROM system.query_log WHERE query LIKE 'INSERT INTO kept%'";
    assert_ne!(ask(&engine, logged).await, "0");
    ask(&engine, "SYSTEM FLUSH LOGS").await;
    engine.stop().await;
}

fn hold(folder: &Path) -> ExitCode {
    runtime().block_on(async {
        let engine = start(Place::Persistent(folder.to_owned())).await;
        ask(&engine, "CREATE DATABASE IF NOT EXISTS kept ENGINE = Atomic").await;
        ask(&engine, "CREATE TABLE IF NOT EXISTS kept.rows (n UInt32) ENGINE = MergeTree ORDER BY n").await;
        ask(&engine, "INSERT INTO kept.rows SELECT number FROM numbers(1000)").await;
        println!("process {}", engine.process_id().expect("a process"));
        std::future::pending::<()>().await;
    });
    ExitCode::FAILURE
}

async fn a_killed_parent_leaves_no_engine_and_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut holder = tokio::process::Command::new(env::current_exe().unwrap())
        .arg(HOLD_COMMAND)
        .arg(&data)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let process: u32 = loop {
        let line = lines.next_line().await.unwrap().expect("a line with the process");
        if let Some(process) = line.strip_prefix("process ") {
            break process.parse().unwrap();
        }
    };
    assert!(lives(process));
    holder.kill().await.unwrap();
    // Started at once, while the orphan may still be leaving: the directory is waited for.
    let engine = start(Place::Persistent(data)).await;
    assert_eq!(ask(&engine, "SELECT count() FROM kept.rows").await, "1000");
    eventually("the orphan is gone", Duration::from_secs(10), async || !lives(process)).await;

    // The engine itself killed: the next one starts over its data.
    let place = engine.directory().to_owned();
    let process = engine.process_id().unwrap();
    kill_hard(process);
    let mut engine = engine;
    engine.ended().await.unwrap();
    drop(engine);
    let engine = start(Place::Persistent(place)).await;
    assert_eq!(ask(&engine, "SELECT count() FROM kept.rows").await, "1000");
    engine.stop().await;
}

async fn a_killed_engine_is_started_again_where_it_was() {
    let mut engine = start(Place::Temporary).await;
    ask(&engine, "CREATE DATABASE kept ENGINE = Atomic").await;
    ask(&engine, "CREATE TABLE kept.rows (n UInt32) ENGINE = MergeTree ORDER BY n").await;
    ask(&engine, "INSERT INTO kept.rows SELECT number FROM numbers(1000)").await;
    let (connection, first) = (engine.connection().clone(), engine.process_id().expect("a process"));
    kill_hard(first);
    let answers_again = eventually("it answers again", Duration::from_secs(60), async || {
        connection.run("SELECT count() FROM kept.rows").await.is_ok_and(|rows| rows == "1000\n") && !lives(first)
    });
    tokio::select! {
        gave_up = engine.keep_running(Restarts { pause: Duration::ZERO, ..Restarts::default() }) => panic!("{gave_up}"),
        () = answers_again => {}
    }
    let second = engine.process_id().expect("a process");
    assert_ne!(second, first);
    assert_ne!(engine.confinement(), Confinement::None);

    // Somebody else on its port is not mistaken for it.
    kill_hard(second);
    engine.ended().await.unwrap();
    let port = engine.url().rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let error = engine.restart().await.unwrap_err();
    assert!(matches!(error, EngineError::Exited { .. }), "{error}");
    drop(listener);
    engine.restart().await.unwrap();
    assert_eq!(connection.run("SELECT count() FROM kept.rows").await.unwrap(), "1000\n");
    engine.stop().await;
}

async fn an_engine_that_ends_too_often_is_given_up_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(Place::Temporary);
    let EngineProgram::Library { library, .. } = &mut options.program else { panic!("the library is what is tested") };
    let linked = folder.path().join("libchdb.so");
    std::os::unix::fs::symlink(&library, &linked).unwrap();
    library.clone_from(&linked);
    let mut engine = Engine::start(options).await.unwrap();
    std::fs::remove_file(&linked).unwrap();
    kill_hard(engine.process_id().expect("a process"));
    let restarts = Restarts { pause: Duration::from_millis(1), most: 3, ..Restarts::default() };
    let said = engine.keep_running(restarts).await.to_string();
    for words in ["4 times", "libchdb.so", "server.err.log"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

async fn two_engines_run_at_once() {
    let (one, two) = tokio::join!(start(Place::Temporary), start(Place::Temporary));
    assert_ne!(one.url(), two.url());
    for (engine, other) in [(&one, &two), (&two, &one)] {
        assert_eq!(ask(engine, "SELECT 1").await, "1");
        let stranger = engine.connection().as_user("platform", other.password());
        assert_eq!(stranger.run("SELECT 1").await.unwrap_err().code(), Some(516));
    }
}

async fn a_second_engine_on_the_same_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Persistent(folder.path().to_owned());
    let engine = start(place.clone()).await;
    let error = Engine::start(options(place.clone())).await.unwrap_err();
    assert!(matches!(error, EngineError::InUse(_)), "{error}");
    assert_eq!(ask(&engine, "SELECT 1").await, "1");
    // A dropped engine ends by itself, and its directory is free for the next.
    drop(engine);
    start(place).await.stop().await;
}

async fn the_kernel_refuses_files_and_connections() {
    let engine = start(Place::Temporary).await;
    assert_ne!(engine.confinement(), Confinement::None, "needs a kernel with Landlock");
    let port = engine.url().rsplit(':').next().unwrap().to_owned();
    for sql in [
        "SELECT file('/etc/passwd')".to_owned(),
        "SELECT arrayMap(file, ['/etc/passwd'])".to_owned(),
        "SELECT * FROM file('/etc/passwd', 'LineAsString')".to_owned(),
        "INSERT INTO FUNCTION file('config.xml', 'LineAsString') SETTINGS engine_file_truncate_on_insert = 1 VALUES ('x')".to_owned(),
        format!("SELECT * FROM url('http://127.0.0.1:{port}/ping', 'LineAsString') SETTINGS http_max_tries = 1"),
    ] {
        let error = engine.connection().run(&sql).await.expect_err(&sql).to_string();
        assert!(error.contains("Permission denied"), "{sql}: {error}");
    }
    let environment = ask(&engine, "SELECT length(file('/proc/self/environ'))").await;
    assert_eq!(environment, "0");
}

async fn further_users_have_their_profile_and_grants() {
    let user = |name: &str, profile, grants: &[&str]| EngineUser {
        name: name.to_owned(),
        password: "pass word".to_owned(),
        profile,
        grants: grants.iter().map(|&grant| grant.to_owned()).collect(),
    };
    let mut options = options(Place::Temporary);
    options.users = vec![
        user("strict", Profile::ReadOnly1, &[]),
        user("reader", Profile::ReadOnly2, &["GRANT SELECT ON app.seen"]),
        user("writer", Profile::Default, &[]),
    ];
    let engine = Engine::start(options).await.unwrap();
    let limit = [("max_execution_time", "5")];
    let as_user = |name: &str| engine.connection().as_user(name, "pass word");
    let code = async |name: &str, sql: &str| {
        let answer = as_user(name).run_with(sql, &limit).await;
        answer.map_or_else(|error| error.code(), |_| Some(0))
    };
    for sql in [
        "CREATE DATABASE app ENGINE = Atomic",
        "CREATE TABLE app.seen (n UInt8) ENGINE = MergeTree ORDER BY n",
        "CREATE TABLE app.unseen (n UInt8) ENGINE = MergeTree ORDER BY n",
    ] {
        ask(&engine, sql).await;
    }
    assert_eq!(as_user("strict").run("SELECT 1").await.unwrap(), "1\n");
    assert_eq!(code("strict", "SELECT 1").await, Some(164));
    assert_eq!(code("reader", "SELECT * FROM app.seen").await, Some(0));
    assert_eq!(code("reader", "SELECT * FROM app.unseen").await, Some(497));
    assert_eq!(code("reader", "CREATE DATABASE x").await, Some(497));
    assert_eq!(code("writer", "CREATE DATABASE x ENGINE = Atomic").await, Some(0));
    // As a server, not as clickhouse-local.
    assert_eq!(code("writer", "1 + 1").await, Some(62));
    for (setting, expected) in [("mutations_sync", "0"), ("allow_introspection_functions", "0")] {
        assert_eq!(ask(&engine, &format!("SELECT getSetting('{setting}')::UInt8")).await, expected);
    }
}

/// What the launcher itself says. Words of the library's own can be lost: a C++ exception in one of its threads may end the
/// process before they are written.
async fn a_failing_start_tells_why() {
    let folder = tempfile::tempdir().unwrap();
    let no_library = folder.path().join("libchdb.so");
    std::fs::write(&no_library, "no library at all").unwrap();
    let mut options = options(Place::Temporary);
    let EngineProgram::Library { library, .. } = &mut options.program else { panic!("the library is what is tested") };
    *library = no_library;
    let error = Engine::start(options).await.unwrap_err();
    assert!(matches!(error, EngineError::Exited { .. }), "{error}");
    assert!(error.to_string().contains("libchdb.so"), "{error}");
}

async fn the_demo_leaves_something_of_everything() {
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Persistent(folder.path().to_owned());
    let engine = start(place()).await;
    let demo = Demo::start(&engine).await.unwrap();
    let claims = [
        "SELECT count() >= 200000 FROM demo.events",
        "SELECT count() > 0 FROM system.query_log WHERE type = 'QueryFinish' AND query_duration_ms > 2000 AND log_comment LIKE '%demo%'",
        "SELECT count() > 0 FROM system.query_log WHERE exception_code != 0 AND log_comment LIKE '%demo%'",
        "SELECT count() = 1 FROM system.mutations WHERE NOT is_done AND latest_fail_reason != '' AND database = 'demo'",
        "SELECT count() > 0 FROM system.part_log WHERE event_type = 'NewPart' AND database = 'demo'",
    ];
    for claim in claims {
        eventually(claim, Duration::from_secs(60), async || {
            ask(&engine, "SYSTEM FLUSH LOGS").await;
            ask(&engine, claim).await == "1"
        })
        .await;
    }
    drop(demo);
    engine.stop().await;
    let engine = start(place()).await;
    let rows = ask(&engine, "SELECT count() < 201000 FROM demo.events").await;
    let demo = Demo::start(&engine).await.unwrap();
    assert_eq!(rows, "1");
    assert_eq!(ask(&engine, "SELECT count() < 201000 FROM demo.events").await, "1");
    assert_eq!(ask(&engine, "SELECT count() FROM system.mutations WHERE database = 'demo'").await, "1");
    drop(demo);
    engine.stop().await;
}

async fn asynchronous_metrics_can_be_read() {
    let engine = start(Place::Temporary).await;
    let positive = "SELECT groupArray(metric) FROM system.asynchronous_metrics \
        WHERE metric IN ('MemoryResident', 'OSMemoryTotal', 'NumberOfTables', 'OSMemoryAvailable') AND value > 0";
    assert_eq!(ask(&engine, &format!("SELECT length(({positive}))")).await, "4");
}

async fn connections_are_possible_when_asked_for() {
    let mut options = options(Place::Temporary);
    options.connect = true;
    let engine = Engine::start(options).await.unwrap();
    let ping = format!("SELECT * FROM url('{}/ping', 'LineAsString')", engine.url());
    assert_eq!(ask(&engine, &ping).await, "Ok.");
}

/// Stands in for `clickhouse server`, for the claim below only: it answers every request alike and
/// notes what a confined server would see.
fn stand_in(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    if arguments.next().is_some_and(|argument| argument == "--version") {
        println!("ClickHouse server version 25.8.1.1 (stand-in).");
        return ExitCode::SUCCESS;
    }
    let config = std::fs::read_to_string("config.xml").unwrap();
    let port = config.split("<http_port>").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
    let seen = [
        std::process::id().to_string(),
        std::fs::read("/etc/passwd").is_err().to_string(),
        std::fs::write("config.xml", "").is_err().to_string(),
        std::fs::read("/proc/self/statm").is_ok().to_string(),
        env::vars().count().to_string(),
    ];
    std::fs::write("data/seen", seen.join(" ")).unwrap();
    let listener = std::net::TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 65536]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n25.8.1.1\n");
    }
    ExitCode::FAILURE
}

async fn a_server_program_lives_and_ends_with_its_launcher() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(env::current_exe().unwrap(), folder.path().join("clickhouse")).unwrap();
    let binary = ServerBinary::find_in(folder.path().as_os_str()).await.unwrap().expect("found");
    assert_eq!(binary.version, "25.8.1.1");
    let start = async || {
        let program = EngineProgram::Server { launcher: env::current_exe().unwrap(), binary: binary.path.clone() };
        let place = Place::Persistent(folder.path().join("data"));
        let engine = Engine::start(EngineOptions::new(program, place)).await.unwrap();
        let seen = std::fs::read_to_string(engine.directory().join("data/seen")).unwrap();
        let (process, rest) = seen.split_once(' ').unwrap();
        assert_eq!(rest, "true true true 1", "no files, its own figures, one variable");
        (engine, process.parse::<u32>().unwrap())
    };
    let (engine, process) = start().await;
    assert_ne!(engine.confinement(), Confinement::None);
    assert!(lives(process));
    engine.stop().await;
    assert!(!lives(process), "stopped with its launcher");

    let (engine, process) = start().await;
    kill_hard(engine.process_id().unwrap());
    eventually("the server is gone", Duration::from_secs(10), async || !lives(process)).await;
    drop(engine);

    let (engine, process) = start().await;
    drop(engine);
    eventually("the server is gone", Duration::from_secs(10), async || !lives(process)).await;
}

async fn a_clickhouse_on_the_path_is_a_server_too() {
    let Some(binary) = ServerBinary::find().await.unwrap_or_default() else {
        println!("(no usable clickhouse on PATH: nothing to try)");
        return;
    };
    let program = EngineProgram::Server { launcher: env::current_exe().unwrap(), binary: binary.path };
    let engine = Engine::start(EngineOptions::new(program, Place::Temporary)).await.unwrap();
    assert_eq!(engine.version(), binary.version);
    assert_ne!(ask(&engine, "SELECT count() FROM system.query_log").await, "");
    engine.stop().await;
}

fn kill_hard(process: u32) {
    let killed = Command::new("kill").args(["-9", &process.to_string()]).status();
    assert!(killed.unwrap().success());
}
