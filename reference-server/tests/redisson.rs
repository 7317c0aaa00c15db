//! `redisson` with a real Redis and a real `MariaDB`: its lock, and how stock and table follow.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;
#[path = "common/log.rs"]
mod log;
mod services;
#[path = "common/slow_wire.rs"]
mod slow_wire;

use std::num::NonZeroUsize;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use common::{Answer, DUPLICATE, SOLD_OUT, default_options, get, issue_of, post, send, users};
use log::Log;
use reference_server::{
    AppState, LockOptions, Options, StockOptions, StockPreload, StockSync, StrategyName, app,
};
use services::{Instance, Services, Stores, services};
use slow_wire::SlowWire;

const LOCK: &str = "lock:coupon:1";
const CHANNEL: &str = "redisson_lock__channel:{lock:coupon:1}";
const LEFT: &str = "coupon:1";

/// Long times, as a busy machine is slow and not what these tests are about.
fn options(stores: &Stores, sync: StockSync, stock: u32) -> Options {
    Options {
        strategy: StrategyName::Redisson,
        stock,
        mysql: Some(stores.mysql.clone()),
        redis: vec![stores.redis.clone()],
        // As few as the document has.
        redis_pool: NonZeroUsize::MIN,
        lock_timeout_ms: 60_000,
        locks: LockOptions {
            lock_wait_ms: 60_000,
            lock_lease_ms: 60_000,
            ..default_options().locks
        },
        stocks: StockOptions {
            stock_sync: sync,
            stock_sync_interval_ms: 3_600_000,
            ..default_options().stocks
        },
        ..default_options()
    }
}

/// Stores of which Redis is this test's alone.
async fn alone(services: &Services) -> (Stores, Instance, Options) {
    let (stores, instance) = (services.stores().await, Instance::start());
    let mut options = options(&stores, StockSync::Off, 5);
    options.redis = vec![instance.url()];
    (stores, instance, options)
}

async fn open(options: &Options) -> (AppState, Router) {
    let state = AppState::prepare(options).await.unwrap();
    (state.clone(), app(state))
}

async fn issue(server: &Router, user: &str) -> Answer {
    send(server.clone(), issue_of(user)).await
}

async fn coupon(server: &Router) -> serde_json::Value {
    send(server.clone(), get("/coupons/fcfs/1")).await.body
}

async fn in_table(stores: &Stores) -> i64 {
    let left = "SELECT stockQuantity FROM fcfs_coupons WHERE id = 1";
    let mut outside = stores.outside().await;
    sqlx::query_scalar(left)
        .fetch_one(&mut outside)
        .await
        .unwrap()
}

/// Looks again and again, until what is read is as it should be.
async fn until(words: &str, is: impl AsyncFn() -> bool) {
    for _ in 0..3000 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {words}");
}

/// Until a script of the server has called this: `hincrby` to take a lock, `pttl` to refuse it.
async fn called(redis: &Instance, command: &str) {
    let line = format!("cmdstat_{command}:");
    until(command, async || {
        let seen = redis.ask(&["INFO", "commandstats"]).await;
        seen.is_some_and(|text| text.contains(&line))
    })
    .await;
}

#[tokio::test]
async fn every_answer_has_its_status_in_the_second_dialect() {
    let services = services();
    let stores = services.stores().await;
    let mut options = options(&stores, StockSync::Off, 1);
    options.locks.lock_wait_ms = 1;
    let (_, server) = open(&options).await;
    let ask = async |user: &str| {
        let body = format!(r#"{{"userId":"{user}"}}"#);
        send(server.clone(), post("/api/v1/user-coupons/1/issue", body)).await
    };
    assert_eq!(ask("kim").await.status, StatusCode::OK);
    assert_eq!(ask("lee").await.status, StatusCode::NO_CONTENT);
    assert_eq!(ask("kim").await.body["message"], DUPLICATE);
    stores.redis(&["HSET", LOCK, "other:1", "1"]).await;
    let refused = ask("lee").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let words = "ResourceLockedError: another held the lock for the whole wait";
    assert_eq!(refused.body["message"], words);
    stores.redis(&["DEL", LOCK, LEFT]).await;
    assert_eq!(ask("lee").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_with_each_sync_end_with_stock_and_table_in_step() {
    let services = services();
    for sync in [StockSync::Off, StockSync::Periodic, StockSync::Event] {
        let stores = services.stores().await;
        let mut options = options(&stores, sync, 30);
        // Often enough to fall between the requests.
        options.stocks.stock_sync_interval_ms = 5;
        let ((first, a), (second, b)) = (open(&options).await, open(&options).await);
        let servers = [a.clone(), b];
        let asked: Vec<_> = users(60)
            .chain(users(20))
            .zip(servers.iter().cycle().cloned())
            .map(|(user, server)| tokio::spawn(async move { issue(&server, &user).await }))
            .collect();
        let mut issued = 0;
        for answer in asked {
            let answer = answer.await.unwrap();
            issued += usize::from(answer.is_issued());
            let refused = answer.says(SOLD_OUT) || answer.says(DUPLICATE);
            assert!(answer.is_issued() || refused, "{sync:?} {}", answer.body);
        }
        first.shutdown().await.unwrap();
        second.shutdown().await.unwrap();
        assert_eq!((issued, stores.rows().await.len()), (30, 30), "{sync:?}");
        let expected = serde_json::json!({
            "id": 1, "status": "ACTIVE", "stockQuantity": 0, "totalQuantity": 30,
            "remaining": 0, "issued": 30, "pending": 0,
        });
        assert_eq!(coupon(&a).await, expected, "{sync:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_follows_at_the_end_from_time_to_time_or_with_the_rows() {
    let services = services();
    // What the table says once the rows are written, and the server has not been stopped.
    let cases = [
        (StockSync::Off, 3_600_000, 10),
        (StockSync::Periodic, 3_600_000, 10), // stale until the next sync
        (StockSync::Periodic, 20, 7),
        (StockSync::Event, 3_600_000, 7),
    ];
    for (sync, interval_ms, follows) in cases {
        let stores = services.stores().await;
        let mut options = options(&stores, sync, 10);
        options.stocks.stock_sync_interval_ms = interval_ms;
        let (state, server) = open(&options).await;
        // A scan meets keys of all kinds, in many steps.
        let many = "for i = 1, 1000 do redis.call('SET', 'coupon:old:' .. i, 1) end";
        stores.redis(&["EVAL", many, "0"]).await;
        stores.redis(&["SET", "coupon:99", "5"]).await;
        for user in users(3) {
            assert!(issue(&server, &user).await.is_issued(), "{sync:?}");
        }
        until("rows", async || stores.rows().await.len() == 3).await;
        until("stock", async || in_table(&stores).await == follows).await;
        let seen = coupon(&server).await;
        assert_eq!(seen["stockQuantity"], follows, "{sync:?}");
        assert_eq!(seen["remaining"], 7, "{sync:?}");
        state.shutdown().await.unwrap();
        assert_eq!(in_table(&stores).await, 7, "{sync:?}");
    }
}

#[tokio::test]
async fn a_preload_keeps_what_redis_has_unless_it_is_told_otherwise() {
    let services = services();
    let stores = services.stores().await;
    let mut options = options(&stores, StockSync::Off, 10);
    stores.redis(&["SET", LEFT, "3"]).await;
    let (state, server) = open(&options).await;
    assert_eq!(coupon(&server).await["remaining"], 3);
    assert!(issue(&server, "kim").await.is_issued());
    state.shutdown().await.unwrap();

    // The tables are set back from outside, and Redis still knows the holder.
    let back = "DELETE FROM user_coupons; UPDATE fcfs_coupons SET stockQuantity = 10";
    let mut outside = stores.outside().await;
    sqlx::raw_sql(back).execute(&mut outside).await.unwrap();
    options.stocks.stock_preload = StockPreload::Overwrite;
    let (_, server) = open(&options).await;
    assert_eq!(coupon(&server).await["remaining"], 10);
    let answer = issue(&server, "kim").await;
    assert_eq!(answer.body["id"], 2, "ids only rise: {}", answer.body);
}

#[tokio::test]
async fn a_stock_that_was_not_synced_before_a_crash_is_not_given_out_again() {
    let services = services();
    let stores = services.stores().await;
    let options = options(&stores, StockSync::Off, 5);
    let (_, server) = open(&options).await;
    for user in users(3) {
        assert!(issue(&server, &user).await.is_issued());
    }
    until("rows", async || stores.rows().await.len() == 3).await;
    // As after a crash of both: no sync, and an empty Redis.
    stores.redis(&["FLUSHDB"]).await;
    assert_eq!(in_table(&stores).await, 5);
    let (_, server) = open(&options).await;
    assert_eq!(coupon(&server).await["remaining"], 2);
    assert!(issue(&server, "user-0").await.says(DUPLICATE));
}

#[tokio::test]
async fn a_waiter_is_woken_by_the_message_long_before_the_lease_is_over() {
    let services = services();
    let (_stores, redis, mut options) = alone(&services).await;
    options.locks.lock_wait_ms = u32::MAX;
    let (_, server) = open(&options).await;
    // Without the message it would wait for the rest of this hour.
    redis.ask(&["HSET", LOCK, "other:1", "1"]).await;
    redis.ask(&["PEXPIRE", LOCK, "3600000"]).await;
    let waiting = tokio::spawn(async move { issue(&server, "kim").await });
    called(&redis, "pttl").await;
    redis.ask(&["DEL", LOCK]).await;
    assert!(!waiting.is_finished());
    redis.ask(&["PUBLISH", CHANNEL, "0"]).await;
    let limit = Duration::from_mins(1);
    let answer = tokio::time::timeout(limit, waiting).await;
    assert!(answer.expect("woken").unwrap().is_issued());
}

#[tokio::test]
async fn a_waiter_gets_a_lock_whose_holder_died_when_its_lease_is_over() {
    let services = services();
    let (_stores, redis, options) = alone(&services).await;
    let (_, server) = open(&options).await;
    redis.ask(&["HSET", LOCK, "dead:1", "1"]).await;
    redis.ask(&["PEXPIRE", LOCK, "100"]).await;
    assert!(issue(&server, "kim").await.is_issued());
    assert_eq!(redis.ask(&["EXISTS", LOCK]).await.as_deref(), Some("0"));
}

#[tokio::test]
async fn waiters_are_woken_again_after_the_subscription_was_cut() {
    let services = services();
    let (_stores, redis, mut options) = alone(&services).await;
    options.locks.lock_wait_ms = u32::MAX;
    let (_, server) = open(&options).await;
    let subscribed = async || {
        let seen = redis.ask(&["CLIENT", "LIST", "TYPE", "pubsub"]).await;
        seen.is_some_and(|text| text.contains("sub=1"))
    };
    until("subscribed", subscribed).await;
    redis.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    until("subscribed again", subscribed).await;
    redis.ask(&["HSET", LOCK, "other:1", "1"]).await;
    redis.ask(&["PEXPIRE", LOCK, "3600000"]).await;
    let waiting = tokio::spawn(async move { issue(&server, "kim").await });
    called(&redis, "pttl").await;
    redis.ask(&["DEL", LOCK]).await;
    redis.ask(&["PUBLISH", CHANNEL, "0"]).await;
    let limit = Duration::from_mins(1);
    let answer = tokio::time::timeout(limit, waiting).await;
    assert!(answer.expect("woken").unwrap().is_issued());
}

#[tokio::test]
async fn work_whose_lease_ran_out_says_so_and_leaves_the_lock_of_the_next_alone() {
    let services = services();
    let (stores, redis, mut options) = alone(&services).await;
    // Every answer of Redis comes after the lease is over.
    let wire = SlowWire::start(redis.port(), Duration::from_millis(60)).await;
    options.redis = vec![wire.url()];
    options.locks.lock_lease_ms = 20;
    let log = Log::start();
    let (state, server) = open(&options).await;
    let asked = tokio::spawn(async move { issue(&server, "kim").await });
    called(&redis, "hincrby").await;
    until("over", async || {
        redis.ask(&["EXISTS", LOCK]).await.as_deref() == Some("0")
    })
    .await;
    redis.ask(&["HSET", LOCK, "next:1", "1"]).await;
    assert!(asked.await.unwrap().is_issued());
    assert_eq!(log.with("lease_ran_out").len(), 1);
    assert_eq!(
        redis.ask(&["HGET", LOCK, "next:1"]).await.as_deref(),
        Some("1")
    );
    state.shutdown().await.unwrap();
    assert_eq!(stores.rows().await.len(), 1);
}

#[tokio::test]
async fn a_full_queue_refuses_before_anything_is_taken() {
    let services = services();
    let stores = services.stores().await;
    let mut options = options(&stores, StockSync::Off, 100);
    options.queue = NonZeroUsize::MIN;
    let (state, server) = open(&options).await;
    let mut outside = stores.outside().await;
    let lock = "LOCK TABLES user_coupons WRITE";
    sqlx::raw_sql(lock).execute(&mut outside).await.unwrap();
    let mut issued = 0;
    // One waits in the task's hands and one in the queue; the rest cannot be promised.
    let refused = loop {
        let answer = issue(&server, &format!("user-{issued}")).await;
        if !answer.is_issued() {
            break answer;
        }
        issued += 1;
        assert!(issued <= 2, "the queue has no bound");
    };
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    let left = stores.redis(&["GET", LEFT]).await;
    assert_eq!(left, Some((100 - issued).to_string()));
    assert_eq!(stores.redis(&["EXISTS", LOCK]).await.as_deref(), Some("0"));
    drop(outside);
    state.shutdown().await.unwrap();
    assert_eq!(stores.rows().await.len(), issued);
}
