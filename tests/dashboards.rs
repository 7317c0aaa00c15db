//! Every query of every dashboard, and every metric of every alert rule, against real stores with
//! the data of real runs: what is shown in Grafana is there.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/harness/mod.rs"]
mod harness;
#[allow(dead_code, reason = "shared by several tests")]
mod support;
#[path = "support/watched.rs"]
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use harness::scenario::Scenario;
use harness::{Bench, Running, shipped, wait_until};
use regex::Regex;
use rustix::process::Signal;
use serde_json::Value;
use support::{Service, free_port, program};
use watched::{Watch, ask, read, with};

/// A run of the bundled server on services of its own, with Redis away for a while, that Prometheus
/// has looked at from its first second to its last.
struct Watched {
    watch: Watch,
    from_s: u64,
    to_s: u64,
}

fn now_s() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs()
}

impl Watched {
    fn run(scenario: &str, settings: &[&str]) -> Self {
        let watch = Watch::start(1, "1s", None);
        let bench = Bench::new();
        let path = shipped(scenario);
        let mut args = vec!["run", &path, "--provider", "local", "--out", "run"];
        args.extend(settings);
        let mut running = bench.start(&args);
        running.wait_until_it_says("evidence goes to");
        wait_until_loaded(&bench, &mut running);
        let from_s = now_s();
        watch.watch(&servers(&bench.path("run/stack")));
        let ended = running.wait();
        assert!(
            matches!(ended.code, Some(0 | 99 | 111 | 112)),
            "{}",
            ended.all()
        );
        let summary = bench.summary();
        assert!(summary["requests"].as_u64() > Some(100), "{}", ended.all());
        Self {
            watch,
            from_s,
            to_s: now_s(),
        }
    }

    /// The numbers of a query over the whole run.
    fn numbers(&self, expr: &str) -> usize {
        let expr = expr
            .replace("$__rate_interval", "5s")
            .replace("$instance", ".*")
            .replace("$lock", ".*");
        let range = [
            ("query", expr.as_str()),
            ("start", &self.from_s.to_string()),
            ("end", &self.to_s.to_string()),
            ("step", "1"),
        ];
        let found = self.watch.ask("/api/v1/query_range", &range);
        let found = found.unwrap_or_else(|error| panic!("{expr}: {error}"));
        let series = found["result"].as_array().unwrap();
        let values = series.iter().filter_map(|one| one["values"].as_array());
        let numbers = values.flatten().filter(|sample| {
            let number: f64 = sample[1].as_str().unwrap().parse().unwrap();
            number.is_finite()
        });
        numbers.count()
    }

    /// The values of a variable: `label_values(metric, label)`.
    fn values_of(&self, definition: &str) -> usize {
        let parts = Regex::new(r"^label_values\((\w+), (\w+)\)$").unwrap();
        let parts = parts.captures(definition).expect("a query of labels");
        let path = format!("/api/v1/label/{}/values", &parts[2]);
        let found = self.watch.ask(&path, &[("match[]", &parts[1])]).unwrap();
        found.as_array().unwrap().len()
    }

    fn metrics(&self) -> BTreeSet<String> {
        let names = self.watch.ask("/api/v1/label/__name__/values", &[]);
        serde_json::from_value(names.unwrap()).unwrap()
    }
}

fn wait_until_loaded(bench: &Bench, running: &mut Running) {
    wait_until("the load has begun", || {
        let events = std::fs::read_to_string(bench.path("run/events.jsonl"));
        running.has_ended() || events.is_ok_and(|events| events.contains("load_started"))
    });
    assert!(!running.has_ended(), "{}", running.stderr());
}

/// Where the servers of a run say that they listen, in their logs.
fn servers(stack: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(stack).unwrap() {
        let Ok(log) = std::fs::read_to_string(entry.unwrap().path()) else {
            continue;
        };
        for line in log.lines().filter(|line| line.contains("listening")) {
            let Ok(line) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            let address = line["fields"]["address"].as_str();
            if let Some(address) = address.or(line["address"].as_str()) {
                found.push(address.to_owned());
            }
        }
    }
    assert!(!found.is_empty(), "no server in {}", stack.display());
    found
}

fn dashboard(name: &str) -> Value {
    let text = read(&format!("deploy/grafana/dashboards/{name}.json"));
    serde_json::from_str(&text).unwrap()
}

/// Each query with the title of what shows it.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let of = |target: &Value| {
        let text = target["expr"].as_str().or(target["query"].as_str());
        text.expect("a query").to_owned()
    };
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().into_iter().flatten() {
            found.push((title.to_owned(), of(target)));
        }
    }
    for annotation in dashboard["annotations"]["list"].as_array().unwrap() {
        let name = annotation["name"].as_str().unwrap();
        found.push((format!("annotation {name}"), of(&annotation["target"])));
    }
    assert!(found.len() > 5, "{dashboard}");
    found
}

/// The queries without data, each with its panel.
fn empty(watched: &Watched, name: &str) -> BTreeSet<(String, String)> {
    let dashboard = dashboard(name);
    let queries = queries(&dashboard).into_iter();
    queries
        .filter(|(_, expr)| watched.numbers(expr) == 0)
        .collect()
}

fn variables_have_values(watched: &Watched, name: &str) {
    for variable in dashboard(name)["templating"]["list"].as_array().unwrap() {
        let definition = variable["definition"].as_str().unwrap();
        assert!(watched.values_of(definition) > 0, "{name}: {definition}");
    }
}

#[track_caller]
fn all_have_data(watched: &Watched, name: &str) {
    let empty = empty(watched, name);
    assert!(empty.is_empty(), "{name}: {empty:#?}");
    variables_have_values(watched, name);
}

/// The names of metrics in an expression: what is left without labels, functions and words.
fn metrics_of(expr: &str) -> BTreeSet<String> {
    let labels =
        Regex::new(r"\{[^}]*\}|\b(?:by|on|without|ignoring)\s*\([^)]*\)|\[[^\]]*\]").unwrap();
    let expr = labels.replace_all(expr, " ");
    let words = Regex::new(r"([a-z_][a-z0-9_]*)\s*(\(?)").unwrap();
    let names = words.captures_iter(&expr).filter(|word| word[2].is_empty());
    let names = names.map(|word| word[1].to_owned());
    names
        .filter(|name| !["and", "or", "unless", "sum", "max", "min", "e"].contains(&name.as_str()))
        .collect()
}

/// Each alert rule with its expression.
fn rules() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in ["p0", "p1", "p2"] {
        let text = read(&format!("deploy/prometheus/rules/{name}.yml"));
        let file: Value = serde_saphyr::from_str(&text).unwrap();
        for rule in file["groups"][0]["rules"].as_array().unwrap() {
            let text = |key: &str| rule[key].as_str().unwrap().to_owned();
            found.push((text("alert"), text("expr")));
        }
    }
    assert_eq!(found.len(), 13);
    found
}

#[test]
fn metrics_are_found_in_expressions_and_nothing_else_is() {
    let expr =
        "sum by (instance, le) (rate(a_total{job=\"server\"}[5m])) / on (x) b > 0.5 and c == 0";
    let names = metrics_of(expr);
    assert_eq!(names.iter().collect::<Vec<_>>(), ["a_total", "b", "c"]);
}

const CHAOS: &str = "scenarios/chaos/redis-down.yaml";
const FAULT: &str = "faults=[{ name: redis-down, redis: kill, after: 40s, for: 30s }]";

#[test]
fn every_query_of_prometheus_and_every_rule_has_data_in_a_run_of_its_strategy() {
    let common = ["--scale", "time=0.15", "--set", FAULT];
    let locked = |strategy: &'static str| {
        let mut settings = common.to_vec();
        settings.extend(["--set", strategy]);
        settings
    };
    let mut redlock = locked("target.stack.server.strategy=redlock");
    redlock.extend(["--set", "target.stack.server.coupon_cache=300s"]);
    let redlock = Watched::run(CHAOS, &redlock);
    let redisson = Watched::run(CHAOS, &locked("target.stack.server.strategy=redisson"));
    // Fewer may be inside than come, so that some wait.
    let queue = Watched::run(
        "scenarios/documents/c-queue-4500.yaml",
        &[
            "--scale",
            "time=0.06,vus=0.04",
            "--set",
            "target.stack.server.queue_threshold=40",
            "--set",
            "target.stack.server.queue_transfer_size=15",
            "--set",
            "target.stack.server.queue_traffic_rpm=60",
            "--set",
            "subject.coupon.stock=300",
            "--set",
            "invariants=[]",
            "--set",
            "faults=[{ name: gone, redis: kill, after: 150s, for: 60s }]",
        ],
    );

    for watched in [&redlock, &redisson] {
        all_have_data(watched, "distributed-lock");
        all_have_data(watched, "system-health");
    }
    all_have_data(&queue, "system-health");
    all_have_data(&queue, "business");
    // A server has a cache or Kafka, and none has both.
    let infrastructure = "infrastructure";
    let both = [&redlock, &queue].map(|watched| empty(watched, infrastructure));
    let neither: Vec<_> = both[0].intersection(&both[1]).collect();
    assert!(neither.is_empty(), "{neither:#?}");
    variables_have_values(&queue, infrastructure);

    let all = [&redlock, &redisson, &queue];
    let known: BTreeSet<String> = all.iter().flat_map(|watched| watched.metrics()).collect();
    let mut unknown = BTreeMap::new();
    for (alert, expr) in rules() {
        let names = metrics_of(&expr);
        assert!(!names.is_empty(), "{alert}: {expr}");
        let missing: Vec<_> = names.difference(&known).cloned().collect();
        if !missing.is_empty() {
            unknown.insert(alert, missing);
        }
        // What Prometheus itself makes of it is no error, whether or not it fires.
        for watched in all {
            watched.numbers(&expr);
        }
    }
    assert!(unknown.is_empty(), "these can never fire: {unknown:#?}");
    // The rules are the ones that are evaluated, not only files beside it.
    assert!(queue.numbers("ALERTS{alertname=\"RedisDown\"}") > 0);
}

/// What a run has written for `InfluxDB`: line protocol, and when it was.
struct Recorded {
    lines: String,
    from_ms: u64,
    to_ms: u64,
}

/// More is due than its users can do, and the server is frozen for a while, which an alert notices.
fn scenario(prometheus: u16) -> String {
    let load = "constant_arrival_rate: { rate: 40/s, for: 14s, vus: 15 }";
    let scenario = Scenario::short().stock(200).load(load).to_string();
    let scenario = scenario.replace("timeout: 1m", "timeout: 1s");
    format!(
        "{scenario}alerts: {{ prometheus: \"http://127.0.0.1:{prometheus}\" }}
faults: [{{ name: frozen, server: freeze, after: 4s, for: 5s }}]
outputs:
  influxdb: [{{ file: attempts.lp, mode: raw }}, {{ file: seconds.lp }}]
"
    )
}

/// A short run in both modes of the output, as one text.
fn record_run() -> Recorded {
    let watch = Watch::start(1, "1s", None);
    let bench = Bench::new();
    bench.write("scenario.yaml", scenario(watch.prometheus.port));
    let mut running = bench.start_scenario(&[]);
    wait_until_loaded(&bench, &mut running);
    watch.watch(&servers(&bench.path("run/stack")));
    let ended = running.wait();
    assert!(matches!(ended.code, Some(99 | 111)), "{}", ended.all());
    let lines = ["attempts.lp", "seconds.lp"].map(|name| bench.read(&format!("run/{name}")));
    let lines = lines.concat();
    let times = lines
        .lines()
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
    let times: Vec<_> = times.map(|ns| ns / 1_000_000).collect();
    Recorded {
        from_ms: *times.iter().min().unwrap(),
        to_ms: *times.iter().max().unwrap() + 1,
        lines,
    }
}

/// `InfluxDB` 1.6, which is asked in `InfluxQL`, with the database `k6`.
fn influxdb() -> Service {
    let (port, rpc) = (free_port(), free_port());
    let directory = tempfile::tempdir().unwrap();
    let config = format!(
        "reporting-disabled = true
bind-address = \"127.0.0.1:{rpc}\"
[meta]
dir = \"meta\"
[data]
dir = \"data\"
wal-dir = \"wal\"
query-log-enabled = false
[http]
bind-address = \"127.0.0.1:{port}\"
log-enabled = false
"
    );
    std::fs::write(directory.path().join("influxdb.conf"), config).unwrap();
    let service = Service::start(directory, port, Signal::KILL, |place| {
        let mut command = Command::new(program("influxd"));
        command
            .current_dir(place)
            .args(["run", "-config", "influxdb.conf"]);
        command
    });
    let made = ask(
        port,
        "POST",
        &with("/query", &[("q", "CREATE DATABASE k6")]),
        "",
    );
    assert!(!made.contains("error"), "{made}");
    service
}

fn ask_influxdb(port: u16, query: &str) -> Value {
    let path = with("/query", &[("db", "k6"), ("epoch", "ms"), ("q", query)]);
    let answer = ask(port, "GET", &path, "");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let result = &answer["results"][0];
    assert!(result["error"].is_null(), "{query}\n{result}");
    result["series"].clone()
}

/// Whether there is something but times and nothing.
fn has_values(series: &Value) -> bool {
    let series = series.as_array().into_iter().flatten();
    let rows = series.flat_map(|one| one["values"].as_array().into_iter().flatten());
    let mut cells = rows.flat_map(|row| row.as_array().unwrap().iter().skip(1));
    cells.any(|cell| !cell.is_null() && cell != "")
}

#[test]
fn every_query_of_influxdb_has_data_of_a_run() {
    let run = record_run();
    let influxdb = influxdb();
    let written = ask(
        influxdb.port,
        "POST",
        "/write?db=k6&precision=ns",
        &run.lines,
    );
    assert_eq!(written, "", "{written}");
    let dashboard = dashboard("load-test");
    // What Grafana puts in the place of its macros for this time range.
    let during = format!("time >= {}ms and time <= {}ms", run.from_ms, run.to_ms);
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        let query = variable["query"].as_str().unwrap();
        let values = ask_influxdb(influxdb.port, query);
        assert!(has_values(&values), "{query}: {values}");
    }
    let mut empty = Vec::new();
    for (title, query) in queries(&dashboard) {
        let query = query
            .replace("$timeFilter", &during)
            .replace("$__interval", "2s")
            .replace("$testid", ".*");
        assert!(
            !query.contains('$') || query.contains("$/"),
            "{title}: {query}"
        );
        if !has_values(&ask_influxdb(influxdb.port, &query)) {
            empty.push((title, query));
        }
    }
    assert!(empty.is_empty(), "{empty:#?}");
    // A run that is not there shows nothing: the variable narrows.
    let other = format!(
        "SELECT count(\"value\") FROM \"http_reqs\" WHERE \"testid\" =~ /^no-such-run$/ AND {during}"
    );
    assert!(!has_values(&ask_influxdb(influxdb.port, &other)));
}
