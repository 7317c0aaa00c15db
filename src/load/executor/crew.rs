//! The tasks of a load's VUs on one thread, and their end: none outlives the load.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::Stop;
use crate::load::recorder::Recorder;

/// Tasks that end with the crew.
#[derive(Debug, Default)]
pub(super) struct Crew {
    tasks: JoinSet<()>,
}

impl Crew {
    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + 'static) -> AbortHandle {
        // Tasks that have ended are forgotten, so that a long load does not collect them.
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn_local(task)
    }

    /// Waits for all tasks; when it is time, or when told to stop at once, cuts the rest. A cut
    /// task records the attempt that it was in.
    pub(super) async fn finish(mut self, within: Duration, stop: &mut watch::Receiver<Stop>) {
        let deadline = Instant::now() + within;
        tokio::select! {
            () = join_all(&mut self.tasks) => {}
            () = sleep_until(deadline) => {}
            _ = stop.wait_for(|stop| *stop == Stop::AtOnce) => {}
        }
        self.tasks.shutdown().await;
    }

    /// Waits for all tasks to end by themselves. At `until`, or when the load is to stop, calls
    /// `no_more` so that they start nothing new, and finishes.
    pub(super) async fn finish_until(
        mut self,
        until: Instant,
        graceful_stop: Duration,
        stop: &mut watch::Receiver<Stop>,
        no_more: impl FnOnce(),
    ) {
        tokio::select! {
            () = join_all(&mut self.tasks) => {}
            () = sleep_until(until) => {}
            _ = stop.wait_for(|stop| *stop != Stop::No) => {}
        }
        no_more();
        self.finish(graceful_stop, stop).await;
    }
}

async fn join_all(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// Counts a VU for as long as it lives.
pub(super) struct Counted(Rc<RefCell<Recorder>>);

impl Counted {
    pub(super) fn new(recorder: &Rc<RefCell<Recorder>>) -> Self {
        recorder.borrow_mut().vu_started();
        Self(Rc::clone(recorder))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.borrow_mut().vu_ended();
    }
}
