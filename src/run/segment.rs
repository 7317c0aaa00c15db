//! What `run.json` keeps of one of several segments, and of a run that was merged from all of them.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::machine;
use super::start::StartAt;
use crate::history::Key;
use crate::plan::{Plan, Segment};
use crate::scenario::value::Span;

/// The first segment takes the others to be over when they must be by their own clocks, and so much
/// later: those clocks may be wrong.
pub(super) const OVER_AFTER: Duration = Duration::from_secs(1);

/// What merging needs of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentRecord {
    /// When all segments begin.
    pub start_at: StartAt,
    /// Stands for what the load is, of which each segment runs its part: the same in all of them.
    pub load: String,
    /// Which boot of which machine it ran on: programs of one share a clock.
    pub boot: Option<String>,
}

impl SegmentRecord {
    /// `None` where the plan is whole.
    pub(super) fn of(plan: &Plan, start_at: Option<StartAt>) -> Option<Self> {
        Some(Self {
            start_at: start_at.filter(|_| !plan.segment.is_whole())?,
            load: load_of(plan),
            boot: machine::boot(),
        })
    }
}

/// The same for plans of one load, whatever their segment: what variables of the environment have
/// brought into the numbers is in it, and no secret.
pub(super) fn load_of(plan: &Plan) -> String {
    let users = (plan.users.pool, plan.users.repeat.to_bits());
    let load = (&plan.loads, &plan.phases, &plan.subject, users, plan.seed);
    format!("{:016x}", Key::of(&format!("{load:?}")).0)
}

/// What a run was merged from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// How many segments.
    pub segments: u64,
    /// When all of them began, each by its own clock.
    pub start_at: StartAt,
    /// How many clocks that were: one for each machine and boot.
    pub clocks: u64,
    /// How far any of them may be from that of segment 1, in nanoseconds; 0 for one clock.
    pub skew_ns: u64,
}

impl fmt::Display for Merged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            segments,
            start_at,
            clocks,
            skew_ns,
        } = self;
        write!(f, "{segments} segments, all begun at {start_at}")?;
        if *clocks == 1 {
            return f.write_str(" by one clock");
        }
        let skew = Span(Duration::from_nanos(*skew_ns));
        write!(
            f,
            " by {clocks} clocks, which are taken to be at most {skew} from that of segment 1"
        )
    }
}

/// How far into the sequence of users a segment has gone that has taken so many.
pub(super) fn users_taken(segment: Segment, taken: u64) -> u64 {
    let last = taken.checked_sub(1);
    last.map_or(0, |last| segment.place(last) + 1)
}
