//! How far a consumer group of Kafka is behind: read from outside, without joining the group.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// How long all questions of one reading may take. One that is later is worth nothing.
const LIMIT: Duration = Duration::from_secs(3);

/// Asks about one group and one topic. It keeps its connections, so ask the same one again.
#[derive(Clone)]
pub struct KafkaLag {
    asker: Arc<BaseConsumer>,
    topic: String,
}

impl fmt::Debug for KafkaLag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("KafkaLag");
        fields.field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl KafkaLag {
    /// Connects to nothing yet. `brokers` are `HOST:PORT`, separated by commas.
    ///
    /// # Errors
    /// When the library refuses an argument.
    pub fn new(brokers: &str, group: &str, topic: &str) -> Result<Self, KafkaError> {
        let asker = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            // Names the group. It is joined by subscribing, which nothing here does.
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("reconnect.backoff.max.ms", "1000")
            .create()?;
        Ok(Self {
            asker: Arc::new(asker),
            topic: topic.to_owned(),
        })
    }

    /// Events that are in the topic and that the group has not committed. A partition of which it
    /// has committed nothing counts from its oldest event.
    ///
    /// # Errors
    /// When a broker does not answer within seconds, or knows no such topic.
    pub async fn read(&self) -> Result<u64, KafkaError> {
        let this = self.clone();
        // The library's questions block.
        let asked = tokio::task::spawn_blocking(move || this.ask());
        asked.await.unwrap_or(Err(KafkaError::Canceled))
    }

    fn ask(&self) -> Result<u64, KafkaError> {
        let until = Instant::now() + LIMIT;
        let left = || until.saturating_duration_since(Instant::now());
        let partitions = self.partitions(left())?;
        let committed = self.asker.committed_offsets(partitions, left())?;
        let mut lag = 0;
        for partition in committed.elements() {
            partition.error()?;
            let number = partition.partition();
            let (low, high) = self.asker.fetch_watermarks(&self.topic, number, left())?;
            let next = match partition.offset() {
                // Events that were thrown away for their age are nobody's to read.
                Offset::Offset(next) => next.max(low),
                _ => low,
            };
            lag += u64::try_from(high - next).unwrap_or(0);
        }
        Ok(lag)
    }

    fn partitions(&self, within: Duration) -> Result<TopicPartitionList, KafkaError> {
        let metadata = self.asker.fetch_metadata(Some(&self.topic), within)?;
        let mut partitions = TopicPartitionList::new();
        for topic in metadata.topics() {
            if let Some(error) = topic.error() {
                return Err(KafkaError::MetadataFetch(error.into()));
            }
            for partition in topic.partitions() {
                partitions.add_partition(&self.topic, partition.id());
            }
        }
        Ok(partitions)
    }
}
