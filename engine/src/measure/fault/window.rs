//! Whether a stretch of time was good for those who asked, against what they had before.

use std::collections::HashMap;

use super::tally::Tally;

/// Attempts are kept apart by when they were sent, in cells of this length. Windows are made of
/// whole cells, so their edges lie at most this much behind the moment that they begin at.
pub(super) const CELL_NS: u64 = 50_000_000;

/// How many cells a window may have: 250 ms to 5 s.
const WIDTHS: [u64; 5] = [5, 10, 20, 50, 100];

/// Attempts that a window should have, so that a percentile and a share of it mean something; and
/// that a baseline must have.
const ENOUGH: u64 = 20;

/// How many good windows running are a recovery.
const RUNNING: u64 = 4;

/// What failed may be this much more, as a share of the attempts.
const MORE_FAILED: f64 = 0.01;

/// The 95th percentile may be so many times as long, and so many milliseconds more.
const SLOWER: (f64, f64) = (2.0, 20.0);

/// What a system did before a fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    /// Nanoseconds since the run's origin.
    pub from_ns: u64,
    /// As above.
    pub to_ns: u64,
    /// Attempts that were sent and answered in it.
    pub attempts: u64,
    /// The share of them that failed.
    pub failed_share: f64,
    /// 95th percentile of their service time in milliseconds; `None`: none of them was sent.
    pub p95_ms: Option<f64>,
}

/// The attempts of one cell.
#[derive(Debug, Default)]
struct Cell {
    /// No fault was active while they were under way.
    untouched: Tally,
    touched: Tally,
}

/// All cells that are kept.
#[derive(Debug, Default)]
pub(super) struct Grid(HashMap<u64, Cell>);

impl Grid {
    /// The tally for an attempt that was sent then.
    pub(super) fn at(&mut self, sent_ns: u64, touched: bool) -> &mut Tally {
        let cell = self.0.entry(sent_ns / CELL_NS).or_default();
        if touched {
            &mut cell.touched
        } else {
            &mut cell.untouched
        }
    }

    /// What was sent in the time and not touched by a fault; `None` if it is too little.
    pub(super) fn baseline(&self, from_ns: u64, to_ns: u64) -> Option<Baseline> {
        let (first, end) = (from_ns.div_ceil(CELL_NS), to_ns / CELL_NS);
        let mut all = Tally::default();
        let cells = (first..end).filter_map(|cell| self.0.get(&cell));
        cells.for_each(|cell| all.merge(&cell.untouched));
        (all.attempts >= ENOUGH).then(|| Baseline {
            from_ns: first * CELL_NS,
            to_ns: end * CELL_NS,
            attempts: all.attempts,
            failed_share: all.failed_share(),
            p95_ms: all.p95_ms(),
        })
    }

    /// How many cells there are.
    #[cfg(test)]
    pub(super) fn cells(&self) -> usize {
        self.0.len()
    }

    fn window(&self, first: u64, width: u64) -> Tally {
        let mut all = Tally::default();
        let cells = (first..first + width).filter_map(|cell| self.0.get(&cell));
        for cell in cells {
            all.merge(&cell.untouched);
            all.merge(&cell.touched);
        }
        all
    }

    /// The first bad window that begins in the time: its start, and when it could be noticed.
    pub(super) fn first_bad(&self, scale: &Scale, from_ns: u64, to_ns: u64) -> Option<(u64, u64)> {
        let mut windows = scale.windows(from_ns, to_ns);
        windows.find_map(|first| {
            let window = self.window(first, scale.width);
            let noticed = scale.noticed_ns(&window, (first + scale.width) * CELL_NS)?;
            Some((first * CELL_NS, noticed))
        })
    }

    /// The end of the first good windows running, of windows that end at the last attempt or before;
    /// else the end of the last bad one. One without an attempt breaks the row.
    pub(super) fn recovered(
        &self,
        scale: &Scale,
        healed_ns: u64,
        last_ns: u64,
    ) -> Result<u64, Option<u64>> {
        let end = (last_ns / CELL_NS + 1).saturating_sub(scale.width - 1);
        let (mut running, mut bad) = (0, None);
        for first in scale.windows(healed_ns, end * CELL_NS) {
            let good = scale.is_good(&self.window(first, scale.width));
            let over_ns = (first + scale.width) * CELL_NS;
            running = if good == Some(true) { running + 1 } else { 0 };
            if running == RUNNING {
                return Ok(over_ns);
            }
            if good == Some(false) {
                bad = Some(over_ns);
            }
        }
        Err(bad)
    }
}

/// How long windows are, and what is good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Cells of one window.
    width: u64,
    /// The share that failed before.
    failed_share: f64,
    /// The longest 95th percentile that is good; `None`: it does not count.
    p95_ms: Option<f64>,
}

impl Scale {
    /// For a baseline, or for attempts per second where there is none.
    pub(super) fn new(baseline: Option<&Baseline>, otherwise_per_s: f64) -> Self {
        let rate = baseline.map_or(otherwise_per_s, |baseline| {
            let length_s = (baseline.to_ns - baseline.from_ns) as f64 / 1e9;
            baseline.attempts as f64 / length_s.max(1e-3)
        });
        let holds_enough = |width: &&u64| {
            let length_s = (**width * CELL_NS) as f64 / 1e9;
            rate * length_s >= ENOUGH as f64
        };
        let width = WIDTHS.iter().find(holds_enough);
        let (factor, more) = SLOWER;
        let p95_ms = baseline.and_then(|baseline| baseline.p95_ms);
        Self {
            width: width.copied().unwrap_or(WIDTHS[WIDTHS.len() - 1]),
            failed_share: baseline.map_or(0.0, |baseline| baseline.failed_share),
            p95_ms: p95_ms.map(|before| factor * before + more),
        }
    }

    /// How long a window is.
    pub(super) const fn window_ns(&self) -> u64 {
        self.width * CELL_NS
    }

    /// The first cells of windows one behind the other that begin in the time.
    fn windows(&self, from_ns: u64, to_ns: u64) -> impl Iterator<Item = u64> {
        (from_ns.div_ceil(CELL_NS)..to_ns.div_ceil(CELL_NS)).step_by(self.width as usize)
    }

    /// `None` without an attempt.
    fn is_good(&self, window: &Tally) -> Option<bool> {
        let good = !self.fails(window) && !self.is_slow(window);
        (window.attempts > 0).then_some(good)
    }

    /// Where some failed before, chance alone makes more fail in one window than in another: two
    /// standard deviations of that are no sign.
    fn fails(&self, window: &Tally) -> bool {
        let (all, share) = (window.attempts as f64, self.failed_share);
        let chance = 2.0 * (all * share * (1.0 - share)).sqrt();
        window.failed as f64 > all * (share + MORE_FAILED) + chance
    }

    fn is_slow(&self, window: &Tally) -> bool {
        let slow = |limit| window.p95_ms().is_some_and(|p95_ms| p95_ms > limit);
        self.p95_ms.is_some_and(slow)
    }

    /// When those who asked in a bad window could know: of failures when the first had come, of
    /// slowness when all were out for longer than is good, and never before the window's end.
    fn noticed_ns(&self, window: &Tally, end_ns: u64) -> Option<u64> {
        let failed = window.first_failed_ns.filter(|_| self.fails(window));
        let slow = self.p95_ms.filter(|_| self.is_slow(window));
        let slow = slow.map(|limit_ms| end_ns + (limit_ms * 1e6) as u64);
        let known = [failed, slow].into_iter().flatten().min()?;
        Some(known.max(end_ns))
    }
}
