//! Flows become lists of actions over numbered steps.

use super::outcome::Labels;
use super::template::Words;
use super::{condition, step};
use crate::history::OutcomeKind;
use crate::plan::slots::SlotTable;
use crate::plan::{Action, Each, Flow, Items, Label, Parallel, Step, When};
use crate::scenario::value::Name;
use crate::scenario::{
    At, Each as WrittenEach, Flow as Written, Items as WrittenItems, Report, Request,
    Step as WrittenStep, TextMatch, When as WrittenWhen,
};

/// A step's number is one byte in the history; the last value means "no step".
const MAX_STEPS: usize = 250;

/// All flows with their steps.
pub(super) struct Flows {
    pub(super) list: Vec<Flow>,
    pub(super) steps: Vec<Step>,
    pub(super) labels: Vec<Label>,
    /// Whether every step is there, so that a step that is not known is a mistake.
    pub(super) whole: bool,
}

impl Flows {
    /// Whether some answer means that nothing is left.
    pub(super) fn can_sell_out(&self) -> bool {
        let sold_out = OutcomeKind::SoldOut as u8;
        let mut rules = self.steps.iter().flat_map(|step| &step.rules);
        rules.any(|rule| rule.label == sold_out)
    }
}

pub(super) fn resolve(
    written: &[Written],
    words: Words<'_>,
    slots: &mut SlotTable,
    report: &mut Report<'_>,
) -> Flows {
    let mut planner = Planner::new(words.coupon, slots);
    planner.whole = !written.is_empty() && written.iter().all(|flow| flow.whole);
    for flow in written {
        planner.announce(&flow.steps);
    }
    let list = written.iter().map(|flow| planner.flow(flow, report));
    let list: Vec<Flow> = list.collect();
    if planner.steps.len() > MAX_STEPS
        && let Some(flow) = written.last()
    {
        let count = planner.steps.len();
        report.error(
            flow.name.position,
            format!("the flows have {count} requests, at most {MAX_STEPS} are possible"),
        );
    }
    Flows {
        list,
        steps: planner.steps,
        labels: planner.labels.finish(),
        whole: planner.whole,
    }
}

/// What is known while the flows are planned, in their order.
pub(super) struct Planner<'a> {
    pub(super) coupon: Option<&'a str>,
    pub(super) slots: &'a mut SlotTable,
    pub(super) labels: Labels,
    /// Of all flows so far.
    pub(super) steps: Vec<Step>,
    /// Whether nothing was left out.
    pub(super) whole: bool,
    /// The first step of the flow that is being planned.
    pub(super) first: usize,
    /// The slots that it fills.
    pub(super) captured: Vec<u8>,
    /// So many slots, the first ones, are filled by others.
    pub(super) given: usize,
}

impl<'a> Planner<'a> {
    /// Nothing is planned yet.
    pub(super) fn new(coupon: Option<&'a str>, slots: &'a mut SlotTable) -> Self {
        Self {
            coupon,
            given: slots.count(),
            slots,
            labels: Labels::default(),
            steps: Vec::new(),
            whole: true,
            first: 0,
            captured: Vec::new(),
        }
    }

    /// What templates may use at this place.
    pub(super) const fn words(&self) -> Words<'_> {
        Words {
            coupon: self.coupon,
            slots: Some(self.slots),
        }
    }

    fn announce(&mut self, steps: &[WrittenStep]) {
        for step in steps {
            match step {
                WrittenStep::Think(..) => {}
                WrittenStep::Request(request) => self.announce_captures(request),
                WrittenStep::Poll(poll) => self.announce_captures(&poll.request),
                WrittenStep::When(when) => {
                    self.announce(&when.then);
                    self.announce(&when.otherwise);
                }
                WrittenStep::Each(each) => {
                    self.slots.announce(each.name.value.as_str());
                    self.announce(&each.steps);
                }
                WrittenStep::Parallel(parallel) => {
                    for branch in &parallel.branches {
                        self.announce(branch);
                    }
                }
            }
        }
    }

    fn announce_captures(&mut self, request: &Request) {
        for capture in &request.captures {
            self.slots.announce(capture.name.value.as_str());
        }
    }

    /// The steps of this flow so far.
    pub(super) fn earlier(&self) -> &[Step] {
        &self.steps[self.first..]
    }

    fn flow(&mut self, written: &Written, report: &mut Report<'_>) -> Flow {
        let count = requests(&written.steps);
        if count == 0 && written.whole {
            report.error_hint(
                written.name.position,
                format!("the flow `{}` has no request", written.name.value),
                "write one: `- post: /issue`",
            );
        }
        let scope = self.slots.scope();
        self.first = self.steps.len();
        let flow = Place {
            flow: &written.name,
            requests: count,
        };
        let actions = self.actions(&written.steps, flow, report);
        self.slots.restore(scope);
        let mut captured = std::mem::take(&mut self.captured);
        captured.sort_unstable();
        captured.dedup();
        Flow {
            name: written.name.value.as_str().to_owned(),
            actions,
            captured,
        }
    }

    fn actions(
        &mut self,
        steps: &[WrittenStep],
        flow: Place<'_>,
        report: &mut Report<'_>,
    ) -> Vec<Action> {
        let actions = steps.iter().map(|step| self.action(step, flow, report));
        actions.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    /// `None` if the step is wrong, which was reported.
    fn action(
        &mut self,
        step: &WrittenStep,
        flow: Place<'_>,
        report: &mut Report<'_>,
    ) -> Option<Action> {
        match step {
            WrittenStep::Think(from, to) => Some(Action::Think(from.0, to.0)),
            WrittenStep::Request(request) => self.request(request, flow, report),
            WrittenStep::Poll(poll) => {
                let action = self.request(&poll.request, flow, report);
                let step = self.steps.last().filter(|_| action.is_some())?;
                let until = condition::until(poll, step, self, report);
                let added = self.steps.last_mut()?;
                added.poll = Some(crate::plan::Poll {
                    every: poll.every.0,
                    within: poll.within.0,
                    until: until?,
                });
                action
            }
            WrittenStep::When(when) => self.when(when, flow, report),
            WrittenStep::Each(each) => self.each(each, flow, report),
            WrittenStep::Parallel(parallel) => {
                let branches = parallel.branches.iter();
                let branches = branches.map(|branch| self.actions(branch, flow, report));
                let branches: Vec<_> = branches.collect();
                if parallel.branches.iter().all(|branch| requests(branch) == 0) {
                    report.error(parallel.position, "nothing is requested in parallel");
                }
                Some(Action::Parallel(Parallel {
                    times: parallel.times,
                    branches,
                }))
            }
        }
    }

    fn when(
        &mut self,
        written: &WrittenWhen,
        flow: Place<'_>,
        report: &mut Report<'_>,
    ) -> Option<Action> {
        let outcomes = condition::outcomes(&written.outcomes, self, report);
        // Only whether something is there may be asked before it is captured: by a user who stays
        // the same, and has captured it in an earlier iteration.
        let of_content = |(_, matched): &&_| !matches!(matched, TextMatch::Exists(_));
        let (content, existence): (Vec<_>, Vec<_>) = written.captures.iter().partition(of_content);
        let content = condition::captures(&content, self, report);
        // What only one of the branches captures may be missing behind them; a request that needs
        // it is not sent then, and says so.
        let then = self.actions(&written.then, flow, report);
        let otherwise = self.actions(&written.otherwise, flow, report);
        let existence = condition::captures(&existence, self, report);
        Some(Action::When(When {
            outcomes: outcomes?,
            captures: [content?, existence?].concat(),
            then,
            otherwise,
        }))
    }

    fn each(
        &mut self,
        written: &WrittenEach,
        flow: Place<'_>,
        report: &mut Report<'_>,
    ) -> Option<Action> {
        let items = match &written.items {
            WrittenItems::List(list) => {
                Items::List(list.iter().map(|text| text.value.clone()).collect())
            }
            WrittenItems::Range(from, to) => Items::Range(*from, *to),
            WrittenItems::In(name) => Items::In(condition::slot(name, self, report)?),
        };
        let slot = step::declare(&written.name, false, self, report)?;
        let actions = self.actions(&written.steps, flow, report);
        Some(Action::Each(Each {
            slot,
            items,
            actions,
        }))
    }

    fn request(
        &mut self,
        request: &Request,
        flow: Place<'_>,
        report: &mut Report<'_>,
    ) -> Option<Action> {
        let name = name_of(request, flow, report);
        let Some(step) = step::resolve(request, &name, self, report) else {
            self.whole = false;
            return None;
        };
        if self.steps.iter().any(|other| other.name == step.name) {
            report.error_hint(
                name.position,
                format!("there are two steps `{}`", step.name),
                "give each step a name of its own: `name: enter`",
            );
        }
        let number = self.steps.len().min(MAX_STEPS) as u8;
        self.steps.push(step);
        Some(Action::Request(number))
    }
}

/// The flow in which a step stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    flow: &'a At<Name>,
    /// Of the whole flow.
    requests: usize,
}

fn requests(steps: &[WrittenStep]) -> usize {
    let count = |step: &WrittenStep| match step {
        WrittenStep::Request(_) | WrittenStep::Poll(_) => 1,
        WrittenStep::Think(..) => 0,
        WrittenStep::When(when) => requests(&when.then) + requests(&when.otherwise),
        WrittenStep::Each(each) => requests(&each.steps),
        WrittenStep::Parallel(parallel) => parallel.branches.iter().map(|b| requests(b)).sum(),
    };
    steps.iter().map(count).sum()
}

/// The only request of a flow may do without a name of its own.
fn name_of(request: &Request, place: Place<'_>, report: &mut Report<'_>) -> At<Name> {
    let flow = place.flow;
    if request.name.is_none() && place.requests > 1 {
        // A name that is there but wrong was reported.
        if request.whole {
            report.error_hint(
                request.position,
                format!("a request of the flow `{}` has no name", flow.value),
                "where a flow has several requests, each needs one: `name: enter`",
            );
        }
        // The flow's name would be a second error of its own.
        let numbered = format!("{}-{}", flow.value, request.position.start);
        return At {
            value: numbered.parse().unwrap_or_else(|_| flow.value.clone()),
            position: request.position,
            hidden: false,
        };
    }
    let own = request.name.clone();
    own.unwrap_or_else(|| At {
        position: request.position,
        ..flow.clone()
    })
}
