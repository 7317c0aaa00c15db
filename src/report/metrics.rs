//! The scenario's own metrics as rows of two tables, for the terminal and for Markdown.

use super::format::{NO_DATA, count};
use super::{MetricSummary, Summary};
use crate::measure::Unit;

/// A table of metrics of one kind.
pub(super) struct Table {
    pub(super) head: &'static [&'static str],
    /// The metric's name, and its figures.
    pub(super) rows: Vec<(String, Vec<String>)>,
}

/// What was captured, and how often and how fast it was; tables without a row are left out.
pub(super) fn tables(summary: &Summary) -> Vec<Table> {
    let of = |kind: &'static str| {
        let metrics = summary.metrics.iter();
        metrics.filter(move |metric| metric.kind == kind)
    };
    let trends = Table {
        head: &["Metric", "count", "avg", "min", "med", "p90", "p95", "max"],
        rows: of("trend").map(trend).collect(),
    };
    let counters = Table {
        head: &["Metric", "count", "rate"],
        rows: of("counter").map(counter).collect(),
    };
    let tables = [trends, counters].into_iter();
    tables.filter(|table| !table.rows.is_empty()).collect()
}

fn trend(metric: &MetricSummary) -> (String, Vec<String>) {
    let mut row = vec![count(metric.values)];
    row.extend(match &metric.trend {
        Some(it) => {
            [it.avg, it.min, it.med, it.p90, it.p95, it.max].map(|it| Unit::Number.show(it))
        }
        None => [NO_DATA, "–", "–", "–", "–", "–"].map(str::to_owned),
    });
    (metric.metric.clone(), row)
}

fn counter(metric: &MetricSummary) -> (String, Vec<String>) {
    let row = match &metric.counter {
        Some(it) => [Unit::Number.show(it.count), Unit::CountRate.show(it.rate)],
        None => [NO_DATA, "–"].map(str::to_owned),
    };
    (metric.metric.clone(), row.to_vec())
}
