//! A load over time as a picture in characters.

use std::fmt::Write as _;
use std::time::Duration;

use crate::plan::{Executor, Load, Segment, Ticks, VuCurve};
use crate::scenario::value::{Rate, Span};

const COLUMNS: u32 = 60;
const ROWS: u32 = 8;

/// Draws VUs or starts per second of a load that changes, as far as they are this segment's; a
/// constant is said in one line, and loads that are bound by iterations have no curve.
///
/// ```text
///      100 |          #####
///          |       ########
///          |    ###########
///        0 +---------------
///          0s            5m
/// ```
pub(super) fn draw(load: &Load, segment: Segment, out: &mut String) -> std::fmt::Result {
    let Some(segment) = segment.among(load.executor.max_vus()) else {
        return Ok(());
    };
    let (values, end, max, top, unit): (Vec<f64>, Duration, f64, String, &str) =
        match &load.executor {
            Executor::RampingVus { start, stages, .. } => {
                let curve = VuCurve::new(*start, stages);
                let values = moments(curve.end()).map(|at| segment.share(curve.at(at)) as f64);
                let max = segment.share(curve.max());
                let top = max.to_string();
                (values.collect(), curve.end(), max as f64, top, "VUs")
            }
            Executor::RampingArrivalRate { start, stages, .. } => {
                let ticks = Ticks::new(*start, stages);
                let of = segment.of() as f64;
                let values = moments(ticks.end()).map(|at| ticks.rate_at(at) / of);
                let max = stages
                    .iter()
                    .map(|stage| stage.target)
                    .fold(*start, f64::max)
                    / of;
                let top = Rate(max).to_string();
                (values.collect(), ticks.end(), max, top, "starts/s")
            }
            _ => return Ok(()),
        };
    if max <= 0.0 {
        return Ok(());
    }
    writeln!(out, "  {unit:>10}")?;
    for row in (1..=ROWS).rev() {
        let label = if row == ROWS { top.as_str() } else { "" };
        // A column reaches a row when it fills more than half of it.
        let least = max * (f64::from(row) - 0.5) / f64::from(ROWS);
        let line: String = values
            .iter()
            .map(|value| if *value >= least { '#' } else { ' ' })
            .collect();
        writeln!(out, "  {label:>10} |{}", line.trim_end())?;
    }
    writeln!(out, "  {:>10} +{}", 0, "-".repeat(COLUMNS as usize))?;
    let first = Span(load.start_after).to_string();
    let last = Span(load.start_after + end).to_string();
    let gap = (COLUMNS as usize).saturating_sub(first.len() + last.len());
    writeln!(out, "  {:>10}  {first}{:gap$}{last}", "", "")
}

/// The middle of each column.
fn moments(end: Duration) -> impl Iterator<Item = Duration> {
    (0..COLUMNS).map(move |column| end.mul_f64((f64::from(column) + 0.5) / f64::from(COLUMNS)))
}
