//! The strategies on `MySQL` and Redis, with a real `MariaDB` and a real Redis.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;
mod services;

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};

use axum::Router;
use axum::http::StatusCode;
use common::{Answer, DUPLICATE, SOLD_OUT, default_options, get, issue_of, send, users};
use reference_server::{AppState, Bug, LockOptions, Options, StrategyName, app};
use services::{Services, Stores, services};
use sqlx::MySqlConnection;

const STRATEGIES: [StrategyName; 5] = [
    StrategyName::DbPessimistic,
    StrategyName::DbConditional,
    StrategyName::RedisLua,
    StrategyName::Redlock,
    StrategyName::Redisson,
];

const LOCK: &str = "SELECT id FROM fcfs_coupons WHERE id = 1 FOR UPDATE";

fn options(stores: &Stores, strategy: StrategyName, stock: u32) -> Options {
    Options {
        strategy,
        stock,
        mysql: Some(stores.mysql.clone()),
        redis: vec![stores.redis.clone()],
        // A busy machine is slow, and not what these tests are about.
        lock_timeout_ms: 60_000,
        locks: LockOptions {
            lock_ttl_ms: 60_000,
            lock_retry_count: 2000,
            lock_retry_delay_ms: 30,
            lock_retry_jitter_ms: 30,
            lock_wait_ms: 60_000,
            lock_lease_ms: 60_000,
            ..default_options().locks
        },
        ..default_options()
    }
}

async fn open(options: &Options) -> (AppState, Router) {
    let state = AppState::prepare(options).await.unwrap();
    (state.clone(), app(state))
}

/// All users at once, in turn over the servers.
async fn ask_at_once(servers: &[Router], users: impl Iterator<Item = String>) -> Vec<Answer> {
    let asked: Vec<_> = users
        .zip(servers.iter().cycle().cloned())
        .map(|(user, server)| tokio::spawn(async move { send(server, issue_of(&user)).await }))
        .collect();
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(answer.await.unwrap());
    }
    answers
}

async fn remaining(server: &Router) -> serde_json::Value {
    send(server.clone(), get("/coupons/fcfs/1")).await.body["remaining"].clone()
}

fn count(answers: &[Answer], is: impl Fn(&Answer) -> bool) -> usize {
    answers.iter().filter(|answer| is(answer)).count()
}

/// Id and user that were told to those who were issued one.
fn told(answers: &[Answer]) -> HashSet<(i64, String)> {
    let issued = answers.iter().filter(|answer| answer.is_issued());
    issued
        .map(|answer| {
            let user = answer.body["userId"].as_str().unwrap().to_owned();
            (answer.body["id"].as_i64().unwrap(), user)
        })
        .collect()
}

fn holders(rows: &[(i64, String)]) -> HashSet<&str> {
    rows.iter().map(|(_, user)| user.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_the_same_stores_give_twenty_pieces_to_twenty_of_two_hundred() {
    let services = services();
    for strategy in STRATEGIES {
        let stores = services.stores().await;
        let options = options(&stores, strategy, 20);
        let ((first, a), (second, b)) = (open(&options).await, open(&options).await);
        let answers = ask_at_once(&[a.clone(), b], users(200)).await;
        let sold_out = count(&answers, |answer| answer.says(SOLD_OUT));
        assert_eq!(sold_out, 180, "{strategy}");
        first.shutdown().await.unwrap();
        second.shutdown().await.unwrap();
        let rows = stores.rows().await;
        assert_eq!(told(&answers), rows.iter().cloned().collect(), "{strategy}");
        assert_eq!((rows.len(), holders(&rows).len()), (20, 20), "{strategy}");
        let coupon = send(a, get("/coupons/fcfs/1")).await.body;
        let expected = serde_json::json!({
            "id": 1, "status": "ACTIVE", "stockQuantity": 0, "totalQuantity": 20,
            "remaining": 0, "issued": 20, "pending": 0,
        });
        assert_eq!(coupon, expected, "{strategy}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_user_fifty_times_on_two_servers_gets_one_and_is_a_duplicate_else() {
    let services = services();
    for strategy in STRATEGIES {
        let stores = services.stores().await;
        let options = options(&stores, strategy, 10);
        let ((_, a), (_, b)) = (open(&options).await, open(&options).await);
        let kim = (0..50).map(|_| "kim".to_owned());
        let answers = ask_at_once(&[a.clone(), b], kim).await;
        assert_eq!(count(&answers, Answer::is_issued), 1, "{strategy}");
        let duplicates = count(&answers, |answer| answer.says(DUPLICATE));
        assert_eq!(duplicates, 49, "{strategy}");
        assert_eq!(remaining(&a).await, 9, "{strategy}");
    }
}

#[tokio::test]
async fn a_holder_is_a_duplicate_when_the_stock_is_gone_and_after_a_restart() {
    let services = services();
    for strategy in STRATEGIES {
        let stores = services.stores().await;
        let options = options(&stores, strategy, 1);
        let (state, server) = open(&options).await;
        assert!(send(server.clone(), issue_of("kim")).await.is_issued());
        // Another case and another length are other users.
        for user in ["Kim", "kim ", "lee"] {
            let answer = send(server.clone(), issue_of(user)).await;
            assert!(answer.says(SOLD_OUT), "{strategy} {user:?}");
        }
        assert!(send(server, issue_of("kim")).await.says(DUPLICATE));
        state.shutdown().await.unwrap();

        // Redis has forgotten everything, and its script as well.
        stores.redis(&["FLUSHDB"]).await;
        stores.redis(&["SCRIPT", "FLUSH"]).await;
        let (_, server) = open(&options).await;
        let again = send(server.clone(), issue_of("kim")).await;
        assert!(again.says(DUPLICATE), "{strategy}");
        assert!(send(server.clone(), issue_of("lee")).await.says(SOLD_OUT));
        let unknown = common::post("/coupons/fcfs/2/issue", r#"{"userId":"kim"}"#);
        let unknown = send(server.clone(), unknown).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{strategy}");
        let health = send(server, get("/health")).await;
        assert_eq!(health.body["status"], "ok", "{strategy}");
    }
}

#[tokio::test]
async fn a_row_that_stays_locked_is_a_refused_lock_that_did_nothing() {
    let services = services();
    for strategy in [StrategyName::DbPessimistic, StrategyName::DbConditional] {
        let stores = services.stores().await;
        let mut options = options(&stores, strategy, 5);
        options.lock_timeout_ms = 1;
        let (_, server) = open(&options).await;
        let mut outside = begin_outside(&stores, &[LOCK]).await;
        let refused = send(server.clone(), issue_of("kim")).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{strategy}");
        let message = refused.body["message"].as_str().unwrap();
        assert!(message.starts_with("ResourceLockedError: "), "{message}");
        execute(&mut outside, "ROLLBACK").await;
        assert_eq!(remaining(&server).await, 5, "{strategy}");
        let kim = send(server, issue_of("kim")).await;
        assert!(kim.is_issued(), "{strategy}");
    }
}

#[tokio::test]
async fn redis_lua_answers_while_the_table_is_locked_and_refuses_when_the_queue_is_full() {
    let services = services();
    let stores = services.stores().await;
    let mut options = options(&stores, StrategyName::RedisLua, 100);
    options.queue = NonZeroUsize::MIN;
    let (state, server) = open(&options).await;
    let mut outside = begin_outside(&stores, &[LOCK]).await;
    let mut issued = 0;
    // One waits in the task's hands and one in the queue; the rest cannot be promised.
    let refused = loop {
        let answer = send(server.clone(), issue_of(&format!("user-{issued}"))).await;
        if !answer.is_issued() {
            break answer;
        }
        issued += 1;
        assert!(issued <= 2, "the queue has no bound");
    };
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(remaining(&server).await, 100 - issued);
    execute(&mut outside, "ROLLBACK").await;
    state.shutdown().await.unwrap();
    assert_eq!(stores.rows().await.len(), usize::try_from(issued).unwrap());
    let late = send(server, issue_of("late")).await;
    assert_eq!(late.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_stock_that_redis_lost_is_neither_sold_out_nor_made_up() {
    let services = services();
    let stores = services.stores().await;
    let (_, server) = open(&options(&stores, StrategyName::RedisLua, 5)).await;
    stores.redis(&["DEL", "coupon:1:stock"]).await;
    let answer = send(server, issue_of("kim")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(stores.redis(&["GET", "coupon:1:stock"]).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lua_compare_never_sells_out() {
    let services = services();
    let stores = services.stores().await;
    let mut options = options(&stores, StrategyName::RedisLua, 3);
    options.bug = Some(Bug::LuaCompare);
    let (state, server) = open(&options).await;
    let answers = ask_at_once(&[server], users(20)).await;
    assert_eq!(count(&answers, Answer::is_issued), 20);
    state.shutdown().await.unwrap();
    assert_eq!(stores.rows().await.len(), 20);
    let left = stores.redis(&["GET", "coupon:1:stock"]).await;
    assert_eq!(left.as_deref(), Some("-17"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_bug_shows_in_rows_or_answers() {
    let services = services();
    for strategy in STRATEGIES {
        for (bug, stock, shows) in BUGS {
            let stores = services.stores().await;
            let mut options = options(&stores, strategy, stock);
            options.bug = Some(bug);
            let (state, server) = open(&options).await;
            let answers = ask_at_once(std::slice::from_ref(&server), users(300)).await;
            let again = send(server, issue_of("user-0")).await;
            state.shutdown().await.unwrap();
            let rows = stores.rows().await;
            let seen = Seen {
                issued: count(&answers, Answer::is_issued),
                falsely: count(&answers, |answer| answer.says(DUPLICATE)),
                rows: rows.len(),
                again: again.is_issued(),
            };
            assert!(shows(&seen), "{strategy} {bug:?}: {seen:?}");
        }
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

#[tokio::test]
async fn a_missing_store_or_a_bug_out_of_place_is_named_before_anything_is_opened() {
    let with = |strategy, bug| Options {
        strategy,
        bug,
        mysql: None,
        redis: Vec::new(),
        ..default_options()
    };
    let cases = [
        (
            with(StrategyName::DbPessimistic, None),
            "db-pessimistic needs --mysql URL",
        ),
        (with(StrategyName::DbConditional, None), "FCFS_MYSQL"),
        (
            with(StrategyName::RedisLua, None),
            "redis-lua needs --redis URL",
        ),
        (
            with(StrategyName::SqliteLock, Some(Bug::LuaCompare)),
            "--strategy redis-lua",
        ),
        (
            with(StrategyName::Redisson, Some(Bug::LeaseUnchecked)),
            "--strategy redlock",
        ),
        (
            Options {
                redis: vec!["redis://h".parse().unwrap(); 6],
                ..default_options()
            },
            "at most 5",
        ),
    ];
    for (options, words) in cases {
        let error = AppState::prepare(&options).await.err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_store_that_refuses_is_named_without_the_password() {
    let services = services();
    let stores = services.stores().await;
    let wrong = |url: &str| url.parse().unwrap();
    let mysql = |url| Options {
        mysql: Some(wrong(url)),
        ..options(&stores, StrategyName::RedisLua, 1)
    };
    let redis = |url| Options {
        redis: vec![wrong(url)],
        ..options(&stores, StrategyName::RedisLua, 1)
    };
    let cases = [
        (
            mysql("mysql://bench:s3cret@127.0.0.1:1/shop"),
            "mysql://127.0.0.1:1/shop",
        ),
        (
            mysql("mysql://bench:s3cret@127.0.0.1:1"),
            "names no database",
        ),
        (mysql("postgres://bench:s3cret@127.0.0.1/shop"), "mysql://"),
        (mysql("mysql://bench:s3cret@127.0.0.1:port/shop"), "port"),
        (
            redis("redis://:s3cret@127.0.0.1:1/0"),
            "redis://127.0.0.1:1/0",
        ),
        (redis("rediss://:s3cret@127.0.0.1:1/0"), "redis://"),
        (redis("s3cret"), "not a URL"),
    ];
    for (options, words) in cases {
        let error = AppState::prepare(&options).await.err().unwrap().to_string();
        assert!(error.contains(words), "{words}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
        assert!(!format!("{options:?}").contains("s3cret"));
    }
}

/// A transaction of somebody else, in the middle of which a test does its work.
async fn begin_outside(stores: &Stores, statements: &[&'static str]) -> MySqlConnection {
    let mut outside = stores.outside().await;
    execute(&mut outside, "BEGIN").await;
    for statement in statements {
        execute(&mut outside, statement).await;
    }
    outside
}

async fn execute(connection: &mut MySqlConnection, statement: &'static str) {
    let done = sqlx::raw_sql(statement).execute(connection).await;
    done.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_victim_of_a_deadlock_is_a_refused_lock_that_did_nothing() {
    let services = Services::start();
    let stores = services.stores().await;
    let options = options(&stores, StrategyName::DbConditional, 5);
    let (_, server) = open(&options).await;
    // Whoever changed less is the victim: the server, which has taken one from the stock.
    let mut outside = begin_outside(
        &stores,
        &["INSERT INTO user_coupons (userId, couponId, createdAt)
           VALUES ('kim', 1, 0), ('a', 1, 0), ('b', 1, 0), ('c', 1, 0), ('d', 1, 0)"],
    )
    .await;
    let asked = tokio::spawn(send(server.clone(), issue_of("kim")));
    stores.wait_for_lock_waits(1).await;
    execute(&mut outside, "UPDATE fcfs_coupons SET stockQuantity = 5").await;
    execute(&mut outside, "ROLLBACK").await;
    let answer = asked.await.unwrap();
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let message = answer.body["message"].as_str().unwrap();
    assert!(
        message.contains("ResourceLockedError") && message.contains("deadlock"),
        "{message}"
    );
    assert_eq!(remaining(&server).await, 5);
    assert!(stores.rows().await.is_empty());
}

#[tokio::test]
async fn a_row_that_an_earlier_commit_wrote_is_not_written_twice() {
    let services = services();
    let stores = services.stores().await;
    let (state, server) = open(&options(&stores, StrategyName::RedisLua, 5)).await;
    // As if the answer to the commit of this row had been lost.
    let row = "INSERT INTO user_coupons VALUES (1, 'kim', 1, 0);
               UPDATE fcfs_coupons SET stockQuantity = 4";
    execute(&mut stores.outside().await, row).await;
    let told = send(server.clone(), issue_of("kim")).await;
    assert_eq!(told.body["id"], 1);
    assert!(send(server.clone(), issue_of("lee")).await.is_issued());
    state.shutdown().await.unwrap();
    let rows = [(1, "kim".to_owned()), (2, "lee".to_owned())];
    assert_eq!(stores.rows().await, rows);
    let coupon = send(server, get("/coupons/fcfs/1")).await.body;
    assert_eq!(
        (&coupon["stockQuantity"], &coupon["pending"]),
        (&3.into(), &0.into())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_hang_up_leave_stock_and_rows_in_step() {
    let services = services();
    for strategy in STRATEGIES {
        let stores = services.stores().await;
        let (state, server) = open(&options(&stores, strategy, 100)).await;
        for user in users(60) {
            let asked = tokio::spawn(send(server.clone(), issue_of(&user)));
            // Some are cut before they begin, some in the middle, some too late.
            tokio::task::yield_now().await;
            asked.abort();
        }
        assert!(
            send(server.clone(), issue_of("kim")).await.is_issued(),
            "{strategy}"
        );
        state.shutdown().await.unwrap();
        let rows = stores.rows().await;
        assert_eq!(remaining(&server).await, 100 - rows.len(), "{strategy}");
        assert!(holders(&rows).contains("kim"), "{strategy}");
    }
}

#[tokio::test]
async fn connections_that_redis_closed_are_made_again() {
    let services = Services::start();
    let stores = services.stores().await;
    let (state, server) = open(&options(&stores, StrategyName::RedisLua, 50)).await;
    assert!(send(server.clone(), issue_of("before")).await.is_issued());
    stores
        .redis(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
        .await;
    let mut unknown = 0;
    // Each of the connections may have to find out for itself.
    let after = loop {
        let answer = send(server.clone(), issue_of(&format!("after-{unknown}"))).await;
        if answer.status != StatusCode::INTERNAL_SERVER_ERROR {
            break answer;
        }
        unknown += 1;
        assert!(unknown <= 20, "the connections stay closed");
    };
    assert!(after.is_issued(), "{}", after.body);
    state.shutdown().await.unwrap();
    assert_eq!(stores.rows().await.len(), 2);
}

#[tokio::test]
async fn the_environment_gives_the_stores_and_nothing_shows_their_passwords() {
    let services = services();
    let stores = services.stores().await;
    let mut server = Command::new(env!("CARGO_BIN_EXE_reference-server"))
        .args(["--listen", "127.0.0.1:0", "--strategy", "redis-lua"])
        .args(["--log-level", "trace", "--stop-with-stdin"])
        .env("FCFS_MYSQL", stores.mysql_url())
        .env("FCFS_REDIS", format!("{0} {0}", stores.redis_url()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(server.stdin.take());
    let output = server.wait_with_output().unwrap();
    assert!(output.status.success());
    let (line, log) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(line.contains(r#""database":"mysql://127.0.0.1:"#), "{line}");
    assert!(log.contains("store_unused"), "{log}");
    for text in [line, log] {
        assert!(!text.contains("p4ssw0rd"), "{text}");
    }
}
