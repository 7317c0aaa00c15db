//! What was seen of alerts, change by change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One change of what is told about alerts. Times are nanoseconds since the run's origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertMark {
    /// When the answer that tells it was there, or it was certain that none comes.
    pub at_ns: u64,
    /// What has changed.
    #[serde(flatten)]
    pub change: AlertChange,
}

/// What can change between two readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum AlertChange {
    /// The first answer has come: alerts are watched from here on.
    Watched,
    /// An alert fires that did not at the reading before.
    Firing {
        /// From 0; an alert that fires again has a new number.
        alert: u32,
        /// As its rule calls it.
        name: String,
        /// Its labels without the name; long ones are cut.
        labels: BTreeMap<String, String>,
    },
    /// It fires no more.
    Cleared {
        /// As when it began to fire.
        alert: u32,
    },
    /// The first of some readings that brought no answer.
    Silent {
        /// In words.
        why: String,
    },
    /// An answer has come again.
    Heard {
        /// Readings without one until then.
        missed: u64,
    },
    /// Alerts are watched no longer.
    Ended {
        /// Readings that were answered.
        readings: u64,
        /// Readings that were not.
        missed: u64,
    },
}
