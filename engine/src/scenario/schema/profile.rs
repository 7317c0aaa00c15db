//! `profiles`: changes to a scenario by name.

use schemars::JsonSchema;
use serde_json::Value;

/// What is different: maps are merged by key, everything else replaces what was there, and `~`
/// takes a key away. Its parts look like those of the scenario, as far as they are written.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Profile {
    /// One sentence that the report shows.
    #[schemars(example = "Half a minute, for each commit.")]
    about: Option<Value>,
    /// Every choice by chance follows from it.
    #[schemars(example = 7)]
    seed: Option<Value>,
    /// Who generates the load.
    #[schemars(example = &"goose")]
    engine: Option<Value>,
    /// What is loaded.
    #[schemars(example = serde_json::json!({ "url": "https://staging.example" }))]
    target: Option<Value>,
    /// What is given away.
    #[schemars(example = serde_json::json!({ "coupon": { "stock": 10 } }))]
    subject: Option<Value>,
    /// Who asks.
    #[schemars(example = serde_json::json!({ "pool": 100 }))]
    users: Option<Value>,
    /// How the system is loaded. Another executor takes the place of the first.
    #[schemars(example = serde_json::json!({ "opening": { "stampede": { "users": 100 } } }))]
    load: Option<Value>,
    /// What one iteration does.
    #[schemars(example = serde_json::json!({ "issue": [{ "post": "/issue" }] }))]
    flows: Option<Value>,
    /// What is done before the load.
    #[schemars(example = serde_json::json!([{ "post": "/admin/reset" }]))]
    before: Option<Value>,
    /// What is done after everything.
    #[schemars(example = serde_json::json!([{ "shell": { "run": "docker compose restart api" } }]))]
    after: Option<Value>,
    /// Measurements of the scenario's own.
    #[schemars(example = serde_json::json!({ "queue_rank": { "trend": "rank" } }))]
    metrics: Option<Value>,
    /// Where the authoritative state is read.
    #[schemars(example = serde_json::json!({ "settle": { "within": "5m" } }))]
    truth: Option<Value>,
    /// What is measured from outside of the load.
    #[schemars(example = serde_json::json!({ "app": { "process": { "port": 8080 } } }))]
    resources: Option<Value>,
    /// Who says that something is wrong.
    #[schemars(example = serde_json::json!({ "prometheus": "http://127.0.0.1:9090" }))]
    alerts: Option<Value>,
    /// What leaves the run while it goes on.
    #[schemars(example = serde_json::json!({ "json": { "file": "attempts.jsonl" } }))]
    outputs: Option<Value>,
    /// What is broken on purpose; another list takes the place of the first.
    #[schemars(example = serde_json::json!([{ "name": "outage", "redis": "kill", "after": "10s", "for": "5s" }]))]
    faults: Option<Value>,
    /// What must hold.
    #[schemars(example = serde_json::json!(["stock"]))]
    invariants: Option<Value>,
    /// Limits on measurements.
    #[schemars(example = serde_json::json!({ "http_req_duration": "p(95)<1s" }))]
    thresholds: Option<Value>,
}
