//! Values that go up and down: smallest, largest, mean and percentiles, in little memory.

use hdrhistogram::Histogram;

/// Digits of a percentile; smallest, largest and mean are exact.
const DIGITS: u8 = 3;

/// A histogram holds whole numbers, and CPU is in parts of a core.
const SCALE: f64 = 1_000.0;

/// Values that were seen, each as much as the others.
#[derive(Debug, Clone)]
pub struct Levels {
    min: f64,
    max: f64,
    sum: f64,
    histogram: Histogram<u64>,
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            min: f64::INFINITY,
            max: 0.0,
            sum: 0.0,
            histogram: Histogram::new(DIGITS).expect("3 digits are valid"),
        }
    }
}

impl Levels {
    /// Adds a value, which is not below zero.
    ///
    /// # Panics
    /// Never: the histogram grows as needed.
    pub fn add(&mut self, value: f64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum += value;
        self.histogram
            .record((value * SCALE) as u64)
            .expect("a histogram that grows takes every value");
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The smallest; none without a value, as with the others.
    pub fn min(&self) -> Option<f64> {
        (self.count() > 0).then_some(self.min)
    }

    /// The largest.
    pub fn max(&self) -> Option<f64> {
        (self.count() > 0).then_some(self.max)
    }

    /// The arithmetic mean.
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum / self.count() as f64)
    }

    /// A quantile, 0 to 1, to three digits; never outside of what was seen.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let value = self.histogram.value_at_quantile(quantile) as f64 / SCALE;
        (self.count() > 0).then(|| value.clamp(self.min, self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_and_mean_are_exact() {
        let mut levels = Levels::default();
        assert_eq!((levels.min(), levels.quantile(0.5)), (None, None));
        for value in [0.25, 4_096.0, 123_456_789.0] {
            levels.add(value);
        }
        assert_eq!(levels.min(), Some(0.25));
        assert_eq!(levels.max(), Some(123_456_789.0));
        assert_eq!(levels.mean(), Some((0.25 + 4_096.0 + 123_456_789.0) / 3.0));
        let median = levels.quantile(0.5).expect("there are values");
        assert!((median - 4_096.0).abs() < 5.0, "{median}");
    }
}
