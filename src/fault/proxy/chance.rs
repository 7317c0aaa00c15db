//! Draws that follow from a seed and from what they are for, in whatever order they are made.

use std::time::Duration;

use crate::plan::{Spread, mix};

/// A number from 0 to below 1.
pub(super) fn unit(key: u64) -> f64 {
    // As many bits as a float holds.
    (mix(key) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A delay around `by`, never below zero.
pub(super) fn delay(by: Duration, jitter: Duration, spread: Spread, key: u64) -> Duration {
    if jitter.is_zero() {
        return by;
    }
    let away = match spread {
        Spread::Uniform => 2.0 * unit(key) - 1.0,
        Spread::Normal => normal(key).clamp(-4.0, 4.0),
    };
    let seconds = by.as_secs_f64() + away * jitter.as_secs_f64();
    Duration::from_secs_f64(seconds.max(0.0))
}

/// Of mean 0 and deviation 1 (Box and Muller, 1958).
fn normal(key: u64) -> f64 {
    // Above zero, since its logarithm is taken.
    let radius = (-2.0 * (1.0 - unit(key)).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit(key ^ 0x5555_5555)).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(jitter: u64, spread: Spread) -> Vec<f64> {
        let [by, jitter] = [100, jitter].map(Duration::from_millis);
        let draw = |key| delay(by, jitter, spread, mix(key)).as_secs_f64() * 1_000.0;
        (0..20_000).map(draw).collect()
    }

    fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let square = |value: &f64| (value - mean).powi(2);
        let variance = values.iter().map(square).sum::<f64>() / count;
        (mean, variance.sqrt())
    }

    #[test]
    fn jitter_lies_as_its_distribution_says() {
        // The deviation of a uniform distribution is its half width over the root of 3.
        let table = [
            (Spread::Uniform, 30.0 / 3_f64.sqrt()),
            (Spread::Normal, 30.0),
        ];
        for (spread, expected) in table {
            let (mean, deviation) = mean_and_deviation(&drawn(30, spread));
            assert!((mean - 100.0).abs() < 1.0, "{spread:?}: mean {mean}");
            let off = (deviation - expected).abs();
            assert!(off < 1.0, "{spread:?}: deviation {deviation}");
        }
    }

    #[test]
    fn no_delay_is_below_zero_or_beyond_four_deviations() {
        let drawn = drawn(90, Spread::Normal);
        assert!(drawn.iter().all(|value| (0.0..=460.0).contains(value)));
    }

    #[test]
    fn without_jitter_every_delay_is_the_same() {
        let by = Duration::from_millis(7);
        for key in 0..100 {
            assert_eq!(delay(by, Duration::ZERO, Spread::Normal, key), by);
        }
    }
}
