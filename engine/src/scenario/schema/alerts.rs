//! `alerts`: who says that something is wrong.

use schemars::{JsonSchema, Schema};

use super::shape;
use super::target::Basic;
use super::text::{OneOrMany, Text, Url};

/// Whose alerts are watched: asked once a second, from just before the load until every fault has
/// been healed. Nothing is changed there, so it may be on any host.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    example = serde_json::json!({ "prometheus": "http://127.0.0.1:9090", "only": ["RedisDown"] }),
)]
pub(super) struct Alerts {
    /// Where the HTTP API of Prometheus is, or of another that answers `GET /api/v1/alerts` as it
    /// does (vmalert, Thanos Ruler, Mimir); its path stands before that. `https:` trusts what
    /// `target.ca` says, too.
    #[schemars(example = "http://127.0.0.1:9090")]
    prometheus: Url,
    /// What each question proves itself with.
    #[schemars(example = serde_json::json!({ "bearer": "${PROMETHEUS_TOKEN}" }))]
    auth: Option<Proof>,
    /// Names of alerts, at most 100; otherwise all of them.
    #[schemars(example = ["RedisDown", "HighErrorRate"])]
    only: Option<OneOrMany<Text>>,
}

/// What questions prove themselves with.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one_proof)]
pub(super) struct Proof {
    /// Sent as `Bearer ...`.
    #[schemars(example = "${PROMETHEUS_TOKEN}")]
    bearer: Option<Text>,
    /// A name and a password.
    #[schemars(example = serde_json::json!({ "user": "reader", "password": "${PASSWORD}" }))]
    basic: Option<Basic>,
}

fn one_proof(schema: &mut Schema) {
    shape::exactly_one(schema, &["basic", "bearer"]);
}
