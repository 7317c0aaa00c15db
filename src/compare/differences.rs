//! Whether two plans put the same load on their systems. The systems may differ: that is what a
//! comparison is for.

use crate::plan::{Plan, Users};

/// What differs of the load, in words; empty: the runs can be compared. Seeds, claims and what is
/// loaded may differ.
pub fn differences(base: &Plan, new: &Plan) -> Vec<String> {
    let mut different = named("load", &base.loads, &new.loads, |load| &load.name);
    different.extend(named("step", &base.steps, &new.steps, |step| &step.name));
    let faults = named("fault", &base.faults, &new.faults, |fault| &fault.name);
    different.extend(faults);
    let wholes = [
        ("the phases", base.phases != new.phases),
        ("the flows", base.flows != new.flows),
        ("the users", users(base) != users(new)),
        ("the subject", base.subject != new.subject),
        ("the outcomes", base.labels != new.labels),
        ("the segments", base.segment != new.segment),
    ];
    let wholes = wholes.into_iter().filter(|(_, differ)| *differ);
    different.extend(wholes.map(|(what, _)| what.to_owned()));
    different
}

/// How many records there are is only known to a run that has read them.
fn users(plan: &Plan) -> Users {
    let mut users = plan.users.clone();
    if users.records.is_some() {
        users.found(0);
    }
    users
}

/// Those that only one has, and those of one name that are not the same.
fn named<T: PartialEq>(
    kind: &str,
    base: &[T],
    new: &[T],
    name: impl Fn(&T) -> &String,
) -> Vec<String> {
    let find = |all: &'_ [T], wanted: &T| all.iter().position(|one| name(one) == name(wanted));
    let changed = base
        .iter()
        .filter(|one| find(new, one).is_none_or(|at| new[at] != **one));
    let added = new.iter().filter(|one| find(base, one).is_none());
    let different = changed.chain(added);
    different
        .map(|one| format!("the {kind} `{}`", name(one)))
        .collect()
}
