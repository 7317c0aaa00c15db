//! Faults of a system that the run has not started: its processes and its services, named by the
//! scenario, bite and are given back, whatever becomes of the harness.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "not every database is asked here")]
#[path = "support/databases.rs"]
mod databases;
#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/own.rs"]
mod own;
mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::{Bench, wait_until};
use own::{Daemon, Own, all_whole, leases};
use rustix::process::Signal;
use sqlx::{Connection as _, Executor as _, MySqlConnection};

#[test]
fn a_process_is_frozen_by_its_file_and_goes_on() {
    let bench = Bench::new();
    let own = Own::start(&bench);
    let parts = format!(
        "parts: {{ server: [ {{ pid_file: app.pid }} ], coupon: {{ pid: {}, url: \"{}/health\" }} }}",
        own.pid(),
        own.url()
    );
    let faults = [
        "name: looked-at, server: freeze, which: 1, after: 2s, for: 2s",
        "name: asked, coupon: freeze, at: looked-at + 1s, for: 1s",
    ];
    own.scenario(&bench, &parts, "10s", &faults);
    let ended = own::start(&bench).wait();
    // What hung in the freeze may have been issued and never answered: rows and no acknowledgement.
    assert!(matches!(ended.code, Some(0 | 112)), "{}", ended.all());
    all_whole(&bench, &ended.all());
    let summary = bench.summary();
    let unknown = summary["outcomes"]["unknown"].as_u64();
    assert!(unknown > Some(0), "{summary}");
    assert_ne!(own.state(), "T");
    assert_eq!(leases(&bench), 0);
}

#[test]
fn a_process_goes_on_when_the_harness_is_killed_during_its_freeze() {
    let bench = Bench::new();
    let own = Own::start(&bench);
    let fault = "name: it, server: freeze, after: 500ms, for: 5m";
    let parts = "parts: { server: { pid_file: app.pid } }";
    own.scenario(&bench, parts, "10m", &[fault]);
    let mut running = own::start(&bench);
    running.wait_until_it_says("fault it: bites");
    assert_eq!((own.state().as_str(), leases(&bench)), ("T", 1));
    running.signal(Signal::KILL);
    running.wait();
    wait_until("it goes on", || own.state() != "T");
    wait_until("nothing is left to be undone", || leases(&bench) == 0);
}

/// With a password in it, which nobody is told.
const STARTS: &str =
    "parts: { server: { pid_file: app.pid, start: \"SECRET=p4ssw0rd sh start\" } }";

#[test]
fn a_process_is_killed_and_restarted_by_the_command_that_starts_it() {
    let bench = Bench::new();
    let own = Daemon::start(&bench, support::free_port());
    let first = own.pid();
    let faults = [
        "name: gone, server: kill, after: 1s, for: 1s",
        "name: deployed, server: restart, at: gone + 3s",
        "name: starved, server: { memory_limit: 16MB }, at: deployed + 3s, for: 1s",
    ];
    own.scenario(&bench, STARTS, "12s", &faults);
    let ended = own::start(&bench).wait();
    assert!(matches!(ended.code, Some(0 | 112)), "{}", ended.all());
    all_whole(&bench, &ended.all());
    assert!(own.runs() && own.pid() != first);
    assert_eq!(leases(&bench), 0);
    for text in [ended.all(), bench.read("run/report.md")] {
        assert!(!text.contains("p4ssw0rd"), "{text}");
    }
}

#[test]
fn a_process_that_is_down_when_the_harness_is_killed_is_started_again() {
    let bench = Bench::new();
    let own = Daemon::start(&bench, support::free_port());
    let fault = "name: it, server: kill, after: 500ms, for: 5m";
    own.scenario(&bench, STARTS, "10m", &[fault]);
    let mut running = own::start(&bench);
    running.wait_until_it_says("fault it: bites");
    assert!(!own.runs());
    running.signal(Signal::KILL);
    running.wait();
    wait_until("it runs", || own.runs());
    wait_until("nothing is left to be undone", || leases(&bench) == 0);
}

#[test]
fn a_process_whose_command_fails_is_the_first_line_of_the_report() {
    let bench = Bench::new();
    let own = Daemon::start(&bench, support::free_port());
    let parts = "parts: { server: { pid_file: app.pid, start: \"exit 3\" } }";
    let fault = "name: it, server: stop, after: 500ms, for: 500ms";
    own.scenario(&bench, parts, "3s", &[fault]);
    let ended = own::start(&bench).wait();
    assert!(matches!(ended.code, Some(111 | 114)), "{}", ended.all());
    let report = bench.read("run/report.md");
    let first = report.lines().find(|line| line.starts_with("- ")).unwrap();
    assert!(
        first.contains("`start` ended with exit status: 3"),
        "{report}"
    );
}

/// Somebody who uses a service for as long as this value lives.
struct Client {
    over: Arc<AtomicBool>,
}

impl Client {
    fn of(port: u16) -> Self {
        Self::that(move || {
            let _ = ping(port);
        })
    }

    /// It does it again and again.
    fn that(mut asks: impl FnMut() + Send + 'static) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                asks();
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self { over }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Redis says that it wants a password, which is an answer.
fn ping(port: u16) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"PING\r\n")?;
    stream.read_exact(&mut [0; 5])
}

#[test]
fn a_redis_breaks_itself_where_its_url_is_named_and_a_link_stands_before_it() {
    let bench = Bench::new();
    let (own, redis, port) = (Own::start(&bench), databases::redis(), support::free_port());
    let url = format!("redis://:p4ssw0rd@127.0.0.1:{}", redis.port);
    let parts = format!("parts: {{ redis: {{ url: \"{url}\", via: \"127.0.0.1:{port}\" }} }}");
    let faults = [
        "name: silent, redis: stall, after: 1s, for: 1s",
        "name: full, redis: out_of_memory, at: silent + 500ms, for: 1s",
        "name: slow, redis: { delay: 50ms }, at: full + 500ms, for: 1s",
    ];
    own.scenario(&bench, &parts, "8s", &faults);
    let client = Client::of(port);
    let ended = own::start(&bench).wait().expect(0);
    drop(client);
    all_whole(&bench, &ended.all());
    ping(redis.port).expect("Redis answers as before");
    assert!(ping(port).is_err(), "the link ends with the run");
    for text in [
        ended.all(),
        bench.read("run/report.md"),
        bench.read("run/events.jsonl"),
    ] {
        assert!(!text.contains("p4ssw0rd"), "{text}");
    }
}

#[test]
fn what_is_not_there_or_must_not_be_broken_is_told_before_the_load() {
    let bench = Bench::new();
    let own = Own::start(&bench);
    bench.write("gone.pid", "4194303\n");
    bench.write("first.pid", "1\n");
    let test = std::process::id();
    let table = [
        (
            "pid_file: gone.pid",
            "server-1 cannot be broken: process 4194303 does not run",
        ),
        ("pid_file: none.pid", "none.pid: No such file or directory"),
        ("pid_file: own.log", "does not hold the number of a process"),
        ("pid_file: first.pid", "process 1 holds all others"),
        (&format!("pid: {test}"), "has started this run"),
    ];
    let fault = "name: it, server: freeze, after: 1s, for: 1s";
    for (part, words) in table {
        let parts = format!("parts: {{ server: {{ {part} }} }}");
        own.scenario(&bench, &parts, "5s", &[fault]);
        let ended = bench.run(&["run", "scenario.yaml"]).expect(113);
        assert!(ended.stderr.contains(words), "{part}: {}", ended.all());
        assert!(ended.stderr.contains("hint: "), "{part}: {}", ended.all());
    }
    // A part that no fault can meet is not looked at.
    let parts =
        "parts: { server: { pid_file: none.pid }, redis: { url: \"redis://127.0.0.1:1\" } }";
    let fault = "name: it, client: { delay: 5ms }, after: 1s, for: 1s";
    own.scenario(&bench, parts, "3s", &[fault]);
    bench.run(&["run", "scenario.yaml"]).expect(0);
}

#[test]
fn a_part_that_does_not_answer_before_the_load_is_not_taken_for_a_broken_one() {
    let bench = Bench::new();
    let (own, redis) = (Own::start(&bench), databases::redis());
    let wrong = format!("redis://:wr0ng@127.0.0.1:{}", redis.port);
    let parts = format!("parts: {{ redis: {{ url: \"{wrong}\" }} }}");
    let fault = "name: it, redis: stall, after: 1s, for: 1s";
    own.scenario(&bench, &parts, "5s", &[fault]);
    let ended = bench.run(&["run", "scenario.yaml"]).expect(113);
    let words = "redis-1 cannot be broken: it does not answer within 10 s";
    assert!(ended.stderr.contains(words), "{}", ended.all());
    assert!(!ended.stderr.contains("wr0ng"), "{}", ended.all());
}

/// Statements in one session.
async fn run(url: &str, statements: &[&'static str]) -> Result<(), sqlx::Error> {
    let mut session = MySqlConnection::connect(url).await?;
    for statement in statements {
        session.execute(*statement).await?;
    }
    session.close().await
}

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().expect("a runtime")
}

#[test]
fn a_database_breaks_itself_as_the_one_who_may_and_its_user_suffers() {
    let bench = Bench::new();
    let (own, mariadb, port) = (
        Own::start(&bench),
        databases::mariadb(),
        support::free_port(),
    );
    let url = |user: &str, port: u16| format!("mysql://{user}:p4ssw0rd@127.0.0.1:{port}/shop");
    let (admin, user) = (url("bench", mariadb.port), url("shop", mariadb.port));
    let first = [
        "CREATE TABLE coupon (id INT PRIMARY KEY)",
        "INSERT INTO coupon VALUES (1)",
        "CREATE USER shop@'%' IDENTIFIED BY 'p4ssw0rd'",
        // Who may do anything here may not grant it.
        "INSERT INTO mysql.db (Host, Db, User, Select_priv, Insert_priv, Update_priv, Delete_priv) \
         VALUES ('%', 'shop', 'shop', 'Y', 'Y', 'Y', 'Y')",
        "FLUSH PRIVILEGES",
    ];
    runtime().block_on(run(&admin, &first)).expect("MariaDB");
    let parts = format!(
        "parts: {{ database: {{ url: \"{user}\", admin: \"{admin}\", via: \"127.0.0.1:{port}\" }} }}"
    );
    let faults = [
        "name: held, database: { hot_row: \"SELECT id FROM coupon WHERE id = 1 FOR UPDATE\" }, after: 1s, for: 1s",
        "name: sealed, database: read_only, at: held + 300ms, for: 1s",
        "name: cut, database: kill_sessions, at: sealed + 300ms, for: 1s",
        "name: slow, database: { delay: 20ms }, at: cut + 300ms, for: 1s",
    ];
    own.scenario(&bench, &parts, "10s", &faults);
    // One is always under way, and there is always a session that can be killed.
    let clients = ["SELECT 1", "SELECT SLEEP(60)"].map(|statement| {
        let (through, runtime) = (url("shop", port), runtime());
        Client::that(move || {
            let _ = runtime.block_on(run(&through, &[statement]));
        })
    });
    let ended = own::start(&bench).wait().expect(0);
    drop(clients);
    all_whole(&bench, &ended.all());
    for text in [ended.all(), bench.read("run/report.md")] {
        assert!(!text.contains("p4ssw0rd"), "{text}");
    }
}
