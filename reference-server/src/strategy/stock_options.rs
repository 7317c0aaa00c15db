//! The settings of a stock that is in Redis and follows in the table, as the command line gives
//! them.

use std::time::Duration;

/// How the stock comes to Redis and back to the table.
#[derive(clap::Args, Clone, Debug)]
pub struct StockOptions {
    /// What happens at the start to a stock that Redis has already (redisson)
    #[arg(long, value_enum, value_name = "HOW", default_value_t = StockPreload::Keep)]
    pub stock_preload: StockPreload,

    /// How the table's stock follows the one in Redis (redisson)
    #[arg(long, value_enum, value_name = "HOW", default_value_t = StockSync::Periodic)]
    pub stock_sync: StockSync,

    /// Time between two periodic syncs, in milliseconds (redisson)
    #[arg(long, value_name = "MS", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub stock_sync_interval_ms: u32,
}

impl StockOptions {
    pub(crate) fn interval(&self) -> Duration {
        Duration::from_millis(self.stock_sync_interval_ms.into())
    }
}

/// What a preload does to a stock that is in Redis already.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StockPreload {
    /// It stays, since rows behind it may not be written yet
    Keep,
    /// It is replaced by what the tables say
    Overwrite,
}

/// How the table's stock follows the one in Redis.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StockSync {
    /// Only when the server stops
    Off,
    /// From time to time, and when the server stops
    Periodic,
    /// With every batch of rows
    Event,
}
