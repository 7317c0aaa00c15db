//! What a poll waits for, and what `when` depends on: names become numbers.

use super::flow::Planner;
use super::outcome;
use crate::history::OutcomeKind;
use crate::plan::slots::NoSlot;
use crate::plan::{Step, TextMatch, Until};
use crate::scenario::{
    At, Poll as WrittenPoll, Report, TextMatch as WrittenMatch, Until as WrittenUntil, did_you_mean,
};

/// What ends the poll of this step. Unless the scenario says it, every declared outcome but
/// `pending` does.
pub(super) fn until(
    poll: &WrittenPoll,
    step: &Step,
    planner: &Planner<'_>,
    report: &mut Report<'_>,
) -> Option<Until> {
    match &poll.until {
        Some(WrittenUntil::Answer(answer)) => {
            let label = OutcomeKind::Ok as u8;
            Some(Until::Answer(Box::new(outcome::rule(answer, label))))
        }
        Some(WrittenUntil::Outcomes(names)) => {
            labels(names, step, planner, report).map(Until::Labels)
        }
        None => {
            let ends = final_labels(step, planner);
            if ends.is_empty() {
                report.error_hint(
                    poll.request.position,
                    format!("the poll `{}` has no outcome that ends it", step.name),
                    "declare what the last answer means, such as `issued`, or write `until:`",
                );
                return None;
            }
            Some(Until::Labels(ends))
        }
    }
}

fn final_labels(step: &Step, planner: &Planner<'_>) -> Vec<u8> {
    if step.rules.is_empty() {
        return vec![OutcomeKind::Ok as u8];
    }
    let rules = step.rules.iter().map(|rule| rule.label);
    let is_final = |label: &u8| {
        let kind = planner.labels.kind(*label);
        !matches!(kind, OutcomeKind::Pending | OutcomeKind::Unknown)
    };
    rules.filter(is_final).collect()
}

/// The labels that these names are in this step.
fn labels(
    names: &[At<String>],
    step: &Step,
    planner: &Planner<'_>,
    report: &mut Report<'_>,
) -> Option<Vec<u8>> {
    let mut possible: Vec<u8> = step.rules.iter().map(|rule| rule.label).collect();
    if step.rules.is_empty() {
        possible.extend([OutcomeKind::Ok as u8, OutcomeKind::Error as u8]);
    }
    possible.extend([OutcomeKind::Unknown as u8, OutcomeKind::NotSent as u8]);
    let read: Vec<_> = names
        .iter()
        .map(|name| {
            let known = |label: &&u8| planner.labels.name(**label) == name.value;
            let found = possible.iter().find(known).copied();
            if found.is_none() {
                let names: Vec<&str> = possible
                    .iter()
                    .map(|label| planner.labels.name(*label))
                    .collect();
                report.error_hint(
                    name.position,
                    format!("the step `{}` has no outcome `{}`", step.name, name.shown()),
                    did_you_mean(&name.value, &names),
                );
            }
            found
        })
        .collect();
    read.into_iter().collect()
}

/// Steps before this place, and the labels that they must have.
pub(super) fn outcomes(
    written: &[(At<String>, Vec<At<String>>)],
    planner: &Planner<'_>,
    report: &mut Report<'_>,
) -> Option<Vec<(u8, Vec<u8>)>> {
    let read: Vec<_> = written
        .iter()
        .map(|(name, outcomes)| {
            let mut earlier = planner.earlier().iter();
            let Some(at) = earlier.position(|step| step.name == name.value) else {
                // A step that was left out was reported.
                if planner.whole {
                    let earlier = planner.earlier().iter();
                    let names: Vec<&str> = earlier.map(|step| step.name.as_str()).collect();
                    report.error_hint(
                        name.position,
                        format!("no step `{}` stands before this one", name.shown()),
                        did_you_mean(&name.value, &names),
                    );
                }
                return None;
            };
            let labels = labels(outcomes, &planner.earlier()[at], planner, report)?;
            Some(((planner.first + at) as u8, labels))
        })
        .collect();
    read.into_iter().collect()
}

/// Slots, and what they must hold.
pub(super) fn captures(
    written: &[&(At<String>, WrittenMatch)],
    planner: &Planner<'_>,
    report: &mut Report<'_>,
) -> Option<Vec<(u8, TextMatch)>> {
    let read: Vec<_> = written
        .iter()
        .map(|(name, matched)| {
            let matched = match matched {
                WrittenMatch::AnyOf(texts) => TextMatch::AnyOf(texts.clone()),
                WrittenMatch::Exists(exists) => TextMatch::Exists(*exists),
                WrittenMatch::Matches(pattern) => TextMatch::Matches(pattern.clone()),
            };
            Some((slot(name, planner, report)?, matched))
        })
        .collect();
    read.into_iter().collect()
}

/// The slot of something that was captured before this place, or anywhere in this flow: a user
/// who stays the same may have it from an earlier iteration.
pub(super) fn slot(
    name: &At<String>,
    planner: &Planner<'_>,
    report: &mut Report<'_>,
) -> Option<u8> {
    let found = planner.slots.find(&name.value);
    if found.is_err() {
        let names: Vec<&str> = planner.slots.names().collect();
        let message = match found {
            Err(NoSlot::NotYet) => "is captured later, or in another flow",
            _ => "is captured nowhere",
        };
        report.error_hint(
            name.position,
            format!("`{}` {message}", name.shown()),
            did_you_mean(&name.value, &names),
        );
    }
    found.ok()
}
