//! Which of the servers a process is.

use std::fmt;

use clap::ValueEnum;

/// The part that one process plays in a system of several.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// The whole coupon server in one process
    #[default]
    All,
    /// The entrance: counts requests, forwards them, or sends users to the queue
    Router,
    /// The queue: positions, admission, and removal of those who are gone
    Queue,
}

/// As it is written on the command line.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
