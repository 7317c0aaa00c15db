//! What `queue` says of queues that are good, bad, and not known well enough.

use std::time::Duration;

use super::{Story, has_part, part, plan, step, verdict_of};
use crate::check::{Evidence, Finding, check};
use crate::history::History;
use crate::history::OutcomeKind::{Issued, NotSent, Ok, Refused, Unknown};
use crate::history::{Cause, Key, Operation, OutcomeKind, Place};
use crate::plan::{Capture, CaptureFrom, Invariant, Label, Plan, Queue};
use crate::verdict::Verdict::{self, Fail, Pass};

pub(super) const ENTER: u8 = 0;
pub(super) const ORDER: u8 = 1;
pub(super) const ISSUE: u8 = 2;
pub(super) const ENTERED: u8 = 10;
pub(super) const WAITING: u8 = 11;
pub(super) const ADMITTED: u8 = 12;
pub(super) const INSIDE: u8 = 13;

const TICKET: u8 = 0;
const AHEAD: u8 = 1;

/// A queue with everything that can be asked of it, and what its users were told.
#[derive(Debug, Clone)]
pub(super) struct Room {
    pub(super) queue: Queue,
    pub(super) history: Vec<Operation>,
    pub(super) places: Vec<Place>,
    pub(super) gap: Option<String>,
}

/// A history with places beside it.
struct Told<'r>(&'r Room);

impl History for Told<'_> {
    fn operations(
        &self,
    ) -> std::io::Result<Box<dyn Iterator<Item = std::io::Result<Operation>> + '_>> {
        Result::Ok(Box::new(self.0.history.iter().copied().map(Result::Ok)))
    }

    fn places(&self) -> std::io::Result<Box<dyn Iterator<Item = std::io::Result<Place>> + '_>> {
        Result::Ok(Box::new(self.0.places.iter().copied().map(Result::Ok)))
    }

    fn names(&self, _: &[Key]) -> std::io::Result<Vec<(Key, String)>> {
        Result::Ok(Vec::new())
    }
}

impl Room {
    /// With so much room inside.
    pub(super) fn of(at_most: u64) -> Self {
        Self {
            queue: Queue {
                entered: vec![(ENTER, vec![ENTERED])],
                waiting: vec![(ORDER, vec![WAITING])],
                admitted: vec![(ORDER, vec![ADMITTED])],
                ticket: Some(TICKET),
                gapless: true,
                ahead: Some(AHEAD),
                at_most: Some(at_most),
                lease: None,
                before: vec![ISSUE],
            },
            history: Vec::new(),
            places: Vec::new(),
            gap: None,
        }
    }

    /// An answer of a step in the closed interval from `inv` to `ret`.
    pub(super) fn answered(
        mut self,
        user: u64,
        (step, label, kind): (u8, u8, OutcomeKind),
        inv: u64,
        ret: u64,
    ) -> Self {
        self.history.push(Operation {
            user: Key(user),
            coupon: Key::NONE,
            inv_ns: inv,
            ret_ns: ret,
            lag_us: 0,
            status: 200,
            kind,
            label,
            step,
            cause: Cause::None,
            phase: 0,
            vu: 0,
        });
        self
    }

    fn told(
        mut self,
        user: u64,
        step: u8,
        label: u8,
        ticket: u64,
        ahead: u64,
        at: (u64, u64),
    ) -> Self {
        self.places.push(Place {
            user: Key(user),
            inv_ns: at.0,
            ret_ns: at.1,
            ticket,
            ahead,
            phase: 0,
            step,
            label,
        });
        self.answered(user, (step, label, Ok), at.0, at.1)
    }

    /// Enters with a ticket and people ahead.
    pub(super) fn enters(self, user: u64, ticket: u64, ahead: u64, inv: u64, ret: u64) -> Self {
        self.told(user, ENTER, ENTERED, ticket, ahead, (inv, ret))
    }

    /// Is told to wait behind so many.
    pub(super) fn waits(self, user: u64, ahead: u64, inv: u64, ret: u64) -> Self {
        self.told(user, ORDER, WAITING, Place::NONE, ahead, (inv, ret))
    }

    pub(super) fn admitted(self, user: u64, inv: u64, ret: u64) -> Self {
        self.answered(user, (ORDER, ADMITTED, Ok), inv, ret)
    }

    pub(super) fn issued(self, user: u64, inv: u64, ret: u64) -> Self {
        self.answered(user, (ISSUE, Issued as u8, Issued), inv, ret)
    }

    pub(super) fn plan(&self) -> Plan {
        let capture = |slot| Capture {
            slot,
            from: CaptureFrom::Json("/x".to_owned()),
            metrics: Vec::new(),
        };
        let mut plan = plan(10);
        plan.steps = vec![
            step("enter", false),
            step("order", false),
            step("issue", true),
        ];
        plan.steps[0].captures = vec![capture(TICKET), capture(AHEAD)];
        plan.steps[1].captures = vec![capture(AHEAD)];
        for name in ["entered", "waiting", "admitted", "inside"] {
            let name = name.to_owned();
            plan.labels.push(Label { name, kind: Ok });
        }
        plan.invariants = vec![Invariant::Queue];
        plan.queue = Some(Box::new(self.queue.clone()));
        plan
    }

    pub(super) fn finding(&self) -> Finding {
        let plan = self.plan();
        let story = Story::of_stock(10);
        let evidence = Evidence {
            plan: &plan,
            history: &Told(self),
            observations: &story.observations,
            faults: &[],
            gap: self.gap.as_deref(),
        };
        check(&evidence).expect("readable").remove(0)
    }

    fn set(mut self, change: impl FnOnce(&mut Queue)) -> Self {
        change(&mut self.queue);
        self
    }
}

/// Two users one after the other, with nothing wrong, and room for one.
pub(super) fn good() -> Room {
    Room::of(1)
        .enters(1, 1, 0, 0, 5)
        .enters(2, 2, 1, 10, 15)
        .admitted(1, 20, 25)
        .waits(2, 1, 22, 26)
        .issued(1, 30, 35)
        .waits(2, 0, 40, 42)
        .admitted(2, 50, 55)
        .issued(2, 60, 65)
}

pub(super) const PARTS: [&str; 8] = [
    "tickets",
    "ticket_order",
    "gaps",
    "ahead",
    "swapped",
    "overtaken",
    "admitted",
    "skipped",
];

#[track_caller]
fn only(finding: &Finding, broken: &str, count: u64) {
    for name in PARTS {
        let expected = if name == broken {
            (Fail, count)
        } else {
            (Pass, 0)
        };
        assert_eq!(verdict_of(finding, name), expected, "{name}: {finding:#?}");
    }
    assert_eq!(finding.verdict, Fail);
}

#[test]
fn a_queue_in_order_passes_in_every_part() {
    let finding = good().finding();
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    for name in PARTS {
        assert_eq!(verdict_of(&finding, name), (Pass, 0), "{name}");
    }
    assert!(!has_part(&finding, "not_judged"));
}

#[test]
fn two_users_with_one_ticket_are_found_and_one_user_may_be_told_the_same_again() {
    let same = good().enters(3, 2, 0, 10, 15).finding();
    assert_eq!(verdict_of(&same, "tickets"), (Fail, 1));
    let case = &part(&same, "tickets").cases[0];
    assert_eq!(case.text, "told the ticket 2, which was also told to 2");
    let again = good().enters(2, 2, 0, 12, 16).finding();
    assert_eq!(verdict_of(&again, "tickets"), (Pass, 0));
}

#[test]
fn a_missing_ticket_needs_a_request_that_may_have_taken_it() {
    let gap = Room::of(9)
        .enters(1, 7, 0, 0, 5)
        .enters(2, 9, 1, 10, 15)
        .waits(2, 1, 16, 17)
        .admitted(1, 20, 25)
        .issued(1, 30, 35);
    only(&gap.finding(), "gaps", 1);
    let finding = gap.finding();
    let case = &part(&finding, "gaps").cases[0];
    assert_eq!(
        case.text,
        "told the ticket 9, and the next lower one that anybody was told is 7, of 1"
    );
    let lost = |kind| {
        let gap = gap.clone();
        gap.answered(5, (ENTER, kind as u8, kind), 6, 7).finding()
    };
    assert_eq!(verdict_of(&lost(Unknown), "gaps"), (Pass, 0));
    assert_eq!(verdict_of(&lost(NotSent), "gaps"), (Fail, 1));
    let unasked = gap.set(|queue| queue.gapless = false).finding();
    assert!(!has_part(&unasked, "gaps"));
    assert!(part(&unasked, "not_judged").detail.contains("`gapless`"));
}

#[test]
fn a_later_request_with_a_lower_ticket_is_found_and_one_at_the_same_time_is_not() {
    let of = |inv| {
        Room::of(9)
            .enters(1, 2, 0, 0, 5)
            .enters(2, 1, 0, inv, inv + 5)
            .waits(2, 0, 20, 21)
            .admitted(1, 25, 26)
            .issued(1, 30, 35)
            .finding()
    };
    only(&of(6), "ticket_order", 1);
    let finding = of(6);
    let text = &part(&finding, "ticket_order").cases[0].text;
    assert_eq!(
        text,
        "told the ticket 1, although 0.000 ms before asking for it the ticket 2 was there, of 1"
    );
    assert_eq!(of(5).verdict, Pass, "equal times are concurrent");
}

#[test]
fn more_people_ahead_than_before_are_found_within_a_stay() {
    let room = |to| good().waits(2, to, 44, 46);
    only(&room(1).finding(), "ahead", 1);
    assert_eq!(
        part(&room(1).finding(), "ahead").cases[0].text,
        "told that 1 are ahead, after it had been 0"
    );
    assert_eq!(room(0).finding().verdict, Pass);
    // Whoever may have entered again may be farther back.
    for kind in [Unknown, Refused, Ok] {
        let label = if kind == Ok { INSIDE } else { kind as u8 };
        let again = good().answered(2, (ENTER, label, kind), 43, 43);
        let again = again.waits(2, 1, 44, 46).finding();
        assert_eq!(verdict_of(&again, "ahead"), (Pass, 0), "{kind:?}");
    }
    let never_sent = room(1).answered(2, (ENTER, NotSent as u8, NotSent), 43, 43);
    assert_eq!(verdict_of(&never_sent.finding(), "ahead"), (Fail, 1));
}

#[test]
fn whoever_is_behind_one_who_entered_later_was_swapped() {
    let of = |ahead| {
        Room::of(9)
            .enters(1, 1, 5, 0, 5)
            .enters(2, 2, 6, 10, 15)
            .waits(2, 3, 20, 25)
            .waits(1, ahead, 30, 35)
            .admitted(1, 40, 45)
            .issued(1, 50, 55)
            .finding()
    };
    only(&of(3), "swapped", 1);
    assert_eq!(
        part(&of(3), "swapped").cases[0].text,
        "told that 3 are ahead, after it had been 3 ahead of somebody who entered later: 2"
    );
    assert_eq!(of(2).verdict, Pass);
}

#[test]
fn one_who_still_waits_when_a_later_one_is_in_was_overtaken() {
    let of = |still| {
        Room::of(9)
            .enters(1, 1, 0, 0, 5)
            .enters(2, 2, 1, 10, 15)
            .admitted(2, 20, 25)
            .waits(1, 0, still, still + 5)
            .admitted(1, 40, 45)
            .issued(2, 50, 55)
            .finding()
    };
    only(&of(26), "overtaken", 1);
    let finding = of(26);
    let case = &part(&finding, "overtaken").cases[0];
    assert_eq!((case.user.as_str(), case.inv_ns), ("1", Some(0)));
    assert!(case.text.ends_with("told to be let in: 2"), "{}", case.text);
    assert_eq!(of(25).verdict, Pass, "asked while the other one was told");
}

#[test]
fn more_inside_than_there_may_be_are_counted_from_answer_to_request() {
    let of = |second: u64| {
        Room::of(1)
            .enters(1, 1, 0, 0, 5)
            .enters(2, 2, 1, 10, 15)
            .waits(2, 1, 16, 17)
            .admitted(1, 20, 25)
            .admitted(2, 26, second)
            .issued(1, 40, 45)
            .issued(2, 60, 65)
    };
    only(&of(39).finding(), "admitted", 1);
    assert_eq!(
        part(&of(39).finding(), "admitted").cases[0].text,
        "let in as number 2 of those who were certainly inside, 1 may be; since longest inside: 1"
    );
    assert_eq!(of(40).finding().verdict, Pass, "an end comes first");
    let leased = |ns| {
        let lease = Duration::from_nanos(ns);
        let room = of(39).set(|queue| queue.lease = Some(lease));
        verdict_of(&room.finding(), "admitted")
    };
    assert_eq!(leased(19), (Pass, 0), "from the question at 20 to 39");
    assert_eq!(leased(20), (Fail, 1));
    // A request under way that may let the user leave at any time.
    let lost = of(39).answered(1, (ISSUE, Unknown as u8, Unknown), 1, 9);
    assert_eq!(verdict_of(&lost.finding(), "admitted"), (Pass, 0));
}

#[test]
fn one_user_who_is_told_twice_is_inside_once() {
    let twice = Room::of(1)
        .enters(1, 1, 0, 0, 5)
        .waits(1, 0, 10, 11)
        .admitted(1, 20, 25)
        .admitted(1, 26, 30)
        .issued(1, 40, 45);
    assert_eq!(verdict_of(&twice.finding(), "admitted"), (Pass, 0));
}

#[test]
fn nobody_stays_inside_for_ever_without_a_word() {
    let silent = |lease| {
        let room = Room::of(0)
            .enters(1, 1, 0, 0, 5)
            .waits(1, 0, 10, 11)
            .admitted(1, 20, 25);
        let room = room.set(|queue| queue.lease = lease);
        verdict_of(&room.finding(), "admitted")
    };
    assert_eq!(silent(None), (Pass, 0), "how long is not known");
    assert_eq!(silent(Some(Duration::from_mins(1))), (Fail, 1));
}

#[test]
fn one_who_was_given_something_without_asking_to_enter_came_past_the_queue() {
    only(&good().issued(9, 30, 31).finding(), "skipped", 1);
    let finding = good().issued(9, 30, 31).finding();
    let case = &part(&finding, "skipped").cases[0];
    assert_eq!(case.user, "9");
    // What leaves it open whether the user was let in.
    let open = [
        (ENTER, ENTERED, Ok),
        (ORDER, WAITING, Ok),
        (ORDER, ADMITTED, Ok),
        (ENTER, Unknown as u8, Unknown),
        (ORDER, Unknown as u8, Unknown),
    ];
    for answer in open {
        let room = good().answered(9, answer, 20, 21).issued(9, 30, 31);
        assert_eq!(
            verdict_of(&room.finding(), "skipped"),
            (Pass, 0),
            "{answer:?}"
        );
    }
    // What does not.
    let certain = [
        (ENTER, Refused as u8, Refused),
        (ENTER, INSIDE, Ok),
        (ENTER, NotSent as u8, NotSent),
    ];
    for answer in certain {
        let room = good().answered(9, answer, 20, 21).issued(9, 30, 31);
        assert_eq!(
            verdict_of(&room.finding(), "skipped"),
            (Fail, 1),
            "{answer:?}"
        );
    }
    let too_late = good().answered(9, (ENTER, ENTERED, Ok), 32, 33);
    let too_late = too_late.issued(9, 30, 31).finding();
    assert_eq!(verdict_of(&too_late, "skipped"), (Fail, 1));
}

#[test]
fn one_who_still_waits_after_a_confirmation_came_past_the_queue() {
    let of = |again: u64| {
        let room = Room::of(9).enters(1, 1, 0, 0, 5).issued(1, 10, 15);
        let room = room.waits(1, 0, again, again + 1).admitted(1, 30, 31);
        verdict_of(&room.finding(), "skipped")
    };
    assert_eq!(of(16), (Fail, 1));
    assert_eq!(of(15), (Pass, 0));
    let entered_again = Room::of(9)
        .enters(1, 1, 0, 0, 5)
        .issued(1, 10, 15)
        .enters(1, 2, 0, 16, 17)
        .waits(1, 0, 18, 19)
        .admitted(1, 30, 31);
    assert_eq!(verdict_of(&entered_again.finding(), "skipped"), (Pass, 0));
}

#[test]
fn without_data_every_part_is_unknown_and_says_so() {
    let finding = Room::of(1).finding();
    assert_eq!(finding.verdict, Verdict::Unknown);
    for name in PARTS {
        let part = part(&finding, name);
        assert_eq!((part.verdict, part.count), (Verdict::Unknown, 0), "{name}");
        assert!(part.detail.starts_with("no data: "), "{}", part.detail);
    }
}

#[test]
fn answers_without_numbers_are_no_data() {
    let finding = Room::of(1)
        .enters(1, Place::NONE, Place::NONE, 0, 5)
        .waits(1, Place::NONE, 10, 11)
        .finding();
    for name in ["tickets", "ticket_order", "gaps"] {
        let part = part(&finding, name);
        assert_eq!(part.verdict, Verdict::Unknown, "{name}");
        assert_eq!(part.detail, "no data: no whole number in 1 answer");
    }
    assert_eq!(part(&finding, "ahead").verdict, Verdict::Unknown);
    assert_eq!(part(&finding, "swapped").verdict, Verdict::Unknown);
}

#[test]
fn attempts_that_were_not_kept_leave_only_what_is_proved_without_them() {
    let with_gap = |mut room: Room| {
        room.gap = Some("the run did not come to its end".to_owned());
        room.finding()
    };
    assert_eq!(with_gap(good()).verdict, Verdict::Unknown);
    let twice = with_gap(good().enters(3, 2, 0, 10, 15));
    assert_eq!(part(&twice, "tickets").verdict, Fail);
    let order = with_gap(good().enters(3, 1, 0, 70, 75));
    assert_eq!(part(&order, "ticket_order").verdict, Fail);
    let skipped = with_gap(good().issued(9, 30, 31));
    assert_eq!(part(&skipped, "skipped").verdict, Verdict::Unknown);
    let rises = with_gap(good().waits(2, 1, 44, 46));
    assert_eq!(part(&rises, "ahead").verdict, Verdict::Unknown);
}

#[test]
fn what_is_not_asked_for_is_named_and_not_judged() {
    let least = |queue: &mut Queue| {
        *queue = Queue {
            admitted: queue.admitted.clone(),
            at_most: Some(1),
            ..Queue::default()
        };
    };
    let finding = good().set(least).finding();
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    let names: Vec<&str> = finding
        .parts
        .iter()
        .map(|part| part.name.as_str())
        .collect();
    assert_eq!(names, ["admitted", "not_judged"]);
    assert_eq!(verdict_of(&finding, "not_judged"), (Pass, 5));
}

#[test]
fn the_story_of_a_queue_tells_where_its_users_were() {
    let finding = Room::of(9)
        .enters(1, 1, 0, 0, 5_000_000)
        .enters(2, 2, 1, 10_000_000, 15_000_000)
        .admitted(2, 20_000_000, 25_000_000)
        .waits(1, 0, 30_000_000, 35_000_000)
        .admitted(1, 40_000_000, 45_000_000)
        .issued(2, 50_000_000, 55_000_000)
        .finding();
    let told = part(&finding, "overtaken").explanation.as_ref();
    let told = told.expect("a story");
    assert_eq!(told.users, ["1", "2"]);
    let texts: Vec<&str> = told.moments.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "`1` asked `enter`, and was told `entered` after 5.000 ms (phase `rush`)",
            "`2` asked `enter`, and was told `entered` after 5.000 ms (phase `rush`)",
            "`2` asked `order`, and was told `admitted` after 5.000 ms (phase `rush`)",
            "`1` asked `order`, and was told `waiting` after 5.000 ms (phase `rush`)",
            "`1` asked `order`, and was told `admitted` after 5.000 ms (phase `rush`)",
            "`2` asked, and was told \"issued\" after 5.000 ms (phase `rush`)",
        ]
    );
}
