//! Sales in which coupons come back, at random: what some order explains is never accused, and a seller
//! that is wrong always is.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::releases::{CANCEL, order, release, sale_of};
use super::{Story, operation, part, verdict_of};
use crate::history::OutcomeKind::{self, Duplicate, Issued, Ok, Pending, Replay, SoldOut, Unknown};
use crate::history::{Key, Operation};
use crate::verdict::Verdict;

// --- exhaustive search ---

/// A ticket object that takes back, as its text says.
struct Search<'h> {
    operations: &'h [Operation],
    stock: usize,
}

/// Who holds one, and who has given one back at some time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    holders: BTreeSet<Key>,
    gave_back: BTreeSet<Key>,
}

impl Search<'_> {
    /// Everybody who may hold one in the end, for each order of effects, each within its closed
    /// interval, that explains all certain answers.
    fn ends(&self, left: &[usize], state: &State, found: &mut BTreeSet<BTreeSet<Key>>) {
        let is_certain = |index: &&usize| !self.operations[**index].kind.may_have_happened();
        let certain = left.iter().filter(is_certain);
        let first_ret = certain.map(|index| self.operations[*index].ret_ns).min();
        if first_ret.is_none() {
            found.insert(state.holders.clone());
        }
        for index in left {
            let operation = &self.operations[*index];
            if first_ret.is_some_and(|ret_ns| operation.inv_ns > ret_ns) {
                continue;
            }
            let rest: Vec<usize> = left.iter().copied().filter(|one| one != index).collect();
            if let Some(after) = self.after(operation, state) {
                self.ends(&rest, &after, found);
            }
        }
    }

    fn after(&self, operation: &Operation, state: &State) -> Option<State> {
        let user = operation.user;
        let holds = state.holders.contains(&user);
        let full = state.holders.len() >= self.stock;
        let mut after = state.clone();
        let possible = if operation.step == CANCEL {
            let again = state.gave_back.contains(&user);
            after.holders.remove(&user);
            if holds {
                after.gave_back.insert(user);
            }
            // To who has given it back already it is the same answer again.
            holds || again
        } else {
            match operation.kind {
                SoldOut => full,
                Duplicate | Replay => holds,
                Issued | Pending | Unknown => {
                    if !holds && !full {
                        after.holders.insert(user);
                    }
                    holds || !full
                }
                _ => true,
            }
        };
        possible.then_some(after)
    }
}

/// One of few users, when, how long, and what: of these answers, or a release.
type Small = (u8, u64, u64, usize);

const ANSWERS: [(OutcomeKind, bool); 14] = [
    (Issued, false),
    (Issued, false),
    (Issued, false),
    (Issued, false),
    (SoldOut, false),
    (SoldOut, false),
    (Unknown, false),
    (Pending, false),
    (Duplicate, false),
    (Replay, false),
    (Ok, true),
    (Ok, true),
    (Ok, true),
    (Unknown, true),
];

#[derive(Debug, Clone)]
struct Case {
    attempts: Vec<Small>,
    stock: u64,
    before: Option<u8>,
    /// Which of the possible ends is read.
    end: usize,
}

fn case() -> impl Strategy<Value = Case> {
    let attempt = (0_u8..3, 0_u64..10, 0_u64..5, 0..ANSWERS.len());
    let attempts = prop::collection::vec(attempt, 1..=6);
    let before = prop::option::weighted(0.2, 0_u8..3);
    (attempts, 1_u64..3, before, 0_usize..8).prop_map(|(attempts, stock, before, end)| Case {
        attempts,
        stock,
        before,
        end,
    })
}

impl Case {
    /// The history, and the rows of one order that explains it; `None`: there is no such order.
    fn explained(&self) -> Option<Story> {
        let mut story = sale_of(self.stock);
        for (user, inv, length, answer) in &self.attempts {
            let (kind, releases) = ANSWERS[*answer];
            let user = user.to_string();
            let one = if releases {
                release(&story, &user, kind, *inv, inv + length)
            } else {
                operation(&user, kind, *inv, inv + length)
            };
            story.history.push(one);
        }
        let before: Vec<String> = self.before.iter().map(u8::to_string).collect();
        let texts: Vec<&str> = before.iter().map(String::as_str).collect();
        let story = story.before(&texts);
        let search = Search {
            operations: &story.history,
            stock: self.stock as usize,
        };
        let state = State {
            holders: before.iter().map(|user| Key::of(user)).collect(),
            gave_back: BTreeSet::new(),
        };
        let mut ends = BTreeSet::new();
        let all: Vec<usize> = (0..self.attempts.len()).collect();
        search.ends(&all, &state, &mut ends);
        let end = ends.iter().nth(self.end % ends.len().max(1))?;
        let rows: Vec<String> = end.iter().map(|user| user.0.to_string()).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        Some(story.finally(&rows).later(&rows))
    }
}

/// The parts that accuse somebody.
fn accused(story: &Story) -> Vec<String> {
    let findings = story.findings();
    let parts = findings.iter().flat_map(|finding| {
        let wrong = finding
            .parts
            .iter()
            .filter(|part| part.verdict == Verdict::Fail);
        wrong.map(|part| format!("{}.{}: {}", finding.checker, part.name, part.detail))
    });
    parts.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 1_000_000, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn what_some_order_explains_is_never_accused(drawn in case()) {
        let Some(story) = drawn.explained() else { return Err(TestCaseError::reject("no order")) };
        prop_assert_eq!(accused(&story), Vec::<String>::new());
    }
}

/// The checker made blind to something on purpose.
type Blind = fn(&mut Story);

const WEAKENED: [(&str, Blind); 5] = [
    ("answers that got lost", |story| {
        story
            .history
            .retain(|one| one.kind != Unknown || one.step == CANCEL);
    }),
    ("releases without an answer", |story| {
        story
            .history
            .retain(|one| one.kind != Unknown || one.step != CANCEL);
    }),
    ("releases", |story| {
        story.history.retain(|one| one.step != CANCEL);
    }),
    ("the end of an interval", |story| {
        for one in &mut story.history {
            one.ret_ns = one.inv_ns.max(one.ret_ns.saturating_sub(1));
        }
    }),
    ("rows of before", |story| {
        story.observations.baseline = Some(crate::check::IssuedRead::default());
    }),
];

#[test]
fn a_weakened_checker_accuses_what_some_order_explains() {
    for (words, weaken) in WEAKENED {
        let mut runner = TestRunner::deterministic();
        let found = (0..20_000).any(|_| {
            let drawn = case().new_tree(&mut runner).expect("a case").current();
            drawn.explained().is_some_and(|mut story| {
                weaken(&mut story);
                order(&story).verdict == Verdict::Fail
            })
        });
        assert!(
            found,
            "nobody would notice a checker that does not see {words}"
        );
    }
}

// --- a seller that works, and one that does not ---

/// Who, how far the interval reaches to both sides of the effect, and what is wanted.
type Turn = (u8, u64, u64, u8);

/// A seller that takes back: each turn takes effect at one instant.
struct Seller {
    stock: usize,
    lease_ns: Option<u64>,
    /// By user, since when.
    holders: BTreeMap<u8, u64>,
    story: Story,
    now: u64,
}

impl Seller {
    fn new(stock: u64, lease_ns: Option<u64>) -> Self {
        let story = sale_of(stock);
        Self {
            stock: stock as usize,
            lease_ns,
            holders: BTreeMap::new(),
            story: match lease_ns {
                Some(lease_ns) => story.lease(lease_ns),
                None => story,
            },
            now: 100,
        }
    }

    fn turn(&mut self, (user, before, after, wish): Turn) {
        self.now += 10;
        if let Some(lease_ns) = self.lease_ns.filter(|_| wish.is_multiple_of(2)) {
            let now = self.now;
            self.holders.retain(|_, since| *since + lease_ns > now);
        }
        let full = self.holders.len() >= self.stock;
        let holds = self.holders.contains_key(&user);
        let kind = match wish {
            0..3 if holds => {
                self.holders.remove(&user);
                if wish == 0 { Unknown } else { Ok }
            }
            0..3 => return,
            _ if holds => Duplicate,
            _ if full => SoldOut,
            _ => {
                self.holders.insert(user, self.now);
                if wish == 3 { Unknown } else { Issued }
            }
        };
        let (inv, ret) = (self.now - before, self.now + after);
        let one = if wish < 3 {
            release(&self.story, &user.to_string(), kind, inv, ret)
        } else {
            operation(&user.to_string(), kind, inv, ret)
        };
        self.story.history.push(one);
        let (left, at) = (self.stock - self.holders.len(), self.now);
        let story = self.story.clone();
        self.story = story.reading(left as i64, at - before.min(3), at + after.min(3));
    }

    fn close(self) -> Story {
        let rows: Vec<String> = self.holders.keys().map(u8::to_string).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let mut story = self.story.finally(&rows).later(&rows);
        story.observations.remaining_last = Some((self.stock - rows.len()) as i64);
        story
    }
}

fn sold(stock: u64, lease_ns: Option<u64>, turns: &[Turn]) -> Story {
    let mut seller = Seller::new(stock, lease_ns);
    for turn in turns {
        seller.turn(*turn);
    }
    seller.close()
}

fn turns(reach: u64, wishes: std::ops::Range<u8>) -> impl Strategy<Value = Vec<Turn>> {
    prop::collection::vec((0_u8..9, 0..=reach, 0..=reach, wishes), 1..40)
}

/// Turns of who asks and gives back one after the other, each with a certain answer.
fn in_turn() -> impl Strategy<Value = Vec<Turn>> {
    turns(4, 1..9).prop_map(|mut turns| {
        for turn in &mut turns {
            turn.3 = if turn.3 < 4 { 1 } else { 4 };
        }
        turns
    })
}

/// A history in which nothing overlaps, up to an answer that is turned into its opposite: which part
/// has to see it.
fn mutated(story: &Story, draw: usize) -> Option<(&'static str, Story)> {
    let turned = |one: &Operation| match (one.step, one.kind) {
        (CANCEL, _) => None,
        (_, Issued) => Some((SoldOut, "sold_out_while_left")),
        (_, SoldOut) => Some((Issued, "issued_while_out")),
        _ => None,
    };
    let places = story.history.iter().enumerate();
    let places: Vec<_> = places
        .filter_map(|(at, one)| Some((at, turned(one)?)))
        .collect();
    let (at, (kind, name)) = *places.get(draw % places.len().max(1))?;
    let mut story = story.clone();
    story.history.truncate(at + 1);
    story.history[at].kind = kind;
    // The answers alone have to prove it.
    story.observations.last = None;
    story.observations.second = None;
    Some((name, story))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_seller_that_takes_back_is_never_accused(
        stock in 1_u64..5,
        lease_ns in prop::option::of(20_u64..80),
        turns in turns(60, 0..9),
    ) {
        let story = sold(stock, lease_ns, &turns);
        prop_assert_eq!(accused(&story), Vec::<String>::new());
    }

    #[test]
    fn a_wrong_answer_among_others_that_do_not_overlap_is_always_found(
        stock in 1_u64..5,
        turns in in_turn(),
        draw in any::<usize>(),
    ) {
        let story = sold(stock, None, &turns);
        prop_assert_eq!(accused(&story), Vec::<String>::new());
        if let Some((name, wrong)) = mutated(&story, draw) {
            let finding = order(&wrong);
            prop_assert_eq!(verdict_of(&finding, name), (Verdict::Fail, 1), "{:#?}", finding);
        }
    }

    /// As a cancel whose stock came back twice, or without anybody having asked for it.
    #[test]
    fn a_coupon_that_came_back_without_a_request_is_found_when_it_is_given_again(
        stock in 1_u64..4,
        turns in in_turn(),
    ) {
        let story = sold(stock, None, &turns);
        let mut silent = story.clone();
        silent.history.retain(|one| one.step != CANCEL);
        silent.observations.last = None;
        silent.observations.second = None;
        let issued = silent.history.iter().filter(|one| one.kind == Issued);
        let users: BTreeSet<Key> = issued.map(|one| one.user).collect();
        let finding = order(&silent);
        // Who got one twice may have been told so twice; only different users are surely too many.
        if users.len() > stock as usize {
            prop_assert_eq!(part(&finding, "issued_while_out").verdict, Verdict::Fail);
        }
    }
}
