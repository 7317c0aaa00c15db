//! Runs through the Kafka that is a part of this program: nothing is installed, and what is
//! confirmed has its row all the same, or the verdict says that it has not.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::scenario::Scenario;
use harness::{Bench, part_of, verdict_of};
use serde_json::Value;

const EMBEDDED: [&str; 2] = ["--provider", "embedded"];
const AUTO: [&str; 2] = ["--provider", "auto"];

/// More users than coupons, of whom some ask again.
fn crowd() -> Scenario {
    let load = "shared_iterations: { vus: 30, iterations: 700, within: 2m }";
    let scenario = Scenario::short().strategy("memory-kafka").stock(300);
    // A fetch waits up to 100 ms for events, and a busy disk may pause for longer.
    scenario.load(load).repeat(20).quiet("2s")
}

/// What was measured, by name and kind.
fn measured(summary: &Value) -> Vec<(String, String)> {
    let all = summary["resources"].as_array().expect("a list").iter();
    let text = |one: &Value, key: &str| one[key].as_str().expect("a text").to_owned();
    all.map(|one| (text(one, "source"), text(one, "kind")))
        .collect()
}

#[test]
fn rows_that_the_issuer_loses_are_found() {
    let bench = Bench::with(&crowd());
    let more = [&EMBEDDED[..], &["--bug", "lost-ack"]].concat();
    let ended = bench.run_scenario(&more).expect(111);
    let part = part_of(&bench.summary(), "acknowledged", "lost").clone();
    assert!(part["count"].as_u64() > Some(0), "{part}: {}", ended.all());
}

#[test]
fn a_second_coupon_for_one_user_is_found() {
    let bench = Bench::with(&crowd());
    let more = [&EMBEDDED[..], &["--bug", "double-issue"]].concat();
    let ended = bench.run_scenario(&more).expect(111);
    let judged = verdict_of(&bench.summary(), "invariants", "one_per_user").clone();
    assert_eq!(judged["verdict"], "fail", "{}", ended.all());
}

#[test]
fn all_who_are_told_have_a_row_with_one_broker_or_three_whoever_chose_the_provider() {
    let three = ["--set", "target.stack.kafka.brokers=3"];
    let why_auto = "embedded: auto, and the strategy needs no service but Kafka";
    let table = [
        (EMBEDDED, &[][..], "embedded: as asked, with Kafka, a mock"),
        (EMBEDDED, &three[..], "as asked, with Kafka (3 brokers), a"),
        (AUTO, &[][..], why_auto),
    ];
    for (provider, more, why) in table {
        let bench = Bench::with(&crowd());
        let more = [&provider[..], more].concat();
        let ended = bench.run_scenario(&more).expect(0);
        let summary = bench.summary();
        let told = summary["outcomes"]["issued"].as_u64();
        assert_eq!(told, Some(300), "{}", ended.all());
        for invariant in ["stock", "one_per_user", "acknowledged"] {
            let judged = verdict_of(&summary, "invariants", invariant);
            assert_eq!(judged["verdict"], "pass", "{}", ended.all());
        }
        let provider = summary["environment"]["provider"].as_str();
        assert!(provider.is_some_and(|is| is.contains(why)), "{provider:?}");
    }
}

#[test]
fn the_lag_of_the_issuer_is_read_and_the_brokers_are_one_process() {
    let load = "constant_vus: { vus: 10, for: 3s }";
    let thresholds = "\"consumer_lag{source:kafka-1}\": [\"max<100000\"]\n  \
                      consumer_lag: [\"min>0\"]";
    let scenario = crowd().stock(20_000).load(load).thresholds(thresholds);
    let bench = Bench::with(&scenario);
    // The issuer has finished when the rows have settled.
    bench.run_scenario(&EMBEDDED).expect(99);
    let summary = bench.summary();
    let held = "consumer_lag{source:kafka-1}: max<100000";
    let held = verdict_of(&summary, "thresholds", held);
    assert_eq!(held["verdict"], "pass", "{held}");
    let failed = verdict_of(&summary, "thresholds", "consumer_lag: min>0");
    assert_eq!(failed["verdict"], "fail", "{failed}");

    let all = measured(&summary);
    let expected = [
        ("harness", "process"),
        ("issuer-1", "process"),
        ("coupon-1", "process"),
        ("kafka-1", "process"),
        ("kafka-1", "kafka"),
    ];
    let expected = expected.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
    assert_eq!(all, expected);
    let sources = summary["resources"].as_array().expect("a list");
    assert!(sources.iter().all(|one| one["gaps"] == 0), "{sources:?}");
}

#[test]
fn memory_that_two_processes_have_each_for_itself_is_given_away_twice() {
    let bench = Bench::with(&crowd());
    let two = ["--set", "target.stack.server.replicas=2"];
    let more = [&EMBEDDED[..], &two].concat();
    let ended = bench.run_scenario(&more).expect(111);
    let summary = bench.summary();
    let judged = verdict_of(&summary, "invariants", "acknowledged");
    assert_eq!(judged["verdict"], "fail", "{}", ended.all());
}
