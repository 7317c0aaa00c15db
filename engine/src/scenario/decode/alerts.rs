//! `alerts`: who says that something is wrong, beside the load.

use super::super::model::Alerts;
use super::super::node::Entry;
use super::super::position::At;
use super::super::reader::{self, Fields, Given};
use super::super::report::Report;
use super::auth;

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Alerts> {
    let mut fields = Fields::behind(report, entry)?;
    let hint = "where its HTTP API is: `prometheus: \"http://127.0.0.1:9090\"`";
    let prometheus = fields.need(report, "prometheus", hint);
    let prometheus = prometheus.and_then(|entry| reader::text(report, &entry.node));
    let auth = Given::read(fields.get("auth"), |entry| auth::read(report, entry));
    let only = fields.get("only");
    fields.finish(report);
    let only = match only {
        None => Vec::new(),
        Some(entry) => names(report, entry)?,
    };
    Some(Alerts {
        position: entry.position,
        prometheus: prometheus?,
        auth: auth.into_value(),
        only,
    })
}

/// A list that names nothing would watch nothing.
fn names(report: &mut Report<'_>, entry: &Entry) -> Option<Vec<At<String>>> {
    let items = reader::one_or_many(&entry.node);
    let names: Option<Vec<_>> = items
        .iter()
        .map(|item| reader::text(report, item))
        .collect();
    if items.is_empty() {
        report.error_hint(
            entry.position,
            "`only` names no alert",
            "name those that are meant, or leave it out to watch all of them",
        );
        return None;
    }
    names
}
