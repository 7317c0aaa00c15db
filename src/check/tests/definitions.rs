//! Each part of `stock`, `one_per_user` and `acknowledged` against its definition, word for word and
//! in quadratic time, on random histories: unknowns, replays, repeated ids, rows of before, surplus,
//! missing and late rows, and readings.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{Story, change, operation};
use crate::check::Finding;
use crate::history::OutcomeKind::{
    Duplicate, Error, Issued, NotSent, Pending, Refused, Replay, SoldOut, Unknown,
};
use crate::history::{Key, Operation, OutcomeKind};
use crate::plan::Invariant;
use crate::verdict::Verdict;

const KINDS: [OutcomeKind; 14] = [
    Issued, Issued, Issued, Issued, Unknown, Unknown, Pending, SoldOut, SoldOut, Duplicate, Replay,
    Refused, Error, NotSent,
];

/// A row: its user, and its coupon, if it has one.
type Pair = (u8, Option<u8>);

/// A sale of few users and few coupons, in which anything may be wrong.
#[derive(Debug, Clone)]
struct Sale {
    stock: u64,
    /// Who, which coupon the answer names, when, how long, and the answer.
    attempts: Vec<(u8, Option<u8>, u64, u64, usize)>,
    before: Vec<Pair>,
    last: Vec<Pair>,
    second: Option<Vec<Pair>>,
    /// What was left, when that was asked, and how long it took.
    readings: Vec<(i64, u64, u64)>,
    remaining_last: i64,
}

fn sale() -> impl Strategy<Value = Sale> {
    let coupon = || prop::option::weighted(0.8, 0_u8..6);
    let attempt = (0_u8..5, coupon(), 0_u64..20, 0_u64..10, 0..KINDS.len());
    let rows = |most| prop::collection::vec((0_u8..6, coupon()), 0..=most);
    let reading = (-1_i64..7, 0_u64..25, 0_u64..8);
    let seen = (
        prop_oneof![2 => Just(Vec::new()).boxed(), 1 => rows(2).boxed()],
        rows(3),
        prop::option::of(rows(2)),
        // How many rows of the answers are lost, and of the final read in the second.
        (0_usize..3, 0_usize..2),
    );
    (
        0_u64..6,
        prop::collection::vec(attempt, 0..9),
        seen,
        prop::collection::vec(reading, 0..3),
        -1_i64..4,
    )
        .prop_map(
            |(stock, attempts, (before, odd, late, skips), readings, remaining_last)| {
                // Mostly as the answers say, so that not everything is wrong at once.
                let told = attempts.iter().filter(|one| KINDS[one.4] == Issued);
                let kept: Vec<Pair> = told.map(|one| (one.0, one.1)).skip(skips.0).collect();
                let mut last: Vec<Pair> = before.iter().chain(&kept).copied().collect();
                last.extend(odd.into_iter().take(skips.0));
                let second =
                    late.map(|late| last.iter().copied().skip(skips.1).chain(late).collect());
                Sale {
                    stock,
                    attempts,
                    before,
                    last,
                    second,
                    readings,
                    remaining_last,
                }
            },
        )
}

impl Sale {
    fn story(&self) -> Story {
        let texts = |rows: &[Pair]| -> Vec<String> {
            rows.iter()
                .map(|(user, id)| match id {
                    Some(id) => format!("{user}:c{id}"),
                    None => user.to_string(),
                })
                .collect()
        };
        let (before, last) = (texts(&self.before), texts(&self.last));
        let second = self.second.as_deref().map(texts);
        let mut story = Story::of_stock(self.stock);
        story = with(story, &before, Story::before);
        story = with(story, &last, Story::finally);
        if let Some(second) = second {
            story = with(story, &second, Story::later);
        }
        for (user, coupon, inv, length, kind) in &self.attempts {
            let kind = KINDS[*kind];
            let mut one = operation(&user.to_string(), kind, *inv, inv + length);
            if let Some(coupon) = coupon.filter(|_| kind.is_acknowledged()) {
                one.coupon = Key::of(&format!("c{coupon}"));
            }
            story.history.push(one);
        }
        for (value, inv, length) in &self.readings {
            story = story.reading(*value, *inv, inv + length);
        }
        story.observations.remaining_last = Some(self.remaining_last);
        story
    }
}

fn with(story: Story, rows: &[String], put: fn(Story, &[&str]) -> Story) -> Story {
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    put(story, &rows)
}

/// What the definitions need, read off the story anew for every question.
struct World<'s> {
    operations: &'s [Operation],
    stock: u64,
    before: Vec<(Key, Key)>,
    last: Vec<(Key, Key)>,
    second: Option<Vec<(Key, Key)>>,
}

impl<'s> World<'s> {
    fn of(story: &'s Story) -> Self {
        let seen = &story.observations;
        let pairs = |read: &crate::check::IssuedRead| -> Vec<(Key, Key)> {
            let key = |id: Option<&str>| id.map_or(Key::NONE, Key::of);
            read.rows
                .iter()
                .map(|row| (Key::of(row.user), key(row.id)))
                .collect()
        };
        Self {
            operations: &story.history,
            stock: story.plan.subject.as_ref().expect("a stock").stock,
            before: seen.baseline.as_ref().map(pairs).expect("read"),
            last: seen.last.as_ref().map(pairs).expect("read"),
            second: seen.second.as_ref().map(pairs),
        }
    }

    fn users(&self) -> BTreeSet<Key> {
        let asked = self.operations.iter().map(|one| one.user);
        let reads = [Some(&self.before), Some(&self.last), self.second.as_ref()];
        let rows = reads.into_iter().flatten().flatten().map(|row| row.0);
        asked.chain(rows).collect()
    }

    fn of_user(&self, user: Key) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |one| one.user == user)
    }

    fn taken(&self) -> u64 {
        self.last
            .len()
            .max(self.second.as_ref().map_or(0, Vec::len)) as u64
    }

    fn rows_of(rows: &[(Key, Key)], user: Key) -> usize {
        rows.iter().filter(|row| row.0 == user).count()
    }

    fn holds_any(&self, user: Key) -> bool {
        let later = self
            .second
            .as_ref()
            .map_or(0, |rows| Self::rows_of(rows, user));
        Self::rows_of(&self.last, user) + later > 0
    }

    /// The rows of the final and the second read, counted, each with whether it is new and late.
    fn rows(&self) -> Vec<(Key, bool, bool)> {
        let mut old = self.before.clone();
        let mut known = self.last.clone();
        let mut rows = Vec::new();
        let later = self.second.iter().flatten().map(|row| (*row, true));
        for (row, of_second) in self.last.iter().map(|row| (*row, false)).chain(later) {
            if of_second && take(&mut known, row) {
                continue;
            }
            rows.push((row.0, !take(&mut old, row), of_second));
        }
        rows
    }

    /// Each pair of a user and a coupon that was confirmed.
    fn confirmed(&self) -> BTreeSet<(Key, Key)> {
        let told = self
            .operations
            .iter()
            .filter(|one| one.kind.is_acknowledged());
        told.map(|one| (one.user, one.coupon)).collect()
    }

    fn held(rows: &[(Key, Key)], (user, coupon): (Key, Key)) -> bool {
        let by_user = !coupon.is_some() || rows.iter().all(|row| !row.1.is_some());
        let fits = |row: &&(Key, Key)| by_user || row.1 == coupon || !row.1.is_some();
        rows.iter().filter(fits).any(|row| row.0 == user)
    }

    fn held_later(&self, pair: (Key, Key)) -> bool {
        self.second
            .as_ref()
            .is_some_and(|rows| Self::held(rows, pair))
    }

    /// The earliest time at which a row of this user can have been won.
    fn since(&self, user: Key) -> u64 {
        let may_take = |one: &&Operation| matches!(one.kind, Issued | Pending | Unknown);
        let asked = self
            .of_user(user)
            .filter(may_take)
            .map(|one| one.inv_ns)
            .min();
        let told = self.of_user(user).filter(|one| one.kind.is_acknowledged());
        let told = told.map(|one| one.ret_ns).min().unwrap_or(u64::MAX);
        asked.filter(|asked| *asked <= told).unwrap_or(0)
    }

    fn is_explained(&self, user: Key) -> bool {
        let explains = |one: &Operation| matches!(one.kind, Issued | Pending | Unknown | Replay);
        self.of_user(user).any(explains)
    }

    fn is_refused(&self, user: Key) -> bool {
        let refuses =
            |one: &Operation| matches!(one.kind, SoldOut | Duplicate | Refused | Error | NotSent);
        self.of_user(user).any(refuses)
    }

    fn new_rows(&self, counts: impl Fn(Key) -> bool) -> u64 {
        let rows = self.rows().into_iter();
        rows.filter(|(user, new, _)| *new && counts(*user)).count() as u64
    }

    /// Sold-out answers that were complete before as many winners as there is stock had asked.
    fn premature(&self) -> u64 {
        let since = |row: &(Key, bool, bool)| if row.1 { self.since(row.0) } else { 0 };
        let winners: Vec<u64> = self.rows().iter().map(since).collect();
        let is_early = |one: &&Operation| {
            let asked = winners.iter().filter(|since| **since <= one.ret_ns).count() as u64;
            one.kind == SoldOut && asked < self.stock
        };
        self.operations.iter().filter(is_early).count() as u64
    }

    /// Different coupons that were confirmed, or users where an answer names none, beyond the room.
    fn confirmed_beyond(&self) -> u64 {
        let all = self.confirmed();
        let by_id = !all.is_empty() && all.iter().all(|pair| pair.1.is_some());
        let fresh = all
            .iter()
            .filter(|pair| Self::rows_of(&self.before, pair.0) == 0);
        let things: BTreeSet<Key> = fresh
            .map(|pair| if by_id { pair.1 } else { pair.0 })
            .collect();
        let room = self.stock.saturating_sub(self.before.len() as u64);
        (things.len() as u64).saturating_sub(room)
    }

    /// Readings that the answers contradict.
    fn readings(&self, story: &Story) -> u64 {
        let room = self.stock as i64 - self.before.len() as i64;
        let is_wrong = |reading: &&crate::check::Reading| {
            let possible = self.operations.iter().filter(|one| {
                matches!(one.kind, Issued | Pending | Unknown) && one.inv_ns <= reading.ret_ns
            });
            let users = self.users().into_iter();
            let sure = users.filter(|user| {
                let told =
                    |one: &Operation| one.kind.is_acknowledged() && one.ret_ns <= reading.inv_ns;
                Self::rows_of(&self.before, *user) == 0 && self.of_user(*user).any(told)
            });
            let (low, high) = (room - possible.count() as i64, room - sure.count() as i64);
            reading.value < low || reading.value > high
        };
        story.observations.remaining.iter().filter(is_wrong).count() as u64
    }

    fn ledger(&self, remaining: i64) -> u64 {
        let off = |rows: usize| (remaining + rows as i64 - self.stock as i64).unsigned_abs();
        match self.second.as_ref().map(|rows| off(rows.len())) {
            Some(0) => 0,
            _ => off(self.last.len()),
        }
    }

    fn users_who(&self, is: impl Fn(Key) -> bool) -> u64 {
        self.users().into_iter().filter(|user| is(*user)).count() as u64
    }

    fn rows_per_user(&self) -> u64 {
        self.users_who(|user| {
            let most = [Some(&self.last), self.second.as_ref()];
            let most = most
                .into_iter()
                .flatten()
                .map(|rows| Self::rows_of(rows, user));
            let allowed = Self::rows_of(&self.before, user).max(1);
            most.max().unwrap_or(0) > allowed
        })
    }

    /// Things that were confirmed together with more than one other: coupons of a user, users of a
    /// coupon.
    fn repeated(&self, group: fn(&(Key, Key)) -> Key) -> u64 {
        let named: Vec<_> = self
            .confirmed()
            .into_iter()
            .filter(|pair| pair.1.is_some())
            .collect();
        let groups: BTreeSet<Key> = named.iter().map(group).collect();
        let size = |one: &Key| named.iter().filter(|pair| group(pair) == *one).count();
        groups.iter().filter(|one| size(one) > 1).count() as u64
    }

    /// Every part that is judged, and how many cases the definitions give.
    fn counts(&self, story: &Story) -> Vec<(Invariant, &'static [&'static str], u64)> {
        use Invariant::{Acknowledged, OnePerUser, Stock};
        let told = self.operations.iter().any(|one| one.kind == SoldOut);
        let confirmed = self.confirmed();
        let lost = |pair: &&(Key, Key)| !Self::held(&self.last, **pair) && !self.held_later(**pair);
        let vanished = |pair: &&(Key, Key)| {
            self.second.is_some() && Self::held(&self.last, **pair) && !self.held_later(**pair)
        };
        let ghost = |user: Key| {
            self.of_user(user).any(|one| one.kind == Duplicate) && !self.holds_any(user)
        };
        let remaining = story.observations.remaining_last.expect("read");
        vec![
            (
                Stock,
                &["oversold"],
                self.taken().saturating_sub(self.stock),
            ),
            (
                Stock,
                &["issued_ids", "issued_users"],
                self.confirmed_beyond(),
            ),
            (
                Stock,
                &["unsold"],
                if told {
                    self.stock.saturating_sub(self.taken())
                } else {
                    0
                },
            ),
            (Stock, &["premature_sold_out"], self.premature()),
            (Stock, &["readings"], self.readings(story)),
            (Stock, &["ledger"], self.ledger(remaining)),
            (OnePerUser, &["rows_per_user"], self.rows_per_user()),
            (OnePerUser, &["ids_per_user"], self.repeated(|pair| pair.0)),
            (OnePerUser, &["ids_shared"], self.repeated(|pair| pair.1)),
            (
                Acknowledged,
                &["lost"],
                confirmed.iter().filter(lost).count() as u64,
            ),
            (
                Acknowledged,
                &["vanished"],
                confirmed.iter().filter(vanished).count() as u64,
            ),
            (Acknowledged, &["ghost_duplicate"], self.users_who(ghost)),
            (
                Acknowledged,
                &["phantom"],
                self.new_rows(|user| !self.is_explained(user) && !self.is_refused(user)),
            ),
            (
                Acknowledged,
                &["refused_but_issued"],
                self.new_rows(|user| !self.is_explained(user) && self.is_refused(user)),
            ),
        ]
    }

    /// The same of what is only said.
    fn said(&self) -> [(&'static str, u64); 2] {
        let told = |user| self.of_user(user).any(|one| one.kind.is_acknowledged());
        let recovered = self.new_rows(|user| self.is_explained(user) && !told(user));
        let late = self.rows().iter().filter(|row| row.2).count() as u64;
        [("recovered", recovered), ("late_effects", late)]
    }
}

fn take(rows: &mut Vec<(Key, Key)>, row: (Key, Key)) -> bool {
    let at = rows.iter().position(|one| *one == row);
    at.map(|at| rows.swap_remove(at)).is_some()
}

/// Anything that judges an invariant of a story.
type Judges = fn(&Story, Invariant) -> Finding;

/// The first part on which the judge and the definitions differ: the part, what the definitions
/// say, what the judge says.
fn difference(judges: Judges, sale: &Sale) -> Option<(&'static str, u64, String)> {
    let story = sale.story();
    let world = World::of(&story);
    let [stock, one_per_user, acknowledged] = [
        Invariant::Stock,
        Invariant::OnePerUser,
        Invariant::Acknowledged,
    ]
    .map(|invariant| judges(&story, invariant));
    let finding = |invariant: Invariant| match invariant {
        Invariant::Stock => &stock,
        Invariant::OnePerUser => &one_per_user,
        _ => &acknowledged,
    };
    for (invariant, names, count) in world.counts(&story) {
        let mut parts = finding(invariant).parts.iter();
        let part = parts.find(|part| names.contains(&part.name.as_str()));
        let failed = part.is_some_and(|part| part.verdict == Verdict::Fail);
        let counted = part.filter(|_| failed).map_or(0, |part| part.count);
        if counted != count || failed != (count > 0) {
            return Some((names[0], count, format!("{part:#?}")));
        }
    }
    for (name, count) in world.said() {
        let mut parts = acknowledged.parts.iter();
        let part = parts.find(|part| part.name == name);
        if part.map_or(0, |part| part.count) != count {
            return Some((name, count, format!("{part:#?}")));
        }
    }
    None
}

fn judged(story: &Story, invariant: Invariant) -> Finding {
    story.finding(invariant)
}

/// The checkers, made blind to something on purpose, and the part that goes wrong by that.
const WEAKENED: [(&str, Judges); 11] = [
    ("lost answers", |story, invariant| {
        without(story, |one| one.kind == Unknown).finding(invariant)
    }),
    ("accepted attempts", |story, invariant| {
        without(story, |one| one.kind == Pending).finding(invariant)
    }),
    ("replays", |story, invariant| {
        without(story, |one| one.kind == Replay).finding(invariant)
    }),
    ("duplicates", |story, invariant| {
        without(story, |one| one.kind == Duplicate).finding(invariant)
    }),
    ("sold-out answers", |story, invariant| {
        without(story, |one| one.kind == SoldOut).finding(invariant)
    }),
    ("refusals", |story, invariant| {
        without(story, |one| one.kind == Refused).finding(invariant)
    }),
    ("ids in answers", |story, invariant| {
        changed(story, |story| {
            story
                .history
                .iter_mut()
                .for_each(|one| one.coupon = Key::NONE);
        })
        .finding(invariant)
    }),
    ("the second read", |story, invariant| {
        changed(story, |story| story.observations.second = None).finding(invariant)
    }),
    ("rows of before", |story, invariant| {
        changed(story, |story| {
            story.observations.baseline = Some(crate::check::IssuedRead::default());
        })
        .finding(invariant)
    }),
    ("a row that is there twice", |story, invariant| {
        changed(story, |story| {
            let last = story.observations.last.as_mut().expect("read");
            change(last, |rows| {
                let mut seen = BTreeSet::new();
                rows.retain(|row| seen.insert((row.user.clone(), row.id.clone())));
            });
        })
        .finding(invariant)
    }),
    ("one nanosecond", |story, invariant| {
        changed(story, |story| {
            story.history.iter_mut().for_each(|one| one.ret_ns += 1);
        })
        .finding(invariant)
    }),
];

fn without(story: &Story, is_out: fn(&Operation) -> bool) -> Story {
    changed(story, |story| story.history.retain(|one| !is_out(one)))
}

fn changed(story: &Story, change: impl FnOnce(&mut Story)) -> Story {
    let mut story = story.clone();
    change(&mut story);
    story
}

#[test]
fn a_weakened_checker_does_not_agree_with_the_definitions() {
    for (words, weakened) in WEAKENED {
        let mut runner = TestRunner::deterministic();
        let found = (0..2_000).any(|_| {
            let drawn = sale().new_tree(&mut runner).expect("a sale").current();
            difference(weakened, &drawn).is_some()
        });
        assert!(
            found,
            "nobody would notice a checker that does not see {words}"
        );
    }
}

/// What the definitions are never asked about says nothing about them.
#[test]
fn every_part_is_wrong_and_right_in_some_sale() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeSet<(&str, bool)> = BTreeSet::new();
    for _ in 0..2_000 {
        let story = sale()
            .new_tree(&mut runner)
            .expect("a sale")
            .current()
            .story();
        let counts = World::of(&story).counts(&story);
        seen.extend(
            counts
                .iter()
                .map(|(_, names, count)| (names[0], *count > 0)),
        );
    }
    assert_eq!(seen.len(), 2 * 14, "{seen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn every_part_counts_what_its_definition_says(drawn in sale()) {
        prop_assert_eq!(difference(judged, &drawn), None);
    }
}
