//! What happened to a fault, moment by moment.

use serde::{Deserialize, Serialize};

/// One moment of one occurrence of a fault. Times are nanoseconds since the run's origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultMark {
    /// When.
    pub at_ns: u64,
    /// Index into the plan's faults.
    pub fault: u16,
    /// A fault may happen several times: from 1.
    pub occurrence: u32,
    /// What happened.
    #[serde(flatten)]
    pub moment: Moment,
}

/// What can happen to a fault. In order: asked, applied, effect seen, healing, healed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "moment", rename_all = "snake_case")]
pub enum Moment {
    /// It was due. What is to be broken, by name, and what would undo it is on the disk.
    Asked {
        /// As reports call them: `redis-1`, `coupon-2`.
        victims: Vec<String>,
        /// When the timeline wanted it, for a fault with a fixed time.
        due_ns: Option<u64>,
    },
    /// It was injected.
    Applied,
    /// It could not be injected.
    NotApplied {
        /// In words.
        why: String,
    },
    /// It was seen to bite, by a probe of its own.
    EffectSeen {
        /// What was seen.
        what: String,
    },
    /// It was never seen to bite while it lasted.
    EffectNotSeen {
        /// What was seen at last.
        what: String,
    },
    /// Healing began: it is over.
    Healing,
    /// The victims answer as before.
    Healed,
    /// They do not.
    NotHealed {
        /// In words.
        why: String,
    },
    /// The load ended before it was due.
    NeverDue,
}
