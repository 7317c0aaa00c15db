//! Rows that come late because somebody was away: they are waited for as long as something waits to
//! become one, and what never becomes one is a loss.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::scenario::Scenario;
use harness::system::System;
use harness::{Bench, Ended, part_of, shipped, verdict_of};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Longer than a broker waits for an issuer (6 s), which has to join its group again behind it.
const AWAY: &str = "issuer: freeze, after: 2s, for: 9s";

const EMBEDDED: [&str; 2] = ["--provider", "embedded"];

/// So many coupons that none is missing. It rests for less than the issuer is away.
fn a_while(strategy: &'static str) -> Scenario {
    Scenario::long()
        .strategy(strategy)
        .load("constant_vus: { vus: 8, for: 10s }")
        .thresholds("http_reqs: [\"count>0\"]")
        // Draining so large a stock would take longer than the rest.
        .truth("drain: false")
        .quiet("500ms")
}

/// How the wait for the last read of the truth has ended.
#[track_caller]
fn settled(bench: &Bench) -> Value {
    let truth = bench.read("run/truth.jsonl");
    let line = truth.lines().find(|line| line.contains("\"settled\""));
    serde_json::from_str(line.expect("it was waited for")).expect("JSON")
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
        let ended = bench.run_scenario(&["--provider", provider]);
        // That nobody was told "sold out" is another question.
        assert_eq!(ended.code, Some(112), "{strategy}: {}", ended.all());
        bench.expect_whole(strategy);
        let judged = verdict_of(&bench.summary(), "invariants", "acknowledged").clone();
        assert_eq!(judged["verdict"], "pass", "{strategy}: {}", ended.all());
        assert_eq!(settled(&bench)["settled"], true, "{strategy}");
    }
}

/// Kills the issuer of a run under way for good.
fn kill_issuer(bench: &Bench) {
    let number = bench.read("run/stack/issuer-1.pid");
    let pid = Pid::from_raw(number.trim().parse().expect("a number"));
    kill_process(pid.expect("not zero"), Signal::KILL).expect("it runs");
}

#[test]
fn what_nobody_ever_writes_is_lost_and_the_reason_says_what_waits() {
    let bench = Bench::new();
    let text = a_while("memory-kafka").to_string();
    bench.write("scenario.yaml", text.replace("within: 30s", "within: 5s"));
    let mut running = bench.start_scenario(&EMBEDDED);
    running.wait_until_it_says(" issued ");
    kill_issuer(&bench);
    let ended = running.wait().expect(111);
    let summary = bench.summary();
    let lost = part_of(&summary, "acknowledged", "lost");
    assert_eq!(lost["verdict"], "fail", "{}", ended.all());
    let settled = settled(&bench);
    assert_eq!(settled["settled"], false, "{settled}");
    let waiting = settled["waiting"].as_str().expect("a text");
    assert!(waiting.starts_with("the consumer lag is "), "{waiting}");
    assert!(waiting.ends_with(" after 5s"), "{waiting}");
    let open = part_of(&summary, "acknowledged", "quiescence");
    assert_eq!(open["verdict"], "unknown", "{open}");
    let detail = open["detail"].as_str().expect("a text");
    assert!(detail.contains(waiting), "{detail}");
}

/// The system that promises first, with the scenario of its own.
fn run_behind(more: &[&str], set: &[&str]) -> (Bench, Ended) {
    let bench = Bench::new();
    let scenario = std::fs::read(shipped("tests/systems/behind.yaml"));
    bench.write("scenario.yaml", scenario.expect("the scenario"));
    let system = System::start("behind", &bench.path("system.db"), 25, more);
    let url = system.url();
    let mut args = vec!["--url", url.as_str()];
    for set in set {
        args.extend(["--set", set]);
    }
    let ended = bench.run_scenario(&args);
    (bench, ended)
}

#[test]
fn what_a_system_of_ones_own_has_still_to_write_is_waited_for_where_it_is_named() {
    // What is named; what the run ends with.
    let not_named = "truth.settle.pending=[]";
    let table: [(&[&str], i32); 2] = [(&[], 0), (&[not_named], 111)];
    for (set, code) in table {
        let (bench, ended) = run_behind(&[], set);
        assert_eq!(ended.code, Some(code), "{set:?}: {}", ended.all());
        assert_eq!(settled(&bench)["settled"], true, "{set:?}");
    }
}

#[test]
fn a_system_that_never_writes_what_it_has_promised_fails() {
    let (bench, ended) = run_behind(&["--defect"], &["truth.settle.within=2s"]);
    let ended = ended.expect(111);
    let lost = part_of(&bench.summary(), "acknowledged", "lost").clone();
    assert_eq!(lost["detail"], "25 of 25 confirmations lost", "{lost}");
    let waiting = &settled(&bench)["waiting"];
    assert_eq!(
        waiting,
        "number 1 of `pending` is 25 after 2s",
        "{}",
        ended.all()
    );
}

#[test]
fn a_number_that_cannot_be_read_ends_the_run_before_its_load() {
    let (_, ended) = run_behind(
        &[],
        &["truth.settle.pending.0.sql.query=SELECT 1 FROM nowhere"],
    );
    let ended = ended.expect(113);
    assert!(ended.stderr.contains("nowhere"), "{}", ended.all());
}
