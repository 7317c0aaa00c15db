//! The provider `docker`: real services as containers of a run, in a real engine.

#[path = "support/engine.rs"]
mod engine;
#[path = "support/harness/mod.rs"]
mod harness;

use std::path::{Path, PathBuf};
use std::process::Command;

use engine::{containers, docker, inspect, needs_an_engine, networks};
use harness::scenario::Scenario;
use harness::{Bench, Running, wait_until};
use rustix::process::Signal;
use serde_json::Value;

/// Nobody listens there.
const NO_ENGINE: &str = "unix:///nowhere/docker.sock";

/// A registry that refuses, on every machine.
const NO_IMAGE: &str = "127.0.0.1:1/nothing:1";

fn volumes_of(container: &Value) -> Vec<String> {
    let mounts = container["Mounts"].as_array().expect("a list");
    let names = mounts.iter().filter_map(|mount| mount["Name"].as_str());
    names.map(str::to_owned).collect()
}

/// Whether a process holds on for the containers of a run.
fn is_kept(run: &str) -> bool {
    let entries = std::fs::read_dir("/proc").expect("Linux has /proc");
    let mut lines = entries.flatten().filter_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).into_owned())
    });
    lines.any(|line| line.contains("keep-containers") && line.contains(run))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// What looks like the password that MySQL's users have.
fn holds_a_password(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_ascii_hexdigit());
    words.map(str::len).any(|len| len == 48)
}

#[track_caller]
fn no_password_in(bench: &Bench, printed: &str) {
    assert!(!holds_a_password(printed), "{printed}");
    for path in files(&bench.path("run")) {
        let text = std::fs::read(&path).expect("a file");
        let text = String::from_utf8_lossy(&text);
        assert!(!holds_a_password(&text), "{}: {text}", path.display());
    }
}

#[test]
fn a_run_on_containers_passes_and_leaves_their_logs_but_no_password() {
    needs_an_engine();
    let table = [
        ("redis-lua", "with Redis and MySQL (redis:7, mysql:8.0)"),
        ("db-conditional", "with MySQL (mysql:8.0)"),
    ];
    for (strategy, words) in table {
        let bench = Bench::with(&Scenario::short().strategy(strategy));
        let running = bench.start_scenario(&["--provider", "docker"]);
        let pid = running.id();
        let ended = running.wait().expect(0);
        assert_eq!(containers(pid), Vec::<String>::new());
        let report = bench.read("run/report.md");
        assert!(
            report.contains(&format!("docker: as asked, {words}")),
            "{report}"
        );
        let log = bench.read("run/stack/mysql/log");
        assert!(log.contains("ready for connections"), "{log}");
        assert!(log.contains("Shutdown complete"), "{log}");
        if strategy == "redis-lua" {
            let log = bench.read("run/stack/redis-1/log");
            assert!(log.contains("Redis is now ready to exit"), "{log}");
        }
        no_password_in(&bench, &ended.all());
    }
}

/// A run whose load is under way, with its containers.
fn under_way() -> (Bench, Running, Vec<Value>) {
    needs_an_engine();
    let bench = Bench::with(&Scenario::long().strategy("redis-lua"));
    let mut running = bench.start_scenario(&["--provider", "docker"]);
    running.wait_until_it_says(" VUs ");
    let ids = containers(running.id());
    let found: Vec<_> = ids.iter().filter_map(|id| inspect(id)).collect();
    assert_eq!(found.len(), 2, "Redis and MySQL");
    (bench, running, found)
}

#[test]
fn ports_are_published_for_this_machine_alone() {
    let (_bench, running, found) = under_way();
    for container in &found {
        let ports = container["NetworkSettings"]["Ports"].as_object();
        let ports = ports.expect("ports").values();
        let published: Vec<_> = ports.filter_map(Value::as_array).flatten().collect();
        assert_eq!(published.len(), 1, "{container}");
        assert_eq!(published[0]["HostIp"], "127.0.0.1", "{container}");
        let pid = &container["Config"]["Labels"]["fcfs-bench.pid"];
        assert_eq!(*pid, running.id().to_string());
    }
    running.signal(Signal::INT);
    running.wait().expect(105);
}

#[test]
fn nothing_is_left_in_the_engine_however_the_harness_ends() {
    let table: [(&str, &[Signal]); 3] = [
        ("Ctrl-C", &[Signal::INT]),
        ("a second Ctrl-C", &[Signal::INT, Signal::INT]),
        ("kill -9", &[Signal::KILL]),
    ];
    for (end, signals) in table {
        let (_bench, running, found) = under_way();
        let pid = running.id();
        for signal in signals {
            running.signal(*signal);
        }
        running.wait();
        wait_until(end, || containers(pid).is_empty());
        let run = found[0]["Config"]["Labels"]["fcfs-bench.run"].as_str();
        let run = run.expect("a label").to_owned();
        wait_until("the keeper ends, too", || !is_kept(&run));
        let left = docker(&["volume", "ls", "--quiet"]);
        let volumes: Vec<_> = found.iter().flat_map(volumes_of).collect();
        assert_eq!(volumes.len(), 2, "{end}: each service has one");
        for volume in volumes {
            assert!(!left.contains(&volume), "{end}: {left}");
        }
        let networks = docker(&[
            "network",
            "ls",
            "--quiet",
            "--filter",
            "label=fcfs-bench.run",
        ]);
        assert_eq!(networks, "", "{end}");
    }
}

#[test]
fn an_end_while_containers_start_leaves_none() {
    needs_an_engine();
    for signal in [Signal::INT, Signal::KILL] {
        let bench = Bench::with(&Scenario::long().strategy("redis-lua"));
        let running = bench.start_scenario(&["--provider", "docker"]);
        let pid = running.id();
        wait_until("the first container is there", || {
            !containers(pid).is_empty()
        });
        running.signal(signal);
        running.wait();
        let log = bench.path("run/stack/containers.log");
        assert!(log.exists(), "the keeper was there before the containers");
        wait_until("no container is left", || containers(pid).is_empty());
        // One that the engine was still making would come by now.
        std::thread::sleep(std::time::Duration::from_secs(2));
        wait_until("no container has come", || containers(pid).is_empty());
    }
}

#[test]
fn an_image_that_is_nowhere_is_named_with_both_remedies() {
    needs_an_engine();
    let bench = Bench::with(&Scenario::short().strategy("redis-lua"));
    let image = format!("target.stack.images.redis={NO_IMAGE}");
    let args = ["--provider", "docker", "--set", &image];
    let ended = bench.run_scenario(&args).expect(113);
    ended.complains(&format!(
        "the image {NO_IMAGE} is not there and cannot be pulled: "
    ));
    ended.complains(&format!(
        "hint: docker pull {NO_IMAGE}; without a registry, scripts/offline-images"
    ));
}

#[test]
fn an_image_of_the_environment_comes_before_that_of_the_scenario() {
    needs_an_engine();
    let bench = Bench::with(&Scenario::short().strategy("db-conditional"));
    let table = [
        (NO_IMAGE, format!("the image {NO_IMAGE} is not there")),
        (
            "my sql",
            "FCFS_IMAGE_MYSQL is wrong: `my sql` is not the name of an image".to_owned(),
        ),
    ];
    for (at, (image, words)) in table.iter().enumerate() {
        let out = format!("run-{at}");
        let set = "target.stack.images.mysql=mysql:8.0";
        let args = [
            "run",
            "scenario.yaml",
            "--out",
            &out,
            "--provider",
            "docker",
            "--set",
            set,
        ];
        let running = bench.start_with(&args, |command| {
            command.env("FCFS_IMAGE_MYSQL", image);
        });
        running.wait().expect(113).complains(words);
    }
}

#[test]
fn without_an_engine_docker_says_how_to_get_one_and_auto_takes_local() {
    let bench = Bench::with(&Scenario::short().strategy("db-conditional"));
    let without = |out: &str, provider: &str| {
        let args = ["run", "scenario.yaml", "--out", out, "--provider", provider];
        let running = bench.start_with(&args, |command| {
            command.env("DOCKER_HOST", NO_ENGINE);
        });
        running.wait()
    };
    let ended = without("asked", "docker").expect(113);
    ended.complains(&format!("no Docker engine answers at {NO_ENGINE}: "));
    ended.complains("hint: apt-get install docker.io && service docker start");
    without("run", "auto").expect(0);
    let report = bench.read("run/report.md");
    let why = format!("local: auto, no Docker engine answers at {NO_ENGINE}: ");
    assert!(report.contains(&why), "{report}");
}

#[test]
fn auto_takes_an_engine_that_has_the_images_and_else_the_programs_of_this_machine() {
    needs_an_engine();
    let table = [
        (
            "mysql:8.0",
            "docker: auto, an engine answers, and the strategy needs MySQL (mysql:8.0)",
        ),
        (
            NO_IMAGE,
            "local: auto, the image 127.0.0.1:1/nothing:1 is not there and cannot be pulled",
        ),
    ];
    for (image, words) in table {
        let bench = Bench::with(&Scenario::short().strategy("db-conditional"));
        let image = format!("target.stack.images.mysql={image}");
        bench.run_scenario(&["--set", &image]).expect(0);
        let report = bench.read("run/report.md");
        assert!(report.contains(words), "no {words}: {report}");
    }
}

#[test]
fn where_nothing_is_auto_names_both_reasons() {
    let bench = Bench::with(&Scenario::short().strategy("redis-lua"));
    let args = ["run", "scenario.yaml", "--out", "run"];
    let running = bench.start_with(&args, |command| {
        command
            .env("DOCKER_HOST", NO_ENGINE)
            .env("PATH", "/nowhere");
    });
    let ended = running.wait().expect(113);
    ended.complains(&format!("no Docker engine answers at {NO_ENGINE}: "));
    ended.complains("the strategy needs Redis and MySQL, and `redis-server`");
    ended.complains("hint: apt-get install redis-server");
}

/// A short run whose rows are written by an issuer, which is a process of its own.
fn on_kafka() -> Scenario {
    // A broker and its consumer take a while to go round.
    Scenario::short().strategy("redis-kafka").quiet("2s")
}

#[test]
fn events_go_through_a_broker_in_a_container_that_ends_in_good_order() {
    needs_an_engine();
    let bench = Bench::with(&on_kafka());
    let running = bench.start_scenario(&["--provider", "docker"]);
    let pid = running.id();
    running.wait().expect(0);
    assert_eq!(containers(pid), Vec::<String>::new());
    let report = bench.read("run/report.md");
    let words = "Redis, MySQL and Kafka (redis:7, mysql:8.0, apache/kafka:4.1.1)";
    assert!(report.contains(words), "{report}");
    let log = bench.read("run/stack/kafka-1/log");
    let started = log.contains("Kafka Server started");
    assert!(started && log.contains("SIGTERM"), "{log}");
}

#[test]
fn neither_brokers_nor_their_network_outlive_a_harness_that_was_killed() {
    needs_an_engine();
    let bench = Bench::with(&on_kafka());
    let set = "target.stack.kafka.brokers=3";
    let running = bench.start_scenario(&["--provider", "docker", "--set", set]);
    let pid = running.id();
    wait_until("the network and all containers are there", || {
        !networks(pid).is_empty() && containers(pid).len() == 5
    });
    running.signal(Signal::KILL);
    running.wait();
    wait_until("no container is left", || containers(pid).is_empty());
    wait_until("no network is left", || networks(pid).is_empty());
}

#[test]
fn a_broker_that_does_not_start_shows_the_end_of_its_log() {
    let image = Image::that_runs("echo bad luck >&2; exit 3", "broker");
    let bench = Bench::with(&on_kafka());
    let set = format!("target.stack.images.kafka={}", image.0);
    let running = bench.start_scenario(&["--provider", "docker", "--set", &set]);
    let pid = running.id();
    let ended = running.wait().expect(113);
    ended.complains("the service kafka-1 did not start: it ended with exit status: 3");
    ended.complains("bad luck");
    wait_until("no container is left", || containers(pid).is_empty());
}

/// An image that is gone with this value.
struct Image(String);

impl Image {
    /// Runs a script in place of the service.
    fn that_runs(script: &str, name: &str) -> Self {
        let image = format!("fcfs-bench-test-{name}:{}", std::process::id());
        let container = docker(&["create", "redis:7"]);
        let words = ["/bin/sh", "-c", script];
        let entrypoint = serde_json::to_string(&words).expect("JSON");
        let entrypoint = format!("ENTRYPOINT {entrypoint}");
        docker(&["commit", "--change", &entrypoint, container.trim(), &image]);
        docker(&["rm", "--volumes", container.trim()]);
        Self(image)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", &self.0]).output();
    }
}

#[test]
fn a_container_that_does_not_start_shows_the_end_of_its_log_without_the_password() {
    let image = Image::that_runs("env; echo bad luck >&2; exit 3", "env");
    let bench = Bench::with(&Scenario::short().strategy("redis-lua"));
    let set = format!("target.stack.images.mysql={}", image.0);
    let running = bench.start_scenario(&["--provider", "docker", "--set", &set]);
    let pid = running.id();
    let ended = running.wait().expect(113);
    ended.complains("the service mysql did not start: it ended with exit status: 3");
    ended.complains("bad luck");
    let log = bench.read("run/stack/mysql/log");
    assert!(log.contains("MYSQL_PASSWORD=***"), "{log}");
    no_password_in(&bench, &ended.all());
    wait_until("no container is left", || containers(pid).is_empty());
}
