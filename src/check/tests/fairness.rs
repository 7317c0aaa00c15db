//! The order of issue against the order of asking: a measure that accuses nobody.

use std::time::Duration;

use proptest::prelude::*;

use super::{Story, change, part};
use crate::check::Part;
use crate::check::fairness::{Issue, inversions};
use crate::history::OutcomeKind::{Issued, SoldOut, Unknown};
use crate::plan::fault::{Fault, Injection, Party, Trigger, Victim, Which};
use crate::plan::{Duplicates, Invariant};
use crate::verdict::Verdict::Pass;

const MS: u64 = 1_000_000;

/// Three ask 10 ms after each other, each answered after 1 ms.
fn sale() -> Story {
    Story::of_stock(3)
        .told("a", Issued, 10 * MS, 11 * MS)
        .told("b", Issued, 20 * MS, 21 * MS)
        .told("c", Issued, 30 * MS, 31 * MS)
        .told("d", SoldOut, 40 * MS, 41 * MS)
}

/// The rows with their times of creation in microseconds.
fn created(mut story: Story, rows: &[(&str, i64)], grain_us: i64) -> Story {
    let texts: Vec<&str> = rows.iter().map(|(user, _)| *user).collect();
    story = story.finally(&texts);
    let read = story.observations.last.as_mut().expect("just read");
    change(read, |all| {
        for (row, (_, at_us)) in all.iter_mut().zip(rows) {
            row.created_us = Some(*at_us);
            row.grain_us = Some(grain_us);
        }
    });
    story
}

fn measured(story: &Story) -> Part {
    let finding = story.finding(Invariant::FirstComeFirstServed(Duplicates::Any));
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    part(&finding, "fairness").clone()
}

#[test]
fn issues_in_the_order_of_asking_have_no_inversion() {
    let part = measured(&created(sale(), &[("a", 1), ("b", 2), ("c", 3)], 1));
    assert_eq!(part.count, 0);
    assert_eq!(
        part.detail,
        "0.00 % of 3 pairs were issued against the order of asking by more than the jitter of \
         0.000 ms (by the time of creation, which is as exact as 0.001 ms)"
    );
}

#[test]
fn issues_in_reverse_are_all_inverted() {
    let part = measured(&created(sale(), &[("a", 3), ("b", 2), ("c", 1)], 1));
    assert_eq!(part.count, 3);
    assert!(
        part.detail.starts_with("100.00 % of 3 pairs"),
        "{}",
        part.detail
    );
    assert!(
        part.detail.contains(", 20.000 ms at most"),
        "{}",
        part.detail
    );
}

#[test]
fn rows_of_the_same_moment_are_in_no_order() {
    let rows = [("c", 1_000_000), ("b", 1_000_000), ("a", 2_000_000)];
    assert_eq!(measured(&created(sale(), &rows, 1_000_000)).count, 2);
    let finer = [("c", 1_000_000), ("b", 1_000_001), ("a", 2_000_000)];
    assert_eq!(measured(&created(sale(), &finer, 1)).count, 3);
}

#[test]
fn coupon_ids_are_a_sequence_where_there_are_no_times() {
    let part = measured(&sale().finally(&["a:8", "b:9", "c:7"]));
    assert_eq!(part.count, 2);
    assert!(
        part.detail
            .ends_with("(by coupon id, taken for a sequence)")
    );
}

#[test]
fn within_the_jitter_nothing_is_inverted() {
    // The quickest tenth of the answers took between 1 and 6 ms.
    let story = (0..20).fold(Story::of_stock(20), |story, number| {
        let (inv, took) = (number * 4 * MS, if number == 0 { 1 } else { 6 });
        story.told(&number.to_string(), Issued, inv, inv + took * MS)
    });
    let story = story.told("late", SoldOut, 900 * MS, 901 * MS);
    let users: Vec<String> = (0..20).map(|number: i64| number.to_string()).collect();
    // Neighbours are 4 ms apart, which the jitter of 5 ms explains.
    let swapped: Vec<(&str, i64)> = (0..20_i64)
        .map(|number| (users[number as usize].as_str(), number ^ 1))
        .collect();
    let part = measured(&created(story.clone(), &swapped, 1));
    assert_eq!(part.count, 0, "{}", part.detail);
    assert!(
        part.detail.contains("jitter of 5.000 ms"),
        "{}",
        part.detail
    );
    // 8 ms apart, which it does not.
    let swapped: Vec<(&str, i64)> = (0..20_i64)
        .map(|number| (users[number as usize].as_str(), number ^ 2))
        .collect();
    assert!(measured(&created(story, &swapped, 1)).count > 0);
}

#[test]
fn without_an_order_in_the_truth_nothing_is_measured_and_that_is_said() {
    let table = [
        (
            sale().finally(&["a", "b", "c"]),
            "neither a time of creation",
        ),
        (
            sale().finally(&["a:x", "b:y", "c:z"]),
            "neither a time of creation",
        ),
        (
            created(sale(), &[("a", 5), ("b", 5), ("c", 5)], 1),
            "the same time of creation",
        ),
        (
            Story::of_stock(1)
                .told("a", Issued, 1, 2)
                .told("b", SoldOut, 3, 4)
                .finally(&["a:1"]),
            "fewer than two rows",
        ),
        (
            Story::of_stock(2)
                .told("a", Issued, 1, 2)
                .told("b", Unknown, 1, 2)
                .told("c", SoldOut, 3, 4)
                .finally(&["a:1", "b:2"]),
            "fewer than two rows",
        ),
    ];
    for (story, reason) in table {
        let part = measured(&story);
        let begins = part.detail.starts_with("not measured: ");
        assert!(begins && part.detail.contains(reason), "{}", part.detail);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn merging_counts_what_all_pairs_count(
        pairs in prop::collection::vec((0_i64..12, 0_u64..40), 0..40),
        tolerance in 0_u64..10,
    ) {
        let mut issues: Vec<Issue> = pairs
            .into_iter()
            .map(|(place, asked_ns)| Issue { place, asked_ns })
            .collect();
        issues.sort_unstable();
        let inverted = |one: &Issue, other: &Issue| {
            one.place < other.place && one.asked_ns > other.asked_ns + tolerance
        };
        let all = issues.iter().map(|one| {
            issues.iter().filter(|other| inverted(one, other)).count() as u64
        });
        prop_assert_eq!(inversions(&issues, tolerance), all.sum::<u64>());
    }
}

#[test]
fn times_of_a_clock_that_a_fault_sets_say_nothing() {
    let mut story = created(sale(), &[("a", 3), ("b", 2), ("c", 1)], 1);
    assert_eq!(measured(&story).count, 3);
    story.plan.faults.push(Fault {
        name: "late".to_owned(),
        victim: Victim {
            party: Party::Database,
            which: Which::All,
        },
        injection: Injection::ClockSkew { by_ms: -30_000 },
        trigger: Trigger::At(Duration::ZERO),
        lasts: Duration::from_secs(1),
        times: 1,
        every: Duration::from_secs(2),
    });
    let part = measured(&story);
    assert_eq!(part.count, 0);
    assert!(
        part.detail.contains("a fault sets a clock"),
        "{}",
        part.detail
    );
}
