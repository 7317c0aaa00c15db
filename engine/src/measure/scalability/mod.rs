//! How throughput grows with the users: the steps of a run at which it held its VUs, and what each
//! of them gave.
//!
//! A step is a time in which every load that runs holds its VUs: a `constant_vus`, or a stage of a
//! `ramping_vus` that ends as it began. Loads that run side by side are one step with the VUs of
//! both. Where VUs change, or an open model runs, there is no step, since nobody knows how many
//! users were at work.

mod fit;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Metric, Second, Tag};
use crate::plan::{Executor, Load, Plan};

pub use fit::{Fit, Law, fit};

/// A step is worth something from so many seconds on.
const LEAST_SECONDS: f64 = 2.5;

/// Below it a step is where the growth bends.
pub const BEND: f64 = 0.8;

/// What a run gave while it held its VUs.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalingStep {
    /// The phase's name; of several at once all of them.
    pub name: String,
    /// VUs of all loads in it; at least 1.
    pub vus: u64,
    /// From the start of the load.
    pub from: Duration,
    /// From the start of the load.
    pub to: Duration,
    /// Of the seconds that were counted: whole ones in which all of its VUs ran, without the first.
    pub seconds: f64,
    /// Attempts that ended in them and did not fail, as `http_req_failed` counts failures.
    pub answered: u64,
    /// All attempts that ended in them, by outcome name.
    pub outcomes: BTreeMap<String, u64>,
}

impl ScalingStep {
    /// Attempts per second that did not fail; `None`: it was too short.
    pub fn throughput(&self) -> Option<f64> {
        (self.seconds >= LEAST_SECONDS).then(|| self.answered as f64 / self.seconds)
    }
}

/// The steps of a run, of all loads and of each that a threshold names.
#[derive(Debug, Default)]
pub struct Scaling {
    /// By load; `None` are all of them.
    views: Vec<(Option<String>, Vec<ScalingStep>)>,
    /// Outcomes that are failures.
    failures: Vec<String>,
}

impl Scaling {
    /// Before the load.
    pub fn new(plan: &Plan) -> Self {
        let mut loads = vec![None];
        for threshold in &plan.thresholds {
            let load = load_of(&threshold.tags).map(str::to_owned);
            if threshold.metric == Metric::Scalability && !loads.contains(&load) {
                loads.push(load);
            }
        }
        let views = loads.into_iter();
        let views = views.map(|load| (load.clone(), steps(plan, load.as_deref())));
        let failures = plan.labels.iter();
        let failures = failures.filter(|label| label.kind.is_failed_request());
        Self {
            views: views.collect(),
            failures: failures.map(|label| label.name.clone()).collect(),
        }
    }

    /// Takes what was measured in one second of the load.
    pub fn second(&mut self, second: &Second) {
        let end = second.t as f64 + second.length_s;
        for step in self.views.iter_mut().flat_map(|(_, steps)| steps) {
            // In the first whole second connections are made, and stragglers of the step before
            // may still be at work.
            let first = step.from.as_secs_f64().ceil() + 1.0;
            let is_inside = second.t as f64 >= first && end <= step.to.as_secs_f64();
            if !is_inside || second.vus != step.vus {
                continue;
            }
            step.seconds += second.length_s;
            for (outcome, count) in &second.outcomes {
                *step.outcomes.entry(outcome.clone()).or_default() += count;
                if !self.failures.contains(outcome) {
                    step.answered += count;
                }
            }
        }
    }

    /// By rising VUs; of all loads, or of the one of this name while no other runs.
    pub fn steps(&self, load: Option<&str>) -> &[ScalingStep] {
        let mut views = self.views.iter();
        let found = views.find(|(of, _)| of.as_deref() == load);
        found.map_or(&[], |(_, steps)| steps)
    }
}

/// What a step gives for each of its VUs, as a share of what the step with the fewest VUs gives for
/// each of its own; in the order of `steps`. `None`: there is nothing to compare it with.
pub fn efficiency(steps: &[ScalingStep]) -> Vec<Option<f64>> {
    let each = |step: &ScalingStep| Some(step.throughput()? / step.vus as f64);
    let measured = steps.iter().filter(|step| step.throughput().is_some());
    let first = measured.min_by_key(|step| step.vus).and_then(each);
    let first = first.filter(|first| *first > 0.0);
    let share = |step: &ScalingStep| Some(each(step)? / first?);
    steps.iter().map(share).collect()
}

/// The law of Universal Scalability over the steps.
///
/// # Errors
/// Why they cannot carry it, in words.
pub fn fit_steps(steps: &[ScalingStep]) -> Result<Fit, String> {
    if let Some(short) = steps.iter().find(|step| step.throughput().is_none()) {
        return Err(format!(
            "the step `{}` had too few whole seconds with all of its VUs: at least 3 are needed, \
             beside the first",
            short.name
        ));
    }
    let points = steps.iter();
    let points = points.filter_map(|step| Some((step.vus as f64, step.throughput()?)));
    fit(&points.collect::<Vec<_>>())
}

/// The load that the tags name.
pub(super) fn load_of(tags: &[(Tag, String)]) -> Option<&str> {
    let found = tags.iter().find(|(tag, _)| *tag == Tag::Load);
    found.map(|(_, name)| name.as_str())
}

/// A part of a load.
struct Part<'p> {
    load: &'p str,
    name: &'p str,
    from: Duration,
    to: Duration,
    /// `None`: nobody knows how many are at work.
    vus: Option<u64>,
}

/// The steps that a plan has, by rising VUs; with a name those of one load while no other runs.
pub fn steps(plan: &Plan, load: Option<&str>) -> Vec<ScalingStep> {
    let parts: Vec<_> = plan.loads.iter().flat_map(|of| parts(plan, of)).collect();
    let mut edges: Vec<_> = parts.iter().flat_map(|part| [part.from, part.to]).collect();
    edges.sort_unstable();
    edges.dedup();
    let spans = edges.windows(2).map(|span| (span[0], span[1]));
    let mut steps: Vec<_> = spans
        .filter_map(|(from, to)| {
            let running = parts.iter().filter(|part| part.from < to && part.to > from);
            let running: Vec<_> = running.filter(|part| part.vus != Some(0)).collect();
            let is_meant = |part: &&&Part<'_>| load.is_none_or(|load| load == part.load);
            let vus: Option<u64> = running.iter().map(|part| part.vus).sum();
            let all_meant = running.iter().all(|part| is_meant(&part));
            let names: Vec<_> = running.iter().map(|part| part.name).collect();
            vus.filter(|vus| *vus > 0 && all_meant)
                .map(|vus| ScalingStep {
                    name: names.join(" + "),
                    vus,
                    from,
                    to,
                    seconds: 0.0,
                    answered: 0,
                    outcomes: BTreeMap::new(),
                })
        })
        .collect();
    steps.sort_by_key(|step| (step.vus, step.from));
    steps
}

/// The phases of a load, one behind the other.
fn parts<'p>(plan: &'p Plan, load: &'p Load) -> Vec<Part<'p>> {
    let phases = load.phases.clone().map(usize::from);
    let phases = phases.filter_map(|at| plan.phases.get(at));
    let held: Vec<Option<u64>> = match &load.executor {
        Executor::ConstantVus { vus, .. } => vec![Some(*vus)],
        Executor::RampingVus { start, stages, .. } => {
            let targets = stages.iter().map(|stage| stage.target);
            let before = std::iter::once(*start).chain(targets.clone());
            let held = before.zip(targets);
            held.map(|(before, target)| (before == target).then_some(target))
                .collect()
        }
        _ => Vec::new(),
    };
    let held = held.into_iter().chain(std::iter::repeat(None));
    let parts = phases.zip(held).map(|(phase, vus)| Part {
        load: &load.name,
        name: &phase.name,
        from: phase.from,
        to: phase.to,
        vus,
    });
    parts.filter(|part| part.from < part.to).collect()
}

#[cfg(test)]
mod tests;
