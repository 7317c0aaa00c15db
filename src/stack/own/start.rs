//! A process of a system that the run has not started is started again, by the command that the
//! scenario names.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use super::process::in_file;
use crate::plan::Secret;
use crate::process::{self, Stat};

/// How long the command may take to return.
const RETURN_WITHIN: Duration = Duration::from_mins(1);

/// How long the process may take until its number is in its file.
const NUMBER_WITHIN: Duration = Duration::from_secs(10);

/// Between two looks into the file.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The shell gets the command by this variable: arguments are for everybody to see.
const VARIABLE: &str = "FCFS_BENCH_START";

/// What the shell does with it.
const SCRIPT: &str = "command=$FCFS_BENCH_START; unset FCFS_BENCH_START; eval \"$command\"";

/// Starts it, unless the process whose number is in the file runs. The command must return; what it
/// has started stays when this process ends, and prints to nowhere.
///
/// # Errors
/// In words, without the command: when it does not return with exit status 0 within a minute, or
/// the file does not hold the number of a running process 10 s later.
pub(crate) async fn start(command: &Secret, directory: &Path, file: &Path) -> Result<(), String> {
    if runs(file).is_ok() {
        return Ok(());
    }
    run(command, directory).await?;
    let give_up = Instant::now() + NUMBER_WITHIN;
    loop {
        match runs(file) {
            Ok(()) => return Ok(()),
            Err(problem) if Instant::now() >= give_up => {
                let limit = NUMBER_WITHIN.as_secs();
                return Err(format!("{limit} s after `start` has returned, {problem}"));
            }
            Err(_) => sleep(LOOK_EVERY).await,
        }
    }
}

async fn run(command: &Secret, directory: &Path) -> Result<(), String> {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", SCRIPT])
        .env(VARIABLE, command.reveal())
        // It is not the run's, which ends all that has its mark.
        .env_remove(process::MARK)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C in the terminal is for the harness.
        .process_group(0);
    let mut child = shell.spawn().map_err(|error| format!("sh: {error}"))?;
    let Ok(ended) = timeout(RETURN_WITHIN, child.wait()).await else {
        let limit = RETURN_WITHIN.as_secs();
        return Err(format!(
            "`start` has not returned after {limit} s: let it start the process in the background"
        ));
    };
    let ended = ended.map_err(|error| format!("`start`: {error}"))?;
    if ended.success() {
        return Ok(());
    }
    let shown = directory.display();
    Err(format!(
        "`start` ended with {ended}: run it by hand in {shown} to see why"
    ))
}

fn runs(file: &Path) -> Result<(), String> {
    let pid = in_file(file)?;
    let there = Stat::of(pid).is_some_and(|stat| stat.state != 'Z');
    there
        .then_some(())
        .ok_or_else(|| format!("process {pid} of {} does not run", file.display()))
}
