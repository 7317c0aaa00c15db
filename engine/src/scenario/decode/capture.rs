//! `capture`: what is kept of an answer, by name.

use super::super::model::{Capture, CaptureFrom};
use super::super::node::{Entry, Value};
use super::super::reader::{self, Fields};
use super::super::report::Report;

const SOURCES: [&str; 4] = ["json", "header", "cookie", "matches"];

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Vec<Capture>> {
    let entries = reader::entries(report, &entry.node)?;
    if entries.is_empty() {
        report.error_hint(
            entry.position,
            "nothing is captured",
            "write a name and a JSON pointer: `capture: { order: /id }`",
        );
        return None;
    }
    let read: Vec<_> = entries.iter().map(|entry| capture(report, entry)).collect();
    read.into_iter().collect()
}

fn capture(report: &mut Report<'_>, entry: &Entry) -> Option<Capture> {
    let name = reader::key(report, entry);
    if !matches!(entry.node.value, Value::Map(_)) {
        // A bare text is short for a JSON pointer.
        return Some(Capture {
            from: CaptureFrom::Json(reader::value(report, &entry.node)?.value),
            name: name?,
            secret: false,
        });
    }
    let mut fields = Fields::behind(report, entry)?;
    let secret = fields.get("secret");
    let secret = secret.map(|entry| reader::flag(report, &entry.node));
    let source = fields.one_of(report, &SOURCES, "where the value stands");
    let from = source.and_then(|source| from(report, source));
    fields.finish(report);
    Some(Capture {
        name: name?,
        from: from?,
        secret: secret.unwrap_or(Some(false))?,
    })
}

fn from(report: &mut Report<'_>, source: &Entry) -> Option<CaptureFrom> {
    let node = &source.node;
    Some(match source.key.as_str() {
        "json" => CaptureFrom::Json(reader::value(report, node)?.value),
        "header" => CaptureFrom::Header(reader::value(report, node)?.value),
        "cookie" => CaptureFrom::Cookie(reader::text(report, node)?.value),
        _ => CaptureFrom::Matches(reader::value(report, node)?.value),
    })
}
