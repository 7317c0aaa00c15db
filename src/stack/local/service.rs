//! Starts one service on a free port, and waits until it answers in its own protocol.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::kept::{Kept, Log};
use crate::plan::Process;
use crate::process;
use crate::stack::log::last_lines;
use crate::stack::{Clock, NotReady};

/// How long a service may take to answer for the first time, also on a machine with other things
/// to do.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// How long one try may take.
const TRY_WITHIN: Duration = Duration::from_secs(2);

/// Between two tries.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// In the directory of a service: the number of its process.
const NUMBER: &str = "pid";

/// Ports that are tried: each is free when it is chosen, and may be taken before it is bound.
pub(in crate::stack) const PORTS: usize = 5;

/// A kind of service.
pub(super) trait Kind: Send + Sync {
    /// As errors call it.
    fn name(&self) -> &str;

    /// Where its files are.
    fn directory(&self) -> &Path;

    /// Writes its configuration for a port, and says how it is started.
    fn configure(&self, port: u16) -> io::Result<Vec<OsString>>;

    /// Asks it once, so that only this very service can give the right answer.
    fn ask(&self, port: u16) -> BoxFuture<'_, Result<(), String>>;

    /// What it is started with, so that its clock can be set.
    fn clock(&self) -> Option<&Clock> {
        None
    }

    /// A text of its log without secrets.
    fn hide(&self, text: &str) -> String;
}

/// A service that answers. It can be stopped and started again on its port.
pub(in crate::stack) struct Service {
    kind: Box<dyn Kind>,
    /// `None` while it does not run.
    kept: Mutex<Option<Kept>>,
    pub(in crate::stack) port: u16,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on port {}", self.kind.name(), self.port)
    }
}

/// Why a service did not start on its port.
pub(super) enum Failed {
    /// The port was free when it was chosen.
    PortTaken(NotReady),
    Otherwise(NotReady),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Otherwise(error.into())
    }
}

impl From<Failed> for NotReady {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::PortTaken(error) | Failed::Otherwise(error) => error,
        }
    }
}

impl Service {
    pub(super) async fn start(kind: impl Kind + 'static) -> Result<Self, NotReady> {
        let kind: Box<dyn Kind> = Box::new(kind);
        let mut tried = 1;
        loop {
            let port = free_port()?;
            match start_on(&*kind, port, Log::New).await {
                Ok(kept) => return Ok(Self::of(kind, kept, port)),
                Err(Failed::PortTaken(_)) if tried < PORTS => tried += 1,
                Err(failed) => return Err(failed.into()),
            }
        }
    }

    /// Starts it on a port that somebody else may have taken in the meantime.
    pub(super) async fn start_on(kind: impl Kind + 'static, port: u16) -> Result<Self, Failed> {
        let kind: Box<dyn Kind> = Box::new(kind);
        let kept = start_on(&*kind, port, Log::New).await?;
        Ok(Self::of(kind, kept, port))
    }

    fn of(kind: Box<dyn Kind>, kept: Kept, port: u16) -> Self {
        let kept = Mutex::new(Some(kept));
        Self { kind, kept, port }
    }

    /// As errors and figures call it.
    pub(in crate::stack) fn name(&self) -> &str {
        self.kind.name()
    }

    /// What sets its clock.
    pub(in crate::stack) fn clock(&self) -> Option<&Clock> {
        self.kind.clock()
    }

    /// The number of its keeper; none while it does not run.
    pub(in crate::stack) fn keeper(&self) -> Option<u32> {
        // Held only while it is stopped or started.
        self.kept.try_lock().ok()?.as_ref()?.keeper()
    }

    /// Its program, as what measures it finds it.
    pub(in crate::stack) fn process(&self) -> Process {
        let file = self.kind.directory().join(NUMBER);
        Process::PidFile(file.display().to_string())
    }

    /// Asks it once whether it answers as before.
    ///
    /// # Errors
    /// In words, when it does not.
    pub(in crate::stack) async fn ask(&self) -> Result<(), String> {
        self.kind.ask(self.port).await
    }

    /// Waits for the end of a program that was killed, so that it can be started again.
    pub(in crate::stack) async fn has_ended(&self) {
        if let Some(mut kept) = self.kept.lock().await.take() {
            let _ = kept.ended().await;
        }
    }

    /// Starts it again on its port, with the files that it has left; nothing if it runs.
    pub(in crate::stack) async fn start_again(&self) -> Result<(), NotReady> {
        let mut kept = self.kept.lock().await;
        if kept.is_none() {
            *kept = Some(start_on(&*self.kind, self.port, Log::Longer).await?);
        }
        Ok(())
    }

    /// Stops it in good order.
    pub(in crate::stack) async fn stop(&self) {
        if let Some(kept) = self.kept.lock().await.take() {
            kept.stop().await;
        }
    }
}

async fn start_on(kind: &dyn Kind, port: u16, length: Log) -> Result<Kept, Failed> {
    let log = &log_of(kind.directory());
    let fail = |problem: String| NotReady::Service {
        service: kind.name().to_owned(),
        problem,
        log: kind.hide(&last_lines(log)),
    };
    let program = kind.configure(port)?;
    let program = match kind.clock() {
        Some(clock) => clock.started_with(program),
        None => program,
    };
    let mut kept = Kept::start(&program, kind.directory(), log, length)?;
    let ready = timeout(READY_WITHIN, until_ready(kind, port));
    let problem = tokio::select! {
        ended = kept.ended() => {
            let problem = ended.err().unwrap_or_else(|| "it ended at once".to_owned());
            return Err(if says_port_taken(log) {
                Failed::PortTaken(fail(problem))
            } else {
                Failed::Otherwise(fail(problem))
            });
        }
        ready = ready => match ready {
            Ok(()) => {
                write_number(kind, &kept)?;
                return Ok(kept);
            }
            Err(_) => format!("no right answer within {} s", READY_WITHIN.as_secs()),
        },
    };
    kept.stop().await;
    Err(Failed::Otherwise(fail(problem)))
}

pub(super) fn log_of(directory: &Path) -> PathBuf {
    directory.join("log")
}

/// Who measures it finds it again when it has been started again.
fn write_number(kind: &dyn Kind, kept: &Kept) -> io::Result<()> {
    let program = kept.keeper().map(process::children);
    let number = program.and_then(|children| children.first().copied());
    if let (Some(number), Some(_)) = (number, kind.clock()) {
        Clock::unshare(number);
    }
    let text = number.map_or_else(String::new, |number| number.to_string());
    std::fs::write(kind.directory().join(NUMBER), text)
}

async fn until_ready(kind: &dyn Kind, port: u16) {
    while !matches!(timeout(TRY_WITHIN, kind.ask(port)).await, Ok(Ok(()))) {
        sleep(TRY_EVERY).await;
    }
}

pub(in crate::stack) fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// All servers show the system's words for it.
pub(super) fn says_port_taken(log: &Path) -> bool {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.contains("Address already in use") || text.contains("Got error: 98")
}
