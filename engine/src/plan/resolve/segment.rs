//! What one of several instances does of a plan: its part of the load, and all else only if it is the
//! first.

use super::Overrides;
use crate::plan::fault::{Fault, Party, Trigger};
use crate::plan::{Plan, Setup, Target};
use crate::scenario::Report;

/// Leaves of the plan what the segment of the overrides does, and refuses what none can do alone.
pub(super) fn narrow(plan: &mut Plan, overrides: &Overrides, report: &mut Report<'_>) {
    let segment = overrides.segment.unwrap_or_default();
    if segment.is_whole() {
        return;
    }
    for (problem, hint) in problems(plan) {
        let argument = format!("--segment {segment}");
        report.argument(argument, problem, Some(hint.to_owned()));
    }
    plan.segment = segment;
    if !segment.leads() {
        leave_to_the_first(plan);
    }
}

/// What is done once for all segments.
fn leave_to_the_first(plan: &mut Plan) {
    plan.setup = Setup::default();
    plan.faults.clear();
    plan.truth = None;
    plan.alerts = None;
    plan.resources.clear();
    if let Target::Urls { parts, .. } = &mut plan.target {
        parts.clear();
    }
}

/// What would not be the same as in the whole run, with what to do about it.
fn problems(plan: &Plan) -> Vec<(String, &'static str)> {
    let mut problems = Vec::new();
    if matches!(plan.target, Target::Stack(_)) {
        problems.push((
            "each segment would bring up a system of its own".to_owned(),
            "start one system, and give its address to all segments: `--url`",
        ));
    }
    let aborting = plan.thresholds.iter().filter(|one| one.abort.is_some());
    problems.extend(aborting.map(|threshold| {
        (
            format!(
                "`{}` ends the load, but a segment knows only its own figures",
                threshold.name
            ),
            "leave `abort` out: the threshold is judged when the segments are merged",
        )
    }));
    problems.extend(plan.faults.iter().filter_map(of_fault));
    let captures = plan.setup.before.iter().flat_map(|step| {
        let captured = step.captured().into_iter();
        captured.map(move |slot| (step, slot))
    });
    problems.extend(captures.filter_map(|(step, slot)| {
        let slot = plan.slots.get(usize::from(slot))?;
        let problem = format!(
            "the step `{}` before the load captures `{}`, which only segment 1 would know",
            step.name, slot.name
        );
        Some((
            problem,
            "do it before the segments start, and give the value to all of them: `--set`, or a \
             variable in the scenario",
        ))
    }));
    problems
}

fn of_fault(fault: &Fault) -> Option<(String, &'static str)> {
    let name = &fault.name;
    if matches!(fault.trigger, Trigger::When(_)) {
        let problem = format!(
            "the fault `{name}` waits for a figure of the whole load, which no segment has"
        );
        return Some((problem, "give it a time: `at`"));
    }
    (fault.victim.party == Party::Client).then(|| {
        let problem =
            format!("the fault `{name}` is on the way of one segment's requests, not of all");
        let hint = "put the fault on the way between the system and its services, or on the system";
        (problem, hint)
    })
}
