//! `seats` on random small histories: against its definition, word for word and pair by pair, and against
//! a search for an order of the attempts that explains every answer. A definition that is weakened on
//! purpose must disagree.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::recorded::{Recorded, both};
use super::seats::{BUY, CANCEL, HOLD, LEASE, about, hall};
use crate::check::Finding;
use crate::history::OutcomeKind::{
    self, Issued, NotSent, Ok, Pending, Refused, Replay, SoldOut, Unknown,
};
use crate::history::{Detail, Key};
use crate::plan::Invariant;
use crate::verdict::Verdict;

const USERS: [&str; 3] = ["0", "1", "2"];
const SEATS: [&str; 2] = ["10", "11"];
const STEPS: [u8; 5] = [BUY, BUY, HOLD, HOLD, CANCEL];
const KINDS: [OutcomeKind; 10] = [
    Issued, Issued, Issued, Ok, Ok, Unknown, Pending, Replay, Refused, NotSent,
];

/// Step, user, seat, kind, beginning and length.
type Asked = (usize, usize, usize, usize, u64, u64);

/// Attempts, and rows of before and of the end.
#[derive(Debug, Clone)]
struct Evening {
    asked: Vec<Asked>,
    /// Whether the lease is so short that holds end within the evening.
    short: bool,
    before: Vec<(usize, usize)>,
    /// Besides what was confirmed, of which so many are missing.
    odd: Vec<(usize, usize)>,
    missing: usize,
}

fn evening(most: usize) -> impl Strategy<Value = Evening> {
    let asked = (
        0..STEPS.len(),
        0..USERS.len(),
        0..SEATS.len(),
        0..KINDS.len(),
        0_u64..24,
        0_u64..8,
    );
    let row = || (0..SEATS.len(), 0..USERS.len());
    let few = || prop_oneof![3 => Just(Vec::new()).boxed(), 1 => prop::collection::vec(row(), 1..3).boxed()];
    (
        prop::collection::vec(asked, 0..=most),
        any::<bool>(),
        few(),
        few(),
        0_usize..3,
    )
        .prop_map(|(asked, short, before, odd, missing)| Evening {
            asked,
            short,
            before,
            odd,
            missing,
        })
}

impl Evening {
    fn hall(&self) -> Recorded {
        let mut hall = hall();
        let details = self
            .asked
            .iter()
            .map(|(step, user, seat, kind, inv, long)| {
                let step = STEPS[*step];
                // A purchase is never merely "ok", and a release is never "issued".
                let kind = match (step, KINDS[*kind]) {
                    (BUY, Ok) => Issued,
                    (CANCEL, Issued | Replay) => Ok,
                    (_, kind) => kind,
                };
                about(step, USERS[*user], SEATS[*seat], kind, (*inv, inv + long))
            });
        hall.details = details.collect();
        if let Some(hold) = hall
            .plan
            .details
            .seats
            .as_mut()
            .and_then(|one| one.hold.as_mut())
        {
            hold.lease = std::time::Duration::from_nanos(if self.short { 6 } else { LEASE });
        }
        let row = |(seat, user): &(usize, usize)| format!("{}:{}", SEATS[*seat], USERS[*user]);
        let before: Vec<String> = self.before.iter().map(row).collect();
        let sold = self.asked.iter().zip(&hall.details);
        let sold =
            sold.filter(|(_, one)| one.operation.step == BUY && one.operation.kind == Issued);
        let sold: BTreeSet<String> = sold.map(|(asked, _)| row(&(asked.2, asked.1))).collect();
        let kept = sold.into_iter().skip(self.missing);
        let last: Vec<String> = before
            .iter()
            .cloned()
            .chain(kept)
            .chain(self.odd.iter().map(row))
            .collect();
        hall.observations.tables.seats = both(&before, &last);
        hall
    }
}

/// What a definition forgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// Holds never end by themselves.
    Lease,
    /// A hold counts from when it was asked for.
    Asked,
    /// A hold that is asked for again has a lease of its own.
    Again,
    /// Nobody gives anything back.
    Release,
    /// A purchase that failed ends no hold.
    Failure,
    /// What belongs to one user clashes with itself.
    Owner,
    /// Only the one right before is looked at.
    Neighbour,
    /// Rows of before.
    Before,
}

impl Flaw {
    const ALL: [Self; 8] = [
        Self::Lease,
        Self::Asked,
        Self::Again,
        Self::Release,
        Self::Failure,
        Self::Owner,
        Self::Neighbour,
        Self::Before,
    ];
}

struct Definition<'h> {
    hall: &'h Recorded,
    flaw: Flaw,
}

/// Seat, beginning, end, user, whether it is a hold.
type Owned = (Key, u64, u64, Key, bool);

fn ret(detail: &Detail) -> u64 {
    match detail.operation.kind {
        Unknown | Pending => u64::MAX,
        _ => detail.operation.ret_ns,
    }
}

impl Definition<'_> {
    fn is_sale(one: &Detail) -> bool {
        one.operation.step == BUY && matches!(one.operation.kind, Issued | Replay)
    }

    fn is_hold(one: &Detail) -> bool {
        one.operation.step == HOLD && matches!(one.operation.kind, Issued | Ok)
    }

    fn end_of(&self, one: &Detail) -> u64 {
        let ends = self.hall.details.iter().filter(|other| {
            let same = other.seat == one.seat && other.operation.user == one.operation.user;
            let later = ret(other) >= one.operation.inv_ns || one.operation.kind == Replay;
            let kind = other.operation.kind;
            let gives_back = other.operation.step == CANCEL
                && matches!(kind, Ok | Unknown | Pending)
                && self.flaw != Flaw::Release;
            let fails = other.operation.step == BUY
                && matches!(kind, Unknown | Pending | Refused | SoldOut)
                && Self::is_hold(one)
                && self.flaw != Flaw::Failure;
            same && later && (gives_back || fails)
        });
        ends.map(|end| end.operation.inv_ns)
            .min()
            .unwrap_or(u64::MAX)
    }

    /// When the hold that this one may be was asked for.
    fn earliest_hold(&self, one: &Detail, lease: u64) -> u64 {
        let inv = one.operation.inv_ns;
        let holds = self.hall.details.iter().filter(|other| {
            let same = other.seat == one.seat && other.operation.user == one.operation.user;
            let granted = matches!(
                other.operation.kind,
                Issued | Ok | Replay | Unknown | Pending
            );
            same && other.operation.step == HOLD
                && granted
                && other.operation.inv_ns <= inv
                && ret(other).saturating_add(lease) >= inv
                && self.flaw != Flaw::Again
        });
        holds.map(|hold| hold.operation.inv_ns).min().unwrap_or(inv)
    }

    fn owned(&self) -> Vec<Owned> {
        let seats = self.hall.plan.details.seats.as_ref().expect("seats");
        let lease = seats.hold.as_ref().expect("a hold").lease.as_nanos() as u64;
        let mut owned = Vec::new();
        for one in &self.hall.details {
            let operation = &one.operation;
            let mut end = self.end_of(one);
            if Self::is_hold(one) && self.flaw != Flaw::Lease {
                end = end.min(self.earliest_hold(one, lease) + lease);
            }
            let from = match self.flaw {
                Flaw::Asked => operation.inv_ns,
                _ => operation.ret_ns,
            };
            if (Self::is_sale(one) || Self::is_hold(one)) && from < end {
                owned.push((one.seat, from, end, operation.user, Self::is_hold(one)));
            }
        }
        owned.sort_unstable();
        owned
    }

    /// How many began while the seat was another's: sales after sales, and all others.
    fn clashes(&self) -> [u64; 2] {
        let owned = self.owned();
        let mut counts = [0, 0];
        for (at, later) in owned.iter().enumerate() {
            let clash = |earlier: &&Owned| {
                let other = earlier.3 != later.3 || self.flaw == Flaw::Owner;
                earlier.0 == later.0 && other && earlier.2 > later.1
            };
            let from = match self.flaw {
                Flaw::Neighbour => at.saturating_sub(1),
                _ => 0,
            };
            let found: Vec<&Owned> = owned[from..at].iter().filter(clash).collect();
            counts[0] += u64::from(!later.4 && found.iter().any(|one| !one.4));
            counts[1] += u64::from(found.iter().any(|one| one.4 || later.4));
        }
        counts
    }

    fn rows(&self, last: bool) -> Vec<(Key, Key)> {
        let seats = &self.hall.observations.tables.seats;
        let read = if last { &seats.last } else { &seats.before };
        let rows = read.iter().flat_map(|read| read.rows.iter());
        rows.map(|[seat, owner, _]| (Key::of(seat), Key::of(owner)))
            .collect()
    }

    /// Seats with too many rows; sales of a seat that is another's; sales without a row.
    fn held_against_rows(&self) -> [u64; 3] {
        let (before, last) = (self.rows(false), self.rows(true));
        let of = |rows: &[(Key, Key)], seat: Key| rows.iter().filter(|row| row.0 == seat).count();
        let seats: BTreeSet<Key> = last.iter().map(|row| row.0).collect();
        let surplus = seats.iter().filter(|seat| {
            let before = if self.flaw == Flaw::Before {
                0
            } else {
                of(&before, **seat)
            };
            of(&last, **seat) > before.max(1)
        });
        let sales = self.hall.details.iter();
        let sales = sales.filter(|one| Self::is_sale(one) && self.end_of(one) == u64::MAX);
        let kept: BTreeSet<(Key, Key)> = sales.map(|one| (one.seat, one.operation.user)).collect();
        let missed = kept.iter().copied().filter(|sale| !last.contains(sale));
        let (lost, others): (Vec<_>, Vec<_>) = missed.partition(|sale| of(&last, sale.0) == 0);
        [
            surplus.count() as u64,
            others.len() as u64,
            lost.len() as u64,
        ]
    }
}

fn failed(finding: &Finding, name: &str) -> u64 {
    let part = finding.parts.iter().find(|part| part.name == name);
    let part = part.unwrap_or_else(|| panic!("{name}: {finding:#?}"));
    assert_eq!(part.count > 0, part.verdict == Verdict::Fail, "{part:#?}");
    part.count
}

/// The first part on which the checker and the definition differ.
fn difference(evening: &Evening, flaw: Flaw) -> Option<(&'static str, u64, u64)> {
    let hall = evening.hall();
    let finding = hall.judge(Invariant::Seats);
    let definition = Definition { hall: &hall, flaw };
    let [sold, held] = definition.clashes();
    let [rows, owner, lost] = definition.held_against_rows();
    let all = [
        ("sold_twice", sold),
        ("held_twice", held),
        ("rows_per_seat", rows),
        ("owner", owner),
        ("lost", lost),
    ];
    all.into_iter()
        .map(|(name, count)| (name, count, failed(&finding, name)))
        .find(|(_, defined, found)| defined != found)
}

/// What the seat of a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    /// By whom, and until when for sure.
    Held(Key, u64),
    Sold(Key),
}

/// Whether the attempts about one seat have an order in which each takes effect between its call and
/// its answer, and every answer is right. Each takes effect as early as it can: a lease that begins
/// earlier ends earlier, so nothing is gained by waiting.
fn is_explained(left: &[Detail], state: State, now: u64, lease: u64, bought: &[Key]) -> bool {
    let is_done = |one: &Detail| !matches!(one.operation.kind, Ok | Issued | Replay);
    if left.iter().all(is_done) {
        return true;
    }
    (0..left.len()).any(|at| {
        let one = left[at];
        let rest: Vec<Detail> = [&left[..at], &left[at + 1..]].concat();
        let user = one.operation.user;
        let early = now.max(one.operation.inv_ns);
        // As soon as it is not another's.
        let (free, when) = match state {
            State::Held(other, until) if other != user => (true, early.max(until)),
            State::Sold(other) if other != user => (false, early),
            _ => (true, early),
        };
        let next: Vec<(State, u64)> = match (one.operation.step, one.operation.kind) {
            (BUY, Refused | SoldOut) => match state {
                State::Held(own, _) if own == user => vec![(State::Free, early)],
                _ => vec![],
            },
            (BUY, Replay) if bought.contains(&user) => vec![(state, early)],
            (BUY, Issued | Replay) if free => vec![(State::Sold(user), when)],
            (BUY, Unknown | Pending) => {
                let failed = match state {
                    State::Held(own, _) if own == user => Some((State::Free, early)),
                    _ => None,
                };
                let sold = free.then_some((State::Sold(user), when));
                sold.into_iter().chain(failed).collect()
            }
            (HOLD, Replay) => vec![(state, early)],
            (HOLD, Issued | Ok | Unknown | Pending) if free => match state {
                State::Sold(_) => vec![(state, early)],
                // A hold again begins its lease again, or goes on with the one it has.
                State::Held(own, until) if own == user && early < until => {
                    vec![(state, early), (State::Held(user, early + lease), early)]
                }
                _ => vec![(State::Held(user, when + lease), when)],
            },
            (CANCEL, Ok | Unknown | Pending) => match state {
                State::Held(own, _) | State::Sold(own) if own == user => {
                    vec![(State::Free, early), (state, early)]
                }
                _ => vec![(state, early)],
            },
            _ => vec![],
        };
        next.into_iter().any(|(state, when)| {
            let mut bought = bought.to_vec();
            if let State::Sold(user) = state {
                bought.push(user);
            }
            when <= ret(&one) && is_explained(&rest, state, when, lease, &bought)
        })
    })
}

fn of_seat(hall: &Recorded, seat: &str) -> Vec<Detail> {
    let details = hall.details.iter().filter(|one| one.seat == Key::of(seat));
    details.copied().collect()
}

fn clashes_in(finding: &Finding) -> u64 {
    failed(finding, "sold_twice") + failed(finding, "held_twice")
}

#[test]
fn a_weakened_definition_disagrees() {
    for flaw in Flaw::ALL {
        let mut runner = TestRunner::deterministic();
        let noticed = (0..4_000).any(|_| {
            let evening = evening(8)
                .new_tree(&mut runner)
                .expect("an evening")
                .current();
            difference(&evening, flaw).is_some()
        });
        assert!(noticed, "{flaw:?}");
    }
}

#[test]
fn random_evenings_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeSet<(&str, bool)> = BTreeSet::new();
    let mut explained = [0, 0];
    for _ in 0..1_500 {
        let evening = evening(6)
            .new_tree(&mut runner)
            .expect("an evening")
            .current();
        let hall = evening.hall();
        let finding = hall.judge(Invariant::Seats);
        for name in ["sold_twice", "held_twice", "rows_per_seat", "owner", "lost"] {
            seen.insert((name, failed(&finding, name) > 0));
        }
        let lease = if evening.short { 6 } else { LEASE };
        let whole = SEATS
            .iter()
            .all(|seat| is_explained(&of_seat(&hall, seat), State::Free, 0, lease, &[]));
        explained[usize::from(whole)] += 1;
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
    assert!(explained.iter().all(|count| *count > 100), "{explained:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn seats_are_judged_as_they_are_defined(evening in evening(10)) {
        prop_assert_eq!(difference(&evening, Flaw::None), None);
    }

    #[test]
    fn what_some_order_explains_is_no_alarm(evening in evening(6)) {
        let hall = evening.hall();
        let lease = if evening.short { 6 } else { LEASE };
        let explained = SEATS.iter().all(|seat| {
            is_explained(&of_seat(&hall, seat), State::Free, 0, lease, &[])
        });
        if explained {
            let finding = hall.judge(Invariant::Seats);
            prop_assert_eq!(clashes_in(&finding), 0, "{:#?}", finding);
        }
    }

    #[test]
    fn without_holds_and_releases_it_is_exact(evening in evening(8)) {
        let mut hall = evening.hall();
        hall.details.retain(|one| one.operation.step == BUY && one.operation.kind != Replay);
        let explained = SEATS.iter().all(|seat| {
            is_explained(&of_seat(&hall, seat), State::Free, 0, LEASE, &[])
        });
        let finding = hall.judge(Invariant::Seats);
        prop_assert_eq!(clashes_in(&finding) == 0, explained, "{:#?}", finding);
    }
}
