//! When a fault begins: `at: hold + 30s`, `after: 4m`, `when: issued >= 50%`.

use std::time::Duration;

use super::Known;
use crate::plan::fault::{Comparison, Condition, Fault, Figure, Trigger};
use crate::scenario::value::{Count, Share, Span};
use crate::scenario::{At, Position, Report, Start, did_you_mean};

const FIGURES: [(&str, Figure); 6] = [
    ("issued", Figure::Issued),
    ("remaining", Figure::Remaining),
    ("vus", Figure::Vus),
    ("p50", Figure::P50),
    ("p95", Figure::P95),
    ("p99", Figure::P99),
];

/// The longer ones first: one of them begins with the other.
const COMPARISONS: [(&str, Comparison); 4] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    (">", Comparison::Above),
    ("<", Comparison::Below),
];

const EXAMPLES: &str =
    "write it like `issued >= 50%`, `remaining <= 10`, `vus >= 500` or `p95 > 1s`";

impl Start {
    pub(super) fn position(&self) -> Position {
        match self {
            Self::At(text) | Self::When(text) => text.position,
            Self::After(span) => span.position,
        }
    }
}

pub(super) fn resolve(
    start: &Start,
    earlier: &[Fault],
    known: Known<'_>,
    report: &mut Report<'_>,
) -> Option<Trigger> {
    match start {
        Start::After(span) => Some(Trigger::At(known.scale.time(span.value.0))),
        Start::At(text) => moment(text, earlier, known, report),
        Start::When(text) => condition(text, known, report).map(Trigger::When),
    }
}

/// `hold`, `hold + 30s`, or the name of an earlier fault in the place of a stage's.
fn moment(
    text: &At<String>,
    earlier: &[Fault],
    known: Known<'_>,
    report: &mut Report<'_>,
) -> Option<Trigger> {
    let (name, delay) = match text.value.split_once('+') {
        Some((name, span)) => match span.trim().parse::<Span>() {
            Ok(span) => (name.trim(), known.scale.time(span.0)),
            Err(error) => {
                report.error_maybe(text.position, error.message, error.hint);
                return None;
            }
        },
        None => (text.value.trim(), Duration::ZERO),
    };
    let of_load = known
        .loads
        .phases
        .iter()
        .filter(|phase| phase.load.is_some());
    let mut named = of_load.clone().filter(|phase| phase.name == name);
    if let Some(phase) = named.next() {
        if named.next().is_some() {
            report.error_hint(
                text.position,
                format!("several stages are called `{name}`"),
                "give the one that is meant a name of its own, or write `after: 4m`",
            );
            return None;
        }
        return Some(Trigger::At(phase.from + delay));
    }
    if let Some(fault) = earlier.iter().rposition(|fault| fault.name == name) {
        return Some(Trigger::After { fault, delay });
    }
    if known.loads.whole {
        let names: Vec<&str> = of_load.map(|phase| phase.name.as_str()).collect();
        let names: Vec<&str> = names
            .into_iter()
            .chain(earlier.iter().map(|fault| fault.name.as_str()))
            .collect();
        report.error_hint(
            text.position,
            format!("there is no stage and no earlier fault `{name}`"),
            did_you_mean(name, &names),
        );
    }
    None
}

fn condition(text: &At<String>, known: Known<'_>, report: &mut Report<'_>) -> Option<Condition> {
    let split = COMPARISONS.iter().find_map(|(sign, comparison)| {
        let (figure, bound) = text.value.split_once(sign)?;
        Some((figure.trim(), *comparison, bound.trim()))
    });
    let Some((figure, comparison, bound)) = split else {
        let message = format!("`{}` is no condition", text.shown());
        report.error_hint(text.position, message, EXAMPLES);
        return None;
    };
    let Some((_, figure)) = FIGURES.iter().find(|(name, _)| *name == figure) else {
        report.error_hint(
            text.position,
            format!("`{figure}` is nothing that a fault can wait for"),
            did_you_mean(figure, &FIGURES.map(|(name, _)| name)),
        );
        return None;
    };
    let bound = bound_of(*figure, bound, text, known, report)?;
    Some(Condition {
        figure: *figure,
        comparison,
        bound,
    })
}

fn bound_of(
    figure: Figure,
    bound: &str,
    text: &At<String>,
    known: Known<'_>,
    report: &mut Report<'_>,
) -> Option<f64> {
    let mut wrong = |error: crate::scenario::value::ValueError| {
        report.error_maybe(text.position, error.message, error.hint);
    };
    match figure {
        Figure::P50 | Figure::P95 | Figure::P99 => {
            let span = bound.parse::<Span>().map_err(&mut wrong).ok()?;
            Some(span.0.as_secs_f64() * 1e3)
        }
        Figure::Vus => {
            let count = bound.parse::<Count>().map_err(&mut wrong).ok()?;
            Some(known.scale.vus(count.0) as f64)
        }
        Figure::Issued | Figure::Remaining => {
            let Some(subject) = known.subject else {
                report.error_hint(
                    text.position,
                    "nobody knows the stock that this refers to",
                    "say what is given away: `subject: { coupon: { id: 1, stock: 5000 } }`",
                );
                return None;
            };
            if bound.ends_with('%') {
                let share = bound.parse::<Share>().map_err(&mut wrong).ok()?;
                return Some(share.0 * subject.stock as f64);
            }
            let count = bound.parse::<Count>().map_err(&mut wrong).ok()?;
            Some(count.0 as f64)
        }
    }
}
