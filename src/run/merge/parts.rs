//! The directories that are to be merged: all segments of one run, each once.

use std::io;
use std::path::{Path, PathBuf};

use super::MergeError;
use crate::history::Shift;
use crate::plan::{Overrides, Segment};
use crate::run::event::{Event, read_events};
use crate::run::{RunDirectory, RunRecord, SegmentRecord};
use crate::scenario::Written;

/// One segment's run.
pub(super) struct Part {
    pub(super) directory: RunDirectory,
    pub(super) record: RunRecord,
    pub(super) segment: Segment,
    pub(super) of: SegmentRecord,
    pub(super) events: Vec<Event>,
}

impl Part {
    fn read(path: &Path) -> Result<Self, MergeError> {
        let named = |error: io::Error| refused(error.to_string());
        let directory = RunDirectory::open(path).map_err(named)?;
        let record = directory.read_record().map_err(named)?;
        let (Some(segment), Some(of)) = (record.overrides.segment, record.segment.clone()) else {
            return Err(refused(format!(
                "{} is a whole run and no segment of one\n  hint: `fcfs-bench check` judges it",
                path.display()
            )));
        };
        let events = read_events(&directory.events_file());
        let events = events.map_err(|error| refused(format!("{}: {error}", path.display())))?;
        Ok(Self {
            directory,
            record,
            segment,
            of,
            events,
        })
    }

    /// As it was given.
    pub(super) fn name(&self) -> String {
        self.directory.path().display().to_string()
    }

    /// When its load began, on its own clock.
    pub(super) fn started_ns(&self) -> Option<u64> {
        self.events.iter().find_map(|event| match event {
            Event::LoadStarted { at_ns, .. } => Some(*at_ns),
            _ => None,
        })
    }

    /// When its load had ended, on its own clock.
    pub(super) fn ended_ns(&self) -> Option<u64> {
        self.events.iter().find_map(|event| match event {
            Event::LoadEnded { at_ns, .. } => Some(*at_ns),
            _ => None,
        })
    }

    /// What must be the same in all segments.
    fn common(&self) -> Result<Common, MergeError> {
        let written = self.directory.read_scenario(&self.record);
        let written = written.map_err(|error| refused(format!("{}: {error}", self.name())))?;
        let Written { text, included, .. } = written;
        let included = included.into_iter().filter_map(|one| one.text.ok());
        Ok(Common {
            text,
            included: included.collect(),
        })
    }
}

#[derive(PartialEq, Eq)]
struct Common {
    text: String,
    included: Vec<String>,
}

/// Reads all segments, in their order.
pub(super) fn read(directories: &[PathBuf]) -> Result<Vec<Part>, MergeError> {
    let parts = directories.iter().map(|path| Part::read(path));
    let mut parts = parts.collect::<Result<Vec<_>, _>>()?;
    parts.sort_by_key(|part| part.segment.number());
    let Some(first) = parts.first() else {
        return Err(refused("there is nothing to merge".to_owned()));
    };
    for part in &parts[1..] {
        same(first, part)?;
    }
    complete(&parts)?;
    let never = parts.iter().find(|part| part.started_ns().is_none());
    if let Some(part) = never {
        return Err(refused(format!(
            "{}: segment {} did not begin its load, so nobody has done its part",
            part.name(),
            part.segment
        )));
    }
    Ok(parts)
}

/// Refuses what was not one run.
fn same(first: &Part, part: &Part) -> Result<(), MergeError> {
    let differ = |what: &str, one: &str, other: &str| {
        Err(refused(format!(
            "{} and {} are not of one run: {what}: {one} and {other}",
            first.name(),
            part.name()
        )))
    };
    let (a, b) = (&first.record, &part.record);
    if first.segment.of() != part.segment.of() {
        let (one, other) = (first.segment.to_string(), part.segment.to_string());
        return differ("the number of segments differs", &one, &other);
    }
    if a.version != b.version {
        return differ("the versions of fcfs-bench differ", &a.version, &b.version);
    }
    if first.common()? != part.common()? {
        return differ("the scenarios differ", &a.scenario, &b.scenario);
    }
    let typed = |record: &RunRecord| Overrides {
        segment: None,
        // The same may lie elsewhere on each machine; what it brings is compared as numbers.
        env_file: None,
        ..record.overrides.clone()
    };
    if typed(a) != typed(b) {
        return differ("the command lines differ", &a.command(), &b.command());
    }
    if a.records != b.records {
        let count = |records: Option<u64>| records.map_or("none".to_owned(), |n| n.to_string());
        let (one, other) = (count(a.records), count(b.records));
        return differ("the numbers of records of users differ", &one, &other);
    }
    if first.of.load != part.of.load {
        let why = "the numbers that come from variables differ";
        return differ(why, &first.of.load, &part.of.load);
    }
    let starts = [first, part].map(|one| one.of.start_at.to_string());
    if starts[0] != starts[1] {
        return differ("they did not begin together", &starts[0], &starts[1]);
    }
    Ok(())
}

/// Each segment once.
fn complete(parts: &[Part]) -> Result<(), MergeError> {
    let of = parts[0].segment.of();
    for pair in parts.windows(2) {
        if pair[0].segment == pair[1].segment {
            return Err(refused(format!(
                "segment {} is there twice: {} and {}",
                pair[0].segment,
                pair[0].name(),
                pair[1].name()
            )));
        }
    }
    let is_there = |number: &u64| parts.iter().any(|part| part.segment.number() == *number);
    let missing: Vec<String> = (1..=of)
        .filter(|number| !is_there(number))
        .map(|number| format!("{number}/{of}"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(refused(format!(
        "not all segments of the run are there: {} missing\n  hint: name the run directories of all {of}",
        missing.join(", ")
    )))
}

/// The truth must have been read when no segment loaded any more, or it would be that of a part.
pub(super) fn over_in_time(parts: &[Part], shifts: &[Shift]) -> Result<(), MergeError> {
    let first = &parts[0];
    let over = first.events.iter().find_map(|event| match event {
        Event::SegmentsOver { at_ns } => Some(*at_ns),
        _ => None,
    });
    let Some(over_ns) = over else {
        return Err(refused(format!(
            "{}: segment 1 has not waited until the others had ended, so what it has read is not the \
             truth of the whole load",
            first.name()
        )));
    };
    for (part, shift) in std::iter::zip(parts, shifts) {
        let ended_ns = part.ended_ns().map(|ended_ns| shift.moment(ended_ns));
        let late_ns = ended_ns.unwrap_or(0).saturating_sub(over_ns);
        if late_ns > shift.slack_ns {
            return Err(refused(format!(
                "{}: segment {} loaded for {:.1} s after segment 1 began to read the truth, so that is \
                 not the truth of the whole load\n  hint: let the clocks of all machines be set by one \
                 source (NTP)",
                part.name(),
                part.segment,
                late_ns as f64 / 1e9
            )));
        }
    }
    Ok(())
}

fn refused(words: String) -> MergeError {
    MergeError::Refused(words)
}
