//! Good, bad and unknown histories for one per user.

use super::{Story, has_part, part, verdict_of};
use crate::check::Finding;
use crate::history::OutcomeKind::{Duplicate, Issued, NotSent, Replay};
use crate::plan::Invariant;
use crate::verdict::Verdict::{Fail, Pass, Unknown};

fn judge(story: &Story) -> Finding {
    story.finding(Invariant::OnePerUser)
}

fn good() -> Story {
    Story::of_stock(2)
        .issued("kim", "c-1", 1, 2)
        .issued("lee", "c-2", 3, 4)
        .told("kim", Duplicate, 5, 6)
        .finally(&["kim:c-1", "lee:c-2"])
}

#[test]
fn one_row_and_one_id_each_passes() {
    let finding = judge(&good());
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    assert_eq!(verdict_of(&finding, "asked_twice"), (Pass, 1));
}

#[test]
fn a_second_row_of_a_user_fails_with_the_user_who_has_most() {
    let rows = ["kim:c-1", "kim:c-3", "lee:c-2", "lee:c-4", "lee:c-5"];
    let finding = judge(&good().finally(&rows));
    assert_eq!(verdict_of(&finding, "rows_per_user"), (Fail, 2));
    assert_eq!(
        finding.headline,
        "2 users with more than one: 3 rows too many"
    );
    let users: Vec<_> = part(&finding, "rows_per_user")
        .cases
        .iter()
        .map(|case| (case.user.as_str(), case.text.as_str()))
        .collect();
    assert_eq!(users, [("kim", "holds 2 rows"), ("lee", "holds 3 rows")]);
}

#[test]
fn a_second_row_that_only_the_second_read_shows_fails_too() {
    let story = good().later(&["kim:c-1", "lee:c-2", "lee:c-9"]);
    assert_eq!(verdict_of(&judge(&story), "rows_per_user"), (Fail, 1));
}

#[test]
fn a_surplus_of_before_is_not_this_runs_doing() {
    let story = good()
        .before(&["old:1", "old:2"])
        .finally(&["old:1", "old:2", "kim:c-1", "lee:c-2"]);
    assert_eq!(verdict_of(&judge(&story), "rows_per_user"), (Pass, 0));
    let story = story.finally(&["old:1", "old:2", "old:3"]);
    assert_eq!(verdict_of(&judge(&story), "rows_per_user"), (Fail, 1));
}

#[test]
fn two_ids_for_one_user_fail_but_the_same_id_again_does_not() {
    let again = good().issued("kim", "c-1", 8, 9).told("kim", Replay, 8, 9);
    assert_eq!(verdict_of(&judge(&again), "ids_per_user"), (Pass, 0));
    let other = good().issued("kim", "c-7", 8, 9);
    let finding = judge(&other);
    assert_eq!(verdict_of(&finding, "ids_per_user"), (Fail, 1));
    assert_eq!(part(&finding, "ids_per_user").cases[0].user, "kim");
}

#[test]
fn one_id_for_two_users_fails_and_names_both() {
    let finding = judge(&good().issued("lee", "c-1", 8, 9));
    assert_eq!(verdict_of(&finding, "ids_shared"), (Fail, 1));
    let case = &part(&finding, "ids_shared").cases[0];
    assert_eq!(case.user, "lee");
    assert_eq!(
        case.text,
        "coupon c-1: confirmed to 2 users, the first of them was kim"
    );
}

#[test]
fn answers_without_ids_are_not_judged_by_ids() {
    let story = Story::of_stock(1)
        .told("kim", Issued, 1, 2)
        .finally(&["kim"]);
    let finding = judge(&story);
    assert_eq!(finding.verdict, Pass);
    assert!(!has_part(&finding, "ids_per_user"));
    assert!(part(&finding, "asked_twice").detail.contains("hardly"));
}

#[test]
fn a_request_that_was_never_sent_is_not_asking_again() {
    let story = Story::of_stock(1)
        .told("kim", NotSent, 1, 2)
        .told("kim", Issued, 1, 2)
        .finally(&["kim"]);
    assert_eq!(verdict_of(&judge(&story), "asked_twice"), (Pass, 0));
}

#[test]
fn without_final_rows_it_is_unknown_unless_the_answers_prove_it() {
    let mut blind = good();
    blind.observations.last = None;
    assert_eq!(judge(&blind).verdict, Unknown);
    assert_eq!(judge(&good().restless()).verdict, Unknown);
    assert_eq!(judge(&blind.issued("kim", "c-8", 8, 9)).verdict, Fail);
    let restless = good().finally(&["kim:c-1", "kim:c-2"]).restless();
    assert_eq!(judge(&restless).verdict, Fail);
    assert_eq!(judge(&Story::of_stock(1).finally(&[])).verdict, Unknown);
}
