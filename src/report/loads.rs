//! What each load came to: how much of its schedule was kept, and how close together the users of a
//! stampede were.

use serde::{Deserialize, Serialize};

use super::format::{count, counted};
use crate::measure::milliseconds;

/// One load's model and counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadSummary {
    /// The load's name.
    pub load: String,
    /// The executor as the scenario spells it.
    pub executor: String,
    /// `open` (starts follow a schedule) or `closed` (starts follow the answers).
    pub model: String,
    /// Iterations that ended.
    pub iterations: u64,
    /// Iterations that were due without a free VU.
    pub dropped: u64,
    /// Iterations that started; `None`: of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
    /// Iterations that were due by the schedule, each of which has started or was dropped; only the
    /// open model, and only when the load came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<u64>,
    /// Median of how late iterations started, in milliseconds; only the open model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_p50_ms: Option<f64>,
    /// 99th percentile of how late iterations started, in milliseconds; only the open model.
    pub lag_p99_ms: Option<f64>,
    /// The latest start, in milliseconds; only the open model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_max_ms: Option<f64>,
    /// How close together the users were; only a stampede.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stampede: Option<StampedeSummary>,
}

/// How close together the users of a stampede were.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StampedeSummary {
    /// Users whose first request was attempted.
    pub released: u64,
    /// Of them those who had no connection when it was to be written, and opened one then.
    pub unconnected: u64,
    /// From the release until the first request of each user was written; `None`: nobody wrote.
    pub first_byte_ms: Option<Spread>,
}

/// How far apart moments were, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Moments.
    pub count: u64,
    /// The earliest.
    pub min: f64,
    /// Median.
    pub p50: f64,
    /// 99 %.
    pub p99: f64,
    /// The latest.
    pub max: f64,
}

impl LoadSummary {
    /// What became of its schedule, in a sentence; `None` for the closed model.
    pub(super) fn schedule(&self) -> Option<String> {
        let (due, started) = (self.due?, self.started?);
        let late = match (self.lag_p50_ms, self.lag_p99_ms, self.lag_max_ms) {
            (Some(p50), Some(p99), Some(max)) => format!(
                "; late by {} ms (p50), {} ms (p99), {} ms at most",
                milliseconds(p50),
                milliseconds(p99),
                milliseconds(max)
            ),
            _ => String::new(),
        };
        Some(format!(
            "{} due, {} started, {} dropped{late}.",
            counted(due, "iteration"),
            count(started),
            count(self.dropped)
        ))
    }
}

impl StampedeSummary {
    /// In a sentence.
    pub(super) fn sentence(&self) -> String {
        let connected = match self.unconnected {
            0 if self.released == 1 => "its connection was open".to_owned(),
            0 => "all with an open connection".to_owned(),
            some => format!("{} of them without an open connection", count(some)),
        };
        let users = counted(self.released, "user");
        match self.first_byte_ms {
            None => format!("{users} released, {connected}; none came to write."),
            Some(spread) => format!(
                "{users} released at one instant, {connected}; the first bytes of {} were written {} \
                 to {} ms after it (p50 {} ms, p99 {} ms).",
                count(spread.count),
                milliseconds(spread.min),
                milliseconds(spread.max),
                milliseconds(spread.p50),
                milliseconds(spread.p99)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_told_only_where_there_is_one() {
        let mut load = LoadSummary {
            dropped: 3,
            started: Some(1197),
            ..LoadSummary::default()
        };
        assert_eq!(load.schedule(), None);
        load.due = Some(1200);
        let told = "1,200 iterations due, 1,197 started, 3 dropped";
        assert_eq!(load.schedule(), Some(format!("{told}.")));
        (load.lag_p50_ms, load.lag_p99_ms) = (Some(0.5), Some(1.25));
        load.lag_max_ms = Some(12.0);
        let late = "; late by 0.500 ms (p50), 1.25 ms (p99), 12.00 ms at most.";
        assert_eq!(load.schedule(), Some(format!("{told}{late}")));
    }

    #[test]
    fn a_stampede_tells_who_had_no_connection_and_who_never_wrote() {
        let mut stampede = StampedeSummary {
            released: 5000,
            unconnected: 0,
            first_byte_ms: None,
        };
        let sentence = stampede.sentence();
        assert!(sentence.ends_with("all with an open connection; none came to write."));
        stampede.unconnected = 12;
        stampede.first_byte_ms = Some(Spread {
            count: 4990,
            min: 0.25,
            p50: 20.0,
            p99: 41.5,
            max: 44.0,
        });
        let sentence = stampede.sentence();
        assert!(
            sentence.contains("12 of them without an open connection"),
            "{sentence}"
        );
        assert!(
            sentence.contains("the first bytes of 4,990 were written"),
            "{sentence}"
        );
    }
}
