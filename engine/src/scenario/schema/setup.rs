//! `before` and `after`: what makes the system ready for a load, and what tidies up behind it.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::flow::{self, RequestKeys};
use super::text::{Name, NameKey, OneOrMany, Positive, Span, Status, Template, Text};

/// A request, SQL, Redis commands, or a program.
#[derive(JsonSchema)]
#[schemars(untagged, example = serde_json::json!({ "post": "/admin/reset" }))]
pub(super) enum SetupStep {
    Request(Box<SetupRequest>),
    Sql(SqlStep),
    Redis(RedisStep),
    Shell(ShellStep),
}

/// A request to the target.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = flow::exclusive)]
pub(super) struct SetupRequest {
    #[schemars(flatten)]
    request: RequestKeys,
    /// Which answers are right: one or several statuses or classes. Any other is a failure.
    #[schemars(extend("default" = "2xx"), example = serde_json::json!(["2xx", 409]))]
    expect: Option<OneOrMany<Status>>,
    /// Done for each user of the pool.
    #[schemars(example = &"user")]
    each: Option<EachUser>,
    /// For so many of them, those who will ask first; otherwise for all.
    #[schemars(example = "10_000")]
    users: Option<Positive>,
}

/// Statements on one connection, in order.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct SqlStep {
    /// The step's name in the report; otherwise `sql`.
    #[schemars(example = &"seed")]
    name: Option<Name>,
    /// Statements on one connection, in order. Templates in them are parameters.
    #[schemars(example = serde_json::json!({ "url": "${DB}", "run": "DELETE FROM user_coupons" }))]
    sql: SqlTask,
}

/// What is done in a database.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct SqlTask {
    /// Where the database is: `mysql:`, `mariadb:`, `postgres:`, `postgresql:` or `sqlite:`.
    #[schemars(example = "${DB}")]
    url: Text,
    /// One or several statements.
    #[schemars(example = "INSERT INTO users(id, name) VALUES ({{ user }}, 'u{{ n }}')")]
    run: OneOrMany<Template>,
    /// Done for each user of the pool; rows are sent in bulk.
    #[schemars(example = &"user")]
    each: Option<EachUser>,
    /// For so many of them, those who will ask first; otherwise for all.
    #[schemars(example = "10_000")]
    users: Option<Positive>,
    /// Names, each with a column of the first row of the last statement that answered with rows.
    #[schemars(example = serde_json::json!({ "coupon": "id" }))]
    capture: Option<BTreeMap<NameKey, Text>>,
    /// Of one statement or one batch; above zero.
    #[schemars(extend("default" = "1m"), example = "10s")]
    timeout: Option<Span>,
}

/// Commands on one connection, in order.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct RedisStep {
    /// The step's name in the report; otherwise `redis`.
    #[schemars(example = &"preload")]
    name: Option<Name>,
    /// Commands on one connection, in order.
    #[schemars(example = serde_json::json!({ "url": "redis://127.0.0.1", "run": "DEL coupon:1:users" }))]
    redis: RedisTask,
}

/// What is done in Redis.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RedisTask {
    /// Where Redis is: `redis:`.
    #[schemars(example = "redis://127.0.0.1")]
    url: Text,
    /// A command as one line, split at blanks outside templates, or a list of commands, each a line
    /// or a list of words.
    #[schemars(example = serde_json::json!([["SET", "greeting", "two words"], "DEL x"]))]
    run: Commands,
    /// Done for each user of the pool; commands are sent in bulk.
    #[schemars(example = &"user")]
    each: Option<EachUser>,
    /// For so many of them, those who will ask first; otherwise for all.
    #[schemars(example = "10_000")]
    users: Option<Positive>,
    /// A name for the answer to the last command.
    #[schemars(example = serde_json::json!({ "stock": null }))]
    capture: Option<OneCapture>,
    /// Of one command or one batch; above zero.
    #[schemars(extend("default" = "1m"), example = "10s")]
    timeout: Option<Span>,
}

/// A line, or several commands.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Commands {
    Line(Template),
    List(#[schemars(length(min = 1))] Vec<OneOrMany<Template>>),
}

/// A program.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ShellStep {
    /// The step's name in the report; otherwise `shell`.
    #[schemars(example = &"restart")]
    name: Option<Name>,
    /// A program that must end with 0. It runs where `fcfs-bench` was started, without input.
    #[schemars(example = serde_json::json!({ "run": "docker compose restart api" }))]
    shell: ShellTask,
}

/// What is run.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ShellTask {
    /// A text for `sh -c`, without templates; or a program with its arguments.
    #[schemars(example = serde_json::json!(["./reset", "{{ coupon.id }}"]))]
    run: OneOrMany<Template>,
    /// A name for the first line that it prints.
    #[schemars(example = serde_json::json!({ "version": null }))]
    capture: Option<OneCapture>,
    /// After that it is ended, with all that it has started; above zero.
    #[schemars(extend("default" = "1m"), example = "30s")]
    timeout: Option<Span>,
}

/// A name for the only value.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum OneCapture {
    Name(Name),
    Named(#[schemars(length(min = 1, max = 1))] BTreeMap<NameKey, ()>),
}

/// For whom a step is done.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum EachUser {
    /// For each user of the pool.
    User,
}
