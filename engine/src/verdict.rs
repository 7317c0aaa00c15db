//! The answer of a check, a threshold or a whole run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What was found: the order is the order of gravity, so the worst of many is their maximum.
///
/// ```
/// use fcfs_engine::verdict::Verdict;
/// assert_eq!(Verdict::worst([Verdict::Pass, Verdict::Unknown]), Verdict::Unknown);
/// assert_eq!(Verdict::worst([Verdict::Fail, Verdict::Unknown]), Verdict::Fail);
/// assert_eq!(Verdict::worst([]), Verdict::Unknown, "no evidence is never a pass");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The claim was tested and held.
    Pass,
    /// The claim could not be decided: evidence is missing, vacuous or lost.
    Unknown,
    /// The claim is refuted by a case that can be shown.
    Fail,
}

impl Verdict {
    /// The gravest of several verdicts; `Unknown` when there are none.
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().max().unwrap_or(Self::Unknown)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        })
    }
}
