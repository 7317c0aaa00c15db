//! Heals what a run has left broken: a small process beside the harness, which notices its death, and
//! whoever looks for orphaned leases later.

use std::fmt;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, sleep, timeout};

use super::book::{self, Page};
use crate::process;

/// How long undoing one thing may take.
const UNDO_WITHIN: Duration = Duration::from_secs(15);

/// How long what a dead harness has started may take to end in good order.
const END_BY_ITSELF_WITHIN: Duration = Duration::from_secs(3);

/// Between two looks whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What a harness says that lives.
const OVER: &[u8] = b"over\n";

/// How long the janitor may take to see that there is nothing to do.
const END_WITHIN: Duration = Duration::from_secs(2);

/// The process that waits for the end of the harness.
#[derive(Debug)]
pub(super) struct Janitor {
    child: Child,
    /// Its end is the harness's end.
    stdin: Option<ChildStdin>,
}

impl Janitor {
    /// Starts it, with the file of leases that it will look into.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(leases: &Path) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("janitor")
            .arg(leases)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl-C in the terminal is for the harness.
            .process_group(0);
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin })
    }

    /// Lets it go, when everything is healed, or it is known what is not.
    pub(super) async fn dismiss(mut self) {
        if let Some(mut stdin) = self.stdin.take() {
            // Should it be gone, there is nobody to be told.
            let _ = stdin.write_all(OVER).await;
        }
        let _ = timeout(END_WITHIN, self.child.wait()).await;
    }
}

/// Waits for the end of standard input, then undoes what is in the file. When the harness has died,
/// it also sees to it that what the harness has started ends soon: all of that ends by itself, but
/// in good order, which may take a while.
///
/// # Errors
/// When it cannot wait.
pub async fn wait_and_heal(leases: &Path) -> io::Result<()> {
    let mut last_words = Vec::new();
    io::stdin().lock().read_to_end(&mut last_words)?;
    let Ok(page) = book::read(leases) else {
        return Ok(());
    };
    let mark = process::mark_of(page.owner.pid, page.owner.started);
    let died = last_words != OVER;
    undo_all(leases, page).await;
    if died {
        end_what_it_started(&mark).await;
    }
    Ok(())
}

async fn end_what_it_started(mark: &str) {
    let own = std::process::id();
    let left = || {
        let mut left = process::marked(mark);
        left.retain(|(pid, _)| *pid != own);
        left
    };
    let give_up = Instant::now() + END_BY_ITSELF_WITHIN;
    while Instant::now() < give_up && !left().is_empty() {
        sleep(LOOK_EVERY).await;
    }
    for (pid, started) in left() {
        // It may have ended in the meantime.
        let _ = process::send(pid, started, Signal::KILL);
    }
}

/// What became of one lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The fault's name.
    pub fault: String,
    /// As reports call it.
    pub victim: String,
    /// The run directory that it comes from.
    pub run: String,
    /// Why it is still broken, if it is.
    pub trouble: Option<String>,
}

impl fmt::Display for Undone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            fault,
            victim,
            run,
            trouble,
        } = self;
        match trouble {
            None => write!(f, "healed {fault} at {victim}, of {run}"),
            Some(why) => write!(f, "NOT healed {fault} at {victim}, of {run}: {why}"),
        }
    }
}

/// Undoes what runs have left behind that do not live any more.
///
/// # Errors
/// When the directory of leases cannot be read.
pub async fn heal_orphans() -> io::Result<Vec<Undone>> {
    let mut all = Vec::new();
    for (path, page) in book::orphans()? {
        all.extend(undo_all(&path, page).await);
    }
    Ok(all)
}

/// The last one first. What cannot be undone stays in the file.
async fn undo_all(path: &Path, mut page: Page) -> Vec<Undone> {
    let mut all = Vec::new();
    let mut left = Vec::new();
    while let Some(lease) = page.leases.pop() {
        let mut trouble = None;
        for undo in lease.undo.iter().rev() {
            let done = timeout(UNDO_WITHIN, undo.run()).await;
            let done = done.map_err(|_| format!("not within {} s", UNDO_WITHIN.as_secs()));
            let done = done.and_then(|done| done.map_err(|error| error.to_string()));
            trouble = trouble.or(done.err());
        }
        all.push(Undone {
            fault: lease.fault.clone(),
            victim: lease.victim.clone(),
            run: page.run.clone(),
            trouble: trouble.clone(),
        });
        left.extend(trouble.map(|_| lease));
    }
    left.reverse();
    let _ = keep_or_remove(
        path,
        &Page {
            leases: left,
            ..page
        },
    );
    all
}

fn keep_or_remove(path: &Path, page: &Page) -> io::Result<()> {
    if page.leases.is_empty() {
        book::remove(path)
    } else {
        book::write(path, page)
    }
}
