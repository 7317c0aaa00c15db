//! What faults do to the verdict: one that was not proved makes it unknown, and one that was not
//! healed heads the report.

use super::guard::{End, Interrupted};
use crate::measure::fault::Occurrence;
use crate::plan::Plan;
use crate::plan::fault::Fault;

/// What is wrong with the faults of a run, one sentence each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FaultDoubts {
    /// What is still broken.
    pub(super) not_healed: Vec<String>,
    /// Why the run has not shown what it was to show.
    pub(super) doubts: Vec<String>,
}

/// Looks at each fault of a plan whose load has begun. An interrupted run need not have come to all
/// of its faults, and one that was cut off says so itself.
pub(super) fn fault_doubts<'a>(
    plan: &Plan,
    occurrences: &(impl Iterator<Item = &'a Occurrence> + Clone),
    end: &End,
) -> FaultDoubts {
    let mut found = FaultDoubts::default();
    let in_good_order = end.ended && end.interrupted == Interrupted::No;
    for (at, fault) in plan.faults.iter().enumerate() {
        let mut happened = 0;
        let mut never_due = false;
        for one in occurrences.clone().filter(|one| one.fault == at) {
            happened += u32::from(one.asked_ns.is_some() || one.applied_ns.is_some());
            never_due |= one.never_due;
            let name = named(fault, one);
            found.not_healed.extend(not_healed(&name, one, end));
            found.doubts.extend(not_proved(&name, one, in_good_order));
            found.doubts.extend(cut_off(&name, one, end));
        }
        if in_good_order && happened < fault.times {
            found.doubts.push(missing(fault, happened, never_due));
        }
    }
    found
}

/// ``the fault `redis-down` `` or ``the fault `redis-down` (2 of 3)``
fn named(fault: &Fault, one: &Occurrence) -> String {
    let (name, number, times) = (&fault.name, one.number, fault.times);
    if times > 1 {
        format!("the fault `{name}` ({number} of {times})")
    } else {
        format!("the fault `{name}`")
    }
}

fn not_healed(name: &str, one: &Occurrence, end: &End) -> Option<String> {
    let victims = match one.victims.as_slice() {
        [] => String::new(),
        victims => format!(" at {}", victims.join(", ")),
    };
    match &one.not_healed {
        Some(why) => Some(format!("{name} could not be healed{victims}: {why}")),
        None if end.ended && one.applied_ns.is_some() && one.healed_ns.is_none() => Some(format!(
            "{name} was injected{victims}, and nothing says that it was healed"
        )),
        None => None,
    }
}

fn not_proved(name: &str, one: &Occurrence, in_good_order: bool) -> Option<String> {
    if let Some(why) = &one.not_applied {
        return Some(format!("{name} could not be injected: {why}"));
    }
    if let Some(what) = &one.effect_not_seen {
        return Some(format!(
            "{name} was injected, but never seen to bite: {what}"
        ));
    }
    if !in_good_order || one.never_due {
        return None;
    }
    match (one.applied_ns, &one.effect_seen) {
        (None, _) => Some(format!(
            "{name} was due, and nothing says that it was injected"
        )),
        (Some(_), None) => Some(format!(
            "{name} was injected, and nothing says that it was seen to bite"
        )),
        (Some(_), Some(_)) => None,
    }
}

fn cut_off(name: &str, one: &Occurrence, end: &End) -> Option<String> {
    let open = one.applied_ns.is_some() && one.healed_ns.is_none() && one.not_healed.is_none();
    (open && !end.ended).then(|| {
        format!("{name} was active when the evidence ends: nothing here says that it was healed")
    })
}

fn missing(fault: &Fault, happened: u32, never_due: bool) -> String {
    let (name, times) = (&fault.name, fault.times);
    let why = if never_due {
        "the load ended before"
    } else {
        "nothing is known of the rest"
    };
    match happened {
        0 if never_due => {
            format!("the fault `{name}` was never injected: the load ended before it was due")
        }
        0 => format!("the fault `{name}` was never injected: nothing is known of it"),
        _ => format!("the fault `{name}` happened {happened} of {times} times: {why}"),
    }
}

#[cfg(test)]
mod tests;
