//! `invariants`: what must hold.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::text::words;

/// What must hold.
pub(super) struct Invariant;

const INVARIANTS: [(&str, &str); 3] = [
    (
        "stock",
        "no more was issued than there was, and sold out was said only when nothing was left; needs `subject`",
    ),
    ("one_per_user", "nobody holds more than one"),
    (
        "acknowledged",
        "everything that was confirmed is there, and everything that is there was asked for",
    ),
];

impl JsonSchema for Invariant {
    fn schema_name() -> Cow<'static, str> {
        "Invariant".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        words(generator, &INVARIANTS)
    }
}
