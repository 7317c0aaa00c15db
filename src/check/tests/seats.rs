//! `seats` on histories by hand: good, bad and unknown for each part.

use std::time::Duration;

use super::recorded::{Recorded, both, detail, table};
use super::{has_part, part, plan, step, verdict_of};
use crate::check::{Finding, Settled};
use crate::history::OutcomeKind::{
    self, Duplicate, Issued, NotSent, Ok, Refused, Replay, SoldOut, Unknown,
};
use crate::history::{Detail, Key};
use crate::plan::{Hold, Invariant, Seats, Template};
use crate::verdict::Verdict::{self, Fail, Pass, Unknown as Open};

pub(super) const BUY: u8 = 1;
pub(super) const HOLD: u8 = 2;
pub(super) const CANCEL: u8 = 3;
/// Nanoseconds.
pub(super) const LEASE: u64 = 100;

/// A hall in which nobody sits yet.
pub(super) fn hall() -> Recorded {
    let mut plan = plan(9);
    plan.steps
        .extend([step("hold", false), step("cancel", false)]);
    plan.details.seats = Some(Seats {
        seat: Template::literal("?"),
        sold: vec![BUY],
        hold: Some(Hold {
            steps: vec![HOLD],
            lease: Duration::from_nanos(LEASE),
        }),
        release: vec![CANCEL],
    });
    let mut hall = Recorded::of(plan);
    hall.observations.tables.seats = both::<&str>(&[], &[]);
    hall
}

pub(super) fn about(
    step: u8,
    user: &str,
    seat: &str,
    kind: OutcomeKind,
    (inv, ret): (u64, u64),
) -> Detail {
    Detail {
        seat: Key::of(seat),
        ..detail(step, user, kind, inv, ret)
    }
}

impl Recorded {
    fn told(mut self, step: u8, user: &str, seat: &str, kind: OutcomeKind, at: (u64, u64)) -> Self {
        self.details.push(about(step, user, seat, kind, at));
        self
    }

    /// Rows of `seat:owner`.
    fn rows(mut self, rows: &[&str]) -> Self {
        self.observations.tables.seats.last = Some(table(rows));
        self
    }

    fn seats(&self) -> Finding {
        self.judge(Invariant::Seats)
    }
}

/// Kim holds A1, buys it, and has it; Lee is refused, and buys A2.
fn good() -> Recorded {
    hall()
        .told(HOLD, "kim", "A1", Ok, (1, 2))
        .told(HOLD, "lee", "A1", Refused, (2, 4))
        .told(BUY, "kim", "A1", Issued, (5, 6))
        .told(BUY, "lee", "A2", Issued, (5, 9))
        .told(BUY, "max", "A2", SoldOut, (7, 9))
        .rows(&["A1:kim", "A2:lee"])
}

#[test]
fn a_good_sale_passes_and_says_how_hard_it_was_tested() {
    let finding = good().seats();
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    let headline = "2 sales confirmed, no seat to two users at a time; 2 seats asked for by more \
                    than one user";
    assert_eq!(finding.headline, headline);
    assert_eq!(verdict_of(&finding, "contended"), (Pass, 2));
}

#[test]
fn each_part_fails_for_its_own_reason() {
    let table: Vec<(&str, Recorded, &str, Verdict)> = vec![
        (
            "a seat in two rows",
            good().rows(&["A1:kim", "A1:max", "A2:lee"]),
            "rows_per_seat",
            Fail,
        ),
        (
            "a seat twice of one user",
            good().rows(&["A1:kim", "A1:kim", "A2:lee"]),
            "rows_per_seat",
            Fail,
        ),
        (
            "a confirmed seat is another's",
            good().rows(&["A1:max", "A2:lee"]),
            "owner",
            Fail,
        ),
        (
            "a confirmed seat is nobody's",
            good().rows(&["A2:lee"]),
            "lost",
            Fail,
        ),
        (
            "sold to two, and only one row is left",
            good().told(BUY, "max", "A1", Issued, (7, 8)),
            "sold_twice",
            Fail,
        ),
        (
            "also at the same time",
            good().told(BUY, "max", "A1", Issued, (5, 6)),
            "sold_twice",
            Fail,
        ),
        (
            "a replay confirms as well",
            good().told(BUY, "max", "A1", Replay, (7, 8)),
            "sold_twice",
            Fail,
        ),
        (
            "a hold of two",
            good().told(HOLD, "max", "A1", Ok, (2, 3)),
            "held_twice",
            Fail,
        ),
        (
            "a hold of what is sold",
            good().told(HOLD, "max", "A1", Ok, (200, 201)),
            "held_twice",
            Fail,
        ),
        (
            "sold while another holds it",
            good()
                .told(HOLD, "max", "A3", Issued, (1, 2))
                .told(BUY, "lee", "A3", Issued, (9, 9)),
            "held_twice",
            Fail,
        ),
        (
            "no final read",
            {
                let mut hall = good();
                hall.observations.tables.seats.last = None;
                hall
            },
            "quiescence",
            Open,
        ),
        (
            "what an attempt was about is lost",
            {
                let mut hall = good();
                let lost = hall.details.pop().expect("an attempt");
                hall.bare.push(lost.operation);
                hall
            },
            "recorded",
            Open,
        ),
    ];
    for (why, hall, name, verdict) in table {
        let finding = hall.seats();
        assert_eq!(part(&finding, name).verdict, verdict, "{why}: {finding:#?}");
        assert_eq!(finding.verdict, verdict, "{why}: {finding:#?}");
    }
}

#[test]
fn what_may_be_right_is_no_alarm() {
    let table: Vec<(&str, Recorded)> = vec![
        (
            "the lease had ended, counted from when it was asked for",
            good()
                .told(HOLD, "kim", "B1", Ok, (0, 50))
                .told(HOLD, "max", "B1", Ok, (60, 100)),
        ),
        (
            "the answers overlap, the times for sure do not",
            good()
                .told(HOLD, "kim", "B1", Ok, (0, 50))
                .told(CANCEL, "kim", "B1", Ok, (50, 60))
                .told(HOLD, "max", "B1", Ok, (1, 50)),
        ),
        (
            "a release without an answer may have been done",
            good()
                .told(HOLD, "kim", "B1", Ok, (0, 1))
                .told(CANCEL, "kim", "B1", Unknown, (2, 90))
                .told(HOLD, "max", "B1", Ok, (3, 4)),
        ),
        (
            "a purchase that failed may end the hold",
            good()
                .told(HOLD, "kim", "B1", Ok, (0, 1))
                .told(BUY, "kim", "B1", Refused, (2, 3))
                .told(HOLD, "max", "B1", Ok, (4, 5)),
        ),
        (
            "a hold without a certain answer is no hold",
            good()
                .told(HOLD, "kim", "B1", Unknown, (0, 1))
                .told(HOLD, "max", "B1", Ok, (2, 3)),
        ),
        (
            "a seat that was given back is sold again",
            good()
                .told(BUY, "kim", "B1", Issued, (0, 1))
                .told(CANCEL, "kim", "B1", Ok, (2, 3))
                .told(BUY, "max", "B1", Issued, (3, 4))
                .rows(&["A1:kim", "A2:lee", "B1:max"]),
        ),
        (
            "a replay after a release is about the sale of before",
            good()
                .told(BUY, "kim", "B1", Issued, (0, 1))
                .told(CANCEL, "kim", "B1", Ok, (2, 3))
                .told(BUY, "max", "B1", Issued, (3, 4))
                .told(BUY, "kim", "B1", Replay, (5, 6))
                .rows(&["A1:kim", "A2:lee", "B1:max"]),
        ),
        (
            "who bought twice has one row",
            good().told(BUY, "kim", "A1", Issued, (7, 8)),
        ),
        (
            "a row that only an attempt without an answer explains",
            good()
                .told(BUY, "max", "A9", Unknown, (1, 2))
                .rows(&["A1:kim", "A2:lee", "A9:max"]),
        ),
        ("a seat that was there twice before the load", {
            let mut hall = good().rows(&["A1:kim", "A2:lee", "Z1:x", "Z1:y"]);
            hall.observations.tables.seats.before = Some(table(&["Z1:x", "Z1:y"]));
            hall
        }),
    ];
    for (why, hall) in table {
        let finding = hall.seats();
        assert_eq!(finding.verdict, Pass, "{why}: {finding:#?}");
    }
}

#[test]
fn what_ends_a_hold_must_have_been_asked_for_and_done() {
    let held = || hall().told(HOLD, "kim", "B1", Ok, (10, 11));
    let ends = vec![
        (
            "it was not sent",
            held().told(CANCEL, "kim", "B1", NotSent, (12, 13)),
        ),
        (
            "it was refused",
            held().told(CANCEL, "kim", "B1", Refused, (12, 13)),
        ),
        (
            "it is another's",
            held().told(CANCEL, "max", "B1", Ok, (12, 13)),
        ),
        (
            "it is another seat's",
            held().told(CANCEL, "kim", "B2", Ok, (12, 13)),
        ),
        (
            "it was over before",
            held().told(CANCEL, "kim", "B1", Ok, (1, 9)),
        ),
        (
            "it was not bought, since nothing was sent",
            held().told(BUY, "kim", "B1", NotSent, (12, 13)),
        ),
        (
            "it was bought",
            held().told(BUY, "kim", "B1", Issued, (12, 13)),
        ),
    ];
    for (why, hall) in ends {
        let finding = hall.told(HOLD, "max", "B1", Ok, (20, 30)).seats();
        assert_eq!(
            verdict_of(&finding, "held_twice"),
            (Fail, 1),
            "{why}: {finding:#?}"
        );
    }
}

#[test]
fn nothing_that_was_tested_is_unknown() {
    let finding = hall().told(BUY, "kim", "A1", SoldOut, (1, 2)).seats();
    assert_eq!(
        (finding.verdict, verdict_of(&finding, "confirmed")),
        (Open, (Open, 0))
    );
    let nameless = good();
    let finding = {
        let mut hall = nameless;
        hall.details[2].seat = Key::NONE;
        hall.seats()
    };
    assert_eq!(verdict_of(&finding, "named"), (Open, 1));
    assert_eq!(finding.verdict, Open);
}

#[test]
fn before_the_state_is_quiet_only_what_nothing_heals_is_a_failure() {
    let restless = |mut hall: Recorded| {
        hall.observations.settled = Some(Settled::Moving(None));
        hall.seats()
    };
    let finding = restless(good().rows(&["A2:lee"]));
    assert_eq!(
        (finding.verdict, part(&finding, "lost").verdict),
        (Open, Open)
    );
    let finding = restless(good().rows(&["A1:kim", "A1:max", "A2:lee"]));
    assert_eq!(part(&finding, "rows_per_seat").verdict, Fail);
    let finding = restless(good().told(BUY, "max", "A1", Issued, (7, 8)));
    assert_eq!(part(&finding, "sold_twice").verdict, Fail);
}

#[test]
fn without_holds_there_is_nothing_to_say_of_them() {
    let mut hall = good();
    if let Some(seats) = &mut hall.plan.details.seats {
        seats.hold = None;
    }
    assert!(!has_part(&hall.seats(), "held_twice"));
}

#[test]
fn the_story_names_the_seat_both_users_their_times_and_the_truth() {
    let hall = good().told(BUY, "max", "A1", Issued, (7_000_000, 8_000_000));
    let hall = hall.told(BUY, "max", "A7", Duplicate, (1, 2));
    let finding = hall.seats();
    let part = part(&finding, "sold_twice");
    let case = &part.cases[0];
    assert_eq!(
        case.text,
        "seat A1: sold to this user, for good while it was sold to kim"
    );
    assert_eq!(
        (case.inv_ns, case.ret_ns),
        (Some(7_000_000), Some(8_000_000))
    );
    let story = part.explanation.as_ref().expect("a story");
    let told: Vec<&str> = story.moments.iter().map(|one| one.text.as_str()).collect();
    let has = |words: &str| told.iter().any(|text| text.contains(words));
    for words in [
        "asked, and was told \"issued\" after 1.000 ms",
        "`kim` asked `hold`, and was told `ok`",
        "the final read of seat A1 shows owned by `kim`",
    ] {
        assert!(has(words), "{words}: {told:#?}");
    }
    assert!(!has("duplicate"), "of another seat: {told:#?}");
}

/// An attempt that is dropped, swapped, repeated or moved must be noticed.
#[test]
fn no_mutation_of_a_good_sale_gets_through() {
    let mutations: Vec<(&str, Recorded)> = vec![
        ("a row is dropped", good().rows(&["A1:kim"])),
        ("owners are swapped", good().rows(&["A1:lee", "A2:kim"])),
        (
            "a row is repeated",
            good().rows(&["A1:kim", "A2:lee", "A2:lee"]),
        ),
        (
            "a row is of another seat",
            good().rows(&["A1:kim", "A3:lee"]),
        ),
        ("a refusal is an answer", {
            let mut hall = good();
            hall.details[4].operation.kind = Issued;
            hall
        }),
        ("a hold is granted", {
            let mut hall = good();
            hall.details[1].operation.kind = Ok;
            hall
        }),
        ("a confirmation is of another seat", {
            let mut hall = good();
            hall.details[3].seat = Key::of("A1");
            hall
        }),
    ];
    for (why, hall) in mutations {
        let finding = hall.seats();
        assert_eq!(finding.verdict, Fail, "{why}: {finding:#?}");
    }
}
