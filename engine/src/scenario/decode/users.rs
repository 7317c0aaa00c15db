//! `users`: how many there are, how they are taken, and what each is called.

use super::super::identity::{RecordSource, Users};
use super::super::node::{Entry, Kind, Node, Value};
use super::super::position::{At, Position};
use super::super::reader::{self, Fields, Given};
use super::super::report::Report;
use super::token;

/// `tree` is the whole scenario, whose templates say which columns are used.
pub(super) fn read(report: &mut Report<'_>, entry: &Entry, tree: &Node) -> Option<Users> {
    let mut fields = Fields::behind(report, entry)?;
    let mut users = Users {
        position: entry.position,
        pool: None,
        repeat: None,
        random: None,
        per: None,
        id: None,
        from: Given::Absent,
        token: Given::Absent,
        cookies: false,
        columns: Vec::new(),
    };
    let pool = fields.get("pool");
    users.pool = pool.and_then(|entry| reader::value(report, &entry.node));
    let repeat = fields.get("repeat");
    users.repeat = repeat.and_then(|entry| reader::value(report, &entry.node));
    let random = fields.get("random");
    users.random = random.and_then(|entry| flag(report, entry));
    let per = fields.get("per");
    users.per = per.and_then(|entry| reader::text(report, &entry.node));
    let id = fields.get("id");
    users.id = id.and_then(|entry| reader::text(report, &entry.node));
    users.from = Given::read(fields.get("from"), |entry| from(report, entry));
    users.token = Given::read(fields.get("token"), |entry| token::read(report, entry));
    let cookies = fields.get("cookies");
    let cookies = cookies.and_then(|entry| reader::flag(report, &entry.node));
    users.cookies = cookies.unwrap_or(false);
    if !users.from.is_absent() {
        columns(tree, &mut users.columns);
    }
    fields.finish(report);
    Some(users)
}

fn from(report: &mut Report<'_>, entry: &Entry) -> Option<RecordSource> {
    let mut fields = Fields::behind(report, entry)?;
    let one = fields.one_of(
        report,
        &["csv", "jsonl", "sql"],
        "what the users are read from",
    );
    fields.finish(report);
    let one = one?;
    match one.key.as_str() {
        "csv" => file(report, &one.node).map(RecordSource::Csv),
        "jsonl" => file(report, &one.node).map(RecordSource::JsonLines),
        _ => sql(report, one),
    }
}

fn file(report: &mut Report<'_>, node: &Node) -> Option<At<String>> {
    let file = reader::text(report, node)?;
    if file.value.trim().is_empty() {
        report.error_hint(
            file.position,
            "the file has no name",
            "write `csv: users.csv`",
        );
        return None;
    }
    Some(file)
}

fn sql(report: &mut Report<'_>, entry: &Entry) -> Option<RecordSource> {
    let mut fields = Fields::behind(report, entry)?;
    let url = fields.need(report, "url", "where the database is: `url: \"${DB}\"`");
    let url = url.and_then(|entry| reader::text(report, &entry.node));
    let hint = "what is read: `query: SELECT id, token FROM members ORDER BY id`";
    let query = fields.need(report, "query", hint);
    let query = query.and_then(|entry| reader::text(report, &entry.node));
    fields.finish(report);
    Some(RecordSource::Sql {
        url: url?,
        query: query?,
    })
}

/// The names that templates anywhere in the scenario take from the users' records.
fn columns(node: &Node, found: &mut Vec<At<String>>) {
    match &node.value {
        Value::Seq(list) => list.iter().for_each(|item| columns(item, found)),
        Value::Map(entries) => {
            for entry in entries {
                columns_of(&entry.key, entry.position, found);
                columns(&entry.node, found);
            }
        }
        Value::Scalar(scalar) if scalar.kind == Kind::Text => {
            columns_of(&scalar.text, node.position, found);
        }
        Value::Null | Value::Scalar(_) => {}
    }
}

fn columns_of(text: &str, position: Position, found: &mut Vec<At<String>>) {
    for piece in text.split("{{").skip(1) {
        let name = piece.split_once("}}").map_or("", |(name, _)| name);
        let name = name.split('|').next().unwrap_or_default().trim();
        if let Some(column) = name
            .strip_prefix("user.")
            .filter(|column| !column.is_empty())
        {
            found.push(At {
                value: column.to_owned(),
                position,
                hidden: false,
            });
        }
    }
}

fn flag(report: &mut Report<'_>, entry: &Entry) -> Option<At<bool>> {
    let value = reader::flag(report, &entry.node)?;
    Some(At {
        value,
        position: entry.position,
        hidden: false,
    })
}
