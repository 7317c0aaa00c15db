//! The names that thresholds may use: k6's metrics, ours, and their tags.

use std::fmt;
use std::str::FromStr;

use super::{CustomMetric, Quantity, ThresholdError};

/// A metric of k6, one of ours, or one of the scenario's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    /// From the first request of a poll to the answer that ended it.
    PollDuration,
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
    /// What a scenario makes of its captures.
    Custom(CustomMetric),
    /// What is read from outside, beside the load.
    Resource(Quantity),
    /// From a fault's heal until all was as before.
    Recovery,
    /// From a fault's beginning until somebody noticed.
    Detection,
    /// Share of the attempts that failed while a fault was active.
    FaultRate,
    /// Share of the pairs of users who got one in another order than they asked.
    Fairness,
    /// How throughput grows with the users.
    Scalability,
}

/// Names of the field that are no typing errors, but that this version does not measure.
const NOT_MEASURED: [&str; 5] = [
    "cache_hits",
    "delivery_lag",
    "stock_remaining",
    "checks",
    "group_duration",
];

impl Metric {
    /// Every metric but those of scenarios, in the order in which messages list them.
    pub const ALL: [Self; 44] = [
        Self::HttpReqs,
        Self::HttpReqDuration,
        Self::HttpReqBlocked,
        Self::HttpReqConnecting,
        Self::HttpReqTlsHandshaking,
        Self::HttpReqSending,
        Self::HttpReqWaiting,
        Self::HttpReqReceiving,
        Self::HttpReqFailed,
        Self::Iterations,
        Self::IterationDuration,
        Self::PollDuration,
        Self::DroppedIterations,
        Self::DataSent,
        Self::DataReceived,
        Self::Vus,
        Self::VusMax,
        Self::Outcome,
        Self::ResponseTime,
        Self::ScheduleLag,
        Self::Issued,
        Self::UnknownRate,
        Self::LockFailed,
        Self::Resource(Quantity::CpuNs),
        Self::Resource(Quantity::MemoryBytes),
        Self::Resource(Quantity::Threads),
        Self::Resource(Quantity::OpenFiles),
        Self::Resource(Quantity::Connections),
        Self::Resource(Quantity::MaxConnections),
        Self::Resource(Quantity::ActiveConnections),
        Self::Resource(Quantity::Queries),
        Self::Resource(Quantity::RowLockWaits),
        Self::Resource(Quantity::RowLockTimeMs),
        Self::Resource(Quantity::RowLockWaiting),
        Self::Resource(Quantity::Commands),
        Self::Resource(Quantity::RejectedConnections),
        Self::Resource(Quantity::BlockedClients),
        Self::Resource(Quantity::UsedMemoryBytes),
        Self::Resource(Quantity::ConsumerLag),
        Self::Recovery,
        Self::Detection,
        Self::FaultRate,
        Self::Fairness,
        Self::Scalability,
    ];

    /// As thresholds and outputs spell it.
    pub fn name(&self) -> &str {
        match self {
            Self::HttpReqs => "http_reqs",
            Self::HttpReqDuration => "http_req_duration",
            Self::HttpReqBlocked => "http_req_blocked",
            Self::HttpReqConnecting => "http_req_connecting",
            Self::HttpReqTlsHandshaking => "http_req_tls_handshaking",
            Self::HttpReqSending => "http_req_sending",
            Self::HttpReqWaiting => "http_req_waiting",
            Self::HttpReqReceiving => "http_req_receiving",
            Self::HttpReqFailed => "http_req_failed",
            Self::Iterations => "iterations",
            Self::IterationDuration => "iteration_duration",
            Self::PollDuration => "poll_duration",
            Self::DroppedIterations => "dropped_iterations",
            Self::DataSent => "data_sent",
            Self::DataReceived => "data_received",
            Self::Vus => "vus",
            Self::VusMax => "vus_max",
            Self::Outcome => "outcome",
            Self::ResponseTime => "response_time",
            Self::ScheduleLag => "schedule_lag",
            Self::Issued => "issued",
            Self::UnknownRate => "unknown_rate",
            Self::LockFailed => "lock_failed",
            Self::Custom(custom) => &custom.name,
            Self::Resource(quantity) => quantity.metric(),
            Self::Recovery => "recovery",
            Self::Detection => "detection",
            Self::FaultRate => "rate",
            Self::Fairness => "fairness",
            Self::Scalability => "scalability",
        }
    }

    /// Which aggregates it has.
    pub const fn kind(&self) -> MetricKind {
        match self {
            Self::Custom(custom) => custom.kind,
            Self::Resource(quantity) => quantity.kind(),
            Self::HttpReqs
            | Self::Iterations
            | Self::DroppedIterations
            | Self::DataSent
            | Self::DataReceived
            | Self::Outcome
            | Self::Issued => MetricKind::Counter,
            Self::Vus | Self::VusMax | Self::Recovery | Self::Detection => MetricKind::Gauge,
            Self::HttpReqFailed
            | Self::UnknownRate
            | Self::LockFailed
            | Self::FaultRate
            | Self::Fairness => MetricKind::Rate,
            Self::Scalability => MetricKind::Scaling,
            Self::HttpReqDuration
            | Self::HttpReqBlocked
            | Self::HttpReqConnecting
            | Self::HttpReqTlsHandshaking
            | Self::HttpReqSending
            | Self::HttpReqWaiting
            | Self::HttpReqReceiving
            | Self::IterationDuration
            | Self::PollDuration
            | Self::ResponseTime
            | Self::ScheduleLag => MetricKind::Trend,
        }
    }

    /// What it can be narrowed by: the tags that its histograms or counters are kept apart by.
    pub const fn tags(&self) -> &'static [Tag] {
        match self {
            Self::HttpReqBlocked
            | Self::HttpReqConnecting
            | Self::HttpReqTlsHandshaking
            | Self::HttpReqSending
            | Self::HttpReqWaiting
            | Self::HttpReqReceiving
            | Self::Custom(_) => &[Tag::Phase, Tag::Step, Tag::Load],
            Self::ScheduleLag
            | Self::Iterations
            | Self::IterationDuration
            | Self::DroppedIterations => &[Tag::Phase, Tag::Load],
            Self::DataSent | Self::DataReceived | Self::Vus | Self::VusMax | Self::Fairness => &[],
            Self::Resource(_) => &[Tag::Source, Tag::Phase, Tag::Load],
            Self::Scalability => &[Tag::Load],
            Self::Recovery | Self::FaultRate => &[Tag::Fault],
            Self::Detection => &[Tag::Fault, Tag::By],
            Self::HttpReqs
            | Self::HttpReqDuration
            | Self::HttpReqFailed
            | Self::Outcome
            | Self::PollDuration
            | Self::ResponseTime
            | Self::Issued
            | Self::UnknownRate
            | Self::LockFailed => &Tag::OF_REQUESTS,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Metric {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::find(text, &[])
    }
}

impl Metric {
    /// Whether it is about faults, and so not known before the load has ended.
    pub const fn is_of_faults(&self) -> bool {
        matches!(self, Self::Recovery | Self::Detection | Self::FaultRate)
    }

    /// The metric of this name, which may be one of those that the scenario declares.
    ///
    /// # Errors
    /// There is none, with the name that was probably meant.
    pub fn find(text: &str, declared: &[CustomMetric]) -> Result<Self, ThresholdError> {
        if let Some(custom) = declared.iter().find(|custom| custom.name == text) {
            return Ok(Self::Custom(custom.clone()));
        }
        if let Some(metric) = Self::ALL.into_iter().find(|metric| metric.name() == text) {
            return Ok(metric);
        }
        let built_in = Self::ALL.map(|metric| metric.name().to_owned());
        let names = built_in.iter().map(String::as_str);
        let names = names.chain(declared.iter().map(|custom| custom.name.as_str()));
        let (message, hint) = if NOT_MEASURED.contains(&text) {
            (
                format!("`{text}` is not supported by this version yet"),
                list("metrics", names),
            )
        } else {
            let hint = nearest(text, names.clone()).map_or_else(
                || list("metrics", names),
                |name| format!("did you mean `{name}`?"),
            );
            (format!("unknown metric `{text}`"), hint)
        };
        Err(ThresholdError {
            message,
            hint: Some(hint),
        })
    }

    /// Whether no scenario may give a metric this name: there is one already, or will be.
    pub fn is_taken(text: &str) -> bool {
        NOT_MEASURED.contains(&text) || Self::ALL.iter().any(|metric| metric.name() == text)
    }
}

/// The name that was probably meant, if one is close enough to be worth a suggestion.
pub(super) fn nearest<'a>(
    text: &str,
    names: impl Iterator<Item = &'a str> + 'a,
) -> Option<&'a str> {
    let near = names.map(|name| (strsim::jaro_winkler(text, name), name));
    near.filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

/// All choices on one line, for a hint.
pub(super) fn list<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    format!("{what}: {}", names.join(", "))
}

/// How a metric is aggregated, as in k6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// `count`, `rate` (per second).
    Counter,
    /// `value`.
    Gauge,
    /// `rate` (a share, 0 to 1).
    Rate,
    /// `avg`, `min`, `max`, `med`, `p(N)`, `count`.
    Trend,
    /// `efficiency`, `contention`, `coherency`, `peak`.
    Scaling,
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
    /// The name of what is measured from outside.
    Source,
    /// A fault's name, or that of the chaos that made it.
    Fault,
    /// Who noticed it.
    By,
}

impl MetricKind {
    /// Its aggregates as a threshold spells them.
    pub const fn aggregates(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["count", "rate"],
            Self::Gauge => &["value"],
            Self::Rate => &["rate"],
            Self::Trend => &["avg", "min", "max", "med", "p(N)", "count"],
            Self::Scaling => &["efficiency", "contention", "coherency", "peak"],
        }
    }
}

impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Rate => "rate",
            Self::Trend => "trend",
            Self::Scaling => "scaling",
        })
    }
}

impl Tag {
    /// Every tag, in the order in which messages list them.
    pub const ALL: [Self; 7] = [
        Self::Phase,
        Self::Step,
        Self::Outcome,
        Self::Load,
        Self::Source,
        Self::Fault,
        Self::By,
    ];

    /// Those that tell requests apart.
    pub(crate) const OF_REQUESTS: [Self; 4] = [Self::Phase, Self::Step, Self::Outcome, Self::Load];

    /// As a threshold spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phase => "phase",
            Self::Step => "step",
            Self::Outcome => "outcome",
            Self::Load => "load",
            Self::Source => "source",
            Self::Fault => "fault",
            Self::By => "by",
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Tag {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(tag) = Self::ALL.into_iter().find(|tag| tag.name() == text) {
            return Ok(tag);
        }
        let message = format!("unknown tag `{text}`");
        // k6's tags that have a counterpart here under another name.
        let hint = match text {
            "name" | "url" | "method" | "group" => {
                "use `step`, a request's name in its flow".into()
            }
            "scenario" => "use `load`, a load's name".into(),
            "status" | "expected_response" | "error" | "error_code" | "check" => {
                "use `outcome`, the name that the scenario gives an answer".into()
            }
            _ => list("tags", Self::ALL.iter().map(|tag| tag.name())),
        };
        Err(ThresholdError {
            message,
            hint: Some(hint),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_and_tag_is_read_as_it_is_shown() {
        for metric in Metric::ALL {
            assert_eq!(metric.to_string().parse(), Ok(metric));
        }
        for tag in Tag::ALL {
            assert_eq!(tag.to_string().parse(), Ok(tag));
        }
    }

    #[test]
    fn an_unknown_metric_names_the_nearest_or_all() {
        let hint = |text: &str| text.parse::<Metric>().expect_err(text).hint.expect(text);
        assert_eq!(
            hint("http_req_duratoin"),
            "did you mean `http_req_duration`?"
        );
        assert_eq!(
            hint("http_request_duration"),
            "did you mean `http_req_duration`?"
        );
        assert_eq!(hint("HTTP_REQS"), hint("?"), "nothing is near");
        assert!(hint("?").starts_with("metrics: http_reqs, "));
    }

    #[test]
    fn what_is_not_measured_is_told_apart_from_what_is_not_known() {
        for name in NOT_MEASURED {
            let error = name.parse::<Metric>().expect_err(name);
            assert_eq!(
                error.message,
                format!("`{name}` is not supported by this version yet")
            );
        }
    }
}
