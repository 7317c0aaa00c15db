//! Clocks that are wrong for a while: each program says so itself, has the right time again, and one
//! whose clock does not follow is told.

#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/own.rs"]
mod own;

use harness::scenario::Scenario;
use harness::{Bench, Running, wait_until};
use own::leases;
use rustix::process::Signal;

fn a_while(strategy: &'static str) -> Scenario {
    Scenario::long()
        .strategy(strategy)
        .load("constant_vus: { vus: 8, for: 8s }")
        .truth("drain: false")
        .thresholds("http_reqs: [\"count>0\"]")
}

/// A run with local services, with its leases in the directory of the test, and perhaps a variable.
fn start(bench: &Bench, more: Option<(&str, &str)>) -> Running {
    let (state, out) = (bench.path("state"), bench.path("run"));
    let out = out.display().to_string();
    let args = ["run", "scenario.yaml", "--out", &out, "--provider", "local"];
    bench.start_with(&args, |command| {
        command.env("XDG_STATE_HOME", state).envs(more);
    })
}

/// What the library shares between processes, which a killed one would leave behind.
fn shared() -> Vec<String> {
    let entries = std::fs::read_dir("/dev/shm").expect("Linux has /dev/shm");
    let names = entries.flatten().map(|entry| entry.file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name.contains("faketime")).collect()
}

#[test]
fn a_program_takes_it_to_be_another_time_and_then_the_right_one() {
    let table = [
        (
            "sqlite-atomic",
            "server: { clock_skew: -30s }",
            ("server", "earlier"),
        ),
        (
            "redis-lua",
            "redis: { clock_skew: { by: 1m } }",
            ("redis-1", "later"),
        ),
        (
            "db-conditional",
            "database: { clock_skew: 30s }",
            ("mysql", "later"),
        ),
    ];
    for (strategy, fault, (who, way)) in table {
        let bench = Bench::with_fault(&a_while(strategy), &format!("{fault}, after: 1s, for: 2s"));
        let ended = start(&bench, None).wait();
        // What comes of it for coupons is another question.
        let judged = matches!(ended.code, Some(0 | 111 | 112));
        assert!(judged, "{strategy}: {}", ended.all());
        bench.expect_whole(strategy);
        let summary = bench.summary();
        let words = summary["faults"][0]["effect"].as_str().unwrap_or_default();
        assert!(
            words.starts_with(&format!("{who} takes it to be ")),
            "{words}"
        );
        assert!(words.contains(way), "{words}");
        bench.wait_until_empty();
        assert_eq!(leases(&bench), 0, "{strategy}");
    }
    wait_until("nothing is shared any more", || shared().is_empty());
}

#[test]
fn a_clock_that_does_not_follow_proves_nothing() {
    let fault = "server: { clock_skew: 30s }, after: 1s, for: 1s";
    let bench = Bench::with_fault(&a_while("sqlite-atomic"), fault);
    // The library listens to this first.
    let ended = start(&bench, Some(("FAKETIME", "+0"))).wait().expect(112);
    let words = "server takes it to be 0.0 s";
    ended.says(words);
}

#[test]
fn nothing_is_left_when_the_harness_is_killed() {
    let scenario = a_while("sqlite-atomic").load("constant_vus: { vus: 8, for: 1h }");
    let bench = Bench::with_fault(
        &scenario,
        "server: { clock_skew: 30s }, after: 500ms, for: 1h",
    );
    let mut running = start(&bench, None);
    running.wait_until_it_says("fault it: bites");
    assert_eq!(leases(&bench), 1);
    running.signal(Signal::KILL);
    running.wait();
    bench.wait_until_empty();
    wait_until("nothing is left to be undone", || leases(&bench) == 0);
    wait_until("nothing is shared any more", || shared().is_empty());
}
