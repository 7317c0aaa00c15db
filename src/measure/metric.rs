//! The names that thresholds may use: k6's metrics, ours, and their tags.

use std::fmt;

/// A metric of k6 or one of ours that this version measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Attempts.
    HttpReqs,
    /// Service time.
    HttpReqDuration,
    /// Waiting for a connection.
    HttpReqBlocked,
    /// TCP connect.
    HttpReqConnecting,
    /// TLS handshake.
    HttpReqTlsHandshaking,
    /// Writing the request.
    HttpReqSending,
    /// Waiting for the first byte.
    HttpReqWaiting,
    /// Reading the answer.
    HttpReqReceiving,
    /// Share of attempts that ended not sent, unknown or with a declared error.
    HttpReqFailed,
    /// Iterations that ended.
    Iterations,
    /// A whole iteration.
    IterationDuration,
    /// Iterations that were due without a free VU.
    DroppedIterations,
    /// Bytes written.
    DataSent,
    /// Bytes read.
    DataReceived,
    /// VUs now.
    Vus,
    /// The most VUs.
    VusMax,
    /// Attempts; meant for the tag `outcome`.
    Outcome,
    /// From the intended start.
    ResponseTime,
    /// How late iterations started.
    ScheduleLag,
    /// Attempts that were confirmed.
    Issued,
    /// Share of attempts that ended unknown.
    UnknownRate,
    /// Share of attempts with the outcome `lock_failed`.
    LockFailed,
}

/// How a metric is aggregated, as in k6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// `count`, `rate` (per second).
    Counter,
    /// `value`.
    Gauge,
    /// `rate` (a share, 0 to 1).
    Rate,
    /// `avg`, `min`, `max`, `med`, `p(N)`, `count`.
    Trend,
}

/// What a threshold can be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// A phase's name.
    Phase,
    /// A step's name.
    Step,
    /// An outcome's name.
    Outcome,
    /// A load's name.
    Load,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Phase => "phase",
            Self::Step => "step",
            Self::Outcome => "outcome",
            Self::Load => "load",
        })
    }
}
