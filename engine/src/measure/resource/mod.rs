//! What is measured from outside of the load: its quantities, by the kind of their source.

mod follow;
mod levels;
mod log;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{MetricKind, Unit};

pub use follow::{Follow, Told};
pub use levels::Levels;
pub use log::{ResourceLine, ResourceLog, read_resources};

/// Who knows the figures of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// The kernel, of a process.
    Process,
    /// MySQL or MariaDB, of itself.
    Sql,
    /// Redis, of itself.
    Redis,
    /// Kafka, of a consumer group.
    Kafka,
}

/// Figures of one source at one moment.
pub type Quantities = BTreeMap<Quantity, u64>;

/// One figure, as it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// CPU time of a process so far, user and system.
    CpuNs,
    /// Resident memory of a process.
    MemoryBytes,
    /// Threads of a process.
    Threads,
    /// Open descriptors of a process: files and sockets.
    OpenFiles,
    /// Connections that a service has open, that of the harness's own reading among them.
    Connections,
    /// Connections that a database takes at most.
    MaxConnections,
    /// Connections on which a database is at work (`Threads_running`).
    ActiveConnections,
    /// Statements that a database was asked so far (`Questions`).
    Queries,
    /// How often a row lock was waited for so far (`Innodb_row_lock_waits`).
    RowLockWaits,
    /// How long, all waits together (`Innodb_row_lock_time`).
    RowLockTimeMs,
    /// Who waits for a row lock now (`Innodb_row_lock_current_waits`).
    RowLockWaiting,
    /// Commands that Redis has done so far (`total_commands_processed`).
    Commands,
    /// Connections that Redis has refused so far, as it had too many.
    RejectedConnections,
    /// Clients of Redis that wait in a blocking command.
    BlockedClients,
    /// Memory that Redis has allocated for its data and buffers.
    UsedMemoryBytes,
    /// Events in a topic of Kafka that a consumer group has not committed yet.
    ConsumerLag,
}

/// How a figure becomes a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// It goes up and down.
    Level,
    /// It only grows; what is of interest is by how much.
    Total,
    /// Nanoseconds of work so far; what is of interest is how many cores worked.
    Work,
}

impl ResourceKind {
    /// As the scenario and the files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Sql => "sql",
            Self::Redis => "redis",
            Self::Kafka => "kafka",
        }
    }

    /// What its sources have.
    pub const fn quantities(self) -> &'static [Quantity] {
        match self {
            Self::Process => &[
                Quantity::CpuNs,
                Quantity::MemoryBytes,
                Quantity::Threads,
                Quantity::OpenFiles,
            ],
            Self::Sql => &[
                Quantity::Connections,
                Quantity::MaxConnections,
                Quantity::ActiveConnections,
                Quantity::Queries,
                Quantity::RowLockWaits,
                Quantity::RowLockTimeMs,
                Quantity::RowLockWaiting,
            ],
            Self::Redis => &[
                Quantity::Connections,
                Quantity::Commands,
                Quantity::RejectedConnections,
                Quantity::BlockedClients,
                Quantity::UsedMemoryBytes,
            ],
            Self::Kafka => &[Quantity::ConsumerLag],
        }
    }
}

impl Quantity {
    /// All, in the order in which messages list their metrics.
    pub const ALL: [Self; 16] = [
        Self::CpuNs,
        Self::MemoryBytes,
        Self::Threads,
        Self::OpenFiles,
        Self::Connections,
        Self::MaxConnections,
        Self::ActiveConnections,
        Self::Queries,
        Self::RowLockWaits,
        Self::RowLockTimeMs,
        Self::RowLockWaiting,
        Self::Commands,
        Self::RejectedConnections,
        Self::BlockedClients,
        Self::UsedMemoryBytes,
        Self::ConsumerLag,
    ];

    /// The metric that is made of it.
    pub const fn metric(self) -> &'static str {
        match self {
            Self::CpuNs => "cpu",
            Self::MemoryBytes => "memory",
            Self::Threads => "threads",
            Self::OpenFiles => "open_files",
            Self::Connections => "connections",
            Self::MaxConnections => "max_connections",
            Self::ActiveConnections => "active_connections",
            Self::Queries => "queries",
            Self::RowLockWaits => "row_lock_waits",
            Self::RowLockTimeMs => "row_lock_time",
            Self::RowLockWaiting => "row_lock_waiting",
            Self::Commands => "commands",
            Self::RejectedConnections => "rejected_connections",
            Self::BlockedClients => "blocked_clients",
            Self::UsedMemoryBytes => "used_memory",
            Self::ConsumerLag => "consumer_lag",
        }
    }

    /// How it becomes a metric.
    pub const fn nature(self) -> Nature {
        match self {
            Self::CpuNs => Nature::Work,
            Self::Queries
            | Self::RowLockWaits
            | Self::RowLockTimeMs
            | Self::Commands
            | Self::RejectedConnections => Nature::Total,
            _ => Nature::Level,
        }
    }

    /// Which aggregates its metric has.
    pub const fn kind(self) -> MetricKind {
        match self.nature() {
            Nature::Total => MetricKind::Counter,
            Nature::Level | Nature::Work => MetricKind::Trend,
        }
    }

    /// What a value of its metric is counted in.
    pub const fn unit(self) -> Unit {
        match self {
            Self::CpuNs => Unit::Cores,
            Self::MemoryBytes | Self::UsedMemoryBytes => Unit::Bytes,
            Self::RowLockTimeMs => Unit::Time,
            Self::Queries | Self::RowLockWaits | Self::Commands | Self::RejectedConnections => {
                Unit::Count
            }
            _ => Unit::Number,
        }
    }
}
