//! The process that removes the containers of a run when the harness does not: it waits at a pipe,
//! which the kernel closes whatever the harness died of.

use std::fs::File;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// How long it may take to remove everything.
const REMOVE_WITHIN: Duration = Duration::from_secs(90);

/// It is not killed when this is dropped: the end of its input is what it waits for.
#[derive(Debug)]
pub(super) struct Keeper {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Keeper {
    /// Starts it for a run, with all that it says in a log.
    pub(super) fn start(run: &str, log: File) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["keep-containers", "--run", run])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            // A Ctrl-C in the terminal is for the harness, which ends its services in its own time.
            .process_group(0);
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin })
    }

    /// Ends it when nothing is left for it to do.
    pub(super) async fn dismiss(mut self) {
        // It is gone already if this fails.
        let _ = self.child.kill().await;
    }

    /// Lets it remove what is left, and waits for it.
    pub(super) async fn let_go(mut self) {
        drop(self.stdin.take());
        // It has a limit of its own; when it is beyond that, waiting longer is in vain.
        let _ = timeout(REMOVE_WITHIN, self.child.wait()).await;
    }
}
