//! The sum of all that was measured, by series.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// What a histogram holds: times in microseconds, or what became of captured texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Trend {
    /// Service time: sending + waiting + receiving. By phase, step and label.
    Duration = 0,
    /// From the intended start to the end of the answer. By phase, step and label.
    ResponseTime = 1,
    /// Waiting for a connection, connecting and TLS included. By phase and step, like the next ones.
    Blocked = 2,
    /// TCP connect; only requests that made a connection.
    Connecting = 3,
    /// TLS handshake; only requests that made a connection.
    TlsHandshaking = 4,
    /// From the first to the last written byte.
    Sending = 5,
    /// From the last written to the first read byte.
    Waiting = 6,
    /// From the first to the last read byte.
    Receiving = 7,
    /// How late an iteration started. By phase.
    ScheduleLag = 8,
    /// A whole iteration, pauses included. By phase.
    IterationDuration = 9,
    /// From the first request of a poll to the answer that ended it. By phase, step and label.
    PollDuration = 10,
    /// The values of a custom metric, in thousandths. By phase, step and metric, like the next ones.
    Value = 11,
    /// Their exact sum: the number of samples, each of value 1, is the sum in thousandths. A
    /// histogram of the values only knows it nearly.
    Sum = 12,
    /// Texts that are no values, by [`super::LeftOut`].
    LeftOut = 13,
    /// From the release of a stampede until a user's first request was about to be written; only of
    /// those who came to write. By phase, like the next one.
    Release = 14,
    /// Whether a user of a stampede had no connection when it was to write: 1, else 0.
    Unconnected = 15,
}

impl Trend {
    /// Every trend in the order of its number.
    pub const ALL: [Self; 16] = [
        Self::Duration,
        Self::ResponseTime,
        Self::Blocked,
        Self::Connecting,
        Self::TlsHandshaking,
        Self::Sending,
        Self::Waiting,
        Self::Receiving,
        Self::ScheduleLag,
        Self::IterationDuration,
        Self::PollDuration,
        Self::Value,
        Self::Sum,
        Self::LeftOut,
        Self::Release,
        Self::Unconnected,
    ];

    /// Significant decimal digits of its histograms: 3 where percentiles are reported and judged,
    /// 2 for the parts of a request, which are many.
    pub const fn digits(self) -> u8 {
        match self {
            Self::Duration
            | Self::ResponseTime
            | Self::IterationDuration
            | Self::Value
            | Self::Release => 3,
            _ => 2,
        }
    }
}

/// The place of a step or label in a series that has none.
pub const NO_INDEX: u8 = u8::MAX;

/// What one histogram is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId {
    /// What is measured.
    pub trend: Trend,
    /// Index into [`crate::plan::Plan::phases`].
    pub phase: u16,
    /// Index into [`crate::plan::Plan::steps`], or [`NO_INDEX`].
    pub step: u8,
    /// Index into [`crate::plan::Plan::labels`], for custom metrics into
    /// [`crate::plan::Plan::metrics`], or [`NO_INDEX`].
    pub label: u8,
}

/// All histograms and counters of a run, or of a part of it.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Each attempt is in exactly one [`Trend::Duration`] series, so counts by
    /// label, step and phase are the lengths of those histograms. Attempts that were not sent are
    /// in the series of label `not_sent`, which latency figures leave out.
    pub trends: BTreeMap<SeriesId, Histogram<u64>>,
    /// Iterations that were due without a free VU, by phase.
    pub dropped: Vec<u64>,
    /// Bytes written to connections.
    pub data_sent: u64,
    /// Bytes read from connections.
    pub data_received: u64,
    /// VUs at the moment of the last second.
    pub vus: u64,
    /// The most VUs of any second.
    pub vus_max: u64,
    /// The load part so far.
    pub elapsed: Duration,
}

impl Totals {
    /// Adds a histogram to its series.
    ///
    /// # Panics
    /// Never: the histograms grow as needed.
    pub fn add(&mut self, id: SeriesId, histogram: &Histogram<u64>) {
        let sum = self.trends.entry(id).or_insert_with(|| {
            Histogram::new(id.trend.digits()).expect("2 and 3 digits are valid")
        });
        sum.add(histogram)
            .expect("a histogram that grows takes every value");
    }

    /// All series of the trend that the condition picks, added up; `None` without a sample.
    ///
    /// # Panics
    /// Never: the histograms grow as needed.
    pub fn merged(
        &self,
        trend: Trend,
        picks: impl Fn(&SeriesId) -> bool,
    ) -> Option<Histogram<u64>> {
        let mut sum: Option<Histogram<u64>> = None;
        for (_, histogram) in self
            .trends
            .iter()
            .filter(|(id, _)| id.trend == trend && picks(id))
        {
            let sum = sum.get_or_insert_with(|| {
                Histogram::new(trend.digits()).expect("2 and 3 digits are valid")
            });
            sum.add(histogram)
                .expect("a histogram that grows takes every value");
        }
        sum.filter(|sum| !sum.is_empty())
    }

    /// Samples in all series of the trend that the condition picks.
    pub fn count(&self, trend: Trend, picks: impl Fn(&SeriesId) -> bool) -> u64 {
        let series = self
            .trends
            .iter()
            .filter(|(id, _)| id.trend == trend && picks(id));
        series.map(|(_, histogram)| histogram.len()).sum()
    }
}
