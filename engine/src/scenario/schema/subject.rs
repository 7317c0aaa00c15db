//! `subject`: what is given away.

use schemars::JsonSchema;

use super::text::{Count, Span, Text};

/// What is given away.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "coupon": { "id": 1, "stock": 5000 } }))]
pub(super) struct Subject {
    /// The coupon or ticket.
    coupon: Coupon,
}

/// A coupon or ticket.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "id": 1, "stock": 5000 }))]
struct Coupon {
    /// What the system calls it: `{{ coupon.id }}` in templates. With the bundled server a whole
    /// number.
    #[schemars(example = 1)]
    id: Text,
    /// How many there are. With the bundled server at most 4,294,967,295.
    #[schemars(example = 5000)]
    stock: Count,
    /// After what time one that was issued may come back by itself, where it is only held until then.
    /// Otherwise none comes back but by an outcome `released`.
    #[schemars(example = "10m")]
    lease: Option<Span>,
}
