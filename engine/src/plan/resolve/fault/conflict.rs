//! Two faults that cannot be told apart, or of which one would undo the other, do not overlap.

use std::time::Duration;

use crate::plan::fault::{Fault, Injection, Trigger};
use crate::scenario::{Fault as Written, Position, Report};

pub(super) fn check(faults: &[Fault], written: &[Written], report: &mut Report<'_>) {
    for (at, one) in faults.iter().enumerate() {
        let clash = faults[..at].iter().enumerate().find(|(earlier, other)| {
            excludes(one, other) && !comes_behind(one, *earlier, faults) && may_overlap(one, other)
        });
        if let Some((_, other)) = clash {
            report.error_hint(
                position(one, written),
                format!(
                    "`{}` and `{}` would break the same thing at the same time",
                    other.name, one.name
                ),
                "let one begin when the other is healed: `at: NAME + 10s`, with the other's name",
            );
        }
    }
}

/// Where the entry stands from which the fault was made.
fn position(fault: &Fault, written: &[Written]) -> Position {
    let entry = written.iter().find(|entry| super::is_named(fault, entry));
    entry.map_or(Position::START, |entry| entry.name.position)
}

/// A way can have several faults, and be faulty while its ends are; all else excludes each other at
/// one victim.
fn excludes(one: &Fault, other: &Fault) -> bool {
    let apart =
        |fault: &Fault| matches!(fault.injection, Injection::Link(_) | Injection::Loss { .. });
    one.victim.may_meet(&other.victim) && !apart(one) && !apart(other)
}

/// Whether it begins when the other is healed, or when one is healed that did.
fn comes_behind(fault: &Fault, other: usize, faults: &[Fault]) -> bool {
    match fault.trigger {
        // Each refers to an earlier one, so this ends.
        Trigger::After { fault: before, .. } => {
            before == other
                || faults
                    .get(before)
                    .is_some_and(|before| comes_behind(before, other, faults))
        }
        Trigger::At(_) | Trigger::When(_) => false,
    }
}

fn may_overlap(later: &Fault, earlier: &Fault) -> bool {
    match (&later.trigger, &earlier.trigger) {
        (Trigger::At(_), Trigger::At(_)) => spans(later)
            .any(|(from, to)| spans(earlier).any(|(begin, end)| from <= end && begin <= to)),
        // Nobody knows when a condition comes true.
        _ => true,
    }
}

fn spans(fault: &Fault) -> impl Iterator<Item = (Duration, Duration)> + '_ {
    let first = match fault.trigger {
        Trigger::At(at) => at,
        Trigger::After { .. } | Trigger::When(_) => Duration::ZERO,
    };
    (0..fault.times).map(move |number| {
        let from = first + fault.every * number;
        (from, from + fault.lasts)
    })
}
