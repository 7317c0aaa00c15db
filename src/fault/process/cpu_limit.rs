//! A limit of CPU time for processes: they are stopped whenever they have used their share, so that
//! they answer late and in bursts.

use futures_util::future::BoxFuture;
use rustix::process::Signal;

use super::cpu_use::Looks;
use super::throttle::Throttle;
use super::whole;
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::process;
use crate::stack::Part;

/// A part that gets a share of one core while it lasts.
#[derive(Debug)]
pub struct CpuLimit {
    part: Part,
    share: f64,
    /// Each with when it started.
    family: Vec<(u32, u64)>,
    throttle: Option<Throttle>,
    looks: Looks,
}

impl CpuLimit {
    /// Of one part, whose processes are of this machine. `share` of one core: above 0, at most 1.
    pub fn new(part: Part, share: f64) -> Self {
        Self {
            part,
            share,
            family: Vec::new(),
            throttle: None,
            looks: Looks::default(),
        }
    }

    fn trouble(&self, problem: &str) -> Trouble {
        Trouble::new(format!("{}: {problem}", self.part.name()))
    }

    fn look(&mut self) -> Effect {
        let (name, share) = (self.part.name(), percent(self.share));
        let second = match self.looks.look(&self.family) {
            Ok(Some(second)) => second,
            Ok(None) => return Effect::NotSeen(format!("{name} was not looked at for a second")),
            Err(problem) => return Effect::NotSeen(format!("{name} {problem}")),
        };
        let used = percent(second.share);
        if second.is_throttled(self.share) {
            let (stopped, looks) = (second.stopped, second.looks);
            return Effect::Seen(format!(
                "{name} used {used} of a core in a second, of {share} that it may, and was stopped \
                 in {stopped} of {looks} looks"
            ));
        }
        if second.stopped > 0 {
            return Effect::NotSeen(format!(
                "{name} used {used} of a core, though it was stopped when it had used {share}"
            ));
        }
        let most = percent(self.looks.most());
        Effect::NotSeen(format!(
            "{name} used {most} of a core at most and was never stopped: it does not reach {share}"
        ))
    }

    /// Also what somebody else has stopped.
    fn go_on(&self) -> Result<(), Trouble> {
        for (pid, started) in &self.family {
            let sent = process::send(*pid, *started, Signal::CONT);
            sent.map_err(|error| self.trouble(&format!("process {pid}: {error}")))?;
        }
        Ok(())
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

impl Nemesis for CpuLimit {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        let family = self.part.processes();
        let undo = family.map(|family| {
            let undo = family.iter().map(|(pid, started)| Undo::Continue {
                pid: *pid,
                started: *started,
            });
            let undo = undo.collect();
            self.family = family;
            undo
        });
        let undo = undo.map_err(|problem| self.trouble(&problem));
        Box::pin(std::future::ready(undo))
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        let begun = Throttle::begin(&self.family, self.share);
        let begun = begun.map_err(|error| self.trouble(&error.to_string()));
        let begun = begun.map(|throttle| self.throttle = Some(throttle));
        Box::pin(std::future::ready(begun))
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        Box::pin(std::future::ready(self.look()))
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(async {
            // It returns when nobody is stopped any more.
            self.throttle = None;
            self.go_on()?;
            whole(&self.part).await
        })
    }
}
