//! Outcomes that are neither success nor business (refused for another reason, failed, unknown, not
//! sent): whether their share departs from that of the rest of the run, since when, at how many VUs.

use super::super::evidence::{Evidence, at, counted, share};
use super::super::figure::{Figures, Source};
use super::super::severity::Severity;
use super::super::stats::{Elevated, elevated, onset};
use super::{Example, Expected, Kind, Onset, Phenomenon, because_of_share, period};
use crate::history::OutcomeKind;
use crate::measure::Unit;
use crate::messages::{Said, code, said};
use crate::plan::{JsonMatch, Rule};

/// A departure by less than this is too little to speak of, for refusals ...
const LEAST_REFUSED: f64 = 0.01;

/// ... and for failures, of which a service level allows few.
const LEAST_FAILED: f64 = 0.001;

/// Fewer attempts are an accident, not a phenomenon.
const FEWEST: u64 = 10;

/// A share of nothing has no logarithm.
const LEAST_BASELINE: f64 = 0.001;

/// One phenomenon for each such outcome that departs, or is there throughout.
pub(super) fn find(evidence: &Evidence<'_>, figures: &mut Figures) -> Vec<Phenomenon> {
    let outcomes = evidence.summary.outcomes.iter();
    let troubling = outcomes.filter_map(|(name, count)| {
        let kind = evidence.kind(name)?;
        let troubles = matches!(
            kind,
            OutcomeKind::Refused | OutcomeKind::Error | OutcomeKind::NotSent | OutcomeKind::Unknown
        );
        (troubles && *count > 0).then_some((name.as_str(), kind, *count))
    });
    troubling
        .filter_map(|(name, kind, count)| of_outcome(evidence, name, kind, count, figures))
        .collect()
}

fn of_outcome(
    evidence: &Evidence<'_>,
    name: &str,
    kind: OutcomeKind,
    count: u64,
    figures: &mut Figures,
) -> Option<Phenomenon> {
    let failed = kind.is_failed_request();
    let least = if failed { LEAST_FAILED } else { LEAST_REFUSED };
    let hits = evidence.hits(name);
    let Some(found) = departure(&hits, least) else {
        return throughout(evidence, name, kind, count, least, figures);
    };
    let to = (found.to < evidence.seconds.len()).then_some(found.to);
    let (onset, mut period) = period(evidence, found.from, to, figures);
    let field = format!("outcomes.{name}");
    let of_name =
        |second: &crate::measure::Second| second.outcomes.get(name).copied().unwrap_or_default();
    let requests = |second: &crate::measure::Second| second.requests;
    let (inside, inside_fig) = evidence.sum(found.from, found.to, &field, of_name, figures);
    let (tried, tried_fig) = evidence.sum(found.from, found.to, "requests", requests, figures);
    let test = Source::Test {
        file: "seconds.jsonl",
        what: format!(
            "scan statistic of {field} / requests, limit {:.1}",
            found.limit
        ),
    };
    let test = figures.cite(format!("{:.1}", found.ratio), test);
    let baseline = Unit::Share.show(found.baseline);
    let of_baseline = Source::Test {
        file: "seconds.jsonl",
        what: format!("{field} / requests in the quiet part ({} s)", found.quiet),
    };
    let baseline_fig = figures.cite(baseline.clone(), of_baseline);
    period.push(said!("outcome.departs",
        baseline = baseline, ratio = format!("{:.1}", found.ratio),
        limit = format!("{:.1}", found.limit); test, baseline_fig));
    period.extend(first_seen(evidence, &hits, found.from, &field, figures));
    if let Some((seen, at_fig)) = peak(evidence, &hits, &found, &field, figures) {
        period.push(said!("outcome.peak", share = seen.0, at = seen.1; at_fig));
    }
    let part = inside as f64 / tried.max(1) as f64;
    let severity = Severity::of_share(part, failed);
    let shown = share(inside, tried);
    let effect = vec![
        said!("outcome.effect",
            count = counted(inside), tried = counted(tried), share = shown.clone();
            inside_fig, tried_fig),
        users(kind, inside_fig),
    ];
    Some(Phenomenon {
        kind: Kind::Outcome {
            name: name.to_owned(),
            failed,
        },
        title: said!("outcome.title", name = code(name)),
        example: example(evidence, name, kind),
        onset: Some(onset),
        until_s: to.map(|to| evidence.time(to)),
        period,
        effect,
        severity,
        severity_why: because_of_share(severity, shown, tried_fig),
        expected: expected(evidence, name, figures),
    })
}

/// Where a share departs, and from what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Departure {
    /// Index of its first second.
    pub(super) from: usize,
    /// Index behind its last one.
    pub(super) to: usize,
    /// The share of the quiet part.
    pub(super) baseline: f64,
    /// Seconds of the quiet part.
    pub(super) quiet: usize,
    ratio: f64,
    limit: f64,
}

/// The scan says whether and until when; the cumulative sum says since when, as a share that grows
/// is above its baseline before it is so for most of an interval.
pub(super) fn departure(hits: &[(u64, u64)], least: f64) -> Option<Departure> {
    let Elevated {
        from,
        to,
        ratio,
        limit,
    } = elevated(hits)?;
    let of = |part: &[(u64, u64)]| {
        let sum = part
            .iter()
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        (sum.0, sum.1, sum.0 as f64 / sum.1.max(1) as f64)
    };
    let inside = of(&hits[from..to]);
    // Before it the first half, which a slow rise has not reached; else what came behind it.
    let quiet = match (&hits[..from.div_ceil(2)], &hits[to..]) {
        (before, _) if before.iter().any(|one| one.1 > 0) => before,
        (_, behind) => behind,
    };
    let (_, tries, baseline) = of(quiet);
    let departs = tries > 0 && inside.0 >= FEWEST && inside.2 - baseline >= least;
    if !departs {
        return None;
    }
    let low = baseline.clamp(LEAST_BASELINE, 0.5);
    let high = (2.0 * low).max(low + least).min(0.99);
    let since = onset(&hits[..to], low, high).unwrap_or(from);
    Some(Departure {
        from: since.min(from),
        to,
        baseline,
        quiet: quiet.len(),
        ratio,
        limit,
    })
}

/// Where there were some before the share departs.
fn first_seen(
    evidence: &Evidence<'_>,
    hits: &[(u64, u64)],
    onset: usize,
    field: &str,
    figures: &mut Figures,
) -> Option<Said> {
    let first = hits[..onset].iter().position(|(hits, _)| *hits > 0)?;
    let t = evidence.seconds.get(first)?.t;
    let fig = figures.cite(counted(hits[first].0), at(t, field));
    let (vus, vus_fig) = evidence.vus(first, figures)?;
    let moment = super::moment(t as f64);
    Some(said!("outcome.first", at = moment, vus = counted(vus); fig, vus_fig))
}

/// The second with the highest share within it.
fn peak(
    evidence: &Evidence<'_>,
    hits: &[(u64, u64)],
    found: &Departure,
    field: &str,
    figures: &mut Figures,
) -> Option<((String, String), super::Fig)> {
    let inside = (found.from..found.to).filter(|at| hits[*at].1 >= FEWEST);
    let of = |at: &usize| hits[*at].0 as f64 / hits[*at].1 as f64;
    let most = inside.max_by(|one, two| of(one).total_cmp(&of(two)))?;
    let t = evidence.seconds.get(most)?.t;
    let shown = share(hits[most].0, hits[most].1);
    let fig = figures.cite(shown.clone(), at(t, &format!("{field} / requests")));
    Some(((shown, super::moment(t as f64)), fig))
}

/// There from the first second to the last, or too even for a departure, but not rare.
fn throughout(
    evidence: &Evidence<'_>,
    name: &str,
    kind: OutcomeKind,
    count: u64,
    least: f64,
    figures: &mut Figures,
) -> Option<Phenomenon> {
    let requests = evidence.summary.requests;
    let part = count as f64 / requests.max(1) as f64;
    if count < FEWEST || part < least {
        return None;
    }
    let counted_fig = figures.cite(counted(count), of_summary(name));
    let all = Source::Summary("/requests".to_owned());
    let all = figures.cite(counted(requests), all);
    let hits = evidence.hits(name);
    let first = hits.iter().position(|(hits, _)| *hits > 0);
    let (onset, period): (Option<Onset>, _) = match first {
        Some(first) => {
            let last = hits
                .iter()
                .rposition(|(hits, _)| *hits > 0)
                .unwrap_or(first);
            let to = (last + 1 < evidence.seconds.len()).then_some(last + 1);
            let (onset, mut period) = period(evidence, first, to, figures);
            period.push(said!("outcome.throughout"; counted_fig, all));
            (Some(onset), period)
        }
        None => (None, vec![said!("period.unknown"; counted_fig)]),
    };
    let failed = kind.is_failed_request();
    let severity = Severity::of_share(part, failed);
    let shown = share(count, requests);
    Some(Phenomenon {
        kind: Kind::Outcome {
            name: name.to_owned(),
            failed,
        },
        title: said!("outcome.title_throughout", name = code(name)),
        example: example(evidence, name, kind),
        onset,
        until_s: None,
        period,
        effect: vec![
            said!("outcome.effect",
                count = counted(count), tried = counted(requests), share = shown.clone();
                counted_fig, all),
            users(kind, counted_fig),
        ],
        severity,
        severity_why: because_of_share(severity, shown, all),
        expected: expected(evidence, name, figures),
    })
}

fn of_summary(name: &str) -> Source {
    let escaped = name.replace('~', "~0").replace('/', "~1");
    Source::Summary(format!("/outcomes/{escaped}"))
}

/// What those who got it saw.
fn users(kind: OutcomeKind, fig: super::Fig) -> Said {
    match kind {
        OutcomeKind::Refused => said!("outcome.users_refused"; fig),
        OutcomeKind::Error => said!("outcome.users_error"; fig),
        OutcomeKind::NotSent => said!("outcome.users_not_sent"; fig),
        _ => said!("outcome.users_unknown"; fig),
    }
}

/// A fault of the scenario makes failures a thing to reckon with only while it lasts, which the
/// phenomenon of the fault says; an outcome by itself is never wanted.
fn expected(evidence: &Evidence<'_>, name: &str, figures: &mut Figures) -> Expected {
    let total = evidence
        .summary
        .outcomes
        .get(name)
        .copied()
        .unwrap_or_default();
    let fig = figures.cite(counted(total), of_summary(name));
    Expected::No(said!("outcome.not_expected", name = code(name); fig))
}

fn example(evidence: &Evidence<'_>, name: &str, kind: OutcomeKind) -> Example {
    if kind == OutcomeKind::Unknown {
        let shapes = evidence.summary.unknown_shapes.iter();
        let most = shapes.max_by_key(|shape| shape.count);
        return most.map_or(Example::None, |shape| {
            let answer = match (shape.status, shape.example.as_str()) {
                (0, _) => shape.cause.clone(),
                (status, "") => format!("{status}: {}", shape.cause),
                (status, body) => format!("{status} {body}"),
            };
            Example::Answer(format!("{}: {answer}", shape.step))
        });
    }
    let label = evidence
        .plan
        .labels
        .iter()
        .position(|label| label.name == name);
    let steps = evidence.plan.steps.iter();
    let rules = steps.flat_map(|step| step.rules.iter().map(move |rule| (step, rule)));
    let mut of_label = rules.filter(|(_, rule)| Some(usize::from(rule.label)) == label);
    of_label.next().map_or(Example::None, |(step, rule)| {
        Example::Rule(format!("{}: {}", step.name, rule_in_words(rule)))
    })
}

/// By what the scenario knows the answer.
pub(super) fn rule_in_words(rule: &Rule) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !rule.status.is_empty() {
        let status: Vec<_> = rule.status.iter().map(ToString::to_string).collect();
        parts.push(status.join(" | "));
    }
    parts.extend(rule.body.iter().map(|body| format!("body \"{body}\"")));
    parts.extend(
        rule.matches
            .iter()
            .map(|pattern| format!("body /{pattern}/")),
    );
    parts.extend(rule.empty.map(|empty| format!("empty: {empty}")));
    parts.extend(rule.json.iter().map(|(pointer, matched)| match matched {
        JsonMatch::Equals(value) => format!("{pointer} = {value}"),
        JsonMatch::AnyOf(values) => {
            let values: Vec<_> = values.iter().map(ToString::to_string).collect();
            format!("{pointer} = {}", values.join(" | "))
        }
        JsonMatch::Exists(there) => format!("{pointer} exists: {there}"),
    }));
    parts.extend(rule.headers.iter().map(|(name, value)| match value {
        Some(value) => format!("{name}: {value}"),
        None => name.clone(),
    }));
    parts.join(", ")
}

/// The rule by which a built-in outcome is known, of the first step that declares it.
pub(super) fn rule_of(evidence: &Evidence<'_>, kind: OutcomeKind) -> Example {
    let label = evidence.plan.labels.iter().find(|label| label.kind == kind);
    label.map_or(Example::None, |label| example(evidence, &label.name, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_grows_with_the_load_is_found_at_its_beginning() {
        let hits: Vec<_> = (0..120_u64)
            .map(|second| (second.saturating_sub(60), 100))
            .collect();
        let found = departure(&hits, LEAST_REFUSED).expect("it grows to 59 %");
        assert!((60..=64).contains(&found.from), "{found:?}");
        assert_eq!((found.to, found.baseline), (120, 0.0));
    }

    #[test]
    fn what_is_too_little_to_speak_of_is_no_departure() {
        // 0.4 % behind nothing: beyond chance with so many, but not worth a word.
        let hits: Vec<_> = (0..120_u64)
            .map(|at| (if at < 60 { 0 } else { 40 }, 10_000))
            .collect();
        assert_eq!(departure(&hits, LEAST_REFUSED), None);
        assert!(departure(&hits, LEAST_FAILED).is_some());
    }

    #[test]
    fn what_is_there_from_the_first_second_is_measured_against_what_comes_behind() {
        let hits: Vec<_> = (0..90_u64)
            .map(|at| (if at < 30 { 50 } else { 1 }, 100))
            .collect();
        let found = departure(&hits, LEAST_REFUSED).expect("it is there");
        assert_eq!((found.from, found.to), (0, 30));
        assert!((found.baseline - 0.01).abs() < 1e-9);
    }
}
