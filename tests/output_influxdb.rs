//! Points leave a run to real stores: InfluxDB, which may be killed meanwhile, and VictoriaMetrics.
//! What arrives there is counted there, and compared with what the run has counted itself.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/harness/mod.rs"]
mod harness;
#[allow(dead_code, reason = "shared by several tests")]
mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use harness::claims::get;
use harness::scenario::Scenario;
use harness::{Bench, wait_until};
use rustix::process::Signal;
use serde_json::Value;
use support::{Service, free_port, program};

const PASSWORD: &str = "hunter2-influx";

/// An InfluxDB 1 with the database `load`; who may write is asked if `auth` says so.
fn influxdb(port: u16, auth: bool) -> Service {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().display();
    let rpc = free_port();
    let config = format!(
        "reporting-disabled = true
bind-address = \"127.0.0.1:{rpc}\"
[meta]
  dir = \"{place}/meta\"
[data]
  dir = \"{place}/data\"
  wal-dir = \"{place}/wal\"
[http]
  bind-address = \"127.0.0.1:{port}\"
  auth-enabled = {auth}
[monitor]
  store-enabled = false
"
    );
    std::fs::write(directory.path().join("influxdb.conf"), config).unwrap();
    let binary = program("influxd");
    let service = Service::start(directory, port, Signal::KILL, move |place| {
        let mut command = Command::new(&binary);
        command.arg("-config").arg(place.join("influxdb.conf"));
        command
    });
    // Without a user nobody would be asked who he is.
    let query = if auth {
        "CREATE USER admin WITH PASSWORD 'another' WITH ALL PRIVILEGES"
    } else {
        "CREATE DATABASE load"
    };
    let query = query.replace(' ', "%20").replace('\'', "%27");
    let created = post(port, &format!("/query?q={query}"));
    assert!(created.contains("200 OK"), "{created}");
    service
}

fn victoria_metrics() -> Service {
    let directory = tempfile::tempdir().unwrap();
    let (port, binary) = (free_port(), program("victoria-metrics"));
    Service::start(directory, port, Signal::KILL, move |place| {
        let mut command = Command::new(&binary);
        command
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            .arg(format!("-storageDataPath={}", place.join("data").display()));
        command
    })
}

fn post(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The only number of the only row, 0 without one.
fn asked(port: u16, query: &str) -> u64 {
    let query = query.replace(' ', "%20").replace('\'', "%27");
    let answer = get(port, &format!("/query?db=load&q={query}"));
    // The body may come in chunks.
    let json = &answer[answer.find('{').unwrap()..=answer.rfind('}').unwrap()];
    let answer: Value = serde_json::from_str(json).unwrap();
    let rows = &answer["results"][0]["series"][0]["values"];
    rows[0][1].as_f64().unwrap_or(0.0) as u64
}

/// All values of the metric.
fn exported(port: u16, metric: &str) -> Vec<f64> {
    get(port, "/internal/force_flush");
    let answer = get(port, &format!("/api/v1/export?match[]={metric}"));
    let lines = answer.lines().filter(|line| line.starts_with('{'));
    let series = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let values = series.flat_map(|series| series["values"].as_array().unwrap().clone());
    values.map(|value| value.as_f64().unwrap()).collect()
}

fn bench(scenario: &Scenario, outputs: &str) -> Bench {
    let bench = Bench::new();
    bench.write(
        "scenario.yaml",
        format!("{scenario}outputs: {{ {outputs} }}\n"),
    );
    bench
}

/// A run with figures of its own: how many requests, and its outputs in their order.
fn told(bench: &Bench) -> (u64, Vec<Value>) {
    let summary = bench.summary();
    let requests = summary["requests"].as_u64().unwrap();
    assert!(requests > 0, "{summary:#}");
    (requests, summary["outputs"].as_array().unwrap().clone())
}

fn count(output: &Value, key: &str) -> u64 {
    output[key].as_u64().unwrap_or_else(|| panic!("{output:#}"))
}

/// The lines of a measurement.
fn lines_of<'t>(text: &'t str, measurement: &str) -> Vec<&'t str> {
    let begin = format!("{measurement},");
    text.lines()
        .filter(|line| line.starts_with(&begin))
        .collect()
}

fn value(line: &str) -> f64 {
    let (_, behind) = line.split_once(" value=").unwrap();
    let number = behind.split([',', ' ']).next().unwrap();
    number.parse().unwrap()
}

/// Waits until the run has told of so many seconds of its load.
fn wait_for_second(bench: &Bench, seconds: usize) {
    wait_until("the load goes on", || {
        let told = std::fs::read_to_string(bench.path("run/seconds.jsonl"));
        told.is_ok_and(|told| told.lines().count() >= seconds)
    });
}

#[test]
fn files_hold_every_attempt_or_the_sums_of_each_second() {
    let outputs = "json: { file: a.jsonl, mode: raw }, csv: { file: a.csv, mode: raw }, \
                   influxdb: [ { file: raw.lp, mode: raw, testid: a b }, \
                               { file: sums.lp, tags: { region: eu } }, \
                               { file: some.lp, mode: sample(1/4) } ]";
    let bench = bench(&Scenario::short(), outputs);
    bench.run_scenario(&[]).expect(0);
    let (requests, outputs) = told(&bench);
    for output in &outputs {
        assert_eq!(count(output, "points_dropped"), 0, "{output:#}");
        assert!(output["last_error"].is_null(), "{output:#}");
    }
    let json = bench.read("run/a.jsonl");
    let attempts = json
        .lines()
        .filter(|line| line.contains("\"type\":\"attempt\""));
    assert_eq!(attempts.count() as u64, requests);
    assert_eq!(bench.read("run/a.csv").lines().count() as u64, requests + 1);
    let raw = bench.read("run/raw.lp");
    for measurement in ["http_reqs", "http_req_duration", "http_req_failed"] {
        let lines = lines_of(&raw, measurement);
        assert_eq!(lines.len() as u64, requests, "{measurement}");
        assert!(lines.iter().all(|line| line.contains(",testid=a\\ b,")));
    }
    // Two points of one series and time would be one.
    let mut series: Vec<(String, String)> = raw
        .lines()
        .filter(|line| !line.starts_with("fcfs_events,"))
        .map(|line| {
            let line = line.replace("\\ ", "_");
            let (series, rest) = line.split_once(' ').unwrap();
            (
                series.to_owned(),
                rest.rsplit(' ').next().unwrap().to_owned(),
            )
        })
        .collect();
    let all = series.len();
    series.sort_unstable();
    series.dedup();
    assert_eq!(series.len(), all);
    for file in ["run/sums.lp", "run/some.lp"] {
        let text = bench.read(file);
        let sum: f64 = lines_of(&text, "http_reqs").into_iter().map(value).sum();
        assert_eq!(sum as u64, requests, "{file}");
    }
    let sums = bench.read("run/sums.lp");
    assert!(lines_of(&sums, "http_req_duration").is_empty());
    assert!(!lines_of(&sums, "fcfs_interval").is_empty());
    assert!(
        sums.lines().all(|line| line.contains(",region=eu")),
        "{sums}"
    );
    let some = bench.read("run/some.lp");
    let sampled = lines_of(&some, "http_req_duration").len() as u64;
    assert!(
        sampled > requests / 16 && sampled < requests / 2,
        "{sampled}"
    );
    let report = bench.read("run/report.md");
    assert!(report.contains("| `influxdb raw.lp` |"), "{report}");
}

#[test]
fn every_request_is_a_point_in_influxdb() {
    let port = free_port();
    let _store = influxdb(port, false);
    let outputs = format!(
        "influxdb: {{ url: \"http://127.0.0.1:{port}\", db: load, mode: raw, batch: 700, \
         testid: \"a,b=c d\" }}"
    );
    let bench = bench(&Scenario::short(), &outputs);
    bench.run_scenario(&[]).expect(0);
    let (requests, outputs) = told(&bench);
    assert_eq!(asked(port, "SELECT COUNT(value) FROM http_reqs"), requests);
    let named = "SELECT COUNT(value) FROM http_req_duration WHERE testid='a,b=c d'";
    assert_eq!(asked(port, named), requests);
    assert_eq!(
        asked(
            port,
            "SELECT SUM(\"count\") FROM fcfs_interval"
                .replace('"', "%22")
                .as_str()
        ),
        requests
    );
    assert_eq!(asked(port, "SELECT SUM(value) FROM iterations"), 400);
    assert!(asked(port, "SELECT COUNT(remaining) FROM fcfs_stock") > 0);
    assert_eq!(
        asked(
            port,
            "SELECT COUNT(title) FROM fcfs_events WHERE kind='phase'"
        ),
        1
    );
    assert_eq!(count(&outputs[0], "points_dropped"), 0, "{outputs:#?}");
    assert_eq!(count(&outputs[0], "points_spooled_left"), 0, "{outputs:#?}");
    assert!(!bench.path("run/spool").exists());
}

#[test]
fn victoria_metrics_counts_the_same() {
    let store = victoria_metrics();
    let port = store.port;
    let to = format!("url: \"http://127.0.0.1:{port}\"");
    let outputs = format!(
        "influxdb: [ {{ {to}, org: o, bucket: b, mode: raw, tags: {{ how: raw }} }}, \
         {{ {to}, db: load, tags: {{ how: sums }}, gzip: false }} ]"
    );
    let bench = bench(&Scenario::short(), &outputs);
    bench.run_scenario(&[]).expect(0);
    let (requests, outputs) = told(&bench);
    for output in &outputs {
        assert_eq!(count(output, "points_dropped"), 0, "{output:#}");
        assert_eq!(count(output, "points_spooled_left"), 0, "{output:#}");
    }
    // Its times are milliseconds, and it keeps every value of one.
    let raw = exported(port, "http_reqs_value%7Bhow=%22raw%22%7D");
    assert_eq!(raw.len() as u64, requests);
    let sums = exported(port, "http_reqs_value%7Bhow=%22sums%22%7D");
    assert_eq!(sums.iter().sum::<f64>() as u64, requests);
    let counts = exported(port, "fcfs_interval_count%7Bhow=%22sums%22%7D");
    assert_eq!(counts.iter().sum::<f64>() as u64, requests);
}

#[test]
fn nothing_is_lost_of_a_store_that_is_killed_and_comes_back() {
    let port = free_port();
    let mut store = influxdb(port, false);
    let outputs =
        format!("influxdb: {{ url: \"http://127.0.0.1:{port}\", db: load, mode: raw, drain: 2m }}");
    let load = "constant_vus: { vus: 4, for: 30s }";
    let scenario = Scenario::short().load(load).think("20ms");
    let bench = bench(&scenario, &outputs);
    let running = bench.start_scenario(&[]);
    wait_for_second(&bench, 4);
    store.stop();
    wait_for_second(&bench, 24);
    store.start_again();
    let ended = running.wait().expect(0);
    let (requests, outputs) = told(&bench);
    assert_eq!(
        asked(port, "SELECT COUNT(value) FROM http_reqs"),
        requests,
        "{}",
        ended.all()
    );
    let output = &outputs[0];
    assert_eq!(count(output, "points_dropped"), 0, "{output:#}");
    assert_eq!(count(output, "points_spooled_left"), 0, "{output:#}");
    assert!(count(output, "retries") > 0, "{output:#}");
    assert!(
        ended.stderr.contains("does not take points"),
        "{}",
        ended.all()
    );
    assert!(
        ended.stderr.contains("takes points again"),
        "{}",
        ended.all()
    );
    assert!(!bench.path("run/spool").exists());
}

#[test]
fn what_has_no_place_is_counted_and_what_is_left_can_be_sent_by_hand() {
    let port = free_port();
    let outputs = format!(
        "influxdb: [ {{ url: \"http://127.0.0.1:{port}\", db: load, mode: raw, batch: 200, \
         spool: 20kB, drain: 1s }}, {{ file: all.lp, mode: raw }} ]"
    );
    let bench = bench(&Scenario::short(), &outputs);
    bench.run_scenario(&[]).expect(0);
    let (_, outputs) = told(&bench);
    let output = &outputs[0];
    let (dropped, left) = (
        count(output, "points_dropped"),
        count(output, "points_spooled_left"),
    );
    assert_eq!(count(output, "points_written"), 0, "{output:#}");
    assert!(dropped > 0 && left > 0, "{output:#}");
    let all = bench.read("run/all.lp").lines().count() as u64;
    assert_eq!(dropped + left, all, "{output:#}");
    let report = bench.read("run/report.md");
    assert!(report.contains("are left in the run directory"), "{report}");

    let spool = bench.path("run/spool/influxdb-1");
    let (bytes, points) = spooled(&spool);
    assert!(bytes <= 20_000, "{bytes}");
    assert_eq!(points, left);
    let command = output["resend"].as_str().unwrap();
    assert!(report.contains(command.lines().next().unwrap()), "{report}");
    let _store = influxdb(port, false);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).current_dir(bench.path("run"));
    let sent = shell.output().unwrap();
    assert!(sent.status.success(), "{sent:?}");
    let arrived: u64 = [
        "http_reqs",
        "http_req_duration",
        "http_req_failed",
        "http_req_blocked",
    ]
    .iter()
    .map(|name| asked(port, &format!("SELECT COUNT(value) FROM {name}")))
    .sum();
    assert!(arrived > 0 && arrived <= left, "{arrived} of {left}");
    assert_eq!(spooled(&spool), (0, 0));
}

/// A store that nobody starts, with little room for what waits for it.
fn nobody_there(port: u16) -> String {
    format!(
        "influxdb: {{ url: \"http://127.0.0.1:{port}\", db: load, mode: raw, batch: 200, \
         spool: 20kB, drain: 0 }}"
    )
}

#[test]
fn points_without_a_place_are_counted_while_the_run_goes_on() {
    let page = free_port();
    let outputs = format!(
        "{}, prometheus: {{ listen: \"127.0.0.1:{page}\" }}",
        nobody_there(free_port())
    );
    let load = "constant_vus: { vus: 4, for: 12s }";
    let bench = bench(&Scenario::short().load(load).think("10ms"), &outputs);
    let mut running = bench.start_scenario(&[]);
    let mut counted = 0.0;
    wait_until("points are dropped", || {
        assert!(!running.has_ended(), "{}", running.stderr());
        if TcpStream::connect(("127.0.0.1", page)).is_ok() {
            counted = dropped(&get(page, "/metrics"));
        }
        counted > 0.0
    });
    running.wait().expect(0);
    let (_, outputs) = told(&bench);
    let in_all = count(&outputs[0], "points_dropped") as f64;
    assert!(counted <= in_all, "{counted} of {in_all}");
}

/// What the page says of the points that InfluxDB was not given.
fn dropped(page: &str) -> f64 {
    let line = page.lines().find(|line| {
        line.starts_with("fcfs_output_dropped_points_total{")
            && line.contains("output=\"influxdb\"")
    });
    let value = line.and_then(|line| line.rsplit(' ').next());
    value.map_or(0.0, |value| value.parse().unwrap())
}

#[test]
fn what_a_killed_run_leaves_can_be_sent_as_the_documentation_says() {
    let port = free_port();
    let load = "constant_vus: { vus: 4, for: 2m }";
    let scenario = Scenario::short().load(load).think("10ms");
    let bench = bench(&scenario, &nobody_there(port));
    let running = bench.start_scenario(&[]);
    let spool = bench.path("run/spool/influxdb-1");
    wait_until("batches are on disk", || {
        std::fs::read_dir(&spool).is_ok_and(|files| files.count() >= 3)
    });
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code, None);
    let (_, left) = spooled(&spool);
    assert!(left > 0);

    let docs = include_str!("../docs/outputs.md");
    let (_, killed) = docs.split_once("### What a killed run leaves").unwrap();
    let command = killed.split("```").nth(1).unwrap();
    let command = command
        .trim_start_matches("sh")
        .replace("8086", &port.to_string());
    let _store = influxdb(port, false);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).current_dir(bench.path("run"));
    let sent = shell.output().unwrap();
    assert!(sent.status.success(), "{sent:?}");
    assert!(asked(port, "SELECT COUNT(value) FROM http_reqs") > 0);
    assert_eq!(spooled(&spool), (0, 0));
}

/// Bytes and points of the files.
fn spooled(directory: &Path) -> (u64, u64) {
    let (mut bytes, mut points) = (0, 0);
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "gz") {
            continue;
        }
        let file = std::fs::read(path).unwrap();
        bytes += file.len() as u64;
        let mut text = String::new();
        flate2::read::GzDecoder::new(file.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        points += text.lines().count() as u64;
    }
    (bytes, points)
}

#[test]
fn a_store_that_does_not_know_us_is_said_at_once_and_keeps_no_secret() {
    let port = free_port();
    let _store = influxdb(port, true);
    let outputs = format!(
        "influxdb: {{ url: \"http://127.0.0.1:{port}\", db: load, user: k6, \
         password: \"${{INFLUX_PASSWORD}}\", every: 100ms, drain: 0 }}"
    );
    let load = "constant_vus: { vus: 2, for: 3s }";
    let bench = bench(&Scenario::short().load(load).think("20ms"), &outputs);
    let out = bench.path("run").display().to_string();
    let mut running = bench.start_with(&["run", "scenario.yaml", "--out", &out], |command| {
        command.env("INFLUX_PASSWORD", PASSWORD);
    });
    running.wait_until_it_says("does not let us write: HTTP 401");
    assert!(!running.has_ended());
    let ended = running.wait().expect(0);
    let (_, outputs) = told(&bench);
    assert_eq!(count(&outputs[0], "points_written"), 0, "{outputs:#?}");
    assert!(
        count(&outputs[0], "points_spooled_left") > 0,
        "{outputs:#?}"
    );
    let all = ended.all();
    assert!(!all.contains(PASSWORD), "{all}");
    for entry in std::fs::read_dir(bench.path("run")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(PASSWORD), "{}", path.display());
        }
    }
}
