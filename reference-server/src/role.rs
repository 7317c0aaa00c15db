//! Which of the servers a process is.

use std::fmt;

use clap::ValueEnum;

/// The part that one process plays in a system of several.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Answers users, and writes the rows of published events
    #[default]
    All,
    /// Answers users only
    Coupon,
    /// Writes the rows of published events only
    Issuer,
    /// The entrance: counts requests, forwards them, or sends users to the queue
    Router,
    /// The queue: positions, admission, and removal of those who are gone
    Queue,
}

impl Role {
    /// Whether it decides who gets a coupon.
    pub(crate) fn answers_users(self) -> bool {
        matches!(self, Self::All | Self::Coupon)
    }

    /// Whether it consumes events.
    pub(crate) fn writes_rows(self) -> bool {
        matches!(self, Self::All | Self::Issuer)
    }
}

/// As it is written on the command line.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
