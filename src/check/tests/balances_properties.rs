//! `balances` on random small ledgers against its definition, word for word and in quadratic time. A
//! definition that is weakened on purpose must disagree.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::balances::{PAY, bank, charge};
use super::recorded::{Recorded, both, table};
use crate::check::Finding;
use crate::history::OutcomeKind::{
    self, Duplicate, Error, Issued, NotSent, Pending, Refused, Replay, Unknown,
};
use crate::history::{Detail, Key};
use crate::plan::Invariant;
use crate::verdict::Verdict;

const KINDS: [OutcomeKind; 10] = [
    Issued, Issued, Issued, Issued, Replay, Unknown, Pending, Refused, Duplicate, NotSent,
];

/// An entry: key, account and hundredths.
type Entry = (Option<usize>, usize, i64);

/// A day of few accounts and few keys, in which anything may be wrong.
#[derive(Debug, Clone)]
struct Day {
    /// Key, kind and time; a key belongs to one account and one amount, unless `other` says otherwise.
    asked: Vec<(usize, usize, u64)>,
    before: Vec<Entry>,
    /// Besides what was confirmed, of which so many are missing.
    odd: Vec<Entry>,
    missing: usize,
    initial: Vec<i64>,
    /// What is wrong in the end: an account, and by how much.
    off: Option<(usize, i64)>,
}

const ACCOUNTS: usize = 3;

/// Whose charge it is, and how much, in hundredths.
const fn order(key: usize) -> (usize, i64) {
    (key % ACCOUNTS, -(key as i64 + 1) * 105)
}

fn day() -> impl Strategy<Value = Day> {
    let entry = || {
        let any = (
            prop::option::weighted(0.7, 0_usize..6),
            0..ACCOUNTS,
            -700_i64..700,
        );
        let right = (0_usize..6).prop_map(|key| {
            let (account, amount) = order(key);
            (Some(key), account, amount)
        });
        let of_another = (0_usize..6, 0..ACCOUNTS);
        let of_another = of_another.prop_map(|(key, account)| (Some(key), account, order(key).1));
        prop_oneof![any, right, of_another]
    };
    let few = move || {
        let some = prop::collection::vec(entry(), 1..3);
        prop_oneof![3 => Just(Vec::new()).boxed(), 1 => some.boxed()]
    };
    (
        prop::collection::vec((0_usize..6, 0..KINDS.len(), 0_u64..30), 0..8),
        few(),
        few(),
        prop_oneof![3 => Just(0_usize), 1 => 1_usize..3],
        prop::collection::vec(
            prop_oneof![2 => Just(2_000_i64), 1 => -100_i64..400],
            ACCOUNTS,
        ),
        prop::option::weighted(0.2, (0..ACCOUNTS, -2_i64..3)),
    )
        .prop_map(|(asked, before, odd, missing, initial, off)| Day {
            asked,
            before,
            odd,
            missing,
            initial,
            off,
        })
}

fn hundredths(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", number.abs() / 100, number.abs() % 100)
}

impl Day {
    fn bank(&self) -> Recorded {
        let mut bank = bank();
        if let Some(balances) = &mut bank.plan.details.balances {
            balances.conserved = true;
        }
        let details = self.asked.iter().map(|(key, kind, inv)| {
            let (account, amount) = order(*key);
            let (key, account) = (key.to_string(), account.to_string());
            let at = (*inv, inv + 1);
            charge(&account, &key, &hundredths(amount), KINDS[*kind], at)
        });
        bank.details = details.collect();
        let text = |(key, account, amount): &Entry| {
            let key = key.map(|key| key.to_string()).unwrap_or_default();
            format!("{key}:{account}:{}", hundredths(*amount))
        };
        let entries = self.entries();
        let before: Vec<String> = self.before.iter().map(text).collect();
        let last: Vec<String> = entries.iter().map(text).collect();
        bank.observations.tables.ledger = both(&before, &last);
        let mut balances = self.initial.clone();
        for (_, account, amount) in &entries {
            balances[*account] += amount;
        }
        if let Some((account, by)) = self.off {
            balances[account] += by;
        }
        let rows = self.initial.iter().zip(&balances).enumerate();
        let rows: Vec<String> = rows
            .map(|(account, (initial, last))| {
                format!("{account}:{}:{}", hundredths(*initial), hundredths(*last))
            })
            .collect();
        bank.observations.tables.balances.last = Some(table(&rows));
        bank
    }

    fn entries(&self) -> Vec<Entry> {
        let confirmed = self.asked.iter().filter(|one| KINDS[one.1] == Issued);
        let confirmed: BTreeSet<usize> = confirmed.map(|one| one.0).collect();
        let kept = confirmed.into_iter().skip(self.missing).map(|key| {
            let (account, amount) = order(key);
            (Some(key), account, amount)
        });
        let before = self.before.iter().copied();
        before.chain(kept).chain(self.odd.iter().copied()).collect()
    }
}

/// What a definition forgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// Rows of before the load.
    Before,
    /// Attempts without a certain answer.
    Unknown,
    /// Repeated confirmations.
    Replay,
    /// The account of a row.
    Account,
    /// The amount of a row.
    Amount,
    /// The order of the rows: only the end counts.
    Order,
    /// Entries that are no charge of the load.
    Keyless,
    /// Requests that were not sent.
    NotSent,
}

impl Flaw {
    const ALL: [Self; 8] = [
        Self::Before,
        Self::Unknown,
        Self::Replay,
        Self::Account,
        Self::Amount,
        Self::Order,
        Self::Keyless,
        Self::NotSent,
    ];
}

struct Definition<'d> {
    day: &'d Day,
    attempts: Vec<Detail>,
    flaw: Flaw,
}

impl Definition<'_> {
    fn rows_of(&self, key: usize) -> Vec<Entry> {
        let entries = self.day.entries().into_iter();
        entries.filter(|entry| entry.0 == Some(key)).collect()
    }

    fn before(&self, key: usize) -> usize {
        let before = self.day.before.iter().filter(|entry| entry.0 == Some(key));
        if self.flaw == Flaw::Before {
            0
        } else {
            before.count()
        }
    }

    fn has(&self, key: usize, is_one: impl Fn(OutcomeKind) -> bool) -> bool {
        let name = Key::of(&key.to_string());
        let mut attempts = self.attempts.iter().filter(|one| one.key == name);
        attempts.any(|one| is_one(one.operation.kind))
    }

    fn is_confirmed(&self, key: usize) -> bool {
        self.has(key, |kind| {
            kind == Issued || kind == Replay && self.flaw != Flaw::Replay
        })
    }

    fn is_possible(&self, key: usize) -> bool {
        let open = self.flaw != Flaw::Unknown;
        self.is_confirmed(key) || open && self.has(key, |kind| matches!(kind, Unknown | Pending))
    }

    fn is_tried(&self, key: usize) -> bool {
        self.has(key, |kind| kind != NotSent || self.flaw == Flaw::NotSent)
    }

    fn keys(is_one: impl Fn(usize) -> bool) -> u64 {
        (0..6).filter(|key| is_one(*key)).count() as u64
    }

    fn is_wrong(&self, key: usize) -> bool {
        let (account, amount) = order(key);
        let rows = self.rows_of(key);
        let first = rows.get(self.before(key));
        self.is_confirmed(key)
            && first.is_some_and(|row| {
                (row.1 != account && self.flaw != Flaw::Account)
                    || (row.2 != amount && self.flaw != Flaw::Amount)
            })
    }

    fn accounts(&self, is_one: impl Fn(usize, &[i64], i64) -> bool) -> u64 {
        let off = |account| self.day.off.filter(|off| off.0 == account);
        let entries = self.day.entries();
        let is_broken = |account: &usize| {
            let of = entries.iter().filter(|entry| entry.1 == *account);
            let of = of.filter(|entry| entry.0.is_some() || self.flaw != Flaw::Keyless);
            let amounts: Vec<i64> = of.map(|entry| entry.2).collect();
            is_one(*account, &amounts, off(*account).map_or(0, |off| off.1))
        };
        (0..ACCOUNTS).filter(is_broken).count() as u64
    }

    fn is_negative(&self, account: usize, amounts: &[i64]) -> bool {
        let from = match self.flaw {
            Flaw::Order => amounts.len().max(1),
            _ => 1,
        };
        (from..=amounts.len()).any(|at| {
            let sum: i64 = amounts[..at].iter().sum();
            amounts[at - 1] < 0 && self.day.initial[account] + sum < 0
        })
    }

    fn counts(&self) -> Vec<(&'static str, u64)> {
        let new = |key: usize| self.rows_of(key).len() > self.before(key);
        let whole: i64 = self.day.entries().iter().map(|entry| entry.2).sum();
        let off = self.day.off.map_or(0, |off| off.1);
        vec![
            (
                "charged_twice",
                Self::keys(|key| self.rows_of(key).len() > self.before(key).max(1)),
            ),
            (
                "lost",
                Self::keys(|key| self.is_confirmed(key) && self.rows_of(key).is_empty()),
            ),
            (
                "phantom",
                Self::keys(|key| new(key) && !self.is_possible(key) && !self.is_tried(key)),
            ),
            (
                "refused",
                Self::keys(|key| new(key) && !self.is_possible(key) && self.is_tried(key)),
            ),
            ("wrong_row", Self::keys(|key| self.is_wrong(key))),
            ("sums", self.accounts(|_, _, off| off != 0)),
            (
                "negative",
                self.accounts(|account, amounts, _| self.is_negative(account, amounts)),
            ),
            ("conserved", u64::from(whole + off != 0)),
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
fn difference(day: &Day, flaw: Flaw) -> Option<(&'static str, u64, u64)> {
    let bank = day.bank();
    let finding = bank.judge(Invariant::Balances);
    let definition = Definition {
        day,
        attempts: bank.details.clone(),
        flaw,
    };
    let counts = definition.counts().into_iter();
    counts
        .map(|(name, count)| (name, count, failed(&finding, name)))
        .find(|(_, defined, found)| defined != found)
}

#[test]
fn a_weakened_definition_disagrees() {
    for flaw in Flaw::ALL {
        let mut runner = TestRunner::deterministic();
        let noticed = (0..4_000).any(|_| {
            let day = day().new_tree(&mut runner).expect("a day").current();
            difference(&day, flaw).is_some()
        });
        assert!(noticed, "{flaw:?}");
    }
}

#[test]
fn every_part_is_wrong_and_right_on_some_day() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeSet<(&str, bool)> = BTreeSet::new();
    for _ in 0..1_000 {
        let day = day().new_tree(&mut runner).expect("a day").current();
        let bank = day.bank();
        assert!(bank.details.iter().all(|one| one.operation.step == PAY));
        let definition = Definition {
            day: &day,
            attempts: bank.details.clone(),
            flaw: Flaw::None,
        };
        let counts = definition.counts().into_iter();
        seen.extend(counts.map(|(name, count)| (name, count > 0)));
    }
    assert_eq!(seen.len(), 16, "{seen:?}");
}

/// A mutation of a day on which all is well.
fn mutated(day: &Day, way: usize, at: usize) -> Option<Day> {
    let mut day = day.clone();
    match way {
        0 => day.missing += 1,
        1 => {
            let entries = day.entries();
            day.odd.push(*entries.get(at % entries.len().max(1))?);
        }
        2 => day.off = Some((at % ACCOUNTS, 1)),
        _ => {
            let confirmed = day.asked.iter_mut().find(|one| KINDS[one.1] == Refused)?;
            confirmed.1 = 0;
            day.missing += 1;
        }
    }
    Some(day)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn balances_are_judged_as_they_are_defined(day in day()) {
        prop_assert_eq!(difference(&day, Flaw::None), None);
    }

    #[test]
    fn no_mutation_of_a_good_day_gets_through(day in day(), way in 0_usize..4, at in 0_usize..6) {
        let mut good = day;
        (good.before, good.odd) = (Vec::new(), Vec::new());
        (good.missing, good.off) = (0, None);
        good.initial = vec![1_000_000; ACCOUNTS];
        let clean = |day: &Day| {
            let mut bank = day.bank();
            if let Some(balances) = &mut bank.plan.details.balances {
                balances.conserved = false;
            }
            bank.judge(Invariant::Balances)
        };
        // Something is confirmed, and nothing by a repeated answer alone.
        for one in &mut good.asked {
            one.1 = if KINDS[one.1] == Replay { 0 } else { one.1 };
        }
        good.asked.push((5, 0, 0));
        prop_assert_eq!(clean(&good).verdict, Verdict::Pass, "{:#?}", clean(&good));
        if let Some(bad) = mutated(&good, way, at) {
            prop_assert_eq!(clean(&bad).verdict, Verdict::Fail, "{:#?}", clean(&bad));
        }
    }
}

#[test]
fn an_error_is_a_refusal() {
    let mut day = bank();
    day.details.push(charge("0", "0", "-1", Error, (1, 2)));
    day.observations.tables.ledger.last = Some(table(&["0:0:-1"]));
    let finding = day.judge(Invariant::Balances);
    assert_eq!(failed(&finding, "refused"), 1);
}
