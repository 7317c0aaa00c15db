//! Playbooks: what people wrote down beforehand about an incident, by which signs it is known and
//! what is done about it; read with the positions and diagnostics of scenarios.

mod decode;
mod texts;

use std::time::Duration;

use crate::scenario::value::Pattern;

pub use decode::{read, read_file};
pub use texts::read_texts;

/// One incident that somebody was prepared for.
#[derive(Debug, Clone, PartialEq)]
pub struct Playbook {
    /// Unique among the playbooks of a report.
    pub id: String,
    /// What it is called.
    pub title: Bilingual,
    /// Only for runs in which some step's name or path has this; `None`: for every run.
    pub steps: Option<Pattern>,
    /// How many of the symptoms must be there; at least 1, at most all.
    pub needs: usize,
    /// At least one.
    pub symptoms: Vec<Symptom>,
    /// What is done at once.
    pub now: Course,
    /// What is done next.
    pub short: Course,
    /// What is done in the end.
    pub long: Course,
    /// What keeps it from coming again.
    pub prevention: Vec<Bilingual>,
}

/// A text in each language of the reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bilingual {
    /// English.
    pub en: String,
    /// Korean.
    pub ko: String,
}

/// Measures that belong together in time.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Done by then, counted from the incident.
    pub within: Duration,
    /// At least one.
    pub measures: Vec<Measure>,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// What.
    pub what: Bilingual,
    /// Who, where it is known.
    pub owner: Option<Bilingual>,
}

/// A sign, and the limit above which it is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Symptom {
    /// What is looked at.
    pub of: Sign,
    /// In the unit of the sign; it is there above this.
    pub above: f64,
    /// How long it must last, in seconds; 0 where it is of the whole run.
    pub lasts_s: u64,
}

/// What can be looked at in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// 95th percentile of the response time of a second, in milliseconds.
    Response,
    /// The share of attempts that ended with this outcome, 0 to 1.
    Outcome(String),
    /// The share of failed requests, 0 to 1.
    Failed,
    /// Attempts for which no connection was made.
    ConnectFailures,
    /// CPU of the measured processes but the harness, as a share of the machine's cores.
    Cpu,
    /// Resident memory of the measured processes but the harness, as a share of the machine's.
    Memory,
    /// Connections that a database has open, as a share of those that the system's pools or the
    /// database itself allow.
    Connections,
    /// Waits for row locks, each second.
    RowLockWaits,
    /// Events that a consumer group has not read.
    ConsumerLag,
    /// Faults that were injected, of a party (`redis`, `database`, `kafka`, `server`, `client`) or of
    /// one kind of it (`redis.kill`).
    Fault(String),
    /// Violations of this invariant: 1 where it is refuted.
    Invariant(String),
}
