//! The strategy that decides in memory and writes its rows to a file by way of Kafka, with the mock
//! cluster of librdkafka, which is what runs of this strategy have.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use common::{Answer, DUPLICATE, Row, SOLD_OUT, Shop, default_options, rows_in, users};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use reference_server::{AppState, Bug, Options, Role, StrategyName};

const TOPIC: &str = "issued";
const PARTITIONS: i32 = 3;

/// A busy machine may take its time.
const WITHIN: Duration = Duration::from_mins(2);

type Cluster = MockCluster<'static, DefaultProducerContext>;

fn cluster(brokers: i32) -> Cluster {
    let cluster = MockCluster::new(brokers).unwrap();
    cluster.create_topic(TOPIC, PARTITIONS, brokers).unwrap();
    cluster
}

fn options(cluster: &Cluster, role: Role, stock: u32) -> Options {
    Options {
        strategy: StrategyName::MemoryKafka,
        role,
        stock,
        kafka: Some(cluster.bootstrap_servers()),
        kafka_topic: TOPIC.to_owned(),
        kafka_delivery_timeout_ms: Some(60_000),
        lock_timeout_ms: 60_000,
        ..default_options()
    }
}

/// An issuer in this process, on the file of a shop.
async fn issuer(shop: &Shop, group: &str) -> AppState {
    let options = Options {
        role: Role::Issuer,
        kafka_group: group.to_owned(),
        database: shop.path(),
        ..shop.options.clone()
    };
    AppState::prepare(&options).await.unwrap()
}

/// Events that the group has not finished.
fn lag(cluster: &Cluster, group: &str) -> i64 {
    let asker: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("group.id", group)
        .create()
        .unwrap();
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_range(TOPIC, 0, PARTITIONS - 1);
    let committed = asker.committed_offsets(partitions, WITHIN).unwrap();
    let lag = committed.elements().into_iter().map(|partition| {
        let number = partition.partition();
        let (low, high) = asker.fetch_watermarks(TOPIC, number, WITHIN).unwrap();
        match partition.offset() {
            Offset::Offset(next) => high - next,
            _ => high - low,
        }
    });
    lag.sum()
}

async fn settle(cluster: &Cluster, group: &str) {
    let deadline = Instant::now() + WITHIN;
    while lag(cluster, group) > 0 {
        assert!(Instant::now() < deadline, "{group} is behind");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn count(answers: &[Answer], is: impl Fn(&Answer) -> bool) -> usize {
    answers.iter().filter(|answer| is(answer)).count()
}

/// Those who were told that they have one.
fn acknowledged(answers: &[Answer]) -> BTreeSet<String> {
    let issued = answers.iter().filter(|answer| answer.is_issued());
    let user = |answer: &Answer| answer.body["userId"].as_str().unwrap().to_owned();
    issued.map(user).collect()
}

fn holders(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().map(|(_, user)| user.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_issuer_nobody_who_was_told_has_a_row_and_with_one_everybody_has() {
    let cluster = cluster(1);
    let shop = Shop::with(options(&cluster, Role::Coupon, 20)).await;
    let answers = shop.ask_at_once(users(60)).await;
    assert_eq!(count(&answers, Answer::is_issued), 20);
    assert_eq!(rows_in(&shop.path()).await, []);
    let coupon = shop.coupon().await;
    let numbers = ["stockQuantity", "remaining", "issued", "pending"];
    let of = |coupon: &serde_json::Value| numbers.map(|name| coupon[name].as_i64().unwrap());
    assert_eq!(of(&coupon), [20, 0, 0, 20]);

    let issuer = issuer(&shop, "late").await;
    settle(&cluster, "late").await;
    let rows = rows_in(&shop.path()).await;
    assert_eq!(rows.len(), 20);
    assert_eq!(holders(&rows), acknowledged(&answers));
    assert_eq!(of(&shop.coupon().await), [0, 0, 20, 0]);
    issuer.shutdown().await.unwrap();
    shop.state.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stampede_on_one_process_of_both_roles_gets_exactly_the_stock_from_one_broker_or_three() {
    for brokers in [1, 3] {
        let cluster = cluster(brokers);
        let shop = Shop::with(options(&cluster, Role::All, 20)).await;
        let twice = users(60).flat_map(|user| [user.clone(), user]);
        let answers = shop.ask_at_once(twice).await;
        let refused = |answer: &Answer| answer.says(SOLD_OUT) || answer.says(DUPLICATE);
        assert_eq!(count(&answers, Answer::is_issued), 20);
        assert_eq!(count(&answers, refused), 100);
        settle(&cluster, &shop.options.kafka_group).await;
        let rows = shop.final_rows().await;
        assert_eq!(rows.len(), 20);
        assert_eq!(holders(&rows), acknowledged(&answers));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_are_delivered_again_find_their_rows() {
    let cluster = cluster(1);
    let shop = Shop::with(options(&cluster, Role::Coupon, 50)).await;
    shop.ask_at_once(users(30)).await;
    let first = issuer(&shop, "first").await;
    settle(&cluster, "first").await;
    first.shutdown().await.unwrap();
    let rows = rows_in(&shop.path()).await;
    assert_eq!(rows.len(), 30);

    // A group that has read nothing gets everything.
    let again = issuer(&shop, "again").await;
    settle(&cluster, "again").await;
    again.shutdown().await.unwrap();
    assert_eq!(rows_in(&shop.path()).await, rows);
    assert_eq!(shop.coupon().await["stockQuantity"], 20);
    shop.state.shutdown().await.unwrap();
}

fn log_beside(database: &Path) -> PathBuf {
    database.with_extension("log")
}

/// An issuer in a process of its own, whose log is beside the database.
struct IssuerProcess(Child);

impl IssuerProcess {
    fn start(database: &Path, options: &Options) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_reference-server"))
            .args(["--listen", "127.0.0.1:0", "--role", "issuer"])
            .args(["--strategy", "memory-kafka", "--kafka-topic", TOPIC])
            .args(["--kafka", options.kafka.as_ref().unwrap()])
            .arg("--database")
            .arg(database)
            .args(["--stop-with-stdin", "--log-level", "warn"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log_beside(database)).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(r#""role":"issuer""#), "{line}");
        Self(child)
    }
}

/// SIGKILL.
impl Drop for IssuerProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_is_killed_and_started_again_leaves_one_row_for_each_acknowledged_user() {
    let cluster = cluster(1);
    let shop = Shop::with(options(&cluster, Role::Coupon, 2000)).await;
    let issuer = IssuerProcess::start(&shop.path(), &shop.options);
    let (before, after): (Vec<_>, Vec<_>) = users(1500).enumerate().partition(|(n, _)| *n < 400);
    let mut answers = Vec::new();
    for some in before.chunks(20) {
        let some = some.iter().map(|(_, user)| user.clone());
        answers.extend(shop.ask_at_once(some).await);
    }
    let deadline = Instant::now() + WITHIN;
    while rows_in(&shop.path()).await.len() < 50 {
        assert!(Instant::now() < deadline, "no rows");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Perhaps between rows and their offsets; the users behind it have no issuer.
    drop(issuer);
    answers.extend(
        shop.ask_at_once(after.into_iter().map(|(_, user)| user))
            .await,
    );
    assert!(rows_in(&shop.path()).await.len() <= 400);
    let _again = IssuerProcess::start(&shop.path(), &shop.options);
    settle(&cluster, &shop.options.kafka_group).await;
    let rows = shop.final_rows().await;
    assert_eq!(acknowledged(&answers).len(), 1500);
    assert_eq!(rows.len(), 1500);
    assert_eq!(holders(&rows), acknowledged(&answers));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_forgets_those_whose_events_have_no_row_yet() {
    let cluster = cluster(1);
    let shop = Shop::with(options(&cluster, Role::Coupon, 8)).await;
    let before = shop.ask_at_once(users(5)).await;
    assert_eq!(count(&before, Answer::is_issued), 5);
    let shop = shop.reopen().await;
    // Others get the same coupons, in rows of the same ids.
    let after = shop.ask_at_once(users(13).skip(5)).await;
    assert_eq!(count(&after, Answer::is_issued), 8);
    let issuer = IssuerProcess::start(&shop.path(), &shop.options);
    settle(&cluster, &shop.options.kafka_group).await;
    drop(issuer);
    // 13 were told, no more have rows than there are, and the others are named.
    let log = std::fs::read_to_string(log_beside(&shop.path())).unwrap();
    assert_eq!(log.matches("row_lost").count(), 5, "{log}");
    assert_eq!(shop.final_rows().await.len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_behind_the_last_row_knows_everybody() {
    let cluster = cluster(1);
    let shop = Shop::with(options(&cluster, Role::All, 8)).await;
    let before = shop.ask_at_once(users(5)).await;
    settle(&cluster, &shop.options.kafka_group).await;
    let shop = shop.reopen().await;
    let after = shop.ask_at_once(users(13)).await;
    assert_eq!(count(&after, |answer| answer.says(DUPLICATE)), 5);
    assert_eq!(count(&after, Answer::is_issued), 3);
    settle(&cluster, &shop.options.kafka_group).await;
    let rows = shop.final_rows().await;
    let told = &acknowledged(&before) | &acknowledged(&after);
    assert_eq!((rows.len(), holders(&rows)), (8, told));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_whose_event_is_refused_gets_the_place_back() {
    let cluster = cluster(1);
    let mut options = options(&cluster, Role::All, 50);
    // One event may be on its way.
    options.queue = NonZeroUsize::MIN;
    let shop = Shop::with(options).await;
    let busy = StatusCode::SERVICE_UNAVAILABLE;
    let answers = shop.ask_at_once(users(50)).await;
    let refused = count(&answers, |answer| answer.status == busy);
    assert!(refused > 0, "the queue was never full");
    assert_eq!(refused + acknowledged(&answers).len(), 50);
    for user in users(50) {
        let mut again = shop.ask(&user).await;
        // A place is free again a moment after the answer that it was for.
        for _ in 0..500 {
            if again.status != busy {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            again = shop.ask(&user).await;
        }
        assert!(again.is_issued() || again.says(DUPLICATE), "{}", again.body);
    }
    settle(&cluster, &shop.options.kafka_group).await;
    let rows = shop.final_rows().await;
    assert_eq!((rows.len(), holders(&rows).len()), (50, 50));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_which_nothing_is_known_keeps_its_coupon() {
    let cluster = cluster(1);
    let mut options = options(&cluster, Role::All, 3);
    options.kafka_delivery_timeout_ms = Some(1000);
    let shop = Shop::with(options).await;
    assert!(shop.ask("before").await.is_issued());
    cluster.broker_down(-1).unwrap();
    let unknown = shop.ask("unknown").await;
    assert_eq!(unknown.status, StatusCode::INTERNAL_SERVER_ERROR);
    cluster.broker_up(-1).unwrap();
    assert!(shop.ask("unknown").await.says(DUPLICATE));
    assert_eq!(shop.coupon().await["remaining"], 1);
    shop.state.shutdown().await.unwrap();
}

/// What 300 users saw, of whom the first asked again.
#[derive(Debug)]
struct Seen {
    issued: usize,
    falsely: usize,
    rows: usize,
    again: bool,
}

type Shows = fn(&Seen) -> bool;

const BUGS: [(Bug, u32, Shows); 5] = [
    // More than the stock.
    (Bug::Oversell, 10, |seen| {
        seen.rows > 10 && seen.issued == seen.rows
    }),
    // The same user twice.
    (Bug::DoubleIssue, 400, |seen| seen.again && seen.rows == 301),
    // Acknowledged, and no row.
    (Bug::LostAck, 400, |seen| {
        seen.issued == 300 && (1..50).contains(&(300 - seen.rows))
    }),
    // One less than the stock.
    (Bug::LastOneRefused, 10, |seen| {
        (seen.issued, seen.rows) == (9, 9)
    }),
    // Duplicates who hold nothing: nobody asked twice.
    (Bug::FalseDuplicate, 400, |seen| {
        (1..50).contains(&seen.falsely) && seen.issued + seen.falsely == 300
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_bug_shows_in_rows_or_answers() {
    for (bug, stock, shows) in BUGS {
        let cluster = cluster(1);
        let mut options = options(&cluster, Role::All, stock);
        options.bug = Some(bug);
        let shop = Shop::with(options).await;
        let answers = shop.ask_at_once(users(300)).await;
        let again = shop.ask("user-0").await;
        settle(&cluster, &shop.options.kafka_group).await;
        let seen = Seen {
            issued: count(&answers, Answer::is_issued),
            falsely: count(&answers, |answer| answer.says(DUPLICATE)),
            rows: shop.final_rows().await.len(),
            again: again.is_issued(),
        };
        assert!(shows(&seen), "{bug:?}: {seen:?}");
    }
}

#[tokio::test]
async fn what_is_missing_or_out_of_place_is_named() {
    let cluster = cluster(1);
    let cases = [
        (
            Options {
                kafka: None,
                ..options(&cluster, Role::All, 1)
            },
            "memory-kafka needs --kafka",
        ),
        (
            Options {
                bug: Some(Bug::LuaCompare),
                ..options(&cluster, Role::All, 1)
            },
            "redis-kafka, fire-and-forget or queue",
        ),
    ];
    for (options, words) in cases {
        let error = AppState::prepare(&options).await.err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
}
