//! Faults without any service: of the processes of the server, and of the Kafka in this program.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::scenario::Scenario;
use harness::{Bench, verdict_of};

const EMBEDDED: [&str; 2] = ["--provider", "embedded"];

fn a_while(strategy: &'static str) -> Scenario {
    Scenario::long()
        .strategy(strategy)
        .load("constant_vus: { vus: 8, for: 8s }")
        .thresholds("http_reqs: [\"count>0\"]")
        // Draining so large a stock would take longer than the rest.
        .truth("drain: false")
        .quiet("2s")
}

/// Runs it, looks what became of the fault, and whether all who were told have a row.
#[track_caller]
fn bites_and_is_healed(row: &str, scenario: &Scenario, fault: &str) {
    let bench = Bench::with_fault(scenario, fault);
    let ended = bench.run_scenario(&EMBEDDED);
    assert!(
        matches!(ended.code, Some(0 | 112)),
        "{row}: {}",
        ended.all()
    );
    bench.expect_whole(row);
    let summary = bench.summary();
    let judged = verdict_of(&summary, "invariants", "acknowledged");
    assert_eq!(judged["verdict"], "pass", "{row}: {}", ended.all());
    bench.wait_until_empty();
}

#[test]
fn a_server_with_its_rows_in_a_file_comes_back_with_all_that_it_has_confirmed() {
    let table = [
        ("it is silent", "server: freeze, after: 1s, for: 1s"),
        ("it is gone", "server: kill, after: 1s, for: 1s"),
        ("it stops in good order", "server: stop, after: 1s, for: 1s"),
        ("as a deployment does it", "server: restart, after: 1s"),
    ];
    for (row, fault) in table {
        bites_and_is_healed(row, &a_while("sqlite-atomic"), fault);
    }
}

#[test]
fn brokers_of_the_mock_are_down_and_up_again() {
    let table = [
        ("killed", "kafka: kill, after: 1s, for: 1s"),
        ("stopped", "kafka: stop, after: 1s, for: 1s"),
        ("down and up", "kafka: restart, after: 1s"),
    ];
    for (row, fault) in table {
        bites_and_is_healed(row, &a_while("memory-kafka"), fault);
    }
}

#[test]
fn what_a_mock_cannot_suffer_is_refused_before_anything_starts() {
    let table = [
        (
            "it has no process",
            "kafka: freeze, after: 1s, for: 1s",
            "freeze",
        ),
        (
            "it has no other address",
            "kafka: { delay: 1s }, after: 1s, for: 1s",
            "delay",
        ),
        (
            "nor this one",
            "kafka: partition, after: 1s, for: 1s",
            "partition",
        ),
        (
            "its topics have no settings",
            "kafka: below_min_isr, after: 1s, for: 1s",
            "below_min_isr",
        ),
    ];
    for (row, fault, kind) in table {
        let bench = Bench::with_fault(&a_while("memory-kafka"), fault);
        for provider in ["embedded", "auto"] {
            // With three, so that no setting of the topic is impossible for want of brokers.
            let brokers = "target.stack.kafka={ brokers: 3 }";
            let args = ["--provider", provider, "--set", brokers];
            let ended = bench.run_scenario(&args).expect(104);
            let words = format!("{kind} cannot be done to the Kafka of the provider `embedded`");
            assert!(ended.stderr.contains(&words), "{row}: {}", ended.all());
            ended.complains("has a real Kafka with `provider: local` or `docker`");
        }
    }
}
