//! The arithmetic of Redlock: how many must agree, for how long a lock is valid, when to retry.
//!
//! The algorithm is Redis' own description of a lock over independent instances ("Distributed
//! Locks with Redis"); the two milliseconds and the pauses are those of the `redlock` library
//! for Node.js.

use std::time::Duration;

/// How many of the instances are more than half of them.
pub(crate) fn quorum(instances: usize) -> usize {
    instances / 2 + 1
}

/// How long a lock lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) ttl: Duration,
    /// Part of the time to live by which the clocks may run apart.
    pub(crate) drift_factor: f64,
}

impl Timing {
    /// Redis expires keys with a precision of one millisecond, on either side.
    const EXPIRY: Duration = Duration::from_millis(2);

    /// How long a lock is valid, counted from before the first instance was asked. `ZERO`: never.
    pub(crate) fn validity(self) -> Duration {
        let drift = self.ttl.mul_f64(self.drift_factor) + Self::EXPIRY;
        self.ttl.saturating_sub(drift)
    }

    /// What is left of the validity when the answers took `elapsed`. `None`: nothing.
    pub(super) fn left(self, elapsed: Duration) -> Option<Duration> {
        let left = self.validity().checked_sub(elapsed)?;
        (!left.is_zero()).then_some(left)
    }

    /// How long one instance may take to answer: one that is dead must not use up the validity.
    pub(crate) fn answer_limit(self) -> Duration {
        self.ttl / 10
    }
}

/// The pauses between tries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    pub(super) delay: Duration,
    pub(super) jitter: Duration,
}

impl Pause {
    /// The delay, give or take up to the jitter, evenly spread by a random number.
    pub(super) fn draw(self, random: u64) -> Duration {
        let part = random as f64 / u64::MAX as f64;
        (self.delay + self.jitter.mul_f64(2.0 * part)).saturating_sub(self.jitter)
    }
}

/// Counts the answers of the instances.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    instances: usize,
    applied: usize,
    silent: usize,
}

impl Tally {
    pub(super) fn new(instances: usize) -> Self {
        Self {
            instances,
            applied: 0,
            silent: 0,
        }
    }

    pub(super) fn count(&mut self, applied: bool) {
        self.applied += usize::from(applied);
    }

    /// One has failed, or has not answered in time.
    pub(super) fn count_silent(&mut self) {
        self.silent += 1;
    }

    /// Whether those that answered would have been too few even if all had agreed.
    pub(super) fn too_few_answered(self) -> bool {
        self.instances - self.silent < quorum(self.instances)
    }

    pub(super) fn applied(self) -> usize {
        self.applied
    }

    pub(super) fn has_quorum(self) -> bool {
        self.applied >= quorum(self.instances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn more_than_half_must_agree() {
        let cases = [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)];
        for (instances, needed) in cases {
            assert_eq!(quorum(instances), needed, "of {instances}");
            let mut tally = Tally::new(instances);
            for applied in 1..=needed {
                assert!(!tally.has_quorum(), "{} of {instances}", applied - 1);
                tally.count(false);
                tally.count(true);
            }
            assert!(tally.has_quorum(), "{needed} of {instances}");
            let mut tally = Tally::new(instances);
            for silent in 0..=instances {
                let too_few = instances - silent < needed;
                assert_eq!(tally.too_few_answered(), too_few, "{silent} of {instances}");
                tally.count_silent();
            }
        }
    }

    #[test]
    fn a_lock_is_valid_for_its_time_to_live_less_drift_and_what_the_answers_took() {
        let cases = [
            (5000, 0.01, 0, Some(4_948_000)),   // 5000 - 50 - 2
            (5000, 0.01, 100, Some(4_848_000)), // the answers took 100 ms
            (5000, 0.01, 4947, Some(1000)),
            (5000, 0.01, 4948, None), // used up to the millisecond
            (5000, 0.01, 9000, None), // long over
            (5000, 0.0, 0, Some(4_998_000)),
            (5000, 0.5, 0, Some(2_498_000)),
            (10, 0.01, 0, Some(7900)), // parts of a millisecond count
            (10, 0.9, 0, None),        // less than drift and expiry
        ];
        for (ttl, drift_factor, elapsed, left_us) in cases {
            let timing = Timing {
                ttl: ms(ttl),
                drift_factor,
            };
            let left = left_us.map(Duration::from_micros);
            assert_eq!(timing.left(ms(elapsed)), left, "{ttl} {drift_factor}");
        }
    }

    #[test]
    fn one_instance_gets_a_tenth_of_the_time() {
        let timing = Timing {
            ttl: ms(5000),
            drift_factor: 0.01,
        };
        assert_eq!(timing.answer_limit(), ms(500));
    }

    #[test]
    fn a_pause_is_the_delay_give_or_take_the_jitter_and_never_negative() {
        let cases = [
            (200, 100, 0, 100),
            (200, 100, u64::MAX, 300),
            (200, 0, u64::MAX, 200), // no jitter
            (50, 100, 0, 0),         // would be before now
            (50, 100, u64::MAX, 150),
        ];
        for (delay, jitter, random, expected) in cases {
            let pause = Pause {
                delay: ms(delay),
                jitter: ms(jitter),
            };
            assert_eq!(pause.draw(random), ms(expected), "{delay} {jitter}");
        }
    }
}
