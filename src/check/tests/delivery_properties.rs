//! Delivery is decided as a naive definition decides it, a checker that is blind to one place does
//! not agree with it, and no mutation of a good delivery gets through.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::delivery::{all_places, event, ids, judge};
use super::{Story, part};
use crate::check::{Deliveries, End, EventsRead, Finding, Range};
use crate::history::OutcomeKind::Issued;
use crate::verdict::Verdict;

/// Ids are this many.
const IDS: usize = 5;

/// Key, id and sequence of each event; how many of them are older than the load.
type Published = (Vec<(usize, usize, i64)>, usize);

/// A small way of rows: who is where before and after, at random.
#[derive(Debug, Clone)]
struct Case {
    /// Of each place: the ids of before, and those that came.
    rows: (Vec<usize>, Vec<usize>),
    outbox: Option<(Vec<usize>, Vec<usize>)>,
    effects: Option<(Vec<usize>, Vec<usize>)>,
    events: Option<Published>,
    settled: u8,
}

/// Mostly all, so that good cases are not rare.
fn some() -> impl Strategy<Value = Vec<usize>> {
    let all = Just((1..IDS).collect::<Vec<usize>>());
    let any = prop::collection::vec(0..IDS, 0..6);
    prop_oneof![3 => all, 2 => any]
}

fn few() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![4 => Just(vec![]), 1 => prop::collection::vec(0..IDS, 0..3)]
}

fn place() -> impl Strategy<Value = Option<(Vec<usize>, Vec<usize>)>> {
    prop::option::weighted(0.8, (few(), some()))
}

fn events() -> impl Strategy<Value = Option<Published>> {
    let rising = some().prop_map(|ids| {
        let events = ids.into_iter().zip(1..).map(|(id, at)| (id % 2, id, at));
        events.collect::<Vec<_>>()
    });
    let any = prop::collection::vec((0_usize..2, 0..IDS, 0_i64..6), 0..7);
    let all = prop_oneof![2 => rising, 1 => any];
    prop::option::weighted(0.8, (all, prop_oneof![3 => Just(0_usize), 1 => 0_usize..3]))
}

fn case() -> impl Strategy<Value = Case> {
    let rows = (few(), some());
    (rows, place(), place(), events(), 0_u8..8).prop_map(
        |(rows, outbox, effects, events, settled)| Case {
            rows,
            outbox,
            effects,
            events,
            settled,
        },
    )
}

fn names(ids: &[usize]) -> Vec<String> {
    ids.iter().map(usize::to_string).collect()
}

/// With what was there before still there.
fn both(place: &(Vec<usize>, Vec<usize>)) -> Vec<usize> {
    place.0.iter().chain(&place.1).copied().collect()
}

impl Case {
    fn story(&self) -> Story {
        let row = |id: &usize| format!("u{id}:{id}");
        let texts = |ids: &[usize]| ids.iter().map(row).collect::<Vec<_>>();
        let (before, last) = (texts(&self.rows.0), texts(&both(&self.rows)));
        let as_str = |texts: &[String]| -> Vec<String> { texts.to_vec() };
        let (before, last) = (as_str(&before), as_str(&last));
        let (before, last): (Vec<&str>, Vec<&str>) = (
            before.iter().map(String::as_str).collect(),
            last.iter().map(String::as_str).collect(),
        );
        let mut story = Story::of_stock(9)
            .told("u1", Issued, 1, 2)
            .before(&before)
            .finally(&last);
        let place = |place: &Option<(Vec<usize>, Vec<usize>)>| {
            let Some(place) = place else {
                return crate::check::Ids::default();
            };
            let (before, last) = (names(&place.0), names(&both(place)));
            let before: Vec<&str> = before.iter().map(String::as_str).collect();
            let last: Vec<&str> = last.iter().map(String::as_str).collect();
            ids(&before, &last)
        };
        let truth = story.plan.truth.as_mut().expect("a truth");
        truth.delivery = all_places();
        if self.outbox.is_none() {
            truth.delivery.outbox = None;
        }
        if self.effects.is_none() {
            truth.delivery.effects = None;
        }
        let mut deliveries = Deliveries {
            outbox: place(&self.outbox),
            effects: place(&self.effects),
            ..Deliveries::default()
        };
        match &self.events {
            None => truth.delivery.events = None,
            Some((events, old)) => {
                let text = |(key, id, at): &(usize, usize, i64)| format!("k{key}/{id}@{at}");
                let events = (0..).zip(events);
                let events: Vec<_> = events.map(|(at, one)| event(at, &text(one))).collect();
                deliveries.ends = Some(vec![End {
                    partition: 0,
                    end: *old as i64,
                }]);
                deliveries.events = Some(EventsRead {
                    at_ns: 0,
                    partitions: vec![Range {
                        partition: 0,
                        from: 0,
                        to: events.len() as i64,
                    }],
                    compacted: Some(false),
                    others: 0,
                    events,
                });
            }
        }
        story.observations.deliveries = deliveries;
        match self.settled {
            0 => story.restless(),
            1 => story.stuck("the lag is 3"),
            _ => story,
        }
    }

    fn is_final(&self) -> bool {
        self.settled > 1
    }

    /// What each place has beyond what it had before, as the definition says, with loops.
    fn broken(&self) -> BTreeSet<&'static str> {
        let mut broken = BTreeSet::new();
        let mut note = |name, is_broken| {
            if is_broken {
                broken.insert(name);
            }
        };
        let rows = both(&self.rows);
        let new_rows = rows.iter().filter(|id| !self.rows.0.contains(id));
        let new_rows: Vec<usize> = new_rows.copied().collect();
        let mut source = new_rows.clone();
        if let Some(outbox) = &self.outbox {
            let all = both(outbox);
            let new = all.iter().filter(|id| !outbox.0.contains(id));
            source.extend(new.clone());
            note("not_in_outbox", new_rows.iter().any(|id| !all.contains(id)));
            note("not_issued", new.into_iter().any(|id| !rows.contains(id)));
        }
        let mut causes = source.clone();
        if let Some((events, old)) = &self.events {
            let new = &events[(*old).min(events.len())..];
            let published = |id: &usize| events.iter().any(|(_, of, _)| of == id);
            note("unpublished", source.iter().any(|id| !published(id)));
            let outbox = self.outbox.as_ref().map(both);
            let is_phantom = |id: &usize| {
                let in_outbox = outbox.as_ref().is_none_or(|all| all.contains(id));
                !rows.contains(id) || !in_outbox
            };
            note("phantom_event", new.iter().any(|(_, id, _)| is_phantom(id)));
            note("order", falls(new));
            causes = new.iter().map(|(_, id, _)| *id).collect();
        }
        if let Some(effects) = &self.effects {
            let all = both(effects);
            let times = |all: &[usize], id: usize| all.iter().filter(|one| **one == id).count();
            note("lost_effect", causes.iter().any(|id| !all.contains(id)));
            let twice = |id: &usize| times(&all, *id) > times(&effects.0, *id).max(1);
            note("repeated_effect", all.iter().any(twice));
        }
        broken
    }
}

/// Whether a later event of a key is not above an earlier one, repeats left out.
fn falls(events: &[(usize, usize, i64)]) -> bool {
    let first = |at: usize| {
        let (key, id, _) = events[at];
        !events[..at].iter().any(|one| (one.0, one.1) == (key, id))
    };
    let kept: Vec<_> = (0..events.len()).filter(|at| first(*at)).collect();
    kept.iter().enumerate().any(|(place, later)| {
        kept[..place].iter().any(|earlier| {
            let (one, other) = (events[*earlier], events[*later]);
            one.0 == other.0 && other.2 <= one.2
        })
    })
}

/// What the parts of a finding say is broken.
fn found(finding: &Finding) -> BTreeSet<&'static str> {
    NAMES
        .into_iter()
        .filter(|name| {
            let mut parts = finding.parts.iter();
            parts.any(|one| one.name == *name && one.count > 0)
        })
        .collect()
}

const NAMES: [&str; 7] = [
    "not_in_outbox",
    "not_issued",
    "unpublished",
    "phantom_event",
    "order",
    "lost_effect",
    "repeated_effect",
];

/// These are proved by what is there; the others by what is not, which may still come.
const PROVED_AT_ONCE: [&str; 2] = ["order", "repeated_effect"];

/// What can go wrong with a good delivery.
#[derive(Debug, Clone, Copy)]
enum Mutation {
    DropOutboxRow,
    OutboxRowOfNobody,
    DropEvent,
    EventOfNobody,
    DropEffect,
    RepeatEffect,
    SwapEvents,
}

impl Mutation {
    const ALL: [(Self, &'static str); 7] = [
        (Self::DropOutboxRow, "not_in_outbox"),
        (Self::OutboxRowOfNobody, "not_issued"),
        (Self::DropEvent, "unpublished"),
        (Self::EventOfNobody, "phantom_event"),
        (Self::DropEffect, "lost_effect"),
        (Self::RepeatEffect, "repeated_effect"),
        (Self::SwapEvents, "order"),
    ];

    fn of(self, mut story: Story, at: usize) -> Story {
        let deliveries = &mut story.observations.deliveries;
        let outbox = deliveries.outbox.last.as_mut().expect("read");
        let effects = deliveries.effects.last.as_mut().expect("read");
        let events = &mut deliveries.events.as_mut().expect("read").events;
        match self {
            Self::DropOutboxRow => drop(outbox.remove(at)),
            Self::OutboxRowOfNobody => outbox.push("nobody".to_owned()),
            Self::DropEvent => drop(events.remove(at)),
            Self::EventOfNobody => events[at].id = Some("nobody".into()),
            Self::DropEffect => drop(effects.remove(at)),
            Self::RepeatEffect => effects.push(effects[at].clone()),
            Self::SwapEvents => {
                let other = (at + 1) % events.len();
                let sequence = events[at].sequence;
                events[at].sequence = events[other].sequence;
                events[other].sequence = sequence;
            }
        }
        story
    }
}

/// Everything issued is in each place once.
fn good(number: usize) -> Case {
    let all: Vec<usize> = (0..number).collect();
    let events = all.iter().zip(0..).map(|(id, at)| (0, *id, at));
    Case {
        rows: (vec![], all.clone()),
        outbox: Some((vec![], all.clone())),
        effects: Some((vec![], all.clone())),
        events: Some((events.collect(), 0)),
        settled: 9,
    }
}

#[test]
fn the_cases_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let (mut good, mut seen) = (0, BTreeSet::new());
    for _ in 0..4_000 {
        let drawn = case().new_tree(&mut runner).expect("a case").current();
        let broken = drawn.broken();
        good += usize::from(broken.is_empty() && drawn.is_final());
        // A checker that is blind to one part disagrees with the definition on these.
        if let Some(only) = broken.first().filter(|_| broken.len() == 1) {
            seen.insert(*only);
        }
    }
    assert!(good > 100, "{good} good ones");
    assert_eq!(seen, NAMES.into_iter().collect(), "alone");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn small_deliveries_are_decided_as_the_definition_decides_them(drawn in case()) {
        let finding = judge(&drawn.story());
        let broken = drawn.broken();
        prop_assert_eq!(&found(&finding), &broken, "{:#?}", &finding);
        for name in &broken {
            let is_proved = drawn.is_final() || PROVED_AT_ONCE.contains(name);
            let expected = if is_proved { Verdict::Fail } else { Verdict::Unknown };
            prop_assert_eq!(part(&finding, name).verdict, expected, "{}", name);
        }
        let is_named = drawn.outbox.is_some() || drawn.effects.is_some() || drawn.events.is_some();
        if broken.is_empty() {
            let passes = is_named && drawn.is_final();
            prop_assert_eq!(finding.verdict == Verdict::Pass, passes, "{:#?}", &finding);
        }
    }

    #[test]
    fn no_mutation_of_a_good_delivery_gets_through(
        (number, at) in (2_usize..9).prop_flat_map(|number| (Just(number), 0..number)),
        which in 0..Mutation::ALL.len(),
    ) {
        let story = good(number).story();
        prop_assert_eq!(judge(&story).verdict, Verdict::Pass);
        let (mutation, name) = Mutation::ALL[which];
        let finding = judge(&mutation.of(story, at));
        prop_assert_eq!(part(&finding, name).verdict, Verdict::Fail, "{:#?}", finding);
    }
}
