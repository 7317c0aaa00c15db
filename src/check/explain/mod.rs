//! The story of a case: what its users asked and were told, what happened meanwhile, which faults
//! were active, and what the truth says of them.

mod gather;
mod held;
mod tell;

use serde::{Deserialize, Serialize};

use crate::history::OutcomeKind;

pub(super) use gather::{About, Gathered, Subject, gather};
pub(super) use tell::tell;

/// What happened around the gravest case of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Whom it is about, the case's own user first. Empty for what was read from outside.
    pub users: Vec<String>,
    /// In the order of time.
    pub moments: Vec<Moment>,
    /// Attempts of these users that are not among the moments, since there are too many.
    pub left_out: u64,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When it began, nanoseconds since the run's origin.
    pub at_ns: u64,
    /// When it was over; `None`: it has no length, or its end is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ns: Option<u64>,
    /// What it is.
    pub what: What,
    /// The place of the user in [`Explanation::users`], of an attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<usize>,
    /// What the attempt came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeKind>,
    /// A clause for people. Names of users, coupons and faults stand between backticks.
    pub text: String,
}

/// What a moment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// How much was gone before the first attempt of the story.
    Before,
    /// An attempt of one of the users.
    Asked,
    /// What the attempts of all others came to in the meantime.
    Meanwhile,
    /// A fault was active.
    Fault,
    /// A number was read from outside during the run.
    Reading,
    /// What the issued rows say.
    Truth,
}
