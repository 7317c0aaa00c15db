//! A defect that was planted in the bundled server: what is issued wrongly then has its cause.

use super::super::figure::{Figures, Source};
use super::{Context, Hypothesis, Weighed};
use crate::messages::{code, said};
use crate::plan::Target;

pub(super) fn weigh(context: &Context<'_>, figures: &mut Figures) -> Weighed {
    let Target::Stack(stack) = &context.evidence.plan.target else {
        return Weighed::Beside;
    };
    let Some(bug) = stack.bug.as_ref().filter(|_| context.is_invariant()) else {
        return Weighed::Beside;
    };
    let fig = figures.cite(bug.clone(), Source::Plan("bug".to_owned()));
    Weighed::Seen(Hypothesis {
        title: said!("cause.planted.title", bug = code(bug.clone()); fig),
        points: 5,
        support: vec![said!("cause.planted.support", bug = code(bug.clone()); fig)],
        missing: vec![said!("cause.planted.missing"; fig)],
    })
}
