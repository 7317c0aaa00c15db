//! `target`: the bundled stack, or the address of a system that already runs.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::shape;
use super::text::{Count, Flag, OneOrMany, Template, Text, Url, words};

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
    /// The bundled server, started and stopped by the run.
    stack: Option<Stack>,
}

fn exclusive(schema: &mut Schema) {
    shape::exactly_one(schema, &["stack", "url", "urls"]);
    for key in ["ready", "http2", "by", "auth", "ca"] {
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
struct Basic {
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
}

/// Redis of the bundled stack.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "instances": 1 }))]
struct Redis {
    /// How many, 1 to 5. It follows from the strategy; what is written must agree.
    #[schemars(example = 1)]
    instances: Option<Count>,
}

/// Kafka of the bundled stack.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "brokers": 3 }))]
struct Kafka {
    /// 1, or 3 that keep three copies of each event, of which two must be written.
    #[schemars(extend("default" = 1), example = 3)]
    brokers: Option<Count>,
}

/// How the bundled server works.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "strategy": "sqlite-lock" }))]
struct Server {
    /// How it decides who gets one.
    #[schemars(extend("default" = "sqlite-atomic"), example = &"sqlite-lock")]
    strategy: Option<Strategy>,
    /// A planted defect.
    #[schemars(example = &"oversell")]
    bug: Option<Bug>,
    /// Connections to the database, 1 to 1000; with `SQLite` those that read.
    #[schemars(extend("default" = 4), example = 8)]
    database_pool: Option<Count>,
}

macro_rules! words {
    ($($(#[doc = $about:literal])+ $name:ident: $words:expr;)+) => {
        $(
            $(#[doc = $about])+
            struct $name;

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    words(generator, &$words)
                }
            }
        )+
    };
}

words! {
    /// Who brings the bundled server up.
    Provider: [
        ("auto", "`local` for a strategy that needs services, else `embedded`"),
        ("embedded", "a child process on SQLite"),
        ("local", "Redis, MariaDB and Kafka as child processes, from programs of this machine"),
    ];

    /// Where the bundled server keeps its rows.
    Database: [
        ("mysql", "MariaDB of the run"),
        ("sqlite", "a file of the run"),
    ];

    /// How the bundled server decides who gets one.
    Strategy: [
        ("sqlite-atomic", "one statement takes a coupon if there is one"),
        ("sqlite-lock", "a lock around looking and taking"),
        ("memory-then-sqlite", "a counter in memory decides, the row is written after it"),
        ("db-pessimistic", "looking and taking under a lock on MySQL's row"),
        ("db-conditional", "one statement of MySQL takes a coupon if there is one"),
        ("redis-lua", "a script in Redis decides, the row is written to MySQL after it"),
        ("redis-kafka", "a script in Redis decides, the answer waits for Kafka, an issuer writes the row"),
        ("fire-and-forget", "the same, and the answer does not wait for Kafka: it may lose coupons"),
        ("outbox", "MySQL keeps coupon and event together, a relay sends it, an issuer writes the row"),
    ];

    /// A planted defect of the bundled server.
    Bug: [
        ("oversell", "reads the stock, and takes one later without looking again"),
        ("double-issue", "never asks whether the user holds one already"),
        ("lost-ack", "confirms, and loses some rows"),
        ("last-one-refused", "takes the last coupon and answers sold out"),
        ("false-duplicate", "answers `duplicate` when its storage fails"),
        ("lua-compare", "only where a script in Redis decides: it compares a text with a number"),
    ];
}
