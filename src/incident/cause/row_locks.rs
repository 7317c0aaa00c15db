//! Waits for row locks in the database.

use super::super::figure::{Figures, How};
use super::super::stats::mean;
use super::beside::beside;
use super::{Context, Hypothesis, Weighed, nowhere};
use crate::measure::{Quantity, Unit};
use crate::messages::{code, said};

/// Milliseconds of waiting in each second from which on somebody always waits.
const ALWAYS_MS: f64 = 1_000.0;

pub(super) fn weigh(context: &Context<'_>, figures: &mut Figures) -> Weighed {
    if context.is_invariant() {
        return Weighed::Beside;
    }
    let evidence = context.evidence;
    let Some(waits) = evidence.series_of(Quantity::RowLockWaits).next() else {
        let fig = nowhere("row_lock_waits (sql)", figures);
        return Weighed::NotMeasured(said!("cause.row_locks.not_measured"; fig));
    };
    let (from, to) = context.span();
    let rate = mean(waits.between(from, to)).unwrap_or_default();
    let fig = figures.cite(
        Unit::CountRate.show(rate),
        waits.source(from, to, How::Rate),
    );
    let source = code(waits.source.clone());
    if rate <= 0.0 {
        return Weighed::NotSeen(said!("cause.row_locks.none", source = source; fig));
    }
    let beside = beside(context, waits, figures);
    let mut points = beside.points;
    let mut support = vec![said!("cause.row_locks.rate",
        source = source, rate = Unit::CountRate.show(rate); fig)];
    let mut times = evidence.series_of(Quantity::RowLockTimeMs);
    let time = times.find(|one| one.source == waits.source);
    let time = time.and_then(|one| Some((one, mean(one.between(from, to))?)));
    if let Some((series, ms)) = time {
        let fig = figures.cite(series.show(ms), series.source(from, to, How::Rate));
        support.push(said!("cause.row_locks.time", time = series.show(ms); fig));
        points += if ms >= ALWAYS_MS { 2 } else { 0 };
    }
    support.extend(beside.said);
    if points == 0 {
        return Weighed::NotSeen(said!("cause.row_locks.not_seen",
            source = code(waits.source.clone()), rate = Unit::CountRate.show(rate); fig));
    }
    let which = nowhere("which statements wait for which rows", figures);
    Weighed::Seen(Hypothesis {
        title: said!("cause.row_locks.title"; fig),
        points,
        support,
        missing: vec![said!("cause.row_locks.missing"; which)],
    })
}
