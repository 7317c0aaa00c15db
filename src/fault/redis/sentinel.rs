//! The primary of Redis dies, and Sentinel makes a replica the primary: what was confirmed and has not
//! reached that replica is gone, and nobody tells.
//!
//! On one machine a replica is behind by less than a millisecond. So that something is lost for sure,
//! nothing reaches the replicas for a while before the kill: they lose their connections, and are
//! given a password that nobody has asked for, with which the primary does not let them in again.
//! Sentinel finds them alive and takes them, as after a partition.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::{sleep, timeout};

use super::session::{Failure, Session};
use super::settings::{self, Before};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::process::{Down, How};
use crate::fault::wait::{question, until};
use crate::plan::Secret;
use crate::stack::{Part, Sentinels};

/// Sentinel needs a second to find the primary dead, and about another one to agree on who is next;
/// when two of them wanted to decide, they try again after ten.
const BITES_WITHIN: Duration = Duration::from_secs(20);

/// Where the old primary comes back while Sentinel is about to promote another one, it is made a
/// replica no sooner than eight seconds later.
const WHOLE_WITHIN: Duration = Duration::from_mins(1);

/// How long the servers' way may need to follow Sentinel.
const LED_WITHIN: Duration = Duration::from_secs(2);

/// What the replicas say at the primary, which then says no.
const NO_PASSWORD: &str = "fcfs-bench-cut";

/// The last thing that is confirmed before the kill: it must not be there afterwards.
const MARK: &str = "fcfs-bench:lost:";

/// Of a Redis of this run that has replicas.
pub struct SentinelFailover {
    sentinels: Sentinels,
    primary: Part,
    replicas: Vec<Part>,
    label: String,
    lose: Duration,
    /// Settings of the replicas that are changed for a while.
    before: Vec<Before>,
    down: Down,
}

impl SentinelFailover {
    /// What was confirmed for as long as `lose` before the kill is lost. `label` names keys.
    pub fn new(
        sentinels: Sentinels,
        primary: Part,
        replicas: Vec<Part>,
        label: &str,
        lose: Duration,
    ) -> Self {
        Self {
            sentinels,
            down: Down::new(primary.clone(), How::Killed),
            primary,
            replicas,
            label: label.to_owned(),
            lose,
            before: Vec::new(),
        }
    }

    /// One that has no replica, or that is no primary any more, cannot be failed over.
    async fn look(&mut self) -> Result<Vec<Undo>, Trouble> {
        let primary = self.sentinels.whole().await.map_err(Trouble::new)?;
        if self.primary.url() != Some(&primary) {
            let name = self.primary.name();
            return Err(Trouble::new(format!("{name} is not the primary any more")));
        }
        if self.lose.is_zero() {
            return Ok(Vec::new());
        }
        for replica in self.replicas.iter().filter_map(Part::url) {
            let before = Before::read(replica, &["masterauth"]).await?;
            self.before.push(before);
        }
        Ok(self.before.iter().map(Before::undo).collect())
    }

    /// Confirms for a while what no replica gets.
    async fn cut_off(&self) -> Result<(), Trouble> {
        for replica in self.replicas.iter().filter_map(Part::url) {
            let set = async {
                let mut session = Session::to(replica).await?;
                session.set("masterauth", NO_PASSWORD).await
            };
            set.await.map_err(|failure: Failure| failure.at(replica))?;
        }
        let Some(primary) = self.primary.url() else {
            return Ok(());
        };
        let cut = async {
            let mut session = Session::to(primary).await?;
            session.run(&["CLIENT", "KILL", "TYPE", "replica"]).await?;
            sleep(self.lose).await;
            session.run(&["SET", &self.mark(), "1"]).await
        };
        cut.await.map_err(|failure: Failure| failure.at(primary))
    }

    async fn let_in_again(&self) -> Result<(), Trouble> {
        for before in &self.before {
            before.give_back().await?;
        }
        Ok(())
    }

    fn mark(&self) -> String {
        format!("{MARK}{}", self.label)
    }

    fn name_of(&self, url: &Secret) -> &str {
        let mut nodes = self.replicas.iter().chain([&self.primary]);
        let found = nodes.find(|node| node.url() == Some(url));
        found.map_or("another Redis", Part::name)
    }

    async fn ask(&self) -> Effect {
        let old = self.primary.name();
        let named = match self.sentinels.named().await {
            Ok(named) => named,
            Err(problem) => return Effect::NotSeen(problem),
        };
        if self.primary.url() == Some(&named) {
            return Effect::NotSeen(format!("Sentinel names {old}, as before"));
        }
        let new = self.name_of(&named);
        match settings::write(&named, &self.label).await {
            Ok(()) => Effect::Seen(format!(
                "Sentinel names {new} in the place of {old}, and it takes writes"
            )),
            Err(failure) => Effect::NotSeen(format!(
                "Sentinel names {new} in the place of {old}, which takes no write: {failure}"
            )),
        }
    }

    async fn come_back(&mut self) -> Result<(), Trouble> {
        self.let_in_again().await?;
        // Started before that, it would come back as a second primary.
        if let Ok(named) = self.sentinels.named().await {
            let _ = timeout(LED_WITHIN, self.sentinels.lead_to(&named)).await;
        }
        self.down.heal().await?;
        let primary = until(WHOLE_WITHIN, || async {
            self.sentinels.whole().await.map_err(Trouble::new)
        });
        self.is_lost_at(&primary.await?).await
    }

    /// Whether what was confirmed last is really gone, where another one is the primary.
    async fn is_lost_at(&self, primary: &Secret) -> Result<(), Trouble> {
        if self.lose.is_zero() {
            return Ok(());
        }
        let taken = async {
            let mut session = Session::to(primary).await?;
            session.ask::<u64>(&["DEL", &self.mark()]).await
        };
        match taken.await {
            Ok(1) if self.primary.url() != Some(primary) => Err(Trouble::new(format!(
                "{} has all that the primary before it had confirmed",
                self.name_of(primary)
            ))),
            Ok(_) => Ok(()),
            Err(failure) => Err(failure.at(primary)),
        }
    }
}

impl Nemesis for SentinelFailover {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        self.look().boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            if !self.lose.is_zero() {
                self.cut_off().await?;
            }
            self.down.inject().await?;
            self.let_in_again().await
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn bites_within(&self) -> Duration {
        BITES_WITHIN
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        self.come_back().boxed()
    }
}
