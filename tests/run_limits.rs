//! Limits of CPU time and memory of a whole run: each bites and is taken off again, one that nobody
//! reaches is told, and nothing stays stopped or limited, however the run ends.

#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/own.rs"]
mod own;

use std::io::Write as _;
use std::net::TcpStream;

use harness::scenario::Scenario;
use harness::{Bench, Ended, Running, wait_until};
use own::{Own, all_whole, leases};
use rustix::process::Signal;

/// Users who ask as fast as they are answered, for a few seconds.
fn busy(strategy: &'static str) -> Scenario {
    Scenario::long()
        .strategy(strategy)
        .think("0ms")
        .load("constant_vus: { vus: 8, for: 8s }")
        .truth("drain: false")
        .thresholds("http_reqs: [\"count>0\"]")
}

/// A run with local services, whose leases are in the directory of the test.
fn start(bench: &Bench) -> Running {
    let (state, out) = (bench.path("state"), bench.path("run"));
    let out = out.display().to_string();
    let args = ["run", "scenario.yaml", "--out", &out, "--provider", "local"];
    bench.start_with(&args, |command| {
        command.env("XDG_STATE_HOME", state);
    })
}

/// What the one fault of a run came to, in words.
fn effect(bench: &Bench) -> String {
    let fault = bench.summary()["faults"][0].clone();
    let words = fault["effect"].as_str().or(fault["why"].as_str());
    words.unwrap_or_else(|| panic!("{fault}")).to_owned()
}

/// The fault was injected, seen to bite and healed, and nothing is left.
#[track_caller]
fn bit_and_is_healed(row: &str, bench: &Bench, ended: &Ended) -> String {
    // Whether the system survives it is another question.
    let judged = matches!(ended.code, Some(0 | 111 | 112));
    assert!(judged, "{row}: {}", ended.all());
    bench.expect_whole(row);
    bench.wait_until_empty();
    assert_eq!(leases(bench), 0, "{row}");
    effect(bench)
}

#[test]
fn a_process_gets_its_share_of_a_core_and_then_all_that_it_wants() {
    let table = [
        (
            "sqlite-atomic",
            "server: { cpu_limit: 3% }, after: 1s, for: 3s",
            "server used",
        ),
        (
            "redis-lua",
            "redis: { cpu_limit: { share: 1% } }, after: 1s, for: 3s",
            "redis-1 used",
        ),
        (
            "db-conditional",
            "database: { cpu_limit: 3% }, after: 1s, for: 3s",
            "mysql used",
        ),
    ];
    for (strategy, fault, who) in table {
        let bench = Bench::with_fault(&busy(strategy), fault);
        let ended = start(&bench).wait();
        let words = bit_and_is_healed(strategy, &bench, &ended);
        assert!(words.starts_with(who), "{words}");
        assert!(words.contains("was stopped in"), "{words}");
    }
}

#[test]
fn a_process_stands_at_the_limit_of_its_memory_and_answers_again_without_it() {
    let fault = "database: { memory_limit: 32MB }, after: 1s, for: 2s";
    let bench = Bench::with_fault(&busy("db-conditional"), fault);
    let ended = start(&bench).wait();
    let words = bit_and_is_healed("database", &bench, &ended);
    assert!(words.starts_with("mysql "), "{words}");
}

#[test]
fn who_dies_for_want_of_memory_is_started_again() {
    let fault = "redis: { memory_limit: { to: 8MB } }, after: 1s, for: 4s";
    let bench = Bench::with_fault(&busy("redis-lua"), fault);
    let mut running = start(&bench);
    running.wait_until_it_says("fault it: applied");
    let configuration = bench.read("run/stack/redis-1/redis.conf");
    let mut lines = configuration.lines();
    let port = lines.find_map(|line| line.strip_prefix("port "));
    let port: u16 = port.and_then(|port| port.parse().ok()).expect("a port");
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("Redis");
    let big = vec![b'x'; 64 << 20];
    let head = format!("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n${}\r\n", big.len());
    client.write_all(head.as_bytes()).expect("Redis reads");
    // It has no place for that, and is gone before all of it is written.
    let _ = client.write_all(&big);
    let ended = running.wait();
    bit_and_is_healed("redis", &bench, &ended);
    let log = bench.read("run/stack/redis-1/log");
    assert!(log.contains("Out Of Memory"), "{log}");
    let starts = log.matches("Ready to accept connections").count();
    assert_eq!(starts, 2, "{log}");
}

#[test]
fn a_limit_that_nobody_reaches_proves_nothing() {
    let table = [
        (
            "server: { cpu_limit: 100% }, after: 1s, for: 1s",
            "was never stopped: it does not reach 100.0%",
        ),
        (
            "server: { memory_limit: 100GB }, after: 1s, for: 1s",
            "of private memory at most, of 100000.0 MB that it may have",
        ),
    ];
    for (fault, words) in table {
        let idle = busy("sqlite-atomic").think("200ms");
        let bench = Bench::with_fault(&idle, fault);
        let ended = start(&bench).wait().expect(112);
        assert!(effect(&bench).contains(words), "{}", effect(&bench));
        ended.says(words);
        assert_eq!(leases(&bench), 0, "{fault}");
    }
}

#[test]
fn nothing_stays_stopped_when_the_harness_is_killed_or_interrupted() {
    let fault = "server: { cpu_limit: 3% }, after: 500ms, for: 1h";
    let scenario = busy("sqlite-atomic").load("constant_vus: { vus: 8, for: 1h }");
    for signal in [Signal::KILL, Signal::INT] {
        let bench = Bench::with_fault(&scenario, fault);
        let mut running = start(&bench);
        running.wait_until_it_says("fault it: bites");
        assert_eq!(leases(&bench), 1);
        running.signal(signal);
        let ended = running.wait();
        if signal == Signal::INT {
            let ended = ended.expect(105);
            assert!(ended.stderr.contains("fault it: healed"), "{}", ended.all());
        }
        bench.wait_until_empty();
        wait_until("nothing is left to be undone", || leases(&bench) == 0);
    }
}

#[test]
fn a_process_of_a_system_that_already_runs_is_limited_and_given_back() {
    let bench = Bench::new();
    let own = Own::start(&bench);
    let parts = "parts: { server: { pid_file: app.pid } }";
    let fault = "name: it, server: { cpu_limit: 1% }, after: 1s, for: 2s";
    own.scenario(&bench, parts, "8s", &[fault]);
    let ended = own::start(&bench).wait();
    assert!(matches!(ended.code, Some(0 | 112)), "{}", ended.all());
    all_whole(&bench, &ended.all());
    assert_eq!(leases(&bench), 0);
    goes_on(&own);

    let fault = "name: it, server: { cpu_limit: 1% }, after: 500ms, for: 5m";
    own.scenario(&bench, parts, "10m", &[fault]);
    std::fs::remove_dir_all(bench.path("run")).expect("the run before");
    let mut running = own::start(&bench);
    running.wait_until_it_says("fault it: bites");
    running.signal(Signal::KILL);
    running.wait();
    wait_until("nothing is left to be undone", || leases(&bench) == 0);
    goes_on(&own);
}

/// Also a little later: whoever has stopped it again and again does so no more.
#[track_caller]
fn goes_on(own: &Own) {
    wait_until("it goes on", || own.state() != "T");
    for _ in 0..30 {
        assert_ne!(own.state(), "T");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
