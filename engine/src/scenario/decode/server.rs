//! `target.stack.server`: how the bundled server works, and how many processes of it there are.

use std::fmt;

use super::super::node::{Entry, Value};
use super::super::position::At;
use super::super::reader::{self, Fields, did_you_mean};
use super::super::report::Report;
use super::super::server::{
    LONGEST, ROLES, Replicas, Row, SETTINGS, Server, ServerSetting, SettingKind,
};
use super::super::value::{Count, Share, Span};

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Server> {
    let mut fields = Fields::behind(report, entry)?;
    let text = |report: &mut Report<'_>, entry: Option<&Entry>| {
        entry.and_then(|entry| reader::text(report, &entry.node))
    };
    let strategy = text(report, fields.get("strategy"));
    let bug = text(report, fields.get("bug"));
    let replicas = fields.get("replicas");
    let replicas = replicas.and_then(|entry| self::replicas(report, entry));
    let mut settings = Vec::new();
    for row in &SETTINGS {
        let written = fields.get(row.key);
        settings.extend(written.and_then(|entry| setting(report, entry, row)));
    }
    fields.finish(report);
    Some(Server {
        strategy,
        bug,
        replicas,
        settings,
    })
}

fn replicas(report: &mut Report<'_>, entry: &Entry) -> Option<Replicas> {
    if !matches!(entry.node.value, Value::Map(_)) {
        return reader::value(report, &entry.node).map(Replicas::Issuing);
    }
    let mut fields = Fields::behind(report, entry)?;
    let mut counts = Vec::new();
    for (role, _) in ROLES {
        let written = fields.get(role);
        let count = written.and_then(|entry| reader::value(report, &entry.node));
        counts.extend(count.map(|count| (role, count)));
    }
    fields.finish(report);
    Some(Replicas::ByRole(counts))
}

fn setting(report: &mut Report<'_>, entry: &Entry, row: &'static Row) -> Option<ServerSetting> {
    let (argument, shown) = match &row.kind {
        SettingKind::Count { least, most } => {
            let count = reader::value::<Count>(report, &entry.node)?;
            if !(*least..=*most).contains(&count.value.0) {
                let hint = format!("write a number from {least} to {}", Count(*most));
                return refused(report, entry, &count, hint);
            }
            (count.value.0.to_string(), count.value.to_string())
        }
        SettingKind::Span { unit, least } => {
            let span = reader::value::<Span>(report, &entry.node)?;
            let whole = unit.whole(span.value.0);
            let Some(whole) = whole.filter(|_| (*least..=LONGEST).contains(&span.value.0)) else {
                let unit = unit.in_words();
                let (least, most) = (Span(*least), Span(LONGEST));
                let hint = format!("write whole {unit}, from {least} to {most}");
                return refused(report, entry, &span, hint);
            };
            (whole.to_string(), span.value.to_string())
        }
        SettingKind::Share => {
            let share = reader::value::<Share>(report, &entry.node)?;
            if share.value.0 >= 1.0 {
                return refused(report, entry, &share, "write less than 100%".to_owned());
            }
            (share.value.0.to_string(), share.value.to_string())
        }
        SettingKind::Flag => {
            let flag = reader::flag(report, &entry.node)?;
            (flag.to_string(), flag.to_string())
        }
        SettingKind::Words(words) => {
            let word = reader::text(report, &entry.node)?;
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            if !known.contains(&word.value.as_str()) {
                let hint = did_you_mean(&word.value, &known);
                return refused(report, entry, &word, hint);
            }
            (word.value.clone(), word.value)
        }
    };
    Some(ServerSetting {
        row,
        position: entry.position,
        argument,
        shown,
    })
}

fn refused<T, V: fmt::Display>(
    report: &mut Report<'_>,
    entry: &Entry,
    value: &At<V>,
    hint: String,
) -> Option<T> {
    let shown = if value.hidden {
        "what the environment holds".to_owned()
    } else {
        format!("`{}`", value.value)
    };
    let message = format!("`{}` cannot be {shown}", entry.key);
    report.error_hint(value.position, message, hint);
    None
}
