//! The scenario of the chaos folder that freezes the holder of a lock beyond its lease: who writes
//! without looking at the lease is caught, and who looks holds.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::{Bench, Ended, verdict_of};
use serde_json::Value;

/// Fewer coupons than the scenario has, so that the rest is sold sooner: no more than a part of
/// them is sold while there are faults.
const ARGS: [&str; 8] = [
    concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/scenarios/chaos/lock-lease-expired.yaml"
    ),
    "--provider",
    "local",
    "--scale",
    "time=0.1",
    "--set",
    "subject.coupon.stock=200",
    "--quiet",
];

/// Runs it, and returns what was found about the stock.
fn run(more: &[&str], code: i32) -> (Value, Ended) {
    let bench = Bench::new();
    let args = [&["run", "--out", "run"], &ARGS[..], more].concat();
    let ended = bench.run(&args).expect(code);
    let summary = bench.summary();
    for fault in summary["faults"].as_array().expect("a list") {
        assert_eq!(fault["state"], "healed", "{fault} {}", ended.all());
        assert_eq!(fault["effect_seen"], true, "{fault} {}", ended.all());
    }
    (verdict_of(&summary, "invariants", "stock").clone(), ended)
}

#[test]
fn a_holder_who_never_looks_at_its_lease_oversells() {
    let rows: [(&str, &[&str]); 2] = [
        ("redisson", &[]),
        (
            "redlock without the look before the commit",
            &["--profile", "redlock", "--bug", "lease-unchecked"],
        ),
    ];
    for (row, more) in rows {
        let (stock, ended) = run(more, 111);
        assert_eq!(stock["verdict"], "fail", "{row}: {}", ended.all());
        let detail = stock["detail"].as_str().expect("words");
        assert!(detail.starts_with("oversold by "), "{row}: {detail}");
    }
}

#[test]
fn a_holder_who_looks_before_the_commit_sells_each_piece_once() {
    let (stock, ended) = run(&["--profile", "redlock"], 0);
    assert_eq!(stock["verdict"], "pass", "{}", ended.all());
}
