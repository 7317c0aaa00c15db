//! Iterations that were due without a free VU: the load asked for more than it could.

use super::super::evidence::{Evidence, counted, share};
use super::super::figure::{Figures, Source};
use super::super::severity::Severity;
use super::{Example, Expected, Kind, Phenomenon, period};
use crate::measure::Second;
use crate::messages::said;

pub(super) fn find(evidence: &Evidence<'_>, figures: &mut Figures) -> Option<Phenomenon> {
    let dropped = evidence.summary.dropped_iterations;
    if dropped == 0 {
        return None;
    }
    let source = Source::Summary("/dropped_iterations".to_owned());
    let fig = figures.cite(counted(dropped), source);
    let some = |second: &Second| second.dropped.values().sum::<u64>() > 0;
    let first = evidence.seconds.iter().position(some);
    let last = evidence.seconds.iter().rposition(some);
    let to = last
        .map(|last| last + 1)
        .filter(|to| *to < evidence.seconds.len());
    let (onset, period) = match first {
        Some(first) => {
            let (onset, period) = period(evidence, first, to, figures);
            (Some(onset), period)
        }
        None => (None, vec![said!("period.unknown"; fig)]),
    };
    let ended: u64 = evidence
        .summary
        .loads
        .iter()
        .map(|load| load.iterations)
        .sum();
    let due = ended + dropped;
    let source = Source::Summary("/loads/*/iterations".to_owned());
    let ended_fig = figures.cite(counted(ended), source);
    let shown = share(dropped, due);
    Some(Phenomenon {
        kind: Kind::Dropped,
        title: said!("dropped.title"),
        example: Example::None,
        onset,
        until_s: to.map(|to| evidence.time(to)),
        period,
        effect: vec![said!("dropped.effect",
            count = counted(dropped), due = counted(due), share = shown; fig, ended_fig)],
        severity: Severity::P2,
        severity_why: said!("dropped.because"; fig),
        expected: Expected::No(said!("dropped.not_expected"; fig)),
    })
}
