//! What a checker needs of a history: reading it, more than once.

use std::io;

use super::{Detail, Key, Operation, Place};

/// A history that can be read from its beginning as often as needed.
pub trait History {
    /// All operations, in no particular order.
    ///
    /// # Errors
    /// When the history cannot be opened; the iterator's items when it cannot be read on.
    fn operations(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<Operation>> + '_>>;

    /// What users were told of their places in a queue, in no particular order; nothing, unless the
    /// plan asks for it.
    ///
    /// # Errors
    /// When the places cannot be opened; the iterator's items when they cannot be read on.
    fn places(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<Place>> + '_>> {
        Ok(Box::new(std::iter::empty()))
    }

    /// What attempts were about, in no particular order; nothing where that was not recorded.
    ///
    /// # Errors
    /// As [`Self::operations`].
    fn details(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<Detail>> + '_>> {
        Ok(Box::new(std::iter::empty()))
    }

    /// The texts of hashed user keys, for those few that a report shows. Ids that are numbers
    /// need no look-up.
    ///
    /// # Errors
    /// When the texts cannot be read.
    fn names(&self, keys: &[Key]) -> io::Result<Vec<(Key, String)>>;
}

impl History for Vec<Operation> {
    fn operations(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<Operation>> + '_>> {
        Ok(Box::new(self.iter().copied().map(Ok)))
    }

    fn names(&self, _: &[Key]) -> io::Result<Vec<(Key, String)>> {
        Ok(Vec::new())
    }
}
