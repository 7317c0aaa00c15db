//! Pure checkers: the history and the observations in, a finding out; no clock, no I/O of their own.

mod acknowledged;
mod asked;
mod balances;
mod confirmations;
mod deliveries;
mod delivery;
mod digest;
mod draft;
mod evidence;
mod explain;
mod fairness;
mod finding;
mod first_come_first_served;
mod index;
mod inversions;
mod issued_rows;
mod level;
mod moments;
mod one_per_user;
mod queue;
mod reads;
mod recorded;
mod recovery;
mod releases;
mod seats;
mod stock;
mod tables;
#[cfg(test)]
mod tests;
mod users;

pub use deliveries::{Deliveries, End, Event, EventsRead, Ids, Range};
pub use evidence::{
    After, Broken, Evidence, IssuedRead, IssuedRow, Observations, Reading, Settled,
};
pub use explain::{Explanation, Moment, What};
pub use fairness::Fairness;
pub use finding::{Case, Finding, Part, Which};
pub use issued_rows::{IssuedRows, RowView};
pub use tables::{TableRead, TableReads, TableRows, TablesRead};

use crate::plan::Invariant;
use digest::Digest;

/// What is found and measured in one go.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked {
    /// One for each invariant.
    pub findings: Vec<Finding>,
    /// How far the order of issue is the order of asking; `None`: nobody asked for it.
    pub fairness: Option<Result<Fairness, &'static str>>,
}

/// Judges every invariant of the plan, in the plan's order.
///
/// # Errors
/// When the history cannot be read.
pub fn check(evidence: &Evidence<'_>) -> std::io::Result<Vec<Finding>> {
    if evidence.plan.invariants.is_empty() {
        return Ok(Vec::new());
    }
    check_and_measure(evidence).map(|checked| checked.findings)
}

/// The same, and what thresholds are judged by.
///
/// # Errors
/// When the history cannot be read.
pub fn check_and_measure(evidence: &Evidence<'_>) -> std::io::Result<Checked> {
    let invariants = &evidence.plan.invariants;
    let digest = Digest::build(evidence)?;
    let line = queue::Line::of(evidence)?;
    let judge = |invariant: &Invariant| {
        Ok(match invariant {
            Invariant::Stock => stock::check(&digest),
            Invariant::OnePerUser => one_per_user::check(&digest),
            Invariant::Acknowledged => acknowledged::check(&digest),
            Invariant::FirstComeFirstServed(duplicates) => {
                first_come_first_served::check(&digest, *duplicates)
            }
            Invariant::Delivery(by) => delivery::check(&digest, *by),
            Invariant::Recovery(within) => recovery::check(&digest, *within),
            Invariant::Queue => queue::check(line.as_ref(), evidence.gap),
            Invariant::Seats => seats::check(evidence)?,
            Invariant::Balances => balances::check(evidence)?,
        })
    };
    let wanted = evidence.plan.measures_fairness();
    let fairness = wanted.then(|| fairness::measure(&digest));
    let drafts: std::io::Result<Vec<_>> = invariants.iter().map(judge).collect();
    let findings = draft::finish(drafts?, evidence)?;
    Ok(Checked { findings, fairness })
}
