//! Rows that come late because somebody was away: they are waited for as long as they wait to be
//! written, and what never is written is a loss.

#[path = "support/harness/mod.rs"]
mod harness;

use std::time::{Duration, Instant};

use harness::scenario::Scenario;
use harness::{Bench, part_of, verdict_of};

/// Longer than a broker waits for an issuer (6 s), which has to join its group again behind it; so
/// long do the rows rest, and longer.
const AWAY: &str = "issuer: freeze, after: 2s, for: 9s";

/// Less than that rest.
const QUIET: &str = "500ms";

fn a_while(strategy: &'static str) -> Scenario {
    Scenario::long()
        .strategy(strategy)
        .load("constant_vus: { vus: 8, for: 10s }")
        .thresholds("http_reqs: [\"count>0\"]")
        // Draining so large a stock would take longer than the rest.
        .truth("drain: false")
        .quiet(QUIET)
}

/// The last read of the truth has been made at rest.
#[track_caller]
fn settled(bench: &Bench) -> bool {
    let truth = bench.read("run/truth.jsonl");
    let line = truth.lines().find(|line| line.contains("\"settled\""));
    line.expect("it was waited for").contains("\"settled\":true")
}

#[test]
fn an_issuer_that_comes_back_late_is_waited_for_although_the_rows_rest() {
    let table = [
        ("embedded", "memory-kafka"),
        ("local", "redis-kafka"),
        ("local", "outbox"),
    ];
    for (provider, strategy) in table {
        let bench = Bench::with_fault(&a_while(strategy), AWAY);
        let ended = bench.run_scenario(&["--provider", provider]).expect(0);
        bench.expect_whole(strategy);
        let summary = bench.summary();
        let judged = verdict_of(&summary, "invariants", "acknowledged");
        assert_eq!(judged["verdict"], "pass", "{strategy}: {}", ended.all());
        let part = part_of(&summary, "acknowledged", "late_effects");
        assert_eq!(part["count"], 0, "{strategy}: {part}");
        assert!(settled(&bench), "{strategy}: {}", ended.all());
    }
}
