//! A Prometheus histogram of times, filled from HDR histograms.

use hdrhistogram::Histogram;
use prometheus::proto;

/// Upper bounds in microseconds, 0.5 ms to 60 s: close where SLAs are, wide above.
const BOUNDS_US: [u64; 25] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 150_000, 200_000, 300_000,
    500_000, 750_000, 1_000_000, 1_500_000, 2_000_000, 3_000_000, 5_000_000, 7_500_000, 10_000_000,
    15_000_000, 20_000_000, 30_000_000, 60_000_000,
];

/// How many times were at most so long, since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Buckets {
    /// Those above the bound before and not above this one.
    counts: [u64; BOUNDS_US.len()],
    count: u64,
    sum_us: u128,
}

impl Buckets {
    /// Adds times in microseconds. What lies on a bound is not above it; the sum is as exact as the
    /// digits of the histogram.
    pub(super) fn add(&mut self, histogram: &Histogram<u64>) {
        for value in histogram.iter_recorded() {
            let (at, count) = (
                value.value_iterated_to(),
                value.count_since_last_iteration(),
            );
            let least = histogram.lowest_equivalent(at);
            let bucket = BOUNDS_US.partition_point(|bound| *bound < least);
            if let Some(bucket) = self.counts.get_mut(bucket) {
                *bucket += count;
            }
            self.count += count;
            self.sum_us += u128::from(histogram.median_equivalent(at)) * u128::from(count);
        }
    }

    /// As Prometheus has it: each bucket holds those below it, in seconds.
    pub(super) fn cumulative(&self) -> proto::Histogram {
        let mut below = 0;
        let bucket = |(bound, count): (&u64, &u64)| {
            below += count;
            let mut bucket = proto::Bucket::default();
            bucket.set_upper_bound(*bound as f64 / 1e6);
            bucket.set_cumulative_count(below);
            bucket
        };
        let buckets = std::iter::zip(&BOUNDS_US, &self.counts).map(bucket);
        let mut histogram = proto::Histogram::default();
        histogram.set_bucket(buckets.collect());
        histogram.set_sample_count(self.count);
        histogram.set_sample_sum(self.sum_us as f64 / 1e6);
        histogram
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(values_us: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).expect("valid digits");
        for value in values_us {
            histogram.record(*value).expect("it grows");
        }
        histogram
    }

    fn of(values_us: &[u64]) -> Buckets {
        let mut buckets = Buckets::default();
        buckets.add(&histogram(values_us));
        buckets
    }

    fn below(buckets: &Buckets, bound_s: f64) -> u64 {
        let cumulative = buckets.cumulative();
        let mut all = cumulative.get_bucket().iter();
        let bucket = all.find(|bucket| bucket.upper_bound().to_bits() == bound_s.to_bits());
        bucket.expect("a bound").cumulative_count()
    }

    #[test]
    fn a_time_on_a_bound_is_not_above_it_and_one_beyond_the_last_is_only_in_the_count() {
        let buckets = of(&[0, 500, 501, 5_000, 60_000_000, 61_000_000]);
        assert_eq!(below(&buckets, 0.0005), 2);
        assert_eq!(below(&buckets, 0.001), 3);
        assert_eq!(below(&buckets, 0.005), 4);
        assert_eq!(below(&buckets, 60.0), 5);
        assert_eq!(buckets.cumulative().get_sample_count(), 6);
    }

    #[test]
    fn seconds_add_up() {
        let mut both = of(&[700, 800]);
        both.add(&histogram(&[900, 900_000]));
        assert_eq!(both, of(&[700, 800, 900, 900_000]));
    }

    proptest! {
        #[test]
        fn counts_and_sum_are_right_to_three_digits(
            values in prop::collection::vec(0_u64..100_000_000, 1..200)
        ) {
            let cumulative = of(&values).cumulative();
            prop_assert_eq!(cumulative.get_sample_count(), values.len() as u64);
            let sum = values.iter().sum::<u64>() as f64 / 1e6;
            prop_assert!((cumulative.get_sample_sum() - sum).abs() <= sum / 1_000.0 + 1e-9);
            for bucket in cumulative.get_bucket() {
                let bound = bucket.upper_bound() * 1e6;
                let surely = values.iter().filter(|value| **value as f64 <= bound).count() as u64;
                let perhaps = values.iter().filter(|value| **value as f64 <= bound * 1.001).count();
                let counted = bucket.cumulative_count();
                prop_assert!(surely <= counted && counted <= perhaps as u64);
            }
        }
    }
}
