//! Judges thresholds over the totals.
//!
//! The drain phase is never part of it: its requests are a probe, not load.
//!
//! No data is not a good value, so it fails unless the threshold allows it. What counts as data:
//! for times and shares, a sample in the narrowing; for custom metrics, a value in it; for other
//! counters, an attempt (or an iteration, for the metrics of iterations) in the narrowing *without
//! its outcome*. So
//! `outcome{outcome:timeout}: count==0` holds in a run where requests were sent and none timed
//! out, and fails in a run that sent none.
//!
//! Thresholds over windows are judged by [`Windows`], with the same figures of a part of the run;
//! those on what is read from outside by [`Resources`], those on faults by what was measured of each.

mod faults;
mod resources;
mod scalability;
mod windows;

use std::time::Duration;

use hdrhistogram::Histogram;

use super::fault::Measured;
use super::unit::{Unit, grouped};
use super::{
    Aggregate, CustomMetric, Metric, MetricKind, NO_INDEX, SeriesId, Tag, Threshold,
    ThresholdResult, Totals, Trend, Values, Windowed,
};
use crate::history::OutcomeKind;
use crate::plan::Plan;
use crate::verdict::Verdict;

pub use resources::Resources;
pub use scalability::evaluate_scalability;
pub use windows::Windows;

/// Judges every threshold of the plan over what was measured so far.
pub fn evaluate(
    plan: &Plan,
    totals: &Totals,
    windows: &Windows,
    resources: &Resources,
    faults: &[Measured],
) -> Vec<ThresholdResult> {
    let judge = |(at, threshold)| {
        let apart = windows.result(at, threshold);
        let apart = apart.or_else(|| resources.result(at, threshold));
        let apart = apart.or_else(|| faults::result(plan, faults, threshold));
        apart.unwrap_or_else(|| judge(threshold, observe(plan, totals, threshold)))
    };
    plan.thresholds.iter().enumerate().map(judge).collect()
}

/// Judges a threshold on fairness by the share of the pairs that came in another order, and how many
/// pairs there are.
pub fn evaluate_fairness(
    threshold: &Threshold,
    measured: Result<(f64, u64), &str>,
) -> ThresholdResult {
    let observed = match measured {
        Ok((share, pairs)) => Ok(Observed {
            value: share,
            over: format!(
                "over {} pairs of users who got one",
                grouped(pairs as f64, 0)
            ),
        }),
        Err(why) => Err(NoData(why.to_owned())),
    };
    judge(threshold, observed)
}

/// The first threshold that ends the run now: it failed, and its delay has passed. Without data
/// there is nothing to end a run for.
pub fn aborts(plan: &Plan, totals: &Totals, windows: &Windows) -> Option<ThresholdResult> {
    let due = |threshold: &Threshold| threshold.abort.is_some_and(|delay| totals.elapsed >= delay);
    let thresholds = plan.thresholds.iter().enumerate();
    let mut due = thresholds.filter(|(_, threshold)| due(threshold));
    due.find_map(|(at, threshold)| {
        let result = match threshold.windows {
            Some(_) if !windows.has_failed(at) => return None,
            Some(_) => windows.result(at, threshold)?,
            None => judge(threshold, Ok(observe(plan, totals, threshold).ok()?)),
        };
        (result.verdict == Verdict::Fail).then_some(result)
    })
}

/// A value and what it was taken over.
struct Observed {
    value: f64,
    over: String,
}

/// Why there is no value.
struct NoData(String);

fn judge(threshold: &Threshold, observed: Result<Observed, NoData>) -> ThresholdResult {
    let limit = limit(threshold);
    let (holds, detail) = match observed {
        Ok(observed) => (
            threshold.comparison.holds(observed.value, threshold.limit),
            format!("{}, {limit}", shown(threshold, &observed)),
        ),
        Err(NoData(why)) if threshold.allow_empty => {
            (true, format!("no data ({why}), which is allowed here"))
        }
        Err(NoData(why)) => (false, format!("no data ({why}), {limit}")),
    };
    ThresholdResult {
        name: threshold.name.clone(),
        verdict: if holds { Verdict::Pass } else { Verdict::Fail },
        detail,
    }
}

/// `limit < 500 ms`
fn limit(threshold: &Threshold) -> String {
    let unit = Unit::of(&threshold.metric, threshold.aggregate);
    let limit = unit.show_limit(threshold.limit);
    format!("limit {} {limit}", threshold.comparison)
}

/// `p(95) = 212.30 ms over 40 samples`
fn shown(threshold: &Threshold, Observed { value, over }: &Observed) -> String {
    let unit = Unit::of(&threshold.metric, threshold.aggregate);
    format!("{} = {} {over}", threshold.aggregate, unit.show(*value))
}

fn observe(plan: &Plan, totals: &Totals, threshold: &Threshold) -> Result<Observed, NoData> {
    let view = View::new(plan, totals, threshold);
    let aggregate = threshold.aggregate;
    let any = |_: OutcomeKind| true;
    match &threshold.metric {
        Metric::HttpReqDuration => trend(view.sent_times(Trend::Duration), aggregate),
        Metric::ResponseTime => trend(view.sent_times(Trend::ResponseTime), aggregate),
        Metric::HttpReqBlocked => trend(view.times(Trend::Blocked), aggregate),
        Metric::HttpReqConnecting => trend(view.times(Trend::Connecting), aggregate),
        Metric::HttpReqTlsHandshaking => trend(view.times(Trend::TlsHandshaking), aggregate),
        Metric::HttpReqSending => trend(view.times(Trend::Sending), aggregate),
        Metric::HttpReqWaiting => trend(view.times(Trend::Waiting), aggregate),
        Metric::HttpReqReceiving => trend(view.times(Trend::Receiving), aggregate),
        Metric::ScheduleLag => trend(view.times(Trend::ScheduleLag), aggregate),
        Metric::IterationDuration => trend(view.times(Trend::IterationDuration), aggregate),
        Metric::PollDuration => trend(view.times(Trend::PollDuration), aggregate),
        Metric::HttpReqs | Metric::Outcome => {
            view.counter(aggregate, view.attempts(any), view.base(), "attempts")
        }
        Metric::Issued => {
            let issued = view.attempts(|kind| kind == OutcomeKind::Issued);
            view.counter(aggregate, issued, view.base(), "attempts")
        }
        Metric::HttpReqFailed => view.share(view.attempts(OutcomeKind::is_failed_request)),
        Metric::UnknownRate => view.share(view.attempts(|kind| kind == OutcomeKind::Unknown)),
        Metric::LockFailed => view.lock_failed(),
        Metric::Iterations => {
            let ended = view.iterations();
            view.counter(aggregate, ended, ended, "iterations")
        }
        Metric::DroppedIterations => {
            let dropped = view.dropped();
            let due = dropped + view.iterations();
            view.counter(aggregate, dropped, due, "due iterations")
        }
        Metric::DataSent => view.counter(aggregate, totals.data_sent, view.base(), "attempts"),
        Metric::DataReceived => {
            view.counter(aggregate, totals.data_received, view.base(), "attempts")
        }
        Metric::Vus => gauge(totals.vus, totals),
        Metric::VusMax => gauge(totals.vus_max, totals),
        Metric::Custom(custom) => view.custom(custom, aggregate),
        Metric::Resource(_) => Err(NoData("nothing was read from outside".to_owned())),
        Metric::Recovery
        | Metric::Detection
        | Metric::FaultRate
        | Metric::Fairness
        | Metric::Scalability => Err(NoData("the load has not ended".to_owned())),
    }
}

fn trend(times: Option<Histogram<u64>>, aggregate: Aggregate) -> Result<Observed, NoData> {
    let times = times.ok_or_else(|| NoData("no sample".to_owned()))?;
    let quantile = |quantile| times.value_at_quantile(quantile) as f64 / 1e3;
    let value = match aggregate {
        Aggregate::Avg => times.mean() / 1e3,
        Aggregate::Min => times.min() as f64 / 1e3,
        Aggregate::Max => times.max() as f64 / 1e3,
        Aggregate::Med => quantile(0.5),
        Aggregate::Percentile(percent) => quantile(percent / 100.0),
        // A trend has no other: the parser refuses them.
        _ => times.len() as f64,
    };
    Ok(Observed {
        value,
        over: format!("over {} samples", grouped(times.len() as f64, 0)),
    })
}

fn gauge(value: u64, totals: &Totals) -> Result<Observed, NoData> {
    if totals.vus_max == 0 {
        return Err(NoData("no VU ran".to_owned()));
    }
    Ok(Observed {
        value: value as f64,
        over: format!("over {}", seconds(totals.elapsed)),
    })
}

fn seconds(duration: Duration) -> String {
    format!("{} s", grouped(duration.as_secs_f64(), 1))
}

/// The totals through the tags of a threshold.
struct View<'a> {
    plan: &'a Plan,
    totals: &'a Totals,
    /// By phase: whether it is meant; never the drain phase.
    phases: Vec<bool>,
    whole_run: bool,
    windows: Option<Windowed>,
    step: Option<&'a str>,
    outcome: Option<&'a str>,
}

impl<'a> View<'a> {
    fn new(plan: &'a Plan, totals: &'a Totals, threshold: &'a Threshold) -> Self {
        let value = |wanted: Tag| {
            let found = threshold.tags.iter().find(|(tag, _)| *tag == wanted);
            found.map(|(_, value)| value.as_str())
        };
        let (name, load) = (value(Tag::Phase), value(Tag::Load));
        let phases = plan.phases.iter().map(|phase| {
            let Some(of) = phase.load else { return false };
            let load_name = || plan.loads.get(of).map(|load| load.name.as_str());
            name.is_none_or(|name| name == phase.name)
                && load.is_none_or(|load| load_name() == Some(load))
        });
        Self {
            plan,
            totals,
            phases: phases.collect(),
            whole_run: name.is_none() && load.is_none(),
            windows: threshold.windows,
            step: value(Tag::Step),
            outcome: value(Tag::Outcome),
        }
    }

    fn has_phase(&self, phase: usize) -> bool {
        self.phases.get(phase).copied().unwrap_or(false)
    }

    /// Whether phase and step of the series are meant.
    fn has_place(&self, id: SeriesId) -> bool {
        let step = || self.plan.steps.get(usize::from(id.step));
        let step_fits = |wanted| step().is_some_and(|step| step.name == wanted);
        self.has_phase(usize::from(id.phase)) && self.step.is_none_or(step_fits)
    }

    /// Whether the outcome of the series is meant, and its kind is among those that are counted.
    fn has_label(&self, id: SeriesId, counts: impl Fn(OutcomeKind) -> bool) -> bool {
        let label = self.plan.labels.get(usize::from(id.label));
        label.is_some_and(|label| {
            self.outcome.is_none_or(|wanted| wanted == label.name) && counts(label.kind)
        })
    }

    /// Times that are not kept apart by outcome.
    fn times(&self, trend: Trend) -> Option<Histogram<u64>> {
        self.totals.merged(trend, |id| self.has_place(*id))
    }

    /// Times by outcome. How long it took to find out that nobody listens is not a latency of the
    /// system under test: attempts that were not sent only count when they are asked for.
    fn sent_times(&self, trend: Trend) -> Option<Histogram<u64>> {
        let counts = |kind| self.outcome.is_some() || kind != OutcomeKind::NotSent;
        self.totals.merged(trend, |id| {
            self.has_place(*id) && (self.has_label(*id, counts) || id.label == NO_INDEX)
        })
    }

    /// Attempts of the kinds that count, in the narrowing.
    fn attempts(&self, counts: impl Fn(OutcomeKind) -> bool) -> u64 {
        self.totals.count(Trend::Duration, |id| {
            self.has_place(*id) && self.has_label(*id, &counts)
        })
    }

    /// Attempts in the narrowing without its outcome.
    fn base(&self) -> u64 {
        self.totals.count(Trend::Duration, |id| self.has_place(*id))
    }

    fn iterations(&self) -> u64 {
        self.totals
            .count(Trend::IterationDuration, |id| self.has_place(*id))
    }

    fn dropped(&self) -> u64 {
        let dropped = self.totals.dropped.iter().enumerate();
        dropped
            .filter(|(phase, _)| self.has_phase(*phase))
            .map(|(_, dropped)| dropped)
            .sum()
    }

    fn counter(
        &self,
        aggregate: Aggregate,
        count: u64,
        base: u64,
        what: &str,
    ) -> Result<Observed, NoData> {
        self.sum(aggregate, count as f64, base, what)
    }

    /// What was captured for a metric of the scenario.
    fn custom(&self, metric: &CustomMetric, aggregate: Aggregate) -> Result<Observed, NoData> {
        let values = Values::of(self.totals, metric, |id| self.has_place(*id));
        if metric.kind == MetricKind::Counter {
            return self.sum(aggregate, values.sum(), values.count(), "values");
        }
        let value = match aggregate {
            Aggregate::Avg => values.mean(),
            Aggregate::Min => values.min(),
            Aggregate::Max => values.max(),
            Aggregate::Med => values.quantile(0.5),
            Aggregate::Percentile(percent) => values.quantile(percent / 100.0),
            // A trend has no other: the parser refuses them.
            _ => Some(values.count() as f64),
        };
        let counted = grouped(values.count() as f64, 0);
        match value.filter(|_| values.count() > 0) {
            Some(value) => Ok(Observed {
                value,
                over: format!("over {counted} values"),
            }),
            None => Err(NoData("no values".to_owned())),
        }
    }

    fn sum(
        &self,
        aggregate: Aggregate,
        sum: f64,
        base: u64,
        what: &str,
    ) -> Result<Observed, NoData> {
        if base == 0 {
            return Err(NoData(format!("no {what}")));
        }
        let base = format!("{} {what}", grouped(base as f64, 0));
        if aggregate != Aggregate::Rate {
            return Ok(Observed {
                value: sum,
                over: format!("in {base}"),
            });
        }
        let length = self.length();
        if length.is_zero() {
            return Err(NoData("no time has passed".to_owned()));
        }
        Ok(Observed {
            value: sum / length.as_secs_f64(),
            over: format!("over {} ({base})", seconds(length)),
        })
    }

    fn share(&self, count: u64) -> Result<Observed, NoData> {
        let all = self.attempts(|_| true);
        if all == 0 {
            return Err(NoData("no attempts".to_owned()));
        }
        Ok(Observed {
            value: count as f64 / all as f64,
            over: format!("of {} attempts", grouped(all as f64, 0)),
        })
    }

    /// A scenario that declares no such outcome cannot see it: then there is no data, not 0 %.
    fn lock_failed(&self) -> Result<Observed, NoData> {
        const NAME: &str = "lock_failed";
        let labels = &self.plan.labels;
        if !labels.iter().any(|label| label.name == NAME) {
            return Err(NoData(format!("no outcome is named `{NAME}`")));
        }
        self.share(self.totals.count(Trend::Duration, |id| {
            let label = labels.get(usize::from(id.label));
            self.has_place(*id)
                && self.has_label(*id, |_| true)
                && label.is_some_and(|label| label.name == NAME)
        }))
    }

    /// The time that a rate is over: a window, or what the phases in the narrowing cover so far.
    fn length(&self) -> Duration {
        match self.windows {
            Some(windows) => Duration::from_secs(windows.over_s),
            None if self.whole_run => self.totals.elapsed,
            None => self.covered(Duration::ZERO, self.totals.elapsed),
        }
    }

    /// How much of a time the phases in the narrowing cover. Phases of several loads may overlap:
    /// no second counts twice.
    fn covered(&self, begin: Duration, stop: Duration) -> Duration {
        let phases = self.plan.phases.iter().enumerate();
        let meant = phases.filter(|(index, _)| self.has_phase(*index));
        let mut spans: Vec<_> = meant
            .map(|(_, phase)| (phase.from.clamp(begin, stop), phase.to.clamp(begin, stop)))
            .collect();
        spans.sort_unstable();
        let (mut covered, mut end) = (Duration::ZERO, begin);
        for (from, to) in spans {
            covered += to.saturating_sub(from.max(end));
            end = end.max(to);
        }
        covered
    }
}

#[cfg(test)]
mod tests;
