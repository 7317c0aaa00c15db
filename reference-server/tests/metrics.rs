//! What the server tells Prometheus of its locks, caches, pools, stores and events, with real ones.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;
mod services;

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use common::{Shop, default_options, get, issue_of, send};
use reference_server::{AppState, LockOptions, Options, StrategyName, app};
use services::kafka::broker;
use services::{Instance, Stores, services};

/// Strategies on MySQL and these Redis, whose locks are given up at once.
fn options(stores: &Stores, redis: &[Instance], strategy: StrategyName) -> Options {
    Options {
        strategy,
        stock: 5,
        mysql: Some(stores.mysql.clone()),
        redis: redis.iter().map(Instance::url).collect(),
        locks: LockOptions {
            lock_retry_count: 0,
            lock_wait_ms: 100,
            ..default_options().locks
        },
        ..default_options()
    }
}

async fn open(options: &Options) -> (AppState, Router) {
    let state = AppState::prepare(options).await.unwrap();
    (state.clone(), app(state))
}

async fn issue(server: &Router, user: &str) -> StatusCode {
    send(server.clone(), issue_of(user)).await.status
}

async fn page(server: &Router) -> String {
    let page = send(server.clone(), get("/metrics")).await.body;
    page.as_str().unwrap().to_owned()
}

#[track_caller]
fn has(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            page.lines().any(|l| l == *line),
            "{line}\nis not in\n{page}"
        );
    }
}

/// The value of a series that is there.
#[track_caller]
fn value(page: &str, series: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(series));
    let line = line.unwrap_or_else(|| panic!("{series} is not in\n{page}"));
    line.trim().parse().unwrap()
}

#[tokio::test]
async fn a_lock_that_others_hold_and_one_that_nobody_can_give_are_told_apart() {
    let services = services();
    let (stores, mut instances) = (services.stores().await, vec![Instance::start()]);
    let mut options = options(&stores, &instances, StrategyName::Redlock);
    options.coupon_cache_s = 300;
    let (_, server) = open(&options).await;
    has(
        &page(&server).await,
        &[
            r#"distributed_lock_acquisition_failed_total{lock="redlock",reason="held"} 0"#,
            r#"distributed_lock_acquisition_failed_total{lock="redlock",reason="unreachable"} 0"#,
            r#"distributed_lock_lost_total{lock="redlock"} 0"#,
            r#"cache_requests_total{cache="coupon_info"} 0"#,
        ],
    );
    assert_eq!(issue(&server, "kim").await, StatusCode::CREATED);
    instances[0].ask(&["SET", "locks:coupon:1", "other"]).await;
    assert_eq!(issue(&server, "lee").await, StatusCode::CONFLICT);
    instances[0].kill();
    assert_eq!(issue(&server, "lee").await, StatusCode::CONFLICT);
    let page = page(&server).await;
    let wait = r#"distributed_lock_wait_duration_seconds_count{lock="redlock",result"#;
    has(
        &page,
        &[
            r#"distributed_lock_acquisition_failed_total{lock="redlock",reason="held"} 1"#,
            r#"distributed_lock_acquisition_failed_total{lock="redlock",reason="unreachable"} 1"#,
            r#"distributed_lock_contended_total{lock="redlock",coupon="1"} 2"#,
            r#"distributed_lock_hold_duration_seconds_count{lock="redlock"} 1"#,
            &format!(r#"{wait}="acquired"}} 1"#),
            &format!(r#"{wait}="failed"}} 2"#),
            // The first look fills it, the second one hits, and the third has nobody to ask.
            r#"cache_requests_total{cache="coupon_info"} 3"#,
            r#"cache_hits_total{cache="coupon_info"} 1"#,
            r#"dependency_up{dependency="redis"} 0"#,
            r#"dependency_up{dependency="database"} 1"#,
            r#"mysql_connection_pool_size{pool="users"} 4"#,
        ],
    );
    let active = value(&page, r#"mysql_connection_pool_active{pool="users"}"#);
    assert!((0.0..=4.0).contains(&active), "{active}");
}

#[tokio::test]
async fn a_lease_that_runs_out_and_requests_that_redis_fails_are_counted() {
    let services = services();
    let (stores, mut instances) = (services.stores().await, vec![Instance::start()]);
    let mut options = options(&stores, &instances, StrategyName::Redisson);
    options.locks.lock_lease_ms = 50;
    options.locks.lock_work_ms = 200;
    let (state, server) = open(&options).await;
    assert_eq!(issue(&server, "kim").await, StatusCode::CREATED);
    instances[0].ask(&["SET", "lock:coupon:1", "x"]).await;
    instances[0].ask(&["DEL", "lock:coupon:1"]).await;
    instances[0]
        .ask(&["HSET", "lock:coupon:1", "other", "1"])
        .await;
    assert_eq!(issue(&server, "lee").await, StatusCode::CONFLICT);
    instances[0].kill();
    let failed = issue(&server, "lee").await;
    assert_eq!(failed, StatusCode::INTERNAL_SERVER_ERROR);
    has(
        &page(&server).await,
        &[
            r#"distributed_lock_lost_total{lock="redisson"} 1"#,
            r#"distributed_lock_acquisition_failed_total{lock="redisson",reason="held"} 1"#,
            r#"distributed_lock_acquisition_failed_total{lock="redisson",reason="unreachable"} 1"#,
            r#"distributed_lock_contended_total{lock="redisson",coupon="1"} 1"#,
            r#"dependency_errors_total{dependency="redis"} 1"#,
        ],
    );
    drop(state);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_counted_and_the_lag_of_a_group_is_that_of_the_brokers() {
    let (services, broker) = (services(), broker());
    let (stores, redis) = (services.stores().await, [Instance::start()]);
    let mut options = options(&stores, &redis, StrategyName::RedisKafka);
    options.kafka = Some(broker.address());
    options.kafka_topic = "measured".to_owned();
    options.kafka_group = "measured-issuer".to_owned();
    let (state, server) = open(&options).await;
    for user in ["a", "b", "c"] {
        assert_eq!(issue(&server, user).await, StatusCode::CREATED);
    }
    let behind = |page: &str| -> f64 {
        (0..3)
            .map(|partition| {
                let labels = r#"topic="measured",consumer_group="measured-issuer""#;
                value(
                    page,
                    &format!(r#"kafka_consumer_lag{{{labels},partition="{partition}"}}"#),
                )
            })
            .sum()
    };
    let mut last = page(&server).await;
    for _ in 0..600 {
        if behind(&last) == 0.0 && stores.rows().await.len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        last = page(&server).await;
    }
    assert!(behind(&last).abs() < f64::EPSILON, "{last}");
    has(
        &last,
        &[
            r#"kafka_producer_messages_sent_total{topic="measured"} 3"#,
            r#"kafka_producer_messages_failed_total{topic="measured",kept="no"} 0"#,
            r#"kafka_producer_messages_failed_total{topic="measured",kept="unknown"} 0"#,
            r#"dependency_up{dependency="kafka"} 1"#,
            r#"mysql_connection_pool_size{pool="background"} 2"#,
        ],
    );
    state.shutdown().await.unwrap();

    // Without an issuer what is published stays behind, and the page says so.
    let mut alone = options.clone();
    alone.role = reference_server::Role::Coupon;
    let (coupon, asked) = open(&alone).await;
    assert_eq!(issue(&asked, "d").await, StatusCode::CREATED);
    assert!(!page(&asked).await.contains("kafka_consumer_lag"));
    coupon.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_page_has_the_process_and_every_request_by_its_status() {
    let shop = Shop::open(StrategyName::SqliteAtomic, 1).await;
    shop.ask("kim").await;
    let page = shop.send(get("/metrics")).await;
    let text = page.body.as_str().unwrap();
    let issued =
        r#"http_requests_total{method="POST",route="/coupons/fcfs/{id}/issue",status="201"} 1"#;
    has(text, &[issued, r#"dependency_up{dependency="database"} 1"#]);
    for series in [
        "process_cpu_seconds_total ",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        r#"dependency_response_seconds{dependency="database"}"#,
    ] {
        assert!(value(text, series) > 0.0, "{series}{text}");
    }
}
