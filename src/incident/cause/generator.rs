//! The load generator itself: a busy one measures its own waiting.

use super::super::figure::{Figures, How, Source};
use super::{Context, Hypothesis, Weighed, sustained};
use crate::measure::Unit;
use crate::messages::said;

/// A thread above this share of a core is late.
const BUSY: f64 = 0.95;

/// For so many seconds on end.
const LASTS: usize = 3;

pub(super) fn weigh(context: &Context<'_>, figures: &mut Figures) -> Weighed {
    if context.is_invariant() {
        return Weighed::Beside;
    }
    let evidence = context.evidence;
    if evidence.moments.imported {
        let source = Source::NotMeasured("busiest_thread".to_owned());
        let fig = figures.cite(super::super::NO_DATA, source);
        return Weighed::NotMeasured(said!("cause.generator.not_measured"; fig));
    }
    let seconds = &evidence.seconds[context.from..context.to];
    let busy: Vec<_> = seconds.iter().map(|one| Some(one.busiest_thread)).collect();
    let lasts = LASTS.min(busy.len().max(1));
    let most = sustained(&busy, lasts).unwrap_or_default();
    let how = How::Sustained(lasts as u64);
    let source = evidence.lines(context.from, context.to, how, "busiest_thread");
    let shown = Unit::Share.show(most);
    let fig = figures.cite(shown.clone(), source);
    if most < BUSY {
        return Weighed::NotSeen(said!("cause.generator.not_seen", share = shown; fig));
    }
    Weighed::Seen(Hypothesis {
        title: said!("cause.generator.title"; fig),
        points: 3,
        support: vec![said!("cause.generator.support", share = shown; fig)],
        missing: vec![said!("cause.generator.missing"; fig)],
    })
}
