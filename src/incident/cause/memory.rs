//! Memory: nearly all of the machine's, or a process that grew and grew.

use super::super::evidence::Series;
use super::super::figure::{Figures, How, Source};
use super::super::stats::mean;
use super::{Context, Hypothesis, Weighed, nowhere};
use crate::measure::{Quantity, Unit};
use crate::messages::{code, said};

/// Of the machine's memory.
const FULL: f64 = 0.85;

pub(super) fn weigh(context: &Context<'_>, figures: &mut Figures) -> Weighed {
    if context.is_invariant() {
        return Weighed::Beside;
    }
    let evidence = context.evidence;
    let all: Vec<&Series> = evidence.series_of(Quantity::MemoryBytes).collect();
    let machine = evidence.summary.environment.memory_bytes;
    let (from, to) = context.span();
    let used = |one: &&&Series| mean(one.between(from, to)).unwrap_or_default();
    let most = all
        .iter()
        .max_by(|one, two| used(one).total_cmp(&used(two)));
    let Some(most) = most.filter(|_| machine > 0) else {
        let fig = nowhere("memory_bytes (process)", figures);
        return Weighed::NotMeasured(said!("cause.memory.not_measured"; fig));
    };
    let sum: f64 = all.iter().map(|one| used(&one)).sum();
    let source = Source::Resources {
        source: "*".to_owned(),
        kind: "process".to_owned(),
        field: "memory_bytes".to_owned(),
        from,
        to,
        how: How::Mean,
    };
    let shown = Unit::Bytes.show(sum);
    let sum_fig = figures.cite(shown.clone(), source);
    let source = Source::Summary("/environment/memory_bytes".to_owned());
    let machine_fig = figures.cite(Unit::Bytes.show(machine as f64), source);
    let most_shown = Unit::Bytes.show(used(&most));
    let most_fig = figures.cite(most_shown.clone(), most.source(from, to, How::Mean));
    let machine_shown = Unit::Bytes.show(machine as f64);
    if sum < FULL * machine as f64 {
        return Weighed::NotSeen(said!("cause.memory.not_seen",
            sum = shown, machine = machine_shown; sum_fig, machine_fig));
    }
    Weighed::Seen(Hypothesis {
        title: said!("cause.memory.title"; sum_fig),
        points: 3,
        support: vec![
            said!("cause.memory.support",
                sum = shown, machine = machine_shown; sum_fig, machine_fig),
            said!("cause.memory.most",
                source = code(most.source.clone()), most = most_shown; most_fig),
        ],
        missing: vec![said!("cause.memory.missing"; sum_fig)],
    })
}
