//! `invariants`: what must hold.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::text::{word_types, words};

/// What must hold.
pub(super) struct Invariant;

const INVARIANTS: [(&str, &str); 4] = [
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
#[schemars(deny_unknown_fields)]
struct WithOptions {
    /// Some order of the attempts explains every answer.
    #[schemars(example = json!({ "duplicates": "first" }))]
    first_come_first_served: FirstComeFirstServed,
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
    /// What a user is told who holds one and asks again when nothing is left.
    Duplicates: [
        ("any", "duplicate or sold out"),
        ("first", "always duplicate: an earlier one is looked for before the stock"),
    ];
}
