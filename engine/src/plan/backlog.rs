//! What still waits to be written, as plain data: while there is any of it, the rows are not final.

use super::resource::ConsumerGroup;
use super::slots::Slot;
use super::truth::Source;

/// Something that must be 0 before the rows count as final.
#[derive(Debug, Clone, PartialEq)]
pub struct Backlog {
    /// As a reason calls it: `consumer lag`.
    pub name: String,
    /// Where it is read.
    pub of: BacklogOf,
}

/// Where it is read how much waits.
#[derive(Debug, Clone, PartialEq)]
pub enum BacklogOf {
    /// A number; below 0 nothing waits, as at 0.
    Number(Source),
    /// The events that a consumer group has not committed.
    Lag(ConsumerGroup),
}

impl Backlog {
    /// The backlog with what `before` has captured.
    ///
    /// # Errors
    /// As [`Source::filled_in`].
    pub fn filled_in(&self, slots: &[Slot], values: &[Option<String>]) -> Result<Self, String> {
        let of = match &self.of {
            BacklogOf::Number(source) => BacklogOf::Number(source.filled_in(slots, values)?),
            BacklogOf::Lag(group) => BacklogOf::Lag(group.clone()),
        };
        let name = self.name.clone();
        Ok(Self { name, of })
    }
}
