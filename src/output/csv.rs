//! Comma-separated values: a row for each attempt, or for each second, phase, step and outcome.

use std::fs::File;
use std::io::{self, BufWriter};

use serde::Serialize;

use super::Feed;
use super::attempt::{Names, is_taken};
use super::file::Lines;
use super::sink::{Account, Cut, Sink};
use crate::plan::OutputMode;

/// Writes rows.
pub(super) struct Rows {
    lines: Lines,
    mode: OutputMode,
    names: Names,
    /// Whether the head line is there.
    has_head: bool,
}

impl Rows {
    pub(super) const fn new(lines: Lines, mode: OutputMode, names: Names) -> Self {
        Self {
            lines,
            mode,
            names,
            has_head: false,
        }
    }
}

impl Sink for Rows {
    fn take(&mut self, feed: &Feed) {
        let rows = weigh(feed, self.mode);
        let Self {
            lines,
            mode,
            names,
            has_head,
        } = self;
        match feed {
            Feed::LoadStarted { at_ns } => names.load_ns = *at_ns,
            Feed::Fault(mark) => names.regimes.take(mark),
            _ => {}
        }
        if rows == 0 {
            return;
        }
        let head = !std::mem::replace(has_head, true);
        lines.write(rows, |out| {
            let mut builder = csv::WriterBuilder::new();
            let mut writer = builder.has_headers(head).from_writer(out);
            match feed {
                Feed::Operations {
                    operations, parts, ..
                } => {
                    let all = std::iter::zip(operations, parts);
                    for (operation, parts) in all.filter(|(one, _)| is_taken(*mode, one)) {
                        row(&mut writer, names.attempt(operation, parts))?;
                    }
                }
                Feed::Second { line, histograms } => {
                    for (id, histogram) in histograms {
                        if let Some(interval) = names.interval(line.t, *id, histogram) {
                            row(&mut writer, &interval)?;
                        }
                    }
                }
                _ => {}
            }
            writer.flush()
        });
    }

    fn tick(&mut self) {
        self.lines.flush();
    }

    fn dropped(&self) -> u64 {
        self.lines.dropped()
    }

    fn finish(self: Box<Self>, _: &Cut) -> Account {
        self.lines.finish()
    }
}

fn row(writer: &mut csv::Writer<&mut BufWriter<File>>, row: impl Serialize) -> io::Result<()> {
    writer.serialize(row).map_err(io::Error::other)
}

/// How many rows the piece makes. All rows of a file have the same columns, so it is of attempts or
/// of seconds.
pub(super) fn weigh(feed: &Feed, mode: OutputMode) -> u64 {
    match feed {
        Feed::Operations { operations, .. } => {
            let taken = operations.iter().filter(|one| is_taken(mode, one));
            taken.count() as u64
        }
        Feed::Second { histograms, .. } if mode == OutputMode::Aggregate => {
            let counted = histograms.iter();
            let counted = counted.filter(|(id, histogram)| Names::is_interval(*id, histogram));
            counted.count() as u64
        }
        _ => 0,
    }
}
