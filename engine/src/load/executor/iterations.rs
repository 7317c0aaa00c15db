//! The closed model with a fixed number of iterations, for each VU or for all together. What there
//! is no time for is dropped, as k6 counts it.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Share;
use super::crew::{Counted, Crew};
use crate::load::vu::Vu;

/// How many iterations there are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Budget {
    /// For each VU.
    Each(u64),
    /// For all VUs of all threads of this process.
    Together(u64),
}

pub(super) async fn run(mut share: Share, vus: u64, budget: Budget, max_duration: Duration) {
    let end = share.start() + max_duration;
    let goes_on = Rc::new(Cell::new(true));
    let mut crew = Crew::new(&share.alarm);
    let started = Rc::new(Cell::new(0));
    let mut vus_here = 0;
    for index in share.own(vus) {
        let (shared, taken) = (Rc::clone(&share.shared), share.common.taken.clone());
        let (goes_on, started) = (Rc::clone(&goes_on), Rc::clone(&started));
        vus_here += 1;
        crew.spawn(async move {
            let _counted = Counted::new(&shared.recorder);
            let mut vu = Vu::new(shared, index);
            let mut own = 0;
            let mut next = || match budget {
                Budget::Each(iterations) => (own < iterations).then(|| own += 1).is_some(),
                Budget::Together(iterations) => taken.fetch_add(1, Ordering::Relaxed) < iterations,
            };
            while goes_on.get() && next() {
                started.set(started.get() + 1);
                vu.iterate(None).await;
                vu.rest().await;
                tokio::task::consume_budget().await;
            }
        });
    }
    if !crew.ended_in_time(end, &mut share.stop).await {
        goes_on.set(false);
        let dropped = match budget {
            Budget::Each(iterations) => iterations * vus_here - started.get(),
            // The thread that is out of time first takes what no thread has started.
            Budget::Together(iterations) => {
                let taken = &share.common.taken;
                iterations.saturating_sub(taken.fetch_max(iterations, Ordering::Relaxed))
            }
        };
        let phase = share.shared.phase_at(share.shared.clock.now_ns());
        share.shared.recorder.borrow_mut().dropped(phase, dropped);
    }
    let graceful_stop = share.graceful_stop();
    crew.finish(graceful_stop, &mut share.stop).await;
}
