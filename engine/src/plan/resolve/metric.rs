//! Metrics of the scenario are held against the captures of its flows, which then bring their
//! values.

use super::flow::Flows;
use super::token;
use crate::measure::{CustomMetric, Metric, MetricKind};
use crate::plan::slots::SlotTable;
use crate::plan::{Capture, Variable};
use crate::scenario::value::Name;
use crate::scenario::{At, Measure, Metric as Written, Report, did_you_mean};

/// Each may have a histogram for each phase and step.
const MAX_METRICS: usize = 50;

/// What scenarios measure beside the built-in metrics.
#[derive(Debug, Default)]
pub(super) struct Metrics<'s> {
    pub(super) list: Vec<CustomMetric>,
    /// Names of metrics that are wrong, which was reported.
    pub(super) broken: Vec<&'s str>,
}

/// How many slots are filled by others than flows: the users' come first, then those of `before`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given {
    by_users: usize,
    before: usize,
}

impl Given {
    /// So many are there with the users, and so many with `before`.
    pub(super) const fn new(by_users: usize, before: usize) -> Self {
        Self { by_users, before }
    }
}

pub(super) fn resolve<'s>(
    written: &'s [Written],
    flows: &mut Flows,
    slots: &SlotTable,
    given: Given,
    report: &mut Report<'_>,
) -> Metrics<'s> {
    if let Some(beyond) = written.get(MAX_METRICS) {
        report.error(
            beyond.name.position,
            format!("there are more than {MAX_METRICS} metrics"),
        );
    }
    let mut metrics = Metrics::default();
    for metric in written.iter().take(MAX_METRICS) {
        let name = metric.name.value.as_str();
        let number = metrics.list.len() as u8;
        let found = measured(metric, flows, slots, given, report);
        if !is_free(&metric.name, report) {
            continue;
        }
        let Some((kind, slot)) = found else {
            metrics.broken.push(name);
            continue;
        };
        for capture in captures(flows).filter(|capture| capture.slot == slot) {
            capture.metrics.push(number);
        }
        metrics.list.push(CustomMetric {
            name: name.to_owned(),
            kind,
            capture: slots.name(slot).to_owned(),
            number,
        });
    }
    metrics
}

fn is_free(name: &At<Name>, report: &mut Report<'_>) -> bool {
    let taken = Metric::is_taken(name.value.as_str());
    if taken {
        report.error_hint(
            name.position,
            format!("`{}` is a metric with a meaning of its own", name.value),
            "give what the scenario measures another name",
        );
    }
    !taken
}

fn captures(flows: &mut Flows) -> impl Iterator<Item = &mut Capture> {
    flows.steps.iter_mut().flat_map(|step| &mut step.captures)
}

/// The slot whose texts are measured; `None` if there is none, which was reported.
fn measured(
    metric: &Written,
    flows: &mut Flows,
    slots: &SlotTable,
    given: Given,
    report: &mut Report<'_>,
) -> Option<(MetricKind, u8)> {
    let (kind, capture) = match metric.measure.as_ref()? {
        Measure::Trend(capture) => (MetricKind::Trend, capture),
        Measure::Counter(capture) => (MetricKind::Counter, capture),
    };
    let text = capture.value.as_str();
    let slot = captures(flows)
        .map(|found| found.slot)
        .find(|slot| slots.name(*slot) == text);
    match slot {
        Some(slot) if !slots.is_secret(slot) => return Some((kind, slot)),
        Some(_) => report.error_hint(
            capture.position,
            format!("the capture `{text}` is a secret, which no metric shows"),
            "measure another one, or take `secret` away if it is none",
        ),
        // With a broken flow, it may be one that was left out.
        None if !flows.whole => {}
        None => no_capture(capture, flows, slots, given, report),
    }
    None
}

/// Says what the name stands for instead, if it stands for anything.
fn no_capture(
    capture: &At<String>,
    flows: &mut Flows,
    slots: &SlotTable,
    given: Given,
    report: &mut Report<'_>,
) {
    let text = capture.value.as_str();
    let variable = Variable::ALL.iter().any(|(known, _)| *known == text);
    let what = match slots.number(text) {
        Some(slot) if slot < given.by_users && text == token::NAME => Some("the users' token"),
        _ if text.starts_with("user.") => Some("a column of the users"),
        _ if variable || text == "coupon.id" => Some("a word of templates"),
        Some(slot) if slot < given.before => Some("captured under `before`"),
        Some(_) => Some("a value of `each`"),
        None => None,
    };
    if let Some(what) = what {
        report.error_hint(
            capture.position,
            format!("`{text}` is {what}, and no capture of a flow"),
            "a metric measures what a flow's step captures: `capture: { rank: /rank }`",
        );
        return;
    }
    let mut names: Vec<&str> = captures(flows)
        .map(|found| slots.name(found.slot))
        .collect();
    names.sort_unstable();
    names.dedup();
    let hint = if names.is_empty() {
        "no step of a flow captures anything: `capture: { rank: /rank }`".to_owned()
    } else {
        did_you_mean(text, &names)
    };
    let message = format!("no step of a flow captures `{}`", capture.shown());
    report.error_hint(capture.position, message, hint);
}
