//! `metrics`: measurements that a scenario makes of its captures, by name.

use super::super::model::{Measure, Metric};
use super::super::node::Entry;
use super::super::reader::{self, Fields};
use super::super::report::Report;

const KINDS: [&str; 2] = ["trend", "counter"];

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Vec<Metric> {
    let entries = reader::entries(report, &entry.node).unwrap_or_default();
    let metrics = entries.iter().filter_map(|entry| metric(report, entry));
    metrics.collect()
}

fn metric(report: &mut Report<'_>, entry: &Entry) -> Option<Metric> {
    let name = reader::key(report, entry);
    let measure = measure(report, entry);
    Some(Metric {
        name: name?,
        measure,
    })
}

fn measure(report: &mut Report<'_>, entry: &Entry) -> Option<Measure> {
    let mut fields = Fields::behind(report, entry)?;
    let kind = fields.one_of(report, &KINDS, "what is made of a capture");
    fields.finish(report);
    let kind = kind?;
    let capture = reader::text(report, &kind.node)?;
    Some(match kind.key.as_str() {
        "trend" => Measure::Trend(capture),
        _ => Measure::Counter(capture),
    })
}
