//! `truth`: where the authoritative state is read, and when it counts as final.

use super::super::model::{Backlog, BacklogOf, Query, Truth, TruthSource};
use super::super::node::{Entry, Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields, Given};
use super::super::report::Report;
use super::super::value::Pointer;
use super::{flow, resource};

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Truth> {
    let mut fields = Fields::behind(report, entry)?;
    fields.refuse(&["events"]);
    let issued = Given::read(fields.get("issued"), |entry| source(report, entry, true));
    let stock = Given::read(fields.get("stock"), |entry| source(report, entry, false));
    let remaining = fields.get("remaining");
    let remaining = Given::read(remaining, |entry| source(report, entry, false));
    let drain = fields.get("drain");
    let drain = drain.and_then(|entry| {
        let value = reader::flag(report, &entry.node)?;
        let position = entry.node.position;
        Some(At {
            value,
            position,
            hidden: false,
        })
    });
    let (mut quiet, mut within, mut pending) = (None, None, Vec::new());
    let settle = fields.get("settle");
    if let Some(mut fields) = settle.and_then(|entry| Fields::behind(report, entry)) {
        let entry = fields.get("quiet");
        quiet = entry.and_then(|entry| reader::value(report, &entry.node));
        let entry = fields.get("within");
        within = entry.and_then(|entry| reader::value(report, &entry.node));
        let items = fields.get("pending");
        let items = items.and_then(|entry| reader::items(report, &entry.node));
        let items = items.unwrap_or_default().iter();
        pending = items.filter_map(|item| backlog(report, item)).collect();
        fields.finish(report);
    }
    fields.finish(report);
    Some(Truth {
        issued,
        stock,
        remaining,
        quiet,
        within,
        pending,
        drain,
    })
}

/// A number as any other of the truth, or the lag of a consumer group.
fn backlog(report: &mut Report<'_>, node: &Node) -> Option<Backlog> {
    let mut fields = Fields::of(report, node, node.position)?;
    let kinds = ["sql", "redis", "http", "kafka"];
    let one = fields.one_of(report, &kinds, "how it is read");
    let offset = fields.get("offset");
    fields.finish(report);
    let one = one?;
    let of = if one.key == "kafka" {
        if let Some(offset) = offset {
            report.error_hint(
                offset.position,
                "`offset` cannot stand beside `kafka`",
                "leave it out: the lag of a group is read as it is",
            );
        }
        BacklogOf::Lag(resource::kafka(report, one)?)
    } else {
        BacklogOf::Number(number(report, one, offset)?)
    };
    let position = node.position;
    Some(Backlog { position, of })
}

fn number(report: &mut Report<'_>, one: &Entry, offset: Option<&Entry>) -> Option<TruthSource> {
    let offset = offset.map(|entry| offset_of(report, &entry.node));
    let query = query(report, one, false);
    Some(TruthSource {
        query: query?,
        offset: match offset {
            Some(offset) => offset?,
            None => 0,
        },
    })
}

fn source(report: &mut Report<'_>, entry: &Entry, rows: bool) -> Option<TruthSource> {
    let mut fields = Fields::behind(report, entry)?;
    let one = fields.one_of(report, &["sql", "redis", "http"], "how it is read");
    let offset = fields.get("offset");
    if let Some(offset) = offset.filter(|_| rows) {
        report.error_hint(
            offset.node.position,
            "an offset cannot say which of the rows does not count",
            "leave the sentinel out in the query; `offset` is for numbers",
        );
        return None;
    }
    fields.finish(report);
    let one = one?;
    if rows {
        let query = query(report, one, true)?;
        return Some(TruthSource { query, offset: 0 });
    }
    number(report, one, offset)
}

fn query(report: &mut Report<'_>, one: &Entry, rows: bool) -> Option<Query> {
    match one.key.as_str() {
        "sql" => sql(report, one),
        "redis" => redis(report, one),
        _ => http(report, one, rows),
    }
}

fn offset_of(report: &mut Report<'_>, node: &Node) -> Option<i64> {
    let text = reader::text(report, node)?;
    let offset: Option<i64> = text.value.parse().ok();
    if offset.is_none() {
        report.error_hint(
            node.position,
            format!("`{}` is not a whole number", text.shown()),
            "write it like `-1`",
        );
    }
    offset
}

fn sql(report: &mut Report<'_>, entry: &Entry) -> Option<Query> {
    let mut fields = Fields::behind(report, entry)?;
    fields.refuse(&["run"]);
    let hint = "where the database is: `url: \"${DB}\"`";
    let url = fields.need(report, "url", hint);
    let url = url.and_then(|entry| reader::text(report, &entry.node));
    let hint = "what is read: `query: SELECT user_id, id, created_at FROM coupons`";
    let query = fields.need(report, "query", hint);
    let query = query.and_then(|entry| reader::text(report, &entry.node));
    fields.finish(report);
    Some(Query::Sql {
        url: url?,
        query: query?,
    })
}

fn redis(report: &mut Report<'_>, entry: &Entry) -> Option<Query> {
    let mut fields = Fields::behind(report, entry)?;
    let hint = "where Redis is: `url: redis://127.0.0.1`";
    let url = fields.need(report, "url", hint);
    let url = url.and_then(|entry| reader::text(report, &entry.node));
    let hint = "what is read: `command: SMEMBERS issued`";
    let command = fields.need(report, "command", hint);
    let command = command.and_then(|entry| words(report, &entry.node));
    fields.finish(report);
    Some(Query::Redis {
        url: url?,
        command: command?,
    })
}

/// A command as a list of words, or as one line where blanks separate them.
pub(super) fn words(report: &mut Report<'_>, node: &Node) -> Option<Vec<At<String>>> {
    if matches!(node.value, Value::Seq(_)) {
        let items = reader::items(report, node)?;
        return items
            .iter()
            .map(|item| reader::text(report, item))
            .collect();
    }
    let line = reader::text(report, node)?;
    let word = |word: &str| At {
        value: word.to_owned(),
        ..line.clone()
    };
    Some(split(&line.value).into_iter().map(word).collect())
}

/// Blanks separate, but not within a template.
fn split(line: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), line.trim());
    while !rest.is_empty() {
        let mut end = 0;
        while let Some(next) = rest[end..]
            .chars()
            .next()
            .filter(|next| !next.is_whitespace())
        {
            let template = rest[end..].starts_with("{{");
            let closed = rest[end..].find("}}").filter(|_| template);
            end += closed.map_or(next.len_utf8(), |at| at + 2);
        }
        words.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    words
}

fn http(report: &mut Report<'_>, entry: &Entry, rows: bool) -> Option<Query> {
    let mut fields = Fields::behind(report, entry)?;
    let hint = "what is read: `get: /admin/issued`";
    let get = fields.need(report, "get", hint);
    let get = get.and_then(|entry| reader::text(report, &entry.node));
    let headers = fields.get("headers");
    let headers = headers.map(|entry| flow::headers_of(report, &entry.node));
    let at = pointer(report, fields.get("at"));
    let (mut user, mut id, mut time) = (Some(None), Some(None), Some(None));
    if rows {
        user = pointer(report, fields.get("user"));
        id = pointer(report, fields.get("id"));
        time = pointer(report, fields.get("time"));
    }
    fields.finish(report);
    Some(Query::Http {
        get: get?,
        headers: match headers {
            Some(headers) => headers?,
            None => Vec::new(),
        },
        at: at?.unwrap_or(Pointer::ROOT),
        user: user?,
        id: id?,
        time: time?,
    })
}

#[allow(clippy::option_option)] // Absent is right here, wrong is not.
fn pointer(report: &mut Report<'_>, entry: Option<&Entry>) -> Option<Option<Pointer>> {
    match entry {
        None => Some(None),
        Some(entry) => reader::value(report, &entry.node).map(|pointer| Some(pointer.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_within_a_template_do_not_separate() {
        assert_eq!(
            split("  GET  coupon:{{ coupon.id }}:stock 1 "),
            ["GET", "coupon:{{ coupon.id }}:stock", "1"]
        );
        assert_eq!(split("GET {{ open"), ["GET", "{{", "open"]);
        assert_eq!(split(""), [""; 0]);
    }
}
