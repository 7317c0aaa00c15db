//! The provider `embedded`: Kafka as the mock cluster of librdkafka, in a thread of this process.
//!
//! Its brokers speak the protocol on the loopback address, and end with the process however that
//! ends. They keep everything in memory, and of each partition only the newest events.

use std::fmt;
use std::iter;

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use super::NotReady;
use super::cluster;
use super::outside::Figures;
use super::settings::KAFKA_TOPIC;
use crate::plan::Stack;

/// The running brokers.
pub(super) struct Services {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Services");
        fields.field("kafka", &self.kafka()).finish()
    }
}

impl Services {
    /// Brokers that answer, and the topic of the events: the mock lets no client make one.
    pub(super) fn start(stack: &Stack) -> Result<Self, NotReady> {
        let brokers = stack.kafka.into();
        let start = || {
            let cluster = MockCluster::new(brokers)?;
            let partitions = stack.partitions().into();
            cluster.create_topic(KAFKA_TOPIC, partitions, brokers)?;
            Ok(Self { cluster })
        };
        start().map_err(|error: KafkaError| NotReady::Service {
            service: "kafka".to_owned(),
            problem: error.to_string(),
            log: String::new(),
        })
    }

    /// Where a client of Kafka begins: the address of each broker, separated by commas.
    pub(super) fn kafka(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// How far the issuers are behind. The brokers are no process of their own: what they use is in
    /// the figures of the harness.
    pub(super) fn outside(&self) -> Vec<Figures> {
        cluster::figures(&self.kafka(), iter::once(None))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rdkafka::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, Consumer as _};
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

    use super::*;
    use crate::plan::{KEPT_BY_MOCK, Overrides, Target, load};

    const LIMIT: Duration = Duration::from_mins(1);

    fn services(kafka: &str) -> Services {
        let text = format!(
            "name: case\n\
             target: {{ stack: {{ server: {{ strategy: memory-kafka, {kafka} }} }} }}\n\
             subject: {{ coupon: {{ id: 1, stock: 10 }} }}\n\
             load: {{ a: {{ shared_iterations: {{ vus: 2, iterations: 100 }} }} }}\n\
             flows: {{ f: [ {{ post: /x, outcomes: {{ issued: 201, sold_out: 409 }} }} ] }}\n"
        );
        let plan = load("case.yaml", &text, &Overrides::default(), &|_| None);
        let Target::Stack(stack) = plan.expect("a plan").target else {
            panic!("no stack");
        };
        Services::start(&stack).expect("brokers")
    }

    fn client<T: rdkafka::config::FromClientConfig>(services: &Services) -> T {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", services.kafka());
        config.create().expect("a client")
    }

    /// Events of a partition that were thrown away after so many bytes in events of 1,000.
    fn thrown_away_after(bytes: usize) -> i64 {
        let services = services("kafka_partitions: 1");
        let producer: BaseProducer = client(&services);
        let payload = "x".repeat(1000);
        for _ in 0..bytes / payload.len() {
            let record = BaseRecord::<(), _>::to(KAFKA_TOPIC).payload(&payload);
            producer.send(record).expect("a place in the queue");
        }
        producer.flush(LIMIT).expect("all are there");
        let asker: BaseConsumer = client(&services);
        let (oldest, _) = asker.fetch_watermarks(KAFKA_TOPIC, 0, LIMIT).expect("two");
        oldest
    }

    #[test]
    fn a_partition_keeps_so_many_bytes_and_then_forgets_the_oldest() {
        assert!(thrown_away_after(KEPT_BY_MOCK + 1_000_000) > 0);
        assert_eq!(thrown_away_after(KEPT_BY_MOCK - 1_000_000), 0);
    }

    #[test]
    fn the_topic_has_as_many_partitions_as_the_scenario_says() {
        for (setting, partitions) in [("", 3), ("kafka_partitions: 7", 7)] {
            let services = services(setting);
            let asker: BaseConsumer = client(&services);
            let metadata = asker.fetch_metadata(Some(KAFKA_TOPIC), LIMIT).expect("it");
            assert_eq!(metadata.topics()[0].partitions().len(), partitions);
        }
    }
}
