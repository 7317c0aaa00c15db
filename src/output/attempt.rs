//! The numbers of a plan as the names that other tools see: attempts, and figures of a second.

use std::sync::Arc;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::regimes::Regimes;
use crate::history::{Cause, Key, Operation, OutcomeKind};
use crate::load::Parts;
use crate::measure::{SeriesId, Trend};
use crate::plan::{OutputMode, Plan, mix};

/// One attempt. Times are milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Attempt<'a> {
    /// When it ended, nanoseconds of Unix time.
    pub(super) unix_ns: u64,
    /// The load.
    pub(super) scenario: &'a str,
    pub(super) phase: &'a str,
    pub(super) step: &'a str,
    pub(super) method: &'a str,
    /// 0 without an answer.
    pub(super) status: u16,
    pub(super) outcome: &'a str,
    pub(super) kind: OutcomeKind,
    /// Why there is no certain answer.
    pub(super) cause: Cause,
    /// The faults that were active when it ended, joined by `+`.
    pub(super) fault: &'a str,
    /// The id, or 16 hexadecimal digits as in `names.tsv`.
    pub(super) user: String,
    /// As the user; none if the answer named none.
    pub(super) coupon: Option<String>,
    pub(super) vu: u32,
    /// How long before it was sent it was due.
    pub(super) lag_ms: f64,
    /// Service time.
    pub(super) duration_ms: f64,
    pub(super) blocked_ms: f64,
    /// Of a connection that was made for it.
    pub(super) connecting_ms: Option<f64>,
    pub(super) tls_handshaking_ms: Option<f64>,
    pub(super) sending_ms: f64,
    pub(super) waiting_ms: f64,
    pub(super) receiving_ms: f64,
}

/// Attempts of one second, phase, step and outcome. Percentiles are milliseconds of service time.
#[derive(Debug, Serialize)]
pub(super) struct Interval<'a> {
    /// The beginning of the second, nanoseconds of Unix time.
    pub(super) unix_ns: u64,
    /// Seconds since the start of the load.
    pub(super) t: u64,
    /// The load.
    pub(super) scenario: &'a str,
    pub(super) phase: &'a str,
    pub(super) step: &'a str,
    pub(super) outcome: &'a str,
    pub(super) count: u64,
    pub(super) p50_ms: f64,
    pub(super) p90_ms: f64,
    pub(super) p95_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) p999_ms: f64,
    pub(super) max_ms: f64,
}

/// Gives names to numbers.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) plan: Arc<Plan>,
    /// The run's origin, nanoseconds of Unix time.
    pub(super) origin_ns: u64,
    /// The start of the load, nanoseconds since the origin.
    pub(super) load_ns: u64,
    pub(super) regimes: Regimes,
}

impl Names {
    pub(super) fn new(plan: Arc<Plan>, origin_ns: u64) -> Self {
        Self {
            regimes: Regimes::new(&plan),
            plan,
            origin_ns,
            load_ns: 0,
        }
    }

    /// A second of the load in Unix time.
    pub(super) const fn second_ns(&self, t: u64) -> u64 {
        self.origin_ns + self.load_ns + t * 1_000_000_000
    }

    /// The load of the phase.
    pub(super) fn scenario(&self, phase: u16) -> &str {
        let load = self.plan.phases.get(usize::from(phase));
        let load = load.and_then(|phase| self.plan.loads.get(phase.load?));
        load.map_or("", |load| load.name.as_str())
    }

    /// The name and the method of the step.
    pub(super) fn step(&self, step: u8) -> (&str, &str) {
        let step = self.plan.steps.get(usize::from(step));
        step.map_or(("?", "?"), |step| (&step.name, &step.method))
    }

    /// The name and the kind of the outcome.
    pub(super) fn outcome(&self, label: u8) -> (&str, OutcomeKind) {
        let label = self.plan.labels.get(usize::from(label));
        label.map_or(("?", OutcomeKind::Unknown), |label| {
            (&label.name, label.kind)
        })
    }

    pub(super) fn attempt<'a>(&'a self, operation: &Operation, parts: &Parts) -> Attempt<'a> {
        let (step, method) = self.step(operation.step);
        let (sending, waiting, receiving) = parts.exchange;
        Attempt {
            unix_ns: self.origin_ns + operation.ret_ns,
            scenario: self.scenario(operation.phase),
            phase: self.plan.phase_name(operation.phase),
            step,
            method,
            status: operation.status,
            outcome: self.outcome(operation.label).0,
            kind: operation.kind,
            cause: operation.cause,
            fault: self.regimes.name(self.regimes.at(operation.ret_ns)),
            user: key(operation.user),
            coupon: operation.coupon.is_some().then(|| key(operation.coupon)),
            vu: operation.vu,
            lag_ms: f64::from(operation.lag_us) / 1e3,
            duration_ms: ms(operation.ret_ns.saturating_sub(operation.inv_ns)),
            blocked_ms: ms(parts.blocked),
            connecting_ms: parts.connected.map(|(connecting, _)| ms(connecting)),
            tls_handshaking_ms: parts.connected.map(|(_, handshaking)| ms(handshaking)),
            sending_ms: ms(sending),
            waiting_ms: ms(waiting),
            receiving_ms: ms(receiving),
        }
    }

    /// `None` for what is not counted by outcome.
    pub(super) fn interval<'a>(
        &'a self,
        t: u64,
        id: SeriesId,
        histogram: &Histogram<u64>,
    ) -> Option<Interval<'a>> {
        if id.trend != Trend::Duration || histogram.is_empty() {
            return None;
        }
        let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Some(Interval {
            unix_ns: self.second_ns(t),
            t,
            scenario: self.scenario(id.phase),
            phase: self.plan.phase_name(id.phase),
            step: self.step(id.step).0,
            outcome: self.outcome(id.label).0,
            count: histogram.len(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: histogram.max() as f64 / 1e3,
        })
    }
}

/// Milliseconds.
pub(super) fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

fn key(key: Key) -> String {
    match key.number() {
        Some(number) => number.to_string(),
        None => format!("{:016x}", key.0),
    }
}

/// Whether an output of this mode gets the attempt: of the same history always the same ones.
pub(super) fn is_taken(mode: OutputMode, operation: &Operation) -> bool {
    match mode {
        OutputMode::Raw => true,
        OutputMode::Aggregate => false,
        OutputMode::Sample(of) => {
            let seat = u64::from(operation.step) << 32 | u64::from(operation.vu);
            mix(operation.user.0 ^ mix(operation.inv_ns ^ mix(seat))).is_multiple_of(of)
        }
    }
}
