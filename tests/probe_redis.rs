//! The probe against a real Redis server.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::process::Command;

use fcfs_bench::plan::{Query, Secret, Source};
use fcfs_bench::probe::{Probe, Reason};
use rustix::process::Signal;
use support::{Service, free_port, open, program, shown, source};

fn start() -> Service {
    let port = free_port();
    let directory = tempfile::tempdir().unwrap();
    Service::start(directory, port, Signal::KILL, move |directory| {
        let mut command = Command::new(program("redis-server"));
        let port = port.to_string();
        let arguments = [
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--port",
            &port,
            "--dir",
        ];
        command.args(arguments).arg(directory);
        command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        command.args(["--requirepass", "secret"]);
        command
    })
}

fn url(service: &Service) -> String {
    format!("redis://:secret@127.0.0.1:{}/3", service.port)
}

fn ask(url: &str, command: &str) -> Source {
    source(Query::Redis {
        url: Secret::new(url),
        command: command.split(' ').map(str::to_owned).collect(),
    })
}

async fn write(service: &Service, commands: &[&str]) {
    let client = redis::Client::open(url(service)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for command in commands {
        let mut words = command.split(' ');
        let mut asked = redis::cmd(words.next().unwrap());
        for word in words {
            asked.arg(word);
        }
        let () = asked.query_async(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn every_collection_gives_its_rows() {
    let service = start();
    let writes = [
        "SADD set u1",
        "RPUSH list u1 u2",
        "HSET hash u1 c1",
        "ZADD sorted 1700000000123 u1",
        "ZADD sorted 7 u0",
    ];
    write(&service, &writes).await;
    let time = Some(1_700_000_000_123_000);
    let cases: [(&str, &[_]); 7] = [
        ("SMEMBERS set", &[("u1", None, None, None)]),
        (
            "LRANGE list 0 -1",
            &[("u1", None, None, None), ("u2", None, None, None)],
        ),
        ("HGETALL hash", &[("u1", Some("c1"), None, None)]),
        ("HKEYS hash", &[("u1", None, None, None)]),
        (
            "ZRANGE sorted 0 -1",
            &[("u0", None, None, None), ("u1", None, None, None)],
        ),
        (
            "ZRANGE sorted 0 -1 WITHSCORES",
            &[("u0", None, None, None), ("u1", None, time, Some(1_000))],
        ),
        ("SMEMBERS missing", &[]),
    ];
    for protocol in ["", "?protocol=resp3"] {
        for (command, expected) in cases {
            let probe = open(&ask(&format!("{}{protocol}", url(&service)), command)).await;
            assert_eq!(shown(&probe.rows().await.unwrap()), expected, "{command}");
            let count = probe.count().await.unwrap();
            assert_eq!(count, expected.len() as u64, "{command}");
        }
    }
}

#[tokio::test]
async fn numbers_are_read_with_their_offset() {
    let service = start();
    write(
        &service,
        &["SET stock 41", "SADD set sentinel u1", "SET word many"],
    )
    .await;
    for (command, expected) in [("GET stock", 40), ("SCARD set", 1), ("EXISTS stock", 0)] {
        let mut source = ask(&url(&service), command);
        source.offset = -1;
        assert_eq!(
            open(&source).await.number().await.unwrap(),
            expected,
            "{command}"
        );
    }
    let mut members = ask(&url(&service), "SMEMBERS set");
    members.offset = -1;
    assert_eq!(open(&members).await.count().await.unwrap(), 1);

    let cases = [
        ("GET missing", "the key is missing"),
        ("GET word", "\"many\" is not a whole number"),
        (
            "SMEMBERS set",
            "answered with a collection instead of a number",
        ),
        ("GET set", "WRONGTYPE"),
    ];
    for (command, expected) in cases {
        let error = open(&ask(&url(&service), command))
            .await
            .number()
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_restart_is_survived() {
    let mut service = start();
    write(&service, &["SET stock 5"]).await;
    let probe = open(&ask(&url(&service), "GET stock")).await;
    assert_eq!(probe.number().await.unwrap(), 5);
    service.stop();
    assert_eq!(probe.number().await.unwrap_err().reason(), Reason::Lost);
    service.start_again();
    assert_eq!(probe.number().await.unwrap(), 5);
    // Also when nobody asked while it was away, so that the old connection is still kept.
    service.stop();
    service.start_again();
    assert_eq!(probe.number().await.unwrap(), 5);
    probe.close().await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_without_showing_the_password() {
    let service = start();
    let wrong = format!("redis://:wrongsecret@127.0.0.1:{}", service.port);
    let cases = [
        (url(&service), "DEL stock", "is not a known read command"),
        (wrong, "GET stock", "authentication failed"),
        (
            "rediss://:secret@127.0.0.1:1".to_owned(),
            "GET stock",
            "TLS",
        ),
        (
            "redis://:secret@127.0.0.1:x".to_owned(),
            "GET stock",
            "no well-formed",
        ),
        (
            "redis://:secret@127.0.0.1:1".to_owned(),
            "GET stock",
            "refused",
        ),
    ];
    for (url, command, expected) in cases {
        let error = Probe::open(&ask(&url, command), None).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
