//! All events of a topic, read from a real Kafka broker.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use fcfs_bench::check::{End, EventsRead, Range};
use fcfs_bench::plan::{EventId, Events, EventsOf, OfCoupon, Topic};
use fcfs_bench::probe::Reason;
use fcfs_bench::probe::events::EventReader;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, FutureProducer, FutureRecord, Producer};
use support::Service;

const LIMIT: Duration = Duration::from_mins(1);

fn address(broker: &Service) -> String {
    format!("127.0.0.1:{}", broker.port)
}

fn client(broker: &Service) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", address(broker));
    client
}

async fn make(broker: &Service, topic: &str, settings: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> = client(broker).create().unwrap();
    let mut topic = NewTopic::new(topic, 3, TopicReplication::Fixed(1));
    for (name, value) in settings {
        topic = topic.set(name, value);
    }
    let options = AdminOptions::new().operation_timeout(Some(LIMIT));
    let made = admin.create_topics([&topic], &options).await.unwrap();
    assert!(made.iter().all(Result::is_ok), "{made:?}");
}

async fn send(broker: &Service, topic: &str, partition: i32, key: &str, value: &str) {
    let producer: FutureProducer = client(broker).create().unwrap();
    let record = FutureRecord::to(topic).key(key).payload(value);
    let sent = producer.send(record.partition(partition), LIMIT).await;
    sent.unwrap();
}

fn reader(broker: &Service, topic: &str) -> EventReader {
    let events = Events {
        of: EventsOf::Kafka(Topic {
            brokers: address(broker),
            topic: topic.to_owned(),
        }),
        id: EventId::Value("/id".to_owned()),
        sequence: Some("/at".to_owned()),
        coupon: Some(OfCoupon {
            at: "/coupon".to_owned(),
            is: "1".to_owned(),
        }),
    };
    EventReader::new(&events).unwrap()
}

/// What was read, within the time that a new topic needs to have leaders.
async fn read(reader: &EventReader) -> EventsRead {
    let deadline = Instant::now() + LIMIT;
    loop {
        match reader.read().await {
            Ok(read) => return read,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

/// Partition, offset, key, id and sequence of an event.
type Read<'a> = (i32, i64, Option<&'a str>, Option<&'a str>, Option<i64>);

fn ids(read: &EventsRead) -> Vec<Read<'_>> {
    let events = read.events.iter();
    events
        .map(|one| {
            let (key, id) = (one.key.as_deref(), one.id.as_deref());
            (one.partition, one.offset, key, id, one.sequence)
        })
        .collect()
}

#[tokio::test]
async fn all_events_of_all_partitions_are_read_by_nobodys_group() {
    let mut broker = support::kafka::start();
    let events = reader(&broker, "events");
    let error = events.read().await.unwrap_err();
    assert!(error.to_string().starts_with("the topic events at 127."));
    assert_eq!(error.reason(), Reason::Asked, "no such topic: {error}");
    assert!(events.ends().await.is_err(), "nor has it an end");

    make(&broker, "events", &[]).await;
    let nothing = read(&events).await;
    assert_eq!(ids(&nothing), [], "an empty topic is no error");
    let empty = |partition| End { partition, end: 0 };
    assert_eq!(events.ends().await.unwrap(), [0, 1, 2].map(empty));

    let kim = r#"{"id":7,"coupon":1,"at":3}"#;
    send(&broker, "events", 0, "kim", kim).await;
    send(&broker, "events", 2, "lee", r#"{"id":"x-8","at":"later"}"#).await;
    send(&broker, "events", 0, "kim", r#"{"id":9,"coupon":2}"#).await;
    send(&broker, "events", 0, "kim", kim).await;
    send(&broker, "events", 2, "", "not JSON").await;
    for again in ["once", "and once more: nobody's place has moved"] {
        let read = read(&events).await;
        let expected = [
            (0, 0, Some("kim"), Some("7"), Some(3)),
            (0, 2, Some("kim"), Some("7"), Some(3)),
            (2, 0, Some("lee"), Some("x-8"), None),
            (2, 1, None, None, None),
        ];
        assert_eq!(ids(&read), expected, "{again}");
        assert_eq!((read.others, read.compacted), (1, Some(false)), "{again}");
        assert!(read.events.iter().all(|event| event.at_us.is_some()));
        let to = |partition, to| Range {
            partition,
            from: 0,
            to,
        };
        assert_eq!(read.partitions, [to(0, 3), to(1, 0), to(2, 2)]);
    }
    let asker: BaseConsumer = client(&broker).create().unwrap();
    let groups = asker.fetch_group_list(None, LIMIT).unwrap();
    assert!(groups.groups().is_empty(), "no group was made");

    broker.stop();
    let error = events.read().await.unwrap_err();
    assert_ne!(error.reason(), Reason::Asked, "it may come back: {error}");
    broker.start_again();
    assert_eq!(read(&events).await.events.len(), 4);
}

#[tokio::test]
async fn what_a_transaction_took_back_is_no_event_and_its_markers_end_nothing_early() {
    let broker = support::kafka::start();
    make(&broker, "ended", &[]).await;
    make(&broker, "compact", &[("cleanup.policy", "compact,delete")]).await;
    let mut settings = client(&broker);
    settings.set("transactional.id", "shop");
    let (done, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let producer: BaseProducer = settings.create().unwrap();
        producer.init_transactions(LIMIT).unwrap();
        for (value, is_kept) in [(r#"{"id":1}"#, true), (r#"{"id":2}"#, false)] {
            producer.begin_transaction().unwrap();
            let record = BaseRecord::to("ended").key("kim").payload(value);
            producer.send(record.partition(1)).unwrap();
            producer.flush(LIMIT).unwrap();
            let ended = if is_kept {
                producer.commit_transaction(LIMIT)
            } else {
                producer.abort_transaction(LIMIT)
            };
            ended.unwrap();
        }
        done.send(()).unwrap();
    });
    ended.await.unwrap();
    let read = read(&reader(&broker, "ended")).await;
    // Two messages, and a marker behind each.
    assert_eq!(read.partitions[1].to, 4);
    assert_eq!(ids(&read), [(1, 0, Some("kim"), Some("1"), None)]);
    let read = self::read(&reader(&broker, "compact")).await;
    assert_eq!(read.compacted, Some(true));
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_leaves_no_thread_behind() {
    // A port that takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let events = Events {
        of: EventsOf::Kafka(Topic {
            brokers: format!("127.0.0.1:{port}"),
            topic: "events".to_owned(),
        }),
        id: EventId::Key,
        sequence: None,
        coupon: None,
    };
    let events = EventReader::new(&events).unwrap();
    let dropped = tokio::time::timeout(Duration::from_millis(200), events.read()).await;
    assert!(dropped.is_err(), "it still waits for an answer");
    let error = events.read().await.unwrap_err();
    assert_ne!(error.reason(), Reason::Asked, "{error}");
    // Both have given up by then, and so have the clients of the other tests.
    let deadline = Instant::now() + 3 * LIMIT;
    while threads_of_readers() > 0 {
        assert!(Instant::now() < deadline, "a client lives on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Threads of the library that ask a broker of which only the address is known, as each client has.
fn threads_of_readers() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux has /proc");
    let names = tasks.flatten().filter_map(|task| {
        let name = std::fs::read_to_string(task.path().join("comm"));
        name.ok()
    });
    names
        .filter(|name| name.starts_with("rdk:broker-1"))
        .count()
}
