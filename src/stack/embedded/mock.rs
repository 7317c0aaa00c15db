//! The mock cluster of librdkafka as a process of its own: it says where its brokers are, takes orders
//! from its standard input, and ends with it.
//!
//! The library lets every process inherit the connections of its brokers that is started later. In the
//! harness, which starts servers, a broker that is down would leave its connections open there.

use std::io::{self, Write as _};

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::stack::settings::KAFKA_TOPIC;

type Cluster = MockCluster<'static, DefaultProducerContext>;

/// What an order that is done is answered with.
pub(super) const DONE: &str = "done";

/// Brokers that answer, and the topic of the events: the mock lets no client make one.
fn start(brokers: u8, partitions: u16) -> Result<Cluster, KafkaError> {
    let cluster = MockCluster::new(brokers.into())?;
    cluster.create_topic(KAFKA_TOPIC, partitions.into(), brokers.into())?;
    Ok(cluster)
}

/// Is the Kafka of a run until the standard input ends.
///
/// # Errors
/// When it cannot start, or nobody can be told where it is.
pub fn be_kafka(brokers: u8, partitions: u16) -> io::Result<()> {
    let cluster = start(brokers, partitions).map_err(io::Error::other)?;
    say(&cluster.bootstrap_servers())?;
    for order in io::stdin().lines() {
        say(&obey(&cluster, order?.trim()))?;
    }
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// `down 1` closes the connections of a broker, and lets it take none until `up 1`.
fn obey(cluster: &Cluster, order: &str) -> String {
    let (what, broker) = order.split_once(' ').unwrap_or((order, ""));
    let obeyed = match (what, broker.parse()) {
        ("down", Ok(broker)) => cluster.broker_down(broker),
        ("up", Ok(broker)) => cluster.broker_up(broker),
        _ => return format!("`{order}` is no order"),
    };
    obeyed.map_or_else(|error| error.to_string(), |()| DONE.to_owned())
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

    fn cluster(kafka: &str) -> Cluster {
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
        start(stack.kafka, stack.partitions()).expect("brokers")
    }

    fn client<T: rdkafka::config::FromClientConfig>(cluster: &Cluster) -> T {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", cluster.bootstrap_servers());
        config.create().expect("a client")
    }

    /// Events of a partition that were thrown away after so many bytes in events of 1,000.
    fn thrown_away_after(bytes: usize) -> i64 {
        let cluster = cluster("kafka_partitions: 1");
        let producer: BaseProducer = client(&cluster);
        let payload = "x".repeat(1000);
        for _ in 0..bytes / payload.len() {
            let record = BaseRecord::<(), _>::to(KAFKA_TOPIC).payload(&payload);
            producer.send(record).expect("a place in the queue");
        }
        producer.flush(LIMIT).expect("all are there");
        let asker: BaseConsumer = client(&cluster);
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
            let cluster = cluster(setting);
            let asker: BaseConsumer = client(&cluster);
            let metadata = asker.fetch_metadata(Some(KAFKA_TOPIC), LIMIT).expect("it");
            assert_eq!(metadata.topics()[0].partitions().len(), partitions);
        }
    }

    #[test]
    fn an_order_is_done_and_what_is_none_is_answered_too() {
        let cluster = cluster("");
        let table = [
            ("down 1", "done"),
            ("down 1", "done"),
            ("up 1", "done"),
            ("up", "`up` is no order"),
            ("freeze 1", "`freeze 1` is no order"),
        ];
        for (order, answer) in table {
            assert_eq!(obey(&cluster, order), answer);
        }
    }
}
