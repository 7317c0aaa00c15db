//! `target.stack.server`: how the bundled server works.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::super::server::{ROLES, Row, SETTINGS, SettingKind};
use super::text::{Count, Flag, Positive, Share, Span, word_types, words};

/// The keys that are here, and a key for each row of the settings.
pub(super) struct Server;

impl JsonSchema for Server {
    fn schema_name() -> Cow<'static, str> {
        "Server".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Choice::json_schema(generator);
        let rows = SETTINGS.iter();
        let settings: Vec<_> = rows.map(|row| (row.key, setting(generator, row))).collect();
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(properties) = properties {
            properties.extend(
                settings
                    .into_iter()
                    .map(|(key, schema)| (key.to_owned(), schema)),
            );
        }
        schema
    }
}

/// How the bundled server works.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = json!({ "strategy": "sqlite-lock" }))]
struct Choice {
    /// How it decides who gets one.
    #[schemars(extend("default" = "sqlite-atomic"), example = &"sqlite-lock")]
    strategy: Option<Strategy>,
    /// A planted defect.
    #[schemars(example = &"oversell")]
    bug: Option<Bug>,
    /// How many processes share the stores: of those that issue coupons, or by role. The load goes
    /// to all that it may reach, in turn.
    #[schemars(extend("default" = 1), example = 2)]
    replicas: Option<Replicas>,
}

/// As a property: its type, and what is said of it here.
fn setting(generator: &mut SchemaGenerator, row: &Row) -> Value {
    let schema = match &row.kind {
        SettingKind::Count { least: 0, .. } => generator.subschema_for::<Count>(),
        SettingKind::Count { .. } => generator.subschema_for::<Positive>(),
        SettingKind::Span { .. } => generator.subschema_for::<Span>(),
        SettingKind::Share => generator.subschema_for::<Share>(),
        SettingKind::Flag => generator.subschema_for::<Flag>(),
        SettingKind::Words(known) => words(generator, known),
    };
    let mut schema = schema.to_value();
    let of = match row.strategies {
        [] => String::new(),
        some => format!(" Only with {}.", some.join(", ")),
    };
    schema["description"] = format!("{}{of}", row.about).into();
    if !row.default.is_empty() {
        schema["default"] = typed(row.default);
    }
    schema["examples"] = json!([typed(row.example)]);
    schema
}

/// As YAML reads it.
fn typed(text: &str) -> Value {
    let number = text.parse::<u64>().map(Value::from);
    let flag = text.parse::<bool>().map(Value::from);
    number.or(flag).unwrap_or_else(|_| text.into())
}

/// One number, or one for each role.
struct Replicas;

impl JsonSchema for Replicas {
    fn schema_name() -> Cow<'static, str> {
        "Replicas".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let count = generator.subschema_for::<Positive>().to_value();
        let by_role = generator.subschema_for::<ByRole>().to_value();
        schemars::json_schema!({ "anyOf": [count, by_role] })
    }
}

struct ByRole;

impl JsonSchema for ByRole {
    fn schema_name() -> Cow<'static, str> {
        "ReplicasByRole".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let count = generator.subschema_for::<Positive>().to_value();
        let role = |(role, about): (&str, &str)| {
            let mut schema = count.clone();
            schema["description"] = format!("Of the processes that are {about}.").into();
            schema["default"] = 1.into();
            schema["examples"] = json!([2]);
            (role.to_owned(), schema)
        };
        let roles: Map<String, Value> = ROLES.into_iter().map(role).collect();
        schemars::json_schema!({
            "type": "object",
            "description": "How many processes each role has.",
            "examples": [{ "coupon": 2 }],
            "additionalProperties": false,
            "properties": roles,
        })
    }
}

word_types! {
    /// How the bundled server decides who gets one.
    Strategy: [
        ("sqlite-atomic", "one statement takes a coupon if there is one"),
        ("sqlite-lock", "a lock around looking and taking"),
        ("memory-then-sqlite", "a counter in memory decides, the row is written after it"),
        ("memory-kafka", "a counter in memory decides, the answer waits for Kafka, an issuer writes the row"),
        ("db-pessimistic", "looking and taking under a lock on MySQL's row"),
        ("db-conditional", "one statement of MySQL takes a coupon if there is one"),
        ("redis-lua", "a script in Redis decides, the row is written to MySQL after it"),
        ("redlock", "a lock over several Redis around a transaction of MySQL"),
        ("redisson", "a lock in Redis around the stock in Redis, the row is written after it"),
        ("redis-kafka", "a script in Redis decides, the answer waits for Kafka, an issuer writes the row"),
        ("fire-and-forget", "the same, and the answer does not wait for Kafka: it may lose coupons"),
        ("outbox", "MySQL keeps coupon and event together, a relay sends it, an issuer writes the row"),
        ("queue", "as `redis-kafka`, behind a router and a queue"),
    ];

    /// A planted defect of the bundled server.
    Bug: [
        ("oversell", "reads the stock, and takes one later without looking again"),
        ("double-issue", "never asks whether the user holds one already"),
        ("lost-ack", "confirms, and loses some rows"),
        ("last-one-refused", "takes the last coupon and answers sold out"),
        ("false-duplicate", "answers `duplicate` when its storage fails"),
        ("lua-compare", "only where a script in Redis decides: it compares a text with a number"),
        ("lease-unchecked", "only `redlock`: commits without looking whether its lock has run out"),
        ("early-sold-out", "tells the next users that it is sold out after any answer that gave nothing"),
        ("publish-before-commit", "only `outbox`: sends the event from within a transaction that may still fail"),
        ("swallowed-publish", "only `outbox`: sends the event once after the commit, and ignores a failure"),
        ("offset-before-effect", "only strategies with events: moves on in the topic before the effect is written"),
        ("effect-not-idempotent", "only strategies with events: an event that is read again has its effect again"),
        ("affected-rows-ignored", "only `sqlite-atomic` and `db-conditional`: does not ask whether the decrement changed a row"),
        ("lost-update", "only `sqlite-atomic` and `db-conditional`: writes the stock that it has read, less one"),
        ("one-too-many", "only `sqlite-atomic` and `db-conditional`: sells one when nothing is left"),
        ("no-unique-key", "only `sqlite-atomic` and `db-conditional`: a look for an earlier coupon, and no key behind it"),
        ("duplicate-takes-stock", "only `sqlite-atomic` and `db-conditional`: a refused duplicate keeps its decrement"),
        ("loose-collation", "only `sqlite-atomic` and `db-conditional`: users whose names differ in case are one"),
        ("highest-id-answered", "only `sqlite-atomic`: answers with the highest id of the table"),
        ("replica-read", "only `sqlite-lock`: looks for an earlier coupon on a replica that is behind"),
        ("stale-snapshot", "only `db-pessimistic`: looks for an earlier coupon in a snapshot from before the lock"),
        ("commit-error-swallowed", "only `db-pessimistic` and `db-conditional`: answers a failed COMMIT as issued"),
        ("retry-without-key", "only `db-pessimistic`: issues again, without a look, when the answer to COMMIT is lost"),
        ("ghost-duplicate", "takes a user for a holder from the first request on, whatever its answer was"),
        ("stock-returned-twice", "only `memory-then-sqlite` and `memory-kafka`: gives back twice what could not be given"),
        ("full-queue-drops", "only `memory-then-sqlite`: drops a row for which the write queue has no place"),
        ("preload-twice", "only `memory-then-sqlite` and where a script in Redis decides: every start puts the whole stock back"),
        ("offset-before-write", "only where an issuer writes the rows: its place moves on before they are written"),
        ("unknown-given-back", "only `redis-kafka`, `memory-kafka` and `queue`: gives back a coupon whose event may have arrived"),
        ("unlock-not-owner", "only `redlock`: deletes the lock without asking whose it is"),
        ("unlock-before-commit", "only `redlock`: gives the lock back before the commit"),
        ("lock-per-user", "only `redlock`: each user has a lock of their own"),
        ("lease-in-milliseconds", "only `redisson`: the lease is a thousandth of what was said"),
        ("local-lock-fallback", "only `redlock`: locks in its own memory while Redis does not answer"),
        ("stock-from-cache", "only `redlock` with `coupon_cache`: decides by the stock that the cache has kept"),
        ("queue-skipped", "only `queue` with `guard_issue`: gives coupons to users who were not admitted"),
        ("admission-over-limit", "only `queue`: each interval admits as many as may be inside, whoever still is"),
        ("ticket-wall-clock", "only `queue`: a place is the time of the server that was asked"),
    ];
}
