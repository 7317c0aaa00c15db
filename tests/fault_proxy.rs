//! The proxy before real services: what was carried out although its reply never came.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "PostgreSQL is for others")]
#[path = "support/databases.rs"]
mod databases;
#[allow(dead_code, reason = "nothing is probed here")]
mod support;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use fcfs_bench::fault::proxy::{Link, LinkCounters, Proxies};
use fcfs_bench::plan::{Command, LinkFault, LinkRule, Protocol, Selection};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use redis::aio::MultiplexedConnection;
use sqlx::{Connection, MySqlConnection};
use support::{free_port, kafka};

const LONG: Duration = Duration::from_hours(1);

async fn link(proxies: &Proxies, service: u16, protocol: Protocol) -> Link {
    let upstream = SocketAddr::from(([127, 0, 0, 1], service));
    let opened = proxies.open("service", None, Some(upstream), protocol, 7);
    opened.await.unwrap()
}

/// Drops the reply of each n-th of these calls.
async fn drop_replies(link: &Link, call: &str, nth: u32) {
    let of = Command::new(link.protocol(), call).unwrap();
    let selection = Selection {
        every: NonZeroU32::new(nth),
        ..Selection::default()
    };
    let fault = LinkFault::DropReply { of };
    let rule = LinkRule { fault, selection };
    link.apply(rule, LONG).await.unwrap();
}

async fn redis_at(port: u16) -> MultiplexedConnection {
    let url = format!("redis://:p4ssw0rd@127.0.0.1:{port}/");
    let client = redis::Client::open(url).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

async fn ask(redis: &mut MultiplexedConnection, words: &str) -> redis::RedisResult<redis::Value> {
    let mut command = redis::Cmd::new();
    for word in words.split(' ') {
        command.arg(word);
    }
    command.query_async(redis).await
}

#[tokio::test]
async fn a_script_runs_once_each_time_though_every_second_answer_is_lost() {
    let (service, proxies) = (databases::redis(), Proxies::start().unwrap());
    let link = link(&proxies, service.port, Protocol::Resp).await;
    let mut direct = redis_at(service.port).await;
    let mut load = redis::cmd("SCRIPT");
    let load = load.arg("LOAD").arg("return redis.call('INCR', KEYS[1])");
    let sha: String = load.query_async(&mut direct).await.unwrap();
    drop_replies(&link, "evalsha", 2).await;

    let mut connection = redis_at(link.address().port()).await;
    let mut unknown = 0;
    for _ in 0..6 {
        let issued = ask(&mut connection, &format!("EVALSHA {sha} 1 issued")).await;
        if let Err(error) = issued {
            assert!(
                error.is_io_error() || error.is_connection_dropped(),
                "{error}"
            );
            unknown += 1;
            connection = redis_at(link.address().port()).await;
        }
    }
    let issued: u64 = redis::cmd("GET")
        .arg("issued")
        .query_async(&mut direct)
        .await
        .unwrap();
    let LinkCounters {
        calls,
        dropped_replies,
        why_unreadable,
        ..
    } = link.counters();
    assert_eq!((issued, unknown), (6, 3));
    assert_eq!((calls, dropped_replies, why_unreadable), (6, 3, None));
}

#[tokio::test]
async fn a_script_that_redis_does_not_know_is_an_answer_and_not_lost() {
    let (service, proxies) = (databases::redis(), Proxies::start().unwrap());
    let link = link(&proxies, service.port, Protocol::Resp).await;
    drop_replies(&link, "EVALSHA", 1).await;
    let mut connection = redis_at(link.address().port()).await;
    let unknown = "EVALSHA 0123456789012345678901234567890123456789 0";
    let error = ask(&mut connection, unknown).await.unwrap_err();
    assert_eq!(error.code(), Some("NOSCRIPT"));
    assert_eq!(link.counters().dropped_replies, 0);
}

#[tokio::test]
async fn scripts_that_wait_for_each_other_on_one_connection_are_all_unknown_after_the_lost_one() {
    let (service, proxies) = (databases::redis(), Proxies::start().unwrap());
    let link = link(&proxies, service.port, Protocol::Resp).await;
    drop_replies(&link, "INCR", 10).await;
    let connection = redis_at(link.address().port()).await;
    let asks = (0..20).map(|_| {
        let mut connection = connection.clone();
        async move { ask(&mut connection, "INCR issued").await }
    });
    let answers = futures_util::future::join_all(asks).await;
    let known: Vec<_> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().ok())
        .collect();
    let expected: Vec<_> = (1..10).map(redis::Value::Int).collect();
    // Each has its own answer, and nobody another's.
    assert!(
        known
            .iter()
            .eq(expected.iter().take(known.len()).collect::<Vec<_>>().iter()),
        "{known:?}"
    );
    assert_eq!(link.counters().dropped_replies, 1);
}

async fn database_at(port: u16) -> MySqlConnection {
    let url = format!("mysql://bench:p4ssw0rd@127.0.0.1:{port}/shop");
    MySqlConnection::connect(&url).await.unwrap()
}

async fn issued(direct: &mut MySqlConnection) -> i64 {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM issued");
    count.fetch_one(direct).await.unwrap()
}

#[tokio::test]
async fn a_row_is_there_though_its_commit_was_never_answered() {
    let (service, proxies) = (databases::mariadb(), Proxies::start().unwrap());
    let link = link(&proxies, service.port, Protocol::MySql).await;
    let mut direct = database_at(service.port).await;
    sqlx::query("CREATE TABLE issued (user INT PRIMARY KEY)")
        .execute(&mut direct)
        .await
        .unwrap();
    drop_replies(&link, "COMMIT", 2).await;

    let mut connection = database_at(link.address().port()).await;
    let mut outcomes = Vec::new();
    for user in 1..=2 {
        let mut transaction = connection.begin().await.unwrap();
        let insert = sqlx::query("INSERT INTO issued VALUES (?)").bind(user);
        insert.execute(&mut *transaction).await.unwrap();
        outcomes.push(transaction.commit().await.is_ok());
    }
    assert_eq!(outcomes, [true, false]);
    assert_eq!(issued(&mut direct).await, 2);
    let LinkCounters {
        calls,
        dropped_replies,
        why_unreadable,
        ..
    } = link.counters();
    assert_eq!((calls, dropped_replies, why_unreadable), (2, 1, None));
}

#[tokio::test]
async fn a_prepared_insert_is_dropped_and_one_that_failed_is_told() {
    let (service, proxies) = (databases::mariadb(), Proxies::start().unwrap());
    let link = link(&proxies, service.port, Protocol::MySql).await;
    let mut direct = database_at(service.port).await;
    sqlx::query("CREATE TABLE issued (user INT PRIMARY KEY)")
        .execute(&mut direct)
        .await
        .unwrap();
    sqlx::query("INSERT INTO issued VALUES (1)")
        .execute(&mut direct)
        .await
        .unwrap();
    drop_replies(&link, "insert", 1).await;

    let mut connection = database_at(link.address().port()).await;
    let mut insert = async |user: i32| {
        let insert = sqlx::query("/* claim */ INSERT INTO issued VALUES (?)").bind(user);
        insert.execute(&mut connection).await.map(|_| ())
    };
    let again = insert(1).await.unwrap_err();
    assert!(
        again
            .as_database_error()
            .is_some_and(sqlx::error::DatabaseError::is_unique_violation),
        "{again}"
    );
    let lost = insert(2).await.unwrap_err();
    assert!(matches!(lost, sqlx::Error::Io(_)), "{lost}");
    assert_eq!(issued(&mut direct).await, 2);
    assert_eq!(link.counters().dropped_replies, 1);
}

#[tokio::test]
async fn a_record_is_in_the_log_though_its_producer_was_never_answered() {
    let proxies = Proxies::start().unwrap();
    // The broker tells its clients the address of the link, which is there before it.
    let opened = proxies.open("broker", None, None, Protocol::Kafka, 7);
    let link = opened.await.unwrap();
    let broker = kafka::start_on(free_port(), link.address().port());
    link.set_upstream(SocketAddr::from(([127, 0, 0, 1], broker.port)));
    let mut settings = ClientConfig::new();
    settings.set("bootstrap.servers", link.address().to_string());
    let mut sending = settings.clone();
    let sending = sending
        .set("message.send.max.retries", "0")
        .set("acks", "all");
    let producer: FutureProducer = sending.create().unwrap();
    let send = || {
        let record = FutureRecord::to("claims")
            .partition(0)
            .key("user")
            .payload("coupon");
        producer.send(record, Duration::from_secs(10))
    };
    send().await.unwrap();
    drop_replies(&link, "produce", 1).await;
    let (error, _) = send().await.unwrap_err();
    let reader: BaseConsumer = settings.create().unwrap();
    let (low, high) = reader
        .fetch_watermarks("claims", 0, Duration::from_secs(30))
        .unwrap();
    assert_eq!((low, high), (0, 2), "{error}");
    let LinkCounters {
        calls,
        dropped_replies,
        why_unreadable,
        ..
    } = link.counters();
    assert_eq!((calls, dropped_replies, why_unreadable), (1, 1, None));
}
