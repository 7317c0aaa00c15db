//! Systems of other kinds, each with one habit: the right verdict without their defect and with it.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::system::System;
use harness::{Bench, part_of, shipped};

/// The key with which `jwt.py` expects tokens to be signed.
const SECRET: &str = "a-secret-of-the-tests";

/// The scenario of `tests/systems/NAME.yaml` against `NAME.py`.
fn run(name: &str, more: &[&str], code: i32) -> Bench {
    let bench = Bench::new();
    let scenario = std::fs::read(shipped(&format!("tests/systems/{name}.yaml")));
    bench.write("scenario.yaml", scenario.expect("the scenario"));
    let system = System::start(name, &bench.path("system.db"), 25, more);
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
    let running = bench.start_with(&args, |command| {
        command.env("JWT_SECRET", SECRET);
    });
    running.wait().expect(code);
    bench
}

/// The system is right: everything is issued, and nothing is left unexplained.
fn passes(name: &str) -> Bench {
    let bench = run(name, &[], 0);
    let outcomes = &bench.summary()["outcomes"];
    assert_eq!(outcomes["issued"], 25, "{outcomes}");
    assert_eq!(outcomes["unknown"], 0, "{outcomes}");
    for refused in ["sold_out", "duplicate"] {
        assert!(outcomes[refused].as_u64() > Some(0), "{outcomes}");
    }
    bench
}

/// The system does one thing wrong: these invariants are violated, and no others.
fn fails(name: &str, violated: &[&str]) {
    let bench = run(name, &["--defect"], 111);
    let summary = bench.summary();
    let invariants = summary["invariants"].as_array().expect("a list");
    let failed = invariants.iter().filter(|one| one["verdict"] == "fail");
    let failed: Vec<_> = failed.filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(failed, violated, "{summary:#}");
}

#[test]
fn a_200_for_everything_is_told_apart_by_its_envelope() {
    passes("envelope");
}

#[test]
fn an_oversold_stock_is_found_behind_a_200_for_everything() {
    fails("envelope", &["stock"]);
}

#[test]
fn a_201_for_refusals_is_told_apart_by_a_truth_value() {
    passes("created_refusals");
}

#[test]
fn a_last_piece_that_is_taken_and_refused_is_found() {
    // It has a row, and its user was told that it is sold out.
    fails("created_refusals", &["acknowledged"]);
}

#[test]
fn one_status_for_two_refusals_is_told_apart_by_its_text() {
    passes("one_code");
}

#[test]
fn a_user_who_got_two_is_found() {
    fails("one_code", &["one_per_user"]);
}

#[test]
fn a_refusal_by_the_lock_is_not_sold_out() {
    passes("busy_and_sold");
}

#[test]
fn a_lease_that_ends_before_the_write_is_found() {
    fails("busy_and_sold", &["stock"]);
}

#[test]
fn answers_without_a_body_are_told_apart_by_their_status() {
    passes("empty_bodies");
}

#[test]
fn a_false_duplicate_is_found_without_any_body() {
    fails("empty_bodies", &["acknowledged"]);
}

#[test]
fn an_accepted_request_is_followed_to_its_result() {
    passes("accepted");
}

#[test]
fn a_result_whose_row_was_never_written_is_found() {
    // It was confirmed and is gone, and its place in the stock is taken for nobody.
    fails("accepted", &["stock", "acknowledged"]);
}

#[test]
fn a_reservation_is_carried_from_the_checkout_to_the_purchase() {
    passes("checkout");
}

#[test]
fn more_reservations_than_pieces_are_found() {
    fails("checkout", &["stock"]);
}

/// What is given back is issued once more, and nobody is accused.
#[test]
fn what_is_cancelled_can_be_had_by_somebody_else() {
    for name in ["cancel_twice", "cancel_unseen"] {
        let summary = run(name, &[], 0).summary();
        let outcomes = &summary["outcomes"];
        for told in ["sold_out", "released"] {
            assert!(outcomes[told].as_u64() > Some(0), "{outcomes}");
        }
        assert!(outcomes["issued"].as_u64() > Some(25), "{outcomes}");
        let part = part_of(&summary, "first_come_first_served", "releases");
        let detail = part["detail"].as_str().expect("words");
        assert!(
            detail.contains("judged as a sale in which coupons come back"),
            "{detail}"
        );
    }
}

#[test]
fn a_cancel_that_gives_the_stock_back_twice_is_found() {
    fails("cancel_twice", &["stock", "first_come_first_served"]);
}

#[test]
fn a_sold_out_that_outlives_a_cancel_is_found() {
    fails("cancel_unseen", &["first_come_first_served"]);
}

#[test]
fn a_token_of_a_login_says_who_asks() {
    passes("login");
}

#[test]
fn who_logs_in_twice_and_gets_two_is_found() {
    fails("login", &["one_per_user"]);
}

#[test]
fn a_queue_is_entered_and_waited_for() {
    passes("waiting_room");
}

#[test]
fn a_stock_that_is_oversold_behind_its_queue_is_found() {
    fails("waiting_room", &["stock"]);
}

#[test]
fn a_token_that_the_scenario_signs_says_who_asks() {
    let bench = passes("jwt");
    // The beginning of every signed token, and the key.
    let told = ["eyJhbGciOiJIUzI1NiI", SECRET];
    let mut files = 0;
    let mut waiting = vec![bench.path("run")];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a directory").flatten();
            waiting.extend(entries.map(|entry| entry.path()));
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        let found = told.iter().find(|secret| text.contains(**secret));
        assert_eq!(found, None, "{}", path.display());
        files += 1;
    }
    assert!(files >= 9, "{files} files");
}

#[test]
fn a_stock_that_is_oversold_to_valid_tokens_is_found() {
    fails("jwt", &["stock"]);
}
