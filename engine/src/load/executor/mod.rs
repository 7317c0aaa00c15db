//! One load on one thread: waits for its start, runs its executor, lets iterations finish.

mod arrival;
mod crew;
mod curve;
mod iterations;
mod stampede;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::vu::Shared;
use crate::plan::{Executor, Segment};
pub(super) use stampede::Gate;

/// How the load is to end before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// It is not.
    No,
    /// Start nothing new; iterations may finish within the load's graceful stop.
    Gracefully,
    /// Cut what is under way.
    AtOnce,
}

/// Stops the load on all threads at once.
#[derive(Debug, Clone)]
pub(super) struct Alarm(watch::Sender<Stop>);

impl Alarm {
    /// Rings for those who listen to this channel.
    pub(super) const fn new(stop: watch::Sender<Stop>) -> Self {
        Self(stop)
    }

    /// Cuts everything.
    pub(super) fn ring(&self) {
        self.0.send_replace(Stop::AtOnce);
    }

    /// Rings when what holds the guard panics.
    pub(super) fn on_panic(&self) -> AlarmGuard {
        AlarmGuard(self.clone())
    }
}

/// A VU that panics must not vanish while the others go on as if it had never been there.
pub(super) struct AlarmGuard(Alarm);

impl Drop for AlarmGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.ring();
        }
    }
}

/// What the threads that share one load have in common.
#[derive(Debug, Clone)]
pub(super) struct Common {
    /// Iterations that have been taken by any thread (`shared_iterations`).
    pub taken: Arc<AtomicU64>,
    /// Releases a stampede on all threads at one instant.
    pub gate: Arc<Gate>,
}

/// The part of one load that one thread runs: of the VUs and iterations that are this process's,
/// every `threads`-th.
pub(super) struct Share {
    /// What its VUs share.
    pub shared: Rc<Shared>,
    /// Which VUs and iterations of the load are this process's.
    pub stripe: Segment,
    /// This thread, counted from 0.
    pub thread: u64,
    /// All threads of this process.
    pub threads: u64,
    /// With the other threads.
    pub common: Common,
    /// Whether and how to stop.
    pub stop: watch::Receiver<Stop>,
    /// Stops all threads.
    pub alarm: Alarm,
}

impl Share {
    /// Runs the share to its end.
    pub(super) async fn run(mut self) {
        let _rings = self.alarm.on_panic();
        let start = self.start();
        if !self.wait_until(start).await {
            return;
        }
        let plan = Arc::clone(&self.shared.plan);
        let load = &plan.loads[self.shared.load];
        match &load.executor {
            Executor::ConstantVus { .. } => curve::run(self, load.graceful_stop).await,
            Executor::RampingVus {
                graceful_ramp_down, ..
            } => {
                curve::run(self, *graceful_ramp_down).await;
            }
            Executor::PerVuIterations {
                vus,
                iterations,
                max_duration,
            } => {
                let budget = iterations::Budget::Each(*iterations);
                iterations::run(self, *vus, budget, *max_duration).await;
            }
            Executor::SharedIterations {
                vus,
                iterations,
                max_duration,
            } => {
                let budget = iterations::Budget::Together(self.stripe.share(*iterations));
                iterations::run(self, *vus, budget, *max_duration).await;
            }
            Executor::ConstantArrivalRate { vus, max_vus, .. }
            | Executor::RampingArrivalRate { vus, max_vus, .. } => {
                arrival::run(self, *vus, *max_vus).await;
            }
            Executor::Stampede {
                users,
                connect_within,
                max_duration,
            } => {
                stampede::run(self, *users, *connect_within, *max_duration).await;
            }
        }
    }

    /// When this load starts.
    fn start(&self) -> Instant {
        let load = &self.shared.plan.loads[self.shared.load];
        self.shared.clock.instant(self.shared.start_ns) + load.start_after
    }

    fn graceful_stop(&self) -> Duration {
        self.shared.plan.loads[self.shared.load].graceful_stop
    }

    /// The first VU or iteration of this thread among all of the load.
    const fn first(&self) -> u64 {
        self.stripe.place(self.thread)
    }

    /// From one VU or iteration of this thread to its next.
    const fn step(&self) -> u64 {
        self.stripe.of() * self.threads
    }

    /// The indices of this thread's VUs among `all`.
    fn own(&self, all: u64) -> impl Iterator<Item = u64> + use<> {
        (self.first()..all).step_by(self.step() as usize)
    }

    /// Sleeps; `false` if the load is to stop before that.
    async fn wait_until(&mut self, until: Instant) -> bool {
        tokio::select! {
            () = sleep_until(until) => true,
            _ = self.stop.wait_for(|stop| *stop != Stop::No) => false,
        }
    }

    /// Whether something new may be started.
    fn goes_on(&self) -> bool {
        *self.stop.borrow() == Stop::No
    }
}
