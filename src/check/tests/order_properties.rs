//! First come, first served, is decided as an exhaustive search decides it; a checker that is blind
//! to anything does not agree with the search; and no mutation of a good sale gets through.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::properties::{confirmed, sale_with_issue};
use super::{Story, change, part};
use crate::check::asked::Attempt;
use crate::check::digest::Winner;
use crate::check::inversions::Inversions;
use crate::history::OutcomeKind::{Duplicate, Issued, Pending, Refused, Replay, SoldOut, Unknown};
use crate::history::{Key, Operation, OutcomeKind};
use crate::plan::{Duplicates, Invariant};
use crate::verdict::Verdict;

/// A ticket object as its text says: nothing of the conditions that the checker uses.
struct Search<'h> {
    operations: &'h [Operation],
    stock: usize,
    rows: &'h BTreeSet<Key>,
    duplicates: Duplicates,
}

impl Search<'_> {
    /// Whether some order of effects, each within its closed interval, explains all certain
    /// answers and leaves exactly the rows. What has no certain answer may take effect at any time
    /// after it was asked for, or never.
    fn explains(&self, left: &[usize], holders: &BTreeSet<Key>) -> bool {
        let is_certain = |index: &&usize| !self.operations[**index].kind.may_have_happened();
        if holders == self.rows && !left.iter().any(|index| is_certain(&index)) {
            return true;
        }
        let certain = left.iter().filter(is_certain);
        let first_ret = certain.map(|index| self.operations[*index].ret_ns).min();
        let mut next = left.iter().copied().filter(|index| {
            first_ret.is_none_or(|ret_ns| self.operations[*index].inv_ns <= ret_ns)
        });
        next.any(|index| {
            let rest: Vec<usize> = left.iter().copied().filter(|one| *one != index).collect();
            let after = self.after(&self.operations[index], holders);
            after.is_some_and(|holders| self.explains(&rest, &holders))
        })
    }

    /// Who holds one afterwards; `None`: that answer cannot be given now.
    fn after(&self, operation: &Operation, holders: &BTreeSet<Key>) -> Option<BTreeSet<Key>> {
        let holds = holders.contains(&operation.user);
        let full = holders.len() >= self.stock;
        let mut after = holders.clone();
        let possible = match operation.kind {
            SoldOut => full && !(holds && self.duplicates == Duplicates::First),
            Duplicate | Replay => holds,
            Issued | Pending | Unknown => {
                let takes = !holds && !full;
                if takes {
                    after.insert(operation.user);
                }
                // To a holder it is the same confirmation again.
                takes || holds
            }
            _ => true,
        };
        possible.then_some(after)
    }
}

/// One of few users, when, how long, and the answer.
type Small = (u8, u64, u64, usize);

const ANSWERS: [OutcomeKind; 12] = [
    Issued, Issued, Issued, Unknown, Unknown, Pending, SoldOut, SoldOut, Duplicate, Duplicate,
    Replay, Refused,
];

/// A small history with any rows, and how the system answers.
#[derive(Debug, Clone)]
struct Case {
    attempts: Vec<Small>,
    /// Beyond the rows of before.
    stock: u64,
    /// Whose row was there before the load, if any.
    before: Option<u8>,
    /// Whether the row of a user is there: three in four are as the answers say.
    rows: Vec<u8>,
    duplicates: Duplicates,
}

const USERS: u8 = 4;

fn case() -> impl Strategy<Value = Case> {
    let attempt = (0..USERS, 0_u64..8, 0_u64..6, 0..ANSWERS.len());
    let attempts = prop::collection::vec(attempt, 1..=6);
    let before = prop::option::weighted(0.2, 0..USERS);
    let rows = prop::collection::vec(0_u8..8, usize::from(USERS));
    let duplicates = prop_oneof![Just(Duplicates::Any), Just(Duplicates::First)];
    (attempts, 0_u64..4, before, rows, duplicates).prop_map(
        |(attempts, stock, before, rows, duplicates)| Case {
            attempts,
            stock,
            before,
            rows,
            duplicates,
        },
    )
}

impl Case {
    fn stock(&self) -> u64 {
        self.stock + u64::from(self.before.is_some())
    }

    fn story(&self) -> Story {
        let before: Vec<String> = self.before.iter().map(u8::to_string).collect();
        let rows: Vec<String> = (0..USERS)
            .filter(|user| self.holds(*user))
            .map(|user| user.to_string())
            .collect();
        let texts = |users: &[String]| -> Vec<&'static str> {
            let known = ["0", "1", "2", "3"];
            let is_there = |name: &&&str| users.iter().any(|user| user == **name);
            known.iter().filter(is_there).copied().collect()
        };
        let story = Story::of_stock(self.stock()).before(&texts(&before));
        let attempts = self.attempts.iter();
        let story = attempts.fold(story, |story, (user, inv, length, answer)| {
            story.told(&user.to_string(), ANSWERS[*answer], *inv, inv + length)
        });
        story.finally(&texts(&rows))
    }

    /// Mostly as the answers say, since histories that contradict their rows are easy.
    fn holds(&self, user: u8) -> bool {
        let told = |kinds: &[OutcomeKind]| {
            let mut attempts = self.attempts.iter();
            attempts.any(|(of, _, _, answer)| *of == user && kinds.contains(&ANSWERS[*answer]))
        };
        let chance = self.rows[usize::from(user)];
        let expected = told(&[Issued]) || told(&[Unknown, Pending]) && chance.is_multiple_of(2);
        // Whoever held one before holds it still: coupons do not come back.
        self.before == Some(user) || (expected != (chance == 7))
    }

    fn explained(&self, story: &Story) -> bool {
        let keys = |users: &mut dyn Iterator<Item = u8>| -> BTreeSet<Key> {
            users.map(|user| Key::of(&user.to_string())).collect()
        };
        let rows = keys(&mut (0..USERS).filter(|user| self.holds(*user)));
        let search = Search {
            operations: &story.history,
            stock: self.stock() as usize,
            rows: &rows,
            duplicates: self.duplicates,
        };
        let all: Vec<usize> = (0..story.history.len()).collect();
        search.explains(&all, &keys(&mut self.before.into_iter()))
    }
}

/// Anything that says whether a story is refuted.
type Refutes = fn(&Story, Duplicates) -> bool;

fn refutes(story: &Story, duplicates: Duplicates) -> bool {
    let finding = story.finding(Invariant::FirstComeFirstServed(duplicates));
    finding.verdict == Verdict::Fail
}

fn agree(refutes: Refutes, case: &Case) -> bool {
    let story = case.story();
    let explained = case.explained(&story);
    refutes(&story, case.duplicates) != explained
}

/// The checker, made blind to something on purpose.
const WEAKENED: [(&str, Refutes); 8] = [
    ("it never looks at sold-out answers", |story, duplicates| {
        refutes(&without(story, |one| one.kind == SoldOut), duplicates)
    }),
    ("it never looks at duplicates", |story, duplicates| {
        refutes(&without(story, |one| one.kind == Duplicate), duplicates)
    }),
    ("it never looks at replays", |story, duplicates| {
        refutes(&without(story, |one| one.kind == Replay), duplicates)
    }),
    (
        "it takes a lost answer for a refusal",
        |story, duplicates| refutes(&without(story, |one| one.kind == Unknown), duplicates),
    ),
    ("it takes equal times for an order", |story, duplicates| {
        refutes(
            &shifted(story, |one| one.ret_ns = one.ret_ns.saturating_sub(1)),
            duplicates,
        )
    }),
    (
        "it takes times one apart for concurrent",
        |story, duplicates| refutes(&shifted(story, |one| one.ret_ns += 1), duplicates),
    ),
    ("it never asks who holds one first", |story, _| {
        refutes(story, Duplicates::Any)
    }),
    ("it looks only at the order", |story, duplicates| {
        let finding = story.finding(Invariant::FirstComeFirstServed(duplicates));
        part(&finding, "order").verdict == Verdict::Fail
    }),
];

fn without(story: &Story, is_out: fn(&Operation) -> bool) -> Story {
    let mut story = story.clone();
    story.history.retain(|one| !is_out(one));
    story
}

fn shifted(story: &Story, shift: fn(&mut Operation)) -> Story {
    let mut story = story.clone();
    story.history.iter_mut().for_each(shift);
    story
}

#[test]
fn a_weakened_checker_does_not_agree_with_the_search() {
    for (words, weakened) in WEAKENED {
        let mut runner = TestRunner::deterministic();
        let found = (0..4_000).any(|_| {
            let drawn = case().new_tree(&mut runner).expect("a case").current();
            !agree(weakened, &drawn)
        });
        assert!(found, "nobody would notice that {words}");
    }
}

/// A winner's asking and a refusal's end, on a short line so that many are equal.
fn crowd() -> impl Strategy<Value = (Vec<u64>, Vec<u64>)> {
    let times = || prop::collection::vec(0_u64..12, 0..9);
    (times(), times())
}

fn counted(winners: &[u64], refusals: &[u64]) -> Inversions {
    let winner = |(user, since_ns): (usize, &u64)| Winner {
        since_ns: *since_ns,
        user: Key(user as u64),
    };
    let mut inversions = Inversions::among(winners.iter().enumerate().map(winner).collect());
    for (user, ret_ns) in refusals.iter().enumerate() {
        let attempt = Attempt {
            inv_ns: 0,
            over_ns: *ret_ns,
            phase: 0,
            kind: SoldOut,
        };
        inversions.take(Key(100 + user as u64), attempt);
    }
    inversions
}

/// What can be done to a good sale.
#[derive(Debug, Clone, Copy)]
enum Mutation {
    /// Nothing of what the winner did was kept.
    DropAcknowledgement,
    /// The winner and the refused user change places.
    SwapAnswers,
    /// The row is there again, for somebody else.
    DuplicateRow,
    /// The confirmation is there again, for somebody else.
    DuplicateConfirmation,
    /// The refusal is complete before anybody asked.
    ShiftRefusal,
    /// The winner asked long after the refusal.
    ShiftWinner,
    /// The winner is told to hold one before the winner asked.
    ShiftDuplicate,
}

impl Mutation {
    const ALL: [(Self, &'static str); 7] = [
        (Self::DropAcknowledgement, "explained"),
        (Self::SwapAnswers, "explained"),
        (Self::DuplicateRow, "explained"),
        (Self::DuplicateConfirmation, "explained"),
        (Self::ShiftRefusal, "order"),
        (Self::ShiftWinner, "order"),
        (Self::ShiftDuplicate, "early_duplicate"),
    ];

    fn of(self, mut story: Story) -> Story {
        let winner = confirmed(&story).expect("filtered");
        let refusal = |one: &Operation| one.kind == SoldOut && one.user != winner.user;
        let last = story.history.iter().rposition(refusal).expect("it ran out");
        let refused = story.history[last].user;
        let of_winner = |one: &&mut Operation| one.user == winner.user;
        match self {
            Self::DropAcknowledgement => story.history.retain(|one| one.user != winner.user),
            Self::SwapAnswers => {
                for one in &mut story.history {
                    if one.user == winner.user {
                        one.user = refused;
                    } else if one.user == refused {
                        one.user = winner.user;
                    }
                }
            }
            Self::DuplicateRow => {
                let read = story.observations.last.as_mut().expect("read");
                change(read, |rows| {
                    let mut again = rows[0].clone();
                    again.user = "nobody".to_owned();
                    rows.push(again);
                });
            }
            Self::DuplicateConfirmation => {
                let user = Key::of("nobody");
                story.history.push(Operation { user, ..winner });
            }
            Self::ShiftRefusal => {
                let one = &mut story.history[last];
                (one.inv_ns, one.ret_ns) = (0, 1);
            }
            Self::ShiftWinner => {
                for one in story.history.iter_mut().filter(of_winner) {
                    one.inv_ns += 1_000_000;
                    one.ret_ns += 1_000_000;
                }
            }
            Self::ShiftDuplicate => {
                story.history.push(Operation {
                    inv_ns: 0,
                    ret_ns: 1,
                    kind: Duplicate,
                    ..winner
                });
            }
        }
        story
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn small_histories_are_decided_as_by_exhaustive_search(drawn in case()) {
        let story = drawn.story();
        let finding = story.finding(Invariant::FirstComeFirstServed(drawn.duplicates));
        let explained = drawn.explained(&story);
        prop_assert_eq!(finding.verdict != Verdict::Fail, explained, "{:#?}", finding);
        prop_assert!(agree(refutes, &drawn));
    }

    #[test]
    fn inversions_are_counted_as_by_all_pairs((winners, refusals) in crowd()) {
        let inversions = counted(&winners, &refusals);
        let pairs: Vec<(u64, u64)> = refusals
            .iter()
            .flat_map(|ret| winners.iter().map(|asked| (*ret, *asked)))
            .filter(|(ret, asked)| ret < asked)
            .collect();
        prop_assert_eq!(inversions.pairs, pairs.len() as u64);
        let widest = inversions.widest().map(|(_, refusal, winner)| winner.since_ns - refusal.ret_ns());
        prop_assert_eq!(widest, pairs.iter().map(|(ret, asked)| asked - ret).max());
        let is_victim = |ret: &&u64| winners.iter().any(|asked| *ret < asked);
        let victims = refusals.iter().filter(is_victim).count() as u64;
        prop_assert_eq!(inversions.victims.count, victims);
        let gains = |asked: &&u64| refusals.iter().any(|ret| ret < *asked);
        let beneficiaries = winners.iter().filter(gains).count() as u64;
        prop_assert_eq!(inversions.beneficiaries().count, beneficiaries);
        let wrong_at = |at: u64| {
            let late = winners.iter().filter(|asked| **asked > at).count();
            late + refusals.iter().filter(|ret| **ret < at).count()
        };
        let least = (0..13).map(wrong_at).min().unwrap_or(0);
        prop_assert_eq!(inversions.severity(), least as u64);
    }

    #[test]
    fn no_mutation_of_a_good_sale_gets_through(
        story in sale_with_issue(),
        which in 0..Mutation::ALL.len(),
    ) {
        let (mutation, name) = Mutation::ALL[which];
        let before = story.finding(Invariant::FirstComeFirstServed(Duplicates::Any));
        prop_assert_eq!(before.verdict, Verdict::Pass, "{:#?}", before);
        let after = mutation.of(story);
        let finding = after.finding(Invariant::FirstComeFirstServed(Duplicates::Any));
        prop_assert_eq!(part(&finding, name).verdict, Verdict::Fail, "{:#?}", finding);
    }
}
