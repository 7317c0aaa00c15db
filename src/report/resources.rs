//! What was measured from outside: its figures in the summary, and one table of them for the
//! terminal and for Markdown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Summary;
use super::format::{NO_DATA, count};
use crate::measure::{Unit, grouped};

/// One source: a process, or what a service counts of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceSummary {
    /// Its name; a process and what it serves share one.
    pub source: String,
    /// `process`, `sql`, `redis` or `kafka`.
    pub kind: String,
    /// How often it answered, from just before the load until just after it.
    pub readings: u64,
    /// How often it did not.
    pub gaps: u64,
    /// Why it did not, the last time.
    pub gap: Option<String>,
    /// What goes up and down, by the name of its metric; CPU in cores.
    pub levels: BTreeMap<String, LevelFigures>,
    /// What only grows, by the name of its metric; `row_lock_time` in milliseconds.
    pub counters: BTreeMap<String, IncreaseFigures>,
    /// At most 600 points over the run, for the chart.
    #[serde(default)]
    pub samples: Vec<ResourceSample>,
}

/// A figure that goes up and down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LevelFigures {
    /// Smallest.
    pub min: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Largest.
    pub max: f64,
}

/// A figure that only grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct IncreaseFigures {
    /// From the first reading to the last.
    pub increase: u64,
    /// Per second, over the same time.
    pub rate: f64,
    /// The highest rate between two readings.
    pub max_rate: f64,
}

/// One point of the chart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceSample {
    /// Seconds since the start of the load; below zero just before it.
    pub t_s: f64,
    /// By the name of the metric: levels as they were, counters as their rate since the reading
    /// before. Empty in a gap.
    pub values: BTreeMap<String, f64>,
}

/// The head of the table, but for [`LAG`].
const HEAD: [&str; 8] = [
    "Source",
    "CPU mean",
    "CPU max",
    "Memory",
    "Connections",
    "Row-lock waits",
    "Requests",
    "Gaps",
];

/// A column only where it was measured.
const LAG: &str = "Lag";

/// What the head leaves out.
const NOTE: &str = "CPU in cores; memory and connections at most; requests are queries \
                               or commands per second.";

/// What a lag is.
const LAG_NOTE: &str = "Lag is the most events that a consumer group had not read yet.";

fn has_lag(summary: &Summary) -> bool {
    summary.resources.iter().any(|one| one.kind == "kafka")
}

/// The head of the table.
pub(super) fn head(summary: &Summary) -> Vec<&'static str> {
    let mut head = HEAD.to_vec();
    if has_lag(summary) {
        head.insert(head.len() - 1, LAG);
    }
    head
}

/// What the head leaves out.
pub(super) fn note(summary: &Summary) -> String {
    if has_lag(summary) {
        format!("{NOTE} {LAG_NOTE}")
    } else {
        NOTE.to_owned()
    }
}

/// One row for each name, in the order of the summary.
pub(super) fn rows(summary: &Summary) -> Vec<(String, Vec<String>)> {
    let mut names: Vec<&str> = Vec::new();
    for resource in &summary.resources {
        if !names.contains(&resource.source.as_str()) {
            names.push(&resource.source);
        }
    }
    let row = |name: &&str| {
        let same = summary.resources.iter();
        let same: Vec<_> = same.filter(|one| one.source == **name).collect();
        ((*name).to_owned(), figures(&same, has_lag(summary)))
    };
    names.iter().map(row).collect()
}

/// Of a process and of what it serves.
fn figures(same: &[&ResourceSummary], with_lag: bool) -> Vec<String> {
    let level = |name: &str| same.iter().find_map(|one| one.levels.get(name));
    let counter = |name: &str| same.iter().find_map(|one| one.counters.get(name));
    let is = |kind: &str| same.iter().any(|one| one.kind == kind);
    // What was not measured is told apart from what cannot be.
    let shown = |value: Option<String>, can_be: bool| {
        let nothing = if can_be { NO_DATA } else { "–" };
        value.unwrap_or_else(|| nothing.to_owned())
    };
    let (is_process, is_sql) = (is("process"), is("sql"));
    let cpu = |pick: fn(&LevelFigures) -> f64| {
        let cores = level("cpu").map(|cpu| grouped(pick(cpu), 2));
        shown(cores, is_process)
    };
    let memory = level("memory").or_else(|| level("used_memory"));
    let connections = level("connections").map(|it| Unit::Number.show(it.max));
    let waits = counter("row_lock_waits").map(|it| count(it.increase));
    let requests = counter("queries").or_else(|| counter("commands"));
    let is_service = is_sql || is("redis");
    let lag = level("consumer_lag").map(|it| Unit::Number.show(it.max));
    let lag = with_lag.then(|| shown(lag, is("kafka")));
    let gaps = count(same.iter().map(|one| one.gaps).sum());
    let mut figures = vec![
        cpu(|cpu| cpu.mean),
        cpu(|cpu| cpu.max),
        shown(memory.map(|it| Unit::Bytes.show(it.max)), is_process),
        shown(connections, is_service),
        shown(waits, is_sql),
        shown(requests.map(|it| Unit::CountRate.show(it.rate)), is_service),
    ];
    figures.extend(lag);
    figures.push(gaps);
    figures
}
