//! How far a consumer group is behind, read from a real Kafka broker.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use fcfs_bench::probe::kafka::KafkaLag;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use support::Service;

const TOPIC: &str = "coupon-issued";
const GROUP: &str = "coupon-issuer";
const LIMIT: Duration = Duration::from_mins(1);

fn client(broker: &Service) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", address(broker))
        .set("group.id", GROUP);
    client
}

fn address(broker: &Service) -> String {
    format!("127.0.0.1:{}", broker.port)
}

/// A topic of three partitions, and ten events in the first two of them.
async fn fill(broker: &Service) {
    let admin: AdminClient<DefaultClientContext> = client(broker).create().unwrap();
    let topic = NewTopic::new(TOPIC, 3, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(LIMIT));
    let made = admin.create_topics([&topic], &options).await.unwrap();
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    let producer: FutureProducer = client(broker).create().unwrap();
    for n in 0..10 {
        let record = FutureRecord::<str, str>::to(TOPIC).payload("{}");
        let sent = producer.send(record.partition(n % 2), LIMIT).await;
        sent.unwrap();
    }
}

fn commit(broker: &Service, offsets: &[(i32, i64)]) {
    let consumer: BaseConsumer = client(broker).create().unwrap();
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        let offset = Offset::Offset(*offset);
        list.add_partition_offset(TOPIC, *partition, offset)
            .unwrap();
    }
    // The coordinator of a group that is new needs a moment.
    let deadline = Instant::now() + LIMIT;
    while let Err(error) = consumer.commit(&list, CommitMode::Sync) {
        assert!(Instant::now() < deadline, "{error}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// An answer, within the time that a new coordinator needs.
async fn read(lag: &KafkaLag) -> u64 {
    let deadline = Instant::now() + LIMIT;
    loop {
        match lag.read().await {
            Ok(lag) => return lag,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

#[tokio::test]
async fn what_a_group_has_not_committed_is_counted_without_joining_it() {
    let mut broker = support::kafka::start();
    let lag = KafkaLag::new(&address(&broker), GROUP, TOPIC).unwrap();
    assert!(lag.read().await.is_err(), "there is no such topic");
    fill(&broker).await;
    // Nothing committed; a part of one partition; all of it, and a part of the other.
    assert_eq!(read(&lag).await, 10);
    commit(&broker, &[(0, 2)]);
    assert_eq!(read(&lag).await, 8);
    commit(&broker, &[(0, 5), (1, 1)]);
    assert_eq!(read(&lag).await, 4);

    let asker: BaseConsumer = client(&broker).create().unwrap();
    let groups = asker.fetch_group_list(Some(GROUP), LIMIT).unwrap();
    let members: usize = groups
        .groups()
        .iter()
        .map(|group| group.members().len())
        .sum();
    assert_eq!(members, 0);

    broker.stop();
    assert!(lag.read().await.is_err(), "nobody answers");
    broker.start_again();
    assert_eq!(read(&lag).await, 4);
}
