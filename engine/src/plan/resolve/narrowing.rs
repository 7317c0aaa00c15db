//! Finds thresholds whose tags name things that exist, but never together.

use crate::history::OutcomeKind;
use crate::measure::{Metric, Tag};
use crate::plan::{Action, Load, Plan, Step};
use crate::scenario::{At, Report};

/// Warns of a narrowing that nothing can fall into.
pub(super) fn warn(
    key: &At<String>,
    metric: &Metric,
    tags: &[(Tag, String)],
    plan: &Plan,
    report: &mut Report<'_>,
) {
    let value = |wanted: Tag| {
        let found = tags.iter().find(|(tag, _)| *tag == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let wanted = Wanted {
        metric,
        phase: value(Tag::Phase),
        load: value(Tag::Load),
        step: value(Tag::Step),
        outcome: value(Tag::Outcome),
    };
    let Some(reason) = wanted.never(plan) else {
        return;
    };
    let instead = match tags {
        [] => "remove it",
        _ => "leave out one of the tags",
    };
    report.warning(
        key.position,
        format!("`{}` can have no data: {reason}", key.shown()),
        format!("without data a threshold fails, or holds for no reason: {instead}"),
    );
}

struct Wanted<'a> {
    metric: &'a Metric,
    phase: Option<&'a str>,
    load: Option<&'a str>,
    step: Option<&'a str>,
    outcome: Option<&'a str>,
}

impl Wanted<'_> {
    /// Why nothing fits; `None` if something does. The first tag that leaves nothing over is the
    /// reason.
    fn never(&self, plan: &Plan) -> Option<String> {
        let named = |wanted: Option<&str>, name: &str| wanted.is_none_or(|wanted| wanted == name);
        let has_phase = |load: &&Load| {
            let phases = usize::from(load.phases.start)..usize::from(load.phases.end);
            let phases = plan.phases.get(phases).unwrap_or_default();
            phases.iter().any(|phase| named(self.phase, &phase.name))
        };
        let loads: Vec<&Load> = plan.loads.iter().filter(has_phase).collect();
        if loads.is_empty() {
            return Some("the drain phase comes after the load".to_owned());
        }
        let loads: Vec<_> = loads
            .into_iter()
            .filter(|load| named(self.load, &load.name))
            .collect();
        if loads.is_empty() {
            let (load, phase) = (
                self.load.unwrap_or_default(),
                self.phase.unwrap_or_default(),
            );
            return Some(format!("the load `{load}` has no phase `{phase}`"));
        }
        let performed = loads.iter().flat_map(|load| steps(plan, load));
        let steps: Vec<&Step> = performed
            .filter(|step| named(self.step, &step.name))
            .collect();
        if steps.is_empty() {
            let step = self.step.unwrap_or_default();
            return Some(format!("no load in it performs the step `{step}`"));
        }
        let measured = steps.into_iter().filter(|step| measures(self.metric, step));
        let steps: Vec<&Step> = measured.collect();
        if steps.is_empty() {
            return Some(self.unmeasured());
        }
        let outcome = self.outcome?;
        let ends_so = |step: &&Step| ends_with(plan, step, outcome);
        if steps.iter().any(ends_so) {
            return None;
        }
        Some(match self.step {
            Some(step) => format!("the step `{step}` has no outcome `{outcome}`"),
            None => format!("no step in it has the outcome `{outcome}`"),
        })
    }

    /// There are steps, but none that the metric is about.
    fn unmeasured(&self) -> String {
        match (self.metric, self.step) {
            (Metric::Custom(custom), Some(step)) => {
                format!("the step `{step}` does not capture `{}`", custom.capture)
            }
            (Metric::Custom(custom), None) => {
                format!("no step in it captures `{}`", custom.capture)
            }
            (_, Some(step)) => format!("the step `{step}` is no poll"),
            (_, None) => "no step in it is a poll".to_owned(),
        }
    }
}

/// Whether the step has what the metric is about.
fn measures(metric: &Metric, step: &Step) -> bool {
    match metric {
        Metric::PollDuration => step.poll.is_some(),
        Metric::Custom(custom) => {
            let mut captures = step.captures.iter();
            captures.any(|capture| capture.metrics.contains(&custom.number))
        }
        _ => true,
    }
}

/// The requests of one load.
fn steps<'p>(plan: &'p Plan, load: &Load) -> impl Iterator<Item = &'p Step> {
    let mut steps = Vec::new();
    if let Some(flow) = plan.flows.get(load.flow) {
        Action::requests(&flow.actions, &mut |step| {
            steps.extend(plan.steps.get(usize::from(step)));
        });
    }
    steps.into_iter()
}

fn ends_with(plan: &Plan, step: &Step, outcome: &str) -> bool {
    let name = |label: usize| plan.labels.get(label).map(|label| label.name.as_str());
    let always = [OutcomeKind::NotSent, OutcomeKind::Unknown];
    let undeclared = [OutcomeKind::Ok, OutcomeKind::Error];
    let mut rules = step.rules.iter().map(|rule| usize::from(rule.label));
    let built_in = |kinds: &[OutcomeKind]| {
        let mut kinds = kinds.iter().map(|kind| *kind as usize);
        kinds.any(|label| name(label) == Some(outcome))
    };
    built_in(&always)
        || (step.rules.is_empty() && built_in(&undeclared))
        || rules.any(|label| name(label) == Some(outcome))
}
