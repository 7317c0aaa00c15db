//! What the histograms of one second say, for its line in `seconds.jsonl`: the same for the threads of
//! one process and for all segments of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::history::OutcomeKind;
use crate::measure::{Second, SeriesId, Trend};
use crate::plan::{Phase, Plan};

/// The line of the second that begins at `t`, as far as it follows from the plan and from what was
/// measured.
pub(super) fn measured(
    plan: &Plan,
    t: u64,
    histograms: &BTreeMap<SeriesId, Histogram<u64>>,
) -> Second {
    let of = |trend: Trend| {
        let picked = histograms.iter().filter(move |(id, _)| id.trend == trend);
        picked.map(|(id, histogram)| (*id, histogram))
    };
    let mut outcomes = BTreeMap::new();
    for (id, histogram) in of(Trend::Duration) {
        let label = &plan.labels[usize::from(id.label)];
        *outcomes.entry(label.name.clone()).or_default() += histogram.len();
    }
    let not_sent = OutcomeKind::NotSent as u8;
    let response = merge(of(Trend::ResponseTime).filter(|(id, _)| id.label != not_sent));
    let lag = merge(of(Trend::ScheduleLag));
    let at = Duration::from_secs(t);
    let under_way = |phase: &&Phase| {
        phase.load.is_some() && phase.from < at + Duration::from_secs(1) && at < phase.to
    };
    Second {
        t,
        requests: outcomes.values().sum(),
        outcomes,
        iterations: of(Trend::IterationDuration)
            .map(|(_, histogram)| histogram.len())
            .sum(),
        p50_ms: quantile_ms(response.as_ref(), 0.5),
        p95_ms: quantile_ms(response.as_ref(), 0.95),
        p99_ms: quantile_ms(response.as_ref(), 0.99),
        lag_p99_ms: quantile_ms(lag.as_ref(), 0.99),
        phases: plan
            .phases
            .iter()
            .filter(under_way)
            .map(|phase| phase.name.clone())
            .collect(),
        ..Second::default()
    }
}

fn merge<'a>(
    histograms: impl Iterator<Item = (SeriesId, &'a Histogram<u64>)>,
) -> Option<Histogram<u64>> {
    let mut sum: Option<Histogram<u64>> = None;
    for (_, histogram) in histograms {
        match &mut sum {
            None => sum = Some(histogram.clone()),
            Some(sum) => sum
                .add(histogram)
                .expect("a histogram that grows takes every value"),
        }
    }
    sum.filter(|sum| !sum.is_empty())
}

fn quantile_ms(histogram: Option<&Histogram<u64>>, quantile: f64) -> Option<f64> {
    histogram.map(|histogram| histogram.value_at_quantile(quantile) as f64 / 1_000.0)
}
