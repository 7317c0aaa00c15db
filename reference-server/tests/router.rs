//! The role router: what it decides, what it forwards, and what it says when nobody is there.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;
mod members;
mod services;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http_body_util::Full;
use members::{Running, listen, signed, token};
use reference_server::{Bug, Options, Role, Upstream};
use serde_json::{Value, json};
use services::{Stores, services};
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;

fn options(stores: &Stores, coupon: &[&str], queue: &[&str]) -> Options {
    let urls =
        |urls: &[&str]| -> Vec<Upstream> { urls.iter().map(|url| url.parse().unwrap()).collect() };
    let mut options = members::options();
    options.role = Role::Router;
    options.redis = vec![stores.redis.clone()];
    options.router.coupon_url = urls(coupon);
    options.router.queue_url = urls(queue);
    options
}

/// A server that says who it is and repeats what it got.
async fn echo(name: &'static str) -> String {
    let handler = move |request: Request| async move { repeat(name, request).await };
    listen(Router::new().fallback(any(handler))).await
}

async fn repeat(name: &str, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let headers: Vec<_> = head.headers.keys().map(ToString::to_string).collect();
    let told = json!({
        "name": name, "method": head.method.as_str(), "uri": head.uri.to_string(),
        "headers": headers, "body": String::from_utf8_lossy(&body),
    });
    (
        StatusCode::IM_A_TEAPOT,
        [
            ("x-answer", "kept"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
        ],
        Body::from(told.to_string()),
    )
        .into_response()
}

async fn gone() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn forwards_a_request_as_it_is_and_its_answer_as_it_came() {
    let services = services();
    let stores = services.stores().await;
    let (coupon, queue) = (echo("coupon").await, echo("queue").await);
    let router = Running::start(&options(&stores, &[&coupon], &[&queue])).await;
    let request = axum::http::Request::post("/api/coupon/7?trace=a%20b")
        .header("authorization", format!("Bearer {}", token(1)))
        .header("x-kept", "1")
        .header("te", "trailers")
        .header("connection", "x-dropped")
        .header("x-dropped", "1")
        .body(Full::from("{ \"resourceId\": 7 }"));
    let answer = router.at.send(request.unwrap()).await;

    assert_eq!(answer.status, StatusCode::IM_A_TEAPOT);
    assert_eq!(answer.headers["x-answer"], "kept");
    assert!(!answer.headers.contains_key("x-hop"));
    assert_eq!(answer.body["name"], "coupon");
    assert_eq!(answer.body["method"], "POST");
    assert_eq!(answer.body["uri"], "/api/coupon/7?trace=a%20b");
    assert_eq!(answer.body["body"], "{ \"resourceId\": 7 }");
    let headers = answer.body["headers"].as_array().unwrap();
    for (header, forwarded) in [
        ("authorization", true),
        ("x-kept", true),
        ("te", false),
        ("x-dropped", false),
    ] {
        assert_eq!(headers.contains(&json!(header)), forwarded, "{header}");
    }
    for (method, path, name) in [
        ("POST", "/api/queue/enter", "queue"),
        ("PATCH", "/api/queue/heartbeat", "queue"),
        (
            "GET",
            "/api/queue/order?domain=COUPON&resourceId=1",
            "queue",
        ),
        ("PUT", "/api/admin/queue/config", "queue"),
        ("POST", "/api/admin/coupon", "coupon"),
        ("GET", "/api/event/coupon/1", "coupon"),
    ] {
        let answer = router.at.ask(method, path, &token(1), &Value::Null).await;
        assert_eq!(answer.body["name"], name, "{path}");
        assert_eq!(answer.body["uri"], path);
        assert_eq!(answer.body["method"], method);
    }
}

#[tokio::test]
async fn uses_its_servers_in_turn_and_leaves_out_one_that_is_gone() {
    let services = services();
    let stores = services.stores().await;
    let (a, b, gone) = (echo("a").await, echo("b").await, gone().await);
    let router = Running::start(&options(&stores, &[&a], &[&a, &gone, &b])).await;
    let mut answered = Vec::new();
    for _ in 0..6 {
        let answer = router.at.order(1).await;
        answered.push(answer.body["name"].as_str().unwrap_or("?").to_owned());
    }
    assert_eq!(answered, ["a", "b", "b", "a", "b", "b"]);
}

#[tokio::test]
async fn says_in_the_envelope_that_no_server_is_there() {
    let services = services();
    let stores = services.stores().await;
    let (echo, gone) = (echo("queue").await, gone().await);
    let router = Running::start(&options(&stores, &[&gone], &[&echo])).await;
    let answer = router.at.issue(1).await;
    assert_eq!(answer.outcome(), (502, "ROUTER_UNREACHABLE"));
    assert_eq!(router.at.event(1).await.outcome().0, 502);

    // A server that hangs up in the middle may have done what it was asked.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        connection.read_exact(&mut [0; 16]).await.unwrap();
        drop(connection);
        listener
    });
    let router = Running::start(&options(&stores, &[&url, &echo], &[&echo])).await;
    assert_eq!(router.at.issue(1).await.outcome(), (502, "ROUTER_BROKEN"));
    drop(asked.await.unwrap());
    let health = router.at.ask("GET", "/health", "", &Value::Null).await;
    let down = json!({ "status": "down", "redis": "up", "coupon": "down", "queue": "down" });
    assert_eq!((health.status.as_u16(), health.body), (503, down));
}

#[tokio::test]
async fn gives_up_on_a_server_that_is_silent_and_keeps_others_waiting_for_it_no_longer() {
    let services = services();
    let stores = services.stores().await;
    let asked = Arc::new(Notify::new());
    let silent = listen(Router::new().fallback(any({
        let asked = Arc::clone(&asked);
        move || async move {
            asked.notify_one();
            std::future::pending::<()>().await;
        }
    })))
    .await;
    let mut options = options(&stores, &[&silent], &[&silent]);
    options.router.upstream_connections = 1.try_into().unwrap();
    options.router.upstream_timeout_ms = 700.try_into().unwrap();
    let router = Running::start(&options).await;
    let at = router.at.clone();
    let first = tokio::spawn(async move { at.order(1).await });
    asked.notified().await;

    // The one connection is taken; whoever waits for it gets it, or is told that there is none.
    let at = router.at.clone();
    let second = tokio::spawn(async move { at.order(2).await });
    assert_eq!(first.await.unwrap().outcome(), (504, "ROUTER_TIMEOUT"));
    let second = second.await.unwrap();
    assert!(
        [(503, "ROUTER_FULL"), (504, "ROUTER_TIMEOUT")].contains(&second.outcome()),
        "{second:?}"
    );
}

#[tokio::test]
async fn sends_users_to_the_queue_for_each_of_its_reasons() {
    let services = services();
    let stores = services.stores().await;
    let (coupon, queue) = (echo("coupon").await, echo("queue").await);
    let mut options = options(&stores, &[&coupon], &[&queue]);
    (options.line.threshold, options.line.traffic_rpm) = (2, 5);
    let router = Running::start(&options).await;
    let waiting = "queue:COUPON:1:waiting";
    let running = "queue:COUPON:1:running";
    let is_sent_in = async |member: u64| match router.at.event(member).await {
        answer if answer.status == StatusCode::IM_A_TEAPOT => true,
        answer => {
            assert_eq!(answer.outcome(), (308, "QUEUE_NEEDED"));
            let page = "/queue?domain=COUPON&resourceId=1";
            assert_eq!(answer.headers["location"], page);
            false
        }
    };
    assert!(is_sent_in(1).await, "nothing is against it");
    stores.redis(&["ZADD", waiting, "1", "50"]).await;
    assert!(!is_sent_in(1).await, "somebody waits");
    stores.redis(&["DEL", waiting]).await;
    stores.redis(&["ZADD", running, "1", "60", "2", "61"]).await;
    assert!(!is_sent_in(1).await, "the threshold is reached");
    assert!(is_sent_in(60).await, "was admitted");
    stores.redis(&["DEL", running]).await;
    assert!(!is_sent_in(1).await, "the fifth request of this minute");

    // A minute is the bucket of now and six before; its first was refused for what it holds.
    stores.redis(&["DEL", "queue:COUPON:1:requests"]).await;
    let now: u64 = stores
        .redis(&["EVAL", "return redis.call('TIME')[1]", "0"])
        .await
        .unwrap()
        .parse()
        .unwrap();
    let bucket = now / 10;
    let old = (bucket - 8).to_string();
    stores
        .redis(&["HSET", "queue:COUPON:1:requests", &old, "100"])
        .await;
    assert!(is_sent_in(1).await, "they were more than a minute ago");
    let forgotten = stores
        .redis(&["HEXISTS", "queue:COUPON:1:requests", &old])
        .await;
    assert_eq!(forgotten.unwrap(), "0");
    let still = (bucket - 5).to_string();
    stores
        .redis(&["HSET", "queue:COUPON:1:requests", &still, "3"])
        .await;
    assert!(!is_sent_in(1).await, "they were within the minute");
    let other = router
        .at
        .ask("GET", "/api/event/coupon/2", &token(1), &Value::Null)
        .await;
    assert_eq!(
        other.status,
        StatusCode::IM_A_TEAPOT,
        "another event's requests"
    );
}

#[tokio::test]
async fn lets_nobody_pass_without_a_members_token() {
    let services = services();
    let stores = services.stores().await;
    let echo = echo("any").await;
    let router = Running::start(&options(&stores, &[&echo], &[&echo])).await;
    let expired = signed(members::SECRET, &json!({ "sub": 1, "exp": 1_700_000_000 }));
    let forged = signed("another secret", &json!({ "sub": 1 }));
    for (method, path) in [
        ("GET", "/api/event/coupon/1"),
        ("POST", "/api/coupon/1"),
        ("POST", "/api/queue/enter"),
        ("GET", "/api/queue/order?domain=COUPON&resourceId=1"),
        ("POST", "/api/admin/coupon"),
        ("PUT", "/api/admin/queue/config"),
    ] {
        for (token, code) in [("", "JWT_04"), (&expired, "JWT_02"), (&forged, "JWT_01")] {
            let answer = router.at.ask(method, path, token, &json!({})).await;
            assert_eq!(answer.outcome(), (401, code), "{method} {path}");
        }
    }
    let answer = router
        .at
        .ask("GET", "/api/other", &token(1), &Value::Null)
        .await;
    assert_eq!(answer.outcome(), (404, "NOT_FOUND"));
    let large = json!("x".repeat(20_000));
    let answer = router
        .at
        .ask("POST", "/api/queue/enter", &token(1), &large)
        .await;
    assert_eq!(answer.outcome(), (413, "BAD_REQUEST"));
}

/// A coupon server and a router before it, on the same queue.
async fn guarded(stores: &Stores, guard: bool) -> (tempfile::TempDir, Running, Running) {
    let directory = tempfile::tempdir().unwrap();
    let mut coupons = members::options();
    coupons.database = directory.path().join("coupons.db");
    coupons.redis = vec![stores.redis.clone()];
    coupons.line.guard_issue = guard;
    let coupons = Running::start(&coupons).await;
    let url = coupons.listen().await;
    let mut router = options(stores, &[&url], &[&url]);
    router.line.guard_issue = guard;
    router.line.threshold = 2;
    (directory, coupons, Running::start(&router).await)
}

#[tokio::test]
async fn without_the_guard_who_knows_the_path_need_not_queue() {
    let services = services();
    let stores = services.stores().await;
    let (_directory, coupons, router) = guarded(&stores, false).await;
    stores
        .redis(&["ZADD", "queue:COUPON:1:waiting", "1", "50"])
        .await;
    assert_eq!(router.at.event(1).await.status, 308);
    assert_eq!(router.at.issue(1).await.data()["userId"], 1);
    assert_eq!(coupons.at.issue(2).await.data()["couponId"], 1);
}

#[tokio::test]
async fn a_guard_that_asks_nobody_lets_everybody_past() {
    let services = services();
    let stores = services.stores().await;
    let url = echo("coupon").await;
    for (bug, status) in [(None, 403), (Some(Bug::QueueSkipped), 418)] {
        let mut router = options(&stores, &[&url], &[&url]);
        router.line.guard_issue = true;
        router.bug = bug;
        let router = Running::start(&router).await;
        assert_eq!(router.at.issue(1).await.status, status, "{bug:?}");
        router.stop().await;
    }
}

#[tokio::test]
async fn with_the_guard_nobody_gets_past_the_queue() {
    let services = services();
    let stores = services.stores().await;
    let (_directory, coupons, router) = guarded(&stores, true).await;
    for server in [&router, &coupons] {
        let answer = server.at.issue(1).await;
        assert_eq!(
            answer.outcome(),
            (403, "NOT_ADMITTED"),
            "came past the queue"
        );
    }
    // Who is let straight in takes a place, and only as many as there are.
    let quantity = |answer: &members::Answer| answer.body["data"]["quantity"].clone();
    assert_eq!(quantity(&router.at.event(1).await), 100);
    assert_eq!(router.at.event(2).await.status, 200);
    assert_eq!(router.at.event(3).await.status, 308);
    assert_eq!(router.at.event(1).await.status, 200, "was let in before");
    assert_eq!(router.at.issue(3).await.outcome().0, 403);
    assert_eq!(router.at.issue(1).await.data()["userId"], 1);
    // The place is free again.
    assert_eq!(router.at.event(3).await.status, 200);
    assert_eq!(router.at.issue(3).await.data()["userId"], 3);
    assert_eq!(
        router.at.issue(1).await.outcome(),
        (403, "NOT_ADMITTED"),
        "has left"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_guard_two_of_thirty_who_come_at_once_go_straight_in() {
    let services = services();
    let stores = services.stores().await;
    let (_directory, _coupons, router) = guarded(&stores, true).await;
    let asked: Vec<_> = (1..=30)
        .map(|member| {
            let at = router.at.clone();
            tokio::spawn(async move { at.event(member).await.status })
        })
        .collect();
    let mut let_in = 0;
    for asked in asked {
        let_in += u32::from(asked.await.unwrap() == StatusCode::OK);
    }
    assert_eq!(let_in, 2, "as many as the threshold");
}

#[tokio::test]
async fn does_not_start_without_servers_to_forward_to() {
    let services = services();
    let stores = services.stores().await;
    for (options, word) in [
        (
            options(&stores, &[], &["http://127.0.0.1:1"]),
            "--coupon-url",
        ),
        (
            options(&stores, &["http://127.0.0.1:1"], &[]),
            "--queue-url",
        ),
    ] {
        let error = reference_server::Node::prepare(&options)
            .await
            .err()
            .unwrap();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn counts_what_it_forwards_and_whom_it_sends_away() {
    let services = services();
    let stores = services.stores().await;
    let echo = echo("any").await;
    let router = Running::start(&options(&stores, &[&echo], &[&echo])).await;
    router.at.event(1).await;
    router.at.order(1).await;
    router.at.order(1).await;
    stores
        .redis(&["ZADD", "queue:COUPON:1:waiting", "1", "50"])
        .await;
    router.at.event(1).await;
    let page = router
        .at
        .ask("GET", "/metrics", "", &Value::Null)
        .await
        .body;
    let page = page.as_str().unwrap();
    for line in [
        "router_forwarded_total{to=\"coupon\"} 1\n",
        "router_forwarded_total{to=\"queue\"} 2\n",
        "router_redirected_total{reason=\"waiting\"} 1\n",
    ] {
        assert!(page.contains(line), "{line}{page}");
    }
}
