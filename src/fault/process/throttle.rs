//! Keeps processes below a share of one core, as the kernel's own bandwidth control does: in each
//! period they may use so much CPU time, and are stopped for what is left of it.
//!
//! ```text
//!  |<-- period -->|<-- period -->|
//!  |####..........|####..........|   #: they run, .: SIGSTOP, |: SIGCONT
//!   quota
//! ```
//! What was used beyond the quota is owed by the next periods, and what was not used is lost (no
//! burst), so on average it is never more than the share. Nobody needs to be root for it, and no
//! group of processes has to be made, which somebody else may own.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process;
use crate::process::cpu::CpuClock;

/// As the kernel has it where nobody says otherwise (`cpu.cfs_period_us`).
pub(super) const PERIOD: Duration = Duration::from_millis(100);

/// Between two looks at the clocks: shorter would cost more than it is exact.
const SHORTEST: Duration = Duration::from_millis(1);

/// A thread of its own, so that neither the load nor the conductor's work makes it late. It ends
/// with this value, and then all go on.
#[derive(Debug)]
pub(super) struct Throttle {
    /// Its end tells the thread to end.
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Throttle {
    /// Begins with these processes, each with when it started; `share` of one core is what all of
    /// them together may use.
    ///
    /// # Errors
    /// When one of them is gone or may not be stopped.
    pub(super) fn begin(family: &[(u32, u64)], share: f64) -> io::Result<Self> {
        let throttled = Throttled::of(family, share)?;
        // Whoever may not be sent this may not be stopped either.
        throttled.send(Signal::CONT)?;
        let (over, is_over) = channel();
        let thread = thread::Builder::new().name("cpu-limit".into());
        let thread = thread.spawn(move || throttled.keep(&is_over))?;
        Ok(Self {
            over: Some(over),
            thread: Some(thread),
        })
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(thread) = self.thread.take() {
            // One that panicked stops nobody any more; the lease lets them go on.
            let _ = thread.join();
        }
    }
}

struct Throttled {
    family: Vec<(u32, u64)>,
    clocks: Vec<CpuClock>,
    budget: Budget,
}

impl Throttled {
    fn of(family: &[(u32, u64)], share: f64) -> io::Result<Self> {
        let clocks = family.iter().map(|(pid, _)| CpuClock::of(*pid));
        let clocks = clocks.collect::<io::Result<_>>()?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let budget = Budget::new(PERIOD.mul_f64(share), cores as u32);
        Ok(Self {
            family: family.to_vec(),
            clocks,
            budget,
        })
    }

    fn keep(mut self, over: &Receiver<()>) {
        let mut end_of_period = Instant::now() + PERIOD;
        let mut stopped = false;
        loop {
            let now = Instant::now();
            if end_of_period <= now {
                self.clocks.iter_mut().for_each(CpuClock::find_threads);
            }
            let used = self.used();
            self.budget.spend(used);
            while end_of_period <= now {
                end_of_period += PERIOD;
                self.budget.refill();
            }
            if self.budget.is_spent() != stopped {
                stopped = !stopped;
                let signal = if stopped { Signal::STOP } else { Signal::CONT };
                // It may always be sent, as was tried; who is gone needs none.
                let _ = self.send(signal);
            }
            let left = end_of_period - now;
            let wait = if stopped {
                left
            } else {
                left.min(self.budget.lasts().max(SHORTEST))
            };
            if over.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
        let _ = self.send(Signal::CONT);
    }

    /// What all of them have used so far.
    fn used(&mut self) -> Duration {
        self.clocks.iter_mut().map(CpuClock::now).sum()
    }

    /// To all of them, also when one of them cannot be reached.
    fn send(&self, signal: Signal) -> io::Result<()> {
        let mut first = Ok(());
        for (pid, started) in &self.family {
            let sent = process::send(*pid, *started, signal);
            first = first.and(sent);
        }
        first
    }
}

/// What may still be used in this period.
#[derive(Debug)]
struct Budget {
    quota_ns: i64,
    /// Below zero it is owed.
    left_ns: i64,
    used: Duration,
    cores: u32,
}

impl Budget {
    fn new(quota: Duration, cores: u32) -> Self {
        let quota_ns = quota.as_nanos() as i64;
        Self {
            quota_ns,
            left_ns: quota_ns,
            used: Duration::ZERO,
            cores: cores.max(1),
        }
    }

    /// `used`: by all of them, so far.
    fn spend(&mut self, used: Duration) {
        let spent = used.saturating_sub(self.used);
        self.left_ns -= spent.as_nanos() as i64;
        self.used = used;
    }

    /// Another period begins.
    fn refill(&mut self) {
        self.left_ns = (self.left_ns + self.quota_ns).min(self.quota_ns);
    }

    const fn is_spent(&self) -> bool {
        self.left_ns <= 0
    }

    /// For how long it lasts at least: when they work on all cores.
    fn lasts(&self) -> Duration {
        Duration::from_nanos(self.left_ns.max(0) as u64) / self.cores
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn what_is_used_beyond_the_quota_is_owed_and_what_is_not_used_is_lost() {
        let mut budget = Budget::new(Duration::from_millis(20), 2);
        // What was used in each period by its end, and whether it is over before it begins.
        let table = [
            (5, false), // 15 ms are not used, and lost
            (20, true),
            (30, true), // 10 ms are owed
            (10, true),
            (10, false),
            (0, false),
            (90, true), // 70 ms are owed: three whole periods, and half of another one
            (0, true),
            (0, true),
            (0, true),
            (0, false),
            (9, false),
        ];
        let mut used = 0;
        for (row, (spent, is_spent)) in table.into_iter().enumerate() {
            used += spent;
            budget.spend(Duration::from_nanos(used * MS));
            assert_eq!(budget.is_spent(), is_spent, "period {row}: {budget:?}");
            budget.refill();
        }
    }

    #[test]
    fn it_is_looked_at_again_when_all_cores_could_have_used_it_up() {
        let mut budget = Budget::new(Duration::from_millis(20), 4);
        assert_eq!(budget.lasts(), Duration::from_millis(5));
        budget.spend(Duration::from_millis(12));
        assert_eq!(budget.lasts(), Duration::from_millis(2));
        budget.spend(Duration::from_secs(1));
        assert_eq!(budget.lasts(), Duration::ZERO);
    }
}
