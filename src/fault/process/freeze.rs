//! Freeze: the kernel stops the process, and goes on acknowledging for it, so that clients see
//! silence and no error.

use futures_util::future::BoxFuture;
use rustix::process::Signal;

use super::{silence_of, whole};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::stack::Part;

/// SIGSTOP, and SIGCONT to heal it.
#[derive(Debug)]
pub struct Freeze {
    part: Part,
}

impl Freeze {
    /// Of one part.
    pub const fn new(part: Part) -> Self {
        Self { part }
    }

    fn trouble(&self, problem: &str) -> Trouble {
        Trouble::new(format!("{}: {problem}", self.part.name()))
    }
}

impl Nemesis for Freeze {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        Box::pin(async {
            let running = self.part.running();
            let running = running.ok_or_else(|| self.trouble("it does not run"))?;
            Ok(vec![Undo::Continue {
                pid: running.pid,
                started: running.started,
            }])
        })
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(async {
            let sent = self.part.send(Signal::STOP);
            sent.map_err(|problem| self.trouble(&problem))
        })
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        Box::pin(silence_of(&self.part))
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(async {
            let sent = self.part.send(Signal::CONT);
            sent.map_err(|problem| self.trouble(&problem))?;
            whole(&self.part).await
        })
    }
}
