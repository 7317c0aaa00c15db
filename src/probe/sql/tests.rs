#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use super::*;
use crate::plan::{Query, Secret, Source};
use crate::probe::Probe;

async fn writer(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true);
    options
        .pragma("journal_mode", "WAL")
        .connect()
        .await
        .unwrap()
}

async fn run(connection: &mut SqliteConnection, statement: &'static str) {
    connection.execute(sqlx::raw_sql(statement)).await.unwrap();
}

fn source(file: &Path, query: &str) -> Source {
    Source {
        query: Query::Sql {
            url: Secret::new(format!("sqlite:{}", file.display())),
            query: query.to_owned(),
            pages: None,
        },
        offset: 0,
    }
}

async fn open(file: &Path, query: &str) -> Probe {
    Probe::open(&source(file, query), None).await.unwrap()
}

#[tokio::test]
async fn every_kind_of_value_becomes_text() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let mut writer = writer(&file).await;
    run(
        &mut writer,
        "CREATE TABLE issued (user, id, at);
         INSERT INTO issued VALUES (17, 'c-1', 1700000000123), ('한', x'00ab', '2023-11-14T22:13:20Z'),
             (2.5, NULL, '2023-11-14 22:13:20'), (9223372036854775807, 4, 1700000000.25)",
    )
    .await;
    let probe = open(&file, "SELECT user, id, at FROM issued ORDER BY rowid;").await;
    let rows = probe.rows().await.unwrap();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.user.as_str(),
                row.id.as_deref(),
                row.created_us,
                row.grain_us,
            )
        })
        .collect();
    let second = 1_700_000_000_000_000;
    let expected = [
        ("17", Some("c-1"), Some(second + 123_000), Some(1_000)),
        ("한", Some("00ab"), Some(second), Some(1_000_000)),
        ("2.5", None, None, None),
        (
            "9223372036854775807",
            Some("4"),
            Some(second + 250_000),
            Some(10_000),
        ),
    ];
    assert_eq!(shown, expected);
    assert_eq!(probe.count().await.unwrap(), 4);
    probe.close().await;
}

#[tokio::test]
async fn a_write_ahead_log_of_an_open_writer_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let mut writer = writer(&file).await;
    run(&mut writer, "CREATE TABLE issued (user)").await;
    let probe = open(&file, "SELECT user FROM issued").await;
    assert_eq!(probe.count().await.unwrap(), 0);
    run(
        &mut writer,
        "BEGIN IMMEDIATE; INSERT INTO issued VALUES (1)",
    )
    .await;
    assert_eq!(probe.count().await.unwrap(), 0);
    run(&mut writer, "COMMIT").await;
    assert_eq!(probe.count().await.unwrap(), 1);
    assert_eq!(probe.rows().await.unwrap()[0].user, "1");
}

#[tokio::test]
async fn a_file_that_was_deleted_and_made_again_is_read_anew() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let mut old = writer(&file).await;
    run(
        &mut old,
        "CREATE TABLE issued (user); INSERT INTO issued VALUES (1)",
    )
    .await;
    let probe = open(&file, "SELECT user FROM issued").await;
    assert_eq!(probe.count().await.unwrap(), 1);
    old.close().await.unwrap();
    std::fs::remove_file(&file).unwrap();
    let mut new = writer(&file).await;
    run(&mut new, "CREATE TABLE issued (user)").await;
    assert_eq!(probe.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_missing_file_is_an_error_and_stays_missing() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("none.db");
    let error = Probe::open(&source(&file, "SELECT 1"), None)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("none.db"), "{error}");
    assert!(!file.exists());
}

#[tokio::test]
async fn the_session_cannot_write() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let mut writer = writer(&file).await;
    run(&mut writer, "CREATE TABLE issued (user)").await;
    let probe = open(&file, "INSERT INTO issued VALUES (1) RETURNING user").await;
    let error = probe.rows().await.unwrap_err();
    assert!(error.to_string().contains("readonly"), "{error}");
}

#[tokio::test]
async fn a_query_that_cannot_be_wrapped_is_counted_row_by_row() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let mut writer = writer(&file).await;
    run(
        &mut writer,
        "CREATE TABLE issued (user); INSERT INTO issued VALUES (1), (2)",
    )
    .await;
    // A comment at the end must not swallow the closing parenthesis.
    let probe = open(&file, "SELECT user FROM issued -- all").await;
    assert_eq!(probe.count().await.unwrap(), 2);
    let probe = open(&file, "PRAGMA table_info(issued)").await;
    assert_eq!(probe.count().await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_no_number_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    drop(writer(&file).await);
    let cases = [
        ("SELECT 1 WHERE 0", "no row"),
        ("SELECT NULL", "NULL"),
        ("SELECT 1.5", "\"1.5\" is not a whole number"),
        ("SELECT x FROM missing", "no such table: missing"),
    ];
    for (query, expected) in cases {
        let error = open(&file, query).await.number().await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let mut with_offset = source(&file, "SELECT 7 UNION ALL SELECT 8");
    with_offset.offset = -2;
    let probe = Probe::open(&with_offset, None).await.unwrap();
    assert_eq!(probe.number().await.unwrap(), 5);
    assert_eq!(probe.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_missing_user_names_the_row() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    drop(writer(&file).await);
    let probe = open(&file, "SELECT 1 UNION ALL SELECT NULL").await;
    let error = probe.rows().await.unwrap_err();
    assert!(error.to_string().ends_with("row 2 has no user"), "{error}");
}

#[tokio::test]
async fn urls_that_cannot_work_are_refused_without_showing_the_password() {
    let cases = [
        ("oracle://u:secret@h/db", Reason::Asked),
        ("mysql://u:secret?@h/db", Reason::Asked),
        ("postgres://u:secret@h:port/db", Reason::Asked),
        // Nobody listens on port 1.
        ("postgres://u:secret@127.0.0.1:1/db", Reason::Lost),
        ("mysql://u:secret@127.0.0.1:1/db", Reason::Lost),
    ];
    for (url, reason) in cases {
        let source = Source {
            query: Query::Sql {
                url: Secret::new(url),
                query: "SELECT 1".to_owned(),
                pages: None,
            },
            offset: 0,
        };
        let error = Probe::open(&source, None).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_probe_can_be_asked_from_another_thread() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    drop(writer(&file).await);
    let probe = open(&file, "SELECT 1").await;
    let asked = tokio::spawn(async move { (probe.rows().await, probe.number().await) });
    assert_eq!(asked.await.unwrap().1.unwrap(), 1);
}
