//! `thresholds`: assertions by metric, in k6's short and long form.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Map;

use super::shape;
use super::text::{Flag, OneOrMany, Positive, Span};

/// Assertions by metric.
pub(super) struct Thresholds;

/// What can be measured.
const METRICS: [(&str, &str); 44] = [
    ("http_reqs", "Counter: attempts. All tags."),
    (
        "http_req_duration",
        "Trend: service time, from sending to the last byte of the answer. All tags.",
    ),
    (
        "http_req_blocked",
        "Trend: waiting for a connection. Tags `phase`, `step`, `load`.",
    ),
    (
        "http_req_connecting",
        "Trend: opening the TCP connection. Tags `phase`, `step`, `load`.",
    ),
    (
        "http_req_tls_handshaking",
        "Trend: the TLS handshake. Tags `phase`, `step`, `load`.",
    ),
    (
        "http_req_sending",
        "Trend: writing the request. Tags `phase`, `step`, `load`.",
    ),
    (
        "http_req_waiting",
        "Trend: waiting for the first byte of the answer. Tags `phase`, `step`, `load`.",
    ),
    (
        "http_req_receiving",
        "Trend: reading the answer. Tags `phase`, `step`, `load`.",
    ),
    (
        "http_req_failed",
        "Rate: the share that ended `not_sent`, `unknown` or with an error; other refusals are never failures. All tags.",
    ),
    (
        "iterations",
        "Counter: iterations that ended. Tags `phase`, `load`.",
    ),
    (
        "iteration_duration",
        "Trend: a whole iteration. Tags `phase`, `load`.",
    ),
    (
        "poll_duration",
        "Trend: a whole poll, from its first request to its last answer. All tags.",
    ),
    (
        "dropped_iterations",
        "Counter: iterations that were due without a free VU. Tags `phase`, `load`.",
    ),
    ("data_sent", "Counter: bytes written. No tags."),
    ("data_received", "Counter: bytes read. No tags."),
    ("vus", "Gauge: VUs at the end of the last second. No tags."),
    ("vus_max", "Gauge: the most VUs of any second. No tags."),
    (
        "outcome",
        "Counter: attempts; meant for the tag `outcome`. All tags.",
    ),
    (
        "response_time",
        "Trend: from the moment at which the request was due to the last byte of the answer. All tags.",
    ),
    (
        "schedule_lag",
        "Trend: how late iterations started. Tags `phase`, `load`.",
    ),
    ("issued", "Counter: attempts that were confirmed. All tags."),
    (
        "unknown_rate",
        "Rate: the share that ended unknown. All tags.",
    ),
    (
        "lock_failed",
        "Rate: the share with the outcome named `lock_failed`; no data if no outcome has that name. All tags.",
    ),
    (
        "cpu",
        "Trend: cores that a process uses, from one reading to the next. Tags `source`, `phase`, `load`.",
    ),
    (
        "memory",
        "Trend: resident memory of a process. Tags `source`, `phase`, `load`.",
    ),
    (
        "threads",
        "Trend: threads of a process. Tags `source`, `phase`, `load`.",
    ),
    (
        "open_files",
        "Trend: open descriptors of a process, files and sockets. Tags `source`, `phase`, `load`.",
    ),
    (
        "connections",
        "Trend: connections that a database or a Redis has open, ours among them. Tags `source`, `phase`, `load`.",
    ),
    (
        "max_connections",
        "Trend: connections that a database takes at most. Tags `source`, `phase`, `load`.",
    ),
    (
        "active_connections",
        "Trend: connections on which a database is at work. Tags `source`, `phase`, `load`.",
    ),
    (
        "queries",
        "Counter: statements that a database was asked. Tags `source`, `phase`, `load`.",
    ),
    (
        "row_lock_waits",
        "Counter: how often a row lock of a database was waited for. Tags `source`, `phase`, `load`.",
    ),
    (
        "row_lock_time",
        "Counter: how long row locks were waited for, all waits together; its `rate` is how many waited at a time, on average. Tags `source`, `phase`, `load`.",
    ),
    (
        "row_lock_waiting",
        "Trend: who waits for a row lock of a database at the moment of a reading. Tags `source`, `phase`, `load`.",
    ),
    (
        "commands",
        "Counter: commands that a Redis has done. Tags `source`, `phase`, `load`.",
    ),
    (
        "rejected_connections",
        "Counter: connections that a Redis has refused, as it had too many. Tags `source`, `phase`, `load`.",
    ),
    (
        "blocked_clients",
        "Trend: clients of a Redis that wait in a blocking command. Tags `source`, `phase`, `load`.",
    ),
    (
        "used_memory",
        "Trend: memory that a Redis has allocated. Tags `source`, `phase`, `load`.",
    ),
    (
        "consumer_lag",
        "Trend: events in a topic of Kafka that a consumer group has not committed yet. Tags `source`, `phase`, `load`.",
    ),
    (
        "recovery",
        "Gauge: from the heal of a fault until all was as before; of several the longest. Tag `fault`.",
    ),
    (
        "detection",
        "Gauge: from the beginning of a fault until somebody noticed; of several the longest. Tags `fault`, `by`.",
    ),
    (
        "rate",
        "Rate: the share of the attempts that failed while a fault was active; of several the highest. Tag `fault`.",
    ),
    (
        "fairness",
        "Rate: the share of the pairs of users who got one in another order than they asked, by more than the jitter; needs `truth.issued`.",
    ),
    (
        "scalability",
        "Scaling: how throughput grows with the users, over the steps at which the load held its VUs. `efficiency`: what a VU gets at the worst step, as a share of what one gets at the first; `contention`, `coherency` and `peak` of the law of Universal Scalability, fitted over three steps or more. Tag `load`.",
    ),
];

impl JsonSchema for Thresholds {
    fn schema_name() -> Cow<'static, str> {
        "Thresholds".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let assertions = generator.subschema_for::<Assertions>().to_value();
        let mut properties = Map::new();
        for (name, about) in METRICS {
            let mut property = assertions.clone();
            property["description"] = about.into();
            property["examples"] = vec![example(name, about)].into();
            properties.insert(name.to_owned(), property);
        }
        let with_tags = with_tags(r"[\p{Alphabetic}\p{N}][\p{Alphabetic}\p{N}._\-]{0,63}");
        json_schema!({
            "description": "Assertions by metric, also those under `metrics`. A metric may be narrowed by tags: `\"http_req_duration{phase:hold}\"`.",
            "examples": [{ "http_req_duration": ["p(95)<500ms"], "http_req_failed": ["rate<1%"] }],
            "type": "object",
            "properties": properties,
            "patternProperties": { with_tags: assertions },
            "additionalProperties": false,
        })
    }
}

/// The keys of metrics that are there without being declared.
pub(super) fn built_in() -> String {
    with_tags(&METRICS.map(|(name, _)| name).join("|"))
}

/// Keys of these metrics, also with tags: `http_req_duration{phase:hold,step:issue}`.
fn with_tags(names: &str) -> String {
    format!(r"^\s*({names})\s*(\{{.*\}}\s*)?$")
}

/// Trends that are neither times nor bytes.
const IN_NUMBERS: [&str; 8] = [
    "threads",
    "open_files",
    "connections",
    "max_connections",
    "active_connections",
    "row_lock_waiting",
    "blocked_clients",
    "consumer_lag",
];

/// An assertion that fits the kind of the metric, which its description begins with.
fn example(name: &str, about: &str) -> &'static str {
    match about.split(':').next() {
        Some("Trend") if name == "cpu" => "max<1.5",
        Some("Trend") if name.ends_with("memory") => "max<200MB",
        Some("Trend") if IN_NUMBERS.contains(&name) => "max<100",
        Some("Counter") => "count<1000",
        Some("Gauge") if ["recovery", "detection"].contains(&name) => "value<30s",
        Some("Gauge") => "value<=200",
        Some("Rate") => "rate<1%",
        Some("Scaling") => "efficiency>80%",
        _ => "p(95)<500ms",
    }
}

/// One assertion or a list of them.
#[derive(JsonSchema)]
#[schemars(transparent, example = ["p(95)<500ms", "p(99)<1s"])]
struct Assertions(OneOrMany<Threshold>);

/// An assertion, or one with conditions.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Threshold {
    Short(Assertion),
    Long(Long),
}

/// An assertion with conditions.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    transform = exclusive,
    example = serde_json::json!({ "threshold": "rate<1%", "abort": true, "delay": "30s" }),
)]
struct Long {
    /// The assertion.
    #[schemars(example = "rate<1%")]
    threshold: Assertion,
    /// Whether the load ends as soon as it fails.
    #[schemars(extend("default" = false))]
    abort: Option<Flag>,
    /// k6's name of `abort`.
    #[schemars(rename = "abortOnFail", extend("default" = false))]
    abort_on_fail: Option<Flag>,
    /// How long after the start of the load it may end it at the earliest; only beside `abort`.
    #[schemars(extend("default" = "0s"), example = "30s")]
    delay: Option<Span>,
    /// k6's name of `delay`.
    #[schemars(rename = "delayAbortEval", extend("default" = "0s"), example = "30s")]
    delay_abort_eval: Option<Span>,
    /// Judge each window of so many whole seconds for itself; otherwise the whole load.
    #[schemars(example = "10s")]
    over: Option<Span>,
    /// It fails when so many windows in a row are broken, at least 1; only beside `over`.
    #[schemars(rename = "for", extend("default" = 1), example = 3)]
    in_a_row: Option<Positive>,
    /// Whether no data is fine; otherwise no data fails.
    #[schemars(extend("default" = false))]
    allow_empty: Option<Flag>,
}

fn exclusive(schema: &mut Schema) {
    shape::at_most_one(schema, &["abort", "abortOnFail"]);
    shape::at_most_one(schema, &["delay", "delayAbortEval"]);
}

/// Aggregate, comparison, number and unit.
struct Assertion;

impl JsonSchema for Assertion {
    fn schema_name() -> Cow<'static, str> {
        "Assertion".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let pattern = r"^\s*(count|rate|value|avg|min|max|med|p\([^)]*\)|efficiency|contention|coherency|peak)\s*(===?|!=|<=?|>=?)\s*[+\-.0-9].*$";
        let variable = generator
            .subschema_for::<super::text::Variable>()
            .to_value();
        json_schema!({
            "title": "assertion",
            "description": "Aggregate, comparison, number and unit. Counters have `count` and `rate`, gauges `value`, rates `rate`, trends `avg`, `min`, `max`, `med`, `p(N)` and `count`, `scalability` has `efficiency`, `contention`, `coherency` and `peak`.",
            "examples": ["p(95)<500ms", "rate<1%", "count==0"],
            "anyOf": [{ "type": "string", "pattern": pattern }, variable],
        })
    }
}
