//! What leaves the run while it goes on, and where to, as plain data.

use std::time::Duration;

use super::{OutputMode, Prometheus, Secret};

/// Everything that gets figures of the run beside its directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs {
    /// Stores that take the line protocol of InfluxDB, and files of it.
    pub influxdb: Vec<Influxdb>,
    /// JSON lines.
    pub json: Option<FileOutput>,
    /// Comma-separated values.
    pub csv: Option<FileOutput>,
    /// What is scraped, and where series are written to.
    pub prometheus: Prometheus,
}

impl Outputs {
    /// Whether nothing leaves the run.
    pub const fn is_empty(&self) -> bool {
        self.influxdb.is_empty()
            && self.json.is_none()
            && self.csv.is_none()
            && self.prometheus.listen.is_none()
            && self.prometheus.remote_write.is_none()
    }

    /// Whether some output takes attempts one by one, so that their parts are kept.
    pub fn wants_operations(&self) -> bool {
        let files = self.json.iter().chain(&self.csv).map(|file| file.mode);
        let stores = self.influxdb.iter().map(|one| one.mode);
        files
            .chain(stores)
            .any(|mode| mode != OutputMode::Aggregate)
    }
}

/// Lines in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOutput {
    /// Its path; a relative one is in the run directory.
    pub file: String,
    /// How much of each attempt.
    pub mode: OutputMode,
}

/// Points in line protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Influxdb {
    /// Where they go.
    pub to: InfluxdbTo,
    /// How much of each attempt.
    pub mode: OutputMode,
    /// The tag by which dashboards tell runs apart; `None`: the name of the run directory.
    pub testid: Option<String>,
    /// Tags of every point, names and values, none of them empty.
    pub tags: Vec<(String, String)>,
}

/// Where points go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InfluxdbTo {
    /// A file; a relative path is in the run directory.
    File(String),
    /// A store that is written to over HTTP.
    Store(Box<Store>),
}

/// A store that takes line protocol over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Before `/write` or `/api/v2/write`, without a slash at its end; it holds no password.
    pub url: String,
    /// What it wants to be told.
    pub gate: StoreGate,
    /// How long points wait for others at the most.
    pub every: Duration,
    /// Points of one request, at the most.
    pub batch: u64,
    /// Whether requests are compressed.
    pub gzip: bool,
    /// Bytes on disk that may wait for a store that does not answer.
    pub spool: u64,
    /// How long the end of the run goes on trying.
    pub drain: Duration,
}

/// The two ways in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreGate {
    /// InfluxDB 1: `/write?db=`.
    V1 {
        /// The database.
        db: String,
        /// A name and a password.
        account: Option<(String, Secret)>,
    },
    /// InfluxDB 2 and 3: `/api/v2/write?org=&bucket=`.
    V2 {
        /// The organization.
        org: String,
        /// The bucket.
        bucket: String,
        /// What the request proves itself with.
        token: Option<Secret>,
    },
}
