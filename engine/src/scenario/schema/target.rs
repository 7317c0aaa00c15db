//! `target`: the bundled stack, or the address of a system that already runs.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::parts::Parts;
use super::server::Server;
use super::shape;
use super::text::{Count, Flag, OneOrMany, Template, Text, Url, word_types, words};

/// What is loaded: a system that already runs, or the bundled one.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    transform = exclusive,
    example = serde_json::json!({ "url": "http://127.0.0.1:3000", "ready": "/health" }),
    example = serde_json::json!({ "stack": {} }),
)]
pub(super) struct Target {
    /// A system that already runs.
    url: Option<OneOrMany<Url>>,
    /// Several instances, asked in turn: a VU's requests go round all of them, one connection to
    /// each.
    #[schemars(example = ["http://127.0.0.1:8080", "http://127.0.0.1:8081"])]
    urls: Option<OneOrMany<Url>>,
    /// A path that is asked until it answers below 500, for about 10 s; without it an open port is
    /// enough. Not beside `stack`.
    #[schemars(example = "/actuator/health")]
    ready: Option<Text>,
    /// HTTP/2: by prior knowledge on `http:`, by ALPN on `https:`. Not beside `stack`.
    #[schemars(extend("default" = false))]
    http2: Option<Flag>,
    /// Which of several instances a request goes to. Not beside `stack`.
    #[schemars(extend("default" = "turn"), example = &"vu")]
    by: Option<By>,
    /// The `authorization` header of every request that has none of its own. Not beside `stack`.
    #[schemars(example = serde_json::json!({ "bearer": "{{ token }}" }))]
    auth: Option<Auth>,
    /// A file of certificates in PEM that `https:` trusts beside the system's own; relative to the
    /// scenario's directory. Not beside `stack`.
    #[schemars(example = "ca.pem")]
    ca: Option<Text>,
    /// What faults may break of it, by whom they name. Nothing else of it is ever touched. Not beside
    /// `stack`.
    #[schemars(example = serde_json::json!({ "redis": { "container": "shop-redis" } }))]
    parts: Option<Parts>,
    /// The Compose project that has the services of `parts`. Not beside `stack`.
    #[schemars(example = &"shop")]
    compose: Option<Text>,
    /// The bundled server, started and stopped by the run.
    stack: Option<Stack>,
}

fn exclusive(schema: &mut Schema) {
    shape::exactly_one(schema, &["stack", "url", "urls"]);
    for key in ["ready", "http2", "by", "auth", "ca", "parts", "compose"] {
        shape::at_most_one(schema, &["stack", key]);
    }
}

/// Which instance a request goes to.
struct By;

impl JsonSchema for By {
    fn schema_name() -> Cow<'static, str> {
        "By".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let turn = ("turn", "a VU's requests go round all of them");
        words(generator, &[turn, ("vu", "each VU stays with one of them")])
    }
}

/// What requests prove themselves with.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one_proof)]
struct Auth {
    /// Sent as `Bearer ...`: the token that `users.token` makes, a column, or one text for all.
    #[schemars(example = "{{ token }}")]
    bearer: Option<Template>,
    /// A name and a password, the same for all users.
    #[schemars(example = serde_json::json!({ "user": "load", "password": "${PASSWORD}" }))]
    basic: Option<Basic>,
}

fn one_proof(schema: &mut Schema) {
    shape::exactly_one(schema, &["basic", "bearer"]);
}

/// A name and a password (RFC 7617).
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Basic {
    /// The name, without `:`.
    #[schemars(example = &"load")]
    user: Text,
    /// The password.
    #[schemars(example = "${PASSWORD}")]
    password: Text,
}

/// The bundled server.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "server": { "bug": "oversell" } }))]
struct Stack {
    /// Who brings it up.
    #[schemars(extend("default" = "auto"), example = &"embedded")]
    provider: Option<Provider>,
    /// How the server works.
    server: Option<Server>,
    /// Redis of the strategies that need one.
    redis: Option<Redis>,
    /// Kafka of the strategies that need it.
    kafka: Option<Kafka>,
    /// Where the rows are. It follows from the strategy; what is written must agree.
    #[schemars(example = &"mysql")]
    database: Option<Database>,
    /// What the provider `docker` makes its containers of.
    images: Option<Images>,
}

/// Images of containers: a name, with a tag (without one `latest`) or a digest. The variables
/// `FCFS_IMAGE_REDIS`, `FCFS_IMAGE_MYSQL` and `FCFS_IMAGE_KAFKA` come before them.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "mysql": "mariadb:11.4" }))]
struct Images {
    /// Redis 7 or another that takes its options.
    #[schemars(extend("default" = "redis:7"), example = "registry.example/redis:7")]
    redis: Option<Text>,
    /// `MySQL` 8.0, or `MariaDB`.
    #[schemars(extend("default" = "mysql:8.0"), example = "mariadb:11.4")]
    mysql: Option<Text>,
    /// Apache Kafka 4, or another image that takes its variables.
    #[schemars(extend("default" = "apache/kafka:4.1.1"), example = "apache/kafka:4.1.1")]
    kafka: Option<Text>,
}

/// Redis of the bundled stack.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "instances": 1 }))]
struct Redis {
    /// How many, 1 to 5. It follows from the strategy; what is written must agree.
    #[schemars(example = 1)]
    instances: Option<Count>,
    /// How many copies of the one Redis are kept, 1 or 2: one of them takes its place when it dies.
    /// The servers are led to whoever is the primary. Only with the provider `local`.
    #[schemars(example = 1)]
    replicas: Option<Count>,
    /// How many Sentinels watch it, 3 or 5: a majority of them decides who is the primary.
    #[schemars(extend("default" = 3), example = 3)]
    sentinels: Option<Count>,
}

/// Kafka of the bundled stack.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "brokers": 3 }))]
struct Kafka {
    /// 1, or 3 that keep three copies of each event, of which two must be written.
    #[schemars(extend("default" = 1), example = 3)]
    brokers: Option<Count>,
}

word_types! {
    /// Who brings the bundled server up.
    Provider: [
        ("auto", "for a strategy that needs Redis or MySQL `docker` or `local`, else `embedded`"),
        ("embedded", "child processes on SQLite, and a Kafka in this program"),
        ("local", "Redis, MariaDB and Kafka as child processes, from programs of this machine"),
        ("docker", "Redis and MySQL as containers of a Docker engine on this machine"),
    ];

    /// Where the bundled server keeps its rows.
    Database: [
        ("mysql", "MariaDB of the run"),
        ("sqlite", "a file of the run"),
    ];
}
