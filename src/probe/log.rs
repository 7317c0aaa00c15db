//! The file of everything that was read from outside, one JSON object per line.
//!
//! ```text
//! {"read":"last","at_ns":         81000000000,"rows":                   2}     that many rows follow
//! {"user":"17","id":"c-1","created_us":1700000000000000,"grain_us":1000}
//! {"user":"4"}
//! {"remaining":40,"inv_ns":1000,"ret_ns":2000}
//! {"remaining_last":0}  {"stock":100}  {"settled":true}  {"failure":"..."}
//! {"settled":false,"rested":true,"waiting":"the consumer lag is 57 after 60s"}
//! {"ids":"outbox","when":"last","count":2}     followed by that many ids
//! {"one":"17"}
//! {"ends":[{"partition":0,"end":5}]}
//! {"table":"ledger","when":"last","at_ns":81500000000,"count":2}     followed by that many rows
//! {"cells":["k-1","acc-1","-12.50"]}
//! {"events":1,"at_ns":82000000000,"partitions":[...],"others":0}     followed by that many events
//! {"event":{"partition":0,"offset":5,"key":"4","id":"17"}}
//! ```
//!
//! A killed run leaves a torn end. A read whose rows are not all there is left out, because it
//! would look like lost rows.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::check::{
    End, Event, EventsRead, Ids, IssuedRead, IssuedRow, IssuedRows, Observations, Range, Reading,
    Settled, TableRead, TableRows,
};
use crate::plan::Table;

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

/// What ids were read of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdsOf {
    /// The outbox.
    Outbox,
    /// The effects of the consumer.
    Effects,
}

impl IdsOf {
    const fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Effects => "effects",
        }
    }
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Row(IssuedRow),
    One {
        one: String,
    },
    Event {
        event: Event,
    },
    Cells {
        cells: [String; 3],
    },
    Table {
        table: Table,
        when: When,
        at_ns: u64,
        count: u64,
    },
    Ids {
        ids: IdsOf,
        when: When,
        count: u64,
    },
    Ends {
        ends: Vec<End>,
    },
    Events {
        events: u64,
        at_ns: u64,
        partitions: Vec<Range>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        compacted: Option<bool>,
        others: u64,
    },
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
        let mut rows = self.begin_rows(which)?;
        read.rows.iter().try_for_each(|row| rows.row(&row))?;
        rows.finish(read.at_ns).map(drop)
    }

    /// Begins to write the rows of one read as they come.
    ///
    /// # Errors
    /// When the disk does not take its first line.
    pub fn begin_rows(&mut self, which: When) -> io::Result<RowsToLog<'_>> {
        let begin = self.file.stream_position()?;
        // As many as there can never be: without its end the read is torn.
        self.head(which, u64::MAX, u64::MAX)?;
        Ok(RowsToLog {
            log: self,
            which,
            begin,
            rows: 0,
        })
    }

    /// The first line of a read, as long for all numbers.
    fn head(&mut self, which: When, at_ns: u64, rows: u64) -> io::Result<()> {
        let name = which.name();
        writeln!(
            self.file,
            "{{\"read\":\"{name}\",\"at_ns\":{at_ns:20},\"rows\":{rows:20}}}"
        )
    }

    /// Writes all ids of one read, before the load or at rest.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn ids(&mut self, of: IdsOf, when: When, ids: &[String]) -> io::Result<()> {
        self.line(&Line::Ids {
            ids: of,
            when,
            count: ids.len() as u64,
        })?;
        for id in ids {
            self.line(&Line::One { one: id.clone() })?;
        }
        self.file.flush()
    }

    /// Writes all rows of one table, before the load or at rest.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn table(&mut self, table: Table, when: When, read: &TableRead) -> io::Result<()> {
        self.line(&Line::Table {
            table,
            when,
            at_ns: read.at_ns,
            count: read.rows.len() as u64,
        })?;
        for row in read.rows.iter() {
            let cells = row.map(str::to_owned);
            self.line(&Line::Cells { cells })?;
        }
        self.file.flush()
    }

    /// Writes where the topic ended before the load.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn ends(&mut self, ends: &[End]) -> io::Result<()> {
        self.single(&Line::Ends {
            ends: ends.to_vec(),
        })
    }

    /// Writes all events of a topic.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn events(&mut self, read: &EventsRead) -> io::Result<()> {
        self.line(&Line::Events {
            events: read.events.len() as u64,
            at_ns: read.at_ns,
            partitions: read.partitions.clone(),
            compacted: read.compacted,
            others: read.others,
        })?;
        for event in &read.events {
            let event = event.clone();
            self.line(&Line::Event { event })?;
        }
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

/// One read of rows that go to the file as they come, so that nobody holds all of them.
#[derive(Debug)]
pub struct RowsToLog<'l> {
    log: &'l mut TruthLog,
    which: When,
    /// Where its first line stands.
    begin: u64,
    rows: u64,
}

impl RowsToLog<'_> {
    /// Writes some more.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn push(&mut self, rows: &[IssuedRow]) -> io::Result<()> {
        rows.iter().try_for_each(|row| self.row(row))
    }

    fn row(&mut self, row: &impl Serialize) -> io::Result<()> {
        self.rows += 1;
        self.log.line(row)
    }

    /// Writes how many they were and when the read was complete; the number.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn finish(self, at_ns: u64) -> io::Result<u64> {
        self.log.file.seek(SeekFrom::Start(self.begin))?;
        self.log.head(self.which, at_ns, self.rows)?;
        self.log.file.seek(SeekFrom::End(0))?;
        self.log.file.flush()?;
        Ok(self.rows)
    }

    /// Takes all of it back, since the read failed.
    ///
    /// # Errors
    /// When the file cannot be cut.
    pub fn abandon(self) -> io::Result<()> {
        let file = &mut self.log.file;
        file.seek(SeekFrom::Start(self.begin))?;
        file.get_ref().set_len(self.begin)
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

/// A read of which some is still to come.
struct Open {
    what: What,
    missing: u64,
}

enum What {
    Rows(When, IssuedRead),
    Ids(IdsOf, When, Vec<String>),
    Table(Table, When, TableRead),
    Events(EventsRead),
}

impl Open {
    /// Whether the line is of this read; it is given back if not.
    fn push(&mut self, line: Line) -> Result<(), Line> {
        match (&mut self.what, line) {
            (What::Rows(_, read), Line::Row(row)) => read.rows.push(&row),
            (What::Ids(_, _, ids), Line::One { one }) => ids.push(one),
            (What::Table(_, _, read), Line::Cells { cells }) => {
                read.rows.push(cells.each_ref().map(String::as_str));
            }
            (What::Events(read), Line::Event { event }) => read.events.push(event),
            (_, line) => return Err(line),
        }
        self.missing -= 1;
        Ok(())
    }

    /// For people.
    fn name(&self) -> String {
        match &self.what {
            What::Rows(when, _) => when.name().to_owned(),
            What::Ids(of, when, _) => format!("{} {}", when.name(), of.name()),
            What::Table(table, when, _) => format!("{} {}", when.name(), table.name()),
            What::Events(_) => "events".to_owned(),
        }
    }
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
        let line = match &mut open {
            Some(current) => current.push(line).err(),
            None => Some(line),
        };
        match line {
            None => {}
            Some(Line::Row(_) | Line::One { .. } | Line::Event { .. } | Line::Cells { .. }) => {
                return Err(damaged(number, &"a row that belongs to no read"));
            }
            Some(line) => {
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
            let rows_read = IssuedRead {
                at_ns,
                rows: IssuedRows::default(),
            };
            return Some(Open {
                what: What::Rows(read, rows_read),
                missing: rows,
            });
        }
        Line::Ids { ids, when, count } => {
            return Some(Open {
                what: What::Ids(ids, when, Vec::new()),
                missing: count,
            });
        }
        Line::Table {
            table,
            when,
            at_ns,
            count,
        } => {
            let rows = TableRows::default();
            return Some(Open {
                what: What::Table(table, when, TableRead { at_ns, rows }),
                missing: count,
            });
        }
        Line::Events {
            events,
            at_ns,
            partitions,
            compacted,
            others,
        } => {
            let read = EventsRead {
                at_ns,
                partitions,
                compacted,
                others,
                events: Vec::new(),
            };
            return Some(Open {
                what: What::Events(read),
                missing: events,
            });
        }
        Line::Ends { ends } => observations.deliveries.ends = Some(ends),
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
        Line::Row(_) | Line::One { .. } | Line::Event { .. } | Line::Cells { .. } => {}
    }
    None
}

/// Stores the open read once all of it is there.
fn finish(observations: &mut Observations, open: Option<Open>) -> Option<Open> {
    let done = open?;
    if done.missing > 0 {
        return Some(done);
    }
    match done.what {
        What::Rows(When::Baseline, read) => observations.baseline = Some(read),
        What::Rows(When::Last, read) => observations.last = Some(read),
        What::Rows(When::Second, read) => observations.second = Some(read),
        What::Ids(of, when, ids) => {
            let deliveries = &mut observations.deliveries;
            let Ids { before, last } = match of {
                IdsOf::Outbox => &mut deliveries.outbox,
                IdsOf::Effects => &mut deliveries.effects,
            };
            let place = if when == When::Baseline { before } else { last };
            *place = Some(ids);
        }
        What::Table(table, when, read) => {
            let reads = observations.tables.of_mut(table);
            let place = if when == When::Baseline {
                &mut reads.before
            } else {
                &mut reads.last
            };
            *place = Some(read);
        }
        What::Events(read) => observations.deliveries.events = Some(read),
    }
    None
}

fn give_up(observations: &mut Observations, open: Option<Open>) {
    let Some(torn) = open else { return };
    let missing = match torn.missing {
        // The first line was never written again.
        missing if missing > u64::MAX / 2 => "its end is missing".to_owned(),
        missing => format!("{missing} of its rows are missing"),
    };
    observations.failures.push(format!(
        "the {} read in truth.jsonl is torn: {missing}",
        torn.name()
    ));
}

fn damaged(number: u64, error: &dyn std::fmt::Display) -> io::Error {
    let words = format!("line {number} is damaged: {error}");
    io::Error::new(io::ErrorKind::InvalidData, words)
}

#[cfg(test)]
mod tests;
