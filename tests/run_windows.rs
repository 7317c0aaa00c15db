//! Thresholds over windows, as a run and a later `check` judge them.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::scenario::Scenario;
use harness::{Bench, verdict_of};

/// No answer comes within a microsecond.
const IMPOSSIBLE: &str = "p(99)<0.001ms";

#[test]
fn a_window_that_is_broken_fails_the_run_and_check_says_the_same() {
    let thresholds = format!(
        "http_req_duration: [{{ threshold: \"{IMPOSSIBLE}\", over: 1s, for: 2 }}, \
         {{ threshold: \"p(99)<10m\", over: 1s }}]\n  \
         \"outcome{{outcome:issued}}\": [\"count==100\", {{ threshold: \"count<=100\", over: 1s }}]"
    );
    let load = "constant_vus: { vus: 4, for: 3s }";
    let scenario = Scenario::short().load(load).think("10ms");
    let bench = Bench::with(&scenario.thresholds(&thresholds));
    let ended = bench.run_scenario(&[]).expect(99);
    let summary = bench.summary();
    for (name, verdict) in [
        (
            format!("http_req_duration: {IMPOSSIBLE} over 1s, 2 in a row"),
            "fail",
        ),
        ("http_req_duration: p(99)<10m over 1s".to_owned(), "pass"),
        ("outcome{outcome:issued}: count==100".to_owned(), "pass"),
        (
            "outcome{outcome:issued}: count<=100 over 1s".to_owned(),
            "pass",
        ),
    ] {
        let judged = verdict_of(&summary, "thresholds", &name);
        assert_eq!(judged["verdict"], verdict, "{judged}\n{}", ended.all());
    }
    let name = format!("http_req_duration: {IMPOSSIBLE} over 1s, 2 in a row");
    let detail = verdict_of(&summary, "thresholds", &name)["detail"].as_str();
    let detail = detail.expect("a text");
    assert!(
        detail.contains("in 0s..1s, 2 windows in a row, limit"),
        "{detail}"
    );

    let again = bench.run(&["check", "run", "--json"]).expect(99);
    let again: serde_json::Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(again["thresholds"], summary["thresholds"]);
}

#[test]
fn windows_that_are_broken_in_a_row_end_the_load() {
    let thresholds = format!(
        "http_req_duration: [{{ threshold: \"{IMPOSSIBLE}\", over: 1s, for: 3, abort: true }}]"
    );
    let bench = Bench::with(&Scenario::long().thresholds(&thresholds));
    let ended = bench.run_scenario(&[]).expect(99);
    let name = format!("http_req_duration: {IMPOSSIBLE} over 1s, 3 in a row");
    let reason = format!("the load was ended by `{name}`");
    let reasons = bench.summary()["reasons"].to_string();
    assert!(reasons.contains(&reason), "{}", ended.all());
    let lasted = bench.summary()["duration_s"].as_f64().expect("a number");
    assert!((3.0..300.0).contains(&lasted), "{lasted} s of 600 s");
}
