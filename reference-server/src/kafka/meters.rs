//! What is counted of events on their way to Kafka.

use metrics::{Counter, counter};

use super::publisher::Unpublished;
use crate::metrics::Metrics;

/// Counters of one topic, there from the start.
#[derive(Clone)]
pub(super) struct PublishMeters {
    sent: Counter,
    certainly_not: Counter,
    perhaps_not: Counter,
}

impl PublishMeters {
    pub(super) fn new(metrics: &Metrics, topic: &str) -> Self {
        let topic = topic.to_owned();
        metrics.with(|| {
            metrics::describe_counter!(
                "kafka_producer_messages_sent_total",
                "Events that Kafka has confirmed."
            );
            metrics::describe_counter!(
                "kafka_producer_messages_failed_total",
                "Events that Kafka has not confirmed: certainly not there, or not known."
            );
            let failed = |kept| {
                counter!("kafka_producer_messages_failed_total",
                    "topic" => topic.clone(), "kept" => kept)
            };
            Self {
                certainly_not: failed("no"),
                perhaps_not: failed("unknown"),
                sent: counter!("kafka_producer_messages_sent_total", "topic" => topic.clone()),
            }
        })
    }

    pub(super) fn count(&self, outcome: Result<(), &Unpublished>) {
        match outcome {
            Ok(()) => self.sent.increment(1),
            Err(Unpublished::Certainly(_)) => self.certainly_not.increment(1),
            Err(Unpublished::Perhaps(_)) => self.perhaps_not.increment(1),
        }
    }
}
