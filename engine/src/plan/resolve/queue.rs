//! What is claimed of a waiting queue, held against the steps that tell of it.

use super::flow::Flows;
use crate::history::OutcomeKind;
use crate::plan::slots::SlotTable;
use crate::plan::{Answers, Queue, Step};
use crate::scenario::{
    Answers as WrittenAnswers, At, Invariant as WrittenInvariant, Queue as Written, Report,
    did_you_mean,
};

/// What the invariant `queue` says. `None` if it is not there, or wrong, which was reported.
pub(super) fn resolve(
    invariants: &[WrittenInvariant],
    flows: &Flows,
    slots: &SlotTable,
    report: &mut Report<'_>,
) -> Option<Queue> {
    let named = invariants.iter().find(|one| one.name.value == "queue")?;
    let Some(written) = &named.queue else {
        report.error_hint(
            named.name.position,
            "the invariant `queue` does not say how the queue is told of",
            "name the steps and their outcomes: `- queue: { entered: { enter: ok }, waiting: { \
             order: waiting }, admitted: { order: admitted } }`",
        );
        return None;
    };
    if !fits_together(written, report) {
        return None;
    }
    let resolver = Resolver { flows, slots };
    let (entered, waiting) = (
        resolver.answers(written.entered.as_ref(), report),
        resolver.answers(written.waiting.as_ref(), report),
    );
    let admitted = resolver.answers(written.admitted.as_ref(), report);
    let before: Vec<_> = written
        .before
        .iter()
        .map(|name| resolver.guarded(name, report))
        .collect();
    let (entered, waiting) = (entered?, waiting?);
    let contradicts = admitted
        .as_ref()
        .and_then(|let_in| shared(&waiting, let_in));
    if let (Some((step, label)), Some(at)) = (contradicts, &written.admitted) {
        let (step, label) = (
            &flows.steps[usize::from(step)].name,
            &flows.labels[usize::from(label)].name,
        );
        report.error_hint(
            at.position,
            format!("`{label}` of the step `{step}` stands under `waiting`, too"),
            "nobody waits and is let in by the same answer: name each outcome under one of them",
        );
        return None;
    }
    let ticket = resolver.number(written.ticket.as_ref(), &[&entered], report);
    let ahead = resolver.number(written.ahead.as_ref(), &[&entered, &waiting], report);
    Some(Queue {
        ticket: ticket.ok()?,
        gapless: written.gapless.as_ref().is_some_and(|flag| flag.value),
        ahead: ahead.ok()?,
        at_most: written.at_most.as_ref().map(|count| count.value.0),
        lease: written.lease.as_ref().map(|span| span.value.0),
        before: before.into_iter().collect::<Option<_>>()?,
        entered,
        waiting,
        admitted: admitted?,
    })
}

/// An answer that is among both.
fn shared(these: &Answers, those: &Answers) -> Option<(u8, u8)> {
    let flat = |answers: &Answers| -> Vec<(u8, u8)> {
        let pairs = answers.iter();
        let pairs = pairs.flat_map(|(step, labels)| labels.iter().map(|label| (*step, *label)));
        pairs.collect()
    };
    let those = flat(those);
    flat(these).into_iter().find(|one| those.contains(one))
}

/// Whether each key has what it is judged with, and anything is judged at all.
fn fits_together(written: &Written, report: &mut Report<'_>) -> bool {
    let entered = written.entered.as_ref().map(|one| one.position);
    let waiting = written.waiting.as_ref().map(|one| one.position);
    let admitted = written.admitted.as_ref().map(|one| one.position);
    let ticket = written.ticket.as_ref().map(|one| one.position);
    let ahead = written.ahead.as_ref().map(|one| one.position);
    let at_most = written.at_most.as_ref().map(|one| one.position);
    let before = written.before.first().map(|one| one.position);
    let lease = written.lease.as_ref().map(|one| one.position);
    let gapless = written.gapless.as_ref().map(|one| one.position);
    let needs = [
        (ticket, "ticket", entered, "entered"),
        (gapless, "gapless", ticket, "ticket"),
        (ahead, "ahead", entered, "entered"),
        (waiting, "waiting", entered, "entered"),
        (at_most, "at_most", admitted, "admitted"),
        (lease, "lease", at_most, "at_most"),
        (before, "before", admitted, "admitted"),
    ];
    let mut fits = true;
    for (there, key, needed, by) in needs {
        if let (Some(at), None) = (there, needed) {
            fits = false;
            report.error_hint(
                at,
                format!("`{key}` says nothing without `{by}`"),
                format!("write `{by}` beside it, or remove `{key}`"),
            );
        }
    }
    let orders = waiting.is_some() && admitted.is_some();
    let judges = orders || [ticket, ahead, at_most, before].iter().any(Option::is_some);
    if fits && !judges {
        fits = false;
        report.error_hint(
            written.position,
            "nothing of the queue is judged",
            "write `ticket`, `ahead`, `at_most` or `before`, or `waiting` and `admitted` beside \
             `entered`",
        );
    }
    if fits && waiting.is_some() && !orders && ahead.is_none() {
        fits = false;
        report.error_hint(
            written.position,
            "`waiting` says nothing without `admitted` or `ahead`",
            "write one of them beside it, or remove `waiting`",
        );
    }
    fits
}

struct Resolver<'f> {
    flows: &'f Flows,
    slots: &'f SlotTable,
}

impl Resolver<'_> {
    /// `None` if something of it is wrong, which was reported; nothing where it is not written.
    fn answers(
        &self,
        written: Option<&WrittenAnswers>,
        report: &mut Report<'_>,
    ) -> Option<Answers> {
        let Some(written) = written else {
            return Some(Vec::new());
        };
        let read: Vec<_> = written
            .of
            .iter()
            .map(|(step, outcomes)| {
                let number = self.step(step, report)?;
                let step = &self.flows.steps[usize::from(number)];
                let labels = outcomes.iter().map(|name| self.label(step, name, report));
                let labels: Vec<_> = labels.collect();
                Some((number, labels.into_iter().collect::<Option<_>>()?))
            })
            .collect();
        read.into_iter().collect()
    }

    fn step(&self, name: &At<String>, report: &mut Report<'_>) -> Option<u8> {
        let steps = &self.flows.steps;
        let found = steps.iter().position(|step| step.name == name.value);
        // A step that was left out was reported.
        if found.is_none() && self.flows.whole {
            let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
            report.error_hint(
                name.position,
                format!("no flow has a step `{}`", name.shown()),
                did_you_mean(&name.value, &names),
            );
        }
        found.map(|at| at as u8)
    }

    fn label(&self, step: &Step, name: &At<String>, report: &mut Report<'_>) -> Option<u8> {
        let mut labels: Vec<u8> = step.rules.iter().map(|rule| rule.label).collect();
        if step.rules.is_empty() {
            labels.push(OutcomeKind::Ok as u8);
        }
        let named = |label: &u8| self.flows.labels[usize::from(*label)].name.as_str();
        let found = labels.iter().find(|label| named(label) == name.value);
        let Some(label) = found else {
            let names: Vec<&str> = labels.iter().map(named).collect();
            report.error_hint(
                name.position,
                format!("the step `{}` has no outcome `{}`", step.name, name.shown()),
                did_you_mean(&name.value, &names),
            );
            return None;
        };
        let kind = self.flows.labels[usize::from(*label)].kind;
        if matches!(kind, OutcomeKind::Unknown | OutcomeKind::Error) {
            report.error_hint(
                name.position,
                format!("`{}` says nothing certain", name.shown()),
                "name an outcome by which the system says where the user is",
            );
            return None;
        }
        Some(*label)
    }

    /// A step that can confirm.
    fn guarded(&self, name: &At<String>, report: &mut Report<'_>) -> Option<u8> {
        let number = self.step(name, report)?;
        let step = &self.flows.steps[usize::from(number)];
        let issued = OutcomeKind::Issued as u8;
        if step.rules.iter().any(|rule| rule.label == issued) {
            return Some(number);
        }
        report.error_hint(
            name.position,
            format!("the step `{}` has no outcome `issued`", step.name),
            "name the step that only users who were let in may ask with success",
        );
        None
    }

    /// The slot of a capture of one of these steps; `Err` if there is none, which was reported.
    fn number(
        &self,
        name: Option<&At<String>>,
        steps: &[&Answers],
        report: &mut Report<'_>,
    ) -> Result<Option<u8>, ()> {
        let Some(name) = name else { return Ok(None) };
        let numbers = steps.iter().flat_map(|answers| answers.iter());
        let numbers: Vec<u8> = numbers.map(|(step, _)| *step).collect();
        let of_steps = numbers
            .iter()
            .map(|number| &self.flows.steps[usize::from(*number)]);
        let captures = of_steps.clone().flat_map(|step| &step.captures);
        let captured: Vec<u8> = captures.map(|capture| capture.slot).collect();
        let named = |slot: &&u8| self.slots.name(**slot) == name.value;
        match captured.iter().find(named) {
            Some(slot) if !self.slots.is_secret(*slot) => return Ok(Some(*slot)),
            Some(_) => report.error_hint(
                name.position,
                format!(
                    "the capture `{}` is a secret, which no file shows",
                    name.shown()
                ),
                "take `secret` away if it is none",
            ),
            None if !self.flows.whole => {}
            None => {
                let names: Vec<&str> = captured.iter().map(|slot| self.slots.name(*slot)).collect();
                let steps: Vec<String> = of_steps.map(|step| format!("`{}`", step.name)).collect();
                report.error_hint(
                    name.position,
                    format!(
                        "`{}` is captured by none of {}",
                        name.shown(),
                        steps.join(", ")
                    ),
                    if names.is_empty() {
                        "capture it there: `capture: { rank: /rank }`".to_owned()
                    } else {
                        did_you_mean(&name.value, &names)
                    },
                );
            }
        }
        Err(())
    }
}
