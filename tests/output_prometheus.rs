//! The metrics of a run as Prometheus has them: scraped while it goes on, or written to it and to
//! `VictoriaMetrics`; what they add up to, and what is left when nobody takes them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/harness/mod.rs"]
mod harness;
#[allow(dead_code, reason = "shared by several tests")]
mod support;

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use harness::claims::get;
use harness::scenario::Scenario;
use harness::{Bench, Running, wait_until};
use rustix::process::Signal;
use serde_json::Value;
use support::{Service, free_port, program};

/// Some requests for some seconds.
fn scenario() -> Scenario {
    Scenario::short()
        .load("constant_vus: { vus: 4, for: 6s }")
        .think("10ms")
}

/// `scenario.yaml` with these outputs.
fn with_outputs(scenario: &Scenario, outputs: &str) -> Bench {
    let bench = Bench::new();
    let text = format!("{scenario}outputs: {{ prometheus: {{ {outputs} }} }}\n");
    bench.write("scenario.yaml", text);
    bench
}

/// Looks at this port twice a second, if it is to look at any, and takes what is written to it.
fn prometheus(port: u16, scraped: Option<u16>) -> Service {
    let directory = tempfile::tempdir().unwrap();
    let targets = scraped.map_or(String::new(), |port| format!("\"127.0.0.1:{port}\""));
    let config = format!(
        "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms }}
scrape_configs:
  - {{ job_name: load, static_configs: [ {{ targets: [ {targets} ] }} ] }}
"
    );
    std::fs::write(directory.path().join("prometheus.yml"), config).unwrap();
    let binary = program("prometheus");
    Service::start(directory, port, Signal::KILL, move |place| {
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
            .arg("--web.enable-remote-write-receiver")
            .arg("--log.level=warn");
        command
    })
}

fn victoria_metrics(port: u16) -> Service {
    let binary = program("victoria-metrics");
    let directory = tempfile::tempdir().unwrap();
    Service::start(directory, port, Signal::KILL, move |place| {
        let mut command = Command::new(&binary);
        command
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            .arg(format!("-storageDataPath={}", place.join("data").display()))
            // What was just written is asked for.
            .arg("-search.latencyOffset=0s")
            .arg("-search.disableCache");
        command
    })
}

/// The values that a query has now, in the order of their series.
fn values(port: u16, query: &str) -> Vec<f64> {
    let mut path = "/api/v1/query?query=".to_owned();
    for byte in query.bytes() {
        write!(path, "%{byte:02X}").unwrap();
    }
    let answer = get(port, &path);
    let (from, to) = (answer.find('{').unwrap(), answer.rfind('}').unwrap());
    let answer: Value = serde_json::from_str(&answer[from..=to]).unwrap();
    assert_eq!(answer["status"], "success", "{answer}");
    let series = answer["data"]["result"].as_array().unwrap();
    let value = |one: &Value| one["value"][1].as_str().unwrap().parse().unwrap();
    series.iter().map(value).collect()
}

/// What a counter has come to, although its series may have ended.
fn total(port: u16, counter: &str) -> f64 {
    let sum = values(port, &format!("sum(last_over_time({counter}[10m]))"));
    sum.first().copied().unwrap_or_default()
}

fn is(port: u16, counter: &str, expected: f64) -> bool {
    (total(port, counter) - expected).abs() < 0.5
}

/// All sums that reports have as well.
fn expect_the_sums_of(summary: &Value, port: u16) {
    let expect = |counter: &str, expected: &Value| {
        let (got, expected) = (total(port, counter), expected.as_f64().unwrap());
        assert!(
            (got - expected).abs() < 0.5,
            "{counter}: {got}, not {expected}"
        );
    };
    let requests = &summary["requests"];
    assert!(requests.as_u64() > Some(100), "{requests}");
    expect("fcfs_requests_total", requests);
    for (outcome, count) in summary["outcomes"].as_object().unwrap() {
        expect(
            &format!("fcfs_requests_total{{outcome=\"{outcome}\"}}"),
            count,
        );
    }
    expect("fcfs_response_time_seconds_count", requests);
    expect("fcfs_service_time_seconds_bucket{le=\"+Inf\"}", requests);
    expect("fcfs_data_sent_bytes_total", &summary["data_sent"]);
    expect("fcfs_data_received_bytes_total", &summary["data_received"]);
    expect(
        "fcfs_iterations_total{load=\"opening\"}",
        &summary["loads"][0]["iterations"],
    );
}

fn wait_for_page(running: &mut Running, port: u16, line: &str) -> String {
    let mut page = String::new();
    wait_until(line, || {
        assert!(!running.has_ended(), "{}", running.stderr());
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            page = get(port, "/metrics");
        }
        page.lines().any(|one| one == line)
    });
    page
}

/// What `promtool` says of a page; nothing is good.
fn checked(page: &str) -> String {
    let mut promtool = Command::new(program("promtool"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(page.as_bytes())
        .unwrap();
    let output = promtool.wait_with_output().unwrap();
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The only output of the run.
fn output_of(summary: &Value) -> &Value {
    let outputs = summary["outputs"].as_array().unwrap();
    assert_eq!(outputs.len(), 1, "{summary:#}");
    &outputs[0]
}

#[test]
fn prometheus_that_scrapes_a_run_has_its_sums_and_saw_its_fault() {
    let (port, store) = (free_port(), free_port());
    let fault = "client: { delay: 20ms }, after: 2s, for: 2s";
    let bench = Bench::with_fault(&scenario(), fault);
    let prometheus = prometheus(store, Some(port));
    // It begins to look some seconds after its start.
    wait_until("prometheus looks", || {
        get(store, "/api/v1/query?query=up").contains("\"result\":[{")
    });
    let mut running = bench.start_scenario(&["--metrics", &format!("127.0.0.1:{port}")]);
    let page = wait_for_page(&mut running, port, "fcfs_fault_active{fault=\"it\"} 1");
    assert_eq!(checked(&page), "", "{page}");
    // The check would say something of a page that is wrong.
    assert_ne!(
        checked(&page.replace("# HELP fcfs_vus", "# HELP other")),
        ""
    );
    running.wait().expect(0);
    let summary = bench.summary();
    expect_the_sums_of(&summary, prometheus.port);
    for (query, expected) in [
        ("max_over_time(fcfs_fault_active{fault=\"it\"}[10m])", 1.0),
        (
            "max_over_time(fcfs_fault_effect_seen{fault=\"it\"}[10m])",
            1.0,
        ),
        ("last_over_time(fcfs_fault_active{fault=\"it\"}[10m])", 0.0),
        ("max_over_time(fcfs_vus[10m])", 4.0),
        ("last_over_time(fcfs_vus[10m])", 0.0),
        (
            "max_over_time(fcfs_phase_active{load=\"opening\"}[10m])",
            1.0,
        ),
        (
            "last_over_time(fcfs_phase_active{load=\"opening\"}[10m])",
            0.0,
        ),
        (
            "last_over_time(fcfs_run_info{name=\"front-door\",testid=\"run\"}[10m])",
            1.0,
        ),
    ] {
        let got = values(prometheus.port, query);
        let is_so = |got: &f64| (got - expected).abs() < 1e-9;
        assert!(!got.is_empty() && got.iter().all(is_so), "{query}: {got:?}");
    }
    let output = output_of(&summary);
    assert!(output["points_written"].as_u64() > Some(1_000), "{output}");
    TcpListener::bind(("127.0.0.1", port)).expect("the port is free again");
}

#[test]
fn remote_write_brings_the_same_sums_to_who_takes_it_and_ends_its_series() {
    for name in ["prometheus", "victoria-metrics"] {
        let store = match name {
            "prometheus" => prometheus(free_port(), None),
            _ => victoria_metrics(free_port()),
        };
        let url = format!("http://127.0.0.1:{}/api/v1/write", store.port);
        let outputs = format!("remote_write: {{ url: \"{url}\", every: 1s }}");
        let bench = with_outputs(&scenario(), &outputs);
        bench.run_scenario(&[]).expect(0);
        let summary = bench.summary();
        let requests = summary["requests"].as_f64().unwrap();
        wait_until(name, || is(store.port, "fcfs_requests_total", requests));
        expect_the_sums_of(&summary, store.port);
        let output = output_of(&summary);
        assert_eq!(output["points_dropped"], 0, "{name}: {output}");
        assert!(
            output["points_written"].as_u64() > Some(500),
            "{name}: {output}"
        );
        // The run is over, and so are its series, long before they would be forgotten.
        let labels = "{job=\"fcfs-bench\",instance=\"run\"}";
        let now = values(store.port, &format!("fcfs_requests_total{labels}"));
        assert_eq!(now, [] as [f64; 0], "{name}");
        assert!(is(
            store.port,
            &format!("fcfs_requests_total{labels}"),
            requests
        ));
    }
}

#[test]
fn a_receiver_that_is_away_for_some_seconds_gets_everything() {
    let (port, at) = (free_port(), free_port());
    let outputs = format!(
        "listen: \"127.0.0.1:{port}\", \
         remote_write: {{ url: \"http://127.0.0.1:{at}/api/v1/write\", every: 1s }}"
    );
    let bench = with_outputs(&scenario(), &outputs);
    let mut running = bench.start_scenario(&[]);
    wait_for_page(
        &mut running,
        port,
        "fcfs_phase_active{load=\"opening\",phase=\"opening\"} 1",
    );
    let store = prometheus(at, None);
    running.wait().expect(0);
    let summary = bench.summary();
    expect_the_sums_of(&summary, store.port);
    let outputs = summary["outputs"].as_array().unwrap();
    let name = |output: &&Value| output["name"].as_str().unwrap().contains("remote write");
    let output = outputs.iter().find(name).unwrap();
    assert!(output["retries"].as_u64() > Some(0), "{output}");
    assert_eq!(output["points_dropped"], 0, "{output}");
    // What was read before the store was there has come, too.
    let first = values(
        store.port,
        "min_over_time(sum(fcfs_requests_total)[10m:1s])",
    );
    assert_eq!(first, [0.0]);
}

#[test]
fn what_nobody_takes_is_counted_and_changes_no_verdict() {
    let outputs = format!(
        "remote_write: {{ url: \"http://127.0.0.1:{}/${{RECEIVER_KEY}}/api/v1/write\", \
         drain: 0s, auth: {{ bearer: \"${{RECEIVER_TOKEN}}\" }} }}",
        free_port()
    );
    let bench = with_outputs(&scenario(), &outputs);
    let out = bench.path("run").display().to_string();
    let args = ["run", "scenario.yaml", "--out", &out];
    let secrets = ["a-token-of-the-receiver", "a-key-of-the-receiver"];
    let mut running = bench.start_with(&args, |command| {
        command.env("RECEIVER_TOKEN", secrets[0]);
        command.env("RECEIVER_KEY", secrets[1]);
    });
    running.wait_until_it_says("does not take points");
    assert!(!running.has_ended());
    let ended = running.wait().expect(0);
    let summary = bench.summary();
    assert_eq!(summary["verdict"], "pass");
    let output = output_of(&summary);
    assert_eq!(output["points_written"], 0, "{output}");
    assert!(output["points_dropped"].as_u64() > Some(50), "{output}");
    let error = output["last_error"].as_str().unwrap();
    assert!(error.contains("refused"), "{error}");
    let mut warnings = summary["warnings"].as_array().unwrap().iter();
    let says = |warning: &Value| warning.as_str().unwrap().contains("remote write");
    assert!(warnings.any(says), "{summary:#}");
    for entry in std::fs::read_dir(bench.path("run")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!secrets.iter().any(|secret| text.contains(secret)));
    }
    let said = ended.all();
    assert!(
        !secrets.iter().any(|secret| said.contains(secret)),
        "{said}"
    );
    assert_eq!(said.matches("does not take points").count(), 1, "{said}");
}

#[test]
fn a_port_that_somebody_has_is_told_before_anything_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let bench = Bench::with(&Scenario::short());
    let ended = bench.run_scenario(&["--metrics", &at]).expect(113);
    ended.complains(&format!("failed to listen at {at}"));
    assert!(!bench.path("run").exists());
    let ended = bench.run_scenario(&["--metrics", "9464"]).expect(2);
    ended.complains("`9464` is not an address with a port");
}

#[test]
fn ctrl_c_gives_the_port_back() {
    let port = free_port();
    let bench = with_outputs(&Scenario::long(), &format!("listen: \"127.0.0.1:{port}\""));
    let mut running = bench.start_scenario(&[]);
    wait_for_page(&mut running, port, "fcfs_vus 4");
    running.signal(Signal::INT);
    running.wait().expect(105);
    TcpListener::bind(("127.0.0.1", port)).expect("the port is free again");
    assert!(output_of(&bench.summary())["points_written"].as_u64() > Some(20));
    bench.wait_until_empty();
}
