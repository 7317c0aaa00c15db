//! The strategies that publish events, with a real Kafka, a real Redis and a real `MariaDB`.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;
mod services;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::num::NonZeroUsize;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use common::{Answer, DUPLICATE, SOLD_OUT, default_options, get, issue_of, send, users};
use reference_server::{AppState, Bug, Options, Role, StrategyName, app};
use services::kafka::{Broker, broker};
use services::{Stores, services};

const STRATEGIES: [StrategyName; 3] = [
    StrategyName::RedisKafka,
    StrategyName::FireAndForget,
    StrategyName::Outbox,
];

/// A busy machine may take its time.
const WITHIN: Duration = Duration::from_mins(2);

/// With a topic and a group that nobody else has.
fn options(stores: &Stores, broker: &Broker, strategy: StrategyName, stock: u32) -> Options {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Options {
        strategy,
        stock,
        mysql: Some(stores.mysql.clone()),
        redis: vec![stores.redis.clone()],
        kafka: Some(broker.address()),
        kafka_topic: format!("issued-{number}"),
        kafka_group: format!("issuer-{number}"),
        kafka_delivery_timeout_ms: Some(60_000),
        lock_timeout_ms: 60_000,
        outbox_interval_ms: 20,
        ..default_options()
    }
}

async fn open(options: &Options) -> (AppState, Router) {
    let state = AppState::prepare(options).await.unwrap();
    (state.clone(), app(state))
}

/// All users at once, answers in their order.
async fn ask_at_once(server: &Router, users: impl IntoIterator<Item = String>) -> Vec<Answer> {
    let ask = |user: String| tokio::spawn(send(server.clone(), issue_of(&user)));
    let asked: Vec<_> = users.into_iter().map(ask).collect();
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(answer.await.unwrap());
    }
    answers
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

fn holders(rows: &[(i64, String)]) -> BTreeSet<String> {
    rows.iter().map(|(_, user)| user.clone()).collect()
}

/// Nobody can be asked what a producer that nobody waits for still has to send: its events are out
/// when nothing has changed for so long.
const QUIET: Duration = Duration::from_secs(3);

/// Waits until every event is published and its row committed.
async fn settle(stores: &Stores, broker: &Broker, options: &Options) {
    let deadline = Instant::now() + WITHIN;
    let quiet = match options.strategy {
        StrategyName::FireAndForget => QUIET,
        _ => Duration::ZERO,
    };
    let (mut rows, mut since) = (stores.rows().await.len(), Instant::now());
    loop {
        let waiting: i64 = if options.strategy == StrategyName::Outbox {
            let waiting = "SELECT COUNT(*) FROM outbox_events WHERE publishedAt IS NULL";
            let counted = sqlx::query_scalar(waiting);
            counted
                .fetch_one(&mut stores.outside().await)
                .await
                .unwrap()
        } else {
            0
        };
        let lag = broker.lag(&options.kafka_topic, &options.kafka_group);
        let now = stores.rows().await.len();
        if now != rows || lag != 0 {
            (rows, since) = (now, Instant::now());
        }
        if waiting == 0 && lag == 0 && since.elapsed() >= quiet {
            return;
        }
        let state = format!("{waiting} in the outbox, {lag} behind in the topic");
        assert!(Instant::now() < deadline, "{}: {state}", options.strategy);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stampede_gets_exactly_the_stock_and_each_acknowledged_user_one_row() {
    let (services, broker) = (services(), broker());
    for strategy in STRATEGIES {
        let stores = services.stores().await;
        let options = options(&stores, &broker, strategy, 20);
        let (state, server) = open(&options).await;
        let twice = users(60).flat_map(|user| [user.clone(), user]);
        let answers = ask_at_once(&server, twice).await;
        assert_eq!(count(&answers, Answer::is_issued), 20, "{strategy}");
        let refused = count(&answers, |answer| {
            answer.says(SOLD_OUT) || answer.says(DUPLICATE)
        });
        assert_eq!(refused, 100, "{strategy}");
        settle(&stores, &broker, &options).await;
        let rows = stores.rows().await;
        assert_eq!(rows.len(), 20, "{strategy}");
        assert_eq!(holders(&rows), acknowledged(&answers), "{strategy}");
        let coupon = send(server.clone(), get("/coupons/fcfs/1")).await.body;
        let numbers = ["stockQuantity", "remaining", "issued", "pending"];
        let numbers = numbers.map(|name| coupon[name].as_i64().unwrap());
        assert_eq!(numbers, [0, 0, 20, 0], "{strategy}");
        let health = send(server, get("/health")).await;
        assert_eq!(health.status, StatusCode::OK, "{strategy}: {}", health.body);
        state.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_are_delivered_again_find_their_rows() {
    let (services, broker) = (services(), broker());
    for strategy in STRATEGIES {
        let stores = services.stores().await;
        let mut options = options(&stores, &broker, strategy, 50);
        let (state, server) = open(&options).await;
        ask_at_once(&server, users(30)).await;
        settle(&stores, &broker, &options).await;
        state.shutdown().await.unwrap();
        let rows = stores.rows().await;
        assert_eq!(rows.len(), 30, "{strategy}");

        // A group that has read nothing gets everything.
        options.kafka_group += "-again";
        options.role = Role::Issuer;
        let (state, server) = open(&options).await;
        settle(&stores, &broker, &options).await;
        assert_eq!(stores.rows().await, rows, "{strategy}");
        let coupon = send(server, get("/coupons/fcfs/1")).await.body;
        assert_eq!(coupon["stockQuantity"], 20, "{strategy}");
        state.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_user_whose_event_is_refused_gets_the_place_back() {
    let (services, broker) = (services(), broker());
    let stores = services.stores().await;
    let mut options = options(&stores, &broker, StrategyName::RedisKafka, 50);
    // One event may be on its way.
    options.queue = NonZeroUsize::MIN;
    let (state, server) = open(&options).await;
    let answers = ask_at_once(&server, users(50)).await;
    let refused = StatusCode::SERVICE_UNAVAILABLE;
    let refused = count(&answers, |answer| answer.status == refused);
    assert!(refused > 0, "the queue was never full");
    assert_eq!(refused + acknowledged(&answers).len(), 50);
    for user in users(50) {
        let mut again = send(server.clone(), issue_of(&user)).await;
        // A place is free again a moment after the answer that it was for.
        for _ in 0..500 {
            if again.status != StatusCode::SERVICE_UNAVAILABLE {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            again = send(server.clone(), issue_of(&user)).await;
        }
        assert!(again.is_issued() || again.says(DUPLICATE), "{}", again.body);
    }
    settle(&stores, &broker, &options).await;
    let rows = stores.rows().await;
    assert_eq!((rows.len(), holders(&rows).len()), (50, 50));
    state.shutdown().await.unwrap();
}

/// An issuer in a process of its own.
struct IssuerProcess(Child);

impl IssuerProcess {
    fn start(stores: &Stores, options: &Options) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_reference-server"))
            .args(["--listen", "127.0.0.1:0", "--role", "issuer"])
            .args(["--strategy", &options.strategy.to_string()])
            .args(["--kafka", options.kafka.as_ref().unwrap()])
            .args(["--kafka-topic", &options.kafka_topic])
            .args(["--kafka-group", &options.kafka_group])
            .args(["--stop-with-stdin", "--log-level", "warn"])
            .env("FCFS_MYSQL", stores.mysql_url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
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
    let (services, broker) = (services(), broker());
    for strategy in [StrategyName::RedisKafka, StrategyName::Outbox] {
        let stores = services.stores().await;
        let mut options = options(&stores, &broker, strategy, 2000);
        options.role = Role::Coupon;
        let (state, server) = open(&options).await;
        let issuer = IssuerProcess::start(&stores, &options);
        let asking = {
            let server = server.clone();
            tokio::spawn(async move {
                let mut answers = Vec::new();
                let all: Vec<_> = users(1500).collect();
                for some in all.chunks(20) {
                    answers.extend(ask_at_once(&server, some.to_vec()).await);
                }
                answers
            })
        };
        let deadline = Instant::now() + WITHIN;
        while stores.rows().await.len() < 50 {
            assert!(Instant::now() < deadline, "{strategy}: no rows");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(issuer);
        let _again = IssuerProcess::start(&stores, &options);
        let answers = asking.await.unwrap();
        settle(&stores, &broker, &options).await;
        let rows = stores.rows().await;
        assert_eq!(acknowledged(&answers).len(), 1500, "{strategy}");
        assert_eq!(rows.len(), 1500, "{strategy}");
        assert_eq!(holders(&rows), acknowledged(&answers), "{strategy}");
        state.shutdown().await.unwrap();
    }
}

/// Answers from before a time without broker, whose rows are there, and from within.
async fn ask_around_an_outage(
    servers: &[Router],
    all: &[(Stores, Options)],
    broker: &mut Broker,
) -> Vec<Vec<Answer>> {
    let mut answers = Vec::new();
    for (server, (stores, options)) in servers.iter().zip(all) {
        answers.push(ask_at_once(server, users(10)).await);
        settle(stores, broker, options).await;
    }
    broker.kill();
    for (server, answers) in servers.iter().zip(&mut answers) {
        answers.extend(ask_at_once(server, users(20).skip(10)).await);
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_for_a_while_only_fire_and_forget_loses_acknowledged_coupons() {
    let services = services();
    let mut broker = Broker::start();
    let (mut all, mut states, mut servers) = (Vec::new(), Vec::new(), Vec::new());
    for strategy in STRATEGIES {
        let stores = services.stores().await;
        let mut options = options(&stores, &broker, strategy, 100);
        options.kafka_delivery_timeout_ms = Some(3000);
        let (state, server) = open(&options).await;
        all.push((stores, options));
        states.push(state);
        servers.push(server);
    }
    let mut answers = ask_around_an_outage(&servers, &all, &mut broker).await;
    // It waits until it is known what became of the events.
    let told = states[1].shutdown().await.unwrap_err().to_string();
    assert!(told.contains("10 acknowledged coupons"), "{told}");
    broker.start_again();
    // What is asked for from here on is not to be lost, however busy the machine is.
    all[1].1.kafka_delivery_timeout_ms = Some(60_000);
    (states[1], servers[1]) = open(&all[1].1).await;
    for (server, answers) in servers.iter().zip(&mut answers) {
        answers.extend(ask_at_once(server, users(30).skip(20)).await);
    }
    let mut lost = Vec::new();
    for ((stores, options), answers) in all.iter().zip(&answers) {
        settle(stores, &broker, options).await;
        let rows = stores.rows().await;
        let has = holders(&rows);
        assert_eq!(has.len(), rows.len(), "{}: one each", options.strategy);
        let acknowledged = acknowledged(answers);
        lost.push((acknowledged.len(), acknowledged.difference(&has).count()));
    }
    // In the order of the strategies: acknowledged, and of these without a row.
    assert_eq!(lost, [(20, 0), (30, 10), (30, 0)]);
    for state in states {
        state.shutdown().await.unwrap();
    }
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

const BUGS: [(Bug, u32, Shows); 6] = [
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
    // A stock that never ends.
    (Bug::LuaCompare, 10, |seen| {
        (seen.issued, seen.rows) == (300, 300)
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_bug_shows_in_rows_or_answers() {
    let (services, broker) = (services(), broker());
    for strategy in STRATEGIES {
        for (bug, stock, shows) in BUGS {
            if bug == Bug::LuaCompare && strategy == StrategyName::Outbox {
                continue;
            }
            let stores = services.stores().await;
            let mut options = options(&stores, &broker, strategy, stock);
            options.bug = Some(bug);
            let (state, server) = open(&options).await;
            let answers = ask_at_once(&server, users(300)).await;
            let again = send(server, issue_of("user-0")).await;
            settle(&stores, &broker, &options).await;
            state.shutdown().await.unwrap();
            let seen = Seen {
                issued: count(&answers, Answer::is_issued),
                falsely: count(&answers, |answer| answer.says(DUPLICATE)),
                rows: stores.rows().await.len(),
                again: again.is_issued(),
            };
            assert!(shows(&seen), "{strategy} {bug:?}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn what_is_missing_or_out_of_place_is_named() {
    let services = services();
    let stores = services.stores().await;
    let with = |strategy, role, kafka: Option<&str>| Options {
        strategy,
        role,
        mysql: Some(stores.mysql.clone()),
        redis: vec![stores.redis.clone()],
        kafka: kafka.map(str::to_owned),
        ..default_options()
    };
    let cases = [
        (
            with(StrategyName::RedisKafka, Role::All, None),
            "redis-kafka needs --kafka",
        ),
        (with(StrategyName::Outbox, Role::Issuer, None), "FCFS_KAFKA"),
        (
            with(StrategyName::RedisLua, Role::Issuer, None),
            "role issuer has nothing to do with strategy redis-lua",
        ),
        (
            Options {
                bug: Some(Bug::LuaCompare),
                ..with(StrategyName::Outbox, Role::All, None)
            },
            "redis-kafka, fire-and-forget or queue",
        ),
        (
            with(StrategyName::RedisKafka, Role::All, Some("127.0.0.1:1")),
            "failed to use Kafka at 127.0.0.1:1",
        ),
    ];
    for (options, words) in cases {
        let error = AppState::prepare(&options).await.err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
}
