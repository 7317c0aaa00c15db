//! When a load hands over what it has measured: operations now and then, its sums at the end of each
//! second.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::RunClock;

/// How often waiting operations are handed over when they do not fill a batch.
const OPERATIONS_EVERY: Duration = Duration::from_millis(250);

const SECOND_NS: u64 = 1_000_000_000;

/// What is to be handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Operations that wait.
    Operations,
    /// The sums up to here, in nanoseconds since time zero of the load: the end of a second.
    Second {
        /// That end.
        end_ns: u64,
    },
}

/// Says what is due, when it is due.
pub(super) struct HandOver {
    clock: RunClock,
    start_ns: u64,
    /// Seconds that were handed over.
    seconds: u64,
    next: Instant,
}

impl HandOver {
    /// Of a load whose time zero is at `start_ns` of the clock.
    pub(super) fn new(clock: RunClock, start_ns: u64) -> Self {
        Self {
            clock,
            start_ns,
            seconds: 0,
            next: clock.instant(start_ns),
        }
    }

    /// Waits for what is due next. After a longer hold-up the missed seconds are handed over as one.
    pub(super) async fn next(&mut self) -> Due {
        let second = Duration::from_secs(self.seconds + 1);
        let end_of_second = self.clock.instant(self.start_ns) + second;
        let soon = (self.next + OPERATIONS_EVERY).max(Instant::now());
        self.next = soon.min(end_of_second);
        sleep_until(self.next).await;
        if Instant::now() < end_of_second {
            return Due::Operations;
        }
        let reached = self.clock.now_ns().saturating_sub(self.start_ns) / SECOND_NS;
        self.seconds = reached.max(self.seconds + 1);
        Due::Second {
            end_ns: self.seconds * SECOND_NS,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const START_NS: u64 = 500_000_000;

    fn second(number: u64) -> Due {
        Due::Second {
            end_ns: number * SECOND_NS,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn operations_now_and_then_and_each_second_at_its_end() {
        let clock = RunClock::start();
        let mut hand_over = HandOver::new(clock, START_NS);
        for number in 1..=3 {
            for quarter in 1..=3 {
                assert_eq!(hand_over.next().await, Due::Operations);
                let since_start = clock.now_ns() - START_NS;
                let expected = (number - 1) * SECOND_NS + quarter * 250_000_000;
                // The timer's precision is a millisecond.
                assert!(since_start.abs_diff(expected) <= 2_000_000, "{since_start}");
            }
            assert_eq!(hand_over.next().await, second(number));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn seconds_that_were_missed_are_one() {
        let clock = RunClock::start();
        let mut hand_over = HandOver::new(clock, START_NS);
        for _ in 0..3 {
            hand_over.next().await;
        }
        assert_eq!(hand_over.next().await, second(1));
        advance(Duration::from_millis(3_400)).await;
        assert_eq!(hand_over.next().await, second(4));
        // Late as it was, the next end of a second is at its time.
        let ends = async {
            loop {
                if let due @ Due::Second { .. } = hand_over.next().await {
                    break due;
                }
            }
        };
        assert_eq!(ends.await, second(5));
        let since_start = clock.now_ns() - START_NS;
        assert!(
            since_start.abs_diff(5 * SECOND_NS) <= 2_000_000,
            "{since_start}"
        );
    }
}
