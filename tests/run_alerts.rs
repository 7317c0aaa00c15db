//! A run watches alerts: a real Prometheus notices a server that is broken, or does not, or cannot
//! be asked; and what each of them is worth.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/own.rs"]
mod own;
#[allow(dead_code, reason = "shared by several tests")]
mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};

use harness::claims::get;
use harness::scenario::Scenario;
use harness::{Bench, Ended, verdict_of, wait_until};
use own::Own;
use rustix::process::Signal;
use serde_json::Value;
use support::{Service, free_port, program};

/// Fires while the server does not answer (one look that takes too long is none), never, and always.
const RULES: &str = "groups:
  - name: coupon
    rules:
      - { alert: ServerDown, expr: 'up{job=\"coupon\"} == 0', for: 1s, labels: { severity: P0 } }
      - { alert: NeverFires, expr: 'up{job=\"coupon\"} > 1' }
      - { alert: AlwaysFires, expr: 'vector(1)' }
";

/// The process of the server stops answering for four seconds of nine.
const FROZEN: &str = "name: frozen, server: freeze, after: 2s, for: 4s";

const BY_ALERT: &str = "detection{fault:frozen,by:alert}: value<30s";

/// Looks at the server twice a second; ready when it has seen it, and the rule that always fires.
fn prometheus(own: &Own) -> Service {
    let directory = tempfile::tempdir().unwrap();
    let target = own.url().trim_start_matches("http://");
    let config = format!(
        "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }}
rule_files: [ rules.yml ]
scrape_configs:
  - {{ job_name: coupon, static_configs: [ {{ targets: [ \"{target}\" ] }} ] }}
"
    );
    std::fs::write(directory.path().join("prometheus.yml"), config).unwrap();
    std::fs::write(directory.path().join("rules.yml"), RULES).unwrap();
    let (port, binary) = (free_port(), program("prometheus"));
    let service = Service::start(directory, port, Signal::KILL, move |place| {
        let mut command = Command::new(&binary);
        command
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!(
                "--config.file={}",
                place.join("prometheus.yml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                place.join("data").display()
            ))
            .arg("--log.level=warn");
        command
    });
    wait_until("the server was looked at", || {
        let up = get(port, "/api/v1/query?query=up");
        up.contains("\"1\"]") && get(port, "/api/v1/alerts").contains("AlwaysFires")
    });
    service
}

/// `scenario.yaml` of a server that is frozen, with these alerts and their threshold.
fn scenario(bench: &Bench, own: &Own, alerts: &str) {
    let parts = "parts: { server: { pid_file: app.pid } }";
    own.scenario(bench, parts, "9s", &[FROZEN]);
    let text = bench.read("scenario.yaml");
    let (key, limit) = BY_ALERT.split_once(": ").unwrap();
    let more = format!("alerts: {alerts}\nthresholds: {{ \"{key}\": \"{limit}\" }}\n");
    bench.write("scenario.yaml", text + &more);
}

fn warned(summary: &Value, words: &str) -> bool {
    let mut warnings = summary["warnings"].as_array().unwrap().iter();
    warnings.any(|warning| warning.as_str().unwrap().contains(words))
}

/// The changes of alerts in `events.jsonl`.
fn changes(bench: &Bench) -> Vec<Value> {
    let events = bench.read("run/events.jsonl");
    let events = events
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    events
        .filter(|event: &Value| event["event"] == "alert")
        .collect()
}

#[test]
fn prometheus_notices_a_server_that_does_not_answer() {
    let bench = Bench::new();
    let own = Own::start(&bench);
    let prometheus = prometheus(&own);
    let port = prometheus.port;
    scenario(
        &bench,
        &own,
        &format!("{{ prometheus: \"http://127.0.0.1:{port}\" }}"),
    );
    let ended = own::start(&bench).wait();
    let summary = bench.summary();
    let fault = &summary["faults"][0];
    let alerts = fault["alerts"].as_array().unwrap();
    // What fired before notices nothing, and what never fires neither.
    let names: Vec<_> = alerts.iter().map(|alert| &alert["alert"]).collect();
    assert_eq!(names, ["ServerDown"], "{fault:#}\n{}", ended.all());
    assert_eq!(alerts[0]["labels"]["severity"], "P0", "{fault:#}");
    let (fired, cleared) = (
        alerts[0]["fired_ms"].as_f64(),
        alerts[0]["cleared_ms"].as_f64(),
    );
    assert!(fired > Some(0.0) && cleared > fired, "{fault:#}");
    assert_eq!(fault["noticed_ms"]["alert"].as_f64(), fired, "{fault:#}");
    assert!(fault["noticed_ms"]["effect"].is_number(), "{fault:#}");
    let judged = verdict_of(&summary, "thresholds", BY_ALERT);
    assert_eq!(judged["verdict"], "pass", "{judged}");
    assert!(warned(
        &summary,
        "alerts that fired before the load notice no fault: `AlwaysFires`"
    ));
    assert!(
        ended.stderr.contains("alert ServerDown: fires"),
        "{}",
        ended.all()
    );
    for text in [ended.stdout, bench.read("run/report.md")] {
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains("alert `ServerDown` (instance"), "{text}");
    }

    // An old directory knows it, without anybody who could be asked.
    drop(prometheus);
    bench.run(&["report", "run"]).expect(0);
    assert_eq!(&bench.summary()["faults"][0], fault);
}

#[test]
fn an_alert_that_never_fires_is_no_data_and_breaks_its_threshold() {
    let bench = Bench::new();
    let own = Own::start(&bench);
    let prometheus = prometheus(&own);
    let port = prometheus.port;
    let alerts = format!("{{ prometheus: \"http://127.0.0.1:{port}\", only: NeverFires }}");
    scenario(&bench, &own, &alerts);
    let ended = own::start(&bench).wait().expect(99);
    let summary = bench.summary();
    let fault = &summary["faults"][0];
    assert_eq!(fault["alerts"], Value::Array(Vec::new()), "{fault:#}");
    assert!(fault["alerts_silent"].is_null(), "{fault:#}");
    let judged = verdict_of(&summary, "thresholds", BY_ALERT);
    let why = "no data (`frozen` was not noticed by an alert: none began to fire), limit";
    assert!(
        judged["detail"].as_str().unwrap().starts_with(why),
        "{judged}"
    );
    assert!(!warned(&summary, "alerts"), "{}", ended.all());
    assert!(
        bench
            .read("run/report.md")
            .contains("no alert began to fire")
    );
}

#[test]
fn a_prometheus_that_falls_silent_is_not_taken_for_one_that_sees_nothing() {
    let bench = Bench::new();
    let own = Own::start(&bench);
    let mut prometheus = prometheus(&own);
    let port = prometheus.port;
    scenario(
        &bench,
        &own,
        &format!("{{ prometheus: \"http://127.0.0.1:{port}\" }}"),
    );
    let running = own::start(&bench);
    wait_until("the load has begun", || {
        let events = std::fs::read_to_string(bench.path("run/events.jsonl"));
        events.is_ok_and(|events| events.contains("load_started"))
    });
    prometheus.stop();
    let ended: Ended = running.wait().expect(99);
    let summary = bench.summary();
    let fault = &summary["faults"][0];
    assert_eq!(fault["state"], "healed", "{fault:#}");
    let judged = verdict_of(&summary, "thresholds", BY_ALERT);
    let why = "no data (`frozen` was not seen by an alert: prometheus was silent: ";
    assert!(
        judged["detail"].as_str().unwrap().starts_with(why),
        "{judged}"
    );
    assert!(warned(&summary, "alerts were not watched "), "{summary:#}");
    assert!(
        ended.stderr.contains("alerts are not watched"),
        "{}",
        ended.all()
    );
    let report = bench.read("run/report.md");
    assert!(report.contains("not seen by an alert"), "{report}");
}

#[test]
fn alerts_that_cannot_be_watched_end_the_run_before_its_load() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let bench = Bench::new();
    let scenario = Scenario::short();
    bench.write(
        "scenario.yaml",
        format!("{scenario}alerts: {{ prometheus: \"{url}\" }}\n"),
    );
    let ended = bench.run_scenario(&[]).expect(113);
    let words = format!("alerts cannot be watched: {url}/api/v1/alerts: ");
    assert!(ended.stderr.contains(&words), "{}", ended.all());
    assert!(
        ended.stderr.contains("hint: `alerts.prometheus`"),
        "{}",
        ended.all()
    );
    assert!(!bench.read("run/events.jsonl").contains("load_started"));
}

/// Answers each question as a Prometheus without alerts would, but only to who proves himself.
fn guarded(token: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(&stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|n| n > 0) {}
            let (status, body) = if head.contains(token) {
                ("200 OK", r#"{"status":"success","data":{"alerts":[]}}"#)
            } else {
                ("401 Unauthorized", "who are you?")
            };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            kept.lock().unwrap().push(head);
            let _ = (&stream).write_all(answer.as_bytes());
        }
    });
    (port, heads)
}

#[test]
fn who_asks_proves_himself_and_no_file_repeats_with_what() {
    const TOKEN: &str = "t0p-s3cret-token";
    let (port, heads) = guarded(TOKEN);
    let bench = Bench::new();
    let run = |token: &str| {
        let scenario = Scenario::short().load("constant_vus: { vus: 2, for: 3s }");
        let alerts =
            "prometheus: \"http://127.0.0.1:${PORT}/prom\", auth: { bearer: \"${TOKEN}\" }";
        bench.write(
            "scenario.yaml",
            format!("{scenario}alerts: {{ {alerts} }}\n"),
        );
        let args = ["run", "scenario.yaml", "--out", "run"];
        let running = bench.start_with(&args, |command| {
            command.env("PORT", port.to_string()).env("TOKEN", token);
        });
        running.wait()
    };
    let ended = run("wr0ng-token").expect(113);
    assert!(ended.stderr.contains("answered 401"), "{}", ended.all());
    assert!(!ended.all().contains("wr0ng"), "{}", ended.all());
    std::fs::remove_dir_all(bench.path("run")).unwrap();

    let ended = run(TOKEN);
    assert!(matches!(ended.code, Some(0 | 111 | 112)), "{}", ended.all());
    let asked = heads.lock().unwrap();
    assert!(
        asked
            .iter()
            .all(|head| head.starts_with("GET /prom/api/v1/alerts "))
    );
    let changes = changes(&bench);
    let (first, last) = (changes.first().unwrap(), changes.last().unwrap());
    assert_eq!(first["change"], "watched", "{changes:?}");
    assert_eq!(
        (&last["change"], &last["missed"]),
        (&"ended".into(), &0.into())
    );
    assert!(last["readings"].as_u64() >= Some(3), "{last}");
    for file in std::fs::read_dir(bench.path("run")).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(TOKEN), "{}", path.display());
    }
}
