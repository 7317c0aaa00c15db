//! Reads what an incident report is made of: the plan, the summary, and every second of the run.

use std::collections::BTreeMap;
use std::io;

use super::assemble::{AssembleError, plan_of};
use super::event::{Event, read_events};
use super::{RunDirectory, RunRecord};
use crate::incident::{Evidence, FiredAt, Moments, Series};
use crate::measure::alert::Watched;
use crate::measure::{Follow, Quantity, ResourceKind, Second, Told, read_resources, read_seconds};
use crate::plan::Plan;
use crate::report::Summary;
use crate::scenario::Environment;

/// Shorter lines at the end of a run say little about a rate.
const SHORTEST_S: f64 = 0.5;

/// All that a run has left for its incident report.
#[derive(Debug)]
pub struct Left {
    summary: Summary,
    plan: Plan,
    seconds: Vec<Second>,
    series: Vec<Series>,
    moments: Moments,
}

impl Left {
    /// As the rules of the report take it.
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            summary: &self.summary,
            plan: &self.plan,
            seconds: &self.seconds,
            series: &self.series,
            moments: &self.moments,
        }
    }

    /// What the run came to.
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Takes secrets out of a text.
    pub fn hide(&self, text: &str) -> String {
        self.plan.mask.hide(text)
    }
}

/// Reads what lies beside the summary of a run. A file that a killed run has not written is empty.
///
/// # Errors
/// When the directory's scenario cannot be read, or one of the files.
pub fn left(
    summary: Summary,
    directory: &RunDirectory,
    environment: &Environment<'_>,
) -> Result<Left, AssembleError> {
    let plan = plan_of(directory, environment)?;
    let record = directory.read_record()?;
    let events = or_empty(read_events(&directory.events_file()))?;
    let mut seconds: Vec<Second> =
        or_empty(read_seconds(&directory.seconds_file()).map(Iterator::collect))?;
    if seconds.len() > 1 {
        // The rules divide by seconds.
        while seconds
            .last()
            .is_some_and(|last| last.length_s < SHORTEST_S)
        {
            seconds.pop();
        }
    }
    let moments = moments(&record, &events);
    let start_ns = moments.start_ns.unwrap_or_default();
    let lines = read_resources(&directory.resources_file()).map(|lines| {
        let (mut follow, mut all) = (Follow::default(), BTreeMap::new());
        for line in lines {
            let key = (line.source.clone(), line.kind);
            follow.line(&line, |quantity, told| {
                take(&mut all, &key, start_ns, quantity, told);
            });
        }
        all
    });
    let series = or_empty(lines)?
        .into_iter()
        .map(|((source, kind, quantity), points)| Series {
            source,
            kind,
            quantity,
            points,
        });
    Ok(Left {
        summary,
        plan,
        seconds,
        series: series.collect(),
        moments,
    })
}

type All = BTreeMap<(String, ResourceKind, Quantity), Vec<(f64, f64)>>;

fn take(
    all: &mut All,
    (source, kind): &(String, ResourceKind),
    start_ns: u64,
    quantity: Quantity,
    told: Told,
) {
    let value = match told {
        Told::Level { value, .. } => value as f64,
        Told::Rate { per_second, .. } => per_second,
        Told::Increase { .. } => return,
    };
    let at_s = (told.middle_ns() as f64 - start_ns as f64) / 1e9;
    let points = all.entry((source.clone(), *kind, quantity)).or_default();
    points.push((at_s, value));
}

fn moments(record: &RunRecord, events: &[Event]) -> Moments {
    let mut moments = Moments {
        imported: record.imported.is_some(),
        ..Moments::default()
    };
    let started = events.iter().find_map(|event| match event {
        Event::LoadStarted { at_ns, .. } => Some(*at_ns),
        _ => None,
    });
    moments.start_ns = started;
    moments.start_unix_ns = started.map(|at_ns| record.origin_unix_ns + at_ns);
    let start_ns = started.unwrap_or_default();
    let since = |at_ns: u64| (at_ns as f64 - start_ns as f64) / 1e9;
    for event in events {
        match event {
            Event::LoadEnded { at_ns, .. } => moments.load_ended_s = Some(since(*at_ns)),
            Event::Interrupted { at_ns } => moments.interrupted_s = Some(since(*at_ns)),
            Event::Aborted {
                at_ns, threshold, ..
            } => moments.aborted = Some((since(*at_ns), threshold.clone())),
            Event::Ended { .. } => moments.ended = true,
            _ => {}
        }
    }
    let marks = events.iter().filter_map(|event| match event {
        Event::Alert(mark) => Some(mark),
        _ => None,
    });
    let watched = Watched::new(marks).unwrap_or_default();
    let alerts = watched.alerts.into_iter().map(|alert| FiredAt {
        name: alert.name,
        fired_s: since(alert.fired_ns),
        cleared_s: alert.cleared_ns.map(since),
    });
    moments.alerts = alerts.collect();
    moments
}

fn or_empty<T: Default>(read: io::Result<T>) -> io::Result<T> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        read => read,
    }
}
