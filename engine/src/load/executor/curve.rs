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

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::crew::{Counted, Crew};
use super::{Share, Stop};
use crate::load::vu::{Shared, Vu};
use crate::plan::{Executor, VuCurve};

struct Slot {
    index: u64,
    /// The VU while it is idle: when it is wanted again it is who it was.
    seat: Rc<RefCell<Option<Vu>>>,
    wanted: Rc<Cell<bool>>,
    task: Option<AbortHandle>,
    cut_at: Option<Instant>,
}

pub(super) async fn run(mut share: Share, graceful_ramp_down: Duration) {
    let executor = &share.shared.plan.loads[share.shared.load].executor;
    let Some(curve) = executor.vu_curve() else {
        return;
    };
    let staying = match executor {
        Executor::RampingVus { start, stages, .. } => {
            stages.last().map_or(*start, |stage| stage.target)
        }
        _ => curve.max(),
    };
    let start = share.start();
    let mut crew = Crew::new(&share.alarm);
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
    if share.goes_on() {
        // The last step down of the last stage is a ramp-down like the others.
        slots
            .iter_mut()
            .filter(|slot| slot.index >= staying && slot.is_running())
            .for_each(|slot| slot.stop(Instant::now(), graceful_ramp_down));
    }
    finish(share, slots, crew).await;
}

/// Lets iterations finish within the graceful stop, or until their own time in a ramp-down.
async fn finish(mut share: Share, mut slots: Vec<Slot>, mut crew: Crew) {
    let deadline = Instant::now() + share.graceful_stop();
    for slot in &slots {
        slot.wanted.set(false);
    }
    loop {
        let until = slots
            .iter()
            .filter_map(|slot| slot.cut_at)
            .fold(deadline, Instant::min);
        let all_over = tokio::select! {
            ended = crew.ended_by(until) => ended || until == deadline,
            _ = share.stop.wait_for(|stop| *stop == Stop::AtOnce) => true,
        };
        if all_over {
            break;
        }
        let now = Instant::now();
        for slot in &mut slots {
            slot.cut_if_due(now);
        }
    }
    crew.cut().await;
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
            seat: Rc::default(),
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
        let vu = self.seat.take();
        let seated = Seated {
            vu: vu.or_else(|| Some(Vu::new(Rc::clone(shared), self.index))),
            seat: Rc::clone(&self.seat),
        };
        self.task = Some(crew.spawn(turn(seated, Rc::clone(shared), Rc::clone(&self.wanted))));
    }

    fn keep(&mut self) {
        self.wanted.set(true);
        self.cut_at = None;
    }

    fn stop(&mut self, now: Instant, ramp_down: Duration) {
        self.wanted.set(false);
        self.cut_at.get_or_insert(now + ramp_down);
        self.cut_if_due(now);
    }

    fn cut_if_due(&mut self, now: Instant) {
        if self.cut_at.is_some_and(|cut_at| cut_at <= now) {
            if let Some(task) = self.task.take() {
                task.abort();
            }
            self.cut_at = None;
        }
    }
}

/// A VU that goes back to its seat when its turn is over, also when it is cut.
struct Seated {
    vu: Option<Vu>,
    seat: Rc<RefCell<Option<Vu>>>,
}

impl Drop for Seated {
    fn drop(&mut self) {
        if let Some(mut vu) = self.vu.take() {
            vu.hang_up();
            self.seat.replace(Some(vu));
        }
    }
}

async fn turn(mut seated: Seated, shared: Rc<Shared>, wanted: Rc<Cell<bool>>) {
    let _counted = Counted::new(&shared.recorder);
    while wanted.get()
        && let Some(vu) = &mut seated.vu
    {
        vu.iterate(None).await;
        vu.rest().await;
        // An iteration that never has to wait must not keep the thread from its other VUs.
        tokio::task::consume_budget().await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::load::RunClock;
    use crate::load::http::Pace;
    use crate::load::identity::Identities;
    use crate::load::recorder::Recorder;
    use crate::plan::{Overrides, load};

    const SCENARIO: &str = "
name: size
target: { url: \"http://127.0.0.1:1\" }
load: { a: { constant_vus: { vus: 1, for: 1s } } }
flows: { f: [ { post: /issue, json: { userId: \"{{ user }}\" } }, { think: 1s } ] }
";

    /// 20,000 of them are what an executor holds, beside their sockets' buffers.
    #[test]
    fn a_vu_with_its_task_takes_little_memory() {
        let plan = load("size.yaml", SCENARIO, &Overrides::default(), &|_| None);
        let plan = Arc::new(plan.expect("a plan"));
        let (sink, _batches) = sync_channel(1);
        let recorder = Rc::new(RefCell::new(Recorder::new(&plan, 0, sink)));
        let shared = Rc::new(Shared {
            load: 0,
            clock: RunClock::start(),
            start_ns: 0,
            endpoints: Arc::new([]),
            pace: Pace::default(),
            steps: Rc::new([]),
            recorder,
            slots: Arc::new([]),
            users: Identities::new(&plan, None),
            next_place: Arc::default(),
            only_phase: None,
            plan,
        });
        let seated = Seated {
            vu: Some(Vu::new(Rc::clone(&shared), 0)),
            seat: Rc::default(),
        };
        let vu = size_of::<Vu>();
        let task = size_of_val(&turn(seated, shared, Rc::default()));
        assert!(vu <= 768 && task <= 3_072, "{vu} {task}");
    }
}
