//! Kill and stop: the process, or the container, is gone while the fault lasts, and is started again at its address.

use futures_util::future::BoxFuture;

use super::{silence_of, whole};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::stack::Part;

/// How a part comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// SIGKILL: nothing is finished, nothing is written.
    Killed,
    /// It is asked to, and may take its time.
    Stopped,
}

/// A part that is down. What a run has started ends with it, so there is nothing to undo when the
/// harness is gone; a container of somebody else is started again.
#[derive(Debug)]
pub struct Down {
    part: Part,
    how: How,
}

impl Down {
    /// Of one part.
    pub const fn new(part: Part, how: How) -> Self {
        Self { part, how }
    }

    fn trouble(&self, problem: &str) -> Trouble {
        Trouble::new(format!("{}: {problem}", self.part.name()))
    }
}

impl Nemesis for Down {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        Box::pin(std::future::ready(Ok(self.part.undo_of_end())))
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(async {
            let down = match self.how {
                How::Killed => self.part.kill().await,
                How::Stopped => self.part.stop().await,
            };
            down.map_err(|problem| self.trouble(&problem))
        })
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        Box::pin(silence_of(&self.part))
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(async {
            let started = self.part.start_again().await;
            started.map_err(|problem| self.trouble(&problem))?;
            whole(&self.part).await
        })
    }
}
