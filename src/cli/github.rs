//! What a step of GitHub Actions is told: a summary for its page, and outputs for the steps behind
//! it. Both are files that the environment names; without them nothing is written. Whatever goes
//! wrong here is a warning: it changes nothing of how a run ends.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::output::say;

/// GitHub refuses a step's whole summary above it.
const MOST_BYTES: u64 = 1024 * 1024;

/// What stands where the rest was too long.
const CUT: &str = "\n\n*The rest is too long for a step's summary.*\n";

/// The files that the environment names.
#[derive(Debug, Default)]
pub(super) struct Github {
    summary: Option<PathBuf>,
    output: Option<PathBuf>,
}

/// How a command has ended.
pub(super) struct Outcome<'a> {
    /// `pass`, `unknown` or `fail`; `none` where nothing was judged.
    pub(super) verdict: &'a str,
    /// The process's.
    pub(super) exit: Exit,
    /// Of the run, where there is one.
    pub(super) directory: Option<&'a Path>,
}

impl Github {
    /// As it is in this process's environment.
    pub(super) fn of_environment() -> Self {
        let path = |name: &str| {
            let value: OsString = std::env::var_os(name)?;
            (!value.is_empty()).then(|| PathBuf::from(value))
        };
        Self {
            summary: path("GITHUB_STEP_SUMMARY"),
            output: path("GITHUB_OUTPUT"),
        }
    }

    /// Adds to the step's page.
    pub(super) fn summary(&self, markdown: &str) {
        let Some(path) = &self.summary else { return };
        warn_of("the step's summary", path, append_summary(path, markdown));
    }

    /// Sets `verdict`, `exit-code` and `directory`.
    pub(super) fn outputs(&self, outcome: &Outcome<'_>) {
        let Some(path) = &self.output else { return };
        let mut text = output("verdict", outcome.verdict);
        text += &output("exit-code", &outcome.exit.code().to_string());
        if let Some(directory) = outcome.directory {
            text += &output("directory", &directory.display().to_string());
        }
        warn_of("the step's outputs", path, append(path, &text));
    }
}

fn warn_of(what: &str, path: &Path, written: io::Result<()>) {
    if let Err(error) = written {
        let path = path.display();
        say!("warning: failed to write {what} to {path}: {error}");
    }
}

fn append_summary(path: &Path, markdown: &str) -> io::Result<()> {
    let there = match std::fs::metadata(path) {
        Ok(there) => there.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let room = MOST_BYTES.saturating_sub(there) as usize;
    match fitting(&format!("{markdown}\n"), room) {
        Some(text) => append(path, &text),
        None => Err(io::Error::other(
            "it is full: GitHub shows no more than 1 MiB of a step",
        )),
    }
}

/// The text, or as many of its lines as there is room for. `None`: there is no room at all.
fn fitting(text: &str, room: usize) -> Option<String> {
    if text.len() <= room {
        return Some(text.to_owned());
    }
    let room = room.checked_sub(CUT.len())?;
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        if out.len() + line.len() > room {
            break;
        }
        out += line;
    }
    (!out.is_empty()).then(|| out + CUT)
}

/// One output; of several lines, where a value has them.
fn output(name: &str, value: &str) -> String {
    let mut out = String::new();
    if value.contains(['\n', '\r']) {
        // No line of the value may end it.
        let mut end = "END".to_owned();
        while value.contains(&end) {
            end.push('_');
        }
        let _ = writeln!(out, "{name}<<{end}\n{value}\n{end}");
    } else {
        let _ = writeln!(out, "{name}={value}");
    }
    out
}

/// In one piece, so that what other programs of the step write stays whole.
fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_cannot_make_another_one() {
        assert_eq!(
            output("directory", "reports/a b"),
            "directory=reports/a b\n"
        );
        assert_eq!(
            output("directory", "a\nverdict=pass"),
            "directory<<END\na\nverdict=pass\nEND\n"
        );
        assert_eq!(
            output("directory", "a\nEND\nb"),
            "directory<<END_\na\nEND\nb\nEND_\n"
        );
    }

    #[test]
    fn what_is_too_long_ends_with_a_whole_line_and_says_so() {
        let text = "| a |\n".repeat(100);
        assert_eq!(fitting(&text, 600).as_deref(), Some(text.as_str()));
        let cut = fitting(&text, 599).unwrap_or_default();
        assert!(cut.len() <= 599 && cut.ends_with(CUT), "{cut}");
        assert!(cut.trim_end_matches(CUT).ends_with("| a |\n"), "{cut}");
        assert_eq!(fitting(&text, CUT.len()), None, "nothing but the note");
        assert_eq!(fitting(&text, 3), None);
    }

    #[test]
    fn all_steps_of_a_job_together_stay_within_what_github_takes() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("summary.md");
        let text = format!("{}\n", "x".repeat(1023)).repeat(600);
        append_summary(&path, &text).expect("there is room");
        append_summary(&path, &text).expect("there is room for a part");
        assert!(append_summary(&path, &text).is_err());
        let length = std::fs::metadata(&path).expect("it is there").len();
        assert!(
            (MOST_BYTES - 2048..=MOST_BYTES).contains(&length),
            "{length}"
        );
    }
}
