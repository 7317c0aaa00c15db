//! Each part of `queue` against its definition, word for word and in quadratic time, on random
//! histories; and a checker that is blind to anything does not agree with it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::part;
use super::queue::{ADMITTED, ENTER, ENTERED, INSIDE, ISSUE, ORDER, PARTS, Room, WAITING};
use crate::check::Finding;
use crate::history::OutcomeKind::{Issued, NotSent, Ok, Refused, Unknown};
use crate::history::{Key, Operation, OutcomeKind, Place};
use crate::plan::Queue;
use crate::verdict::Verdict;

/// What an attempt of a random history is: a step, a label and a kind.
const ANSWERS: [(u8, u8, OutcomeKind); 14] = [
    (ENTER, ENTERED, Ok),
    (ENTER, ENTERED, Ok),
    (ENTER, ENTERED, Ok),
    (ORDER, WAITING, Ok),
    (ORDER, WAITING, Ok),
    (ORDER, WAITING, Ok),
    (ORDER, ADMITTED, Ok),
    (ORDER, ADMITTED, Ok),
    (ISSUE, Issued as u8, Issued),
    (ISSUE, Issued as u8, Issued),
    (ISSUE, Refused as u8, Refused),
    (ENTER, INSIDE, Ok),
    (ENTER, Unknown as u8, Unknown),
    (ISSUE, NotSent as u8, NotSent),
];

/// Who, what, when, how long, and the ticket and the people ahead that the answer names.
type Small = (u8, usize, u64, u64, u8, u8);

#[derive(Debug, Clone)]
struct Case {
    attempts: Vec<Small>,
    at_most: u64,
    lease: Option<u64>,
}

fn case() -> impl Strategy<Value = Case> {
    let attempt = (
        0_u8..3,
        0..ANSWERS.len(),
        0_u64..14,
        0_u64..6,
        0_u8..5,
        0_u8..4,
    );
    let attempts = prop::collection::vec(attempt, 0..11);
    let lease = prop::option::of(1_u64..12);
    (attempts, 0_u64..3, lease).prop_map(|(attempts, at_most, lease)| Case {
        attempts,
        at_most,
        lease,
    })
}

impl Case {
    /// Requests of one user are sent at different times, in the order of the list; two of them may
    /// be under way together.
    fn room(&self) -> Room {
        let mut room = Room::of(self.at_most);
        room.queue.lease = self.lease.map(|ns| Duration::from_nanos(16 * ns));
        let mut attempts: Vec<(usize, Small)> = self.attempts.iter().copied().enumerate().collect();
        attempts.sort_by_key(|(_, one)| one.2);
        for (at, (user, answer, inv, length, ticket, ahead)) in attempts {
            let (step, label, kind) = ANSWERS[answer];
            let (user, at) = (u64::from(user), at as u64);
            let inv = 16 * inv + at;
            let ret = inv + 8 * length;
            let number = |number: u8, none: u8| match number {
                _ if number == none => Place::NONE,
                number => u64::from(number),
            };
            room = match label {
                ENTERED => room.enters(user, number(ticket, 9), number(ahead, 3), inv, ret),
                WAITING => room.waits(user, number(ahead, 9), inv, ret),
                _ => room.answered(user, (step, label, kind), inv, ret),
            };
        }
        room
    }
}

/// A stay, by its words.
#[derive(Debug, Clone, Copy)]
struct Stay {
    user: Key,
    inv: u64,
    ret: u64,
    until: u64,
}

struct World<'r> {
    room: &'r Room,
}

impl World<'_> {
    fn operations(&self) -> impl Iterator<Item = &Operation> {
        let sent = self.room.history.iter();
        sent.filter(|one| one.kind != NotSent)
    }

    fn stays(&self) -> Vec<Stay> {
        let entries = || self.operations().filter(|one| one.step == ENTER);
        let mut stays = Vec::new();
        for entry in entries().filter(|one| one.label == ENTERED) {
            let mut others = entries().filter(|one| one.user == entry.user);
            let is_open = |one: &Operation| one.inv_ns < entry.inv_ns && end(one) >= entry.inv_ns;
            if others.any(is_open) {
                continue;
            }
            let others = entries().filter(|one| one.user == entry.user);
            let later = others.filter(|one| one.inv_ns > entry.inv_ns);
            stays.push(Stay {
                user: entry.user,
                inv: entry.inv_ns,
                ret: entry.ret_ns,
                until: later.map(|one| one.inv_ns).min().unwrap_or(u64::MAX),
            });
        }
        stays
    }

    /// Answers with this label that are certainly about the stay.
    fn within(&self, stay: Stay, label: u8) -> impl Iterator<Item = &Operation> {
        self.operations().filter(move |one| {
            one.label == label
                && one.user == stay.user
                && one.inv_ns > stay.ret
                && one.ret_ns < stay.until
        })
    }

    /// The same with a number of people ahead, the entry's own included.
    fn numbers(&self, stay: Stay) -> Vec<Place> {
        let places = self.room.places.iter();
        let places = places.filter(|one| one.user == stay.user && one.ahead != Place::NONE);
        let of_stay = places.filter(|one| {
            let is_entry = one.step == ENTER && one.inv_ns == stay.inv;
            let is_poll = one.step == ORDER && one.inv_ns > stay.ret && one.ret_ns < stay.until;
            is_entry || is_poll
        });
        of_stay.copied().collect()
    }

    fn tickets(&self) -> Vec<Place> {
        let places = self.room.places.iter();
        let entries = places.filter(|one| one.label == ENTERED && one.ticket != Place::NONE);
        entries.copied().collect()
    }

    fn same_tickets(&self) -> u64 {
        let mut holders: BTreeMap<u64, BTreeSet<Key>> = BTreeMap::new();
        for one in self.tickets() {
            holders.entry(one.ticket).or_default().insert(one.user);
        }
        holders.values().map(|users| users.len() as u64 - 1).sum()
    }

    fn gaps(&self) -> u64 {
        let tickets: BTreeSet<u64> = self.tickets().iter().map(|one| one.ticket).collect();
        let (Some(first), Some(last)) = (tickets.first(), tickets.last()) else {
            return 0;
        };
        let missing = (*first..=*last).filter(|number| !tickets.contains(number));
        let uncertain = self.operations().filter(|one| {
            let without = self.room.places.iter().any(|place| {
                place.inv_ns == one.inv_ns && place.user == one.user && place.ticket == Place::NONE
            });
            one.step == ENTER && (one.kind == Unknown || (one.label == ENTERED && without))
        });
        (missing.count() as u64).saturating_sub(uncertain.count() as u64)
    }

    fn ticket_order(&self) -> u64 {
        let tickets = self.tickets();
        let is_lower = |one: &&Place| {
            let mut others = tickets.iter();
            others.any(|other| other.ret_ns < one.inv_ns && other.ticket > one.ticket)
        };
        tickets.iter().filter(is_lower).count() as u64
    }

    fn rises(&self) -> u64 {
        let stays = self.stays().into_iter();
        let of_stay = |stay| {
            let numbers = self.numbers(stay);
            let rises = numbers.iter().filter(|one| {
                let mut others = numbers.iter();
                others.any(|other| other.ret_ns < one.inv_ns && other.ahead < one.ahead)
            });
            rises.count() as u64
        };
        stays.map(of_stay).sum()
    }

    fn swapped(&self) -> u64 {
        let stays = self.stays();
        let is_swapped = |stay: Stay, one: &Place| {
            let mut later = stays.iter().filter(|other| stay.ret < other.inv);
            later.any(|other| {
                let mut numbers = self.numbers(*other).into_iter();
                numbers.any(|told| told.ret_ns < one.inv_ns && told.ahead <= one.ahead)
            })
        };
        let of_stay = |stay: &Stay| {
            let numbers = self.numbers(*stay).into_iter();
            numbers.filter(|one| is_swapped(*stay, one)).count() as u64
        };
        stays.iter().map(of_stay).sum()
    }

    fn overtaken(&self) -> u64 {
        let stays = self.stays();
        let is_overtaken = |stay: &&Stay| {
            let mut later = stays.iter().filter(|other| stay.ret < other.inv);
            later.any(|other| {
                let mut waits = self.within(**stay, WAITING);
                waits.any(|still| {
                    let mut inside = self.within(*other, ADMITTED);
                    inside.any(|told| told.ret_ns < still.inv_ns)
                })
            })
        };
        stays.iter().filter(is_overtaken).count() as u64
    }

    /// The times in which each user is inside.
    fn inside(&self) -> Vec<(u64, u64, Key)> {
        let mut times: BTreeMap<Key, Vec<(u64, u64)>> = BTreeMap::new();
        for told in self.operations().filter(|one| one.label == ADMITTED) {
            let others = self.operations().filter(|one| {
                one.user == told.user && one.label != ADMITTED && end(one) >= told.inv_ns
            });
            let next = others.map(|one| one.inv_ns).min();
            let lease = self.room.queue.lease;
            let lease = lease.map(|lease| told.inv_ns + lease.as_nanos() as u64);
            if let Some(to) = next.into_iter().chain(lease).min()
                && told.ret_ns < to
            {
                let own = times.entry(told.user).or_default();
                own.push((told.ret_ns, to));
            }
        }
        let mut inside = Vec::new();
        for (user, mut own) in times {
            // Two that touch or overlap are one, until none does.
            while let Some((one, other)) = touching(&own) {
                let (from, to) = own.remove(other);
                own[one] = (own[one].0.min(from), own[one].1.max(to));
            }
            inside.extend(own.into_iter().map(|(from, to)| (from, to, user)));
        }
        inside
    }

    fn too_many(&self) -> u64 {
        let inside = self.inside();
        let is_over = |(from, _, user): &&(u64, u64, Key)| {
            let there = inside
                .iter()
                .filter(|(since, to, other)| (since, other) <= (from, user) && to > from);
            there.count() as u64 > self.room.queue.at_most.unwrap_or_default()
        };
        inside.iter().filter(is_over).count() as u64
    }

    fn skipped(&self) -> u64 {
        let stays = self.stays();
        let lets_in = |one: &Operation| {
            let is_told = [ENTERED, WAITING, ADMITTED].contains(&one.label);
            is_told || (one.kind == Unknown && one.step != ISSUE)
        };
        let is_skipped = |told: &&Operation| {
            let mut own = self.operations().filter(|one| one.user == told.user);
            let asked = own.any(|one| lets_in(one) && one.inv_ns <= told.ret_ns);
            let mut around = stays.iter().filter(|stay| {
                stay.user == told.user && stay.ret < told.inv_ns && told.ret_ns < stay.until
            });
            let still_waits = around.any(|stay| {
                let mut waits = self.within(*stay, WAITING);
                waits.any(|still| still.inv_ns > told.ret_ns)
            });
            !asked || still_waits
        };
        let told = self.operations().filter(|one| one.kind == Issued);
        told.filter(is_skipped).count() as u64
    }

    fn counts(&self) -> [(&'static str, u64); 8] {
        [
            ("tickets", self.same_tickets()),
            ("gaps", self.gaps()),
            ("ticket_order", self.ticket_order()),
            ("ahead", self.rises()),
            ("swapped", self.swapped()),
            ("overtaken", self.overtaken()),
            ("admitted", self.too_many()),
            ("skipped", self.skipped()),
        ]
    }

    /// Whether no user has two requests under way: then `ahead` misses nothing.
    fn is_sequential(&self) -> bool {
        self.operations().all(|one| {
            let own = self.operations().filter(|other| other.user == one.user);
            let mut later = own.filter(|other| other.inv_ns > one.inv_ns);
            later.all(|other| other.inv_ns > one.ret_ns)
        })
    }
}

fn end(operation: &Operation) -> u64 {
    match operation.kind {
        Unknown => u64::MAX,
        _ => operation.ret_ns,
    }
}

fn touching(own: &[(u64, u64)]) -> Option<(usize, usize)> {
    let pairs = (0..own.len()).flat_map(|one| (one + 1..own.len()).map(move |other| (one, other)));
    let mut pairs =
        pairs.filter(|(one, other)| own[*one].0 <= own[*other].1 && own[*other].0 <= own[*one].1);
    pairs.next()
}

/// The first part in which a checker and the definitions differ.
fn difference(judge: impl Fn(&Room) -> Finding, room: &Room) -> Option<String> {
    let finding = judge(room);
    let world = World { room };
    for (name, count) in world.counts() {
        let part = part(&finding, name);
        let missed = name == "ahead" && !world.is_sequential();
        let agrees = if part.verdict == Verdict::Unknown {
            count == 0
        } else if missed {
            part.count <= count
        } else {
            part.count == count && (part.verdict == Verdict::Fail) == (count > 0)
        };
        if !agrees {
            return Some(format!("{name}: {count} by definition, and {part:#?}"));
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn every_part_says_what_its_definition_says(drawn in case()) {
        let room = drawn.room();
        let differs = difference(Room::finding, &room);
        prop_assert!(differs.is_none(), "{}\n{room:#?}", differs.unwrap_or_default());
    }

    #[test]
    fn the_order_of_the_files_does_not_matter(drawn in case(), shuffle: u64) {
        let room = drawn.room();
        let mut other = room.clone();
        let key = |inv: u64| crate::plan::mix(inv ^ shuffle);
        other.history.sort_by_key(|one| key(one.inv_ns));
        for name in PARTS.iter().filter(|name| **name != "ahead") {
            let (one, two) = (room.finding(), other.finding());
            prop_assert_eq!(part(&one, name).count, part(&two, name).count, "{}", name);
        }
    }
}

/// The checker, blind to something on purpose.
type Blind = fn(&mut Room);

const WEAKENED: [(&str, Blind); 10] = [
    ("uncertain requests", |room| {
        room.history.retain(|one| one.kind != Unknown);
    }),
    ("requests that were not sent", |room| {
        let not_sent = room.history.iter_mut().filter(|one| one.kind == NotSent);
        not_sent.for_each(|one| one.kind = Refused);
    }),
    ("entries that are refused", |room| {
        room.history.retain(|one| one.label != INSIDE);
    }),
    ("answers that say to wait", |room| {
        room.history.retain(|one| one.label != WAITING);
    }),
    ("refusals", |room| {
        room.history.retain(|one| one.kind != Refused);
    }),
    ("the time that an answer takes", |room| {
        room.history
            .iter_mut()
            .for_each(|one| one.ret_ns = one.inv_ns);
        room.places
            .iter_mut()
            .for_each(|one| one.ret_ns = one.inv_ns);
    }),
    ("the lease", |room| room.queue.lease = None),
    ("the limit", |room| room.queue.at_most = Some(u64::MAX)),
    ("answers without a ticket", |room| {
        room.places.retain(|one| one.label != WAITING);
    }),
    ("entries", |room| {
        room.queue.entered = vec![(ENTER, vec![])];
        room.places.retain(|one| one.label != ENTERED);
    }),
];

#[test]
fn a_weakened_checker_does_not_agree_with_the_definitions() {
    for (words, blind) in WEAKENED {
        let mut runner = TestRunner::deterministic();
        let judge = |room: &Room| {
            let mut room = room.clone();
            blind(&mut room);
            room.finding()
        };
        let found = (0..4_000).any(|_| {
            let drawn = case().new_tree(&mut runner).expect("a case").current();
            difference(judge, &drawn.room()).is_some()
        });
        assert!(
            found,
            "nobody would notice a checker that does not see {words}"
        );
    }
}

/// What the definitions are never asked about says nothing about them.
#[test]
fn every_part_is_wrong_and_right_in_some_queue() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeSet<(&str, bool)> = BTreeSet::new();
    for _ in 0..4_000 {
        let drawn = case().new_tree(&mut runner).expect("a case").current();
        let room = drawn.room();
        let finding = room.finding();
        let judged = PARTS
            .iter()
            .map(|name| (*name, part(&finding, name).verdict));
        let judged = judged.filter(|(_, verdict)| *verdict != Verdict::Unknown);
        seen.extend(judged.map(|(name, verdict)| (name, verdict == Verdict::Pass)));
    }
    assert_eq!(seen.len(), 2 * PARTS.len(), "{seen:?}");
}

/// What is not asked for cannot be wrong.
#[test]
fn nothing_is_judged_of_an_empty_claim() {
    let mut room = super::queue::good();
    room.queue = Queue::default();
    let finding = room.finding();
    assert_eq!(finding.parts.len(), 1, "{finding:#?}");
}
