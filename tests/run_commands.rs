//! The commands that load nothing.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::claims::get;
use harness::{Bench, shipped};
use rustix::process::Signal;
use serde_json::Value;

#[test]
fn every_shipped_scenario_is_valid() {
    let bench = Bench::new();
    let folders = [
        "scenarios",
        "scenarios/documents",
        "scenarios/chaos",
        "scenarios/zoo",
    ]
    .map(shipped);
    // Those of docker-compose.yml.
    let passwords = shipped(".env.example");
    let folders = folders.map(|folder| std::fs::read_dir(folder).expect("a folder"));
    let paths = folders.into_iter().flatten().flatten();
    let paths = paths.map(|entry| entry.path());
    let mut count = 0;
    for path in paths.filter(|path| path.extension().is_some_and(|end| end == "yaml")) {
        let path = path.display().to_string();
        let ended = bench
            .run(&["validate", &path, "--env-file", &passwords])
            .expect(0);
        assert_eq!(ended.stdout, format!("{path}: valid\n"));
        assert_eq!(ended.stderr, "", "no warning");
        count += 1;
    }
    assert!(count >= 14, "{count}");
}

#[test]
fn validate_warns_of_what_is_valid_but_doubtful() {
    let bench = Bench::new();
    let scenario = shipped("scenarios/quickstart.yaml");
    let stock = "subject.coupon.stock=1_000_000_000";
    let ended = bench
        .run(&["validate", &scenario, "--set", stock])
        .expect(0);
    assert!(ended.stderr.contains("warning: "), "{}", ended.all());
}

#[test]
fn plan_shows_what_would_run() {
    let bench = Bench::new();
    let scenario = shipped("scenarios/quickstart.yaml");
    let ended = bench.run(&["plan", &scenario]).expect(0);
    assert_eq!(ended.stderr, "");
    insta::assert_snapshot!("plan-quickstart", ended.stdout);
    assert!(!bench.path("reports").exists(), "nothing has run");
}

#[test]
fn help_says_what_can_be_done() {
    let bench = Bench::new();
    for (name, args) in [
        ("help", &["--help"][..]),
        ("help-run", &["run", "--help"]),
        ("help-check", &["check", "--help"]),
    ] {
        let ended = bench.run(args).expect(0);
        insta::assert_snapshot!(name, ended.stdout);
    }
}

#[test]
fn completions_know_the_commands() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish"] {
        let ended = bench.run(&["completions", shell]).expect(0);
        for command in ["run", "validate", "plan", "check", "report", "serve"] {
            assert!(ended.stdout.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn serve_answers_until_it_is_told_to_stop() {
    let bench = Bench::new();
    let args = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--database",
        "coupons.db",
    ];
    let mut serving = bench.start(&args);
    serving.wait_until_it_prints_a_line();
    let line: Value = serde_json::from_str(&serving.stdout()).expect("one line of JSON");
    assert_eq!(line["event"], "listening");
    let address = line["address"].as_str().expect("an address");
    let (_, port) = address.rsplit_once(':').expect("a port");
    let coupon = get(port.parse().expect("a number"), "/coupons/fcfs/1");
    let coupon: Value = serde_json::from_str(&coupon).expect("JSON");
    assert_eq!(coupon["remaining"], 100);
    serving.signal(Signal::TERM);
    serving.wait().expect(0);
}

#[test]
fn serve_says_why_it_cannot_listen() {
    let bench = Bench::new();
    let args = [
        "serve",
        "--listen",
        "192.0.2.1:1",
        "--database",
        "coupons.db",
    ];
    let ended = bench.run(&args).expect(113);
    assert!(ended.stderr.contains("error: "), "{}", ended.all());
}
