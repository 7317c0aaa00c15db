//! `outcomes`: what an answer means, in order.

use super::super::model::{JsonMatch, Outcome};
use super::super::node::{Entry, Kind, Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields};
use super::super::report::Report;
use super::super::value::{HeaderName, HeaderValue, Name, Pattern, Pointer, Status};

/// The outcomes that are right, and whether all are.
pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> (Vec<Outcome>, bool) {
    let Some(entries) = reader::entries(report, &entry.node) else {
        return (Vec::new(), false);
    };
    if entries.is_empty() {
        report.error_hint(
            entry.position,
            "there is no outcome",
            "write one, such as `issued: 201`, or leave `outcomes` out",
        );
    }
    let outcomes: Vec<Outcome> = entries
        .iter()
        .filter_map(|entry| outcome(report, entry))
        .collect();
    let whole = outcomes.len() == entries.len() && !entries.is_empty();
    (outcomes, whole)
}

fn outcome(report: &mut Report<'_>, entry: &Entry) -> Option<Outcome> {
    let name = reader::key(report, entry);
    if !matches!(entry.node.value, Value::Map(_)) {
        // A bare number or list is short for the status.
        return Some(Outcome {
            status: statuses(report, &entry.node)?,
            name: name?,
            is: None,
            body: None,
            json: Vec::new(),
            headers: Vec::new(),
            matches: None,
            empty: None,
            id: None,
        });
    }
    let mut fields = Fields::behind(report, entry)?;
    let is = fields.get("is");
    let is = is.map(|entry| reader::text(report, &entry.node));
    let id = fields.get("id");
    let id = id.map(|entry| reader::value::<Pointer>(report, &entry.node));
    let outcome = conditions(report, fields, name)?;
    Some(Outcome {
        is: present(is)?,
        id: present(id)?.map(|pointer| pointer.value),
        ..outcome
    })
}

/// What an answer has to be like, under this name.
pub(super) fn conditions(
    report: &mut Report<'_>,
    mut fields: Fields<'_>,
    name: Option<At<Name>>,
) -> Option<Outcome> {
    let status = fields.get("status");
    let status = status.map(|entry| statuses(report, &entry.node));
    let body = fields.get("body");
    let body = body.map(|entry| reader::text(report, &entry.node));
    let json = fields.get("json");
    let json = json.map(|entry| json_matches(report, &entry.node));
    let headers = fields.get("header");
    let headers = headers.map(|entry| header_matches(report, &entry.node));
    let matches = fields.get("matches");
    let matches = matches.map(|entry| reader::value::<Pattern>(report, &entry.node));
    let empty = fields.get("empty");
    let empty = empty.map(|entry| empty_of(report, entry, body.is_some() || json.is_some()));
    fields.finish(report);
    Some(Outcome {
        name: name?,
        is: None,
        status: present(status)?.unwrap_or_default(),
        body: present(body)?.map(|text| text.value),
        json: present(json)?.unwrap_or_default(),
        headers: present(headers)?.unwrap_or_default(),
        matches: present(matches)?.map(|pattern| pattern.value),
        empty: present(empty)?,
        id: None,
    })
}

fn empty_of(report: &mut Report<'_>, entry: &Entry, has_content: bool) -> Option<bool> {
    let empty = reader::flag(report, &entry.node)?;
    if empty && has_content {
        report.error_hint(
            entry.position,
            "an empty body holds neither text nor JSON",
            "keep `empty`, or what the body holds",
        );
        return None;
    }
    Some(empty)
}

/// Absent stays absent; there but wrong makes the whole wrong.
#[allow(clippy::option_option)] // Absent is right here, wrong is not.
fn present<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    match part {
        None => Some(None),
        Some(part) => part.map(Some),
    }
}

fn statuses(report: &mut Report<'_>, node: &Node) -> Option<Vec<Status>> {
    let items = reader::one_or_many(node);
    if items.is_empty() {
        report.error_hint(
            node.position,
            "the list of statuses is empty",
            "write a number, a class such as `4xx`, or leave `status` out",
        );
        return None;
    }
    let read: Vec<_> = items
        .iter()
        .map(|item| reader::value(report, item).map(|status| status.value))
        .collect();
    read.into_iter().collect()
}

fn json_matches(report: &mut Report<'_>, node: &Node) -> Option<Vec<(Pointer, JsonMatch)>> {
    let read: Vec<_> = reader::entries(report, node)?
        .iter()
        .map(|entry| {
            let pointer = reader::key::<Pointer>(report, entry);
            let matched = json_match(report, entry);
            Some((pointer?.value, matched?))
        })
        .collect();
    read.into_iter().collect()
}

fn json_match(report: &mut Report<'_>, entry: &Entry) -> Option<JsonMatch> {
    match &entry.node.value {
        Value::Null | Value::Scalar(_) => Some(JsonMatch::Equals(reader::json(&entry.node))),
        Value::Seq(list) => {
            let nested = |item: &&Node| matches!(item.value, Value::Seq(_) | Value::Map(_));
            if let Some(item) = list.iter().find(nested) {
                report.error(
                    item.position,
                    format!("expected one of several values, found {}", item.describe()),
                );
                return None;
            }
            if list.is_empty() {
                report.error(entry.position, "the list of values is empty");
                return None;
            }
            Some(JsonMatch::AnyOf(list.iter().map(reader::json).collect()))
        }
        Value::Map(_) => {
            let mut fields = Fields::of(report, &entry.node, entry.position)?;
            let hint = "write a value, a list of values, or `{ exists: true }`";
            let exists = fields.need(report, "exists", hint);
            fields.finish(report);
            reader::flag(report, &exists?.node).map(JsonMatch::Exists)
        }
    }
}

fn header_matches(
    report: &mut Report<'_>,
    node: &Node,
) -> Option<Vec<(HeaderName, Option<HeaderValue>)>> {
    let read: Vec<_> = reader::entries(report, node)?
        .iter()
        .map(|entry| {
            let name = reader::key::<HeaderName>(report, entry);
            let is_true = matches!(&entry.node.value,
                Value::Scalar(scalar) if scalar.kind == Kind::Bool(true));
            let value = if is_true {
                None
            } else {
                Some(reader::value::<HeaderValue>(report, &entry.node)?.value)
            };
            Some((name?.value, value))
        })
        .collect();
    read.into_iter().collect()
}
