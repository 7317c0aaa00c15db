//! Whether two plans put the same load on their systems, and in what the systems differ: that is
//! what a comparison is for.

use crate::plan::{Database, Plan, Stack, Target, Users};
use crate::report::Difference;

/// Whether runs are compared whose faults differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faults {
    /// They must be the same.
    Same,
    /// They may differ, which the comparison says.
    Any,
}

/// What differs of the load, in words; empty: the runs can be compared. Seeds, claims and what is
/// loaded may differ.
pub fn differences(base: &Plan, new: &Plan, faults: Faults) -> Vec<String> {
    let mut different = named("load", &base.loads, &new.loads, |load| &load.name);
    different.extend(named("step", &base.steps, &new.steps, |step| &step.name));
    if faults == Faults::Same {
        different.extend(named("fault", &base.faults, &new.faults, |one| &one.name));
    }
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

/// What else differs that can make a difference: faults, and what was asked of the bundled system.
pub(super) fn settings(base: &Plan, new: &Plan) -> Vec<Difference> {
    let faults = unequal(&base.faults, &new.faults, |fault| &fault.name);
    let mut different: Vec<_> = faults.cloned().map(Difference::Fault).collect();
    let (Target::Stack(one), Target::Stack(other)) = (&base.target, &new.target) else {
        return different;
    };
    let (before, now) = (settings_of(one), settings_of(other));
    let value = |all: &[(String, String)], name: &str| {
        let found = all.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in before.iter().chain(&now) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let (base, new) = (value(&before, name), value(&now, name));
        if base != new {
            let name = name.clone();
            different.push(Difference::Setting { name, base, new });
        }
    }
    different
}

/// What was asked of the bundled system, by name.
fn settings_of(stack: &Stack) -> Vec<(String, String)> {
    let database = match stack.database {
        Database::Sqlite => "sqlite",
        Database::MySql => "mysql",
    };
    let own = stack
        .strategy
        .as_ref()
        .map(|strategy| ("strategy", strategy));
    let own = own
        .into_iter()
        .chain(stack.bug.as_ref().map(|bug| ("bug", bug)));
    let mut settings: Vec<_> = own
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    settings.push(("database".to_owned(), database.to_owned()));
    settings.push(("redis".to_owned(), stack.redis.to_string()));
    settings.push(("kafka".to_owned(), stack.kafka.to_string()));
    for group in &stack.groups {
        let name = format!("servers ({})", group.role);
        settings.push((name, group.count.to_string()));
    }
    let own = stack.settings.iter();
    settings.extend(own.map(|one| (one.key.to_owned(), one.shown.clone())));
    settings
}

/// How many records there are is only known to a run that has read them.
fn users(plan: &Plan) -> Users {
    let mut users = plan.users.clone();
    if users.records.is_some() {
        users.found(0);
    }
    users
}

/// As [`unequal`], in words.
fn named<T: PartialEq>(
    kind: &str,
    base: &[T],
    new: &[T],
    name: impl Fn(&T) -> &String + Copy,
) -> Vec<String> {
    let names = unequal(base, new, name);
    names.map(|name| format!("the {kind} `{name}`")).collect()
}

/// The names of those that only one has, and of those of one name that are not the same.
fn unequal<'a, T: PartialEq>(
    base: &'a [T],
    new: &'a [T],
    name: impl Fn(&T) -> &String + Copy + 'a,
) -> impl Iterator<Item = &'a String> {
    let find = move |all: &[T], wanted: &T| all.iter().position(|one| name(one) == name(wanted));
    let changed = base
        .iter()
        .filter(move |one| find(new, one).is_none_or(|at| new[at] != **one));
    let added = new.iter().filter(move |one| find(base, one).is_none());
    changed.chain(added).map(name)
}
