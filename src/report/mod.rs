//! The summary of a run rendered for people and programs; no clock, no I/O.

mod chart;
mod escape;
mod faults;
#[cfg(test)]
mod fixture;
mod format;
mod markdown;
mod metrics;
mod resources;
mod setup;
mod summary;
mod table;

pub use chart::chart;
pub use faults::{FaultAlert, FaultBaseline, FaultState, FaultSummary};
pub use markdown::markdown;
pub use resources::{IncreaseFigures, LevelFigures, ResourceSample, ResourceSummary};
pub use setup::{Moment, SetupSummary};
pub use summary::{
    CounterFigures, Drain, Environment, Judged, Latency, LoadSummary, MetricSummary, PhaseSummary,
    Sample, Summary, TrendFigures, UnknownShape,
};
pub use table::terminal;
