//! A limit of memory for a process: the kernel gives it no more, so that it refuses, or dies.

use futures_util::future::BoxFuture;

use super::{silence_of, whole};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::process::{Stat, data};
use crate::stack::Part;

/// From this share of its limit a process stands at it: it gets memory in pieces, and the last one
/// may not fit.
const AT_THE_LIMIT: f64 = 0.95;

/// A part that gets no more private memory than this while it lasts.
#[derive(Debug)]
pub struct MemoryLimit {
    part: Part,
    to: u64,
    limited: Option<Limited>,
    /// The most that it was seen to have.
    most: u64,
}

/// The process that is limited. One that is started again is another one, without the limit.
#[derive(Debug, Clone, Copy)]
struct Limited {
    pid: u32,
    started: u64,
    before: Option<u64>,
}

impl MemoryLimit {
    /// Of one part, which is a process of this machine; `to` in bytes.
    pub const fn new(part: Part, to: u64) -> Self {
        Self {
            part,
            to,
            limited: None,
            most: 0,
        }
    }

    fn trouble(&self, problem: &str) -> Trouble {
        Trouble::new(format!("{}: {problem}", self.part.name()))
    }

    fn find(&self) -> Result<Limited, String> {
        let found = self.part.processes()?;
        let (pid, started) = *found.first().ok_or("it does not run")?;
        let before = data::limit(pid).map_err(|error| error.to_string())?;
        Ok(Limited {
            pid,
            started,
            before,
        })
    }

    fn set(&self, limited: Limited, bytes: Option<u64>) -> Result<(), Trouble> {
        let set = data::set_limit(limited.pid, limited.started, bytes);
        set.map_err(|error| self.trouble(&format!("process {}: {error}", limited.pid)))
    }

    async fn look(&mut self) -> Effect {
        let Some(limited) = self.limited else {
            return Effect::NotSeen("nothing is limited".to_owned());
        };
        let (name, to) = (self.part.name(), megabytes(self.to));
        let stat = Stat::of(limited.pid).filter(|stat| stat.started == limited.started);
        if stat.is_none_or(|stat| stat.state == 'Z') {
            let most = megabytes(self.most);
            return Effect::Seen(format!(
                "{name} has died; it had {most} of private memory, of {to} that it may have"
            ));
        }
        let has = data::held(limited.pid).unwrap_or_default();
        self.most = self.most.max(has);
        if has as f64 >= self.to as f64 * AT_THE_LIMIT {
            let has = megabytes(has);
            return Effect::Seen(format!(
                "{name} has {has} of private memory, and gets no more than {to}"
            ));
        }
        match silence_of(&self.part).await {
            Effect::NotSeen(_) => Effect::NotSeen(format!(
                "{name} had {} of private memory at most, of {to} that it may have",
                megabytes(self.most)
            )),
            seen @ Effect::Seen(_) => seen,
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

impl Nemesis for MemoryLimit {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        let found = self.find().map_err(|problem| self.trouble(&problem));
        let undo = found.map(|found| {
            self.limited = Some(found);
            let limit = Undo::DataLimit {
                pid: found.pid,
                started: found.started,
                bytes: found.before,
            };
            // It may die of it.
            let mut undo = self.part.undo_of_end();
            undo.push(limit);
            undo
        });
        Box::pin(std::future::ready(undo))
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        let set = self.limited.map_or(Ok(()), |limited| {
            self.most = data::held(limited.pid).unwrap_or_default();
            self.set(limited, Some(self.to))
        });
        Box::pin(std::future::ready(set))
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        Box::pin(self.look())
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(async {
            if let Some(limited) = self.limited {
                self.set(limited, limited.before)?;
            }
            let revived = self.part.revive().await;
            revived.map_err(|problem| self.trouble(&problem))?;
            whole(&self.part).await
        })
    }
}
