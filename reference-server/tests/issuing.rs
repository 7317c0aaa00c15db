//! Every strategy issues each coupon once, to one user each, first come, first served.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;

use std::collections::HashSet;

use axum::http::StatusCode;
use common::{DUPLICATE, SOLD_OUT, STRATEGIES, Shop, get, outside, users};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issues_exactly_the_stock_to_distinct_users() {
    for strategy in STRATEGIES {
        let shop = Shop::open(strategy, 10).await;
        let answers = shop.ask_at_once(users(100)).await;
        let issued = answers.iter().filter(|answer| answer.is_issued()).count();
        let sold_out = answers
            .iter()
            .filter(|answer| answer.says(SOLD_OUT))
            .count();
        assert_eq!((issued, sold_out), (10, 90), "{strategy:?}");
        let rows = shop.final_rows().await;
        let distinct: HashSet<_> = rows.iter().map(|(_, user)| user).collect();
        assert_eq!((rows.len(), distinct.len()), (10, 10), "{strategy:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_with_the_id_and_the_user_of_the_row() {
    for strategy in STRATEGIES {
        let shop = Shop::open(strategy, 50).await;
        let answers = shop.ask_at_once(users(20)).await;
        let told: HashSet<_> = answers
            .iter()
            .map(|a| {
                (
                    a.body["id"].as_i64().unwrap(),
                    a.body["userId"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        let rows: HashSet<_> = shop.final_rows().await.into_iter().collect();
        assert_eq!(told, rows, "{strategy:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gives_a_user_who_asks_fifty_times_at_once_one_coupon() {
    for strategy in STRATEGIES {
        let shop = Shop::open(strategy, 10).await;
        let answers = shop.ask_at_once((0..50).map(|_| "kim".to_owned())).await;
        assert_eq!(
            answers.iter().filter(|a| a.is_issued()).count(),
            1,
            "{strategy:?}"
        );
        assert_eq!(
            answers.iter().filter(|a| a.says(DUPLICATE)).count(),
            49,
            "{strategy:?}"
        );
        assert_eq!(shop.coupon().await["remaining"], 9, "{strategy:?}");
    }
}

#[tokio::test]
async fn calls_a_holder_a_duplicate_even_when_the_stock_is_gone() {
    for strategy in STRATEGIES {
        let shop = Shop::open(strategy, 1).await;
        assert!(shop.ask("kim").await.is_issued());
        assert!(shop.ask("lee").await.says(SOLD_OUT), "{strategy:?}");
        assert!(shop.ask("kim").await.says(DUPLICATE), "{strategy:?}");
    }
}

#[tokio::test]
async fn tells_the_numbers_of_a_coupon() {
    for strategy in STRATEGIES {
        let shop = Shop::open(strategy, 3).await;
        for user in ["a", "b"] {
            assert!(shop.ask(user).await.is_issued());
        }
        shop.state.shutdown().await.unwrap();
        let expected = json!({
            "id": 1, "status": "ACTIVE", "stockQuantity": 1, "totalQuantity": 3,
            "remaining": 1, "issued": 2, "pending": 0,
        });
        assert_eq!(shop.coupon().await, expected, "{strategy:?}");
    }
}

#[tokio::test]
async fn knows_only_the_coupons_in_its_table() {
    for strategy in STRATEGIES {
        let shop = Shop::open(strategy, 3).await;
        for path in [
            "/coupons/fcfs/2/issue",
            "/coupons/fcfs/one/issue",
            "/api/v1/user-coupons/2/issue",
        ] {
            let answer = shop.send(common::post(path, r#"{"userId":1}"#)).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{strategy:?} {path}");
        }
        assert_eq!(
            shop.send(get("/coupons/fcfs/2")).await.status,
            StatusCode::NOT_FOUND
        );
    }
}

#[tokio::test]
async fn restart_keeps_stock_and_holders() {
    for strategy in STRATEGIES {
        let shop = Shop::open(strategy, 3).await;
        assert!(shop.ask("kim").await.is_issued());
        assert!(shop.ask("lee").await.is_issued());
        let shop = shop.reopen().await;
        assert_eq!(shop.coupon().await["remaining"], 1, "{strategy:?}");
        assert!(shop.ask("kim").await.says(DUPLICATE), "{strategy:?}");
        let last = shop.ask("park").await;
        assert_eq!(last.body["id"], 3, "{strategy:?}");
        assert!(shop.ask("choi").await.says(SOLD_OUT), "{strategy:?}");
        assert_eq!(shop.final_rows().await.len(), 3, "{strategy:?}");
    }
}

#[tokio::test]
async fn writes_the_time_as_microseconds_in_order() {
    for strategy in STRATEGIES {
        let shop = Shop::open(strategy, 5).await;
        for user in users(5) {
            assert!(shop.ask(&user).await.is_issued());
        }
        shop.state.shutdown().await.unwrap();
        let times: Vec<i64> = sqlx::query_scalar("SELECT createdAt FROM user_coupons ORDER BY id")
            .fetch_all(&mut outside(&shop.path()).await)
            .await
            .unwrap();
        assert!(times.is_sorted(), "{strategy:?} {times:?}");
        // 2020 in microseconds: a number of milliseconds or seconds would be far below.
        assert!(
            times.iter().all(|&time| time > 1_577_836_800_000_000),
            "{strategy:?}"
        );
    }
}
