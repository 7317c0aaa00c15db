//! The issued rows as keys: who holds what in one read, and what all reads together show.

use std::collections::HashMap;

use super::{IssuedRead, Observations};
use crate::history::Key;

/// One read of the issued rows, joined by key. Memory: a few words for each row.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    /// Rows, surplus ones included.
    pub(super) len: usize,
    /// Rows of each user.
    pub(super) users: HashMap<Key, u32>,
    /// One owner of each coupon id, where the truth has ids.
    pub(super) owners: HashMap<Key, Key>,
    pairs: Pairs,
}

/// How often each (user, coupon id) is there.
type Pairs = HashMap<(Key, Key), u32>;

impl Holdings {
    pub(super) fn of(read: &IssuedRead) -> Self {
        let mut holdings = Self {
            len: read.rows.len(),
            ..Self::default()
        };
        for (user, id) in pairs(read) {
            *holdings.users.entry(user).or_default() += 1;
            *holdings.pairs.entry((user, id)).or_default() += 1;
            if id.is_some() {
                holdings.owners.entry(id).or_insert(user);
            }
        }
        holdings
    }

    /// Whether what was confirmed to the user is there: by id where both sides have ids, else by
    /// user.
    pub(super) fn holds(&self, user: Key, coupon: Key) -> bool {
        if !coupon.is_some() || self.owners.is_empty() {
            return self.users.contains_key(&user);
        }
        self.pairs.contains_key(&(user, coupon)) || self.pairs.contains_key(&(user, Key::NONE))
    }

    /// The rows of this user.
    pub(super) fn rows_of(&self, user: Key) -> u32 {
        self.users.get(&user).copied().unwrap_or(0)
    }
}

/// A row of the final or of the second read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Who holds it.
    pub(super) user: Key,
    /// The coupon, or [`Key::NONE`].
    pub(super) id: Key,
    /// It was not there before the load.
    pub(super) new: bool,
    /// Only the second read shows it.
    pub(super) late: bool,
}

/// Every row of the final read, then those that only the second read shows. Rows are told apart by
/// user and id, and counted: the same pair twice is two rows.
pub(super) fn all_rows(observations: &Observations) -> Vec<Row> {
    let Some(last) = &observations.last else {
        return Vec::new();
    };
    let mut before = counted(observations.baseline.as_ref());
    let mut known = counted(Some(last));
    let mut rows = Vec::with_capacity(last.rows.len());
    let mut push = |(user, id), late| {
        let new = !take(&mut before, (user, id));
        rows.push(Row {
            user,
            id,
            new,
            late,
        });
    };
    pairs(last).for_each(|pair| push(pair, false));
    if let Some(second) = &observations.second {
        pairs(second)
            .filter(|pair| !take(&mut known, *pair))
            .for_each(|pair| push(pair, true));
    }
    rows
}

/// How many rows of the final read the second one no longer shows.
pub(super) fn gone(observations: &Observations) -> u64 {
    let (Some(last), Some(second)) = (&observations.last, &observations.second) else {
        return 0;
    };
    let mut left = counted(Some(second));
    pairs(last).filter(|pair| !take(&mut left, *pair)).count() as u64
}

/// How many rows that were there once are not there any more: of before the load in the final read,
/// and of the final read in the second.
pub(super) fn returned(observations: &Observations) -> u64 {
    let (Some(before), Some(last)) = (&observations.baseline, &observations.last) else {
        return gone(observations);
    };
    let mut left = counted(Some(last));
    let old = pairs(before).filter(|pair| !take(&mut left, *pair));
    old.count() as u64 + gone(observations)
}

fn pairs(read: &IssuedRead) -> impl Iterator<Item = (Key, Key)> + '_ {
    read.rows.iter().map(|row| {
        let id = row.id.as_deref().map_or(Key::NONE, Key::of);
        (Key::of(&row.user), id)
    })
}

fn counted(read: Option<&IssuedRead>) -> Pairs {
    let mut counts = Pairs::new();
    for pair in read.into_iter().flat_map(pairs) {
        *counts.entry(pair).or_default() += 1;
    }
    counts
}

fn take(counts: &mut Pairs, pair: (Key, Key)) -> bool {
    match counts.get_mut(&pair) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}
