//! `faults`: what is broken on purpose, when, and for how long.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::super::fault::{KINDS, Kind};
use super::shape;
use super::text::{Name, Positive, Span, Text};

/// One entry of the timeline of faults: who is broken, how, when, and for how long.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    transform = exclusive,
    example = json!({ "name": "redis-outage", "redis": "kill", "at": "hold + 30s", "for": "30s" }),
)]
pub(super) struct Fault {
    /// Reports, charts and thresholds (`recovery{fault:redis-outage}`) call it so.
    #[schemars(example = &"redis-outage")]
    name: Name,
    /// Redis, or the way to it.
    #[schemars(example = &"kill")]
    redis: Option<OnRedis>,
    /// The database server, or the way to it.
    #[schemars(example = &"hot_row")]
    database: Option<OnDatabase>,
    /// The brokers, or the way to them.
    #[schemars(example = &"freeze")]
    kafka: Option<OnKafka>,
    /// Every process of the server that issues.
    #[schemars(example = &"restart")]
    server: Option<OnServer>,
    /// Processes of the server that issue, where it has several roles.
    #[schemars(example = &"kill")]
    coupon: Option<OnServer>,
    /// Processes of the server that write rows from events.
    #[schemars(example = &"freeze")]
    issuer: Option<OnServer>,
    /// Processes of the server that keep the order of those who wait.
    #[schemars(example = &"kill")]
    queue: Option<OnServer>,
    /// Processes of the server at its entry.
    #[schemars(example = &"stop")]
    router: Option<OnServer>,
    /// The way between the load and the system.
    #[schemars(example = json!({ "delay": "200ms" }))]
    client: Option<OnClient>,
    /// At each beginning one of several, chosen by the seed while planning; needs `every`, and goes
    /// on until the load ends, or for `times`.
    #[schemars(example = json!({ "pick": [{ "redis": "freeze" }, { "database": "read_only" }] }))]
    chaos: Option<Chaos>,
    /// Which of several instances: `all`, `any` (one that the seed chooses, another one each time),
    /// or a number from 1.
    #[schemars(extend("default" = "all"), example = &"any")]
    which: Option<Text>,
    /// The name of a stage, or of an earlier fault (when it is healed for the last time), and how
    /// long after it.
    #[schemars(example = &"hold + 30s")]
    at: Option<Text>,
    /// How long after the beginning of the load.
    #[schemars(example = &"4m")]
    after: Option<Span>,
    /// In the first second in which this is true: `issued`, `remaining`, `vus`, `p50`, `p95` or
    /// `p99`; one of `>=`, `>`, `<=`, `<`; and a number, a share of the stock, or a time.
    #[schemars(example = &"issued >= 50%")]
    when: Option<Text>,
    /// How long it lasts. `restart` ends by itself; without it, `kill`, `stop`, `reset`, `evict`,
    /// `lose_writes` and `failover` are healed as soon as they were seen to bite.
    #[schemars(rename = "for", example = &"30s")]
    lasts: Option<Span>,
    /// From one beginning to the next, if there are several; longer than `for`.
    #[schemars(example = &"1m")]
    every: Option<Span>,
    /// How often.
    #[schemars(extend("default" = 1), example = 3)]
    times: Option<Positive>,
}

fn exclusive(schema: &mut Schema) {
    let what = [
        "redis", "database", "kafka", "server", "coupon", "issuer", "queue", "router", "client",
        "chaos",
    ];
    let when = ["at", "after", "when"];
    let one = |keys: &[&str]| -> Value {
        keys.iter()
            .map(|key| json!({ "required": [key] }))
            .collect()
    };
    let all = json!([{ "oneOf": one(&what) }, { "oneOf": one(&when) }]);
    schema.insert("allOf".to_owned(), all);
}

/// One of several blows at a time.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Chaos {
    /// What is chosen from. All of them last as long as the entry says.
    #[schemars(length(min = 1), example = json!([{ "redis": "freeze" }, { "kafka": "kill" }]))]
    pick: Vec<Pick>,
}

/// One blow.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one)]
struct Pick {
    /// Redis, or the way to it.
    #[schemars(example = &"kill")]
    redis: Option<OnRedis>,
    /// The database server, or the way to it.
    #[schemars(example = &"read_only")]
    database: Option<OnDatabase>,
    /// The brokers, or the way to them.
    #[schemars(example = &"freeze")]
    kafka: Option<OnKafka>,
    /// Every process of the server that issues.
    #[schemars(example = &"restart")]
    server: Option<OnServer>,
    /// Processes of the server that issue, where it has several roles.
    #[schemars(example = &"kill")]
    coupon: Option<OnServer>,
    /// Processes of the server that write rows from events.
    #[schemars(example = &"freeze")]
    issuer: Option<OnServer>,
    /// Processes of the server that keep the order of those who wait.
    #[schemars(example = &"kill")]
    queue: Option<OnServer>,
    /// Processes of the server at its entry.
    #[schemars(example = &"stop")]
    router: Option<OnServer>,
    /// The way between the load and the system.
    #[schemars(example = json!({ "delay": "200ms" }))]
    client: Option<OnClient>,
}

fn one(schema: &mut Schema) {
    let keys = [
        "redis", "database", "kafka", "server", "coupon", "issuer", "queue", "router", "client",
    ];
    shape::exactly_one(schema, &keys);
}

/// The kinds of faults that fit a party, as the decoder knows them.
macro_rules! on {
    ($($name:ident: $party:literal, $about:literal;)+) => {
        $(
            struct $name;

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    kinds($party, $about, generator)
                }
            }
        )+
    };
}

on! {
    OnRedis: "redis", "What is done to Redis: a word, or one kind with its settings.";
    OnDatabase: "database", "What is done to the database: a word, or one kind with its settings.";
    OnKafka: "kafka", "What is done to Kafka: a word, or one kind with its settings.";
    OnServer: "server", "What is done to processes of the server: a word, or one kind with its settings.";
    OnClient: "client", "What is done to the way between load and system: a word, or one kind with its settings.";
}

fn kinds(party: &str, about: &str, generator: &mut SchemaGenerator) -> Schema {
    let fitting = || KINDS.iter().filter(|kind| kind.parties.contains(&party));
    let words: Vec<&str> = fitting()
        .filter(|kind| kind.is_a_word())
        .map(|kind| kind.name)
        .collect();
    let words = json!({ "title": "kind", "description": "A kind that needs nothing to be said.", "enum": words });
    let with: Vec<&Kind> = fitting().filter(|kind| kind.has_settings()).collect();
    if with.is_empty() {
        return json_schema!({ "description": about, "anyOf": [words] });
    }
    let properties: Map<String, Value> = with
        .iter()
        .map(|kind| (kind.name.to_owned(), of_kind(kind, generator)))
        .collect();
    let required: Vec<Value> = with
        .iter()
        .map(|kind| json!({ "required": [kind.name] }))
        .collect();
    json_schema!({
        "description": about,
        "anyOf": [words, {
            "title": "kind with settings",
            "description": "One kind with what is said about it.",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
            "oneOf": required,
        }],
    })
}

fn of_kind(kind: &Kind, generator: &mut SchemaGenerator) -> Value {
    let all = [kind.needed, kind.either, kind.other].concat();
    let value = generator.subschema_for::<Text>().to_value();
    let properties: Map<String, Value> = all
        .iter()
        .map(|key| ((*key).to_owned(), setting(key, &value)))
        .collect();
    let mut map = json!({
        "title": "settings",
        "description": "What is said about it.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !kind.needed.is_empty() {
        map["required"] = json!(kind.needed);
    }
    if !kind.either.is_empty() {
        let either = kind.either.iter();
        map["oneOf"] = either.map(|key| json!({ "required": [key] })).collect();
    }
    let alone = kind
        .alone()
        .map_or_else(String::new, |key| format!(" A value alone is its `{key}`."));
    let forms = [value, map];
    json!({
        "description": format!("{}{alone}", about(kind.name)),
        "examples": [example(kind.name)],
        "anyOf": forms,
    })
}

fn about(kind: &str) -> &'static str {
    match kind {
        "delay" => "Bytes on the way are held back.",
        "rate" => "The way carries only so much.",
        "slice" => "Bytes go on in small pieces.",
        "reset" => "Connections get a TCP reset.",
        "black_hole" => "Bytes vanish, and connections stay open.",
        "close" => "Connections are closed after a time or so many bytes.",
        "half_open" => "One side of each open connection is gone, and the other does not know.",
        "drop_reply" => {
            "A call is carried out, its reply is lost, and the connection breaks: the caller does not know what happened."
        }
        "cpu_limit" => "Processes get only a share of one core.",
        "memory_limit" => "A process gets no more memory.",
        "clock_skew" => {
            "A process takes it to be later or earlier than it is; provider `local` only."
        }
        "stall" => "Redis answers nobody, or no write.",
        "loss" => "The kernel drops packets to and from it, each by this chance.",
        "lose_writes" => "Redis is killed, and comes back without what it wrote last.",
        "failover" => "The primary is killed, and Sentinel makes a replica the primary.",
        "kill_clients" => "Redis closes all connections, again and again.",
        "hot_row" => "Another transaction holds the row that everybody needs.",
        "pool_exhausted" => "Sessions are taken until the database gives no more.",
        "kill_sessions" => "All sessions of the system are killed, again and again.",
        _ => "",
    }
}

fn example(kind: &str) -> Value {
    match kind {
        "delay" => json!({ "by": "200ms", "jitter": "50ms" }),
        "rate" => json!("50_000"),
        "slice" => json!({ "bytes": 16, "pause": "10ms" }),
        "close" => json!({ "after": "5s" }),
        "reset" | "black_hole" | "half_open" => json!({ "share": "10%" }),
        "drop_reply" => json!({ "of": "COMMIT", "every": 20 }),
        "cpu_limit" => json!("20%"),
        "memory_limit" => json!("256MB"),
        "clock_skew" => json!("-30s"),
        "stall" => json!("writes"),
        "loss" => json!("10%"),
        "lose_writes" | "failover" | "kill_clients" | "kill_sessions" => json!("2s"),
        "hot_row" => json!({ "lock": "SELECT 1 FROM coupons WHERE id = 1 FOR UPDATE" }),
        _ => json!(2),
    }
}

fn setting(key: &str, value: &Value) -> Value {
    let (about, example) = match key {
        "by" => (
            "How long bytes are held back, at most a minute; of `clock_skew`, how far its clock is ahead, or with a `-` behind.",
            json!("200ms"),
        ),
        "jitter" => ("How far the delay goes up and down.", json!("50ms")),
        "spread" => ("`uniform` or `normal`.", json!("normal")),
        "bytes_per_second" => (
            "In each direction, all connections together.",
            json!("50_000"),
        ),
        "bytes" => ("How many: of one piece, or until it happens.", json!(1000)),
        "pause" => ("Between two pieces.", json!("10ms")),
        "after" => (
            "How long after it began, or the connection was made.",
            json!("5s"),
        ),
        "share" => (
            "Each connection, or call, is met by this chance; of `loss`, each packet; of `cpu_limit`, how much of one core is left, at least `1%`.",
            json!("10%"),
        ),
        "every" => (
            "Of connections or calls: one in so many. Of `kill_clients` and `kill_sessions`: how often.",
            json!(20),
        ),
        "direction" => ("`both`, `to_server` or `to_client`.", json!("to_client")),
        "of" => (
            "Which call (`EVALSHA`, `COMMIT`, `Produce`); of `stall`, `all` or `writes`.",
            json!("COMMIT"),
        ),
        "of_last" => ("How much of what it wrote before.", json!("1s")),
        "to" => (
            "How much it may have, in `kB`, `MB`, `GB`, `KiB`, `MiB` or `GiB`; at least `6MiB`.",
            json!("256MB"),
        ),
        "lose" => (
            "For how long before the kill nothing reaches the replicas; at most `5s`, without it `0s`.",
            json!("2s"),
        ),
        "lock" => (
            "The statement that takes the lock; without it the bundled system's own coupon is held.",
            json!("SELECT 1 FROM coupons WHERE id = 1 FOR UPDATE"),
        ),
        _ => ("How many connections stay free for the system.", json!(2)),
    };
    let mut value = value.clone();
    if let Value::Object(object) = &mut value {
        object.insert("description".to_owned(), json!(about));
        object.insert("examples".to_owned(), json!([example]));
    }
    value
}
