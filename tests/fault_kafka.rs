//! What a nemesis of Kafka does to real brokers, and what is left of it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use fcfs_bench::fault::kafka::{BelowMinIsr, ProbeTopic};
use fcfs_bench::fault::nemesis::{Effect, Nemesis};
use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rustix::process::Signal;
use support::Service;
use support::nemesis::{is_not_seen, seen, undo_from_the_lease};
use tokio::time::{sleep, timeout};

const TOPIC: &str = "coupon-issued";
const LIMIT: Duration = Duration::from_mins(1);

fn address(brokers: &[Service]) -> String {
    let each = brokers
        .iter()
        .map(|broker| format!("127.0.0.1:{}", broker.port));
    each.collect::<Vec<_>>().join(",")
}

fn client(at: &str) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", at);
    client
}

fn admin(at: &str) -> AdminClient<DefaultClientContext> {
    client(at).create().unwrap()
}

/// One partition on all brokers, with settings of its own.
async fn make_topic(at: &str, replicas: i32, settings: &[(&str, &str)]) {
    let topic = NewTopic::new(TOPIC, 1, TopicReplication::Fixed(replicas));
    let topic = settings
        .iter()
        .fold(topic, |topic, (name, value)| topic.set(name, value));
    let options = AdminOptions::new().operation_timeout(Some(LIMIT));
    let make = async {
        // The last brokers may still be on their way.
        loop {
            let made = admin(at).create_topics([&topic], &options).await;
            if made.is_ok_and(|made| made.iter().all(Result::is_ok)) {
                return;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(LIMIT, make).await.expect("the topic is made");
}

/// What the topic has by itself.
async fn settings(at: &str) -> BTreeMap<String, Option<String>> {
    let options = AdminOptions::new().request_timeout(Some(LIMIT));
    let topic = ResourceSpecifier::Topic(TOPIC);
    let mut described = admin(at)
        .describe_configs([&topic], &options)
        .await
        .unwrap();
    let entries = described.pop().unwrap().unwrap().entries.into_iter();
    let own = entries.filter(|entry| entry.source == ConfigSource::DynamicTopic);
    own.map(|entry| (entry.name, entry.value)).collect()
}

/// Sends one event, without sending it again; the words of the error.
async fn send(at: &str) -> Result<(), String> {
    let mut client = client(at);
    client.set("acks", "all").set("retries", "0");
    client.set("message.timeout.ms", "5000");
    let producer: FutureProducer = client.create().unwrap();
    let record = FutureRecord::<str, str>::to(TOPIC).payload("{}");
    let sent = producer.send(record, LIMIT).await;
    sent.map(|_| ()).map_err(|(error, _)| format!("{error:?}"))
}

async fn eventually_sent(at: &str) {
    let sending = async {
        while send(at).await.is_err() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(LIMIT, sending)
        .await
        .expect("it is sent in the end");
}

/// All three confirm, one of them is away: two are as good as all until the fault asks for three.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_broker_away_sends_are_refused_until_it_is_healed() {
    let mut brokers = support::kafka::start_some(3);
    let at = address(&brokers);
    // The other settings must survive.
    make_topic(
        &at,
        3,
        &[("min.insync.replicas", "2"), ("retention.ms", "86400123")],
    )
    .await;
    eventually_sent(&at).await;
    let before = settings(&at).await;
    let mut nemesis = BelowMinIsr::new(&at, TOPIC);
    nemesis.undo().await.unwrap();
    brokers[2].stop();
    eventually_sent(&at).await;
    // Neither a broker that is away nor an injector that does nothing is this fault.
    is_not_seen(&mut nemesis).await;

    nemesis.inject().await.unwrap();
    let words = seen(&mut nemesis).await;
    assert!(words.contains("2 of 3 replicas"), "{words}");
    let refused = send(&at).await.unwrap_err();
    assert!(refused.contains("NotEnoughReplicas"), "{refused}");

    for _ in 0..2 {
        nemesis.heal().await.unwrap();
        assert_eq!(settings(&at).await, before);
    }
    eventually_sent(&at).await;
    is_not_seen(&mut nemesis).await;
}

/// What the setting was before, if the topic had one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_gets_back_what_it_had_also_from_the_lease() {
    let brokers = [support::kafka::start()];
    let at = address(&brokers);
    make_topic(&at, 1, &[("retention.ms", "86400123")]).await;
    let before = settings(&at).await;
    assert!(!before.contains_key("min.insync.replicas"), "{before:?}");
    let mut nemesis = BelowMinIsr::new(&at, TOPIC);
    let undo = nemesis.undo().await.unwrap();
    nemesis.inject().await.unwrap();
    let during = settings(&at).await;
    assert_eq!(during["min.insync.replicas"].as_deref(), Some("1"));
    // One broker is in sync with itself: nothing is refused, and nothing else is claimed.
    send(&at).await.unwrap();
    let words = is_not_seen(&mut nemesis).await;
    assert!(words.contains("a broker must be away"), "{words}");

    drop(nemesis);
    undo_from_the_lease(&undo).await;
    assert_eq!(settings(&at).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_not_there_is_trouble_before_anything_is_done() {
    let brokers = [support::kafka::start()];
    let at = address(&brokers);
    let mut nemesis = BelowMinIsr::new(&at, TOPIC);
    let trouble = nemesis.undo().await.unwrap_err().to_string();
    assert!(trouble.starts_with("topic coupon-issued: "), "{trouble}");
    assert!(nemesis.inject().await.is_err());
    is_not_seen(&mut nemesis).await;
    nemesis.heal().await.unwrap();
}

/// The cluster is well, or its followers are silent, or its leader is: only one of these is an append
/// that nobody confirms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_the_leader_has_and_nobody_confirms_is_told_from_one_that_is_lost() {
    let brokers = support::kafka::start_some(3);
    let at = format!("127.0.0.1:{}", brokers[1].port);
    let making = || ProbeTopic::make(&at, &[2, 1, 3]);
    let probe = until_ok(making).await;
    let well = probe.look().await;
    assert!(
        matches!(&well, Effect::NotSeen(words) if words.contains("was confirmed")),
        "{well:?}"
    );

    for follower in [0, 2] {
        brokers[follower].signal(Signal::STOP);
    }
    let words = until_seen(&probe).await;
    assert!(words.contains("is in the leader's log"), "{words}");

    brokers[1].signal(Signal::STOP);
    let silent = probe.look().await;
    // The first of its three records may still get through while the signal is on its way.
    let words = ["the leader takes no record", "the leader takes none"];
    assert!(
        matches!(&silent, Effect::NotSeen(said) if words.iter().any(|words| said.contains(words))),
        "{silent:?}"
    );

    for broker in &brokers {
        broker.signal(Signal::CONT);
    }
    until_ok(|| probe.is_confirmed()).await;
    for _ in 0..2 {
        until_ok(|| probe.remove()).await;
    }
    tokio::task::spawn_blocking(move || drop(probe))
        .await
        .unwrap();
}

async fn until_ok<T, E: std::fmt::Debug, F: Future<Output = Result<T, E>>>(
    mut once: impl FnMut() -> F,
) -> T {
    let trying = async {
        loop {
            if let Ok(done) = once().await {
                return done;
            }
        }
    };
    timeout(LIMIT, trying).await.expect("it works in the end")
}

async fn until_seen(probe: &ProbeTopic) -> String {
    let looking = async {
        loop {
            if let Effect::Seen(words) = probe.look().await {
                return words;
            }
        }
    };
    timeout(LIMIT, looking)
        .await
        .expect("it is seen in the end")
}
