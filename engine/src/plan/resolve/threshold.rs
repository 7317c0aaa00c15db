//! Thresholds are parsed, and their tags held against what the plan has.

use super::{contradiction, fairness, narrowing, of_faults, resource, scalability};
use crate::history::OutcomeKind;
use crate::measure::{
    Metric, Tag, Threshold, ThresholdError, Windowed, key_name, parse_assertion, parse_key,
};
use crate::plan::Plan;
use crate::plan::fault::Fault;
use crate::scenario::value::Span;
use crate::scenario::{
    Alerts, At, Given, Position, Report, Threshold as Written, Truth, did_you_mean,
};

/// Which names are complete; with a broken load or flow, a name may be one that was left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) phases: bool,
    pub(super) steps: bool,
    /// Names of metrics that the scenario declares, but not rightly.
    pub(super) broken_metrics: &'a [&'a str],
    /// All that is measured from outside.
    pub(super) sources: bool,
    /// All faults; `None` with a broken one.
    pub(super) faults: Option<&'a [Fault]>,
    /// Where the truth is read; where that is wrong, it was reported.
    pub(super) truth: &'a Given<Truth>,
    /// Whose alerts are watched; where that is wrong, it was reported.
    pub(super) alerts: &'a Given<Alerts>,
}

pub(super) fn resolve(
    written: &[Written],
    plan: &Plan,
    known: Known<'_>,
    report: &mut Report<'_>,
) -> Vec<Threshold> {
    let mut thresholds: Vec<Threshold> = Vec::new();
    let mut last_key = None;
    for threshold in written {
        // What is measured was reported as wrong.
        let of_broken = known
            .broken_metrics
            .contains(&key_name(&threshold.key.value));
        if of_broken {
            continue;
        }
        // The key of several assertions is judged once.
        if last_key != Some(threshold.key.position) {
            last_key = Some(threshold.key.position);
            check_key(&threshold.key, plan, known, report);
        }
        let Ok((metric, tags)) = parse_key(&threshold.key.value, &plan.metrics) else {
            continue;
        };
        match parse_assertion(&metric, &threshold.assertion.value) {
            Err(error) => tell(&threshold.assertion, error, report),
            Ok((aggregate, comparison, limit)) => {
                let at = &threshold.assertion;
                let windows = windows(threshold, plan, report);
                let over = windows.map_or(String::new(), |windows| format!(" {windows}"));
                let assertion = threshold.assertion.shown();
                let resolved = Threshold {
                    name: format!("{}: {assertion}{over}", threshold.key.value),
                    metric,
                    tags,
                    aggregate,
                    comparison,
                    limit,
                    abort: threshold.abort.map(|span| span.0),
                    allow_empty: threshold.allow_empty,
                    windows,
                };
                resource::check_threshold(&resolved, threshold, report);
                of_faults::check_threshold(&resolved, threshold, report);
                fairness::check_threshold(&resolved, threshold, (plan, known.truth), report);
                let of_plan = (plan, known.phases);
                scalability::check_threshold(&resolved, threshold, of_plan, report);
                contradiction::check(&resolved, at, &thresholds, report);
                thresholds.push(resolved);
            }
        }
    }
    thresholds
}

/// A load that is shorter than a window has none that is judged as a whole.
fn windows(written: &Written, plan: &Plan, report: &mut Report<'_>) -> Option<Windowed> {
    let windows = written.windows.as_ref()?;
    let (over, duration) = (windows.over.value, plan.duration());
    if over.0 > duration && !plan.loads.is_empty() {
        report.warning(
            windows.over.position,
            format!(
                "a window of {over} is longer than the load of {}",
                Span(duration)
            ),
            "choose shorter windows, or leave `over` out to judge the whole run",
        );
    }
    Some(Windowed {
        over_s: over.0.as_secs(),
        in_a_row: windows.in_a_row,
    })
}

fn tell(text: &At<String>, error: ThresholdError, report: &mut Report<'_>) {
    if text.hidden {
        report.error(text.position, "what the variable holds is no assertion");
    } else {
        report.error_maybe(text.position, error.message, error.hint);
    }
}

fn check_key(key: &At<String>, plan: &Plan, known: Known<'_>, report: &mut Report<'_>) {
    match parse_key(&key.value, &plan.metrics) {
        Err(error) => tell(key, error, report),
        Ok((metric, tags)) => {
            for (tag, value) in &tags {
                check_tag(*tag, value, plan, known, key.position, report);
            }
            if let Metric::Resource(quantity) = metric
                && known.sources
            {
                resource::check_key(key, quantity, &tags, plan, report);
            }
            if metric.is_of_faults() {
                if let Some(faults) = known.faults {
                    of_faults::check_key(key, &metric, &tags, faults, report);
                    of_faults::check_who(key, &tags, known.alerts, report);
                }
                return;
            }
            if known.phases && known.steps && !report.has_errors() {
                narrowing::warn(key, &metric, &tags, plan, report);
            }
        }
    }
}

fn check_tag(
    tag: Tag,
    value: &str,
    plan: &Plan,
    known: Known<'_>,
    position: Position,
    report: &mut Report<'_>,
) {
    let (names, complete): (Vec<&str>, bool) = match tag {
        Tag::Phase => {
            let names = plan.phases.iter().map(|phase| phase.name.as_str());
            (names.collect(), known.phases)
        }
        Tag::Load => {
            let names = plan.loads.iter().map(|load| load.name.as_str());
            (names.collect(), known.phases)
        }
        Tag::Step => {
            let names = plan.steps.iter().map(|step| step.name.as_str());
            (names.collect(), known.steps)
        }
        Tag::Outcome => (possible_outcomes(plan), known.steps),
        // Which of them fits depends on the metric.
        Tag::Source | Tag::Fault | Tag::By => return,
    };
    if complete && !names.contains(&value) {
        report.error_hint(
            position,
            format!("there is no {tag} `{value}`"),
            did_you_mean(value, &names),
        );
    }
}

/// The outcomes that some step can end with.
fn possible_outcomes(plan: &Plan) -> Vec<&str> {
    let mut possible = vec![OutcomeKind::NotSent as usize, OutcomeKind::Unknown as usize];
    for step in &plan.steps {
        if step.rules.is_empty() {
            possible.extend([OutcomeKind::Ok as usize, OutcomeKind::Error as usize]);
        }
        possible.extend(step.rules.iter().map(|rule| usize::from(rule.label)));
    }
    possible.sort_unstable();
    possible.dedup();
    possible
        .into_iter()
        .map(|label| plan.labels[label].name.as_str())
        .collect()
}
