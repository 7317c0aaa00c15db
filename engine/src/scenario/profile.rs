//! `profiles`: named changes to a scenario, of which the command line chooses one.

use super::merge::lay;
use super::node::{Entry, Node, Value};
use super::position::Source;
use super::reader::{self, did_you_mean};
use super::report::Report;
use super::value::Name;

/// Keys that a profile cannot change: which files belong together, and what there is to choose.
const FIXED: [&str; 3] = ["name", "include", "profiles"];

/// Takes `profiles` out of the tree, and lays the chosen one over the rest.
pub(super) fn apply(tree: &mut Node, source: &Source, report: &mut Report<'_>) {
    let entry = take(tree, "profiles");
    let profiles = entry.as_ref().map(|entry| profiles(entry, report));
    let Some(chosen) = &source.profile else {
        return;
    };
    let profiles = profiles.unwrap_or_default();
    let Some(profile) = profiles.iter().find(|profile| profile.key == *chosen) else {
        let names: Vec<&str> = profiles
            .iter()
            .map(|profile| profile.key.as_str())
            .collect();
        let hint = match names.as_slice() {
            [] => "the scenario has no `profiles`".to_owned(),
            names => did_you_mean(chosen, names),
        };
        let message = format!("there is no profile `{chosen}`");
        report.argument(format!("--profile {chosen}"), message, Some(hint));
        return;
    };
    let mut changes = profile.node.clone();
    if let Value::Map(entries) = &mut changes.value {
        entries.retain(|entry| !FIXED.contains(&entry.key.as_str()));
        lay(tree, changes);
    }
}

/// The names of all profiles, in the order of the file.
pub(super) fn names(tree: &Node) -> Vec<String> {
    let Value::Map(entries) = &tree.value else {
        return Vec::new();
    };
    let of = entries.iter().find(|entry| entry.key == "profiles");
    match of.map(|entry| &entry.node.value) {
        Some(Value::Map(profiles)) => profiles.iter().map(|entry| entry.key.clone()).collect(),
        _ => Vec::new(),
    }
}

/// All profiles; what is wrong with the form of any of them is said, also if it is not chosen.
fn profiles<'n>(entry: &'n Entry, report: &mut Report<'_>) -> &'n [Entry] {
    let profiles = reader::entries(report, &entry.node).unwrap_or_default();
    for profile in profiles {
        let _: Option<_> = reader::key::<Name>(report, profile);
        let Some(changes) = reader::entries(report, &profile.node) else {
            continue;
        };
        for change in changes
            .iter()
            .filter(|change| FIXED.contains(&change.key.as_str()))
        {
            report.error_hint(
                change.position,
                format!("a profile cannot change `{}`", change.key),
                "it changes what a run does: `load`, `users`, `thresholds`, ...",
            );
        }
    }
    profiles
}

/// Takes an entry out of the map.
pub(super) fn take(tree: &mut Node, key: &str) -> Option<Entry> {
    let Value::Map(entries) = &mut tree.value else {
        return None;
    };
    let at = entries.iter().position(|entry| entry.key == key)?;
    Some(entries.remove(at))
}
