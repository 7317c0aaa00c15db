//! `outputs`: what leaves the run while it goes on.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};

use super::prometheus::Prometheus;
use super::shape;
use super::text::{AnyKey, Flag, OneOrMany, OutputMode, Positive, Size, Span, Text, Url};

/// Where figures go while the run goes on: each at most once, but `influxdb` may be a list. A store
/// that does not answer is a warning in the report.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    transform = shape::not_empty,
    example = serde_json::json!({ "csv": { "file": "attempts.csv", "mode": "raw" } }),
)]
pub(super) struct Outputs {
    /// A store that takes InfluxDB's line protocol, or a file of it.
    #[schemars(example = serde_json::json!({ "url": "http://127.0.0.1:8086", "db": "load" }))]
    influxdb: Option<OneOrMany<Influxdb>>,
    /// JSON lines.
    #[schemars(example = serde_json::json!({ "file": "attempts.jsonl", "mode": "raw" }))]
    json: Option<File>,
    /// Comma-separated values with a head line.
    #[schemars(example = serde_json::json!({ "file": "seconds.csv" }))]
    csv: Option<File>,
    /// A page that is scraped, and where series are written to.
    #[schemars(example = serde_json::json!({ "listen": "127.0.0.1:9464" }))]
    prometheus: Option<Prometheus>,
}

/// Lines in a file.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct File {
    /// Its path; a relative one is in the run directory.
    #[schemars(example = "attempts.jsonl")]
    file: Text,
    /// How much of each attempt.
    #[schemars(extend("default" = "aggregate"), example = &"raw")]
    mode: Option<OutputMode>,
}

/// A store that takes line protocol, or a file of it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = way)]
struct Influxdb {
    /// Where the store is, before `/write` or `/api/v2/write`. Nothing but points goes there, so it
    /// may be on any host.
    #[schemars(example = "http://127.0.0.1:8086")]
    url: Option<Url>,
    /// A file of line protocol in place of a store; a relative path is in the run directory.
    #[schemars(example = "points.lp")]
    file: Option<Text>,
    /// The organization of the bucket.
    #[schemars(example = &"shop")]
    org: Option<Text>,
    /// The bucket of InfluxDB 2 or 3, beside `org`.
    #[schemars(example = &"load")]
    bucket: Option<Text>,
    /// What requests prove themselves with, beside `bucket`.
    #[schemars(example = "${INFLUX_TOKEN}")]
    token: Option<Text>,
    /// The database of InfluxDB 1, which must be there.
    #[schemars(example = &"load")]
    db: Option<Text>,
    /// A name, beside `db` and `password`.
    #[schemars(example = &"k6")]
    user: Option<Text>,
    /// Its password.
    #[schemars(example = "${INFLUX_PASSWORD}")]
    password: Option<Text>,
    /// How much of each attempt.
    #[schemars(extend("default" = "aggregate"), example = "sample(1/100)")]
    mode: Option<OutputMode>,
    /// The tag by which dashboards tell runs apart; otherwise the name of the run directory.
    #[schemars(example = "spring-sale-3")]
    testid: Option<Text>,
    /// Tags of every point.
    #[schemars(example = serde_json::json!({ "region": "eu" }))]
    tags: Option<BTreeMap<AnyKey, Text>>,
    /// How long points wait for others at the most, 100 ms to a minute.
    #[schemars(extend("default" = "1s"), example = "5s")]
    every: Option<Span>,
    /// Points of one request at the most, 1 to 50,000.
    #[schemars(extend("default" = 5000), example = "10_000")]
    batch: Option<Positive>,
    /// Whether requests are compressed.
    #[schemars(extend("default" = true), example = false)]
    gzip: Option<Flag>,
    /// What may wait on disk for a store that does not answer; what comes beyond it is dropped and
    /// counted.
    #[schemars(extend("default" = "256MiB"), example = "1GiB")]
    spool: Option<Size>,
    /// How long the end of the run goes on trying, at most an hour; what is left then stays on disk.
    #[schemars(extend("default" = "30s"), example = "2m")]
    drain: Option<Span>,
}

fn way(schema: &mut Schema) {
    shape::exactly_one(schema, &["url", "file"]);
}
