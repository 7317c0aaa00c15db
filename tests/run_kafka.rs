//! Runs on real Kafka brokers of their own.

#[path = "support/harness/mod.rs"]
mod harness;

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use harness::scenario::Scenario;
use harness::{Bench, verdict_of, wait_until};
use rustix::process::Signal;
use serde_json::Value;

const ONE: &[&str] = &["--provider", "local"];
const THREE: &[&str] = &[
    "--provider",
    "local",
    "--set",
    "target.stack.kafka.brokers=3",
];

fn bench(strategy: &'static str) -> Bench {
    // A broker and its consumer take a while to go round.
    Bench::with(&Scenario::short().strategy(strategy).quiet("2s"))
}

/// A file below `stack/`, as far as it is there.
fn text(bench: &Bench, name: &str) -> String {
    let bytes = std::fs::read(bench.path("run/stack").join(name)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The command lines of Java that work for this run.
fn brokers(bench: &Bench) -> Vec<String> {
    let here = bench.path("run/stack");
    let entries = std::fs::read_dir("/proc").expect("Linux has /proc");
    let lines = entries.flatten().filter_map(|entry| {
        let at = std::fs::read_link(entry.path().join("cwd")).ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        (at.starts_with(&here) && line.contains("kafka.")).then_some(line)
    });
    lines.collect()
}

fn ports(bench: &Bench, number: u8) -> Vec<u16> {
    let settings = text(bench, &format!("kafka-{number}/server.properties"));
    let line = settings
        .lines()
        .find_map(|line| line.strip_prefix("listeners="));
    let addresses = line.expect("listeners").split(',');
    let ports = addresses.map(|address| address.rsplit(':').next().expect("a port"));
    ports.map(|port| port.parse().expect("a number")).collect()
}

#[test]
fn events_go_through_brokers_that_end_in_good_order() {
    for (strategy, more, brokers) in [("redis-kafka", ONE, 1), ("outbox", THREE, 3)] {
        let bench = bench(strategy);
        bench.run_scenario(more).expect(0);
        let summary = bench.summary();
        assert_eq!(summary["verdict"], "pass", "{strategy}: {summary}");
        for number in 1..=brokers {
            let log = text(&bench, &format!("kafka-{number}/log"));
            let last = format!("App info kafka.server for {number} unregistered");
            assert!(log.contains(&last), "{strategy}: {log}");
            for port in ports(&bench, number) {
                TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
            }
        }
        assert_eq!(self::brokers(&bench), Vec::<String>::new(), "{strategy}");
    }
}

/// What was measured of this name and kind.
#[track_caller]
fn source<'a>(summary: &'a Value, name: &str, kind: &str) -> &'a Value {
    let all = summary["resources"].as_array().expect("a list");
    let is_it = |one: &&Value| one["source"] == name && one["kind"] == kind;
    let found = all.iter().find(is_it);
    found.unwrap_or_else(|| panic!("no {kind} {name}: {all:?}"))
}

/// Readings of the lag in the file of a run, in their order.
fn lags(bench: &Bench) -> Vec<u64> {
    let text = bench.read("run/resources.jsonl");
    let lines = text.lines().map(serde_json::from_str);
    let lines = lines.map(|line: serde_json::Result<Value>| line.expect("a line"));
    lines
        .filter_map(|line| line["values"]["consumer_lag"].as_u64())
        .collect()
}

#[test]
fn the_lag_is_read_until_the_issuer_has_written_all_rows_and_a_threshold_holds_it() {
    let scenario = Scenario::short()
        .strategy("redis-kafka")
        .load("constant_vus: { vus: 20, for: 3s }")
        .thresholds(
            "\"consumer_lag{source:kafka-1}\": [\"max<100000\"]\n  \
             consumer_lag: [\"min>0\"]",
        );
    let bench = Bench::with(&scenario.quiet("2s"));
    // Rows enough for the issuer to use CPU that the kernel counts.
    let many = [ONE, &["--set", "subject.coupon.stock=20000"]].concat();
    let ended = bench.run_scenario(&many).expect(99);
    let summary = bench.summary();
    let held = verdict_of(
        &summary,
        "thresholds",
        "consumer_lag{source:kafka-1}: max<100000",
    );
    assert_eq!(held["verdict"], "pass", "{held}");
    let failed = verdict_of(&summary, "thresholds", "consumer_lag: min>0");
    assert_eq!(failed["verdict"], "fail", "{failed}");

    let lag = source(&summary, "kafka-1", "kafka");
    assert_eq!(lag["gaps"], 0, "{lag}");
    assert!(lag["levels"]["consumer_lag"]["max"].is_number(), "{lag}");
    let lags = lags(&bench);
    assert!(lags.len() >= 5, "the load and the rest after it: {lags:?}");
    assert_eq!(lags.last(), Some(&0), "{lags:?}");
    for name in ["kafka-1", "coupon-1", "issuer-1"] {
        let process = source(&summary, name, "process");
        for figure in ["/levels/cpu/max", "/levels/memory/min"] {
            let value = process.pointer(figure).and_then(Value::as_f64);
            assert!(value > Some(0.0), "{name}{figure}: {process}");
        }
    }
    assert!(ended.stdout.contains("Lag"), "{}", ended.all());
    let chart = bench.read("run/chart.svg");
    assert!(chart.contains("Events that consumers have not read yet"));
}

#[test]
fn no_broker_outlives_a_harness_that_was_killed() {
    let bench = bench("outbox");
    let running = bench.start_scenario(ONE);
    wait_until("the broker is there", || {
        text(&bench, "kafka-1/log").contains("Starting controller")
    });
    running.signal(Signal::KILL);
    running.wait();
    wait_until("nothing runs", || brokers(&bench).is_empty());
}

#[test]
fn libraries_that_are_missing_are_named_with_the_command_that_installs_them() {
    let bench = bench("outbox");
    let args = ["run", "scenario.yaml", "--provider", "local"];
    let running = bench.start_with(&args, |command| {
        command.env("FCFS_KAFKA_HOME", "/nowhere");
    });
    let ended = running.wait().expect(113);
    ended.complains("Kafka's jars (FCFS_KAFKA_HOME is /nowhere) cannot be found");
    ended.complains("hint: scripts/services");
}

#[test]
fn ports_that_were_taken_meanwhile_are_given_up_for_others() {
    let bench = bench("outbox");
    let script = "#!/bin/sh\ncase \"$*\" in *kafka.Kafka*)\n\
                  if mkdir once 2>/dev/null; then echo 'bind: Address already in use'; exit 1; fi\n\
                  esac\nexec java \"$@\"\n";
    std::fs::create_dir_all(bench.path("jdk/bin")).expect("a directory");
    bench.write("jdk/bin/java", script);
    let executable = Permissions::from_mode(0o700);
    std::fs::set_permissions(bench.path("jdk/bin/java"), executable).expect("ours");
    let args = [
        "run",
        "scenario.yaml",
        "--out",
        "run",
        "--provider",
        "local",
    ];
    let running = bench.start_with(&args, |command| {
        command.env("JAVA_HOME", bench.path("jdk"));
    });
    running.wait().expect(0);
    assert!(bench.path("run/stack/kafka-1/once").exists());
}
