//! The one time of a run: nanoseconds since its origin, on a monotonic clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

/// The origin of a run. Copies agree with each other.
#[derive(Debug, Clone, Copy)]
pub struct RunClock {
    origin: Instant,
    unix_ns: u64,
    /// How much time of the run was over at the instant of `origin`.
    over_ns: u64,
}

impl RunClock {
    /// A run that begins now.
    pub fn start() -> Self {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            origin: Instant::now(),
            unix_ns: unix.as_nanos() as u64,
            over_ns: 0,
        }
    }

    /// The clock of what began at this time, nanoseconds of Unix time, by the clock of this machine.
    pub fn since(unix_ns: u64) -> Self {
        let now = Self::start();
        Self {
            origin: now.origin,
            unix_ns,
            over_ns: now.unix_ns.saturating_sub(unix_ns),
        }
    }

    /// The same clock in another process of this machine, from what [`Self::for_a_child`] has told.
    pub fn of_parent(told: (u64, u64)) -> Self {
        let (origin_ns, unix_ns) = told;
        Self {
            origin: Instant::now(),
            unix_ns,
            over_ns: monotonic_ns().saturating_sub(origin_ns),
        }
    }

    /// What another process of this machine needs to have the same clock: the origin on the monotonic
    /// clock of the system, and in Unix time.
    pub fn for_a_child(&self) -> (u64, u64) {
        (monotonic_ns().saturating_sub(self.now_ns()), self.unix_ns)
    }

    /// Nanoseconds since the origin.
    pub fn now_ns(&self) -> u64 {
        self.over_ns + self.origin.elapsed().as_nanos() as u64
    }

    /// The origin in nanoseconds of Unix time.
    pub const fn unix_ns(&self) -> u64 {
        self.unix_ns
    }

    /// Seconds of Unix time, now.
    pub fn unix_s(&self) -> u64 {
        (self.unix_ns + self.now_ns()) / 1_000_000_000
    }

    /// The instant that is so many nanoseconds after the origin.
    pub fn instant(&self, ns: u64) -> Instant {
        self.origin + Duration::from_nanos(ns.saturating_sub(self.over_ns))
    }
}

/// The clock that all processes of a machine share.
fn monotonic_ns() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    (time.tv_sec as u64) * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_has_the_clock_of_its_parent() {
        let parent = RunClock::since(RunClock::start().unix_ns() - 5_000_000_000);
        let child = RunClock::of_parent(parent.for_a_child());
        // The origins are five seconds away; between the readings is nearly nothing.
        let apart = child.now_ns().abs_diff(parent.now_ns());
        assert!(apart < 1_000_000_000, "{apart} ns");
        assert_eq!(child.unix_ns(), parent.unix_ns());
    }
}
