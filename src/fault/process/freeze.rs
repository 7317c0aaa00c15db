//! Freeze: the kernel stops the process, or all of a container, and goes on acknowledging for it, so
//! that clients see silence and no error.

use futures_util::future::BoxFuture;

use super::{silence_of, whole};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::stack::Part;

/// A part that does nothing while it lasts, and goes on afterwards.
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
        let undo = self.part.undo_of_freeze();
        let undo = undo.map_err(|problem| self.trouble(&problem));
        Box::pin(std::future::ready(undo))
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(async {
            let frozen = self.part.freeze().await;
            frozen.map_err(|problem| self.trouble(&problem))
        })
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        Box::pin(silence_of(&self.part))
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(async {
            let thawed = self.part.thaw().await;
            thawed.map_err(|problem| self.trouble(&problem))?;
            whole(&self.part).await
        })
    }
}
