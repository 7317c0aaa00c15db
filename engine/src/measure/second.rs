//! One line of plain figures for each second of a run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The figures of one second of the load, for charts and progress.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Seconds since the start of the load; this line covers `[t, t + length_s)`.
    pub t: u64,
    /// 1, but for the last line, which may cover less, and after the harness was held up, more.
    pub length_s: f64,
    /// The most VUs that were running at one time in it, each load thread's own most added up.
    pub vus: u64,
    /// Attempts that ended in it.
    pub requests: u64,
    /// Attempts by outcome name; names without an attempt are left out.
    pub outcomes: BTreeMap<String, u64>,
    /// Iterations that ended in it.
    pub iterations: u64,
    /// Iterations that were due without a free VU, by the phase's number in the plan: two loads may
    /// have phases of one name.
    pub dropped: BTreeMap<u16, u64>,
    /// Response time, of attempts that were sent; `None` without one.
    pub p50_ms: Option<f64>,
    /// As above.
    pub p95_ms: Option<f64>,
    /// As above.
    pub p99_ms: Option<f64>,
    /// 99th percentile of how late iterations started.
    pub lag_p99_ms: Option<f64>,
    /// Bytes written.
    pub data_sent: u64,
    /// Bytes read.
    pub data_received: u64,
    /// CPU time of the harness in this second: 1.0 is one core.
    pub generator_cpu: f64,
    /// The busiest load thread: 1.0 is a whole core.
    pub busiest_thread: f64,
    /// Resident memory of the harness in bytes.
    pub resident_bytes: u64,
    /// Phases under way.
    pub phases: Vec<String>,
}

/// Appends seconds to a file of JSON lines.
#[derive(Debug)]
pub struct SecondLog(BufWriter<File>);

impl SecondLog {
    /// Creates the file.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self(BufWriter::new(File::create(path)?)))
    }

    /// Appends and flushes, so that a killed run keeps it.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn append(&mut self, second: &Second) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, second)?;
        self.0.write_all(b"\n")?;
        self.0.flush()
    }
}

/// Reads the file back; a torn last line is left out.
///
/// # Errors
/// When the file cannot be opened or read.
pub fn read_seconds(path: &Path) -> io::Result<impl Iterator<Item = Second> + use<>> {
    let lines = BufReader::new(File::open(path)?).lines();
    Ok(lines
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(&line).ok()))
}
