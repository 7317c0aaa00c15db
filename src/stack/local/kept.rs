//! One program of this run, which ends when the run lets go of it.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use crate::keeper::STOP_WITHIN;
use crate::process;

/// What a keeper needs beside the time of its program.
const MARGIN: Duration = Duration::from_secs(5);

/// What becomes of a log that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    New,
    Longer,
}

/// A keeper with its program. The keeper is not killed when this is dropped, since its program
/// would be left alone: the end of its input tells it to stop.
#[derive(Debug)]
pub(super) struct Kept {
    keeper: Child,
    stdin: Option<ChildStdin>,
}

impl Kept {
    /// Starts a program in its directory, with all that it says in a log.
    pub(super) fn start(
        program: &[OsString],
        directory: &Path,
        log: &Path,
        length: Log,
    ) -> io::Result<Self> {
        let log = match length {
            Log::New => File::create(log)?,
            Log::Longer => File::options().append(true).create(true).open(log)?,
        };
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["keep", "--"])
            .args(program)
            .current_dir(directory)
            // MariaDB's installer has temporary files; in a shared directory a server that starts
            // removes those of the others.
            .env("TMPDIR", directory)
            .env(process::MARK, process::mark())
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            // A Ctrl-C in the terminal is for the harness, which ends its services in its own time.
            .process_group(0);
        let mut keeper = command.spawn()?;
        let stdin = keeper.stdin.take();
        Ok(Self { keeper, stdin })
    }

    /// Waits for the program's end, and says how it ended.
    pub(super) async fn ended(&mut self) -> Result<(), String> {
        let status = self.keeper.wait().await;
        let status = status.map_err(|error| error.to_string())?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("it ended with {status}"))
        }
    }

    /// The number of the keeper, whose only child is the program.
    pub(super) fn keeper(&self) -> Option<u32> {
        self.keeper.id()
    }

    /// Lets go of the program, and waits until it has ended.
    pub(super) async fn stop(mut self) {
        drop(self.stdin.take());
        // The keeper has a limit of its own; when it is beyond that, waiting longer is in vain.
        let _ = timeout(STOP_WITHIN + MARGIN, self.keeper.wait()).await;
    }
}
