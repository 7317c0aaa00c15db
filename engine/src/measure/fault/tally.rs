//! Attempts of one short time, kept as counts: what a window is judged by.

/// Values below this many microseconds are kept exactly; above, each doubling has so many steps, so
/// a time is known to 1 / 32 of itself.
const STEPS: u64 = 32;

/// How many attempts there were, how many failed, and how long those took that were sent. Memory: a
/// few bytes for each different time, however many attempts there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) attempts: u64,
    pub(super) failed: u64,
    /// When the first of the failed ones was known to have failed, nanoseconds.
    pub(super) first_failed_ns: Option<u64>,
    /// How many took so long, by step; sorted. Attempts that were not sent took no time.
    times: Vec<(u16, u32)>,
}

impl Tally {
    /// One attempt: its service time if it was sent, and if it failed when that was known.
    pub(super) fn take(&mut self, service_us: Option<u64>, failed_ns: Option<u64>) {
        self.attempts += 1;
        if let Some(at) = failed_ns {
            self.failed += 1;
            self.first_failed_ns = Some(self.first_failed_ns.map_or(at, |first| first.min(at)));
        }
        if let Some(us) = service_us {
            self.add(step_of(us), 1);
        }
    }

    /// Adds all of another one.
    pub(super) fn merge(&mut self, other: &Self) {
        self.attempts += other.attempts;
        self.failed += other.failed;
        let firsts = [self.first_failed_ns, other.first_failed_ns];
        self.first_failed_ns = firsts.into_iter().flatten().min();
        for (step, count) in &other.times {
            self.add(*step, *count);
        }
    }

    fn add(&mut self, step: u16, count: u32) {
        match self.times.binary_search_by_key(&step, |(step, _)| *step) {
            Ok(at) => self.times[at].1 = self.times[at].1.saturating_add(count),
            Err(at) => self.times.insert(at, (step, count)),
        }
    }

    /// The share that failed; 0 without an attempt.
    pub(super) fn failed_share(&self) -> f64 {
        self.failed as f64 / self.attempts.max(1) as f64
    }

    /// The 95th percentile of the service time in milliseconds, by nearest rank; `None` if nothing
    /// was sent.
    pub(super) fn p95_ms(&self) -> Option<f64> {
        let sent: u64 = self.times.iter().map(|(_, count)| u64::from(*count)).sum();
        let rank = (sent * 95).div_ceil(100);
        let mut below = 0;
        let found = self.times.iter().find(|(_, count)| {
            below += u64::from(*count);
            below >= rank
        });
        found.map(|(step, _)| longest_us(*step) as f64 / 1e3)
    }
}

/// The step that a time falls into.
fn step_of(us: u64) -> u16 {
    if us < STEPS {
        return us as u16;
    }
    // The highest five bits below the leading one, and how far they were shifted.
    let doublings = us.ilog2() - STEPS.ilog2();
    let within = (us >> doublings) - STEPS;
    ((u64::from(doublings) + 1) * STEPS + within) as u16
}

/// The longest time of a step.
fn longest_us(step: u16) -> u64 {
    let step = u64::from(step);
    if step < STEPS {
        return step;
    }
    let (doublings, within) = (step / STEPS - 1, step % STEPS);
    ((STEPS + within + 1) << doublings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_times_are_exact_and_long_ones_nearly() {
        for (us, longest) in [
            (0, 0),
            (31, 31),
            (32, 32),
            (63, 63),
            (64, 65), // two microseconds share a step
            (1_000, 1_007),
            (5_000_000, 5_111_807), // a timeout of 5 s
        ] {
            assert_eq!(longest_us(step_of(us)), longest, "{us}");
        }
    }

    #[test]
    fn the_percentile_is_the_nearest_rank_of_those_that_were_sent() {
        let mut tally = Tally::default();
        assert_eq!(tally.p95_ms(), None, "nothing was sent");
        tally.take(None, Some(1));
        assert_eq!(tally.p95_ms(), None, "nor is what was not sent a time");
        for us in 1..=20 {
            tally.take(Some(us), None);
        }
        assert_eq!(tally.p95_ms(), Some(0.019));
        assert_eq!((tally.attempts, tally.failed), (21, 1));
    }

    proptest! {
        #[test]
        fn a_time_is_known_to_a_thirty_second_of_itself(us in 0_u64..(1 << 50)) {
            let longest = longest_us(step_of(us));
            prop_assert!(longest >= us);
            prop_assert!(longest - us <= us / 32);
        }

        #[test]
        fn two_tallies_together_are_the_tally_of_both(
            one in prop::collection::vec((0_u64..10_000, any::<bool>()), 0..50),
            other in prop::collection::vec((0_u64..10_000, any::<bool>()), 0..50),
        ) {
            let tally = |attempts: &[(u64, bool)]| {
                let mut tally = Tally::default();
                for (us, failed) in attempts {
                    tally.take(Some(*us), failed.then_some(*us));
                }
                tally
            };
            let mut merged = tally(&one);
            merged.merge(&tally(&other));
            prop_assert_eq!(merged, tally(&[one, other].concat()));
        }
    }
}
