//! Programs of the user's machine. None of them outlives its step.

use std::cell::Cell;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use super::{Done, Work, quoted};
use crate::plan::Template;

/// How long a program's output may come after its end: a daemon that it started has left its group
/// and may hold the pipe for ever.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Lines of a failed program that are shown.
const LINES: usize = 8;

pub(super) async fn run(work: &Work<'_>, words: &[Template]) -> Result<Done, String> {
    let words: Vec<_> = words
        .iter()
        .map(|word| word.to_text(&work.once()))
        .collect();
    let Some((program, arguments)) = words.split_first() else {
        return Err("there is no program".to_owned());
    };
    let child = command(program, arguments).spawn();
    let mut child = child.map_err(|error| format!("it could not be started: {error}"))?;
    let group = Group::of(&child);
    let (mut stdout, mut stderr) = (Output::default(), Output::default());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    // Programs that write more than a pipe holds would wait for a reader.
    let ended = {
        let left = Notify::new();
        let ending = async {
            let status = child.wait().await.map_err(|error| error.to_string());
            // Whoever it has left behind holds its pipes.
            group.kill();
            left.notify_one();
            status
        };
        let reading = async { tokio::join!(stdout.read(out), stderr.read(err)) };
        let given_up = async {
            left.notified().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        let reading = async {
            tokio::select! { _ = reading => {}, () = given_up => {} }
        };
        let both = async { tokio::join!(ending, reading).0 };
        work.within(both).await
    };
    let status = ended.map_err(|words| format!("{words}{}", shown(&stdout, &stderr)))?;
    if !status.success() {
        return Err(format!("it ended with {status}{}", shown(&stdout, &stderr)));
    }
    let captured = match work.step.captures.as_slice() {
        [] => Vec::new(),
        _ => match stdout.first.trim() {
            "" => return Err("it wrote nothing to capture to stdout".to_owned()),
            line => vec![line.to_owned()],
        },
    };
    Ok(Done { rows: 1, captured })
}

fn command(program: &str, arguments: &[String]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A Ctrl-C of the terminal is for the harness; and all that it starts can be ended.
        .process_group(0);
    command
}

/// The program and all that it has started; they end with this value.
struct Group(Cell<Option<Pid>>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| Pid::from_raw(id as i32));
        Self(Cell::new(id))
    }

    /// Once: later the number may be somebody else's.
    fn kill(&self) {
        if let Some(group) = self.0.take() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a program wrote: the first line and the last ones.
#[derive(Default)]
struct Output {
    first: String,
    last: std::collections::VecDeque<String>,
    lines: u64,
}

impl Output {
    async fn read(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(pipe) = pipe else { return };
        let mut lines = BufReader::new(pipe).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            let line = String::from_utf8_lossy(&line).into_owned();
            if self.lines == 0 {
                self.first.clone_from(&line);
            }
            self.lines += 1;
            if self.last.len() == LINES {
                self.last.pop_front();
            }
            self.last.push_back(line);
        }
    }
}

/// The last lines, each on a line of its own.
fn shown(stdout: &Output, stderr: &Output) -> String {
    let lines = stdout.last.iter().chain(&stderr.last);
    let lines: Vec<_> = lines.map(|line| quoted(line)).collect();
    let lines = lines.iter().filter(|line| !line.is_empty());
    lines.fold(String::new(), |shown, line| shown + "\n    " + line)
}
