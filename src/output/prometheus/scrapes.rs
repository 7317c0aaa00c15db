//! When somebody reads the page, and until when who reads it regularly can be expected again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Nobody is waited for longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is known of those who read the page.
#[derive(Debug, Clone, Default)]
pub(super) struct Scrapes(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    samples: u64,
    /// The last three times, the newest at the end.
    times: Vec<Instant>,
}

impl Scrapes {
    /// The page was read, with so many samples.
    pub(super) fn note(&self, at: Instant, samples: u64) {
        let mut known = self.lock();
        known.samples += samples;
        if known.times.len() == 3 {
            known.times.remove(0);
        }
        known.times.push(at);
    }

    /// Samples that were read.
    pub(super) fn samples(&self) -> u64 {
        self.lock().samples
    }

    /// Until when it is worth to wait for who has not read the page since `since`; `None`: it was
    /// read since, or nobody reads it regularly. Two gaps make a rhythm.
    pub(super) fn expected_by(&self, since: Instant) -> Option<Instant> {
        let known = self.lock();
        let [first, second, last] = known.times[..] else {
            return None;
        };
        let gap = (second - first).max(last - second);
        let latest = last + gap * 3 / 2;
        (last < since).then_some(latest.min(since + PATIENCE))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_regularly_is_expected_once_more_and_others_are_not() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        for (reads, since, expected) in [
            // Nobody; somebody who looked; one gap is no rhythm.
            (&[][..], 100, None),
            (&[1], 100, None),
            (&[1, 16], 100, None),
            // Every 15 s.
            (&[1, 16, 31], 40, Some(53)),
            (&[1, 16, 31, 46], 47, Some(68)),
            // The end was seen.
            (&[1, 16, 31, 46], 45, None),
            // Who went away is not there when the time is over, which has passed by then.
            (&[1, 16, 31], 100, Some(53)),
            // Nobody is waited for so long.
            (&[0, 300, 600], 610, Some(670)),
        ] {
            let scrapes = Scrapes::default();
            for second in reads {
                scrapes.note(at(*second), 10);
            }
            let by = scrapes.expected_by(at(since));
            // Half of 15 s is no whole second.
            let by = by.map(|by| (by - begin).as_secs());
            assert_eq!(by, expected, "{reads:?} {since}");
            assert_eq!(scrapes.samples(), 10 * reads.len() as u64);
        }
    }
}
