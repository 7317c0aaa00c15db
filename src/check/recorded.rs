//! What was recorded of attempts beside who made them, and whether all of it is there.

use std::io;

use super::Evidence;
use super::digest::Truth;
use super::draft::{DraftPart, count_of};
use crate::history::Key;
use crate::verdict::Verdict;

/// What a case is about beside its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Thing {
    /// A seat.
    Seat(Key),
    /// A charge, by its idempotency key.
    Charge(Key),
    /// An account.
    Account(Key),
}

impl Thing {
    pub(super) const fn key(self) -> Key {
        match self {
            Self::Seat(key) | Self::Charge(key) | Self::Account(key) => key,
        }
    }

    /// What kind of thing it is.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Seat(_) => "seat",
            Self::Charge(_) => "key",
            Self::Account(_) => "account",
        }
    }
}

/// Attempts of the recorded steps that the history has, and of which nothing more was recorded.
pub(super) fn missing(evidence: &Evidence<'_>) -> io::Result<u64> {
    let mut missing = 0_u64;
    for operation in evidence.history.operations()? {
        missing += u64::from(evidence.plan.details.is_recorded(operation?.step));
    }
    for detail in evidence.history.details()? {
        detail?;
        missing = missing.saturating_sub(1);
    }
    Ok(missing)
}

/// Why not everything can be decided, in parts of their own. What is proved fails all the same.
pub(super) fn doubts(
    (truth, why): (Truth, &str),
    missing: u64,
    unnamed: (u64, &str),
    confirmed: u64,
) -> Vec<DraftPart> {
    let unknown = |name, count, detail| DraftPart::new(name, Verdict::Unknown, count, detail);
    let mut doubts = Vec::new();
    if confirmed == 0 {
        let detail = "nothing was confirmed, so nothing was tested".to_owned();
        doubts.push(unknown("confirmed", 0, detail));
    }
    if truth != Truth::Final {
        let detail = format!("what is missing may come, or was not read: {why}");
        doubts.push(unknown("quiescence", 0, detail));
    }
    if missing > 0 {
        let detail = format!(
            "of {} it was not recorded what they were about",
            count_of(missing, "attempt")
        );
        doubts.push(unknown("recorded", missing, detail));
    }
    let (count, what) = unnamed;
    if count > 0 {
        let detail = format!("{} {what}", count_of(count, "confirmation"));
        doubts.push(unknown("named", count, detail));
    }
    doubts
}
