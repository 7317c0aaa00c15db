//! `invariants`: names, of which one has options.

use super::super::model::Invariant;
use super::super::node::{Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields};
use super::super::report::Report;

pub(super) fn read(report: &mut Report<'_>, node: &Node) -> Vec<Invariant> {
    let items = reader::items(report, node).unwrap_or_default();
    let invariants = items.iter().filter_map(|item| invariant(report, item));
    invariants.collect()
}

fn invariant(report: &mut Report<'_>, item: &Node) -> Option<Invariant> {
    if !matches!(item.value, Value::Map(_)) {
        return Some(Invariant {
            name: reader::text(report, item)?,
            duplicates: None,
        });
    }
    let mut fields = Fields::of(report, item, item.position)?;
    let hint = "only this one has options; write the others as a name alone";
    let options = fields.need(report, "first_come_first_served", hint);
    fields.finish(report);
    let options = options?;
    let mut fields = Fields::behind(report, options)?;
    let duplicates = fields.get("duplicates");
    let duplicates = duplicates.map(|entry| reader::text(report, &entry.node));
    fields.finish(report);
    Some(Invariant {
        name: At {
            value: options.key.clone(),
            position: options.position,
            hidden: false,
        },
        duplicates: match duplicates {
            None => None,
            Some(word) => Some(word?),
        },
    })
}
