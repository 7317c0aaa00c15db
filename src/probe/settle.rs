//! Decides when a state has been unchanged for long enough to count as final.

use std::time::Duration;

use crate::plan::Settle;

/// What the samples so far say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing changed for the time that was asked for.
    Quiet,
    /// Too early to say: sample again.
    Wait,
    /// The time allowed is over and it was never quiet for long enough.
    TimedOut,
}

/// Follows the count of rows until it rests.
///
/// ```text
///  count 5   7   7   7   ?   7   7   7   7      ?: a read that failed
///            |-------|       |-----------|
///             too short       quiet: since + quiet <= within
/// ```
#[derive(Debug, Clone)]
pub struct Settling {
    settle: Settle,
    /// The count that was last seen, and since when.
    same: Option<(u64, Duration)>,
}

impl Settling {
    /// Starts without any sample.
    pub const fn new(settle: Settle) -> Self {
        Self { settle, same: None }
    }

    /// Takes one sample.
    ///
    /// `now` is the time since the wait began, taken before the sample was asked for; `count` is
    /// `None` when the read failed: then nothing is known about the time since the last sample.
    /// A sample that comes late does not spoil a rest that was complete in time.
    pub fn sample(&mut self, now: Duration, count: Option<u64>) -> State {
        self.same = match (self.same, count) {
            (Some((same, since)), Some(count)) if same == count => Some((same, since)),
            (_, Some(count)) => Some((count, now)),
            (_, None) => None,
        };
        let quiet_at = self.same.map(|(_, since)| since + self.settle.quiet);
        match quiet_at {
            Some(at) if at <= now && at <= self.settle.within => State::Quiet,
            _ if now >= self.settle.within => State::TimedOut,
            _ => State::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::State::{Quiet, TimedOut, Wait};
    use super::*;

    /// At which second how many rows were read.
    type Sample = (u64, Option<u64>);

    /// What the last sample says; 3 s quiet within 10 s.
    fn last_state(samples: &[Sample]) -> State {
        let mut settling = Settling::new(Settle {
            quiet: Duration::from_secs(3),
            within: Duration::from_secs(10),
        });
        let states = samples
            .iter()
            .map(|&(at, count)| settling.sample(Duration::from_secs(at), count));
        states.last().unwrap()
    }

    #[test]
    fn a_state_is_quiet_once_it_rested_long_enough() {
        let cases: [(&[Sample], State); 10] = [
            // One sample says nothing.
            (&[(0, Some(5))], Wait),
            (&[(0, Some(5)), (2, Some(5))], Wait),
            (&[(0, Some(5)), (3, Some(5))], Quiet),
            // A change starts the rest anew.
            (&[(0, Some(5)), (2, Some(6)), (4, Some(6))], Wait),
            (&[(0, Some(5)), (2, Some(6)), (5, Some(6))], Quiet),
            // There and back again is a change, too.
            (
                &[(0, Some(5)), (1, Some(6)), (2, Some(5)), (4, Some(5))],
                Wait,
            ),
            // A failed read leaves a hole that a change may hide in.
            (&[(0, Some(5)), (2, None), (4, Some(5)), (6, Some(5))], Wait),
            (&[(8, Some(5)), (10, Some(5))], TimedOut),
            // The rest was complete at 10 s; the sample only came late.
            (&[(7, Some(5)), (12, Some(5))], Quiet),
            (&[(9, None), (11, None)], TimedOut),
        ];
        for (samples, expected) in cases {
            assert_eq!(last_state(samples), expected, "{samples:?}");
        }
    }

    #[test]
    fn a_source_that_always_changes_times_out() {
        let samples: Vec<_> = (0..=10).map(|at| (at, Some(at))).collect();
        assert_eq!(last_state(&samples), TimedOut);
    }

    #[test]
    fn no_rest_asked_for_is_quiet_at_once() {
        let mut settling = Settling::new(Settle {
            quiet: Duration::ZERO,
            within: Duration::from_secs(1),
        });
        assert_eq!(settling.sample(Duration::ZERO, None), Wait);
        assert_eq!(settling.sample(Duration::ZERO, Some(0)), Quiet);
    }
}
