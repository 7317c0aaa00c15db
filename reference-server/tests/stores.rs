//! The strategies on `MySQL` and Redis, with a real `MariaDB` and a real Redis.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;
mod services;

use std::collections::HashSet;
use std::num::NonZeroUsize;

use axum::Router;
use axum::http::StatusCode;
use common::{Answer, DUPLICATE, SOLD_OUT, default_options, get, issue_of, send, users};
use reference_server::{AppState, Bug, Options, StrategyName, app};
use services::{Stores, services};

const STRATEGIES: [StrategyName; 3] = [
    StrategyName::DbPessimistic,
    StrategyName::DbConditional,
    StrategyName::RedisLua,
];

fn options(stores: &Stores, strategy: StrategyName, stock: u32) -> Options {
    Options {
        strategy,
        stock,
        mysql: Some(stores.mysql.clone()),
        redis: vec![stores.redis.clone()],
        // A busy machine is slow, and not what these tests are about.
        lock_timeout_ms: 60_000,
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
        let mut outside = stores.outside().await;
        let lock = "SELECT id FROM fcfs_coupons WHERE id = 1 FOR UPDATE";
        sqlx::raw_sql("BEGIN").execute(&mut outside).await.unwrap();
        sqlx::raw_sql(lock).execute(&mut outside).await.unwrap();
        let refused = send(server.clone(), issue_of("kim")).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{strategy}");
        let message = refused.body["message"].as_str().unwrap();
        assert!(message.starts_with("ResourceLockedError: "), "{message}");
        sqlx::raw_sql("ROLLBACK")
            .execute(&mut outside)
            .await
            .unwrap();
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
    let mut outside = stores.outside().await;
    let lock = "SELECT id FROM fcfs_coupons WHERE id = 1 FOR UPDATE";
    sqlx::raw_sql("BEGIN").execute(&mut outside).await.unwrap();
    sqlx::raw_sql(lock).execute(&mut outside).await.unwrap();
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
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut outside)
        .await
        .unwrap();
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
