//! A correct seller never fails, one planted defect always does, and small histories are decided
//! as an exhaustive search decides them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Story, change, operation, part};
use crate::check::{Finding, IssuedRead, IssuedRow};
use crate::history::{Key, Operation, OutcomeKind};
use crate::plan::Invariant;
use crate::verdict::Verdict;

/// One attempt at a sale: who asks, how far its interval reaches to both sides of the instant at
/// which it takes effect, and two free choices.
#[derive(Debug, Clone, Copy)]
struct Turn {
    user: u8,
    before: u64,
    after: u64,
    fate: u8,
    answer: u8,
}

fn turn() -> impl Strategy<Value = Turn> {
    (0_u8..8, 0_u64..60, 0_u64..60, 0_u8..12, 0_u8..4).prop_map(
        |(user, before, after, fate, answer)| Turn {
            user,
            before,
            after,
            fate,
            answer,
        },
    )
}

/// A ticket object that works: each turn takes effect at one instant, in order.
struct Seller {
    stock: u64,
    holders: BTreeMap<String, String>,
    story: Story,
    now: u64,
}

impl Seller {
    /// Instants are this far apart, so intervals reach over several of them.
    const STEP: u64 = 10;

    fn with(stock: u64, old: u64) -> Self {
        let old: Vec<String> = (0..old.min(stock))
            .map(|n| format!("old-{n}:o{n}"))
            .collect();
        let rows: Vec<&str> = old.iter().map(String::as_str).collect();
        let holders = rows.iter().filter_map(|row| row.split_once(':'));
        Self {
            stock,
            holders: holders.map(|(u, c)| (u.to_owned(), c.to_owned())).collect(),
            story: Story::of_stock(stock).before(&rows),
            now: 100,
        }
    }

    fn turn(&mut self, turn: Turn) {
        let user = format!("user-{}", turn.user);
        let kind = match turn.fate {
            // These never took effect; 3 and 4 below did, but without a certain answer.
            0 => return self.record(&user, OutcomeKind::NotSent, turn),
            1 => return self.record(&user, OutcomeKind::Unknown, turn),
            2 => return self.record(&user, OutcomeKind::Refused, turn),
            _ => self.attempt(&user, turn),
        };
        let kind = match turn.fate {
            3 => OutcomeKind::Unknown,
            4 => OutcomeKind::Pending,
            _ => kind,
        };
        self.record(&user, kind, turn);
        if turn.fate.is_multiple_of(3) {
            let left = self.stock - self.holders.len() as u64;
            let (from, to) = (self.now - turn.after, self.now + turn.before);
            let story = self.story.clone();
            self.story = story.reading(left as i64, from, to);
        }
    }

    fn attempt(&mut self, user: &str, turn: Turn) -> OutcomeKind {
        let full = self.holders.len() as u64 == self.stock;
        if self.holders.contains_key(user) {
            return match turn.answer {
                0 if full => OutcomeKind::SoldOut,
                1 => OutcomeKind::Replay,
                2 => OutcomeKind::Issued,
                _ => OutcomeKind::Duplicate,
            };
        }
        if full {
            return OutcomeKind::SoldOut;
        }
        let coupon = format!("c{}", self.holders.len());
        self.holders.insert(user.to_owned(), coupon);
        OutcomeKind::Issued
    }

    fn record(&mut self, user: &str, kind: OutcomeKind, turn: Turn) {
        self.now += Self::STEP;
        let (inv, ret) = (self.now - turn.before, self.now + turn.after);
        let mut operation = operation(user, kind, inv, ret);
        if kind.is_acknowledged() {
            let coupon = self.holders.get(user);
            operation.coupon = coupon.map_or(Key::NONE, |coupon| Key::of(coupon));
        }
        self.story.history.push(operation);
    }

    /// Fresh users ask until the first is told that it is sold out; then everything is read.
    fn close(mut self) -> Story {
        for fresh in 100.. {
            let turn = Turn {
                user: fresh,
                before: 5,
                after: 5,
                fate: 11,
                answer: 3,
            };
            self.turn(turn);
            let last = self.story.history.last().map(|one| one.kind);
            if last == Some(OutcomeKind::SoldOut) {
                break;
            }
        }
        let rows = self.holders.iter().map(|(u, c)| format!("{u}:{c}"));
        let rows: Vec<String> = rows.collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let mut story = self.story.finally(&rows).later(&rows);
        story.observations.remaining_last = Some(0);
        story.observations.stock = Some(self.stock as i64);
        story
    }
}

pub(super) fn sale() -> impl Strategy<Value = Story> {
    let turns = prop::collection::vec(turn(), 0..30);
    (1_u64..8, 0_u64..3, turns).prop_map(|(stock, old, turns)| {
        let mut seller = Seller::with(stock, old);
        for turn in turns {
            seller.turn(turn);
        }
        seller.close()
    })
}

/// A sale in which at least one coupon was confirmed to somebody new.
pub(super) fn sale_with_issue() -> impl Strategy<Value = Story> {
    sale().prop_filter("somebody was issued one", |story| {
        confirmed(story).is_some()
    })
}

pub(super) fn confirmed(story: &Story) -> Option<Operation> {
    let mut history = story.history.iter();
    history.find(|one| one.kind == OutcomeKind::Issued).copied()
}

/// Exactly one thing that is wrong, and the part that has to see it.
#[derive(Debug, Clone, Copy)]
enum Defect {
    LostRow,
    SecondRow,
    RowOfNobody,
    RowOfRefused,
    EarlySoldOut,
    GhostDuplicate,
    SharedId,
    SecondId,
    TakenBack,
    HighReading,
    Leak,
    SwappedOwner,
    ShiftedSoldOut,
}

impl Defect {
    const ALL: [(Self, Invariant, &'static [&'static str]); 15] = [
        (Self::LostRow, Invariant::Acknowledged, &["lost"]),
        (Self::LostRow, Invariant::Stock, &["unsold", "ledger"]),
        (Self::SecondRow, Invariant::OnePerUser, &["rows_per_user"]),
        (Self::RowOfNobody, Invariant::Acknowledged, &["phantom"]),
        (Self::RowOfNobody, Invariant::Stock, &["oversold"]),
        (
            Self::RowOfRefused,
            Invariant::Acknowledged,
            &["refused_but_issued"],
        ),
        (
            Self::EarlySoldOut,
            Invariant::Stock,
            &["premature_sold_out"],
        ),
        (
            Self::GhostDuplicate,
            Invariant::Acknowledged,
            &["ghost_duplicate"],
        ),
        (Self::SharedId, Invariant::OnePerUser, &["ids_shared"]),
        (Self::SecondId, Invariant::OnePerUser, &["ids_per_user"]),
        (Self::TakenBack, Invariant::Acknowledged, &["vanished"]),
        (Self::HighReading, Invariant::Stock, &["readings"]),
        (Self::Leak, Invariant::Stock, &["ledger"]),
        (
            Self::SwappedOwner,
            Invariant::Acknowledged,
            &["lost", "phantom"],
        ),
        (
            Self::ShiftedSoldOut,
            Invariant::Stock,
            &["premature_sold_out"],
        ),
    ];

    fn plant(self, mut story: Story) -> Story {
        let victim = confirmed(&story).expect("filtered");
        let is_victim = |user: &str| Key::of(user) == victim.user;
        let (reads, stock) = (&mut story.observations, story.plan.subject.clone());
        let stock = stock.map_or(0, |subject| subject.stock as i64);
        match self {
            Self::LostRow => in_each(reads.last.iter_mut().chain(&mut reads.second), |read| {
                change(read, |rows| rows.retain(|row| !is_victim(&row.user)));
            }),
            Self::TakenBack => in_each(reads.second.iter_mut(), |read| {
                change(read, |rows| rows.retain(|row| !is_victim(&row.user)));
            }),
            Self::SecondRow => in_each(reads.last.iter_mut(), |read| {
                change(read, |rows| {
                    let same = rows.iter().find(|row| is_victim(&row.user)).cloned();
                    rows.extend(same);
                });
            }),
            Self::RowOfNobody => in_each(reads.last.iter_mut(), |all| {
                change(all, |rows| rows.push(row("nobody", "n")));
            }),
            Self::RowOfRefused => {
                in_each(reads.last.iter_mut(), |all| {
                    change(all, |rows| rows.push(row("late", "n")));
                });
                return story.told("late", OutcomeKind::SoldOut, 900, 901);
            }
            Self::EarlySoldOut => return story.told("early", OutcomeKind::SoldOut, 0, 1),
            Self::GhostDuplicate => return story.told("ghost", OutcomeKind::Duplicate, 1, 2),
            Self::SharedId => {
                let mut other = operation("other", OutcomeKind::Issued, 1, 2);
                other.coupon = victim.coupon;
                story.history.push(other);
            }
            Self::SecondId => {
                let coupon = Key::of("another");
                story.history.push(Operation { coupon, ..victim });
            }
            Self::HighReading => return story.reading(stock + 1, 1, 2),
            Self::Leak => reads.remaining_last = Some(-1),
            Self::SwappedOwner => in_each(reads.last.iter_mut().chain(&mut reads.second), |read| {
                change(read, |rows| {
                    let of_victim = rows.iter_mut().filter(|row| is_victim(&row.user));
                    of_victim.for_each(|row| row.user = "thief".to_owned());
                });
            }),
            Self::ShiftedSoldOut => {
                let mut told = story.history.iter_mut();
                let told = told.find(|one| one.kind == OutcomeKind::SoldOut);
                let told = told.expect("it ran out");
                (told.inv_ns, told.ret_ns) = (0, 1);
            }
        }
        story
    }
}

fn row(user: &str, id: &str) -> IssuedRow {
    IssuedRow {
        user: user.to_owned(),
        id: Some(id.to_owned()),
        created_us: None,
        grain_us: None,
    }
}

fn in_each<'r>(reads: impl Iterator<Item = &'r mut IssuedRead>, change: impl Fn(&mut IssuedRead)) {
    reads.for_each(change);
}

/// Whether any order of effects that respects the intervals explains the answers and the rows:
/// tried one by one. The seller may repeat a confirmation, and refuse anybody once it is full.
struct Search<'h> {
    operations: &'h [Operation],
    stock: usize,
    rows: &'h BTreeSet<Key>,
}

impl Search<'_> {
    fn explains(&self, left: &[usize], holders: &BTreeSet<Key>) -> bool {
        let certain = |index: &usize| !self.operations[*index].kind.may_have_happened();
        if holders == self.rows && !left.iter().any(certain) {
            return true;
        }
        let first_ret = left
            .iter()
            .filter(|index| certain(index))
            .map(|index| self.operations[*index].ret_ns)
            .min();
        let next = left.iter().filter(|index| {
            let inv = self.operations[**index].inv_ns;
            first_ret.is_none_or(|ret| inv <= ret)
        });
        next.copied().any(|index| {
            let rest: Vec<usize> = left.iter().copied().filter(|one| *one != index).collect();
            self.after(index, holders)
                .is_some_and(|holders| self.explains(&rest, &holders))
        })
    }

    /// Who holds one after this attempt took effect; `None`: it cannot, now.
    fn after(&self, index: usize, holders: &BTreeSet<Key>) -> Option<BTreeSet<Key>> {
        let operation = &self.operations[index];
        let full = holders.len() >= self.stock;
        let mut after = holders.clone();
        match operation.kind {
            OutcomeKind::SoldOut => full.then_some(after),
            _ if holders.contains(&operation.user) => Some(after),
            _ if full => None,
            _ => {
                after.insert(operation.user);
                Some(after)
            }
        }
    }
}

fn fails(finding: &Finding, name: &str) -> bool {
    let mut parts = finding.parts.iter();
    parts.any(|part| part.name == name && part.verdict == Verdict::Fail)
}

/// User, invocation, length, kind, and whether the row is there if there is no certain answer.
type Small = (u8, u64, u64, u8, bool);

/// Up to six attempts and a stock.
fn small() -> impl Strategy<Value = (Vec<Small>, usize)> {
    let attempt = (0_u8..4, 0_u64..8, 0_u64..6, 0_u8..4, any::<bool>());
    (prop::collection::vec(attempt, 1..=6), 1_usize..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_correct_seller_never_fails(story in sale()) {
        for finding in story.findings() {
            prop_assert_ne!(finding.verdict, Verdict::Fail, "{:#?}", finding);
            if confirmed(&story).is_some() {
                prop_assert_eq!(finding.verdict, Verdict::Pass, "{:#?}", finding);
            }
        }
    }

    #[test]
    fn one_planted_defect_is_found(story in sale_with_issue(), which in 0..Defect::ALL.len()) {
        let (defect, invariant, names) = Defect::ALL[which];
        let finding = defect.plant(story).finding(invariant);
        for name in names {
            prop_assert_eq!(part(&finding, name).verdict, Verdict::Fail, "{:#?}", &finding);
        }
        prop_assert_eq!(finding.verdict, Verdict::Fail);
    }

    #[test]
    fn small_histories_are_decided_as_by_exhaustive_search((attempts, stock) in small()) {
        let mut story = Story::of_stock(stock as u64);
        let mut rows = BTreeSet::new();
        for (user, inv, length, kind, row) in attempts {
            let kind = match kind {
                0 => OutcomeKind::Issued,
                1 => OutcomeKind::Unknown,
                _ => OutcomeKind::SoldOut,
            };
            let held = kind == OutcomeKind::Issued || kind == OutcomeKind::Unknown && row;
            let name = user.to_string();
            if held {
                rows.insert(name.clone());
            }
            story = story.told(&name, kind, inv, inv + length);
        }
        let texts: Vec<&str> = rows.iter().map(String::as_str).collect();
        let story = story.finally(&texts);
        let finding = story.finding(Invariant::Stock);
        let failed = ["oversold", "unsold", "premature_sold_out"]
            .iter()
            .any(|name| fails(&finding, name));
        let rows: BTreeSet<Key> = rows.iter().map(|user| Key::of(user)).collect();
        let search = Search { operations: &story.history, stock, rows: &rows };
        let all: Vec<usize> = (0..story.history.len()).collect();
        let explained = search.explains(&all, &BTreeSet::new());
        prop_assert_eq!(failed, !explained, "{:#?}", finding);
    }
}
