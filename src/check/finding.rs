//! What a checker found: a verdict, its numbers, and the cases that prove it.

use serde::{Deserialize, Serialize};

use super::Explanation;
use crate::verdict::Verdict;

/// The answer of one checker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The invariant's name as the scenario spells it.
    pub checker: String,
    /// The gravest of its parts.
    pub verdict: Verdict,
    /// One sentence with the number that matters ("oversold by 7: 107 rows for a stock of 100").
    pub headline: String,
    /// Each part that was judged or counted.
    pub parts: Vec<Part>,
}

/// One thing that a checker judged or counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Short and stable, in snake case: `oversold`, `lost`, `recovered`.
    pub name: String,
    /// `Pass` for mere information.
    pub verdict: Verdict,
    /// How many cases.
    pub count: u64,
    /// One sentence for people.
    pub detail: String,
    /// The first, the worst and the last; never a dump.
    pub cases: Vec<Case>,
    /// How the gravest of them came about, where something is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// How many cases are listed one by one in a file of their own: the earliest, at most
    /// [`Self::MOST_LISTED`].
    #[serde(default)]
    pub listed: u64,
    /// Those cases, in the order of time. A summary does not hold them.
    #[serde(skip)]
    pub all: Vec<Case>,
}

impl Part {
    /// Of a hundred thousand cases nobody reads more than these.
    pub const MOST_LISTED: usize = 10_000;
}

/// Evidence that a reader can look up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Why this one is shown.
    pub which: Which,
    /// The user's id as it was sent or stored.
    pub user: String,
    /// When the attempt was invoked, nanoseconds since the run's origin.
    pub inv_ns: Option<u64>,
    /// When the answer was complete; `None`: there was no certain answer.
    pub ret_ns: Option<u64>,
    /// The phase's name.
    pub phase: Option<String>,
    /// Faults that were active at that moment.
    pub faults: Vec<String>,
    /// What is wrong about it.
    pub text: String,
}

/// Why a case is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The earliest.
    First,
    /// The gravest.
    Worst,
    /// The latest.
    Last,
    /// One of all.
    Any,
}
