//! Refuses what cannot be judged where coupons come back.

use crate::history::OutcomeKind;
use crate::plan::{Invariant, Label, Plan};
use crate::scenario::{Outcome, Report, Scenario};

/// One request either gets something or gives it back: without an answer nobody could say which of
/// the two may have happened.
pub(super) fn check(outcomes: &[Outcome], report: &mut Report<'_>) {
    let named = |name: &str| {
        let mut found = outcomes.iter().map(|outcome| &outcome.name);
        found.find(|known| known.value.as_str() == name)
    };
    let Some(released) = named(Label::RELEASED) else {
        return;
    };
    let confirms = [
        OutcomeKind::Issued,
        OutcomeKind::Pending,
        OutcomeKind::Replay,
    ];
    let labels = Label::built_in();
    let confirms = confirms.map(|kind| labels[kind as usize].name.clone());
    if let Some(other) = confirms.iter().find(|name| named(name).is_some()) {
        report.error_hint(
            released.position,
            format!("the outcome `released` cannot stand beside `{other}`"),
            "a step asks for a coupon or gives one back: make two of it",
        );
    }
}

/// Events are compared with the rows that are left, and what came back has left no row.
pub(super) fn claims(scenario: &Scenario, plan: &Plan, report: &mut Report<'_>) {
    if !plan.has_releases() {
        return;
    }
    let names = scenario.invariants.iter().map(|written| &written.name);
    let delivery = |name: &str| matches!(Invariant::named(name), Some(Invariant::Delivery(_)));
    for name in names.filter(|name| delivery(&name.value)) {
        report.error_hint(
            name.position,
            "`delivery` cannot be judged where coupons come back: events of what came back have no \
             row any more",
            "judge `delivery` by a scenario without `released` and `lease`",
        );
    }
}
