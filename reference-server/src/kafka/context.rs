//! What the library tells about its connections, in the server's log.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionList;
use tokio::sync::watch;

/// The context of a producer.
pub(crate) struct Logged;

impl ClientContext for Logged {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(event = "kafka", facility, message);
            }
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => {
                tracing::warn!(event = "kafka", facility, message);
            }
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(event = "kafka", facility, message);
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(event = "kafka", %error, reason);
    }
}

/// The context of a consumer in a group.
pub(crate) struct Member {
    joined: watch::Sender<bool>,
}

impl Member {
    /// With what becomes true when the group has given it its part for the first time.
    pub(crate) fn new() -> (Self, watch::Receiver<bool>) {
        let (joined, seen) = watch::channel(false);
        (Self { joined }, seen)
    }
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Logged.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Logged.error(error, reason);
    }
}

impl ConsumerContext for Member {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        tracing::info!(event = "rebalanced", ?rebalance);
        // Also one of no partitions: then others have all of them.
        if matches!(rebalance, Rebalance::Assign(_)) {
            self.joined.send_replace(true);
        }
    }

    /// What is not committed is read again, and recognised by its id.
    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::warn!(event = "offsets_not_committed", %error);
        }
    }
}
