//! The file of everything that was read from outside, one JSON object per line.
//!
//! ```text
//! {"read":"last","at_ns":81000000000,"rows":2}     followed by that many rows
//! {"user":"17","id":"c-1","created_us":1700000000000000,"grain_us":1000}
//! {"user":"4"}
//! {"remaining":40,"inv_ns":1000,"ret_ns":2000}
//! {"remaining_last":0}  {"stock":100}  {"settled":true}  {"failure":"..."}
//! {"settled":false,"rested":true,"waiting":"the consumer lag is 57 after 60s"}
//! ```
//!
//! A killed run leaves a torn end. A read whose rows are not all there is left out, because it
//! would look like lost rows.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::check::{IssuedRead, IssuedRow, IssuedRows, Observations, Reading, Settled};

/// When all issued rows were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Before the load.
    Baseline,
    /// Once the system was quiet.
    Last,
    /// Some seconds later.
    Second,
}

impl When {
    const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Last => "last",
            Self::Second => "second",
        }
    }
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Row(IssuedRow),
    Read {
        read: When,
        at_ns: u64,
        rows: u64,
    },
    Remaining {
        remaining: i64,
        inv_ns: u64,
        ret_ns: u64,
    },
    RemainingLast {
        remaining_last: i64,
    },
    Stock {
        stock: i64,
    },
    Settled {
        settled: bool,
        /// Where it is not: whether the rows rested all the same.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rested: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting: Option<String>,
    },
    Failure {
        failure: String,
    },
}

/// Appends what was read to `truth.jsonl`; each call is with the operating system when it returns.
#[derive(Debug)]
pub struct TruthLog {
    file: BufWriter<File>,
}

impl TruthLog {
    /// Creates the file in a run directory.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(directory: &Path) -> io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 16, File::create(path_in(directory))?);
        Ok(Self { file })
    }

    /// Writes all rows of one read.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn rows(&mut self, which: When, read: &IssuedRead) -> io::Result<()> {
        self.line(&Line::Read {
            read: which,
            at_ns: read.at_ns,
            rows: read.rows.len() as u64,
        })?;
        read.rows.iter().try_for_each(|row| self.line(&row))?;
        self.file.flush()
    }

    /// Writes a reading of the remaining stock during the run.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn remaining(&mut self, reading: Reading) -> io::Result<()> {
        self.single(&Line::Remaining {
            remaining: reading.value,
            inv_ns: reading.inv_ns,
            ret_ns: reading.ret_ns,
        })
    }

    /// Writes the remaining stock at quiescence.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn remaining_last(&mut self, remaining_last: i64) -> io::Result<()> {
        self.single(&Line::RemainingLast { remaining_last })
    }

    /// Writes the stock that the system says it had.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn stock(&mut self, stock: i64) -> io::Result<()> {
        self.single(&Line::Stock { stock })
    }

    /// Writes whether the system became quiet in time, and what it was that did not.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn settled(&mut self, settled: &Settled) -> io::Result<()> {
        let (settled, rested, waiting) = match settled {
            Settled::Quiet => (true, None, None),
            Settled::Stuck(waiting) => (false, Some(true), Some(waiting.clone())),
            Settled::Moving(waiting) => (false, None, waiting.clone()),
        };
        self.single(&Line::Settled {
            settled,
            rested,
            waiting,
        })
    }

    /// Writes that a read failed, in words without secrets.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn failure(&mut self, words: &str) -> io::Result<()> {
        self.single(&Line::Failure {
            failure: words.to_owned(),
        })
    }

    fn single(&mut self, line: &Line) -> io::Result<()> {
        self.line(line)?;
        self.file.flush()
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, line)?;
        self.file.write_all(b"\n")
    }
}

/// Reads a run directory's `truth.jsonl`; a torn end is left out and named among the failures.
///
/// # Errors
/// When there is no such file, or a line before its end is damaged.
pub fn read_truth(directory: &Path) -> io::Result<Observations> {
    let path = path_in(directory);
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let file = File::open(&path).map_err(named)?;
    read_lines(BufReader::with_capacity(1 << 16, file)).map_err(named)
}

fn path_in(directory: &Path) -> PathBuf {
    directory.join("truth.jsonl")
}

/// A read whose rows are still coming.
struct Open {
    which: When,
    read: IssuedRead,
    missing: u64,
}

fn read_lines(mut file: impl BufRead) -> io::Result<Observations> {
    let mut observations = Observations::default();
    let mut open: Option<Open> = None;
    let mut bytes = Vec::new();
    for number in 1_u64.. {
        bytes.clear();
        file.read_until(b'\n', &mut bytes)?;
        if bytes.pop() != Some(b'\n') {
            break;
        }
        let line = serde_json::from_slice(&bytes).map_err(|error| damaged(number, &error))?;
        match (line, &mut open) {
            (Line::Row(row), Some(current)) => {
                current.read.rows.push(&row);
                current.missing -= 1;
            }
            (Line::Row(_), None) => {
                return Err(damaged(number, &"a row that belongs to no read"));
            }
            (line, _) => {
                give_up(&mut observations, open.take());
                open = take(&mut observations, line);
            }
        }
        open = finish(&mut observations, open);
    }
    give_up(&mut observations, open);
    Ok(observations)
}

/// Stores a line that stands for itself, or opens the read that it announces.
fn take(observations: &mut Observations, line: Line) -> Option<Open> {
    match line {
        Line::Read { read, at_ns, rows } => {
            return Some(Open {
                which: read,
                read: IssuedRead {
                    at_ns,
                    rows: IssuedRows::default(),
                },
                missing: rows,
            });
        }
        Line::Remaining {
            remaining,
            inv_ns,
            ret_ns,
        } => observations.remaining.push(Reading {
            inv_ns,
            ret_ns,
            value: remaining,
        }),
        Line::RemainingLast { remaining_last } => {
            observations.remaining_last = Some(remaining_last);
        }
        Line::Stock { stock } => observations.stock = Some(stock),
        Line::Settled {
            settled,
            rested,
            waiting,
        } => {
            observations.settled = Some(match (settled, rested) {
                (true, _) => Settled::Quiet,
                (false, Some(true)) => Settled::Stuck(waiting.unwrap_or_default()),
                (false, _) => Settled::Moving(waiting),
            });
        }
        Line::Failure { failure } => observations.failures.push(failure),
        Line::Row(_) => {}
    }
    None
}

/// Stores the open read once all its rows are there.
fn finish(observations: &mut Observations, open: Option<Open>) -> Option<Open> {
    let done = open?;
    if done.missing > 0 {
        return Some(done);
    }
    let place = match done.which {
        When::Baseline => &mut observations.baseline,
        When::Last => &mut observations.last,
        When::Second => &mut observations.second,
    };
    *place = Some(done.read);
    None
}

fn give_up(observations: &mut Observations, open: Option<Open>) {
    let Some(torn) = open else { return };
    observations.failures.push(format!(
        "the {} read in truth.jsonl is torn: {} of its rows are missing",
        torn.which.name(),
        torn.missing
    ));
}

fn damaged(number: u64, error: &dyn std::fmt::Display) -> io::Error {
    let words = format!("line {number} is damaged: {error}");
    io::Error::new(io::ErrorKind::InvalidData, words)
}

#[cfg(test)]
mod tests;
