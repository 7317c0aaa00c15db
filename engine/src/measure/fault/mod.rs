//! What each fault came to: when it bit, who noticed, what it cost, and when all was as before.
//!
//! ```text
//!  baseline        |<------ active ------->|            recovered
//!  ................|=======================|...x....x...oooo|.......
//!            applied                  healed     good windows, M running
//! ```
//! The definitions and their reasons are in `docs/faults.md`, section "What is measured".

mod observer;
mod occurrence;
mod tally;
mod window;

#[cfg(test)]
mod tests;

pub use observer::{Load, Observer};
pub use occurrence::{Occurrence, occurrences};
pub use window::Baseline;

use crate::measure::alert::Alerted;
use crate::plan::fault::Fault;

/// One occurrence of a fault, and what was measured of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Its moments.
    pub occurrence: Occurrence,
    /// The start of the first window that was bad for those who asked, nanoseconds.
    pub first_bad_ns: Option<u64>,
    /// Who noticed it, each once, the first first.
    pub noticed: Vec<Detected>,
    /// What alerts had to say while it was active or not recovered from; `None`: none was watched.
    pub alerted: Option<Alerted>,
    /// When those who asked were served as before.
    pub recovery: Recovery,
    /// What "as before" is; `None`: too little was asked before it to tell.
    pub baseline: Option<Baseline>,
    /// How long one window is, nanoseconds; 0 if it was never applied.
    pub window_ns: u64,
    /// Attempts whose time from sent to answered meets the time in which it was active.
    pub attempts: u64,
    /// Of them failed, those without a certain answer included.
    pub failed: u64,
    /// Of them without a certain answer.
    pub unknown: u64,
    /// How long after the heal the last of the attempts was open that were sent before it,
    /// nanoseconds; `None`: all had been answered.
    pub open_after_heal_ns: Option<u64>,
    /// Other occurrences that were active between its beginning and its recovery: indices into the
    /// same list.
    pub beside: Vec<usize>,
}

/// Who noticed a fault, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Detected {
    /// Nanoseconds since the run's origin.
    pub at_ns: u64,
    /// Who.
    pub by: Detector,
}

/// Who can notice a fault. The first is taken where two are as early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detector {
    /// The probe of its effect.
    Effect,
    /// Those who asked: a window was bad.
    Clients,
    /// A threshold that ends the load.
    Threshold,
    /// An alert that began to fire.
    Alert,
}

impl Detector {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Effect, Self::Clients, Self::Threshold, Self::Alert];

    /// As reports call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Effect => "effect",
            Self::Clients => "clients",
            Self::Threshold => "threshold",
            Self::Alert => "alert",
        }
    }
}

/// When all was as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// At the end of the first good windows running, nanoseconds since the run's origin.
    At(u64),
    /// Not as long as it was looked at, which is so many nanoseconds from the heal.
    NotWithin {
        /// From the heal to the last attempt, or for as long as windows are kept.
        seen_ns: u64,
        /// From the heal to the end of the last bad window; `None`: none was bad.
        bad_ns: Option<u64>,
        /// Why it was not looked at any longer.
        until: Until,
    },
    /// It was never healed, or never applied.
    NotHealed,
}

/// What ended the look at a recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Nothing was sent any more, and what had been was too little to tell: no window was bad, but
    /// there were not as many good ones running as a recovery needs.
    TooLittle,
    /// Nothing was sent any more.
    LoadEnded,
    /// Windows are not kept any longer.
    Kept,
}

impl Measured {
    /// Nanoseconds from the heal to the recovery.
    pub fn recovery_ns(&self) -> Option<u64> {
        match self.recovery {
            Recovery::At(at) => Some(at.saturating_sub(self.occurrence.healed_ns?)),
            _ => None,
        }
    }

    /// Who noticed it first.
    pub fn detected(&self) -> Option<Detected> {
        self.noticed.first().copied()
    }

    /// Nanoseconds from the beginning to the moment at which somebody noticed.
    pub fn detection_ns(&self) -> Option<u64> {
        self.since_applied(self.detected()?)
    }

    /// The same for one of those who can notice it.
    pub fn detection_by_ns(&self, by: Detector) -> Option<u64> {
        let noticed = self.noticed.iter().find(|one| one.by == by);
        self.since_applied(*noticed?)
    }

    fn since_applied(&self, noticed: Detected) -> Option<u64> {
        Some(noticed.at_ns.saturating_sub(self.occurrence.applied_ns?))
    }
}

/// Whether a threshold's `fault:NAME` means this fault: by its name, or as one of NAME-1, NAME-2 and
/// so on, as `chaos` names what it makes.
pub fn is_meant(fault: &Fault, name: &str) -> bool {
    let numbered = || {
        let number = fault.name.strip_prefix(name)?.strip_prefix('-')?;
        number
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(!number.is_empty())
    };
    fault.name == name || numbered().unwrap_or(false)
}
