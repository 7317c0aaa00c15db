//! One broker of three is killed while the topic wants all replicas in sync: the brokers that are left
//! refuse what wants to be confirmed by all.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};

use super::BelowMinIsr;
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::process::{Down, How};
use crate::stack::Part;

/// How long the cluster may take to count a dead broker out: its session, as Kafka has it unless it is
/// told otherwise, takes nine seconds.
const COUNTED_OUT_WITHIN: Duration = Duration::from_secs(20);

/// A broker, and the topic's setting.
pub struct TooFewReplicas {
    topic: BelowMinIsr,
    broker: Down,
}

impl TooFewReplicas {
    /// The broker that is killed, and the topic of which it holds replicas.
    pub const fn new(topic: BelowMinIsr, broker: Part) -> Self {
        Self {
            topic,
            broker: Down::new(broker, How::Killed),
        }
    }
}

impl Nemesis for TooFewReplicas {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async {
            let mut undo = self.topic.undo().await?;
            // The last one is done first: the setting is changed when its replicas are there.
            undo.extend(self.broker.undo().await?);
            Ok(undo)
        }
        .boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            self.topic.inject().await?;
            self.broker.inject().await
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        self.topic.effect()
    }

    fn bites_within(&self) -> Duration {
        COUNTED_OUT_WITHIN
    }

    /// The setting is whole again only when its replicas are.
    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            self.broker.heal().await?;
            self.topic.heal().await
        }
        .boxed()
    }
}
