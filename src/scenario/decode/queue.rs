//! What the invariant `queue` says of a waiting queue.

use super::super::model::{Answers, Queue};
use super::super::node::Entry;
use super::super::position::At;
use super::super::reader::{self, Fields};
use super::super::report::Report;
use super::flow;
use super::steps;

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Queue> {
    let mut fields = Fields::behind(report, entry)?;
    let position = entry.position;
    let entered = answers(report, fields.get("entered"));
    let waiting = answers(report, fields.get("waiting"));
    let admitted = answers(report, fields.get("admitted"));
    let ticket = optional(fields.get("ticket"), |entry| {
        reader::text(report, &entry.node)
    });
    let gapless = optional(fields.get("gapless"), |entry| {
        let value = reader::flag(report, &entry.node)?;
        Some(At {
            value,
            position: entry.position,
            hidden: false,
        })
    });
    let ahead = optional(fields.get("ahead"), |entry| {
        reader::text(report, &entry.node)
    });
    let at_most = optional(fields.get("at_most"), |entry| {
        reader::value(report, &entry.node)
    });
    let lease = optional(fields.get("lease"), |entry| {
        flow::timeout_of(report, &entry.node)
    });
    let before = optional(fields.get("before"), |entry| {
        steps::texts(report, &entry.node)
    });
    fields.finish(report);
    Some(Queue {
        position,
        entered: entered?,
        waiting: waiting?,
        admitted: admitted?,
        ticket: ticket?,
        gapless: gapless?,
        ahead: ahead?,
        at_most: at_most?,
        lease: lease?,
        before: before?.unwrap_or_default(),
    })
}

/// The outer `None`: it is there, and wrong, which was reported.
#[expect(clippy::option_option, reason = "wrong, absent and there are three")]
fn optional<T>(entry: Option<&Entry>, read: impl FnOnce(&Entry) -> Option<T>) -> Option<Option<T>> {
    match entry {
        None => Some(None),
        Some(entry) => read(entry).map(Some),
    }
}

fn answers(report: &mut Report<'_>, entry: Option<&Entry>) -> Option<Option<Answers>> {
    optional(entry, |entry| {
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
