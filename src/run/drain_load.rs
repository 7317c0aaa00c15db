//! Which load can find the end of the stock.

use crate::history::OutcomeKind;
use crate::plan::{Action, Plan};

/// The load whose flow asks for the subject and can be told that it is sold out.
pub(super) fn drain_load(plan: &Plan) -> Option<usize> {
    let can_drain = |step: u8| {
        let step = &plan.steps[usize::from(step)];
        let sold_out = |label: u8| plan.labels[usize::from(label)].kind == OutcomeKind::SoldOut;
        step.attempts_subject && step.rules.iter().any(|rule| sold_out(rule.label))
    };
    let asked = plan.invariants.iter().any(|one| one.is_of_the_end());
    plan.loads.iter().position(|load| {
        let mut drains = false;
        Action::requests(&plan.flows[load.flow].actions, &mut |step| {
            drains |= can_drain(step);
        });
        asked && drains
    })
}
