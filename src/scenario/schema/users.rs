//! `users`: who asks.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::text::{Flag, Positive, Share, Template, words};

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
    /// What is sent as `{{ user }}`: a template of `n`, `vu`, `iter` and `uuid`.
    #[schemars(extend("default" = "{{ n }}"), example = "user-{{ n }}")]
    id: Option<Template>,
    /// Whether each user keeps the cookies that answers set, and sends them where they belong. A
    /// step with a header `cookie` of its own sends that instead.
    #[schemars(extend("default" = false), example = true)]
    cookies: Option<Flag>,
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
