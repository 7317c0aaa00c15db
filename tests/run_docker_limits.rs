//! Limits of containers: each bites, is given back as it was, and one that nobody reaches is told.

#[path = "support/engine.rs"]
mod engine;
#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/own.rs"]
mod own;

use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;

use engine::{containers, docker, inspect, needs_an_engine};
use harness::scenario::Scenario;
use harness::{Bench, Running, wait_until};
use own::{Own, leases};
use rustix::process::Signal;
use serde_json::Value;

/// Users who ask as fast as they are answered, for a few seconds.
fn busy() -> Scenario {
    Scenario::long()
        .strategy("redis-lua")
        .think("0ms")
        .load("constant_vus: { vus: 8, for: 10s }")
        .truth("drain: false")
        .thresholds("http_reqs: [\"count>0\"]")
}

fn start(bench: &Bench) -> Running {
    needs_an_engine();
    bench.start_scenario(&["--provider", "docker"])
}

#[test]
fn a_container_waits_for_its_share_of_a_core() {
    let fault = "redis: { cpu_limit: 1% }, after: 2s, for: 2s";
    let bench = Bench::with_fault(&busy(), fault);
    let running = start(&bench);
    let pid = running.id();
    let ended = running.wait();
    assert!(matches!(ended.code, Some(0 | 111 | 112)), "{}", ended.all());
    bench.expect_whole("redis");
    let summary = bench.summary();
    let words = summary["faults"][0]["effect"].as_str();
    assert!(
        words.is_some_and(|words| words.contains("had to wait in")),
        "{summary}"
    );
    assert_eq!(containers(pid), Vec::<String>::new());
}

#[test]
fn a_container_that_dies_for_want_of_memory_is_started_again() {
    let fault = "redis: { memory_limit: 48MB }, after: 2s, for: 5s";
    let bench = Bench::with_fault(&busy(), fault);
    let mut running = start(&bench);
    running.wait_until_it_says("fault it: applied");
    let ids = containers(running.id());
    let ports = ids.iter().find_map(|id| {
        let found = inspect(id)?;
        let port = &found["HostConfig"]["PortBindings"]["6379/tcp"][0]["HostPort"];
        port.as_str()?.parse::<u16>().ok()
    });
    let mut client = TcpStream::connect(("127.0.0.1", ports.expect("a port"))).expect("Redis");
    let big = vec![b'x'; 96 << 20];
    let head = format!("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n${}\r\n", big.len());
    client.write_all(head.as_bytes()).expect("Redis reads");
    // The kernel ends it before all of that is written.
    let _ = client.write_all(&big);
    let ended = running.wait();
    assert!(matches!(ended.code, Some(0 | 111 | 112)), "{}", ended.all());
    bench.expect_whole("redis");
    let log = bench.read("run/stack/redis-1/log");
    let starts = log.matches("Ready to accept connections").count();
    assert_eq!(starts, 2, "{log}");
}

#[test]
fn a_limit_that_no_container_reaches_proves_nothing() {
    let table = [
        (
            "redis: { cpu_limit: 100% }, after: 1s, for: 1s",
            "never had to wait: it does not reach 100.0%",
        ),
        (
            "redis: { memory_limit: 4GB }, after: 1s, for: 1s",
            "at most, of 4000.0 MB that it may have",
        ),
    ];
    for (fault, words) in table {
        let bench = Bench::with_fault(&busy().think("200ms"), fault);
        let ended = start(&bench).wait().expect(112);
        ended.says(words);
    }
}

/// A container of the test with limits of its own, which is gone with this value.
struct Redis(String);

impl Redis {
    fn start(more: &[&str]) -> Self {
        needs_an_engine();
        let args = [&["run", "--detach"], more, &["redis:7"]].concat();
        Self(docker(&args).trim().to_owned())
    }

    fn config(&self) -> Value {
        inspect(&self.0).expect("it is there")["HostConfig"].clone()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let remove = ["rm", "--force", "--volumes", &self.0];
        let _ = Command::new("docker").args(remove).output();
    }
}

#[test]
fn a_container_of_somebody_else_gets_its_own_limits_back_when_the_harness_is_killed() {
    let mega = 1024 * 1024;
    let table = [
        (
            "cpu_limit: 20%",
            ["--cpus", "1.5"],
            ("NanoCpus", 200_000_000, 1_500_000_000),
        ),
        (
            "cpu_limit: 20%",
            ["--cpu-quota", "50000"],
            ("CpuQuota", 20_000, 50_000),
        ),
        (
            "memory_limit: 256MiB",
            ["--memory", "512m"],
            ("Memory", 256 * mega, 512 * mega),
        ),
    ];
    for (fault, made, (key, limited, before)) in table {
        let (bench, redis) = (Bench::new(), Redis::start(&made));
        let own = Own::start(&bench);
        let parts = format!("parts: {{ redis: {{ container: {} }} }}", redis.0);
        let fault = format!("name: it, redis: {{ {fault} }}, after: 500ms, for: 5m");
        own.scenario(&bench, &parts, "10m", &[&fault]);
        let mut running = own::start(&bench);
        running.wait_until_it_says("fault it: applied");
        assert_eq!(redis.config()[key], limited, "{made:?}");
        running.signal(Signal::KILL);
        running.wait();
        wait_until("it has its limit again", || redis.config()[key] == before);
        wait_until("nothing is left to be undone", || leases(&bench) == 0);
    }
}
