//! `invariants`: what must hold.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::shape;
use super::text::{Span, word_types, words};

/// What must hold.
pub(super) struct Invariant;

const INVARIANTS: [(&str, &str); 6] = [
    (
        "stock",
        "no more was issued than there was, and sold out was said only when nothing was left; needs `subject`",
    ),
    ("one_per_user", "nobody holds more than one"),
    (
        "acknowledged",
        "everything that was confirmed is there, and everything that is there was asked for",
    ),
    (
        "first_come_first_served",
        "some order of the attempts explains every answer, so nobody was refused before somebody who asked later got one; needs `subject`",
    ),
    (
        "delivery",
        "what was issued was published, and had its effect once; needs `truth.outbox`, `truth.events` or `truth.effects`, which the bundled server's strategies with events have by themselves",
    ),
    (
        "recovery",
        "behind every fault all was as before again; needs `faults`",
    ),
];

impl JsonSchema for Invariant {
    fn schema_name() -> Cow<'static, str> {
        "Invariant".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = words(generator, &INVARIANTS);
        let with_options = generator.subschema_for::<WithOptions>().to_value();
        if let Some(Value::Array(forms)) = schema.get_mut("anyOf") {
            forms.push(with_options);
        }
        schema
    }
}

/// An invariant with options.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one)]
struct WithOptions {
    /// Some order of the attempts explains every answer.
    #[schemars(example = json!({ "duplicates": "first" }))]
    first_come_first_served: Option<FirstComeFirstServed>,
    /// What was issued was published, and had its effect once.
    #[schemars(example = json!({ "by": "user" }))]
    delivery: Option<Delivery>,
    /// Behind every fault all was as before again.
    #[schemars(example = json!({ "within": "30s" }))]
    recovery: Option<Recovery>,
}

fn one(schema: &mut Schema) {
    let names = ["first_come_first_served", "delivery", "recovery"];
    shape::exactly_one(schema, &names);
}

/// How soon.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Recovery {
    /// How long it may take from the heal of a fault. Otherwise until the load has ended.
    #[schemars(example = "30s")]
    within: Option<Span>,
}

/// How events are compared with the issued rows.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Delivery {
    /// What an event, an outbox row and an effect have in common with an issued row.
    #[schemars(extend("default" = "coupon"), example = &"user")]
    by: Option<Identity>,
}

/// How the system answers.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct FirstComeFirstServed {
    /// What a user is told who holds one and asks again when nothing is left.
    #[schemars(extend("default" = "any"), example = &"first")]
    duplicates: Option<Duplicates>,
}

word_types! {
    /// What an event has in common with an issued row.
    Identity: [
        ("coupon", "the coupon's own id"),
        ("user", "the user, where each gets at most one"),
    ];

    /// What a user is told who holds one and asks again when nothing is left.
    Duplicates: [
        ("any", "duplicate or sold out"),
        ("first", "always duplicate: an earlier one is looked for before the stock"),
    ];
}
