//! Since when a share is higher: the cumulative sum of Page ("Continuous inspection schemes",
//! Biometrika 41, 1954) for counts, as Reynolds and Stoumbos use it (Journal of Quality Technology
//! 31, 1999).
//!
//! ```text
//! sum(t) = max(0, sum(t - 1) + hits ln(p1/p0) + misses ln((1 - p1)/(1 - p0)))
//! ```
//! The sum crosses the limit when the share is higher; the onset is where it last left zero.

/// `ln(10000)`: the chance that the sum crosses it after a given second without a change is below one
/// in ten thousand (Wald's bound).
const LIMIT: f64 = 9.210_340;

/// Index of the point from which the share is `high` rather than `low`, if it ever is. A point is
/// hits of tries; `low` and `high` are above 0 and below 1.
pub(in crate::incident) fn onset(points: &[(u64, u64)], low: f64, high: f64) -> Option<usize> {
    let (hit, miss) = ((high / low).ln(), ((1.0 - high) / (1.0 - low)).ln());
    let (mut sum, mut since) = (0.0_f64, None);
    for (at, (hits, tries)) in points.iter().enumerate() {
        sum += *hits as f64 * hit + tries.saturating_sub(*hits) as f64 * miss;
        if sum <= 0.0 {
            (sum, since) = (0.0, None);
            continue;
        }
        let since = *since.get_or_insert(at);
        if sum >= LIMIT {
            return Some(since);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Chance;
    use super::*;

    #[test]
    fn a_planted_onset_is_found_within_three_seconds() {
        let mut missed = 0;
        for seed in 0..500 {
            let mut chance = Chance::new(seed);
            let planted = 20 + chance.below(50);
            let points: Vec<_> = (0..100)
                .map(|second| {
                    let share = if second >= planted { 0.10 } else { 0.005 };
                    let hits = (0..60).filter(|_| chance.share() < share).count() as u64;
                    (hits, 60)
                })
                .collect();
            let found = onset(&points, 0.005, 0.05).expect("it is there");
            missed += u32::from(found.abs_diff(planted) > 3);
        }
        // By chance alone the sum crosses the limit now and then before the change.
        assert!(missed <= 5, "{missed} of 500");
    }

    #[test]
    fn what_stays_low_has_no_onset() {
        assert_eq!(onset(&[(0, 50); 200], 0.001, 0.01), None);
        assert_eq!(onset(&[], 0.001, 0.01), None);
    }
}
