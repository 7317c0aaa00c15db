//! `seats` and `balances` on small systems of their own kind: the right verdict without a defect, and
//! with each of several; also from a run directory alone.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::system::System;
use harness::{Bench, shipped};
use serde_json::Value;

/// The scenario of `tests/systems/NAME.yaml` against `NAME.py` with this defect.
fn run(name: &str, defect: Option<&str>) -> Bench {
    let bench = Bench::new();
    let scenario = std::fs::read(shipped(&format!("tests/systems/{name}.yaml")));
    bench.write("scenario.yaml", scenario.expect("the scenario"));
    let more: Vec<&str> = defect
        .iter()
        .flat_map(|defect| ["--defect", *defect])
        .collect();
    let system = System::start(name, &bench.path("system.db"), 12, &more);
    let out = bench.path("run").display().to_string();
    let url = system.url();
    let args = [
        "run",
        "scenario.yaml",
        "--out",
        &out,
        "--url",
        &url,
        "--quiet",
    ];
    let code = if defect.is_some() { 111 } else { 0 };
    bench.start_with(&args, |_| {}).wait().expect(code);
    bench
}

fn parts(summary: &Value) -> &Vec<Value> {
    let parts = &summary["findings"][0]["parts"];
    parts.as_array().unwrap_or_else(|| panic!("{summary:#}"))
}

/// The defect is found by these parts, and by no other.
fn finds(name: &str, defect: &str, expected: &[&str]) {
    let bench = run(name, Some(defect));
    let summary = bench.summary();
    let failed = parts(&summary)
        .iter()
        .filter(|part| part["verdict"] == "fail");
    let failed: Vec<_> = failed.filter_map(|part| part["name"].as_str()).collect();
    assert_eq!(failed, expected, "{summary:#}");
    for part in parts(&summary)
        .iter()
        .filter(|part| part["verdict"] == "fail")
    {
        let told = &part["explanation"]["moments"];
        assert!(
            told.as_array().is_some_and(|told| !told.is_empty()),
            "{part:#}"
        );
    }
}

#[test]
fn a_hall_that_is_right_passes_and_is_judged_alike_from_its_run_directory() {
    let bench = run("hall", None);
    let summary = bench.summary();
    let text = summary["findings"][0]["headline"]
        .as_str()
        .unwrap_or_default();
    let end = " sales confirmed, no seat to two users at a time; 12 seats asked for by more than one \
               user";
    assert!(text.ends_with(end), "{text}");
    let out = bench.path("run").display().to_string();
    bench.start_with(&["check", &out], |_| {}).wait().expect(0);
}

#[test]
fn a_seat_that_is_held_by_two_is_found() {
    finds("hall", "held-twice", &["held_twice"]);
}

#[test]
fn a_seat_that_is_sold_twice_is_found_although_the_rows_show_one_owner() {
    finds("hall", "sold-twice", &["owner", "sold_twice", "held_twice"]);
}

#[test]
fn a_seat_that_was_confirmed_and_not_written_is_found() {
    finds("hall", "lost", &["lost"]);
}

#[test]
fn wallets_that_are_right_add_up_although_answers_were_lost() {
    let bench = run("wallet", None);
    let summary = bench.summary();
    assert!(
        summary["outcomes"]["unknown"].as_u64() > Some(3),
        "{summary:#}"
    );
    let text = summary["findings"][0]["headline"]
        .as_str()
        .unwrap_or_default();
    assert_eq!(
        text,
        "48 charges confirmed, each with one row; 13 accounts add up"
    );
    let out = bench.path("run").display().to_string();
    bench.start_with(&["check", &out], |_| {}).wait().expect(0);
}

#[test]
fn a_retry_that_charges_twice_is_found() {
    finds("wallet", "charged-twice", &["charged_twice"]);
}

#[test]
fn a_payment_that_was_confirmed_and_not_written_is_found() {
    finds("wallet", "lost", &["lost"]);
}

#[test]
fn a_wallet_below_zero_is_found() {
    finds("wallet", "negative", &["negative"]);
}

#[test]
fn without_its_details_a_run_proves_nothing() {
    let bench = run("hall", None);
    let details = bench.path("run/details.bin");
    let whole = std::fs::read(&details).expect("what attempts were about");
    let out = bench.path("run").display().to_string();
    let check = || bench.start_with(&["check", &out], |_| {}).wait();
    // Of a run that was killed, the last record may be torn.
    std::fs::write(&details, &whole[..whole.len() - 3]).expect("cut");
    check().expect(112);
    std::fs::remove_file(&details).expect("removed");
    check().expect(112);
    std::fs::write(&details, &whole).expect("back");
    check().expect(0);
}
