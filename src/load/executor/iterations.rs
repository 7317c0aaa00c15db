//! The closed model with a fixed number of iterations, for each VU or for all together.

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
    /// For all VUs of all threads.
    Together(u64),
}

pub(super) async fn run(mut share: Share, vus: u64, budget: Budget, max_duration: Duration) {
    let end = share.start() + max_duration;
    let goes_on = Rc::new(Cell::new(true));
    let mut crew = Crew::default();
    for index in share.own(vus) {
        let (shared, taken) = (Rc::clone(&share.shared), share.common.taken.clone());
        let goes_on = Rc::clone(&goes_on);
        crew.spawn(async move {
            let _counted = Counted::new(&shared.recorder);
            let mut vu = Vu::new(shared, index);
            let mut own = 0;
            let mut next = || match budget {
                Budget::Each(iterations) => (own < iterations).then(|| own += 1).is_some(),
                Budget::Together(iterations) => taken.fetch_add(1, Ordering::Relaxed) < iterations,
            };
            while goes_on.get() && next() {
                vu.iterate(None).await;
                tokio::task::consume_budget().await;
            }
        });
    }
    let graceful_stop = share.graceful_stop();
    crew.finish_until(end, graceful_stop, &mut share.stop, || goes_on.set(false))
        .await;
}
