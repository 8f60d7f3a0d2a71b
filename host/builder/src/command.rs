//! Runs a program and words its failure.

use std::io;
use std::process::{Command, Output};

/// A program could not be run, or failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The program is not there.
    #[error("`{program}` is not installed or not on PATH")]
    Missing {
        /// Its name or path.
        program: String,
    },
    /// The program could not be started, or spoken to.
    #[error("cannot run `{program}`: {source}")]
    Start {
        /// Its name or path.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// The program said no.
    #[error("`{line}` failed ({status}):\n{said}")]
    Failed {
        /// Its name and first arguments.
        line: String,
        /// How it ended.
        status: String,
        /// The end of what it wrote to its error stream.
        said: String,
    },
}

/// Longest part of an error stream that is kept, in bytes.
const SAID_BYTES: usize = 16 * 1024;

/// Runs a command to its end and returns its output if it succeeded.
pub(crate) fn run(command: &mut Command) -> Result<Output, CommandError> {
    let output = command.output().map_err(|source| not_started(command, source))?;
    if output.status.success() { Ok(output) } else { Err(failed(command, output.status.to_string(), &output.stderr)) }
}

/// What a successful command wrote, trimmed.
pub(crate) fn text_of(command: &mut Command) -> Result<String, CommandError> {
    Ok(String::from_utf8_lossy(&run(command)?.stdout).trim().to_owned())
}

pub(crate) fn not_started(command: &Command, source: io::Error) -> CommandError {
    let program = command.get_program().to_string_lossy().into_owned();
    if source.kind() == io::ErrorKind::NotFound {
        CommandError::Missing { program }
    } else {
        CommandError::Start { program, source }
    }
}

pub(crate) fn failed(command: &Command, status: String, stderr: &[u8]) -> CommandError {
    let words = std::iter::once(command.get_program()).chain(command.get_args().take(4));
    let line = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let tail = stderr.get(stderr.len().saturating_sub(SAID_BYTES)..).unwrap_or_default();
    CommandError::Failed { line, status, said: String::from_utf8_lossy(tail).trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_program_is_quoted_and_a_missing_one_named() {
        let said = run(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err().to_string();
        assert!(said.contains("sh -c") && said.contains("why") && said.contains('3'), "{said}");
        let said = run(&mut Command::new("no-such-program-here")).unwrap_err().to_string();
        assert!(said.contains("`no-such-program-here` is not installed"), "{said}");
    }
}
