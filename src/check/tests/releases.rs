//! Sales in which coupons come back: what is accused is wrong in every order of the attempts.

use std::time::Duration;

use super::{Story, has_part, operation, part, step, verdict_of};
use crate::check::Finding;
use crate::history::Operation;
use crate::history::OutcomeKind::{self, Issued, Ok, SoldOut, Unknown};
use crate::plan::{Duplicates, Invariant, Label, Rule};
use crate::verdict::Verdict;

const ORDER: Invariant = Invariant::FirstComeFirstServed(Duplicates::Any);

/// The step of [`plan`](super::plan) behind those that look and claim.
pub(super) const CANCEL: u8 = 2;

/// A sale in which a step `cancel` gives back.
pub(super) fn sale_of(stock: u64) -> Story {
    let mut story = Story::of_stock(stock);
    let label = story.plan.labels.len() as u8;
    story.plan.labels.push(Label {
        name: Label::RELEASED.to_owned(),
        kind: Ok,
    });
    let mut cancel = step("cancel", false);
    cancel.rules.push(Rule {
        label,
        status: Vec::new(),
        body: None,
        matches: None,
        empty: None,
        json: Vec::new(),
        headers: Vec::new(),
        coupon: None,
    });
    story.plan.steps.push(cancel);
    story
}

/// A request to give back, answered, or without an answer.
pub(super) fn release(
    story: &Story,
    user: &str,
    kind: OutcomeKind,
    inv: u64,
    ret: u64,
) -> Operation {
    let released = story.plan.labels.len() as u8 - 1;
    Operation {
        step: CANCEL,
        label: if kind == Ok { released } else { kind as u8 },
        ..operation(user, kind, inv, ret)
    }
}

impl Story {
    fn back(mut self, user: &str, inv: u64, ret: u64) -> Self {
        let release = release(&self, user, Ok, inv, ret);
        self.history.push(release);
        self
    }

    fn perhaps_back(mut self, user: &str, inv: u64, ret: u64) -> Self {
        let release = release(&self, user, Unknown, inv, ret);
        self.history.push(release);
        self
    }

    pub(super) fn lease(mut self, lease_ns: u64) -> Self {
        let subject = self.plan.subject.as_mut().expect("a subject");
        subject.lease = Some(Duration::from_nanos(lease_ns));
        self
    }
}

pub(super) fn order(story: &Story) -> Finding {
    story.finding(ORDER)
}

#[test]
fn who_is_refused_before_one_comes_back_is_no_victim_of_who_gets_it() {
    let story = sale_of(1)
        .told("ann", Issued, 0, 10)
        .told("bob", SoldOut, 20, 30)
        .back("ann", 40, 50)
        .told("eve", Issued, 60, 70)
        .finally(&["eve"]);
    for finding in story.findings() {
        assert_ne!(finding.verdict, Verdict::Fail, "{finding:#?}");
    }
    let finding = order(&story);
    assert_eq!(finding.verdict, Verdict::Pass, "{finding:#?}");
    assert!(!has_part(&finding, "order"));
    let told = &part(&finding, "releases").detail;
    assert!(told.contains("what is not reported may be wrong"), "{told}");
    let lost = &part(&story.finding(Invariant::Acknowledged), "lost")
        .detail
        .clone();
    assert!(lost.contains("not judged with releases"), "{lost}");
    // Without a step that releases, the same answers are wrong.
    let mut as_ever = Story::of_stock(1);
    as_ever.history = story
        .history
        .iter()
        .filter(|one| one.step == 1)
        .copied()
        .collect();
    as_ever.observations = story.observations.clone();
    assert_eq!(order(&as_ever).verdict, Verdict::Fail);
}

#[test]
fn sold_out_is_wrong_once_the_answer_that_one_came_back_is_complete() {
    let story = |inv, ret| {
        sale_of(1)
            .told("ann", Issued, 0, 10)
            .back("ann", 20, 30)
            .told("2", SoldOut, inv, ret)
            .told("eve", SoldOut, 25, 29)
            .finally(&[])
    };
    let part = "sold_out_while_left";
    for (inv, ret) in [(20, 40), (5, 30), (30, 40)] {
        let finding = order(&story(inv, ret));
        assert_eq!(verdict_of(&finding, part), (Verdict::Pass, 0), "{inv}");
    }
    let finding = order(&story(31, 40));
    assert_eq!(verdict_of(&finding, part), (Verdict::Fail, 1));
    let case = &super::part(&finding, part).cases[0];
    assert_eq!(
        (case.user.as_str(), case.inv_ns, case.ret_ns),
        ("2", Some(31), Some(40))
    );
    assert!(case.text.contains("at most 0 of 1"), "{}", case.text);
    // One of two was never issued.
    let finding = order(
        &sale_of(2)
            .told("ann", Issued, 0, 10)
            .told("2", SoldOut, 20, 30),
    );
    assert_eq!(verdict_of(&finding, part), (Verdict::Fail, 1));
}

#[test]
fn a_coupon_that_comes_back_once_and_is_given_twice_is_found() {
    let story = |ret| {
        sale_of(2)
            .told("ann", Issued, 0, 10)
            .told("bob", Issued, 0, 10)
            .back("ann", 20, 30)
            .told("cid", Issued, 25, ret)
            .told("5", Issued, 60, 70)
    };
    let part = "issued_while_out";
    // Who asked for the second while the first was under way may have been first.
    let finding = order(&story(59));
    assert_eq!(verdict_of(&finding, part), (Verdict::Fail, 1));
    let case = &super::part(&finding, part).cases[0];
    assert_eq!(case.user, "5");
    assert!(case.text.contains("at least 2 of 2"), "{}", case.text);
    let finding = order(&story(60));
    assert_eq!(verdict_of(&finding, part), (Verdict::Pass, 0));
    // Perhaps bob gave his back, too.
    let finding = order(&story(50).perhaps_back("bob", 40, 45));
    assert_eq!(verdict_of(&finding, part), (Verdict::Pass, 0));
    // Too many were surely out, whoever asks: the rows say it as well.
    let rows = story(50).finally(&["bob", "cid", "5"]);
    assert_eq!(
        verdict_of(&rows.finding(Invariant::Stock), "oversold"),
        (Verdict::Fail, 1)
    );
}

#[test]
fn what_is_only_held_may_come_back_by_itself() {
    let story = |asked| {
        sale_of(1)
            .lease(100)
            .told("ann", Issued, 0, 10)
            .told("eve", Issued, asked, asked + 10)
            .finally(&["eve"])
    };
    let part = "issued_while_out";
    assert_eq!(verdict_of(&order(&story(89)), part), (Verdict::Fail, 1));
    assert_eq!(verdict_of(&order(&story(90)), part), (Verdict::Pass, 0));
    // Nobody knows whether it did, so nobody is refused too early.
    let refused = sale_of(1)
        .lease(100)
        .told("ann", Issued, 0, 10)
        .told("eve", SoldOut, 900, 910)
        .finally(&["ann"]);
    assert_eq!(order(&refused).verdict, Verdict::Pass);
}

#[test]
fn what_is_not_known_accuses_nobody() {
    let sold_out = "sold_out_while_left";
    let wrong = sale_of(1)
        .told("ann", Issued, 0, 10)
        .back("ann", 20, 30)
        .told("bob", SoldOut, 40, 50);
    assert_eq!(verdict_of(&order(&wrong), sold_out), (Verdict::Fail, 1));
    let mut no_baseline = wrong.clone();
    no_baseline.observations.baseline = None;
    assert_eq!(
        verdict_of(&order(&no_baseline), sold_out),
        (Verdict::Unknown, 1)
    );
    let mut gap = wrong.clone();
    gap.gap = Some("some are lost".to_owned());
    assert_eq!(verdict_of(&order(&gap), sold_out), (Verdict::Unknown, 1));
    // An old holder, an attempt without an answer, and a row of nobody may each have had it.
    for story in [
        wrong.clone().before(&["zoe"]),
        wrong.clone().told("dan", Unknown, 5, 8),
        wrong.clone().finally(&["dan"]),
    ] {
        assert_eq!(verdict_of(&order(&story), sold_out), (Verdict::Pass, 0));
    }
    // A release that is told twice is one.
    let twice = sale_of(2)
        .told("ann", Issued, 0, 10)
        .told("bob", Issued, 0, 10)
        .back("ann", 20, 30)
        .back("ann", 31, 35)
        .told("cid", Issued, 40, 50)
        .told("dan", SoldOut, 60, 70);
    assert_eq!(
        order(&twice).verdict,
        Verdict::Unknown,
        "the rows are missing"
    );
    assert_eq!(verdict_of(&order(&twice), sold_out), (Verdict::Pass, 0));
}

#[test]
fn more_than_came_back_is_still_lost_shared_or_told_twice() {
    let story = sale_of(3)
        .issued("ann", "c1", 0, 10)
        .issued("bob", "c2", 0, 10)
        .issued("cid", "c2", 20, 30)
        .back("ann", 40, 50);
    let gone = story.clone().finally(&["cid:c2"]);
    let finding = gone.finding(Invariant::Acknowledged);
    assert_eq!(verdict_of(&finding, "lost"), (Verdict::Fail, 2));
    let shared = story.clone().finding(Invariant::OnePerUser);
    assert_eq!(verdict_of(&shared, "ids_shared"), (Verdict::Pass, 1));
    let shared = story
        .issued("eve", "c2", 60, 70)
        .finding(Invariant::OnePerUser);
    assert_eq!(verdict_of(&shared, "ids_shared"), (Verdict::Fail, 1));
}

#[test]
fn the_story_of_a_case_tells_what_came_back() {
    let story = sale_of(1)
        .told("ann", Issued, 0, 10)
        .back("ann", 20, 30)
        .told("ann", SoldOut, 40, 50)
        .finally(&[]);
    let finding = order(&story);
    let told = part(&finding, "sold_out_while_left").explanation.as_ref();
    let moments = &told.expect("a story").moments;
    let texts: Vec<&str> = moments.iter().map(|one| one.text.as_str()).collect();
    assert!(
        texts.iter().any(|text| text.contains("told \"released\"")),
        "{texts:?}"
    );
}
