//! `flows`: what one iteration does, as a list of requests and pauses.

use super::super::model::{Body, Flow, Request, Step};
use super::super::node::{Entry, Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields, Given};
use super::super::report::Report;
use super::super::value::{HeaderName, HeaderValue, Span};
use super::{capture, outcome, steps};

pub(super) const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "head"];

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Vec<Flow> {
    let Some(entries) = reader::entries(report, &entry.node) else {
        return Vec::new();
    };
    if entries.is_empty() {
        report.error_hint(
            entry.position,
            "there is no flow",
            "write one: `issue: [ { post: /issue } ]`",
        );
    }
    entries
        .iter()
        .filter_map(|entry| flow(report, entry))
        .collect()
}

fn flow(report: &mut Report<'_>, entry: &Entry) -> Option<Flow> {
    let name = reader::key(report, entry)?;
    let items = reader::items(report, &entry.node);
    if items.is_some_and(<[Node]>::is_empty) {
        report.error_hint(
            entry.position,
            format!("the flow `{}` has no step", entry.key),
            "write one: `- post: /issue`",
        );
    }
    let (steps, whole) = steps::list(report, items.unwrap_or_default());
    Some(Flow {
        name,
        whole: whole && !steps.is_empty(),
        steps,
    })
}

pub(super) fn think(report: &mut Report<'_>, node: &Node) -> Option<Step> {
    if !matches!(node.value, Value::Map(_)) {
        let span: At<Span> = reader::value(report, node)?;
        return Some(Step::Think(span.value, span.value));
    }
    let mut fields = Fields::of(report, node, node.position)?;
    let hint = "write `think: { from: 1s, to: 3s }`";
    let from = fields.need(report, "from", hint);
    let from = from.and_then(|entry| reader::value::<Span>(report, &entry.node));
    let to = fields.need(report, "to", hint);
    let to = to.and_then(|entry| reader::value::<Span>(report, &entry.node));
    fields.finish(report);
    let (from, to) = (from?, to?);
    if to.value < from.value {
        report.error_hint(to.position, "`to` is below `from`", hint);
        return None;
    }
    Some(Step::Think(from.value, to.value))
}

/// Reads a request out of these fields and reports what is not part of it.
pub(super) fn request(report: &mut Report<'_>, mut fields: Fields<'_>) -> Option<Request> {
    let request = request_of(report, &mut fields);
    fields.finish(report);
    request
}

/// Reads a request out of these fields, which may hold more.
pub(super) fn request_of(report: &mut Report<'_>, fields: &mut Fields<'_>) -> Option<Request> {
    let position = fields.position();
    let name = fields.get("name");
    let name = Given::read(name, |entry| reader::value(report, &entry.node));
    let method = fields.one_of(report, &METHODS, "the request");
    let path = method.and_then(|entry| reader::text(report, &entry.node));
    let headers = fields.get("headers");
    let headers = Given::read(headers, |entry| headers_of(report, &entry.node));
    let query = Given::read(fields.get("query"), |entry| pairs(report, &entry.node));
    let body = body(report, fields);
    let timeout = fields.get("timeout");
    let timeout = Given::read(timeout, |entry| timeout_of(report, &entry.node));
    let (outcomes, outcomes_whole) = fields
        .get("outcomes")
        .map_or((Vec::new(), true), |entry| outcome::read(report, entry));
    let captures = Given::read(fields.get("capture"), |entry| capture::read(report, entry));
    let method = method?;
    // What is right is kept beside what is wrong, so that its own errors are seen too.
    Some(Request {
        position,
        method: METHODS.into_iter().find(|name| *name == method.key)?,
        path: path?,
        whole: outcomes_whole
            && body.is_some()
            && !name.is_broken()
            && !headers.is_broken()
            && !query.is_broken()
            && !timeout.is_broken()
            && !captures.is_broken(),
        name: name.into_value(),
        headers: headers.into_value().unwrap_or_default(),
        query: query.into_value().unwrap_or_default(),
        body: body.unwrap_or(Body::None),
        timeout: timeout.into_value(),
        outcomes,
        captures: captures.into_value().unwrap_or_default(),
    })
}

pub(super) fn timeout_of(report: &mut Report<'_>, node: &Node) -> Option<At<Span>> {
    let timeout: At<Span> = reader::value(report, node)?;
    if timeout.value.0.is_zero() {
        report.error(timeout.position, "expected a length of time above zero");
        return None;
    }
    Some(timeout)
}

fn body(report: &mut Report<'_>, fields: &mut Fields<'_>) -> Option<Body> {
    let found: Vec<&Entry> = ["json", "form", "text"]
        .into_iter()
        .filter_map(|key| fields.get(key))
        .collect();
    match found.as_slice() {
        [] => Some(Body::None),
        [entry] => match entry.key.as_str() {
            "json" => Some(Body::Json(entry.node.clone())),
            "form" => pairs(report, &entry.node).map(Body::Form),
            _ => reader::text(report, &entry.node).map(Body::Text),
        },
        [first, others @ ..] => {
            for other in others {
                report.error_hint(
                    other.position,
                    format!("`{}` cannot stand beside `{}`", other.key, first.key),
                    "a request has one body: keep one of them",
                );
            }
            None
        }
    }
}

fn pairs(report: &mut Report<'_>, node: &Node) -> Option<Vec<(String, At<String>)>> {
    reader::entries(report, node)?
        .iter()
        .map(|entry| reader::text(report, &entry.node).map(|text| (entry.key.clone(), text)))
        .collect()
}

/// Headers by name. All wrong ones are reported.
pub(super) fn headers_of(
    report: &mut Report<'_>,
    node: &Node,
) -> Option<Vec<(At<HeaderName>, At<HeaderValue>)>> {
    let read: Vec<_> = reader::entries(report, node)?
        .iter()
        .map(|entry| {
            let name: Option<At<HeaderName>> = reader::key(report, entry);
            let value = reader::value(report, &entry.node);
            let name = name?;
            // Bytes on the connection are counted by these; a wrong one desynchronises it.
            if ["content-length", "transfer-encoding", "connection"].contains(&name.value.as_str())
            {
                report.error_hint(
                    name.position,
                    format!("the header `{}` is set by the client itself", entry.key),
                    "remove it",
                );
                return None;
            }
            Some((name, value?))
        })
        .collect();
    read.into_iter().collect()
}
