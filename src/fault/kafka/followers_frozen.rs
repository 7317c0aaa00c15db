//! All brokers are frozen but the one that leads the topic: it takes records that nobody confirms,
//! so whoever sends them is told of an error, and they are in the log all the same.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, join_all};

use super::probe_topic::ProbeTopic;
use super::topic::Topic;
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::process::whole;
use crate::fault::wait::{ANSWER_WITHIN, until};
use crate::plan::Secret;
use crate::stack::Part;

/// How long the replicas may take to be in sync again: brokers that were away are counted out first
/// when the controllers go on, and must come back.
const IN_SYNC_WITHIN: Duration = Duration::from_mins(1);

/// The brokers of a cluster that the run has made, each of which is a controller, too: without most
/// of the controllers nobody is counted out of those in sync, however long it lasts.
pub struct FollowersFrozen {
    brokers: Vec<Part>,
    topic: Topic,
    /// Known when what undoes it is written down.
    frozen: Vec<Part>,
    probe: Option<ProbeTopic>,
}

impl FollowersFrozen {
    /// Of these brokers, in the order of their numbers, and of the topic that one of them leads.
    pub fn new(brokers: Vec<Part>, topic: &str) -> Self {
        let addresses = brokers.iter().filter_map(Part::url).map(Secret::reveal);
        let addresses: Vec<&str> = addresses.collect();
        Self {
            topic: Topic {
                brokers: addresses.join(","),
                name: topic.to_owned(),
            },
            brokers,
            frozen: Vec::new(),
            probe: None,
        }
    }

    /// Finds the leader, and makes the topic by which the effect is seen.
    async fn prepare(&mut self) -> Result<Vec<Undo>, Trouble> {
        let number = self.topic.leader().await?;
        // The run has given the brokers their numbers.
        let leads = |part: &Part| i32::from(part.number()) == number;
        let (leader, followers): (Vec<Part>, Vec<Part>) =
            self.brokers.iter().cloned().partition(leads);
        let at = leader.first().and_then(Part::url);
        let at = at.ok_or_else(|| {
            self.topic
                .trouble(&format!("no broker has number {number}"))
        })?;
        let undos = followers.iter().map(|part| {
            let undo = part.undo_of_freeze();
            undo.map_err(|problem| trouble(part, &problem))
        });
        let undos: Vec<Vec<Undo>> = undos.collect::<Result<_, _>>()?;
        let numbers = followers.iter().map(|part| i32::from(part.number()));
        let numbers: Vec<i32> = std::iter::once(number).chain(numbers).collect();
        self.probe = Some(ProbeTopic::make(at.reveal(), &numbers).await?);
        self.frozen = followers;
        Ok(undos.concat())
    }

    async fn freeze(&self) -> Result<(), Trouble> {
        let freezing = self.frozen.iter().map(|part| async move {
            let frozen = part.freeze().await;
            frozen.map_err(|problem| trouble(part, &problem))
        });
        join_all(freezing).await.into_iter().collect()
    }

    /// All are let go before any is waited for.
    async fn let_go(&self) -> Result<(), Trouble> {
        let thawing = self.frozen.iter().map(|part| async move {
            let thawed = part.thaw().await;
            thawed.map_err(|problem| trouble(part, &problem))
        });
        let thawed: Result<(), Trouble> = join_all(thawing).await.into_iter().collect();
        thawed?;
        for part in &self.frozen {
            whole(part).await?;
        }
        until(IN_SYNC_WITHIN, || self.in_sync()).await
    }

    async fn in_sync(&self) -> Result<(), Trouble> {
        let state = self.topic.state(ANSWER_WITHIN).await?;
        let lacking = state.partitions.iter();
        let lacking = lacking.filter(|(replicas, in_sync)| in_sync < replicas);
        match lacking.count() {
            0 => Ok(()),
            some => {
                let words = format!("{some} partitions have replicas that are not in sync");
                Err(self.topic.trouble(&words))
            }
        }
    }
}

fn trouble(part: &Part, problem: &str) -> Trouble {
    Trouble::new(format!("{}: {problem}", part.name()))
}

impl Nemesis for FollowersFrozen {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        self.prepare().boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        self.freeze().boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        async {
            match &self.probe {
                Some(probe) => probe.look().await,
                None => Effect::NotSeen("the topic of the probe was not made".to_owned()),
            }
        }
        .boxed()
    }

    fn bites_within(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            self.let_go().await?;
            if let Some(probe) = &self.probe {
                probe.is_confirmed().await?;
                probe.remove().await?;
            }
            // The end of a producer waits for its threads.
            let probe = self.probe.take();
            let _ = tokio::task::spawn_blocking(move || drop(probe)).await;
            Ok(())
        }
        .boxed()
    }
}
