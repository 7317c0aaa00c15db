//! The tables of times, by step and by phase.

use std::collections::BTreeMap;

use crate::measure::{grouped, milliseconds};
use crate::report::document::{Block, Inline, Line, Section, Table, code, listed, plain};
use crate::report::format::{NO_DATA, count, has_open_model, latency_rows, model_note};
use crate::report::{Latency, PhaseSummary, Summary};

const TIMES: [&str; 9] = [
    "Samples", "mean", "min", "p50", "p90", "p95", "p99", "p99.9", "max",
];

fn times(latency: &Latency) -> Vec<Line> {
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
    let cells = samples.chain(values.map(milliseconds));
    cells.map(plain).collect()
}

pub(super) fn steps(summary: &Summary) -> Section {
    let (id, title) = ("latency", "Latency by step");
    let open = has_open_model(summary);
    let rows = latency_rows(&summary.latency_ms, &summary.response_ms, open);
    if rows.is_empty() {
        let nothing = Block::plain(format!("{NO_DATA}: no attempt was sent."));
        return Section::new(id, title, vec![nothing]);
    }
    let few = rows.iter().any(|(_, _, times)| times.count < 1000);
    let cells = rows.into_iter().map(|(step, kind, latency)| {
        let mut row = vec![code(step), plain(kind)];
        row.extend(times(latency));
        row
    });
    let head = ["Step", "Time"].into_iter().chain(TIMES);
    let note = model_note(summary);
    let mut blocks = vec![
        Block::plain(format!(
            "In milliseconds, of attempts that were sent. {note}"
        )),
        Block::Table(Table::new(head, "llrrrrrrrrr", cells)),
    ];
    if few {
        let note = "Of fewer than 1,000 samples, p99.9 is the largest or close to it.";
        blocks.push(Block::plain(note));
    }
    Section::new(id, title, blocks)
}

pub(super) fn phases(summary: &Summary) -> Option<Section> {
    if summary.phases.is_empty() {
        return None;
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
    let head = head.into_iter().chain(TIMES);
    let note = "In milliseconds. An attempt belongs to the phase in which its iteration started.";
    let blocks = vec![
        Block::plain(note),
        Block::Table(Table::new(head, "llrrlllrrrrrrrrr", rows)),
    ];
    Some(Section::new("phases", "Latency by phase", blocks))
}

/// A row for each step; what is said of the phase itself stands only in the first.
fn phase_rows(phase: &PhaseSummary, open: bool) -> Vec<Vec<Line>> {
    let (from, to) = (grouped(phase.from_s, 1), grouped(phase.to_s, 1));
    let place = vec![
        code(&phase.phase),
        code(&phase.load),
        plain(format!("{from}–{to} s")),
        plain(count(phase.requests)),
        outcome_list(&phase.outcomes),
    ];
    let steps = latency_rows(&phase.latency_ms, &phase.response_ms, open);
    if steps.is_empty() {
        let nothing = ["–", "–", NO_DATA].into_iter().map(plain);
        let times = TIMES[1..].iter().map(|_| plain("–"));
        return vec![place.into_iter().chain(nothing).chain(times).collect()];
    }
    let blank = vec![plain(""); place.len()];
    let places = std::iter::once(place).chain(std::iter::repeat(blank));
    let row = |(mut row, (step, kind, latency)): (Vec<Line>, (&str, &str, &Latency))| {
        row.extend([code(step), plain(kind)]);
        row.extend(times(latency));
        row
    };
    places.zip(steps).map(row).collect()
}

fn outcome_list(outcomes: &BTreeMap<String, u64>) -> Line {
    let outcomes = outcomes.iter().filter(|(_, attempts)| **attempts > 0);
    let item = |(name, attempts): (&String, &u64)| {
        let attempts = Inline::plain(format!(" {}", count(*attempts)));
        vec![Inline::code(name), attempts]
    };
    let items = listed(outcomes.map(item));
    if items.is_empty() {
        plain(NO_DATA)
    } else {
        items
    }
}
