//! The metrics by name and labels, as sums; the page that scrapers read is written from them.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use prometheus::TextEncoder;
use prometheus::proto::MetricType::{self, COUNTER, GAUGE, HISTOGRAM};
use prometheus::proto::{self, LabelPair, MetricFamily};

use super::buckets::Buckets;
use crate::plan::Mask;

/// A metric of the contract with dashboards and alert rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    BuildInfo,
    DataReceived,
    DataSent,
    DroppedIterations,
    FaultActive,
    FaultEffectSeen,
    GeneratorCpu,
    Iterations,
    OutputDroppedPoints,
    PhaseActive,
    Requests,
    ResponseTime,
    RunInfo,
    ScheduleLag,
    ServiceTime,
    StockRemaining,
    Vus,
}

/// What a metric is called, and what a scraper is told of it.
struct About {
    of: Name,
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    kind: MetricType,
}

/// The contract: what is renamed here breaks dashboards and alert rules.
const METRICS: [About; 17] = [
    About {
        of: Name::BuildInfo,
        name: "fcfs_build_info",
        kind: GAUGE,
        labels: &["version"],
        help: "Always 1; which fcfs-bench it is.",
    },
    About {
        of: Name::DataReceived,
        name: "fcfs_data_received_bytes_total",
        kind: COUNTER,
        labels: &[],
        help: "Bytes read from connections of the load.",
    },
    About {
        of: Name::DataSent,
        name: "fcfs_data_sent_bytes_total",
        kind: COUNTER,
        labels: &[],
        help: "Bytes written to connections of the load.",
    },
    About {
        of: Name::DroppedIterations,
        name: "fcfs_dropped_iterations_total",
        kind: COUNTER,
        labels: &["load"],
        help: "Iterations that were due without a free VU.",
    },
    About {
        of: Name::FaultActive,
        name: "fcfs_fault_active",
        kind: GAUGE,
        labels: &["fault"],
        help: "1 from the moment a fault is applied until it is healed.",
    },
    About {
        of: Name::FaultEffectSeen,
        name: "fcfs_fault_effect_seen",
        kind: GAUGE,
        labels: &["fault"],
        help: "1 from the moment a fault was seen to bite until it is healed.",
    },
    About {
        of: Name::GeneratorCpu,
        name: "fcfs_generator_cpu_cores",
        kind: GAUGE,
        labels: &[],
        help: "Cores that the harness used in the last second of the load.",
    },
    About {
        of: Name::Iterations,
        name: "fcfs_iterations_total",
        kind: COUNTER,
        labels: &["load"],
        help: "Iterations that have ended.",
    },
    About {
        of: Name::OutputDroppedPoints,
        name: "fcfs_output_dropped_points_total",
        kind: COUNTER,
        labels: &["output"],
        help: "Points that an output could not take.",
    },
    About {
        of: Name::PhaseActive,
        name: "fcfs_phase_active",
        kind: GAUGE,
        labels: &["load", "phase"],
        help: "1 while the phase of the load is under way.",
    },
    About {
        of: Name::Requests,
        name: "fcfs_requests_total",
        kind: COUNTER,
        labels: &["step", "outcome", "load"],
        help: "Attempts that have ended, one of them for each request.",
    },
    About {
        of: Name::ResponseTime,
        name: "fcfs_response_time_seconds",
        kind: HISTOGRAM,
        labels: &["step"],
        help: "From the intended start of an attempt that was sent to the end of its answer.",
    },
    About {
        of: Name::RunInfo,
        name: "fcfs_run_info",
        kind: GAUGE,
        labels: &["name", "testid", "seed"],
        help: "Always 1; which run it is.",
    },
    About {
        of: Name::ScheduleLag,
        name: "fcfs_schedule_lag_seconds",
        kind: HISTOGRAM,
        labels: &["load"],
        help: "How late iterations started.",
    },
    About {
        of: Name::ServiceTime,
        name: "fcfs_service_time_seconds",
        kind: HISTOGRAM,
        labels: &["step"],
        help: "From sending an attempt to the end of its answer.",
    },
    About {
        of: Name::StockRemaining,
        name: "fcfs_stock_remaining",
        kind: GAUGE,
        labels: &[],
        help: "The remaining stock as the probe read it last.",
    },
    About {
        of: Name::Vus,
        name: "fcfs_vus",
        kind: GAUGE,
        labels: &[],
        help: "The most VUs at one time in the last second of the load.",
    },
];

impl Name {
    fn about(self) -> &'static About {
        let mut all = METRICS.iter();
        all.find(|about| about.of == self)
            .expect("the table has every name")
    }
}

/// What one series has come to.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Sum(u64),
    Level(f64),
    Times(Box<Buckets>),
}

/// All series. A metric without one is not told of at all.
#[derive(Debug, Clone, Default)]
pub(super) struct Registry {
    mask: Mask,
    series: BTreeMap<Name, BTreeMap<Vec<String>, Value>>,
}

impl Registry {
    /// Without series; no label holds what this hides.
    pub(super) fn new(mask: Mask) -> Self {
        Self {
            mask,
            series: BTreeMap::new(),
        }
    }

    /// Adds to a counter; with zero it is there from now on. The label values stand in the order
    /// of the contract.
    pub(super) fn add(&mut self, name: Name, labels: &[&str], more: u64) {
        if let Value::Sum(sum) = self.value(name, labels, Value::Sum(0)) {
            *sum = sum.saturating_add(more);
        }
    }

    /// Sets a gauge.
    pub(super) fn set(&mut self, name: Name, labels: &[&str], to: f64) {
        *self.value(name, labels, Value::Level(to)) = Value::Level(to);
    }

    /// Adds times in microseconds to a histogram.
    pub(super) fn observe(&mut self, name: Name, labels: &[&str], times: &Histogram<u64>) {
        if let Value::Times(buckets) = self.value(name, labels, Value::Times(Box::default())) {
            buckets.add(times);
        }
    }

    /// Sets a counter that somebody else adds up; it never goes back.
    pub(super) fn raise(&mut self, name: Name, labels: &[&str], to: u64) {
        if let Value::Sum(sum) = self.value(name, labels, Value::Sum(0)) {
            *sum = (*sum).max(to);
        }
    }

    /// From now on there is nothing to say of this metric.
    pub(super) fn forget(&mut self, name: Name) {
        self.series.remove(&name);
    }

    fn value(&mut self, name: Name, labels: &[&str], fresh: Value) -> &mut Value {
        debug_assert_eq!(labels.len(), name.about().labels.len(), "{name:?}");
        let labels = labels.iter().map(|label| self.mask.hide(label)).collect();
        let series = self.series.entry(name).or_default();
        series.entry(labels).or_insert(fresh)
    }

    /// Everything as the values that Prometheus libraries share.
    pub(super) fn families(&self) -> Vec<MetricFamily> {
        let family = |(name, series): (&Name, &BTreeMap<Vec<String>, Value>)| {
            let about = name.about();
            let metrics = series
                .iter()
                .map(|(labels, value)| metric(about.labels, labels, value, about.kind));
            let mut family = MetricFamily::default();
            family.set_name(about.name.to_owned());
            family.set_help(about.help.to_owned());
            family.set_field_type(about.kind);
            family.set_metric(metrics.collect());
            family
        };
        self.series.iter().map(family).collect()
    }

    /// The page in the text format 0.0.4.
    ///
    /// # Errors
    /// Never with metrics that have a name and a series, which all have.
    pub(super) fn page(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.families())
    }
}

fn metric(names: &[&str], labels: &[String], value: &Value, kind: MetricType) -> proto::Metric {
    let pair = |(name, value): (&&str, &String)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value(value.clone());
        pair
    };
    let pairs = std::iter::zip(names, labels).map(pair);
    let mut metric = proto::Metric::from_label(pairs.collect());
    match value {
        Value::Times(buckets) => metric.set_histogram(buckets.cumulative()),
        Value::Sum(sum) => set_number(&mut metric, kind, *sum as f64),
        Value::Level(level) => set_number(&mut metric, kind, *level),
    }
    metric
}

fn set_number(metric: &mut proto::Metric, kind: MetricType, number: f64) {
    if kind == COUNTER {
        let mut counter = proto::Counter::default();
        counter.set_value(number);
        metric.set_counter(counter);
    } else {
        let mut gauge = proto::Gauge::default();
        gauge.set_value(number);
        metric.set_gauge(gauge);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(values_us: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).expect("valid digits");
        for value in values_us {
            histogram.record(*value).expect("it grows");
        }
        histogram
    }

    #[test]
    fn the_page_says_of_each_metric_what_it_is_and_its_series() {
        let mut registry = Registry::default();
        registry.add(Name::Requests, &["issue", "issued", "opening"], 2);
        registry.add(Name::Requests, &["issue", "issued", "opening"], 3);
        registry.add(Name::Requests, &["issue", "sold_out", "opening"], 0);
        registry.set(Name::Vus, &[], 7.0);
        let page = registry.page().expect("it has a name");
        let expected = "\
# HELP fcfs_requests_total Attempts that have ended, one of them for each request.
# TYPE fcfs_requests_total counter
fcfs_requests_total{step=\"issue\",outcome=\"issued\",load=\"opening\"} 5
fcfs_requests_total{step=\"issue\",outcome=\"sold_out\",load=\"opening\"} 0
# HELP fcfs_vus The most VUs at one time in the last second of the load.
# TYPE fcfs_vus gauge
fcfs_vus 7
";
        assert_eq!(page, expected);
    }

    #[test]
    fn a_histogram_has_buckets_in_seconds_a_sum_and_a_count() {
        let mut registry = Registry::default();
        registry.observe(Name::ResponseTime, &["issue"], &times(&[700, 900, 40_000]));
        let page = registry.page().expect("it has a name");
        for line in [
            "# TYPE fcfs_response_time_seconds histogram",
            "fcfs_response_time_seconds_bucket{step=\"issue\",le=\"0.0005\"} 0",
            "fcfs_response_time_seconds_bucket{step=\"issue\",le=\"0.001\"} 2",
            "fcfs_response_time_seconds_bucket{step=\"issue\",le=\"0.05\"} 3",
            "fcfs_response_time_seconds_bucket{step=\"issue\",le=\"+Inf\"} 3",
            "fcfs_response_time_seconds_count{step=\"issue\"} 3",
        ] {
            assert!(page.lines().any(|one| one == line), "{line}\n{page}");
        }
    }

    #[test]
    fn what_others_add_up_never_goes_back_and_what_is_forgotten_is_not_there() {
        let mut registry = Registry::default();
        registry.raise(Name::OutputDroppedPoints, &["influxdb"], 4);
        registry.raise(Name::OutputDroppedPoints, &["influxdb"], 3);
        registry.set(Name::GeneratorCpu, &[], 1.5);
        registry.forget(Name::GeneratorCpu);
        let page = registry.page().expect("it has a name");
        assert!(page.contains("fcfs_output_dropped_points_total{output=\"influxdb\"} 4\n"));
        assert!(!page.contains("generator"), "{page}");
    }

    #[test]
    fn a_name_with_quotes_and_line_breaks_stays_one_line() {
        let mut registry = Registry::default();
        registry.set(Name::RunInfo, &["a\"b\nc\\", "run", "1"], 1.0);
        let page = registry.page().expect("it has a name");
        let line = page.lines().last().expect("a line");
        let expected = "fcfs_run_info{name=\"a\\\"b\\nc\\\\\",testid=\"run\",seed=\"1\"} 1";
        assert_eq!(line, expected);
    }
}
