//! One series beside a phenomenon: what it was before the onset and behind it, and whether the two
//! rise and fall together.

use super::super::evidence::Series;
use super::super::figure::{Figures, How, Source};
use super::super::stats::{correlation, mean};
use super::Context;
use crate::messages::{Said, code, said};

/// Seconds on each side of the onset.
const SIDE_S: f64 = 10.0;

/// From this on a level counts as higher than before.
const HIGHER: f64 = 1.5;

/// Rank correlations that earn a point, and two.
const LIKE: f64 = 0.3;
const VERY_LIKE: f64 = 0.6;

/// A correlation whose chance is above this earns nothing.
const CHANCE: f64 = 0.05;

/// What a series has to say of a phenomenon.
pub(super) struct Beside {
    /// 0 to 3.
    pub(super) points: u32,
    /// What was measured, whether it earns points or not.
    pub(super) said: Vec<Said>,
}

pub(super) fn beside(context: &Context<'_>, series: &Series, figures: &mut Figures) -> Beside {
    let (mut points, mut told) = (0, Vec::new());
    let onset = context.onset_s;
    let level = |from: f64, to: f64| mean(series.between(from, to)).map(|value| (value, from, to));
    let before = level(onset - SIDE_S, onset);
    let after = level(onset, onset + SIDE_S);
    if let (Some(before), Some(after)) = (before, after) {
        points += u32::from(after.0 > before.0 * HIGHER && after.0 > 0.0);
        let mut cite = |(value, from, to): (f64, f64, f64)| {
            let source = series.source(from.max(0.0), to, How::Mean);
            figures.cite(series.show(value), source)
        };
        let (one, two) = (cite(before), cite(after));
        told.push(said!("cause.level",
            source = code(series.source.clone()), quantity = code(series.quantity.metric()),
            before = series.show(before.0), after = series.show(after.0); one, two));
    }
    let values = series.by_second(context.evidence.seconds);
    let pairs = std::iter::zip(&context.signal, values);
    let pairs: Vec<(f64, f64)> = pairs
        .filter_map(|(one, two)| Some(((*one)?, two?)))
        .collect();
    if let Some(found) = correlation(&pairs) {
        if found.chance <= CHANCE && found.rank >= LIKE {
            points += if found.rank >= VERY_LIKE { 2 } else { 1 };
        }
        let source = Source::Test {
            file: "resources.jsonl",
            what: format!(
                "rank correlation of {} ({}) with the phenomenon, {} s",
                series.quantity.metric(),
                series.source,
                found.pairs
            ),
        };
        let (rank, chance) = (format!("{:.2}", found.rank), format!("{:.3}", found.chance));
        let fig = figures.cite(format!("{rank}, p = {chance}"), source);
        told.push(said!("cause.correlation",
            quantity = code(series.quantity.metric()), rank = rank, chance = chance,
            pairs = found.pairs.to_string(); fig));
    }
    Beside { points, said: told }
}
