//! `invariants`: names, of which some have options.

use super::super::model::Invariant;
use super::super::node::{Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields};
use super::super::report::Report;
use super::queue;

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
            by: None,
            within: None,
            queue: None,
        });
    }
    let mut fields = Fields::of(report, item, item.position)?;
    let names = ["first_come_first_served", "delivery", "queue", "recovery"];
    let options = fields.one_of(report, &names, "an invariant that has options");
    fields.finish(report);
    let options = options?;
    let name = At {
        value: options.key.clone(),
        position: options.position,
        hidden: false,
    };
    if options.key == "queue" {
        return Some(Invariant {
            name,
            duplicates: None,
            by: None,
            within: None,
            queue: Some(Box::new(queue::read(report, options)?)),
        });
    }
    let mut fields = Fields::behind(report, options)?;
    let mut word = |key| {
        let entry = fields.get(key);
        entry.map(|entry| reader::text(report, &entry.node))
    };
    let (mut duplicates, mut by, mut within) = (None, None, None);
    match options.key.as_str() {
        "delivery" => by = word("by"),
        "recovery" => {
            let entry = fields.get("within");
            within = entry.map(|entry| reader::value(report, &entry.node));
        }
        _ => duplicates = word("duplicates"),
    }
    fields.finish(report);
    Some(Invariant {
        name,
        queue: None,
        duplicates: match duplicates {
            None => None,
            Some(word) => Some(word?),
        },
        by: match by {
            None => None,
            Some(word) => Some(word?),
        },
        within: match within {
            None => None,
            Some(span) => Some(span?),
        },
    })
}
