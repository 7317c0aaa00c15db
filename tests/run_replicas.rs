//! Two processes of the bundled server on the same stores: what holds on one need not hold on two.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::scenario::Scenario;
use harness::{Bench, verdict_of};

const TWO: [&str; 4] = [
    "--provider",
    "local",
    "--set",
    "target.stack.server.replicas=2",
];

/// More users than coupons, of whom some ask again.
fn crowd(strategy: &'static str) -> Bench {
    let load = "shared_iterations: { vus: 30, iterations: 700, within: 2m }";
    let scenario = Scenario::short().strategy(strategy).stock(300);
    Bench::with(&scenario.load(load).repeat(20).quiet("1500ms"))
}

#[test]
fn a_stock_that_each_process_has_in_its_memory_is_given_away_twice() {
    let bench = crowd("memory-then-sqlite");
    let ended = bench.run_scenario(&TWO).expect(111);
    let summary = bench.summary();
    let judged = verdict_of(&summary, "invariants", "acknowledged");
    assert_eq!(judged["verdict"], "fail", "{}", ended.all());
    let users = verdict_of(&summary, "invariants", "one_per_user");
    assert_eq!(users["verdict"], "fail", "{}", ended.all());
}

#[test]
fn a_decision_in_a_store_that_both_share_holds() {
    for strategy in ["sqlite-atomic", "db-conditional", "redis-lua", "redlock"] {
        let bench = crowd(strategy);
        let ended = bench.run_scenario(&TWO).expect(0);
        let target = &bench.summary()["environment"]["target"];
        let words = format!("strategy {strategy}, 2 processes");
        assert!(target.to_string().contains(&words), "{}", ended.all());
    }
}
