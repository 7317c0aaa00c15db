//! Faults of containers that the run has not made: named by the scenario, they are paused, killed and
//! started again, and given back whatever becomes of the harness.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/engine.rs"]
mod engine;
#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/own.rs"]
mod own;
mod support;

use std::process::Command;

use engine::{docker, inspect, needs_an_engine};
use harness::{Bench, wait_until};
use own::{Own, all_whole, leases};
use rustix::process::Signal;
use serde_json::Value;

/// A container of the test, which is gone with this value.
struct Redis {
    id: String,
    port: u16,
}

impl Redis {
    /// With a port of its own on 127.0.0.1.
    fn start(more: &[&str]) -> Self {
        let port = support::free_port();
        let published = format!("127.0.0.1:{port}:6379");
        Self::run(port, &[more, &["--publish", &published]].concat())
    }

    fn run(port: u16, more: &[&str]) -> Self {
        needs_an_engine();
        // Others than itself may ask it.
        let open = ["redis:7", "redis-server", "--protected-mode", "no"];
        let args = [&["run", "--detach"], more, &open].concat();
        let id = docker(&args).trim().to_owned();
        Self { id, port }
    }

    fn state(&self) -> Value {
        inspect(&self.id).expect("it is there")["State"].clone()
    }

    fn runs(&self) -> bool {
        let state = self.state();
        state["Running"] == true && state["Paused"] == false
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let remove = ["rm", "--force", "--volumes", &self.id];
        let _ = Command::new("docker").args(remove).output();
    }
}

#[test]
fn a_container_is_paused_killed_and_stopped_and_is_there_again() {
    let (bench, redis) = (Bench::new(), Redis::start(&[]));
    let own = Own::start(&bench);
    let (id, url) = (&redis.id, redis.url());
    // The same one twice, asked and looked at: a name and an id.
    let name = inspect(id).expect("it is there")["Name"].clone();
    let name = name.as_str().expect("a name").trim_start_matches('/');
    let parts = format!(
        "parts: {{ redis: {{ container: {name}, url: \"{url}\" }}, issuer: {{ container: {id} }} }}"
    );
    let faults = [
        "name: silent, redis: freeze, after: 1s, for: 1s",
        "name: gone, redis: kill, at: silent + 300ms, for: 1s",
        "name: again, redis: restart, at: gone + 300ms",
        "name: unasked, issuer: freeze, at: again + 300ms, for: 1s",
        "name: stopped, issuer: stop, at: unasked + 300ms, for: 1s",
    ];
    own.scenario(&bench, &parts, "20s", &faults);
    let ended = own::start(&bench).wait().expect(0);
    all_whole(&bench, &ended.all());
    assert!(redis.runs(), "{}", redis.state());
    assert_eq!(leases(&bench), 0);
}

#[test]
fn a_container_is_given_back_when_the_harness_is_killed() {
    for fault in ["freeze", "kill", "stop"] {
        let (bench, redis) = (Bench::new(), Redis::start(&[]));
        let own = Own::start(&bench);
        let parts = format!("parts: {{ redis: {{ container: {} }} }}", redis.id);
        let fault = format!("name: it, redis: {fault}, after: 500ms, for: 5m");
        own.scenario(&bench, &parts, "10m", &[&fault]);
        let mut running = own::start(&bench);
        running.wait_until_it_says("fault it: bites");
        assert!(!redis.runs(), "{fault}: {}", redis.state());
        running.signal(Signal::KILL);
        running.wait();
        wait_until("it runs again", || redis.runs());
        wait_until("nothing is left to be undone", || leases(&bench) == 0);
    }
}

#[test]
fn a_service_of_a_project_is_found_by_its_labels_and_one_of_several_is_not_guessed() {
    let label = |key: &str, value: &str| format!("--label=com.docker.compose.{key}={value}");
    let project = format!("fcfs-own-{}", std::process::id());
    let (of_project, cache, many) = (
        label("project", &project),
        label("service", "cache"),
        label("service", "many"),
    );
    let bench = Bench::new();
    let own = Own::start(&bench);
    let redis = Redis::start(&[&of_project, &cache]);
    let _others = [0, 1].map(|_| Redis::run(0, &[&of_project, &many]));
    let target =
        |service: &str| format!("compose: {project}, parts: {{ redis: {{ service: {service} }} }}");
    let fault = "name: it, redis: kill, after: 1s, for: 1s";
    own.scenario(&bench, &target("cache"), "5s", &[fault]);
    let ended = own::start(&bench).wait().expect(0);
    all_whole(&bench, &ended.all());
    assert!(redis.runs(), "{}", redis.state());
    for (service, words) in [
        ("many", "the service many has 2 containers"),
        ("none", "no container of the service none of the project"),
    ] {
        own.scenario(&bench, &target(service), "5s", &[fault]);
        let ended = bench.run(&["run", "scenario.yaml"]).expect(113);
        assert!(ended.stderr.contains(words), "{service}: {}", ended.all());
    }
}

#[test]
fn a_container_that_would_not_come_back_as_it_was_is_not_ended() {
    let bench = Bench::new();
    let own = Own::start(&bench);
    let removed = Redis::run(0, &["--rm"]);
    let moves = Redis::run(0, &["--publish", "127.0.0.1::6379"]);
    let created = docker(&["create", "redis:7"]).trim().to_owned();
    let rests = Redis {
        id: created,
        port: 0,
    };
    let table = [
        (
            removed.id.as_str(),
            "kill",
            "the engine removes it when it ends",
        ),
        (
            moves.id.as_str(),
            "stop",
            "it would come back at another port",
        ),
        (rests.id.as_str(), "freeze", "the container does not run"),
        (
            "fcfs-bench-no-such-container",
            "freeze",
            "the engine knows no container",
        ),
    ];
    for (id, kind, words) in table {
        let parts = format!("parts: {{ redis: {{ container: {id} }} }}");
        let fault = format!("name: it, redis: {kind}, after: 1s, for: 1s");
        own.scenario(&bench, &parts, "5s", &[&fault]);
        let ended = bench.run(&["run", "scenario.yaml"]).expect(113);
        assert!(ended.stderr.contains(words), "{kind}: {}", ended.all());
    }
}
