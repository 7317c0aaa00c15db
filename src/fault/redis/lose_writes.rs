//! Redis is killed and comes back without what it wrote last, as when a machine loses its power
//! before the disk has what was answered: counters go back in time.
//!
//! The append-only file is turned off for a moment before the kill, so what is written in that moment
//! is nowhere when Redis reads the file again.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::sleep;

use super::session::{Failure, Session};
use super::settings::Before;
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::process::{Down, How};
use crate::plan::Secret;
use crate::stack::Part;

/// The last thing that is written before the kill: it must not be there afterwards.
const MARK: &str = "fcfs-bench:lost:";

/// A Redis with its append-only file on.
#[derive(Debug)]
pub struct LoseWrites {
    url: Secret,
    label: String,
    of_last: Duration,
    before: Option<Before>,
    down: Down,
}

impl LoseWrites {
    /// What was written in this time before the kill is lost. `label` names the mark's key.
    pub fn new(part: Part, url: &Secret, label: &str, of_last: Duration) -> Self {
        Self {
            url: url.clone(),
            label: label.to_owned(),
            of_last,
            before: None,
            down: Down::new(part, How::Killed),
        }
    }

    fn mark(&self) -> String {
        format!("{MARK}{}", self.label)
    }

    async fn forget(&self) -> Result<(), Failure> {
        let mut session = Session::to(&self.url).await?;
        if session.setting("appendonly").await? != "yes" {
            let words = "keeps no append-only file: it would lose everything".to_owned();
            return Err(Failure::Other(words));
        }
        session.set("appendonly", "no").await?;
        sleep(self.of_last).await;
        session.ask(&["SET", &self.mark(), "1"]).await
    }

    /// Whether what was written last is really gone.
    async fn is_forgotten(&self) -> Result<(), Trouble> {
        let there = async {
            let mut session = Session::to(&self.url).await?;
            session.ask::<u64>(&["EXISTS", &self.mark()]).await
        };
        match there.await {
            Ok(0) => Ok(()),
            Ok(_) => Err(Trouble::new("it came back with all that it had written")),
            Err(failure) => Err(failure.at(&self.url)),
        }
    }
}

impl Nemesis for LoseWrites {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async {
            let before = Before::read(&self.url, &["appendonly"]).await?;
            let before = self.before.insert(before);
            let mut undo = vec![before.undo()];
            undo.extend(self.down.undo().await?);
            Ok(undo)
        }
        .boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let forgotten = self.forget().await;
            forgotten.map_err(|failure| failure.at(&self.url))?;
            self.down.inject().await
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        self.down.effect()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            self.down.heal().await?;
            self.is_forgotten().await
        }
        .boxed()
    }
}
