//! The answers joined with the ledger by idempotency key. Memory: a few words for each key that is in
//! the ledger or was confirmed; refusals of other keys leave no trace.

use std::collections::HashMap;
use std::io;

use super::entries::{Entries, Entry};
use crate::check::Evidence;
use crate::check::asked::Attempt;
use crate::check::digest::Truth;
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};
use crate::check::recorded::Thing;
use crate::history::{Amount, Detail, Key, OutcomeKind};
use crate::plan::Balances;
use crate::verdict::Verdict;

/// All keys of interest.
#[derive(Debug, Default)]
pub(super) struct Charges {
    keys: HashMap<Key, Charge>,
    /// Confirmations that named no key.
    pub(super) unnamed: u64,
    /// Confirmations whose account or amount is not known although the scenario names it.
    unreadable: u64,
    knows_before: bool,
}

/// What is known of one key.
#[derive(Debug, Clone, Copy, Default)]
struct Charge {
    /// In the final read.
    rows: u32,
    before: u32,
    /// Of rows that were not there before the load, the first.
    row: Option<Entry>,
    /// The earliest confirmation, and what was asked for.
    confirmed: Option<(Asked, Attempt)>,
    /// The earliest attempt of any kind that was sent, and by whom.
    tried: Option<(Key, Attempt)>,
    /// Whether an attempt was confirmed or may have happened.
    may_have_happened: bool,
}

/// What a confirmed attempt asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    user: Key,
    account: Key,
    amount: Option<Amount>,
}

impl Charge {
    fn user(&self) -> Option<Key> {
        let confirmed = self.confirmed.map(|(asked, _)| asked.user);
        confirmed.or(self.tried.map(|(user, _)| user))
    }

    fn attempt(&self) -> Option<Attempt> {
        let confirmed = self.confirmed.map(|(_, attempt)| attempt);
        confirmed.or(self.tried.map(|(_, attempt)| attempt))
    }

    fn is_new(&self) -> bool {
        self.rows > self.before
    }
}

impl Charges {
    pub(super) fn gather(
        evidence: &Evidence<'_>,
        asked: &Balances,
        entries: &Entries,
    ) -> io::Result<Self> {
        let mut charges = Self {
            knows_before: entries.knows_before(),
            ..Self::default()
        };
        for entry in entries.rows.iter().filter(|entry| entry.key.is_some()) {
            let charge = charges.keys.entry(entry.key).or_insert_with(|| Charge {
                before: entries.before(entry.key),
                ..Charge::default()
            });
            charge.rows += 1;
            if charge.rows == charge.before + 1 {
                charge.row = Some(*entry);
            }
        }
        for detail in evidence.history.details()? {
            let detail = detail?;
            if asked.charge.contains(&detail.operation.step) {
                charges.take(&detail, asked);
            }
        }
        Ok(charges)
    }

    fn take(&mut self, detail: &Detail, asked: &Balances) {
        let operation = &detail.operation;
        let is_confirmed = operation.kind.is_acknowledged();
        if !detail.key.is_some() {
            self.unnamed += u64::from(is_confirmed);
            return;
        }
        let charge = match self.keys.get_mut(&detail.key) {
            Some(charge) => charge,
            None if is_confirmed => self.keys.entry(detail.key).or_default(),
            None => return,
        };
        if operation.kind == OutcomeKind::NotSent {
            return;
        }
        let attempt = Attempt::of(operation);
        let earlier = |known: Attempt| attempt.inv_ns < known.inv_ns;
        if charge.tried.is_none_or(|(_, known)| earlier(known)) {
            charge.tried = Some((operation.user, attempt));
        }
        charge.may_have_happened |= is_confirmed || operation.kind.may_have_happened();
        if is_confirmed && charge.confirmed.is_none_or(|(_, known)| earlier(known)) {
            let told = Asked {
                user: operation.user,
                account: detail.account,
                amount: detail.amount,
            };
            charge.confirmed = Some((told, attempt));
        }
        if is_confirmed {
            let no_amount = asked.amount.is_some() && detail.amount.is_none();
            self.unreadable += u64::from(no_amount || !detail.account.is_some());
        }
    }

    /// Different keys of which a charge was confirmed.
    pub(super) fn confirmed(&self) -> u64 {
        let confirmed = self.keys.values().filter(|one| one.confirmed.is_some());
        confirmed.count() as u64
    }

    /// Who made the charge of this key, and when, as far as that is known.
    pub(super) fn maker_of(&self, key: Key) -> (Option<Key>, Option<Attempt>) {
        let charge = self.keys.get(&key);
        charge.map_or((None, None), |one| (one.user(), one.attempt()))
    }

    /// `whole`: every attempt is known, with its key.
    pub(super) fn parts(&self, asked: &Balances, truth: Truth, whole: bool) -> Vec<DraftPart> {
        if truth == Truth::Missing {
            return Vec::new();
        }
        let mut parts = vec![
            self.charged_twice(truth),
            self.lost(truth),
            self.unasked("phantom", truth, whole),
            self.unasked("refused", truth, whole),
            self.wrong(asked, truth),
        ];
        if self.unreadable > 0 {
            let detail = format!(
                "of {} the account or the amount is not known, and was not compared",
                count_of(self.unreadable, "confirmation")
            );
            parts.push(DraftPart::new(
                "unreadable",
                Verdict::Unknown,
                self.unreadable,
                detail,
            ));
        }
        parts
    }

    /// More rows cannot heal this, so it fails before the state is quiet.
    fn charged_twice(&self, truth: Truth) -> DraftPart {
        let pick = self.pick(
            |one| one.rows > one.before.max(1),
            |one| u64::from(one.rows),
        );
        let detail = match pick.count {
            0 => "no key is in the ledger twice".to_owned(),
            keys => format!("{} in the ledger more than once", count_of(keys, "key")),
        };
        let verdict = truth.judge_rows(pick.count > 0);
        DraftPart::new("charged_twice", verdict, pick.count, detail).with(|| {
            pick.cases(|(key, one)| case(key, &one, format!("in the ledger {} times", one.rows)))
        })
    }

    fn lost(&self, truth: Truth) -> DraftPart {
        let pick = self.pick(|one| one.confirmed.is_some() && one.rows == 0, |_| 0);
        let detail = match pick.count {
            0 => "every confirmed charge is in the ledger".to_owned(),
            keys => format!("{} not in the ledger", count_of(keys, "confirmed charge")),
        };
        let verdict = truth.judge(pick.count > 0);
        DraftPart::new("lost", verdict, pick.count, detail)
            .with(|| pick.cases(|(key, one)| case(key, &one, "confirmed, but not in the ledger")))
    }

    /// Rows that nobody asked for, and rows of those who were only refused.
    fn unasked(&self, name: &'static str, truth: Truth, whole: bool) -> DraftPart {
        let is_refused = name == "refused";
        let pick = self.pick(
            |one| one.is_new() && !one.may_have_happened && one.tried.is_some() == is_refused,
            |_| 0,
        );
        let (good, bad, text) = if is_refused {
            (
                "nobody was charged who was only refused",
                "in the ledger although every attempt was refused",
                "charged, although every attempt was refused",
            )
        } else {
            (
                "every row with a key was asked for",
                "in the ledger without an attempt",
                "in the ledger, but nobody asked for it",
            )
        };
        let mut detail = match pick.count {
            0 => good.to_owned(),
            keys => format!("{} {bad}", count_of(keys, "key")),
        };
        let verdict = match truth.judge_rows(pick.count > 0) {
            Verdict::Fail if !self.knows_before => {
                detail += "; what was there before the load is not known, and may explain it";
                Verdict::Unknown
            }
            Verdict::Fail if !whole => {
                detail += "; attempts that are not known may explain it";
                Verdict::Unknown
            }
            verdict => verdict,
        };
        DraftPart::new(name, verdict, pick.count, detail)
            .with(|| pick.cases(|(key, one)| case(key, &one, text)))
    }

    /// Another account, or another amount, than was confirmed.
    fn wrong(&self, asked: &Balances, truth: Truth) -> DraftPart {
        let differs = |one: &Charge| {
            let (Some((told, _)), Some(row)) = (one.confirmed, one.row) else {
                return false;
            };
            let other_account = told.account.is_some() && told.account != row.account;
            let other_amount = asked.amount.is_some()
                && matches!((told.amount, row.amount), (Some(one), Some(other)) if one != other);
            other_account || other_amount
        };
        let pick = self.pick(differs, |_| 0);
        let detail = match pick.count {
            0 => "every row is of the account and the amount that were asked for".to_owned(),
            keys => format!(
                "{} of another account or amount than was asked for",
                count_of(keys, "row")
            ),
        };
        let verdict = truth.judge_rows(pick.count > 0);
        DraftPart::new("wrong_row", verdict, pick.count, detail).with(|| {
            pick.cases(|(key, one)| {
                let text = match (one.confirmed, one.row) {
                    (Some((told, _)), Some(row)) if told.account == row.account => format!(
                        "asked for {}, and {} is in the ledger",
                        shown(told.amount),
                        shown(row.amount)
                    ),
                    _ => "in the ledger of another account".to_owned(),
                };
                case(key, &one, text)
            })
        })
    }

    fn pick(
        &self,
        is_one: impl Fn(&Charge) -> bool,
        weight: impl Fn(&Charge) -> u64,
    ) -> Pick<(Key, Charge)> {
        let mut pick = Pick::default();
        for (key, one) in self.keys.iter().filter(|(_, one)| is_one(one)) {
            let when_ns = one.attempt().map_or(0, |attempt| attempt.inv_ns);
            pick.offer(*key, when_ns, weight(one), (*key, *one));
        }
        pick
    }
}

fn shown(amount: Option<Amount>) -> String {
    amount.map_or_else(|| "nothing known".to_owned(), |amount| amount.to_string())
}

fn case(key: Key, charge: &Charge, text: impl Into<String>) -> DraftCase {
    let case = match charge.user() {
        Some(user) => DraftCase::of(user, text).at(charge.attempt()),
        None => DraftCase::unowned(text),
    };
    case.about(Thing::Charge(key))
}
