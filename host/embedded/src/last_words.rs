//! The end of what the launcher said.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

const LINES: usize = 15;
/// Enough for [`LINES`], however long the log has become.
const BYTES: u64 = 65_536;

/// The last lines of a log, none of them before the byte `start`.
pub(crate) fn last_words(log: &Path, start: u64) -> String {
    let text = read(log, start).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    // ClickHouse ends its message with a stack of addresses, which would push it out.
    let is_frame = |line: &str| line.split_once(". ").is_some_and(|(number, _)| number.parse::<u16>().is_ok());
    // Nor is it news where it logs.
    let is_notice = |line: &str| line.starts_with("Logging ");
    let lines: Vec<&str> = text.lines().filter(|line| !is_frame(line) && !is_notice(line)).collect();
    if lines.is_empty() {
        return "(none)".to_owned();
    }
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

fn read(log: &Path, start: u64) -> io::Result<Vec<u8>> {
    let mut log = File::open(log)?;
    let from = log.metadata()?.len().saturating_sub(BYTES).max(start);
    log.seek(SeekFrom::Start(from))?;
    let mut text = Vec::new();
    log.take(BYTES).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_notices_and_the_words_of_predecessors_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("launcher.log");
        let before = "engine: an older one\n";
        std::fs::write(&log, format!("{before}Logging errors to somewhere\n0. frame @ 0x1\nengine: no memory\n"))
            .unwrap();
        assert_eq!(last_words(&log, before.len() as u64), "engine: no memory");
        assert_eq!(last_words(&log, u64::MAX / 2), "(none)");
        assert_eq!(last_words(&folder.path().join("absent"), 0), "(none)");
    }
}
