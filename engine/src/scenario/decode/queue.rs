//! What the invariant `queue` says of a waiting queue.

use super::super::model::{Answers, Queue};
use super::super::node::Entry;
use super::super::position::At;
use super::super::reader::{self, Fields, Given};
use super::super::report::Report;
use super::flow;
use super::steps;

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Queue> {
    let mut fields = Fields::behind(report, entry)?;
    let position = entry.position;
    let entered = answers(report, fields.get("entered"));
    let waiting = answers(report, fields.get("waiting"));
    let admitted = answers(report, fields.get("admitted"));
    let ticket = Given::read(fields.get("ticket"), |entry| {
        reader::text(report, &entry.node)
    });
    let gapless = Given::read(fields.get("gapless"), |entry| {
        let value = reader::flag(report, &entry.node)?;
        Some(At {
            value,
            position: entry.position,
            hidden: false,
        })
    });
    let ahead = Given::read(fields.get("ahead"), |entry| {
        reader::text(report, &entry.node)
    });
    let at_most = Given::read(fields.get("at_most"), |entry| {
        reader::value(report, &entry.node)
    });
    let lease = Given::read(fields.get("lease"), |entry| {
        flow::timeout_of(report, &entry.node)
    });
    let before = Given::read(fields.get("before"), |entry| {
        steps::texts(report, &entry.node)
    });
    fields.finish(report);
    let is_broken = entered.is_broken()
        || waiting.is_broken()
        || admitted.is_broken()
        || ticket.is_broken()
        || gapless.is_broken()
        || ahead.is_broken()
        || at_most.is_broken()
        || lease.is_broken()
        || before.is_broken();
    (!is_broken).then(|| Queue {
        position,
        entered: entered.into_value(),
        waiting: waiting.into_value(),
        admitted: admitted.into_value(),
        ticket: ticket.into_value(),
        gapless: gapless.into_value(),
        ahead: ahead.into_value(),
        at_most: at_most.into_value(),
        lease: lease.into_value(),
        before: before.into_value().unwrap_or_default(),
    })
}

fn answers(report: &mut Report<'_>, entry: Option<&Entry>) -> Given<Answers> {
    Given::read(entry, |entry| {
        let of = steps::outcomes_of(report, entry)?;
        if of.is_empty() {
            report.error_hint(
                entry.position,
                format!("`{}` names no step", entry.key),
                "write a step and its outcome: `entered: { enter: ok }`",
            );
            return None;
        }
        Some(Answers {
            position: entry.position,
            of,
        })
    })
}
