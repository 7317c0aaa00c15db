//! `resources`: what is measured from outside of the load, by name.

use super::super::model::{ConsumerGroup, Resource, ResourceOf};
use super::super::node::Entry;
use super::super::reader::{self, Fields};
use super::super::report::Report;

const KINDS: [&str; 4] = ["sql", "redis", "kafka", "process"];

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Vec<Resource> {
    let entries = reader::entries(report, &entry.node).unwrap_or_default();
    let resources = entries.iter().filter_map(|entry| resource(report, entry));
    resources.collect()
}

fn resource(report: &mut Report<'_>, entry: &Entry) -> Option<Resource> {
    let name = reader::key(report, entry);
    let of = of(report, entry);
    Some(Resource { name: name?, of })
}

fn of(report: &mut Report<'_>, entry: &Entry) -> Option<ResourceOf> {
    let mut fields = Fields::behind(report, entry)?;
    let kind = fields.one_of(report, &KINDS, "what is measured");
    fields.finish(report);
    let kind = kind?;
    match kind.key.as_str() {
        "sql" => url(report, kind, "where the database is: `url: \"${DB}\"`").map(ResourceOf::Sql),
        "redis" => {
            let hint = "where Redis is: `url: redis://127.0.0.1`";
            url(report, kind, hint).map(ResourceOf::Redis)
        }
        "kafka" => kafka(report, kind).map(ResourceOf::Kafka),
        _ => process(report, kind),
    }
}

fn url(
    report: &mut Report<'_>,
    entry: &Entry,
    hint: &str,
) -> Option<super::super::position::At<String>> {
    let mut fields = Fields::behind(report, entry)?;
    let url = fields.need(report, "url", hint);
    let url = url.and_then(|entry| reader::text(report, &entry.node));
    fields.finish(report);
    url
}

pub(super) fn kafka(report: &mut Report<'_>, entry: &Entry) -> Option<ConsumerGroup> {
    let mut fields = Fields::behind(report, entry)?;
    let mut need = |key, hint: &str| {
        let entry = fields.need(report, key, hint);
        entry.and_then(|entry| reader::text(report, &entry.node))
    };
    let brokers = need(
        "brokers",
        "where they listen: `brokers: \"127.0.0.1:9092\"`",
    );
    let group = need("group", "who reads the topic: `group: coupon-issuer`");
    let topic = need("topic", "what it reads: `topic: coupon-issued`");
    fields.finish(report);
    Some(ConsumerGroup {
        brokers: brokers?,
        group: group?,
        topic: topic?,
    })
}

fn process(report: &mut Report<'_>, entry: &Entry) -> Option<ResourceOf> {
    let mut fields = Fields::behind(report, entry)?;
    let how = ["port", "pid_file"];
    let one = fields.one_of(report, &how, "how the process is found");
    fields.finish(report);
    let one = one?;
    match one.key.as_str() {
        "port" => reader::value(report, &one.node).map(ResourceOf::Port),
        _ => reader::text(report, &one.node).map(ResourceOf::PidFile),
    }
}
