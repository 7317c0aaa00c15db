//! `outputs`: what leaves the run while it goes on, and where to.

use super::super::model::{FileOutput, Influxdb, InfluxdbTo, Outputs};
use super::super::node::{Entry, Node};
use super::super::position::At;
use super::super::reader::{self, Fields, Given};
use super::super::report::Report;
use super::super::value::{OutputMode, ValueError};
use super::prometheus;
use std::str::FromStr;

/// `None` if anything in it is wrong.
pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Outputs> {
    let mut fields = Fields::behind(report, entry)?;
    let influxdb = fields.get("influxdb");
    let json = fields.get("json");
    let csv = fields.get("csv");
    let prometheus = fields.get("prometheus");
    fields.finish(report);
    let influxdb: Option<Vec<Influxdb>> = match influxdb {
        None => Some(Vec::new()),
        Some(entry) => all(reader::one_or_many(&entry.node), |node| {
            self::influxdb(report, entry, node)
        }),
    };
    let json = Given::read(json, |entry| file(report, entry));
    let csv = Given::read(csv, |entry| file(report, entry));
    let prometheus = Given::read(prometheus, |entry| prometheus::read(report, entry));
    let outputs = Outputs {
        influxdb: influxdb?,
        json: whole(json).ok()?,
        csv: whole(csv).ok()?,
        prometheus: whole(prometheus).ok()?,
    };
    let has_files = outputs.json.is_some() || outputs.csv.is_some();
    if outputs.influxdb.is_empty() && !has_files && outputs.prometheus.is_none() {
        report.error_hint(
            entry.position,
            "`outputs` names none",
            "write one of them: `json: { file: attempts.jsonl }`, or leave `outputs` out",
        );
        return None;
    }
    Some(outputs)
}

/// What is there, and wrong; it was reported.
struct Wrong;

/// What is there and wrong is no value; what is not there is none.
fn whole<T>(part: Given<T>) -> Result<Option<T>, Wrong> {
    match part {
        Given::Absent => Ok(None),
        Given::Broken => Err(Wrong),
        Given::Value(value) => Ok(Some(value)),
    }
}

/// Everything is looked at, also behind the first that is wrong.
fn all<T>(nodes: &[Node], read: impl FnMut(&Node) -> Option<T>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = nodes.iter().map(read).collect();
    read.into_iter().collect()
}

fn file(report: &mut Report<'_>, entry: &Entry) -> Option<FileOutput> {
    let mut fields = Fields::behind(report, entry)?;
    let hint = "where its lines go, in the run directory: `file: attempts.jsonl`";
    let file = fields.need(report, "file", hint);
    let file = file.and_then(|entry| reader::text(report, &entry.node));
    let mode = optional(report, fields.get("mode"));
    fields.finish(report);
    Some(FileOutput {
        file: file?,
        mode: whole(mode).ok()?.map(|mode: At<OutputMode>| mode.value),
    })
}

fn influxdb(report: &mut Report<'_>, entry: &Entry, node: &Node) -> Option<Influxdb> {
    // A list behind a key has its own positions.
    let position = match &node.value {
        super::super::node::Value::Null => entry.position,
        _ => node.position,
    };
    let mut fields = Fields::of(report, node, position)?;
    let to = fields.one_of(report, &["url", "file"], "where points go");
    let to = to.and_then(|entry| match entry.key.as_str() {
        "url" => reader::value(report, &entry.node).map(InfluxdbTo::Url),
        _ => reader::text(report, &entry.node).map(InfluxdbTo::File),
    });
    let mut text = |report: &mut Report<'_>, key| {
        Given::read(fields.get(key), |entry| reader::text(report, &entry.node))
    };
    let org = text(report, "org");
    let bucket = text(report, "bucket");
    let token = text(report, "token");
    let db = text(report, "db");
    let user = text(report, "user");
    let password = text(report, "password");
    let testid = text(report, "testid");
    let tags = Given::read(fields.get("tags"), |entry| tags(report, entry));
    let mode = optional(report, fields.get("mode"));
    let every = optional(report, fields.get("every"));
    let batch = optional(report, fields.get("batch"));
    let gzip = Given::read(fields.get("gzip"), |entry| {
        let value = reader::flag(report, &entry.node)?;
        Some(At {
            value,
            position: entry.node.position,
            hidden: false,
        })
    });
    let spool = optional(report, fields.get("spool"));
    let drain = optional(report, fields.get("drain"));
    fields.finish(report);
    Some(Influxdb {
        to: to?,
        org: whole(org).ok()?,
        bucket: whole(bucket).ok()?,
        token: whole(token).ok()?,
        db: whole(db).ok()?,
        user: whole(user).ok()?,
        password: whole(password).ok()?,
        mode: whole(mode).ok()?.map(|mode: At<OutputMode>| mode.value),
        testid: whole(testid).ok()?,
        tags: whole(tags).ok()?.unwrap_or_default(),
        every: whole(every).ok()?,
        batch: whole(batch).ok()?,
        gzip: whole(gzip).ok()?,
        spool: whole(spool).ok()?,
        drain: whole(drain).ok()?,
    })
}

fn optional<T: FromStr<Err = ValueError>>(
    report: &mut Report<'_>,
    entry: Option<&Entry>,
) -> Given<At<T>> {
    Given::read(entry, |entry| reader::value(report, &entry.node))
}

fn tags(report: &mut Report<'_>, entry: &Entry) -> Option<Vec<(At<String>, At<String>)>> {
    let entries = reader::entries(report, &entry.node)?;
    let mut tags = Vec::new();
    for entry in entries {
        let key = At {
            value: entry.key.clone(),
            position: entry.position,
            hidden: false,
        };
        tags.push((key, reader::text(report, &entry.node)?));
    }
    Some(tags)
}
