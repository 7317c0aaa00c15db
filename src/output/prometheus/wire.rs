//! Remote write 1.0 on the wire: messages of protocol buffers, compressed by snappy.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use prometheus::proto::{MetricFamily, MetricType};
use prost::Message;

/// A series ends here (the specification's bits; any other NaN is a value).
pub(super) const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Series of one request, as receivers expect them (Prometheus sends 2,000 at most).
const MOST_SERIES: usize = 2_000;

/// `prometheus.WriteRequest`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct WriteRequest {
    /// Series with their samples.
    #[prost(message, repeated, tag = "1")]
    pub(super) timeseries: Vec<TimeSeries>,
}

/// `prometheus.TimeSeries`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TimeSeries {
    /// Sorted by name, each once.
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    /// In order of time.
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
}

/// `prometheus.Label`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
pub(super) struct Label {
    /// `__name__` for the metric.
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// Not empty: an empty label is none.
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// `prometheus.Sample`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Sample {
    /// What was read.
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    /// Milliseconds of Unix time.
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

/// The labels of one series, sorted.
type Labels = Vec<Label>;

/// Every series as remote write sees it: each bucket, sum and count is one. `more` are labels that
/// all of them get, as a scraper would add them.
pub(super) fn values(families: &[MetricFamily], more: &[(&str, &str)]) -> BTreeMap<Labels, f64> {
    let mut values = BTreeMap::new();
    for family in families {
        for metric in family.get_metric() {
            let own = metric.get_label().iter();
            let own = own.map(|label| (label.name(), label.value()));
            let common: Vec<_> = own.chain(more.iter().copied()).collect();
            let mut take = |suffix: &str, bound: Option<&str>, value: f64| {
                let name = format!("{}{suffix}", family.name());
                values.insert(labels(&name, &common, bound), value);
            };
            match family.get_field_type() {
                MetricType::COUNTER => take("", None, metric.get_counter().get_value()),
                MetricType::HISTOGRAM => {
                    let histogram = metric.get_histogram();
                    for bucket in histogram.get_bucket() {
                        let bound = bucket.upper_bound().to_string();
                        take("_bucket", Some(&bound), bucket.cumulative_count() as f64);
                    }
                    let count = histogram.get_sample_count() as f64;
                    take("_bucket", Some("+Inf"), count);
                    take("_sum", None, histogram.get_sample_sum());
                    take("_count", None, count);
                }
                _ => take("", None, metric.get_gauge().get_value()),
            }
        }
    }
    values
}

fn labels(name: &str, common: &[(&str, &str)], bound: Option<&str>) -> Labels {
    let bound = bound.map(|bound| ("le", bound));
    let all = common.iter().copied().chain(bound);
    let mut labels: Labels = all
        .chain([("__name__", name)])
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| Label {
            name: name.to_owned(),
            value: value.to_owned(),
        })
        .collect();
    labels.sort();
    labels
}

/// A request as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    /// The compressed message.
    pub(super) body: Bytes,
    /// Samples in it.
    pub(super) samples: u64,
    /// When they were read, milliseconds of Unix time.
    pub(super) at_ms: i64,
}

/// What was told of, so that a series that is not there any more can be ended.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeSet<Labels>);

impl Told {
    /// The requests that tell of these values, and that those are over which were told of before
    /// and are not among them.
    pub(super) fn requests(&mut self, values: BTreeMap<Labels, f64>, at_ms: i64) -> Vec<Packed> {
        let now: BTreeSet<Labels> = values.keys().cloned().collect();
        let over = std::mem::replace(&mut self.0, now);
        let over = over.into_iter().filter(|labels| !self.0.contains(labels));
        let over: Vec<_> = over.map(|labels| (labels, STALE)).collect();
        let series = values.into_iter().chain(over);
        let series = series.map(|(labels, value)| TimeSeries {
            labels,
            samples: vec![Sample {
                value,
                timestamp: at_ms,
            }],
        });
        let series: Vec<TimeSeries> = series.collect();
        let chunks = series.chunks(MOST_SERIES);
        chunks.map(|series| pack(series, at_ms)).collect()
    }
}

fn pack(series: &[TimeSeries], at_ms: i64) -> Packed {
    let message = WriteRequest {
        timeseries: series.to_vec(),
    };
    let body = snap::raw::Encoder::new()
        .compress_vec(&message.encode_to_vec())
        .expect("2,000 series are far below the 4 GiB that snappy takes");
    Packed {
        body: body.into(),
        samples: series.len() as u64,
        at_ms,
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;

    use super::super::registry::{Name, Registry};
    use super::*;

    fn unpacked(packed: &Packed) -> Vec<(String, f64, i64)> {
        let bytes = snap::raw::Decoder::new().decompress_vec(&packed.body);
        let request = WriteRequest::decode(bytes.expect("snappy").as_slice()).expect("a message");
        let line = |series: &TimeSeries| {
            let labels = series.labels.iter();
            let labels: Vec<_> = labels.map(|l| format!("{}={}", l.name, l.value)).collect();
            let sample = &series.samples[0];
            (labels.join(" "), sample.value, sample.timestamp)
        };
        request.timeseries.iter().map(line).collect()
    }

    fn registry() -> Registry {
        let mut registry = Registry::default();
        registry.add(Name::Requests, &["issue", "issued", "opening"], 5);
        registry.set(Name::GeneratorCpu, &[], 0.5);
        let mut times = Histogram::new(3).expect("valid digits");
        times.record(700).expect("it grows");
        registry.observe(Name::ResponseTime, &["issue"], &times);
        registry
    }

    #[test]
    fn each_series_is_sent_with_its_sorted_labels_and_its_time() {
        let values = values(&registry().families(), &[("job", "fcfs-bench")]);
        let requests = Told::default().requests(values, 1_000);
        assert_eq!(requests.len(), 1);
        let sent = unpacked(&requests[0]);
        assert_eq!(requests[0].samples, sent.len() as u64);
        for expected in [
            (
                "__name__=fcfs_requests_total job=fcfs-bench load=opening outcome=issued step=issue",
                5.0,
            ),
            ("__name__=fcfs_generator_cpu_cores job=fcfs-bench", 0.5),
            (
                "__name__=fcfs_response_time_seconds_bucket job=fcfs-bench le=0.001 step=issue",
                1.0,
            ),
            (
                "__name__=fcfs_response_time_seconds_bucket job=fcfs-bench le=+Inf step=issue",
                1.0,
            ),
            (
                "__name__=fcfs_response_time_seconds_count job=fcfs-bench step=issue",
                1.0,
            ),
        ] {
            let (labels, value) = (expected.0.to_owned(), expected.1);
            assert!(
                sent.contains(&(labels, value, 1_000)),
                "{expected:?} {sent:#?}"
            );
        }
    }

    #[test]
    fn a_series_that_is_gone_is_ended_once() {
        let (mut told, mut registry) = (Told::default(), registry());
        told.requests(values(&registry.families(), &[]), 1);
        registry.forget(Name::GeneratorCpu);
        let is_end = |(_, value, _): &&(String, f64, i64)| value.to_bits() == STALE.to_bits();
        let mut ended = |at| {
            let requests = told.requests(values(&registry.families(), &[]), at);
            let sent: Vec<_> = requests.iter().flat_map(unpacked).collect();
            let ended = sent.iter().filter(is_end);
            ended
                .map(|(labels, _, _)| labels.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(ended(2), ["__name__=fcfs_generator_cpu_cores"]);
        assert!(ended(3).is_empty());
    }

    #[test]
    fn at_the_end_every_series_is_ended() {
        let mut told = Told::default();
        let first = told.requests(values(&registry().families(), &[]), 1);
        let last = told.requests(BTreeMap::new(), 2);
        assert_eq!(first[0].samples, last[0].samples);
        let mut sent = unpacked(&last[0]).into_iter();
        assert!(sent.all(|(_, value, at)| value.to_bits() == STALE.to_bits() && at == 2));
    }

    #[test]
    fn many_series_are_more_than_one_request() {
        let mut registry = Registry::default();
        for number in 0..4_500 {
            registry.set(Name::FaultActive, &[&number.to_string()], 0.0);
        }
        let requests = Told::default().requests(values(&registry.families(), &[]), 1);
        let samples: Vec<_> = requests.iter().map(|request| request.samples).collect();
        assert_eq!(samples, [2_000, 2_000, 500]);
    }
}
