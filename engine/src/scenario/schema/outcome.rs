//! `outcomes`: what an answer means, in order.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Map;

use super::text::{
    Flag, HeaderKey, HeaderValue, NAME_PATTERN, OneOrMany, Pointer, PointerKey, Status, Text, words,
};

/// Outcomes by name.
pub(super) struct Outcomes;

/// Names that say by themselves what they are, with a status that often means it.
const NAMES: [(&str, &str, u16); 12] = [
    ("issued", "The server confirmed: this user holds one.", 201),
    (
        "pending",
        "Accepted, the result comes later: it may or may not have happened.",
        202,
    ),
    ("sold_out", "Refused because nothing is left.", 410),
    (
        "duplicate",
        "Refused because this user has one already.",
        409,
    ),
    ("replay", "The same confirmation again.", 200),
    (
        "refused",
        "Another refusal that certainly did nothing.",
        403,
    ),
    (
        "rate_limited",
        "Refused because too many ask; it certainly did nothing.",
        429,
    ),
    (
        "not_open",
        "Refused because it has not begun or is over; it certainly did nothing.",
        425,
    ),
    (
        "error",
        "The server says that it failed and did nothing: a failed request.",
        500,
    ),
    ("unknown", "It may have happened: a failed request.", 504),
    ("ok", "A request that is no attempt to get anything.", 200),
    (
        "released",
        "What this user held came back, and another one can get it.",
        204,
    ),
];

impl JsonSchema for Outcomes {
    fn schema_name() -> Cow<'static, str> {
        "Outcomes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let outcome = generator.subschema_for::<Meaning>().to_value();
        let mut properties = Map::new();
        for (name, about, status) in NAMES {
            let mut property = outcome.clone();
            property["description"] = about.into();
            property["examples"] = vec![status].into();
            properties.insert(name.to_owned(), property);
        }
        json_schema!({
            "description": "What an answer means, by name; matched in the order of the file. A name of your own needs `is`.",
            "type": "object",
            "properties": properties,
            "patternProperties": { NAME_PATTERN: outcome },
            "additionalProperties": false,
            "minProperties": 1,
        })
    }
}

/// Which answers are meant: statuses, or conditions that must all hold.
#[derive(JsonSchema)]
#[schemars(
    untagged,
    example = 201,
    example = serde_json::json!({ "status": 409, "json": { "/code": "SOLD_OUT" } }),
)]
enum Meaning {
    Status(OneOrMany<Status>),
    Conditions(Box<Conditions>),
}

/// Conditions that must all hold; none matches every answer.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Conditions {
    /// What the outcome is, for a name of your own.
    #[schemars(example = &"refused")]
    is: Option<Is>,
    /// One or several statuses or classes.
    #[schemars(example = 409, example = serde_json::json!([429, "5xx"]))]
    status: Option<OneOrMany<Status>>,
    /// A text that the body contains, within its first MiB.
    #[schemars(example = "already claimed")]
    body: Option<Text>,
    /// A regular expression that is found in the body, within its first MiB.
    #[schemars(example = "(?i)sold.?out")]
    matches: Option<Text>,
    /// `true`: the body has no byte; `false`: it has one.
    empty: Option<Flag>,
    /// JSON pointers, each with a value, a list of values of which one must stand there, or
    /// `{ exists: true }`. Numbers are equal by value.
    #[schemars(example = serde_json::json!({ "/result": ["SOLD_OUT", "CLOSED"] }))]
    json: Option<BTreeMap<PointerKey, JsonMatch>>,
    /// Headers by name, each with the exact value, or `true` if it only has to be there.
    #[schemars(example = serde_json::json!({ "location": true }))]
    header: Option<BTreeMap<HeaderKey, HeaderMatch>>,
    /// Where the answer holds the coupon's own id.
    #[schemars(example = "/couponId")]
    id: Option<Pointer>,
}

/// What an outcome with a name of its own is.
struct Is;

impl JsonSchema for Is {
    fn schema_name() -> Cow<'static, str> {
        "Is".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // The last, as the first five, is what no other name can be.
        let kinds = NAMES[5..11].iter().map(|(name, about, _)| (*name, *about));
        words(generator, &kinds.collect::<Vec<_>>())
    }
}

/// A value, one of several values, or whether there is any.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum JsonMatch {
    Values(OneOrMany<JsonScalar>),
    Exists(Exists),
}

/// Whether something stands there.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Exists {
    /// `true`: something stands there. `false`: absent or null.
    exists: Flag,
}

/// A JSON value without parts.
pub(super) struct JsonScalar;

impl JsonSchema for JsonScalar {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "JsonScalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // `null` stands first, so that it is not taken for an optional key.
        json_schema!({ "title": "JSON value", "type": ["null", "string", "number", "boolean"] })
    }
}

/// The exact value of a header, or `true` if it only has to be there.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct HeaderMatch(HeaderValue);
