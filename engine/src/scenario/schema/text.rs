//! The small values of a scenario: which texts and numbers stand for them, as in
//! [`super::super::value`], and `${NAME}`, which may stand for any of them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// The type of a value: a title, a description, examples, a pattern of texts, and which numbers
/// and truth values YAML may read instead of a text.
macro_rules! values {
    ($($(#[doc = $about:literal])+ $name:ident: $title:literal, $examples:tt, $pattern:literal, $bare:tt;)+) => {
        $(
            $(#[doc = $about])+
            pub(super) struct $name;

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    let about = concat!($($about),+).trim();
                    value(generator, $title, about, &json!($examples), $pattern, json!($bare))
                }
            }
        )+
    };
}

fn value(
    generator: &mut SchemaGenerator,
    title: &str,
    about: &str,
    examples: &Value,
    pattern: &str,
    bare: Value,
) -> Schema {
    let mut forms: Vec<Value> = Vec::new();
    if let Value::Array(bare) = bare {
        forms.extend(bare);
    }
    forms.push(json!({ "type": "string", "pattern": pattern }));
    forms.push(generator.subschema_for::<Variable>().to_value());
    json_schema!({
        "title": title,
        "description": about,
        "examples": examples,
        "anyOf": forms,
    })
}

values! {
    /// A whole number, not negative; `_` may stand between digits.
    Count: "count", [5000, "200_000"],
        r"^\s*[0-9]([0-9_]*[0-9])?\s*$",
        [{ "type": "integer", "minimum": 0 }];

    /// A whole number, at least 1; `_` may stand between digits.
    Positive: "count", [100, "10_000"],
        r"^\s*[0_]*[1-9]([0-9_]*[0-9])?\s*$",
        [{ "type": "integer", "minimum": 1 }];

    /// A whole number, also below zero.
    Whole: "whole number", [-1, 5],
        r"^[+-]?[0-9]+$",
        [{ "type": "integer" }];

    /// A length of time with its unit: `ns`, `us`, `ms`, `s`, `m`, `h` or `d`.
    Span: "time span", ["500ms", "1.5s", "2m", "1h30m"],
        r"^\s*(0|([0-9]([0-9_]*[0-9])?(\.[0-9]([0-9_]*[0-9])?)?(ns|us|ms|s|m|h|d))+)\s*$",
        [{ "const": 0 }];

    /// A number of bytes with its unit: `B`, `kB`, `MB`, `GB`, `KiB`, `MiB` or `GiB`.
    Size: "size", ["256MiB", "1.5GB"],
        r"^\s*[0-9]([0-9_]*[0-9])?(\.[0-9]([0-9_]*[0-9])?)?\s*(B|[kK]B|MB|GB|KiB|MiB|GiB)\s*$",
        [];

    /// How much of each attempt an output gets: `raw` all of it, `sample(1/n)` one attempt of n,
    /// `aggregate` the figures of each second only.
    OutputMode: "mode of an output", ["raw", "sample(1/100)", "aggregate"],
        r"^\s*(raw|aggregate|sample\(\s*1/([2-9]|[1-9][0-9_]*[0-9])\))\s*$",
        [];

    /// Starts per time: `/s`, `/m` or `/h`; a bare number is per second.
    Rate: "rate", ["100/s", "6000/m", "5/h", 100],
        r"^\s*[0-9]([0-9_]*[0-9])?(\.[0-9]([0-9_]*[0-9])?)?\s*(/\s*[smh]\s*)?$",
        [{ "type": "number", "minimum": 0 }];

    /// A share of a whole, from 0 to 1.
    Share: "share", ["2%", 0.02],
        r"^\s*[0-9]([0-9_]*[0-9])?(\.[0-9]([0-9_]*[0-9])?)?\s*%?\s*$",
        [{ "type": "number", "minimum": 0, "maximum": 1 }];

    /// An HTTP status or a hundred of them.
    Status: "status", [201, "4xx"],
        r"^\s*([1-5][xX][xX]|\+?0*[1-5][0-9][0-9])\s*$",
        [{ "type": "integer", "minimum": 100, "maximum": 599 }];

    /// Letters of any script, digits, `-`, `_` and `.`, at most 64, beginning with a letter or a
    /// digit.
    Name: "name", ["issue", "정상", "user-1"],
        r"^[\p{Alphabetic}\p{N}][\p{Alphabetic}\p{N}._\-]{0,63}$",
        [{ "type": ["number", "boolean"] }];

    /// A place in a JSON document (RFC 6901); empty for the document itself.
    Pointer: "JSON pointer", ["/data/0/id", ""],
        r"^(/([^~/]|~[01])*)*$",
        [];

    /// `http://` or `https://`, host, port and a prefix of paths; no user, password, query or
    /// fragment.
    Url: "URL", ["http://127.0.0.1:3000", "https://shop.example/api"],
        r"^\s*https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)(:\+?[0-9]+)?(/[!-\x22$->@-~]*)?\s*$",
        [];

    /// An address of this machine and a port, both as numbers.
    Listen: "address", ["127.0.0.1:9464", "[::1]:9464"],
        r"^\s*(\[[0-9A-Fa-f:.]+\]|[0-9]{1,3}(\.[0-9]{1,3}){3}):0*[1-9][0-9]{0,4}\s*$",
        [];

    /// The name of a header.
    HeaderName: "name of a header", ["X-Token"],
        r"^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$",
        [];

    /// The value of a header, on one line. `{{ user }}` and the other names of templates are filled
    /// in for each request.
    HeaderValue: "template", ["Bearer ${TOKEN}", "{{ uuid }}"],
        r"^[^\x00-\x08\x0a-\x1f\x7f]*$",
        [{ "type": ["number", "boolean"] }];

    /// `true` or `false`. `on`, `no` and `y` are words.
    Flag: "truth value", [true, false],
        r"^(true|false)$",
        [{ "type": "boolean" }];
}

/// `${NAME}`, the value of an environment variable, which may stand in any value.
#[derive(JsonSchema)]
#[schemars(transparent, example = "${DB_PASSWORD}")]
pub(super) struct Variable(#[schemars(regex(pattern = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"))] String);

/// A text; a number or truth value counts as it is written.
pub(super) struct Text;

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "text",
            "description": "A text; a number or truth value counts as it is written.",
            "type": ["string", "number", "boolean"],
        })
    }
}

/// A text in which `{{ user }}` and the other names of templates are filled in.
pub(super) struct Template;

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "template",
            "description": "A text in which `{{ user }}`, `{{ n }}`, `{{ vu }}`, `{{ iter }}`, `{{ uuid }}` and `{{ coupon.id }}` are filled in.",
            "examples": ["/coupons/{{ coupon.id }}/issue", "{{ user }}"],
            "type": ["string", "number", "boolean"],
        })
    }
}

// Without a doc comment: its places say what they are.
#[derive(JsonSchema)]
#[schemars(inline, untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(#[schemars(length(min = 1))] Vec<T>),
}

/// A key that is a name. Variables are not filled into keys.
pub(super) struct NameKey;

/// A key that is a JSON pointer.
pub(super) struct PointerKey;

/// A key that is the name of a header.
pub(super) struct HeaderKey;

/// A key that is any text.
pub(super) struct AnyKey;

macro_rules! keys {
    ($($name:ident: $pattern:expr;)+) => {
        $(
            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({ "type": "string", "pattern": $pattern })
                }
            }
        )+
    };
}

/// What [`Name`] accepts as a text.
pub(super) const NAME_PATTERN: &str = r"^[\p{Alphabetic}\p{N}][\p{Alphabetic}\p{N}._\-]{0,63}$";

keys! {
    NameKey: NAME_PATTERN;
    PointerKey: r"^(/([^~/]|~[01])*)*$";
    HeaderKey: r"^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$";
    AnyKey: "";
}

/// The schema of a word out of a list.
pub(super) fn words(generator: &mut SchemaGenerator, words: &[(&str, &str)]) -> Schema {
    let mut forms: Vec<Value> = words
        .iter()
        .map(|(word, about)| json!({ "const": word, "description": about }))
        .collect();
    forms.push(generator.subschema_for::<Variable>().to_value());
    json_schema!({ "anyOf": forms })
}

/// Types whose values are words, each with its meaning.
macro_rules! word_types {
    ($($(#[doc = $about:literal])+ $name:ident: $words:expr;)+) => {
        $(
            $(#[doc = $about])+
            struct $name;

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    $crate::scenario::schema::text::words(generator, &$words)
                }
            }
        )+
    };
}

pub(super) use word_types;
