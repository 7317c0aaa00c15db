//! `truth`: where the authoritative state is read, and when it counts as final.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};

use super::resource::Kafka;
use super::shape;
use super::text::{Flag, HeaderKey, HeaderValue, Pointer, Positive, Span, Text, Whole};

/// Where the authoritative state is read, and when it counts as final.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "settle": { "quiet": "3s" } }))]
pub(super) struct Truth {
    /// The issued rows: one for each coupon that was given out. Needed by every invariant; with the
    /// bundled server its own table.
    #[schemars(example = serde_json::json!({ "sql": { "url": "${DB}", "query": "SELECT user_id, id, created_at FROM user_coupons" } }))]
    issued: Option<Rows>,
    /// The stock that the system says it had; read before the load and held against `subject`.
    #[schemars(example = serde_json::json!({ "sql": { "url": "${DB}", "query": "SELECT amount FROM coupons WHERE id = 1" } }))]
    stock: Option<Number>,
    /// What the system says is left; read once a second during the load, and at rest. With the
    /// bundled server its own counter.
    #[schemars(example = serde_json::json!({ "redis": { "url": "redis://127.0.0.1", "command": "GET coupon:1:stock" } }))]
    remaining: Option<Number>,
    /// The ids in the outbox: of each row the id of what it is the event of. For `delivery`; with the
    /// bundled server's `outbox` its own table.
    #[schemars(example = serde_json::json!({ "sql": { "url": "${DB}", "query": "SELECT coupon_id FROM outbox" } }))]
    outbox: Option<Ids>,
    /// The events, all of them, read by nobody's consumer group. For `delivery`; with the bundled
    /// server's strategies with events its own topic.
    #[schemars(example = serde_json::json!({ "kafka": { "brokers": "127.0.0.1:9092", "topic": "coupon-issued", "id": "/couponId" } }))]
    events: Option<EventPlace>,
    /// The ids of what the consumer of the events has done, each as often as it was done. For
    /// `delivery`; with the bundled server's strategies with events its own table.
    #[schemars(example = serde_json::json!({ "sql": { "url": "${DB}", "query": "SELECT coupon_id FROM notices" } }))]
    effects: Option<Ids>,
    /// The seats that are sold, and whose they are. For `seats`.
    #[schemars(example = serde_json::json!({ "sql": { "url": "${DB}", "query": "SELECT seat_id, user_id FROM orders" } }))]
    seats: Option<SeatTable>,
    /// The entries of all accounts, in the order in which they were made. For `balances`.
    #[schemars(example = serde_json::json!({ "sql": { "url": "${DB}", "query": "SELECT idempotency_key, account_id, amount FROM ledger ORDER BY id" } }))]
    ledger: Option<LedgerTable>,
    /// What each account held at the beginning, and what it holds now. For `balances`.
    #[schemars(example = serde_json::json!({ "sql": { "url": "${DB}", "query": "SELECT id, opening_balance, balance FROM accounts" } }))]
    balances: Option<BalanceTable>,
    /// When the rows count as final.
    #[schemars(example = serde_json::json!({ "quiet": "3s", "within": "2m" }))]
    settle: Option<Settle>,
    /// Whether fresh users ask after the load until the first sold-out. Otherwise `true` if some
    /// outcome is `sold_out` and `stock` or `first_come_first_served` is an invariant; `true` without
    /// these is an error.
    drain: Option<Flag>,
}

/// When the rows count as final.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Settle {
    /// The number of rows must not change for so long; 1s for the bundled server.
    #[schemars(extend("default" = "2s"), example = "3s")]
    quiet: Option<Span>,
    /// If that is not reached in this time, the rows are not final.
    #[schemars(extend("default" = "60s"), example = "2m")]
    within: Option<Span>,
    /// What still waits to be written: while any of these is above 0, or cannot be read, the rows are
    /// not final. The bundled server's own are read without being named: its consumer lag, and its
    /// outbox.
    #[schemars(length(max = 8), example = serde_json::json!([{ "kafka": { "brokers": "127.0.0.1:9092", "group": "coupon-issuer", "topic": "coupon-issued" } }, { "sql": { "url": "${DB}", "query": "SELECT COUNT(*) FROM outbox WHERE sent_at IS NULL" } }]))]
    pending: Option<Vec<Pending>>,
}

/// How much still waits to be written.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one_backlog, example = serde_json::json!({ "redis": { "url": "redis://127.0.0.1", "command": "LLEN issue:queue" } }))]
struct Pending {
    /// A query: the first column of the first row counts.
    sql: Option<Sql>,
    /// A command that answers with a number; a missing key is an error, not 0.
    redis: Option<Redis>,
    /// A GET request with a JSON answer.
    http: Option<HttpNumber>,
    /// The events of a topic that a consumer group has not committed, asked without joining it.
    #[schemars(example = serde_json::json!({ "brokers": "127.0.0.1:9092", "group": "coupon-issuer", "topic": "coupon-issued" }))]
    kafka: Option<Kafka>,
    /// Added to a number that was read; not beside `kafka`.
    #[schemars(extend("default" = 0), example = -1)]
    offset: Option<Whole>,
}

/// Rows of user, id and time.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one_source)]
struct Rows {
    /// A query whose columns are, by position: user, coupon id (optional), time (optional).
    sql: Option<SqlRows>,
    /// A command: a set or list gives users, `HGETALL` users and coupon ids, `ZRANGE ... WITHSCORES`
    /// users and times.
    redis: Option<Redis>,
    /// A GET request with a JSON answer.
    http: Option<HttpRows>,
}

/// Ids, one in a row.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one_source)]
struct Ids {
    /// A query whose first column is the id.
    sql: Option<Sql>,
    /// A command: a set or list gives ids.
    redis: Option<Redis>,
    /// A GET request with a JSON answer.
    http: Option<HttpIds>,
}

/// Rows of seat and owner.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct SeatTable {
    /// A query whose columns are, by position: seat, owner. A row without an owner is not sold.
    sql: Sql,
}

/// Rows of idempotency key, account and amount.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct LedgerTable {
    /// A query whose columns are, by position: idempotency key, account, what it adds to the account.
    /// A row without a key is no charge of the load; it counts in the balance. Sort the rows as they
    /// were made.
    sql: Sql,
}

/// Rows of accounts.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct BalanceTable {
    /// A query whose columns are, by position: account, what it held before the first row of the
    /// ledger, what it holds now.
    sql: Sql,
}

/// Where events are.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct EventPlace {
    /// A topic of Kafka.
    #[schemars(example = serde_json::json!({ "brokers": "127.0.0.1:9092", "topic": "coupon-issued", "id": "/couponId" }))]
    kafka: EventTopic,
}

/// A topic, and what is read of each event: from the oldest to where the topic ends when it is read,
/// at most two million, within a minute.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct EventTopic {
    /// Where brokers listen: `HOST:PORT`, several separated by commas.
    #[schemars(example = "127.0.0.1:9092")]
    brokers: Text,
    /// The topic.
    #[schemars(example = "coupon-issued")]
    topic: Text,
    /// Where the value says what it is the event of; empty for the value itself; otherwise the
    /// message's key does.
    #[schemars(example = "/couponId")]
    id: Option<Pointer>,
    /// A whole number or a time in the value that rises from event to event of one message key.
    #[schemars(example = "/version")]
    sequence: Option<Pointer>,
    /// Where the value says of which coupon it is, if the topic has events of several: those of
    /// another than `subject` are left out.
    #[schemars(example = "/eventId")]
    coupon: Option<Pointer>,
}

/// A number.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one_source)]
struct Number {
    /// A query: the first column of the first row counts.
    sql: Option<Sql>,
    /// A command that answers with a number; a missing key is an error, not 0.
    redis: Option<Redis>,
    /// A GET request with a JSON answer.
    http: Option<HttpNumber>,
    /// Added to what was read, where a store keeps a sentinel.
    #[schemars(extend("default" = 0), example = -1)]
    offset: Option<Whole>,
}

fn one_backlog(schema: &mut Schema) {
    shape::exactly_one(schema, &["sql", "redis", "http", "kafka"]);
    shape::at_most_one(schema, &["kafka", "offset"]);
}

fn one_source(schema: &mut Schema) {
    shape::exactly_one(schema, &["sql", "redis", "http"]);
}

/// A query that only reads.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "url": "${DB}", "query": "SELECT user_id FROM coupons" }))]
pub(super) struct Sql {
    /// Where the database is: `mysql:`, `mariadb:`, `postgres:`, `postgresql:` or `sqlite:`.
    #[schemars(example = "mysql://reader:${DB_PASSWORD}@127.0.0.1:3306/shop")]
    url: Text,
    /// One statement that begins with `SELECT` or `WITH` and has no word that writes or locks. Only
    /// `{{ coupon.id }}` is filled in.
    #[schemars(
        example = "SELECT user_id, id, created_at FROM coupons WHERE event_id = {{ coupon.id }}"
    )]
    query: Text,
}

/// A query that only reads rows, with one statement or in pages.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = page_of_key, example = serde_json::json!({ "url": "${DB}", "query": "SELECT user_id, id FROM coupons", "key": "id" }))]
struct SqlRows {
    /// Where the database is: `mysql:`, `mariadb:`, `postgres:`, `postgresql:` or `sqlite:`.
    #[schemars(example = "mysql://reader:${DB_PASSWORD}@127.0.0.1:3306/shop")]
    url: Text,
    /// One statement that begins with `SELECT` or `WITH` and has no word that writes or locks. Only
    /// `{{ coupon.id }}` is filled in. Beside `key` also without `LIMIT`, `OFFSET`, `FETCH`, `OVER`.
    #[schemars(
        example = "SELECT user_id, id, created_at FROM coupons WHERE event_id = {{ coupon.id }}"
    )]
    query: Text,
    /// A column of the query by which its rows are read in pages, so that no statement gives all of
    /// them: one that an index is on, and that no row ever changes. Rows may share a value. Without
    /// it all rows are read with one statement.
    #[schemars(example = &"id")]
    key: Option<Text>,
    /// How many rows a page has, at most a million; those that share a value come together. Only beside
    /// `key`.
    #[schemars(extend("default" = "10_000"), example = 5000)]
    page: Option<Positive>,
}

fn page_of_key(schema: &mut Schema) {
    schema.insert(
        "dependentRequired".to_owned(),
        serde_json::json!({ "page": ["key"] }),
    );
}

/// A Redis command that only reads.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "url": "redis://127.0.0.1", "command": "SMEMBERS issued" }))]
struct Redis {
    /// Where Redis is.
    #[schemars(example = "redis://127.0.0.1:6379")]
    url: Text,
    /// A command that only reads, as one line or as a list of words. Only `{{ coupon.id }}` is
    /// filled in.
    #[schemars(example = "GET coupon:{{ coupon.id }}:stock", example = serde_json::json!(["SMEMBERS", "issued users"]))]
    command: Command,
}

/// A line, or a list of words.
#[derive(JsonSchema)]
#[schemars(inline, untagged)]
enum Command {
    Line(Text),
    Words(Vec<Text>),
}

/// A GET request whose answer holds an array of rows.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "get": "/admin/issued", "at": "/rows", "user": "/userId" }))]
struct HttpRows {
    /// A path on the target, or a whole URL.
    #[schemars(example = "/admin/issued")]
    get: Text,
    /// Headers by name.
    #[schemars(example = serde_json::json!({ "authorization": "Bearer ${ADMIN_TOKEN}" }))]
    headers: Option<BTreeMap<HeaderKey, HeaderValue>>,
    /// The array of rows in the answer.
    #[schemars(extend("default" = ""), example = "/data/rows")]
    at: Option<Pointer>,
    /// The user within a row; otherwise the row itself.
    #[schemars(extend("default" = ""), example = "/userId")]
    user: Option<Pointer>,
    /// The coupon's own id within a row.
    #[schemars(example = "/id")]
    id: Option<Pointer>,
    /// The time within a row.
    #[schemars(example = "/createdAt")]
    time: Option<Pointer>,
}

/// A GET request whose answer holds an array of ids.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "get": "/admin/outbox", "at": "/rows", "id": "/couponId" }))]
struct HttpIds {
    /// A path on the target, or a whole URL.
    #[schemars(example = "/admin/outbox")]
    get: Text,
    /// Headers by name.
    #[schemars(example = serde_json::json!({ "authorization": "Bearer ${ADMIN_TOKEN}" }))]
    headers: Option<BTreeMap<HeaderKey, HeaderValue>>,
    /// The array in the answer.
    #[schemars(extend("default" = ""), example = "/data/rows")]
    at: Option<Pointer>,
    /// The id within a row; otherwise the row itself.
    #[schemars(extend("default" = ""), example = "/couponId")]
    id: Option<Pointer>,
}

/// A GET request whose answer holds a number.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "get": "/admin/stock", "at": "/remaining" }))]
struct HttpNumber {
    /// A path on the target, or a whole URL.
    #[schemars(example = "/admin/stock")]
    get: Text,
    /// Headers by name.
    #[schemars(example = serde_json::json!({ "authorization": "Bearer ${ADMIN_TOKEN}" }))]
    headers: Option<BTreeMap<HeaderKey, HeaderValue>>,
    /// The number in the answer.
    #[schemars(extend("default" = ""), example = "/remaining")]
    at: Option<Pointer>,
}
