//! When a fault is due, and whom it meets: plain functions of the plan and of what the load shows.

use std::time::Duration;

use crate::output::Live;
use crate::plan::fault::{Comparison, Condition, Fault, Figure, Victim, Which};
use crate::plan::{Plan, mix};

/// The occurrences of a fault after its first: each begins so long after it.
pub(super) fn later(fault: &Fault) -> impl Iterator<Item = Duration> + use<> {
    let every = fault.every;
    (1..fault.times).map(move |number| every * number)
}

/// Whether the last second of the load satisfies a condition.
pub(super) fn holds(condition: &Condition, live: &Live, plan: &Plan) -> bool {
    let stock = plan.subject.as_ref().map_or(0, |subject| subject.stock);
    let issued = live.outcomes.get("issued").copied().unwrap_or(0) as f64;
    let value = match condition.figure {
        Figure::Issued => Some(issued),
        Figure::Remaining => Some(stock as f64 - issued),
        Figure::Vus => Some(live.second.vus as f64),
        Figure::P50 => live.second.p50_ms,
        Figure::P95 => live.second.p95_ms,
        Figure::P99 => live.second.p99_ms,
    };
    // A second without an answer has no latency that could be compared.
    value.is_some_and(|value| match condition.comparison {
        Comparison::AtLeast => value >= condition.bound,
        Comparison::Above => value > condition.bound,
        Comparison::AtMost => value <= condition.bound,
        Comparison::Below => value < condition.bound,
    })
}

/// Which of so many instances are met, from 0. `number` and `occurrence` say whose turn it is.
pub(super) fn chosen(
    victim: &Victim,
    there: usize,
    seed: u64,
    number: u16,
    occurrence: u32,
) -> Vec<usize> {
    match victim.which {
        Which::All => (0..there).collect(),
        Which::Number(number) => {
            let at = usize::from(number) - 1;
            (at < there).then_some(at).into_iter().collect()
        }
        Which::Any if there == 0 => Vec::new(),
        Which::Any => {
            let salt = mix(mix(seed) ^ (u64::from(number) << 32 | u64::from(occurrence)));
            vec![(salt % there as u64) as usize]
        }
    }
}
