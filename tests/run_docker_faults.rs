//! Faults of containers: each bites, each is healed, and nothing stays paused whatever becomes of the
//! harness.

#[path = "support/engine.rs"]
mod engine;
#[path = "support/harness/mod.rs"]
mod harness;

use std::process::Command;

use engine::{containers, docker, inspect, needs_an_engine};
use harness::scenario::Scenario;
use harness::{Bench, Running, part_of, verdict_of, wait_until};
use rustix::process::Signal;
use serde_json::json;

const DOCKER: [&str; 2] = ["--provider", "docker"];

/// Long enough for a fault and for what comes after it.
fn a_while(strategy: &'static str) -> Scenario {
    Scenario::long()
        .strategy(strategy)
        .load("constant_vus: { vus: 8, for: 10s }")
        // Draining so large a stock would take longer than the rest.
        .truth("drain: false")
        .thresholds("http_reqs: [\"count>0\"]")
}

/// Runs it in containers, and looks what became of the fault.
#[track_caller]
fn bites_and_is_healed(row: &str, scenario: &Scenario, fault: &str) -> Bench {
    needs_an_engine();
    let bench = Bench::with_fault(scenario, fault);
    let running = bench.start_scenario(&DOCKER);
    let pid = running.id();
    let ended = running.wait();
    // Whether the system survives it is another question.
    let judged = matches!(ended.code, Some(0 | 111 | 112));
    assert!(judged, "{row}: {}", ended.all());
    bench.expect_whole(row);
    assert_eq!(containers(pid), Vec::<String>::new(), "{row}");
    bench
}

/// Nobody was told of a coupon that is not there.
#[track_caller]
fn all_who_were_told_have_a_row(row: &str, bench: &Bench) {
    let summary = bench.summary();
    let judged = verdict_of(&summary, "invariants", "acknowledged");
    assert_eq!(judged["verdict"], "pass", "{row}: {judged}");
}

#[test]
fn redis_is_frozen_killed_and_restarted_and_answers_again_at_its_address() {
    let table = [
        ("it is silent", "redis: freeze, after: 2s, for: 1s", 1),
        ("it is gone", "redis: kill, after: 2s, for: 1s", 2),
        ("it stops in good order", "redis: restart, after: 2s", 2),
        ("it forgets", "redis: { lose_writes: 500ms }, after: 2s", 2),
        (
            "its packets are lost",
            "redis: { loss: 20% }, after: 2s, for: 1s",
            1,
        ),
    ];
    for (row, fault, starts) in table {
        let bench = bites_and_is_healed(row, &a_while("redis-lua"), fault);
        let log = bench.read("run/stack/redis-1/log");
        // Neither is anything missing in a log that goes on, nor is it there twice.
        let ready = log.matches("Ready to accept connections").count();
        assert_eq!(ready, starts, "{row}: {log}");
    }
}

#[test]
fn mysql_is_frozen_and_killed_and_made_read_only_by_its_root() {
    let table = [
        (
            "it is silent",
            "db-conditional",
            "database: freeze, after: 2s, for: 1s",
        ),
        (
            "it is gone",
            "db-conditional",
            "database: kill, after: 2s, for: 1s",
        ),
        // With few transactions: under many of several statements it may wait in vain.
        (
            "only root may do that",
            "redis-lua",
            "database: read_only, after: 2s, for: 1s",
        ),
    ];
    for (row, strategy, fault) in table {
        let bench = bites_and_is_healed(row, &a_while(strategy), fault);
        all_who_were_told_have_a_row(row, &bench);
    }
}

/// Longer than the server waits for a broker: what was sent and not answered may be lost, and its
/// user is told to have one already. Only what was confirmed must be there.
#[test]
fn a_broker_is_killed_and_comes_back_with_all_that_was_confirmed() {
    let scenario = a_while("redis-kafka").quiet("2s");
    let fault = "kafka: kill, after: 2s, for: 1s";
    let bench = bites_and_is_healed("it is gone", &scenario, fault);
    let summary = bench.summary();
    let lost = part_of(&summary, "acknowledged", "lost");
    assert_eq!(lost["verdict"], "pass", "{lost}");
}

#[test]
fn a_link_stands_before_a_broker() {
    let scenario = a_while("redis-kafka").quiet("2s");
    let row = "its clients come by the link";
    let fault = "kafka: { delay: 100ms }, after: 2s, for: 3s";
    let bench = bites_and_is_healed(row, &scenario, fault);
    all_who_were_told_have_a_row(row, &bench);
}

/// A run whose Redis is paused, and will be for long.
fn paused() -> (Bench, Running, String) {
    needs_an_engine();
    let scenario = Scenario::long().strategy("redis-lua");
    let bench = Bench::with_fault(&scenario, "redis: freeze, after: 1s, for: 5m");
    let state = bench.path("state");
    let out = bench.path("run").display().to_string();
    let args = [
        "run",
        "scenario.yaml",
        "--out",
        &out,
        "--provider",
        "docker",
    ];
    let mut running = bench.start_with(&args, |command| {
        command.env("XDG_STATE_HOME", state);
    });
    running.wait_until_it_says("fault it: bites");
    let ids = containers(running.id());
    let is_paused = |id: &&String| inspect(id).is_some_and(|one| one["State"]["Paused"] == true);
    let found: Vec<_> = ids.iter().filter(is_paused).collect();
    assert_eq!(found.len(), 1, "{ids:?}");
    let id = found[0].clone();
    (bench, running, id)
}

/// What has not been undone yet.
fn leases(bench: &Bench) -> usize {
    let entries = std::fs::read_dir(bench.path("state/fcfs-bench/leases"));
    entries.expect("the directory of leases").count()
}

#[test]
fn a_harness_that_is_killed_during_a_pause_leaves_no_container_and_no_lease() {
    let (bench, running, _) = paused();
    let pid = running.id();
    assert_eq!(leases(&bench), 1);
    running.signal(Signal::KILL);
    running.wait();
    wait_until("no container is left", || containers(pid).is_empty());
    wait_until("nothing is left to be undone", || leases(&bench) == 0);
}

#[test]
fn ctrl_c_during_a_pause_heals_first_and_leaves_nothing() {
    let (bench, running, _) = paused();
    let pid = running.id();
    running.signal(Signal::INT);
    running.wait().expect(105);
    bench.expect_whole("Ctrl-C");
    assert_eq!(containers(pid), Vec::<String>::new());
    assert_eq!(leases(&bench), 0);
}

/// A container of nobody, which is gone with this value.
struct Own(String);

impl Own {
    fn paused() -> Self {
        needs_an_engine();
        let own = Self(docker(&["run", "--detach", "redis:7"]).trim().to_owned());
        docker(&["pause", &own.0]);
        own
    }

    fn is_paused(&self) -> bool {
        let found = inspect(&self.0).expect("it is there");
        found["State"]["Paused"] == true
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let remove = ["rm", "--force", "--volumes", &self.0];
        let _ = Command::new("docker").args(remove).output();
    }
}

/// Writes down what a run that is gone has left behind, and heals it.
#[track_caller]
fn heal(bench: &Bench, container: &str) -> String {
    let engine = std::env::var("DOCKER_HOST");
    let engine = engine.unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    let lease = json!({
        "run": "reports/gone",
        "owner": { "pid": 1, "started": 0, "boot": "another" },
        "leases": [{
            "id": 1, "fault": "it", "victim": "redis-1", "until_unix_ms": 0,
            "undo": [{ "undo": "unpause", "engine": engine, "container": container }],
        }],
    });
    std::fs::create_dir_all(bench.path("state/fcfs-bench/leases")).expect("a directory");
    bench.write("state/fcfs-bench/leases/1-0.json", lease.to_string());
    let state = bench.path("state");
    let running = bench.start_with(&["heal"], |command| {
        // The lease knows the engine, whatever this shell says.
        command
            .env("XDG_STATE_HOME", state)
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    });
    running.wait().expect(0).stdout
}

#[test]
fn heal_ends_the_pause_of_a_container_that_a_killed_run_has_left() {
    let (bench, own) = (Bench::new(), Own::paused());
    let healed = "healed it at redis-1, of reports/gone\n";
    assert_eq!(heal(&bench, &own.0), healed);
    assert!(!own.is_paused());
    assert_eq!(heal(&bench, &own.0), healed, "it does no harm twice");
    let id = own.0.clone();
    drop(own);
    assert_eq!(heal(&bench, &id), healed, "what is gone needs nothing");
    assert_eq!(leases(&bench), 0);
}
