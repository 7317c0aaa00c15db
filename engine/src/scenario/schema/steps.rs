//! Steps that hold other steps, and what is kept of an answer.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};

use super::flow::{self, RequestKeys, Step};
use super::outcome::{HeaderMatch, JsonMatch, Outcomes};
use super::shape;
use super::text::{
    AnyKey, Count, Flag, HeaderKey, HeaderName, NameKey, OneOrMany, Pointer, PointerKey, Positive,
    Span, Status, Text,
};

/// A request that is repeated until its answer is what is waited for.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct PollStep {
    /// A request that is repeated until its answer is what is waited for. The whole wait is the
    /// metric `poll_duration`; the iteration ends when the answer does not come in time.
    #[schemars(example = serde_json::json!({
        "get": "/requests/{{ request }}", "every": "200ms", "within": "10s",
        "outcomes": { "issued": { "json": { "/state": "DONE" } }, "pending": 200 },
    }))]
    poll: Box<Poll>,
}

/// The keys of a request, and how it is repeated.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = flow::exclusive)]
struct Poll {
    /// From one request to the next.
    #[schemars(extend("default" = "500ms"), example = "200ms")]
    every: Option<Span>,
    /// No request starts after this time; not below `every`.
    #[schemars(extend("default" = "30s"), example = "10s")]
    within: Option<Span>,
    /// What ends it. Without it every declared outcome but `pending` and `unknown` does.
    #[schemars(example = serde_json::json!({ "outcome": ["issued", "sold_out"] }))]
    until: Option<Until>,
    #[schemars(flatten)]
    request: RequestKeys,
    /// What an answer means; the first that matches counts.
    #[schemars(example = serde_json::json!({ "issued": 200, "pending": 202 }))]
    outcomes: Option<Outcomes>,
}

/// Outcomes that end a poll, or conditions of an answer.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Until {
    Outcome(UntilOutcome),
    Answer(Box<UntilAnswer>),
}

/// Outcomes that end a poll.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct UntilOutcome {
    /// One or several outcomes of this step.
    #[schemars(example = serde_json::json!(["issued", "sold_out"]))]
    outcome: OneOrMany<Text>,
}

/// Conditions that must all hold for an answer to end a poll.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct UntilAnswer {
    /// One or several statuses or classes.
    #[schemars(example = 200)]
    status: Option<OneOrMany<Status>>,
    /// A text that the body contains.
    #[schemars(example = &"done")]
    body: Option<Text>,
    /// A regular expression that is found in the body.
    #[schemars(example = "(?i)done")]
    matches: Option<Text>,
    /// `true`: the body has no byte.
    empty: Option<Flag>,
    /// JSON pointers and what must stand there.
    #[schemars(example = serde_json::json!({ "/state": "DONE" }))]
    json: Option<BTreeMap<PointerKey, JsonMatch>>,
    /// Headers by name.
    #[schemars(example = serde_json::json!({ "location": true }))]
    header: Option<BTreeMap<HeaderKey, HeaderMatch>>,
}

/// Steps that depend on what came before.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct WhenStep {
    /// Conditions that must all hold.
    #[schemars(example = serde_json::json!({ "outcome": { "checkout": "ok" } }))]
    when: When,
    /// Performed if they hold.
    #[schemars(length(min = 1), example = serde_json::json!([{ "name": "pay", "post": "/pay" }]))]
    then: Vec<Step>,
    /// Performed if they do not.
    #[schemars(length(min = 1), example = serde_json::json!([{ "name": "leave", "post": "/leave" }]))]
    r#else: Option<Vec<Step>>,
}

/// Conditions that must all hold.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = shape::not_empty)]
struct When {
    /// Earlier steps of this iteration, each with one or several outcomes of which its last answer
    /// had one.
    #[schemars(example = serde_json::json!({ "checkout": ["ok", "duplicate"] }))]
    outcome: Option<BTreeMap<AnyKey, OneOrMany<Text>>>,
    /// Captures, each with a value, several values, `{ exists: false }` or `{ matches: '^A' }`.
    #[schemars(example = serde_json::json!({ "state": "DONE" }))]
    capture: Option<BTreeMap<AnyKey, Held>>,
}

/// What a capture must hold.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Held {
    Values(OneOrMany<Text>),
    Condition(HeldCondition),
}

/// Whether it is there, or what is found in it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one_condition)]
struct HeldCondition {
    /// Whether the answer had it.
    #[schemars(example = true)]
    exists: Option<Flag>,
    /// A regular expression that is found in it.
    #[schemars(example = "^A")]
    matches: Option<Text>,
}

fn one_condition(schema: &mut Schema) {
    shape::exactly_one(schema, &["exists", "matches"]);
}

/// Steps for each of several values.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct EachStep {
    /// One name, and the values that it takes one after the other.
    #[schemars(example = serde_json::json!({ "seat": ["A1", "A2"] }))]
    #[schemars(length(min = 1, max = 1))]
    each: BTreeMap<NameKey, Items>,
    /// Performed for each value.
    #[schemars(length(min = 1), example = serde_json::json!([{ "name": "hold", "post": "/hold/{{ seat }}" }]))]
    r#do: Vec<Step>,
}

/// A list, numbers, or a captured list.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Items {
    List(OneOrMany<Text>),
    Range(Range),
    In(Listed),
}

/// The numbers from the first to the last.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Range {
    /// The first.
    #[schemars(example = 1)]
    from: Count,
    /// The last.
    #[schemars(example = 3)]
    to: Count,
}

/// A captured list.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Listed {
    /// A capture that holds a JSON list.
    #[schemars(example = &"seats")]
    r#in: Text,
}

/// Steps of one user at the same time.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ParallelStep {
    /// Performed at the same time by the same user, each on a connection of its own.
    #[schemars(example = serde_json::json!({ "times": 50, "do": [{ "post": "/issue" }] }))]
    parallel: Branches,
}

/// Several steps, or the same steps several times.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Branches {
    Steps(Vec<Step>),
    Times(Times),
}

/// The same steps several times.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Times {
    /// How often, 1 to 1000.
    #[schemars(example = 50)]
    times: Positive,
    /// What each does.
    #[schemars(length(min = 1), example = serde_json::json!([{ "post": "/issue" }]))]
    r#do: Vec<Step>,
}

/// A JSON pointer, or another place in the answer.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Capture {
    Pointer(Pointer),
    Place(Place),
}

/// Where the value stands.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one_place)]
pub(super) struct Place {
    /// At this JSON pointer.
    #[schemars(example = "/id")]
    json: Option<Pointer>,
    /// In this header.
    #[schemars(example = &"X-Token")]
    header: Option<HeaderName>,
    /// In a `set-cookie` header, under this name.
    #[schemars(example = &"SID")]
    cookie: Option<Text>,
    /// Found in the body by this regular expression: its first group, or the whole match.
    #[schemars(example = "code=([0-9]+)")]
    matches: Option<Text>,
    /// `true`: never shown.
    secret: Option<Flag>,
}

fn one_place(schema: &mut Schema) {
    shape::exactly_one(schema, &["json", "header", "cookie", "matches"]);
}
