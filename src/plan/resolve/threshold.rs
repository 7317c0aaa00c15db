//! Thresholds are parsed, and their tags held against what the plan has.

use crate::history::OutcomeKind;
use crate::measure::{Metric, Tag, Threshold, ThresholdError, parse_assertion, parse_key};
use crate::plan::Plan;
use crate::scenario::{At, Position, Report, Threshold as Written, did_you_mean, unsupported};

/// Metrics of the vocabulary that this version does not measure.
const NOT_YET: [&str; 10] = [
    "recovery",
    "detection",
    "cache_hits",
    "delivery_lag",
    "stock_remaining",
    "checks",
    "group_duration",
    "errors",
    "fairness",
    "queue_time",
];

/// Which names are complete; with a broken load or flow, a name may be one that was left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) phases: bool,
    pub(super) steps: bool,
}

pub(super) fn resolve(
    written: &[Written],
    plan: &Plan,
    known: Known,
    report: &mut Report<'_>,
) -> Vec<Threshold> {
    let mut thresholds = Vec::new();
    let mut last_key = None;
    for threshold in written {
        // The key of several assertions is judged once.
        if last_key != Some(threshold.key.position) {
            last_key = Some(threshold.key.position);
            check_key(&threshold.key, plan, known, report);
        }
        let Ok((metric, tags)) = parse_key(&threshold.key.value) else {
            continue;
        };
        match parse_assertion(metric, &threshold.assertion.value) {
            Err(error) => tell(&threshold.assertion, error, report),
            Ok((aggregate, comparison, limit)) => thresholds.push(Threshold {
                name: format!("{}: {}", threshold.key.value, threshold.assertion.shown()),
                metric,
                tags,
                aggregate,
                comparison,
                limit,
                abort: threshold.abort.map(|span| span.0),
                allow_empty: threshold.allow_empty,
            }),
        }
    }
    thresholds
}

fn tell(text: &At<String>, error: ThresholdError, report: &mut Report<'_>) {
    if text.hidden {
        report.error(text.position, "what the variable holds is no assertion");
    } else {
        report.error_maybe(text.position, error.message, error.hint);
    }
}

fn check_key(key: &At<String>, plan: &Plan, known: Known, report: &mut Report<'_>) {
    let metric_name = key.value.split('{').next().unwrap_or_default().trim();
    if NOT_YET.contains(&metric_name) {
        unsupported(report, key.position, metric_name);
        return;
    }
    let inside = key.value.split_once('{').map_or("", |(_, inside)| inside);
    for tag in inside.split(',') {
        let name = tag.split(':').next().unwrap_or_default().trim();
        if name == "fault" || name == "window" {
            unsupported(report, key.position, name);
            return;
        }
    }
    match parse_key(&key.value) {
        Err(error) => tell(key, error, report),
        Ok((metric, tags)) => {
            for (tag, value) in &tags {
                if allowed(metric, *tag, metric_name, key.position, report) {
                    check_tag(*tag, value, plan, known, key.position, report);
                }
            }
        }
    }
}

/// What each metric is recorded by.
fn allowed(
    metric: Metric,
    tag: Tag,
    name: &str,
    position: Position,
    report: &mut Report<'_>,
) -> bool {
    use Metric as M;
    let (tags, reason): (&[Tag], &str) = match metric {
        M::HttpReqBlocked
        | M::HttpReqConnecting
        | M::HttpReqTlsHandshaking
        | M::HttpReqSending
        | M::HttpReqWaiting
        | M::HttpReqReceiving => (
            &[Tag::Phase, Tag::Step, Tag::Load],
            "the parts of a request are not recorded by its outcome",
        ),
        M::ScheduleLag | M::Iterations | M::IterationDuration | M::DroppedIterations => (
            &[Tag::Phase, Tag::Load],
            "an iteration may hold several steps and outcomes",
        ),
        M::DataSent | M::DataReceived | M::Vus | M::VusMax => {
            (&[], "it is counted for the whole run")
        }
        _ => return true,
    };
    if tags.contains(&tag) {
        return true;
    }
    let hint = match tags {
        [] => format!("write `{name}` without tags"),
        _ => {
            let names: Vec<String> = tags.iter().map(|tag| format!("`{tag}`")).collect();
            format!("its tags are {}", names.join(", "))
        }
    };
    report.error_hint(
        position,
        format!("`{name}` has no tag `{tag}`: {reason}"),
        hint,
    );
    false
}

fn check_tag(
    tag: Tag,
    value: &str,
    plan: &Plan,
    known: Known,
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
