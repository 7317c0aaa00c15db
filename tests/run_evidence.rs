//! A run directory speaks for itself, after a good end and after a bad one.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::scenario::Scenario;
use harness::shop::TRUTH;
use harness::{Bench, part_of, verdict_of, wait_until};
use rustix::process::Signal;
use serde_json::Value;

/// No operation takes less than this many bytes.
const OPERATION: u64 = 40;

/// Kills a run when it has written the lines of so many seconds.
fn killed(bench: &Bench, seconds: usize) {
    let running = bench.start_scenario(&[]);
    wait_until("some seconds are on disk", || {
        let lines = std::fs::read_to_string(bench.path("run/seconds.jsonl"));
        lines.unwrap_or_default().lines().count() >= seconds
    });
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code, None, "it ends by the signal");
}

#[test]
fn the_server_goes_away_by_itself_when_the_harness_is_killed() {
    let bench = Bench::with(&Scenario::long());
    killed(&bench, 1);
    bench.wait_until_empty();
}

#[test]
fn a_killed_run_can_be_read_and_is_never_a_pass() {
    let bench = Bench::with(&Scenario::long());
    killed(&bench, 3);
    let ended = bench.run(&["report", "run"]).expect(0);
    let words = "the run was cut off: its evidence ends in mid-run";
    ended.says(words);
    assert!(bench.read("run/report.md").contains(words));
    let checked = bench.run(&["check", "run"]);
    assert!(matches!(checked.code, Some(111 | 112)), "{}", checked.all());
    let summary = bench.summary();
    assert_ne!(summary["verdict"], "pass");
    let lines = bench.read("run/seconds.jsonl");
    let requests = lines.lines().filter_map(|line| {
        let second: Value = serde_json::from_str(line).ok()?;
        second["requests"].as_u64()
    });
    let requests: Vec<_> = requests.collect();
    let counted: u64 = requests.iter().sum();
    assert!(counted > 0 && summary["requests"].as_u64() >= Some(counted));
    // The history is written every half second: of three seconds two are there for certain.
    let first_two = requests[0] + requests[1];
    let size = std::fs::metadata(bench.path("run/history.bin")).expect("a history");
    let least = OPERATION * first_two;
    assert!(size.len() >= least, "{} of {least} bytes", size.len());
}

#[test]
fn a_run_that_was_killed_before_its_load_can_be_read_too() {
    let scenario = Scenario::long().url("http://127.0.0.1:1").truth(TRUTH);
    let bench = Bench::with(&scenario);
    let mut running = bench.start_scenario(&[]);
    running.wait_until_it_says("waiting for ");
    running.signal(Signal::KILL);
    running.wait();
    bench.run(&["report", "run"]).expect(0);
    let ended = bench.run(&["check", "run"]).expect(112);
    ended.says("the run was cut off");
}

#[test]
fn check_and_report_say_what_the_run_said() {
    for (bug, code) in [(None, 0), (Some("last-one-refused"), 111)] {
        let bench = Bench::with(&Scenario::short());
        let more: Vec<_> = bug.into_iter().flat_map(|bug| ["--bug", bug]).collect();
        let ran = bench.run_scenario(&more).expect(code);
        let (summary, report) = (bench.summary(), bench.read("run/report.md"));
        let checked = bench.run(&["check", "run"]).expect(code);
        assert_eq!(checked.stdout, ran.stdout);
        let checked = bench.run(&["check", "run", "--json"]).expect(code);
        let printed: Value = serde_json::from_str(&checked.stdout).expect("JSON");
        assert_eq!(printed, summary);
        for file in ["summary.json", "report.md", "chart.svg"] {
            std::fs::remove_file(bench.path("run").join(file)).expect("it was there");
        }
        let reported = bench.run(&["report", "run"]).expect(0);
        assert_eq!(reported.stdout, ran.stdout);
        assert_eq!(
            (bench.summary(), bench.read("run/report.md")),
            (summary, report)
        );
        assert!(bench.path("run/chart.svg").exists());
    }
}

#[test]
fn a_run_is_judged_where_its_environment_is_not() {
    let scenario = Scenario::short().to_string();
    let headers =
        "      headers: { authorization: \"Bearer ${FRONT_DOOR_TOKEN}\" }\n      timeout:";
    let bench = Bench::new();
    bench.write("scenario.yaml", scenario.replace("      timeout:", headers));
    let args = ["run", "scenario.yaml", "--out", "run"];
    let running = bench.start_with(&args, |command| {
        command.env("FRONT_DOOR_TOKEN", "hunter2");
    });
    running.wait().expect(0);
    bench.run(&["check", "run"]).expect(0);
    for file in ["run.json", "plan.txt", "report.md", "summary.json"] {
        assert!(
            !bench.read(&format!("run/{file}")).contains("hunter2"),
            "{file}"
        );
    }
}

#[test]
fn a_directory_without_a_run_is_refused() {
    let bench = Bench::new();
    for command in ["check", "report"] {
        let ended = bench.run(&[command, "."]).expect(2);
        ended.complains("error: . is not a run directory: it has no run.json");
    }
}

#[test]
fn the_order_is_not_judged_by_a_history_whose_end_is_gone() {
    let bench = Bench::with(&Scenario::short().invariants("first_come_first_served"));
    bench.run_scenario(&[]).expect(0);
    let path = bench.path("run/history.bin");
    let size = std::fs::metadata(&path).expect("a history").len();
    let history = std::fs::OpenOptions::new().write(true).open(&path);
    let history = history.expect("it can be written");
    history.set_len(size / 2).expect("it can be cut");
    let checked = bench.run(&["check", "run", "--json"]).expect(112);
    let summary: Value = serde_json::from_str(&checked.stdout).expect("JSON");
    let judged = verdict_of(&summary, "invariants", "first_come_first_served");
    assert_eq!(judged["verdict"], "unknown", "{judged}");
    let part = part_of(&summary, "first_come_first_served", "history");
    let detail = part["detail"].as_str().expect("words");
    assert!(detail.contains("it holds "), "{detail}");
}

#[test]
fn a_run_whose_history_is_gone_is_not_judged() {
    let bench = Bench::with(&Scenario::short());
    bench.run_scenario(&[]).expect(0);
    std::fs::remove_file(bench.path("run/history.bin")).expect("it was there");
    let ended = bench.run(&["check", "run"]).expect(112);
    ended.complains("history.bin");
}
