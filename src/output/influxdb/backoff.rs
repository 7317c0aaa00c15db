//! How long to wait before a store is asked once more: a pure function of how often it was.

use std::time::Duration;

use crate::plan::mix;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// Nobody waits longer, whatever a store asks for.
const LONGEST_ASKED: Duration = Duration::from_mins(1);

/// The wait after `failures` in a row: doubled each time, of which the second half is by chance, so
/// that many who wait for one store do not come back together.
pub(super) fn delay(failures: u32, asked: Option<Duration>, seed: u64) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let half_ns = doubled.min(LONGEST).as_nanos() as u64 / 2;
    let chance = mix(seed ^ u64::from(failures)) % (half_ns + 1);
    let own = Duration::from_nanos(half_ns + chance);
    asked.map_or(own, |asked| asked.min(LONGEST_ASKED).max(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_limit_and_differ() {
        for (failures, least_ms, most_ms) in [
            (1, 125, 250),
            (2, 250, 500),
            (5, 2_000, 4_000),
            (6, 2_500, 5_000),
            (4_000_000_000, 2_500, 5_000),
        ] {
            let waits: Vec<Duration> = (0..50).map(|seed| delay(failures, None, seed)).collect();
            let fits = |wait: &Duration| {
                (Duration::from_millis(least_ms)..=Duration::from_millis(most_ms)).contains(wait)
            };
            assert!(waits.iter().all(fits), "{failures}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "{failures}");
        }
    }

    #[test]
    fn a_store_that_asks_for_time_gets_it_within_reason() {
        let asked = |s| Some(Duration::from_secs(s));
        assert_eq!(delay(1, asked(7), 1), Duration::from_secs(7));
        assert_eq!(delay(1, asked(86_400), 1), LONGEST_ASKED);
        assert!(delay(6, asked(0), 1) >= Duration::from_millis(2_500));
    }
}
