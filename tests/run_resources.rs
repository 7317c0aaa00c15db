//! What a run measures from outside of its load: of the services that it brings up, and of those
//! that a user names.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/databases.rs"]
#[allow(dead_code, reason = "not every database is asked here")]
mod databases;
#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/mod.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod support;

use std::collections::BTreeSet;

use fcfs_bench::plan::{self, Overrides};
use harness::scenario::Scenario;
use harness::{Bench, verdict_of, wait_until};
use serde_json::Value;

/// Some dozens of users who all want the same row.
const CROWD: &str = "constant_vus: { vus: 40, for: 2s }";

fn bench(strategy: &'static str, thresholds: &str) -> Bench {
    let scenario = Scenario::short().strategy(strategy).load(CROWD);
    Bench::with(&scenario.thresholds(thresholds))
}

/// The source of this name and kind.
#[track_caller]
fn source<'a>(summary: &'a Value, name: &str, kind: &str) -> &'a Value {
    let all = summary["resources"].as_array().expect("a list");
    let is_it = |one: &&Value| one["source"] == name && one["kind"] == kind;
    let found = all.iter().find(is_it);
    found.unwrap_or_else(|| panic!("no {kind} {name}: {all:?}"))
}

/// Names and kinds of all that was measured.
fn measured(summary: &Value) -> BTreeSet<(String, String)> {
    let all = summary["resources"].as_array().expect("a list").iter();
    let text = |one: &Value, key: &str| one[key].as_str().expect("a text").to_owned();
    all.map(|one| (text(one, "source"), text(one, "kind")))
        .collect()
}

/// What the plan of the scenario says of them, which thresholds are held against.
fn planned(bench: &Bench) -> BTreeSet<(String, String)> {
    let text = bench.read("scenario.yaml");
    let plan = plan::load("scenario.yaml", &text, &Overrides::default(), &|_| None);
    let all = plan.expect("it was run").measured().into_iter();
    all.map(|(name, kind)| (name, kind.name().to_owned()))
        .collect()
}

#[track_caller]
fn assert_works(summary: &Value, processes: &[&str]) {
    for name in processes {
        let process = source(summary, name, "process");
        for figure in ["/levels/cpu/mean", "/levels/cpu/max", "/levels/memory/min"] {
            let value = process.pointer(figure).and_then(Value::as_f64);
            assert!(value > Some(0.0), "{name}{figure}: {process}");
        }
        assert_eq!(process["gaps"], 0, "{process}");
    }
}

#[test]
fn row_locks_are_waited_for_under_a_pessimistic_lock() {
    let thresholds = "row_lock_waits: [\"count==0\"]\n  \"cpu{source:server}\": [\"max<64\"]";
    let bench = bench("db-pessimistic", thresholds);
    let ended = bench.run_scenario(&[]).expect(99);
    let summary = bench.summary();
    let failed = verdict_of(&summary, "thresholds", "row_lock_waits: count==0");
    assert_eq!(failed["verdict"], "fail", "{failed}");
    let held = verdict_of(&summary, "thresholds", "cpu{source:server}: max<64");
    assert_eq!(held["verdict"], "pass", "{held}");
    let mysql = source(&summary, "mysql", "sql");
    for counter in ["row_lock_waits", "row_lock_time", "queries"] {
        let increase = mysql["counters"][counter]["increase"].as_u64();
        assert!(increase > Some(0), "{counter}: {mysql}");
    }
    assert!(mysql["levels"]["connections"]["max"].as_f64() > Some(1.0));
    assert_works(&summary, &["harness", "server", "mysql"]);
    assert!(ended.stdout.contains("Row-lock waits"), "{}", ended.all());
    assert!(
        bench
            .read("run/report.md")
            .contains("## Measured from outside")
    );
    assert!(
        bench
            .read("run/chart.svg")
            .contains("Row-lock waits per second")
    );
}

#[test]
fn no_row_lock_is_waited_for_where_a_script_decides_and_the_files_say_so_again() {
    let name = "row_lock_waits{source:mysql}: count==0";
    let thresholds = "\"row_lock_waits{source:mysql}\": [\"count==0\"]\n  \
                      \"commands{source:redis-1}\": [\"count>100\"]";
    let bench = bench("redis-lua", thresholds);
    bench.run_scenario(&[]).expect(0);
    let summary = bench.summary();
    assert_eq!(verdict_of(&summary, "thresholds", name)["verdict"], "pass");
    let mysql = source(&summary, "mysql", "sql");
    assert_eq!(mysql["counters"]["row_lock_waits"]["increase"], 0);
    let redis = source(&summary, "redis-1", "redis");
    assert!(redis["counters"]["commands"]["max_rate"].as_f64() > Some(0.0));
    // So few rows may cost the database less CPU than the kernel counts.
    assert_works(&summary, &["harness", "server", "redis-1"]);
    let memory = &source(&summary, "mysql", "process")["levels"]["memory"];
    assert!(memory["min"].as_f64() > Some(0.0), "{memory}");
    assert_eq!(measured(&summary), planned(&bench), "as the plan has said");

    // Judged again, without anything that could be asked.
    bench.run(&["check", "run"]).expect(0);
    bench.run(&["report", "run"]).expect(0);
    assert_eq!(bench.summary()["resources"], summary["resources"]);

    // A run that was killed has a torn last line; one of an older version has no file at all.
    let whole = bench.read("run/resources.jsonl");
    bench.write("run/resources.jsonl", &whole[..whole.len() - 7]);
    bench.run(&["check", "run"]).expect(0);
    std::fs::remove_file(bench.path("run/resources.jsonl")).expect("it is there");
    bench.run(&["check", "run"]).expect(99);
    bench.run(&["report", "run"]).expect(0);
    let summary = bench.summary();
    assert_eq!(summary["resources"], Value::Array(Vec::new()));
    let detail = &verdict_of(&summary, "thresholds", name)["detail"];
    assert_eq!(
        detail,
        "no data (nothing was read from outside), limit == 0"
    );
}

/// Readings of a service in the file of a run under way, and how many of them are gaps.
fn readings(bench: &Bench, kind: &str) -> (usize, usize) {
    let path = bench.path("run/resources.jsonl");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let kind = format!("\"kind\":\"{kind}\"");
    let lines: Vec<_> = text.lines().filter(|line| line.contains(&kind)).collect();
    let gaps = lines.iter().filter(|line| line.contains("\"gap\":"));
    (lines.len(), gaps.count())
}

#[test]
fn a_service_that_dies_leaves_gaps_and_only_a_threshold_on_it_fails() {
    // Thresholds, the exit code of the run.
    let table = [
        ("http_req_failed: [\"rate<1%\"]", 0),
        ("\"commands{source:cache}\": [\"count<1000000\"]", 99),
    ];
    for (thresholds, code) in table {
        let mut redis = databases::redis();
        let scenario = Scenario::short()
            .load("constant_vus: { vus: 4, for: 5s }")
            .thresholds(thresholds);
        let bench = Bench::new();
        let port = redis.port;
        bench.write(
            "scenario.yaml",
            format!(
                "{scenario}resources:\n  cache: {{ redis: {{ url: \"${{CACHE}}\" }} }}\n  \
                 cache-process: {{ process: {{ port: {port} }} }}\n"
            ),
        );
        let out = bench.path("run").display().to_string();
        let args = ["run", "scenario.yaml", "--out", &out];
        let running = bench.start_with(&args, |command| {
            command.env("CACHE", format!("redis://:p4ssw0rd@127.0.0.1:{port}"));
        });
        wait_until("it was read twice", || readings(&bench, "redis").0 >= 2);
        redis.stop();
        let ended = running.wait().expect(code);
        let summary = bench.summary();
        for kind in ["redis", "process"] {
            let name = if kind == "redis" {
                "cache"
            } else {
                "cache-process"
            };
            let cache = source(&summary, name, kind);
            assert!(cache["readings"].as_u64() >= Some(2), "{cache}");
            assert!(cache["gaps"].as_u64() >= Some(1), "{cache}");
            assert!(cache["gap"].is_string(), "{cache}");
        }
        assert_eq!(source(&summary, "server", "process")["gaps"], 0);
        let warnings = summary["warnings"].to_string();
        assert!(
            warnings.contains("`cache` (redis) was not measured"),
            "{warnings}"
        );
        if code != 0 {
            let name = "commands{source:cache}: count<1000000";
            let detail = verdict_of(&summary, "thresholds", name)["detail"].to_string();
            let words = "no data (`cache` did not answer at the end: ";
            assert!(detail.contains(words), "{detail}");
        }
        let files = ["resources.jsonl", "summary.json", "report.md", "plan.txt"];
        let texts = files.map(|name| bench.read(&format!("run/{name}")));
        for text in texts.iter().chain([&ended.all()]) {
            assert!(!text.contains("p4ssw0rd"), "{text}");
        }
    }
}

#[test]
fn what_cannot_be_found_is_said_before_the_load_and_does_not_stop_it() {
    let bench = Bench::new();
    let scenario = Scenario::short();
    bench.write(
        "scenario.yaml",
        format!("{scenario}resources:\n  worker: {{ process: {{ pid_file: worker.pid }} }}\n"),
    );
    let ended = bench.run_scenario(&[]).expect(0);
    let words = "not measured: worker: worker.pid: No such file";
    assert!(ended.stderr.contains(words), "{}", ended.all());
    let summary = bench.summary();
    let worker = source(&summary, "worker", "process");
    assert_eq!(worker["readings"], 0, "{worker}");
    assert!(ended.stdout.contains("no data"), "{}", ended.all());
    // Its own file is found beside the scenario, wherever the run was started.
    bench.write("worker.pid", std::process::id().to_string());
    std::fs::remove_dir_all(bench.path("run")).expect("ours");
    bench.run_scenario(&[]).expect(0);
    assert_eq!(source(&bench.summary(), "worker", "process")["gaps"], 0);
}
