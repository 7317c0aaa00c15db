//! `target.parts`: what faults may break of a system that already runs.

use super::super::node::{Entry, Node};
use super::super::parts::{OWN_PARTIES, OwnFound, OwnPart};
use super::super::position::At;
use super::super::reader::{self, Fields};
use super::super::report::Report;

const FOUND: [&str; 4] = ["pid", "pid_file", "container", "service"];

/// `None` when something is wrong, which was reported.
pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Vec<OwnPart>> {
    let mut fields = Fields::behind(report, entry)?;
    let mut parts = Some(Vec::new());
    for party in OWN_PARTIES {
        let Some(entry) = fields.get(party) else {
            continue;
        };
        let nodes = reader::one_or_many(&entry.node);
        if nodes.is_empty() {
            let hint = format!("write at least one: `{party}: {{ container: NAME }}`");
            report.error_hint(entry.position, format!("`{party}` has no part"), hint);
            parts = None;
        }
        for node in nodes {
            let part = part(report, party, node);
            parts = parts.zip(part).map(|(mut parts, part)| {
                parts.push(part);
                parts
            });
        }
    }
    fields.finish(report);
    parts
}

fn part(report: &mut Report<'_>, party: &str, node: &Node) -> Option<OwnPart> {
    let mut fields = Fields::of(report, node, node.position)?;
    let found = found(&mut fields, report);
    let mut text = |key| optional(report, fields.get(key));
    let start = text("start");
    let url = if party == "kafka" {
        Ok(None)
    } else {
        text("url")
    };
    let [admin, via] = match party {
        "redis" => [Ok(None), text("via")],
        "database" => [text("admin"), text("via")],
        _ => [Ok(None), Ok(None)],
    };
    let [broker, topic] = match party {
        "kafka" => [text("broker"), text("topic")],
        _ => [Ok(None), Ok(None)],
    };
    fields.finish(report);
    Some(OwnPart {
        position: node.position,
        party: party.to_owned(),
        found: found.ok()?,
        start: start.ok()?,
        url: url.ok()?,
        admin: admin.ok()?,
        via: via.ok()?,
        broker: broker.ok()?,
        topic: topic.ok()?,
    })
}

/// It is there and wrong, which was reported.
struct Wrong;

fn optional(report: &mut Report<'_>, entry: Option<&Entry>) -> Result<Option<At<String>>, Wrong> {
    let read = entry.map(|entry| reader::text(report, &entry.node).ok_or(Wrong));
    read.transpose()
}

/// At most one of the ways to find it.
fn found(fields: &mut Fields<'_>, report: &mut Report<'_>) -> Result<Option<OwnFound>, Wrong> {
    let ways = FOUND.map(|key| fields.get(key));
    let mut ways = ways.into_iter().flatten();
    let Some(first) = ways.next() else {
        return Ok(None);
    };
    if let Some(other) = ways.next() {
        let message = format!("`{}` cannot stand beside `{}`", other.key, first.key);
        report.error_hint(other.position, message, "keep one of them");
        return Err(Wrong);
    }
    if first.key == "pid" {
        let pid = reader::value(report, &first.node);
        return pid.map(OwnFound::Pid).map(Some).ok_or(Wrong);
    }
    let text = reader::text(report, &first.node).ok_or(Wrong)?;
    Ok(Some(match first.key.as_str() {
        "pid_file" => OwnFound::PidFile(text),
        "container" => OwnFound::Container(text),
        _ => OwnFound::Service(text),
    }))
}
