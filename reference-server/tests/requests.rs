//! The two dialects, and what a client gets for a request that makes no sense.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use common::{DUPLICATE, SOLD_OUT, STRATEGIES, Shop, get, issue_of, post};
use serde_json::Value;

const A: &str = "/coupons/fcfs/1/issue";
const B: &str = "/api/v1/user-coupons/1/issue";

#[tokio::test]
async fn first_dialect_tells_outcomes_by_text() {
    let shop = Shop::open(STRATEGIES[0], 1).await;
    let issued = shop.send(post(A, r#"{"userId":5}"#)).await;
    assert_eq!(issued.status, StatusCode::CREATED);
    assert_eq!(issued.body["couponId"], 1);
    assert_eq!(issued.body["userId"], "5");
    assert!(issued.body["createdAt"].as_str().unwrap().ends_with('Z'));
    assert!(shop.ask("5").await.says(DUPLICATE));
    let sold_out = shop.ask("6").await;
    assert!(sold_out.says(SOLD_OUT));
    assert_eq!(sold_out.body["statusCode"], 400);
}

#[tokio::test]
async fn second_dialect_tells_outcomes_by_status() {
    for strategy in STRATEGIES {
        let shop = Shop::open(strategy, 1).await;
        let issued = shop.send(post(B, r#"{"userId":"kim"}"#)).await;
        assert_eq!(
            (issued.status, &issued.body["userId"]),
            (StatusCode::OK, &"kim".into())
        );
        let again = Request::post(B)
            .header("X-User-Id", "kim")
            .body(Body::empty())
            .unwrap();
        let again = shop.send(again).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{strategy:?}");
        assert_eq!(again.body["message"], DUPLICATE);
        let late = Request::post(B)
            .header("X-User-Id", "lee")
            .body(Body::empty())
            .unwrap();
        let late = shop.send(late).await;
        assert_eq!(
            (late.status, late.body),
            (StatusCode::NO_CONTENT, Value::String(String::new()))
        );
    }
}

#[tokio::test]
async fn refuses_bad_bodies_without_touching_the_stock() {
    let shop = Shop::open(STRATEGIES[0], 1).await;
    let huge = format!(r#"{{"userId":"{}"}}"#, "k".repeat(1 << 20));
    let nested = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let bodies = [
        "",
        "not json",
        "{}",
        r#"{"userId":{"id":1}}"#,
        r#"{"userId":null}"#,
        &nested,
        &huge,
    ];
    for path in [A, B] {
        for body in bodies {
            let start = &body[..body.len().min(30)];
            let answer = shop.send(post(path, body.to_owned())).await;
            assert!(
                answer.status.is_client_error(),
                "{path} {start}: {}",
                answer.status
            );
            let message = answer.body["message"].as_str().unwrap();
            assert!(
                message != SOLD_OUT && message != DUPLICATE,
                "{path} {start}: {message}"
            );
        }
    }
    assert_eq!(shop.coupon().await["remaining"], 1);
}

#[tokio::test]
async fn a_broken_body_is_not_rescued_by_the_header() {
    let shop = Shop::open(STRATEGIES[0], 1).await;
    let request = Request::post(B)
        .header("X-User-Id", "kim")
        .body("{".into())
        .unwrap();
    assert_eq!(shop.send(request).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn health_and_unknown_routes_answer_in_json() {
    let shop = Shop::open(STRATEGIES[0], 1).await;
    let health = shop.send(get("/health")).await;
    assert_eq!(
        (health.status, &health.body["status"]),
        (StatusCode::OK, &"ok".into())
    );
    let nowhere = shop.send(get("/nowhere")).await;
    assert_eq!(
        (nowhere.status, &nowhere.body["statusCode"]),
        (StatusCode::NOT_FOUND, &404.into())
    );
}

#[tokio::test]
async fn metrics_count_what_was_answered() {
    let shop = Shop::open(STRATEGIES[2], 1).await;
    for user in ["a", "a", "b"] {
        shop.send(issue_of(user)).await;
    }
    shop.state.shutdown().await.unwrap();
    let page = shop.send(get("/metrics")).await;
    let text = page.body.as_str().unwrap();
    let route = r#"method="POST",route="/coupons/fcfs/{id}/issue""#;
    for line in [
        "coupons_issued_total 1",
        r#"coupons_refused_total{reason="duplicate"} 1"#,
        r#"coupons_refused_total{reason="sold_out"} 1"#,
        "coupon_stock_remaining 0",
        "coupon_write_queue_length 0",
        "http_requests_in_flight 1", // the scrape itself
        &format!(r#"http_request_duration_seconds_count{{{route},status="201"}} 1"#),
        &format!(r#"http_request_duration_seconds_count{{{route},status="400"}} 2"#),
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\nis not in\n{text}");
    }
}
