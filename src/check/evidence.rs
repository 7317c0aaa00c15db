//! What the checkers look at: the history of all attempts and the truth that was read.

use super::{Deliveries, IssuedRows, TablesRead};
use crate::history::{History, Operation};
use crate::plan::Plan;

/// All that a checker may look at.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// Stock, labels, steps, phases.
    pub plan: &'a Plan,
    /// Every attempt; can be read more than once.
    pub history: &'a dyn History,
    /// What was read from outside.
    pub observations: &'a Observations,
    /// What was broken on purpose, and when.
    pub faults: &'a [Broken],
    /// Why attempts may be missing in the history, for the end of a sentence; `None`: it is whole.
    pub gap: Option<&'a str>,
}

/// A time in which a fault was active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The fault's name.
    pub fault: String,
    /// When it was injected, nanoseconds since the run's origin.
    pub from_ns: u64,
    /// When it was healed; the largest number if it never was.
    pub to_ns: u64,
    /// What was seen behind it.
    pub after: After,
}

/// What was seen behind a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// All was as before, nanoseconds since the run's origin.
    Recovered {
        /// When.
        at_ns: u64,
    },
    /// It was not while anybody asked.
    StillBad {
        /// From the heal to the end of the last bad window, nanoseconds.
        bad_ns: u64,
        /// For the middle of a sentence.
        why: String,
    },
    /// Nobody can say.
    NotSeen {
        /// For the end of a sentence that begins with the fault.
        why: String,
    },
}

impl Evidence<'_> {
    /// Whether the operation's step can take something; others only look.
    pub(super) fn is_attempt(&self, operation: &Operation) -> bool {
        let step = self.plan.steps.get(usize::from(operation.step));
        step.is_some_and(|step| step.attempts_subject)
    }

    /// Whether the operation's step gives something back.
    pub(super) fn is_release(&self, operation: &Operation) -> bool {
        let releases = |label: u8| {
            let label = self.plan.labels.get(usize::from(label));
            label.is_some_and(crate::plan::Label::releases)
        };
        let step = self.plan.steps.get(usize::from(operation.step));
        step.is_some_and(|step| step.rules.iter().any(|rule| releases(rule.label)))
    }

    /// The names of all faults that were active at some moment of a closed interval, each once.
    pub(super) fn faults_in(&self, time_ns: Option<(u64, u64)>) -> Vec<String> {
        let Some((from_ns, to_ns)) = time_ns else {
            return Vec::new();
        };
        let mut names: Vec<String> = Vec::new();
        let meets = |one: &&Broken| one.from_ns <= to_ns && one.to_ns >= from_ns;
        for one in self.faults.iter().filter(meets) {
            if !names.contains(&one.fault) {
                names.push(one.fault.clone());
            }
        }
        names
    }
}

/// Everything that was read from outside.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observations {
    /// The issued rows before the load.
    pub baseline: Option<IssuedRead>,
    /// The issued rows once the system was quiet: the final truth D.
    pub last: Option<IssuedRead>,
    /// The issued rows some seconds later.
    pub second: Option<IssuedRead>,
    /// The stock that the system itself says it had.
    pub stock: Option<i64>,
    /// The remaining stock, read during the run.
    pub remaining: Vec<Reading>,
    /// The remaining stock at quiescence.
    pub remaining_last: Option<i64>,
    /// The way of the issued rows: outbox, events, effects.
    pub deliveries: Deliveries,
    /// Seats, ledger, balances.
    pub tables: Box<TablesRead>,
    /// How the wait for the final state ended; `None`: it was never waited for, or not to its end.
    pub settled: Option<Settled>,
    /// Reads that failed, in words without secrets.
    pub failures: Vec<String>,
}

/// How the wait for the final state ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The rows rested, and nothing waited to be written.
    Quiet,
    /// The rows rested until the time allowed was over, and this still waited to be written, for
    /// people: nobody works it off.
    Stuck(String),
    /// The rows or what waits to be written changed until the time allowed was over; what waited
    /// then, for people.
    Moving(Option<String>),
}

/// All issued rows at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IssuedRead {
    /// When the read was complete, nanoseconds since the run's origin.
    pub at_ns: u64,
    /// In the store's order.
    pub rows: IssuedRows,
}

/// One issued row as the authoritative store shows it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct IssuedRow {
    /// The user's id as stored.
    pub user: String,
    /// The coupon's id, where the truth has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When it was created, microseconds of Unix time, where the truth has a time that is
    /// certain (an epoch number, or text with a time zone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_us: Option<i64>,
    /// How coarse that time is, in microseconds (1,000,000 for whole seconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grain_us: Option<i64>,
}

/// A number that was read during the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Before the question was sent.
    pub inv_ns: u64,
    /// After the answer was read.
    pub ret_ns: u64,
    /// The number.
    pub value: i64,
}
