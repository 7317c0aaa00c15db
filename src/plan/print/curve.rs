//! A load over time as a picture in characters.

use std::fmt::Write as _;
use std::time::Duration;

use crate::plan::Load;
use crate::scenario::value::{Rate, Span};

const COLUMNS: u32 = 60;
const ROWS: u32 = 8;

/// Draws VUs or starts per second; loads that are bound by iterations have no curve.
///
/// ```text
///      100 |          #####
///          |       ########
///          |    ###########
///        0 +---------------
///          0s            5m
/// ```
pub(super) fn draw(load: &Load, out: &mut String) -> std::fmt::Result {
    let (values, end, unit): (Vec<f64>, Duration, &str) =
        if let Some(curve) = load.executor.vu_curve() {
            let end = curve.end();
            let values = moments(end).map(|at| curve.at(at) as f64).collect();
            (values, end, "VUs")
        } else if let Some(ticks) = load.executor.ticks() {
            let end = ticks.end();
            let values = moments(end).map(|at| ticks.rate_at(at)).collect();
            (values, end, "starts/s")
        } else {
            return Ok(());
        };
    let max = values.iter().copied().fold(0.0, f64::max);
    if max <= 0.0 {
        return Ok(());
    }
    let top = if unit == "VUs" {
        format!("{max:.0}")
    } else {
        Rate(max).to_string()
    };
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
    let end = Span(end).to_string();
    let gap = (COLUMNS as usize - 1).saturating_sub(2 + end.len());
    writeln!(out, "  {:>10}  0s{:gap$}{end}", "", "")
}

/// The middle of each column.
fn moments(end: Duration) -> impl Iterator<Item = Duration> {
    (0..COLUMNS).map(move |column| end.mul_f64((f64::from(column) + 0.5) / f64::from(COLUMNS)))
}
