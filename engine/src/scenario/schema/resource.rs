//! `resources`: what is measured from outside of the load.

use schemars::{JsonSchema, Schema};

use super::shape;
use super::text::{Positive, Text};

/// What is read once a second, beside the load.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one, example = serde_json::json!({ "process": { "port": 8080 } }))]
pub(super) struct Resource {
    /// Row-lock waits, connections and queries of MySQL or MariaDB, as it counts them itself; any
    /// user may ask it.
    #[schemars(example = serde_json::json!({ "url": "${DB}" }))]
    sql: Option<Database>,
    /// Connections, commands and memory of Redis, as it counts them itself.
    #[schemars(example = serde_json::json!({ "url": "redis://127.0.0.1" }))]
    redis: Option<Redis>,
    /// How far a consumer group of Kafka is behind, asked without joining it.
    #[schemars(example = serde_json::json!({ "brokers": "127.0.0.1:9092", "group": "coupon-issuer", "topic": "coupon-issued" }))]
    kafka: Option<Kafka>,
    /// CPU, memory, threads and open files of a process of this machine, with those of all that it
    /// has started.
    #[schemars(example = serde_json::json!({ "port": 8080 }))]
    process: Option<Process>,
}

fn one(schema: &mut Schema) {
    shape::exactly_one(schema, &["sql", "redis", "kafka", "process"]);
}

/// A database.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Database {
    /// `mysql:` or `mariadb:`.
    #[schemars(example = "mysql://reader:${DB_PASSWORD}@127.0.0.1/shop")]
    url: Text,
}

/// A Redis.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Redis {
    /// `redis:`.
    #[schemars(example = "redis://127.0.0.1:6379")]
    url: Text,
}

/// A consumer group of Kafka, and a topic that it reads.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Kafka {
    /// Where brokers listen: `HOST:PORT`, several separated by commas.
    #[schemars(example = "127.0.0.1:9092")]
    brokers: Text,
    /// The consumer group that writes what the topic holds.
    #[schemars(example = "coupon-issuer")]
    group: Text,
    /// The topic.
    #[schemars(example = "coupon-issued")]
    topic: Text,
}

/// How a process is found.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = way, example = serde_json::json!({ "pid_file": "/run/shop.pid" }))]
struct Process {
    /// The one that listens on this TCP port of this machine, 1 to 65535; looked for again when it
    /// has ended. It must belong to the user who runs fcfs-bench.
    #[schemars(example = 8080)]
    port: Option<Positive>,
    /// The one whose number stands in this file, which is read each time; relative to the scenario's
    /// directory.
    #[schemars(example = "/run/shop.pid")]
    pid_file: Option<Text>,
}

fn way(schema: &mut Schema) {
    shape::exactly_one(schema, &["port", "pid_file"]);
}
