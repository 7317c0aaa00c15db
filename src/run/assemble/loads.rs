//! What each load came to, from its histograms and the schedule of its plan.

use hdrhistogram::Histogram;

use super::files::Files;
use crate::measure::{SeriesId, Trend};
use crate::plan::{Executor, Load, Plan};
use crate::report::{LoadSummary, Spread, StampedeSummary};
use crate::run::event::Event;

/// Every load of the plan, in its order.
pub(super) fn summaries(plan: &Plan, files: &Files) -> Vec<LoadSummary> {
    let at_its_end = came_to_its_end(&files.events);
    let one = |load: &Load| {
        let totals = &files.totals;
        let of_load = |id: &SeriesId| load.phases.contains(&id.phase);
        let open = load.executor.is_open();
        let lag = totals.merged(Trend::ScheduleLag, of_load);
        let lag = lag.filter(|_| open);
        let lag_at = |share: f64| lag.as_ref().map(|lag| ms(lag.value_at_quantile(share)));
        let dropped = totals.dropped.iter().enumerate();
        LoadSummary {
            load: load.name.clone(),
            executor: load.executor.name().to_owned(),
            model: if open { "open" } else { "closed" }.to_owned(),
            iterations: totals.count(Trend::IterationDuration, of_load),
            dropped: dropped
                .filter(|(at, _)| load.phases.contains(&(*at as u16)))
                .map(|(_, n)| *n)
                .sum(),
            started: Some(totals.count(Trend::ScheduleLag, of_load)),
            due: due(plan, &load.executor).filter(|_| at_its_end),
            lag_p50_ms: lag_at(0.5),
            lag_p99_ms: lag_at(0.99),
            lag_max_ms: lag.as_ref().map(|lag| ms(lag.max())),
            stampede: stampede(
                totals.merged(Trend::Unconnected, of_load),
                totals.merged(Trend::Release, of_load),
            ),
        }
    };
    plan.loads.iter().map(one).collect()
}

/// Whether everything that was due had its time.
fn came_to_its_end(events: &[Event]) -> bool {
    let cut = |event: &Event| matches!(event, Event::Aborted { .. } | Event::Interrupted { .. });
    let over =
        |event: &Event| matches!(event, Event::LoadEnded { .. } | Event::SegmentsOver { .. });
    events.iter().any(over) && !events.iter().any(cut)
}

/// How many iterations the schedule has, if there is one.
fn due(plan: &Plan, executor: &Executor) -> Option<u64> {
    let all = match executor {
        Executor::Stampede { users, .. } => *users,
        _ => executor.ticks()?.total(),
    };
    let own = plan.segment.among(executor.max_vus());
    Some(own.map_or(0, |own| own.share(all)))
}

fn stampede(
    unconnected: Option<Histogram<u64>>,
    release: Option<Histogram<u64>>,
) -> Option<StampedeSummary> {
    let unconnected = unconnected?;
    let spread = |release: Histogram<u64>| Spread {
        count: release.len(),
        min: ms(release.min()),
        p50: ms(release.value_at_quantile(0.5)),
        p99: ms(release.value_at_quantile(0.99)),
        max: ms(release.max()),
    };
    Some(StampedeSummary {
        released: unconnected.len(),
        unconnected: unconnected.count_at(1),
        first_byte_ms: release.map(spread),
    })
}

fn ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}
