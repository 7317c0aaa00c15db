//! The probe against a real MariaDB server.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::Path;
use std::process::Command;

use fcfs_bench::plan::Secret;
use fcfs_bench::probe::{Probe, Reason, read_table};
use rustix::process::{Signal, geteuid};
use sqlx::{Connection, Executor, MySqlConnection};
use support::{Rows, Service, free_port, open, paged, program, run, shown, sql};

fn start() -> Service {
    let directory = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut install = Command::new(program("mariadb-install-db"));
    install.args([
        "--no-defaults",
        "--skip-test-db",
        "--auth-root-authentication-method=normal",
    ]);
    install.arg(option("--datadir", &directory.path().join("data")));
    // In a shared directory, a server that starts removes the temporary tables of the others.
    install.env("TMPDIR", directory.path());
    run(as_root(&mut install));
    let first = "CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4;\n\
                 CREATE USER IF NOT EXISTS bench@'%' IDENTIFIED BY 'secret';\n\
                 GRANT ALL ON *.* TO bench@'%';\n";
    std::fs::write(directory.path().join("first.sql"), first).unwrap();
    Service::start(directory, port, Signal::KILL, move |directory| {
        let mut command = Command::new(program("mariadbd"));
        command.args([
            "--no-defaults",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
        ]);
        command.arg(format!("--port={port}"));
        command.arg(option("--datadir", &directory.join("data")));
        command.arg(option("--tmpdir", directory));
        command.arg(option("--socket", &directory.join("socket")));
        command.arg(option("--init-file", &directory.join("first.sql")));
        as_root(&mut command);
        command
    })
}

fn option(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

/// The server refuses to run as root unless it is told so.
fn as_root(command: &mut Command) -> &mut Command {
    if geteuid().is_root() {
        command.arg("--user=root");
    }
    command
}

fn url(service: &Service) -> String {
    format!("mysql://bench:secret@127.0.0.1:{}/shop", service.port)
}

async fn write(service: &Service, statements: &'static str) {
    let mut connection = MySqlConnection::connect(&url(service)).await.unwrap();
    connection.execute(sqlx::raw_sql(statements)).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn every_column_type_becomes_text() {
    let service = start();
    write(
        &service,
        "CREATE TABLE issued (
             n INT PRIMARY KEY, i BIGINT UNSIGNED, s SMALLINT, v VARCHAR(20), b VARCHAR(20) COLLATE utf8mb4_bin,
             c CHAR(5), t TEXT, u BINARY(16), id UUID, d DECIMAL(20,2), f DOUBLE, bits BIT(9), j JSON,
             e ENUM('x', 'y'), at DATETIME(6), stamp TIMESTAMP(3) NULL, day DATE, ms BIGINT);
         INSERT INTO issued VALUES (1, 18446744073709551615, -7, '한', 'bin', 'ab', 'text',
             UNHEX('00112233445566778899AABBCCDDEEFF'), '00112233-4455-6677-8899-aabbccddeeff',
             1700000000.25, 0.5, b'100000001', '[1]', 'y', '2023-11-14 22:13:20.123456',
             '2023-11-14 22:13:20.123', '2023-11-14', 1700000000123)",
    )
    .await;
    let second = 1_700_000_000_000_000;
    let uuid = "00112233-4455-6677-8899-aabbccddeeff";
    let cases = [
        ("i", "18446744073709551615", None, None),
        ("s", "-7", None, None),
        ("v", "한", None, None),
        // Text whose collation is binary is text all the same.
        ("b", "bin", None, None),
        ("c", "ab", None, None),
        ("t", "text", None, None),
        ("u", "00112233445566778899aabbccddeeff", None, None),
        ("id", uuid, None, None),
        ("d", "1700000000.25", Some(second + 250_000), Some(10_000)),
        ("f", "0.5", None, None),
        ("bits", "257", None, None),
        ("j", "[1]", None, None),
        ("e", "y", None, None),
        // None of these three says in which zone it is meant.
        ("at", "2023-11-14 22:13:20.123456", None, None),
        ("stamp", "2023-11-14 22:13:20.123", None, None),
        ("day", "2023-11-14", None, None),
        ("ms", "1700000000123", Some(second + 123_000), Some(1_000)),
        (
            "UNIX_TIMESTAMP(stamp)",
            "1700000000.123",
            Some(second + 123_000),
            Some(1_000),
        ),
        ("COUNT(*)", "1", None, None),
        ("SUM(n)", "1", None, None),
    ];
    for (column, text, at, grain) in cases {
        let query = format!("SELECT {column}, {column} AS id, {column} AS at FROM issued");
        let rows = open(&sql(&url(&service), &query))
            .await
            .rows()
            .await
            .unwrap();
        assert_eq!(shown(&rows), [(text, Some(text), at, grain)], "{column}");
    }
    let nulls = "SELECT 1, NULL, NULL UNION ALL SELECT NULL, 1, 1";
    let error = open(&sql(&url(&service), nulls))
        .await
        .rows()
        .await
        .unwrap_err();
    assert!(error.to_string().ends_with("row 2 has no user"), "{error}");
}

#[tokio::test]
async fn counts_and_numbers_are_read() {
    let service = start();
    write(
        &service,
        "CREATE TABLE issued (user INT); INSERT INTO issued VALUES (1), (2), (3)",
    )
    .await;
    let cases = [
        ("SELECT user FROM issued", 3),
        ("SELECT user FROM issued ORDER BY user; -- all", 3),
        // A derived table may not have two columns of one name.
        ("SELECT user, user FROM issued LIMIT 2", 2),
    ];
    for (query, expected) in cases {
        let probe = open(&sql(&url(&service), query)).await;
        assert_eq!(probe.count().await.unwrap(), expected, "{query}");
        assert_eq!(probe.number().await.unwrap(), 1, "{query}");
        // The connection is still good after the rows that nobody read.
        assert_eq!(
            probe.rows().await.unwrap().len() as u64,
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_session_cannot_write_even_in_a_function() {
    let service = start();
    write(
        &service,
        "CREATE TABLE issued (user INT);
         CREATE FUNCTION sell() RETURNS INT BEGIN INSERT INTO issued VALUES (1); RETURN 1; END",
    )
    .await;
    for statement in ["SELECT sell()", "DELETE FROM issued"] {
        let probe = open(&sql(&url(&service), statement)).await;
        let error = probe.number().await.unwrap_err();
        assert!(error.to_string().contains("READ ONLY"), "{error}");
    }
}

#[tokio::test]
async fn a_restart_is_survived() {
    let mut service = start();
    write(
        &service,
        "CREATE TABLE issued (user INT); INSERT INTO issued VALUES (7)",
    )
    .await;
    let probe = open(&sql(&url(&service), "SELECT user FROM issued")).await;
    assert_eq!(probe.number().await.unwrap(), 7);
    service.stop();
    assert_eq!(probe.count().await.unwrap_err().reason(), Reason::Lost);
    service.start_again();
    assert_eq!(probe.rows().await.unwrap()[0].user, "7");
    // Also when nobody asked while it was away, so that the old connection is still kept.
    service.stop();
    service.start_again();
    assert_eq!(probe.count().await.unwrap(), 1);
    probe.close().await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_without_showing_the_password() {
    let service = start();
    let wrong = format!("mysql://bench:wrongsecret@127.0.0.1:{}/shop", service.port);
    let tls = format!("{}?ssl-mode=REQUIRED", url(&service));
    for (url, expected) in [(wrong, "Access denied"), (tls, "TLS")] {
        let error = Probe::open(&sql(&url, "SELECT 1"), None).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let probe = open(&sql(&url(&service), "SELECT x FROM missing")).await;
    let error = probe.count().await.unwrap_err();
    assert!(
        error.to_string().contains("missing' doesn't exist"),
        "{error}"
    );
}

#[tokio::test]
async fn whole_rows_come_with_the_names_of_their_columns() {
    let service = start();
    write(
        &service,
        "CREATE TABLE members (id BIGINT, token VARCHAR(20), joined DATETIME); INSERT INTO members VALUES (7, 'é', '2026-01-02 03:04:05'), (8, NULL, NULL);",
    )
    .await;
    let url = Secret::new(url(&service));
    let mut rows = Rows::default();
    let query = "SELECT id, token AS jwt, joined FROM members ORDER BY id;";
    read_table(&url, query, &mut rows).await.unwrap();
    assert_eq!(
        rows.0,
        [
            "id=7 jwt=é joined=2026-01-02 03:04:05",
            "id=8 jwt=- joined=-"
        ]
    );
    // The session cannot write, whatever the query says.
    let error = read_table(&url, "DELETE FROM members", &mut rows).await;
    assert!(
        error
            .unwrap_err()
            .to_string()
            .to_lowercase()
            .contains("read")
    );
}

/// Values that are alike stand together, so that pages would end between them.
#[tokio::test]
async fn rows_come_once_whatever_the_pages_are_read_by() {
    let service = start();
    write(&service, include_str!("support/keys.mysql.sql")).await;
    let keys = [
        "n", "big", "word", "bin", "latin", "price", "ratio", "at", "day", "bytes", "id", "kind",
        "bits", "same", "often",
    ];
    for key in keys {
        for rows in [1, 3, 4, 100] {
            let query = format!("SELECT n, n AS id, NULL AS at, {key} AS k FROM issued");
            let probe = open(&paged(&url(&service), &query, "k", rows)).await;
            let read = probe.rows().await;
            let read = read.unwrap_or_else(|error| panic!("{key}: {error}"));
            let mut users: Vec<u32> = read.iter().map(|row| row.user.parse().unwrap()).collect();
            users.sort_unstable();
            assert_eq!(users, (1..=8).collect::<Vec<u32>>(), "{key}, {rows}");
        }
    }
}

#[tokio::test]
async fn rows_added_between_two_pages_neither_hide_nor_repeat_one() {
    let service = start();
    write(
        &service,
        "CREATE TABLE issued (k BIGINT, n INT, PRIMARY KEY (k, n));
         INSERT INTO issued VALUES (10, 1), (10, 2), (20, 3), (20, 4), (20, 5), (30, 6), (40, 7)",
    )
    .await;
    let source = paged(&url(&service), "SELECT n, k FROM issued", "k", 2);
    let probe = open(&source).await;
    let (mut seen, mut pages) = (Vec::new(), probe.pages());
    while let Some(rows) = pages.next().await.unwrap() {
        seen.extend(rows.into_iter().map(|row| row.user));
        if seen.len() == 2 {
            write(
                &service,
                "INSERT INTO issued VALUES (5, 101), (10, 102), (20, 103), (35, 104)",
            )
            .await;
        }
    }
    seen.sort();
    assert_eq!(seen, ["1", "103", "104", "2", "3", "4", "5", "6", "7"]);
}
