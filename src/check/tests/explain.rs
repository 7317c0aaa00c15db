//! The story of the gravest case: who asked when, what they were told, and what the truth says.

use std::fmt::Write as _;

use super::{Story, part};
use crate::check::{Explanation, Part, What, Which};
use crate::history::OutcomeKind::{Issued, SoldOut, Unknown};
use crate::plan::{Duplicates, Invariant};

const MS: u64 = 1_000_000;

/// As people read it, a moment a line, in milliseconds.
fn written(explanation: &Explanation) -> String {
    let mut out = format!("about {}\n", explanation.users.join(" and "));
    for one in &explanation.moments {
        let until = one
            .until_ns
            .map_or(String::new(), |ns| format!("{}", ns / MS));
        let _ = writeln!(out, "{:>4}-{until:<4} {}", one.at_ns / MS, one.text);
    }
    let _ = write!(out, "left out: {}", explanation.left_out);
    out
}

fn told(story: &Story, invariant: Invariant, name: &str) -> Explanation {
    let finding = story.finding(invariant);
    let explanation = part(&finding, name).explanation.clone();
    explanation.unwrap_or_else(|| panic!("{name} has no explanation: {finding:#?}"))
}

/// Read at this time, as a run would.
fn at(mut story: Story, ns: u64) -> Story {
    let reads = [&mut story.observations.last, &mut story.observations.second];
    for (read, later) in reads.into_iter().zip([0, 3]) {
        if let Some(read) = read {
            read.at_ns = ns + later * 1_000 * MS;
        }
    }
    story
}

#[test]
fn a_lost_confirmation_names_user_times_fault_and_who_has_it_now() {
    let story = Story::of_stock(2)
        .broken("redis-down", 15 * MS, 40 * MS)
        .issued("1", "c1", 0, 3 * MS)
        .told("5", Unknown, 10 * MS, 30 * MS)
        .issued("5", "c2", 31 * MS, 33 * MS)
        .issued("bob", "c2", 32 * MS, 36 * MS)
        .told("3", SoldOut, 20 * MS, 21 * MS)
        .finally(&["1:c1", "bob:c2"]);
    insta::assert_snapshot!(written(&told(
        &at(story, 900 * MS),
        Invariant::Acknowledged,
        "lost"
    )));
}

#[test]
fn a_second_row_names_both_and_the_attempts_that_got_them() {
    let story = Story::of_stock(3)
        .issued("7", "100", 5 * MS, 9 * MS)
        .issued("7", "101", 6 * MS, 8 * MS)
        .issued("8", "102", 6 * MS, 11 * MS)
        .finally(&["7:100", "7:101", "8:102"])
        .later(&["7:100", "8:102"]);
    insta::assert_snapshot!(written(&told(
        &at(story, 900 * MS),
        Invariant::OnePerUser,
        "rows_per_user"
    )));
}

#[test]
fn an_inversion_is_told_of_both_users() {
    let story = Story::of_stock(2)
        .issued("1", "c1", 0, 3 * MS)
        .told("2", SoldOut, 4 * MS, 6 * MS)
        .issued("3", "c3", 20 * MS, 24 * MS)
        .finally(&["1:c1", "3:c3"]);
    let invariant = Invariant::FirstComeFirstServed(Duplicates::Any);
    insta::assert_snapshot!(written(&told(&at(story, 900 * MS), invariant, "order")));
}

#[test]
fn a_reading_that_is_wrong_is_told_without_a_user() {
    let story = Story::of_stock(3)
        .issued("1", "c1", 0, 2 * MS)
        .told("2", Issued, 2 * MS, 4 * MS)
        .reading(3, 5 * MS, 6 * MS)
        .finally(&["1:c1", "2"]);
    let explanation = told(&story, Invariant::Stock, "readings");
    assert!(explanation.users.is_empty());
    let reading = explanation
        .moments
        .iter()
        .find(|one| one.what == What::Reading);
    let reading = reading.expect("the reading itself");
    assert_eq!((reading.at_ns, reading.until_ns), (5 * MS, Some(6 * MS)));
    assert!(reading.text.contains("at most 1"), "{}", reading.text);
}

#[test]
fn of_many_attempts_the_earliest_and_the_latest_are_told() {
    let mut story = Story::of_stock(1).issued("7", "1", 0, MS);
    for nth in 1..=100 {
        story = story.told("7", Unknown, nth * 10 * MS, nth * 10 * MS + 1);
    }
    let explanation = told(&story.finally(&[]), Invariant::Acknowledged, "lost");
    let asked = explanation
        .moments
        .iter()
        .filter(|one| one.what == What::Asked);
    let asked: Vec<u64> = asked.map(|one| one.at_ns / MS).collect();
    assert_eq!(asked, [0, 10, 20, 30, 40, 960, 970, 980, 990, 1000]);
    assert_eq!(explanation.left_out, 91);
}

#[test]
fn what_is_right_has_no_story() {
    let story = Story::of_stock(1)
        .issued("1", "c1", 0, MS)
        .told("2", SoldOut, 2 * MS, 3 * MS)
        .finally(&["1:c1"]);
    for finding in story.findings() {
        for part in &finding.parts {
            assert_eq!(part.explanation, None, "{finding:#?}");
            assert_eq!(part.listed, 0, "{finding:#?}");
        }
    }
}

/// Every surplus row of a stock of one.
fn oversold(by: u64) -> Part {
    let mut story = Story::of_stock(1);
    let mut rows = vec!["0".to_owned()];
    // Asked last first, so that the order of the history is not the order of time.
    for user in (1..=by).rev() {
        story = story.told(&user.to_string(), Issued, user * MS, user * MS + 1);
        rows.push(user.to_string());
    }
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let finding = story.finally(&rows).finding(Invariant::Stock);
    part(&finding, "oversold").clone()
}

#[test]
fn all_cases_are_listed_in_the_order_of_time() {
    let part = oversold(50);
    assert_eq!((part.count, part.listed, part.cases.len()), (50, 50, 2));
    let users: Vec<u64> = part
        .all
        .iter()
        .map(|case| case.user.parse().expect("a number"))
        .collect();
    assert_eq!(users, (1..=50).collect::<Vec<_>>());
    assert!(part.all.iter().all(|case| case.which == Which::Any));
}

#[test]
fn of_too_many_cases_the_earliest_are_listed() {
    let most = Part::MOST_LISTED as u64;
    let part = oversold(most + 500);
    assert_eq!((part.count, part.listed), (most + 500, most));
    let last = part.all.last().expect("some");
    assert_eq!(last.user, most.to_string());
}
