//! Signals at every stage: everything is given back, and the evidence is kept.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::scenario::Scenario;
use harness::shop::{Manner, Shop, TRUTH};
use harness::{Bench, Ended, Running, wait_until};
use rustix::process::Signal;

/// A run whose load is under way.
fn under_way(bench: &Bench) -> Running {
    let mut running = bench.start_scenario(&[]);
    running.wait_until_it_says(" VUs ");
    running
}

#[track_caller]
fn gave_everything_back(bench: &Bench, ended: Ended) {
    let ended = ended.expect(105);
    ended.says("the run was interrupted");
    let summary = bench.summary();
    assert_ne!(summary["verdict"], "pass");
    assert_eq!(summary["exit_code"], 105);
    assert!(summary["requests"].as_u64() > Some(0), "{}", ended.all());
    assert!(
        bench
            .read("run/report.md")
            .contains("the run was interrupted")
    );
    assert_eq!(bench.processes(), Vec::<String>::new());
}

#[test]
fn ctrl_c_in_mid_load_keeps_the_evidence_and_ends_the_server() {
    let bench = Bench::with(&Scenario::long());
    let running = under_way(&bench);
    assert_eq!(bench.processes().len(), 2, "the harness and its server");
    running.signal(Signal::INT);
    gave_everything_back(&bench, running.wait());
}

#[test]
fn sigterm_does_what_ctrl_c_does() {
    let bench = Bench::with(&Scenario::long());
    let running = under_way(&bench);
    running.signal(Signal::TERM);
    gave_everything_back(&bench, running.wait());
}

#[test]
fn a_second_ctrl_c_cuts_requests_that_are_under_way() {
    let shop = Shop::open(10, Manner::Silent);
    let scenario = Scenario::long().url(&shop.url).truth(TRUTH);
    // Nothing but the second signal ends these within the hour.
    let scenario = scenario.to_string().replace("timeout: 1m", "timeout: 1h");
    let bench = Bench::new();
    bench.write("scenario.yaml", scenario);
    let mut running = bench.start_scenario(&[]);
    wait_until("all four users are asking", || shop.asked() == 4);
    running.signal(Signal::INT);
    running.wait_until_it_says("interrupted: iterations may finish; once more cuts them");
    running.signal(Signal::INT);
    let ended = running.wait().expect(105);
    let summary = bench.summary();
    assert_ne!(summary["verdict"], "pass", "{}", ended.all());
    assert_eq!(summary["outcomes"]["unknown"], 4);
}

#[test]
fn ctrl_c_after_the_load_still_reads_the_truth() {
    let bench = Bench::with(&Scenario::short().quiet("3s"));
    let mut running = bench.start_scenario(&[]);
    running.wait_until_it_says("settling, ");
    running.signal(Signal::INT);
    let ended = running.wait();
    let words = "the run was interrupted after its load";
    ended.says(words);
    let words = "interrupted: the truth is still read; once more skips it";
    assert!(ended.stderr.contains(words), "{}", ended.all());
    gave_everything_back(&bench, ended);
    let truth = bench.read("run/truth.jsonl");
    assert!(
        truth.contains("\"last\""),
        "{}",
        &truth[..200.min(truth.len())]
    );
}

#[test]
fn ctrl_c_during_start_up_leaves_nothing_behind() {
    let bench = Bench::with(&Scenario::long());
    let running = bench.start_scenario(&[]);
    wait_until("it has begun", || bench.path("run/run.json").exists());
    running.signal(Signal::INT);
    running.wait().expect(105);
    bench.wait_until_empty();
}

#[test]
fn ctrl_c_while_waiting_for_the_target_ends_at_once() {
    let scenario = Scenario::long().url("http://127.0.0.1:1").truth(TRUTH);
    let bench = Bench::with(&scenario);
    let mut running = bench.start_scenario(&[]);
    running.wait_until_it_says("waiting for http://127.0.0.1:1");
    running.signal(Signal::INT);
    let ended = running.wait().expect(105);
    ended.complains("error: interrupted before the load began");
}
