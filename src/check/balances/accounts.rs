//! The accounts against the ledger: each adds up, none is below zero in the order of its rows, and all
//! together hold what they held.

use std::collections::HashMap;

use super::charges::Charges;
use super::entries::Entries;
use crate::check::Observations;
use crate::check::digest::Truth;
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};
use crate::check::recorded::Thing;
use crate::history::{Amount, Key};
use crate::verdict::Verdict;

/// Every account, and what cannot be said of them.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    all: HashMap<Key, Account>,
    /// Rows of the ledger whose account is in no row of the balances.
    strangers: Pick<Key>,
    /// What cannot be read, or is too large, for people.
    unreadable: Option<String>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Account {
    initial: Amount,
    last: Amount,
    /// After the rows of the ledger so far.
    running: Amount,
    /// What was lowest below zero after a row that took something, the row's number, and its key.
    lowest: Option<(Amount, u64, Key)>,
}

impl Accounts {
    pub(super) fn of(observations: &Observations, entries: &Entries) -> Self {
        let mut accounts = Self {
            unreadable: entries.unreadable.clone(),
            ..Self::default()
        };
        let read = observations.tables.balances.last.iter();
        let rows = read.flat_map(|read| read.rows.iter());
        for (number, [name, initial, last]) in (1_u64..).zip(rows) {
            accounts.open(number, name, initial, last);
        }
        for (number, entry) in (1_u64..).zip(&entries.rows) {
            let Some(account) = accounts.all.get_mut(&entry.account) else {
                let key = entry.account;
                accounts.strangers.offer(key, number, 0, key);
                continue;
            };
            // What cannot be read was noted with the entries.
            let Some(amount) = entry.amount else { continue };
            match account.running.checked_add(amount) {
                Some(running) => account.moved(running, amount, number, entry.key),
                None => accounts.doubt(format!(
                    "the balance after row {number} of the ledger is too large"
                )),
            }
        }
        accounts
    }

    fn open(&mut self, number: u64, name: &str, initial: &str, last: &str) {
        let mut read = |text: &str, what: &str| match text.parse::<Amount>() {
            Ok(amount) => Some(amount),
            Err(why) => {
                let of = format!("the {what} balance {text:?} of row {number} of the balances");
                self.doubt(format!("{of} {why}"));
                None
            }
        };
        let (initial, last) = (read(initial, "initial"), read(last, "final"));
        let (Some(initial), Some(last)) = (initial, last) else {
            return;
        };
        let account = Account {
            initial,
            last,
            running: initial,
            lowest: None,
        };
        if self.all.insert(Key::of(name), account).is_some() {
            self.doubt(format!(
                "row {number} of the balances is the second one of its account"
            ));
        }
    }

    /// The first says enough.
    fn doubt(&mut self, words: String) {
        self.unreadable.get_or_insert(words);
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn parts(
        &self,
        charges: &Charges,
        truth: Truth,
        why: &str,
        conserved: bool,
    ) -> Vec<DraftPart> {
        if truth == Truth::Missing {
            let detail = format!("the balances cannot be compared: {why}");
            return vec![DraftPart::new("sums", Verdict::Unknown, 0, detail)];
        }
        let mut parts = Vec::new();
        if let Some(words) = &self.unreadable {
            let detail = format!("not everything can be added up: {words}");
            parts.push(DraftPart::new("amounts", Verdict::Unknown, 0, detail));
        }
        if self.strangers.count > 0 {
            let detail = format!(
                "{} of accounts that the balances do not have",
                count_of(self.strangers.count, "row")
            );
            let part = DraftPart::new("accounts", Verdict::Unknown, self.strangers.count, detail);
            parts.push(part.with(|| {
                let strangers = &self.strangers;
                strangers.cases(|account| {
                    DraftCase::unowned("in the ledger, and not among the balances")
                        .about(Thing::Account(account))
                })
            }));
        }
        parts.push(self.sums(truth));
        parts.push(self.negative(charges, truth));
        if conserved {
            parts.push(self.conserved(truth));
        }
        parts
    }

    /// While anything cannot be read, it may explain what is wrong.
    fn verdict(&self, truth: Truth, broken: bool) -> Verdict {
        match truth.judge(broken) {
            _ if self.unreadable.is_some() => Verdict::Unknown,
            verdict => verdict,
        }
    }

    fn sums(&self, truth: Truth) -> DraftPart {
        let mut pick: Pick<(Key, Account)> = Pick::default();
        for (key, account) in &self.all {
            if account.running != account.last {
                let off = account.last.checked_sub(account.running);
                let off = off.map_or(u128::MAX, Amount::magnitude);
                // In whole units: enough to tell the gravest.
                let weight = u64::try_from(off / 1_000_000_000).unwrap_or(u64::MAX);
                pick.offer(*key, 0, weight, (*key, *account));
            }
        }
        let detail = match pick.count {
            0 => format!(
                "{}, each the sum of its rows",
                count_of(self.all.len() as u64, "balance")
            ),
            accounts => format!(
                "{} of {} not the sum of its rows",
                accounts,
                count_of(self.all.len() as u64, "balance")
            ),
        };
        let verdict = self.verdict(truth, pick.count > 0);
        DraftPart::new("sums", verdict, pick.count, detail).with(|| {
            pick.cases(|(key, account)| {
                let Account {
                    initial,
                    last,
                    running,
                    ..
                } = account;
                DraftCase::unowned(format!(
                    "began with {initial} and comes to {running} by the ledger, but holds {last}"
                ))
                .about(Thing::Account(key))
            })
        })
    }

    fn negative(&self, charges: &Charges, truth: Truth) -> DraftPart {
        let mut pick: Pick<(Key, Amount, u64, Key)> = Pick::default();
        for (key, account) in &self.all {
            if let Some((lowest, number, charge)) = account.lowest {
                let weight = lowest.magnitude() / 1_000_000_000;
                let weight = u64::try_from(weight).unwrap_or(u64::MAX);
                pick.offer(*key, number, weight, (*key, lowest, number, charge));
            }
        }
        let detail = match pick.count {
            0 => "no account was ever below zero".to_owned(),
            accounts => format!("{} below zero", count_of(accounts, "account")),
        };
        let verdict = self.verdict(truth, pick.count > 0);
        DraftPart::new("negative", verdict, pick.count, detail).with(|| {
            pick.cases(|(key, lowest, number, charge)| {
                let text = format!("{lowest} after row {number} of the ledger");
                let (user, attempt) = charges.maker_of(charge);
                let case = match user {
                    Some(user) => DraftCase::of(user, text).at(attempt),
                    None => DraftCase::unowned(text),
                };
                case.about(Thing::Account(key))
            })
        })
    }

    fn conserved(&self, truth: Truth) -> DraftPart {
        let sum = |of: fn(&Account) -> Amount| {
            let mut amounts = self.all.values().map(of);
            amounts.try_fold(Amount::ZERO, Amount::checked_add)
        };
        let (verdict, count, detail) = match (sum(|one| one.initial), sum(|one| one.last)) {
            (Some(initial), Some(last)) if initial == last => (
                self.verdict(truth, false),
                0,
                format!("all accounts together hold {last}, as at the beginning"),
            ),
            (Some(initial), Some(last)) => (
                self.verdict(truth, true),
                1,
                format!("all accounts together held {initial}, and hold {last}"),
            ),
            _ => (
                Verdict::Unknown,
                0,
                "what all accounts hold together is too large to be added up".to_owned(),
            ),
        };
        DraftPart::new("conserved", verdict, count, detail)
    }
}

impl Account {
    fn moved(&mut self, running: Amount, amount: Amount, number: u64, key: Key) {
        self.running = running;
        let is_lower = self.lowest.is_none_or(|(lowest, ..)| running < lowest);
        if running < Amount::ZERO && amount < Amount::ZERO && is_lower {
            self.lowest = Some((running, number, key));
        }
    }
}
