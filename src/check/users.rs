//! What is kept of each user who is of interest.

use super::asked::Asked;
use super::index::KeyIndex;
use crate::history::Key;

/// Users by key, in the order in which they became of interest.
#[derive(Debug, Default)]
pub(super) struct Users {
    list: Vec<(Key, Asked)>,
    index: KeyIndex,
}

impl Users {
    /// Room for so many.
    pub(super) fn with_capacity(users: usize) -> Self {
        Self {
            list: Vec::with_capacity(users),
            index: KeyIndex::with_capacity(users),
        }
    }

    /// What is kept of this user.
    pub(super) fn get(&self, user: Key) -> Option<&Asked> {
        let number = self.index.find(user, |number| self.list[number].0)?;
        Some(&self.list[number].1)
    }

    /// The same, to note more.
    pub(super) fn get_mut(&mut self, user: Key) -> Option<&mut Asked> {
        let number = self.index.find(user, |number| self.list[number].0)?;
        Some(&mut self.list[number].1)
    }

    /// The same; the user is of interest from here on.
    pub(super) fn entry(&mut self, user: Key) -> &mut Asked {
        let known = self.index.find(user, |number| self.list[number].0);
        let number = known.unwrap_or_else(|| {
            self.list.push((user, Asked::default()));
            let number = self.list.len() - 1;
            self.index
                .insert(user, number, |number| self.list[number].0);
            number
        });
        &mut self.list[number].1
    }

    /// How many are of interest.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &Asked)> {
        self.list.iter().map(|(user, asked)| (*user, asked))
    }
}
