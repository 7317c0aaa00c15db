//! Good, bad and unknown histories for first come, first served.

use super::{Story, has_part, operation, part, verdict_of};
use crate::check::{Finding, Which};
use crate::history::OutcomeKind::{
    Duplicate, Error, Issued, NotSent, Pending, Refused, Replay, SoldOut, Unknown,
};
use crate::plan::{Duplicates, Invariant};
use crate::verdict::Verdict::{self, Fail, Pass};

fn judge(story: &Story) -> Finding {
    story.finding(Invariant::FirstComeFirstServed(Duplicates::Any))
}

fn judge_duplicates_first(story: &Story) -> Finding {
    story.finding(Invariant::FirstComeFirstServed(Duplicates::First))
}

/// Two of two issued, then sold out.
fn good() -> Story {
    Story::of_stock(2)
        .told("kim", Issued, 10, 20)
        .told("lee", Issued, 12, 30)
        .told("park", SoldOut, 15, 40)
        .finally(&["kim", "lee"])
}

/// One of one issued, to somebody who asked at 50.
fn won_at_50() -> Story {
    Story::of_stock(1)
        .told("kim", Issued, 50, 60)
        .finally(&["kim"])
}

#[test]
fn what_some_order_explains_passes() {
    let table = vec![
        ("the stock is issued, then it is sold out", good()),
        (
            "a refusal ends in the same nanosecond in which the last winner asks",
            won_at_50().told("lee", SoldOut, 10, 50),
        ),
        (
            "a duplicate ends in the same nanosecond in which the user first asks",
            won_at_50()
                .told("kim", Duplicate, 40, 50)
                .told("lee", SoldOut, 60, 70),
        ),
        (
            "a lost answer had won, and the confirmation is its replay",
            Story::of_stock(1)
                .told("kim", Unknown, 10, 15)
                .told("lee", SoldOut, 20, 30)
                .told("kim", Issued, 50, 60)
                .finally(&["kim"]),
        ),
        (
            "a lost answer never took effect",
            good().told("choi", Unknown, 0, 5),
        ),
        (
            "an accepted attempt was refused in the end",
            good().told("choi", Pending, 0, 5),
        ),
        (
            "who holds one is told that it is sold out, after the end",
            good().told("kim", SoldOut, 50, 60),
        ),
        (
            "the holder of before the load is told to hold one",
            Story::of_stock(2)
                .before(&["old"])
                .told("old", Duplicate, 1, 2)
                .told("kim", Issued, 3, 4)
                .told("lee", SoldOut, 5, 6)
                .finally(&["old", "kim"]),
        ),
        (
            "refusals for other reasons say nothing of the stock",
            good()
                .told("a", Refused, 0, 1)
                .told("b", Error, 0, 1)
                .told("c", NotSent, 0, 1),
        ),
    ];
    for (words, story) in table {
        let finding = judge(&story);
        assert_eq!(finding.verdict, Pass, "{words}: {finding:#?}");
    }
}

#[test]
fn what_no_order_explains_fails_by_its_part() {
    let table = vec![
        (
            "refused one nanosecond before the winner asked",
            won_at_50().told("lee", SoldOut, 10, 49),
            "order",
            1,
        ),
        (
            "refused, and got one by asking again",
            won_at_50().told("kim", SoldOut, 10, 20),
            "order",
            1,
        ),
        (
            "confirmed after a refusal, and the row was lost",
            won_at_50().told("lee", SoldOut, 10, 20).finally(&[]),
            "order",
            1,
        ),
        (
            "told to hold one before the first attempt",
            won_at_50()
                .told("kim", Duplicate, 10, 49)
                .told("lee", SoldOut, 60, 70),
            "early_duplicate",
            1,
        ),
        (
            "confirmed again before the first attempt",
            won_at_50()
                .told("kim", Replay, 10, 49)
                .told("lee", SoldOut, 60, 70),
            "early_duplicate",
            1,
        ),
        (
            "told to hold one, without any attempt that can have got it",
            good().told("choi", Duplicate, 10, 20),
            "early_duplicate",
            1,
        ),
        (
            "told to hold one after a lost answer, without a row",
            good()
                .told("choi", Unknown, 1, 2)
                .told("choi", Duplicate, 10, 20),
            "early_duplicate",
            1,
        ),
        (
            "one row too many",
            good()
                .told("choi", Unknown, 1, 2)
                .finally(&["kim", "lee", "choi"]),
            "explained",
            1,
        ),
        (
            "two rows of one user",
            Story::of_stock(3)
                .told("kim", Issued, 1, 2)
                .told("lee", Issued, 1, 2)
                .told("park", SoldOut, 3, 4)
                .finally(&["kim:1", "kim:2", "lee:3"]),
            "explained",
            1,
        ),
        (
            "a confirmation without a row",
            good().told("choi", Issued, 1, 2),
            "explained",
            1,
        ),
        (
            "a row of a user who was only refused",
            Story::of_stock(1)
                .told("kim", Refused, 1, 2)
                .told("lee", SoldOut, 3, 4)
                .finally(&["kim"]),
            "explained",
            1,
        ),
        (
            "something was left over",
            good().finally(&["kim"]).told("lee", Duplicate, 50, 60),
            "unsold",
            1,
        ),
    ];
    for (words, story, name, count) in table {
        let finding = judge(&story);
        assert_eq!(finding.verdict, Fail, "{words}: {finding:#?}");
        assert_eq!(verdict_of(&finding, name), (Fail, count), "{words}");
    }
}

#[test]
fn where_duplicates_are_looked_for_first_a_holder_is_never_told_sold_out() {
    let table = [
        (good().told("kim", SoldOut, 50, 60), Fail),
        // The refusal of a lost attempt is not known to have reached anybody who holds one.
        (good().told("kim", Unknown, 50, 60), Pass),
        (good().told("kim", Duplicate, 50, 60), Pass),
    ];
    for (story, verdict) in table {
        let finding = judge_duplicates_first(&story);
        assert_eq!(finding.verdict, verdict, "{finding:#?}");
        assert_eq!(part(&finding, "duplicates_first").verdict, verdict);
        let finding = judge(&story);
        assert_eq!(finding.verdict, Pass, "{finding:#?}");
        assert!(!has_part(&finding, "duplicates_first"));
    }
}

#[test]
fn the_counter_example_is_the_first_refusal_and_the_last_winner() {
    let story = Story::of_stock(3)
        .told("early", Issued, 1, 2)
        .told("8", SoldOut, 20_000_000, 40_000_000)
        .told("7", SoldOut, 10_000_000, 30_000_000)
        .told("middle", Issued, 35_000_000, 50_000_000)
        .told("last", Unknown, 96_500_000, 99_000_000)
        .finally(&["early", "middle", "last"])
        .broken("redis-down", 90_000_000, 100_000_000)
        .broken("over", 1, 2);
    let finding = judge(&story);
    assert_eq!(
        finding.headline,
        "2 sold-out answers were complete before 2 users who got one had asked, up to 66.500 ms \
         before (3 pairs; at least 2 of these answers must be wrong)"
    );
    let cases = &part(&finding, "order").cases;
    let shown: Vec<_> = cases
        .iter()
        .map(|case| (case.which, case.user.as_str(), case.inv_ns, case.ret_ns))
        .collect();
    assert_eq!(
        shown,
        [
            (Which::First, "7", Some(10_000_000), Some(30_000_000)),
            (Which::Last, "last", Some(96_500_000), None),
        ]
    );
    assert_eq!(
        cases[0].text,
        "told \"sold out\"; 66.500 ms after that answer was complete, one was still got by last"
    );
    assert_eq!(
        cases[1].text,
        "asked 66.500 ms later, without a certain answer, and there is a row; by then it was \
         \"sold out\" to 7"
    );
    assert_eq!(cases[0].faults, [""; 0]);
    assert_eq!(cases[1].faults, ["redis-down"]);
    assert_eq!(cases[1].phase.as_deref(), Some("rush"));
}

#[test]
fn victims_and_beneficiaries_are_counted_with_cases() {
    let story = Story::of_stock(3)
        .told("1", SoldOut, 1, 10)
        .told("2", SoldOut, 2, 30)
        .told("w1", Issued, 5, 6)
        .told("w2", Issued, 20, 25)
        .told("w3", Issued, 40, 45)
        .told("3", SoldOut, 50, 60)
        .finally(&["w1", "w2", "w3"]);
    let finding = judge(&story);
    assert_eq!(verdict_of(&finding, "order"), (Fail, 3), "pairs");
    assert_eq!(verdict_of(&finding, "victims"), (Fail, 2));
    assert_eq!(verdict_of(&finding, "beneficiaries"), (Fail, 2));
    let users = |name: &str| {
        let cases = part(&finding, name).cases.iter();
        cases
            .map(|case| (case.which, case.user.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        users("victims"),
        [
            (Which::First, "1".to_owned()),
            (Which::Last, "2".to_owned())
        ]
    );
    assert_eq!(
        users("beneficiaries"),
        [
            (Which::First, "w2".to_owned()),
            (Which::Worst, "w3".to_owned())
        ]
    );
}

#[test]
fn a_duplicate_too_early_says_what_came_later() {
    let story = won_at_50()
        .told("kim", Duplicate, 10, 20)
        .told("kim", Duplicate, 70, 80)
        .told("choi", Duplicate, 30, 40)
        .told("lee", SoldOut, 60, 70);
    let finding = judge(&story);
    let cases = &part(&finding, "early_duplicate").cases;
    let texts: Vec<_> = cases.iter().map(|case| case.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "told \"duplicate\" 0.000 ms before the first attempt that can have got one; there is \
             a row",
            "told \"duplicate\" without any attempt that can have got one; there is no row",
        ]
    );
    assert_eq!(cases[0].inv_ns, Some(10), "the answer that came first");
}

#[test]
fn what_cannot_be_judged_is_unknown_with_its_reason() {
    let mut no_read = good();
    no_read.observations.last = None;
    no_read.observations.failures = vec!["the database is gone".to_owned()];
    let mut gap = good();
    gap.gap = Some("17 operations were not kept".to_owned());
    let mut other_stock = good();
    other_stock.observations.stock = Some(3);
    let mut no_subject = good();
    no_subject.plan.subject = None;
    let table = vec![
        (
            "an empty history",
            Story::of_stock(2).finally(&[]),
            "nothing was tested",
        ),
        (
            "no confirmation",
            Story::of_stock(1)
                .told("kim", Unknown, 1, 2)
                .told("lee", SoldOut, 3, 4)
                .finally(&["kim"]),
            "1 attempt without a declared answer",
        ),
        ("no final read", no_read, "the database is gone"),
        ("no rest", good().restless(), "did not become quiet"),
        (
            "something waits",
            good().stuck("the consumer lag is 5"),
            "lag is 5",
        ),
        (
            "nobody was refused",
            Story::of_stock(1)
                .told("kim", Issued, 1, 2)
                .finally(&["kim"]),
            "never tested",
        ),
        ("a history with holes", gap, "17 operations were not kept"),
        (
            "two stocks",
            other_stock,
            "the system says that there were 3",
        ),
        ("no stock", no_subject, "does not say"),
        (
            "a row of before the load came back to the stock",
            good().before(&["old"]),
            "coupons come back is not judged",
        ),
        (
            "a row went away before the second read",
            good().later(&["kim"]),
            "coupons come back is not judged",
        ),
    ];
    for (words, story, reason) in table {
        let finding = judge(&story);
        assert_eq!(finding.verdict, Verdict::Unknown, "{words}: {finding:#?}");
        assert!(
            finding.headline.contains(reason),
            "{words}: {}",
            finding.headline
        );
    }
}

#[test]
fn what_an_unread_past_or_a_lost_attempt_may_explain_proves_nothing() {
    let inverted = || won_at_50().told("lee", SoldOut, 10, 49);
    let mut no_baseline = inverted();
    no_baseline.observations.baseline = None;
    let mut gap = inverted();
    gap.gap = Some("1 operations were not kept".to_owned());
    let table = [
        (no_baseline, "some may be older"),
        (gap, "were not kept"),
        (
            inverted().before(&["old"]),
            "coupons that came back may explain it",
        ),
    ];
    for (story, reason) in table {
        let finding = judge(&story);
        assert_eq!(finding.verdict, Verdict::Unknown, "{finding:#?}");
        let order = part(&finding, "order");
        assert_eq!((order.verdict, order.count), (Verdict::Unknown, 1));
        let said = finding
            .parts
            .iter()
            .any(|part| part.detail.contains(reason));
        assert!(said, "{reason}: {finding:#?}");
    }
}

#[test]
fn a_proven_inversion_fails_whatever_else_is_unknown() {
    let inverted = || won_at_50().told("lee", SoldOut, 10, 49);
    let mut no_read = inverted();
    no_read.observations.last = None;
    let mut other_stock = inverted();
    other_stock.observations.stock = Some(3);
    for story in [no_read, other_stock, inverted().restless()] {
        let finding = judge(&story);
        assert_eq!(verdict_of(&finding, "order"), (Fail, 1), "{finding:#?}");
        assert_eq!(finding.verdict, Fail);
    }
}

#[test]
fn a_missing_row_fails_only_when_no_more_can_come() {
    let story = good()
        .told("choi", Issued, 1, 2)
        .told("choi", Duplicate, 3, 4);
    for (story, verdict) in [(story.clone().restless(), Verdict::Unknown), (story, Fail)] {
        let finding = judge(&story);
        assert_eq!(part(&finding, "explained").verdict, verdict);
        assert_eq!(part(&finding, "early_duplicate").verdict, verdict);
    }
}

#[test]
fn a_row_that_is_only_late_belongs_to_a_winner() {
    let story = good().finally(&["kim"]).later(&["kim", "lee"]);
    assert_eq!(judge(&story).verdict, Pass);
    let story = story.told("choi", SoldOut, 1, 11);
    assert_eq!(verdict_of(&judge(&story), "order"), (Fail, 1));
}

#[test]
fn a_stock_that_cannot_run_out_needs_no_sold_out() {
    let mut story = Story::of_stock(5)
        .told("kim", Issued, 1, 2)
        .finally(&["kim"]);
    story.plan.users.pool = 3;
    story.plan.truth.as_mut().expect("a truth").drain = false;
    let finding = judge(&story);
    assert_eq!(finding.verdict, Pass);
    assert_eq!(
        finding.headline,
        "1 user got one, and nobody was told that it is sold out"
    );
}

#[test]
fn coupons_that_come_back_are_said_to_be_not_judged() {
    let finding = judge(&good());
    let detail = &part(&finding, "releases").detail;
    assert!(detail.contains("a cancel, or a hold"), "{detail}");
}

#[test]
fn requests_that_attempt_nothing_are_not_looked_at() {
    let mut story = good();
    let mut look = operation("x", SoldOut, 0, 1);
    look.step = 0;
    story.history.push(look);
    assert_eq!(judge(&story).verdict, Pass);
}
