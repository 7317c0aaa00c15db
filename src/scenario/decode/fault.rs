//! `faults`: what is broken, when and for how long.

use super::super::fault::{Blow, Fault, Settings, Start, What};
use super::super::node::{Entry, Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields};
use super::super::report::Report;

/// Who can be broken, and the choice among several blows.
const WHAT: [&str; 10] = [
    "redis", "database", "kafka", "server", "coupon", "issuer", "queue", "router", "client",
    "chaos",
];

/// All that are right, and whether these are all.
pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> (Vec<Fault>, bool) {
    let Some(items) = reader::items(report, &entry.node) else {
        return (Vec::new(), false);
    };
    let faults: Vec<_> = items
        .iter()
        .filter_map(|item| fault(report, item))
        .collect();
    let whole = faults.len() == items.len();
    (faults, whole)
}

fn fault(report: &mut Report<'_>, node: &Node) -> Option<Fault> {
    let mut fields = Fields::of(report, node, node.position)?;
    let hint = "reports and thresholds call it so: `name: redis-outage`";
    let name = fields.need(report, "name", hint);
    let name = name.and_then(|entry| reader::value(report, &entry.node));
    let what = fields.one_of(report, &WHAT, "what is broken");
    let which = fields.get("which");
    let which = which.map(|entry| reader::text(report, &entry.node));
    let start = fields.one_of(report, &["at", "after", "when"], "when it begins");
    let [lasts, every] = ["for", "every"].map(|key| {
        let entry = fields.get(key);
        entry.map(|entry| reader::value(report, &entry.node))
    });
    let times = fields.get("times");
    let times = times.map(|entry| reader::value(report, &entry.node));
    fields.finish(report);
    let what = what.and_then(|entry| self::what(report, entry));
    let start = start.and_then(|entry| self::start(report, entry));
    Some(Fault {
        name: name?,
        what: what?,
        which: right(which)?,
        start: start?,
        lasts: right(lasts)?,
        every: right(every)?,
        times: right(times)?,
    })
}

/// What is wrong was reported, and must not look like what is absent.
fn right<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}

fn what(report: &mut Report<'_>, entry: &Entry) -> Option<What> {
    if entry.key != "chaos" {
        return blow(report, entry).map(What::One);
    }
    let mut fields = Fields::behind(report, entry)?;
    let hint = "what it chooses from: `pick: [{ redis: freeze }, { database: read_only }]`";
    let pick = fields.need(report, "pick", hint);
    fields.finish(report);
    let items = pick.and_then(|pick| reader::items(report, &pick.node))?;
    let read: Vec<_> = items.iter().map(|item| one_blow(report, item)).collect();
    if items.is_empty() {
        report.error_hint(entry.position, "there is nothing to choose from", hint);
        return None;
    }
    Some(What::Chaos {
        position: entry.position,
        pick: read.into_iter().collect::<Option<_>>()?,
    })
}

fn one_blow(report: &mut Report<'_>, node: &Node) -> Option<Blow> {
    let mut fields = Fields::of(report, node, node.position)?;
    let parties = &WHAT[..WHAT.len() - 1];
    let entry = fields.one_of(report, parties, "what is broken");
    fields.finish(report);
    blow(report, entry?)
}

/// `redis: kill`, `redis: { delay: 200ms }` or `redis: { delay: { by: 200ms, jitter: 50ms } }`.
fn blow(report: &mut Report<'_>, entry: &Entry) -> Option<Blow> {
    let party = At {
        value: entry.key.clone(),
        position: entry.position,
        hidden: false,
    };
    let Value::Map(kinds) = &entry.node.value else {
        let kind = reader::text(report, &entry.node)?;
        return Some(Blow {
            party,
            kind,
            settings: Settings::None,
        });
    };
    let [kind] = kinds.as_slice() else {
        report.error_hint(
            entry.node.position,
            format!("{} things are done to `{}` at once", kinds.len(), entry.key),
            "write one, as `{ delay: 200ms }`, and a fault of its own for each other",
        );
        return None;
    };
    let settings = settings(report, &kind.node)?;
    let kind = At {
        value: kind.key.clone(),
        position: kind.position,
        hidden: false,
    };
    Some(Blow {
        party,
        kind,
        settings,
    })
}

fn settings(report: &mut Report<'_>, node: &Node) -> Option<Settings> {
    let entries = match &node.value {
        Value::Null => return Some(Settings::None),
        Value::Map(entries) => entries,
        _ => return reader::text(report, node).map(Settings::One),
    };
    let read: Vec<_> = entries
        .iter()
        .map(|entry| {
            let value = reader::text(report, &entry.node)?;
            let key = At {
                value: entry.key.clone(),
                position: entry.position,
                hidden: false,
            };
            Some((key, value))
        })
        .collect();
    read.into_iter().collect::<Option<_>>().map(Settings::Map)
}

fn start(report: &mut Report<'_>, entry: &Entry) -> Option<Start> {
    match entry.key.as_str() {
        "at" => reader::text(report, &entry.node).map(Start::At),
        "after" => reader::value(report, &entry.node).map(Start::After),
        _ => reader::text(report, &entry.node).map(Start::When),
    }
}
