//! How far a consumer group of Kafka is behind, as a source of figures.

use tokio::task::JoinHandle;

use super::super::error::Fault;
use super::super::kafka::KafkaLag;
use crate::measure::{Quantities, Quantity};
use crate::plan::ConsumerGroup;

/// One group and one topic.
#[derive(Debug)]
pub(super) struct LagMeter {
    lag: KafkaLag,
    /// A question that was given up before it was answered: there is never more than one.
    asking: Option<JoinHandle<Result<u64, Fault>>>,
}

impl LagMeter {
    pub(super) fn new(of: &ConsumerGroup) -> Result<Self, Fault> {
        let lag = KafkaLag::new(&of.brokers, &of.group, &of.topic);
        let lag = lag.map_err(|error| Fault::asked(error.to_string()))?;
        Ok(Self { lag, asking: None })
    }

    pub(super) async fn read(&mut self) -> Result<Quantities, Fault> {
        if let Some(last) = &mut self.asking {
            // What it saw is of a moment that has passed.
            let _ = last.await;
        }
        let lag = self.lag.clone();
        let asking = self.asking.insert(tokio::spawn(async move {
            let read = lag.read().await;
            read.map_err(|error| Fault::lost(error.to_string()))
        }));
        let asked = asking.await;
        self.asking = None;
        let lag = asked.map_err(|error| Fault::lost(error.to_string()))??;
        Ok([(Quantity::ConsumerLag, lag)].into())
    }
}
