//! CPU: of the machine as a whole, and of the process that rises most beside the phenomenon.

use super::super::evidence::Series;
use super::super::figure::{Figures, How, Source};
use super::super::stats::mean;
use super::beside::{Beside, beside};
use super::{Context, Hypothesis, Weighed, nowhere};
use crate::measure::{Quantity, Unit};
use crate::messages::{code, said};

/// Of all cores, from which on there is none to spare.
const BUSY: f64 = 0.9;

pub(super) fn weigh(context: &Context<'_>, figures: &mut Figures) -> Weighed {
    if context.is_invariant() {
        return Weighed::Beside;
    }
    let evidence = context.evidence;
    let all: Vec<&Series> = evidence.series_of(Quantity::CpuNs).collect();
    let (from, to) = context.span();
    let used = |one: &&Series| mean(one.between(from, to)).unwrap_or_default();
    let sum: f64 = all.iter().map(used).sum();
    let cores = evidence.cores().filter(|_| !all.is_empty());
    let Some(cores) = cores else {
        let fig = nowhere("cpu_ns (process)", figures);
        return Weighed::NotMeasured(said!("cause.cpu.not_measured"; fig));
    };
    let source = Source::Resources {
        source: "*".to_owned(),
        kind: "process".to_owned(),
        field: "cpu_ns".to_owned(),
        from,
        to,
        how: How::Rate,
    };
    let shown = Unit::Cores.show(sum);
    let sum_fig = figures.cite(shown.clone(), source);
    let source = Source::Summary("/environment/cpu".to_owned());
    let cores_fig = figures.cite(evidence.summary.environment.cpu.clone(), source);
    let busy = sum >= BUSY * cores as f64;
    // The harness is the business of another hypothesis.
    let systems = all.iter().filter(|one| one.source != crate::plan::HARNESS);
    let weighed = systems.map(|one| (*one, beside(context, one, &mut figures.clone())));
    let more = |one: &(&Series, Beside), two: &(&Series, Beside)| {
        let by_points = one.1.points.cmp(&two.1.points);
        by_points.then(used(&one.0).total_cmp(&used(&two.0)))
    };
    let Some((most, _)) = weighed.max_by(more) else {
        let fig = nowhere("cpu_ns (process)", figures);
        return Weighed::NotMeasured(said!("cause.cpu.not_measured"; fig));
    };
    let most_used = used(&most);
    let fig = figures.cite(
        Unit::Cores.show(most_used),
        most.source(from, to, How::Rate),
    );
    if !busy {
        return Weighed::NotSeen(said!("cause.cpu.not_seen",
            sum = shown, cores = cores.to_string(), source = code(most.source.clone()),
            most = Unit::Cores.show(most_used); sum_fig, cores_fig, fig));
    }
    let beside = beside(context, most, figures);
    let mut support = vec![
        said!("cause.cpu.machine", sum = shown, cores = cores.to_string(); sum_fig, cores_fig),
        said!("cause.cpu.most",
            source = code(most.source.clone()), most = Unit::Cores.show(most_used); fig),
    ];
    support.extend(beside.said);
    let which = nowhere("CPU by function of the process", figures);
    Weighed::Seen(Hypothesis {
        title: said!("cause.cpu.title"; sum_fig),
        points: 3 + beside.points,
        support,
        missing: vec![said!("cause.cpu.missing"; which)],
    })
}
