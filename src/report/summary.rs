//! The one value that every report is rendered from; its JSON is `summary.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::comparison::Comparison;
use super::faults::FaultSummary;
use super::loads::LoadSummary;
use super::outputs::OutputSummary;
use super::resources::ResourceSummary;
use super::scalability::ScalabilitySummary;
use super::setup::SetupSummary;
use crate::check::{Fairness, Finding};
use crate::verdict::Verdict;

/// What a run came to. Fields are only added, never renamed: CI jobs read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The scenario's name.
    pub name: String,
    /// What the scenario is for.
    pub about: Option<String>,
    /// The gravest of all invariants, thresholds and guards.
    pub verdict: Verdict,
    /// Why, one sentence each, gravest first; never empty.
    pub reasons: Vec<String>,
    /// The exit code of the run.
    pub exit_code: u8,
    /// What the exit code means.
    pub exit_meaning: String,
    /// Attempts in the load part (the drain phase is not load).
    pub requests: u64,
    /// Seconds from the start of the load to its end.
    pub duration_s: f64,
    /// Requests per second over the load part.
    pub rps: f64,
    /// Attempts by outcome name; every declared name is there, also with 0.
    pub outcomes: BTreeMap<String, u64>,
    /// Service time by step, attempts that were sent; the key `all` has all steps.
    pub latency_ms: BTreeMap<String, Latency>,
    /// Response time from the intended start by step, as above.
    pub response_ms: BTreeMap<String, Latency>,
    /// Service time by phase and step, in the plan's order.
    pub phases: Vec<PhaseSummary>,
    /// What the scenario measures of its captures, in its order.
    #[serde(default)]
    pub metrics: Vec<MetricSummary>,
    /// What was measured from outside of the load, in the order in which it was read.
    #[serde(default)]
    pub resources: Vec<ResourceSummary>,
    /// Every occurrence of every fault by its time, then the faults that never happened.
    #[serde(default)]
    pub faults: Vec<FaultSummary>,
    /// How far the order of issue is the order of asking; `None`: nobody asked for it.
    #[serde(default)]
    pub fairness: Option<FairnessSummary>,
    /// How throughput grew with the users; `None`: VUs were held at fewer than two numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scalability: Option<ScalabilitySummary>,
    /// Faults that could not be healed, one sentence each, which are also the first of `reasons`:
    /// something is still broken.
    #[serde(default)]
    pub not_healed: Vec<String>,
    /// Each load with its model.
    pub loads: Vec<LoadSummary>,
    /// Iterations that were due without a free VU.
    pub dropped_iterations: u64,
    /// The most VUs of any second.
    pub vus_max: u64,
    /// Bytes written to connections.
    pub data_sent: u64,
    /// Bytes read from connections.
    pub data_received: u64,
    /// Each invariant with its verdict.
    pub invariants: Vec<Judged>,
    /// Each threshold with its verdict.
    pub thresholds: Vec<Judged>,
    /// Invariants in full, with cases.
    pub findings: Vec<Finding>,
    /// What the drain phase did, if it ran.
    pub drain: Option<Drain>,
    /// One example of each kind of attempt that ended `unknown`.
    pub unknown_shapes: Vec<UnknownShape>,
    /// The run beside its baseline, where it was given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// What a reader must know before trusting a number.
    pub warnings: Vec<String>,
    /// What was done before the load and after it, in order.
    #[serde(default)]
    pub setup: Vec<SetupSummary>,
    /// What left the run while it went on.
    #[serde(default)]
    pub outputs: Vec<OutputSummary>,
    /// At most 600 points over the run, for the chart.
    pub samples: Vec<Sample>,
    /// Where and with what it ran, and how to run it again.
    pub environment: Environment,
}

impl Summary {
    /// The reasons without those that head the report.
    pub(super) fn other_reasons(&self) -> impl Iterator<Item = &String> {
        let reasons = self.reasons.iter();
        reasons.filter(|reason| !self.not_healed.contains(reason))
    }

    /// All texts for people: those that may repeat what a scenario, a target or a source said.
    pub fn texts(&mut self) -> Vec<&mut String> {
        let mut texts: Vec<&mut String> = self.reasons.iter_mut().collect();
        texts.push(&mut self.name);
        texts.extend(self.about.iter_mut().chain(&mut self.warnings));
        for judged in self.invariants.iter_mut().chain(&mut self.thresholds) {
            texts.extend([&mut judged.name, &mut judged.detail]);
        }
        for finding in &mut self.findings {
            texts.push(&mut finding.headline);
            for part in &mut finding.parts {
                texts.push(&mut part.detail);
                let cases = part.cases.iter_mut();
                texts.extend(cases.flat_map(|case| [&mut case.user, &mut case.text]));
                let all = part.all.iter_mut();
                texts.extend(all.flat_map(|case| [&mut case.user, &mut case.text]));
                if let Some(told) = &mut part.explanation {
                    texts.extend(&mut told.users);
                    texts.extend(told.moments.iter_mut().map(|one| &mut one.text));
                }
            }
        }
        texts.extend(
            self.unknown_shapes
                .iter_mut()
                .map(|shape| &mut shape.example),
        );
        let resources = self.resources.iter_mut();
        texts.extend(resources.filter_map(|resource| resource.gap.as_mut()));
        texts.extend(&mut self.not_healed);
        texts.extend(self.faults.iter_mut().flat_map(FaultSummary::texts));
        texts.extend(self.outputs.iter_mut().flat_map(OutputSummary::texts));
        texts.push(&mut self.environment.repeat);
        texts
    }
}

/// How far the order in which coupons were issued is the order in which they were asked for, among
/// the users who got one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FairnessSummary {
    /// Pairs of users who got one; 0 where it was not measured.
    pub pairs: u64,
    /// Of them those that were issued against the order of asking, by more than the jitter.
    pub inverted: u64,
    /// The share of these, 0 to 1; `None`: not measured.
    pub share: Option<f64>,
    /// What chance adds to the way of a request, milliseconds.
    pub jitter_ms: f64,
    /// The longest time by which somebody asked earlier who was issued one later, milliseconds.
    pub farthest_ms: f64,
    /// `time` of creation, or coupon `id`; `None`: not measured.
    pub by: Option<String>,
    /// Why it was not measured.
    pub why_not: Option<String>,
}

impl FairnessSummary {
    /// As it was measured.
    pub fn of(measured: Result<Fairness, &'static str>) -> Self {
        let ms = |ns: u64| ns as f64 / 1e6;
        match measured {
            Ok(measured) => Self {
                pairs: measured.pairs,
                inverted: measured.inverted,
                share: Some(measured.share()),
                jitter_ms: ms(measured.jitter_ns),
                farthest_ms: ms(measured.farthest_ns),
                by: Some(if measured.by_time { "time" } else { "id" }.to_owned()),
                why_not: None,
            },
            Err(why) => Self {
                pairs: 0,
                inverted: 0,
                share: None,
                jitter_ms: 0.0,
                farthest_ms: 0.0,
                by: None,
                why_not: Some(why.to_owned()),
            },
        }
    }
}

/// A claim and its verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The invariant's name, or the threshold as written.
    pub name: String,
    /// What was found.
    pub verdict: Verdict,
    /// One sentence with the numbers.
    pub detail: String,
}

/// Percentiles in milliseconds, from the histogram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Samples; with 0 there is no entry at all.
    pub count: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Smallest.
    pub min: f64,
    /// Median.
    pub p50: f64,
    /// 90 %.
    pub p90: f64,
    /// 95 %.
    pub p95: f64,
    /// 99 %.
    pub p99: f64,
    /// 99.9 %.
    pub p999: f64,
    /// Largest.
    pub max: f64,
}

/// One phase's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseSummary {
    /// The phase's name.
    pub phase: String,
    /// The load it belongs to.
    pub load: String,
    /// Seconds from the start of the load.
    pub from_s: f64,
    /// Seconds from the start of the load.
    pub to_s: f64,
    /// Attempts whose iteration started in it.
    pub requests: u64,
    /// Attempts by outcome name; names without an attempt are left out.
    pub outcomes: BTreeMap<String, u64>,
    /// Service time by step.
    pub latency_ms: BTreeMap<String, Latency>,
    /// Response time from the intended start by step, as above.
    #[serde(default)]
    pub response_ms: BTreeMap<String, Latency>,
}

/// One metric of the scenario, over the load part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSummary {
    /// The metric's name.
    pub metric: String,
    /// `trend` or `counter`.
    pub kind: String,
    /// Values that were recorded.
    pub values: u64,
    /// Of a trend, its figures; none without a value.
    pub trend: Option<TrendFigures>,
    /// Of a counter, what the values add up to; none without a value.
    pub counter: Option<CounterFigures>,
    /// Captured texts that were not recorded, by reason: `no_number`, `negative`, `too_large`.
    pub left_out: BTreeMap<String, u64>,
}

/// The values of a trend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrendFigures {
    /// Arithmetic mean.
    pub avg: f64,
    /// Smallest.
    pub min: f64,
    /// Median.
    pub med: f64,
    /// 90 %.
    pub p90: f64,
    /// 95 %.
    pub p95: f64,
    /// Largest.
    pub max: f64,
}

/// The values of a counter, added up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CounterFigures {
    /// Their sum.
    pub count: f64,
    /// By second of the load.
    pub rate: f64,
}

/// What the drain phase did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// Fresh users who asked.
    pub requests: u64,
    /// Of them issued.
    pub issued: u64,
    /// Whether a sold-out was seen at its end.
    pub sold_out: bool,
}

/// An example of attempts without a certain answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownShape {
    /// The step's name.
    pub step: String,
    /// Why it is unknown, in words.
    pub cause: String,
    /// The HTTP status, 0 without an answer.
    pub status: u16,
    /// How often.
    pub count: u64,
    /// The beginning of one such body.
    pub example: String,
}

/// One point of the chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since the start of the load.
    pub t_s: f64,
    /// Requests per second.
    pub rps: f64,
    /// VUs.
    pub vus: u64,
    /// Response time in milliseconds.
    pub p50_ms: Option<f64>,
    /// Response time in milliseconds.
    pub p95_ms: Option<f64>,
    /// Response time in milliseconds.
    pub p99_ms: Option<f64>,
    /// Attempts per second by outcome name.
    pub outcomes: BTreeMap<String, f64>,
    /// The remaining stock as it was last read, at most two seconds before the end of this one.
    #[serde(default)]
    pub remaining: Option<i64>,
    /// The stock less the confirmations so far, where nobody read what remains: what was answered,
    /// not what is true.
    #[serde(default)]
    pub stock_minus_confirmed: Option<i64>,
}

/// Where and with what it ran.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Of fcfs-bench.
    pub version: String,
    /// The seed that every choice followed from.
    pub seed: u64,
    /// The profile of the scenario that was chosen.
    #[serde(default)]
    pub profile: Option<String>,
    /// Start of the run, RFC 3339 in UTC.
    pub started: String,
    /// Operating system and kernel.
    pub os: String,
    /// Processor and number of cores that the harness may use.
    pub cpu: String,
    /// Bytes.
    pub memory_bytes: u64,
    /// What the run was merged from, in words; `None`: it is one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<String>,
    /// Who generated the load, where that was not this program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Load threads.
    pub threads: u64,
    /// What was loaded, without secrets.
    pub target: String,
    /// Which provider brought the system up, and why.
    pub provider: String,
    /// The command that repeats the run.
    pub repeat: String,
    /// Resident memory of the harness at its largest second, in bytes.
    pub resident_max_bytes: u64,
    /// CPU of the harness over the load part: 1.0 is one core.
    pub generator_cpu: f64,
}
