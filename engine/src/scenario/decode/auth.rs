//! `target.auth`: what every request proves itself with.

use super::super::identity::Auth;
use super::super::node::Entry;
use super::super::reader::{self, Fields};
use super::super::report::Report;

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Auth> {
    let mut fields = Fields::behind(report, entry)?;
    let one = fields.one_of(
        report,
        &["basic", "bearer"],
        "how requests prove themselves",
    );
    fields.finish(report);
    let one = one?;
    if one.key == "bearer" {
        return reader::text(report, &one.node).map(Auth::Bearer);
    }
    let mut fields = Fields::behind(report, one)?;
    let hint = "write `basic: { user: admin, password: \"${PASSWORD}\" }`";
    let user = fields.need(report, "user", hint);
    let user = user.and_then(|entry| reader::text(report, &entry.node));
    let password = fields.need(report, "password", hint);
    let password = password.and_then(|entry| reader::text(report, &entry.node));
    fields.finish(report);
    let (user, password) = (user?, password?);
    if user.value.contains(':') {
        report.error_hint(
            user.position,
            "the user of `basic` holds a `:`, which ends its name (RFC 7617)",
            "write the user without it",
        );
        return None;
    }
    Some(Auth::Basic { user, password })
}
