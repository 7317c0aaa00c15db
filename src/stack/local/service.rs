//! Starts one service on a free port, and waits until it answers in its own protocol.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::kept::Kept;
use crate::stack::NotReady;
use crate::stack::log::last_lines;

/// How long a service may take to answer for the first time, also on a machine with other things
/// to do.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// How long one try may take.
const TRY_WITHIN: Duration = Duration::from_secs(2);

/// Between two tries.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// Ports that are tried: each is free when it is chosen, and may be taken before it is bound.
pub(in crate::stack) const PORTS: usize = 5;

/// A kind of service.
pub(super) trait Kind {
    /// As errors call it.
    fn name(&self) -> &str;

    /// Where its files are.
    fn directory(&self) -> &Path;

    /// Writes its configuration for a port, and says how it is started.
    fn configure(&self, port: u16) -> io::Result<Vec<OsString>>;

    /// Asks it once, so that only this very service can give the right answer.
    async fn ask(&self, port: u16) -> Result<(), String>;

    /// A text of its log without secrets.
    fn hide(&self, text: &str) -> String;
}

/// A service that answers.
#[derive(Debug)]
pub(super) struct Service {
    kept: Kept,
    pub(super) port: u16,
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
    pub(super) async fn start(kind: &impl Kind) -> Result<Self, NotReady> {
        let mut tried = 1;
        loop {
            match Self::start_on(kind, free_port()?).await {
                Err(Failed::PortTaken(_)) if tried < PORTS => tried += 1,
                started => return Ok(started?),
            }
        }
    }

    /// Starts it on a port that somebody else may have taken in the meantime.
    pub(super) async fn start_on(kind: &impl Kind, port: u16) -> Result<Self, Failed> {
        let log = &log_of(kind.directory());
        let fail = |problem: String| NotReady::Service {
            service: kind.name().to_owned(),
            problem,
            log: kind.hide(&last_lines(log)),
        };
        let program = kind.configure(port)?;
        let mut kept = Kept::start(&program, kind.directory(), log)?;
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
                Ok(()) => return Ok(Self { kept, port }),
                Err(_) => format!("no right answer within {} s", READY_WITHIN.as_secs()),
            },
        };
        kept.stop().await;
        Err(Failed::Otherwise(fail(problem)))
    }

    /// The number of its keeper.
    pub(super) fn keeper(&self) -> Option<u32> {
        self.kept.keeper()
    }

    /// Stops it in good order.
    pub(super) async fn stop(self) {
        self.kept.stop().await;
    }
}

pub(super) fn log_of(directory: &Path) -> PathBuf {
    directory.join("log")
}

async fn until_ready(kind: &impl Kind, port: u16) {
    while !matches!(timeout(TRY_WITHIN, kind.ask(port)).await, Ok(Ok(()))) {
        sleep(TRY_EVERY).await;
    }
}

pub(in crate::stack) fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// All servers show the system's words for it.
fn says_port_taken(log: &Path) -> bool {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.contains("Address already in use") || text.contains("Got error: 98")
}
