//! `target`: the bundled stack, or the address of a system that already runs.

use super::super::model::{Images, Kafka, Redis, Target};
use super::super::node::Entry;
use super::super::reader::{self, Fields, Given};
use super::super::report::Report;
use super::{auth, parts, server};

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Target> {
    let mut fields = Fields::behind(report, entry)?;
    let one = fields.one_of(report, &["stack", "url", "urls"], "what is loaded");
    let is_stack = one.is_some_and(|one| one.key == "stack");
    let ready = fields.get("ready");
    let http2 = fields.get("http2");
    let [auth, ca, by, parts, compose] =
        ["auth", "ca", "by", "parts", "compose"].map(|key| fields.get(key));
    for beside in [ready, http2, auth, ca, by, parts, compose]
        .into_iter()
        .flatten()
        .filter(|_| is_stack)
    {
        report.error_hint(
            beside.position,
            format!("`{}` cannot stand beside `stack`", beside.key),
            "the bundled system knows it by itself: remove it",
        );
    }
    let ready = ready.map(|entry| reader::text(report, &entry.node));
    let http2 = http2.map(|entry| reader::flag(report, &entry.node));
    let auth = auth.map(|entry| auth::read(report, entry));
    let ca = ca.and_then(|entry| reader::text(report, &entry.node));
    let by = by.and_then(|entry| reader::text(report, &entry.node));
    // One that is wrong was reported, and must not look like one that is absent.
    let parts = parts
        .filter(|_| !is_stack)
        .map_or(Some(Vec::new()), |entry| parts::read(report, entry));
    let compose = Given::read(compose, |entry| reader::text(report, &entry.node));
    fields.finish(report);
    let one = one?;
    if is_stack {
        return stack(report, one);
    }
    let mut urls = Vec::new();
    for item in reader::one_or_many(&one.node) {
        urls.push(reader::value(report, item).map(|url| url.value));
    }
    if urls.is_empty() {
        report.error_hint(
            one.position,
            "the list of urls is empty",
            "write at least one: `url: http://127.0.0.1:3000`",
        );
        return None;
    }
    Some(Target::Urls {
        urls: urls.into_iter().collect::<Option<_>>()?,
        ready: ready.flatten(),
        http2: http2.flatten().unwrap_or(false),
        auth: auth.flatten(),
        ca,
        by,
        parts: parts?,
        compose: match compose {
            Given::Broken => return None,
            compose => compose.into_value(),
        },
    })
}

fn stack(report: &mut Report<'_>, entry: &Entry) -> Option<Target> {
    let mut fields = Fields::behind(report, entry)?;
    let provider = fields.get("provider");
    let provider = provider.and_then(|entry| reader::text(report, &entry.node));
    let server = fields.get("server");
    let server = server.and_then(|entry| server::read(report, entry));
    let redis = fields.get("redis");
    let redis = redis.and_then(|entry| self::redis(report, entry));
    let kafka = fields.get("kafka");
    let kafka = kafka.and_then(|entry| self::kafka(report, entry));
    let database = fields.get("database");
    let database = database.and_then(|entry| reader::text(report, &entry.node));
    let images = fields.get("images");
    let images = images.and_then(|entry| self::images(report, entry));
    fields.finish(report);
    Some(Target::Stack {
        position: entry.position,
        provider,
        // One that is wrong was reported.
        server: server.unwrap_or_default(),
        redis: redis.map(Box::new),
        kafka,
        database,
        images: Box::new(images.unwrap_or_default()),
    })
}

fn images(report: &mut Report<'_>, entry: &Entry) -> Option<Images> {
    let mut fields = Fields::behind(report, entry)?;
    let [redis, mysql, kafka] = ["redis", "mysql", "kafka"].map(|service| {
        let entry = fields.get(service);
        entry.and_then(|entry| reader::value(report, &entry.node))
    });
    fields.finish(report);
    Some(Images {
        redis,
        mysql,
        kafka,
    })
}

fn redis(report: &mut Report<'_>, entry: &Entry) -> Option<Redis> {
    let mut fields = Fields::behind(report, entry)?;
    let [instances, replicas, sentinels] = ["instances", "replicas", "sentinels"].map(|key| {
        let entry = fields.get(key);
        // One that is wrong was reported, and must not look like one that is absent.
        Given::read(entry, |entry| reader::value(report, &entry.node))
    });
    fields.finish(report);
    if instances.is_broken() || replicas.is_broken() || sentinels.is_broken() {
        return None;
    }
    Some(Redis {
        position: entry.position,
        instances: instances.into_value(),
        replicas: replicas.into_value(),
        sentinels: sentinels.into_value(),
    })
}

fn kafka(report: &mut Report<'_>, entry: &Entry) -> Option<Kafka> {
    let mut fields = Fields::behind(report, entry)?;
    let brokers = fields.get("brokers");
    let brokers = brokers.map(|entry| reader::value(report, &entry.node));
    fields.finish(report);
    Some(Kafka {
        position: entry.position,
        // As above.
        brokers: match brokers {
            None => None,
            Some(brokers) => Some(brokers?),
        },
    })
}
