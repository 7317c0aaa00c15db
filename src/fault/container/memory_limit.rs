//! A limit of memory for a container: the kernel takes from its caches what it can, and kills a
//! process of it when that is not enough.

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::sleep;

use super::ASK_EVERY;
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::process::whole;
use crate::fault::wait::question;
use crate::stack::{Allowed, Change, Limits, Part};

/// From this share of its limit a container stands at it.
const AT_THE_LIMIT: f64 = 0.95;

/// A container that gets no more memory than this while it lasts.
#[derive(Debug)]
pub struct MemoryLimit {
    part: Part,
    limits: Limits,
    to: u64,
    change: Option<Change>,
    /// The most that it was seen to have.
    most: u64,
}

impl MemoryLimit {
    /// Of one part, which is this container; `to` in bytes.
    pub const fn new(part: Part, limits: Limits, to: u64) -> Self {
        Self {
            part,
            limits,
            to,
            change: None,
            most: 0,
        }
    }

    fn trouble(&self, problem: &str) -> Trouble {
        Trouble::new(format!("{}: {problem}", self.part.name()))
    }

    async fn allow(&self, allowed: Option<Allowed>) -> Result<(), Trouble> {
        let Some(allowed) = allowed else {
            return Ok(());
        };
        let set = self.limits.allow(allowed).await;
        set.map_err(|problem| self.trouble(&problem))
    }

    async fn ask(&mut self) -> Result<Effect, String> {
        sleep(ASK_EVERY).await;
        let (name, to) = (self.part.name(), megabytes(self.to));
        if let Some(how) = self.limits.ended().await? {
            let most = megabytes(self.most);
            return Ok(Effect::Seen(format!(
                "{name} has ended ({how}); it had {most} of {to} that it may have"
            )));
        }
        let has = self.limits.memory_used().await?;
        self.most = self.most.max(has);
        if has as f64 >= self.to as f64 * AT_THE_LIMIT {
            let has = megabytes(has);
            return Ok(Effect::Seen(format!(
                "{name} has {has}, and gets no more than {to}"
            )));
        }
        let most = megabytes(self.most);
        Ok(Effect::NotSeen(format!(
            "{name} had {most} at most, of {to} that it may have"
        )))
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

impl Nemesis for MemoryLimit {
    /// It is limited no more before it is started again, as what is written last is done first.
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async {
            let change = self.limits.memory(self.to).await;
            let change = change.map_err(|problem| self.trouble(&problem))?;
            self.change = Some(change);
            let mut undo = self.part.undo_of_end();
            undo.push(self.limits.undo(change.before));
            Ok(undo)
        }
        .boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        self.allow(self.change.map(|change| change.wanted)).boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        let asking = async {
            let asked = self.ask().await;
            asked.unwrap_or_else(Effect::NotSeen)
        };
        question(asking).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            self.allow(self.change.map(|change| change.before)).await?;
            let revived = self.part.revive().await;
            revived.map_err(|problem| self.trouble(&problem))?;
            whole(&self.part).await
        }
        .boxed()
    }
}
