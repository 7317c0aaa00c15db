//! What became of the scenario's own metrics: their figures, and what was no value.

use super::Judge;
use crate::measure::{CustomMetric, MetricKind, SeriesId, Values, left_out};
use crate::report::{CounterFigures, MetricSummary, TrendFigures};

impl Judge<'_> {
    pub(super) fn metrics(&self) -> Vec<MetricSummary> {
        let metrics = self.plan.metrics.iter();
        metrics.map(|metric| self.metric(metric)).collect()
    }

    fn metric(&self, metric: &CustomMetric) -> MetricSummary {
        let totals = &self.files.totals;
        let values = Values::of(totals, metric, |id| self.is_load(*id));
        let is_counter = metric.kind == MetricKind::Counter;
        let counter = CounterFigures {
            count: values.sum(),
            rate: values.sum() / totals.elapsed.as_secs_f64().max(1e-3),
        };
        let left_out = left_out(totals, metric, |id| self.is_load(*id)).into_iter();
        MetricSummary {
            metric: metric.name.clone(),
            kind: metric.kind.to_string(),
            values: values.count(),
            trend: trend(&values).filter(|_| !is_counter),
            counter: (is_counter && values.count() > 0).then_some(counter),
            left_out: left_out
                .map(|(reason, count)| (reason.name().to_owned(), count))
                .collect(),
        }
    }

    /// One sentence for each metric that did not get all that was captured.
    pub(super) fn left_out(&self) -> Vec<String> {
        let metrics = self.plan.metrics.iter();
        metrics
            .filter_map(|metric| self.left_out_of(metric))
            .collect()
    }

    fn left_out_of(&self, metric: &CustomMetric) -> Option<String> {
        let texts = left_out(&self.files.totals, metric, |id| self.is_load(*id));
        let all: u64 = texts.iter().map(|(_, count)| count).sum();
        let reasons = texts.iter();
        let reasons = reasons.map(|(reason, count)| format!("{count} {reason}"));
        let reasons = reasons.collect::<Vec<_>>().join(", ");
        let texts = if all == 1 { "text was" } else { "texts were" };
        let name = &metric.name;
        let told = format!("the metric `{name}`: {all} captured {texts} not recorded ({reasons})");
        (all > 0).then_some(told)
    }

    fn is_load(&self, id: SeriesId) -> bool {
        id.phase != self.plan.drain_phase()
    }
}

/// `None` without a value.
fn trend(values: &Values) -> Option<TrendFigures> {
    Some(TrendFigures {
        avg: values.mean()?,
        min: values.min()?,
        med: values.quantile(0.5)?,
        p90: values.quantile(0.9)?,
        p95: values.quantile(0.95)?,
        max: values.max()?,
    })
}
