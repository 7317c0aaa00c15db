//! Runs a program that ends with this process's standard input, so that it does not outlive whoever
//! holds the other end of the pipe: the kernel closes that end also after `kill -9`.
//!
//! ```text
//! harness ──stdin──> keep ──starts──> keep --bound-to ──becomes──> the program
//! ```

use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, getppid, kill_process_group};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long the program may take to stop in good order.
pub const STOP_WITHIN: Duration = Duration::from_secs(20);

/// The same when nobody is there any more who waits for it.
const STOP_ORPHANED_WITHIN: Duration = Duration::from_secs(3);

/// Runs the program in a process group of its own, to its end or until this process is told to
/// stop, and returns its exit code; as in a shell, 128 and the signal's number after a signal.
///
/// # Errors
/// When the program cannot be started.
pub fn keep(program: &[OsString]) -> io::Result<u8> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let ended = runtime.enable_all().build()?.block_on(kept(program))?;
    Ok(code(ended))
}

/// Waits until this process is told to stop: by a signal, or by the end of its standard input.
///
/// # Errors
/// When it cannot listen.
pub async fn until_told() -> io::Result<()> {
    Told::listen()?.stop().await;
    Ok(())
}

/// Becomes the program, as a child of `keeper`. On Linux the kernel kills it when the keeper ends,
/// so that it does not outlive a keeper that was killed either.
pub fn become_program(program: &[OsString], keeper: i32) -> io::Error {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // The keeper may have ended before the kernel was asked.
    if getppid() != Pid::from_raw(keeper) {
        return io::Error::other("its keeper is gone");
    }
    let Some((program, arguments)) = program.split_first() else {
        return io::ErrorKind::InvalidInput.into();
    };
    std::process::Command::new(program).args(arguments).exec()
}

async fn kept(program: &[OsString]) -> io::Result<ExitStatus> {
    let starter = getppid();
    // Listened to before the program is there: a signal in between would leave it alone.
    let mut told = Told::listen()?;
    let mut child = start(program)?;
    let group = child.id().and_then(|id| Pid::from_raw(id as i32));
    let ended = tokio::select! {
        ended = child.wait() => ended,
        () = told.stop() => stop(&mut child, group, starter).await,
    };
    // Whoever the program has left behind.
    send(group, Signal::KILL);
    ended
}

fn start(program: &[OsString]) -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["keep", "--bound-to", &getpid().to_string(), "--"])
        .args(program)
        .stdin(Stdio::null())
        .process_group(0);
    command.spawn()
}

async fn stop(
    child: &mut Child,
    group: Option<Pid>,
    starter: Option<Pid>,
) -> io::Result<ExitStatus> {
    send(group, Signal::TERM);
    // One that was paused cannot stop before it goes on.
    send(group, Signal::CONT);
    if let Ok(ended) = timeout(STOP_ORPHANED_WITHIN, child.wait()).await {
        return ended;
    }
    // An orphan has another parent.
    let left = STOP_WITHIN.saturating_sub(STOP_ORPHANED_WITHIN);
    if getppid() == starter
        && let Ok(ended) = timeout(left, child.wait()).await
    {
        return ended;
    }
    send(group, Signal::KILL);
    child.wait().await
}

/// It fails only when nobody is left.
fn send(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        let _ = kill_process_group(group, signal);
    }
}

fn code(ended: ExitStatus) -> u8 {
    let signal = || 128 + ended.signal().unwrap_or_default();
    u8::try_from(ended.code().unwrap_or_else(signal)).unwrap_or(u8::MAX)
}

/// The ways to be told to stop.
struct Told {
    signals: [Signals; 3],
    stdin_ended: oneshot::Receiver<()>,
}

impl Told {
    fn listen() -> io::Result<Self> {
        let kinds = [
            SignalKind::terminate(),
            SignalKind::interrupt(),
            SignalKind::hangup(),
        ];
        let [terminate, interrupt, hangup] = kinds.map(signal);
        Ok(Self {
            signals: [terminate?, interrupt?, hangup?],
            stdin_ended: watch_stdin()?,
        })
    }

    async fn stop(&mut self) {
        let [terminate, interrupt, hangup] = &mut self.signals;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
            // An error: the thread is gone, and with it the knowledge that anybody is there.
            _ = &mut self.stdin_ended => {}
        }
    }
}

/// A plain thread: tokio's stdin would keep the process alive until something is written to it.
fn watch_stdin() -> io::Result<oneshot::Receiver<()>> {
    let (ended, wait) = oneshot::channel();
    std::thread::Builder::new()
        .name("stdin".into())
        .spawn(move || {
            // The end and an error both mean that nobody holds the other end.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _ = ended.send(());
        })?;
    Ok(wait)
}
