//! The exit codes that a CI job reads, each from a run that earns it.

#[path = "support/harness/mod.rs"]
mod harness;

use std::net::TcpListener;

use harness::scenario::Scenario;
use harness::shop::{Manner, Shop, TRUTH};
use harness::{Bench, shipped, verdict_of};

/// No answer comes within a microsecond.
const IMPOSSIBLE: &str = "p(99)<0.001ms";

const ALL: &str = "stock, one_per_user, acknowledged, first_come_first_served";

#[test]
fn a_run_in_which_everything_holds_ends_with_0() {
    let bench = Bench::with(&Scenario::short());
    let ended = bench.run_scenario(&[]).expect(0);
    assert!(
        ended.stdout.contains("✔ PASS  front-door"),
        "{}",
        ended.all()
    );
    let summary = bench.summary();
    assert_eq!(summary["outcomes"]["issued"], 100);
    assert_eq!(
        verdict_of(&summary, "invariants", "stock")["verdict"],
        "pass"
    );
}

#[test]
fn a_threshold_that_fails_ends_with_99() {
    let thresholds = format!("http_req_duration: [\"{IMPOSSIBLE}\"]");
    let bench = Bench::with(&Scenario::short().thresholds(&thresholds));
    let ended = bench.run_scenario(&[]).expect(99);
    assert!(ended.stdout.contains("✘ FAIL"), "{}", ended.all());
    let summary = bench.summary();
    let name = format!("http_req_duration: {IMPOSSIBLE}");
    let judged = verdict_of(&summary, "thresholds", &name);
    assert_eq!(judged["verdict"], "fail");
    assert_eq!(summary["invariants"][0]["verdict"], "pass", "{summary}");
}

#[test]
fn the_order_of_issue_can_have_a_limit_and_is_told_without_an_invariant() {
    for (limit, code) in [("rate<=100%", 0), ("rate<0.0001%", 99)] {
        let thresholds = format!("fairness: [\"{limit}\"]");
        let bench = Bench::with(&Scenario::short().thresholds(&thresholds));
        let ended = bench.run_scenario(&[]);
        let summary = bench.summary();
        let fairness = &summary["fairness"];
        // 100 users who got one.
        assert_eq!(fairness["pairs"], 4_950, "{fairness}");
        let share = fairness["share"].as_f64().expect("a number");
        let expected = if share == 0.0 { 0 } else { code };
        let ended = ended.expect(expected);
        let judged = verdict_of(&summary, "thresholds", &format!("fairness: {limit}"));
        let detail = judged["detail"].as_str().expect("words");
        assert!(detail.contains("over 4,950 pairs"), "{}", ended.all());
        assert!(bench.read("run/report.md").contains("\n## Fairness\n"));
    }
}

#[test]
fn a_threshold_that_aborts_ends_the_load_early_and_with_99() {
    let thresholds = format!("http_req_duration: [{{ threshold: \"{IMPOSSIBLE}\", abort: true }}]");
    let bench = Bench::with(&Scenario::long().thresholds(&thresholds));
    let ended = bench.run_scenario(&[]).expect(99);
    let reason = format!("the load was ended by `http_req_duration: {IMPOSSIBLE}`");
    ended.says(&reason);
    let lasted = bench.summary()["duration_s"].as_f64().expect("a number");
    assert!(lasted < 300.0, "{lasted} s of 600 s");
}

#[test]
fn an_invalid_scenario_ends_with_104_and_says_all_that_is_wrong() {
    let bench = Bench::new();
    let scenario = shipped("scenarios/invalid/three-mistakes.yaml");
    let ended = bench.run(&["run", &scenario]).expect(104);
    for (line, mistake) in [
        ("6:11", "there is no flow `isue`"),
        ("8:7", "unknown key `stgaes`"),
        ("11:30", "`30` has no unit"),
    ] {
        ended.complains(&format!("error: {mistake}\n  --> {scenario}:{line}\n"));
    }
    ended.complains("3 errors");
    assert!(!bench.path("reports").exists(), "nothing has run");
}

#[test]
fn a_target_that_does_not_answer_ends_with_113() {
    // The port is taken and given back: nobody listens there now.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let url = format!("http://{}", port.expect("a port"));
    let bench = Bench::new();
    let scenario = shipped("scenarios/own-system.yaml");
    let ended = bench.run(&["run", &scenario, "--url", &url]).expect(113);
    ended.complains(&format!("waiting for {url}, "));
    ended.complains(&format!(
        "error: {url} does not answer: the connection was refused"
    ));
    ended.complains("hint: start the system first");
}

#[test]
fn a_truth_that_cannot_be_read_before_the_load_ends_with_113() {
    let shop = Shop::open(10, Manner::TruthGrows);
    let truth = TRUTH.replace("/rows", "/nowhere");
    let bench = Bench::with(&Scenario::short().url(&shop.url).truth(&truth));
    let ended = bench.run_scenario(&[]).expect(113);
    ended.complains("error: the truth cannot be read: ");
    assert_eq!(shop.asked(), 0, "nothing was loaded");
}

#[test]
fn a_stock_that_never_ran_out_ends_with_112() {
    let scenario = Scenario::short().stock(100_000).truth("drain: false");
    let bench = Bench::with(&scenario);
    let ended = bench.run_scenario(&[]).expect(112);
    assert!(ended.stdout.contains("? UNKNOWN"), "{}", ended.all());
    let summary = bench.summary();
    let stock = verdict_of(&summary, "invariants", "stock");
    assert_eq!(stock["verdict"], "unknown");
    let detail = stock["detail"].as_str().expect("words");
    assert!(
        detail.starts_with("no sold-out answer was seen"),
        "{detail}"
    );
}

#[test]
fn a_load_in_which_nothing_was_issued_ends_with_112() {
    let bench = Bench::with(&Scenario::short().stock(0).invariants(ALL));
    bench.run_scenario(&[]).expect(112);
    let summary = bench.summary();
    for name in ALL.split(", ") {
        let judged = verdict_of(&summary, "invariants", name);
        assert_eq!(judged["verdict"], "unknown", "{judged}");
    }
}

#[test]
fn a_truth_that_does_not_settle_ends_with_112() {
    // 300 rows appear one by one: no two readings within the time allowed are the same.
    let shop = Shop::open(300, Manner::TruthGrows);
    let scenario = Scenario::short().stock(300).url(&shop.url).truth(TRUTH);
    let scenario = scenario.to_string().replace("within: 30s", "within: 2s");
    let bench = Bench::new();
    bench.write("scenario.yaml", scenario);
    let ended = bench.run_scenario(&[]).expect(112);
    assert!(ended.stdout.contains("? UNKNOWN"), "{}", ended.all());
    let summary = bench.summary();
    let kept = verdict_of(&summary, "invariants", "acknowledged");
    assert_eq!(kept["verdict"], "unknown", "{kept}");
}

#[test]
fn a_truth_that_is_gone_at_the_end_ends_with_112() {
    let shop = Shop::open(50, Manner::TruthGoes);
    let scenario = Scenario::short().stock(50).url(&shop.url).truth(TRUTH);
    let scenario = scenario.invariants(ALL);
    let scenario = scenario.to_string().replace("within: 30s", "within: 1s");
    let bench = Bench::new();
    bench.write("scenario.yaml", scenario);
    let ended = bench.run_scenario(&[]).expect(112);
    let words = "a truth could not be read, 2 times: ";
    ended.says(words);
    for name in ALL.split(", ") {
        let summary = bench.summary();
        let judged = verdict_of(&summary, "invariants", name);
        assert_eq!(judged["verdict"], "unknown", "{judged}");
    }
}

#[test]
fn a_command_line_that_is_wrong_ends_with_2() {
    let bench = Bench::new();
    let ended = bench.run(&["run", "scenario.yaml", "--colour"]).expect(2);
    ended.complains("unexpected argument '--colour'");
}
