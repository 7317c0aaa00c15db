//! Good, bad and unknown histories for acknowledgements.

use super::{Story, has_part, part, verdict_of};
use crate::check::Finding;
use crate::history::OutcomeKind::{Duplicate, Error, Issued, NotSent, SoldOut, Unknown};
use crate::plan::Invariant;
use crate::verdict::Verdict::{self, Fail, Pass};

fn judge(story: &Story) -> Finding {
    story.finding(Invariant::Acknowledged)
}

fn good() -> Story {
    Story::of_stock(3)
        .issued("kim", "1", 1, 2)
        .issued("lee", "2", 3, 4)
        .told("lost-answer", Unknown, 5, 6)
        .told("also-lost", Unknown, 5, 6)
        .told("kim", Duplicate, 7, 8)
        .finally(&["kim:1", "lee:2", "lost-answer:3"])
        .later(&["kim:1", "lee:2", "lost-answer:3"])
}

#[test]
fn every_confirmation_with_its_row_passes() {
    let finding = judge(&good());
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    assert_eq!(verdict_of(&finding, "recovered"), (Pass, 1));
    assert!(part(&finding, "recovered").detail.starts_with("50.0 %"));
}

#[test]
fn a_confirmation_without_a_row_is_lost() {
    let story = good()
        .finally(&["kim:1", "lost-answer:3"])
        .later(&["kim:1", "lost-answer:3"]);
    let finding = judge(&story);
    assert_eq!(verdict_of(&finding, "lost"), (Fail, 1));
    assert_eq!(finding.headline, "1 of 2 confirmations lost");
    let case = &part(&finding, "lost").cases[0];
    assert_eq!(case.text, "coupon 2: confirmed, but there is no row");
    assert_eq!((case.inv_ns, case.ret_ns), (Some(3), Some(4)));
}

#[test]
fn a_coupon_that_somebody_else_holds_is_lost() {
    let rows = ["kim:2", "lee:1"];
    let finding = judge(&good().finally(&rows).later(&rows));
    assert_eq!(verdict_of(&finding, "lost"), (Fail, 2));
    let case = &part(&finding, "lost").cases[0];
    assert_eq!(case.user, "kim");
    assert_eq!(case.text, "coupon 1: confirmed, but the row belongs to lee");
}

#[test]
fn users_are_compared_where_one_side_has_no_ids() {
    let rows = ["kim", "lee"];
    assert_eq!(judge(&good().finally(&rows).later(&rows)).verdict, Pass);
    let rows = ["kim"];
    let finding = judge(&good().finally(&rows).later(&rows));
    assert_eq!(verdict_of(&finding, "lost"), (Fail, 1));
}

#[test]
fn ids_of_two_kinds_are_suspected_where_nobody_matches() {
    let rows = ["1001", "1002"];
    let finding = judge(&good().finally(&rows).later(&rows));
    assert_eq!(verdict_of(&finding, "lost"), (Fail, 2));
    let headline = &finding.headline;
    assert!(headline.contains("the id that is sent"), "{headline}");
}

#[test]
fn a_row_that_comes_later_is_late_and_not_lost() {
    let story = good()
        .told("lee", Duplicate, 9, 10)
        .finally(&["kim:1", "lost-answer:3"]);
    let finding = judge(&story);
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    assert_eq!(verdict_of(&finding, "late_effects"), (Pass, 1));
    assert_eq!(verdict_of(&finding, "ghost_duplicate"), (Pass, 0));
}

#[test]
fn a_confirmed_row_that_goes_away_has_vanished() {
    let finding = judge(&good().later(&["kim:1", "lost-answer:3"]));
    assert_eq!(verdict_of(&finding, "vanished"), (Fail, 1));
    assert_eq!(verdict_of(&finding, "lost"), (Pass, 0));
    let finding = judge(&good().later(&["kim:1", "lee:2"]));
    assert_eq!(verdict_of(&finding, "vanished"), (Pass, 0));
    assert!(part(&finding, "vanished").detail.starts_with("1 row gone"));
}

#[test]
fn a_row_of_nobody_who_asked_is_a_phantom_unless_it_was_there_before() {
    let rows = ["kim:1", "lee:2", "ghost:9"];
    let story = good().finally(&rows).later(&rows);
    let finding = judge(&story);
    assert_eq!(verdict_of(&finding, "phantom"), (Fail, 1));
    assert_eq!(part(&finding, "phantom").cases[0].user, "ghost");
    let finding = judge(&story.clone().before(&["ghost:9"]));
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    let finding = judge(&story.clone().before(&["ghost:8"]));
    assert_eq!(verdict_of(&finding, "phantom"), (Fail, 1));
    let mut unread = story;
    unread.observations.baseline = None;
    assert_eq!(judge(&unread).verdict, Verdict::Unknown);
}

#[test]
fn a_row_of_a_user_who_was_only_refused_fails() {
    for kind in [SoldOut, Duplicate, Error, NotSent] {
        let rows = ["kim:1", "lee:2", "no:9"];
        let story = good().told("no", kind, 7, 8).finally(&rows).later(&rows);
        let finding = judge(&story);
        assert_eq!(verdict_of(&finding, "refused_but_issued"), (Fail, 1));
        assert_eq!(verdict_of(&finding, "phantom"), (Pass, 0));
        let finding = judge(&story.clone().before(&["no:9"]));
        assert_eq!(finding.verdict, Pass, "{finding:#?}");
        let finding = judge(&story.told("no", Unknown, 1, 2));
        assert_eq!(verdict_of(&finding, "refused_but_issued"), (Pass, 0));
    }
}

#[test]
fn a_duplicate_without_a_row_is_a_ghost() {
    let story = good()
        .told("locked-out", Duplicate, 20, 21)
        .told("locked-out", Duplicate, 10, 11);
    let finding = judge(&story);
    assert_eq!(verdict_of(&finding, "ghost_duplicate"), (Fail, 1));
    let case = &part(&finding, "ghost_duplicate").cases[0];
    assert_eq!(case.inv_ns, Some(10));
    assert!(case.text.contains("2 times"), "{}", case.text);
    // The Vec history has no names, and no row shows the text: the key is left.
    assert!(case.user.starts_with('#'), "{}", case.user);
}

#[test]
fn moving_rows_prove_what_is_there_and_nothing_about_what_is_missing() {
    let missing = good().finally(&["kim:1"]).later(&["kim:1"]).restless();
    let finding = judge(&missing);
    assert_eq!(finding.verdict, Verdict::Unknown, "{finding:#?}");
    assert!(finding.headline.contains("quiet"), "{}", finding.headline);
    let stolen = good().finally(&["lee:1"]).later(&["lee:1"]).restless();
    assert_eq!(judge(&stolen).verdict, Fail);
    let phantom = good().finally(&["ghost:1"]).restless();
    assert_eq!(verdict_of(&judge(&phantom), "phantom"), (Fail, 1));
}

#[test]
fn rows_at_rest_with_more_to_be_written_prove_a_loss_but_nothing_to_be_whole() {
    let waiting = "the consumer lag is 57 after 60s";
    let finding = judge(&good().stuck(waiting));
    assert_eq!(finding.verdict, Verdict::Unknown, "{finding:#?}");
    assert!(finding.headline.contains(waiting), "{}", finding.headline);
    let missing = good().finally(&["kim:1"]).later(&["kim:1"]).stuck(waiting);
    let finding = judge(&missing);
    assert_eq!(verdict_of(&finding, "lost"), (Fail, 1));
    assert_eq!(finding.headline, "1 of 2 confirmations lost");
    assert!(part(&finding, "quiescence").detail.contains(waiting));
}

#[test]
fn without_a_final_read_or_a_confirmation_it_is_unknown() {
    let mut blind = good();
    blind.observations.last = None;
    assert_eq!(judge(&blind).verdict, Verdict::Unknown);
    let silent = Story::of_stock(1).told("kim", SoldOut, 1, 2).finally(&[]);
    let finding = judge(&silent);
    assert_eq!(finding.verdict, Verdict::Unknown);
    assert!(has_part(&finding, "vacuous"));
}

#[test]
fn the_same_history_in_any_order_gives_the_same_finding() {
    let rows = ["kim:2", "ghost:5"];
    let story = good()
        .told("x", Issued, 3, 4)
        .told("y", Duplicate, 3, 4)
        .finally(&rows)
        .later(&rows);
    let mut backwards = story.clone();
    backwards.history.reverse();
    assert_eq!(story.findings(), backwards.findings());
}

#[test]
fn a_case_names_the_faults_that_met_its_attempt() {
    let finding = judge(
        &Story::of_stock(3)
            .issued("kim", "1", 100, 200)
            .finally(&[])
            .later(&[])
            .broken("before", 10, 99)
            .broken("sent-in-it", 50, 100)
            .broken("in-between", 120, 130)
            .broken("in-between", 150, 160)
            .broken("never-healed", 200, u64::MAX)
            .broken("after", 201, 300),
    );
    let case = &part(&finding, "lost").cases[0];
    assert_eq!(case.faults, ["sent-in-it", "in-between", "never-healed"]);
}

#[test]
fn an_attempt_without_an_answer_was_under_way_until_it_was_given_up() {
    let finding = judge(
        &Story::of_stock(3)
            .told("kim", Issued, 1, 2)
            .told("lee", NotSent, 100, 400)
            .finally(&["kim", "lee"])
            .later(&["kim", "lee"])
            .broken("in-it", 300, 350)
            .broken("later", 500, 600),
    );
    let case = &part(&finding, "refused_but_issued").cases[0];
    assert_eq!(case.faults, ["in-it"]);
}

#[test]
fn a_row_of_somebody_whose_attempt_may_be_missing_proves_nothing() {
    let rows = ["kim:1", "lee:2", "nobody:3"];
    let mut story = good().finally(&rows).later(&rows);
    assert_eq!(verdict_of(&judge(&story), "phantom"), (Fail, 1));
    story.gap = Some("it holds 2 of 3 attempts".to_owned());
    let finding = judge(&story);
    assert_eq!(verdict_of(&finding, "phantom"), (Verdict::Unknown, 1));
    let detail = &part(&finding, "phantom").detail;
    assert!(detail.ends_with("it holds 2 of 3 attempts"), "{detail}");
}
