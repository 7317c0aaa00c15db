//! What happens when the lock is held elsewhere, the queue is full, or the server stops.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;

use std::num::NonZeroUsize;

use axum::http::StatusCode;
use common::{STRATEGIES, Shop, default_options, outside, rows_in, users};
use reference_server::{AppState, Options, StrategyName};
use sqlx::SqliteConnection;
use tower::ServiceExt;

/// Takes the file's write lock as another process would.
async fn lock_from_outside(shop: &Shop) -> SqliteConnection {
    let mut holder = outside(&shop.path()).await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut holder)
        .await
        .unwrap();
    holder
}

async fn unlock(mut holder: SqliteConnection) {
    sqlx::query("ROLLBACK").execute(&mut holder).await.unwrap();
}

fn impatient(strategy: StrategyName) -> Options {
    Options {
        strategy,
        lock_timeout_ms: 1,
        ..default_options()
    }
}

#[tokio::test]
async fn a_lock_held_elsewhere_is_a_failure_of_its_own_that_did_nothing() {
    for strategy in [StrategyName::SqliteAtomic, StrategyName::SqliteLock] {
        let shop = Shop::with(impatient(strategy)).await;
        let holder = lock_from_outside(&shop).await;
        let refused = shop.ask("kim").await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{strategy:?}");
        let message = refused.body["message"].as_str().unwrap();
        assert!(
            message.starts_with("ResourceLockedError: "),
            "{strategy:?}: {message}"
        );
        unlock(holder).await;
        assert_eq!(shop.coupon().await["remaining"], 100, "{strategy:?}");
        assert!(shop.ask("kim").await.is_issued(), "{strategy:?}");
    }
}

#[tokio::test]
async fn write_behind_answers_while_the_lock_is_held_and_writes_afterwards() {
    let shop = Shop::with(impatient(StrategyName::MemoryThenSqlite)).await;
    let holder = lock_from_outside(&shop).await;
    for user in users(5) {
        assert!(shop.ask(&user).await.is_issued());
    }
    let coupon = shop.coupon().await;
    assert_eq!(
        (&coupon["pending"], &coupon["remaining"]),
        (&5.into(), &95.into())
    );
    assert_eq!(
        (&coupon["issued"], &coupon["stockQuantity"]),
        (&0.into(), &100.into())
    );
    unlock(holder).await;
    assert_eq!(shop.final_rows().await.len(), 5);
}

#[tokio::test]
async fn a_full_queue_refuses_without_taking_stock() {
    let queue = NonZeroUsize::MIN;
    let shop = Shop::with(Options {
        queue,
        ..impatient(StrategyName::MemoryThenSqlite)
    })
    .await;
    let holder = lock_from_outside(&shop).await;
    let mut issued = 0;
    // One coupon waits in the task's hands and one in the queue; the rest cannot be promised.
    let refused = loop {
        let answer = shop.ask(&format!("user-{issued}")).await;
        if !answer.is_issued() {
            break answer;
        }
        issued += 1;
        assert!(issued <= 2, "the queue has no bound");
        tokio::task::yield_now().await;
    };
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(shop.coupon().await["remaining"], 100 - issued);
    unlock(holder).await;
    assert_eq!(
        shop.final_rows().await.len(),
        usize::try_from(issued).unwrap()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_writes_every_acknowledged_row() {
    let strategy = StrategyName::MemoryThenSqlite;
    let shop = Shop::with(Options {
        strategy,
        stock: 3000,
        ..default_options()
    })
    .await;
    let answers = shop.ask_at_once(users(3000)).await;
    assert!(answers.iter().all(common::Answer::is_issued));
    shop.state.shutdown().await.unwrap();
    assert_eq!(rows_in(&shop.path()).await.len(), 3000);
    let refused = shop.ask("late").await;
    assert_eq!(refused.body["message"], "Coupon stock is empty");
}

#[tokio::test]
async fn a_stopped_queue_refuses_instead_of_promising() {
    let shop = Shop::open(StrategyName::MemoryThenSqlite, 10).await;
    shop.state.shutdown().await.unwrap();
    assert_eq!(
        shop.ask("kim").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(shop.coupon().await["remaining"], 10);
}

#[tokio::test]
async fn the_tables_have_the_indexes_the_strategy_relies_on() {
    for strategy in STRATEGIES {
        let shop = Shop::open(strategy, 1).await;
        let unique: bool = sqlx::query_scalar(
            "SELECT \"unique\" FROM pragma_index_list('user_coupons') WHERE name = 'idx_user_coupon'",
        )
        .fetch_one(&mut outside(&shop.path()).await)
        .await
        .unwrap();
        assert_eq!(
            unique,
            strategy == StrategyName::SqliteAtomic,
            "{strategy:?}"
        );
    }
}

#[tokio::test]
async fn the_indexes_go_and_come_with_the_setting() {
    let mut shop = Shop::open(StrategyName::SqliteLock, 1).await;
    for (indexes, expected) in [(false, 0), (true, 2), (false, 0)] {
        shop.options.indexes = indexes;
        shop = shop.reopen().await;
        let found: i64 =
            sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'idx_%'")
                .fetch_one(&mut outside(&shop.path()).await)
                .await
                .unwrap();
        assert_eq!(found, expected, "{indexes}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_hang_up_leave_stock_and_rows_in_step() {
    for strategy in STRATEGIES {
        let shop = Shop::open(strategy, 100).await;
        let router = reference_server::app(shop.state.clone());
        for user in users(60) {
            let asked = tokio::spawn(router.clone().oneshot(common::issue_of(&user)));
            // Some are cut before they begin, some in the middle, some too late.
            tokio::task::yield_now().await;
            asked.abort();
        }
        assert!(shop.ask("kim").await.is_issued(), "{strategy:?}");
        let rows = shop.final_rows().await.len();
        assert_eq!(shop.coupon().await["remaining"], 100 - rows, "{strategy:?}");
    }
}

#[tokio::test]
async fn another_strategy_takes_over_the_file() {
    let mut shop = Shop::open(StrategyName::MemoryThenSqlite, 2).await;
    assert!(shop.ask("kim").await.is_issued());
    shop.options.strategy = StrategyName::SqliteAtomic;
    let shop = shop.reopen().await;
    assert!(shop.ask("kim").await.says(common::DUPLICATE));
    assert!(shop.ask("lee").await.is_issued());
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let options = Options {
        database: "/nonexistent/coupons.db".into(),
        ..default_options()
    };
    let error = AppState::prepare(&options).await.err().unwrap();
    assert!(
        error.to_string().contains("/nonexistent/coupons.db"),
        "{error}"
    );
}
