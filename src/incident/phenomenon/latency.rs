//! The response time: where its 95th percentile, or its median, changes to a level at least twice as
//! high. The first says when some wait, the second when most do.
//!
//! The logarithm of the percentile of each second is divided into levels (`stats::steps`). A step to
//! at least twice the level is a cliff; steps that only together double it are a climb.

use super::super::evidence::{Evidence, at, counted, lasting};
use super::super::figure::{Figures, How, Source};
use super::super::severity::{SLOW_MS, Severity};
use super::super::stats::{MOST, Step, median, steps};
use super::{Example, Expected, Kind, Phenomenon, Quantile, Said, period};
use crate::measure::Unit;
use crate::messages::{Fig, Value, said};

/// A level counts when it is this many times the one before.
const TIMES: f64 = 2.0;

/// The levels of a run.
struct Course {
    of: Quantile,
    /// Index of the second of each point.
    seconds: Vec<usize>,
    steps: Vec<Step>,
}

pub(super) fn find(evidence: &Evidence<'_>, figures: &mut Figures) -> Vec<Phenomenon> {
    let both = [Quantile::P95, Quantile::P50].into_iter();
    both.filter_map(|of| of_quantile(evidence, of, figures))
        .collect()
}

fn of_quantile(evidence: &Evidence<'_>, of: Quantile, figures: &mut Figures) -> Option<Phenomenon> {
    let course = course(evidence, of);
    let up = |step: &&Step| (step.after - step.before).exp() >= TIMES;
    let cliffs: Vec<&Step> = course.steps.iter().filter(up).collect();
    let higher = |one: &&&Step, two: &&&Step| {
        let by = |step: &Step| step.after - step.before;
        by(one).total_cmp(&by(two))
    };
    match cliffs.iter().max_by(higher) {
        Some(step) => Some(cliff(evidence, &course, step, cliffs.len(), figures)),
        None => climb(evidence, &course, figures),
    }
}

/// Long runs are looked at in pieces of whole seconds, each by its middle value.
fn course(evidence: &Evidence<'_>, of: Quantile) -> Course {
    let with_value = evidence
        .seconds
        .iter()
        .enumerate()
        .filter_map(|(at, second)| {
            let value = of.of(second).filter(|ms| *ms > 0.0)?;
            Some((at, value.ln()))
        });
    let all: Vec<(usize, f64)> = with_value.collect();
    let width = all.len().div_ceil(MOST).max(1);
    let (mut seconds, mut points) = (Vec::new(), Vec::new());
    for piece in all.chunks(width) {
        seconds.push(piece[0].0);
        points.extend(median(piece.iter().map(|one| one.1)));
    }
    let steps = steps(&points, evidence.plan.seed);
    Course { of, seconds, steps }
}

fn cliff(
    evidence: &Evidence<'_>,
    course: &Course,
    step: &Step,
    cliffs: usize,
    figures: &mut Figures,
) -> Phenomenon {
    let from = course.seconds[step.at];
    let to = back(course, step).map(|at| course.seconds[at]);
    let (onset, mut period) = period(evidence, from, to, figures);
    let chance = Source::Test {
        file: "seconds.jsonl",
        what: format!("permutation test of the step in ln({})", course.of.field()),
    };
    let chance = figures.cite(format!("p = {:.3}", step.chance), chance);
    period.push(said!("latency.step", chance = format!("{:.3}", step.chance); chance));
    if cliffs > 1 {
        let source = Source::Test {
            file: "seconds.jsonl",
            what: format!(
                "steps of ln({}) to at least twice the level",
                course.of.field()
            ),
        };
        let fig = figures.cite(counted(cliffs as u64), source);
        period.push(said!("latency.several", count = counted(cliffs as u64); fig));
    }
    let before_s = start_of_level(course, step.at);
    let before = level(evidence, course.of, before_s, from, figures);
    let end = to.unwrap_or(evidence.seconds.len());
    let after = level(evidence, course.of, from, end, figures);
    let kind = (true, course.of);
    phenomenon(
        evidence,
        kind,
        (onset, period),
        to,
        &[before, after],
        figures,
    )
}

/// No step doubles it, but all together do.
fn climb(evidence: &Evidence<'_>, course: &Course, figures: &mut Figures) -> Option<Phenomenon> {
    let first = course.steps.first()?.before;
    let high = course
        .steps
        .iter()
        .find(|step| (step.after - first).exp() >= TIMES)?;
    let from = course.seconds[high.at];
    let to = course
        .steps
        .iter()
        .find(|step| step.at > high.at && (step.after - first).exp() < TIMES);
    let to = to.map(|step| course.seconds[step.at]);
    let (onset, period) = period(evidence, from, to, figures);
    let begin = course.seconds[course.steps[0].at];
    let before = level(evidence, course.of, 0, begin, figures);
    let end = to.unwrap_or(evidence.seconds.len());
    let after = level(evidence, course.of, from, end, figures);
    let kind = (false, course.of);
    Some(phenomenon(
        evidence,
        kind,
        (onset, period),
        to,
        &[before, after],
        figures,
    ))
}

/// Where the level is below twice that of before again.
fn back(course: &Course, step: &Step) -> Option<usize> {
    let limit = step.before + TIMES.ln();
    let later = course.steps.iter().filter(|one| one.at > step.at);
    let mut lower = later.filter(|one| one.after < limit);
    lower.next().map(|one| one.at)
}

fn start_of_level(course: &Course, at: usize) -> usize {
    let mut earlier = course.steps.iter().rev().filter(|one| one.at < at);
    earlier.next().map_or(0, |one| course.seconds[one.at])
}

/// The middle of the percentiles of some seconds.
fn level(
    evidence: &Evidence<'_>,
    of: Quantile,
    from: usize,
    to: usize,
    figures: &mut Figures,
) -> (f64, Fig) {
    let values = evidence.seconds[from..to]
        .iter()
        .filter_map(|one| of.of(one));
    let middle = median(values).unwrap_or_default();
    let source = evidence.lines(from, to, How::Median, of.field());
    (middle, figures.cite(Unit::Time.show(middle), source))
}

fn phenomenon(
    evidence: &Evidence<'_>,
    (cliff, of): (bool, Quantile),
    (onset, period): (super::Onset, Vec<Said>),
    to: Option<usize>,
    [before, after]: &[(f64, Fig); 2],
    figures: &mut Figures,
) -> Phenomenon {
    let from = evidence.index(onset.at_s);
    let end = to.unwrap_or(evidence.seconds.len());
    let requests = |second: &crate::measure::Second| second.requests;
    let (count, count_fig) = evidence.sum(from, end, "requests", requests, figures);
    let (all, all_fig) = evidence.sum(0, evidence.seconds.len(), "requests", requests, figures);
    let times = crate::measure::grouped(after.0 / before.0.max(1e-3), 1);
    let quantile = match of {
        Quantile::P50 => Value::Key("word.median"),
        Quantile::P95 => Value::Key("word.p95"),
    };
    let mut effect = vec![
        said!("latency.effect",
            quantile = quantile.clone(), before = Unit::Time.show(before.0), after = Unit::Time.show(after.0),
            times = times; before.1, after.1),
        said!("latency.requests",
            count = counted(count), share = super::super::evidence::share(count, all);
            count_fig, all_fig),
    ];
    effect.extend(slowest(evidence, from, end, figures));
    let severity = if after.0 >= SLOW_MS {
        Severity::P1
    } else {
        Severity::P2
    };
    let (shown, limit) = (Unit::Time.show(after.0), lasting(SLOW_MS / 1e3));
    let why = match severity {
        Severity::P1 => said!("latency.because_slow", value = shown, limit = limit; after.1),
        _ => said!("latency.because_fair", value = shown, limit = limit; after.1),
    };
    Phenomenon {
        kind: Kind::Latency { cliff, of },
        title: if cliff {
            said!("latency.title", quantile = quantile)
        } else {
            said!("latency.title_climb", quantile = quantile)
        },
        example: Example::None,
        onset: Some(onset),
        until_s: to.map(|to| evidence.time(to)),
        period,
        effect,
        severity,
        severity_why: why,
        expected: Expected::No(said!("latency.not_expected"; after.1)),
    }
}

/// The highest 99th percentile of a second within it.
fn slowest(evidence: &Evidence<'_>, from: usize, to: usize, figures: &mut Figures) -> Option<Said> {
    let seconds = evidence.seconds[from..to].iter();
    let with_value = seconds.filter_map(|one| Some((one.t, one.p99_ms?)));
    let (t, most) = with_value.max_by(|one, two| one.1.total_cmp(&two.1))?;
    let fig = figures.cite(Unit::Time.show(most), at(t, "p99_ms"));
    let moment = super::moment(t as f64);
    Some(said!("latency.slowest", value = Unit::Time.show(most), at = moment; fig))
}
