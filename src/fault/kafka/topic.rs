//! A topic's own settings and its replicas, as any broker tells them.
//!
//! The library's `alter_configs` replaces all settings of a topic, so they are read, changed and
//! written together: what somebody else changes between the two is lost.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ConfigSource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::fault::nemesis::Trouble;
use crate::fault::wait::{ANSWER_WITHIN, WHOLE_WITHIN, until};

/// A topic of a cluster.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    pub(super) brokers: String,
    pub(super) name: String,
}

/// What a topic has by itself; the rest is the brokers'.
type Settings = BTreeMap<String, String>;

/// What a cluster says of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// Of the topic itself.
    pub(super) own: Settings,
    /// The one that is in force.
    pub(super) min_in_sync: i32,
    /// Of each partition: its replicas, and those in sync.
    pub(super) partitions: Vec<(i32, i32)>,
}

impl State {
    /// Of the partition that has most.
    pub(super) fn most_replicas(&self) -> Option<i32> {
        self.partitions.iter().map(|(replicas, _)| *replicas).max()
    }
}

pub(super) const MIN_IN_SYNC: &str = "min.insync.replicas";

impl Topic {
    /// Asks a client of its own.
    pub(super) async fn state(&self, limit: Duration) -> Result<State, Trouble> {
        self.with_client(limit, move |client, topic| async move {
            topic.ask(&client, limit).await
        })
        .await
    }

    /// The broker that leads most of its partitions; of equals the first one.
    pub(super) async fn leader(&self) -> Result<i32, Trouble> {
        let asked = self.with_client(ANSWER_WITHIN, |client, topic| async move {
            let metadata = client
                .inner()
                .fetch_metadata(Some(&topic.name), ANSWER_WITHIN)?;
            let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
            Ok(most(partitions.map(MetadataPartition::leader)))
        });
        let none = || self.trouble(&"no broker leads it");
        asked.await?.ok_or_else(none)
    }

    /// Gives settings other values; `None`: the brokers'.
    pub(super) async fn change(&self, changes: &[(String, Option<String>)]) -> Result<(), Trouble> {
        let changes = changes.to_vec();
        self.with_client(ANSWER_WITHIN, move |client, topic| async move {
            let mut own = topic.ask(&client, ANSWER_WITHIN).await?.own;
            for (name, value) in changes {
                match value {
                    Some(value) => own.insert(name, value),
                    None => own.remove(&name),
                };
            }
            topic.write(&client, &own).await
        })
        .await
    }

    /// The library's questions block, and so does the end of its client.
    pub(super) async fn with_client<T, F, Asked>(
        &self,
        limit: Duration,
        ask: F,
    ) -> Result<T, Trouble>
    where
        T: Send + 'static,
        F: FnOnce(AdminClient<DefaultClientContext>, Self) -> Asked + Send + 'static,
        Asked: Future<Output = Result<T, KafkaError>>,
    {
        let (topic, runtime) = (self.clone(), Handle::current());
        let asking = tokio::task::spawn_blocking(move || {
            let client = ClientConfig::new()
                .set("bootstrap.servers", &topic.brokers)
                .set("reconnect.backoff.max.ms", "1000")
                .create()?;
            runtime.block_on(ask(client, topic))
        });
        // Each of its questions has the limit, so that the thread ends, too.
        let limit = 3 * limit;
        let asked = timeout(limit, asking).await;
        let silent = || self.trouble(&format!("no answer within {} ms", limit.as_millis()));
        let asked = asked.map_err(|_| silent())?;
        let asked = asked.unwrap_or(Err(KafkaError::Canceled));
        asked.map_err(|error| self.trouble(&error))
    }

    pub(super) fn trouble(&self, words: &dyn fmt::Display) -> Trouble {
        Trouble::new(format!("topic {}: {words}", self.name))
    }

    async fn ask(
        &self,
        client: &AdminClient<DefaultClientContext>,
        limit: Duration,
    ) -> Result<State, KafkaError> {
        let metadata = client.inner().fetch_metadata(Some(&self.name), limit)?;
        let topic = metadata.topics().first();
        let topic = topic.ok_or(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopic))?;
        if let Some(error) = topic.error() {
            return Err(KafkaError::MetadataFetch(error.into()));
        }
        let partitions = topic.partitions().iter();
        let partitions = partitions
            .map(|one| (one.replicas().len() as i32, one.isr().len() as i32))
            .collect();
        let specifier = ResourceSpecifier::Topic(&self.name);
        let options = AdminOptions::new().request_timeout(Some(limit));
        let mut described = client.describe_configs([&specifier], &options).await?;
        let described = described.pop().ok_or(KafkaError::Canceled)?;
        let described = described.map_err(KafkaError::AdminOp)?;
        let min_in_sync = described.get(MIN_IN_SYNC);
        let min_in_sync = min_in_sync.and_then(|entry| entry.value.as_ref()?.parse().ok());
        let own = described
            .entries
            .into_iter()
            .filter(|entry| entry.source == ConfigSource::DynamicTopic)
            .filter_map(|entry| Some((entry.name, entry.value?)));
        Ok(State {
            own: own.collect(),
            min_in_sync: min_in_sync.unwrap_or(1),
            partitions,
        })
    }

    async fn write(
        &self,
        client: &AdminClient<DefaultClientContext>,
        own: &Settings,
    ) -> Result<(), KafkaError> {
        let mut change = AlterConfig::new(ResourceSpecifier::Topic(&self.name));
        for (name, value) in own {
            change = change.set(name, value);
        }
        let options = AdminOptions::new().request_timeout(Some(ANSWER_WITHIN));
        for changed in client.alter_configs([&change], &options).await? {
            changed.map_err(|(_, error)| KafkaError::AdminOp(error))?;
        }
        Ok(())
    }
}

/// Who is named most often, of equals the lowest number; a partition without a leader names -1.
fn most(leaders: impl Iterator<Item = i32>) -> Option<i32> {
    let mut counts = BTreeMap::<i32, u32>::new();
    for leader in leaders.filter(|leader| *leader >= 0) {
        *counts.entry(leader).or_default() += 1;
    }
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    most.map(|(leader, _)| leader)
}

/// Gives settings of a topic back; a cluster of which no broker listens is gone.
pub(in crate::fault) async fn give_back(
    brokers: &str,
    topic: &str,
    settings: &[(String, Option<String>)],
) -> Result<(), Trouble> {
    let topic = Topic {
        brokers: brokers.to_owned(),
        name: topic.to_owned(),
    };
    let given = || async {
        if all_refuse(brokers).await {
            return Ok(());
        }
        topic.change(settings).await
    };
    until(WHOLE_WITHIN, given).await
}

async fn all_refuse(brokers: &str) -> bool {
    for broker in brokers.split(',') {
        let connecting = timeout(ANSWER_WITHIN, TcpStream::connect(broker.trim()));
        let refused = match connecting.await {
            Ok(Err(error)) => error.kind() == ErrorKind::ConnectionRefused,
            _ => false,
        };
        if !refused {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leads_most_is_the_leader_and_nobody_is_none() {
        let cases: [(&[i32], Option<i32>); 5] = [
            (&[3], Some(3)),
            (&[1, 2, 2], Some(2)),
            (&[3, 2, 1], Some(1)), // each leads one
            (&[-1, -1, 2], Some(2)),
            (&[-1], None),
        ];
        for (leaders, leader) in cases {
            assert_eq!(most(leaders.iter().copied()), leader, "{leaders:?}");
        }
    }
}
