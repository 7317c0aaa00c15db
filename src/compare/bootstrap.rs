//! The interval of a change: both runs are drawn anew from their own blocks, many times.

use std::collections::BTreeSet;

use super::limits::Figure;
use super::sample::{Block, Sample, Scope};
use super::{LEAST_BEYOND, LEAST_BLOCKS};
use crate::plan::mix;
use crate::report::Change;

/// Enough for the ends of an interval of 99 in 100: five lie beyond each.
const TIMES: u64 = 1_000;

/// The part of the draws that lies below the interval, and above it.
const BEYOND: f64 = 0.005;

/// The same draws for the same runs, so that a comparison can be repeated.
const SEED: u64 = 0x5eed;

/// The figures of both runs, as they are and as drawn.
pub(super) struct Drawn {
    base: One,
    new: One,
}

/// One run.
struct One {
    measured: Figures,
    draws: Vec<Figures>,
    /// Of all phases in which something was asked.
    blocks: usize,
}

/// In the order of [`Figure::ALL`].
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    values: [Option<f64>; Figure::ALL.len()],
    samples: u64,
}

impl Drawn {
    pub(super) fn of(base: &Sample, new: &Sample, scope: &Scope) -> Self {
        Self {
            base: One::of(&base.strata(scope), SEED),
            new: One::of(&new.strata(scope), mix(SEED)),
        }
    }

    /// Both figures as measured, and the interval of their change: of the share of failures in
    /// percent points, of the others as a share of the base. `None`: one of them has none.
    pub(super) fn change(&self, figure: Figure) -> Option<(f64, f64, Change)> {
        let of = |figures: &Figures| figures.values[figure as usize];
        let change = |base: f64, new: f64| match figure {
            Figure::Failed => new - base,
            _ if base > 0.0 => new / base - 1.0,
            _ => 0.0,
        };
        let (base, new) = (of(&self.base.measured)?, of(&self.new.measured)?);
        let pairs = self.base.draws.iter().zip(&self.new.draws);
        let mut changes: Vec<f64> = pairs
            .filter_map(|(base, new)| Some(change(of(base)?, of(new)?)))
            .collect();
        changes.sort_by(f64::total_cmp);
        let last = changes.len().checked_sub(1)?;
        let at = |share: f64| changes[(share * last as f64).round() as usize];
        let interval = Change {
            low: at(BEYOND),
            middle: change(base, new),
            high: at(1.0 - BEYOND),
        };
        Some((base, new, interval))
    }

    /// Whether both runs are long enough, and have samples enough beyond a percentile, for the
    /// interval to say something.
    pub(super) fn says(&self, figure: Figure) -> bool {
        [&self.base, &self.new].into_iter().all(|one| {
            let beyond = figure.quantile().map_or(LEAST_BEYOND, |quantile| {
                (1.0 - quantile) * one.measured.samples as f64
            });
            one.blocks >= LEAST_BLOCKS && beyond >= LEAST_BEYOND
        })
    }
}

impl One {
    fn of(strata: &[&[Block]], seed: u64) -> Self {
        let strata: Vec<&[Block]> = strata
            .iter()
            .filter(|blocks| blocks.iter().any(|block| block.attempts > 0))
            .copied()
            .collect();
        let all = strata.iter().flat_map(|blocks| blocks.iter());
        let values: BTreeSet<u64> = all.flat_map(|block| block.times.keys().copied()).collect();
        let values: Vec<u64> = values.into_iter().collect();
        let strata: Vec<Vec<Counted>> = strata
            .iter()
            .map(|blocks| blocks.iter().map(|one| Counted::of(one, &values)).collect())
            .collect();
        let mut sum = Sum::new(&values);
        strata.iter().flatten().for_each(|block| sum.add(block));
        let measured = sum.figures();
        let mut state = seed;
        let mut below = |most: usize| {
            state = state.wrapping_add(1);
            ((u128::from(mix(state)) * most as u128) >> 64) as usize
        };
        let draws = (0..TIMES).map(|_| {
            sum.clear();
            for blocks in &strata {
                for _ in 0..blocks.len() {
                    sum.add(&blocks[below(blocks.len())]);
                }
            }
            sum.figures()
        });
        Self {
            measured,
            draws: draws.collect(),
            blocks: strata.iter().map(Vec::len).sum(),
        }
    }
}

/// A block whose times are numbered.
struct Counted {
    seconds: f64,
    attempts: u64,
    failed: u64,
    times: Vec<(usize, u64)>,
}

impl Counted {
    fn of(block: &Block, values: &[u64]) -> Self {
        let place = |value: &u64| values.partition_point(|one| one < value);
        let times = block.times.iter();
        Self {
            seconds: block.seconds,
            attempts: block.attempts,
            failed: block.failed,
            times: times.map(|(value, count)| (place(value), *count)).collect(),
        }
    }
}

/// Blocks added up.
struct Sum<'v> {
    values: &'v [u64],
    counts: Vec<u64>,
    seconds: f64,
    attempts: u64,
    failed: u64,
}

impl<'v> Sum<'v> {
    fn new(values: &'v [u64]) -> Self {
        Self {
            values,
            counts: vec![0; values.len()],
            seconds: 0.0,
            attempts: 0,
            failed: 0,
        }
    }

    fn clear(&mut self) {
        self.counts.fill(0);
        (self.seconds, self.attempts, self.failed) = (0.0, 0, 0);
    }

    fn add(&mut self, block: &Counted) {
        self.seconds += block.seconds;
        self.attempts += block.attempts;
        self.failed += block.failed;
        for (at, count) in &block.times {
            self.counts[*at] += count;
        }
    }

    fn figures(&self) -> Figures {
        let samples = self.counts.iter().sum();
        let value = |figure: Figure| match figure {
            Figure::Rps => (self.seconds > 0.0).then(|| self.attempts as f64 / self.seconds),
            Figure::Failed => {
                let share = self.failed as f64 * 100.0 / self.attempts as f64;
                (self.attempts > 0).then_some(share)
            }
            times => self.quantile(times.quantile()?, samples),
        };
        Figures {
            values: Figure::ALL.map(value),
            samples,
        }
    }

    /// The least time that so many samples are not above, in milliseconds.
    fn quantile(&self, quantile: f64, samples: u64) -> Option<f64> {
        let rank = ((quantile * samples as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let counts = self.counts.iter().zip(self.values);
        for (count, value) in counts {
            seen += count;
            if seen >= rank {
                return Some(*value as f64 / 1_000.0);
            }
        }
        None
    }
}
