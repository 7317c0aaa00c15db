//! `load`: loads by name, each with exactly one executor.

use schemars::{JsonSchema, Schema};

use super::shape;
use super::text::{Count, Name, Positive, Rate, Span, Text};

/// When iterations start: an executor, and what all of them have.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    transform = one_executor,
    example = serde_json::json!({ "constant_vus": { "vus": 10, "for": "30s" } }),
)]
pub(super) struct Load {
    /// Which flow is performed; required when there are several flows, otherwise the only one.
    #[schemars(example = &"issue")]
    flow: Option<Text>,
    /// From the start of the run's load.
    #[schemars(extend("default" = "0s"), example = "10s")]
    start_after: Option<Span>,
    /// How long iterations under way may go on after the executor's end; then they are cut, and
    /// their requests count as `unknown` if anything was sent.
    #[schemars(extend("default" = "30s"), example = "5s")]
    graceful_stop: Option<Span>,
    /// So many VUs, each asking again when it was answered (k6: `constant-vus`). Closed model.
    constant_vus: Option<ConstantVus>,
    /// A number of VUs that goes up and down in stages (k6: `ramping-vus`). Closed model.
    ramping_vus: Option<RampingVus>,
    /// Each VU performs so many iterations (k6: `per-vu-iterations`). Closed model.
    per_vu_iterations: Option<IterationsOfVus>,
    /// All VUs together perform so many iterations (k6: `shared-iterations`). Closed model.
    shared_iterations: Option<IterationsOfVus>,
    /// Iterations start at this rate, whatever the answers take (k6: `constant-arrival-rate`). Open
    /// model.
    constant_arrival_rate: Option<ConstantArrivalRate>,
    /// A rate of starts that goes up and down in stages (k6: `ramping-arrival-rate`). Open model.
    ramping_arrival_rate: Option<RampingArrivalRate>,
    /// Every user's connection is opened, then all are released at one instant; each performs the
    /// flow once. Open model.
    stampede: Option<Stampede>,
}

fn one_executor(schema: &mut Schema) {
    let executors = [
        "constant_vus",
        "ramping_vus",
        "per_vu_iterations",
        "shared_iterations",
        "constant_arrival_rate",
        "ramping_arrival_rate",
        "stampede",
    ];
    shape::exactly_one(schema, &executors);
}

/// So many VUs.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "vus": 10, "for": "30s" }))]
struct ConstantVus {
    /// How many VUs, at most 1,000,000.
    #[schemars(example = 100)]
    vus: Positive,
    /// How long (k6: `duration`); above zero.
    #[schemars(rename = "for", example = "30s")]
    duration: Span,
}

/// VUs in stages.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "stages": [{ "for": "30s", "to": 100 }] }))]
struct RampingVus {
    /// VUs at the beginning (k6: `startVUs`).
    #[schemars(extend("default" = 0), example = 10)]
    start: Option<Count>,
    /// Where the number of VUs goes, in a straight line each; at least one lasts.
    #[schemars(length(min = 1), example = serde_json::json!([{ "name": "warm", "for": "30s", "to": 50 }, { "name": "rush", "for": "10s", "to": 500 }]))]
    stages: Vec<VuStage>,
    /// How long a VU that is taken away may finish its iteration (k6: `gracefulRampDown`).
    #[schemars(extend("default" = "30s"), example = "5s")]
    graceful_ramp_down: Option<Span>,
}

/// A stretch of time in which the number of VUs goes to `to`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct VuStage {
    /// The phase that reports and thresholds name; otherwise `stage-1`, `stage-2`, ... .
    #[schemars(example = &"rush")]
    name: Option<Name>,
    /// How long; `0s` is a jump.
    #[schemars(rename = "for", example = "30s")]
    duration: Span,
    /// How many VUs there are at its end.
    #[schemars(example = 500)]
    to: Count,
}

/// So many iterations.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "vus": 10, "iterations": 1000 }))]
struct IterationsOfVus {
    /// How many VUs, at most 1,000,000.
    #[schemars(example = 100)]
    vus: Positive,
    /// How many iterations.
    #[schemars(example = 1000)]
    iterations: Positive,
    /// The load ends after this time in any case (k6: `maxDuration`); above zero.
    #[schemars(extend("default" = "10m"), example = "2m")]
    within: Option<Span>,
}

/// Starts at one rate.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "rate": "100/s", "for": "30s", "vus": 200 }))]
struct ConstantArrivalRate {
    /// How many iterations start; above zero.
    #[schemars(example = "100/s")]
    rate: Rate,
    /// How long (k6: `duration`); above zero.
    #[schemars(rename = "for", example = "30s")]
    duration: Span,
    /// VUs that are there from the beginning (k6: `preAllocatedVUs`): about the rate times the
    /// longest answer.
    #[schemars(example = 200)]
    vus: Positive,
    /// VUs that there may be (k6: `maxVUs`), at least `vus`; otherwise as many as `vus`. When all
    /// are busy, the iteration is dropped and counted in `dropped_iterations`.
    #[schemars(example = "2_000")]
    max_vus: Option<Count>,
}

/// Starts at a rate in stages.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "vus": 200, "stages": [{ "for": "30s", "to": "100/s" }] }))]
struct RampingArrivalRate {
    /// The rate at the beginning (k6: `startRate`).
    #[schemars(extend("default" = "0/s"), example = "50/s")]
    start: Option<Rate>,
    /// Where the rate goes, in a straight line each; at least one lasts.
    #[schemars(length(min = 1), example = serde_json::json!([{ "name": "spike", "for": "20s", "to": "1500/s" }]))]
    stages: Vec<RateStage>,
    /// VUs that are there from the beginning (k6: `preAllocatedVUs`): about the highest rate times
    /// the longest answer.
    #[schemars(example = 200)]
    vus: Positive,
    /// VUs that there may be (k6: `maxVUs`), at least `vus`; otherwise as many as `vus`. When all
    /// are busy, the iteration is dropped and counted in `dropped_iterations`.
    #[schemars(example = "2_000")]
    max_vus: Option<Count>,
}

/// A stretch of time in which the rate goes to `to`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RateStage {
    /// The phase that reports and thresholds name; otherwise `stage-1`, `stage-2`, ... .
    #[schemars(example = &"spike")]
    name: Option<Name>,
    /// How long; `0s` is a jump.
    #[schemars(rename = "for", example = "20s")]
    duration: Span,
    /// The rate at its end.
    #[schemars(example = "1500/s")]
    to: Rate,
}

/// All at once.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "users": 2000 }))]
struct Stampede {
    /// How many ask, at most 1,000,000.
    #[schemars(example = 2000)]
    users: Positive,
    /// How long the opening of their connections may take, 64 at a time on each thread. Who is not
    /// connected by then is released all the same. Above zero.
    #[schemars(extend("default" = "30s"), example = "10s")]
    connect_within: Option<Span>,
    /// The load ends after this time in any case; above zero.
    #[schemars(extend("default" = "1m"), example = "30s")]
    within: Option<Span>,
}
