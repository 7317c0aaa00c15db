//! Decides when a state has been unchanged for long enough to count as final.

use std::time::Duration;

use crate::plan::Settle;

/// What the samples so far say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing changed and nothing waited for the time that was asked for.
    Quiet,
    /// Too early to say: sample again.
    Wait,
    /// The time allowed is over. Nothing changed for long enough, but something waits to be written,
    /// or nobody can say whether it does.
    Stuck,
    /// The time allowed is over, and something changed all the while.
    TimedOut,
}

/// What one look shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// How many rows there are; `None` when the read failed.
    pub rows: Option<u64>,
    /// How much waits to become rows; `None` when some of it could not be read.
    pub waiting: Option<u64>,
}

/// Follows the count of rows and what waits to become rows until both rest.
///
/// ```text
///  rows     5   7   7   7   ?   7   7   7   7   7   7   7      ?: a read that failed
///  waiting  9   2   2   0   0   0   0   1   0   0   0   0
///               |---|   |       |---|       |-----------|
///              it waits          too short   quiet: since + quiet <= within
/// ```
#[derive(Debug, Clone)]
pub struct Settling {
    settle: Settle,
    /// What was last seen, and since when.
    same: Option<(Sample, Duration)>,
}

impl Settling {
    /// Starts without any sample.
    pub const fn new(settle: Settle) -> Self {
        Self { settle, same: None }
    }

    /// Takes one sample.
    ///
    /// `now` is the time since the wait began, taken before the sample was asked for. Without a
    /// count of rows nothing is known about the time since the last sample. A sample that comes late
    /// does not spoil a rest that was complete in time.
    pub fn sample(&mut self, now: Duration, sample: Sample) -> State {
        self.same = match self.same {
            _ if sample.rows.is_none() => None,
            Some((same, since)) if same == sample => Some((same, since)),
            _ => Some((sample, now)),
        };
        let quiet_at = self.same.map(|(_, since)| since + self.settle.quiet);
        let rests = quiet_at.is_some_and(|at| at <= now && at <= self.settle.within);
        match (rests, sample.waiting) {
            (true, Some(0)) => State::Quiet,
            _ if now < self.settle.within => State::Wait,
            (true, _) => State::Stuck,
            (false, _) => State::TimedOut,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::State::{Quiet, Stuck, TimedOut, Wait};
    use super::*;

    /// At which second how many rows were read, and how much waited.
    type Look = (u64, Option<u64>, Option<u64>);

    /// At which second what was read, where the other of the two rests.
    type Only = (u64, Option<u64>);

    const NOTHING: Option<u64> = Some(0);

    /// What the last sample says; 3 s quiet within 10 s.
    fn last_state(looks: impl IntoIterator<Item = Look>) -> State {
        let mut settling = Settling::new(Settle {
            quiet: Duration::from_secs(3),
            within: Duration::from_secs(10),
        });
        let states = looks.into_iter().map(|(at, rows, waiting)| {
            settling.sample(Duration::from_secs(at), Sample { rows, waiting })
        });
        states.last().unwrap()
    }

    #[test]
    fn a_state_is_quiet_once_it_rested_long_enough() {
        let cases: [(&[Only], State); 10] = [
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
            let looks = samples.iter().map(|&(at, rows)| (at, rows, NOTHING));
            assert_eq!(last_state(looks), expected, "{samples:?}");
        }
    }

    #[test]
    fn rows_that_rest_are_not_quiet_while_something_waits_to_be_written() {
        // At which second how much waited, with five rows all the while.
        let cases: [(&[Only], State); 9] = [
            // The issuer is away, and the rows rest for longer than was asked for.
            (&[(0, Some(57)), (3, Some(57)), (9, Some(57))], Wait),
            // It is worked off: the rest begins there.
            (&[(0, Some(57)), (3, Some(0)), (5, Some(0))], Wait),
            (&[(0, Some(57)), (3, Some(0)), (6, Some(0))], Quiet),
            // Something more came in the middle of the rest.
            (
                &[(0, Some(0)), (2, Some(1)), (3, Some(0)), (5, Some(0))],
                Wait,
            ),
            // What cannot be read may be anything.
            (&[(0, None), (3, None), (6, None)], Wait),
            (&[(0, Some(0)), (2, None), (4, Some(0)), (6, Some(0))], Wait),
            // Nobody works it off, and nobody can say whether it waits.
            (&[(0, Some(57)), (5, Some(57)), (10, Some(57))], Stuck),
            (&[(0, None), (5, None), (10, None)], Stuck),
            // It is worked off too slowly, or nobody has seen it rest.
            (&[(0, Some(57)), (5, Some(30)), (10, Some(3))], TimedOut),
        ];
        for (samples, expected) in cases {
            let looks = samples.iter().map(|&(at, waiting)| (at, Some(5), waiting));
            assert_eq!(last_state(looks), expected, "{samples:?}");
        }
    }

    #[test]
    fn a_source_that_always_changes_times_out() {
        let looks = (0..=10).map(|at| (at, Some(at), NOTHING));
        assert_eq!(last_state(looks), TimedOut);
    }

    #[test]
    fn no_rest_asked_for_is_quiet_at_once() {
        let mut settling = Settling::new(Settle {
            quiet: Duration::ZERO,
            within: Duration::from_secs(1),
        });
        let mut at_once = |rows, waiting| settling.sample(Duration::ZERO, Sample { rows, waiting });
        assert_eq!(at_once(None, NOTHING), Wait);
        assert_eq!(at_once(Some(0), Some(1)), Wait);
        assert_eq!(at_once(Some(0), NOTHING), Quiet);
    }
}
