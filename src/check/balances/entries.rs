//! The rows of the ledger as keys and exact amounts. Memory: a few words for each row.

use std::collections::HashMap;

use crate::check::TableReads;
use crate::history::{Amount, Key};

/// The rows of the final read, and how often each key was there before the load.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// In the ledger's order.
    pub(super) rows: Vec<Entry>,
    /// `None`: the ledger was not read before the load.
    before: Option<HashMap<Key, u32>>,
    /// The first amount that cannot be read, for people.
    pub(super) unreadable: Option<String>,
}

/// A row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The idempotency key, or [`Key::NONE`]: it is no charge of the load.
    pub(super) key: Key,
    pub(super) account: Key,
    /// What it adds; `None` if that cannot be read.
    pub(super) amount: Option<Amount>,
}

impl Entries {
    pub(super) fn of(reads: &TableReads) -> Self {
        let mut entries = Self {
            before: reads.before.as_ref().map(|read| {
                let mut counts = HashMap::new();
                for [key, ..] in read.rows.iter().filter(|[key, ..]| !key.is_empty()) {
                    *counts.entry(Key::of(key)).or_default() += 1;
                }
                counts
            }),
            ..Self::default()
        };
        let rows = reads.last.iter().flat_map(|read| read.rows.iter());
        for (number, [key, account, amount]) in (1_u64..).zip(rows) {
            let read = amount.parse::<Amount>();
            if let (Err(why), None) = (read, &entries.unreadable) {
                entries.unreadable = Some(format!(
                    "the amount {amount:?} of row {number} of the ledger {why}"
                ));
            }
            entries.rows.push(Entry {
                key: if key.is_empty() {
                    Key::NONE
                } else {
                    Key::of(key)
                },
                account: Key::of(account),
                amount: read.ok(),
            });
        }
        entries
    }

    /// How often the key was there before the load, as far as is known.
    pub(super) fn before(&self, key: Key) -> u32 {
        let before = self.before.as_ref();
        before.and_then(|before| before.get(&key)).map_or(0, |n| *n)
    }

    /// Whether it is known what was there before the load.
    pub(super) const fn knows_before(&self) -> bool {
        self.before.is_some()
    }
}
