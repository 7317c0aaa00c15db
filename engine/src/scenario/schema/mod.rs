//! The scenario format as a JSON Schema, for editors and for the reference in `docs/scenario.md`.
//!
//! The types here are read by nobody: their doc comments and attributes are the schema. What is
//! accepted is decided by the decoder alone; `tests/scenario_schema.rs` asks it about every map of
//! the schema, so that neither can forget a key.
// Fields are declared for their schema, and never held.
#![allow(dead_code, clippy::zero_sized_map_values)]

mod alerts;
mod fault;
mod flow;
mod invariant;
mod load;
mod metric;
mod outcome;
mod outputs;
mod parts;
mod profile;
mod prometheus;
mod resource;
mod server;
mod setup;
mod shape;
mod steps;
mod subject;
mod target;
mod text;
mod threshold;
mod truth;
mod users;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use text::{Count, Name, Text, word_types};

/// The JSON Schema (draft 2020-12) of scenarios.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .with_transform(shape::without_null)
        .with_transform(shape::in_one_line);
    settings
        .into_generator()
        .into_root_schema_for::<Scenario>()
        .to_value()
}

/// What is loaded, by whom, what the answers mean, where the truth is, and what must hold.
#[derive(JsonSchema)]
#[schemars(
    title = "A scenario of fcfs-bench",
    transform = whole,
    deny_unknown_fields,
    rename_all = "snake_case"
)]
struct Scenario {
    /// Part of the run directory's name.
    #[schemars(example = &"coupon-opening")]
    name: Name,
    /// One sentence that the report shows.
    #[schemars(example = "The opening of the spring sale.")]
    about: Option<Text>,
    /// Every choice by chance follows from it. `--seed` replaces it.
    #[schemars(extend("default" = 42), example = 7)]
    seed: Option<Count>,
    /// Who generates the load. `--engine` replaces it.
    #[schemars(extend("default" = "native"), example = &"goose")]
    engine: Option<Engine>,
    /// What is loaded. May be missing when `--url` is given.
    target: Option<target::Target>,
    /// What is given away.
    subject: Option<subject::Subject>,
    /// Who asks.
    users: Option<users::Users>,
    /// Loads by name, run side by side, each with exactly one executor. Required, here or in an
    /// included file.
    #[schemars(
        transform = shape::not_empty,
        example = json!({ "opening": { "constant_vus": { "vus": 10, "for": "30s" } } }),
    )]
    load: Option<BTreeMap<text::NameKey, load::Load>>,
    /// Flows by name: what one iteration does, step by step. Required, here or in an included file.
    #[schemars(
        transform = shape::not_empty,
        example = json!({ "issue": [{ "post": "/issue" }] }),
    )]
    flows: Option<BTreeMap<text::NameKey, flow::Flow>>,
    /// What makes the system ready, once it answers; the first step that fails ends the run before
    /// its load.
    #[schemars(example = json!([{ "sql": { "url": "${DB}", "run": "DELETE FROM user_coupons" } }]))]
    before: Option<Vec<setup::SetupStep>>,
    /// What tidies up after everything; each step is tried, whatever happened.
    #[schemars(example = json!([{ "shell": { "run": "docker compose restart api" } }]))]
    after: Option<Vec<setup::SetupStep>>,
    /// Where the authoritative state is read, and when it counts as final. Without it, the bundled
    /// server's own.
    truth: Option<truth::Truth>,
    /// Measurements of the scenario's own, by name: what is made of captured numbers. No name of a
    /// metric in `thresholds`.
    #[schemars(example = json!({ "queue_rank": { "trend": "rank" } }))]
    metrics: Option<BTreeMap<text::NameKey, metric::Metric>>,
    /// What is measured from outside of the load, by name: once a second, from just before it until
    /// just after it. The harness itself, and what the bundled stack brings up, need not be named.
    #[schemars(example = json!({ "database": { "sql": { "url": "${DB}" } }, "app": { "process": { "port": 8080 } } }))]
    resources: Option<BTreeMap<text::NameKey, resource::Resource>>,
    /// Who says that something is wrong: which alerts begin to fire while a fault is active is
    /// measured, and how long after it.
    #[schemars(example = json!({ "prometheus": "http://127.0.0.1:9090" }))]
    alerts: Option<alerts::Alerts>,
    /// What leaves the run while it goes on, for dashboards and other tools. None of it slows the
    /// load, or changes the verdict.
    #[schemars(example = json!({ "json": { "file": "attempts.jsonl", "mode": "raw" } }))]
    outputs: Option<outputs::Outputs>,
    /// What is broken on purpose, in the order in which it is planned.
    #[schemars(example = json!([{ "name": "redis-outage", "redis": "kill", "at": "hold + 30s", "for": "30s" }]))]
    faults: Option<Vec<fault::Fault>>,
    /// What must hold.
    #[schemars(example = ["stock", "one_per_user", "acknowledged"])]
    invariants: Option<Vec<invariant::Invariant>>,
    /// Limits on measurements, by metric.
    thresholds: Option<threshold::Thresholds>,
    /// Changes by name, of which `--profile` chooses one; it is laid over the scenario.
    #[schemars(example = json!({ "smoke": { "load": { "opening": { "constant_vus": { "vus": 2, "for": "10s" } } } } }))]
    profiles: Option<BTreeMap<text::NameKey, profile::Profile>>,
    /// Files with parts of a scenario, relative to this one; this one is laid over them.
    #[schemars(example = "shared/flows.yaml")]
    include: Option<text::OneOrMany<Text>>,
}

word_types! {
    /// Who generates the load.
    Engine: [
        ("native", "the load threads of this program"),
        ("goose", "the crate Goose in a process of its own, as a cross-check, in a build that has it"),
    ];
}

/// What is not included must be here.
fn whole(schema: &mut schemars::Schema) {
    let alone = json!({ "not": { "required": ["include"] } });
    schema.insert("if".to_owned(), alone);
    schema.insert("then".to_owned(), json!({ "required": ["load", "flows"] }));
    // Where no metric can be declared, all of them are known.
    let may_declare =
        json!({ "anyOf": [{ "required": ["include"] }, { "required": ["metrics"] }] });
    let names = json!({ "propertyNames": { "pattern": threshold::built_in() } });
    let condition = json!({
        "if": { "not": may_declare },
        "then": { "properties": { "thresholds": names } },
    });
    schema.insert("allOf".to_owned(), json!([condition]));
}
