//! Where the level of a series changes: the division into segments of least cost (Jackson et al.,
//! "An algorithm for optimal partitioning of data on an interval", IEEE Signal Processing Letters
//! 12, 2005; PELT finds the same faster), each change put to a permutation test.
//!
//! The cost of a segment is the sum of squares around its mean, and each further segment costs
//! `3 ln(n)` variances of the noise, which is estimated from differences of neighbours. The test
//! (Taylor, "Change-point analysis", 2000) puts the points of both neighbours into another order,
//! in blocks so that what belongs together stays together, and asks how often a cumulative sum
//! departs as far as it does in the true order.

use super::{Chance, mean, median};

/// No segment is shorter: a spike of a few seconds is no level.
pub(in crate::incident) const SHORTEST: usize = 5;

/// Orders that are tried.
const ROUNDS: usize = 999;

/// Neighbours that stay together, where there are points enough for many orders of blocks.
const BLOCK: usize = 3;

/// Fewer points are put into another order one by one.
const ENOUGH: usize = 30;

/// Above this a change may be chance.
pub(in crate::incident) const SIGNIFICANT: f64 = 0.01;

/// The least noise, in the unit of the series (a tenth, of a logarithm): a series without any would
/// make a step of nothing.
const LEAST_NOISE: f64 = 0.1;

/// More points are not looked at one by one, as the cost grows with their square.
pub(in crate::incident) const MOST: usize = 900;

/// A change from one level to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::incident) struct Step {
    /// Index of the first point of the new level.
    pub(in crate::incident) at: usize,
    /// The mean before, back to the change before.
    pub(in crate::incident) before: f64,
    /// The mean behind it, to the next change.
    pub(in crate::incident) after: f64,
    /// The chance of such a change in points without one.
    pub(in crate::incident) chance: f64,
}

/// The segments of the series: first index and index behind the last one.
pub(in crate::incident) fn levels(points: &[f64]) -> Vec<(usize, usize)> {
    let count = points.len();
    if count < 2 * SHORTEST {
        return vec![(0, count)];
    }
    let penalty = 3.0 * noise(points).powi(2) * (count as f64).ln();
    let sums = Sums::new(points);
    // The least cost of the points before each index, and where its last segment begins.
    let mut best = vec![(f64::INFINITY, 0); count + 1];
    best[0] = (-penalty, 0);
    for to in SHORTEST..=count {
        for from in 0..=to - SHORTEST {
            let cost = best[from].0 + sums.squares(from, to) + penalty;
            if cost < best[to].0 {
                best[to] = (cost, from);
            }
        }
    }
    let (mut segments, mut to) = (Vec::new(), count);
    while to > 0 {
        let from = best[to].1;
        segments.push((from, to));
        to = from;
    }
    segments.reverse();
    segments
}

/// Every change between neighbours that chance does not explain, in their order.
pub(in crate::incident) fn steps(points: &[f64], seed: u64) -> Vec<Step> {
    let segments = levels(points);
    let mut steps = Vec::new();
    for pair in segments.windows(2) {
        let ((from, at), (_, to)) = (pair[0], pair[1]);
        let chance = chance(&points[from..to], seed ^ at as u64);
        if chance <= SIGNIFICANT {
            let level = |from: usize, to: usize| mean(points[from..to].iter().copied());
            steps.push(Step {
                at,
                before: level(from, at).unwrap_or_default(),
                after: level(at, to).unwrap_or_default(),
                chance,
            });
        }
    }
    steps
}

/// How often another order departs as far.
fn chance(points: &[f64], seed: u64) -> f64 {
    let observed = departure(points.iter().copied(), points.len());
    let size = if points.len() < ENOUGH { 1 } else { BLOCK };
    let mut blocks: Vec<&[f64]> = points.chunks(size).collect();
    let mut chance = Chance::new(seed);
    let as_far = (0..ROUNDS)
        .filter(|_| {
            chance.shuffle(&mut blocks);
            let order = blocks.iter().flat_map(|block| block.iter().copied());
            departure(order, points.len()) >= observed - 1e-9
        })
        .count();
    (as_far + 1) as f64 / (ROUNDS + 1) as f64
}

/// How far the cumulative sum departs from that of a level series, at most.
fn departure(points: impl Iterator<Item = f64> + Clone, count: usize) -> f64 {
    let all = mean(points.clone()).unwrap_or_default();
    let (mut sum, mut most) = (0.0_f64, 0.0_f64);
    for (at, point) in points.enumerate() {
        sum += point - all;
        let (before, behind) = (at + 1, count - at - 1);
        if before >= SHORTEST && behind >= SHORTEST {
            let scale = (before as f64 * behind as f64 / count as f64).sqrt();
            most = most.max(sum.abs() / scale);
        }
    }
    most
}

/// The deviation of the noise; changes of level touch few differences of neighbours.
fn noise(points: &[f64]) -> f64 {
    let differences = points.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let middle = median(differences).unwrap_or_default();
    // The median of the absolute value of a normal difference is 0.6745 of its deviation.
    (middle / (0.674_5 * std::f64::consts::SQRT_2)).max(LEAST_NOISE)
}

/// Sums up to each index, so that the cost of any segment is known at once.
struct Sums(Vec<(f64, f64)>);

impl Sums {
    fn new(points: &[f64]) -> Self {
        let mut sums = vec![(0.0, 0.0)];
        for point in points {
            let (sum, squares) = sums[sums.len() - 1];
            sums.push((sum + point, squares + point * point));
        }
        Self(sums)
    }

    fn squares(&self, from: usize, to: usize) -> f64 {
        let (sum, squares) = (self.0[to].0 - self.0[from].0, self.0[to].1 - self.0[from].1);
        (squares - sum * sum / (to - from) as f64).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(seed: u64, count: usize, level: impl Fn(usize) -> f64, noise: f64) -> Vec<f64> {
        let mut chance = Chance::new(seed);
        (0..count)
            .map(|at| level(at) + noise * chance.normal())
            .collect()
    }

    #[test]
    fn flat_noise_never_doubles_in_a_thousand_seeds() {
        for seed in 0..1_000 {
            let points = series(seed, 90, |_| 3.0, 0.3);
            let doubled = |step: &Step| step.after - step.before >= 2_f64.ln();
            assert!(!steps(&points, seed).iter().any(doubled), "seed {seed}");
        }
    }

    #[test]
    fn flat_noise_has_few_steps_of_any_size() {
        let with_step = |seed: &u64| !steps(&series(*seed, 90, |_| 3.0, 0.3), *seed).is_empty();
        let count = (0..1_000).filter(with_step).count();
        assert!(count <= 50, "{count} of 1,000");
    }

    #[test]
    fn a_planted_step_is_found_within_two_seconds() {
        for seed in 0..300 {
            let planted = 20 + Chance::new(seed).below(50);
            let level = |at: usize| if at >= planted { 6.0 } else { 3.0 };
            let found = steps(&series(seed, 90, level, 0.4), seed);
            let near = found.iter().any(|step| step.at.abs_diff(planted) <= 2);
            assert!(near, "{found:?} for {planted}, seed {seed}");
        }
    }

    #[test]
    fn a_spike_is_no_level() {
        let level = |at: usize| if (40..42).contains(&at) { 9.0 } else { 3.0 };
        let found = steps(&series(1, 90, level, 0.2), 1);
        let doubled = found
            .iter()
            .any(|step| step.after - step.before >= 2_f64.ln() * 2.0);
        assert!(!doubled, "{found:?}");
    }

    #[test]
    fn too_few_points_have_one_level() {
        assert_eq!(levels(&[1.0; 9]), [(0, 9)]);
        assert_eq!(steps(&[], 1), []);
    }
}
