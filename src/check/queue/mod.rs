//! Whether a waiting queue kept its order and its limit, by what its users were told.
//!
//! Every part is sound: what it reports is wrong, whatever happened on the way. None is complete,
//! since a user is told of a place now and then only, and two requests that were under way together
//! are in no order. Equal times are together.

mod admission;
mod ahead;
mod gather;
mod order;
mod overtaken;
mod skipped;
mod swapped;
mod tickets;

use super::draft::{Draft, DraftPart};
use crate::plan::{Invariant, Queue};
use crate::verdict::Verdict;

pub(super) use gather::Line;

/// Judges what was gathered; `gap` says why attempts may be missing, if any may.
pub(super) fn check(line: Option<&Line<'_>>, gap: Option<&str>) -> Draft {
    let (parts, praise) = match line {
        None => {
            let detail = "the scenario does not say how the queue is told of".to_owned();
            (
                vec![DraftPart::new("asked", Verdict::Unknown, 0, detail)],
                String::new(),
            )
        }
        Some(line) => parts(line, gap),
    };
    Draft {
        checker: Invariant::Queue.name(),
        parts,
        praise,
    }
}

fn parts(line: &Line<'_>, gap: Option<&str>) -> (Vec<DraftPart>, String) {
    let (queue, judge) = (line.queue, Judge { gap });
    let mut parts = Vec::new();
    if let Some(gap) = gap {
        let detail = format!("the history is not whole, so nothing is certain: {gap}");
        parts.push(DraftPart::new("history", Verdict::Unknown, 0, detail));
    }
    if queue.ticket.is_some() {
        parts.push(tickets::distinct(line, judge));
        parts.push(order::part(line, judge));
    }
    if queue.gapless {
        parts.push(tickets::gaps(line, judge));
    }
    if queue.ahead.is_some() {
        parts.push(ahead::part(line, judge));
        parts.push(swapped::part(line, judge));
    }
    if queue.orders_admission() {
        parts.push(overtaken::part(line, judge));
    }
    if let Some(at_most) = queue.at_most {
        parts.push(admission::part(line, at_most, judge));
    }
    if !queue.before.is_empty() {
        parts.push(skipped::part(line, judge));
    }
    parts.extend(not_judged(queue));
    (parts, format!("in order: {queue}"))
}

/// How a violation is judged where attempts may be missing.
#[derive(Debug, Clone, Copy)]
struct Judge<'g> {
    gap: Option<&'g str>,
}

/// Whether an attempt that was not kept could explain what looks wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// It could.
    Whole,
    /// What is there is enough.
    WhatIsThere,
}

impl Judge<'_> {
    const fn verdict(self, broken: bool, needs: Needs) -> Verdict {
        match (broken, self.gap.is_some(), needs) {
            (false, false, _) => Verdict::Pass,
            (true, false, _) | (true, true, Needs::WhatIsThere) => Verdict::Fail,
            _ => Verdict::Unknown,
        }
    }
}

/// What was asked for, and nothing tells of it.
fn no_data(name: &'static str, detail: impl Into<String>) -> DraftPart {
    DraftPart::new(
        name,
        Verdict::Unknown,
        0,
        format!("no data: {}", detail.into()),
    )
}

/// What the scenario does not ask for, so that nobody takes it for shown.
fn not_judged(queue: &Queue) -> Option<DraftPart> {
    let parts = [
        (queue.ticket.is_none(), "tickets (`ticket`)"),
        (!queue.gapless, "gaps between tickets (`gapless`)"),
        (queue.ahead.is_none(), "people ahead (`ahead`)"),
        (
            !queue.orders_admission(),
            "first in, first admitted (`entered`, `waiting` and `admitted`)",
        ),
        (queue.at_most.is_none(), "how many are inside (`at_most`)"),
        (
            queue.before.is_empty(),
            "who comes past the queue (`before`)",
        ),
    ];
    let missing: Vec<&str> = parts
        .iter()
        .filter(|(is_missing, _)| *is_missing)
        .map(|(_, words)| *words)
        .collect();
    (!missing.is_empty()).then(|| {
        let detail = format!("not asked for, so not judged: {}", missing.join(", "));
        DraftPart::information("not_judged", missing.len() as u64, detail)
    })
}
