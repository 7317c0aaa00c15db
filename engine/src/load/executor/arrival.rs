//! The open model: iterations start when they are due, whatever the answers do.
//!
//! Timers wake about once a millisecond, so each wake-up releases everything that is due by then,
//! each iteration with its own intended time.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::time::Instant;

use super::Share;
use super::crew::{Counted, Crew};
use crate::load::vu::{Shared, Vu};
use crate::plan::Ticks;

/// Iterations that are released before the others of the thread get their turn.
const RELEASE_AT_ONCE: usize = 256;

/// VUs that wait for work, and how many there may be in all.
struct Pool {
    shared: Rc<Shared>,
    idle: Rc<RefCell<Vec<Member>>>,
    next_index: u64,
    step: u64,
    end_index: u64,
}

struct Member {
    vu: Vu,
    _counted: Counted,
}

pub(super) async fn run(mut share: Share, vus: u64, max_vus: u64) {
    let executor = &share.shared.plan.loads[share.shared.load].executor;
    let Some(ticks) = executor.ticks() else {
        return;
    };
    // With fewer VUs than threads some threads would have ticks but nobody to serve them.
    let threads = share.threads.min(share.stripe.share(max_vus).max(1));
    if share.thread >= threads {
        return;
    }
    share.threads = threads;
    let mut pool = Pool::new(&share, vus, max_vus);
    let mut crew = Crew::new(&share.alarm);
    let start = share.start();
    let mut k = share.first();
    while let Some(due) = ticks.due(k) {
        if !share.wait_until(start + due).await {
            break;
        }
        k = release(&ticks, k, &share, start, &mut pool, &mut crew);
        tokio::task::yield_now().await;
    }
    if share.goes_on() {
        share.wait_until(start + ticks.end()).await;
    }
    let graceful_stop = share.graceful_stop();
    crew.finish(graceful_stop, &mut share.stop).await;
}

/// Releases what is due; returns the first tick that is not.
fn release(
    ticks: &Ticks,
    mut k: u64,
    share: &Share,
    start: Instant,
    pool: &mut Pool,
    crew: &mut Crew,
) -> u64 {
    let elapsed = start.elapsed();
    let start_ns = share.shared.start_ns
        + share.shared.plan.loads[share.shared.load]
            .start_after
            .as_nanos() as u64;
    for _ in 0..RELEASE_AT_ONCE {
        let Some(due) = ticks.due(k).filter(|due| *due <= elapsed) else {
            break;
        };
        pool.start(start_ns + due.as_nanos() as u64, crew);
        k += share.step();
    }
    k
}

impl Pool {
    fn new(share: &Share, vus: u64, max_vus: u64) -> Self {
        let mut pool = Self {
            shared: Rc::clone(&share.shared),
            idle: Rc::default(),
            next_index: share.first(),
            step: share.step(),
            end_index: max_vus,
        };
        let members: Vec<_> = share.own(vus).filter_map(|_| pool.hire()).collect();
        *pool.idle.borrow_mut() = members;
        pool
    }

    fn hire(&mut self) -> Option<Member> {
        let index = self.next_index;
        if index >= self.end_index {
            return None;
        }
        self.next_index += self.step;
        let counted = Counted::new(&self.shared.recorder);
        Some(Member {
            vu: Vu::new(Rc::clone(&self.shared), index),
            _counted: counted,
        })
    }

    /// Starts an iteration on a VU that is idle or new; without one it is dropped.
    fn start(&mut self, intended_ns: u64, crew: &mut Crew) {
        let member = self.idle.borrow_mut().pop();
        let Some(mut member) = member.or_else(|| self.hire()) else {
            let phase = self.shared.phase_at(intended_ns);
            self.shared.recorder.borrow_mut().dropped(phase, 1);
            return;
        };
        let idle = Rc::clone(&self.idle);
        crew.spawn(async move {
            member.vu.iterate(Some(intended_ns)).await;
            idle.borrow_mut().push(member);
        });
    }
}
