//! The ticket opening: so many users, connected already, all released at one instant, once. Where
//! several processes share them, that is when the time to connect is over.

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use super::crew::{Counted, Crew};
use super::{Share, Stop};
use crate::load::vu::Vu;

/// Between the last connection and the release, so that every thread is awake in time.
const BREATH: Duration = Duration::from_millis(20);

/// Releases all threads at one instant: the last thread that is ready names it.
#[derive(Debug)]
pub(crate) struct Gate {
    waiting_for: AtomicU64,
    release: watch::Sender<Option<Instant>>,
}

impl Gate {
    /// Opens when so many threads are ready.
    pub(crate) fn new(threads: u64) -> Self {
        Self {
            waiting_for: AtomicU64::new(threads),
            release: watch::Sender::new(None),
        }
    }

    /// This thread is ready; the answer is the instant of the release.
    pub(super) async fn ready(&self) -> Option<Instant> {
        let mut release = self.release.subscribe();
        if self.waiting_for.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.release.send_replace(Some(Instant::now() + BREATH));
        }
        release
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|at| *at)
    }
}

pub(super) async fn run(
    mut share: Share,
    users: u64,
    connect_within: Duration,
    max_duration: Duration,
) {
    let connected_by = share.start() + connect_within;
    let go = Rc::new(Notify::new());
    let intended_ns = Rc::new(std::cell::Cell::new(0));
    let waiting = Rc::new(std::cell::Cell::new(0_u64));
    let all_wait = Rc::new(Notify::new());
    let own: Vec<u64> = share.own(users).collect();
    let count = own.len() as u64;
    let mut crew = Crew::new(&share.alarm);
    for index in own {
        let shared = Rc::clone(&share.shared);
        let (go, intended_ns) = (go.clone(), intended_ns.clone());
        let (waiting, all_wait) = (waiting.clone(), all_wait.clone());
        crew.spawn(async move {
            let _counted = Counted::new(&shared.recorder);
            let mut vu = Vu::new(shared, index);
            // Who has no connection by then is released all the same, and connects then.
            let _ = timeout_at(connected_by, vu.connect()).await;
            let released = go.notified();
            waiting.set(waiting.get() + 1);
            if waiting.get() == count {
                all_wait.notify_one();
            }
            released.await;
            vu.iterate(Some(intended_ns.get())).await;
        });
    }
    if count > 0 {
        tokio::select! {
            () = all_wait.notified() => {}
            _ = share.stop.wait_for(|stop| *stop != Stop::No) => {}
        }
    }
    let gate = std::sync::Arc::clone(&share.common.gate);
    let release = tokio::select! {
        release = gate.ready() => release,
        _ = share.stop.wait_for(|stop| *stop != Stop::No) => None,
    };
    let Some(mut release) = release else {
        crew.cut().await;
        return;
    };
    if !share.stripe.is_whole() {
        // Nobody here knows when the users of the other processes are connected, but all know when
        // they must be.
        release = release.max(connected_by + BREATH);
    }
    if !share.wait_until(release).await {
        crew.cut().await;
        return;
    }
    let since_origin = release.duration_since(share.shared.clock.instant(0));
    intended_ns.set(since_origin.as_nanos() as u64);
    go.notify_waiters();
    crew.ended_in_time(release + max_duration, &mut share.stop)
        .await;
    let graceful_stop = share.graceful_stop();
    crew.finish(graceful_stop, &mut share.stop).await;
}
