//! `metrics`: measurements that a scenario makes of its captures.

use schemars::{JsonSchema, Schema};

use super::shape;
use super::text::Text;

/// What is made of the numbers that a capture of a flow brings.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one, example = serde_json::json!({ "trend": "rank" }))]
pub(super) struct Metric {
    /// The capture whose numbers are recorded: `avg`, `min`, `max`, `med`, `p(N)` and `count`.
    #[schemars(example = &"rank")]
    trend: Option<Text>,
    /// The capture whose numbers are added up: `count` and `rate`.
    #[schemars(example = &"attempts")]
    counter: Option<Text>,
}

fn one(schema: &mut Schema) {
    shape::exactly_one(schema, &["trend", "counter"]);
}
