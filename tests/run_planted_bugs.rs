//! Each planted bug is found, by the checker that is there for it, under each strategy.

#[path = "support/explained.rs"]
mod explained;
#[path = "support/harness/mod.rs"]
mod harness;

use explained::{assert_listed, assert_told};
use harness::scenario::Scenario;
use harness::{Bench, part_of, verdict_of};
use serde_json::Value;

const STRATEGIES: [&str; 8] = [
    "sqlite-atomic",
    "sqlite-lock",
    "memory-then-sqlite",
    "db-pessimistic",
    "db-conditional",
    "redis-lua",
    "redlock",
    "redisson",
];

/// More coupons than any bug of chance could miss, and more users than coupons.
fn crowd(strategy: &'static str) -> Scenario {
    let load = "shared_iterations: { vus: 30, iterations: 700, within: 2m }";
    let scenario = Scenario::short().strategy(strategy).stock(300);
    // Rows that are written behind the answers may pause when the disk is busy.
    let behind = ["memory-then-sqlite", "redis-lua", "redisson"].contains(&strategy);
    let quiet = if behind { "1500ms" } else { "300ms" };
    let invariants = "stock, one_per_user, acknowledged, \
                      { first_come_first_served: { duplicates: first } }";
    let scenario = scenario.load(load).repeat(20).quiet(quiet);
    scenario.invariants(invariants)
}

/// Runs with the bug, and returns the detail of the invariant that is violated.
#[track_caller]
fn violated(strategy: &'static str, bug: &str, invariant: &str) -> (String, Value) {
    let bench = Bench::with(&crowd(strategy));
    let ended = bench
        .run_scenario(&["--provider", "local", "--bug", bug])
        .expect(111);
    let summary = bench.summary();
    let judged = verdict_of(&summary, "invariants", invariant);
    assert_eq!(judged["verdict"], "fail", "{strategy}: {}", ended.all());
    let detail = judged["detail"].as_str().expect("words").to_owned();
    let reason = format!("{invariant}: {detail}");
    let reasons = summary["reasons"].as_array().expect("a list");
    assert!(reasons.contains(&Value::from(reason)), "{}", ended.all());
    assert_explained(&bench, &summary, invariant);
    (detail, summary)
}

/// What is wrong is told as a story: of whom, when, and what the truth says, with a picture, and
/// every case is in the file.
#[track_caller]
fn assert_explained(bench: &Bench, summary: &Value, invariant: &str) {
    let findings = summary["findings"].as_array().expect("a list");
    let finding = findings.iter().find(|one| one["checker"] == invariant);
    let parts = finding.expect("the finding")["parts"].as_array();
    let of_users = |part: &&Value| part["explanation"]["users"].get(0).is_some();
    let told: Vec<&Value> = parts.expect("parts").iter().filter(of_users).collect();
    assert!(!told.is_empty(), "{invariant}: {parts:?}");
    for part in told {
        assert_told(bench, invariant, part);
    }
    assert_listed(bench, summary);
}

#[test]
fn no_strategy_is_accused_without_a_bug() {
    for strategy in STRATEGIES {
        let bench = Bench::with(&crowd(strategy));
        bench.run_scenario(&["--provider", "local"]).expect(0);
    }
}

#[test]
fn overselling_is_found_with_its_number() {
    for strategy in STRATEGIES {
        let (detail, summary) = violated(strategy, "oversell", "stock");
        let surplus = part_of(&summary, "stock", "oversold")["count"].as_u64();
        let surplus = surplus.expect("a number");
        let rows = 300 + surplus;
        let words = format!("oversold by {surplus}: {rows} rows for a stock of 300");
        assert!(surplus > 0 && detail == words, "{strategy}: {detail}");
    }
}

#[test]
fn a_script_that_compares_text_with_a_number_is_found() {
    let (detail, _) = violated("redis-lua", "lua-compare", "stock");
    assert!(detail.starts_with("oversold by "), "{detail}");
}

#[test]
fn a_second_coupon_for_one_user_is_found() {
    for strategy in STRATEGIES {
        let (_, summary) = violated(strategy, "double-issue", "one_per_user");
        let part = part_of(&summary, "one_per_user", "rows_per_user");
        assert!(part["count"].as_u64() > Some(0), "{strategy}: {part}");
    }
}

#[test]
fn a_confirmation_without_a_row_is_found() {
    for strategy in STRATEGIES {
        let (_, summary) = violated(strategy, "lost-ack", "acknowledged");
        let part = part_of(&summary, "acknowledged", "lost");
        assert!(part["count"].as_u64() > Some(0), "{strategy}: {part}");
    }
}

#[test]
fn a_last_coupon_that_nobody_gets_is_found() {
    for strategy in STRATEGIES {
        let (detail, _) = violated(strategy, "last-one-refused", "stock");
        let words = "1 left over, although sold out was answered";
        assert!(detail.starts_with(words), "{strategy}: {detail}");
    }
}

#[test]
fn a_duplicate_answer_to_a_user_who_holds_nothing_is_found() {
    for strategy in STRATEGIES {
        let (_, summary) = violated(strategy, "false-duplicate", "acknowledged");
        let part = part_of(&summary, "acknowledged", "ghost_duplicate");
        assert!(part["count"].as_u64() > Some(0), "{strategy}: {part}");
    }
}

#[test]
fn a_refusal_before_a_later_user_gets_one_is_found_with_both_users() {
    for strategy in STRATEGIES {
        let (detail, summary) = violated(strategy, "early-sold-out", "first_come_first_served");
        let part = |name: &str| part_of(&summary, "first_come_first_served", name);
        let (victims, winners) = (part("victims"), part("beneficiaries"));
        for part in [victims, winners] {
            assert!(part["count"].as_u64() > Some(0), "{strategy}: {part}");
        }
        assert!(detail.contains("sold-out answer"), "{strategy}: {detail}");
        let cases = part("order")["cases"].as_array().expect("a list");
        let [refused, winner] = cases.as_slice() else {
            panic!("{strategy}: not two users: {cases:?}");
        };
        let told_ns = refused["ret_ns"].as_u64().expect("a certain answer");
        let asked_ns = winner["inv_ns"].as_u64().expect("an attempt");
        assert!(told_ns < asked_ns, "{strategy}: {cases:?}");
        let text = refused["text"].as_str().expect("words");
        let name = winner["user"].as_str().expect("a user");
        assert!(text.ends_with(name), "{strategy}: {text} {name}");
    }
}
