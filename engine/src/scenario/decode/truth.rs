//! `truth`: where the authoritative state is read, and when it counts as final.

use super::super::model::{Backlog, BacklogOf, EventSource, Pages, Query, Truth, TruthSource};
use super::super::node::{Entry, Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields, Given};
use super::super::report::Report;
use super::super::value::Pointer;
use super::{flow, resource};

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Truth> {
    let mut fields = Fields::behind(report, entry)?;
    let mut read = |key, shape| {
        let entry = fields.get(key);
        Given::read(entry, |entry| source(report, entry, shape))
    };
    let issued = read("issued", Shape::Rows);
    let stock = read("stock", Shape::Number);
    let remaining = read("remaining", Shape::Number);
    let outbox = read("outbox", Shape::Ids);
    let effects = read("effects", Shape::Ids);
    let events = Given::read(fields.get("events"), |entry| events(report, entry));
    let delivery = ["outbox", "events", "effects"].map(|key| fields.get(key));
    let delivery = delivery.into_iter().flatten().next();
    let delivery = delivery.map(|entry| entry.position);
    let mut rows_of = |key| {
        let entry = fields.get(key);
        Given::read(entry, |entry| table(report, entry))
    };
    let seats = rows_of("seats");
    let ledger = rows_of("ledger");
    let balances = rows_of("balances");
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
        outbox,
        events,
        effects,
        delivery,
        seats,
        ledger,
        balances,
        quiet,
        within,
        pending,
        drain,
    })
}

/// What a source is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Rows,
    Ids,
    Number,
}

fn events(report: &mut Report<'_>, entry: &Entry) -> Option<EventSource> {
    let mut fields = Fields::behind(report, entry)?;
    let hint =
        "where the events are: `kafka: { brokers: \"127.0.0.1:9092\", topic: coupon-issued }`";
    let kafka = fields.need(report, "kafka", hint);
    fields.finish(report);
    let mut fields = Fields::behind(report, kafka?)?;
    let mut need = |key, hint: &str| {
        let entry = fields.need(report, key, hint);
        entry.and_then(|entry| reader::text(report, &entry.node))
    };
    let brokers = need(
        "brokers",
        "where they listen: `brokers: \"127.0.0.1:9092\"`",
    );
    let topic = need("topic", "what is read: `topic: coupon-issued`");
    let id = pointer(report, fields.get("id"));
    let sequence = pointer(report, fields.get("sequence"));
    let coupon = fields.get("coupon");
    let coupon = coupon.map(|entry| reader::value(report, &entry.node));
    fields.finish(report);
    Some(EventSource {
        brokers: brokers?,
        topic: topic?,
        id: id?,
        sequence: sequence?,
        coupon: match coupon {
            Some(coupon) => Some(coupon?),
            None => None,
        },
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
    let query = query(report, one, Shape::Number);
    Some(TruthSource {
        query: query?,
        offset: match offset {
            Some(offset) => offset?,
            None => 0,
        },
    })
}

fn source(report: &mut Report<'_>, entry: &Entry, shape: Shape) -> Option<TruthSource> {
    let mut fields = Fields::behind(report, entry)?;
    let one = fields.one_of(report, &["sql", "redis", "http"], "how it is read");
    let offset = match shape {
        Shape::Ids => None,
        Shape::Rows | Shape::Number => fields.get("offset"),
    };
    if let Some(offset) = offset.filter(|_| shape == Shape::Rows) {
        report.error_hint(
            offset.node.position,
            "an offset cannot say which of the rows does not count",
            "leave the sentinel out in the query; `offset` is for numbers",
        );
        return None;
    }
    fields.finish(report);
    let one = one?;
    if shape == Shape::Number {
        return number(report, one, offset);
    }
    let query = query(report, one, shape)?;
    Some(TruthSource { query, offset: 0 })
}

/// Rows whose columns have a meaning by their position: only SQL has such.
fn table(report: &mut Report<'_>, entry: &Entry) -> Option<TruthSource> {
    let mut fields = Fields::behind(report, entry)?;
    let hint = "how it is read: `sql: { url: \"${DB}\", query: SELECT ... }`";
    let one = fields.need(report, "sql", hint);
    fields.finish(report);
    let query = sql(report, one?, Shape::Ids)?;
    Some(TruthSource { query, offset: 0 })
}

fn query(report: &mut Report<'_>, one: &Entry, shape: Shape) -> Option<Query> {
    match one.key.as_str() {
        "sql" => sql(report, one, shape),
        "redis" => redis(report, one),
        _ => http(report, one, shape),
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

fn sql(report: &mut Report<'_>, entry: &Entry, shape: Shape) -> Option<Query> {
    let mut fields = Fields::behind(report, entry)?;
    fields.refuse(&["run"]);
    let hint = "where the database is: `url: \"${DB}\"`";
    let url = fields.need(report, "url", hint);
    let url = url.and_then(|entry| reader::text(report, &entry.node));
    let hint = "what is read: `query: SELECT user_id, id, created_at FROM coupons`";
    let query = fields.need(report, "query", hint);
    let query = query.and_then(|entry| reader::text(report, &entry.node));
    let pages = match shape {
        Shape::Rows => pages(report, &mut fields),
        Shape::Ids | Shape::Number => Some(None),
    };
    fields.finish(report);
    Some(Query::Sql {
        url: url?,
        query: query?,
        pages: pages?,
    })
}

#[allow(clippy::option_option)] // Absent is right here, wrong is not.
fn pages(report: &mut Report<'_>, fields: &mut Fields<'_>) -> Option<Option<Pages>> {
    let key = fields.get("key");
    let key = key.map(|entry| reader::text(report, &entry.node));
    let page = fields.get("page");
    if let Some(page) = page.filter(|_| key.is_none()) {
        report.error_hint(
            page.position,
            "`page` says how many rows are read at a time, and `key` is missing",
            "name a column of the query that never changes: `key: id`",
        );
        return None;
    }
    let rows = page.map(|entry| reader::value(report, &entry.node));
    let Some(key) = key else { return Some(None) };
    let rows = match rows {
        Some(rows) => Some(rows?),
        None => None,
    };
    Some(Some(Pages { key: key?, rows }))
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

fn http(report: &mut Report<'_>, entry: &Entry, shape: Shape) -> Option<Query> {
    let mut fields = Fields::behind(report, entry)?;
    let hint = "what is read: `get: /admin/issued`";
    let get = fields.need(report, "get", hint);
    let get = get.and_then(|entry| reader::text(report, &entry.node));
    let headers = fields.get("headers");
    let headers = headers.map(|entry| flow::headers_of(report, &entry.node));
    let at = pointer(report, fields.get("at"));
    let (mut user, mut id, mut time) = (Some(None), Some(None), Some(None));
    match shape {
        Shape::Rows => {
            user = pointer(report, fields.get("user"));
            id = pointer(report, fields.get("id"));
            time = pointer(report, fields.get("time"));
        }
        // What a row is read for stands where else its user does.
        Shape::Ids => user = pointer(report, fields.get("id")),
        Shape::Number => {}
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
