//! The dialect of document C on a coupon server: members with tokens, and the envelope.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;
mod members;
mod services;

use common::{get, issue_of, send};
use members::{Running, options, signed, token, until};
use reference_server::{Node, Options, StrategyName};
use serde_json::{Value, json};
use services::{Stores, services};
use tempfile::TempDir;

const STRATEGIES: [StrategyName; 5] = [
    StrategyName::SqliteAtomic,
    StrategyName::SqliteLock,
    StrategyName::DbPessimistic,
    StrategyName::DbConditional,
    StrategyName::RedisLua,
];

fn on(stores: &Stores, directory: &TempDir, strategy: StrategyName) -> Options {
    Options {
        strategy,
        database: directory.path().join("coupons.db"),
        mysql: Some(stores.mysql.clone()),
        redis: vec![stores.redis.clone()],
        lock_timeout_ms: 60_000,
        ..options()
    }
}

/// A coupon server of its own, without any service.
async fn alone(options: Options) -> (TempDir, Running) {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        database: directory.path().join("coupons.db"),
        ..options
    };
    (directory, Running::start(&options).await)
}

#[tokio::test]
async fn tells_every_outcome_by_its_code() {
    let (_directory, server) = alone(Options {
        stock: 2,
        ..options()
    })
    .await;
    let at = &server.at;
    let row = at.issue(1).await.data().clone();
    assert_eq!((&row["userId"], &row["couponId"]), (&json!(1), &json!(1)));
    assert_eq!(at.issue(1).await.outcome(), (400, "COUPON_05"));
    let page = json!({
        "couponId": 1, "resourceId": "1", "quantity": 1, "totalQuantity": 2,
        "opensAt": null, "closesAt": null,
    });
    assert_eq!(at.event(2).await.data(), &page);
    at.issue(2).await.data();
    assert_eq!(at.issue(3).await.outcome(), (400, "COUPON_03"));
    assert_eq!(
        at.issue(2).await.outcome(),
        (400, "COUPON_05"),
        "before sold out"
    );

    let ask = async |path: &str, token: &str, body: Value| {
        let answer = at.ask("POST", path, token, &body).await;
        let (status, code) = answer.outcome();
        (status, code.to_owned())
    };
    let expired = signed(members::SECRET, &json!({ "sub": 9, "exp": 1_700_000_000 }));
    let event = json!({ "resourceId": 1 });
    let cases = [
        (
            "/api/coupon/2",
            token(9),
            json!({ "resourceId": 2 }),
            (404, "COUPON_04"),
        ), // no such coupon
        (
            "/api/coupon/1",
            token(9),
            json!({ "resourceId": 2 }),
            (404, "COUPON_04"),
        ), // of another event
        ("/api/coupon/x", token(9), event.clone(), (404, "COUPON_04")),
        (
            "/api/coupon/1",
            token(9),
            json!({ "resourceId": "christmas" }),
            (404, "COUPON_04"),
        ),
        ("/api/coupon/1", token(9), json!({}), (400, "BAD_REQUEST")),
        ("/api/coupon/1", expired, event.clone(), (401, "JWT_02")),
        (
            "/api/coupon/1",
            signed("x", &json!({ "sub": 9 })),
            event.clone(),
            (401, "JWT_01"),
        ),
        ("/api/coupon/1", String::new(), event, (401, "JWT_04")),
    ];
    for (path, token, body, (status, code)) in cases {
        let answer = ask(path, &token, body.clone()).await;
        assert_eq!(answer, (status, code.to_owned()), "{path} {body}");
    }
    let text = json!({ "resourceId": "1" });
    let answer = ask("/api/coupon/1", &token(9), text).await;
    assert_eq!(answer, (400, "COUPON_03".to_owned()), "the event as a text");
    let unknown = at
        .ask("GET", "/api/event/coupon/2", &token(9), &Value::Null)
        .await;
    assert_eq!(unknown.outcome(), (404, "COUPON_04"));
    let nobody = at.ask("GET", "/api/event/coupon/1", "", &Value::Null).await;
    assert_eq!(nobody.outcome(), (401, "JWT_04"));
}

#[tokio::test]
async fn is_not_offered_without_a_secret() {
    let (_directory, server) = alone(Options {
        jwt_secret: None,
        ..options()
    })
    .await;
    assert_eq!(server.at.issue(1).await.outcome(), (404, "NOT_FOUND"));
    assert_eq!(server.at.event(1).await.outcome(), (404, "NOT_FOUND"));
    let issued = send(server.node.app(), issue_of("kim")).await;
    assert!(issued.is_issued(), "the other dialects are");
}

#[tokio::test]
async fn gives_nothing_outside_the_period_in_any_dialect() {
    let past = Some("2001-01-01T00:00:00Z".parse().unwrap());
    let future = Some("2999-01-01T00:00:00+09:00".parse().unwrap());
    let cases = [
        (future, None, "the coupon is not open yet"),
        (None, past, "the coupon is closed"),
        (past, future, ""),
    ];
    for (opens_at, closes_at, why) in cases {
        let (_directory, server) = alone(Options {
            opens_at,
            closes_at,
            ..options()
        })
        .await;
        let answers = [
            send(server.node.app(), issue_of("kim")).await,
            send(
                server.node.app(),
                common::post("/api/v1/user-coupons/1/issue", r#"{"userId":"lee"}"#),
            )
            .await,
        ];
        if why.is_empty() {
            assert!(answers.iter().all(|answer| answer.status.is_success()));
            server.at.issue(1).await.data();
            continue;
        }
        for answer in answers {
            assert_eq!(
                (answer.status.as_u16(), &answer.body["message"]),
                (400, &json!(why))
            );
        }
        let answer = server.at.issue(1).await;
        assert_eq!(answer.outcome(), (400, "COUPON_07"));
        assert_eq!(answer.body["message"], why);
        let left = send(server.node.app(), get("/coupons/fcfs/1")).await;
        assert_eq!(left.body["remaining"], 100);
        let page = server.at.event(1).await.data().clone();
        assert_eq!(page["opensAt"].is_null(), opens_at.is_none());
    }
}

#[tokio::test]
async fn users_leave_the_queue_with_their_row_or_their_refusal() {
    const RUNNING: &str = "queue:COUPON:1:running";
    let services = services();
    for strategy in STRATEGIES {
        let stores = services.stores().await;
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            stock: 1,
            ..on(&stores, &directory, strategy)
        };
        let server = Running::start(&options).await;
        let add = ["ZADD", RUNNING, "1", "1", "1", "2", "1", "3"];
        stores.redis(&add).await;
        server.at.issue(1).await.data();
        // Behind the answer, where the row is.
        until(async || stores.redis(&["ZSCORE", RUNNING, "1"]).await.is_none()).await;
        assert_eq!(
            server.at.issue(2).await.outcome(),
            (400, "COUPON_03"),
            "{strategy}"
        );
        assert_eq!(
            stores.redis(&["ZSCORE", RUNNING, "2"]).await,
            None,
            "{strategy}"
        );
        stores.redis(&["ZADD", RUNNING, "1", "1"]).await;
        assert_eq!(
            server.at.issue(1).await.outcome(),
            (400, "COUPON_05"),
            "{strategy}"
        );
        assert_eq!(
            stores.redis(&["ZSCORE", RUNNING, "1"]).await,
            None,
            "{strategy}"
        );
        let others = stores.redis(&["ZCARD", RUNNING]).await;
        assert_eq!(others.unwrap(), "1", "{strategy}: who has no answer stays");
        server.stop().await;
    }
}

#[tokio::test]
async fn creates_a_coupon_once_and_issues_it_on_every_server() {
    let services = services();
    for strategy in STRATEGIES {
        let stores = services.stores().await;
        let directory = tempfile::tempdir().unwrap();
        let options = on(&stores, &directory, strategy);
        let (a, b) = (
            Running::start(&options).await,
            Running::start(&options).await,
        );
        let create = async |quantity: u32| {
            let body = json!({ "couponId": 7, "quantity": quantity });
            let path = "/api/admin/coupon";
            a.at.ask("POST", path, &token(0), &body).await
        };
        assert_eq!(
            create(1).await.data(),
            &json!({ "couponId": 7 }),
            "{strategy}"
        );
        assert_eq!(
            create(5).await.outcome(),
            (409, "COUPON_EXISTS"),
            "{strategy}"
        );
        let mut outcomes = Vec::new();
        for (server, member) in [(&b, 1), (&a, 2)] {
            let body = json!({ "resourceId": 7 });
            let path = "/api/coupon/7";
            let answer = server.at.ask("POST", path, &token(member), &body).await;
            outcomes.push((answer.outcome().0, answer.outcome().1.to_owned()));
        }
        let expected = [(200, "success".to_owned()), (400, "COUPON_03".to_owned())];
        assert_eq!(outcomes, expected, "{strategy}");
        a.stop().await;
        b.stop().await;
    }
}

#[tokio::test]
async fn a_guard_needs_a_secret_and_a_redis() {
    let directory = tempfile::tempdir().unwrap();
    let mut guarded = options();
    guarded.database = directory.path().join("coupons.db");
    guarded.line.guard_issue = true;
    let mut without_secret = guarded.clone();
    without_secret.jwt_secret = None;
    for (options, word) in [(guarded, "--redis"), (without_secret, "FCFS_JWT_SECRET")] {
        let error = Node::prepare(&options).await.err().unwrap().to_string();
        assert!(
            error.contains(word) && error.contains("--guard-issue"),
            "{error}"
        );
    }
}
