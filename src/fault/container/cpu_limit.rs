//! A limit of CPU time for a container: the kernel makes it wait when it has used its share of a
//! period.

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::{Instant, sleep};

use super::ASK_EVERY;
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::process::whole;
use crate::fault::wait::question;
use crate::stack::{Allowed, Change, CpuCount, Limits, Part};

/// A container that gets a share of one core while it lasts.
#[derive(Debug)]
pub struct CpuLimit {
    part: Part,
    limits: Limits,
    share: f64,
    change: Option<Change>,
    /// What was counted before, and when.
    since: Option<(Instant, CpuCount)>,
}

impl CpuLimit {
    /// Of one part, which is this container. `share` of one core: above 0, at most 1.
    pub const fn new(part: Part, limits: Limits, share: f64) -> Self {
        Self {
            part,
            limits,
            share,
            change: None,
            since: None,
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

    async fn ask(&self) -> Effect {
        let name = self.part.name();
        let Some((since, before)) = self.since else {
            return Effect::NotSeen(format!("{name} has not been limited"));
        };
        sleep(ASK_EVERY).await;
        let now = match self.limits.cpu_count().await {
            Ok(now) => now,
            Err(problem) => return Effect::NotSeen(format!("{name}: {problem}")),
        };
        let throttled = now.throttled.saturating_sub(before.throttled);
        if throttled > 0 {
            return Effect::Seen(format!(
                "{name} had to wait in {throttled} periods (throttled_periods)"
            ));
        }
        let used = now.used_ns.saturating_sub(before.used_ns) as f64 / 1e9;
        let used = used / since.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
        Effect::NotSeen(format!(
            "{name} used {:.1}% of a core and never had to wait: it does not reach {:.1}%",
            used * 100.0,
            self.share * 100.0
        ))
    }
}

impl Nemesis for CpuLimit {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async {
            let change = self.limits.cpu(self.share).await;
            let change = change.map_err(|problem| self.trouble(&problem))?;
            self.change = Some(change);
            Ok(vec![self.limits.undo(change.before)])
        }
        .boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let count = self.limits.cpu_count().await;
            let count = count.map_err(|problem| self.trouble(&problem))?;
            self.since = Some((Instant::now(), count));
            self.allow(self.change.map(|change| change.wanted)).await
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            self.allow(self.change.map(|change| change.before)).await?;
            whole(&self.part).await
        }
        .boxed()
    }
}
