//! One iteration of a VU: its flow's actions, one after the other, or at the same time.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;

use serde_json::Value;
use tokio::time::{sleep, sleep_until};

use super::vu::{Shared, Vu};
use crate::history::OutcomeKind;
use crate::plan::{Action, Each, Items, Parallel, Poll, TextMatch, Until, When};

/// What an iteration remembers of itself.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    /// Of all its operations.
    pub(super) phase: u16,
    /// The user's number.
    pub(super) number: u64,
    /// What the user was told about the subject last.
    pub(super) subject: OutcomeKind,
    /// When the first request was due; the others are due when they start.
    due_ns: Option<u64>,
    /// When its last answer was there, if nothing has been waited for since.
    pub(super) answered_ns: Option<u64>,
    pauses: u64,
    /// The label of the last answer, by step.
    labels: Vec<u8>,
}

/// In the place of a label: the step was not performed.
const NOT_ASKED: u8 = u8::MAX;

impl Turn {
    /// Before the first iteration, in a plan with so many steps.
    pub(super) fn new(steps: usize) -> Self {
        Self {
            phase: 0,
            number: 0,
            subject: OutcomeKind::Ok,
            due_ns: None,
            answered_ns: None,
            pauses: 0,
            labels: vec![NOT_ASKED; steps],
        }
    }

    /// Forgets the iteration before.
    pub(super) fn begin(&mut self, phase: u16, number: u64, due_ns: u64) {
        (self.phase, self.number) = (phase, number);
        self.subject = OutcomeKind::Ok;
        self.due_ns = Some(due_ns);
        self.answered_ns = None;
        self.pauses = 0;
        self.labels.fill(NOT_ASKED);
    }

    /// When the next request was due, if it is the first.
    pub(super) const fn take_due(&mut self) -> Option<u64> {
        self.due_ns.take()
    }

    /// The number of the next pause.
    pub(super) const fn take_pause(&mut self) -> u64 {
        self.pauses += 1;
        self.pauses - 1
    }

    /// Notes what the step's answer was.
    pub(super) fn answered(&mut self, step: u8, label: u8) {
        if let Some(last) = self.labels.get_mut(usize::from(step)) {
            *last = label;
        }
    }

    /// Takes over what a branch was told.
    fn join(&mut self, branch: &Self) {
        for (label, other) in std::iter::zip(&mut self.labels, &branch.labels) {
            if *other != NOT_ASKED {
                *label = *other;
            }
        }
        // Whoever got one is not refused because another branch came too late.
        if self.subject != OutcomeKind::Issued && branch.subject != OutcomeKind::Ok {
            self.subject = branch.subject;
        }
    }
}

type Performing<'a> = Pin<Box<dyn Future<Output = ControlFlow<()>> + 'a>>;

impl Vu {
    /// Performs the actions; breaks off where the rest of the iteration makes no sense.
    pub(super) async fn perform(&mut self, shared: &Shared, actions: &[Action]) -> ControlFlow<()> {
        for action in actions {
            match action {
                Action::Request(step) => match &shared.plan.steps[usize::from(*step)].poll {
                    None if self.request(shared, *step).await.missing => {
                        return ControlFlow::Break(());
                    }
                    None => {}
                    Some(poll) => Box::pin(self.poll(shared, *step, poll)).await?,
                },
                Action::Think(..) if shared.only_phase.is_some() => {}
                Action::Think(from, to) => {
                    let _ = self.turn.take_due();
                    self.answer.give_back();
                    sleep(self.pause(*from, *to)).await;
                    self.turn.answered_ns = None;
                }
                nested => self.perform_nested(shared, nested).await?,
            }
        }
        ControlFlow::Continue(())
    }

    /// Boxed: actions may stand within actions, and most flows have none that do.
    fn perform_nested<'a>(&'a mut self, shared: &'a Shared, action: &'a Action) -> Performing<'a> {
        Box::pin(async move {
            match action {
                Action::When(when) => {
                    let holds = self.holds(when);
                    let actions = if holds { &when.then } else { &when.otherwise };
                    self.perform(shared, actions).await
                }
                Action::Each(each) => self.each(shared, each).await,
                Action::Parallel(parallel) => self.parallel(shared, parallel).await,
                Action::Request(_) | Action::Think(..) => ControlFlow::Continue(()),
            }
        })
    }

    fn holds(&self, when: &When) -> bool {
        let told = |(step, wanted): &(u8, Vec<u8>)| {
            let label = self.turn.labels.get(usize::from(*step));
            label.is_some_and(|label| wanted.contains(label))
        };
        let held = |(slot, wanted): &(u8, TextMatch)| {
            let text = self.slots.get(usize::from(*slot));
            let text = text.and_then(Option::as_deref);
            match wanted {
                TextMatch::AnyOf(texts) => {
                    text.is_some_and(|text| texts.iter().any(|wanted| wanted == text))
                }
                TextMatch::Exists(wanted) => text.is_some() == *wanted,
                TextMatch::Matches(pattern) => {
                    text.is_some_and(|text| pattern.is_match(text.as_bytes()))
                }
            }
        };
        when.outcomes.iter().all(told) && when.captures.iter().all(held)
    }

    async fn each(&mut self, shared: &Shared, each: &Each) -> ControlFlow<()> {
        let items: Vec<String> = match &each.items {
            Items::List(list) => list.clone(),
            Items::Range(from, to) => (*from..=*to).map(|number| number.to_string()).collect(),
            Items::In(slot) => listed(self.slots[usize::from(*slot)].as_deref()),
        };
        for item in items {
            self.slots[usize::from(each.slot)] = Some(item);
            self.perform(shared, &each.actions).await?;
        }
        ControlFlow::Continue(())
    }

    /// All branches to their ends. What they captured is there afterwards; where several captured
    /// the same, the last one counts.
    async fn parallel(&mut self, shared: &Shared, parallel: &Parallel) -> ControlFlow<()> {
        let lists = std::iter::repeat_n(&parallel.branches, parallel.times as usize);
        let lists: Vec<&Vec<Action>> = lists.flatten().collect();
        let mut branches = std::mem::take(&mut self.branches);
        while branches.len() < lists.len() {
            branches.push(Self::new(Rc::clone(&self.shared), self.index));
        }
        let _ = self.turn.take_due();
        let ends = std::iter::zip(&mut branches, &lists).map(|(branch, actions)| {
            self.branch(branch);
            branch.perform(shared, actions)
        });
        let ends = futures_util::future::join_all(ends).await;
        self.turn.answered_ns = None;
        for branch in &branches[..lists.len()] {
            self.turn.join(&branch.turn);
            self.cookies.clone_from(&branch.cookies);
            for (slot, theirs) in std::iter::zip(&mut self.slots, &branch.slots) {
                if theirs.is_some() {
                    slot.clone_from(theirs);
                }
            }
        }
        self.branches = branches;
        ends.into_iter()
            .find(ControlFlow::is_break)
            .unwrap_or(ControlFlow::Continue(()))
    }

    /// Asks until the answer is what is waited for. The iteration ends where it does not come.
    async fn poll(&mut self, shared: &Shared, step: u8, poll: &Poll) -> ControlFlow<()> {
        let begun_ns = shared.clock.now_ns();
        let mut next_ns = begun_ns;
        loop {
            let asked = self.request(shared, step).await;
            if asked.missing {
                return ControlFlow::Break(());
            }
            let came = match &poll.until {
                Until::Labels(labels) => labels.contains(&asked.label),
                Until::Answer(_) => asked.awaited,
            };
            let now_ns = shared.clock.now_ns();
            next_ns = (next_ns + poll.every.as_nanos() as u64).max(now_ns);
            let too_late = next_ns - begun_ns > poll.within.as_nanos() as u64;
            if came || too_late {
                let waited_ns = now_ns - begun_ns;
                let mut recorder = shared.recorder.borrow_mut();
                recorder.polled(self.turn.phase, step, asked.label, waited_ns);
                return if came {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                };
            }
            sleep_until(shared.clock.instant(next_ns)).await;
        }
    }
}

/// The values of a JSON list: texts as they are, others as JSON.
fn listed(text: Option<&str>) -> Vec<String> {
    let list = text.and_then(|text| serde_json::from_str::<Vec<Value>>(text).ok());
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    list.unwrap_or_default().into_iter().map(text).collect()
}
