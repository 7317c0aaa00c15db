//! The probe against a real PostgreSQL server.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use fcfs_bench::plan::Secret;
use fcfs_bench::probe::{Probe, Reason, read_table};
use rustix::process::{Signal, geteuid};
use sqlx::{Connection, Executor, PgConnection};
use support::{Rows, Service, free_port, open, paged, program, run, shown, sql};

fn start() -> Service {
    let directory = tempfile::tempdir().unwrap();
    let port = free_port();
    std::fs::write(directory.path().join("password"), "secret").unwrap();
    give_away(directory.path());
    give_away(&directory.path().join("password"));
    let mut install = unprivileged("initdb");
    install.args([
        "--username=bench",
        "--auth=scram-sha-256",
        "--no-sync",
        "--encoding=UTF8",
    ]);
    install
        .arg("--pwfile")
        .arg(directory.path().join("password"));
    install.arg("--pgdata").arg(directory.path().join("data"));
    run(&mut install);
    // SIGQUIT is the immediate shutdown, which ends the server's children, too.
    Service::start(directory, port, Signal::QUIT, move |directory| {
        let mut command = unprivileged("postgres");
        command
            .arg("-D")
            .arg(directory.join("data"))
            .arg("-k")
            .arg(directory);
        command.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        command
    })
}

/// PostgreSQL refuses to run as root, so root starts it as the user that its package made.
fn unprivileged(name: &str) -> Command {
    if !geteuid().is_root() {
        return Command::new(program(name));
    }
    let mut command = Command::new(program("setpriv"));
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    command.arg(program(name)).current_dir("/");
    command
}

fn give_away(path: &Path) {
    if geteuid().is_root() {
        let output = Command::new("id")
            .args(["-u", "postgres"])
            .output()
            .unwrap();
        let id = String::from_utf8(output.stdout).unwrap();
        let id = id
            .trim()
            .parse()
            .expect("a user postgres; run: scripts/services");
        chown(path, Some(id), None).unwrap();
    }
}

fn url(service: &Service) -> String {
    format!(
        "postgres://bench:secret@127.0.0.1:{}/postgres",
        service.port
    )
}

async fn connect(service: &Service) -> PgConnection {
    let mut tries = 0;
    loop {
        // It listens before it is ready.
        match PgConnection::connect(&url(service)).await {
            Ok(connection) => return connection,
            Err(error) => assert!(tries < 100, "{error}"),
        }
        tries += 1;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn write(service: &Service, statements: &'static str) {
    let mut connection = connect(service).await;
    connection.execute(sqlx::raw_sql(statements)).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn every_column_type_becomes_text() {
    let service = start();
    write(
        &service,
        "CREATE TYPE mood AS ENUM ('good', 'bad');
         CREATE TABLE issued (i BIGINT, s SMALLINT, v VARCHAR(20), c CHAR(5), t TEXT, y BYTEA, id UUID,
             d NUMERIC(20,2), f FLOAT8, ok BOOLEAN, j JSONB, e mood, naive TIMESTAMP, at TIMESTAMPTZ,
             seconds TIMESTAMPTZ(0), day DATE, ms BIGINT);
         INSERT INTO issued VALUES (-9223372036854775808, 7, '한', 'ab', 'text', '\\x00ab',
             '00112233-4455-6677-8899-AABBCCDDEEFF', 120.50, 0.5, true, '[1]', 'good',
             '2023-11-14 22:13:20', '2023-11-15 07:13:20.123456+09', '2023-11-14 22:13:20Z',
             '2023-11-14', 1700000000123);
         ALTER DATABASE postgres SET timezone = 'Asia/Kathmandu';
         ALTER DATABASE postgres SET datestyle = 'German'",
    )
    .await;
    let second = 1_700_000_000_000_000;
    let cases = [
        ("i", "-9223372036854775808", None, None),
        ("s", "7", None, None),
        ("v", "한", None, None),
        ("c", "ab", None, None),
        ("t", "text", None, None),
        ("y", "00ab", None, None),
        ("id", "00112233-4455-6677-8899-aabbccddeeff", None, None),
        ("d", "120.50", None, None),
        ("f", "0.5", None, None),
        ("ok", "t", None, None),
        ("j", "[1]", None, None),
        ("e", "good", None, None),
        ("naive", "2023-11-14 22:13:20", None, None),
        (
            "at",
            "2023-11-14 22:13:20.123456+00",
            Some(second + 123_456),
            Some(1),
        ),
        (
            "seconds",
            "2023-11-14 22:13:20+00",
            Some(second),
            Some(1_000_000),
        ),
        ("day", "2023-11-14", None, None),
        ("ms", "1700000000123", Some(second + 123_000), Some(1_000)),
        (
            "EXTRACT(EPOCH FROM at)",
            "1700000000.123456",
            Some(second + 123_456),
            Some(1),
        ),
        ("COUNT(*)", "1", None, None),
    ];
    for (column, text, at, grain) in cases {
        let query = format!("SELECT {column}, {column}, {column} FROM issued");
        let rows = open(&sql(&url(&service), &query))
            .await
            .rows()
            .await
            .unwrap();
        assert_eq!(shown(&rows), [(text, Some(text), at, grain)], "{column}");
    }
    let nulls = "SELECT 1, NULL, NULL UNION ALL SELECT NULL, 1, NULL";
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
        "CREATE TABLE issued (u INT); INSERT INTO issued VALUES (1), (2), (3)",
    )
    .await;
    let cases = [
        ("SELECT u FROM issued", 3),
        ("SELECT u FROM issued ORDER BY u; -- all", 3),
        ("SELECT u, u FROM issued LIMIT 2", 2),
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
        "CREATE TABLE issued (u INT);
         CREATE FUNCTION sell() RETURNS INT LANGUAGE SQL AS 'INSERT INTO issued VALUES (1) RETURNING u'",
    )
    .await;
    for statement in ["SELECT sell()", "DELETE FROM issued"] {
        let probe = open(&sql(&url(&service), statement)).await;
        let error = probe.number().await.unwrap_err();
        assert!(
            error.to_string().contains("read-only transaction"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_restart_is_survived() {
    let mut service = start();
    write(
        &service,
        "CREATE TABLE issued (u INT); INSERT INTO issued VALUES (7)",
    )
    .await;
    let probe = open(&sql(&url(&service), "SELECT u FROM issued")).await;
    assert_eq!(probe.number().await.unwrap(), 7);
    service.stop();
    assert_eq!(probe.count().await.unwrap_err().reason(), Reason::Lost);
    service.start_again();
    drop(connect(&service).await);
    assert_eq!(probe.rows().await.unwrap()[0].user, "7");
    // Also when nobody asked while it was away, so that the old connection is still kept.
    service.stop();
    service.start_again();
    drop(connect(&service).await);
    assert_eq!(probe.count().await.unwrap(), 1);
    probe.close().await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_without_showing_the_password() {
    let service = start();
    drop(connect(&service).await);
    let wrong = format!(
        "postgres://bench:wrongsecret@127.0.0.1:{}/postgres",
        service.port
    );
    let tls = format!("{}?sslmode=require", url(&service));
    let cases = [(wrong, "password authentication failed"), (tls, "TLS")];
    for (url, expected) in cases {
        let error = Probe::open(&sql(&url, "SELECT 1"), None).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let probe = open(&sql(&url(&service), "SELECT x FROM missing")).await;
    let error = probe.count().await.unwrap_err();
    assert!(
        error.to_string().contains("\"missing\" does not exist"),
        "{error}"
    );
}

#[tokio::test]
async fn whole_rows_come_with_the_names_of_their_columns() {
    let service = start();
    write(
        &service,
        "CREATE TABLE members (id BIGINT, token TEXT, joined TIMESTAMP); INSERT INTO members VALUES (7, 'é', '2026-01-02 03:04:05'), (8, NULL, NULL);",
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
    write(&service, include_str!("support/keys.postgres.sql")).await;
    let keys = [
        "n", "big", "word", "pad", "price", "ratio", "at", "bytes", "id", "yes", "same",
    ];
    for key in keys {
        for rows in [1, 3, 4, 100] {
            let query = format!("SELECT n, n AS id, NULL AS at, {key} AS k FROM issued");
            let probe = open(&paged(&url(&service), &query, "k", rows)).await;
            let read = probe.rows().await;
            let read = read.unwrap_or_else(|error| panic!("{key}: {error}"));
            let mut users: Vec<u32> = read.iter().map(|row| row.user.parse().unwrap()).collect();
            users.sort_unstable();
            assert_eq!(users, (1..=6).collect::<Vec<u32>>(), "{key}, {rows}");
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
