//! `flows`: what one iteration does, as a list of steps.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::outcome::Outcomes;
use super::shape;
use super::steps::{Capture, EachStep, ParallelStep, PollStep, WhenStep};
use super::text::{AnyKey, HeaderKey, HeaderValue, Name, NameKey, Span, Template};

/// The steps that one iteration performs in order.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct Flow(#[schemars(length(min = 1))] Vec<Step>);

/// A request, a pause, or a step that holds other steps.
#[derive(JsonSchema)]
#[schemars(untagged, example = serde_json::json!({ "post": "/issue", "outcomes": { "issued": 201 } }))]
pub(super) enum Step {
    Request(Box<Request>),
    Pause(Pause),
    Poll(PollStep),
    When(WhenStep),
    Each(EachStep),
    Parallel(ParallelStep),
}

/// A request: a method with the path as its value.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = exclusive)]
pub(super) struct Request {
    #[schemars(flatten)]
    request: RequestKeys,
    /// What an answer means; the first that matches counts. Without them 2xx and 3xx are `ok` and
    /// everything else is `error`.
    #[schemars(example = serde_json::json!({ "issued": 201, "sold_out": 410, "duplicate": 409 }))]
    outcomes: Option<Outcomes>,
}

/// What every request may have.
#[derive(JsonSchema)]
pub(super) struct RequestKeys {
    /// The step's name in reports and thresholds, unique in the scenario; otherwise the flow's name.
    /// Required when a flow has several requests.
    #[schemars(example = &"issue")]
    name: Option<Name>,
    /// A GET request to this path.
    #[schemars(example = "/events/{{ coupon.id }}")]
    get: Option<Template>,
    /// A POST request to this path.
    #[schemars(example = "/coupons/{{ coupon.id }}/issue")]
    post: Option<Template>,
    /// A PUT request to this path.
    #[schemars(example = "/coupons/{{ coupon.id }}/users/{{ user }}")]
    put: Option<Template>,
    /// A PATCH request to this path.
    #[schemars(example = "/coupons/{{ coupon.id }}")]
    patch: Option<Template>,
    /// A DELETE request to this path.
    #[schemars(example = "/carts/{{ user }}")]
    delete: Option<Template>,
    /// A HEAD request to this path.
    #[schemars(example = "/health")]
    head: Option<Template>,
    /// Headers by name; `content-length`, `transfer-encoding` and `connection` are set by the
    /// client.
    #[schemars(example = serde_json::json!({ "authorization": "Bearer ${TOKEN}" }))]
    headers: Option<BTreeMap<HeaderKey, HeaderValue>>,
    /// Appended to the path, escaped.
    #[schemars(example = serde_json::json!({ "event": "{{ coupon.id }}" }))]
    query: Option<BTreeMap<AnyKey, Template>>,
    /// Any YAML, sent as JSON; texts and keys in it are templates. At most one of `json`, `form` and
    /// `text`.
    #[schemars(example = serde_json::json!({ "userId": "{{ user | number }}" }))]
    json: Option<Value>,
    /// Sent as `application/x-www-form-urlencoded`.
    #[schemars(example = serde_json::json!({ "userId": "{{ user }}" }))]
    form: Option<BTreeMap<AnyKey, Template>>,
    /// Sent as `text/plain; charset=utf-8`.
    #[schemars(example = "{{ user }}")]
    text: Option<Template>,
    /// From the start of the attempt, connecting included, to the last byte of the answer; above
    /// zero.
    #[schemars(extend("default" = "10s"), example = "5s")]
    timeout: Option<Span>,
    /// What is kept of an answer, under names that templates of later steps can use. A JSON pointer
    /// stands for itself.
    #[schemars(example = serde_json::json!({ "order": "/id", "token": { "header": "X-Token", "secret": true } }))]
    capture: Option<BTreeMap<NameKey, Capture>>,
}

pub(super) fn exclusive(schema: &mut Schema) {
    let methods = ["get", "post", "put", "patch", "delete", "head"];
    shape::exactly_one(schema, &methods);
    shape::at_most_one(schema, &["json", "form", "text"]);
}

/// A pause.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Pause {
    /// How long the user thinks before the next step: a time, or one between two that follows from
    /// the seed. The drain phase skips pauses.
    #[schemars(example = "1s", example = serde_json::json!({ "from": "50ms", "to": "150ms" }))]
    think: Think,
}

/// A time, or one between two.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Think {
    Exactly(Span),
    Between(Between),
}

/// An evenly distributed time.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Between {
    /// The shortest pause.
    #[schemars(example = "50ms")]
    from: Span,
    /// The longest pause, not below `from`.
    #[schemars(example = "150ms")]
    to: Span,
}
