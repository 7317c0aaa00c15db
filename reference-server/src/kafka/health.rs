//! Whether Kafka still answers.

use std::sync::Arc;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};

use super::Place;

/// Asks for the topic, and refuses one that is not there.
pub(crate) async fn check(asker: &Arc<BaseConsumer>, place: &Place) -> Result<(), KafkaError> {
    let (asker, topic) = (Arc::clone(asker), place.topic.clone());
    // The library's question blocks.
    let asked = tokio::task::spawn_blocking(move || {
        let metadata = asker.fetch_metadata(Some(&topic), Place::ANSWER_LIMIT)?;
        has_leaders(&metadata)
            .then_some(())
            .ok_or(KafkaError::MetadataFetch(
                RDKafkaErrorCode::LeaderNotAvailable,
            ))
    });
    asked.await.unwrap_or(Err(KafkaError::Canceled))
}

/// Whether every partition of the topic can be written to.
pub(super) fn has_leaders(metadata: &Metadata) -> bool {
    let partitions = metadata.topics().first().map(MetadataTopic::partitions);
    partitions.is_some_and(|all| !all.is_empty() && all.iter().all(|one| one.leader() >= 0))
}
