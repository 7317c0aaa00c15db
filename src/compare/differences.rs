//! Whether two plans put the same load on their systems. The systems may differ: that is what a
//! comparison is for.

use crate::plan::{Plan, Users};

/// What differs of the load, in words; empty: the runs can be compared. Seeds, claims and what is
/// loaded may differ.
pub fn differences(base: &Plan, new: &Plan) -> Vec<String> {
    let mut different = Vec::new();
    named(
        "load",
        &mut different,
        (
            base.loads.iter().map(|load| (&load.name, load)).collect(),
            new.loads.iter().map(|load| (&load.name, load)).collect(),
        ),
    );
    named(
        "step",
        &mut different,
        (
            base.steps.iter().map(|step| (&step.name, step)).collect(),
            new.steps.iter().map(|step| (&step.name, step)).collect(),
        ),
    );
    named(
        "fault",
        &mut different,
        (
            base.faults
                .iter()
                .map(|fault| (&fault.name, fault))
                .collect(),
            new.faults
                .iter()
                .map(|fault| (&fault.name, fault))
                .collect(),
        ),
    );
    let wholes = [
        ("the phases", base.phases != new.phases),
        ("the flows", base.flows != new.flows),
        ("the users", users(base) != users(new)),
        ("the subject", base.subject != new.subject),
        ("the outcomes", base.labels != new.labels),
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
    different: &mut Vec<String>,
    (base, new): (Vec<(&String, &T)>, Vec<(&String, &T)>),
) {
    let find =
        |all: &[(&String, &T)], name: &String| all.iter().position(|(known, _)| *known == name);
    for (name, one) in &base {
        let same = find(&new, name).is_some_and(|at| new[at].1 == *one);
        if !same {
            different.push(format!("the {kind} `{name}`"));
        }
    }
    for (name, _) in &new {
        if find(&base, name).is_none() {
            different.push(format!("the {kind} `{name}`"));
        }
    }
}
