//! A holder whose lock runs out while it works: what was sold meanwhile is seen by nobody but
//! those who ask whether the lock is still theirs.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;
mod services;

use std::time::Duration;

use axum::http::StatusCode;
use common::{Answer, default_options, get, issue_of, send};
use reference_server::{
    AppState, Bug, LockOptions, Options, StockOptions, StockSync, StrategyName, app,
};
use services::{Instance, Stores, services};

const STOCK: u32 = 5;
const LEASE_MS: u32 = 1000;

/// Longer than the lease, and than another needs to sell one after it.
const WORK_MS: u32 = 6000;

struct Case {
    strategy: StrategyName,
    bug: Option<Bug>,
    lock: &'static str,
}

const REDISSON: Case = Case {
    strategy: StrategyName::Redisson,
    bug: None,
    lock: "lock:coupon:1",
};
const REDLOCK: Case = Case {
    strategy: StrategyName::Redlock,
    bug: None,
    lock: "locks:coupon:1",
};
const REDLOCK_UNCHECKED: Case = Case {
    bug: Some(Bug::LeaseUnchecked),
    ..REDLOCK
};

/// What came of one who worked for too long and one who sold meanwhile.
struct End {
    late: Answer,
    rows: usize,
    left: i64,
}

fn options(case: &Case, stores: &Stores, redis: &Instance, lock_work_ms: u32) -> Options {
    Options {
        strategy: case.strategy,
        bug: case.bug,
        stock: STOCK,
        mysql: Some(stores.mysql.clone()),
        redis: vec![redis.url()],
        locks: LockOptions {
            lock_ttl_ms: LEASE_MS,
            lock_extend_below_ms: 0,
            lock_lease_ms: LEASE_MS,
            lock_work_ms,
            ..default_options().locks
        },
        stocks: StockOptions {
            stock_sync: StockSync::Off,
            ..default_options().stocks
        },
        ..default_options()
    }
}

async fn until_the_lock_exists(redis: &Instance, lock: &str, wanted: &str) {
    for _ in 0..6000 {
        if redis.ask(&["EXISTS", lock]).await.as_deref() == Some(wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("EXISTS {lock} was never {wanted}");
}

async fn one_works_for_too_long(case: &Case) -> End {
    let services = services();
    let (stores, redis) = (services.stores().await, Instance::start());
    let open = async |work_ms| AppState::prepare(&options(case, &stores, &redis, work_ms)).await;
    let (slow, quick) = (open(WORK_MS).await.unwrap(), open(0).await.unwrap());
    let router = app(slow.clone());
    let asked = tokio::spawn(async move { send(router, issue_of("slow")).await });
    until_the_lock_exists(&redis, case.lock, "1").await;
    until_the_lock_exists(&redis, case.lock, "0").await;
    let sold = send(app(quick.clone()), issue_of("quick")).await;
    assert!(sold.is_issued(), "{}", sold.body);
    let late = asked.await.unwrap();
    let coupon = send(app(quick.clone()), get("/coupons/fcfs/1")).await;
    slow.shutdown().await.unwrap();
    quick.shutdown().await.unwrap();
    End {
        late,
        rows: stores.rows().await.len(),
        left: coupon.body["remaining"].as_i64().unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_look_at_its_lease_sells_the_piece_that_another_has_sold() {
    for case in [REDISSON, REDLOCK_UNCHECKED] {
        let end = one_works_for_too_long(&case).await;
        let strategy = case.strategy;
        assert!(end.late.is_issued(), "{strategy}: {}", end.late.body);
        assert_eq!((end.rows, end.left), (2, 4), "{strategy}: of {STOCK}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looks_at_its_lease_before_the_commit_takes_everything_back() {
    let end = one_works_for_too_long(&REDLOCK).await;
    assert_eq!(end.late.status, StatusCode::CONFLICT, "{}", end.late.body);
    assert_eq!((end.rows, end.left), (1, 4), "of {STOCK}");
}
