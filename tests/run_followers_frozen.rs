//! Brokers that follow are frozen: what the leader takes nobody confirms, and it is in the log all the
//! same. A strategy that promises anything must know that.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::Bench;
use harness::scenario::Scenario;
use rustix::process::Signal;

const THREE: [&str; 4] = [
    "--provider",
    "local",
    "--set",
    "target.stack.kafka={ brokers: 3 }",
];

/// Users who wait for two seconds.
fn bench(scenario: &Scenario, fault: &str) -> Bench {
    let bench = Bench::new();
    let text = scenario.to_string().replace("timeout: 1m", "timeout: 2s");
    // Brokers that were frozen take a while until everything has gone round.
    let text = text.replace("within: 30s", "within: 2m");
    let text = format!("{text}faults: [ {{ name: it, {fault} }} ]\n");
    bench.write("scenario.yaml", text);
    bench
}

/// How many brokers of the run the kernel has stopped.
fn stopped(bench: &Bench) -> usize {
    let here = bench.path("run/stack");
    let entries = std::fs::read_dir("/proc").expect("Linux has /proc");
    let is_stopped = |entry: &std::fs::DirEntry| {
        let at = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let stat = std::fs::read(entry.path().join("stat")).unwrap_or_default();
        at.starts_with(&here) && String::from_utf8_lossy(&stat).contains(") T ")
    };
    entries.flatten().filter(is_stopped).count()
}

#[test]
fn records_that_nobody_confirms_are_written_all_the_same_and_every_row_comes() {
    for strategy in ["redis-kafka", "outbox"] {
        let scenario = Scenario::long()
            .strategy(strategy)
            .load("constant_vus: { vus: 8, for: 25s }")
            .stock(1000)
            .think("50ms")
            .thresholds("http_reqs: [\"count>0\"]")
            .quiet("2s");
        let bench = bench(&scenario, "kafka: followers_frozen, after: 3s, for: 5s");
        let ended = bench.run_scenario(&THREE).expect(0);
        bench.expect_whole(strategy);
        let summary = bench.summary();
        let fault = &summary["faults"][0];
        let effect = fault["effect"].as_str().unwrap_or_default();
        assert!(effect.contains("is in the leader's log"), "{fault}");
        if strategy == "redis-kafka" {
            // It waits for all replicas, and its users do not wait so long.
            assert!(
                fault["unknown"].as_u64() > Some(0),
                "{fault} {}",
                ended.all()
            );
        }
        assert_eq!(stopped(&bench), 0, "{strategy}");
    }
}

#[test]
fn no_broker_stays_frozen_when_the_harness_is_killed() {
    let scenario = Scenario::long().strategy("redis-kafka");
    let bench = bench(&scenario, "kafka: followers_frozen, after: 1s, for: 1h");
    let mut running = bench.start_scenario(&THREE);
    running.wait_until_it_says("fault it: bites");
    assert_eq!(stopped(&bench), 2);
    running.signal(Signal::KILL);
    running.wait();
    harness::wait_until("none is stopped", || stopped(&bench) == 0);
    bench.wait_until_empty();
}
