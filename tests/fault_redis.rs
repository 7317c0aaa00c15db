//! What a nemesis of Redis does to a real server, and what is left of it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use fcfs_bench::fault::lease::Undo;
use fcfs_bench::fault::nemesis::{Nemesis, Trouble};
use fcfs_bench::fault::redis::{
    ClientsExhausted, Evict, Failover, KillClients, OutOfMemory, Stall,
};
use fcfs_bench::plan::Secret;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};
use rustix::process::Signal;
use support::nemesis::{LONG, Load, is_not_seen, seen, undo_from_the_lease};
use support::{Service, free_port, program};
use tokio::time::{sleep, timeout};

fn start() -> Service {
    start_with(&[])
}

fn start_with(more: &[&str]) -> Service {
    let port = free_port();
    let directory = tempfile::tempdir().unwrap();
    let more: Vec<String> = more.iter().map(|&word| word.to_owned()).collect();
    Service::start(directory, port, Signal::KILL, move |directory| {
        let mut command = Command::new(program("redis-server"));
        command.args(["--bind", "127.0.0.1", "--save", "", "--port"]);
        command.arg(port.to_string()).arg("--dir").arg(directory);
        command.args(["--requirepass", "secret", "--masterauth", "secret"]);
        command.args(&more);
        command
    })
}

fn url(service: &Service) -> Secret {
    Secret::new(format!("redis://:secret@127.0.0.1:{}", service.port))
}

async fn connect(url: &Secret) -> Result<MultiplexedConnection, RedisError> {
    let limit = Some(Duration::from_millis(300));
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(limit)
        .set_response_timeout(limit);
    let client = Client::open(url.reveal())?;
    let connecting = client.get_multiplexed_async_connection_with_config(&config);
    match timeout(Duration::from_secs(1), connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}

async fn ask(url: &Secret, words: &str) -> redis::Value {
    let mut command = redis::Cmd::new();
    command.arg(words.split(' ').collect::<Vec<_>>());
    let mut connection = connect(url).await.unwrap();
    command.query_async(&mut connection).await.unwrap()
}

/// All of them, with their values.
async fn settings(url: &Secret) -> BTreeMap<String, String> {
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg("*");
    let mut connection = connect(url).await.unwrap();
    command.query_async(&mut connection).await.unwrap()
}

#[derive(Clone, Copy, PartialEq)]
enum Connections {
    /// One, until it fails.
    Kept,
    /// One for each write.
    New,
}

fn load(url: &Secret, connections: Connections) -> Load {
    let url = url.clone();
    Load::of(move |counts| async move {
        let mut kept = None;
        loop {
            let written = write(&url, &mut kept).await;
            if written.is_err() || connections == Connections::New {
                kept = None;
            }
            counts.count(written.is_ok());
            sleep(Duration::from_millis(5)).await;
        }
    })
}

async fn write(url: &Secret, kept: &mut Option<MultiplexedConnection>) -> Result<(), RedisError> {
    let connection = match kept {
        Some(connection) => connection,
        None => kept.insert(connect(url).await?),
    };
    redis::cmd("SET")
        .arg("load")
        .arg(1)
        .query_async(connection)
        .await
}

/// From whole to whole, with a load that suffers between; gives what was seen.
async fn bites_and_is_healed(
    nemesis: &mut dyn Nemesis,
    url: &Secret,
    connections: Connections,
) -> String {
    let before = settings(url).await;
    let load = load(url, connections);
    load.fares_well().await;
    nemesis.undo().await.unwrap();
    // The known-bad case: an injector that does nothing.
    is_not_seen(nemesis).await;
    nemesis.inject().await.unwrap();
    let words = seen(nemesis).await;
    load.suffers().await;
    nemesis.heal().await.unwrap();
    load.fares_well().await;
    nemesis.heal().await.unwrap();
    load.fares_well().await;
    assert_eq!(settings(url).await, before);
    assert_eq!(
        ask(url, "EXISTS fcfs-bench:probe:f").await,
        redis::Value::Int(0)
    );
    words
}

#[tokio::test]
async fn a_stall_keeps_everybody_waiting_until_its_own_end() {
    let service = start();
    let url = url(&service);
    let mut stall = Stall::new(&url, "f", Duration::from_secs(3), false);
    assert_eq!(stall.undo().await.unwrap(), []);
    let words = bites_and_is_healed(&mut stall, &url, Connections::Kept).await;
    assert_eq!(words, "PING was not answered within 500 ms");
    is_not_seen(&mut stall).await;
}

#[tokio::test]
async fn a_stall_of_writes_answers_reads_and_is_cut_short() {
    let service = start();
    let url = url(&service);
    // Without the heal it would outlast the test's limits.
    let mut stall = Stall::new(&url, "f", 10 * LONG, true);
    let words = bites_and_is_healed(&mut stall, &url, Connections::Kept).await;
    assert_eq!(words, "SET was not answered within 500 ms");

    let undo = stall.undo().await.unwrap();
    stall.inject().await.unwrap();
    seen(&mut stall).await;
    ask(&url, "GET load").await;
    drop(stall);
    undo_from_the_lease(&undo).await;
    load(&url, Connections::Kept).fares_well().await;
}

#[tokio::test]
async fn out_of_memory_refuses_writes_and_answers_reads() {
    let service = start_with(&["--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"]);
    let url = url(&service);
    let mut nemesis = OutOfMemory::new(&url, "f");
    let words = bites_and_is_healed(&mut nemesis, &url, Connections::Kept).await;
    assert!(words.starts_with("SET was refused: OOM"), "{words}");
    is_not_seen(&mut nemesis).await;

    let before = settings(&url).await;
    let undo = nemesis.undo().await.unwrap();
    nemesis.inject().await.unwrap();
    ask(&url, "GET load").await;
    drop(nemesis);
    assert_ne!(settings(&url).await, before);
    undo_from_the_lease(&undo).await;
    assert_eq!(settings(&url).await, before);
}

#[tokio::test]
async fn eviction_takes_the_keys_and_leaves_the_settings() {
    let service = start();
    let url = url(&service);
    for key in 0..200 {
        ask(&url, &format!("SET guard:{key} 1")).await;
    }
    let before = settings(&url).await;
    let load = load(&url, Connections::Kept);
    load.fares_well().await;
    let mut nemesis = Evict::new(&url, "f");
    nemesis.undo().await.unwrap();
    is_not_seen(&mut nemesis).await;
    nemesis.inject().await.unwrap();
    let words = seen(&mut nemesis).await;
    assert!(words.starts_with("evicted_keys rose by "), "{words}");
    // Already before it is healed: another ceiling would be another fault.
    assert_eq!(settings(&url).await, before);
    load.fares_well().await;
    for _ in 0..2 {
        nemesis.heal().await.unwrap();
        assert_eq!(settings(&url).await, before);
    }
    let redis::Value::Int(left) = ask(&url, "DBSIZE").await else {
        panic!("DBSIZE is a number");
    };
    // What the load wrote since.
    assert!(left <= 1, "{left} keys are left");
}

#[tokio::test]
async fn an_empty_redis_has_nothing_to_evict() {
    let service = start();
    let url = url(&service);
    let mut nemesis = Evict::new(&url, "f");
    nemesis.undo().await.unwrap();
    nemesis.inject().await.unwrap();
    is_not_seen(&mut nemesis).await;
    nemesis.heal().await.unwrap();
}

#[tokio::test]
async fn clients_are_killed_again_and_again() {
    let service = start();
    let url = url(&service);
    let mut nemesis = KillClients::new(&url, "f", Duration::from_millis(50));
    let words = bites_and_is_healed(&mut nemesis, &url, Connections::Kept).await;
    assert!(words.contains("not in the list of clients"), "{words}");

    assert_eq!(nemesis.undo().await.unwrap(), []);
    nemesis.inject().await.unwrap();
    let load = load(&url, Connections::Kept);
    // More than the first kill.
    load.suffers().await;
    load.suffers().await;
    // The harness is gone.
    drop(nemesis);
    load.fares_well().await;
}

#[tokio::test]
async fn all_connections_are_taken_by_holding_them() {
    let service = start_with(&["--maxclients", "300"]);
    let url = url(&service);
    let mut nemesis = ClientsExhausted::new(&url, "f");
    assert_eq!(nemesis.undo().await.unwrap(), []);
    let words = bites_and_is_healed(&mut nemesis, &url, Connections::New).await;
    assert!(words.contains("max number of clients reached"), "{words}");
    is_not_seen(&mut nemesis).await;
}

#[tokio::test]
async fn connections_that_were_open_go_on_while_all_others_are_taken() {
    let service = start_with(&["--maxclients", "300"]);
    let url = url(&service);
    let load = load(&url, Connections::Kept);
    load.fares_well().await;
    let mut nemesis = ClientsExhausted::new(&url, "f");
    nemesis.undo().await.unwrap();
    nemesis.inject().await.unwrap();
    seen(&mut nemesis).await;
    load.fares_well().await;
    assert_eq!(load.failed(), 0);
    nemesis.heal().await.unwrap();
}

#[tokio::test]
async fn with_a_high_ceiling_it_is_lowered_and_given_back() {
    let service = start_with(&["--maxclients", "9000"]);
    let url = url(&service);
    let mut nemesis = ClientsExhausted::new(&url, "f");
    let words = bites_and_is_healed(&mut nemesis, &url, Connections::New).await;
    assert!(words.contains("max number of clients reached"), "{words}");

    let before = settings(&url).await;
    let undo = nemesis.undo().await.unwrap();
    assert!(
        matches!(&undo[..], [Undo::RedisSettings { .. }]),
        "{undo:?}"
    );
    nemesis.inject().await.unwrap();
    seen(&mut nemesis).await;
    // The janitor begins while the dead harness's connections are still closing.
    drop(nemesis);
    undo_from_the_lease(&undo).await;
    assert_eq!(settings(&url).await, before);
}

/// A primary and a replica that follows it.
async fn pair() -> (Service, Service) {
    let primary = start();
    let port = primary.port.to_string();
    let replica = start_with(&["--replicaof", "127.0.0.1", &port]);
    let link = url(&primary);
    // The primary's word: the replica says that it follows a moment earlier.
    let follows = async {
        loop {
            let info = ask(&link, "INFO replication").await;
            if format!("{info:?}").contains("state=online") {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, follows).await.expect("the replica follows");
    (primary, replica)
}

async fn role(url: &Secret) -> String {
    let info = format!("{:?}", ask(url, "INFO replication").await);
    if info.contains("role:master") {
        "primary"
    } else {
        "replica"
    }
    .to_owned()
}

#[tokio::test]
async fn a_failover_refuses_writes_at_the_old_address_and_is_turned_back() {
    let (primary, replica) = pair().await;
    let (above, below) = (url(&primary), url(&replica));
    let mut nemesis = Failover::new(&above, &below, "f");
    let words = bites_and_is_healed(&mut nemesis, &above, Connections::Kept).await;
    assert!(words.contains("READONLY"), "{words}");
    is_not_seen(&mut nemesis).await;
    assert_eq!(
        (role(&above).await, role(&below).await),
        ("primary".into(), "replica".into())
    );

    let undo = nemesis.undo().await.unwrap();
    nemesis.inject().await.unwrap();
    seen(&mut nemesis).await;
    assert_eq!(
        (role(&above).await, role(&below).await),
        ("replica".into(), "primary".into())
    );
    // What is written to the new primary is there after it has stepped back.
    ask(&below, "SET meanwhile 1").await;
    nemesis.heal().await.unwrap();
    assert_eq!(ask(&above, "EXISTS meanwhile").await, redis::Value::Int(1));

    nemesis.inject().await.unwrap();
    drop(nemesis);
    undo_from_the_lease(&undo).await;
    assert_eq!(
        (role(&above).await, role(&below).await),
        ("primary".into(), "replica".into())
    );
}

#[tokio::test]
async fn two_that_are_no_pair_are_refused_before_anything_is_done() {
    let (one, other) = (start(), start());
    let mut nemesis = Failover::new(&url(&one), &url(&other), "f");
    let trouble = nemesis.undo().await.unwrap_err().to_string();
    assert!(trouble.contains("is no replica"), "{trouble}");
    assert!(!trouble.contains("secret"), "{trouble}");
    assert!(nemesis.inject().await.is_err());
    nemesis.heal().await.unwrap();
}

#[tokio::test]
async fn no_trouble_tells_the_password() {
    let mut service = start();
    let wrong = Secret::new(format!("redis://:wrongsecret@127.0.0.1:{}", service.port));
    let right = url(&service);
    let all = |url: &Secret| -> [Box<dyn Nemesis>; 5] {
        [
            Box::new(Stall::new(url, "f", Duration::from_secs(1), false)),
            Box::new(OutOfMemory::new(url, "f")),
            Box::new(Evict::new(url, "f")),
            Box::new(KillClients::new(url, "f", Duration::from_secs(1))),
            Box::new(ClientsExhausted::new(url, "f")),
        ]
    };
    let check = |trouble: Trouble| {
        let words = trouble.to_string();
        assert!(words.starts_with("redis://127.0.0.1:"), "{words}");
        assert!(!words.contains("secret"), "{words}");
    };
    for nemesis in &mut all(&wrong) {
        check(nemesis.inject().await.unwrap_err());
    }
    service.stop();
    for nemesis in &mut all(&right) {
        check(nemesis.inject().await.unwrap_err());
        is_not_seen(nemesis.as_mut()).await;
    }
}
