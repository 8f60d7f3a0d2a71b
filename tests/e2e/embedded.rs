//! The engine that `up` starts, when it dies.

use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{Host, eventually, run};

/// The child of a host that is its engine's launcher.
fn engine_of(host: &Host) -> i32 {
    let is_it = |id: i32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let command = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
        // After the name in brackets: state, then parent.
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1));
        parent == Some(&host.process().to_string()) && command.contains("engine-launcher")
    };
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    let mut numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.find(|id| is_it(*id)).expect("an engine")
}

fn kill_hard(process: i32) {
    kill(Pid::from_raw(process), Signal::SIGKILL).expect("a process of ours");
}

#[test]
fn an_engine_that_is_killed_is_told_in_one_line_and_answers_again() {
    run(async {
        let data = tempfile::tempdir().expect("a folder");
        let mut host = Host::with_bundled().up(data.path()).unhurried().start().await;
        host.query("SELECT 1").await.expect(200);
        let first = engine_of(&host);
        kill_hard(first);
        host.logged("ended by itself").await;
        let log = host.stderr();
        let line = log.lines().find(|line| line.contains("ended by itself")).expect("the line");
        for words in ["ERROR", "signal: 9", "started again", "more memory", "server.err.log"] {
            assert!(line.contains(words), "{words}: {line}");
        }
        eventually("it answers again", Duration::from_secs(90), async || host.query("SELECT 1").await.status == 200)
            .await;
        assert_ne!(engine_of(&host), first);

        // Told to end, it ends its new engine too, and takes that end for no accident.
        host.signal(Signal::SIGTERM);
        assert!(host.wait(Duration::from_secs(20)).is_some_and(|status| status.success()));
        assert_eq!(host.stderr().matches("ended by itself").count(), 1);
    });
}

#[test]
fn a_host_whose_engine_cannot_live_ends_in_order_and_says_why() {
    run(async {
        let data = tempfile::tempdir().expect("a folder");
        let mut host = Host::with_bundled().up(data.path()).start().await;
        let engine = engine_of(&host);
        // No engine can start where there is no folder and none can be made.
        let folder = data.path().join("chm-host/engine-data");
        fs::rename(&folder, data.path().join("moved")).expect("a folder");
        fs::write(&folder, "no folder").expect("a file");
        kill_hard(engine);
        // Five pauses, 15.5 s together, are what the host takes its time for.
        let status = host.wait(Duration::from_secs(120)).expect("an end");
        assert!(!status.success(), "{status}");
        host.logged("is not started again").await;
        host.logged("engine-data").await;
    });
}
