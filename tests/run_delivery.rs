//! The invariant `delivery` from the front door: right systems pass it while their parts are killed,
//! and each planted bug of the way from row to effect is found in its part.

#![allow(clippy::unwrap_used, reason = "the starters of databases panic")]

#[path = "support/databases.rs"]
#[allow(dead_code, reason = "not every database is used here")]
mod databases;
#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/operator.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod operator;
#[path = "support/mod.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod support;

use harness::scenario::Scenario;
use harness::{Bench, Ended, part_of, shipped, verdict_of, wait_until};
use operator::Services;
use serde_json::Value;

/// Runs a shipped scenario, and returns what was found.
fn run(path: &str, more: &[&str]) -> (Ended, Value) {
    let bench = Bench::new();
    let args = ["run", &shipped(path), "--out", "run"];
    let ended = bench.run(&[&args[..], more].concat());
    let summary = bench.summary();
    (ended, summary)
}

const DELIVERED: &str = "scenarios/zoo/delivered.yaml";
const EFFECT_ONCE: &str = "scenarios/zoo/effect-once.yaml";
const LOCAL: [&str; 2] = ["--provider", "local"];

#[track_caller]
fn passes(path: &str, more: &[&str]) -> Value {
    let (ended, summary) = run(path, more);
    let judged = verdict_of(&summary, "invariants", "delivery");
    assert_eq!(judged["verdict"], "pass", "{more:?}: {}", ended.all());
    let published = part_of(&summary, "delivery", "unpublished");
    let detail = published["detail"].as_str().expect("words");
    let number = detail.split(' ').next().and_then(|word| word.parse().ok());
    assert!(number > Some(100), "hardly anything was compared: {detail}");
    summary
}

#[track_caller]
fn is_found(path: &str, more: &[&str], part: &str) -> Value {
    let (ended, summary) = run(path, more);
    let found = part_of(&summary, "delivery", part);
    assert_eq!(found["verdict"], "fail", "{more:?}: {}", ended.all());
    assert!(found["count"].as_u64() > Some(0), "{found}");
    let cases = found["cases"].as_array().expect("a list");
    assert!(!cases.is_empty(), "{found}");
    assert_eq!(ended.code, Some(111), "{more:?}: {}", ended.all());
    summary
}

#[test]
fn an_outbox_delivers_while_commits_fail_and_the_broker_is_gone() {
    let summary = passes(DELIVERED, &LOCAL);
    for part in [
        "not_in_outbox",
        "not_issued",
        "phantom_event",
        "lost_effect",
    ] {
        assert_eq!(part_of(&summary, "delivery", part)["verdict"], "pass");
    }
}

#[test]
fn an_event_that_is_published_before_a_commit_that_fails_is_found() {
    let bug = [&LOCAL[..], &["--bug", "publish-before-commit"]].concat();
    let summary = is_found(DELIVERED, &bug, "phantom_event");
    // Its consumer has written a row that nobody decided upon.
    let past = part_of(&summary, "delivery", "not_in_outbox");
    assert_eq!(past["verdict"], "fail", "{past}");
}

#[test]
fn a_publish_whose_failure_is_swallowed_is_found() {
    let bug = [&LOCAL[..], &["--bug", "swallowed-publish"]].concat();
    is_found(DELIVERED, &bug, "unpublished");
}

#[test]
fn an_issuer_that_is_killed_again_and_again_does_everything_once() {
    let summary = passes(EFFECT_ONCE, &[]);
    let effects = part_of(&summary, "delivery", "repeated_effect");
    assert_eq!(effects["verdict"], "pass", "{effects}");
}

#[test]
fn an_offset_that_is_committed_before_the_effect_is_found() {
    let bug = ["--bug", "offset-before-effect"];
    let summary = is_found(EFFECT_ONCE, &bug, "lost_effect");
    // Its rows are all there: only the way of the events shows it.
    let judged = verdict_of(&summary, "invariants", "acknowledged");
    assert_eq!(judged["verdict"], "pass", "{judged}");
}

#[test]
fn an_effect_that_an_event_has_again_when_it_is_read_again_is_found() {
    let bug = ["--bug", "effect-not-idempotent"];
    let summary = is_found(EFFECT_ONCE, &bug, "repeated_effect");
    let judged = verdict_of(&summary, "invariants", "acknowledged");
    assert_eq!(judged["verdict"], "pass", "{judged}");
}

#[test]
fn a_bug_of_a_part_that_the_strategy_does_not_have_is_refused() {
    let table = [
        ("memory-kafka", "publish-before-commit", "outbox"),
        ("memory-kafka", "swallowed-publish", "outbox"),
        ("sqlite-atomic", "offset-before-effect", "memory-kafka"),
        ("sqlite-atomic", "effect-not-idempotent", "memory-kafka"),
    ];
    for (strategy, bug, only) in table {
        let bench = Bench::with(&Scenario::short().strategy(strategy));
        let ended = bench.run_scenario(&["--provider", "embedded", "--bug", bug]);
        let ended = ended.expect(104);
        ended.complains(bug);
        ended.complains(only);
    }
}

/// A system of one's own, of which the harness knows only what the scenario says.
#[test]
fn what_a_system_of_ones_own_delivers_is_compared_where_the_scenario_says() {
    let services = Services::start();
    let bench = Bench::new();
    let system = services.system("delivers", 1, "redis-kafka", 800, bench.path(""));
    let (coupon, issuer) = (system.start("coupon", &[]), system.start("issuer", &[]));
    let scenario = Scenario::short()
        .load("shared_iterations: { vus: 6, iterations: 1000, within: 5m }")
        .think("60ms")
        .stock(800)
        .url(&coupon.url())
        .truth(&format!("{}, {}", system.truth(), system.way()))
        .invariants("stock, delivery")
        .quiet("2s");
    let pending = format!("within: 60s, pending: [ {} ]", system.lag());
    let text = scenario.to_string().replace("within: 30s", &pending);
    bench.write("scenario.yaml", &text);
    let mut running = bench.start_scenario(&[]);
    running.wait_until_it_says(" VUs ");
    wait_until("the issuer writes", || coupon.numbers().rows >= 50);
    issuer.kill();
    let _again = system.start("issuer", &[]);
    let ended = running.wait().expect(0);
    let summary = bench.summary();
    let judged = verdict_of(&summary, "invariants", "delivery");
    let praise = "800 new rows, each published, with one effect";
    assert_eq!(judged["detail"], praise, "{}", ended.all());
}
