//! A right queue passes, whatever its users do, and no mutation of it gets through.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::part;
use super::queue::{ADMITTED, ENTERED, Room, WAITING};
use crate::history::OutcomeKind::Issued;
use crate::history::{Key, Operation};
use crate::verdict::Verdict;

/// What each user of a right queue does: when it comes, how long it stays inside, and how long its
/// requests are on the way.
type Guest = (u64, u64, u64, u64);

fn guests() -> impl Strategy<Value = (Vec<Guest>, u64)> {
    let guest = (0_u64..12, 1_u64..6, 0_u64..5, 0_u64..5);
    (prop::collection::vec(guest, 4..9), 1_u64..3)
}

/// A queue that admits in order and to its limit, once in each tick of ten, before it answers.
fn right(guests: &[Guest], at_most: u64) -> Room {
    let mut room = Room::of(at_most);
    let (mut waiting, mut inside): (Vec<u64>, BTreeSet<u64>) = (Vec::new(), BTreeSet::new());
    // When each does something next; what it is follows from where it is.
    let mut next: Vec<Option<u64>> = guests.iter().map(|guest| Some(guest.0)).collect();
    let mut told: BTreeSet<u64> = BTreeSet::new();
    let mut ticket = 0;
    for tick in 0..400 {
        while (inside.len() as u64) < at_most && !waiting.is_empty() {
            inside.insert(waiting.remove(0));
        }
        for (at, (_, stays, before, after)) in guests.iter().enumerate() {
            let user = at as u64;
            if next[at] != Some(tick) {
                continue;
            }
            let now = 10 * tick + 10;
            let (inv, ret) = (now - before, now + after);
            let place = waiting.iter().position(|one| *one == user);
            next[at] = Some(tick + 1);
            room = if told.contains(&user) {
                next[at] = None;
                inside.remove(&user);
                room.issued(user, inv, ret)
            } else if let Some(ahead) = place {
                room.waits(user, ahead as u64, inv, ret)
            } else if inside.contains(&user) {
                told.insert(user);
                next[at] = Some(tick + stays);
                room.admitted(user, inv, ret)
            } else {
                ticket += 1;
                waiting.push(user);
                room.enters(user, ticket, waiting.len() as u64 - 1, inv, ret)
            };
        }
    }
    assert!(next.iter().all(Option::is_none), "everybody is done");
    room
}

/// The request of this user with this label that was sent last.
fn last_of(room: &Room, user: Key, label: u8) -> Option<Operation> {
    let own = room.history.iter();
    let own = own.filter(|one| one.user == user && one.label == label);
    own.max_by_key(|one| one.inv_ns).copied()
}

/// Two users of whom the first had certainly entered before the second asked.
fn in_order(room: &Room) -> Option<(Operation, Operation)> {
    let entries: Vec<&Operation> = room
        .history
        .iter()
        .filter(|one| one.label == ENTERED)
        .collect();
    let pairs = entries.iter().flat_map(|one| {
        let later = entries.iter().filter(|other| one.ret_ns < other.inv_ns);
        later.map(|other| (**one, **other))
    });
    pairs.last()
}

fn fails(room: &Room, name: &str) -> bool {
    part(&room.finding(), name).verdict == Verdict::Fail
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_mutation_of_a_right_queue_gets_through((guests, at_most) in guests()) {
        let room = right(&guests, at_most);
        let finding = room.finding();
        let failed = finding.parts.iter().find(|part| part.verdict == Verdict::Fail);
        prop_assert!(failed.is_none(), "{failed:#?}");
        let Some((first, second)) = in_order(&room) else { return Result::Ok(()) };
        let change = |change: &dyn Fn(&mut Room)| {
            let mut room = room.clone();
            change(&mut room);
            room
        };
        let ticket_of = |user: Key| {
            let mut places = room.places.iter();
            places.find(|one| one.user == user && one.label == ENTERED).map_or(0, |one| one.ticket)
        };

        let duplicated = change(&|room| {
            let places = room.places.iter_mut().filter(|one| one.label == ENTERED);
            places.filter(|one| one.user == second.user).for_each(|one| {
                one.ticket = ticket_of(first.user);
            });
        });
        prop_assert!(fails(&duplicated, "tickets"));

        let swapped = change(&|room| {
            for one in room.places.iter_mut().filter(|one| one.label == ENTERED) {
                if one.user == first.user {
                    one.ticket = ticket_of(second.user);
                } else if one.user == second.user {
                    one.ticket = ticket_of(first.user);
                }
            }
        });
        prop_assert!(fails(&swapped, "ticket_order"));

        let dropped = change(&|room| {
            let is_middle = |ticket: u64| ticket > 1 && ticket < guests.len() as u64;
            let middle = room.places.iter().find(|one| {
                one.label == ENTERED && is_middle(one.ticket)
            });
            let user = middle.map(|one| one.user);
            room.places.retain(|one| Some(one.user) != user);
            room.history.retain(|one| Some(one.user) != user || one.kind == Issued);
        });
        prop_assert!(fails(&dropped, "gaps") && fails(&dropped, "skipped"));

        if let Some(told) = last_of(&room, second.user, ADMITTED) {
            let later = told.ret_ns + 1;
            let shifted = change(&|room| {
                let user = first.user.0;
                *room = room.clone().waits(user, 0, later, later + 1);
            });
            prop_assert!(fails(&shifted, "overtaken"));
        }

        let all_inside = change(&|room| {
            let issued = room.history.iter_mut().filter(|one| one.kind == Issued);
            issued.for_each(|one| {
                one.inv_ns += 100_000;
                one.ret_ns += 100_000;
            });
        });
        prop_assert!(fails(&all_inside, "admitted"));

        let raised = change(&|room| {
            let last = last_of(room, second.user, WAITING);
            let places = room.places.iter_mut().filter(|one| one.label == WAITING);
            let own = places.filter(|one| one.user == second.user);
            own.filter(|one| Some(one.inv_ns) == last.map(|last| last.inv_ns))
                .for_each(|one| one.ahead += 20);
        });
        if last_of(&room, second.user, WAITING).is_some() {
            prop_assert!(fails(&raised, "ahead"));
        }

        let passed = change(&|room| {
            for one in room.places.iter_mut().filter(|one| one.label != ENTERED) {
                // Nobody is ahead of the second at any time, and many of the first.
                if one.user == second.user {
                    one.ahead = 0;
                } else if one.user == first.user {
                    one.ahead += 1;
                }
            }
        });
        let waits = |user| last_of(&room, user, WAITING);
        let is_seen = waits(first.user).zip(
            room.history
                .iter()
                .filter(|one| one.label == WAITING && one.user == second.user)
                .min_by_key(|one| one.ret_ns)
                .copied(),
        );
        if is_seen.is_some_and(|(last, early)| early.ret_ns < last.inv_ns) {
            prop_assert!(fails(&passed, "swapped"));
        }
    }
}
