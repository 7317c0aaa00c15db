//! Sends events, with the promise that the strategy needs.

use std::num::NonZeroUsize;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord};

use super::meters::PublishMeters;
use super::{Logged, Place, event};
use crate::coupon::UserCoupon;
use crate::metrics::Metrics;

/// What is done for a message until it counts as published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Every replica in sync has it, once and in order however often it is sent.
    Durable,
    /// The leader has it; three more tries, and then it is gone.
    BestEffort,
}

/// Why an event is not published.
#[derive(Debug)]
pub(crate) enum Unpublished {
    /// Nobody will ever read it.
    Certainly(KafkaError),
    /// The answer was lost, and perhaps the event is there.
    Perhaps(KafkaError),
}

impl Unpublished {
    pub(crate) fn error(&self) -> &KafkaError {
        match self {
            Self::Certainly(error) | Self::Perhaps(error) => error,
        }
    }

    pub(crate) fn into_error(self) -> KafkaError {
        match self {
            Self::Certainly(error) | Self::Perhaps(error) => error,
        }
    }
}

/// A producer for one topic.
pub(crate) struct Publisher {
    producer: FutureProducer<Logged>,
    topic: String,
    meters: PublishMeters,
}

/// An event that is on its way.
pub(crate) struct Underway(DeliveryFuture, PublishMeters);

impl Publisher {
    /// At most `queue` events are on their way; one more is refused.
    pub(crate) fn open(
        place: &Place,
        promise: Promise,
        queue: NonZeroUsize,
        delivery_limit: Duration,
        metrics: &Metrics,
    ) -> Result<Self, KafkaError> {
        let limit = delivery_limit.as_millis().max(1).to_string();
        let mut client = place.client();
        client
            .set("queue.buffering.max.messages", queue.to_string())
            .set("message.timeout.ms", &limit)
            // A batch is what arrives within this time: users are waiting for it.
            .set("linger.ms", "1")
            .set("retry.backoff.ms", "100");
        match promise {
            Promise::Durable => client.set("acks", "all").set("enable.idempotence", "true"),
            Promise::BestEffort => client.set("acks", "1").set("message.send.max.retries", "3"),
        };
        Ok(Self {
            producer: client.create_with_context(Logged)?,
            topic: place.topic.clone(),
            meters: PublishMeters::new(metrics, &place.topic),
        })
    }

    /// Puts an event into the queue.
    pub(crate) fn send(&self, coupon: &UserCoupon) -> Result<Underway, Unpublished> {
        let text = event::write(coupon);
        let record = FutureRecord::to(&self.topic);
        let record = record.key(coupon.user.as_str()).payload(&text);
        let sent = self.producer.send_result(record);
        match sent {
            Ok(delivery) => Ok(Underway(delivery, self.meters.clone())),
            Err((error, _)) => {
                let failure = Unpublished::Certainly(error);
                self.meters.count(Err(&failure));
                Err(failure)
            }
        }
    }

    /// Sends an event, and waits until it is known what became of it.
    pub(crate) async fn publish(&self, coupon: &UserCoupon) -> Result<(), Unpublished> {
        self.send(coupon)?.delivered().await
    }
}

impl Underway {
    /// Waits no longer than the limit of the publisher.
    pub(crate) async fn delivered(self) -> Result<(), Unpublished> {
        let outcome = match self.0.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err((error, _))) if is_certain(&error) => Err(Unpublished::Certainly(error)),
            Ok(Err((error, _))) => Err(Unpublished::Perhaps(error)),
            // The producer is gone, with the knowledge of what it has sent.
            Err(_) => Err(Unpublished::Perhaps(KafkaError::Canceled)),
        };
        self.1.count(outcome.as_ref().copied());
        outcome
    }
}

/// Errors with which no broker has kept the message. A message that timed out is not among them:
/// the library does not tell whether it was ever sent.
fn is_certain(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        ClusterAuthorizationFailed, InvalidRecord, MessageSizeTooLarge, PolicyViolation,
        PurgeQueue, QueueFull, TopicAuthorizationFailed, UnknownPartition, UnknownTopic,
    };
    matches!(
        error.rdkafka_error_code(),
        Some(
            ClusterAuthorizationFailed
                | InvalidRecord
                | MessageSizeTooLarge
                | PolicyViolation
                | PurgeQueue
                | QueueFull
                | TopicAuthorizationFailed
                | UnknownPartition
                | UnknownTopic
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_broker_has_kept_is_certainly_unpublished() {
        let table = [
            (RDKafkaErrorCode::QueueFull, true),
            (RDKafkaErrorCode::MessageSizeTooLarge, true),
            (RDKafkaErrorCode::MessageTimedOut, false), // perhaps its answer was lost
            (RDKafkaErrorCode::PurgeInflight, false),
            (RDKafkaErrorCode::NotEnoughReplicasAfterAppend, false), // the leader has it
        ];
        for (code, certain) in table {
            let error = KafkaError::MessageProduction(code);
            assert_eq!(is_certain(&error), certain, "{code:?}");
        }
    }
}
