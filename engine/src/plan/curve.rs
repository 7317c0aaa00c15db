//! Load shapes as pure functions of time: how many VUs, and when the k-th iteration is due.

use std::time::Duration;

use super::{Executor, RateStage, Segment, Stage};

/// The number of VUs over time, in straight lines between whole numbers.
///
/// ```text
/// vus
///  4          ____        a stage from 0 to 4 in 4 s has 1 VU from 1 s on,
///  3        _/            2 from 2 s on, 4 at its end: the floor of the line,
///  2      _/              downwards likewise, as k6 counts
///  1    _/
///  0 __/
///    0  1  2  3  4 s
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VuCurve {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    start: Duration,
    duration: Duration,
    from: u64,
    to: u64,
}

impl VuCurve {
    /// The curve of these stages, beginning with `start` VUs.
    pub fn new(start: u64, stages: &[Stage]) -> Self {
        let (mut at, mut from) = (Duration::ZERO, start);
        let mut lines = Vec::with_capacity(stages.len());
        for stage in stages {
            lines.push(Line {
                start: at,
                duration: stage.duration,
                from,
                to: stage.target,
            });
            (at, from) = (at + stage.duration, stage.target);
        }
        Self { lines }
    }

    /// A constant number of VUs.
    pub fn constant(vus: u64, duration: Duration) -> Self {
        Self {
            lines: vec![Line {
                start: Duration::ZERO,
                duration,
                from: vus,
                to: vus,
            }],
        }
    }

    /// When the last stage ends.
    pub fn end(&self) -> Duration {
        self.lines
            .last()
            .map_or(Duration::ZERO, |line| line.start + line.duration)
    }

    /// The most VUs at any time.
    pub fn max(&self) -> u64 {
        self.lines
            .iter()
            .map(|line| line.from.max(line.to))
            .max()
            .unwrap_or(0)
    }

    /// VUs at this time; 0 from the end on.
    pub fn at(&self, elapsed: Duration) -> u64 {
        self.line_at(elapsed).map_or(0, |line| line.at(elapsed))
    }

    /// The first time after `elapsed` at which the number changes; the end counts as a change.
    pub fn next_change(&self, elapsed: Duration) -> Option<Duration> {
        let line = self.line_at(elapsed)?;
        Some(line.next_change(elapsed))
    }

    /// The line under way. Lines without a duration are jumps: the line after them holds.
    fn line_at(&self, elapsed: Duration) -> Option<&Line> {
        self.lines
            .iter()
            .find(|line| elapsed < line.start + line.duration)
    }

    /// VU-seconds under the curve, of the VUs of this segment. Those of all segments add up to those
    /// of the whole.
    pub fn area(&self, segment: Segment) -> f64 {
        self.lines.iter().map(|line| line.area(segment)).sum()
    }
}

impl Line {
    /// The n-th VU is there for as much as the line is between n - 1 and n.
    fn area(&self, segment: Segment) -> f64 {
        let seconds = self.duration.as_secs_f64();
        if self.from == self.to {
            return segment.share(self.to) as f64 * seconds;
        }
        let (low, high) = (self.from.min(self.to), self.from.max(self.to));
        let mean = (below(segment, high) - below(segment, low)) / (high - low) as f64;
        mean * seconds
    }

    fn at(&self, elapsed: Duration) -> u64 {
        let done = elapsed.saturating_sub(self.start).as_nanos();
        let steps = u128::from(self.from.abs_diff(self.to)) * done / self.duration.as_nanos();
        if self.to >= self.from {
            self.from + steps as u64
        } else {
            self.from - steps as u64
        }
    }

    fn next_change(&self, elapsed: Duration) -> Duration {
        let difference = u128::from(self.from.abs_diff(self.to));
        let end = self.start + self.duration;
        if difference == 0 {
            return end;
        }
        let done = elapsed.saturating_sub(self.start).as_nanos();
        let steps = difference * done / self.duration.as_nanos();
        // The first whole nanosecond at which the floor of the line is one step further.
        let at = ((steps + 1) * self.duration.as_nanos()).div_ceil(difference);
        end.min(self.start + Duration::from_nanos(at as u64))
    }
}

/// The area under the segment's part of a line that rises from 0 to `vus`, one VU a second: each VU
/// comes in the course of its own second and stays.
fn below(segment: Segment, vus: u64) -> f64 {
    let (of, before) = (segment.of() as f64, segment.number() as f64 - 1.0);
    let (rounds, rest) = ((vus / segment.of()) as f64, (vus % segment.of()) as f64);
    // In a round the segment has one more from its own turn on, half of it in the turn itself.
    let whole = rounds * (rounds - 1.0) / 2.0 * of + rounds * (of - before - 0.5);
    whole + rounds * rest + (rest - before - 0.5).max(0.0)
}

/// When iterations are due in the open model: the k-th is due when the area under the rate
/// reaches k. Running behind needs no rule of its own: all that is due is released at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticks {
    pieces: Vec<Piece>,
    end: Duration,
    total: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    start_s: f64,
    duration_s: f64,
    from: f64,
    to: f64,
    area_before: f64,
}

impl Piece {
    fn area(&self) -> f64 {
        f64::midpoint(self.from, self.to) * self.duration_s
    }
}

impl Ticks {
    /// A constant rate per second.
    pub fn constant(rate: f64, duration: Duration) -> Self {
        let stage = RateStage {
            name: String::new(),
            duration,
            target: rate,
        };
        Self::new(rate, &[stage])
    }

    /// The rate follows the stages, beginning with `start` per second.
    pub fn new(start: f64, stages: &[RateStage]) -> Self {
        let (mut at, mut from, mut area) = (Duration::ZERO, start, 0.0);
        let mut pieces = Vec::with_capacity(stages.len());
        for stage in stages {
            let piece = Piece {
                start_s: at.as_secs_f64(),
                duration_s: stage.duration.as_secs_f64(),
                from,
                to: stage.target,
                area_before: area,
            };
            pieces.push(piece);
            area += piece.area();
            (at, from) = (at + stage.duration, stage.target);
        }
        // A rate times a duration that is meant to be whole may come out a hair above it.
        let total = (area - 1e-6).max(0.0).ceil() as u64;
        Self {
            pieces,
            end: at,
            total,
        }
    }

    /// How many iterations are due in all.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// When the last stage ends.
    pub const fn end(&self) -> Duration {
        self.end
    }

    /// When the k-th iteration, counted from 0, is due; `None` behind the last.
    pub fn due(&self, k: u64) -> Option<Duration> {
        if k >= self.total {
            return None;
        }
        let area = k as f64;
        let holds = |piece: &&Piece| area < piece.area_before + piece.area();
        let piece = self.pieces.iter().find(holds).or(self.pieces.last())?;
        let rest = area - piece.area_before;
        let slope = (piece.to - piece.from) / piece.duration_s;
        // rest = from * t + slope * t^2 / 2, solved in the form that does not cancel.
        let root = 2.0_f64
            .mul_add(slope * rest, piece.from * piece.from)
            .max(0.0)
            .sqrt();
        let t = if rest == 0.0 {
            0.0
        } else {
            2.0 * rest / (piece.from + root)
        };
        Some(Duration::from_secs_f64(
            piece.start_s + t.clamp(0.0, piece.duration_s),
        ))
    }

    /// Starts per second at this time.
    pub fn rate_at(&self, elapsed: Duration) -> f64 {
        let t = elapsed.as_secs_f64();
        let under_way = |piece: &&Piece| t < piece.start_s + piece.duration_s;
        self.pieces.iter().find(under_way).map_or(0.0, |piece| {
            let done = (t - piece.start_s) / piece.duration_s;
            (piece.to - piece.from).mul_add(done, piece.from)
        })
    }
}

impl Executor {
    /// The VU curve of a closed model that has one.
    pub fn vu_curve(&self) -> Option<VuCurve> {
        match self {
            Self::ConstantVus { vus, duration } => Some(VuCurve::constant(*vus, *duration)),
            Self::RampingVus { start, stages, .. } => Some(VuCurve::new(*start, stages)),
            _ => None,
        }
    }

    /// The schedule of an arrival rate.
    pub fn ticks(&self) -> Option<Ticks> {
        match self {
            Self::ConstantArrivalRate { rate, duration, .. } => {
                Some(Ticks::constant(*rate, *duration))
            }
            Self::RampingArrivalRate { start, stages, .. } => Some(Ticks::new(*start, stages)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn stage(seconds: u64, target: u64) -> Stage {
        Stage {
            name: String::new(),
            duration: s(seconds),
            target,
        }
    }

    fn rate(seconds: u64, target: f64) -> RateStage {
        RateStage {
            name: String::new(),
            duration: s(seconds),
            target,
        }
    }

    #[test]
    fn vus_follow_the_floor_of_the_line() {
        let curve = VuCurve::new(0, &[stage(4, 4), stage(0, 10), stage(5, 0)]);
        let table = [
            (0, 0),    // nobody at the start
            (999, 0),  // not yet
            (1000, 1), // the first
            (3999, 3),
            (4000, 10), // the jump holds from its moment on
            (4499, 10),
            (4500, 9), // one step down each half second
            (8999, 1),
            (9000, 0), // the end
            (99_000, 0),
        ];
        for (ms, vus) in table {
            assert_eq!(curve.at(Duration::from_millis(ms)), vus, "at {ms} ms");
        }
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced() {
        let ticks = Ticks::constant(10.0, s(2));
        assert_eq!(ticks.total(), 20);
        for (k, due_ms) in [(0, 0), (1, 100), (19, 1900)] {
            let due = ticks.due(k).expect("due").as_micros();
            assert!(due.abs_diff(due_ms * 1000) <= 1, "{k}: {due}");
        }
        assert_eq!(ticks.due(20), None);
    }

    #[test]
    fn a_ramp_from_zero_has_half_the_iterations_of_its_peak() {
        let ticks = Ticks::new(0.0, &[rate(10, 100.0)]);
        assert_eq!(ticks.total(), 500);
        // The area of a triangle: half of the ticks are due after 1/sqrt(2) of the time.
        let half = ticks.due(250).expect("due").as_secs_f64();
        assert!((half - 10.0 / 2.0_f64.sqrt()).abs() < 1e-6, "{half}");
    }

    #[test]
    fn a_pause_in_the_rate_has_no_ticks() {
        let ticks = Ticks::new(
            10.0,
            &[
                rate(1, 10.0),
                rate(0, 0.0),
                rate(5, 0.0),
                rate(0, 10.0),
                rate(1, 10.0),
            ],
        );
        assert_eq!(ticks.total(), 20);
        assert!(ticks.due(9).expect("due") < s(1));
        assert!(ticks.due(10).expect("due") >= s(1));
        assert!(ticks.due(11).expect("due") >= s(6));
    }

    proptest! {
        #[test]
        fn changes_are_where_the_number_changes(
            start in 0_u64..50,
            stages in prop::collection::vec((0_u64..5, 0_u64..50), 1..5),
        ) {
            let stages: Vec<_> = stages.into_iter().map(|(d, t)| stage(d, t)).collect();
            let curve = VuCurve::new(start, &stages);
            let mut at = Duration::ZERO;
            while let Some(next) = curve.next_change(at) {
                prop_assert!(next > at);
                let before = next.saturating_sub(Duration::from_nanos(1));
                prop_assert_eq!(curve.at(before), curve.at(at), "constant until the change");
                at = next;
            }
            prop_assert_eq!(at, curve.end());
        }

        #[test]
        fn ticks_never_go_back(
            start in 0.0_f64..100.0,
            stages in prop::collection::vec((0_u64..5, 0.0_f64..100.0), 1..5),
        ) {
            let stages: Vec<_> = stages.into_iter().map(|(d, t)| rate(d, t)).collect();
            let ticks = Ticks::new(start, &stages);
            let dues: Vec<_> = (0..ticks.total()).map(|k| ticks.due(k).expect("due")).collect();
            prop_assert!(dues.is_sorted());
            prop_assert!(dues.iter().all(|due| *due <= ticks.end()));
        }
    }
}
