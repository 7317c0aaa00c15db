//! Judges thresholds over windows of the load, one second after the other.
//!
//! A window has one of three answers:
//!
//! | Window | Answer |
//! |---|---|
//! | the value breaks the limit | broken: the streak is one longer |
//! | the value keeps it | holds: the streak ends |
//! | there is nothing to judge | silent: the streak stays as it is |
//!
//! A silent window does not end a streak, because a system that hangs answers nothing: bad, hung,
//! bad are two bad windows and no recovery between them.
//!
//! What is summed up (counters, and the VUs) is at least what was seen in a window that the load
//! covers only in part, at its end or beside a phase. There an upper limit that is exceeded is
//! broken, and everything else is silent. In a window that is covered as a whole, a sum of zero
//! breaks the limits that zero breaks, and is silent for the others: nothing was put to the test.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Observed, View, limit, observe, shown};
use crate::measure::{
    Aggregate, Comparison, MetricKind, Second, SeriesId, Threshold, ThresholdResult, Totals,
    Windowed,
};
use crate::plan::Plan;
use crate::verdict::Verdict;

/// All thresholds over windows of one plan, as far as the load came. The seconds must come in
/// their order: first what was measured in one, then its line.
#[derive(Debug)]
pub struct Windows {
    lanes: Vec<Lane>,
}

/// One threshold, with the window that is under way.
#[derive(Debug)]
struct Lane {
    /// Index into [`Plan::thresholds`].
    threshold: usize,
    windows: Windowed,
    /// The number of the window under way.
    window: u64,
    totals: Totals,
    /// The second of the load that was reached; 0 while the window has none.
    reached_s: u64,
    tally: Tally,
}

/// The answers so far.
#[derive(Debug, Default)]
struct Tally {
    held: u64,
    broken: u64,
    silent: u64,
    /// The streak under way, by its length and its first window.
    streak: Option<Streak>,
    /// The first streak that was long enough.
    failed: Option<Streak>,
}

#[derive(Debug, Clone)]
struct Streak {
    length: u64,
    first: String,
}

enum Answer {
    Holds,
    Broken(String),
    Silent,
}

impl Windows {
    /// Before the load.
    pub fn new(plan: &Plan) -> Self {
        let thresholds = plan.thresholds.iter().enumerate();
        let lane = |(threshold, of): (usize, &Threshold)| {
            Some(Lane {
                threshold,
                windows: of.windows?,
                window: 0,
                totals: empty(plan),
                reached_s: 0,
                tally: Tally::default(),
            })
        };
        Self {
            lanes: thresholds.filter_map(lane).collect(),
        }
    }

    /// Takes what one series measured in the second that begins at `start`.
    pub fn add(&mut self, plan: &Plan, start: Duration, id: SeriesId, histogram: &Histogram<u64>) {
        // The drain phase comes after the load, and is never part of a threshold.
        if id.phase == plan.drain_phase() {
            return;
        }
        for lane in &mut self.lanes {
            lane.move_to(start.as_secs(), plan);
            lane.totals.add(id, histogram);
        }
    }

    /// Takes the other figures of a second. Windows that end with it are judged.
    pub fn second(&mut self, plan: &Plan, second: &Second) {
        for lane in &mut self.lanes {
            lane.second(second, plan);
        }
    }

    /// Judges the windows that the load has ended in.
    pub fn finish(&mut self, plan: &Plan) {
        for lane in &mut self.lanes {
            lane.close(plan);
        }
    }

    /// Whether the n-th threshold of the plan was broken in windows enough.
    pub(super) fn has_failed(&self, threshold: usize) -> bool {
        let lane = self.lanes.iter().find(|lane| lane.threshold == threshold);
        lane.is_some_and(|lane| lane.tally.failed.is_some())
    }

    /// The answer of the n-th threshold of the plan; `None` if it is not over windows.
    pub(super) fn result(&self, at: usize, threshold: &Threshold) -> Option<ThresholdResult> {
        let windows = threshold.windows?;
        let lane = self.lanes.iter().find(|lane| lane.threshold == at);
        let (verdict, detail) = match lane {
            Some(lane) => lane.tally.verdict(threshold, windows),
            None => Tally::default().verdict(threshold, windows),
        };
        Some(ThresholdResult {
            name: threshold.name.clone(),
            verdict,
            detail,
        })
    }
}

impl Lane {
    /// Judges the window under way if this second lies behind it. Windows between the two are
    /// those of seconds in which no load ran: they are silent.
    fn move_to(&mut self, second: u64, plan: &Plan) {
        let window = second / self.windows.over_s;
        if window > self.window {
            self.close(plan);
            self.window = window;
        }
    }

    fn second(&mut self, second: &Second, plan: &Plan) {
        self.move_to(second.t, plan);
        let totals = &mut self.totals;
        totals.data_sent += second.data_sent;
        totals.data_received += second.data_received;
        totals.vus = second.vus;
        totals.vus_max = totals.vus_max.max(second.vus);
        for (phase, count) in &second.dropped {
            if let Some(dropped) = totals.dropped.get_mut(usize::from(*phase)) {
                *dropped += count;
            }
        }
        // A second that has begun counts as reached: the last one of a load is rarely whole.
        self.reached_s = (second.t as f64 + second.length_s).ceil() as u64;
        let end = self
            .window
            .saturating_add(1)
            .saturating_mul(self.windows.over_s);
        if self.reached_s >= end {
            self.close(plan);
            self.window = self.window.saturating_add(1);
        }
    }

    fn close(&mut self, plan: &Plan) {
        let begun = self.reached_s > 0 || !self.totals.trends.is_empty();
        if begun {
            let answer = self.answer(plan);
            self.tally.take(answer, self.windows.in_a_row);
        }
        self.totals = empty(plan);
        self.reached_s = 0;
    }

    fn answer(&mut self, plan: &Plan) -> Answer {
        let threshold = &plan.thresholds[self.threshold];
        let from = self.window.saturating_mul(self.windows.over_s);
        let to = from.saturating_add(self.windows.over_s);
        self.totals.elapsed = Duration::from_secs(self.windows.over_s);
        let covered = {
            let view = View::new(plan, &self.totals, threshold);
            let covered = view.covered(Duration::from_secs(from), Duration::from_secs(to));
            covered == Duration::from_secs(to - from) && self.reached_s >= to
        };
        let is_sum = is_sum(threshold);
        let observed = match observe(plan, &self.totals, threshold) {
            Ok(observed) => observed,
            Err(_) if is_sum && covered && !threshold.comparison.holds(0.0, threshold.limit) => {
                Observed {
                    value: 0.0,
                    over: "without any".to_owned(),
                }
            }
            Err(_) => return Answer::Silent,
        };
        let holds = threshold.comparison.holds(observed.value, threshold.limit);
        if is_sum && !covered && (holds || may_still_hold(threshold, observed.value)) {
            return Answer::Silent;
        }
        if holds {
            return Answer::Holds;
        }
        let shown = shown(threshold, &observed);
        Answer::Broken(format!("{shown} in {from}s..{to}s"))
    }
}

impl Tally {
    fn take(&mut self, answer: Answer, in_a_row: u64) {
        match answer {
            Answer::Silent => self.silent += 1,
            Answer::Holds => {
                self.held += 1;
                self.streak = None;
            }
            Answer::Broken(shown) => {
                self.broken += 1;
                let first = Streak {
                    length: 0,
                    first: shown,
                };
                let streak = self.streak.get_or_insert(first);
                streak.length += 1;
                if streak.length == in_a_row && self.failed.is_none() {
                    self.failed = Some(streak.clone());
                }
            }
        }
    }

    fn verdict(&self, threshold: &Threshold, windows: Windowed) -> (Verdict, String) {
        let limit = limit(threshold);
        let over_s = windows.over_s;
        if let Some(Streak { first, length }) = &self.failed {
            let row = match length {
                1 => String::new(),
                length => format!(", {length} windows in a row"),
            };
            return (Verdict::Fail, format!("{first}{row}, {limit}"));
        }
        let judged = self.held + self.broken;
        if judged == 0 {
            let none = format!("no data (no window of {over_s}s had any)");
            return if threshold.allow_empty {
                (Verdict::Pass, format!("{none}, which is allowed here"))
            } else {
                (Verdict::Fail, format!("{none}, {limit}"))
            };
        }
        let broken = match self.broken {
            0 => "none broken".to_owned(),
            broken => format!("{broken} broken, never {} in a row", windows.in_a_row),
        };
        let silent = match self.silent {
            0 => String::new(),
            silent => format!(", {silent} without data"),
        };
        let plural = if judged == 1 { "" } else { "s" };
        let detail = format!("{judged} window{plural} of {over_s}s, {broken}{silent}, {limit}");
        (Verdict::Pass, detail)
    }
}

/// Whether it grows with the time that is looked at, and is zero where nothing happened.
fn is_sum(threshold: &Threshold) -> bool {
    match threshold.metric.kind() {
        MetricKind::Counter | MetricKind::Gauge => true,
        MetricKind::Trend => threshold.aggregate == Aggregate::Count,
        MetricKind::Rate | MetricKind::Scaling => false,
    }
}

/// Whether a sum that breaks the limit may come to keep it by growing.
fn may_still_hold(threshold: &Threshold, sum: f64) -> bool {
    let from_below = matches!(
        threshold.comparison,
        Comparison::Greater | Comparison::GreaterOrEqual | Comparison::NotEqual
    );
    from_below || sum < threshold.limit
}

fn empty(plan: &Plan) -> Totals {
    Totals {
        dropped: vec![0; plan.phases.len()],
        ..Totals::default()
    }
}

#[cfg(test)]
mod tests;
