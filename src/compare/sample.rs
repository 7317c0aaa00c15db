//! What a run measured, second by second, in blocks that can be drawn again.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use crate::history::OutcomeKind;
use crate::measure::{NO_INDEX, Trend, intervals};
use crate::plan::Plan;
use crate::run::RunDirectory;

/// More blocks of a phase cost time and say no more.
const MOST_BLOCKS: u64 = 240;

/// Consecutive seconds of one phase, of one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Block {
    /// How much of the phase it is.
    pub(super) seconds: f64,
    /// Attempts that ended in it, also those that were not sent.
    pub(super) attempts: u64,
    /// Of them failed.
    pub(super) failed: u64,
    /// Response times in microseconds, as exact as the histograms, with their numbers.
    pub(super) times: BTreeMap<u64, u64>,
}

/// The blocks of a run, by phase and step.
#[derive(Debug, Default)]
pub(super) struct Sample(BTreeMap<(u16, u8), Vec<Block>>);

/// One step over some phases.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    step: u8,
    phases: Vec<u16>,
}

impl Scope {
    pub(super) fn whole(step: u8, phases: impl Iterator<Item = usize>) -> Self {
        Self {
            step,
            phases: phases.map(|phase| phase as u16).collect(),
        }
    }
}

/// How a phase is cut.
#[derive(Debug, Clone, Copy)]
struct Cut {
    from: f64,
    /// Of the phase, as far as the load came.
    length: f64,
    block: f64,
    blocks: usize,
}

impl Cut {
    /// Blocks as long as the cube root of the phase in seconds: long enough that neighbours hardly
    /// depend on each other, short enough that there are many (Künsch's rate).
    fn of(from: Duration, to: Duration, load_s: f64) -> Self {
        let from = from.as_secs_f64();
        let length = (to.as_secs_f64().min(load_s) - from).max(0.0);
        let most = (length / MOST_BLOCKS as f64).ceil();
        let block = length.cbrt().floor().max(most).max(1.0);
        Self {
            from,
            length,
            block,
            blocks: ((length / block).ceil() as usize).max(1),
        }
    }

    fn empty(self) -> Vec<Block> {
        let block = |at: usize| Block {
            seconds: (self.length - at as f64 * self.block).clamp(0.0, self.block),
            ..Block::default()
        };
        (0..self.blocks).map(block).collect()
    }

    /// What ends after the phase belongs to its last block.
    fn at(self, start: Duration) -> usize {
        let since = (start.as_secs_f64() - self.from).max(0.0);
        ((since / self.block) as usize).min(self.blocks - 1)
    }
}

impl Sample {
    /// Reads the intervals of a run whose load took `load_s` seconds.
    ///
    /// # Errors
    /// When the interval log cannot be read.
    pub(super) fn read(directory: &RunDirectory, plan: &Plan, load_s: f64) -> io::Result<Self> {
        let phases = plan.phases.iter();
        let cuts: Vec<_> = phases
            .map(|phase| Cut::of(phase.from, phase.to, load_s))
            .collect();
        let mut sample = Self::default();
        for interval in intervals(&directory.intervals_file())? {
            let interval = interval?;
            let id = interval.id;
            let Some(cut) = cuts.get(usize::from(id.phase)) else {
                continue;
            };
            if id.step == NO_INDEX || !matches!(id.trend, Trend::Duration | Trend::ResponseTime) {
                continue;
            }
            let blocks = sample.0.entry((id.phase, id.step));
            let blocks = blocks.or_insert_with(|| cut.empty());
            let block = &mut blocks[cut.at(interval.start)];
            let label = plan.labels.get(usize::from(id.label));
            let count = interval.histogram.len();
            if id.trend == Trend::Duration {
                block.attempts += count;
                if label.is_some_and(|label| label.kind.is_failed_request()) {
                    block.failed += count;
                }
            } else if id.label != OutcomeKind::NotSent as u8 {
                for bucket in interval.histogram.iter_recorded() {
                    let count = bucket.count_since_last_iteration();
                    *block.times.entry(bucket.value_iterated_to()).or_default() += count;
                }
            }
        }
        Ok(sample)
    }

    #[cfg(test)]
    pub(super) fn of(blocks: Vec<Block>) -> Self {
        Self([((0, 0), blocks)].into_iter().collect())
    }

    /// The blocks of each phase of the scope in which the step was asked for.
    pub(super) fn strata(&self, scope: &Scope) -> Vec<&[Block]> {
        let phases = scope.phases.iter();
        let strata = phases.filter_map(|phase| self.0.get(&(*phase, scope.step)));
        strata.map(Vec::as_slice).collect()
    }
}
