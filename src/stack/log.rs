//! The end of a log, for an error.

use std::path::Path;

/// Lines of a log that an error shows.
const LINES: usize = 10;

/// The last lines, each on a line of its own.
pub(super) fn last_lines(log: &Path) -> String {
    // A program may write its configuration's bytes, which need not be text.
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    last.iter()
        .fold(String::new(), |text, line| format!("{text}\n  {line}"))
}
