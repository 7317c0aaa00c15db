//! `redlock` over real instances of Redis, some of which die.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;
#[path = "common/log.rs"]
mod log;
mod services;

use std::collections::HashSet;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use common::{Answer, DUPLICATE, SOLD_OUT, default_options, get, issue_of, post, send, users};
use log::Log;
use reference_server::{AppState, LockOptions, Options, StrategyName, app};
use services::{Instance, Services, Stores, services};
use sqlx::MySqlConnection;
use tracing_subscriber::filter::LevelFilter;

const KEY: &str = "locks:coupon:1";

/// Long times, as a busy machine is slow and not what these tests are about.
fn options(stores: &Stores, instances: &[Instance], stock: u32) -> Options {
    Options {
        strategy: StrategyName::Redlock,
        stock,
        mysql: Some(stores.mysql.clone()),
        redis: instances.iter().map(Instance::url).collect(),
        lock_timeout_ms: 60_000,
        locks: LockOptions {
            lock_ttl_ms: 60_000,
            lock_retry_delay_ms: 30,
            lock_retry_jitter_ms: 30,
            ..default_options().locks
        },
        ..default_options()
    }
}

fn start(count: usize) -> Vec<Instance> {
    (0..count).map(|_| Instance::start()).collect()
}

async fn open(options: &Options) -> Router {
    app(AppState::prepare(options).await.unwrap())
}

async fn issue(server: &Router, user: &str) -> Answer {
    send(server.clone(), issue_of(user)).await
}

async fn coupon(server: &Router) -> serde_json::Value {
    send(server.clone(), get("/coupons/fcfs/1")).await.body
}

#[track_caller]
fn assert_refused(answer: &Answer, words: &str) {
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
    let message = answer.body["message"].as_str().unwrap();
    assert_eq!(message, format!("ResourceLockedError: {words}"));
}

#[tokio::test]
async fn a_minority_of_dead_instances_costs_nothing_and_a_majority_every_lock() {
    let services = services();
    let cases = [
        (
            1,
            0,
            1,
            "The operation was applied to: 0 of the 1 requested resources.",
        ),
        (
            4,
            1,
            2,
            "The operation was applied to: 2 of the 4 requested resources.",
        ),
        (
            5,
            2,
            3,
            "The operation was applied to: 2 of the 5 requested resources.",
        ),
    ];
    for (count, minority, majority, words) in cases {
        let (stores, mut instances) = (services.stores().await, start(count));
        let server = open(&options(&stores, &instances, 5)).await;
        assert!(issue(&server, "before").await.is_issued(), "{count}");
        instances[..minority].iter_mut().for_each(Instance::kill);
        for user in users(3) {
            let answer = issue(&server, &user).await;
            assert!(answer.is_issued(), "{minority} of {count}: {}", answer.body);
        }
        let health = send(server.clone(), get("/health")).await;
        assert_eq!(health.status, StatusCode::OK, "{minority} of {count}");
        instances[minority..majority]
            .iter_mut()
            .for_each(Instance::kill);
        assert_refused(&issue(&server, "late").await, words);
        assert_eq!(
            coupon(&server).await["remaining"],
            1,
            "{majority} of {count}"
        );
        let health = send(server, get("/health")).await;
        assert_eq!(health.body["redis"], "down", "{majority} of {count}");
        for alive in &instances[majority..] {
            // A try that failed is taken back where it had succeeded.
            assert_eq!(alive.ask(&["EXISTS", KEY]).await.as_deref(), Some("0"));
        }
    }
}

#[tokio::test]
async fn a_server_starts_without_a_minority_and_not_without_a_majority() {
    let services = services();
    let (stores, mut instances) = (services.stores().await, start(3));
    let options = options(&stores, &instances, 5);
    instances[0].kill();
    assert!(issue(&open(&options).await, "kim").await.is_issued());
    instances[1].kill();
    let error = AppState::prepare(&options).await.err().unwrap().to_string();
    let place = format!("redis://127.0.0.1:{}/0", instances[1].port());
    assert!(
        error.contains(&place) && !error.contains("p4ssw0rd"),
        "{error}"
    );
}

#[tokio::test]
async fn instances_that_come_back_count_again() {
    let services = services();
    let (stores, mut instances) = (services.stores().await, start(3));
    let server = open(&options(&stores, &instances, 5)).await;
    assert!(issue(&server, "before").await.is_issued());
    instances[..2].iter_mut().for_each(Instance::kill);
    let words = "The operation was applied to: 1 of the 3 requested resources.";
    assert_refused(&issue(&server, "kim").await, words);
    instances[..2].iter_mut().for_each(Instance::start_again);
    let mut refused = 0;
    // Each of the connections may have to find out for itself.
    while !issue(&server, "kim").await.is_issued() {
        refused += 1;
        assert!(refused <= 20, "they stay away");
    }
    assert_eq!(coupon(&server).await["remaining"], 3);
}

#[tokio::test]
async fn nobody_waits_for_an_instance_that_hangs_while_the_others_are_a_quorum() {
    let services = services();
    let (stores, instances) = (services.stores().await, start(3));
    let mut options = options(&stores, &instances, 10);
    // Whoever waited for its answer would do so for hours.
    options.locks.lock_ttl_ms = 360_000_000;
    let server = open(&options).await;
    assert!(issue(&server, "before").await.is_issued());
    instances[1].hang();
    for user in users(5) {
        let answer = tokio::time::timeout(Duration::from_mins(1), issue(&server, &user));
        assert!(answer.await.expect("no wait").is_issued(), "{user}");
    }
}

#[tokio::test]
async fn an_instance_that_hangs_counts_as_one_that_refuses() {
    let services = services();
    let (stores, instances) = (services.stores().await, start(2));
    let mut options = options(&stores, &instances, 10);
    options.locks.lock_ttl_ms = 2000;
    options.locks.lock_retry_count = 0;
    let server = open(&options).await;
    instances[1].hang();
    let words = "The operation was applied to: 1 of the 2 requested resources.";
    assert_refused(&issue(&server, "kim").await, words);
    assert_eq!(
        instances[0].ask(&["EXISTS", KEY]).await.as_deref(),
        Some("0")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_five_instances_of_which_two_are_dead_give_ten_to_ten_of_sixty() {
    let services = services();
    let (stores, mut instances) = (services.stores().await, start(5));
    let mut options = options(&stores, &instances, 10);
    options.locks.lock_retry_count = 2000;
    let servers = [open(&options).await, open(&options).await];
    instances[..2].iter_mut().for_each(Instance::kill);
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
        assert!(answer.is_issued() || refused, "{}", answer.body);
    }
    let rows = stores.rows().await;
    let holders: HashSet<_> = rows.iter().map(|(_, user)| user).collect();
    assert_eq!((issued, rows.len(), holders.len()), (10, 10, 10));
    assert_eq!(coupon(&servers[0]).await["stockQuantity"], 0);
}

#[tokio::test]
async fn a_lock_of_somebody_else_is_refused_logged_as_asked_and_left_alone() {
    for (level, name) in [(LevelFilter::ERROR, "ERROR"), (LevelFilter::DEBUG, "DEBUG")] {
        let services = services();
        let (stores, instances) = (services.stores().await, start(1));
        let mut options = options(&stores, &instances, 5);
        options.locks.lock_log_level = level;
        let log = Log::start();
        let server = open(&options).await;
        instances[0].ask(&["SET", KEY, "other"]).await;
        let words = "The operation was applied to: 0 of the 1 requested resources.";
        assert_refused(&issue(&server, "kim").await, words);
        let lines = log.with(words);
        let of_the_lock: Vec<_> = lines
            .iter()
            .filter(|line| line.contains("lock_refused"))
            .collect();
        assert_eq!(of_the_lock.len(), 1, "{lines:?}");
        assert!(of_the_lock[0].contains(name), "{lines:?}");
        assert_eq!(
            instances[0].ask(&["GET", KEY]).await.as_deref(),
            Some("other")
        );
        assert_eq!(coupon(&server).await["remaining"], 5);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_falls_back_to_the_database_is_kept_apart_by_the_row() {
    let services = services();
    let (stores, instances) = (services.stores().await, start(1));
    let mut options = options(&stores, &instances, 10);
    options.locks.lock_retry_count = 0;
    options.locks.lock_fallback_database = true;
    let server = open(&options).await;
    instances[0].ask(&["SET", KEY, "other"]).await;
    let asked: Vec<_> = users(50)
        .map(|user| {
            let server = server.clone();
            tokio::spawn(async move { issue(&server, &user).await })
        })
        .collect();
    let mut issued = 0;
    for answer in asked {
        issued += usize::from(answer.await.unwrap().is_issued());
    }
    assert_eq!((issued, stores.rows().await.len()), (10, 10));
    assert_eq!(coupon(&server).await["stockQuantity"], 0);
}

/// A transaction that keeps the coupon's row, in front of which the server's update must wait.
async fn keep_the_row(stores: &Stores) -> MySqlConnection {
    let mut outside = stores.outside().await;
    let lock = "BEGIN; SELECT id FROM fcfs_coupons WHERE id = 1 FOR UPDATE";
    sqlx::raw_sql(lock).execute(&mut outside).await.unwrap();
    outside
}

async fn give_the_row_back(mut outside: MySqlConnection) {
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut outside)
        .await
        .unwrap();
}

/// Looks again and again, until what is read is as it should be.
async fn until(instance: &Instance, words: &[&str], is: impl Fn(Option<&str>) -> bool) {
    for _ in 0..3000 {
        if is(instance.ask(words).await.as_deref()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{words:?} never was as expected");
}

/// Times short enough that a test can outlive a lock.
fn short_lived(mut options: Options) -> Options {
    options.locks.lock_ttl_ms = 2000;
    options.locks.lock_extend_below_ms = 1000;
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_is_extended_for_as_long_as_the_work_takes() {
    let services = services();
    let (stores, instances) = (services.stores().await, start(1));
    let server = open(&short_lived(options(&stores, &instances, 5))).await;
    let outside = keep_the_row(&stores).await;
    let asked = tokio::spawn(async move { issue(&server, "kim").await });
    let redis = &instances[0];
    let lives =
        |is: fn(i64) -> bool| move |ms: Option<&str>| ms.is_some_and(|ms| is(ms.parse().unwrap()));
    // Half gone and whole again, twice: once may be the first second of its life.
    for _ in 0..2 {
        until(redis, &["PTTL", KEY], lives(|ms| (1..1300).contains(&ms))).await;
        until(redis, &["PTTL", KEY], lives(|ms| ms > 1300)).await;
    }
    give_the_row_back(outside).await;
    let answer = asked.await.unwrap();
    assert!(answer.is_issued(), "{}", answer.body);
    assert_eq!(redis.ask(&["EXISTS", KEY]).await.as_deref(), Some("0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_lost_before_the_commit_is_a_refused_lock_that_did_nothing() {
    let services = services();
    let (stores, instances) = (services.stores().await, start(1));
    let server = open(&short_lived(options(&stores, &instances, 5))).await;
    let outside = keep_the_row(&stores).await;
    let asking = server.clone();
    let asked = tokio::spawn(async move { issue(&asking, "kim").await });
    let redis = &instances[0];
    until(redis, &["EXISTS", KEY], |found| found == Some("1")).await;
    // Another has it now, and for longer than the first could have kept it.
    redis.ask(&["SET", KEY, "other", "PX", "3000"]).await;
    until(redis, &["EXISTS", KEY], |found| found == Some("0")).await;
    give_the_row_back(outside).await;
    assert_refused(&asked.await.unwrap(), "the lock ran out before the commit");
    assert!(stores.rows().await.is_empty());
    assert_eq!(coupon(&server).await["remaining"], 5);
    assert!(issue(&server, "kim").await.is_issued());
}

/// Two who act on the same stock, one after the other, at the row that the test gives back.
async fn two_rows_for_one_piece(stores: &Stores, server: &Router) {
    assert_eq!(stores.rows().await.len(), 2);
    assert_eq!(coupon(server).await["stockQuantity"], 4, "of 5");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_but_the_lock_keeps_two_from_selling_the_same_piece() {
    let services = Services::start();
    let (stores, instances) = (services.stores().await, start(2));
    let options = options(&stores, &instances, 5);
    let mut servers = Vec::new();
    for redis in &options.redis {
        // Each has a Redis of its own, and so a lock of its own.
        let redis = vec![redis.clone()];
        servers.push(
            open(&Options {
                redis,
                ..options.clone()
            })
            .await,
        );
    }
    let outside = keep_the_row(&stores).await;
    let asked: Vec<_> = users(2)
        .zip(servers.clone())
        .map(|(user, server)| tokio::spawn(async move { issue(&server, &user).await }))
        .collect();
    stores.wait_for_lock_waits(2).await;
    give_the_row_back(outside).await;
    for answer in asked {
        assert!(answer.await.unwrap().is_issued());
    }
    two_rows_for_one_piece(&stores, &servers[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_fell_back_is_not_kept_apart_from_the_holder_of_the_lock() {
    let services = Services::start();
    let (stores, instances) = (services.stores().await, start(1));
    let mut options = options(&stores, &instances, 5);
    options.locks.lock_retry_count = 0;
    options.locks.lock_fallback_database = true;
    let server = open(&options).await;
    let ask = |user: &'static str| {
        let server = server.clone();
        tokio::spawn(async move { issue(&server, user).await })
    };
    let outside = keep_the_row(&stores).await;
    instances[0].ask(&["SET", KEY, "other"]).await;
    let fell_back = ask("kim");
    stores.wait_for_lock_waits(1).await;
    // The other has given the lock back, so the next one gets it, and reads what kim will read.
    instances[0].ask(&["DEL", KEY]).await;
    let holder = ask("lee");
    stores.wait_for_lock_waits(2).await;
    give_the_row_back(outside).await;
    assert!(fell_back.await.unwrap().is_issued());
    assert!(holder.await.unwrap().is_issued());
    two_rows_for_one_piece(&stores, &server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_hang_up_leave_no_lock_behind() {
    let services = services();
    let (stores, instances) = (services.stores().await, start(3));
    let mut options = options(&stores, &instances, 100);
    options.locks.lock_ttl_ms = 3_600_000;
    let state = AppState::prepare(&options).await.unwrap();
    let server = app(state.clone());
    for user in users(30) {
        let server = server.clone();
        let asked = tokio::spawn(async move { issue(&server, &user).await });
        tokio::task::yield_now().await;
        asked.abort();
    }
    state.shutdown().await.unwrap();
    for instance in &instances {
        // Nobody waits for the last one, which has its release all the same.
        until(instance, &["EXISTS", KEY], |found| found == Some("0")).await;
    }
    let late = issue(&server, "late").await;
    assert_eq!(late.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        coupon(&server).await["remaining"],
        100 - stores.rows().await.len()
    );
}

#[tokio::test]
async fn the_cache_keeps_what_a_coupon_is_and_never_how_many_there_are() {
    let services = services();
    let (stores, instances) = (services.stores().await, start(1));
    let mut options = options(&stores, &instances, 1);
    options.locks.lock_retry_count = 0;
    options.coupon_cache_s = 300;
    let server = open(&options).await;
    let redis = &instances[0];
    assert!(issue(&server, "kim").await.is_issued());
    let info = redis.ask(&["GET", "coupon:1:info"]).await.unwrap();
    assert_eq!(info, r#"{"status":"ACTIVE","totalQuantity":1}"#);
    let lives = redis.ask(&["TTL", "coupon:1:info"]).await.unwrap();
    assert!((1..=300).contains(&lives.parse().unwrap()), "{lives}");
    assert!(issue(&server, "lee").await.says(SOLD_OUT));

    // A coupon that only the cache knows: it is believed up to the lock, and no further.
    redis.ask(&["SET", "coupon:2:info", &info]).await;
    redis.ask(&["SET", "locks:coupon:2", "other"]).await;
    let second = || post("/coupons/fcfs/2/issue", r#"{"userId":"kim"}"#);
    let words = "The operation was applied to: 0 of the 1 requested resources.";
    assert_refused(&send(server.clone(), second()).await, words);
    redis.ask(&["DEL", "locks:coupon:2"]).await;
    let answer = send(server.clone(), second()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);

    // A text of somebody else is as good as none.
    redis.ask(&["SET", "coupon:1:info", "?"]).await;
    assert!(issue(&server, "kim").await.says(DUPLICATE));
    assert_eq!(redis.ask(&["GET", "coupon:1:info"]).await, Some(info));
}

#[tokio::test]
async fn a_cache_that_knows_of_an_empty_stock_spares_the_lock_those_who_come_too_late() {
    let services = services();
    let (stores, instances) = (services.stores().await, start(1));
    let mut options = options(&stores, &instances, 1);
    options.locks.lock_retry_count = 0;
    options.coupon_cache_s = 300;
    let redis = &instances[0];
    let held = || redis.ask(&["SET", KEY, "other"]);
    let words = "The operation was applied to: 0 of the 1 requested resources.";
    for knows in [false, true] {
        options.coupon_cache_sold_out = knows;
        let server = open(&options).await;
        if !knows {
            assert!(issue(&server, "kim").await.is_issued());
        }
        // While one is left, and before anybody has looked, nobody is told so.
        held().await;
        assert_refused(&issue(&server, "lee").await, words);
        redis.ask(&["DEL", KEY]).await;
        assert!(issue(&server, "lee").await.says(SOLD_OUT), "{knows}");
        held().await;
        let late = issue(&server, "park").await;
        assert_eq!(late.says(SOLD_OUT), knows, "{}", late.body);
        redis.ask(&["DEL", KEY]).await;
    }
    let info = redis.ask(&["GET", "coupon:1:info"]).await.unwrap();
    let expected = r#"{"status":"ACTIVE","totalQuantity":1,"soldOut":true}"#;
    assert_eq!(info, expected);
    let lives = redis.ask(&["TTL", "coupon:1:info"]).await.unwrap();
    assert!((1..=300).contains(&lives.parse().unwrap()), "{lives}");
}

#[tokio::test]
async fn without_the_cache_nothing_of_a_coupon_is_in_redis() {
    let services = services();
    let (stores, instances) = (services.stores().await, start(1));
    let server = open(&options(&stores, &instances, 1)).await;
    assert!(issue(&server, "kim").await.is_issued());
    assert_eq!(instances[0].ask(&["DBSIZE"]).await.as_deref(), Some("0"));
}

async fn indexes(stores: &Stores) -> Vec<String> {
    let found = "SELECT DISTINCT index_name FROM information_schema.statistics
                 WHERE table_schema = DATABASE() AND index_name <> 'PRIMARY' ORDER BY 1";
    let mut outside = stores.outside().await;
    sqlx::query_scalar(found)
        .fetch_all(&mut outside)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_indexes_go_and_come_with_the_setting() {
    let services = services();
    let (stores, instances) = (services.stores().await, start(1));
    let mut options = options(&stores, &instances, 2);
    for (index, user) in [(false, "kim"), (true, "lee"), (false, "park")] {
        options.indexes = index;
        let server = open(&options).await;
        let expected: &[&str] = if index {
            &["idx_fcfs_coupon_status", "idx_user_coupon"]
        } else {
            &[]
        };
        assert_eq!(indexes(&stores).await, expected);
        let answer = issue(&server, user).await;
        assert_eq!(answer.is_issued(), user != "park", "{user}");
        assert!(issue(&server, "kim").await.says(DUPLICATE), "{user}");
    }
}

#[tokio::test]
async fn settings_that_do_not_go_together_are_named_before_anything_is_opened() {
    let with = |change: fn(&mut Options)| {
        let mut options = Options {
            strategy: StrategyName::Redlock,
            redis: vec!["redis://:s3cret@h".parse().unwrap()],
            ..default_options()
        };
        change(&mut options);
        options
    };
    let cases = [
        (
            with(|o| o.redis.clear()),
            "strategy redlock needs --redis URL",
        ),
        (with(|_| ()), "strategy redlock needs --mysql URL"),
        (
            with(|o| o.redis.push(o.redis[0].clone())),
            "--redis redis://h is not possible: it is given twice",
        ),
        (
            with(|o| o.coupon_cache_sold_out = true),
            "--coupon-cache-sold-out true is not possible: the cache that would say so is off",
        ),
        (
            with(|o| o.locks.lock_ttl_ms = 500),
            "--lock-extend-below-ms 500 is not possible: a new lock is valid for 493 ms",
        ),
        (
            with(|o| {
                o.locks.lock_ttl_ms = 10;
                o.locks.lock_drift_factor = 0.9;
            }),
            "--lock-ttl-ms 10 is not possible: no lock would be valid",
        ),
        (
            with(|o| {
                o.strategy = StrategyName::DbConditional;
                o.indexes = false;
            }),
            "--indexes false is not possible: strategy db-conditional relies on the unique index",
        ),
        (
            with(|o| {
                o.strategy = StrategyName::SqliteAtomic;
                o.indexes = false;
            }),
            "strategy sqlite-atomic relies on the unique index",
        ),
        (
            with(|o| o.strategy = StrategyName::Redisson),
            "strategy redisson needs --mysql URL",
        ),
    ];
    for (options, words) in cases {
        let error = AppState::prepare(&options).await.err().unwrap().to_string();
        assert!(error.contains(words), "{words}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}
