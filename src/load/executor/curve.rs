//! The closed model: the number of VUs follows a curve, each iterates as fast as it is answered.
//!
//! A VU's slot is in one of these states:
//!
//! | state     | `wanted` | `task`  | `cut_at` | next                                               |
//! |-----------|----------|---------|----------|----------------------------------------------------|
//! | idle      | no       | ended   | none     | starting when the curve asks for it                |
//! | running   | yes      | running | none     | finishing when the curve no longer asks for it     |
//! | finishing | no       | running | set      | idle at the end of its iteration, or cut at its    |
//! |           |          |         |          | time; running again if the curve asks for it again |

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::Share;
use super::crew::{Counted, Crew};
use crate::load::vu::{Shared, Vu};
use crate::plan::VuCurve;

struct Slot {
    index: u64,
    wanted: Rc<Cell<bool>>,
    task: Option<AbortHandle>,
    cut_at: Option<Instant>,
}

pub(super) async fn run(mut share: Share, graceful_ramp_down: Duration) {
    let executor = &share.shared.plan.loads[share.shared.load].executor;
    let Some(curve) = executor.vu_curve() else {
        return;
    };
    let start = share.start();
    let mut crew = Crew::default();
    let mut slots: Vec<_> = share.own(curve.max()).map(Slot::new).collect();
    loop {
        let elapsed = start.elapsed();
        if elapsed >= curve.end() || !share.goes_on() {
            break;
        }
        follow(
            &mut slots,
            curve.at(elapsed),
            graceful_ramp_down,
            &mut crew,
            &share.shared,
        );
        if !share
            .wait_until(next_wake(&slots, &curve, start, elapsed))
            .await
        {
            break;
        }
    }
    for slot in &slots {
        slot.wanted.set(false);
    }
    let graceful_stop = share.graceful_stop();
    crew.finish(graceful_stop, &mut share.stop).await;
}

fn follow(slots: &mut [Slot], vus: u64, ramp_down: Duration, crew: &mut Crew, shared: &Rc<Shared>) {
    let now = Instant::now();
    for slot in slots {
        let wanted = slot.index < vus;
        match (wanted, slot.is_running()) {
            (true, true) => slot.keep(),
            (true, false) => slot.start(crew, shared),
            (false, true) => slot.stop(now, ramp_down),
            (false, false) => slot.cut_at = None,
        }
    }
}

/// At the curve's next change, or when a VU that is finishing has had its time.
fn next_wake(slots: &[Slot], curve: &VuCurve, start: Instant, elapsed: Duration) -> Instant {
    let change = start + curve.next_change(elapsed).unwrap_or(curve.end());
    slots
        .iter()
        .filter_map(|slot| slot.cut_at)
        .fold(change, Instant::min)
}

impl Slot {
    fn new(index: u64) -> Self {
        Self {
            index,
            wanted: Rc::default(),
            task: None,
            cut_at: None,
        }
    }

    fn is_running(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }

    fn start(&mut self, crew: &mut Crew, shared: &Rc<Shared>) {
        self.wanted.set(true);
        self.cut_at = None;
        let task = turn(Rc::clone(shared), self.index, Rc::clone(&self.wanted));
        self.task = Some(crew.spawn(task));
    }

    fn keep(&mut self) {
        self.wanted.set(true);
        self.cut_at = None;
    }

    fn stop(&mut self, now: Instant, ramp_down: Duration) {
        self.wanted.set(false);
        let cut_at = *self.cut_at.get_or_insert(now + ramp_down);
        if cut_at <= now {
            if let Some(task) = self.task.take() {
                task.abort();
            }
            self.cut_at = None;
        }
    }
}

async fn turn(shared: Rc<Shared>, index: u64, wanted: Rc<Cell<bool>>) {
    let _counted = Counted::new(&shared.recorder);
    let mut vu = Vu::new(shared, index);
    while wanted.get() {
        vu.iterate(None).await;
        // An iteration that never has to wait must not keep the thread from its other VUs.
        tokio::task::consume_budget().await;
    }
}
