//! What looks like success and shows nothing: each ends with 112 and says why in one sentence.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::scenario::Scenario;
use harness::{Bench, Ended, wait_until};
use rustix::process::Signal;

const ALL: &str = "stock, one_per_user, acknowledged, first_come_first_served";

/// A run in which everything held.
fn good() -> Bench {
    let bench = Bench::with(&Scenario::short().invariants(ALL));
    bench.run_scenario(&[]).expect(0);
    bench
}

/// The verdict is unknown, and one of the reasons at the top is this sentence.
#[track_caller]
fn doubts(ended: &Ended, sentence: &str) {
    assert!(ended.stdout.contains("? UNKNOWN"), "{}", ended.all());
    let mut lines = ended.stdout.lines();
    let is_said = lines.any(|line| line.contains(sentence));
    assert!(is_said, "no {sentence:?}: {}", ended.all());
}

#[test]
fn an_empty_history_proves_nothing() {
    let bench = good();
    let history = std::fs::read(bench.path("run/history.bin")).expect("a history");
    bench.write("run/history.bin", &history[..16]);
    let ended = bench.run(&["check", "run"]).expect(112);
    doubts(
        &ended,
        "no attempt was answered as issued, so nothing was tested",
    );
    doubts(&ended, "evidence was lost of the history: it holds 0 of ");
}

#[test]
fn a_history_that_lacks_its_end_proves_nothing() {
    let invariants = [
        "stock",
        "one_per_user",
        "acknowledged",
        "first_come_first_served",
    ];
    for invariant in invariants {
        let bench = Bench::with(&Scenario::short().invariants(invariant));
        bench.run_scenario(&[]).expect(0);
        let history = std::fs::read(bench.path("run/history.bin")).expect("a history");
        bench.write("run/history.bin", &history[..16 + 48 * 60]);
        let ended = bench.run(&["check", "run"]).expect(112);
        doubts(&ended, "evidence was lost of the history: it holds 60 of ");
    }
}

#[test]
fn a_run_without_a_single_request_proves_nothing() {
    let empty = "http_req_failed: [{ threshold: \"rate<1%\", allow_empty: true }]";
    let bench = Bench::with(&Scenario::short().invariants(ALL).thresholds(empty));
    bench.run_scenario(&[]).expect(0);
    for file in ["history.bin", "intervals.hlog", "seconds.jsonl"] {
        let path = format!("run/{file}");
        let bytes = std::fs::read(bench.path(&path)).expect("it is there");
        let left = if file == "history.bin" { 16 } else { 0 };
        bench.write(&path, &bytes[..left]);
    }
    // Nobody asked, so nobody holds one.
    let truth = bench.read("run/truth.jsonl");
    let is_kept = |line: &&str| !line.starts_with("{\"user\"") && !line.contains("\"remaining");
    let lines = truth.lines().filter(is_kept);
    let none = lines.map(|line| match line.split_once("\"rows\":") {
        Some((before, _)) => format!("{before}\"rows\":0}}\n"),
        None => format!("{line}\n"),
    });
    bench.write("run/truth.jsonl", none.collect::<String>());
    let ended = bench.run(&["check", "run"]).expect(112);
    doubts(&ended, "no data: not a single request was made");
    doubts(
        &ended,
        "no attempt was answered as issued, so nothing was tested",
    );
}

#[test]
fn a_history_without_an_acknowledgement_proves_nothing() {
    let bench = Bench::with(&Scenario::short().stock(0).invariants(ALL));
    let ended = bench.run_scenario(&[]).expect(112);
    doubts(
        &ended,
        "no attempt was answered as issued, so nothing was tested",
    );
}

#[test]
fn a_missing_final_read_proves_nothing() {
    let bench = good();
    let truth = bench.read("run/truth.jsonl");
    let mut is_kept = true;
    let kept = truth.lines().filter(|line| {
        let is_row = line.starts_with("{\"user\"");
        if !is_row {
            is_kept = !line.contains("\"read\":\"last\"") && !line.contains("\"read\":\"second\"");
        }
        is_kept
    });
    let kept = kept.collect::<Vec<_>>().join("\n") + "\n";
    assert!(
        kept.contains("baseline") && kept.len() < truth.len(),
        "{kept}"
    );
    bench.write("run/truth.jsonl", kept);
    let ended = bench.run(&["check", "run"]).expect(112);
    doubts(&ended, "there was no final read of the issued rows");
}

#[test]
fn a_run_that_was_cut_off_proves_nothing() {
    let bench = Bench::with(&Scenario::long().invariants(ALL));
    let running = bench.start_scenario(&[]);
    wait_until("some seconds are on disk", || {
        let lines = std::fs::read_to_string(bench.path("run/seconds.jsonl"));
        lines.unwrap_or_default().lines().count() >= 2
    });
    running.signal(Signal::KILL);
    running.wait();
    bench.wait_until_empty();
    let ended = bench.run(&["check", "run"]).expect(112);
    doubts(&ended, "the run was cut off: its evidence ends in mid-run");
    doubts(&ended, "there was no final read of the issued rows");
}

#[test]
fn a_run_that_was_interrupted_proves_nothing_and_has_a_code_of_its_own() {
    let bench = Bench::with(&Scenario::long().stock(1_000).invariants(ALL));
    let mut running = bench.start_scenario(&[]);
    running.wait_until_it_says("evidence goes to");
    wait_until("a second is on disk", || {
        let lines = std::fs::read_to_string(bench.path("run/seconds.jsonl"));
        lines.unwrap_or_default().lines().count() >= 1
    });
    running.signal(Signal::INT);
    running.wait().expect(105);
    let ended = bench.run(&["check", "run"]).expect(105);
    doubts(
        &ended,
        "the run was interrupted: the load did not come to its end",
    );
}
