//! `users`: who asks.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::shape;
use super::text::{AnyKey, Flag, Positive, Share, Template, Text, words};
use super::truth::Sql;

/// Who asks.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "pool": 100_000, "repeat": "2%" }))]
pub(super) struct Users {
    /// Users are numbered 1 to `pool` and taken in an order that the seed decides, each once.
    #[schemars(extend("default" = "1_000_000"), example = "100_000")]
    pool: Option<Positive>,
    /// So many iterations ask again as a user of one of the last 256 iterations; below 100 %.
    #[schemars(extend("default" = 0), example = "2%")]
    repeat: Option<Share>,
    /// When a new user is taken.
    #[schemars(extend("default" = "iteration"), example = &"vu")]
    per: Option<Per>,
    /// Whether each iteration draws a user of the pool by chance, so that users ask again. Needs
    /// `pool` or `from`; not beside `repeat` and `per: vu`.
    #[schemars(extend("default" = false), example = true)]
    random: Option<Flag>,
    /// One record for each user, read when a run begins; its columns are `{{ user.COLUMN }}`, and
    /// `id` or `user_id` is what is sent as `{{ user }}`.
    #[schemars(example = serde_json::json!({ "csv": "users.csv" }))]
    from: Option<From>,
    /// What `{{ token }}` stands for, made when the user is taken: a template, or a JWT.
    #[schemars(example = "{{ user.jwt }}")]
    token: Option<Token>,
    /// What is sent as `{{ user }}`: a template of `n`, `vu`, `iter`, `uuid` and columns.
    #[schemars(extend("default" = "{{ n }}"), example = "user-{{ n }}")]
    id: Option<Template>,
    /// Whether each user keeps the cookies that answers set, and sends them where they belong. A
    /// step with a header `cookie` of its own sends that instead.
    #[schemars(extend("default" = false), example = true)]
    cookies: Option<Flag>,
}

/// What users are read from.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one_source)]
struct From {
    /// A file with a line of column names; relative to the scenario's directory.
    #[schemars(example = "users.csv")]
    csv: Option<Text>,
    /// A file with one JSON object a line; relative to the scenario's directory.
    #[schemars(example = "users.jsonl")]
    jsonl: Option<Text>,
    /// A query that gives a row for each user.
    sql: Option<Sql>,
}

fn one_source(schema: &mut Schema) {
    shape::exactly_one(schema, &["csv", "jsonl", "sql"]);
}

/// A token of each user.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Token {
    Text(Template),
    Signed(Signed),
}

/// A token that is signed here.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Signed {
    /// A JWT (RFC 7519) signed with HMAC-SHA-256.
    #[schemars(example = serde_json::json!({ "secret": "${JWT_SECRET}", "claims": { "sub": "{{ user }}", "exp": "1h" } }))]
    hs256: Hs256,
}

/// A JWT signed with HMAC-SHA-256.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Hs256 {
    /// Its characters are the key.
    #[schemars(length(min = 1), example = "${JWT_SECRET}")]
    secret: Text,
    /// Any YAML, with templates; otherwise `sub`, the user. `exp`, `nbf` and `iat` are time spans
    /// after the moment of signing.
    #[schemars(example = serde_json::json!({ "sub": "{{ user }}", "role": "member", "exp": "1h" }))]
    claims: Option<BTreeMap<AnyKey, Value>>,
}

/// When a new user is taken.
struct Per;

impl JsonSchema for Per {
    fn schema_name() -> Cow<'static, str> {
        "Per".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let iteration = ("iteration", "each iteration is somebody new");
        words(
            generator,
            &[iteration, ("vu", "each VU is one user for the whole load")],
        )
    }
}
