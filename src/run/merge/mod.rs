//! Makes one run directory of those of all segments of a run: histories one behind another, histograms
//! added up second by second, the truth of the first. The verdict is made from it as from any other.

mod events;
mod measured;
mod outside;
mod parts;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::assemble::planned;
use super::segment::{Merged, load_of};
use super::{AssembleError, RunDirectory, RunRecord};
use crate::history::{HistoryWriter, Shift};
use crate::plan::{Plan, print};
use crate::scenario::Environment;
use parts::Part;

/// What is to be merged.
#[derive(Debug)]
pub struct MergeRequest<'a> {
    /// The run directories of all segments, in any order.
    pub directories: &'a [PathBuf],
    /// Where the merged one is made; `None`: a new one under `reports/`.
    pub out: Option<&'a Path>,
    /// How far the clock of another machine may be from that of segment 1's.
    pub skew: Duration,
}

/// Why segments are not merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// They are not all the segments of one run, or not all of the evidence can be used.
    #[error("{0}")]
    Refused(String),
    /// The directory cannot be made.
    #[error("failed to make the run directory: {0}")]
    Directory(io::Error),
    /// A directory cannot be read, or its scenario makes no plan any more.
    #[error("{directory}: {source}")]
    Unreadable {
        /// As it was given.
        directory: String,
        /// What is wrong with it.
        source: AssembleError,
    },
    /// The disk does not take the merged evidence, or a file of a segment is damaged.
    #[error("failed to merge: {0}")]
    Io(#[from] io::Error),
}

/// Merges the segments. The run directory that is returned holds all evidence; judging it is the
/// caller's.
///
/// # Errors
/// When they are not all the segments of one run, or a file cannot be read or written. What has been
/// written by then is no whole run.
pub fn merge(
    request: &MergeRequest<'_>,
    environment: &Environment<'_>,
) -> Result<RunDirectory, MergeError> {
    let parts = parts::read(request.directories)?;
    let first = &parts[0];
    let plan = whole_plan(first, environment)?;
    let shifts = shifts(&parts, request.skew)?;
    parts::over_in_time(&parts, &shifts)?;
    let directory = RunDirectory::create(request.out, &plan.name);
    let directory = directory.map_err(MergeError::Directory)?;
    let record = record(&parts, &shifts);
    let written = first.directory.read_scenario(&first.record)?;
    directory.write_scenario(&written)?;
    fs::write(directory.plan_file(), print(&plan))?;
    directory.write_record(&record)?;
    histories(&parts, &shifts, &plan, &directory)?;
    measured::write(&parts, &plan, &directory)?;
    outside::write(&parts, &shifts, &directory)?;
    copy_truth(first, &directory)?;
    // Last: a merge that was cut off has no end, and says so.
    events::write(&parts, &shifts, &record, &plan, &directory)?;
    Ok(directory)
}

/// What all segments did together.
fn whole_plan(first: &Part, environment: &Environment<'_>) -> Result<Plan, MergeError> {
    let record = whole(&first.record);
    let plan = planned(&first.directory, &record, environment);
    let plan = plan.map_err(|source| MergeError::Unreadable {
        directory: first.name(),
        source,
    })?;
    if load_of(&plan) != first.of.load {
        return Err(MergeError::Refused(
            "the scenario's numbers come from variables that are others here than where the \
             segments ran\n  hint: name the same file: --env-file"
                .to_owned(),
        ));
    }
    Ok(plan)
}

fn whole(record: &RunRecord) -> RunRecord {
    let mut record = record.clone();
    record.overrides.segment = None;
    record.segment = None;
    record
}

/// How the times of each segment are told on the clock of the first. Programs of one machine and boot
/// share a clock; of others it is only known that they are no farther apart than `skew`.
fn shifts(parts: &[Part], skew: Duration) -> Result<Vec<Shift>, MergeError> {
    let first = &parts[0];
    let shift = |part: &Part| {
        let by = i128::from(part.record.origin_unix_ns) - i128::from(first.record.origin_unix_ns);
        let by_ns = i64::try_from(by).map_err(|_| {
            MergeError::Refused(format!("{}: its times are centuries away", part.name()))
        })?;
        let one_clock = part.of.boot.is_some() && part.of.boot == first.of.boot;
        let slack_ns = if one_clock { 0 } else { skew.as_nanos() as u64 };
        let is_first = part.segment.leads();
        Ok(Shift {
            by_ns,
            slack_ns: if is_first { 0 } else { slack_ns },
        })
    };
    parts.iter().map(shift).collect()
}

fn record(parts: &[Part], shifts: &[Shift]) -> RunRecord {
    let first = &parts[0];
    let mut boots = BTreeSet::new();
    for part in parts {
        // Who does not know its machine has one of its own.
        let boot = part.of.boot.clone();
        boots.insert(boot.unwrap_or_else(|| part.segment.to_string()));
    }
    let cpus: BTreeSet<&str> = parts.iter().map(|part| part.record.cpu.as_str()).collect();
    let cpus: Vec<&str> = cpus.into_iter().collect();
    let merged = Merged {
        segments: first.segment.of(),
        start_at: first.of.start_at,
        clocks: boots.len() as u64,
        skew_ns: shifts.iter().map(|shift| shift.slack_ns).max().unwrap_or(0),
    };
    RunRecord {
        merged: Some(merged),
        cpu: cpus.join("; "),
        ..whole(&first.record)
    }
}

fn histories(
    parts: &[Part],
    shifts: &[Shift],
    plan: &Plan,
    directory: &RunDirectory,
) -> io::Result<()> {
    let mut writer = HistoryWriter::create(directory.path())?;
    if !plan.details.is_empty() {
        writer = writer.with_details()?;
    }
    for (part, shift) in std::iter::zip(parts, shifts) {
        writer.append_all(part.directory.path(), *shift)?;
    }
    writer.flush()
}

/// Only the first has read it; its origin is that of the merged run.
fn copy_truth(first: &Part, directory: &RunDirectory) -> io::Result<()> {
    let name = "truth.jsonl";
    match fs::copy(
        first.directory.path().join(name),
        directory.path().join(name),
    ) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
