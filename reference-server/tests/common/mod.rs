//! One server in a directory of its own, asked through its router and checked in its file.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use clap::Parser;
use reference_server::{AppState, Bug, Options, StrategyName, app};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const STRATEGIES: [StrategyName; 3] = [
    StrategyName::SqliteAtomic,
    StrategyName::SqliteLock,
    StrategyName::MemoryThenSqlite,
];

pub(crate) const SOLD_OUT: &str = "Coupon stock is empty";
pub(crate) const DUPLICATE: &str = "이미 발급된 쿠폰입니다.";

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
}

pub(crate) fn default_options() -> Options {
    CommandLine::parse_from(["serve", "--listen", "127.0.0.1:0"]).options
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn is_issued(&self) -> bool {
        self.status == StatusCode::CREATED && self.body["id"].is_i64()
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        self.status == StatusCode::BAD_REQUEST && self.body["message"] == text
    }
}

/// Row of `user_coupons`: id and user.
pub(crate) type Row = (i64, String);

pub(crate) struct Shop {
    directory: TempDir,
    pub(crate) options: Options,
    pub(crate) state: AppState,
    router: Router,
}

impl Shop {
    pub(crate) async fn open(strategy: StrategyName, stock: u32) -> Self {
        Self::with(Options {
            strategy,
            stock,
            ..default_options()
        })
        .await
    }

    pub(crate) async fn with_bug(strategy: StrategyName, bug: Bug, stock: u32) -> Self {
        Self::with(Options {
            strategy,
            stock,
            bug: Some(bug),
            ..default_options()
        })
        .await
    }

    pub(crate) async fn with(mut options: Options) -> Self {
        let directory = tempfile::tempdir().unwrap();
        options.database = directory.path().join("coupons.db");
        Self::on(directory, options).await
    }

    async fn on(directory: TempDir, options: Options) -> Self {
        let state = AppState::prepare(&options).await.unwrap();
        Self {
            directory,
            options,
            router: app(state.clone()),
            state,
        }
    }

    pub(crate) async fn reopen(self) -> Self {
        self.state.shutdown().await.unwrap();
        let Self {
            directory, options, ..
        } = self;
        Self::on(directory, options).await
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("coupons.db")
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(self.router.clone(), request).await
    }

    pub(crate) async fn ask(&self, user: &str) -> Answer {
        self.send(issue_of(user)).await
    }

    /// All users at once, answers in their order.
    pub(crate) async fn ask_at_once(&self, users: impl IntoIterator<Item = String>) -> Vec<Answer> {
        let asked: Vec<_> = users
            .into_iter()
            .map(|user| tokio::spawn(send(self.router.clone(), issue_of(&user))))
            .collect();
        let mut answers = Vec::new();
        for answer in asked {
            answers.push(answer.await.unwrap());
        }
        answers
    }

    pub(crate) async fn coupon(&self) -> Value {
        let answer = self.send(get("/coupons/fcfs/1")).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.body
    }

    /// Drains the server and reads its rows from outside.
    pub(crate) async fn final_rows(&self) -> Vec<Row> {
        self.state.shutdown().await.unwrap();
        rows_in(&self.path()).await
    }
}

pub(crate) async fn outside(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .unwrap()
}

pub(crate) async fn rows_in(path: &Path) -> Vec<Row> {
    sqlx::query_as("SELECT id, userId FROM user_coupons ORDER BY id")
        .fetch_all(&mut outside(path).await)
        .await
        .unwrap()
}

pub(crate) fn users(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| format!("user-{n}"))
}

pub(crate) fn issue_of(user: &str) -> Request<Body> {
    post(
        "/coupons/fcfs/1/issue",
        json!({ "userId": user }).to_string(),
    )
}

pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).body(body.into()).unwrap()
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub(crate) async fn send(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
    Answer {
        status,
        body: serde_json::from_slice(&bytes).unwrap_or_else(|_| text()),
    }
}
