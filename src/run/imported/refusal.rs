//! What a scenario says that cannot apply where nothing is loaded.

use crate::measure::{Metric, Tag, Threshold};
use crate::plan::{Plan, Target};

/// Refuses, with the reason, what would be read and have no effect.
pub(super) fn of_plan(plan: &Plan) -> Result<(), String> {
    let refused = problems(plan);
    if refused.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the scenario `{}` does not fit records of another tool:\n  {}",
        plan.name,
        refused.join("\n  ")
    ))
}

fn problems(plan: &Plan) -> Vec<String> {
    let mut problems = Vec::new();
    let mut refuse = |is_there: bool, words: &str| {
        if is_there {
            problems.push(words.to_owned());
        }
    };
    refuse(
        !matches!(plan.target, Target::Urls { .. }),
        "`target`: the bundled server is there only while a run lasts; say `url` of the system \
         that was loaded",
    );
    refuse(
        !plan.faults.is_empty(),
        "`faults`: nothing is broken; what was broken meanwhile is not known",
    );
    refuse(
        plan.alerts.is_some(),
        "`alerts`: who fired while the other tool was loading cannot be watched any more",
    );
    refuse(
        !plan.resources.is_empty(),
        "`resources`: what the load cost cannot be measured any more",
    );
    refuse(
        plan.setup != crate::plan::Setup::default(),
        "`before` and `after`: nothing is done to the system",
    );
    let of_loads = plan.phases.iter().filter(|phase| phase.load.is_some());
    refuse(
        of_loads.count() != 1,
        "`load`: stages and several loads are phases of a load from here; leave one load without \
         stages",
    );
    refuse(
        plan.truth.is_none() && !plan.invariants.is_empty(),
        "`truth`: it is missing, and without it the invariants cannot be judged",
    );
    refuse(
        plan.queue.is_some(),
        "`invariants`: `queue`: the records do not hold what a user was told of a queue",
    );
    for threshold in &plan.thresholds {
        if let Some(why) = why_not(threshold) {
            problems.push(format!("`thresholds`: `{}`: {why}", threshold.name));
        }
    }
    problems
}

/// Only what the records tell can be judged.
fn why_not(threshold: &Threshold) -> Option<&'static str> {
    use Metric::{
        HttpReqDuration, HttpReqFailed, HttpReqs, Issued, LockFailed, Outcome, UnknownRate,
    };
    let is_told = matches!(
        threshold.metric,
        HttpReqDuration | HttpReqFailed | HttpReqs | Issued | LockFailed | Outcome | UnknownRate
    );
    let mut tags = threshold.tags.iter().map(|(tag, _)| *tag);
    if !is_told {
        Some("the records do not tell it")
    } else if tags.any(|tag| !matches!(tag, Tag::Step | Tag::Outcome)) {
        Some("only the tags `step` and `outcome` are in the records")
    } else if threshold.abort.is_some() {
        Some("there is no load that it could end")
    } else {
        None
    }
}
