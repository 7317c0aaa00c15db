//! `validate --probe`: what the system answers, and what the scenario takes it for.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::scenario::Scenario;
use harness::system::System;
use harness::{Bench, shipped};

fn with_system(stock: u64) -> (Bench, System) {
    let bench = Bench::new();
    let scenario = std::fs::read(shipped("tests/systems/envelope.yaml"));
    bench.write("scenario.yaml", scenario.expect("the scenario"));
    let system = System::start("envelope", &bench.path("system.db"), stock, &[]);
    (bench, system)
}

#[test]
fn an_answer_that_no_outcome_matches_is_shown_with_the_rule_that_would() {
    let (bench, system) = with_system(0);
    let url = system.url();
    let args = ["validate", "scenario.yaml", "--probe", "--url", &url];
    let wrong = "flows.issue.0.outcomes.sold_out.json={ /code: GONE }";
    let ended = bench
        .run(&[&args[..], &["--set", wrong]].concat())
        .expect(112);
    insta::assert_snapshot!("unmatched", ended.stdout);
    assert!(
        ended.stderr.contains("warning: a probe really asks"),
        "{}",
        ended.all()
    );
}

#[test]
fn an_answer_is_shown_with_the_rule_that_it_matched() {
    let (bench, system) = with_system(1);
    let url = system.url();
    let args = ["validate", "scenario.yaml", "--probe", "--url", &url];
    let ended = bench.run(&args).expect(0);
    insta::assert_snapshot!("matched", ended.stdout);
    // The same user asks each time: behind the pool, so that no run has used it.
    bench.run(&args).expect(0);
}

#[test]
fn a_bundled_server_is_brought_up_for_it_and_leaves_nothing_behind() {
    let bench = Bench::with(&Scenario::short());
    let ended = bench
        .run(&["validate", "scenario.yaml", "--probe"])
        .expect(0);
    assert!(
        ended.stdout.contains("✔ 201 is issued: status 201"),
        "{}",
        ended.all()
    );
    assert_eq!(ended.stderr, "", "nothing is taken from anybody");
    bench.wait_until_empty();
    assert!(!bench.path("reports").exists(), "a probe is no run");
}

#[test]
fn a_system_that_is_not_there_is_not_ready() {
    let (bench, system) = with_system(1);
    let url = system.url();
    drop(system);
    let ended = bench
        .run(&["validate", "scenario.yaml", "--probe", "--url", &url])
        .expect(113);
    assert!(ended.stderr.contains("does not answer"), "{}", ended.all());
}
