//! `invariants`: names, of which some have options.

use super::super::model::{Balances, Details, Invariant, Seats};
use super::super::node::{Entry, Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields, Given};
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
            details: Given::Absent,
        });
    }
    let mut fields = Fields::of(report, item, item.position)?;
    let names = [
        "first_come_first_served",
        "delivery",
        "queue",
        "recovery",
        "seats",
        "balances",
    ];
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
            details: Given::Absent,
        });
    }
    let details = match options.key.as_str() {
        "seats" => seats(report, options).map(|seats| Details::Seats(Box::new(seats))),
        "balances" => {
            balances(report, options).map(|balances| Details::Balances(Box::new(balances)))
        }
        _ => return words(report, options, name),
    };
    Some(Invariant {
        name,
        duplicates: None,
        by: None,
        within: None,
        queue: None,
        details: details.map_or(Given::Broken, Given::Value),
    })
}

fn words(report: &mut Report<'_>, options: &Entry, name: At<String>) -> Option<Invariant> {
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
        details: Given::Absent,
    })
}

fn seats(report: &mut Report<'_>, options: &Entry) -> Option<Seats> {
    let mut fields = Fields::behind(report, options)?;
    let hint = "what names the seat of an attempt: `seat: \"{{ seat }}\"`";
    let seat = fields.need(report, "seat", hint);
    let seat = seat.and_then(|entry| reader::text(report, &entry.node));
    let sold = fields.get("sold").map(|entry| steps(report, entry));
    let hold = fields.get("hold").map(|entry| hold(report, entry));
    let release = fields.get("release").map(|entry| steps(report, entry));
    fields.finish(report);
    Some(Seats {
        seat: seat?,
        sold: right(sold)?,
        hold: right(hold)?,
        release: right(release)?.unwrap_or_default(),
    })
}

type Hold = (Vec<At<String>>, At<super::super::value::Span>);

fn hold(report: &mut Report<'_>, entry: &Entry) -> Option<Hold> {
    let mut fields = Fields::behind(report, entry)?;
    let named = fields.need(report, "step", "which step asks for it: `step: hold`");
    let named = named.and_then(|entry| steps(report, entry));
    let hint = "after how long it ends by itself: `lease: 5m`";
    let lease = fields.need(report, "lease", hint);
    let lease = lease.and_then(|entry| reader::value(report, &entry.node));
    fields.finish(report);
    Some((named?, lease?))
}

fn balances(report: &mut Report<'_>, options: &Entry) -> Option<Balances> {
    let mut fields = Fields::behind(report, options)?;
    let hint = "what the system knows a repeated charge by: `key: \"{{ order }}\"`";
    let key = fields.need(report, "key", hint);
    let key = key.and_then(|entry| reader::text(report, &entry.node));
    let mut text = |key| {
        let entry = fields.get(key);
        entry.map(|entry| reader::text(report, &entry.node))
    };
    let account = text("account");
    let amount = text("amount");
    let charge = fields.get("charge").map(|entry| steps(report, entry));
    let conserved = fields.get("conserved");
    let conserved = conserved.map(|entry| reader::flag(report, &entry.node));
    fields.finish(report);
    Some(Balances {
        key: key?,
        account: right(account)?,
        amount: right(amount)?,
        charge: right(charge)?,
        conserved: right(conserved)?.unwrap_or_default(),
    })
}

/// The name of a step, or a list of them.
fn steps(report: &mut Report<'_>, entry: &Entry) -> Option<Vec<At<String>>> {
    let items = reader::one_or_many(&entry.node);
    if items.is_empty() {
        report.error_hint(
            entry.position,
            format!("`{}` names no step", entry.key),
            "name one, or leave the key out",
        );
        return None;
    }
    let names: Vec<_> = items
        .iter()
        .map(|item| reader::text(report, item))
        .collect();
    names.into_iter().collect()
}

/// Absent is right, wrong is not.
#[allow(clippy::option_option)]
fn right<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}
