//! The Docker engine of the tests, asked with its own program.
#![allow(dead_code, reason = "each test file uses its part")]

use std::process::Command;

use serde_json::Value;

/// What `docker` prints.
#[track_caller]
pub(crate) fn docker(args: &[&str]) -> String {
    const HINT: &str = "these tests need a Docker engine with redis:7, mysql:8.0 and \
                        apache/kafka:4.1.1: scripts/test starts one and makes the images";
    let ended = Command::new("docker").args(args).output();
    let ended = ended.unwrap_or_else(|error| panic!("docker: {error}; {HINT}"));
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "docker {args:?}: {errors}{HINT}");
    String::from_utf8(ended.stdout).expect("text")
}

/// Says what is missing before a run says it in other words.
#[track_caller]
pub(crate) fn needs_an_engine() {
    docker(&[
        "image",
        "inspect",
        "redis:7",
        "mysql:8.0",
        "apache/kafka:4.1.1",
    ]);
}

/// The containers that a process has started.
#[track_caller]
pub(crate) fn containers(pid: u32) -> Vec<String> {
    let label = format!("label=fcfs-bench.pid={pid}");
    let ids = docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &label]);
    ids.lines().map(str::to_owned).collect()
}

/// The networks that a process has made.
#[track_caller]
pub(crate) fn networks(pid: u32) -> String {
    let label = format!("label=fcfs-bench.pid={pid}");
    docker(&["network", "ls", "--quiet", "--filter", &label])
}

/// One container, if it is still there.
pub(crate) fn inspect(id: &str) -> Option<Value> {
    let ended = Command::new("docker").args(["inspect", id]).output().ok()?;
    let mut found: Vec<Value> = serde_json::from_slice(&ended.stdout).ok()?;
    found.pop()
}
