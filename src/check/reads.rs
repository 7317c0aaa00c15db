//! The issued rows as keys: who holds what in one read, and what all reads together show.

use super::index::KeyIndex;
use super::{IssuedRead, Observations};
use crate::history::Key;

/// A user and a coupon id, or [`Key::NONE`].
type Pair = (Key, Key);

/// One read of the issued rows, joined by key. Memory: a few words for each row.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    /// Rows, surplus ones included.
    pub(super) len: usize,
    /// In order, so that the rows of a user stand together.
    pairs: Vec<Pair>,
    /// The first row of each user.
    users: KeyIndex,
    /// Coupon ids and their owners in order, where the truth has ids.
    owners: Vec<(Key, Key)>,
}

impl Holdings {
    pub(super) fn of(read: &IssuedRead) -> Self {
        let pairs = sorted_pairs(read);
        let with_id = pairs.iter().filter(|(_, id)| id.is_some());
        let mut owners: Vec<(Key, Key)> = with_id.map(|(user, id)| (*id, *user)).collect();
        owners.sort_unstable();
        owners.dedup_by_key(|(id, _)| *id);
        owners.shrink_to_fit();
        let mut users = KeyIndex::with_capacity(pairs.len());
        for (number, (user, _)) in pairs.iter().enumerate() {
            if number == 0 || pairs[number - 1].0 != *user {
                users.insert(*user, number, |number| pairs[number].0);
            }
        }
        Self {
            len: pairs.len(),
            pairs,
            users,
            owners,
        }
    }

    /// Whether what was confirmed to the user is there: by id where both sides have ids, else by
    /// user.
    pub(super) fn holds(&self, user: Key, coupon: Key) -> bool {
        let of_user = self.pairs_of(user);
        if !coupon.is_some() || self.owners.is_empty() {
            return !of_user.is_empty();
        }
        // A row without an id stands last.
        let unnamed = of_user.last().is_some_and(|(_, id)| !id.is_some());
        unnamed || of_user.binary_search(&(user, coupon)).is_ok()
    }

    /// The rows of this user.
    pub(super) fn rows_of(&self, user: Key) -> u32 {
        u32::try_from(self.pairs_of(user).len()).unwrap_or(u32::MAX)
    }

    /// One owner of the coupon.
    pub(super) fn owner_of(&self, coupon: Key) -> Option<Key> {
        let found = self.owners.binary_search_by_key(&coupon, |(id, _)| *id);
        found.ok().map(|at| self.owners[at].1)
    }

    /// Everybody who holds one, each once.
    pub(super) fn users(&self) -> impl Iterator<Item = Key> {
        let groups = self.pairs.chunk_by(|one, other| one.0 == other.0);
        groups.map(|rows| rows[0].0)
    }

    fn pairs_of(&self, user: Key) -> &[Pair] {
        let Some(first) = self.users.find(user, |number| self.pairs[number].0) else {
            return &[];
        };
        let rows = &self.pairs[first..];
        // Most have one; where a wrong column makes all rows one user's, this is asked for each.
        let mut reach = 1;
        while rows.get(reach).is_some_and(|(other, _)| *other == user) {
            reach *= 2;
        }
        let near = &rows[..reach.min(rows.len())];
        &near[..near.partition_point(|(other, _)| *other == user)]
    }

    /// How many rows of this read another one does not show.
    fn gone_in(&self, other: &Self) -> u64 {
        let counts = Together::of([&self.pairs, &other.pairs]);
        counts
            .map(|(_, [here, there])| here.saturating_sub(there) as u64)
            .sum()
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

/// What the reads show.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// The rows before the load; empty when that was not read.
    pub(super) before: Holdings,
    /// The final read.
    pub(super) last: Holdings,
    /// The read some seconds later.
    pub(super) second: Option<Holdings>,
    /// How many rows of the final read the second one no longer shows.
    pub(super) gone: u64,
    /// How many rows that were there once are not there any more: of before the load in the final
    /// read, and of the final read in the second.
    pub(super) returned: u64,
}

impl Reads {
    pub(super) fn of(observations: &Observations) -> Self {
        let holdings = |read: &Option<_>| read.as_ref().map(Holdings::of);
        let before = holdings(&observations.baseline).unwrap_or_default();
        let Some(last) = holdings(&observations.last) else {
            return Self {
                before,
                ..Self::default()
            };
        };
        let second = holdings(&observations.second);
        let gone = second.as_ref().map_or(0, |second| last.gone_in(second));
        Self {
            gone,
            returned: before.gone_in(&last) + gone,
            before,
            last,
            second,
        }
    }

    /// Every row of the final read, and those that only the second read shows. Rows are told apart
    /// by user and id, and counted: the same pair twice is two rows.
    pub(super) fn rows(&self) -> Vec<Row> {
        let second: &[Pair] = self.second.as_ref().map_or(&[], |second| &second.pairs);
        let mut rows = Vec::with_capacity(self.last.len);
        for ((user, id), [old, last, second]) in
            Together::of([&self.before.pairs, &self.last.pairs, second])
        {
            for number in 0..last.max(second) {
                rows.push(Row {
                    user,
                    id,
                    new: number >= old,
                    late: number >= last,
                });
            }
        }
        rows
    }
}

/// Each pair of some sorted lists once, and how often each list has it.
struct Together<'p, const N: usize> {
    left: [&'p [Pair]; N],
}

impl<'p, const N: usize> Together<'p, N> {
    const fn of(left: [&'p [Pair]; N]) -> Self {
        Self { left }
    }
}

impl<const N: usize> Iterator for Together<'_, N> {
    type Item = (Pair, [usize; N]);

    fn next(&mut self) -> Option<Self::Item> {
        let firsts = self.left.iter().filter_map(|list| list.first());
        let pair = *firsts.min()?;
        let counts = self.left.each_mut().map(|list| {
            let others = list.iter().position(|one| *one != pair);
            let count = others.unwrap_or(list.len());
            *list = &list[count..];
            count
        });
        Some((pair, counts))
    }
}

fn sorted_pairs(read: &IssuedRead) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::with_capacity(read.rows.len());
    let rows = read.rows.iter();
    pairs.extend(rows.map(|row| (Key::of(row.user), row.id.map_or(Key::NONE, Key::of))));
    pairs.sort_unstable();
    pairs
}
