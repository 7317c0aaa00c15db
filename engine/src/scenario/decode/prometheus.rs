//! `outputs.prometheus`: a page that is scraped, and where series are written to.

use std::str::FromStr;

use super::super::model::{Prometheus, RemoteWrite};
use super::super::node::Entry;
use super::super::position::At;
use super::super::reader::{self, Fields, Given};
use super::super::report::Report;
use super::super::value::ValueError;
use super::auth;

/// `None` if anything in it is wrong.
pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Prometheus> {
    let mut fields = Fields::behind(report, entry)?;
    let listen = optional(report, fields.get("listen"));
    let remote_write = fields.get("remote_write");
    let is_empty = listen.is_absent() && remote_write.is_none();
    fields.finish(report);
    if is_empty {
        report.error_hint(
            entry.position,
            "`prometheus` says neither how it is scraped nor where it is written to",
            "write `prometheus: { listen: \"127.0.0.1:9464\" }`, or `remote_write` with its `url`",
        );
        return None;
    }
    let remote_write = match remote_write {
        None => None,
        Some(entry) => Some(self::remote_write(report, entry)?),
    };
    if listen.is_broken() {
        return None;
    }
    Some(Prometheus {
        listen: listen.into_value(),
        remote_write,
    })
}

fn remote_write(report: &mut Report<'_>, entry: &Entry) -> Option<RemoteWrite> {
    let mut fields = Fields::behind(report, entry)?;
    let hint = "where series are written to: `url: \"http://127.0.0.1:9090/api/v1/write\"`";
    let url = fields.need(report, "url", hint);
    let url = url.and_then(|entry| reader::value(report, &entry.node));
    let auth = Given::read(fields.get("auth"), |entry| auth::read(report, entry));
    let every = optional(report, fields.get("every"));
    let drain = optional(report, fields.get("drain"));
    fields.finish(report);
    if auth.is_broken() || every.is_broken() || drain.is_broken() {
        return None;
    }
    Some(RemoteWrite {
        url: url?,
        auth: auth.into_value(),
        every: every.into_value(),
        drain: drain.into_value(),
    })
}

fn optional<T: FromStr<Err = ValueError>>(
    report: &mut Report<'_>,
    entry: Option<&Entry>,
) -> Given<At<T>> {
    Given::read(entry, |entry| reader::value(report, &entry.node))
}
