//! `chm-host`: watches ClickHouse through sandboxed plugins.

use std::process::ExitCode;

use chm_host::commands;

fn main() -> ExitCode {
    // The embedded engine runs in a process of its own: this program again, before anything else of it starts.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|word| word == chm_embedded::LAUNCHER_COMMAND) {
        chm_embedded::run_engine(arguments);
    }
    commands::run()
}
