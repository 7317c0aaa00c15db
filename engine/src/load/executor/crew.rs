//! The tasks of a load's VUs on one thread, and their end: none outlives the load, none dies
//! unnoticed.

use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::{Alarm, Stop};
use crate::load::recorder::Recorder;

/// Tasks that end with the crew.
#[derive(Debug)]
pub(super) struct Crew {
    tasks: JoinSet<()>,
    alarm: Alarm,
    panic: Option<Box<dyn Any + Send>>,
}

impl Crew {
    /// Nobody yet. When one panics, the alarm rings at once, and the crew panics at its end.
    pub(super) fn new(alarm: &Alarm) -> Self {
        Self {
            tasks: JoinSet::new(),
            alarm: alarm.clone(),
            panic: None,
        }
    }

    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + 'static) -> AbortHandle {
        // Tasks that have ended are forgotten, so that a long load does not collect them.
        while let Some(ended) = self.tasks.try_join_next() {
            self.note(ended);
        }
        let rings = self.alarm.on_panic();
        self.tasks.spawn_local(async move {
            let _rings = rings;
            task.await;
        })
    }

    /// Waits for all tasks; when it is time, or when told to stop at once, cuts the rest. A cut
    /// task records the attempt that it was in.
    pub(super) async fn finish(mut self, within: Duration, stop: &mut watch::Receiver<Stop>) {
        let deadline = Instant::now() + within;
        tokio::select! {
            _ = self.ended_by(deadline) => {}
            _ = stop.wait_for(|stop| *stop == Stop::AtOnce) => {}
        }
        self.cut().await;
    }

    /// Waits for all tasks to end by themselves; `false` if it is time, or the load is to stop,
    /// before that.
    pub(super) async fn ended_in_time(
        &mut self,
        until: Instant,
        stop: &mut watch::Receiver<Stop>,
    ) -> bool {
        tokio::select! {
            ended = self.ended_by(until) => ended,
            _ = stop.wait_for(|stop| *stop != Stop::No) => false,
        }
    }

    /// Waits for all tasks; `false` if it is time before that.
    pub(super) async fn ended_by(&mut self, until: Instant) -> bool {
        tokio::select! {
            () = self.all_ended() => true,
            () = sleep_until(until) => false,
        }
    }

    /// Cuts all tasks.
    pub(super) async fn cut(mut self) {
        self.tasks.abort_all();
        self.all_ended().await;
        if let Some(panic) = self.panic.take() {
            std::panic::resume_unwind(panic);
        }
    }

    async fn all_ended(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            self.note(ended);
        }
    }

    fn note(&mut self, ended: Result<(), JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            self.panic.get_or_insert(error.into_panic());
        }
    }
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
