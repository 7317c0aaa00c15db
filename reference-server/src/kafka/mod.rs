//! The way of an issued coupon through Kafka: published as an event, consumed as a row.

mod context;
pub(crate) mod event;
mod health;
mod lag;
mod meters;
pub(crate) mod publisher;
pub(crate) mod topic;

use std::time::Duration;

use rdkafka::ClientConfig;

pub(crate) use context::{Logged, Member};
pub(crate) use health::check;
pub(crate) use lag::Lag;

/// Where the events are, and who reads them.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// `HOST:PORT`, several separated by commas.
    pub(crate) brokers: String,
    pub(crate) topic: String,
    /// Of the topic, if it is made.
    pub(crate) partitions: u16,
    /// Of the consumers.
    pub(crate) group: String,
}

impl Place {
    /// How long a broker may take to answer a question about the cluster.
    const ANSWER_LIMIT: Duration = Duration::from_secs(5);

    /// What every client of these brokers begins with.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "fcfs-bench")
            // A broker that is back should be noticed within a second, not within ten.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000");
        client
    }
}
