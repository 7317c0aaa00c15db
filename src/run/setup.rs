//! Performs the steps before and after the load, and writes down what they came to.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::error::RunError;
use super::event::{Event, EventLog};
use super::interrupt::Interrupts;
use crate::load::http::Endpoint;
use crate::load::{Identities, RunClock};
use crate::measure::grouped;
use crate::output::Progress;
use crate::plan::{Plan, SetupStep, SlotValues};
use crate::report::{Moment, SetupSummary};
use crate::setup::{Failure, Site, perform};

/// Between two lines about a long step.
const SAY_EVERY: Duration = Duration::from_secs(1);

/// The steps of one run, and where they are written down.
pub(super) struct Errands<'a> {
    pub(super) plan: &'a Plan,
    pub(super) endpoints: &'a [Endpoint],
    pub(super) users: Identities,
    pub(super) clock: RunClock,
    pub(super) interrupts: Interrupts,
    pub(super) progress: Rc<Progress>,
    pub(super) events: EventLog,
}

impl Errands<'_> {
    /// All steps before the load, in order.
    ///
    /// # Errors
    /// When one fails, or the user asked for the end.
    pub(super) async fn before(&mut self, slots: &mut SlotValues) -> Result<(), RunError> {
        let plan = self.plan;
        for step in &plan.setup.before {
            // The step under way may finish, but nothing else begins.
            if self.interrupts.any() {
                return Err(RunError::Interrupted);
            }
            match self.one(Moment::Before, step, slots).await {
                Some(Ok(())) => {}
                Some(Err(failure)) => {
                    return Err(RunError::Before {
                        step: step.name.clone(),
                        place: step.place.clone(),
                        problem: failure.to_string(),
                    });
                }
                None => return Err(RunError::Interrupted),
            }
        }
        if self.interrupts.any() {
            return Err(RunError::Interrupted);
        }
        Ok(())
    }

    /// All steps after the load; one that fails keeps none of the others from being tried.
    pub(super) async fn after(&mut self, slots: &mut SlotValues) {
        let plan = self.plan;
        for step in &plan.setup.after {
            self.one(Moment::After, step, slots).await;
        }
    }

    /// `None` if the user did not wish to wait.
    async fn one(
        &mut self,
        moment: Moment,
        step: &SetupStep,
        slots: &mut SlotValues,
    ) -> Option<Result<(), Failure>> {
        let begun_ns = self.clock.now_ns();
        let site = Site {
            plan: self.plan,
            endpoints: self.endpoints,
            clock: self.clock,
            users: &self.users,
        };
        let (next, progress) = (Cell::new(Instant::now() + SAY_EVERY), &self.progress);
        let users = step.each.map(|each| each.of(self.plan.users.pool));
        let say = |done: u64| {
            if Instant::now() >= next.get() {
                next.set(Instant::now() + SAY_EVERY);
                let (done, users) = (
                    grouped(done as f64, 0),
                    grouped(users.unwrap_or_default() as f64, 0),
                );
                let name = &step.name;
                progress.say(&format!("{moment}: {name}, {done} of {users} users"));
            }
        };
        progress.say(&format!("{moment}: {}", step.name));
        let done = Box::pin(perform(step, site, slots, &say));
        let done = self.patiently(moment, done).await;
        let at_ns = self.clock.now_ns();
        let failure = match &done {
            Some(done) => done.as_ref().err().map(ToString::to_string),
            None => Some("cut: the end was asked for twice".to_owned()),
        };
        let line = SetupSummary {
            moment,
            step: step.name.clone(),
            place: step.place.clone(),
            duration_s: Duration::from_nanos(at_ns - begun_ns).as_secs_f64(),
            count: done.as_ref().and_then(|done| done.as_ref().ok().copied()),
            unit: step.task.unit().to_owned(),
            users,
            failure,
        };
        // An error before the load is said at the end, with what follows from it.
        if line.failure.is_none() || moment == Moment::After {
            self.progress.note(&line.to_string());
        }
        let _ = self.events.append(&Event::Setup { at_ns, line });
        done.map(|done| done.map(|_| ()))
    }

    /// The first wish for the end leaves what is under way its time, the second cuts it.
    async fn patiently<T>(&self, moment: Moment, step: impl Future<Output = T>) -> Option<T> {
        let mut step = std::pin::pin!(step);
        let mut interrupts = self.interrupts.clone();
        if !interrupts.any() {
            if let Some(done) = interrupts.unless(1, &mut step).await {
                return Some(done);
            }
            let rest = match moment {
                Moment::Before => "this step may finish; once more cuts it and skips `after`",
                Moment::After => "`after` goes on; once more skips it",
            };
            self.progress.note(&format!("interrupted: {rest}"));
        }
        interrupts.unless(2, step).await
    }
}
