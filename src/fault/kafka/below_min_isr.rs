//! All replicas of a topic must confirm, so that one that is away is one too few.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};

use super::topic::{MIN_IN_SYNC, State, Topic};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::wait::{ANSWER_WITHIN, WHOLE_WITHIN, question, until};

/// Each of the questions for the effect: who connects anew and asks two of them.
const ASK_WITHIN: Duration = Duration::from_millis(300);

/// `min.insync.replicas` of the topic as high as a partition has replicas: while one of them is not
/// in sync, what is sent with `acks=all` is refused with `NOT_ENOUGH_REPLICAS` and is not in the log.
///
/// Kafka asks for no more replicas than a partition has, whatever the setting says (seen with 4.1):
/// so this bites only while a broker is away or behind, and on one broker never.
pub struct BelowMinIsr {
    topic: Topic,
    before: Option<State>,
}

impl BelowMinIsr {
    /// `brokers` are `HOST:PORT`, separated by commas.
    pub fn new(brokers: &str, topic: &str) -> Self {
        Self {
            topic: Topic {
                brokers: brokers.to_owned(),
                name: topic.to_owned(),
            },
            before: None,
        }
    }

    async fn ask(&self) -> Effect {
        match self.topic.state(ASK_WITHIN).await {
            Ok(state) => effect_of(&state),
            Err(trouble) => Effect::NotSeen(trouble.to_string()),
        }
    }

    fn undo_of(&self, before: &State) -> Undo {
        let was = before.own.get(MIN_IN_SYNC).cloned();
        Undo::KafkaTopic {
            brokers: self.topic.brokers.clone(),
            topic: self.topic.name.clone(),
            settings: vec![(MIN_IN_SYNC.to_owned(), was)],
        }
    }
}

impl Nemesis for BelowMinIsr {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async {
            let before = self.topic.state(ANSWER_WITHIN).await?;
            let undo = self.undo_of(&before);
            self.before = Some(before);
            Ok(vec![undo])
        }
        .boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let before = self.before.as_ref();
            let unasked = || self.topic.trouble(&"its replicas were not counted");
            let all = before.and_then(State::most_replicas).ok_or_else(unasked)?;
            let all = (MIN_IN_SYNC.to_owned(), Some(all.to_string()));
            self.topic.change(&[all]).await
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let Some(before) = &self.before else {
                return Ok(());
            };
            self.undo_of(before).run().await?;
            let is_whole = || async {
                let state = self.topic.state(ANSWER_WITHIN).await?;
                if state.own == before.own {
                    Ok(())
                } else {
                    Err(self.topic.trouble(&"its settings are not as before"))
                }
            };
            until(WHOLE_WITHIN, is_whole).await
        }
        .boxed()
    }
}

/// Whether a partition lacks replicas in sync, by what the cluster tells of itself.
fn effect_of(state: &State) -> Effect {
    let min = state.min_in_sync;
    let lacks = |(replicas, in_sync): &&(i32, i32)| *in_sync < min.min(*replicas);
    match state.partitions.iter().find(lacks) {
        Some((replicas, in_sync)) => Effect::Seen(format!(
            "{in_sync} of {replicas} replicas of a partition are in sync, and {min} must be \
             ({MIN_IN_SYNC})"
        )),
        None => Effect::NotSeen(format!(
            "each partition has as many replicas in sync as it needs ({MIN_IN_SYNC} is {min}; \
             Kafka asks for no more than a partition has, so a broker must be away)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_replicas_are_missed_than_a_partition_has() {
        let cases = [
            // min.insync.replicas, replicas, in sync, bites
            (2, 1, 1, false),
            (4, 3, 3, false),
            (3, 3, 2, true),
            (2, 3, 2, false),
            (2, 3, 1, true),
        ];
        for (min_in_sync, replicas, in_sync, bites) in cases {
            let state = State {
                own: std::collections::BTreeMap::new(),
                min_in_sync,
                partitions: vec![(replicas, replicas), (replicas, in_sync)],
            };
            let seen = matches!(effect_of(&state), Effect::Seen(_));
            assert_eq!(seen, bites, "{state:?}");
        }
    }
}
