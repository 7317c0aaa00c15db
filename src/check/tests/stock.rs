//! Good, bad and unknown histories for the stock.

use super::{Story, has_part, part, verdict_of};
use crate::check::Which;
use crate::history::OutcomeKind::{Error, Issued, Pending, Refused, SoldOut, Unknown};
use crate::plan::Invariant;
use crate::verdict::Verdict::{self, Fail, Pass};

fn judge(story: &Story) -> crate::check::Finding {
    story.finding(Invariant::Stock)
}

/// Two of two issued, then sold out.
fn good() -> Story {
    Story::of_stock(2)
        .told("kim", Issued, 10, 20)
        .told("lee", Issued, 12, 30)
        .told("park", SoldOut, 15, 40)
        .finally(&["kim", "lee"])
}

#[test]
fn a_sale_that_ends_at_its_stock_passes() {
    let finding = judge(&good());
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    assert!(finding.headline.contains("2 of 2"), "{}", finding.headline);
}

#[test]
fn one_row_too_many_is_oversold_by_one() {
    let story = good()
        .told("choi", Issued, 50, 60)
        .finally(&["kim", "lee", "choi"]);
    let finding = judge(&story);
    assert_eq!(verdict_of(&finding, "oversold"), (Fail, 1));
    assert_eq!(finding.headline, "oversold by 1: 3 rows for a stock of 2");
    let case = &part(&finding, "oversold").cases[0];
    assert_eq!((case.user.as_str(), case.inv_ns), ("choi", Some(50)));
    assert_eq!(case.phase.as_deref(), Some("rush"));
}

#[test]
fn overselling_is_seen_although_the_rows_were_trimmed_later() {
    let story = Story::of_stock(1)
        .issued("kim", "1", 1, 2)
        .issued("lee", "2", 3, 4)
        .told("park", SoldOut, 5, 6)
        .finally(&["kim:1"]);
    let finding = judge(&story);
    assert_eq!(verdict_of(&finding, "oversold"), (Pass, 0));
    assert_eq!(verdict_of(&finding, "issued_ids"), (Fail, 1));
}

#[test]
fn users_are_counted_where_answers_name_no_coupon() {
    let story = good().told("choi", Issued, 50, 60);
    assert_eq!(verdict_of(&judge(&story), "issued_users"), (Fail, 1));
}

#[test]
fn a_user_confirmed_twice_is_one_user() {
    let story = good().told("kim", Issued, 50, 60);
    assert_eq!(verdict_of(&judge(&story), "issued_users"), (Pass, 0));
}

#[test]
fn stock_left_over_after_a_sold_out_is_undersold() {
    let finding = judge(&good().finally(&["kim"]));
    assert_eq!(verdict_of(&finding, "unsold"), (Fail, 1));
    assert_eq!(
        finding.headline,
        "1 left over, although sold out was answered 1 time"
    );
    assert!(part(&finding, "premature_sold_out").cases.is_empty());
}

#[test]
fn a_sold_out_before_the_last_winner_asked_is_premature() {
    let story = Story::of_stock(2)
        .told("kim", Issued, 10, 20)
        .told("early", SoldOut, 11, 49)
        .told("edge", SoldOut, 12, 50)
        .told("lee", Issued, 50, 60)
        .told("earliest", SoldOut, 30, 31)
        .finally(&["kim", "lee"]);
    let finding = judge(&story);
    assert_eq!(verdict_of(&finding, "premature_sold_out"), (Fail, 2));
    let cases = &part(&finding, "premature_sold_out").cases;
    let shown: Vec<_> = cases.iter().map(|case| (case.which, case.inv_ns)).collect();
    assert_eq!(
        shown,
        [(Which::First, Some(11)), (Which::Worst, Some(30))],
        "the smallest return has the largest gap"
    );
    assert!(cases[0].text.contains("1 of 2"), "{}", cases[0].text);
}

#[test]
fn an_attempt_without_an_answer_excuses_a_sold_out() {
    // The lost answer at 10 may have won; the confirmation at 50 is then its replay.
    let story = Story::of_stock(1)
        .told("kim", Unknown, 10, 15)
        .told("lee", SoldOut, 20, 30)
        .told("kim", Issued, 50, 60)
        .finally(&["kim"]);
    assert_eq!(verdict_of(&judge(&story), "premature_sold_out"), (Pass, 0));
}

#[test]
fn rows_of_before_count_against_the_stock_from_the_start() {
    let story = Story::of_stock(2)
        .before(&["old"])
        .told("lee", SoldOut, 10, 20)
        .told("kim", Issued, 5, 8)
        .finally(&["old", "kim"]);
    let finding = judge(&story);
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    assert_eq!(verdict_of(&finding, "baseline"), (Pass, 1));
    let story = story.told("choi", Issued, 30, 40);
    assert_eq!(verdict_of(&judge(&story), "issued_users"), (Fail, 1));
}

#[test]
fn readings_lie_between_sure_and_possible() {
    let story = Story::of_stock(10)
        .told("a", Issued, 10, 20)
        .told("b", Unknown, 12, 22)
        .told("c", SoldOut, 90, 91)
        .finally(&["a"]);
    for (value, verdict) in [(10, Fail), (9, Pass), (8, Pass), (7, Fail)] {
        let finding = judge(&story.clone().reading(value, 30, 31));
        assert_eq!(part(&finding, "readings").verdict, verdict, "{value}");
    }
    // Before the answer at 20 the unit may or may not have been taken.
    let finding = judge(&story.clone().reading(10, 19, 31));
    assert_eq!(part(&finding, "readings").verdict, Pass);
    let finding = judge(&story.reading(11, 1, 2));
    assert_eq!(part(&finding, "readings").cases[0].user, "-");
}

#[test]
fn the_ledgers_sign_tells_where_the_fault_is() {
    for (remaining, verdict, word) in [
        (0, Pass, "0 remaining"),
        (1, Fail, "too high"),
        (-1, Fail, "leaked"),
    ] {
        let mut story = good();
        story.observations.remaining_last = Some(remaining);
        let finding = judge(&story);
        let part = part(&finding, "ledger");
        assert_eq!(part.verdict, verdict);
        assert!(part.detail.contains(word), "{}", part.detail);
    }
    assert!(!has_part(&judge(&good()), "ledger"));
    assert!(!has_part(&judge(&good()), "readings"));
}

#[test]
fn what_cannot_be_judged_is_unknown() {
    let mut no_read = good();
    no_read.observations.last = None;
    no_read.observations.failures = vec!["the database is gone".to_owned()];
    let mut other_stock = good();
    other_stock.observations.stock = Some(3);
    let mut no_subject = good();
    no_subject.plan.subject = None;
    let no_sold_out = Story::of_stock(1)
        .told("kim", Issued, 1, 2)
        .finally(&["kim"]);
    let nothing = Story::of_stock(1)
        .told("kim", SoldOut, 1, 2)
        .before(&["old"])
        .finally(&["old"]);
    let undeclared = Story::of_stock(1)
        .told("kim", Unknown, 1, 2)
        .told("lee", SoldOut, 3, 4)
        .finally(&["kim"]);
    let restless = good().restless();
    for (story, words) in [
        (&no_read, "the database is gone"),
        (&restless, "quiet"),
        (&no_sold_out, "never tested"),
        (&nothing, "nothing was tested"),
        (&undeclared, "1 attempt without a declared answer"),
        (&other_stock, "the system says that there were 3"),
        (&no_subject, "does not say"),
    ] {
        let finding = judge(story);
        assert_eq!(finding.verdict, Verdict::Unknown, "{finding:#?}");
        assert!(finding.headline.contains(words), "{}", finding.headline);
    }
}

#[test]
fn a_proven_violation_fails_whatever_else_is_unknown() {
    let mut no_read = good().told("choi", Issued, 50, 60);
    no_read.observations.last = None;
    assert_eq!(judge(&no_read).verdict, Fail);
    let restless = good().finally(&["kim", "lee", "choi"]).restless();
    assert_eq!(verdict_of(&judge(&restless), "oversold"), (Fail, 1));
    let mut other_stock = good().finally(&["kim", "lee", "choi", "oh"]);
    other_stock.observations.stock = Some(3);
    assert_eq!(verdict_of(&judge(&other_stock), "oversold"), (Fail, 1));
}

#[test]
fn nothing_is_left_over_if_the_last_row_is_only_late() {
    let story = good().finally(&["kim"]).later(&["kim", "lee"]);
    assert_eq!(judge(&story).verdict, Pass);
}

#[test]
fn a_scenario_with_fewer_users_than_stock_needs_no_sold_out() {
    let mut story = Story::of_stock(5)
        .told("kim", Issued, 1, 2)
        .finally(&["kim"]);
    story.plan.users.pool = 3;
    story.plan.truth.as_mut().expect("a truth").drain = false;
    assert_eq!(judge(&story).verdict, Pass);
}

#[test]
fn an_accepted_attempt_with_its_row_is_not_vacuous() {
    let story = Story::of_stock(1)
        .told("kim", Pending, 1, 2)
        .told("lee", SoldOut, 3, 4)
        .finally(&["kim"]);
    assert_eq!(judge(&story).verdict, Pass);
}

#[test]
fn requests_that_attempt_nothing_are_not_looked_at() {
    let mut story = good().told("kim", SoldOut, 1, 2);
    story.history.last_mut().expect("just pushed").step = 0;
    assert_eq!(judge(&story).verdict, Pass);
    let story = good().told("x", Error, 1, 2).told("y", Refused, 1, 2);
    assert_eq!(judge(&story).verdict, Pass);
}

#[test]
fn a_low_reading_proves_nothing_where_attempts_may_be_missing() {
    let rows = ["kim"];
    let story = Story::of_stock(2).told("kim", Issued, 1, 2);
    let mut story = story.finally(&rows).reading(0, 3, 4);
    let judge = |story: &Story| verdict_of(&story.finding(Invariant::Stock), "readings");
    assert_eq!(judge(&story), (Fail, 1));
    story.gap = Some("it holds 1 of 2 attempts".to_owned());
    assert_eq!(judge(&story), (Pass, 0));
}

#[test]
fn an_early_refusal_proves_nothing_where_a_winner_may_have_held_one_all_along() {
    let early = good().told("early", SoldOut, 1, 2);
    assert_eq!(verdict_of(&judge(&early), "premature_sold_out"), (Fail, 1));
    let (mut unread, mut short) = (early.clone(), early);
    unread.observations.baseline = None;
    short.gap = Some("it holds 4 of 5 attempts".to_owned());
    let unknown = (Verdict::Unknown, 1);
    for story in [unread, short] {
        let finding = judge(&story);
        assert_eq!(verdict_of(&finding, "premature_sold_out"), unknown);
    }
}
