//! How far the consumers are behind, asked of the brokers: a consumer that stands still does not
//! tell.

use std::sync::{Arc, Mutex, TryLockError};
use std::time::Duration;

use metrics::{Gauge, gauge};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::metadata::MetadataTopic;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::Place;
use crate::health::SCRAPE_LIMIT;
use crate::metrics::Metrics;

/// The lag of a whole group, whichever of its members reads which partition.
pub(crate) struct Lag {
    shared: Arc<Shared>,
}

struct Shared {
    place: Place,
    /// Asks for the group, and is no member of it. Locked while a look is under way.
    asker: Mutex<BaseConsumer>,
    metrics: Metrics,
}

impl Lag {
    /// One broker's part of a scrape: there are several questions in a look.
    const ANSWER_LIMIT: Duration = Duration::from_millis(500);

    pub(crate) fn open(place: Place, metrics: &Metrics) -> Result<Self, KafkaError> {
        let mut client = place.client();
        client
            .set("group.id", &place.group)
            .set("enable.auto.commit", "false");
        metrics.with(|| {
            metrics::describe_gauge!(
                "kafka_consumer_lag",
                "Events that the group has not committed, by partition."
            );
        });
        Ok(Self {
            shared: Arc::new(Shared {
                asker: Mutex::new(client.create()?),
                metrics: metrics.clone(),
                place,
            }),
        })
    }

    /// Sets the gauges of all partitions, to not-a-number where the brokers do not say. It takes no
    /// longer than a scrape may, and there is one look at a time.
    pub(crate) async fn measure(&self) {
        let shared = Arc::clone(&self.shared);
        // The library's questions block.
        let look = tokio::task::spawn_blocking(move || shared.measure());
        match tokio::time::timeout(SCRAPE_LIMIT, look).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::debug!(event = "lag_unread", %error),
            Ok(Err(error)) => tracing::debug!(event = "lag_unread", %error),
            Err(_) => tracing::debug!(event = "lag_unread", "no answer in time"),
        }
    }
}

impl Shared {
    fn measure(&self) -> Result<(), KafkaError> {
        let asker = match self.asker.try_lock() {
            Ok(asker) => asker,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        let looked = self.look(&asker);
        if looked.is_err() {
            for partition in 0..i32::from(self.place.partitions) {
                self.gauge(partition).set(f64::NAN);
            }
        }
        looked
    }

    fn look(&self, asker: &BaseConsumer) -> Result<(), KafkaError> {
        let topic = &self.place.topic;
        let limit = Lag::ANSWER_LIMIT;
        let metadata = asker.fetch_metadata(Some(topic), limit)?;
        let partitions = metadata
            .topics()
            .first()
            .map_or(&[][..], MetadataTopic::partitions);
        let mut asked = TopicPartitionList::new();
        for partition in partitions {
            asked.add_partition(topic, partition.id());
        }
        let committed = asker.committed_offsets(asked, limit)?;
        for place in committed.elements() {
            let (low, high) = asker.fetch_watermarks(topic, place.partition(), limit)?;
            // A group that has committed nothing yet reads from the oldest event on.
            let next = match place.offset() {
                Offset::Offset(next) => next.max(low),
                _ => low,
            };
            self.gauge(place.partition())
                .set((high - next).max(0) as f64);
        }
        Ok(())
    }

    fn gauge(&self, partition: i32) -> Gauge {
        let (topic, group) = (self.place.topic.clone(), self.place.group.clone());
        self.metrics.with(|| {
            gauge!("kafka_consumer_lag", "topic" => topic, "consumer_group" => group,
                "partition" => partition.to_string())
        })
    }
}
