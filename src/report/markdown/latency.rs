//! The tables of times, by step and by phase.

use std::collections::BTreeMap;

use super::table;
use crate::measure::{grouped, milliseconds};
use crate::report::escape::cell_code;
use crate::report::format::{NO_DATA, count, has_open_model, latency_rows, model_note};
use crate::report::{Latency, PhaseSummary, Summary};

const TIMES: [&str; 9] = [
    "Samples", "mean", "min", "p50", "p90", "p95", "p99", "p99.9", "max",
];

fn times(latency: &Latency) -> Vec<String> {
    let values = [
        latency.mean,
        latency.min,
        latency.p50,
        latency.p90,
        latency.p95,
        latency.p99,
        latency.p999,
        latency.max,
    ];
    let samples = std::iter::once(count(latency.count));
    samples.chain(values.map(milliseconds)).collect()
}

pub(super) fn steps(summary: &Summary) -> String {
    let open = has_open_model(summary);
    let rows = latency_rows(&summary.latency_ms, &summary.response_ms, open);
    if rows.is_empty() {
        return format!("## Latency by step\n\n{NO_DATA}: no attempt was sent.\n");
    }
    let few = rows.iter().any(|(_, _, times)| times.count < 1000);
    let cells = rows.into_iter().map(|(step, kind, latency)| {
        let mut row = vec![cell_code(step), kind.to_owned()];
        row.extend(times(latency));
        row
    });
    let head: Vec<_> = ["Step", "Time"].into_iter().chain(TIMES).collect();
    let table = table(head, "llrrrrrrrrr", cells);
    let mut out = format!(
        "## Latency by step\n\nIn milliseconds, of attempts that were sent. {}\n\n{table}",
        model_note(summary)
    );
    if few {
        out += "\nOf fewer than 1,000 samples, p99.9 is the largest or close to it.\n";
    }
    out
}

pub(super) fn phases(summary: &Summary) -> String {
    if summary.phases.is_empty() {
        return String::new();
    }
    let open = has_open_model(summary);
    let rows = summary
        .phases
        .iter()
        .flat_map(|phase| phase_rows(phase, open));
    let head = [
        "Phase",
        "Load",
        "From–to",
        "Requests",
        "Outcomes",
        "Step",
        "Time",
    ];
    let head: Vec<_> = head.into_iter().chain(TIMES).collect();
    format!(
        "## Latency by phase\n\nIn milliseconds. An attempt belongs to the phase in which its \
         iteration started.\n\n{}",
        table(head, "llrrlllrrrrrrrrr", rows)
    )
}

/// A row for each step; what is said of the phase itself stands only in the first.
fn phase_rows(phase: &PhaseSummary, open: bool) -> Vec<Vec<String>> {
    let (from, to) = (grouped(phase.from_s, 1), grouped(phase.to_s, 1));
    let place = vec![
        cell_code(&phase.phase),
        cell_code(&phase.load),
        format!("{from}–{to} s"),
        count(phase.requests),
        outcome_list(&phase.outcomes),
    ];
    let steps = latency_rows(&phase.latency_ms, &phase.response_ms, open);
    if steps.is_empty() {
        let nothing = ["–", "–", NO_DATA].into_iter().map(str::to_owned);
        let times = TIMES[1..].iter().map(|_| "–".to_owned());
        return vec![place.into_iter().chain(nothing).chain(times).collect()];
    }
    let blank = vec![String::new(); place.len()];
    let places = std::iter::once(place).chain(std::iter::repeat(blank));
    let row = |(mut row, (step, kind, latency)): (Vec<String>, (&str, &str, &Latency))| {
        row.extend([cell_code(step), kind.to_owned()]);
        row.extend(times(latency));
        row
    };
    places.zip(steps).map(row).collect()
}

fn outcome_list(outcomes: &BTreeMap<String, u64>) -> String {
    let outcomes = outcomes.iter().filter(|(_, attempts)| **attempts > 0);
    let items: Vec<_> = outcomes
        .map(|(name, attempts)| format!("{} {}", cell_code(name), count(*attempts)))
        .collect();
    if items.is_empty() {
        NO_DATA.to_owned()
    } else {
        items.join(", ")
    }
}
